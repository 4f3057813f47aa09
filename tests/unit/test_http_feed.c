/* Answers that go on, over loopback; each test without TLS and with it. */
#include "tests/unit/http_client.h"

#include <limits.h>

#include "server/http/feed.h"

#define EVENTS      "GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
#define HEALTH      "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
#define HEAD_FIELDS "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
#define HEAD        "HTTP/1.1 200 OK\r\n" HEAD_FIELDS "Cache-Control: no-store\r\n\r\n"

/* ---- the feeds of the server ---------------------------------------------------- */

enum { USUAL_BATCH = 64 * 1024, LARGE_BATCH = 256 * 1024 };

/* A batch is of one letter, and each of a feed of another than the one before. */
struct source {
    struct feed feed;
    struct source *next;
    unsigned handed;
};

static struct {
    atomic_int left;        /* batches that the feeds have, all together */
    size_t batch;           /* bytes of each */
    atomic_uint made, gone; /* feeds */
    atomic_uint handed;     /* batches */
    atomic_uint idle;       /* times that nothing was handed out */
    unsigned stop_at;       /* with this batch the server stops; 0: with none */
    struct source *list;
    bool waking;
} feeds;

static struct ready_answer *source_next(struct feed *f)
{
    struct source *s = (struct source *)f;
    struct ready_answer *chunk;
    char *bytes;

    if (atomic_load(&feeds.left) == 0) {
        feeds.idle++;
        return NULL;
    }
    feeds.left--;
    if (++feeds.handed == feeds.stop_at)
        uv_async_send(&host.stop);
    bytes = mem_alloc(feeds.batch);
    memset(bytes, 'a' + (int)(s->handed++ % 26), feeds.batch);
    chunk = feed_chunk((struct view){ bytes, feeds.batch });
    free(bytes);
    return chunk;
}

static void source_gone(struct feed *f)
{
    struct source **at = &feeds.list;

    assert_false(feeds.waking);
    while (&(*at)->feed != f)
        at = &(*at)->next;
    *at = (*at)->next;
    free(f);
    feeds.gone++;
}

static void wake_all(void)
{
    feeds.waking = true;
    for (struct source *s = feeds.list; s; s = s->next) {
        s->feed.wake(&s->feed);
        s->feed.wake(&s->feed); /* twice is once */
    }
    feeds.waking = false;
}

static void events(const struct request *rq, struct reply *out)
{
    struct source *s = mem_zalloc(sizeof *s);

    assert_view(rq->path, "/events");
    s->feed = (struct feed){ .next = source_next, .gone = source_gone };
    s->next = feeds.list;
    feeds.list = s;
    feeds.made++;
    out->status = 200;
    out->content_type = "text/event-stream";
    out->headers = "Cache-Control: no-store\r\n";
    out->feed = &s->feed;
}

static void reach(const char *what, atomic_uint *count, unsigned want)
{
    for (int64_t begin = now_ms(); atomic_load(count) < want; usleep(500))
        if (now_ms() - begin > PATIENCE_MS)
            fail_msg("%s: %u, not %u", what, atomic_load(count), want);
}

/* ---- a client's side -------------------------------------------------------------- */

static void is_of(const char *p, size_t n, char letter)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != letter)
            fail_msg("'%c' and not '%c' at byte %zu", p[i], letter, i);
}

/* One chunk of the usual size; the nth of this feed. */
static void hear_batch(struct client *c, unsigned nth)
{
    size_t at = 0;
    char line[24], *got = mem_alloc(feeds.batch);

    snprintf(line, sizeof line, "%zx\r\n", feeds.batch);
    hear_text(c, line);
    while (at < feeds.batch) {
        size_t step = take(c, got + at, feeds.batch - at);

        assert_true(step > 0);
        at += step;
    }
    is_of(got, feeds.batch, (char)('a' + nth % 26));
    free(got);
    hear_text(c, "\r\n");
}

