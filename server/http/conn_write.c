/*
 * conn_write.c - requests → answers, and the way of their bytes to the client.
 *
 * An answer is first tried right away, as far as the socket takes it in one call; what
 * is left goes out in batches from write callbacks. Either way the loop goes round
 * between batches, and nothing here calls itself.
 */
#include "server/http/conn_inner.h"

#include <math.h>

#include "server/http/conn_tls.h"
#include "server/http/slow.h"

enum {
    BATCH_BYTES = 1024 * 1024,
    SLOWEST = 256,    /* bytes a millisecond: who takes less holds old bytes */
    STALL_CHECKS = 6, /* looks at a slow client per write timeout */
};

/* ---- bytes out ------------------------------------------------------------------ */

static void watch_stall(struct conn *c)
{
    conn_deadline(c, c->server->limits.write_timeout_ms / STALL_CHECKS + 1);
}

static void scraped(const struct conn *c)
{
    const struct site *site = &c->server->site;

    if (site->scraped)
        site->scraped(site->ctx,
                      c->answer.reply.scrape == SCRAPE_ALL ? -1 : c->endpoint,
                      &c->address, c->began_ns);
}

/* The last byte of the answer is the kernel's. */
static void answered(struct conn *c)
{
    struct self *self = c->server->self;

    if (c->feed) {
        conn_feed_on(c);
        return;
    }
    if (c->answer.reply.scrape)
        scraped(c);
    if (self)
        self_request(self, c->name, c->answer.reply.status,
                     c->timed ? (double)(uv_hrtime() - c->began_ns) * 1e-9 : NAN);
    answer_release(&c->answer);
    if (!c->keep_alive || c->server->stopping) {
        conn_tls_goodbye(c);
        if (c->unheard || c->pending_used < c->pending.n)
            conn_linger(c);
        else
            conn_close(c);
        return;
    }
    http_next(&c->reader);
    c->state = READING;
    c->reading_since = false;
}

static bool all_out(const struct conn *c)
{
    return c->answer.left == 0 && conn_tls_pending(c) == 0;
}

static void on_written(uv_write_t *rq, int status);

static void write_batch(struct conn *c)
{
    struct http_server *s = c->server;
    unsigned count =
        c->session ? conn_tls_gather(c, s->iov)
                   : answer_gather(&c->answer, s->iov, ANSWER_PIECES_MAX, BATCH_BYTES);

    if (count == 0) {
        conn_tls_broken(c); /* an answer without TLS has always a next byte here */
        return;
    }
    c->batch = 0;
    for (unsigned i = 0; i < count; i++)
        c->batch += s->iov[i].len;
    c->write.data = c;
    if (uv_write(&c->write, &c->u.stream, s->iov, count, on_written) < 0) {
        conn_close(c);
        return;
    }
    c->unsent = uv_stream_get_write_queue_size(&c->u.stream);
}

static void on_written(uv_write_t *rq, int status)
{
    struct conn *c = rq->data;

    /* What was written just before the close is told of after it. */
    if (status < 0 || c->closing) {
        if (c->feed && status == UV_ETIMEDOUT)
            conn_met(c, HTTP_LIMIT_WRITE_TIMEOUT);
        conn_close(c);
        return;
    }
    c->moved_ms = uv_now(c->server->loop);
    if (c->session)
        conn_tls_sent(c, c->batch);
    else
        answer_advance(&c->answer, c->batch);
    if (!all_out(c)) {
        write_batch(c);
        return;
    }
    answered(c);
    if (!c->closing && c->state == READING)
        conn_go_on(c);
}

/* As conn_tls_try(), without TLS. */
static bool try_plain(struct conn *c)
{
    struct http_server *s = c->server;
    unsigned count = answer_gather(&c->answer, s->iov, ANSWER_PIECES_MAX, BATCH_BYTES);
    int n = uv_try_write(&c->u.stream, s->iov, count);

    if (n < 0 && n != UV_EAGAIN) {
        conn_close(c);
        return false;
    }
    answer_advance(&c->answer, n > 0 ? (size_t)n : 0);
    return true;
}

void conn_send_on(struct conn *c, uint64_t late_ms)
{
    c->state = WRITING;
    c->began_ms = c->moved_ms = uv_now(c->server->loop);
    c->late_ms = late_ms;
    uv_read_stop(&c->u.stream);
    watch_stall(c);
    write_batch(c);
}

void conn_send(struct conn *c)
{
    struct http_server *s = c->server;

    if (!(c->session ? conn_tls_try(c) : try_plain(c)))
        return;
    if (all_out(c)) {
        answered(c);
        return;
    }
    conn_send_on(c, uv_now(s->loop) + s->limits.write_timeout_ms +
                        c->answer.left / SLOWEST);
    slow_limit(s);
}

void conn_stalled(struct conn *c)
{
    struct http_server *s = c->server;
    size_t unsent = uv_stream_get_write_queue_size(&c->u.stream);
    uint64_t now = uv_now(s->loop);

    if (unsent != c->unsent) {
        c->unsent = unsent;
        c->moved_ms = now;
    }
    if (now - c->moved_ms >= s->limits.write_timeout_ms || now >= c->late_ms) {
        conn_met(c, HTTP_LIMIT_WRITE_TIMEOUT);
        conn_close(c);
        return;
    }
    watch_stall(c);
    slow_limit(s);
}

