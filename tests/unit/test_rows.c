#include "tests/unit/test.h"

#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/page/row.h"
#include "server/page/rows.h"

struct page {
    struct rows *rows;
    struct board *board;
    struct board_place place;
    struct module_set set; /* where no module is on */
    struct buf text;       /* of the last look: all events */
    unsigned looks;        /* at the clock */
};

static void setup(struct page *p)
{
    *p = (struct page){ .set = { .refs = 1, .version = 1 } };
    p->rows = rows_new();
    p->board = board_new(1, 1000);
    p->place = board_begin(p->board);
    board_complete(p->board, true);
}

static void teardown(struct page *p)
{
    rows_free(p->rows);
    board_free(p->board);
    buf_deinit(&p->text);
    assert_int_equal(p->set.refs, 1);
}

static const struct scenario *make(const char *name, double vmaf)
{
    struct scenario s = { .name = view_of(name), .start_s = NAN, .end_s = NAN };

    s.facts.duration_s = 60;
    s.facts.vmaf = vmaf;
    s.facts.crf = s.facts.vmaf_width = s.facts.vmaf_height = s.facts.passes = NAN;
    s.facts.psnr_db = s.facts.ssim = s.facts.energy_j = s.facts.fps = NAN;
    s.facts.mean_power_w = s.facts.actual_bitrate_bps = NAN;
    s.facts.bitrate_bps = 1000;
    s.facts.streams = 1;
    s.resolution = VIEW("1x1");
    s.source = VIEW("clip");
    s.output_ladder = VIEW("1x1@1");
    return scenario_new(&s);
}

/* A run of these names; of those that `same` has in this place, the same scenario. */
static const struct run *run_of(const char *id, const char *const names[], uint32_t n,
                                double vmaf, const struct run *same)
{
    const struct scenario **s = mem_alloc((n + 1) * sizeof *s);
    const struct run *run;

    for (uint32_t i = 0; i < n; i++) {
        if (same && i < same->count &&
            view_eq(same->scenarios[i]->name, view_of(names[i])))
            s[i] = scenario_ref(same->scenarios[i]);
        else
            s[i] = make(names[i], vmaf);
    }
    run = run_new(view_of(id), s, n);
    free(s);
    return run;
}

static bool look_at_clock(void *ctx)
{
    struct page *p = ctx;

    p->looks++;
    return true; /* it is always late */
}

/* One refresh; the text of all that is told then. */
static const char *look(struct page *p, const struct run *const runs[], size_t n)
{
    const struct served all = { .runs = runs, .run_count = n };

    buf_release(&p->text);
    if (rows_differ(p->rows, &all, &p->set)) {
        rows_begin(p->rows, &all, &p->set);
        while (!rows_step(p->rows, p->board, look_at_clock, p))
            while (board_next(p->board, &p->place, 100, &p->text))
                continue;
    }
    while (board_next(p->board, &p->place, 100, &p->text))
        continue;
    buf_char(&p->text, '\0');
    return p->text.p;
}

/* By hand: a sanitizer goes over all of the text with every call of strstr(). */
static unsigned count(const char *text, const char *what)
{
    size_t n = strlen(text), w = strlen(what);
    unsigned found = 0;

    for (size_t i = 0; i + w <= n; i++)
        found += text[i] == what[0] && memcmp(text + i, what, w) == 0;
    return found;
}

static unsigned told(const char *text)
{
    return count(text, "\"run\":");
}

static void has(const char *text, const char *what)
{
    if (!strstr(text, what))
        fail_msg("no %s in %s", what, text);
}

static void names_that_occur_again_have_numbers(void **state)
{
    static const char *const first[] = { "a", "b", "a", "a" };
    static const char *const second[] = { "a", "b", "c", "a" };
    const struct run *x = run_of("r", first, 4, 90, NULL);
    const struct run *y = run_of("r", second, 4, 90, x);
    struct page p;
    const char *text;

    (void)state;
    setup(&p);
    text = look(&p, &x, 1);
    assert_int_equal(told(text), 4);
    has(text, "\"key\":\"r/a\"");
    has(text, "\"key\":\"r/b\"");
    has(text, "\"key\":\"r/a#2\"");
    has(text, "\"key\":\"r/a#3\"");
    assert_string_equal(look(&p, &x, 1), "");

    /* What was the third of its name is the second now. */
    text = look(&p, &y, 1);
    has(text, "\"key\":\"r/c\"");
    has(text, "\"gone\":[{\"kind\":\"scenario\",\"key\":\"r/a#3\"}]");
    assert_int_equal(board_count(p.board), 4);
    assert_int_equal(count(text, "\"key\":\"r/b\""), 0);
    assert_int_equal(rows_served(p.rows), 4);

    look(&p, NULL, 0);
    assert_int_equal(board_count(p.board), 0);
    teardown(&p);
    run_unref(x);
    run_unref(y);
}

