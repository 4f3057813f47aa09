/*
 * strand.h - the blocks of a body one behind the other, in as few pieces as they lie in.
 *
 * What a gzip answer sends. It keeps the slabs, so that blocks can move while an answer is
 * under way: that goes on sending from where they were. Loop thread only.
 */
#ifndef SERVER_STRAND_H
#define SERVER_STRAND_H

#include "server/body.h"

struct strand {
    unsigned refs;
    uint32_t count;
    struct strand_piece {
        const char *p;
        uint32_t n;
        struct slab *slab; /* one reference */
    } pieces[];
};

void strand_unref(struct strand *s); /* NULL is accepted */

/* What a gzip answer sends, of a prepared body: one reference for the caller. */
struct strand *body_strand(struct body *b, enum body_format f);

/* Blocks have moved: later answers send them from where they are. */
void body_strands_release(struct body *b);

#endif
