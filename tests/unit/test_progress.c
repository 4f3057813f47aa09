#include "core/progress.h"

#include "tests/fuzz/told.h"
#include "tests/unit/growing.h"

enum { BLOCKS_MAX = 64 };

/* All blocks of one text. */
struct seen {
    struct progress_block blocks[BLOCKS_MAX];
    size_t count;
    struct text_faults faults;
};

static struct seen see(struct view text)
{
    const struct progress_block *b;
    static struct seen s;
    struct progress p;

    s.count = 0;
    progress_init(&p);
    while ((b = progress_next(&p, &text)) && s.count < BLOCKS_MAX)
        s.blocks[s.count++] = *b;
    s.faults = p.faults;
    progress_deinit(&p);
    return s;
}

static struct seen see_file(const char *name)
{
    struct view text = sample_read(TEST_DATA "/formats/progress", name);
    struct seen s = see(text);

    sample_free(text);
    return s;
}

static void every_key_of_a_block_is_read(void **state)
{
    (void)state;
    struct seen s =
        see(VIEW("frame=38\nfps=25.12\nstream_0_0_q=11.8\n"
                 "bitrate= 683.1kbits/s\ntotal_size=257719\n"
                 "out_time_us=3041000\nout_time_ms=3041000\n"
                 "out_time=00:00:03.041000\ndup_frames=26\ndrop_frames=106\n"
                 "speed=2.94e+03x\nsomething_new=7\nprogress=continue\n"));
    const struct progress_block *b = s.blocks;

    assert_int_equal(s.count, 1);
    assert_int_equal(s.faults.count, 0);
    assert_near(b->frames, 38, 0);
    assert_near(b->fps, 25.12, 0);
    assert_near(b->bitrate_bps, 683100, 1e-12);
    assert_near(b->total_bytes, 257719, 0);
    assert_near(b->out_time_s, 3.041, 1e-12);
    assert_near(b->dup_frames, 26, 0);
    assert_near(b->drop_frames, 106, 0);
    assert_near(b->speed, 2940, 0);
    assert_int_equal(b->stream_count, 1);
    assert_near(b->streams[0].q, 11.8, 0);
    assert_unknown(b->streams[0].psnr_y_db);
    assert_false(b->end);
    assert_int_equal(b->line, 13);
}

static void what_is_not_known_is_not_zero(void **state)
{
    (void)state;
    struct seen s =
        see(VIEW("stream_0_0_q=-1.0\nstream_0_1_q=-0.0\nstream_0_2_q=0.0\n"
                 "bitrate=N/A\ntotal_size=N/A\nout_time_us=N/A\n"
                 "out_time_ms=N/A\nout_time=N/A\nspeed=N/A\nprogress=end\n"));
    const struct progress_block *b = s.blocks;

    assert_int_equal(s.faults.count, 0);
    assert_unknown(b->frames);
    assert_unknown(b->fps);
    assert_unknown(b->bitrate_bps);
    assert_unknown(b->total_bytes);
    assert_unknown(b->out_time_s);
    assert_unknown(b->speed);
    assert_int_equal(b->stream_count, 3);
    assert_unknown(b->streams[0].q);
    assert_unknown(b->streams[1].q);
    assert_near(b->streams[2].q, 0, 0);
    assert_true(b->end);
}

static void
times_are_in_microseconds_and_those_near_the_least_integer_are_none(void **state)
{
    (void)state;
    struct seen s =
        see(VIEW("out_time_ms=2500000\nprogress=continue\n"
                 "out_time_ms=1\nout_time=100:00:01.5\nprogress=continue\n"
                 "out_time_us=-9223372036854775808\nout_time_ms=-9223372036854775808\n"
                 "out_time=-577014:32:22.775808\nprogress=continue\n"
                 "out_time_us=-9223372036854775807\nout_time=-2562047788:00:54.775807\n"
                 "progress=continue\n"
                 "out_time=-00:00:16.958389\nprogress=end\n"));

    assert_int_equal(s.count, 5);
    assert_int_equal(s.faults.count, 0);
    assert_near(s.blocks[0].out_time_s, 2.5, 0);
    assert_near(s.blocks[1].out_time_s, 360001.5, 0); /* 100 h and 1.5 s */
    assert_unknown(s.blocks[2].out_time_s);
    assert_unknown(s.blocks[3].out_time_s);
    assert_near(s.blocks[4].out_time_s, -16.958389, 1e-12);
}

