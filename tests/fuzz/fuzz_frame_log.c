/*
 * fuzz_frame_log.c - any bytes as a log of ffmpeg's filters psnr and ssim: figures that
 * agree with each other, and how the bytes are cut makes no difference.
 */
#include "tests/fuzz/told.h"

#include "core/frame_span.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* a <= b, where both are known. */
static bool ordered(double a, double b)
{
    return isnan(a) || isnan(b) || a <= b;
}

static void check_scores(const struct frame_scores *s)
{
    const double thresholds[] = { -INFINITY, 0, INFINITY };
    size_t worst[4], n = frame_scores_worst(s, 0, s->count, 4, worst);
    const struct frame_span all = frame_scores_span(s, 0, s->count);
    struct frame_stats stats;
    uint64_t below[3];

    frame_scores_stats(s, &stats);
    frame_scores_below(s, thresholds, 3, below);
    require(stats.frames <= s->count && stats.infinite <= stats.frames);
    require(isnan(stats.min) == (stats.frames == 0));
    require(ordered(stats.min, stats.p1) && ordered(stats.p1, stats.p5));
    require(ordered(stats.p5, stats.p10) && ordered(stats.p10, stats.p50));
    require(ordered(stats.p50, stats.max) && ordered(stats.max_finite, stats.max));
    require(below[0] == 0 && below[2] == stats.frames - stats.infinite);
    require(all.finite + all.infinite == stats.frames &&
            all.infinite == stats.infinite);
    require(!all.finite || (all.min == s->min && all.max == s->max));
    require(n == (stats.frames < 4 ? stats.frames : 4));
    require(!n || frame_scores_at(s, worst[0]) == stats.min);
    for (size_t i = 1; i < n; i++)
        require(frame_scores_at(s, worst[i - 1]) <= frame_scores_at(s, worst[i]));
}

static void check(struct view text)
{
    struct frame_log l;

    frame_log_init(&l, (struct frame_limits){ 0 });
    frame_log_add(&l, text);
    frame_log_end(&l);
    require((l.faults.count == 0) == (l.faults.reason == NULL));
    for (size_t i = 0; i < l.table.column_count; i++) {
        require(l.table.columns[i].scores.count == l.table.rows);
        check_scores(&l.table.columns[i].scores);
    }
    for (size_t i = 1; i < l.table.rows; i++)
        require(frame_table_number(&l.table, i - 1) < frame_table_number(&l.table, i));
    frame_log_deinit(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = { (const char *)data, size };
    struct buf whole = told_frame_log(text, size, size), cut;
    const size_t first = size ? data[0] % 64 + 1 : 1,
                 n = size ? data[size - 1] % 32 + 1 : 1;

    check(text);
    cut = told_frame_log(text, first, n);
    require(view_eq(buf_as_view(&whole), buf_as_view(&cut)));
    buf_deinit(&cut);
    buf_deinit(&whole);
    return 0;
}
