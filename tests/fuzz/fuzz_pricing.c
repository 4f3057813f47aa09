/*
 * fuzz_pricing.c - any bytes as a pricing file: refused with a reason on one line, or
 * prices that are all finite, not negative and reachable in every currency. What the
 * module then says of the tables and of one encode in each region is text that readers
 * of metrics take, with figures that are all finite.
 */
#include "modules/cost/cost.h"

#include "core/mem.h"
#include "core/render.h"
#include "core/utf8.h"
#include "modules/cost/config.h"
#include "modules/cost/families.h"
#include "modules/cost/ledger.h"

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

        require(cost_region(c, r->name)->index == i);
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

/* An encode of which energy, power and duration are known. */
static struct scenario encode_in(struct view region)
{
    struct scenario s = { .name = VIEW("a \\ \"b\"\n"), .streams = VIEW("1") };
    struct facts *f = &s.facts;

    s.region = region;
    f->streams = f->viewers = 1;
    f->duration_s = f->content_s = 3600;
    f->energy_j = f->cpu_energy_j = 3.6e6;
    f->mean_power_w = f->mean_cpu_power_w = 1000;
    f->core_seconds = f->gpu_core_seconds = NAN;
    f->pixels = 1e9;
    f->energy_basis = ENERGY_SAMPLES;
    f->compute_basis = COMPUTE_WALL_CLOCK;
    return s;
}

static void check_series(const struct series *out)
{
    struct series_order order = { 0 };
    struct buf text = { 0 };
    size_t lines = 0, samples = 0;

    for (size_t i = 0; i < out->count; i++) {
        const struct sample *x = &out->samples[i];
        bool is_time =
            x->family == COST_PRICE_AS_OF || x->family == CO2_INTENSITY_AS_OF;

        /* A day may lie before 1970; nothing else is below 0. */
        require(isfinite(x->value) && (is_time || x->value >= 0));
        samples += x->suffix == SUFFIX_NONE;
    }
    series_order(out, module_cost.family_count, &order);
    for (size_t i = 0; i < module_cost.family_count; i++)
        render_samples(out, &order, module_cost.families, i, &text);
    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    require(lines == samples && utf8_valid(buf_as_view(&text)));
    buf_deinit(&text);
    series_order_deinit(&order);
}

/* One encode in every region that the tables know, and in one that they do not. */
static const struct run *run_everywhere(const struct cost_config *c)
{
    uint32_t n = c->pricing.region_count + 1;
    const struct scenario **all = mem_alloc(n * sizeof *all);
    const struct run *run;

    for (uint32_t i = 0; i < n; i++) {
        const struct scenario s =
            encode_in(i + 1 < n ? c->pricing.regions[i]->name : VIEW("nowhere"));

        all[i] = scenario_new(&s);
    }
    run = run_new(VIEW("fuzz"), all, n);
    free(all);
    return run;
}

static void check_served(const struct cost_config *c)
{
    const struct run *run = run_everywhere(c);
    const int64_t mtime_ns = 0;
    const struct served served = { &run, &mtime_ns, 1, run->count, true };
    uint32_t *changed = mem_alloc(run->count * sizeof *changed);
    struct diff d = { .id = run->id, .after = run, .changed = changed };
    struct ledger memory = { 0 };
    struct series out = { 0 };
    struct about about = { 0 };

    for (; d.changed_count < run->count; d.changed_count++)
        changed[d.changed_count] = d.changed_count;
    module_cost.remember(&memory, c, &d, 0);
    module_cost.overall(c, &memory, &served, &out);
    for (uint32_t i = 0; i < run->count; i++) {
        const struct place at = { run, run->scenarios[i], NULL, run->ordinals[i] };

        module_cost.per_scenario(c, &at, &out);
    }
    check_series(&out);
    module_cost.about(c, &about);
    require(about.count >= 2);
    about_deinit(&about);
    series_deinit(&out);
    module_cost.forget(&memory);
    free(changed);
    run_unref(run);
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
        check_served(&c);
        cost_deconfigure(&c);
    } else {
        require(e.code < 0 && e.text[0] && !strchr(e.text, '\n'));
    }
    return 0;
}
