/*
 * meter_measure.c - one run and what ran beside it → claims → shares → figures.
 *
 * A span is an encode in its time. Those of the run that are to be measured are targets;
 * others, of any run, are there because they share the machine with one.
 */
#include "server/meter_inner.h"

#include <math.h>
#include <stdlib.h>

#include "core/live.h"
#include "core/measured.h"
#include "core/mem.h"

/* What is measured, and by whom. Cores come first: power is shared by their use. */
enum kind { UP_CORES, OWN_CORES, UP_CONTAINERS, UP_POWER, OWN_POWER, KINDS };

struct span {
    const struct run *run;
    const struct scenario *s;
    uint32_t at;
    unsigned split; /* kinds whose share is known, as bits */
    double start_s, end_s;
    double cores; /* that its file tells it used on average; NaN */
    struct meter_standing now;
    bool target, here;
    struct upstream_series *series; /* NULL: nothing to ask */
    struct share share[KINDS];
};

/* At both ends so much may be missing: two steps. */
static const double upstream_slack_s = 10, sampler_slack_s = 2;
static const double counted_least_s = 5; /* no counter is read so often */
static const double least_part = 0.9;    /* that must be known of an encode's time */

bool meter_span_of(const struct scenario *s, double *start_s, double *end_s)
{
    *start_s = scenario_unix_time(s->start_s);
    *end_s = scenario_unix_time(s->end_s);
    if (isnan(*end_s) && s->state != SCENARIO_TOLD)
        *end_s = *start_s + s->facts.duration_s;
    return *start_s < *end_s; /* false for NaN */
}

/* ---- how an encode stands -------------------------------------------------------------- */

/* As its file alone tells. */
static enum scenario_state state_told(const struct meter *m, const struct run *run,
                                      const struct scenario *s, double *end_s)
{
    if (!live_open(s))
        return SCENARIO_TOLD;
    if (m->any && view_eq(buf_as_view(&m->newest_id), run->id))
        return live_state(s, m->latest_s, &m->clock, end_s);
    return live_state_past(s, end_s);
}

void meter_standing(const struct meter *m, const struct run *run, uint32_t at,
                    struct meter_standing *out)
{
    const struct scenario *s = run->scenarios[at];
    struct meter_look look;

    *out =
        (struct meter_standing){ .end_s = NAN, .watched = scenario_told(s)->watched };
    if (!meter_watches(m) || !m->watch->look(m->watch->ctx, run, at, &look)) {
        out->state = state_told(m, run, s, &out->end_s);
        return;
    }
    out->looked = true;
    if (look.state == SCENARIO_TOLD) {
        out->state = state_told(m, run, s, &out->end_s);
    } else if (live_open(s)) {
        out->state = look.state;
        out->end_s = scenario_runs(look.state) ? m->clock.now_s : look.end_s;
    }
    if (out->watched == SCENARIO_TOLD) /* else the file knows how it ended */
        out->watched = look.state;
    out->news = out->watched != s->watched || !watched_shows(s, &look.figures);
    out->figures = look.figures;
}

/* ---- gathering -------------------------------------------------------------------------- */

static double cores_told(const struct scenario *s)
{
    const struct facts *f = &scenario_told(s)->facts;

    return f->core_seconds / f->duration_s;
}

/* Whether energy or use of cores can be told of a scenario that its file does not tell. */
static bool lacks(const struct meter *m, const struct span *t)
{
    if (t->now.state != SCENARIO_TOLD)
        return true;
    return (m->sampler || m->upstream) &&
           (measured_lacks_energy(t->s) || measured_lacks_cores(t->s));
}

static bool to_measure(const struct meter *m, const struct span *t)
{
    return t->now.looked || lacks(m, t);
}

/* What ran in this time shares with the targets. */
struct window {
    double from_s, to_s;
    struct view id; /* of the run that is measured */
};

/* NULL: its time is not known and nobody watches it, or outside the window (NULL: any). */
static struct span *add_span(struct meter *m, const struct run *run, uint32_t at,
                             const struct window *w)
{
    const struct scenario *s = run->scenarios[at];
    struct meter_standing now;
    double start_s, end_s;
    bool known = meter_span_of(s, &start_s, &end_s);

    meter_standing(m, run, at, &now);
    if (now.state != SCENARIO_TOLD) {
        end_s = now.end_s;
        known = start_s < end_s;
    }
    /* What is watched of it needs no time. */
    if (!known && now.looked && !w)
        start_s = end_s = NAN;
    else if (!known || (w && (end_s <= w->from_s || start_s >= w->to_s)))
        return NULL;
    if (m->span_count == m->span_cap) {
        m->span_cap = m->span_cap ? m->span_cap * 2 : 16;
        m->spans = mem_resize(m->spans, m->span_cap, sizeof *m->spans);
    }
    m->spans[m->span_count] = (struct span){
        .run = run,
        .s = s,
        .at = at,
        .start_s = start_s,
        .end_s = end_s,
        .cores = cores_told(s),
        .now = now,
    };
    return &m->spans[m->span_count++];
}

