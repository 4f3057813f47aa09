/*
 * module_host.h - a host for one module: options from text, scenarios by hand, samples
 * looked up in what it would serve.
 */
#ifndef TESTS_UNIT_MODULE_HOST_H
#define TESTS_UNIT_MODULE_HOST_H

#include "tests/unit/test.h"

#include "core/decimal.h"
#include "core/mem.h"
#include "core/module.h"
#include "core/render.h"

#include <stdlib.h>

struct host {
    const struct module *m;
    void *config, *memory;
    struct series out;
};

/* A setting of host_open(): { "currency", "USD,EUR" }. */
struct given {
    const char *name, *text;
};

/* Defaults, then what is given; file: content of every file that an option names. */
static inline void options_fill(const struct option *table, void *fields,
                                const struct given given[], size_t count,
                                const char *file)
{
    struct err e = { 0 };

    option_defaults(table, fields);
    for (size_t i = 0; i < count; i++) {
        const struct option *o = table;

        while (o->name && strcmp(o->name, given[i].name) != 0)
            o++;
        if (!o->name)
            fail_msg("no option %s", given[i].name);
        if (option_set(o, fields, given[i].text, o->name, false, &e) < 0)
            fail_msg("%s", e.text);
        if (o->type == OPT_FILE)
            ((struct option_file *)(void *)((char *)fields + o->offset))->text =
                view_of(file);
    }
}

static inline int host_try_with(struct host *h, const struct module *m,
                                const struct module_context *more,
                                const struct given given[], size_t count,
                                const char *file, struct err *e)
{
    struct module_context ctx = *more;
    int rc;

    ctx.version = "1.2.3";

    *h = (struct host){ .m = m, .config = mem_zalloc(m->config_size) };
    if (m->memory_size)
        h->memory = mem_zalloc(m->memory_size);
    options_fill(m->options, h->config, given, count, file);
    rc = m->configure(h->config, &ctx, e);
    if (rc < 0) {
        free(h->config);
        free(h->memory);
        *h = (struct host){ .m = m };
    }
    return rc;
}

static inline int host_try(struct host *h, const struct module *m, bool with_run_id,
                           const struct given given[], size_t count, const char *file,
                           struct err *e)
{
    const struct module_context ctx = { .with_run_id = with_run_id };

    return host_try_with(h, m, &ctx, given, count, file, e);
}

static inline void host_open(struct host *h, const struct module *m, bool with_run_id,
                             const struct given given[], size_t count, const char *file)
{
    struct err e = { 0 };

    if (host_try(h, m, with_run_id, given, count, file, &e) < 0)
        fail_msg("configure: %s", e.text);
}

static inline void host_close(struct host *h)
{
    if (h->m->forget)
        h->m->forget(h->memory);
    if (h->m->deconfigure)
        h->m->deconfigure(h->config);
    series_deinit(&h->out);
    free(h->config);
    free(h->memory);
}

/* All of what is known of a scenario is NaN or empty, but for its name. */
static inline struct scenario unknown_scenario(const char *name)
{
    struct scenario s = { .name = view_of(name),
                          .streams = VIEW("1"),
                          .output_ladder = VIEW("unknown"),
                          .encoder = VIEW("h264"),
                          .encoder_type = VIEW("cpu"),
                          .preset = VIEW("veryfast"),
                          .start_s = NAN,
                          .end_s = NAN };
    struct facts *f = &s.facts;

    *f = (struct facts){ .streams = 1, .viewers = 1 };
    f->duration_s = f->content_s = f->width = f->height = f->fps = NAN;
    f->bitrate_bps = f->actual_bitrate_bps = NAN;
    f->cpu_energy_j = f->gpu_energy_j = f->energy_j = NAN;
    f->mean_cpu_power_w = f->mean_power_w = f->power_stdev_w = NAN;
    f->core_seconds = f->gpu_core_seconds = f->cpu_percent = NAN;
    f->docker_cpu_percent = f->docker_overhead_w = NAN;
    f->gpu_mean_power_w = f->power_covered_s = f->cores_covered_s = NAN;
    f->pixels = f->pixels_per_s = NAN;
    f->avg_fps = f->dropped_frames = f->total_frames = NAN;
    f->vmaf = f->psnr_db = f->ssim = f->quality_s = NAN;
    f->vmaf_harmonic_mean = f->vmaf_min = f->vmaf_p1 = f->vmaf_p5 = NAN;
    f->psnr_min_db = f->crf = f->passes = f->vmaf_width = f->vmaf_height = NAN;
    f->host_cores = NAN;
    return s;
}

/* Of the files of all runs: 1 700 000 000.25 s. */
#define HOST_MTIME_NS INT64_C(1700000000250000000)

/* A run of copies of these scenarios. */
static inline const struct run *make_run(const char *id, const struct scenario from[],
                                         uint32_t count)
{
    const struct scenario **s = mem_alloc((count + 1) * sizeof *s);
    const struct run *run;

    for (uint32_t i = 0; i < count; i++)
        s[i] = scenario_new(&from[i]);
    run = run_new(view_of(id), s, count);
    free(s);
    return run;
}

