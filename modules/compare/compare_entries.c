/*
 * compare_entries.c - which encodes are compared, and with which others.
 */
#include "modules/compare/compare.h"

#include "core/hash.h"
#include "core/mem.h"

#include <math.h>
#include <stdlib.h>

static void mix(uint64_t hash[2], struct view v)
{
    struct hash h = hash_of(v, hash[0] ^ hash[1]);

    hash[0] = h.part[0];
    hash[1] = h.part[1];
}

static void mix_number(uint64_t hash[2], double v)
{
    double plain = isnan(v) ? (double)NAN : v;

    mix(hash, (struct view){ (const char *)&plain, sizeof plain });
}

static void fill(struct compare_entry *e, const struct compare_context *c,
                 struct buf *text)
{
    const struct scenario *s = e->at.s;

    compare_set(s, text, e->set);
    e->rate_bps = compare_rate_bps(&s->facts);
    e->cost = compare_plain_cost(c->cost ? c->cost(c->ctx, &e->at) : (double)NAN);
}

/* ---- one entry for each encode ------------------------------------------------------- */

/* True: it was there before. */
static bool superseded(const struct compare_entry *e, struct hash_index *seen)
{
    uint64_t test[2];
    bool added;

    compare_test(e->at.s, e->set, test);
    *hash_index_at(seen, test, &added) = 1;
    return !added;
}

static size_t add_run(struct compare_entry *to, const struct run *run, uint32_t order,
                      const struct compare_context *c, struct hash_index *seen,
                      struct buf *text)
{
    size_t n = 0;

    for (uint32_t i = 0; i < run->count; i++) {
        if (!compare_takes_part(run->scenarios[i]))
            continue;
        to[n] = (struct compare_entry){ .order = order + i };
        to[n].at = (struct place){ .run = run,
                                   .s = run->scenarios[i],
                                   .baseline = run_baseline(run),
                                   .ordinal = run->ordinals[i] };
        fill(&to[n], c, text);
        n += !superseded(&to[n], seen);
    }
    return n;
}

static size_t count_parts(const struct served *all, uint32_t *scenarios)
{
    size_t n = 0;

    *scenarios = 0;
    for (size_t r = 0; r < all->run_count; r++) {
        const struct run *run = all->runs[r];

        *scenarios += run->count;
        for (uint32_t i = 0; i < run->count; i++)
            n += compare_takes_part(run->scenarios[i]);
    }
    return n;
}

static int by_set(const void *a, const void *b)
{
    const struct compare_entry *x = a, *y = b;
    int rc = 0;

    if (!hash_eq(x->set, y->set)) {
        rc = view_cmp(x->at.s->source, y->at.s->source);
        if (rc == 0)
            rc = view_cmp(x->at.s->resolution, y->at.s->resolution);
        if (rc == 0)
            rc = x->set[0] != y->set[0] ? (x->set[0] < y->set[0] ? -1 : 1)
                                        : (x->set[1] < y->set[1] ? -1 : 1);
        return rc;
    }
    return (x->order > y->order) - (x->order < y->order);
}

struct compare_entry *compare_entries(const struct served *all,
                                      const struct compare_context *c, size_t *count)
{
    uint32_t before;
    size_t room = count_parts(all, &before), n = 0;
    struct compare_entry *e;
    struct hash_index seen;
    struct buf text = { 0 };

    *count = 0;
    if (room == 0)
        return NULL;
    e = mem_alloc(room * sizeof *e);
    hash_index_init(&seen, room);
    for (size_t r = all->run_count; r-- > 0;) {
        before -= all->runs[r]->count;
        n += add_run(e + n, all->runs[r], before, c, &seen, &text);
    }
    hash_index_deinit(&seen);
    buf_deinit(&text);
    qsort(e, n, sizeof *e, by_set);
    *count = n;
    return e;
}

/* ---- sets ------------------------------------------------------------------------------ */

size_t compare_set_size(const struct compare_entry e[], size_t n)
{
    size_t size = 1;

    while (size < n && hash_eq(e[size].set, e[0].set))
        size++;
    return size;
}

void compare_hash(const struct compare_entry e[], size_t n, uint64_t hash[2])
{
    for (size_t i = 0; i < n; i++) {
        const struct scenario *s = e[i].at.s;

        mix(hash, (struct view){ (const char *)s->hash, sizeof s->hash });
        mix(hash, (struct view){ (const char *)e[i].set, sizeof e[i].set });
        mix(hash, e[i].at.run->id);
        mix_number(hash, e[i].at.ordinal);
        mix_number(hash, e[i].rate_bps);
        mix_number(hash, e[i].cost);
        mix_number(hash, s->facts.vmaf);
        mix_number(hash, s->facts.psnr_db);
        mix_number(hash, s->facts.ssim);
    }
}
