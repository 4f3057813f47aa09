#include "tests/unit/test.h"

#include "core/mem.h"
#include "server/layout.h"

#include <stdlib.h>

/* Runs that have an id and a count are all that a layout looks at. */
struct fake {
    struct run run;
    char id[32];
};

static struct fake *fakes(size_t n, uint32_t count)
{
    struct fake *f = mem_zalloc(n * sizeof *f);

    for (size_t i = 0; i < n; i++) {
        snprintf(f[i].id, sizeof f[i].id, "run %zu", i);
        f[i].run.id = view_of(f[i].id);
        f[i].run.count = count;
    }
    return f;
}

static void make(struct layout *l, struct fake *f, size_t n, size_t without)
{
    const struct run **runs = mem_alloc(n * sizeof *runs);
    int64_t *mtimes_ns = mem_zalloc(n * sizeof *mtimes_ns);
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (i != without)
            runs[kept++] = &f[i].run;
    layout_make(
        l, &(struct served){ .runs = runs, .mtimes_ns = mtimes_ns, .run_count = kept });
    free(runs);
    free(mtimes_ns);
}

static uint32_t size(const struct layout *l, size_t span)
{
    uint32_t n = 0;

    for (size_t i = 0; i < l->spans[span].count; i++)
        n += l->pieces[l->spans[span].first + i].count;
    return n;
}

static void a_large_run_is_cut_every_256_scenarios(void **state)
{
    struct fake *f = fakes(1, 600);
    struct layout l = { 0 };

    (void)state;
    make(&l, f, 1, 1);
    assert_int_equal(l.span_count, 3);
    assert_int_equal(size(&l, 0), 256);
    assert_int_equal(size(&l, 1), 256);
    assert_int_equal(size(&l, 2), 88);
    assert_int_equal(l.pieces[2].first, 512);
    layout_deinit(&l);
    free(f);
}

static void small_runs_share_segments_of_bounded_size(void **state)
{
    struct fake *f = fakes(1000, 10);
    struct layout l = { 0 };
    uint32_t all = 0;

    (void)state;
    make(&l, f, 1000, 1000);
    for (size_t i = 0; i < l.span_count; i++) {
        assert_in_range(size(&l, i), 1, 384);
        all += size(&l, i);
    }
    assert_int_equal(all, 10000);
    /* 10 000 scenarios in segments of about 192 would be some 52; borders are chance. */
    assert_in_range(l.span_count, 30, 90);
    layout_deinit(&l);
    free(f);
}

/* Segments of a that begin with the same run in b and hold as many scenarios. */
static size_t alike(const struct layout *a, const struct layout *b)
{
    size_t n = 0;

    for (size_t i = 0; i < a->span_count; i++)
        for (size_t k = 0; k < b->span_count; k++)
            if (a->pieces[a->spans[i].first].run == b->pieces[b->spans[k].first].run &&
                size(a, i) == size(b, k)) {
                n++;
                break;
            }
    return n;
}

static void a_run_that_goes_moves_only_borders_near_it(void **state)
{
    struct fake *f = fakes(1000, 10);
    struct layout all = { 0 }, less = { 0 };

    (void)state;
    make(&all, f, 1000, 1000);
    for (size_t gone = 0; gone < 1000; gone += 97) {
        make(&less, f, 1000, gone);
        assert_true(alike(&less, &all) + 6 >= less.span_count);
    }
    layout_deinit(&all);
    layout_deinit(&less);
    free(f);
}

static void runs_without_scenarios_are_left_out(void **state)
{
    struct fake *f = fakes(3, 0);
    struct layout l = { 0 };

    (void)state;
    make(&l, f, 3, 3);
    assert_int_equal(l.span_count, 0);
    assert_int_equal(l.piece_count, 0);
    layout_deinit(&l);
    free(f);
}

static void pieces_know_when_their_file_was_modified(void **state)
{
    struct fake *f = fakes(2, 258);
    const struct run *const runs[] = { &f[0].run, &f[1].run };
    const int64_t mtimes_ns[] = { 11, 22 };
    struct layout l = { 0 };

    (void)state;
    layout_make(
        &l, &(struct served){ .runs = runs, .mtimes_ns = mtimes_ns, .run_count = 2 });
    assert_int_equal(l.piece_count, 4); /* 256 and 2 of each */
    assert_int_equal(l.pieces[0].mtime_ns, 11);
    assert_int_equal(l.pieces[2].mtime_ns, 22);
    layout_deinit(&l);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_run_is_cut_every_256_scenarios),
        cmocka_unit_test(small_runs_share_segments_of_bounded_size),
        cmocka_unit_test(a_run_that_goes_moves_only_borders_near_it),
        cmocka_unit_test(runs_without_scenarios_are_left_out),
        cmocka_unit_test(pieces_know_when_their_file_was_modified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
