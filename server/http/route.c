/*
 * route.c - which answer a request gets.
 *
 * Paths are compared as they came: no decoding, no dots resolved, no slash forgiven, so
 * there is one spelling of each and nothing to normalise wrongly. Everything served is
 * ready when it is asked for; only the page and a selection by name[] are made here.
 */
#include "server/http/route.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "core/hash.h"
#include "core/mem.h"
#include "server/http/browser.h"
#include "server/http/feed.h"
#include "server/http/negotiate.h"

#define TEXT "text/plain; charset=utf-8"
#define JSON "application/json"

struct call {
    const struct site *site;
    int endpoint;
    const struct request *rq;
};

typedef void answer_fn(const struct call *c, struct reply *out);

static void say(struct reply *out, int status, struct view text)
{
    out->status = status;
    out->content_type = TEXT;
    out->fixed = text;
}

void route_refused(int status, const char *text, const char *headers, struct reply *out)
{
    say(out, status, (struct view){ NULL, 0 });
    out->headers = headers;
    buf_str(&out->text, text);
    buf_char(&out->text, '\n');
}

static bool tells_predictions(const struct site *site, int endpoint)
{
    return site->loaded && endpoint == site->predictions;
}

/* ---- query -------------------------------------------------------------------- */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct view route_decode(struct view v, bool form, char *to)
{
    size_t n = 0;

    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == '%' && i + 2 < v.n && hex(v.p[i + 1]) >= 0 &&
            hex(v.p[i + 2]) >= 0) {
            to[n++] = (char)(hex(v.p[i + 1]) << 4 | hex(v.p[i + 2]));
            i += 2;
        } else {
            to[n++] = form && v.p[i] == '+' ? ' ' : v.p[i];
        }
    }
    return (struct view){ to, n };
}

struct names {
    struct view *v;
    size_t count;
    char *text;
};

/* The values of all name[]; count is 0 when the query has none. */
static void names_of(struct view query, struct names *out)
{
    struct view pair;
    size_t room = 1;
    char *to;

    for (size_t i = 0; i < query.n; i++)
        room += query.p[i] == '&';
    out->v = mem_alloc(room * sizeof(*out->v));
    out->text = to = mem_alloc(query.n + 1);
    while (view_split(&query, '&', &pair)) {
        struct view value = pair, key, name;

        view_split(&value, '=', &key);
        key = route_decode(key, true, to);
        if (!view_eq(key, VIEW("name[]")))
            continue;
        name = route_decode(value, true, to);
        out->v[out->count++] = name;
        to += name.n;
    }
}

/* ---- what the paths answer ---------------------------------------------------- */

/*
 * The entity tag of these bodies in the format and encoding of the reply. A selection
 * is known by its query as it came: it is made of the same bodies as the whole.
 */
static void tag(const struct call *c, struct body *const bodies[], size_t count,
                bool selected, struct format f, struct reply *out)
{
    uint64_t content[REPLY_BODIES_MAX + 2];

    for (size_t i = 0; i < count; i++)
        content[i] = bodies[i]->generation;
    if (selected) {
        struct hash h = hash_of(c->rq->query, c->site->seed);

        content[count++] = h.part[0];
        content[count++] = h.part[1];
    }
    etag_make(out->etag, c->site->seed, content, count, f, out->gzip);
}

static void metrics(const struct call *c, int endpoint, struct reply *out)
{
    struct format format = negotiate_format(c->rq->accept);
    struct body *bodies[REPLY_BODIES_MAX];
    size_t count = c->site->bodies(c->site->ctx, endpoint, bodies);
    struct names names = { 0 };

    if (count == 0) {
        /* An empty answer would say that there is nothing. */
        say(out, 503,
            tells_predictions(c->site, endpoint)
                ? VIEW("there are no predictions yet\n")
                : VIEW("the first scan is not finished\n"));
        out->headers = "Retry-After: 1\r\n";
        return;
    }
    if (c->rq->query.n)
        names_of(c->rq->query, &names);
    out->status = 200;
    out->content_type = format_content_type(format);
    out->openmetrics = format.openmetrics;
    out->gzip = negotiate_gzip(c->rq->accept_encoding);
    tag(c, bodies, count, names.count > 0, format, out);
    if (etag_listed(c->rq->if_none_match, view_of(out->etag))) {
        out->status = 304;
        out->gzip = false;
    } else {
        for (size_t i = 0; i < count; i++)
            out->bodies[out->body_count++] =
                names.count ? body_select(bodies[i], names.v, names.count)
                            : body_ref(bodies[i]);
        if (format.openmetrics)
            out->bodies[out->body_count++] = body_eof();
    }
    free(names.v);
    free(names.text);
}

/* A scrape is what brings values to somebody who keeps them; HEAD brings none. */
static void own_metrics(const struct call *c, struct reply *out)
{
    metrics(c, c->endpoint, out);
    if (out->status != 503 && !out->head)
        out->scrape = SCRAPE_OWN;
}

static void all_metrics(const struct call *c, struct reply *out)
{
    metrics(c, -1, out);
    if (out->status != 503 && !out->head)
        out->scrape = SCRAPE_ALL;
}

static void health(const struct call *c, struct reply *out)
{
    (void)c;
    say(out, 200, VIEW("OK\n"));
}

static void ready(const struct call *c, struct reply *out)
{
    if (c->site->ready(c->site->ctx))
        say(out, 200, VIEW("OK\n"));
    else
        say(out, 503, VIEW("not ready\n"));
}

