/*
 * limits.h - what a client may cost, and the names of what goes beyond it.
 */
#ifndef SERVER_HTTP_LIMITS_H
#define SERVER_HTTP_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct http_limits {
    unsigned max_connections; /* over all listeners */
    /*
     * Of one peer address (of an IPv6 peer: its /64); 0: half of max_connections, and
     * loopback is free of it. Unix sockets have no address and no such limit.
     */
    unsigned max_per_peer;
    unsigned read_timeout_ms;  /* connection, or first byte of a request → its last */
    unsigned idle_timeout_ms;  /* between requests */
    unsigned write_timeout_ms; /* without a byte taken of an answer */
    unsigned linger_timeout_ms; /* to hear what a refused client still says */
    uint32_t head_bytes, body_bytes;
    /* Kept only for answers that are still being taken: old generations, texts made for
     * one client. Past it the slowest are closed. */
    uint64_t slow_bytes;
};

/* What was refused or ended: label values of encode_exporter_http_refused_total. */
enum http_limit {
    HTTP_LIMIT_CONNECTIONS,      /* 503: too many in all */
    HTTP_LIMIT_PEER_CONNECTIONS, /* 429: too many of one peer */
    HTTP_LIMIT_FIRST_BYTE,       /* closed: connected and said nothing */
    HTTP_LIMIT_READ_TIMEOUT,     /* 408: the request did not arrive in time */
    HTTP_LIMIT_IDLE,             /* closed: no further request */
    HTTP_LIMIT_WRITE_TIMEOUT,    /* closed: the answer was not taken in time */
    HTTP_LIMIT_SLOW_MEMORY,      /* closed: slow readers held too much memory */
    HTTP_LIMIT_LINE,             /* 414 */
    HTTP_LIMIT_HEAD,             /* 431 */
    HTTP_LIMIT_BODY,             /* 413 */
    HTTP_LIMIT_MALFORMED,        /* 400, 417, 505 */
    HTTP_LIMIT_PASSWORD,         /* 401 */
    HTTP_LIMIT_BUSY,             /* 429: of the door (rate, password checks) */
    HTTP_LIMIT_FOREIGN,          /* 403: asked for by another site's page */
    HTTP_LIMIT_TLS,              /* closed: its handshake or a record failed */
    HTTP_LIMIT_COUNT,
};

/* "connections", "peer_connections" … */
const char *http_limit_name(enum http_limit which);

/* Under which of them a request was refused with this status. */
enum http_limit http_limit_of(int status);

/* The defaults of the command line. */
void http_limits_init(struct http_limits *l);

#endif
