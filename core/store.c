/*
 * store.c - the runs we know, by id, and which of them are served.
 *
 * A walk of the newest files (plan()) decides everything: what is served, what is worth
 * reading, what is let go. A file whose time is over is passed by, and nothing else
 * happens to it: no module hears of it, so what the cost counters know of its run stays,
 * and a run that comes back is not charged twice.
 */
#include "core/store.h"
#include "core/mem.h"
#include "core/store_inner.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define NS_PER_MS UINT64_C(1000000)

struct store *store_new(const struct store_rules *rules)
{
    struct store *st = mem_zalloc(sizeof *st);

    st->rules = *rules;
    st->ranking.rule = rules->newest;
    st->next_end_ns = UINT64_MAX;
    return st;
}

static void let_run_go(struct ranked *r)
{
    run_unref(((struct entry *)r)->run);
}

void store_free(struct store *st)
{
    if (!st)
        return;
    ranking_deinit(&st->ranking, let_run_go);
    if (st->live)
        run_unref(st->live->run);
    free(st->live);
    table_deinit(&st->by_id);
    free(st->loaded);
    free(st->served_runs);
    free(st->served_mtimes);
    free(st);
}

/* ---- time ------------------------------------------------------------------------ */

bool store_tick(struct store *st, int64_t unix_ns, uint64_t monotonic_ns)
{
    st->unix_ns = unix_ns;
    st->monotonic_ns = monotonic_ns;
    return st->next_end_ns <= monotonic_ns;
}

uint64_t store_next_end(const struct store *st)
{
    return st->next_end_ns;
}

/* When the time of a file is over that was modified then. */
static uint64_t end_of(const struct store *st, int64_t mtime_ns)
{
    const uint64_t ttl_ns = st->rules.ttl_ms * NS_PER_MS;
    uint64_t age_ns =
        st->unix_ns > mtime_ns ? (uint64_t)st->unix_ns - (uint64_t)mtime_ns : 0;

    if (!ttl_ns)
        return UINT64_MAX;
    return st->monotonic_ns + (age_ns < ttl_ns ? ttl_ns - age_ns : 0);
}

static bool out_of_time(const struct store *st, const struct entry *e)
{
    return e->end_ns <= st->monotonic_ns;
}

/* ---- what is there ---------------------------------------------------------------- */

static struct entry *entry_named(struct store *st, struct view id)
{
    struct entry *e = mem_zalloc(sizeof *e + id.n + 1);

    memcpy(e->text, id.p, id.n);
    e->rank.id = (struct view){ e->text, id.n };
    table_put(&st->by_id, e->rank.id, e);
    return e;
}

static struct entry *entry_add(struct store *st, struct view id, int64_t mtime_ns)
{
    struct entry *e = entry_named(st, id);

    e->rank.mtime_ns = mtime_ns;
    e->end_ns = end_of(st, mtime_ns);
    ranking_add(&st->ranking, &e->rank);
    return e;
}

static void set_mtime(struct store *st, struct entry *e, int64_t mtime_ns)
{
    if (e->rank.mtime_ns == mtime_ns)
        return;
    ranking_set_mtime(&st->ranking, &e->rank, mtime_ns);
    e->end_ns = end_of(st, mtime_ns);
}

void store_see(struct store *st, struct view id, int64_t mtime_ns, bool from_start)
{
    struct entry *e = store_entry(st, id);

    if (!e) {
        e = entry_add(st, id, mtime_ns);
        e->from_start = from_start;
    } else {
        set_mtime(st, e, mtime_ns);
    }
    e->stale = e->untold = true;
}

void store_set_mtime(struct store *st, struct view id, int64_t mtime_ns)
{
    struct entry *e = store_entry(st, id);

    if (!e)
        return;
    set_mtime(st, e, mtime_ns);
    if (!e->stale && !e->reading && !e->failed)
        e->run_mtime_ns = mtime_ns;
}

static void set_served(struct store *st, struct entry *e, bool served)
{
    st->served_files += served - e->served;
    e->served = served;
}

/* A file counts as one thing: what failed is not counted as served, even if it is. */
static void set_failed(struct store *st, struct entry *e, bool failed)
{
    st->failed += failed - e->failed;
    e->failed = failed;
    if (failed)
        set_served(st, e, false);
}

static void set_reading(struct store *st, struct entry *e, bool reading)
{
    st->reading += reading - e->reading;
    e->reading = reading;
}

static void load(struct store *st, struct entry *e)
{
    if (e->loaded)
        return;
    if (st->loaded_count == st->loaded_cap) {
        st->loaded_cap = st->loaded_cap ? st->loaded_cap * 2 : 16;
        st->loaded = mem_resize(st->loaded, st->loaded_cap, sizeof(struct entry *));
    }
    st->loaded[st->loaded_count++] = e;
    e->loaded = true;
}

const struct run *store_get(const struct store *st, struct view id)
{
    const struct entry *e = store_entry(st, id);

    return e ? e->run : NULL;
}