static void no_name_has_the_key_of_another(void **state)
{
    static const char *const names[] = { "a", "a#2", "a", "a#2", "a#2#1", "#1", "a#" };
    static const char *const fewer[] = { "a#2" };
    const struct run *x = run_of("r", names, 7, 90, NULL);
    const struct run *y = run_of("r", fewer, 1, 90, NULL);
    struct page p;
    const char *text;

    (void)state;
    setup(&p);
    text = look(&p, &x, 1);
    assert_int_equal(told(text), 7);
    has(text, "\"key\":\"r/a\"");
    has(text, "\"key\":\"r/a#2\"");
    has(text, "\"key\":\"r/a#2#1\"");
    has(text, "\"key\":\"r/a#2#2\"");
    has(text, "\"key\":\"r/a#2#1#1\"");
    has(text, "\"key\":\"r/#1#1\"");
    has(text, "\"key\":\"r/a#\"");
    assert_int_equal(board_count(p.board), 7);
    /* The second "a" goes; the one that is called as its key was stays. */
    look(&p, &y, 1);
    assert_int_equal(board_count(p.board), 1);
    run_unref(x);
    run_unref(y);
    teardown(&p);
}

static void only_what_differs_is_made_anew(void **state)
{
    static const char *const names[] = { "a", "b", "c", "d" };
    static const char *const other[] = { "a", "b", "x", "d" };
    const struct run *x = run_of("r", names, 4, 90, NULL);
    const struct run *y = run_of("r", other, 4, 90, x);
    const struct run *shorter = run_of("r", other, 2, 90, x);
    struct page p;
    const char *text;

    (void)state;
    setup(&p);
    look(&p, &x, 1);
    text = look(&p, &y, 1);
    assert_int_equal(told(text), 1);
    has(text, "\"key\":\"r/x\"");
    has(text, "\"gone\":[{\"kind\":\"scenario\",\"key\":\"r/c\"}]");
    text = look(&p, &shorter, 1);
    assert_int_equal(told(text), 0);
    assert_int_equal(count(text, "\"key\":\"r/x\"") + count(text, "\"key\":\"r/d\""),
                     2);
    assert_int_equal(board_count(p.board), 2);

    /* Other settings may say otherwise of all; the same text is no news. */
    p.set.version = 2;
    struct module_set next = { .refs = 1 };
    const struct served all = { .runs = &shorter, .run_count = 1 };

    assert_false(rows_differ(p.rows, &all, &p.set));
    assert_true(rows_differ(p.rows, &all, &next));
    teardown(&p);
    run_unref(x);
    run_unref(y);
    run_unref(shorter);
}

/* Of one test the newest run's counts, until that goes. */
static void one_run_of_a_test_is_compared(void **state)
{
    static const char *const names[] = { "a" };
    const struct run *old = run_of("old", names, 1, 80, NULL);
    const struct run *new = run_of("new", names, 1, 90, NULL);
    const struct run *const both[] = { old, new };
    struct page p;
    const char *text;

    (void)state;
    setup(&p);
    text = look(&p, both, 2);
    assert_int_equal(told(text), 2);
    assert_int_equal(count(text, "\"set\":\""), 1);
    assert_true(strstr(text, "\"set\":\"") < strstr(text, "\"key\":\"old/a\""));
    text = look(&p, both, 1); /* the newest is gone: of the other a text is made anew */
    assert_int_equal(told(text), 1);
    assert_int_equal(count(text, "\"set\":\""), 1);
    has(text, "\"gone\":[{\"kind\":\"scenario\",\"key\":\"new/a\"}]");
    text = look(&p, both, 2);
    assert_int_equal(told(text), 2);
    assert_int_equal(count(text, "\"set\":\""), 1);
    teardown(&p);
    run_unref(old);
    run_unref(new);
}

