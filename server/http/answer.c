/*
 * answer.c - a reply as bytes.
 *
 * This is the path that every scrape takes, so the head is put together by copying
 * known texts, without a format string to read.
 */
#include "server/http/answer.h"

#include <assert.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/http/feed.h"
#include "server/strand.h"

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

/* RFC 9110, section 15; RFC 6585 for 429 and 431. */
static const char *phrase(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 304:
        return "Not Modified";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
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
    case 429:
        return "Too Many Requests";
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

static enum body_format format_of(const struct reply *r)
{
    return r->openmetrics ? BODY_OPENMETRICS : BODY_TEXT;
}

/* Bytes of the content; with gzip, makes what is not made yet and the end of it. */
static uint64_t content_length(struct answer *a)
{
    struct reply *r = &a->reply;
    enum body_format f = format_of(r);
    uint64_t n = 0, length = GZIP_HEAD_BYTES + GZIP_TAIL_BYTES;
    uint32_t crc = 0;

    if (!r->gzip)
        return reply_length(r);
    for (size_t i = 0; i < r->body_count; i++) {
        const struct body_form *form = &r->bodies[i]->form[f];

        body_prepare(r->bodies[i], f, a->gzip);
        a->strands[i] = body_strand(r->bodies[i], f);
        crc = gzip_join(crc, form->crc, form->join_op);
        n += form->bytes;
        length += form->zbytes;
    }
    gzip_tail(crc, n, a->tail);
    return length;
}

static void put_content_fields(struct text *t, const struct reply *r, uint64_t length)
{
    PUT(t, "Content-Type: ");
    put_str(t, r->content_type);
    PUT(t, "\r\nContent-Length: ");
    put_number(t, length);
    PUT(t, "\r\n");
    if (r->gzip)
        PUT(t, "Content-Encoding: gzip\r\n");
}

/* What comes behind this head is the feed's. */
static void put_feed_fields(struct text *t, const struct reply *r, bool chunked)
{
    PUT(t, "Content-Type: ");
    put_str(t, r->content_type);
    PUT(t, "\r\n");
    if (chunked)
        PUT(t, "Transfer-Encoding: chunked\r\n");
}

/* Makes room for a head with so many bytes of lines that are not known here. */
static struct text head_room(struct answer *a, size_t further)
{
    size_t room = sizeof(a->head_room);

    a->head = a->head_room;
    if (further > ANSWER_FURTHER_MAX) {
        room += further;
        a->head = mem_alloc(room);
    }
    return (struct text){ a->head, a->head + room };
}

void answer_start(struct answer *a, const struct answer_manner *manner)
{
    const struct reply *r = &a->reply;
    struct text t =
        head_room(a, strlen(manner->headers) + (r->headers ? strlen(r->headers) : 0));
    uint64_t length;

    a->gzip = manner->gzip;
    length = r->status == 304 ? 0 : content_length(a);
    assert(!r->feed || (length == 0 && r->status == 200));
    if (r->status == 200) {
        PUT(&t, "HTTP/1.1 200 OK\r\n");
    } else {
        PUT(&t, "HTTP/1.1 ");
        put_number(&t, (uint64_t)r->status);
        PUT(&t, " ");
        put_str(&t, phrase(r->status));
        PUT(&t, "\r\n");
    }
    if (r->feed)
        put_feed_fields(&t, r, !manner->http10);
    else if (r->status != 304)
        put_content_fields(&t, r, length);
    if (r->etag[0]) {
        PUT(&t, "ETag: ");
        put_str(&t, r->etag);
        PUT(&t, "\r\nVary: Accept, Accept-Encoding\r\n");
    }
    if (r->allow[0]) {
        PUT(&t, "Allow: ");
        put_str(&t, r->allow);
        PUT(&t, "\r\n");
    }
    if (r->headers)
        put_str(&t, r->headers);
    put_str(&t, manner->headers);
    if (!manner->keep_alive)
        PUT(&t, "Connection: close\r\n");
    else if (manner->http10)
        PUT(&t, "Connection: keep-alive\r\n");
    PUT(&t, "\r\n");
    a->left = (size_t)(t.at - a->head) + (r->head ? 0 : length);
    if (r->gzip && !r->head) /* begins right behind: one piece less to write */
        put(&t, gzip_head, GZIP_HEAD_BYTES);
    a->head_n = (uint32_t)(t.at - a->head);
    a->part = a->piece = 0;
    a->offset = 0;
}

static void start_bytes(struct answer *a, struct ready_answer *of, struct view bytes)
{
    a->ready = of;
    a->reply.status = 200;
    a->reply.fixed = bytes;
    a->head_n = 0;
    a->part = a->piece = 0;
    a->offset = 0;
    a->left = bytes.n;
}

void answer_start_ready(struct answer *a, struct ready_answer *ready)
{
    start_bytes(a, ready, (struct view){ ready->p, ready->n });
    a->reply.scrape = SCRAPE_OWN; /* nothing else is kept ready */
}

void answer_start_chunk(struct answer *a, struct ready_answer *chunk, bool framed)
{
    start_bytes(a, chunk,
                framed ? (struct view){ chunk->p, chunk->n } : feed_bytes(chunk));
}

/* A place in the answer. */
struct cursor {
    uint32_t part, piece;
    size_t offset;
};

static const struct answer_text *find_text(const struct answer *a,
                                           const struct cursor *c)
{
    for (uint32_t i = 0; i < a->text_count; i++)
        if (a->texts[i].part == c->part && a->texts[i].piece == c->piece)
            return &a->texts[i];
    return NULL;
}

/* The text of a chunk that keeps none; {NULL, n}: so much is made ahead already. */
static struct view make_text(struct answer *a, const struct cursor *c,
                             const struct chunk *chunk)
{
    const struct answer_text *made = find_text(a, c);
    struct answer_text text = { c->part, c->piece, chunk->n, NULL };

    if (made)
        return (struct view){ made->p, made->n };
    if (a->text_count == ANSWER_TEXTS_MAX ||
        (a->text_count > 0 && a->text_bytes + chunk->n > ANSWER_TEXT_BYTES))
        return (struct view){ NULL, chunk->n };
    if (!a->texts)
        a->texts = mem_alloc(ANSWER_TEXTS_MAX * sizeof(*a->texts));
    text.p = mem_alloc(chunk->n);

    bool good =
        gzip_text(a->gzip, (struct view){ chunk->z, chunk->zn }, text.p, chunk->n);

    assert(good); /* we made the block ourselves */
    (void)good;
    a->texts[a->text_count++] = text;
    a->text_bytes += chunk->n;
    return (struct view){ text.p, text.n };
}

/* Lets go of the texts before the place where the answer stands. */
static void forget_texts(struct answer *a)
{
    uint32_t gone = 0;

    while (gone < a->text_count &&
           (a->texts[gone].part < a->part ||
            (a->texts[gone].part == a->part && a->texts[gone].piece < a->piece))) {
        a->text_bytes -= a->texts[gone].n;
        free(a->texts[gone++].p);
    }
    a->text_count -= gone;
    if (gone)
        memmove(a->texts, a->texts + gone, a->text_count * sizeof(*a->texts));
}

/* The next piece of a body that has bytes left at c, which is moved there; 0: none. */
static size_t body_bytes_at(const struct answer *a, struct cursor *c)
{
    enum body_format f = format_of(&a->reply);
    struct body *b = a->reply.bodies[c->part - 1];

    for (uint32_t count = body_pieces(b, f); c->piece < count;
         c->piece++, c->offset = 0) {
        size_t n = body_piece(b, f, c->piece)->n;

        if (c->offset < n)
            return n;
    }
    return 0;
}

/* The same of its strand. */
static size_t strand_bytes_at(const struct strand *s, struct cursor *c)
{
    for (; c->piece < s->count; c->piece++, c->offset = 0)
        if (c->offset < s->pieces[c->piece].n)
            return s->pieces[c->piece].n;
    return 0;
}

/* Bytes of the piece at c; moves c over what is empty or used up. */
static size_t piece_bytes(const struct answer *a, struct cursor *c)
{
    const struct reply *r = &a->reply;

    for (;; c->part++, c->piece = 0, c->offset = 0) {
        size_t n = 0;

        if (c->part == 0) {
            n = a->head_n;
        } else if (c->part <= r->body_count) {
            n = r->gzip ? strand_bytes_at(a->strands[c->part - 1], c)
                        : body_bytes_at(a, c);
        } else if (c->part == r->body_count + 1) {
            n = r->fixed.n;
        } else if (c->part == r->body_count + 2) {
            n = r->text.n;
        } else {
            assert(c->part == r->body_count + 3 && r->gzip);
            n = GZIP_TAIL_BYTES;
        }
        if (c->offset < n)
            return n;
    }
}

/* The bytes of the piece that piece_bytes() found; p == NULL: not before some are sent. */
static struct view piece_at(struct answer *a, const struct cursor *c)
{
    const struct reply *r = &a->reply;

    if (c->part == 0)
        return (struct view){ a->head, a->head_n };
    if (c->part <= r->body_count && r->gzip) {
        const struct strand_piece *piece = &a->strands[c->part - 1]->pieces[c->piece];

        return (struct view){ piece->p, piece->n };
    }
    if (c->part <= r->body_count) {
        const struct chunk *chunk =
            body_piece(r->bodies[c->part - 1], format_of(r), c->piece);

        if (chunk->text)
            return (struct view){ chunk->text, chunk->n };
        return make_text(a, c, chunk);
    }
    if (c->part == r->body_count + 1)
        return r->fixed;
    if (c->part == r->body_count + 2)
        return buf_as_view(&r->text);
    return (struct view){ a->tail, GZIP_TAIL_BYTES };
}

unsigned answer_gather(struct answer *a, uv_buf_t iov[], unsigned max, size_t bytes)
{
    struct cursor c = { a->part, a->piece, a->offset };
    uint64_t left = a->left < bytes ? a->left : bytes;
    unsigned count = 0;

    while (left > 0 && count < max) {
        size_t n = piece_bytes(a, &c) - c.offset;
        struct view v = piece_at(a, &c);

        if (!v.p)
            break;
        if (n > left)
            n = (size_t)left;
        /* libuv's buffers are not const; it only reads them */
        iov[count].base = (char *)(uintptr_t)v.p + c.offset;
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
        size_t rest = piece_bytes(a, &c) - c.offset;
        size_t step = rest < n ? rest : n;

        c.offset += step;
        n -= step;
    }
    piece_bytes(a, &c);
    a->part = c.part;
    a->piece = c.piece;
    a->offset = c.offset;
    forget_texts(a);
}

void answer_release(struct answer *a)
{
    for (uint32_t i = 0; i < a->text_count; i++)
        free(a->texts[i].p);
    free(a->texts);
    a->texts = NULL;
    a->text_count = 0;
    a->text_bytes = 0;
    for (size_t i = 0; i < a->reply.body_count; i++) {
        strand_unref(a->strands[i]);
        a->strands[i] = NULL;
    }
    ready_answer_unref(a->ready);
    a->ready = NULL;
    if (a->head != a->head_room)
        free(a->head);
    a->head = a->head_room;
    reply_deinit(&a->reply);
    memset(&a->reply, 0, sizeof(a->reply));
    a->left = 0;
}
