/*
 * ledger.c - counters over files that are rewritten, grow, shrink, come and go.
 *
 * A scenario is known by its run, its identity and its ordinal. For each the ledger
 * keeps the quantities (kWh, core-hours, GPU-hours) up to which it is charged. What a
 * later version reports beyond them is growth, and growth times the price of the moment
 * is added to the counter of its region. So a rewritten file counts once, and new prices
 * apply to later growth only.
 *
 * A figure that falls was charged too high. Counters never go down, so the difference
 * stays with the account of its region, as a quantity, and growth of that region uses it
 * up before anything is charged. All that happens in one change is set off first: when
 * scenarios of one name change places, or a machine's power is shared anew among them,
 * the order in which they stand does not matter. A figure that becomes unknown has not
 * fallen, nor has that of a scenario that leaves its file: what was charged for it stays
 * charged, whatever it comes back with.
 *
 * What was there before the first scan is the zero of the counters: it is noted without
 * being charged, and a figure that falls below its zero gives nothing back. Of such an
 * encode some quantities may be measured only later: an upstream answers when the files
 * are long read. Therefore the first measured figure of each is its zero, too, and where
 * the encode had ended by then, whatever is measured of it. Nothing of this holds for one
 * that began after the scan, under a name that was there.
 *
 * Scenarios that vanish from their file and come back, and runs whose content was let go
 * meanwhile, are not counted twice, within the bound that seen.h tells: one that comes
 * back later counts as new. When the file is gone what was seen of it goes, and the
 * counters stay.
 *
 * An encode that is watched may be told of by two runs in turn: by that of its progress alone,
 * and by its results file. What one of them was charged for the other is not charged for
 * again, unless it began after that: then it is another encode of the name. One of the name
 * that begins anew within a run is another one, too.
 *
 * Region names come from outside. Past ACCOUNTS_MAX of them further ones share the
 * account "other", so that no directory makes the ledger grow without end.
 */
#include "modules/cost/ledger.h"

#include "core/live.h"
#include "core/mem.h"
#include "core/watched.h"
#include "modules/cost/bill.h"

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
    double now_s;
    bool free; /* noted, not charged */

    struct account *at; /* of `region`, which was asked for last */
    struct view region;
    struct account *touched;
};

/* What is owed → money, at the prices of the account's row. */
static void settle(const struct charge *ch, struct account *a)
{
    const struct cost_config *c = ch->c;
    const double *kwh_price = cost_energy_prices(c, a->row);
    double due[QUANTITIES];

    for (size_t k = 0; k < QUANTITIES; k++) {
        due[k] = fmax(a->owed[k], 0);
        a->owed[k] -= due[k];
    }
    for (size_t i = 0; i < c->counted; i++) {
        double gpu_price = isnan(c->gpu_hour[i]) ? c->cpu_hour[i] : c->gpu_hour[i];

        a->amount[ch->currency[i]] += due[ENERGY_KWH] * kwh_price[i] +
                                      due[CPU_HOURS] * c->cpu_hour[i] +
                                      due[GPU_HOURS] * gpu_price;
    }
    a->co2_kg += due[ENERGY_KWH] * a->row->co2_kg_per_kwh;
}

static void settle_touched(struct charge *ch)
{
    for (struct account *a = ch->touched; a; a = a->next) {
        settle(ch, a);
        a->row = NULL;
    }
}

/* Regions that share an account may differ in price: each is settled before the next. */
static struct account *account_of(struct charge *ch, struct view region)
{
    const struct price_region *row;
    struct account *a;

    if (ch->at && view_eq(region, ch->region))
        return ch->at;
    row = cost_region(ch->c, region);
    a = open_account(ch->l, region.n ? region : ch->c->home, ch->now_s);
    if (!a->row) {
        a->next = ch->touched;
        ch->touched = a;
    } else if (a->row != row) {
        settle(ch, a);
    }
    a->row = row;
    ch->region = region;
    return ch->at = a;
}

/*
 * Figures of a scenario that was there at start whose first measured value is still to
 * come. Hours by the clock are one of their own: use of cores takes their place, and they
 * not that of cores.
 */
enum { OF_ENERGY = 1, OF_CLOCK = 2, OF_CORES = 4, OF_GPU_CLOCK = 8, OF_ALL = 15 };

static void find_measured(const struct scenario *s, const struct bill *b,
                          unsigned measured[QUANTITIES])
{
    bool clock = s->state != SCENARIO_TOLD;
    bool told = !isnan(scenario_told(s)->facts.energy_j);

    measured[ENERGY_KWH] =
        !told || s->facts.energy_basis >= ENERGY_UPSTREAM ? OF_ENERGY : 0;
    measured[CPU_HOURS] = clock && b->basis == COMPUTE_WALL_CLOCK ? OF_CLOCK : 0;
    if (b->basis == COMPUTE_UPSTREAM || b->basis == COMPUTE_SAMPLER)
        measured[CPU_HOURS] = OF_CORES | OF_CLOCK;
    measured[GPU_HOURS] = clock && !b->gpu_by_usage ? OF_GPU_CLOCK : 0;
}

static double end_of(const struct scenario *s)
{
    return isnan(s->end_s) ? s->start_s + s->facts.duration_s : s->end_s;
}

static bool ended_before(const struct scenario *s, double when_s)
{
    return !scenario_runs(s->state) && end_of(s) < when_s;
}

