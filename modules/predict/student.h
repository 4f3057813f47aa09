/*
 * student.h - quantiles of Student's t distribution.
 */
#ifndef MODULES_PREDICT_STUDENT_H
#define MODULES_PREDICT_STUDENT_H

/*
 * The t with P(T <= t) = p for df degrees of freedom (any number above 0, +Inf: the normal
 * distribution), to at least 10 significant digits. 0 < p < 1; else NaN.
 */
double student_quantile(double p, double df);

#endif
