#include "tests/unit/test.h"

#include "server/record/load.h"
#include "server/record/usage.h"

#include <time.h>
#include <unistd.h>

static struct load l;
static double means[LOAD_POINTS_MAX];

static double sum(size_t n)
{
    double s = 0;

    for (size_t i = 0; i < n; i++)
        s += means[i];
    return s;
}

static void means_are_of_equal_steps(void **state)
{
    (void)state;
    double step;

    load_init(&l);
    load_add(&l, 0.5, 1);    /* 2 cores */
    load_add(&l, 1.0, 1.25); /* half a core */
    assert_int_equal(load_means(&l, 1.5, 2.25, means, &step), 3);
    assert_near(step, 0.5, 1e-12);
    assert_near(means[0], 2, 1e-12);
    assert_near(means[1], 0.5, 1e-12);
    assert_near(means[2], 2, 1e-12); /* 1 core-second in 0.5 s */
}

static void uneven_points_are_bridged_by_lines(void **state)
{
    (void)state;
    double step;

    load_init(&l);
    load_add(&l, 1, 3);
    load_add(&l, 3, 3);
    /* (0,0) (1,3) (3,3) (4,4): steps of 4/3 s end at 4/3 with 3, 8/3 with 3, 4 with 4 */
    assert_int_equal(load_means(&l, 4, 4, means, &step), 3);
    assert_near(means[0], 3 / step, 1e-12);
    assert_near(means[1], 0, 1e-12);
    assert_near(means[2], 1 / step, 1e-12);
}

static void a_short_command_has_one_step(void **state)
{
    (void)state;
    double step;

    load_init(&l);
    assert_int_equal(load_means(&l, 0.1, 0.05, means, &step), 1);
    assert_near(step, 0.1, 0);
    assert_near(means[0], 0.5, 1e-12);
    load_init(&l);
    assert_int_equal(load_means(&l, 0, 0, means, &step), 0);
}

static void any_length_takes_the_same_room_and_keeps_its_sum(void **state)
{
    (void)state;
    double step, t = 0;
    size_t n;

    load_init(&l);
    for (int i = 0; i < 100000; i++) {
        t += l.interval_s;
        load_add(&l, t, t * 3);
        if (t > 36000)
            break;
    }
    n = load_means(&l, t + 1, t * 3 + 1, means, &step);
    assert_true(n > LOAD_POINTS_MAX / 3 && n < LOAD_POINTS_MAX);
    assert_near(sum(n) * step, t * 3 + 1, 1e-9);
    assert_near(means[n / 2], 3, 1e-6);
}

static void use_never_falls(void **state)
{
    (void)state;
    double step;
    size_t n;

    load_init(&l);
    load_add(&l, 1, 5);
    load_add(&l, 2, 4);
    load_add(&l, 3, 6);
    n = load_means(&l, 4, 5.5, means, &step); /* the end is known best */
    assert_near(sum(n) * step, 5.5, 1e-12);
    for (size_t i = 0; i < n; i++)
        assert_true(means[i] >= 0);
}

static void stat_lines_are_read_behind_the_name(void **state)
{
    (void)state;
    double ticks;

    assert_true(usage_parse(
        VIEW("12 (a) b) (c) S 1 2 3 4 5 6 7 8 9 10 100 20 3 4 20 0 1"), &ticks));
    assert_near(ticks, 127, 0);
    assert_false(usage_parse(VIEW("12 (a) S 1 2 3 4 5 6 7 8 9 10 100 20 3"), &ticks));
    assert_false(
        usage_parse(VIEW("12 (a) S 1 2 3 4 5 6 7 8 9 10 -1 20 3 4 5"), &ticks));
    assert_false(usage_parse(VIEW("12"), &ticks));
    assert_false(usage_parse(VIEW(""), &ticks));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_are_of_equal_steps),
        cmocka_unit_test(uneven_points_are_bridged_by_lines),
        cmocka_unit_test(a_short_command_has_one_step),
        cmocka_unit_test(any_length_takes_the_same_room_and_keeps_its_sum),
        cmocka_unit_test(use_never_falls),
        cmocka_unit_test(stat_lines_are_read_behind_the_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
