/*
 * The meter between a store and two sources that are played here: what an upstream and a
 * sampler tell is set by each test.
 */
#include "server/meter.h"

#include "core/measured.h"
#include "core/derive.h"
#include "tests/unit/test.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#define T0 1700000000.0

/* ---- sources ----------------------------------------------------------------------- */

struct upstream_series {
    struct view host;
};

static struct {
    struct timeline power, cores, cores_too, containers; /* of the upstream */
    bool apart; /* encodes have names of their own, one after the other */
    struct timeline own_power, own_cores;
    double counter_j, until_s;
    bool counter_known, settled, silent; /* silent: no series for anybody */
    double late_from_s, late_to_s;       /* settled, and with values all the same */
    unsigned wants, counters;
    struct upstream_series series[2];
} world;

struct upstream_series *upstream_series_of(struct upstream *u, const struct scenario *s)
{
    (void)u;
    static unsigned turn;

    if (world.apart)
        return &world.series[turn++ % 2];
    return world.silent ? NULL : &world.series[view_eq(s->host, VIEW("other"))];
}

void upstream_want(struct upstream *u, struct upstream_series *s, double from_s,
                   double to_s, bool running)
{
    (void)u;
    (void)s;
    (void)running;
    assert_true(from_s < to_s);
    world.wants++;
}

double upstream_energy(struct upstream *u, struct upstream_series *s, double from_s,
                       double to_s, bool *known)
{
    (void)u;
    (void)s;
    (void)from_s;
    (void)to_s;
    world.counters++;
    *known = world.counter_known;
    return world.counter_j;
}

const struct timeline *upstream_power(const struct upstream_series *s)
{
    return world.apart || s == &world.series[0] ? &world.power : NULL;
}

const struct timeline *upstream_cores(const struct upstream_series *s)
{
    return world.apart && s == &world.series[1] ? &world.cores_too : &world.cores;
}

const struct timeline *upstream_containers(const struct upstream_series *s)
{
    (void)s;
    return &world.containers;
}

bool upstream_settled(const struct upstream *u, const struct upstream_series *s,
                      double from_s, double to_s)
{
    (void)u;
    (void)s;
    (void)from_s;
    (void)to_s;
    return world.settled;
}

bool upstream_reopened(struct upstream *u, double *from_s, double *to_s)
{
    bool late = world.late_from_s < world.late_to_s;

    (void)u;
    *from_s = world.late_from_s;
    *to_s = world.late_to_s;
    world.late_to_s = world.late_from_s;
    return late;
}

bool upstream_same_power(const struct upstream_series *a,
                         const struct upstream_series *b)
{
    return world.apart || a == b;
}

bool upstream_same_cores(const struct upstream_series *a,
                         const struct upstream_series *b)
{
    return a == b;
}

const struct timeline *sampler_power(const struct sampler *s)
{
    (void)s;
    return &world.own_power;
}

const struct timeline *sampler_cores(const struct sampler *s)
{
    (void)s;
    return &world.own_cores;
}

enum energy_basis sampler_basis(const struct sampler *s)
{
    (void)s;
    return ENERGY_SAMPLER;
}

double sampler_host_cores(const struct sampler *s)
{
    (void)s;
    return 8;
}

double sampler_until(const struct sampler *s)
{
    (void)s;
    return world.until_s;
}

bool sampler_is_here(const struct sampler *s, struct view host)
{
    (void)s;
    return !view_eq(host, VIEW("other"));
}

/* ---- one meter --------------------------------------------------------------------- */

static char upstream_stands_here, sampler_stands_here;

struct bench {
    uv_loop_t loop;
    struct config c;
    struct store *store;
    struct meter *meter;
    unsigned changes, settled;
    uint32_t changed; /* scenarios in the last diff */
};

static void on_changed(void *ctx, const struct diff *d)
{
    struct bench *b = ctx;

    assert_true(d->measured);
    assert_non_null(d->before);
    b->changes++;
    b->changed = d->changed_count;
}

static void on_settled(void *ctx)
{
    ((struct bench *)ctx)->settled++;
}

