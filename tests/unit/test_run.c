#include "core/run.h"
#include "core/hash.h"
#include "core/measured.h"
#include "core/mem.h"

#include "tests/unit/test.h"

#include <stdlib.h>

static const struct scenario *made(const char *name, const char *bitrate,
                                   const char *region, bool baseline)
{
    struct scenario from = { .name = view_of(name),
                             .bitrate = view_of(bitrate),
                             .encoder = VIEW("h264"),
                             .preset = VIEW("veryfast"),
                             .region = view_of(region),
                             .is_baseline = baseline };

    return scenario_new(&from);
}

static void repeats_are_numbered_in_file_order(void **state)
{
    (void)state;
    const struct scenario *all[] = {
        made("a", "1k", "", false), made("b", "1k", "", false),
        made("a", "2k", "", false), made("a", "1k", "eu", false),
        made("a", "1k", "", false), made("b", "1k", "", false),
    };
    const uint32_t want[] = { 1, 1, 1, 2, 3, 2 }; /* the region is no identity */
    struct run *run = run_new(VIEW("id"), all, 6);

    assert_view(run->id, "id");
    assert_int_equal(run->count, 6);
    for (int i = 0; i < 6; i++)
        assert_int_equal(run->ordinals[i], want[i]);
    assert_int_equal(run->repeated, 3);
    assert_int_equal(run->schema_version, 1);
    run_unref(run);
}

static void identity_is_name_bitrate_resolution_encoder_preset(void **state)
{
    (void)state;
    struct scenario a = { .name = VIEW("ab"), .bitrate = VIEW("c") };
    struct scenario b = { .name = VIEW("a"), .bitrate = VIEW("bc") };
    struct scenario c = { .name = VIEW("ab"), .bitrate = VIEW("c"), .host = VIEW("h") };
    const struct scenario *s[] = { scenario_new(&a), scenario_new(&b),
                                   scenario_new(&c) };
    uint64_t h[3][2];

    for (int i = 0; i < 3; i++)
        scenario_identity(s[i], h[i]);
    assert_false(hash_eq(h[0], h[1])); /* parts do not run into each other */
    assert_true(hash_eq(h[0], h[2]));
    for (int i = 0; i < 3; i++)
        scenario_unref(s[i]);
}

static void the_first_baseline_counts(void **state)
{
    (void)state;
    const struct scenario *all[] = { made("a", "", "", false),
                                     made("idle", "", "", true),
                                     made("baseline", "", "", true) };
    struct run *run = run_new(VIEW("x"), all, 3);

    assert_int_equal(run->baseline, 1);
    assert_ptr_equal(run_baseline(run), all[1]);
    run_unref(run);
}

static void regions_are_listed_once_in_order_of_appearance(void **state)
{
    (void)state;
    const struct scenario *all[] = {
        made("a", "", "eu", false), made("b", "", "", false),
        made("c", "", "eu", false), made("d", "", "us", false),
        made("e", "", "us", false),
    };
    struct run *run = run_new(VIEW("x"), all, 5);

    assert_int_equal(run->region_count, 3);
    assert_view(run->regions[0], "eu");
    assert_view(run->regions[1], "");
    assert_view(run->regions[2], "us");
    run_unref(run);
}

static void a_run_may_be_empty(void **state)
{
    (void)state;
    struct run *run = run_new(VIEW(""), NULL, 0);

    assert_int_equal(run->count, 0);
    assert_int_equal(run->baseline, RUN_NO_BASELINE);
    assert_null(run_baseline(run));
    assert_int_equal(run->region_count, 0);
    run_unref(run);
    run_unref(NULL);
}

static void runs_may_share_scenarios(void **state)
{
    (void)state;
    const struct scenario *s = made("a", "", "", false);
    struct run *one = run_new(VIEW("x"), &s, 1);
    const struct scenario *same = scenario_ref(s);
    struct run *two = run_new(VIEW("x"), &same, 1);

    assert_ptr_equal(run_ref(one), one);
    run_unref(one);
    run_unref(one);
    assert_view(two->scenarios[0]->name, "a");
    run_unref(two);
}

/* A run of two scenarios that began and ended then, and took so long. */
static double end_of_run(const double start_s[2], const double end_s[2],
                         const double duration_s[2])
{
    const struct scenario *all[2];
    struct run *run;
    double end;

    for (int i = 0; i < 2; i++) {
        struct scenario from = { .name = VIEW("x"),
                                 .start_s = start_s[i],
                                 .end_s = end_s[i],
                                 .facts.duration_s = duration_s[i] };

        all[i] = scenario_new(&from);
    }
    run = run_new(VIEW("id"), all, 2);
    end = run->end_s;
    run_unref(run);
    return end;
}

