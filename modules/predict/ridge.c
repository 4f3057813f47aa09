/*
 * ridge.c - fits of coefficients common to all rows and of others by group.
 *
 * The rows of a group, over the square roots of its penalties, are folded into a triangle
 * [S B c] of the group's columns; what is left of them below has no more to do with the
 * group and is folded into the triangle [R d] of the common columns. A row (z, x) of any
 * group is then predicted as z'S⁻¹c + u'R⁻¹d with u = x - B'S⁻ᵀz, and its leverage is
 * |S⁻ᵀz|² + |R⁻ᵀu|²: both come of taking the pivots out of the row (z, x, 0), first those of
 * its group, then the common ones. Between the two, u is all that is kept of a row.
 */
#include "modules/predict/ridge.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "modules/predict/line.h"
#include "modules/predict/scale.h"
#include "modules/predict/triangle.h"

/* Less than this from 1, a leverage is 1 but for rounding. */
static const double NO_OTHER_SAYS = 1e-11;

struct work {
    const struct ridge_rows *rows;
    const struct ridge_form *form;
    size_t own, shared, width; /* columns by group, common ones, both and y */
    double *inverse;           /* own + shared: of the columns' scales */
    struct triangle group, common;
    double *row, *scratch; /* width each */
    double *block;         /* FOLD_ROWS × width: of the group */
    size_t in_block;
    double *below; /* FOLD_ROWS × (shared + 1): to be folded into common */
    size_t in_below;
    double *kept; /* n × (shared + 1): u of each row, and less what its group says */
};

static const struct ridge_term *term_of(const struct work *w, size_t k)
{
    return k < w->own ? &w->form->by_group[k] : &w->form->common[k - w->own];
}

static void find_scales(struct work *w)
{
    const struct ridge_rows *r = w->rows;
    struct length *l = mem_zalloc(w->width * sizeof *l);

    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k + 1 < w->width && !isnan(r->y[i]); k++)
            length_add(&l[k], r->x[i * r->columns + term_of(w, k)->column]);
    for (size_t k = 0; k + 1 < w->width; k++)
        w->inverse[k] = length_inverse(&l[k], term_of(w, k)->penalty);
    free(l);
}

static void work_init(struct work *w, const struct ridge_rows *rows,
                      const struct ridge_form *form)
{
    size_t own = form->by_group_count, shared = form->common_count;
    size_t width = own + shared + 1;

    *w = (struct work){
        .rows = rows, .form = form, .own = own, .shared = shared, .width = width
    };
    w->inverse = mem_alloc(width * sizeof(double));
    find_scales(w);
    w->common =
        triangle_of_penalties(form->common, shared, shared + 1, w->inverse + own);
    w->row = mem_alloc(width * sizeof(double));
    w->scratch = mem_alloc(width * sizeof(double));
    w->block = mem_alloc(FOLD_ROWS * width * sizeof(double));
    w->below = mem_alloc(FOLD_ROWS * (shared + 1) * sizeof(double));
    w->kept = mem_resize(NULL, rows->n + 1, (shared + 1) * sizeof(double));
}

static void work_deinit(struct work *w)
{
    free(w->inverse);
    free(w->common.at);
    free(w->row);
    free(w->scratch);
    free(w->block);
    free(w->below);
    free(w->kept);
}

static void load_row(const struct work *w, size_t i, double y, double *to)
{
    const double *x = w->rows->x + i * w->rows->columns;

    for (size_t k = 0; k < w->own; k++)
        to[k] = x[w->form->by_group[k].column] * w->inverse[k];
    for (size_t k = 0; k < w->shared; k++)
        to[w->own + k] = x[w->form->common[k].column] * w->inverse[w->own + k];
    to[w->width - 1] = y;
}

static void fold_below(struct work *w)
{
    triangle_fold(w->common, w->below, w->in_below, w->scratch);
    w->in_below = 0;
}

static void fold_block(struct work *w)
{
    triangle_fold(w->group, w->block, w->in_block, w->scratch);
    for (size_t i = 0; i < w->in_block; i++) {
        memcpy(w->below + w->in_below * (w->shared + 1),
               w->block + i * w->width + w->own, (w->shared + 1) * sizeof(double));
        if (++w->in_below == FOLD_ROWS)
            fold_below(w);
    }
    w->in_block = 0;
}

/* Takes the group of rows from first on out of the problem; leverage of its own
 * coefficients into own[]. Returns the first row of the next group. */
