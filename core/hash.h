/*
 * hash.h - 128-bit hashes, the same in every process, and numbers found by them.
 *
 * XXH3. Not for secrets: two texts of the same hash can be made on purpose, and whoever
 * writes the results files fools only themselves.
 */
#ifndef CORE_HASH_H
#define CORE_HASH_H

#include "core/view.h"

#include <stdint.h>

struct hash {
    uint64_t part[2];
};

struct hash hash_of(struct view bytes, uint64_t seed);

static inline bool hash_eq(const uint64_t a[2], const uint64_t b[2])
{
    return a[0] == b[0] && a[1] == b[1];
}

/* Numbers by hash: an open-addressed table with room for as many as were announced. */
struct hash_slot;
struct hash_index {
    struct hash_slot *slots;
    size_t mask;
};

void hash_index_init(struct hash_index *x, size_t capacity);
void hash_index_deinit(struct hash_index *x);

/* The number kept under this hash, or NULL. */
uint32_t *hash_index_find(const struct hash_index *x, const uint64_t hash[2]);

/* The same; where there is none, 0 is put there and *added set. */
uint32_t *hash_index_at(struct hash_index *x, const uint64_t hash[2], bool *added);

#endif
