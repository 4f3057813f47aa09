/*
 * http.c - bytes → requests.
 *
 * llhttp decides what HTTP is, with none of its leniences on. Here is decided what of it
 * we serve: HTTP/1.0 and 1.1, one Host, a head and a body within their limits. Bodies
 * are read to find their end and thrown away.
 *
 * The parser is paused where its position has to be known: behind the head of a request
 * that has a body (the limits of the two are counted apart), and behind each request.
 */
#include "server/http/http.h"

#include <assert.h>

/* More than a client of ours sends in a head; what is above goes back between requests. */
enum { TEXT_KEPT = 4096 };

static const struct {
    struct view name;
    enum http_field field;
} kept[] = {
    { VIEW("host"), HTTP_HOST },
    { VIEW("accept"), HTTP_ACCEPT },
    { VIEW("expect"), HTTP_EXPECT },
    { VIEW("origin"), HTTP_ORIGIN },
    { VIEW("authorization"), HTTP_AUTHORIZATION },
    { VIEW("last-event-id"), HTTP_LAST_EVENT_ID },
    { VIEW("if-none-match"), HTTP_IF_NONE_MATCH },
    { VIEW("sec-fetch-site"), HTTP_SEC_FETCH_SITE },
    { VIEW("accept-encoding"), HTTP_ACCEPT_ENCODING },
};

static int refuse(struct http_reader *r, int status, const char *reason)
{
    r->status = status;
    r->reason = reason;
    return -1;
}

static struct view value(const struct http_reader *r, enum http_field f)
{
    if (!r->field[f].n)
        return (struct view){ NULL, 0 };
    return view_trim((struct view){ r->text.p + r->field[f].at, r->field[f].n });
}

/*
 * Opens a kept field; what it already said stays in front, as one list. Joining copies,
 * so many short repeats of a long field could grow far beyond what came in: the copies
 * have a limit of their own, as large as that of the head.
 */
static int open_field(struct http_reader *r, enum http_field f)
{
    struct view before = value(r, f);
    uint32_t at = (uint32_t)r->text.n;

    r->current = f;
    r->field[f].seen = true;
    if (before.n) {
        char *to;

        r->joined += (uint32_t)before.n + 2;
        if (r->joined > r->head_limit)
            return refuse(r, 431, "request header fields too large");
        to = buf_room(&r->text, before.n + 2);
        assert(to);
        /* buf_room() may have moved what the view points into */
        before = value(r, f);
        assert(before.p);
        memcpy(to, before.p, before.n);
        memcpy(to + before.n, ", ", 2);
        buf_commit(&r->text, before.n + 2);
    }
    r->field[f].at = at;
    r->field[f].n = (uint32_t)r->text.n - at;
    return 0;
}

static void extend_field(struct http_reader *r, const char *at, size_t n)
{
    buf_add(&r->text, at, n);
    r->field[r->current].n += (uint32_t)n;
}

static int on_message_begin(llhttp_t *parser)
{
    struct http_reader *r = parser->data;

    r->began = true;
    return open_field(r, HTTP_TARGET);
}

