/*
 * conn.c - one client.
 *
 *   reading    bytes go to the reader; each complete request is answered at once
 *   writing    the socket is full: reading stops until the answer is out, so a client
 *              costs one read's worth of its bytes at most, however much it sends
 *   lingering  the last answer is out and the client may not have said all: its bytes
 *              are heard and dropped for a moment, because closing on unread bytes
 *              makes the kernel reset the connection, and the answer would be lost
 *
 * An answer is first tried right away, as far as the socket takes it in one call; what
 * is left goes out in batches from write callbacks. Either way the loop goes round
 * between batches, and nothing here calls itself.
 *
 * The timer is not moved for each request: it looks at the deadline when it fires, and
 * is started anew only if a deadline comes before the time it is set for.
 */
#include "server/http/conn.h"

#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/http/http.h"

enum {
    BATCH_BYTES = 1024 * 1024,
    SLOWEST = 256,    /* bytes a millisecond: who takes less holds old bytes */
    STALL_CHECKS = 6, /* looks at a slow client per write timeout */
    REFUSED_MAX = 32, /* connections beyond the limit that still get a 503 */
    LINGER_BYTES = 1024 * 1024,
};

enum conn_state { READING, WRITING, LINGERING };

struct conn {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } u;
    uv_timer_t timer;
    uv_write_t write;
    uv_shutdown_t shutdown;

    struct http_server *server;
    struct conn *prev, *next;
    const char *name; /* of the endpoint */
    int endpoint;
    unsigned open; /* handles whose close callback has not run */
    bool closing;

    enum conn_state state;
    struct http_reader reader;
    bool keep_alive;    /* after the answer under way */
    bool unheard;       /* the client may have more to say that nobody reads */
    struct buf pending; /* arrived while an answer was under way */
    size_t pending_used;

    struct answer answer;
    size_t batch;      /* bytes of it that libuv has */
    uint64_t began_ns; /* uv_hrtime() when its request was complete */
    bool timed;        /* it is an answer to a request */

    bool reading_since;   /* the deadline is that of the request being read */
    uint64_t deadline_ms; /* uv_now() */
    uint64_t timer_ms;    /* when the timer fires; 0: it is not running */
    size_t unsent;        /* at the last look */
    uint64_t moved_ms;    /* when a byte was last seen to move */
    uint64_t late_ms;     /* when the answer under way must be out */
    size_t dropped;       /* bytes heard while lingering */
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

void conn_close(struct conn *c)
{
    if (c->closing)
        return;
    c->closing = true;
    c->server->conn_count--;
    if (c->server->self)
        self_connections(c->server->self, -1);
    uv_close(&c->u.handle, on_closed); /* pending writes: ECANCELED */
    uv_close((uv_handle_t *)&c->timer, on_closed);
}

struct conn *conn_next(const struct conn *c)
{
    return c->next;
}

/* ---- time ----------------------------------------------------------------------- */

static void deadline(struct conn *c, uint64_t in_ms)
{
    uint64_t now = uv_now(c->server->loop);

    c->deadline_ms = now + in_ms;
    if (c->timer_ms && c->timer_ms <= c->deadline_ms)
        return;
    c->timer_ms = c->deadline_ms;
    uv_timer_start(&c->timer, on_timer, in_ms, 0);
}

static void watch_stall(struct conn *c)
{
    deadline(c, c->server->limits.write_timeout_ms / STALL_CHECKS + 1);
}

/* The deadline that the reader's state asks for. */
static void reading_deadline(struct conn *c)
{
    if (!c->reader.began) {
        c->reading_since = false;
        deadline(c, c->server->limits.idle_timeout_ms);
    } else if (!c->reading_since) {
        c->reading_since = true;
        deadline(c, c->server->limits.read_timeout_ms);
    }
}

/* ---- answering ------------------------------------------------------------------ */

static void on_shutdown(uv_shutdown_t *rq, int status)
{
    struct conn *c = rq->data;

    if (status < 0)
        conn_close(c);
}

static void alloc_input(uv_handle_t *h, size_t suggested, uv_buf_t *out)
{
    struct conn *c = h->data;

    (void)suggested;
    *out = uv_buf_init(c->server->input, sizeof(c->server->input));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b);

