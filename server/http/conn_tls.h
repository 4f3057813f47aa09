/*
 * conn_tls.h - a connection's bytes through its TLS session. Not for others.
 *
 * Where the socket is written by libuv, nothing but free may be asked of the session: its
 * bytes have to stay where they are. So it is only used while nothing is under way.
 */
#ifndef SERVER_HTTP_CONN_TLS_H
#define SERVER_HTTP_CONN_TLS_H

#include "server/http/conn_inner.h"

/* Gives c a session, if its server has TLS and l is no unix socket. */
void conn_tls_start(struct conn *c, const struct listener *l);
void conn_tls_end(struct conn *c); /* when c is freed */

bool conn_tls_opening(const struct conn *c); /* the handshake is not done */
size_t conn_tls_pending(const struct conn *c);

/* Bytes came from the socket. */
void conn_tls_received(struct conn *c, const char *p, size_t n);

/* Goes on with what the session has got already, while c is READING. */
void conn_tls_hear(struct conn *c);

/*
 * Gives the socket what it takes at once of c's answer. False: c has failed and must not
 * be used.
 */
bool conn_tls_try(struct conn *c);

/* As answer_gather(), encrypted: what comes next. 0: the session has failed. */
unsigned conn_tls_gather(struct conn *c, uv_buf_t iov[]);
void conn_tls_sent(struct conn *c, size_t n);

/* Counts and tells that the session has failed, and why; c lingers then. */
void conn_tls_broken(struct conn *c);

/* The client went, or its time was up, before the handshake was done. */
void conn_tls_cut(struct conn *c, const char *reason);

/* Says that no more comes, as far as the socket takes it. */
void conn_tls_goodbye(struct conn *c);

#endif
