/*
 * push.c - sends what is served to somebody who takes it.
 *
 * What goes out is what an answer of /metrics/all would be without the process's own
 * families: those tell of a process that goes away, and in a Pushgateway they would stand
 * against its own. The bytes are those of the answers; nothing is copied but what libcurl
 * sends next. VictoriaMetrics gets gzip, a Pushgateway (older ones know no gzip) text.
 */
#include "server/push/push.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "server/fetch/fetch.h"
#include "server/fetch/report.h"
#include "server/http/answer.h"
#include "server/push/push_path.h"

enum {
    TIMEOUT_MS = 60000,    /* of one push */
    RETRY_MS = 250,        /* after the first failure; doubles … */
    RETRY_MAX_MS = 300000, /* … until it is that long */
    GZIP_FROM = 16 * 1024, /* bytes of text */
    ANSWER_MAX = 64 * 1024,
    LEAST_MS = 1000, /* for a last state, also where it comes when the time is over */
};

struct push {
    uv_loop_t *loop;
    struct pipeline *pipeline;
    struct fetcher *f;
    struct fetch_ticket *ticket; /* NULL: none under way */
    uv_timer_t timer;
    char *path;
    bool gateway;
    uint64_t interval_ms;
    unsigned failures; /* in a row */
    struct gzip gzip;
    struct answer answer; /* what is being sent */
    uint64_t answer_n;    /* bytes of it */
    uint64_t state, sent; /* of the answer; the last one that arrived. 0: none */
    uint64_t deadline_ms; /* of the last push; 0: it has not begun */
    bool lost;            /* it was given up */
    char why[256];        /* the last one failed */
    void (*done)(void *ctx);
    void *ctx;
};

static const struct family families[REPORT_FAMILIES] =
    REPORT_TABLE("push", "Pushes to --push.url");

const struct family *push_families(size_t *count)
{
    *count = REPORT_FAMILIES;
    return families;
}

static void on_timer(uv_timer_t *timer);

/* ---- the bytes --------------------------------------------------------------------------- */

/* Tells states apart: the sum of generations, which only go up. 0: nothing is served yet. */
static uint64_t state_now(const struct push *p)
{
    struct body *bodies[PIPELINE_BODIES_MAX];
    uint64_t sum = 0;

    for (size_t i = 0, n = pipeline_bodies(p->pipeline, PIPELINE_ALL, bodies); i < n;
         i++)
        sum += bodies[i]->generation;
    return sum;
}

/* Begins the answer anew, with the bodies that it holds. */
static void rewind_answer(struct push *p)
{
    const struct answer_manner manner = { .headers = "",
                                          .keep_alive = true,
                                          .gzip = &p->gzip };
    struct answer *a = &p->answer;

    answer_start(a, &manner);
    /* The head is not sent; with gzip its last bytes are the content's first. */
    answer_advance(a, a->head_n - (a->reply.gzip ? GZIP_HEAD_BYTES : 0));
    p->answer_n = a->left;
}

static void take_state(struct push *p)
{
    struct reply *r = &p->answer.reply;
    struct body *bodies[PIPELINE_BODIES_MAX];
    uint64_t bytes = 0;

    answer_release(&p->answer);
    r->status = 200;
    r->content_type = "";
    for (size_t i = 0, n = pipeline_bodies(p->pipeline, PIPELINE_ALL, bodies); i < n;
         i++) {
        r->bodies[r->body_count++] = body_ref(bodies[i]);
        bytes += body_bytes(bodies[i]);
    }
    r->gzip = !p->gateway && bytes >= GZIP_FROM;
    p->state = state_now(p);
    rewind_answer(p);
}

static size_t read_bytes(void *ctx, uint64_t at, char *to, size_t n)
{
    struct push *p = ctx;
    struct answer *a = &p->answer;
    size_t got = 0;
    uv_buf_t iov[16];

    if (at < p->answer_n - a->left) { /* once more: redirected, or a stale connection */
        struct reply kept = a->reply;

        memset(&a->reply, 0, sizeof a->reply);
        answer_release(a);
        a->reply = kept;
        rewind_answer(p);
    }
    unsigned count = answer_gather(a, iov, 16, n);

    for (unsigned i = 0; i < count; i++) {
        memcpy(to + got, iov[i].base, iov[i].len);
        got += iov[i].len;
    }
    answer_advance(a, got);
    return got;
}

/* ---- sending ------------------------------------------------------------------------------- */

static uint64_t left_ms(const struct push *p)
{
    uint64_t now_ms = uv_now(p->loop);

    return p->deadline_ms > now_ms ? p->deadline_ms - now_ms : 0;
}

static void set_timer(struct push *p, uint64_t ms)
{
    uv_timer_start(&p->timer, on_timer, ms, 0);
}

/* The last push has come to its end. */
static void end(struct push *p)
{
    void (*done)(void *) = p->done;

    p->done = NULL;
    if (done)
        done(p->ctx);
}

static void give_up(struct push *p)
{
    log_line(LOG_ERROR, "the last values are not pushed", "url", fetcher_shown(p->f),
             "reason", p->why, NULL);
    p->lost = true;
    end(p);
}

/* Twice as long each time; not before the breaker lets it through. */
static uint64_t time_to_wait(struct push *p)
{
    uint64_t wait_ms = (uint64_t)RETRY_MS << p->failures, due_ms;

    p->failures += wait_ms < RETRY_MAX_MS;
    if (!fetcher_open(p->f, &due_ms) && due_ms > uv_now(p->loop) + wait_ms)
        wait_ms = due_ms - uv_now(p->loop);
    return wait_ms;
}

