/*
 * unseen.c - content that nobody has encoded yet: a ridge, judged by sources left out.
 *
 * Columns count in units of their deviation among the rows that are learned from, which is
 * the same as a penalty times its square. The usual form and penalty stay unless another
 * one errs at least 10 % less: with a handful of sources the least error is mostly luck.
 *
 * An interval has two parts: between sources, whose mean errors vary and of which there are
 * few (Student's t with sources - 1 degrees of freedom), and within them. What is said of
 * the models is nested: form, penalty and interval for a part of the sources are chosen
 * without it.
 */
#include "modules/predict/predictor.h"

#include "core/mem.h"
#include "modules/predict/student.h"

#include <math.h>
#include <stdlib.h>

#define CLEARLY_LESS 0.81 /* of mean squares: 10 % of their root */
#define NORMAL_975   1.959963984540054

/* Sources are left out one by one up to PARTS_MAX of them, else in so many parts; with
 * more columns than COLUMNS_MANY in few parts and without choices, because a line costs
 * the cube of the columns. */
enum { PARTS_MAX = 10, PARTS_FEW = 5, COLUMNS_MANY = 60, CHOICES_MAX = 16 };

struct choice {
    const struct form *form;
    double lambda;
};

struct work {
    const struct examples *e;
    struct design design;
    size_t n; /* rows with y */
    double *x, *y;
    uint32_t *row, *part, *source; /* of each: in e; part; source from 0 */
    uint32_t sources, parts;
    double *sum, *square, *mean; /* parts × columns, about the mean of all; columns */
    size_t *in_part;
    struct ridge_parts *ridge;
    struct ridge_term *terms, *unused;
    struct choice choices[CHOICES_MAX];
    size_t choice_count;
    double
        *errors; /* choices × (parts + 1) × parts: of a part, with another one left out
                       (the last: none), the sum over its sources of the mean square */
    double *left, *leverage; /* of each row: error, leverage; for one choice */
};

/* ---- rows ------------------------------------------------------------------------- */

static void take_rows(struct work *w)
{
    uint32_t last = UINT32_MAX;

    w->row = mem_alloc((w->e->n + 1) * sizeof *w->row);
    w->part = mem_alloc((w->e->n + 1) * sizeof *w->part);
    w->source = mem_alloc((w->e->n + 1) * sizeof *w->source);
    for (uint32_t i = 0; i < w->e->n; i++) {
        if (isnan(w->e->y[i]))
            continue;
        w->sources += w->e->source[i] != last;
        last = w->e->source[i];
        w->source[w->n] = w->sources - 1;
        w->row[w->n++] = i;
    }
}

static void divide(struct work *w, size_t columns)
{
    uint32_t most = columns > COLUMNS_MANY ? PARTS_FEW : PARTS_MAX;

    w->parts = w->sources < most ? w->sources : most;
    for (size_t i = 0; i < w->n; i++)
        w->part[i] = w->source[i] % w->parts;
}

static void sum_columns(struct work *w)
{
    size_t columns = w->design.columns;

    w->sum = mem_zalloc(w->parts * columns * sizeof *w->sum);
    w->square = mem_zalloc(w->parts * columns * sizeof *w->square);
    w->mean = mem_zalloc((columns + 1) * sizeof *w->mean);
    w->in_part = mem_zalloc(w->parts * sizeof *w->in_part);
    for (size_t i = 0; i < w->n; i++)
        for (size_t c = 0; c < columns; c++)
            w->mean[c] += w->x[i * columns + c] / (double)w->n;
    for (size_t i = 0; i < w->n; i++) {
        w->in_part[w->part[i]]++;
        for (size_t c = 0; c < columns; c++) {
            double v = w->x[i * columns + c] - w->mean[c];

            w->sum[w->part[i] * columns + c] += v;
            w->square[w->part[i] * columns + c] += v * v;
        }
    }
}

static void make_rows(struct work *w)
{
    struct point *at = mem_alloc((w->n + 1) * sizeof *at);
    uint32_t blocks = 0;

    for (size_t k = 0; k < w->choice_count; k++)
        blocks |= form_blocks(w->choices[k].form);
    w->y = mem_alloc((w->n + 1) * sizeof *w->y);
    for (size_t i = 0; i < w->n; i++) {
        at[i] = w->e->at[w->row[i]];
        w->y[i] = w->e->y[w->row[i]];
    }
    design_init(&w->design, at, w->n, blocks);
    w->x = design_rows(&w->design, at, w->n);
    free(at);
    divide(w, w->design.columns);
    if (w->design.columns > COLUMNS_MANY)
        w->choice_count = 1;
}

static struct ridge_rows rows_of(const struct work *w)
{
    return (struct ridge_rows){
        .x = w->x, .y = w->y, .n = w->n, .columns = w->design.columns
    };
}

/* ---- lines ------------------------------------------------------------------------ */

