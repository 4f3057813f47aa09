/*
 * made_lessons.h - lessons by hand, and what every outlook of any lessons must be.
 */
#ifndef TESTS_UNIT_MADE_LESSONS_H
#define TESTS_UNIT_MADE_LESSONS_H

#include "tests/unit/test.h"

#include "core/mem.h"
#include "modules/predict/outlook.h"

#include <stdlib.h>

enum { MADE_MAX = 400, TEXTS_MAX = 80 };

struct made { /* one run */
    struct lessons l;
    struct lesson of[MADE_MAX];
    struct view texts[TEXTS_MAX];
    char names[TEXTS_MAX][32];
};

static inline uint16_t text_of(struct made *m, const char *text)
{
    uint32_t i = 0;

    while (i < m->l.text_count && !view_eq(m->texts[i], view_of(text)))
        i++;
    if (i == m->l.text_count) {
        assert_true(i < TEXTS_MAX);
        snprintf(m->names[i], sizeof m->names[i], "%s", text);
        m->texts[i] = view_of(m->names[i]);
        m->l.text_count++;
    }
    return (uint16_t)i;
}

static inline struct made *made_new(const char *id)
{
    struct made *m = mem_zalloc(sizeof *m);

    m->l.id = view_of(id);
    m->l.of = m->of;
    m->l.texts = m->texts;
    m->l.text_count = 1;
    return m;
}

/* 640x360 at 25 fps for 10 s: 0.1 bits per pixel are 576 kbit/s. */
static inline struct lesson *made_add(struct made *m, const char *source,
                                      const char *encoder, const char *preset,
                                      double kbps)
{
    struct lesson *l = &m->of[m->l.count];

    assert_true(m->l.count < MADE_MAX);
    *l = (struct lesson){ .index = m->l.count++,
                          .streams = 1,
                          .outputs = 1,
                          .width = 640,
                          .height = 360,
                          .fps = 25,
                          .pixel_rate = 5760000,
                          .asked_bps = kbps * 1000,
                          .came_bps = kbps * 1000,
                          .crf = NAN,
                          .content_s = 10 };
    l->source = text_of(m, source);
    l->encoder = text_of(m, encoder);
    l->preset = text_of(m, preset);
    for (size_t t = 0; t < TARGET_COUNT; t++)
        l->y[t] = NAN;
    m->l.scenario_count = m->l.count;
    return l;
}

static inline struct outlook *look(const struct made *m)
{
    const struct lessons *all = &m->l;
    struct whatif_list w;
    struct outlook *o;

    assert_int_equal(whatif_read((struct view){ NULL, 0 }, "", 93, &w, NULL), 0);
    o = outlook_new(&all, 1, &w);
    whatif_deinit(&w);
    return o;
}

static inline const struct model_report *report_of(const struct outlook *o,
                                                   enum target t, enum scope s)
{
    size_t n;
    const struct model_report *r = outlook_models(o, &n);

    for (size_t i = 0; i < n; i++)
        if (r[i].target == t && r[i].scope == s)
            return &r[i];
    return NULL;
}

static inline struct whatif_outlook ask(const struct outlook *o, const char *encoder,
                                        double kbps)
{
    const struct whatif w = { .name = VIEW("q"),
                              .bitrate_kbps = kbps,
                              .width = 640,
                              .height = 360,
                              .fps = 25,
                              .encoder = view_of(encoder) };
    struct whatif_outlook out;

    outlook_ask(o, &w, 93, &out);
    return out;
}

/* ---- soundness -------------------------------------------------------------------- */

static inline void sound_estimate(struct estimate e)
{
    if (isnan(e.value)) {
        assert_true(isnan(e.low) && isnan(e.high));
        return;
    }
    assert_true(isfinite(e.low) && isfinite(e.value) && isfinite(e.high));
    assert_true(e.low <= e.value && e.value <= e.high);
}

static inline void sound_answer(const struct whatif_outlook *w)
{
    sound_estimate(w->vmaf);
    sound_estimate(w->psnr_db);
    sound_estimate(w->ssim);
    sound_estimate(w->core_seconds);
    sound_estimate(w->energy_j);
    sound_estimate(w->power_w);
    for (size_t t = 0; t < TARGET_COUNT; t++)
        assert_true(isnan(w->confidence[t]) ||
                    (w->confidence[t] >= 0 && w->confidence[t] <= 1));
    if (!isnan(w->vmaf.value))
        assert_true(w->vmaf.low >= 0 && w->vmaf.high <= 100);
}

static inline void sound(const struct outlook *o, const struct made *m)
{
    size_t n;
    const struct model_report *r = outlook_models(o, &n);
    struct whatif_outlook answer = ask(o, "", 600);

    sound_answer(&answer);
    for (size_t i = 0; i < n; i++) {
        assert_true(isfinite(r[i].rmse) && r[i].rmse >= 0);
        assert_true(r[i].coverage >= 0 && r[i].coverage <= 1);
        assert_false(isinf(r[i].r2));
        assert_true(r[i].samples >= 3);
    }
    for (uint32_t i = 0; i < m->l.scenario_count; i++) {
        const struct scenario_outlook *s = outlook_scenario(o, m->l.id, i);

        assert_non_null(s);
        sound_estimate(s->power_w);
        assert_false(isinf(s->energy_j) || isinf(s->core_seconds) ||
                     isinf(s->efficiency));
    }
}

/* ---- a plane ---------------------------------------------------------------------- */

static inline void plane_lesson(struct made *m, size_t source, size_t encoder,
                                size_t rate)
{
    static const char *const sources[] = { "a", "b", "c", "d" };
    static const char *const encoders[] = { "libx264", "libx265" };
    struct lesson *l = made_add(m, sources[source], encoders[encoder],
                                rate % 2 ? "fast" : "slow", 200.0 * (1 << rate));
    double u = log(l->came_bps / 576000), s = (double)source, e = (double)encoder;
    double wave = 0.02 * sin((double)m->l.count * 1.7);

    l->y[TARGET_CORE_SECONDS] = exp(0.3 * u + e + 0.1 * s + wave);
    l->y[TARGET_VMAF] = 100 / (1 + exp(-2 - u - 0.3 * s - wave));
    l->y[TARGET_PSNR] = 38 + 3 * u + s + wave;
    l->y[TARGET_SSIM] = 1 - 0.03 * exp(-0.5 * u - wave);
    l->y[TARGET_POWER] = 80 + 10 * e + wave;
    l->y[TARGET_ENERGY] = 50 * l->y[TARGET_CORE_SECONDS];
}

/* Four sources, two encoders, five rates: log core-seconds is a plane. */
static inline struct made *plane(void)
{
    struct made *m = made_new("plane");

    for (size_t i = 0; i < 40; i++)
        plane_lesson(m, i / 10, i / 5 % 2, i % 5);
    return m;
}

#endif
