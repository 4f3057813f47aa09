/* Real connections over loopback: the server on a thread of its own, clients here. */
#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
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
    uv_async_t stop;
    pthread_t thread;
    struct http_server *server;
    struct self *self;
    struct body *small, *large;
    unsigned stop_timeout_ms;
    int close_rc;
    int port;
    uint64_t met[HTTP_LIMIT_COUNT];
} host;

static size_t site_bodies(void *ctx, int endpoint, struct body *out[REPLY_BODIES_MAX])
{
    (void)ctx;
    out[0] = endpoint < 0 ? host.large : host.small;
    return 1;
}

static bool site_ready(void *ctx)
{
    (void)ctx;
    return true;
}

static int site_reload(void *ctx, struct err *e)
{
    (void)ctx;
    (void)e;
    return 0;
}

static void site_page(void *ctx, int endpoint, struct view asked, struct buf *html)
{
    (void)asked;
    (void)ctx;
    (void)endpoint;
    buf_str(html, "page");
}

static void on_done(void *ctx)
{
    (void)ctx;
    for (size_t i = 0; i < HTTP_LIMIT_COUNT; i++)
        host.met[i] = http_server_met(host.server, i);
    assert_int_equal(http_server_connections(host.server), 0);
    http_server_free(host.server);
}

static void on_stop(uv_async_t *async)
{
    http_server_stop(host.server, host.stop_timeout_ms, on_done, NULL);
    uv_close((uv_handle_t *)async, NULL);
}

static void *run_loop(void *arg)
{
    (void)arg;
    uv_run(&host.loop, UV_RUN_DEFAULT);
    return NULL;
}

static void make(const struct http_limits *limits)
{
    static const struct site site = { NULL, site_bodies, site_ready, site_reload,
                                      site_page };
    struct http_limits usual;
    char *x = malloc(LARGE / 64);

    signal(SIGPIPE, SIG_IGN);
    http_limits_init(&usual);
    assert_int_equal(uv_loop_init(&host.loop), 0);
    host.stop_timeout_ms = 5000;
    host.self = self_new("1", "r");
    host.small = body_new();
    body_family(host.small, "m");
    body_add(host.small, chunk_new(VIEW("m 1\n")));
    /* more pieces than one writev takes, of different sizes */
    host.large = body_new();
    body_family(host.large, "n");
    for (int i = 0; i < 3000; i++) {
        memset(x, 'a' + i % 26, 1000);
        body_add(host.large, chunk_new((struct view){ x, (size_t)(1 + i % 1000) }));
    }
    memset(x, 'z', LARGE / 64);
    for (int i = 0; i < 64; i++)
        body_add(host.large, chunk_new((struct view){ x, LARGE / 64 }));
    free(x);
    host.server =
        http_server_new(&host.loop, &site, host.self, limits ? limits : &usual);
}

static void start(const struct http_limits *limits)
{
    struct err e = { 0 };

    make(limits);
    if (http_server_listen(host.server, 0, "results", VIEW("127.0.0.1:0"), &e) < 0 ||
        http_server_start(host.server, &e) < 0)
        fail_msg("%s", e.text);
    host.port =
        (int)strtol(strrchr(http_server_address(host.server, 0), ':') + 1, NULL, 10);
    assert_int_equal(uv_async_init(&host.loop, &host.stop, on_stop), 0);
    assert_int_equal(pthread_create(&host.thread, NULL, run_loop, NULL), 0);
}

static void let_go(void)
{
    assert_int_equal(host.small->refs, 1);
    assert_int_equal(host.large->refs, 1);
    body_unref(host.small);
    body_unref(host.large);
    self_free(host.self);
    assert_int_equal(uv_loop_close(&host.loop), 0);
}

static void stop_and_join(void)
{
    uv_async_send(&host.stop);
    pthread_join(host.thread, NULL);
    let_go();
}

/* ---- a client ------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int dial(void)
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

static void say(int fd, const char *text)
{
    size_t n = strlen(text);

    assert_int_equal(send(fd, text, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* All until the server closes; a zero byte is added. */
