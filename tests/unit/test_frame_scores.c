#include "core/frame_scores.h"

#include "tests/unit/test.h"

#include <stdlib.h>

static struct frame_scores scores_of(const double scores[], size_t n)
{
    struct frame_scores s = { 0 };

    for (size_t i = 0; i < n; i++)
        frame_scores_add(&s, scores[i]);
    return s;
}

#define SCORES(...)                                                                    \
    scores_of((const double[]){ __VA_ARGS__ },                                         \
              sizeof((const double[]){ __VA_ARGS__ }) / sizeof(double))

static void figures_of_a_few_scores_are_as_by_hand(void **state)
{
    struct frame_scores s = SCORES(4, 1, 3, 0);
    struct frame_stats f;

    (void)state;
    frame_scores_stats(&s, &f);
    assert_int_equal(f.frames, 4);
    assert_near(f.mean, 2, 1e-15);
    /* squared distances 4 + 1 + 1 + 4, over 4 */
    assert_near(f.stddev, sqrt(2.5), 1e-15);
    /* 1/5 + 1/2 + 1/4 + 1/1 = 1.95; 4/1.95 - 1 */
    assert_near(f.harmonic_mean, 4 / 1.95 - 1, 1e-15);
    assert_near(f.min, 0, 0);
    assert_near(f.max, 4, 0);
    assert_near(f.max_finite, 4, 0);
    /* sorted 0 1 3 4; positions 0.03, 0.15, 0.3, 1.5 */
    assert_near(f.p1, 0.03, 1e-15);
    assert_near(f.p5, 0.15, 1e-15);
    assert_near(f.p10, 0.3, 1e-15);
    assert_near(f.p50, 2, 1e-15);
    frame_scores_deinit(&s);
}

static void no_scores_have_no_figures(void **state)
{
    struct frame_scores none = { 0 }, unknown = SCORES(NAN, -INFINITY);
    const struct frame_scores *both[] = { &none, &unknown };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct frame_stats f;
        uint64_t below;

        frame_scores_stats(both[i], &f);
        assert_int_equal(f.frames, 0);
        assert_unknown(f.mean);
        assert_unknown(f.stddev);
        assert_unknown(f.harmonic_mean);
        assert_unknown(f.min);
        assert_unknown(f.max);
        assert_unknown(f.p50);
        assert_unknown(frame_scores_mean_mse(both[i]));
        frame_scores_below(both[i], (const double[]){ 1e9 }, 1, &below);
        assert_int_equal(below, 0);
    }
    frame_scores_deinit(&unknown);
}

static void a_mean_leaves_identical_frames_out_and_says_how_many(void **state)
{
    struct frame_scores s = SCORES(40, INFINITY, 50, NAN, INFINITY);
    struct frame_stats f;

    (void)state;
    frame_scores_stats(&s, &f);
    assert_int_equal(s.count, 5);
    assert_int_equal(f.frames, 4);
    assert_int_equal(f.infinite, 2);
    assert_near(f.mean, 45, 1e-15);
    assert_near(f.stddev, 5, 1e-15);
    assert_near(f.max, INFINITY, 0);
    assert_near(f.max_finite, 50, 0);
    assert_near(f.min, 40, 0);
    /* an identical frame adds 0 to the sum and 1 to n */
    assert_near(f.harmonic_mean, 4 / (1 / 41.0 + 1 / 51.0) - 1, 1e-14);
    /* 40 50 inf inf at position 1.5 */
    assert_near(f.p50, INFINITY, 0);
    assert_near(f.p10, 43, 1e-14);
    frame_scores_deinit(&s);

    s = SCORES(INFINITY, INFINITY);
    frame_scores_stats(&s, &f);
    assert_unknown(f.mean);
    assert_unknown(f.max_finite);
    assert_near(f.min, INFINITY, 0);
    assert_near(f.p50, INFINITY, 0);
    assert_near(f.harmonic_mean, INFINITY, 0);
    frame_scores_deinit(&s);
}

static void a_harmonic_mean_below_its_range_is_unknown(void **state)
{
    struct frame_scores s = SCORES(3, -1);
    struct frame_stats f;

    (void)state;
    frame_scores_stats(&s, &f);
    assert_unknown(f.harmonic_mean);
    assert_near(f.mean, 1, 1e-15);
    frame_scores_deinit(&s);
}

static void scores_come_back_to_the_last_bit(void **state)
{
    const double printed[] = { 97.428043, 0.999999, 81.19,   0.1,  100, 0,
                               -3.25,     1e-6,     2147.48, 99.9, 0.3 };
    const double others[] = { 97.4280431234567, 1e300, -1e-300, 65025.5, 1.0 / 3 };
    const size_t n = sizeof printed / sizeof *printed;
    struct frame_scores s = scores_of(printed, n);

    (void)state;
    frame_scores_add(&s, NAN);
    frame_scores_add(&s, INFINITY);
    assert_null(s.wide); /* four bytes each */
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < n; i++)
            assert_true(frame_scores_at(&s, i) == printed[i]);
        assert_true(isnan(frame_scores_at(&s, n)));
        assert_true(frame_scores_at(&s, n + 1) == INFINITY);
        frame_scores_add(&s, others[0]);
        assert_non_null(s.wide);
    }
    frame_scores_deinit(&s);
    s = scores_of(others, 5);
    for (size_t i = 0; i < 5; i++)
        assert_true(frame_scores_at(&s, i) == others[i]);
    frame_scores_deinit(&s);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