static void speeds_are_read_as_ffmpeg_prints_them(void **state)
{
    (void)state;
    struct seen s = see(VIEW("speed=   0x\nprogress=continue\nspeed= 7.2x\n"
                             "progress=continue\nspeed=1e+06x\nprogress=continue\n"
                             "speed=0.991x\nprogress=continue\nspeed= infx\n"
                             "progress=end\n"));

    assert_int_equal(s.count, 5);
    assert_near(s.blocks[0].speed, 0, 0);
    assert_near(s.blocks[1].speed, 7.2, 0);
    assert_near(s.blocks[2].speed, 1e6, 0);
    assert_near(s.blocks[3].speed, 0.991, 0);
    assert_unknown(s.blocks[4].speed);
    assert_int_equal(s.faults.count, 0);
}

static void garbage_is_counted_and_the_rest_counts(void **state)
{
    (void)state;
    struct seen s = see(VIEW("frame=5\nnonsense\nFrame=6\nframe=-7\nfps=fast\n"
                             "progress=perhaps\nout_time=1:2\nspeed=2x\n\n"
                             "progress=continue\n"));

    assert_int_equal(s.count, 1);
    assert_near(s.blocks[0].frames, 5, 0);
    assert_near(s.blocks[0].speed, 2, 0);
    assert_unknown(s.blocks[0].fps);
    assert_int_equal(s.faults.count, 6);
    assert_int_equal(s.faults.line, 7);
    assert_string_equal(s.faults.reason, "no number, or one that cannot be");
}

static void lines_are_bounded(void **state)
{
    struct buf text = { 0 };
    struct seen s;

    (void)state;
    for (int i = 0; i < 3 * PROGRESS_LINE_MAX; i++)
        buf_char(&text, 'a');
    buf_str(&text, "=1\nframe=3\nprogress=continue\n");
    s = see(buf_as_view(&text));
    assert_int_equal(s.count, 1);
    assert_near(s.blocks[0].frames, 3, 0);
    assert_int_equal(s.faults.count, 1);
    assert_int_equal(s.faults.line, 1);
    buf_deinit(&text);
}

static void streams_are_bounded(void **state)
{
    struct buf text = { 0 };
    struct seen s;

    (void)state;
    for (int i = 0; i < PROGRESS_STREAMS_MAX + 2; i++)
        buf_fmt(&text, "stream_%d_0_q=1.0\n", i);
    buf_str(&text, "progress=end\n");
    s = see(buf_as_view(&text));
    assert_int_equal(s.blocks[0].stream_count, PROGRESS_STREAMS_MAX);
    assert_int_equal(s.faults.count, 2);
    buf_deinit(&text);
}

static void the_runs_of_one_text_are_told_apart(void **state)
{
    (void)state;
    /* blocks at frames 1 … 20, end, again 1 … 20, end */
    struct seen s = see_file("appended_two_runs.progress");

    assert_int_equal(s.count, 7);
    assert_int_equal(s.blocks[0].run, 0);
    assert_int_equal(s.blocks[6].run, 1);
    for (size_t i = 1; i < s.count; i++)
        assert_int_equal(s.blocks[i].run - s.blocks[i - 1].run, s.blocks[i - 1].end);

    /* the second is ahead of where the first ended */
    s = see(VIEW("frame=2\nprogress=end\nframe=5\nprogress=continue\n"));
    assert_int_equal(s.blocks[1].run, 1);
    /* the first was killed */
    s = see(VIEW("frame=9\nprogress=continue\nframe=2\nprogress=continue\n"
                 "frame=2\nprogress=continue\n"));
    assert_int_equal(s.blocks[1].run, 1);
    assert_int_equal(s.blocks[2].run, 1);
    /* without video: a step back of less than a second is none */
    s = see(VIEW("out_time_us=9000000\nprogress=continue\nout_time_us=8500000\n"
                 "progress=continue\nout_time_us=100\nprogress=continue\n"));
    assert_int_equal(s.blocks[1].run, 0);
    assert_int_equal(s.blocks[2].run, 1);
}

