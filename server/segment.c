#include "server/segment.h"

#include "core/mem.h"
#include "core/render.h"

#include <assert.h>
#include <stdlib.h>

/* Blocks of a segment that lie in one slab: as many go at once when they are joined with
 * those of other segments. */
enum { SHELF_BYTES = 64 * 1024 };

size_t segment_family(size_t module)
{
    size_t n = 0;

    for (size_t i = 0; i < module; i++)
        n += registry[i]->family_count;
    return n;
}

size_t segment_families(void)
{
    return segment_family(registry_count);
}

/* The same scenarios in the same places. */
static bool piece_same(const struct piece *a, const struct piece *b)
{
    if (a->first != b->first || a->count != b->count)
        return false;
    return run_same_part(a->run, b->run, a->first, a->count);
}

/* The time of a file is served where its first scenario stands. */
static bool piece_dated_same(const struct piece *a, const struct piece *b)
{
    return a->first > 0 || a->mtime_ns == b->mtime_ns;
}

static bool scenarios_same(const struct segment *s, const struct piece pieces[],
                           size_t count, const struct module_set *set)
{
    if (s->set != set || s->piece_count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!piece_same(&s->pieces[i], &pieces[i]))
            return false;
    return true;
}

struct segment *segment_new(const struct piece pieces[], size_t count,
                            struct module_set *set, struct segment *before)
{
    struct segment *s = mem_zalloc(sizeof *s + count * sizeof *pieces);

    s->refs = 1;
    s->set = module_set_ref(set);
    s->before = before ? segment_ref(before) : NULL;
    s->chunks = mem_zalloc(segment_families() * sizeof(struct chunk *));
    s->piece_count = count;
    for (size_t i = 0; i < count; i++) {
        s->pieces[i] = pieces[i];
        run_ref(pieces[i].run);
        s->scenarios += pieces[i].count;
    }
    s->redated = before && scenarios_same(before, pieces, count, set);
    return s;
}

struct segment *segment_ref(struct segment *s)
{
    s->refs++;
    return s;
}

void segment_unref(struct segment *s)
{
    if (!s || --s->refs > 0)
        return;
    for (size_t i = 0; i < segment_families(); i++)
        chunk_unref(s->chunks[i]);
    for (size_t i = 0; i < s->piece_count; i++)
        run_unref(s->pieces[i].run);
    segment_unref(s->before);
    module_set_unref(s->set);
    free(s->chunks);
    free(s);
}

bool segment_same(const struct segment *s, const struct piece pieces[], size_t count,
                  const struct module_set *set)
{
    if (!scenarios_same(s, pieces, count, set))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!piece_dated_same(&s->pieces[i], &pieces[i]))
            return false;
    return true;
}

static void collect(const struct segment *s, size_t module, struct series *out)
{
    const struct module *m = registry[module];

    for (size_t p = 0; p < s->piece_count; p++) {
        const struct piece *piece = &s->pieces[p];
        struct place at = { .run = piece->run, .baseline = run_baseline(piece->run) };

        if (m->per_run && piece->first == 0)
            m->per_run(s->set->config[module], piece->run, piece->mtime_ns, out);
        if (s->redated || !m->per_scenario)
            continue;
        for (uint32_t i = piece->first; i < piece->first + piece->count; i++) {
            at.s = piece->run->scenarios[i];
            at.ordinal = piece->run->ordinals[i];
            m->per_scenario(s->set->config[module], &at, out);
        }
    }
}

struct chunk *segment_head(const struct family *f, struct buf *text)
{
    struct chunk *c;

    buf_release(text);
    render_head(f, text);
    c = chunk_new(buf_as_view(text));
    buf_release(text);
    render_head_openmetrics(f, text);
    chunk_set_alt(c, chunk_new(buf_as_view(text)));
    return c;
}

static struct chunk *new_chunk(struct segment_scratch *x, size_t deflated)
{
    struct view text = buf_as_view(&x->text);

    return text.n < deflated ? chunk_new(text) : chunk_new_deflated(text, &x->gzip);
}

struct chunk *segment_chunk(struct segment_scratch *x, const struct family *families,
                            size_t family, struct chunk *old, size_t deflated)
{
    struct chunk *c;

    buf_release(&x->text);
    render_samples(&x->series, &x->order, families, family, &x->text);
    if (x->text.n == 0)
        return NULL;
    if (!render_samples_differ(&families[family]))
        return old && chunk_is(old, buf_as_view(&x->text)) ? old
                                                           : new_chunk(x, deflated);
    c = new_chunk(x, deflated);
    buf_release(&x->text);
    render_samples_openmetrics(&x->series, &x->order, families, family, &x->text);
    chunk_set_alt(c, new_chunk(x, deflated));
    if (!old || !chunk_same(old, c))
        return c;
    chunk_unref(c);
    return old;
}

/* The old chunk if its bytes are the same (its count is not touched here: that is for
 * segment_settle()), else a new one. Scenarios have gauges alone, whose bytes are the
 * same in both formats. */
static struct chunk *make_chunk(const struct segment *s, size_t family,
                                struct segment_scratch *x, bool deflated)
{
    struct chunk *old = s->before ? s->before->chunks[family] : NULL;
    struct view text = buf_as_view(&x->text);

    if (text.n == 0)
        return s->redated ? old : NULL;
    if (old && chunk_is(old, text))
        return old;
    if (!deflated)
        return chunk_new(text);
    if (x->shelf.blocks.n >= SHELF_BYTES)
        shelf_clear(&x->shelf);
    return chunk_new_shelved(text, &x->gzip, &x->shelf);
}

static void render_module(struct segment *s, size_t module, struct segment_scratch *x,
                          bool deflated)
{
    const struct module *m = registry[module];
    size_t base = segment_family(module);

    series_release(&x->series);
    collect(s, module, &x->series);
    series_order(&x->series, m->family_count, &x->order);
    for (size_t f = 0; f < m->family_count; f++) {
        assert(x->order.first[f] == x->order.first[f + 1] ||
               !render_samples_differ(&m->families[f]));
        buf_release(&x->text);
        render_samples(&x->series, &x->order, m->families, f, &x->text);
        s->chunks[base + f] = make_chunk(s, base + f, x, deflated);
    }
}

void segment_render(struct segment *s, struct segment_scratch *scratch, bool deflated)
{
    for (size_t i = 0; i < registry_count; i++)
        if (s->set->config[i] && (registry[i]->per_scenario || registry[i]->per_run))
            render_module(s, i, scratch, deflated);
    shelf_clear(&scratch->shelf);
    shelf_deinit(&scratch->shelf);
}

void segment_settle(struct segment *s)
{
    if (!s->before)
        return;
    for (size_t i = 0; i < segment_families(); i++)
        if (s->chunks[i] && s->chunks[i] == s->before->chunks[i])
            chunk_ref(s->chunks[i]);
    segment_unref(s->before);
    s->before = NULL;
}

void segment_scratch_deinit(struct segment_scratch *scratch)
{
    series_deinit(&scratch->series);
    series_order_deinit(&scratch->order);
    buf_deinit(&scratch->text);
    gzip_deinit(&scratch->gzip);
}