enum { MOST = 70000 }; /* more than small tables of counts are used for */

/* Percentiles by sorting a copy. */
static void assert_percentiles(const double scores[], size_t n)
{
    const double percents[] = { 0, 1, 2.5, 5, 10, 25, 50, 75, 95, 99, 100 };
    enum { COUNT = sizeof percents / sizeof *percents };
    struct frame_scores s = scores_of(scores, n);
    static double sorted[MOST];
    double got[COUNT];

    assert_true(n <= MOST);
    memcpy(sorted, scores, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    frame_scores_percentiles(&s, percents, COUNT, got);
    for (size_t i = 0; i < COUNT; i++) {
        double at = percents[i] / 100 * (double)(n - 1);
        size_t low = (size_t)at, high = low + 1 < n ? low + 1 : low;

        assert_near(got[i],
                    sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]),
                    1e-15);
    }
    frame_scores_deinit(&s);
}

static void percentiles_are_those_of_the_sorted_scores(void **state)
{
    static double scores[MOST];
    uint64_t x = 88172645463325252U;

    (void)state;
    for (size_t n = 1; n <= MOST; n = n == 3595 ? MOST : n * 3 / 2 + 1) {
        for (size_t i = 0; i < n; i++) { /* xorshift; six digits, below and above 0 */
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            scores[i] = (double)((int64_t)(x % 200000000) - 100000000) / 1e6;
        }
        assert_percentiles(scores, n);
        scores[n / 2] = 1.0 / 3; /* doubles from here on */
        assert_percentiles(scores, n);
        for (size_t i = 0; i < n; i++)
            scores[i] = i % 3 ? 100 : 99.5;
        assert_percentiles(scores, n);
    }
}

static void both_zeros_are_one(void **state)
{
    struct frame_scores s = SCORES(1.0 / 3, -0.0, -0.0, -0.0, 0);
    struct frame_stats f;

    (void)state;
    frame_scores_stats(&s, &f);
    assert_near(f.p1, 0, 0);
    assert_near(f.p50, 0, 0);
    assert_near(f.max, 1.0 / 3, 0);
    frame_scores_deinit(&s);
}

static void frames_below_thresholds_are_counted(void **state)
{
    struct frame_scores s = SCORES(50, 60, 70, NAN, 70, INFINITY, 80.000001);
    const double thresholds[] = { 50, 70, 70.1, 80.000001, 1000 };
    uint64_t below[5];

    (void)state;
    frame_scores_below(&s, thresholds, 5, below);
    assert_int_equal(below[0], 0);
    assert_int_equal(below[1], 2);
    assert_int_equal(below[2], 4);
    assert_int_equal(below[3], 4);
    assert_int_equal(below[4], 5);
    frame_scores_deinit(&s);
}

static void psnr_of_the_mean_error_is_not_the_mean_psnr(void **state)
{
    struct frame_scores s = { 0 };

    (void)state;
    frame_scores_add_mse(&s, 0);
    frame_scores_add_mse(&s, NAN);
    frame_scores_add_mse(&s, 2);
    assert_near(frame_scores_mean_mse(&s), 1, 0);
    /* 10 log10(255^2) = 48.13… */
    assert_near(frame_psnr_db(1, 255), 48.130803608679, 1e-12);
    assert_near(frame_psnr_db(0, 255), INFINITY, 0);
    assert_unknown(frame_psnr_db(1, NAN));
    frame_scores_deinit(&s);
}

static void the_depth_of_samples_follows_from_one_frame(void **state)
{
    (void)state;
    /* lines of real logs */
    assert_near(frame_peak(32.69, 32.99), 255, 0);
    assert_near(frame_peak(74.47, 41.48), 1023, 0);
    /* 20 log10(65535) - 10 log10(1000) = 66.33 */
    assert_near(frame_peak(1000, 66.33), 65535, 0);
    assert_unknown(frame_peak(0.01, 68.13));
    assert_unknown(frame_peak(0, INFINITY));
    assert_unknown(frame_peak(1, 10));
    assert_unknown(frame_peak(1, 1e6));
    assert_unknown(frame_peak(NAN, 40));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_of_a_few_scores_are_as_by_hand),
        cmocka_unit_test(no_scores_have_no_figures),
        cmocka_unit_test(a_mean_leaves_identical_frames_out_and_says_how_many),
        cmocka_unit_test(a_harmonic_mean_below_its_range_is_unknown),
        cmocka_unit_test(scores_come_back_to_the_last_bit),
        cmocka_unit_test(percentiles_are_those_of_the_sorted_scores),
        cmocka_unit_test(both_zeros_are_one),
        cmocka_unit_test(frames_below_thresholds_are_counted),
        cmocka_unit_test(psnr_of_the_mean_error_is_not_the_mean_psnr),
        cmocka_unit_test(the_depth_of_samples_follows_from_one_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
