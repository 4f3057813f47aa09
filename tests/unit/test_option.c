#include "tests/unit/test.h"

#include "core/option.h"

#include <errno.h>

struct fields {
    const char *text;
    bool flag;
    double number;
    uint32_t whole;
    uint64_t size, time_ms;
    struct option_file file;
};

#define AT(field) offsetof(struct fields, field)

static const struct option table[] = {
    { "text", OPT_STRING, AT(text), NULL, "a", "T", "", "", .choices = "a|b" },
    { "flag", OPT_BOOL, AT(flag), NULL, NULL, NULL, "", "" },
    { "number", OPT_DOUBLE, AT(number), NULL, NULL, "X", "", "", .max = 1e300 },
    { "whole", OPT_U32, AT(whole), NULL, "5", "N", "", "", .min = 1, .max = 10 },
    { "size", OPT_SIZE, AT(size), NULL, "64MiB", "S", "", "", .min = 1, .max = 1e12 },
    { "time", OPT_DURATION, AT(time_ms), NULL, "2s", "D", "", "" },
    { "file", OPT_FILE, AT(file), NULL, NULL, "F", "", "" },
    { 0 },
};

enum { TEXT, FLAG, NUMBER, WHOLE, SIZE, TIME, FILE_ };

static struct fields f;

static int set(int option, const char *text)
{
    return option_set(&table[option], &f, text, "--x", false, NULL);
}

static void defaults_are_set_and_a_number_without_one_is_unknown(void **state)
{
    (void)state;
    option_defaults(table, &f);
    assert_string_equal(f.text, "a");
    assert_false(f.flag);
    assert_unknown(f.number);
    assert_int_equal(f.whole, 5);
    assert_int_equal(f.size, 64 * 1024 * 1024);
    assert_int_equal(f.time_ms, 2000);
    assert_null(f.file.path);
}

static void every_type_reads_its_own_text(void **state)
{
    (void)state;
    assert_int_equal(set(TEXT, "b"), 0);
    assert_string_equal(f.text, "b");
    assert_int_equal(set(FLAG, NULL), 0);
    assert_true(f.flag);
    assert_int_equal(set(FLAG, "false"), 0);
    assert_false(f.flag);
    assert_int_equal(set(NUMBER, "0.125"), 0);
    assert_near(f.number, 0.125, 0);
    assert_int_equal(set(WHOLE, "10"), 0);
    assert_int_equal(f.whole, 10);
    assert_int_equal(set(SIZE, "1.5KiB"), 0);
    assert_int_equal(f.size, 1536);
    assert_int_equal(set(TIME, "500ms"), 0);
    assert_int_equal(f.time_ms, 500);
    assert_int_equal(set(TIME, "1m"), 0);
    assert_int_equal(f.time_ms, 60000);
    assert_int_equal(set(FILE_, "/x"), 0);
    assert_string_equal(f.file.path, "/x");
}

static void a_wrong_text_leaves_the_field_and_says_what_is_allowed(void **state)
{
    const struct {
        int option;
        const char *text, *says;
    } cases[] = {
        { TEXT, "c", "--x: \"c\" is none of a|b" },
        { FLAG, "maybe", "--x: \"maybe\" is neither true nor false" },
        { NUMBER, "-1", "--x: \"-1\" is not a number of at least 0" },
        { NUMBER, "abc", "--x: \"abc\" is not a number of at least 0" },
        { WHOLE, "1.5", "--x: \"1.5\" is not a whole number from 1 to 10" },
        { WHOLE, "11", "--x: \"11\" is not a whole number from 1 to 10" },
        { SIZE, "5 MB",
          "--x: \"5 MB\" is not a size like 512KiB or 64MiB from 1 to "
          "1000000000000" },
        { TIME, "2", "--x: \"2\" is not a duration like 500ms, 2s or 1m" },
    };
    struct fields before;

    (void)state;
    option_defaults(table, &f);
    before = f;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = { 0 };

        assert_int_equal(
            option_set(&table[cases[i].option], &f, cases[i].text, "--x", false, &e),
            -EINVAL);
        assert_string_equal(e.text, cases[i].says);
    }
    assert_memory_equal(&f, &before, sizeof f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_set_and_a_number_without_one_is_unknown),
        cmocka_unit_test(every_type_reads_its_own_text),
        cmocka_unit_test(a_wrong_text_leaves_the_field_and_says_what_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
