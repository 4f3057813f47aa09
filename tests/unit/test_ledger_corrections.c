#include "tests/unit/ledger_desk.h"

static void what_fell_and_rises_again_is_charged_once(void **state)
{
    (void)state;
    static const struct {
        double kwh, core_hours, total;
    } steps[] = {
        { 2, 0.1, 3 },     /* 2 · 1 + 0.1 · 10 */
        { 1, 0.1, 3 },     /* falls: nothing */
        { 2, 0.1, 3 },     /* back where it was: nothing */
        { 2.5, 0.2, 4.5 }, /* 0.5 · 1 + 0.1 · 10 */
        { 0, 0.4, 6.5 },   /* energy falls, core-hours grow by 0.2 */
    };
    const struct run *before = NULL;
    struct desk d;

    open_desk(&d);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct scenario s = used("a", steps[i].kwh, steps[i].core_hours);

        tell(&d, "r1", &s, 1, before, false);
        assert_near(usd(&d, "default"), steps[i].total, 1e-12);
        run_unref(before);
        before = make_run("r1", &s, 1);
    }
    run_unref(before);
    close_desk(&d);
}

/* Rewrites a file that holds a and b, and tells what the account holds then. */
static double rewrite(struct desk *d, double a_kwh, double b_kwh)
{
    struct scenario s[2] = { used("a", a_kwh, 0), used("b", b_kwh, 0) };
    const struct run *before = make_run("r1", s, 2);

    tell(d, "r1", s, 2, before, false);
    run_unref(before);
    return usd(d, "default");
}

static void what_was_charged_too_much_lowers_what_is_charged_next(void **state)
{
    (void)state;
    struct scenario other = used("a", 3, 0);
    struct desk d;

    open_desk(&d);
    assert_near(rewrite(&d, 5, 1), 6, 0);
    assert_near(rewrite(&d, 2, 1), 6, 0);     /* 3 kWh too many */
    assert_near(rewrite(&d, 2, 3), 6, 0);     /* 2 of them used up */
    assert_near(rewrite(&d, 2, 4.5), 6.5, 0); /* 1 more, and 0.5 to pay */
    assert_near(rewrite(&d, 5, 4.5), 9.5, 0); /* nothing is left of it */

    /* It is of the region, whichever run: 4 too many, 3 used up by another run. */
    assert_near(rewrite(&d, 1, 4.5), 9.5, 0);
    tell(&d, "r2", &other, 1, NULL, false);
    assert_near(usd(&d, "default"), 9.5, 0);
    other.region = VIEW("us-east-1");
    tell(&d, "r3", &other, 1, NULL, false);
    assert_near(usd(&d, "us-east-1"), 3, 0);
    assert_near(rewrite(&d, 3, 4.5), 10.5, 0);
    /* and of CO2 as of money, at 0.5 kg */
    assert_near(ledger_account(&d.ledger, VIEW("default"))->co2_kg, 5.25, 1e-12);
    close_desk(&d);
}

static void falls_and_growth_of_one_change_are_set_off_in_any_order(void **state)
{
    (void)state;
    struct scenario s[3] = { used("a", 1, 0), used("a", 2, 0), used("a", 6, 0) };
    const struct run *before = make_run("r1", s, 3);
    struct desk d;

    open_desk(&d);
    tell(&d, "r1", s, 3, NULL, false);
    assert_near(usd(&d, "default"), 9, 0);
    s[0] = used("a", 6, 0);
    s[2] = used("a", 1, 0);
    tell(&d, "r1", s, 3, before, false);
    assert_near(usd(&d, "default"), 9, 0);
    run_unref(before);
    close_desk(&d);
}

static void what_was_never_charged_gives_nothing_back(void **state)
{
    (void)state;
    struct scenario s[2] = { used("a", 10, 0), used("b", 1, 0) };
    struct desk d;

    open_desk(&d);
    tell(&d, "r1", s, 2, NULL, true);
    assert_near(rewrite(&d, 12, 1), 2, 0);
    assert_near(rewrite(&d, 3, 1), 2, 0); /* 2 of the 9 were charged */
    assert_near(rewrite(&d, 3, 4), 3, 0);
    assert_near(rewrite(&d, 10, 4), 3, 0);
    assert_near(rewrite(&d, 11, 4), 4, 0);
    close_desk(&d);
}

