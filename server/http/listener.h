/*
 * listener.h - a bound address that clients connect to.
 */
#ifndef SERVER_HTTP_LISTENER_H
#define SERVER_HTTP_LISTENER_H

#include "server/http/address.h"
#include "server/http/state.h"

struct listener {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } u;
    struct http_server *server;
    struct listener *next;
    int endpoint;
    const char *name;
    bool closing, started;
    bool given; /* by a service manager, which listens already */
    bool is_unix;
    uint64_t device, inode;                                 /* of our socket file */
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* its own; "": none */
    char address[ADDRESS_TEXT_MAX];                         /* as configured */
    char bound[ADDRESS_TEXT_MAX];                           /* as it became */
};

/* Binds, and joins the server's list. On failure the address is free again. */
int listener_open(struct http_server *s, int endpoint, const char *name,
                  struct view address, struct err *e);

/*
 * Clients may come. Those of a given socket, which listened before we ran, wait until the
 * site is ready: nothing happens before, and it is to be called again. No harm if it has
 * started already.
 */
int listener_start(struct listener *l, struct err *e);

/* Any number of times; frees l later and takes it out of its server's list. */
void listener_close(struct listener *l);

#endif
