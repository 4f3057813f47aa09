/*
 * The door as a connection sees it, with a bcrypt that a test can hold, and that counts.
 */
#include "tests/unit/test.h"

#include "server/log.h"
#include "server/web/toolbox.h"
#include "server/web/passwords.h"

#include <errno.h>
#include <stdatomic.h>

/* Hashes of cost 4 of "sesame" and "", and one of cost 5. */
#define SESAME "$2y$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW"
#define NONE   "$2y$04$abcdefghijklmnopqrstuubyCG3zY1GIXMyxfivm.ClDiInHzxjiq"
#define OTHER  "$2y$05$abcdefghijklmnopqrstuubyCG3zY1GIXMyxfivm.ClDiInHzxjiq"

#define ALICE_SESAME "Basic YWxpY2U6c2VzYW1l"
#define ALICE_WRONG  "Basic YWxpY2U6d3Jvbmc="
#define NOBODY       "Basic bm9ib2R5OnNlc2FtZQ=="

static uv_sem_t gate; /* one post lets one check end */
static atomic_bool held;
static atomic_int asked, at_once, most_at_once;
static const char *last_hash;

static int counted_bcrypt(const char *hash, const char *password)
{
    int now = atomic_fetch_add(&at_once, 1) + 1;
    int rc;

    if (now > atomic_load(&most_at_once))
        atomic_store(&most_at_once, now);
    atomic_fetch_add(&asked, 1);
    last_hash = hash; /* read when the check is done */
    if (atomic_load(&held))
        uv_sem_wait(&gate);
    rc = encode_toolbox.bcrypt(hash, password);
    atomic_fetch_sub(&at_once, 1);
    return rc;
}

struct guest {
    struct door_wait wait;
    enum door_verdict verdict; /* DOOR_WAIT while it waits */
    int decided;
};

static struct toolbox toolbox;
static uv_loop_t loop;
static struct passwords *passwords;
static struct door door;

static void on_decided(struct door_wait *w, enum door_verdict v)
{
    struct guest *g = (struct guest *)w;

    g->verdict = v;
    g->decided++;
}

static void configure(const char *text)
{
    struct web_config *c;
    struct err e;

    if (web_config_parse(&toolbox, view_of(text), "web.yml", &c, &e) < 0)
        fail_msg("%s", e.text);
    passwords_configure(passwords, c);
}

static int setup(void **state)
{
    struct err e;

    (void)state;
    toolbox = encode_toolbox;
    toolbox.bcrypt = counted_bcrypt;
    atomic_store(&held, false);
    atomic_store(&asked, 0);
    atomic_store(&most_at_once, 0);
    uv_sem_init(&gate, 0);
    uv_loop_init(&loop);
    if (passwords_new(&loop, &toolbox, &passwords, &e) < 0)
        return -1;
    door = passwords_door(passwords);
    configure("basic_auth_users: {alice: " SESAME ", bob: " NONE "}");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    uv_run(&loop, UV_RUN_DEFAULT);
    passwords_free(passwords);
    uv_sem_destroy(&gate);
    return uv_loop_close(&loop);
}

static enum door_verdict ask(struct guest *g, const char *authorization)
{
    *g = (struct guest){ .wait.decided = on_decided };
    g->verdict = door.ask(door.ctx, view_of(authorization), &g->wait);
    return g->verdict;
}

/* Asks and waits for what comes of it. */
static enum door_verdict outcome(const char *authorization)
{
    struct guest g;

    if (ask(&g, authorization) == DOOR_WAIT) {
        assert_int_equal(g.decided, 0); /* never from within ask() */
        while (g.verdict == DOOR_WAIT)
            uv_run(&loop, UV_RUN_ONCE);
        assert_int_equal(g.decided, 1);
    }
    return g.verdict;
}

/* "Basic …" of alice with a wrong password of three digits, another one for each number. */
static const char *wrong(unsigned number)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static char field[40];
    unsigned bits = ('0' + number / 100 % 10) << 16 | ('0' + number / 10 % 10) << 8 |
                    ('0' + number % 10);

    snprintf(field, sizeof field, "Basic YWxpY2U6%c%c%c%c", letters[bits >> 18],
             letters[bits >> 12 & 63], letters[bits >> 6 & 63], letters[bits & 63]);
    return field;
}

static uint64_t count(enum login which)
{
    return passwords_count(passwords, which);
}

