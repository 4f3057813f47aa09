/*
 * app.c - build up, tear down.
 *
 * Up: settings, loop, store, HTTP bound, source, HTTP open. Down: the last values are
 * found and scraped (linger.h), HTTP stops (answers under way finish), then source, file
 * watches and signals close, the loop runs dry, and what is left is freed in reverse
 * order. Every way out takes this road, but for the first part where the start failed.
 */
#include "server/app.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "server/app_inner.h"

/* ---- what runs into the pipeline ------------------------------------------------------- */

static void on_changed(void *ctx, const struct diff *d)
{
    struct app *a = ctx;

    if (!d)
        return;
    pipeline_changed(a->pipeline, d);
    meter_changed(a->meter, d);
    forecast_changed(a->forecast, d);
}

/* Encodes that are watched are no runs to learn from. */
static void on_live_changed(void *ctx, const struct diff *d)
{
    struct app *a = ctx;

    pipeline_changed(a->pipeline, d);
    meter_changed(a->meter, d);
}

static void on_live_settled(void *ctx)
{
    struct app *a = ctx;

    meter_bring_up(a->meter);
    pipeline_publish(a->pipeline, 0);
    computation_served(a->computation);
}

static void on_live_last(void *ctx)
{
    struct app *a = ctx;

    scrapers_changed(&a->site.book, uv_hrtime());
}

static struct body *on_live_body(void *ctx, size_t module)
{
    struct app *a = ctx;

    return live_body(a->live, module);
}

static bool on_named(void *ctx, struct view name, uint32_t mask)
{
    struct app *a = ctx;

    return live_named(a->live, name, mask);
}

static const struct run *on_read(void *ctx, const struct run *run)
{
    struct app *a = ctx;

    return meter_fill(a->meter, run);
}

static void on_news(void *ctx)
{
    struct app *a = ctx;

    meter_news(a->meter);
}

static void on_measured(void *ctx)
{
    struct app *a = ctx;

    pipeline_publish(a->pipeline, 0);
    comparison_served(a->comparison);
}

static void on_learned(void *ctx, struct view id, const void *digest)
{
    struct app *a = ctx;

    forecast_learned(a->forecast, id, digest);
}

static void on_learned_all(void *ctx)
{
    struct app *a = ctx;

    forecast_learned_all(a->forecast);
}

static void on_served(void *ctx)
{
    struct app *a = ctx;
    struct err e = { 0 };

    if (a->last_scan) {
        a->last_scan = false;
        push_last(a->push, a->c->linger_ms, NULL, NULL);
        linger_scanned(&a->linger);
    }
    if (a->site.ready || a->stopping)
        return;
    a->site.ready = true;
    if (http_server_start(a->http, &e) < 0)
        log_line(LOG_ERROR, "endpoint stays closed", "reason", e.text, NULL);
    log_line(LOG_INFO, "ready", NULL);
    notify("READY=1");
    forecast_start(a->forecast);
}

/* What is compared belongs to what is served: the first answer has it. */
static void on_rendered(void *ctx)
{
    struct app *a = ctx;

    comparison_start(a->comparison);
    comparison_settled(a->comparison, on_served, a);
}

static void on_settled(void *ctx, uint64_t seen_ns)
{
    struct app *a = ctx;

    live_served(a->live);
    meter_bring_up(a->meter);
    pipeline_publish(a->pipeline, seen_ns);
    forecast_served(a->forecast);
    comparison_served(a->comparison);
    computation_served(a->computation);
    if (!a->site.ready && !a->stopping)
        pipeline_settled(a->pipeline, on_rendered, a);
}

/* ---- stopping ------------------------------------------------------------------------- */

/* Nothing is answered any more. What was not started yet is passed over. */
static void on_http_done(void *ctx)
{
    struct app *a = ctx;

    for (size_t i = 0; i < a->signal_count; i++) {
        int number = a->signals[i].signum;

        uv_close((uv_handle_t *)&a->signals[i], NULL);
        signal(number, SIG_IGN); /* one more must not end it in the middle of the end */
    }
    for (size_t i = 0; i < a->file_count; i++)
        filewatch_stop(a->files[i]);
    doors_stop(a->doors);
    forecast_stop(a->forecast);
    comparison_stop(a->comparison);
    page_stop(a->page);
    computation_stop(a->computation);
    live_stop(a->live);
    carbon_stop(a->carbon);
    source_results_stop(a->source);
    meter_stop(a->meter);
    sampler_stop(a->sampler);
    upstream_stop(a->upstream);
    pipeline_stop(a->pipeline);
    linger_dry(&a->linger);
}

