/*
 * tables.h - counters, prices, intensities and rates as series, and for people.
 */
#ifndef MODULES_COST_TABLES_H
#define MODULES_COST_TABLES_H

#include "modules/cost/config.h"
#include "modules/cost/ledger.h"

/* cost_accrued_total and co2_accrued_kg_total. */
void tables_counters(const struct cost_config *c, const struct ledger *l,
                     struct series *out);

/* Prices and intensities of the regions in use, and where they come from. */
void tables_in_use(const struct cost_config *c, const struct served *all,
                   struct series *out);

/* All that the tables themselves say; regions without a figure of their own are left
 * out. */
void tables_known(const struct cost_config *c, struct series *out);

void tables_rates(const struct cost_config *c, struct series *out);

/* The prices in force, for the page. */
void tables_about(const struct cost_config *c, struct about *out);

#endif
