#include "server/gzip.h"

#include "core/mem.h"

#include <assert.h>
#include <stdlib.h>

#include <zlib.h>

/* Level 1: labels repeat from line to line so much that the slowest level saves only a
 * fifth of the bytes, at four times the time. */
enum { LEVEL = 1, RAW_WINDOW = -15, MEMORY = 8 };

/* ID, deflate, no flags, no time, no extra flags, made on Unix. */
const char gzip_head[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03";

_Static_assert(sizeof gzip_head - 1 == GZIP_HEAD_BYTES, "the fixed part of RFC 1952");

/* zlib asks for memory in the middle of its work, too, where nobody could go on. */
static void *z_alloc(void *ctx, unsigned count, unsigned size)
{
    (void)ctx;
    return mem_alloc((size_t)count * size);
}

static void z_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

static z_stream *new_stream(void)
{
    z_stream *z = mem_zalloc(sizeof *z);

    z->zalloc = z_alloc;
    z->zfree = z_free;
    return z;
}

static z_stream *deflater(struct gzip *g)
{
    if (g->deflate) {
        deflateReset(g->deflate);
    } else {
        g->deflate = new_stream();
        if (deflateInit2(g->deflate, LEVEL, Z_DEFLATED, RAW_WINDOW, MEMORY,
                         Z_DEFAULT_STRATEGY) != Z_OK)
            mem_exhausted(0);
    }
    return g->deflate;
}

static z_stream *inflater(struct gzip *g)
{
    if (g->inflate) {
        inflateReset(g->inflate);
    } else {
        g->inflate = new_stream();
        if (inflateInit2(g->inflate, RAW_WINDOW) != Z_OK)
            mem_exhausted(0);
    }
    return g->inflate;
}

void gzip_deinit(struct gzip *g)
{
    if (g->deflate)
        deflateEnd(g->deflate);
    if (g->inflate)
        inflateEnd(g->inflate);
    free(g->deflate);
    free(g->inflate);
    *g = (struct gzip){ 0 };
}

void gzip_block(struct gzip *g, struct view text, struct buf *out)
{
    z_stream *z = deflater(g);
    size_t room = deflateBound(z, text.n) + 16; /* the flush is an empty block */

    assert(text.n <= UINT32_MAX && out->limit == 0);
    z->next_in = (Bytef *)(uintptr_t)text.p;
    z->avail_in = (uInt)text.n;
    z->next_out = (Bytef *)buf_room(out, room);
    z->avail_out = (uInt)room;

    int rc = deflate(z, Z_FULL_FLUSH);

    assert(rc == Z_OK && z->avail_in == 0 && z->avail_out > 0);
    (void)rc;
    buf_commit(out, room - z->avail_out);
}

bool gzip_text(struct gzip *g, struct view block, char *to, size_t n)
{
    z_stream *z = inflater(g);

    z->next_in = (Bytef *)(uintptr_t)block.p;
    z->avail_in = (uInt)block.n;
    z->next_out = (Bytef *)to;
    z->avail_out = (uInt)n;

    int rc = inflate(z, Z_SYNC_FLUSH);

    return (rc == Z_OK || rc == Z_BUF_ERROR) && z->avail_out == 0;
}

uint32_t gzip_crc(struct view text)
{
    return (uint32_t)crc32_z(0, (const Bytef *)text.p, text.n);
}

uint32_t gzip_join_op(uint64_t n)
{
    return (uint32_t)crc32_combine_gen((z_off_t)n);
}

uint32_t gzip_join(uint32_t a, uint32_t b, uint32_t op)
{
    return (uint32_t)crc32_combine_op(a, b, op);
}

static void put32(char *to, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (char)(unsigned char)(v >> (8 * i));
}

void gzip_tail(uint32_t crc, uint64_t n, char to[GZIP_TAIL_BYTES])
{
    /* A last block of the fixed Huffman code with nothing but its end. */
    to[0] = 0x03;
    to[1] = 0x00;
    put32(to + 2, crc);
    put32(to + 6, (uint32_t)n); /* modulo 2^32, as the RFC has it */
}
