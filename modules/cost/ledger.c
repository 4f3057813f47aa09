/*
 * ledger.c - counters over files that are rewritten, grow, shrink, come and go.
 *
 * A scenario is known by its run, its identity and its ordinal. For each the ledger
 * keeps the largest quantities it ever reported (kWh, core-hours, GPU-hours). What a
 * later version reports beyond them is growth, and growth times the price of the moment
 * is added to the counter of its region. So a rewritten file counts once, a figure that
 * falls and rises again counts once, and new prices apply to later growth only.
 *
 * What was there before the first scan is the zero of the counters: it is noted without
 * being charged. Scenarios that vanish from their file and come back, and runs whose
 * content was let go meanwhile, are not counted twice, within the bound that seen.h
 * tells: one that comes back later counts as new. When the file is gone what was seen of
 * it goes, and the counters stay.
 *
 * Region names come from outside. Past ACCOUNTS_MAX of them further ones share the
 * account "other", so that no directory makes the ledger grow without end.
 */
#include "modules/cost/ledger.h"

#include "core/mem.h"
#include "modules/cost/bill.h"
#include "modules/cost/seen.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { ACCOUNTS_MAX = 1000 };

/* ---- accounts ------------------------------------------------------------------- */

const struct account *ledger_account(const struct ledger *l, struct view region)
{
    return table_get(&l->by_region, region);
}

static struct account *open_account(struct ledger *l, struct view region, double now_s)
{
    struct account *a = table_get(&l->by_region, region);
    char *copy;

    if (!a && l->account_count >= ACCOUNTS_MAX) {
        region = VIEW("other");
        a = table_get(&l->by_region, region);
    }
    if (a)
        return a;
    a = mem_zalloc(sizeof *a + region.n);
    copy = (char *)(a + 1);
    memcpy(copy, region.p, region.n);
    a->region = (struct view){ copy, region.n };
    a->created_s = now_s;
    if (l->account_count == l->account_cap) {
        l->account_cap = l->account_cap ? l->account_cap * 2 : 4;
        l->accounts = mem_resize(l->accounts, l->account_cap, sizeof *l->accounts);
    }
    l->accounts[l->account_count++] = a;
    table_put(&l->by_region, a->region, a);
    return a;
}

/* The ledger outlives configurations, so currencies are known by code. */
static size_t currency_index(const struct ledger *l, const struct cost_config *c,
                             size_t i)
{
    struct view code = cost_currency(c, i);
    size_t at = 0;

    while (at < l->currency_count && !view_eq(view_of(l->currency[at]), code))
        at++;
    return at;
}

double ledger_amount(const struct ledger *l, const struct account *a,
                     const struct cost_config *c, size_t i)
{
    size_t at = currency_index(l, c, i);

    return at < l->currency_count ? a->amount[at] : 0;
}

/* Index in the ledger of each of c's currencies. Flags don't change while a process
 * lives, so there is always room. */
static void map_currencies(struct ledger *l, const struct cost_config *c, size_t to[])
{
    for (size_t i = 0; i < c->counted; i++) {
        to[i] = currency_index(l, c, i);
        if (to[i] < l->currency_count)
            continue;
        assert(l->currency_count < COUNTED_MAX);
        memcpy(l->currency[l->currency_count++], cost_currency(c, i).p,
               CURRENCY_CODE + 1);
    }
}

/* ---- growth --------------------------------------------------------------------- */

struct charge {
    struct ledger *l;
    const struct cost_config *c;
    size_t currency[COUNTED_MAX]; /* of c → of l */
    bool free;                    /* noted, not charged */
    double now_s;
};

static void charge(const struct charge *ch, const struct scenario *s,
                   const struct bill *b, const double growth[QUANTITIES])
{
    const struct cost_config *c = ch->c;
    const struct price_region *r = cost_region(c, s->region);
    struct account *a =
        open_account(ch->l, s->region.n ? s->region : c->home, ch->now_s);
    const double *kwh_price = cost_energy_prices(c, r);

    if (ch->free)
        return;
    for (size_t i = 0; i < c->counted; i++) {
        double gpu_price = bill_gpu_price(b, c->cpu_hour[i], c->gpu_hour[i]);

        a->amount[ch->currency[i]] += growth[ENERGY_KWH] * kwh_price[i] +
                                      growth[CPU_HOURS] * c->cpu_hour[i] +
                                      growth[GPU_HOURS] * gpu_price;
    }
    a->co2_kg += growth[ENERGY_KWH] * r->co2_kg_per_kwh;
}

static void note(const struct charge *ch, struct seen *seen, const struct scenario *s,
                 uint32_t ordinal)
{
    double *largest = seen_here(seen, s, ordinal);
    struct bill b;

    bill_scenario(ch->c, s, &b);

    const double now[QUANTITIES] = { [ENERGY_KWH] = b.energy_kwh,
                                     [CPU_HOURS] = b.cpu_hours,
                                     [GPU_HOURS] = b.gpu_hours };
    double growth[QUANTITIES] = { 0 };

    for (size_t k = 0; k < QUANTITIES; k++)
        if (now[k] > largest[k]) { /* false for NaN */
            growth[k] = now[k] - largest[k];
            largest[k] = now[k];
        }
    charge(ch, s, &b, growth);
}

static bool same(const struct run *a, uint32_t i, const struct run *b, uint32_t k)
{
    return a->scenarios[i] == b->scenarios[k] && a->ordinals[i] == b->ordinals[k];
}

/*
 * What stood in the version before and is not at the same place in the new one, counted
 * from its beginning or its end. Those that only moved are among diff.changed.
 */
static void note_left(struct seen *seen, const struct run *before,
                      const struct run *after)
{
    uint32_t first = 0, old = before->count, last = after->count;

    while (first < old && first < last && same(before, first, after, first))
        first++;
    while (old > first && last > first && same(before, old - 1, after, last - 1)) {
        old--;
        last--;
    }
    for (uint32_t i = first; i < old; i++)
        if (i >= last || !same(before, i, after, i))
            seen_left(seen, before->scenarios[i], before->ordinals[i]);
}

void ledger_remember(struct ledger *l, const struct cost_config *c,
                     const struct diff *d, double now_s)
{
    struct seen *seen = table_get(&l->runs, d->id);
    struct charge ch = { .l = l, .c = c, .now_s = now_s };

    open_account(l, c->home, now_s);
    if (!d->after) {
        if (table_remove(&l->runs, d->id))
            seen_free(seen);
        return;
    }
    map_currencies(l, c, ch.currency);
    ch.free = d->from_start && !d->before && !seen;
    if (!seen) {
        seen = seen_new(d->id);
        table_put(&l->runs, seen_id(seen), seen);
        seen_expect(seen, d->changed_count);
    } else if (d->before) {
        note_left(seen, d->before, d->after);
    } else {
        seen_all_left(seen);
    }
    for (uint32_t i = 0; i < d->changed_count; i++) {
        uint32_t at = d->changed[i];

        note(&ch, seen, d->after->scenarios[at], d->after->ordinals[at]);
    }
    seen_settle(seen);
}

void ledger_deinit(struct ledger *l)
{
    struct seen *s;

    for (size_t i = 0; (s = table_next(&l->runs, &i));)
        seen_free(s);
    table_deinit(&l->runs);
    for (size_t i = 0; i < l->account_count; i++)
        free(l->accounts[i]);
    free(l->accounts);
    table_deinit(&l->by_region);
    *l = (struct ledger){ 0 };
}