static void begin(struct bench *b, bool upstream, bool sampler)
{
    const struct store_rules rules = { .runs = 0 };

    *b = (struct bench){ .c = {
                             .power = { .share = true, .live_max_idle_ms = 600000 } } };
    memset(&world, 0, sizeof world);
    world.power.step_s = world.cores.step_s = world.containers.step_s = 5;
    world.cores_too.step_s = 5;
    world.own_power = (struct timeline){ .step_s = 1, .of_means = true };
    world.own_cores = (struct timeline){ .step_s = 1, .of_means = true };
    world.counter_j = NAN;
    world.counter_known = world.settled = true;
    world.until_s = T0 + 1e6;
    assert_int_equal(uv_loop_init(&b->loop), 0);
    b->store = store_new(&rules);

    const struct meter_sink sink = { b, on_changed, on_settled };

    b->meter = meter_new(&b->loop, &b->c, b->store, &sink);
    meter_measure_by(
        b->meter, sampler ? (struct sampler *)(void *)&sampler_stands_here : NULL,
        upstream ? (struct upstream *)(void *)&upstream_stands_here : NULL);
}

static void end(struct bench *b)
{
    meter_stop(b->meter);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&b->loop), 0);
    store_free(b->store);
    timeline_deinit(&world.power);
    timeline_deinit(&world.cores);
    timeline_deinit(&world.cores_too);
    timeline_deinit(&world.containers);
    timeline_deinit(&world.own_power);
    timeline_deinit(&world.own_cores);
}

static void fill(struct timeline *t, double from_s, double to_s, double value)
{
    for (int64_t k = timeline_cell(t, from_s); k <= timeline_cell(t, to_s); k++)
        timeline_set(t, k, value);
}

static const struct scenario *encode(const char *host, double start_s, double end_s)
{
    struct scenario from = {
        .name = VIEW("x"), .host = view_of(host), .start_s = start_s, .end_s = end_s
    };
    struct derive_input in = derive_input_unknown();

    in.start_s = start_s;
    in.end_s = end_s;
    derive_facts(&in, &from.facts);
    return scenario_new(&from);
}

/* A run on its way through the meter into the store. */
static void put(struct bench *b, const char *id, const struct scenario *const all[],
                uint32_t n)
{
    struct diff d;

    store_see(b->store, view_of(id), (int64_t)T0 * 1000000000, false);
    store_put(b->store, meter_fill(b->meter, run_new(view_of(id), all, n)), &d);
    meter_changed(b->meter, &d);
    store_diff_release(&d);
}

static void put_one(struct bench *b, const char *id, const char *host, double start_s,
                    double end_s)
{
    const struct scenario *s = encode(host, start_s, end_s);

    put(b, id, &s, 1);
}

static const struct facts *facts(const struct bench *b, const char *id, uint32_t at)
{
    return &store_get(b->store, view_of(id))->scenarios[at]->facts;
}

#define NEAR 1e-9

/* ---- tests ------------------------------------------------------------------------- */

static void what_is_known_is_there_before_the_store_hears_of_the_run(void **state)
{
    (void)state;
    struct bench b;

    begin(&b, true, false);
    fill(&world.power, T0, T0 + 100, 50);
    fill(&world.cores, T0, T0 + 100, 2.5);
    fill(&world.containers, T0, T0 + 100, 260);
    put_one(&b, "a", "", T0 + 12, T0 + 72);
    assert_near(facts(&b, "a", 0)->energy_j, 50.0 * 60, NEAR);
    assert_near(facts(&b, "a", 0)->mean_power_w, 50, NEAR);
    assert_int_equal(facts(&b, "a", 0)->energy_basis, ENERGY_UPSTREAM);
    assert_near(facts(&b, "a", 0)->core_seconds, 150, NEAR);
    assert_int_equal(facts(&b, "a", 0)->compute_basis, COMPUTE_UPSTREAM);
    assert_near(facts(&b, "a", 0)->cpu_percent, 260, NEAR);
    meter_bring_up(b.meter);
    assert_int_equal(b.changes, 0); /* nothing to add */
    end(&b);
}