static void add_beside(struct meter *m, struct meter_run *r, void *ctx)
{
    const struct window *w = ctx;
    const struct run *run = view_eq(r->id, w->id) ? NULL : store_get(m->store, r->id);

    for (uint32_t i = 0; run && i < run->count; i++)
        add_span(m, run, i, w);
}

static bool is_due(const struct meter_run *r, const struct span *s)
{
    return (s->start_s < r->to_s && s->end_s > r->from_s) ||
           (isnan(s->start_s) && r->from_s < r->to_s) || s->now.news ||
           s->start_s >= r->unsettled_s || scenario_runs(s->now.state) ||
           scenario_runs(s->s->state); /* until a moment ago */
}

/* Up to METER_PIECE of them, from r->next on. */
static void add_targets(struct meter *m, struct meter_run *r, const struct run *run,
                        struct window *w)
{
    for (; r->next < run->count && m->span_count < METER_PIECE; r->next++) {
        struct span *s = add_span(m, run, r->next, NULL);

        if (!s)
            continue;
        if (!is_due(r, s) || !to_measure(m, s)) {
            m->span_count--;
            continue;
        }
        s->target = true;
        w->from_s = fmin(w->from_s, s->start_s);
        w->to_s = fmax(w->to_s, s->end_s);
    }
}

/* Targets, and what ran at the same time as one of them. */
static void gather(struct meter *m, struct meter_run *r, const struct run *run)
{
    struct window w = { INFINITY, -INFINITY, run->id };
    size_t targets, seen = 0;

    m->span_count = 0;
    add_targets(m, r, run, &w);
    targets = m->span_count;
    if (!(m->sampler || m->upstream) || targets == 0)
        return;
    for (uint32_t i = 0; i < run->count; i++)
        if (seen < targets && m->spans[seen].at == i)
            seen++;
        else
            add_span(m, run, i, &w);
    meter_overlapping(m, w.from_s, w.to_s, add_beside, &w);
}

/* ---- who measures it -------------------------------------------------------------------- */

static void find_sources(struct meter *m)
{
    for (size_t i = 0; i < m->span_count; i++) {
        struct span *s = &m->spans[i];

        if (isnan(s->start_s))
            continue;
        s->here = m->sampler && sampler_is_here(m->sampler, s->s->host);
        if (!m->upstream)
            continue;
        s->series = upstream_series_of(m->upstream, s->s);
        if (s->target && s->series && lacks(m, s))
            upstream_want(m->upstream, s->series, s->start_s, s->end_s,
                          scenario_runs(s->now.state));
    }
}

static const struct timeline *timeline_of(const struct meter *m, const struct span *s,
                                          enum kind k)
{
    switch (k) {
    case UP_POWER:
        return s->series ? upstream_power(s->series) : NULL;
    case UP_CORES:
        return s->series ? upstream_cores(s->series) : NULL;
    case UP_CONTAINERS:
        return s->series ? upstream_containers(s->series) : NULL;
    case OWN_POWER:
        return s->here ? sampler_power(m->sampler) : NULL;
    default:
        return s->here ? sampler_cores(m->sampler) : NULL;
    }
}

static bool same_source(const struct span *a, const struct span *b, enum kind k)
{
    if (k == OWN_POWER || k == OWN_CORES)
        return a->here && b->here;
    if (!a->series || !b->series)
        return false;
    return k == UP_POWER ? upstream_same_power(a->series, b->series)
                         : upstream_same_cores(a->series, b->series);
}

/* ---- shares ----------------------------------------------------------------------------- */

static void make_room(struct meter *m)
{
    if (m->group_cap >= m->span_count)
        return;
    m->group_cap = m->span_cap;
    m->members = mem_resize(m->members, m->group_cap, sizeof *m->members);
    m->claims = mem_resize(m->claims, m->group_cap, sizeof *m->claims);
    m->shares = mem_resize(m->shares, m->group_cap, sizeof *m->shares);
}

