/*
 * test_ridge.c - fits in blocks against dense ones that leave each row out for real.
 *
 * The dense fit solves the normal equations of everything at once, with as many columns as
 * groups have coefficients, by Gauss' elimination in long double: nothing of ridge.c is in
 * it.
 */
#include "modules/predict/ridge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/unit/test.h"

enum { MOST = 64 };

struct problem {
    double x[MOST * 8], y[MOST];
    uint32_t group[MOST], part[MOST];
    struct ridge_rows rows;
    struct ridge_term common[8], own[8];
    struct ridge_form form;
};

static uint32_t seed;

/* -1 to 1; Park and Miller's generator. */
static double random_number(void)
{
    seed = (uint32_t)((uint64_t)seed * 48271 % 0x7fffffff);
    return (double)seed / 0x3fffffff - 1;
}

static void problem_init(struct problem *p, size_t n, size_t columns)
{
    memset(p, 0, sizeof *p);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < columns; k++)
            p->x[i * columns + k] = k == 0 ? 1 : random_number();
        p->y[i] = 3 * random_number() + p->x[i * columns + columns - 1];
    }
    p->rows = (struct ridge_rows){ .x = p->x, .y = p->y, .n = n, .columns = columns };
    p->form.common = p->common;
    p->form.by_group = p->own;
    for (uint32_t k = 0; k < columns; k++)
        p->common[k].column = k;
    p->form.common_count = columns;
}

/* Terms by group of the first count columns. */
static void problem_group(struct problem *p, size_t count, double penalty)
{
    for (uint32_t k = 0; k < count; k++)
        p->own[k] = (struct ridge_term){ k, penalty * (1 + k) };
    p->form.by_group_count = count;
    p->rows.group = p->group;
}

/* ---- the dense fit ---------------------------------------------------------------- */

static size_t groups_of(const struct problem *p)
{
    return p->rows.group == NULL ? 1 : (size_t)p->group[p->rows.n - 1] + 1;
}

static void dense_row(const struct problem *p, size_t i, long double *row)
{
    const struct ridge_form *f = &p->form;
    size_t group = p->rows.group == NULL ? 0 : p->group[i];
    const double *x = p->x + i * p->rows.columns;

    memset(row, 0, (f->common_count + groups_of(p) * f->by_group_count) * sizeof *row);
    for (size_t k = 0; k < f->common_count; k++)
        row[k] = x[f->common[k].column];
    for (size_t k = 0; k < f->by_group_count; k++)
        row[f->common_count + group * f->by_group_count + k] = x[f->by_group[k].column];
}

static void gauss(long double *a, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        size_t best = k;

        for (size_t i = k; i < n; i++)
            if (fabsl(a[i * (n + 2) + k]) > fabsl(a[best * (n + 2) + k]))
                best = i;
        for (size_t j = 0; j < n + 2 && best != k; j++) {
            long double kept = a[k * (n + 2) + j];

            a[k * (n + 2) + j] = a[best * (n + 2) + j];
            a[best * (n + 2) + j] = kept;
        }
        for (size_t i = 0; i < n; i++) {
            long double f = a[i * (n + 2) + k] / a[k * (n + 2) + k];

            for (size_t j = k; j < n + 2 && i != k; j++)
                a[i * (n + 2) + j] -= f * a[k * (n + 2) + j];
        }
    }
}

/* What row i is predicted as by all rows but leave (n: by all), and its variance in variances
 * of the noise: two right sides, X'y and x. */
