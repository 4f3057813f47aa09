#include "server/upstream/ranges.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

void ranges_deinit(struct ranges *r)
{
    free(r->all);
    *r = (struct ranges){ 0 };
}

size_t ranges_find(const struct ranges *r, int64_t cell)
{
    size_t low = 0, high = r->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (r->all[middle].last < cell)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* n ranges from i on are replaced by these. */
static void splice(struct ranges *r, size_t i, size_t n, const struct range with[],
                   size_t with_count)
{
    size_t count = r->count - n + with_count;

    if (count > r->cap) {
        r->cap = count * 2;
        r->all = mem_resize(r->all, r->cap, sizeof *r->all);
    }
    if (r->count > i + n)
        memmove(&r->all[i + with_count], &r->all[i + n],
                (r->count - i - n) * sizeof *r->all);
    if (with_count)
        memcpy(&r->all[i], with, with_count * sizeof *with);
    r->count = count;
}

void ranges_add(struct ranges *r, struct range cells)
{
    size_t i = ranges_find(r, cells.first - 1), n = 0; /* neighbours become one */

    for (; i + n < r->count && r->all[i + n].first <= cells.last + 1; n++) {
        const struct range *have = &r->all[i + n];

        cells.first = have->first < cells.first ? have->first : cells.first;
        cells.last = have->last > cells.last ? have->last : cells.last;
    }
    splice(r, i, n, &cells, 1);
}

void ranges_take(struct ranges *r, struct range cells)
{
    size_t i = ranges_find(r, cells.first), n = 0, left = 0;
    struct range rest[2];

    for (; i + n < r->count && r->all[i + n].first <= cells.last; n++) {
        struct range have = r->all[i + n];

        if (have.first < cells.first)
            rest[left++] = (struct range){ have.first, cells.first - 1 };
        if (have.last > cells.last)
            rest[left++] = (struct range){ cells.last + 1, have.last };
    }
    if (n)
        splice(r, i, n, rest, left);
}

void ranges_cut(struct ranges *r, const struct ranges *to)
{
    struct ranges rest = { 0 };

    for (size_t i = 0, j = 0; i < r->count && j < to->count;) {
        const struct range *a = &r->all[i], *b = &to->all[j];
        const struct range both = { a->first > b->first ? a->first : b->first,
                                    a->last < b->last ? a->last : b->last };

        if (both.first <= both.last)
            splice(&rest, rest.count, 0, &both, 1);
        if (a->last < b->last)
            i++;
        else
            j++;
    }
    ranges_deinit(r);
    *r = rest;
}

bool ranges_hold(const struct ranges *r, struct range cells)
{
    size_t i = ranges_find(r, cells.first);

    return i < r->count && r->all[i].first <= cells.first &&
           r->all[i].last >= cells.last;
}

bool ranges_touch(const struct ranges *r, struct range cells)
{
    size_t i = ranges_find(r, cells.first);

    return i < r->count && r->all[i].first <= cells.last;
}
