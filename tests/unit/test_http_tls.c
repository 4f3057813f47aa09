/* A server that speaks TLS over loopback, and what clients hear of it. */
#include "tests/unit/http_host.h"

#include <fcntl.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "server/web/transport_open.h"
#include "tests/unit/certificates.h"

static const struct transport *tls;
static struct identity first, second;
static SSL_CTX *clients;

static int setup(void **state)
{
    struct err e;

    (void)state;
    if (transport_open(TRANSPORT_TLS, &tls, &e) < 0)
        fail_msg("%s", e.text);
    first = identity_make((struct wish){ .name = "first" });
    second = identity_make((struct wish){ .name = "second" });
    clients = SSL_CTX_new(TLS_client_method());
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    SSL_CTX_free(clients);
    identity_free(&first);
    identity_free(&second);
    return 0;
}

static struct transport_context *context_of(const struct identity *id)
{
    const struct tls_settings s = { .cert = id->certificate_pem, .key = id->key_pem };
    struct transport_context *c = NULL;
    struct err e;

    if (tls->server_context(&s, &c, &e) < 0)
        fail_msg("%s", e.text);
    return c;
}

static void start_tls(const struct http_limits *limits)
{
    host.transport = context_of(&first);
    start(limits);
}

static struct http_limits limits_of_tests(void)
{
    struct http_limits l;

    http_limits_init(&l);
    return l;
}

/* ---- a client ------------------------------------------------------------------- */

static SSL *wrap(int fd)
{
    SSL *ssl = SSL_new(clients);

    assert_int_equal(SSL_set_fd(ssl, fd), 1);
    SSL_set_connect_state(ssl);
    return ssl;
}

static SSL *call(void)
{
    SSL *ssl = wrap(dial());

    if (SSL_do_handshake(ssl) != 1)
        fail_msg("no handshake: %s", ERR_reason_error_string(ERR_peek_error()));
    return ssl;
}

static void hang_up(SSL *ssl)
{
    close(SSL_get_fd(ssl));
    SSL_free(ssl);
    ERR_clear_error();
}

static void ask(SSL *ssl, const char *text)
{
    assert_int_equal(SSL_write(ssl, text, (int)strlen(text)), (int)strlen(text));
}

static void take(SSL *ssl, struct buf *to, size_t n)
{
    while (n > 0) {
        char *room = buf_room(to, n + 1);
        int got = SSL_read(ssl, room, (int)n);

        if (got <= 0)
            fail_msg("connection ended early");
        buf_commit(to, (size_t)got);
        n -= (size_t)got;
        to->p[to->n] = '\0';
    }
}

/* One answer, head and content. */
static struct buf answer_of(SSL *ssl)
{
    struct buf got = { 0 };
    const char *length;

    do
        take(ssl, &got, 1);
    while (!strstr(got.p, "\r\n\r\n"));
    length = strstr(got.p, "Content-Length: ");
    assert_non_null(length);
    take(ssl, &got, strtoul(length + 16, NULL, 10));
    return got;
}

static void answers(SSL *ssl, const char *want)
{
    struct buf got = answer_of(ssl);

    without_tag(got.p);
    assert_string_equal(got.p, want);
    buf_deinit(&got);
}

/* The end, as TLS says it: a client can tell it from one that somebody made. */
static void ends_well(SSL *ssl)
{
    char byte;

    assert_int_equal(SSL_get_error(ssl, SSL_read(ssl, &byte, 1)),
                     SSL_ERROR_ZERO_RETURN);
}

static void ask_to_the_end(const char *request, const char *status)
{
    SSL *ssl = call();
    struct buf got;

    ask(ssl, request);
    got = answer_of(ssl);
    if (strncmp(got.p, status, strlen(status)) != 0)
        fail_msg("%s, not %s", got.p, status);
    assert_non_null(strstr(got.p, "\r\nConnection: close\r\n"));
    buf_deinit(&got);
    ends_well(ssl);
    hang_up(ssl);
}

/* Waits until the server has closed. */
static void is_closed(int fd)
{
    char bytes[4096];
    ssize_t n;

    while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
        ;
    if (n < 0 && errno != ECONNRESET)
        fail_msg("not closed: %s", strerror(errno));
}

/* ---- what works as without ------------------------------------------------------ */

