/*
 * meter.h - what was measured, joined with the runs that it was measured of.
 *
 * Between the sources that measure (this machine, an upstream) and the store: finds the
 * scenarios whose files leave energy or use of cores open, splits the machine's power
 * among those that ran at the same time, follows the ones that still run, and puts the
 * scenarios with their figures in place of those without. Loop thread only.
 */
#ifndef SERVER_METER_H
#define SERVER_METER_H

#include <uv.h>

#include "core/store.h"
#include "core/watched.h"
#include "server/config.h"
#include "server/power/sampler.h"
#include "server/upstream/upstream.h"

struct meter_sink { /* what happens to measured runs */
    void *ctx;
    void (*changed)(void *ctx, const struct diff *d); /* told after store_measure() */
    void (*settled)(void *ctx);                       /* a good time to publish */
};

/* What is known of an encode that is watched: its progress, logs of its frames. */
struct meter_look {
    enum scenario_state state; /* SCENARIO_TOLD: that is not known */
    double end_s;              /* Unix time; of one that runs no more */
    struct watched figures;
};

/* Who watches encodes. */
struct meter_watch {
    void *ctx;
    /* False: no encode is watched at all. */
    bool (*any)(void *ctx);
    /* Of one scenario of a run, which need not be served; false: nobody watches it. */
    bool (*look)(void *ctx, const struct run *run, uint32_t at, struct meter_look *out);
};

struct meter;

/* All is borrowed and outlives the meter, but c. sampler and upstream: NULL for none, and
 * may be set later, once. */
struct meter *meter_new(uv_loop_t *loop, const struct config *c, struct store *store,
                        const struct meter_sink *sink);
void meter_measure_by(struct meter *m, struct sampler *sampler,
                      struct upstream *upstream);

/* watch outlives the meter; NULL: nobody. May be set later, once. */
void meter_watch_by(struct meter *m, const struct meter_watch *watch);

/* Of scenarios of this run there are news: as meter_news(). */
void meter_watch_news(struct meter *m, struct view run_id);

/* Encodes that run stand still from now on: the last values are about to be scraped. */
void meter_freeze(struct meter *m);

/* After that: calls done once, when all that is owed has come and was told by settled(), or
 * patience_ms is over; from within, where nothing is owed. Not after meter_stop(). */
void meter_settle(struct meter *m, uint64_t patience_ms, void (*done)(void *ctx),
                  void *ctx);
void meter_stop(struct meter *m); /* its memory goes when the loop has run dry */

/* A run that was read just now, on its way to store_put(): takes the reference and returns
 * one, to the same run or to one with what is known already put in. */
const struct run *meter_fill(struct meter *m, const struct run *run);

/* What the store was told: a run came, changed or went. */
void meter_changed(struct meter *m, const struct diff *d);

/* Brings everything that is served up to what is measured now, by way of the sink's
 * changed(); settled() is not called. Before each publishing. */
void meter_bring_up(struct meter *m);

/* The upstream still owes an answer, as of meter_bring_up(). */
bool meter_owes(const struct meter *m);

/* A pass is under way: what it will ask for is not known yet. */
bool meter_looking(const struct meter *m);

/* The sources have something new: brought up in the next turn of the loop, then
 * settled(). */
void meter_news(struct meter *m);

#endif
