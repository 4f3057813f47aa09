#include "server/predict/sheets.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "server/version.h"

struct leaf {                      /* consecutive scenarios of one run */
    const struct run *run;         /* one reference */
    const struct lessons *lessons; /* one reference, or NULL */
    uint32_t first, count;
};

struct sheet { /* one block */
    unsigned refs;
    const struct sheet *before; /* until it is settled: chunks to take over */
    struct chunk **chunks;      /* per family of TELL_RESULTS; NULL: no sample */
    size_t leaf_count;
    struct leaf leaves[];
};

struct sheets {
    struct sheet **all;
    bool *kept; /* until it is settled: sheets of `before` without a reference */
    size_t count;
    const struct sheets *before;
    struct chunk **overall[TELL_ON_COUNT];
    const struct fitted *fitted; /* these three to compare with alone */
    uint64_t set_version;
    struct version_shown shown;
};

/* ---- one block ------------------------------------------------------------------------- */

static struct view key_of(const struct leaf *l, struct buf *key)
{
    buf_release(key);
    buf_fmt(key, "%u ", l->first);
    buf_view(key, l->run->id);
    return buf_as_view(key);
}

static bool leaf_same(const struct leaf *a, const struct leaf *b)
{
    if (a->first != b->first || a->count != b->count || a->lessons != b->lessons)
        return false;
    return run_same_part(a->run, b->run, a->first, a->count);
}

static bool sheet_same(const struct sheet *s, const struct leaf leaves[], size_t count)
{
    if (s->leaf_count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!leaf_same(&s->leaves[i], &leaves[i]))
            return false;
    return true;
}

static struct sheet *sheet_new(const struct leaf leaves[], size_t count)
{
    struct sheet *s = mem_zalloc(sizeof *s + count * sizeof *leaves);

    s->refs = 1;
    s->leaf_count = count;
    s->chunks = mem_zalloc(tell_families(TELL_RESULTS).count * sizeof(struct chunk *));
    for (size_t i = 0; i < count; i++) {
        s->leaves[i] = leaves[i];
        run_ref(leaves[i].run);
        if (leaves[i].lessons)
            lessons_ref(leaves[i].lessons);
    }
    return s;
}

static void sheet_unref(struct sheet *s)
{
    if (--s->refs > 0)
        return;
    for (size_t i = 0; i < tell_families(TELL_RESULTS).count; i++)
        chunk_unref(s->chunks[i]);
    for (size_t i = 0; i < s->leaf_count; i++) {
        run_unref(s->leaves[i].run);
        lessons_unref(s->leaves[i].lessons);
    }
    free(s->chunks);
    free(s);
}

static void tell_leaf(const struct leaf *l, const struct fitted *f,
                      const struct tell_context *c, struct series *out)
{
    const struct fitted_run *known = table_get(&f->by_id, l->run->id);
    struct place at = { .run = l->run, .baseline = run_baseline(l->run) };

    for (uint32_t i = l->first; known && i < l->first + l->count; i++) {
        if (!fitted_holds(known, l->lessons, i))
            continue;
        at.s = l->run->scenarios[i];
        at.ordinal = l->run->ordinals[i];
        tell_scenario(f->outlook, &at, i, c, out);
    }
}

static void make_chunks(struct chunk *to[], struct chunk *const old[], enum tell_on on,
                        size_t deflated, struct segment_scratch *x)
{
    const struct tell_families families = tell_families(on);

    series_order(&x->series, families.count, &x->order);
    for (size_t f = 0; f < families.count; f++)
        to[f] = segment_chunk(x, families.all, f, old ? old[f] : NULL, deflated);
}

/* ---- all of them ----------------------------------------------------------------------- */

bool sheets_tariff(void *ctx, struct view region, struct tariff *out)
{
    const struct module_set *set = ctx;

    for (size_t i = 0; i < registry_count; i++) {
        if (!set->config[i] || !registry[i]->tariff)
            continue;
        registry[i]->tariff(set->config[i], region, out);
        return true;
    }
    return false;
}

static struct tell_context context_of(const struct sheets_task *t)
{
    return (struct tell_context){ .tariff = sheets_tariff,
                                  .ctx = t->set,
                                  .version = version_text,
                                  .model_version = t->shown.text,
                                  .model_update_s = t->shown.update_s };
}

/* What is said does not depend on the runs alone. */
static bool same_outlook(const struct sheets_task *t)
{
    return t->before && t->before->fitted == t->fitted &&
           t->before->set_version == t->set->version;
}

static void old_by_key(const struct sheets *old, struct table *by_key,
                       struct arena *keys)
{
    struct buf key = { 0 };

    for (size_t i = 0; old && i < old->count; i++)
        table_put(by_key, arena_copy(keys, key_of(old->all[i]->leaves, &key)),
                  old->all[i]);
    buf_deinit(&key);
}

/* The leaves of all pieces: runs come in the order in which they are served. */
static struct leaf *leaves_of(const struct sheets_task *t, const struct layout *l)
{
    struct leaf *leaves = mem_alloc((l->piece_count + 1) * sizeof *leaves);
    size_t run = 0;

    for (size_t i = 0; i < l->piece_count; i++) {
        const struct piece *p = &l->pieces[i];

        while (t->served.runs[run] != p->run)
            run++;
        leaves[i] = (struct leaf){ p->run, t->lessons[run], p->first, p->count };
    }
    return leaves;
}

/* True: something is not as it was. */
static bool make_sheets(const struct sheets_task *t, struct sheets *s,
                        struct segment_scratch *x)
{
    const struct tell_context c = context_of(t);
    bool same = same_outlook(t), changed = !t->before;
    struct layout layout = { 0 };
    struct table by_key = { 0 };
    struct arena keys = { 0 };
    struct buf key = { 0 };