/* Mean cores in use: as its file tells, else as measured of it alone. */
static double cores_of(const struct span *s, enum kind k)
{
    const struct share *measured = &s->share[k];

    if (!isnan(s->cores) || !(s->split & 1U << k) || measured->shared)
        return s->cores;
    return measured->own / measured->covered_s;
}

/* A machine's power goes by the use of cores, where it is known of all; the use of cores
 * that nobody can tell apart goes in equal parts. */
static struct claim claim_of(const struct span *s, enum kind k)
{
    double cores = k == UP_POWER    ? cores_of(s, UP_CORES)
                   : k == OWN_POWER ? cores_of(s, OWN_CORES)
                                    : NAN;

    return (struct claim){ s->start_s, s->end_s, cores };
}

static void split_group(struct meter *m, const struct timeline *t, size_t n,
                        enum kind k)
{
    for (size_t i = 0; i < n; i++)
        m->claims[i] = claim_of(&m->spans[m->members[i]], k);
    if (m->c->power.share)
        sharing_split(t, m->claims, n, m->shares);
    for (size_t i = 0; i < n; i++) {
        struct span *s = &m->spans[m->members[i]];

        if (!m->c->power.share)
            sharing_split(t, &m->claims[i], 1, &m->shares[i]);
        s->share[k] = m->shares[i];
        s->split |= 1U << k;
    }
}

static void split_kind(struct meter *m, enum kind k)
{
    for (size_t i = 0; i < m->span_count; i++) {
        struct span *s = &m->spans[i];
        const struct timeline *t = timeline_of(m, s, k);
        size_t n = 0;

        if (!t || s->split & 1U << k || (!s->target && k > OWN_CORES))
            continue;
        for (size_t j = 0; j < m->span_count; j++)
            if (same_source(s, &m->spans[j], k))
                m->members[n++] = j;
        split_group(m, t, n, k);
    }
}

/* ---- figures ---------------------------------------------------------------------------- */

/*
 * Whether enough of its time is known; up to now, of one that runs. Holes were bridged where
 * they are short, so a hole that is left is one nobody can tell anything about.
 */
static bool covered(const struct meter *m, const struct span *s, enum kind k)
{
    const struct timeline *t = timeline_of(m, s, k);
    bool own = k == OWN_POWER || k == OWN_CORES;
    double slack_s = own ? sampler_slack_s : upstream_slack_s;
    double end_s = s->end_s, length_s;

    if (!t || !(s->split & 1U << k) || isnan(s->share[k].own))
        return false;
    if (scenario_runs(s->now.state)) /* what is measured next is not missing */
        end_s = fmax(end_s - slack_s, s->start_s);
    if (scenario_runs(s->now.state) && own)
        end_s = fmin(end_s, sampler_until(m->sampler));
    length_s = end_s - s->start_s;
    return length_s > 0 && s->share[k].covered_s >= length_s - 2 * slack_s &&
           timeline_covers(t, s->start_s, end_s, slack_s, least_part);
}

/* What is missing at the ends of one that is over was like the rest of it. */
static double whole_time(const struct span *s, enum kind k, double *span_s)
{
    const struct share *share = &s->share[k];

    *span_s = scenario_runs(s->now.state) ? share->covered_s : s->end_s - s->start_s;
    return share->own * (*span_s / share->covered_s);
}

/*
 * Where nothing tells the machine's power at the time, a counter read at its end may: for
 * one that ran alone. increase() is off by up to the time between two scrapes at both ends,
 * which the integral of the power is not, so that one comes first.
 */
static void set_by_counter(struct meter *m, const struct span *s, struct measured *out,
                           bool *settled)
{
    bool known, shared = false;
    double joules;

    if (s->end_s - s->start_s < counted_least_s)
        return;
    for (size_t i = 0; i < m->span_count; i++) {
        const struct span *o = &m->spans[i];

        shared = shared || (o != s && same_source(s, o, UP_POWER) &&
                            o->start_s < s->end_s && o->end_s > s->start_s);
    }
    if (scenario_runs(s->now.state) || (shared && m->c->power.share))
        return;
    joules = upstream_energy(m->upstream, s->series, s->start_s, s->end_s, &known);
    *settled = *settled && known;
    if (isnan(joules))
        return;
    out->energy_j = joules;
    out->energy_span_s = s->end_s - s->start_s;
    out->energy_basis = ENERGY_UPSTREAM;
}

