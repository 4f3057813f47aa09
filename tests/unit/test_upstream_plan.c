#include "server/upstream/plan.h"

#include <string.h>

#include "test.h"

/* ---- ranges ------------------------------------------------------------------------ */

static void add(struct ranges *r, int64_t first, int64_t last)
{
    ranges_add(r, (struct range){ first, last });
}

/* "1-3 7-7" */
static void is(const struct ranges *r, const char *want)
{
    char text[256] = "";

    for (size_t i = 0; i < r->count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d-%d",
                 i ? " " : "", (int)r->all[i].first, (int)r->all[i].last);
    assert_string_equal(text, want);
}

static void neighbours_become_one_range(void **state)
{
    struct ranges r = { 0 };

    (void)state;
    add(&r, 10, 12);
    add(&r, 1, 3);
    add(&r, 20, 20);
    is(&r, "1-3 10-12 20-20");
    add(&r, 4, 8);
    is(&r, "1-8 10-12 20-20");
    add(&r, 9, 9);
    is(&r, "1-12 20-20");
    add(&r, -5, 30);
    is(&r, "-5-30");
    ranges_deinit(&r);
}

static void taking_out_of_the_middle_leaves_two(void **state)
{
    struct ranges r = { 0 };

    (void)state;
    add(&r, 1, 9);
    add(&r, 11, 14);
    ranges_take(&r, (struct range){ 4, 5 });
    is(&r, "1-3 6-9 11-14");
    ranges_take(&r, (struct range){ 3, 12 });
    is(&r, "1-2 13-14");
    ranges_take(&r, (struct range){ 5, 6 });
    is(&r, "1-2 13-14");
    ranges_take(&r, (struct range){ -100, 100 });
    is(&r, "");
    ranges_deinit(&r);
}

static void a_cut_leaves_what_is_in_both(void **state)
{
    struct ranges r = { 0 }, to = { 0 };

    (void)state;
    add(&r, 1, 9);
    add(&r, 11, 14);
    add(&r, 20, 30);
    add(&r, 40, 41);
    add(&to, -5, 2);
    add(&to, 5, 12);
    add(&to, 22, 22);
    add(&to, 30, 39);
    ranges_cut(&r, &to);
    is(&r, "1-2 5-9 11-12 22-22 30-30");
    ranges_deinit(&to);
    ranges_cut(&r, &to);
    is(&r, "");
    ranges_deinit(&r);
}

/* Against a plain array of flags: the same after each of many steps. */
static void sets_of_ranges_are_sets_of_cells(void **state)
{
    struct ranges r = { 0 };
    bool flags[64] = { 0 };
    uint32_t seed = 7;

    (void)state;
    for (int step = 0; step < 20000; step++) {
        int a, b;

        seed = seed * 1664525 + 1013904223;
        a = (int)(seed >> 8 & 63);
        b = a + (int)(seed >> 16 & 7);
        b = b > 63 ? 63 : b;
        if (seed >> 31)
            add(&r, a, b);
        else
            ranges_take(&r, (struct range){ a, b });
        for (int i = a; i <= b; i++)
            flags[i] = seed >> 31;
        for (int i = 0; i < 64; i++)
            assert_int_equal(ranges_hold(&r, (struct range){ i, i }), flags[i]);
        for (int i = 0; i < 60; i++)
            assert_int_equal(ranges_touch(&r, (struct range){ i, i + 2 }),
                             flags[i] || flags[i + 1] || flags[i + 2]);
        for (size_t i = 0; i + 1 < r.count; i++)
            assert_true(r.all[i].last + 1 < r.all[i + 1].first);
    }
    ranges_deinit(&r);
}

/* ---- plans ------------------------------------------------------------------------- */

static const double old_s = 1800000000; /* long after what is asked for */

static void want(struct plan *p, double from_s, double to_s)
{
    plan_want(p, plan_cells(from_s, to_s), to_s > 50000 ? to_s : old_s);
}

static void asks(struct plan *p, double now_s, uint64_t now_ms, int64_t first,
                 int64_t last)
{
    struct range r = { 0, 0 };

    assert_true(plan_next(p, now_s, now_ms, &r));
    assert_int_equal(r.first, first);
    assert_int_equal(r.last, last);
}

