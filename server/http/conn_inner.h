/*
 * conn_inner.h - what the parts of a connection share. Not for others.
 *
 *   READING    bytes go to the reader; each complete request is answered at once
 *   WAITING    the door has not decided yet
 *   WRITING    the socket is full: the rest of the answer goes out by and by
 *   FLUSHING   the socket is full, and it is TLS itself that has something to say
 *   BEHIND     it had its share of this loop turn; the next turn goes on with it
 *   FEEDING    its answer goes on (feed.h), and there is nothing to send
 *   LINGERING  the last answer is out and the client may not have said all: its bytes
 *              are heard and dropped for a moment, because closing on unread bytes
 *              makes the kernel reset the connection, and the answer would be lost
 *
 * Only READING, FEEDING and LINGERING read from the socket, so a client costs one read's
 * worth of its bytes at most, however much it sends.
 */
#ifndef SERVER_HTTP_CONN_INNER_H
#define SERVER_HTTP_CONN_INNER_H

#include "server/http/conn.h"
#include "server/http/door.h"
#include "server/http/feed.h"
#include "server/http/http.h"
#include "server/http/intake.h"

enum conn_state { READING, WAITING, WRITING, FLUSHING, BEHIND, FEEDING, LINGERING };

struct conn {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } u;
    uv_timer_t timer;
    uv_write_t write;
    uv_shutdown_t shutdown;

    struct http_server *server;
    struct conn *prev, *next;
    const char *name; /* of the endpoint */
    int endpoint;
    struct peer peer;
    struct scraper_peer address; /* one of many that peer may stand for */
    unsigned open;               /* handles whose close callback has not run */
    bool closing;

    const struct transport *transport; /* NULL: plain; else */
    struct transport_session *session;
    bool greeted;    /* a byte of TLS has arrived */
    int turned_away; /* once the handshake is done: status of the refusal; 0: none */

    enum conn_state state;
    struct http_reader reader;
    bool keep_alive;    /* after the answer under way */
    bool unheard;       /* the client may have more to say that nobody reads */
    struct buf pending; /* arrived while nothing more could be taken */
    size_t pending_used;
    unsigned answers;         /* in this turn */
    struct conn *next_behind; /* in the server's list */
    bool in_behind;
    struct door_wait wait;
    struct intake *intake; /* takes the body that is being read; NULL: nobody does */
    bool intake_full;      /* it wants no more */
    struct feed *feed;     /* hands out what comes next of the answer; NULL: it ends */
    struct answer answer;
    size_t batch;      /* bytes of it, or of TLS, that libuv has */
    uint64_t began_ns; /* uv_hrtime() when its request was complete */
    bool timed;        /* it is an answer to a request */

    bool spoke;           /* a byte has arrived */
    bool reading_since;   /* the deadline is that of the request being read */
    uint64_t deadline_ms; /* uv_now() */
    uint64_t timer_ms;    /* when the timer fires; 0: it is not running */
    size_t unsent;        /* at the last look */
    uint64_t moved_ms;    /* when a byte was last seen to move */
    uint64_t began_ms;    /* when the answer under way began to wait for its client */
    uint64_t late_ms;     /* when it must be out */
    size_t dropped;       /* bytes heard while feeding or lingering */
};

/* conn.c: life and time. */
void conn_deadline(struct conn *c, uint64_t in_ms);
void conn_linger(struct conn *c);
void conn_met(struct conn *c, enum http_limit which);
void conn_turn_away(struct conn *c); /* with the status noted when it was accepted */
/* Bodies and answers may take hours, and scrapes have to get through meanwhile: */
bool conn_lasting_full(const struct http_server *s);
void conn_lasting_refused(struct conn *c); /* fills the reply of its answer */
void conn_lasts(struct conn *c); /* is one of these; `lasting` goes down with its end */

/* conn_intake.c: bodies that are taken as they arrive. */
void conn_ask_for_bodies(struct conn *c); /* once */
void conn_body(struct conn *c);           /* the head of such a request is complete */
void conn_body_over(struct conn *c);      /* the body is */
void conn_body_cut(struct conn *c);       /* nothing of it comes any more */

/* A request that was let in, complete and without a body: true: it is answered, for one
 * is taken there, and this one is empty. known: as in intake.h. */
bool conn_body_none(struct conn *c, const struct request *rq, bool known);

/* conn_feed.c: answers that go on. */
void conn_feed(struct conn *c);    /* the reply in its answer has a feed */
void conn_feed_on(struct conn *c); /* all that was handed out is the kernel's */
void conn_feed_heard(struct conn *c, const char *p, size_t n);
void conn_feed_over(struct conn *c); /* nothing of it is sent any more */
bool conn_feed_stop(struct conn *c); /* the server stops; false: c has no feed */

/* conn_read.c: bytes → requests. */
void conn_read_on(struct conn *c);
void conn_consume(struct conn *c, const char *p, size_t n);
void conn_go_on(struct conn *c); /* after an answer that had to wait */
void conn_say_continue(struct conn *c);
void conn_fall_behind(struct conn *c);
void conn_share_out(uv_idle_t *h); /* a turn for all that are behind */

/* conn_write.c: requests → answers. */
void conn_answer(struct conn *c);
void conn_start(struct conn *c); /* sends the reply that is in its answer: */
void conn_make_head(struct conn *c);
void conn_send(struct conn *c); /* now as far as it goes, the rest by and by */
/* What the socket does not take now; until then (uv_now()), and while bytes move. */
void conn_send_on(struct conn *c, uint64_t late_ms);
void conn_wait_for_door(struct conn *c);
void conn_turn_back(struct conn *c, enum door_verdict v);
void conn_refuse(struct conn *c, int status, const char *reason, const char *headers);
void conn_undecided(struct conn *c); /* the door takes too long: come back later */
void conn_stalled(struct conn *c); /* looks whether the client still takes its answer */

#endif
