/*
 * test_ridge_nist.c - regressions whose results others have certified.
 *
 * Data and certified values: NIST Statistical Reference Datasets, linear least squares
 * (https://www.itl.nist.gov/div898/strd/lls/lls.shtml). The errors of left-out rows and the
 * prediction intervals are not among them: these were worked out with Python's fractions, by
 * refits that leave each row out, and t by scipy 1.10's t.ppf().
 */
#include "modules/predict/ridge.h"

#include <stdlib.h>

#include "modules/predict/student.h"
#include "tests/unit/test.h"

enum { MOST_ROWS = 64, MOST_COLUMNS = 8 };

struct data {
    double x[MOST_ROWS * MOST_COLUMNS], y[MOST_ROWS];
    struct ridge_rows rows;
    struct ridge_term terms[MOST_COLUMNS];
    struct ridge_form form;
};

static void read_numbers(FILE *f, size_t given, struct data *d, size_t columns)
{
    int c;

    while ((c = getc(f)) != '\n' && c != EOF)
        continue;
    for (d->rows.n = 0; d->rows.n < MOST_ROWS; d->rows.n++) {
        double *x = d->x + d->rows.n * columns;

        if (fscanf(f, "%lf", &d->y[d->rows.n]) != 1) /* NOLINT(cert-err34-c) */
            return;
        x[0] = 1;
        for (size_t k = 1; k <= given; k++)
            assert_int_equal(fscanf(f, "%lf", &x[k]), 1); /* NOLINT(cert-err34-c) */
        for (size_t k = given + 1; k < columns; k++)
            x[k] = x[k - 1] * x[1];
    }
}

/* given: columns in the file; the others are powers of the first. */
static struct data *read_data(const char *name, size_t given, size_t columns)
{
    struct data *d = calloc(1, sizeof *d);
    char path[512];
    FILE *f;

    assert_non_null(d);
    snprintf(path, sizeof path, "%s/nist/%s.txt", TEST_DATA, name);
    f = fopen(path, "r");
    assert_non_null(f);
    read_numbers(f, given, d, columns);
    fclose(f);
    d->rows.x = d->x;
    d->rows.y = d->y;
    d->rows.columns = columns;
    for (size_t k = 0; k < columns; k++)
        d->terms[k].column = (uint32_t)k;
    d->form.common = d->terms;
    d->form.common_count = columns;
    return d;
}

static void assert_digits(double got, double want, double tolerance)
{
    assert_near(got / want, 1, tolerance);
}

static double r_squared(const struct data *d, const struct ridge_fit *fit)
{
    double mean = 0, all = 0, rest = 0;

    for (size_t i = 0; i < d->rows.n; i++)
        mean += d->y[i] / (double)d->rows.n;
    for (size_t i = 0; i < d->rows.n; i++) {
        all += (d->y[i] - mean) * (d->y[i] - mean);
        rest += fit->residual[i] * fit->residual[i];
    }
    return 1 - rest / all;
}

/* The standard deviation of coefficient k: what the line says of its unit vector. */
static double deviation(const struct data *d, const struct ridge_fit *fit, size_t k)
{
    double unit[MOST_COLUMNS] = { 0 }, leverage;

    unit[k] = 1;
    ridge_line_at(&fit->line, &d->form, unit, &leverage);
    return fit->sigma * sqrt(leverage);
}

struct certified {
    const double (*beta)[2]; /* estimate, standard deviation */
    double sigma, r2;
    double press;                                      /* mean of squares */
    double at[MOST_COLUMNS], value, half_without_t, t; /* a prediction */
};

static void assert_certified(const struct data *d, const struct certified *c)
{
    struct ridge_fit fit;
    double leverage;

    assert_int_equal(ridge_fit(&d->rows, &d->form, &fit), 0);
    for (size_t k = 0; k < d->rows.columns; k++) {
        assert_digits(fit.line.beta[k], c->beta[k][0], 1e-9);
        assert_digits(deviation(d, &fit, k), c->beta[k][1], 1e-9);
    }
    assert_digits(fit.sigma, c->sigma, 1e-10);
    assert_near(fit.df, (double)(d->rows.n - d->rows.columns), 1e-10);
    assert_digits(r_squared(d, &fit), c->r2, 1e-12);
    assert_digits(fit.press, c->press, 1e-9);
    assert_digits(ridge_line_at(&fit.line, &d->form, c->at, &leverage), c->value,
                  1e-10);
    assert_digits(fit.sigma * sqrt(1 + leverage), c->half_without_t, 1e-10);
    assert_digits(student_quantile(0.975, fit.df), c->t, 1e-8);
    ridge_fit_deinit(&fit);
}

static void norris_is_as_certified(void **state)
{
    (void)state;
    static const double beta[][2] = { { -0.262323073774029, 0.232818234301152 },
                                      { 1.00211681802045, 0.429796848199937E-03 } };
    struct data *d = read_data("norris", 1, 2);

    assert_int_equal(d->rows.n, 36);
    assert_certified(d, &(struct certified){ .beta = beta,
                                             .sigma = 0.884796396144373,
                                             .r2 = 0.999993745883712,
                                             .press = 0.84653032738699967,
                                             .at = { 1, 500 },
                                             .value = 500.79608593645315,
                                             .half_without_t = 0.89767342163075168,
                                             .t = 2.032244509317718 });
    free(d);
}

static void longley_is_as_certified(void **state)
{
    (void)state;
    static const double beta[][2] = { { -3482258.63459582, 890420.383607373 },
                                      { 15.0618722713733, 84.9149257747669 },
                                      { -0.358191792925910E-01, 0.334910077722432E-01 },
                                      { -2.02022980381683, 0.488399681651699 },
                                      { -1.03322686717359, 0.214274163161675 },
                                      { -0.511041056535807E-01, 0.226073200069370 },
                                      { 1829.15146461355, 455.478499142212 } };
    struct data *d = read_data("longley", 6, 7);
    struct ridge_fit fit;

    assert_int_equal(d->rows.n, 16);
    assert_certified(d, &(struct certified){
                            .beta = beta,
                            .sigma = 304.854073561965,
                            .r2 = 0.995479004577296,
                            .press = 180430.78384075767,
                            .at = { 1, 118, 560000, 4500, 2600, 131000, 1963 },
                            .value = 71612.1891523089,
                            .half_without_t = 430.22833418035496,
                            .t = 2.2621571627409915,
                        });
    assert_int_equal(ridge_fit(&d->rows, &d->form, &fit), 0);
    /* numpy.linalg.cond() of the columns with length 1 */
    assert_digits(fit.condition, 43275.043587, 0.01);
    ridge_fit_deinit(&fit);
    free(d);
}

/* All coefficients are 1, all deviations 0. */
static void wampler1_is_as_certified(void **state)
{
    (void)state;
    struct data *d = read_data("wampler1", 1, 6);
    struct ridge_fit fit;

    assert_int_equal(d->rows.n, 21);
    assert_int_equal(ridge_fit(&d->rows, &d->form, &fit), 0);
    for (size_t k = 0; k < 6; k++) {
        assert_near(fit.line.beta[k], 1, 1e-8);
        assert_near(deviation(d, &fit, k), 0, 1e-7);
    }
    assert_near(fit.sigma, 0, 1e-7);
    assert_near(r_squared(d, &fit), 1, 1e-15);
    ridge_fit_deinit(&fit);
    free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(norris_is_as_certified),
        cmocka_unit_test(longley_is_as_certified),
        cmocka_unit_test(wampler1_is_as_certified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
