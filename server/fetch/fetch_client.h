/*
 * fetch_client.h - HTTP requests to others, by libcurl's multi interface (server/curl/),
 * on a loop that is not known here.
 *
 * Nobody but server/fetch/fetch.c calls these. The host lends its loop by hooks: it
 * watches sockets and one timer, and tells the client what happened. Loop thread only.
 *
 * Nothing here blocks: names are resolved on threads of libcurl's. Of the system's
 * certificates those alone are read that a connection needs, where their directory has
 * hashed names, as Debian's does; all of them would take 15 ms. A ca_file is read by the
 * first TLS connection after it changed, at 0.3 ms for each certificate in it.
 */
#ifndef SERVER_FETCH_FETCH_CLIENT_H
#define SERVER_FETCH_FETCH_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/view.h"

/* Events on a socket. */
enum { FETCH_READABLE = 1, FETCH_WRITABLE = 2, FETCH_FAILED = 4 };

/* What the host does for the client. ctx is passed to each. */
struct fetch_host {
    void *ctx;
    /* Watch a socket for these events from now on, and in place of those before; 0: no
     * more, it may be closed right after. *mine is kept per socket for the host; NULL at
     * first. */
    void (*watch)(void *ctx, int fd, int events, void **mine);
    /* Call client_timeout() once after so many ms; -1: not any more. */
    void (*timer)(void *ctx, long ms);
};

/* Who asks, and how: the same for all requests of a client. */
struct fetch_identity {
    const char *user_agent;
    const char *username, *password; /* NULL: no basic authentication */
    const char *bearer_token;        /* NULL: none */
    const char *ca_file;             /* PEM; NULL: the system's */
    long ca_age_s; /* since it last changed: what was read of it before is not used */
    const char *cert_file, *key_file; /* PEM, to show; NULL: none */
    bool insecure;                    /* believe every certificate */
    const char *proxy; /* NULL: as http_proxy, https_proxy, no_proxy say; "": none */
};

/* A body that is made while it is sent. */
struct fetch_upload {
    uint64_t n; /* bytes, known before */
    bool gzip;  /* they are a gzip of what is meant */
    /* Bytes from `at` on to `to`: 1 to n of them. `at` goes up, but for a body that has
     * to be sent again. Not called any more once the transfer is over. */
    size_t (*read)(void *ctx, uint64_t at, char *to, size_t n);
    void *ctx;
};

struct fetch_request {
    const char *url;  /* http or https, whole, without user or password in it */
    struct view body; /* POST with it; p NULL: GET */
    const struct fetch_upload *upload; /* POST with this instead; NULL: body */
    const char *content_type;          /* of the body; NULL: form */
    const char *const *headers;        /* "Name: value", ends with NULL; NULL: none */
    const struct fetch_identity *identity;
    uint64_t timeout_ms; /* for all of it */
    uint64_t max_bytes;  /* of the answer, decompressed; more is an error */
};

/* status 0: no answer, and problem says why in one sentence: printable, without secrets.
 * Else the answer's status line and body, decompressed. Texts live during the call. */
struct fetch_answer {
    int status;
    struct view body;
    const char *content_type; /* "" unknown */
    const char *problem;      /* NULL: none */
    double retry_after_s;     /* as the answer asks; NaN: it does not */
};
typedef void fetch_done(void *ctx, const struct fetch_answer *a);

struct fetch_client;
struct fetch_transfer;

/* NULL, and e says why. host is copied. max_connections: at a time, in all. */
struct fetch_client *client_new(const struct fetch_host *host, unsigned max_connections,
                                struct err *e);
/* Every transfer ends without its done. */
void client_free(struct fetch_client *c);

/*
 * Everything of r is copied, or used now. done is called once, from a later
 * client_socket() or client_timeout(), never from within this call; the transfer is over
 * when it is called. Redirects are followed, at most 5, on the same scheme, host and port,
 * or from http to https on the same host; what says who we are, headers included, goes to
 * the first scheme and port only. A POST stays one, but after 303. NULL, and e says why:
 * the URL is wrong.
 */
struct fetch_transfer *client_begin(struct fetch_client *c,
                                    const struct fetch_request *r, fetch_done *done,
                                    void *ctx, struct err *e);
/* Ends it without calling done. */
void client_cancel(struct fetch_transfer *t);

void client_socket(struct fetch_client *c, int fd, int events);
void client_timeout(struct fetch_client *c);

const char *client_version(void); /* of libcurl */

#endif
