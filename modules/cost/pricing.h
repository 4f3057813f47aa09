/*
 * pricing.h - what energy, CO2 and machine time cost, by region and currency.
 *
 * A pricing begins with the built-in tables and takes over what a file says. Nothing in
 * it changes after that, and everything in it lives until pricing_deinit().
 */
#ifndef MODULES_COST_PRICING_H
#define MODULES_COST_PRICING_H

#include "core/arena.h"
#include "core/err.h"
#include "core/table.h"

#include <stdint.h>

enum price_source { PRICE_BUILTIN, PRICE_FILE, PRICE_FLAG, PRICE_ELECTRICITYMAPS };

/* "builtin", "file", "flag", "electricitymaps" */
struct view price_source_name(enum price_source s);

/* A currency by its place in struct pricing. */
typedef uint16_t currency_id;

struct price {
    double amount; /* NaN: not set */
    currency_id currency;
    enum price_source source;
};

struct price_region {
    struct view name;
    uint32_t index; /* its place in the table */

    /* Where the region has none of its own these are those of "default". */
    struct price per_kwh;
    double co2_kg_per_kwh;
    enum price_source co2_source;
    double price_as_of_s, co2_as_of_s; /* Unix time; NaN: not said */
    bool own_price, own_co2;

    struct view note; /* where the file has it from; may be empty */
};

enum { CURRENCY_CODE = 3, CURRENCIES_MAX = 300 }; /* ISO 4217 has about 180 */

struct pricing {
    struct arena mem;

    struct price_region **regions; /* built-in order, then the file's */
    uint32_t region_count, region_cap;
    struct table by_name;
    const struct price_region *fallback; /* the region "default" */

    char (*codes)[CURRENCY_CODE + 1];
    double *rates; /* [from * currency_cap + to]; NaN: none */
    currency_id currency_count, currency_cap;

    struct price cpu_per_hour; /* of one core */
    struct price gpu_per_hour; /* amount NaN: not set */
};

/* The built-in tables. */
void pricing_init(struct pricing *p);
void pricing_deinit(struct pricing *p);

/*
 * Takes over what the text of a pricing file says (docs/pricing.md). -EINVAL: e names
 * the file, the key and the reason, and p may only be given to pricing_deinit().
 */
int pricing_read(struct pricing *p, struct view text, const char *file, struct err *e);

/* The row of a region; that of "default" where the table has none. Never NULL. */
const struct price_region *pricing_region(const struct pricing *p, struct view name);

/*
 * While a pricing is made: the row of this name (copied), made new if it was not there;
 * the currency of this code (three letters), and what one of `from` is in `to`.
 * CURRENCIES_MAX currencies are the limit: -E2BIG.
 */
struct price_region *pricing_add_region(struct pricing *p, struct view name);
int pricing_add_currency(struct pricing *p, struct view code, currency_id *out);
void pricing_set_rate(struct pricing *p, currency_id from, currency_id to, double rate);

/* Fills rows that lack a price or intensity from "default"; after the last change. */
void pricing_complete(struct pricing *p);

/* Three letters A-Z: the form of an ISO 4217 code. */
bool currency_code_valid(struct view code);

/* Units of `to` for one `from`: 1 for the same currency, NaN where no rate is known.
 * Each direction is a rate of its own: one is never worked out from the other. */
double pricing_rate(const struct pricing *p, currency_id from, currency_id to);

#endif
