/*
 * triangle.c - folding by Householder's reflections.
 *
 * A reflection for column k touches row k of the triangle and the rows that come in, and no
 * other: what is folded already stays in shape.
 */
#include "modules/predict/triangle.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* to += f * from */
static void add_times(double *restrict to, const double *restrict from, double f,
                      size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += f * from[i];
}

/* Makes column 0 of count rows zero, at the cost of that of top; n columns are touched. */
static void reflect(double *top, double *rows, size_t count, size_t width, size_t n,
                    double *work)
{
    double below = 0, length, head, scale;

    for (size_t i = 0; i < count; i++)
        below += rows[i * width] * rows[i * width];
    if (below < 1e-280) { /* nothing beside columns of length 1, and 1 / it overflows */
        for (size_t i = 0; i < count; i++)
            rows[i * width] = 0;
        return;
    }
    length = sqrt(top[0] * top[0] + below);
    if (top[0] > 0)
        length = -length;
    head = top[0] - length;
    scale = 1 / (length * head); /* 2 / v'v, as v is (head, rows); below 0 */

    for (size_t j = 1; j < n; j++)
        work[j] = head * top[j];
    for (size_t i = 0; i < count; i++)
        add_times(work + 1, rows + i * width + 1, rows[i * width], n - 1);
    top[0] = length;
    add_times(top + 1, work + 1, scale * head, n - 1);
    for (size_t i = 0; i < count; i++) {
        add_times(rows + i * width + 1, work + 1, scale * rows[i * width], n - 1);
        rows[i * width] = 0;
    }
}

void triangle_fold(struct triangle t, double *rows, size_t count, double *work)
{
    for (size_t k = 0; k < t.pivots; k++)
        reflect(t.at + k * t.width + k, rows + k, count, t.width, t.width - k, work);
}

static void swap_rows(double *a, double *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double kept = a[i];

        a[i] = b[i];
        b[i] = kept;
    }
}

/* Pivots move up to the first free row, and back down to their diagonal in the end. */
size_t triangle_echelon(struct triangle t, double tolerance, double *work)
{
    size_t n = t.pivots, rank = 0, left;

    for (size_t k = 0; k < n; k++) {
        double *top = t.at + rank * t.width, length = 0;

        for (size_t i = rank; i < n; i++)
            length = hypot(length, t.at[i * t.width + k]);
        if (length <= tolerance) {
            for (size_t i = rank; i < n; i++)
                t.at[i * t.width + k] = 0;
            continue;
        }
        reflect(top + k, top + t.width + k, n - rank - 1, t.width, t.width - k, work);
        rank++;
    }
    for (size_t i = rank; i < n; i++)
        memset(t.at + i * t.width, 0, t.width * sizeof *t.at);
    left = rank;
    for (size_t k = n; left > 0 && k-- > 0;) {
        const double *last = t.at + (left - 1) * t.width;
        size_t first = 0;

        while (last[first] == 0)
            first++;
        if (first != k)
            continue;
        left--;
        if (left != k)
            swap_rows(t.at + left * t.width, t.at + k * t.width, t.width);
    }
    return rank;
}

double triangle_reduce(struct triangle t, double *row)
{
    double sum = 0;

    for (size_t k = 0; k < t.pivots; k++) {
        const double *r = t.at + k * t.width;
        double q = r[k] == 0 ? 0 : row[k] / r[k];

        row[k] = q;
        if (q == 0)
            continue;
        sum += q * q;
        add_times(row + k + 1, r + k + 1, -q, t.width - k - 1);
    }
    return sum;
}

void triangle_solve(struct triangle t, double *x)
{
    for (size_t k = t.pivots; k-- > 0;) {
        const double *r = t.at + k * t.width;

        if (r[k] == 0) {
            x[k] = 0;
            continue;
        }
        for (size_t j = k + 1; j < t.pivots; j++)
            x[k] -= r[j] * x[j];
        x[k] /= r[k];
    }
}

static double normalise(double *v, size_t n)
{
    double length = 0;

    for (size_t i = 0; i < n; i++)
        length = hypot(length, v[i]);
    for (size_t i = 0; i < n && length > 0; i++)
        v[i] /= length;
    return length;
}

/* v becomes R'R v, or its inverse's. */
static void power_step(struct triangle t, bool inverse, double *v)
{
    size_t n = t.pivots;

    if (inverse) {
        triangle_reduce(t, v);
        triangle_solve(t, v);
        return;
    }
    for (size_t k = 0; k < n; k++) {
        double sum = 0;

        for (size_t j = k; j < n; j++)
            sum += t.at[k * n + j] * v[j];
        v[k] = sum;
    }
    for (size_t k = n; k-- > 0;) {
        double sum = 0;

        for (size_t i = 0; i <= k; i++)
            sum += t.at[i * n + k] * v[i];
        v[k] = sum;
    }
}

/* The largest singular value of R, or of its inverse, by von Mises' iteration. The start is
 * fixed: the same triangle has the same estimate. */
static double largest(struct triangle t, bool inverse, double *v)
{
    double length = 0;

    for (size_t k = 0; k < t.pivots; k++)
        v[k] =
            t.at[k * t.width + k] == 0 ? 0 : (k % 2 ? -1 : 1) / (1 + sqrt((double)k));
    normalise(v, t.pivots);
    for (int i = 0; i < 40; i++) {
        power_step(t, inverse, v);
        length = normalise(v, t.pivots);
    }
    return sqrt(length);
}

double triangle_condition(struct triangle t)
{
    size_t n = t.pivots;
    struct triangle r = { mem_zalloc((n * n + 1) * sizeof(double)), n, n };
    double *v = mem_zalloc((n + 1) * sizeof *v), condition;

    for (size_t j = 0; j < n; j++) {
        double length = 0;

        for (size_t i = 0; i <= j; i++)
            length = hypot(length, t.at[i * t.width + j]);
        for (size_t i = 0; i <= j && t.at[j * t.width + j] != 0; i++)
            r.at[i * n + j] = t.at[i * t.width + j] / length;
    }
    condition = largest(r, false, v) * largest(r, true, v);
    free(v);
    free(r.at);
    return condition > 1 ? condition : 1;
}