/* The variance of a column among the rows of all parts but a and b. */
static double variance(const struct work *w, size_t column, int a, int b)
{
    double n = 0, sum = 0, square = 0, v;

    for (uint32_t p = 0; p < w->parts; p++) {
        size_t at = (size_t)p * w->design.columns + column;

        if ((int)p == a || (int)p == b)
            continue;
        n += (double)w->in_part[p];
        sum += w->sum[at];
        square += w->square[at];
    }
    v = square / n - (sum / n) * (sum / n);
    return v > 1e-24 ? v : 1;
}

static void terms_of(struct work *w, const struct choice *c, int a, int b,
                     struct ridge_form *out)
{
    form_terms(c->form, &w->design, c->lambda, w->terms, w->unused, out);
    for (size_t i = 0; i < out->common_count; i++)
        if (w->terms[i].penalty > 0)
            w->terms[i].penalty *= variance(w, w->terms[i].column, a, b);
}

/* Errors (and leverages, if asked for) of the rows of a part. */
static void judge(struct work *w, const struct ridge_line *l,
                  const struct ridge_form *form, int part, bool leverages)
{
    for (size_t i = 0; i < w->n; i++)
        if ((int)w->part[i] == part)
            w->left[i] = w->y[i] - ridge_line_at(l, form, w->x + i * w->design.columns,
                                                 leverages ? &w->leverage[i] : NULL);
}

/* The sum over a part's sources of the mean square of their errors. */
static double part_error(const struct work *w, int part)
{
    double total = 0, sum = 0;
    size_t n = 0;

    for (size_t i = 0; i < w->n; i++) {
        if ((int)w->part[i] != part)
            continue;
        sum += w->left[i] * w->left[i];
        n++;
        if (i + 1 < w->n && w->source[i + 1] == w->source[i])
            continue;
        total += sum / (double)n;
        sum = 0;
        n = 0;
    }
    return total;
}

static double *error_at(const struct work *w, size_t choice, uint32_t without,
                        uint32_t part)
{
    return &w->errors[(choice * (w->parts + 1) + without) * w->parts + part];
}

static void judge_pair(struct work *w, size_t choice, int a, int b)
{
    const struct choice *c = &w->choices[choice];
    uint32_t none = w->parts;
    struct ridge_form form;
    struct ridge_line line;

    terms_of(w, c, a, b, &form);
    if (ridge_parts_line(w->ridge, &form, a, b, &line) < 0) {
        *error_at(w, choice, b < 0 ? none : (uint32_t)b, (uint32_t)a) = NAN;
        if (b >= 0)
            *error_at(w, choice, (uint32_t)a, (uint32_t)b) = NAN;
        return;
    }
    judge(w, &line, &form, a, false);
    *error_at(w, choice, b < 0 ? none : (uint32_t)b, (uint32_t)a) = part_error(w, a);
    if (b >= 0) {
        judge(w, &line, &form, b, false);
        *error_at(w, choice, (uint32_t)a, (uint32_t)b) = part_error(w, b);
    }
    ridge_line_deinit(&line);
}

static void judge_choices(struct work *w)
{
    w->errors =
        mem_zalloc(w->choice_count * (w->parts + 1) * w->parts * sizeof *w->errors);
    for (size_t k = 0; k < w->choice_count; k++)
        for (int a = 0; a < (int)w->parts && !data_unwanted(w->e->data); a++) {
            judge_pair(w, k, a, RIDGE_ALL);
            for (int b = a + 1; b < (int)w->parts; b++)
                judge_pair(w, k, a, b);
        }
}

static uint32_t sources_without(const struct work *w, uint32_t without)
{
    uint32_t n = 0;

    for (uint32_t s = 0; s < w->sources; s++)
        n += s % w->parts != without;
    return n;
}

/* The choice for all parts but one (w->parts: for all); NULL: none can be fitted. */
static const struct choice *choose(const struct work *w, uint32_t without)
{
    const struct choice *best = NULL;
    double least = INFINITY;

    for (size_t k = 0; k < w->choice_count; k++) {
        double error = 0;

        for (uint32_t p = 0; p < w->parts; p++)
            if (p != without)
                error += *error_at(w, k, without, p);
        if (isfinite(error) && (!best || error < least * CLEARLY_LESS)) {
            least = error;
            best = &w->choices[k];
        }
    }
    return best;
}

/* ---- intervals -------------------------------------------------------------------- */

/* Half the width of a 95 % interval over sqrt(1 + leverage), from the standardised errors
 * of the sources that are in no part `without`. */
static double interval_unit(const struct work *w, uint32_t without)
{
    double between = 0, within = 0, sum = 0, square = 0, n = 0, t;
    uint32_t sources = sources_without(w, without);

    for (size_t i = 0; i < w->n; i++) {
        double z = w->left[i] / sqrt(1 + w->leverage[i]);

        if (w->part[i] == without)
            continue;
        n++;
        sum += z;
        square += z * z;
        if (i + 1 < w->n && w->source[i + 1] == w->source[i])
            continue;
        between += sum / n * (sum / n);
        within += fmax(square / n - sum / n * (sum / n), 0);
        n = sum = square = 0;
    }
    if (sources < 2)
        return NAN;
    t = student_quantile(0.975, sources - 1.0);
    return sqrt((t * t * between + NORMAL_975 * NORMAL_975 * within) / sources);
}

