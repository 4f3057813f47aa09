#include "tests/unit/test.h"

#include "server/fetch/breaker.h"

/* What happens, and what is to be seen after it. */
enum act { ASK, GOOD, BAD, ABANDONED };

struct step {
    uint64_t at_ms;
    enum act act;
    uint32_t random;
    bool answer; /* of breaker_allows(), or whether the state changed */
    enum breaker_state state;
    uint64_t due_ms; /* looked at while open */
};

static const struct breaker_rules rules = { .failures = 3,
                                            .first_ms = 1000,
                                            .longest_ms = 5000 };

static bool act(struct breaker *b, const struct step *s)
{
    switch (s->act) {
    case ASK:
        return breaker_allows(b, s->at_ms);
    case GOOD:
        return breaker_good(b);
    case BAD:
        return breaker_bad(b, s->at_ms, s->random);
    case ABANDONED:
        breaker_abandoned(b);
        return false;
    }
    return false;
}

static void follow(const struct step *steps, size_t n, struct breaker *b)
{
    *b = (struct breaker){ .rules = rules };
    for (size_t i = 0; i < n; i++) {
        const struct step *s = &steps[i];
        bool answer = act(b, s);

        if (answer != s->answer || b->state != s->state ||
            (s->state == BREAKER_OPEN && b->due_ms != s->due_ms))
            fail_msg("step %zu: answer %d, state %s, due %llu", i, answer,
                     breaker_state_name(b->state), (unsigned long long)b->due_ms);
    }
}

#define FOLLOW(steps, b) follow(steps, sizeof(steps) / sizeof *(steps), b)

static void three_failures_in_a_row_open_it(void **state)
{
    static const struct step steps[] = {
        { 0, ASK, 0, true, BREAKER_CLOSED, 0 },
        { 0, BAD, 0, false, BREAKER_CLOSED, 0 },
        { 1, BAD, 0, false, BREAKER_CLOSED, 0 },
        { 2, GOOD, 0, false, BREAKER_CLOSED, 0 }, /* the row begins anew */
        { 3, BAD, 0, false, BREAKER_CLOSED, 0 },
        { 4, BAD, 0, false, BREAKER_CLOSED, 0 },
        { 4, ASK, 0, true, BREAKER_CLOSED, 0 },
        /* 1000 ms, of which half is random: 5 + 500 + 0 */
        { 5, BAD, 0, true, BREAKER_OPEN, 505 },
        { 504, ASK, 0, false, BREAKER_OPEN, 505 },
    };
    struct breaker b;

    (void)state;
    FOLLOW(steps, &b);
    assert_int_equal(b.opened, 1);
}

static void one_probe_decides(void **state)
{
    static const struct step steps[] = {
        { 0, BAD, 0, false, BREAKER_CLOSED, 0 },
        { 0, BAD, 0, false, BREAKER_CLOSED, 0 },
        { 0, BAD, 0, true, BREAKER_OPEN, 500 },
        { 500, ASK, 0, true, BREAKER_HALF_OPEN, 0 },
        { 500, ASK, 0, false, BREAKER_HALF_OPEN, 0 }, /* the probe is under way */
        { 600, GOOD, 0, true, BREAKER_CLOSED, 0 },
        { 600, ASK, 0, true, BREAKER_CLOSED, 0 },
        { 601, BAD, 0, false, BREAKER_CLOSED, 0 }, /* forgiven are the ones before */
    };
    struct breaker b;

    (void)state;
    FOLLOW(steps, &b);
}

