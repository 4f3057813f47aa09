/*
 * totals.c - intervals whose energy stands in a counter: one number each, asked at its
 * end. As long as nobody knows whether the counter exists, one question at a time is
 * asked.
 */
#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "server/upstream/inner.h"

static bool before(const struct total *t, double from_s, double to_s)
{
    return t->to_s < to_s || (t->to_s == to_s && t->from_s < from_s);
}

struct total *totals_of(struct totals *t, double from_s, double to_s, bool make)
{
    size_t low = 0, high = t->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (before(&t->all[middle], from_s, to_s))
            low = middle + 1;
        else
            high = middle;
    }
    if (low < t->count && t->all[low].from_s == from_s && t->all[low].to_s == to_s)
        return &t->all[low];
    if (!make)
        return NULL;
    if (t->count == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 8;
        t->all = mem_resize(t->all, t->cap, sizeof *t->all);
    }
    memmove(&t->all[low + 1], &t->all[low], (t->count - low) * sizeof *t->all);
    t->all[low] = (struct total){ from_s, to_s, NAN, TOTAL_OPEN, true };
    t->count++;
    t->open++;
    return &t->all[low];
}

struct total *totals_next(struct totals *t, double now_s, uint64_t now_ms,
                          uint64_t *due_ms)
{
    *due_ms = UINT64_MAX;
    if (t->open == 0 || (t->asking && t->counter != COUNTER_IS))
        return NULL;
    if (t->counter == COUNTER_NONE) {
        *due_ms = t->absent_ms;
        if (now_ms < t->absent_ms)
            return NULL;
        t->counter = COUNTER_DOUBTED;
    }
    for (size_t i = t->count; i-- > 0;) {
        struct total *which = &t->all[i];
        double wait_s = which->to_s + PLAN_LATE_S - now_s;

        if (which->state != TOTAL_OPEN)
            continue;
        if (wait_s <= 0) {
            which->state = TOTAL_ASKING;
            t->open--;
            t->asking = true;
            *due_ms = now_ms;
            return which;
        }
        *due_ms = now_ms + (uint64_t)ceil(wait_s * 1e3); /* less and less on the way */
    }
    return NULL;
}

bool totals_wait(const struct totals *t, double now_s)
{
    if (t->open == 0 || t->counter >= COUNTER_NONE)
        return false;
    for (size_t i = 0; i < t->count && t->all[i].to_s + PLAN_LATE_S <= now_s; i++)
        if (t->all[i].state == TOTAL_OPEN)
            return true;
    return false;
}

void totals_forget(struct totals *t)
{
    size_t kept = 0;

    for (size_t i = 0; i < t->count; i++) {
        struct total *which = &t->all[i];

        if (!which->recent && which->state == TOTAL_OPEN)
            t->open--;
        if (!which->recent && which->state != TOTAL_ASKING)
            continue;
        which->recent = false;
        t->all[kept++] = *which;
    }
    t->count = kept;
}

void totals_answered(struct totals *t, struct total *which, double value_j,
                     uint64_t now_ms)
{
    which->state = TOTAL_KNOWN;
    which->value_j = value_j;
    t->asking = false;
    if (!isnan(value_j)) {
        t->counter = COUNTER_IS;
    } else if (t->counter != COUNTER_IS) {
        t->counter = COUNTER_NONE;
        t->absent_ms = now_ms + ABSENT_MS;
    }
}

void totals_failed(struct totals *t, struct total *which)
{
    which->state = TOTAL_OPEN;
    t->open++;
    t->asking = false;
}
