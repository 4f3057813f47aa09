/*
 * response.c - scales of targets.
 */
#include "modules/predict/response.h"

#include <math.h>
#include <stdlib.h>

#define LOGIT_END 0.001 /* VMAF 0.1 and 99.9 */
#define SSIM_END  1e-5

static double clamped(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

double response(enum target t, double v)
{
    double p;

    if (!isfinite(v))
        return NAN;
    switch (t) {
    case TARGET_CORE_SECONDS:
    case TARGET_ENERGY:
        return v > 0 ? log(v) : (double)NAN;
    case TARGET_VMAF:
        p = clamped(v / 100, LOGIT_END, 1 - LOGIT_END);
        return log(p / (1 - p));
    case TARGET_SSIM:
        return -log10(clamped(1 - v, SSIM_END, 1));
    default:
        return v;
    }
}

double response_back(enum target t, double y)
{
    switch (t) {
    case TARGET_CORE_SECONDS:
    case TARGET_ENERGY:
        return exp(y);
    case TARGET_VMAF:
        return 100 / (1 + exp(-y));
    case TARGET_SSIM:
        return clamped(1 - pow(10, -y), 0, 1);
    default:
        return y > 0 ? y : 0;
    }
}

struct estimate response_estimate(enum target t, double offset, double value,
                                  double half)
{
    const struct estimate unknown = { NAN, NAN, NAN };
    struct estimate e;

    if (!isfinite(value) || !isfinite(half) || half < 0)
        return unknown;
    e.value = response_back(t, value + offset);
    e.low = response_back(t, value + offset - half);
    e.high = response_back(t, value + offset + half);
    /* No encode takes no power or time, nor is one without any signal. */
    if (t != TARGET_VMAF && t != TARGET_SSIM && !(e.value > 0))
        return unknown;
    if (!isfinite(e.value) || !isfinite(e.low) || !isfinite(e.high))
        return unknown;
    return e;
}

double response_floor(enum target t, double typical)
{
    switch (t) {
    case TARGET_VMAF:
    case TARGET_PSNR:
        return 0.05;
    case TARGET_POWER:
        return 0.01 * fabs(typical) + 1e-9;
    default:
        return 0.01;
    }
}

double round4(double v)
{
    double unit;
    int digits;

    if (!isfinite(v) || v == 0)
        return v;
    digits = 3 - (int)floor(log10(fabs(v)));
    if (digits > 300 || digits < -300)
        return v; /* the unit, or what comes of rounding, may be no double */
    if (digits < 0) {
        unit = pow(10, -digits);
        return round(v / unit) * unit;
    }
    /* A power of ten above one is exact, so that what is divided reads as it should. */
    unit = pow(10, digits);
    return round(v * unit) / unit;
}

struct estimate round4_estimate(struct estimate e)
{
    return (struct estimate){ round4(e.value), round4(e.low), round4(e.high) };
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, by_value);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

void score_add(struct score *s, double measured, double value, bool within)
{
    double before = measured - s->mean;

    s->n++;
    s->within += within;
    s->mean += before / (double)s->n;
    s->spread += before * (measured - s->mean);
    s->errors += (measured - value) * (measured - value);
}

double score_r2(const struct score *s)
{
    /* What is left of equal values by rounding is no spread. */
    if (s->n < 2 || !(s->spread > 1e-18 * (double)s->n * s->mean * s->mean))
        return NAN;
    return 1 - s->errors / s->spread;
}

double score_rmse(const struct score *s)
{
    return s->n ? sqrt(s->errors / (double)s->n) : (double)NAN;
}

double score_coverage(const struct score *s)
{
    return s->n ? (double)s->within / (double)s->n : (double)NAN;
}
