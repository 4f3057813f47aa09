/*
 * queue.c - the queries that have something to ask, by when they are due.
 */
#include "core/mem.h"
#include "server/upstream/inner.h"

static bool sooner(const struct queued *a, const struct queued *b)
{
    return a->due_ms < b->due_ms || (a->due_ms == b->due_ms && a->turn < b->turn);
}

static void place(struct queued *queue, size_t i, struct queued e)
{
    queue[i] = e;
    e.q->queued = i + 1;
}

/* Puts e at i, or where it belongs above or below. */
static void settle(struct upstream *u, size_t i, struct queued e)
{
    struct queued *queue = u->queue;

    for (; i > 0 && sooner(&e, &queue[(i - 1) / 2]); i = (i - 1) / 2)
        place(queue, i, queue[(i - 1) / 2]);
    for (;;) {
        size_t below = 2 * i + 1;

        if (below + 1 < u->queue_count && sooner(&queue[below + 1], &queue[below]))
            below++;
        if (below >= u->queue_count || !sooner(&queue[below], &e))
            break;
        place(queue, i, queue[below]);
        i = below;
    }
    place(queue, i, e);
}

static void take_out(struct query *q)
{
    struct upstream *u = q->u;
    size_t i = q->queued - 1;

    q->queued = 0;
    if (i < --u->queue_count)
        settle(u, i, u->queue[u->queue_count]);
}

void queue_put(struct query *q, uint64_t due_ms)
{
    struct upstream *u = q->u;

    if (due_ms == UINT64_MAX) {
        if (q->queued)
            take_out(q);
        return;
    }
    if (!q->queued) {
        if (u->queue_count == u->queue_cap) {
            u->queue_cap = u->queue_cap ? u->queue_cap * 2 : 16;
            u->queue = mem_resize(u->queue, u->queue_cap, sizeof *u->queue);
        }
        q->queued = ++u->queue_count;
    }
    /* Power is what most scenarios wait for, and often one query's for all of them. */
    if (q->kind == UPSTREAM_POWER && due_ms <= uv_now(u->loop))
        due_ms = 0;
    settle(u, q->queued - 1, (struct queued){ due_ms, u->queue_turn++, q });
}

void queue_soon(struct query *q)
{
    uint64_t due_ms = uv_now(q->u->loop);

    due_ms = q->refused_ms > due_ms ? q->refused_ms : due_ms;
    due_ms = q->hold_ms > due_ms ? q->hold_ms : due_ms;
    if (!q->queued || q->u->queue[q->queued - 1].due_ms > due_ms)
        queue_put(q, due_ms);
}
