#include "server/power/power_config.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "core/decimal.h"

#define AT(field) offsetof(struct power_config, field)

const struct option power_options[] = {
    { "power", OPT_STRING, AT(mode_text), NULL, "auto", "MODE",
      "power of this machine: measured where that is possible (auto), required (rapl), "
      "or nothing of this machine is read (off)",
      "power", .choices = "auto|rapl|off" },
    { "power.zones", OPT_STRING, AT(zones_text), NULL, "package", "LIST",
      "what counts, of package, dram, gpu; or psys alone, which holds the others",
      "power" },
    { "power.cgroup", OPT_STRING, AT(cgroup), NULL, NULL, "PATH",
      "cgroup that the encodes run in, below --power.cgroupfs: its use of cores",
      "power" },
    { "power.process", OPT_STRING, AT(process), NULL, NULL, "NAME",
      "the same of all processes of this name (as in /proc/PID/comm)", "power" },
    { "power.model", OPT_STRING, AT(model_text), NULL, NULL, "IDLE_W,W_PER_CORE",
      "where no power can be measured: estimate it from the cores in use, as "
      "energy=\"estimated\"",
      "power" },
    { "power.rapl-names", OPT_BOOL, AT(rapl_names), NULL, NULL, NULL,
      "serve rapl_power_watts and rapl_energy_joules_total, too, as the RAPL exporter "
      "did",
      "power" },
    { "power.sysfs", OPT_STRING, AT(sysfs), NULL, "/sys", "DIR",
      "where sysfs is mounted", "power" },
    { "power.procfs", OPT_STRING, AT(procfs), NULL, "/proc", "DIR",
      "where the machine's procfs is mounted", "power" },
    { "power.cgroupfs", OPT_STRING, AT(cgroupfs), NULL, "/sys/fs/cgroup", "DIR",
      "where cgroups are mounted: v2, v1 or both", "power" },
    { "power.share", OPT_STRING, AT(share_text), NULL, "on", "on|off",
      "split a machine's power among the encodes that run at the same time; off: each "
      "is "
      "charged in full",
      "power", .choices = "on|off" },
    { "live.max-idle", OPT_DURATION, AT(live_max_idle_ms), NULL, "10m", "D",
      "an encode without end time, of the newest run, is taken to run until its file "
      "has "
      "not changed for D",
      "power", .min = 1, .max = 8.64e7 },
    { 0 },
};

const char *const zone_kind_names[ZONE_KINDS] = {
    [ZONE_PACKAGE] = "package",
    [ZONE_DRAM] = "dram",
    [ZONE_PSYS] = "psys",
    [ZONE_GPU] = "gpu",
};

static int zones(struct power_config *c, struct err *e)
{
    struct view rest = view_of(c->zones_text), name;

    c->zones = 0;
    while (view_split(&rest, ',', &name)) {
        unsigned kind = 0;

        while (kind < ZONE_KINDS &&
               !view_eq(view_trim(name), view_of(zone_kind_names[kind])))
            kind++;
        if (kind == ZONE_KINDS)
            return err_set(
                e, -EINVAL,
                "--power.zones: \"%.*s\" is none of package, dram, psys, gpu",
                VIEW_ARG(name));
        c->zones |= 1U << kind;
    }
    if (c->zones & 1U << ZONE_PSYS && c->zones != 1U << ZONE_PSYS)
        return err_set(e, -EINVAL,
                       "--power.zones: psys is the whole machine, with the others in "
                       "it: it stands alone");
    return 0;
}

static int model(struct power_config *c, struct err *e)
{
    struct view rest = view_of(c->model_text), idle, core;

    c->model_idle_w = c->model_core_w = NAN;
    if (!c->model_text || !*c->model_text)
        return 0;
    if (view_split(&rest, ',', &idle) && view_split(&rest, ',', &core) && !rest.p &&
        decimal_read(view_trim(idle), &c->model_idle_w) &&
        decimal_read(view_trim(core), &c->model_core_w) && c->model_idle_w >= 0 &&
        c->model_core_w >= 0 && c->model_idle_w <= 1e6 && c->model_core_w <= 1e6)
        return 0;
    return err_set(e, -EINVAL,
                   "--power.model: \"%s\" is not IDLE_W,W_PER_CORE: watts of the idle "
                   "machine and of each core in use, like 40,6.5",
                   c->model_text);
}

int power_config_complete(struct power_config *c, struct err *e)
{
    c->mode = c->mode_text[0] == 'a'   ? POWER_AUTO
              : c->mode_text[0] == 'r' ? POWER_RAPL
                                       : POWER_OFF;
    c->share = strcmp(c->share_text, "on") == 0;
    if (c->cgroup && !*c->cgroup)
        c->cgroup = NULL;
    if (c->process && !*c->process)
        c->process = NULL;
    if (c->cgroup && c->process)
        return err_set(e, -EINVAL,
                       "--power.process: --power.cgroup tells the encodes' use of "
                       "cores already; give one of them");
    if (zones(c, e) < 0 || model(c, e) < 0)
        return -EINVAL;
    return 0;
}
