/*
 * conn.c - one client: its life and its deadlines.
 *
 * The timer is not moved for each request: it looks at the deadline when it fires, and
 * is started anew only if a deadline comes before the time it is set for.
 */
#include "server/http/conn.h"

#include "server/http/conn_inner.h"

#include "server/http/conn_tls.h"

#include <stdlib.h>

#include "core/mem.h"

enum {
    REFUSED_MAX = 32, /* connections beyond the limit that still get an answer */
    KEEPALIVE_S = 60, /* of silence, before the kernel asks whether the peer is there */
    FOR_OTHERS =
        16, /* connections that those leave free which last; a quarter where they are few */
};

static void on_timer(uv_timer_t *timer);

/* ---- life ----------------------------------------------------------------------- */

static void conn_free(struct conn *c)
{
    struct http_server *s = c->server;

    if (c->prev)
        c->prev->next = c->next;
    else
        s->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    answer_release(&c->answer);
    conn_tls_end(c);
    http_deinit(&c->reader);
    buf_deinit(&c->pending);
    free(c);
    http_server_settle(s);
}

static void on_closed(uv_handle_t *h)
{
    struct conn *c = h->data;

    if (--c->open == 0)
        conn_free(c);
}

static void adopt(struct conn *c, uv_handle_t *h)
{
    h->data = c;
    c->open++;
}

static bool unlink_from(struct conn **at, struct conn *c)
{
    while (*at && *at != c)
        at = &(*at)->next_behind;
    if (!*at)
        return false;
    *at = c->next_behind;
    return true;
}

static void leave_behind(struct conn *c)
{
    if (c->in_behind && !unlink_from(&c->server->behind, c))
        unlink_from(&c->server->turning, c);
    c->in_behind = false;
}

void conn_close(struct conn *c)
{
    struct http_server *s = c->server;

    if (c->closing)
        return;
    if (c->state == READING) /* else an answer is cut short, and must not look whole */
        conn_tls_goodbye(c);
    c->closing = true;
    conn_body_cut(c);
    conn_feed_over(c);
    if (c->state == WAITING)
        s->door.leave(s->door.ctx, &c->wait);
    leave_behind(c);
    peers_drop(&s->peers, &c->peer);
    s->conn_count--;
    if (s->self)
        self_connections(s->self, -1);
    uv_close(&c->u.handle, on_closed); /* pending writes: ECANCELED */
    uv_close((uv_handle_t *)&c->timer, on_closed);
}

struct conn *conn_next(const struct conn *c)
{
    return c->next;
}

void conn_met(struct conn *c, enum http_limit which)
{
    c->server->met[which]++;
}

bool conn_lasting_full(const struct http_server *s)
{
    unsigned few = s->limits.max_connections / 4;

    return s->lasting + (few < FOR_OTHERS ? few : FOR_OTHERS) >=
           s->limits.max_connections;
}

void conn_lasting_refused(struct conn *c)
{
    conn_met(c, HTTP_LIMIT_CONNECTIONS);
    route_refused(503, "too many connections that last (--web.max-connections)",
                  "Retry-After: 10\r\n", &c->answer.reply);
}

void conn_lasts(struct conn *c)
{
    c->server->lasting++;
    if (c->u.handle.type == UV_TCP)
        uv_tcp_keepalive(&c->u.tcp, 1, KEEPALIVE_S);
}

/* ---- the last moments ----------------------------------------------------------- */

static void on_shutdown(uv_shutdown_t *rq, int status)
{
    struct conn *c = rq->data;

    if (status < 0)
        conn_close(c);
}

void conn_linger(struct conn *c)
{
    c->state = LINGERING;
    conn_feed_over(c);
    buf_deinit(&c->pending);
    c->pending_used = 0;
    c->shutdown.data = c;
    if (uv_shutdown(&c->shutdown, &c->u.stream, on_shutdown) < 0) {
        conn_close(c);
        return;
    }
    conn_deadline(c, c->server->limits.linger_timeout_ms);
    conn_read_on(c);
}

void conn_stop(struct conn *c)
{
    if (conn_feed_stop(c))
        return;
    if (c->state == READING || c->state == FLUSHING || conn_tls_opening(c))
        conn_close(c);
    /* else the answer under way, or the moment after it, is the last */
}

/* ---- time ----------------------------------------------------------------------- */

void conn_deadline(struct conn *c, uint64_t in_ms)
{
    uint64_t now = uv_now(c->server->loop);

    c->deadline_ms = now + in_ms;
    if (c->timer_ms && c->timer_ms <= c->deadline_ms)
        return;
    c->timer_ms = c->deadline_ms;
    uv_timer_start(&c->timer, on_timer, in_ms, 0);
}

