/*
 * self.c - the process's own families.
 *
 * Counters are plain numbers until somebody asks. Everything is written out in one
 * table order; a family of which nothing is known is left out as a whole.
 */
#include "server/self.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "core/decimal.h"
#include "core/mem.h"
#include "core/render.h"
#include "server/procfs.h"
#include "server/version.h"

enum { RENDER_MS = 1000, PARTS_MAX = 8 };

enum {
    CPU,
    RESIDENT,
    VIRTUAL,
    OPEN_FDS,
    MAX_FDS,
    START_TIME,
    BUILD_INFO,
    FILES,
    FILE_ERRORS,
    RUN_STALE,
    REPEATED,
    DROPPED,
    RESPONSE_BYTES,
    EVENTS,
    EVENT_VISIBLE,
    LAST_CHANGE,
    WATCH_INFO,
    REQUESTS,
    REFUSED,
    CONNECTIONS,
    REQUEST_SECONDS,
    WEB_GOOD,
    WEB_GOOD_TIME,
    LOGINS,
    PASSWORD_CHECKS,
    FAMILIES,
};

static const struct family families[FAMILIES] = {
    [CPU] = { "process_cpu_seconds_total",
              "User and system CPU time this process has used, in seconds.", COUNTER },
    [RESIDENT] = { "process_resident_memory_bytes",
                   "Memory of this process that is in RAM, in bytes.", GAUGE },
    [VIRTUAL] = { "process_virtual_memory_bytes",
                  "Address space of this process, in bytes.", GAUGE },
    [OPEN_FDS] = { "process_open_fds", "File descriptors this process has open.",
                   GAUGE },
    [MAX_FDS] = { "process_max_fds",
                  "File descriptors this process may have open (soft limit).", GAUGE },
    [START_TIME] = { "process_start_time_seconds",
                     "When this process was started, Unix time in seconds.", GAUGE },
    [BUILD_INFO] = { "encode_exporter_build_info",
                     "Always 1; labels tell version, source revision and compiler.",
                     GAUGE },
    [FILES] = { "encode_exporter_files",
                "Files known in the results directory by state: served; other (runs "
                "that --runs or --series.ttl leaves out); ignored (not results); "
                "failed (last read failed).",
                GAUGE },
    [FILE_ERRORS] = { "encode_exporter_file_errors_total",
                      "Faults found in input files, by reason.", COUNTER },
    [RUN_STALE] = { "encode_exporter_run_stale",
                    "1 for each run of which older values are served than its file "
                    "holds, because that cannot be read, by run and reason; the newest "
                    "64 of them.",
                    GAUGE },
    [REPEATED] = { "encode_exporter_scenarios_repeated",
                   "Scenarios that have the identity of an earlier one of their run "
                   "and "
                   "therefore carry a repeat label.",
                   GAUGE },
    [DROPPED] = { "encode_exporter_scenarios_dropped",
                  "Scenarios of runs that --max-scenarios leaves out.", GAUGE },
    [RESPONSE_BYTES] = { "encode_exporter_response_bytes",
                         "Size of the uncompressed text answer of an endpoint, without "
                         "the process's own families, in bytes.",
                         GAUGE },
    [EVENTS] = { "encode_exporter_events_total",
                 "File events handled, by kind: changed, removed, overflow (the "
                 "kernel's "
                 "queue was full), rescan (the whole directory was read again).",
                 COUNTER },
    [EVENT_VISIBLE] = { "encode_exporter_event_visible_seconds",
                        "Time from reading a file event to the new values being "
                        "served, "
                        "in seconds.",
                        HISTOGRAM },
    [LAST_CHANGE] = { "encode_exporter_last_change_timestamp_seconds",
                      "When served values last changed, Unix time in seconds.", GAUGE },
    [WATCH_INFO] = { "encode_exporter_watch_info",
                     "Always 1; label mode tells how file changes are noticed: inotify "
                     "or poll.",
                     GAUGE },
    [REQUESTS] = { "encode_exporter_http_requests_total",
                   "HTTP answers sent, by endpoint and status code.", COUNTER },
    [REFUSED] = { "encode_exporter_http_refused_total",
                  "Requests refused and connections ended by a limit, by reason.",
                  COUNTER },
    [CONNECTIONS] = { "encode_exporter_http_connections", "HTTP connections open now.",
                      GAUGE },
    [REQUEST_SECONDS] = { "encode_exporter_http_request_seconds",
                          "Time from a complete request to the last byte of its answer "
                          "being handed to the kernel, in seconds.",
                          HISTOGRAM },
    [WEB_GOOD] = { "encode_exporter_web_config_last_reload_successful",
                   "1 if the last reading of --web.config.file was good, 0 if an older "
                   "one is in force.",
                   GAUGE },
    [WEB_GOOD_TIME] = { "encode_exporter_web_config_last_reload_success_timestamp_"
                        "seconds",
                        "When --web.config.file was last read well, Unix time in "
                        "seconds.",
                        GAUGE },
    [LOGINS] = { "encode_exporter_logins_total",
                 "Requests by what became of them at the door: right, wrong, missing "
                 "(no password, or none that can be read), busy (too many checks "
                 "waited), limited (beyond rate_limit).",
                 COUNTER },
    [PASSWORD_CHECKS] = { "encode_exporter_password_checks_total",
                          "Passwords checked with bcrypt; those that are remembered "
                          "need no check.",
                          COUNTER },
};

