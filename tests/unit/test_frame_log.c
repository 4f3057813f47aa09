#include "core/frame_log.h"

#include "tests/fuzz/told.h"
#include "tests/unit/pooling.h"

#define QUALITY TEST_DATA "/formats/quality"
#define POOLING TEST_DATA "/formats/pooling"

static struct frame_log log_of(struct view text)
{
    struct frame_log l;

    frame_log_init(&l, (struct frame_limits){ 0 });
    frame_log_add(&l, text);
    frame_log_end(&l);
    return l;
}

static struct frame_log log_of_file(const char *name)
{
    struct view text = sample_read(QUALITY, name);
    struct frame_log l = log_of(text);

    sample_free(text);
    return l;
}

/* The score of a metric at a row. */
static double at(const struct frame_log *l, const char *metric, size_t row)
{
    const struct frame_column *c =
        frame_table_metric(&l->table, view_of(metric), VIEW(""));

    assert_non_null(c);
    return frame_scores_at(&c->scores, row);
}

static double psnr_of_mean_mse(const struct frame_log *l, const char *metric)
{
    const struct frame_column *c =
        frame_table_metric(&l->table, view_of(metric), VIEW(""));

    assert_non_null(c);
    return frame_table_psnr_of_mean_mse(&l->table, c);
}

static void both_versions_of_psnr_tell_the_same(void **state)
{
    static const char *const files[] = { "psnr_v1.log", "psnr_v2.log",
                                         "psnr_v2_nomax.log", "psnr_v41.log" };

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct frame_log l = log_of_file(files[i]);

        assert_int_equal(l.faults.count, 0);
        assert_int_equal(l.table.rows, 30);
        assert_int_equal(l.table.column_count, 4);
        assert_int_equal(frame_table_number(&l.table, 0), 1);
        assert_int_equal(frame_table_number(&l.table, 29), 30);
        assert_near(l.table.peak, 255, 0);
        assert_near(at(&l, "psnr", 0), INFINITY, 0);
        assert_near(at(&l, "psnr", 5), 32.99, 0);
        assert_near(at(&l, "psnr_y", 5), 32.77, 0);
        assert_near(at(&l, "psnr_u", 5), 34.11, 0);
        assert_near(at(&l, "psnr_v", 29), 33.43, 0);
        /* what the filter said at its end, of errors with more digits:
         * y:34.043182 u:35.251501 v:34.512694 average:34.300633 */
        assert_near(psnr_of_mean_mse(&l, "psnr"), 34.300633, 2e-5);
        assert_near(psnr_of_mean_mse(&l, "psnr_y"), 34.043182, 2e-5);
        assert_near(psnr_of_mean_mse(&l, "psnr_u"), 35.251501, 2e-5);
        assert_near(psnr_of_mean_mse(&l, "psnr_v"), 34.512694, 2e-5);
        frame_log_deinit(&l);
    }
}

static void planes_and_depths_are_as_in_the_log(void **state)
{
    (void)state;
    struct frame_log l = log_of_file("psnr_10bit_v2.log");

    assert_near(l.table.peak, 1023, 0);
    assert_int_equal(l.table.rows, 10);
    /* average:35.930081 */
    assert_near(psnr_of_mean_mse(&l, "psnr"), 35.930081, 2e-5);
    frame_log_deinit(&l);

    l = log_of_file("psnr_rgb.log");
    assert_near(at(&l, "psnr_g", 5), 30.07, 0);
    /* r:30.399502 average:31.006197 */
    assert_near(psnr_of_mean_mse(&l, "psnr_r"), 30.399502, 2e-5);
    assert_near(psnr_of_mean_mse(&l, "psnr"), 31.006197, 2e-5);
    frame_log_deinit(&l);

    l = log_of_file("psnr_gray.log");
    assert_int_equal(l.table.column_count, 2);
    assert_near(at(&l, "psnr_y", 29), 31.65, 0);
    frame_log_deinit(&l);
}

static void identical_frames_have_no_mean(void **state)
{
    struct frame_log l = log_of_file("psnr_identical.log");
    struct frame_stats f;

    (void)state;
    frame_scores_stats(&l.table.columns[0].scores, &f);
    assert_int_equal(f.frames, 30);
    assert_int_equal(f.infinite, 30);
    assert_unknown(f.mean);
    assert_unknown(l.table.peak);
    frame_log_deinit(&l);
}

