#include "server/join.h"

/* The chunk behind those that make up the whole slab which begins with chunk `first`, in
 * order and without a gap; `first` if there is none. */
static uint32_t slab_end(const struct body *b, uint32_t first)
{
    const struct slab *s = b->chunks[first]->slab;
    uint32_t n = 0, i = first;

    while (i < b->chunk_count && n < s->n && b->chunks[i]->z == s->p + n)
        n += b->chunks[i++]->zn;
    return n == s->n ? i : first;
}

/* A slab that is in order and not too small. */
static bool good_slab(const struct body *b, uint32_t first)
{
    return b->chunks[first]->slab->n >= SLAB_BYTES / 2 && slab_end(b, first) > first;
}

/* The chunk behind those that one slab will hold. */
static uint32_t group_end(const struct body *b, uint32_t first, size_t *bytes)
{
    uint32_t i = first;

    *bytes = 0;
    do
        *bytes += b->chunks[i++]->zn;
    while (i < b->chunk_count && *bytes + b->chunks[i]->zn <= SLAB_BYTES &&
           !good_slab(b, i));
    return i;
}

size_t body_join(struct body *b, uint32_t *at)
{
    uint32_t first = *at, end, to = 0;
    struct slab *s;
    size_t n;

    if (good_slab(b, first)) {
        *at = slab_end(b, first);
        return 0;
    }
    *at = end = group_end(b, first, &n);
    if (slab_end(b, first) == end)
        return 0;
    s = slab_new(n);
    for (uint32_t i = first; i < end; i++) {
        chunk_move(b->chunks[i], s, to);
        to += b->chunks[i]->zn;
    }
    slab_unref(s);
    return n;
}