/* Clients that come from now on are refused. */
static void stop_serving(struct app *a, unsigned patience_ms)
{
    linger_cut(&a->linger);
    push_stop(a->push);
    a->push = NULL;
    if (a->http)
        http_server_stop(a->http, patience_ms, on_http_done, a);
    else
        on_http_done(a); /* the start failed before there was one */
}

static void on_all_measured(void *ctx)
{
    struct app *a = ctx;

    a->last_scan = true;
    pipeline_settled(a->pipeline, on_rendered, a);
}

/* What was measured of the last encode is waited for where somebody will get it. */
static void on_scanned(void *ctx)
{
    struct app *a = ctx;
    uint64_t patience_ms = a->c->linger_ms / 2;

    live_last(a->live);
    if (patience_ms == 0 && a->push)
        patience_ms = OWED_MS;
    meter_settle(a->meter, patience_ms, on_all_measured, a);
}

static void scan(void *ctx)
{
    struct app *a = ctx;

    source_results_rescan(a->source, on_scanned, a);
}

static void on_pushed(void *ctx)
{
    stop_serving(ctx, STOP_MS);
}

/* What changed since the last values were first sent is sent again. */
static void on_lingered(void *ctx)
{
    struct app *a = ctx;

    if (!push_last(a->push, a->c->linger_ms, on_pushed, a))
        stop_serving(a, STOP_MS);
}

static void on_scraped(void *ctx)
{
    struct app *a = ctx;

    linger_scraped(&a->linger);
}

static void app_stop(struct app *a)
{
    const struct linger_options options = { a->c->linger_ms, &a->site.book, a, scan,
                                            on_lingered };
    uint64_t linger_ms = options.linger_ms ? options.linger_ms
                         : a->push         ? PUSH_LAST_MS
                                           : 0;

    a->stopping = true;
    a->site.ready = false;
    meter_freeze(a->meter);
    forecast_freeze(a->forecast);
    notify_stopping(linger_ms ? linger_ms + LINGER_SCAN_MS + STOP_MS + LINGER_DRY_MS
                              : 0);
    linger_start(&a->linger, &options);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct app *a = handle->data;
    struct err e = { 0 };

    if (number == SIGHUP) {
        if (a->stopping)
            return;
        notify_reloading();
        app_reload(a, &e);
        notify("READY=1");
        return;
    }
    log_line(LOG_INFO, "stopping", "signal", number == SIGTERM ? "SIGTERM" : "SIGINT",
             NULL);
    if (a->stopping)
        stop_serving(a, 0); /* a second signal ends it at once */
    else
        app_stop(a);
}

static void watch_signals(struct app *a)
{
    static const int numbers[SIGNALS] = { SIGTERM, SIGINT, SIGHUP };

    for (size_t i = 0; i < SIGNALS; i++) {
        uv_signal_init(&a->loop, &a->signals[i]);
        a->signals[i].data = a;
        uv_signal_start(&a->signals[i], on_signal, numbers[i]);
        a->signal_count++;
    }
}

/* ---- starting ------------------------------------------------------------------------- */

/* Sockets that were given take the place of listen addresses. */
static int open_listeners(struct app *a, struct err *e)
{
    const struct sockets *given = &a->sockets;
    int rc = 0;

    for (size_t i = 0; i < given->count && rc == 0; i++)
        rc = http_server_take(a->http, given->all[i].endpoint,
                              registry[given->all[i].endpoint]->name, given->all[i].fd,
                              e);
    for (size_t i = 0; i < registry_count && rc == 0; i++)
        if (*a->c->listen[i] && !sockets_given(given, (int)i))
            rc = http_server_listen(a->http, (int)i, registry[i]->name,
                                    view_of(a->c->listen[i]), e);
    if (*a->c->predict.listen && rc == 0)
        rc = http_server_listen(a->http, PIPELINE_ALONE, SITE_PREDICTIONS,
                                view_of(a->c->predict.listen), e);
    return rc;
}