static void a_failed_probe_doubles_the_wait(void **state)
{
    static const struct step steps[] = {
        { 0, BAD, 0, false, BREAKER_CLOSED, 0 },
        { 0, BAD, 0, false, BREAKER_CLOSED, 0 },
        { 0, BAD, 0, true, BREAKER_OPEN, 500 },
        { 1000, ASK, 0, true, BREAKER_HALF_OPEN, 0 },
        { 1000, BAD, 0, true, BREAKER_OPEN, 2000 }, /* + 2000 / 2 */
        { 2000, ASK, 0, true, BREAKER_HALF_OPEN, 0 },
        { 2000, BAD, 0, true, BREAKER_OPEN, 4000 }, /* + 4000 / 2 */
        { 4000, ASK, 0, true, BREAKER_HALF_OPEN, 0 },
        { 4000, BAD, 0, true, BREAKER_OPEN, 6500 }, /* + 5000 / 2: the longest */
        { 9000, ASK, 0, true, BREAKER_HALF_OPEN, 0 },
        { 9000, BAD, 0, true, BREAKER_OPEN, 11500 },
    };
    struct breaker b;

    (void)state;
    FOLLOW(steps, &b);
    assert_int_equal(b.wait_ms, 5000);
    assert_int_equal(b.opened, 5);

    assert_true(breaker_good(&b)); /* next time it waits as at first */
    for (int i = 0; i < 3; i++)
        breaker_bad(&b, 20000, 0);
    assert_int_equal(b.due_ms, 20500);
}

static void jitter_adds_up_to_the_other_half(void **state)
{
    static const struct step steps[] = {
        { 0, BAD, 0, false, BREAKER_CLOSED, 0 },
        { 0, BAD, 0, false, BREAKER_CLOSED, 0 },
        /* 500 + 500 * 0.5 */
        { 0, BAD, 0x80000000u, true, BREAKER_OPEN, 750 },
        { 750, ASK, 0, true, BREAKER_HALF_OPEN, 0 },
        /* 1000 + 1000 * (1 - 2^-32), rounded down */
        { 750, BAD, UINT32_MAX, true, BREAKER_OPEN, 750 + 1999 },
    };
    struct breaker b;

    (void)state;
    FOLLOW(steps, &b);
}

static void what_was_under_way_when_it_opened_is_no_news(void **state)
{
    static const struct step steps[] = {
        { 0, BAD, 0, false, BREAKER_CLOSED, 0 },
        { 0, BAD, 0, false, BREAKER_CLOSED, 0 },
        { 0, BAD, 0, true, BREAKER_OPEN, 500 },
        { 100, BAD, 0, false, BREAKER_OPEN, 500 },
        { 200, GOOD, 0, true, BREAKER_CLOSED, 0 }, /* but that it is well is */
    };
    struct breaker b;

    (void)state;
    FOLLOW(steps, &b);
    assert_int_equal(b.opened, 1);
}

static void a_probe_taken_back_makes_room_for_another(void **state)
{
    static const struct step steps[] = {
        { 0, BAD, 0, false, BREAKER_CLOSED, 0 },
        { 0, BAD, 0, false, BREAKER_CLOSED, 0 },
        { 0, BAD, 0, true, BREAKER_OPEN, 500 },
        { 600, ASK, 0, true, BREAKER_HALF_OPEN, 0 },
        { 700, ABANDONED, 0, false, BREAKER_HALF_OPEN, 0 },
        { 700, ASK, 0, true, BREAKER_HALF_OPEN, 0 },
        { 700, ASK, 0, false, BREAKER_HALF_OPEN, 0 },
    };
    struct breaker b;

    (void)state;
    FOLLOW(steps, &b);
}

static void states_have_names(void **state)
{
    (void)state;
    assert_string_equal(breaker_state_name(BREAKER_CLOSED), "closed");
    assert_string_equal(breaker_state_name(BREAKER_OPEN), "open");
    assert_string_equal(breaker_state_name(BREAKER_HALF_OPEN), "half_open");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_failures_in_a_row_open_it),
        cmocka_unit_test(one_probe_decides),
        cmocka_unit_test(a_failed_probe_doubles_the_wait),
        cmocka_unit_test(jitter_adds_up_to_the_other_half),
        cmocka_unit_test(what_was_under_way_when_it_opened_is_no_news),
        cmocka_unit_test(a_probe_taken_back_makes_room_for_another),
        cmocka_unit_test(states_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
