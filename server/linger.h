/*
 * linger.h - from the signal to stop to the end of serving, and of the process.
 *
 * The directory is scanned a last time and what was found is served. With a time to
 * linger, serving goes on until everybody has it: every (endpoint, peer) that scraped
 * shortly before has scraped again, after the signal and after the last change, and
 * somebody has if nobody did before. Loop thread only.
 */
#ifndef SERVER_LINGER_H
#define SERVER_LINGER_H

#include "server/http/scrapers.h"

#include <uv.h>

enum {
    LINGER_RECENT_S =
        5 * 60,            /* who scraped so shortly before the signal is waited for */
    LINGER_SCAN_MS = 3000, /* for the last scan, where the time to linger is shorter */
    LINGER_DRY_MS = 1000,  /* for what is on the pool, after serving */
};

struct linger_options {
    uint64_t linger_ms;          /* the longest it may take; 0: just the last scan */
    const struct scrapers *book; /* borrowed */
    void *ctx;
    /* Scans the directory; linger_scanned() is to be called when all it found is
     * served: not from within, and not at all if the scan hangs. */
    void (*scan)(void *ctx);
    void (*over)(void *ctx); /* called once */
};

struct linger_state { /* embedded; the rest is its own */
    struct linger_options o;
    uv_timer_t timer;
    uint64_t began_ns; /* uv_hrtime() of the signal; 0: it did not come */
    bool scanning;     /* linger_scanned() is due */
    bool scanned;      /* it came at least once */
    bool over;
};

/* The timer keeps no loop alive. Ended by linger_deinit(). */
void linger_init(struct linger_state *l, uv_loop_t *loop);

/* The signal came. Once; over() may be called from within the next two functions. */
void linger_start(struct linger_state *l, const struct linger_options *o);
void linger_scanned(struct linger_state *l); /* ignored if no scan was asked for */
void linger_scraped(
    struct linger_state *l); /* the book has news; ignored where not waited for */

/* Serving has ended some other way: over() is not called any more. */
void linger_cut(struct linger_state *l);

/*
 * Everything is closed and the loop is to run dry. What the pool does cannot be
 * interrupted: should it hang in a dead directory, the process ends after LINGER_DRY_MS
 * with exit status 0 and a line in the log.
 */
void linger_dry(struct linger_state *l);

/* The loop has run dry; it must run once more after it. */
void linger_deinit(struct linger_state *l);

#endif