static void read_on(struct conn *c)
{
    int rc = uv_read_start(&c->u.stream, alloc_input, on_read);

    if (rc < 0 && rc != UV_EALREADY)
        conn_close(c);
}

static void linger(struct conn *c)
{
    c->state = LINGERING;
    buf_deinit(&c->pending);
    c->pending_used = 0;
    c->shutdown.data = c;
    if (uv_shutdown(&c->shutdown, &c->u.stream, on_shutdown) < 0) {
        conn_close(c);
        return;
    }
    deadline(c, c->server->limits.linger_timeout_ms);
    read_on(c);
}

/* The last byte of the answer is the kernel's. */
static void answered(struct conn *c)
{
    struct self *self = c->server->self;

    if (self)
        self_request(self, c->name, c->answer.reply.status,
                     c->timed ? (double)(uv_hrtime() - c->began_ns) * 1e-9 : NAN);
    answer_release(&c->answer);
    if (!c->keep_alive || c->server->stopping) {
        if (c->unheard || c->pending_used < c->pending.n)
            linger(c);
        else
            conn_close(c);
        return;
    }
    http_next(&c->reader);
    c->state = READING;
    c->reading_since = false;
}

static void consume_pending(struct conn *c);
static void on_written(uv_write_t *rq, int status);

static void write_batch(struct conn *c)
{
    struct http_server *s = c->server;
    unsigned count = answer_gather(&c->answer, s->iov, ANSWER_PIECES_MAX, BATCH_BYTES);

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

    if (status < 0) {
        conn_close(c);
        return;
    }
    c->moved_ms = uv_now(c->server->loop);
    answer_advance(&c->answer, c->batch);
    if (c->answer.left > 0) {
        write_batch(c);
        return;
    }
    answered(c);
    if (!c->closing && c->state == READING)
        consume_pending(c);
}

/* Sends c->answer, which was started: now as far as it goes, the rest by and by. */
static void send_answer(struct conn *c)
{
    struct http_server *s = c->server;
    unsigned count = answer_gather(&c->answer, s->iov, ANSWER_PIECES_MAX, BATCH_BYTES);
    int n = uv_try_write(&c->u.stream, s->iov, count);

    if (n < 0 && n != UV_EAGAIN) {
        conn_close(c);
        return;
    }
    answer_advance(&c->answer, n > 0 ? (size_t)n : 0);
    if (c->answer.left == 0) {
        answered(c);
        return;
    }
    c->state = WRITING;
    c->moved_ms = uv_now(s->loop);
    c->late_ms = c->moved_ms + s->limits.write_timeout_ms + c->answer.left / SLOWEST;
    uv_read_stop(&c->u.stream);
    watch_stall(c);
    write_batch(c);
}

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

static void answer_request(struct conn *c)
{
    struct http_server *s = c->server;
    struct request rq;
    struct ready_key key;
    struct ready_answer *ready = NULL;
    bool plain; /* an answer to it says nothing of the connection */

    c->began_ns = uv_hrtime();
    c->timed = true;
    c->keep_alive = c->reader.keep_alive;
    http_request(&c->reader, &rq);
    plain = c->keep_alive && !s->stopping && !c->reader.http10 &&
            ready_asked(&s->site, c->endpoint, &rq, &key);
    if (plain)
        ready = ready_find(&s->ready, &key);
    if (ready) {
        answer_start_ready(&c->answer, ready);
    } else {
        route(&s->site, c->endpoint, &rq, &c->answer.reply);
        answer_start(&c->answer, c->keep_alive && !s->stopping, c->reader.http10,
                     &s->gzip);
        if (plain)
            keep_ready(c, &key);
    }
    send_answer(c);
}

/* Sends an answer to no request; the connection ends with it. */
static void answer_refusal(struct conn *c, int status, const char *reason,
                           const char *headers)
{
    struct reply *r = &c->answer.reply;

    r->status = status;
    r->content_type = "text/plain; charset=utf-8";
    r->headers = headers;
    buf_str(&r->text, reason);
    buf_char(&r->text, '\n');
    c->timed = c->keep_alive = false;
    c->unheard = true;
    answer_start(&c->answer, false, false, &c->server->gzip);
    send_answer(c);
}

