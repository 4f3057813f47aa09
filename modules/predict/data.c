/*
 * data.c - runs by their id, lessons by their place: whatever came when, the order is the
 * same, and with it the number of every text and the bytes of every model.
 */
#include "modules/predict/data.h"

#include "core/hash.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

static int by_id(const void *a, const void *b)
{
    const struct lessons *x = *(const struct lessons *const *)a;
    const struct lessons *y = *(const struct lessons *const *)b;
    int rc = view_cmp(x->id, y->id);

    if (rc == 0)
        rc = (x->hash[0] > y->hash[0]) - (x->hash[0] < y->hash[0]);
    return rc ? rc : (x->hash[1] > y->hash[1]) - (x->hash[1] < y->hash[1]);
}

struct numbering {
    struct data *d;
    struct hash_index known;
    struct arena *mem;
    uint32_t room;
};

static uint32_t number_of(struct numbering *n, struct view v)
{
    struct hash h;
    uint32_t *at;
    bool added;

    if (v.n == 0)
        return 0;
    h = hash_of(v, 0);
    at = hash_index_at(&n->known, h.part, &added);
    if (!added)
        return *at;
    *at = n->d->text_count;
    n->d->texts[n->d->text_count] = arena_copy(n->mem, v);
    return n->d->text_count++;
}

static void add_run(struct numbering *n, uint32_t run)
{
    const struct lessons *l = n->d->runs[run];
    uint32_t *global = mem_alloc((l->text_count + 1) * sizeof *global);

    global[0] = 0;
    for (uint32_t i = 1; i < l->text_count; i++)
        global[i] = number_of(n, l->texts[i]);
    for (uint32_t i = 0; i < l->count; i++) {
        const struct lesson *x = &l->of[i];

        n->d->rows[n->d->count++] = (struct row){
            .l = x,
            .run = run,
            .source = global[x->source],
            .encoder = global[x->encoder],
            .preset = global[x->preset],
            .quality_group = global[x->quality_group],
            .compute_group = global[x->compute_group],
        };
    }
    free(global);
}

/* What a lesson says without the numbers of its run's texts, and with those of all. */
static struct hash said_by(const struct row *r)
{
    uint32_t texts[5] = { r->source, r->encoder, r->preset, r->quality_group,
                          r->compute_group };
    struct lesson l;
    struct hash h;

    memcpy(&l, r->l, sizeof l); /* with what lies between the members: all is 0 there */
    l.source = l.encoder = l.preset = l.quality_group = l.compute_group = 0;
    h = hash_of((struct view){ (const char *)&l, sizeof l }, 0);
    return hash_of((struct view){ (const char *)texts, sizeof texts },
                   h.part[0] ^ h.part[1]);
}

static void find_copies(struct data *d)
{
    struct hash_index first;

    hash_index_init(&first, d->count + 1);
    for (uint32_t i = 0; i < d->count; i++) {
        struct hash h = said_by(&d->rows[i]);
        bool added;
        uint32_t *at = hash_index_at(&first, h.part, &added);

        if (added)
            *at = i;
        d->rows[i].copy_of = added ? ROW_ITSELF : *at;
    }
    hash_index_deinit(&first);
}

void data_init(struct data *d, const struct lessons *const all[], size_t count,
               struct arena *mem)
{
    struct numbering n = { .d = d, .mem = mem };
    size_t rows = 0, texts = 1;

    *d = (struct data){ .run_count = count, .text_count = 1 };
    d->runs = mem_alloc((count + 1) * sizeof *d->runs);
    for (size_t i = 0; i < count; i++) {
        d->runs[i] = all[i];
        rows += all[i]->count;
        texts += all[i]->text_count;
    }
    if (count)
        qsort(d->runs, count, sizeof *d->runs, by_id);
    d->rows = mem_alloc((rows + 1) * sizeof *d->rows);
    d->texts = arena_new(mem, struct view, texts);
    hash_index_init(&n.known, texts);
    for (size_t i = 0; i < count; i++)
        add_run(&n, (uint32_t)i);
    hash_index_deinit(&n.known);
    find_copies(d);
}

void data_deinit(struct data *d)
{
    free(d->runs);
    free(d->rows);
    *d = (struct data){ 0 };
}

uint32_t data_text(const struct view texts[], uint32_t count, struct view text)
{
    for (uint32_t i = 0; i < count; i++)
        if (view_eq(texts[i], text))
            return i;
    return UINT32_MAX;
}
