/*
 * answer.h - one reply on its way out: its head, and where the next byte comes from.
 *
 * Nothing of the content is copied: what is gathered points into the bodies, which the
 * answer holds until answer_release().
 */
#ifndef SERVER_HTTP_ANSWER_H
#define SERVER_HTTP_ANSWER_H

#include <uv.h>

#include "server/http/ready.h"

enum {
    ANSWER_HEAD_MAX = 768,
    ANSWER_FURTHER_MAX = 128,
    ANSWER_PIECES_MAX = 1024 /* IOV_MAX of Linux */
};

/* Text that was made from a chunk's block for this answer alone. */
struct answer_text {
    uint32_t part, piece;
    uint32_t n;
    char *p;
};

/* Texts made ahead: so much is all that a slow reader of a large answer costs. */
enum { ANSWER_TEXTS_MAX = 64, ANSWER_TEXT_BYTES = 128 * 1024 };

struct answer {
    struct reply reply;
    char head_room[ANSWER_HEAD_MAX];
    char *head; /* head_room, or memory of its own where that is too small */
    uint32_t head_n;
    uint32_t part;  /* 0: head, with that of gzip; then each body; then the reply's
                      fixed bytes; its text; the end of gzip */
    uint32_t piece; /* of a body */
    size_t offset;  /* in the part, or in the piece */
    uint64_t left;  /* bytes to go */
    char tail[GZIP_TAIL_BYTES];
    struct strand *strands[REPLY_BODIES_MAX + 1]; /* of the bodies, with gzip */
    struct ready_answer *ready; /* in place of all that; NULL: put together here */
    struct gzip *gzip;          /* borrowed */
    struct answer_text *texts;  /* in the order of the answer; NULL: none needed yet */
    uint32_t text_count;
    size_t text_bytes; /* of texts */
};

/* How a reply is sent. */
struct answer_manner {
    bool keep_alive, http10; /* decide the Connection field */
    const char *headers;     /* lines that go with every answer, CRLF each; copied */
    struct gzip *gzip;       /* lives as long as the answer */
};

/* Begins to send a->reply, which the caller has filled. */
void answer_start(struct answer *a, const struct answer_manner *manner);

/* The same with bytes that are there already; takes the reference. */
void answer_start_ready(struct answer *a, struct ready_answer *ready);

/*
 * The same with a chunk of a feed; takes the reference. framed: as a chunk; else its bytes
 * alone, for a client that knows no chunks.
 */
void answer_start_chunk(struct answer *a, struct ready_answer *chunk, bool framed);

/*
 * Points iov[] at the bytes that come next: at most `max` pieces of at most `bytes` in
 * all. Returns the number of pieces; 0 only when nothing is left.
 */
unsigned answer_gather(struct answer *a, uv_buf_t iov[], unsigned max, size_t bytes);

/* So many of them are on their way. */
void answer_advance(struct answer *a, size_t n);

/* Lets go of the reply. Any number of times; a zeroed answer is accepted. */
void answer_release(struct answer *a);

#endif
