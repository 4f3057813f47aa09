/*
 * sharing.h - one machine's power → those that ran on it.
 *
 * At every instant the machine's power is split among the encodes that run then: in
 * proportion to the cores that each uses, where that is known of all of them; else in
 * equal parts. So what several encodes are charged adds up to what the machine used while
 * at least one of them ran, and is never a multiple of it.
 */
#ifndef CORE_SHARING_H
#define CORE_SHARING_H

#include "core/timeline.h"

struct claim {
    double start_s, end_s; /* Unix time; one that does not end after it starts gets
                              nothing and shares nothing */
    double cores;          /* mean use while it ran; NaN: not known */
};

struct share {
    double own;       /* of the integral; NaN: nothing is known of its time */
    double whole;     /* what it would be if it had run alone */
    double covered_s; /* how much of its time is known */
    bool shared;      /* another one ran at the same time, for any length of it */
};

/*
 * shares[i]: that of claims[i]. Claims in any order; n of both. Time O(n log n) plus the
 * cells that lie in at least one claim, however many run at once.
 */
void sharing_split(const struct timeline *t, const struct claim claims[], size_t n,
                   struct share shares[]);

#endif
