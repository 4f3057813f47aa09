/*
 * known.c - encodes whose content was encoded in other ways, too: a mixed model.
 *
 * Each source has coefficients of its own that are drawn to the common ones by their
 * penalties; how much, and which form, is what leaves the least error of left-out encodes
 * (PRESS). A choice does not need all of ten thousand rows, so it is made on every k-th.
 *
 * An outlier bends the line towards itself and widens what counts as usual, so those that
 * are looked at are taken out together first, at most a tenth of the rows; then each is
 * judged by what all others say, and comes back if it was none. A few of them make the
 * plainest form look best, beside which nothing is unusual, so the others choose their
 * form anew.
 */
#include "modules/predict/predictor.h"

#include "core/mem.h"
#include "modules/predict/response.h"
#include "modules/predict/student.h"

#include <math.h>
#include <stdlib.h>

#define OUTLIER_DEVIATIONS 10
#define MAD_TO_DEVIATION   1.4826 /* of a normal distribution: 1 / Φ⁻¹(3/4) */

enum { CHOICE_ROWS = 2000, OUTLIER_ROUNDS = 3, OUTLIER_SHARE = 10 };

struct work {
    struct examples *e;
    const struct forms *forms;
    bool pooled;
    struct design design;
    double *x;
    struct ridge_term *common, *by_group;
    const struct form *form; /* chosen */
    double penalty;
};

static int fit(struct work *w, const struct ridge_rows *rows, const struct form *f,
               double penalty, struct ridge_fit *out)
{
    struct ridge_form ridge;
    struct ridge_rows mine = *rows;

    form_terms(f, &w->design, penalty, w->common, w->by_group, &ridge);
    if (w->pooled)
        ridge.by_group_count = 0;
    if (ridge.by_group_count == 0)
        mine.group = NULL;
    return ridge_fit(&mine, &ridge, out);
}

static struct ridge_rows all_rows(const struct work *w)
{
    return (struct ridge_rows){ .x = w->x,
                                .y = w->e->y,
                                .group = w->e->source,
                                .n = w->e->n,
                                .columns = w->design.columns };
}

/* ---- choice ----------------------------------------------------------------------- */

static bool penalised(const struct form *f)
{
    for (size_t i = 0; i < FORM_BLOCKS; i++)
        if (f->common[i].weight != FREE || f->by_group[i].weight != FREE)
            return true;
    return false;
}

/* Mean square of left-out errors; NaN: no such fit, or one that leaves nothing to judge
 * its noise by. */
static double press(struct work *w, const struct ridge_rows *rows, const struct form *f,
                    double penalty)
{
    struct ridge_fit fitted;
    double result = NAN;

    if (fit(w, rows, f, penalty, &fitted) < 0)
        return NAN;
    if (fitted.df >= 1 && isfinite(fitted.press))
        result = fitted.press;
    ridge_fit_deinit(&fitted);
    return result;
}

static void choose_by(struct work *w, const struct ridge_rows *rows)
{
    double best = INFINITY;

    w->form = NULL;
    for (size_t f = 0; f < w->forms->count; f++) {
        const struct form *form = &w->forms->all[f];
        size_t penalties = penalised(form) ? w->forms->penalty_count : 1;

        for (size_t k = 0; k < penalties && !data_unwanted(w->e->data); k++) {
            double error = press(w, rows, form, w->forms->penalties[k]);

            if (!(error < best))
                continue;
            best = error;
            w->form = form;
            w->penalty = w->forms->penalties[k];
        }
    }
}

/* On every k-th of the rows with y. */
static void choose(struct work *w)
{
    const struct examples *e = w->e;
    size_t columns = w->design.columns, learned = 0, step, n = 0, seen = 0;
    struct ridge_rows rows = all_rows(w);
    uint32_t *group;
    double *x, *y;

    for (size_t i = 0; i < e->n; i++)
        learned += !isnan(e->y[i]);
    step = learned > CHOICE_ROWS ? (learned + CHOICE_ROWS - 1) / CHOICE_ROWS : 1;
    x = mem_alloc((CHOICE_ROWS + 1) * columns * sizeof *x);
    y = mem_alloc((CHOICE_ROWS + 1) * sizeof *y);
    group = mem_alloc((CHOICE_ROWS + 1) * sizeof *group);
    for (size_t i = 0; i < e->n; i++) {
        if (isnan(e->y[i]) || seen++ % step)
            continue;
        memcpy(x + n * columns, w->x + i * columns, columns * sizeof *x);
        y[n] = e->y[i];
        group[n++] = e->source[i];
    }
    rows.x = x;
    rows.y = y;
    rows.group = group;
    rows.n = n;
    choose_by(w, &rows);
    free(x);
    free(y);
    free(group);
}

/* ---- outliers --------------------------------------------------------------------- */

struct suspect {
    size_t row;
    double error, y;
};

