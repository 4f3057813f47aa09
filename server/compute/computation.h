/*
 * computation.h - scores that are measured here (--qoe.compute).
 *
 * Of the newest run those scenarios are measured, one at a time, that are over, name a
 * reference and an output in the results directory and have no scores. What comes of it goes
 * to the encodes that are watched (live.h), as if a log of frames had told it. All of it
 * lies in compute.so. Loop thread only.
 */
#ifndef SERVER_COMPUTE_COMPUTATION_H
#define SERVER_COMPUTE_COMPUTATION_H

#include <uv.h>

#include "server/config.h"
#include "server/live/live.h"
#include "server/self.h"

struct computation;

struct computation_host { /* borrowed, and there for longer */
    uv_loop_t *loop;
    const struct config *config;
    struct store *store;
    struct live *live;
    struct self *self; /* gets our families */
};

/*
 * *out is NULL without --qoe.compute. A negative errno and e: compute.so or live.so is
 * missing, or ffmpeg. All functions below accept NULL.
 */
int computation_new(const struct computation_host *h, struct computation **out,
                    struct err *e);
int computation_check(const struct config *c, struct err *e);

/* What is served may have changed, or how encodes stand. */
void computation_served(struct computation *c);

/* The families of the process about it. For docs and tests. */
const struct family *computation_families(size_t *count);

/* Ends the child that measures; closes all handles. */
void computation_stop(struct computation *c);

/* After the loop has run dry. */
void computation_free(struct computation *c);

#endif