static void what_comes_later_is_put_in_its_place(void **state)
{
    (void)state;
    struct bench b;
    const struct scenario *two[] = { encode("", T0, T0 + 60),
                                     encode("", T0 + 100, T0 + 160) };

    begin(&b, true, false);
    world.settled = false;
    put(&b, "a", two, 2);
    meter_bring_up(b.meter);
    assert_true(world.wants > 0);
    assert_true(isnan(facts(&b, "a", 0)->energy_j));
    assert_int_equal(facts(&b, "a", 0)->energy_basis, ENERGY_NONE);
    assert_true(meter_owes(b.meter));

    fill(&world.power, T0 + 90, T0 + 170, 10);
    meter_news(b.meter);
    uv_run(&b.loop, UV_RUN_NOWAIT);
    assert_int_equal(b.changes, 1);
    assert_int_equal(b.changed, 1);
    assert_int_equal(b.settled, 1);
    assert_true(isnan(facts(&b, "a", 0)->energy_j));
    assert_near(facts(&b, "a", 1)->energy_j, 600, NEAR);
    world.settled = true;
    meter_bring_up(b.meter);
    assert_false(meter_owes(b.meter));

    unsigned wants = world.wants;

    meter_bring_up(b.meter);
    assert_int_equal(world.wants, wants); /* nobody asks any more */
    end(&b);
}

static void what_the_file_tells_stays(void **state)
{
    (void)state;
    struct bench b;
    struct scenario from = { .name = VIEW("x"), .start_s = T0, .end_s = T0 + 60 };
    struct derive_input in = derive_input_unknown();

    in.start_s = T0;
    in.end_s = T0 + 60;
    in.energy_j = 7;
    derive_facts(&in, &from.facts);

    const struct scenario *s = scenario_new(&from);

    begin(&b, true, true);
    fill(&world.power, T0 - 10, T0 + 100, 50);
    fill(&world.cores, T0 - 10, T0 + 100, 1);
    put(&b, "a", &s, 1);
    meter_bring_up(b.meter);
    assert_near(facts(&b, "a", 0)->energy_j, 7, NEAR);
    assert_int_equal(facts(&b, "a", 0)->energy_basis, ENERGY_REPORTED);
    assert_near(facts(&b, "a", 0)->core_seconds, 60, NEAR); /* it left that open */
    end(&b);
}

static void an_upstream_comes_before_this_machine(void **state)
{
    (void)state;
    struct bench b;

    begin(&b, true, true);
    fill(&world.own_power, T0, T0 + 300, 40);
    fill(&world.own_cores, T0, T0 + 300, 3);
    fill(&world.power, T0 + 100, T0 + 300, 50);
    put_one(&b, "a", "", T0 + 10, T0 + 20);
    put_one(&b, "b", "", T0 + 110, T0 + 120);
    put_one(&b, "c", "other", T0 + 210, T0 + 220);
    meter_bring_up(b.meter);
    assert_near(facts(&b, "a", 0)->energy_j, 400, NEAR);
    assert_int_equal(facts(&b, "a", 0)->energy_basis, ENERGY_SAMPLER);
    assert_int_equal(facts(&b, "a", 0)->compute_basis, COMPUTE_SAMPLER);
    assert_near(facts(&b, "a", 0)->host_cores, 8, NEAR);
    assert_near(facts(&b, "b", 0)->energy_j, 500, NEAR);
    assert_int_equal(facts(&b, "b", 0)->energy_basis, ENERGY_UPSTREAM);
    assert_true(isnan(facts(&b, "c", 0)->energy_j)); /* it ran elsewhere */
    end(&b);
}

static void what_was_settled_is_measured_again_where_values_came_late(void **state)
{
    (void)state;
    struct bench b;

    begin(&b, true, false);
    put_one(&b, "a", "", T0 + 10, T0 + 20);
    put_one(&b, "b", "", T0 + 110, T0 + 120);
    meter_bring_up(b.meter);
    fill(&world.power, T0, T0 + 300, 50);
    meter_news(b.meter);
    uv_run(&b.loop, UV_RUN_NOWAIT);
    assert_true(isnan(facts(&b, "a", 0)->energy_j)); /* settled is settled */
    world.late_from_s = T0 + 100;
    world.late_to_s = T0 + 150;
    meter_news(b.meter);
    uv_run(&b.loop, UV_RUN_NOWAIT);
    assert_true(isnan(facts(&b, "a", 0)->energy_j));
    assert_near(facts(&b, "b", 0)->energy_j, 500, NEAR);
    assert_int_equal(b.settled, 1);
    end(&b);
}

