/*
 * table.h - a hash table from names to whatever their owner keeps.
 *
 * Keys are views that live inside the values and are not copied.
 */
#ifndef CORE_TABLE_H
#define CORE_TABLE_H

#include "core/view.h"

#include <stdint.h>

struct table_slot {
    uint64_t hash;
    struct view key;
    void *value; /* NULL: empty */
};

struct table { /* zero-initialised: empty */
    struct table_slot *slots;
    size_t count, cap; /* cap is 0 or a power of two */
};

void *table_get(const struct table *t, struct view key); /* NULL: not there */

/* key must not be there yet; value is not NULL. */
void table_put(struct table *t, struct view key, void *value);

/* Returns what was there, or NULL. */
void *table_remove(struct table *t, struct view key);

void table_deinit(struct table *t); /* values are the owner's */

/* for (size_t i = 0; (value = table_next(t, &i));): every value, in no order; nothing
 * may be put or removed meanwhile. */
void *table_next(const struct table *t, size_t *i);

#endif
