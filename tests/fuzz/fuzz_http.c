/*
 * fuzz_http.c - a connection's bytes, cut anywhere, through reader, routes and answer.
 *
 * The bytes are those of one connection: any number of requests, one behind the other.
 * They are read whole, byte by byte, in pieces whose size the first byte chooses, and in
 * two pieces cut at one place after the other; each time the same requests must come out,
 * end at the same bytes, and the same fault with the same status, if there is one.
 * Compressed answers are one whole gzip member of what the bodies say, and who sends the
 * tag of an answer back gets nothing. A body that is taken as it arrives is the same bytes
 * however it came; a feed is whole chunks, and the last that its connection says.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "core/mem.h"
#include "server/http/answer.h"
#include "server/http/feed.h"
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

/* Hands out what its client saw last, three times. */
struct echo {
    struct feed feed;
    struct ready_answer *chunk;
    unsigned left;
};

static unsigned feeds; /* that are not gone */

static struct ready_answer *echo_next(struct feed *f)
{
    struct echo *e = (struct echo *)f;

    if (e->left == 0)
        return NULL;
    e->left--;
    e->chunk->refs++;
    return e->chunk;
}

static void echo_gone(struct feed *f)
{
    struct echo *e = (struct echo *)f;

    assert(e->chunk->refs == 1);
    ready_answer_unref(e->chunk);
    free(e);
    feeds--;
}

static struct feed *echo(struct view text)
{
    struct echo *e = mem_zalloc(sizeof *e);

    e->feed = (struct feed){ .next = echo_next, .gone = echo_gone };
    e->chunk = feed_chunk(text.n ? text : VIEW("data: x\n\n"));
    e->left = 3;
    feeds++;
    return &e->feed;
}

/* Never called: bodies are taken in here. */
static struct intake *site_intake(void *ctx, const struct intake_request *rq,
                                  struct reply *refusal)
{
    (void)ctx;
    (void)rq;
    (void)refusal;
    abort();
}

static void site_page(void *ctx, int endpoint, const struct request *rq,
                      struct reply *out)
{
    (void)ctx;
    out->status = 200;
    if (view_eq(rq->path, VIEW("/events"))) {
        out->content_type = "text/event-stream";
        out->feed = echo(rq->last_event_id);
        return;
    }
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
    bool open;                  /* more may follow */
    uint64_t taken, taken_hash; /* bytes of bodies that were taken as they came */
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

static const struct site site = { .bodies = site_bodies,
                                  .ready = site_ready,
                                  .reload = site_reload,
                                  .page = site_page,
                                  .seed = 1,
                                  .allowed_hosts = "a",
                                  .intake = site_intake };

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
    assert(r.status == 304 && view_eq(view_of(r.etag), again.if_none_match));
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
    mix(o, rq->last_event_id);
}

/* All that is left of an answer, so many bytes at a time. */
static void drain(struct answer *a, size_t step, struct buf *out)
{
    uint64_t want = a->left;

    for (uint64_t sent = 0; a->left > 0;) {
        uv_buf_t iov[3];
        unsigned count = answer_gather(a, iov, 3, step);
        size_t n = 0;

        assert(count > 0);
        for (unsigned i = 0; i < count; i++) {
            buf_add(out, iov[i].base, iov[i].len);
            n += iov[i].len;
        }
        assert(n > 0 && n <= step);
        sent += n;
        answer_advance(a, n);
        assert(a->left == want - sent);
    }
}

/* As conn_feed.c does it. */
static void follow(struct feed *f, bool http10, size_t step, struct view text)
{
    struct buf got = { 0 }, want = { 0 };
    struct ready_answer *chunk;
    struct answer a = { 0 };

    text = text.n ? text : VIEW("data: x\n\n");
    while ((chunk = f->next(f))) {
        answer_start_chunk(&a, chunk, !http10);
        drain(&a, step, &got);
        answer_release(&a);
        if (!http10)
            buf_fmt(&want, "%x\r\n", (unsigned)text.n);
        buf_view(&want, text);
        if (!http10)
            buf_str(&want, "\r\n");
    }
    assert(view_eq(buf_as_view(&got), buf_as_view(&want)));
    f->gone(f);
    buf_deinit(&got);
    buf_deinit(&want);
}

