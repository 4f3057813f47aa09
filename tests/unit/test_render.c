#include "tests/unit/test.h"

#include <math.h>

#include "core/decimal.h"
#include "core/render.h"

static void head_is(enum family_type type, const char *name, const char *help,
                    const char *text, const char *openmetrics)
{
    const struct family f = { name, help, type };
    struct buf out = { 0 };

    render_head(&f, &out);
    assert_view(buf_as_view(&out), text);
    buf_release(&out);
    render_head_openmetrics(&f, &out);
    assert_view(buf_as_view(&out), openmetrics);
    buf_deinit(&out);
}

static void heads_tell_help_and_type(void **state)
{
    (void)state;
    head_is(GAUGE, "x_score", "Points", "# HELP x_score Points\n# TYPE x_score gauge\n",
            "# TYPE x_score gauge\n# HELP x_score Points\n");
    head_is(COUNTER, "x_events_total", "Events",
            "# HELP x_events_total Events\n# TYPE x_events_total counter\n",
            "# TYPE x_events counter\n# HELP x_events Events\n");
    head_is(HISTOGRAM, "x_size", "Sizes",
            "# HELP x_size Sizes\n# TYPE x_size histogram\n",
            "# TYPE x_size histogram\n# HELP x_size Sizes\n");
}

static void names_that_openmetrics_reads_otherwise_keep_their_samples(void **state)
{
    (void)state;
    /* a counter is only what ends in _total */
    head_is(COUNTER, "x_events", "Events",
            "# HELP x_events Events\n# TYPE x_events counter\n",
            "# TYPE x_events unknown\n# HELP x_events Events\n");
    head_is(COUNTER, "_total", "Odd", "# HELP _total Odd\n# TYPE _total counter\n",
            "# TYPE _total unknown\n# HELP _total Odd\n");
    /* a gauge may end in it */
    head_is(GAUGE, "x_scenarios_total", "Scenarios",
            "# HELP x_scenarios_total Scenarios\n# TYPE x_scenarios_total gauge\n",
            "# TYPE x_scenarios_total gauge\n# HELP x_scenarios_total Scenarios\n");
    head_is(GAUGE, "x_build_info", "Always 1",
            "# HELP x_build_info Always 1\n# TYPE x_build_info gauge\n",
            "# TYPE x_build info\n# HELP x_build Always 1\n");
    head_is(GAUGE, "x_seconds_info", "Always 1",
            "# HELP x_seconds_info Always 1\n# TYPE x_seconds_info gauge\n",
            "# TYPE x_seconds info\n# HELP x_seconds Always 1\n");
}

static void units_are_told_where_the_name_ends_in_one(void **state)
{
    (void)state;
    head_is(GAUGE, "x_power_watts", "P",
            "# HELP x_power_watts P\n# TYPE x_power_watts gauge\n",
            "# TYPE x_power_watts gauge\n# UNIT x_power_watts watts\n"
            "# HELP x_power_watts P\n");
    head_is(COUNTER, "x_cpu_seconds_total", "T",
            "# HELP x_cpu_seconds_total T\n# TYPE x_cpu_seconds_total counter\n",
            "# TYPE x_cpu_seconds counter\n# UNIT x_cpu_seconds seconds\n"
            "# HELP x_cpu_seconds T\n");
    head_is(HISTOGRAM, "x_bytes", "B", "# HELP x_bytes B\n# TYPE x_bytes histogram\n",
            "# TYPE x_bytes histogram\n# UNIT x_bytes bytes\n# HELP x_bytes B\n");
    /* an end that is no word, a unit in the middle, a name that is nothing else */
    head_is(GAUGE, "x_pkg", "N", "# HELP x_pkg N\n# TYPE x_pkg gauge\n",
            "# TYPE x_pkg gauge\n# HELP x_pkg N\n");
    head_is(GAUGE, "x_kg_per_hour", "N",
            "# HELP x_kg_per_hour N\n# TYPE x_kg_per_hour gauge\n",
            "# TYPE x_kg_per_hour gauge\n# HELP x_kg_per_hour N\n");
    head_is(GAUGE, "_kg", "N", "# HELP _kg N\n# TYPE _kg gauge\n",
            "# TYPE _kg gauge\n# HELP _kg N\n");
}

static void help_is_escaped_as_each_format_asks(void **state)
{
    (void)state;
    head_is(GAUGE, "x", "a\\b\nc \"d\"", "# HELP x a\\\\b\\nc \"d\"\n# TYPE x gauge\n",
            "# TYPE x gauge\n# HELP x a\\\\b\\nc \\\"d\\\"\n");
}

enum { POINTS, EVENTS, SIZES, ODD, FAMILIES };

static const struct family families[FAMILIES] = {
    [POINTS] = { "x_points", "Points", GAUGE },
    [EVENTS] = { "x_events_total", "Events", COUNTER },
    [SIZES] = { "x_sizes", "Sizes", HISTOGRAM },
    [ODD] = { "x_odd", "A counter by another name", COUNTER },
};

typedef void render_fn(const struct series *s, const struct series_order *order,
                       const struct family *f, size_t family, struct buf *out);

static void samples_are(render_fn *render, const struct series *s, size_t family,
                        const char *want)
{
    struct series_order order = { 0 };
    struct buf out = { 0 };

    series_order(s, FAMILIES, &order);
    render(s, &order, families, family, &out);
    assert_view(buf_as_view(&out), want);
    buf_deinit(&out);
    series_order_deinit(&order);
}

static struct labels labelled(struct series *s, const char *name, const char *value)
{
    struct labels l = labels_open(s);

