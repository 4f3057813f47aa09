#include "modules/compare/bd_rate.h"

#include "tests/unit/encodes.h"

#include "core/json.h"

/* ---- against figures that were worked out with NumPy and SciPy ------------------------- */

static size_t read_points(const struct json_value *v, struct bd_point to[], size_t room)
{
    assert_true(v->n <= room);
    for (uint32_t i = 0; i < v->n; i++)
        to[i] = (struct bd_point){ v->items[i].items[0].number,
                                   v->items[i].items[1].number };
    return v->n;
}

static void check_metric(const struct json_value *entry, struct view metric)
{
    const struct json_value *points =
        json_member(json_member(entry, VIEW("points")), metric);
    const struct json_value *want =
        json_member(json_member(entry, VIEW("pchip")), metric);
    struct bd_point a[16], b[16];
    struct bd_curve anchor, other;
    double overlap;

    assert_true(bd_curve_init(&anchor, a,
                              read_points(json_member(points, VIEW("anchor")), a, 16)));
    assert_true(bd_curve_init(&other, b,
                              read_points(json_member(points, VIEW("test")), b, 16)));
    /* The reference has six decimals of percent. */
    if (!(fabs(bd_rate_percent(&anchor, &other, &overlap) - want->number) < 1e-6))
        fail_msg("%.*s of %.*s: got %.9g, want %.9g", VIEW_ARG(metric),
                 VIEW_ARG(json_text(json_member(entry, VIEW("clip")))),
                 bd_rate_percent(&anchor, &other, &overlap), want->number);
    assert_true(overlap > 0 && overlap <= 1);
    bd_curve_deinit(&anchor);
    bd_curve_deinit(&other);
}

static void the_figures_of_the_reference_are_met(void **state)
{
    struct json_parser *p = json_parser_new();
    struct view text = encodes_read(TEST_DATA "/reference/bd_rate.json");
    const struct json_value *all, *entries;
    struct arena mem = { 0 };
    struct err e = { 0 };

    (void)state;
    assert_int_equal(json_parse(p, text, &mem, &all, &e), 0);
    entries = json_member(all, VIEW("entries"));
    assert_int_equal(entries->n, 27);
    for (uint32_t i = 0; i < entries->n; i++) {
        check_metric(&entries->items[i], VIEW("vmaf"));
        check_metric(&entries->items[i], VIEW("psnr"));
        check_metric(&entries->items[i], VIEW("ssim"));
    }
    arena_deinit(&mem);
    free((char *)(uintptr_t)text.p);
    json_parser_free(p);
}

/* ---- what must hold of any curves -------------------------------------------------------- */

static const struct bd_point saturating[] = {
    { 200, 57.9 }, { 3000, 99.3 }, { 360, 73.8 }, { 600, 85.9 }, { 1000, 93.1 },
};
enum { SATURATING = sizeof saturating / sizeof *saturating };

static void make(struct bd_curve *c, double rates, double quality)
{
    struct bd_point points[SATURATING];

    for (size_t i = 0; i < SATURATING; i++)
        points[i] = (struct bd_point){ saturating[i].rate * rates,
                                       saturating[i].quality + quality };
    assert_true(bd_curve_init(c, points, SATURATING));
}

static void rates_times_k_are_k_minus_one_in_percent(void **state)
{
    static const double factors[] = { 1e-3, 0.5, 0.8, 1, 1.25, 2, 1e6 };
    struct bd_curve anchor, other;
    double overlap;

    (void)state;
    make(&anchor, 1, 0);
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
        make(&other, factors[i], 0);
        assert_near(bd_rate_percent(&anchor, &other, &overlap), 100 * (factors[i] - 1),
                    1e-12);
        assert_near(overlap, 1, 0);
        bd_curve_deinit(&other);
    }
    bd_curve_deinit(&anchor);
}

static void both_ways_cancel_out(void **state)
{
    struct bd_curve a, b;
    double there, back, overlap;

    (void)state;
    make(&a, 1, 0);
    make(&b, 1.7, 5.5);
    there = bd_rate_percent(&a, &b, &overlap);
    back = bd_rate_percent(&b, &a, &overlap);
    assert_near((1 + there / 100) * (1 + back / 100), 1, 1e-12);
    bd_curve_deinit(&a);
    bd_curve_deinit(&b);
}