static void what_was_charged_of_one_that_left_stays_charged(void **state)
{
    (void)state;
    struct scenario s[2] = { used("b", 1, 0), used("a", 10, 0) };
    const struct run *both = make_run("r1", s, 2), *one = make_run("r1", s, 1);
    struct desk d;

    open_desk(&d);
    tell(&d, "r1", s, 2, NULL, false);
    tell(&d, "r1", s, 1, both, false);
    s[0] = used("b", 3, 0);
    tell(&d, "r1", s, 1, one, false); /* b grows by 2: no use of what a was charged */
    assert_near(usd(&d, "default"), 13, 0);

    static const double steps[][2] = { { 4, 13 }, { 3, 13 }, { 10, 13 }, { 12, 15 } };

    for (size_t i = 0; i < 4; i++) { /* a is back, and written from its beginning */
        s[1] = used("a", steps[i][0], 0);
        tell(&d, "r1", s, 2, i ? both : one, false);
        assert_near(usd(&d, "default"), steps[i][1], 0);
    }
    assert_near(rewrite(&d, 11, 4), 15,
                0); /* what it grew since may fall: 1 for b's 1 */
    run_unref(both);
    run_unref(one);
    close_desk(&d);
}

/* ---- what is measured --------------------------------------------------------------- */

static struct scenario measured(const char *name, double kwh, double core_hours)
{
    struct scenario s = used(name, kwh, core_hours);

    s.start_s = 500;
    s.facts.energy_basis = isnan(kwh) ? ENERGY_NONE : ENERGY_UPSTREAM_SHARED;
    s.facts.compute_basis = isnan(core_hours) ? COMPUTE_NONE : COMPUTE_SAMPLER;
    return s;
}

static struct scenario by_the_clock(const char *name, double hours,
                                    enum scenario_state state)
{
    struct scenario s = unknown_scenario(name);

    s.start_s = 500;
    s.state = state;
    s.facts.duration_s = hours * 3600;
    s.facts.compute_basis = COMPUTE_WALL_CLOCK;
    return s;
}

/* Nothing was read: another measurement took the place of the one before. */
static double measure(struct desk *d, const char *id, const struct scenario *s)
{
    static const uint32_t first[] = { 0 };
    const struct run *before = make_run(id, s, 1), *after = make_run(id, s, 1);
    const struct diff diff = { .id = after->id,
                               .before = before,
                               .after = after,
                               .changed = first,
                               .changed_count = 1,
                               .from_start = true,
                               .measured = true };

    ledger_remember(&d->ledger, &d->config, &diff, 1060);
    run_unref(before);
    run_unref(after);
    return usd(d, "default");
}

static void what_is_measured_later_of_what_was_there_is_its_zero(void **state)
{
    (void)state;
    struct scenario s = by_the_clock("a", 1, SCENARIO_TOLD);
    struct desk d;

    open_desk(&d);
    tell(&d, "r1", &s, 1, NULL, true);

    /* The energy first; then cores in place of the clock, more than it said. */
    s.facts.energy_j = 7 * 3.6e6;
    s.facts.energy_basis = ENERGY_UPSTREAM;
    assert_near(measure(&d, "r1", &s), 0, 0);
    s = measured("a", 7, 4);
    assert_near(measure(&d, "r1", &s), 0, 0);
    /* Only the first: 1 kWh and 0.1 core-hours more. */
    s = measured("a", 8, 4.1);
    assert_near(measure(&d, "r1", &s), 2, 1e-12);
    /* Its content is let go, read again and measured again. */
    s = by_the_clock("a", 1, SCENARIO_TOLD);
    tell(&d, "r1", &s, 1, NULL, true);
    s = measured("a", 8, 4.1);
    assert_near(measure(&d, "r1", &s), 2, 1e-12);
    close_desk(&d);
}