static bool same(const struct run *a, uint32_t i, const struct run *b, uint32_t j)
{
    return a->scenarios[i] == b->scenarios[j] && a->ordinals[i] == b->ordinals[j];
}

static void set_changed(struct diff *d, const struct run *before,
                        const struct run *after)
{
    uint32_t n = before ? before->count : 0;
    uint32_t first = 0, last = after->count, old = n;

    while (first < n && first < after->count && same(before, first, after, first))
        first++;
    while (last > first && old > first && same(before, old - 1, after, last - 1)) {
        last--;
        old--;
    }

    /* What lies between may have moved; a few of it are the same at the same place. */
    uint32_t *changed = mem_alloc((last - first) * sizeof *changed);
    uint32_t count = 0;

    for (uint32_t i = first; i < last; i++)
        if (i >= n || !same(before, i, after, i))
            changed[count++] = i;
    d->changed = changed;
    d->changed_count = count;
}

void store_put(struct store *st, const struct run *run, struct diff *d)
{
    struct entry *e = store_entry(st, run->id);

    if (!e)
        e = entry_add(st, run->id, 0);
    set_reading(st, e, false);
    set_failed(st, e, false);
    *d = (struct diff){ .id = run->id,
                        .before = e->run,
                        .after = run_ref(run),
                        .from_start = e->from_start };
    set_changed(d, e->run, run);
    e->run = run;
    e->run_mtime_ns = e->rank.mtime_ns;
    e->count = run->count;
    e->counted = true;
    e->untold = e->learning = false;
    e->learned = true;
    e->lessons = run->count;
    load(st, e);
}

void store_put_live(struct store *st, const struct run *run, int64_t mtime_ns,
                    bool from_start, struct diff *d)
{
    struct entry *e = st->live;

    if (!e) {
        assert(!store_entry(st, run->id));
        e = st->live = entry_named(st, run->id);
        e->from_start = from_start;
    }
    assert(view_eq(run->id, e->rank.id));
    *d = (struct diff){ .id = run->id,
                        .before = e->run,
                        .after = run_ref(run),
                        .from_start = e->from_start };
    set_changed(d, e->run, run);
    e->run = run;
    e->run_mtime_ns = mtime_ns;
}

bool store_measure(struct store *st, const struct run *run, const uint32_t at[],
                   uint32_t n, struct diff *d)
{
    struct entry *e = store_entry(st, run->id);

    if (!e || !e->run) {
        run_unref(run);
        return false;
    }
    assert(run->count ==
           e->run->count); /* a newer content was not measured like this */

    uint32_t *changed = mem_alloc(n * sizeof *changed);

    if (n)
        memcpy(changed, at, n * sizeof *changed);
    *d = (struct diff){ .id = run->id,
                        .before = e->run,
                        .after = run_ref(run),
                        .changed = changed,
                        .changed_count = n,
                        .from_start = e->from_start,
                        .measured = true };
    e->run = run;
    return true;
}

void store_fail(struct store *st, struct view id)
{
    struct entry *e = store_entry(st, id);

    if (!e)
        return;
    set_reading(st, e, false);
    set_failed(st, e, true);
    e->untold = false;
}

bool store_drop(struct store *st, struct view id, struct diff *d)
{
    struct entry *e = table_remove(&st->by_id, id);

    if (!e)
        return false;
    set_reading(st, e, false);
    set_failed(st, e, false);
    set_served(st, e, false);
    *d = (struct diff){ .before = e->run, .from_start = e->from_start };

    /* The id must outlive the entry, which may have no run to borrow it from. */
    char *text = mem_alloc(e->rank.id.n + 1);

    memcpy(text, e->rank.id.p, e->rank.id.n);
    d->id = (struct view){ text, e->rank.id.n };
    e->run = NULL;
    if (e->loaded)
        for (size_t i = 0; i < st->loaded_count; i++)
            if (st->loaded[i] == e) {
                st->loaded[i] = st->loaded[--st->loaded_count];
                break;
            }
    ranking_remove(&st->ranking, &e->rank);
    return true;
}

void store_diff_release(struct diff *d)
{
    if (!d->after)
        free((void *)(uintptr_t)d->id.p); /* allocated by store_drop() */
    free((void *)(uintptr_t)d->changed);
    run_unref(d->before);
    run_unref(d->after);
    *d = (struct diff){ 0 };
}

/* ---- what is served ---------------------------------------------------------------- */

static struct entry *walk_next(struct ranking_walk *w)
{
    return (struct entry *)ranking_next(w);
}

static void let_go(struct store *st)
{
    size_t kept = 0;

    for (size_t i = 0; i < st->loaded_count; i++) {
        struct entry *e = st->loaded[i];

        if (e->planned == st->plans) {
            st->loaded[kept++] = e;
            continue;
        }
        run_unref(e->run);
        e->run = NULL;
        set_served(st, e, false);
        e->loaded = false;
        e->stale = true; /* to be read again should its turn come */
    }
    st->loaded_count = kept;
}

