/*
 * compare_rates.c - the curves of a set, and each against the anchor's.
 *
 * A curve is an encoder and a preset, both given: a default is a label, never a fact. Its
 * points are told apart by what was asked for (bit rate, crf): of two encodes asked for the
 * same, the one of the newer run is the point, of one run the first.
 *
 * SSIM is compared as it is served, from 0 to 1, not in dB.
 */
#include "modules/compare/compare.h"

#include "core/conditions.h"
#include "core/mem.h"
#include "modules/compare/bd_rate.h"

#include <math.h>
#include <stdlib.h>

/* The common qualities are at least so much of those of the curve that has fewer: below,
 * most of what was measured of both is left out, and where the points happen to end decides
 * the figure. */
#define OVERLAP_LEAST 0.5

const struct family compare_families[COMPARE_FAMILIES] = {
    [COMPARE_BD_RATE] = { "qoe_bd_rate_percent",
                          "Bit rate needed more than by the anchor for the same "
                          "quality, in percent "
                          "(negative: less): Bjontegaard rate difference, 100 * "
                          "(exp(mean difference of "
                          "ln(bit rate) over the common qualities) - 1), curves by "
                          "PCHIP",
                          GAUGE },
    [COMPARE_PARETO] = { "qoe_pareto_optimal",
                         "1: no other encode of the source, resolution and conditions "
                         "has at least this "
                         "VMAF for at most this bit rate or cost, and one of both "
                         "better; else 0",
                         GAUGE },
};

/* What is behind the sixth decimal is the arithmetic's. */
#define DECIMALS 1e6

struct point {
    const struct compare_entry *e;
    double asked; /* bit/s, or crf; NaN: not known */
};

struct curve {
    const struct point *points;
    size_t n;
};

static int by_number(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

static int by_name(const struct scenario *a, const struct scenario *b)
{
    int rc = view_cmp(a->encoder, b->encoder);

    return rc ? rc : view_cmp(a->preset, b->preset);
}

static int by_curve(const void *a, const void *b)
{
    const struct point *x = a, *y = b;
    int rc = by_name(x->e->at.s, y->e->at.s);

    if (rc == 0)
        rc = by_number(x->asked, y->asked);
    if (rc == 0 && x->e->at.run != y->e->at.run)
        return x->e->order < y->e->order ? 1 : -1;
    return rc ? rc : (x->e->order > y->e->order) - (x->e->order < y->e->order);
}

/* Points of all curves, curve by curve; at most n. */
static size_t points_of(const struct compare_entry e[], size_t n, struct point *to)
{
    size_t count = 0, kept = 0;

    for (size_t i = 0; i < n; i++) {
        const struct scenario *s = e[i].at.s;
        const struct facts *f = &s->facts;

        if (!s->encoder_given || !s->preset_given || isnan(e[i].rate_bps))
            continue;
        if (isnan(f->vmaf) && isnan(f->psnr_db) && isnan(f->ssim))
            continue;
        to[count++] =
            (struct point){ &e[i], conditions_by_quality(s) ? f->crf : f->bitrate_bps };
    }
    if (count)
        qsort(to, count, sizeof *to, by_curve);
    for (size_t i = 0; i < count; i++) {
        const struct point *last = kept ? &to[kept - 1] : NULL;

        if (!last || isnan(to[i].asked) || to[i].asked != last->asked ||
            by_name(to[i].e->at.s, last->e->at.s) != 0)
            to[kept++] = to[i];
    }
    return kept;
}

static size_t curves_of(const struct point points[], size_t n, struct curve *to)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        if (i == 0 || by_name(points[i].e->at.s, points[i - 1].e->at.s) != 0)
            to[count++] = (struct curve){ &points[i], 0 };
        to[count - 1].n++;
    }
    return count;
}

static struct view name_of(const struct curve *c, struct buf *text)
{
    const struct scenario *s = c->points->e->at.s;

    buf_release(text);
    buf_view(text, s->encoder);
    buf_char(text, ' ');
    buf_view(text, s->preset);
    return buf_as_view(text);
}

