#include "core/timeline.h"

#include "tests/unit/test.h"

#include <stdlib.h>

#define SET(t, first, ...)                                                             \
    set_cells((t), (first), (const double[]){ __VA_ARGS__ },                           \
              sizeof((const double[]){ __VA_ARGS__ }) / sizeof(double))

static void set_cells(struct timeline *t, int64_t first, const double values[],
                      size_t n)
{
    for (size_t i = 0; i < n; i++)
        timeline_set(t, first + (int64_t)i, values[i]);
}

static double total(const struct timeline *t, double from_s, double to_s)
{
    return timeline_total(t, from_s, to_s, NULL);
}

/* ---- cells ----------------------------------------------------------------------- */

static void a_time_lies_in_the_cell_that_begins_at_or_before_it(void **state)
{
    (void)state;
    const struct timeline t = { .step_s = 5 };

    assert_int_equal(timeline_cell(&t, 0), 0);
    assert_int_equal(timeline_cell(&t, 4.999), 0);
    assert_int_equal(timeline_cell(&t, 5), 1);
    assert_int_equal(timeline_cell(&t, -0.001), -1);
    assert_int_equal(timeline_cell(&t, 1.7e9 + 7), 340000001);
    /* what is no time of any grid lies at its end */
    assert_int_equal(timeline_cell(&t, INFINITY), INT64_C(1) << 53);
    assert_int_equal(timeline_cell(&t, -1e300), -(INT64_C(1) << 53));
    assert_int_equal(timeline_cell(&t, NAN), -(INT64_C(1) << 53));
}

static void cells_are_unknown_until_they_are_set(void **state)
{
    (void)state;
    struct timeline t = { .step_s = 1 };

    assert_unknown(timeline_get(&t, 0));
    timeline_set(&t, 7, NAN); /* makes no page */
    assert_int_equal(timeline_bytes(&t), 0);
    timeline_set(&t, 7, 42);
    assert_near(timeline_get(&t, 7), 42, 0);
    assert_unknown(timeline_get(&t, 6));
    timeline_set(&t, 7, 0);
    assert_near(timeline_get(&t, 7), 0, 0);
    timeline_set(&t, 7, INFINITY);
    assert_unknown(timeline_get(&t, 7));
    timeline_deinit(&t);
    assert_int_equal(timeline_bytes(&t), 0);
    assert_unknown(timeline_get(&t, 7));
}

static void cells_lie_in_pages_of_any_number_in_any_order(void **state)
{
    (void)state;
    const int64_t cells[] = { 1700000000, 511, -1, 512, 0, -513, 340000000, -512 };
    struct timeline t = { .step_s = 1 };

    for (size_t i = 0; i < 8; i++)
        timeline_set(&t, cells[i], (double)i);
    for (size_t i = 0; i < 8; i++)
        assert_near(timeline_get(&t, cells[i]), (double)i, 0);
    /* pages -2, -1, 0, 1 and those of the two large ones */
    assert_int_equal(t.page_count, 6);
    for (size_t i = 1; i < t.page_count; i++)
        assert_true(t.pages[i - 1]->number < t.pages[i]->number);
    assert_unknown(timeline_get(&t, 1));
    assert_unknown(timeline_get(&t, 1024));
    timeline_deinit(&t);
}

static void hours_that_are_weeks_apart_take_no_memory_between(void **state)
{
    (void)state;
    struct timeline t = { .step_s = 1, .of_means = true };

    for (int64_t cell = 0; cell < 512; cell++) {
        timeline_set(&t, cell, 1);
        timeline_set(&t, cell + INT64_C(512) * 100000, 1);
    }
    assert_int_equal(t.page_count, 2);
    assert_true(timeline_bytes(&t) < 2 * 512 * 8 + 256);
    /* nor does a total over the years between take time */
    assert_near(total(&t, -1e15, 1e15), 1024, 0);
    timeline_deinit(&t);
}

static void pages_that_end_before_a_cell_are_forgotten(void **state)
{
    (void)state;
    struct timeline t = { .step_s = 1 };

    for (int64_t cell = 0; cell < 2048; cell++)
        timeline_set(&t, cell, 5);
    timeline_forget(&t, 511);
    assert_int_equal(t.page_count, 4);
    timeline_forget(&t, 1024);
    assert_int_equal(t.page_count, 2);
    assert_unknown(timeline_get(&t, 1023));
    assert_near(timeline_get(&t, 1024), 5, 0);
    timeline_forget(&t, INT64_C(1) << 40);
    assert_int_equal(t.page_count, 0);
    timeline_forget(&t, 0);
    timeline_set(&t, 3, 1);
    assert_near(timeline_get(&t, 3), 1, 0);
    timeline_deinit(&t);
}

