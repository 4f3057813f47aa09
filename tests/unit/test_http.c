#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "server/http/http.h"

enum { HEAD = 1024, BODY = 256 };

#define HOST "Host: a\r\n"

/* Feeds text to a new reader in pieces of `step` bytes; what the last event was. */
static enum http_event feed(struct http_reader *r, const char *text, size_t step,
                            size_t *used)
{
    enum http_event event = HTTP_MORE;
    size_t n = strlen(text), at = 0;

    http_init(r, HEAD, BODY);
    while (at < n && event == HTTP_MORE) {
        size_t piece = n - at < step ? n - at : step;
        /* a copy of its own, so that reading past the piece is seen */
        char *copy = mem_alloc(piece);
        size_t took;

        memcpy(copy, text + at, piece);
        took = http_feed(r, copy, piece, &event);
        assert_true(took <= piece);
        if (event == HTTP_MORE)
            assert_int_equal(took, piece);
        free(copy);
        at += took;
    }
    if (used)
        *used = at;
    return event;
}

static void refused(const char *text, int status)
{
    static const size_t steps[] = { 1, 2, 32, 63, 1 << 20 };

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const size_t step = steps[i];
        struct http_reader r;

        if (feed(&r, text, step, NULL) != HTTP_REFUSED || r.status != status)
            print_error("in pieces of %zu: %s\n", step, text);
        assert_int_equal(r.status, status);
        assert_non_null(r.reason);
        http_deinit(&r);
    }
}

static void a_request_cut_anywhere_reads_the_same(void **state)
{
    static const char text[] = "GET /metrics?name[]=a HTTP/1.1\r\nHost: box:9502\r\n"
                               "ACCEPT:  text/plain;q=0.5 \r\nX-Other: 1\r\n"
                               "Accept-Encoding: gzip\r\nOrigin: http://box:9502\r\n"
                               "Sec-Fetch-Site: same-origin\r\n"
                               "If-None-Match: \"7\"\r\nLast-Event-ID: 5f-12\r\n\r\n";

    (void)state;
    for (size_t step = 1; step <= sizeof(text); step++) {
        struct http_reader r;
        struct request rq;
        size_t used;

        assert_int_equal(feed(&r, text, step, &used), HTTP_COMPLETE);
        assert_int_equal(used, sizeof(text) - 1);
        http_request(&r, &rq);
        assert_int_equal(rq.method, METHOD_GET);
        assert_view(rq.path, "/metrics");
        assert_view(rq.query, "name[]=a");
        assert_view(rq.host, "box:9502");
        assert_view(rq.accept, "text/plain;q=0.5");
        assert_view(rq.accept_encoding, "gzip");
        assert_view(rq.origin, "http://box:9502");
        assert_view(rq.sec_fetch_site, "same-origin");
        assert_view(rq.if_none_match, "\"7\"");
        assert_view(rq.last_event_id, "5f-12");
        assert_true(r.keep_alive);
        http_deinit(&r);
    }
}

static void pipelined_requests_come_one_at_a_time(void **state)
{
    static const char text[] =
        "GET /a HTTP/1.1\r\n" HOST "\r\n"
        "POST /b HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nxyz"
        "\r\nHEAD /c HTTP/1.1\r\n" HOST "Accept: q\r\n\r\n"
        "POST /d HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
        "2\r\nab\r\n0\r\nTrailer: x\r\n\r\n"
        "PUT /e HTTP/1.1\r\n" HOST "\r\n";
    static const char *const paths[] = { "/a", "/b", "/c", "/d", "/e" };
    static const enum method methods[] = { METHOD_GET, METHOD_POST, METHOD_HEAD,
                                           METHOD_POST, METHOD_OTHER };

    (void)state;
    for (size_t step = 1; step <= sizeof(text); step++) {
        struct http_reader r;
        size_t at = 0, count = 0;

        http_init(&r, HEAD, BODY);
        while (at < sizeof(text) - 1) {
            size_t piece = sizeof(text) - 1 - at < step ? sizeof(text) - 1 - at : step;
            enum http_event event;

            at += http_feed(&r, text + at, piece, &event);
            if (event == HTTP_MORE)
                continue;
            struct request rq;

            assert_int_equal(event, HTTP_COMPLETE);
            assert_true(count < 5);
            http_request(&r, &rq);
            assert_view(rq.path, paths[count]);
            assert_int_equal(rq.method, methods[count]);
            /* nothing of an earlier request is left */
            assert_view(rq.accept, count == 2 ? "q" : "");
            http_next(&r);
            count++;
        }
        assert_int_equal(count, 5);
        assert_false(r.began);
        http_deinit(&r);
    }
}

