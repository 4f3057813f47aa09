#include "core/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Straight to the kernel: stdio may want memory itself, and exit() would run what
 * libraries registered, which waits for threads of the pool, maybe for this very one.
 */
void mem_exhausted(size_t n)
{
    char line[80] = "encode_exporter: out of memory\n";

    if (n)
        snprintf(line, sizeof line,
                 "encode_exporter: out of memory (%zu bytes wanted)\n", n);

    /* Nobody can be told that telling failed. */
    ssize_t written = write(STDERR_FILENO, line, strlen(line));

    (void)written;
    _exit(1);
}

static void *checked(void *p, size_t n)
{
    if (!p)
        mem_exhausted(n);
    return p;
}

void *mem_alloc(size_t n)
{
    return checked(malloc(n ? n : 1), n);
}

void *mem_zalloc(size_t n)
{
    return checked(calloc(1, n ? n : 1), n);
}

void *mem_resize(void *p, size_t count, size_t size)
{
    if (size && count > PTRDIFF_MAX / size)
        mem_exhausted(SIZE_MAX);

    size_t n = count * size;

    return checked(realloc(p, n ? n : 1), n);
}

char *mem_strdup(const char *s)
{
    if (!s)
        return NULL;

    size_t n = strlen(s) + 1;

    return memcpy(mem_alloc(n), s, n);
}