static void whatever_is_measured_of_what_was_over_is_not_charged(void **state)
{
    (void)state;
    static const double kwh[] = { 7, 7.2, 6.9, 7.3 }, cores[] = { 0.6, 0.5, 4, 4.1 };
    struct scenario s = by_the_clock("a", 0.1, SCENARIO_TOLD);
    struct desk d;

    open_desk(&d);
    tell(&d, "r1", &s, 1, NULL, true); /* at 1000; the encode ended at 860 */
    /* Counters refine what readings of power said, others are found to have shared. */
    for (size_t i = 0; i < 4; i++) {
        s = measured("a", kwh[i], cores[i]);
        s.end_s = 860;
        assert_near(measure(&d, "r1", &s), 0, 0);
    }
    /* Read again, and measured anew: the clock's hours are more than those of cores. */
    s = by_the_clock("b", 0.1, SCENARIO_TOLD);
    tell(&d, "r2", &s, 1, NULL, true);
    s = measured("b", NAN, 0.02);
    s.end_s = 860;
    assert_near(measure(&d, "r2", &s), 0, 0);
    s = by_the_clock("b", 0.1, SCENARIO_TOLD);
    tell(&d, "r2", &s, 1, NULL, true);
    assert_near(usd(&d, "default"), 0, 0);
    /* One that was given up before the start has no end but its duration. */
    s = by_the_clock("c", NAN, SCENARIO_TOLD);
    tell(&d, "r3", &s, 1, NULL, true);
    for (int i = 0; i < 2; i++) {
        s = measured("c", 1 + i, NAN);
        s.state = SCENARIO_ABORTED;
        s.facts.duration_s = 360;
        assert_near(measure(&d, "r3", &s), 0, 0);
    }
    /* What its file tells of it beyond that is growth. */
    s = used("b", 1, 0.2);
    tell(&d, "r2", &s, 1, NULL, true);
    assert_near(usd(&d, "default"), 2, 1e-12);
    close_desk(&d);
}

/* The file states a mean, and the time that it goes with was measured. */
static void energy_of_a_measured_time_is_measured(void **state)
{
    (void)state;
    const struct scenario told = by_the_clock("a", NAN, SCENARIO_TOLD);
    const struct scenario *as_told = scenario_new(&told);
    struct scenario s = by_the_clock("a", 0.1, SCENARIO_RUNNING);
    struct desk d;

    open_desk(&d);
    tell(&d, "r1", as_told, 1, NULL, true);
    s.as_told = as_told;
    s.facts.energy_basis = ENERGY_REPORTED;
    for (int i = 0; i < 2; i++) {
        s.facts.energy_j = (5 + i) * 3.6e6;
        scenario_ref(as_told); /* one for each version that measure() makes */
        scenario_ref(as_told);
        assert_near(measure(&d, "r1", &s), i, 1e-12);
    }
    scenario_unref(as_told);
    close_desk(&d);
}

static void a_file_that_tells_later_is_charged_from_its_zero(void **state)
{
    (void)state;
    struct scenario s = used("a", 1, 0);
    struct desk d;

    open_desk(&d);
    s.facts.energy_j = NAN;
    tell(&d, "r1", &s, 1, NULL, true);
    s = used("a", 3, 0.1);
    s.facts.energy_basis = ENERGY_REPORTED;
    tell(&d, "r1", &s, 1, NULL, true);
    assert_near(usd(&d, "default"), 4, 1e-12);

    s = by_the_clock("a", NAN, SCENARIO_TOLD);
    tell(&d, "r2", &s, 1, NULL, true);
    s = by_the_clock("a", 0.5, SCENARIO_TOLD);
    tell(&d, "r2", &s, 1, NULL, true);
    assert_near(usd(&d, "default"), 9, 1e-12);
    close_desk(&d);
}

static void one_that_runs_at_start_is_charged_from_then_on(void **state)
{
    (void)state;
    struct scenario s = by_the_clock("a", NAN, SCENARIO_TOLD);
    struct desk d;

    s.encoder_type = VIEW("gpu");
    open_desk(&d);
    tell(&d, "r1", &s, 1, NULL, true);
    s = by_the_clock("a", 1, SCENARIO_RUNNING);
    s.encoder_type = VIEW("gpu");
    assert_near(measure(&d, "r1", &s), 0, 0);
    s.facts.duration_s += 360; /* 0.1 h: 1 for the core, 10 for the GPU */
    assert_near(measure(&d, "r1", &s), 11, 1e-12);
    s = measured("a", 5, 8);
    s.state = SCENARIO_RUNNING;
    assert_near(measure(&d, "r1", &s), 11, 1e-12);
    /* The clock once more: what it says less of cores was never charged … */
    s = by_the_clock("a", 1.2, SCENARIO_RUNNING);
    assert_near(measure(&d, "r1", &s), 11, 1e-12);
    s = measured("a", 5.5, 8.1);
    s.state = SCENARIO_RUNNING;
    assert_near(measure(&d, "r1", &s), 12.5, 1e-12); /* … so 0.5 · 1 + 0.1 · 10 */
    /* It ends, and its file tells all. */
    s = used("a", 6, 8.2);
    tell(&d, "r1", &s, 1, NULL, true);
    assert_near(usd(&d, "default"), 14, 1e-12);

    /* Once cores were measured the clock's hours are no zero any more. */
    s = by_the_clock("a", NAN, SCENARIO_TOLD);
    tell(&d, "r2", &s, 1, NULL, true);
    s = measured("a", NAN, 8);
    assert_near(measure(&d, "r2", &s), 14, 1e-12);
    s = by_the_clock("a", 1, SCENARIO_RUNNING);
    assert_near(measure(&d, "r2", &s), 14, 1e-12);
    s = measured("a", NAN, 8.1);
    assert_near(measure(&d, "r2", &s), 15, 1e-12);
    close_desk(&d);
}

