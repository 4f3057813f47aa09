/* What the page is told of an encode: its figures, and those of its scores. */
#include "modules/live/encode_json.h"

#include "modules/live/scores.h"
#include "tests/unit/scored.h"

static void tells(const struct encode *e, const char *want)
{
    struct buf out = { 0 };

    encode_json(e, &out);
    assert_view(buf_as_view(&out), want);
    buf_deinit(&out);
}

static struct progress_block block(void)
{
    return (struct progress_block){
        .frames = 250,
        .fps = 24.987654321,
        .speed = 0.5,
        .out_time_s = 10.5,
        .total_bytes = 1234567891,
        .bitrate_bps = 2345678.9,
        .drop_frames = 0,
        .dup_frames = NAN,
        .stream_count = 2,
        .streams = { { 0, 0, NAN, NAN, NAN, NAN, NAN },
                     { 0, 1, 23.5, NAN, NAN, NAN, NAN } },
    };
}

static void one_that_nothing_is_known_of_says_nothing(void **state)
{
    (void)state;
    struct encode *e = encode_new(VIEW("a"), 100);

    tells(e, "");
    encode_begin(e, 1700000000.25);
    tells(e, ",\"state\":\"running\",\"start\":1700000000.25");
    encode_free(e);
}

static void a_block_is_told_with_what_follows_from_it(void **state)
{
    (void)state;
    struct encode *e = encode_new(VIEW("a"), 100);
    struct progress_block b = block();

    encode_begin(e, 100);
    encode_hear(e, &b, 1700000010.0625);
    e->length_s = 42;
    tells(e, ",\"state\":\"running\",\"start\":100,\"last\":1700000010.062,"
             "\"frames\":250,\"fps\":24.9877,\"speed\":0.5,\"bitrate_bps\":2345680,"
             "\"output_bytes\":1234567891,\"out_time_s\":10.5,\"dropped_frames\":0,"
             "\"progress\":0.25,\"eta_s\":63,\"quantizer\":23.5");
    b.end = true;
    encode_hear(e, &b, 1700000011);
    tells(e, ",\"state\":\"ended\",\"start\":100,\"last\":1700000011,"
             "\"end\":1700000011,"
             "\"frames\":250,\"fps\":24.9877,\"speed\":0.5,\"bitrate_bps\":2345680,"
             "\"output_bytes\":1234567891,\"out_time_s\":10.5,\"dropped_frames\":0,"
             "\"progress\":0.25,\"eta_s\":0,\"quantizer\":23.5");
    encode_free(e);
}

static void states_have_names(void **state)
{
    (void)state;
    struct encode *e = encode_new(VIEW("a"), 100);

    encode_begin(e, 100);
    encode_look(e, 120, 10, 60);
    tells(e, ",\"state\":\"stalled\",\"start\":100");
    encode_cut(e, 130);
    tells(e, ",\"state\":\"aborted\",\"start\":100,\"end\":130");
    encode_free(e);
}

static void each_metric_is_told_once(void **state)
{
    (void)state;
    struct encode *e = encode_new(VIEW("a"), 100);
    const double psnr[] = { 30, INFINITY, 33 }, ssim[] = { INFINITY };
    const char *const names[] = { "float_ssim", "vmaf_neg", "vmaf",
                                  "psnr_y",     "motion",   "vmaf_4k" };
    const double a[] = { 0.9, 80, 90, 35, 1, NAN }, b[] = { 0.8, 81, 91, 36, 2, NAN };
    struct frame_table p, s, v;

    scored_column(&p, frame_metric_filter, "psnr_avg", psnr, 3, 1, 1);
    scored_column(&s, frame_metric_filter, "All", ssim, 1, 1, 1);
    frame_table_init(&v, (struct frame_limits){ 0 }, frame_metric_libvmaf);
    scored_row(&v, 0, names, a, 6);
    scored_row(&v, 1, names, b, 6);
    encode_set_log(e, ENCODE_LOG_PSNR, &p);
    encode_set_log(e, ENCODE_LOG_SSIM, &s);
    tells(e, ",\"metrics\":{\"psnr\":{\"frames\":3,\"mean\":31.5,\"min\":30},"
             "\"ssim\":{\"frames\":1,\"min\":\"inf\"}}");
    encode_set_log(e, ENCODE_LOG_VMAF, &v);
    tells(e, ",\"metrics\":{\"vmaf/vmaf_neg\":{\"frames\":2,\"mean\":80.5,\"min\":80},"
             "\"vmaf\":{\"frames\":2,\"mean\":90.5,\"min\":90},"
             "\"psnr\":{\"frames\":3,\"mean\":31.5,\"min\":30},"
             "\"ssim\":{\"frames\":1,\"min\":\"inf\"},"
             "\"psnr_y\":{\"frames\":2,\"mean\":35.5,\"min\":35}}");
    encode_free(e);
    frame_table_deinit(&p);
    frame_table_deinit(&s);
    frame_table_deinit(&v);
}

/* Logs of libvmaf may call a score what they like. */
static void names_of_metrics_are_escaped(void **state)
{
    (void)state;
    struct encode *e = encode_new(VIEW("a"), 100);
    const double score[] = { 1 };
    struct frame_table t;

    scored_column(&t, frame_metric_libvmaf, "a\"},\"b\\\n", score, 1, 0, 1);
    encode_set_log(e, ENCODE_LOG_VMAF, &t);
    tells(e, ",\"metrics\":{\"a\\\"},\\\"b\\\\\\u000a\":{\"frames\":1,\"mean\":1,"
             "\"min\":1}}");
    encode_free(e);
    frame_table_deinit(&t);
}

static void of_models_one_is_the_usual(void **state)
{
    (void)state;
    struct encode *e = encode_new(VIEW("a"), 100);
    const char *const names[] = { "vmaf_neg", "vmaf_4k" };
    const double scores[] = { 80, 81 };
    struct score_column c = { 0 };
    struct frame_table t;
    struct buf name = { 0 };

    assert_false(score_next(e, &c));
    frame_table_init(&t, (struct frame_limits){ 0 }, frame_metric_libvmaf);
    scored_row(&t, 0, names, scores, 2);
    encode_set_log(e, ENCODE_LOG_VMAF, &t);
    c = (struct score_column){ 0 };
    assert_true(score_next(e, &c));
    score_name(e, &c, &name);
    assert_view(buf_as_view(&name), "vmaf");
    buf_release(&name);
    assert_true(score_next(e, &c));
    score_name(e, &c, &name);
    assert_view(buf_as_view(&name), "vmaf/vmaf_4k");
    assert_false(score_next(e, &c));
    buf_deinit(&name);
    encode_free(e);
    frame_table_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_nothing_is_known_of_says_nothing),
        cmocka_unit_test(a_block_is_told_with_what_follows_from_it),
        cmocka_unit_test(states_have_names),
        cmocka_unit_test(each_metric_is_told_once),
        cmocka_unit_test(names_of_metrics_are_escaped),
        cmocka_unit_test(of_models_one_is_the_usual),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
