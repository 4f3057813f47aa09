/*
 * door.h - what decides who may come in, seen from a connection.
 *
 * The connection asks once per request, before any route is looked at. /health, /ready
 * and their /-/ twins are answered without asking, as probes need.
 */
#ifndef SERVER_HTTP_DOOR_H
#define SERVER_HTTP_DOOR_H

#include "core/view.h"

enum door_verdict {
    DOOR_OPEN,   /* go on */
    DOOR_LOCKED, /* 401 with WWW-Authenticate */
    DOOR_BUSY,   /* 429 with Retry-After */
    DOOR_WAIT,   /* decided() will be called from the loop, never from within ask() */
};

struct door_wait {
    void (*decided)(struct door_wait *w, enum door_verdict v); /* not DOOR_WAIT */
    void *ticket; /* the door's own, while it waits */
};

struct door {
    void *ctx;
    /*
     * authorization: value of the field as it came; empty: none was sent. It is copied
     * where it is needed beyond the call. After DOOR_WAIT either decided() is called
     * once or leave() is.
     */
    enum door_verdict (*ask)(void *ctx, struct view authorization, struct door_wait *w);
    /* The client is gone; w must not be touched any more. */
    void (*leave)(void *ctx, struct door_wait *w);
    /* Whether a password is asked for at all. */
    bool (*locks)(void *ctx);
    /* Header lines that go with every answer, CRLF each; "" for none. Valid until the
     * loop goes round. */
    const char *(*headers)(void *ctx);
};

#endif
