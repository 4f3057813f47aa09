#include "server/record/load.h"

static const double INTERVAL_S = 0.5; /* at first */

void load_init(struct load *l)
{
    l->at_s[0] = l->used_s[0] = 0;
    l->count = 1;
    l->interval_s = INTERVAL_S;
}

static void thin(struct load *l)
{
    size_t kept = 0;

    for (size_t i = 0; i < l->count; i += 2) {
        l->at_s[kept] = l->at_s[i];
        l->used_s[kept++] = l->used_s[i];
    }
    l->count = kept;
    l->interval_s *= 2;
}

void load_add(struct load *l, double at_s, double used_s)
{
    double last = l->used_s[l->count - 1];

    if (!(at_s > l->at_s[l->count - 1]))
        return;
    if (l->count == LOAD_POINTS_MAX)
        thin(l);
    l->at_s[l->count] = at_s;
    l->used_s[l->count++] = used_s > last ? used_s : last;
}

/* What was used up to a time, on the line between two points; *i: from where to look. */
static double used_at(const struct load *l, double at_s, size_t *i)
{
    while (*i + 2 < l->count && l->at_s[*i + 1] < at_s)
        ++*i;

    double width = l->at_s[*i + 1] - l->at_s[*i], part = (at_s - l->at_s[*i]) / width;

    return l->used_s[*i] + part * (l->used_s[*i + 1] - l->used_s[*i]);
}

/* The sum known at the end goes before the points: they were rounded to ticks. */
static void end_at(struct load *l, double duration_s, double used_s)
{
    while (l->count > 1 &&
           (l->at_s[l->count - 1] > duration_s - l->interval_s / 2 ||
            l->used_s[l->count - 1] > used_s || l->count == LOAD_POINTS_MAX))
        l->count--;
    l->at_s[l->count] = duration_s;
    l->used_s[l->count++] = used_s;
}

size_t load_means(struct load *l, double duration_s, double used_s,
                  double means[LOAD_POINTS_MAX], double *step_s)
{
    double before = 0;
    size_t n, i = 0;

    if (!(duration_s > 0))
        return 0;
    end_at(l, duration_s, used_s);
    n = l->count - 1;
    *step_s = duration_s / (double)n;
    for (size_t k = 0; k < n; k++) {
        double used = k + 1 == n ? used_s : used_at(l, (double)(k + 1) * *step_s, &i);

        means[k] = (used - before) / *step_s;
        before = used;
    }
    return n;
}
