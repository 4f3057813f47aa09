#include "tests/unit/test.h"

#include <inttypes.h>
#include <stdlib.h>

#include "server/page/board.h"

static void put(struct board *b, const char *key, int value)
{
    char text[128];

    snprintf(text, sizeof text, "{\"kind\":\"scenario\",\"key\":\"%s\",\"v\":%d}", key,
             value);
    board_put(b, BOARD_SCENARIO, view_of(key), view_of(text));
}

static void drop(struct board *b, const char *key)
{
    board_drop(b, BOARD_SCENARIO, view_of(key));
}

static void tells(struct board *b, struct board_place *place, size_t bytes,
                  const char *want)
{
    struct buf got = { 0 };
    bool any = board_next(b, place, bytes, &got);

    assert_int_equal(any, want != NULL);
    buf_char(&got, '\0');
    if (want)
        assert_string_equal(got.p, want);
    buf_deinit(&got);
}

static void all_there_is_comes_first_and_then_what_changes(void **state)
{
    struct board *b = board_new(0xab, 10);
    struct board_place place;

    (void)state;
    put(b, "a", 1);
    place = board_begin(b);
    tells(b, &place, 1000,
          "id: 000000ab-1\nevent: change\ndata: {\"reset\":true,\"set\":["
          "{\"kind\":\"scenario\",\"key\":\"a\",\"v\":1}],\"gone\":[]}\n\n");
    tells(b, &place, 1000, NULL);
    put(b, "b", 2);
    tells(b, &place, 1000,
          "id: 000000ab-2\nevent: change\ndata: {\"set\":["
          "{\"kind\":\"scenario\",\"key\":\"b\",\"v\":2}],\"gone\":[]}\n\n");
    board_complete(b, true);
    tells(b, &place, 1000,
          "id: 000000ab-2\nevent: change\ndata: "
          "{\"set\":[],\"gone\":[],\"whole\":true}\n\n");
    tells(b, &place, 1000, NULL);
    put(b, "b", 2); /* no change */
    tells(b, &place, 1000, NULL);
    put(b, "b", 3);
    drop(b, "a");
    drop(b, "never there");
    tells(b, &place, 1000,
          "id: 000000ab-4\nevent: change\ndata: {\"set\":["
          "{\"kind\":\"scenario\",\"key\":\"b\",\"v\":3}],\"gone\":["
          "{\"kind\":\"scenario\",\"key\":\"a\"}]}\n\n");
    assert_int_equal(board_count(b), 1);
    board_free(b);
}

static void kinds_are_apart_and_keys_are_escaped(void **state)
{
    struct board *b = board_new(1, 10);
    struct board_place place;

    (void)state;
    board_complete(b, true);
    place = board_begin(b);
    tells(b, &place, 1000,
          "id: 00000001-0\nevent: change\ndata: "
          "{\"reset\":true,\"set\":[],\"gone\":[],\"whole\":true}\n\n");
    board_put(b, BOARD_STATUS, VIEW(""), VIEW("{1}"));
    board_put(b, BOARD_ENCODE, VIEW(""), VIEW("{2}"));
    board_put(b, BOARD_SCENARIO, VIEW(""), VIEW("{3}"));
    board_put(b, BOARD_ENCODE, VIEW("a\"\n"), VIEW("{4}"));
    assert_int_equal(board_count(b), 4);
    board_drop(b, BOARD_STATUS, VIEW(""));
    board_drop(b, BOARD_ENCODE, VIEW("a\"\n"));
    tells(b, &place, 1000,
          "id: 00000001-6\nevent: change\ndata: {\"set\":[{2},{3}],\"gone\":["
          "{\"kind\":\"status\",\"key\":\"\"},"
          "{\"kind\":\"encode\",\"key\":\"a\\\"\\u000a\"}]}\n\n");
    board_free(b);
}

/* Of a batch no more than asked for, but for its last record; of what went before nobody
 * came, nothing. */
static void batches_have_a_size(void **state)
{
    struct board *b = board_new(1, 10);
    struct board_place place;

    (void)state;
    board_complete(b, true);
    put(b, "x", 1);
    drop(b, "x");
    put(b, "a", 1);
    put(b, "b", 2);
    put(b, "c", 3);
    place = board_begin(b);
    tells(b, &place, 1,
          "id: 00000001-3\nevent: change\ndata: {\"reset\":true,\"set\":["
          "{\"kind\":\"scenario\",\"key\":\"a\",\"v\":1}],\"gone\":[]}\n\n");
    put(b, "a", 4);
    tells(b, &place, 50,
          "id: 00000001-5\nevent: change\ndata: {\"set\":["
          "{\"kind\":\"scenario\",\"key\":\"b\",\"v\":2},"
          "{\"kind\":\"scenario\",\"key\":\"c\",\"v\":3}],\"gone\":[]}\n\n");
    tells(b, &place, 1,
          "id: 00000001-6\nevent: change\ndata: {\"set\":["
          "{\"kind\":\"scenario\",\"key\":\"a\",\"v\":4}],\"gone\":[],"
          "\"whole\":true}\n\n");
    board_free(b);
}

static bool begins_anew(struct board *b, const char *id)
{
    struct board_place place = board_resume(b, view_of(id));
    struct buf got = { 0 };
    bool reset;

    board_next(b, &place, 1, &got);
    buf_char(&got, '\0');
    reset = strstr(got.p, "\"reset\":true") != NULL;
    buf_deinit(&got);
    return reset;
}

