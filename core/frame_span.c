#include "core/frame_span.h"

#include <assert.h>
#include <math.h>

struct frame_span frame_span_none(void)
{
    return (struct frame_span){ .min = INFINITY, .max = -INFINITY };
}

void frame_span_add(struct frame_span *p, double score)
{
    if (isnan(score))
        return;
    if (isinf(score)) {
        p->infinite++;
        return;
    }
    p->finite++;
    p->sum += score;
    p->min = score < p->min ? score : p->min;
    p->max = score > p->max ? score : p->max;
}

double frame_span_mean(const struct frame_span *p)
{
    return p->finite ? p->sum / p->finite : (double)NAN;
}

static void join(struct frame_span *p, const struct frame_span *other)
{
    p->finite += other->finite;
    p->infinite += other->infinite;
    p->sum += other->sum;
    p->min = other->min < p->min ? other->min : p->min;
    p->max = other->max > p->max ? other->max : p->max;
}

/* The end of the block that begins or goes on at `from`, or end. */
static size_t piece_end(size_t from, size_t end)
{
    size_t next = from - from % FRAME_BLOCK + FRAME_BLOCK;

    return next < end ? next : end;
}

/* Of a block, or of a part of one. */
static struct frame_span piece(const struct frame_scores *s, size_t from, size_t end)
{
    struct frame_span p = frame_span_none();

    if (from % FRAME_BLOCK == 0 && (end - from == FRAME_BLOCK || end == s->count))
        return s->blocks[from / FRAME_BLOCK];
    for (size_t i = from; i < end; i++)
        frame_span_add(&p, frame_scores_at(s, i));
    return p;
}

struct frame_span frame_scores_span(const struct frame_scores *s, size_t from,
                                    size_t end)
{
    struct frame_span all = frame_span_none();

    assert(end <= s->count);
    for (size_t next; from < end; from = next) {
        struct frame_span p;

        next = piece_end(from, end);
        p = piece(s, from, next);
        join(&all, &p);
    }
    return all;
}

/* ---- the worst ------------------------------------------------------------------------ */

struct candidate {
    double score;
    size_t at;
};

/* The `most` worst of all that were offered: a heap, the least bad of them first. */
struct heap {
    struct candidate of[FRAME_WORST_MAX];
    size_t n, most;
};

static bool worse(const struct candidate *a, const struct candidate *b)
{
    return a->score < b->score || (a->score == b->score && a->at < b->at);
}

static void swap(struct candidate *a, struct candidate *b)
{
    struct candidate c = *a;

    *a = *b;
    *b = c;
}

static void sink(struct heap *h)
{
    size_t i = 0, child;

    while ((child = 2 * i + 1) < h->n) {
        if (child + 1 < h->n && worse(&h->of[child], &h->of[child + 1]))
            child++;
        if (!worse(&h->of[i], &h->of[child]))
            return;
        swap(&h->of[i], &h->of[child]);
        i = child;
    }
}

static void offer(struct heap *h, double score, size_t at)
{
    const struct candidate c = { score, at };
    size_t i = h->n;

    if (h->n == h->most) {
        if (h->most == 0 || !worse(&c, &h->of[0]))
            return;
        h->of[0] = c;
        sink(h);
        return;
    }
    h->of[h->n++] = c;
    for (; i > 0 && worse(&h->of[(i - 1) / 2], &h->of[i]); i = (i - 1) / 2)
        swap(&h->of[(i - 1) / 2], &h->of[i]);
}

/* The n worst frames stand in the n blocks whose worst frames are the worst. */
size_t frame_scores_worst(const struct frame_scores *s, size_t from, size_t end,
                          size_t n, size_t out[])
{
    struct heap blocks = { .most = n }, frames = { .most = n };
    size_t found;

    assert(n <= FRAME_WORST_MAX && end <= s->count);
    for (size_t at = from; at < end; at = piece_end(at, end)) {
        struct frame_span p = piece(s, at, piece_end(at, end));

        if (p.finite || p.infinite)
            offer(&blocks, p.min, at);
    }
    for (size_t i = 0; i < blocks.n; i++)
        for (size_t at = blocks.of[i].at, to = piece_end(at, end); at < to; at++) {
            double score = frame_scores_at(s, at);

            if (!isnan(score))
                offer(&frames, score, at);
        }
    found = frames.n;
    for (size_t i = found; i > 0; i--) {
        out[i - 1] = frames.of[0].at;
        frames.of[0] = frames.of[--frames.n];
        sink(&frames);
    }
    return found;
}
