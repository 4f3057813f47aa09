/*
 * fuzz_vmaf_log.c - any bytes as a log of libvmaf: rows in order, figures that agree with
 * each other, and how the bytes are cut makes no difference.
 */
#include "tests/fuzz/told.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_column(const struct frame_table *t, const struct frame_column *c)
{
    struct frame_stats stats;

    require(c->scores.count == t->rows);
    require(c->name.n > 0 && c->name.n <= FRAME_NAME_MAX);
    require(frame_table_metric(t, c->metric.metric, c->metric.model) != NULL);
    frame_scores_stats(&c->scores, &stats);
    require(stats.frames <= t->rows);
    if (stats.frames > stats.infinite)
        require(stats.min <= stats.p50 && stats.p50 <= stats.max);
}

static void check(struct view text)
{
    struct vmaf_log l;
    bool whole;

    vmaf_log_init(&l, (struct frame_limits){ 0 });
    vmaf_log_add(&l, text);
    whole = vmaf_log_end(&l);
    require((l.faults.count == 0) == (l.faults.reason == NULL));
    require(whole || l.faults.count || l.format == VMAF_UNDECIDED);
    require(l.table.column_count <= FRAME_COLUMNS_MAX);
    for (size_t i = 0; i < l.table.column_count; i++)
        check_column(&l.table, &l.table.columns[i]);
    for (size_t i = 1; i < l.table.rows; i++)
        require(frame_table_number(&l.table, i - 1) < frame_table_number(&l.table, i));
    vmaf_log_deinit(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = { (const char *)data, size };
    struct buf whole = told_vmaf_log(text, size, size), cut;
    const size_t first = size ? data[size / 2] % 64 + 1 : 1;
    const size_t n = size ? data[size - 1] % 32 + 1 : 1;

    check(text);
    cut = told_vmaf_log(text, first, n);
    require(view_eq(buf_as_view(&whole), buf_as_view(&cut)));
    buf_deinit(&cut);
    buf_deinit(&whole);
    return 0;
}
