/*
 * fuzz_predict.c - any bytes as results files, of which predictions are made. A zero byte
 * ends one file and begins the next.
 *
 * Beyond not crashing: every number that is told is finite, lies within its own interval and
 * within what its quantity can be; nothing is said beyond the range of what was learned; and
 * neither the order of the files nor a second fit changes a byte of it.
 */
#include "core/json.h"
#include "core/mem.h"
#include "core/results.h"
#include "modules/predict/tell.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 4, ASKED_MAX = 4, SCENARIOS_MAX = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

static bool tariff(void *ctx, struct view region, struct tariff *out)
{
    (void)ctx;
    (void)region;
    *out = (struct tariff){ .in = { { "SEK", 2, NAN }, { "USD", 0.2, 0.5 } },
                            .count = 2,
                            .usd = { "USD", 0.2, 0.5 },
                            .co2_kg_per_kwh = 0.5 };
    return true;
}

static const struct tell_context context = { .tariff = tariff,
                                             .version = "1.0.0",
                                             .model_update_s = 1700000000 };

struct learned {
    const struct run *runs[FILES_MAX];
    const struct lessons *lessons[FILES_MAX];
    size_t count; /* of both */
};

/* ---- files → lessons --------------------------------------------------------------- */

static void learn_file(struct learned *l, const uint8_t *data, size_t size)
{
    char id[2] = { (char)('a' + (char)l->count), 0 };
    struct results_parser *p = results_parser_new();
    const struct run *run = NULL;
    struct results_notes notes;
    struct buf b = { 0 };
    struct err e = { 0 };

    buf_add(&b, data, size);
    for (int i = 0; i < RESULTS_PADDING; i++)
        buf_char(&b, '}');
    if (results_parse(p, (struct view){ b.p, size }, view_of(id), NULL, SCENARIOS_MAX,
                      &run, &notes, &e) == RESULTS_OK) {
        const struct lessons *of = lessons_of(run);

        if (of) {
            must(of->count <= run->count, "a scenario teaches one lesson at most");
            l->runs[l->count] = run_ref(run);
            l->lessons[l->count++] = of;
        }
        run_unref(run);
    }
    results_parser_free(p);
    buf_deinit(&b);
}

static void learn(struct learned *l, const uint8_t *data, size_t size)
{
    while (l->count < FILES_MAX) {
        const uint8_t *end = size ? memchr(data, 0, size) : NULL;
        size_t n = end ? (size_t)(end - data) : size;

        learn_file(l, data, n);
        if (!end)
            return;
        data += n + 1;
        size -= n + 1;
    }
}

static void learned_deinit(struct learned *l)
{
    for (size_t i = 0; i < l->count; i++) {
        run_unref(l->runs[i]);
        lessons_unref(l->lessons[i]);
    }
}

/* ---- what to ask ------------------------------------------------------------------- */

static void ask_as(struct whatif_list *list, const struct lessons *of, uint32_t k)
{
    const struct lesson *x = &of->of[k];
    bool names = k % 2 == 0;

    if (!(x->asked_bps > 0 && x->width > 0 && x->height > 0 && x->fps > 0))
        return;
    list->all[list->count++] = (struct whatif){
        .name = VIEW("seen"),
        .bitrate_kbps = x->asked_bps / 1000,
        .width = x->width,
        .height = x->height,
        .fps = x->fps,
        .encoder = names ? of->texts[x->encoder] : VIEW(""),
        .preset = names ? of->texts[x->preset] : VIEW(""),
    };
}

/* The usual ones, and the first lessons' own sizes and rates, which are within the data.
 * Texts are borrowed. */
static void ask(const struct learned *l, const struct whatif_list *usual,
                struct whatif_list *list)
{
    size_t most = usual->count + ASKED_MAX;

    list->all = mem_alloc(most * sizeof *list->all);
    memcpy(list->all, usual->all, usual->count * sizeof *list->all);
    list->count = usual->count;
    list->target_vmaf = usual->target_vmaf;
    for (size_t i = 0; i < l->count; i++) {
        const struct lessons *of = l->lessons[i];

        for (uint32_t k = 0; k < of->count && list->count < most; k++)
            ask_as(list, of, k);
    }
}

