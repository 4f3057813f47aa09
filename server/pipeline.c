/*
 * pipeline.c - from served runs to bodies.
 *
 * A build lays the served runs out in segments, keeps the segments that would come out
 * the same, and renders the others and the samples about everything: up to INLINE_WEIGHT
 * at once on the loop, which is what a rewritten file of one run needs, more on the pool.
 * Bodies are swapped when the last of it is done, so that no answer mixes two states.
 * There is one build at a time; what changes meanwhile makes the next one.
 */
#include "server/pipeline.h"

#include "core/mem.h"
#include "core/table.h"
#include "server/layout.h"
#include "server/overall.h"
#include "server/segment.h"
#include "server/tidy.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/time.h>

enum {
    INLINE_WEIGHT = 272, /* about a millisecond of rendering: a full segment, and the
                            times of the files of a few others */
    WORKERS = 4,         /* as many as libuv's pool has by default */
};

struct worker {
    uv_work_t work;
    struct pipeline *p;
    struct segment_scratch scratch; /* empty between two builds */
};

struct build {
    struct segment **segments; /* of the whole layout; one reference each */
    size_t count, cap;
    size_t *dirty; /* indices of those to render */
    size_t dirty_count, dirty_cap;
    atomic_size_t next; /* into dirty */
    unsigned working;   /* workers on the pool */
    uint64_t event_ns;
};

struct pipeline {
    uv_loop_t *loop;
    struct store *store;
    struct self *self;
    struct module_set *set;
    struct overall *overall;
    struct chunk **heads; /* per family */
    struct body *bodies[MODULES_MAX];
    struct layout layout;
    struct segment **segments; /* what the bodies are made of */
    size_t segment_count;
    struct build build;
    struct worker workers[WORKERS];
    struct segment_scratch scratch;
    uint64_t text_cache;
    struct tidy tidy;
    bool building, again, stopped;
    uint64_t again_ns;
    uint64_t repeated;
    struct pipeline_more more[PIPELINE_ADDERS];
    struct body *(*beside)(void *ctx, size_t module); /* NULL: nobody */
    void *beside_ctx;
    void (*on_commit)(void *ctx);
    void *commit_ctx;
    void (*on_settled)(void *ctx);
    void *settled_ctx;
};

static double unix_now(void)
{
    struct timeval now;

    gettimeofday(&now, NULL);
    return (double)now.tv_sec + (double)now.tv_usec / 1e6;
}

struct pipeline *pipeline_new(uv_loop_t *loop, struct store *store, struct self *self,
                              struct module_set *set, uint64_t text_cache)
{
    struct pipeline *p = mem_zalloc(sizeof *p);
    struct buf head = { 0 };
    size_t n = 0;

    p->loop = loop;
    p->store = store;
    p->self = self;
    p->set = set;
    p->text_cache = text_cache;
    tidy_init(&p->tidy, loop, p->bodies, &p->scratch.gzip, text_cache);
    p->overall = overall_new(set);
    p->heads = mem_zalloc(segment_families() * sizeof(struct chunk *));
    for (size_t i = 0; i < registry_count; i++) {
        for (size_t f = 0; f < registry[i]->family_count; f++) {
            p->heads[n++] = segment_head(&registry[i]->families[f], &head);
        }
    }
    buf_deinit(&head);
    for (size_t i = 0; i < WORKERS; i++)
        p->workers[i].p = p;
    return p;
}

static void chunks_free(struct chunk **chunks)
{
    for (size_t i = 0; chunks && i < segment_families(); i++)
        chunk_unref(chunks[i]);
    free(chunks);
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    for (int who = 0; who < PIPELINE_ADDERS; who++) {
        for (size_t i = 0; i < registry_count; i++)
            body_unref(p->more[who].after[i]);
        body_unref(p->more[who].alone);
    }
    for (size_t i = 0; i < registry_count; i++)
        body_unref(p->bodies[i]);
    overall_free(p->overall);
    for (size_t i = 0; i < p->segment_count; i++)
        segment_unref(p->segments[i]);
    segment_scratch_deinit(&p->scratch);
    layout_deinit(&p->layout);
    chunks_free(p->heads);
    free(p->segments);
    free(p->build.segments);
    free(p->build.dirty);
    module_set_unref(p->set);
    free(p);
}