/* Beyond the limit the oldest are left out, but never the encodes that run now. */
static void the_newest_are_told_and_those_that_run(void **state)
{
    enum { MANY = ROWS_MAX - 1 };
    static const char *const names[] = { "a", "b", "c" };
    const char **many = mem_alloc(MANY * sizeof *many);
    char *room = mem_alloc((size_t)MANY * 12);
    const struct run *live = run_of("live", names, 1, NAN, NULL);
    const struct run *old = run_of("old", names, 3, 80, NULL), *new;
    struct page p;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        many[i] = room + 12 * (size_t)i;
        snprintf(room + 12 * (size_t)i, 12, "%d", i);
    }
    new = run_of("new", many, MANY, 90, NULL);

    const struct run *const all[] = { live, old, new };

    setup(&p);
    assert_int_equal(told(look(&p, all, 3)), ROWS_MAX);
    has(p.text.p, "\"key\":\"live/a\"");
    assert_int_equal(count(p.text.p, "\"key\":\"old/"), 0);
    assert_int_equal(rows_served(p.rows), MANY + 4);
    assert_int_equal(rows_shown(p.rows), ROWS_MAX);
    /* Whoever waits is let in between a few records. */
    assert_true(p.looks >= ROWS_MAX / 16);
    /* The three, and of the test that runs that another is compared now. */
    assert_int_equal(told(look(&p, all, 2)), 4);
    assert_int_equal(board_count(p.board), 4);
    assert_int_equal(told(look(&p, all + 1, 2)), MANY);
    has(p.text.p, "\"key\":\"old/b\"}");
    assert_int_equal(board_count(p.board), ROWS_MAX);
    teardown(&p);
    free(many);
    free(room);
    run_unref(live);
    run_unref(old);
    run_unref(new);
}

static void a_row_tells_what_is_known(void **state)
{
    struct scenario s = { .name = VIEW("a \"b\""),
                          .source = VIEW("clip"),
                          .encoder = VIEW("libx264"),
                          .encoder_given = true,
                          .preset = VIEW("veryfast"),
                          .bitrate = VIEW("5M"),
                          .start_s = 1700000000.25,
                          .end_s = NAN,
                          .watched = SCENARIO_STALLED };
    struct run run = { .id = VIEW("r") };
    const struct place at = { &run, &s, NULL, 1 };
    static const uint64_t set[2] = { 1, 0xabc };
    struct buf out = { 0 };
    struct facts *f = &s.facts;

    (void)state;
    f->fps = 29.97;
    f->duration_s = 61.5;
    f->bitrate_bps = 5e6;
    f->actual_bitrate_bps = 4987654.5;
    f->energy_j = f->mean_power_w = NAN;
    f->vmaf = 93.123456789;
    f->psnr_db = INFINITY;
    f->ssim = 0.98765432;
    row_json(&out, VIEW("r/a \"b\""), &at, 0.1234567891, set);
    buf_char(&out, '\0');
    assert_string_equal(
        out.p, "{\"kind\":\"scenario\",\"key\":\"r/a \\\"b\\\"\",\"run\":\"r\","
               "\"name\":\"a \\\"b\\\"\",\"state\":\"stalled\",\"source\":\"clip\","
               "\"encoder\":\"libx264\",\"fps\":29.97,\"bitrate\":\"5M\","
               "\"start\":1700000000.25,\"duration_s\":61.5,\"bitrate_bps\":4987654.5,"
               "\"cost\":0.1234567891,\"vmaf\":93.123456789,\"psnr_db\":\"inf\","
               "\"ssim\":0.987654,"
               "\"set\":\"00000000000000010000000000000abc\"}");
    buf_release(&out);
    row_json(&out, VIEW("r/a"), &at, NAN, NULL);
    buf_char(&out, '\0');
    assert_null(strstr(out.p, "cost"));
    assert_null(strstr(out.p, "set"));
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_occur_again_have_numbers),
        cmocka_unit_test(no_name_has_the_key_of_another),
        cmocka_unit_test(only_what_differs_is_made_anew),
        cmocka_unit_test(one_run_of_a_test_is_compared),
        cmocka_unit_test(the_newest_are_told_and_those_that_run),
        cmocka_unit_test(a_row_tells_what_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