/* A server whose feeds have so many batches. */
static void begin(void **state, const struct http_limits *limits, int left,
                  size_t batch)
{
    feeds.left = left;
    feeds.batch = batch;
    feeds.made = feeds.gone = feeds.handed = feeds.idle = 0;
    host.page = events;
    host.woken = wake_all;
    host.transport = *state ? context() : NULL;
    start(limits);
}

static void forget(void)
{
    let_go();
    host.page = NULL;
    host.woken = NULL;
    feeds.stop_at = 0;
    assert_int_equal(feeds.gone, feeds.made);
}

static void end(void)
{
    uv_async_send(&host.stop);
    pthread_join(host.thread, NULL);
    forget();
}

static struct http_limits limits_of_tests(void)
{
    struct http_limits l;

    http_limits_init(&l);
    return l;
}

/* ---- tests ---------------------------------------------------------------------- */

static void a_fast_reader_gets_batch_after_batch(void **state)
{
    enum { MANY = 400 };
    struct client c;

    begin(state, NULL, MANY, USUAL_BATCH);
    c = come(state);
    ask(&c, EVENTS);
    hear_text(&c, HEAD);
    for (unsigned i = 0; i < MANY; i++)
        hear_batch(&c, i);
    reach("idle", &feeds.idle, 1);
    assert_int_equal(feeds.gone, 0);
    leave(&c);
    reach("gone", &feeds.gone, 1);
    end();
}

static void an_idle_one_goes_on_when_it_is_woken(void **state)
{
    struct http_limits l = limits_of_tests();
    struct client c;

    /* No time but that for writing counts. */
    l.read_timeout_ms = l.idle_timeout_ms = l.write_timeout_ms = 300;
    begin(state, &l, 0, 10);
    c = come(state);
    ask(&c, EVENTS);
    hear_text(&c, HEAD);
    for (unsigned i = 0; i < 200; i++) {
        reach("idle", &feeds.idle, i + 1);
        if (i == 100)
            usleep(1000 * 1000);
        feeds.left = 1;
        uv_async_send(&host.wake);
        hear_batch(&c, i);
    }
    assert_int_equal(feeds.gone, 0);
    leave(&c);
    end();
    for (size_t i = 0; i < HTTP_LIMIT_COUNT; i++)
        assert_int_equal(host.met[i], 0);
}

static void one_that_takes_nothing_is_let_go(void **state)
{
    struct http_limits l = limits_of_tests();
    struct client c, other;

    l.write_timeout_ms = 300;
    begin(state, &l, INT_MAX, USUAL_BATCH);
    c = come(state);
    ask(&c, EVENTS);
    hear_text(&c, HEAD);
    reach("gone", &feeds.gone, 1);
    /* What the kernel took, and no more. */
    assert_in_range(feeds.handed, 1, 512);
    leave(&c);
    other = come(state);
    ask(&other, HEALTH);
    hear_text(&other, HEALTHY);
    leave(&other);
    end();
    assert_int_equal(host.met[HTTP_LIMIT_WRITE_TIMEOUT], 1);
}

/* Together they may hold no more than all slow readers may. */
static void batches_of_many_that_take_nothing_are_bounded(void **state)
{
    enum { MANY = 12 };
    struct http_limits l = limits_of_tests();
    struct client c[MANY];

    l.write_timeout_ms = 3000;
    l.slow_bytes = (size_t)4 * LARGE_BATCH;
    begin(state, &l, INT_MAX, LARGE_BATCH);
    for (unsigned i = 0; i < MANY; i++) {
        c[i] = come(state);
        ask(&c[i], EVENTS);
        hear_text(&c[i], HEAD);
    }
    reach("gone", &feeds.gone, MANY - 4);
    for (unsigned i = 0; i < MANY; i++)
        leave(&c[i]);
    end();
    assert_in_range(host.met[HTTP_LIMIT_SLOW_MEMORY], MANY - 4, MANY);
}