static void target(const char *line, const char *path, const char *query,
                   const char *host)
{
    struct http_reader r;
    struct request rq;
    char text[512];

    snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: h\r\n\r\n", line);
    assert_int_equal(feed(&r, text, 7, NULL), HTTP_COMPLETE);
    http_request(&r, &rq);
    assert_view(rq.path, path);
    assert_view(rq.query, query);
    assert_view(rq.host, host);
    http_deinit(&r);
}

static void targets_are_split_into_path_and_query(void **state)
{
    (void)state;
    target("GET /", "/", "", "h");
    target("GET /a/b?c=d?e", "/a/b", "c=d?e", "h");
    target("GET /a?", "/a", "", "h");
    target("GET /a?b#c", "/a", "b", "h");
    target("GET //metrics", "//metrics", "", "h");
    target("GET http://x:1/metrics?q", "/metrics", "q", "x:1");
    target("GET HTTPS://x/metrics", "/metrics", "", "x");
    target("GET http://x", "/", "", "x");
    target("GET http://x?y", "/", "y", "x");
    target("OPTIONS *", "*", "", "h");
    target("CONNECT x:443", "x:443", "", "h");
}

static bool keeps(const char *text)
{
    struct http_reader r;
    bool keep;

    assert_int_equal(feed(&r, text, 1000, NULL), HTTP_COMPLETE);
    keep = r.keep_alive;
    http_deinit(&r);
    return keep;
}

