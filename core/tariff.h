/*
 * tariff.h - what energy and machine time cost in one region, as the cost module tells it
 * to others.
 */
#ifndef CORE_TARIFF_H
#define CORE_TARIFF_H

#include "core/view.h"

enum { TARIFF_CURRENCIES = 16 };

struct tariff_prices {
    const char *currency; /* "USD"; lives as long as the config */
    double per_kwh; /* of energy that the encode uses, with what the building around it
                             takes (--pue); NaN: no rate is known */
    double per_core_hour; /* likewise */
};

struct tariff {
    struct tariff_prices
        in[TARIFF_CURRENCIES]; /* the served currencies, in their order */
    size_t count;
    struct tariff_prices usd; /* whether or not it is served */
    double co2_kg_per_kwh;    /* with --pue, as well */
};

#endif
