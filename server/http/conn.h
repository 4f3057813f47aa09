/*
 * conn.h - one client: what it asks, one answer at a time.
 */
#ifndef SERVER_HTTP_CONN_H
#define SERVER_HTTP_CONN_H

#include "server/http/listener.h"

/* Takes the client that waits at l; refuses it when there are too many. */
void conn_accept(struct listener *l);

/* The server stops: closes c unless an answer is under way, which then is its last. */
void conn_stop(struct conn *c);

/* Any number of times, from any callback; c must not be used afterwards. */
void conn_close(struct conn *c);

struct conn *conn_next(const struct conn *c); /* in the server's list */

#endif
