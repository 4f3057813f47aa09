#include "modules/cost/bill.h"

#include <math.h>

#define JOULES_PER_KWH 3.6e6 /* exact: 1000 W for 3600 s */
#define WATTS_PER_KW   1000.0

double bill_kw(const struct cost_config *c, double power_w)
{
    return power_w / WATTS_PER_KW * c->pue;
}

void bill_scenario(const struct cost_config *c, const struct scenario *s,
                   struct bill *out)
{
    const struct facts *f = &s->facts;
    bool cpu_usage = !c->wall_clock_only && !isnan(f->core_seconds);
    bool gpu_usage = cpu_usage && !isnan(f->gpu_core_seconds);

    *out = (struct bill){
        .energy_kwh = f->energy_j / JOULES_PER_KWH * c->pue,
        .cpu_hours = f->core_seconds / SECONDS_PER_HOUR,
        .gpu_hours = NAN,
        .gpu_by_usage = gpu_usage,
        .basis = f->compute_basis,
    };
    if (!cpu_usage) {
        out->cpu_hours = f->duration_s / SECONDS_PER_HOUR * c->wall_clock_cores;
        out->basis = isnan(f->duration_s) ? COMPUTE_NONE : COMPUTE_WALL_CLOCK;
    }
    if (gpu_usage)
        out->gpu_hours = f->gpu_core_seconds / SECONDS_PER_HOUR;
    else if (!cpu_usage && view_eq(s->encoder_type, VIEW("gpu")))
        out->gpu_hours = f->duration_s / SECONDS_PER_HOUR;
}

double bill_gpu_price(const struct bill *b, double cpu_price, double gpu_price)
{
    if (!isnan(gpu_price))
        return gpu_price;
    return b->gpu_by_usage ? cpu_price : 0;
}

double bill_compute(const struct bill *b, double cpu_price, double gpu_price)
{
    double cost = b->cpu_hours * cpu_price;

    if (!isnan(b->gpu_hours))
        cost += b->gpu_hours * bill_gpu_price(b, cpu_price, gpu_price);
    return cost;
}

double bill_sum(double a, double b)
{
    return isnan(a) ? b : isnan(b) ? a : a + b;
}
