/*
 * query.c - one query with its names filled in, and the values that it told.
 *
 * A rate over 30 s is empty where samples come every 30 s. So a query with $window in it
 * has a wider form, which is asked for those times alone where the narrow one has next to
 * nothing, and whose values fill the holes of the narrow one.
 */
#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/upstream/inner.h"

enum {
    BRIDGED_CELLS = 60 / PLAN_STEP_S - 1
}; /* missing between two values 60 s apart */

static const char *const windows[] = { "30s", "2m" };

const char *query_name(const struct query *q)
{
    static const char *const names[UPSTREAM_QUANTITIES] = { "power", "cpu", "container",
                                                            "energy" };

    return names[q->kind];
}

const struct timeline *query_values(const struct query *q)
{
    return q->wide ? &q->both : &q->own;
}

/* ---- life ------------------------------------------------------------------------- */

/* The names that the query needs, and nobody gives. */
static void say_missing(struct query *q, unsigned lacks)
{
    struct buf b = { 0 };

    buf_str(&b, "neither a results file nor the environment gives");
    for (int i = 0; i < TEMPLATE_NAMES; i++)
        if (lacks & 1U << i)
            buf_fmt(&b, " $%s", template_name((enum template_name)i));
    buf_char(&b, '\0');
    problem_note(q->u, q, PROBLEM_NAMES, b.p, NULL);
    buf_deinit(&b);
}

static struct query *query_new(struct upstream *u, enum upstream_quantity kind,
                               const struct buf *text)
{
    struct query *q = mem_zalloc(sizeof *q);

    q->kind = kind;
    q->u = u;
    q->key = mem_zalloc(text->n + 1);
    memcpy(q->key, text->p, text->n);
    q->text = q->key + 1;
    q->own.step_s = q->both.step_s = PLAN_STEP_S;
    q->since_ms = uv_now(u->loop);
    return q;
}

static void query_free(struct query *q)
{
    queue_put(q, UINT64_MAX);
    timeline_deinit(&q->own);
    timeline_deinit(&q->both);
    plan_deinit(&q->plan);
    free(q->totals.all);
    free(q->key);
    free(q);
}

/* Wider forms live as long as the narrow ones. */
void query_ref(struct query *q)
{
    q = q->narrow ? q->narrow : q;
    q->refs++;
}

void query_unref(struct query *q)
{
    q = q->narrow ? q->narrow : q;
    if (--q->refs)
        return;
    table_remove(&q->u->queries, view_of(q->key));
    if (q->wide)
        query_free(q->wide);
    query_free(q);
}

static void fill(const char *template, enum upstream_quantity kind,
                 const struct view values[TEMPLATE_ALL], struct buf *key)
{
    buf_release(key);
    buf_char(key, (char)('0' + (int)kind));
    template_fill(template, values, key);
}

struct query *query_of(struct upstream *u, enum upstream_quantity kind,
                       const struct view names[TEMPLATE_NAMES])
{
    const char *template = u->templates[kind];
    unsigned uses = template_uses(template), lacks = 0;
    struct view values[TEMPLATE_ALL];
    struct buf key = { 0 };
    struct query *q;

    if (!*template)
        return NULL;
    for (int i = 0; i < TEMPLATE_NAMES; i++) {
        values[i] = names[i];
        if (uses & 1U << i && names[i].n == 0)
            lacks |= 1U << i;
    }
    values[TEMPLATE_WINDOW] = view_of(windows[0]);
    values[TEMPLATE_RANGE] = VIEW("$range"); /* of the interval, when it is asked */
    fill(template, kind, values, &key);
    q = table_get(&u->queries, buf_as_view(&key));
    if (!q) {
        q = query_new(u, kind, &key);
        table_put(&u->queries, view_of(q->key), q);
        q->askable = lacks == 0;
        if (lacks)
            say_missing(q, lacks);
        if (uses & 1U << TEMPLATE_WINDOW && q->askable) {
            values[TEMPLATE_WINDOW] = view_of(windows[1]);
            fill(template, kind, values, &key);
            q->wide = query_new(u, kind, &key);
            q->wide->narrow = q;
            q->wide->askable = true;
        }
    }
    buf_deinit(&key);
    query_ref(q);
    return q;
}

/* ---- values ----------------------------------------------------------------------- */

static struct range wider(struct range cells, int64_t by)
{
    return (struct range){ cells.first - by, cells.last + by };
}

