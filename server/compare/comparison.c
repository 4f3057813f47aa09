/*
 * comparison.c - one comparison at a time, on the pool.
 *
 * It begins PAUSE_MS after a change, when those who serve and fetch that have what they
 * need, and not before REST times what the last one took has passed: so that under changes
 * without end it takes a twentieth of a core. The loop takes references to the served runs
 * and puts a body in place. One timer, armed only while something waits to be compared.
 */
#include "server/compare/comparison.h"

#include <assert.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/compare/panel.h"

#define NS_PER_MS UINT64_C(1000000)

enum {
    PAUSE_MS = 50,
    REST = 19,
    WORTH_DEFLATING = 4096, /* bytes */
};

struct turn { /* on the pool */
    uv_work_t work;
    struct comparison *c;
    struct module_set *set; /* one reference */
    size_t cost_module;     /* registry_count: none */
    struct panel_task task; /* own array; one reference to each run */
    struct panel *made;
    uint64_t took_ns;
};

struct comparison {
    struct comparison_host h;
    size_t module; /* that the families are served beside */
    uv_timer_t timer;
    struct panel_heads heads;
    struct panel *panel; /* NULL: nothing was compared yet */
    struct turn *turn;   /* NULL: nothing is on the pool */
    bool started, due, stopped;
    uint64_t due_ms;
    void (*done)(void *ctx);
    void *done_ctx;
};

static void go_on(struct comparison *c);

/* ---- on the pool ------------------------------------------------------------------------ */

static double cost(void *ctx, const struct place *at)
{
    const struct turn *t = ctx;
    const char *currency;

    return registry[t->cost_module]->headline(t->set->config[t->cost_module], at,
                                              &currency);
}

static void on_work(uv_work_t *work)
{
    struct turn *t = work->data;
    struct segment_scratch scratch = { 0 };
    uint64_t began_ns = uv_hrtime();

    t->made = panel_make(&t->task, &scratch);
    segment_scratch_deinit(&scratch);
    t->took_ns = uv_hrtime() - began_ns;
}

/* ---- on the loop ------------------------------------------------------------------------ */

static void turn_free(struct turn *t)
{
    for (size_t i = 0; i < t->task.served.run_count; i++)
        run_unref(t->task.served.runs[i]);
    free((void *)(uintptr_t)t->task.served.runs); /* made by begin() */
    module_set_unref(t->set);
    free(t);
}

static void publish(struct comparison *c)
{
    struct pipeline_more more = { 0 };

    more.after[c->module] = panel_body(c->panel, &c->heads);
    pipeline_add(c->h.pipeline, PIPELINE_COMPARISON, &more);
}

static void on_worked(uv_work_t *work, int status)
{
    struct turn *t = work->data;
    struct comparison *c = t->c;

    assert(status == 0); /* nobody cancels */
    c->turn = NULL;
    c->due_ms = uv_now(c->h.loop) + REST * (t->took_ns / NS_PER_MS);
    if (t->made) {
        panel_settle(t->made);
        panel_free(c->panel);
        c->panel = t->made;
        if (!c->stopped)
            publish(c);
    }
    turn_free(t);
    if (!c->stopped)
        go_on(c);
}

/* The module that knows what an encode cost. */
static size_t find_cost(const struct module_set *set)
{
    size_t i = 0;

    while (i < registry_count && !(set->config[i] && registry[i]->headline))
        i++;
    return i;
}

static void begin(struct comparison *c)
{
    const struct served *served = store_served(c->h.store);
    const struct run **runs = mem_alloc((served->run_count + 1) * sizeof *runs);
    struct turn *t = mem_zalloc(sizeof *t);

    c->due = false;
    c->turn = t;
    t->c = c;
    t->work.data = t;
    t->set = module_set_ref(pipeline_set(c->h.pipeline));
    t->cost_module = find_cost(t->set);
    for (size_t i = 0; i < served->run_count; i++)
        runs[i] = run_ref(served->runs[i]);
    t->task.before = c->panel;
    t->task.served = *served;
    t->task.served.runs = runs;
    t->task.served.mtimes_ns = NULL;
    t->task.context.anchor = view_of(c->h.config->compare.anchor);
    t->task.context.with_run_id = c->h.config->with_run_id;
    t->task.context.cost = t->cost_module < registry_count ? cost : NULL;
    t->task.context.ctx = t;
    t->task.deflated = c->h.config->action == CONFIG_ONCE ? SIZE_MAX : WORTH_DEFLATING;
    uv_queue_work(c->h.loop, &t->work, on_work, on_worked); /* cannot fail */
}

static void on_timer(uv_timer_t *timer)
{
    go_on(timer->data);
}

/* Begins what may begin now, or sets the timer for it. */
static void go_on(struct comparison *c)
{
    uint64_t now_ms = uv_now(c->h.loop);
    void (*done)(void *ctx) = c->done;

    if (c->turn || c->stopped)
        return;
    if (c->started && c->due) {
        if (done || c->due_ms <= now_ms)
            begin(c);
        else
            uv_timer_start(&c->timer, on_timer, c->due_ms - now_ms, 0);
    } else if (done) {
        c->done = NULL;
        done(c->done_ctx);
    }
}

void comparison_start(struct comparison *c)
{
    if (c->started)
        return;
    c->started = true;
    go_on(c);
}

void comparison_served(struct comparison *c)
{
    uint64_t soon_ms;

    if (c->due || c->stopped)
        return;
    soon_ms = uv_now(c->h.loop) + PAUSE_MS;
    c->due = true;
    if (c->due_ms < soon_ms)
        c->due_ms = soon_ms;
    go_on(c);
}

void comparison_settled(struct comparison *c, void (*done)(void *ctx), void *ctx)
{
    c->done = done;
    c->done_ctx = ctx;
    go_on(c);
}

/* ---- life ------------------------------------------------------------------------------- */

int comparison_new(const struct comparison_host *h, struct comparison **out,
                   struct err *e)
{
    struct comparison *c = mem_zalloc(sizeof *c);

    (void)e; /* says why there is no library */
    c->h = *h;
    c->module = (size_t)registry_find(VIEW("qoe")); /* it is served */
    panel_heads_init(&c->heads);
    uv_timer_init(h->loop, &c->timer);
    c->timer.data = c;
    *out = c;
    return 0;
}

void comparison_stop(struct comparison *c)
{
    if (c->stopped)
        return;
    c->stopped = true;
    uv_close((uv_handle_t *)&c->timer, NULL);
}

void comparison_free(struct comparison *c)
{
    assert(c->stopped && !c->turn);
    panel_free(c->panel);
    panel_heads_deinit(&c->heads);
    free(c);
}
