/*
 * page.h - the page at "/" of every port, in page.so: its document and assets, the events
 * that keep it up to date, and what it asks for besides.
 *
 *   /             the document: made here, with all that is known without a script
 *   /page.js /page.css /chart.js
 *                 embedded in the library, compressed when it was built
 *   /events       text/event-stream: what there is, then what changes (docs/page.md)
 *   /frames       scores by frame of one encode, as JSON
 *
 * Nothing is kept or reckoned while nobody looks. Loop thread only.
 */
#ifndef SERVER_PAGE_PAGE_H
#define SERVER_PAGE_PAGE_H

#include <uv.h>

#include "server/config.h"
#include "server/http/route.h"
#include "server/live/live.h"
#include "server/page/document.h"
#include "server/pipeline.h"

struct page;

struct page_host { /* borrowed, and there for longer */
    uv_loop_t *loop;
    const struct config *config;
    struct store *store;
    struct pipeline *pipeline;
    struct live *live; /* NULL: no encode is watched */
    void *ctx;
    /* What the document says of the program; about is filled where it is wanted. */
    void (*facts)(void *ctx, int endpoint, struct page_data *out, struct about *about);
};

/* *out is NULL where page.so is missing: the log says so, and "/" answers 404 and why. All
 * functions below accept NULL. */
int page_new(const struct page_host *h, struct page **out, struct err *e);

/* For struct site. Requests of other sites' pages to /events and /frames are refused. */
void page_answer(struct page *p, int endpoint, const struct request *rq,
                 struct reply *out);

void page_stop(struct page *p); /* closes all handles; no feed is there any more */
void page_free(struct page *p); /* after the loop has run dry */

#endif
