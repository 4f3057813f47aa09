#include "core/sharing.h"
#include "core/mem.h"

#include "tests/unit/test.h"

#include <stdlib.h>
#include <time.h>

/* Cells of 1 s from 0 on. */
static struct timeline means(const double values[], size_t n)
{
    struct timeline t = { .step_s = 1, .of_means = true };

    for (size_t i = 0; i < n; i++)
        timeline_set(&t, (int64_t)i, values[i]);
    return t;
}

static struct timeline level(double power_w, size_t seconds)
{
    struct timeline t = { .step_s = 1, .of_means = true };

    for (size_t i = 0; i < seconds; i++)
        timeline_set(&t, (int64_t)i, power_w);
    return t;
}

#define SPLIT(t, shares, ...)                                                          \
    sharing_split((t), (const struct claim[]){ __VA_ARGS__ },                          \
                  sizeof((const struct claim[]){ __VA_ARGS__ }) /                      \
                      sizeof(struct claim),                                            \
                  (shares))

static void who_runs_alone_is_charged_for_all(void **state)
{
    (void)state;
    struct timeline t = level(100, 60);
    struct share s[2];

    /* also where nothing is known of its cores, or they were idle */
    SPLIT(&t, s, { 10, 20.5, NAN }, { 30, 40, 0 });
    assert_near(s[0].own, 1050, 0);
    assert_near(s[0].whole, 1050, 0);
    assert_near(s[0].covered_s, 10.5, 0);
    assert_false(s[0].shared);
    assert_near(s[1].own, 1000, 0);
    assert_false(s[1].shared);
    timeline_deinit(&t);
}

static void those_who_run_at_once_share_by_their_cores(void **state)
{
    (void)state;
    struct timeline t = level(100, 60);
    struct share s[2];

    SPLIT(&t, s, { 0, 40, 6 }, { 20, 60, 2 });
    /* 20 s alone, 20 s of which 6/8; the other one 2/8, then alone */
    assert_near(s[0].own, 2000 + 1500, 1e-15);
    assert_near(s[1].own, 500 + 2000, 1e-15);
    assert_near(s[0].whole, 4000, 0);
    assert_near(s[1].whole, 4000, 0);
    assert_true(s[0].shared && s[1].shared);
    timeline_deinit(&t);
}

static void they_share_equally_where_cores_are_not_known_of_all(void **state)
{
    (void)state;
    struct timeline t = level(90, 60);
    struct share s[3];

    /* from 0 to 20 three run, one of them unknown; from 20 to 40 the two known ones */
    SPLIT(&t, s, { 0, 40, 2 }, { 0, 40, 1 }, { 0, 20, NAN });
    assert_near(s[0].own, 600 + 1200, 1e-15);
    assert_near(s[1].own, 600 + 600, 1e-15);
    assert_near(s[2].own, 600, 1e-15);
    /* an infinite use, or one below nothing, is none that is known */
    SPLIT(&t, s, { 0, 40, 2 }, { 0, 40, INFINITY }, { 0, 40, -1 });
    for (int i = 0; i < 3; i++)
        assert_near(s[i].own, 1200, 1e-15);
    timeline_deinit(&t);
}

static void they_share_equally_where_none_uses_a_core(void **state)
{
    (void)state;
    struct timeline t = level(100, 60);
    struct share s[3];

    /* one that used something ran before, and has left no crumbs of it */
    SPLIT(&t, s, { 0, 10, 0.1 }, { 0, 30, 0 }, { 0, 30, 0 });
    assert_near(s[0].own, 1000, 1e-15);
    assert_near(s[1].own, 1000, 1e-15);
    assert_near(s[2].own, 1000, 1e-15);
    timeline_deinit(&t);
}

static void the_end_of_one_is_the_begin_of_another_and_nothing_is_shared(void **state)
{
    (void)state;
    struct timeline t = level(100, 60);
    struct share s[3];

    SPLIT(&t, s, { 20, 30, 4 }, { 0, 20, 4 }, { 30, 35, NAN });
    assert_near(s[0].own, 1000, 0);
    assert_near(s[1].own, 2000, 0);
    assert_near(s[2].own, 500, 0);
    for (int i = 0; i < 3; i++)
        assert_false(s[i].shared);
    timeline_deinit(&t);
}

static void the_shortest_overlap_counts_as_shared(void **state)
{
    (void)state;
    struct timeline t = level(100, 60);
    struct share s[3];

    SPLIT(&t, s, { 0, 20.001, 1 }, { 20, 40, 1 }, { 40, 50, 1 });
    assert_true(s[0].shared && s[1].shared);
    assert_false(s[2].shared);
    assert_near(s[0].own, 2000 + 0.05, 1e-12);
    timeline_deinit(&t);
}

static void claims_of_the_same_times_are_alike(void **state)
{
    (void)state;
    struct timeline t = level(100, 60);
    struct share s[4];

    SPLIT(&t, s, { 5, 25, 1 }, { 5, 25, 1 }, { 5, 25, 1 }, { 5, 25, 1 });
    for (int i = 0; i < 4; i++) {
        assert_near(s[i].own, 500, 1e-15);
        assert_near(s[i].whole, 2000, 0);
        assert_true(s[i].shared);
    }
    timeline_deinit(&t);
}

