/*
 * conn_read.c - bytes → requests, each client in its turn.
 *
 * A client may send many requests at once. It gets TURN_ANSWERS of them, or what
 * TURN_NS suffices for, and then the others' events come first: the rest waits for the
 * next loop turn.
 */
#include "server/http/conn_inner.h"

#include "server/http/conn_tls.h"

enum {
    TURN_ANSWERS = 16,
    TURN_NS = 1000 * 1000,
    LINGER_BYTES = 1024 * 1024,
};

static void alloc_input(uv_handle_t *h, size_t suggested, uv_buf_t *out)
{
    struct conn *c = h->data;

    (void)suggested;
    *out = uv_buf_init(c->server->input, sizeof(c->server->input));
}

/* The deadline that the reader's state asks for. */
static void reading_deadline(struct conn *c)
{
    /* Until something is said the time from the accept counts, handshake included. */
    if (!c->spoke)
        return;
    if (c->intake) {
        c->reading_since = false;
        conn_deadline(c, c->intake->idle_ms);
        return;
    }
    if (!c->reader.began) {
        c->reading_since = false;
        conn_deadline(c, c->server->limits.idle_timeout_ms);
    } else if (!c->reading_since) {
        c->reading_since = true;
        conn_deadline(c, c->server->limits.read_timeout_ms);
    }
}

/* ---- turns ---------------------------------------------------------------------- */

void conn_fall_behind(struct conn *c)
{
    struct http_server *s = c->server;

    c->state = BEHIND;
    c->in_behind = true;
    c->next_behind = s->behind;
    s->behind = c;
    uv_idle_start(&s->turn, conn_share_out);
}

/* True if the next request of this client has to wait for the others. */
static bool had_its_share(struct conn *c, uint64_t turn_began_ns)
{
    return c->answers >= TURN_ANSWERS || c->began_ns - turn_began_ns > TURN_NS;
}

/* A socket that takes no 25 bytes now holds an answer nobody reads. */
void conn_say_continue(struct conn *c)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const size_t n = sizeof(go_on) - 1;
    uv_buf_t b = uv_buf_init((char *)(uintptr_t)go_on, n);

    if (c->session ? c->transport->write(c->session, go_on, n) != n
                   : uv_try_write(&c->u.stream, &b, 1) != (int)n)
        conn_close(c);
}

/* Handles what is in p as far as the state allows; returns how much that was. */
static size_t consume(struct conn *c, const char *p, size_t n)
{
    uint64_t turn_began_ns = 0;
    size_t used = 0;

    c->answers = 0;
    while (used < n && c->state == READING && !c->closing) {
        enum http_event event;

        if (c->answers > 0 && had_its_share(c, turn_began_ns)) {
            conn_fall_behind(c);
            break;
        }
        used += http_feed(&c->reader, p + used, n - used, &event);
        if (c->intake_full) {
            conn_close(c);
            break;
        }
        switch (event) {
        case HTTP_MORE:
            break;
        case HTTP_BODY:
            conn_body(c);
            break;
        case HTTP_CONTINUE:
            conn_say_continue(c);
            break;
        case HTTP_COMPLETE:
            if (c->intake)
                conn_body_over(c);
            else
                conn_answer(c);
            if (c->answers++ == 0)
                turn_began_ns = c->began_ns;
            break;
        case HTTP_REFUSED:
            conn_refuse(c, c->reader.status, c->reader.reason, NULL);
            break;
        }
    }
    return used;
}

void conn_go_on(struct conn *c)
{
    c->pending_used +=
        consume(c, c->pending.p + c->pending_used, c->pending.n - c->pending_used);
    if (c->closing || c->state != READING)
        return;
    if (c->server->stopping) { /* what it did not say in full is not waited for */
        conn_close(c);
        return;
    }
    buf_deinit(&c->pending);
    c->pending_used = 0;
    if (c->session) {
        conn_tls_hear(c);
        if (c->closing || c->state != READING)
            return;
    }
    reading_deadline(c);
    conn_read_on(c);
}

void conn_share_out(uv_idle_t *h)
{
    struct http_server *s = h->data;
    struct conn *c;

    /* Who falls behind again joins the list of the next turn. */
    s->turning = s->behind;
    s->behind = NULL;
    while ((c = s->turning)) {
        s->turning = c->next_behind;
        c->in_behind = false;
        c->state = READING;
        if (c->feed)
            conn_feed_on(c);
        else
            conn_go_on(c);
    }
    if (!s->behind)
        uv_idle_stop(&s->turn);
}

/* ---- the socket ----------------------------------------------------------------- */

void conn_consume(struct conn *c, const char *p, size_t n)
{
    size_t used;

    c->spoke = true;
    used = consume(c, p, n);
    if (c->closing || c->state == LINGERING || c->feed)
        return;
    if (c->state == READING) {
        reading_deadline(c);
        return;
    }
    uv_read_stop(&c->u.stream);
    if (used < n)
        buf_add(&c->pending, p + used, n - used);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct conn *c = stream->data;

    if (n < 0) {
        if (c->feed && n == UV_ETIMEDOUT)
            conn_met(c, HTTP_LIMIT_WRITE_TIMEOUT);
        if (c->greeted && conn_tls_opening(c))
            conn_tls_cut(c, "the client went before the handshake was done");
        conn_close(c);
        return;
    }
    if (c->state == LINGERING) {
        c->dropped += (size_t)n;
        if (c->dropped > LINGER_BYTES)
            conn_close(c);
        return;
    }
    if (c->feed)
        conn_feed_heard(c, b->base, (size_t)n);
    else if (c->session)
        conn_tls_received(c, b->base, (size_t)n);
    else
        conn_consume(c, b->base, (size_t)n);
}

void conn_read_on(struct conn *c)
{
    int rc = uv_read_start(&c->u.stream, alloc_input, on_read);

    if (rc < 0 && rc != UV_EALREADY)
        conn_close(c);
}
