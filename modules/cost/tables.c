/*
 * tables.c - what figures are reckoned with, told to machines and people.
 *
 * Regions in use are --region and those that served runs name, in order of appearance.
 * --energy-cost is the price of all of them; the tables of known regions are served as
 * they are, so that a board can compare.
 */
#include "modules/cost/tables.h"

#include "core/date.h"
#include "core/mem.h"
#include "modules/cost/families.h"

#include <math.h>
#include <stdlib.h>

static struct labels region_labels(struct series *out, struct view region,
                                   struct view currency)
{
    struct labels l = labels_open(out);

    labels_add(out, &l, "region", region);
    labels_add(out, &l, "currency", currency);
    return l;
}

/* ---- counters ------------------------------------------------------------------- */

static void add_account(const struct cost_config *c, const struct ledger *l,
                        const struct account *a, struct view region, struct series *out)
{
    double created_s = a ? a->created_s : NAN;
    struct labels labels;

    for (size_t i = 0; i < c->counted; i++) {
        labels = region_labels(out, region, cost_currency(c, i));
        series_add(out, COST_ACCRUED, labels, a ? ledger_amount(l, a, c, i) : 0);
        series_add_suffix(out, COST_ACCRUED, SUFFIX_CREATED, labels, created_s);
    }
    labels = region_labels(out, region, (struct view){ 0 });
    series_add(out, CO2_ACCRUED, labels, a ? a->co2_kg : 0);
    series_add_suffix(out, CO2_ACCRUED, SUFFIX_CREATED, labels, created_s);
}

void tables_counters(const struct cost_config *c, const struct ledger *l,
                     struct series *out)
{
    /* increase() needs the 0 before the first growth, so --region is there at once. */
    if (!ledger_account(l, c->home))
        add_account(c, l, NULL, c->home, out);
    for (size_t i = 0; i < l->account_count; i++)
        add_account(c, l, l->accounts[i], l->accounts[i]->region, out);
}

/* ---- regions in use ------------------------------------------------------------- */

static struct labels source_labels(struct series *out, struct view region,
                                   enum price_source source)
{
    struct labels l = labels_open(out);

    labels_add(out, &l, "region", region);
    labels_add(out, &l, "source", price_source_name(source));
    return l;
}

static void add_region(const struct cost_config *c, struct view name,
                       struct series *out)
{
    const struct price_region *r = cost_region(c, name);
    const double *kwh_price = cost_energy_prices(c, r);
    bool flag = !isnan(c->energy_cost);
    struct labels plain;

    for (size_t i = 0; i < c->shown; i++)
        series_add(out, COST_PRICE, region_labels(out, name, cost_currency(c, i)),
                   kwh_price[i]);
    plain = region_labels(out, name, (struct view){ 0 });
    series_add(out, CO2_INTENSITY, plain, r->co2_kg_per_kwh);
    if (!flag)
        series_add(out, COST_PRICE_AS_OF, plain, r->price_as_of_s);
    series_add(out, CO2_INTENSITY_AS_OF, plain, r->co2_as_of_s);
    series_add(out, COST_PRICE_INFO,
               source_labels(out, name, flag ? PRICE_FLAG : r->per_kwh.source), 1);
    series_add(out, CO2_INTENSITY_INFO, source_labels(out, name, r->co2_source), 1);
}

void tables_in_use(const struct cost_config *c, const struct served *all,
                   struct series *out)
{
    struct table done = { 0 };

    add_region(c, c->home, out);
    table_put(&done, c->home, out); /* any pointer: the table is used as a set */
    for (size_t i = 0; i < all->run_count; i++) {
        const struct run *run = all->runs[i];

        for (uint32_t k = 0; k < run->region_count; k++) {
            struct view name = run->regions[k];

            if (name.n == 0 || table_get(&done, name))
                continue;
            table_put(&done, name, out);
            add_region(c, name, out);
        }
    }
    table_deinit(&done);
}

/* ---- the whole table ------------------------------------------------------------ */

void tables_known(const struct cost_config *c, struct series *out)
{
    for (uint32_t i = 0; i < c->pricing.region_count; i++) {
        const struct price_region *r = c->pricing.regions[i];
        const double *kwh_price = cost_table_prices(c, r);

        for (size_t k = 0; r->own_price && k < c->shown; k++)
            series_add(out, COST_KNOWN_PRICE,
                       region_labels(out, r->name, cost_currency(c, k)), kwh_price[k]);
        if (r->own_co2)
            series_add(out, CO2_KNOWN_INTENSITY,
                       region_labels(out, r->name, (struct view){ 0 }),
                       r->co2_kg_per_kwh);
    }
}

void tables_rates(const struct cost_config *c, struct series *out)
{
    const struct pricing *p = &c->pricing;

    for (currency_id from = 0; from < p->currency_count; from++)
        for (currency_id to = 0; to < p->currency_count; to++) {
            double rate = pricing_rate(p, from, to);
            struct labels l;

            if (from == to || isnan(rate))
                continue;
            l = labels_open(out);
            labels_add(out, &l, "from", view_of(p->codes[from]));
            labels_add(out, &l, "to", view_of(p->codes[to]));
            series_add(out, COST_RATE, l, rate);
        }
}

