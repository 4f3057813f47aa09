#include "tests/unit/test.h"

#include <string.h>

#include "server/http/ready.h"

static struct ready kept;
static struct body *body, *other;

static size_t give(void *ctx, int endpoint, struct body *out[REPLY_BODIES_MAX])
{
    (void)ctx;
    out[0] = endpoint == 0 ? body : other;
    return endpoint < 2;
}

static const struct site site = { .bodies = give };

static int set_up(void **state)
{
    (void)state;
    body = body_new();
    other = body_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ready_clear(&kept);
    body_unref(body);
    body_unref(other);
    return 0;
}

static struct request asking(const char *accept, const char *encoding)
{
    return (struct request){ .path = VIEW("/metrics"),
                             .accept = view_of(accept),
                             .accept_encoding = view_of(encoding) };
}

static struct ready_key key_of(int endpoint, const char *accept, const char *encoding)
{
    struct request rq = asking(accept, encoding);
    struct ready_key key;

    assert_true(ready_asked(&site, endpoint, &rq, &key));
    return key;
}

static void keep(const struct ready_key *key, const char *head, const char *rest)
{
    struct view pieces[] = { view_of(head), view_of(rest) };

    ready_keep(&kept, key, pieces, 2, pieces[0].n + pieces[1].n);
}

/* want NULL: nothing is kept for it. */
static void finds(const struct ready_key *key, const char *want)
{
    struct ready_answer *a = ready_find(&kept, key);

    if (!want) {
        assert_null(a);
        return;
    }
    assert_non_null(a);
    assert_view(((struct view){ a->p, a->n }), want);
    ready_answer_unref(a);
}

static void only_plain_requests_for_what_there_is_are_meant(void **state)
{
    struct ready_key key;
    struct request rq = asking("", "gzip");

    (void)state;
    assert_true(ready_asked(&site, 0, &rq, &key));
    assert_false(ready_asked(&site, 2, &rq, &key));
    rq.method = METHOD_HEAD;
    assert_false(ready_asked(&site, 0, &rq, &key));
    rq = asking("", "gzip");
    rq.query = VIEW("name[]=x");
    assert_false(ready_asked(&site, 0, &rq, &key));
    rq = asking("", "gzip");
    rq.if_none_match = VIEW("\"a\"");
    assert_false(ready_asked(&site, 0, &rq, &key));
    rq = asking("", "gzip");
    rq.path = VIEW("/metrics/all");
    assert_false(ready_asked(&site, 0, &rq, &key));
}

static void the_same_words_get_the_same_bytes(void **state)
{
    struct ready_key key = key_of(0, "text/plain", "gzip");
    struct ready_key twin = key_of(0, "text/plaingz", "ip");
    struct ready_key shorter = key_of(0, "text/plain", "");
    struct ready_key elsewhere = key_of(1, "text/plain", "gzip");

    (void)state;
    finds(&key, NULL);
    keep(&key, "head ", "content");
    finds(&key, "head content");
    finds(&twin, NULL);
    finds(&shorter, NULL);
    finds(&elsewhere, NULL);
}

static void a_change_makes_them_anew_in_the_same_slot(void **state)
{
    struct ready_key before = key_of(0, "a", "b"), after, idle = key_of(1, "a", "b");

    (void)state;
    keep(&idle, "idle", "");
    keep(&before, "old", "");
    for (int i = 0; i < 3 * READY_SLOTS; i++) {
        body_unref(body);
        body = body_new();
        after = key_of(0, "a", "b");
        finds(&after, NULL);
        keep(&after, "new", "");
        finds(&after, "new");
        finds(&before, NULL);
    }
    finds(&idle, "idle");
}

static void an_answer_under_way_outlives_its_slot(void **state)
{
    struct ready_key key = key_of(0, "a", "b");
    struct ready_answer *a;

    (void)state;
    keep(&key, "first", "");
    a = ready_find(&kept, &key);
    keep(&key, "second", "");
    ready_clear(&kept);
    assert_view(((struct view){ a->p, a->n }), "first");
    finds(&key, NULL);
    ready_answer_unref(a);
}

static void many_kinds_of_clients_push_out_the_oldest(void **state)
{
    char words[READY_WORDS_MAX + 2];

    (void)state;
    for (int i = 0; i <= READY_SLOTS; i++) {
        struct ready_key key;

        snprintf(words, sizeof(words), "client/%d", i);
        key = key_of(0, words, "");
        keep(&key, words, "");
        finds(&key, words);
    }
    struct ready_key first = key_of(0, "client/0", ""),
                     second = key_of(0, "client/1", "");

    finds(&first, NULL);
    finds(&second, "client/1");

    memset(words, 'x', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    struct ready_key too_long = key_of(0, words, "");

    keep(&too_long, "not kept", "");
    finds(&too_long, NULL);
    finds(&second, "client/1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_plain_requests_for_what_there_is_are_meant,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_words_get_the_same_bytes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_change_makes_them_anew_in_the_same_slot,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_under_way_outlives_its_slot, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(many_kinds_of_clients_push_out_the_oldest,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
