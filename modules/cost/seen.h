/*
 * seen.h - the quantities up to which the scenarios of one run are charged.
 *
 * Scenarios are known by their identity and ordinal. Those that are in the file now are
 * all kept. Of those that left it as many are kept as the file ever held at once, at
 * least SEEN_LEFT_LEAST: the ones that left last. So a file that is written anew from its
 * beginning is known to its end, and one that names ever new scenarios does not make
 * this grow without end.
 */
#ifndef MODULES_COST_SEEN_H
#define MODULES_COST_SEEN_H

#include "core/run.h"

enum { SEEN_LEFT_LEAST = 1000 };

enum quantity { ENERGY_KWH, CPU_HOURS, GPU_HOURS, QUANTITIES };

struct noted { /* of one scenario; in kWh and hours */
    double level[QUANTITIES];
    double floor[QUANTITIES]; /* what of that is settled: nobody is charged for it, and
                                 a figure that falls below gives nothing back */
    uint32_t awaited;         /* bits of the caller's */
    bool watched;             /* the caller's, too */
    uint32_t left_at; /* seen.c's own: number of the change with which it left */
};

struct seen;

/* id is copied. opened_s: Unix time at which the run was seen first. */
struct seen *seen_new(struct view id, double opened_s);
void seen_free(struct seen *s); /* NULL is accepted */
struct view seen_id(const struct seen *s);
double seen_opened(const struct seen *s);

/* Makes room for so many scenarios more. */
void seen_expect(struct seen *s, size_t more);

/*
 * The scenario is in the file now: what is noted of it, for the caller to bring up to
 * date; all 0 for a scenario that is not known. That of one which was away since an
 * earlier change is settled. Lives until the next call.
 */
struct noted *seen_here(struct seen *s, const struct scenario *sc, uint32_t ordinal);

/* One that was there goes on under another identity: what is noted of it is noted of that one,
 * unless that is known already. */
void seen_goes_on(struct seen *s, const struct scenario *before,
                  uint32_t ordinal_before, const struct scenario *after,
                  uint32_t ordinal_after);

/* It is not, or no longer where it was: seen_here() follows if it only moved. */
void seen_left(struct seen *s, const struct scenario *sc, uint32_t ordinal);

/* The same of all of them, where nobody knows any more what the file held. */
void seen_all_left(struct seen *s);

/* After a change: forgets those that left longest ago, down to what is kept. */
void seen_settle(struct seen *s);

/* How many are known, and how many of them are in the file. */
size_t seen_count(const struct seen *s);
size_t seen_present(const struct seen *s);

#endif
