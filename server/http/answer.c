/*
 * answer.c - a reply as bytes.
 *
 * This is the path that every scrape takes, so the head is put together by copying
 * known texts, without a format string to read.
 */
#include "server/http/answer.h"

#include <assert.h>

struct text {
    char *at, *end;
};

static void put(struct text *t, const char *p, size_t n)
{
    assert(n <= (size_t)(t->end - t->at));
    memcpy(t->at, p, n);
    t->at += n;
}

#define PUT(t, literal) put((t), "" literal, sizeof(literal) - 1)

static void put_str(struct text *t, const char *s)
{
    put(t, s, strlen(s));
}

static void put_number(struct text *t, uint64_t v)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    put(t, digits + at, sizeof(digits) - at);
}

/* RFC 9110, section 15; RFC 6585 for 431. */
static const char *phrase(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 304:
        return "Not Modified";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 417:
        return "Expectation Failed";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    case 503:
        return "Service Unavailable";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "";
    }
}

void answer_start(struct answer *a, bool keep_alive, bool http10)
{
    const struct reply *r = &a->reply;
    struct text t = { a->head, a->head + sizeof(a->head) };
    uint64_t length = reply_length(r);

    if (r->status == 200) {
        PUT(&t, "HTTP/1.1 200 OK\r\nContent-Type: ");
    } else {
        PUT(&t, "HTTP/1.1 ");
        put_number(&t, (uint64_t)r->status);
        PUT(&t, " ");
        put_str(&t, phrase(r->status));
        PUT(&t, "\r\nContent-Type: ");
    }
    put_str(&t, r->content_type);
    PUT(&t, "\r\nContent-Length: ");
    put_number(&t, length);
    PUT(&t, "\r\n");
    if (r->allow[0]) {
        PUT(&t, "Allow: ");
        put_str(&t, r->allow);
        PUT(&t, "\r\n");
    }
    if (r->headers)
        put_str(&t, r->headers);
    if (!keep_alive)
        PUT(&t, "Connection: close\r\n");
    else if (http10)
        PUT(&t, "Connection: keep-alive\r\n");
    PUT(&t, "\r\n");
    a->head_n = (uint32_t)(t.at - a->head);
    a->part = a->piece = 0;
    a->offset = 0;
    a->left = a->head_n + (r->head ? 0 : length);
}

/* A place in the answer, and the bytes from there to the end of their piece. */
struct cursor {
    uint32_t part, piece;
    size_t offset;
};

static struct view at(const struct answer *a, struct cursor *c)
{
    const struct reply *r = &a->reply;

    for (;; c->part++, c->piece = 0, c->offset = 0) {
        struct view v = { NULL, 0 };

        if (c->part == 0) {
            v = (struct view){ a->head, a->head_n };
        } else if (c->part <= r->body_count) {
            struct chunk *const *pieces;
            uint32_t count = body_pieces(r->bodies[c->part - 1], &pieces);

            while (c->piece < count && c->offset == pieces[c->piece]->n) {
                c->piece++;
                c->offset = 0;
            }
            if (c->piece < count)
                v = (struct view){ pieces[c->piece]->bytes, pieces[c->piece]->n };
        } else if (c->part == r->body_count + 1) {
            v = r->fixed;
        } else {
            assert(c->part == r->body_count + 2);
            v = buf_as_view(&r->text);
        }
        if (c->offset < v.n)
            return view_skip(v, c->offset);
    }
}

unsigned answer_gather(const struct answer *a, uv_buf_t iov[], unsigned max,
                       size_t bytes)
{
    struct cursor c = { a->part, a->piece, a->offset };
    uint64_t left = a->left < bytes ? a->left : bytes;
    unsigned count = 0;

    while (left > 0 && count < max) {
        struct view v = at(a, &c);
        size_t n = v.n < left ? v.n : (size_t)left;

        /* libuv's buffers are not const; it only reads them */
        iov[count].base = (char *)(uintptr_t)v.p;
        iov[count++].len = n;
        c.offset += n;
        left -= n;
    }
    return count;
}

void answer_advance(struct answer *a, size_t n)
{
    struct cursor c = { a->part, a->piece, a->offset };

    assert(n <= a->left);
    a->left -= n;
    /* All gone is the usual case, and needs no place to go on from. */
    if (a->left == 0)
        return;
    while (n > 0) {
        struct view v = at(a, &c);
        size_t step = v.n < n ? v.n : n;

        c.offset += step;
        n -= step;
    }
    a->part = c.part;
    a->piece = c.piece;
    a->offset = c.offset;
}

void answer_release(struct answer *a)
{
    reply_deinit(&a->reply);
    memset(&a->reply, 0, sizeof(a->reply));
    a->left = 0;
}