/* ---- what is said ------------------------------------------------------------------ */

static void check_estimate(const struct estimate *e, double least, double most)
{
    if (isnan(e->value))
        return;
    must(isfinite(e->value), "what is predicted is finite");
    must(e->value >= least && e->value <= most, "what is predicted can be");
    must(isnan(e->low) || (e->low >= least && e->low <= e->value),
         "the low end is not above the value");
    must(isnan(e->high) || (isfinite(e->high) && e->high >= e->value),
         "the high end is not below the value");
}

static void check_whatif(const struct whatif_outlook *w)
{
    check_estimate(&w->vmaf, 0, 100);
    check_estimate(&w->psnr_db, 0, INFINITY);
    check_estimate(&w->ssim, 0, 1);
    check_estimate(&w->core_seconds, 0, INFINITY);
    check_estimate(&w->energy_j, 0, INFINITY);
    check_estimate(&w->power_w, 0, INFINITY);
    check_estimate(&w->recommended_kbps, 1, INFINITY);
    for (size_t t = 0; t < TARGET_COUNT; t++)
        must(isnan(w->confidence[t]) ||
                 (w->confidence[t] >= 0 && w->confidence[t] <= 1),
             "confidence is 0 to 1");
}

static bool says_nothing(const struct whatif_outlook *w)
{
    return isnan(w->vmaf.value) && isnan(w->psnr_db.value) && isnan(w->ssim.value) &&
           isnan(w->core_seconds.value) && isnan(w->energy_j.value) &&
           isnan(w->power_w.value);
}

/* Beyond everything that any lesson was. */
static void check_range(const struct learned *l, const struct whatif_outlook *w)
{
    double height = 0, least = INFINITY, most = 0;
    double at =
        w->what.bitrate_kbps * 1000 / (w->what.width * w->what.height * w->what.fps);
    bool by_quality = false;

    for (size_t i = 0; i < l->count; i++)
        for (uint32_t k = 0; k < l->lessons[i]->count; k++) {
            const struct lesson *x = &l->lessons[i]->of[k];
            double bps = isnan(x->asked_bps) ? x->came_bps : x->asked_bps;
            double u = bps / (x->width * x->height * x->fps);

            height = fmax(height, x->height);
            least = fmin(least, u);
            most = fmax(most, u);
            by_quality |= x->by_quality;
        }
    must(w->what.height <= 1.5 * height || says_nothing(w),
         "nothing is said above 1.5 times the height of the data");
    must(by_quality || (at >= 0.499 * least && at <= 2.001 * most) || says_nothing(w),
         "nothing is said beyond the data's bits per pixel");
}

static void check_models(const struct outlook *o)
{
    size_t count = 0;
    const struct model_report *m = outlook_models(o, &count);

    for (size_t i = 0; i < count; i++) {
        must(!(m[i].r2 > 1), "R2 is at most 1");
        must(!(m[i].rmse < 0), "an error is not negative");
        must(isnan(m[i].coverage) || (m[i].coverage >= 0 && m[i].coverage <= 1),
             "coverage is 0 to 1");
        must(m[i].samples >= 3, "a model has three samples at least");
    }
}

/* ---- what is told ------------------------------------------------------------------ */

static const struct sample *end_of(const struct series *s, const struct family *all,
                                   uint16_t count, const struct sample *of,
                                   const char *end)
{
    char name[200];

    snprintf(name, sizeof name, "%s%s", all[of->family].name, end);
    for (uint16_t f = 0; f < count; f++)
        for (size_t i = 0; i < s->count && strcmp(all[f].name, name) == 0; i++)
            if (s->samples[i].family == f && s->samples[i].labels.at == of->labels.at)
                return &s->samples[i];
    return NULL;
}

