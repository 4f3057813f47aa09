/*
 * model.c - lessons of one target and group → what is said of them and of others.
 */
#include "modules/predict/model.h"

#include "core/mem.h"
#include "modules/predict/response.h"

#include <math.h>
#include <stdlib.h>

#define RANGE_BELOW  0.5
#define RANGE_ABOVE  2
#define HEIGHT_ABOVE 1.5
#define ROUNDING     1e-12 /* of double arithmetic, in proportion */

enum { LEARNED_LEAST = 3, SOURCES_LEAST = 3 };

static const struct estimate unknown = { NAN, NAN, NAN };

struct build {
    struct model *m;
    const struct data *d;
    uint32_t *row; /* of each example, in d */
    struct point *at;
    double *y, *measured; /* outliers lose their y */
    uint32_t *source;
    size_t *of_source; /* learned from, by source */
    struct examples e;
};

/* ---- examples --------------------------------------------------------------------- */

static void add(struct build *b, uint32_t row, uint32_t *last)
{
    const struct row *r = &b->d->rows[row];
    struct examples *e = &b->e;
    struct point *p = &b->at[e->n];

    if (!point_of_row(r, b->m->kind, b->d->texts, p))
        return;
    if (e->sources == 0 || r->source != *last)
        e->sources++;
    *last = r->source;
    b->row[e->n] = row;
    b->source[e->n] = e->sources - 1;
    b->measured[e->n] = r->l->y[e->target];
    b->y[e->n] = response(e->target, r->l->y[e->target]) - offset_of(e->target, p);
    if (!isnan(b->y[e->n]))
        b->m->by_quality = r->l->by_quality;
    e->n++;
}

static void build_init(struct build *b, const uint32_t rows[], size_t n)
{
    uint32_t last = 0;

    b->row = mem_alloc((n + 1) * sizeof *b->row);
    b->at = mem_alloc((n + 1) * sizeof *b->at);
    b->y = mem_alloc((n + 1) * sizeof *b->y);
    b->measured = mem_alloc((n + 1) * sizeof *b->measured);
    b->source = mem_alloc((n + 1) * sizeof *b->source);
    b->e = (struct examples){ .target = b->m->target,
                              .data = b->d,
                              .at = b->at,
                              .y = b->y,
                              .source = b->source };
    for (size_t i = 0; i < n; i++)
        add(b, rows[i], &last);
}

static void build_deinit(struct build *b)
{
    free(b->row);
    free(b->at);
    free(b->y);
    free(b->measured);
    free(b->source);
    free(b->of_source);
}

/* ---- ranges ----------------------------------------------------------------------- */

static void widen(struct range *r, double v)
{
    if (isnan(r->low) || v < r->low)
        r->low = v;
    if (isnan(r->high) || v > r->high)
        r->high = v;
}

/* The encoder's; NULL: it was not seen. */
static struct effort_range *efforts_of(const struct model *m, uint32_t encoder)
{
    for (size_t i = 0; i < m->effort_count; i++)
        if (m->efforts[i].encoder == encoder)
            return &m->efforts[i];
    return NULL;
}

static void see_effort(struct model *m, const struct point *at)
{
    struct effort_range *r = efforts_of(m, at->encoder);

    if (!r) {
        m->efforts = mem_resize(m->efforts, m->effort_count + 1, sizeof *m->efforts);
        r = &m->efforts[m->effort_count++];
        *r = (struct effort_range){ at->encoder, { NAN, NAN } };
    }
    widen(&r->e, at->e);
}

