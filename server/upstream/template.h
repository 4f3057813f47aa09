/*
 * template.h - queries with names in them, and what becomes of them for one scenario.
 *
 * $host, $pod, $namespace and $node stand inside quotes and are escaped for them, so that
 * a name cannot end its text. $window is the time over which a rate is taken; $range the
 * length of an interval. A '$' before any other word stays what it is.
 */
#ifndef SERVER_UPSTREAM_TEMPLATE_H
#define SERVER_UPSTREAM_TEMPLATE_H

#include "core/buf.h"
#include "core/err.h"

enum template_name {
    TEMPLATE_HOST,
    TEMPLATE_POD,
    TEMPLATE_NAMESPACE,
    TEMPLATE_NODE,
    TEMPLATE_NAMES, /* how many come from scenarios */
    TEMPLATE_WINDOW = TEMPLATE_NAMES,
    TEMPLATE_RANGE,
    TEMPLATE_ALL,
};

const char *template_name(enum template_name n); /* "host" … */

/* Bit n is set: name n occurs. */
unsigned template_uses(const char *text);

/* -EINVAL: a name of a scenario stands outside of quotes, or a text has no end. */
int template_check(const char *text, struct err *e);

/* Appends the text with its names filled in. An empty value fills in nothing: the caller
 * asks only where all that are used are known. */
void template_fill(const char *text, const struct view values[TEMPLATE_ALL],
                   struct buf *out);

#endif
