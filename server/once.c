#include "server/once.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "server/compare/comparison.h"
#include "server/loop.h"
#include "server/meter.h"
#include "server/pipeline.h"
#include "server/predict/forecast.h"
#include "server/start.h"
#include "server/version.h"

enum { LOOK_MS = 20 };

struct once {
    uv_loop_t loop;
    struct store *store;
    struct self *self;
    struct pipeline *pipeline;
    struct meter *meter;
    struct upstream *upstream; /* NULL: nobody to ask */
    struct source_results *source;
    struct forecast *forecast; /* NULL: nothing is predicted */
    struct comparison *comparison;
    uv_timer_t patience; /* with the upstream */
    uint64_t until_ms;   /* uv_now() at which it ends */
    bool unreadable;     /* the directory, although it is there */
    bool served, done;
};

static void finish(void *ctx)
{
    struct once *o = ctx;

    if (o->done)
        return;
    o->done = true;
    o->unreadable = source_results_unreadable(o->source);
    source_results_stop(o->source);
    meter_stop(o->meter);
    upstream_stop(o->upstream);
    forecast_stop(o->forecast);
    comparison_stop(o->comparison);
    pipeline_stop(o->pipeline);
    uv_close((uv_handle_t *)&o->patience, NULL);
}

static void on_compared(void *ctx)
{
    struct once *o = ctx;

    forecast_settled(o->forecast, finish, o);
}

/* What is not served is learned from as well. */
static void on_served(void *ctx)
{
    struct once *o = ctx;

    if (o->served)
        return;
    o->served = true;
    forecast_start(o->forecast);
    comparison_start(o->comparison);
    comparison_served(o->comparison);
    comparison_settled(o->comparison, on_compared, o);
}

static void on_learned(void *ctx, struct view id, const void *digest)
{
    struct once *o = ctx;

    forecast_learned(o->forecast, id, digest);
}

static void on_learned_all(void *ctx)
{
    struct once *o = ctx;

    forecast_learned_all(o->forecast);
}

static void on_changed(void *ctx, const struct diff *d)
{
    struct once *o = ctx;

    if (!d)
        return;
    pipeline_changed(o->pipeline, d);
    meter_changed(o->meter, d);
    forecast_changed(o->forecast, d);
}

static void publish(struct once *o)
{
    pipeline_publish(o->pipeline, 0);
    pipeline_settled(o->pipeline, on_served, o);
}

/* What could still come is waited for; late samples of an encode that ended just now are
 * not. */
static bool is_waiting(const struct once *o)
{
    return o->upstream && (meter_looking(o->meter) || upstream_busy(o->upstream));
}

static void on_patience(uv_timer_t *t)
{
    struct once *o = t->data;

    meter_bring_up(o->meter); /* with what was answered just now */
    if (is_waiting(o) && uv_now(&o->loop) < o->until_ms)
        return;
    if (is_waiting(o))
        log_line(LOG_WARN, "upstream has not answered all in time", "printed",
                 "without what it left open", NULL);
    uv_timer_stop(t);
    publish(o);
}

static void on_settled(void *ctx, uint64_t seen_ns)
{
    struct once *o = ctx;

    (void)seen_ns;
    meter_bring_up(o->meter);
    if (is_waiting(o))
        uv_timer_start(&o->patience, on_patience, LOOK_MS, LOOK_MS);
    else if (!uv_is_active((uv_handle_t *)&o->patience))
        publish(o);
}

static void on_news(void *ctx)
{
    struct once *o = ctx;

    meter_news(o->meter);
}

static void on_measured(void *ctx)
{
    (void)ctx; /* the timer looks */
}

static int print_body(const struct body *b)
{
    for (size_t i = 0; i < b->chunk_count; i++)
        if (fwrite(b->chunks[i]->text, 1, b->chunks[i]->n, stdout) != b->chunks[i]->n)
            return -EIO;
    return 0;
}

