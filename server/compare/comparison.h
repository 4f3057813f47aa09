/*
 * comparison.h - when encodes are compared, and where what came of it is served.
 *
 * Compares what is served on the pool, a moment after it changed, and puts the families
 * beside the body of the QoE endpoint (pipeline_add()). Scrapes see the previous comparison
 * meanwhile. All of it lies in compare.so. Loop thread only.
 */
#ifndef SERVER_COMPARE_COMPARISON_H
#define SERVER_COMPARE_COMPARISON_H

#include <uv.h>

#include "server/config.h"
#include "server/pipeline.h"

struct comparison;

/* What it works for; borrowed, and there for longer. */
struct comparison_host {
    uv_loop_t *loop;
    const struct config *config;
    struct store *store;
    struct pipeline *pipeline;
};

/*
 * *out is NULL where QoE is not served, and where compare.so is missing and nobody named an
 * anchor: then the log says so. A negative errno and e: it is missing, and somebody did. All
 * functions below accept NULL.
 */
int comparison_new(const struct comparison_host *h, struct comparison **out,
                   struct err *e);

/* Nothing is compared before: the first scan is served. */
void comparison_start(struct comparison *c);

/* What is served may have changed, or the settings of modules have. */
void comparison_served(struct comparison *c);

/* Calls done once, when all that is served is compared: at once if that is now. Nobody is
 * kept waiting for the moment after a change. */
void comparison_settled(struct comparison *c, void (*done)(void *ctx), void *ctx);

/* Closes all handles; what is on the pool ends by itself, and soon. */
void comparison_stop(struct comparison *c);

/* After the loop has run dry. */
void comparison_free(struct comparison *c);

#endif
