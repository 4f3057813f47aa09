/*
 * panel.h - what a comparison of encodes says, rendered.
 *
 * Sets of encodes that stand next to each other are a block, of some 256 encodes or one
 * larger set. A block of which nothing changed is neither reckoned nor rendered again, and
 * chunks that came out the same are the same. Made on the pool from what the loop gives;
 * looked at on the loop alone.
 */
#ifndef SERVER_COMPARE_PANEL_H
#define SERVER_COMPARE_PANEL_H

#include "modules/compare/compare.h"
#include "server/segment.h"

struct panel;

struct panel_task {
    const struct panel *before; /* NULL: nothing. The caller's, and outlives the call */
    struct served served;
    struct compare_context context;
    size_t deflated; /* texts of so many bytes are deflated and not kept */
};

/* Any thread. NULL: the same as before, or nothing, as before. */
struct panel *panel_make(const struct panel_task *t, struct segment_scratch *scratch);

/* Loop thread, once: takes over what stayed the same. Then `before` may go. */
void panel_settle(struct panel *p);
void panel_free(struct panel *p); /* NULL is accepted */

/* The heads of its families, made once. */
struct panel_heads {
    struct chunk *of[COMPARE_FAMILIES];
};
void panel_heads_init(struct panel_heads *h);
void panel_heads_deinit(struct panel_heads *h);

/* One reference. */
struct body *panel_body(const struct panel *p, const struct panel_heads *h);

#endif
