/*
 * recommend.h - the bit rate to ask for, so that a quality is reached.
 */
#ifndef MODULES_PREDICT_RECOMMEND_H
#define MODULES_PREDICT_RECOMMEND_H

#include "modules/predict/outlook.h"

/* What would be predicted at a bit rate asked for; all NaN: nothing. */
struct recommend_curve {
    struct estimate (*at)(const void *ctx, double kbps);
    const void *ctx;
};

/*
 * The lowest whole kbit/s within from … to whose prediction reaches target; low: where
 * the high end of the interval does, high: where its low end does. Each is NaN where it
 * does not within the range, or does at its lower end already; all are where the prediction does not grow with the rate.
 */
struct estimate recommend(const struct recommend_curve *c, double from_kbps,
                          double to_kbps, double target);

#endif
