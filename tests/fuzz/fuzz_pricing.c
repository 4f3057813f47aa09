/*
 * fuzz_pricing.c - any bytes as a pricing file: refused with a reason on one line, or
 * prices that are all finite, not negative and reachable in every currency.
 */
#include "modules/cost/config.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool is_price(double v)
{
    return isfinite(v) && v >= 0;
}

static void check(const struct cost_config *c)
{
    for (uint32_t i = 0; i < c->pricing.region_count; i++) {
        const struct price_region *r = c->pricing.regions[i];

        require(cost_region(c, r->name) == r);
        require(r->index == i && r->name.n > 0);
        require(is_price(r->per_kwh.amount) && is_price(r->co2_kg_per_kwh));
        require(isnan(r->price_as_of_s) || isfinite(r->price_as_of_s));
        require(r->per_kwh.currency < c->pricing.currency_count);
        for (size_t k = 0; k < c->counted; k++)
            require(cost_energy_prices(c, r)[k] >= 0);
    }
    for (currency_id from = 0; from < c->pricing.currency_count; from++) {
        require(currency_code_valid(view_of(c->pricing.codes[from])));
        require(pricing_rate(&c->pricing, from, from) == 1);
    }
    require(c->cpu_hour[0] >= 0 && (isnan(c->gpu_hour[0]) || c->gpu_hour[0] >= 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct module_context ctx = { .version = "fuzz" };
    struct cost_config c = { 0 };
    struct err e = { 0 };

    option_defaults(cost_options, &c);
    /* No rate is built in for GBP: files that give some get further. */
    c.currency_list = size % 2 ? "USD,SEK" : "GBP";
    c.pricing_file.path = "prices.json";
    c.pricing_file.text = (struct view){ (const char *)data, size };
    if (cost_configure(&c, &ctx, &e) == 0) {
        check(&c);
        cost_deconfigure(&c);
    } else {
        require(e.code < 0 && e.text[0] && !strchr(e.text, '\n'));
    }
    return 0;
}
