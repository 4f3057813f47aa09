/*
 * fuzz_upstream.c - any bytes as an answer of a time series database: not used, with a
 * reason, or cells and numbers that are finite and not negative, or not known. And any
 * bytes as a query and as a name that is filled in: what stands outside of quotes is the
 * query's alone.
 */
#include "server/upstream/answer.h"
#include "server/upstream/template.h"

#include "core/mem.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool is_value(double v)
{
    return isnan(v) || (isfinite(v) && v >= 0);
}

static void read_answer(struct answer_reader *r, int status, struct view body)
{
    const struct range cells = { 200, 204 };
    const struct json_value *found;
    double values[5], number;
    struct err why = { 0 };
    enum upstream_problem p = answer_read(r, status, body, &found, &why);

    require(p < PROBLEM_COUNT);
    if (!found) {
        require(p > PROBLEM_NONE && p < PROBLEM_VALUE && why.text[0]);
        return;
    }
    require(p == PROBLEM_NONE || p == PROBLEM_WARNING);
    p = answer_cells(found, cells, 5, values, &why);
    require(p < PROBLEM_WARNING);
    for (int i = 0; i < 5; i++) {
        require(p == PROBLEM_SHAPE || is_value(values[i]));
        require(p != PROBLEM_SERIES || isnan(values[i]));
    }
    p = answer_number(found, &number, &why);
    require(p < PROBLEM_WARNING && (p == PROBLEM_SHAPE || is_value(number)));
}

/* What stands outside of quotes, with one mark for each text. */
static struct buf outside(const char *query)
{
    struct buf b = { 0 };

    for (char quote = 0; *query; query++) {
        if (quote && *query == '\\' && quote != '`' && query[1])
            query++;
        else if (quote && *query == quote)
            quote = 0;
        else if (!quote && strchr("\"'`", *query))
            buf_char(&b, quote = *query);
        else if (!quote)
            buf_char(&b, *query);
    }
    return b;
}

static void fill(const char *query, struct view name)
{
    const struct view values[TEMPLATE_ALL] = {
        name, name, name, name, VIEW("$window"), VIEW("$range")
    };
    struct buf text = { 0 }, a, b;
    struct err why;

    if (template_check(query, &why) < 0) {
        require(why.text[0]);
        return;
    }
    template_fill(query, values, &text);
    buf_char(&text, '\0');
    require(template_check(text.p, &why) == 0);
    a = outside(query);
    b = outside(text.p);
    require(view_eq(buf_as_view(&a), buf_as_view(&b)));
    buf_deinit(&a);
    buf_deinit(&b);
    buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view body = { (const char *)data, size }, name = body, query;
    struct answer_reader *r = answer_reader_new();
    char *text;

    read_answer(r, 200, body);
    read_answer(r, 422, body);
    answer_reader_free(r);

    view_split(&name, '\n', &query);
    text = mem_zalloc(query.n + 1);
    if (query.n)
        memcpy(text, query.p, query.n);
    fill(text, name);
    free(text);
    return 0;
}