/* ---- holes ----------------------------------------------------------------------- */

static void a_short_hole_is_bridged_by_a_straight_line(void **state)
{
    (void)state;
    struct timeline t = { .step_s = 1 };

    SET(&t, 10, 3, NAN, NAN, NAN, 11); /* 3, 5, 7, 9, 11 */
    timeline_bridge(&t, 10, 14, 2);
    assert_unknown(timeline_get(&t, 12)); /* longer than 2 */
    timeline_bridge(&t, 10, 14, 3);
    for (int64_t i = 0; i < 5; i++)
        assert_near(timeline_get(&t, 10 + i), 3 + 2 * (double)i, 1e-15);
    timeline_deinit(&t);
}

static void every_hole_between_two_cells_is_looked_at_and_no_end(void **state)
{
    (void)state;
    struct timeline t = { .step_s = 1 };

    /* two holes, of which one is too long; what was measured stays */
    SET(&t, 508, NAN, 8, NAN, 10, NAN, NAN, NAN, 20, NAN, 0, NAN);
    timeline_bridge(&t, 500, 530, 2);
    assert_unknown(timeline_get(&t, 508));
    assert_near(timeline_get(&t, 510), 9, 0);
    assert_near(timeline_get(&t, 511), 10, 0);
    assert_unknown(timeline_get(&t, 512));
    assert_unknown(timeline_get(&t, 514));
    assert_near(timeline_get(&t, 516), 10, 0);
    assert_unknown(timeline_get(&t, 518));
    /* a hole that reaches beyond the cells has no second end */
    timeline_bridge(&t, 511, 514, 9);
    assert_unknown(timeline_get(&t, 513));
    /* across the border of a page: 10, 12.5, 15, 17.5, 20 */
    timeline_bridge(&t, 511, 515, 9);
    assert_near(timeline_get(&t, 512), 12.5, 0);
    assert_near(timeline_get(&t, 514), 17.5, 0);
    /* and of pages that are not there */
    timeline_set(&t, 3000, 20);
    timeline_bridge(&t, 517, 3000, 5000);
    assert_near(timeline_get(&t, 517 + 1000), 20 * 1000.0 / (3000 - 517), 1e-14);
    timeline_bridge(&t, -100, -50, 100); /* nothing there */
    assert_int_equal(t.pages[0]->number, 0);
    timeline_deinit(&t);
}

/* ---- totals ---------------------------------------------------------------------- */

static void means_weigh_the_part_of_them_that_lies_inside(void **state)
{
    (void)state;
    struct timeline t = { .step_s = 2, .of_means = true };
    double covered;

    SET(&t, 5, 10, 20, 30); /* 10 … 12 s, 12 … 14 s, 14 … 16 s */
    assert_near(timeline_total(&t, 10, 16, &covered), 120, 0);
    assert_near(covered, 6, 0);
    /* 0.5·10 + 2·20 + 1.5·30 */
    assert_near(timeline_total(&t, 11.5, 15.5, &covered), 90, 0);
    assert_near(covered, 4, 0);
    /* within one: 0.25·20 */
    assert_near(timeline_total(&t, 13, 13.25, &covered), 5, 0);
    assert_near(covered, 0.25, 0);
    /* beyond what is known nothing is added */
    assert_near(timeline_total(&t, 0, 100, &covered), 120, 0);
    assert_near(covered, 6, 0);
    timeline_deinit(&t);
}

static void instants_bound_trapezoids_that_are_cut_where_asked(void **state)
{
    (void)state;
    struct timeline t = { .step_s = 5 };
    double covered;

    SET(&t, 2, 100, 200, 100); /* at 10, 15 and 20 s */
    assert_near(timeline_total(&t, 10, 20, &covered), 1500, 0);
    assert_near(covered, 10, 0);
    /* at 12.5 s it is 150, at 16 s 180: 2.5·(150 + 200)/2 + 1·(200 + 180)/2 */
    assert_near(timeline_total(&t, 12.5, 16, &covered), 437.5 + 190, 1e-15);
    assert_near(covered, 3.5, 0);
    /* within one: at 11 s 120, at 12 s 140 */
    assert_near(total(&t, 11, 12), 130, 1e-14);
    /* nobody knows what was before the first or behind the last */
    assert_near(timeline_total(&t, 0, 100, &covered), 1500, 0);
    assert_near(covered, 10, 0);
    assert_unknown(timeline_total(&t, 20, 25, &covered));
    assert_near(covered, 0, 0);
    timeline_deinit(&t);
}