/* ---- who comes in --------------------------------------------------------------------- */

static void the_right_password_opens(void **state)
{
    (void)state;
    assert_int_equal(outcome(ALICE_SESAME), DOOR_OPEN);
    assert_int_equal(outcome("Basic Ym9iOg=="), DOOR_OPEN); /* bob with none */
    assert_int_equal(count(LOGIN_RIGHT), 2);
}

static void everything_else_does_not(void **state)
{
    (void)state;
    assert_int_equal(outcome(ALICE_WRONG), DOOR_LOCKED);
    assert_int_equal(outcome("Basic YWxpY2U6"), DOOR_LOCKED);         /* alice: */
    assert_int_equal(outcome("Basic Ym9iOnNlc2FtZQ=="), DOOR_LOCKED); /* bob:sesame */
    assert_int_equal(outcome("Basic QWxpY2U6c2VzYW1l"), DOOR_LOCKED); /* Alice:sesame */
    assert_int_equal(outcome("Basic OnNlc2FtZQ=="), DOOR_LOCKED);     /* :sesame */
    assert_int_equal(outcome("Basic YWxpY2U6c2VzYW1lIA=="), DOOR_LOCKED);
    assert_int_equal(count(LOGIN_WRONG), 6);
    assert_int_equal(count(LOGIN_RIGHT), 0);
}

static void what_cannot_be_read_costs_no_check(void **state)
{
    (void)state;
    assert_int_equal(outcome(""), DOOR_LOCKED);
    assert_int_equal(outcome("Basic"), DOOR_LOCKED);
    assert_int_equal(outcome("Bearer YWxpY2U6c2VzYW1l"), DOOR_LOCKED);
    /* alice:sesame NUL x, which to the C library is alice:sesame */
    assert_int_equal(outcome("Basic YWxpY2U6c2VzYW1lAHg="), DOOR_LOCKED);
    assert_int_equal(atomic_load(&asked), 0);
    assert_int_equal(count(LOGIN_MISSING), 4);
}

static void without_users_everybody_comes_in(void **state)
{
    (void)state;
    configure("rate_limit: {}");
    assert_int_equal(outcome(""), DOOR_OPEN);
    assert_int_equal(outcome(ALICE_WRONG), DOOR_OPEN);
    assert_int_equal(atomic_load(&asked), 0);
}

static void unknown_names_cost_a_check_and_never_come_in(void **state)
{
    (void)state;
    assert_int_equal(outcome(NOBODY), DOOR_LOCKED);
    assert_int_equal(atomic_load(&asked), 1);
    /* Whichever hash stands in, its own password does not help: both are tried. */
    assert_int_equal(outcome("Basic bm9ib2R5Og=="), DOOR_LOCKED); /* nobody: */
    assert_int_equal(atomic_load(&asked), 2);
}

static void the_hash_that_stands_in_is_always_the_same(void **state)
{
    const char *first;

    (void)state;
    configure("basic_auth_users: {a: " SESAME ", b: " NONE ", c: " OTHER "}");
    assert_int_equal(outcome(NOBODY), DOOR_LOCKED);
    first = last_hash;
    for (int i = 0; i < 10; i++) {
        static const char *const others[] = {
            "Basic bm9ib2R5OjA=", "Basic bm9ib2R5OjE=", "Basic bm9ib2R5OjI=",
            "Basic bm9ib2R5OjM=", "Basic bm9ib2R5OjQ=", "Basic bm9ib2R5OjU=",
            "Basic bm9ib2R5OjY=", "Basic bm9ib2R5Ojc=", "Basic bm9ib2R5Ojg=",
            "Basic bm9ib2R5Ojk=",
        };

        assert_int_equal(outcome(others[i]), DOOR_LOCKED);
        assert_ptr_equal(last_hash, first);
    }
}

/* ---- what is remembered --------------------------------------------------------------- */

static void the_right_password_is_checked_once(void **state)
{
    (void)state;
    assert_int_equal(outcome(ALICE_SESAME), DOOR_OPEN);
    for (int i = 0; i < 100; i++) {
        struct guest g;

        assert_int_equal(ask(&g, ALICE_SESAME), DOOR_OPEN);
    }
    loop.time += UINT64_C(365) * 24 * 3600 * 1000;
    assert_int_equal(outcome(ALICE_SESAME), DOOR_OPEN);
    assert_int_equal(atomic_load(&asked), 1);
    assert_int_equal(passwords_checks(passwords), 1);
    assert_int_equal(count(LOGIN_RIGHT), 102);
}