    labels_add(s, &l, name, view_of(value));
    return l;
}

static void sample_lines_are_the_same_in_both_formats(void **state)
{
    static const char points[] = "x_points{a=\"1 \\\"2\\\"\\n\"} 0.5\n"
                                 "x_points -1\nx_points{a=\"2\"} +Inf\n";
    static const char sizes[] = "x_sizes_bucket{le=\"1.0\"} 2\n"
                                "x_sizes_bucket{le=\"+Inf\"} 3\n"
                                "x_sizes_sum 4.5\nx_sizes_count 3\n";
    struct series s = { 0 };
    const struct labels none = { 0 };

    (void)state;
    series_add(&s, POINTS, labelled(&s, "a", "1 \"2\"\n"), 0.5);
    series_add_suffix(&s, SIZES, SUFFIX_BUCKET, labelled(&s, "le", "1.0"), 2);
    series_add(&s, EVENTS, none, 7);
    series_add_suffix(&s, SIZES, SUFFIX_BUCKET, labelled(&s, "le", "+Inf"), 3);
    series_add(&s, POINTS, none, -1);
    series_add(&s, POINTS, none, NAN); /* unknown: no line */
    series_add_suffix(&s, SIZES, SUFFIX_SUM, none, 4.5);
    series_add_suffix(&s, SIZES, SUFFIX_COUNT, none, 3);
    series_add(&s, POINTS, labelled(&s, "a", "2"), INFINITY);
    samples_are(render_samples, &s, POINTS, points);
    samples_are(render_samples_openmetrics, &s, POINTS, points);
    samples_are(render_samples, &s, SIZES, sizes);
    samples_are(render_samples_openmetrics, &s, SIZES, sizes);
    samples_are(render_samples, &s, EVENTS, "x_events_total 7\n");
    samples_are(render_samples_openmetrics, &s, EVENTS, "x_events_total 7\n");
    samples_are(render_samples, &s, ODD, "");
    series_deinit(&s);
}

static void created_is_told_in_openmetrics_only(void **state)
{
    struct series s = { 0 };
    const struct labels none = { 0 };
    struct labels a;

    (void)state;
    a = labelled(&s, "a", "1");
    series_add(&s, EVENTS, a, 7);
    series_add_suffix(&s, EVENTS, SUFFIX_CREATED, a, 1700000000.5);
    series_add(&s, EVENTS, none, 8);
    series_add_suffix(&s, EVENTS, SUFFIX_CREATED, none, NAN);
    samples_are(render_samples, &s, EVENTS,
                "x_events_total{a=\"1\"} 7\nx_events_total 8\n");
    samples_are(render_samples_openmetrics, &s, EVENTS,
                "x_events_total{a=\"1\"} 7\nx_events_created{a=\"1\"} 1700000000.5\n"
                "x_events_total 8\n");
    series_add_suffix(&s, SIZES, SUFFIX_COUNT, none, 3);
    series_add_suffix(&s, SIZES, SUFFIX_CREATED, none, 1700000000.5);
    samples_are(render_samples, &s, SIZES, "x_sizes_count 3\n");
    samples_are(render_samples_openmetrics, &s, SIZES,
                "x_sizes_count 3\nx_sizes_created 1700000000.5\n");
    /* what is `unknown` or a gauge there has no such sample */
    series_add(&s, ODD, none, 1);
    series_add_suffix(&s, ODD, SUFFIX_CREATED, none, 1700000000.5);
    series_add(&s, POINTS, none, 2);
    series_add_suffix(&s, POINTS, SUFFIX_CREATED, none, 1700000000.5);
    samples_are(render_samples_openmetrics, &s, ODD, "x_odd 1\n");
    samples_are(render_samples, &s, ODD, "x_odd 1\n");
    samples_are(render_samples_openmetrics, &s, POINTS, "x_points 2\n");
    series_deinit(&s);
}

static void only_counters_and_histograms_can_differ(void **state)
{
    (void)state;
    assert_false(render_samples_differ(&families[POINTS]));
    assert_true(render_samples_differ(&families[EVENTS]));
    assert_true(render_samples_differ(&families[SIZES]));
    assert_false(render_samples_differ(&families[ODD]));
}

static void canonical(double v, const char *want)
{
    char text[DECIMAL_MAX];

    assert_view(((struct view){ text, decimal_canonical(text, v) }), want);
}

static void bounds_have_their_canonical_text(void **state)
{
    (void)state;
    canonical(1, "1.0");
    canonical(10, "10.0");
    canonical(2.5, "2.5");
    canonical(0, "0.0");
    canonical(0.25, "0.25");
    canonical(0.00025, "0.00025");
    canonical(0.0001, "0.0001");
    canonical(0.00005, "5e-05");
    canonical(0.00001, "1e-05");
    canonical(1e-10, "1e-10");
    canonical(100000, "100000.0");
    canonical(123456.5, "123456.5");
    canonical(1e6, "1e+06");
    canonical(1.5e6, "1.5e+06");
    canonical(-10, "-10.0");
    canonical(INFINITY, "+Inf");
    canonical(-INFINITY, "-Inf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_tell_help_and_type),
        cmocka_unit_test(names_that_openmetrics_reads_otherwise_keep_their_samples),
        cmocka_unit_test(units_are_told_where_the_name_ends_in_one),
        cmocka_unit_test(help_is_escaped_as_each_format_asks),
        cmocka_unit_test(sample_lines_are_the_same_in_both_formats),
        cmocka_unit_test(created_is_told_in_openmetrics_only),
        cmocka_unit_test(only_counters_and_histograms_can_differ),
        cmocka_unit_test(bounds_have_their_canonical_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
