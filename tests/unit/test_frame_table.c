#include "core/frame_table.h"

#include "tests/unit/test.h"

static void assert_metric(struct frame_metric m, const char *metric, const char *model,
                          enum frame_kind kind)
{
    assert_view(m.metric, metric);
    assert_view(m.model, model);
    assert_int_equal(m.kind, kind);
}

static void names_of_filters_become_metrics(void **state)
{
    (void)state;
    assert_metric(frame_metric_filter(VIEW("psnr_avg")), "psnr", "", FRAME_SCORE);
    assert_metric(frame_metric_filter(VIEW("psnr_g")), "psnr_g", "", FRAME_SCORE);
    assert_metric(frame_metric_filter(VIEW("All")), "ssim", "", FRAME_SCORE);
    assert_metric(frame_metric_filter(VIEW("V")), "ssim_v", "", FRAME_SCORE);
    assert_metric(frame_metric_filter(VIEW("n")), "n", "", FRAME_OTHER);
    assert_true(frame_metric_filter(VIEW("psnr_avg")).unbounded);
    assert_false(frame_metric_filter(VIEW("All")).unbounded);
}

static void names_of_libvmaf_become_metrics_and_models(void **state)
{
    (void)state;
    assert_metric(frame_metric_libvmaf(VIEW("vmaf")), "vmaf", "", FRAME_SCORE);
    assert_metric(frame_metric_libvmaf(VIEW("vmaf_neg")), "vmaf", "vmaf_neg",
                  FRAME_SCORE);
    assert_metric(frame_metric_libvmaf(VIEW("vmaf_stddev")), "vmaf_stddev", "",
                  FRAME_FEATURE);
    assert_metric(frame_metric_libvmaf(VIEW("vmaf_ci_p95_lo")), "vmaf_ci_p95_lo", "",
                  FRAME_FEATURE);
    assert_metric(frame_metric_libvmaf(VIEW("psnr")), "psnr_y", "", FRAME_SCORE);
    assert_metric(frame_metric_libvmaf(VIEW("psnr_cb")), "psnr_u", "", FRAME_SCORE);
    assert_metric(frame_metric_libvmaf(VIEW("float_ssim")), "ssim", "", FRAME_SCORE);
    assert_metric(frame_metric_libvmaf(VIEW("float_ms_ssim")), "ms_ssim", "",
                  FRAME_SCORE);
    assert_metric(frame_metric_libvmaf(VIEW("cambi")), "cambi", "", FRAME_SCORE);
    assert_metric(frame_metric_libvmaf(VIEW("ciede2000")), "ciede2000", "",
                  FRAME_SCORE);
    assert_metric(frame_metric_libvmaf(VIEW("psnr_hvs_y")), "psnr_hvs_y", "",
                  FRAME_SCORE);
    assert_metric(frame_metric_libvmaf(VIEW("integer_adm2_egl_1")),
                  "integer_adm2_egl_1", "", FRAME_FEATURE);
    assert_metric(frame_metric_libvmaf(VIEW("motion2")), "motion2", "", FRAME_FEATURE);
    assert_metric(frame_metric_libvmaf(VIEW("tv")), "tv", "", FRAME_OTHER);
}

static void rows_have_the_numbers_of_their_frames(void **state)
{
    const uint32_t numbers[] = { 0, 5, 10, 15, 16, 40 };
    struct frame_table t;

    (void)state;
    frame_table_init(&t, (struct frame_limits){ 0 }, frame_metric_libvmaf);
    for (size_t i = 0; i < 6; i++) {
        assert_true(frame_table_set(&t, VIEW("vmaf"), (double)i));
        assert_true(frame_table_commit(&t, numbers[i]));
        if (i == 3)
            assert_null(t.numbers); /* evenly spaced */
    }
    assert_int_equal(t.rows, 6);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(frame_table_number(&t, i), numbers[i]);

    frame_table_set(&t, VIEW("vmaf"), 1);
    assert_false(frame_table_commit(&t, 40)); /* not above the last */
    assert_false(frame_table_commit(&t, 41)); /* no value */
    assert_int_equal(t.rows, 6);

    frame_table_restart(&t);
    assert_int_equal(t.rows, 0);
    frame_table_set(&t, VIEW("vmaf"), 1);
    assert_true(frame_table_commit(&t, 7));
    assert_int_equal(frame_table_number(&t, 0), 7);
    frame_table_deinit(&t);
}