static double dense_at(const struct problem *p, size_t i, size_t leave,
                       double *variance)
{
    const struct ridge_form *f = &p->form;
    size_t n = f->common_count + groups_of(p) * f->by_group_count;
    long double *a = mem_zalloc(n * (n + 2) * sizeof *a);
    long double *row = mem_zalloc(n * sizeof *row), value = 0, h = 0;

    for (size_t r = 0; r < p->rows.n; r++) {
        dense_row(p, r, row);
        for (size_t k = 0; k < n && r != leave && !isnan(p->y[r]); k++) {
            for (size_t j = 0; j < n; j++)
                a[k * (n + 2) + j] += row[k] * row[j];
            a[k * (n + 2) + n] += row[k] * p->y[r];
        }
    }
    dense_row(p, i, row);
    for (size_t k = 0; k < n; k++) {
        a[k * (n + 2) + k] +=
            k < f->common_count
                ? f->common[k].penalty
                : f->by_group[(k - f->common_count) % f->by_group_count].penalty;
        a[k * (n + 2) + n + 1] = row[k];
    }
    gauss(a, n);
    for (size_t k = 0; k < n; k++) {
        value += row[k] * a[k * (n + 2) + n] / a[k * (n + 2) + k];
        h += row[k] * a[k * (n + 2) + n + 1] / a[k * (n + 2) + k];
    }
    free(a);
    free(row);
    *variance = (double)h;
    return (double)value;
}

static void assert_as_dense(const struct problem *p)
{
    struct ridge_fit fit;
    double press = 0, df = 0, squares = 0, left = 0;
    size_t n = p->rows.n;

    assert_int_equal(ridge_fit(&p->rows, &p->form, &fit), 0);
    for (size_t i = 0; i < n; i++) {
        double h, out_h, fitted = dense_at(p, i, n, &h);
        double out = dense_at(p, i, i, &out_h);

        assert_near(fit.left_out[i], out, 1e-9);
        assert_near(fit.spread[i], 1 + out_h, 1e-9);
        assert_near(fit.residual[i], p->y[i] - fitted, 1e-9);
        if (isnan(p->y[i]))
            continue;
        df += 1 - h;
        squares += (p->y[i] - fitted) * (p->y[i] - fitted);
        press += (p->y[i] - out) * (p->y[i] - out);
        left += (p->y[i] - out) * (p->y[i] - out) * (1 - h);
    }
    assert_near(fit.df, df, 1e-9);
    assert_near(fit.sigma, sqrt(squares / df), 1e-9);
    assert_near(fit.press, press / (double)fit.learned, 1e-9);
    assert_near(fit.sigma_left, sqrt(left / (double)fit.learned), 1e-9);
    assert_true(fit.condition >= 1);
    ridge_fit_deinit(&fit);
}

static void rows_left_out_are_as_refits_without_them(void **state)
{
    (void)state;
    struct problem p;

    seed = 1;
    problem_init(&p, 20, 4);
    assert_as_dense(&p);
    for (int k = 1; k < 4; k++)
        p.common[k].penalty = 0.3 * k;
    assert_as_dense(&p);
}

static void coefficients_by_group_are_as_one_dense_fit(void **state)
{
    (void)state;
    static const double penalties[] = { 1e-3, 0.7, 50 };
    struct problem p;

    for (size_t k = 0; k < 3; k++) {
        seed = 2;
        problem_init(&p, 40, 5);
        problem_group(&p, 3, penalties[k]);
        p.common[4].penalty = 0.1;
        for (uint32_t i = 0; i < 40; i++)
            p.group[i] = i < 10 ? 0 : i < 11 ? 1 : i < 13 ? 2 : 3;
        assert_as_dense(&p);
        /* rows without y: one of a group, all of a group */
        p.y[3] = p.y[10] = p.y[22] = NAN;
        assert_as_dense(&p);
    }
}

static void every_row_may_be_a_group(void **state)
{
    (void)state;
    struct problem p;

    seed = 3;
    problem_init(&p, 20, 3);
    problem_group(&p, 2, 2);
    for (uint32_t i = 0; i < 20; i++)
        p.group[i] = i;
    p.y[7] = NAN;
    assert_as_dense(&p);
}