static void asks_nothing(struct plan *p, double now_s, uint64_t now_ms)
{
    struct range r;

    assert_false(plan_next(p, now_s, now_ms, &r));
}

static void an_interval_is_asked_with_one_point_more_at_both_ends(void **state)
{
    (void)state;
    /* 1000 to 1060 s are the cells 200 to 212. */
    assert_int_equal(plan_cells(1000, 1060).first, 199);
    assert_int_equal(plan_cells(1000, 1060).last, 213);
    /* 1003.2 lies behind 200, 1058.7 before 212. */
    assert_int_equal(plan_cells(1003.2, 1058.7).first, 199);
    assert_int_equal(plan_cells(1003.2, 1058.7).last, 213);
}

static void intervals_that_lie_close_are_one_question(void **state)
{
    struct plan p = { 0 };

    (void)state;
    want(&p, 1000, 1060); /* 199-213 */
    want(&p, 1360, 1400); /* 271-281: 58 cells after, less than 5 min */
    want(&p, 5000, 5060); /* 999-1013: far off */
    asks(&p, old_s, 0, 999, 1013);
    asks(&p, old_s, 0, 199, 281);
    asks_nothing(&p, old_s, 0);
    plan_deinit(&p);
}

static void what_is_known_or_under_way_is_not_asked_again(void **state)
{
    struct plan p = { 0 };

    (void)state;
    want(&p, 1000, 1060);
    asks(&p, old_s, 0, 199, 213);
    want(&p, 1000, 1060);
    asks_nothing(&p, old_s, 0);
    assert_int_equal(plan_answered(&p, (struct range){ 199, 213 }, old_s, 0), 15);
    assert_true(plan_knows(&p, plan_cells(1000, 1060)));
    want(&p, 1000, 1060);
    asks_nothing(&p, old_s, 9000);
    assert_true(plan_due(&p, old_s, 9000) == UINT64_MAX);
    /* A longer one: only what is missing, 214 to 218. */
    want(&p, 1000, 1085);
    asks(&p, old_s, 9000, 214, 218);
    plan_deinit(&p);
}

static void long_ranges_are_split_from_the_newest_on(void **state)
{
    struct plan p = { 0 };

    (void)state;
    /* 7 days: cells -1 to 120961, 120963 of them: 10 questions of 11000 and one of 10963 */
    want(&p, 0, 604800);
    asks(&p, old_s, 0, 120961 - 10999, 120961);
    for (int i = 1; i < 10; i++)
        asks(&p, old_s, 0, 120961 - 11000 * (i + 1) + 1, 120961 - 11000 * i);
    asks(&p, old_s, 0, -1, 10961);
    asks_nothing(&p, old_s, 0);
    plan_deinit(&p);
}

static void young_cells_are_asked_again_until_no_sample_can_be_late(void **state)
{
    struct plan p = { 0 };
    unsigned questions = 0;
    double now_s = 100000; /* cell 20000 */
    uint64_t now_ms = 50000;

    (void)state;
    want(&p, now_s - 60, now_s); /* cells 19987 to 20001; the last is not there yet */
    asks(&p, now_s, now_ms, 19987, 20000);
    /* All are younger than 120 s. */
    assert_int_equal(
        plan_answered(&p, (struct range){ 19987, 20000 }, now_s, now_ms + 20), 0);
    asks_nothing(&p, now_s + 1, now_ms + 1000);
    for (; plan_due(&p, now_s, now_ms) != UINT64_MAX; questions++) {
        uint64_t due = plan_due(&p, now_s, now_ms);
        struct range r;

        assert_true(questions < 40);
        assert_true(due - now_ms <= 5000);
        now_s += (double)(due - now_ms) / 1e3;
        now_ms = due;
        assert_true(plan_next(&p, now_s, now_ms, &r));
        plan_answered(&p, r, now_s, now_ms);
    }
    assert_true(plan_knows(&p, plan_cells(100000 - 60, 100000)));
    /* Every 5 s, until 120 s after the cell at 100005 s. */
    assert_in_range(questions, 24, 27);
    assert_true(now_s >= 100125 && now_s < 100131);
    plan_deinit(&p);
}

