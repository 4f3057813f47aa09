#include "tests/unit/test.h"

#include "core/render.h"

static const struct family families[] = {
    { "a_total", "Help with \\ and\nnewline", COUNTER },
    { "b", "Plain", GAUGE },
    { "c_seconds", "Spread", HISTOGRAM },
};

static void rendered(const struct series *s, size_t family, const char *want)
{
    struct series_order o = { 0 };
    struct buf b = { 0 };

    series_order(s, 3, &o);
    render_samples(s, &o, families, family, &b);
    assert_view(buf_as_view(&b), want);
    series_order_deinit(&o);
    buf_deinit(&b);
}

static void label_values_are_escaped_and_repaired(void **state)
{
    struct series s = { 0 };
    struct labels l = labels_open(&s);

    (void)state;
    labels_add(&s, &l, "x", VIEW("a\"b\\c\nd\te"));
    labels_add(&s, &l, "unknown", VIEW(""));
    labels_add(&s, &l, "y", VIEW("\xff!")); /* no UTF-8: one U+FFFD (EF BF BD) */
    labels_add_u64(&s, &l, "n", 12);
    series_add(&s, 1, l, 1);
    rendered(&s, 1, "b{x=\"a\\\"b\\\\c\\nd\te\",y=\"\xef\xbf\xbd!\",n=\"12\"} 1\n");
    series_deinit(&s);
}

static void samples_come_grouped_by_family_in_the_order_they_were_added(void **state)
{
    struct series s = { 0 };

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct labels l = labels_open(&s);

        labels_add_u64(&s, &l, "i", (uint64_t)i);
        series_add(&s, 1, l, i);
        series_add(&s, 0, l, 10 + i);
    }
    rendered(&s, 0, "a_total{i=\"0\"} 10\na_total{i=\"1\"} 11\na_total{i=\"2\"} 12\n");
    rendered(&s, 1, "b{i=\"0\"} 0\nb{i=\"1\"} 1\nb{i=\"2\"} 2\n");
    rendered(&s, 2, "");
    series_release(&s);
    rendered(&s, 1, "");
    series_deinit(&s);
}

static void unknown_adds_nothing_and_zero_is_a_value(void **state)
{
    struct series s = { 0 };
    struct labels l = labels_open(&s);

    (void)state;
    series_add(&s, 1, l, NAN);
    series_add(&s, 1, l, 0);
    series_add(&s, 1, l, INFINITY);
    rendered(&s, 1, "b 0\nb +Inf\n");
    series_deinit(&s);
}

static void free_text_becomes_a_label_name(void **state)
{
    struct series s = { 0 };
    struct labels l = labels_open(&s);

    (void)state;
    labels_add_named(&s, &l, VIEW("pix-fmt"), VIEW("v"));
    labels_add_named(&s, &l, VIEW("2pass"), VIEW("v"));
    series_add(&s, 1, l, 1);
    rendered(&s, 1, "b{pix_fmt=\"v\",_2pass=\"v\"} 1\n");
    series_deinit(&s);
}

static void suffixes_and_heads_are_those_of_the_format(void **state)
{
    struct series s = { 0 };
    struct labels l = labels_open(&s);
    struct buf b = { 0 };

    (void)state;
    series_add_suffix(&s, 2, SUFFIX_SUM, l, 0.5);
    series_add_suffix(&s, 2, SUFFIX_COUNT, l, 3);
    labels_add(&s, &l, "le", VIEW("+Inf"));
    series_add_suffix(&s, 2, SUFFIX_BUCKET, l, 3);
    rendered(&s, 2,
             "c_seconds_sum 0.5\nc_seconds_count 3\nc_seconds_bucket{le=\"+Inf\"} 3\n");
    render_head(&families[0], &b);
    assert_view(buf_as_view(&b), "# HELP a_total Help with \\\\ and\\nnewline\n"
                                 "# TYPE a_total counter\n");
    buf_deinit(&b);
    series_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(label_values_are_escaped_and_repaired),
        cmocka_unit_test(samples_come_grouped_by_family_in_the_order_they_were_added),
        cmocka_unit_test(unknown_adds_nothing_and_zero_is_a_value),
        cmocka_unit_test(free_text_becomes_a_label_name),
        cmocka_unit_test(suffixes_and_heads_are_those_of_the_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
