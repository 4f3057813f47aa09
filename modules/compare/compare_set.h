/*
 * compare_set.h - which encodes may be compared at all, and with which others: what each
 * scenario tells by itself.
 *
 * Encodes stand in sets: one source, one resolution, the same conditions (core/conditions.h)
 * and number of streams. Left out are those that name no source or no resolution, that are
 * not over, and those with several outputs, of which bit rate and cost are those of all and
 * scores those of one.
 */
#ifndef MODULES_COMPARE_COMPARE_SET_H
#define MODULES_COMPARE_COMPARE_SET_H

#include "core/buf.h"
#include "core/scenario.h"

/* False: it is left out. */
bool compare_takes_part(const struct scenario *s);

/* Fills in the hash of its set: equal within a set, different between sets. text: room. */
void compare_set(const struct scenario *s, struct buf *text, uint64_t set[2]);

/* The same for the test that it is one run of, so that of several runs one can count: the
 * set, the identity and the crf, which tells apart what else are repeats of one test. */
void compare_test(const struct scenario *s, const uint64_t set[2], uint64_t test[2]);

/* The bit rate that came out, else the one asked for; above 0 or NaN. */
double compare_rate_bps(const struct facts *f);

/* A cost as it is compared: NaN for what is none. */
double compare_plain_cost(double cost);

/* The text of the label `conditions` of an encode; empty: there is nothing to say. */
void compare_conditions(const struct scenario *s, struct buf *text);

#endif