#define PAIR(a, b) ((const double[]){ (a), (b) })

static void a_run_ends_with_the_last_of_its_scenarios(void **state)
{
    const double *none = PAIR(NAN, NAN);

    (void)state;
    assert_near(end_of_run(none, PAIR(1.7e9, 1.6e9), none), 1.7e9, 0);
    assert_near(end_of_run(none, PAIR(NAN, 1.6e9), none), 1.6e9, 0);
    assert_near(end_of_run(PAIR(1.7e9, 1.5e9), PAIR(NAN, 1.6e9), PAIR(60, 10)),
                1.7e9 + 60, 0);
    assert_unknown(end_of_run(PAIR(1.7e9, NAN), none, none)); /* how long? */
    assert_unknown(end_of_run(none, none, PAIR(60, 60)));
}

static void a_time_that_is_no_unix_time_dates_nothing(void **state)
{
    const double *none = PAIR(NAN, NAN);

    (void)state;
    assert_unknown(end_of_run(PAIR(0, 1000), PAIR(120, 1050.75), none));
    assert_unknown(end_of_run(none, PAIR(1.7e12, -5), none)); /* milliseconds */
    assert_near(end_of_run(none, PAIR(1.7e12, 1.6e9), none), 1.6e9, 0);
}

/* ---- what measurements could tell ------------------------------------------------ */

struct told { /* of one scenario */
    double start_s, end_s, duration_s, energy_j, core_seconds;
};

static const struct scenario *of_times(const struct told *t)
{
    struct scenario from = { .name = VIEW("x"),
                             .start_s = t->start_s,
                             .end_s = t->end_s,
                             .facts = { .duration_s = t->duration_s,
                                        .energy_j = t->energy_j,
                                        .core_seconds = t->core_seconds } };

    return scenario_new(&from);
}

#define RUN_OF(...)                                                                    \
    run_of_times((const struct told[]){ __VA_ARGS__ },                                 \
                 sizeof((const struct told[]){ __VA_ARGS__ }) / sizeof(struct told))

static struct run *run_of_times(const struct told told[], uint32_t n)
{
    const struct scenario *all[16];

    for (uint32_t i = 0; i < n; i++)
        all[i] = of_times(&told[i]);
    return run_new(VIEW("id"), all, n);
}

static void scenarios_lack_what_their_files_leave_open(void **state)
{
    (void)state;
    struct run *run = RUN_OF({ 1.7e9, 1.7e9 + 9, 9, NAN, NAN }, /* lacks both */
                             { 1.7e9, 1.7e9 + 9, 9, 5, NAN },   /* or one */
                             { 1.7e9, 1.7e9 + 9, NAN, NAN, 5 },
                             { 1.7e9, 1.7e9 + 9, 9, 0, 0 },     /* nothing */
                             { 1.7e9, 1.7e9, 9, NAN, NAN },     /* took no time */
                             { 1.7e9 + 9, 1.7e9, 9, NAN, NAN }, /* ended before */
                             { 0, 9, 9, NAN, NAN },             /* no Unix times */
                             { 1e12, 1.7e9, 9, NAN, NAN }, { NAN, 1.7e9, 9, NAN, NAN });

    assert_int_equal(run->lacking, 3);
    assert_int_equal(run->open, 0);
    run_unref(run);
}

static void scenarios_are_open_that_only_began(void **state)
{
    (void)state;
    struct run *run = RUN_OF({ 1.7e9, NAN, NAN, NAN, NAN }, { 1.7e9, NAN, NAN, 5, 5 },
                             { 1.7e9, 0, NAN, NAN, NAN },     /* "not yet" */
                             { 1.7e9, NAN, 30, NAN, NAN },    /* known how long */
                             { 1.7e9, 1.7e9 - 1, NAN, 0, 0 }, /* it did end */
                             { NAN, NAN, NAN, NAN, NAN }, { 17, NAN, NAN, NAN, NAN });

    assert_int_equal(run->open, 3);
    assert_int_equal(run->lacking, 0);
    run_unref(run);
}

/* ---- with measurements ----------------------------------------------------------- */

/* The scenario with an energy of so many joules, and a duration as if it had run so long. */
static const struct scenario *with_energy(const struct scenario *s, double energy_j)
{
    struct measured m = measured_nothing();

    m.energy_j = energy_j;
    m.energy_basis = ENERGY_SAMPLER;
    m.duration_s = energy_j;
    m.state = SCENARIO_RUNNING;
    return scenario_measured(s, &m);
}

