/*
 * response.h - targets as the models see them, and how far predictions are off.
 */
#ifndef MODULES_PREDICT_RESPONSE_H
#define MODULES_PREDICT_RESPONSE_H

#include "modules/predict/outlook.h"

/*
 * The scale on which a target is learned: the log of core-seconds and of energy, the logit
 * of VMAF / 100 kept within 0.001 and 0.999, -log10(1 - SSIM) kept below 5; power and PSNR
 * as they are. NaN: v teaches nothing.
 */
double response(enum target t, double v);

/* Back again. */
double response_back(enum target t, double y);

/* value ± half on that scale, plus offset, in the target's own unit. What cannot be (a
 * power below 0) ends at its bound. All NaN where anything is not finite. */
struct estimate response_estimate(enum target t, double offset, double value,
                                  double half);

/* The least difference on that scale that anybody would call one. */
double response_floor(enum target t, double typical);

/* Four significant digits. NaN and infinities stay, as do numbers near the ends of what a
 * double holds. */
double round4(double v);
struct estimate round4_estimate(struct estimate e);

/* The median of v[0 … n-1], which is put into another order. n > 0. */
double median(double *v, size_t n);

/* What left-out predictions are worth: pairs are added, figures taken. */
struct score {
    size_t n, within;
    double mean, spread; /* of the measured values: Welford's mean and sum of squares */
    double errors;       /* sum of squares */
};

void score_add(struct score *s, double measured, double value, bool within);
double score_r2(const struct score *s);       /* NaN: the values do not vary */
double score_rmse(const struct score *s);     /* NaN: of nothing, as all of these */
double score_coverage(const struct score *s); /* 0 to 1 */

#endif