/* As the predecessor's prediction exporter told it. */
static void model_health(const struct call *c, struct reply *out)
{
    bool loaded = c->site->loaded(c->site->ctx);

    out->status = loaded ? 200 : 503;
    out->content_type = JSON;
    buf_fmt(&out->text, "{\"status\":\"%s\",\"model_loaded\":%s,\"timestamp\":%.0f}\n",
            loaded ? "ok" : "error", loaded ? "true" : "false",
            floor(c->site->now_s(c->site->ctx)));
}

static void page(const struct call *c, struct reply *out)
{
    c->site->page(c->site->ctx, c->endpoint, c->rq, out);
}

/* What the page asks for: the values themselves, which are for no other site's page. */
static void page_data(const struct call *c, struct reply *out)
{
    const char *refused = browser_refused(c->rq, view_of(c->site->allowed_hosts));

    if (refused)
        route_refused(403, refused, NULL, out);
    else
        page(c, out);
}

/* False: it was not done, and *out says why. */
static bool change(const struct call *c, int (*f)(void *ctx, struct err *e),
                   struct reply *out)
{
    const char *refused = browser_refused(c->rq, view_of(c->site->allowed_hosts));
    struct err e = { 0 };
    int rc;

    if (refused) {
        route_refused(403, refused, NULL, out);
        return false;
    }
    rc = f(c->site->ctx, &e);
    if (rc == -EBUSY)
        route_refused(429, e.text, "Retry-After: 1\r\n", out);
    else if (rc < 0)
        route_refused(500, e.text, NULL, out);
    return rc == 0;
}

static void reload(const struct call *c, struct reply *out)
{
    if (change(c, c->site->reload, out))
        say(out, 200, VIEW("reloaded\n"));
}

static void model_reload(const struct call *c, struct reply *out)
{
    if (!change(c, c->site->refit, out))
        return;
    say(out, 200,
        VIEW("{\"status\":\"ok\",\"message\":\"Model reloaded successfully\"}\n"));
    out->content_type = JSON;
}

/* ---- which path ----------------------------------------------------------------- */

static const struct path {
    struct view path;
    answer_fn *answer;
    bool post;        /* POST alone; else GET and HEAD */
    bool open;        /* answered without a password, as probes need */
    bool predictions; /* on that endpoint alone */
} paths[] = {
    { VIEW("/health"), model_health, false, true, true },
    { VIEW("/reload"), model_reload, true, false, true },
    { VIEW("/metrics"), own_metrics, false, false, false },
    { VIEW("/metrics/all"), all_metrics, false, false, false },
    { VIEW("/health"), health, false, true, false },
    { VIEW("/-/healthy"), health, false, true, false },
    { VIEW("/ready"), ready, false, true, false },
    { VIEW("/-/ready"), ready, false, true, false },
    { VIEW("/-/reload"), reload, true, false, false },
    { VIEW("/"), page, false, false, false },
    { VIEW("/events"), page_data, false, false, false },
    { VIEW("/frames"), page_data, false, false, false },
};

/* What the page is made of: the page knows which there are. */
static const struct path part = { VIEW(""), page, false, false, false };

static bool allowed(const struct path *p, enum method m)
{
    return p->post ? m == METHOD_POST : m == METHOD_GET || m == METHOD_HEAD;
}

static const struct path *find_path(struct view path, bool predictions)
{
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (view_eq(path, paths[i].path) && (predictions || !paths[i].predictions))
            return &paths[i];
    return view_ends(path, VIEW(".js")) || view_ends(path, VIEW(".css")) ? &part : NULL;
}

static bool is_intake(const struct site *site, int endpoint, const struct request *rq)
{
    return site->intake && endpoint == site->intake_endpoint &&
           view_starts(rq->path, VIEW("/progress/"));
}

bool route_takes_body(const struct site *site, int endpoint, const struct request *rq)
{
    return rq->method == METHOD_POST && is_intake(site, endpoint, rq);
}

bool route_is_open(const struct request *rq)
{
    const struct path *p = find_path(rq->path, false);

    return p && p->open;
}

void route(const struct site *site, int endpoint, const struct request *rq,
           struct reply *out)
{
    struct call call = { site, endpoint, rq };
    const struct path *p = find_path(rq->path, tells_predictions(site, endpoint));

    out->head = rq->method == METHOD_HEAD;
    if (p && allowed(p, rq->method)) {
        p->answer(&call, out);
    } else if (p || is_intake(site, endpoint, rq)) {
        bool post = !p || p->post;

        say(out, 405, VIEW("method not allowed\n"));
        memcpy(out->allow, post ? "POST" : "GET, HEAD", post ? 5 : 10);
    } else {
        say(out, 404, VIEW("not found\n"));
    }
}

void reply_deinit(struct reply *r)
{
    for (size_t i = 0; i < r->body_count; i++)
        body_unref(r->bodies[i]);
    r->body_count = 0;
    buf_deinit(&r->text);
    if (r->feed)
        r->feed->gone(r->feed);
    r->feed = NULL;
}

uint64_t reply_length(const struct reply *r)
{
    uint64_t n = r->fixed.n + r->text.n;

    for (size_t i = 0; i < r->body_count; i++)
        n += r->bodies[i]->form[r->openmetrics ? BODY_OPENMETRICS : BODY_TEXT].bytes;
    return n;
}
