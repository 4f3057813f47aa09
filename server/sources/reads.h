/*
 * reads.h - files waiting to be read, and those just read.
 *
 * A few small files are read on the spot, which is fastest; large ones, and many at
 * once, go to the pool in batches. Loop thread only.
 */
#ifndef SERVER_SOURCES_READS_H
#define SERVER_SOURCES_READS_H

#include "server/sources/files.h"
#include "server/sources/reader.h"

#include <uv.h>

struct reads;

struct reads_manner {
    const char *dir; /* copied */
    uint64_t max_bytes, max_scenarios;
    size_t batches;                   /* on the pool at a time */
    const struct read_digest *digest; /* borrowed; NULL: runs are wanted */
};

enum { READS_BATCHES_MAX = 3 }; /* of libuv's four threads: one is left for passwords */

/* ready is called when there may be something for reads_take(). */
struct reads *reads_new(uv_loop_t *loop, const struct reads_manner *m,
                        void (*ready)(void *ctx), void *ctx);

/*
 * Nothing new is begun and ready is not called any more; over is called when the pool
 * is done with us, from the loop or at once. Then reads_free().
 */
void reads_stop(struct reads *r, void (*over)(void *ctx));
void reads_free(struct reads *r);

/* f must not be in it yet; pinned while it is. */
void reads_add(struct reads *r, struct file *f);

/*
 * Begins one read, or one batch. before() (NULL: nothing) gives the run to take unchanged
 * scenarios from, borrowed, or NULL. False: nothing is waiting, or the pool has enough to do.
 */
bool reads_begin(struct reads *r, bool pool_only,
                 const struct run *(*before)(void *ctx, const struct file *f));

/* The next result, NULL: none. It lives until the next call, owner is a struct file
 * that is unpinned then. */
struct read_item *reads_take(struct reads *r);

/* Something is waiting, under way, or ready to be taken. */
bool reads_busy(const struct reads *r);

/* Gives back the memory that is kept for the next read. */
void reads_rest(struct reads *r);

#endif