static unsigned holders(const struct scenario *s)
{
    return atomic_load(&((struct scenario *)(uintptr_t)s)->refs);
}

static const struct scenario *lacking(uint32_t number, const char *region)
{
    struct scenario from = { .name = VIEW("x"),
                             .bitrate = number % 3 ? VIEW("1k") : VIEW("2k"),
                             .region = view_of(region),
                             .start_s = 1.7e9 + number,
                             .end_s = number % 2 ? NAN : 1.7e9 + 2 * number + 1,
                             .facts = { .duration_s = NAN,
                                        .energy_j = NAN,
                                        .cpu_energy_j = NAN,
                                        .mean_cpu_power_w = NAN,
                                        .gpu_mean_power_w = NAN,
                                        .gpu_energy_j = NAN,
                                        .core_seconds = NAN } };

    return scenario_new(&from);
}

/* Regions of its scenarios: eu, eu, us, us, eu … */
static const struct run *lacking_run(uint32_t n)
{
    const struct scenario **all = mem_alloc(n * sizeof *all);
    const struct run *run;

    for (uint32_t i = 0; i < n; i++)
        all[i] = lacking(i, i % 4 < 2 ? "eu" : "us");
    run = run_new(VIEW("id"), all, n);
    free(all);
    return run;
}

static const struct run *with_one(const struct run *run, uint32_t at, double energy_j)
{
    const struct scenario *s = with_energy(run->scenarios[at], energy_j);

    return run_with(run, &at, &s, 1);
}

static void a_measured_run_is_the_same_but_for_some_scenarios(void **state)
{
    (void)state;
    const struct run *one = lacking_run(6), *two;
    const uint32_t at[] = { 1, 4 };
    const struct scenario *with[] = { with_energy(one->scenarios[1], 10),
                                      with_energy(one->scenarios[4], 40) };

    two = run_with(one, at, with, 2);
    assert_view(two->id, "id");
    assert_int_equal(two->count, 6);
    assert_int_equal(two->repeated, one->repeated);
    assert_int_equal(two->lacking, 3);
    assert_int_equal(two->open, 3);
    assert_int_equal(two->schema_version, 1);
    assert_near(two->end_s, one->end_s, 0);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(two->ordinals[i], one->ordinals[i]);
        assert_ptr_equal(two->scenarios[i], i == 1   ? with[0]
                                            : i == 4 ? with[1]
                                                     : one->scenarios[i]);
    }
    assert_near(one->scenarios[4]->facts.duration_s, NAN, 0);
    run_unref(one);
    assert_int_equal(two->region_count, 2);
    assert_view(two->regions[1], "us");
    assert_view(two->scenarios[0]->name, "x");
    assert_near(two->scenarios[4]->facts.energy_j, 40, 0);
    run_unref(two);
}

static void who_did_not_change_is_not_even_touched(void **state)
{
    (void)state;
    const struct run *told = lacking_run(1000), *one = with_one(told, 500, 1), *two;

    for (int i = 0; i < 1000; i++) {
        two = with_one(one, 500, 2 + i);
        run_unref(one);
        one = two;
    }
    for (uint32_t i = 0; i < 1000; i++) /* by told, and by the measured one */
        assert_int_equal(holders(told->scenarios[i]), i == 500 ? 2 : 1);
    assert_int_equal(holders(one->scenarios[500]), 1);
    assert_near(one->scenarios[500]->facts.energy_j, 1001, 0);
    run_unref(told);
    run_unref(one);
}

static void nor_is_it_where_all_were_measured_before(void **state)
{
    (void)state;
    enum { N = 1000 };
    const struct run *told = lacking_run(N), *all, *one;
    const struct scenario *with[N];
    uint32_t at[N];

    for (uint32_t i = 0; i < N; i++) {
        at[i] = i;
        with[i] = with_energy(told->scenarios[i], 1 + i);
    }
    all = run_with(told, at, with, N);
    run_unref(told);
    one = with_one(all, 7, 5000);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(holders(all->scenarios[i]), 1);
    run_unref(all);
    assert_near(one->scenarios[7]->facts.energy_j, 5000, 0);
    assert_near(one->scenarios[8]->facts.energy_j, 9, 0);
    assert_view(one->regions[1], "us");
    run_unref(one);
}

