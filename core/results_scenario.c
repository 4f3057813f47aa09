/*
 * results_scenario.c - the fields of a scenario, and the labels that follow from them.
 *
 * Members are looked up in a sorted table once each; the last of a repeated key counts,
 * so nothing is interpreted before all are found. Simple fields are read by the table;
 * those that have rules of their own are read by name below it.
 */
#include "core/results_scenario.h"
#include "core/decimal.h"
#include "core/field.h"
#include "core/ladder.h"
#include "core/notation.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/*
 * Every label of a scenario stands in dozens of lines, so a text of megabytes would be
 * multiplied; names of some kilobytes do occur.
 */
enum {
    PARAM_BYTES_MAX = 256, /* "short strings" */
    LADDER_BYTES_MAX = FIELD_TEXT_MAX,
    NAME_BYTES_MAX = 16 * 1024,
};

enum kind {
    OWN,  /* has a function of its own */
    TEXT, /* a view in struct scenario */
    TEXT_OR_NUMBER,
    FIGURE, /* a double in struct derive_input, from 0 */
    ANY_SIGN,
    WHOLE,   /* from 0 */
    COUNT,   /* whole, from 1 */
    SCORE,   /* 0 … 120 */
    DECIBEL, /* from 0, may be infinite */
    SERIES,  /* struct samples in struct derive_input */
};

static const struct field_range ranges[] = {
    [FIGURE] = { .min = 0, .max = INFINITY },
    [ANY_SIGN] = { .min = -INFINITY, .max = INFINITY },
    [WHOLE] = { .min = 0, .max = INFINITY, .whole = true },
    [COUNT] = { .min = 0, .max = INFINITY, .whole = true },
    [SCORE] = { .min = 0, .max = 120 },
    [DECIBEL] = { .min = 0, .max = INFINITY, .infinite = true },
};

struct rule {
    struct view key;
    enum kind kind;
    size_t offset;
};

#define IN(kind, key, field)                                                           \
    {                                                                                  \
        { key, sizeof(key) - 1 }, kind, offsetof(struct derive_input, field)           \
    }
#define LABEL(kind, key, field)                                                        \
    {                                                                                  \
        { key, sizeof(key) - 1 }, kind, offsetof(struct scenario, field)               \
    }
#define SELF(key)                                                                      \
    {                                                                                  \
        { key, sizeof(key) - 1 }, OWN, 0                                               \
    }
#define END                                                                            \
    {                                                                                  \
        { NULL, 0 }, OWN, 0                                                            \
    }

/* Sorted by key; the test of this file fails when it is not. */
static const struct rule rules[] = {
    IN(FIGURE, "actual_bitrate_kbps", actual_bitrate_bps), /* scaled afterwards */
    IN(FIGURE, "avg_fps", avg_fps),
    SELF("bitrate"),
    LABEL(TEXT, "codec", codec),
    SELF("container_usage"),
    IN(FIGURE, "cpu_core_seconds", cpu_core_seconds),
    IN(SERIES, "cpu_usage_cores", cpu_cores),
    IN(ANY_SIGN, "crf", crf), /* x264 takes negative ones above 8 bit */
    SELF("docker_overhead"),
    IN(FIGURE, "dropped_frames", dropped_frames),
    IN(FIGURE, "duration", duration_s),
    LABEL(TEXT, "encoder", encoder),
    LABEL(TEXT, "encoder_type", encoder_type),
    IN(ANY_SIGN, "end_time", end_s),
    IN(FIGURE, "energy_joules", energy_j),
    IN(WHOLE, "exit_status", exit_status),
    IN(FIGURE, "fps", fps),
    SELF("gpu_power"),
    IN(SERIES, "gpu_power_watts", gpu_power_w),
    IN(SERIES, "gpu_usage_cores", gpu_cores),
    SELF("hardware"),
    LABEL(TEXT, "host", host),
    IN(FIGURE, "media_seconds", media_seconds),
    SELF("name"),
    LABEL(TEXT, "output", output),
    SELF("outputs"),
    SELF("params"),
    IN(WHOLE, "passes", passes),
    IN(FIGURE, "pixels_processed", pixels_processed),
    SELF("power"),
    IN(SERIES, "power_watts", power_w),
    LABEL(TEXT_OR_NUMBER, "preset", preset), /* SVT-AV1 and libvpx count them */
    IN(DECIBEL, "psnr_min", psnr_min_db),
    IN(DECIBEL, "psnr_score", psnr_db),
    IN(FIGURE, "quality_seconds", quality_s),
    LABEL(TEXT, "rate_control", rate_control),
    LABEL(TEXT, "reference", reference),
    LABEL(TEXT, "region", region),
    SELF("resolution"),
    SELF("series_kind"),
    LABEL(TEXT, "source", source),
    IN(FIGURE, "ssim_score", ssim),
    IN(ANY_SIGN, "start_time", start_s),
    IN(FIGURE, "step_seconds", step_s),
    IN(COUNT, "streams", streams),
    IN(FIGURE, "total_frames", total_frames),
    LABEL(TEXT, "transfer", transfer),
    IN(COUNT, "viewers", viewers),
    IN(SCORE, "vmaf_harmonic_mean", vmaf_harmonic_mean),
    IN(FIGURE, "vmaf_height", vmaf_height),
    IN(SCORE, "vmaf_min", vmaf_min),
    LABEL(TEXT, "vmaf_model", vmaf_model),
    IN(SCORE, "vmaf_p1", vmaf_p1),
    IN(SCORE, "vmaf_p5", vmaf_p5),
    IN(SCORE, "vmaf_score", vmaf),
    IN(FIGURE, "vmaf_width", vmaf_width),
};

