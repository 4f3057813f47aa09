/*
 * server.h - the HTTP side of the process: listeners, connections, limits.
 *
 * Made once for all endpoints. Life: new, any number of listens, start; later stop,
 * and when it has told that it is done, free. A failed listen or start leaves a server
 * that stop ends as usual.
 */
#ifndef SERVER_HTTP_SERVER_H
#define SERVER_HTTP_SERVER_H

#include <uv.h>

#include "server/http/door.h"
#include "server/http/limits.h"
#include "server/http/route.h"
#include "server/self.h"
#include "server/web/transport.h"

struct http_server;

/* site, limits: copied. self is borrowed and may be NULL. */
struct http_server *http_server_new(uv_loop_t *loop, const struct site *site,
                                    struct self *self,
                                    const struct http_limits *limits);

/*
 * Asks door for each request from now on; without one everybody may come in. Once,
 * before start. Its functions and context live as long as the server; ask and leave may
 * be NULL together, then only its header lines count.
 */
void http_server_door(struct http_server *s, const struct door *door);

/* Header lines of the door have changed: answers kept ready are forgotten. */
void http_server_changed(struct http_server *s);

/*
 * Clients that connect from now on speak TLS as context says (NULL: plain HTTP); takes
 * one reference. Those that are connected go on as before, with what they have. Unix
 * sockets stay plain: who may connect there is a matter of the file's permissions.
 */
void http_server_transport(struct http_server *s, struct transport_context *context);

/*
 * Binds an endpoint to an address (see address.h); nobody can connect yet. name is its
 * label in metrics and lives as long as the program. On failure e names address and
 * reason, and the address stays free.
 */
int http_server_listen(struct http_server *s, int endpoint, const char *name,
                       struct view address, struct err *e);

/* The same with a socket that a service manager gave us; takes fd, on failure too. */
int http_server_take(struct http_server *s, int endpoint, const char *name, int fd,
                     struct err *e);

/*
 * Opens all bound endpoints. On failure as above; then the server is to be stopped.
 * Given sockets open only when the site is ready, so that the client whose coming started
 * us is served instead of sent away: call it again then.
 */
int http_server_start(struct http_server *s, struct err *e);

/* The listeners in the order they were made: their number, label and bound address. */
size_t http_server_listeners(const struct http_server *s);
const char *http_server_name(const struct http_server *s, size_t i);
const char *http_server_address(const struct http_server *s, size_t i);

/*
 * Closes listeners and idle connections; answers under way may finish within timeout_ms.
 * Then done is called, once, from the loop. Called again, the new time counts (0: at
 * once) and done is ignored.
 */
typedef void http_server_done_fn(void *ctx);
void http_server_stop(struct http_server *s, unsigned timeout_ms,
                      http_server_done_fn *done, void *ctx);

/* After done was called (also from inside it). NULL is accepted. */
void http_server_free(struct http_server *s);

/* How often a limit was met. */
uint64_t http_server_met(const struct http_server *s, enum http_limit which);

/* Open connections, refused ones included. */
unsigned http_server_connections(const struct http_server *s);

#endif
