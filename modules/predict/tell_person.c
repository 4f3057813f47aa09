/*
 * tell_person.c - what there is to say of an encode that somebody plans, and why not more.
 *
 * An outlook only answers or is silent. Why it is silent is found by asking it what lies
 * around the question: other bit rates, another encoder. So a reason told here is always
 * one whose removal makes it answer.
 */
#include "modules/predict/tell_inner.h"

#include <math.h>

const struct answer_figure answer_figures[TARGET_COUNT] = {
    { "vmaf", "VMAF", TARGET_VMAF, offsetof(struct whatif_outlook, vmaf) },
    { "psnr_db", "PSNR (dB)", TARGET_PSNR, offsetof(struct whatif_outlook, psnr_db) },
    { "ssim", "SSIM", TARGET_SSIM, offsetof(struct whatif_outlook, ssim) },
    { "core_seconds_per_second", "core-seconds per second", TARGET_CORE_SECONDS,
      offsetof(struct whatif_outlook, core_seconds) },
    { "joules_per_second", "joules per second", TARGET_ENERGY,
      offsetof(struct whatif_outlook, energy_j) },
    { "power_watts", "mean power (W)", TARGET_POWER,
      offsetof(struct whatif_outlook, power_w) },
};

const struct estimate *answer_estimate(const struct answer_figure *f,
                                       const struct whatif_outlook *w)
{
    return (const struct estimate *)(const void *)((const char *)w + f->offset);
}

const char *confidence_word(double confidence)
{
    static const struct {
        double from;
        const char *word;
    } words[] = { { 0.8, "high" }, { 0.6, "good" }, { 0.35, "fair" }, { 0.15, "low" } };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (confidence >= words[i].from)
            return words[i].word;
    return "very low";
}

const char *cost_parts(const struct whatif_outlook *w)
{
    if (isnan(w->energy_j.value))
        return "compute";
    return isnan(w->core_seconds.value) ? "energy" : "energy and compute";
}

/* To two significant digits, as people choose bit rates. */
static double round_kbps(double kbps)
{
    double unit = pow(10, floor(log10(kbps)) - 1);

    return round(kbps / unit) * unit;
}

static bool says(const struct whatif_outlook *w)
{
    for (size_t i = 0; i < TARGET_COUNT; i++)
        if (!isnan(answer_estimate(&answer_figures[i], w)->value))
            return true;
    return false;
}

/* A quarter of what was asked for to nearly three times that, by steps of sqrt(2). */
static void fill_rows(struct answer *a)
{
    enum { BELOW = 4 };

    for (int i = 0; i < ANSWER_ROWS; i++) {
        struct whatif_outlook *row = &a->row[a->rows];
        struct whatif what = a->asked.what;

        if (i != BELOW)
            what.bitrate_kbps = round_kbps(what.bitrate_kbps * exp2((i - BELOW) / 2.0));
        outlook_ask(a->o, &what, a->asked.target_vmaf, row);
        a->rows += says(row);
    }
}

/* ---- why a figure is not there --------------------------------------------------------- */

/* Bit rates around the question at which a figure is known. */
struct reach {
    double low_kbps, high_kbps; /* NaN: nowhere */
    double best, best_kbps;     /* of the figure */
    double at_low;              /* the figure at low_kbps */
};

static struct reach reach_of(const struct outlook *o, struct whatif what,
                             const struct answer_figure *f)
{
    /* A millionth to a million times what was asked for: wherever that lies, the range
     * of the encodes is within. */
    enum { STEPS = 80, PER_OCTAVE = 4 };
    const double asked_kbps = what.bitrate_kbps;
    struct reach r = { NAN, NAN, NAN, NAN, NAN };

    for (int i = -STEPS; i <= STEPS; i++) {
        struct whatif_outlook w;
        double y;

        what.bitrate_kbps = asked_kbps * exp2((double)i / PER_OCTAVE);
        outlook_ask(o, &what, NAN, &w);
        y = answer_estimate(f, &w)->value;
        if (isnan(y))
            continue;
        if (isnan(r.low_kbps)) {
            r.low_kbps = what.bitrate_kbps;
            r.at_low = y;
        }
        r.high_kbps = what.bitrate_kbps;
        if (!(y <= r.best)) {
            r.best = y;
            r.best_kbps = what.bitrate_kbps;
        }
    }
    return r;
}

static void say(char why[WHY_MAX], const struct buf *text)
{
    size_t n = text->n < WHY_MAX - 1 ? text->n : WHY_MAX - 1;

    memcpy(why, text->p, n);
    why[n] = '\0';
}

static void say_few(const struct answer *a, enum target t, struct buf *text)
{
    if (outlook_lessons(a->o) == 0)
        buf_str(text, "there are no encodes to learn from");
    else if (a->samples[t] == 0)
        buf_str(text, "too few of the encodes tell this; 3 are the least");
    else
        buf_str(text, "the encodes that tell this do not tell their size and bit rate, "
                      "or are too far from this one");
}

