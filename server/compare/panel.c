#include "server/compare/panel.h"

#include <stdlib.h>

#include "core/hash.h"
#include "core/mem.h"

enum {
    BLOCK_MOST = 256, /* encodes, unless one set has more */
    BLOCK_LEAST =
        64, /* where a set's hash says so, a block ends from here on: so one that
                         comes or goes moves only the borders next to it */
    BLOCK_SETS = 4, /* of so many sets, one's hash says so */
    SLICE = 256,    /* encodes of one chunk */
};

struct block {
    uint64_t first[2];          /* hash of its first set */
    uint64_t inputs[2];         /* all that is told of it */
    const struct block *before; /* until it is settled: chunks to take over */
    size_t count;               /* of chunks */
    struct chunk **chunks;      /* rates, then fronts slice by slice; NULL: no sample */
};

struct panel {
    struct block *blocks;
    size_t count, room;
};

/* ---- one block -------------------------------------------------------------------------- */

static struct chunk *old_chunk(const struct block *b, size_t i)
{
    return b->before && i < b->before->count ? b->before->chunks[i] : NULL;
}

static struct chunk *render(const struct block *b, size_t i, size_t family,
                            const struct panel_task *t, struct segment_scratch *x)
{
    series_order(&x->series, COMPARE_FAMILIES, &x->order);
    return segment_chunk(x, compare_families, family, old_chunk(b, i), t->deflated);
}

static void make_block(struct block *b, struct compare_entry e[], size_t n,
                       const struct panel_task *t, struct segment_scratch *x)
{
    b->count = 1 + (n + SLICE - 1) / SLICE;
    b->chunks = mem_zalloc(b->count * sizeof *b->chunks);
    series_release(&x->series);
    for (size_t i = 0, size; i < n; i += size) {
        size = compare_set_size(e + i, n - i);
        compare_fronts(e + i, size);
        compare_tell_rates(e + i, size, &t->context, &x->series);
    }
    b->chunks[0] = render(b, 0, COMPARE_BD_RATE, t, x);
    for (size_t i = 0; i < n; i += SLICE) {
        size_t at = 1 + i / SLICE;

        series_release(&x->series);
        compare_tell_fronts(e + i, n - i < SLICE ? n - i : SLICE, &t->context,
                            &x->series);
        b->chunks[at] = render(b, at, COMPARE_PARETO, t, x);
    }
}

static void keep_block(struct block *b)
{
    b->count = b->before->count;
    b->chunks = mem_alloc(b->count * sizeof *b->chunks);
    memcpy(b->chunks, b->before->chunks, b->count * sizeof *b->chunks);
}

/* ---- all of them ------------------------------------------------------------------------ */

/* Encodes of the block that begins with e. */
static size_t block_size(const struct compare_entry e[], size_t n)
{
    size_t size = compare_set_size(e, n), next;

    while (size < n) {
        if (size >= BLOCK_LEAST && e[size].set[0] % BLOCK_SETS == 0)
            break;
        next = compare_set_size(e + size, n - size);
        if (size + next > BLOCK_MOST)
            break;
        size += next;
    }
    return size;
}

static void old_by_first(const struct panel *before, struct hash_index *by_first)
{
    hash_index_init(by_first, before ? before->count : 1);
    for (size_t i = 0; before && i < before->count; i++) {
        bool added;

        *hash_index_at(by_first, before->blocks[i].first, &added) = (uint32_t)i;
    }
}

static struct block *add_block(struct panel *p)
{
    if (p->count == p->room) {
        p->room = p->room ? p->room * 2 : 16;
        p->blocks = mem_resize(p->blocks, p->room, sizeof *p->blocks);
    }
    p->blocks[p->count] = (struct block){ .count = 0 };
    return &p->blocks[p->count++];
}

/* True: something is not as it was. */
static bool make_blocks(struct panel *p, struct compare_entry e[], size_t n,
                        const struct panel_task *t, struct segment_scratch *x)
{
    size_t before = t->before ? t->before->count : 0, kept = 0;
    struct hash_index by_first;

    old_by_first(t->before, &by_first);
    for (size_t i = 0, size; i < n; i += size) {
        struct block *b = add_block(p);
        const uint32_t *old;

        size = block_size(e + i, n - i);
        b->first[0] = e[i].set[0];
        b->first[1] = e[i].set[1];
        compare_hash(e + i, size, b->inputs);
        old = hash_index_find(&by_first, b->first);
        b->before = old && t->before ? &t->before->blocks[*old] : NULL;
        if (b->before && hash_eq(b->before->inputs, b->inputs)) {
            keep_block(b);
            kept++;
        } else {
            make_block(b, e + i, size, t, x);
        }
    }
    hash_index_deinit(&by_first);
    return kept != p->count || kept != before;
}

static void let_go(struct panel *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->blocks[i].chunks);
    free(p->blocks);
    free(p);
}

struct panel *panel_make(const struct panel_task *t, struct segment_scratch *scratch)
{
    struct panel *p = mem_zalloc(sizeof *p);
    size_t n;
    struct compare_entry *e = compare_entries(&t->served, &t->context, &n);
    bool changed = make_blocks(p, e, n, t, scratch);

    free(e);
    if (changed)
        return p;
    let_go(p); /* every chunk of it is one of before */
    return NULL;
}

void panel_settle(struct panel *p)
{
    for (size_t i = 0; i < p->count; i++) {
        struct block *b = &p->blocks[i];

        for (size_t k = 0; k < b->count; k++)
            if (b->chunks[k] && b->chunks[k] == old_chunk(b, k))
                chunk_ref(b->chunks[k]);
        b->before = NULL;
    }
}

void panel_free(struct panel *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        for (size_t k = 0; k < p->blocks[i].count; k++)
            chunk_unref(p->blocks[i].chunks[k]);
    let_go(p);
}

/* ---- the body --------------------------------------------------------------------------- */

void panel_heads_init(struct panel_heads *h)
{
    struct buf text = { 0 };

    for (size_t f = 0; f < COMPARE_FAMILIES; f++)
        h->of[f] = segment_head(&compare_families[f], &text);
    buf_deinit(&text);
}

void panel_heads_deinit(struct panel_heads *h)
{
    for (size_t f = 0; f < COMPARE_FAMILIES; f++)
        chunk_unref(h->of[f]);
}

static void add_family(struct body *body, const struct panel *p, size_t family,
                       const struct panel_heads *h)
{
    bool open = false;

    for (size_t i = 0; i < p->count; i++) {
        const struct block *b = &p->blocks[i];
        size_t first = family == COMPARE_BD_RATE ? 0 : 1;
        size_t end = family == COMPARE_BD_RATE ? 1 : b->count;

        for (size_t k = first; k < end; k++) {
            if (!b->chunks[k])
                continue;
            if (!open) {
                body_family(body, compare_families[family].name);
                body_add(body, chunk_ref(h->of[family]));
                open = true;
            }
            body_add(body, chunk_ref(b->chunks[k]));
        }
    }
}

struct body *panel_body(const struct panel *p, const struct panel_heads *h)
{
    struct body *body = body_new();

    for (size_t f = 0; f < COMPARE_FAMILIES; f++)
        add_family(body, p, f, h);
    return body;
}
