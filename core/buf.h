/*
 * buf.h - growing output with a ceiling.
 *
 * An append that would pass the ceiling adds nothing more and sets full; callers
 * test that once, at the end.
 */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include "core/view.h"

#include <stdint.h>

struct buf { /* zero-initialised: empty, no ceiling */
    char *p;
    size_t n, cap;
    size_t limit; /* bytes; 0: none */
    bool full;
};

void buf_add(struct buf *b, const void *p, size_t n);
void buf_view(struct buf *b, struct view v);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_u64(struct buf *b, uint64_t v);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The shortest decimal that reads back to the same double; +Inf, -Inf, NaN. */
void buf_double(struct buf *b, double v);

/* As buf_double(), never with an exponent between 1e-9 and 1e18: for label values. */
void buf_decimal(struct buf *b, double v);

/* Room for n more bytes at the returned place (NULL when full); then buf_commit(). */
char *buf_room(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);

static inline struct view buf_as_view(const struct buf *b)
{
    return (struct view){ b->p, b->n };
}

void buf_release(struct buf *b); /* empty again, memory kept */
void buf_deinit(struct buf *b);  /* memory goes back */

#endif
