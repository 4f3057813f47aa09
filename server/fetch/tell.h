/*
 * tell.h - what the log is told of a peer: each kind of failure once an hour, when it is
 * left alone for a while, and that it answers again.
 */
#ifndef SERVER_FETCH_TELL_H
#define SERVER_FETCH_TELL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/view.h"

enum { FETCH_TOLD = 8 };

struct fetch_told { /* zero-initialised */
    uint64_t kinds[FETCH_TOLD], at_ms[FETCH_TOLD];
    unsigned next;
    bool bad; /* something was told since it answered last */
};

/* peer and url name it. wait_ms: the breaker has just opened for so long; 0: it has not.
 * now_ms: any monotonic clock. */
void fetch_tell_bad(struct fetch_told *told, const char *peer, const char *url,
                    struct view reason, uint64_t wait_ms, uint64_t now_ms);
void fetch_tell_good(struct fetch_told *told, const char *peer, const char *url);

#endif
