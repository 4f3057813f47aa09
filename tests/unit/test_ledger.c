#include "tests/unit/ledger_desk.h"

static void what_appears_is_charged(void **state)
{
    (void)state;
    struct scenario s[2] = { used("a", 2, 0.5), used("b", 1, 0) };
    struct desk d;

    open_desk(&d);
    tell(&d, "r1", s, 2, NULL, false);
    /* 2 · 1 + 0.5 · 10, and 1 · 1 */
    assert_near(usd(&d, "default"), 8, 1e-12);
    /* 3 kWh · 0.5 kg */
    assert_near(ledger_account(&d.ledger, VIEW("default"))->co2_kg, 1.5, 1e-12);
    close_desk(&d);
}

static void what_was_there_at_start_is_the_zero(void **state)
{
    (void)state;
    struct scenario s[2] = { used("a", 2, 0.5), used("b", 1, 0) };
    struct desk d;

    open_desk(&d);
    tell(&d, "r1", s, 1, NULL, true);
    assert_near(usd(&d, "default"), 0, 0);

    /* a grows by 1 kWh and b appears, in a file that was there at start */
    const struct run *before = make_run("r1", s, 1);

    s[0] = used("a", 3, 0.5);
    tell(&d, "r1", s, 2, before, true);
    assert_near(usd(&d, "default"), 2, 1e-12);
    run_unref(before);
    close_desk(&d);
}

static void quantities_that_are_unknown_neither_count_nor_forget(void **state)
{
    (void)state;
    struct scenario s = used("a", 2, 0);
    struct desk d;

    open_desk(&d);
    s.facts.core_seconds = NAN;
    tell(&d, "r1", &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 2, 1e-12);
    s = used("a", 0, 0.1);
    s.facts.energy_j = NAN;
    tell(&d, "r1", &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 3, 1e-12);
    s = used("a", 2, 0.1);
    tell(&d, "r1", &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 3, 1e-12);
    close_desk(&d);
}

static void a_run_that_comes_back_is_not_counted_twice(void **state)
{
    (void)state;
    struct scenario s = used("a", 2, 0);
    struct desk d;

    open_desk(&d);
    tell(&d, "r1", &s, 1, NULL, false);
    tell(&d, "r1", &s, 1, NULL, false); /* its content was let go meanwhile */
    assert_near(usd(&d, "default"), 2, 1e-12);

    /* nor is what it grew by lost, though it was there at start */
    s = used("a", 5, 0);
    tell(&d, "r1", &s, 1, NULL, true);
    assert_near(usd(&d, "default"), 5, 1e-12);
    close_desk(&d);
}

static void entries_live_as_long_as_their_file(void **state)
{
    (void)state;
    struct scenario s[2] = { used("a", 2, 0), used("b", 1, 0) };
    struct desk d;

    open_desk(&d);
    tell(&d, "r1", s, 2, NULL, false);
    assert_near(usd(&d, "default"), 3, 1e-12);

    /* b vanishes from the file and comes back */
    const struct run *before = make_run("r1", s, 2);

    tell(&d, "r1", s, 1, before, false);
    tell(&d, "r1", s, 2, before, false);
    assert_near(usd(&d, "default"), 3, 1e-12);
    run_unref(before);

    gone(&d, "r1");
    assert_near(usd(&d, "default"), 3, 1e-12); /* the counter stays */
    assert_int_equal(d.ledger.runs.count, 0);
    gone(&d, "r1");                    /* of which nothing is known */
    tell(&d, "r1", s, 2, NULL, false); /* a new file of the old name */
    assert_near(usd(&d, "default"), 6, 1e-12);
    close_desk(&d);
}

static void only_what_changed_is_looked_at(void **state)
{
    (void)state;
    struct scenario s[3] = { used("a", 1, 0), used("b", 1, 0), used("c", 1, 0) };
    const struct run *before = make_run("r1", s, 3), *after;
    const uint32_t changed[] = { 1 };
    struct desk d;

    open_desk(&d);
    tell(&d, "r1", s, 3, NULL, true);
    s[0] = used("a", 100, 0); /* not in changed[] */
    s[1] = used("b", 4, 0);
    after = make_run("r1", s, 3);

    const struct diff diff = { .id = after->id,
                               .before = before,
                               .after = after,
                               .changed = changed,
                               .changed_count = 1 };

    ledger_remember(&d.ledger, &d.config, &diff, 1000);
    assert_near(usd(&d, "default"), 3, 1e-12);
    run_unref(before);
    run_unref(after);
    close_desk(&d);
}

