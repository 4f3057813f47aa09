/* What is told of encodes that are watched, as series. */
#include "modules/live/tell.h"

#include "tests/unit/module_host.h"
#include "tests/unit/scored.h"

static const struct live_threshold thresholds[] = {
    { "vmaf", 85 }, { "psnr", 32.5 }, { "vmaf", 90.5 }, { "cambi", 5 }
};
enum { THRESHOLDS = sizeof thresholds / sizeof *thresholds };

struct told { /* for the checks of module_host.h */
    struct host h;
    struct module m;
};

static void told_init(struct told *t, const struct family *families, uint16_t count)
{
    *t = (struct told){ .m = { .families = families, .family_count = count } };
    t->h.m = &t->m;
}

static void tell(struct told *t, struct encode *e, const char *scenario)
{
    const struct live_row row = { e, view_of(scenario), 1000 };

    series_deinit(&t->h.out);
    if (t->m.families == live_results_families)
        live_tell_results(&row, &t->h.out);
    else
        live_tell_qoe(&row, thresholds, THRESHOLDS, &t->h.out);
}

static void what_is_not_known_is_not_told(void **state)
{
    (void)state;
    struct encode *e = encode_new(VIEW("a"), 100);
    struct told t;

    told_init(&t, live_results_families, live_results_family_count);
    tell(&t, e, "a");
    for (uint16_t i = 0; i < live_results_family_count; i++)
        assert_int_equal(sample_count(&t.h, live_results_families[i].name), 0);
    encode_begin(e, 100);
    tell(&t, e, "a");
    for (uint16_t i = 0; i < live_results_family_count; i++)
        assert_int_equal(sample_count(&t.h, live_results_families[i].name), 0);
    series_deinit(&t.h.out);
    encode_free(e);
}

static void a_block_is_told_under_the_name_of_its_scenario(void **state)
{
    (void)state;
    struct encode *e = encode_new(VIEW("a"), 100);
    struct progress_block b = {
        .frames = 250,
        .fps = 25,
        .speed = 0.5,
        .out_time_s = 10.5,
        .total_bytes = 123456,
        .bitrate_bps = 94000,
        .drop_frames = 3,
        .dup_frames = 2,
        .stream_count = 2,
        .streams = { { 0, 1, 23.5, NAN, NAN, NAN, NAN },
                     { 1, 0, 30, NAN, NAN, NAN, NAN } },
    };
    struct told t;

    told_init(&t, live_results_families, live_results_family_count);
    encode_begin(e, 100);
    encode_hear(e, &b, 110);
    e->length_s = 42;
    tell(&t, e, "x: \"y\"");
#define OF "scenario=\"x: \\\"y\\\"\""
    assert_near(sample(&t.h, "encode_frames_total", OF), 250, 0);
    assert_near(sample(&t.h, "encode_fps", OF), 25, 0);
    assert_near(sample(&t.h, "encode_speed_ratio", OF), 0.5, 0);
    assert_near(sample(&t.h, "encode_bitrate_bits_per_second", OF), 94000, 0);
    assert_near(sample(&t.h, "encode_output_bytes_total", OF), 123456, 0);
    assert_near(sample(&t.h, "encode_out_time_seconds", OF), 10.5, 0);
    assert_near(sample(&t.h, "encode_dropped_frames_total", OF), 3, 0);
    assert_near(sample(&t.h, "encode_duplicated_frames_total", OF), 2, 0);
    assert_near(sample(&t.h, "encode_quantizer", "stream=\"0_1\""), 23.5, 0);
    assert_near(sample(&t.h, "encode_quantizer", "stream=\"1_0\""), 30, 0);
    assert_near(sample(&t.h, "encode_progress_ratio", OF), 0.25, 0);
    assert_near(sample(&t.h, "encode_eta_seconds", OF), 63, 1e-12);
    assert_near(sample(&t.h, "encode_last_update_timestamp_seconds", OF), 110, 0);
    assert_int_equal(t.h.out.count, 13);
    series_deinit(&t.h.out);
    encode_free(e);
}

static void scores_are_told_with_their_figures(void **state)
{
    (void)state;
    struct encode *e = encode_new(VIEW("a"), 100);
    const double psnr[] = { 30, INFINITY, 33 };
    struct frame_table p;
    struct told t;

    scored_column(&p, frame_metric_filter, "psnr_avg", psnr, 3, 1, 1);
    told_init(&t, live_qoe_families, live_qoe_family_count);
    encode_set_log(e, ENCODE_LOG_PSNR, &p);
    tell(&t, e, "a");
    assert_near(sample(&t.h, "qoe_frames", "scenario=\"a\",metric=\"psnr\""), 3, 0);
    assert_near(sample(&t.h, "qoe_frames_infinite", "metric=\"psnr\""), 1, 0);
    assert_near(sample(&t.h, "qoe_frame_score", "stat=\"mean\""), 31.5, 0);
    assert_near(sample(&t.h, "qoe_frame_score", "stat=\"min\""), 30, 0);
    assert_near(sample(&t.h, "qoe_frame_score", "stat=\"max\""), INFINITY, 0);
    assert_near(sample(&t.h, "qoe_frame_score", "stat=\"stddev\""), 1.5, 0);
    /* sorted 30 33 inf: position 1 */
    assert_near(sample(&t.h, "qoe_frame_score", "stat=\"p50\""), 33, 0);
    assert_near(sample(&t.h, "qoe_frame_score", "stat=\"harmonic_mean\""),
                3 / (1 / 31.0 + 1 / 34.0) - 1, 1e-12);
    assert_near(sample(&t.h, "qoe_frames_below", "metric=\"psnr\",threshold=\"32.5\""),
                1, 0);
    assert_int_equal(sample_count(&t.h, "qoe_frames_below"),
                     1); /* its metric's alone */
    series_deinit(&t.h.out);
    encode_free(e);
    frame_table_deinit(&p);
}

