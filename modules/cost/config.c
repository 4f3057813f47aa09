/*
 * config.c - options and pricing file → prices in every currency that is asked for.
 *
 * Every figure is converted once, directly from the currency its price is in. A pair
 * of currencies that some price needs and nobody gave a rate for is therefore an error
 * here, when it can still be put right, and never a rate of 1 or one by way of a third
 * currency. The counters are always kept in USD too, so rates to USD are needed in any
 * case.
 *
 * All regions of the table are converted, whether or not a run names them: a run may
 * name any of them at any time, and the whole table is served for comparison.
 */
#include "modules/cost/config.h"

#include "core/mem.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TOPIC "prices"

enum { COMPARE_MAX = 100 };

const struct option cost_options[] = {
    { .name = "energy-cost",
      .type = OPT_DOUBLE,
      .offset = offsetof(struct cost_config, energy_cost),
      .env = "ENERGY_COST|ENERGY_COST_PER_KWH",
      .value = "X",
      .help = "price of 1 kWh in the first currency; unset: the region's; 0: free "
              "(as a variable: unset)",
      .topic = TOPIC,
      .max = 1e18,
      .env_zero_unset = true },
    { .name = "cpu-cost",
      .type = OPT_DOUBLE,
      .offset = offsetof(struct cost_config, cpu_cost),
      .env = "CPU_COST|CPU_COST_PER_HOUR",
      .value = "X",
      .help = "price of a core-hour in the first currency; unset: 0.50 USD",
      .topic = TOPIC,
      .max = 1e18 },
    { .name = "gpu-cost",
      .type = OPT_DOUBLE,
      .offset = offsetof(struct cost_config, gpu_cost),
      .env = "GPU_COST",
      .value = "X",
      .help = "price of a GPU-hour in the first currency; unset: that of a core-hour",
      .topic = TOPIC,
      .max = 1e18 },
    { .name = "wall-clock-cores",
      .type = OPT_DOUBLE,
      .offset = offsetof(struct cost_config, wall_clock_cores),
      .preset = "1",
      .value = "N",
      .help = "cores billed where no usage is known",
      .topic = TOPIC,
      .min = 0.001,
      .max = 1e6 },
    { .name = "pue",
      .type = OPT_DOUBLE,
      .offset = offsetof(struct cost_config, pue),
      .preset = "1.0",
      .value = "X",
      .help = "power usage effectiveness of the site: multiplies energy for cost and "
              "CO2",
      .topic = TOPIC,
      .min = 1,
      .max = 10 },
    { .name = "disable-load-aware",
      .type = OPT_BOOL,
      .offset = offsetof(struct cost_config, wall_clock_only),
      .help = "bill by wall clock only, whatever usage is known",
      .topic = TOPIC },
    { .name = "currency",
      .type = OPT_STRING,
      .offset = offsetof(struct cost_config, currency_list),
      .env = "CURRENCY",
      .preset = "USD",
      .value = "LIST",
      .help = "currencies that costs are served in, as ISO 4217 codes: USD,EUR,SEK",
      .topic = TOPIC },
    { .name = "region",
      .type = OPT_STRING,
      .offset = offsetof(struct cost_config, region_name),
      .env = "REGION",
      .preset = "default",
      .value = "NAME",
      .help = "region of scenarios that name none",
      .topic = TOPIC },
    { .name = "compare-regions",
      .type = OPT_STRING,
      .offset = offsetof(struct cost_config, compare_list),
      .value = "LIST",
      .help = "regions in which every scenario is reckoned as well",
      .topic = TOPIC },
    { .name = "pricing-config",
      .type = OPT_FILE,
      .offset = offsetof(struct cost_config, pricing_file),
      .env = "PRICING_CONFIG",
      .value = "FILE",
      .help = "prices, CO2 intensities and exchange rates (JSON), read again when it "
              "changes",
      .topic = TOPIC },
    { 0 },
};

struct view cost_currency(const struct cost_config *c, size_t i)
{
    return view_of(c->pricing.codes[c->currency[i]]);
}

const struct price_region *cost_region(const struct cost_config *c, struct view region)
{
    return region.n && !view_eq(region, c->home) ? pricing_region(&c->pricing, region)
                                                 : &c->home_row;
}