static void one_that_began_before_there_were_samples_has_no_part_of_it(void **state)
{
    (void)state;
    struct bench b;

    begin(&b, false, true);
    fill(&world.own_power, T0 + 50, T0 + 300, 40);
    put_one(&b, "a", "", T0 + 40, T0 + 250);
    put_one(&b, "b", "", T0 + 49, T0 + 250); /* a second is let pass */
    meter_bring_up(b.meter);
    assert_true(isnan(facts(&b, "a", 0)->energy_j));
    assert_int_equal(facts(&b, "b", 0)->energy_basis, ENERGY_SAMPLER_SHARED);
    end(&b);
}

static void shares_follow_what_ran_beside(void **state)
{
    (void)state;
    struct bench b;
    struct diff d;

    begin(&b, true, false);
    fill(&world.power, T0, T0 + 300, 60);
    put_one(&b, "a", "", T0 + 100, T0 + 200);
    meter_bring_up(b.meter);
    assert_near(facts(&b, "a", 0)->energy_j, 6000, NEAR);

    put_one(&b, "b", "", T0 + 150, T0 + 250); /* half of 50 s is its */
    meter_bring_up(b.meter);
    assert_near(facts(&b, "a", 0)->energy_j, 4500, NEAR);
    assert_near(facts(&b, "b", 0)->energy_j, 4500, NEAR);
    assert_int_equal(facts(&b, "a", 0)->energy_basis, ENERGY_UPSTREAM_SHARED);

    assert_true(store_drop(b.store, VIEW("b"), &d));
    meter_changed(b.meter, &d);
    store_diff_release(&d);
    meter_bring_up(b.meter);
    assert_near(facts(&b, "a", 0)->energy_j, 6000, NEAR);
    assert_int_equal(facts(&b, "a", 0)->energy_basis, ENERGY_UPSTREAM);
    end(&b);
}

static void each_in_full_where_that_is_wanted(void **state)
{
    (void)state;
    struct bench b;
    const struct scenario *two[] = { encode("", T0 + 10, T0 + 60),
                                     encode("", T0 + 10, T0 + 60) };

    begin(&b, true, false);
    b.c.power.share = false;
    fill(&world.power, T0, T0 + 100, 60);
    put(&b, "a", two, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_near(facts(&b, "a", i)->energy_j, 3000, NEAR);
        assert_int_equal(facts(&b, "a", i)->energy_basis, ENERGY_UPSTREAM);
    }
    end(&b);
}

/* increase() is off at both ends by up to the time between two scrapes. */
static void a_counter_counts_where_nothing_tells_the_power(void **state)
{
    (void)state;
    struct bench b;

    begin(&b, true, false);
    world.counter_j = 3090;
    fill(&world.power, T0, T0 + 100, 60);
    put_one(&b, "a", "", T0 + 10, T0 + 60);
    put_one(&b, "b", "", T0 + 1010, T0 + 1060);
    put_one(&b, "c", "", T0 + 2010, T0 + 2012); /* between two readings of a counter */
    meter_bring_up(b.meter);
    assert_near(facts(&b, "a", 0)->energy_j, 3000, NEAR);
    assert_near(facts(&b, "b", 0)->energy_j, 3090, NEAR);
    assert_int_equal(facts(&b, "b", 0)->energy_basis, ENERGY_UPSTREAM);
    assert_unknown(facts(&b, "c", 0)->energy_j);
    put_one(&b, "d", "", T0 + 1020, T0 + 1080); /* whose is it now? */
    meter_bring_up(b.meter);
    assert_unknown(facts(&b, "d", 0)->energy_j);
    end(&b);
}

static void a_hole_is_no_part_of_an_energy(void **state)
{
    (void)state;
    struct bench b;

    begin(&b, true, false);
    fill(&world.power, T0, T0 + 1200, 60);
    for (int64_t k = timeline_cell(&world.power, T0 + 500);
         k < timeline_cell(&world.power, T0 + 570); k++)
        timeline_set(&world.power, k, NAN);
    put_one(&b, "whole", "", T0 + 600, T0 + 1100);
    put_one(&b, "torn", "", T0 + 100, T0 + 1100);
    meter_bring_up(b.meter);
    assert_unknown(facts(&b, "torn", 0)->energy_j);
    assert_int_equal(facts(&b, "torn", 0)->energy_basis, ENERGY_NONE);
    assert_near(facts(&b, "whole", 0)->energy_j, 15000, NEAR);
    end(&b);
}

