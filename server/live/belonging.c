#include "server/live/belonging.h"

#include <stdlib.h>

#include "core/json_text.h"
#include "core/live.h"
#include "core/mem.h"

/* Whether a scenario that the entry is called by is the one it shows, so far. */
static void consider(struct roll_entry *e, const struct run *run, uint32_t at,
                     bool exact, uint64_t mark)
{
    const struct scenario *s = run->scenarios[at], *before;

    if (e->mark != mark || (exact && !e->exact)) {
        e->mark = mark;
        e->best = at;
        e->exact = exact;
        e->doubtful = false;
        return;
    }
    if (e->exact != exact)
        return;
    before = run->scenarios[e->best];
    /* Called the same in a file name, and others all the same. */
    e->doubtful = e->doubtful || !view_eq(s->name, before->name);
    if (live_open(s) || !live_open(before))
        e->best = at;
}

static void forget(struct belonging *b)
{
    run_unref(b->run);
    free(b->of);
    b->run = NULL;
    b->of = NULL;
}

static void look_at(struct belonging *b, struct roll *r, const struct run *run)
{
    struct roll_entry *e;
    bool exact;

    if (b->run == run && b->version == roll_version(r))
        return;
    forget(b);
    b->run = run_ref(run);
    b->version = roll_version(r);
    b->of = mem_zalloc((run->count + 1) * sizeof(struct roll_entry *));
    b->marks++;
    for (uint32_t i = 0; i < run->count; i++)
        if ((e = roll_called(r, run->scenarios[i]->name, &b->scratch, &exact)))
            consider(e, run, i, exact, b->marks);
    for (uint32_t i = 0; i < run->count; i++) {
        e = roll_called(r, run->scenarios[i]->name, &b->scratch, &exact);
        if (e && e->best == i && !e->doubtful)
            b->of[i] = e;
    }
}

struct roll_entry *belonging_find(struct belonging *b, struct roll *r,
                                  const struct run *run, uint32_t at)
{
    struct roll_entry *e;

    if (roll_count(r) == 0)
        return NULL;
    if (view_eq(run->id, VIEW(LIVE_RUN))) {
        e = roll_get(r, run->scenarios[at]->name);
        return e && !e->belongs ? e : NULL;
    }
    look_at(b, r, run);
    return b->of[at];
}

struct settling {
    struct belonging *b;
    struct roll *r;
    const struct run *newest;
};

static void settle_one(void *ctx, struct roll_entry *e)
{
    const struct settling *s = ctx;
    bool found = s->newest && e->mark == s->b->marks && s->b->of[e->best] == e;

    roll_belongs(s->r, e, found ? s->newest->scenarios[e->best] : NULL);
}

void belonging_settle(struct belonging *b, struct roll *r, const struct run *newest)
{
    struct settling s = { b, r, newest };

    if (roll_count(r) == 0)
        return;
    if (newest)
        look_at(b, r, newest);
    roll_each(r, settle_one, &s);
    b->version = roll_version(r); /* no entry came or went */
}

static void add_scenario(void *ctx, struct roll_entry *e)
{
    struct buf *out = ctx;

    if (e->belongs)
        return;
    if (out->p[out->n - 1] != '[')
        buf_char(out, ',');
    buf_str(out, "{\"name\":");
    json_text_string(out, e->scenario);
    if (e->encode->state != SCENARIO_TOLD) { /* its progress is known */
        buf_str(out, ",\"start_time\":");
        buf_double(out, e->encode->start_s);
    }
    buf_char(out, '}');
}

void belonging_text(struct roll *r, struct buf *out)
{
    static const char zeros[RESULTS_PADDING];
    size_t n;

    buf_release(out);
    buf_str(out, "{\"scenarios\":[");
    roll_each(r, add_scenario, out);
    buf_str(out, "]}");
    n = out->n;
    buf_add(out, zeros, sizeof zeros);
    out->n = n;
}

void belonging_deinit(struct belonging *b)
{
    forget(b);
    buf_deinit(&b->scratch);
}
