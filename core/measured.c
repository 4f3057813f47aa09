#include "core/measured.h"
#include "core/derive.h"
#include "core/mem.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

struct measured measured_nothing(void)
{
    return (struct measured){
        .duration_s = NAN,
        .energy_j = NAN,
        .energy_span_s = NAN,
        .core_seconds = NAN,
        .cores_span_s = NAN,
        .container_cpu_percent = NAN,
        .host_cores = NAN,
        .watched = watched_nothing(),
    };
}

bool measured_lacks_energy(const struct scenario *s)
{
    return isnan(scenario_told(s)->facts.energy_j);
}

bool measured_lacks_cores(const struct scenario *s)
{
    return isnan(scenario_told(s)->facts.core_seconds);
}

static double first_known(double a, double b)
{
    return isnan(a) ? b : a;
}

static double per_second(double total, double span_s)
{
    return span_s > 0 ? total / span_s : NAN;
}

/* A stated mean, over a duration that is known by now, goes before what was measured. */
static bool energy_is_open(const struct facts *f)
{
    return isnan(f->energy_j) && isnan(f->mean_cpu_power_w * f->duration_s);
}

/* What is watched of an encode, and the figure that it fills. */
static const struct {
    size_t figure, watched;
} pairs[] = {
    { offsetof(struct facts, content_s), offsetof(struct watched, content_s) },
    { offsetof(struct facts, total_frames), offsetof(struct watched, frames) },
    { offsetof(struct facts, dropped_frames),
      offsetof(struct watched, dropped_frames) },
    { offsetof(struct facts, avg_fps), offsetof(struct watched, avg_fps) },
    { offsetof(struct facts, actual_bitrate_bps),
      offsetof(struct watched, actual_bitrate_bps) },
    { offsetof(struct facts, vmaf), offsetof(struct watched, vmaf) },
    { offsetof(struct facts, vmaf_harmonic_mean),
      offsetof(struct watched, vmaf_harmonic_mean) },
    { offsetof(struct facts, vmaf_min), offsetof(struct watched, vmaf_min) },
    { offsetof(struct facts, vmaf_p1), offsetof(struct watched, vmaf_p1) },
    { offsetof(struct facts, vmaf_p5), offsetof(struct watched, vmaf_p5) },
    { offsetof(struct facts, psnr_db), offsetof(struct watched, psnr_db) },
    { offsetof(struct facts, psnr_min_db), offsetof(struct watched, psnr_min_db) },
    { offsetof(struct facts, ssim), offsetof(struct watched, ssim) },
    { offsetof(struct facts, vmaf_width), offsetof(struct watched, vmaf_width) },
    { offsetof(struct facts, vmaf_height), offsetof(struct watched, vmaf_height) },
    { offsetof(struct facts, quality_s), offsetof(struct watched, quality_s) },
};

enum { PAIRS = sizeof pairs / sizeof *pairs };

static double number(const void *p, size_t at)
{
    double v;

    memcpy(&v, (const char *)p + at, sizeof v);
    return v;
}

static void take_watched(struct facts *f, const struct watched *w)
{
    for (size_t i = 0; i < PAIRS; i++) {
        double v = first_known(number(f, pairs[i].figure), number(w, pairs[i].watched));

        memcpy((char *)f + pairs[i].figure, &v, sizeof v);
    }
}

bool watched_shows(const struct scenario *s, const struct watched *w)
{
    const struct facts *told = &scenario_told(s)->facts;

    for (size_t i = 0; i < PAIRS; i++) {
        double v = number(w, pairs[i].watched);

        if (isnan(number(told, pairs[i].figure)) && !isnan(v) &&
            number(&s->facts, pairs[i].figure) != v)
            return false;
    }
    return true;
}

void facts_measured(const struct facts *told, const struct measured *m,
                    struct facts *out)
{
    struct facts f = *told;

    take_watched(&f, &m->watched);

    double power_w = per_second(m->energy_j, m->energy_span_s);
    double cores = per_second(m->core_seconds, m->cores_span_s);

    f.duration_s = first_known(f.duration_s, m->duration_s);
    f.host_cores = first_known(f.host_cores, m->host_cores);
    if (energy_is_open(&f) && !isnan(m->energy_j)) {
        f.cpu_energy_j = m->energy_j;
        f.energy_basis = m->energy_basis;
        f.mean_cpu_power_w = first_known(f.mean_cpu_power_w, power_w);
    }
    if (isnan(f.core_seconds) && !isnan(m->core_seconds)) {
        f.core_seconds = m->core_seconds;
        f.compute_basis = m->compute_basis;
    }
    f.cpu_percent = first_known(f.cpu_percent, m->container_cpu_percent);
    f.cpu_percent = first_known(f.cpu_percent, 100 * cores);
    facts_complete(&f);
    *out = f;
}

/* Numbers up to the first basis; NaN equals NaN, whatever its bits. */
static bool same_facts(const struct facts *a, const struct facts *b)
{
    enum { NUMBERS = offsetof(struct facts, energy_basis) / sizeof(double) };
    double x[NUMBERS], y[NUMBERS];

    static_assert(offsetof(struct facts, duration_s) == 0, "numbers come first");
    if (a->energy_basis != b->energy_basis || a->compute_basis != b->compute_basis)
        return false;
    memcpy(x, a, sizeof x);
    memcpy(y, b, sizeof y);
    for (size_t i = 0; i < NUMBERS; i++)
        if (x[i] != y[i] && !(isnan(x[i]) && isnan(y[i])))
            return false;
    return true;
}

static bool same_state(const struct measured *m, const struct scenario *s)
{
    return m->state == s->state && m->watched_state == s->watched;
}

/*
 * A block for the figures alone: texts and params are those of the scenario as told, which
 * it holds.
 */
static const struct scenario *
put_beside(const struct scenario *told, const struct facts *f, const struct measured *m)
{
    const size_t rest = sizeof(told->refs); /* others count holders meanwhile */
    struct scenario *s = mem_alloc(sizeof *s);

    static_assert(offsetof(struct scenario, refs) == 0, "the count comes first");
    atomic_init(&s->refs, 1);
    memcpy((char *)s + rest, (const char *)told + rest, sizeof *s - rest);
    s->facts = *f;
    s->state = m->state;
    s->watched = m->watched_state;
    s->as_told = scenario_ref(told);
    return s;
}

const struct scenario *scenario_measured(const struct scenario *s,
                                         const struct measured *m)
{
    const struct scenario *told = scenario_told(s);
    struct facts f;

    assert(isnan(m->energy_j) || m->energy_basis != ENERGY_NONE);
    assert(isnan(m->core_seconds) || m->compute_basis != COMPUTE_NONE);
    facts_measured(&told->facts, m, &f);
    if (same_state(m, s) && same_facts(&f, &s->facts))
        return scenario_ref(s);
    if (same_state(m, told) && same_facts(&f, &told->facts))
        return scenario_ref(told);
    return put_beside(told, &f, m);
}
