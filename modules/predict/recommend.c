/*
 * recommend.c - an inverse by bisection.
 *
 * First a walk over the range in equal ratios, to see that the prediction grows and between
 * which two steps each curve passes the target; then bisection there.
 */
#include "modules/predict/recommend.h"

#include <math.h>

enum { STEPS = 48, BISECTIONS = 40 };

enum part { VALUE, LOW, HIGH };

static double part_of(struct estimate e, enum part p)
{
    return p == VALUE ? e.value : p == LOW ? e.low : e.high;
}

/* Reached at high, not at low. */
static double crossing(const struct recommend_curve *c, double low, double high,
                       enum part p, double target)
{
    for (int i = 0; i < BISECTIONS && floor(high) > low; i++) {
        double middle = sqrt(low * high);

        if (part_of(c->at(c->ctx, middle), p) >= target)
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* The next whole number that is still within the range. */
static double whole(double kbps, double to_kbps)
{
    double up = ceil(kbps - 1e-9);

    return up <= to_kbps ? up : (double)NAN;
}

static double reached(const struct recommend_curve *c, const double rate[],
                      const struct estimate curve[], enum part p, double target)
{
    for (int i = 0; i <= STEPS; i++) {
        if (!(part_of(curve[i], p) >= target))
            continue;
        /* At the lowest rate already: less may do, and how much less nobody knows. */
        if (i == 0)
            return NAN;
        return whole(crossing(c, rate[i - 1], rate[i], p, target), rate[STEPS]);
    }
    return NAN;
}

struct estimate recommend(const struct recommend_curve *c, double from_kbps,
                          double to_kbps, double target)
{
    const struct estimate nothing = { NAN, NAN, NAN };
    double rate[STEPS + 1];
    struct estimate curve[STEPS + 1];

    if (!(from_kbps > 0) || !(to_kbps > from_kbps) || !isfinite(target))
        return nothing;
    for (int i = 0; i <= STEPS; i++) {
        rate[i] = i == STEPS ? to_kbps
                             : from_kbps * pow(to_kbps / from_kbps, (double)i / STEPS);
        curve[i] = c->at(c->ctx, rate[i]);
        if (isnan(curve[i].value) || (i && !(curve[i].value > curve[i - 1].value)))
            return nothing;
    }
    return (struct estimate){
        .value = reached(c, rate, curve, VALUE, target),
        .low = reached(c, rate, curve, HIGH, target),
        .high = reached(c, rate, curve, LOW, target),
    };
}
