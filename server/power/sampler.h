/*
 * sampler.h - the power and the CPU use of this machine, once a second.
 *
 * Energy counters (RAPL and others) and CPU counters are read together, and what lies
 * between two readings is laid on a grid of whole seconds of Unix time, of which the last
 * 24 hours are kept. Where there is nothing to read there is no timer at all. Loop thread
 * only; a reading takes some tens of microseconds.
 */
#ifndef SERVER_POWER_SAMPLER_H
#define SERVER_POWER_SAMPLER_H

#include <uv.h>

#include "core/scenario.h"
#include "core/timeline.h"
#include "server/config.h"
#include "server/self.h"

struct sampler;

/*
 * Reads the settings that c holds (--power…). *out is NULL where nothing is to be
 * sampled: it is off, or nothing can be read, which was said in the log with the fix. A
 * negative errno and e: what a flag asked for by name is not there (--power rapl, a
 * cgroup). self gets the families of the sampler, and asks it for them until
 * sampler_stop(). sampled (NULL is accepted) is called after each reading.
 */
int sampler_new(uv_loop_t *loop, const struct config *c, struct self *self,
                void (*sampled)(void *ctx), void *ctx, struct sampler **out,
                struct err *e);
void sampler_stop(struct sampler *s); /* NULL is accepted */

/* Mean power in watts of each second, over what counts (--power.zones); NULL: nothing
 * that tells power (which may turn out later, where sysfs failed at the start). Borrowed,
 * and changes with every reading. */
const struct timeline *sampler_power(const struct sampler *s);

/* Cores in use by the cgroup or the processes that flags name, mean of each second; NULL:
 * none is named. */
const struct timeline *sampler_cores(const struct sampler *s);

/* What sampler_power() rests on: ENERGY_SAMPLER, or ENERGY_ESTIMATED (--power.model). */
enum energy_basis sampler_basis(const struct sampler *s);

/* Cores of this machine; NaN: not known. */
double sampler_host_cores(const struct sampler *s);

/* Up to which Unix time the grid is complete; NaN: nothing was read twice yet. */
double sampler_until(const struct sampler *s);

/* Whether a scenario with this host ran here: an empty one, localhost, or a name of this
 * machine (its host name, with or without domain; $HOSTNAME; $NODE_NAME of a pod). */
bool sampler_is_here(const struct sampler *s, struct view host);

/* What the process tells of it. For docs. */
const struct family *sampler_families(size_t *count);

#endif
