/*
 * measured.h - what was measured of an encode from outside, and how its figures take it.
 *
 * A results file wins over every measurement: only what it leaves open is filled in. A
 * scenario with its measurement is a scenario like others, with the same bytes' hash, so a
 * rewritten file takes it over as it is; as_told leads back to the one that was parsed.
 */
#ifndef CORE_MEASURED_H
#define CORE_MEASURED_H

#include "core/scenario.h"
#include "core/watched.h"

struct measured {                   /* NaN: not measured */
    double duration_s;              /* so far, of one that runs or was given up */
    double energy_j;                /* of the CPU: packages, and dram where asked for */
    double energy_span_s;           /* the time that it covers */
    enum energy_basis energy_basis; /* upstream … estimated; of a known energy never
                                       ENERGY_NONE */
    double core_seconds, cores_span_s;
    enum compute_basis compute_basis; /* upstream or sampler */
    double container_cpu_percent;     /* mean use of containers, % of one core */
    double host_cores;
    enum scenario_state state;
    enum scenario_state watched_state; /* see struct scenario */
    struct watched watched;
};

/* Nothing measured. */
struct measured measured_nothing(void);

/* Whether the file leaves open what a measurement could tell: energy, or core-seconds;
 * whatever was measured meanwhile. */
bool measured_lacks_energy(const struct scenario *s);
bool measured_lacks_cores(const struct scenario *s);

/*
 * The figures with the measurement in its place, *told being those of the file. What it
 * leaves open is taken from the measurement: what was watched; duration; cores of the host; CPU energy, and
 * with it mean power, which is energy over its span, where the file tells neither an
 * energy nor a mean power; core-seconds; CPU percent (containers' where measured, else
 * core-seconds over their span). The rest follows by the rules for files
 * (facts_complete()). GPU figures are never measured.
 */
void facts_measured(const struct facts *told, const struct measured *m,
                    struct facts *out);

/* Whether s shows what was watched, where its file leaves that open. */
bool watched_shows(const struct scenario *s, const struct watched *w);

/*
 * One reference, for the caller: the scenario s (or s->as_told, where s holds a
 * measurement already) with m in its figures. The same scenario again, with one more
 * reference, where that changes nothing: equal pointers stay equal scenarios.
 */
const struct scenario *scenario_measured(const struct scenario *s,
                                         const struct measured *m);

#endif
