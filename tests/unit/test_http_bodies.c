/* Bodies that are taken as they arrive, cut anywhere. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "server/http/http.h"

enum { HEAD = 1024, BODY = 64 };

struct taker {
    struct http_reader reader;
    struct buf got;
    unsigned asked, complete;
};

static bool takes(void *ctx, const struct request *rq)
{
    struct taker *t = ctx;

    t->asked++;
    return view_starts(rq->path, VIEW("/progress/"));
}

static void on_body(void *ctx, struct view bytes)
{
    struct taker *t = ctx;

    buf_view(&t->got, bytes);
}

static void begin(struct taker *t)
{
    *t = (struct taker){ 0 };
    http_init(&t->reader, HEAD, BODY);
    http_ask(&t->reader, takes, t);
}

static void end(struct taker *t)
{
    http_deinit(&t->reader);
    buf_deinit(&t->got);
}

/* A copy of its own, so that reading past the piece is seen. */
static enum http_event feed(struct taker *t, const char *p, size_t n)
{
    char *copy = mem_alloc(n + 1);
    enum http_event event = HTTP_MORE;

    memcpy(copy, p, n);
    for (size_t used = 0; used < n && event != HTTP_REFUSED;) {
        used += http_feed(&t->reader, copy + used, n - used, &event);
        if (event == HTTP_BODY)
            http_take_body(&t->reader, on_body);
        if (event == HTTP_COMPLETE) {
            t->complete++;
            http_next(&t->reader);
        }
    }
    free(copy);
    return event;
}

#define FIELDS "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n"

static const char several[] =
    "POST /progress/a HTTP/1.1\r\n" FIELDS "8;x=y\r\nframe=1\n\r\n"
    "50\r\n0123456789012345678901234567890123456789"
    "0123456789012345678901234567890123456789\r\n0\r\nX: y\r\n\r\n"
    "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
    "POST /progress/b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    "POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";

static void check(const struct taker *t)
{
    assert_view(buf_as_view(&t->got),
                "frame=1\n0123456789012345678901234567890123456789"
                "0123456789012345678901234567890123456789abc");
    assert_int_equal(t->complete, 4);
}

static void cut_anywhere_they_are_the_same(void **state)
{
    (void)state;
    const size_t n = sizeof several - 1;
    struct taker t;

    for (size_t at = 0; at <= n; at++) {
        begin(&t);
        feed(&t, several, at);
        feed(&t, several + at, n - at);
        check(&t);
        end(&t);
    }
    begin(&t);
    for (size_t at = 0; at < n; at++)
        feed(&t, several + at, 1);
    check(&t);
    end(&t);
}

/* Framing is counted from byte to byte of the content, however many chunks come at once. */
static void many_small_chunks_are_no_empty_ones(void **state)
{
    (void)state;
    enum { CHUNKS = 100 };
    struct buf all = { 0 };
    struct taker t;

    buf_str(&all, "POST /progress/a HTTP/1.1\r\n" FIELDS);
    for (int i = 0; i < CHUNKS; i++)
        buf_str(&all, "1;0123456789012345678901234567890123456789\r\nx\r\n");
    buf_str(&all, "0\r\n\r\n");
    for (size_t step = all.n; step > 0; step /= 3) {
        begin(&t);
        for (size_t at = 0; at < all.n; at += step)
            feed(&t, all.p + at, all.n - at < step ? all.n - at : step);
        assert_int_equal(t.complete, 1);
        assert_int_equal(t.got.n, CHUNKS);
        end(&t);
    }
    buf_deinit(&all);
}

static void what_holds_nothing_has_a_limit(void **state)
{
    (void)state;
    static const char head[] = "POST /progress/a HTTP/1.1\r\n" FIELDS "1;";
    struct taker t;
    enum http_event event;

    for (size_t step = 1; step <= 40; step += 13) {
        begin(&t);
        event = feed(&t, head, sizeof head - 1);
        for (size_t sent = 0; sent < 4096 && event != HTTP_REFUSED; sent += step)
            event = feed(&t, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", step);
        assert_int_equal(event, HTTP_REFUSED);
        assert_int_equal(t.reader.status, 413);
        end(&t);
    }
}

static void others_are_still_limited(void **state)
{
    (void)state;
    static const char long_one[] =
        "POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: 65\r\n\r\n";
    struct taker t;

    begin(&t);
    assert_int_equal(feed(&t, long_one, sizeof long_one - 1), HTTP_REFUSED);
    assert_int_equal(t.reader.status, 413);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_anywhere_they_are_the_same),
        cmocka_unit_test(many_small_chunks_are_no_empty_ones),
        cmocka_unit_test(what_holds_nothing_has_a_limit),
        cmocka_unit_test(others_are_still_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
