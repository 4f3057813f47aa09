#include "tests/unit/test.h"

#include "core/store.h"

static const struct scenario *scenario(const char *name)
{
    struct scenario s = { .name = view_of(name),
                          .encoder = VIEW("h264"),
                          .preset = VIEW("veryfast"),
                          .streams = VIEW("1"),
                          .encoder_type = VIEW("cpu"),
                          .output_ladder = VIEW("unknown") };

    return scenario_new(&s);
}

/* A run of n scenarios named s0, s1 … */
static const struct run *run(const char *id, uint32_t n)
{
    const struct scenario *s[16];
    char name[16];

    for (uint32_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "s%u", i);
        s[i] = scenario(name);
    }
    return run_new(view_of(id), s, n);
}

static struct store *store(enum newest_rule newest, uint32_t runs, uint64_t max)
{
    return store_new(&(struct store_rules){ newest, runs, max });
}

static void see(struct store *st, const char *id, int64_t mtime)
{
    store_see(st, view_of(id), mtime, false);
}

static void put(struct store *st, const struct run *r)
{
    struct diff d;

    store_put(st, r, &d);
    store_diff_release(&d);
}

/* What store_wanted() hands out, joined by blanks. */
static void wanted(struct store *st, const char *want)
{
    struct view ids[16];
    size_t n = store_wanted(st, ids, 16);
    struct buf b = { 0 };

    for (size_t i = 0; i < n; i++)
        buf_fmt(&b, "%s%.*s", i ? " " : "", VIEW_ARG(ids[i]));
    assert_view(buf_as_view(&b), want);
    buf_deinit(&b);
}

static void served(struct store *st, const char *want)
{
    const struct served *s = store_served(st);
    struct buf b = { 0 };

    for (size_t i = 0; i < s->run_count; i++)
        buf_fmt(&b, "%s%.*s", i ? " " : "", VIEW_ARG(s->runs[i]->id));
    assert_view(buf_as_view(&b), want);
    buf_deinit(&b);
}

#define OLD "test_results_20240101_000000"
#define MID "test_results_20250101_000000"
#define NEW "test_results_20260101_000000"

static void times_in_names_decide_before_modification_times(void **state)
{
    struct store *st = store(NEWEST_AUTO, 1, 0);

    (void)state;
    see(st, NEW, 1);
    see(st, OLD, 99);
    wanted(st, NEW);
    put(st, run(NEW, 1));
    wanted(st, "");
    served(st, NEW);

    /* A name without a time is compared by modification time: 50 > 1. */
    see(st, "test_results_x", 50);
    wanted(st, "test_results_x");
    put(st, run("test_results_x", 1));
    served(st, "test_results_x");
    store_free(st);
}

static void the_other_rules_know_one_order_only(void **state)
{
    struct store *st = store(NEWEST_MTIME, 1, 0);

    (void)state;
    see(st, NEW, 1);
    see(st, OLD, 99);
    wanted(st, OLD);
    store_free(st);
    st = store(NEWEST_NAME, 1, 0);
    see(st, "test_results_z", 1);
    see(st, NEW, 99);
    wanted(st, "test_results_z");
    store_free(st);
}

static void equal_times_are_decided_by_name(void **state)
{
    struct store *st = store(NEWEST_MTIME, 1, 0);

    (void)state;
    see(st, "b", 5);
    see(st, "a", 5);
    wanted(st, "b");
    store_free(st);
}

static void a_new_file_takes_over_only_once_it_was_read(void **state)
{
    struct store *st = store(NEWEST_AUTO, 1, 0);

    (void)state;
    see(st, MID, 1);
    wanted(st, MID);
    put(st, run(MID, 1));
    served(st, MID);
    see(st, NEW, 2);
    wanted(st, NEW);
    assert_true(store_reading(st));
    served(st, MID);
    put(st, run(NEW, 1));
    assert_false(store_reading(st));
    served(st, NEW);
    store_free(st);
}