static void connections_are_kept_as_version_and_header_say(void **state)
{
    (void)state;
    assert_true(keeps("GET / HTTP/1.1\r\n" HOST "\r\n"));
    assert_false(keeps("GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"));
    assert_false(keeps("GET / HTTP/1.0\r\n\r\n"));
    assert_true(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    assert_false(keeps("POST / HTTP/1.1\r\n" HOST "Connection: close\r\n"
                       "Content-Length: 2\r\n\r\nab"));
}

static void repeated_fields_are_one_list(void **state)
{
    struct http_reader r;
    struct request rq;

    (void)state;
    assert_int_equal(feed(&r,
                          "GET / HTTP/1.1\r\nAccept: a\r\n" HOST
                          "Accept: b\r\nAccept:\r\nAccept: c\r\n\r\n",
                          5, NULL),
                     HTTP_COMPLETE);
    http_request(&r, &rq);
    assert_view(rq.accept, "a, b,, c");
    assert_view(rq.host, "a");
    http_deinit(&r);
}

static void an_offered_upgrade_is_an_ordinary_request(void **state)
{
    struct http_reader r;
    size_t used;
    static const char text[] = "GET / HTTP/1.1\r\n" HOST
                               "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                               "HTTP2-Settings: AAMAAABk\r\n\r\n";

    (void)state;
    assert_int_equal(feed(&r, text, 9, &used), HTTP_COMPLETE);
    assert_int_equal(used, sizeof(text) - 1);
    http_deinit(&r);
}

static void what_is_no_http_is_a_bad_request(void **state)
{
    (void)state;
    refused("hello\r\n\r\n", 400);
    refused("\x16\x03\x01\x02\x00\x01\xfc\x03", 400);
    refused("GET  / HTTP/1.1\r\n\r\n", 400);
    refused("GET / HTTP/1.1\r\nHost: a\r\nb ad: x\r\n\r\n", 400);
    refused("GET / HTTP/1.1\r\n" HOST "Content-Length: x\r\n\r\n", 400);
    refused("GET / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400);
    refused("GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
            400);
    refused("POST / HTTP/1.1\r\n" HOST
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
            400);
    refused("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, gzip\r\n\r\n", 400);
    refused("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400);
    refused("GET / HTTP/1.1\r\n\r\n", 400);
    refused("GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400);
    refused("GET /\x01 HTTP/1.1\r\n" HOST "\r\n", 400);
}

static void line_ends_are_cr_lf_and_nothing_else(void **state)
{
    (void)state;
    refused("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400);
    refused("GET / HTTP/1.1\rHost: a\r\n\r\n", 400);
    refused("GET / HTTP/1.1\nHost: a\n\n", 400);
}

static void a_line_that_goes_on_on_the_next_is_a_bad_request(void **state)
{
    static const char *const folded[] = {
        "GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "Accept: a,\r\n\tb\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "X:\r\n \r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "X: a\r\n b\r\nContent-Length: 1\r\n\r\nc",
    };
    struct http_reader r;

    (void)state;
    for (size_t i = 0; i < sizeof(folded) / sizeof(folded[0]); i++)
        refused(folded[i], 400);
    /* In a body such lines are nobody's business. */
    assert_int_equal(feed(&r,
                          "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n"
                          "\r\n a\n",
                          9, NULL),
                     HTTP_COMPLETE);
    http_deinit(&r);
}

static void fields_behind_a_body_say_nothing(void **state)
{
    struct http_reader r;
    struct request rq;

    (void)state;
    assert_int_equal(feed(&r,
                          "POST /-/reload HTTP/1.1\r\nHost: a\r\nAccept: b\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n0\r\n"
                          "Host: c\r\nAccept: d\r\nOrigin: http://e\r\n\r\n",
                          5, NULL),
                     HTTP_COMPLETE);
    http_request(&r, &rq);
    assert_view(rq.host, "a");
    assert_view(rq.accept, "b");
    assert_view(rq.origin, "");
    http_deinit(&r);
}

static void put(char *at, const char *text)
{
    memcpy(at, text, strlen(text));
}

static void the_first_fault_decides_however_it_is_cut(void **state)
{
    char text[2 * HEAD + 64];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    put(text, "GET / HTTP/1.1\r\n" HOST "X: ");
    put(text + HEAD + 20, "\r\n(: b\r\n\r\n");
    refused(text, 431); /* a line that is no field stands behind the limit */
    put(text + HEAD - 40, "\r\n(: b\r\n");
    refused(text, 400); /* and before it */
    memset(text + 5, 'a', HEAD);
    refused(text, 414);
}

static void other_versions_are_refused(void **state)
{
    (void)state;
    refused("GET / HTTP/2.0\r\n" HOST "\r\n", 505);
    refused("GET / HTTP/0.9\r\n" HOST "\r\n", 505);
    refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
    refused("GET / HTTP/3.7\r\n" HOST "\r\n", 400);
}

/* A request of exactly `total` head bytes: line, Host and a field X that fills up. */
static char *head_of(size_t total)
{
    static const char front[] = "GET / HTTP/1.1\r\n" HOST "X: ";
    char *text = malloc(total + 1);

    memset(text, 'x', total);
    memcpy(text, front, sizeof(front) - 1);
    memcpy(text + total - 4, "\r\n\r\n", 5);
    return text;
}

static void heads_have_a_limit(void **state)
{
    char *fits = head_of(HEAD), *over = head_of(HEAD + 1);
    struct http_reader r;

    (void)state;
    for (size_t step = 1; step <= HEAD + 1; step += 50) {
        assert_int_equal(feed(&r, fits, step, NULL), HTTP_COMPLETE);
        http_deinit(&r);
    }
    refused(over, 431);
    free(fits);
    free(over);
}

static void blanks_count_towards_the_limit(void **state)
{
    char text[3 * HEAD + 64];

    (void)state;
    memset(text, ' ', sizeof(text));
    memcpy(text, "GET / HTTP/1.1\r\nX:", 18);
    text[sizeof(text) - 1] = '\0';
    refused(text, 431);
    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "\r\n", 3);
    refused(text, 414);
}

static void repeated_fields_cannot_outgrow_the_limit(void **state)
{
    struct http_reader r;
    struct buf text = { 0 };

    (void)state;
    buf_str(&text, "GET / HTTP/1.1\r\n" HOST);
    /* 80 fields of 12 bytes fit in 1024 as they come, their joined copies do not */
    for (int i = 0; i < 80; i++)
        buf_str(&text, "Accept: ab\r\n");
    buf_str(&text, "\r\n");
    buf_char(&text, '\0');
    assert_int_equal(feed(&r, text.p, 100, NULL), HTTP_REFUSED);
    assert_int_equal(r.status, 431);
    http_deinit(&r);
    buf_deinit(&text);
}

static void long_request_lines_have_a_status_of_their_own(void **state)
{
    char text[2 * HEAD];

    (void)state;
    memset(text, 'a', sizeof(text));
    memcpy(text, "GET /", 5);
    text[sizeof(text) - 1] = '\0';
    refused(text, 414);
    memcpy(text + HEAD + 100, " HTTP/1.1\r\n" HOST "\r\n", 9 + 2 + 9 + 2 + 1);
    refused(text, 414);
}

static void bodies_are_thrown_away_up_to_a_limit(void **state)
{
    char text[1024];
    struct http_reader r;
    int n;

    (void)state;
    n = snprintf(text, sizeof(text),
                 "POST / HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", BODY);
    memset(text + n, 'b', BODY);
    text[n + BODY] = '\0';
    assert_int_equal(feed(&r, text, 10, NULL), HTTP_COMPLETE);
    assert_true(r.text.n < 64);
    http_deinit(&r);

    refused("POST / HTTP/1.1\r\n" HOST "Content-Length: 257\r\n\r\n", 413);
    refused("POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551615\r\n\r\n",
            413);
    refused("POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n",
            400);

    /* chunks of one byte: "1\r\nb\r\n" is 6 bytes, so 43 of them are 258 */
    n = snprintf(text, sizeof(text),
                 "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 43; i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "1\r\nb\r\n");
    refused(text, 413);
}

static void a_client_that_expects_continue_is_told_once(void **state)
{
    static const char head[] =
        "POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
    struct http_reader r;
    enum http_event event;
    size_t used;

    (void)state;
    assert_int_equal(feed(&r, head, 1000, &used), HTTP_CONTINUE);
    assert_int_equal(used, sizeof(head) - 1);
    assert_int_equal(http_feed(&r, "a", 1, &event), 1);
    assert_int_equal(event, HTTP_MORE);
    assert_int_equal(http_feed(&r, "bG", 2, &event), 1);
    assert_int_equal(event, HTTP_COMPLETE);
    http_deinit(&r);

    /* sent along without waiting, by HTTP/1.0, or without a body: no answer is due */
    assert_int_equal(feed(&r,
                          "POST / HTTP/1.1\r\n" HOST
                          "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
                          1000, NULL),
                     HTTP_COMPLETE);
    http_deinit(&r);
    assert_int_equal(feed(&r,
                          "POST / HTTP/1.0\r\nExpect: 100-continue\r\n"
                          "Content-Length: 2\r\n\r\nab",
                          1, NULL),
                     HTTP_COMPLETE);
    http_deinit(&r);
    assert_int_equal(
        feed(&r, "GET / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n", 1, NULL),
        HTTP_COMPLETE);
    http_deinit(&r);
    refused("GET / HTTP/1.1\r\n" HOST "Expect: a miracle\r\n\r\n", 417);
}

static void large_heads_give_their_memory_back(void **state)
{
    struct http_reader r;
    enum http_event event;
    char text[8192];

    (void)state;
    http_init(&r, 16384, BODY);
    memset(text, 'a', sizeof(text));
    memcpy(text, "GET /", 5);
    memcpy(text + sizeof(text) - 23, " HTTP/1.1\r\nHost: a\r\n\r\n", 23);
    http_feed(&r, text, sizeof(text) - 1, &event);
    assert_int_equal(event, HTTP_COMPLETE);
    assert_true(r.text.cap > 8000);
    http_next(&r);
    assert_int_equal(r.text.cap, 0);
    http_feed(&r, text, sizeof(text) - 1, &event);
    assert_int_equal(event, HTTP_COMPLETE);
    http_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_cut_anywhere_reads_the_same),
        cmocka_unit_test(pipelined_requests_come_one_at_a_time),
        cmocka_unit_test(targets_are_split_into_path_and_query),
        cmocka_unit_test(connections_are_kept_as_version_and_header_say),
        cmocka_unit_test(repeated_fields_are_one_list),
        cmocka_unit_test(an_offered_upgrade_is_an_ordinary_request),
        cmocka_unit_test(what_is_no_http_is_a_bad_request),
        cmocka_unit_test(line_ends_are_cr_lf_and_nothing_else),
        cmocka_unit_test(a_line_that_goes_on_on_the_next_is_a_bad_request),
        cmocka_unit_test(fields_behind_a_body_say_nothing),
        cmocka_unit_test(the_first_fault_decides_however_it_is_cut),
        cmocka_unit_test(other_versions_are_refused),
        cmocka_unit_test(heads_have_a_limit),
        cmocka_unit_test(blanks_count_towards_the_limit),
        cmocka_unit_test(repeated_fields_cannot_outgrow_the_limit),
        cmocka_unit_test(long_request_lines_have_a_status_of_their_own),
        cmocka_unit_test(bodies_are_thrown_away_up_to_a_limit),
        cmocka_unit_test(a_client_that_expects_continue_is_told_once),
        cmocka_unit_test(large_heads_give_their_memory_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
