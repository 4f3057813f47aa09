#include "server/upstream/upstream.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/upstream/inner.h"

enum {
    LONGEST_S = 7 * 86400,
    EARLIEST_S = 978307200, /* 2001-01-01: what is before was never measured */
    AHEAD_S = 86400,        /* of our clock: no clock of an encoder is so far off */
    ANSWER_MAX = 8 << 20,   /* what is too large for us is still told from a failure */
};

/* ---- life ------------------------------------------------------------------------- */

static struct fetch_peer peer_of(const struct upstream_config *c)
{
    return (struct fetch_peer){
        .name = "upstream",
        .url = c->url,
        .username = c->username,
        .password_file = c->password_file,
        .bearer_token_file = c->bearer_token_file,
        .ca_file = c->ca_file,
        .cert_file = c->cert_file,
        .key_file = c->key_file,
        .proxy = c->proxy,
        .insecure = c->insecure,
        .timeout_ms = c->timeout_ms,
        .concurrency = c->max_concurrent,
        .max_bytes = ANSWER_MAX,
    };
}

int upstream_check(const struct config *c, struct err *e)
{
    const struct fetch_peer peer = peer_of(&c->upstream);

    return upstream_wanted(c) ? fetch_check(&peer, e) : 0;
}

/* The names as a container's own environment has them (the downward API of Kubernetes
 * sets those that are asked of it). */
static void read_environment(struct upstream *u)
{
    static const char *const variables[TEMPLATE_NAMES] = { "HOSTNAME", "POD_NAME",
                                                           "POD_NAMESPACE",
                                                           "NODE_NAME" };

    for (int i = 0; i < TEMPLATE_NAMES; i++)
        u->environment[i] = getenv(variables[i]);
}

int upstream_new(uv_loop_t *loop, const struct config *c, struct self *self,
                 void (*news)(void *ctx), void *ctx, struct upstream **out,
                 struct err *e)
{
    const struct fetch_peer peer = peer_of(&c->upstream);
    struct upstream *u;
    struct fetcher *fetcher;
    int rc;

    *out = NULL;
    if (!upstream_wanted(c))
        return 0;
    rc = fetcher_new(loop, &peer, &fetcher, e);
    if (rc < 0)
        return rc;
    u = mem_zalloc(sizeof *u);
    u->c = c;
    u->loop = loop;
    u->fetcher = fetcher;
    u->reader = answer_reader_new();
    u->cells = mem_alloc(PLAN_POINTS * sizeof *u->cells);
    u->news = news;
    u->ctx = ctx;
    u->up = NAN;
    u->keep_ms = KEEP_MS;
    u->late_from_s = INFINITY;
    u->late_to_s = -INFINITY;
    uv_timer_init(loop, &u->timer);
    u->timer.data = u;
    read_environment(u);
    for (int i = 0; i < UPSTREAM_QUANTITIES; i++) {
        u->templates[i] = c->upstream.queries[i];
        u->uses |= template_uses(u->templates[i]);
    }
    problems_add(u, self);
    *out = u;
    return 0;
}

static void on_closed(uv_handle_t *timer)
{
    struct upstream *u = timer->data;

    series_free_all(u);
    table_deinit(&u->queries);
    free(u->queue);
    answer_reader_free(u->reader);
    free(u->cells);
    free(u);
}

void upstream_stop(struct upstream *u)
{
    if (!u || u->stopped)
        return;
    u->stopped = true;
    fetcher_stop(u->fetcher);
    asks_forget(u);
    uv_close((uv_handle_t *)&u->timer, on_closed);
}

void upstream_reloaded(struct upstream *u)
{
    struct query *q;

    if (!u)
        return;
    u->refused_count = 0;
    u->said_many = false;
    for (size_t i = 0; (q = table_next(&u->queries, &i));)
        for (; q; q = q->wide) {
            q->refused_ms = 0;
            q->said &= 1U << PROBLEM_NAMES;
            q->totals.absent_ms = 0;
            if (q->queued)
                queue_put(q, uv_now(u->loop));
        }
    upstream_soon(u);
}

/* ---- intervals -------------------------------------------------------------------- */

/* NULL: it can be asked for. */
static const char *wrong_interval(double from_s, double to_s)
{
    if (!(from_s < to_s))
        return "its end is not behind its begin";
    if (from_s < EARLIEST_S)
        return "it begins before 2001";
    if (to_s - from_s > LONGEST_S)
        return "it is longer than 7 days";
    if (to_s > upstream_now_s() + AHEAD_S)
        return "it ends in the future";
    return NULL;
}

