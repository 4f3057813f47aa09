/*
 * pipeline.h - what the store serves → bodies of the endpoints.
 *
 * A source says that something changed; the pipeline finds the segments that are
 * touched, renders them (few on the loop, many on the pool) and puts new bodies in place
 * of the old ones, all endpoints at once. Loop thread only.
 */
#ifndef SERVER_PIPELINE_H
#define SERVER_PIPELINE_H

#include "core/store.h"
#include "server/body.h"
#include "server/module_set.h"
#include "server/self.h"

#include <uv.h>

struct pipeline;

/* set: one reference is taken. store and self are borrowed and outlive the pipeline.
 * text_cache: bytes of text to keep for clients that take no gzip. */
struct pipeline *pipeline_new(uv_loop_t *loop, struct store *store, struct self *self,
                              struct module_set *set, uint64_t text_cache);

/* After the loop has run dry. */
void pipeline_free(struct pipeline *p);

/* Tells the modules' memory what happened to a run. */
void pipeline_changed(struct pipeline *p, const struct diff *d);

/* Brings the bodies up to what the store serves; event_ns: uv_hrtime() of the oldest
 * event behind it, 0 if there was none. Changes during a rendering are taken up after
 * it. */
void pipeline_publish(struct pipeline *p, uint64_t event_ns);

/* New settings: everything is rendered with them. Takes one reference. */
void pipeline_configure(struct pipeline *p, struct module_set *set);

/* Calls f once, when nothing is being rendered: at once if that is now. */
void pipeline_settled(struct pipeline *p, void (*f)(void *ctx), void *ctx);

/* f is called after every change of a body. */
void pipeline_on_commit(struct pipeline *p, void (*f)(void *ctx), void *ctx);

/* Somebody has scraped this module's body. Where that goes on while the body stays the
 * same, its blocks are moved next to each other (join.h). */
void pipeline_scraped(struct pipeline *p, size_t module);

/* Starts nothing new; what is on the pool ends by itself. */
void pipeline_stop(struct pipeline *p);

/* Those who say more of the same runs, in the order in which they are served. */
enum pipeline_adder { PIPELINE_COMPARISON, PIPELINE_FORECAST, PIPELINE_ADDERS };

/* What one of them says; NULL: nothing. */
struct pipeline_more {
    struct body *after[MODULES_MAX]; /* a module's own body */
    struct body *alone;              /* an endpoint that is no module's */
};

/* Puts it in place of what they said before, all at once. Takes the references. */
void pipeline_add(struct pipeline *p, enum pipeline_adder who,
                  const struct pipeline_more *more);

/* What is there now; borrowed. */
void pipeline_added(const struct pipeline *p, enum pipeline_adder who,
                    struct pipeline_more *out);

/* Who says something behind all that of a module, made when it is asked for: borrowed, NULL:
 * nothing. */
void pipeline_beside(struct pipeline *p,
                     struct body *(*beside)(void *ctx, size_t module), void *ctx);

enum {
    PIPELINE_ALL = -1,
    PIPELINE_ALONE = MODULES_MAX, /* besides the index of a module */
    PIPELINE_BODIES_MAX = 11,
};

/* The bodies of an endpoint in the order in which they are served, borrowed. None before
 * the first publish, and none alone while nobody has added one. */
size_t pipeline_bodies(const struct pipeline *p, int endpoint,
                       struct body *out[PIPELINE_BODIES_MAX]);

/* Of their texts. */
uint64_t pipeline_bytes(const struct pipeline *p, int endpoint);

struct module_set *pipeline_set(const struct pipeline *p);

/* Scenarios with a repeat label among those served. */
uint64_t pipeline_repeated(const struct pipeline *p);

#endif
