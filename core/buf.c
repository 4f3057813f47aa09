#include "core/buf.h"
#include "core/decimal.h"
#include "core/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

char *buf_room(struct buf *b, size_t n)
{
    if (b->full)
        return NULL;
    if (b->limit && n > b->limit - b->n) {
        b->full = true;
        return NULL;
    }
    if (n > b->cap - b->n) {
        size_t cap = b->cap ? b->cap : 256;

        while (cap - b->n < n)
            cap += cap / 2;
        b->p = mem_resize(b->p, cap, 1);
        b->cap = cap;
    }
    return b->p + b->n;
}

void buf_commit(struct buf *b, size_t n)
{
    b->n += n;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    char *to = n ? buf_room(b, n) : NULL;

    if (to) {
        memcpy(to, p, n);
        b->n += n;
    }
}

void buf_view(struct buf *b, struct view v)
{
    buf_add(b, v.p, v.n);
}

void buf_str(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_u64(struct buf *b, uint64_t v)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + v % 10);
    while (v /= 10);
    buf_add(b, digits + at, sizeof digits - at);
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
    va_list args, again;

    va_start(args, fmt);
    va_copy(again, args);

    int n = vsnprintf(NULL, 0, fmt, args);

    va_end(args);

    char *to = n >= 0 ? buf_room(b, (size_t)n + 1) : NULL;

    if (to) {
        vsnprintf(to, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void buf_double(struct buf *b, double v)
{
    char *to = buf_room(b, DECIMAL_MAX);

    if (to)
        b->n += decimal_shortest(to, v);
}

void buf_decimal(struct buf *b, double v)
{
    char *to = buf_room(b, DECIMAL_MAX);

    if (to)
        b->n += decimal_plain(to, v);
}

void buf_release(struct buf *b)
{
    b->n = 0;
    b->full = false;
}

void buf_deinit(struct buf *b)
{
    free(b->p);
    *b = (struct buf){ 0 };
}
