/*
 * filewatch.h - tells when the content of one file may have changed.
 *
 * Rewritten in place, replaced by rename, reached through a link that was swapped (as
 * Kubernetes does with ..data), removed and made again. Loop thread only.
 */
#ifndef SERVER_SOURCES_FILEWATCH_H
#define SERVER_SOURCES_FILEWATCH_H

#include "server/config.h"

#include <uv.h>

struct filewatch;

/*
 * changed is called from the loop, once for the events of one loop turn, and only while
 * the file exists; that it went is logged. Armed when this returns: read the file after
 * it. Where the file is polled, a change is told when it has lasted one interval.
 */
struct filewatch *filewatch_start(uv_loop_t *loop, const char *path,
                                  enum watch_mode mode, uint64_t poll_interval_ms,
                                  void (*changed)(void *ctx), void *ctx);

/* changed is called once more in a few seconds: its file could not be read for a reason
 * that may pass. */
void filewatch_again(struct filewatch *f);

/* Closes all handles; changed is not called any more, f must not be used. NULL is
 * accepted. */
void filewatch_stop(struct filewatch *f);

#endif
