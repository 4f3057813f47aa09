/*
 * sampler_inner.h - what the parts of the sampler share; for them and their tests.
 */
#ifndef SERVER_POWER_SAMPLER_INNER_H
#define SERVER_POWER_SAMPLER_INNER_H

#include "server/power/cgroup.h"
#include "server/power/grid.h"
#include "server/power/processes.h"
#include "server/power/sampler.h"
#include "server/power/usage.h"
#include "server/power/zones.h"

enum { SAMPLER_HOURS = 24, SAMPLER_KEPT_S = SAMPLER_HOURS * 3600 };

struct instant { /* one moment by three clocks, ns */
    int64_t unix_ns;
    int64_t running_ns; /* CLOCK_MONOTONIC: never set, stands still in suspension */
    int64_t boot_ns;    /* CLOCK_BOOTTIME: the same, and goes on in suspension */
};

struct sampler {
    uv_timer_t timer;
    const struct power_config *c;
    void (*sampled)(void *ctx);
    void *ctx;

    struct zones zones;
    struct host_usage host_source;
    struct cgroup cgroup;
    struct processes processes;
    struct usage host, named; /* named.scope NULL: none is */

    enum energy_basis basis; /* ENERGY_NONE: nothing tells power */
    bool unsure;             /* zones could not be looked for yet */
    struct grid power, cores;
    double model_j, model_w; /* of an estimate: so far, and of the last reading */
    double host_cores;
    char host_name[256];

    bool has_last;
    struct instant last;
    double until_s;
    int64_t scan_ns; /* when zones were looked for, running_ns */
};

/* One reading. now: any instants, in their order. */
void sampler_read(struct sampler *s, const struct instant *now);

/* Adds the families of the sampler. */
void sampler_tell(struct sampler *s, struct self *self);

#endif
