/*
 * stream.h - /events: who listens, and when what is told is looked at anew (docs/page.md).
 *
 * While somebody listens a board (board.h) is kept up to date: a look every LOOK_MS, later
 * where looking takes long, in steps of about a millisecond. It is let go some time after
 * the last one went. Loop thread only.
 */
#ifndef SERVER_PAGE_STREAM_H
#define SERVER_PAGE_STREAM_H

#include "server/page/page.h"

enum { STREAM_READERS_MAX = 64 };

struct stream;

struct stream *stream_new(const struct page_host *h); /* borrowed */

/* The request was let in. */
void stream_answer(struct stream *s, const struct request *rq, struct reply *out);

void stream_stop(
    struct stream *s); /* closes all handles; no reader is there any more */
void stream_free(struct stream *s); /* after the loop has run dry */

#endif
