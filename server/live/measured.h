/*
 * measured.h - scores that were measured here, as logs of the encodes that they are of.
 *
 * They stay while the newest run is the one they were measured in, and its scenario of the
 * name still names the same files.
 */
#ifndef SERVER_LIVE_MEASURED_H
#define SERVER_LIVE_MEASURED_H

#include "core/run.h"
#include "server/live/live.h"
#include "server/live/roll.h"

struct live_measures;

struct live_measures *live_measures_new(struct live *l);
void live_measures_free(struct live_measures *m);

/* See live_measured(), live_unmeasured(). */
bool live_measures_take(struct live_measures *m, const struct live_scores *s,
                        const struct run *newest);
void live_measures_forget(struct live_measures *m, struct view name);

/* The runs that are served changed: scores of others go; those that a log hid while it was there
 * show again. newest: NULL: there is none. */
void live_measures_settle(struct live_measures *m, const struct run *newest);

/* Whether what was measured of e is not of this scenario of the newest run, or the one that
 * is about to be: then it goes, and e with it where nobody else tells of it. */
bool live_measures_other(struct live_measures *m, const struct roll_entry *e,
                         const struct run *run, uint32_t at);

/* An entry goes with all its sources. */
void live_measures_let_go(struct live_measures *m, const struct roll_entry *e);

#endif
