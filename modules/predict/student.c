/*
 * student.c - quantiles of Student's t, found on the logarithms of t and of probability.
 *
 * Either the tail beyond t or the middle from 0 to t is looked for, whichever is the
 * smaller: both are computed without taking one number close to another away from it, so
 * that tiny probabilities and quantiles near 0 keep their digits. They are regularised
 * incomplete beta functions (Abramowitz and Stegun, 26.5.27), of continued fractions
 * (26.5.8); on a double logarithmic scale both bend one way, and Newton's steps, kept inside
 * a bracket, take few.
 *
 * With many degrees of freedom the fractions lose digits; there the quantile is the normal
 * one, corrected by powers of 1 / df (26.7.5).
 */
#include "modules/predict/student.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

static const double NEARLY_NORMAL_DF = 5e4;

/* log of gamma(a + 1/2) / gamma(a). For large a the difference of the two logarithms has
 * no digits left; its series has (Abramowitz and Stegun, 6.1.40, both sides taken). */
static double log_gamma_step(double a)
{
    double i = 1 / a, i2 = i * i;

    if (a < 20)
        return lgamma(a + 0.5) - lgamma(a);
    return 0.5 * log(a) -
           i * (1 / 8.0 - i2 * (1 / 192.0 - i2 * (1 / 640.0 - i2 * 17 / 14336)));
}

static double away_from_0(double x)
{
    return fabs(x) < DBL_MIN ? DBL_MIN : x;
}

/* The fraction of the incomplete beta function, by Lentz's method as Thompson and Barnett
 * changed it. */
static double beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 / away_from_0(1 - (a + b) * x / (a + 1)), f = d;

    for (int m = 1; m <= 10000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double step;

        d = 1 / away_from_0(1 + even * d);
        c = away_from_0(1 + even / c);
        f *= d * c;
        d = 1 / away_from_0(1 + odd * d);
        c = away_from_0(1 + odd / c);
        step = d * c;
        f *= step;
        if (fabs(step - 1) < DBL_EPSILON)
            break;
    }
    return f;
}

struct chances {
    double tail, middle; /* of T > t and of 0 < T < t */
    double slope;        /* t times the density at t */
};

static struct chances normal_at(double t)
{
    return (struct chances){ .tail = 0.5 * erfc(t / sqrt(2)),
                             .middle = 0.5 * erf(t / sqrt(2)),
                             .slope = t * exp(-t * t / 2) / sqrt(2 * acos(-1)) };
}

static struct chances student_at(double t, double df)
{
    double a = df / 2, b = 0.5, r = t / sqrt(df), r2 = r * r;
    double x = 1 / (1 + r2), y = 1 / (1 + 1 / r2);
    double log_x = r > 1e150 ? -2 * log(r) : -log1p(r2);
    double log_y = r < 1e-150 ? 2 * log(r) : -log1p(1 / r2);
    double front = exp(a * log_x + b * log_y + log_gamma_step(a) - 0.5 * log(acos(-1)));
    struct chances is = { .slope = front };

    if (x < (a + 1) / (a + b + 2)) {
        is.tail = 0.5 * front * beta_fraction(a, b, x) / a;
        is.middle = 0.5 - is.tail;
    } else {
        is.middle = 0.5 * front * beta_fraction(b, a, y) / b;
        is.tail = 0.5 - is.middle;
    }
    return is;
}

/* The t above 0 whose tail (or middle) is want. */
static double find(double want, bool tail, double df)
{
    double low = -745, high = 700, u = 0, goal = log(want);

    for (int i = 0; i < 200 && high - low > 1e-15 * (1 + fabs(u)); i++) {
        struct chances at = isinf(df) ? normal_at(exp(u)) : student_at(exp(u), df);
        double chance = tail ? at.tail : at.middle, off = log(chance) - goal, next;

        if ((off > 0) == tail)
            low = u;
        else
            high = u;
        next = u - off * chance / (tail ? -at.slope : at.slope);
        if (fabs(next - u) <= DBL_EPSILON * (1 + fabs(u)))
            return exp(next);
        u = next > low && next < high ? next : low + (high - low) / 2;
    }
    return u > 699 ? INFINITY : exp(u);
}

static double nearly_normal(double z, double df)
{
    double z2 = z * z;
    double g1 = (z2 + 1) / 4;
    double g2 = ((5 * z2 + 16) * z2 + 3) / 96;
    double g3 = (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
    double g4 = ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;

    return z * (1 + (g1 + (g2 + (g3 + g4 / df) / df) / df) / df);
}

double student_quantile(double p, double df)
{
    bool tail;
    double size;

    if (!(p > 0 && p < 1 && df > 0))
        return NAN;
    if (p == 0.5)
        return 0;
    tail = p < 0.25 || p > 0.75;
    if (tail)
        size = p < 0.5 ? p : 1 - p;
    else
        size = fabs(p - 0.5);
    size = df < NEARLY_NORMAL_DF ? find(size, tail, df)
                                 : nearly_normal(find(size, tail, INFINITY), df);
    return p < 0.5 ? -size : size;
}
