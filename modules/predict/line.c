/*
 * line.c - the coefficients that all rows have in common.
 *
 * A column of which less than 1e-12 of its length is left, once those before it are taken
 * out, says nothing that rounding does not: its coefficient is 0.
 */
#include "modules/predict/line.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static const double NOTHING_LEFT = 1e-12;

struct triangle triangle_of_penalties(const struct ridge_term *terms, size_t count,
                                      size_t width, const double *inverse)
{
    struct triangle t = { mem_zalloc((count * width + 1) * sizeof(double)), count,
                          width };

    for (size_t k = 0; k < count; k++)
        t.at[k * width + k] = sqrt(terms[k].penalty) * inverse[k];
    return t;
}

int line_of_triangle(struct triangle t, const struct ridge_term *terms,
                     const double *inverse, size_t learned, struct ridge_line *out)
{
    size_t n = t.pivots, free_terms = 0;
    double *work = mem_alloc(t.width * sizeof *work);

    triangle_echelon(t, NOTHING_LEFT, work);
    free(work);
    out->count = n;
    out->beta = mem_zalloc((n + 1) * sizeof *out->beta);
    out->triangle = mem_zalloc((n * n + 1) * sizeof *out->triangle);
    for (size_t k = 0; k < n; k++) {
        out->beta[k] = t.at[k * t.width + n];
        free_terms += terms[k].penalty == 0 && t.at[k * t.width + k] != 0;
    }
    triangle_solve(t, out->beta);
    for (size_t k = 0; k < n; k++) {
        out->beta[k] *= inverse[k];
        for (size_t j = k; j < n; j++)
            out->triangle[k * n + j] = t.at[k * t.width + j] / inverse[j];
    }
    return learned < 2 || learned <= free_terms ? -EDOM : 0;
}

double ridge_line_at(const struct ridge_line *l, const struct ridge_form *form,
                     const double *x, double *leverage)
{
    double few[64], *row = few, y = 0;

    for (size_t k = 0; k < l->count; k++)
        y += l->beta[k] * x[form->common[k].column];
    if (leverage == NULL)
        return y;
    if (l->count > sizeof few / sizeof *few)
        row = mem_alloc(l->count * sizeof *row);
    for (size_t k = 0; k < l->count; k++)
        row[k] = x[form->common[k].column];
    *leverage =
        triangle_reduce((struct triangle){ l->triangle, l->count, l->count }, row);
    if (row != few)
        free(row);
    return y;
}

void ridge_line_deinit(struct ridge_line *l)
{
    free(l->beta);
    free(l->triangle);
    memset(l, 0, sizeof *l);
}
