#include "core/run.h"
#include "core/hash.h"
#include "core/measured.h"
#include "core/mem.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

void scenario_identity(const struct scenario *s, uint64_t hash[2])
{
    hash[0] = s->identity[0];
    hash[1] = s->identity[1];
}

static void count_repeats(struct run *run)
{
    struct hash_index seen;

    hash_index_init(&seen, run->count);
    for (uint32_t i = 0; i < run->count; i++) {
        bool first;
        uint32_t *times = hash_index_at(&seen, run->scenarios[i]->identity, &first);

        run->ordinals[i] = ++*times;
        run->repeated += !first;
    }
    hash_index_deinit(&seen);
}

static void find_baseline(struct run *run)
{
    run->baseline = RUN_NO_BASELINE;
    for (uint32_t i = 0; i < run->count && run->baseline == RUN_NO_BASELINE; i++)
        if (run->scenarios[i]->is_baseline)
            run->baseline = i;
}

/* Most runs have one region, so the one found last is compared before any hashing. */
static void list_regions(struct run *run)
{
    struct hash_index seen;
    struct view *regions = NULL;
    uint32_t n = 0, cap = 0;

    hash_index_init(&seen, run->count);
    for (uint32_t i = 0; i < run->count; i++) {
        struct view region = run->scenarios[i]->region;
        bool added;

        if (i > 0 && view_eq(region, run->scenarios[i - 1]->region))
            continue;
        hash_index_at(&seen, hash_of(region, 0).part, &added);
        if (!added)
            continue;
        if (n == cap) {
            cap = cap ? cap * 2 : 1;
            regions = mem_resize(regions, cap, sizeof *regions);
        }
        regions[n++] = region;
    }
    hash_index_deinit(&seen);
    run->regions = regions;
    run->region_count = n;
}

static double end_of(const struct scenario *told)
{
    double end_s = scenario_unix_time(told->end_s);

    return isnan(end_s) ? scenario_unix_time(told->start_s) + told->facts.duration_s
                        : end_s;
}

/* Those that were measured before, and are taken over, count as their file tells them. */
static void look_at_times(struct run *run)
{
    run->end_s = NAN;
    for (uint32_t i = 0; i < run->count; i++) {
        const struct scenario *told = scenario_told(run->scenarios[i]);
        double start_s = scenario_unix_time(told->start_s);
        double end_s = scenario_unix_time(told->end_s);

        run->end_s = fmax(run->end_s, end_of(told)); /* passes NaN by */
        if (start_s < end_s)
            run->lacking += measured_lacks_energy(told) || measured_lacks_cores(told);
        else if (!isnan(start_s) && isnan(end_s))
            run->open += isnan(told->facts.duration_s);
    }
}

struct run *run_new(struct view id, const struct scenario *const scenarios[],
                    uint32_t count)
{
    struct run *run = mem_zalloc(sizeof *run);
    char *id_copy = mem_alloc(id.n);

    atomic_init(&run->refs, 1);
    if (id.n)
        memcpy(id_copy, id.p, id.n);
    run->id = (struct view){ id_copy, id.n };
    run->count = count;
    run->scenarios = mem_alloc(count * sizeof *run->scenarios);
    run->ordinals = mem_alloc(count * sizeof *run->ordinals);
    if (count)
        memcpy(run->scenarios, scenarios, count * sizeof *run->scenarios);
    run->schema_version = 1;
    count_repeats(run);
    find_baseline(run);
    list_regions(run);
    look_at_times(run);
    return run;
}

/* ---- with measurements ----------------------------------------------------------- */

/*
 * Holding 100 000 scenarios means to touch each of them, some milliseconds, when one of
 * them grows every second. So a run with measurements holds the run that it was made of,
 * and of scenarios only those that are not in there. When they become many it holds all
 * by itself, and is what the next ones are made of: chains stay one link long.
 */
static bool too_many(uint32_t own, uint32_t count)
{
    return own > 64 && own > count / 8;
}

