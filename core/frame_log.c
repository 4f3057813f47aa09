/*
 * frame_log.c - lines of the filters psnr and ssim → rows of scores.
 *
 * Names in lines are taken as the filters write them, so psnr_avg and All are columns; the
 * errors of a plane (mse_y) belong to the column of its PSNR (psnr_y).
 */
#include "core/frame_log.h"
#include "core/decimal.h"

#include <math.h>

void frame_log_init(struct frame_log *l, struct frame_limits limits)
{
    *l = (struct frame_log){ 0 };
    frame_table_init(&l->table, limits, frame_metric_filter);
    lines_init(&l->lines, FRAME_LOG_LINE_MAX);
}

static void fault(struct frame_log *l, const char *reason)
{
    text_fault(&l->faults, l->lines.number, reason);
}

static bool read_value(struct view text, double *out)
{
    if (view_eq(text, VIEW("inf")))
        *out = INFINITY;
    else if (view_eq(text, VIEW("nan")) || view_eq(text, VIEW("-nan")))
        *out = NAN;
    else
        return decimal_read(text, out);
    return true;
}

static bool read_frame(struct view text, uint32_t *out)
{
    double v;

    if (!decimal_read(text, &v) || v < 0 || v > UINT32_MAX || v != floor(v))
        return false;
    *out = (uint32_t)v;
    return true;
}

/* A frame of this number begins. */
static void begin(struct frame_log *l, uint32_t number)
{
    if (l->table.rows && number <= l->table.last) {
        frame_table_restart(&l->table);
        l->runs++;
    }
    if (!l->runs)
        l->runs = 1;
    l->number = number;
}

/* The frame is whole. */
static bool commit(struct frame_log *l)
{
    const struct frame_column *c = frame_table_find(&l->table, VIEW("psnr_avg"));

    if (c && isnan(l->table.peak))
        l->table.peak = frame_peak(c->mse, c->score);
    return frame_table_commit(&l->table, l->number);
}

/* mse_y goes to the column psnr_y, which it may come before. */
static void take_mse(struct frame_log *l, struct view plane, double mse)
{
    char name[16] = "psnr_";
    struct view column = { name, strlen(name) + plane.n };
    struct frame_column *c;

    if (column.n > sizeof name)
        return;
    memcpy(name + strlen("psnr_"), plane.p, plane.n);
    c = frame_table_find(&l->table, column);
    if (!c && frame_table_set(&l->table, column, NAN))
        c = frame_table_find(&l->table, column);
    if (c)
        c->mse = mse;
}

/* One value of the frame that is being read. */
static void take_value(struct frame_log *l, struct view name, struct view text)
{
    struct view mse = VIEW("mse_");
    double v;

    if (frame_metric_filter(name).kind != FRAME_SCORE && !view_starts(name, mse) &&
        !view_eq(name, VIEW("max_avg")))
        return;
    if (!read_value(text, &v))
        fault(l, "no number");
    else if (view_starts(name, mse))
        take_mse(l, view_skip(name, mse.n), v);
    else if (view_eq(name, VIEW("max_avg")))
        l->table.peak = v >= 1 && v < 1e6 ? v : (double)NAN;
    else
        frame_table_set(&l->table, name, v);
}

/* "n:7 mse_avg:28.71 …": line is what follows "n:". */
static void take_stats(struct frame_log *l, struct view line)
{
    struct view word, text;
    uint32_t number;

    view_split(&line, ' ', &word);
    if (!read_frame(word, &number)) {
        fault(l, "no number of a frame");
        return;
    }
    begin(l, number);
    while (view_split(&line, ' ', &text)) {
        if (!text.n || *text.p == '(') /* ssim in dB, which follows from the other */
            continue;
        view_split(&text, ':', &word);
        if (text.p)
            take_value(l, word, text);
        else
            fault(l, "no name:value");
    }
    if (!commit(l))
        fault(l, "a frame without scores, or one too many");
}

/* "frame:0    pts:0       pts_time:0": line is what follows "frame:". */
static void take_metadata_frame(struct frame_log *l, struct view line)
{
    struct view word;
    uint32_t number;

    frame_log_end(l);
    view_split(&line, ' ', &word);
    if (!read_frame(word, &number)) {
        fault(l, "no number of a frame");
        return;
    }
    begin(l, number);
    l->open = true;
    l->now_n = 0;
}

/* "lavfi.psnr.psnr.y=33.17" and "lavfi.psnr.psnr_avg=…" → psnr_y, psnr_avg; "lavfi.ssim.Y" → Y */
static void take_metadata(struct frame_log *l, struct view line)
{
    char name[16];
    struct view key;

    view_split(&line, '=', &key);
    if (!line.p || !l->open)
        return;
    if (view_starts(key, VIEW("lavfi.psnr.")))
        key = view_skip(key, strlen("lavfi.psnr."));
    else if (view_starts(key, VIEW("lavfi.ssim.")))
        key = view_skip(key, strlen("lavfi.ssim."));
    else
        return; /* of another filter */
    if (key.n > sizeof name)
        return;
    for (size_t i = 0; i < key.n; i++)
        name[i] = key.p[i] == '.' ? '_' : key.p[i];
    take_value(l, (struct view){ name, key.n }, line);
    memcpy(l->now, name, key.n);
    l->now_n = key.n;
    if (view_eq((struct view){ name, key.n }, (struct view){ l->last, l->last_n }))
        frame_log_end(l);
}

static void take_line(struct frame_log *l, struct view line)
{
    line = view_trim(line);
    if (view_starts(line, VIEW("n:")))
        take_stats(l, view_skip(line, strlen("n:")));
    else if (view_starts(line, VIEW("lavfi.")))
        take_metadata(l, line);
    else if (view_starts(line, VIEW("frame:")))
        take_metadata_frame(l, view_skip(line, strlen("frame:")));
    else if (line.n && !view_starts(line, VIEW("psnr_log_version:")))
        fault(l, "not of the filters psnr and ssim");
}

void frame_log_add(struct frame_log *l, struct view bytes)
{
    enum lines_what what;
    struct view line;

    while ((what = lines_next(&l->lines, &bytes, &line)) != LINES_NONE) {
        if (what == LINES_OVER) {
            fault(l, "longer than a line may be");
            continue;
        }
        if (what == LINES_CUT)
            fault(l, "begins before a gap of NUL bytes");
        take_line(l, line);
    }
}

void frame_log_end(struct frame_log *l)
{
    if (l->open && !commit(l))
        fault(l, "a frame without scores, or one too many");
    if (l->open) {
        memcpy(l->last, l->now, l->now_n);
        l->last_n = l->now_n;
    }
    l->open = false;
}

void frame_log_restart(struct frame_log *l)
{
    lines_restart(&l->lines);
    frame_table_restart(&l->table);
    l->open = false;
    l->last_n = 0;
    l->runs = 0;
}

void frame_log_deinit(struct frame_log *l)
{
    lines_deinit(&l->lines);
    frame_table_deinit(&l->table);
}