/* Of the examples that are learned from; how many these are of each source, too. */
static void survey(struct build *b)
{
    struct model *m = b->m;

    m->bits_per_pixel = m->pixel_rate = m->streams = (struct range){ NAN, NAN };
    m->height_max = 0;
    m->effort_count = 0;
    b->of_source = mem_zalloc((b->e.sources + 1) * sizeof *b->of_source);
    for (size_t i = 0; i < b->e.n; i++) {
        if (isnan(b->y[i]))
            continue;
        b->of_source[b->source[i]]++;
        widen(&m->bits_per_pixel, b->at[i].bits_per_pixel);
        widen(&m->pixel_rate, b->at[i].pixel_rate);
        widen(&m->streams, b->at[i].streams);
        see_effort(m, &b->at[i]);
        if (b->at[i].height > m->height_max)
            m->height_max = b->at[i].height;
    }
}

static bool within(const struct range *r, double v)
{
    return v >= RANGE_BELOW * r->low && v <= RANGE_ABOVE * r->high;
}

/* An encoder that was not seen is somebody else's to refuse. */
static bool tries_as_seen(const struct model *m, const struct point *at)
{
    const struct effort_range *r = efforts_of(m, at->encoder);

    return !r || (at->e >= r->e.low && at->e <= r->e.high);
}

/* Within 0.5 to 2 times of what was learned from, no higher than 1.5 times, and between the
 * fastest and the slowest preset that its encoder was seen with. */
static bool in_range(const struct model *m, const struct point *at)
{
    if (!within(&m->streams, at->streams))
        return false;
    if (m->kind == KIND_POWER_BY_STREAMS)
        return true;
    return tries_as_seen(m, at) && within(&m->pixel_rate, at->pixel_rate) &&
           at->height <= HEIGHT_ABOVE * m->height_max &&
           (m->by_quality || within(&m->bits_per_pixel, at->bits_per_pixel));
}

/* ---- reports ---------------------------------------------------------------------- */

static void report(struct build *b, enum scope scope, const struct score *s,
                   const struct form *form, double condition, size_t outliers,
                   struct view group, const char *name)
{
    struct model *m = b->m;
    uint32_t sources = 0;

    for (uint32_t i = 0; i < b->e.sources; i++)
        sources += b->of_source[i] > 0;
    if (s->n == 0 || !isfinite(score_rmse(s)))
        return;
    m->reports[m->report_count++] = (struct model_report){
        .target = m->target,
        .scope = scope,
        .group = group,
        .model = name,
        .features = view_of(form->features),
        .r2 = round4(score_r2(s)),
        .rmse = round4(score_rmse(s)),
        .coverage = round4(score_coverage(s)),
        .condition = round4(condition),
        .samples = (uint32_t)m->learned,
        .sources = sources,
        .left_out = (uint32_t)outliers,
    };
}

/* What a prediction of each example that was learned from is worth. */
static void judge(const struct build *b, const double *value, const double *half,
                  bool others_of_source, struct score *s)
{
    for (size_t i = 0; i < b->e.n; i++) {
        double offset = offset_of(b->e.target, &b->at[i]);
        double back;

        if (isnan(b->y[i]) || !isfinite(value[i]) ||
            (others_of_source && b->of_source[b->source[i]] < 2))
            continue;
        back = response_back(b->e.target, value[i] + offset);
        if (isfinite(back))
            score_add(s, b->measured[i], back,
                      fabs(b->y[i] - value[i]) <= half[i] + ROUNDING * fabs(b->y[i]));
    }
}

/* ---- the fits --------------------------------------------------------------------- */

static void say(const struct build *b, const struct known *k, struct estimate said[])
{
    for (size_t i = 0; i < b->e.n; i++) {
        double offset = offset_of(b->e.target, &b->at[i]);

        if (isnan(b->y[i]) && !in_range(b->m, &b->at[i]))
            continue;
        said[b->row[i]] = round4_estimate(
            response_estimate(b->e.target, offset, k->left_out[i], k->half[i]));
    }
}

static size_t distinct_streams(const struct build *b)
{
    double seen[8];
    size_t n = 0;

    for (size_t i = 0; i < b->e.n && n < 8; i++) {
        size_t k = 0;

        while (k < n && seen[k] != b->at[i].streams)
            k++;
        if (k == n && !isnan(b->y[i]))
            seen[n++] = b->at[i].streams;
    }
    return n;
}

