#include "core/results.h"
#include "core/json.h"
#include "core/measured.h"
#include "core/mem.h"

#include "tests/unit/test.h"

#include <dirent.h>
#include <stdlib.h>

struct fixture {
    struct results_parser *p;
    struct results_notes notes;
    struct err e;
    const struct run *run; /* of the last parse; freed at the end */
};

static int set_up(void **state)
{
    struct fixture *f = mem_zalloc(sizeof *f);

    f->p = results_parser_new();
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    run_unref(f->run);
    results_parser_free(f->p);
    free(f);
    return 0;
}

/* The text is freed before anybody looks at the run: nothing may point into it. */
static enum results_verdict parse_after(struct fixture *f, struct view text,
                                        const struct run *before, uint64_t max,
                                        const struct run **out)
{
    char *padded = mem_alloc(text.n + RESULTS_PADDING);
    enum results_verdict v;

    if (text.n)
        memcpy(padded, text.p, text.n);
    memset(padded + text.n, '}', RESULTS_PADDING); /* of no consequence */
    f->e = (struct err){ 0 };
    v = results_parse(f->p, (struct view){ padded, text.n }, VIEW("run-id"), before,
                      max, out, &f->notes, &f->e);
    memset(padded, '#', text.n);
    free(padded);
    return v;
}

static const struct run *parsed(struct fixture *f, struct view text)
{
    const struct run *run = NULL;

    if (parse_after(f, text, NULL, 0, &run) != RESULTS_OK)
        fail_msg("refused: %s", f->e.text);
    run_unref(f->run);
    f->run = run;
    return run;
}

static void assert_refused(struct fixture *f, struct view text,
                           enum results_verdict want, const char *reason)
{
    const struct run *run = NULL;

    assert_int_equal(parse_after(f, text, NULL, 0, &run), want);
    assert_null(run);
    assert_true(f->e.code < 0);
    assert_string_equal(f->e.text, reason);
}

static void an_object_holds_scenarios(void **state)
{
    struct fixture *f = *state;
    const struct run *run = parsed(
        f,
        VIEW("{\"test_date\":\"2026-11-20\",\"test_metadata\":{\"x\":[1]},"
             "\"scenarios\":[{\"name\":\"Idle\"},{\"name\":\"b\"},{\"name\":\"b\"}]}"));

    assert_view(run->id, "run-id");
    assert_int_equal(run->count, 3);
    assert_view(run->scenarios[1]->name, "b");
    assert_int_equal(run->ordinals[2], 2);
    assert_int_equal(run->baseline, 0);
    assert_int_equal(run->schema_version, 1);
    assert_string_equal(f->notes.warning, "");
}

static void a_bare_array_is_accepted(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(parsed(f, VIEW(" [{\"name\":\"a\"}]\n"))->count, 1);
    assert_int_equal(parsed(f, VIEW("[]"))->count, 0);
    assert_int_equal(parsed(f, VIEW("{\"scenarios\":[]}"))->count, 0);
}

static void other_shapes_are_refused(void **state)
{
    struct fixture *f = *state;

    assert_refused(f, VIEW("{}"), RESULTS_WRONG_SHAPE, "no member \"scenarios\"");
    assert_refused(f, VIEW("{\"scenarios\":{}}"), RESULTS_WRONG_SHAPE,
                   "\"scenarios\" is not an array");
    assert_refused(f, VIEW("{\"scenarios\":null}"), RESULTS_WRONG_SHAPE,
                   "\"scenarios\" is not an array");
    assert_refused(f, VIEW("12"), RESULTS_WRONG_SHAPE,
                   "a number where an object with scenarios is due");
    assert_refused(f, VIEW("null"), RESULTS_WRONG_SHAPE,
                   "null where an object with scenarios is due");
}

