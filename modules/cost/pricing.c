/*
 * pricing.c - the built-in tables, and look-ups in them.
 *
 * eu-west-1 is Ireland to its cloud; its Swedish figures are kept as they are, because
 * boards and bills were made with them. The rates are not inverses of each other, and
 * a pair without a rate has none: it is never derived through a third currency.
 */
#include "modules/cost/pricing.h"

#include "core/mem.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static const struct {
    const char *name, *currency;
    double per_kwh, co2_kg_per_kwh;
} builtin[] = {
    { "us-east-1", "USD", 0.13, 0.45 },      { "us-east-2", "USD", 0.11, 0.45 },
    { "us-west-2", "USD", 0.10, 0.30 },      { "us-west-1", "USD", 0.19, 0.22 },
    { "eu-west-1", "SEK", 1.85, 0.12 },      { "eu-north-1", "SEK", 0.74, 0.12 },
    { "eu-central-1", "EUR", 0.18, 0.40 },   { "eu-south-1", "EUR", 0.22, 0.35 },
    { "ap-northeast-1", "USD", 0.24, 0.48 }, { "ap-southeast-1", "USD", 0.18, 0.52 },
    { "ap-southeast-2", "USD", 0.21, 0.65 }, { "default", "USD", 0.12, 0.50 },
};

static const struct {
    const char *from, *to;
    double rate;
} builtin_rates[] = {
    { "USD", "EUR", 0.92 },  { "USD", "SEK", 10.50 }, { "EUR", "USD", 1.09 },
    { "EUR", "SEK", 11.40 }, { "SEK", "USD", 0.095 }, { "SEK", "EUR", 0.088 },
};

#define BUILTIN_CPU_USD_PER_HOUR 0.50

struct view price_source_name(enum price_source s)
{
    static const char *const names[] = { "builtin", "file", "flag", "electricitymaps" };

    return view_of(names[s]);
}

bool currency_code_valid(struct view code)
{
    if (code.n != CURRENCY_CODE)
        return false;
    for (size_t i = 0; i < code.n; i++)
        if (code.p[i] < 'A' || code.p[i] > 'Z')
            return false;
    return true;
}

static void make_room(struct pricing *p)
{
    currency_id cap = p->currency_cap ? (currency_id)(p->currency_cap * 2) : 4;
    double *rates = mem_alloc((size_t)cap * cap * sizeof *rates);

    for (size_t i = 0; i < (size_t)cap * cap; i++)
        rates[i] = NAN;
    for (size_t from = 0; from < p->currency_count; from++)
        for (size_t to = 0; to < p->currency_count; to++)
            rates[from * cap + to] = p->rates[from * p->currency_cap + to];
    free(p->rates);
    p->rates = rates;
    p->codes = mem_resize(p->codes, cap, sizeof *p->codes);
    p->currency_cap = cap;
}

int pricing_add_currency(struct pricing *p, struct view code, currency_id *out)
{
    currency_id i;

    for (i = 0; i < p->currency_count; i++)
        if (memcmp(p->codes[i], code.p, CURRENCY_CODE) == 0) {
            *out = i;
            return 0;
        }
    if (p->currency_count == CURRENCIES_MAX)
        return -E2BIG;
    if (p->currency_count == p->currency_cap)
        make_room(p);
    memcpy(p->codes[i], code.p, CURRENCY_CODE);
    p->codes[i][CURRENCY_CODE] = '\0';
    p->rates[(size_t)i * p->currency_cap + i] = 1;
    p->currency_count++;
    *out = i;
    return 0;
}

/* Of a code that is in the program: the limit is out of reach. */
static currency_id known_currency(struct pricing *p, const char *code)
{
    currency_id id = 0;

    (void)pricing_add_currency(p, view_of(code), &id);
    return id;
}

void pricing_set_rate(struct pricing *p, currency_id from, currency_id to, double rate)
{
    p->rates[(size_t)from * p->currency_cap + to] = rate;
}

double pricing_rate(const struct pricing *p, currency_id from, currency_id to)
{
    return p->rates[(size_t)from * p->currency_cap + to];
}

struct price_region *pricing_add_region(struct pricing *p, struct view name)
{
    struct price_region *r = table_get(&p->by_name, name);

    if (r)
        return r;
    r = arena_new(&p->mem, struct price_region, 1);
    *r = (struct price_region){
        .name = arena_copy(&p->mem, name),
        .index = p->region_count,
        .per_kwh = { .amount = NAN },
        .co2_kg_per_kwh = NAN,
        .price_as_of_s = NAN,
        .co2_as_of_s = NAN,
    };
    if (p->region_count == p->region_cap) {
        p->region_cap = p->region_cap ? p->region_cap * 2 : 16;
        p->regions = mem_resize(p->regions, p->region_cap, sizeof *p->regions);
    }
    p->regions[p->region_count++] = r;
    table_put(&p->by_name, r->name, r);
    return r;
}

const struct price_region *pricing_region(const struct pricing *p, struct view name)
{
    const struct price_region *r = table_get(&p->by_name, name);

    return r ? r : p->fallback;
}

void pricing_complete(struct pricing *p)
{
    for (uint32_t i = 0; i < p->region_count; i++) {
        struct price_region *r = p->regions[i];

        if (!r->own_price) {
            r->per_kwh = p->fallback->per_kwh;
            r->price_as_of_s = p->fallback->price_as_of_s;
        }
        if (!r->own_co2) {
            r->co2_kg_per_kwh = p->fallback->co2_kg_per_kwh;
            r->co2_source = p->fallback->co2_source;
            r->co2_as_of_s = p->fallback->co2_as_of_s;
        }
    }
}

void pricing_init(struct pricing *p)
{
    *p = (struct pricing){ 0 };
    for (size_t i = 0; i < sizeof builtin / sizeof *builtin; i++) {
        struct price_region *r = pricing_add_region(p, view_of(builtin[i].name));

        r->per_kwh.amount = builtin[i].per_kwh;
        r->per_kwh.currency = known_currency(p, builtin[i].currency);
        r->co2_kg_per_kwh = builtin[i].co2_kg_per_kwh;
        r->own_price = r->own_co2 = true;
        p->fallback = r; /* the last row is "default" */
    }
    for (size_t i = 0; i < sizeof builtin_rates / sizeof *builtin_rates; i++)
        pricing_set_rate(p, known_currency(p, builtin_rates[i].from),
                         known_currency(p, builtin_rates[i].to), builtin_rates[i].rate);
    p->cpu_per_hour = (struct price){ BUILTIN_CPU_USD_PER_HOUR,
                                      known_currency(p, "USD"), PRICE_BUILTIN };
    p->gpu_per_hour = (struct price){ .amount = NAN };
}

void pricing_deinit(struct pricing *p)
{
    table_deinit(&p->by_name);
    free(p->regions);
    free(p->codes);
    free(p->rates);
    arena_deinit(&p->mem);
    *p = (struct pricing){ 0 };
}
