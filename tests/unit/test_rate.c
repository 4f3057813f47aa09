#include "tests/unit/test.h"

#include "server/web/rate.h"

#define S UINT64_C(1000000000)

static unsigned allowed(struct rate *r, unsigned asked, uint64_t now_ns)
{
    unsigned n = 0;

    while (asked-- > 0)
        n += rate_allow(r, now_ns);
    return n;
}

static void a_full_bucket_lets_burst_in_and_one_each_interval(void **state)
{
    struct rate r;

    (void)state;
    rate_init(&r, S, 5, 100 * S);
    assert_int_equal(allowed(&r, 20, 100 * S), 5);
    assert_int_equal(allowed(&r, 20, 100 * S + S - 1), 0);
    assert_int_equal(allowed(&r, 20, 101 * S), 1); /* to the nanosecond */
    assert_int_equal(allowed(&r, 20, 103 * S), 2);
    assert_int_equal(allowed(&r, 20, 1000 * S), 5); /* never more than the burst */
}

static void parts_of_an_interval_add_up(void **state)
{
    struct rate r;

    (void)state;
    rate_init(&r, S, 1, 0);
    assert_true(rate_allow(&r, 0));
    for (unsigned i = 1; i < 10; i++)
        assert_false(rate_allow(&r, i * S / 10));
    assert_true(rate_allow(&r, S));
    assert_false(rate_allow(&r, S));
}

static void without_a_burst_nothing_is_allowed(void **state)
{
    struct rate r;

    (void)state;
    rate_init(&r, S, 0, 0);
    assert_int_equal(allowed(&r, 10, 0), 0);
    assert_int_equal(allowed(&r, 10, 1000 * S), 0);
}

static void without_an_interval_everything_is(void **state)
{
    struct rate r;

    (void)state;
    rate_init(&r, 0, 0, 0);
    assert_int_equal(allowed(&r, 1000, 0), 1000);
}

static void the_largest_numbers_do_not_overflow(void **state)
{
    struct rate r;

    (void)state;
    rate_init(&r, INT64_MAX, INT32_MAX, 0);
    assert_int_equal(allowed(&r, 10, 0), 2); /* what 64 bits hold */
    assert_int_equal(allowed(&r, 10, UINT64_MAX), 2);
    rate_init(&r, 1, INT32_MAX, 0);
    assert_int_equal(allowed(&r, 1000, 0), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_bucket_lets_burst_in_and_one_each_interval),
        cmocka_unit_test(parts_of_an_interval_add_up),
        cmocka_unit_test(without_a_burst_nothing_is_allowed),
        cmocka_unit_test(without_an_interval_everything_is),
        cmocka_unit_test(the_largest_numbers_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