enum { RULES = sizeof rules / sizeof *rules };

static const struct rule power_rules[] = {
    IN(FIGURE, "mean_watts", power_mean_w),
    IN(FIGURE, "median_watts", power_median_w),
    IN(FIGURE, "stdev_watts", power_stdev_w),
    IN(FIGURE, "total_energy_joules", power_total_j),
    END,
};
static const struct rule gpu_power_rules[] = {
    IN(FIGURE, "mean_watts", gpu_power_mean_w),
    END,
};
static const struct rule container_rules[] = {
    IN(FIGURE, "cpu_percent", container_cpu_percent),
    END,
};
static const struct rule docker_rules[] = {
    IN(FIGURE, "cpu_percent", docker_cpu_percent),
    END,
};
static const struct rule hardware_rules[] = {
    IN(FIGURE, "cpu_cores", host_cores),
    LABEL(TEXT, "cpu_model", cpu_model),
    LABEL(TEXT, "gpu_model", gpu_model),
    END,
};

/* One scenario while it is read. */
struct draft {
    struct field_reader r;
    const struct json_value *found[RULES];
    struct scenario s;
    struct derive_input in;
};

static int by_key(const void *key, const void *rule)
{
    return view_cmp(*(const struct view *)key, ((const struct rule *)rule)->key);
}

static const struct json_value *found(const struct draft *d, struct view key)
{
    const struct rule *rule = bsearch(&key, rules, RULES, sizeof *rules, by_key);

    assert(rule);
    return d->found[rule - rules];
}

static void read_rule(struct draft *d, const char *outer, const struct rule *rule,
                      const struct json_value *v)
{
    struct field_at at = { outer, -1, rule->key };
    void *in = (char *)&d->in + rule->offset;
    void *label = (char *)&d->s + rule->offset;

    switch (rule->kind) {
    case OWN:
        break;
    case TEXT:
    case TEXT_OR_NUMBER:
        *(struct view *)label = field_text(&d->r, at, v, rule->kind == TEXT_OR_NUMBER);
        break;
    case SERIES:
        *(struct samples *)in = field_samples(&d->r, at, v);
        break;
    default:
        *(double *)in = field_number(&d->r, at, v, &ranges[rule->kind]);
        break;
    }
}

static void read_inner(struct draft *d, const char *outer, const struct rule *inner)
{
    struct view key = view_of(outer);
    const struct json_value *v = field_container(
        &d->r, (struct field_at){ NULL, -1, key }, found(d, key), JSON_OBJECT);

    if (!v)
        return;
    for (; inner->key.n; inner++)
        read_rule(d, outer, inner, json_member(v, inner->key));
}

static struct view plain(struct arena *mem, double v)
{
    char digits[DECIMAL_MAX];

    return isnan(v)
               ? (struct view){ "", 0 }
               : arena_copy(mem, (struct view){ digits, decimal_plain(digits, v) });
}

