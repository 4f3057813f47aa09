#include "modules/predict/scale.h"

#include <math.h>

void length_add(struct length *l, double x)
{
    double size = fabs(x), part;

    if (size > l->largest) {
        part = l->largest / size;
        l->sum = 1 + l->sum * part * part;
        l->largest = size;
    } else if (size > 0) {
        part = size / l->largest;
        l->sum += part * part;
    }
}

double length_inverse(const struct length *l, double penalty)
{
    double length = hypot(l->largest * sqrt(l->sum), sqrt(penalty));
    int exponent;

    if (!(length > 0 && length < INFINITY))
        return 1;
    frexp(length, &exponent);
    if (exponent > 1000)
        exponent = 1000;
    if (exponent < -1000)
        exponent = -1000;
    return ldexp(1, -exponent);
}
