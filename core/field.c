#include "core/field.h"
#include "core/decimal.h"
#include "core/notation.h"
#include "core/utf8.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { QUOTED_MAX = 60 }; /* bytes of somebody's text in a note */

/* Text from outside, in quotes and on one line. */
static void add_quoted(struct buf *b, struct view v)
{
    struct view part = utf8_cut(v, QUOTED_MAX);

    buf_char(b, '"');
    for (size_t i = 0; i < part.n; i++) {
        unsigned char c = (unsigned char)part.p[i];

        if (c == '"' || c == '\\')
            buf_fmt(b, "\\%c", c);
        else if (c < 0x20 || c == 0x7F)
            buf_fmt(b, "\\x%02x", c);
        else
            buf_char(b, (char)c);
    }
    buf_str(b, part.n < v.n ? "…\"" : "\"");
}

static void add_place(struct buf *b, const struct field_reader *r, struct field_at at)
{
    if (r->scenario.n) {
        buf_str(b, "scenario ");
        add_quoted(b, r->scenario);
        buf_str(b, ": ");
    }
    if (at.outer)
        buf_str(b, at.outer);
    if (at.index >= 0)
        buf_fmt(b, "[%ld]", at.index);
    if (at.name.n) {
        if (at.outer)
            buf_char(b, '.');
        buf_view(b, utf8_cut(at.name, QUOTED_MAX));
    }
    buf_str(b, ": ");
}

void field_note(struct field_reader *r, struct field_at at, const char *fmt, ...)
{
    struct results_notes *notes = r->notes;
    char reason[200];
    struct buf b = { 0 };
    va_list args;

    notes->invalid_values++;
    if (notes->first[0])
        return;
    va_start(args, fmt);
    vsnprintf(reason, sizeof reason, fmt, args);
    va_end(args);
    add_place(&b, r, at);
    buf_str(&b, reason);

    struct view text = utf8_cut(buf_as_view(&b), sizeof notes->first - 1);

    memcpy(notes->first, text.p, text.n);
    notes->first[text.n] = '\0';
    buf_deinit(&b);
}

static void note_number(struct field_reader *r, struct field_at at, const char *what,
                        double v)
{
    char digits[DECIMAL_MAX];
    size_t n = decimal_shortest(digits, v);

    field_note(r, at, "%s (%.*s)", what, (int)n, digits);
}

static void note_text(struct field_reader *r, struct field_at at, const char *what,
                      struct view v)
{
    struct buf b = { 0 };

    if (!r->notes->first[0])
        add_quoted(&b, v);
    field_note(r, at, "%s (%.*s)", what, VIEW_ARG(buf_as_view(&b)));
    buf_deinit(&b);
}

static bool says_infinite(struct view v)
{
    if (v.n > 0 && v.p[0] == '+')
        v = view_skip(v, 1);
    return view_eq_nocase(v, VIEW("inf")) || view_eq_nocase(v, VIEW("infinity"));
}

static double check_range(struct field_reader *r, struct field_at at, double x,
                          const struct field_range *range)
{
    char text[80], limit[DECIMAL_MAX + 1];

    if (fabs(x) > FIELD_LARGEST) {
        note_number(r, at, "beyond 1e18", x);
    } else if (x < range->min || x > range->max) {
        double bound = x < range->min ? range->min : range->max;

        limit[decimal_shortest(limit, bound)] = '\0';
        snprintf(text, sizeof text, "%s %s", x < range->min ? "below" : "above", limit);
        note_number(r, at, x < 0 && bound == 0 ? "negative" : text, x);
    } else if (range->whole && x != floor(x)) {
        note_number(r, at, "not a whole number", x);
    } else {
        return x == 0 ? 0 : x; /* -0 is 0 */
    }
    return NAN;
}

double field_number(struct field_reader *r, struct field_at at,
                    const struct json_value *v, const struct field_range *range)
{
    struct view text;
    double x;

    if (!v || v->type == JSON_NULL)
        return NAN;
    switch (v->type) {
    case JSON_NUMBER:
        return check_range(r, at, v->number, range);
    case JSON_STRING:
        text = view_trim(json_text(v));
        if (notation_unknown(text))
            return NAN;
        if (decimal_read(text, &x))
            return check_range(r, at, x, range);
        if (range->infinite && says_infinite(text))
            return INFINITY;
        note_text(r, at, "not a number", text);
        return NAN;
    case JSON_BAD:
        text = json_text(v);
        if (range->infinite && view_eq(text, VIEW("Infinity")))
            return INFINITY;
        note_text(r, at, "not a finite number", text);
        return NAN;
    default:
        field_note(r, at, "%s where a number is due", json_type_name(v->type));
        return NAN;
    }
}

struct view field_text(struct field_reader *r, struct field_at at,
                       const struct json_value *v, bool numbers)
{
    const struct view unknown = { "", 0 };

    if (!v || v->type == JSON_NULL)
        return unknown;
    if (v->type == JSON_STRING && v->n > FIELD_TEXT_MAX) {
        field_note(r, at, "longer than %d bytes", FIELD_TEXT_MAX);
        return unknown;
    }
    if (v->type == JSON_STRING)
        return notation_unknown(json_text(v)) ? unknown : json_text(v);
    if (v->type == JSON_NUMBER && numbers) {
        char digits[DECIMAL_MAX];
        size_t n = decimal_plain(digits, v->number);

        return arena_copy(r->mem, (struct view){ digits, n });
    }
    field_note(r, at, "%s where text is due", json_type_name(v->type));
    return unknown;
}

const struct json_value *field_container(struct field_reader *r, struct field_at at,
                                         const struct json_value *v,
                                         enum json_type type)
{
    if (!v || v->type == JSON_NULL || v->type == type)
        return v && v->type == type ? v : NULL;
    if (v->type == JSON_STRING && notation_unknown(json_text(v)))
        return NULL;
    field_note(r, at, "%s where %s is due", json_type_name(v->type),
               json_type_name(type));
    return NULL;
}

struct samples field_samples(struct field_reader *r, struct field_at at,
                             const struct json_value *v)
{
    static const struct field_range range = { .min = 0, .max = INFINITY };
    const char *name = at.name.p;
    double *to;

    v = field_container(r, at, v, JSON_ARRAY);
    if (!v || v->n == 0)
        return (struct samples){ NULL, 0 };
    to = arena_new(r->mem, double, v->n);
    for (uint32_t i = 0; i < v->n; i++) {
        const struct json_value *item = &v->items[i];
        struct field_at here = { name, (long)i, { "", 0 } };

        /* A hole in a series is told, for it is filled by a straight line. */
        if (item->type == JSON_NULL ||
            (item->type == JSON_STRING && notation_unknown(json_text(item)))) {
            field_note(r, here, "a sample is missing");
            to[i] = NAN;
        } else {
            to[i] = field_number(r, here, item, &range);
        }
    }
    return (struct samples){ to, v->n };
}
