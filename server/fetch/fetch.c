/*
 * fetch.c - requests to other servers: on the loop, bounded, and with a breaker.
 *
 * A request waits in line until fewer than the peer's limit are under way and the breaker
 * lets it through; it begins in the next turn of the loop at the earliest, so that nobody
 * is called back from within a call. Who we are is put together when it begins.
 */
#include "server/fetch/fetch.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/mem.h"
#include "server/fetch/peer.h"
#include "server/fetch/tell.h"
#include "server/log.h"

enum { FIRST_WAIT_MS = 1000, LONGEST_WAIT_MS = 5 * 60 * 1000, FAILURES = 3 };

struct fetch_ticket {
    struct fetch_ticket *next, **from; /* list: in line, or under way */
    struct fetcher *f;
    char *path, *body;
    size_t body_n;
    struct fetch_upload upload; /* read NULL: none */
    const char *content_type;
    uint64_t timeout_ms, began_ns;
    fetch_answered *answered;
    void *ctx;
    struct fetch_transfer *transfer; /* NULL: in line */
    bool probe;
};

struct fetcher {
    uv_loop_t *loop;
    struct fetch_client *client; /* NULL: stopped */
    struct peer peer;
    struct breaker breaker;
    struct fetch_told told;
    uv_timer_t timer, soon; /* of libcurl; for what waits in line */
    unsigned handles;       /* whose close callback has not run */
    unsigned inside;        /* calls of libcurl */
    struct fetch_ticket *line, **line_end, *under_way;
    struct fetch_counts counts;
    bool stopped;
};

/* A socket that libcurl waits for. */
struct socket_watch {
    uv_poll_t poll;
    struct fetcher *f;
    int fd;
};

static void finish(struct fetch_ticket *t, const struct fetch_answer *a);
static void free_client(struct fetcher *f);
static void on_soon(uv_timer_t *timer);

/* ---- what libcurl waits for --------------------------------------------------------------- */

/* libcurl's functions call back; its client must not go meanwhile. */
static void leave(struct fetcher *f)
{
    if (--f->inside == 0 && f->stopped)
        free_client(f);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    const struct socket_watch *w = poll->data;
    struct fetcher *f = w->f;

    f->inside++;
    client_socket(f->client, w->fd,
                  (events & UV_READABLE ? FETCH_READABLE : 0) |
                      (events & UV_WRITABLE ? FETCH_WRITABLE : 0) |
                      (status < 0 ? FETCH_FAILED : 0));
    leave(f);
}

static void on_timeout(uv_timer_t *timer)
{
    struct fetcher *f = timer->data;

    f->inside++;
    client_timeout(f->client);
    leave(f);
}

static void free_if_closed(struct fetcher *f)
{
    if (--f->handles > 0)
        return;
    peer_deinit(&f->peer);
    free(f);
}

static void on_watch_closed(uv_handle_t *h)
{
    struct socket_watch *w = h->data;

    free_if_closed(w->f);
    free(w);
}

static void on_closed(uv_handle_t *h)
{
    free_if_closed(h->data);
}

static void watch(void *ctx, int fd, int events, void **mine)
{
    struct fetcher *f = ctx;
    struct socket_watch *w = *mine;

    if (!events) {
        *mine = NULL;
        if (w)
            uv_close((uv_handle_t *)&w->poll, on_watch_closed);
        return;
    }
    if (!w) {
        w = mem_zalloc(sizeof *w);
        if (uv_poll_init(f->loop, &w->poll, fd) < 0) {
            free(w); /* no more descriptors in the loop: the transfer times out */
            return;
        }
        w->f = f;
        w->fd = fd;
        w->poll.data = w;
        f->handles++;
        *mine = w;
    }
    uv_poll_start(&w->poll,
                  (events & FETCH_READABLE ? UV_READABLE : 0) |
                      (events & FETCH_WRITABLE ? UV_WRITABLE : 0),
                  on_poll);
}

