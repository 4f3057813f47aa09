/*
 * gate.c - the functions of live.so, as the program calls them: the first opens the
 * library, all others pass on.
 *
 * Encodes are watched by default, and a program without its library serves all else: so a
 * missing one ends the start only of those who asked for it.
 */
#include "server/live/library.h"

#include <errno.h>
#include <limits.h>

#include "server/library.h"
#include "server/log.h"

static const struct live_library *library; /* the main thread's; NULL: not opened */

/* 0 without a library, too: then nothing is watched. */
static int open_library(const struct config *c, struct err *e)
{
    char path[PATH_MAX + 256];
    const void *found;
    int rc;

    if (!c->live.on || library)
        return 0;
    rc = library_find("live.so", path, sizeof path, e);
    if (rc == 0)
        rc = library_open(path, LIVE_SYMBOL, ENCODE_ABI, "nothing else", &found, e);
    if (rc == 0) {
        library = found;
        return 0;
    }
    /* What is there and cannot be had now would be missed until the next start. */
    if (config_said(c, "live") || config_said(c, "ingest") ||
        (rc != -ENOENT && rc != -ELIBBAD))
        return rc;
    log_line(LOG_WARN, "no encode is watched while it runs", "reason", e->text,
             "remedy", "install it, or say --live off", NULL);
    return 0;
}

int live_check(const struct config *c, struct err *e)
{
    int rc = open_library(c, e);

    return rc == 0 && library && c->live.on ? library->live_check(c, e) : rc;
}

int live_new(const struct live_host *h, struct live **out, struct err *e)
{
    int rc = open_library(h->config, e);

    *out = NULL;
    return rc == 0 && library && h->config->live.on ? library->live_new(h, out, e) : rc;
}

bool live_named(struct live *l, struct view name, uint32_t mask)
{
    return l && library->live_named(l, name, mask);
}

void live_served(struct live *l)
{
    if (l)
        library->live_served(l);
}

struct intake *live_intake(struct live *l, const struct intake_request *rq,
                           struct reply *refusal)
{
    if (l)
        return library->live_intake(l, rq, refusal);
    route_refused(404, "no encode is watched here", NULL, refusal);
    return NULL;
}

bool live_measured(struct live *l, const struct live_scores *s)
{
    return library->live_measured(l, s); /* who measures has found it there */
}

void live_unmeasured(struct live *l, struct view name)
{
    library->live_unmeasured(l, name);
}

struct body *live_body(struct live *l, size_t module)
{
    return l ? library->live_body(l, module) : NULL;
}

uint64_t live_changes(const struct live *l)
{
    return l ? library->live_changes(l) : 0;
}

void live_items(struct live *l, void (*f)(void *ctx, const struct live_item *item),
                void *ctx)
{
    if (l)
        library->live_items(l, f, ctx);
}

void live_item_json(struct live *l, const struct live_item *item, struct buf *out)
{
    if (l)
        library->live_item_json(l, item, out);
}

void live_frames(struct live *l, const struct request *rq, struct reply *out)
{
    if (l)
        library->live_frames(l, rq, out);
    else
        route_refused(404, "no encode is watched here", NULL, out);
}

void live_about(const struct live *l, struct about *out)
{
    if (l)
        library->live_about(l, out);
}

void live_last(struct live *l)
{
    if (l)
        library->live_last(l);
}

void live_stop(struct live *l)
{
    if (l)
        library->live_stop(l);
}

void live_free(struct live *l)
{
    if (l)
        library->live_free(l);
}
