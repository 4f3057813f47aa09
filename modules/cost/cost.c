/*
 * cost.c - quantities times prices, as series.
 *
 * Every figure is served once per currency of --currency, in prices that were converted
 * when the configuration was made. Figures that do not exist (no energy known, no
 * pixels, no baseline) are left out. Totals are the sum of the parts that are known,
 * and cost_basis_info tells which those are.
 *
 * Projections to a month are for the energy alone, of an encode that would run all
 * month; summed over scenarios they would count one machine many times.
 */
#include "modules/cost/cost.h"

#include "modules/cost/bill.h"
#include "modules/cost/config.h"
#include "modules/cost/ledger.h"
#include "modules/cost/quote.h"
#include "modules/cost/tables.h"

#include "modules/cost/families.h"

#include <math.h>

#define HOURS_PER_MONTH 720.0 /* 30 days, as the boards reckon */
#define SERVICE         VIEW("cost-analysis")

/* What a label set of the cost families has of its own. */
struct variant {
    struct view region, currency; /* empty: without */
    struct view energy, compute;  /* of cost_basis_info */
};

static struct labels add_labels(const struct cost_config *c, const struct place *at,
                                const struct variant *v, struct series *out)
{
    const struct scenario *s = at->s;
    struct labels l = labels_open(out);

    labels_add(out, &l, "scenario", s->name);
    labels_add(out, &l, "region", v->region);
    labels_add(out, &l, "currency", v->currency);
    labels_add(out, &l, "streams", s->streams);
    labels_add(out, &l, "bitrate", s->bitrate);
    labels_add(out, &l, "encoder", s->encoder);
    labels_add(out, &l, "resolution", s->resolution);
    labels_add(out, &l, "preset", s->preset);
    labels_add(out, &l, "service", SERVICE);
    labels_add(out, &l, "energy", v->energy);
    labels_add(out, &l, "compute", v->compute);
    if (c->with_run_id)
        labels_add(out, &l, "run_id", at->run->id);
    if (at->ordinal > 1)
        labels_add_u64(out, &l, "repeat", at->ordinal);
    return l;
}

/* a / b; unknown where b is 0 or unknown. */
static double per(double a, double b)
{
    return b > 0 ? a / b : NAN;
}

static void add_money(const struct cost_config *c, const struct place *at,
                      const struct bill *b, struct view region, size_t i,
                      double kwh_price, struct series *out)
{
    const struct facts *f = &at->s->facts;
    const struct facts *base = at->baseline ? &at->baseline->facts : NULL;
    bool is_usd = i == c->usd;

    /* USD that nobody asked for serves one family alone. */
    if (i >= c->shown && isnan(f->mean_power_w))
        return;

    struct variant v = { .region = region, .currency = cost_currency(c, i) };
    struct labels l = add_labels(c, at, &v, out);
    double hourly = bill_kw(c, f->mean_power_w) * kwh_price;

    if (i < c->shown) {
        double energy = b->energy_kwh * kwh_price;
        double compute = bill_compute(b, c->cpu_hour[i], c->gpu_hour[i]);
        double total = bill_sum(energy, compute);
        double watch_hours = f->content_s / SECONDS_PER_HOUR * f->viewers;

        series_add(out, COST_ENERGY, l, energy);
        series_add(out, COST_COMPUTE, l, compute);
        series_add(out, COST_TOTAL, l, total);
        if (scenario_stands(at->s) != SCENARIO_TOLD)
            series_add(out, COST_SO_FAR, l, total);
        series_add(out, COST_PER_PIXEL, l, per(total, f->pixels));
        series_add(out, COST_PER_WATCH_HOUR, l, per(total, watch_hours));
    }
    if (is_usd)
        series_add(out, COST_USD_PER_HOUR, l, hourly);
    if (i < c->shown) {
        series_add(out, COST_MONTHLY, l, hourly * HOURS_PER_MONTH);
        if (base) {
            double saved_kw = bill_kw(c, base->mean_power_w - f->mean_power_w);

            series_add(out, COST_SAVINGS, l, saved_kw * kwh_price * HOURS_PER_MONTH);
        }
    }
}

static void add_co2(const struct cost_config *c, const struct place *at,
                    const struct bill *b, struct view region, double kg_per_kwh,
                    struct series *out)
{
    const struct facts *f = &at->s->facts;
    struct variant v = { .region = region };
    double hourly = bill_kw(c, f->mean_power_w) * kg_per_kwh;
    struct labels l;