static int open_http(struct app *a, struct err *e)
{
    struct http_limits limits;
    const struct site site = site_of(&a->site);

    http_limits_init(&limits);
    limits.max_connections = descriptors_for(a->c->max_connections);
    limits.max_per_peer = a->c->max_per_peer;
    limits.read_timeout_ms = (unsigned)a->c->read_timeout_ms;
    limits.idle_timeout_ms = (unsigned)a->c->idle_timeout_ms;
    limits.write_timeout_ms = (unsigned)a->c->write_timeout_ms;
    limits.slow_bytes = a->c->slow_bytes;
    a->http = http_server_new(&a->loop, &site, a->self, &limits);
    a->site.http = a->http;
    doors_guard(a->doors, a->http);
    return open_listeners(a, e);
}

static void say_listening(const struct app *a)
{
    for (size_t i = 0; i < http_server_listeners(a->http); i++)
        log_line(LOG_INFO, "listening", "endpoint", http_server_name(a->http, i),
                 "address", http_server_address(a->http, i), NULL);
}

static int start_forecast(struct app *a, struct err *e)
{
    const struct forecast_host host = { &a->loop, a->c, a->store, a->pipeline,
                                        a->self };
    int rc = forecast_new(&host, &a->forecast, e);

    a->site.forecast = a->forecast;
    return rc;
}

static int start_comparison(struct app *a, struct err *e)
{
    const struct comparison_host host = { &a->loop, a->c, a->store, a->pipeline };

    return comparison_new(&host, &a->comparison, e);
}

static int start_live(struct app *a, struct err *e)
{
    const struct live_host host = {
        &a->loop,        a->c,         a->store, a->meter, a->self, a, on_live_changed,
        on_live_settled, on_live_last,
    };
    int rc = live_new(&host, &a->live, e);

    a->site.live = a->live;
    if (a->live)
        pipeline_beside(a->pipeline, on_live_body, a);
    return rc;
}

static int start_page(struct app *a, struct err *e)
{
    const struct page_host host = { &a->loop, a->c,     a->store,  a->pipeline,
                                    a->live,  &a->site, site_facts };
    int rc = page_new(&host, &a->page, e);

    a->site.page = a->page;
    return rc;
}

static int start_computation(struct app *a, struct err *e)
{
    const struct computation_host host = { &a->loop, a->c, a->store, a->live, a->self };

    return computation_new(&host, &a->computation, e);
}

static void start_source(struct app *a, const struct source_results_options *o)
{
    const struct source_sink sink = {
        .ctx = a,
        .fill = on_read,
        .changed = on_changed,
        .settled = on_settled,
        .named = on_named,
        .digest = forecast_digest(a->forecast),
        .learned = on_learned,
        .learned_all = on_learned_all,
    };

    a->source = source_results_start(&a->loop, o, a->store, a->self, &sink);
    a->site.source = a->source;
}

static int app_start(struct app *a, struct err *e)
{
    const struct config *c = a->c;
    const struct source_results_options options = start_source_options(c, c->watch);
    int rc = start_check_directory(c, e);

    if (rc == 0)
        rc = doors_new(&a->loop, c, &a->doors, e);
    a->site.doors = a->doors;
    rc = rc < 0 ? rc : open_http(a, e);
    if (rc == 0)
        rc = sampler_new(&a->loop, c, a->self, on_news, a, &a->sampler, e);
    if (rc == 0)
        rc = upstream_new(&a->loop, c, a->self, on_news, a, &a->upstream, e);
    meter_measure_by(a->meter, a->sampler, a->upstream);
    rc = rc < 0 ? rc : push_new(&a->loop, c, a->pipeline, a->self, &a->push, e);
    rc =
        rc < 0 ? rc : carbon_new(&a->loop, c, a->self, app_on_carbon, a, &a->carbon, e);
    rc = rc < 0 ? rc : start_forecast(a, e);
    rc = rc < 0 ? rc : start_comparison(a, e);
    rc = rc < 0 ? rc : start_live(a, e);
    rc = rc < 0 ? rc : start_page(a, e);
    rc = rc < 0 ? rc : start_computation(a, e);
    if (rc < 0)
        return rc;
    watch_signals(a);
    module_set_files(c, app_watch_file, a);
    if (a->forecast && c->predict.configs.path)
        app_watch_file(a, c->predict.configs.path);
    if (a->file_count > 0)
        app_read_again(a);
    doors_watch(a->doors);
    start_source(a, &options);
    rc = http_server_start(a->http, e);
    if (rc == 0)
        say_listening(a);
    return rc;
}

