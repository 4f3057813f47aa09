#include "server/live/roll.h"

#include <math.h>
#include <stdlib.h>

#include "core/live_name.h"
#include "core/mem.h"
#include "core/table.h"

struct roll {
    struct table by_name;      /* → struct roll_entry */
    struct table by_canonical; /* → the first of that form */
    size_t max;
    void (*gone)(void *ctx, struct roll_entry *e);
    void *ctx;
    uint64_t version;
    struct roll_entry **sorted; /* of sorted_version */
    uint64_t sorted_version;
};

struct roll *roll_new(size_t max, void (*gone)(void *ctx, struct roll_entry *e),
                      void *ctx)
{
    struct roll *r = mem_zalloc(sizeof *r);

    r->max = max;
    r->gone = gone;
    r->ctx = ctx;
    r->version = 1;
    return r;
}

size_t roll_count(const struct roll *r)
{
    return r->by_name.count;
}

uint64_t roll_version(const struct roll *r)
{
    return r->version;
}

static struct view name_of(const struct roll_entry *e)
{
    return (struct view){ e->encode->name, e->encode->name_n };
}

static void entry_free(struct roll_entry *e)
{
    encode_free(e->encode);
    free((void *)(uintptr_t)e->canonical.p); /* own copies, all */
    free((void *)(uintptr_t)e->scenario.p);
    free(e);
}

void roll_free(struct roll *r)
{
    struct roll_entry *e;

    if (!r)
        return;
    for (size_t i = 0; (e = table_next(&r->by_name, &i));)
        entry_free(e);
    table_deinit(&r->by_name);
    table_deinit(&r->by_canonical);
    free(r->sorted);
    free(r);
}

static struct view own_copy(struct view v)
{
    char *p = mem_alloc(v.n + 1);

    memcpy(p, v.n ? v.p : "", v.n);
    p[v.n] = '\0';
    return (struct view){ p, v.n };
}

/* ---- entries ------------------------------------------------------------------------ */

static void remove_entry(struct roll *r, struct roll_entry *e)
{
    struct roll_entry *first = table_remove(&r->by_canonical, e->canonical);
    struct roll_entry **at = &first;

    while (*at != e)
        at = &(*at)->next_same;
    *at = e->next_same;
    if (first)
        table_put(&r->by_canonical, first->canonical, first);
    table_remove(&r->by_name, name_of(e));
    entry_free(e);
    r->version++;
}

static double last_news_s(const struct encode *e)
{
    return fmax(e->start_s, fmax(e->last_s, e->end_s)); /* passes NaN by */
}

/* A file that stands still may be that of an encode that was killed long ago. */
static bool still_runs(const struct roll_entry *e)
{
    return e->encode->state == SCENARIO_RUNNING ||
           (e->encode->state == SCENARIO_STALLED && e->requests > 0);
}

/* The one that said nothing for the longest time, if since before since_s. */
static struct roll_entry *least_wanted(const struct roll *r, double since_s)
{
    struct roll_entry *e, *least = NULL;

    for (size_t i = 0; (e = table_next(&r->by_name, &i));) {
        double news_s = last_news_s(e->encode);

        if (still_runs(e) || !(news_s < since_s))
            continue;
        since_s = news_s;
        least = e;
    }
    return least;
}

static struct roll_entry *add_entry(struct roll *r, struct view name, double now_s)
{
    struct roll_entry *e = mem_zalloc(sizeof *e), *same;
    struct buf canonical = { 0 };

    e->encode = encode_new(name, now_s);
    live_name_canonical(name, &canonical);
    e->canonical = own_copy(buf_as_view(&canonical));
    buf_deinit(&canonical);
    e->scenario = own_copy(name);
    table_put(&r->by_name, name_of(e), e);
    same = table_remove(&r->by_canonical, e->canonical);
    e->next_same = same;
    table_put(&r->by_canonical, e->canonical, e);
    r->version++;
    return e;
}

static void send_away(struct roll *r, struct roll_entry *e)
{
    if (e->sources > 0)
        r->gone(r->ctx, e);
    remove_entry(r, e);
}

struct roll_entry *roll_get(const struct roll *r, struct view name)
{
    return table_get(&r->by_name, name);
}

struct roll_entry *roll_open(struct roll *r, struct view name, double now_s,
                             double since_s)
{
    struct roll_entry *e = roll_get(r, name), *least;

    if (!e && r->by_name.count >= r->max) {
        least = least_wanted(r, since_s);
        if (!least)
            return NULL;
        send_away(r, least);
    }
    if (!e)
        e = add_entry(r, name, now_s);
    e->sources++;
    return e;
}

void roll_close(struct roll *r, struct roll_entry *e)
{
    e->sources--;
    if (e->sources == 0 && !e->by_request)
        remove_entry(r, e);
}

void roll_end(struct roll *r, double before_s)
{
    struct roll_entry *e;

    while ((e = least_wanted(r, before_s)))
        send_away(r, e);
}

/* ---- order -------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct roll_entry *const *x = a, *const *y = b;

    return view_cmp(name_of(*x), name_of(*y));
}

static void sort(struct roll *r)
{
    size_t n = 0;
    struct roll_entry *e;

    if (r->sorted_version == r->version)
        return;
    r->sorted =
        mem_resize(r->sorted, r->by_name.count + 1, sizeof(struct roll_entry *));
    for (size_t i = 0; (e = table_next(&r->by_name, &i));)
        r->sorted[n++] = e;
    if (n)
        qsort(r->sorted, n, sizeof(struct roll_entry *), by_name);
    r->sorted_version = r->version;
}

void roll_each(struct roll *r, void (*f)(void *ctx, struct roll_entry *e), void *ctx)
{
    sort(r);
    for (size_t i = 0; i < r->by_name.count; i++)
        f(ctx, r->sorted[i]);
}

struct roll_entry *roll_called(const struct roll *r, struct view name,
                               struct buf *scratch, bool *exact)
{
    struct roll_entry *e = roll_get(r, name);

    *exact = e != NULL;
    if (e)
        return e;
    buf_release(scratch);
    live_name_canonical(name, scratch);
    e = table_get(&r->by_canonical, buf_as_view(scratch));
    return e && !e->next_same ? e : NULL; /* of several none is meant */
}

void roll_belongs(struct roll *r, struct roll_entry *e, const struct scenario *s)
{
    struct view name = s ? s->name : name_of(e);
    double length_s = s ? scenario_told(s)->facts.content_s : NAN;

    if (e->encode->told_length_s != length_s &&
        !(isnan(e->encode->told_length_s) && isnan(length_s))) {
        e->encode->told_length_s = length_s;
        e->encode->version++;
        r->version++;
    }
    if (e->belongs == (s != NULL) && view_eq(name, e->scenario))
        return;
    e->belongs = s != NULL;
    free((void *)(uintptr_t)e->scenario.p); /* own copy */
    e->scenario = own_copy(name);
    e->encode->version++; /* it is told with that name */
    r->version++;
}
