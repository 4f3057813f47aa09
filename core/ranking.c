#include "core/ranking.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

static bool digits(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    return true;
}

/* The last YYYYMMDD_HHMMSS in a name. */
static struct view stamp_of(struct view id)
{
    for (size_t i = id.n; i >= 15; i--) {
        const char *p = id.p + i - 15;

        if (digits(p, 8) && p[8] == '_' && digits(p + 9, 6))
            return (struct view){ p, 15 };
    }
    return (struct view){ NULL, 0 };
}

static int by_name(const struct ranked *a, const struct ranked *b)
{
    int c = view_cmp(a->stamp, b->stamp);

    return c ? c : view_cmp(a->id, b->id);
}

static int by_time(const struct ranked *a, const struct ranked *b)
{
    if (a->mtime_ns != b->mtime_ns)
        return a->mtime_ns < b->mtime_ns ? -1 : 1;
    return view_cmp(a->id, b->id);
}

static int qsort_name(const void *a, const void *b)
{
    return by_name(*(struct ranked *const *)a, *(struct ranked *const *)b);
}

static int qsort_time(const void *a, const void *b)
{
    return by_time(*(struct ranked *const *)a, *(struct ranked *const *)b);
}

static void list_add(struct ranked_list *l, struct ranked *r)
{
    if (l->count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 16;
        l->r = mem_resize(l->r, l->cap, sizeof(struct ranked *));
    }
    l->r[l->count++] = r;
}

static void list_sweep(struct ranked_list *l)
{
    size_t kept = 0, sorted = 0;

    for (size_t i = 0; i < l->count; i++) {
        if (l->r[i]->gone) {
            free(l->r[i]);
            continue;
        }
        if (i < l->sorted)
            sorted++;
        l->r[kept++] = l->r[i];
    }
    l->count = kept;
    l->sorted = sorted;
    l->holes = false;
}

static void list_sort(struct ranked_list *l,
                      int (*cmp)(const struct ranked *, const struct ranked *),
                      int (*for_qsort)(const void *, const void *))
{
    enum { FEW = 8 };

    if (l->holes)
        list_sweep(l);
    if (l->count - l->sorted > FEW) {
        qsort(l->r, l->count, sizeof(struct ranked *), for_qsort);
        l->sorted = l->count;
    }
    for (; l->sorted < l->count; l->sorted++) {
        struct ranked *r = l->r[l->sorted];
        size_t low = 0, high = l->sorted;

        while (low < high) {
            size_t mid = (low + high) / 2;

            if (cmp(l->r[mid], r) < 0)
                low = mid + 1;
            else
                high = mid;
        }
        memmove(l->r + low + 1, l->r + low,
                (l->sorted - low) * sizeof(struct ranked *));
        l->r[low] = r;
    }
}

static bool in_named(const struct ranking *k, const struct ranked *r)
{
    return k->rule == NEWEST_NAME || (k->rule == NEWEST_AUTO && r->stamp.n > 0);
}

void ranking_add(struct ranking *k, struct ranked *r)
{
    if (k->rule == NEWEST_AUTO)
        r->stamp = stamp_of(r->id);
    list_add(in_named(k, r) ? &k->named : &k->timed, r);
}

/* Takes r out of the order and puts it back in where it belongs now. */
void ranking_set_mtime(struct ranking *k, struct ranked *r, int64_t mtime_ns)
{
    struct ranked_list *l = &k->timed;

    if (!in_named(k, r)) {
        for (size_t i = 0; i < l->sorted; i++) {
            if (l->r[i] != r)
                continue;
            memmove(l->r + i, l->r + i + 1,
                    (l->count - i - 1) * sizeof(struct ranked *));
            l->count--;
            l->sorted--;
            list_add(l, r);
            break;
        }
    }
    r->mtime_ns = mtime_ns;
}

void ranking_remove(struct ranking *k, struct ranked *r)
{
    r->gone = true;
    if (in_named(k, r))
        k->named.holes = true;
    else
        k->timed.holes = true;
}

static void list_deinit(struct ranked_list *l, void (*last)(struct ranked *r))
{
    for (size_t i = 0; i < l->count; i++) {
        last(l->r[i]);
        free(l->r[i]);
    }
    free(l->r);
}

void ranking_deinit(struct ranking *k, void (*last)(struct ranked *r))
{
    list_deinit(&k->named, last);
    list_deinit(&k->timed, last);
    *k = (struct ranking){ .rule = k->rule };
}

struct ranking_walk ranking_walk(struct ranking *k)
{
    list_sort(&k->named, by_name, qsort_name);
    list_sort(&k->timed, by_time, qsort_time);
    return (struct ranking_walk){ k, k->named.count, k->timed.count };
}

struct ranked *ranking_next(struct ranking_walk *w)
{
    struct ranked *a = w->named ? w->k->named.r[w->named - 1] : NULL;
    struct ranked *b = w->timed ? w->k->timed.r[w->timed - 1] : NULL;

    if (a && (!b || by_time(a, b) > 0)) {
        w->named--;
        return a;
    }
    if (b)
        w->timed--;
    return b;
}
