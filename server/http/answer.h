/*
 * answer.h - one reply on its way out: its head, and where the next byte comes from.
 *
 * Nothing of the content is copied: what is gathered points into the bodies, which the
 * answer holds until answer_release().
 */
#ifndef SERVER_HTTP_ANSWER_H
#define SERVER_HTTP_ANSWER_H

#include <uv.h>

#include "server/http/route.h"

enum { ANSWER_HEAD_MAX = 640, ANSWER_PIECES_MAX = 1024 /* IOV_MAX of Linux */ };

struct answer {
    struct reply reply;
    char head[ANSWER_HEAD_MAX];
    uint32_t head_n;
    uint32_t part;  /* 0: head; then each body; then fixed; then text */
    uint32_t piece; /* of a body */
    size_t offset;  /* in the part, or in the piece */
    uint64_t left;  /* bytes to go */
};

/*
 * Begins to send a->reply, which the caller has filled. keep_alive and http10 decide
 * the Connection field.
 */
void answer_start(struct answer *a, bool keep_alive, bool http10);

/*
 * Points iov[] at the bytes that come next: at most `max` pieces of at most `bytes` in
 * all. Returns the number of pieces; 0 only when nothing is left.
 */
unsigned answer_gather(const struct answer *a, uv_buf_t iov[], unsigned max,
                       size_t bytes);

/* So many of them are on their way. */
void answer_advance(struct answer *a, size_t n);

/* Lets go of the reply. Any number of times; a zeroed answer is accepted. */
void answer_release(struct answer *a);

#endif