/* Four seconds of a hundred are missing at its end: they were like the others. */
static void what_is_missing_at_an_end_was_like_the_rest(void **state)
{
    (void)state;
    struct bench b;

    begin(&b, true, false);
    fill(&world.power, T0, T0 + 95, 60);
    put_one(&b, "a", "", T0, T0 + 99);
    meter_bring_up(b.meter);
    assert_near(facts(&b, "a", 0)->energy_j, 5940, NEAR);
    assert_near(facts(&b, "a", 0)->mean_power_w, 60, NEAR);
    end(&b);
}

static void measured_cores_decide_shares(void **state)
{
    (void)state;
    struct bench b;
    const struct scenario *two[] = { encode("", T0 + 10, T0 + 60),
                                     encode("", T0 + 10, T0 + 60) };

    begin(&b, true, false);
    world.apart = true;
    fill(&world.power, T0, T0 + 100, 60);
    fill(&world.cores, T0, T0 + 100, 9);
    fill(&world.cores_too, T0, T0 + 100, 1);
    put(&b, "a", two, 2);
    assert_near(facts(&b, "a", 0)->core_seconds, 450, NEAR);
    assert_near(facts(&b, "a", 1)->core_seconds, 50, NEAR);
    assert_near(facts(&b, "a", 0)->energy_j, 2700, NEAR);
    assert_near(facts(&b, "a", 1)->energy_j, 300, NEAR);
    end(&b);
}

/* Of the newest run alone: what it took the place of is served no more. */
static void a_run_that_is_not_served_takes_no_part(void **state)
{
    (void)state;
    struct bench b;

    begin(&b, true, false);
    store_free(b.store);
    b.store = store_new(&(struct store_rules){ .runs = 1 });
    meter_stop(b.meter);
    uv_run(&b.loop, UV_RUN_DEFAULT);

    const struct meter_sink sink = { &b, on_changed, on_settled };

    b.meter = meter_new(&b.loop, &b.c, b.store, &sink);
    meter_measure_by(b.meter, NULL, (struct upstream *)(void *)&upstream_stands_here);
    fill(&world.power, T0, T0 + 300, 60);
    put_one(&b, "test_results_20260101_000001", "", T0 + 100, T0 + 200);
    meter_bring_up(b.meter);
    put_one(&b, "test_results_20260101_000002", "", T0 + 100, T0 + 200);
    meter_bring_up(b.meter);
    assert_near(facts(&b, "test_results_20260101_000002", 0)->energy_j, 6000, NEAR);
    assert_int_equal(facts(&b, "test_results_20260101_000002", 0)->energy_basis,
                     ENERGY_UPSTREAM);
    end(&b);
}

static void what_was_measured_stays_when_its_samples_are_forgotten(void **state)
{
    (void)state;
    struct bench b;

    begin(&b, false, true);
    fill(&world.own_power, T0, T0 + 300, 40);
    put_one(&b, "a", "", T0 + 10, T0 + 20);
    meter_bring_up(b.meter);
    timeline_forget(&world.own_power, timeline_cell(&world.own_power, T0 + 5000));
    put_one(&b, "b", "", T0 + 15, T0 + 20); /* so the first is looked at again */
    meter_bring_up(b.meter);
    assert_near(facts(&b, "a", 0)->energy_j, 400, NEAR);
    assert_true(isnan(facts(&b, "b", 0)->energy_j));
    end(&b);
}

/* Numbers below n that look like chance and are the same each time. */
static unsigned some(unsigned n)
{
    static uint32_t state = 5;

    state = state * 1664525 + 1013904223;
    return (state >> 8) % n;
}

static void many_that_overlap_add_up_to_the_machine(void **state)
{
    (void)state;
    enum { N = 300 };
    const struct scenario *all[N];
    double sum = 0, first = INFINITY, last = -INFINITY;
    struct bench b;

    begin(&b, true, false);
    for (int i = 0; i < N; i++) {
        double start = T0 + 100 + some(1000), len = 20 + some(500);

        all[i] = encode("", start, start + len);
        first = fmin(first, start);
        last = fmax(last, start + len);
    }
    for (int64_t k = timeline_cell(&world.power, T0); k * 5 < T0 + 2000; k++)
        timeline_set(&world.power, k, 20 + (double)(k % 17));
    put(&b, "a", all, N);
    do
        meter_bring_up(b.meter);
    while (meter_owes(b.meter));
    for (uint32_t i = 0; i < N; i++)
        sum += facts(&b, "a", i)->energy_j;
    /* dense enough that one runs at every moment between the first and the last */
    assert_true(fabs(sum / timeline_total(&world.power, first, last, NULL) - 1) < 1e-9);
    end(&b);
}

