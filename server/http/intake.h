/*
 * intake.h - bodies of requests that are taken as they arrive.
 *
 * A request whose body may take hours is not gathered: whoever is behind its path gets
 * the bytes of each read, and hears of the end. Its time limits are its own. Nothing is
 * answered before the body is over; "Expect: 100-continue" is answered at once.
 */
#ifndef SERVER_HTTP_INTAKE_H
#define SERVER_HTTP_INTAKE_H

#include "server/http/route.h"

struct intake_request {
    const struct request *request;
    bool loopback; /* the client is on this machine: 127.0.0.0/8, ::1, a unix socket */
    bool known;    /* it has shown a password that the web config asks for */
};

enum intake_end {
    INTAKE_WHOLE, /* the body is complete */
    INTAKE_CUT,   /* the client went, or was sent away, before that */
};

struct intake { /* of whoever takes the bytes; freed by end() */
    /* The next bytes. False: no more of them are wanted; end(INTAKE_CUT) follows. */
    bool (*bytes)(struct intake *in, struct view bytes);
    /* Once. reply is filled for INTAKE_WHOLE; NULL for INTAKE_CUT. */
    void (*end)(struct intake *in, enum intake_end how, struct reply *reply);
    uint64_t idle_ms; /* so long may a client say nothing */

    /* Set by who reads, before the first bytes: closes the connection; end(INTAKE_CUT) is
     * called from within. Not from within bytes() or end(). */
    void (*send_away)(struct intake *in);
    void *reader;
};

#endif
