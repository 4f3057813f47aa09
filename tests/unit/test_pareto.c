#include "modules/compare/pareto.h"

#include "tests/unit/test.h"

enum { MOST = 64 };

/* By its definition: every point against every other. */
static bool beaten(const struct pareto_point points[], size_t n, size_t i)
{
    for (size_t k = 0; k < n; k++) {
        const struct pareto_point *a = &points[k], *b = &points[i];

        if (a->price <= b->price && a->quality >= b->quality &&
            (a->price < b->price || a->quality > b->quality))
            return true;
    }
    return false;
}

static void check(const struct pareto_point points[], size_t n)
{
    struct pareto_point sorted[MOST];
    bool optimal[MOST];

    for (size_t i = 0; i < n; i++) {
        sorted[i] = points[i];
        sorted[i].index = i;
    }
    pareto_front(sorted, n, optimal);
    for (size_t i = 0; i < n; i++)
        if (optimal[i] == beaten(points, n, i))
            fail_msg("point %zu of %zu", i, n);
}

static void the_front_is_what_no_other_beats(void **state)
{
    /*            optimal  dominated  optimal  dearer, same  cheaper, same  worst */
    const struct pareto_point points[] = { { 1, 50, 0 }, { 2, 40, 1 }, { 3, 90, 2 },
                                           { 4, 90, 3 }, { 3, 80, 4 }, { 9, 10, 5 } };
    const bool want[] = { true, false, true, false, false, false };
    struct pareto_point sorted[6];
    bool got[6];

    (void)state;
    for (size_t i = 0; i < 6; i++)
        sorted[i] = points[i];
    pareto_front(sorted, 6, got);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(got[i], want[i]);
}

static void equals_stand_or_fall_together(void **state)
{
    struct pareto_point twins[] = {
        { 2, 60, 0 }, { 1, 50, 1 }, { 2, 60, 2 }, { 3, 55, 3 }, { 3, 55, 4 }
    };
    bool got[5];

    (void)state;
    pareto_front(twins, 5, got);
    assert_true(got[0] && got[1] && got[2]);
    assert_false(got[3] || got[4]);
}

static void one_alone_and_none_at_all(void **state)
{
    struct pareto_point one[] = { { 0, 0, 0 } };
    bool got[1] = { false };

    (void)state;
    pareto_front(one, 1, got);
    assert_true(got[0]);
    pareto_front(one, 0, got);
}

/* Few different values, so that ties of every kind come up. */
static void whatever_comes(void **state)
{
    struct pareto_point points[MOST];
    uint64_t dice = 1;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        size_t n = (size_t)(round % MOST);

        for (size_t i = 0; i < n; i++) {
            dice = dice * 6364136223846793005u + 1442695040888963407u;
            points[i] = (struct pareto_point){ (double)(dice >> 60),
                                               (double)((dice >> 40) % 9), i };
        }
        check(points, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_front_is_what_no_other_beats),
        cmocka_unit_test(equals_stand_or_fall_together),
        cmocka_unit_test(one_alone_and_none_at_all),
        cmocka_unit_test(whatever_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
