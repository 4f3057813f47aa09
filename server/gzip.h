/*
 * gzip.h - pieces of text, each deflated by itself, that make one gzip member together.
 *
 * A block is raw deflate that ends with a full flush: byte-aligned, and referring to
 * nothing before it. So blocks can be put one after the other in any order behind
 * GZIP_HEAD, and gzip_tail() ends the member with a last, empty block, the CRC-32 of
 * all text (combined from those of the pieces) and its length.
 *
 * Formats: RFC 1951 (deflate), RFC 1952 (gzip).
 */
#ifndef SERVER_GZIP_H
#define SERVER_GZIP_H

#include "core/buf.h"

#include <stdint.h>

extern const char gzip_head[];
enum { GZIP_HEAD_BYTES = 10, GZIP_TAIL_BYTES = 10 };

/* What a deflater and an inflater need, made at first use. One thread at a time. */
struct gzip { /* zero-initialised */
    void *deflate, *inflate;
};
void gzip_deinit(struct gzip *g);

/* Appends the block of text to out, which must not have a ceiling. */
void gzip_block(struct gzip *g, struct view text, struct buf *out);

/* Block → exactly n bytes of text at to. False: it is not the block of n bytes. */
bool gzip_text(struct gzip *g, struct view block, char *to, size_t n);

uint32_t gzip_crc(struct view text);

/* What gzip_join() needs to know of the length of the second text; costly to make. */
uint32_t gzip_join_op(uint64_t n);

/* CRC-32 of a text with CRC a followed by one with CRC b; op: of the second's length. */
uint32_t gzip_join(uint32_t a, uint32_t b, uint32_t op);

void gzip_tail(uint32_t crc, uint64_t n, char to[GZIP_TAIL_BYTES]);

#endif
