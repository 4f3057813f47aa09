/* What measurements do to the store, and what they leave alone. */
#include "core/measured.h"
#include "core/store.h"

#include "tests/unit/test.h"

#define S_NS INT64_C(1000000000)

/* A run of n scenarios, of whose energy nothing is told. */
static const struct run *run_of(struct view id, uint32_t n)
{
    const struct scenario *s[16];
    char name[16];

    for (uint32_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "s%u", i);

        struct scenario from = { .name = view_of(name),
                                 .facts = { .duration_s = 10,
                                            .energy_j = NAN,
                                            .cpu_energy_j = NAN,
                                            .mean_cpu_power_w = NAN,
                                            .gpu_mean_power_w = NAN,
                                            .gpu_energy_j = NAN } };

        s[i] = scenario_new(&from);
    }
    return run_new(id, s, n);
}

static const struct run *with_energy(const struct run *run, uint32_t at,
                                     double energy_j)
{
    struct measured m = measured_nothing();
    const struct scenario *s;

    m.energy_j = energy_j;
    m.energy_span_s = 10;
    m.energy_basis = ENERGY_SAMPLER;
    s = scenario_measured(run->scenarios[at], &m);
    return run_with(run, &at, &s, 1);
}

static bool measure(struct store *st, struct view id, uint32_t at, double energy_j,
                    struct diff *d)
{
    const struct run *run = store_get(st, id);

    return store_measure(st, with_energy(run, at, energy_j), &at, 1, d);
}

static void put(struct store *st, const struct run *run)
{
    struct diff d;

    store_put(st, run, &d);
    store_diff_release(&d);
}

static void a_measurement_takes_its_place_and_tells_where(void **state)
{
    (void)state;
    struct store *st = store_new(&(struct store_rules){ NEWEST_AUTO, 1, 0, 0 });
    struct diff d;

    store_see(st, VIEW("r"), 1, true);
    put(st, run_of(VIEW("r"), 4));
    assert_true(measure(st, VIEW("r"), 2, 50, &d)); /* whose array is gone */
    assert_view(d.id, "r");
    assert_unknown(d.before->scenarios[2]->facts.energy_j);
    assert_near(d.after->scenarios[2]->facts.energy_j, 50, 0);
    assert_ptr_equal(d.after->scenarios[1], d.before->scenarios[1]);
    assert_int_equal(d.changed_count, 1);
    assert_int_equal(d.changed[0], 2);
    assert_true(d.measured);
    assert_true(d.from_start); /* as its file is */
    store_diff_release(&d);
    assert_near(store_get(st, VIEW("r"))->scenarios[2]->facts.energy_j, 50, 0);
    assert_near(store_served(st)->runs[0]->scenarios[2]->facts.energy_j, 50, 0);

    /* what is read next is not measured, and differs where the measurement was */
    store_see(st, VIEW("r"), 1, false);
    store_put(st, run_of(VIEW("r"), 4), &d);
    assert_false(d.measured);
    assert_near(d.before->scenarios[2]->facts.energy_j, 50, 0);
    store_diff_release(&d);
    store_free(st);
}

static void what_is_gone_or_not_held_is_not_measured(void **state)
{
    (void)state;
    struct store *st = store_new(&(struct store_rules){ NEWEST_AUTO, 1, 0, 0 });
    const struct run *run = run_of(VIEW("r"), 1);
    struct diff d = { .changed_count = 77 };
    const uint32_t at = 0;

    assert_false(
        store_measure(st, with_energy(run, 0, 1), &at, 1, &d)); /* never seen */
    store_see(st, VIEW("r"), 1, false);
    assert_false(store_measure(st, with_energy(run, 0, 1), &at, 1, &d)); /* not read */
    put(st, run);

    const struct run *late = with_energy(run, 0, 1);

    assert_true(store_drop(st, VIEW("r"), &d));
    store_diff_release(&d);
    d.changed_count = 77;
    assert_false(store_measure(st, late, &at, 1, &d));
    assert_int_equal(d.changed_count, 77);
    assert_null(store_get(st, VIEW("r")));
    store_free(st);
}

/* ---- a store beside one of which nothing is measured ------------------------------ */

enum { IDS = 9, SOME = 4 };

struct pair {
    struct store *plain, *measured;
    uint64_t seed;
    int64_t unix_ns;
    uint64_t monotonic_ns;
    unsigned measurements;
};

static uint64_t drawn(struct pair *p, uint64_t below)
{
    p->seed ^= p->seed << 13;
    p->seed ^= p->seed >> 7;
    p->seed ^= p->seed << 17;
    return p->seed % below;
}

static struct view drawn_id(struct pair *p)
{
    static const char *const ids[IDS] = {
        "test_results_20240101_000000",
        "test_results_20250101_000000",
        "test_results_20260101_000000",
        "test_results_20260101_000001",
        "a",
        "b",
        "c",
        "nightly",
        "test_results_x",
    };

    return view_of(ids[drawn(p, IDS)]);
}

static void assert_same_ids(const struct view a[], size_t n, const struct view b[],
                            size_t m)
{
    assert_int_equal(n, m);
    for (size_t i = 0; i < n; i++)
        assert_true(view_eq(a[i], b[i]));
}

static void assert_same_diffs(struct diff *plain, struct diff *measured)
{
    assert_true(view_eq(plain->id, measured->id));
    assert_int_equal(!plain->before, !measured->before);
    assert_int_equal(!plain->after, !measured->after);
    assert_int_equal(plain->from_start, measured->from_start);
    assert_false(measured->measured);
    assert_true(plain->changed_count <= measured->changed_count);
    store_diff_release(plain);
    store_diff_release(measured);
}