/* More rows than are folded at once, in a group and in all. */
static void blocks_do_not_matter(void **state)
{
    (void)state;
    enum { ROWS = 333 };
    static double x[ROWS * 2], y[ROWS];
    static uint32_t group[ROWS];
    struct ridge_term common[] = { { 0, 0 }, { 1, 0 } }, own = { 0, 5 };
    struct ridge_rows rows = { x, y, group, ROWS, 2 };
    struct ridge_form form = { common, 2, &own, 1 };
    struct ridge_fit fit;
    double x1 = 0, count[2] = { 0 };

    /* y = 2 + 3 x + 4 (group 0) - 4 (group 1), x balanced in both: with n rows in a group its
     * mean offset from the common line of 4 is shrunk to 4 n / (n + 5). */
    for (size_t i = 0; i < ROWS - 1; i++) {
        group[i] = i >= 166;
        x[2 * i] = 1;
        x[2 * i + 1] = i % 2 ? 1 : -1;
        y[i] = 2 + 3 * x[2 * i + 1] + (group[i] ? -4 : 4);
        count[group[i]]++;
        x1 += x[2 * i + 1];
    }
    assert_true(x1 == 0 && count[0] == count[1]);
    x[2 * (size_t)(ROWS - 1)] = 1;
    y[ROWS - 1] = NAN;
    group[ROWS - 1] = 1;
    assert_int_equal(ridge_fit(&rows, &form, &fit), 0);
    assert_near(fit.line.beta[0], 2, 1e-12);
    assert_near(fit.line.beta[1], 3, 1e-12);
    assert_near(fit.left_out[ROWS - 1], 2 - 4 * 166.0 / 171, 1e-12);
    assert_near(fit.residual[0], 4 - 4 * 166.0 / 171, 1e-12);
    ridge_fit_deinit(&fit);
}

/* ---- parts -------------------------------------------------------------------------- */

static void assert_same_line(const struct ridge_line *got,
                             const struct ridge_line *want)
{
    assert_int_equal(got->count, want->count);
    for (size_t k = 0; k < want->count; k++)
        assert_near(got->beta[k], want->beta[k], 1e-10);
    for (size_t k = 0; k < want->count * want->count; k++)
        assert_near(fabs(got->triangle[k]), fabs(want->triangle[k]), 1e-10);
}

/* The rows of all parts but a and b, fitted. */
static void refit(const struct problem *p, int a, int b, struct ridge_fit *fit)
{
    struct problem rest = *p;

    rest.rows.x = rest.x;
    rest.rows.y = rest.y;
    for (size_t i = 0; i < p->rows.n; i++)
        if ((int)p->part[i] == a || (int)p->part[i] == b)
            rest.y[i] = NAN;
    assert_int_equal(ridge_fit(&rest.rows, &p->form, fit), 0);
}

static void lines_without_parts_are_as_refits(void **state)
{
    (void)state;
    struct problem p;
    struct ridge_parts *parts;

    seed = 4;
    problem_init(&p, 60, 5);
    for (uint32_t i = 0; i < 60; i++)
        p.part[i] = i % 7 < 4 ? 0 : i % 7 - 3; /* large, small */
    p.part[9] = 4;                             /* one row */
    p.y[5] = NAN;
    parts = ridge_parts_new(&p.rows, p.part, 6); /* part 5 has none */
    p.common[0].column = 3;
    p.common[1] = (struct ridge_term){ 0, 0 };
    p.common[2] = (struct ridge_term){ 1, 0.4 };
    p.form.common_count = 3;
    for (int a = RIDGE_ALL; a < 6; a++) {
        for (int b = RIDGE_ALL; b < 6; b++) {
            struct ridge_line line;
            struct ridge_fit fit;

            assert_int_equal(ridge_parts_line(parts, &p.form, a, b, &line), 0);
            refit(&p, a, b, &fit);
            assert_same_line(&line, &fit.line);
            ridge_line_deinit(&line);
            ridge_fit_deinit(&fit);
        }
    }
    ridge_parts_free(parts);
    ridge_parts_free(NULL);
}

static void too_few_rows_in_the_parts_that_stay_make_no_line(void **state)
{
    (void)state;
    struct problem p;
    struct ridge_parts *parts;
    struct ridge_line line;

    seed = 5;
    problem_init(&p, 9, 3);
    for (uint32_t i = 0; i < 9; i++)
        p.part[i] = i / 3;
    parts = ridge_parts_new(&p.rows, p.part, 3);
    assert_int_equal(ridge_parts_line(parts, &p.form, 0, 1, &line), -EDOM);
    assert_null(line.beta);
    assert_int_equal(ridge_parts_line(parts, &p.form, 0, RIDGE_ALL, &line), 0);
    ridge_line_deinit(&line);
    ridge_parts_free(parts);
}

