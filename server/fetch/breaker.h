/*
 * breaker.h - whether a peer that failed is to be asked again: closed, open for a while
 * that doubles, half open for one probe. A plain state machine: it knows no clock.
 */
#ifndef SERVER_FETCH_BREAKER_H
#define SERVER_FETCH_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };
const char *breaker_state_name(enum breaker_state s); /* "closed" … */

struct breaker_rules {
    unsigned failures;   /* in a row that open it */
    uint64_t first_ms;   /* how long it stays open the first time */
    uint64_t longest_ms; /* doubling stops there */
};

struct breaker { /* zeroed with its rules: closed */
    struct breaker_rules rules;
    enum breaker_state state;
    unsigned failures; /* in a row */
    uint64_t wait_ms;  /* of the last opening, without jitter */
    uint64_t due_ms;   /* when a probe may go */
    uint64_t opened;   /* times */
    bool probing;      /* half open, and the probe is under way */
};

/* Whether a request may go now. Half open lets one through, the probe. now_ms: any
 * monotonic clock. */
bool breaker_allows(struct breaker *b, uint64_t now_ms);

/* How a request that was let through ended. random: of the moment, for the jitter: waits
 * are 50 to 100 % of what they double to. True: the state changed. */
bool breaker_good(struct breaker *b);
bool breaker_bad(struct breaker *b, uint64_t now_ms, uint32_t random);

/* The probe was taken back before it ended. */
void breaker_abandoned(struct breaker *b);

#endif
