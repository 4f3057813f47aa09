/* Scores by frame as JSON: the parts that are drawn, the worst, and figures of the whole. */
#include "modules/live/frames.h"

#include <stdlib.h>

#include "core/frame_log.h"
#include "core/json.h"
#include "core/vmaf_log.h"
#include "tests/unit/pooling.h"
#include "tests/unit/scored.h"

static const char *const logs[] = { "psnr", "ssim", "vmaf" };

static const struct frames_query usual = { .to = UINT32_MAX,
                                           .points = 1000,
                                           .worst = 10 };

static void tells(struct encode *e, const struct frames_query *q, const char *want)
{
    struct buf out = { 0 };

    assert_int_equal(frames_json(e, q, 1000, &out), FRAMES_TOLD);
    assert_view(buf_as_view(&out), want);
    buf_deinit(&out);
}

static void an_encode_without_scores_has_no_answer(void **state)
{
    (void)state;
    struct encode *e = encode_new(VIEW("a"), 0);
    const double one[] = { 1 };
    const char *const name = "psnr_avg";
    struct frames_query q = usual;
    struct frame_table t;
    struct buf out = { 0 };

    assert_int_equal(frames_json(e, &usual, 1, &out), FRAMES_NO_SCORES);
    frame_table_init(&t, (struct frame_limits){ 0 }, frame_metric_filter);
    encode_set_log(e, ENCODE_LOG_PSNR, &t);
    assert_int_equal(frames_json(e, &usual, 1, &out), FRAMES_NO_SCORES);
    scored_row(&t, 0, &name, one, 1);
    q.metric = VIEW("vmaf");
    assert_int_equal(frames_json(e, &q, 1, &out), FRAMES_NO_METRIC);
    q.metric = VIEW("psnr_avg"); /* as the log calls it */
    assert_int_equal(frames_json(e, &q, 1, &out), FRAMES_NO_METRIC);
    assert_int_equal(out.n, 0);
    frames_metrics(e, &out);
    assert_view(buf_as_view(&out), "psnr");
    buf_deinit(&out);
    encode_free(e);
    frame_table_deinit(&t);
}

static void a_few_frames_by_hand(void **state)
{
    (void)state;
    struct encode *e = encode_new(VIEW("a\"b"), 0);
    const double psnr[] = { 4, INFINITY, 1, 3, INFINITY, 0 };
    struct frames_query q = usual;
    struct frame_table t;

    /* numbered 0 3 6 9 12 15, as n_subsample leaves frames out */
    scored_column(&t, frame_metric_filter, "psnr_avg", psnr, 6, 0, 3);
    encode_set_log(e, ENCODE_LOG_PSNR, &t);
    q.worst = 2;
    /* n/sum(1/(x+1)) - 1 = 6/(1/5 + 0 + 1/2 + 1/4 + 0 + 1) - 1 */
#define HEAD                                                                           \
    "{\"encode\":\"a\\\"b\",\"metrics\":[\"psnr\"],\"metric\":\"psnr\",\"frames\":6,"  \
    "\"infinite\":2,\"stats\":{\"mean\":2,\"harmonic_mean\":2.07692,\"min\":0,"        \
    "\"max\":\"inf\",\"p1\":0.05,\"p5\":0.25,\"p10\":0.5,\"p50\":3.5,"                 \
    "\"stddev\":1.58114}"
    tells(e, &q,
          HEAD
          ",\"from\":0,\"to\":15,\"points\":[[0,4,4,4],[3,\"inf\",\"inf\",\"inf\"],"
          "[6,1,1,1],[9,3,3,3],[12,\"inf\",\"inf\",\"inf\"],[15,0,0,0]],"
          "\"worst\":[[15,0],[6,1]]}");
    q.points = 3;
    tells(e, &q,
          HEAD ",\"from\":0,\"to\":15,\"points\":[[0,4,4,\"inf\"],[6,1,2,3],"
               "[12,0,0,\"inf\"]],\"worst\":[[15,0],[6,1]]}");
    q.points = 4; /* two rows each all the same */
    q.from = 1;
    q.to = 12;
    q.worst = 256;
    tells(e, &q,
          HEAD ",\"from\":3,\"to\":12,\"points\":[[3,\"inf\",\"inf\",\"inf\"],"
               "[6,1,1,1],[9,3,3,3],[12,\"inf\",\"inf\",\"inf\"]],"
               "\"worst\":[[6,1],[9,3],[3,\"inf\"],[12,\"inf\"]]}");
    q.from = q.to = 6;
    q.worst = 0;
    tells(e, &q, HEAD ",\"from\":6,\"to\":6,\"points\":[[6,1,1,1]],\"worst\":[]}");
    q.from = 7;
    q.to = 8; /* between two */
    tells(e, &q, HEAD ",\"from\":7,\"to\":8,\"points\":[],\"worst\":[]}");
    q.from = q.to = UINT32_MAX;
    tells(e, &q,
          HEAD ",\"from\":4294967295,\"to\":4294967295,\"points\":[],\"worst\":[]}");
    encode_free(e);
    frame_table_deinit(&t);
}