static void who_comes_again_is_told_what_was_missed(void **state)
{
    static const char *const bad[] = { "000000ac-3",
                                       "ab",
                                       "",
                                       "ab-",
                                       "-3",
                                       "ab-9",
                                       "ab-3x",
                                       "ab-+3",
                                       "ab--3",
                                       " ab-3",
                                       "AB-3",
                                       "gg-3",
                                       "ab-99999999999999999999999999",
                                       "1000000ab-3" };
    struct board *b = board_new(0xab, 2);
    struct board_place place;

    (void)state;
    board_complete(b, true);
    put(b, "a", 1);
    put(b, "b", 2);
    put(b, "c", 3);
    put(b, "d", 4);
    drop(b, "a");
    place = board_resume(b, VIEW("000000ab-3"));
    tells(b, &place, 1000,
          "id: 000000ab-5\nevent: change\ndata: {\"set\":["
          "{\"kind\":\"scenario\",\"key\":\"d\",\"v\":4}],\"gone\":["
          "{\"kind\":\"scenario\",\"key\":\"a\"}],\"whole\":true}\n\n");
    place = board_resume(b, VIEW("ab-5"));
    tells(b, &place, 1000,
          "id: 000000ab-5\nevent: change\ndata: "
          "{\"set\":[],\"gone\":[],\"whole\":true}\n\n");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (!begins_anew(b, bad[i]))
            fail_msg("%s", bad[i]);
    drop(b, "b"); /* 6 */
    assert_false(begins_anew(b, "ab-3"));
    drop(b, "c"); /* 7: the trace of a (5) is forgotten */
    assert_true(begins_anew(b, "ab-4"));
    assert_false(begins_anew(b, "ab-5"));
    board_free(b);
}

/* ---- against a naive list --------------------------------------------------------------- */

enum { KEYS = 60, READERS = 5, STEPS = 20000 };

struct client {
    struct board_place place;
    int has[KEYS]; /* 0: not there */
    char id[40];   /* of the last event that arrived */
    bool whole;
};

static void forget(struct client *c)
{
    memset(c->has, 0, sizeof c->has);
    c->whole = false;
}

/* The same numbers in every run. */
static unsigned chance(unsigned of)
{
    static uint64_t x = 1;

    x = x * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(x >> 33) % of;
}

/* What a client makes of an event. */
static void apply(struct client *c, const char *event)
{
    const char *gone = strstr(event, "\"gone\":[");
    int key, value;

    assert_int_equal(sscanf(event, "id: %39s", c->id), 1);
    if (strstr(event, "\"reset\":true"))
        forget(c);
    for (const char *p = event; (p = strstr(p, "\"key\":\"k"));) {
        p += strlen("\"key\":\"k");
        if (p < gone) {
            assert_int_equal(sscanf(p, "%d\",\"v\":%d", &key, &value), 2);
            c->has[key] = value;
        } else {
            assert_int_equal(sscanf(p, "%d", &key), 1);
            c->has[key] = 0;
        }
    }
    c->whole |= strstr(event, "\"whole\":true") != NULL;
}

/* One event, which may get lost on the way together with the connection. */
static bool hear(struct client *c, struct board *b, bool lost)
{
    struct buf text = { 0 };
    bool any = board_next(b, &c->place, 1 + chance(400), &text);

    if (any) {
        buf_char(&text, '\0');
        if (!lost)
            apply(c, text.p);
    }
    buf_deinit(&text);
    if (any && lost)
        c->place = board_resume(b, view_of(c->id));
    return any;
}

static void change(struct board *b, int has[KEYS])
{
    int key = (int)chance(KEYS), value = 1 + (int)chance(3);
    char name[16];

    snprintf(name, sizeof name, "k%d", key);
    if (chance(3) == 0) {
        drop(b, name);
        has[key] = 0;
    } else {
        put(b, name, value);
        has[key] = value;
    }
}

/* Whatever a client misses, it knows in the end what is true. */
static void every_client_ends_with_what_is_true(void **state)
{
    static struct client clients[READERS];
    int has[KEYS] = { 0 };
    struct board *b = board_new(7, 20);

    (void)state;
    board_complete(b, true);
    for (int i = 0; i < READERS; i++) {
        clients[i] = (struct client){ .place = board_begin(b) };
        strcpy(clients[i].id, "none");
    }
    for (int step = 0; step < STEPS; step++) {
        struct client *c = &clients[chance(READERS)];

        for (unsigned n = chance(40); n > 0; n--)
            change(b, has);
        switch (chance(12)) {
        case 0: /* cut off, and here again */
            c->place = board_resume(b, view_of(c->id));
            break;
        case 1: /* a new one */
            forget(c);
            c->place = board_begin(b);
            strcpy(c->id, "none");
            break;
        case 2:
            hear(c, b, true);
            break;
        case 3:
            while (hear(c, b, false))
                continue;
            assert_true(c->whole);
            assert_memory_equal(c->has, has, sizeof has);
            break;
        default:
            hear(c, b, false);
        }
    }
    board_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_there_is_comes_first_and_then_what_changes),
        cmocka_unit_test(kinds_are_apart_and_keys_are_escaped),
        cmocka_unit_test(batches_have_a_size),
        cmocka_unit_test(who_comes_again_is_told_what_was_missed),
        cmocka_unit_test(every_client_ends_with_what_is_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
