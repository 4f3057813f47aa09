/*
 * parts.c - rows that are fitted again and again, each time without some of them.
 *
 * Each part is folded once, into a triangle of all columns; with fewer rows than columns it
 * stays as it is. A line is made from what is stored of the parts that stay in, whichever
 * columns it takes: never by taking rows out of a sum, which would cost digits.
 */
#include "modules/predict/ridge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "modules/predict/line.h"
#include "modules/predict/scale.h"
#include "modules/predict/triangle.h"

struct stored {
    double *rows; /* count × (columns + 1), y last */
    size_t count;
    size_t learned; /* rows with y */
};

struct ridge_parts {
    size_t columns, count;
    struct stored of[];
};

static void copy_row(const struct ridge_rows *rows, size_t i, double *to)
{
    memcpy(to, rows->x + i * rows->columns, rows->columns * sizeof *to);
    to[rows->columns] = rows->y[i];
}

/* which: the count rows of the part. */
static void store_part(struct stored *s, const struct ridge_rows *rows,
                       const size_t *which, double *block, double *scratch)
{
    size_t width = rows->columns + 1, in_block = 0;
    struct triangle t = { NULL, rows->columns, width };

    s->count = s->learned < rows->columns ? s->learned : rows->columns;
    s->rows = mem_zalloc((s->count * width + 1) * sizeof(double));
    if (s->learned <= rows->columns) {
        for (size_t i = 0; i < s->learned; i++)
            copy_row(rows, which[i], s->rows + i * width);
        return;
    }
    t.at = s->rows;
    for (size_t i = 0; i < s->learned; i++) {
        copy_row(rows, which[i], block + in_block * width);
        if (++in_block == FOLD_ROWS || i + 1 == s->learned) {
            triangle_fold(t, block, in_block, scratch);
            in_block = 0;
        }
    }
}

struct ridge_parts *ridge_parts_new(const struct ridge_rows *rows,
                                    const uint32_t part[], size_t parts)
{
    struct ridge_parts *p = mem_zalloc(sizeof *p + parts * sizeof *p->of);
    size_t *which = mem_resize(NULL, rows->n + 1, sizeof *which);
    size_t *next = mem_zalloc((parts + 1) * sizeof *next), width = rows->columns + 1;
    double *block = mem_alloc((FOLD_ROWS + 1) * width * sizeof *block);

    p->columns = rows->columns;
    p->count = parts;
    for (size_t i = 0; i < rows->n; i++)
        p->of[part[i]].learned += !isnan(rows->y[i]);
    for (size_t k = 0; k < parts; k++)
        next[k + 1] = next[k] + p->of[k].learned;
    for (size_t i = 0; i < rows->n; i++)
        if (!isnan(rows->y[i]))
            which[next[part[i]]++] = i;
    for (size_t k = 0; k < parts; k++)
        store_part(&p->of[k], rows, which + next[k] - p->of[k].learned, block,
                   block + FOLD_ROWS * width);
    free(which);
    free(next);
    free(block);
    return p;
}

void ridge_parts_free(struct ridge_parts *p)
{
    if (p == NULL)
        return;
    for (size_t k = 0; k < p->count; k++)
        free(p->of[k].rows);
    free(p);
}

static bool stays(size_t part, int a, int b)
{
    return (a == RIDGE_ALL || part != (size_t)a) &&
           (b == RIDGE_ALL || part != (size_t)b);
}

static double *inverse_scales(const struct ridge_parts *p,
                              const struct ridge_form *form, int a, int b)
{
    size_t n = form->common_count;
    struct length *l = mem_zalloc((n + 1) * sizeof *l);
    double *inverse = mem_alloc((n + 1) * sizeof *inverse);

    for (size_t part = 0; part < p->count; part++)
        for (size_t i = 0; i < p->of[part].count && stays(part, a, b); i++)
            for (size_t k = 0; k < n; k++)
                length_add(
                    &l[k],
                    p->of[part].rows[i * (p->columns + 1) + form->common[k].column]);
    for (size_t k = 0; k < n; k++)
        inverse[k] = length_inverse(&l[k], form->common[k].penalty);
    free(l);
    return inverse;
}

/* block: FOLD_ROWS + 1 rows of the triangle. */
static void fold_stored(const struct ridge_parts *p, const struct stored *s,
                        const struct ridge_form *form, const double *inverse,
                        struct triangle t, double *block)
{
    size_t in_block = 0;

    for (size_t i = 0; i < s->count; i++) {
        const double *from = s->rows + i * (p->columns + 1);
        double *to = block + in_block * t.width;

        for (size_t k = 0; k < t.pivots; k++)
            to[k] = from[form->common[k].column] * inverse[k];
        to[t.pivots] = from[p->columns];
        if (++in_block == FOLD_ROWS || i + 1 == s->count) {
            triangle_fold(t, block, in_block, block + FOLD_ROWS * t.width);
            in_block = 0;
        }
    }
}

int ridge_parts_line(const struct ridge_parts *p, const struct ridge_form *form, int a,
                     int b, struct ridge_line *out)
{
    size_t width = form->common_count + 1, learned = 0;
    double *inverse = inverse_scales(p, form, a, b);
    double *block = mem_alloc((FOLD_ROWS + 1) * width * sizeof *block);
    struct triangle t =
        triangle_of_penalties(form->common, form->common_count, width, inverse);
    int rc;

    for (size_t part = 0; part < p->count; part++) {
        if (!stays(part, a, b))
            continue;
        learned += p->of[part].learned;
        fold_stored(p, &p->of[part], form, inverse, t, block);
    }
    rc = line_of_triangle(t, form->common, inverse, learned, out);
    if (rc < 0)
        ridge_line_deinit(out);
    free(t.at);
    free(block);
    free(inverse);
    return rc;
}
