/*
 * scale.h - how long columns are, and the powers of two that make them about 1.
 */
#ifndef MODULES_PREDICT_SCALE_H
#define MODULES_PREDICT_SCALE_H

struct length {          /* of a column; starts as zeros */
    double largest, sum; /* sqrt(sum) times largest; neither overflows */
};

void length_add(struct length *l, double x);

/* 1 over the length with the square root of a penalty below the column, rounded to a power
 * of two, so that scaling is exact. 1 where both are 0. */
double length_inverse(const struct length *l, double penalty);

#endif