static void set_energy(struct meter *m, const struct span *s, struct measured *out,
                       bool *settled)
{
    enum kind k = covered(m, s, UP_POWER) ? UP_POWER : OWN_POWER;
    const struct share *share = &s->share[k];

    if (!measured_lacks_energy(s->s))
        return;
    if (!covered(m, s, k)) {
        if (s->series)
            set_by_counter(m, s, out, settled);
        return;
    }
    out->energy_j = whole_time(s, k, &out->energy_span_s);
    if (k == UP_POWER) {
        out->energy_basis = share->shared ? ENERGY_UPSTREAM_SHARED : ENERGY_UPSTREAM;
    } else {
        out->energy_basis = sampler_basis(m->sampler);
        if (share->shared && out->energy_basis == ENERGY_SAMPLER)
            out->energy_basis = ENERGY_SAMPLER_SHARED;
    }
}

static void set_cores(struct meter *m, const struct span *s, struct measured *out)
{
    enum kind k = covered(m, s, UP_CORES) ? UP_CORES : OWN_CORES;

    if (measured_lacks_cores(s->s) && covered(m, s, k)) {
        out->core_seconds = whole_time(s, k, &out->cores_span_s);
        out->compute_basis = k == UP_CORES ? COMPUTE_UPSTREAM : COMPUTE_SAMPLER;
    }
    if (covered(m, s, UP_CONTAINERS))
        out->container_cpu_percent =
            s->share[UP_CONTAINERS].own / s->share[UP_CONTAINERS].covered_s;
    if (s->here)
        out->host_cores = sampler_host_cores(m->sampler);
}

/* Whether what could still come has come. */
static bool is_settled(const struct meter *m, const struct span *s)
{
    if (scenario_runs(s->now.state))
        return false;
    if (s->series && !upstream_settled(m->upstream, s->series, s->start_s, s->end_s))
        return false;
    return !s->here || !(s->end_s > sampler_until(m->sampler));
}

static void swap_in(struct meter *m, const struct span *s, const struct scenario *with)
{
    if (with == s->s) {
        scenario_unref(with);
        return;
    }
    if (m->swap_count == m->swap_cap) {
        m->swap_cap = m->swap_cap ? m->swap_cap * 2 : 16;
        m->swap_at = mem_resize(m->swap_at, m->swap_cap, sizeof *m->swap_at);
        m->swap_with = mem_resize(m->swap_with, m->swap_cap, sizeof(struct scenario *));
    }
    m->swap_at[m->swap_count] = s->at;
    m->swap_with[m->swap_count++] = with;
}

/* What was measured once stays, also when its samples are forgotten. */
static bool would_lose(const struct scenario *s, const struct measured *found)
{
    if (s->state != found->state)
        return false;
    return (measured_lacks_energy(s) && !isnan(s->facts.energy_j) &&
            isnan(found->energy_j)) ||
           (measured_lacks_cores(s) && !isnan(s->facts.core_seconds) &&
            isnan(found->core_seconds));
}

static void take(struct meter *m, struct meter_run *r, const struct span *s)
{
    struct measured found = measured_nothing();
    bool settled = is_settled(m, s);

    found.state = s->now.state;
    found.watched_state = s->now.watched;
    if (s->now.looked)
        found.watched = s->now.figures;
    if (s->now.state != SCENARIO_TOLD)
        found.duration_s = s->end_s - s->start_s;
    set_energy(m, s, &found, &settled);
    set_cores(m, s, &found);
    if (!would_lose(s->s, &found))
        swap_in(m, s, scenario_measured(s->s, &found));
    r->found_runs = r->found_runs || scenario_runs(s->now.state);
    if (!settled && !scenario_runs(s->now.state))
        r->found_unsettled_s = fmin(r->found_unsettled_s, s->start_s);
}

void meter_measure(struct meter *m, struct meter_run *r, const struct run *run)
{
    m->swap_count = 0;
    if (r->next == 0) {
        r->found_unsettled_s = INFINITY;
        r->found_runs = false;
    }
    gather(m, r, run);
    make_room(m);
    find_sources(m);
    for (int k = 0; k < KINDS; k++)
        split_kind(m, (enum kind)k);
    for (size_t i = 0; i < m->span_count; i++)
        if (m->spans[i].target)
            take(m, r, &m->spans[i]);
    if (r->next < run->count)
        return;
    r->unsettled_s = r->found_unsettled_s;
    r->runs = r->found_runs;
    r->from_s = INFINITY;
    r->to_s = -INFINITY;
}

void meter_measure_deinit(struct meter *m)
{
    free(m->spans);
    free(m->members);
    free(m->claims);
    free(m->shares);
    free(m->swap_at);
    free(m->swap_with);
}
