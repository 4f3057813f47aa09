/*
 * go_duration.h - a length of time as Go writes it, which web configs do.
 *
 * "1s", "500ms", "1m30s", "1.5h": numbers with their units (ns, us, µs, ms, s, m, h), one
 * after the other; "0" alone needs no unit.
 */
#ifndef SERVER_WEB_GO_DURATION_H
#define SERVER_WEB_GO_DURATION_H

#include "core/err.h"
#include "core/view.h"

#include <stdint.h>

/* In nanoseconds, at most 2^63 - 1 of them. -EINVAL: e says what is wrong with it. */
int go_duration_parse(struct view text, uint64_t *out_ns, struct err *e);

#endif
