/*
 * frames.c - scores by frame, as few as somebody wants to draw.
 *
 * The frames asked for are cut into parts of equally many rows, which are drawn by their
 * least, mean and largest score: so no bad frame is lost, however many there are.
 */
#include "modules/live/frames.h"

#include <math.h>

#include "core/frame_span.h"
#include "core/json_text.h"
#include "modules/live/scores.h"

struct part { /* of a table: rows from `from` to below `end` */
    const struct frame_table *table;
    const struct frame_scores *scores;
    size_t from, end;
};

/* The first row whose frame has this number or a later one. */
static size_t row_at(const struct frame_table *t, uint64_t number)
{
    size_t low = 0, high = t->rows;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (frame_table_number(t, middle) < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void add_point(const struct part *p, size_t from, size_t end, struct buf *out)
{
    const struct frame_span s = frame_scores_span(p->scores, from, end);

    if (s.finite == 0 && s.infinite == 0)
        return;
    if (out->p[out->n - 1] != '[')
        buf_char(out, ',');
    buf_char(out, '[');
    buf_u64(out, frame_table_number(p->table, from));
    buf_char(out, ',');
    json_text_number(out, s.min); /* +Inf where all are */
    buf_char(out, ',');
    json_text_number(out, s.finite ? frame_span_mean(&s) : INFINITY);
    buf_char(out, ',');
    json_text_number(out, s.infinite ? INFINITY : s.max);
    buf_char(out, ']');
}

static void add_points(const struct part *p, size_t most, struct buf *out)
{
    size_t rows = p->end - p->from, each = (rows + most - 1) / most;

    buf_str(out, ",\"points\":[");
    for (size_t from = p->from; from < p->end; from += each)
        add_point(p, from, p->end - from < each ? p->end : from + each, out);
    buf_char(out, ']');
}

static void add_worst(const struct part *p, size_t most, struct buf *out)
{
    size_t rows[FRAME_WORST_MAX];
    size_t n = frame_scores_worst(p->scores, p->from, p->end, most, rows);

    buf_str(out, ",\"worst\":[");
    for (size_t i = 0; i < n; i++) {
        buf_str(out, i ? ",[" : "[");
        buf_u64(out, frame_table_number(p->table, rows[i]));
        buf_char(out, ',');
        json_text_number(out, frame_scores_at(p->scores, rows[i]));
        buf_char(out, ']');
    }
    buf_char(out, ']');
}

static void add_stat(struct buf *out, const char *name, double v)
{
    if (isnan(v))
        return;
    buf_str(out, out->p[out->n - 1] == '{' ? "\"" : ",\"");
    buf_str(out, name);
    buf_str(out, "\":");
    json_text_number(out, v);
}

static void add_stats(struct encode *e, const struct score_column *c, double now_s,
                      struct buf *out)
{
    const struct frame_stats *s =
        &encode_figures(e, c->log, c->at - 1, now_s, NULL, 0)->stats;

    buf_str(out, ",\"stats\":{");
    add_stat(out, "mean", s->mean);
    add_stat(out, "harmonic_mean", s->harmonic_mean);
    add_stat(out, "min", s->min);
    add_stat(out, "max", s->max);
    add_stat(out, "p1", s->p1);
    add_stat(out, "p5", s->p5);
    add_stat(out, "p10", s->p10);
    add_stat(out, "p50", s->p50);
    add_stat(out, "stddev", s->stddev);
    add_stat(out, "of_mean_mse", frame_table_psnr_of_mean_mse(c->table, c->column));
    buf_char(out, '}');
}

/* ---- which scores ----------------------------------------------------------------------- */

static bool find(const struct encode *e, struct view metric, struct score_column *out)
{
    struct buf name = { 0 };
    bool found = false;

    *out = (struct score_column){ 0 };
    while (!found && score_next(e, out)) {
        buf_release(&name);
        score_name(e, out, &name);
        found = metric.n == 0 || view_eq(buf_as_view(&name), metric);
    }
    buf_deinit(&name);
    return found;
}

static void add_name(const struct encode *e, const struct score_column *c,
                     struct buf *out)
{
    struct buf name = { 0 };

    score_name(e, c, &name);
    json_text_string(out, buf_as_view(&name));
    buf_deinit(&name);
}

static void add_metrics(const struct encode *e, const struct score_column *of,
                        struct buf *out)
{
    const struct view model = of->column->metric.model;
    struct score_column c = { 0 };

    buf_str(out, ",\"metrics\":[");
    while (score_next(e, &c)) {
        if (out->p[out->n - 1] != '[')
            buf_char(out, ',');
        add_name(e, &c, out);
    }
    buf_str(out, "],\"metric\":");
    add_name(e, of, out);
    if (model.n) {
        buf_str(out, ",\"model\":");
        json_text_string(out, model);
    }
}

void frames_metrics(const struct encode *e, struct buf *out)
{
    struct score_column c = { 0 };
    size_t from = out->n;

    for (bool first = true; score_next(e, &c); first = false) {
        buf_str(out, first ? "" : ", ");
        score_name(e, &c, out);
    }
    for (size_t i = from; i < out->n; i++)
        if ((unsigned char)out->p[i] < ' ')
            out->p[i] = '?';
}

/* ---- the answer ------------------------------------------------------------------------- */

/* Numbers of the first and the last frame of the part; of none, what was asked for. */
static void add_range(const struct part *p, const struct frames_query *q,
                      struct buf *out)
{
    bool any = p->from < p->end;

    buf_str(out, ",\"from\":");
    buf_u64(out, any ? frame_table_number(p->table, p->from) : q->from);
    buf_str(out, ",\"to\":");
    buf_u64(out, any ? frame_table_number(p->table, p->end - 1) : q->to);
}

enum frames_found frames_json(struct encode *e, const struct frames_query *q,
                              double now_s, struct buf *out)
{
    struct score_column c;
    struct part p;

    if (!find(e, VIEW(""), &c))
        return FRAMES_NO_SCORES;
    if (!find(e, q->metric, &c))
        return FRAMES_NO_METRIC;
    p.table = c.table;
    p.scores = &c.column->scores;
    p.from = row_at(c.table, q->from);
    p.end = row_at(c.table, (uint64_t)q->to + 1);
    buf_str(out, "{\"encode\":");
    json_text_string(out, (struct view){ e->name, e->name_n });
    add_metrics(e, &c, out);
    buf_str(out, ",\"frames\":");
    buf_u64(out, p.scores->finite + p.scores->infinite);
    buf_str(out, ",\"infinite\":");
    buf_u64(out, p.scores->infinite);
    add_stats(e, &c, now_s, out);
    add_range(&p, q, out);
    add_points(&p, q->points, out);
    add_worst(&p, q->worst, out);
    buf_char(out, '}');
    return FRAMES_TOLD;
}
