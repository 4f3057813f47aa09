/*
 * line.h - from rows folded into a triangle to a line.
 */
#ifndef MODULES_PREDICT_LINE_H
#define MODULES_PREDICT_LINE_H

#include "modules/predict/ridge.h"
#include "modules/predict/triangle.h"

enum { FOLD_ROWS = 64 }; /* folded at once: they stay in the processor's cache */

/* A triangle of terms, one column per term and width - count more, that starts as their
 * penalties: the rows of these are a triangle already. inverse: of the columns' scales. */
struct triangle triangle_of_penalties(const struct ridge_term *terms, size_t count,
                                      size_t width, const double *inverse);

/*
 * The line of a triangle whose last column is y, all rows folded. t is brought into the form
 * of triangle_echelon(). -EDOM as ridge_fit(); *out is filled either way.
 */
int line_of_triangle(struct triangle t, const struct ridge_term *terms,
                     const double *inverse, size_t learned, struct ridge_line *out);

#endif
