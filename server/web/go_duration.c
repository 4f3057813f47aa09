#include "server/web/go_duration.h"

#include <errno.h>
#include <stdbool.h>

#include "core/decimal.h"

static const struct unit {
    const char *name;
    double ns;
} units[] = {
    { "ns", 1 },          { "us", 1e3 }, { "\xC2\xB5s", 1e3 }, /* MICRO SIGN */
    { "\xCE\xBCs", 1e3 }, /* GREEK SMALL LETTER MU */
    { "ms", 1e6 },        { "s", 1e9 },  { "m", 6e10 },        { "h", 3.6e12 },
};

static bool in_number(char c)
{
    return (c >= '0' && c <= '9') || c == '.';
}

/* The part of *rest whose characters are all of a number, or all not. */
static struct view next(struct view *rest, bool of_number)
{
    struct view part = { rest->p, 0 };

    while (part.n < rest->n && in_number(rest->p[part.n]) == of_number)
        part.n++;
    *rest = view_skip(*rest, part.n);
    return part;
}

static double factor(struct view name)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (view_eq(name, view_of(units[i].name)))
            return units[i].ns;
    return 0;
}

int go_duration_parse(struct view text, uint64_t *out_ns, struct err *e)
{
    struct view rest = text;
    double ns = 0;

    if (view_eq(text, VIEW("0"))) {
        *out_ns = 0;
        return 0;
    }
    if (view_starts(text, VIEW("-")))
        return err_set(e, -EINVAL, "is negative");
    do {
        struct view digits = next(&rest, true), name = next(&rest, false);
        double number;

        if (digits.n && !name.n)
            return err_set(e, -EINVAL, "lacks a unit: 500ms, 1s, 1m30s");
        if (factor(name) == 0 || !decimal_read(digits, &number))
            return err_set(e, -EINVAL, "is no duration like 500ms, 1s or 1m30s");
        ns += number * factor(name);
    } while (rest.n);
    if (ns > 9.2e18)
        return err_set(e, -EINVAL, "is too long");
    *out_ns = (uint64_t)ns;
    return 0;
}