void pipeline_changed(struct pipeline *p, const struct diff *d)
{
    overall_tell(p->overall, p->set, d, unix_now());
}

/* ---- finding what is touched -------------------------------------------------------- */

static struct view key_of(const struct piece *p, struct buf *key)
{
    buf_release(key);
    buf_fmt(key, "%u ", p->first);
    buf_view(key, p->run->id);
    return buf_as_view(key);
}

/* The segments there are, by their first piece: what a new one is compared with. */
struct old_segments {
    struct table by_key;
    struct arena keys;
};

static void old_segments_init(struct old_segments *o, const struct pipeline *p)
{
    struct buf key = { 0 };

    for (size_t i = 0; i < p->segment_count; i++)
        table_put(&o->by_key,
                  arena_copy(&o->keys, key_of(p->segments[i]->pieces, &key)),
                  p->segments[i]);
    buf_deinit(&key);
}

static void old_segments_deinit(struct old_segments *o)
{
    table_deinit(&o->by_key);
    arena_deinit(&o->keys);
}

static void build_add(struct build *b, struct segment *s, bool dirty)
{
    if (b->count == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 64;
        b->segments = mem_resize(b->segments, b->cap, sizeof(struct segment *));
    }
    if (dirty) {
        if (b->dirty_count == b->dirty_cap) {
            b->dirty_cap = b->dirty_cap ? b->dirty_cap * 2 : 64;
            b->dirty = mem_resize(b->dirty, b->dirty_cap, sizeof *b->dirty);
        }
        b->dirty[b->dirty_count++] = b->count;
    }
    b->segments[b->count++] = s;
}

/* What rendering some scenarios costs, in scenarios of ordinary names: the name stands in
 * every line. */
static uint64_t weight(const struct piece pieces[], size_t count)
{
    uint64_t n = 0;

    for (size_t p = 0; p < count; p++)
        for (uint32_t i = 0; i < pieces[p].count; i++)
            n += 1 + pieces[p].run->scenarios[pieces[p].first + i]->name.n / 256;
    return n;
}

/* Fills the build; returns the weight of what is to be rendered. */
static uint64_t lay_out(struct pipeline *p, const struct served *served)
{
    struct old_segments old = { 0 };
    struct buf key = { 0 };
    uint64_t dirty = 0;

    old_segments_init(&old, p);
    layout_make(&p->layout, served);
    for (size_t i = 0; i < p->layout.span_count; i++) {
        const struct span *span = &p->layout.spans[i];
        const struct piece *pieces = p->layout.pieces + span->first;
        struct segment *before = table_get(&old.by_key, key_of(pieces, &key));

        if (before && segment_same(before, pieces, span->count, p->set)) {
            build_add(&p->build, segment_ref(before), false);
            continue;
        }

        struct segment *s = segment_new(pieces, span->count, p->set, before);

        if (dirty <= INLINE_WEIGHT) /* beyond, it does not matter by how much */
            dirty += s->redated ? span->count : weight(pieces, span->count);
        build_add(&p->build, s, true);
    }
    buf_deinit(&key);
    old_segments_deinit(&old);
    return dirty;
}

/* ---- putting bodies in place ---------------------------------------------------------- */

static struct body *assemble(const struct pipeline *p, size_t module)
{
    const struct build *b = &p->build;
    struct body *body = body_new();

    for (size_t f = 0; f < registry[module]->family_count; f++) {
        size_t at = segment_family(module) + f;
        bool open = false;

        for (size_t i = 0; i <= b->count; i++) {
            struct chunk *c =
                i ? b->segments[i - 1]->chunks[at] : overall_chunk(p->overall, at);

            if (!c)
                continue;
            if (!open) {
                body_family(body, registry[module]->families[f].name);
                body_add(body, chunk_ref(p->heads[at]));
                open = true;
            }
            body_add(body, chunk_ref(c));
        }
        if (!open) /* it may have been served, next to what is not any more */
            chunk_move_alone(p->heads[at]);
    }
    return body;
}