static void a_line_that_a_kill_cut_is_no_frame(void **state)
{
    struct frame_log l = log_of_file("psnr_kill9.log");

    (void)state;
    assert_int_equal(l.table.rows, 112);
    assert_int_equal(l.faults.count, 0);
    assert_near(at(&l, "psnr", 111), 38.09, 0);
    frame_log_deinit(&l);
}

static void ssim_is_read_as_well(void **state)
{
    (void)state;
    struct frame_log l = log_of_file("ssim.log");
    struct frame_stats f;

    assert_int_equal(l.faults.count, 0);
    assert_int_equal(l.table.rows, 30);
    assert_int_equal(l.table.column_count, 4);
    assert_near(at(&l, "ssim", 5), 0.954962, 0);
    assert_near(at(&l, "ssim_y", 5), 0.948426, 0);
    assert_near(at(&l, "ssim_v", 5), 0.975391, 0);
    frame_scores_stats(&frame_table_metric(&l.table, VIEW("ssim"), VIEW(""))->scores,
                       &f);
    assert_near(f.mean, 0.967027, 1e-6); /* All:0.967027 at its end */
    assert_unknown(psnr_of_mean_mse(&l, "ssim"));
    frame_log_deinit(&l);

    l = log_of_file("ssim_rgb.log");
    assert_near(at(&l, "ssim_g", 0), 1, 0);
    frame_log_deinit(&l);
    l = log_of_file("ssim_gray.log");
    assert_int_equal(l.table.column_count, 2);
    assert_near(at(&l, "ssim", 29), 0.946389, 0);
    frame_log_deinit(&l);
}

static void metadata_has_more_digits(void **state)
{
    (void)state;
    struct frame_log l = log_of_file("psnr_metadata.log");

    assert_int_equal(l.faults.count, 0);
    assert_int_equal(l.table.rows, 30);
    assert_int_equal(frame_table_number(&l.table, 29), 29);
    assert_near(at(&l, "psnr", 0), INFINITY, 0);
    assert_near(at(&l, "psnr", 29), 33.190723, 0);
    assert_near(at(&l, "psnr_y", 29), 32.934113, 0);
    assert_near(psnr_of_mean_mse(&l, "psnr"), 34.300633, 1e-7);
    frame_log_deinit(&l);

    l = log_of_file("ssim_metadata.log");
    assert_int_equal(l.faults.count, 0);
    assert_int_equal(l.table.rows, 30);
    assert_near(at(&l, "ssim", 0), 1, 0);
    frame_log_deinit(&l);
}

/* Who reads a log that is there already does not know whether its writer is done. */
static void the_last_frame_of_metadata_counts_when_it_is_whole(void **state)
{
    (void)state;
    struct view text = sample_read(QUALITY, "psnr_metadata.log");
    struct frame_log l;

    frame_log_init(&l, (struct frame_limits){ 0 });
    frame_log_add(&l,
                  (struct view){ text.p, text.n - 1 }); /* its last line has no end */
    assert_int_equal(l.table.rows, 29);
    frame_log_add(&l, (struct view){ text.p + text.n - 1, 1 });
    assert_int_equal(l.table.rows, 30);
    assert_near(at(&l, "psnr", 29), 33.190723, 0);
    assert_near(psnr_of_mean_mse(&l, "psnr"), 34.300633, 1e-7);
    frame_log_end(&l);
    assert_int_equal(l.table.rows, 30);
    assert_int_equal(l.faults.count, 0);
    frame_log_deinit(&l);
    sample_free(text);
}

static void the_newest_run_of_a_file_counts(void **state)
{
    (void)state;
    struct frame_log l = log_of(VIEW("n:1 All:0.9 (10)\nn:2 All:0.8 (7)\n"
                                     "n:1 All:0.7 (5)\n"));

    assert_int_equal(l.runs, 2);
    assert_int_equal(l.table.rows, 1);
    assert_near(at(&l, "ssim", 0), 0.7, 0);
    frame_log_deinit(&l);
}

