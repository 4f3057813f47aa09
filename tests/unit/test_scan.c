#include "server/sources/scan.h"

#include <errno.h>

#include "scratch.h"

static const struct scan_entry *find(const struct scan *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (view_eq(s->entries[i].name, view_of(name)))
            return &s->entries[i];
    return NULL;
}

static void names_tell_what_a_file_is(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum name_kind kind;
    } cases[] = {
        { "test_results_20260101_000000.json", NAME_RUN },
        { "test_results_.json", NAME_RUN },
        { "test_results_a.b.json", NAME_RUN },
        { "test_results.json", NAME_OTHER },
        { "xtest_results_1.json", NAME_OTHER },
        { "test_results_1.JSON", NAME_OTHER },
        { "test_results_1.json.gz", NAME_OTHER },
        { "clip.progress", NAME_OTHER },
        { "", NAME_OTHER },
        { ".test_results_1.json", NAME_HIDDEN },
        { "..data", NAME_HIDDEN },
        { "test_results_1.json.tmp", NAME_HIDDEN },
        { "test_results_1.json.part", NAME_HIDDEN },
        { "test_results_1.json~", NAME_HIDDEN },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (name_kind(view_of(cases[i].name)) != cases[i].kind)
            fail_msg("%s", cases[i].name);
    assert_view(name_id(view_of("test_results_1.json")), "test_results_1");
}

static void a_scan_lists_runs_and_others_but_nothing_hidden(void **state)
{
    (void)state;
    struct scan s = { 0 };
    struct err e = { 0 };

    scratch_write("test_results_1.json", "12345");
    scratch_write("test_results_2.json.tmp", "");
    scratch_write(".hidden", "");
    scratch_write("clip.progress", "");
    scratch_mkdir("folder");
    assert_int_equal(scan_read(scratch, &s, &e), 0);
    assert_int_equal(s.count, 3);

    const struct scan_entry *run = find(&s, "test_results_1.json");

    assert_non_null(run);
    assert_int_equal(run->kind, NAME_RUN);
    assert_int_equal(run->rc, 0);
    assert_int_equal(run->look.stamp.size, 5);
    assert_int_equal(find(&s, "clip.progress")->kind, NAME_OTHER);
    assert_int_equal(find(&s, "folder")->kind, NAME_OTHER);
    scan_deinit(&s);
    assert_int_equal(s.count, 0);
}

static void a_run_that_is_no_regular_file_has_a_reason(void **state)
{
    (void)state;
    struct scan s = { 0 };
    struct err e = { 0 };

    scratch_mkdir("test_results_1.json");
    scratch_link("../../etc/hostname", "test_results_2.json");
    scratch_link("nothing", "test_results_3.json");
    assert_int_equal(scan_read(scratch, &s, &e), 0);
    assert_int_equal(find(&s, "test_results_1.json")->rc, OPENER_NOT_REGULAR);
    assert_non_null(strstr(find(&s, "test_results_1.json")->reason, "directory"));
    assert_int_equal(find(&s, "test_results_2.json")->rc, OPENER_LEADS_OUT);
    assert_int_equal(find(&s, "test_results_3.json")->rc, -ENOLINK);
    assert_true(find(&s, "test_results_3.json")->look.is_link);
    scan_deinit(&s);
}

static void names_keep_whatever_bytes_they_have(void **state)
{
    (void)state;
    struct scan s = { 0 };
    struct err e = { 0 };

    scratch_write("test_results_\n\xff.json", "");
    assert_int_equal(scan_read(scratch, &s, &e), 0);
    assert_non_null(find(&s, "test_results_\n\xff.json"));
    scan_deinit(&s);
}

static void what_cannot_be_listed_says_why(void **state)
{
    (void)state;
    struct scan s = { 0 };
    struct err e = { 0 };

    assert_int_equal(scan_read(scratch_path("no"), &s, &e), -ENOENT);
    assert_non_null(strstr(e.text, "/no: "));
    scratch_write("file", "");
    assert_int_equal(scan_read(scratch_path("file"), &s, &e), -ENOTDIR);
    assert_int_equal(s.count, 0);
    scan_deinit(&s);
}

static void thousands_of_names_are_all_found(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    struct scan s = { 0 };
    struct err e = { 0 };
    char name[64];

    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "test_results_%d.json", i);
        scratch_write(name, "");
    }
    assert_int_equal(scan_read(scratch, &s, &e), 0);
    assert_int_equal(s.count, COUNT);
    for (size_t i = 0; i < s.count; i++)
        assert_int_equal(s.entries[i].rc, 0);
    scan_deinit(&s);
}

int main(void)
{
#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_tell_what_a_file_is),
        TEST(a_scan_lists_runs_and_others_but_nothing_hidden),
        TEST(a_run_that_is_no_regular_file_has_a_reason),
        TEST(names_keep_whatever_bytes_they_have),
        TEST(what_cannot_be_listed_says_why),
        TEST(thousands_of_names_are_all_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
