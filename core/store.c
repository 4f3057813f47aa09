/*
 * store.c - the runs we know, by id, and which of them are served.
 *
 * Files are ordered in two lists, because "newest" is decided by the time in the names
 * where both names have one and by modification time otherwise: the first list holds
 * the files with a time in their name, the second all others, each sorted, and a walk
 * from the newest down merges the two by modification time. With --newest name or
 * mtime all files are in one list. The lists are sorted when somebody asks, not when a
 * file is seen, so that the first scan of 50 000 names is one sort.
 *
 * A walk of the newest files (plan()) decides everything else: what is served, what is
 * worth reading, what is let go.
 */
#include "core/store.h"
#include "core/mem.h"
#include "core/table.h"

#include <errno.h>
#include <stdlib.h>

struct entry {
    struct view id;    /* own copy, behind the struct */
    struct view stamp; /* the YYYYMMDD_HHMMSS in id; empty: none */
    int64_t mtime_ns;
    const struct run *run; /* content; NULL: not read, let go, or never good */
    uint32_t count;        /* scenarios of the content last read */
    bool counted;          /* count is known */
    bool stale;            /* the file holds something we have not read */
    bool reading;          /* handed out by store_wanted() */
    bool failed;           /* the last read gave nothing */
    bool from_start;
    bool served;      /* by the last plan, and still there and good */
    bool gone;        /* dropped; freed when its list is put in order */
    bool loaded;      /* in st->loaded */
    uint64_t planned; /* number of the plan that wants its content kept */
    char text[];
};

struct list { /* oldest first */
    struct entry **e;
    size_t count, cap;
    size_t sorted; /* so many from the front are in order */
    bool holes;    /* some are gone */
};

struct store {
    struct store_rules rules;
    struct table by_id;
    struct list named, timed;
    struct entry **loaded; /* those with content */
    size_t loaded_count, loaded_cap;
    size_t reading, failed;
    uint64_t plans;
    struct served served;
    const struct run **served_runs;
    size_t served_cap, served_files;
    uint64_t dropped_scenarios;
};

struct store *store_new(const struct store_rules *rules)
{
    struct store *st = mem_zalloc(sizeof *st);

    st->rules = *rules;
    return st;
}

static void list_free(struct list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        run_unref(l->e[i]->run);
        free(l->e[i]);
    }
    free(l->e);
}

void store_free(struct store *st)
{
    if (!st)
        return;
    list_free(&st->named);
    list_free(&st->timed);
    table_deinit(&st->by_id);
    free(st->loaded);
    free(st->served_runs);
    free(st);
}

/* ---- order ---------------------------------------------------------------------- */

static bool digits(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    return true;
}

/* The last YYYYMMDD_HHMMSS in a name. */
static struct view stamp_of(struct view id)
{
    for (size_t i = id.n; i >= 15; i--) {
        const char *p = id.p + i - 15;

        if (digits(p, 8) && p[8] == '_' && digits(p + 9, 6))
            return (struct view){ p, 15 };
    }
    return (struct view){ NULL, 0 };
}

static int by_name(const struct entry *a, const struct entry *b)
{
    int c = view_cmp(a->stamp, b->stamp);

    return c ? c : view_cmp(a->id, b->id);
}

static int by_time(const struct entry *a, const struct entry *b)
{
    if (a->mtime_ns != b->mtime_ns)
        return a->mtime_ns < b->mtime_ns ? -1 : 1;
    return view_cmp(a->id, b->id);
}

static int qsort_name(const void *a, const void *b)
{
    return by_name(*(struct entry *const *)a, *(struct entry *const *)b);
}

static int qsort_time(const void *a, const void *b)
{
    return by_time(*(struct entry *const *)a, *(struct entry *const *)b);
}

static void list_add(struct list *l, struct entry *e)
{
    if (l->count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 16;
        l->e = mem_resize(l->e, l->cap, sizeof(struct entry *));
    }
    l->e[l->count++] = e;
}

static void list_sweep(struct list *l)
{
    size_t kept = 0, sorted = 0;

    for (size_t i = 0; i < l->count; i++) {
        if (l->e[i]->gone) {
            free(l->e[i]);
            continue;
        }
        if (i < l->sorted)
            sorted++;
        l->e[kept++] = l->e[i];
    }
    l->count = kept;
    l->sorted = sorted;
    l->holes = false;
}

static void list_sort(struct list *l,
                      int (*cmp)(const struct entry *, const struct entry *),
                      int (*for_qsort)(const void *, const void *))
{
    enum { FEW = 8 };

    if (l->holes)
        list_sweep(l);
    if (l->count - l->sorted > FEW) {
        qsort(l->e, l->count, sizeof(struct entry *), for_qsort);
        l->sorted = l->count;
    }
    for (; l->sorted < l->count; l->sorted++) {
        struct entry *e = l->e[l->sorted];
        size_t low = 0, high = l->sorted;

        while (low < high) {
            size_t mid = (low + high) / 2;

            if (cmp(l->e[mid], e) < 0)
                low = mid + 1;
            else
                high = mid;
        }
        memmove(l->e + low + 1, l->e + low, (l->sorted - low) * sizeof(struct entry *));
        l->e[low] = e;
    }
}

static void sort(struct store *st)
{
    list_sort(&st->named, by_name, qsort_name);
    list_sort(&st->timed, by_time, qsort_time);
}

struct walk {
    size_t named, timed; /* how many of each list are still to come */
};

/* From the newest down; the lists must be in order. NULL: no more. */
static struct entry *walk_next(const struct store *st, struct walk *w)
{
    struct entry *a = w->named ? st->named.e[w->named - 1] : NULL;
    struct entry *b = w->timed ? st->timed.e[w->timed - 1] : NULL;

