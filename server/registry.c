#include "server/registry.h"

#include "modules/cost/cost.h"
#include "modules/qoe/qoe.h"
#include "modules/results/results.h"

const struct module *const registry[] = { &module_results, &module_qoe, &module_cost };
const size_t registry_count = sizeof registry / sizeof *registry;

_Static_assert(sizeof registry / sizeof *registry <= MODULES_MAX, "raise MODULES_MAX");

int registry_find(struct view name)
{
    for (size_t i = 0; i < registry_count; i++)
        if (view_eq(view_of(registry[i]->name), name))
            return (int)i;
    return -1;
}