static void connections_are_kept_between_requests(void **state)
{
    SSL *ssl;

    (void)state;
    start_tls(NULL);
    ssl = call();
    for (int i = 0; i < 3; i++) {
        ask(ssl, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
        answers(ssl, HEALTHY);
        ask(ssl, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
        answers(ssl, METRICS);
    }
    hang_up(ssl);
    stop_and_join();
    assert_int_equal(host.met[HTTP_LIMIT_TLS], 0);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    SSL *ssl;

    (void)state;
    start_tls(NULL);
    ssl = call();
    /* One record each: far more of them than one turn takes. */
    for (int i = 0; i < 600; i++)
        ask(ssl, i % 2 ? "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
                       : "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; i < 600; i++)
        answers(ssl, i % 2 ? METRICS : HEALTHY);
    hang_up(ssl);
    stop_and_join();
}

static void large_answers_arrive_whole_and_in_order(void **state)
{
    SSL *ssl;

    (void)state;
    start_tls(NULL);
    ssl = call();
    for (int i = 0; i < 3; i++) {
        ask(ssl, "GET /metrics/all HTTP/1.1\r\nHost: a\r\n\r\n");
        for (int k = 0; k < 500; k++)
            ask(ssl, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for (int i = 0; i < 3; i++) {
        struct buf got = answer_of(ssl);

        check_large(&got);
        buf_deinit(&got);
        for (int k = 0; k < 500; k++)
            answers(ssl, HEALTHY);
    }
    hang_up(ssl);
    stop_and_join();
}

static void a_request_may_come_in_a_record_per_byte(void **state)
{
    static const char request[] = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
    SSL *ssl;

    (void)state;
    start_tls(NULL);
    ssl = call();
    for (size_t i = 0; i < sizeof request - 1; i++)
        assert_int_equal(SSL_write(ssl, request + i, 1), 1);
    answers(ssl, HEALTHY);
    hang_up(ssl);
    stop_and_join();
}

static void a_client_may_wait_for_the_word_to_go_on(void **state)
{
    struct buf got = { 0 };
    SSL *ssl;

    (void)state;
    start_tls(NULL);
    ssl = call();
    ask(ssl, "POST /-/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\n"
             "Expect: 100-continue\r\n\r\n");
    take(ssl, &got, strlen("HTTP/1.1 100 Continue\r\n\r\n"));
    assert_string_equal(got.p, "HTTP/1.1 100 Continue\r\n\r\n");
    buf_deinit(&got);
    ask(ssl, "abc");
    got = answer_of(ssl);
    assert_int_equal(strncmp(got.p, "HTTP/1.1 200 ", 13), 0);
    buf_deinit(&got);
    hang_up(ssl);
    stop_and_join();
}

static void refusals_are_heard_and_the_end_is_said(void **state)
{
    struct http_limits l = limits_of_tests();

    (void)state;
    l.read_timeout_ms = 300;
    start_tls(&l);
    ask_to_the_end("GET /health HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\n");
    ask_to_the_end("nonsense\r\n\r\n", "HTTP/1.1 400 ");
    ask_to_the_end("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\nabc",
                   "HTTP/1.1 413 ");
    ask_to_the_end("GET / HTTP/1.1\r\nHos", "HTTP/1.1 408 "); /* and no more */
    stop_and_join();
    assert_int_equal(host.met[HTTP_LIMIT_READ_TIMEOUT], 1);
    assert_int_equal(host.met[HTTP_LIMIT_TLS], 0);
}

static void an_idle_client_is_told_of_the_end(void **state)
{
    struct http_limits l = limits_of_tests();
    SSL *ssl;

    (void)state;
    l.idle_timeout_ms = 200;
    start_tls(&l);
    ssl = call();
    ask(ssl, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    answers(ssl, HEALTHY);
    ends_well(ssl);
    hang_up(ssl);
    stop_and_join();
    assert_int_equal(host.met[HTTP_LIMIT_IDLE], 1);
}

static void a_client_that_leaves_half_way_harms_nobody(void **state)
{
    struct linger reset = { 1, 0 };

    (void)state;
    start_tls(NULL);
    for (int i = 0; i < 20; i++) {
        SSL *ssl = call();

        ask(ssl, "GET /metrics/all HTTP/1.1\r\nHost: a\r\n\r\nGET /heal");
        if (i % 2)
            setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        if (i % 3)
            usleep(2000);
        if (i % 5 == 0)
            SSL_shutdown(ssl);
        hang_up(ssl);
    }
    ask_to_the_end("GET /health HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\n");
    stop_and_join();
}

/* ---- limits --------------------------------------------------------------------- */

static void too_many_are_told_so_in_tls(void **state)
{
    struct http_limits l = limits_of_tests();
    SSL *a, *b;

    (void)state;
    l.max_connections = 1;
    start_tls(&l);
    a = call();
    ask_to_the_end("GET /health HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 503 ");
    ask(a, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    answers(a, HEALTHY);
    hang_up(a);
    stop_and_join();
    assert_int_equal(host.met[HTTP_LIMIT_CONNECTIONS], 1);

    l.max_connections = 100;
    l.max_per_peer = 1;
    start_tls(&l);
    a = call();
    b = call(); /* says nothing and is told all the same */
    struct buf got = answer_of(b);

    assert_int_equal(strncmp(got.p, "HTTP/1.1 429 ", 13), 0);
    assert_non_null(strstr(got.p, "Retry-After: 1\r\n"));
    buf_deinit(&got);
    ends_well(b);
    hang_up(b);
    hang_up(a);
    stop_and_join();
    assert_int_equal(host.met[HTTP_LIMIT_PEER_CONNECTIONS], 1);
}

static void the_handshake_counts_for_the_first_byte(void **state)
{
    struct http_limits l = limits_of_tests();
    int silent, half;
    int64_t began;
    SSL *done;

    (void)state;
    l.read_timeout_ms = 300;
    start_tls(&l);
    began = now_ms();
    silent = dial();
    half = dial();
    send(half, "\x16\x03\x01", 3, MSG_NOSIGNAL);
    done = call();
    is_closed(silent);
    is_closed(half);
    ends_well(done);
    assert_true(now_ms() - began >= 290);
    close(silent);
    close(half);
    hang_up(done);
    stop_and_join();
    assert_int_equal(host.met[HTTP_LIMIT_FIRST_BYTE], 2); /* silent and done */
    assert_int_equal(host.met[HTTP_LIMIT_TLS], 1);        /* half */
}

static void a_handshake_that_drips_does_not_gain_time(void **state)
{
    struct http_limits l = limits_of_tests();
    BIO *out = BIO_new(BIO_s_mem());
    SSL *ssl = SSL_new(clients);
    int64_t began;
    char *hello;
    int fd;

    (void)state;
    l.read_timeout_ms = 400;
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    SSL_set_connect_state(ssl);
    SSL_do_handshake(ssl);
    BIO_get_mem_data(out, &hello);
    start_tls(&l);
    fd = dial();
    began = now_ms();
    for (int i = 0; i < 200; i++) {
        struct pollfd p = { .fd = fd, .events = POLLRDHUP };

        if (poll(&p, 1, 10) > 0)
            break;
        send(fd, hello + i, 1, MSG_NOSIGNAL);
    }
    is_closed(fd);
    assert_in_range(now_ms() - began, 350, 1500);
    close(fd);
    SSL_free(ssl);
    stop_and_join();
    assert_int_equal(host.met[HTTP_LIMIT_TLS], 1);
}

/*
 * While the loop is held up, many clients begin and one that is known asks something. It
 * is answered before all of them are served, although it was the last to come.
 */
static void many_handshakes_hold_up_nobody(void **state)
{
    enum { CLIENTS = 200 };
    struct pollfd p[CLIENTS];
    struct http_limits l = limits_of_tests();
    SSL *known, *busy, *all[CLIENTS];
    int served;

    (void)state;
    l.max_per_peer = 1000;
    start_tls(&l);
    known = call();
    busy = call();
    for (int i = 0; i < CLIENTS; i++) {
        p[i] = (struct pollfd){ .fd = dial(), .events = POLLIN };
        all[i] = wrap(p[i].fd);
        fcntl(p[i].fd, F_SETFL, O_NONBLOCK);
    }
    for (int i = 0; i < 2; i++) { /* now they are accepted */
        ask(known, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
        answers(known, HEALTHY);
    }
    host.page_ms = 1000;
    ask(busy, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    usleep(100 * 1000); /* it is at it: were it not, the test would only be easier */
    for (int i = 0; i < CLIENTS; i++)
        SSL_do_handshake(all[i]); /* says hello */
    ask(known, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    answers(known, HEALTHY);
    poll(p, CLIENTS, 0);
    served = 0;
    for (int i = 0; i < CLIENTS; i++)
        served += p[i].revents != 0;
    assert_in_range(served, 0, CLIENTS / 2);
    host.page_ms = 0;
    for (int i = 0; i < CLIENTS; i++) {
        fcntl(p[i].fd, F_SETFL, 0);
        assert_int_equal(SSL_do_handshake(all[i]), 1);
        ask(all[i], "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
        answers(all[i], HEALTHY);
        hang_up(all[i]);
    }
    hang_up(busy);
    hang_up(known);
    stop_and_join();
}

/* Carries bytes between the memory of ssl and fd, n at a time. */
static bool carry(SSL *ssl, int fd, size_t n)
{
    char bytes[4096];
    int k = BIO_read(SSL_get_wbio(ssl), bytes, (int)n);

    if (k > 0) {
        assert_int_equal(send(fd, bytes, (size_t)k, MSG_NOSIGNAL), k);
        return true;
    }
    k = (int)recv(fd, bytes, n, 0);
    assert_true(k > 0);
    BIO_write(SSL_get_rbio(ssl), bytes, k);
    return true;
}

static void a_handshake_byte_by_byte_is_done(void **state)
{
    SSL *ssl = SSL_new(clients);
    int on = 1, fd;

    (void)state;
    start_tls(NULL);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl);
    fd = dial();
    setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
    while (SSL_do_handshake(ssl) != 1)
        carry(ssl, fd, 1);
    SSL_write(ssl, "GET /health HTTP/1.0\r\n\r\n", 24);

    char got[512];
    int n;

    while ((n = SSL_read(ssl, got, sizeof got - 1)) <= 0)
        carry(ssl, fd, 1);
    got[n] = '\0';
    assert_int_equal(strncmp(got, "HTTP/1.1 200 OK\r\n", 17), 0);
    close(fd);
    SSL_free(ssl);
    stop_and_join();
}

static void failures_are_counted_and_harm_nobody(void **state)
{
    static const char *const noise[] = { "SSH-2.0-x\r\n",
                                         "\x16\x03\x01\xff\xff\x01\x02",
                                         "\xff\xff\xff\xff\xff\xff\xff" };
    SSL *ssl;
    char byte;
    int fd;

    (void)state;
    start_tls(NULL);
    for (size_t i = 0; i < sizeof noise / sizeof *noise; i++) {
        fd = dial();
        say(fd, noise[i]);
        is_closed(fd);
        close(fd);
    }
    fd = dial();
    say(fd, "\x16\x03\x01"); /* cut */
    shutdown(fd, SHUT_WR);
    is_closed(fd);
    close(fd);
    fd = dial(); /* nothing said at all: not counted */
    close(fd);

    SSL_CTX *old = SSL_CTX_new(TLS_client_method());

    SSL_CTX_set_cipher_list(old, "ALL:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(old, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION);
    ssl = SSL_new(old);
    fd = dial();
    SSL_set_fd(ssl, fd);
    assert_int_equal(SSL_connect(ssl), -1);
    assert_non_null(
        strstr(ERR_reason_error_string(ERR_peek_error()), "alert protocol version"));
    hang_up(ssl);
    SSL_CTX_free(old);

    ssl = call(); /* a change on the way */
    ask(ssl, "GET /heal");
    fd = SSL_get_fd(ssl);
    send(fd, "\x17\x03\x03\x00\x20 0123456789abcdef0123456789abcde", 5 + 32, 0);
    assert_true(SSL_read(ssl, &byte, 1) <= 0);
    assert_non_null(
        strstr(ERR_reason_error_string(ERR_peek_error()), "bad record mac"));
    hang_up(ssl);

    ask_to_the_end("GET /health HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\n");
    stop_and_join();
    /* 3 of noise, 1 cut, 1 old, 1 changed */
    assert_int_equal(host.met[HTTP_LIMIT_TLS], 6);
}

static void plain_http_is_told_to_use_tls(void **state)
{
    struct buf got, flood = { 0 };
    int fd;

    (void)state;
    start_tls(NULL);
    fd = dial();
    /* More than is read before the answer goes out: it must not be lost in a reset. */
    buf_str(&flood, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n");
    for (int i = 0; i < 20000; i++)
        buf_str(&flood, "0123456789");
    send(fd, flood.p, flood.n, MSG_NOSIGNAL);
    got = hear_out(fd);
    assert_string_equal(got.p, "HTTP/1.0 400 Bad Request\r\n"
                               "Content-Type: text/plain; charset=utf-8\r\n"
                               "Connection: close\r\n\r\n"
                               "Client sent an HTTP request to an HTTPS server.\n");
    buf_deinit(&got);
    buf_deinit(&flood);
    close(fd);
    stop_and_join();
    assert_int_equal(host.met[HTTP_LIMIT_TLS], 1);
}

/* Sends what of text the socket takes; how much that was. */
static size_t push(int fd, const struct buf *text, size_t from)
{
    ssize_t n = send(fd, text->p + from, text->n - from, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n <= 0 && errno != EAGAIN)
        fail_msg("%zu bytes from %zu: %s", text->n, from, strerror(errno));
    return n > 0 ? (size_t)n : 0;
}

static bool may_send(int fd, int within_ms)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };

    return poll(&p, 1, within_ms) > 0;
}

/* Many changes of keys, each of which the server must answer with one of its own. */
static void make_updates(SSL *ssl, struct buf *out)
{
    char *p;
    long n;

    for (int i = 0; i < 500; i++) {
        assert_int_equal(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(ssl), 1);
    }
    n = BIO_get_mem_data(SSL_get_wbio(ssl), &p);
    buf_add(out, p, (size_t)n);
    (void)BIO_reset(SSL_get_wbio(ssl));
}

/* Of the server's listener, and so of the connections it accepts. */
static void small_buffers(void)
{
    for (int fd = 3; fd < 100; fd++) {
        socklen_t n = sizeof(int);
        int listens = 0, small = 64 * 1024;

        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n);
        if (!listens)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        return;
    }
    fail_msg("nobody listens");
}

/*
 * A client that makes the server say more and more of TLS itself, and takes nothing of
 * it, must find that the server reads no more.
 */
static void what_tls_says_waits_for_the_client(void **state)
{
    enum { FAR_TOO_MUCH = 4 * 1024 * 1024 };
    struct buf said = { 0 };
    SSL *ssl = SSL_new(clients);
    size_t sent = 0, total = 0;
    char got[4096], *p;
    long more;
    int small = 64 * 1024, fd, n;

    (void)state;
    start_tls(NULL);
    small_buffers();
    fd = dial();
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl);
    while (SSL_do_handshake(ssl) != 1)
        carry(ssl, fd, 4096);
    SSL_write(ssl, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n", 33);
    while (SSL_read(ssl, got, sizeof got) <= 0)
        carry(ssl, fd, 4096);
    while (may_send(fd, 500)) {
        if (sent == said.n) {
            total += sent;
            buf_release(&said);
            sent = 0;
            make_updates(ssl, &said);
        }
        sent += push(fd, &said, sent);
        assert_true(total < FAR_TOO_MUCH);
    }
    /* Now the client takes it, and all is well again. */
    SSL_write(ssl, "GET /health HTTP/1.0\r\n\r\n", 24);
    more = BIO_get_mem_data(SSL_get_wbio(ssl), &p);
    buf_add(&said, p, (size_t)more);
    (void)BIO_reset(SSL_get_wbio(ssl));
    while ((n = SSL_read(ssl, got, sizeof got - 1)) <= 0) {
        assert_int_equal(SSL_get_error(ssl, n), SSL_ERROR_WANT_READ);
        if (sent < said.n)
            sent += push(fd, &said, sent);
        ssize_t k = recv(fd, got, sizeof got, sent < said.n ? MSG_DONTWAIT : 0);

        assert_true(k > 0 || errno == EAGAIN);
        if (k > 0)
            BIO_write(SSL_get_rbio(ssl), got, (int)k);
    }
    got[n] = '\0';
    assert_int_equal(strncmp(got, "HTTP/1.1 200 OK\r\n", 17), 0);
    buf_deinit(&said);
    close(fd);
    SSL_free(ssl);
    stop_and_join();
}

/* ---- contexts ------------------------------------------------------------------- */

static void assert_shown(SSL *ssl, const struct identity *id)
{
    X509 *shown = SSL_get1_peer_certificate(ssl);

    assert_int_equal(X509_cmp(shown, id->certificate), 0);
    X509_free(shown);
}

static void a_new_certificate_disturbs_nobody(void **state)
{
    SSL *before, *after;
    struct buf got;

    (void)state;
    start_tls(NULL);
    host.next_transport = context_of(&second);
    before = call();
    ask(before, "GET /metrics/all HTTP/1.1\r\nHost: a\r\n\r\n"); /* under way */

    after = call();
    assert_shown(after, &first);
    ask(after, "POST /-/reload HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    got = answer_of(after);
    assert_int_equal(strncmp(got.p, "HTTP/1.1 200 ", 13), 0);
    buf_deinit(&got);
    hang_up(after);
    after = call();
    assert_shown(after, &second);

    got = answer_of(before);
    check_large(&got);
    buf_deinit(&got);
    for (int i = 0; i < 2; i++) {
        SSL *ssl = i ? after : before;

        ask(ssl, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
        answers(ssl, HEALTHY);
        hang_up(ssl);
    }
    stop_and_join();
}

static void tls_may_come_and_go(void **state)
{
    int plain;
    SSL *ssl;

    (void)state;
    start(NULL);
    host.next_transport = context_of(&first);
    plain = dial();
    say(plain, "POST /-/reload HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    struct buf got = hear_one(plain);

    buf_deinit(&got);
    ssl = call();
    ask(ssl, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    answers(ssl, HEALTHY);
    say(plain, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    hears(plain, HEALTHY);
    close(plain);
    hang_up(ssl);
    stop_and_join();
}

static void unix_sockets_stay_plain(void **state)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    char address[128];
    struct err e;
    int fd;

    (void)state;
    snprintf(un.sun_path, sizeof un.sun_path, "/tmp/encode_exporter-tls-%d.sock",
             (int)getpid());
    snprintf(address, sizeof address, "unix:%s", un.sun_path);
    host.transport = context_of(&first);
    make(NULL);
    assert_int_equal(
        http_server_listen(host.server, 0, "results", view_of(address), &e), 0);
    assert_int_equal(http_server_start(host.server, &e), 0);
    assert_int_equal(uv_async_init(&host.loop, &host.stop, on_stop), 0);
    assert_int_equal(pthread_create(&host.thread, NULL, run_loop, NULL), 0);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof un), 0);
    say(fd, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    hears(fd, HEALTHY);
    close(fd);
    stop_and_join();
}

static void a_stop_lets_answers_finish_and_says_the_end(void **state)
{
    SSL *busy, *idle, *young;
    struct buf got;

    (void)state;
    start_tls(NULL);
    busy = call();
    idle = call();
    young = wrap(dial()); /* no handshake */
    ask(idle, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    answers(idle, HEALTHY);
    ask(busy, "GET /metrics/all HTTP/1.1\r\nHost: a\r\n\r\n");
    char first_byte;

    assert_int_equal(SSL_read(busy, &first_byte, 1), 1); /* it is under way */
    uv_async_send(&host.stop);
    ends_well(idle);
    is_closed(SSL_get_fd(young));
    got = (struct buf){ 0 };
    buf_char(&got, first_byte);
    take(busy, &got, 1);
    while (!strstr(got.p, "\r\n\r\n"))
        take(busy, &got, 1);
    take(busy, &got, strtoul(strstr(got.p, "Content-Length: ") + 16, NULL, 10));
    check_large(&got);
    buf_deinit(&got);
    ends_well(busy);
    hang_up(busy);
    hang_up(idle);
    hang_up(young);
    pthread_join(host.thread, NULL);
    let_go();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_are_kept_between_requests),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(large_answers_arrive_whole_and_in_order),
        cmocka_unit_test(a_request_may_come_in_a_record_per_byte),
        cmocka_unit_test(a_client_may_wait_for_the_word_to_go_on),
        cmocka_unit_test(refusals_are_heard_and_the_end_is_said),
        cmocka_unit_test(an_idle_client_is_told_of_the_end),
        cmocka_unit_test(a_client_that_leaves_half_way_harms_nobody),
        cmocka_unit_test(too_many_are_told_so_in_tls),
        cmocka_unit_test(the_handshake_counts_for_the_first_byte),
        cmocka_unit_test(a_handshake_that_drips_does_not_gain_time),
        cmocka_unit_test(many_handshakes_hold_up_nobody),
        cmocka_unit_test(a_handshake_byte_by_byte_is_done),
        cmocka_unit_test(failures_are_counted_and_harm_nobody),
        cmocka_unit_test(plain_http_is_told_to_use_tls),
        cmocka_unit_test(what_tls_says_waits_for_the_client),
        cmocka_unit_test(a_new_certificate_disturbs_nobody),
        cmocka_unit_test(tls_may_come_and_go),
        cmocka_unit_test(unix_sockets_stay_plain),
        cmocka_unit_test(a_stop_lets_answers_finish_and_says_the_end),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
