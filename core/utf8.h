/*
 * utf8.h - is it UTF-8, and if not, the nearest text that is.
 *
 * Well-formed is what table 3-7 of the Unicode Standard lists: no overlong forms, no
 * surrogates, nothing above U+10FFFF.
 */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H

#include "core/buf.h"

/* U+FFFD REPLACEMENT CHARACTER */
#define UTF8_REPLACEMENT "\xEF\xBF\xBD"

/* Bytes of v before the first that is not part of a well-formed character; v.n: none. */
size_t utf8_prefix(struct view v);

static inline bool utf8_valid(struct view v)
{
    return utf8_prefix(v) == v.n;
}

/*
 * Appends v to out with U+FFFD for everything that is not well-formed: one for the
 * beginning of a character that is broken off ("maximal subpart", chapter 3.9), one for
 * each other byte.
 */
void utf8_repair(struct view v, struct buf *out);

/* The longest beginning of v with at most max bytes that splits no character. */
struct view utf8_cut(struct view v, size_t max);

/* The code point that v, which is well-formed and not empty, begins with; *n: its bytes. */
unsigned long utf8_get(struct view v, size_t *n);

/* Writes a code point (0 … 0x10FFFF, no surrogate) and returns its bytes, 1 … 4. */
size_t utf8_put(char to[4], unsigned long code);

#endif
