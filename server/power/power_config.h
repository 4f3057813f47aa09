/*
 * power_config.h - flags about measured power: --power… and --live….
 */
#ifndef SERVER_POWER_POWER_CONFIG_H
#define SERVER_POWER_POWER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/option.h"

struct power_config {
    const char *share_text;
    bool share; /* a machine's power is split among those that run at the same time */
    uint64_t live_max_idle_ms;
};

/* Fields of struct power_config. */
extern const struct option power_options[];

/* What follows from the texts. -EINVAL: e is one line that names flag and what is
 * allowed. */
int power_config_complete(struct power_config *c, struct err *e);

#endif