static void repeats_and_runs_are_counted_apart(void **state)
{
    (void)state;
    struct scenario s[3] = { used("a", 1, 0), used("a", 2, 0), used("a", 3, 0) };
    struct desk d;

    open_desk(&d);
    tell(&d, "r1", s, 3, NULL, false);
    tell(&d, "r2", s, 3, NULL, false);
    /* 1 + 2 + 3, twice */
    assert_near(usd(&d, "default"), 12, 1e-12);
    close_desk(&d);
}

static void what_the_building_takes_counts_as_well(void **state)
{
    (void)state;
    static const struct given given[] = { { "energy-cost", "1" },
                                          { "cpu-cost", "10" },
                                          { "pue", "1.5" } };
    struct scenario s = used("a", 2, 0.1);
    struct desk d = { 0 };

    configure(&d, given, 3, NULL);
    tell(&d, "r1", &s, 1, NULL, false);
    /* 2 kWh · 1.5 · 1 + 0.1 · 10; 3 kWh · 0.5 kg */
    assert_near(usd(&d, "default"), 4, 1e-12);
    assert_near(ledger_account(&d.ledger, VIEW("default"))->co2_kg, 1.5, 1e-12);
    close_desk(&d);
}

static void regions_have_their_own_counters(void **state)
{
    (void)state;
    static const struct given given[] = { { "region", "us-east-1" },
                                          { "cpu-cost", "0" },
                                          { "currency", "SEK" } };
    struct scenario s[3] = { used("a", 1, 0), used("b", 10, 0), used("c", 100, 0) };
    const struct account *a;
    struct desk d = { 0 };

    s[1].region = VIEW("eu-north-1");
    s[2].region = VIEW("nowhere");
    configure(&d, given, 3, NULL);
    tell(&d, "r1", s, 3, NULL, false);
    /* 1 kWh · 0.13 USD; 10 · 0.74 SEK · 0.095; 100 · 0.12 USD */
    assert_near(usd(&d, "us-east-1"), 0.13, 1e-15);
    assert_near(usd(&d, "eu-north-1"), 0.703, 1e-12);
    assert_near(usd(&d, "nowhere"), 12, 1e-12);
    /* and in SEK straight from the currency of the price: 0.13 · 10.5; 7.4 */
    a = ledger_account(&d.ledger, VIEW("us-east-1"));
    assert_near(ledger_amount(&d.ledger, a, &d.config, 0), 1.365, 1e-12);
    a = ledger_account(&d.ledger, VIEW("eu-north-1"));
    assert_near(ledger_amount(&d.ledger, a, &d.config, 0), 7.4, 1e-12);
    assert_near(a->co2_kg, 1.2, 1e-12);
    assert_near(a->created_s, 1000, 0);
    close_desk(&d);
}

static void a_price_change_applies_to_later_growth_only(void **state)
{
    (void)state;
    static const struct given dear[] = { { "energy-cost", "3" },
                                         { "cpu-cost", "10" },
                                         { "gpu-cost", "100" } };
    struct scenario s = used("a", 2, 0);
    struct desk d;

    open_desk(&d);
    tell(&d, "r1", &s, 1, NULL, false);
    cost_deconfigure(&d.config);
    configure(&d, dear, 3, NULL);

    /* the same figures at the new price: nothing; then 1 kWh more, at 3 USD */
    tell(&d, "r1", &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 2, 1e-12);
    s = used("a", 3, 0);
    tell(&d, "r1", &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 5, 1e-12);

    /* It falls at the one price and rises again at the other: nothing twice. */
    s = used("a", 1, 0);
    tell(&d, "r1", &s, 1, NULL, false);
    cost_deconfigure(&d.config);
    configure(&d, plain, 3, NULL);
    s = used("a", 3, 0);
    tell(&d, "r1", &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 5, 1e-12);
    s = used("a", 4, 0);
    tell(&d, "r1", &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 6, 1e-12);
    close_desk(&d);
}

static void an_intensity_that_changes_applies_to_later_growth_only(void **state)
{
    (void)state;
    struct scenario s = used("a", 2, 0);
    const struct account *a;
    struct desk d;

    open_desk(&d);
    tell(&d, "r1", &s, 1, NULL, false);
    cost_deconfigure(&d.config);
    d.carbon = (struct carbon_now){ .known = true, .kg_per_kwh = 0.02 };
    configure(&d, plain, 3, NULL);
    s = used("a", 12, 0);
    tell(&d, "r1", &s, 1, NULL, false);
    a = ledger_account(&d.ledger, VIEW("default"));
    assert_near(a->co2_kg, 1.2, 1e-12); /* 2 · 0.5 + 10 · 0.02 */
    close_desk(&d);
}