static void arm(void *ctx, long ms)
{
    struct fetcher *f = ctx;

    if (ms < 0) {
        uv_timer_stop(&f->timer);
        return;
    }
    uv_update_time(f->loop);
    uv_timer_start(&f->timer, on_timeout, (uint64_t)ms, 0);
}

/* ---- one request ------------------------------------------------------------------------------ */

static void ticket_unlink(struct fetch_ticket *t)
{
    if (t->f->line_end == &t->next)
        t->f->line_end = t->from;
    *t->from = t->next;
    if (t->next)
        t->next->from = t->from;
}

static void ticket_free(struct fetch_ticket *t)
{
    free(t->path);
    free(t->body);
    free(t);
}

static void on_done(void *ctx, const struct fetch_answer *a)
{
    finish(ctx, a);
}

static void begin(struct fetch_ticket *t, struct err *e)
{
    struct fetcher *f = t->f;
    const char *headers[PEER_HEADERS_MAX + 2];
    struct buf url = { 0 }, text = { 0 };
    const struct fetch_identity who = peer_identity(&f->peer, uv_now(f->loop));
    const struct fetch_request r = {
        .url =
            (fetch_url_join(&f->peer.url, t->path, &url), buf_char(&url, '\0'), url.p),
        .body = { t->body, t->body_n },
        .upload = t->upload.read ? &t->upload : NULL,
        .content_type = t->content_type,
        .headers = headers,
        .identity = &who,
        .timeout_ms = t->timeout_ms,
        .max_bytes = f->peer.is.max_bytes,
    };

    peer_headers(&f->peer, headers, &text);
    t->transfer = client_begin(f->client, &r, on_done, t, e);
    peer_wipe(&text);
    buf_deinit(&url);
}

static void ticket_begin(struct fetch_ticket *t)
{
    struct fetcher *f = t->f;
    struct err e = { 0 };

    t->began_ns = uv_hrtime();
    f->counts.under_way++;
    if (peer_refresh(&f->peer, uv_now(f->loop), &e) == 0)
        begin(t, &e);
    if (t->transfer) {
        t->from = &f->under_way;
        t->next = f->under_way;
        if (t->next)
            t->next->from = &t->next;
        f->under_way = t;
        return;
    }

    const struct fetch_answer none = { .problem = e.text,
                                       .content_type = "",
                                       .retry_after_s = NAN };

    finish(t, &none);
}

/* ---- how it ended ------------------------------------------------------------------------------- */

static void note_good(struct fetcher *f)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    f->counts.good++;
    f->counts.last_good_unix_s = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
    breaker_good(&f->breaker);
    fetch_tell_good(&f->told, f->peer.is.name, f->peer.url.base);
}

/* Seconds as an answer asks for, or none; not longer than we would wait by ourselves. */
static uint64_t asked_wait_ms(const struct fetcher *f, double s)
{
    if (!(s > 0))
        return 0;
    return s * 1000 < (double)f->breaker.rules.longest_ms ? (uint64_t)(s * 1000)
                                                          : f->breaker.rules.longest_ms;
}

static void note_bad(struct fetcher *f, struct view reason, double retry_after_s)
{
    uint64_t now_ms = uv_now(f->loop);
    uint64_t asked_ms = now_ms + asked_wait_ms(f, retry_after_s);
    uint32_t random = 0;

    uv_random(NULL, NULL, &random, sizeof random, 0, NULL); /* else none: no harm */
    f->counts.bad++;

    bool opened = breaker_bad(&f->breaker, now_ms, random);

    if (opened && f->breaker.due_ms < asked_ms)
        f->breaker.due_ms = asked_ms;
    fetch_tell_bad(&f->told, f->peer.is.name, f->peer.url.base, reason,
                   opened ? f->breaker.due_ms - now_ms : 0, now_ms);
}

