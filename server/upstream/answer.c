#include "server/upstream/answer.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "core/decimal.h"
#include "core/mem.h"

static const double time_tolerance_s = 0.01;
static const double largest = 1e12; /* watts, cores, percent, joules of an encode */

struct answer_reader {
    struct json_parser *parser;
    struct arena arena;
};

const char *upstream_problem_name(enum upstream_problem p)
{
    static const char *const names[PROBLEM_COUNT] = {
        "none",  "unreachable", "status",  "html",  "json",     "shape",
        "error", "partial",     "refused", "type",  "large",    "series",
        "value", "time",        "warning", "names", "interval", "many",
    };

    return names[p];
}

struct answer_reader *answer_reader_new(void)
{
    struct answer_reader *r = mem_zalloc(sizeof *r);

    r->parser = json_parser_new();
    return r;
}

void answer_reader_free(struct answer_reader *r)
{
    if (!r)
        return;
    json_parser_free(r->parser);
    arena_deinit(&r->arena);
    free(r);
}

static struct view text_of(const struct json_value *object, struct view key)
{
    const struct json_value *v = json_member(object, key);

    return v && v->type == JSON_STRING ? json_text(v) : (struct view){ 0 };
}

/* ---- the envelope ------------------------------------------------------------------ */

/* why holds where it stops being JSON. */
static enum upstream_problem no_json(int status, struct view body, struct err *why)
{
    struct view text = view_trim(body);

    if (status != 200)
        err_set(why, -EBADMSG, "HTTP status %d", status);
    else if (text.n && *text.p == '<')
        err_set(why, -EBADMSG, "a page, and no JSON: %.*s",
                (int)(text.n < 60 ? text.n : 60), text.p);
    if (status != 200)
        return PROBLEM_STATUS;
    return text.n && *text.p == '<' ? PROBLEM_HTML : PROBLEM_JSON;
}

/* The server says that it could not, or would not, answer. */
static enum upstream_problem error_told(int status, const struct json_value *root,
                                        struct err *why)
{
    struct view type = text_of(root, VIEW("errorType"));
    struct view error = text_of(root, VIEW("error"));
    bool refused = status == 400 || status == 422 ||
                   (status == 200 && (view_eq(type, VIEW("bad_data")) ||
                                      view_eq(type, VIEW("execution"))));

    err_set(why, -EBADMSG, "%.*s (HTTP status %d)",
            (int)(error.n < 300 ? error.n : 300), error.n ? error.p : "", status);
    return refused ? PROBLEM_REFUSED : PROBLEM_ERROR;
}

static enum upstream_problem warnings(const struct json_value *root, struct err *why)
{
    const struct json_value *list = json_member(root, VIEW("warnings"));

    if (!list || list->type != JSON_ARRAY || list->n == 0)
        return PROBLEM_NONE;
    if (list->items[0].type == JSON_STRING)
        err_set(why, -EBADMSG, "%.*s",
                (int)(list->items[0].n < 300 ? list->items[0].n : 300),
                list->items[0].text);
    return PROBLEM_WARNING;
}

enum upstream_problem answer_read(struct answer_reader *r, int status, struct view body,
                                  const struct json_value **data, struct err *why)
{
    const struct json_value *root, *partial;

    *data = NULL;
    *why = (struct err){ 0 };
    if (body.n > ANSWER_BYTES_MAX) {
        err_set(why, -E2BIG, "%zu bytes, where one series is due", body.n);
        return PROBLEM_LARGE;
    }
    arena_release(&r->arena);
    if (json_parse(r->parser, body, &r->arena, &root, why) < 0)
        return no_json(status, body, why);
    if (view_eq(text_of(root, VIEW("status")), VIEW("error")))
        return error_told(status, root, why);
    if (status != 200)
        return no_json(status, (struct view){ 0 }, why);
    if (!view_eq(text_of(root, VIEW("status")), VIEW("success")) ||
        !json_member(root, VIEW("data"))) {
        err_set(why, -EBADMSG, "JSON that is no answer to a query");
        return PROBLEM_SHAPE;
    }
    partial = json_member(root, VIEW("isPartial"));
    if (partial && partial->type == JSON_BOOL && partial->boolean) {
        err_set(why, -EBADMSG, "the answer is partial");
        return PROBLEM_PARTIAL;
    }
    *data = json_member(root, VIEW("data"));
    return warnings(root, why);
}