/* The filter's psnr_y comes before libvmaf's; models are told apart; features are not told. */
static void each_score_is_told_once(void **state)
{
    (void)state;
    struct encode *e = encode_new(VIEW("a"), 100);
    const char *const filter[] = { "psnr_avg", "psnr_y" };
    const char *const names[] = { "vmaf", "vmaf_neg", "psnr_y", "motion" };
    const double f[] = { 40, 41 }, a[] = { 90, 80, 35, 1 }, b[] = { 91, 86, 36, 2 };
    struct frame_table p, v;
    struct told t;

    frame_table_init(&p, (struct frame_limits){ 0 }, frame_metric_filter);
    frame_table_init(&v, (struct frame_limits){ 0 }, frame_metric_libvmaf);
    scored_row(&p, 1, filter, f, 2);
    scored_row(&v, 0, names, a, 4);
    scored_row(&v, 1, names, b, 4);
    told_init(&t, live_qoe_families, live_qoe_family_count);
    encode_set_log(e, ENCODE_LOG_PSNR, &p);
    encode_set_log(e, ENCODE_LOG_VMAF, &v);
    tell(&t, e, "a");
    assert_near(sample(&t.h, "qoe_frame_score", "metric=\"psnr_y\",stat=\"mean\""), 41,
                0);
    assert_near(sample(&t.h, "qoe_frame_score",
                       "metric=\"vmaf\",model=\"vmaf_neg\",stat=\"mean\""),
                83, 0);
    assert_int_equal(sample_count(&t.h, "qoe_frames"), 4);
    assert_near(sample(&t.h, "qoe_frames_below",
                       "metric=\"vmaf\",model=\"vmaf_neg\",threshold=\"85\""),
                1, 0);
    assert_near(sample(&t.h, "qoe_frames_below",
                       "metric=\"vmaf\",model=\"vmaf_neg\",threshold=\"90.5\""),
                2, 0);
    /* without a model: two thresholds, and both of the other */
    assert_int_equal(sample_count(&t.h, "qoe_frames_below"), 5);
    series_deinit(&t.h.out);
    encode_free(e);
    frame_table_deinit(&p);
    frame_table_deinit(&v);
}

/* A size belongs to the table that it was set behind. */
static void the_size_of_vmaf_goes_with_its_log(void **state)
{
    (void)state;
    struct encode *e = encode_new(VIEW("a"), 100);
    const char *const names[] = { "vmaf" };
    const double score[] = { 90 };
    struct frame_table v;
    struct watched w;

    frame_table_init(&v, (struct frame_limits){ 0 }, frame_metric_libvmaf);
    scored_row(&v, 0, names, score, 1);
    encode_set_log(e, ENCODE_LOG_VMAF, &v);
    e->scored_width = 1920;
    e->scored_height = 1080;
    encode_watched(e, 200, &w);
    assert_near(w.vmaf, 90, 0);
    assert_near(w.vmaf_width, 1920, 0);
    assert_near(w.vmaf_height, 1080, 0);
    encode_set_log(e, ENCODE_LOG_VMAF, &v); /* another, which does not tell */
    encode_watched(e, 200, &w);
    assert_near(w.vmaf, 90, 0);
    assert_unknown(w.vmaf_width);
    assert_unknown(w.vmaf_height);
    encode_free(e);
    frame_table_deinit(&v);
}

static void a_log_without_a_score_tells_nothing(void **state)
{
    (void)state;
    struct encode *e = encode_new(VIEW("a"), 100);
    struct frame_table p;
    struct told t;

    frame_table_init(&p, (struct frame_limits){ 0 }, frame_metric_filter);
    told_init(&t, live_qoe_families, live_qoe_family_count);
    encode_set_log(e, ENCODE_LOG_PSNR, &p);
    tell(&t, e, "a");
    assert_int_equal(t.h.out.count, 0);
    frame_table_set(&p, VIEW("psnr_avg"), NAN);
    tell(&t, e, "a");
    assert_int_equal(t.h.out.count, 0);
    series_deinit(&t.h.out);
    encode_free(e);
    frame_table_deinit(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_known_is_not_told),
        cmocka_unit_test(a_block_is_told_under_the_name_of_its_scenario),
        cmocka_unit_test(scores_are_told_with_their_figures),
        cmocka_unit_test(each_score_is_told_once),
        cmocka_unit_test(the_size_of_vmaf_goes_with_its_log),
        cmocka_unit_test(a_log_without_a_score_tells_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
