/*
 * app_inner.h - what the parts of the program share. For nobody else.
 *
 *   app.c            how it starts, what runs into the pipeline, how it ends
 *   app_settings.c   settings that change while it runs
 */
#ifndef SERVER_APP_INNER_H
#define SERVER_APP_INNER_H

#include "server/carbon/carbon.h"
#include "server/compare/comparison.h"
#include "server/compute/computation.h"
#include "server/descriptors.h"
#include "server/doors.h"
#include "server/http/server.h"
#include "server/linger.h"
#include "server/loop.h"
#include "server/meter.h"
#include "server/notify.h"
#include "server/page/page.h"
#include "server/pipeline.h"
#include "server/power/sampler.h"
#include "server/live/live.h"
#include "server/predict/forecast.h"
#include "server/push/push.h"
#include "server/site.h"
#include "server/sockets.h"
#include "server/start.h"
#include "server/sources/filewatch.h"
#include "server/sources/opener.h"
#include "server/sources/source_results.h"
#include "server/version.h"

enum {
    STOP_MS = 5000, /* for answers under way */
    OWED_MS = 2000, /* for measurements, before a last push */
    FILES_MAX = 8,  /* that module options name */
    SIGNALS = 3,
};

struct app {
    const struct config *c;
    struct sockets sockets;
    uv_loop_t loop;
    struct store *store;
    struct self *self;
    struct pipeline *pipeline;
    struct meter *meter;
    struct sampler *sampler;   /* NULL: nothing here is read */
    struct upstream *upstream; /* NULL: nobody to ask */
    struct source_results *source;
    struct http_server *http;
    struct doors *doors;       /* NULL: no web config */
    struct push *push;         /* NULL: nowhere */
    struct carbon *carbon;     /* NULL: nobody is asked */
    struct forecast *forecast; /* NULL: nothing is predicted */
    struct comparison *comparison;
    struct live *live;               /* NULL: no encode is watched */
    struct page *page;               /* NULL: there is none */
    struct computation *computation; /* NULL: no quality is measured here */
    struct site_state site;
    struct filewatch *files[FILES_MAX];
    size_t file_count;
    uv_signal_t signals[SIGNALS];
    size_t signal_count;
    struct linger_state linger;
    bool stopping;
    bool last_scan; /* what it found is being rendered */
};

/* All settings anew; all or nothing. -EINVAL: e says why, and the log as well. */
int app_reload(void *ctx, struct err *e);

/* Files were read before they were watched: what changed in between shows now. */
void app_read_again(struct app *a);

/* The grid's intensity of carbon is another. */
void app_on_carbon(void *ctx);

/* A file that settings name: a change of it reloads them. */
void app_watch_file(void *ctx, const char *path);

#endif
