/*
 * load.h - CPU time over time → mean use of cores in equal steps.
 */
#ifndef SERVER_RECORD_LOAD_H
#define SERVER_RECORD_LOAD_H

#include <stddef.h>

enum { LOAD_POINTS_MAX = 600 };

struct load { /* core-seconds used up to a time, both from 0 on */
    double at_s[LOAD_POINTS_MAX], used_s[LOAD_POINTS_MAX];
    size_t count;
    double interval_s; /* between two points */
};

/* Holds one point: nothing is used at 0. */
void load_init(struct load *l);

/*
 * Adds a point later than the last one. Where there is no room any more every second point
 * goes, and the interval doubles: an encode of any length takes the same room. What is used
 * never falls: a smaller figure counts as the last one.
 */
void load_add(struct load *l, double at_s, double used_s);

/*
 * The whole lasted duration_s and took used_s. Fills means[] with the mean use of cores of
 * each of n equal steps that cover it, and returns n; 0: the duration is not above 0. Between
 * two points the use is taken to be even (a straight line of the sum), so the means times
 * their step add up to used_s.
 */
size_t load_means(struct load *l, double duration_s, double used_s,
                  double means[LOAD_POINTS_MAX], double *step_s);

#endif