static void frames_without_a_score_are_no_points(void **state)
{
    (void)state;
    struct encode *e = encode_new(VIEW("a"), 0);
    const char *const names[] = { "vmaf", "psnr_y" };
    const double rows[][2] = { { 90, 30 }, { 91, NAN }, { 92, NAN }, { 93, 31 } };
    const uint32_t numbers[] = { 0, 1, 4, 1000000 }; /* unevenly */
    struct frames_query q = usual;
    struct frame_table t;

    frame_table_init(&t, (struct frame_limits){ 0 }, frame_metric_libvmaf);
    for (size_t i = 0; i < 4; i++)
        scored_row(&t, numbers[i], names, rows[i], 2);
    encode_set_log(e, ENCODE_LOG_VMAF, &t);
    q.metric = VIEW("psnr_y");
    tells(e, &q,
          "{\"encode\":\"a\",\"metrics\":[\"vmaf\",\"psnr_y\"],\"metric\":\"psnr_y\","
          "\"frames\":2,\"infinite\":0,\"stats\":{\"mean\":30.5,"
          "\"harmonic_mean\":30.4921,\"min\":30,\"max\":31,\"p1\":30.01,\"p5\":30.05,"
          "\"p10\":30.1,\"p50\":30.5,\"stddev\":0.5},\"from\":0,\"to\":1000000,"
          "\"points\":[[0,30,30,30],[1000000,31,31,31]],\"worst\":[[0,30],[1000000,31]]"
          "}");
    q.metric = VIEW("");
    q.from = 2;
    q.to = 999999;
    tells(e, &q,
          "{\"encode\":\"a\",\"metrics\":[\"vmaf\",\"psnr_y\"],\"metric\":\"vmaf\","
          "\"frames\":4,\"infinite\":0,\"stats\":{\"mean\":91.5,"
          "\"harmonic_mean\":91.4865,\"min\":90,\"max\":93,\"p1\":90.03,\"p5\":90.15,"
          "\"p10\":90.3,\"p50\":91.5,\"stddev\":1.11803},\"from\":4,\"to\":4,"
          "\"points\":[[4,92,92,92]],\"worst\":[[4,92]]}");
    encode_free(e);
    frame_table_deinit(&t);
}

/* A log of libvmaf may call a score what it likes. */
static void names_for_people_are_one_line(void **state)
{
    (void)state;
    struct encode *e = encode_new(VIEW("a"), 0);
    const double one[] = { 1 };
    struct frame_table t;
    struct buf out = { 0 };

    scored_column(&t, frame_metric_libvmaf, "a\n\x01 b", one, 1, 0, 1);
    encode_set_log(e, ENCODE_LOG_VMAF, &t);
    frames_metrics(e, &out);
    assert_view(buf_as_view(&out), "a?? b");
    buf_deinit(&out);
    encode_free(e);
    frame_table_deinit(&t);
}

/* Another run in the same file: as many frames as before, and other scores. */
static void figures_are_those_of_the_run_that_is_there(void **state)
{
    (void)state;
    struct encode *e = encode_new(VIEW("a"), 0);
    const double before[] = { 1, 1 }, after[] = { 9, 9 };
    const char *const name = "psnr_avg";
    struct frame_table t;

    scored_column(&t, frame_metric_filter, name, before, 2, 1, 1);
    encode_set_log(e, ENCODE_LOG_PSNR, &t);
    assert_near(encode_figures(e, ENCODE_LOG_PSNR, 0, 5, NULL, 0)->stats.mean, 1, 0);
    frame_table_restart(&t);
    for (uint32_t i = 0; i < 2; i++)
        scored_row(&t, i, &name, &after[i], 1);
    encode_log_grown(e, ENCODE_LOG_PSNR);
    assert_near(encode_figures(e, ENCODE_LOG_PSNR, 0, 5, NULL, 0)->stats.mean, 9, 0);
    encode_free(e);
    frame_table_deinit(&t);
}

/* ---- real logs --------------------------------------------------------------------------- */

struct answer {
    struct json_parser *parser;
    struct arena mem;
    struct buf text;
    const struct json_value *root;
};

static void ask(struct answer *a, struct encode *e, const struct frames_query *q)
{
    struct err err;

    *a = (struct answer){ .parser = json_parser_new() };
    assert_int_equal(frames_json(e, q, 1000, &a->text), FRAMES_TOLD);
    buf_add(&a->text, (const char[JSON_PADDING]){ 0 }, JSON_PADDING);
    a->text.n -= JSON_PADDING;
    assert_int_equal(
        json_parse(a->parser, buf_as_view(&a->text), &a->mem, &a->root, &err), 0);
}

static void answer_deinit(struct answer *a)
{
    arena_deinit(&a->mem);
    buf_deinit(&a->text);
    json_parser_free(a->parser);
}

static double number_of(const struct json_value *v)
{
    assert_int_equal(v->type, JSON_NUMBER);
    return v->number;
}

