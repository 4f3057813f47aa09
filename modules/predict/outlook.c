/*
 * outlook.c - lessons → what is to be expected.
 *
 * Everything that stays lies in one arena or belongs to a model; the lessons are not kept.
 * Of each target only the models of its largest group answer for encodes that nobody has
 * made: others answer for the encodes that they were learned from, and go.
 */
#include "modules/predict/outlook.h"

#include "core/hash.h"
#include "core/mem.h"
#include "modules/predict/asked.h"
#include "modules/predict/groups.h"
#include "modules/predict/model.h"
#include "modules/predict/recommend.h"
#include "modules/predict/response.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Part of every version: another way to fit is another model. */
#define METHOD 1

struct outlook {
    struct arena mem;
    struct view *texts;
    uint32_t text_count;
    struct categories pairs; /* of encoder and preset, most frequent first */
    uint64_t lessons;
    char version[17];
    struct model of[TARGET_COUNT];
    struct asked asked;
    struct model_report *reports;
    size_t report_count, report_room;
    struct whatif_outlook *whatifs;
    size_t whatif_count;
    struct run_outlook *runs; /* by id */
    size_t run_count;
};

static const struct estimate unknown = { NAN, NAN, NAN };

const char *scope_name(enum scope s)
{
    return s == SCOPE_KNOWN ? "known_source" : "new_source";
}

/* ---- models ----------------------------------------------------------------------- */

/* What sets the group apart, also from one of the same text that knows more. */
static struct view group_text(struct outlook *o, const struct groups *all,
                              const struct group *g)
{
    struct view text = o->texts[g->text];
    struct buf b = { 0 };
    bool alone = true;

    for (size_t i = 0; i < all->count; i++)
        alone = alone && (all->all[i].text != g->text || all->all[i].kind == g->kind);
    if (alone || g->kind != KIND_POWER_BY_STREAMS)
        return text;
    buf_view(&b, text);
    buf_str(&b, text.n ? ",known=streams" : "known=streams");
    text = arena_copy(&o->mem, buf_as_view(&b));
    buf_deinit(&b);
    return text;
}

static void take_reports(struct outlook *o, const struct model *m)
{
    for (size_t i = 0; i < m->report_count; i++) {
        if (o->report_count == o->report_room) {
            o->report_room = o->report_room ? 2 * o->report_room : 16;
            o->reports = mem_resize(o->reports, o->report_room, sizeof *o->reports);
        }
        o->reports[o->report_count++] = m->reports[i];
    }
}

static void learn(struct outlook *o, const struct data *d, enum target t,
                  struct estimate said[])
{
    struct groups g;
    const struct group *main_group;

    for (size_t i = 0; i < d->count; i++)
        said[i] = unknown;
    groups_init(&g, d, t);
    main_group = groups_main(&g);
    for (size_t i = 0; i < g.count && !data_unwanted(d); i++) {
        const struct group *one = &g.all[i];
        struct model m;

        model_make(&m, d, t, one->kind, one->rows, one->n, group_text(o, &g, one),
                   one == main_group, said);
        take_reports(o, &m);
        if (one == main_group)
            o->of[t] = m;
        else
            model_deinit(&m);
    }
    for (size_t i = 0; i < d->count; i++)
        if (d->rows[i].copy_of != ROW_ITSELF)
            said[i] = said[d->rows[i].copy_of];
    groups_deinit(&g);
}

/* ---- scenarios -------------------------------------------------------------------- */

static void make_runs(struct outlook *o, const struct data *d)
{
    o->run_count = d->run_count;
    o->runs = arena_new(&o->mem, struct run_outlook, d->run_count + 1);
    for (size_t i = 0; i < d->run_count; i++) {
        const struct lessons *l = d->runs[i];
        struct run_outlook *r = &o->runs[i];

        r->id = arena_copy(&o->mem, l->id);
        r->count = l->scenario_count;
        r->of = arena_new(&o->mem, struct scenario_outlook, l->scenario_count + 1);
        for (uint32_t k = 0; k < r->count; k++)
            r->of[k] = (struct scenario_outlook){ unknown, NAN, NAN, NAN };
    }
}

/* Products and quotients that no double holds, or only as 0, are not known. */
static double figure(double v)
{
    double rounded = round4(v);

    return isfinite(rounded) && rounded > 0 ? rounded : (double)NAN;
}

