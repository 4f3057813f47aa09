/*
 * series.c - the names that scenarios give to queries → the queries with them filled in.
 *
 * Found by the names that queries use. What nobody has touched for long is forgotten when
 * more come; it is asked again where it is wanted after all.
 */
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "server/upstream/inner.h"

static struct view param_of(const struct scenario *s, struct view key)
{
    for (uint32_t i = 0; i < s->param_count; i++)
        if (view_eq(s->params[i].key, key))
            return s->params[i].value;
    return (struct view){ 0 };
}

/* Names that no query uses are left empty: they tell no series from another. */
static void names_of(const struct upstream *u, const struct scenario *s,
                     struct view names[TEMPLATE_NAMES])
{
    for (int i = 0; i < TEMPLATE_NAMES; i++) {
        names[i] = (struct view){ 0 };
        if (!(u->uses & 1U << i))
            continue;
        names[i] = i == TEMPLATE_HOST
                       ? s->host
                       : param_of(s, view_of(template_name((enum template_name)i)));
        if (names[i].n == 0)
            names[i] = view_of(u->environment[i]);
    }
}

/* With their lengths, so that no two lists of names have the same key. */
static struct view key_of(struct upstream *u, const struct view names[TEMPLATE_NAMES])
{
    buf_release(&u->key);
    for (int i = 0; i < TEMPLATE_NAMES; i++)
        if (u->uses & 1U << i) {
            buf_fmt(&u->key, "%zu ", names[i].n);
            buf_view(&u->key, names[i]);
        }
    return buf_as_view(&u->key);
}

/* ---- the order in which they were touched ------------------------------------------- */

static void take_out(struct upstream *u, struct upstream_series *s)
{
    *(s->newer ? &s->newer->older : &u->newest) = s->older;
    *(s->older ? &s->older->newer : &u->oldest) = s->newer;
}

static void put_first(struct upstream *u, struct upstream_series *s)
{
    s->touched_ms = uv_now(u->loop);
    s->newer = NULL;
    s->older = u->newest;
    *(u->newest ? &u->newest->newer : &u->oldest) = s;
    u->newest = s;
}

static void drop(struct upstream *u, struct upstream_series *s)
{
    take_out(u, s);
    table_remove(&u->series, s->key);
    for (int i = 0; i < UPSTREAM_QUANTITIES; i++)
        if (s->queries[i])
            query_unref(s->queries[i]);
    free(s);
}

/* A few, so that those that came together do not go together. */
static void forget_old(struct upstream *u)
{
    uint64_t now_ms = uv_now(u->loop);

    for (int n = 0; n < 4 && u->oldest; n++) {
        uint64_t keep_ms = u->keep_ms;

        if (u->series.count > CROWD && keep_ms > CROWD_KEEP_MS)
            keep_ms = CROWD_KEEP_MS;
        if (now_ms - u->oldest->touched_ms < keep_ms)
            return;
        drop(u, u->oldest);
    }
}

void series_free_all(struct upstream *u)
{
    while (u->oldest)
        drop(u, u->oldest);
    table_deinit(&u->series);
    buf_deinit(&u->key);
}

/* ---- finding ------------------------------------------------------------------------ */

/* NULL: there are too many. */
static struct upstream_series *make(struct upstream *u, struct view key,
                                    const struct view names[TEMPLATE_NAMES])
{
    struct upstream_series *s;

    forget_old(u);
    if (u->series.count >= SERIES_MAX) {
        if (u->said_many)
            u->problems[PROBLEM_MANY]++;
        else
            problem_note(u, NULL, PROBLEM_MANY,
                         "more than 10000 different names of hosts, pods, namespaces "
                         "and nodes within an hour",
                         NULL);
        u->said_many = true;
        return NULL;
    }
    s = mem_zalloc(sizeof *s + key.n);
    if (key.n)
        memcpy(s + 1, key.p, key.n);
    s->key = (struct view){ (const char *)(s + 1), key.n };
    for (int i = 0; i < UPSTREAM_QUANTITIES; i++)
        s->queries[i] = query_of(u, (enum upstream_quantity)i, names);
    table_put(&u->series, s->key, s);
    put_first(u, s);
    return s;
}

struct upstream_series *upstream_series_of(struct upstream *u,
                                           const struct scenario *sc)
{
    struct view names[TEMPLATE_NAMES], key;
    struct upstream_series *s;

    names_of(u, sc, names);
    key = key_of(u, names);
    s = table_get(&u->series, key);
    if (!s)
        return make(u, key, names);
    take_out(u, s);
    put_first(u, s);
    return s;
}

/* ---- what they tell ----------------------------------------------------------------- */

const struct timeline *upstream_power(const struct upstream_series *s)
{
    const struct query *q = s->queries[UPSTREAM_POWER];

    return q ? query_values(q) : NULL;
}

const struct timeline *upstream_cores(const struct upstream_series *s)
{
    const struct query *q = s->queries[UPSTREAM_CORES];

    return q ? query_values(q) : NULL;
}

const struct timeline *upstream_containers(const struct upstream_series *s)
{
    const struct query *q = s->queries[UPSTREAM_CONTAINERS];

    return q ? query_values(q) : NULL;
}

bool upstream_same_power(const struct upstream_series *a,
                         const struct upstream_series *b)
{
    return a->queries[UPSTREAM_POWER] == b->queries[UPSTREAM_POWER];
}

bool upstream_same_cores(const struct upstream_series *a,
                         const struct upstream_series *b)
{
    return a->queries[UPSTREAM_CORES] == b->queries[UPSTREAM_CORES];
}