static const char *name_of(const struct form *f, bool pooled)
{
    return pooled && f->by_group[0].block != BLOCK_END ? "ridge" : f->model;
}

/* Sources with something to learn from. */
static uint32_t learned_sources(const struct build *b)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < b->e.sources; i++)
        n += b->of_source[i] > 0;
    return n;
}

static void learn_known(struct build *b, struct view group, struct estimate said[],
                        size_t *outliers)
{
    struct forms forms = forms_known(b->m->kind, distinct_streams(b));
    bool pooled = learned_sources(b) < 2 || b->m->kind == KIND_POWER_BY_STREAMS;
    struct known k;
    struct score s = { 0 };

    if (!known_fit(&b->e, &forms, pooled, &k, NULL))
        return;
    *outliers = k.outliers;
    b->m->learned = k.learned;
    free(b->of_source);
    survey(b);
    judge(b, k.left_out, k.half, !pooled, &s);
    report(b, SCOPE_KNOWN, &s, k.form, k.condition, k.outliers, group,
           name_of(k.form, pooled));
    say(b, &k, said);
    known_deinit(&k);
}

static void learn_new(struct build *b, struct view group, size_t outliers,
                      bool keep_line)
{
    struct forms forms = forms_new(b->m->kind);
    struct unseen u;
    struct score s = { 0 };

    if (!unseen_fit(&b->e, &forms, &u))
        return;
    judge(b, u.value, u.half, false, &s);
    report(b, SCOPE_NEW, &s, u.line.form, u.condition, outliers, group,
           u.line.form->model);
    b->m->r2 = score_r2(&s);
    if (keep_line) {
        b->m->line = u.line;
        u.line = (struct predictor){ 0 };
    }
    unseen_deinit(&u);
}

/* Too few sources to tell them apart from each other: all are one population. */
static void learn_pooled(struct build *b)
{
    struct forms forms = forms_known(b->m->kind, distinct_streams(b));
    struct known k;
    struct score s = { 0 };

    if (!known_fit(&b->e, &forms, true, &k, &b->m->line))
        return;
    judge(b, k.left_out, k.half, false, &s);
    b->m->r2 = score_r2(&s);
    known_deinit(&k);
}

void model_make(struct model *m, const struct data *d, enum target t, enum kind k,
                const uint32_t rows[], size_t n, struct view group_text, bool keep_line,
                struct estimate said[])
{
    struct build b = { .m = m, .d = d };
    size_t outliers = 0, learnable = 0;

    *m = (struct model){ .target = t, .kind = k, .r2 = NAN };
    build_init(&b, rows, n);
    survey(&b);
    for (uint32_t i = 0; i < b.e.sources; i++)
        learnable += b.of_source[i];
    if (learnable >= LEARNED_LEAST)
        learn_known(&b, group_text, said, &outliers);
    if (m->learned > 0 && k != KIND_POWER_BY_STREAMS) {
        if (learned_sources(&b) >= SOURCES_LEAST)
            learn_new(&b, group_text, outliers, keep_line);
        else if (keep_line)
            learn_pooled(&b);
    }
    build_deinit(&b);
}

void model_deinit(struct model *m)
{
    predictor_deinit(&m->line);
    free(m->efforts);
    *m = (struct model){ 0 };
}

/* ---- encodes that nobody has made ------------------------------------------------- */

struct estimate model_at(const struct model *m, const struct point *at,
                         double *confidence)
{
    double value, half, leverage;
    struct estimate e;

    *confidence = NAN;
    if (m->learned == 0 || !in_range(m, at) ||
        !predictor_at(&m->line, at, &value, &half, &leverage))
        return unknown;
    e = response_estimate(m->target, offset_of(m->target, at), value, half);
    if (!isnan(e.value) && !isnan(m->r2))
        *confidence = fmax(m->r2, 0) / sqrt(1 + leverage);
    return e;
}
