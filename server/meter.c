/*
 * meter.c - which scenarios are measured, by what, and when again.
 *
 * Every run with content has an entry. A run that came or changed is measured whole; after
 * that only what is not settled (an encode that runs, an upstream that still owes an
 * answer) is looked at again. The encodes that overlap in time with what is measured are
 * gathered from all runs, as they share the machine.
 *
 * Order of precedence: the file, the upstream, this machine.
 */
#include "server/meter.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "core/live.h"
#include "core/measured.h"
#include "core/mem.h"
#include "server/meter_inner.h"

enum {
    TICK_MS = 1000,
    SLICE_NS = 2000000, /* of work in one turn of the loop */
};

#define NS_PER_S 1000000000

static double unix_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / NS_PER_S;
}

/* ---- entries ---------------------------------------------------------------------------- */

static struct meter_run *entry_add(struct meter *m, struct view id)
{
    struct meter_run *r = mem_zalloc(sizeof *r + id.n + 1);

    memcpy(r->text, id.p, id.n);
    r->id = (struct view){ r->text, id.n };
    r->unsettled_s = r->from_s = INFINITY;
    r->to_s = -INFINITY;
    table_put(&m->runs, r->id, r);
    m->sorted = false;
    return r;
}

static bool measures(const struct meter *m)
{
    return m->sampler || m->upstream;
}

bool meter_watches(const struct meter *m)
{
    return m->watch && m->watch->any(m->watch->ctx);
}

/* The time that a run's scenarios lie in, as far as it is known. */
static void set_extent(struct meter *m, struct meter_run *r, const struct run *run)
{
    r->first_s = INFINITY;
    r->last_s = -INFINITY;
    if (!measures(m))
        return;
    for (uint32_t i = 0; i < run->count; i++) {
        double start_s, end_s;

        if (!meter_span_of(run->scenarios[i], &start_s, &end_s))
            continue;
        r->first_s = fmin(r->first_s, start_s);
        r->last_s = fmax(r->last_s, end_s);
    }
    if (run->open) /* one of them may run, and be measured further */
        r->last_s = INFINITY;
    m->sorted = false;
}

static int by_first(const void *a, const void *b)
{
    const struct meter_run *const *x = a, *const *y = b;

    return ((*x)->first_s > (*y)->first_s) - ((*x)->first_s < (*y)->first_s);
}

static void sort_entries(struct meter *m)
{
    struct meter_run *r;
    double latest_s = -INFINITY;

    if (m->sorted)
        return;
    m->order = mem_resize(m->order, m->runs.count + 1, sizeof(struct meter_run *));
    m->order_count = 0;
    for (size_t i = 0; (r = table_next(&m->runs, &i));)
        m->order[m->order_count++] = r;
    if (m->order_count)
        qsort(m->order, m->order_count, sizeof(struct meter_run *), by_first);
    for (size_t i = 0; i < m->order_count; i++) {
        latest_s = fmax(latest_s, m->order[i]->last_s);
        m->order[i]->latest_s = latest_s;
    }
    m->sorted = true;
}