static int on_url(llhttp_t *parser, const char *at, size_t n)
{
    extend_field(parser->data, at, n);
    return 0;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t n)
{
    struct http_reader *r = parser->data;

    r->line_done = true;
    for (size_t i = 0; i < n && r->name_n + i < HTTP_NAME_MAX; i++) {
        char c = at[i];

        r->name[r->name_n + i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    r->name_n += (uint32_t)n;
    return 0;
}

static int on_header_field_complete(llhttp_t *parser)
{
    struct http_reader *r = parser->data;
    struct view name = { r->name, r->name_n };

    r->name_n = 0;
    r->current = HTTP_FIELDS;
    /* What follows a body says nothing of how to answer (RFC 9110, section 6.5.1). */
    if (name.n > HTTP_NAME_MAX || r->in_body)
        return 0;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (!view_eq(name, kept[i].name))
            continue;
        if (kept[i].field == HTTP_HOST && r->field[HTTP_HOST].seen)
            return refuse(r, 400, "more than one Host");
        if (kept[i].field == HTTP_AUTHORIZATION && r->field[HTTP_AUTHORIZATION].seen)
            return refuse(r, 400, "more than one Authorization");
        return open_field(r, kept[i].field);
    }
    return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t n)
{
    struct http_reader *r = parser->data;

    if (r->current != HTTP_FIELDS)
        extend_field(r, at, n);
    return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct http_reader *r = parser->data;
    struct view expect = value(r, HTTP_EXPECT);

    r->line_done = true;
    if (parser->http_major != 1)
        return refuse(r, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    r->http10 = parser->http_minor == 0;
    if (!r->http10 && !r->field[HTTP_HOST].seen)
        return refuse(r, 400, "HTTP/1.1 without Host");
    if (expect.n && !view_eq_nocase(expect, VIEW("100-continue")))
        return refuse(r, 417, "cannot do what Expect asks for");
    r->streams = false;
    if (r->takes) {
        struct request rq;

        http_request(r, &rq);
        r->streams = r->takes(r->ctx, &rq);
    }
    if (parser->content_length > r->body_limit && !r->streams)
        return refuse(r, 413, "request body too large");
    r->keep_alive = llhttp_should_keep_alive(parser);
    /* An offer of another protocol is not taken up: what follows is HTTP/1 as before. */
    parser->upgrade = 0;
    if (parser->content_length == 0 && !(parser->flags & F_CHUNKED)) {
        r->streams = false; /* there is no body */
        return 0;
    }
    r->pause = HTTP_AT_BODY;
    return HPE_PAUSED;
}

static int on_body(llhttp_t *parser, const char *at, size_t n)
{
    struct http_reader *r = parser->data;

    r->given_end = at + n;
    if (r->body)
        r->body(r->ctx, (struct view){ at, n });
    return 0;
}

static int on_message_complete(llhttp_t *parser)
{
    struct http_reader *r = parser->data;

    r->pause = HTTP_AT_END;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_field_complete = on_header_field_complete,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

void http_init(struct http_reader *r, uint32_t head_limit, uint32_t body_limit)
{
    *r = (struct http_reader){ .head_limit = head_limit, .body_limit = body_limit };
    llhttp_init(&r->parser, HTTP_REQUEST, &settings);
    r->parser.data = r;
    http_next(r);
}

void http_deinit(struct http_reader *r)
{
    buf_deinit(&r->text);
}

void http_next(struct http_reader *r)
{
    if (r->text.cap > TEXT_KEPT)
        buf_deinit(&r->text);
    buf_release(&r->text);
    memset(r->field, 0, sizeof(r->field));
    r->name_n = 0;
    r->head_bytes = r->body_bytes = r->joined = 0;
    r->began = r->line_done = r->in_body = r->at_line = r->streams = false;
    r->body = NULL;
}

/*
 * Does a line of these bytes of a head begin with a blank, which makes it go on where the
 * one before ended? Readers on the way may have taken it for a line of its own, so it is
 * refused (RFC 9112, section 5.2). llhttp takes it.
 */
static bool is_folded(struct http_reader *r, const char *p, size_t n)
{
    const char *end = p + n;

    while (p < end) {
        if (r->at_line && (*p == ' ' || *p == '\t'))
            return true;
        p = memchr(p, '\n', (size_t)(end - p));
        r->at_line = p != NULL;
        if (!p)
            break;
        p++;
    }
    return false;
}

/*
 * How many bytes may be looked at next: one past the limit at most, so that it is met at
 * the same byte however the request is cut.
 */
static size_t room(const struct http_reader *r)
{
    return 1 + (size_t)(r->in_body ? r->body_limit - r->body_bytes
                                   : r->head_limit - r->head_bytes);
}

/* Counts n more bytes of the request, which end there; refuses it past its limits. */
static void count(struct http_reader *r, const char *end, size_t n)
{
    if (r->in_body) {
        /* With the framing of its chunks, so that this cannot grow for ever. Of a body that
         * is taken, what came since somebody was given something of it. */
        if (r->body && r->given_end)
            r->body_bytes = (uint32_t)(end - r->given_end);
        else
            r->body_bytes += (uint32_t)n;
        if (r->body_bytes > r->body_limit)
            refuse(r, 413,
                   r->body ? "chunks of a body without content"
                           : "request body too large");
        return;
    }
    r->head_bytes += (uint32_t)n;
    if (r->head_bytes <= r->head_limit)
        return;
    if (!r->line_done || r->field[HTTP_TARGET].n >= r->head_limit)
        refuse(r, 414, "request line too long");
    else
        refuse(r, 431, "request header fields too large");
}

bool http_expects(const struct http_reader *r)
{
    return r->field[HTTP_EXPECT].seen && !r->http10;
}

void http_ask(struct http_reader *r, bool (*takes)(void *ctx, const struct request *rq),
              void *ctx)
{
    r->takes = takes;
    r->ctx = ctx;
}

void http_take_body(struct http_reader *r, void (*body)(void *ctx, struct view bytes))
{
    r->body = body;
}

size_t http_feed(struct http_reader *r, const char *p, size_t n, enum http_event *event)
{
    size_t used = 0;

    assert(!r->status);
    while (used < n) {
        size_t most = room(r), step = n - used < most ? n - used : most;
        llhttp_errno_t rc;

        if (r->pause != HTTP_RUNNING)
            llhttp_resume(&r->parser);
        r->pause = HTTP_RUNNING;
        r->given_end = NULL;
        rc = llhttp_execute(&r->parser, p + used, step);
        if (rc != HPE_OK)
            step = (size_t)(llhttp_get_error_pos(&r->parser) - (p + used));
        used += step;
        if (!r->in_body && is_folded(r, p + used - step, step))
            refuse(r, 400, "a line of the head begins with a blank");
        else if (rc == HPE_PAUSED_H2_UPGRADE)
            refuse(r, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
        else if (rc != HPE_OK && rc != HPE_PAUSED && !r->status)
            refuse(r, 400, llhttp_get_error_reason(&r->parser));
        if (!r->status)
            count(r, p + used, step);
        if (r->status) {
            *event = HTTP_REFUSED;
            return used;
        }
        if (r->pause == HTTP_AT_END) {
            *event = HTTP_COMPLETE;
            return used;
        }
        if (r->pause == HTTP_AT_BODY) {
            r->in_body = true;
            if (r->streams) {
                *event = HTTP_BODY;
                return used;
            }
            if (http_expects(r) && used == n) {
                *event = HTTP_CONTINUE;
                return used;
            }
        }
    }
    *event = HTTP_MORE;
    return used;
}

static enum method method_of(const llhttp_t *parser)
{
    switch (parser->method) {
    case HTTP_GET:
        return METHOD_GET;
    case HTTP_HEAD:
        return METHOD_HEAD;
    case HTTP_POST:
        return METHOD_POST;
    default:
        return METHOD_OTHER;
    }
}

/* Length of "http://" or "https://" at the front of v, 0 if it is neither. */
static size_t scheme(struct view v)
{
    static const struct view schemes[] = { VIEW("http://"), VIEW("https://") };

    for (size_t i = 0; i < 2; i++)
        if (v.n >= schemes[i].n &&
            view_eq_nocase((struct view){ v.p, schemes[i].n }, schemes[i]))
            return schemes[i].n;
    return 0;
}

/*
 * The target is "/path?query", or the same behind "http://host" as proxies ask; then
 * that host counts (RFC 9112, section 3.2.2). A fragment has no business here and is
 * cut off.
 */
static void split_target(struct view target, struct request *out)
{
    struct view rest = target;
    size_t skip = scheme(target);

    if (skip) {
        size_t n = 0;

        rest = view_skip(target, skip);
        while (n < rest.n && !strchr("/?#", rest.p[n]))
            n++;
        out->host = (struct view){ rest.p, n };
        rest = view_skip(rest, n);
        if (rest.n == 0 || rest.p[0] != '/')
            out->path = VIEW("/");
    }
    view_split(&rest, '#', &target);
    rest = target;
    view_split(&rest, '?', &target);
    if (target.n)
        out->path = target;
    out->query = rest;
}

void http_request(const struct http_reader *r, struct request *out)
{
    *out = (struct request){
        .method = method_of(&r->parser),
        .host = value(r, HTTP_HOST),
        .origin = value(r, HTTP_ORIGIN),
        .sec_fetch_site = value(r, HTTP_SEC_FETCH_SITE),
        .accept = value(r, HTTP_ACCEPT),
        .accept_encoding = value(r, HTTP_ACCEPT_ENCODING),
        .if_none_match = value(r, HTTP_IF_NONE_MATCH),
        .authorization = value(r, HTTP_AUTHORIZATION),
        .last_event_id = value(r, HTTP_LAST_EVENT_ID),
    };
    split_target(value(r, HTTP_TARGET), out);
}