static size_t eliminate_group(struct work *w, size_t first, double *own)
{
    const struct ridge_rows *r = w->rows;
    size_t end = first;

    w->group = triangle_of_penalties(w->form->by_group, w->own, w->width, w->inverse);
    for (; end < r->n && (r->group == NULL || r->group[end] == r->group[first]);
         end++) {
        if (isnan(r->y[end]))
            continue;
        load_row(w, end, r->y[end], w->block + w->in_block * w->width);
        if (++w->in_block == FOLD_ROWS)
            fold_block(w);
    }
    fold_block(w);
    for (size_t i = first; i < end; i++) {
        load_row(w, i, 0, w->row);
        own[i] = triangle_reduce(w->group, w->row);
        memcpy(w->kept + i * (w->shared + 1), w->row + w->own,
               (w->shared + 1) * sizeof(double));
    }
    free(w->group.at);
    return end;
}

/*
 * What the others say of a row that alone determines a coefficient. Without it, its
 * direction d = (X'X + penalties)⁻¹ x is free, along which no other row and no penalty has
 * anything to say; the last column with a part in d would add nothing, so that the
 * coefficients move along d until its one is 0. q: R⁻ᵀu; overwritten.
 */
static double without_alone(const struct work *w, const struct ridge_line *line,
                            double fitted, double common, double *q)
{
    double largest = 0;
    size_t last = 0;

    triangle_solve(w->common, q);
    for (size_t k = 0; k < w->shared; k++)
        largest = fmax(largest, fabs(q[k]));
    if (largest == 0)
        return fitted;
    for (size_t k = 0; k < w->shared; k++)
        if (fabs(q[k]) > 1e-8 * largest)
            last = k;
    return fitted - line->beta[last] / w->inverse[w->own + last] / q[last] * common;
}

/* out->spread[i] is the leverage of the row's group when it comes in. */
static void finish_row(struct work *w, size_t i, struct ridge_fit *out)
{
    double *kept = w->kept + i * (w->shared + 1), y = w->rows->y[i];
    double own = out->spread[i], common = triangle_reduce(w->common, kept);
    double fitted = -kept[w->shared], left = 1 - own - common;

    out->left_out[i] = fitted;
    out->residual[i] = y - fitted;
    if (isnan(y)) {
        out->spread[i] = 1 + own + common;
    } else if (left > NO_OTHER_SAYS) {
        out->left_out[i] = y - (y - fitted) / left;
        out->spread[i] = 1 / left;
    } else {
        out->left_out[i] = own > common
                               ? ridge_line_at(&out->line, w->form,
                                               w->rows->x + i * w->rows->columns, NULL)
                               : without_alone(w, &out->line, fitted, common, kept);
        out->spread[i] = INFINITY;
    }
}

static void sum_up(const struct ridge_rows *rows, struct ridge_fit *out)
{
    double squares = 0, squares_left = 0, press = 0;
    size_t judged = 0;

    for (size_t i = 0; i < rows->n; i++) {
        double error = rows->y[i] - out->left_out[i];

        if (isnan(rows->y[i]))
            continue;
        squares += out->residual[i] * out->residual[i];
        press += error * error;
        if (isinf(out->spread[i]))
            continue;
        judged++;
        out->df += 1 / out->spread[i];
        squares_left += error * error / out->spread[i];
    }
    out->press = press / (double)out->learned;
    if (out->df > 0)
        out->sigma = sqrt(squares / out->df);
    if (judged > 0)
        out->sigma_left = sqrt(squares_left / (double)judged);
}

int ridge_fit(const struct ridge_rows *rows, const struct ridge_form *form,
              struct ridge_fit *out)
{
    struct work w;
    int rc;

    work_init(&w, rows, form);
    memset(out, 0, sizeof *out);
    out->left_out = mem_resize(NULL, rows->n + 1, sizeof(double));
    out->spread = mem_resize(NULL, rows->n + 1, sizeof(double));
    out->residual = mem_resize(NULL, rows->n + 1, sizeof(double));
    for (size_t i = 0; i < rows->n; i++)
        out->learned += !isnan(rows->y[i]);
    for (size_t i = 0; i < rows->n;)
        i = eliminate_group(&w, i, out->spread);
    fold_below(&w);
    rc = line_of_triangle(w.common, form->common, w.inverse + w.own, out->learned,
                          &out->line);
    if (rc == 0) {
        for (size_t i = 0; i < rows->n; i++)
            finish_row(&w, i, out);
        sum_up(rows, out);
        out->condition = triangle_condition(w.common);
    } else {
        ridge_fit_deinit(out);
    }
    work_deinit(&w);
    return rc;
}

void ridge_fit_deinit(struct ridge_fit *f)
{
    free(f->left_out);
    free(f->spread);
    free(f->residual);
    ridge_line_deinit(&f->line);
    memset(f, 0, sizeof *f);
}
