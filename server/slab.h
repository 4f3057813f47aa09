/*
 * slab.h - memory that blocks of gzip (see gzip.h) lie in, one behind the other.
 *
 * It lives as long as somebody refers to it: a chunk whose block is in it, or an answer
 * that is sent from it. Blocks move from slab to slab while answers are under way; those
 * keep the old one. Counts of references: loop thread, or before anybody else sees it.
 */
#ifndef SERVER_SLAB_H
#define SERVER_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A slab of so many blocks fills its pages, and is large enough that a system call costs
 * by its bytes and not by its pieces. */
enum { SLAB_BYTES = 256 * 1024 - 16 };

struct slab {
    unsigned refs;
    uint32_t n;    /* bytes */
    uint32_t used; /* of them, those of blocks that chunks have here */
    char p[];
};

struct slab *slab_new(size_t n); /* one reference */
struct slab *slab_ref(struct slab *s);
void slab_unref(struct slab *s); /* NULL is accepted */

/* True if more than an eighth of it is of no use to any chunk. */
static inline bool slab_wasted(const struct slab *s)
{
    return s->used < s->n - s->n / 8;
}

/* Bytes in all slabs of the process. Any thread. */
size_t slab_bytes(void);

#endif
