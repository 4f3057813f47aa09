/*
 * notation.h - figures that people write as text: bit rates, sizes, names of tests.
 */
#ifndef CORE_NOTATION_H
#define CORE_NOTATION_H

#include "core/view.h"

/* "", "N/A" (any case) and blanks alone: nothing is known. */
bool notation_unknown(struct view v);

/*
 * Bit rate in bit/s. With a suffix (any case): k, kbps, m, mbps, g, gbps (powers of
 * 1000), bps. A bare number is guessed by its size: up to 100 it is Mbit/s, below
 * 100 000 kbit/s, else bit/s. NaN: it is no such text, or negative, or above 1e18.
 */
double notation_bitrate_bps(struct view v);

/* The same guess for a number. */
double notation_bare_bitrate_bps(double v);

/* "1280x720" → width and height, whole pixels of at most 7 digits. Else false, and both
 * are untouched. */
bool notation_resolution(struct view v, double *width, double *height);

/*
 * Number of streams that a name tells: the first match of ([0-9]+)[ -]*streams? that no
 * letter follows, in lower case: "4 Streams @ 2500k", "2-stream test". 0: none.
 */
double notation_streams(struct view name);

/* The name or the encoder says that a graphics unit encoded. */
bool notation_gpu(struct view text);

/* The name says that nothing was encoded: "Baseline (Idle)". */
bool notation_baseline(struct view name);

#endif