static void a_wrong_one_is_remembered_for_ten_seconds(void **state)
{
    struct guest g;

    (void)state;
    assert_int_equal(outcome(ALICE_WRONG), DOOR_LOCKED);
    assert_int_equal(ask(&g, ALICE_WRONG), DOOR_LOCKED);
    loop.time += 9900;
    assert_int_equal(ask(&g, ALICE_WRONG), DOOR_LOCKED);
    assert_int_equal(atomic_load(&asked), 1);
    loop.time += 200;
    assert_int_equal(outcome(ALICE_WRONG), DOOR_LOCKED);
    assert_int_equal(atomic_load(&asked), 2);
}

static void wrong_ones_do_not_push_out_the_right_one(void **state)
{
    (void)state;
    assert_int_equal(outcome(ALICE_SESAME), DOOR_OPEN);
    for (unsigned i = 0; i < PASSWORDS_WRONG_MAX + 10; i++)
        assert_int_equal(outcome(wrong(i)), DOOR_LOCKED);
    assert_int_equal(outcome(ALICE_SESAME), DOOR_OPEN);
    assert_int_equal(atomic_load(&asked), 1 + PASSWORDS_WRONG_MAX + 10);
    /* The newest are still known, the oldest are not. */
    assert_int_equal(outcome(wrong(PASSWORDS_WRONG_MAX + 9)), DOOR_LOCKED);
    assert_int_equal(atomic_load(&asked), 1 + PASSWORDS_WRONG_MAX + 10);
    assert_int_equal(outcome(wrong(0)), DOOR_LOCKED);
    assert_int_equal(atomic_load(&asked), 1 + PASSWORDS_WRONG_MAX + 11);
}

static void a_changed_config_empties_both_memories(void **state)
{
    (void)state;
    outcome(ALICE_SESAME);
    outcome(ALICE_WRONG);
    assert_int_equal(atomic_load(&asked), 2);
    configure("basic_auth_users: {alice: " SESAME ", bob: " NONE "}\n# changed");
    assert_int_equal(outcome(ALICE_SESAME), DOOR_OPEN);
    assert_int_equal(outcome(ALICE_WRONG), DOOR_LOCKED);
    assert_int_equal(atomic_load(&asked), 4);
    configure("basic_auth_users: {alice: " NONE "}");
    assert_int_equal(outcome(ALICE_SESAME), DOOR_LOCKED);
    configure("basic_auth_users: {bob: " SESAME "}");
    assert_int_equal(outcome(ALICE_SESAME), DOOR_LOCKED);
}

/* ---- who waits ------------------------------------------------------------------------ */

static void one_check_at_a_time_sixteen_wait_and_the_rest_come_again(void **state)
{
    struct guest guests[1 + PASSWORDS_WAITING_MAX], more;

    (void)state;
    atomic_store(&held, true);
    for (unsigned i = 0; i < 1 + PASSWORDS_WAITING_MAX; i++)
        assert_int_equal(ask(&guests[i], wrong(i)), DOOR_WAIT);
    assert_int_equal(ask(&more, wrong(99)), DOOR_BUSY);
    assert_int_equal(ask(&more, ALICE_SESAME), DOOR_BUSY);
    assert_int_equal(count(LOGIN_BUSY), 2);
    assert_int_equal(ask(&more, ""), DOOR_LOCKED); /* that needs no check */

    uv_sem_post(&gate); /* the first is done: there is room for one */
    while (guests[0].verdict == DOOR_WAIT)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(guests[1].verdict, DOOR_WAIT);
    assert_int_equal(ask(&more, ALICE_SESAME), DOOR_WAIT);
    for (unsigned i = 0; i < 1 + PASSWORDS_WAITING_MAX; i++)
        uv_sem_post(&gate);
    uv_run(&loop, UV_RUN_DEFAULT);
    for (unsigned i = 0; i < 1 + PASSWORDS_WAITING_MAX; i++) {
        assert_int_equal(guests[i].verdict, DOOR_LOCKED);
        assert_int_equal(guests[i].decided, 1);
    }
    assert_int_equal(more.verdict, DOOR_OPEN);
    assert_int_equal(atomic_load(&most_at_once), 1);
}