/* ---- for people ----------------------------------------------------------------- */

static void add_amount(struct buf *b, const struct cost_config *c, struct price p,
                       const char *unit)
{
    buf_decimal(b, p.amount);
    buf_char(b, ' ');
    buf_str(b, c->pricing.codes[p.currency]);
    buf_str(b, unit);
}

static void add_day(struct buf *b, double as_of_s)
{
    char day[DATE_TEXT_MAX];

    if (isnan(as_of_s))
        return;
    date_write(as_of_s, day);
    buf_str(b, " of ");
    buf_str(b, day);
}

static void row(struct about *out, const char *what, struct buf *value,
                struct view source)
{
    about_row(out, view_of(what), buf_as_view(value), source);
    buf_release(value);
}

static void about_region(const struct cost_config *c, const struct price_region *r,
                         struct view name, struct about *out)
{
    struct buf what = { 0 }, value = { 0 }, source = { 0 };
    bool flag = !isnan(c->energy_cost);
    struct price price =
        flag ? (struct price){ c->energy_cost, c->currency[0], PRICE_FLAG }
             : r->per_kwh;

    buf_fmt(&what, "region %.*s%s", VIEW_ARG(name),
            view_eq(name, c->home) ? " (where none is named)" : "");
    add_amount(&value, c, price, " per kWh, ");
    buf_decimal(&value, r->co2_kg_per_kwh);
    buf_str(&value, " kg CO2 per kWh");

    buf_view(&source, price_source_name(price.source));
    if (!flag)
        add_day(&source, r->price_as_of_s);
    if (price.source != r->co2_source ||
        isnan(r->price_as_of_s) != isnan(r->co2_as_of_s) ||
        r->price_as_of_s < r->co2_as_of_s || r->price_as_of_s > r->co2_as_of_s) {
        buf_str(&source, ", CO2 ");
        buf_view(&source, price_source_name(r->co2_source));
        if (r->co2_source == PRICE_ELECTRICITYMAPS)
            buf_fmt(&source, " %.*s", VIEW_ARG(c->zone));
        add_day(&source, r->co2_as_of_s);
    }
    if (r->note.n > 0) {
        buf_str(&source, ": ");
        buf_view(&source, r->note);
    }
    about_row(out, buf_as_view(&what), buf_as_view(&value), buf_as_view(&source));
    buf_deinit(&what);
    buf_deinit(&value);
    buf_deinit(&source);
}

static void about_rates(const struct cost_config *c, struct about *out)
{
    const struct pricing *p = &c->pricing;
    struct buf value = { 0 };

    for (currency_id from = 0; from < p->currency_count; from++) {
        for (currency_id to = 0; to < p->currency_count; to++) {
            double rate = pricing_rate(p, from, to);

            if (from == to || isnan(rate))
                continue;
            if (value.n > 0)
                buf_str(&value, ", ");
            buf_decimal(&value, rate);
            buf_char(&value, ' ');
            buf_str(&value, p->codes[to]);
        }
        if (value.n > 0) {
            struct buf what = { 0 };

            buf_fmt(&what, "1 %s is", p->codes[from]);
            buf_char(&what, '\0');
            row(out, what.p, &value, (struct view){ 0 });
            buf_deinit(&what);
        }
    }
    buf_deinit(&value);
}

void tables_about(const struct cost_config *c, struct about *out)
{
    const struct pricing *p = &c->pricing;
    struct buf value = { 0 };

    for (size_t i = 0; i < c->shown; i++) {
        buf_str(&value, i ? ", " : "");
        buf_view(&value, cost_currency(c, i));
    }
    row(out, "currencies", &value, (struct view){ 0 });

    add_amount(&value, c, p->cpu_per_hour, " per core-hour");
    row(out, "CPU", &value, price_source_name(p->cpu_per_hour.source));
    if (!isnan(p->gpu_per_hour.amount)) {
        add_amount(&value, c, p->gpu_per_hour, " per GPU-hour");
        row(out, "GPU", &value, price_source_name(p->gpu_per_hour.source));
    } else {
        buf_str(&value, "not set: a GPU's usage costs as a core's");
        row(out, "GPU", &value, (struct view){ 0 });
    }
    if (c->pue > 1) {
        buf_decimal(&value, c->pue);
        row(out, "energy paid for per energy measured", &value, VIEW("flag"));
    }
    buf_deinit(&value);

    about_region(c, cost_region(c, c->home), c->home, out);
    for (uint32_t i = 0; i < p->region_count; i++)
        if (!view_eq(p->regions[i]->name, c->home))
            about_region(c, p->regions[i], p->regions[i]->name, out);
    about_rates(c, out);
}
