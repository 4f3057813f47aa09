/*
 * requests.c - POST /progress/NAME[?duration=SECONDS] → the encode NAME.
 *
 * ffmpeg sends one request for an encode, a chunk for each block, and ends it with the
 * encode; it looks at no answer. A connection that ends before the request does is an encode
 * that was killed.
 */
#include "server/live/requests.h"

#include <math.h>
#include <stdlib.h>

#include "core/decimal.h"
#include "core/mem.h"
#include "core/progress.h"
#include "core/utf8.h"
#include "server/http/browser.h"
#include "server/live/live_inner.h"
#include "server/log.h"

enum {
    NAME_ROOM = 3 * LIVE_NAME_MAX, /* percent-encoded */
    SILENCE_MS =
        24 * 60 * 60 * 1000, /* a request that says nothing for so long is over */
    BLOCK_BYTES = 64 * 1024, /* without a whole block in it */
    RATE_S = 60,
    RATE_BLOCKS = 6000, /* in RATE_S: ffmpeg writes two a second, and all that waited at
                           once where one of us stood still */
};

struct telling { /* a request under way */
    struct intake intake;
    struct telling *next, *prev;
    struct live_requests *all;
    struct roll_entry *entry; /* NULL: it went, or another request tells of it now */
    struct progress progress;
    size_t without; /* bytes since the last block */
    double since_s; /* blocks are counted from here, Unix time */
    unsigned blocks;
    bool said; /* the log tells of a fault in it */
};

struct live_requests {
    struct live *live;
    struct telling *first;
};

struct live_requests *live_requests_new(struct live *l)
{
    struct live_requests *q = mem_zalloc(sizeof *q);

    q->live = l;
    return q;
}

void live_requests_free(struct live_requests *q)
{
    free(q);
}

/* ---- under way -------------------------------------------------------------------------- */

static void complain(struct telling *t)
{
    struct text_faults *f = &t->progress.faults;

    t->all->live->counts.faults += f->count;
    if (f->count && !t->said && t->entry) {
        t->said = true;
        log_line(LOG_WARN, "parts of a request cannot be read", "encode",
                 t->entry->encode->name, "reason", f->reason, NULL);
    }
    f->count = 0;
}

/* False: more than an encoder tells. */
static bool within_rate(struct telling *t, double now_s)
{
    if (!(fabs(now_s - t->since_s) < RATE_S)) {
        t->since_s = now_s;
        t->blocks = 0;
    }
    return ++t->blocks <= RATE_BLOCKS;
}

static bool on_bytes(struct intake *in, struct view bytes)
{
    struct telling *t = (struct telling *)in;
    struct live *l = t->all->live;
    double now_s = live_now_s();
    const struct progress_block *block;

    if (!t->entry)
        return false;
    t->without += bytes.n;
    while ((block = progress_next(&t->progress, &bytes))) {
        t->without = bytes.n;
        l->counts.blocks_of_requests++;
        if (!within_rate(t, now_s))
            return false;
        encode_hear(t->entry->encode, block, now_s);
    }
    complain(t);
    live_heard(l, t->entry);
    return t->without <= BLOCK_BYTES;
}

static void on_end(struct intake *in, enum intake_end how, struct reply *reply)
{
    struct telling *t = (struct telling *)in;
    struct live *l = t->all->live;
    struct roll_entry *e = t->entry;

    if (e) {
        e->requests--;
        if (!l->closing)                         /* else it is we who end */
            encode_cut(e->encode, live_now_s()); /* unless it told its end */
        live_heard(l, e);
        live_close_name(l, e);
    }
    if (how == INTAKE_WHOLE)
        route_refused(200, "OK", NULL, reply);
    *(t->prev ? &t->prev->next : &t->all->first) = t->next;
    if (t->next)
        t->next->prev = t->prev;
    progress_deinit(&t->progress);
    free(t);
}

/* ---- coming -------------------------------------------------------------------------------- */

/* Who may not. NULL: this one may. *status: of the refusal. */
static const char *refused(const struct live_requests *q,
                           const struct intake_request *rq, int *status)
{
    const struct config *c = q->live->host.config;
    const char *foreign = browser_refused(rq->request, view_of(c->allowed_hosts));

    *status = 403;
    if (foreign)
        return foreign;
    if (q->live->c->ingest == INGEST_OFF)
        return "progress is not taken here (--ingest off)";
    if (!rq->loopback && q->live->c->ingest == INGEST_LOOPBACK)
        return "progress is taken from this machine alone (--ingest loopback)";
    if (!rq->loopback && !rq->known)
        return "progress is taken from others with a password alone";
    return NULL;
}

static bool is_plain(struct view name)
{
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < ' ' || name.p[i] == 0x7f)
            return false;
    return true;
}

/* Decoded to the place at `to`; empty: it cannot be a name. */
static struct view name_of(const struct request *rq, char *to)
{
    struct view name = view_skip(rq->path, sizeof "/progress/" - 1);

    if (name.n > NAME_ROOM)
        return VIEW("");
    name = route_decode(name, false, to);
    if (name.n > LIVE_NAME_MAX || !utf8_valid(name) || !is_plain(name))
        return VIEW("");
    return name;
}

/* Seconds of content; NaN: not told. */
static double duration_of(struct view query)
{
    struct view pair;
    double s = NAN;

    while (view_split(&query, '&', &pair)) {
        struct view value = pair, key;

        view_split(&value, '=', &key);
        if (view_eq(key, VIEW("duration")))
            decimal_read(value, &s);
    }
    return s > 0 ? s : NAN;
}

static struct intake *refuse(struct reply *refusal, int status, const char *why)
{
    route_refused(status, why, NULL, refusal);
    return NULL;
}

/* The one that told of it until now is sent away. */
static void take_over(struct live_requests *q, struct roll_entry *e)
{
    struct telling *t = q->first;

    while (t && t->entry != e)
        t = t->next;
    if (!t)
        return;
    t->entry = NULL;
    e->requests--;
    live_close_name(q->live, e);
    t->intake.send_away(&t->intake); /* t is gone */
}

struct intake *live_requests_take(struct live_requests *q,
                                  const struct intake_request *rq,
                                  struct reply *refusal)
{
    double now_s = live_now_s(), length_s = duration_of(rq->request->query);
    char room[NAME_ROOM];
    int status;
    bool full = false;
    const char *why = refused(q, rq, &status);
    struct view name = why ? VIEW("") : name_of(rq->request, room);
    struct roll_entry *e;
    struct telling *t;

    if (why)
        return refuse(refusal, status, why);
    if (name.n == 0)
        return refuse(
            refusal, 400,
            "/progress/NAME: NAME is 1 to 256 bytes of UTF-8, percent-encoded");
    e = live_open_name(q->live, name, now_s, &full);
    if (!e)
        return refuse(refusal, 503, "too many encodes (--live.max-encodes)");
    e->by_request = true;
    take_over(q, e);
    e->requests++;
    encode_begin(e->encode, now_s);
    e->encode->length_s = length_s;
    t = mem_zalloc(sizeof *t);
    t->intake =
        (struct intake){ .bytes = on_bytes, .end = on_end, .idle_ms = SILENCE_MS };
    t->all = q;
    t->entry = e;
    t->next = q->first;
    if (t->next)
        t->next->prev = t;
    q->first = t;
    progress_init(&t->progress);
    live_heard(q->live, e);
    return &t->intake;
}

void live_requests_let_go(struct live_requests *q, struct roll_entry *e)
{
    for (struct telling *t = q->first; t; t = t->next)
        if (t->entry == e)
            t->entry = NULL;
}
