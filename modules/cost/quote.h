/*
 * quote.h - the prices in force, for others that reckon with them.
 */
#ifndef MODULES_COST_QUOTE_H
#define MODULES_COST_QUOTE_H

#include "modules/cost/config.h"

/* The module's hook: what cost_total_load_aware and co2_emissions_kg are reckoned with in
 * a region (empty: that of --region), per kWh as measured. */
void cost_quote(const void *config, struct view region, struct tariff *out);

#endif
