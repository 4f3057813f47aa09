/*
 * http_host.h - real connections over loopback: the server on a thread of its own,
 * clients in the test.
 */
#ifndef TESTS_UNIT_HTTP_HOST_H
#define TESTS_UNIT_HTTP_HOST_H

#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "server/http/server.h"

enum { LARGE = 8 * 1024 * 1024, PATIENCE_MS = 20000 };

static struct {
    uv_loop_t loop;
    uv_async_t stop, wake;
    pthread_t thread;
    struct http_server *server;
    struct self *self;
    struct body *small, *large;
    unsigned stop_timeout_ms;
    int close_rc;
    int port;
    unsigned page_ms; /* that a page takes to make */
    /* What the page's paths answer; NULL: that of all tests that ask for none. */
    void (*page)(const struct request *rq, struct reply *out);
    void (*woken)(void);     /* in the loop, when wake was sent; NULL: it cannot be */
    atomic_bool fresh;       /* the next large answer is of a new generation */
    const struct door *door; /* NULL: none */
    /* NULL: plain; what a reload changes it to. One reference each, which goes away. */
    struct transport_context *transport, *next_transport;
    uint64_t met[HTTP_LIMIT_COUNT];
} host;

/* More pieces than one writev takes, of different sizes. */
static inline struct body *large_body(void)
{
    struct body *b = body_new();
    char *x = malloc(LARGE / 64);

    body_family(b, "n");
    for (int i = 0; i < 3000; i++) {
        memset(x, 'a' + i % 26, 1000);
        body_add(b, chunk_new((struct view){ x, (size_t)(1 + i % 1000) }));
    }
    memset(x, 'z', LARGE / 64);
    for (int i = 0; i < 64; i++)
        body_add(b, chunk_new((struct view){ x, LARGE / 64 }));
    free(x);
    return b;
}

static inline size_t site_bodies(void *ctx, int endpoint,
                                 struct body *out[REPLY_BODIES_MAX])
{
    (void)ctx;
    if (endpoint < 0 && atomic_exchange(&host.fresh, false)) {
        body_unref(host.large);
        host.large = large_body();
    }
    out[0] = endpoint < 0 ? host.large : host.small;
    return 1;
}

static inline bool site_ready(void *ctx)
{
    (void)ctx;
    return true;
}

static inline int site_reload(void *ctx, struct err *e)
{
    (void)ctx;
    (void)e;
    if (host.next_transport)
        http_server_transport(host.server, host.next_transport);
    host.next_transport = NULL;
    return 0;
}

static inline void site_page(void *ctx, int endpoint, const struct request *rq,
                             struct reply *out)
{
    (void)ctx;
    (void)endpoint;
    if (host.page) {
        host.page(rq, out);
        return;
    }
    usleep(host.page_ms * 1000);
    out->status = 200;
    out->content_type = "text/html; charset=utf-8";
    buf_fmt(&out->text, "page, %d too slow",
            (int)http_server_met(host.server, HTTP_LIMIT_SLOW_MEMORY));
}

static inline void on_done(void *ctx)
{
    (void)ctx;
    for (size_t i = 0; i < HTTP_LIMIT_COUNT; i++)
        host.met[i] = http_server_met(host.server, i);
    assert_int_equal(http_server_connections(host.server), 0);
    http_server_free(host.server);
}

static inline void on_stop(uv_async_t *async)
{
    http_server_stop(host.server, host.stop_timeout_ms, on_done, NULL);
    uv_close((uv_handle_t *)async, NULL);
    if (host.woken)
        uv_close((uv_handle_t *)&host.wake, NULL);
}

static inline void on_wake(uv_async_t *async)
{
    (void)async;
    host.woken();
}

static inline void *run_loop(void *arg)
{
    (void)arg;
    uv_run(&host.loop, UV_RUN_DEFAULT);
    return NULL;
}

static inline void make(const struct http_limits *limits)
{
    static const struct site site = { .bodies = site_bodies,
                                      .ready = site_ready,
                                      .reload = site_reload,
                                      .page = site_page,
                                      .seed = 1,
                                      .allowed_hosts = "" };
    struct http_limits usual;

    signal(SIGPIPE, SIG_IGN);
    http_limits_init(&usual);
    assert_int_equal(uv_loop_init(&host.loop), 0);
    host.stop_timeout_ms = 5000;
    host.self = self_new("1", "r");
    host.small = body_new();
    body_family(host.small, "m");
    body_add(host.small, chunk_new(VIEW("m 1\n")));
    host.large = large_body();
    host.server =
        http_server_new(&host.loop, &site, host.self, limits ? limits : &usual);
    if (host.door)
        http_server_door(host.server, host.door);
    http_server_transport(host.server, host.transport);
    host.transport = NULL;
}