/* The table stays as it is: what it says of "default" holds for other regions, too. */
static void make_home(struct cost_config *c, const struct carbon_now *now)
{
    c->home_row = *pricing_region(&c->pricing, c->home);
    if (!now->known)
        return;
    c->home_row.co2_kg_per_kwh = now->kg_per_kwh;
    c->home_row.co2_source = PRICE_ELECTRICITYMAPS;
    c->home_row.co2_as_of_s = now->as_of_s;
    c->zone = arena_copy(&c->pricing.mem, view_of(now->zone ? now->zone : ""));
}

/* ---- lists ---------------------------------------------------------------------- */

static int add_currency(struct cost_config *c, struct view text, struct err *e)
{
    char code[CURRENCY_CODE];
    struct view upper = { code, text.n };
    currency_id id;

    for (size_t i = 0; i < text.n && i < CURRENCY_CODE; i++)
        code[i] = (char)(text.p[i] >= 'a' && text.p[i] <= 'z' ? text.p[i] - 'a' + 'A'
                                                              : text.p[i]);
    if (!currency_code_valid(upper))
        return err_set(e, -EINVAL,
                       "--currency: \"%.*s\" is no currency code (three letters, like "
                       "USD; several with commas: USD,EUR)",
                       VIEW_ARG(text));
    if (c->shown == SHOWN_MAX)
        return err_set(e, -EINVAL, "--currency: more than %d currencies", SHOWN_MAX);
    if (pricing_add_currency(&c->pricing, upper, &id) < 0)
        return err_set(e, -EINVAL, "--currency: %.*s is one currency too many (%d)",
                       VIEW_ARG(upper), CURRENCIES_MAX);
    for (size_t i = 0; i < c->shown; i++)
        if (c->currency[i] == id)
            return err_set(e, -EINVAL, "--currency: %.*s is given twice",
                           VIEW_ARG(upper));
    c->currency[c->shown++] = id;
    return 0;
}

static int read_currencies(struct cost_config *c, struct err *e)
{
    struct view rest = view_of(c->currency_list), part;
    currency_id usd = 0;

    while (view_split(&rest, ',', &part)) {
        int rc = add_currency(c, view_trim(part), e);

        if (rc < 0)
            return rc;
    }
    (void)pricing_add_currency(&c->pricing, VIEW("USD"), &usd); /* built in */
    c->usd = 0;
    while (c->usd < c->shown && c->currency[c->usd] != usd)
        c->usd++;
    c->counted = c->shown;
    if (c->usd == c->shown)
        c->currency[c->counted++] = usd;
    return 0;
}

static int read_compared(struct cost_config *c, struct err *e)
{
    struct view rest = view_trim(view_of(c->compare_list)), part;

    if (rest.n == 0)
        return 0;
    c->compare = mem_alloc(COMPARE_MAX * sizeof *c->compare);
    while (view_split(&rest, ',', &part)) {
        part = view_trim(part);
        if (part.n == 0)
            return err_set(e, -EINVAL, "--compare-regions: an empty name in the list");
        if (c->compare_count == COMPARE_MAX)
            return err_set(e, -EINVAL, "--compare-regions: more than %d regions",
                           COMPARE_MAX);
        for (size_t i = 0; i < c->compare_count; i++)
            if (view_eq(c->compare[i], part))
                return err_set(e, -EINVAL, "--compare-regions: %.*s is given twice",
                               VIEW_ARG(part));
        c->compare[c->compare_count++] = part;
    }
    return 0;
}

/* ---- conversion ----------------------------------------------------------------- */

/* Pairs that lack a rate, so that one message names all of them. */
struct missing {
    struct {
        currency_id from, to;
    } pair[8];
    size_t count;
    bool more;
    char where[240]; /* what needs the first of them */
};

static void note_missing(struct missing *m, currency_id from, currency_id to,
                         const char *where)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->pair[i].from == from && m->pair[i].to == to)
            return;
    if (m->count == sizeof m->pair / sizeof *m->pair) {
        m->more = true;
        return;
    }
    if (m->count == 0)
        snprintf(m->where, sizeof m->where, "%s", where);
    m->pair[m->count].from = from;
    m->pair[m->count].to = to;
    m->count++;
}

/* One price in every currency; where says whose price it is. */
static void convert(const struct cost_config *c, struct price price, const char *where,
                    double to[], struct missing *m)
{
    for (size_t i = 0; i < c->counted; i++) {
        double rate = pricing_rate(&c->pricing, price.currency, c->currency[i]);

        if (isnan(rate) && !isnan(price.amount))
            note_missing(m, price.currency, c->currency[i], where);
        to[i] = price.amount * rate;
    }
}

