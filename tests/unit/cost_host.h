/*
 * cost_host.h - what the tests of the cost module share.
 */
#ifndef TESTS_UNIT_COST_HOST_H
#define TESTS_UNIT_COST_HOST_H

#include "tests/unit/module_host.h"

#include "modules/cost/cost.h"

#define OPEN(h, ...)                                                                   \
    host_open((h), &module_cost, false, (const struct given[]){ __VA_ARGS__ },         \
              sizeof((const struct given[]){ __VA_ARGS__ }) / sizeof(struct given),    \
              NULL)

/* 1 kWh in an hour on one core, in a region without a row of its own. */
static inline struct scenario one_kwh(void)
{
    struct scenario s = unknown_scenario("one");
    struct facts *f = &s.facts;

    s.bitrate = VIEW("2500k");
    s.resolution = VIEW("1280x720");
    f->duration_s = f->content_s = 3600;
    f->energy_j = 3.6e6;
    f->mean_power_w = 1000;
    f->core_seconds = 3600;
    f->pixels = 1000;
    f->energy_basis = ENERGY_SAMPLES;
    f->compute_basis = COMPUTE_USAGE;
    return s;
}

#endif
