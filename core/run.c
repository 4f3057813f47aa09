#include "core/run.h"
#include "core/hash.h"
#include "core/mem.h"

#include <math.h>
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

/*
 * Some writers count seconds from the start of the test or milliseconds: what lies before
 * 2001-09-09 or after the year 5138 is no Unix time.
 */
static double unix_time(double s)
{
    return s >= 1e9 && s < 1e11 ? s : NAN;
}

static double end_of(const struct scenario *s)
{
    double end_s = unix_time(s->end_s);

    return isnan(end_s) ? unix_time(s->start_s) + s->facts.duration_s : end_s;
}

static void find_end(struct run *run)
{
    run->end_s = NAN;
    for (uint32_t i = 0; i < run->count; i++)
        run->end_s = fmax(run->end_s, end_of(run->scenarios[i])); /* passes NaN by */
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
    find_end(run);
    return run;
}

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
    for (uint32_t i = 0; i < mine->count; i++)
        scenario_unref(mine->scenarios[i]);
    free(mine->scenarios);
    free(mine->ordinals);
    free((void *)(uintptr_t)mine->regions);
    free((void *)(uintptr_t)mine->id.p);
    free(mine);
}

const struct scenario *run_baseline(const struct run *run)
{
    return run->baseline == RUN_NO_BASELINE ? NULL : run->scenarios[run->baseline];
}