static void note(struct fetcher *f, enum fetch_verdict v, const struct fetch_answer *a,
                 struct buf *reason)
{
    if (v != FETCH_GOOD && reason->n == 0) {
        if (a->problem)
            buf_str(reason, a->problem);
        else
            buf_fmt(reason, "HTTP status %d", a->status);
    }
    peer_blank(&f->peer, reason->p, reason->n);
    switch (v) {
    case FETCH_GOOD:
        note_good(f);
        break;
    case FETCH_REFUSED:
        f->counts.refused++;
        breaker_good(&f->breaker);
        fetch_tell_bad(&f->told, f->peer.is.name, f->peer.url.base, buf_as_view(reason),
                       0, uv_now(f->loop));
        break;
    case FETCH_BAD:
        note_bad(f, buf_as_view(reason), a->retry_after_s);
        break;
    }
}

static void more(struct fetcher *f)
{
    if (f->line && !f->stopped)
        uv_timer_start(&f->soon, on_soon, 0, 0);
}

/* answered may stop the fetcher, ask again, and take other tickets back. */
static void finish(struct fetch_ticket *t, const struct fetch_answer *a)
{
    struct fetcher *f = t->f;
    struct buf reason = { .limit = 300 };

    if (t->transfer)
        ticket_unlink(t);
    f->counts.under_way--;
    f->counts.seconds += (double)(uv_hrtime() - t->began_ns) / 1e9;

    enum fetch_verdict v = t->answered(t->ctx, a, &reason);

    if (!f->stopped) {
        note(f, v, a, &reason);
        more(f);
    }
    buf_deinit(&reason);
    ticket_free(t);
}

static void skip(struct fetch_ticket *t)
{
    const struct fetch_answer none = { .problem = FETCH_NOT_ASKED,
                                       .content_type = "",
                                       .retry_after_s = NAN };
    struct buf reason = { .limit = 300 };

    t->f->counts.skipped++;
    t->answered(t->ctx, &none, &reason);
    buf_deinit(&reason);
    ticket_free(t);
}

/* Those that stand in line now: who asks again when skipped waits for the next turn. */
static void on_soon(uv_timer_t *timer)
{
    struct fetcher *f = timer->data;
    struct fetch_ticket *t;
    size_t n = 0;

    for (t = f->line; t; t = t->next)
        n++;
    f->inside++;
    while ((t = f->line) && n-- > 0 && f->counts.under_way < f->peer.is.concurrency) {
        ticket_unlink(t);
        if (!breaker_allows(&f->breaker, uv_now(f->loop))) {
            skip(t);
            continue;
        }
        t->probe = f->breaker.state == BREAKER_HALF_OPEN;
        ticket_begin(t);
    }
    if (f->counts.under_way < f->peer.is.concurrency)
        more(f);
    leave(f);
}

static struct fetch_ticket *line_up(struct fetcher *f, const char *path,
                                    fetch_answered *answered, void *ctx, struct err *e)
{
    if (f->stopped) {
        err_set(e, -ECANCELED, "%s is not asked any more", f->peer.is.name);
        return NULL;
    }
    for (const char *p = path; *p; p++)
        if (*p <= ' ' || *p > '~') {
            err_set(e, -EINVAL, "\"%s\" is no path of a URL", path);
            return NULL;
        }

    struct fetch_ticket *t = mem_zalloc(sizeof *t);

    t->f = f;
    t->path = mem_strdup(path);
    t->timeout_ms = f->peer.is.timeout_ms;
    t->answered = answered;
    t->ctx = ctx;
    t->from = f->line_end;
    *f->line_end = t;
    f->line_end = &t->next;
    more(f);
    return t;
}

struct fetch_ticket *fetcher_ask(struct fetcher *f, const char *path, struct view body,
                                 const char *content_type, fetch_answered *answered,
                                 void *ctx, struct err *e)
{
    struct fetch_ticket *t = line_up(f, path, answered, ctx, e);

    if (t && body.p) {
        t->content_type = content_type;
        t->body_n = body.n;
        t->body = mem_alloc(body.n);
        memcpy(t->body, body.p, body.n);
    }
    return t;
}

