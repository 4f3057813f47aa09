#include "tests/unit/test.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/decimal.h"
#include "core/err.h"

#include <errno.h>
#include <stdalign.h>

static void append_past_the_ceiling_sets_full_and_adds_nothing(void **state)
{
    struct buf b = { .limit = 8 };

    (void)state;
    buf_str(&b, "12345678");
    assert_false(b.full);
    buf_char(&b, '9');
    assert_true(b.full);
    assert_view(buf_as_view(&b), "12345678");
    buf_release(&b);
    buf_str(&b, "x");
    assert_view(buf_as_view(&b), "x");
    buf_deinit(&b);
}

static void whole_numbers_are_written_in_full(void **state)
{
    struct buf b = { 0 };

    (void)state;
    buf_u64(&b, 0);
    buf_char(&b, ' ');
    buf_u64(&b, UINT64_MAX);
    assert_view(buf_as_view(&b), "0 18446744073709551615");
    buf_deinit(&b);
}

static void doubles_are_the_shortest_text_that_reads_back(void **state)
{
    /* The double nearest 0.1 + 0.2 needs 17 digits; 0.3 needs one. */
    const struct {
        double v;
        const char *text;
    } cases[] = {
        { 0, "0" },
        { -0.0, "-0" },
        { 0.3, "0.3" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 1767033591, "1767033591" },
        { 29.97, "29.97" },
        { INFINITY, "+Inf" },
        { -INFINITY, "-Inf" },
        { NAN, "NaN" },
        { 5e-324, "5e-324" },
        { 1e300, "1e+300" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = { 0 };

        buf_double(&b, cases[i].v);
        assert_view(buf_as_view(&b), cases[i].text);
        buf_deinit(&b);
    }
}

static void decimals_for_people_have_no_exponent(void **state)
{
    struct buf b = { 0 };

    (void)state;
    buf_decimal(&b, 5000000);
    buf_char(&b, ' ');
    buf_decimal(&b, 29.97);
    buf_char(&b, ' ');
    buf_decimal(&b, 0.000001);
    buf_char(&b, ' ');
    buf_decimal(&b, 1e30);
    assert_view(buf_as_view(&b), "5000000 29.97 0.000001 1e+30");
    buf_deinit(&b);
}

static void a_number_is_read_only_when_all_of_the_text_is_one(void **state)
{
    const char *const bad[] = { "",      " 1",  "1 ",  "0x10", "inf", "nan", "-inf",
                                "1e999", "1,5", "--1", "+-1",  "1k",  "-",   "." };
    double v = 7;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(decimal_read(view_of(bad[i]), &v));
    assert_true(v == 7);
    assert_true(decimal_read(VIEW("-1.5e3"), &v));
    assert_near(v, -1500, 0);
    assert_true(decimal_read(VIEW("+.5"), &v));
    assert_near(v, 0.5, 0);
}

static void arena_memory_is_zeroed_aligned_and_apart(void **state)
{
    struct arena a = { 0 };

    (void)state;
    for (int round = 0; round < 3; round++) {
        char *big = arena_alloc(&a, 1, 100000);
        char *one = arena_alloc(&a, 1, 1);
        double *two = arena_new(&a, double, 2);

        assert_int_equal(big[99999], 0);
        assert_int_equal((uintptr_t)two % alignof(max_align_t), 0);
        memset(big, 1, 100000);
        *one = 2;
        assert_true(two[0] == 0 && two[1] == 0);
        assert_int_equal(big[99999], 1);
        arena_release(&a);
    }
    assert_view(arena_copy(&a, VIEW("text")), "text");
    arena_deinit(&a);
}

static void an_error_carries_its_code_and_fits(void **state)
{
    struct err e;
    char longer[1000];

    (void)state;
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(err_set(&e, -EINVAL, "%s", longer), -EINVAL);
    assert_int_equal(e.code, -EINVAL);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    assert_int_equal(err_set(NULL, -ENOENT, "nobody asks"), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(append_past_the_ceiling_sets_full_and_adds_nothing),
        cmocka_unit_test(whole_numbers_are_written_in_full),
        cmocka_unit_test(doubles_are_the_shortest_text_that_reads_back),
        cmocka_unit_test(decimals_for_people_have_no_exponent),
        cmocka_unit_test(a_number_is_read_only_when_all_of_the_text_is_one),
        cmocka_unit_test(arena_memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(an_error_carries_its_code_and_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
