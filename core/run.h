/*
 * run.h - one results file: its scenarios in file order.
 *
 * A run never changes after parsing. It holds references to scenarios that it may
 * share with the run that was parsed from the same file before.
 */
#ifndef CORE_RUN_H
#define CORE_RUN_H

#include "core/scenario.h"

#define RUN_NO_BASELINE UINT32_MAX

struct run {
    atomic_uint refs;
    struct view id;                    /* file name without ".json"; own copy */
    const struct scenario **scenarios; /* file order */
    uint32_t *ordinals;                /* per scenario: 1 for the first of its
                                            identity, 2, 3 … for its repeats */
    uint32_t count;
    uint32_t baseline;          /* index of the first whose name says so, or
                                            RUN_NO_BASELINE */
    uint32_t repeated;          /* scenarios with an ordinal above 1 */
    const struct view *regions; /* distinct regions of its scenarios, in order
                                            of appearance; the empty one stands for
                                            "not said" */
    uint32_t region_count;
    uint32_t lacking; /* scenarios with start and end and without energy or
                           core-seconds of their own: measurements could tell */
    uint32_t open;    /* those with a start and neither end nor duration */
    int schema_version;
    double end_s; /* Unix time at which the last of its scenarios ended, as its file
                     tells; NaN: not said */

    /* Of a run with measurements: the run that holds all else, and the ascending indices
       of the scenarios that this one holds itself. NULL: it holds all that it has. */
    const struct run *base;
    uint32_t *own;
    uint32_t own_count;
};

/*
 * Takes the references in scenarios[] (the array itself stays the caller's) and works
 * out ordinals and baseline. The identity is (name, bitrate, resolution, encoder,
 * preset). One reference, for the caller.
 */
struct run *run_new(struct view id, const struct scenario *const scenarios[],
                    uint32_t count);

/*
 * The same run with other scenarios in the places at[] (n of them, ascending): each is
 * what was there with another measurement, so identities and all that rests on them stay.
 * Takes the references in with[]; run stays the caller's. One reference, for the caller.
 * Costs a copy of the pointers, and work for each scenario that differs from the run that
 * was parsed; when those are more than an eighth, now and then for all.
 */
const struct run *run_with(const struct run *run, const uint32_t at[],
                           const struct scenario *const with[], uint32_t n);

/* Any thread. The const is cast away for the count alone. */
const struct run *run_ref(const struct run *run);
void run_unref(const struct run *run); /* NULL is accepted */

/* The baseline scenario, or NULL. */
const struct scenario *run_baseline(const struct run *run);

/* True if both runs have the same name and baseline, and in the count places from `first` on,
 * which both have, the same scenarios with the same ordinals. */
bool run_same_part(const struct run *a, const struct run *b, uint32_t first,
                   uint32_t count);

/* A 128-bit hash of the identity of a scenario, the same in every run and process. */
void scenario_identity(const struct scenario *s, uint64_t hash[2]);

#endif