static void a_gpu_price_that_appears_charges_no_past_hours(void **state)
{
    (void)state;
    static const struct given priced[] = { { "energy-cost", "1" },
                                           { "cpu-cost", "10" },
                                           { "gpu-cost", "100" } };
    struct scenario s = unknown_scenario("a");
    struct desk d = { 0 };

    s.encoder_type = VIEW("gpu");
    s.facts.duration_s = 3600; /* by the clock: 1 core-hour, 1 GPU-hour */
    configure(&d, priced, 2, NULL);
    tell(&d, "r1", &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 10, 1e-12);
    cost_deconfigure(&d.config);
    configure(&d, priced, 3, NULL);
    tell(&d, "r1", &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 10, 1e-12);
    /* another hour: 10 + 100 */
    s.facts.duration_s = 7200;
    tell(&d, "r1", &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 120, 1e-12);
    close_desk(&d);
}

static void many_scenarios_and_runs_are_all_known_again(void **state)
{
    (void)state;
    enum { RUNS = 40, EACH = 500 };
    struct scenario *s = mem_alloc(EACH * sizeof *s);
    uint32_t all[EACH];
    char name[EACH][16], id[16];
    struct desk d;

    open_desk(&d);
    for (uint32_t i = 0; i < EACH; i++) {
        snprintf(name[i], sizeof name[i], "s%u", (unsigned)i);
        s[i] = used(name[i], 1, 0);
        all[i] = i;
    }
    for (int again = 0; again < 2; again++) {
        for (int r = 0; r < RUNS; r++) {
            const struct run *run;

            snprintf(id, sizeof id, "r%d", r);
            run = make_run(id, s, EACH);

            const struct diff diff = {
                .id = run->id, .after = run, .changed = all, .changed_count = EACH
            };

            ledger_remember(&d.ledger, &d.config, &diff, 1000);
            run_unref(run);
        }
    }
    /* 40 · 500 kWh, once */
    assert_near(usd(&d, "default"), 20000, 1e-12);
    for (int r = 0; r < RUNS; r++) {
        snprintf(id, sizeof id, "r%d", r);
        gone(&d, id);
    }
    assert_int_equal(d.ledger.runs.count, 0);
    free(s);
    close_desk(&d);
}

static void names_of_regions_cannot_make_it_grow_without_end(void **state)
{
    (void)state;
    struct scenario s = used("a", 1, 0);
    char region[16], id[16];
    struct desk d;

    open_desk(&d);
    for (int i = 0; i < 1200; i++) {
        snprintf(region, sizeof region, "x%d", i);
        snprintf(id, sizeof id, "r%d", i);
        s.region = view_of(region);
        tell(&d, id, &s, 1, NULL, false);
    }
    /* "default" and 999 more have accounts; the 201 others share one */
    assert_int_equal(d.ledger.account_count, 1001);
    assert_near(usd(&d, "x998"), 1, 0);
    assert_unknown(usd(&d, "x999"));
    assert_near(usd(&d, "other"), 201, 1e-12);

    /* Each at its own price, also in one change: 5 and the default's 0.12. */
    static const struct given file[] = { { "pricing-config", "prices.json" } };
    struct scenario two[2] = { used("a", 1, 0), used("b", 1, 0) };

    two[0].region = VIEW("x1100");
    two[1].region = VIEW("x1101");
    cost_deconfigure(&d.config);
    configure(&d, file, 1, "{\"electricity_prices\": {\"x1100\": 5}}");
    tell(&d, "last", two, 2, NULL, false);
    assert_near(usd(&d, "other"), 206.12, 1e-12);
    close_desk(&d);
}

/* Rewrites r1 from one scenario to another. */
static void replace(struct desk *d, const struct run **before, const char *name)
{
    const struct scenario s = used(name, 1, 0);
    const struct run *after = make_run("r1", &s, 1);
    static const uint32_t changed[] = { 0 };
    const struct diff diff = { .id = after->id,
                               .before = *before,
                               .after = after,
                               .changed = changed,
                               .changed_count = 1 };

    ledger_remember(&d->ledger, &d->config, &diff, 1000);
    run_unref(*before);
    *before = after;
}

static void names_of_scenarios_cannot_make_it_grow_without_end(void **state)
{
    (void)state;
    const struct run *before = NULL;
    const struct seen *seen;
    double due = 0;
    char name[16];
    struct desk d;

    open_desk(&d);
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "s%d", i);
        replace(&d, &before, name);
        assert_near(usd(&d, "default"), due += 1, 1e-9);
    }
    seen = table_get(&d.ledger.runs, VIEW("r1"));
    assert_int_equal(seen_count(seen), SEEN_LEFT_LEAST + 1);
    /* s4999 is there; s3999 … s4998 left last. The oldest of them is known … */
    replace(&d, &before, "s3999");
    assert_near(usd(&d, "default"), due, 1e-9);
    /* … and one that left before them counts as new. */
    replace(&d, &before, "s3998");
    assert_near(usd(&d, "default"), due + 1, 1e-9);
    run_unref(before);
    close_desk(&d);
}

