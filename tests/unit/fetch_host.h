/*
 * fetch_host.h - a little HTTP server on the loop of the test, which answers as badly as
 * it is told to, and a client that waits for answers.
 */
#ifndef TESTS_UNIT_FETCH_HOST_H
#define TESTS_UNIT_FETCH_HOST_H

#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include <uv.h>
#include <zlib.h>

#include "server/fetch/fetch.h"

struct site {
    uv_tcp_t listener;
    uv_loop_t *loop;
    int port;
    unsigned accepted, requests, open;
    struct buf seen;  /* the last request: head and body */
    const char *away; /* where "/away" leads */
    struct site_conn *conns;
};

struct site_conn {
    uv_tcp_t tcp;
    uv_timer_t drip;
    struct site *site;
    struct site_conn *next, **from;
    struct buf in;
    bool close_after;
    const char *endless; /* said again and again; NULL: nothing */
    unsigned handles, dripped;
};

static inline void conn_closed(uv_handle_t *h)
{
    struct site_conn *c = h->data;

    if (--c->handles > 0)
        return;
    buf_deinit(&c->in);
    *c->from = c->next;
    if (c->next)
        c->next->from = c->from;
    c->site->open--;
    free(c);
}

static inline void conn_end(struct site_conn *c)
{
    if (uv_is_closing((uv_handle_t *)&c->tcp))
        return;
    uv_close((uv_handle_t *)&c->tcp, conn_closed);
    uv_close((uv_handle_t *)&c->drip, conn_closed);
}

static inline void conn_say(struct site_conn *c, const void *p, size_t n);

static inline void conn_said(uv_write_t *w, int status)
{
    struct site_conn *c = w->handle->data;
    static char much[65536];
    size_t n = c->endless ? strlen(c->endless) : 0, filled = 0;

    free(w);
    for (; n && filled + n <= sizeof much; filled += n)
        memcpy(much + filled, c->endless, n);
    if (status == 0 && n)
        conn_say(c, much, filled);
    else if (status == 0 && c->close_after)
        conn_end(c);
}

static inline void conn_say(struct site_conn *c, const void *p, size_t n)
{
    uv_write_t *w = malloc(sizeof *w + n);
    uv_buf_t b = uv_buf_init((char *)(w + 1), (unsigned)n);

    memcpy(b.base, p, n);
    if (uv_write(w, (uv_stream_t *)&c->tcp, &b, 1, conn_said) < 0)
        free(w);
}

static inline void conn_text(struct site_conn *c, const char *text)
{
    conn_say(c, text, strlen(text));
}

static inline void on_drip(uv_timer_t *timer)
{
    struct site_conn *c = timer->data;

    conn_text(c, "x");
    c->dripped++;
}

/* gzip of n zeros. */
static inline struct buf zeros_gzip(size_t n)
{
    struct buf out = { 0 };
    z_stream z = { 0 };
    static unsigned char zeros[65536], to[65536];

    deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
    for (size_t left = n; left || z.avail_out == 0;) {
        size_t part = left < sizeof zeros ? left : sizeof zeros;

        z.next_in = zeros;
        z.avail_in = (unsigned)part;
        left -= part;
        do {
            z.next_out = to;
            z.avail_out = sizeof to;
            deflate(&z, left ? Z_NO_FLUSH : Z_FINISH);
            buf_add(&out, to, sizeof to - z.avail_out);
        } while (z.avail_out == 0);
    }
    deflateEnd(&z);
    return out;
}

enum { BOMB = 100 << 20 };

/* Made once, as it takes its time. */
static inline const struct buf *bomb(void)
{
    static struct buf z;

    if (!z.n)
        z = zeros_gzip(BOMB);
    return &z;
}

static inline void say_gzip(struct site_conn *c, const struct buf *z)
{
    struct buf head = { 0 };

    buf_fmt(&head,
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
            z->n);
    conn_say(c, head.p, head.n);
    conn_say(c, z->p, z->n);
    buf_deinit(&head);
}

static inline void say_body(struct site_conn *c, const char *status, const char *more,
                            struct view body)
{
    struct buf b = { 0 };

    buf_fmt(&b, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%.*s", status, more,
            body.n, VIEW_ARG(body));
    conn_say(c, b.p, b.n);
    buf_deinit(&b);
}

static inline bool asks(struct view path, const char *for_it)
{
    return view_eq(path, view_of(for_it));
}

/* A chunk of one byte, and much that is none of it. */
#define E64      "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define EXTENDED "1;" E64 E64 E64 E64 E64 E64 E64 E64 "\r\na\r\n"

