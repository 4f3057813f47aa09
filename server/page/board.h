/*
 * board.h - what those who look at the page are told: records, in the order in which they
 * changed last.
 *
 * Whoever reads has a place in that order, and is given what lies behind it. So all there is,
 * what changed, what a client missed that was cut off, and what is left for one that is slow
 * (which is never more than one text for each record) are the same walk. Records that went
 * leave a trace, so many of them; a place before the last that was forgotten is good for
 * nothing any more, and its reader begins anew. No clock, no loop.
 */
#ifndef SERVER_PAGE_BOARD_H
#define SERVER_PAGE_BOARD_H

#include "core/buf.h"

#include <stdint.h>

enum board_kind { BOARD_STATUS, BOARD_ENCODE, BOARD_SCENARIO, BOARD_KINDS };
const char *board_kind_name(enum board_kind kind); /* "status" … */

struct board;

/* epoch: tells this board's places from those of others. traces: that it keeps at most. */
struct board *board_new(uint32_t epoch, size_t traces);
void board_free(struct board *b); /* NULL is accepted */

/* text: the record as a JSON object, kind and key included, without line ends. Copied. The
 * same text as before is no change. */
void board_put(struct board *b, enum board_kind kind, struct view key,
               struct view text);

/* Nothing happens where there is no such record. */
void board_drop(struct board *b, enum board_kind kind, struct view key);

/* Whether all there is has been put: until then nobody is told that nothing is missing. */
void board_complete(struct board *b, bool yes);

/* Records that are there, traces not counted. */
size_t board_count(const struct board *b);

/* Where a reader stands. Equal places of one board at one board_version() are followed by
 * the same text. */
struct board_place {
    uint64_t at;    /* all changes up to this one are told */
    uint64_t since; /* what went before this one was never told */
    bool reset;     /* it is to forget what it knows */
    bool whole;     /* it was told that nothing is missing */
};

static inline bool board_place_eq(const struct board_place *a,
                                  const struct board_place *b)
{
    return a->at == b->at && a->since == b->since && a->reset == b->reset &&
           a->whole == b->whole;
}

/* Of somebody who knows nothing. */
struct board_place board_begin(const struct board *b);

/* Of somebody who saw the event of this id last; the beginning where that says nothing. */
struct board_place board_resume(const struct board *b, struct view id);

/* Differs after every change of what somebody may be told. */
uint64_t board_version(const struct board *b);

/*
 * Appends the next event `change` for a reader at *place, and moves the place: some `bytes`
 * of records, at least one where there is one. False: there is nothing to tell.
 */
bool board_next(const struct board *b, struct board_place *place, size_t bytes,
                struct buf *out);

#endif