enum { BOUNDS_MAX = 16 };

struct histogram {
    double bounds[BOUNDS_MAX];       /* upper, ascending; 0 ends */
    uint64_t counts[BOUNDS_MAX + 1]; /* each its own; the last is +Inf */
    double sum;
};

/* Answers of one endpoint with one status. */
struct answers {
    const char *endpoint;
    int status;
    uint64_t count;
};

struct self {
    struct self_part parts[PARTS_MAX];
    size_t part_count;
    const char *version, *revision;
    uint64_t faults[FAULT_COUNT];
    uint64_t events[EVENT_COUNT];
    struct histogram visible, request;
    double changed_unix_s;
    bool polling;
    int64_t connections;
    struct answers *answers; /* endpoints as they came, statuses ascending */
    size_t answer_count;

    self_snapshot_fn *source;
    void *source_ctx;

    struct series series; /* kept for its memory */
    struct buf text;
    struct body *body;
    uint64_t rendered_ms;
};

/* ---- counting ------------------------------------------------------------------- */

static void observe(struct histogram *h, double v)
{
    size_t i = 0;

    while (i < BOUNDS_MAX && h->bounds[i] > 0 && v > h->bounds[i])
        i++;
    if (i < BOUNDS_MAX && h->bounds[i] == 0)
        i = BOUNDS_MAX;
    h->counts[i]++;
    h->sum += v;
}

struct self *self_new(const char *version, const char *revision)
{
    struct self *s = mem_zalloc(sizeof(*s));

    s->version = version;
    s->revision = revision;
    s->changed_unix_s = NAN;
    s->visible = (struct histogram){ .bounds = { 0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                                 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                 0.5, 1, 2.5, 5, 10 } };
    s->request = (struct histogram){ .bounds = { 0.00005, 0.0001, 0.00025, 0.0005,
                                                 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                 0.05, 0.1, 0.5, 1, 2.5, 10 } };
    return s;
}

void self_free(struct self *s)
{
    if (!s)
        return;
    body_unref(s->body);
    series_deinit(&s->series);
    buf_deinit(&s->text);
    free(s->answers);
    free(s);
}

void self_fault(struct self *s, enum fault f, uint64_t count)
{
    s->faults[f] += count;
}

void self_event(struct self *s, enum event_kind k)
{
    s->events[k]++;
}

void self_visible(struct self *s, double seconds)
{
    observe(&s->visible, seconds);
}

void self_changed(struct self *s, double unix_s)
{
    s->changed_unix_s = unix_s;
}

void self_watch_mode(struct self *s, bool polling)
{
    s->polling = polling;
}

void self_connections(struct self *s, int delta)
{
    s->connections += delta;
}

void self_source(struct self *s, self_snapshot_fn *fn, void *ctx)
{
    s->source = fn;
    s->source_ctx = ctx;
}

static bool same_endpoint(const char *a, const char *b)
{
    return a == b || strcmp(a, b) == 0;
}

/* The counter of these answers, made where it belongs when it is new. */
static struct answers *answers_of(struct self *s, const char *endpoint, int status)
{
    size_t at = s->answer_count;

    for (size_t i = 0; i < s->answer_count; i++) {
        struct answers *a = &s->answers[i];

        if (!same_endpoint(a->endpoint, endpoint))
            continue;
        if (a->status == status)
            return a;
        if (a->status > status) {
            at = i;
            break;
        }
        at = i + 1;
    }
    s->answers = mem_resize(s->answers, s->answer_count + 1, sizeof(*s->answers));
    memmove(&s->answers[at + 1], &s->answers[at],
            (s->answer_count - at) * sizeof(*s->answers));
    s->answer_count++;
    s->answers[at] = (struct answers){ endpoint, status, 0 };
    return &s->answers[at];
}

