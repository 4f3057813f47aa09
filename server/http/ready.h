/*
 * ready.h - whole answers, head included, to scrapes that come again as they were.
 *
 * A scraper asks for the same thing with the same words each time. While nothing that
 * it is told has changed, it gets the same bytes, in one piece: no negotiation, no head
 * to put together, one buffer for the system call. Small answers only; of large ones
 * the copy would cost more than it saves.
 */
#ifndef SERVER_HTTP_READY_H
#define SERVER_HTTP_READY_H

#include "server/http/route.h"

enum { READY_SLOTS = 8, READY_BYTES_MAX = 16 * 1024, READY_WORDS_MAX = 512 };

/* Bytes of an answer; shared by the slot and by those that are sending it. */
struct ready_answer {
    unsigned refs;
    size_t n;
    char p[];
};

void ready_answer_unref(struct ready_answer *r); /* NULL is accepted */

/* What an answer is made of, besides what never changes. */
struct ready_key {
    int endpoint;
    struct view accept, accept_encoding; /* as they came; borrowed */
    uint64_t generations[REPLY_BODIES_MAX];
    size_t count;
};

/* Zeroed is empty. Loop thread only. */
struct ready {
    struct ready_slot {
        struct ready_answer *answer; /* NULL: free */
        int endpoint;
        size_t accept_n, accept_encoding_n;
        char words[READY_WORDS_MAX]; /* Accept, then Accept-Encoding */
        uint64_t generations[REPLY_BODIES_MAX];
        size_t count;
    } slots[READY_SLOTS];
    unsigned next; /* the slot that is taken next */
};

/*
 * True for a request that may be answered so: a plain GET of an endpoint's metrics,
 * without condition or selection, for which there is something to serve. Fills key.
 */
bool ready_asked(const struct site *site, int endpoint, const struct request *rq,
                 struct ready_key *key);

/* The answer to it: one reference for the caller. NULL: none is kept. */
struct ready_answer *ready_find(const struct ready *r, const struct ready_key *key);

/*
 * Keeps n bytes (≤ READY_BYTES_MAX) that pieces[] make up, in place of what was asked
 * for in the same words before, else of the oldest. Words that are too long are not kept.
 */
void ready_keep(struct ready *r, const struct ready_key *key,
                const struct view pieces[], size_t count, size_t n);

/* Forgets all; answers under way keep theirs. */
void ready_clear(struct ready *r);

#endif
