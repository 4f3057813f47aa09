#include "tests/unit/test.h"

#include "core/store.h"

static const struct run *run(const char *id, uint32_t n)
{
    const struct scenario *s[16];
    char name[16];

    for (uint32_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "s%u", i);
        s[i] = scenario_new(&(struct scenario){ .name = view_of(name),
                                                .encoder = VIEW("h264"),
                                                .preset = VIEW("veryfast"),
                                                .streams = VIEW("1"),
                                                .encoder_type = VIEW("cpu"),
                                                .output_ladder = VIEW("unknown") });
    }
    return run_new(view_of(id), s, n);
}

static struct store *store(uint32_t runs, uint64_t lessons)
{
    return store_new(&(struct store_rules){ .runs = runs, .lessons = lessons });
}

static void see(struct store *st, const char *id, int64_t mtime)
{
    store_see(st, view_of(id), mtime, false);
}

static void put(struct store *st, const char *id, uint32_t n)
{
    struct diff d;

    store_put(st, run(id, n), &d);
    store_diff_release(&d);
}

static void drop(struct store *st, const char *id)
{
    struct diff d;

    assert_true(store_drop(st, view_of(id), &d));
    store_diff_release(&d);
}

static void join(const struct view ids[], size_t n, const char *want)
{
    struct buf b = { 0 };

    for (size_t i = 0; i < n; i++)
        buf_fmt(&b, "%s%.*s", i ? " " : "", VIEW_ARG(ids[i]));
    assert_view(buf_as_view(&b), want);
    buf_deinit(&b);
}

/* What store_wanted() hands out, joined by blanks. */
static void wanted(struct store *st, const char *want)
{
    struct view ids[16];

    join(ids, store_wanted(st, ids, 16), want);
}

/* The same of store_unlearned(). */
static void unlearned(struct store *st, const char *want)
{
    struct view ids[16];

    join(ids, store_unlearned(st, ids, 16), want);
}

static bool learned(struct store *st, const char *id, uint32_t n)
{
    return store_learned(st, view_of(id), n);
}

static void note(void *ctx, struct view id, uint32_t count, const struct run *content)
{
    struct buf *b = ctx;

    buf_fmt(b, "%s%.*s:%u%s", b->n ? " " : "", VIEW_ARG(id), count, content ? "+" : "");
}

/* What store_each_lesson() tells: id:scenarios, with + where the content is here. */
static void lessons(struct store *st, const char *want)
{
    struct buf b = { 0 };

    store_each_lesson(st, note, &b);
    assert_view(buf_as_view(&b), want);
    buf_deinit(&b);
}

static void files_that_are_not_served_are_handed_out_once(void **state)
{
    struct store *st = store(1, 100);

    (void)state;
    see(st, "a", 1);
    see(st, "b", 2);
    see(st, "c", 3);
    wanted(st, "c");
    unlearned(st, "b a");
    assert_int_equal(store_count(st).unlearned, 2);
    unlearned(st, "");
    assert_int_equal(store_count(st).unlearned, 2); /* being read */
    put(st, "c", 2);
    assert_true(learned(st, "b", 3));
    assert_true(learned(st, "a", 0));
    unlearned(st, "");
    assert_int_equal(store_count(st).unlearned, 0);
    lessons(st, "c:2+ b:3");
    see(st, "b", 4); /* new content, and the newest now */
    wanted(st, "b");
    unlearned(st, "");
    put(st, "b", 4);
    lessons(st, "b:4+ c:2+");
    store_free(st);
}

static void without_lessons_nothing_is_handed_out(void **state)
{
    struct store *st = store(1, 0);

    (void)state;
    see(st, "a", 1);
    see(st, "b", 2);
    unlearned(st, "");
    put(st, "b", 2);
    lessons(st, "");
    store_free(st);
}

static void what_is_learned_is_neither_served_nor_kept(void **state)
{
    struct store *st = store(1, 100);

    (void)state;
    see(st, "a", 1);
    see(st, "b", 2);
    wanted(st, "b");
    put(st, "b", 1);
    unlearned(st, "a");
    assert_true(learned(st, "a", 5));
    assert_null(store_get(st, VIEW("a")));
    assert_int_equal(store_served(st)->run_count, 1);
    assert_int_equal(store_count(st).served, 1);
    assert_int_equal(store_count(st).other, 1);
    assert_int_equal(store_count(st).failed, 0);
    drop(st, "b"); /* a is served now, and read for that */
    wanted(st, "a");
    store_free(st);
}