static void an_instant_between_unknown_ones_bounds_nothing(void **state)
{
    (void)state;
    struct timeline t = { .step_s = 1 };
    double covered;

    SET(&t, 0, 10, NAN, 10, 10, NAN, 10);
    assert_near(timeline_total(&t, 0, 6, &covered), 10, 0); /* from 2 to 3 */
    assert_near(covered, 1, 0);
    t.of_means = true; /* as means each counts: 0, 2, 3, 5 */
    assert_near(timeline_total(&t, 0, 6, &covered), 40, 0);
    assert_near(covered, 4, 0);
    /* nor does the last of a page bound anything with the first of a later one */
    t.of_means = false;
    SET(&t, 510, 10, 10);
    timeline_set(&t, 1024, 10);
    assert_near(timeline_total(&t, 500, 1030, &covered), 10, 0);
    timeline_set(&t, 512, 10);
    assert_near(timeline_total(&t, 500, 1030, &covered), 20, 0);
    timeline_deinit(&t);
}

static void totals_run_across_the_borders_of_pages(void **state)
{
    (void)state;
    struct timeline t = { .step_s = 1 };

    for (int64_t cell = -600; cell <= 600; cell++)
        timeline_set(&t, cell, 3);
    assert_near(total(&t, -600, 600), 3600, 1e-15);
    assert_near(total(&t, 511, 512), 3, 0);
    assert_near(total(&t, -513.5, -511.5), 6, 0);
    timeline_deinit(&t);
}

static void nothing_known_has_no_total(void **state)
{
    (void)state;
    struct timeline t = { .step_s = 1, .of_means = true };
    double covered = 9;

    assert_unknown(timeline_total(&t, 0, 10, &covered));
    assert_near(covered, 0, 0);
    timeline_set(&t, 5, 0);
    assert_near(timeline_total(&t, 0, 10, &covered), 0, 0); /* 0 W is a measurement */
    assert_near(covered, 1, 0);
    assert_unknown(total(&t, 5.5, 5.5)); /* no time at all */
    assert_unknown(total(&t, 6, 5));
    assert_unknown(total(&t, NAN, 6));
    assert_unknown(total(&t, 5, NAN));
    timeline_deinit(&t);
}