static int by_error(const void *a, const void *b)
{
    const struct suspect *x = a, *y = b;

    if (x->error != y->error)
        return x->error > y->error ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* The rows with the largest errors of left-out predictions, at most `most`. */
static size_t suspects(const struct work *w, const double *left_out, size_t most,
                       struct suspect *out)
{
    size_t n = 0;

    for (size_t i = 0; i < w->e->n; i++)
        if (!isnan(w->e->y[i]) && isfinite(left_out[i]))
            out[n++] =
                (struct suspect){ i, fabs(w->e->y[i] - left_out[i]), w->e->y[i] };
    if (n)
        qsort(out, n, sizeof *out, by_error);
    return n < most ? n : most;
}

/* What counts as one deviation among the rows that are learned from; each error is
 * measured by how sure its prediction is. */
static double deviation(const struct work *w, const struct ridge_fit *f)
{
    double *v = mem_alloc((w->e->n + 1) * sizeof *v), typical, floor, result;
    size_t n = 0;

    for (size_t i = 0; i < w->e->n; i++)
        if (!isnan(w->e->y[i]))
            v[n++] = w->e->y[i];
    typical = n ? median(v, n) : 0;
    n = 0;
    for (size_t i = 0; i < w->e->n; i++)
        if (!isnan(w->e->y[i]) && isfinite(f->spread[i]))
            v[n++] = fabs(w->e->y[i] - f->left_out[i]) / sqrt(f->spread[i]);
    result = n ? MAD_TO_DEVIATION * median(v, n) : 0;
    free(v);
    floor = response_floor(w->e->target, typical);
    return result > floor ? result : floor;
}

/* Of n suspects those lose their y that the others do not bear out; how many. */
static size_t judge(struct work *w, struct suspect *s, size_t n)
{
    struct ridge_rows rows = all_rows(w);
    struct ridge_fit without;
    size_t out = 0;
    double limit;

    for (size_t i = 0; i < n; i++)
        w->e->y[s[i].row] = NAN;
    choose(w);
    if (!w->form || fit(w, &rows, w->form, w->penalty, &without) < 0) {
        for (size_t i = 0; i < n; i++)
            w->e->y[s[i].row] = s[i].y;
        return 0;
    }
    limit = OUTLIER_DEVIATIONS * deviation(w, &without);
    for (size_t i = 0; i < n; i++) {
        size_t row = s[i].row;

        if (fabs(s[i].y - without.left_out[row]) > limit * sqrt(without.spread[row]))
            out++;
        else
            w->e->y[row] = s[i].y;
    }
    ridge_fit_deinit(&without);
    return out;
}

/* One round; how many outliers it found. */
static size_t part_with_outliers(struct work *w, const struct ridge_fit *fitted,
                                 size_t most)
{
    const struct form *form = w->form;
    double penalty = w->penalty;
    struct suspect *s = mem_alloc((w->e->n + 1) * sizeof *s);
    size_t n = suspects(w, fitted->left_out, most, s), out;

    out = n ? judge(w, s, n) : 0;
    w->form = form;
    w->penalty = penalty;
    free(s);
    return out;
}

/* ---- all of it -------------------------------------------------------------------- */

/* Chooses and fits until no outlier is found. */
static bool settle(struct work *w, struct ridge_fit *fitted, size_t *outliers)
{
    struct ridge_rows rows = all_rows(w);
    size_t learned = 0, most;

    for (size_t i = 0; i < w->e->n; i++)
        learned += !isnan(w->e->y[i]);
    most = learned / OUTLIER_SHARE;
    *outliers = 0;
    for (int round = 0;; round++) {
        size_t found = 0;

        choose(w);
        if (!w->form || fit(w, &rows, w->form, w->penalty, fitted) < 0)
            return false;
        if (round < OUTLIER_ROUNDS && *outliers < most)
            found = part_with_outliers(w, fitted, most - *outliers);
        if (found == 0)
            return true;
        *outliers += found;
        ridge_fit_deinit(fitted);
    }
}

static void keep_line(struct work *w, struct ridge_fit *f, double unit,
                      struct predictor *line)
{
    *line =
        (struct predictor){ .form = w->form, .design = w->design, .terms = w->common };
    form_terms(w->form, &w->design, w->penalty, w->common, w->by_group, &line->ridge);
    line->ridge.by_group = NULL;
    line->ridge.by_group_count = 0;
    line->line = f->line;
    line->unit = unit;
    f->line = (struct ridge_line){ 0 };
    w->design = (struct design){ 0 };
    w->common = NULL;
}

static void fill(const struct work *w, struct ridge_fit *f, double unit,
                 struct known *out)
{
    out->form = w->form;
    out->condition = f->condition;
    out->learned = f->learned;
    out->half = mem_alloc((w->e->n + 1) * sizeof *out->half);
    for (size_t i = 0; i < w->e->n; i++)
        out->half[i] = unit * sqrt(f->spread[i]);
    out->left_out = f->left_out;
    f->left_out = NULL;
}

bool known_fit(struct examples *e, const struct forms *forms, bool pooled,
               struct known *out, struct predictor *line)
{
    struct work w = { .e = e, .forms = forms, .pooled = pooled };
    struct ridge_fit f = { 0 };
    uint32_t blocks = 0;
    bool ok;

    for (size_t i = 0; i < forms->count; i++)
        blocks |= form_blocks(&forms->all[i]);
    design_init(&w.design, e->at, e->n, blocks);
    w.x = design_rows(&w.design, e->at, e->n);
    w.common = mem_alloc((w.design.columns + 1) * sizeof *w.common);
    w.by_group = mem_alloc((w.design.columns + 1) * sizeof *w.by_group);
    *out = (struct known){ 0 };
    ok = settle(&w, &f, &out->outliers);
    if (ok && !(f.df >= 1))
        ok = false;
    if (ok) {
        double unit = student_quantile(0.975, f.df) * f.sigma_left;

        fill(&w, &f, unit, out);
        if (line)
            keep_line(&w, &f, unit, line);
    }
    ridge_fit_deinit(&f);
    free(w.x);
    free(w.common);
    free(w.by_group);
    design_deinit(&w.design);
    return ok;
}

void known_deinit(struct known *k)
{
    free(k->left_out);
    free(k->half);
    *k = (struct known){ 0 };
}
