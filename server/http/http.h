/*
 * http.h - bytes → requests, one after the other, without any socket.
 *
 * A reader is fed whatever arrives, cut anywhere. It stops behind each request, so the
 * bytes of the next one (pipelining) are not looked at before http_next().
 */
#ifndef SERVER_HTTP_HTTP_H
#define SERVER_HTTP_HTTP_H

#include <llhttp.h>

#include "core/buf.h"
#include "server/http/route.h"

enum http_event {
    HTTP_MORE,     /* all bytes were taken, the request is not complete */
    HTTP_BODY,     /* a request whose body somebody may take as it arrives: its head is
                      complete; http_take_body() or an answer follows */
    HTTP_CONTINUE, /* the client waits for "100 Continue" before it sends its body */
    HTTP_COMPLETE, /* http_request() may be asked; then http_next() */
    HTTP_REFUSED,  /* status and reason tell why; nothing more can be read */
};

/* Header fields that are kept; HTTP_TARGET is the request target. */
enum http_field {
    HTTP_TARGET,
    HTTP_HOST,
    HTTP_ORIGIN,
    HTTP_SEC_FETCH_SITE,
    HTTP_ACCEPT,
    HTTP_ACCEPT_ENCODING,
    HTTP_IF_NONE_MATCH,
    HTTP_EXPECT,
    HTTP_AUTHORIZATION,
    HTTP_LAST_EVENT_ID,
    HTTP_FIELDS,
};

enum { HTTP_NAME_MAX = 16 }; /* no kept field has a longer name */

struct http_reader { /* must not move between init and deinit */
    llhttp_t parser;
    uint32_t head_limit, body_limit; /* bytes; a body counts with its framing */

    /* All below is of the request being read. */
    struct buf text; /* what is kept, one value after the other */
    struct {
        uint32_t at, n;
        bool seen;
    } field[HTTP_FIELDS];
    enum http_field current;  /* HTTP_FIELDS: one that is not kept */
    char name[HTTP_NAME_MAX]; /* of a field, in lower case */
    uint32_t name_n;          /* its length, also if it did not fit */
    uint32_t head_bytes, body_bytes;
    uint32_t joined; /* bytes copied to put repeated fields together */
    bool began;      /* its first byte has arrived */
    bool line_done;  /* its request line has */
    bool in_body;
    bool at_line; /* the last byte of the head so far ended a line */
    enum { HTTP_RUNNING, HTTP_AT_BODY, HTTP_AT_END } pause;
    bool keep_alive; /* what the client wants; valid once complete */
    bool http10;
    int status;         /* why it was refused */
    const char *reason; /* one sentence */

    const char *given_end; /* of the body, by the last call of the parser; NULL: none */
    bool streams;          /* the body is not gathered, nor limited as a whole */
    bool (*takes)(void *ctx, const struct request *rq);
    void (*body)(void *ctx, struct view bytes); /* NULL: nobody takes it */
    void *ctx;
};

/* Limits in bytes: request line and header fields together; body. */
void http_init(struct http_reader *r, uint32_t head_limit, uint32_t body_limit);
void http_deinit(struct http_reader *r);

/* Asked of each request with a body when its head is complete; before the first byte. */
void http_ask(struct http_reader *r, bool (*takes)(void *ctx, const struct request *rq),
              void *ctx);

/*
 * After HTTP_BODY: body() gets the bytes as they come, from within http_feed(). The limit of
 * the body counts for what comes without any of them (chunk sizes and their extensions).
 */
void http_take_body(struct http_reader *r, void (*body)(void *ctx, struct view bytes));

/* The client waits for "100 Continue" before it sends its body. */
bool http_expects(const struct http_reader *r);

/*
 * Feeds n bytes; returns how many were taken (all of them after HTTP_MORE). Must not be
 * called after HTTP_COMPLETE without http_next(), nor ever again after HTTP_REFUSED.
 */
size_t http_feed(struct http_reader *r, const char *p, size_t n,
                 enum http_event *event);

/* The request that is complete. Its views live until http_next() or http_deinit(). */
void http_request(const struct http_reader *r, struct request *out);

/* Makes room for the next request. */
void http_next(struct http_reader *r);

#endif