struct fetch_ticket *fetcher_send(struct fetcher *f, const char *path,
                                  const struct fetch_upload *upload,
                                  const char *content_type, uint64_t timeout_ms,
                                  fetch_answered *answered, void *ctx, struct err *e)
{
    struct fetch_ticket *t = line_up(f, path, answered, ctx, e);

    if (t) {
        t->upload = *upload;
        t->content_type = content_type;
        if (timeout_ms)
            t->timeout_ms = timeout_ms;
    }
    return t;
}

void fetch_forget(struct fetch_ticket *t)
{
    struct fetcher *f = t->f;

    if (t->transfer) {
        client_cancel(t->transfer);
        f->counts.under_way--;
        if (t->probe)
            breaker_abandoned(&f->breaker);
    }
    ticket_unlink(t);
    ticket_free(t);
    more(f);
}

/* ---- the fetcher itself -------------------------------------------------------------------------- */

int fetch_check(const struct fetch_peer *peer, struct err *e)
{
    struct peer p;
    int rc = peer_init(&p, peer, 0, e);

    peer_deinit(&p);
    return rc;
}

static void warn_of_plain(const struct fetcher *f)
{
    if (peer_is_open(&f->peer))
        log_line(LOG_WARN, "a secret is sent without encryption", "peer",
                 f->peer.is.name, "url", f->peer.url.base, "remedy", "https://", NULL);
}

static void init_timer(struct fetcher *f, uv_timer_t *timer)
{
    uv_timer_init(f->loop, timer);
    timer->data = f;
    f->handles++;
}

int fetcher_new(uv_loop_t *loop, const struct fetch_peer *peer, struct fetcher **out,
                struct err *e)
{
    struct fetcher *f = mem_zalloc(sizeof *f);

    assert(peer->concurrency > 0 && peer->timeout_ms > 0);

    const struct fetch_host host = { f, watch, arm };
    int rc = peer_init(&f->peer, peer, uv_now(loop), e);

    f->loop = loop;
    f->breaker.rules =
        (struct breaker_rules){ FAILURES, FIRST_WAIT_MS, LONGEST_WAIT_MS };
    f->counts.last_good_unix_s = NAN;
    f->line_end = &f->line;
    if (rc == 0 && !(f->client = client_new(&host, peer->concurrency, e)))
        rc = e->code;
    f->handles = 1;
    if (rc < 0) {
        free_if_closed(f);
        return rc;
    }
    f->handles = 0;
    init_timer(f, &f->timer);
    init_timer(f, &f->soon);
    warn_of_plain(f);
    *out = f;
    return 0;
}

static void free_client(struct fetcher *f)
{
    if (!f->client)
        return;
    client_free(f->client);
    f->client = NULL;
    uv_close((uv_handle_t *)&f->timer, on_closed);
    uv_close((uv_handle_t *)&f->soon, on_closed);
}

static void forget_all(struct fetch_ticket *t)
{
    for (struct fetch_ticket *next; t; t = next) {
        next = t->next;
        fetch_forget(t);
    }
}

void fetcher_stop(struct fetcher *f)
{
    if (!f || f->stopped)
        return;
    f->stopped = true;
    forget_all(f->under_way);
    forget_all(f->line);
    if (f->inside == 0)
        free_client(f);
}

bool fetcher_open(const struct fetcher *f, uint64_t *due_ms)
{
    const struct breaker *b = &f->breaker;

    *due_ms = b->due_ms;
    return b->state == BREAKER_CLOSED ||
           (b->state == BREAKER_OPEN ? uv_now(f->loop) >= b->due_ms : !b->probing);
}

void fetch_blank(const struct fetcher *f, char *text, size_t n)
{
    peer_blank(&f->peer, text, n);
}

const char *fetcher_shown(const struct fetcher *f)
{
    return f->peer.url.base;
}

struct fetch_counts fetcher_counts(const struct fetcher *f)
{
    struct fetch_counts c = f->counts;

    c.state = f->breaker.state;
    c.opened = f->breaker.opened;
    return c;
}

const char *fetch_library_version(void)
{
    return client_version();
}
