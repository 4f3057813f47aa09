/*
 * feed.h - answers that go on.
 *
 * A reply with a feed has no end of its own: behind its head come the bytes that the feed
 * hands out, each time all that were handed out before are the kernel's, until the client
 * goes, takes nothing any more (--web.write-timeout), or the server stops. Bytes are not
 * queued up: who is slow is asked for less often, and gets what is true then. So what a
 * client costs is the one batch that it is being sent, which others may share.
 *
 * The head says "Transfer-Encoding: chunked". A client of HTTP/1.0, as a proxy may be,
 * knows no chunks: it gets what is in them, and the end of the connection is the end.
 * HEAD brings the head alone. Too many of them at a time are answered with 503.
 */
#ifndef SERVER_HTTP_FEED_H
#define SERVER_HTTP_FEED_H

#include "server/http/ready.h"

struct feed { /* of whoever has the bytes; freed by gone() */
    /*
     * The next bytes: what feed_chunk() made, one reference for the caller, shared by all
     * that send the same. NULL: there is nothing now. Called from the loop or from within
     * the request that is answered so.
     */
    struct ready_answer *(*next)(struct feed *f);
    /*
     * Once: the client went, or was sent away. It may be before the first next(), and is
     * never from within wake(), nor from within anything called for another feed.
     */
    void (*gone)(struct feed *f);

    /* Set by who sends, before the first next(). There are bytes (again): next() is called
     * later, from the loop. Any number of times; not from within next() or gone(). */
    void (*wake)(struct feed *f);
    void *sender;
};

/* One chunk of these bytes (n > 0), which are copied; one reference for the caller. */
struct ready_answer *feed_chunk(struct view bytes);

/* The bytes in a chunk that feed_chunk() made. */
struct view feed_bytes(const struct ready_answer *chunk);

#endif
