/* JSON as it is written. */
#include "core/json_text.h"

#include <math.h>
#include <stdlib.h>

#include "tests/unit/test.h"

static void gives(void (*f)(struct buf *out, double v), double v, const char *want)
{
    struct buf out = { 0 };

    f(&out, v);
    buf_char(&out, '\0');
    assert_string_equal(out.p, want);
    buf_deinit(&out);
}

static void quotes(struct view v, const char *want)
{
    struct buf out = { 0 };

    json_text_string(&out, v);
    buf_char(&out, '\0');
    assert_string_equal(out.p, want);
    buf_deinit(&out);
}

static void what_ends_a_string_is_escaped(void **state)
{
    (void)state;
    quotes(VIEW(""), "\"\"");
    quotes(VIEW("a b"), "\"a b\"");
    quotes(VIEW("\""), "\"\\\"\"");
    quotes(VIEW("a\\b\"c"), "\"a\\\\b\\\"c\"");
    quotes(VIEW("\n\x01\x7f"), "\"\\u000a\\u0001\\u007f\"");
    quotes(VIEW("\0a\0"), "\"\\u0000a\\u0000\"");
    quotes(VIEW("zo\xc3\xab \xf0\x9f\x8e\xac\x1f!"),
           "\"zo\xc3\xab \xf0\x9f\x8e\xac\\u001f!\"");
}

static void figures_have_six_digits(void **state)
{
    (void)state;
    gives(json_text_number, 0, "0");
    gives(json_text_number, -0.5, "-0.5");
    gives(json_text_number, 93.123456, "93.1235");
    gives(json_text_number, 0.000123456789, "0.000123457");
    gives(json_text_number, 999999.5, "1e+06");
    gives(json_text_number, 1234567, "1234570");
    gives(json_text_number, 2000, "2000");
    gives(json_text_number, 1.0 / 3, "0.333333");
    gives(json_text_number, INFINITY, "\"inf\"");
    gives(json_text_number, -INFINITY, "\"-inf\"");
    gives(json_text_number, NAN, "null");
}

static void the_least_and_the_largest_stay_numbers(void **state)
{
    (void)state;
    const double odd[] = { 5e-324,
                           2.2250738585072014e-308,
                           1.7976931348623157e308,
                           -1.7976931348623157e308,
                           1e22,
                           123456789e300 };

    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct buf out = { 0 };

        json_text_number(&out, odd[i]);
        buf_char(&out, '\0');
        assert_true(fabs(strtod(out.p, NULL) / odd[i] - 1) < 1e-5);
        buf_deinit(&out);
    }
}

static void counts_and_times_keep_their_digits(void **state)
{
    (void)state;
    gives(json_text_exact, 0, "0");
    gives(json_text_exact, -0.0, "0");
    gives(json_text_exact, 1234567891, "1234567891");
    gives(json_text_exact, 9007199254740991, "9007199254740991");
    gives(json_text_exact, 1700000000.25, "1700000000.25");
    gives(json_text_exact, 1700000000.0004, "1700000000");
    gives(json_text_exact, 1700000000.1234567, "1700000000.123");
    gives(json_text_exact, -3.5, "-3.5");
    gives(json_text_exact, 1e300, "1e+300");
    gives(json_text_exact, NAN, "null");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ends_a_string_is_escaped),
        cmocka_unit_test(figures_have_six_digits),
        cmocka_unit_test(the_least_and_the_largest_stay_numbers),
        cmocka_unit_test(counts_and_times_keep_their_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