static void what_is_not_known_is_shared_by_nobody(void **state)
{
    (void)state;
    struct timeline t = means((const double[]){ 10, NAN, NAN, 30 }, 4);
    struct share s[3];

    SPLIT(&t, s, { 0, 4, NAN }, { 1, 3, NAN }, { 2.5, 4, NAN });
    /* of the holes nothing; the last second in two parts */
    assert_near(s[0].own, 10 + 15, 0);
    assert_near(s[0].covered_s, 2, 0);
    assert_near(s[0].whole, 40, 0);
    assert_unknown(s[1].own);
    assert_unknown(s[1].whole);
    assert_near(s[1].covered_s, 0, 0);
    assert_true(s[1].shared);
    assert_near(s[2].own, 15, 0);
    assert_near(s[2].covered_s, 1, 0);
    timeline_deinit(&t);
}

static void one_that_has_no_time_takes_no_part(void **state)
{
    (void)state;
    struct timeline t = level(100, 60);
    struct share s[4];

    SPLIT(&t, s, { 10, 20, 1 }, { 15, 15, 1 }, { 18, 12, 1 }, { NAN, 15, 1 });
    assert_near(s[0].own, 1000, 0);
    assert_false(s[0].shared);
    for (int i = 1; i < 4; i++) {
        assert_unknown(s[i].own);
        assert_near(s[i].covered_s, 0, 0);
        assert_false(s[i].shared);
    }
    sharing_split(&t, NULL, 0, NULL);
    timeline_deinit(&t);
}

static void a_small_share_beside_large_ones_keeps_its_digits(void **state)
{
    (void)state;
    struct timeline t = level(1e6, 100);
    struct share s[4];

    /* 1e6 W by 1e-9 cores is 1e15 W a core, before and behind the one of 1 s */
    SPLIT(&t, s, { 0, 40, 1e-9 }, { 0, 40, 1e-9 }, { 50, 51, 3 }, { 50, 51, 1 });
    assert_near(s[2].own, 750000, 1e-15);
    assert_near(s[3].own, 250000, 1e-15);
    timeline_deinit(&t);
}

/* ---- many ------------------------------------------------------------------------ */