static void a_slow_one_that_goes_on_is_kept(void **state)
{
    struct http_limits l = limits_of_tests();
    struct client c;
    int64_t began;

    l.write_timeout_ms = 600;
    begin(state, &l, INT_MAX, LARGE_BATCH);
    c = come(state);
    ask(&c, EVENTS);
    hear_text(&c, HEAD);
    began = now_ms();
    for (unsigned i = 0; now_ms() - began < 2000; i++) {
        hear_batch(&c, i);
        usleep(20 * 1000);
    }
    assert_int_equal(feeds.gone, 0);
    leave(&c);
    reach("gone", &feeds.gone, 1);
    end();
    assert_int_equal(host.met[HTTP_LIMIT_WRITE_TIMEOUT], 0);
}

static void a_client_that_goes_is_noticed(void **state)
{
    struct client c;

    begin(state, NULL, 0, USUAL_BATCH);
    for (unsigned i = 0; i < 3; i++) {
        c = come(state);
        ask(&c, EVENTS);
        hear_text(&c, HEAD);
        reach("idle", &feeds.idle, i + 1);
        if (i == 1)
            assert_int_equal(shutdown(c.fd, SHUT_WR), 0); /* half a goodbye is one */
        if (i == 2 && c.ssl)
            SSL_shutdown(c.ssl);
        if (i != 1)
            leave(&c);
        reach("gone", &feeds.gone, i + 1);
        if (i == 1)
            leave(&c);
    }
    /* and one that goes with an answer on its way */
    feeds.left = INT_MAX;
    c = come(state);
    ask(&c, EVENTS);
    hear_text(&c, HEAD);
    leave(&c);
    reach("gone", &feeds.gone, 4);
    end();
    assert_int_equal(host.met[HTTP_LIMIT_TLS], 0);
}

static void what_is_asked_behind_it_is_dropped(void **state)
{
    struct client c;

    begin(state, NULL, 0, 10);
    c = come(state);
    ask(&c, EVENTS HEALTH HEALTH);
    hear_text(&c, HEAD);
    reach("idle", &feeds.idle, 1);
    ask(&c, HEALTH);
    for (unsigned i = 0; i < 3; i++) {
        feeds.left = 1;
        uv_async_send(&host.wake);
        hear_batch(&c, i);
        reach("idle", &feeds.idle, i + 2);
    }
    assert_int_equal(feeds.made, 1);
    leave(&c);
    reach("gone", &feeds.gone, 1);
    end();
}

static void who_does_not_stop_talking_is_let_go(void **state)
{
    char talk[4096];
    size_t said = 0;
    struct client c;
    ssize_t n = 1;

    memset(talk, 'x', sizeof talk);
    begin(state, NULL, 0, 10);
    c = come(state);
    ask(&c, EVENTS);
    hear_text(&c, HEAD);
    for (; n > 0 && said < (size_t)64 << 20; said += sizeof talk)
        n = c.ssl ? SSL_write(c.ssl, talk, sizeof talk)
                  : send(c.fd, talk, sizeof talk, MSG_NOSIGNAL);
    assert_true(n < 0);
    reach("gone", &feeds.gone, 1);
    leave(&c);
    end();
}

static void the_end_of_the_server_is_that_of_an_idle_one(void **state)
{
    struct client c;
    int64_t began;

    begin(state, NULL, 1, 10);
    c = come(state);
    ask(&c, EVENTS);
    hear_text(&c, HEAD);
    hear_batch(&c, 0);
    reach("idle", &feeds.idle, 1);
    host.stop_timeout_ms = PATIENCE_MS;
    began = now_ms();
    end();
    assert_true(now_ms() - began < 5000);
    hear_text(&c, "0\r\n\r\n");
    hear_end(&c);
    leave(&c);
}

