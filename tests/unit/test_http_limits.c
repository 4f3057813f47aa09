/* What a client may cost: time, connections, memory, turns; and the door before it all. */
#include "tests/unit/http_host.h"

#include <sys/ioctl.h>

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
    assert_int_equal(host.met[HTTP_LIMIT_FIRST_BYTE], 1);
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
    assert_int_equal(host.met[HTTP_LIMIT_IDLE], 1);
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

static void one_peer_cannot_take_all_connections(void **state)
{
    struct http_limits limits;
    struct buf got;
    int fds[2], fd;

    (void)state;
    http_limits_init(&limits);
    limits.max_per_peer = 2;
    start(&limits);
    for (int i = 0; i < 2; i++) {
        fds[i] = dial();
        say(fds[i], "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
        hears(fds[i], HEALTHY);
    }
    fd = dial();
    got = hear_out(fd);
    assert_int_equal(strncmp(got.p, "HTTP/1.1 429 ", 13), 0);
    assert_non_null(strstr(got.p, "\r\nRetry-After: 1\r\n"));
    buf_deinit(&got);
    say(fds[1], "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    hears(fds[1], HEALTHY);
    close(fd);
    for (int i = 0; i < 2; i++)
        close(fds[i]);
    stop_and_join();
    assert_int_equal(host.met[HTTP_LIMIT_PEER_CONNECTIONS], 1);
}

static void many_requests_at_once_are_answered_in_turn_with_others(void **state)
{
    enum { MANY = 200, EACH = sizeof("GET / HTTP/1.1\r\nHost: a\r\n\r\n") - 1 };
    struct buf flood = { 0 };
    int greedy, other, arrived = 0;
    size_t one;

    (void)state;
    host.page_ms = 2;
    start(NULL);
    greedy = dial();
    say(greedy, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    {
        struct buf got = hear_one(greedy);

        one = got.n;
        buf_deinit(&got);
    }
    for (int i = 0; i < MANY; i++)
        buf_str(&flood, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    buf_char(&flood, '\0');
    other = dial();
    say(greedy, flood.p);
    while (arrived == 0)
        ioctl(greedy, FIONREAD, &arrived);
    say(other, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    hears(other, HEALTHY);
    ioctl(greedy, FIONREAD, &arrived);
    assert_true((size_t)arrived < one * MANY / 2);
    for (int i = 0; i < MANY; i++) {
        struct buf got = hear_one(greedy);

        assert_int_equal(got.n, one);
        buf_deinit(&got);
    }
    buf_deinit(&flood);
    close(greedy);
    close(other);
    stop_and_join();
    host.page_ms = 0;
}

/* The page of this server tells how many were closed for being slow. */
static bool somebody_was_too_slow(void)
{
    int fd = dial();
    struct buf got;
    bool yes;

    say(fd, "GET / HTTP/1.0\r\n\r\n");
    got = hear_out(fd);
    yes = !strstr(got.p, "page, 0 too slow");
    buf_deinit(&got);
    close(fd);
    return yes;
}

static void slow_readers_keep_only_so_much_of_what_is_served_no_more(void **state)
{
    struct http_limits limits;
    struct buf got;
    int fds[3];

    (void)state;
    http_limits_init(&limits);
    limits.write_timeout_ms = 1500;
    limits.slow_bytes = LARGE + LARGE / 2;
    start(&limits);
    for (int i = 0; i < 3; i++) {
        atomic_store(&host.fresh, true);
        fds[i] = dial();
        say(fds[i], "GET /metrics/all HTTP/1.0\r\n\r\n");
        assert_int_equal(recv(fds[i], &(char){ 0 }, 1, MSG_PEEK), 1);
    }
    /* of three generations, the first two are old: one more than may be kept */
    for (int64_t begin = now_ms(); !somebody_was_too_slow(); usleep(1000))
        assert_true(now_ms() - begin < 1400);
    got = hear_out(fds[2]);
    check_large(&got);
    buf_deinit(&got);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    stop_and_join();
    assert_int_equal(host.met[HTTP_LIMIT_SLOW_MEMORY], 1);
}

/* ---- the door ------------------------------------------------------------------- */

#define LINE "X-Of-The-Door: yes\r\n"

static struct {
    struct door_wait *waiting;
    uv_timer_t timer;
    bool timer_open;
    atomic_int asked, left;
} guard;

static void on_decision(uv_timer_t *t)
{
    struct door_wait *w = guard.waiting;

    uv_close((uv_handle_t *)t, NULL);
    guard.timer_open = false;
    guard.waiting = NULL;
    w->decided(w, DOOR_OPEN);
}

static enum door_verdict guard_ask(void *ctx, struct view authorization,
                                   struct door_wait *w)
{
    (void)ctx;
    guard.asked++;
    if (view_eq(authorization, VIEW("good")))
        return DOOR_OPEN;
    if (view_eq(authorization, VIEW("busy")))
        return DOOR_BUSY;
    if (!view_starts(authorization, VIEW("wait")))
        return DOOR_LOCKED;
    guard.waiting = w;
    uv_timer_init(&host.loop, &guard.timer);
    guard.timer_open = true;
    if (view_eq(authorization, VIEW("wait")))
        uv_timer_start(&guard.timer, on_decision, 20, 0);
    return DOOR_WAIT;
}

static void guard_leave(void *ctx, struct door_wait *w)
{
    (void)ctx;
    assert_ptr_equal(w, guard.waiting);
    guard.waiting = NULL;
    guard.left++;
    uv_close((uv_handle_t *)&guard.timer, NULL);
}

static const char *guard_headers(void *ctx)
{
    (void)ctx;
    return LINE;
}

static bool guard_locks(void *ctx)
{
    (void)ctx;
    return true;
}

static const struct door guarded = { NULL, guard_ask, guard_leave, guard_locks,
                                     guard_headers };

static void asks(int fd, const char *path, const char *authorization)
{
    struct buf b = { 0 };

    buf_fmt(&b, "GET %s HTTP/1.1\r\nHost: a\r\nAuthorization: %s\r\n\r\n", path,
            authorization);
    buf_char(&b, '\0');
    say(fd, b.p);
    buf_deinit(&b);
}

static void begins(int fd, const char *status)
{
    struct buf got = hear_one(fd);

    if (strncmp(got.p + 9, status, 3) != 0)
        fail_msg("wanted %s, got %s", status, got.p);
    assert_non_null(strstr(got.p, LINE));
    buf_deinit(&got);
}

static void the_door_is_asked_for_all_but_health(void **state)
{
    int fd;

    (void)state;
    guard.asked = 0;
    host.door = &guarded;
    start(NULL);
    fd = dial();
    for (size_t i = 0; i < 4; i++) {
        static const char *const paths[] = { "/health", "/-/healthy", "/ready",
                                             "/-/ready" };

        asks(fd, paths[i], "bad");
        begins(fd, "200");
    }
    assert_int_equal(guard.asked, 0);
    for (size_t i = 0; i < 5; i++) {
        static const char *const paths[] = { "/metrics", "/metrics/all", "/",
                                             "/page.css", "/nothing" };

        asks(fd, paths[i], "bad");
        begins(fd, "401");
    }
    asks(fd, "/metrics", "good");
    begins(fd, "200");
    asks(fd, "/metrics", "good"); /* this one is kept ready, the line with it */
    begins(fd, "200");
    asks(fd, "/metrics", "bad");
    begins(fd, "401");
    asks(fd, "/metrics", "busy");
    begins(fd, "429");
    say(fd, "GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: good\r\n"
            "Authorization: bad\r\n\r\n");
    begins(fd, "400");
    close(fd);
    stop_and_join();
    host.door = NULL;
    assert_int_equal(host.met[HTTP_LIMIT_PASSWORD], 6);
    assert_int_equal(host.met[HTTP_LIMIT_BUSY], 1);
}

static void a_request_waits_for_its_decision_and_the_next_behind_it(void **state)
{
    int fd;

    (void)state;
    host.door = &guarded;
    start(NULL);
    fd = dial();
    say(fd, "GET /nothing HTTP/1.1\r\nHost: a\r\nAuthorization: wait\r\n\r\n"
            "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
            "GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: bad\r\n\r\n");
    begins(fd, "404");
    begins(fd, "200");
    begins(fd, "401");
    close(fd);
    stop_and_join();
    host.door = NULL;
}

static void a_decision_that_takes_too_long_is_not_waited_for(void **state)
{
    struct http_limits limits;
    int fd;

    (void)state;
    guard.left = 0;
    host.door = &guarded;
    http_limits_init(&limits);
    limits.write_timeout_ms = 200;
    start(&limits);
    fd = dial();
    asks(fd, "/metrics", "wait for ever");
    begins(fd, "429");
    asks(fd, "/metrics", "good");
    begins(fd, "200");
    close(fd);
    stop_and_join();
    host.door = NULL;
    assert_int_equal(guard.left, 1);
    assert_int_equal(host.met[HTTP_LIMIT_BUSY], 1);
}

static void who_is_gone_is_not_decided_about(void **state)
{
    int fd;

    (void)state;
    guard.left = guard.asked = 0;
    host.door = &guarded;
    start(NULL);
    fd = dial();
    asks(fd, "/metrics", "wait for ever");
    for (int i = 0; guard.asked == 0 && i < PATIENCE_MS; i++)
        usleep(1000);
    host.stop_timeout_ms = 50;
    stop_and_join();
    close(fd);
    host.door = NULL;
    assert_int_equal(guard.left, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_requests_time_out),
        cmocka_unit_test(idle_connections_end_after_their_time),
        cmocka_unit_test(a_client_that_takes_nothing_is_let_go_and_delays_nobody),
        cmocka_unit_test(a_slow_reader_that_goes_on_is_kept),
        cmocka_unit_test(connections_beyond_the_limit_are_told_to_come_back),
        cmocka_unit_test(one_peer_cannot_take_all_connections),
        cmocka_unit_test(many_requests_at_once_are_answered_in_turn_with_others),
        cmocka_unit_test(slow_readers_keep_only_so_much_of_what_is_served_no_more),
        cmocka_unit_test(the_door_is_asked_for_all_but_health),
        cmocka_unit_test(a_request_waits_for_its_decision_and_the_next_behind_it),
        cmocka_unit_test(a_decision_that_takes_too_long_is_not_waited_for),
        cmocka_unit_test(who_is_gone_is_not_decided_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
