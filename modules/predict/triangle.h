/*
 * triangle.h - upper triangles that rows are folded into by Householder's reflections.
 *
 * A triangle holds all that rows say of coefficients: R of X = QR, and with y as one column
 * more, Q'y. Rows are stored one after another; a reflection is applied row by row, so that
 * the compiler can take several columns at a time.
 *
 * Golub, Van Loan, Matrix Computations, 5.1 and 5.2. Any thread; no memory of its own.
 */
#ifndef MODULES_PREDICT_TRIANGLE_H
#define MODULES_PREDICT_TRIANGLE_H

#include <stddef.h>

struct triangle {
    double *at;    /* pivots rows of width */
    size_t pivots; /* columns that are made upper triangular, the first ones */
    size_t width;  /* all columns */
};

/* Folds count rows of t.width into t; afterwards their first columns are 0 and the others
 * hold what the pivots do not explain. work: t.width doubles. */
void triangle_fold(struct triangle t, double *rows, size_t count, double *work);

/*
 * Gives every column that adds nothing to those before it (less than tolerance is left of
 * it) a row of zeros, without losing what its row says of the later ones. Returns the number
 * of the others. work: t.width doubles.
 */
size_t triangle_echelon(struct triangle t, double tolerance, double *work);

/*
 * Takes the pivots out of one row of t.width: its first columns become q with R'q = row, the
 * others what is left of them. Returns q'q. Columns that add nothing have q = 0.
 */
double triangle_reduce(struct triangle t, double *row);

/* x with R x = v, in place; 0 for columns that add nothing. */
void triangle_solve(struct triangle t, double *x);

/* An estimate of the condition number of R with columns scaled to length 1, those that add
 * nothing left out. */
double triangle_condition(struct triangle t);

#endif