/* Ascending indices of both; *count of them. */
static uint32_t *merge(const uint32_t a[], uint32_t a_count, const uint32_t b[],
                       uint32_t b_count, uint32_t *count)
{
    uint32_t *all = mem_alloc(((size_t)a_count + b_count) * sizeof *all);
    uint32_t n = 0, i = 0, j = 0;

    while (i < a_count || j < b_count) {
        uint32_t next = i < a_count && (j == b_count || a[i] <= b[j]) ? a[i] : b[j];

        i += i < a_count && a[i] == next;
        j += j < b_count && b[j] == next;
        all[n++] = next;
    }
    *count = n;
    return all;
}

static void *copy_of(const void *from, size_t n)
{
    void *copy = mem_alloc(n);

    if (n)
        memcpy(copy, from, n);
    return copy;
}

/* Where it is to be found in the scenarios as they are now. */
static void copy_regions(struct run *run)
{
    struct view *regions = copy_of(run->regions, run->region_count * sizeof *regions);
    uint32_t n = 0;

    for (uint32_t i = 0; i < run->count && n < run->region_count; i++)
        if (view_eq(run->scenarios[i]->region, regions[n]))
            regions[n++] = run->scenarios[i]->region;
    run->regions = regions;
}

static void hold_all(struct run *run)
{
    for (uint32_t i = 0; i < run->count; i++)
        scenario_ref(run->scenarios[i]);
    run->id.p = copy_of(run->id.p, run->id.n);
    run->ordinals = copy_of(run->ordinals, run->count * sizeof *run->ordinals);
    copy_regions(run);
}

static void hold_own(struct run *run, const struct run *base)
{
    for (uint32_t i = 0; i < run->own_count; i++)
        scenario_ref(run->scenarios[run->own[i]]);
    run->base = run_ref(base);
}

const struct run *run_with(const struct run *run, const uint32_t at[],
                           const struct scenario *const with[], uint32_t n)
{
    const size_t rest = sizeof(run->refs); /* others count holders meanwhile */
    struct run *next = mem_alloc(sizeof *next);

    static_assert(offsetof(struct run, refs) == 0, "the count comes first");
    atomic_init(&next->refs, 1);
    memcpy((char *)next + rest, (const char *)run + rest, sizeof *next - rest);
    next->base = NULL;
    next->scenarios = copy_of(run->scenarios, run->count * sizeof *run->scenarios);
    for (uint32_t i = 0; i < n; i++)
        next->scenarios[at[i]] = with[i];
    next->own = merge(run->own, run->own_count, at, n, &next->own_count);
    if (too_many(next->own_count, run->count)) {
        free(next->own);
        next->own = NULL;
        next->own_count = 0;
        hold_all(next);
    } else {
        hold_own(next, run->base ? run->base : run);
    }
    for (uint32_t i = 0; i < n; i++)
        scenario_unref(with[i]); /* held once more by now */
    return next;
}

/* ---- holders --------------------------------------------------------------------- */

const struct run *run_ref(const struct run *run)
{
    atomic_fetch_add_explicit(&((struct run *)(uintptr_t)run)->refs, 1,
                              memory_order_relaxed);
    return run;
}

void run_unref(const struct run *run)
{
    struct run *mine = (struct run *)(uintptr_t)run;

    if (!mine || atomic_fetch_sub_explicit(&mine->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (mine->base) {
        for (uint32_t i = 0; i < mine->own_count; i++)
            scenario_unref(mine->scenarios[mine->own[i]]);
        run_unref(mine->base);
    } else {
        for (uint32_t i = 0; i < mine->count; i++)
            scenario_unref(mine->scenarios[i]);
        free(mine->ordinals);
        free((void *)(uintptr_t)mine->regions);
        free((void *)(uintptr_t)mine->id.p);
    }
    free(mine->own);
    free(mine->scenarios);
    free(mine);
}

const struct scenario *run_baseline(const struct run *run)
{
    return run->baseline == RUN_NO_BASELINE ? NULL : run->scenarios[run->baseline];
}

bool run_same_part(const struct run *a, const struct run *b, uint32_t first,
                   uint32_t count)
{
    if (a == b)
        return true;
    if (!view_eq(a->id, b->id) || run_baseline(a) != run_baseline(b))
        return false;
    for (uint32_t i = first; i < first + count; i++)
        if (a->scenarios[i] != b->scenarios[i] || a->ordinals[i] != b->ordinals[i])
            return false;
    return true;
}
