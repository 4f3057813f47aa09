/* A server from its start to its stop, and what plain clients hear of it. */
#include "tests/unit/http_host.h"

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
    assert_int_equal(host.met[HTTP_LIMIT_MALFORMED], 3);
    assert_int_equal(host.met[HTTP_LIMIT_BODY], 1);
    assert_int_equal(host.met[HTTP_LIMIT_HEAD], 1);
    assert_int_equal(host.met[HTTP_LIMIT_LINE], 1);
}

static void expected_continue_is_sent_before_the_body(void **state)
{
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    char got[sizeof(interim)] = "";
    int fd;

    (void)state;
    start(NULL);
    fd = dial();
    say(fd, "POST /-/reload HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
            "Content-Length: 2\r\n\r\n");
    assert_int_equal(recv(fd, got, sizeof(got) - 1, MSG_WAITALL), sizeof(got) - 1);
    assert_string_equal(got, interim);
    say(fd, "ab");
    hears(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
              "Content-Length: 9\r\n\r\nreloaded\n");
    close(fd);
    stop_and_join();
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
        cmocka_unit_test(stopping_lets_answers_finish),
        cmocka_unit_test(stopping_waits_only_so_long),
        cmocka_unit_test(sockets_in_the_file_system_are_served_and_cleaned_up),
        cmocka_unit_test(a_file_in_the_way_of_a_socket_stays),
        cmocka_unit_test(a_port_that_is_taken_is_named),
        cmocka_unit_test(a_port_alone_is_served_to_ipv4_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
