#include "modules/predict/tell_inner.h"

#include "modules/predict/response.h"

#include <math.h>

#define JOULES_PER_KWH   3.6e6 /* exact: 1000 W for 3600 s */
#define SECONDS_PER_HOUR 3600.0

bool tell_tariff(const struct tell_context *c, struct view region, struct tariff *out)
{
    return c->tariff && c->tariff(c->ctx, region, out);
}

/* a + b, where an unknown one does not count. */
static double sum_known(double a, double b)
{
    return isnan(a) ? b : isnan(b) ? a : a + b;
}

/* What no double holds is not known. */
static double held(double v)
{
    return isfinite(v) ? round4(v) : (double)NAN;
}

double tell_cost(double energy_j, double core_seconds, const struct tariff_prices *in)
{
    return held(sum_known(energy_j / JOULES_PER_KWH * in->per_kwh,
                          core_seconds / SECONDS_PER_HOUR * in->per_core_hour));
}

/* An end that only one of two known parts has would be no end of the sum. */
static double end_cost(double energy_j, double core_s, const struct whatif_outlook *w,
                       const struct tariff_prices *in)
{
    bool lacks_energy = isnan(energy_j) && !isnan(w->energy_j.value);
    bool lacks_cores = isnan(core_s) && !isnan(w->core_seconds.value);

    if (lacks_energy || lacks_cores)
        return NAN;
    return tell_cost(energy_j * SECONDS_PER_HOUR, core_s * SECONDS_PER_HOUR, in);
}

struct estimate tell_hourly_cost(const struct whatif_outlook *w,
                                 const struct tariff_prices *in)
{
    const struct estimate *e = &w->energy_j, *c = &w->core_seconds;

    return (struct estimate){
        .value = end_cost(e->value, c->value, w, in),
        .low = end_cost(e->low, c->low, w, in),
        .high = end_cost(e->high, c->high, w, in),
    };
}

struct estimate tell_hourly_co2_kg(const struct whatif_outlook *w,
                                   const struct tariff *t)
{
    double kg = SECONDS_PER_HOUR / JOULES_PER_KWH * t->co2_kg_per_kwh;

    return (struct estimate){
        .value = held(w->energy_j.value * kg),
        .low = held(w->energy_j.low * kg),
        .high = held(w->energy_j.high * kg),
    };
}
