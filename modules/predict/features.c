/*
 * features.c - points and their columns.
 *
 * An encoder whose presets have a known order is one category and the effort a number; of
 * others each preset is a category of its own. So the levels of "libx264 fast" and
 * "libx264 slow" are learned from each other, those of two unknown words are not.
 */
#include "modules/predict/features.h"

#include "core/mem.h"

#include <math.h>
#include <stdlib.h>

#define USUAL_BITS_PER_PIXEL 0.1
#define USUAL_PIXEL_RATE     1.2e7
#define USUAL_CRF            23
#define CRF_DOUBLES          6 /* a step of 6 halves the rate, about: x264's scale */
#define SIZE_SHARE           0.25

enum kind kind_of(enum target t)
{
    if (t == TARGET_CORE_SECONDS || t == TARGET_ENERGY)
        return KIND_COMPUTE;
    return t == TARGET_POWER ? KIND_POWER : KIND_QUALITY;
}

static void name_point(struct point *p, uint32_t encoder, uint32_t preset,
                       double effort)
{
    p->e = isnan(effort) ? 0 : effort - 0.5;
    p->encoder = encoder;
    p->preset = isnan(effort) ? preset : 0;
    p->by_preset[0] = encoder;
    p->by_preset[1] = preset;
}

/* u, lp and what goes with them; false: not known. */
static bool place_point(struct point *p, enum kind kind, double bps,
                        double picture_rate, double pixel_rate)
{
    p->bits_per_pixel = bps / picture_rate;
    p->pixel_rate = kind == KIND_QUALITY ? picture_rate : pixel_rate;
    p->lp = log(p->pixel_rate / USUAL_PIXEL_RATE);
    p->u = log(p->bits_per_pixel / USUAL_BITS_PER_PIXEL);
    if (kind == KIND_QUALITY)
        p->u += SIZE_SHARE * p->lp;
    p->log_rate = log(bps / 1e6);
    return isfinite(p->u) && isfinite(p->lp);
}

bool point_of_row(const struct row *r, enum kind kind, const struct view texts[],
                  struct point *out)
{
    const struct lesson *l = r->l;
    double picture_rate = l->width * l->height * l->fps;
    double asked = isnan(l->asked_bps) ? l->came_bps : l->asked_bps;
    double bps = kind == KIND_QUALITY && !l->by_quality ? l->came_bps : asked;
    bool placed;

    *out = (struct point){ .streams = (double)l->streams,
                           .outputs = (double)l->outputs,
                           .height = l->height,
                           .real_time = l->real_time };
    name_point(out, r->encoder, r->preset,
               preset_effort(texts[r->encoder], texts[r->preset]));
    if (kind == KIND_POWER_BY_STREAMS)
        return true;
    if (!l->by_quality)
        placed = place_point(out, kind, bps, picture_rate, l->pixel_rate);
    else {
        placed = place_point(out, kind, picture_rate * USUAL_BITS_PER_PIXEL,
                             picture_rate, l->pixel_rate);
        out->u = (USUAL_CRF - l->crf) * log(2) / CRF_DOUBLES;
    }
    /* Ranges are those of what is asked for. */
    if (!l->by_quality)
        out->bits_per_pixel = asked / picture_rate;
    return placed && isfinite(out->u);
}

void point_of_whatif(const struct whatif *w, enum kind kind, double came_bps,
                     uint32_t encoder, uint32_t preset, struct point *out)
{
    double rate = w->width * w->height * w->fps;
    double asked = w->bitrate_kbps * 1000;

    *out = (struct point){ .streams = 1, .outputs = 1, .height = w->height };
    name_point(out, encoder, preset, preset_effort(w->encoder, w->preset));
    place_point(out, kind, kind == KIND_QUALITY ? came_bps : asked, rate, rate);
    out->bits_per_pixel = asked / rate;
}

/* ---- categories ------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    const struct category *x = a, *y = b;

    if (x->encoder != y->encoder)
        return x->encoder < y->encoder ? -1 : 1;
    return (x->preset > y->preset) - (x->preset < y->preset);
}

static int by_count(const void *a, const void *b)
{
    const struct category *x = a, *y = b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return by_key(a, b);
}

/* all[] holds one entry per point. Texts are numbered in the order in which they appear
 * in sorted data, so that numbers stand for them where counts tie. */
static void categories_make(struct categories *c, size_t n)
{
    uint32_t kept = 0;

    qsort(c->all, n, sizeof *c->all, by_key);
    for (size_t i = 0; i < n; i++) {
        if (kept && by_key(&c->all[kept - 1], &c->all[i]) == 0)
            c->all[kept - 1].count++;
        else {
            c->all[kept] = c->all[i];
            c->all[kept++].count = 1;
        }
    }
    qsort(c->all, kept, sizeof *c->all, by_count);
    c->count = kept;
    while (c->own < kept && c->own < CATEGORIES_OWN &&
           c->all[c->own].count >= CATEGORY_LEAST)
        c->own++;
    c->columns = kept <= CATEGORIES_NAMED ? kept : CATEGORIES_NAMED + 1;
}