/* The client has not said in time what it should have. */
static void late(struct conn *c)
{
    if (c->greeted && conn_tls_opening(c)) {
        conn_tls_cut(c, "the handshake was not done in time");
        conn_close(c);
    } else if (c->state == FLUSHING) {
        conn_met(c, HTTP_LIMIT_WRITE_TIMEOUT);
        conn_close(c);
    } else if (c->intake) {
        conn_met(c, HTTP_LIMIT_READ_TIMEOUT);
        conn_close(c);
    } else if (c->reader.began) {
        conn_refuse(c, 408, "the request did not arrive in time", NULL);
    } else {
        conn_met(c, c->spoke ? HTTP_LIMIT_IDLE : HTTP_LIMIT_FIRST_BYTE);
        conn_close(c);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct conn *c = timer->data;
    struct http_server *s = c->server;
    uint64_t now = uv_now(s->loop);

    c->timer_ms = 0;
    if (now < c->deadline_ms) {
        conn_deadline(c, c->deadline_ms - now);
        return;
    }
    switch (c->state) {
    case WRITING:
        conn_stalled(c);
        break;
    case WAITING:
        conn_undecided(c);
        break;
    case BEHIND: /* it is we who make it wait */
        conn_deadline(c, s->limits.read_timeout_ms);
        break;
    case LINGERING:
        conn_close(c);
        break;
    case FEEDING: /* there is nothing to wait for */
        break;
    case READING:
    case FLUSHING: /* it takes too little, and has said too little meanwhile */
        late(c);
        break;
    }
}

/* ---- coming --------------------------------------------------------------------- */

static void find_peer(struct conn *c)
{
    struct sockaddr_storage sa = { 0 };
    int n = sizeof(sa);

    if (c->u.handle.type != UV_TCP ||
        uv_tcp_getpeername(&c->u.tcp, (struct sockaddr *)&sa, &n) < 0)
        return;
    c->peer = peer_of((const struct sockaddr *)&sa);
    c->address = scraper_peer((const struct sockaddr *)&sa);
}

static bool too_many_of_peer(const struct http_limits *l, const struct peer *p,
                             unsigned count)
{
    if (l->max_per_peer)
        return count > l->max_per_peer;
    return !peer_loopback(p) && count > (l->max_connections + 1) / 2;
}

void conn_turn_away(struct conn *c)
{
    conn_refuse(c, c->turned_away,
                c->turned_away == 503 ? "too many connections"
                                      : "too many connections of one peer",
                "Retry-After: 1\r\n");
}

/* False: refused, and on its way out. With TLS that has to wait for the handshake. */
static bool let_in(struct conn *c)
{
    struct http_server *s = c->server;
    unsigned of_peer = peers_add(&s->peers, &c->peer);

    if (s->conn_count > s->limits.max_connections + REFUSED_MAX) {
        conn_met(c, HTTP_LIMIT_CONNECTIONS);
        conn_close(c);
        return false;
    }
    if (s->conn_count > s->limits.max_connections) {
        c->turned_away = 503;
    } else if (too_many_of_peer(&s->limits, &c->peer, of_peer)) {
        c->turned_away = 429;
    }
    if (!c->turned_away || c->session)
        return true;
    conn_turn_away(c);
    return false;
}

void conn_accept(struct listener *l)
{
    struct http_server *s = l->server;
    struct conn *c = mem_zalloc(sizeof(*c));
    int rc = l->is_unix ? uv_pipe_init(s->loop, &c->u.pipe, 0)
                        : uv_tcp_init(s->loop, &c->u.tcp);

    if (rc < 0) {
        free(c);
        return;
    }
    c->server = s;
    c->endpoint = l->endpoint;
    c->name = l->name;
    adopt(c, &c->u.handle);
    uv_timer_init(s->loop, &c->timer); /* cannot fail */
    adopt(c, (uv_handle_t *)&c->timer);
    http_init(&c->reader, s->limits.head_bytes, s->limits.body_bytes);
    conn_ask_for_bodies(c);
    c->next = s->conns;
    if (c->next)
        c->next->prev = c;
    s->conns = c;
    s->conn_count++;
    if (s->self)
        self_connections(s->self, 1);

    if (uv_accept(&l->u.stream, &c->u.stream) < 0) {
        conn_close(c);
        return;
    }
    find_peer(c);
    conn_tls_start(c, l);
    if (!let_in(c))
        return;
    if (!l->is_unix)
        uv_tcp_nodelay(&c->u.tcp, 1);
    conn_deadline(c, s->limits.read_timeout_ms);
    conn_read_on(c);
}