/* ---- values ------------------------------------------------------------------------ */

static enum upstream_problem wrong_shape(const char *expected, struct err *why)
{
    err_set(why, -EBADMSG, "%s is expected", expected);
    return PROBLEM_SHAPE;
}

/* [time, "value"]. False: it is no such pair. */
static bool read_pair(const struct json_value *pair, double *time_s, double *value)
{
    if (pair->type != JSON_ARRAY || pair->n != 2 ||
        pair->items[0].type != JSON_NUMBER || pair->items[1].type != JSON_STRING)
        return false;
    *time_s = pair->items[0].number;
    if (!decimal_read(json_text(&pair->items[1]), value) ||
        !(*value >= 0 && *value <= largest))
        *value = NAN; /* "NaN", "+Inf", and what no power and no use can be */
    return true;
}

/* The one series of a matrix or a vector, *series; NULL: there is none. */
static enum upstream_problem only_series(const struct json_value *data,
                                         struct view type,
                                         const struct json_value **series,
                                         struct err *why)
{
    const struct json_value *result = json_member(data, VIEW("result"));

    *series = NULL;
    if (!view_eq(text_of(data, VIEW("resultType")), type) || !result ||
        result->type != JSON_ARRAY) {
        err_set(why, -EBADMSG, "resultType %.*s is expected", VIEW_ARG(type));
        return PROBLEM_TYPE;
    }
    if (result->n > 1) {
        err_set(why, -EBADMSG,
                "%u series where one is due; sum() or a label in braces makes it one",
                result->n);
        return PROBLEM_SERIES;
    }
    if (result->n == 1)
        *series = &result->items[0];
    return PROBLEM_NONE;
}

/* Notes what is wrong with one value, and with the answer in the end. */
static void note(enum upstream_problem *worst, enum upstream_problem p, double time_s,
                 struct err *why)
{
    if (*worst != PROBLEM_NONE)
        return;
    *worst = p;
    if (p == PROBLEM_VALUE)
        err_set(why, -EBADMSG, "no number, or a negative one, at time %.3f", time_s);
    else
        err_set(why, -EBADMSG, "time %.3f was not asked for", time_s);
}

enum upstream_problem answer_cells(const struct json_value *data, struct range cells,
                                   double step_s, double values[], struct err *why)
{
    const struct json_value *series, *pairs;
    enum upstream_problem problem = only_series(data, VIEW("matrix"), &series, why);

    for (int64_t i = 0; i <= cells.last - cells.first; i++)
        values[i] = NAN;
    if (!series)
        return problem;
    pairs = json_member(series, VIEW("values"));
    if (!pairs || pairs->type != JSON_ARRAY)
        return wrong_shape("a list of values", why);
    for (uint32_t i = 0; i < pairs->n; i++) {
        double time_s, value, cell;

        if (!read_pair(&pairs->items[i], &time_s, &value))
            return wrong_shape("a pair of time and value", why);
        cell = round(time_s / step_s);
        if (!(fabs(time_s - cell * step_s) <= time_tolerance_s) ||
            cell < (double)cells.first || cell > (double)cells.last) {
            note(&problem, PROBLEM_TIME, time_s, why);
            continue;
        }
        if (isnan(value))
            note(&problem, PROBLEM_VALUE, time_s, why);
        values[(int64_t)cell - cells.first] = value;
    }
    return problem;
}

enum upstream_problem answer_number(const struct json_value *data, double *value,
                                    struct err *why)
{
    const struct json_value *series, *pair;
    enum upstream_problem problem = only_series(data, VIEW("vector"), &series, why);
    double time_s;

    *value = NAN;
    if (!series)
        return problem;
    pair = json_member(series, VIEW("value"));
    if (!pair || !read_pair(pair, &time_s, value))
        return wrong_shape("a pair of time and value", why);
    if (isnan(*value))
        note(&problem, PROBLEM_VALUE, time_s, why);
    return problem;
}
