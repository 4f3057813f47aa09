#include "server/http/feed.h"

#include <assert.h>
#include <stdio.h>

#include "core/mem.h"

/* RFC 9112, section 7.1: the size in hexadecimal digits, a line end, the bytes, a line end. */
enum { SIZE_LINE_MAX = 16 + 2, END = 2 };

struct ready_answer *feed_chunk(struct view bytes)
{
    char size[SIZE_LINE_MAX + 1];
    size_t line;
    struct ready_answer *chunk;

    assert(bytes.n > 0); /* an empty one would be the last */
    line = (size_t)snprintf(size, sizeof size, "%zx\r\n", bytes.n);
    chunk = mem_alloc(sizeof(*chunk) + line + bytes.n + END);
    chunk->refs = 1;
    chunk->n = line + bytes.n + END;
    memcpy(chunk->p, size, line);
    memcpy(chunk->p + line, bytes.p, bytes.n);
    memcpy(chunk->p + line + bytes.n, "\r\n", END);
    return chunk;
}

struct view feed_bytes(const struct ready_answer *chunk)
{
    const char *line_end = memchr(chunk->p, '\n', chunk->n);
    struct view rest;

    assert(line_end);
    rest = view_skip((struct view){ chunk->p, chunk->n },
                     (size_t)(line_end + 1 - chunk->p));
    assert(rest.n > END);
    rest.n -= END;
    return rest;
}
