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
 * being charged. Entries live as long as their file: also scenarios that vanish from it
 * and come back, and runs whose content was let go meanwhile, are not counted twice.
 * When the file is gone its entries go, and the counters stay.
 *
 * Region names come from outside. Past ACCOUNTS_MAX of them further ones share the
 * account "other", so that no directory makes the ledger grow without end.
 */
#include "modules/cost/ledger.h"

#include "core/mem.h"
#include "modules/cost/bill.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { ACCOUNTS_MAX = 1000, KINDS = 3 };

struct entry {
    uint64_t key[2];       /* both 0: free */
    double largest[KINDS]; /* energy_kwh, cpu_hours, gpu_hours; 0: none so far */
};

/* What was seen of one run: open addressing, nothing is ever removed. */
struct seen {
    struct view id; /* own copy */
    struct entry *slots;
    size_t count, cap; /* cap is 0 or a power of two */
};

/* ---- entries -------------------------------------------------------------------- */

static struct entry *place_of(const struct seen *s, const uint64_t key[2])
{
    size_t i = key[0] & (s->cap - 1);

    while ((s->slots[i].key[0] | s->slots[i].key[1]) &&
           !(s->slots[i].key[0] == key[0] && s->slots[i].key[1] == key[1]))
        i = (i + 1) & (s->cap - 1);
    return &s->slots[i];
}

static void make_room(struct seen *s, size_t more)
{
    struct entry *old = s->slots;
    size_t old_cap = s->cap;

    if ((s->count + more) * 4 <= s->cap * 3)
        return;
    if (s->cap == 0)
        s->cap = 8;
    while ((s->count + more) * 4 > s->cap * 3)
        s->cap *= 2;
    s->slots = mem_zalloc(s->cap * sizeof *s->slots);
    for (size_t i = 0; i < old_cap; i++)
        if (old[i].key[0] | old[i].key[1])
            *place_of(s, old[i].key) = old[i];
    free(old);
}

/* The entry of a scenario, new if need be. Lives until the next call. */
static struct entry *entry_of(struct seen *s, const struct scenario *sc,
                              uint32_t ordinal)
{
    uint64_t key[2];
    struct entry *e;

    scenario_identity(sc, key);
    /* The hash is even over all its bits; ordinals of one identity only must differ. */
    key[0] += ordinal * UINT64_C(0x9e3779b97f4a7c15);
    if ((key[0] | key[1]) == 0)
        key[1] = 1;
    make_room(s, 1);
    e = place_of(s, key);
    if ((e->key[0] | e->key[1]) == 0) {
        e->key[0] = key[0];
        e->key[1] = key[1];
        s->count++;
    }
    return e;
}

static struct seen *seen_new(struct view id)
{
    struct seen *s = mem_zalloc(sizeof *s);
    char *copy = mem_alloc(id.n + 1);

    memcpy(copy, id.n ? id.p : "", id.n);
    s->id = (struct view){ copy, id.n };
    return s;
}

static void seen_free(struct seen *s)
{
    free(s->slots);
    free((void *)(uintptr_t)s->id.p); /* made by seen_new() */
    free(s);
}

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
                   const struct bill *b, const double growth[KINDS])
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

        a->amount[ch->currency[i]] += growth[0] * kwh_price[i] +
                                      growth[1] * c->cpu_hour[i] +
                                      growth[2] * gpu_price;
    }
    a->co2_kg += growth[0] * r->co2_kg_per_kwh;
}

static void note(const struct charge *ch, struct seen *seen, const struct scenario *s,
                 uint32_t ordinal)
{
    struct entry *e = entry_of(seen, s, ordinal);
    struct bill b;

    bill_scenario(s, ch->c->wall_clock_cores, ch->c->wall_clock_only, &b);

    const double now[KINDS] = { b.energy_kwh, b.cpu_hours, b.gpu_hours };
    double growth[KINDS] = { 0 };

    for (size_t k = 0; k < KINDS; k++)
        if (now[k] > e->largest[k]) { /* false for NaN */
            growth[k] = now[k] - e->largest[k];
            e->largest[k] = now[k];
        }
    charge(ch, s, &b, growth);
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
        table_put(&l->runs, seen->id, seen);
        make_room(seen, d->changed_count);
    }
    for (uint32_t i = 0; i < d->changed_count; i++) {
        uint32_t at = d->changed[i];

        note(&ch, seen, d->after->scenarios[at], d->after->ordinals[at]);
    }
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