/* A bit rate as written, and what it is worth. */
static struct view read_bitrate(struct draft *d, struct field_at at,
                                const struct json_value *v, double *bps)
{
    *bps = NAN;
    if (v && v->type == JSON_STRING) {
        struct view text = field_text(&d->r, at, v, false);

        if (text.n) {
            *bps = notation_bitrate_bps(text);
            if (isnan(*bps))
                field_note(&d->r, at, "not a bit rate");
        }
        return text;
    }

    double number = field_number(&d->r, at, v, &ranges[FIGURE]);

    *bps = notation_bare_bitrate_bps(number);
    return plain(d->r.mem, number);
}

/* A size as written, and its sides. */
static struct view read_resolution(struct draft *d, struct field_at at,
                                   const struct json_value *v, double *width,
                                   double *height)
{
    struct view text = field_text(&d->r, at, v, false);

    if (text.n && !notation_resolution(text, width, height))
        field_note(&d->r, at, "not a resolution like 1280x720");
    return text;
}

/* ---- outputs and params ---------------------------------------------------------- */

static void read_outputs(struct draft *d)
{
    const struct json_value *v =
        field_container(&d->r, FIELD("outputs"), found(d, VIEW("outputs")), JSON_ARRAY);
    struct derive_output *outputs;
    bool whole = true;
    size_t n = 0;

    if (!v)
        return;
    outputs = arena_new(d->r.mem, struct derive_output, v->n);
    for (uint32_t i = 0; i < v->n; i++) {
        struct derive_output o = { NAN, NAN, NAN };
        struct field_at at = { "outputs", (long)i, { "", 0 } };
        const struct json_value *one =
            field_container(&d->r, at, &v->items[i], JSON_OBJECT);
        double bps;

        if (!one) {
            whole = false;
            continue;
        }
        at.name = VIEW("resolution");
        read_resolution(d, at, json_member(one, at.name), &o.width, &o.height);
        at.name = VIEW("fps");
        o.fps = field_number(&d->r, at, json_member(one, at.name), &ranges[FIGURE]);
        at.name = VIEW("bitrate");
        read_bitrate(d, at, json_member(one, at.name), &bps);
        if (isnan(o.width) || isnan(o.fps))
            whole = false;
        else
            outputs[n++] = o;
    }
    d->in.outputs = outputs;
    d->in.output_count = whole ? n : 0; /* a sum without some of them is not known */
    d->s.output_ladder = ladder_label(outputs, n, d->r.mem);
    if (d->s.output_ladder.n > LADDER_BYTES_MAX) {
        field_note(&d->r, FIELD("outputs"), "the ladder is longer than %d bytes",
                   LADDER_BYTES_MAX);
        d->s.output_ladder = (struct view){ "", 0 };
    }
}

static struct view param_value(struct draft *d, struct field_at at,
                               const struct json_value *v)
{
    struct view text = field_text(&d->r, at, v, true);

    if (text.n <= PARAM_BYTES_MAX && at.name.n <= PARAM_BYTES_MAX)
        return text;
    field_note(&d->r, at, "longer than %d bytes", PARAM_BYTES_MAX);
    return (struct view){ "", 0 };
}

static struct param *param_of(struct param *params, uint32_t n, struct view key)
{
    for (uint32_t i = 0; i < n; i++)
        if (view_eq(params[i].key, key))
            return &params[i];
    return NULL;
}

static void read_params(struct draft *d)
{
    const struct json_value *v =
        field_container(&d->r, FIELD("params"), found(d, VIEW("params")), JSON_OBJECT);
    struct param *params;
    uint32_t n = 0, kept = 0;
    size_t more = 0;

    if (!v)
        return;
    params = arena_new(d->r.mem, struct param, SCENARIO_PARAMS_MAX);
    for (uint32_t i = 0; i < v->n; i++) {
        struct view key = v->members[i].key;
        struct field_at at = { "params", -1, key };
        struct view value = param_value(d, at, &v->members[i].value);
        struct param *same = param_of(params, n, key);

        if (key.n == 0)
            field_note(&d->r, FIELD("params"), "an entry without a name");
        else if (same)
            same->value = value; /* the last of a key counts */
        else if (value.n == 0)
            continue;
        else if (n == SCENARIO_PARAMS_MAX)
            more++;
        else
            params[n++] = (struct param){ key, value };
    }
    if (more)
        field_note(&d->r, FIELD("params"), "%zu entries more than %d", more,
                   SCENARIO_PARAMS_MAX);
    for (uint32_t i = 0; i < n; i++)
        if (params[i].value.n)
            params[kept++] = params[i];
    d->s.params = params;
    d->s.param_count = kept;
}

