/*
 * gate.c - the functions of upstream.so, as the program calls them: the first that has to
 * do with a configured URL opens the library, all others pass on.
 *
 * Without a URL nobody has an object of the library, and it is not opened.
 */
#include "server/remote/remote.h"

#include <limits.h>

#include "server/library.h"

static const struct remote *remote; /* the main thread's; NULL: not opened */

static int open_library(struct err *e)
{
    char path[PATH_MAX + 256];
    const void *found;
    int rc = remote ? 0 : library_find("upstream.so", path, sizeof path, e);

    if (remote || rc < 0)
        return rc;
    rc = library_open(path, REMOTE_SYMBOL, ENCODE_ABI, "libcurl, package libcurl4",
                      &found, e);
    if (rc == 0)
        remote = found;
    return rc;
}

const char *fetch_library_version(void)
{
    return open_library(NULL) == 0 ? remote->fetch_library_version() : NULL;
}

/* ---- upstream ------------------------------------------------------------------------- */

int upstream_check(const struct config *c, struct err *e)
{
    int rc = upstream_wanted(c) ? open_library(e) : 0;

    return rc == 0 && remote ? remote->upstream_check(c, e) : rc;
}

int upstream_new(uv_loop_t *loop, const struct config *c, struct self *self,
                 void (*news)(void *ctx), void *ctx, struct upstream **out,
                 struct err *e)
{
    int rc = upstream_wanted(c) ? open_library(e) : 0;

    *out = NULL;
    return rc == 0 && remote ? remote->upstream_new(loop, c, self, news, ctx, out, e)
                             : rc;
}

void upstream_stop(struct upstream *u)
{
    if (u)
        remote->upstream_stop(u);
}

void upstream_reloaded(struct upstream *u)
{
    if (u)
        remote->upstream_reloaded(u);
}

struct upstream_series *upstream_series_of(struct upstream *u, const struct scenario *s)
{
    return remote->upstream_series_of(u, s);
}

void upstream_want(struct upstream *u, struct upstream_series *s, double from_s,
                   double to_s, bool running)
{
    remote->upstream_want(u, s, from_s, to_s, running);
}

double upstream_energy(struct upstream *u, struct upstream_series *s, double from_s,
                       double to_s, bool *known)
{
    return remote->upstream_energy(u, s, from_s, to_s, known);
}

const struct timeline *upstream_power(const struct upstream_series *s)
{
    return remote->upstream_power(s);
}

const struct timeline *upstream_cores(const struct upstream_series *s)
{
    return remote->upstream_cores(s);
}

const struct timeline *upstream_containers(const struct upstream_series *s)
{
    return remote->upstream_containers(s);
}

bool upstream_settled(const struct upstream *u, const struct upstream_series *s,
                      double from_s, double to_s)
{
    return remote->upstream_settled(u, s, from_s, to_s);
}

bool upstream_busy(const struct upstream *u)
{
    return remote->upstream_busy(u);
}

bool upstream_reopened(struct upstream *u, double *from_s, double *to_s)
{
    return remote->upstream_reopened(u, from_s, to_s);
}

bool upstream_same_power(const struct upstream_series *a,
                         const struct upstream_series *b)
{
    return remote->upstream_same_power(a, b);
}

bool upstream_same_cores(const struct upstream_series *a,
                         const struct upstream_series *b)
{
    return remote->upstream_same_cores(a, b);
}

/* ---- push ----------------------------------------------------------------------------- */

int push_check(const struct config *c, struct err *e)
{
    int rc = c->push.url ? open_library(e) : 0;

    return rc == 0 && remote ? remote->push_check(c, e) : rc;
}

int push_new(uv_loop_t *loop, const struct config *c, struct pipeline *pipeline,
             struct self *self, struct push **out, struct err *e)
{
    int rc = c->push.url ? open_library(e) : 0;

    *out = NULL;
    return rc == 0 && remote ? remote->push_new(loop, c, pipeline, self, out, e) : rc;
}

void push_stop(struct push *p)
{
    if (p)
        remote->push_stop(p);
}

bool push_last(struct push *p, uint64_t within_ms, void (*done)(void *ctx), void *ctx)
{
    return p && remote->push_last(p, within_ms, done, ctx);
}

/* ---- CO2 of a grid --------------------------------------------------------------------- */

int carbon_check(const struct config *c, struct err *e)
{
    int rc = c->carbon.zone ? open_library(e) : 0;

    return rc == 0 && remote ? remote->carbon_check(c, e) : rc;
}

int carbon_new(uv_loop_t *loop, const struct config *c, struct self *self,
               void (*changed)(void *ctx), void *ctx, struct carbon **out,
               struct err *e)
{
    int rc = c->carbon.zone ? open_library(e) : 0;

    *out = NULL;
    return rc == 0 && remote ? remote->carbon_new(loop, c, self, changed, ctx, out, e)
                             : rc;
}

void carbon_stop(struct carbon *c)
{
    if (c)
        remote->carbon_stop(c);
}

struct carbon_now carbon_now(const struct carbon *c)
{
    return c ? remote->carbon_now(c) : (struct carbon_now){ 0 };
}
