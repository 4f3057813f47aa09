/*
 * pareto.h - which of several encodes nobody needs to give up for another.
 */
#ifndef MODULES_COMPARE_PARETO_H
#define MODULES_COMPARE_PARETO_H

#include <stdbool.h>
#include <stddef.h>

struct pareto_point {
    double price;   /* what is spent; lower is better */
    double quality; /* higher is better */
    size_t index;   /* the caller's */
};

/*
 * optimal[points[i].index] says whether no other point is at least as good in both and
 * better in one. Points that are equal in both are optimal together or not at all. Sorts
 * points; n log n. Neither price nor quality is NaN.
 */
void pareto_front(struct pareto_point points[], size_t n, bool optimal[]);

#endif
