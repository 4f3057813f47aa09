#include "tests/unit/test.h"

#include <string.h>

#include <zlib.h>

#include "server/http/answer.h"
#include "server/http/feed.h"

static struct gzip zip;

/* "aaa" "bb" | "" | fixed "cc" | text "d": eight bytes in all, no body joined */
static void example(struct answer *a, int status, bool head)
{
    struct body *b = body_new();

    memset(a, 0, sizeof(*a));
    body_family(b, "f");
    body_add(b, chunk_new(VIEW("aaa")));
    body_add(b, chunk_new(VIEW("bb")));
    a->reply.status = status;
    a->reply.content_type = "text/plain";
    a->reply.head = head;
    a->reply.bodies[a->reply.body_count++] = b;
    a->reply.bodies[a->reply.body_count++] = body_new();
    a->reply.fixed = VIEW("cc");
    buf_char(&a->reply.text, 'd');
}

/* All bytes, gathered `pieces` and `bytes` at a time, as if each write took one less. */
static struct buf drain(struct answer *a, unsigned pieces, size_t bytes)
{
    struct buf out = { 0 };
    uv_buf_t iov[8];

    while (a->left > 0) {
        unsigned count = answer_gather(a, iov, pieces, bytes);
        size_t before = out.n, n;

        assert_in_range(count, 1, pieces);
        for (unsigned i = 0; i < count; i++)
            buf_add(&out, iov[i].base, iov[i].len);
        n = out.n - before;
        assert_in_range(n, 1, bytes);
        if (n > 1)
            out.n = before + --n;
        answer_advance(a, n);
    }
    assert_int_equal(answer_gather(a, iov, pieces, bytes), 0);
    return out;
}

static void an_answer_is_head_bodies_and_text_however_it_is_cut(void **state)
{
    (void)state;
    for (unsigned pieces = 1; pieces <= 8; pieces++) {
        for (size_t bytes = 1; bytes < 90; bytes++) {
            struct answer a;
            struct buf got;

            example(&a, 200, false);
            answer_start(&a, &(struct answer_manner){ true, false, "", &zip });
            got = drain(&a, pieces, bytes);
            assert_view(buf_as_view(&got),
                        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                        "Content-Length: 8\r\n\r\naaabbccd");
            buf_deinit(&got);
            answer_release(&a);
        }
    }
}

static void head_is(int status, bool keep_alive, bool http10, const char *allow,
                    const char *headers, const char *want)
{
    struct answer a;
    struct buf got;

    example(&a, status, true);
    memcpy(a.reply.allow, allow, strlen(allow) + 1);
    a.reply.headers = headers;
    answer_start(&a, &(struct answer_manner){ keep_alive, http10, "", &zip });
    got = drain(&a, 8, 1000);
    assert_view(buf_as_view(&got), want);
    buf_deinit(&got);
    answer_release(&a);
    answer_release(&a);
}

static void heads_tell_status_fields_and_what_becomes_of_the_connection(void **state)
{
    (void)state;
    head_is(404, true, false, "", NULL,
            "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n"
            "Content-Length: 8\r\n\r\n");
    head_is(405, false, false, "GET, HEAD", NULL,
            "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain\r\n"
            "Content-Length: 8\r\nAllow: GET, HEAD\r\nConnection: close\r\n\r\n");
    head_is(503, false, true, "", "Retry-After: 1\r\n",
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
            "Content-Length: 8\r\nRetry-After: 1\r\nConnection: close\r\n\r\n");
    head_is(200, true, true, "", NULL,
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
            "Content-Length: 8\r\nConnection: keep-alive\r\n\r\n");
}

