/*
 * power_config.h - flags about measured power: --power… and --live….
 */
#ifndef SERVER_POWER_POWER_CONFIG_H
#define SERVER_POWER_POWER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/option.h"

enum power_mode { POWER_AUTO, POWER_RAPL, POWER_OFF };

/* What a counter of energy counts. */
enum zone_kind { ZONE_PACKAGE, ZONE_DRAM, ZONE_PSYS, ZONE_GPU, ZONE_KINDS };

struct power_config {
    const char *mode_text;
    enum power_mode mode;
    const char *zones_text;
    unsigned zones; /* that count; bits by enum zone_kind */
    const char *sysfs, *procfs, *cgroupfs;
    const char *cgroup, *process; /* NULL: none; at most one of them */
    const char *model_text;
    double model_idle_w, model_core_w; /* NaN: no model */
    bool rapl_names;

    const char *share_text;
    bool share; /* a machine's power is split among those that run at the same time */
    uint64_t live_max_idle_ms;
};

/* Fields of struct power_config. */
extern const struct option power_options[];

/* By enum zone_kind: "package" … */
extern const char *const zone_kind_names[ZONE_KINDS];

/* What follows from the texts. -EINVAL: e is one line that names flag and what is
 * allowed. */
int power_config_complete(struct power_config *c, struct err *e);

#endif