/* Wanted every second, at any second of the grid and of the timer. */
static void a_running_one_costs_one_question_in_five_seconds(void **state)
{
    (void)state;
    for (int offset_ms = 0; offset_ms < 5000; offset_ms += 250) {
        struct plan p = { 0 };
        unsigned questions = 0;
        uint64_t last_ms = 0;
        struct range r;

        for (uint64_t ms = 0; ms < 300000; ms += 50) {
            double now_s = 100000 + (double)(ms + (uint64_t)offset_ms) / 1e3;
            uint64_t now_ms = ms + 50000;

            if (ms % 1000 == 0) {
                struct range cells = plan_cells(99990, now_s);

                cells.last -= 2; /* nothing that lies ahead */
                plan_want(&p, cells, now_s);
            }
            while (plan_next(&p, now_s, now_ms, &r)) {
                questions++;
                assert_true((double)r.last * 5 <= now_s);
                assert_true(questions == 1 || now_ms - last_ms >= 4000);
                /* never more than two minutes and what is new */
                assert_true(r.last - r.first <= 26);
                plan_answered(&p, r, now_s, now_ms);
                last_ms = now_ms;
            }
        }
        assert_in_range(questions, 58, 62);
        plan_deinit(&p);
    }
}

static void what_was_not_answered_is_open_again(void **state)
{
    struct plan p = { 0 };

    (void)state;
    want(&p, 1000, 1060);
    asks(&p, old_s, 100, 199, 213);
    assert_true(plan_due(&p, old_s, 200) == UINT64_MAX);
    plan_skipped(&p, (struct range){ 199, 213 });
    assert_false(plan_knows(&p, (struct range){ 199, 213 }));
    assert_int_equal(plan_due(&p, old_s, 200), 200);
    asks(&p, old_s, 200, 199, 213);
    plan_deinit(&p);
}

static void
what_has_no_values_is_asked_once_more_and_when_the_server_is_back(void **state)
{
    const struct range r = { 199, 213 };
    struct plan p = { 0 };

    (void)state;
    want(&p, 1000, 1060);
    asks(&p, old_s, 0, 199, 213);
    plan_answered(&p, r, old_s, 0);
    plan_empty(&p, r, 1000);
    assert_true(plan_knows(&p, r)); /* settled all the same */
    assert_int_equal(plan_due(&p, old_s, 1000), 61000);
    asks_nothing(&p, old_s, 60999);
    asks(&p, old_s, 61000, 199, 213);
    plan_answered(&p, r, old_s, 61000);
    plan_empty(&p, r, 61000);
    assert_true(plan_due(&p, old_s, 61000) == UINT64_MAX);

    plan_ask_empty(&p);
    asks(&p, old_s, 70000, 199, 213);
    plan_answered(&p, r, old_s, 70000);
    plan_filled(&p, r);
    plan_ask_empty(&p);
    asks_nothing(&p, old_s, 200000);
    plan_deinit(&p);
}

static void what_lies_ahead_is_waited_for(void **state)
{
    struct plan p = { 0 };

    (void)state;
    want(&p, 100100, 100200); /* its first cell is at 100095 s */
    asks_nothing(&p, 100000, 7000);
    assert_int_equal(plan_due(&p, 100000, 7000), 7000 + 95000);
    asks(&p, 100095, 7000 + 95000, 20019, 20019);
    plan_deinit(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_become_one_range),
        cmocka_unit_test(taking_out_of_the_middle_leaves_two),
        cmocka_unit_test(a_cut_leaves_what_is_in_both),
        cmocka_unit_test(sets_of_ranges_are_sets_of_cells),
        cmocka_unit_test(an_interval_is_asked_with_one_point_more_at_both_ends),
        cmocka_unit_test(intervals_that_lie_close_are_one_question),
        cmocka_unit_test(what_is_known_or_under_way_is_not_asked_again),
        cmocka_unit_test(long_ranges_are_split_from_the_newest_on),
        cmocka_unit_test(young_cells_are_asked_again_until_no_sample_can_be_late),
        cmocka_unit_test(a_running_one_costs_one_question_in_five_seconds),
        cmocka_unit_test(what_was_not_answered_is_open_again),
        cmocka_unit_test(
            what_has_no_values_is_asked_once_more_and_when_the_server_is_back),
        cmocka_unit_test(what_lies_ahead_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
