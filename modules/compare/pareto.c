#include "modules/compare/pareto.h"

#include <math.h>
#include <stdlib.h>

/* Cheapest first; of one price, best first. */
static int by_price(const void *a, const void *b)
{
    const struct pareto_point *x = a, *y = b;

    if (x->price != y->price)
        return x->price < y->price ? -1 : 1;
    return (x->quality < y->quality) - (x->quality > y->quality);
}

void pareto_front(struct pareto_point points[], size_t n, bool optimal[])
{
    double best = -INFINITY; /* of what is cheaper */

    if (n)
        qsort(points, n, sizeof *points, by_price);
    for (size_t i = 0; i < n;) {
        double price = points[i].price, quality = points[i].quality;
        bool better = i == 0 || quality > best;

        for (; i < n && points[i].price == price; i++)
            optimal[points[i].index] = better && points[i].quality == quality;
        if (quality > best)
            best = quality;
    }
}
