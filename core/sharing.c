/*
 * sharing.c - a sweep over begins and ends, and sums over the pieces between them.
 *
 * Between two neighbouring times at which somebody begins or ends, the same ones run. So
 * the power of such a piece is one integral, and what each of them gets of it is
 * cores · per_core + each, where one of the two is 0. Both are summed over the pieces of a
 * claim by a tree: no claim walks its pieces, and nothing is ever subtracted, so a small
 * share beside a large one keeps its digits.
 */
#include "core/sharing.h"
#include "core/mem.h"

#include <math.h>
#include <stdlib.h>

/* Who uses less, all together, uses nothing that power could be split by. */
static const double least_cores = 1e-9;

struct piece {
    double total; /* ∫ power dt of what is known */
    double covered_s;
    double per_core, each; /* parts of it, by cores or by heads */
    double shared_s;       /* time in which more than one runs */
};

struct edge {
    double time_s;
    size_t claim;
    bool is_end;
};

struct sweep {
    const struct timeline *timeline;
    const struct claim *claims;
    struct edge *edges; /* by time */
    size_t edge_count;
    size_t *first, *last; /* per claim: its pieces; last is not one of them */

    /* Binary trees in arrays: leaves behind the inner nodes, node i is the sum of 2i and
     * 2i + 1. */
    struct piece *pieces; /* in the order of time */
    double *cores;        /* of the claims that run; 0: does not, or is not known */
    size_t piece_leaves, claim_leaves;

    size_t running, unknown; /* of those that run, those whose cores are not known */
};

static size_t leaves_for(size_t n)
{
    size_t leaves = 1;

    while (leaves < n)
        leaves *= 2;
    return leaves;
}

static int by_time(const void *a, const void *b)
{
    double x = ((const struct edge *)a)->time_s, y = ((const struct edge *)b)->time_s;

    return (x > y) - (x < y);
}

static void sweep_init(struct sweep *w, const struct timeline *t,
                       const struct claim claims[], size_t n)
{
    *w = (struct sweep){ .timeline = t, .claims = claims };
    w->edges = mem_alloc(2 * n * sizeof *w->edges);
    for (size_t i = 0; i < n; i++) {
        if (!(claims[i].start_s < claims[i].end_s))
            continue;
        w->edges[w->edge_count++] = (struct edge){ claims[i].start_s, i, false };
        w->edges[w->edge_count++] = (struct edge){ claims[i].end_s, i, true };
    }
    qsort(w->edges, w->edge_count, sizeof *w->edges, by_time);
    w->first = mem_zalloc(n * sizeof *w->first);
    w->last = mem_zalloc(n * sizeof *w->last);
    w->piece_leaves = leaves_for(w->edge_count);
    w->claim_leaves = leaves_for(n);
    w->pieces = mem_zalloc(2 * w->piece_leaves * sizeof *w->pieces);
    w->cores = mem_zalloc(2 * w->claim_leaves * sizeof *w->cores);
}

static void sweep_deinit(struct sweep *w)
{
    free(w->edges);
    free(w->first);
    free(w->last);
    free(w->pieces);
    free(w->cores);
}

/* A sum that is made anew along its path, instead of added to and subtracted from, is 0
 * when nothing is left of it. */
static void set_cores(struct sweep *w, size_t claim, double cores)
{
    size_t i = claim + w->claim_leaves;

    w->cores[i] = cores;
    for (i /= 2; i; i /= 2)
        w->cores[i] = w->cores[2 * i] + w->cores[2 * i + 1];
}

static bool is_use(double cores)
{
    return isfinite(cores) && cores >= 0;
}

static void pass_edge(struct sweep *w, const struct edge *e, size_t piece)
{
    double cores = w->claims[e->claim].cores;
    bool known = is_use(cores);

    if (e->is_end) {
        w->last[e->claim] = piece;
        w->running--;
        w->unknown -= !known;
        set_cores(w, e->claim, 0);
    } else {
        w->first[e->claim] = piece;
        w->running++;
        w->unknown += !known;
        set_cores(w, e->claim, known ? cores : 0);
    }
}

static void measure_piece(const struct sweep *w, struct piece *p, double from_s,
                          double to_s)
{
    double total;

    if (w->running == 0)
        return;
    if (w->running > 1)
        p->shared_s = to_s - from_s;
    total = timeline_total(w->timeline, from_s, to_s, &p->covered_s);
    if (isnan(total))
        return;
    p->total = total;
    if (w->running > 1 && w->unknown == 0 && w->cores[1] >= least_cores)
        p->per_core = total / w->cores[1];
    else
        p->each = total / (double)w->running;
}

static void add_piece(struct piece *sum, const struct piece *p)
{
    sum->total += p->total;
    sum->covered_s += p->covered_s;
    sum->per_core += p->per_core;
    sum->each += p->each;
    sum->shared_s += p->shared_s;
}

static void cut_pieces(struct sweep *w)
{
    size_t count = 0;

    for (size_t i = 0; i < w->edge_count; i++) {
        const struct edge *e = &w->edges[i];

        if (i > 0 && e->time_s > e[-1].time_s)
            measure_piece(w, &w->pieces[w->piece_leaves + count++], e[-1].time_s,
                          e->time_s);
        pass_edge(w, e, count);
    }
    for (size_t i = w->piece_leaves - 1; i; i--) {
        add_piece(&w->pieces[i], &w->pieces[2 * i]);
        add_piece(&w->pieces[i], &w->pieces[2 * i + 1]);
    }
}

static struct piece sum_of(const struct sweep *w, size_t first, size_t last)
{
    struct piece sum = { 0 };

    first += w->piece_leaves;
    last += w->piece_leaves;
    for (; first < last; first /= 2, last /= 2) {
        if (first % 2)
            add_piece(&sum, &w->pieces[first++]);
        if (last % 2)
            add_piece(&sum, &w->pieces[--last]);
    }
    return sum;
}

void sharing_split(const struct timeline *t, const struct claim claims[], size_t n,
                   struct share shares[])
{
    struct sweep w;

    sweep_init(&w, t, claims, n);
    cut_pieces(&w);
    for (size_t i = 0; i < n; i++) {
        struct piece sum = sum_of(&w, w.first[i], w.last[i]);
        double by_cores = is_use(claims[i].cores) ? claims[i].cores * sum.per_core : 0;
        bool known = sum.covered_s > 0;

        shares[i] = (struct share){
            .own = known ? by_cores + sum.each : NAN,
            .whole = known ? sum.total : NAN,
            .covered_s = sum.covered_s,
            .shared = sum.shared_s > 0,
        };
    }
    sweep_deinit(&w);
}
