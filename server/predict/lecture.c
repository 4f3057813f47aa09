#include "server/predict/lecture.h"

#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "core/mem.h"

/* ---- fits ------------------------------------------------------------------------------ */

struct fitted *fitted_ref(struct fitted *f)
{
    f->refs++;
    return f;
}

void fitted_unref(struct fitted *f)
{
    if (!f || --f->refs > 0)
        return;
    outlook_free(f->outlook);
    for (size_t i = 0; i < f->run_count; i++)
        lessons_unref(f->runs[i].lessons);
    table_deinit(&f->by_id);
    whatifs_unref(f->whatifs);
    free(f->runs);
    free(f);
}

static const struct lesson *lesson_at(const struct lessons *l, uint32_t index)
{
    uint32_t low = 0, high = l->count;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (l->of[mid].index < index)
            low = mid + 1;
        else
            high = mid;
    }
    return low < l->count && l->of[low].index == index ? &l->of[low] : NULL;
}

/* Numbers of texts are each run's own. */
static bool same_texts(const struct lessons *a, const struct lesson *x,
                       const struct lessons *b, const struct lesson *y)
{
    return view_eq(a->texts[x->source], b->texts[y->source]) &&
           view_eq(a->texts[x->encoder], b->texts[y->encoder]) &&
           view_eq(a->texts[x->preset], b->texts[y->preset]) &&
           view_eq(a->texts[x->quality_group], b->texts[y->quality_group]) &&
           view_eq(a->texts[x->compute_group], b->texts[y->compute_group]);
}

static void copy_without_texts(struct lesson *to, const struct lesson *from)
{
    memcpy(to, from,
           sizeof *to); /* with what lies between the members: all is 0 there */
    to->source = to->encoder = to->preset = 0;
    to->quality_group = to->compute_group = 0;
}

bool fitted_holds(const struct fitted_run *r, const struct lessons *now, uint32_t index)
{
    const struct lesson *x, *y;
    struct lesson a, b;

    if (index >= r->limit || !now)
        return false;
    if (r->lessons == now)
        return true;
    x = lesson_at(r->lessons, index);
    y = lesson_at(now, index);
    if (!x || !y || !same_texts(r->lessons, x, now, y))
        return false;
    copy_without_texts(&a, x);
    copy_without_texts(&b, y);
    return hash_eq(hash_of((struct view){ (const char *)&a, sizeof a }, 0).part,
                   hash_of((struct view){ (const char *)&b, sizeof b }, 0).part);
}

/* ---- lectures --------------------------------------------------------------------------- */

struct lecture_item *lecture_add(struct lecture *l, struct note *note, uint64_t serial)
{
    struct lecture_item *item;

    if (note->lecture == serial)
        return &l->items[note->item];
    if (l->count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 16;
        l->items = mem_resize(l->items, l->cap, sizeof *l->items);
    }
    note->lecture = serial;
    note->item = l->count;
    note->refs++;
    item = &l->items[l->count++];
    *item = (struct lecture_item){ .note = note, .version = note->version };
    if (note->lessons)
        item->lessons = lessons_ref(note->lessons);
    return item;
}

static void take_lessons(struct lecture *l)
{
    for (size_t i = 0; i < l->count; i++) {
        struct lecture_item *item = &l->items[i];

        if (!item->run)
            continue;
        lessons_unref(item->lessons);
        item->lessons = lessons_of(item->run);
        item->taken = true;
        run_unref(item->run);
        item->run = NULL;
    }
}

/* The same whatever the order of the items. */
static struct hash key_of(const struct lecture *l)
{
    struct hash key = l->whatifs->says;

    for (size_t i = 0; i < l->count; i++) {
        const struct lecture_item *item = &l->items[i];
        uint32_t limit = item->limit;
        struct hash h;

        if (!limit || !item->lessons)
            continue;
        if (limit > item->lessons->scenario_count)
            limit = item->lessons->scenario_count;
        h = hash_of((struct view){ (const char *)item->lessons->hash,
                                   sizeof item->lessons->hash },
                    limit);
        key.part[0] += h.part[0];
        key.part[1] += h.part[1];
    }
    return key;
}

static void fit(struct lecture *l, struct fitted *f)
{
    const struct lessons **all = mem_alloc((f->run_count + 1) * sizeof *all);
    const struct lessons *some = NULL; /* one run at most is cut off */

    for (size_t i = 0; i < f->run_count; i++) {
        const struct fitted_run *r = &f->runs[i];

        all[i] = r->lessons;
        if (r->limit < r->lessons->scenario_count)
            all[i] = some = lessons_first(r->lessons, r->limit);
    }
    f->began_ns = uv_hrtime();
    f->outlook = outlook_new_unless(l->stop, all, f->run_count, &l->whatifs->list);
    f->ended_ns = uv_hrtime();
    lessons_unref(some);
    free(all);
}

static void make(struct lecture *l, struct hash key)
{
    struct fitted *f = mem_zalloc(sizeof *f);

    f->refs = 1;
    f->key = key;
    f->runs = mem_alloc((l->count + 1) * sizeof *f->runs);
    for (size_t i = 0; i < l->count; i++) {
        const struct lecture_item *item = &l->items[i];

        if (item->limit && item->lessons)
            f->runs[f->run_count++] =
                (struct fitted_run){ lessons_ref(item->lessons), item->limit };
    }
    for (size_t i = 0; i < f->run_count; i++)
        table_put(&f->by_id, f->runs[i].lessons->id, &f->runs[i]);
    fit(l, f);
    if (f->outlook)
        l->made = f;
    else
        fitted_unref(f);
}

void lecture_run(struct lecture *l)
{
    struct hash key;

    take_lessons(l);
    if (!l->fits)
        return;
    key = key_of(l);
    if (l->anew || !l->before || !hash_eq(key.part, l->before->key.part))
        make(l, key);
}

void lecture_deinit(struct lecture *l)
{
    for (size_t i = 0; i < l->count; i++) {
        run_unref(l->items[i].run);
        lessons_unref(l->items[i].lessons);
        note_unref(l->items[i].note);
    }
    free(l->items);
    fitted_unref(l->before);
    fitted_unref(l->made);
    whatifs_unref(l->whatifs);
    *l = (struct lecture){ 0 };
}
