/*
 * zones_find.h - which counters of energy sysfs shows.
 */
#ifndef SERVER_POWER_ZONES_FIND_H
#define SERVER_POWER_ZONES_FIND_H

#include "server/power/zones.h"

struct zones_found {
    struct zone *all; /* not opened; by name, and of one name the best first */
    size_t count;
    int hidden, failed; /* as in struct zones */
};

/* The caller frees all[].path, and all. */
void zones_find(const struct power_config *c, struct zones_found *out);

#endif
