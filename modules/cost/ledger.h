/*
 * ledger.h - what the encodes since the first scan have cost: counters that only grow.
 */
#ifndef MODULES_COST_LEDGER_H
#define MODULES_COST_LEDGER_H

#include "modules/cost/charged.h"
#include "modules/cost/config.h"
#include "modules/cost/seen.h"

struct account {
    struct view region;
    double co2_kg;
    double created_s;           /* Unix time at which it began, as 0 */
    double amount[COUNTED_MAX]; /* in the currencies of struct ledger */
    double owed[QUANTITIES];    /* what is not charged yet; below 0: what was charged
                                   too much, which later growth uses up */

    /* While a change is told. */
    const struct price_region *row; /* prices of what is owed; NULL: not touched */
    struct account *next;           /* also touched */
};

struct ledger {        /* zeroed: new */
    struct table runs; /* id → what was seen of that run */
    struct charged_all charged;
    struct table by_region;
    struct account **accounts; /* in order of appearance; --region's first */
    size_t account_count, account_cap;
    char currency[COUNTED_MAX][CURRENCY_CODE + 1];
    size_t currency_count;
};

/* Growth of one run → counters, at the prices of c. now_s: Unix time. */
void ledger_remember(struct ledger *l, const struct cost_config *c,
                     const struct diff *d, double now_s);

/* What account a holds in c's currency[i]. */
double ledger_amount(const struct ledger *l, const struct account *a,
                     const struct cost_config *c, size_t i);

/* The account of a region, or NULL: nothing was seen there. */
const struct account *ledger_account(const struct ledger *l, struct view region);

void ledger_deinit(struct ledger *l);

#endif
