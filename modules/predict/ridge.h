/*
 * ridge.h - linear regression with penalties, by orthogonal transformations.
 *
 * One kernel for all fits: ordinary least squares is a ridge without penalties; a mixed
 * model (coefficients common to all rows, and others of each group of rows) is one whose
 * group coefficients carry penalties. Householder's triangles are folded block by block, so
 * that no product X'X loses half of the digits, and the rows of a group are taken out of the
 * problem before the next group comes: the cost grows with the rows, not with the groups.
 *
 * What a row would be predicted as by a fit without it follows from the fit itself:
 * y - (y - fitted) / (1 - h) with h the row's leverage (Allen's PRESS), which holds for any
 * fixed penalties. Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 7.10.
 *
 * No memory is kept between calls. Any thread.
 */
#ifndef MODULES_PREDICT_RIDGE_H
#define MODULES_PREDICT_RIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ridge_rows {
    const double *x;       /* n × columns, row after row; all finite */
    const double *y;       /* n; NaN: not learned from, but predicted */
    const uint32_t *group; /* n, ascending; NULL: one group */
    size_t n, columns;
};

/* A column with the penalty of its coefficient: the variance of the noise over that of the
 * coefficient. 0: free. */
struct ridge_term {
    uint32_t column;
    double penalty;
};

struct ridge_form {
    const struct ridge_term *common; /* coefficients of all rows */
    size_t common_count;
    const struct ridge_term
        *by_group; /* coefficients of each group; penalties above 0 */
    size_t by_group_count;
};

/* A line through the rows: the common coefficients alone. */
struct ridge_line {
    size_t count;
    double
        *beta; /* in the order of form->common; 0 where a column adds nothing to those
                         before it */
    double
        *triangle; /* count × count, upper: R with R'R = X'X + penalties; a row of zeros
                         for a column that adds nothing. Of a fit by group, of what the
                         groups' columns leave of X */
};

struct ridge_fit {
    double *left_out;  /* n: what the row would be predicted as without itself; for rows
                          without y, what it is predicted as */
    double *spread;    /* n: variance of y - left_out, in variances of the noise:
                          1 / (1 - h), and 1 + h for rows without y */
    double *residual;  /* n: y - fitted; NaN for rows without y */
    double sigma;      /* standard deviation of the noise: of the residuals on df */
    double sigma_left; /* the same from the errors of left-out rows:
                          sqrt(mean((y - left_out)² (1 - h))), rows with leverage 1
                          passed over */
    double press;      /* mean of (y - left_out)² */
    double df;         /* learned - trace of the hat matrix */
    double condition;  /* an estimate of the condition number of the scaled columns with
                          their penalties; 1 is best */
    size_t learned;    /* rows with y */
    struct ridge_line line;
};

/*
 * Fits form to rows. 0; -EDOM: fewer than two rows to learn from, or not more than free
 * coefficients (those with penalty 0 that add something). Then *out is empty. Rows whose
 * leverage is 1 (no other says anything of their coefficients) have a spread of +Inf and
 * the prediction of the other coefficients.
 */
int ridge_fit(const struct ridge_rows *rows, const struct ridge_form *form,
              struct ridge_fit *out);
void ridge_fit_deinit(struct ridge_fit *f);

/* x: one row of all columns. *leverage: its variance in variances of the noise; may be
 * NULL. */
double ridge_line_at(const struct ridge_line *l, const struct ridge_form *form,
                     const double *x, double *leverage);
void ridge_line_deinit(struct ridge_line *l);

/*
 * The same rows, made ready for fits (of common coefficients alone) that leave parts of them
 * out: part[i] < parts for each row. Rows without y are passed over.
 */
struct ridge_parts;
struct ridge_parts *ridge_parts_new(const struct ridge_rows *rows,
                                    const uint32_t part[], size_t parts);
void ridge_parts_free(struct ridge_parts *p);

enum { RIDGE_ALL = -1 };

/* The line through all parts but a and b (RIDGE_ALL: leaves nothing out). As ridge_fit().
 * Costs the number of parts times the cube of the columns, whatever the rows. */
int ridge_parts_line(const struct ridge_parts *p, const struct ridge_form *form, int a,
                     int b, struct ridge_line *out);

#endif
