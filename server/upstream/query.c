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
    struct query **at = &u->queries;

    q->kind = kind;
    q->u = u;
    q->text = mem_alloc(text->n + 1);
    memcpy(q->text, text->p, text->n);
    q->text[text->n] = '\0';
    q->own.step_s = q->both.step_s = PLAN_STEP_S;
    while (*at && (*at)->kind <= kind)
        at = &(*at)->next;
    q->next = *at;
    *at = q;
    return q;
}

void query_free(struct query *q)
{
    timeline_deinit(&q->own);
    timeline_deinit(&q->both);
    plan_deinit(&q->plan);
    free(q->totals.all);
    free(q->text);
    free(q);
}

static struct query *find(const struct upstream *u, enum upstream_quantity kind,
                          struct view text)
{
    struct query *q = u->queries;

    while (q && (q->kind != kind || q->narrow || !view_eq(view_of(q->text), text)))
        q = q->next;
    return q;
}

struct query *query_of(struct upstream *u, enum upstream_quantity kind,
                       const struct view names[TEMPLATE_NAMES])
{
    const char *template = u->templates[kind];
    unsigned uses = template_uses(template), lacks = 0;
    struct view values[TEMPLATE_ALL];
    struct buf text = { 0 };
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
    template_fill(template, values, &text);
    q = find(u, kind, buf_as_view(&text));
    if (!q) {
        q = query_new(u, kind, &text);
        q->askable = lacks == 0;
        if (lacks)
            say_missing(q, lacks);
        if (uses & 1U << TEMPLATE_WINDOW && q->askable) {
            buf_release(&text);
            values[TEMPLATE_WINDOW] = view_of(windows[1]);
            template_fill(template, values, &text);
            q->wide = query_new(u, kind, &text);
            q->wide->narrow = q;
            q->wide->askable = true;
        }
    }
    buf_deinit(&text);
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

    for (int64_t i = 0; i < count; i++)
        have += !isnan(values[i]);
    if (have > 0 &&
        (first->was_refused || q->was_refused || ranges_touch(&q->plan.empty, piece)))
        upstream_late(q->u, (double)piece.first * PLAN_STEP_S,
                      (double)piece.last * PLAN_STEP_S);
    if (q->wide && have * 2 < count)
        plan_want(&q->wide->plan, piece, upstream_now_s());
    if (have > 0)
        plan_filled(&q->plan, piece);
    else if (settled > 0 && !q->wide)
        plan_empty(
            &q->plan,
            (struct range){ piece.first,
                            piece.first + (settled < count ? settled : count) - 1 },
            now_ms);
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
