#include "server/site.h"

#include "core/mem.h"
#include "server/version.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

enum { RELOADS_AT_ONCE = 10 }; /* by clients; then one a second */

/* What VictoriaMetrics accepts of one target unless told otherwise. */
enum { LARGE_BYTES = 16 * 1024 * 1024 };

/* The process's own families come with the first endpoint that is on, and with all. */
static bool carries_self(const struct site_state *s, int endpoint)
{
    for (size_t i = 0; i < registry_count; i++)
        if (*s->c->listen[i])
            return (int)i == endpoint;
    return false;
}

static size_t bodies(void *ctx, int endpoint, struct body *out[REPLY_BODIES_MAX])
{
    const struct site_state *s = ctx;
    size_t n = pipeline_bodies(s->pipeline, endpoint, out);

    _Static_assert((int)REPLY_BODIES_MAX > (int)PIPELINE_BODIES_MAX,
                   "room for the process's own");
    if (n > 0 && (endpoint < 0 || carries_self(s, endpoint)))
        out[n++] = self_body(s->self, uv_hrtime() / 1000000);
    return n;
}

static bool ready(void *ctx)
{
    const struct site_state *s = ctx;

    return s->ready;
}

static int reload(void *ctx, struct err *e)
{
    struct site_state *s = ctx;

    if (!rate_allow(&s->reloads, uv_hrtime()))
        return err_set(e, -EBUSY, "reloaded too often: one a second");
    return s->reload(s->reload_ctx, e);
}

static bool loaded(void *ctx)
{
    const struct site_state *s = ctx;

    return forecast_loaded(s->forecast);
}

static int refit(void *ctx, struct err *e)
{
    struct site_state *s = ctx;
    int rc;

    if (!rate_allow(&s->reloads, uv_hrtime()))
        return err_set(e, -EBUSY, "reloaded too often: one a second");
    rc = forecast_read(s->forecast, e);
    if (rc < 0) {
        log_line(LOG_ERROR, "settings not reloaded", "reason", e->text, "served",
                 "with the old ones", NULL);
        return rc;
    }
    forecast_take(s->forecast);
    forecast_refit(s->forecast);
    return 0;
}

static struct intake *intake(void *ctx, const struct intake_request *rq,
                             struct reply *refusal)
{
    struct site_state *s = ctx;

    return live_intake(s->live, rq, refusal);
}

static double now_s(void *ctx)
{
    struct timeval now;

    (void)ctx;
    gettimeofday(&now, NULL);
    return (double)now.tv_sec;
}

/* One scrape of everything counts for all endpoints that can be scraped alone. */
static void scraped(void *ctx, int endpoint, const struct scraper_peer *peer,
                    uint64_t began_ns)
{
    struct site_state *s = ctx;
    uint64_t now_ns = uv_hrtime();

    for (size_t i = 0; i < registry_count; i++)
        if (endpoint == (int)i || (endpoint < 0 && *s->c->listen[i]))
            scrapers_note(&s->book, (int)i, peer, began_ns, now_ns);
    for (size_t i = 0; i < registry_count; i++)
        if (endpoint == (int)i || endpoint < 0)
            pipeline_scraped(s->pipeline, i);
    if (s->scraped)
        s->scraped(s->scraped_ctx);
}

static void list_stale(const struct site_state *s, struct self_snapshot *out)
{
    struct view ids[SELF_STALE_MAX];
    size_t n = s->source ? store_stale(s->store, ids, SELF_STALE_MAX) : 0;

    for (size_t i = 0; i < n; i++) {
        enum fault reason = source_results_fault(s->source, ids[i]);

        if (reason == FAULT_COUNT)
            continue; /* its file is not known any more */
        out->stale[out->stale_count].run_id = ids[i];
        out->stale[out->stale_count++].reason = reason;
    }
}

static void add_response(const struct site_state *s, int endpoint, const char *name,
                         struct self_snapshot *out)
{
    uint64_t bytes = pipeline_bytes(s->pipeline, endpoint);

    if (bytes == 0)
        return; /* nothing is served yet */
    out->responses[out->response_count].endpoint = name;
    out->responses[out->response_count++].bytes = bytes;
}

static void snapshot(void *ctx, struct self_snapshot *out)
{
    const struct site_state *s = ctx;

    out->files = store_count(s->store);
    out->ignored_files = s->source ? source_results_ignored(s->source) : 0;
    list_stale(s, out);
    out->scenarios_repeated = pipeline_repeated(s->pipeline);
    for (int i = 0; i < HTTP_LIMIT_COUNT; i++)
        out->refused[i] = s->http ? http_server_met(s->http, (enum http_limit)i) : 0;
    doors_count(s->doors, &out->web);
    for (size_t i = 0; i < registry_count; i++)
        if (*s->c->listen[i])
            add_response(s, (int)i, registry[i]->name, out);
    if (*s->c->predict.listen)
        add_response(s, PIPELINE_ALONE, SITE_PREDICTIONS, out);
}

/* A number on its way into a log line. */
struct digits {
    char text[24];
};

static const char *digits(uint64_t n, struct digits *d)
{
    snprintf(d->text, sizeof d->text, "%" PRIu64, n);
    return d->text;
}

