/*
 * families.h - the families of the cost module, in the order they are served.
 */
#ifndef MODULES_COST_FAMILIES_H
#define MODULES_COST_FAMILIES_H

#include "core/series.h"

enum cost_family {
    COST_ALIVE,
    COST_SCENARIOS,
    COST_INFO,
    COST_ENERGY,
    COST_COMPUTE,
    COST_TOTAL,
    COST_SO_FAR,
    COST_BASIS,
    COST_PER_PIXEL,
    COST_PER_WATCH_HOUR,
    COST_USD_PER_HOUR,
    COST_MONTHLY,
    COST_SAVINGS,
    CO2_EMISSIONS,
    CO2_PER_HOUR,
    CO2_MONTHLY,
    CO2_AVOIDED,
    COST_ACCRUED,
    CO2_ACCRUED,
    COST_IN_REGION,
    CO2_IN_REGION,
    COST_PRICE,
    CO2_INTENSITY,
    COST_KNOWN_PRICE,
    CO2_KNOWN_INTENSITY,
    COST_PRICE_INFO,
    COST_PRICE_AS_OF,
    CO2_INTENSITY_INFO,
    CO2_INTENSITY_AS_OF,
    COST_RATE,
    COST_PUE,
    COST_FAMILY_COUNT,
};

extern const struct family cost_families[COST_FAMILY_COUNT];

#endif
