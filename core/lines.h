/*
 * lines.h - bytes that arrive in pieces of any size → whole lines.
 *
 * A line ends with a line feed; a carriage return before it is not part of it. What
 * stands behind the last line feed is kept until the rest arrives, so a file that was cut
 * in the middle of a line never gives half of it.
 *
 * NUL bytes are a gap: who truncates a file that somebody else goes on writing leaves
 * them where the old content was. A line begins behind the last of them.
 */
#ifndef CORE_LINES_H
#define CORE_LINES_H

#include "core/buf.h"

struct lines {
    struct buf held; /* the beginning of a line; its limit is that of a line */
    uint64_t number; /* of the line that was given last: 1 is the first */
    bool given;      /* what is held was given: it goes at the next call */
    bool over;       /* the line that arrives is longer than the limit */
    bool cut;        /* what stood before a NUL byte in it was thrown away */
};

enum lines_what {
    LINES_NONE, /* no whole line is left in the bytes */
    LINES_LINE, /* here is one */
    LINES_OVER, /* one was longer than the limit and is thrown away */
    LINES_CUT,  /* here is one; text stood before it, and a gap between */
};

/* limit: bytes of the longest line, without its end; above 0. */
void lines_init(struct lines *l, size_t limit);

/*
 * The next line of *bytes, which begins with what follows the line given last; all of
 * *bytes is taken before LINES_NONE is returned. *line is without its end, and lives until
 * the next call or as long as *bytes does, whichever is shorter; its p is never NULL.
 */
enum lines_what lines_next(struct lines *l, struct view *bytes, struct view *line);

/* Forgets what is held: the next byte is the first of another text. */
void lines_restart(struct lines *l);

void lines_deinit(struct lines *l);

/*
 * What could not be read of a text: how often, and where and why the last time. Reasons
 * are constant texts.
 */
struct text_faults {
    uint64_t count;
    uint64_t line; /* of the last; 1 is the first line */
    const char *reason;
};

static inline void text_fault(struct text_faults *f, uint64_t line, const char *reason)
{
    *f = (struct text_faults){ f->count + 1, line, reason };
}

#endif
