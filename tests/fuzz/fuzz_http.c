/*
 * fuzz_http.c - a connection's bytes, cut anywhere, through reader, routes and answer.
 *
 * The bytes are those of one connection: any number of requests, one behind the other.
 * They are read whole, byte by byte, in pieces whose size the first byte chooses, and in
 * two pieces cut at one place after the other; each time the same requests must come out,
 * end at the same bytes, and the same fault with the same status, if there is one.
 * Compressed answers are one whole gzip member of what the bodies say, and who sends the
 * tag of an answer back gets nothing.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "server/http/answer.h"
#include "server/http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 2048, BODY = 512, PLACES = 128 };

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

static void site_page(void *ctx, int endpoint, const struct request *rq,
                      struct reply *out)
{
    (void)rq;
    (void)ctx;
    out->status = 200;
    out->content_type = "text/html; charset=utf-8";
    buf_u64(&out->text, (uint64_t)endpoint);
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
    size_t end; /* of the last request that was complete */
    int status;
    bool open; /* more may follow */
};

/* How the bytes are cut. */
struct cuts {
    size_t first, step; /* the first piece, and all others */
    bool answered;      /* answers are made, not only requests read */
};

static void mix(struct outcome *o, struct view v)
{
    for (size_t i = 0; i < v.n; i++)
        o->hash = (o->hash ^ (unsigned char)v.p[i]) * 1099511628211u;
    o->hash = (o->hash ^ v.n) * 1099511628211u;
}

static const struct site site = { NULL,      site_bodies, site_ready, site_reload,
                                  site_page, 1,           "a" };

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

static void mix_request(const struct http_reader *r, const struct request *rq,
                        struct outcome *o)
{
    const char said[] = { (char)('0' + rq->method), r->keep_alive ? 'k' : 'c',
                          r->http10 ? '0' : '1' };

    mix(o, (struct view){ said, sizeof(said) });
    mix(o, rq->path);
    mix(o, rq->query);
    mix(o, rq->host);
    mix(o, rq->origin);
    mix(o, rq->sec_fetch_site);
    mix(o, rq->accept);
    mix(o, rq->accept_encoding);
    mix(o, rq->if_none_match);
    mix(o, rq->authorization);
}

static void answer(struct http_reader *r, const struct request *asked, size_t step,
                   struct outcome *o)
{
    struct buf sent_bytes = { 0 };
    struct request rq = *asked;
    struct answer a = { 0 };
    uint64_t want;

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
    o->bytes += want;
    answer_release(&a);
}

static void complete(struct http_reader *r, const struct cuts *cuts, struct outcome *o)
{
    struct request rq;

    /* A head within its limit can leave no more than it and as many copies. */
    assert(r->text.n <= 2 * (size_t)HEAD + 2 && !r->text.full);
    http_request(r, &rq);
    mix_request(r, &rq, o);
    o->requests++;
    if (cuts->answered)
        answer(r, &rq, cuts->step % PLACES + 7, o);
}

static struct outcome converse(const uint8_t *data, size_t size, struct cuts cuts)
{
    struct outcome o = { .open = true };
    struct http_reader r;
    size_t at = 0, piece_end = 0;

    http_init(&r, HEAD, BODY);
    while (at < size && o.open) {
        enum http_event event;
        size_t n, used;
        char *piece;

        if (at == piece_end)
            piece_end += at == 0 ? cuts.first : cuts.step;
        if (piece_end > size)
            piece_end = size;
        n = piece_end - at;
        piece = malloc(n); /* of its own, so that a read past its end is seen */
        memcpy(piece, data + at, n);
        used = http_feed(&r, piece, n, &event);
        free(piece);
        assert(used <= n && (event != HTTP_MORE || used == n));
        assert(used > 0 || event == HTTP_REFUSED);
        at += used;
        if (event == HTTP_REFUSED) {
            assert(r.status >= 400 && r.reason);
            o.status = r.status;
            o.open = false;
        } else if (event == HTTP_COMPLETE) {
            complete(&r, &cuts, &o);
            o.end = at;
            o.open = r.keep_alive;
            http_next(&r);
        }
    }
    http_deinit(&r);
    return o;
}

static void require_same(const struct outcome *a, const struct outcome *b,
                         bool answered)
{
    assert(a->requests == b->requests && a->end == b->end);
    assert(a->status == b->status && a->open == b->open);
    if (answered)
        assert(a->hash == b->hash && a->bytes == b->bytes);
}

/* Cut in two, at up to PLACES places; requests are read, not answered. */
static void cut_in_two(const uint8_t *data, size_t size, size_t from)
{
    struct outcome whole = converse(data, size, (struct cuts){ size, size, false });
    size_t step = size / PLACES + 1;

    for (size_t at = from % step + 1; at < size; at += step) {
        struct outcome cut = converse(data, size, (struct cuts){ at, size, false });

        require_same(&whole, &cut, true);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole, bytes, pieces;
    size_t step;

    if (!bodies[0]) {
        bodies[0] = body_of((const char *const[]){ "a", "b", "c" }, 3);
        bodies[1] = body_of((const char *const[]){ "d" }, 1);
    }
    if (size < 2)
        return 0;
    step = data[0];
    data++;
    size--;
    whole = converse(data, size, (struct cuts){ size, size, true });
    pieces = converse(data, size, (struct cuts){ step + 1, step % 61 + 1, true });
    bytes = converse(data, size, (struct cuts){ 1, 1, false });
    require_same(&whole, &pieces, true);
    require_same(&whole, &bytes, false);
    cut_in_two(data, size, step);
    assert(bodies[0]->refs == 1 && bodies[1]->refs == 1);
    return 0;
}
