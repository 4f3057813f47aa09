/*
 * inner.h - what the files behind upstream.h share.
 */
#ifndef SERVER_UPSTREAM_INNER_H
#define SERVER_UPSTREAM_INNER_H

#include "core/table.h"
#include "server/fetch/fetch.h"
#include "server/upstream/answer.h"
#include "server/upstream/plan.h"
#include "server/upstream/template.h"
#include "server/upstream/upstream.h"

enum {
    HOLD_MS = 1000,          /* after a failure; further failures are the breaker's */
    REFUSED_MS = 600000,     /* a query that was refused is left alone for so long */
    ABSENT_MS = 600000,      /* and a counter that does not exist */
    KEEP_MS = 86400000,      /* what nobody wants for so long is forgotten … */
    CROWD_KEEP_MS = 3600000, /* … or, where there are more series than a crowd has */
    CROWD = 1000,
    SERIES_MAX = 10000,
};

/* An interval whose energy is asked as one number. */
struct total {
    double from_s, to_s, value_j;
    enum { TOTAL_OPEN, TOTAL_ASKING, TOTAL_KNOWN } state;
    bool recent; /* somebody wanted it in the last day */
};

struct totals {        /* zeroed: none */
    struct total *all; /* by end, then by begin */
    size_t count, cap;
    size_t open; /* of them */
    enum { COUNTER_UNSURE, COUNTER_IS, COUNTER_NONE, COUNTER_DOUBTED } counter;
    bool asking;        /* while it is unsure: one at a time */
    uint64_t absent_ms; /* none: whether that still holds is asked then */
};

/* One query with its names filled in, and what it told. */
struct query {
    enum upstream_quantity kind;
    struct upstream *u;
    char *key;        /* of its kind and text */
    const char *text; /* inside key */
    size_t refs;      /* of series, and of questions about it or its wide form */
    size_t queued;    /* its place in the queue, from 1 on; 0: it has nothing to ask */
    bool askable;     /* all names are known, and it is not empty */
    struct query *wide; /* the same with a wider window, asked where this has nothing */
    struct query *narrow; /* the one that this is the wider form of */
    struct timeline own;
    struct timeline both; /* with a wider form: one in the other's holes */
    struct plan plan;
    struct totals totals; /* UPSTREAM_ENERGY */
    uint64_t refused_ms;  /* not asked before this */
    bool was_refused;     /* so what it tells was settled once */
    uint64_t hold_ms;     /* the last one failed: nothing before this */
    uint64_t several_ms;  /* gave several series: looked at again then; 0: it did not */
    bool was_several;
    uint64_t since_ms; /* when the last forgetting was */
    uint32_t said;     /* problems that the log knows of, as bits */
};

struct upstream_series {
    struct query *queries[UPSTREAM_QUANTITIES]; /* NULL: not asked at all */
    uint64_t touched_ms;
    struct upstream_series *newer, *older; /* by touched_ms */
    struct view key;                       /* behind the struct: the names */
};

struct queued {
    uint64_t due_ms, turn; /* of those due at once, who came first */
    struct query *q;
};

struct ask { /* a question under way */
    struct query *q;
    struct range cells;
    double from_s, to_s; /* of a total */
    double asked_s;
    struct ask *next;
};

struct upstream {
    const struct config *c;
    uv_loop_t *loop;
    uv_timer_t timer;
    struct fetcher *fetcher;
    struct answer_reader *reader;
    double *cells; /* PLAN_POINTS of them, for one answer */
    void (*news)(void *ctx);
    void *ctx;
    const char *templates[UPSTREAM_QUANTITIES];
    const char *environment[TEMPLATE_NAMES]; /* NULL: not said */
    unsigned uses;                           /* names, over all templates */
    struct table queries;                    /* by key, without wider forms */
    struct queued *queue;                    /* a heap, the next to ask on top */
    size_t queue_count, queue_cap;
    uint64_t queue_turn;
    struct table series;
    struct upstream_series *newest, *oldest;
    struct buf key; /* of the series that is looked for */
    uint64_t keep_ms;
    bool said_many;
    struct ask *asks;
    size_t under_way;
    struct range refused[8]; /* intervals, the last few, so that each is said once */
    size_t refused_count;
    uint64_t problems[PROBLEM_COUNT];
    uint64_t kept_back, kept_ms;
    double late_from_s, late_to_s; /* settled before, and has values now; from above to:
                                      nothing */
    double up;                     /* NaN: nothing was asked yet */
    uint64_t told_ms;              /* when news was called */
    bool untold;                   /* something came since */
    bool failing, stopped;
};

/* ---- query.c ---- */
struct query *query_of(struct upstream *u, enum upstream_quantity kind,
                       const struct view names[TEMPLATE_NAMES]);
/* One more holds it, or one less; the last takes it along. */
void query_ref(struct query *q);
void query_unref(struct query *q);
const char *query_name(const struct query *q);
const struct timeline *query_values(const struct query *q);
/* Cells as an answer tells them, from the first on; settled of them do not change any
 * more. */
void query_take(struct query *q, struct range cells, const double values[],
                int64_t settled, uint64_t now_ms);
bool query_settled(const struct query *q, struct range cells, uint64_t now_ms);
/* Forgets what nobody has wanted since this was called last. */
void query_forget(struct query *q, uint64_t now_ms);

/* ---- queue.c ---- */
/* Looked at in its turn then; UINT64_MAX: never, as things stand. */
void queue_put(struct query *q, uint64_t due_ms);
/* It may have something to ask. */
void queue_soon(struct query *q);

/* ---- series.c ---- */
void series_free_all(struct upstream *u);

/* ---- totals.c ---- */
struct total *totals_of(struct totals *t, double from_s, double to_s, bool make);
/* The next to ask; NULL: none now. *due_ms: when to look again. */
struct total *totals_next(struct totals *t, double now_s, uint64_t now_ms,
                          uint64_t *due_ms);
/* Whether one is to be asked for now, as far as the counter exists. */
bool totals_wait(const struct totals *t, double now_s);
void totals_answered(struct totals *t, struct total *which, double value_j,
                     uint64_t now_ms);
void totals_failed(struct totals *t, struct total *which);
/* Those that nobody has wanted since this was called last. */
void totals_forget(struct totals *t);

/* ---- asks.c ---- */
/* Asks what is due and sets the timer for the rest. */
void upstream_turn(struct upstream *u);
/* The same in the next turn of the loop. */
void upstream_soon(struct upstream *u);
void asks_forget(struct upstream *u);
/* Values came of a time that was settled. */
void upstream_late(struct upstream *u, double from_s, double to_s);
double upstream_now_s(void);

/* ---- problems.c ---- */
/* Counts it, of this query (NULL: of none). What is wrong with the server or the query
 * goes to reason, which the fetcher logs; the rest is logged here, once of a query. */
void problem_note(struct upstream *u, struct query *q, enum upstream_problem p,
                  const char *text, struct buf *reason);
void problems_add(struct upstream *u, struct self *self); /* the families */

#endif
