/*
 * tail.h - files that grow → their bytes, once each.
 *
 * A file is read from where the last read ended, when inotify says that it was written,
 * at most ten times a second; each file has a watch of its own, so that others in the
 * directory cost nothing. Where there are no events (network file systems, no watch to be
 * had) it is looked at ten times a second while it grows. Truncation, another file of the
 * same name, and a rewrite that is as long as what was there or longer (the last bytes that
 * were read are compared) are told as a beginning. Files are opened as results files are
 * (opener.h): what is no regular file inside the directory never is. Loop thread only.
 */
#ifndef SERVER_LIVE_TAIL_H
#define SERVER_LIVE_TAIL_H

#include <uv.h>

#include "core/err.h"
#include "core/view.h"

struct tail;

struct tail_events {
    void *ctx;
    /* What was told of this file before is not so any more; its first byte comes next.
     * old: its content may have been there before anybody watched it. */
    void (*begin)(void *ctx, void *file, double mtime_s, bool old);
    /* mtime_s: Unix time at which it was modified. */
    void (*bytes)(void *ctx, void *file, struct view bytes, double mtime_s);
    /* For now that was all: its end is reached. */
    void (*end)(void *ctx, void *file, double mtime_s);
    /* It is gone (e NULL), or may not be read. The file is forgotten. */
    void (*gone)(void *ctx, void *file, const struct err *e);
};

struct tail_options {
    const char *dir; /* copied */
    bool polls;      /* no events come here */
};

struct tail *tail_new(uv_loop_t *loop, const struct tail_options *o,
                      const struct tail_events *events);

/*
 * A name is there, or something happened to it: mask of inotify(7), of the directory; 0: a
 * scan found it. file: for the events; the same for the same name. events.gone may be
 * called before this returns, others come later.
 */
void tail_seen(struct tail *t, struct view name, uint32_t mask, void *file);

/* Nobody reads it any more; no event comes. */
void tail_forget(struct tail *t, struct view name);

/* All files are read to their ends now, for at most patience_ms. */
void tail_catch_up(struct tail *t, uint64_t patience_ms);

/* Closes all handles; t goes when the loop has run dry, and no event comes. */
void tail_stop(struct tail *t);

#endif