static void what_is_no_json_is_refused_with_its_byte(void **state)
{
    struct fixture *f = *state;
    const struct {
        struct view text;
        const char *reason;
    } all[] = {
        { VIEW(""), "byte 0: empty" },
        { VIEW(" \n\n"), "byte 3: empty" },
        { VIEW("not JSON"), "byte 0: a value is expected" },
        { VIEW("{\"scenarios\":[{\"name\":\"x\"}]} x"),
          "byte 29: something follows the end of the document" },
        { VIEW("{\"scenarios\":[{\"name\":\"x\" \"fps\":1}]}"),
          "byte 26: ',' or '}' is expected" },
        { VIEW("{\"scenarios\":[{\"name\":tru}]}"), "byte 22: a value is expected" },
        { VIEW("{\"scenarios\":[{\"name\":\"x\"]}"),
          "byte 25: ',' or '}' is expected" },
        { VIEW("{\"a\":[1,{]},\"scenarios\":[]}"),
          "byte 9: a key in quotes is expected" },
        { VIEW("{\"region\":tru,\"scenarios\":[]}"), "byte 10: a value is expected" },
        { VIEW("{\"scenarios\":[{\"name\":\"x\",\"unread\":[1,,2]}]}"),
          "byte 38: a value is expected" },
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_refused(f, all[i].text, RESULTS_INVALID_JSON, all[i].reason);
}

static void every_beginning_of_a_file_is_refused(void **state)
{
    struct fixture *f = *state;
    struct view whole = VIEW(
        "\xEF\xBB\xBF{\"region\": \"eu\", \"scenarios\": [{\"name\": \"a\\n\\u00fc\", "
        "\"fps\": 29.97, \"power_watts\": [1, 2.5e1, null]}, {\"name\": \"b\", "
        "\"outputs\": [{}, []]}], \"test_metadata\": {\"x\": true}}\n");
    const struct run *complete = parsed(f, whole);

    for (size_t n = 0; n < whole.n - 1; n++) {
        const struct run *run = NULL;

        /* Also when all of its scenarios are known from before. */
        assert_int_equal(parse_after(f, (struct view){ whole.p, n }, NULL, 0, &run),
                         RESULTS_INVALID_JSON);
        assert_int_equal(parse_after(f, (struct view){ whole.p, n }, complete, 0, &run),
                         RESULTS_INVALID_JSON);
        assert_non_null(strstr(f->e.text, "byte "));
        assert_null(run);
    }
}

static void depth_ends_at_64(void **state)
{
    struct fixture *f = *state;
    struct buf b = { 0 };

    for (int depth = 61; depth <= 62; depth++) {
        b.n = 0;
        /* three levels around it: the file, the list, the scenario */
        buf_str(&b, "{\"scenarios\":[{\"name\":\"[[\",\"x\":");
        for (int i = 0; i < depth; i++)
            buf_char(&b, '[');
        for (int i = 0; i < depth; i++)
            buf_char(&b, ']');
        buf_str(&b, "}]}");
        if (depth == 61)
            assert_int_equal(parsed(f, buf_as_view(&b))->count, 1);
        else
            assert_refused(f, buf_as_view(&b), RESULTS_INVALID_JSON,
                           "byte 92: nested too deeply");
    }
    b.n = 0;
    buf_str(&b, "{\"scenarios\":[],\"x\":");
    for (int i = 0; i < 64; i++)
        buf_char(&b, '[');
    for (int i = 0; i < 64; i++)
        buf_char(&b, ']');
    buf_str(&b, "}");
    assert_refused(f, buf_as_view(&b), RESULTS_INVALID_JSON,
                   "byte 83: nested too deeply");
    buf_deinit(&b);
}

static void what_is_no_scenario_is_left_out_and_noted(void **state)
{
    struct fixture *f = *state;
    const struct run *run = parsed(
        f,
        VIEW("[{\"name\":\"a\"}, 5, {\"name\":\"\"}, {\"name\":3}, {\"name\":\"b\"}]"));

    assert_int_equal(run->count, 2);
    assert_view(run->scenarios[1]->name, "b");
    assert_int_equal(f->notes.wrong_shapes, 3);
    assert_int_equal(f->notes.invalid_values, 0);
    assert_string_equal(f->notes.first, "scenarios[1] at byte 15: not an object");
}

static void texts_that_are_no_utf8_are_repaired(void **state)
{
    struct fixture *f = *state;
    const struct run *run = parsed(
        f, VIEW("{\"scenarios\":[{\"name\":\"a\xFF\",\"source\":\"\xE2\x82\"}]}"));

    assert_view(run->scenarios[0]->name, "a\xEF\xBF\xBD");
    assert_view(run->scenarios[0]->source, "\xEF\xBF\xBD");
    run = parsed(
        f, VIEW("{\"\\ud800\":1,\"scenarios\":[{\"name\":\"\\udc00b\\ud83d\"}]}"));
    assert_view(run->scenarios[0]->name, "\xEF\xBF\xBD"
                                         "b\xEF\xBF\xBD");
    assert_int_equal(f->notes.invalid_values, 2); /* the key, and the scenario */
    assert_string_equal(f->notes.first, "byte 2: half of a surrogate pair; repaired");
    parsed(f, VIEW("{\"x\":[\"\\ud800\"],\"scenarios\":[{\"name\":\"\\ud83d\\ude00\"},"
                   "{\"name\":\"b\",\"y\":\"\\udc00\"}]}"));
    assert_int_equal(f->notes.invalid_values, 2); /* a pair is none of them */
    assert_string_equal(f->notes.first, "byte 7: half of a surrogate pair; repaired");
    /* Faults are still told by their byte in the file. */
    assert_refused(f, VIEW("[{\"name\":\"\xFF\"} 5]"), RESULTS_INVALID_JSON,
                   "byte 14: ',' or ']' is expected");
}

static void values_that_are_no_numbers_spoil_their_field_alone(void **state)
{
    struct fixture *f = *state;
    const struct run *run =
        parsed(f, VIEW("[{\"name\":\"a\",\"duration\":NaN,\"fps\":30,\"x\":Infinity},"
                       "{\"name\":\"b\",\"duration\":1e999}]"));

    assert_int_equal(run->count, 2);
    assert_unknown(run->scenarios[0]->facts.duration_s);
    assert_near(run->scenarios[0]->facts.fps, 30, 0);
    assert_int_equal(f->notes.invalid_values, 2);
    assert_string_equal(f->notes.first,
                        "scenario \"a\": duration: not a finite number (\"NaN\")");
}

static void the_region_of_the_file_applies_wherever_it_stands(void **state)
{
    struct fixture *f = *state;
    const struct run *run = parsed(
        f, VIEW("{\"scenarios\":[{\"name\":\"a\"},{\"name\":\"b\",\"region\":\"own\"}],"
                "\"region\":\"eu\"}"));

    assert_view(run->scenarios[0]->region, "eu");
    assert_view(run->scenarios[1]->region, "own");
    assert_int_equal(run->region_count, 2);
    assert_view(parsed(f, VIEW("{\"scenarios\":[{\"name\":\"a\"}],\"region\":5}"))
                    ->scenarios[0]
                    ->region,
                "");
    assert_int_equal(f->notes.invalid_values, 1);
    assert_string_equal(f->notes.first, "region: a number where text is due");
}

static void newer_schemas_are_read_with_a_warning(void **state)
{
    struct fixture *f = *state;
    const struct run *run =
        parsed(f, VIEW("{\"schema_version\":3,\"scenarios\":[{\"name\":\"a\"}]}"));

    assert_int_equal(run->schema_version, 3);
    assert_int_equal(run->count, 1);
    assert_non_null(strstr(f->notes.warning, "schema_version 3 is above 1"));
    assert_int_equal(f->notes.invalid_values, 0);
    run = parsed(f, VIEW("{\"schema_version\":1e17,\"scenarios\":[]}"));
    assert_int_equal(run->schema_version, INT32_MAX);
}

static void too_many_scenarios_are_refused(void **state)
{
    struct fixture *f = *state;
    const struct run *run = NULL;
    struct view three = VIEW("[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]");

    assert_int_equal(parse_after(f, three, NULL, 2, &run), RESULTS_TOO_LARGE);
    assert_string_equal(f->e.text, "more than 2 scenarios in one run");
    assert_int_equal(parse_after(f, three, NULL, 3, &run), RESULTS_OK);
    run_unref(run);
}

static void unchanged_scenarios_are_taken_over(void **state)
{
    struct fixture *f = *state;
    const struct run *one =
        parsed(f, VIEW("{\"scenarios\":[{\"name\":\"a\",\"fps\":-1},{\"name\":\"b\"},"
                       "{\"name\":\"c\"}]}"));
    const struct run *two = NULL;

    assert_int_equal(f->notes.invalid_values, 1);
    /* blanks around them, another order, one changed, one new */
    assert_int_equal(parse_after(f,
                                 VIEW("{\"scenarios\": [\n {\"name\":\"c\"}, "
                                      "{\"name\":\"b\",\"fps\":5} ,{\"name\":\"new\"}, "
                                      "{\"name\":\"a\",\"fps\":-1}\n]}"),
                                 one, 0, &two),
                     RESULTS_OK);
    assert_int_equal(two->count, 4);
    assert_ptr_equal(two->scenarios[0], one->scenarios[2]);
    assert_ptr_not_equal(two->scenarios[1], one->scenarios[1]);
    assert_near(two->scenarios[1]->facts.fps, 5, 0);
    assert_ptr_equal(two->scenarios[3], one->scenarios[0]);
    assert_int_equal(f->notes.invalid_values, 0); /* noted when it was new */
    run_unref(two);
}

static const struct run *with_energy(const struct run *run, uint32_t at,
                                     double energy_j)
{
    struct measured m = measured_nothing();
    const struct scenario *s;

    m.energy_j = energy_j;
    m.energy_span_s = 10;
    m.energy_basis = ENERGY_UPSTREAM;
    s = scenario_measured(run->scenarios[at], &m);
    return run_with(run, &at, &s, 1);
}

static void what_was_measured_of_a_scenario_stays_while_its_bytes_do(void **state)
{
    struct fixture *f = *state;
    const struct run *told = parsed(
        f, VIEW("{\"region\":\"eu\",\"scenarios\":[{\"name\":\"a\",\"start_time\":"
                "1700000000,"
                "\"end_time\":1700000010},{\"name\":\"b\",\"start_time\":1700000010,"
                "\"end_time\":1700000020}]}"));
    const struct run *one = with_energy(told, 0, 500), *both = with_energy(one, 1, 700);
    const struct run *two = NULL;

    assert_int_equal(parse_after(f,
                                 VIEW("{\"scenarios\":[{\"name\":\"new\"},"
                                      "{\"name\":\"b\",\"start_time\":1700000010,"
                                      "\"end_time\":1700000021},"
                                      "{\"name\":\"a\",\"start_time\":1700000000,"
                                      "\"end_time\":1700000010}],\"region\":\"eu\"}"),
                                 both, 0, &two),
                     RESULTS_OK);
    run_unref(one);
    assert_ptr_equal(two->scenarios[2], both->scenarios[0]);
    assert_near(two->scenarios[2]->facts.energy_j, 500, 0);
    assert_unknown(two->scenarios[1]->facts.energy_j); /* its end is another one */
    assert_null(two->scenarios[1]->as_told);
    assert_int_equal(two->lacking, 2);
    assert_near(two->end_s, 1700000021, 0);
    run_unref(both);
    assert_ptr_equal(two->scenarios[2]->as_told, told->scenarios[0]);
    run_unref(two);
}

static void an_insertion_leaves_what_follows_taken_over(void **state)
{
    struct fixture *f = *state;
    const struct run *one =
        parsed(f, VIEW("[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]"));
    const struct run *two = NULL;

    assert_int_equal(parse_after(f,
                                 VIEW("[{\"name\":\"x\"},{\"name\":\"a\"},{\"name\":"
                                      "\"b\"},{\"name\":\"c\"}]"),
                                 one, 0, &two),
                     RESULTS_OK);
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(two->scenarios[i + 1], one->scenarios[i]);
    run_unref(two);
}

static void another_region_of_the_file_takes_nothing_over(void **state)
{
    struct fixture *f = *state;
    const struct run *one =
        parsed(f, VIEW("{\"scenarios\":[{\"name\":\"a\"}],\"region\":\"eu\"}"));
    const struct run *two = NULL;

    assert_int_equal(
        parse_after(f, VIEW("{\"scenarios\":[{\"name\":\"a\"}],\"region\":\"us\"}"),
                    one, 0, &two),
        RESULTS_OK);
    assert_ptr_not_equal(two->scenarios[0], one->scenarios[0]);
    assert_view(two->scenarios[0]->region, "us");
    run_unref(two);
}

static void a_failed_parse_leaves_the_run_before_alone(void **state)
{
    struct fixture *f = *state;
    const struct run *one = parsed(f, VIEW("[{\"name\":\"a\"},{\"name\":\"b\"}]"));
    const struct run *two = NULL;

    assert_int_equal(parse_after(f, VIEW("[{\"name\":\"a\"},{\"name\":\"b\"},{\"x\"}]"),
                                 one, 0, &two),
                     RESULTS_INVALID_JSON);
    assert_null(two);
    assert_view(one->scenarios[0]->name, "a"); /* not freed too early … */
} /* … nor leaked */

/* ---- real files ----------------------------------------------------------------- */

static struct view read_whole(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct buf b = { 0 };
    char part[4096];
    size_t got;

    if (!file)
        fail_msg("%s cannot be read", path);
    while ((got = fread(part, 1, sizeof part, file)) > 0)
        buf_add(&b, part, got);
    fclose(file);
    return buf_as_view(&b);
}

static const struct run *parsed_file(struct fixture *f, const char *name)
{
    char path[512];
    struct view text;
    const struct run *run;

    snprintf(path, sizeof path, "%s/%s", TEST_DATA, name);
    text = read_whole(path);
    run = parsed(f, text);
    free((void *)(uintptr_t)text.p);
    return run;
}

static void real_files_are_read_without_a_note(void **state)
{
    struct fixture *f = *state;
    const char *dirs[] = { "python-era", "go-era", "encodes" };
    int files = 0;

    for (int i = 0; i < 3; i++) {
        char path[512];
        DIR *dir;

        snprintf(path, sizeof path, "%s/%s", TEST_DATA, dirs[i]);
        dir = opendir(path);
        assert_non_null(dir);
        for (struct dirent *e; (e = readdir(dir));) {
            if (!view_ends(view_of(e->d_name), VIEW(".json")))
                continue;
            snprintf(path, sizeof path, "%s/%s", dirs[i], e->d_name);
            assert_true(parsed_file(f, path)->count > 0);
            assert_string_equal(f->notes.first, "");
            assert_int_equal(f->notes.invalid_values + f->notes.wrong_shapes, 0);
            files++;
        }
        closedir(dir);
    }
    assert_true(files >= 12);
}

static void the_go_era_file_repeats_its_names(void **state)
{
    struct fixture *f = *state;
    const struct run *run = parsed_file(f, "go-era/test_results_20240115_103000.json");
    uint32_t most = 0;

    assert_int_equal(run->count, 240);
    for (uint32_t i = 0; i < run->count; i++)
        if (run->ordinals[i] > most)
            most = run->ordinals[i];
    assert_int_equal(most, 23);
    /* Its first scenario is the check value, but for a series that covers 45 s of 120.5 */
    assert_near(run->scenarios[0]->facts.energy_j, 2077.5, 1e-12);
    assert_int_equal(run->scenarios[0]->facts.energy_basis, ENERGY_SAMPLES_PARTIAL);
    assert_near(run->scenarios[0]->facts.streams, 2, 0);
}

static void python_era_files_have_durations_and_pixels_and_no_energy(void **state)
{
    struct fixture *f = *state;
    const struct run *run =
        parsed_file(f, "python-era/test_results_20251228_203216.json");
    const struct scenario *s = run->scenarios[1];

    assert_int_equal(run->count, 15);
    assert_int_equal(run->baseline, 0);
    assert_view(s->name, "1 Streams @ 1000k");
    assert_near(s->facts.duration_s, 120, 0);
    assert_near(s->facts.pixels, 1280. * 720 * 30 * 120, 0);
    assert_unknown(s->facts.energy_j);
    assert_int_equal(s->facts.compute_basis, COMPUTE_WALL_CLOCK);
}

static double number(const struct json_value *object, struct view key)
{
    const struct json_value *v = json_member(object, key);

    return v && v->type == JSON_NUMBER ? v->number : NAN;
}

/* The entries of the reference; *mem holds them. */
static const struct json_value *reference(struct json_parser *p, struct arena *mem)
{
    struct view text = read_whole(TEST_DATA "/reference/scenario_stats.json");
    const struct json_value *root;

    assert_int_equal(json_parse(p, text, mem, &root, NULL), 0);
    free((void *)(uintptr_t)text.p);
    return json_member(root, VIEW("entries"));
}

static const struct scenario *named(const struct run *run, struct view name)
{
    for (uint32_t i = 0; i < run->count; i++)
        if (view_eq(run->scenarios[i]->name, name))
            return run->scenarios[i];
    fail_msg("no scenario %.*s", VIEW_ARG(name));
    return NULL;
}

static void encodes_match_what_was_computed_independently(void **state)
{
    struct fixture *f = *state;
    struct json_parser *p = json_parser_new();
    struct arena mem = { 0 };
    const struct json_value *entries = reference(p, &mem);

    assert_int_equal(entries->n, 12);
    for (uint32_t i = 0; i < entries->n; i++) {
        const struct json_value *want = &entries->items[i];
        char path[512];

        snprintf(path, sizeof path, "encodes/%.*s",
                 VIEW_ARG(json_text(json_member(want, VIEW("file")))));

        const struct facts *got =
            &named(parsed_file(f, path), json_text(json_member(want, VIEW("name"))))
                 ->facts;

        assert_near(got->cpu_percent, 100 * number(want, VIEW("cpu_cores_mean")), 1e-6);
        assert_near(got->core_seconds, number(want, VIEW("cpu_seconds_rusage")), 1e-6);
        assert_int_equal(got->compute_basis, COMPUTE_REPORTED);
    }
    arena_deinit(&mem);
    json_parser_free(p);
}

/*
 * The same files without their stated core-seconds, so that the series counts. The
 * reference gives each sample a whole step; by our rule the last one lasts for what is
 * left of the duration: sum - last · (step - left).
 */
static void series_of_encodes_match_independent_sums(void **state)
{
    struct fixture *f = *state;
    struct json_parser *p = json_parser_new();
    struct arena mem = { 0 };
    const struct json_value *entries = reference(p, &mem), *file, *s = NULL;
    int shortened = 0;

    for (uint32_t i = 0; i < entries->n; i++) {
        const struct json_value *want = &entries->items[i];
        struct view name = json_text(json_member(want, VIEW("name")));
        char path[512];

        snprintf(path, sizeof path, "%s/encodes/%.*s", TEST_DATA,
                 VIEW_ARG(json_text(json_member(want, VIEW("file")))));

        struct view text = read_whole(path);
        char *writable = (char *)(uintptr_t)text.p;

        for (size_t at = 0; at + 16 < text.n; at++)
            if (view_starts(view_skip(text, at), VIEW("cpu_core_seconds")))
                writable[at] = '_';
        assert_int_equal(json_parse(p, text, &mem, &file, NULL), 0);
        file = json_member(file, VIEW("scenarios"));
        for (uint32_t k = 0; k < file->n; k++)
            if (view_eq(json_text(json_member(&file->items[k], VIEW("name"))), name))
                s = &file->items[k];

        const struct json_value *cores = json_member(s, VIEW("cpu_usage_cores"));
        double step = number(s, VIEW("step_seconds"));
        double left = number(s, VIEW("duration")) - step * (cores->n - 1);
        double sum = number(want, VIEW("cpu_seconds_from_samples"));
        const struct facts *got = &named(parsed(f, text), name)->facts;

        if (left < step) {
            sum -= cores->items[cores->n - 1].number * (step - left);
            shortened++;
        }
        assert_near(got->core_seconds, sum, 1e-6);
        assert_int_equal(got->compute_basis, COMPUTE_USAGE);
        free(writable);
    }
    assert_true(shortened > 0);
    arena_deinit(&mem);
    json_parser_free(p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_object_holds_scenarios),
        TEST(a_bare_array_is_accepted),
        TEST(other_shapes_are_refused),
        TEST(what_is_no_json_is_refused_with_its_byte),
        TEST(every_beginning_of_a_file_is_refused),
        TEST(depth_ends_at_64),
        TEST(what_is_no_scenario_is_left_out_and_noted),
        TEST(texts_that_are_no_utf8_are_repaired),
        TEST(values_that_are_no_numbers_spoil_their_field_alone),
        TEST(the_region_of_the_file_applies_wherever_it_stands),
        TEST(newer_schemas_are_read_with_a_warning),
        TEST(too_many_scenarios_are_refused),
        TEST(unchanged_scenarios_are_taken_over),
        TEST(what_was_measured_of_a_scenario_stays_while_its_bytes_do),
        TEST(an_insertion_leaves_what_follows_taken_over),
        TEST(another_region_of_the_file_takes_nothing_over),
        TEST(a_failed_parse_leaves_the_run_before_alone),
        TEST(real_files_are_read_without_a_note),
        TEST(the_go_era_file_repeats_its_names),
        TEST(python_era_files_have_durations_and_pixels_and_no_energy),
        TEST(encodes_match_what_was_computed_independently),
        TEST(series_of_encodes_match_independent_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