/* An answer that a default VictoriaMetrics would refuse is worth a line, once. */
static void tell_size(struct site_state *s, size_t module)
{
    uint64_t n = pipeline_bytes(s->pipeline, (int)module);
    struct digits bytes;

    if (n <= LARGE_BYTES || s->told_size[module])
        return;
    s->told_size[module] = true;
    log_line(LOG_WARN, "answer is larger than VictoriaMetrics accepts by default",
             "endpoint", registry[module]->name, "bytes", digits(n, &bytes), "remedy",
             "-promscrape.maxScrapeSize=256MB there, or serve fewer runs (--runs)",
             NULL);
}

static void tell_dropped(struct site_state *s)
{
    uint64_t dropped = store_count(s->store).scenarios_dropped;
    struct digits left_out, limit;

    if (dropped && !s->told_dropped)
        log_line(LOG_WARN, "oldest runs are left out", "scenarios",
                 digits(dropped, &left_out), "max_scenarios",
                 digits(s->c->max_scenarios, &limit), "remedy",
                 "raise --max-scenarios, or serve fewer runs (--runs)", NULL);
    s->told_dropped = dropped > 0;
}

static void on_commit(void *ctx)
{
    struct site_state *s = ctx;

    scrapers_changed(&s->book, uv_hrtime());
    for (size_t i = 0; i < registry_count; i++)
        tell_size(s, i);
    tell_dropped(s);
}

/* ---- the page ------------------------------------------------------------------------ */

static void fill_about(const struct site_state *s, struct about *about)
{
    const struct module_set *set = pipeline_set(s->pipeline);

    for (size_t m = 0; m < registry_count; m++) {
        if (!set->config[m] || !registry[m]->about)
            continue;
        about_section(about, registry[m]->title);
        registry[m]->about(set->config[m], about);
    }
    forecast_about(s->forecast, about);
    live_about(s->live, about);
}

static void fill_endpoints(const struct site_state *s, int endpoint,
                           struct page_data *d)
{
    for (size_t i = 0; i < http_server_listeners(s->http); i++) {
        int module = registry_find(view_of(http_server_name(s->http, i)));

        if (module == endpoint || (module < 0 && endpoint == PIPELINE_ALONE))
            d->here = d->endpoint_count;
        d->endpoints[d->endpoint_count++] =
            (struct page_endpoint){ module < 0 ? "Predictions"
                                               : registry[module]->title,
                                    http_server_address(s->http, i) };
    }
}

void site_facts(void *ctx, int endpoint, struct page_data *d, struct about *about)
{
    const struct site_state *s = ctx;
    const struct store_counts files = store_count(s->store);
    const struct newest newest = store_newest(s->store);
    struct timeval now;

    gettimeofday(&now, NULL);
    d->now_s = (double)now.tv_sec + (double)now.tv_usec / 1e6;
    d->version = version_text;
    d->revision = version_revision;
    d->ready = s->ready;
    fill_endpoints(s, endpoint, d);
    d->ingest = s->live ? s->c->live.ingest_text : NULL;
    d->results_dir = s->c->results_dir;
    d->watch = source_results_polling(s->source) ? "poll" : "inotify";
    d->files_served = files.served;
    d->files_other = files.other;
    d->files_failed = files.failed;
    d->files_ignored = source_results_ignored(s->source);
    d->newest = newest.id;
    d->newest_changed_s = newest.id.n ? (double)newest.mtime_ns / 1e9 : (double)NAN;
    d->newest_ok = !newest.failed;
    d->newest_error =
        newest.failed ? source_results_problem(s->source, newest.id) : NULL;
    if (about)
        fill_about(s, about);
}

static void page(void *ctx, int endpoint, const struct request *rq, struct reply *out)
{
    struct site_state *s = ctx;

    page_answer(s->page, endpoint, rq, out);
}

void site_init(struct site_state *s, const struct config *c, struct store *store,
               struct pipeline *pipeline, struct self *self,
               int (*on_reload)(void *ctx, struct err *e), void *reload_ctx)
{
    *s = (struct site_state){ .c = c,
                              .store = store,
                              .pipeline = pipeline,
                              .self = self,
                              .reload = on_reload,
                              .reload_ctx = reload_ctx };
    /* Generations of bodies begin anew with each process; the clock is for a system
     * without random numbers. */
    if (uv_random(NULL, NULL, &s->seed, sizeof s->seed, 0, NULL) != 0)
        s->seed = uv_hrtime() ^ (uint64_t)uv_os_getpid() << 32;
    rate_init(&s->reloads, 1000000000, RELOADS_AT_ONCE, uv_hrtime());
    self_source(self, snapshot, s);
    pipeline_on_commit(pipeline, on_commit, s);
}

void site_deinit(struct site_state *s)
{
    scrapers_deinit(&s->book);
}

struct site site_of(struct site_state *s)
{
    return (struct site){ .ctx = s,
                          .bodies = bodies,
                          .ready = ready,
                          .reload = reload,
                          .page = page,
                          .predictions = PIPELINE_ALONE,
                          .loaded = *s->c->predict.listen ? loaded : NULL,
                          .refit = refit,
                          .now_s = now_s,
                          .seed = s->seed,
                          .allowed_hosts = s->c->allowed_hosts,
                          .scraped = scraped,
                          .intake_endpoint = registry_find(VIEW("results")),
                          .intake = s->c->live.on ? intake : NULL };
}
