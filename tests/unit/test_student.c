#include "modules/predict/student.h"

#include "tests/unit/test.h"

static void assert_digits(double got, double want)
{
    assert_near(got / want, 1, 1e-12);
}

/* By the closed forms of whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4),
 * inverted by bisection with 60 digits. */
static void quantiles_are_right_to_twelve_digits(void **state)
{
    (void)state;
    static const struct {
        double df, t975, t6;
    } of[] = {
        { 1, 12.70620473617469331, 0.324919696232906249 },
        { 2, 4.302652729749461789, 0.288675134594812815 },
        { 3, 3.182446305283708435, 0.276670662332689847 },
        { 5, 2.570581835636314782, 0.267180865704145065 },
        { 9, 2.262157162798204999, 0.260955336473910952 },
        { 30, 2.042272456301237887, 0.255605364951912714 },
        { 39, 2.022690920036760723, 0.255082228169605837 },
        { 41, 2.019540970441375633, 0.254997276130993369 },
        { 100, 1.983971518523551894, 0.254022182458227758 },
        { 1001, 1.962336705280879537, 0.253414448483498282 },
        { 49999, 1.960011432042652353, NAN },
        { 50001, 1.960011430144745046, NAN },
        /* z + (z³ + z) / (4 df), z of the normal distribution; the next is below 1e-15 */
        { 1e8, 1.959963984540054 + 9.489085 / 4e8, NAN },
        /* the normal distribution, by scipy 1.10's norm.ppf() */
        { 1e15, 1.959963984540054, 0.2533471031357997 },
        { INFINITY, 1.959963984540054, 0.2533471031357997 },
    };

    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        assert_digits(student_quantile(0.975, of[i].df), of[i].t975);
        if (!isnan(of[i].t6))
            assert_digits(student_quantile(0.6, of[i].df), of[i].t6);
    }
}

/* df 1: tan(pi (p - 1/2)); df 2: (2p - 1) / sqrt(2p (1 - p)). */
static void one_and_two_degrees_have_closed_forms(void **state)
{
    (void)state;
    static const double p[] = { 1e-300, 1e-40, 1e-6, 0.01,   0.2, 0.25,
                                0.3,    0.49,  0.75, 0.7501, 0.9, 0.9999 };

    for (size_t i = 0; i < sizeof p / sizeof *p; i++) {
        double q =
            p[i] < 0.25 ? -1 / tan(acos(-1) * p[i]) : tan(acos(-1) * (p[i] - 0.5));

        assert_digits(student_quantile(p[i], 1), q);
        assert_digits(student_quantile(p[i], 2),
                      (2 * p[i] - 1) / sqrt(2 * p[i] * (1 - p[i])));
    }
}

static void tiny_probabilities_keep_their_digits(void **state)
{
    (void)state;
    /* the tail in closed form with 360 digits */
    assert_digits(student_quantile(1e-300, 6e4), -37.26012727542558);
    /* scipy 1.10, norm.ppf() */
    assert_digits(student_quantile(1e-300, INFINITY), -37.0470962993612);
    assert_digits(student_quantile(1e-10, INFINITY), -6.361340902404056);
    /* the middle of a density is its height there: sqrt(2 pi) times 1e-9 */
    assert_digits(student_quantile(0.5 + 0x1p-30, INFINITY),
                  0x1p-30 * sqrt(2 * acos(-1)));
}

static void quantiles_grow_with_p_and_mirror_at_one_half(void **state)
{
    (void)state;
    static const double df[] = { 0.3, 0.5, 1.5, 4.7, 39.9, 40.1, 777.7, 4e4, 6e4 };

    for (size_t k = 0; k < sizeof df / sizeof *df; k++) {
        double before = -INFINITY;

        for (int i = 1; i < 256; i++) {
            double t = student_quantile(i / 256.0, df[k]);

            assert_true(t > before);
            assert_near(student_quantile(1 - i / 256.0, df[k]), -t, 1e-13);
            before = t;
        }
        assert_true(student_quantile(0.5, df[k]) == 0);
    }
}

static void what_is_no_probability_has_no_quantile(void **state)
{
    (void)state;
    assert_unknown(student_quantile(0, 3));
    assert_unknown(student_quantile(1, 3));
    assert_unknown(student_quantile(-0.1, 3));
    assert_unknown(student_quantile(NAN, 3));
    assert_unknown(student_quantile(0.9, 0));
    assert_unknown(student_quantile(0.9, -1));
    assert_unknown(student_quantile(0.9, NAN));
    assert_near(student_quantile(0.9999, 0.001), INFINITY, 0);
    assert_near(student_quantile(0.0001, 0.001), -INFINITY, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_right_to_twelve_digits),
        cmocka_unit_test(one_and_two_degrees_have_closed_forms),
        cmocka_unit_test(tiny_probabilities_keep_their_digits),
        cmocka_unit_test(quantiles_grow_with_p_and_mirror_at_one_half),
        cmocka_unit_test(what_is_no_probability_has_no_quantile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