/* ---- reading -------------------------------------------------------------------- */

/* Handles what is in p as far as the state allows; returns how much that was. */
static size_t consume(struct conn *c, const char *p, size_t n)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    size_t used = 0;

    while (used < n && c->state == READING && !c->closing) {
        enum http_event event;
        uv_buf_t interim;

        used += http_feed(&c->reader, p + used, n - used, &event);
        switch (event) {
        case HTTP_MORE:
            break;
        case HTTP_CONTINUE:
            interim = uv_buf_init((char *)(uintptr_t)go_on, sizeof(go_on) - 1);
            /* A socket that takes no 25 bytes now holds an answer nobody reads. */
            if (uv_try_write(&c->u.stream, &interim, 1) != (int)sizeof(go_on) - 1)
                conn_close(c);
            break;
        case HTTP_COMPLETE:
            answer_request(c);
            break;
        case HTTP_REFUSED:
            c->server->met[HTTP_LIMIT_REQUEST]++;
            answer_refusal(c, c->reader.status, c->reader.reason, NULL);
            break;
        }
    }
    return used;
}

/* After an answer that had to wait: first what arrived meanwhile, then the socket. */
static void consume_pending(struct conn *c)
{
    c->pending_used +=
        consume(c, c->pending.p + c->pending_used, c->pending.n - c->pending_used);
    if (c->closing || c->state != READING)
        return;
    buf_deinit(&c->pending);
    c->pending_used = 0;
    reading_deadline(c);
    read_on(c);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct conn *c = stream->data;
    size_t used;

    if (n < 0) {
        conn_close(c);
        return;
    }
    if (c->state == LINGERING) {
        c->dropped += (size_t)n;
        if (c->dropped > LINGER_BYTES)
            conn_close(c);
        return;
    }
    used = consume(c, b->base, (size_t)n);
    if (c->closing)
        return;
    if (c->state == READING)
        reading_deadline(c);
    else if (c->state == WRITING && used < (size_t)n)
        buf_add(&c->pending, b->base + used, (size_t)n - used);
}

/* ---- the timer ------------------------------------------------------------------ */

static void on_stall(struct conn *c)
{
    struct http_server *s = c->server;
    size_t unsent = uv_stream_get_write_queue_size(&c->u.stream);
    uint64_t now = uv_now(s->loop);

    if (unsent != c->unsent) {
        c->unsent = unsent;
        c->moved_ms = now;
    }
    if (now - c->moved_ms >= s->limits.write_timeout_ms || now >= c->late_ms) {
        s->met[HTTP_LIMIT_WRITE_TIMEOUT]++;
        conn_close(c);
        return;
    }
    watch_stall(c);
}

static void on_timer(uv_timer_t *timer)
{
    struct conn *c = timer->data;
    struct http_server *s = c->server;
    uint64_t now = uv_now(s->loop);

    c->timer_ms = 0;
    if (now < c->deadline_ms) {
        deadline(c, c->deadline_ms - now);
        return;
    }
    if (c->state == WRITING) {
        on_stall(c);
    } else if (c->state == READING && c->reader.began) {
        s->met[HTTP_LIMIT_READ_TIMEOUT]++;
        answer_refusal(c, 408, "the request did not arrive in time", NULL);
    } else {
        conn_close(c);
    }
}

/* ---- coming and going ----------------------------------------------------------- */

void conn_stop(struct conn *c)
{
    if (c->state == READING)
        conn_close(c);
    /* else the answer under way, or the moment after it, is the last */
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
    if (s->conn_count > s->limits.max_connections) {
        s->met[HTTP_LIMIT_CONNECTIONS]++;
        if (s->conn_count > s->limits.max_connections + REFUSED_MAX)
            conn_close(c);
        else
            answer_refusal(c, 503, "too many connections", "Retry-After: 1\r\n");
        return;
    }
    if (!l->is_unix)
        uv_tcp_nodelay(&c->u.tcp, 1);
    deadline(c, s->limits.read_timeout_ms);
    read_on(c);
}