static void refuse(struct upstream *u, double from_s, double to_s, const char *why)
{
    const size_t max = sizeof u->refused / sizeof *u->refused;
    struct range r = { (int64_t)fmax(fmin(from_s, 1e15), -1e15),
                       (int64_t)fmax(fmin(to_s, 1e15), -1e15) };
    struct buf text = { 0 };

    for (size_t i = 0; i < max && i < u->refused_count; i++)
        if (u->refused[i].first == r.first && u->refused[i].last == r.last)
            return;
    u->refused[u->refused_count++ % max] = r;
    buf_fmt(&text, "interval %lld to %lld: %s", (long long)r.first, (long long)r.last,
            why);
    buf_char(&text, '\0');
    problem_note(u, NULL, PROBLEM_INTERVAL, text.p, NULL);
    buf_deinit(&text);
}

/* What had no values is wanted once more: it may have some now. */
static bool probed(struct query *q, struct range cells, uint64_t now_ms)
{
    struct query *last = q->wide ? q->wide : q;

    if (!plan_probe(&last->plan, cells, now_ms))
        return false;
    queue_soon(last);
    return true;
}

void upstream_want(struct upstream *u, struct upstream_series *s, double from_s,
                   double to_s, bool running)
{
    const char *wrong = wrong_interval(from_s, to_s);
    uint64_t now_ms = uv_now(u->loop);
    struct range cells;
    bool news = false;

    if (wrong) {
        if (!running) /* one that has just begun is no mistake */
            refuse(u, from_s, to_s, wrong);
        return;
    }
    cells = plan_cells(from_s, to_s);
    if (running)
        cells.last -= 2; /* up to the last whole step before now */
    for (int i = 0; i < UPSTREAM_ENERGY; i++) {
        struct query *q = s->queries[i];

        if (!q || !q->askable ||
            (ranges_hold(&q->plan.recent, cells) && !probed(q, cells, now_ms)))
            continue;
        plan_want(&q->plan, cells, upstream_now_s());
        queue_soon(q);
        news = true;
    }
    if (news)
        upstream_soon(u);
}

double upstream_energy(struct upstream *u, struct upstream_series *s, double from_s,
                       double to_s, bool *known)
{
    struct query *q = s->queries[UPSTREAM_ENERGY];
    struct total *t;

    *known = true;
    if (!q || !q->askable || wrong_interval(from_s, to_s))
        return NAN;
    t = totals_of(&q->totals, from_s, to_s, false);
    if (!t) {
        t = totals_of(&q->totals, from_s, to_s, true);
        queue_soon(q);
        upstream_soon(u);
    }
    t->recent = true;
    *known = t->state == TOTAL_KNOWN || q->totals.counter >= COUNTER_NONE ||
             uv_now(u->loop) < q->refused_ms;
    return t->value_j;
}

bool upstream_settled(const struct upstream *u, const struct upstream_series *s,
                      double from_s, double to_s)
{
    uint64_t now_ms = uv_now(u->loop);
    struct query *energy = s->queries[UPSTREAM_ENERGY];
    const struct total *t;

    if (wrong_interval(from_s, to_s))
        return true;
    for (int i = 0; i < UPSTREAM_ENERGY; i++)
        if (s->queries[i] &&
            !query_settled(s->queries[i], plan_cells(from_s, to_s), now_ms))
            return false;
    if (!energy || !energy->askable || now_ms < energy->refused_ms ||
        energy->totals.counter >= COUNTER_NONE)
        return true;
    t = totals_of(&energy->totals, from_s, to_s, false);
    return !t || t->state == TOTAL_KNOWN;
}

/* Whether a query could be asked now, for the first time, if there were room for it. */
static bool is_waiting(const struct query *q, double now_s, uint64_t now_ms)
{
    if (now_ms < q->refused_ms)
        return false;
    return q->kind == UPSTREAM_ENERGY ? totals_wait(&q->totals, now_s)
                                      : plan_waits(&q->plan, now_s);
}

bool upstream_busy(const struct upstream *u)
{
    double now_s = upstream_now_s();
    uint64_t now_ms = uv_now(u->loop);
    size_t i = 0;

    if (u->under_way || u->untold)
        return true;
    while (i < u->queue_count && !is_waiting(u->queue[i].q, now_s, now_ms))
        i++;
    return i < u->queue_count;
}

void upstream_late(struct upstream *u, double from_s, double to_s)
{
    u->late_from_s = fmin(u->late_from_s, from_s);
    u->late_to_s = fmax(u->late_to_s, to_s);
}

bool upstream_reopened(struct upstream *u, double *from_s, double *to_s)
{
    if (!(u->late_from_s < u->late_to_s))
        return false;
    *from_s = u->late_from_s;
    *to_s = u->late_to_s;
    u->late_from_s = INFINITY;
    u->late_to_s = -INFINITY;
    return true;
}
