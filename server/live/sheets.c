#include "server/live/sheets.h"

#include <stdlib.h>

#include "core/mem.h"
#include "core/render.h"
#include "server/segment.h"

enum { ON_RESULTS, ON_QOE, ON };

struct sheet { /* of one endpoint */
    const struct family *families;
    uint16_t count;
    struct chunk **heads;  /* made once */
    struct chunk **chunks; /* NULL: no sample */
    struct body *body;     /* NULL: none yet */
    uint64_t changes;      /* that the body tells */
};

struct live_sheets {
    struct sheet on[ON];
    const struct live_threshold *thresholds;
    size_t threshold_count;
    struct segment_scratch scratch;
    double now_s; /* Unix time of the making */
};

static void sheet_init(struct sheet *s, const struct family *families, uint16_t count,
                       struct buf *text)
{
    s->families = families;
    s->count = count;
    s->heads = mem_alloc(count * sizeof(struct chunk *));
    s->chunks = mem_zalloc(count * sizeof(struct chunk *));
    for (uint16_t i = 0; i < count; i++)
        s->heads[i] = segment_head(&families[i], text);
}

static void sheet_deinit(struct sheet *s)
{
    for (uint16_t i = 0; i < s->count; i++) {
        chunk_unref(s->heads[i]);
        chunk_unref(s->chunks[i]);
    }
    body_unref(s->body);
    free(s->heads);
    free(s->chunks);
}

struct live_sheets *live_sheets_new(const struct live_threshold *thresholds,
                                    size_t threshold_count)
{
    struct live_sheets *s = mem_zalloc(sizeof *s);

    s->thresholds = thresholds;
    s->threshold_count = threshold_count;
    sheet_init(&s->on[ON_RESULTS], live_results_families, live_results_family_count,
               &s->scratch.text);
    sheet_init(&s->on[ON_QOE], live_qoe_families, live_qoe_family_count,
               &s->scratch.text);
    return s;
}

void live_sheets_free(struct live_sheets *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < ON; i++)
        sheet_deinit(&s->on[i]);
    segment_scratch_deinit(&s->scratch);
    free(s);
}

/* ---- making --------------------------------------------------------------------------- */

static void tell_results(void *ctx, struct roll_entry *e)
{
    struct live_sheets *s = ctx;
    const struct live_row row = { e->encode, e->scenario, s->now_s };

    live_tell_results(&row, &s->scratch.series);
}

static void tell_qoe(void *ctx, struct roll_entry *e)
{
    struct live_sheets *s = ctx;
    const struct live_row row = { e->encode, e->scenario, s->now_s };

    live_tell_qoe(&row, s->thresholds, s->threshold_count, &s->scratch.series);
}

/* Chunks that say the same as before stay, so a body may come out the same. */
static void make_chunks(struct live_sheets *s, struct sheet *t)
{
    struct segment_scratch *x = &s->scratch;

    series_order(&x->series, t->count, &x->order);
    for (uint16_t i = 0; i < t->count; i++) {
        struct chunk *before = t->chunks[i];

        t->chunks[i] = segment_chunk(x, t->families, i, before, SIZE_MAX);
        if (t->chunks[i] != before)
            chunk_unref(before);
    }
}

static struct body *make_body(const struct sheet *t)
{
    struct body *b = body_new();

    for (uint16_t i = 0; i < t->count; i++) {
        if (!t->chunks[i])
            continue;
        body_family(b, t->families[i].name);
        body_add(b, chunk_ref(t->heads[i]));
        body_add(b, chunk_ref(t->chunks[i]));
    }
    return b;
}

static void bring_up(struct live_sheets *s, struct sheet *t, struct roll *roll)
{
    struct body *made;

    series_release(&s->scratch.series);
    roll_each(roll, t == &s->on[ON_RESULTS] ? tell_results : tell_qoe, s);
    make_chunks(s, t);
    made = make_body(t);
    if (t->body && body_same(made, t->body)) {
        body_unref(made);
        return;
    }
    body_unref(t->body);
    t->body = made;
}

struct body *live_sheets_body(struct live_sheets *s, struct view module,
                              struct roll *roll, uint64_t changes, double now_s)
{
    struct sheet *t = view_eq(module, VIEW("results")) ? &s->on[ON_RESULTS]
                      : view_eq(module, VIEW("qoe"))   ? &s->on[ON_QOE]
                                                       : NULL;

    if (!t)
        return NULL;
    if (!t->body || t->changes != changes) {
        s->now_s = now_s;
        bring_up(s, t, roll);
        t->changes = changes;
    }
    return t->body->chunk_count ? t->body : NULL;
}
