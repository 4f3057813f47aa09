#include "core/frame_table.h"
#include "core/mem.h"
#include "core/utf8.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static size_t at_most(size_t given, size_t most)
{
    return given && given < most ? given : most;
}

void frame_table_init(struct frame_table *t, struct frame_limits limits,
                      struct frame_metric (*naming)(struct view name))
{
    *t = (struct frame_table){ .naming = naming, .peak = NAN };
    t->limits.rows = at_most(limits.rows, FRAME_ROWS_MAX);
    t->limits.columns = at_most(limits.columns, FRAME_COLUMNS_MAX);
    t->limits.scores_only = limits.scores_only;
}

struct frame_column *frame_table_find(const struct frame_table *t, struct view name)
{
    size_t n = t->column_count;

    if (t->next_column < n && view_eq(t->columns[t->next_column].name, name))
        return &t->columns[t->next_column];
    for (size_t i = 0; i < n; i++)
        if (view_eq(t->columns[i].name, name))
            return &t->columns[i];
    return NULL;
}

const struct frame_column *frame_table_metric(const struct frame_table *t,
                                              struct view metric, struct view model)
{
    for (size_t i = 0; i < t->column_count; i++) {
        const struct frame_metric *m = &t->columns[i].metric;

        if (view_eq(m->metric, metric) && (!model.n || view_eq(m->model, model)))
            return &t->columns[i];
    }
    return NULL;
}

/* A metric that another column has already is no second score; its name tells it apart. */
static struct frame_metric named(const struct frame_table *t, struct view name)
{
    struct frame_metric m = t->naming(name);

    for (size_t i = 0; i < t->column_count; i++) {
        const struct frame_metric *other = &t->columns[i].metric;

        if (view_eq(other->metric, m.metric) && view_eq(other->model, m.model))
            return (struct frame_metric){ m.metric, name, FRAME_FEATURE, m.unbounded };
    }
    return m;
}

static struct view copied(struct view v)
{
    char *p = mem_alloc(v.n ? v.n : 1);

    if (v.n)
        memcpy(p, v.p, v.n);
    return (struct view){ p, v.n };
}

static struct frame_column *new_column(struct frame_table *t, struct view name)
{
    struct frame_column *c;
    struct frame_metric m;

    if (t->column_count == t->limits.columns || name.n > FRAME_NAME_MAX || !name.n ||
        !utf8_valid(name))
        return NULL;
    if (t->limits.scores_only && t->naming(name).kind == FRAME_FEATURE)
        return NULL;
    name = copied(name);
    m = named(t, name);
    t->columns = mem_resize(t->columns, t->column_count + 1, sizeof *t->columns);
    c = &t->columns[t->column_count++];
    *c = (struct frame_column){ .name = name, .metric = m, .score = NAN, .mse = NAN };
    for (size_t i = 0; i < t->rows; i++)
        frame_scores_add(&c->scores, NAN);
    return c;
}

bool frame_table_set(struct frame_table *t, struct view name, double value)
{
    struct frame_column *c = frame_table_find(t, name);

    if (!c)
        c = new_column(t, name);
    if (!c) {
        t->values_over++;
        return false;
    }
    c->score = value;
    t->next_column = (size_t)(c - t->columns) + 1;
    return true;
}

void frame_table_abandon(struct frame_table *t)
{
    for (size_t i = 0; i < t->column_count; i++)
        t->columns[i].score = t->columns[i].mse = NAN;
    t->next_column = 0;
}

void frame_table_name_model(struct frame_table *t, struct frame_column *c,
                            struct view model)
{
    struct view copy = copied(model);

    assert(!t->model); /* one column at most */
    t->model = (char *)(uintptr_t)copy.p;
    c->metric.model = copy;
}

/* Whether the number is where even spacing puts it; the second row decides how wide. */
static bool evenly(struct frame_table *t, uint32_t number)
{
    if (t->rows == 0)
        t->first = number;
    else if (t->rows == 1)
        t->step = number - t->first;
    return t->rows < 2 || number - t->last == t->step;
}

static void add_number(struct frame_table *t, uint32_t number)
{
    if (!t->numbers && evenly(t, number)) {
        t->last = number;
        return;
    }
    if (!t->numbers || t->rows == t->numbers_cap) {
        bool begins = !t->numbers;

        t->numbers_cap = t->rows + t->rows / 2 + 64;
        t->numbers = mem_resize(t->numbers, t->numbers_cap, sizeof *t->numbers);
        for (size_t i = 0; begins && i < t->rows; i++)
            t->numbers[i] = t->first + (uint32_t)i * t->step;
    }
    t->numbers[t->rows] = number;
    t->last = number;
}

bool frame_table_commit(struct frame_table *t, uint32_t number)
{
    bool any = false, fits = t->rows < t->limits.rows;

    for (size_t i = 0; i < t->column_count; i++)
        any = any || !isnan(t->columns[i].score);
    if (!any || (t->rows && number <= t->last) || !fits) {
        t->rows_over += !fits;
        frame_table_abandon(t);
        return false;
    }
    add_number(t, number);
    t->rows++;
    for (size_t i = 0; i < t->column_count; i++) {
        struct frame_column *c = &t->columns[i];

        frame_scores_add(&c->scores, c->score);
        frame_scores_add_mse(&c->scores, c->mse);
    }
    frame_table_abandon(t);
    return true;
}

uint32_t frame_table_number(const struct frame_table *t, size_t row)
{
    assert(row < t->rows);
    return t->numbers ? t->numbers[row] : t->first + (uint32_t)row * t->step;
}

double frame_table_psnr_of_mean_mse(const struct frame_table *t,
                                    const struct frame_column *c)
{
    return frame_psnr_db(frame_scores_mean_mse(&c->scores), t->peak);
}

void frame_table_deinit(struct frame_table *t)
{
    for (size_t i = 0; i < t->column_count; i++) {
        frame_scores_deinit(&t->columns[i].scores);
        free((char *)(uintptr_t)t->columns[i].name.p);
    }
    free(t->columns);
    free(t->numbers);
    free(t->model);
    *t = (struct frame_table){ .peak = NAN };
}

void frame_table_restart(struct frame_table *t)
{
    struct frame_table empty;

    frame_table_init(&empty, t->limits, t->naming);
    empty.restarts = t->restarts + 1;
    frame_table_deinit(t);
    *t = empty;
}
