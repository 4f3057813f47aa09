/*
 * route.h - request → reply, without any socket.
 */
#ifndef SERVER_HTTP_ROUTE_H
#define SERVER_HTTP_ROUTE_H

#include "core/buf.h"
#include "core/err.h"
#include "server/body.h"
#include "server/http/negotiate.h"
#include "server/http/scrapers.h"

#include <stdint.h>

enum method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_OTHER };

struct request { /* views live until the reply is made */
    enum method method;
    struct view path;  /* percent-encoded as it came, without query */
    struct view query; /* without '?'; empty if there is none */
    struct view host, origin, sec_fetch_site;
    struct view accept, accept_encoding, if_none_match;
    struct view authorization;
    struct view last_event_id; /* of a client that was cut off and comes again */
};

enum { REPLY_BODIES_MAX = 12 };

struct feed;
struct intake;
struct intake_request;
struct reply;

/* What the routes ask of the program behind them. */
struct site {
    void *ctx;
    /*
     * Bodies of one endpoint (its index), or of all with endpoint < 0, in the order
     * they are sent; borrowed. The process's own body comes last where it belongs. None
     * before the first scan is served.
     */
    size_t (*bodies)(void *ctx, int endpoint, struct body *out[REPLY_BODIES_MAX]);
    bool (*ready)(void *ctx);
    int (*reload)(void *ctx, struct err *e); /* -EBUSY: too often */
    /* What people look at: the page, what it is made of, and what it asks for. */
    void (*page)(void *ctx, int endpoint, const struct request *rq, struct reply *out);
    uint64_t seed;             /* of this process: for entity tags */
    const char *allowed_hosts; /* names that Host may have, separated by commas; "" */
    /*
     * An answer that holds an endpoint's values, or those of all (endpoint < 0), is out,
     * or the client was told that it has them. began_ns: uv_hrtime() when the request
     * was complete. NULL: nobody wants to know.
     */
    void (*scraped)(void *ctx, int endpoint, const struct scraper_peer *peer,
                    uint64_t began_ns);
    /*
     * The endpoint of predictions has /health and /reload as its predecessor had them:
     * whether there are models; a new fit (-EBUSY: too often); Unix time. loaded NULL:
     * there is no such endpoint.
     */
    int predictions;
    bool (*loaded)(void *ctx);
    int (*refit)(void *ctx, struct err *e);
    double (*now_s)(void *ctx);
    /*
     * The endpoint that takes POST /progress/NAME, and who takes it: NULL: refused, and
     * *refusal says why. NULL: there is no such path.
     */
    int intake_endpoint;
    struct intake *(*intake)(void *ctx, const struct intake_request *rq,
                             struct reply *refusal);
};

/* Whose values an answer holds. */
enum scrape { SCRAPE_NONE, SCRAPE_OWN, SCRAPE_ALL };

struct reply {
    int status;
    const char *content_type;
    const char *headers; /* further header lines, CRLF each; NULL: none */
    char allow[32];      /* for 405; "" */
    bool head;           /* answer to HEAD: length without content */
    enum scrape scrape;  /* also of 304: the client has them */
    bool gzip;           /* bodies are sent as one gzip member; fixed, text are empty */
    bool openmetrics;    /* bodies are sent in that format; the last is body_eof() */
    /*
     * Value of ETag with its quotes; "": none. It stands for bodies, format, encoding
     * and content_type together, so it goes with "Vary: Accept, Accept-Encoding".
     * Status 304 has it as 200 would, and no content at all: neither Content-Type nor
     * Content-Length, which would be those of what is not sent.
     */
    char etag[ETAG_MAX];
    struct body *bodies[REPLY_BODIES_MAX + 1]; /* one reference each; + body_eof() */
    size_t body_count;
    struct view fixed; /* follows the bodies: bytes that live for ever */
    struct buf text;   /* follows that; owned */
    /* In place of all that, with status 200: what has no end (feed.h); NULL: none. */
    struct feed *feed;
};

/* Fills *out, which the caller passes zeroed and ends with reply_deinit(). */
void route(const struct site *site, int endpoint, const struct request *rq,
           struct reply *out);
void reply_deinit(struct reply *r);

/* True for the paths that are answered without a password: health and readiness. */
bool route_is_open(const struct request *rq);

/* True: the body of this request is for site->intake, as it arrives. One that has none does not
 * come to route() (conn_inner.h). */
bool route_takes_body(const struct site *site, int endpoint, const struct request *rq);

/* Percent-decodes v to the place at to (v.n bytes suffice); what is no escape stays. form:
 * '+' is a blank, as in a query. */
struct view route_decode(struct view v, bool form, char *to);

/* A refusal: text becomes a line of its own. headers: as of struct reply. */
void route_refused(int status, const char *text, const char *headers,
                   struct reply *out);

/* Bytes of the content, whether or not it is sent. */
uint64_t reply_length(const struct reply *r);

#endif
