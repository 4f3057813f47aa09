/* Parts of the scores of frames, and the worst of them. */
#include "core/frame_span.h"

#include "tests/unit/test.h"

#include <stdlib.h>

enum { MOST = 5 * FRAME_BLOCK + 7 };

static struct frame_scores scores_of(const double scores[], size_t n)
{
    struct frame_scores s = { 0 };

    for (size_t i = 0; i < n; i++)
        frame_scores_add(&s, scores[i]);
    return s;
}

static uint64_t next(uint64_t *x) /* xorshift */
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* Every tenth is equal to others, identical, or none. wide: no millionths. */
static void make(double scores[], size_t n, uint64_t seed, bool wide)
{
    uint64_t x = seed * 2654435761U + 88172645463325252U;

    for (size_t i = 0; i < n; i++) {
        uint64_t v = next(&x) % 100000000;

        scores[i] = v % 30 == 0   ? NAN
                    : v % 30 == 1 ? INFINITY
                    : v % 30 == 2 ? 1
                    : wide        ? (double)v / 3e6
                                  : (double)v / 1e6;
    }
}

static void assert_span(const struct frame_scores *s, const double scores[],
                        size_t from, size_t end)
{
    struct frame_span got = frame_scores_span(s, from, end), want = frame_span_none();

    for (size_t i = from; i < end; i++)
        frame_span_add(&want, scores[i]);
    assert_int_equal(got.finite, want.finite);
    assert_int_equal(got.infinite, want.infinite);
    assert_near(got.min, want.min, 0);
    assert_near(got.max, want.max, 0);
    assert_near(frame_span_mean(&got), frame_span_mean(&want), 1e-12);
}

static void a_span_is_what_its_scores_come_to(void **state)
{
    static double scores[MOST];

    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        struct frame_scores s;

        make(scores, MOST, 1, wide);
        s = scores_of(scores, MOST);
        assert_true((s.wide != NULL) == (wide == 1));
        for (size_t from = 0; from <= MOST; from += 37)
            for (size_t end = from; end <= MOST; end += 23)
                assert_span(&s, scores, from, end);
        for (size_t i = 0; i <= MOST; i += FRAME_BLOCK)
            for (size_t end = i; end <= MOST; end += FRAME_BLOCK)
                assert_span(&s, scores, i, end);
        assert_span(&s, scores, FRAME_BLOCK, MOST);
        frame_scores_deinit(&s);
    }
}

static void figures_by_hand(void **state)
{
    const double scores[] = { 4, INFINITY, NAN, 1, 3 };
    struct frame_scores s = scores_of(scores, 5);
    struct frame_span p = frame_scores_span(&s, 0, 5);

    (void)state;
    assert_int_equal(p.finite, 3);
    assert_int_equal(p.infinite, 1);
    assert_near(p.min, 1, 0);
    assert_near(p.max, 4, 0);
    assert_near(frame_span_mean(&p), 8.0 / 3, 1e-15);
    p = frame_scores_span(&s, 1, 3);
    assert_int_equal(p.finite, 0);
    assert_int_equal(p.infinite, 1);
    assert_unknown(frame_span_mean(&p));
    frame_scores_deinit(&s);
}

static const double *sorting;

static int by_score(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;

    if (sorting[x] != sorting[y])
        return sorting[x] < sorting[y] ? -1 : 1;
    return (x > y) - (x < y);
}

/* The worst by sorting all. */
static void assert_worst(const double scores[], const struct frame_scores *s,
                         size_t from, size_t end, size_t n)
{
    static size_t order[MOST];
    size_t got[FRAME_WORST_MAX], count = 0;

    for (size_t i = from; i < end; i++)
        if (!isnan(scores[i]))
            order[count++] = i;
    sorting = scores;
    qsort(order, count, sizeof *order, by_score);
    count = count < n ? count : n;
    assert_int_equal(frame_scores_worst(s, from, end, n, got), count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(got[i], order[i]);
}

static void the_worst_are_those_of_the_sorted_scores(void **state)
{
    static double scores[MOST];
    const size_t counts[] = { 0, 1, 2, 5, 10, 255, 256 };

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct frame_scores s;

        make(scores, MOST, seed, seed % 2);
        for (size_t i = 0; seed % 5 == 0 && i < MOST; i++) /* falls: the worst case */
            scores[i] = (double)(MOST - i) / (double)(1 + seed % 2);
        s = scores_of(scores, MOST);
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            assert_worst(scores, &s, 0, MOST, counts[i]);
            assert_worst(scores, &s, FRAME_BLOCK, MOST, counts[i]);
            assert_worst(scores, &s, 100 + seed, 101 + seed, counts[i]);
            assert_worst(scores, &s, 5, 2 * FRAME_BLOCK + 3, counts[i]);
            assert_worst(scores, &s, 7, 7, counts[i]);
        }
        frame_scores_deinit(&s);
    }
}

static void of_equals_the_earlier_are_worse(void **state)
{
    static double scores[MOST];
    const double few[] = { 9, 3, NAN, 5, 3, INFINITY, 1, 7 };
    const size_t want[] = { 6, 1, 4, 3, 7, 0, 5 };
    struct frame_scores s = scores_of(few, 8);
    size_t got[FRAME_WORST_MAX];

    (void)state;
    assert_int_equal(frame_scores_worst(&s, 0, 8, 100, got), 7);
    assert_memory_equal(got, want, sizeof want);
    frame_scores_deinit(&s);

    for (size_t i = 0; i < MOST; i++)
        scores[i] = i % 2 ? 1 : INFINITY;
    s = scores_of(scores, MOST);
    for (size_t n = 1; n <= 256; n *= 4)
        assert_worst(scores, &s, 0, MOST, n);
    frame_scores_deinit(&s);
    for (size_t i = 0; i < MOST; i++)
        scores[i] = i / FRAME_BLOCK < 3 ? NAN : INFINITY;
    s = scores_of(scores, MOST);
    assert_worst(scores, &s, 0, MOST, 7);
    assert_worst(scores, &s, 0, FRAME_BLOCK, 7);
    frame_scores_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_is_what_its_scores_come_to),
        cmocka_unit_test(figures_by_hand),
        cmocka_unit_test(the_worst_are_those_of_the_sorted_scores),
        cmocka_unit_test(of_equals_the_earlier_are_worse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
