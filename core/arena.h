/*
 * arena.h - memory with one end: nothing inside is freed alone.
 */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include "core/view.h"

struct arena_block;

struct arena {                  /* zero-initialised: empty and ready */
    struct arena_block *blocks; /* newest first */
    size_t used;                /* bytes used of the newest */
};

/* count * size bytes, zeroed, aligned for any type. Never NULL. */
void *arena_alloc(struct arena *a, size_t count, size_t size);

#define arena_new(a, type, count) ((type *)arena_alloc((a), (count), sizeof(type)))

/* A copy that lives as long as the arena. */
struct view arena_copy(struct arena *a, struct view v);

/* Everything in it ends; keeps one block for the next round. */
void arena_release(struct arena *a);

/* Everything in it ends and all memory goes back. */
void arena_deinit(struct arena *a);

/* The same for secrets: the memory is overwritten first. */
void arena_wipe(struct arena *a);

#endif
