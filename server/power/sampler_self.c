#include "server/power/sampler_inner.h"

#include <math.h>

enum {
    WATTS,
    JOULES,
    CORES,
    CORE_SECONDS,
    ERRORS,
    RAPL_WATTS,
    RAPL_JOULES,
    FAMILIES,
};

static const struct family families[FAMILIES] = {
    [WATTS] = { "encode_exporter_power_watts",
                "Mean power of each zone that counts (--power.zones) between the last "
                "two readings, in watts; zone model is an estimate.",
                GAUGE },
    [JOULES] = { "encode_exporter_energy_joules_total",
                 "Energy that a zone used since it was first read, in joules.",
                 COUNTER },
    [CORES] = { "encode_exporter_cpu_cores_used",
                "Cores in use between the last two readings, by scope: host, cgroup "
                "(--power.cgroup), process (--power.process).",
                GAUGE },
    [CORE_SECONDS] = { "encode_exporter_cpu_core_seconds_total",
                       "Time used on cores since the start, by scope as above, in "
                       "core-seconds.",
                       COUNTER },
    [ERRORS] = { "encode_exporter_power_read_errors_total",
                 "Readings that told nothing, by source: a zone, host, cgroup, "
                 "process.",
                 COUNTER },
    [RAPL_WATTS] = { "rapl_power_watts",
                     "Mean power of a RAPL zone between the last two readings, in "
                     "watts.",
                     GAUGE },
    [RAPL_JOULES] = { "rapl_energy_joules_total",
                      "Energy that a RAPL zone used since it was first read, in "
                      "joules.",
                      COUNTER },
};

const struct family *sampler_families(size_t *count)
{
    *count = FAMILIES;
    return families;
}

static void add(struct series *out, uint16_t family, const char *label,
                const char *value, double v)
{
    struct labels l = labels_open(out);

    labels_add(out, &l, label, view_of(value));
    series_add(out, family, l, v);
}

static void add_zone(const struct sampler *s, const struct zone *z, struct series *out)
{
    add(out, ERRORS, "source", z->name, (double)z->errors);
    if (z->counts) {
        add(out, WATTS, "zone", z->name, z->power_w);
        add(out, JOULES, "zone", z->name, z->energy_j);
    }
    if (s->c->rapl_names && z->kind != 1U << ZONE_GPU) {
        add(out, RAPL_WATTS, "zone", z->name, z->power_w);
        add(out, RAPL_JOULES, "zone", z->name, z->energy_j);
    }
}

static void add_usage(const struct usage *u, bool known, struct series *out)
{
    add(out, CORES, "scope", u->scope, known ? u->cores : NAN);
    add(out, CORE_SECONDS, "scope", u->scope, known ? u->total_s : NAN);
    add(out, ERRORS, "source", u->scope, (double)u->errors);
}

static void collect(void *ctx, struct series *out)
{
    const struct sampler *s = ctx;

    for (size_t i = 0; i < s->zones.count; i++)
        add_zone(s, &s->zones.all[i], out);
    if (s->basis == ENERGY_ESTIMATED) {
        add(out, WATTS, "zone", "model", s->model_w);
        add(out, JOULES, "zone", "model", s->model_j);
    }
    if (s->host_source.procfs)
        add_usage(&s->host, true, out);
    if (s->named.scope)
        add_usage(&s->named, !s->cores.held_back, out);
}

void sampler_tell(struct sampler *s, struct self *self)
{
    const struct self_part part = { families, FAMILIES, collect, s };

    self_add(self, &part);
}