/* Not known to repeat itself within what a test draws; the same on every machine. */
static uint64_t drawn(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static double drawn_up_to(uint64_t *state, double top)
{
    return (double)(drawn(state) >> 11) * 0x1p-53 * top;
}

/* Values with holes from Unix time base on. */
static struct timeline random_timeline(uint64_t *seed, int64_t base_s, int cells,
                                       double step_s, bool of_means)
{
    struct timeline t = { .step_s = step_s, .of_means = of_means };
    int64_t first = timeline_cell(&t, (double)base_s);

    for (int i = 0; i < cells; i++)
        timeline_set(&t, first + i,
                     drawn(seed) % 10 < 2 ? NAN : drawn_up_to(seed, 200));
    return t;
}

static double or_zero(double v)
{
    return isnan(v) ? 0 : v;
}

static void totals_of_adjacent_intervals_add_up(void **state)
{
    (void)state;
    uint64_t seed = 20260917;

    for (int round = 0; round < 400; round++) {
        double step_s = round % 4 < 2 ? 1 : 5;
        struct timeline t = random_timeline(&seed, 1700000000, 700, step_s, round % 2);
        double from = 1.7e9 - 50 + drawn_up_to(&seed, 400), at = from;
        double sum = 0, covered = 0, whole_covered;

        for (int i = 0; i < 30; i++) {
            double to = at + drawn_up_to(&seed, i % 3 ? 3 : 60), part;

            sum += or_zero(timeline_total(&t, at, to, &part));
            covered += part;
            at = to;
        }
        assert_near(sum, or_zero(timeline_total(&t, from, at, &whole_covered)), 1e-12);
        assert_near(covered, whole_covered, 1e-12);
        timeline_deinit(&t);
    }
}

/* A total by its definition: the value at the middle of a thousand pieces of each cell. */
static void totals_are_the_area_under_the_line(void **state)
{
    (void)state;
    uint64_t seed = 7;

    for (int round = 0; round < 20; round++) {
        struct timeline t = random_timeline(&seed, 1000, 40, 5, round % 2);
        double from = 990 + (double)(drawn(&seed) % 50000) / 1000;
        double to = from + 0.005 + (double)(drawn(&seed) % 150000) / 1000, area = 0;

        for (int i = 0; from + 0.005 * i + 0.0025 < to; i++) {
            double at = from + 0.005 * i + 0.0025;
            int64_t cell = timeline_cell(&t, at);
            double a = timeline_get(&t, cell), b = timeline_get(&t, cell + 1);
            double part = (at - (double)cell * 5) / 5;

            area += 0.005 * or_zero(t.of_means ? a : a + (b - a) * part);
        }
        assert_near(or_zero(total(&t, from, to)), area, 1e-2);
        timeline_deinit(&t);
    }
}

/* ---- coverage -------------------------------------------------------------------- */

static void an_interval_is_covered_when_little_is_missing(void **state)
{
    (void)state;
    struct timeline t = { .step_s = 1, .of_means = true };

    for (int64_t cell = 1700000002; cell < 1700000100; cell++)
        timeline_set(&t, cell, 50);
    /* two seconds are missing in front, three behind */
    assert_true(timeline_covers(&t, 1.7e9, 1.7e9 + 100, 2, 0.9));
    assert_false(timeline_covers(&t, 1.7e9, 1.7e9 + 100, 1.9, 0.9));
    assert_false(timeline_covers(&t, 1.7e9, 1.7e9 + 103, 2, 0.9));
    assert_true(timeline_covers(&t, 1.7e9, 1.7e9 + 103, 3, 0.9));
    /* 95 of 103 s are more than 92 %, not 93 %: from 2 to 100 without three */
    for (int64_t cell = 1700000050; cell < 1700000053; cell++)
        timeline_set(&t, cell, NAN);
    assert_true(timeline_covers(&t, 1.7e9, 1.7e9 + 103, 3, 0.92));
    assert_false(timeline_covers(&t, 1.7e9, 1.7e9 + 103, 3, 0.93));
    timeline_deinit(&t);
}

/* Times of this century are multiples of 0.24 µs, so what is exact in decimals is not. */
static void exactly_enough_is_enough(void **state)
{
    (void)state;
    const double base = 1.7e9;
    struct timeline t = { .step_s = 1, .of_means = true };

    for (int64_t i = 0; i < 100; i++)
        timeline_set(&t, 1700000000 + i, 50);
    for (int i = 1; i < 100; i++) {
        double out_s = (double)i / 100, whole_s = i / 0.9;

        assert_true(timeline_covers(&t, base - out_s, base + 100, out_s, 0.9));
        assert_true(timeline_covers(&t, base, base + 100 + out_s, out_s, 0.9));
        assert_false(timeline_covers(&t, base - out_s, base + 100, out_s - 1e-3, 0.9));
        assert_false(timeline_covers(&t, base, base + 100 + out_s, out_s - 1e-3, 0.9));
        assert_true(
            timeline_covers(&t, base + 100 - i, base + 100 - i + whole_s, 20, 0.9));
        assert_false(
            timeline_covers(&t, base + 100 - i, base + 100 - i + whole_s, 20, 0.91));
    }
    timeline_deinit(&t);
}

static void nothing_covers_no_interval(void **state)
{
    (void)state;
    struct timeline t = { .step_s = 1 };

    assert_false(timeline_covers(&t, 0, 1, 10, 0));
    SET(&t, 0, 1, 1, 1);
    assert_true(timeline_covers(&t, 0, 2, 0, 1));
    assert_true(timeline_covers(&t, 0.25, 0.5, 0, 1));
    assert_false(timeline_covers(&t, 1, 1, 10, 0));
    assert_false(timeline_covers(&t, NAN, 1, 10, 0));
    /* a lone instant: a point, and no time */
    SET(&t, 1, NAN);
    assert_false(timeline_covers(&t, 0, 2, 10, 0));
    timeline_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_lies_in_the_cell_that_begins_at_or_before_it),
        cmocka_unit_test(cells_are_unknown_until_they_are_set),
        cmocka_unit_test(cells_lie_in_pages_of_any_number_in_any_order),
        cmocka_unit_test(hours_that_are_weeks_apart_take_no_memory_between),
        cmocka_unit_test(pages_that_end_before_a_cell_are_forgotten),
        cmocka_unit_test(a_short_hole_is_bridged_by_a_straight_line),
        cmocka_unit_test(every_hole_between_two_cells_is_looked_at_and_no_end),
        cmocka_unit_test(means_weigh_the_part_of_them_that_lies_inside),
        cmocka_unit_test(instants_bound_trapezoids_that_are_cut_where_asked),
        cmocka_unit_test(an_instant_between_unknown_ones_bounds_nothing),
        cmocka_unit_test(totals_run_across_the_borders_of_pages),
        cmocka_unit_test(nothing_known_has_no_total),
        cmocka_unit_test(totals_of_adjacent_intervals_add_up),
        cmocka_unit_test(totals_are_the_area_under_the_line),
        cmocka_unit_test(an_interval_is_covered_when_little_is_missing),
        cmocka_unit_test(exactly_enough_is_enough),
        cmocka_unit_test(nothing_covers_no_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