/* ---- the whole ------------------------------------------------------------------ */

static void read_series_kind(struct draft *d)
{
    struct field_at at = FIELD("series_kind");
    struct view kind = field_text(&d->r, at, found(d, at.name), false);

    d->in.series_of_means = view_eq(kind, VIEW("mean"));
    if (kind.n && !d->in.series_of_means && !view_eq(kind, VIEW("instant")))
        field_note(&d->r, at, "neither \"instant\" nor \"mean\"");
}

/* Labels that are never empty, from what was read. */
static void complete_labels(struct draft *d, struct view file_region)
{
    struct scenario *s = &d->s;
    struct buf b = { 0 };

    s->fps = plain(d->r.mem, d->in.fps);
    s->streams = plain(d->r.mem, s->facts.streams);
    if (s->output_ladder.n == 0 && s->resolution.n && s->fps.n) {
        buf_view(&b, s->resolution);
        buf_char(&b, '@');
        buf_view(&b, s->fps);
        s->output_ladder = arena_copy(d->r.mem, buf_as_view(&b));
        buf_deinit(&b);
    }
    if (s->output_ladder.n == 0)
        s->output_ladder = VIEW("unknown");

    bool gpu = notation_gpu(s->name) || notation_gpu(s->encoder);

    s->encoder_given = s->encoder.n || s->encoder_type.n;
    if (s->encoder.n == 0)
        s->encoder = s->encoder_type.n ? s->encoder_type : VIEW("h264");
    if (s->encoder_type.n == 0)
        s->encoder_type = gpu ? VIEW("gpu") : VIEW("cpu");
    s->preset_given = s->preset.n > 0;
    if (!s->preset_given)
        s->preset = VIEW("veryfast");
    if (s->region.n == 0)
        s->region = file_region;
}

static const char *read_name(struct draft *d)
{
    const struct json_value *v = found(d, VIEW("name"));

    if (!v || v->type == JSON_NULL ||
        (v->type == JSON_STRING && notation_unknown(json_text(v))))
        return "no name";
    if (v->type != JSON_STRING)
        return "the name is not text";
    if (v->n > NAME_BYTES_MAX)
        return "the name is longer than 16 KiB";
    d->s.name = d->r.scenario = json_text(v);
    return NULL;
}

struct scenario *results_scenario(const struct json_value *v, struct view region,
                                  struct arena *mem, struct results_notes *notes,
                                  const char **why)
{
    struct draft d = { .r = { notes, mem, { "", 0 } }, .in = derive_input_unknown() };

    if (v->type != JSON_OBJECT) {
        *why = "not an object";
        return NULL;
    }
    for (uint32_t i = 0; i < v->n; i++) {
        const struct rule *rule =
            bsearch(&v->members[i].key, rules, RULES, sizeof *rules, by_key);

        if (rule)
            d.found[rule - rules] = &v->members[i].value;
    }
    *why = read_name(&d);
    if (*why)
        return NULL;
    for (size_t i = 0; i < RULES; i++)
        if (d.found[i] || rules[i].kind == TEXT || rules[i].kind == TEXT_OR_NUMBER)
            read_rule(&d, NULL, &rules[i], d.found[i]);
    read_inner(&d, "power", power_rules);
    read_inner(&d, "gpu_power", gpu_power_rules);
    read_inner(&d, "container_usage", container_rules);
    read_inner(&d, "docker_overhead", docker_rules);
    read_inner(&d, "hardware", hardware_rules);
    d.s.bitrate = read_bitrate(&d, FIELD("bitrate"), found(&d, VIEW("bitrate")),
                               &d.in.bitrate_bps);
    d.s.resolution =
        read_resolution(&d, FIELD("resolution"), found(&d, VIEW("resolution")),
                        &d.in.width, &d.in.height);
    read_series_kind(&d);
    read_outputs(&d);
    read_params(&d);

    d.in.actual_bitrate_bps *= 1000; /* kbit/s → bit/s */
    d.in.streams_named = notation_streams(d.s.name);
    d.in.is_baseline = d.s.is_baseline = notation_baseline(d.s.name);
    d.s.start_s = d.in.start_s;
    d.s.end_s = d.in.end_s;
    if (d.in.exit_status > 0) /* false for NaN */
        d.s.watched = SCENARIO_ABORTED;
    derive_facts(&d.in, &d.s.facts);
    complete_labels(&d, region);
    return scenario_new(&d.s);
}
