#include "server/upstream/answer.h"
#include "server/upstream/presets.h"
#include "server/upstream/template.h"

#include <string.h>
#include <time.h>

#include "test.h"

static struct answer_reader *reader;
static struct err why;

static int setup(void **state)
{
    (void)state;
    reader = answer_reader_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    answer_reader_free(reader);
    return 0;
}

#define MATRIX(series)                                                                 \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[" series  \
    "]}}"
#define VECTOR(series)                                                                 \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" series  \
    "]}}"

/* Cells 200 to 204, that is 1000 to 1020 s. */
static enum upstream_problem read_cells(const char *text, double values[5])
{
    const struct json_value *data;
    enum upstream_problem p = answer_read(reader, 200, view_of(text), &data, &why);

    if (!data)
        return p;
    return answer_cells(data, (struct range){ 200, 204 }, 5, values, &why);
}

static void values_come_to_their_cells(void **state)
{
    double v[5] = { 0 };

    (void)state;
    assert_int_equal(
        read_cells(MATRIX("{\"metric\":{},\"values\":[[1000,\"1.5\"],[1005.000,\"0\"],"
                          "[1020,\"1e2\"]]}"),
                   v),
        PROBLEM_NONE);
    assert_near(v[0], 1.5, 0);
    assert_near(v[1], 0, 0);
    assert_unknown(v[2]);
    assert_unknown(v[3]);
    assert_near(v[4], 100, 0);
    assert_int_equal(read_cells(MATRIX(""), v), PROBLEM_NONE);
    for (int i = 0; i < 5; i++)
        assert_unknown(v[i]);
}

static void what_is_no_number_is_a_hole(void **state)
{
    double v[5] = { 0 };

    (void)state;
    assert_int_equal(read_cells(MATRIX("{\"values\":[[1000,\"NaN\"],[1005,\"+Inf\"],"
                                       "[1010,\"-3\"],[1015,\"7\"]]}"),
                                v),
                     PROBLEM_VALUE);
    assert_unknown(v[0]);
    assert_unknown(v[1]);
    assert_unknown(v[2]);
    assert_near(v[3], 7, 0);
    assert_non_null(strstr(why.text, "1000.000"));
}

static void times_that_nobody_asked_for_are_passed_over(void **state)
{
    double v[5] = { 0 };

    (void)state;
    assert_int_equal(read_cells(MATRIX("{\"values\":[[995,\"1\"],[1002,\"2\"],"
                                       "[1e300,\"3\"],[1010,\"4\"],[1025,\"5\"]]}"),
                                v),
                     PROBLEM_TIME);
    for (int i = 0; i < 5; i++)
        assert_near(v[i], i == 2 ? 4 : NAN, 0);
}

static void several_series_give_nothing(void **state)
{
    double v[5] = { 0 };

    (void)state;
    assert_int_equal(read_cells(MATRIX("{\"values\":[[1000,\"1\"]]},"
                                       "{\"values\":[[1000,\"2\"]]}"),
                                v),
                     PROBLEM_SERIES);
    assert_non_null(strstr(why.text, "2 series"));
    for (int i = 0; i < 5; i++)
        assert_unknown(v[i]);
}

static void answers_that_are_none_are_told_apart(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum upstream_problem p;
        const char *text;
    } cases[] = {
        { 200, "<!doctype html><title>Sign in</title>", PROBLEM_HTML, "<!doctype" },
        { 200, "  <html>", PROBLEM_HTML, "<html>" },
        { 200, "{\"status\":\"success\",\"data\":{\"resultT", PROBLEM_JSON, "byte 36" },
        { 200, "", PROBLEM_JSON, "byte 0" },
        { 502, "<html>Bad Gateway</html>", PROBLEM_STATUS, "502" },
        { 403, "{\"status\":\"success\",\"data\":{}}", PROBLEM_STATUS, "403" },
        { 400, "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"no\"}",
          PROBLEM_REFUSED, "no (HTTP status 400)" },
        { 422, "{\"status\":\"error\",\"errorType\":\"422\",\"error\":\"too much\"}",
          PROBLEM_REFUSED, "too much" },
        { 503, "{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"slow\"}",
          PROBLEM_ERROR, "slow" },
        { 200, "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"no\"}",
          PROBLEM_REFUSED, "no" },
        { 200, "{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"slow\"}",
          PROBLEM_ERROR, "slow" },
        { 400, "plain words", PROBLEM_STATUS, "400" },
        { 200, "{\"ok\":true}", PROBLEM_SHAPE, "no answer" },
        { 200, "[]", PROBLEM_SHAPE, "no answer" },
        { 200, "{\"status\":\"success\",\"isPartial\":true,\"data\":{}}",
          PROBLEM_PARTIAL, "partial" },
        { 200, VECTOR("{\"value\":[1000,\"1\"]}"), PROBLEM_TYPE, "matrix" },
        { 200, MATRIX("{\"values\":[[1000,1]]}"), PROBLEM_SHAPE, "pair" },
        { 200, MATRIX("{\"values\":[1000]}"), PROBLEM_SHAPE, "pair" },
        { 200, MATRIX("{\"histograms\":[]}"), PROBLEM_SHAPE, "values" },
        { 200, MATRIX("17"), PROBLEM_SHAPE, "values" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct json_value *data;
        double v[5] = { 0 };
        enum upstream_problem p =
            answer_read(reader, cases[i].status, view_of(cases[i].body), &data, &why);

        if (data)
            p = answer_cells(data, (struct range){ 200, 204 }, 5, v, &why);
        if (p != cases[i].p || !strstr(why.text, cases[i].text))
            fail_msg("%d %s: %s, \"%s\"", cases[i].status, cases[i].body,
                     upstream_problem_name(p), why.text);
    }
}