/* ---- what is odd --------------------------------------------------------------------- */

static void columns_that_add_nothing_have_no_coefficient(void **state)
{
    (void)state;
    struct problem p, less;
    struct ridge_fit fit, want;

    seed = 6;
    problem_init(&p, 30, 5);
    less = p;
    less.rows.x = less.x;
    less.rows.y = less.y;
    less.common[1].column = 1;
    less.common[2].column = 4;
    less.form.common = less.common;
    less.form.common_count = 3;
    for (size_t i = 0; i < 30; i++) {
        p.x[i * 5 + 2] = 3 - 2 * p.x[i * 5 + 1]; /* of those before it */
        p.x[i * 5 + 3] = 7;                      /* constant */
    }
    assert_int_equal(ridge_fit(&p.rows, &p.form, &fit), 0);
    assert_int_equal(ridge_fit(&less.rows, &less.form, &want), 0);
    assert_true(fit.line.beta[2] == 0 && fit.line.beta[3] == 0);
    assert_true(fit.line.triangle[2 * 5 + 2] == 0 && fit.line.triangle[3 * 5 + 3] == 0);
    assert_near(fit.line.beta[0], want.line.beta[0], 1e-10);
    assert_near(fit.line.beta[1], want.line.beta[1], 1e-10);
    assert_near(fit.line.beta[4], want.line.beta[2], 1e-10);
    assert_near(fit.df, 27, 1e-10);
    for (size_t i = 0; i < 30; i++) {
        assert_near(fit.left_out[i], want.left_out[i], 1e-10);
        assert_near(fit.spread[i], want.spread[i], 1e-10);
    }
    /* R'R is X'X, also of those columns. */
    for (size_t a = 0; a < 5; a++)
        for (size_t b = 0; b < 5; b++) {
            double product = 0, of_r = 0;

            for (size_t i = 0; i < 30; i++)
                product += p.x[i * 5 + a] * p.x[i * 5 + b];
            for (size_t k = 0; k < 5; k++)
                of_r += fit.line.triangle[k * 5 + a] * fit.line.triangle[k * 5 + b];
            assert_near(of_r, product, 1e-12);
        }
    ridge_fit_deinit(&fit);
    ridge_fit_deinit(&want);
}

static void fewer_rows_than_they_say_teach_nothing(void **state)
{
    (void)state;
    struct problem p;
    struct ridge_fit fit;

    seed = 7;
    problem_init(&p, 4, 4);
    assert_int_equal(ridge_fit(&p.rows, &p.form, &fit), -EDOM);
    assert_null(fit.left_out);
    assert_null(fit.line.beta);
    p.common[3].penalty = 1e-3; /* three free ones, four rows */
    assert_int_equal(ridge_fit(&p.rows, &p.form, &fit), 0);
    ridge_fit_deinit(&fit);
    p.y[2] = NAN;
    assert_int_equal(ridge_fit(&p.rows, &p.form, &fit), -EDOM);
    p.form.common_count = 0;
    p.rows.n = 1;
    assert_int_equal(ridge_fit(&p.rows, &p.form, &fit), -EDOM);
    p.rows.n = 0;
    assert_int_equal(ridge_fit(&p.rows, &p.form, &fit), -EDOM);
    /* no coefficients at all: everything is 0 but for noise */
    p.rows.n = 2;
    assert_int_equal(ridge_fit(&p.rows, &p.form, &fit), 0);
    assert_true(fit.left_out[0] == 0 && fit.spread[0] == 1 && fit.df == 2);
    ridge_fit_deinit(&fit);
}

/* Row 5 alone has column 2; without it the column adds nothing. A second such column comes
 * by the difference of two that agree elsewhere. */
