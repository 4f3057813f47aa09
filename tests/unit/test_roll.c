/* Encodes that are watched, by name, and the scenarios they belong to. */
#include "server/live/belonging.h"

#include "tests/unit/module_host.h"

struct watch {
    struct roll *roll;
    unsigned gone;
};

static void on_gone(void *ctx, struct roll_entry *e)
{
    struct watch *h = ctx;

    assert_true(e->sources > 0);
    h->gone++;
}

static void open_roll(struct watch *h, size_t max)
{
    *h = (struct watch){ 0 };
    h->roll = roll_new(max, on_gone, h);
}

static struct roll_entry *come(struct watch *h, const char *name, double at_s)
{
    return roll_open(h->roll, view_of(name), at_s, at_s);
}

static void ended(struct roll_entry *e)
{
    encode_begin(e->encode, e->encode->start_s);
    encode_cut(e->encode, e->encode->start_s);
}

static void the_oldest_makes_room(void **state)
{
    (void)state;
    struct watch h;
    struct roll_entry *e;

    open_roll(&h, 2);
    ended(come(&h, "old", 10));
    ended(come(&h, "older", 5));
    assert_null(come(&h, "oldest", 1));
    e = come(&h, "new", 20);
    assert_non_null(e);
    assert_int_equal(h.gone, 1);
    assert_null(roll_get(h.roll, VIEW("older")));
    encode_begin(e->encode, 20);
    encode_begin(roll_get(h.roll, VIEW("old"))->encode, 10);
    assert_null(come(&h, "newer", 30)); /* both run */

    encode_look(e->encode, 100, 10, INFINITY); /* one stands still */
    e->requests = 1;
    assert_null(come(&h, "newer", 200));
    e->requests = 0;
    assert_non_null(come(&h, "newer", 200));
    assert_null(roll_get(h.roll, VIEW("new")));
    roll_free(h.roll);
}

static void an_entry_lives_as_long_as_its_sources(void **state)
{
    (void)state;
    struct watch h;
    struct roll_entry *e;

    open_roll(&h, 9);
    e = come(&h, "a", 1);
    assert_ptr_equal(come(&h, "a", 2), e);
    roll_close(h.roll, e);
    assert_int_equal(roll_count(h.roll), 1);
    roll_close(h.roll, e);
    assert_int_equal(roll_count(h.roll), 0);
    e = come(&h, "b", 1);
    e->by_request = true;
    roll_close(h.roll, e);
    assert_int_equal(roll_count(h.roll), 1);
    ended(e);
    roll_end(h.roll, 2);
    assert_int_equal(roll_count(h.roll), 0);
    assert_int_equal(h.gone, 0);
    roll_free(h.roll);
}

static const struct run *run_of(const char *a, const char *b, const char *c)
{
    struct scenario s[3] = { unknown_scenario(a), unknown_scenario(b),
                             unknown_scenario(c) };

    s[0].start_s = 1.7e9; /* that one is open */
    return make_run("r", s, 3);
}

static void names_lead_to_scenarios(void **state)
{
    (void)state;
    struct watch h;
    struct belonging b = { 0 };
    struct buf text = { 0 };
    const struct run *run = run_of("x: y", "a b", "a:b");
    struct roll_entry *e, *doubt;

    open_roll(&h, 9);
    e = come(&h, "x_y", 1);
    doubt = come(&h, "a_b", 1);
    come(&h, "quote\"\\\x01", 1);
    belonging_settle(&b, h.roll, run);
    assert_true(e->belongs);
    assert_view(e->scenario, "x: y");
    assert_ptr_equal(belonging_find(&b, h.roll, run, 0), e);
    assert_false(doubt->belongs); /* two could be meant */
    belonging_text(h.roll, &text);
    assert_view(buf_as_view(&text), "{\"scenarios\":[{\"name\":\"a_b\"},"
                                    "{\"name\":\"quote\\\"\\\\\\u0001\"}]}");

    come(&h, "a b", 1); /* the very name */
    belonging_settle(&b, h.roll, run);
    assert_true(roll_get(h.roll, VIEW("a b"))->belongs);
    assert_null(belonging_find(&b, h.roll, run, 2));

    /* one that goes is not found any more */
    roll_close(h.roll, e);
    assert_null(belonging_find(&b, h.roll, run, 0));
    run_unref(run);

    /* of several scenarios of one name the open one, else the last */
    run = run_of("n", "n", "m");
    e = come(&h, "n", 1);
    belonging_settle(&b, h.roll, run);
    assert_ptr_equal(belonging_find(&b, h.roll, run, 0), e);
    assert_null(belonging_find(&b, h.roll, run, 1));
    run_unref(run);
    run = run_of("m", "n", "n");
    assert_ptr_equal(belonging_find(&b, h.roll, run, 2), e);
    belonging_settle(&b, h.roll, NULL);
    assert_false(e->belongs);
    run_unref(run);
    belonging_deinit(&b);
    buf_deinit(&text);
    roll_free(h.roll);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_makes_room),
        cmocka_unit_test(an_entry_lives_as_long_as_its_sources),
        cmocka_unit_test(names_lead_to_scenarios),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
