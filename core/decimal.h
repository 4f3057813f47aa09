/*
 * decimal.h - double ↔ decimal text, exact both ways and free of the locale.
 *
 * Implemented in decimal.cc on <charconv>: the C library has no shortest output
 * (printf takes a number of digits) and its strtod() follows the locale.
 */
#ifndef CORE_DECIMAL_H
#define CORE_DECIMAL_H

#include "core/view.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DECIMAL_MAX = 40 }; /* no text from below is longer */

/* Shortest text that reads back to v ("0.3", "1e+30", "+Inf", "NaN"); its length. */
size_t decimal_shortest(char to[DECIMAL_MAX], double v);

/*
 * The text that OpenMetrics calls canonical, for the label le: "0.0001", "1.0", "1e-05",
 * "1e+06". An exponent from 1e6 up and below 1e-4, else a point.
 * https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 */
size_t decimal_canonical(char to[DECIMAL_MAX], double v);

/* As decimal_shortest() without exponent where 1e-9 <= |v| < 1e18; for text that people read. */
size_t decimal_plain(char to[DECIMAL_MAX], double v);

/*
 * Reads all of v as a decimal number ("30", "-1.5e3"): no blanks, no hex, no "inf".
 * False: not a number, out of range, or something follows it; *out is untouched.
 */
bool decimal_read(struct view v, double *out);

#ifdef __cplusplus
}
#endif

#endif
