/*
 * families.c - the tables of families, for docs/metrics.md: part, name, type, help, one
 * family on a line, with tabs between.
 *
 * They are those that the program serves from, linked from the same objects.
 */
#include <stdio.h>

#include "modules/compare/compare.h"
#include "modules/live/tell.h"
#include "modules/predict/tell.h"
#include "server/carbon/carbon.h"
#include "server/compute/computation.h"
#include "server/live/live.h"
#include "server/power/sampler.h"
#include "server/predict/forecast.h"
#include "server/push/push.h"
#include "server/registry.h"
#include "server/self.h"
#include "server/upstream/upstream.h"

static const char *type_name(enum family_type type)
{
    switch (type) {
    case COUNTER:
        return "counter";
    case HISTOGRAM:
        return "histogram";
    default:
        return "gauge";
    }
}

static void print(const char *part, const struct family *families, size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf("%s\t%s\t%s\t%s\n", part, families[i].name, type_name(families[i].type),
               families[i].help);
}

static void print_predictions(void)
{
    static const char *const parts[TELL_ON_COUNT] = {
        [TELL_RESULTS] = "results predictions",
        [TELL_QOE] = "qoe predictions",
        [TELL_COST] = "cost predictions",
        [TELL_ML] = "ml",
    };

    for (int on = 0; on < TELL_ON_COUNT; on++) {
        struct tell_families f = tell_families((enum tell_on)on);

        print(parts[on], f.all, f.count);
    }
}

int main(void)
{
    static const struct {
        const char *part;
        const struct family *(*families)(size_t *count);
    } of_the_process[] = {
        { "process", self_families },      { "power", sampler_families },
        { "upstream", upstream_families }, { "predict", forecast_families },
        { "push", push_families },         { "carbon", carbon_families },
        { "live", live_families },         { "compute", computation_families },
    };
    size_t count;

    for (size_t i = 0; i < registry_count; i++)
        print(registry[i]->name, registry[i]->families, registry[i]->family_count);
    print("qoe comparison", compare_families, COMPARE_FAMILIES);
    print_predictions();
    print("results live", live_results_families, live_results_family_count);
    print("qoe live", live_qoe_families, live_qoe_family_count);
    for (size_t i = 0; i < sizeof of_the_process / sizeof *of_the_process; i++) {
        const struct family *f = of_the_process[i].families(&count);

        print(of_the_process[i].part, f, count);
    }
    return 0;
}