static uint64_t drawn(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static double drawn_up_to(uint64_t *state, double top)
{
    return (double)(drawn(state) >> 11) * 0x1p-53 * top;
}

static int by_start(const void *a, const void *b)
{
    double x = ((const struct claim *)a)->start_s,
           y = ((const struct claim *)b)->start_s;

    return (x > y) - (x < y);
}

static double or_zero(double v)
{
    return isnan(v) ? 0 : v;
}

/* What the machine used while at least one of them ran. */
static double union_total(const struct timeline *t, const struct claim claims[],
                          size_t n)
{
    struct claim *sorted = mem_alloc(n * sizeof *sorted);
    double sum = 0, from = NAN, to = -INFINITY;

    memcpy(sorted, claims, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_start);
    for (size_t i = 0; i < n; i++) {
        if (sorted[i].start_s > to) {
            sum += or_zero(timeline_total(t, from, to, NULL));
            from = sorted[i].start_s;
        }
        to = fmax(to, sorted[i].end_s);
    }
    free(sorted);
    return sum + or_zero(timeline_total(t, from, to, NULL));
}

static void random_claims(uint64_t *seed, struct claim claims[], size_t n, int kind)
{
    for (size_t i = 0; i < n; i++) {
        /* whole seconds meet each other often, others never */
        double start = drawn_up_to(seed, 2000), length = drawn_up_to(seed, 90) + 0.001;

        if (kind % 2) {
            start = floor(start);
            length = ceil(length);
        }
        claims[i] = (struct claim){ 1.7e9 + start, 1.7e9 + start + length, NAN };
        if (kind % 3 == 0 || (kind % 3 == 1 && drawn(seed) % 20))
            claims[i].cores = drawn(seed) % 5 ? drawn_up_to(seed, 64) : 0;
    }
}

static void all_are_charged_together_what_the_machine_used(void **state)
{
    (void)state;
    enum { MOST = 120 };
    struct claim claims[MOST];
    struct share shares[MOST];
    uint64_t seed = 424242;

    for (int round = 0; round < 600; round++) {
        size_t n = 1 + drawn(&seed) % MOST;
        struct timeline t = { .step_s = round % 5 ? 1 : 5, .of_means = round % 2 };
        int64_t first = timeline_cell(&t, 1.7e9);
        double sum = 0;

        for (int64_t i = 0; i < 2100; i++)
            timeline_set(&t, first + i,
                         drawn(&seed) % 8 < 1 ? NAN : drawn_up_to(&seed, 300));
        random_claims(&seed, claims, n, round / 2);
        sharing_split(&t, claims, n, shares);
        for (size_t i = 0; i < n; i++) {
            double covered, alone = timeline_total(&t, claims[i].start_s,
                                                   claims[i].end_s, &covered);

            assert_near(shares[i].whole, alone, 1e-12);
            assert_near(shares[i].covered_s, covered, 1e-12);
            assert_true(isnan(alone) ||
                        (shares[i].own >= 0 && shares[i].own <= alone * (1 + 1e-12)));
            assert_true(shares[i].shared || isnan(alone) ||
                        shares[i].own == shares[i].whole);
            sum += or_zero(shares[i].own);
        }
        assert_near(sum, union_total(&t, claims, n), 1e-12);
        timeline_deinit(&t);
    }
}

/* By the definition: every interval between two times at which something changes, and
 * everybody who runs in it. */
static double own_by_definition(const struct timeline *t, const struct claim claims[],
                                size_t n, size_t who, const double cuts[], size_t count)
{
    double own = 0;

    for (size_t k = 0; k + 1 < count; k++) {
        double middle = (cuts[k] + cuts[k + 1]) / 2, cores = 0, heads = 0;
        bool unknown = false;

        if (cuts[k] >= cuts[k + 1] || middle < claims[who].start_s ||
            middle > claims[who].end_s)
            continue;
        for (size_t i = 0; i < n; i++) {
            if (middle < claims[i].start_s || middle > claims[i].end_s)
                continue;
            heads++;
            unknown = unknown || isnan(claims[i].cores);
            cores += or_zero(claims[i].cores);
        }
        own += or_zero(timeline_total(t, cuts[k], cuts[k + 1], NULL)) *
               (unknown || cores == 0 ? 1 / heads : claims[who].cores / cores);
    }
    return own;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void each_is_charged_as_the_definition_says(void **state)
{
    (void)state;
    enum { CLAIMS = 25, CUTS = 2 * CLAIMS };
    struct claim claims[CLAIMS];
    struct share shares[CLAIMS];
    double cuts[CUTS];
    uint64_t seed = 99;

    for (int round = 0; round < 60; round++) {
        struct timeline t = { .step_s = 5, .of_means = round % 2 };
        int64_t first = timeline_cell(&t, 1.7e9);

        for (int64_t i = 0; i < 450; i++)
            timeline_set(&t, first + i,
                         drawn(&seed) % 8 < 1 ? NAN : drawn_up_to(&seed, 300));
        random_claims(&seed, claims, CLAIMS, round);
        for (size_t i = 0; i < CLAIMS; i++) { /* closer together */
            double shift = floor((claims[i].start_s - 1.7e9) * 0.9);

            claims[i].start_s -= shift;
            claims[i].end_s -= shift;
            cuts[2 * i] = claims[i].start_s;
            cuts[2 * i + 1] = claims[i].end_s;
        }
        qsort(cuts, CUTS, sizeof *cuts, by_value);
        sharing_split(&t, claims, CLAIMS, shares);
        for (size_t i = 0; i < CLAIMS; i++)
            assert_near(or_zero(shares[i].own),
                        own_by_definition(&t, claims, CLAIMS, i, cuts, CUTS), 1e-11);
        timeline_deinit(&t);
    }
}

static void ten_thousand_at_once_take_no_longer_than_one_after_another(void **state)
{
    (void)state;
    enum { MANY = 10000 };
    struct claim *claims = mem_alloc(MANY * sizeof *claims);
    struct share *shares = mem_alloc(MANY * sizeof *shares);
    struct timeline t = level(100, 86400);
    double sum = 0, seconds;
    clock_t begin;

    /* All of them run from second 10 000 to second 76 400. */
    for (size_t i = 0; i < MANY; i++)
        claims[i] = (struct claim){ (double)i, 86400 - (double)i, 1 + (double)(i % 7) };
    begin = clock();
    sharing_split(&t, claims, MANY, shares);
    seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    for (size_t i = 0; i < MANY; i++)
        sum += shares[i].own;
    assert_near(sum, 8640000, 1e-12);
    print_message("%d claims: %.1f ms\n", MANY, seconds * 1000);
    /* Some milliseconds; with sanitizers, on a busy machine, some more. By walking all
     * that run at each begin and end it would be seconds. */
    assert_true(seconds < 0.5);
    free(claims);
    free(shares);
    timeline_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_runs_alone_is_charged_for_all),
        cmocka_unit_test(those_who_run_at_once_share_by_their_cores),
        cmocka_unit_test(they_share_equally_where_cores_are_not_known_of_all),
        cmocka_unit_test(they_share_equally_where_none_uses_a_core),
        cmocka_unit_test(the_end_of_one_is_the_begin_of_another_and_nothing_is_shared),
        cmocka_unit_test(the_shortest_overlap_counts_as_shared),
        cmocka_unit_test(claims_of_the_same_times_are_alike),
        cmocka_unit_test(what_is_not_known_is_shared_by_nobody),
        cmocka_unit_test(one_that_has_no_time_takes_no_part),
        cmocka_unit_test(a_small_share_beside_large_ones_keeps_its_digits),
        cmocka_unit_test(all_are_charged_together_what_the_machine_used),
        cmocka_unit_test(each_is_charged_as_the_definition_says),
        cmocka_unit_test(ten_thousand_at_once_take_no_longer_than_one_after_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