static void equal_passwords_share_a_check(void **state)
{
    struct guest first, right[50], wrongs[50];

    (void)state;
    atomic_store(&held, true);
    assert_int_equal(ask(&first, NOBODY), DOOR_WAIT);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(ask(&right[i], ALICE_SESAME), DOOR_WAIT);
        assert_int_equal(ask(&wrongs[i], ALICE_WRONG), DOOR_WAIT);
    }
    for (int i = 0; i < 3; i++)
        uv_sem_post(&gate);
    uv_run(&loop, UV_RUN_DEFAULT);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(right[i].verdict, DOOR_OPEN);
        assert_int_equal(wrongs[i].verdict, DOOR_LOCKED);
    }
    assert_int_equal(atomic_load(&asked), 3);
    assert_int_equal(count(LOGIN_RIGHT), 50);
    assert_int_equal(count(LOGIN_WRONG), 51);
}

static void who_leaves_makes_room(void **state)
{
    struct guest guests[1 + PASSWORDS_WAITING_MAX], twin, more;

    (void)state;
    atomic_store(&held, true);
    for (unsigned i = 0; i < 1 + PASSWORDS_WAITING_MAX; i++)
        assert_int_equal(ask(&guests[i], wrong(i)), DOOR_WAIT);
    assert_int_equal(ask(&twin, wrong(5)), DOOR_WAIT);
    door.leave(door.ctx, &guests[5].wait);
    assert_int_equal(ask(&more, wrong(77)),
                     DOOR_BUSY); /* the twin waits for the same */
    door.leave(door.ctx, &twin.wait);
    assert_int_equal(ask(&more, wrong(77)), DOOR_WAIT);
    door.leave(door.ctx, &more.wait);      /* the last of the queue */
    door.leave(door.ctx, &guests[1].wait); /* the first of it */
    door.leave(door.ctx, &guests[0].wait); /* its check is under way: it ends in vain */
    for (unsigned i = 0; i < 1 + PASSWORDS_WAITING_MAX; i++)
        uv_sem_post(&gate);
    uv_run(&loop, UV_RUN_DEFAULT);
    for (unsigned i = 0; i < 1 + PASSWORDS_WAITING_MAX; i++) {
        bool left = i < 2 || i == 5;

        assert_int_equal(guests[i].decided, left ? 0 : 1);
    }
    assert_int_equal(twin.decided + more.decided, 0);
    assert_int_equal(atomic_load(&asked), 1 + PASSWORDS_WAITING_MAX - 2);
}

static void everybody_may_leave(void **state)
{
    struct guest guests[5];

    (void)state;
    atomic_store(&held, true);
    for (unsigned i = 0; i < 5; i++)
        ask(&guests[i], wrong(i));
    for (unsigned i = 5; i-- > 0;)
        door.leave(door.ctx, &guests[i].wait);
    uv_sem_post(&gate);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(atomic_load(&asked), 1);
    atomic_store(&held, false);
    assert_int_equal(outcome(ALICE_SESAME), DOOR_OPEN); /* and the queue still works */
}

static void a_check_that_was_begun_before_the_change_is_begun_again(void **state)
{
    struct guest alice, other, bob;

    (void)state;
    atomic_store(&held, true);
    ask(&alice, ALICE_SESAME);
    ask(&other, ALICE_WRONG);
    ask(&bob, "Basic Ym9iOg==");
    /* alice has another password now, and bob is not there any more */
    configure("basic_auth_users: {alice: " NONE "}");
    for (int i = 0; i < 4; i++)
        uv_sem_post(&gate);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(alice.verdict, DOOR_LOCKED);
    assert_int_equal(other.verdict, DOOR_LOCKED);
    assert_int_equal(bob.verdict, DOOR_LOCKED);
    assert_int_equal(atomic_load(&asked), 4); /* alice's twice */
    atomic_store(&held, false);
    /* What the old config would have said is not remembered. */
    assert_int_equal(outcome("Basic YWxpY2U6"), DOOR_OPEN);
    configure("basic_auth_users: {alice: " SESAME "}");
    assert_int_equal(outcome(ALICE_SESAME), DOOR_OPEN);
}

