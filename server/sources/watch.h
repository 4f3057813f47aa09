/*
 * watch.h - tells when a directory (or one file), or the way to it, changes.
 *
 * By inotify where the kernel tells of changes, by a timer where it does not: on
 * network file systems, and where inotify gives no more instances or watches. Loop
 * thread only.
 */
#ifndef SERVER_SOURCES_WATCH_H
#define SERVER_SOURCES_WATCH_H

#include "server/config.h"
#include "server/sources/chain.h"

#include <uv.h>

/* Where the path leads now. */
struct watch_where {
    int rc;             /* 0; -ENOENT, -ENOTDIR, -EACCES … */
    bool moved;         /* all of the directory has to be looked at again */
    const char *reason; /* where the path ends and why; "" for 0 */
};

struct watch_events {
    void *ctx;
    /* Something happened to a name in the directory: IN_… of inotify(7). For a file:
     * it was written, or another took its place. */
    void (*name)(void *ctx, struct view name, uint32_t mask);
    /* Events were lost: anything may have happened. */
    void (*lost)(void *ctx);
    /* The path was looked up again, or the mode changed to polling. */
    void (*where)(void *ctx, const struct watch_where *w);
    /* Polling only: time to look. */
    void (*tick)(void *ctx);
    /* After all calls of one loop turn. seen_ns: uv_hrtime() when they were read. */
    void (*turn)(void *ctx, uint64_t seen_ns);
};

struct watch;

/*
 * Armed when it returns; *where is the state then. Never fails: what inotify cannot do
 * is polled, which the log says with the remedy.
 */
struct watch *watch_start(uv_loop_t *loop, const char *path, enum chain_goal goal,
                          enum watch_mode mode, uint64_t poll_interval_ms,
                          const struct watch_events *events, struct watch_where *where);

/* Closes all handles; no callback comes any more. NULL is accepted. */
void watch_stop(struct watch *w);

bool watch_polling(const struct watch *w);

/* Something was wrong with the directory that no event will tell the end of: where()
 * is called in a few seconds, with moved set if it leads somewhere. */
void watch_retry(struct watch *w);

#endif