static void convert_region(struct cost_config *c, const struct price_region *r,
                           const char *shown, struct missing *m)
{
    char where[240];
    bool from_file = r->own_price && r->per_kwh.source == PRICE_FILE;

    if (from_file)
        snprintf(where, sizeof where, "%.140s: regions.%.*s.currency",
                 c->pricing_file.path, (int)(r->name.n < 60 ? r->name.n : 60),
                 r->name.p);
    convert(c, r->per_kwh, from_file ? where : shown,
            c->table_kwh + r->index * c->counted, m);
}

static int refuse_missing(const struct cost_config *c, const struct missing *m,
                          struct err *e)
{
    const struct pricing *p = &c->pricing;
    struct buf pairs = { 0 };
    int rc;

    for (size_t i = 0; i < m->count; i++)
        buf_fmt(&pairs, "%s%s to %s", i ? ", " : "", p->codes[m->pair[i].from],
                p->codes[m->pair[i].to]);
    buf_str(&pairs, m->more ? " and more" : "");
    rc = err_set(
        e, -EINVAL,
        "%s: no exchange rate from %.*s; add exchange_rates.%s.%s%s to the file "
        "of --pricing-config",
        m->where, VIEW_ARG(buf_as_view(&pairs)), p->codes[m->pair[0].from],
        p->codes[m->pair[0].to], m->count > 1 ? " and the others" : "");
    buf_deinit(&pairs);
    return rc;
}

static int make_prices(struct cost_config *c, struct err *e)
{
    const struct pricing *p = &c->pricing;
    struct price energy = { c->energy_cost, c->currency[0], PRICE_FLAG };
    size_t n = p->region_count * c->counted;
    struct missing m = { .count = 0 };
    char shown[80];

    snprintf(shown, sizeof shown, "--currency %s", c->currency_list);
    c->table_kwh = mem_alloc(n * sizeof *c->table_kwh);
    c->energy_kwh = mem_alloc(n * sizeof *c->energy_kwh);
    if (!isnan(c->energy_cost))
        for (uint32_t i = 0; i < p->region_count; i++)
            convert(c, energy, "--energy-cost", c->energy_kwh + i * c->counted, &m);
    convert(c, p->cpu_per_hour,
            p->cpu_per_hour.source == PRICE_FLAG ? "--cpu-cost" : shown, c->cpu_hour,
            &m);
    convert(c, p->gpu_per_hour,
            p->gpu_per_hour.source == PRICE_FLAG ? "--gpu-cost" : shown, c->gpu_hour,
            &m);
    for (uint32_t i = 0; i < p->region_count; i++)
        convert_region(c, p->regions[i], shown, &m);
    if (m.count > 0)
        return refuse_missing(c, &m, e);
    if (isnan(c->energy_cost))
        memcpy(c->energy_kwh, c->table_kwh, n * sizeof *c->energy_kwh);
    return 0;
}

int cost_configure(void *config, const struct module_context *ctx, struct err *e)
{
    struct cost_config *c = config;
    int rc = 0;

    c->with_run_id = ctx->with_run_id;
    c->version = ctx->version;
    c->home = view_trim(view_of(c->region_name));
    if (c->home.n == 0)
        c->home = VIEW("default");
    pricing_init(&c->pricing);
    if (c->pricing_file.path &&
        pricing_read(&c->pricing, c->pricing_file.text, c->pricing_file.path, e) < 0)
        rc = e ? (e->code = -EBADMSG) : -EBADMSG;
    if (rc == 0)
        rc = read_currencies(c, e);
    if (rc == 0)
        rc = read_compared(c, e);
    if (rc == 0) {
        if (!isnan(c->cpu_cost))
            c->pricing.cpu_per_hour =
                (struct price){ c->cpu_cost, c->currency[0], PRICE_FLAG };
        if (!isnan(c->gpu_cost))
            c->pricing.gpu_per_hour =
                (struct price){ c->gpu_cost, c->currency[0], PRICE_FLAG };
        rc = make_prices(c, e);
        make_home(c, &ctx->carbon);
    }
    if (rc < 0)
        cost_deconfigure(c);
    return rc;
}

void cost_deconfigure(void *config)
{
    struct cost_config *c = config;

    free(c->table_kwh);
    free(c->energy_kwh);
    free(c->compare);
    c->table_kwh = c->energy_kwh = NULL;
    c->compare = NULL;
    c->compare_count = 0;
    pricing_deinit(&c->pricing);
}
