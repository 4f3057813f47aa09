/*
 * site.h - what the HTTP side shows of the program: bodies, readiness, the page.
 */
#ifndef SERVER_SITE_H
#define SERVER_SITE_H

#include "server/doors.h"
#include "server/http/server.h"
#include "server/pipeline.h"
#include "server/live/live.h"
#include "server/page/page.h"
#include "server/predict/forecast.h"
#include "server/sources/source_results.h"
#include "server/web/rate.h"

/* Name of the endpoint that has predictions alone. */
#define SITE_PREDICTIONS "ml"

struct site_state {
    const struct config *c;
    struct store *store;
    struct pipeline *pipeline;
    struct self *self;
    const struct http_server *http;      /* set when there is one */
    const struct source_results *source; /* set when there is one */
    const struct doors *doors;           /* set when there are any */
    struct forecast *forecast;           /* NULL: nothing is predicted */
    struct live *live;                   /* NULL: no encode is watched */
    struct page *page;                   /* NULL: there is none */
    int (*reload)(void *ctx, struct err *e);
    void *reload_ctx;
    uint64_t seed; /* of this process, for entity tags */
    bool ready;
    struct rate reloads;         /* that clients may ask for */
    bool told_size[MODULES_MAX]; /* the log has said it is large */
    bool told_dropped;           /* … that runs are left out */
    struct scrapers book;
    void (*scraped)(void *ctx); /* the book has news; NULL: nobody asks */
    void *scraped_ctx;
};

/* Also makes itself the source of self's snapshot. All pointers are borrowed. */
void site_init(struct site_state *s, const struct config *c, struct store *store,
               struct pipeline *pipeline, struct self *self,
               int (*reload)(void *ctx, struct err *e), void *reload_ctx);

void site_deinit(struct site_state *s);

/* For the HTTP server. */
struct site site_of(struct site_state *s);

/* For the page (page.h); ctx: the site's state. */
void site_facts(void *ctx, int endpoint, struct page_data *d, struct about *about);

#endif