/* As the parts of the page are: bytes that were compressed when the program was built. */
static void bytes_that_are_compressed_already_are_sent_as_they_are(void **state)
{
    static const char tag[] = "\"0123456789abcdef\"";
    static const char long_line[] =
        "Content-Security-Policy: default-src 'none'; script-src 'self'; "
        "style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; report-uri /nowhere/at/all; "
        "sandbox allow-scripts allow-same-origin allow-forms allow-popups; "
        "worker-src 'none'; manifest-src 'none'; media-src 'none'; object-src 'none'; "
        "frame-src 'none'; child-src 'none'; font-src 'none'; prefetch-src 'none'\r\n";
    struct answer a;
    struct buf got, want = { 0 };

    (void)state;
    for (int variant = 0; variant < 3; variant++) { /* GET, HEAD, 304 */
        memset(&a, 0, sizeof a);
        a.reply.status = variant == 2 ? 304 : 200;
        a.reply.content_type = "text/javascript; charset=utf-8";
        a.reply.head = variant == 1;
        a.reply.headers = variant == 2 ? long_line : "Content-Encoding: gzip\r\n";
        a.reply.fixed = variant == 2 ? VIEW("") : VIEW("\x1f\x8bxyz");
        memcpy(a.reply.etag, tag, sizeof tag);
        answer_start(&a, &(struct answer_manner){ true, false, "X-Y: z\r\n", &zip });
        got = drain(&a, 8, 1000);
        if (variant == 2)
            buf_fmt(&want, "HTTP/1.1 304 Not Modified\r\nETag: %s\r\n", tag);
        else
            buf_fmt(&want,
                    "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n"
                    "Content-Length: 5\r\nETag: %s\r\n",
                    a.reply.content_type, tag);
        buf_fmt(&want, "Vary: Accept, Accept-Encoding\r\n%sX-Y: z\r\n\r\n%s",
                a.reply.headers, variant == 0 ? "\x1f\x8bxyz" : "");
        buf_char(&want, '\0');
        assert_view(buf_as_view(&got), want.p);
        buf_release(&want);
        buf_deinit(&got);
        answer_release(&a);
    }
    buf_deinit(&want);
}

/* ---- feeds ---------------------------------------------------------------------- */

static unsigned gone;

static void count_gone(struct feed *f)
{
    (void)f;
    gone++;
}

static void a_feed_has_a_head_without_length(void **state)
{
    struct feed feed = { .gone = count_gone };
    struct answer a;
    struct buf got;

    (void)state;
    for (int http10 = 0; http10 < 2; http10++) {
        memset(&a, 0, sizeof a);
        a.reply.status = 200;
        a.reply.content_type = "text/event-stream";
        a.reply.headers = "Cache-Control: no-store\r\n";
        a.reply.feed = &feed;
        answer_start(&a, &(struct answer_manner){ !http10, http10, "", &zip });
        got = drain(&a, 8, 1000);
        assert_view(buf_as_view(&got),
                    http10 ? "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                             "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
                           : "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                             "Transfer-Encoding: chunked\r\n"
                             "Cache-Control: no-store\r\n\r\n");
        buf_deinit(&got);
        answer_release(&a);
        answer_release(&a);
    }
    assert_int_equal(gone, 2);
}

static void a_chunk_says_how_long_it_is(void **state)
{
    char bytes[70000];
    struct ready_answer *chunk = feed_chunk(VIEW("data\n\n"));
    struct answer a = { 0 };
    struct buf got;

    (void)state;
    for (int framed = 0; framed < 2; framed++) {
        chunk->refs++;
        answer_start_chunk(&a, chunk, framed);
        got = drain(&a, 1, 3);
        assert_view(buf_as_view(&got), framed ? "6\r\ndata\n\n\r\n" : "data\n\n");
        buf_deinit(&got);
        answer_release(&a);
        assert_int_equal(chunk->refs, 1);
    }
    ready_answer_unref(chunk);
    memset(bytes, '\n', sizeof bytes);
    for (size_t n = 1; n <= sizeof bytes; n = n * 16 - 1 + (n == 1)) {
        char line[16];
        size_t line_n = (size_t)snprintf(line, sizeof line, "%zx\r\n", n);

        chunk = feed_chunk((struct view){ bytes, n });
        assert_int_equal(chunk->n, line_n + n + 2);
        assert_memory_equal(chunk->p, line, line_n);
        assert_memory_equal(chunk->p + chunk->n - 2, "\r\n", 2);
        assert_ptr_equal(feed_bytes(chunk).p, chunk->p + line_n);
        assert_int_equal(feed_bytes(chunk).n, n);
        ready_answer_unref(chunk);
    }
}