static void a_file_that_is_written_anew_from_its_beginning_counts_once(void **state)
{
    (void)state;
    enum { ALL = 3000 };
    struct scenario *s = mem_alloc(ALL * sizeof *s);
    const struct run *before = NULL;
    static char names[ALL][16];
    uint32_t changed[ALL];
    struct desk d;

    open_desk(&d);
    for (uint32_t i = 0; i < ALL; i++) {
        snprintf(names[i], sizeof names[i], "s%u", (unsigned)i);
        s[i] = used(names[i], 1, 0);
    }
    /* All at once; then from one on, 500 more each time; every scenario is a new one. */
    for (uint32_t n = ALL, i = 0; n <= ALL; n = i == 0 ? 1 : n + 500, i++) {
        const struct run *after = make_run("r1", s, n);
        struct diff diff = {
            .id = after->id, .before = before, .after = after, .changed = changed
        };

        for (; diff.changed_count < n; diff.changed_count++)
            changed[diff.changed_count] = diff.changed_count;
        ledger_remember(&d.ledger, &d.config, &diff, 1000);
        assert_near(usd(&d, "default"), ALL, 1e-9);
        run_unref(before);
        before = after;
    }
    run_unref(before);
    free(s);
    close_desk(&d);
}

/* Scenarios that stay, though they stand elsewhere, have not left. */
static void what_moved_has_not_left(void **state)
{
    (void)state;
    struct scenario s[4] = { used("a", 1, 0), used("b", 1, 0), used("c", 1, 0),
                             used("d", 1, 0) };
    const struct scenario *all[4], *turned[3];
    const struct run *before, *after;
    const uint32_t changed[] = { 0, 2 };
    const struct seen *seen;
    struct desk d;

    open_desk(&d);
    for (int i = 0; i < 4; i++)
        all[i] = scenario_new(&s[i]);
    before = run_new(VIEW("r1"), all, 4);
    turned[0] = scenario_ref(all[3]);
    turned[1] = scenario_ref(all[1]);
    turned[2] = scenario_ref(all[0]);
    after = run_new(VIEW("r1"), turned, 3);

    const uint32_t each[] = { 0, 1, 2, 3 };
    const struct diff first = {
        .id = before->id, .after = before, .changed = each, .changed_count = 4
    };
    const struct diff second = { .id = after->id,
                                 .before = before,
                                 .after = after,
                                 .changed = changed,
                                 .changed_count = 2 };

    ledger_remember(&d.ledger, &d.config, &first, 1000);
    ledger_remember(&d.ledger, &d.config, &second, 1000);
    seen = table_get(&d.ledger.runs, VIEW("r1"));
    assert_int_equal(seen_present(seen), 3); /* d, b, a; not c */
    assert_int_equal(seen_count(seen), 4);
    assert_near(usd(&d, "default"), 4, 1e-12);
    run_unref(before);
    run_unref(after);
    close_desk(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_appears_is_charged),
        cmocka_unit_test(what_was_there_at_start_is_the_zero),
        cmocka_unit_test(quantities_that_are_unknown_neither_count_nor_forget),
        cmocka_unit_test(a_run_that_comes_back_is_not_counted_twice),
        cmocka_unit_test(entries_live_as_long_as_their_file),
        cmocka_unit_test(only_what_changed_is_looked_at),
        cmocka_unit_test(repeats_and_runs_are_counted_apart),
        cmocka_unit_test(what_the_building_takes_counts_as_well),
        cmocka_unit_test(regions_have_their_own_counters),
        cmocka_unit_test(a_price_change_applies_to_later_growth_only),
        cmocka_unit_test(an_intensity_that_changes_applies_to_later_growth_only),
        cmocka_unit_test(a_gpu_price_that_appears_charges_no_past_hours),
        cmocka_unit_test(many_scenarios_and_runs_are_all_known_again),
        cmocka_unit_test(names_of_regions_cannot_make_it_grow_without_end),
        cmocka_unit_test(names_of_scenarios_cannot_make_it_grow_without_end),
        cmocka_unit_test(a_file_that_is_written_anew_from_its_beginning_counts_once),
        cmocka_unit_test(what_moved_has_not_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