static void exponential_rates_are_straight_lines(void **state)
{
    struct bd_point slow[4], steep[4];
    struct bd_curve a, b;
    double overlap;

    (void)state;
    for (int i = 0; i < 4; i++) {
        /* ln(rate) = quality and 2 * quality - 3, from 0 to 3 and from 1 to 4 */
        slow[i] = (struct bd_point){ exp(i), i };
        steep[i] = (struct bd_point){ exp(2 * (i + 1) - 3), i + 1 };
    }
    assert_true(bd_curve_init(&a, slow, 4));
    assert_true(bd_curve_init(&b, steep, 4));
    /* Common is 1 to 3: the mean of q - 3 over it is -1. */
    assert_near(bd_rate_percent(&a, &b, &overlap), 100 * (exp(-1) - 1), 1e-12);
    assert_near(overlap, 2 / 3.0, 1e-12);
    bd_curve_deinit(&a);
    bd_curve_deinit(&b);
}

/* Between two points the curve stays between them, however sharp the bend. */
static void the_curve_turns_nowhere(void **state)
{
    struct bd_point bend[] = {
        { 100, 90 }, { 101, 99 }, { 5000, 99.1 }, { 9000, 99.11 }
    };
    struct bd_point below[] = { { 1, 80 }, { 2, 91 }, { 3, 95 }, { 100, 98.9 } };
    struct bd_curve a, b;
    double overlap, percent;

    (void)state;
    assert_true(bd_curve_init(&a, bend, 4));
    assert_true(bd_curve_init(&b, below, 4));
    percent = bd_rate_percent(&a, &b, &overlap);
    /* From 90 to 98.9 a needs 100 to 101, b more than 1 and up to 100. */
    assert_true(percent > 100 * (1 / 101.0 - 1) && percent < 0);
    for (size_t i = 0; i < 4; i++)
        assert_true(a.slope[i] >= 0 && b.slope[i] >= 0);
    bd_curve_deinit(&a);
    bd_curve_deinit(&b);
}

/* ---- what has no figure ------------------------------------------------------------------ */

static void curves_that_are_none_are_refused(void **state)
{
    struct bd_point few[] = { { 1, 1 }, { 2, 2 }, { 3, 3 } };
    struct bd_point falls[] = { { 1, 1 }, { 2, 2 }, { 3, 1.9 }, { 4, 4 } };
    struct bd_point flat[] = { { 1, 1 }, { 2, 2 }, { 3, 2 }, { 4, 4 } };
    struct bd_point twice[] = { { 1, 1 }, { 2, 2 }, { 2, 3 }, { 4, 4 } };
    struct bd_curve c;

    (void)state;
    assert_false(bd_curve_init(&c, few, 3));
    assert_false(bd_curve_init(&c, falls, 4));
    assert_false(bd_curve_init(&c, flat, 4));
    assert_false(bd_curve_init(&c, twice, 4));
    assert_false(bd_curve_init(&c, NULL, 0));
}

static void without_common_quality_there_is_no_figure(void **state)
{
    struct bd_curve a, b;
    double overlap;

    (void)state;
    make(&a, 1, 0);
    make(&b, 1, 50);
    assert_unknown(bd_rate_percent(&a, &b, &overlap));
    assert_near(overlap, 0, 0);
    bd_curve_deinit(&b);
    make(&b, 1, 99.3 - 57.9); /* one quality alone */
    assert_unknown(bd_rate_percent(&a, &b, &overlap));
    bd_curve_deinit(&b);
    bd_curve_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_figures_of_the_reference_are_met),
        cmocka_unit_test(rates_times_k_are_k_minus_one_in_percent),
        cmocka_unit_test(both_ways_cancel_out),
        cmocka_unit_test(exponential_rates_are_straight_lines),
        cmocka_unit_test(the_curve_turns_nowhere),
        cmocka_unit_test(curves_that_are_none_are_refused),
        cmocka_unit_test(without_common_quality_there_is_no_figure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
