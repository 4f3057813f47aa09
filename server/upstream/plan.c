#include "server/upstream/plan.h"

#include <math.h>

void plan_deinit(struct plan *p)
{
    ranges_deinit(&p->wanted);
    ranges_deinit(&p->recent);
    ranges_deinit(&p->open);
    ranges_deinit(&p->asking);
    ranges_deinit(&p->young);
    ranges_deinit(&p->known);
    ranges_deinit(&p->empty);
    ranges_deinit(&p->again);
    ranges_deinit(&p->retried);
}

struct range plan_cells(double from_s, double to_s)
{
    return (struct range){ (int64_t)floor(from_s / PLAN_STEP_S) - 1,
                           (int64_t)ceil(to_s / PLAN_STEP_S) + 1 };
}

static int64_t cell_at(double time_s)
{
    return (int64_t)floor(time_s / PLAN_STEP_S);
}

/* Cells of an encode that goes on wait for the next question about it. */
static bool goes_on(const struct plan *p, struct range cells, double now_s)
{
    const struct range before = { cells.first - 1, cells.first - 1 };

    return cells.first > cell_at(now_s - PLAN_LATE_S) &&
           (ranges_hold(&p->young, before) || ranges_hold(&p->asking, before));
}

void plan_want(struct plan *p, struct range cells, double now_s)
{
    const struct ranges *const have[] = { &p->known, &p->open, &p->asking, &p->young };
    int64_t cell = cells.first;

    ranges_add(&p->recent, cells);
    ranges_add(&p->wanted, cells);
    while (cell <= cells.last) {
        int64_t next = cells.last + 1; /* where the next that we have begins … */
        int64_t past = cell;           /* … and where the one here ends */

        for (size_t i = 0; i < sizeof have / sizeof *have; i++) {
            size_t at = ranges_find(have[i], cell);

            if (at == have[i]->count)
                continue;
            if (have[i]->all[at].first <= cell)
                past = have[i]->all[at].last + 1;
            else if (have[i]->all[at].first < next)
                next = have[i]->all[at].first;
        }
        if (past == cell) {
            const struct range missing = { cell, next - 1 };

            ranges_add(goes_on(p, missing, now_s) ? &p->young : &p->open, missing);
        }
        cell = past > cell ? past : next;
    }
}

/* ---- asking ----------------------------------------------------------------------- */

static void open_all(struct plan *p, struct ranges *from)
{
    for (size_t i = 0; i < from->count; i++)
        ranges_add(&p->open, from->all[i]);
    from->count = 0;
}

static void open_what_is_due(struct plan *p, uint64_t now_ms)
{
    if (now_ms >= p->young_ms)
        open_all(p, &p->young);
    if (p->again.count && now_ms >= p->again_ms) {
        for (size_t i = 0; i < p->again.count; i++)
            ranges_add(&p->retried, p->again.all[i]);
        open_all(p, &p->again);
    }
}

bool plan_next(struct plan *p, double now_s, uint64_t now_ms, struct range *out)
{
    int64_t end = cell_at(now_s);
    size_t i;

    open_what_is_due(p, now_ms);
    i = ranges_find(&p->open, end);
    if (i == p->open.count || p->open.all[i].first > end) {
        if (i == 0)
            return false;
        i--;
    }
    *out = p->open.all[i];
    if (out->last > end)
        out->last = end;
    while (i > 0 && out->first - p->open.all[i - 1].last <= PLAN_JOIN_CELLS)
        out->first = p->open.all[--i].first;
    if (out->last - out->first >= PLAN_POINTS)
        out->first = out->last - PLAN_POINTS + 1;
    ranges_take(&p->open, *out);
    ranges_take(&p->young, *out);
    ranges_add(&p->asking, *out);
    p->young_ms = now_ms + PLAN_EVERY_MS;
    return true;
}

/* ---- answers ---------------------------------------------------------------------- */

int64_t plan_answered(struct plan *p, struct range cells, double asked_s,
                      uint64_t now_ms)
{
    int64_t settled = cell_at(asked_s - PLAN_LATE_S);

    ranges_take(&p->asking, cells);
    if (settled >= cells.first)
        ranges_add(
            &p->known,
            (struct range){ cells.first, settled < cells.last ? settled : cells.last });
    if (settled < cells.last) {
        int64_t first = settled < cells.first ? cells.first : settled + 1;

        ranges_add(&p->young, (struct range){ first, cells.last });
        if (p->young_ms < now_ms)
            p->young_ms = now_ms;
    }
    settled = settled < cells.last ? settled : cells.last;
    return settled < cells.first ? 0 : settled - cells.first + 1;
}

void plan_skipped(struct plan *p, struct range cells)
{
    ranges_take(&p->asking, cells);
    ranges_add(&p->open, cells);
}

void plan_empty(struct plan *p, struct range cells, uint64_t now_ms)
{
    if (p->empty.count == 0)
        p->probe_ms = now_ms + PLAN_PROBE_MS;
    ranges_add(&p->empty, cells);
    if (ranges_touch(&p->retried, cells))
        return;
    if (p->again.count == 0)
        p->again_ms = now_ms + PLAN_AGAIN_MS;
    ranges_add(&p->again, cells);
}

void plan_filled(struct plan *p, struct range cells)
{
    ranges_take(&p->empty, cells);
    ranges_take(&p->again, cells);
}

void plan_ask_empty(struct plan *p)
{
    for (size_t i = 0; i < p->empty.count; i++)
        ranges_add(&p->open, p->empty.all[i]);
    p->again.count = 0;
}

bool plan_probe(struct plan *p, struct range cells, uint64_t now_ms)
{
    if (now_ms < p->probe_ms || !ranges_touch(&p->empty, cells))
        return false;
    p->probe_ms = now_ms + PLAN_PROBE_MS;
    ranges_add(&p->open, cells);
    return true;
}

bool plan_last_empty(const struct plan *p, struct range *out)
{
    if (p->empty.count == 0)
        return false;
    *out = p->empty.all[p->empty.count - 1];
    return true;
}

void plan_add_unsettled(const struct plan *p, struct ranges *to)
{
    const struct ranges *const sets[] = { &p->open, &p->asking, &p->young, &p->again };

    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        for (size_t j = 0; j < sets[i]->count; j++)
            ranges_add(to, sets[i]->all[j]);
}

void plan_keep(struct plan *p, const struct ranges *only)
{
    ranges_cut(&p->wanted, only);
    ranges_cut(&p->known, only);
    ranges_cut(&p->empty, only);
    ranges_cut(&p->retried, only);
}

uint64_t plan_due(const struct plan *p, double now_s, uint64_t now_ms)
{
    uint64_t due = UINT64_MAX;

    if (p->open.count) {
        double wait_s = (double)p->open.all[0].first * PLAN_STEP_S - now_s;

        due = now_ms + (wait_s > 0 ? (uint64_t)ceil(wait_s * 1e3) : 0);
    }
    if (p->young.count && p->young_ms < due)
        due = p->young_ms;
    if (p->again.count && p->again_ms < due)
        due = p->again_ms;
    return due;
}

bool plan_waits(const struct plan *p, double now_s)
{
    return p->open.count && p->open.all[0].first <= cell_at(now_s);
}

bool plan_knows(const struct plan *p, struct range cells)
{
    return ranges_hold(&p->known, cells);
}
