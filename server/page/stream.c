#include "server/page/stream.h"

#include <assert.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/time.h>

#include "core/json_text.h"
#include "core/mem.h"
#include "server/gzip.h"
#include "server/http/feed.h"
#include "server/page/board.h"
#include "server/page/rows.h"
#include "server/page/teller.h"

enum {
    LOOK_MS = 250,
    REST = 20, /* times what a look took pass before the next one */
    BEAT_MS = 10000,
    KEEP_MS = 60000, /* what was told, for those who come again */
    BATCH_BYTES = 64 * 1024,
};

#define NS_PER_MS UINT64_C(1000000)
#define TURN_NS   NS_PER_MS /* of one turn of the loop, for batches */

struct reader {
    struct feed feed; /* first */
    struct stream *s;
    size_t index; /* in s->readers */
    struct board_place place;
    bool gzip, greeted;
    uint64_t told_ms; /* when it was sent something last */
};

/* What was made last: those who stand at the same place share it. */
struct batch {
    bool made, something;
    struct board_place from, to;
    uint64_t version;
    struct buf text;
    struct ready_answer *plain, *deflated; /* NULL: nobody asked for it yet */
};

struct stream {
    const struct page_host *h;
    uv_timer_t timer;
    struct board *board; /* NULL: nobody listens, and has not for some time */
    struct teller *teller;
    struct batch batch;
    struct gzip gzip;
    struct buf room;
    struct reader *readers[STREAM_READERS_MAX]; /* no holes */
    size_t count;
    bool looking;     /* a look is under way */
    bool stale;       /* it began before those who listen came */
    uint64_t took_ns; /* this look, up to now */
    uint64_t look_ms; /* when the next one is due */
    uint64_t told_version;
    uint64_t turn_ms, turn_ns; /* of the loop: when, and how long batches took in it */
    bool postponed;            /* somebody was put off to the next one */
};

/* ---- bytes ----------------------------------------------------------------------------- */

static void forget_batch(struct batch *b)
{
    ready_answer_unref(b->plain);
    ready_answer_unref(b->deflated);
    b->plain = b->deflated = NULL;
    b->made = false;
}

static struct ready_answer *chunk_of(struct stream *s, struct view text, bool gzip)
{
    if (!gzip)
        return feed_chunk(text);
    buf_release(&s->room);
    gzip_block(&s->gzip, text, &s->room);
    return feed_chunk(buf_as_view(&s->room));
}

static struct ready_answer *batch_chunk(struct stream *s, bool gzip)
{
    struct ready_answer **chunk = gzip ? &s->batch.deflated : &s->batch.plain;

    if (!*chunk)
        *chunk = chunk_of(s, buf_as_view(&s->batch.text), gzip);
    (*chunk)->refs++;
    return *chunk;
}

static bool is_made(const struct stream *s, const struct reader *r)
{
    const struct batch *b = &s->batch;

    return b->made && b->version == board_version(s->board) &&
           board_place_eq(&b->from, &r->place);
}

static void make_batch(struct stream *s, const struct reader *r)
{
    struct batch *b = &s->batch;

    forget_batch(b);
    buf_release(&b->text);
    b->from = b->to = r->place;
    b->version = board_version(s->board);
    b->something = board_next(s->board, &b->to, BATCH_BYTES, &b->text);
    b->made = true;
}

/* True: enough was done in this turn of the loop, which has others to serve. */
static bool spent(struct stream *s)
{
    uint64_t now_ms = uv_now(s->h->loop);

    if (s->turn_ms != now_ms)
        s->turn_ns = 0;
    s->turn_ms = now_ms;
    return s->turn_ns >= TURN_NS;
}

static void set_timer(struct stream *s);

/* The next batch of this place; NULL: there is nothing to tell, or not in this turn. */
static struct ready_answer *next_batch(struct stream *s, struct reader *r)
{
    struct ready_answer *chunk = NULL;
    uint64_t began_ns = uv_hrtime();

    if (!is_made(s, r)) {
        if (spent(s)) {
            s->postponed = true;
            set_timer(s);
            return NULL;
        }
        make_batch(s, r);
    }
    r->place = s->batch.to;
    if (s->batch.something)
        chunk = batch_chunk(s, r->gzip);
    s->turn_ns += uv_hrtime() - began_ns;
    return chunk;
}

static double now_s(void)
{
    struct timeval now;

    gettimeofday(&now, NULL);
    return (double)now.tv_sec + (double)now.tv_usec / 1e6;
}

static struct ready_answer *beat(struct stream *s, const struct reader *r)
{
    struct buf text = { 0 };
    struct ready_answer *chunk;

    buf_str(&text, "event: beat\ndata: {\"now\":");
    json_text_exact(&text, now_s());
    buf_str(&text, "}\n\n");
    chunk = chunk_of(s, buf_as_view(&text), r->gzip);
    buf_deinit(&text);
    return chunk;
}

/* What comes first: the beginning of the gzip member, which never ends, and after how many
 * milliseconds a browser is to come again. */
static struct ready_answer *greeting(struct stream *s, const struct reader *r)
{
    static const struct view text = VIEW("retry: 1000\n\n");

    if (!r->gzip)
        return feed_chunk(text);
    buf_release(&s->room);
    buf_add(&s->room, gzip_head, GZIP_HEAD_BYTES);
    gzip_block(&s->gzip, text, &s->room);
    return feed_chunk(buf_as_view(&s->room));
}

static bool beat_due(const struct reader *r)
{
    return uv_now(r->s->h->loop) - r->told_ms >= BEAT_MS;
}

static struct ready_answer *next(struct feed *f)
{
    struct reader *r = (struct reader *)f;
    struct stream *s = r->s;
    struct ready_answer *chunk;