static void a_run_of_nothing_may_be_measured(void **state)
{
    (void)state;
    const struct run *one = run_new(VIEW(""), NULL, 0);
    const struct run *two = run_with(one, NULL, NULL, 0);

    run_unref(one);
    assert_int_equal(two->count, 0);
    assert_int_equal(two->id.n, 0);
    run_unref(two);
}

static void what_is_taken_over_counts_as_its_file_tells_it(void **state)
{
    (void)state;
    const struct run *one = lacking_run(4), *two;
    const struct scenario *all[4];

    for (uint32_t i = 0; i < 4; i++)
        all[i] = with_energy(one->scenarios[i], 1000);
    two = run_new(VIEW("id"), all, 4);
    assert_int_equal(two->lacking, 2);
    assert_int_equal(two->open, 2);
    assert_near(two->end_s, one->end_s, 0); /* not 1000 s later */
    run_unref(one);
    run_unref(two);
}

static uint64_t drawn(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* A run and what is to be in it. */
enum { DRAWN_COUNT = 300, GENERATIONS = 8 };
struct generation {
    const struct run *run;
    double energy_j[DRAWN_COUNT]; /* 0: as told */
};

static void assert_generation(const struct generation *g, const struct run *like)
{
    assert_view(g->run->id, "id");
    for (uint32_t i = 0; i < DRAWN_COUNT; i++) {
        const struct scenario *s = g->run->scenarios[i];

        assert_near(s->start_s, 1.7e9 + i, 0);
        assert_near(s->facts.energy_j, g->energy_j[i] > 0 ? g->energy_j[i] : NAN, 0);
        assert_int_equal(g->run->ordinals[i], like->ordinals[i]);
    }
    assert_int_equal(g->run->region_count, 2);
    assert_view(g->run->regions[0], "eu");
    assert_view(g->run->regions[1], "us");
    assert_true(!g->run->base || !g->run->base->base); /* no chains */
}

static void measure_some(struct generation *to, const struct generation *from,
                         uint64_t *seed)
{
    const struct scenario *with[DRAWN_COUNT];
    uint32_t at[DRAWN_COUNT], n = 0;
    uint64_t one_in = 1 + drawn(seed) % (drawn(seed) % 4 ? 300 : 3);

    *to = *from;
    for (uint32_t i = 0; i < DRAWN_COUNT; i++) {
        if (drawn(seed) % one_in)
            continue;
        to->energy_j[i] = (double)(1 + drawn(seed) % 1000);
        with[n] = with_energy(from->run->scenarios[i], to->energy_j[i]);
        at[n++] = i;
    }
    to->run = run_with(from->run, at, with, n);
}

static void runs_are_measured_and_let_go_in_any_order(void **state)
{
    (void)state;
    const struct run *like = lacking_run(DRAWN_COUNT);
    struct generation all[GENERATIONS];
    uint64_t seed = 20261101;

    for (int i = 0; i < GENERATIONS; i++)
        all[i] = (struct generation){ .run = lacking_run(DRAWN_COUNT) };
    for (int round = 0; round < 1500; round++) {
        struct generation next;
        struct generation *gone = &all[drawn(&seed) % GENERATIONS];

        measure_some(&next, &all[drawn(&seed) % GENERATIONS], &seed);
        run_unref(gone->run);
        *gone = next;
        assert_generation(gone, like);
        assert_generation(&all[drawn(&seed) % GENERATIONS], like);
    }
    for (int i = 0; i < GENERATIONS; i++)
        run_unref(all[i].run);
    run_unref(like);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeats_are_numbered_in_file_order),
        cmocka_unit_test(identity_is_name_bitrate_resolution_encoder_preset),
        cmocka_unit_test(the_first_baseline_counts),
        cmocka_unit_test(regions_are_listed_once_in_order_of_appearance),
        cmocka_unit_test(a_run_may_be_empty),
        cmocka_unit_test(runs_may_share_scenarios),
        cmocka_unit_test(a_run_ends_with_the_last_of_its_scenarios),
        cmocka_unit_test(a_time_that_is_no_unix_time_dates_nothing),
        cmocka_unit_test(scenarios_lack_what_their_files_leave_open),
        cmocka_unit_test(scenarios_are_open_that_only_began),
        cmocka_unit_test(a_measured_run_is_the_same_but_for_some_scenarios),
        cmocka_unit_test(who_did_not_change_is_not_even_touched),
        cmocka_unit_test(nor_is_it_where_all_were_measured_before),
        cmocka_unit_test(a_run_of_nothing_may_be_measured),
        cmocka_unit_test(what_is_taken_over_counts_as_its_file_tells_it),
        cmocka_unit_test(runs_are_measured_and_let_go_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