    layout_make(&layout, &t->served);
    old_by_key(t->before, &by_key, &keys);

    struct leaf *leaves = leaves_of(t, &layout);

    s->all = mem_alloc((layout.span_count + 1) * sizeof *s->all);
    s->kept = mem_zalloc(layout.span_count + 1);
    for (size_t i = 0; i < layout.span_count; i++) {
        const struct span *span = &layout.spans[i];
        const struct leaf *first = leaves + span->first;
        struct sheet *old = table_get(&by_key, key_of(first, &key)), *made;

        s->count++;
        if (old && same && sheet_same(old, first, span->count)) {
            s->all[i] = old;
            s->kept[i] = true;
            continue;
        }
        changed = true;
        s->all[i] = made = sheet_new(first, span->count);
        made->before = old;
        series_release(&x->series);
        for (size_t k = 0; k < span->count; k++)
            tell_leaf(&first[k], t->fitted, &c, &x->series);
        make_chunks(made->chunks, old ? old->chunks : NULL, TELL_RESULTS, t->deflated,
                    x);
    }
    changed |= t->before && t->before->count != s->count;
    free(leaves);
    buf_deinit(&key);
    arena_deinit(&keys);
    table_deinit(&by_key);
    layout_deinit(&layout);
    return changed;
}

static void make_overall(const struct sheets_task *t, struct sheets *s,
                         struct segment_scratch *x)
{
    const struct tell_context c = context_of(t);

    for (int on = 0; on < TELL_ON_COUNT; on++) {
        size_t n = tell_families((enum tell_on)on).count;

        s->overall[on] = mem_zalloc((n + 1) * sizeof(struct chunk *));
        series_release(&x->series);
        tell_overall((enum tell_on)on, t->fitted->outlook, &c, &x->series);
        make_chunks(s->overall[on], t->before ? t->before->overall[on] : NULL,
                    (enum tell_on)on, t->deflated, x);
    }
}

/* Of sheets that are not settled. */
static void let_go(struct sheets *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (!s->kept[i])
            sheet_unref(s->all[i]);
    free(s->all);
    free(s->kept);
    free(s);
}

struct sheets *sheets_make(const struct sheets_task *t, struct segment_scratch *scratch)
{
    struct sheets *s = mem_zalloc(sizeof *s);
    bool changed = make_sheets(t, s, scratch);

    s->before = t->before;
    s->fitted = t->fitted;
    s->set_version = t->set->version;
    s->shown = t->shown;
    if (!changed && same_outlook(t) &&
        strcmp(t->before->shown.text, t->shown.text) == 0) {
        let_go(s);
        return NULL;
    }
    make_overall(t, s, scratch);
    return s;
}

static void settle_chunks(struct chunk *const now[], struct chunk *const old[],
                          enum tell_on on)
{
    for (size_t f = 0; f < tell_families(on).count; f++)
        if (now[f] && now[f] == old[f])
            chunk_ref(now[f]);
}

void sheets_settle(struct sheets *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->kept[i])
            s->all[i]->refs++;
        else if (s->all[i]->before)
            settle_chunks(s->all[i]->chunks, s->all[i]->before->chunks, TELL_RESULTS);
        if (!s->kept[i])
            s->all[i]->before = NULL;
    }
    for (int on = 0; s->before && on < TELL_ON_COUNT; on++)
        settle_chunks(s->overall[on], s->before->overall[on], (enum tell_on)on);
    s->before = NULL;
    free(s->kept);
    s->kept = NULL;
}

void sheets_free(struct sheets *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        sheet_unref(s->all[i]);
    for (int on = 0; on < TELL_ON_COUNT; on++) {
        for (size_t f = 0; f < tell_families((enum tell_on)on).count; f++)
            chunk_unref(s->overall[on][f]);
        free(s->overall[on]);
    }
    free(s->all);
    free(s);
}

/* ---- bodies ---------------------------------------------------------------------------- */

void sheet_heads_init(struct sheet_heads *h)
{
    struct buf text = { 0 };

    for (int on = 0; on < TELL_ON_COUNT; on++) {
        const struct tell_families families = tell_families((enum tell_on)on);

        h->of[on] = mem_zalloc((families.count + 1) * sizeof(struct chunk *));
        for (size_t f = 0; f < families.count; f++)
            h->of[on][f] = segment_head(&families.all[f], &text);
    }
    buf_deinit(&text);
}

void sheet_heads_deinit(struct sheet_heads *h)
{
    for (int on = 0; on < TELL_ON_COUNT; on++) {
        for (size_t f = 0; f < tell_families((enum tell_on)on).count; f++)
            chunk_unref(h->of[on][f]);
        free(h->of[on]);
    }
}

struct body *sheets_body(const struct sheets *s, const struct sheet_heads *h,
                         enum tell_on on)
{
    const struct tell_families families = tell_families(on);
    size_t blocks = on == TELL_RESULTS ? s->count : 0;
    struct body *body = body_new();

    for (size_t f = 0; f < families.count; f++) {
        bool open = false;

        for (size_t i = 0; i <= blocks; i++) {
            struct chunk *c = i ? s->all[i - 1]->chunks[f] : s->overall[on][f];

            if (!c)
                continue;
            if (!open) {
                body_family(body, families.all[f].name);
                body_add(body, chunk_ref(h->of[on][f]));
                open = true;
            }
            body_add(body, chunk_ref(c));
        }
    }
    return body;
}