static void read_some(struct pair *p)
{
    struct view a[IDS], b[IDS];
    size_t max = 1 + drawn(p, 3), n = store_wanted(p->plain, a, max);
    struct diff d, e;

    assert_same_ids(a, n, b, store_wanted(p->measured, b, max));
    for (size_t i = 0; i < n; i++) {
        if (drawn(p, 8) == 0)
            continue; /* takes longer */
        if (drawn(p, 4) == 0) {
            store_fail(p->plain, a[i]);
            store_fail(p->measured, b[i]);
            continue;
        }

        const struct run *run = run_of(a[i], (uint32_t)drawn(p, 5));

        store_put(p->plain, run_ref(run), &d);
        store_put(p->measured, run, &e);
        assert_same_diffs(&d, &e);
    }
}

static void drop_one(struct pair *p)
{
    struct view id = drawn_id(p);
    struct diff d, e;
    bool known = store_drop(p->plain, id, &d);

    assert_int_equal(store_drop(p->measured, id, &e), known);
    if (known)
        assert_same_diffs(&d, &e);
}

static void let_time_pass(struct pair *p)
{
    p->monotonic_ns += drawn(p, 4) * S_NS;
    p->unix_ns += (int64_t)drawn(p, 4) * S_NS;
    assert_int_equal(store_tick(p->plain, p->unix_ns, p->monotonic_ns),
                     store_tick(p->measured, p->unix_ns, p->monotonic_ns));
}

static void change_files(struct pair *p)
{
    struct view id = drawn_id(p);
    int64_t mtime_ns = p->unix_ns - (int64_t)drawn(p, 20) * S_NS;
    bool from_start = drawn(p, 2);

    switch (drawn(p, 6)) {
    case 0:
        drop_one(p);
        break;
    case 1:
        store_set_mtime(p->plain, id, mtime_ns);
        store_set_mtime(p->measured, id, mtime_ns);
        break;
    case 2:
        let_time_pass(p);
        break;
    default:
        store_see(p->plain, id, mtime_ns, from_start);
        store_see(p->measured, id, mtime_ns, from_start);
        break;
    }
}

static void measure_one(struct pair *p)
{
    struct view id = drawn_id(p);
    const struct run *run = store_get(p->measured, id);
    struct diff d;
    uint32_t at;

    if (!run || run->count == 0)
        return;
    at = (uint32_t)drawn(p, run->count);
    assert_true(measure(p->measured, id, at, 1 + (double)drawn(p, 1000), &d));
    assert_true(d.measured);
    assert_ptr_equal(d.after, store_get(p->measured, id));
    store_diff_release(&d);
    p->measurements++;
}

static void assert_same_served(struct pair *p)
{
    const struct served *a = store_served(p->plain), *b = store_served(p->measured);

    assert_int_equal(a->run_count, b->run_count);
    assert_int_equal(a->scenario_count, b->scenario_count);
    assert_int_equal(a->newest_ok, b->newest_ok);
    for (size_t i = 0; i < a->run_count; i++) {
        assert_true(view_eq(a->runs[i]->id, b->runs[i]->id));
        assert_int_equal(a->mtimes_ns[i], b->mtimes_ns[i]);
        for (uint32_t k = 0; k < a->runs[i]->count; k++)
            assert_ptr_equal(scenario_told(b->runs[i]->scenarios[k]),
                             a->runs[i]->scenarios[k]);
    }
}

static void assert_same_state(struct pair *p)
{
    struct store_counts a = store_count(p->plain), b = store_count(p->measured);
    struct newest x = store_newest(p->plain), y = store_newest(p->measured);
    struct view ids[IDS], same_ids[IDS];
    size_t n = store_stale(p->plain, ids, IDS);

    assert_int_equal(a.served, b.served);
    assert_int_equal(a.other, b.other);
    assert_int_equal(a.failed, b.failed);
    assert_int_equal(a.scenarios_dropped, b.scenarios_dropped);
    assert_true(view_eq(x.id, y.id));
    assert_int_equal(x.mtime_ns, y.mtime_ns);
    assert_int_equal(x.failed, y.failed);
    assert_int_equal(!x.run, !y.run);
    assert_same_ids(ids, n, same_ids, store_stale(p->measured, same_ids, IDS));
    assert_int_equal(store_reading(p->plain), store_reading(p->measured));
    assert_int_equal(store_next_end(p->plain), store_next_end(p->measured));
}

static void files_are_known_as_if_nothing_were_measured(void **state)
{
    (void)state;
    struct pair p = { .seed = 20261121,
                      .unix_ns = 1700000000 * S_NS,
                      .monotonic_ns = 1 };

    for (int round = 0; round < 60; round++) {
        struct store_rules rules = { (enum newest_rule)(round % 3),
                                     (uint32_t)drawn(&p, 4), drawn(&p, 3) ? 0 : 7,
                                     drawn(&p, 2) ? 0 : 15000 };

        p.plain = store_new(&rules);
        p.measured = store_new(&rules);
        let_time_pass(&p);
        for (int i = 0; i < 300; i++) {
            change_files(&p);
            for (uint64_t n = drawn(&p, SOME); n; n--)
                measure_one(&p);
            if (drawn(&p, 2))
                read_some(&p);
            measure_one(&p);
            assert_same_state(&p);
            if (drawn(&p, 2))
                assert_same_served(&p);
        }
        store_free(p.plain);
        store_free(p.measured);
    }
    assert_true(p.measurements > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_measurement_takes_its_place_and_tells_where),
        cmocka_unit_test(what_is_gone_or_not_held_is_not_measured),
        cmocka_unit_test(files_are_known_as_if_nothing_were_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
