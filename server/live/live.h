/*
 * live.h - encodes that are watched while they run, in live.so.
 *
 * Growing files of the results directory and requests to /progress/NAME tell of encodes.
 * One whose name a scenario of the newest run has belongs to that; all others are
 * scenarios of the run "live", which goes through the store as any run does. Energy, cost
 * and all that a results file could tell reach the modules on the way of measurements (the
 * meter asks by live_watch()); what changes with every block is told in bodies of its own,
 * made when a scrape finds that something is new. Loop thread only.
 */
#ifndef SERVER_LIVE_LIVE_H
#define SERVER_LIVE_LIVE_H

#include <uv.h>

#include "core/frame_table.h"
#include "server/body.h"
#include "server/config.h"
#include "server/http/intake.h"
#include "server/meter.h"
#include "server/self.h"

struct live;

struct live_host { /* borrowed, and there for longer */
    uv_loop_t *loop;
    const struct config *config;
    struct store *store;
    struct meter *meter;
    struct self *self; /* gets our families */
    void *ctx;
    /* After store_put_live(); the diff is released by the caller. */
    void (*changed)(void *ctx, const struct diff *d);
    /* A good time to publish. */
    void (*settled)(void *ctx);
    /* Somebody who waits for the last values has to scrape once more. */
    void (*last)(void *ctx);
};

/*
 * *out is NULL with --live off, and where live.so is missing and no flag asks for it:
 * then the log says so. A negative errno and e: a setting is wrong, or the library is
 * missing. All functions below accept NULL.
 */
int live_new(const struct live_host *h, struct live **out, struct err *e);
int live_check(const struct config *c, struct err *e);

/* ---- the results directory, as its source sees it ---------------------------------- */

/* As struct source_sink has it. */
bool live_named(struct live *l, struct view name, uint32_t mask);

/* The runs that are served changed: names may belong elsewhere now. The first time: the
 * first scan is over. */
void live_served(struct live *l);

/* ---- requests ------------------------------------------------------------------------ */

/* See intake.h; NULL and reply: refused. */
struct intake *live_intake(struct live *l, const struct intake_request *rq,
                           struct reply *refusal);

/* ---- scores that were measured here --------------------------------------------------- */

struct live_scores {                        /* of a scenario of the newest run */
    struct view run, name;                  /* id; as the scenario is called */
    struct view output, reference;          /* as it names them */
    struct frame_table *psnr, *ssim, *vmaf; /* NULL: none */
    double took_s;                          /* the measuring */
    uint32_t width, height;                 /* at which they were compared */
};

/* Takes the tables, and tells of them as of logs of frames while that run is the newest and its
 * scenario names these files; a log of the name goes before them. False: there is no room for
 * so many encodes or scores, or the run is not the newest any more. */
bool live_measured(struct live *l, const struct live_scores *s);

/* The scores of this name are not those of its files any more. */
void live_unmeasured(struct live *l, struct view name);

/* ---- what is told --------------------------------------------------------------------- */

/* The body behind that of a module (its index in the registry), as of this moment,
 * borrowed; NULL: nothing is to be told there. */
struct body *live_body(struct live *l, size_t module);

/* An encode as the page shows it. Views live until the encode changes or goes. */
struct live_item {
    struct view name;
    struct view run, scenario; /* where it belongs: id of the run, name there */
    uint64_t
        version; /* not the same once its JSON would not be; never that of another */
    void *entry; /* ours */
};

/* Differs once any encode has changed, came or went. */
uint64_t live_changes(const struct live *l);

/* Calls f for every encode, by name. f must not change anything. */
void live_items(struct live *l, void (*f)(void *ctx, const struct live_item *item),
                void *ctx);

/* Appends its members from `run` on (`"run":"live","scenario":"a","fps":24.5`, see
 * docs/page.md; not `row`), without braces. Within f of live_items() only. */
void live_item_json(struct live *l, const struct live_item *item, struct buf *out);

/* GET /frames: the scores by frame of one encode, its worst frames (docs/page.md). */
void live_frames(struct live *l, const struct request *rq, struct reply *out);

void live_about(const struct live *l, struct about *out);

/* The families of the process about it. For docs and tests. */
const struct family *live_families(size_t *count);

/* ---- the end ------------------------------------------------------------------------- */

/* Files are read once more; no more requests are taken, those under way go on. */
void live_last(struct live *l);
void live_stop(struct live *l); /* closes all handles */
void live_free(struct live *l); /* after the loop has run dry */

#endif
