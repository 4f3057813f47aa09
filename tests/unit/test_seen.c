#include "tests/unit/module_host.h"

#include "modules/cost/seen.h"

enum { NAMES = 6000 };

/* Scenarios that differ in name alone. */
struct cast {
    struct scenario *s[NAMES];
};

static int set_up(void **state)
{
    struct cast *c = mem_alloc(sizeof *c);

    for (int i = 0; i < NAMES; i++) {
        char name[16];

        snprintf(name, sizeof name, "s%d", i);

        const struct scenario from = unknown_scenario(name);

        c->s[i] = scenario_new(&from);
    }
    *state = c;
    return 0;
}

static int tear_down(void **state)
{
    struct cast *c = *state;

    for (int i = 0; i < NAMES; i++)
        scenario_unref(c->s[i]);
    free(c);
    return 0;
}

static void what_is_there_is_known_with_its_quantities(void **state)
{
    struct cast *c = *state;
    struct seen *s = seen_new(VIEW("r"), 0);

    for (uint32_t i = 0; i < NAMES; i++) {
        double *level = seen_here(s, c->s[i], 1)->level;

        assert_near(level[ENERGY_KWH], 0, 0);
        level[ENERGY_KWH] = i;
        seen_here(s, c->s[i], 2)->level[GPU_HOURS] =
            i; /* a repeat: an entry of its own */
    }
    seen_settle(s);
    assert_int_equal(seen_count(s), 2 * NAMES);
    assert_int_equal(seen_present(s), 2 * NAMES);
    for (uint32_t i = 0; i < NAMES; i++) {
        assert_near(seen_here(s, c->s[i], 1)->level[ENERGY_KWH], i, 0);
        assert_near(seen_here(s, c->s[i], 2)->level[ENERGY_KWH], 0, 0);
        assert_near(seen_here(s, c->s[i], 2)->level[GPU_HOURS], i, 0);
    }
    assert_view(seen_id(s), "r");
    seen_free(s);
}

static void what_was_away_since_an_earlier_change_is_settled(void **state)
{
    struct cast *c = *state;
    struct seen *s = seen_new(VIEW("r"), 12.5);
    struct noted *n;

    assert_near(seen_opened(s), 12.5, 0);
    seen_here(s, c->s[0], 1)->level[ENERGY_KWH] = 3;
    seen_settle(s);
    seen_left(s, c->s[0], 1); /* only moved */
    n = seen_here(s, c->s[0], 1);
    assert_near(n->floor[ENERGY_KWH], 0, 0);
    seen_settle(s);
    seen_left(s, c->s[0], 1);
    seen_settle(s);
    n = seen_here(s, c->s[0], 1);
    assert_near(n->level[ENERGY_KWH], 3, 0);
    assert_near(n->floor[ENERGY_KWH], 3, 0);
    seen_free(s);
}

static void those_that_left_last_are_kept(void **state)
{
    struct cast *c = *state;
    struct seen *s = seen_new(VIEW("r"), 0);

    /* One scenario at a time, under ever new names: at most one was there at once. */
    for (int i = 0; i < NAMES; i++) {
        if (i > 0)
            seen_left(s, c->s[i - 1], 1);
        seen_here(s, c->s[i], 1)->level[CPU_HOURS] = i + 1;
        seen_settle(s);
        assert_true(seen_count(s) <= SEEN_LEFT_LEAST + 1);
    }
    assert_int_equal(seen_count(s), SEEN_LEFT_LEAST + 1);
    /* The last 1000 that left, from the newest: known. */
    for (int i = NAMES - 2; i >= NAMES - 1 - SEEN_LEFT_LEAST; i--)
        assert_near(seen_here(s, c->s[i], 1)->level[CPU_HOURS], i + 1, 0);
    /* The one before them: not. */
    assert_near(seen_here(s, c->s[NAMES - 2 - SEEN_LEFT_LEAST], 1)->level[CPU_HOURS], 0,
                0);
    seen_free(s);
}