/* How the body of the path misbehaves; false: it does not. */
static inline bool say_badly(struct site_conn *c, struct view path)
{
    if (asks(path, "/cut")) {
        c->close_after = true;
        conn_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
    } else if (asks(path, "/cut-chunk")) {
        c->close_after = true;
        conn_text(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
    } else if (asks(path, "/shut")) {
        conn_end(c);
    } else if (asks(path, "/garbage")) {
        c->close_after = true;
        conn_text(c, "SSH-2.0-\x1b[31mnone\r\n");
    } else if (asks(path, "/drip")) {
        conn_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        uv_timer_start(&c->drip, on_drip, 10, 10);
    } else if (asks(path, "/endless")) {
        c->endless = "x";
        conn_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
    } else if (asks(path, "/endless-head")) {
        c->endless = "X-A: b\r\n";
        conn_text(c, "HTTP/1.1 200 OK\r\n");
    } else if (asks(path, "/endless-heads")) {
        c->endless = "HTTP/1.1 103 Early Hints\r\nX-A: b\r\n\r\n";
        conn_text(c, c->endless);
    } else if (asks(path, "/endless-trailers")) {
        c->endless = "X-A: b\r\n";
        conn_text(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n");
    } else if (asks(path, "/endless-extension")) {
        c->endless = EXTENDED;
        conn_text(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    } else if (asks(path, "/bomb")) {
        say_gzip(c, bomb());
    } else if (!asks(path, "/hang")) {
        return false;
    }
    return true;
}

static inline void say_answer(struct site_conn *c, struct view path, struct view body)
{
    char line[256];

    if (say_badly(c, path))
        return;
    if (asks(path, "/chunked")) {
        conn_text(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
    } else if (asks(path, "/gzip")) {
        struct buf z = zeros_gzip(300000);

        say_gzip(c, &z);
        buf_deinit(&z);
    } else if (asks(path, "/loop")) {
        say_body(c, "302 Found", "Location: /loop\r\n", VIEW("moved"));
    } else if (asks(path, "/away")) {
        snprintf(line, sizeof line, "Location: %s\r\n", c->site->away);
        say_body(c, "307 Temporary Redirect", line, VIEW(""));
    } else if (asks(path, "/mirror")) { /* as debugging pages do */
        say_body(c, "400 Bad", "", buf_as_view(&c->site->seen));
    } else if (asks(path, "/503")) {
        say_body(c, "503 Busy", "Retry-After: 7\r\n", VIEW("not now"));
    } else if (asks(path, "/401")) {
        say_body(c, "401 Who", "", VIEW("who"));
    } else if (asks(path, "/echo")) {
        say_body(c, "200 OK", "Content-Type: text/plain\r\n", body);
    } else if (asks(path, "/once")) { /* a connection that does not live on */
        c->close_after = true;
        say_body(c, "200 OK", "", VIEW("once"));
    } else {
        say_body(c, "200 OK", "Content-Type: application/json\r\n", VIEW("{\"a\":1}"));
    }
}

static inline bool one_request(struct site_conn *c)
{
    const char *end = c->in.n ? memmem(c->in.p, c->in.n, "\r\n\r\n", 4) : NULL;
    struct view all = buf_as_view(&c->in), path, rest, word;
    size_t head, length = 0;

    if (!end)
        return false;
    head = (size_t)(end + 4 - c->in.p);
    rest = (struct view){ c->in.p, head };

    const char *p = memmem(rest.p, rest.n, "Content-Length: ", 16);

    if (p)
        length = strtoul(p + 16, NULL, 10);
    if (all.n < head + length)
        return false;
    buf_release(&c->site->seen);
    buf_add(&c->site->seen, all.p, head + length);
    c->site->requests++;
    view_split(&rest, ' ', &word);
    view_split(&rest, ' ', &path);
    say_answer(c, path, (struct view){ all.p + head, length });
    memmove(c->in.p, c->in.p + head + length, c->in.n - head - length);
    c->in.n -= head + length;
    return true;
}

static inline void on_alloc(uv_handle_t *h, size_t n, uv_buf_t *b)
{
    (void)h;
    *b = uv_buf_init(malloc(n), (unsigned)n);
}

static inline void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct site_conn *c = s->data;

    if (n > 0) {
        buf_add(&c->in, b->base, (size_t)n);
        while (!uv_is_closing((uv_handle_t *)s) && one_request(c))
            ;
    }
    free(b->base);
    if (n < 0)
        conn_end(c);
}

static inline void on_connection(uv_stream_t *listener, int status)
{
    struct site *s = listener->data;
    struct site_conn *c = calloc(1, sizeof *c);

    assert_int_equal(status, 0);
    uv_tcp_init(s->loop, &c->tcp);
    uv_timer_init(s->loop, &c->drip);
    c->tcp.data = c->drip.data = c;
    c->handles = 2;
    c->site = s;
    c->from = &s->conns;
    c->next = s->conns;
    if (c->next)
        c->next->from = &c->next;
    s->conns = c;
    s->accepted++;
    s->open++;
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&c->tcp), 0);
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

static inline void site_start(struct site *s, uv_loop_t *loop)
{
    struct sockaddr_in a;
    int n = sizeof a;

    *s = (struct site){ .loop = loop };
    uv_ip4_addr("127.0.0.1", 0, &a);
    uv_tcp_init(loop, &s->listener);
    s->listener.data = s;
    uv_tcp_bind(&s->listener, (struct sockaddr *)&a, 0);
    assert_int_equal(uv_listen((uv_stream_t *)&s->listener, 64, on_connection), 0);
    uv_tcp_getsockname(&s->listener, (struct sockaddr *)&a, &n);
    s->port = ntohs(a.sin_port);
}

static inline void site_stop(struct site *s)
{
    uv_close((uv_handle_t *)&s->listener, NULL);
    for (struct site_conn *c = s->conns; c; c = c->next)
        conn_end(c);
    buf_deinit(&s->seen);
}

static inline bool site_saw(const struct site *s, const char *text)
{
    return s->seen.n && memmem(s->seen.p, s->seen.n, text, strlen(text)) != NULL;
}

#endif
