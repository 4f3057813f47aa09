#include "modules/predict/recommend.h"

#include "tests/unit/test.h"

static const struct estimate unknown = { NAN, NAN, NAN };

/* 10 per doubling of the rate, 80 at 1000 kbit/s, and 5 either way. */
static struct estimate grows(const void *ctx, double kbps)
{
    double v = 80 + 10 * log2(kbps / 1000);

    (void)ctx;
    return (struct estimate){ v, v - 5, v + 5 };
}

static struct estimate falls(const void *ctx, double kbps)
{
    (void)ctx;
    return (struct estimate){ 100 - kbps / 100, 0, 100 };
}

static struct estimate is_not_known(const void *ctx, double kbps)
{
    (void)ctx;
    return kbps > 3000 ? unknown : grows(ctx, kbps);
}

static struct estimate asked(struct estimate (*at)(const void *, double), double from,
                             double to, double target)
{
    const struct recommend_curve c = { at, NULL };

    return recommend(&c, from, to, target);
}

static void the_lowest_whole_rate_that_reaches_it(void **state)
{
    (void)state;
    struct estimate e = asked(grows, 100.5, 9000.5, 93);

    assert_near(e.value, 2463, 0); /* 1000 · 2^1.3 = 2462.29 */
    assert_near(e.low, 1742, 0);   /* 1000 · 2^0.8 = 1741.1 */
    assert_near(e.high, 3483, 0);  /* 1000 · 2^1.8 = 3482.2 */
}

static void beyond_the_range_nothing_is_said(void **state)
{
    (void)state;
    struct estimate e = asked(grows, 100, 3000, 93);

    assert_near(e.value, 2463, 0);
    assert_unknown(e.high);
    assert_unknown(asked(grows, 100, 2000, 93).value);
    assert_near(asked(grows, 100, 2000, 93).low, 1742, 0);
    /* The least that may be asked for reaches it already: less might, too. */
    assert_unknown(asked(grows, 2600.5, 9000, 93).value);
    assert_near(asked(grows, 2600.5, 9000, 93).high, 3483, 0);
    assert_unknown(asked(grows, NAN, NAN, 93).value);
    assert_unknown(asked(grows, 100, 9000, NAN).value);
}

static void a_curve_that_does_not_grow_recommends_nothing(void **state)
{
    (void)state;

    assert_unknown(asked(falls, 100, 9000, 93).value);
    assert_unknown(asked(falls, 100, 9000, 93).low);
    assert_unknown(asked(is_not_known, 100, 9000, 93).value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_whole_rate_that_reaches_it),
        cmocka_unit_test(beyond_the_range_nothing_is_said),
        cmocka_unit_test(a_curve_that_does_not_grow_recommends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
