/*
 * asks.c - questions on their way, and their answers.
 *
 * One timer, set to when the next question is due; none where nothing is. Questions begin
 * in the turn after they were wanted, so that what is wanted in one turn goes together,
 * and no more of them than may be under way, so that those that are wanted later, and are
 * newer, need not wait behind a long list.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "core/mem.h"
#include "server/log.h"
#include "server/upstream/inner.h"

enum {
    URL_MAX = 2000, /* longer ones are asked by POST */
    NEWS_MS = 250,
    LOOKS = 256, /* at queries in one turn */
};

double upstream_now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- what is asked ------------------------------------------------------------------ */

static void add_encoded(struct buf *out, const char *name, const char *value)
{
    buf_fmt(out, "%s%s=", out->n ? "&" : "", name);
    for (; *value; value++) {
        char c = *value;

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            (c >= '0' && c <= '9') || strchr("-._~", c))
            buf_char(out, c);
        else
            buf_fmt(out, "%%%02X", (unsigned char)c);
    }
}

/*
 * VictoriaMetrics keeps answers, shifts times to make that work, and hides what is younger
 * than 30 s: nocache and latency_offset end that. Prometheus passes over arguments that it
 * does not know.
 */
static void add_common(struct buf *out, const struct upstream *u)
{
    buf_fmt(out, "&nocache=1&latency_offset=1ms&timeout=%us",
            (unsigned)((u->c->upstream.timeout_ms + 999) / 1000));
}

static void range_arguments(const struct ask *a, struct buf *out)
{
    add_encoded(out, "query", a->q->text);
    buf_fmt(out, "&start=%" PRId64 "&end=%" PRId64 "&step=%d",
            a->cells.first * PLAN_STEP_S, a->cells.last * PLAN_STEP_S, PLAN_STEP_S);
    add_common(out, a->q->u);
}

/* Both ends in whole milliseconds, as the servers count. */
static void total_arguments(const struct ask *a, struct buf *out)
{
    struct view values[TEMPLATE_ALL] = { 0 };
    struct buf text = { 0 }, range = { 0 };
    long long from_ms = llround(a->from_s * 1e3), to_ms = llround(a->to_s * 1e3);

    if ((to_ms - from_ms) % 1000 == 0)
        buf_fmt(&range, "%llds", (to_ms - from_ms) / 1000);
    else
        buf_fmt(&range, "%lldms", to_ms - from_ms);
    values[TEMPLATE_RANGE] = buf_as_view(&range);
    template_fill(a->q->text, values, &text);
    buf_char(&text, '\0');
    add_encoded(out, "query", text.p);
    buf_fmt(out, "&time=%lld.%03lld", to_ms / 1000, to_ms % 1000);
    add_common(out, a->q->u);
    buf_deinit(&text);
    buf_deinit(&range);
}

static bool is_total(const struct ask *a)
{
    return a->q->kind == UPSTREAM_ENERGY;
}

/* ---- answers ------------------------------------------------------------------------ */

static void forget(struct ask *a)
{
    struct ask **at = &a->q->u->asks;

    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    a->q->u->under_way--;
    query_unref(a->q);
    free(a);
}

void asks_forget(struct upstream *u)
{
    while (u->asks)
        forget(u->asks);
}

static struct total *total_of(const struct ask *a)
{
    return totals_of(&a->q->totals, a->from_s, a->to_s, true);
}

static void skipped(const struct ask *a)
{
    if (is_total(a))
        totals_failed(&a->q->totals, total_of(a));
    else
        plan_skipped(&a->q->plan, a->cells);
}

/* No answer that anything rests on: the same is asked again later. */
static void failed(const struct ask *a)
{
    skipped(a);
    a->q->hold_ms = uv_now(a->q->u->loop) + HOLD_MS;
}

/* Several series are as good as none. */
static bool is_taken(enum upstream_problem p)
{
    return p == PROBLEM_NONE || p >= PROBLEM_SERIES;
}

static enum upstream_problem take_cells(const struct ask *a,
                                        const struct json_value *data, struct err *why)
{
    struct upstream *u = a->q->u;
    uint64_t now_ms = uv_now(u->loop);
    enum upstream_problem p = answer_cells(data, a->cells, PLAN_STEP_S, u->cells, why);

    if (is_taken(p))
        query_take(a->q, a->cells, u->cells,
                   plan_answered(&a->q->plan, a->cells, a->asked_s, now_ms), now_ms);
    return p;
}

