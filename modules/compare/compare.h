/*
 * compare.h - encodes of one content held against each other: what bit rate one encoder
 * needs where another needs 100 %, and which encodes are worth their price.
 *
 * Encodes stand in sets (compare_set.h). Of an encode that several runs hold (the same identity
 * and crf) the newest run's counts, of one run the first. So what is said depends on what is
 * served alone, not on how it came.
 */
#ifndef MODULES_COMPARE_COMPARE_H
#define MODULES_COMPARE_COMPARE_H

#include "core/module.h"
#include "modules/compare/compare_set.h"

enum { COMPARE_BD_RATE, COMPARE_PARETO, COMPARE_FAMILIES };
extern const struct family compare_families[COMPARE_FAMILIES];

struct compare_context {
    struct view
        anchor;       /* encoder, blank, preset: "libx264 veryfast"; empty: of each set
                           the curve with the most points, of several the first by name */
    bool with_run_id; /* labels of scenarios have run_id */

    /* What an encode cost, in any one currency; NaN: not known. NULL: nobody knows. */
    double (*cost)(void *ctx, const struct place *at);
    void *ctx;
};

struct compare_entry {
    struct place at; /* borrowed */
    uint64_t set[2]; /* equal within a set, different between sets */
    double rate_bps; /* that came out, else the one asked for; above 0 or NaN */
    double cost;     /* NaN: not known */
    uint32_t order;  /* as served: the oldest run first */
    bool optimal
        [2]; /* by enum compare_price, of those that have one; compare_fronts() */
    bool opposed[2]; /* more than one of its set has this price and a VMAF */
};

enum compare_price { COMPARE_BY_RATE, COMPARE_BY_COST, COMPARE_PRICES };

/* The encodes that are compared: set by set, sets by source, resolution and hash, encodes of
 * a set in their order. *count of them; the caller frees the array. NULL: none. */
struct compare_entry *compare_entries(const struct served *all,
                                      const struct compare_context *c, size_t *count);

/* How many entries at the beginning of e (n of them, n > 0) are of one set. */
size_t compare_set_size(const struct compare_entry e[], size_t n);

/* Mixes all that is told of n entries, but for fronts, into hash. */
void compare_hash(const struct compare_entry e[], size_t n, uint64_t hash[2]);

/* Fills in optimal and opposed. e: one whole set. */
void compare_fronts(struct compare_entry e[], size_t n);

/* Samples of COMPARE_PARETO. e: any of those that compare_fronts() has seen. */
void compare_tell_fronts(const struct compare_entry e[], size_t n,
                         const struct compare_context *c, struct series *out);

/* Samples of COMPARE_BD_RATE. e: one whole set. */
void compare_tell_rates(const struct compare_entry e[], size_t n,
                        const struct compare_context *c, struct series *out);

#endif
