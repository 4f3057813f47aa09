/*
 * outlook_by_hand.h - outlooks that say what a test wants them to say.
 *
 * A test that includes this has an implementation of outlook.h of its own, in place of
 * the one that learns.
 */
#ifndef TESTS_UNIT_OUTLOOK_BY_HAND_H
#define TESTS_UNIT_OUTLOOK_BY_HAND_H

#include "tests/unit/module_host.h"

#include "modules/predict/outlook.h"

struct outlook {
    const struct model_report *models;
    size_t model_count;
    const struct whatif_outlook *whatifs;
    size_t whatif_count;
    const char *run_id; /* of the scenarios */
    const struct scenario_outlook *scenarios;
    uint32_t scenario_count;
    uint64_t lessons;
    void (*ask)(const struct whatif *what, double target_vmaf,
                struct whatif_outlook *out); /* fills what it knows; NULL: nothing */
};

const char *scope_name(enum scope s)
{
    return s == SCOPE_KNOWN ? "known_source" : "new_source";
}

const char *outlook_version(const struct outlook *o)
{
    (void)o;
    return "00112233aabbccdd";
}

uint64_t outlook_lessons(const struct outlook *o)
{
    return o->lessons;
}

const struct model_report *outlook_models(const struct outlook *o, size_t *count)
{
    *count = o->model_count;
    return o->models;
}

const struct whatif_outlook *outlook_whatifs(const struct outlook *o, size_t *count)
{
    *count = o->whatif_count;
    return o->whatifs;
}

const struct scenario_outlook *outlook_scenario(const struct outlook *o,
                                                struct view run_id, uint32_t index)
{
    bool known =
        o->run_id && view_eq(run_id, view_of(o->run_id)) && index < o->scenario_count;

    return known ? &o->scenarios[index] : NULL;
}

#define UNKNOWN_ESTIMATE ((struct estimate){ NAN, NAN, NAN })

/* Nothing is known of it. */
static inline struct whatif_outlook unknown_whatif(const struct whatif *what)
{
    struct whatif_outlook w = { .what = *what, .target_vmaf = 93 };

    w.vmaf = w.psnr_db = w.ssim = UNKNOWN_ESTIMATE;
    w.core_seconds = w.energy_j = w.power_w = UNKNOWN_ESTIMATE;
    w.recommended_kbps = UNKNOWN_ESTIMATE;
    for (size_t t = 0; t < TARGET_COUNT; t++)
        w.confidence[t] = NAN;
    return w;
}

void outlook_ask(const struct outlook *o, const struct whatif *what, double target_vmaf,
                 struct whatif_outlook *out)
{
    *out = unknown_whatif(what);
    out->target_vmaf = target_vmaf;
    if (o->ask)
        o->ask(what, target_vmaf, out);
}

#endif
