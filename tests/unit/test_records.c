/* Encodes as the page is told of them: which there are, and when that is new. */
#include "server/live/live_inner.h"

#include <stdlib.h>

#include "tests/unit/test.h"

enum { MOST = 8 };

struct seen {
    struct live l;
    size_t n;
    struct view names[MOST], runs[MOST], scenarios[MOST];
    uint64_t versions[MOST];
    struct buf json[MOST];
};

static void on_gone(void *ctx, struct roll_entry *e)
{
    (void)ctx;
    (void)e;
}

static void seen_init(struct seen *s)
{
    *s = (struct seen){ 0 };
    s->l.roll = roll_new(MOST, on_gone, NULL);
}

static void seen_deinit(struct seen *s)
{
    for (size_t i = 0; i < MOST; i++)
        buf_deinit(&s->json[i]);
    buf_deinit(&s->l.newest);
    roll_free(s->l.roll);
}

static void note(void *ctx, const struct live_item *item)
{
    struct seen *s = ctx;

    assert_true(s->n < MOST);
    s->names[s->n] = item->name;
    s->runs[s->n] = item->run;
    s->scenarios[s->n] = item->scenario;
    s->versions[s->n] = item->version;
    buf_release(&s->json[s->n]);
    live_item_json(&s->l, item, &s->json[s->n]);
    s->n++;
}

static void look(struct seen *s)
{
    s->n = 0;
    live_items(&s->l, note, s);
}

static void newest(struct seen *s, const char *id)
{
    buf_release(&s->l.newest);
    buf_str(&s->l.newest, id);
    s->l.renamed++;
}

static void they_come_by_name_with_where_they_belong(void **state)
{
    (void)state;
    struct seen s;
    struct roll_entry *e;

    seen_init(&s);
    look(&s);
    assert_int_equal(s.n, 0);
    newest(&s, "r\"1");
    roll_open(s.l.roll, VIEW("b"), 1, 1);
    e = roll_open(s.l.roll, VIEW("a\"\\"), 1, 1);
    e->belongs = true;
    look(&s);
    assert_int_equal(s.n, 2);
    assert_view(s.names[0], "a\"\\");
    assert_view(s.runs[0], "r\"1");
    assert_view(buf_as_view(&s.json[0]),
                "\"run\":\"r\\\"1\",\"scenario\":\"a\\\"\\\\\"");
    assert_view(s.names[1], "b");
    assert_view(buf_as_view(&s.json[1]), "\"run\":\"live\",\"scenario\":\"b\"");
    seen_deinit(&s);
}

static void a_version_is_that_of_one_text(void **state)
{
    (void)state;
    struct seen s;
    struct roll_entry *a;
    uint64_t first, other;

    seen_init(&s);
    a = roll_open(s.l.roll, VIEW("a"), 1, 1);
    roll_open(s.l.roll, VIEW("b"), 1, 1);
    look(&s);
    first = s.versions[0];
    other = s.versions[1];
    assert_int_not_equal(first, other);
    look(&s);
    assert_int_equal(s.versions[0], first);

    encode_begin(a->encode, 5);
    look(&s);
    assert_int_not_equal(s.versions[0], first);
    assert_int_equal(s.versions[1], other);
    first = s.versions[0];

    encode_look(a->encode, 100, 10, INFINITY); /* time alone */
    look(&s);
    assert_int_not_equal(s.versions[0], first);
    first = s.versions[0];

    newest(&s, "r2");
    look(&s);
    assert_int_not_equal(s.versions[0], first);
    assert_int_not_equal(s.versions[1], other);
    seen_deinit(&s);
}

static void one_that_comes_again_is_another(void **state)
{
    (void)state;
    struct seen s;
    uint64_t before[3];

    seen_init(&s);
    for (size_t i = 0; i < 3; i++) {
        struct roll_entry *e = roll_open(s.l.roll, VIEW("a"), 1, 1);

        look(&s);
        before[i] = s.versions[0];
        roll_close(s.l.roll, e);
    }
    assert_true(before[0] != before[1] && before[1] != before[2]);
    seen_deinit(&s);
}

static struct scenario called(const char *name)
{
    struct scenario s = { 0 };

    s.name = view_of(name);
    s.facts.content_s = NAN;
    return s;
}

static void a_scenario_elsewhere_is_news(void **state)
{
    (void)state;
    struct seen s;
    struct roll_entry *e;
    struct scenario there = called("x: y");
    uint64_t first;

    seen_init(&s);
    newest(&s, "r");
    e = roll_open(s.l.roll, VIEW("x_y"), 1, 1);
    look(&s);
    first = s.versions[0];
    roll_belongs(s.l.roll, e, &there);
    look(&s);
    assert_int_not_equal(s.versions[0], first);
    assert_view(s.runs[0], "r");
    assert_view(s.scenarios[0], "x: y");
    first = s.versions[0];
    roll_belongs(s.l.roll, e, NULL);
    look(&s);
    assert_int_not_equal(s.versions[0], first);
    assert_view(s.runs[0], "live");
    seen_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_come_by_name_with_where_they_belong),
        cmocka_unit_test(a_version_is_that_of_one_text),
        cmocka_unit_test(one_that_comes_again_is_another),
        cmocka_unit_test(a_scenario_elsewhere_is_news),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