/* One form's values in the other's holes. */
static void join(struct query *narrow, struct range cells)
{
    struct range all = wider(cells, BRIDGED_CELLS + 1);

    for (int64_t c = all.first; c <= all.last; c++) {
        double v = timeline_get(&narrow->own, c);

        timeline_set(&narrow->both, c,
                     isnan(v) ? timeline_get(&narrow->wide->own, c) : v);
    }
    /* A line that was drawn here before may have its other end further away. */
    all = wider(all, BRIDGED_CELLS + 1);
    timeline_bridge(&narrow->both, all.first, all.last, BRIDGED_CELLS);
}

/* What an answer says of one interval, or a part of it. */
static void judge(struct query *q, struct range piece, const double values[],
                  int64_t settled, uint64_t now_ms)
{
    const struct query *first = q->narrow ? q->narrow : q;
    int64_t count = piece.last - piece.first + 1, have = 0;
    bool was_empty = ranges_touch(&q->plan.empty, piece);

    for (int64_t i = 0; i < count; i++)
        have += !isnan(values[i]);
    if (have > 0 && (first->was_refused || q->was_refused || was_empty))
        upstream_late(q->u, (double)piece.first * PLAN_STEP_S,
                      (double)piece.last * PLAN_STEP_S);
    if (q->wide && have * 2 < count) {
        plan_want(&q->wide->plan, piece, upstream_now_s());
        queue_soon(q->wide);
    }
    if (have > 0) {
        plan_filled(&q->plan, piece);
        if (was_empty && q->was_several) { /* so may be other times */
            q->was_several = false;
            plan_ask_empty(&q->plan);
        }
    } else if (settled > 0 && !q->wide) {
        plan_empty(
            &q->plan,
            (struct range){ piece.first,
                            piece.first + (settled < count ? settled : count) - 1 },
            now_ms);
    }
}

void query_take(struct query *q, struct range cells, const double values[],
                int64_t settled, uint64_t now_ms)
{
    const struct ranges *wanted = &q->plan.wanted;

    for (int64_t c = cells.first; c <= cells.last; c++)
        timeline_set(&q->own, c, values[c - cells.first]);
    if (q->wide)
        join(q, cells);
    else if (q->narrow)
        join(q->narrow, cells);
    else
        timeline_bridge(&q->own, cells.first - BRIDGED_CELLS - 1,
                        cells.last + BRIDGED_CELLS + 1, BRIDGED_CELLS);
    for (size_t i = ranges_find(wanted, cells.first);
         i < wanted->count && wanted->all[i].first <= cells.last; i++) {
        struct range piece = wanted->all[i];

        piece.first = piece.first < cells.first ? cells.first : piece.first;
        piece.last = piece.last > cells.last ? cells.last : piece.last;
        judge(q, piece, values + (piece.first - cells.first),
              settled - (piece.first - cells.first), now_ms);
    }
}

/* Pages of the timeline without any of these cells. */
static void drop_pages(struct timeline *t, const struct ranges *only)
{
    size_t kept = 0;

    for (size_t i = 0; i < t->page_count; i++) {
        int64_t first = t->pages[i]->number * TIMELINE_PAGE_CELLS;

        if (ranges_touch(only,
                         (struct range){ first, first + TIMELINE_PAGE_CELLS - 1 }))
            t->pages[kept++] = t->pages[i];
        else
            free(t->pages[i]);
    }
    t->page_count = kept;
}

void query_forget(struct query *q, uint64_t now_ms)
{
    struct ranges *recent = &q->plan.recent;

    q->since_ms = now_ms;
    plan_add_unsettled(&q->plan, recent);
    if (q->wide) {
        plan_add_unsettled(&q->wide->plan, recent);
        plan_keep(&q->wide->plan, recent);
        drop_pages(&q->wide->own, recent);
        ranges_deinit(&q->wide->plan.recent);
    }
    plan_keep(&q->plan, recent);
    drop_pages(&q->own, recent);
    drop_pages(&q->both, recent);
    ranges_deinit(recent);
    totals_forget(&q->totals);
}

bool query_settled(const struct query *q, struct range cells, uint64_t now_ms)
{
    const struct ranges *wide = q->wide ? &q->wide->plan.wanted : NULL;

    if (!q->askable || now_ms < q->refused_ms)
        return true;
    if (!plan_knows(&q->plan, cells))
        return false;
    if (!wide || now_ms < q->wide->refused_ms)
        return true;
    for (size_t i = ranges_find(wide, cells.first);
         i < wide->count && wide->all[i].first <= cells.last; i++) {
        struct range piece = wide->all[i];

        piece.first = piece.first < cells.first ? cells.first : piece.first;
        piece.last = piece.last > cells.last ? cells.last : piece.last;
        if (!plan_knows(&q->wide->plan, piece))
            return false;
    }
    return true;
}
