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

/* Borrowed; NULL for a module that is off. Never NULL after the first publish. */
struct body *pipeline_body(const struct pipeline *p, size_t module);

const struct module_set *pipeline_set(const struct pipeline *p);

/* Scenarios with a repeat label among those served. */
uint64_t pipeline_repeated(const struct pipeline *p);

#endif
