#include "server/slab.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/mem.h"

/*
 * Slabs from here on have pages of their own, which are the system's again when the slab
 * goes: blocks of one segment give way to those of one family, and what was left between
 * the strings and samples of the heap would be of use to nobody.
 */
enum { MAP_BYTES = 32 * 1024 };

_Static_assert(sizeof(struct slab) <= 16, "with SLAB_BYTES it fills whole pages");

static atomic_size_t all_bytes;

size_t slab_bytes(void)
{
    return atomic_load_explicit(&all_bytes, memory_order_relaxed);
}

static struct slab *map(size_t size)
{
    void *p =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        mem_exhausted(size);
    return p;
}

struct slab *slab_new(size_t n)
{
    size_t size = sizeof(struct slab) + n;
    struct slab *s = size < MAP_BYTES ? mem_alloc(size) : map(size);

    assert(n <= UINT32_MAX);
    *s = (struct slab){ .refs = 1, .n = (uint32_t)n };
    atomic_fetch_add_explicit(&all_bytes, n, memory_order_relaxed);
    return s;
}

struct slab *slab_ref(struct slab *s)
{
    s->refs++;
    return s;
}

void slab_unref(struct slab *s)
{
    size_t size;

    if (!s || --s->refs > 0)
        return;
    assert(s->used == 0);
    atomic_fetch_sub_explicit(&all_bytes, s->n, memory_order_relaxed);
    size = sizeof *s + s->n;
    if (size < MAP_BYTES)
        free(s);
    else
        munmap(s, size);
}
