/*
 * grid.h - amounts between two readings → means of whole seconds.
 *
 * What was counted between two instants is laid on the seconds between them in proportion
 * to time. A second gets its mean when all of it is known, else it stays a hole.
 */
#ifndef SERVER_POWER_GRID_H
#define SERVER_POWER_GRID_H

#include "core/timeline.h"

#define GRID_NS INT64_C(1000000000) /* of a cell */

struct grid {
    struct timeline line;
    int64_t cell;     /* in progress */
    double amount;    /* of what is known of it */
    int64_t known_ns; /* how much that is */
    int64_t since;    /* first cell that a hole may be bridged from */
    bool held_back;   /* for now nothing is known after all: no mean is set */
};

void grid_init(struct grid *g);
void grid_deinit(struct grid *g);

/* A hole of up to a minute becomes a straight line as soon as its end is known. Unix times
 * in ns, from < to; from is where the last call ended, or grid_break() was.
 * NaN: the amount is not known. */
void grid_lay(struct grid *g, int64_t from_ns, int64_t to_ns, double amount);

/* What comes from now_ns on is not of the same sources: no line leads over to it. */
void grid_apart(struct grid *g, int64_t now_ns);

/* Nothing is known up to now_ns. Where the clock went back to that, what lies behind it
 * was measured under another clock, and is forgotten. */
void grid_break(struct grid *g, int64_t now_ns);

#endif
