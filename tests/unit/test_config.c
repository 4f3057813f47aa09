#include "tests/unit/test.h"

#include "core/buf.h"
#include "server/config.h"
#include "server/predict/prompt_config.h"

#include <errno.h>

/* The environment of a test: name, value, name, value …, NULL. */
static const char *get(void *ctx, const char *name)
{
    for (const char *const *v = ctx; v && *v; v += 2)
        if (strcmp(v[0], name) == 0)
            return v[1];
    return NULL;
}

enum { ARGS = 12 };

static int parse(struct config *c, const char *const args[], const char *const env[],
                 struct err *e)
{
    static char copies[ARGS][200];
    char *argv[ARGS + 1] = { NULL };
    int argc = 0;

    for (; args[argc]; argc++) {
        snprintf(copies[argc + 1], sizeof copies[0], "%s", args[argc]);
        argv[argc + 1] = copies[argc + 1];
    }
    argv[0] = copies[0];
    return config_parse(c, argc + 1, argv, get, (void *)(uintptr_t)env, e);
}

#define ARGUMENTS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NONE           ((const char *const[]){ NULL })

static void defaults_are_those_of_the_documentation(void **state)
{
    struct config c;

    (void)state;
    assert_int_equal(parse(&c, NONE, NULL, NULL), 0);
    assert_int_equal(c.action, CONFIG_SERVE);
    assert_string_equal(c.results_dir, "./test_results");
    assert_string_equal(c.listen[0], ":9502");
    assert_string_equal(c.listen[1], ":9503");
    assert_string_equal(c.listen[2], ":9504");
    assert_int_equal(c.rules.runs, 1);
    assert_int_equal(c.rules.max_scenarios, 20000);
    assert_false(c.with_run_id);
    assert_int_equal(c.poll_interval_ms, 2000);
    assert_int_equal(c.max_file_size, 64 * 1024 * 1024);
    assert_int_equal(c.max_connections, 1024);
    config_deinit(&c);
}

static void a_flag_wins_over_its_variable_and_that_over_the_default(void **state)
{
    const char *const env[] = { "RESULTS_DIR",
                                "/env",
                                "RESULTS_EXPORTER_PORT",
                                "19502",
                                "QOE_EXPORTER_PORT",
                                "",
                                NULL };
    struct config c;

    (void)state;
    assert_int_equal(parse(&c, NONE, env, NULL), 0);
    assert_string_equal(c.results_dir, "/env");
    assert_string_equal(c.listen[0], ":19502");
    assert_string_equal(c.listen[1], ":9503"); /* empty is not set */
    config_deinit(&c);
    assert_int_equal(parse(&c,
                           ARGUMENTS("--results-dir=/flag", "--results.listen-address",
                                     "127.0.0.1:0"),
                           env, NULL),
                     0);
    assert_string_equal(c.results_dir, "/flag");
    assert_string_equal(c.listen[0], "127.0.0.1:0");
    config_deinit(&c);
}

static void old_ways_to_name_one_port_work_with_only(void **state)
{
    struct config c;
    struct err e;

    (void)state;
    assert_int_equal(
        parse(&c, ARGUMENTS("--port", "9600", "--only", "qoe"), NULL, NULL), 0);
    assert_string_equal(c.listen[1], ":9600");
    assert_string_equal(c.listen[0], "");
    assert_true(c.on[1] && !c.on[0] && !c.on[2]);
    config_deinit(&c);
    assert_int_equal(parse(&c, ARGUMENTS("--port", "9600"), NULL, &e), -EINVAL);
    assert_non_null(strstr(e.text, "--only"));
    config_deinit(&c);
}

static void which_runs_are_served_is_one_word_or_a_number(void **state)
{
    struct config c;
    struct err e;

    (void)state;
    assert_int_equal(parse(&c, ARGUMENTS("--runs", "all"), NULL, NULL), 0);
    assert_int_equal(c.rules.runs, 0);
    assert_true(c.with_run_id);
    config_deinit(&c);
    assert_int_equal(parse(&c, ARGUMENTS("--runs", "3"), NULL, NULL), 0);
    assert_int_equal(c.rules.runs, 3);
    assert_true(c.with_run_id);
    config_deinit(&c);
    assert_int_equal(parse(&c, ARGUMENTS("--runs", "0"), NULL, &e), -EINVAL);
    assert_string_equal(e.text,
                        "--runs: \"0\" is neither latest, all, nor a number from 1");
    config_deinit(&c);
}

