/*
 * state.h - what server, listener and connection share. Not for others.
 */
#ifndef SERVER_HTTP_STATE_H
#define SERVER_HTTP_STATE_H

#include "server/http/answer.h"
#include "server/http/peers.h"
#include "server/http/server.h"

struct conn;
struct listener;

/*
 * Bytes read at once, and so the most that is kept of a client that sends on while it
 * is being answered.
 */
enum { READ_BYTES = 16 * 1024 };

struct http_server {
    uv_loop_t *loop;
    struct site site;
    struct self *self;
    struct http_limits limits;
    uint64_t met[HTTP_LIMIT_COUNT];

    struct listener *listeners; /* in the order they were made */
    struct conn *conns;         /* all that are not freed */
    unsigned conn_count;        /* not yet closing */
    struct peers peers;         /* of those */
    unsigned lasting;           /* of those, with a body that is taken as it arrives, or
                                   an answer that goes on */

    struct door door;
    bool guarded; /* the door is asked */

    struct transport_context *transport; /* of connections to come; NULL: plain */
    uint64_t tls_told_ms;                /* when a failure was last told of */
    uint64_t tls_untold;                 /* failures since then */
    uint64_t shaking_ms;                 /* the turn in which handshakes took */
    uint64_t shaking_ns;                 /* so long */

    uv_idle_t turn;       /* runs while somebody is behind */
    struct conn *behind;  /* have requests for the next turn */
    struct conn *turning; /* of this turn, not yet looked at */
    uint64_t slow_looked_ms;

    uv_timer_t deadline; /* of the stop */
    bool stopping;
    unsigned open; /* handles of the server itself */
    http_server_done_fn *done;
    void *done_ctx;

    struct ready ready; /* answers to the scrapes that come again and again */
    struct gzip gzip;   /* for what answers need beyond what is ready */

    /* Used within one callback and free again when it returns. */
    uv_buf_t iov[ANSWER_PIECES_MAX];
    char input[READ_BYTES];
};

/* One part of the server is gone for good; the last one ends the stop. */
void http_server_settle(struct http_server *s);

#endif
