#include "tests/unit/test.h"

#include <string.h>

#include "server/http/answer.h"

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
            answer_start(&a, true, false);
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
    answer_start(&a, keep_alive, http10);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_head_bodies_and_text_however_it_is_cut),
        cmocka_unit_test(heads_tell_status_fields_and_what_becomes_of_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
