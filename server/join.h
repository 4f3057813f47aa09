/*
 * join.h - blocks of a body moved next to each other.
 *
 * Blocks are made segment by segment and sent family by family, and the system call that
 * sends them costs by the piece. So the blocks of a body that is sent again and again are
 * copied into slabs in its order. Chunks, and what they say, stay; slabs that are in order
 * already stay, too.
 */
#ifndef SERVER_JOIN_H
#define SERVER_JOIN_H

#include "server/body.h"

/*
 * Joins some of b's blocks, in the text format, from chunk *at on; all chunks have their
 * blocks. Moves *at on, to chunk_count at the end. Returns the bytes that were copied,
 * at most SLAB_BYTES or one block. What answers send stays where it was before
 * body_strands_release(). Loop thread.
 */
size_t body_join(struct body *b, uint32_t *at);

#endif
