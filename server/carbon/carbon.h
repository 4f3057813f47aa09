/*
 * carbon.h - what Electricity Maps says of the CO2 intensity of a grid, asked once an
 * hour. Loop thread only.
 */
#ifndef SERVER_CARBON_CARBON_H
#define SERVER_CARBON_CARBON_H

#include <uv.h>

#include "core/module.h"
#include "server/config.h"
#include "server/self.h"

struct carbon;

/*
 * *out is NULL without --electricity-maps-zone. A negative errno and e: a setting is
 * wrong, or upstream.so is missing. self gets our families. changed is called when there
 * is another value than before; never from within a call.
 */
int carbon_new(uv_loop_t *loop, const struct config *c, struct self *self,
               void (*changed)(void *ctx), void *ctx, struct carbon **out,
               struct err *e);
void carbon_stop(struct carbon *c); /* NULL is accepted */

/* What the process tells of it. For docs. */
const struct family *carbon_families(size_t *count);

/* Checks the settings and the files they name; opens no connection. */
int carbon_check(const struct config *c, struct err *e);

/* The last value that arrived, however old it is: as_of_s tells. Not known before the
 * first; c may be NULL. Its zone lives as long as the configuration. */
struct carbon_now carbon_now(const struct carbon *c);

/*
 * The value in an answer of /v3/carbon-intensity/latest for this zone. -EBADMSG: e says
 * what is wrong with it.
 */
int carbon_read(struct view answer, const char *zone, double now_s,
                struct carbon_now *out, struct err *e);

#endif