/* ---- what is answered ----------------------------------------------------------- */

/* Keeps the answer that was just started for the next request in the same words. */
static void keep_ready(struct conn *c, const struct ready_key *key)
{
    struct http_server *s = c->server;
    struct view pieces[ANSWER_PIECES_MAX];
    size_t n = c->answer.left;
    unsigned count;

    if (c->answer.reply.status != 200 || n > READY_BYTES_MAX)
        return;
    count = answer_gather(&c->answer, s->iov, ANSWER_PIECES_MAX, n);
    for (unsigned i = 0; i < count; i++) {
        pieces[i] = (struct view){ s->iov[i].base, s->iov[i].len };
        n -= s->iov[i].len;
    }
    if (n == 0)
        ready_keep(&s->ready, key, pieces, count, c->answer.left);
}

void conn_make_head(struct conn *c)
{
    struct http_server *s = c->server;

    answer_start(&c->answer, &(struct answer_manner){
                                 .keep_alive = c->keep_alive && !s->stopping,
                                 .http10 = c->reader.http10,
                                 .headers = s->door.headers(s->door.ctx),
                                 .gzip = &s->gzip,
                             });
}

void conn_start(struct conn *c)
{
    conn_make_head(c);
    conn_send(c);
}

/* The request was let in. */
static void serve(struct conn *c, const struct request *rq, bool known)
{
    struct http_server *s = c->server;
    struct ready_answer *ready = NULL;
    struct ready_key key;
    /* An answer to it says nothing of the connection. */
    bool plain = c->keep_alive && !s->stopping && !c->reader.http10 &&
                 ready_asked(&s->site, c->endpoint, rq, &key);

    if (plain)
        ready = ready_find(&s->ready, &key);
    if (ready) {
        answer_start_ready(&c->answer, ready);
    } else if (conn_body_none(c, rq, known)) {
        return;
    } else {
        route(&s->site, c->endpoint, rq, &c->answer.reply);
        if (c->answer.reply.status == 403 || c->answer.reply.status == 429)
            conn_met(c, http_limit_of(c->answer.reply.status));
        if (c->answer.reply.feed) {
            conn_feed(c);
            return;
        }
        conn_make_head(c);
        if (plain)
            keep_ready(c, &key);
    }
    conn_send(c);
}

void conn_turn_back(struct conn *c, enum door_verdict v)
{
    struct reply *r = &c->answer.reply;

    if (v == DOOR_LOCKED)
        route_refused(401, "a user name and a password are asked for",
                      "WWW-Authenticate: Basic realm=\"encode_exporter\"\r\n", r);
    else
        route_refused(429, "too many requests", "Retry-After: 1\r\n", r);
    r->head = c->reader.parser.method == HTTP_HEAD;
    conn_met(c, http_limit_of(r->status));
    conn_start(c);
}

static void on_decided(struct door_wait *w, enum door_verdict v)
{
    struct conn *c = (struct conn *)((char *)w - offsetof(struct conn, wait));
    struct request rq;

    c->state = READING;
    http_request(&c->reader, &rq);
    if (v == DOOR_OPEN)
        serve(c, &rq, true); /* an open door does not think about it */
    else
        conn_turn_back(c, v);
    if (!c->closing && c->state == READING)
        conn_go_on(c);
}

void conn_wait_for_door(struct conn *c)
{
    c->state = WAITING;
    conn_deadline(c, c->server->limits.write_timeout_ms);
}

void conn_undecided(struct conn *c)
{
    struct http_server *s = c->server;

    s->door.leave(s->door.ctx, &c->wait);
    c->wait.decided(&c->wait, DOOR_BUSY);
}

void conn_answer(struct conn *c)
{
    struct http_server *s = c->server;
    enum door_verdict v = DOOR_OPEN;
    struct request rq;

    c->began_ns = uv_hrtime();
    c->timed = true;
    c->keep_alive = c->reader.keep_alive;
    http_request(&c->reader, &rq);
    if (s->guarded && !route_is_open(&rq)) {
        c->wait.decided = on_decided;
        v = s->door.ask(s->door.ctx, rq.authorization, &c->wait);
    }
    if (v == DOOR_OPEN)
        serve(c, &rq, s->guarded && s->door.locks(s->door.ctx));
    else if (v == DOOR_WAIT)
        conn_wait_for_door(c);
    else
        conn_turn_back(c, v);
}

void conn_refuse(struct conn *c, int status, const char *reason, const char *headers)
{
    enum http_limit met = http_limit_of(status);

    if (status == 503)
        met = HTTP_LIMIT_CONNECTIONS;
    else if (status == 429)
        met = HTTP_LIMIT_PEER_CONNECTIONS;
    conn_met(c, met);
    route_refused(status, reason, headers, &c->answer.reply);
    c->answer.reply.content_type = "text/plain; charset=utf-8";
    c->timed = c->keep_alive = false;
    c->unheard = true;
    conn_start(c);
}