void self_endpoint(struct self *s, const char *name)
{
    answers_of(s, name, 200); /* so that its first request is seen as a step */
}

void self_request(struct self *s, const char *endpoint, int status, double seconds)
{
    answers_of(s, endpoint, status)->count++;
    if (!isnan(seconds))
        observe(&s->request, seconds);
}

/* ---- telling -------------------------------------------------------------------- */

static const struct labels none;

static struct labels one_label(struct series *out, const char *name, const char *value)
{
    struct labels l = labels_open(out);

    labels_add(out, &l, name, view_of(value));
    return l;
}

static void add_histogram(struct series *out, uint16_t family,
                          const struct histogram *h)
{
    uint64_t count = 0;

    for (size_t i = 0; i < BOUNDS_MAX && h->bounds[i] > 0; i++) {
        char le[DECIMAL_MAX];
        struct labels l = labels_open(out);

        count += h->counts[i];
        labels_add(out, &l, "le",
                   (struct view){ le, decimal_canonical(le, h->bounds[i]) });
        series_add_suffix(out, family, SUFFIX_BUCKET, l, (double)count);
    }
    count += h->counts[BOUNDS_MAX];
    series_add_suffix(out, family, SUFFIX_BUCKET, one_label(out, "le", "+Inf"),
                      (double)count);
    series_add_suffix(out, family, SUFFIX_SUM, none, h->sum);
    series_add_suffix(out, family, SUFFIX_COUNT, none, (double)count);
}

static void add_process(struct series *out)
{
    struct procfs p;

    procfs_read(&p);
    series_add(out, CPU, none, p.cpu_s);
    series_add(out, RESIDENT, none, p.resident_bytes);
    series_add(out, VIRTUAL, none, p.virtual_bytes);
    series_add(out, OPEN_FDS, none, p.open_fds);
    series_add(out, MAX_FDS, none, p.max_fds);
    series_add(out, START_TIME, none, p.start_unix_s);
}

static const char *const reasons[FAULT_COUNT] = {
    [FAULT_UNREADABLE] = "unreadable",       [FAULT_TOO_LARGE] = "too_large",
    [FAULT_INVALID_JSON] = "invalid_json",   [FAULT_WRONG_SHAPE] = "wrong_shape",
    [FAULT_INVALID_VALUE] = "invalid_value",
};

static void add_stale(const struct self_snapshot *now, struct series *out)
{
    for (size_t i = 0; i < now->stale_count; i++) {
        struct labels l = labels_open(out);

        labels_add(out, &l, "run_id", now->stale[i].run_id);
        labels_add(out, &l, "reason", view_of(reasons[now->stale[i].reason]));
        series_add(out, RUN_STALE, l, 1);
    }
}

static void add_input(const struct self *s, const struct self_snapshot *now,
                      struct series *out)
{
    static const char *const kinds[EVENT_COUNT] = {
        [EVENT_CHANGED] = "changed",
        [EVENT_REMOVED] = "removed",
        [EVENT_OVERFLOW] = "overflow",
        [EVENT_RESCAN] = "rescan",
    };
    const struct {
        const char *state;
        uint64_t count;
    } files[] = {
        { "served", now->files.served },
        { "other", now->files.other },
        { "ignored", now->ignored_files },
        { "failed", now->files.failed },
    };

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        series_add(out, FILES, one_label(out, "state", files[i].state),
                   (double)files[i].count);
    for (size_t i = 0; i < FAULT_COUNT; i++)
        series_add(out, FILE_ERRORS, one_label(out, "reason", reasons[i]),
                   (double)s->faults[i]);
    add_stale(now, out);
    series_add(out, REPEATED, none, (double)now->scenarios_repeated);
    series_add(out, DROPPED, none, (double)now->files.scenarios_dropped);
    for (size_t i = 0; i < now->response_count; i++)
        series_add(out, RESPONSE_BYTES,
                   one_label(out, "endpoint", now->responses[i].endpoint),
                   (double)now->responses[i].bytes);
    for (size_t i = 0; i < EVENT_COUNT; i++)
        series_add(out, EVENTS, one_label(out, "kind", kinds[i]), (double)s->events[i]);
    add_histogram(out, EVENT_VISIBLE, &s->visible);
    series_add(out, LAST_CHANGE, none, s->changed_unix_s);
    series_add(out, WATCH_INFO, one_label(out, "mode", s->polling ? "poll" : "inotify"),
               1);
}

