/*
 * fuzz_http.c - a connection's bytes, cut anywhere, through reader, routes and answer.
 *
 * The first byte chooses how the rest is cut. The same bytes uncut must give the same
 * requests and the same end. Compressed answers are one whole gzip member of what the
 * bodies say, and who sends the tag of an answer back gets nothing.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "server/http/answer.h"
#include "server/http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 2048, BODY = 512 };

static struct body *bodies[2];
static struct gzip zip;

static size_t site_bodies(void *ctx, int endpoint, struct body *out[REPLY_BODIES_MAX])
{
    (void)ctx;
    out[0] = bodies[0];
    out[1] = bodies[1];
    return endpoint < 0 ? 2 : 1;
}

static bool site_ready(void *ctx)
{
    (void)ctx;
    return true;
}

static int site_reload(void *ctx, struct err *e)
{
    (void)ctx;
    return err_set(e, -22, "not JSON");
}

static void site_page(void *ctx, int endpoint, struct view host, struct buf *html)
{
    (void)host;
    (void)ctx;
    buf_u64(html, (uint64_t)endpoint);
}

static struct body *body_of(const char *const names[], size_t count)
{
    struct body *b = body_new();

    for (size_t i = 0; i < count; i++) {
        body_family(b, names[i]);
        struct chunk *head = chunk_new(VIEW("# HELP x y\n# TYPE x gauge\n"));

        chunk_set_alt(head, chunk_new(VIEW("# TYPE x gauge\n")));
        body_add(b, head);
        body_add(b, chunk_new(VIEW("x 1\n")));
    }
    return b;
}

/* What a conversation came to. */
struct outcome {
    uint64_t requests, bytes, hash;
    int status;
};

static void mix(struct outcome *o, struct view v)
{
    for (size_t i = 0; i < v.n; i++)
        o->hash = (o->hash ^ (unsigned char)v.p[i]) * 1099511628211u;
    o->hash = (o->hash ^ v.n) * 1099511628211u;
}

static const struct site site = { NULL,        site_bodies, site_ready,
                                  site_reload, site_page,   1, "a" };

/* What the bodies of a reply say, in its format. */
static struct buf text_of(const struct reply *r)
{
    struct buf text = { 0 };

    for (size_t i = 0; i < r->body_count; i++)
        for (uint32_t k = 0; k < r->bodies[i]->chunk_count; k++) {
            const struct chunk *c = r->bodies[i]->chunks[k];

            if (r->openmetrics && c->alt)
                c = c->alt;
            buf_add(&text, c->text, c->n);
        }
    return text;
}

/* content is one gzip member, of just this text. */
static void check_gzip(struct view content, struct view text)
{
    char *got = malloc(text.n + 1);
    z_stream z = { 0 };

    assert(inflateInit2(&z, 15 + 16) == Z_OK);
    z.next_in = (Bytef *)(uintptr_t)content.p;
    z.avail_in = (uInt)content.n;
    z.next_out = (Bytef *)got;
    z.avail_out = (uInt)text.n + 1;
    assert(inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_in == 0);
    assert(view_eq((struct view){ got, z.total_out }, text));
    inflateEnd(&z);
    free(got);
}

/* The same request with the tag of its answer. */
static void ask_again(const struct request *rq, const struct reply *first)
{
    struct request again = *rq;
    struct reply r = { 0 };

    again.if_none_match = view_of(first->etag);
    route(&site, 0, &again, &r);
    assert(r.status == 304 && strcmp(r.etag, first->etag) == 0);
    assert(r.body_count == 0 && reply_length(&r) == 0);
    reply_deinit(&r);
}

static void answer(struct http_reader *r, size_t step, struct outcome *o)
{
    struct buf sent_bytes = { 0 };
    struct answer a = { 0 };
    struct request rq;
    uint64_t want;

    http_request(r, &rq);
    mix(o, rq.path);
    mix(o, rq.query);
    mix(o, rq.host);
    mix(o, rq.accept);
    mix(o, rq.accept_encoding);
    mix(o, rq.if_none_match);
    route(&site, 0, &rq, &a.reply);
    assert(a.reply.status >= 200 && a.reply.content_type);
    mix(o, view_of(a.reply.content_type));
    mix(o, view_of(a.reply.etag));
    assert(strlen(a.reply.etag) < ETAG_MAX);
    if (a.reply.status == 200 && a.reply.etag[0])
        ask_again(&rq, &a.reply);
    answer_start(&a, &(struct answer_manner){ r->keep_alive, r->http10, "", &zip });
    want = a.left;
    assert(a.reply.gzip ||
           want == a.head_n + (a.reply.head ? 0 : reply_length(&a.reply)));
    for (uint64_t sent = 0; a.left > 0;) {
        uv_buf_t iov[3];
        unsigned count = answer_gather(&a, iov, 3, step);
        size_t n = 0;

        assert(count > 0);
        for (unsigned i = 0; i < count; i++) {
            buf_add(&sent_bytes, iov[i].base, iov[i].len);
            n += iov[i].len;
        }
        assert(n > 0 && n <= step);
        sent += n;
        answer_advance(&a, n);
        assert(a.left == want - sent);
    }
    if (a.reply.body_count > 0 && !a.reply.head) {
        size_t head = a.head_n - (a.reply.gzip ? GZIP_HEAD_BYTES : 0);
        struct view content = view_skip(buf_as_view(&sent_bytes), head);
        struct buf text = text_of(&a.reply);

        if (a.reply.gzip) {
            check_gzip(content, buf_as_view(&text));
        } else {
            assert(content.n == text.n);
            assert(text.n == 0 ||
                   (content.p && text.p && memcmp(content.p, text.p, text.n) == 0));
        }
        buf_deinit(&text);
    }
    buf_deinit(&sent_bytes);
    o->requests++;
    o->bytes += want;
    answer_release(&a);
}

static struct outcome converse(const uint8_t *data, size_t size, size_t step)
{
    struct outcome o = { 0 };
    struct http_reader r;
    size_t at = 0;

    http_init(&r, HEAD, BODY);
    while (at < size) {
        size_t n = size - at < step ? size - at : step, used;
        enum http_event event;
        char *piece = malloc(n);

        memcpy(piece, data + at, n);
        used = http_feed(&r, piece, n, &event);
        free(piece);
        assert(used <= n && (event != HTTP_MORE || used == n));
        assert(used > 0 || event == HTTP_REFUSED);
        at += used;
        if (event == HTTP_REFUSED) {
            assert(r.status >= 400 && r.reason);
            o.status = r.status;
            break;
        }
        if (event == HTTP_COMPLETE) {
            answer(&r, step + 7, &o);
            if (!r.keep_alive)
                break;
            http_next(&r);
        }
    }
    http_deinit(&r);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole, cut;

    if (!bodies[0]) {
        bodies[0] = body_of((const char *const[]){ "a", "b", "c" }, 3);
        bodies[1] = body_of((const char *const[]){ "d" }, 1);
    }
    if (size < 2)
        return 0;
    whole = converse(data + 1, size - 1, size);
    cut = converse(data + 1, size - 1, (size_t)data[0] % 61 + 1);
    assert(whole.requests == cut.requests && whole.bytes == cut.bytes);
    assert(whole.hash == cut.hash);
    /* Which of two faults is seen first may depend on the cuts, not that there is one. */
    assert((whole.status == 0) == (cut.status == 0));
    assert(bodies[0]->refs == 1 && bodies[1]->refs == 1);
    return 0;
}