/* Samples of all scenarios of a run, as the host would make them. */
static inline void host_scenarios(struct host *h, const struct run *run)
{
    if (h->m->per_run)
        h->m->per_run(h->config, run, HOST_MTIME_NS, &h->out);
    for (uint32_t i = 0; i < run->count; i++) {
        const struct place at = { .run = run,
                                  .s = run->scenarios[i],
                                  .baseline = run_baseline(run),
                                  .ordinal = run->ordinals[i] };

        h->m->per_scenario(h->config, &at, &h->out);
    }
}

/* The same for one that stands alone. */
static inline void host_scenario(struct host *h, const struct scenario *from)
{
    const struct run *run = make_run("run", from, 1);

    series_release(&h->out);
    host_scenarios(h, run);
    run_unref(run);
}

static inline void host_overall(struct host *h, const struct run *const runs[],
                                size_t count, bool newest_ok)
{
    int64_t *mtimes_ns = mem_alloc((count + 1) * sizeof *mtimes_ns);
    struct served all = {
        .runs = runs, .mtimes_ns = mtimes_ns, .run_count = count, .newest_ok = newest_ok
    };

    for (size_t i = 0; i < count; i++) {
        all.scenario_count += runs[i]->count;
        mtimes_ns[i] = HOST_MTIME_NS;
    }
    series_release(&h->out);
    h->m->overall(h->config, h->memory, &all, &h->out);
    free(mtimes_ns);
}

static inline size_t family_index(const struct host *h, const char *name)
{
    for (size_t i = 0; i < h->m->family_count; i++)
        if (view_eq(view_of(h->m->families[i].name), view_of(name)))
            return i;
    fail_msg("no family %s", name);
    return 0;
}

/*
 * The value of the one sample of a family whose labels hold all of `parts` (told apart
 * by blanks: `region="x" currency="USD"`; NULL: any labels). NaN: there is none.
 */
static inline double sample_at(const struct host *h, const char *family,
                               const char *parts, const char *file, int line)
{
    size_t f = family_index(h, family), found = 0;
    double value = NAN;

    for (size_t i = 0; i < h->out.count; i++) {
        const struct sample *s = &h->out.samples[i];
        struct view rest = view_of(parts ? parts : ""), part;
        bool all = s->family == f && s->suffix != SUFFIX_CREATED;

        while (all && view_split(&rest, ' ', &part))
            all = part.n == 0 ||
                  memmem(h->out.text.p + s->labels.at, s->labels.n, part.p, part.n);
        if (!all)
            continue;
        value = s->value;
        found++;
    }
    if (found > 1) {
        print_error("%s{%s}: %zu samples\n", family, parts ? parts : "", found);
        _fail(file, line);
    }
    return value;
}

#define sample(h, family, parts) sample_at((h), (family), (parts), __FILE__, __LINE__)

static inline size_t sample_count(const struct host *h, const char *family)
{
    size_t f = family_index(h, family), n = 0;

    for (size_t i = 0; i < h->out.count; i++)
        n +=
            h->out.samples[i].family == f && h->out.samples[i].suffix != SUFFIX_CREATED;
    return n;
}

/* What is served of one family, as text or as OpenMetrics. */
static inline void assert_served_at(const struct host *h, bool openmetrics,
                                    const char *family, const char *want,
                                    const char *file, int line)
{
    void (*render)(const struct series *, const struct series_order *,
                   const struct family *, size_t, struct buf *) =
        openmetrics ? render_samples_openmetrics : render_samples;
    struct series_order order = { 0 };
    struct buf text = { 0 };
    bool same;

    series_order(&h->out, h->m->family_count, &order);
    render(&h->out, &order, h->m->families, family_index(h, family), &text);
    same = view_eq(buf_as_view(&text), view_of(want));
    if (!same)
        print_error("%s: got\n%.*swant\n%s", family, VIEW_ARG(buf_as_view(&text)),
                    want);
    buf_deinit(&text);
    series_order_deinit(&order);
    if (!same)
        _fail(file, line);
}

#define assert_served(h, family, want)                                                 \
    assert_served_at((h), false, (family), (want), __FILE__, __LINE__)
#define assert_served_openmetrics(h, family, want)                                     \
    assert_served_at((h), true, (family), (want), __FILE__, __LINE__)

/* No series twice, every family has a head of one line each, names are in order. */
static inline void assert_sound(const struct host *h)
{
    for (size_t i = 0; i < h->out.count; i++)
        for (size_t k = i + 1; k < h->out.count; k++) {
            const struct sample *a = &h->out.samples[i], *b = &h->out.samples[k];

            if (a->family == b->family && a->suffix == b->suffix &&
                view_eq((struct view){ h->out.text.p + a->labels.at, a->labels.n },
                        (struct view){ h->out.text.p + b->labels.at, b->labels.n }))
                fail_msg("series twice: %s{%.*s}", h->m->families[a->family].name,
                         (int)a->labels.n, h->out.text.p + a->labels.at);
        }
    for (size_t i = 0; i < h->m->family_count; i++) {
        const struct family *f = &h->m->families[i];

        assert_non_null(f->name);
        assert_non_null(f->help);
        assert_null(strchr(f->help, '\n'));
        for (size_t k = i + 1; k < h->m->family_count; k++)
            assert_string_not_equal(f->name, h->m->families[k].name);
    }
}

#endif
