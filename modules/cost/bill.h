/*
 * bill.h - how much of what can be billed a scenario used.
 *
 * Quantities, not money: prices change, quantities only grow.
 */
#ifndef MODULES_COST_BILL_H
#define MODULES_COST_BILL_H

#include "modules/cost/config.h"

#define SECONDS_PER_HOUR 3600.0

struct bill {                 /* NaN: unknown */
    double energy_kwh;        /* with what the building around it used (--pue) */
    double cpu_hours;         /* core-hours */
    double gpu_hours;         /* NaN: no GPU to bill */
    bool gpu_by_usage;        /* a GPU without a price of its own costs as a core */
    enum compute_basis basis; /* what the hours rest on */
};

/*
 * Core-seconds where usage is known, else (or with --disable-load-aware always) duration
 * times --wall-clock-cores. A GPU is billed by its usage; without any usage data by the
 * clock, where encoder_type is "gpu".
 */
void bill_scenario(const struct cost_config *c, const struct scenario *s,
                   struct bill *out);

/* Power in W → kW to pay for. */
double bill_kw(const struct cost_config *c, double power_w);

/* Price of a GPU-hour of this bill, gpu_price being that which is set (NaN: none): by
 * usage the CPU's stands in, by the clock such a GPU costs nothing extra. */
double bill_gpu_price(const struct bill *b, double cpu_price, double gpu_price);

/* Money for the hours at prices per hour; NaN where the core-hours are unknown. */
double bill_compute(const struct bill *b, double cpu_price, double gpu_price);

/* a + b, where an unknown one does not count; NaN where both are unknown. */
double bill_sum(double a, double b);

#endif