static void the_end_of_the_server_does_not_wait_for_a_stalled_one(void **state)
{
    unsigned handed = 0;
    struct client c;
    int64_t began;

    begin(state, NULL, INT_MAX, LARGE_BATCH);
    c = come(state);
    ask(&c, EVENTS);
    hear_text(&c, HEAD);
    while (feeds.handed != handed || handed == 0) { /* until all are full */
        handed = feeds.handed;
        usleep(200 * 1000);
    }
    host.stop_timeout_ms = PATIENCE_MS;
    began = now_ms();
    end();
    assert_true(now_ms() - began < 5000);
    leave(&c);
}

static void a_busy_one_ends_whole(void **state)
{
    enum { BATCH = 1000 };
    char got[BATCH];
    size_t n, all = 0;
    struct client c;

    feeds.stop_at = 20;
    begin(state, NULL, INT_MAX, BATCH);
    c = come(state);
    ask(&c, EVENTS);
    hear_text(&c, HEAD);
    for (unsigned i = 0; i < feeds.stop_at; i++)
        hear_batch(&c, i);
    while ((n = take(&c, got, sizeof got)) > 0)
        all += n;
    /* "3e8" CRLF, bytes, CRLF; then the last, of five bytes */
    assert_int_equal(all % (5 + BATCH + 2), 5);
    pthread_join(host.thread, NULL);
    forget();
    leave(&c);
}

static void they_leave_connections_to_others(void **state)
{
    enum { MOST = 6 }; /* of eight: a quarter is free */
    struct http_limits l = limits_of_tests();
    struct client c[MOST], other;

    l.max_connections = 8;
    begin(state, &l, 0, 10);
    for (unsigned i = 0; i < MOST; i++) {
        c[i] = come(state);
        ask(&c[i], EVENTS);
        hear_text(&c[i], HEAD);
    }
    other = come(state);
    for (unsigned i = 0; i < 2; i++) {
        ask(&other, EVENTS);
        hear_text(&other, "HTTP/1.1 503 Service Unavailable\r\n"
                          "Content-Type: text/plain; charset=utf-8\r\n"
                          "Content-Length: 55\r\nRetry-After: 10\r\n\r\n"
                          "too many connections that last (--web.max-connections)\n");
        ask(&other, HEALTH);
        hear_text(&other, HEALTHY);
    }
    assert_int_equal(feeds.gone, 2);
    leave(&c[0]);
    reach("gone", &feeds.gone, 3);
    ask(&other, EVENTS);
    hear_text(&other, HEAD);
    leave(&other);
    for (unsigned i = 1; i < MOST; i++)
        leave(&c[i]);
    reach("gone", &feeds.gone, 9);
    end();
    assert_int_equal(host.met[HTTP_LIMIT_CONNECTIONS], 2);
}

static void head_brings_the_head_alone(void **state)
{
    struct client c;

    begin(state, NULL, INT_MAX, 10);
    c = come(state);
    ask(&c, "HEAD /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" HEALTH);
    hear_text(&c, HEAD HEALTHY);
    assert_int_equal(feeds.gone, 1);
    assert_int_equal(feeds.handed, 0);
    leave(&c);
    end();
}

