/*
 * conn_tls.c - bytes on the wire ↔ what is said.
 *
 * A handshake costs a hundred times what a request does. When many clients come at once
 * they get TURN_NS of each loop turn together, and everything else goes on in between.
 */
#include "server/http/conn_tls.h"

#include <stdio.h>

#include "server/http/address.h"
#include "server/log.h"
#include "server/web/transport.h"

enum {
    TURN_NS = 2 * 1000 * 1000, /* of handshakes */
    TRY_BYTES = 1024 * 1024,   /* encrypted before the loop goes round */
    RECORD_BYTES = 16 * 1024,  /* one TLS record */
    TELL_MS = 60 * 1000,       /* between two lines on failed handshakes */
};

/* ---- life ----------------------------------------------------------------------- */

void conn_tls_start(struct conn *c, const struct listener *l)
{
    struct transport_context *context = c->server->transport;

    if (!context || l->is_unix)
        return;
    c->transport = context->transport;
    c->session = c->transport->session_new(context);
}

void conn_tls_end(struct conn *c)
{
    if (c->session)
        c->transport->session_free(c->session);
    c->session = NULL;
}

bool conn_tls_opening(const struct conn *c)
{
    return c->session && c->transport->state(c->session) == TRANSPORT_OPENING;
}

size_t conn_tls_pending(const struct conn *c)
{
    const char *p;

    return c->session ? c->transport->outgoing(c->session, &p) : 0;
}

/* ---- what goes wrong ------------------------------------------------------------ */

/* One line a minute at most: anybody can make handshakes fail. */
static void tell(struct conn *c, const char *reason)
{
    struct http_server *s = c->server;
    struct sockaddr_storage sa = { 0 };
    char peer[ADDRESS_TEXT_MAX] = "", more[24];
    int n = sizeof(sa);

    if (s->tls_told_ms && uv_now(s->loop) - s->tls_told_ms < TELL_MS) {
        s->tls_untold++;
        return;
    }
    if (uv_tcp_getpeername(&c->u.tcp, (struct sockaddr *)&sa, &n) == 0)
        address_text((struct sockaddr *)&sa, (socklen_t)n, peer);
    snprintf(more, sizeof more, "%llu", (unsigned long long)s->tls_untold);
    log_line(LOG_INFO, "TLS connection failed", "endpoint", c->name, "peer", peer,
             "reason", reason, "untold_before", more, NULL);
    s->tls_told_ms = uv_now(s->loop);
    s->tls_untold = 0;
}

void conn_tls_cut(struct conn *c, const char *reason)
{
    conn_met(c, HTTP_LIMIT_TLS);
    tell(c, reason);
}

/* Negative: the socket has failed. */
static int flush_now(struct conn *c)
{
    const char *p;
    size_t n = c->transport->outgoing(c->session, &p);
    uv_buf_t b = uv_buf_init((char *)(uintptr_t)p, (unsigned)n);
    int sent = n > 0 ? uv_try_write(&c->u.stream, &b, 1) : 0;

    if (sent == UV_EAGAIN)
        sent = 0;
    if (sent > 0)
        c->transport->sent(c->session, (size_t)sent);
    return sent;
}

void conn_tls_broken(struct conn *c)
{
    conn_tls_cut(c, c->transport->problem(c->session));
    answer_release(&c->answer);
    /* What it says of it to the client: an alert, or an answer to plain HTTP. */
    if (flush_now(c) < 0)
        conn_close(c);
    else
        conn_linger(c);
}

void conn_tls_goodbye(struct conn *c)
{
    if (!c->session)
        return;
    c->transport->close(c->session);
    flush_now(c);
}

/* ---- in ------------------------------------------------------------------------- */

static void on_flushed(uv_write_t *rq, int status);

/* What the session itself has to say: of the handshake, tickets, keys. */
static void flush(struct conn *c)
{
    const char *p;
    uv_buf_t b;

    if (flush_now(c) < 0) {
        conn_close(c);
        return;
    }
    c->batch = c->transport->outgoing(c->session, &p);
    if (c->batch == 0)
        return;
    c->state = FLUSHING;
    uv_read_stop(&c->u.stream);
    c->write.data = c;
    b = uv_buf_init((char *)(uintptr_t)p, (unsigned)c->batch);
    if (uv_write(&c->write, &c->u.stream, &b, 1, on_flushed) < 0)
        conn_close(c);
}