static void garbage_is_counted_and_the_rest_counts(void **state)
{
    (void)state;
    struct frame_log l = log_of(VIEW("nonsense\nn:x All:1\nn:1\nn:2 All:high Y:0.5\n"
                                     "n:3 All:nan\nn:4 All:0.5 (3.01)\r\n\n"));

    assert_int_equal(l.table.rows, 2);
    assert_unknown(at(&l, "ssim", 0));
    assert_near(at(&l, "ssim_y", 0), 0.5, 0);
    assert_near(at(&l, "ssim", 1), 0.5, 0);
    assert_int_equal(frame_table_number(&l.table, 1), 4);
    /* the first three, "high", and a frame whose only score is nan */
    assert_int_equal(l.faults.count, 5);
    assert_int_equal(l.faults.line, 5);
    frame_log_deinit(&l);
}

static void how_the_bytes_are_cut_makes_no_difference(void **state)
{
    static const char *const files[] = { "psnr_v1.log", "psnr_v2.log", "ssim.log",
                                         "psnr_metadata.log" };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct view text = sample_read(QUALITY, files[i]);
        struct buf whole, cut;

        text.n = text.n < 1200 ? text.n : 1200;
        whole = told_frame_log(text, text.n, text.n);
        assert_true(whole.n > 500);
        for (size_t first = 1; first < text.n; first++) {
            cut = told_frame_log(text, first, text.n);
            assert_true(view_eq(buf_as_view(&whole), buf_as_view(&cut)));
            buf_deinit(&cut);
        }
        cut = told_frame_log(text, 1, 1);
        assert_true(view_eq(buf_as_view(&whole), buf_as_view(&cut)));
        buf_deinit(&cut);
        buf_deinit(&whole);
        sample_free(text);
    }
}

static void assert_psnr(const struct json_value *entry, struct view text)
{
    const struct json_value *want = json_member(entry, VIEW("psnr"));
    struct frame_log l = log_of(text);
    const struct frame_column *c = frame_table_metric(&l.table, VIEW("psnr"), VIEW(""));
    struct frame_stats f;

    assert_non_null(c);
    frame_scores_stats(&c->scores, &f);
    assert_int_equal(f.frames, (int)pooling_number(want, "frames"));
    assert_int_equal(f.infinite, (int)pooling_number(want, "frames_inf"));
    pooling_near(f.mean, want, "mean_of_finite_frame_psnr");
    pooling_near(f.min, want, "min");
    pooling_near(f.max_finite, want, "max_finite");
    pooling_near(frame_scores_mean_mse(&c->scores), want, "mean_mse");
    pooling_near(psnr_of_mean_mse(&l, "psnr"), want, "psnr_of_mean_mse");
    pooling_near(psnr_of_mean_mse(&l, "psnr_y"), want, "psnr_y_of_mean_mse_y");
    frame_log_deinit(&l);
}

static void assert_ssim(const struct json_value *entry, struct view text)
{
    const struct json_value *want = json_member(entry, VIEW("ssim"));
    struct frame_log l = log_of(text);
    struct frame_stats f;

    frame_scores_stats(&frame_table_metric(&l.table, VIEW("ssim"), VIEW(""))->scores,
                       &f);
    assert_int_equal(f.frames, (int)pooling_number(want, "frames"));
    pooling_near(f.mean, want, "mean");
    pooling_near(f.min, want, "min");
    frame_log_deinit(&l);
}

static void figures_are_those_that_others_found(void **state)
{
    (void)state;
    pooling_each(POOLING, "psnr_log", assert_psnr);
    pooling_each(POOLING, "ssim_log", assert_ssim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_versions_of_psnr_tell_the_same),
        cmocka_unit_test(planes_and_depths_are_as_in_the_log),
        cmocka_unit_test(identical_frames_have_no_mean),
        cmocka_unit_test(a_line_that_a_kill_cut_is_no_frame),
        cmocka_unit_test(ssim_is_read_as_well),
        cmocka_unit_test(metadata_has_more_digits),
        cmocka_unit_test(the_last_frame_of_metadata_counts_when_it_is_whole),
        cmocka_unit_test(the_newest_run_of_a_file_counts),
        cmocka_unit_test(garbage_is_counted_and_the_rest_counts),
        cmocka_unit_test(how_the_bytes_are_cut_makes_no_difference),
        cmocka_unit_test(figures_are_those_that_others_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