static void wrong_flags_are_named_with_what_is_allowed(void **state)
{
    const struct {
        const char *args[4], *says;
    } cases[] = {
        { { "--bogus", NULL }, "unknown flag --bogus" },
        { { "--prometheus-url", "db:9090", NULL }, "--prometheus-url: is neither" },
        { { "--upstream.preset", "none", NULL }, "rapl|kubernetes|kepler" },
        { { "--web.config.file", NULL }, "--web.config.file: a value is missing" },
        { { "results", NULL }, "\"results\" is no flag" },
        { { "--results-dir", NULL }, "--results-dir: a value is missing" },
        { { "--results-dir", "", NULL }, "--results-dir: is empty" },
        { { "--newest", "date", NULL }, "auto|name|mtime" },
        { { "--poll-interval", "2", NULL }, "duration like 500ms" },
        { { "--max-scenarios", "0", NULL }, "--max-scenarios: \"0\"" },
        { { "--only", "cots", NULL }, "results, qoe, cost" },
        { { "--port", "70000", "--only=qoe", NULL }, "0 to 65535" },
        { { "--energy-cost", "cheap", NULL }, "--energy-cost: \"cheap\"" },
        { { "--once", "everything", NULL }, "results, qoe, cost, all" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config c;
        struct err e = { 0 };

        assert_int_equal(parse(&c, cases[i].args, NULL, &e), -EINVAL);
        if (!strstr(e.text, cases[i].says))
            fail_msg("\"%s\" does not say \"%s\"", e.text, cases[i].says);
        assert_null(strchr(e.text, '\n'));
        config_deinit(&c);
    }
}

static void a_wrong_variable_is_named_too(void **state)
{
    const char *const env[] = { "COST_EXPORTER_PORT", "http", NULL };
    struct config c;
    struct err e;

    (void)state;
    assert_int_equal(parse(&c, NONE, env, &e), -EINVAL);
    assert_string_equal(e.text,
                        "environment variable COST_EXPORTER_PORT: \"http\" is not a "
                        "port from 0 to 65535");
    config_deinit(&c);
}

static void what_predecessors_had_is_accepted_with_a_notice(void **state)
{
    const char *const env[] = { "RESULTS_EXPORTER_CACHE_SECONDS", "60", "MODEL_PATH",
                                "/m", NULL };
    struct config c;

    (void)state;
    assert_int_equal(parse(&c, ARGUMENTS("--model-path", "/m"), env, NULL), 0);
    assert_int_equal(c.notice_count, 3);
    config_deinit(&c);
}

static void help_needs_nothing_else_to_be_right(void **state)
{
    const char *const env[] = { "COST_EXPORTER_PORT", "http", NULL };
    struct config c;
    struct buf b = { 0 };

    (void)state;
    assert_int_equal(parse(&c, ARGUMENTS("--bogus", "--help", "web"), env, NULL), 0);
    assert_int_equal(c.action, CONFIG_HELP);
    assert_string_equal(c.help_topic, "web");
    assert_true(config_help("web", &b));
    assert_false(config_help("nonsense", &b));
    buf_deinit(&b);
    config_deinit(&c);
}

static void every_topic_of_help_fits_a_screen_and_all_flags_have_one(void **state)
{
    static const char *const topics[] = { "inputs",  "web",      "prices", "process",
                                          "power",   "upstream", "push",   "predict",
                                          "quality", "live" };
    size_t flags = 0, listed = 0;
    struct buf b = { 0 };

    (void)state;
    for (int m = -1; m < (int)registry_count; m++)
        for (const struct option *o = m < 0 ? config_options() : registry[m]->options;
             o && o->name; o++)
            flags++;
    for (const struct option *o = prompt_options; o->name; o++)
        flags++;
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        size_t lines = 0;

        buf_release(&b);
        assert_true(config_help(topics[i], &b));
        buf_char(&b, '\0');
        for (const char *p = b.p; *p; p++)
            lines += *p == '\n';
        for (const char *p = b.p; (p = strstr(p, "\n  --")); p++)
            listed++;
        assert_true(lines <= 40);
    }
    assert_int_equal(listed, flags);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_documentation),
        cmocka_unit_test(a_flag_wins_over_its_variable_and_that_over_the_default),
        cmocka_unit_test(old_ways_to_name_one_port_work_with_only),
        cmocka_unit_test(which_runs_are_served_is_one_word_or_a_number),
        cmocka_unit_test(wrong_flags_are_named_with_what_is_allowed),
        cmocka_unit_test(a_wrong_variable_is_named_too),
        cmocka_unit_test(what_predecessors_had_is_accepted_with_a_notice),
        cmocka_unit_test(help_needs_nothing_else_to_be_right),
        cmocka_unit_test(every_topic_of_help_fits_a_screen_and_all_flags_have_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