static void who_knows_no_chunks_gets_what_is_in_them(void **state)
{
    struct client c;

    begin(state, NULL, 2, 300);
    c = come(state);
    ask(&c, "GET /events HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    hear_text(&c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                  "Cache-Control: no-store\r\nConnection: close\r\n\r\n");
    for (int i = 0; i < 2; i++) {
        char want[301] = { 0 };

        memset(want, 'a' + i, 300);
        hear_text(&c, want);
    }
    reach("idle", &feeds.idle, 1);
    end();
    hear_end(&c);
    leave(&c);
}

static void pages_of_other_sites_get_none(void **state)
{
    struct client c;

    begin(state, NULL, 0, 10);
    c = come(state);
    ask(&c, "GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            "Sec-Fetch-Site: cross-site\r\n\r\n" HEALTH);
    hear_text(&c,
              "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\n"
              "Content-Length: 44\r\n\r\n"
              "a page of another site may not ask for this\n" HEALTHY);
    assert_int_equal(feeds.made, 0);
    leave(&c);
    end();
    assert_int_equal(host.met[HTTP_LIMIT_FOREIGN], 1);
}

/* A request like others, but of a time that is its client's. */
static void each_is_a_request_and_has_no_duration(void **state)
{
    struct buf text = { 0 };
    struct client c[2];
    struct body *b;

    begin(state, NULL, 0, 10);
    for (unsigned i = 0; i < 2; i++) {
        c[i] = come(state);
        if (i == 0) {
            ask(&c[i], HEALTH);
            hear_text(&c[i], HEALTHY);
        }
        ask(&c[i], EVENTS);
        hear_text(&c[i], HEAD);
    }
    uv_async_send(&host.stop);
    pthread_join(host.thread, NULL);
    b = self_body(host.self, 1);
    for (uint32_t i = 0; i < b->chunk_count; i++)
        buf_add(&text, b->chunks[i]->text, b->chunks[i]->n);
    buf_char(&text, '\0');
    assert_non_null(strstr(text.p, "\nencode_exporter_http_requests_total{endpoint="
                                   "\"results\",code=\"200\"} 3\n"));
    assert_non_null(strstr(text.p, "\nencode_exporter_http_request_seconds_count 1\n"));
    assert_non_null(strstr(text.p, "\nencode_exporter_http_connections 0\n"));
    buf_deinit(&text);
    forget();
    for (unsigned i = 0; i < 2; i++)
        leave(&c[i]);
}

/* Comes and goes while others are woken all the time. */
static void many_come_and_go(void **state)
{
    enum { CLIENTS = 24, ROUNDS = 12 };
    struct client c[CLIENTS];

    begin(state, NULL, 0, 3000);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < CLIENTS; i++) {
            c[i] = come(state);
            ask(&c[i], EVENTS);
            uv_async_send(&host.wake);
        }
        feeds.left = INT_MAX;
        for (unsigned i = 0; i < CLIENTS; i++) {
            uv_async_send(&host.wake);
            if (i % 3) {
                hear_text(&c[i], HEAD);
                hear_batch(&c[i], 0);
            }
            if (i % 5 == 0)
                ask(&c[i], HEALTH);
            leave(&c[i]);
        }
        feeds.left = 0;
    }
    end();
}

#define TWICE(f)                                                                       \
    { #f, f, NULL, NULL, NULL },                                                       \
    {                                                                                  \
#f " with TLS", f, NULL, NULL, &with_tls                                       \
    }

static bool with_tls = true;

int main(void)
{
    const struct CMUnitTest tests[] = {
        TWICE(a_fast_reader_gets_batch_after_batch),
        TWICE(an_idle_one_goes_on_when_it_is_woken),
        TWICE(one_that_takes_nothing_is_let_go),
        TWICE(batches_of_many_that_take_nothing_are_bounded),
        TWICE(a_slow_one_that_goes_on_is_kept),
        TWICE(a_client_that_goes_is_noticed),
        TWICE(what_is_asked_behind_it_is_dropped),
        TWICE(who_does_not_stop_talking_is_let_go),
        TWICE(the_end_of_the_server_is_that_of_an_idle_one),
        TWICE(the_end_of_the_server_does_not_wait_for_a_stalled_one),
        TWICE(a_busy_one_ends_whole),
        TWICE(they_leave_connections_to_others),
        TWICE(head_brings_the_head_alone),
        TWICE(who_knows_no_chunks_gets_what_is_in_them),
        TWICE(pages_of_other_sites_get_none),
        TWICE(each_is_a_request_and_has_no_duration),
        TWICE(many_come_and_go),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
