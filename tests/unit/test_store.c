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

static int64_t served_mtime(struct store *st)
{
    const struct served *s = store_served(st);

    assert_int_equal(s->run_count, 1);
    return s->mtimes_ns[0];
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

/* ---- time ------------------------------------------------------------------------ */

#define S_NS INT64_C(1000000000)

/* A store of all runs that end after ten seconds. */
static struct store *mortal(uint32_t runs)
{
    return store_new(&(struct store_rules){ NEWEST_AUTO, runs, 0, 10000 });
}

/* It is unix_s by the one clock and mono_s by the other. */
static bool tick(struct store *st, int64_t unix_s, uint64_t mono_s)
{
    return store_tick(st, unix_s * S_NS, mono_s * S_NS);
}

static void see_and_put(struct store *st, const char *id, int64_t mtime_s)
{
    struct view ids[4];

    see(st, id, mtime_s * S_NS);
    assert_int_equal(store_wanted(st, ids, 4), 1);
    assert_view(ids[0], id);
    put(st, run(id, 1));
}

static void a_run_ends_when_its_file_is_old(void **state)
{
    struct store *st = mortal(0);

    (void)state;
    assert_false(tick(st, 1000, 50));
    see_and_put(st, OLD, 993);
    see_and_put(st, NEW, 1000);
    served(st, OLD " " NEW);
    assert_int_equal(store_next_end(st), 53 * S_NS); /* 10 s after 993 is in 3 s */
    assert_false(tick(st, 1002, 52));
    served(st, OLD " " NEW);
    assert_true(tick(st, 1003, 53));
    wanted(st, "");
    served(st, NEW);
    assert_int_equal(store_next_end(st), 60 * S_NS);
    assert_int_equal(store_count(st).other, 1);
    assert_true(tick(st, 1010, 60));
    served(st, "");
    assert_true(store_next_end(st) == UINT64_MAX);
    assert_false(tick(st, 2000, 1050));
    assert_int_equal(store_newest(st).id.n, 0);
    store_free(st);
}

static void without_a_ttl_no_run_ever_ends(void **state)
{
    struct store *st = store(NEWEST_AUTO, 0, 0);

    (void)state;
    tick(st, 1000000, 50);
    see_and_put(st, OLD, 1);
    assert_false(tick(st, 9000000, 8000050));
    served(st, OLD);
    assert_true(store_next_end(st) == UINT64_MAX);
    store_free(st);
}

static void an_old_file_is_not_even_read(void **state)
{
    struct store *st = mortal(1);

    (void)state;
    tick(st, 1000, 50);
    see(st, NEW, 990 * S_NS); /* ten seconds old: over */
    see(st, OLD, 991 * S_NS);
    wanted(st, OLD); /* newest by its name, but for the one that is over */
    put(st, run(OLD, 1));
    served(st, OLD);
    assert_view(store_newest(st).id, OLD);
    store_free(st);
}

static void a_file_that_changes_again_comes_back(void **state)
{
    struct store *st = mortal(0);

    (void)state;
    tick(st, 1000, 50);
    see_and_put(st, OLD, 1000);
    served(st, OLD);
    assert_true(tick(st, 1010, 60));
    served(st, "");
    assert_null(store_get(st, VIEW(OLD))); /* its content was let go */
    tick(st, 1020, 70);
    see_and_put(st, OLD, 1020);
    served(st, OLD);

    /* The same by a touch, which tells of no content. */
    assert_true(tick(st, 1030, 80));
    served(st, "");
    store_set_mtime(st, VIEW(OLD), 1030 * S_NS);
    wanted(st, OLD);
    put(st, run(OLD, 1));
    served(st, OLD);
    store_free(st);
}

static void a_touch_makes_a_run_older_or_younger(void **state)
{
    struct store *st = mortal(0);

    (void)state;
    tick(st, 1000, 50);
    see_and_put(st, OLD, 1000);
    store_set_mtime(st, VIEW(OLD), 1000 * S_NS - 4 * S_NS);
    wanted(st, "");
    assert_int_equal(store_next_end(st), 56 * S_NS);
    store_set_mtime(st, VIEW(OLD), 900 * S_NS);
    served(st, "");
    store_free(st);
}

static void steps_of_the_clock_end_no_run_and_keep_none(void **state)
{
    struct store *st = mortal(0);

    (void)state;
    tick(st, 1000, 50);
    see_and_put(st, OLD, 998);
    assert_false(tick(st, 999000, 51)); /* forward */
    served(st, OLD);
    assert_false(tick(st, 1, 57)); /* back */
    served(st, OLD);
    assert_true(tick(st, 1, 58)); /* 2 s old at 50, so 10 s old at 58 */
    served(st, "");

    /* A time of the future, by the clock of another machine, is now. */
    see_and_put(st, MID, 5000);
    served(st, MID);
    assert_int_equal(store_next_end(st), 68 * S_NS);
    store_free(st);
}

static void a_bad_file_ends_like_any_other(void **state)
{
    struct store *st = mortal(0);
    struct view ids[4];

    (void)state;
    tick(st, 1000, 50);
    see_and_put(st, OLD, 1000);
    served(st, OLD);
    tick(st, 1004, 54);
    see(st, OLD, 1004 * S_NS);
    wanted(st, OLD);
    store_fail(st, VIEW(OLD));
    served(st, OLD);
    assert_int_equal(store_stale(st, ids, 4), 1);
    assert_false(store_served(st)->newest_ok);
    assert_true(tick(st, 1014, 64));
    served(st, "");
    assert_int_equal(store_stale(st, ids, 4), 0);
    assert_true(store_served(st)->newest_ok); /* what is not served is not missed */
    store_free(st);
}

/* ---- the run that is no file's ------------------------------------------------------- */

static void put_live(struct store *st, uint32_t n, struct diff *d)
{
    store_put_live(st, run("live", n), 7 * S_NS, false, d);
}

static void a_run_that_is_no_files_is_served_besides_the_rules(void **state)
{
    struct store *st = store(NEWEST_AUTO, 1, 3);
    struct diff d;

    (void)state;
    put_live(st, 2, &d);
    assert_null(d.before);
    assert_int_equal(d.changed_count, 2);
    store_diff_release(&d);
    served(st, "live");
    assert_int_equal(served_mtime(st), 7 * S_NS);
    assert_true(store_served(st)->newest_ok);
    wanted(st, "");
    see_and_put(st, NEW, 1);
    see(st, OLD, 1);
    wanted(st, "");          /* one is enough */
    served(st, "live " NEW); /* the newest comes last */
    assert_int_equal(store_served(st)->scenario_count, 3);
    assert_int_equal(store_count(st).served, 1);
    assert_int_equal(store_count(st).other, 1);
    assert_view(store_newest(st).id, NEW);
    store_free(st);
}

static void it_changes_like_any_and_is_not_served_empty(void **state)
{
    struct store *st = store(NEWEST_AUTO, 1, 0);
    struct diff d;

    (void)state;
    put_live(st, 2, &d);
    store_diff_release(&d);

    const struct run *before = store_get(st, VIEW("live"));
    const struct scenario *s[] = { scenario("s0") };
    const uint32_t at[] = { 0 };

    assert_int_equal(before->count, 2);
    assert_true(store_measure(st, run_with(before, at, s, 1), at, 1, &d));
    assert_true(d.measured);
    store_diff_release(&d);
    served(st, "live");
    put_live(st, 0, &d);
    assert_int_equal(d.before->count, 2);
    assert_int_equal(d.after->count, 0);
    store_diff_release(&d);
    served(st, "");
    put_live(st, 1, &d);
    store_diff_release(&d);
    served(st, "live");
    store_free(st);
}

/* ---- what is older than its file -------------------------------------------------- */

static void runs_older_than_their_files_are_told_newest_first(void **state)
{
    struct store *st = store(NEWEST_AUTO, 0, 0);
    struct view ids[4];

    (void)state;
    see_and_put(st, OLD, 1);
    see_and_put(st, MID, 2);
    see_and_put(st, NEW, 3);
    served(st, OLD " " MID " " NEW);
    assert_int_equal(store_stale(st, ids, 4), 0);
    store_fail(st, VIEW(OLD));
    store_fail(st, VIEW(NEW));
    assert_int_equal(store_stale(st, ids, 4), 2);
    assert_view(ids[0], NEW);
    assert_view(ids[1], OLD);
    assert_int_equal(store_stale(st, ids, 1), 1);
    assert_view(ids[0], NEW);
    put(st, run(NEW, 1));
    assert_int_equal(store_stale(st, ids, 4), 1);
    assert_view(ids[0], OLD);

    struct diff d;

    assert_true(store_drop(st, VIEW(OLD), &d));
    store_diff_release(&d);
    assert_int_equal(store_stale(st, ids, 4), 0);
    store_free(st);
}

static void what_was_never_good_is_not_stale(void **state)
{
    struct store *st = store(NEWEST_AUTO, 1, 0);
    struct view ids[4];

    (void)state;
    see_and_put(st, OLD, 1);
    see(st, NEW, 2);
    wanted(st, NEW);
    store_fail(st, VIEW(NEW));
    served(st, OLD);
    assert_int_equal(store_stale(st, ids, 4), 0);
    store_free(st);
}

static void the_time_of_a_file_is_that_of_the_version_served(void **state)
{
    struct store *st = store(NEWEST_AUTO, 0, 0);

    (void)state;
    see_and_put(st, OLD, 1);
    assert_int_equal(served_mtime(st), 1 * S_NS);
    store_set_mtime(st, VIEW(OLD), 2 * S_NS); /* touched */
    assert_int_equal(served_mtime(st), 2 * S_NS);
    see(st, OLD, 3 * S_NS);
    assert_int_equal(served_mtime(st), 2 * S_NS); /* not read yet */
    wanted(st, OLD);
    store_set_mtime(st, VIEW(OLD), 4 * S_NS);
    assert_int_equal(served_mtime(st), 2 * S_NS);
    store_fail(st, VIEW(OLD));
    assert_int_equal(served_mtime(st), 2 * S_NS); /* bad */
    store_set_mtime(st, VIEW(OLD), 5 * S_NS);
    assert_int_equal(served_mtime(st), 2 * S_NS);
    put(st, run(OLD, 1));
    assert_int_equal(served_mtime(st), 5 * S_NS);
    store_free(st);
}

static void each_run_has_the_time_of_its_own_file(void **state)
{
    struct store *st = store(NEWEST_AUTO, 0, 0);
    const struct served *s;

    (void)state;
    see_and_put(st, NEW, 1);
    see_and_put(st, OLD, 3);
    see_and_put(st, MID, 2);
    s = store_served(st);
    assert_int_equal(s->run_count, 3);
    assert_int_equal(s->mtimes_ns[0], 3 * S_NS);
    assert_int_equal(s->mtimes_ns[1], 2 * S_NS);
    assert_int_equal(s->mtimes_ns[2], 1 * S_NS);
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
        cmocka_unit_test(a_run_ends_when_its_file_is_old),
        cmocka_unit_test(without_a_ttl_no_run_ever_ends),
        cmocka_unit_test(an_old_file_is_not_even_read),
        cmocka_unit_test(a_file_that_changes_again_comes_back),
        cmocka_unit_test(a_touch_makes_a_run_older_or_younger),
        cmocka_unit_test(steps_of_the_clock_end_no_run_and_keep_none),
        cmocka_unit_test(a_bad_file_ends_like_any_other),
        cmocka_unit_test(a_run_that_is_no_files_is_served_besides_the_rules),
        cmocka_unit_test(it_changes_like_any_and_is_not_served_empty),
        cmocka_unit_test(runs_older_than_their_files_are_told_newest_first),
        cmocka_unit_test(what_was_never_good_is_not_stale),
        cmocka_unit_test(the_time_of_a_file_is_that_of_the_version_served),
        cmocka_unit_test(each_run_has_the_time_of_its_own_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