static void real_runs_are_read(void **state)
{
    (void)state;
    struct seen s = see_file("copy.progress");

    assert_int_equal(s.count, 2);
    assert_near(s.blocks[1].frames, 75, 0);
    assert_near(s.blocks[1].bitrate_bps, 678000, 1e-12);
    assert_near(s.blocks[1].total_bytes, 257719, 0);
    assert_near(s.blocks[1].speed, 2940, 0);
    assert_true(s.blocks[1].end);

    s = see_file("audio_only.progress");
    assert_unknown(s.blocks[1].frames);
    assert_int_equal(s.blocks[1].stream_count, 0);
    assert_near(s.blocks[1].out_time_s, 30.000181, 1e-12);

    s = see_file("neg_copy.progress");
    assert_near(s.blocks[1].out_time_s, -16.958389, 1e-12);
    s = see_file("dupdrop.progress");
    assert_near(s.blocks[1].dup_frames, 26, 0);
    s = see_file("drop.progress");
    assert_near(s.blocks[1].drop_frames, 106, 0);
    s = see_file("noframes.progress");
    assert_near(s.blocks[1].frames, 0, 0);
    s = see_file("fail_enc.progress");
    assert_int_equal(s.count, 0);
    s = see_file("v41_x264.progress");
    assert_int_equal(s.count, 6);

    s = see_file("multi_psnr.progress");
    assert_int_equal(s.blocks[1].stream_count, 2);
    assert_near(s.blocks[1].streams[0].psnr_all_db, INFINITY, 0);
    assert_unknown(s.blocks[1].streams[0].q);
    assert_int_equal(s.blocks[1].streams[1].file, 1);
    assert_near(s.blocks[1].streams[1].q, 4.2, 0);
}

static void ends_of_a_run_are_as_they_were_written(void **state)
{
    (void)state;
    struct seen s = see_file("sig_KILL.progress");

    assert_int_equal(s.count, 4);
    assert_false(s.blocks[3].end);
    s = see_file("sig_TERM.progress");
    assert_int_equal(s.count, 5);
    assert_true(s.blocks[4].end);
}

static void a_gap_that_another_left_is_no_text(void **state)
{
    (void)state;
    struct seen s = see_file("trunc_by_other.progress");

    assert_int_equal(s.count, 4);
    assert_int_equal(s.faults.count, 0);
    assert_near(s.blocks[0].frames, 38, 0);
}

static void blocks_between_lines_of_a_log_are_found(void **state)
{
    (void)state;
    struct seen s = see_file("pipe2_mixed_with_log.stderr");

    assert_int_equal(s.count, 2);
    assert_near(s.blocks[0].frames, 1, 0);
    assert_near(s.blocks[0].speed, 4e4, 0);
    assert_near(s.blocks[1].frames, 25, 0);
    assert_true(s.blocks[1].end);
    assert_true(s.faults.count > 0);
}

static void how_the_bytes_are_cut_makes_no_difference(void **state)
{
    static const char *const files[] = {
        "appended_two_runs.progress", "audio_only.progress",
        "multi_psnr.progress",        "trunc_by_other.progress",
        "v41_neg.progress",           "sig_KILL.progress",
        "negative.progress",          "pipe2_mixed_with_log.stderr",
    };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct view text = sample_read(TEST_DATA "/formats/progress", files[i]);
        struct buf whole = told_progress(text, text.n, text.n), cut;

        assert_true(whole.n > 100);
        for (size_t at = 1; at < text.n; at++) {
            cut = told_progress(text, at, text.n);
            assert_true(view_eq(buf_as_view(&whole), buf_as_view(&cut)));
            buf_deinit(&cut);
        }
        cut = told_progress(text, 1, 1);
        assert_true(view_eq(buf_as_view(&whole), buf_as_view(&cut)));
        buf_deinit(&cut);
        buf_deinit(&whole);
        sample_free(text);
    }
}

static void another_text_begins_anew(void **state)
{
    struct view text = VIEW("frame=5\nprogress=continue\nframe=6\nprog");
    const struct progress_block *b;
    struct progress p;

    (void)state;
    progress_init(&p);
    assert_non_null(progress_next(&p, &text));
    assert_null(progress_next(&p, &text));
    progress_restart(&p);
    text = VIEW("fps=1\nprogress=end\n");
    b = progress_next(&p, &text);
    assert_non_null(b);
    assert_unknown(b->frames);
    assert_int_equal(b->run, 0);
    assert_int_equal(b->line, 2);
    progress_deinit(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_of_a_block_is_read),
        cmocka_unit_test(what_is_not_known_is_not_zero),
        cmocka_unit_test(
            times_are_in_microseconds_and_those_near_the_least_integer_are_none),
        cmocka_unit_test(speeds_are_read_as_ffmpeg_prints_them),
        cmocka_unit_test(garbage_is_counted_and_the_rest_counts),
        cmocka_unit_test(lines_are_bounded),
        cmocka_unit_test(streams_are_bounded),
        cmocka_unit_test(the_runs_of_one_text_are_told_apart),
        cmocka_unit_test(real_runs_are_read),
        cmocka_unit_test(ends_of_a_run_are_as_they_were_written),
        cmocka_unit_test(a_gap_that_another_left_is_no_text),
        cmocka_unit_test(blocks_between_lines_of_a_log_are_found),
        cmocka_unit_test(how_the_bytes_are_cut_makes_no_difference),
        cmocka_unit_test(another_text_begins_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