/* Errors and leverages of the rows of all parts but one, each part predicted by the
 * others. */
static bool judge_all(struct work *w, const struct choice *c, int without)
{
    for (int p = 0; p < (int)w->parts; p++) {
        struct ridge_form form;
        struct ridge_line line;

        if (p == without)
            continue;
        terms_of(w, c, p, without, &form);
        if (ridge_parts_line(w->ridge, &form, p, without, &line) < 0)
            return false;
        judge(w, &line, &form, p, true);
        ridge_line_deinit(&line);
    }
    return true;
}

/* What the other parts say of one, by choices of their own. */
static void nested(struct work *w, int part, struct unseen *out)
{
    const struct choice *c = choose(w, (uint32_t)part);
    struct ridge_form form;
    struct ridge_line line;
    double unit;

    if (!c || !judge_all(w, c, part))
        return;
    unit = interval_unit(w, (uint32_t)part);
    terms_of(w, c, part, RIDGE_ALL, &form);
    if (ridge_parts_line(w->ridge, &form, part, RIDGE_ALL, &line) < 0)
        return;
    judge(w, &line, &form, part, true);
    for (size_t i = 0; i < w->n; i++) {
        if ((int)w->part[i] != part)
            continue;
        out->value[w->row[i]] = w->y[i] - w->left[i];
        out->half[w->row[i]] = unit * sqrt(1 + w->leverage[i]);
    }
    ridge_line_deinit(&line);
}

/* ---- all of it -------------------------------------------------------------------- */

static bool final_line(struct work *w, struct unseen *out)
{
    const struct choice *c = choose(w, w->parts);
    struct ridge_rows rows = rows_of(w);
    struct ridge_fit f;
    struct predictor *l = &out->line;

    if (!c || !judge_all(w, c, RIDGE_ALL))
        return false;
    l->unit = interval_unit(w, w->parts);
    terms_of(w, c, RIDGE_ALL, RIDGE_ALL, &l->ridge);
    if (!isfinite(l->unit) || ridge_fit(&rows, &l->ridge, &f) < 0)
        return false;
    l->form = c->form;
    l->design = w->design;
    l->terms = w->terms;
    l->line = f.line;
    out->condition = f.condition;
    f.line = (struct ridge_line){ 0 };
    w->design = (struct design){ 0 };
    w->terms = NULL;
    ridge_fit_deinit(&f);
    return true;
}

static void work_deinit(struct work *w)
{
    ridge_parts_free(w->ridge);
    design_deinit(&w->design);
    free(w->x);
    free(w->y);
    free(w->row);
    free(w->part);
    free(w->source);
    free(w->sum);
    free(w->square);
    free(w->mean);
    free(w->in_part);
    free(w->terms);
    free(w->unused);
    free(w->errors);
    free(w->left);
    free(w->leverage);
}

static void prepare(struct work *w)
{
    struct ridge_rows rows;

    make_rows(w);
    sum_columns(w);
    w->terms = mem_alloc((w->design.columns + 1) * sizeof *w->terms);
    w->unused = mem_alloc((w->design.columns + 1) * sizeof *w->unused);
    w->left = mem_zalloc((w->n + 1) * sizeof *w->left);
    w->leverage = mem_zalloc((w->n + 1) * sizeof *w->leverage);
    rows = rows_of(w);
    w->ridge = ridge_parts_new(&rows, w->part, w->parts);
    judge_choices(w);
}

bool unseen_fit(const struct examples *e, const struct forms *forms, struct unseen *out)
{
    struct work w = { .e = e };
    bool ok;

    take_rows(&w);
    if (w.sources < 3) {
        work_deinit(&w);
        return false;
    }
    for (size_t f = 0; f < forms->count; f++)
        for (size_t k = 0; k < forms->penalty_count && w.choice_count < CHOICES_MAX;
             k++)
            w.choices[w.choice_count++] =
                (struct choice){ &forms->all[f], forms->penalties[k] };
    prepare(&w);
    *out = (struct unseen){ .sources = w.sources };
    out->value = mem_alloc((e->n + 1) * sizeof *out->value);
    out->half = mem_alloc((e->n + 1) * sizeof *out->half);
    for (size_t i = 0; i < e->n; i++)
        out->value[i] = out->half[i] = NAN;
    for (int p = 0; p < (int)w.parts && !data_unwanted(e->data); p++)
        nested(&w, p, out);
    ok = !data_unwanted(e->data) && final_line(&w, out);
    work_deinit(&w);
    if (!ok)
        unseen_deinit(out);
    return ok;
}

void unseen_deinit(struct unseen *u)
{
    predictor_deinit(&u->line);
    free(u->value);
    free(u->half);
    *u = (struct unseen){ 0 };
}