static void replace_segments(struct pipeline *p)
{
    struct build *b = &p->build;

    for (size_t i = 0; i < p->segment_count; i++)
        segment_unref(p->segments[i]);
    free(p->segments);
    p->segments = b->segments;
    p->segment_count = b->count;
    b->segments = NULL;
    b->count = b->cap = 0;
}

static void build_start(struct pipeline *p, uint64_t event_ns);

static void commit(struct pipeline *p)
{
    struct build *b = &p->build;
    bool changed = false;

    for (size_t i = 0; i < b->dirty_count; i++)
        segment_settle(b->segments[b->dirty[i]]);
    overall_end(p->overall);
    for (size_t i = 0; i < registry_count; i++) {
        if (!p->set->config[i])
            continue;

        struct body *body = assemble(p, i);

        if (p->bodies[i] && body_same(p->bodies[i], body)) {
            body_unref(body);
            continue;
        }
        changed = true;
        body_unref(p->bodies[i]);
        p->bodies[i] = body;
    }
    replace_segments(p);
    if (changed) {
        self_changed(p->self, unix_now());
        if (b->event_ns)
            self_visible(p->self, (double)(uv_hrtime() - b->event_ns) / 1e9);
        if (p->on_commit)
            p->on_commit(p->commit_ctx);
    }
    p->building = false;
    tidy_start(&p->tidy);
    if (p->again && !p->stopped) {
        p->again = false;
        build_start(p, p->again_ns);
    } else if (p->on_settled) {
        void (*f)(void *ctx) = p->on_settled;

        p->on_settled = NULL;
        f(p->settled_ctx);
    }
}

/* ---- rendering ---------------------------------------------------------------------- */

static void on_work(uv_work_t *work)
{
    struct worker *w = work->data;
    struct build *b = &w->p->build;
    bool deflated = w->p->text_cache != UINT64_MAX;

    if (w == &w->p->workers[0])
        overall_make(w->p->overall, &w->scratch, deflated);
    for (;;) {
        size_t i = atomic_fetch_add(&b->next, 1);

        if (i >= b->dirty_count)
            break;
        segment_render(b->segments[b->dirty[i]], &w->scratch, deflated);
    }
    /* Half a megabyte, and the next large change may be hours away. */
    segment_scratch_deinit(&w->scratch);
}

static void on_worked(uv_work_t *work, int status)
{
    struct worker *w = work->data;

    (void)status;
    if (--w->p->build.working == 0)
        commit(w->p);
}

static void build_start(struct pipeline *p, uint64_t event_ns)
{
    const struct served *served = store_served(p->store);
    struct build *b = &p->build;

    p->building = true;
    b->dirty_count = 0;
    b->event_ns = event_ns;
    atomic_store(&b->next, 0);
    p->repeated = 0;
    for (size_t i = 0; i < served->run_count; i++)
        p->repeated += served->runs[i]->repeated;

    uint64_t dirty = lay_out(p, served) + overall_weight(p->overall, served);

    overall_begin(p->overall, p->set, served);
    if (dirty <= INLINE_WEIGHT) {
        overall_make(p->overall, &p->scratch, false);
        for (size_t i = 0; i < b->dirty_count; i++)
            segment_render(b->segments[b->dirty[i]], &p->scratch, false);
        commit(p);
        return;
    }
    for (size_t i = 0; i < WORKERS && (i == 0 || i < b->dirty_count); i++) {
        struct worker *w = &p->workers[i];

        w->work.data = w;
        b->working++;
        uv_queue_work(p->loop, &w->work, on_work, on_worked);
    }
}

