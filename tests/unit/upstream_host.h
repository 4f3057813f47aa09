/*
 * upstream_host.h - a database on the loop of the test: it speaks the API's HTTP and JSON,
 * answers as the test tells it, and remembers what it was asked.
 */
#ifndef TESTS_UNIT_UPSTREAM_HOST_H
#define TESTS_UNIT_UPSTREAM_HOST_H

#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "core/buf.h"

enum { ASKED_MAX = 256 };

struct asked {
    bool post, total;
    char query[4096];
    int64_t start_s, end_s; /* of a range */
    double time_s;          /* of a total */
};

struct database {
    uv_tcp_t listener;
    uv_loop_t *loop;
    int port;
    struct asked asked[ASKED_MAX];
    unsigned count;
    struct database_conn *conns;
    /* The test's: the answer's status, and its body behind what is in out already. NULL
     * status: no answer at all. */
    const char *(*answer)(const struct asked *a, struct buf *out);
};

struct database_conn {
    uv_tcp_t tcp;
    struct database *d;
    struct database_conn *next, **from;
    struct buf in;
};

static inline void database_closed(uv_handle_t *h)
{
    struct database_conn *c = h->data;

    buf_deinit(&c->in);
    *c->from = c->next;
    if (c->next)
        c->next->from = c->from;
    free(c);
}

static inline void database_hang_up(struct database_conn *c)
{
    if (!uv_is_closing((uv_handle_t *)&c->tcp))
        uv_close((uv_handle_t *)&c->tcp, database_closed);
}

static inline void database_said(uv_write_t *w, int status)
{
    (void)status;
    free(w);
}

static inline void database_say(struct database_conn *c, const char *status,
                                const struct buf *body)
{
    struct buf b = { 0 };
    uv_write_t *w;
    uv_buf_t out;

    buf_fmt(&b,
            "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: "
            "%zu\r\n\r\n",
            status, body->n);
    buf_view(&b, buf_as_view(body));
    w = malloc(sizeof *w + b.n);
    out = uv_buf_init((char *)(w + 1), (unsigned)b.n);
    memcpy(out.base, b.p, b.n);
    buf_deinit(&b);
    assert_int_equal(uv_write(w, (uv_stream_t *)&c->tcp, &out, 1, database_said), 0);
}

static inline void database_decode(struct view v, char *to, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < v.n && n + 1 < size; i++) {
        char hex[3] = { 0 };

        if (v.p[i] == '%' && i + 2 < v.n) {
            memcpy(hex, v.p + i + 1, 2);
            to[n++] = (char)strtol(hex, NULL, 16);
            i += 2;
        } else {
            to[n++] = (char)(v.p[i] == '+' ? ' ' : v.p[i]);
        }
    }
    to[n] = '\0';
}

static inline void database_arguments(struct asked *a, struct view arguments)
{
    struct view part, key;
    bool nocache = false, latency = false, step = false;

    while (view_split(&arguments, '&', &part)) {
        char value[4096];

        view_split(&part, '=', &key);
        database_decode(part, value, sizeof value);
        if (view_eq(key, VIEW("query")))
            snprintf(a->query, sizeof a->query, "%s", value);
        else if (view_eq(key, VIEW("start")))
            a->start_s = strtoll(value, NULL, 10);
        else if (view_eq(key, VIEW("end")))
            a->end_s = strtoll(value, NULL, 10);
        else if (view_eq(key, VIEW("time")))
            a->time_s = strtod(value, NULL);
        else if (view_eq(key, VIEW("step")))
            step = strcmp(value, "5") == 0;
        else if (view_eq(key, VIEW("nocache")))
            nocache = strcmp(value, "1") == 0;
        else if (view_eq(key, VIEW("latency_offset")))
            latency = strcmp(value, "1ms") == 0;
        else if (!view_eq(key, VIEW("timeout")))
            fail_msg("an argument nobody knows: %.*s", VIEW_ARG(key));
    }
    assert_true(nocache && latency && step == !a->total);
}

static inline bool database_request(struct database_conn *c)
{
    const char *end = c->in.n ? memmem(c->in.p, c->in.n, "\r\n\r\n", 4) : NULL;
    struct view rest, method, path, arguments;
    struct asked *a = &c->d->asked[c->d->count];
    struct buf body = { 0 };
    const char *status, *p;
    size_t head, length = 0;

    if (!end)
        return false;
    head = (size_t)(end + 4 - c->in.p);
    p = memmem(c->in.p, head, "Content-Length: ", 16);
    if (p)
        length = strtoul(p + 16, NULL, 10);
    if (c->in.n < head + length)
        return false;
    assert_true(c->d->count < ASKED_MAX);
    c->d->count++;
    rest = (struct view){ c->in.p, head };
    view_split(&rest, ' ', &method);
    view_split(&rest, ' ', &arguments);
    view_split(&arguments, '?', &path);
    *a = (struct asked){ .post = view_eq(method, VIEW("POST")),
                         .total = view_eq(path, VIEW("/api/v1/query")) };
    assert_true(a->total || view_eq(path, VIEW("/api/v1/query_range")));
    database_arguments(a,
                       a->post ? (struct view){ c->in.p + head, length } : arguments);
    status = c->d->answer(a, &body);
    if (status)
        database_say(c, status, &body);
    buf_deinit(&body);
    memmove(c->in.p, c->in.p + head + length, c->in.n - head - length);
    c->in.n -= head + length;
    return true;
}

static inline void database_alloc(uv_handle_t *h, size_t n, uv_buf_t *b)
{
    (void)h;
    *b = uv_buf_init(malloc(n), (unsigned)n);
}

static inline void database_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct database_conn *c = s->data;

    if (n > 0) {
        buf_add(&c->in, b->base, (size_t)n);
        while (database_request(c))
            ;
    }
    free(b->base);
    if (n < 0)
        database_hang_up(c);
}

static inline void database_accept(uv_stream_t *listener, int status)
{
    struct database *d = listener->data;
    struct database_conn *c = calloc(1, sizeof *c);

    assert_int_equal(status, 0);
    uv_tcp_init(d->loop, &c->tcp);
    c->tcp.data = c;
    c->d = d;
    c->from = &d->conns;
    c->next = d->conns;
    if (c->next)
        c->next->from = &c->next;
    d->conns = c;
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&c->tcp), 0);
    uv_read_start((uv_stream_t *)&c->tcp, database_alloc, database_read);
}

/* port 0: a free one. */
static inline void database_listen(struct database *d, uv_loop_t *loop, int port)
{
    struct sockaddr_in a;
    int n = sizeof a;

    d->loop = loop;
    uv_ip4_addr("127.0.0.1", port, &a);
    uv_tcp_init(loop, &d->listener);
    d->listener.data = d;
    assert_int_equal(uv_tcp_bind(&d->listener, (struct sockaddr *)&a, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&d->listener, 64, database_accept), 0);
    uv_tcp_getsockname(&d->listener, (struct sockaddr *)&a, &n);
    d->port = ntohs(a.sin_port);
}

static inline void database_stop(struct database *d)
{
    if (!uv_is_closing((uv_handle_t *)&d->listener))
        uv_close((uv_handle_t *)&d->listener, NULL);
    for (struct database_conn *c = d->conns; c; c = c->next)
        database_hang_up(c);
}

#endif
