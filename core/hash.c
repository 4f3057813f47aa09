#include "core/hash.h"
#include "core/mem.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct hash_slot {
    uint64_t hash[2];
    uint32_t number;
    bool used;
};

struct hash hash_of(struct view bytes, uint64_t seed)
{
    XXH128_hash_t h = XXH3_128bits_withSeed(bytes.p, bytes.n, seed);

    return (struct hash){ { h.low64, h.high64 } };
}

void hash_index_init(struct hash_index *x, size_t capacity)
{
    size_t slots = 16;

    while (slots / 2 < capacity) /* at least half stay free */
        slots *= 2;
    x->slots = mem_zalloc(slots * sizeof *x->slots);
    x->mask = slots - 1;
}

void hash_index_deinit(struct hash_index *x)
{
    free(x->slots);
    *x = (struct hash_index){ 0 };
}

static struct hash_slot *place(const struct hash_index *x, const uint64_t hash[2])
{
    size_t at = (size_t)hash[0] & x->mask;

    while (x->slots[at].used && !hash_eq(x->slots[at].hash, hash))
        at = (at + 1) & x->mask;
    return &x->slots[at];
}

uint32_t *hash_index_find(const struct hash_index *x, const uint64_t hash[2])
{
    struct hash_slot *s = place(x, hash);

    return s->used ? &s->number : NULL;
}

uint32_t *hash_index_at(struct hash_index *x, const uint64_t hash[2], bool *added)
{
    struct hash_slot *s = place(x, hash);

    *added = !s->used;
    if (!s->used)
        *s = (struct hash_slot){ { hash[0], hash[1] }, 0, true };
    return &s->number;
}