/* What both were charged for goes back to the account. */
static void merge(struct account *a, const bool billed[QUANTITIES], struct noted *n,
                  const struct noted *other)
{
    for (size_t k = 0; k < QUANTITIES; k++) {
        if (billed[k] && !n->watched) /* else that is in the other's, too */
            a->owed[k] -= fmin(n->level[k] - n->floor[k], other->level[k]);
        n->level[k] = fmax(n->level[k], other->level[k]);
        n->floor[k] = fmax(n->floor[k], other->floor[k]);
    }
    n->awaited = other->awaited;
}

/* What is noted of the encode that a scenario shows; NULL: it is not watched. */
static struct charged *meet(struct charge *ch, const struct seen *seen, struct noted *n,
                            const struct scenario *s, const bool billed[QUANTITIES])
{
    struct charged *c;
    bool alone = view_eq(seen_id(seen), VIEW(WATCHED_RUN));

    if (s->watched == SCENARIO_TOLD)
        return NULL;
    c = charged_here(&ch->l->charged, s->name);
    if (s->start_s > c->end_s) { /* another encode of the name; false for NaN */
        if (n->watched)
            *n = (struct noted){ .left_at = n->left_at };
    } else if (c->noted.watched && (alone || c->alone) &&
               (c->by != seen || !n->watched)) {
        merge(account_of(ch, s->region), billed, n, &c->noted);
    }
    n->watched = true;
    c->by = seen;
    c->alone = alone;
    return c;
}

static void note(struct charge *ch, struct seen *seen, const struct scenario *s,
                 uint32_t ordinal)
{
    struct noted *n = seen_here(seen, s, ordinal);
    struct account *a = account_of(ch, s->region);
    bool past = ended_before(s, seen_opened(seen));
    unsigned measured[QUANTITIES];
    struct charged *shown;
    struct bill b;

    bill_scenario(ch->c, s, &b);

    /* By the clock a GPU costs nothing where no price is set for it. */
    bool billed[QUANTITIES] = { true, true,
                                b.gpu_by_usage || !isnan(ch->c->gpu_hour[0]) };

    shown = meet(ch, seen, n, s, billed);
    find_measured(s, &b, measured);
    if (ch->free)
        n->awaited = OF_ALL;
    else if (s->start_s >= seen_opened(seen)) /* false for NaN */
        n->awaited = 0;

    const double now[QUANTITIES] = { [ENERGY_KWH] = b.energy_kwh,
                                     [CPU_HOURS] = b.cpu_hours,
                                     [GPU_HOURS] = b.gpu_hours };

    for (size_t k = 0; k < QUANTITIES; k++) {
        if (isnan(now[k]))
            continue;
        if (ch->free || (n->awaited & measured[k])) {
            n->level[k] = n->floor[k] = past ? fmax(now[k], n->level[k]) : now[k];
            n->awaited &= past ? OF_ALL : ~measured[k];
            continue;
        }

        double level = fmax(now[k], n->floor[k]);

        if (billed[k])
            a->owed[k] += level - n->level[k];
        n->level[k] = level;
    }
    if (shown) {
        shown->noted = *n;
        /* What begins later than this moment is not it, whatever its times. */
        shown->end_s = fmax(shown->end_s, isnan(end_of(s)) ? ch->now_s : end_of(s));
    }
}

/* The same scenario, whatever its figures. */
static bool same(const struct run *a, uint32_t i, const struct run *b, uint32_t k)
{
    const struct scenario *of_a = a->scenarios[i], *of_b = b->scenarios[k];

    return a->ordinals[i] == b->ordinals[k] &&
           (of_a == of_b || (of_a->identity[0] == of_b->identity[0] &&
                             of_a->identity[1] == of_b->identity[1]));
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

/* An encode that runs may get a size or a rate, and with them another identity, when more is
 * known of it: whoever records it writes these at its end. */
static void goes_on(struct seen *seen, const struct diff *d, uint32_t at)
{
    const struct scenario *before, *after = d->after->scenarios[at];

    if (d->measured || !d->before || at >= d->before->count)
        return;
    before = d->before->scenarios[at];
    if (live_open(before) && before->start_s == after->start_s &&
        view_eq(before->name, after->name) && !same(d->before, at, d->after, at))
        seen_goes_on(seen, before, d->before->ordinals[at], after,
                     d->after->ordinals[at]);
}

void ledger_remember(struct ledger *l, const struct cost_config *c,
                     const struct diff *d, double now_s)
{
    struct seen *seen = table_get(&l->runs, d->id);
    struct charge ch = { .l = l, .c = c, .now_s = now_s };

    open_account(l, c->home, now_s);
    if (!d->after) {
        if (table_remove(&l->runs, d->id)) {
            charged_forget_run(&l->charged, seen);
            seen_free(seen);
        }
        return;
    }
    map_currencies(l, c, ch.currency);
    if (!seen) {
        ch.free = d->from_start && !d->before;
        seen = seen_new(d->id, now_s);
        table_put(&l->runs, seen_id(seen), seen);
        seen_expect(seen, d->changed_count);
    } else if (!d->before) {
        seen_all_left(seen);
    } else if (!d->measured) {
        note_left(seen, d->before, d->after);
    }
    for (uint32_t i = 0; i < d->changed_count; i++) {
        uint32_t at = d->changed[i];

        goes_on(seen, d, at);
        note(&ch, seen, d->after->scenarios[at], d->after->ordinals[at]);
    }
    seen_settle(seen);
    settle_touched(&ch);
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
    charged_deinit(&l->charged);
    *l = (struct ledger){ 0 };
}
