/*
 * table.c - open addressing with linear probing; removal moves later entries back, so
 * there are no tombstones and look-ups stay short however long the table lives.
 */
#include "core/table.h"
#include "core/mem.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static size_t find(const struct table *t, uint64_t hash, struct view key)
{
    size_t i = hash & (t->cap - 1);

    while (t->slots[i].value &&
           !(t->slots[i].hash == hash && view_eq(t->slots[i].key, key)))
        i = (i + 1) & (t->cap - 1);
    return i;
}

void *table_get(const struct table *t, struct view key)
{
    if (t->count == 0)
        return NULL;
    return t->slots[find(t, XXH3_64bits(key.p, key.n), key)].value;
}

static void grow(struct table *t)
{
    struct table old = *t;

    t->cap = old.cap ? old.cap * 2 : 16;
    t->slots = mem_zalloc(t->cap * sizeof *t->slots);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].value)
            t->slots[find(t, old.slots[i].hash, old.slots[i].key)] = old.slots[i];
    free(old.slots);
}

void table_put(struct table *t, struct view key, void *value)
{
    uint64_t hash = XXH3_64bits(key.p, key.n);

    if (t->count * 4 >= t->cap * 3)
        grow(t);
    t->slots[find(t, hash, key)] = (struct table_slot){ hash, key, value };
    t->count++;
}

void *table_remove(struct table *t, struct view key)
{
    if (t->count == 0)
        return NULL;

    size_t mask = t->cap - 1;
    size_t hole = find(t, XXH3_64bits(key.p, key.n), key);
    void *value = t->slots[hole].value;

    if (!value)
        return NULL;
    for (size_t i = (hole + 1) & mask; t->slots[i].value; i = (i + 1) & mask) {
        size_t home = t->slots[i].hash & mask;

        /* Stays if its home lies cyclically in (hole, i]. */
        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        t->slots[hole] = t->slots[i];
        hole = i;
    }
    t->slots[hole].value = NULL;
    t->count--;
    return value;
}

void *table_next(const struct table *t, size_t *i)
{
    while (*i < t->cap) {
        void *value = t->slots[(*i)++].value;

        if (value)
            return value;
    }
    return NULL;
}

void table_deinit(struct table *t)
{
    free(t->slots);
    *t = (struct table){ 0 };
}