static void check_content(const struct answer *a, struct view content)
{
    struct buf text = text_of(&a->reply);

    if (a->reply.gzip)
        check_gzip(content, buf_as_view(&text));
    else
        assert(view_eq(content, buf_as_view(&text)));
    buf_deinit(&text);
}

static void answer(struct http_reader *r, const struct request *asked, size_t step,
                   struct outcome *o)
{
    struct buf sent_bytes = { 0 };
    struct request rq = *asked;
    struct answer a = { 0 };
    struct feed *feed;
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
    drain(&a, step, &sent_bytes);
    if (a.reply.body_count > 0 && !a.reply.head)
        check_content(&a, view_skip(buf_as_view(&sent_bytes),
                                    a.head_n - (a.reply.gzip ? GZIP_HEAD_BYTES : 0)));
    feed = a.reply.head ? NULL : a.reply.feed;
    if (feed) {
        a.reply.feed = NULL;
        follow(feed, r->http10, step, rq.last_event_id);
    }
    buf_deinit(&sent_bytes);
    o->bytes += want;
    answer_release(&a);
}

/* What is said behind a feed is not heard. */
static bool starts_feed(const struct request *rq)
{
    struct reply r = { 0 };
    bool yes;

    if (!view_eq(rq->path, VIEW("/events")))
        return false;
    route(&site, 0, rq, &r);
    yes = r.feed && !r.head;
    reply_deinit(&r);
    return yes;
}

static bool takes(void *ctx, const struct request *rq)
{
    (void)ctx;
    return route_takes_body(&site, 0, rq);
}

static void on_body(void *ctx, struct view bytes)
{
    struct outcome *o = ctx;

    assert(bytes.n > 0);
    for (size_t i = 0; i < bytes.n; i++)
        o->taken_hash = (o->taken_hash ^ (unsigned char)bytes.p[i]) * 1099511628211u;
    o->taken += bytes.n;
}

/* False: nobody takes it, as the names below /progress/no. */
static bool take_body(struct http_reader *r)
{
    struct request rq;

    http_request(r, &rq);
    assert(rq.method == METHOD_POST);
    if (view_starts(rq.path, VIEW("/progress/no")))
        return false;
    http_take_body(r, on_body);
    return true;
}

static void complete(struct http_reader *r, const struct cuts *cuts, struct outcome *o)
{
    struct request rq;

    /* A head within its limit can leave no more than it and as many copies. */
    assert(r->text.n <= 2 * (size_t)HEAD + 2 && !r->text.full);
    http_request(r, &rq);
    mix_request(r, &rq, o);
    o->requests++;
    o->open = r->keep_alive && !starts_feed(&rq);
    if (cuts->answered && !r->body)
        answer(r, &rq, cuts->step % PLACES + 7, o);
}

/* What the reader found; false: nothing more is to be read. */
static bool hear(struct http_reader *r, enum http_event event, const struct cuts *cuts,
                 struct outcome *o)
{
    switch (event) {
    case HTTP_REFUSED:
        assert(r->status >= 400 && r->reason);
        o->status = r->status;
        return false;
    case HTTP_BODY:
        return take_body(r);
    case HTTP_COMPLETE:
        complete(r, cuts, o);
        http_next(r);
        return o->open;
    case HTTP_CONTINUE:
        assert(http_expects(r));
        break;
    case HTTP_MORE:
        break;
    }
    return true;
}

static struct outcome converse(const uint8_t *data, size_t size, struct cuts cuts)
{
    struct outcome o = { .open = true };
    struct http_reader r;
    size_t at = 0, piece_end = 0;

    http_init(&r, HEAD, BODY);
    http_ask(&r, takes, &o);
    while (at < size && o.open) {
        enum http_event event;
        uint64_t requests = o.requests;
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
        assert(r.body_bytes <= BODY + 1);
        at += used;
        o.open = hear(&r, event, &cuts, &o);
        if (o.requests != requests)
            o.end = at;
    }
    assert(o.taken <= size);
    http_deinit(&r);
    return o;
}

static void require_same(const struct outcome *a, const struct outcome *b,
                         bool answered)
{
    assert(a->requests == b->requests && a->end == b->end);
    assert(a->status == b->status && a->open == b->open);
    assert(a->taken == b->taken && a->taken_hash == b->taken_hash);
    assert(feeds == 0);
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
