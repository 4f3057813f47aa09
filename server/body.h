/*
 * body.h - bytes that answers are made of: ready, shared and counted.
 *
 * A chunk is some lines of one family. A body is the chunks of one endpoint in order,
 * one generation of it: it never changes, so an answer under way keeps its generation
 * for as long as its client takes, and nothing is copied. Loop thread only, but for
 * chunk_new() before anybody else sees the chunk.
 */
#ifndef SERVER_BODY_H
#define SERVER_BODY_H

#include "core/view.h"

#include <stdint.h>

struct chunk {
    unsigned refs;
    uint32_t n;
    uint64_t hash; /* of the bytes */
    char bytes[];
};

struct chunk *chunk_new(struct view bytes); /* copies; one reference */
struct chunk *chunk_ref(struct chunk *c);
void chunk_unref(struct chunk *c); /* NULL is accepted */

struct body_family {
    const char *name;      /* as in the text format; lives as long as the program */
    uint32_t first, count; /* its chunks, the head first */
};

struct body {
    unsigned refs;
    uint64_t generation;   /* differs between any two bodies of a process */
    uint64_t bytes;        /* of all chunks */
    struct chunk **chunks; /* one reference each */
    uint32_t chunk_count, chunk_cap;
    struct body_family *families;
    uint32_t family_count, family_cap;
    struct chunk *joined; /* see body_pieces(); NULL: not made */
};

struct body *body_new(void); /* empty; one reference */
struct body *body_ref(struct body *b);
void body_unref(struct body *b); /* NULL is accepted */

/* While a body is made: opens a family, then adds its chunks. Takes the references. */
void body_family(struct body *b, const char *name);
void body_add(struct body *b, struct chunk *c);

/* A body of just those families of b whose name is among names; order of b. */
struct body *body_select(const struct body *b, const struct view names[], size_t count);

/*
 * What an answer sends: the chunks, or, of a small body of many chunks, all bytes in one
 * piece that is made when the first answer asks for it and kept with the body (the
 * system call costs by the piece). *pieces is borrowed; returns how many there are.
 */
uint32_t body_pieces(struct body *b, struct chunk *const **pieces);

#endif