static struct buf hear_out(int fd)
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
static struct buf hear_one(int fd)
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
static void without_tag(char *answer)
{
    char *from = strstr(answer, "ETag: ");
    char *to = from ? strstr(from, "\r\n") : NULL;

    if (to)
        memmove(from, to + 2, strlen(to + 2) + 1);
}

static void hears(int fd, const char *want)
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

static void ends_with_status(const char *request, const char *status)
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

static void connections_are_kept_between_requests(void **state)
{
    int fd;

    (void)state;
    start(NULL);
    fd = dial();
    for (int i = 0; i < 3; i++) {
        say(fd, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
        hears(fd, HEALTHY);
        say(fd, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
        hears(fd, METRICS);
    }
    close(fd);
    stop_and_join();
}

static void old_clients_are_answered_as_they_expect(void **state)
{
    struct buf got;
    int fd;

    (void)state;
    start(NULL);
    ends_with_status("GET /health HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\n");
    ends_with_status("GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                     "HTTP/1.1 200 OK\r\n");
    fd = dial();
    say(fd, "GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    got = hear_one(fd);
    assert_non_null(strstr(got.p, "\r\nConnection: keep-alive\r\n"));
    buf_deinit(&got);
    say(fd, "HEAD /metrics/all HTTP/1.0\r\n\r\n");
    got = hear_out(fd);
    /* 3 * (1 + 2 + … + 1000) + 8 MiB = 1501500 + 8388608 */
    assert_non_null(strstr(got.p, "Content-Length: 9890108\r\n"));
    assert_string_equal(got.p + got.n - 5, "\r\n\r\n");
    buf_deinit(&got);
    close(fd);
    stop_and_join();
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct buf ask = { 0 };
    int fd;

    (void)state;
    start(NULL);
    fd = dial();
    for (int i = 0; i < 200; i++)
        buf_str(&ask, i % 2 ? "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
                            : "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    buf_char(&ask, '\0');
    say(fd, ask.p);
    for (int i = 0; i < 200; i++)
        hears(fd, i % 2 ? METRICS : HEALTHY);
    buf_deinit(&ask);
    close(fd);
    stop_and_join();
}

/* The large body as site_bodies() made it, behind any head. */
static void check_large(const struct buf *got)
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

static void large_answers_arrive_whole_and_in_order(void **state)
{
    int fd;

    (void)state;
    start(NULL);
    fd = dial();
    /* requests behind a large answer wait for it; more than one read's worth of them */
    for (int i = 0; i < 3; i++) {
        say(fd, "GET /metrics/all HTTP/1.1\r\nHost: a\r\n\r\n");
        for (int k = 0; k < 1000; k++)
            say(fd, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for (int i = 0; i < 3; i++) {
        struct buf got = hear_one(fd);

        check_large(&got);
        buf_deinit(&got);
        for (int k = 0; k < 1000; k++)
            hears(fd, HEALTHY);
    }
    close(fd);
    stop_and_join();
}

static void a_client_that_leaves_half_way_harms_nobody(void **state)
{
    struct linger reset = { 1, 0 };

    (void)state;
    start(NULL);
    for (int i = 0; i < 20; i++) {
        int fd = dial();

        say(fd, "GET /metrics/all HTTP/1.1\r\nHost: a\r\n\r\nGET /heal");
        if (i % 2)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        if (i % 3)
            usleep(2000);
        close(fd);
    }
    ends_with_status("GET /health HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\n");
    stop_and_join();
}

static void a_client_that_only_stops_sending_gets_its_answer(void **state)
{
    struct buf got;
    int fd;

    (void)state;
    start(NULL);
    fd = dial();
    say(fd, "GET /metrics/all HTTP/1.1\r\nHost: a\r\n\r\n");
    shutdown(fd, SHUT_WR);
    got = hear_out(fd);
    check_large(&got);
    buf_deinit(&got);
    close(fd);
    stop_and_join();
}

static void bad_requests_hear_why_before_the_end(void **state)
{
    struct buf flood = { 0 };

    (void)state;
    start(NULL);
    ends_with_status("nonsense\r\n\r\n", "HTTP/1.1 400 ");
    ends_with_status("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ");
    ends_with_status("GET / HTTP/2.0\r\nHost: a\r\n\r\n", "HTTP/1.1 505 ");
    ends_with_status("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\nabc",
                     "HTTP/1.1 413 ");
    /* far more than was read when the answer went out: it must not be lost in a reset */
    buf_str(&flood, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    for (int i = 0; i < 100 * 1024; i++)
        buf_char(&flood, 'x');
    buf_char(&flood, '\0');
    ends_with_status(flood.p, "HTTP/1.1 431 ");
    memcpy(flood.p, "GET /aaaaaaaaaaaaaaaaaaaaaaaaa", 28);
    ends_with_status(flood.p, "HTTP/1.1 414 ");
    buf_deinit(&flood);
    stop_and_join();
    assert_int_equal(host.met[HTTP_LIMIT_REQUEST], 6);
}

static void expected_continue_is_sent_before_the_body(void **state)
{
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    char got[sizeof(interim)] = "";
    int fd;

    (void)state;
    start(NULL);
    fd = dial();
    say(fd, "POST /-/reload HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
            "Content-Length: 2\r\n\r\n");
    assert_int_equal(recv(fd, got, sizeof(got) - 1, MSG_WAITALL), sizeof(got) - 1);
    assert_string_equal(got, interim);
    say(fd, "ab");
    hears(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
              "Content-Length: 9\r\n\r\nreloaded\n");
    close(fd);
    stop_and_join();
}

static void slow_requests_time_out(void **state)
{
    struct http_limits limits;
    struct buf got;
    int fd, silent;
    int64_t begin = now_ms();

    (void)state;
    http_limits_init(&limits);
    limits.read_timeout_ms = 150;
    start(&limits);
    silent = dial();
    fd = dial();
    /* a byte every 20 ms keeps nothing alive */
    say(fd, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < 30; i++) {
        struct pollfd p = { .fd = fd, .events = POLLIN };

        if (send(fd, "X: a\r\n", 6, MSG_NOSIGNAL) < 0 || poll(&p, 1, 20) > 0)
            break;
    }
    got = hear_out(fd);
    assert_int_equal(strncmp(got.p, "HTTP/1.1 408 ", 13), 0);
    buf_deinit(&got);
    assert_in_range(now_ms() - begin, 140, 5000);
    /* who said nothing hears nothing */
    got = hear_out(silent);
    assert_int_equal(got.n, 1);
    buf_deinit(&got);
    close(fd);
    close(silent);
    stop_and_join();
    assert_int_equal(host.met[HTTP_LIMIT_READ_TIMEOUT], 1);
}

static void idle_connections_end_after_their_time(void **state)
{
    struct http_limits limits;
    struct buf got;
    int64_t begin;
    int fd;

    (void)state;
    http_limits_init(&limits);
    limits.read_timeout_ms = 100;
    limits.idle_timeout_ms = 400;
    start(&limits);
    fd = dial();
    say(fd, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    hears(fd, HEALTHY);
    begin = now_ms();
    got = hear_out(fd);
    assert_int_equal(got.n, 1);
    assert_in_range(now_ms() - begin, 300, 5000);
    buf_deinit(&got);
    close(fd);
    stop_and_join();
}

static void a_client_that_takes_nothing_is_let_go_and_delays_nobody(void **state)
{
    struct http_limits limits;
    int fd, other;
    char byte;
    int64_t begin = now_ms();

    (void)state;
    http_limits_init(&limits);
    limits.write_timeout_ms = 300;
    start(&limits);
    fd = dial();
    say(fd, "GET /metrics/all HTTP/1.1\r\nHost: a\r\n\r\n");
    other = dial();
    for (int i = 0; i < 10; i++) {
        say(other, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
        hears(other, HEALTHY);
    }
    assert_true(now_ms() - begin < 5000);
    close(other);
    usleep(900 * 1000);
    /* what the kernel had taken is still there, then the connection is over */
    while (recv(fd, &byte, 1, MSG_DONTWAIT) == 1)
        continue;
    assert_true(errno != EAGAIN);
    close(fd);
    stop_and_join();
    assert_int_equal(host.met[HTTP_LIMIT_WRITE_TIMEOUT], 1);
}

static void a_slow_reader_that_goes_on_is_kept(void **state)
{
    enum { PIECE = 512 * 1024 };
    struct http_limits limits;
    struct buf got = { 0 };
    int fd;

    (void)state;
    http_limits_init(&limits);
    limits.write_timeout_ms = 400;
    start(&limits);
    fd = dial();
    say(fd, "GET /metrics/all HTTP/1.0\r\n\r\n");
    /* 9.9 MB at 512 KiB per 50 ms: a second, more than twice the timeout */
    for (;;) {
        char *room = buf_room(&got, PIECE);
        ssize_t n = recv(fd, room, PIECE, MSG_WAITALL);

        assert_true(n >= 0);
        if (n == 0)
            break;
        buf_commit(&got, (size_t)n);
        usleep(50 * 1000);
    }
    buf_char(&got, '\0');
    check_large(&got);
    buf_deinit(&got);
    close(fd);
    stop_and_join();
    assert_int_equal(host.met[HTTP_LIMIT_WRITE_TIMEOUT], 0);
}

static void connections_beyond_the_limit_are_told_to_come_back(void **state)
{
    struct http_limits limits;
    struct buf got;
    int fds[3];

    (void)state;
    http_limits_init(&limits);
    limits.max_connections = 2;
    start(&limits);
    for (int i = 0; i < 2; i++) {
        fds[i] = dial();
        say(fds[i], "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
        hears(fds[i], HEALTHY);
    }
    fds[2] = dial();
    say(fds[2], "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    got = hear_out(fds[2]);
    assert_int_equal(strncmp(got.p, "HTTP/1.1 503 ", 13), 0);
    assert_non_null(strstr(got.p, "\r\nRetry-After: 1\r\n"));
    buf_deinit(&got);
    close(fds[2]);
    /* the others did not notice, and one that leaves makes room */
    say(fds[0], "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    hears(fds[0], HEALTHY);
    close(fds[1]);
    for (int i = 0; i < 100; i++) {
        int fd = dial();

        say(fd, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
        got = hear_one(fd);
        close(fd);
        if (strncmp(got.p, "HTTP/1.1 200 ", 13) == 0)
            break;
        buf_deinit(&got);
        usleep(10 * 1000);
    }
    assert_string_equal(got.p, HEALTHY);
    buf_deinit(&got);
    close(fds[0]);
    stop_and_join();
    assert_true(host.met[HTTP_LIMIT_CONNECTIONS] >= 1);
}

static void stopping_lets_answers_finish(void **state)
{
    struct buf got;
    int fd, idle;

    (void)state;
    start(NULL);
    idle = dial();
    say(idle, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    hears(idle, HEALTHY);
    fd = dial();
    say(fd, "GET /metrics/all HTTP/1.1\r\nHost: a\r\n\r\n");
    got = (struct buf){ 0 };
    assert_int_equal(recv(fd, buf_room(&got, 10), 10, MSG_WAITALL), 10);
    buf_commit(&got, 10);
    uv_async_send(&host.stop);
    /* the idle one is closed at once, the other one served to its end */
    assert_int_equal(recv(idle, &(char){ 0 }, 1, 0), 0);
    {
        struct buf rest = hear_out(fd);

        buf_add(&got, rest.p, rest.n);
        buf_deinit(&rest);
    }
    check_large(&got);
    buf_deinit(&got);
    close(fd);
    close(idle);
    pthread_join(host.thread, NULL);
    let_go();
}

static void stopping_waits_only_so_long(void **state)
{
    int64_t begin;
    int fd;

    (void)state;
    start(NULL);
    host.stop_timeout_ms = 200;
    fd = dial();
    say(fd, "GET /metrics/all HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(recv(fd, &(char){ 0 }, 1, 0), 1);
    begin = now_ms();
    stop_and_join();
    assert_in_range(now_ms() - begin, 150, 5000);
    close(fd);
}

static void sockets_in_the_file_system_are_served_and_cleaned_up(void **state)
{
    char dir[] = "/tmp/encode_testXXXXXX", address[80], path[64];
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    struct err e = { 0 };
    struct stat st;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/x.sock", dir);
    snprintf(address, sizeof(address), "unix:%s", path);
    memcpy(to.sun_path, path, strlen(path) + 1);
    /* left over from a process that was killed */
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    close(fd);

    make(NULL);
    assert_int_equal(
        http_server_listen(host.server, 0, "results", view_of(address), &e), 0);
    assert_int_equal(http_server_start(host.server, &e), 0);
    assert_string_equal(http_server_address(host.server, 0), address);
    /* in use now */
    assert_int_equal(http_server_listen(host.server, 1, "qoe", view_of(address), &e),
                     -EADDRINUSE);
    assert_non_null(strstr(e.text, path));
    uv_async_init(&host.loop, &host.stop, on_stop);
    pthread_create(&host.thread, NULL, run_loop, NULL);

    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    say(fd, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    hears(fd, HEALTHY);
    close(fd);
    stop_and_join();
    assert_int_equal(lstat(path, &st), -1);
    assert_int_equal(rmdir(dir), 0);
}

static void a_file_in_the_way_of_a_socket_stays(void **state)
{
    char path[] = "/tmp/encode_testXXXXXX", address[64];
    struct err e = { 0 };
    struct stat st;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    snprintf(address, sizeof(address), "unix:%s", path);
    make(NULL);
    assert_int_equal(
        http_server_listen(host.server, 0, "results", view_of(address), &e), -EEXIST);
    assert_non_null(strstr(e.text, "no socket"));
    http_server_stop(host.server, 0, on_done, NULL);
    uv_run(&host.loop, UV_RUN_DEFAULT);
    let_go();
    assert_int_equal(lstat(path, &st), 0);
    unlink(path);
}

static void a_port_that_is_taken_is_named(void **state)
{
    struct err e = { 0 };
    char address[64];

    (void)state;
    make(NULL);
    assert_int_equal(
        http_server_listen(host.server, 0, "results", VIEW("127.0.0.1:0"), &e), 0);
    assert_int_equal(http_server_start(host.server, &e), 0);
    snprintf(address, sizeof(address), "%s", http_server_address(host.server, 0));
    assert_int_equal(http_server_listen(host.server, 1, "qoe", view_of(address), &e),
                     -EADDRINUSE);
    assert_non_null(strstr(e.text, address));
    assert_non_null(strstr(e.text, "qoe"));
    assert_non_null(strstr(e.text, "already in use"));
    http_server_stop(host.server, 0, on_done, NULL);
    uv_run(&host.loop, UV_RUN_DEFAULT);
    let_go();
}

static void a_port_alone_is_served_to_ipv4_clients(void **state)
{
    struct err e = { 0 };
    int fd;

    (void)state;
    make(NULL);
    assert_int_equal(http_server_listen(host.server, 0, "results", VIEW(":0"), &e), 0);
    assert_int_equal(http_server_start(host.server, &e), 0);
    host.port =
        (int)strtol(strrchr(http_server_address(host.server, 0), ':') + 1, NULL, 10);
    uv_async_init(&host.loop, &host.stop, on_stop);
    pthread_create(&host.thread, NULL, run_loop, NULL);
    fd = dial();
    say(fd, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    hears(fd, HEALTHY);
    close(fd);
    stop_and_join();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_are_kept_between_requests),
        cmocka_unit_test(old_clients_are_answered_as_they_expect),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(large_answers_arrive_whole_and_in_order),
        cmocka_unit_test(a_client_that_leaves_half_way_harms_nobody),
        cmocka_unit_test(a_client_that_only_stops_sending_gets_its_answer),
        cmocka_unit_test(bad_requests_hear_why_before_the_end),
        cmocka_unit_test(expected_continue_is_sent_before_the_body),
        cmocka_unit_test(slow_requests_time_out),
        cmocka_unit_test(idle_connections_end_after_their_time),
        cmocka_unit_test(a_client_that_takes_nothing_is_let_go_and_delays_nobody),
        cmocka_unit_test(a_slow_reader_that_goes_on_is_kept),
        cmocka_unit_test(connections_beyond_the_limit_are_told_to_come_back),
        cmocka_unit_test(stopping_lets_answers_finish),
        cmocka_unit_test(stopping_waits_only_so_long),
        cmocka_unit_test(sockets_in_the_file_system_are_served_and_cleaned_up),
        cmocka_unit_test(a_file_in_the_way_of_a_socket_stays),
        cmocka_unit_test(a_port_that_is_taken_is_named),
        cmocka_unit_test(a_port_alone_is_served_to_ipv4_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