static void check_told(enum tell_on on, const struct series *s)
{
    struct tell_families f = tell_families(on);

    for (size_t i = 0; i < s->count; i++) {
        const struct sample *x = &s->samples[i];
        const struct sample *low = end_of(s, f.all, f.count, x, "_low");
        const struct sample *high = end_of(s, f.all, f.count, x, "_high");

        must(isfinite(x->value), "what is told is finite");
        must(!low || low->value <= x->value, "the low end told is not above the value");
        must(!high || high->value >= x->value,
             "the high end told is not below the value");
    }
}

/* All that is told, in one piece. */
static void tell_all(const struct learned *l, const struct outlook *o, struct buf *out)
{
    for (enum tell_on on = TELL_RESULTS; on < TELL_ON_COUNT; on++) {
        struct series s = { 0 };

        tell_overall(on, o, &context, &s);
        for (size_t i = 0; i < l->count && on == TELL_RESULTS; i++)
            for (uint32_t k = 0; k < l->runs[i]->count; k++) {
                const struct run *run = l->runs[i];
                struct place at = { run, run->scenarios[k], run_baseline(run),
                                    run->ordinals[k] };

                tell_scenario(o, &at, k, &context, &s);
            }
        check_told(on, &s);
        buf_view(out, buf_as_view(&s.text));
        for (size_t i = 0; i < s.count; i++)
            buf_fmt(out, "%u %.17g\n", s.samples[i].family, s.samples[i].value);
        series_deinit(&s);
    }
}

static void tell_one(const struct outlook *o, const struct whatif *what)
{
    struct json_parser *p = json_parser_new();
    struct buf text = { 0 }, json = { 0 };
    const struct json_value *doc;
    struct arena mem = { 0 };
    struct err e = { 0 };
    bool says = tell_person(o, what, 93, &context, false, &text);

    must(tell_person(o, what, 93, &context, true, &json) == says,
         "text and JSON know as much");
    must(json_parse(p, buf_as_view(&json), &mem, &doc, &e) == 0, "JSON is JSON");
    arena_deinit(&mem);
    buf_deinit(&text);
    buf_deinit(&json);
    json_parser_free(p);
}

/* ---- all of it --------------------------------------------------------------------- */

static void check(const struct learned *l, const struct whatif_list *list,
                  const struct outlook *o)
{
    size_t count = 0;
    const struct whatif_outlook *w = outlook_whatifs(o, &count);

    must(count == list->count, "every configuration is looked at");
    check_models(o);
    for (size_t i = 0; i < count; i++) {
        check_whatif(&w[i]);
        check_range(l, &w[i]);
    }
    for (size_t i = 0; i < l->count; i++)
        for (uint32_t k = 0; k < l->runs[i]->count; k++) {
            const struct scenario_outlook *s = outlook_scenario(o, l->runs[i]->id, k);

            must(s != NULL, "a run that teaches is looked at");
            check_estimate(&s->power_w, 0, INFINITY);
        }
    tell_one(o, &list->all[list->count - 1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct lessons *backwards[FILES_MAX];
    struct buf first = { 0 }, again = { 0 };
    struct learned l = { 0 };
    struct whatif_list usual, list;
    struct err e = { 0 };
    struct outlook *o;

    must(whatif_read((struct view){ NULL, 0 }, "", 93, &usual, &e) == 0,
         "there are configurations without a file");
    learn(&l, data, size);
    for (size_t i = 0; i < l.count; i++)
        backwards[i] = l.lessons[l.count - 1 - i];
    ask(&l, &usual, &list);
    o = outlook_new(l.lessons, l.count, &list);
    check(&l, &list, o);
    tell_all(&l, o, &first);
    outlook_free(o);

    o = outlook_new(backwards, l.count, &list);
    tell_all(&l, o, &again);
    must(view_eq(buf_as_view(&first), buf_as_view(&again)),
         "the order of arrival changes nothing");
    outlook_free(o);

    whatif_deinit(&list);
    whatif_deinit(&usual);
    buf_deinit(&first);
    buf_deinit(&again);
    learned_deinit(&l);
    return 0;
}
