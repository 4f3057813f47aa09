#include "modules/predict/response.h"

#include "tests/unit/test.h"

static void scales_go_there_and_back(void **state)
{
    (void)state;
    static const struct {
        enum target t;
        double value, scale;
    } cases[] = {
        { TARGET_CORE_SECONDS, 2.718281828459045, 1 },
        { TARGET_ENERGY, 1, 0 },
        { TARGET_POWER, 75.5, 75.5 },
        { TARGET_VMAF, 50, 0 },
        { TARGET_VMAF, 90, 2.1972245773362196 }, /* ln 9 */
        { TARGET_PSNR, 41.5, 41.5 },
        { TARGET_SSIM, 0.99, 2 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_near(response(cases[i].t, cases[i].value), cases[i].scale, 1e-12);
        assert_near(response_back(cases[i].t, cases[i].scale), cases[i].value, 1e-12);
    }
}

static void ends_are_kept_and_nonsense_is_not_learned(void **state)
{
    (void)state;

    assert_near(response(TARGET_VMAF, 0), -6.906754778648554, 1e-12); /* ln 1/999 */
    assert_near(response(TARGET_VMAF, 110), 6.906754778648554, 1e-12);
    assert_near(response(TARGET_SSIM, 1), 5, 1e-12);
    assert_unknown(response(TARGET_ENERGY, 0));
    assert_unknown(response(TARGET_PSNR, INFINITY));
    assert_unknown(response(TARGET_POWER, NAN));
}

static void an_interval_stays_within_what_can_be(void **state)
{
    (void)state;
    struct estimate e = response_estimate(TARGET_POWER, 0, 5, 8);

    assert_near(e.value, 5, 0);
    assert_near(e.low, 0, 0);
    assert_near(e.high, 13, 0);
    assert_unknown(response_estimate(TARGET_POWER, 0, -1, 8).value);
    assert_unknown(response_estimate(TARGET_VMAF, 0, 1, INFINITY).low);
    assert_unknown(response_estimate(TARGET_ENERGY, 0, 700, 100).high);
    assert_unknown(
        response_estimate(TARGET_ENERGY, 0, -800, 1).value); /* a double's 0 */
    e = response_estimate(TARGET_CORE_SECONDS, 1, -1, 0.6931471805599453);
    assert_near(e.value, 1, 1e-12);
    assert_near(e.low, 0.5, 1e-12);
    assert_near(e.high, 2, 1e-12);
}

static void four_digits_are_kept(void **state)
{
    (void)state;

    assert_near(round4(123456), 123500, 0);
    assert_near(round4(0.000123456), 0.0001235, 0);
    assert_near(round4(-99.996), -100, 0);
    assert_near(round4(1e-310), 1e-310, 0);
    assert_near(round4(1.79769e308), 1.79769e308, 0); /* 1.798e308 is none */
    assert_near(round4(0), 0, 0);
    assert_unknown(round4(NAN));
    assert_near(round4(93.12499), 93.12, 0);
}

static void a_score_is_of_pairs(void **state)
{
    (void)state;
    struct score s = { 0 };

    assert_unknown(score_r2(&s));
    assert_unknown(score_rmse(&s));
    /* measured 1, 2, 6: mean 3, squares 4 + 1 + 9; errors 1, 0, -2: squares 5 */
    score_add(&s, 1, 0, true);
    score_add(&s, 2, 2, true);
    score_add(&s, 6, 8, false);
    assert_near(score_r2(&s), 1 - 5.0 / 14, 1e-12);
    assert_near(score_rmse(&s), sqrt(5.0 / 3), 1e-12);
    assert_near(score_coverage(&s), 2 / 3.0, 1e-12);
    s = (struct score){ 0 };
    score_add(&s, 5, 5, true);
    score_add(&s, 5, 4, true);
    assert_unknown(score_r2(&s)); /* values that do not vary */
}

static void the_median_of_an_even_count_is_between_the_two(void **state)
{
    (void)state;
    double odd[] = { 9, 1, 5 }, even[] = { 4, 1, 8, 2 };

    assert_near(median(odd, 3), 5, 0);
    assert_near(median(even, 4), 3, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scales_go_there_and_back),
        cmocka_unit_test(ends_are_kept_and_nonsense_is_not_learned),
        cmocka_unit_test(an_interval_stays_within_what_can_be),
        cmocka_unit_test(four_digits_are_kept),
        cmocka_unit_test(a_score_is_of_pairs),
        cmocka_unit_test(the_median_of_an_even_count_is_between_the_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
