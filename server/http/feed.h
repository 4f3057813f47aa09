/*
 * feed.h - answers that go on.
 *
 * A reply with a feed has no end of its own: behind its head come the bytes that the feed
 * hands out, each time all that were handed out before are the kernel's, until the client
 * goes, takes nothing any more (--web.write-timeout), or the server stops. Bytes are not
 * queued up: who is slow is asked for less often, and gets what is true then.
 */
#ifndef SERVER_HTTP_FEED_H
#define SERVER_HTTP_FEED_H

#include "server/http/ready.h"

struct feed { /* of whoever has the bytes; freed by gone() */
    /*
     * The next bytes: whole chunks of the chunked coding (feed_chunk()), one reference for
     * the caller, shared by all that send the same. NULL: there is nothing now.
     */
    struct ready_answer *(*next)(struct feed *f);
    /* Once: the client went, or was sent away. */
    void (*gone)(struct feed *f);

    /* Set by who sends, before the first next(). There are bytes (again): next() is called
     * now or later. Not from within next() or gone(). */
    void (*wake)(struct feed *f);
    void *sender;
};

/* One chunk of these bytes (n > 0), which are copied; one reference for the caller. */
struct ready_answer *feed_chunk(struct view bytes);

#endif
