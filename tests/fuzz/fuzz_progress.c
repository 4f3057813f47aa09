/*
 * fuzz_progress.c - any bytes as what ffmpeg's -progress writes: figures are finite and
 * within their limits, or not known, and how the bytes are cut makes no difference.
 */
#include "tests/fuzz/told.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool is_amount(double v)
{
    return isnan(v) || (v >= 0 && v <= 1e21);
}

static void read_whole(struct view text)
{
    const struct progress_block *b;
    uint64_t line = 0, run = 0;
    struct progress p;

    progress_init(&p);
    while ((b = progress_next(&p, &text))) {
        require(b->line > line && b->run >= run && b->run <= run + 1);
        require(is_amount(b->frames) && is_amount(b->fps) && is_amount(b->bitrate_bps));
        require(is_amount(b->total_bytes) && is_amount(b->speed));
        require(is_amount(b->dup_frames) && is_amount(b->drop_frames));
        require(isnan(b->out_time_s) || b->out_time_s >= -1e9);
        require(b->stream_count <= PROGRESS_STREAMS_MAX);
        for (size_t i = 0; i < b->stream_count; i++)
            require(is_amount(b->streams[i].q));
        line = b->line;
        run = b->run;
    }
    require(text.n == 0);
    require((p.faults.count == 0) == (p.faults.reason == NULL));
    progress_deinit(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = { (const char *)data, size };
    struct buf whole = told_progress(text, size, size), cut;
    const size_t first = size ? data[0] % 64 + 1 : 1,
                 n = size ? data[size - 1] % 32 + 1 : 1;

    read_whole(text);
    cut = told_progress(text, first, n);
    require(view_eq(buf_as_view(&whole), buf_as_view(&cut)));
    buf_deinit(&cut);
    buf_deinit(&whole);
    return 0;
}
