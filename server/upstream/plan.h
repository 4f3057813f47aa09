/*
 * plan.h - which cells of one query's timeline are asked for, and when. Knows no clock.
 *
 * Cells that are wanted wait (open), are under way (asking), and are then known for good,
 * or, where they were young when the question went, to be asked again (young): a scrape
 * that was late, or that had not taken place yet, shows in the next answer.
 */
#ifndef SERVER_UPSTREAM_PLAN_H
#define SERVER_UPSTREAM_PLAN_H

#include "server/upstream/ranges.h"

enum {
    PLAN_STEP_S = 5,        /* of the grid */
    PLAN_POINTS = 11000,    /* of one answer: the most that Prometheus gives */
    PLAN_JOIN_CELLS = 60,   /* 5 min: what lies between two ranges is asked along */
    PLAN_LATE_S = 120,      /* samples that are older do not change any more */
    PLAN_EVERY_MS = 5000,   /* young cells are asked again */
    PLAN_AGAIN_MS = 60000,  /* what had no values is asked once more */
    PLAN_PROBE_MS = 300000, /* and then again where somebody wants it */
};

struct plan {             /* zeroed: empty */
    struct ranges wanted; /* intervals, without the gaps that are asked along */
    struct ranges recent; /* of them, those of the last day */
    struct ranges open, asking, young, known;
    struct ranges empty;   /* known, and there were no values */
    struct ranges again;   /* of them, those to be asked once more at again_ms … */
    struct ranges retried; /* … and those that were */
    uint64_t young_ms, again_ms; /* when these are due */
    uint64_t probe_ms;           /* no empty ones are asked again before */
};

void plan_deinit(struct plan *p);

/* The cells of an interval with one more at both ends. */
struct range plan_cells(double from_s, double to_s);

/* All that is not known, and not on its way, is opened; what comes behind young cells is
 * asked together with them. */
void plan_want(struct plan *p, struct range cells, double now_s);

/*
 * The next question, newest first: ranges that lie close joined, no longer than an answer
 * may be, and nothing beyond now_s (Unix time). False: there is none now. now_ms: any
 * monotonic clock.
 */
bool plan_next(struct plan *p, double now_s, uint64_t now_ms, struct range *out);

/* An answer came to a question that went at asked_s; it tells how many of its cells, from
 * the first, are known from now on. */
int64_t plan_answered(struct plan *p, struct range cells, double asked_s,
                      uint64_t now_ms);
/* None came: they are open again. */
void plan_skipped(struct plan *p, struct range cells);

/* Wanted cells that are known now had no values, or had some. */
void plan_empty(struct plan *p, struct range cells, uint64_t now_ms);
void plan_filled(struct plan *p, struct range cells);
/* What had no values is asked once more: it may have been the server's fault. */
void plan_ask_empty(struct plan *p);
/* The same for these cells alone, every few minutes at most. */
bool plan_probe(struct plan *p, struct range cells, uint64_t now_ms);
/* The newest that had no values. False: all had some. */
bool plan_last_empty(const struct plan *p, struct range *out);

/* Adds what is not known for good, and shall be. */
void plan_add_unsettled(const struct plan *p, struct ranges *to);
/* Forgets what is known of all other cells. */
void plan_keep(struct plan *p, const struct ranges *only);

/* When plan_next() is worth calling again, in ms of the monotonic clock; UINT64_MAX: never,
 * as things stand. */
uint64_t plan_due(const struct plan *p, double now_s, uint64_t now_ms);

/* Whether cells that were not asked for yet, or not answered, are to be asked for now. */
bool plan_waits(const struct plan *p, double now_s);

/* Whether all of these cells are known for good. */
bool plan_knows(const struct plan *p, struct range cells);

#endif
