#include "server/tidy.h"

#include <string.h>

#include "server/join.h"
#include "server/strand.h"

enum {
    SLICE_NS = 1000000,
    /* Bytes between two looks at the clock, which cost more than most chunks do. */
    CLOCK_EVERY = 64 * 1024,
    CHUNK_COST = 4096,     /* of a chunk besides its bytes */
    WORTH_DROPPING = 4096, /* bytes of a text; heads are shorter */
};

/* ---- time ----------------------------------------------------------------------------- */

struct slice {
    uint64_t until; /* uv_hrtime() */
    size_t cost;    /* since the last look at the clock */
};

/* True if there is no time for something that costs so much. */
static bool over(struct slice *s, size_t cost)
{
    if (s->cost > CLOCK_EVERY) {
        s->cost = 0;
        if (uv_hrtime() > s->until)
            return true;
    }
    s->cost += cost;
    return false;
}

/* ---- blocks and texts ------------------------------------------------------------------- */

/* Small texts first: as many endpoints as possible are quick without gzip. */
static void choose_fitting(struct tidy *t)
{
    uint64_t used = 0;

    for (size_t i = 0; i < registry_count; i++)
        t->of[i].fits = false;
    for (size_t n = 0; n < registry_count; n++) {
        size_t least = registry_count;

        for (size_t i = 0; i < registry_count; i++)
            if (t->bodies[i] && !t->of[i].fits &&
                (least == registry_count ||
                 body_bytes(t->bodies[i]) < body_bytes(t->bodies[least])))
                least = i;
        if (least == registry_count ||
            body_bytes(t->bodies[least]) > t->text_cache - used)
            return;
        used += body_bytes(t->bodies[least]);
        t->of[least].fits = true;
    }
}

/* The segment and this body hold a chunk; whoever else does may be sending its text. */
static bool only_ours(const struct chunk *c)
{
    return c->refs <= 2;
}

static void tidy_chunk(struct tidy *t, size_t module, struct chunk *c)
{
    const struct body *body = t->bodies[module];
    bool wasted = c->slab && slab_wasted(c->slab);

    if (body_is_small(body, BODY_TEXT)) {
        if (wasted) /* it was part of a large body */
            chunk_move_alone(c);
        return;
    }
    if (wasted)
        t->of[module].join = true;
    chunk_deflate(c, t->gzip);
    if (t->of[module].fits)
        chunk_restore_text(c, t->gzip);
    else if (c->n >= WORTH_DROPPING && body->refs == 1 && only_ours(c))
        chunk_drop_text(c);
}

/* The first answer finds all of it. */
static void make_strand(struct tidy *t, struct body *body)
{
    body_prepare(body, BODY_TEXT, t->gzip);
    strand_unref(body_strand(body, BODY_TEXT));
}

/* These return false when the slice is over. */
static bool tidy_chunks(struct tidy *t, size_t module, struct slice *slice)
{
    struct body *body = t->bodies[module];

    for (; t->chunk < body->chunk_count; t->chunk++) {
        struct chunk *c = body->chunks[t->chunk];

        if (over(slice, c->n + CHUNK_COST))
            return false;
        tidy_chunk(t, module, c);
    }
    make_strand(t, body);
    return true;
}

static bool join_chunks(struct tidy *t, size_t module, struct slice *slice)
{
    struct body *body = t->bodies[module];

    if (!t->of[module].join)
        return true;
    if (t->joined == 0)
        body_strands_release(body); /* slabs go as they become empty */
    while (t->joined < body->chunk_count) {
        if (over(slice, SLAB_BYTES))
            return false;
        body_join(body, &t->joined);
    }
    body_strands_release(body);
    make_strand(t, body);
    t->of[module].join = false;
    return true;
}

/* ---- when ----------------------------------------------------------------------------- */

static void on_idle(uv_idle_t *handle)
{
    struct tidy *t = handle->data;
    struct slice slice = { .until = uv_hrtime() + SLICE_NS };

    for (; t->module < registry_count; t->module++, t->chunk = t->joined = 0)
        if (t->bodies[t->module] &&
            (!tidy_chunks(t, t->module, &slice) || !join_chunks(t, t->module, &slice)))
            return;
    uv_idle_stop(handle);
}

static void start(struct tidy *t)
{
    t->module = 0;
    t->chunk = t->joined = 0;
    uv_idle_start(&t->idle, on_idle);
}

void tidy_init(struct tidy *t, uv_loop_t *loop, struct body *const bodies[],
               struct gzip *gzip, uint64_t text_cache)
{
    memset(t, 0, sizeof *t);
    uv_idle_init(loop, &t->idle);
    t->idle.data = t;
    t->open = true;
    t->bodies = bodies;
    t->gzip = gzip;
    t->text_cache = text_cache;
}

void tidy_start(struct tidy *t)
{
    if (!t->open)
        return;
    choose_fitting(t);
    for (size_t i = 0; i < registry_count; i++) {
        struct tidy_body *of = &t->of[i];

        if (t->bodies[i] && t->bodies[i]->generation != of->generation) {
            of->generation = t->bodies[i]->generation;
            of->scrapes = 0;
            of->join = false;
        }
    }
    start(t);
}

void tidy_scraped(struct tidy *t, size_t module)
{
    const struct body *body = t->bodies[module];
    struct tidy_body *of = &t->of[module];

    if (!t->open || !body || body_is_small(body, BODY_TEXT) ||
        of->scrapes == TIDY_JOIN_AFTER || ++of->scrapes < TIDY_JOIN_AFTER)
        return;
    of->join = true;
    start(t);
}

void tidy_close(struct tidy *t)
{
    if (t->open)
        uv_close((uv_handle_t *)&t->idle, NULL);
    t->open = false;
}
