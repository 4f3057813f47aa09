/*
 * source.h - a place that runs come from.
 */
#ifndef SERVER_SOURCE_H
#define SERVER_SOURCE_H

#include "core/store.h"
#include "server/self.h"
#include "server/sources/reader.h"

#include <uv.h>

/* Who takes what a source brings; the pipeline does. */
struct source_sink {
    void *ctx;
    /* A run that was read, on its way to store_put(): takes the reference and returns one,
     * to this run or to one with more in it. NULL: as it is. */
    const struct run *(*fill)(void *ctx, const struct run *run);
    /* The run's content or its presence changed: told after store_put(), store_drop()
     * and store_fail() (then d is NULL). The diff is released by the caller. */
    void (*changed)(void *ctx, const struct diff *d);
    /* All that was asked for has been read: a good time to publish. seen_ns: uv_hrtime()
     * of the oldest event behind it, 0 if none (timer, start). */
    void (*settled)(void *ctx, uint64_t seen_ns);

    /* Something happened to a name that is no run's: mask of inotify(7); IN_DELETE: it is
     * gone; 0: a scan found it. True: somebody reads it. NULL: nobody. */
    bool (*named)(void *ctx, struct view name, uint32_t mask);

    /*
     * What else there is to learn from (store_unlearned()), once the first scan is served
     * and while nothing is read to be served. digest.make NULL: nobody learns.
     * learned() takes the digest. learned_all() comes whenever there was something to see
     * to and nothing more is left; the first time also if there was nothing.
     */
    struct read_digest digest;
    void (*learned)(void *ctx, struct view id, const void *digest);
    void (*learned_all)(void *ctx);
};

#endif
