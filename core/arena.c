#include "core/arena.h"
#include "core/mem.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

enum { BLOCK_BYTES = 16 * 1024 - 64 }; /* with malloc's header below 16 KiB */

struct arena_block {
    struct arena_block *next;
    size_t size;
    alignas(max_align_t) char bytes[];
};

void *arena_alloc(struct arena *a, size_t count, size_t size)
{
    const size_t align = alignof(max_align_t);

    if (size && count > (PTRDIFF_MAX / 2) / size)
        mem_exhausted(SIZE_MAX);

    size_t n = (count * size + align - 1) / align * align;

    if (!a->blocks || n > a->blocks->size - a->used) {
        size_t room = n > BLOCK_BYTES ? n : BLOCK_BYTES;
        struct arena_block *b = mem_alloc(sizeof *b + room);

        b->size = room;
        b->next = a->blocks;
        a->blocks = b;
        a->used = 0;
    }

    void *p = a->blocks->bytes + a->used;

    a->used += n;
    return memset(p, 0, n);
}

struct view arena_copy(struct arena *a, struct view v)
{
    if (v.n == 0)
        return (struct view){ "", 0 };
    return (struct view){ memcpy(arena_alloc(a, v.n, 1), v.p, v.n), v.n };
}

void arena_release(struct arena *a)
{
    struct arena_block *keep = NULL;

    while (a->blocks) {
        struct arena_block *b = a->blocks;

        a->blocks = b->next;
        if (!keep && b->size == BLOCK_BYTES)
            keep = b;
        else
            free(b);
    }
    if (keep)
        keep->next = NULL;
    a->blocks = keep;
    a->used = 0;
}

void arena_deinit(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *b = a->blocks;

        a->blocks = b->next;
        free(b);
    }
    a->used = 0;
}

void arena_wipe(struct arena *a)
{
    for (struct arena_block *b = a->blocks; b; b = b->next)
        explicit_bzero(b->bytes, b->size);
    arena_deinit(a);
}