/* The column of a category; -1: none such was seen. */
static long category_at(const struct categories *c, uint32_t encoder, uint32_t preset)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (c->all[i].encoder == encoder && c->all[i].preset == preset)
            return i < CATEGORIES_NAMED ? (long)i : CATEGORIES_NAMED;
    return -1;
}

/* ---- columns ---------------------------------------------------------------------- */

static uint32_t block_length(const struct design *d, enum block b)
{
    if (b == BLOCK_PRESET)
        return d->presets.columns;
    if (b == BLOCK_ENC)
        return d->encoders.columns;
    return b > BLOCK_ENC ? d->encoders.own : 1;
}

void design_init(struct design *d, const struct point at[], size_t n, uint32_t blocks)
{
    *d = (struct design){ 0 };
    d->encoders.all = mem_alloc((n + 1) * sizeof *d->encoders.all);
    d->presets.all = mem_alloc((n + 1) * sizeof *d->presets.all);
    for (size_t i = 0; i < n; i++) {
        d->encoders.all[i] = (struct category){ at[i].encoder, at[i].preset, 0 };
        d->presets.all[i] =
            (struct category){ at[i].by_preset[0], at[i].by_preset[1], 0 };
    }
    categories_make(&d->encoders, n);
    categories_make(&d->presets, n);
    for (enum block b = BLOCK_ONE; b < BLOCK_COUNT; b++) {
        if (!(blocks & 1u << b))
            continue;
        d->at[b] = d->columns;
        d->len[b] = block_length(d, b);
        d->columns += d->len[b];
    }
}

void design_deinit(struct design *d)
{
    free(d->encoders.all);
    free(d->presets.all);
    *d = (struct design){ 0 };
}

/* The number in a block of one column, or in that of the point's category. */
static double block_value(const struct point *p, enum block b)
{
    switch (b) {
    case BLOCK_U:
    case BLOCK_ENC_U:
        return p->u;
    case BLOCK_U2:
    case BLOCK_ENC_U2:
        return p->u * p->u;
    case BLOCK_E:
    case BLOCK_ENC_E:
        return p->e;
    case BLOCK_EU:
    case BLOCK_ENC_EU:
        return p->e * p->u;
    case BLOCK_ENC_E2:
        return p->e * p->e;
    case BLOCK_LP:
    case BLOCK_ENC_LP:
        return p->lp;
    case BLOCK_STREAMS:
        return p->streams;
    case BLOCK_STREAMS2:
        return p->streams * p->streams;
    case BLOCK_LOG_STREAMS:
        return log(p->streams);
    case BLOCK_LOG_OUTPUTS:
        return log(p->outputs);
    case BLOCK_REAL_TIME:
        return p->real_time;
    case BLOCK_LOG_RATE:
        return p->log_rate;
    default:
        return 1;
    }
}

bool design_row(const struct design *d, const struct point *p, double *x)
{
    long encoder = category_at(&d->encoders, p->encoder, p->preset);
    long preset = category_at(&d->presets, p->by_preset[0], p->by_preset[1]);

    for (uint32_t i = 0; i < d->columns; i++)
        x[i] = 0;
    for (enum block b = BLOCK_ONE; b < BLOCK_COUNT; b++) {
        long column = 0;

        if (b >= BLOCK_ENC)
            column = b == BLOCK_PRESET ? preset : encoder;
        if (column >= 0 && column < (long)d->len[b])
            x[d->at[b] + (uint32_t)column] = block_value(p, b);
    }
    return encoder >= 0;
}

/* ---- forms ------------------------------------------------------------------------ */

uint32_t form_blocks(const struct form *f)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < FORM_BLOCKS; i++)
        bits |= 1u << f->common[i].block | 1u << f->by_group[i].block;
    return bits & ~1u;
}

static size_t terms(const struct form_block blocks[], const struct design *d, double k,
                    struct ridge_term *out)
{
    size_t n = 0;

    for (size_t i = 0; i < FORM_BLOCKS && blocks[i].block != BLOCK_END; i++) {
        double penalty = blocks[i].weight == FREE    ? 0
                         : blocks[i].weight == FIRST ? k
                                                     : 10 * k;

        for (uint32_t c = 0; c < d->len[blocks[i].block]; c++)
            out[n++] = (struct ridge_term){ d->at[blocks[i].block] + c, penalty };
    }
    return n;
}

void form_terms(const struct form *f, const struct design *d, double k,
                struct ridge_term *common, struct ridge_term *by_group,
                struct ridge_form *out)
{
    *out = (struct ridge_form){ .common = common, .by_group = by_group };
    out->common_count = terms(f->common, d, k, common);
    out->by_group_count = terms(f->by_group, d, k, by_group);
}
