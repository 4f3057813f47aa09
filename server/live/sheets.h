/*
 * sheets.h - what encodes that are watched tell with every block, as bodies.
 *
 * A body is made when it is asked for and something has changed since: at a thousand
 * encodes that change twice a second, making it with each change would cost a hundred times
 * what the scrapes cost.
 */
#ifndef SERVER_LIVE_SHEETS_H
#define SERVER_LIVE_SHEETS_H

#include "modules/live/tell.h"
#include "server/body.h"
#include "server/live/roll.h"

struct live_sheets;

/* Thresholds are borrowed. */
struct live_sheets *live_sheets_new(const struct live_threshold *thresholds,
                                    size_t threshold_count);
void live_sheets_free(struct live_sheets *s); /* NULL is accepted */

/* The body behind that of a module (its name), borrowed; NULL: none. changes: grows
 * whenever an encode changes. now_s: Unix time. */
struct body *live_sheets_body(struct live_sheets *s, struct view module,
                              struct roll *roll, uint64_t changes, double now_s);

#endif
