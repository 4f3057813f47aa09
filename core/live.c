#include "core/live.h"

#include <math.h>

/* Clocks of two machines differ by so much, in seconds. */
static const double skew_s = 5;

bool live_open(const struct scenario *s)
{
    return !isnan(scenario_unix_time(s->start_s)) &&
           isnan(scenario_unix_time(s->end_s)) &&
           isnan(scenario_told(s)->facts.duration_s);
}

double live_latest_start(const struct run *run, double now_s)
{
    double latest_s = NAN;

    for (uint32_t i = 0; i < run->count; i++) {
        double start_s = scenario_unix_time(run->scenarios[i]->start_s);

        if (start_s <= now_s + skew_s)          /* NaN is not */
            latest_s = fmax(latest_s, start_s); /* passes NaN by */
    }
    return latest_s;
}

enum scenario_state live_state_past(const struct scenario *s, double *end_s)
{
    if (s->state == SCENARIO_TOLD || !live_open(s) || isnan(s->facts.duration_s))
        return SCENARIO_TOLD;
    *end_s = s->start_s + s->facts.duration_s;
    return s->state == SCENARIO_ENDED ? SCENARIO_ENDED : SCENARIO_ABORTED;
}

enum scenario_state live_state(const struct scenario *s, double latest_s,
                               const struct live_clock *clock, double *end_s)
{
    double given_up_s;

    if (!live_open(s) || s->start_s > clock->now_s + skew_s)
        return SCENARIO_TOLD;
    given_up_s = fmax(clock->sign_s, s->start_s) + clock->max_idle_s;
    if (s->start_s >= latest_s && clock->now_s < given_up_s) {
        *end_s = fmax(clock->now_s, s->start_s);
        return SCENARIO_RUNNING;
    }
    if (s->state != SCENARIO_RUNNING)
        return live_state_past(s, end_s);
    if (latest_s > s->start_s && latest_s < given_up_s)
        given_up_s = latest_s;
    *end_s = fmin(given_up_s, clock->now_s);
    return SCENARIO_ABORTED;
}