/* A run of so many is measured in pieces, each in a turn of its own. */
static void large_runs_are_measured_to_their_end(void **state)
{
    (void)state;
    enum { N = 3000 };
    static const struct scenario *all[N];
    struct bench b;

    begin(&b, true, false);
    world.settled = false;
    for (int i = 0; i < N; i++)
        all[i] = encode("", T0 + 100 + 70.0 * i, T0 + 160 + 70.0 * i);
    put(&b, "a", all, N);
    meter_bring_up(b.meter);
    /* The answer comes while the pass is under way: what it has passed by gets it, too. */
    fill(&world.power, T0, T0 + 70.0 * N + 500, 10);
    world.settled = true;
    meter_news(b.meter);
    for (int turns = 0; turns < 1000 && (meter_owes(b.meter) || !b.settled); turns++)
        uv_run(&b.loop, UV_RUN_NOWAIT);
    assert_false(meter_owes(b.meter));
    for (uint32_t i = 0; i < N; i++)
        assert_near(facts(&b, "a", i)->energy_j, 600, NEAR);
    assert_false(uv_loop_alive(&b.loop));
    end(&b);
}

/* The newest run is replaced by its own measurements piece by piece while it is looked at. */
static void a_large_run_may_be_live(void **state)
{
    (void)state;
    enum { N = 1500 };
    static const struct scenario *all[N + 1];
    double now = (double)time(NULL);
    struct scenario from = { .name = VIEW("live"), .start_s = now - 5, .end_s = NAN };
    struct derive_input in = derive_input_unknown();
    struct bench b;

    begin(&b, true, false);
    in.start_s = now - 5;
    derive_facts(&in, &from.facts);
    for (int i = 0; i < N; i++)
        all[i] = encode("", now - 200000 + 70.0 * i, now - 199940 + 70.0 * i);
    all[N] = scenario_new(&from);
    fill(&world.power, now - 200100, now + 100, 10);
    put(&b, "a", all, N + 1);
    do
        meter_bring_up(b.meter);
    while (meter_owes(b.meter));
    assert_near(facts(&b, "a", N - 1)->energy_j, 600, NEAR);
    assert_int_equal(store_get(b.store, VIEW("a"))->scenarios[N]->state,
                     SCENARIO_RUNNING);
    end(&b);
}

static void without_sources_nothing_is_kept(void **state)
{
    (void)state;
    struct bench b;

    begin(&b, false, false);
    put_one(&b, "a", "", T0, T0 + 60);
    meter_bring_up(b.meter);
    assert_int_equal(b.changes, 0);
    assert_false(uv_loop_alive(&b.loop)); /* no timer */
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_is_there_before_the_store_hears_of_the_run),
        cmocka_unit_test(what_comes_later_is_put_in_its_place),
        cmocka_unit_test(what_the_file_tells_stays),
        cmocka_unit_test(an_upstream_comes_before_this_machine),
        cmocka_unit_test(what_was_settled_is_measured_again_where_values_came_late),
        cmocka_unit_test(one_that_began_before_there_were_samples_has_no_part_of_it),
        cmocka_unit_test(shares_follow_what_ran_beside),
        cmocka_unit_test(each_in_full_where_that_is_wanted),
        cmocka_unit_test(a_counter_counts_where_nothing_tells_the_power),
        cmocka_unit_test(a_hole_is_no_part_of_an_energy),
        cmocka_unit_test(what_is_missing_at_an_end_was_like_the_rest),
        cmocka_unit_test(measured_cores_decide_shares),
        cmocka_unit_test(a_run_that_is_not_served_takes_no_part),
        cmocka_unit_test(what_was_measured_stays_when_its_samples_are_forgotten),
        cmocka_unit_test(many_that_overlap_add_up_to_the_machine),
        cmocka_unit_test(large_runs_are_measured_to_their_end),
        cmocka_unit_test(a_large_run_may_be_live),
        cmocka_unit_test(without_sources_nothing_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