static void a_broken_newest_leaves_the_next_and_says_so(void **state)
{
    struct store *st = store(NEWEST_AUTO, 1, 0);

    (void)state;
    see(st, OLD, 1);
    see(st, NEW, 2);
    wanted(st, NEW);
    store_fail(st, view_of(NEW));
    wanted(st, OLD);
    put(st, run(OLD, 1));
    served(st, OLD);
    assert_false(store_served(st)->newest_ok);
    assert_int_equal(store_count(st).failed, 1);
    assert_int_equal(store_count(st).served, 1);

    /* It is written again, and good now. */
    see(st, NEW, 3);
    wanted(st, NEW);
    put(st, run(NEW, 1));
    served(st, NEW);
    assert_true(store_served(st)->newest_ok);
    assert_int_equal(store_count(st).failed, 0);
    assert_int_equal(store_count(st).other, 1);
    store_free(st);
}

static void the_last_good_content_stays_when_its_file_breaks(void **state)
{
    struct store *st = store(NEWEST_AUTO, 1, 0);

    (void)state;
    see(st, NEW, 1);
    wanted(st, NEW);
    put(st, run(NEW, 2));
    see(st, NEW, 2);
    wanted(st, NEW);
    store_fail(st, view_of(NEW));
    served(st, NEW);
    assert_false(store_served(st)->newest_ok);
    assert_int_equal(store_get(st, view_of(NEW))->count, 2);
    store_free(st);
}

static void dropping_the_newest_brings_back_the_one_before(void **state)
{
    struct store *st = store(NEWEST_AUTO, 1, 0);
    struct diff d;

    (void)state;
    see(st, MID, 1);
    see(st, NEW, 2);
    wanted(st, NEW);
    put(st, run(NEW, 1));
    served(st, NEW);
    assert_true(store_drop(st, view_of(NEW), &d));
    assert_view(d.id, NEW);
    assert_non_null(d.before);
    assert_null(d.after);
    store_diff_release(&d);
    assert_false(store_drop(st, view_of(NEW), &d));
    wanted(st, MID);
    put(st, run(MID, 1));
    served(st, MID);
    store_free(st);
}

static void assert_counts(const struct store *st, size_t n_served, size_t failed,
                          size_t other)
{
    const struct store_counts n = store_count(st);

    assert_int_equal(n.served, n_served);
    assert_int_equal(n.failed, failed);
    assert_int_equal(n.other, other);
}

static void every_file_is_counted_once_at_any_time(void **state)
{
    struct store *st = store(NEWEST_AUTO, 2, 0);
    struct diff d;

    (void)state;
    see(st, OLD, 1);
    see(st, MID, 2);
    see(st, NEW, 3);
    assert_counts(st, 0, 0, 3);
    wanted(st, NEW " " MID);
    put(st, run(MID, 1));
    put(st, run(NEW, 1));
    store_served(st);
    assert_counts(st, 2, 0, 1);

    /* What happens now is counted at once, and not only by the next plan. */
    see(st, NEW, 4);
    wanted(st, NEW);
    store_fail(st, view_of(NEW));
    assert_counts(st, 1, 1, 1);
    assert_true(store_drop(st, view_of(OLD), &d));
    store_diff_release(&d);
    assert_true(store_drop(st, view_of(MID), &d));
    store_diff_release(&d);
    assert_counts(st, 0, 1, 0);
    store_served(st);
    assert_counts(st, 0, 1, 0); /* the good content of before is served */
    see(st, NEW, 5);
    wanted(st, NEW);
    put(st, run(NEW, 1));
    store_served(st);
    assert_counts(st, 1, 0, 0);
    assert_true(store_drop(st, view_of(NEW), &d));
    store_diff_release(&d);
    assert_counts(st, 0, 0, 0);
    store_free(st);
}

static void a_file_seen_again_while_it_is_read_is_read_again(void **state)
{
    struct store *st = store(NEWEST_AUTO, 1, 0);

    (void)state;
    see(st, NEW, 1);
    wanted(st, NEW);
    see(st, NEW, 2);
    wanted(st, ""); /* one read at a time */
    put(st, run(NEW, 1));
    wanted(st, NEW);
    store_free(st);
}

