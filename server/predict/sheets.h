/*
 * sheets.h - what an outlook says, rendered: chunks by family, and by block of scenarios.
 *
 * Blocks are those of the segments (layout.h). What came out the same as before is the same
 * chunk, and a block of which nothing changed is not rendered again. Made on the pool from
 * what the loop gives; looked at on the loop alone.
 */
#ifndef SERVER_PREDICT_SHEETS_H
#define SERVER_PREDICT_SHEETS_H

#include "modules/predict/tell.h"
#include "server/pipeline.h"
#include "server/predict/lecture.h"
#include "server/segment.h"

struct sheets;

struct version_shown { /* of the models, as it is told */
    char text[32];     /* "": none yet */
    double update_s;   /* when it last changed; Unix time */
};

/* What is to be rendered; references are the caller's and outlive the call. */
struct sheets_task {
    const struct sheets *before; /* NULL: nothing */
    struct fitted *fitted;
    struct module_set *set;
    struct served served;
    const struct lessons *const *lessons; /* of the served runs, in their order; NULL:
                                             none are known */
    struct version_shown shown;
    size_t deflated; /* texts of so many bytes are deflated and not kept */
};

/* Any thread. scratch: that thread's. The same as before: NULL. */
struct sheets *sheets_make(const struct sheets_task *t,
                           struct segment_scratch *scratch);

/* Loop thread, once: takes over what stayed the same. Then `before` may go. */
void sheets_settle(struct sheets *s);
void sheets_free(struct sheets *s); /* NULL is accepted */

/* For struct tell_context: prices of the cost module. ctx: a module set. */
bool sheets_tariff(void *ctx, struct view region, struct tariff *out);

/* The heads of all families, made once. */
struct sheet_heads {
    struct chunk **of[TELL_ON_COUNT];
};
void sheet_heads_init(struct sheet_heads *h);
void sheet_heads_deinit(struct sheet_heads *h);

/* The body of one endpoint: one reference. */
struct body *sheets_body(const struct sheets *s, const struct sheet_heads *h,
                         enum tell_on on);

#endif