static void serve(struct store *st, const struct entry *e)
{
    if (st->served.run_count == st->served_cap) {
        st->served_cap = st->served_cap ? st->served_cap * 2 : 16;
        st->served_runs =
            mem_resize(st->served_runs, st->served_cap, sizeof(struct run *));
        st->served_mtimes =
            mem_resize(st->served_mtimes, st->served_cap, sizeof(int64_t));
    }
    st->served_mtimes[st->served.run_count] = e->run_mtime_ns;
    st->served_runs[st->served.run_count++] = e->run;
    st->served.scenario_count += e->run->count;
}

/*
 * One walk over the newest files. With ids: collects what should be read, at most max
 * of it, and returns their number. Without: fixes what is served and lets go of the rest.
 */
static size_t plan(struct store *st, struct view ids[], size_t max)
{
    uint64_t want = st->rules.runs ? st->rules.runs : UINT64_MAX;
    uint64_t limit = st->rules.max_scenarios ? st->rules.max_scenarios : UINT64_MAX;
    uint64_t total = 0, promised = 0;
    struct ranking_walk w = ranking_walk(&st->ranking);
    size_t wanted = 0;
    bool over = false;

    if (!ids) {
        st->plans++;
        st->served.run_count = 0;
        st->dropped_scenarios = 0;
        st->served.scenario_count = 0;
    }
    st->next_end_ns = UINT64_MAX;
    while (promised < want) {
        struct entry *e = walk_next(&w);

        if (!e)
            break;

        if (out_of_time(st, e))
            continue;
        if (e->end_ns < st->next_end_ns)
            st->next_end_ns = e->end_ns;

        bool unread = e->stale || e->reading;

        if (!unread && !e->run)
            continue; /* failed, and nothing good is left of it */
        over = over || (e->counted && e->count > limit - total);
        if (over) {
            if (!ids && e->counted)
                st->dropped_scenarios += e->count;
            if (!ids && !e->counted && !e->reading)
                continue;
            promised++;
            continue;
        }
        promised++;
        if (e->counted)
            total += e->count;
        if (ids) {
            if (e->stale && !e->reading && wanted < max) {
                e->stale = false;
                set_reading(st, e, true);
                ids[wanted++] = e->rank.id;
            }
            continue;
        }
        e->planned = st->plans;
        if (!e->run) {
            promised--; /* nothing to show yet: an older one stands in */
            continue;
        }
        serve(st, e);
        set_served(st, e, !e->failed);
    }
    return wanted;
}

size_t store_wanted(struct store *st, struct view ids[], size_t max)
{
    return plan(st, ids, max);
}

const struct served *store_served(struct store *st)
{
    plan(st, NULL, 0);
    let_go(st);
    if (st->live && st->live->run->count)
        serve(st, st->live);
    for (size_t i = 0, j = st->served.run_count; i + 1 < j; i++) {
        const struct run *r = st->served_runs[i];
        int64_t mtime_ns = st->served_mtimes[i];

        st->served_runs[i] = st->served_runs[--j];
        st->served_runs[j] = r;
        st->served_mtimes[i] = st->served_mtimes[j];
        st->served_mtimes[j] = mtime_ns;
    }

    st->served.runs = st->served_runs;
    st->served.mtimes_ns = st->served_mtimes;
    st->served.newest_ok = !store_newest(st).failed;
    return &st->served;
}

struct store_counts store_count(const struct store *st)
{
    return (struct store_counts){
        .served = st->served_files,
        .failed = st->failed,
        .other = st->by_id.count - (st->live != NULL) - st->served_files - st->failed,
        .scenarios_dropped = st->dropped_scenarios,
        .unlearned = st->unlearned,
    };
}

struct newest store_newest(struct store *st)
{
    struct ranking_walk w = ranking_walk(&st->ranking);
    const struct entry *e;

    while ((e = walk_next(&w)) && out_of_time(st, e))
        ;
    if (!e)
        return (struct newest){ 0 };
    return (struct newest){ e->rank.id, e->rank.mtime_ns, e->failed, e->run };
}

const struct run *store_newest_run(struct store *st, int64_t *mtime_ns)
{
    struct ranking_walk w = ranking_walk(&st->ranking);
    const struct entry *e;

    while ((e = walk_next(&w)) && (out_of_time(st, e) || !e->run))
        ;
    *mtime_ns = e ? e->rank.mtime_ns : 0;
    return e ? e->run : NULL;
}

size_t store_stale(struct store *st, struct view ids[], size_t max)
{
    struct ranking_walk w = ranking_walk(&st->ranking);
    const struct entry *e;
    size_t n = 0, failed = 0;

    while (failed < st->failed && n < max && (e = walk_next(&w))) {
        failed += e->failed;
        if (e->failed && e->run && e->planned == st->plans)
            ids[n++] = e->rank.id;
    }
    return n;
}

bool store_reading(const struct store *st)
{
    return st->reading > 0;
}