static void as_many_are_kept_as_ever_were_there_at_once(void **state)
{
    struct cast *c = *state;
    struct seen *s = seen_new(VIEW("r"), 0);
    enum { MOST = NAMES / 2 };

    for (int i = 0; i < MOST; i++)
        seen_here(s, c->s[i], 1)->level[ENERGY_KWH] = 1;
    seen_settle(s);
    /* Written anew: all are gone but for the first, and come back one by one. */
    for (int i = 1; i < MOST; i++)
        seen_left(s, c->s[i], 1);
    seen_settle(s);
    assert_int_equal(seen_count(s), MOST);
    for (int i = 1; i < MOST; i++) {
        assert_near(seen_here(s, c->s[i], 1)->level[ENERGY_KWH], 1, 0);
        seen_settle(s);
    }
    assert_int_equal(seen_present(s), MOST);
    /* All others in their place: the first are kept, not one more. */
    seen_all_left(s);
    for (int i = MOST; i < NAMES; i++)
        seen_here(s, c->s[i], 1);
    seen_settle(s);
    assert_int_equal(seen_count(s), 2 * MOST);
    seen_left(s, c->s[MOST], 1);
    seen_settle(s);
    assert_int_equal(seen_count(s), 2 * MOST - 1);
    seen_free(s);
}

/* The same by searching: `when` each left, 0 while it is there. */
struct model {
    uint32_t when[NAMES], clock;
    bool known[NAMES];
    size_t present, left, most, forgotten;
};

static void model_here(struct model *m, int i)
{
    if (m->known[i] && m->when[i])
        m->left--;
    if (!m->known[i] || m->when[i])
        m->present++;
    m->known[i] = true;
    m->when[i] = 0;
}

static void model_left(struct model *m, int i)
{
    if (!m->known[i] || m->when[i])
        return;
    m->when[i] = ++m->clock;
    m->present--;
    m->left++;
}

static void model_settle(struct model *m)
{
    if (m->present > m->most)
        m->most = m->present;
    while (m->left > SEEN_LEFT_LEAST && m->left > m->most) {
        int first = -1;

        for (int i = 0; i < NAMES; i++)
            if (m->known[i] && m->when[i] && (first < 0 || m->when[i] < m->when[first]))
                first = i;
        m->known[first] = false;
        m->left--;
        m->forgotten++;
    }
}

static void coming_and_going_at_random_is_what_a_search_finds(void **state)
{
    struct cast *c = *state;
    struct model *m = mem_zalloc(sizeof *m);
    struct seen *s = seen_new(VIEW("r"), 0);
    uint64_t random = 1;

    for (int step = 0; step < 30000; step++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;

        /* Names wander upwards, so that old ones leave for good. */
        int i = (int)((random >> 33) % 2500 + (unsigned)step / 10) % NAMES;

        if (random >> 62 == 0) {
            double *level = seen_here(s, c->s[i], 1)->level;

            assert_true((level[ENERGY_KWH] > 0) == m->known[i]);
            level[ENERGY_KWH] = 1;
            model_here(m, i);
        } else {
            seen_left(s, c->s[i], 1);
            model_left(m, i);
        }
        if (step % 50 == 0) {
            seen_settle(s);
            model_settle(m);
        }
        assert_int_equal(seen_count(s), m->present + m->left);
        assert_int_equal(seen_present(s), m->present);
    }
    assert_true(m->forgotten > SEEN_LEFT_LEAST);
    seen_free(s);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_is_known_with_its_quantities),
        cmocka_unit_test(what_was_away_since_an_earlier_change_is_settled),
        cmocka_unit_test(those_that_left_last_are_kept),
        cmocka_unit_test(as_many_are_kept_as_ever_were_there_at_once),
        cmocka_unit_test(coming_and_going_at_random_is_what_a_search_finds),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
