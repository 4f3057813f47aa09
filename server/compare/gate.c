/*
 * gate.c - the functions of compare.so, as the program calls them: the first opens the
 * library, all others pass on.
 *
 * A program without its library serves all else: a missing one ends the start only of
 * those who named an anchor.
 */
#include "server/compare/library.h"

#include <limits.h>

#include "server/library.h"

static const struct compare_library *compare; /* the main thread's; NULL: not opened */

static int load(struct err *e)
{
    char path[PATH_MAX + 256];
    const void *found;
    int rc = library_find("compare.so", path, sizeof path, e);

    if (rc == 0)
        rc = library_open(path, COMPARE_SYMBOL, ENCODE_ABI, "nothing else", &found, e);
    if (rc == 0)
        compare = found;
    return rc;
}

int comparison_new(const struct comparison_host *h, struct comparison **out,
                   struct err *e)
{
    int qoe = registry_find(VIEW("qoe")), rc = 0;

    *out = NULL;
    if (qoe < 0 || !h->config->on[qoe])
        return 0;
    if (!compare)
        rc = load(e);
    if (rc == 0)
        return compare->comparison_new(h, out, e);
    if (config_said(h->config, "qoe.bd-anchor"))
        return rc;
    log_line(LOG_WARN, "encodes are not compared", "reason", e->text, NULL);
    return 0;
}

void comparison_start(struct comparison *c)
{
    if (c)
        compare->comparison_start(c);
}

void comparison_served(struct comparison *c)
{
    if (c)
        compare->comparison_served(c);
}

void comparison_settled(struct comparison *c, void (*done)(void *ctx), void *ctx)
{
    if (c)
        compare->comparison_settled(c, done, ctx);
    else
        done(ctx);
}

void comparison_stop(struct comparison *c)
{
    if (c)
        compare->comparison_stop(c);
}

void comparison_free(struct comparison *c)
{
    if (c)
        compare->comparison_free(c);
}
