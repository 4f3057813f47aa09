/*
 * results_inner.h - what the parts of the results source share. For nobody else.
 *
 *   source_results.c   life, what the watch tells, the order of work
 *   results_names.c    what lies at a name now: events and scans → store_see()
 *   results_reads.c    what the store wants read, and what came of it
 *   results_lessons.c  what is read for its lessons alone
 */
#ifndef SERVER_SOURCES_RESULTS_INNER_H
#define SERVER_SOURCES_RESULTS_INNER_H

#include "core/err.h"
#include "server/sources/files.h"
#include "server/sources/reads.h"
#include "server/sources/source_results.h"
#include "server/sources/watch.h"

#define MS_NS 1000000ULL

enum { RESULTS_RETRY_MS = 5000 }; /* after a failure that passes by itself */

struct results_waiter {
    void (*done)(void *ctx);
    void *ctx;
    uint64_t scan; /* served by the scan of this number and later ones */
};

struct source_results {
    uv_idle_t idle;   /* runs while there is work left for the next turn */
    uv_timer_t later; /* the first of the waiting files is due */
    uv_timer_t ends;  /* a run is out of time; only with o.runs_end */
    uv_work_t scan_work;
    unsigned open; /* handles, the scan and the reads that are not over */
    bool closing;

    char *dir;
    struct source_results_options o;
    struct store *store;
    struct self *self;
    struct source_sink sink;
    struct watch *watch;
    struct reads *reads;
    struct reads *lessons; /* NULL: nobody learns */
    struct files files;

    struct file *touched, **touched_end; /* pinned */
    struct file *waiting;                /* pinned */
    size_t waiting_reads;                /* of them those the store waits for */

    struct scan scan;
    struct err scan_error;
    int scan_rc;
    bool scan_due, scan_tick, scanning, applying;
    bool listed;        /* what was there at the start is known */
    uint64_t scans;     /* begun */
    uint64_t scanned;   /* the last one that is over */
    size_t apply_at;    /* next entry, then next of lost[] */
    struct file **lost; /* not found by the scan; pinned */
    size_t lost_count;

    int dirfd;        /* open while work() runs; -1 */
    int dir_error;    /* why it could not be opened */
    bool wanted;      /* the store may want something */
    bool news;        /* to be told by settled() */
    uint64_t news_ns; /* of the oldest of them */
    uint64_t seen_ns; /* of the oldest event in them; 0: none */
    bool ready;
    bool to_learn; /* there may be something to learn from, or its end to be told of */

    int watch_rc, state_rc;
    bool state_told;
    char state[sizeof(((struct err *)0)->text)];

    struct results_waiter *waiters;
    size_t waiter_count, waiter_cap;
};

/* ---- source_results.c ---- */

void results_kick(struct source_results *s); /* there is work for the next turn */
void results_news(struct source_results *s); /* settled() has something to tell */
void results_set_state(struct source_results *s, int rc, const char *reason);
void results_part_over(struct source_results *s); /* one of `open` */

/* ---- results_names.c ---- */

void results_touch(struct source_results *s, struct file *f, uint32_t mask);
void results_touch_links(struct source_results *s);
void results_look_at_next(struct source_results *s); /* of the touched */
void results_drop(struct source_results *s, struct file *f);
void results_scan_begin(struct source_results *s);
void results_scan_apply(struct source_results *s); /* a piece of it */
void results_names_deinit(struct source_results *s);

/* ---- results_reads.c ---- */

void results_ask_store(struct source_results *s);
void results_take(struct source_results *s, struct read_item *item);
const struct run *results_before(void *ctx, const struct file *f);
void results_wait_no_more(struct source_results *s, struct file *f);
void results_on_later(uv_timer_t *t);
void results_reads_deinit(struct source_results *s);
/* What is to be noted of a good read, whatever it was for. */
void results_read_well(struct source_results *s, struct file *f,
                       const struct read_item *item);
enum fault results_fault(const struct read_item *item);
/* How long to wait before a bad read is tried once more; 0: it counts. */
uint64_t results_patience_ms(const struct source_results *s, struct file *f,
                             const struct read_item *item);
void results_await(struct source_results *s, struct file *f, uint64_t ms);

/* ---- results_lessons.c ---- */

void results_lessons_new(struct source_results *s);
void results_learn(struct source_results *s); /* a piece of it, where it is time */

#endif
