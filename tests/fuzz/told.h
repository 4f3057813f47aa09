/*
 * told.h - everything that a reader of growing text tells, as text: what it tells of
 * pieces must be what it tells of the whole.
 */
#ifndef TESTS_FUZZ_TOLD_H
#define TESTS_FUZZ_TOLD_H

#include "core/frame_log.h"
#include "core/mem.h"
#include "core/progress.h"
#include "core/vmaf_log.h"

#include <stdlib.h>

/* The next piece of *rest, n bytes at most, in memory of exactly its size, so that a read
 * past its end is seen. The caller frees what p points at. */
static inline struct view told_piece(struct view *rest, size_t n)
{
    char *p;

    n = rest->n < n ? rest->n : n;
    p = mem_alloc(n ? n : 1);
    if (n)
        memcpy(p, rest->p, n);
    *rest = view_skip(*rest, n);
    return (struct view){ p, n };
}

static inline void told_free(struct view piece)
{
    free((char *)(uintptr_t)piece.p);
}

static inline void told_number(struct buf *to, const char *name, double v)
{
    buf_str(to, name);
    buf_char(to, '=');
    buf_double(to, v);
    buf_char(to, ' ');
}

static inline void told_faults(struct buf *to, const struct text_faults *f)
{
    told_number(to, "faults", (double)f->count);
    told_number(to, "line", (double)f->line);
    buf_str(to, f->reason ? f->reason : "-");
    buf_char(to, '\n');
}

static inline void told_block(struct buf *to, const struct progress_block *b)
{
    told_number(to, "run", (double)b->run);
    told_number(to, "line", (double)b->line);
    told_number(to, "frames", b->frames);
    told_number(to, "fps", b->fps);
    told_number(to, "bitrate", b->bitrate_bps);
    told_number(to, "bytes", b->total_bytes);
    told_number(to, "time", b->out_time_s);
    told_number(to, "dup", b->dup_frames);
    told_number(to, "drop", b->drop_frames);
    told_number(to, "speed", b->speed);
    for (size_t i = 0; i < b->stream_count; i++) {
        told_number(to, "file", b->streams[i].file);
        told_number(to, "stream", b->streams[i].stream);
        told_number(to, "q", b->streams[i].q);
        told_number(to, "y", b->streams[i].psnr_y_db);
        told_number(to, "u", b->streams[i].psnr_u_db);
        told_number(to, "v", b->streams[i].psnr_v_db);
        told_number(to, "all", b->streams[i].psnr_all_db);
    }
    buf_str(to, b->end ? "end\n" : "continue\n");
}

/* What is told of text when it arrives in a first piece and then in pieces of n bytes. */
static inline struct buf told_progress(struct view text, size_t first, size_t n)
{
    const struct progress_block *block;
    struct progress p;
    struct buf to = { 0 };

    progress_init(&p);
    for (size_t size = first; text.n; size = n) {
        struct view piece = told_piece(&text, size), rest = piece;

        while ((block = progress_next(&p, &rest)))
            told_block(&to, block);
        told_free(piece);
    }
    told_faults(&to, &p.faults);
    progress_deinit(&p);
    return to;
}

static inline void told_text(struct buf *to, struct view text)
{
    buf_char(to, '"');
    buf_view(to, text);
    buf_str(to, "\" ");
}

static inline void told_table(struct buf *to, const struct frame_table *t)
{
    told_number(to, "rows", (double)t->rows);
    told_number(to, "over", (double)t->rows_over);
    told_number(to, "values over", (double)t->values_over);
    told_number(to, "peak", t->peak);
    for (size_t i = 0; i < t->column_count; i++) {
        const struct frame_column *c = &t->columns[i];

        buf_char(to, '\n');
        told_text(to, c->name);
        told_text(to, c->metric.metric);
        told_text(to, c->metric.model);
        told_number(to, "kind", (double)c->metric.kind);
        told_number(to, "mse", frame_scores_mean_mse(&c->scores));
        for (size_t row = 0; row < t->rows; row++) {
            buf_u64(to, frame_table_number(t, row));
            told_number(to, "", frame_scores_at(&c->scores, row));
        }
    }
    buf_char(to, '\n');
}

/* What is told of a log of ffmpeg's filters that arrives so. */
static inline struct buf told_frame_log(struct view text, size_t first, size_t n)
{
    struct frame_log l;
    struct buf to = { 0 };

    frame_log_init(&l, (struct frame_limits){ 0 });
    for (size_t size = first; text.n; size = n) {
        struct view piece = told_piece(&text, size);

        frame_log_add(&l, piece);
        told_free(piece);
    }
    told_table(&to, &l.table);
    frame_log_end(&l);
    told_table(&to, &l.table);
    told_number(&to, "runs", (double)l.runs);
    told_faults(&to, &l.faults);
    frame_log_deinit(&l);
    return to;
}

/* What is told of a log of libvmaf that arrives so. */
static inline struct buf told_vmaf_log(struct view text, size_t first, size_t n)
{
    struct vmaf_log l;
    struct buf to = { 0 };
    bool whole;

    vmaf_log_init(&l, (struct frame_limits){ 0 });
    for (size_t size = first; text.n; size = n) {
        struct view piece = told_piece(&text, size);

        vmaf_log_add(&l, piece);
        told_free(piece);
    }
    whole = vmaf_log_end(&l);
    told_table(&to, &l.table);
    buf_str(&to, whole ? "whole " : "cut off ");
    told_text(&to, view_of(l.version));
    told_text(&to, view_of(l.model));
    told_number(&to, "format", (double)l.format);
    told_number(&to, "width", l.width);
    told_number(&to, "height", l.height);
    if (l.format == VMAF_XML) /* which fault expat sees first depends on the pieces */
        told_number(&to, "faults", (double)l.faults.count);
    else
        told_faults(&to, &l.faults);
    vmaf_log_deinit(&l);
    return to;
}

#endif