static void columns_that_come_or_stay_away_have_gaps(void **state)
{
    const struct frame_column *late;
    struct frame_table t;

    (void)state;
    frame_table_init(&t, (struct frame_limits){ 0 }, frame_metric_libvmaf);
    frame_table_set(&t, VIEW("vmaf"), 90);
    frame_table_commit(&t, 0);
    frame_table_set(&t, VIEW("vmaf"), 91);
    frame_table_set(&t, VIEW("cambi"), 2);
    frame_table_commit(&t, 1);
    frame_table_set(&t, VIEW("vmaf"), 92);
    frame_table_commit(&t, 2);
    late = frame_table_metric(&t, VIEW("cambi"), VIEW(""));
    assert_non_null(late);
    assert_unknown(frame_scores_at(&late->scores, 0));
    assert_near(frame_scores_at(&late->scores, 1), 2, 0);
    assert_unknown(frame_scores_at(&late->scores, 2));
    frame_table_deinit(&t);
}

static void two_names_of_one_metric_do_not_mix(void **state)
{
    struct frame_table t;

    (void)state;
    frame_table_init(&t, (struct frame_limits){ 0 }, frame_metric_libvmaf);
    frame_table_set(&t, VIEW("float_psnr"), 40);
    frame_table_set(&t, VIEW("psnr_y"), 41);
    frame_table_set(&t, VIEW("vmaf"), 90);
    frame_table_set(&t, VIEW("vmaf_neg"), 89);
    assert_view(t.columns[0].metric.metric, "psnr_y");
    assert_view(t.columns[1].metric.model, "psnr_y");
    assert_int_equal(t.columns[1].metric.kind, FRAME_FEATURE);
    assert_ptr_equal(frame_table_metric(&t, VIEW("psnr_y"), VIEW("")), &t.columns[0]);
    assert_ptr_equal(frame_table_metric(&t, VIEW("vmaf"), VIEW("vmaf_neg")),
                     &t.columns[3]);
    assert_ptr_equal(frame_table_metric(&t, VIEW("vmaf"), VIEW("")), &t.columns[2]);
    assert_null(frame_table_metric(&t, VIEW("vmaf"), VIEW("vmaf_4k")));
    frame_table_deinit(&t);
}

static void tables_are_bounded(void **state)
{
    char name[FRAME_NAME_MAX + 1];
    struct frame_table t;

    (void)state;
    memset(name, 'a', sizeof name);
    frame_table_init(
        &t, (struct frame_limits){ .rows = 2, .columns = 2, .scores_only = true },
        frame_metric_libvmaf);
    assert_false(frame_table_set(&t, VIEW("motion2"), 1));
    assert_false(frame_table_set(&t, (struct view){ name, sizeof name }, 1));
    assert_true(frame_table_set(&t, VIEW("vmaf"), 1));
    assert_true(frame_table_set(&t, VIEW("cambi"), 1));
    assert_false(frame_table_set(&t, VIEW("ciede2000"), 1));
    assert_int_equal(t.values_over, 3);
    assert_true(frame_table_commit(&t, 0));
    for (uint32_t i = 1; i < 4; i++) {
        frame_table_set(&t, VIEW("vmaf"), 1);
        assert_int_equal(frame_table_commit(&t, i), i < 2);
    }
    assert_int_equal(t.rows, 2);
    assert_int_equal(t.rows_over, 2);
    frame_table_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_filters_become_metrics),
        cmocka_unit_test(names_of_libvmaf_become_metrics_and_models),
        cmocka_unit_test(rows_have_the_numbers_of_their_frames),
        cmocka_unit_test(columns_that_come_or_stay_away_have_gaps),
        cmocka_unit_test(two_names_of_one_metric_do_not_mix),
        cmocka_unit_test(tables_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
