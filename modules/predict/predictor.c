/*
 * predictor.c - the line of a model at one point.
 */
#include "modules/predict/predictor.h"

#include "core/mem.h"

#include <math.h>
#include <stdlib.h>

double offset_of(enum target t, const struct point *p)
{
    return kind_of(t) == KIND_COMPUTE ? p->lp : 0;
}

double *design_rows(const struct design *d, const struct point at[], size_t n)
{
    double *x = mem_alloc((n * d->columns + 1) * sizeof *x);

    for (size_t i = 0; i < n; i++)
        design_row(d, &at[i], x + i * d->columns);
    return x;
}

bool predictor_at(const struct predictor *p, const struct point *at, double *value,
                  double *half, double *leverage)
{
    double *x;
    bool seen;

    if (!p->form)
        return false;
    x = mem_alloc((p->design.columns + 1) * sizeof *x);
    seen = design_row(&p->design, at, x);
    *value = ridge_line_at(&p->line, &p->ridge, x, leverage);
    *half = p->unit * sqrt(1 + *leverage);
    free(x);
    return seen && isfinite(*value) && isfinite(*half);
}

void predictor_deinit(struct predictor *p)
{
    ridge_line_deinit(&p->line);
    design_deinit(&p->design);
    free(p->terms);
    *p = (struct predictor){ 0 };
}