void pipeline_publish(struct pipeline *p, uint64_t event_ns)
{
    if (p->stopped)
        return;
    if (p->building) {
        if (!p->again || (event_ns && (!p->again_ns || event_ns < p->again_ns)))
            p->again_ns = event_ns;
        p->again = true;
        return;
    }
    build_start(p, event_ns);
}

void pipeline_configure(struct pipeline *p, struct module_set *set)
{
    module_set_unref(p->set); /* segments under way hold it */
    p->set = set;
    pipeline_publish(p, 0);
}

void pipeline_settled(struct pipeline *p, void (*f)(void *ctx), void *ctx)
{
    if (!p->building) {
        f(ctx);
        return;
    }
    assert(!p->on_settled || p->on_settled == f); /* one waits at a time */
    p->on_settled = f;
    p->settled_ctx = ctx;
}

void pipeline_on_commit(struct pipeline *p, void (*f)(void *ctx), void *ctx)
{
    p->on_commit = f;
    p->commit_ctx = ctx;
}

void pipeline_scraped(struct pipeline *p, size_t module)
{
    tidy_scraped(&p->tidy, module);
}

void pipeline_stop(struct pipeline *p)
{
    p->stopped = true;
    tidy_close(&p->tidy);
}

/* ---- what others add ------------------------------------------------------------------ */

static bool put(struct body **place, struct body *b)
{
    bool changed = *place != b;

    body_unref(*place);
    *place = b;
    return changed;
}

void pipeline_add(struct pipeline *p, enum pipeline_adder who,
                  const struct pipeline_more *more)
{
    struct pipeline_more *mine = &p->more[who];
    bool changed = put(&mine->alone, more->alone);

    for (size_t i = 0; i < registry_count; i++)
        changed |= put(&mine->after[i], more->after[i]);
    if (!changed)
        return;
    self_changed(p->self, unix_now());
    if (p->on_commit)
        p->on_commit(p->commit_ctx);
}

void pipeline_added(const struct pipeline *p, enum pipeline_adder who,
                    struct pipeline_more *out)
{
    *out = p->more[who];
}

/* Those that one endpoint has besides its own. */
static size_t add_more(const struct pipeline *p, size_t module, struct body *out[])
{
    size_t n = 0;

    for (int who = 0; who < PIPELINE_ADDERS; who++)
        if (p->more[who].after[module])
            out[n++] = p->more[who].after[module];
    out[n] = p->beside ? p->beside(p->beside_ctx, module) : NULL;
    return n + (out[n] != NULL);
}

void pipeline_beside(struct pipeline *p,
                     struct body *(*beside)(void *ctx, size_t module), void *ctx)
{
    p->beside = beside;
    p->beside_ctx = ctx;
}

size_t pipeline_bodies(const struct pipeline *p, int endpoint,
                       struct body *out[PIPELINE_BODIES_MAX])
{
    size_t n = 0;

    if (endpoint == PIPELINE_ALONE) {
        out[0] = p->more[PIPELINE_FORECAST].alone; /* nobody else's */
        return out[0] != NULL;
    }
    for (size_t i = 0; i < registry_count; i++) {
        if (!p->bodies[i] && p->set->config[i])
            return 0; /* nothing has been published yet */
        if (!p->bodies[i] || (endpoint >= 0 && endpoint != (int)i))
            continue;
        assert(n + 2 + PIPELINE_ADDERS <= PIPELINE_BODIES_MAX);
        out[n++] = p->bodies[i];
        n += add_more(p, i, out + n);
    }
    return n;
}

uint64_t pipeline_bytes(const struct pipeline *p, int endpoint)
{
    struct body *bodies[PIPELINE_BODIES_MAX];
    uint64_t bytes = 0;

    for (size_t i = 0, n = pipeline_bodies(p, endpoint, bodies); i < n; i++)
        bytes += body_bytes(bodies[i]);
    return bytes;
}

struct module_set *pipeline_set(const struct pipeline *p)
{
    return p->set;
}

uint64_t pipeline_repeated(const struct pipeline *p)
{
    return p->repeated;
}