static void several_runs_are_served_oldest_first(void **state)
{
    struct store *st = store(NEWEST_AUTO, 2, 0);

    (void)state;
    see(st, NEW, 1);
    see(st, OLD, 1);
    see(st, MID, 1);
    wanted(st, NEW " " MID);
    put(st, run(NEW, 1));
    put(st, run(MID, 1));
    served(st, MID " " NEW);
    assert_int_equal(store_served(st)->scenario_count, 2);
    store_free(st);
}

static void the_oldest_runs_are_left_out_past_the_limit(void **state)
{
    struct store *st = store(NEWEST_AUTO, 0, 5);
    struct diff d;

    (void)state;
    see(st, OLD, 1);
    see(st, MID, 1);
    see(st, NEW, 1);
    wanted(st, NEW " " MID " " OLD);
    put(st, run(NEW, 2));
    put(st, run(MID, 2));
    put(st, run(OLD, 2));
    served(st, MID " " NEW);
    assert_int_equal(store_count(st).scenarios_dropped, 2);
    wanted(st, ""); /* not read again and again */
    assert_true(store_drop(st, view_of(MID), &d));
    store_diff_release(&d);
    wanted(st, OLD);
    put(st, run(OLD, 2));
    served(st, OLD " " NEW);
    assert_int_equal(store_count(st).scenarios_dropped, 0);
    store_free(st);
}

static void a_diff_names_what_is_new_or_different(void **state)
{
    struct store *st = store(NEWEST_AUTO, 1, 0);
    const struct scenario *a = scenario("a"), *b = scenario("b"), *c = scenario("c");
    const struct scenario *x = scenario("x");
    const struct scenario *first[] = { a, b, c };
    const struct scenario *then[] = { scenario_ref(a), x, scenario_ref(c),
                                      scenario("d") };
    struct diff d;

    (void)state;
    store_put(st, run_new(VIEW("r"), first, 3), &d);
    assert_null(d.before);
    assert_int_equal(d.changed_count, 3);
    store_diff_release(&d);
    store_put(st, run_new(VIEW("r"), then, 4), &d);
    assert_int_equal(d.before->count, 3);
    assert_int_equal(d.changed_count, 2);
    assert_int_equal(d.changed[0], 1);
    assert_int_equal(d.changed[1], 3);
    store_diff_release(&d);
    store_free(st);
}

static void ten_thousand_files_come_and_go_in_any_order(void **state)
{
    enum { N = 10000 };
    struct store *st = store(NEWEST_AUTO, 1, 0);
    char id[48];
    struct diff d;

    (void)state;
    for (unsigned i = 0; i < N; i++) {
        unsigned k = i * 7919 % N; /* 7919 and 10000 have no common factor */

        snprintf(id, sizeof id, "test_results_2026%04u_%06u", k, k);
        see(st, id, 1);
    }
    wanted(st, "test_results_20269999_009999");
    for (unsigned k = N - 1; k > 0; k--) {
        snprintf(id, sizeof id, "test_results_2026%04u_%06u", k, k);
        assert_true(store_drop(st, view_of(id), &d));
        store_diff_release(&d);
    }
    wanted(st, "test_results_20260000_000000");
    store_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_in_names_decide_before_modification_times),
        cmocka_unit_test(the_other_rules_know_one_order_only),
        cmocka_unit_test(equal_times_are_decided_by_name),
        cmocka_unit_test(a_new_file_takes_over_only_once_it_was_read),
        cmocka_unit_test(a_broken_newest_leaves_the_next_and_says_so),
        cmocka_unit_test(the_last_good_content_stays_when_its_file_breaks),
        cmocka_unit_test(dropping_the_newest_brings_back_the_one_before),
        cmocka_unit_test(every_file_is_counted_once_at_any_time),
        cmocka_unit_test(a_file_seen_again_while_it_is_read_is_read_again),
        cmocka_unit_test(several_runs_are_served_oldest_first),
        cmocka_unit_test(the_oldest_runs_are_left_out_past_the_limit),
        cmocka_unit_test(a_diff_names_what_is_new_or_different),
        cmocka_unit_test(ten_thousand_files_come_and_go_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