static void say_scenarios(struct outlook *o, const struct data *d, enum target t,
                          const struct estimate said[])
{
    for (size_t i = 0; i < d->count; i++) {
        const struct row *r = &d->rows[i];
        struct scenario_outlook *s = &o->runs[r->run].of[r->l->index];

        if (isnan(said[i].value))
            continue;
        if (t == TARGET_POWER)
            s->power_w = said[i];
        else if (t == TARGET_CORE_SECONDS)
            s->core_seconds = figure(said[i].value * r->l->content_s);
        else if (t == TARGET_ENERGY) {
            s->energy_j = figure(said[i].value * r->l->content_s);
            s->efficiency = figure(r->l->pixel_rate / said[i].value);
        }
    }
}

/* Where nothing is learned of energy, but of power: an encode in real time takes as long
 * as its content. */
static void say_energy(struct outlook *o, const struct data *d)
{
    for (size_t i = 0; i < d->count; i++) {
        const struct lesson *l = d->rows[i].l;
        struct scenario_outlook *s = &o->runs[d->rows[i].run].of[l->index];

        if (!isnan(s->energy_j) || !l->real_time || !(s->power_w.value > 0))
            continue;
        s->energy_j = figure(s->power_w.value * l->content_s);
        s->efficiency = figure(l->pixel_rate / s->power_w.value);
    }
}

/* ---- encodes that nobody has made ------------------------------------------------- */

struct question {
    const struct outlook *o;
    const struct whatif *what;
    uint32_t encoder, preset;
    enum target target;
};

static struct estimate answer(const struct question *q, double kbps, double *confidence)
{
    const struct model *m = &q->o->of[q->target];
    struct whatif w = *q->what;
    struct point at;
    double came;

    *confidence = NAN;
    if (m->learned == 0)
        return unknown;
    w.bitrate_kbps = kbps;
    came = asked_comes(&q->o->asked, &w, q->encoder, q->preset);
    point_of_whatif(&w, m->kind, came, q->encoder, q->preset, &at);
    return model_at(m, &at, confidence);
}

static struct estimate at_rate(const void *ctx, double kbps)
{
    double confidence;

    return answer(ctx, kbps, &confidence);
}

static struct estimate recommended(struct question *q, double target_vmaf)
{
    const struct model *m = &q->o->of[TARGET_VMAF];
    const struct recommend_curve curve = { at_rate, q };
    double pixels_k = q->what->width * q->what->height * q->what->fps / 1000;

    q->target = TARGET_VMAF;
    if (m->learned == 0)
        return unknown;
    /* A hair within the range in which model_at() answers. */
    return recommend(&curve, 0.5 * m->bits_per_pixel.low * pixels_k * (1 + 1e-9),
                     2 * m->bits_per_pixel.high * pixels_k * (1 - 1e-9), target_vmaf);
}

/* Fills in what the question leaves open. */
static void complete(struct question *q, struct whatif *w)
{
    const struct outlook *o = q->o;

    q->encoder = w->encoder.n ? data_text(o->texts, o->text_count, w->encoder) : 0;
    q->preset = w->preset.n ? data_text(o->texts, o->text_count, w->preset) : 0;
    for (uint32_t i = 0; i < o->pairs.count && !(w->encoder.n && w->preset.n); i++) {
        const struct category *c = &o->pairs.all[i];

        if (c->encoder == 0 || (q->encoder && c->encoder != q->encoder) ||
            (q->preset && c->preset != q->preset))
            continue;
        q->encoder = c->encoder;
        q->preset = c->preset;
        w->encoder = o->texts[c->encoder];
        w->preset = o->texts[c->preset];
        return;
    }
}

void outlook_ask(const struct outlook *o, const struct whatif *what, double target_vmaf,
                 struct whatif_outlook *out)
{
    struct question q = { .o = o };
    struct estimate *const to[TARGET_COUNT] = {
        &out->core_seconds, &out->energy_j, &out->power_w,
        &out->vmaf,         &out->psnr_db,  &out->ssim,
    };

    out->what = *what;
    out->target_vmaf = target_vmaf;
    complete(&q, &out->what);
    q.what = &out->what;
    for (size_t t = 0; t < TARGET_COUNT; t++) {
        q.target = (enum target)t;
        *to[t] =
            round4_estimate(answer(&q, out->what.bitrate_kbps, &out->confidence[t]));
        out->confidence[t] = round4(out->confidence[t]);
    }
    out->recommended_kbps = recommended(&q, target_vmaf);
}