static void say_encoder(const struct answer *a, const struct whatif *any,
                        struct buf *text)
{
    const struct whatif *what = &a->asked.what;
    struct whatif_outlook usual;

    outlook_ask(a->o, any, NAN, &usual);
    buf_fmt(text, "the encodes cannot tell of the encoder %.*s%s%.*s",
            VIEW_ARG(what->encoder), what->preset.n ? ", preset " : "",
            VIEW_ARG(what->preset));
    if (usual.what.encoder.n)
        buf_fmt(text, "; most are of %.*s%s%.*s", VIEW_ARG(usual.what.encoder),
                usual.what.preset.n ? ", preset " : "", VIEW_ARG(usual.what.preset));
}

/* holds: there is a model of content that is new. */
static void say_far(const struct answer *a, const struct answer_figure *f, bool holds,
                    struct buf *text)
{
    const struct whatif *what = &a->asked.what;
    struct reach r = reach_of(a->o, *what, f), other = { NAN, NAN, NAN, NAN, NAN };
    struct whatif any = *what;

    if (!isnan(r.low_kbps)) {
        buf_fmt(text,
                "%.10g kbit/s is outside of what the encodes cover at this size and "
                "frame rate: about %.10g to %.10g kbit/s can be said",
                what->bitrate_kbps, round_kbps(r.low_kbps), round_kbps(r.high_kbps));
        return;
    }
    any.encoder = any.preset = (struct view){ NULL, 0 };
    if (what->encoder.n || what->preset.n)
        other = reach_of(a->o, any, f);
    if (!isnan(other.low_kbps))
        say_encoder(a, &any, text);
    else if (!holds)
        say_few(a, f->target, text);
    else
        buf_fmt(text,
                "%.10gx%.10g at %.10g fps is too far from the encodes there are: "
                "bits per pixel and pixels per second must be within 0.5 to 2 times "
                "theirs, the height within 1.5 times",
                what->width, what->height, what->fps);
}

/* Whether any model of this target holds for content that is new. */
static bool count_models(struct answer *a, enum target t)
{
    size_t count = 0;
    const struct model_report *all = outlook_models(a->o, &count);
    bool holds = false;

    for (size_t i = 0; i < count; i++) {
        if (all[i].target != t)
            continue;
        holds = holds || all[i].scope == SCOPE_NEW;
        if (all[i].samples > a->samples[t])
            a->samples[t] = all[i].samples;
        if (all[i].sources > a->sources[t])
            a->sources[t] = all[i].sources;
    }
    return holds;
}

bool answer_holds_for_new(const struct answer *a, uint32_t *sources)
{
    enum { LEAST = 3 };

    *sources = 0;
    for (size_t t = 0; t < TARGET_COUNT; t++)
        if (a->sources[t] > *sources)
            *sources = a->sources[t];
    return *sources >= LEAST;
}

static void explain(struct answer *a, const struct answer_figure *f)
{
    struct buf text = { 0 };
    bool holds = count_models(a, f->target);

    if (isnan(answer_estimate(f, &a->asked)->value)) {
        say_far(a, f, holds, &text);
        say(a->why[f->target], &text);
    }
    buf_deinit(&text);
}

static void explain_bitrate(struct answer *a)
{
    const struct answer_figure *vmaf = &answer_figures[0];
    struct buf text = { 0 };

    if (!isnan(a->asked.recommended_kbps.value))
        return;
    struct reach r = reach_of(a->o, a->asked.what, vmaf);

    if (isnan(r.best))
        buf_str(&text, "no VMAF can be said");
    else if (r.best < a->asked.target_vmaf)
        buf_fmt(&text,
                "the highest VMAF that can be said is %.1f, at about %.10g kbit/s",
                r.best, round_kbps(r.best_kbps));
    else
        buf_fmt(&text,
                "a lower bit rate than the encodes cover may do; at about %.10g kbit/s "
                "VMAF is %.1f",
                round_kbps(r.low_kbps), r.at_low);
    say(a->why_bitrate, &text);
    buf_deinit(&text);
}

bool tell_person(const struct outlook *o, const struct whatif *what, double target_vmaf,
                 const struct tell_context *c, bool json, struct buf *out)
{
    const struct view home = { NULL, 0 };
    struct answer a = { .o = o };

    outlook_ask(o, what, target_vmaf, &a.asked);
    a.asked.target_vmaf = target_vmaf;
    a.anything = says(&a.asked);
    a.priced = tell_tariff(c, home, &a.t);
    for (size_t i = 0; i < TARGET_COUNT; i++)
        explain(&a, &answer_figures[i]);
    explain_bitrate(&a);
    fill_rows(&a);
    if (json)
        answer_as_json(&a, out);
    else
        answer_as_text(&a, out);
    return a.anything;
}
