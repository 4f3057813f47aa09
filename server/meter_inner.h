/*
 * meter_inner.h - what the parts of the meter share. For nobody else.
 *
 *   meter.c          runs, what is due and when, encodes that run
 *   meter_measure.c  one run: claims, shares, figures
 */
#ifndef SERVER_METER_INNER_H
#define SERVER_METER_INNER_H

#include "core/buf.h"
#include "core/live.h"
#include "core/sharing.h"
#include "core/table.h"
#include "server/meter.h"

struct meter_run {
    struct view id;         /* own copy, behind the struct */
    double first_s, last_s; /* what its scenarios lie between */
    double latest_s;        /* last_s of all up to this one in the order */
    double unsettled_s;     /* earliest start of what is to be measured again;
                               infinite: none */
    bool runs;              /* one of them runs */
    double from_s, to_s;    /* what happened in this time is to be measured; from_s
                               above to_s: nothing */

    /* A pass over its scenarios, in pieces; what it found counts when it is over. */
    uint32_t next; /* index of the first that it has not looked at */
    double found_unsettled_s;
    bool found_runs;
    bool due, gone;
    struct meter_run *next_due;
    char text[];
};

struct span; /* an encode in its time; meter_measure.c */

struct meter {
    const struct config *c;
    struct store *store;
    struct meter_sink sink;
    struct sampler *sampler;         /* NULL: none */
    struct upstream *upstream;       /* NULL: none */
    const struct meter_watch *watch; /* NULL: none */
    uv_timer_t tick;                 /* while an encode runs */
    uv_idle_t soon;                  /* once, after news */
    unsigned handles;
    bool frozen, closing, news;
    void (*done)(void *ctx); /* of meter_settle(); NULL: not waited for */
    void *done_ctx;
    bool again;    /* news came while a pass was under way */
    bool owed;     /* some run is to be measured further, without one that runs */
    bool runs_now; /* an encode runs */

    struct table runs; /* id → struct meter_run */
    struct meter_run *due;
    struct meter_run **order; /* by first_s */
    size_t order_count;
    bool sorted;

    struct live_clock clock; /* of the moment */
    struct buf newest_id;    /* of the newest run with content */
    bool any;                /* there is one */
    double latest_s;         /* live_latest_start() of it */
    struct buf served_id;    /* of the newest that is served */
    size_t served_count;

    struct span *spans;
    size_t span_count, span_cap;
    struct claim *claims;
    struct share *shares;
    size_t *members; /* of a group: indices of spans */
    size_t group_cap;
    uint32_t *swap_at; /* what differs after meter_measure(), ascending */
    const struct scenario **swap_with; /* references, for run_with() */
    uint32_t swap_count;
    size_t swap_cap;
};

/* The time an encode lies in, where its file or what was seen of it tells. */
bool meter_span_of(const struct scenario *s, double *start_s, double *end_s);

void meter_clock(struct meter *m); /* what time it is, and which run is newest */

/* Somebody watches encodes. */
bool meter_watches(const struct meter *m);

/* How a scenario stands now, and up to when it is reckoned. */
struct meter_standing {
    enum scenario_state state;
    double end_s;                /* unless state is SCENARIO_TOLD */
    bool looked;                 /* somebody watches it: what follows is set */
    enum scenario_state watched; /* SCENARIO_TOLD: how it stands is not known */
    bool news;
    struct watched figures;
};
void meter_standing(const struct meter *m, const struct run *run, uint32_t at,
                    struct meter_standing *out);

/* Calls f for every run that has scenarios in this time, and maybe for some more. */
void meter_overlapping(struct meter *m, double from_s, double to_s,
                       void (*f)(struct meter *m, struct meter_run *r, void *ctx),
                       void *ctx);

enum { METER_PIECE = 256 }; /* scenarios measured at a time */

/*
 * Measures the next piece of a run, of that which is due in it: m->swap_… holds what comes
 * out differently. Asks the upstream for what is missing. r->next is run->count when the
 * pass is over, and what is to be measured again is noted in r.
 */
void meter_measure(struct meter *m, struct meter_run *r, const struct run *run);
void meter_measure_deinit(struct meter *m);

#endif
