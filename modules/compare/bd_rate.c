/*
 * bd_rate.c - the interpolant and its integral.
 *
 * Slopes are those of F. N. Fritsch and J. Butland (A method for constructing local monotone
 * piecewise cubic interpolants, SIAM J. Sci. Stat. Comput. 5, 1984), which meet the condition
 * of Fritsch and Carlson (1980) for a monotone curve: inside, the harmonic mean of the two
 * secants, weighted by the lengths of both intervals; at the ends, the slope of the parabola
 * through three points, or 0 where that would turn back (C. Moler, Numerical Computing with
 * MATLAB, 2004, chapter 3.6). SciPy and MATLAB call this pchip.
 */
#include "modules/compare/bd_rate.h"

#include "core/mem.h"

#include <math.h>
#include <stdlib.h>

static int by_rate(const void *a, const void *b)
{
    const struct bd_point *x = a, *y = b;

    return (x->rate > y->rate) - (x->rate < y->rate);
}

/* Slope at the end of an interval of length h0 and secant s0, followed by h1 and s1. */
static double end_slope(double h0, double h1, double s0, double s1)
{
    double d = ((2 * h0 + h1) * s0 - h0 * s1) / (h0 + h1);

    return d > 0 ? d : 0; /* all secants are above 0, so it is below 2 * s0 */
}

static void set_slopes(struct bd_curve *c)
{
    const double *x = c->quality, *y = c->rate;
    size_t last = c->n - 1;

    for (size_t i = 1; i < last; i++) {
        double h0 = x[i] - x[i - 1], h1 = x[i + 1] - x[i];
        double s0 = (y[i] - y[i - 1]) / h0, s1 = (y[i + 1] - y[i]) / h1;
        double w0 = h0 + 2 * h1, w1 = 2 * h0 + h1;

        c->slope[i] = (w0 + w1) / (w0 / s0 + w1 / s1);
        if (i == 1)
            c->slope[0] = end_slope(h0, h1, s0, s1);
        if (i == last - 1)
            c->slope[last] = end_slope(h1, h0, s1, s0);
    }
}

bool bd_curve_init(struct bd_curve *c, struct bd_point points[], size_t n)
{
    if (n < BD_POINTS_MIN)
        return false;
    qsort(points, n, sizeof *points, by_rate);
    for (size_t i = 1; i < n; i++)
        if (points[i].rate <= points[i - 1].rate ||
            points[i].quality <= points[i - 1].quality)
            return false;
    c->n = n;
    c->quality = mem_alloc(3 * n * sizeof *c->quality);
    c->rate = c->quality + n;
    c->slope = c->rate + n;
    for (size_t i = 0; i < n; i++) {
        c->quality[i] = points[i].quality;
        c->rate[i] = log(points[i].rate);
    }
    set_slopes(c);
    return true;
}

void bd_curve_deinit(struct bd_curve *c)
{
    free(c->quality);
    *c = (struct bd_curve){ 0 };
}

/* Integral over part t of the interval that begins with point i, 0 <= t <= 1. */
static double integral_of_part(const struct bd_curve *c, size_t i, double t)
{
    double h = c->quality[i + 1] - c->quality[i];
    double t2 = t * t, t3 = t2 * t, t4 = t3 * t;

    return h * (c->rate[i] * (t - t3 + t4 / 2) + c->rate[i + 1] * (t3 - t4 / 2) +
                h * c->slope[i] * (t2 / 2 - 2 * t3 / 3 + t4 / 4) +
                h * c->slope[i + 1] * (t4 / 4 - t3 / 3));
}

/* Integral of ln(rate) from quality low to quality high, which are within the curve. */
static double integral(const struct bd_curve *c, double low, double high)
{
    double sum = 0;

    for (size_t i = 0; i + 1 < c->n; i++) {
        double begin = c->quality[i], end = c->quality[i + 1];
        double from = low > begin ? low : begin, to = high < end ? high : end;

        if (from < to)
            sum += integral_of_part(c, i, (to - begin) / (end - begin)) -
                   integral_of_part(c, i, (from - begin) / (end - begin));
    }
    return sum;
}

double bd_rate_percent(const struct bd_curve *anchor, const struct bd_curve *c,
                       double *overlap)
{
    const double *a = anchor->quality, *b = c->quality;
    double a_end = a[anchor->n - 1], b_end = b[c->n - 1];
    double low = a[0] > b[0] ? a[0] : b[0], high = a_end < b_end ? a_end : b_end;
    double smaller = a_end - a[0] < b_end - b[0] ? a_end - a[0] : b_end - b[0];

    *overlap = high > low ? (high - low) / smaller : 0;
    if (high <= low)
        return NAN;
    return 100 *
           expm1((integral(c, low, high) - integral(anchor, low, high)) / (high - low));
}
