/*
 * bd_rate.h - how much more bit rate one encoder needs than another for the same quality.
 *
 * The Bjøntegaard rate difference (G. Bjøntegaard, Calculation of average PSNR differences
 * between RD-curves, ITU-T SG16 VCEG-M33, 2001), with the curve between the points drawn by
 * monotone piecewise cubic Hermite interpolation in place of one cubic through all of them:
 * where quality saturates, as VMAF does near 100, that cubic turns back on itself.
 */
#ifndef MODULES_COMPARE_BD_RATE_H
#define MODULES_COMPARE_BD_RATE_H

#include <stdbool.h>
#include <stddef.h>

enum { BD_POINTS_MIN = 4 };

struct bd_point {
    double rate;    /* above 0; any unit, the same for both curves */
    double quality; /* any scale, the same for both curves */
};

/* ln(rate) as a function of quality. */
struct bd_curve {
    size_t n;
    double *quality; /* strictly ascending */
    double *rate;    /* ln; strictly ascending */
    double *slope;   /* of the interpolant in each point */
};

/*
 * Sorts points by rate. False, and nothing to deinit: fewer than BD_POINTS_MIN, or quality
 * does not rise with every rise of the rate, or a rate occurs twice. All are finite.
 */
bool bd_curve_init(struct bd_curve *c, struct bd_point points[], size_t n);
void bd_curve_deinit(struct bd_curve *c);

/*
 * 100 * (exp(mean over the common qualities of ln(rate of c) - ln(rate of anchor)) - 1), in
 * percent: -20 needs a fifth fewer bits than the anchor. NaN: no quality is common.
 * *overlap: the common interval of qualities, as a part of that of the curve that has
 * the smaller one; 0 to 1.
 */
double bd_rate_percent(const struct bd_curve *anchor, const struct bd_curve *c,
                       double *overlap);

#endif
