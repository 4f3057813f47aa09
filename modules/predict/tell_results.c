#include "modules/predict/tell_inner.h"

#include "core/scenario_labels.h"

#include <math.h>

static struct labels model_labels(const struct model_report *m, struct series *out)
{
    struct labels l = labels_open(out);

    labels_add(out, &l, "model", view_of(m->model));
    labels_add(out, &l, "target", view_of(target_name(m->target)));
    labels_add(out, &l, "scope", view_of(scope_name(m->scope)));
    labels_add(out, &l, "group", m->group);
    return l;
}

void tell_models(const struct outlook *o, struct series *out)
{
    size_t count = 0;
    const struct model_report *all = outlook_models(o, &count);

    for (size_t i = 0; i < count; i++) {
        const struct model_report *m = &all[i];
        struct labels l = model_labels(m, out);

        series_add(out, RESULTS_R2, l, m->r2);
        series_add(out, RESULTS_RMSE, l, m->rmse);
        series_add(out, RESULTS_SAMPLES, l, m->samples);
        series_add(out, RESULTS_COVERAGE, l, m->coverage);
        l = model_labels(m, out);
        labels_add(out, &l, "features", m->features);
        series_add(out, RESULTS_MODEL, l, 1);
    }
}

static void add_cost(const struct scenario_outlook *s, const struct place *at,
                     const struct tell_context *c, struct series *out)
{
    struct tariff t;

    if (!tell_tariff(c, at->s->region, &t))
        return;
    for (size_t i = 0; i < t.count; i++) {
        double cost = tell_cost(s->energy_j, s->core_seconds, &t.in[i]);
        struct labels l;

        if (isnan(cost))
            continue;
        l = scenario_labels(at, out);
        labels_add(out, &l, "currency", view_of(t.in[i].currency));
        series_add(out, RESULTS_COST, l, cost);
    }
}

void tell_scenario(const struct outlook *o, const struct place *at, uint32_t index,
                   const struct tell_context *c, struct series *out)
{
    const struct scenario_outlook *s = outlook_scenario(o, at->run->id, index);
    struct labels l;

    if (!s)
        return;
    l = scenario_labels(at, out);
    series_add(out, RESULTS_POWER, l, s->power_w.value);
    series_add(out, RESULTS_ENERGY, l, s->energy_j);
    series_add(out, RESULTS_EFFICIENCY, l, s->efficiency);
    add_cost(s, at, c, out);
    series_add(out, RESULTS_LOW, l, s->power_w.low);
    series_add(out, RESULTS_HIGH, l, s->power_w.high);
}