static int print_bodies(const struct config *c, const struct pipeline *p)
{
    struct body *bodies[PIPELINE_BODIES_MAX];

    for (size_t i = 0, n = pipeline_bodies(p, c->once_module, bodies); i < n; i++)
        if (print_body(bodies[i]) < 0)
            return -EIO;
    return fflush(stdout) == 0 ? 0 : -EIO;
}

static int ask_upstream(struct once *o, const struct config *c, struct err *e)
{
    int rc = upstream_new(&o->loop, c, o->self, on_news, o, &o->upstream, e);

    uv_timer_init(&o->loop, &o->patience);
    o->patience.data = o;
    o->until_ms = uv_now(&o->loop) + c->upstream.timeout_ms;
    meter_measure_by(o->meter, NULL, o->upstream);
    return rc;
}

static void deinit(struct once *o)
{
    forecast_free(o->forecast);
    comparison_free(o->comparison);
    pipeline_free(o->pipeline);
    store_free(o->store);
    self_free(o->self);

    int busy = uv_loop_close(&o->loop);

    assert(busy == 0); /* a handle was not closed */
    (void)busy;
}

static int start_comparison(struct once *o, const struct config *c, struct err *e)
{
    const struct comparison_host host = { &o->loop, c, o->store, o->pipeline };

    return comparison_new(&host, &o->comparison, e);
}

static int start_forecast(struct once *o, const struct config *c, struct err *e)
{
    const struct forecast_host host = { &o->loop, c, o->store, o->pipeline, o->self };

    return forecast_new(&host, &o->forecast, e);
}

/* Scans until all that is to be printed is there. Takes the set. */
static int look(struct once *o, const struct config *c, struct module_set *set,
                struct err *e)
{
    /* Polled, so that no inotify instance is taken for a single look. */
    const struct source_results_options options = start_source_options(c, WATCH_POLL);
    const struct meter_sink measured = { o, on_changed, on_measured };
    int rc;

    o->store = store_new(&c->rules);
    o->self = self_new(version_text, version_revision);
    o->pipeline = pipeline_new(&o->loop, o->store, o->self, set, UINT64_MAX);
    o->meter = meter_new(&o->loop, c, o->store, &measured);
    rc = ask_upstream(o, c, e);
    if (rc == 0)
        rc = start_forecast(o, c, e);
    if (rc == 0)
        rc = start_comparison(o, c, e);

    const struct source_sink sink = { .ctx = o,
                                      .changed = on_changed,
                                      .settled = on_settled,
                                      .digest = forecast_digest(o->forecast),
                                      .learned = on_learned,
                                      .learned_all = on_learned_all };

    o->source = source_results_start(&o->loop, &options, o->store, o->self, &sink);
    if (rc < 0)
        finish(o);
    uv_run(&o->loop, UV_RUN_DEFAULT);
    return rc;
}

int once_print(const struct config *c)
{
    struct once o = { .done = false };
    struct module_set *set;
    struct err e = { 0 };
    int rc = 0;

    log_configure(c->log_level > LOG_WARN ? c->log_level : LOG_WARN, c->log_json);
    start_say_notices(c);
    if (module_set_new(c, true, &set, &e) < 0) {
        log_line(LOG_ERROR, "settings are wrong", "reason", e.text, NULL);
        return start_status(&e);
    }
    if (start_check_directory(c, &e) < 0 || loop_init(&o.loop, &e) < 0) {
        log_line(LOG_ERROR, "cannot scan", "reason", e.text, NULL);
        module_set_unref(set);
        return 1;
    }
    if (look(&o, c, set, &e) < 0) {
        log_line(LOG_ERROR, "settings are wrong", "reason", e.text, NULL);
        rc = start_status(&e);
    } else if (print_bodies(c, o.pipeline) < 0) {
        log_line(LOG_ERROR, "cannot write to stdout", "reason", strerror(errno), NULL);
        rc = 1;
    } else if (o.unreadable || store_newest(o.store).failed) {
        rc = 1;
    }
    deinit(&o);
    return rc;
}