static void retry(struct push *p)
{
    uint64_t wait_ms = time_to_wait(p);

    if (!p->deadline_ms)
        set_timer(p, wait_ms < p->interval_ms ? wait_ms : p->interval_ms);
    else if (wait_ms < left_ms(p))
        set_timer(p, wait_ms);
    else
        give_up(p);
}

static void arrived(struct push *p)
{
    p->failures = 0;
    p->sent = p->state;
    if (!p->deadline_ms) {
        set_timer(p, p->interval_ms);
        return;
    }
    log_line(LOG_INFO, "the last values are pushed", "url", fetcher_shown(p->f), NULL);
    end(p);
}

/* 401, 403, 404: a wrong password or path looks like that; a proxy that is being set up as
 * well. */
static enum fetch_verdict verdict(const struct fetch_answer *a)
{
    if (a->status >= 200 && a->status < 300)
        return FETCH_GOOD;
    return a->status < 400 || a->status >= 500 || a->status == 401 ||
                   a->status == 403 || a->status == 404 || a->status == 408 ||
                   a->status == 429
               ? FETCH_BAD
               : FETCH_REFUSED;
}

static enum fetch_verdict on_answer(void *ctx, const struct fetch_answer *a,
                                    struct buf *reason)
{
    struct push *p = ctx;
    enum fetch_verdict v = verdict(a);

    p->ticket = NULL;
    answer_release(&p->answer);
    if (v != FETCH_GOOD && a->status)
        snprintf(p->why, sizeof p->why, "HTTP status %d: %.*s", a->status,
                 (int)(a->body.n < 200 ? a->body.n : 200), a->body.n ? a->body.p : "");
    else if (v != FETCH_GOOD && strcmp(a->problem, FETCH_NOT_ASKED) != 0)
        snprintf(p->why, sizeof p->why, "%s", a->problem);
    fetch_blank(p->f, p->why, strlen(p->why));
    if (v != FETCH_GOOD)
        buf_str(reason, p->why);
    if (v == FETCH_GOOD)
        arrived(p);
    else if (v == FETCH_REFUSED && p->deadline_ms)
        give_up(p); /* the same again would be refused again */
    else
        retry(p);
    return v;
}

static void send_state(struct push *p)
{
    struct fetch_upload up = { .read = read_bytes, .ctx = p };
    struct err e = { 0 };

    take_state(p);
    up.n = p->answer_n;
    up.gzip = p->answer.reply.gzip;
    p->ticket = fetcher_send(p->f, p->path, &up, "text/plain; version=0.0.4",
                             p->deadline_ms ? left_ms(p) : 0, on_answer, p, &e);
}

static void on_timer(uv_timer_t *timer)
{
    struct push *p = timer->data;

    if (p->ticket)
        return;
    if (p->deadline_ms && (p->lost || p->sent == state_now(p)))
        end(p); /* also where nothing was ever served */
    else if (p->deadline_ms && left_ms(p) == 0)
        give_up(p); /* the loop was held up */
    else if (state_now(p))
        send_state(p);
    else
        set_timer(p, p->interval_ms);
}

bool push_last(struct push *p, uint64_t within_ms, void (*done)(void *ctx), void *ctx)
{
    if (!p)
        return false;

    bool first = !p->deadline_ms, same = p->state == state_now(p);
    uint64_t least_ms = uv_now(p->loop) + LEAST_MS;

    if (first)
        p->deadline_ms = uv_now(p->loop) + (within_ms ? within_ms : PUSH_LAST_MS);
    if (p->deadline_ms < least_ms && (first || !same))
        p->deadline_ms = least_ms;
    if (done) {
        p->done = done;
        p->ctx = ctx;
    }
    if (p->ticket && !first && same)
        return true; /* on its way, and in time */
    if (p->ticket) {
        fetch_forget(p->ticket);
        p->ticket = NULL;
    }
    set_timer(p, 0);
    return true;
}

/* ---- life ----------------------------------------------------------------------------------- */

static struct fetch_peer peer_of(const struct push_config *c)
{
    return (struct fetch_peer){
        .name = "push",
        .url = c->url,
        .username = c->username,
        .password_file = c->password_file,
        .bearer_token_file = c->bearer_token_file,
        .ca_file = c->ca_file,
        .timeout_ms = TIMEOUT_MS,
        .concurrency = 1,
        .max_bytes = ANSWER_MAX,
    };
}

int push_check(const struct config *c, struct err *e)
{
    const struct fetch_peer peer = peer_of(&c->push);

    return c->push.url ? fetch_check(&peer, e) : 0;
}

int push_new(uv_loop_t *loop, const struct config *c, struct pipeline *pipeline,
             struct self *self, struct push **out, struct err *e)
{
    const struct fetch_peer peer = peer_of(&c->push);
    struct buf path = { 0 };
    struct fetcher *f;

    *out = NULL;
    if (!c->push.url)
        return 0;

    int rc = fetcher_new(loop, &peer, &f, e);

    if (rc < 0)
        return rc;

    struct push *p = mem_zalloc(sizeof *p);

    p->loop = loop;
    p->pipeline = pipeline;
    p->f = f;
    p->interval_ms = c->push.interval_ms;
    p->gateway = push_path(c->push.url, c->push.labels, &path, e) == 1;
    p->path = path.p;
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
    if (p->interval_ms)
        set_timer(p, p->interval_ms);
    self_add(self, &(struct self_part){ families, REPORT_FAMILIES, report_collect, f });
    *out = p;
    return 0;
}

static void on_closed(uv_handle_t *h)
{
    struct push *p = h->data;

    answer_release(&p->answer);
    gzip_deinit(&p->gzip);
    free(p->path);
    free(p);
}

void push_stop(struct push *p)
{
    if (!p)
        return;
    fetcher_stop(p->f);
    uv_close((uv_handle_t *)&p->timer, on_closed);
}