static enum upstream_problem take_total(const struct ask *a,
                                        const struct json_value *data, struct err *why)
{
    double value_j;
    enum upstream_problem p = answer_number(data, &value_j, why);

    if (is_taken(p)) {
        bool was_known = a->q->totals.counter >= COUNTER_NONE || a->q->was_refused;

        totals_answered(&a->q->totals, total_of(a), value_j, uv_now(a->q->u->loop));
        if (was_known && !isnan(value_j))
            upstream_late(a->q->u, a->from_s, a->to_s);
    }
    return p;
}

static enum upstream_problem take(const struct ask *a,
                                  const struct fetch_answer *answer, struct err *why)
{
    const struct json_value *data;
    enum upstream_problem p;

    if (answer->status == 0) {
        err_set(why, -EIO, "%s", answer->problem ? answer->problem : "no answer");
        return PROBLEM_UNREACHED;
    }
    p = answer_read(a->q->u->reader, answer->status, answer->body, &data, why);
    fetch_blank(a->q->u->fetcher, why->text, strlen(why->text));
    if (!data)
        return p;
    if (p != PROBLEM_NONE)
        problem_note(a->q->u, a->q, p, why->text, NULL);
    return is_total(a) ? take_total(a, data, why) : take_cells(a, data, why);
}

static bool is_bad(enum upstream_problem p)
{
    return p >= PROBLEM_UNREACHED && p <= PROBLEM_PARTIAL;
}

static bool is_refused(enum upstream_problem p)
{
    return p >= PROBLEM_REFUSED && p <= PROBLEM_SERIES;
}

/* What had no values may have them now. */
static void came_back(struct upstream *u)
{
    struct query *q;

    u->failing = false;
    for (size_t i = 0; (q = table_next(&u->queries, &i));)
        for (; q; q = q->wide) {
            if (q->plan.empty.count == 0)
                continue;
            plan_ask_empty(&q->plan);
            queue_soon(q);
        }
}

/* A query that is at fault is left alone; several series may be one in other hours. */
static void settle(struct ask *a, enum upstream_problem p)
{
    struct upstream *u = a->q->u;
    bool put_off = is_refused(p) && p != PROBLEM_SERIES;

    if (is_bad(p) || put_off)
        failed(a);
    if (put_off) {
        a->q->refused_ms = uv_now(u->loop) + REFUSED_MS;
        a->q->was_refused = true;
    }
    if (p == PROBLEM_SERIES) {
        a->q->several_ms = uv_now(u->loop) + PLAN_PROBE_MS;
        a->q->was_several = true;
    }
    if (u->failing && !is_bad(p))
        came_back(u);
    u->failing = is_bad(p);
    u->up = is_bad(p) ? 0 : 1;
}

static enum fetch_verdict on_answered(void *ctx, const struct fetch_answer *answer,
                                      struct buf *reason)
{
    struct ask *a = ctx;
    struct upstream *u = a->q->u;
    struct err why = { 0 };
    enum upstream_problem p = PROBLEM_UNREACHED;

    if (answer->status == 0 && answer->problem &&
        strcmp(answer->problem, FETCH_NOT_ASKED) == 0) {
        skipped(a);
    } else {
        p = take(a, answer, &why);
        if (p != PROBLEM_NONE)
            problem_note(u, a->q, p, why.text, reason);
        settle(a, p);
        u->untold = true;
    }
    queue_soon(a->q);
    forget(a);
    upstream_soon(u);
    return is_bad(p) ? FETCH_BAD : is_refused(p) ? FETCH_REFUSED : FETCH_GOOD;
}

/* ---- asking ------------------------------------------------------------------------- */

/* Takes a. */
static void begin(struct ask *a)
{
    struct upstream *u = a->q->u;
    struct buf arguments = { 0 }, path = { 0 };
    struct view body = { 0 };
    struct err e = { 0 };

    query_ref(a->q);
    a->asked_s = upstream_now_s();
    a->next = u->asks;
    u->asks = a;
    u->under_way++;
    if (is_total(a))
        total_arguments(a, &arguments);
    else
        range_arguments(a, &arguments);
    buf_str(&path, is_total(a) ? "/api/v1/query" : "/api/v1/query_range");
    if (arguments.n + path.n + strlen(fetcher_shown(u->fetcher)) > URL_MAX)
        body = buf_as_view(&arguments);
    else
        buf_fmt(&path, "?%.*s", VIEW_ARG(buf_as_view(&arguments)));
    buf_char(&path, '\0');
    if (!fetcher_ask(u->fetcher, path.p, body, NULL, on_answered, a, &e)) {
        problem_note(u, a->q, PROBLEM_UNREACHED, e.text, NULL);
        failed(a);
        forget(a);
    }
    buf_deinit(&arguments);
    buf_deinit(&path);
}

