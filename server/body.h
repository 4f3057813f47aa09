/*
 * body.h - bytes that answers are made of: ready, shared and counted.
 *
 * A chunk is some lines of one family, as text, as a block of gzip (see gzip.h), or as
 * both. A body is the chunks of one endpoint in order, one generation of it: what it
 * says never changes, so an answer under way keeps its generation for as long as its
 * client takes, and nothing is copied. Loop thread only, but for the making of a chunk
 * before anybody else sees it.
 */
#ifndef SERVER_BODY_H
#define SERVER_BODY_H

#include "server/gzip.h"
#include "server/slab.h"

struct chunk {
    unsigned refs;
    uint32_t n;        /* bytes of text */
    uint32_t zn;       /* bytes of z */
    uint32_t crc;      /* of the text; with z */
    uint32_t join_op;  /* gzip_join_op(n); with z */
    uint64_t hash[2];  /* of the text */
    char *text;        /* NULL: not kept, z has it */
    const char *z;     /* the block; NULL: not made */
    struct slab *slab; /* that z lies in; one reference */
    struct chunk *alt; /* what OpenMetrics has in its place; NULL: the same bytes */
};

struct chunk *chunk_new(struct view text); /* copies; one reference */
struct chunk *chunk_new_deflated(struct view text, struct gzip *g); /* no text kept */

/* Blocks of new chunks that will lie in one slab. */
struct shelf { /* zero-initialised: empty */
    struct buf blocks;
    struct chunk **chunks; /* in their order; borrowed */
    size_t count, cap;
};

/* As chunk_new_deflated(); there is no block before shelf_clear(). */
struct chunk *chunk_new_shelved(struct view text, struct gzip *g, struct shelf *shelf);

/* Chunks get their blocks; before any of them is let go. */
void shelf_clear(struct shelf *shelf);
void shelf_deinit(struct shelf *shelf); /* of an empty one */

struct chunk *chunk_ref(struct chunk *c);
void chunk_unref(struct chunk *c); /* NULL is accepted */

/* Takes the reference to alt. */
void chunk_set_alt(struct chunk *c, struct chunk *alt);

/* True if c's text is this one, by its 128-bit hash: any thread, since texts and blocks
 * come and go on the loop while the pool compares. */
bool chunk_is(const struct chunk *c, struct view text);

/* True if both say the same, in both formats. */
bool chunk_same(const struct chunk *a, const struct chunk *b);

/* Makes the block, also of alt. */
void chunk_deflate(struct chunk *c, struct gzip *g);

/* Copies the block to s->p + at, where it is from now on. Answers under way keep the old
 * place. */
void chunk_move(struct chunk *c, struct slab *s, uint32_t at);

/* The same to a slab of its own, so that the one it lies in can go. */
void chunk_move_alone(struct chunk *c);

/* Lets go of the text; needs the block, and that nobody is sending the text. */
void chunk_drop_text(struct chunk *c);

/* Brings the text back from the block. */
void chunk_restore_text(struct chunk *c, struct gzip *g);

/* Bytes of all texts that are kept, of all chunks of the process. Any thread. */
size_t chunk_text_bytes(void);

/* The same with all slabs. */
size_t chunk_kept_bytes(void);

struct body_family {
    const char *name;      /* as in the text format; lives as long as the program */
    uint32_t first, count; /* its chunks, the head first */
};

enum body_format { BODY_TEXT, BODY_OPENMETRICS, BODY_FORMATS };

/* A body in one format. */
struct body_form {
    uint64_t bytes;        /* of the text */
    uint64_t zbytes;       /* of all blocks; when prepared */
    uint32_t join_op;      /* gzip_join_op(bytes); when prepared */
    uint32_t crc;          /* of the text; when prepared */
    bool prepared;         /* gzip can be sent */
    bool settled;          /* whether it is joined: answers count on its pieces */
    struct chunk *joined;  /* small bodies: all text in one chunk; NULL: not so */
    struct strand *strand; /* see strand.h; NULL: not made */
};

struct body {
    unsigned refs;
    uint64_t generation;   /* differs between any two bodies of a process */
    struct chunk **chunks; /* one reference each */
    uint32_t chunk_count, chunk_cap;
    struct body_family *families;
    uint32_t family_count, family_cap;
    struct body_form form[BODY_FORMATS];
};

struct body *body_new(void); /* empty; one reference */
struct body *body_ref(struct body *b);
void body_unref(struct body *b); /* NULL is accepted */

/* While a body is made: opens a family, then adds its chunks. Takes the references. */
void body_family(struct body *b, const char *name);
void body_add(struct body *b, struct chunk *c);

/* A body of just those families of b whose name is among names; order of b. */
struct body *body_select(const struct body *b, const struct view names[], size_t count);

/* True if both say the same, in both formats. */
bool body_same(const struct body *a, const struct body *b);

/* The body that ends an OpenMetrics answer: one reference to the only one there is. */
struct body *body_eof(void);

static inline uint64_t body_bytes(const struct body *b)
{
    return b->form[BODY_TEXT].bytes;
}

/* Bytes of texts and blocks that b keeps alive, whether or not it shares them. */
size_t body_kept_bytes(const struct body *b);

/*
 * Small bodies of many chunks are joined: the system call costs by the piece, and one
 * block for all of it is half the size. Others are sent chunk by chunk.
 */
bool body_is_small(const struct body *b, enum body_format f);

/*
 * Makes what a gzip answer needs and is not there yet. Cheap where chunks have their
 * blocks; done on the loop after a change, or by the first answer that cannot wait.
 */
void body_prepare(struct body *b, enum body_format f, struct gzip *g);

/*
 * What an answer without gzip sends in this format: pieces 0 to body_pieces() - 1. In a
 * piece that keeps no text, only z is there.
 */
uint32_t body_pieces(struct body *b, enum body_format f);
const struct chunk *body_piece(const struct body *b, enum body_format f, uint32_t i);

#endif
