/*
 * ledger_desk.h - a ledger and the prices it charges at, told of files by hand.
 */
#ifndef TESTS_UNIT_LEDGER_DESK_H
#define TESTS_UNIT_LEDGER_DESK_H

#include "tests/unit/module_host.h"

#include "modules/cost/ledger.h"

/* A ledger, and prices it charges at. */
struct desk {
    struct ledger ledger;
    struct cost_config config;
    struct carbon_now carbon;
};

static inline void configure(struct desk *d, const struct given given[], size_t count,
                             const char *file)
{
    const struct module_context ctx = { .version = "1", .carbon = d->carbon };
    struct err e = { 0 };

    d->config = (struct cost_config){ 0 };
    options_fill(cost_options, &d->config, given, count, file);
    if (cost_configure(&d->config, &ctx, &e) < 0)
        fail_msg("configure: %s", e.text);
}

/* Energy 1 USD per kWh, CPU 10 USD per core-hour, GPU 100 USD per hour. */
static const struct given plain[] = { { "energy-cost", "1" },
                                      { "cpu-cost", "10" },
                                      { "gpu-cost", "100" } };

static inline void open_desk(struct desk *d)
{
    *d = (struct desk){ 0 };
    configure(d, plain, 3, NULL);
}

static inline void close_desk(struct desk *d)
{
    ledger_deinit(&d->ledger);
    cost_deconfigure(&d->config);
}

static inline struct scenario used(const char *name, double kwh, double core_hours)
{
    struct scenario s = unknown_scenario(name);

    s.facts.energy_j = kwh * 3.6e6;
    s.facts.core_seconds = core_hours * 3600;
    return s;
}

enum { MAX = 8 };

/* Tells the ledger of a file whose every scenario is new or different. */
static inline void tell(struct desk *d, const char *id, const struct scenario s[],
                        uint32_t count, const struct run *before, bool from_start)
{
    static const uint32_t all[MAX] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    const struct run *run = make_run(id, s, count);
    const struct diff diff = { .id = run->id,
                               .before = before,
                               .after = run,
                               .changed = all,
                               .changed_count = count,
                               .from_start = from_start };

    assert_true(count <= MAX);
    ledger_remember(&d->ledger, &d->config, &diff, 1000);
    run_unref(run);
}

static inline void gone(struct desk *d, const char *id)
{
    const struct diff diff = { .id = view_of(id) };

    ledger_remember(&d->ledger, &d->config, &diff, 2000);
}

static inline double usd(const struct desk *d, const char *region)
{
    const struct account *a = ledger_account(&d->ledger, view_of(region));

    return a ? ledger_amount(&d->ledger, a, &d->config, d->config.usd) : NAN;
}

#endif
