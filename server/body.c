#include "server/body.h"

#include <assert.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/mem.h"

/*
 * Bodies up to JOIN_BYTES in more than JOIN_CHUNKS pieces are joined: beyond, copying
 * costs more memory than the pieces cost time.
 */
enum { JOIN_BYTES = 256 * 1024, JOIN_CHUNKS = 3 };

struct chunk *chunk_new(struct view bytes)
{
    struct chunk *c;

    assert(bytes.n <= UINT32_MAX && (bytes.p || bytes.n == 0));
    c = mem_alloc(sizeof(*c) + bytes.n);
    c->refs = 1;
    c->n = (uint32_t)bytes.n;
    c->hash = XXH64(bytes.n ? bytes.p : "", bytes.n, 0);
    if (bytes.n)
        memcpy(c->bytes, bytes.p, bytes.n);
    return c;
}

struct chunk *chunk_ref(struct chunk *c)
{
    c->refs++;
    return c;
}

void chunk_unref(struct chunk *c)
{
    if (c && --c->refs == 0)
        free(c);
}

struct body *body_new(void)
{
    static uint64_t generation;
    struct body *b = mem_zalloc(sizeof(*b));

    b->refs = 1;
    b->generation = ++generation;
    return b;
}

struct body *body_ref(struct body *b)
{
    b->refs++;
    return b;
}

void body_unref(struct body *b)
{
    if (!b || --b->refs > 0)
        return;
    for (uint32_t i = 0; i < b->chunk_count; i++)
        chunk_unref(b->chunks[i]);
    chunk_unref(b->joined);
    free(b->chunks);
    free(b->families);
    free(b);
}

void body_family(struct body *b, const char *name)
{
    if (b->family_count == b->family_cap) {
        b->family_cap = b->family_cap ? b->family_cap * 2 : 16;
        b->families = mem_resize(b->families, b->family_cap, sizeof(*b->families));
    }
    b->families[b->family_count++] =
        (struct body_family){ .name = name, .first = b->chunk_count };
}

void body_add(struct body *b, struct chunk *c)
{
    assert(b->family_count > 0 && !b->joined);
    if (b->chunk_count == b->chunk_cap) {
        b->chunk_cap = b->chunk_cap ? b->chunk_cap * 2 : 32;
        b->chunks = mem_resize(b->chunks, b->chunk_cap, sizeof(*b->chunks));
    }
    b->chunks[b->chunk_count++] = c;
    b->families[b->family_count - 1].count++;
    b->bytes += c->n;
}

static bool among(struct view name, const struct view names[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (view_eq(name, names[i]))
            return true;
    return false;
}

struct body *body_select(const struct body *b, const struct view names[], size_t count)
{
    struct body *out = body_new();

    for (uint32_t i = 0; i < b->family_count; i++) {
        const struct body_family *f = &b->families[i];

        if (!among(view_of(f->name), names, count))
            continue;
        body_family(out, f->name);
        for (uint32_t k = 0; k < f->count; k++)
            body_add(out, chunk_ref(b->chunks[f->first + k]));
    }
    return out;
}

uint32_t body_pieces(struct body *b, struct chunk *const **pieces)
{
    if (!b->joined && b->chunk_count > JOIN_CHUNKS && b->bytes <= JOIN_BYTES) {
        struct chunk *c = mem_alloc(sizeof(*c) + b->bytes);

        c->refs = 1;
        c->n = 0;
        for (uint32_t i = 0; i < b->chunk_count; i++) {
            memcpy(c->bytes + c->n, b->chunks[i]->bytes, b->chunks[i]->n);
            c->n += b->chunks[i]->n;
        }
        c->hash = XXH64(c->bytes, c->n, 0);
        b->joined = c;
    }
    *pieces = b->joined ? &b->joined : b->chunks;
    return b->joined ? 1 : b->chunk_count;
}