/* Six digits are told. */
static void stat_is(const struct answer *a, const char *stat, double want)
{
    const struct json_value *stats = json_member(a->root, VIEW("stats"));

    assert_near(number_of(json_member(stats, view_of(stat))), want, 1e-5);
}

/* The least of all points, the mean of their means, the largest. */
static void points_agree(const struct answer *a, size_t count, double min, double mean)
{
    const struct json_value *points = json_member(a->root, VIEW("points"));
    double least = INFINITY, sum = 0;

    assert_int_equal(points->n, count);
    for (size_t i = 0; i < points->n; i++) {
        const struct json_value *p = &points->items[i];

        assert_int_equal(p->n, 4);
        least = fmin(least, number_of(&p->items[1]));
        sum += number_of(&p->items[2]);
        assert_true(number_of(&p->items[1]) <= number_of(&p->items[2]));
        assert_true(number_of(&p->items[2]) <= number_of(&p->items[3]));
    }
    assert_near(least, min, 1e-5);
    assert_near(sum / (double)count, mean, 1e-5);
}

static void check_vmaf(const struct json_value *entry, struct view text)
{
    const struct json_value *want = json_member(entry, VIEW("vmaf"));
    const struct json_value *p = json_member(want, VIEW("percentile_linear"));
    size_t frames = (size_t)pooling_number(entry, "frames");
    struct encode *e = encode_new(VIEW("a"), 0);
    struct frames_query q = usual;
    struct vmaf_log *log = mem_alloc(sizeof *log);
    struct answer a;

    vmaf_log_init(log, (struct frame_limits){ .scores_only = true });
    vmaf_log_add(log, text);
    assert_true(vmaf_log_end(log));
    encode_set_log(e, ENCODE_LOG_VMAF, &log->table);
    q.points = (uint32_t)frames / 4;
    ask(&a, e, &q);
    assert_int_equal(number_of(json_member(a.root, VIEW("frames"))), frames);
    stat_is(&a, "mean", pooling_number(want, "mean"));
    stat_is(&a, "harmonic_mean", pooling_number(want, "harmonic_mean_offset1"));
    stat_is(&a, "min", pooling_number(want, "min"));
    stat_is(&a, "max", pooling_number(want, "max"));
    stat_is(&a, "stddev", pooling_number(want, "stdev_population"));
    stat_is(&a, "p1", pooling_number(p, "1"));
    stat_is(&a, "p5", pooling_number(p, "5"));
    stat_is(&a, "p10", pooling_number(p, "10"));
    stat_is(&a, "p50", pooling_number(p, "50"));
    points_agree(&a, frames / 4, pooling_number(want, "min"),
                 pooling_number(want, "mean"));
    assert_near(number_of(&json_member(a.root, VIEW("worst"))->items[0].items[1]),
                pooling_number(want, "min"), 1e-5);
    answer_deinit(&a);
    encode_free(e);
    vmaf_log_deinit(log);
    free(log);
}

static void check_filter(const struct json_value *entry, struct view text, int which)
{
    const struct json_value *want = json_member(entry, view_of(logs[which]));
    struct encode *e = encode_new(VIEW("a"), 0);
    struct frame_log log;
    struct answer a;

    frame_log_init(&log, (struct frame_limits){ .scores_only = true });
    frame_log_add(&log, text);
    frame_log_end(&log);
    encode_set_log(e, (enum encode_log)which, &log.table);
    ask(&a, e, &usual);
    assert_int_equal(number_of(json_member(a.root, VIEW("frames"))),
                     pooling_number(want, "frames"));
    if (which == ENCODE_LOG_PSNR) {
        assert_int_equal(number_of(json_member(a.root, VIEW("infinite"))),
                         pooling_number(want, "frames_inf"));
        stat_is(&a, "mean", pooling_number(want, "mean_of_finite_frame_psnr"));
        stat_is(&a, "of_mean_mse", pooling_number(want, "psnr_of_mean_mse"));
    } else {
        stat_is(&a, "mean", pooling_number(want, "mean"));
        stat_is(&a, "min", pooling_number(want, "min"));
    }
    answer_deinit(&a);
    encode_free(e);
    frame_log_deinit(&log);
}

static void check_psnr(const struct json_value *entry, struct view text)
{
    check_filter(entry, text, ENCODE_LOG_PSNR);
}

static void check_ssim(const struct json_value *entry, struct view text)
{
    check_filter(entry, text, ENCODE_LOG_SSIM);
}

static void real_logs_come_to_what_others_made_of_them(void **state)
{
    (void)state;
    pooling_each(TEST_DATA "/formats/pooling", "vmaf_log", check_vmaf);
    pooling_each(TEST_DATA "/formats/pooling", "psnr_log", check_psnr);
    pooling_each(TEST_DATA "/formats/pooling", "ssim_log", check_ssim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_encode_without_scores_has_no_answer),
        cmocka_unit_test(a_few_frames_by_hand),
        cmocka_unit_test(frames_without_a_score_are_no_points),
        cmocka_unit_test(names_for_people_are_one_line),
        cmocka_unit_test(figures_are_those_of_the_run_that_is_there),
        cmocka_unit_test(real_logs_come_to_what_others_made_of_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