static void add_http(const struct self *s, const struct self_snapshot *now,
                     struct series *out)
{
    for (size_t i = 0; i < s->answer_count; i++) {
        struct labels l = one_label(out, "endpoint", s->answers[i].endpoint);

        labels_add_u64(out, &l, "code", (uint64_t)s->answers[i].status);
        series_add(out, REQUESTS, l, (double)s->answers[i].count);
    }
    for (int i = 0; i < HTTP_LIMIT_COUNT; i++)
        series_add(out, REFUSED,
                   one_label(out, "reason", http_limit_name((enum http_limit)i)),
                   (double)now->refused[i]);
    series_add(out, CONNECTIONS, none, (double)s->connections);
    add_histogram(out, REQUEST_SECONDS, &s->request);
}

static void add_web(const struct self_web *web, struct series *out)
{
    static const char *const results[LOGIN_COUNT] = {
        [LOGIN_RIGHT] = "right",     [LOGIN_WRONG] = "wrong",
        [LOGIN_MISSING] = "missing", [LOGIN_BUSY] = "busy",
        [LOGIN_LIMITED] = "limited",
    };

    if (!web->on)
        return;
    series_add(out, WEB_GOOD, none, web->good);
    series_add(out, WEB_GOOD_TIME, none, web->good_unix_s);
    for (int i = 0; i < LOGIN_COUNT; i++)
        series_add(out, LOGINS, one_label(out, "result", results[i]),
                   (double)web->logins[i]);
    series_add(out, PASSWORD_CHECKS, none, (double)web->checks);
}

static void collect(void *ctx, struct series *out)
{
    const struct self *s = ctx;
    struct self_snapshot now = { 0 };
    struct labels build;

    if (s->source)
        s->source(s->source_ctx, &now);
    add_process(out);
    build = one_label(out, "version", s->version);
    labels_add(out, &build, "revision", view_of(s->revision));
    labels_add(out, &build, "compiler", view_of(version_compiler));
    series_add(out, BUILD_INFO, build, 1);
    add_input(s, &now, out);
    add_http(s, &now, out);
    add_web(&now.web, out);
}

/*
 * Head and samples of a family in one piece, as text and as OpenMetrics: nothing of it
 * lives longer than a second, so there is nothing to share.
 */
static struct chunk *family_chunk(struct self *s, const struct self_part *part,
                                  const struct series_order *order, size_t family)
{
    const struct family *f = part->families;
    struct chunk *c;

    buf_release(&s->text);
    render_head(&f[family], &s->text);
    render_samples(&s->series, order, f, family, &s->text);
    c = chunk_new(buf_as_view(&s->text));
    buf_release(&s->text);
    render_head_openmetrics(&f[family], &s->text);
    render_samples_openmetrics(&s->series, order, f, family, &s->text);
    chunk_set_alt(c, chunk_new(buf_as_view(&s->text)));
    return c;
}

static void render_part(struct self *s, const struct self_part *part, struct body *body)
{
    struct series_order order = { 0 };

    series_release(&s->series);
    part->collect(part->ctx, &s->series);
    series_order(&s->series, part->family_count, &order);
    for (size_t f = 0; f < part->family_count; f++) {
        if (order.first[f] == order.first[f + 1])
            continue;
        body_family(body, part->families[f].name);
        body_add(body, family_chunk(s, part, &order, f));
    }
    series_order_deinit(&order);
}

static struct body *render(struct self *s)
{
    const struct self_part own = { families, FAMILIES, collect, s };
    struct body *body = body_new();

    render_part(s, &own, body);
    for (size_t i = 0; i < s->part_count; i++)
        render_part(s, &s->parts[i], body);
    return body;
}

void self_add(struct self *s, const struct self_part *part)
{
    assert(s->part_count < PARTS_MAX);
    s->parts[s->part_count++] = *part;
}

struct body *self_body(struct self *s, uint64_t now_ms)
{
    if (!s->body || now_ms - s->rendered_ms >= RENDER_MS) {
        body_unref(s->body);
        s->body = render(s);
        s->rendered_ms = now_ms;
    }
    return s->body;
}

const struct family *self_families(size_t *count)
{
    *count = FAMILIES;
    return families;
}