/* Index behind the last run that begins before end_s. */
static size_t before(const struct meter *m, double end_s)
{
    size_t low = 0, high = m->order_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (m->order[mid]->first_s < end_s)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

void meter_overlapping(struct meter *m, double from_s, double to_s,
                       void (*f)(struct meter *m, struct meter_run *r, void *ctx),
                       void *ctx)
{
    sort_entries(m);
    for (size_t i = before(m, to_s); i > 0; i--) {
        struct meter_run *r = m->order[i - 1];

        if (r->latest_s <= from_s)
            break; /* nor does any before it reach that far */
        if (r->last_s > from_s)
            f(m, r, ctx);
    }
}

/* ---- what is due ------------------------------------------------------------------------ */

struct period {
    double from_s, to_s;
};

static const struct period always = { -INFINITY, INFINITY };

static void make_due(struct meter *m, struct meter_run *r)
{
    if (!r->due) {
        r->next_due = m->due;
        m->due = r;
    }
    r->due = true;
    r->next = 0;
}

/* One whose pass is not over. */
static void to_the_end(struct meter *m, struct meter_run *r)
{
    r->next_due = m->due;
    m->due = r;
    r->due = true;
}

static void mark(struct meter *m, struct meter_run *r, void *ctx)
{
    const struct period *p = ctx;

    r->from_s = fmin(r->from_s, p->from_s);
    r->to_s = fmax(r->to_s, p->to_s);
    make_due(m, r);
}

/* The shares of all that ran in this time have to be made again. */
static void mark_around(struct meter *m, struct period p)
{
    if (measures(m) && p.from_s < p.to_s)
        meter_overlapping(m, p.from_s, p.to_s, mark, &p);
}

static void widen(struct period *p, const struct scenario *s)
{
    double start_s, end_s;

    if (!meter_span_of(s, &start_s, &end_s))
        return;
    p->from_s = fmin(p->from_s, start_s);
    p->to_s = fmax(p->to_s, end_s);
}

/* The time in which something is different now. */
static struct period changed_in(const struct diff *d)
{
    struct period p = { INFINITY, -INFINITY };

    if (!d->before || d->after->count < d->before->count || d->after->open)
        return always;
    for (uint32_t i = 0; i < d->changed_count; i++) {
        uint32_t at = d->changed[i];

        widen(&p, d->after->scenarios[at]);
        if (at < d->before->count)
            widen(&p, d->before->scenarios[at]);
    }
    return p;
}

/* What ran beside it is told by the caller, while its times are still known. */
static void forget(struct meter *m, struct meter_run *r)
{
    table_remove(&m->runs, r->id);
    m->sorted = false;
    r->gone = true;
    if (!r->due) /* else who takes it from the due frees it */
        free(r);
}

static void dropped(struct meter *m, struct meter_run *r)
{
    mark_around(m, (struct period){ r->first_s, r->last_s });
    forget(m, r);
}

void meter_changed(struct meter *m, const struct diff *d)
{
    struct meter_run *r = table_get(&m->runs, d->id);
    struct period p;

    if (d->measured)
        return;
    if (!d->after) {
        if (r)
            dropped(m, r);
        return;
    }
    if (!r && !measures(m) && !meter_watches(m) && d->after->open == 0)
        return;
    p = r ? changed_in(d) : always;
    if (!r)
        r = entry_add(m, d->after->id);
    else if (p.from_s == -INFINITY)
        mark_around(m, (struct period){ r->first_s, r->last_s });
    set_extent(m, r, d->after);
    mark(m, r, &p);
    if (p.from_s == -INFINITY)
        p = (struct period){ r->first_s, r->last_s };
    mark_around(m, p);
}

/* ---- encodes that run ------------------------------------------------------------------- */

void meter_clock(struct meter *m)
{
    int64_t mtime_ns;
    const struct run *newest = store_newest_run(m->store, &mtime_ns);

    buf_release(&m->newest_id);
    buf_view(&m->newest_id, newest ? newest->id : VIEW(""));
    m->any = newest && newest->open <= LIVE_MAX;
    if (!m->frozen)
        m->clock.now_s = unix_now();
    m->clock.sign_s = (double)mtime_ns / NS_PER_S;
    m->clock.max_idle_s = (double)m->c->power.live_max_idle_ms / 1000;
    m->latest_s =
        newest && newest->open ? live_latest_start(newest, m->clock.now_s) : NAN;
}

/* ---- one run ---------------------------------------------------------------------------- */

/* Puts measured scenarios in the places of those before; NULL: none differs. */
static const struct run *replaced(struct meter *m, const struct run *run)
{
    if (m->swap_count == 0)
        return NULL;
    return run_with(run, m->swap_at, m->swap_with, m->swap_count);
}

/* The next piece of a run, whose entry may be gone after it. */
static void bring_up(struct meter *m, struct meter_run *r)
{
    const struct run *run = store_get(m->store, r->id), *with;
    struct diff d;

    if (!run) { /* let go; it is told again should it come back */
        forget(m, r);
        return;
    }
    meter_measure(m, r, run);
    if (r->next < run->count)
        to_the_end(m, r);
    with = replaced(m, run);
    if (!with || !store_measure(m->store, with, m->swap_at, m->swap_count, &d))
        return;
    m->news = true;
    m->sink.changed(m->sink.ctx, &d);
    store_diff_release(&d);
}

/* Runs that are served no more run no more beside others. */
static void drop_unserved(struct meter *m)
{
    const struct served *all = store_served(m->store);
    struct view newest = all->run_count ? all->runs[all->run_count - 1]->id : VIEW("");

    if (all->run_count == m->served_count &&
        view_eq(newest, buf_as_view(&m->served_id)))
        return;
    m->served_count = all->run_count;
    buf_release(&m->served_id);
    buf_view(&m->served_id, newest);
    sort_entries(m);
    for (size_t i = 0; i < m->order_count; i++)
        if (!store_get(m->store, m->order[i]->id))
            mark_around(m,
                        (struct period){ m->order[i]->first_s, m->order[i]->last_s });
    for (size_t i = 0; i < m->order_count; i++)
        if (!store_get(m->store, m->order[i]->id))
            forget(m, m->order[i]);
}

static void add_unsettled(struct meter *m)
{
    struct meter_run *r;

    for (size_t i = 0; (r = table_next(&m->runs, &i));)
        if (!r->due && (r->unsettled_s < INFINITY || r->runs))
            make_due(m, r);
}

static void on_tick(uv_timer_t *t);
static void on_soon(uv_idle_t *h);

/* What is to happen next: the beat while an encode runs, the rest of what is due. */
static void go_on(struct meter *m)
{
    bool beats = uv_is_active((uv_handle_t *)&m->tick);

    if (m->closing)
        return;
    if (m->due || (m->again && m->owed))
        uv_idle_start(&m->soon, on_soon);
    if (m->frozen)
        return;
    if (!m->runs_now)
        uv_timer_stop(&m->tick);
    else if (!beats)
        uv_timer_start(&m->tick, on_tick, TICK_MS, TICK_MS);
}

static void sum_up(struct meter *m)
{
    struct meter_run *r;

    m->runs_now = m->owed = false;
    for (size_t i = 0; (r = table_next(&m->runs, &i));) {
        m->runs_now = m->runs_now || r->runs;
        m->owed = m->owed || r->unsettled_s < INFINITY || r->due;
    }
}

void meter_bring_up(struct meter *m)
{
    uint64_t end_ns = uv_hrtime() + SLICE_NS;

    if (measures(m))
        drop_unserved(m);
    if (!m->due && !m->owed && !m->runs_now)
        return;
    meter_clock(m);
    if (!m->due) {
        m->again = false;
        add_unsettled(m);
    }
    do {
        struct meter_run *r = m->due;

        if (!r)
            break;
        m->due = r->next_due;
        r->due = false;
        if (r->gone)
            free(r);
        else
            bring_up(m, r);
    } while (uv_hrtime() < end_ns || m->frozen);
    sum_up(m);
    go_on(m);
}

const struct run *meter_fill(struct meter *m, const struct run *run)
{
    struct meter_run fresh = { .id = run->id, .from_s = -INFINITY, .to_s = INFINITY };
    const struct run *with;

    bool lacks = measures(m) && run->lacking > 0;

    if (run->count > METER_PIECE || !(lacks || meter_watches(m)))
        return run;
    meter_clock(m);
    meter_measure(m, &fresh, run);
    with = replaced(m, run);
    if (!with)
        return run;
    run_unref(run);
    return with;
}

bool meter_owes(const struct meter *m)
{
    return m->owed;
}

bool meter_looking(const struct meter *m)
{
    return m->due != NULL;
}

/* ---- time ------------------------------------------------------------------------------- */

static void tell_settled(struct meter *m)
{
    void (*done)(void *ctx) = m->done;

    if (!done)
        return;
    m->done = NULL;
    uv_timer_stop(&m->tick);
    done(m->done_ctx);
}

static void look(struct meter *m)
{
    bool owed = m->owed;

    meter_bring_up(m);
    if (m->due || m->closing)
        return;
    if (m->news || (owed && !m->owed))
        m->sink.settled(m->sink.ctx);
    m->news = false;
    if (!m->owed)
        tell_settled(m);
}

static void on_tick(uv_timer_t *t)
{
    look(t->data);
}

static void on_soon(uv_idle_t *h)
{
    uv_idle_stop(h);
    look(h->data);
}

static void wake(struct meter *m)
{
    m->again = true; /* what a pass under way has left behind may be known now */
    uv_idle_start(&m->soon, on_soon);
}

void meter_watch_by(struct meter *m, const struct meter_watch *watch)
{
    m->watch = watch;
}

void meter_watch_news(struct meter *m, struct view run_id)
{
    struct meter_run *r = table_get(&m->runs, run_id);
    const struct run *run = store_get(m->store, run_id);

    if (m->closing || !run)
        return;
    if (!r) {
        r = entry_add(m, run->id);
        set_extent(m, r, run);
    }
    make_due(m, r);
    wake(m);
}

void meter_news(struct meter *m)
{
    struct period late;

    if (m->upstream && upstream_reopened(m->upstream, &late.from_s, &late.to_s))
        mark_around(m, late);
    if (m->owed || m->due || (m->runs_now && !m->frozen))
        wake(m);
}

/* ---- life ------------------------------------------------------------------------------- */

struct meter *meter_new(uv_loop_t *loop, const struct config *c, struct store *store,
                        const struct meter_sink *sink)
{
    struct meter *m = mem_zalloc(sizeof *m);

    m->c = c;
    m->store = store;
    m->sink = *sink;
    uv_timer_init(loop, &m->tick);
    uv_idle_init(loop, &m->soon);
    m->tick.data = m->soon.data = m;
    m->handles = 2;
    return m;
}

void meter_measure_by(struct meter *m, struct sampler *sampler,
                      struct upstream *upstream)
{
    m->sampler = sampler;
    m->upstream = upstream;
}

void meter_freeze(struct meter *m)
{
    m->clock.now_s = unix_now();
    m->frozen = true;
    uv_timer_stop(&m->tick);
}

static void on_patience(uv_timer_t *t)
{
    tell_settled(t->data);
}

void meter_settle(struct meter *m, uint64_t patience_ms, void (*done)(void *ctx),
                  void *ctx)
{
    assert(m->frozen);
    m->done = done;
    m->done_ctx = ctx;
    if (m->owed && patience_ms)
        uv_timer_start(&m->tick, on_patience, patience_ms, 0);
    else
        tell_settled(m);
}

static void on_closed(uv_handle_t *h)
{
    struct meter *m = h->data;
    struct meter_run *r;

    if (--m->handles)
        return;
    for (size_t i = 0; (r = table_next(&m->runs, &i));)
        free(r);
    table_deinit(&m->runs);
    buf_deinit(&m->newest_id);
    buf_deinit(&m->served_id);
    meter_measure_deinit(m);
    free(m->order);
    free(m);
}

void meter_stop(struct meter *m)
{
    if (!m)
        return;
    m->closing = true;
    m->done = NULL;
    uv_timer_stop(&m->tick);
    uv_idle_stop(&m->soon);
    while (m->due) { /* those that went are nobody's else */
        struct meter_run *r = m->due;

        m->due = r->next_due;
        r->due = false;
        if (r->gone)
            free(r);
    }
    uv_close((uv_handle_t *)&m->tick, on_closed);
    uv_close((uv_handle_t *)&m->soon, on_closed);
}