static inline void start(const struct http_limits *limits)
{
    struct err e = { 0 };

    make(limits);
    if (http_server_listen(host.server, 0, "results", VIEW("127.0.0.1:0"), &e) < 0 ||
        http_server_start(host.server, &e) < 0)
        fail_msg("%s", e.text);
    host.port =
        (int)strtol(strrchr(http_server_address(host.server, 0), ':') + 1, NULL, 10);
    assert_int_equal(uv_async_init(&host.loop, &host.stop, on_stop), 0);
    if (host.woken)
        assert_int_equal(uv_async_init(&host.loop, &host.wake, on_wake), 0);
    assert_int_equal(pthread_create(&host.thread, NULL, run_loop, NULL), 0);
}

static inline void let_go(void)
{
    assert_int_equal(host.small->refs, 1);
    assert_int_equal(host.large->refs, 1);
    body_unref(host.small);
    body_unref(host.large);
    self_free(host.self);
    assert_int_equal(uv_loop_close(&host.loop), 0);
}

static inline void stop_and_join(void)
{
    uv_async_send(&host.stop);
    pthread_join(host.thread, NULL);
    let_go();
}

/* ---- a client ------------------------------------------------------------------- */

static inline int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline int dial(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                              .sin_port = htons((uint16_t)host.port) };
    struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static inline void say(int fd, const char *text)
{
    size_t n = strlen(text);

    assert_int_equal(send(fd, text, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* All until the server closes; a zero byte is added. */
static inline struct buf hear_out(int fd)
{
    struct buf got = { 0 };

    for (;;) {
        char *room = buf_room(&got, 65536);
        ssize_t n = recv(fd, room, 65536, 0);

        if (n < 0)
            fail_msg("no end of the answer: %s", strerror(errno));
        if (n == 0)
            break;
        buf_commit(&got, (size_t)n);
    }
    buf_char(&got, '\0');
    return got;
}

/* One answer without waiting for the end of the connection: head and content. */
static inline struct buf hear_one(int fd)
{
    struct buf got = { 0 };
    const char *length;
    size_t want;

    for (;;) {
        char *room = buf_room(&got, 2);

        if (recv(fd, room, 1, 0) != 1)
            fail_msg("connection ended early");
        room[1] = '\0';
        buf_commit(&got, 1);
        if (strstr(got.p, "\r\n\r\n"))
            break;
    }
    length = strstr(got.p, "Content-Length: ");
    assert_non_null(length);
    want = strtoul(length + 16, NULL, 10);
    for (size_t n = 0; n < want;) {
        char *room = buf_room(&got, want - n + 1);
        ssize_t k = recv(fd, room, want - n, 0);

        assert_true(k > 0);
        buf_commit(&got, (size_t)k);
        n += (size_t)k;
    }
    got.p[got.n] = '\0';
    return got;
}

/* Takes the entity tag out, which differs from process to process. */
static inline void without_tag(char *answer)
{
    char *from = strstr(answer, "ETag: ");
    char *to = from ? strstr(from, "\r\n") : NULL;

    if (to)
        memmove(from, to + 2, strlen(to + 2) + 1);
}

static inline void hears(int fd, const char *want)
{
    struct buf got = hear_one(fd);

    without_tag(got.p);
    assert_string_equal(got.p, want);
    buf_deinit(&got);
}

#define HEALTHY                                                                        \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"                   \
    "Content-Length: 3\r\n\r\nOK\n"
#define METRICS                                                                        \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"    \
    "Content-Length: 4\r\nVary: Accept, Accept-Encoding\r\n\r\nm 1\n"

static inline void ends_with_status(const char *request, const char *status)
{
    int fd = dial();
    struct buf got;

    say(fd, request);
    got = hear_out(fd);
    if (strncmp(got.p, status, strlen(status)) != 0)
        fail_msg("%s, not %s", got.p, status);
    assert_non_null(strstr(got.p, "\r\nConnection: close\r\n"));
    buf_deinit(&got);
    close(fd);
}

/* ---- tests ---------------------------------------------------------------------- */

static inline void check_large(const struct buf *got)
{
    const char *p = strstr(got->p, "\r\n\r\n");

    assert_non_null(p);
    p += 4;
    for (int i = 0; i < 3000; i++)
        for (int k = 0; k < 1 + i % 1000; k++)
            if (*p++ != 'a' + i % 26)
                fail_msg("wrong byte in piece %d", i);
    for (int i = 0; i < LARGE; i++)
        if (*p++ != 'z')
            fail_msg("wrong byte %d of the end", i);
}

#endif