static void a_bad_file_is_not_handed_out_again_and_did_not_fail(void **state)
{
    struct store *st = store(1, 100);

    (void)state;
    see(st, "a", 1);
    see(st, "b", 2);
    wanted(st, "b");
    put(st, "b", 1);
    unlearned(st, "a");
    store_learn_failed(st, VIEW("a"), false);
    unlearned(st, "");
    assert_int_equal(store_count(st).failed, 0);
    see(st, "a", 1);
    unlearned(st, "a");
    store_learn_failed(st, VIEW("a"), true); /* a second look */
    unlearned(st, "a");
    assert_true(learned(st, "a", 2));
    see(st, "a", 1);
    unlearned(st, "a");
    store_learn_failed(st, VIEW("a"), false);
    lessons(st, "b:1+ a:2"); /* of before */
    store_free(st);
}

static void a_change_while_it_is_read_is_read_as_well(void **state)
{
    struct store *st = store(1, 100);

    (void)state;
    see(st, "a", 1);
    see(st, "b", 2);
    wanted(st, "b");
    put(st, "b", 1);
    unlearned(st, "a");
    see(st, "a", 1);
    unlearned(st, ""); /* one read at a time */
    assert_true(learned(st, "a", 1));
    unlearned(st, "a");
    store_free(st);
}

static void what_was_put_meanwhile_counts(void **state)
{
    struct store *st = store(1, 100);

    (void)state;
    see(st, "a", 1);
    see(st, "b", 2);
    wanted(st, "b");
    unlearned(st, "a");
    drop(st, "b");
    wanted(st, "a");
    put(st, "a", 7);
    assert_false(learned(st, "a", 3));
    lessons(st, "a:7+");
    drop(st, "a");
    assert_false(learned(st, "a", 3)); /* gone */
    lessons(st, "");
    store_free(st);
}

static void only_the_newest_scenarios_count(void **state)
{
    struct store *st = store(1, 5);

    (void)state;
    see(st, "a", 1);
    see(st, "b", 2);
    see(st, "c", 3);
    wanted(st, "c");
    put(st, "c", 2);
    unlearned(st, "b a"); /* how many they hold is not known: at least one each */
    assert_true(learned(st, "b", 3));
    assert_true(learned(st, "a", 4));
    lessons(st, "c:2+ b:3");
    see(st, "a", 1);
    unlearned(st, ""); /* the newest five are known */
    put(st, "c", 4);
    lessons(st, "c:4+ b:1"); /* of b the first */
    drop(st, "b");
    unlearned(st, "a");
    store_free(st);
}

static void content_that_is_here_is_not_read_for_lessons(void **state)
{
    struct store *st = store(0, 100);

    (void)state;
    see(st, "a", 1);
    wanted(st, "a");
    put(st, "a", 2);
    store_unlearn(st, VIEW("a"));
    unlearned(st, "");
    lessons(st, "a:2+");
    store_free(st);
}

static void what_is_forgotten_is_read_again(void **state)
{
    struct store *st = store(1, 100);

    (void)state;
    see(st, "a", 1);
    see(st, "b", 2);
    wanted(st, "b");
    put(st, "b", 1);
    unlearned(st, "a");
    assert_true(learned(st, "a", 1));
    store_unlearn(st, VIEW("a"));
    lessons(st, "b:1+");
    unlearned(st, "a");
    store_free(st);
}

/* A run that is served no more was told when it was put. */
static void what_was_served_is_known(void **state)
{
    struct store *st = store(1, 100);

    (void)state;
    see(st, "a", 1);
    wanted(st, "a");
    put(st, "a", 3);
    assert_int_equal(store_served(st)->run_count, 1);
    see(st, "b", 2);
    wanted(st, "b");
    put(st, "b", 1);
    assert_int_equal(store_served(st)->run_count, 1); /* lets go of a */
    assert_null(store_get(st, VIEW("a")));
    unlearned(st, "");
    lessons(st, "b:1+ a:3");
    store_free(st);
}

static void runs_out_of_time_are_learned_from(void **state)
{
    struct store *st =
        store_new(&(struct store_rules){ .runs = 0, .ttl_ms = 1000, .lessons = 100 });

    (void)state;
    store_tick(st, 10000000000, 1);
    see(st, "a", 1);
    wanted(st, "");
    unlearned(st, "a");
    store_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_are_not_served_are_handed_out_once),
        cmocka_unit_test(without_lessons_nothing_is_handed_out),
        cmocka_unit_test(what_is_learned_is_neither_served_nor_kept),
        cmocka_unit_test(a_bad_file_is_not_handed_out_again_and_did_not_fail),
        cmocka_unit_test(a_change_while_it_is_read_is_read_as_well),
        cmocka_unit_test(what_was_put_meanwhile_counts),
        cmocka_unit_test(only_the_newest_scenarios_count),
        cmocka_unit_test(content_that_is_here_is_not_read_for_lessons),
        cmocka_unit_test(what_is_forgotten_is_read_again),
        cmocka_unit_test(what_was_served_is_known),
        cmocka_unit_test(runs_out_of_time_are_learned_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