/* What zlib makes of one whole gzip member. */
static struct buf gunzip(struct view member)
{
    struct buf out = { 0 };
    z_stream z = { 0 };

    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)member.p;
    z.avail_in = (uInt)member.n;
    for (int rc = Z_OK; rc != Z_STREAM_END;) {
        z.next_out = (Bytef *)buf_room(&out, 65536);
        z.avail_out = 65536;
        rc = inflate(&z, Z_NO_FLUSH);
        assert_true(rc == Z_OK || rc == Z_STREAM_END);
        buf_commit(&out, 65536 - z.avail_out);
    }
    assert_int_equal(z.avail_in, 0);
    inflateEnd(&z);
    return out;
}

/* A body of 40 chunks of 20 000 bytes; every third keeps only its block. */
static struct body *large_body(struct buf *text)
{
    static char line[20000];
    struct body *b = body_new();

    body_family(b, "f");
    for (int i = 0; i < 40; i++) {
        struct chunk *c;

        for (size_t k = 0; k < sizeof line; k++)
            line[k] = (char)('a' + (k * 7 + k / 100 + (size_t)i) % 23);
        c = chunk_new((struct view){ line, sizeof line });
        buf_add(text, line, sizeof line);
        if (i % 3 == 0) {
            chunk_deflate(c, &zip);
            chunk_drop_text(c);
        }
        body_add(b, c);
    }
    return b;
}

static struct view after_head(struct buf *answer)
{
    buf_char(answer, '\0');

    size_t head = (size_t)(strstr(answer->p, "\r\n\r\n") + 4 - answer->p);

    return (struct view){ answer->p + head, answer->n - head - 1 };
}

static void gzip_is_one_member_of_all_bodies(void **state)
{
    struct buf text = { 0 }, got, plain;
    struct answer a = { 0 };

    (void)state;
    a.reply.status = 200;
    a.reply.content_type = "text/plain";
    a.reply.gzip = true;
    a.reply.bodies[a.reply.body_count++] = large_body(&text);
    a.reply.bodies[a.reply.body_count++] = body_new();
    a.reply.bodies[a.reply.body_count++] = body_eof();
    buf_str(&text, "# EOF\n");
    answer_start(&a, &(struct answer_manner){ true, false, "", &zip });
    got = drain(&a, 5, 3000);
    assert_non_null(strstr(got.p, "Content-Encoding: gzip\r\n"));
    plain = gunzip(after_head(&got));
    assert_int_equal(plain.n, text.n);
    assert_memory_equal(plain.p, text.p, text.n);
    answer_release(&a);
    buf_deinit(&plain);
    buf_deinit(&got);
    buf_deinit(&text);
}

static void text_that_is_not_kept_is_made_as_it_is_sent(void **state)
{
    for (size_t bytes = 7000; bytes < 2000000; bytes *= 5) {
        struct buf text = { 0 }, got;
        struct answer a = { 0 };

        (void)state;
        a.reply.status = 200;
        a.reply.content_type = "text/plain";
        a.reply.bodies[a.reply.body_count++] = large_body(&text);
        answer_start(&a, &(struct answer_manner){ true, false, "", &zip });
        got = drain(&a, 8, bytes);

        struct view content = after_head(&got);

        assert_int_equal(content.n, text.n);
        assert_memory_equal(content.p, text.p, text.n);
        answer_release(&a);
        buf_deinit(&got);
        buf_deinit(&text);
    }
}

static int free_zip(void **state)
{
    (void)state;
    gzip_deinit(&zip);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_head_bodies_and_text_however_it_is_cut),
        cmocka_unit_test(heads_tell_status_fields_and_what_becomes_of_the_connection),
        cmocka_unit_test(bytes_that_are_compressed_already_are_sent_as_they_are),
        cmocka_unit_test(a_feed_has_a_head_without_length),
        cmocka_unit_test(a_chunk_says_how_long_it_is),
        cmocka_unit_test(gzip_is_one_member_of_all_bodies),
        cmocka_unit_test(text_that_is_not_kept_is_made_as_it_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, free_zip);
}
