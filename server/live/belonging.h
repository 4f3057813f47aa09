/*
 * belonging.h - which scenario an encode that is watched belongs to.
 *
 * To the scenario of its name in the newest run, or, where no name is the same, to the only
 * one that is called so in a file name (core/live_name.h). Of several scenarios of one name it
 * is one that is open, the last of these; else the last of all, which is the one that was
 * encoded last. Those that belong to none are the scenarios of a run of their own.
 */
#ifndef SERVER_LIVE_BELONGING_H
#define SERVER_LIVE_BELONGING_H

#include "core/results.h"
#include "server/live/roll.h"

#define LIVE_RUN WATCHED_RUN /* id of the run of those that belong to none */

struct belonging {          /* zero-initialised: empty */
    const struct run *run;  /* one reference, or NULL */
    uint64_t version;       /* of the roll */
    struct roll_entry **of; /* by scenario; NULL: none */
    uint64_t marks;
    struct buf scratch;
};

/* The entry that a scenario shows: of LIVE_RUN by its name, of any other run as if that
 * were the newest. NULL: none. Costs little while roll and run are those of the last call. */
struct roll_entry *belonging_find(struct belonging *b, struct roll *r,
                                  const struct run *run, uint32_t at);

/* Tells all entries where they belong, newest being the newest run (NULL: there is none). */
void belonging_settle(struct belonging *b, struct roll *r, const struct run *newest);

/* Entries that belong to none, as the text of a results file: RESULTS_PADDING readable bytes
 * behind it. */
void belonging_text(struct roll *r, struct buf *out);

void belonging_deinit(struct belonging *b);

#endif
