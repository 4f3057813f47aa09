/*
 * charged.h - up to which quantities encodes that are watched are charged, whichever run
 * shows them.
 *
 * One and the same encode is a scenario of the run WATCHED_RUN while only its progress tells
 * of it, and one of its results file when that comes. It is known by its name as it would
 * stand in a file name (core/live_name.h).
 */
#ifndef MODULES_COST_CHARGED_H
#define MODULES_COST_CHARGED_H

#include "core/table.h"
#include "modules/cost/seen.h"

enum {
    CHARGED_MAX = 10000
}; /* encodes that are remembered: the last that were charged */

struct charged {
    struct noted noted;
    const struct seen *by; /* the run that was charged last; compared, never followed */
    bool alone;            /* that was WATCHED_RUN */
    double end_s;          /* up to which it is charged, Unix time; NaN: not known */

    /* charged.c's own */
    struct charged *older, *newer;
    struct view name;
};

struct charged_all { /* zeroed: new */
    struct table by_name;
    struct charged *oldest, *newest;
};

/* That of a scenario, made if there is none (by is NULL then), and now the newest. */
struct charged *charged_here(struct charged_all *all, struct view name);

/* A run goes: nothing is by it any more. */
void charged_forget_run(struct charged_all *all, const struct seen *run);

void charged_deinit(struct charged_all *all);

#endif
