/*
 * zones.h - the counters of energy that this machine has.
 *
 * Found below /sys/class/powercap (RAPL) and /sys/class/hwmon (AMD's energy driver where
 * there is no RAPL, and graphics cards where they count). What lies inside another zone
 * (core and uncore of a package) and what shows the same counter a second time (RAPL by
 * MMIO) never counts. Loop thread only.
 */
#ifndef SERVER_POWER_ZONES_H
#define SERVER_POWER_ZONES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/power/power_config.h"

struct zone {
    char name[48]; /* package_0, package_0_dram, psys, gpu_0000:03:00.0 */
    char *path;    /* of its file */
    unsigned kind; /* a bit by enum zone_kind; 0: another kind */
    bool counts;
    bool second;       /* may show a counter that another zone shows, too */
    bool is_power;     /* the file tells microwatts; else it counts microjoules */
    uint64_t range_uj; /* where it begins again; 0: never */
    int fd;            /* -1: cannot be opened */
    int problem;       /* why there is no figure: negative; a zone that cannot be
                          opened has an errno. 0: none */
    bool said;         /* that, in the log */
    bool has_last;
    uint64_t last;
    double energy_j; /* since it was found */
    double power_w;  /* mean between the last two readings; NaN: not known */
    uint64_t errors;
};

struct zones {
    const struct power_config *c;
    struct zone *all; /* by name */
    size_t count;
    int hidden; /* a zone is listed, and nothing of it is there: a negative errno */
    int failed; /* not all could be looked at: the same */
};

/* Fills what c asks for: zones that count, with --power.rapl-names also the others. */
void zones_init(struct zones *z, const struct power_config *c);
void zones_deinit(struct zones *z);

/* Looks again which there are; those that stay go on counting. Where not all can be looked
 * at, those stay that are known. */
void zones_scan(struct zones *z);

/* The kinds (bits by enum zone_kind) that are asked for and not there. */
unsigned zones_missing(const struct zones *z);

/* The first zone that counts and cannot be read, NULL: none. */
const struct zone *zones_unreadable(const struct zones *z);

/* Zones that count. */
size_t zones_counting(const struct zones *z);

/*
 * Reads all of them. span_s: time since the last reading, NaN: that is no base. The joules
 * that zones which count used meanwhile; NaN where that is not known of each of them.
 * *failed tells whether one could not be read, or not be looked for.
 */
double zones_read(struct zones *z, double span_s, bool *failed);

/*
 * Microjoules between two readings of a counter that begins again at range_uj (Linux,
 * Documentation/power/powercap/powercap.rst); 0: it never does. False: that cannot be.
 * One wrap at most: a range of 262 kJ lasts 43 min at 100 W.
 */
bool zone_delta(uint64_t before_uj, uint64_t after_uj, uint64_t range_uj,
                uint64_t *delta_uj);

#endif
