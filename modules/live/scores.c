#include "modules/live/scores.h"

static const char *const first[] = { "vmaf", "psnr", "ssim" };
enum { REST = sizeof first / sizeof *first };

static unsigned place_of(struct view metric)
{
    unsigned i = 0;

    while (i < REST && !view_eq(metric, view_of(first[i])))
        i++;
    return i;
}

static bool is_told(const struct encode *e, const struct score_column *c)
{
    const struct frame_column *k = c->column;

    return k->scores.finite + k->scores.infinite > 0 &&
           place_of(k->metric.metric) == c->pass && encode_tells(e, c->log, c->at - 1);
}

static bool next_of_log(const struct encode *e, struct score_column *c)
{
    const struct encode_scores *s = e->logs[c->log];

    while (s && c->at < s->table->column_count) {
        c->table = s->table;
        c->column = &s->table->columns[c->at++];
        if (is_told(e, c))
            return true;
    }
    return false;
}

bool score_next(const struct encode *e, struct score_column *c)
{
    while (!next_of_log(e, c)) {
        c->at = 0;
        c->log = (enum encode_log)((c->log + 1) % ENCODE_LOGS);
        if (c->log != 0)
            continue;
        if (c->pass == REST)
            return false;
        c->pass++;
    }
    return true;
}

/* Whether it is the one that its metric alone stands for. */
static bool is_usual(const struct encode *e, const struct frame_metric *m)
{
    struct score_column other = { 0 };
    const struct frame_metric *usual = NULL;

    if (m->model.n == 0)
        return true;
    while (score_next(e, &other)) {
        const struct frame_metric *o = &other.column->metric;

        if (view_eq(o->metric, m->metric) && (!usual || o->model.n == 0))
            usual = o;
    }
    return usual == m;
}

void score_name(const struct encode *e, const struct score_column *c, struct buf *out)
{
    const struct frame_metric *m = &c->column->metric;

    buf_view(out, m->metric);
    if (is_usual(e, m))
        return;
    buf_char(out, '/');
    buf_view(out, m->model);
}
