/*
 * tidy.h - what is done for bodies while no answer waits for it, a millisecond at a time.
 *
 * After a change: blocks of new chunks, and the texts of bodies that fit in the cache or
 * do not. Then, for bodies that are scraped again and again as they are: blocks are moved
 * next to each other (join.h). An idle handle does it while nothing else is due; an answer
 * that comes first has its body prepared at once. Loop thread only.
 */
#ifndef SERVER_TIDY_H
#define SERVER_TIDY_H

#include "server/body.h"
#include "server/registry.h"

#include <uv.h>

/* Scrapes of one generation after which its blocks are joined: this costs about what it
 * gains in so many, and what changes sooner is left alone. */
enum { TIDY_JOIN_AFTER = 32 };

struct tidy {
    uv_idle_t idle;
    bool open;
    struct body *const *bodies; /* borrowed: one per module; NULL: there is none */
    struct gzip *gzip;          /* borrowed */
    uint64_t text_cache;        /* bytes */
    size_t module;              /* whose body is being tidied */
    uint32_t chunk, joined;     /* and from which chunks on */
    struct tidy_body {
        uint64_t generation;
        unsigned scrapes; /* of this generation */
        bool fits;        /* its text is kept */
        bool join;        /* its blocks are to be joined */
    } of[MODULES_MAX];
};

void tidy_init(struct tidy *t, uv_loop_t *loop, struct body *const bodies[],
               struct gzip *gzip, uint64_t text_cache);

/* Bodies may have changed. */
void tidy_start(struct tidy *t);

/* Somebody has scraped the body of this module. */
void tidy_scraped(struct tidy *t, size_t module);

/* Nothing is done any more; the handle closes. */
void tidy_close(struct tidy *t);

#endif
