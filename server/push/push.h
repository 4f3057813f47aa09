/*
 * push.h - sends what is served to somebody who takes it: VictoriaMetrics or a
 * Pushgateway, now and then and before the process ends. Loop thread only.
 */
#ifndef SERVER_PUSH_PUSH_H
#define SERVER_PUSH_PUSH_H

#include <uv.h>

#include "server/config.h"
#include "server/pipeline.h"
#include "server/self.h"

/* For the last push, where no time to linger is set: less than what those wait for us who
 * then kill (docker stop: 10 s). */
enum { PUSH_LAST_MS = 8000 };

struct push;

/* *out is NULL without --push.url. A negative errno and e: a setting is wrong, or
 * upstream.so is missing. pipeline and self are borrowed; self gets our families. */
int push_new(uv_loop_t *loop, const struct config *c, struct pipeline *pipeline,
             struct self *self, struct push **out, struct err *e);

/* Ends what is under way; done is not called any more. NULL is accepted. */
void push_stop(struct push *p);

/* What the process tells of it. For docs. */
const struct family *push_families(size_t *count);

/* Checks the settings and the files they name; opens no connection. */
int push_check(const struct config *c, struct err *e);

/*
 * The end has come: what is served now is sent until it arrived or within_ms (0:
 * PUSH_LAST_MS) is over, counted from the first call. A later call sends what has changed
 * since, for which it has a second at least. done (NULL: that of an earlier call) is called once, never from within, when the state of this call
 * has arrived or is given up, which the log tells. False: p is NULL, and nothing is done.
 */
bool push_last(struct push *p, uint64_t within_ms, void (*done)(void *ctx), void *ctx);

#endif