/* Takes the set. On failure there is nothing to tear down. */
static int app_init(struct app *a, const struct config *c, struct module_set *set,
                    struct err *e)
{
    *a = (struct app){ .c = c };

    int rc = loop_init(&a->loop, e);

    if (rc < 0) {
        module_set_unref(set);
        return rc;
    }
    a->store = store_new(&c->rules);
    a->self = self_new(version_text, version_revision);
    a->pipeline = pipeline_new(&a->loop, a->store, a->self, set, c->text_cache);

    const struct meter_sink sink = { a, on_changed, on_measured };

    a->meter = meter_new(&a->loop, c, a->store, &sink);
    site_init(&a->site, c, a->store, a->pipeline, a->self, app_reload, a);
    a->site.scraped = on_scraped;
    a->site.scraped_ctx = a;
    linger_init(&a->linger, &a->loop);
    return 0;
}

static void app_deinit(struct app *a)
{
    uv_run(&a->loop, UV_RUN_DEFAULT); /* close callbacks, work on the pool */
    linger_deinit(&a->linger);
    uv_run(&a->loop, UV_RUN_DEFAULT); /* its close callback */
    http_server_free(a->http);
    doors_free(a->doors);
    site_deinit(&a->site);
    forecast_free(a->forecast);
    comparison_free(a->comparison);
    page_free(a->page);
    computation_free(a->computation);
    live_free(a->live);
    pipeline_free(a->pipeline);
    store_free(a->store);
    self_free(a->self);

    int rc = uv_loop_close(&a->loop);

    assert(rc == 0); /* a handle was not closed */
    (void)rc;
}

int app_serve(const struct config *c)
{
    struct sockets sockets;
    struct module_set *set;
    struct err e = { 0 };
    struct app a;
    int rc;

    log_configure(c->log_level, c->log_json);
    signal(SIGPIPE, SIG_IGN);
    /* Before anything else is opened: a descriptor that was promised and is not there must
     * not turn out to be one of ours. */
    if (sockets_take(c->listen, &sockets, &e) < 0) {
        log_line(LOG_ERROR, "cannot start", "reason", e.text, NULL);
        return 1;
    }
    if (module_set_new(c, true, &set, &e) < 0) {
        log_line(LOG_ERROR, "settings are wrong", "reason", e.text, NULL);
        return start_status(&e);
    }
    start_say_notices(c);
    if (app_init(&a, c, set, &e) < 0) {
        log_line(LOG_ERROR, "cannot start", "reason", e.text, NULL);
        return 1;
    }
    a.sockets = sockets;
    rc = app_start(&a, &e);
    if (rc < 0) {
        log_line(LOG_ERROR, "cannot start", "reason", e.text, NULL);
        a.stopping = true;
        notify_stopping(0);
        stop_serving(&a, 0);
    }
    app_deinit(&a);
    return rc < 0 ? 1 : 0;
}

int app_check(const struct config *c, struct err *e)
{
    struct module_set *set;

    log_configure(LOG_WARN, c->log_json);
    start_say_notices(c);
    if (module_set_new(c, true, &set, e) < 0)
        return start_status(e);
    module_set_unref(set);
    if (upstream_check(c, e) < 0 || push_check(c, e) < 0 || carbon_check(c, e) < 0 ||
        forecast_check(c, e) < 0 || live_check(c, e) < 0 || computation_check(c, e) < 0)
        return start_status(e);
    return doors_check(c, e) < 0 ? 1 : 0;
}
