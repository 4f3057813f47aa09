/*
 * upstream.h - power, CPU use and energy from Prometheus or VictoriaMetrics, as far back
 * as they keep them, without anybody waiting for it.
 *
 * What scenarios need is asked for in as few queries as possible, kept for good where it
 * lies in the past, and asked for again every few seconds where it goes on. Loop thread
 * only.
 */
#ifndef SERVER_UPSTREAM_UPSTREAM_H
#define SERVER_UPSTREAM_UPSTREAM_H

#include <uv.h>

#include "core/run.h"
#include "core/timeline.h"
#include "server/config.h"
#include "server/self.h"

struct upstream;
struct upstream_series; /* what the same queries, with the same names filled in, tell */

/*
 * Reads the settings that c holds (--prometheus-url, --upstream…). *out is NULL without a
 * URL. A negative errno and e: a setting is wrong, or upstream.so is missing. self gets
 * the families of the upstream. news is called when something that was asked for arrived,
 * or turned out not to be had; never from within a call.
 */
int upstream_new(uv_loop_t *loop, const struct config *c, struct self *self,
                 void (*news)(void *ctx), void *ctx, struct upstream **out,
                 struct err *e);
void upstream_stop(struct upstream *u); /* NULL is accepted */

/* The user had settings read again: queries that were refused are asked again, and
 * problems are said again. NULL is accepted. */
void upstream_reloaded(struct upstream *u);

/* Checks the settings and the files they name; opens no connection. */
int upstream_check(const struct config *c, struct err *e);

/* The queries with $host, $pod, $namespace and $node filled in for this scenario (from
 * it, else from the environment). Borrowed for this turn of the
 * loop: it is forgotten when nobody has asked for it for hours. Scenarios whose
 * power query comes out the same have one machine's power to share. NULL: there are more
 * of them than is asked for. */
struct upstream_series *upstream_series_of(struct upstream *u,
                                           const struct scenario *s);

/*
 * This interval is to be known: asked for in the next turn of the loop, together with
 * others that lie close, unless it is known already, or is being asked for. Calling it
 * again for the same interval costs nothing. running: to_s is now; what is newer than the
 * last answer is asked for at most every 5 s.
 */
void upstream_want(struct upstream *u, struct upstream_series *s, double from_s,
                   double to_s, bool running);

/*
 * The same for an interval that ended, and whose energy may stand in a counter there: one
 * query at its end. known: true once it has been answered, also with nothing.
 */
double upstream_energy(struct upstream *u, struct upstream_series *s, double from_s,
                       double to_s, bool *known);

/* Watts, cores, and percent of one core, at instants 5 s apart. Borrowed; changes with
 * answers. NULL: that query is set to be empty. */
const struct timeline *upstream_power(const struct upstream_series *s);
const struct timeline *upstream_cores(const struct upstream_series *s);
const struct timeline *upstream_containers(const struct upstream_series *s);

/* Nothing more is to be waited for: all was answered, or is refused, and late samples were
 * waited for. */
bool upstream_settled(const struct upstream *u, const struct upstream_series *s,
                      double from_s, double to_s);

/* Something that was wanted has not been asked yet, or its answer is on its way, or news
 * of it is. What waits for late samples, or was refused, does not count. */
bool upstream_busy(const struct upstream *u);

/*
 * What was settled has got values all the same: a query that was refused was asked again
 * and answered, or an answer without values was asked for once more. True: in *from_s to
 * *to_s, since this was called last. To be called upon news.
 */
bool upstream_reopened(struct upstream *u, double *from_s, double *to_s);

/* Whether two series have the same power query; whether they have the same CPU query. */
bool upstream_same_power(const struct upstream_series *a,
                         const struct upstream_series *b);
bool upstream_same_cores(const struct upstream_series *a,
                         const struct upstream_series *b);

/* What the process tells of it. For docs. */
const struct family *upstream_families(size_t *count);

#endif
