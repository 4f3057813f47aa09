/*
 * rate.h - lets so many requests in, and no more: a token bucket.
 *
 * As golang.org/x/time/rate does it for other exporters: the bucket begins full with
 * `burst` tokens, gains one each interval, and a request takes one.
 */
#ifndef SERVER_WEB_RATE_H
#define SERVER_WEB_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
    uint64_t interval_ns; /* of one token; 0: no limit */
    uint64_t full_ns;     /* a full bucket */
    uint64_t held_ns;     /* tokens are counted by the time that it took to gain them */
    uint64_t at_ns;       /* when held_ns was true */
};

/* now_ns: of any clock that never goes back. */
void rate_init(struct rate *r, uint64_t interval_ns, uint32_t burst, uint64_t now_ns);

/* Takes a token if there is one. */
bool rate_allow(struct rate *r, uint64_t now_ns);

#endif