static void what_came_after_the_start_is_charged_as_it_is_measured(void **state)
{
    (void)state;
    struct scenario s[2] = { by_the_clock("a", 1, SCENARIO_TOLD),
                             by_the_clock("b", 1, SCENARIO_TOLD) };
    const struct run *before = make_run("r1", s, 1);
    struct desk d;

    open_desk(&d);
    tell(&d, "r1", s, 1, NULL, true);
    tell(&d, "r1", s, 2, before, true); /* 1 core-hour, of b */
    assert_near(usd(&d, "default"), 10, 0);
    s[1] = measured("b", 2, 3);
    assert_near(measure(&d, "r1", &s[1]), 32, 0);
    /* a is encoded anew at a time after the start, under its old name */
    s[0] = measured("a", 4, 1);
    s[0].start_s = 1500;
    tell(&d, "r1", s, 2, before, true);
    assert_near(usd(&d, "default"), 36, 0);
    run_unref(before);
    close_desk(&d);
}

static void a_measurement_makes_nothing_leave(void **state)
{
    (void)state;
    struct scenario s[3] = { used("a", 1, 0), used("b", 1, 0), used("c", 1, 0) };
    const struct run *before = make_run("r1", s, 3), *after;
    static const uint32_t first[] = { 0 };
    struct desk d;

    open_desk(&d);
    tell(&d, "r1", s, 3, NULL, false);
    s[0] = measured("a", 2, 0);
    after = make_run("r1", s, 3);

    const struct diff diff = { .id = after->id,
                               .before = before,
                               .after = after,
                               .changed = first,
                               .changed_count = 1,
                               .measured = true };

    ledger_remember(&d.ledger, &d.config, &diff, 1060);
    assert_near(usd(&d, "default"), 4, 0);
    assert_int_equal(seen_present(table_get(&d.ledger.runs, VIEW("r1"))), 3);
    run_unref(before);
    run_unref(after);
    close_desk(&d);
}

static void the_sum_is_that_of_the_figures_whatever_happened(void **state)
{
    (void)state;
    double kwh[MAX] = { 0 }, total = 0, sum = 0;
    struct scenario s[MAX];
    uint64_t random = 7;
    struct desk d;

    open_desk(&d);
    for (int step = 0; step < 2000; step++) {
        const char *id = step & 1 ? "r1" : "r2";

        for (int i = step & 1; i < MAX; i += 2) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
            if (random >> 63)
                kwh[i] = (double)(random >> 32 & 1023);
        }
        for (int i = step & 1; i < MAX; i += 2)
            s[i / 2] = used("same", kwh[i], 0);
        tell(&d, id, s, MAX / 2, NULL, false);
        assert_true(usd(&d, "default") >= total);
        total = usd(&d, "default");
    }
    for (int i = 0; i < MAX; i++)
        sum += kwh[i];
    assert_true(total > sum);
    /* So much that all is used up: what is charged in the end is what there is. */
    s[0] = used("last", 1e6, 0);
    tell(&d, "r3", s, 1, NULL, false);
    assert_near(usd(&d, "default"), sum + 1e6, 1e-6);
    close_desk(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fell_and_rises_again_is_charged_once),
        cmocka_unit_test(what_was_charged_too_much_lowers_what_is_charged_next),
        cmocka_unit_test(falls_and_growth_of_one_change_are_set_off_in_any_order),
        cmocka_unit_test(what_was_never_charged_gives_nothing_back),
        cmocka_unit_test(what_was_charged_of_one_that_left_stays_charged),
        cmocka_unit_test(what_is_measured_later_of_what_was_there_is_its_zero),
        cmocka_unit_test(whatever_is_measured_of_what_was_over_is_not_charged),
        cmocka_unit_test(energy_of_a_measured_time_is_measured),
        cmocka_unit_test(a_file_that_tells_later_is_charged_from_its_zero),
        cmocka_unit_test(one_that_runs_at_start_is_charged_from_then_on),
        cmocka_unit_test(what_came_after_the_start_is_charged_as_it_is_measured),
        cmocka_unit_test(a_measurement_makes_nothing_leave),
        cmocka_unit_test(the_sum_is_that_of_the_figures_whatever_happened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
