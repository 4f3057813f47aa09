#include "core/live.h"

#include "tests/unit/test.h"

#include <math.h>

#define T0 1700000000.0

static const struct scenario *made(double start_s, double end_s, double duration_s)
{
    struct scenario from = { .name = VIEW("x"),
                             .start_s = start_s,
                             .end_s = end_s,
                             .facts = { .duration_s = duration_s } };

    return scenario_new(&from);
}

static const struct scenario *seen(enum scenario_state state, double start_s,
                                   double so_far_s)
{
    struct scenario from = { .name = VIEW("x"),
                             .start_s = start_s,
                             .end_s = NAN,
                             .state = state,
                             .facts = { .duration_s = so_far_s },
                             .as_told = made(start_s, NAN, NAN) };

    return scenario_new(&from);
}

/* The state of the first of two scenarios (the second may be NULL). */
static enum scenario_state state_of(const struct scenario *a, const struct scenario *b,
                                    double now_s, double sign_s, double *end_s)
{
    const struct scenario *all[] = { a, b };
    struct run *run = run_new(VIEW("id"), all, b ? 2 : 1);
    struct live_clock clock = { now_s, sign_s, 600 };
    enum scenario_state s;

    *end_s = NAN;
    s = live_state(run->scenarios[0], live_latest_start(run, now_s), &clock, end_s);
    run_unref(run);
    return s;
}

static void one_with_a_start_alone_runs_while_its_file_lives(void **state)
{
    (void)state;
    double end_s;

    assert_int_equal(state_of(made(T0, NAN, NAN), NULL, T0 + 60, T0 + 1, &end_s),
                     SCENARIO_RUNNING);
    assert_true(end_s == T0 + 60);
    assert_int_equal(state_of(made(T0, NAN, NAN), NULL, T0 + 5000, T0 + 4500, &end_s),
                     SCENARIO_RUNNING);
    /* Its start is a sign of life, too: the file may have been copied with its time. */
    assert_int_equal(state_of(made(T0, NAN, NAN), NULL, T0 + 60, T0 - 9999, &end_s),
                     SCENARIO_RUNNING);
}

static void what_the_file_tells_is_not_reckoned(void **state)
{
    (void)state;
    double end_s;

    assert_int_equal(state_of(made(T0, T0 + 5, NAN), NULL, T0 + 9, T0, &end_s),
                     SCENARIO_TOLD);
    assert_int_equal(state_of(made(T0, NAN, 5), NULL, T0 + 9, T0, &end_s),
                     SCENARIO_TOLD);
    assert_int_equal(state_of(made(12, NAN, NAN), NULL, T0 + 9, T0, &end_s),
                     SCENARIO_TOLD); /* seconds since something else */
    assert_int_equal(state_of(made(T0 + 60, NAN, NAN), NULL, T0 + 9, T0, &end_s),
                     SCENARIO_TOLD); /* is to come */
    assert_true(isnan(end_s));
}

static void nobody_saw_it_run_so_nobody_knows_its_end(void **state)
{
    (void)state;
    double end_s;

    assert_int_equal(state_of(made(T0, NAN, NAN), NULL, T0 + 5000, T0 + 60, &end_s),
                     SCENARIO_TOLD);
    assert_int_equal(
        state_of(made(T0, NAN, NAN), made(T0 + 30, NAN, NAN), T0 + 60, T0, &end_s),
        SCENARIO_TOLD);
}

static void one_that_ran_is_given_up(void **state)
{
    (void)state;
    double end_s;

    /* without a sign of life for ten minutes */
    assert_int_equal(
        state_of(seen(SCENARIO_RUNNING, T0, 659), NULL, T0 + 661, T0 + 60, &end_s),
        SCENARIO_ABORTED);
    assert_true(end_s == T0 + 660);
    /* when the next one starts */
    assert_int_equal(state_of(seen(SCENARIO_RUNNING, T0, 59), made(T0 + 30, NAN, NAN),
                              T0 + 60, T0 + 31, &end_s),
                     SCENARIO_ABORTED);
    assert_true(end_s == T0 + 30);
}

static void what_was_given_up_stands_still(void **state)
{
    (void)state;
    double end_s;

    assert_int_equal(
        state_of(seen(SCENARIO_ABORTED, T0, 660), NULL, T0 + 9000, T0 + 60, &end_s),
        SCENARIO_ABORTED);
    assert_true(end_s == T0 + 660);
}

static void a_file_that_moves_again_brings_it_back(void **state)
{
    (void)state;
    double end_s;

    assert_int_equal(
        state_of(seen(SCENARIO_ABORTED, T0, 660), NULL, T0 + 9000, T0 + 8999, &end_s),
        SCENARIO_RUNNING);
    assert_true(end_s == T0 + 9000);
}

static void those_that_began_together_run_together(void **state)
{
    (void)state;
    double end_s;

    assert_int_equal(
        state_of(made(T0, NAN, NAN), made(T0, NAN, NAN), T0 + 60, T0, &end_s),
        SCENARIO_RUNNING);
}

static void none_runs_in_a_run_that_is_not_the_newest(void **state)
{
    (void)state;
    const struct scenario *all[] = { seen(SCENARIO_RUNNING, T0, 42),
                                     made(T0, NAN, NAN) };
    double end_s = NAN;

    assert_int_equal(live_state_past(all[1], &end_s), SCENARIO_TOLD);
    assert_int_equal(live_state_past(all[0], &end_s), SCENARIO_ABORTED);
    assert_true(end_s == T0 + 42);
    scenario_unref(all[0]);
    scenario_unref(all[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_with_a_start_alone_runs_while_its_file_lives),
        cmocka_unit_test(what_the_file_tells_is_not_reckoned),
        cmocka_unit_test(nobody_saw_it_run_so_nobody_knows_its_end),
        cmocka_unit_test(one_that_ran_is_given_up),
        cmocka_unit_test(what_was_given_up_stands_still),
        cmocka_unit_test(a_file_that_moves_again_brings_it_back),
        cmocka_unit_test(those_that_began_together_run_together),
        cmocka_unit_test(none_runs_in_a_run_that_is_not_the_newest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
