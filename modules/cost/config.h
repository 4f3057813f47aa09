/*
 * config.h - the cost module's options, and the prices they lead to.
 */
#ifndef MODULES_COST_CONFIG_H
#define MODULES_COST_CONFIG_H

#include "core/module.h"
#include "modules/cost/pricing.h"

enum { SHOWN_MAX = 16, COUNTED_MAX = SHOWN_MAX + 1 };

struct cost_config {
    /* Options. Numbers are NaN where nobody gave them. */
    double energy_cost;        /* per kWh, in the first currency */
    double cpu_cost, gpu_cost; /* per hour, in the first currency */
    double wall_clock_cores;   /* billed where no usage is known */
    double pue;                /* energy that a building takes per energy measured */
    const char *currency_list, *region_name, *compare_list;
    struct option_file pricing_file;
    bool wall_clock_only;

    /* Completed by configure. */
    bool with_run_id;
    const char *version;
    struct pricing pricing;

    /*
     * The currencies that figures are kept in: those of --currency, then USD if it is
     * not among them. The first `shown` are served; the counters serve all of them.
     */
    currency_id currency[COUNTED_MAX];
    size_t shown, counted;
    size_t usd; /* index of USD in currency[] */

    struct view home;             /* --region */
    struct price_region home_row; /* its row of the table, with the intensity that it
                                      has now where that is known */
    struct view zone;             /* that intensity's, for people; own copy */
    struct view *compare;         /* --compare-regions */
    size_t compare_count;

    /*
     * Prices in currency[], converted once from the currency they are in:
     * table_kwh[region index * counted + i] is what the tables say, energy_kwh[] what
     * is reckoned with (--energy-cost where it is given).
     */
    double *table_kwh, *energy_kwh;
    double cpu_hour[COUNTED_MAX];
    double gpu_hour[COUNTED_MAX]; /* NaN: not set */
};

extern const struct option cost_options[];

/* The module's hooks. */
int cost_configure(void *config, const struct module_context *ctx, struct err *e);
void cost_deconfigure(void *config);

/* Code of currency[i]. */
struct view cost_currency(const struct cost_config *c, size_t i);

/* Row of a scenario's region; an empty one is --region. */
const struct price_region *cost_region(const struct cost_config *c, struct view region);

/* Prices per kWh in currency[]: those reckoned with there, and those of the table. */
static inline const double *cost_energy_prices(const struct cost_config *c,
                                               const struct price_region *r)
{
    return c->energy_kwh + r->index * c->counted;
}

static inline const double *cost_table_prices(const struct cost_config *c,
                                              const struct price_region *r)
{
    return c->table_kwh + r->index * c->counted;
}

#endif
