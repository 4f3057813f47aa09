#include "modules/predict/groups.h"

#include "core/mem.h"

#include <math.h>
#include <stdlib.h>

struct key {
    uint32_t text, source, row;
    bool poor; /* of power: neither rate nor size is known */
};

static int by_key(const void *a, const void *b)
{
    const struct key *x = a, *y = b;

    if (x->text != y->text)
        return x->text < y->text ? -1 : 1;
    if (x->poor != y->poor)
        return x->poor ? 1 : -1;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* With the text itself, by which groups of one size are sorted. */
struct ranked_group {
    struct group g;
    struct view text;
};

static int by_size(const void *a, const void *b)
{
    const struct ranked_group *x = a, *y = b;
    int rc;

    if (x->g.measured != y->g.measured)
        return x->g.measured > y->g.measured ? -1 : 1;
    rc = view_cmp(x->text, y->text);
    return rc ? rc : (x->g.kind > y->g.kind) - (x->g.kind < y->g.kind);
}

/* Copies are passed over: beside them nothing would be left out. */
static struct key *sorted_keys(const struct data *d, enum target t, size_t *count)
{
    struct key *keys = mem_alloc((d->count + 1) * sizeof *keys);
    enum kind kind = kind_of(t);
    struct point scratch;
    size_t n = 0;

    for (uint32_t i = 0; i < d->count; i++) {
        const struct row *r = &d->rows[i];

        if (r->copy_of != ROW_ITSELF)
            continue;
        keys[n++] = (struct key){
            .text = kind == KIND_QUALITY ? r->quality_group : r->compute_group,
            .source = r->source,
            .row = i,
            .poor = kind == KIND_POWER && !point_of_row(r, kind, d->texts, &scratch),
        };
    }
    if (n)
        qsort(keys, n, sizeof *keys, by_key);
    *count = n;
    return keys;
}

static struct group group_of(const struct data *d, enum target t,
                             const struct key *first, const uint32_t *rows, size_t n)
{
    struct group g = { .text = first->text,
                       .kind = first->poor ? KIND_POWER_BY_STREAMS : kind_of(t),
                       .rows = rows,
                       .n = n };

    for (size_t i = 0; i < n; i++) {
        g.measured += !isnan(d->rows[rows[i]].l->y[t]);
        g.by_quality |= d->rows[rows[i]].l->by_quality;
    }
    return g;
}

static void keep_largest(struct groups *g, struct ranked_group *ranked, size_t n)
{
    if (n)
        qsort(ranked, n, sizeof *ranked, by_size);
    g->count = n < GROUPS_MAX ? n : GROUPS_MAX;
    g->all = mem_alloc((g->count + 1) * sizeof *g->all);
    for (size_t i = 0; i < g->count; i++)
        g->all[i] = ranked[i].g;
}

void groups_init(struct groups *g, const struct data *d, enum target t)
{
    size_t n = 0, from = 0, count;
    struct key *keys = sorted_keys(d, t, &count);
    struct ranked_group *ranked = mem_alloc((d->count + 1) * sizeof *ranked);

    g->rows = mem_alloc((d->count + 1) * sizeof *g->rows);
    for (size_t i = 0; i < count; i++) {
        bool last = i + 1 == count || keys[i + 1].text != keys[i].text ||
                    keys[i + 1].poor != keys[i].poor;

        g->rows[i] = keys[i].row;
        if (!last)
            continue;
        ranked[n].g = group_of(d, t, &keys[from], g->rows + from, i + 1 - from);
        ranked[n].text = d->texts[keys[from].text];
        n += ranked[n].g.measured > 0;
        from = i + 1;
    }
    keep_largest(g, ranked, n);
    free(ranked);
    free(keys);
}

void groups_deinit(struct groups *g)
{
    free(g->all);
    free(g->rows);
    *g = (struct groups){ 0 };
}

const struct group *groups_main(const struct groups *g)
{
    for (size_t i = 0; i < g->count; i++)
        if (!g->all[i].by_quality && g->all[i].kind != KIND_POWER_BY_STREAMS)
            return &g->all[i];
    return NULL;
}
