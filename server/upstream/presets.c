#include "server/upstream/presets.h"

#include <string.h>

/* Packages alone: "package.*" would match subzones like package_0_core as well, and count
 * the energy of the cores twice. */
#define PACKAGES "zone=~\"package[-_]?[0-9]+\""
#define CORES                                                                          \
    "sum(rate(container_cpu_usage_seconds_total{name!~\".*POD.*\",name!=\"\"}"         \
    "[$window]))"
/* Containers of a pod have a name; the pod's own cgroup, their sum, has none. */
#define POD_CORES                                                                      \
    "sum(rate(container_cpu_usage_seconds_total{namespace=\"$namespace\","             \
    "pod=\"$pod\",container!=\"\",container!=\"POD\"}[$window]))"
/* Since 0.10, and before. */
#define KEPLER_POD       "{pod_namespace=\"$namespace\",pod_name=\"$pod\",zone=\"package\"}"
#define KEPLER_CONTAINER "{container_namespace=\"$namespace\",pod_name=\"$pod\"}"

static const struct {
    const char *name;
    const char *queries[UPSTREAM_QUANTITIES];
} presets[] = {
    { "rapl",
      { "sum(rapl_power_watts{" PACKAGES "})", CORES,
        "docker_containers_total_cpu_percent",
        "sum(increase(rapl_energy_joules_total{" PACKAGES "}[$range]))" } },
    { "kubernetes",
      { "sum(rapl_power_watts{node=\"$node\"," PACKAGES "})", POD_CORES, "",
        "sum(increase(rapl_energy_joules_total{node=\"$node\"," PACKAGES
        "}[$range]))" } },
    { "kepler",
      { "sum(kepler_pod_cpu_watts" KEPLER_POD ") or "
        "sum(rate(kepler_container_package_joules_total" KEPLER_CONTAINER "[$window]))",
        POD_CORES, "",
        "sum(increase(kepler_pod_cpu_joules_total" KEPLER_POD "[$range])) or "
        "sum(increase(kepler_container_package_joules_total" KEPLER_CONTAINER
        "[$range]))" } },
    { "scaphandre", { "sum(scaph_host_power_microwatts) / 1e6", CORES, "", "" } },
    { "dcgm",
      { "sum(DCGM_FI_DEV_POWER_USAGE)", CORES, "",
        "sum(increase(DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION[$range])) / 1e3" } },
};

const char *preset_query(const char *preset, enum upstream_quantity q)
{
    size_t i = sizeof presets / sizeof *presets - 1;

    while (i > 0 && strcmp(presets[i].name, preset) != 0)
        i--;
    return presets[i].queries[q];
}