    if (isnan(b->energy_kwh) && isnan(hourly))
        return;
    l = add_labels(c, at, &v, out);
    series_add(out, CO2_EMISSIONS, l, b->energy_kwh * kg_per_kwh);
    series_add(out, CO2_PER_HOUR, l, hourly);
    series_add(out, CO2_MONTHLY, l, hourly * HOURS_PER_MONTH);
    if (at->baseline) {
        double saved_kw =
            bill_kw(c, at->baseline->facts.mean_power_w - f->mean_power_w);

        series_add(out, CO2_AVOIDED, l, saved_kw * kg_per_kwh * HOURS_PER_MONTH);
    }
}

/* The same work reckoned in another region, at the prices of the tables. */
static void add_compared(const struct cost_config *c, const struct place *at,
                         const struct bill *b, struct view region, struct series *out)
{
    const struct price_region *r = cost_region(c, region);
    const double *kwh_price = cost_table_prices(c, r);
    struct variant v = { .region = region };

    for (size_t i = 0; i < c->shown; i++) {
        double compute = bill_compute(b, c->cpu_hour[i], c->gpu_hour[i]);
        double total = bill_sum(b->energy_kwh * kwh_price[i], compute);

        if (isnan(total))
            continue;
        v.currency = cost_currency(c, i);
        series_add(out, COST_IN_REGION, add_labels(c, at, &v, out), total);
    }
    if (isnan(b->energy_kwh))
        return;
    v.currency = (struct view){ 0 };
    series_add(out, CO2_IN_REGION, add_labels(c, at, &v, out),
               b->energy_kwh * r->co2_kg_per_kwh);
}

static void per_scenario(const void *config, const struct place *at, struct series *out)
{
    const struct cost_config *c = config;
    const struct scenario *s = at->s;
    struct view region = s->region.n ? s->region : c->home;
    const struct price_region *r = cost_region(c, region);
    const double *kwh_price = cost_energy_prices(c, r);
    struct bill b;

    bill_scenario(c, s, &b);
    for (size_t i = 0; i < c->counted; i++)
        add_money(c, at, &b, region, i, kwh_price[i], out);
    add_co2(c, at, &b, region, r->co2_kg_per_kwh, out);
    for (size_t i = 0; i < c->compare_count; i++)
        add_compared(c, at, &b, c->compare[i], out);

    const struct variant basis = {
        .region = region,
        .energy = view_of(energy_basis_name(s->facts.energy_basis)),
        .compute = view_of(compute_basis_name(b.basis)),
    };

    series_add(out, COST_BASIS, add_labels(c, at, &basis, out), 1);
}

static void remember(void *memory, const void *config, const struct diff *d,
                     double now_s)
{
    ledger_remember(memory, config, d, now_s);
}

static void forget(void *memory)
{
    ledger_deinit(memory);
}

static void overall(const void *config, const void *memory, const struct served *all,
                    struct series *out)
{
    const struct cost_config *c = config;
    struct labels none = labels_open(out), info;

    series_add(out, COST_ALIVE, none, 1);
    series_add(out, COST_SCENARIOS, none, (double)all->scenario_count);
    info = labels_open(out);
    labels_add(out, &info, "version", view_of(c->version));
    labels_add(out, &info, "language", VIEW("c"));
    labels_add(out, &info, "region", c->home);
    series_add(out, COST_INFO, info, 1);
    tables_counters(c, memory, out);
    tables_in_use(c, all, out);
    tables_known(c, out);
    tables_rates(c, out);
    series_add(out, COST_PUE, none, c->pue);
}

static void about(const void *config, struct about *out)
{
    tables_about(config, out);
}

/* The total in the first currency. */
static double headline(const void *config, const struct place *at, const char **unit)
{
    const struct cost_config *c = config;
    struct view region = at->s->region.n ? at->s->region : c->home;
    double kwh_price = cost_energy_prices(c, cost_region(c, region))[0];
    struct bill b;

    bill_scenario(c, at->s, &b);
    *unit = cost_currency(c, 0).p;
    return bill_sum(b.energy_kwh * kwh_price,
                    bill_compute(&b, c->cpu_hour[0], c->gpu_hour[0]));
}

const struct module module_cost = {
    .abi = MODULE_ABI,
    .name = "cost",
    .title = "Cost and CO2",
    .default_port = 9504,
    .families = cost_families,
    .family_count = COST_FAMILY_COUNT,
    .options = cost_options,
    .config_size = sizeof(struct cost_config),
    .memory_size = sizeof(struct ledger),
    .configure = cost_configure,
    .deconfigure = cost_deconfigure,
    .per_scenario = per_scenario,
    .remember = remember,
    .forget = forget,
    .overall = overall,
    .about = about,
    .headline = headline,
    .tariff = cost_quote,
};
