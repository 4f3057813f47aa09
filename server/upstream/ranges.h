/*
 * ranges.h - sets of cells of a timeline, as ranges.
 */
#ifndef SERVER_UPSTREAM_RANGES_H
#define SERVER_UPSTREAM_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
    int64_t first, last; /* cells, both are in it */
};

struct ranges {        /* zeroed: empty */
    struct range *all; /* ascending, apart by one cell at least */
    size_t count, cap;
};

void ranges_deinit(struct ranges *r);
void ranges_add(struct ranges *r, struct range cells);
void ranges_take(struct ranges *r, struct range cells); /* out of it */

/* Keeps what is in the other set as well. */
void ranges_cut(struct ranges *r, const struct ranges *to);

/* Whether all, or any, of these cells are in it. */
bool ranges_hold(const struct ranges *r, struct range cells);
bool ranges_touch(const struct ranges *r, struct range cells);

/* Index of the first range that ends at this cell or behind it; count: there is none. */
size_t ranges_find(const struct ranges *r, int64_t cell);

#endif