static void a_warning_does_not_spoil_its_answer(void **state)
{
    const struct json_value *data;

    (void)state;
    assert_int_equal(answer_read(reader, 200,
                                 VIEW("{\"status\":\"success\",\"data\":{},"
                                      "\"warnings\":[\"a store is late\"]}"),
                                 &data, &why),
                     PROBLEM_WARNING);
    assert_non_null(data);
    assert_string_equal(why.text, "a store is late");
}

static void an_instant_gives_one_number(void **state)
{
    static const struct {
        const char *body;
        double value;
        enum upstream_problem p;
    } cases[] = {
        { VECTOR("{\"metric\":{},\"value\":[1.5,\"1800.25\"]}"), 1800.25,
          PROBLEM_NONE },
        { VECTOR(""), NAN, PROBLEM_NONE },
        { VECTOR("{\"value\":[1,\"1\"]},{\"value\":[1,\"2\"]}"), NAN, PROBLEM_SERIES },
        { VECTOR("{\"value\":[1,\"NaN\"]}"), NAN, PROBLEM_VALUE },
        { VECTOR("{\"value\":[1,\"-1\"]}"), NAN, PROBLEM_VALUE },
        { VECTOR("{\"value\":[1]}"), NAN, PROBLEM_SHAPE },
        { MATRIX(""), NAN, PROBLEM_TYPE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct json_value *data;
        double v;

        answer_read(reader, 200, view_of(cases[i].body), &data, &why);
        assert_non_null(data);
        assert_int_equal(answer_number(data, &v, &why), cases[i].p);
        assert_near(v, cases[i].value, 0);
    }
}

static void the_longest_answer_is_read_in_a_few_milliseconds(void **state)
{
    enum { POINTS = 11000 };
    static double values[POINTS];
    const struct json_value *data;
    struct timespec a, b;
    struct buf text = { 0 };
    double best_ms = INFINITY;

    (void)state;
    buf_str(&text, "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\","
                   "\"result\":[{\"metric\":{},\"values\":[");
    for (int i = 0; i < POINTS; i++)
        buf_fmt(&text, "%s[%d,\"%.14g\"]", i ? "," : "", 1700000000 + i * 5,
                100 + i / 7.0);
    buf_str(&text, "]}]}}");
    assert_true(text.n < ANSWER_BYTES_MAX);
    for (int k = 0; k < 20; k++) {
        const struct range cells = { 340000000, 340000000 + POINTS - 1 };

        clock_gettime(CLOCK_MONOTONIC, &a);
        assert_int_equal(answer_read(reader, 200, buf_as_view(&text), &data, &why),
                         PROBLEM_NONE);
        assert_int_equal(answer_cells(data, cells, 5, values, &why), PROBLEM_NONE);
        clock_gettime(CLOCK_MONOTONIC, &b);
        best_ms = fmin(best_ms, (double)(b.tv_sec - a.tv_sec) * 1e3 +
                                    (double)(b.tv_nsec - a.tv_nsec) / 1e6);
    }
    assert_near(values[7000], 1100, 1e-9);
    print_message("%zu bytes in %.2f ms\n", text.n, best_ms);
    assert_true(best_ms < 100); /* under sanitizers; 5 without */
    buf_deinit(&text);
}

/* ---- templates ---------------------------------------------------------------------- */

static void fills(const char *text, const char *want)
{
    const struct view values[TEMPLATE_ALL] = { VIEW("enc-1"), VIEW("a\"b'c`d\\e$f\n"),
                                               VIEW("ns"),    VIEW("\xc3\xa9"),
                                               VIEW("30s"),   VIEW("120s") };
    struct buf b = { 0 };

    template_fill(text, values, &b);
    assert_view(buf_as_view(&b), want);
    buf_deinit(&b);
}

static void names_are_filled_in_and_cannot_end_their_text(void **state)
{
    (void)state;
    fills("p{h=\"$host\"}[$window]", "p{h=\"enc-1\"}[30s]");
    fills("p{h=\"$pod\"}", "p{h=\"a\\x22b\\x27c\\x60d\\x5ce\\x24f\\x0a\"}");
    fills("p{h=\"$node$namespace-$host\"}[$range]", "p{h=\"\xc3\xa9ns-enc-1\"}[120s]");
    fills("p{h=~\"x$\",i=\"$hosts $ $host_\"}$", "p{h=~\"x$\",i=\"$hosts $ $host_\"}$");
    fills("", "");
    assert_int_equal(template_uses("a{b=\"$node\"}[$window] + \"$hos\""),
                     1U << TEMPLATE_NODE | 1U << TEMPLATE_WINDOW);
}

static void a_name_outside_of_quotes_is_a_mistake(void **state)
{
    (void)state;
    assert_int_equal(template_check("p{h=\"$host\"}[$window]", &why), 0);
    assert_int_equal(template_check("p{h='$host',i=`\\`} + $x", &why), 0);
    assert_true(template_check("p{h=$host}", &why) < 0);
    assert_string_equal(why.text, "$host stands outside of quotes");
    assert_true(template_check("p{h=\"a\\\"\"} + $pod", &why) < 0);
    assert_string_equal(why.text, "$pod stands outside of quotes");
    assert_true(template_check("p{h=\"a\\\"}", &why) < 0);
    assert_string_equal(why.text, "a text begins with \" and does not end");
}

static void every_preset_has_queries_that_can_be_asked(void **state)
{
    struct view rest = view_of(PRESET_NAMES), name;

    (void)state;
    while (view_split(&rest, '|', &name)) {
        struct upstream_config c = { 0 };
        char preset[32];

        snprintf(preset, sizeof preset, "%.*s", VIEW_ARG(name));
        c.preset = preset;
        if (upstream_config_complete(&c, &why) < 0)
            fail_msg("%s: %s", preset, why.text);
        assert_true(*c.queries[UPSTREAM_POWER] && *c.queries[UPSTREAM_CORES]);
    }
    fills(preset_query("rapl", UPSTREAM_POWER),
          "sum(rapl_power_watts{zone=~\"package[-_]?[0-9]+\"})");
    fills(preset_query("rapl", UPSTREAM_CORES),
          "sum(rate(container_cpu_usage_seconds_total{name!~\".*POD.*\",name!=\"\"}"
          "[30s]))");
    fills(preset_query("rapl", UPSTREAM_CONTAINERS),
          "docker_containers_total_cpu_percent");
    fills(
        preset_query("rapl", UPSTREAM_ENERGY),
        "sum(increase(rapl_energy_joules_total{zone=~\"package[-_]?[0-9]+\"}[120s]))");
}

static void wrong_settings_are_named(void **state)
{
    static const struct {
        struct upstream_config c;
        const char *text;
    } cases[] = {
        { { .url = "localhost:9090" },
          "--prometheus-url: is neither http://HOST… nor https://HOST…" },
        { { .url = "http://" },
          "--prometheus-url: is neither http://HOST… nor https://HOST…" },
        { { .username = "u" }, "--upstream.username: needs --upstream.password-file" },
        { { .password_file = "f" },
          "--upstream.password-file: needs --upstream.username" },
        { { .username = "u", .password_file = "f", .bearer_token_file = "t" },
          "--upstream.bearer-token-file: not together with --upstream.username" },
        { { .cert_file = "c" },
          "--upstream.cert-file and --upstream.key-file: one needs the other" },
        { { .queries = { "p{h=$host}" } },
          "--upstream.power-query: $host stands outside of quotes" },
        { { .queries = { NULL, "p[$range]" } },
          "--upstream.cpu-query: $range is known to the energy query alone" },
        { { .queries = { NULL, NULL, NULL, "p" } },
          "--upstream.energy-query: $range, the length of the interval, is not in it" },
        { { .queries = { NULL, NULL, NULL, "p[$range] - p[$window]" } },
          "--upstream.energy-query: $window means nothing here; the interval is "
          "$range" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct upstream_config c = cases[i].c;

        c.preset = "rapl";
        assert_true(upstream_config_complete(&c, &why) < 0);
        assert_string_equal(why.text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_to_their_cells),
        cmocka_unit_test(what_is_no_number_is_a_hole),
        cmocka_unit_test(times_that_nobody_asked_for_are_passed_over),
        cmocka_unit_test(several_series_give_nothing),
        cmocka_unit_test(answers_that_are_none_are_told_apart),
        cmocka_unit_test(a_warning_does_not_spoil_its_answer),
        cmocka_unit_test(an_instant_gives_one_number),
        cmocka_unit_test(the_longest_answer_is_read_in_a_few_milliseconds),
        cmocka_unit_test(names_are_filled_in_and_cannot_end_their_text),
        cmocka_unit_test(a_name_outside_of_quotes_is_a_mistake),
        cmocka_unit_test(every_preset_has_queries_that_can_be_asked),
        cmocka_unit_test(wrong_settings_are_named),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