    if (a && (!b || by_time(a, b) > 0)) {
        w->named--;
        return a;
    }
    if (b)
        w->timed--;
    return b;
}

static struct walk walk_start(struct store *st)
{
    sort(st);
    return (struct walk){ st->named.count, st->timed.count };
}

/* ---- what is there ---------------------------------------------------------------- */

static struct entry *find(const struct store *st, struct view id)
{
    return table_get(&st->by_id, id);
}

static bool in_named(const struct store *st, const struct entry *e)
{
    return st->rules.newest == NEWEST_NAME ||
           (st->rules.newest == NEWEST_AUTO && e->stamp.n > 0);
}

static struct entry *entry_add(struct store *st, struct view id, int64_t mtime_ns)
{
    struct entry *e = mem_zalloc(sizeof *e + id.n + 1);

    memcpy(e->text, id.p, id.n);
    e->id = (struct view){ e->text, id.n };
    if (st->rules.newest == NEWEST_AUTO)
        e->stamp = stamp_of(e->id);
    e->mtime_ns = mtime_ns;
    table_put(&st->by_id, e->id, e);
    list_add(in_named(st, e) ? &st->named : &st->timed, e);
    return e;
}

/* Takes e out of the order in O(n) and back in, because its time changed. */
static void reorder(struct store *st, struct entry *e, int64_t mtime_ns)
{
    struct list *l = &st->timed;

    if (!in_named(st, e)) {
        for (size_t i = 0; i < l->sorted; i++) {
            if (l->e[i] != e)
                continue;
            memmove(l->e + i, l->e + i + 1,
                    (l->count - i - 1) * sizeof(struct entry *));
            l->count--;
            l->sorted--;
            list_add(l, e);
            break;
        }
    }
    e->mtime_ns = mtime_ns;
}

void store_see(struct store *st, struct view id, int64_t mtime_ns, bool from_start)
{
    struct entry *e = find(st, id);

    if (!e) {
        e = entry_add(st, id, mtime_ns);
        e->from_start = from_start;
    } else if (e->mtime_ns != mtime_ns) {
        reorder(st, e, mtime_ns);
    }
    e->stale = true;
}

void store_set_mtime(struct store *st, struct view id, int64_t mtime_ns)
{
    struct entry *e = find(st, id);

    if (e && e->mtime_ns != mtime_ns)
        reorder(st, e, mtime_ns);
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
    const struct entry *e = find(st, id);

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
    struct entry *e = find(st, run->id);

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
    e->count = run->count;
    e->counted = true;
    load(st, e);
}

void store_fail(struct store *st, struct view id)
{
    struct entry *e = find(st, id);

    if (!e)
        return;
    set_reading(st, e, false);
    set_failed(st, e, true);
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
    char *text = mem_alloc(e->id.n + 1);

    memcpy(text, e->id.p, e->id.n);
    d->id = (struct view){ text, e->id.n };
    e->run = NULL;
    if (e->loaded)
        for (size_t i = 0; i < st->loaded_count; i++)
            if (st->loaded[i] == e) {
                st->loaded[i] = st->loaded[--st->loaded_count];
                break;
            }
    e->gone = true;
    if (in_named(st, e))
        st->named.holes = true;
    else
        st->timed.holes = true;
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

/*
 * One walk over the newest files. With ids: collects what should be read, at most max
 * of it, and returns their number. Without: fixes what is served and lets go of the rest.
 */
static size_t plan(struct store *st, struct view ids[], size_t max)
{
    uint64_t want = st->rules.runs ? st->rules.runs : UINT64_MAX;
    uint64_t limit = st->rules.max_scenarios ? st->rules.max_scenarios : UINT64_MAX;
    uint64_t total = 0, promised = 0;
    struct walk w = walk_start(st);
    size_t wanted = 0;
    bool over = false;

    if (!ids) {
        st->plans++;
        st->served.run_count = 0;
        st->dropped_scenarios = 0;
        st->served.scenario_count = 0;
    }
    while (promised < want) {
        struct entry *e = walk_next(st, &w);

        if (!e)
            break;

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
                ids[wanted++] = e->id;
            }
            continue;
        }
        e->planned = st->plans;
        if (!e->run) {
            promised--; /* nothing to show yet: an older one stands in */
            continue;
        }
        if (st->served.run_count == st->served_cap) {
            st->served_cap = st->served_cap ? st->served_cap * 2 : 16;
            st->served_runs =
                mem_resize(st->served_runs, st->served_cap, sizeof(struct run *));
        }
        st->served_runs[st->served.run_count++] = e->run;
        st->served.scenario_count += e->run->count;
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
    for (size_t i = 0, j = st->served.run_count; i + 1 < j; i++) {
        const struct run *r = st->served_runs[i];

        st->served_runs[i] = st->served_runs[--j];
        st->served_runs[j] = r;
    }

    st->served.runs = st->served_runs;
    st->served.newest_ok = !store_newest(st).failed;
    return &st->served;
}

struct store_counts store_count(const struct store *st)
{
    return (struct store_counts){
        .served = st->served_files,
        .failed = st->failed,
        .other = st->by_id.count - st->served_files - st->failed,
        .scenarios_dropped = st->dropped_scenarios,
    };
}

struct newest store_newest(struct store *st)
{
    struct walk w = walk_start(st);
    const struct entry *e = walk_next(st, &w);

    if (!e)
        return (struct newest){ 0 };
    return (struct newest){ e->id, e->mtime_ns, e->failed, e->run };
}

bool store_reading(const struct store *st)
{
    return st->reading > 0;
}
