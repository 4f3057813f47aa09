/*
 * fetch.h - requests to other servers: on the loop, bounded, and with a breaker, so that a
 * peer that fails is asked less and less and never waited for.
 *
 * A fetcher is one peer: a base URL, who we are to it, and its breaker. Loop thread only.
 */
#ifndef SERVER_FETCH_FETCH_H
#define SERVER_FETCH_FETCH_H

#include <uv.h>

#include "core/buf.h"
#include "server/fetch/breaker.h"
#include "server/fetch/fetch_client.h"

/* How a peer is spoken to. Files are read anew when they change, by the next request
 * that begins after it. */
struct fetch_peer {
    const char *name; /* label and word of the log: "upstream", "push", "carbon" */
    const char *url;  /* base; http or https; may end in '/'; may hold user:password@,
                         which is taken out of it and sent as basic authentication */
    const char *username, *password_file; /* basic; NULL: none */
    const char *bearer_token_file;        /* NULL: none */
    const char *token_header; /* header that the token is sent in; NULL: Authorization:
                                 Bearer */
    const char *ca_file, *cert_file, *key_file, *proxy; /* as struct fetch_identity */
    bool insecure;
    const char *const
        *headers;         /* besides, without secrets; ends with NULL; NULL: none */
    uint64_t timeout_ms;  /* of one request */
    unsigned concurrency; /* requests at a time; more wait in their order */
    uint64_t max_bytes;   /* of an answer */
};

struct fetcher;

/*
 * 0, and *out; a negative errno, and e says what is wrong: the URL is wrong, a file cannot
 * be read, libcurl lacks something. What peer points to is
 * borrowed for as long as the fetcher is. A secret that would go over the network in
 * plain text is told in the log.
 */
int fetcher_new(uv_loop_t *loop, const struct fetch_peer *peer, struct fetcher **out,
                struct err *e);

/* Checks a peer as fetcher_new() would, and opens nothing but its files. */
int fetch_check(const struct fetch_peer *peer, struct err *e);

/* No answered is called any more. Its memory goes when the loop has run dry; also from
 * within an answered. NULL is accepted. */
void fetcher_stop(struct fetcher *f);

enum fetch_verdict {
    FETCH_GOOD,    /* the peer is well */
    FETCH_REFUSED, /* it answered, and would answer the same again: a wrong query. The
                      peer is well */
    FETCH_BAD, /* it, or what stands before it, is not well: no answer, 5xx, 429, 401,
                      403, 404, an answer that is none */
};

/*
 * Called once per request, from the loop and never from within fetcher_ask(); says what
 * the answer was worth, which moves the breaker. reason: for the log, of what is not
 * good; empty: the answer's problem or status. Reasons that differ in digits alone are of
 * one kind, which is logged once an hour. A request that the open breaker refused is not
 * asked at all and comes here with status 0 and problem FETCH_NOT_ASKED; its verdict
 * counts for nothing. The ticket is over when it is called.
 */
#define FETCH_NOT_ASKED "not asked: the breaker is open"

typedef enum fetch_verdict fetch_answered(void *ctx, const struct fetch_answer *a,
                                          struct buf *reason);

/*
 * path is put behind the base URL: "/api/v1/query_range?…", or is empty. body.p NULL:
 * GET. Copied, but for content_type. NULL where it cannot begin at all, with e: the path
 * is none, or f is stopped. Otherwise fetch_forget() takes it back: answered is not
 * called then, and the transfer ends.
 */
struct fetch_ticket *fetcher_ask(struct fetcher *f, const char *path, struct view body,
                                 const char *content_type, fetch_answered *answered,
                                 void *ctx, struct err *e);

/* The same with a body that is made while it is sent, until answered or fetch_forget().
 * timeout_ms: of this request; 0: the peer's. */
struct fetch_ticket *fetcher_send(struct fetcher *f, const char *path,
                                  const struct fetch_upload *upload,
                                  const char *content_type, uint64_t timeout_ms,
                                  fetch_answered *answered, void *ctx, struct err *e);
void fetch_forget(struct fetch_ticket *t);

/* Whether a request would be let through now; when not, when it will be (uv_now(), ms). */
bool fetcher_open(const struct fetcher *f, uint64_t *due_ms);

/* Blanks what is secret of us in the n bytes of text, which quote an answer and are to be
 * shown. A reason that answered gives needs none. */
void fetch_blank(const struct fetcher *f, char *text, size_t n);

/* The base URL without user, password, query and fragment: for log and page. */
const char *fetcher_shown(const struct fetcher *f);

/* What it has done since it was made. */
struct fetch_counts {
    uint64_t good, refused, bad, skipped; /* requests by verdict; by the breaker */
    enum breaker_state state;
    uint64_t opened;         /* times that the breaker opened */
    double last_good_unix_s; /* NaN: never */
    uint64_t under_way;
    double seconds; /* in requests, in all */
};
struct fetch_counts fetcher_counts(const struct fetcher *f);

/* Version of libcurl; NULL: the program could not open what holds it. */
const char *fetch_library_version(void);

#endif