/* Curves come by name, so the first of those with as many points is the one. */
static const struct curve *anchor_of(const struct curve curves[], size_t n,
                                     struct view named, struct buf *text)
{
    const struct curve *found = NULL;

    for (size_t i = 0; i < n; i++)
        if (named.n ? view_eq(name_of(&curves[i], text), named)
                    : !found || curves[i].n > found->n)
            found = &curves[i];
    return found;
}

/* ---- figures --------------------------------------------------------------------------- */

enum metric { METRIC_VMAF, METRIC_PSNR, METRIC_SSIM, METRICS };

static double score(const struct facts *f, enum metric m)
{
    return m == METRIC_VMAF ? f->vmaf : m == METRIC_PSNR ? f->psnr_db : f->ssim;
}

static bool draw(const struct curve *c, enum metric m, struct bd_point *scratch,
                 struct bd_curve *out)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n; i++) {
        const struct compare_entry *e = c->points[i].e;
        double quality = score(&e->at.s->facts, m);

        if (isfinite(quality)) /* PSNR of identical frames is infinite */
            scratch[n++] = (struct bd_point){ e->rate_bps, quality };
    }
    return bd_curve_init(out, scratch, n);
}

struct telling {
    const struct curve *curves;
    size_t count;
    const struct curve *anchor;
    struct buf anchor_name, conditions;
    struct bd_point *scratch; /* room for the longest curve */
    struct series *out;
};

static void tell_one(struct telling *t, const struct curve *c, enum metric m,
                     double percent)
{
    static const char *const names[METRICS] = { "vmaf", "psnr", "ssim" };
    const struct scenario *s = c->points->e->at.s;
    struct labels l = labels_open(t->out);

    labels_add(t->out, &l, "source", s->source);
    labels_add(t->out, &l, "resolution", s->resolution);
    labels_add(t->out, &l, "conditions", buf_as_view(&t->conditions));
    labels_add(t->out, &l, "anchor", buf_as_view(&t->anchor_name));
    labels_add(t->out, &l, "encoder", s->encoder);
    labels_add(t->out, &l, "preset", s->preset);
    labels_add(t->out, &l, "metric", view_of(names[m]));
    series_add(t->out, COMPARE_BD_RATE, l, round(percent * DECIMALS) / DECIMALS);
}

static void tell_metric(struct telling *t, enum metric m)
{
    struct bd_curve anchor, other;

    if (!draw(t->anchor, m, t->scratch, &anchor))
        return;
    for (size_t i = 0; i < t->count; i++) {
        const struct curve *c = &t->curves[i];
        double percent, overlap;

        if (c == t->anchor || !draw(c, m, t->scratch, &other))
            continue;
        percent = bd_rate_percent(&anchor, &other, &overlap);
        if (overlap >= OVERLAP_LEAST && isfinite(percent))
            tell_one(t, c, m, percent);
        bd_curve_deinit(&other);
    }
    bd_curve_deinit(&anchor);
}

void compare_tell_rates(const struct compare_entry e[], size_t n,
                        const struct compare_context *c, struct series *out)
{
    struct point *points = mem_alloc(n * sizeof *points);
    size_t count = points_of(e, n, points);
    struct curve *curves = mem_alloc((count + 1) * sizeof *curves);
    struct telling t = { .curves = curves, .out = out };

    t.count = curves_of(points, count, curves);
    t.anchor = anchor_of(curves, t.count, c->anchor, &t.anchor_name);
    if (t.anchor && t.count > 1) {
        t.scratch = mem_alloc(count * sizeof *t.scratch);
        compare_conditions(e->at.s, &t.conditions);
        name_of(t.anchor, &t.anchor_name);
        for (int m = 0; m < METRICS; m++)
            tell_metric(&t, (enum metric)m);
        free(t.scratch);
    }
    buf_deinit(&t.anchor_name);
    buf_deinit(&t.conditions);
    free(curves);
    free(points);
}