static void a_row_that_alone_says_something_is_predicted_without_it(void **state)
{
    (void)state;
    for (int shape = 0; shape < 2; shape++) {
        struct problem p, rest;
        struct ridge_fit fit, want;

        seed = 8;
        problem_init(&p, 12, 4);
        for (size_t i = 0; i < 12; i++)
            p.x[i * 4 + 2] =
                (i == 5 ? 1 : 0) + (shape == 1 ? 1 + 2 * p.x[i * 4 + 1] : 0);
        assert_int_equal(ridge_fit(&p.rows, &p.form, &fit), 0);
        rest = p;
        rest.rows.x = rest.x;
        rest.rows.y = rest.y;
        rest.y[5] = NAN;
        assert_int_equal(ridge_fit(&rest.rows, &p.form, &want), 0);
        assert_near(fit.spread[5], INFINITY, 0);
        assert_near(fit.left_out[5], want.left_out[5], 1e-10);
        assert_near(fit.residual[5], 0, 1e-12);
        assert_near(fit.df, 8, 1e-10);
        assert_near(fit.sigma, want.sigma, 1e-10);
        assert_near(fit.sigma_left, want.sigma_left, 1e-10);
        assert_true(isfinite(fit.press));
        ridge_fit_deinit(&fit);
        ridge_fit_deinit(&want);
    }
}

/* Row 5 is a group, whose coefficient hardly costs anything. */
static void a_row_alone_in_its_group_is_predicted_by_the_others(void **state)
{
    (void)state;
    struct problem p;
    struct ridge_fit fit, want;

    seed = 12;
    problem_init(&p, 12, 3);
    problem_group(&p, 1, 1e-14);
    for (uint32_t i = 0; i < 12; i++)
        p.group[i] = i < 5 ? 0 : i == 5 ? 1 : 2;
    p.common[0].penalty = 1;
    assert_int_equal(ridge_fit(&p.rows, &p.form, &fit), 0);
    p.y[5] = NAN;
    assert_int_equal(ridge_fit(&p.rows, &p.form, &want), 0);
    assert_near(fit.spread[5], INFINITY, 0);
    assert_near(fit.left_out[5], want.left_out[5], 1e-9);
    ridge_fit_deinit(&fit);
    ridge_fit_deinit(&want);
}

static void scales_do_not_matter(void **state)
{
    (void)state;
    static const double by[] = { 1, 1e12, 1e-15, 1e6 };
    struct problem p, scaled;
    struct ridge_fit fit, want;

    seed = 9;
    problem_init(&p, 25, 4);
    problem_group(&p, 2, 0.5);
    for (uint32_t i = 0; i < 25; i++)
        p.group[i] = i / 9;
    p.common[3].penalty = 0.2;
    scaled = p;
    scaled.rows.x = scaled.x;
    for (size_t i = 0; i < 25; i++)
        for (size_t k = 0; k < 4; k++)
            scaled.x[i * 4 + k] *= by[k];
    for (size_t k = 0; k < 4; k++)
        scaled.common[k].penalty *= by[k] * by[k];
    for (size_t k = 0; k < 2; k++)
        scaled.own[k].penalty *= by[k] * by[k];
    scaled.form.common = scaled.common;
    scaled.form.by_group = scaled.own;
    assert_int_equal(ridge_fit(&p.rows, &p.form, &want), 0);
    assert_int_equal(ridge_fit(&scaled.rows, &scaled.form, &fit), 0);
    for (size_t k = 0; k < 4; k++)
        assert_near(fit.line.beta[k] * by[k], want.line.beta[k], 1e-10);
    for (size_t i = 0; i < 25; i++) {
        assert_near(fit.left_out[i], want.left_out[i], 1e-10);
        assert_near(fit.spread[i], want.spread[i], 1e-10);
    }
    ridge_fit_deinit(&fit);
    ridge_fit_deinit(&want);
}