static void on_flushed(uv_write_t *rq, int status)
{
    struct conn *c = rq->data;

    if (status < 0 || c->closing) {
        conn_close(c);
        return;
    }
    c->transport->sent(c->session, c->batch);
    c->state = READING;
    conn_go_on(c);
}

/* As much as there is and as one read brings, so that a client's turn is one turn. */
static size_t decrypt(struct conn *c)
{
    char *to = c->server->input;
    size_t n = 0, got;

    while (n < READ_BYTES &&
           (got = c->transport->read(c->session, to + n, READ_BYTES - n)) > 0)
        n += got;
    return n;
}

/* Goes on with the handshake; false: that has to wait for the next turn. */
static bool shake_hands(struct conn *c)
{
    struct http_server *s = c->server;
    uint64_t began_ns;

    if (s->shaking_ms != uv_now(s->loop)) {
        s->shaking_ms = uv_now(s->loop);
        s->shaking_ns = 0;
    }
    if (s->shaking_ns > TURN_NS)
        return false;
    began_ns = uv_hrtime();
    c->transport->read(c->session, NULL, 0);
    s->shaking_ns += uv_hrtime() - began_ns;
    return true;
}

void conn_tls_hear(struct conn *c)
{
    size_t n = 0;

    if (conn_tls_opening(c) && !shake_hands(c)) {
        uv_read_stop(&c->u.stream);
        conn_fall_behind(c);
        return;
    }
    if (c->turned_away && c->transport->state(c->session) == TRANSPORT_OPEN) {
        conn_turn_away(c);
        return;
    }
    while (c->state == READING && !c->closing && (n = decrypt(c)) > 0)
        conn_consume(c, c->server->input, n);
    if (c->closing || c->state != READING)
        return;
    switch (c->transport->state(c->session)) {
    case TRANSPORT_BROKEN:
        conn_tls_broken(c);
        break;
    case TRANSPORT_ENDED:
        conn_close(c);
        break;
    case TRANSPORT_OPENING:
    case TRANSPORT_OPEN:
        flush(c);
        break;
    }
}

void conn_tls_received(struct conn *c, const char *p, size_t n)
{
    c->greeted = true;
    c->transport->receive(c->session, p, n);
    conn_tls_hear(c);
}

/* ---- out ------------------------------------------------------------------------ */

/* Up to one record of the answer, in one piece. */
static size_t next_record(struct conn *c, char to[RECORD_BYTES])
{
    uv_buf_t *iov = c->server->iov;
    unsigned count = answer_gather(&c->answer, iov, ANSWER_PIECES_MAX, RECORD_BYTES);
    size_t n = 0;

    for (unsigned i = 0; i < count; i++) {
        memcpy(to + n, iov[i].base, iov[i].len);
        n += iov[i].len;
    }
    return n;
}

/* Encrypts what comes next of the answer, as much as may wait. */
static void seal(struct conn *c)
{
    char record[RECORD_BYTES];

    while (c->answer.left > 0) {
        size_t n = next_record(c, record);
        size_t taken = c->transport->write(c->session, record, n);

        answer_advance(&c->answer, taken);
        if (taken < n)
            break;
    }
}

bool conn_tls_try(struct conn *c)
{
    size_t total = 0;
    int sent;

    do {
        seal(c);
        sent = flush_now(c);
        if (sent < 0) {
            conn_close(c);
            return false;
        }
        total += (size_t)sent;
    } while (c->answer.left > 0 && sent > 0 && conn_tls_pending(c) == 0 &&
             total < TRY_BYTES);
    if (c->transport->state(c->session) != TRANSPORT_BROKEN)
        return true;
    conn_tls_broken(c);
    return false;
}

unsigned conn_tls_gather(struct conn *c, uv_buf_t iov[])
{
    const char *p;
    size_t n;

    seal(c);
    n = c->transport->outgoing(c->session, &p);
    if (n == 0 || c->transport->state(c->session) == TRANSPORT_BROKEN)
        return 0;
    iov[0] = uv_buf_init((char *)(uintptr_t)p, (unsigned)n);
    return 1;
}

void conn_tls_sent(struct conn *c, size_t n)
{
    c->transport->sent(c->session, n);
}