    if (!r->greeted) {
        r->greeted = true;
        chunk = greeting(s, r);
    } else {
        chunk = next_batch(s, r);
        if (!chunk && !s->postponed && beat_due(r))
            chunk = beat(s, r);
    }
    if (chunk)
        r->told_ms = uv_now(s->h->loop);
    return chunk;
}

/* ---- looks ------------------------------------------------------------------------------- */

static void let_go(struct stream *s)
{
    forget_batch(&s->batch);
    buf_deinit(&s->batch.text);
    buf_deinit(&s->room);
    gzip_deinit(&s->gzip);
    teller_free(s->teller);
    s->teller = NULL;
    board_free(s->board);
    s->board = NULL;
    s->looking = s->stale = false;
    malloc_trim(0); /* thousands of small pieces, scattered among what stays */
}

static void wake(struct stream *s)
{
    uint64_t version = board_version(s->board);
    bool news = version != s->told_version || s->postponed;

    s->told_version = version;
    s->postponed = false;
    for (size_t i = 0; i < s->count; i++)
        if (news || beat_due(s->readers[i]))
            s->readers[i]->feed.wake(&s->readers[i]->feed);
}

static void look(struct stream *s)
{
    uint64_t now_ms = uv_now(s->h->loop), began_ns;

    if (!s->looking && now_ms < s->look_ms)
        return;
    if (!s->looking)
        s->took_ns = 0;
    began_ns = uv_hrtime();
    s->looking = !teller_step(s->teller);
    s->took_ns += uv_hrtime() - began_ns;
    if (s->looking)
        return;
    if (s->stale) {
        s->stale = false;
        return;
    }
    board_complete(s->board, true);
    s->look_ms = now_ms + REST * (s->took_ns / NS_PER_MS);
    if (s->look_ms < now_ms + LOOK_MS)
        s->look_ms = now_ms + LOOK_MS;
}

static void on_timer(uv_timer_t *timer);

/* Others have their turn between the steps of a look, and between batches. */
static void set_timer(struct stream *s)
{
    uint64_t now_ms = uv_now(s->h->loop);
    uint64_t wait_ms = s->looking || s->postponed ? 1
                       : s->look_ms > now_ms      ? s->look_ms - now_ms
                                                  : 0;

    uv_timer_start(&s->timer, on_timer, s->count ? wait_ms : KEEP_MS, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct stream *s = timer->data;

    if (s->count == 0) {
        let_go(s);
        return;
    }
    look(s);
    wake(s);
    set_timer(s);
}

/* ---- readers ---------------------------------------------------------------------------- */

static void gone(struct feed *f)
{
    struct reader *r = (struct reader *)f;
    struct stream *s = r->s;

    s->readers[r->index] = s->readers[--s->count];
    s->readers[r->index]->index = r->index;
    free(r);
    if (s->count == 0 && !uv_is_closing((uv_handle_t *)&s->timer))
        set_timer(s);
}

/* What was kept may be old: nobody is told that it is all before the next look. */
static void start(struct stream *s)
{
    uint32_t epoch;

    if (!s->board) {
        if (uv_random(NULL, NULL, &epoch, sizeof epoch, 0, NULL) != 0)
            epoch = (uint32_t)uv_hrtime();
        s->board = board_new(epoch, ROWS_MAX);
        s->teller = teller_new(s->h, s->board);
    }
    board_complete(s->board, false);
    s->look_ms = 0;
    s->stale = s->looking;
}

static struct reader *enlist(struct stream *s, struct view id, bool gzip)
{
    struct reader *r = mem_zalloc(sizeof *r);

    if (s->count == 0)
        start(s);
    r->feed.next = next;
    r->feed.gone = gone;
    r->s = s;
    r->gzip = gzip;
    r->place = id.n ? board_resume(s->board, id) : board_begin(s->board);
    r->told_ms = uv_now(s->h->loop);
    r->index = s->count;
    s->readers[s->count++] = r;
    if (s->count == 1)
        set_timer(s);
    return r;
}

/* The value of `since` in a query; empty: there is none. */
static struct view since(struct view query)
{
    struct view pair, key;

    while (view_split(&query, '&', &pair)) {
        view_split(&pair, '=', &key);
        if (view_eq(key, VIEW("since")))
            return pair;
    }
    return VIEW("");
}

#define HEADERS                                                                        \
    "Cache-Control: no-store\r\n"                                                      \
    "Vary: Accept-Encoding\r\n"                                                        \
    "X-Content-Type-Options: nosniff\r\n"                                              \
    "X-Accel-Buffering: no\r\n" /* nginx hands on what comes as it comes */

void stream_answer(struct stream *s, const struct request *rq, struct reply *out)
{
    bool gzip = negotiate_gzip(rq->accept_encoding);
    struct view id = rq->last_event_id.n ? rq->last_event_id : since(rq->query);

    if (s->count == STREAM_READERS_MAX) {
        route_refused(503, "so many look at it already", "Retry-After: 10\r\n", out);
        return;
    }
    out->status = 200;
    out->content_type = "text/event-stream";
    out->headers = gzip ? "Content-Encoding: gzip\r\n" HEADERS : HEADERS;
    out->feed = &enlist(s, id, gzip)->feed;
}

/* ---- life -------------------------------------------------------------------------------- */

struct stream *stream_new(const struct page_host *h)
{
    struct stream *s = mem_zalloc(sizeof *s);

    s->h = h;
    uv_timer_init(h->loop, &s->timer);
    s->timer.data = s;
    return s;
}

void stream_stop(struct stream *s)
{
    uv_close((uv_handle_t *)&s->timer, NULL);
}

void stream_free(struct stream *s)
{
    assert(s->count == 0);
    let_go(s);
    free(s);
}