/* One answer without several series is enough for all others to be asked again. */
static void probe(struct query *q, uint64_t now_ms)
{
    struct range cells;

    q->several_ms = 0;
    if (plan_last_empty(&q->plan, &cells))
        plan_probe(&q->plan, cells, now_ms);
}

/* The next question of one query; *due_ms: when to look again where there is none. */
static bool ask_next(struct query *q, double now_s, uint64_t now_ms, uint64_t *due_ms)
{
    struct ask a = { .q = q }, *copy;
    uint64_t wait_ms = q->refused_ms > q->hold_ms ? q->refused_ms : q->hold_ms;

    if (!q->narrow && now_ms - q->since_ms >= q->u->keep_ms)
        query_forget(q, now_ms);
    if (q->kind == UPSTREAM_ENERGY) {
        struct total *t = NULL;

        *due_ms = UINT64_MAX;
        if (q->totals.open == 0)
            return false;
        *due_ms = wait_ms;
        if (now_ms >= wait_ms)
            t = totals_next(&q->totals, now_s, now_ms, due_ms);
        if (!t)
            return false;
        a.from_s = t->from_s;
        a.to_s = t->to_s;
    } else {
        if (q->several_ms && now_ms >= q->several_ms)
            probe(q, now_ms);
        *due_ms = plan_due(&q->plan, now_s, now_ms);
        if (q->several_ms && q->several_ms < *due_ms)
            *due_ms = q->several_ms;
        if (*due_ms < UINT64_MAX && *due_ms < wait_ms)
            *due_ms = wait_ms;
        if (*due_ms > now_ms || !plan_next(&q->plan, now_s, now_ms, &a.cells))
            return false;
    }
    copy = mem_alloc(sizeof *copy);
    *copy = a;
    begin(copy);
    *due_ms = now_ms;
    return true;
}

/* Something is due, and the breaker does not let it go: counted every few seconds, as it
 * would have been asked. */
static void keep_back(struct upstream *u, uint64_t now_ms)
{
    if (now_ms < u->kept_ms)
        return;
    for (size_t i = 0; i < u->queue_count; i++)
        if (u->queue[i].due_ms <= now_ms) {
            u->kept_back++;
            u->kept_ms = now_ms + PLAN_EVERY_MS;
        }
}

static void on_timer(uv_timer_t *timer)
{
    upstream_turn(timer->data);
}

static void set_timer(struct upstream *u, uint64_t due_ms, uint64_t now_ms)
{
    if (due_ms == UINT64_MAX)
        uv_timer_stop(&u->timer);
    else
        uv_timer_start(&u->timer, on_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

/* Those in the queue, one question of each at a time, until all that may go is under way;
 * when to look again. */
static uint64_t ask_all(struct upstream *u, double now_s, uint64_t now_ms)
{
    const size_t places = u->c->upstream.max_concurrent;

    for (int n = 0; n < LOOKS && u->under_way < places && u->queue_count &&
                    u->queue[0].due_ms <= now_ms;
         n++) {
        struct query *q = u->queue[0].q;
        uint64_t due_ms;

        if (!ask_next(q, now_s, now_ms, &due_ms) && due_ms <= now_ms)
            due_ms = now_ms + 1;
        queue_put(q, due_ms);
    }
    /* When all places are taken, an answer comes first. */
    return u->under_way < places && u->queue_count ? u->queue[0].due_ms : UINT64_MAX;
}

/* When what arrived is told: with the last answer, and now and then while more are to
 * come, as each telling has all that is not settled looked at. */
static uint64_t news_due(const struct upstream *u)
{
    if (!u->untold)
        return UINT64_MAX;
    return u->under_way ? u->told_ms + NEWS_MS : 0;
}

void upstream_turn(struct upstream *u)
{
    uint64_t now_ms = uv_now(u->loop), due_ms = UINT64_MAX;
    double now_s = upstream_now_s();

    if (u->stopped)
        return;
    if (fetcher_open(u->fetcher, &due_ms)) {
        due_ms = ask_all(u, now_s, now_ms);
    } else {
        keep_back(u, now_ms);
        /* A probe that is under way ends with an answer, and that with a turn. */
        due_ms = due_ms > now_ms ? due_ms : UINT64_MAX;
    }
    if (news_due(u) > now_ms) {
        set_timer(u, news_due(u) < due_ms ? news_due(u) : due_ms, now_ms);
        return;
    }
    set_timer(u, due_ms, now_ms);
    u->untold = false;
    u->told_ms = now_ms;
    u->news(u->ctx);
}

void upstream_soon(struct upstream *u)
{
    if (!u->stopped)
        set_timer(u, 0, 0);
}
