/*
 * whole.h - logs of libvmaf, which are written at once → tables of scores.
 *
 * A log is read and parsed on the pool when its writer has closed it, when it was renamed
 * into place, or when a scan finds it, one at a time. What was read of a file that changed
 * meanwhile is read again. Loop thread only.
 */
#ifndef SERVER_LIVE_WHOLE_H
#define SERVER_LIVE_WHOLE_H

#include <uv.h>

#include "core/err.h"
#include "core/vmaf_log.h"

struct whole;

struct whole_result {
    int rc;    /* negative errno: e says why, or */
    bool gone; /* there is no such file any more */
    struct err e;
    struct frame_table *table; /* NULL on failure; taken by who sets it to NULL */
    struct text_faults faults; /* parts that could not be read */
    double mtime_s;            /* Unix time */
};

/* dir: copied. max_bytes: of a file. */
struct whole *whole_new(uv_loop_t *loop, const char *dir, uint64_t max_bytes,
                        void (*told)(void *ctx, void *file, struct whole_result *r),
                        void *ctx);

/* Something happened to a name: mask of inotify(7), of the directory; 0: a scan found it.
 * file: for the result; the same for the same name, until whole_forget(). */
void whole_seen(struct whole *w, struct view name, uint32_t mask, void *file);
void whole_forget(struct whole *w, struct view name);

void whole_table_free(struct frame_table *t); /* NULL is accepted */

/* No result comes any more; w goes when the pool is done with it. */
void whole_stop(struct whole *w);

#endif