/* Columns of length 1 at an angle: singular values sqrt(1 ± cos). */
static void the_condition_is_that_of_scaled_columns(void **state)
{
    (void)state;
    static const double x[] = { 1, 6e5, 0, 8e5, 0, 0, 0, 0 }, y[] = { 1, 2, 3, 4 };
    static const struct ridge_term terms[] = { { 0, 0 }, { 1, 0 } };
    struct ridge_rows rows = { .x = x, .y = y, .n = 4, .columns = 2 };
    struct ridge_form form = { .common = terms, .common_count = 2 };
    struct ridge_fit fit;

    assert_int_equal(ridge_fit(&rows, &form, &fit), 0);
    assert_near(fit.condition, sqrt(1.6 / 0.4), 1e-9);
    ridge_fit_deinit(&fit);
    form.common_count = 1;
    assert_int_equal(ridge_fit(&rows, &form, &fit), 0);
    assert_near(fit.condition, 1, 1e-12);
    ridge_fit_deinit(&fit);
}

static double odd_number(void)
{
    static const double odd[] = { 0, 0, 1, 1, -1, 1e12, -1e12, 1e-12, 1e6, 93 };
    double r = random_number();

    return r < 0.2 ? odd[(size_t)(fabs(random_number()) * 9.99)] : r;
}

static void whatever_comes_is_finite(void **state)
{
    (void)state;
    size_t fitted = 0;

    seed = 10;
    for (int round = 0; round < 3000; round++) {
        size_t n = (size_t)(fabs(random_number()) * 30),
               columns = 1 + (size_t)round % 7;
        struct problem p;
        struct ridge_fit fit;

        problem_init(&p, n, columns);
        problem_group(&p, (size_t)round % columns, fabs(odd_number()) + 1e-9);
        for (uint32_t i = 0; i < n; i++) {
            for (size_t k = 0; k < columns; k++)
                p.x[i * columns + k] = odd_number();
            p.y[i] = random_number() < -0.7 ? NAN : odd_number();
            p.group[i] = i == 0 ? 0 : p.group[i - 1] + (random_number() > 0.5);
        }
        for (size_t k = 0; k < columns; k++)
            p.common[k].penalty = random_number() > 0 ? 0 : fabs(odd_number());
        if (ridge_fit(&p.rows, &p.form, &fit) < 0)
            continue;
        fitted++;
        for (size_t i = 0; i < n; i++) {
            assert_true(isfinite(fit.left_out[i]));
            assert_true(fit.spread[i] >= 1);
            assert_true(isnan(fit.residual[i]) == isnan(p.y[i]));
        }
        assert_true(isfinite(fit.sigma) && isfinite(fit.sigma_left));
        assert_true(isfinite(fit.press) && fit.condition >= 1 && fit.df >= 0);
        ridge_fit_deinit(&fit);
    }
    assert_true(fitted > 1000);
}

static void the_same_rows_give_the_same_bytes(void **state)
{
    (void)state;
    struct problem p;
    struct ridge_fit a, b;

    seed = 11;
    problem_init(&p, 50, 5);
    problem_group(&p, 2, 1);
    for (uint32_t i = 0; i < 50; i++)
        p.group[i] = i / 7;
    assert_int_equal(ridge_fit(&p.rows, &p.form, &a), 0);
    assert_int_equal(ridge_fit(&p.rows, &p.form, &b), 0);
    assert_memory_equal(a.left_out, b.left_out, 50 * sizeof(double));
    assert_memory_equal(&a.sigma, &b.sigma, sizeof a.sigma);
    ridge_fit_deinit(&a);
    ridge_fit_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_left_out_are_as_refits_without_them),
        cmocka_unit_test(coefficients_by_group_are_as_one_dense_fit),
        cmocka_unit_test(every_row_may_be_a_group),
        cmocka_unit_test(blocks_do_not_matter),
        cmocka_unit_test(lines_without_parts_are_as_refits),
        cmocka_unit_test(too_few_rows_in_the_parts_that_stay_make_no_line),
        cmocka_unit_test(columns_that_add_nothing_have_no_coefficient),
        cmocka_unit_test(fewer_rows_than_they_say_teach_nothing),
        cmocka_unit_test(a_row_that_alone_says_something_is_predicted_without_it),
        cmocka_unit_test(a_row_alone_in_its_group_is_predicted_by_the_others),
        cmocka_unit_test(scales_do_not_matter),
        cmocka_unit_test(the_condition_is_that_of_scaled_columns),
        cmocka_unit_test(whatever_comes_is_finite),
        cmocka_unit_test(the_same_rows_give_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
