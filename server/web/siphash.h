/*
 * siphash.h - a keyed hash: who does not know the key cannot tell anything of the text,
 * nor find two texts of the same hash.
 *
 * SipHash-2-4 with 128 bits (Aumasson and Bernstein, 2012).
 */
#ifndef SERVER_WEB_SIPHASH_H
#define SERVER_WEB_SIPHASH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/view.h"

struct siphash_key {
    uint64_t part[2];
};

struct digest {
    uint64_t part[2]; /* little-endian, the first one first */
};

struct digest siphash(const struct siphash_key *key, struct view text);

/* Takes the same time whatever they are. */
static inline bool digest_eq(const struct digest *a, const struct digest *b)
{
    return ((a->part[0] ^ b->part[0]) | (a->part[1] ^ b->part[1])) == 0;
}

#endif
