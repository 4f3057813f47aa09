#include "modules/cost/quote.h"

_Static_assert((int)SHOWN_MAX <= (int)TARIFF_CURRENCIES, "raise TARIFF_CURRENCIES");

static struct tariff_prices prices(const struct cost_config *c, size_t i,
                                   double kwh_price)
{
    return (struct tariff_prices){
        .currency = cost_currency(c, i).p,
        .per_kwh = kwh_price * c->pue,
        .per_core_hour = c->cpu_hour[i],
    };
}

void cost_quote(const void *config, struct view region, struct tariff *out)
{
    const struct cost_config *c = config;
    const struct price_region *r = cost_region(c, region);
    const double *kwh_price = cost_energy_prices(c, r);

    *out = (struct tariff){
        .count = c->shown,
        .usd = prices(c, c->usd, kwh_price[c->usd]),
        .co2_kg_per_kwh = r->co2_kg_per_kwh * c->pue,
    };
    for (size_t i = 0; i < c->shown; i++)
        out->in[i] = prices(c, i, kwh_price[i]);
}
