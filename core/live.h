/*
 * live.h - which encodes still run.
 *
 * A scenario that has a start and neither an end nor a duration is taken to run while its
 * file shows signs of life, and until the next scenario of its run starts. What ran and
 * gave no sign any more is given up: it keeps the time that was shown last. One that
 * nobody here saw running stays as its file tells it, for its end is not known.
 */
#ifndef CORE_LIVE_H
#define CORE_LIVE_H

#include "core/run.h"

/* More at a time are no encodes that run on a machine: such a run is as its file tells. */
enum { LIVE_MAX = 1000 };

struct live_clock { /* Unix time, in seconds */
    double now_s;
    double sign_s;     /* the last sign of life: when the file was modified */
    double max_idle_s; /* without one it is given up */
};

/* Its file tells a start and neither end nor duration. */
bool live_open(const struct scenario *s);

/* The latest start of a scenario of the run that is not after now_s; NaN: none. */
double live_latest_start(const struct run *run, double now_s);

/*
 * How a scenario of the newest run stands. latest_s: from live_latest_start(). *end_s: up to
 * when it is reckoned, unless the answer is SCENARIO_TOLD. One that runs ends where the
 * next one starts, which is the latest as long as somebody looks once a second.
 */
enum scenario_state live_state(const struct scenario *s, double latest_s,
                               const struct live_clock *clock, double *end_s);

/* The same of a scenario whose run is no longer the newest: none of them runs. */
enum scenario_state live_state_past(const struct scenario *s, double *end_s);

#endif