static void ask_all(struct outlook *o, const struct whatif_list *l)
{
    o->whatif_count = l->count;
    o->whatifs = arena_new(&o->mem, struct whatif_outlook, l->count + 1);
    for (size_t i = 0; i < l->count; i++) {
        struct whatif w = l->all[i];

        w.name = arena_copy(&o->mem, w.name);
        w.encoder = arena_copy(&o->mem, w.encoder);
        w.preset = arena_copy(&o->mem, w.preset);
        outlook_ask(o, &w, l->target_vmaf, &o->whatifs[i]);
    }
}

/* ---- all of it -------------------------------------------------------------------- */

static void make_version(struct outlook *o, const struct data *d,
                         const struct whatif_list *l)
{
    struct buf b = { 0 };
    struct hash h;

    buf_u64(&b, METHOD);
    for (size_t i = 0; i < d->run_count; i++)
        buf_add(&b, d->runs[i]->hash, sizeof d->runs[i]->hash);
    buf_double(&b, l->target_vmaf);
    for (size_t i = 0; i < l->count; i++) {
        const struct whatif *w = &l->all[i];

        buf_fmt(&b, "|%zu,%zu,%zu:", w->name.n, w->encoder.n, w->preset.n);
        buf_view(&b, w->name);
        buf_view(&b, w->encoder);
        buf_view(&b, w->preset);
        buf_fmt(&b, "%.17g,%.17g,%.17g,%.17g", w->bitrate_kbps, w->width, w->height,
                w->fps);
    }
    h = hash_of(buf_as_view(&b), 0);
    buf_deinit(&b);
    snprintf(o->version, sizeof o->version, "%016llx", (unsigned long long)h.part[0]);
}

static void count_pairs(struct outlook *o, const struct data *d)
{
    struct point *at = mem_alloc((d->count + 1) * sizeof *at);
    struct design pairs;

    for (size_t i = 0; i < d->count; i++)
        at[i] =
            (struct point){ .by_preset = { d->rows[i].encoder, d->rows[i].preset } };
    design_init(&pairs, at, d->count, 0);
    o->pairs = pairs.presets;
    pairs.presets = (struct categories){ 0 };
    design_deinit(&pairs);
    free(at);
}

struct outlook *outlook_new_unless(const atomic_bool *stop,
                                   const struct lessons *const all[], size_t count,
                                   const struct whatif_list *whatifs)
{
    struct outlook *o = mem_zalloc(sizeof *o);
    struct estimate *said;
    struct data d;

    data_init(&d, all, count, &o->mem);
    d.stop = stop;
    o->texts = d.texts;
    o->text_count = d.text_count;
    o->lessons = d.count;
    make_version(o, &d, whatifs);
    count_pairs(o, &d);
    make_runs(o, &d);
    asked_make(&o->asked, &d);
    said = mem_alloc((d.count + 1) * sizeof *said);
    for (size_t t = 0; t < TARGET_COUNT && !data_unwanted(&d); t++) {
        learn(o, &d, (enum target)t, said);
        say_scenarios(o, &d, (enum target)t, said);
    }
    say_energy(o, &d);
    free(said);
    if (data_unwanted(&d)) {
        outlook_free(o);
        o = NULL;
    } else {
        ask_all(o, whatifs);
    }
    data_deinit(&d);
    return o;
}

struct outlook *outlook_new(const struct lessons *const all[], size_t count,
                            const struct whatif_list *whatifs)
{
    return outlook_new_unless(NULL, all, count, whatifs);
}

void outlook_free(struct outlook *o)
{
    if (!o)
        return;
    for (size_t t = 0; t < TARGET_COUNT; t++)
        model_deinit(&o->of[t]);
    asked_deinit(&o->asked);
    free(o->pairs.all);
    free(o->reports);
    arena_deinit(&o->mem);
    free(o);
}

const char *outlook_version(const struct outlook *o)
{
    return o->version;
}

uint64_t outlook_lessons(const struct outlook *o)
{
    return o->lessons;
}

const struct model_report *outlook_models(const struct outlook *o, size_t *count)
{
    *count = o->report_count;
    return o->reports;
}

const struct whatif_outlook *outlook_whatifs(const struct outlook *o, size_t *count)
{
    *count = o->whatif_count;
    return o->whatifs;
}

const struct scenario_outlook *outlook_scenario(const struct outlook *o,
                                                struct view run_id, uint32_t index)
{
    size_t low = 0, high = o->run_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (view_cmp(o->runs[middle].id, run_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == o->run_count || !view_eq(o->runs[low].id, run_id) ||
        index >= o->runs[low].count)
        return NULL;
    return &o->runs[low].of[index];
}