static void who_waits_when_the_users_go_comes_in(void **state)
{
    struct guest one, two;

    (void)state;
    atomic_store(&held, true);
    ask(&one, ALICE_SESAME);
    ask(&two, NOBODY);
    configure("basic_auth_users: {}");
    uv_sem_post(&gate);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(one.verdict, DOOR_OPEN);
    assert_int_equal(two.verdict, DOOR_OPEN);
    assert_int_equal(atomic_load(&asked), 1);
}

/* A connection that is told may ask for its next request, or end others. */
static struct guest again, leaves;

static void on_decided_ask_again(struct door_wait *w, enum door_verdict v)
{
    on_decided(w, v);
    assert_int_equal(ask(&again, wrong(3)), DOOR_WAIT);
    door.leave(door.ctx, &leaves.wait);
}

static void being_told_one_may_ask_and_leave(void **state)
{
    struct guest first;

    (void)state;
    atomic_store(&held, true);
    ask(&leaves, ALICE_SESAME);
    ask(&first, ALICE_SESAME); /* told first: the last come */
    first.wait.decided = on_decided_ask_again;
    uv_sem_post(&gate);
    uv_sem_post(&gate);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(first.verdict, DOOR_OPEN);
    assert_int_equal(leaves.decided, 0);
    assert_int_equal(again.verdict, DOOR_LOCKED);
}

static int no_bcrypt(const char *hash, const char *password)
{
    (void)hash;
    (void)password;
    return -ENOTSUP;
}

static void a_libcrypt_without_bcrypt_lets_nobody_in(void **state)
{
    (void)state;
    log_configure(LOG_ERROR + 1, false);
    toolbox.bcrypt = no_bcrypt;
    assert_int_equal(outcome(ALICE_SESAME), DOOR_LOCKED);
    assert_int_equal(outcome(NOBODY), DOOR_LOCKED);
}

/* ---- rate and headers ----------------------------------------------------------------- */

static void requests_beyond_the_rate_come_again(void **state)
{
    (void)state;
    configure("rate_limit: {interval: 1h, burst: 3}\n"
              "basic_auth_users: {alice: " SESAME "}");
    assert_int_equal(outcome(ALICE_SESAME), DOOR_OPEN);
    assert_int_equal(outcome(""), DOOR_LOCKED);
    /* The same rate goes on where it was, another one begins anew. */
    configure("rate_limit: {interval: 1h, burst: 3}\n");
    assert_int_equal(outcome(""), DOOR_OPEN);
    assert_int_equal(outcome(""), DOOR_BUSY);
    assert_int_equal(outcome(ALICE_SESAME), DOOR_BUSY);
    assert_int_equal(count(LOGIN_LIMITED), 2);
    configure("rate_limit: {interval: 1h, burst: 1}\n");
    assert_int_equal(outcome(""), DOOR_OPEN);
    assert_int_equal(outcome(""), DOOR_BUSY);
    configure("rate_limit: {interval: 0, burst: 0}\n");
    for (int i = 0; i < 100; i++)
        assert_int_equal(outcome(""), DOOR_OPEN);
}

static void headers_are_those_of_the_config(void **state)
{
    (void)state;
    assert_string_equal(door.headers(door.ctx), "");
    configure("http_server_config: {headers: {X-Frame-Options: deny}}");
    assert_string_equal(door.headers(door.ctx), "X-Frame-Options: deny\r\n");
}

#define unit(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit(the_right_password_opens),
        unit(everything_else_does_not),
        unit(what_cannot_be_read_costs_no_check),
        unit(without_users_everybody_comes_in),
        unit(unknown_names_cost_a_check_and_never_come_in),
        unit(the_hash_that_stands_in_is_always_the_same),
        unit(the_right_password_is_checked_once),
        unit(a_wrong_one_is_remembered_for_ten_seconds),
        unit(wrong_ones_do_not_push_out_the_right_one),
        unit(a_changed_config_empties_both_memories),
        unit(one_check_at_a_time_sixteen_wait_and_the_rest_come_again),
        unit(equal_passwords_share_a_check),
        unit(who_leaves_makes_room),
        unit(everybody_may_leave),
        unit(a_check_that_was_begun_before_the_change_is_begun_again),
        unit(who_waits_when_the_users_go_comes_in),
        unit(being_told_one_may_ask_and_leave),
        unit(a_libcrypt_without_bcrypt_lets_nobody_in),
        unit(requests_beyond_the_rate_come_again),
        unit(headers_are_those_of_the_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
