#include "core/option.h"
#include "core/decimal.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>

struct unit {
    const char *name;
    double factor;
};

static const struct unit sizes[] = {
    { "", 1 },
    { "B", 1 },
    { "KiB", 1024 },
    { "MiB", 1048576 },
    { "GiB", 1073741824 },
    { "K", 1024 },
    { "M", 1048576 },
    { "G", 1073741824 },
};

static const struct unit durations[] = {
    { "ms", 1 }, { "s", 1e3 }, { "m", 6e4 }, { "h", 3.6e6 }, { "d", 8.64e7 },
};

/* Number and unit; false: neither. */
static bool with_unit(const char *text, const struct unit *units, size_t count,
                      double *out)
{
    struct view v = view_of(text);
    size_t digits = 0;
    double n;

    while (digits < v.n && strchr("0123456789.", v.p[digits]))
        digits++;
    if (!decimal_read((struct view){ v.p, digits }, &n))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (view_eq(view_skip(v, digits), view_of(units[i].name))) {
            *out = n * units[i].factor;
            return true;
        }
    }
    return false;
}

static bool among(const char *choices, const char *text)
{
    struct view rest = view_of(choices), choice;

    while (view_split(&rest, '|', &choice))
        if (view_eq(choice, view_of(text)))
            return true;
    return false;
}

static int refuse_number(const struct option *o, const char *text, const char *from,
                         const char *what, struct err *e)
{
    if (o->min == 0 && o->max == 0)
        return err_set(e, -EINVAL, "%s: \"%s\" is not %s", from, text, what);
    if (o->max >= 1e300)
        return err_set(e, -EINVAL, "%s: \"%s\" is not %s of at least %.15g", from, text,
                       what, o->min);
    return err_set(e, -EINVAL, "%s: \"%s\" is not %s from %.15g to %.15g", from, text,
                   what, o->min, o->max);
}

static int refuse_duration(const struct option *o, const char *text, const char *from,
                           struct err *e)
{
    if (o->min == 0 && o->max == 0)
        return err_set(e, -EINVAL, "%s: \"%s\" is not a duration like 500ms, 2s or 1m",
                       from, text);
    return err_set(e, -EINVAL,
                   "%s: \"%s\" is not a duration like 500ms, 2s or 1m, from %.15gms to "
                   "%.15gh",
                   from, text, o->min, o->max / 3.6e6);
}

static bool in_range(const struct option *o, double v)
{
    return (o->min == 0 && o->max == 0) || (v >= o->min && v <= o->max);
}

static int refuse_choice(const struct option *o, const char *text, const char *from,
                         struct err *e)
{
    return err_set(e, -EINVAL, "%s: \"%s\" is none of %s", from, text, o->choices);
}

int option_set(const struct option *o, void *fields, const char *text, const char *from,
               bool by_environment, struct err *e)
{
    void *field = (char *)fields + o->offset;
    double v = NAN;

    switch (o->type) {
    case OPT_STRING:
    case OPT_PORT:
        if (o->choices && !among(o->choices, text))
            return refuse_choice(o, text, from, e);
        *(const char **)field = text;
        return 0;
    case OPT_BOOL:
        if (text && !among("true|1|yes|on|false|0|no|off", text))
            return err_set(e, -EINVAL, "%s: \"%s\" is neither true nor false", from,
                           text);
        *(bool *)field = !text || among("true|1|yes|on", text);
        return 0;
    case OPT_DOUBLE:
        if (!decimal_read(view_of(text), &v) || !in_range(o, v))
            return refuse_number(o, text, from, "a number", e);
        *(double *)field = v;
        return 0;
    case OPT_U32:
        if (!decimal_read(view_of(text), &v) || v != floor(v) || v < 0 ||
            v > UINT32_MAX || !in_range(o, v))
            return refuse_number(o, text, from, "a whole number", e);
        *(uint32_t *)field = (uint32_t)v;
        return 0;
    case OPT_SIZE:
        if (!with_unit(text, sizes, sizeof sizes / sizeof *sizes, &v) || v > 1e15 ||
            !in_range(o, v))
            return refuse_number(o, text, from, "a size like 512KiB or 64MiB", e);
        *(uint64_t *)field = (uint64_t)v;
        return 0;
    case OPT_DURATION:
        if (!with_unit(text, durations, sizeof durations / sizeof *durations, &v) ||
            v > 1e15 || !in_range(o, v))
            return refuse_duration(o, text, from, e);
        *(uint64_t *)field = (uint64_t)v;
        return 0;
    case OPT_FILE:
        *(struct option_file *)field =
            (struct option_file){ .path = text, .by_environment = by_environment };
        return 0;
    }
    return err_set(e, -EINVAL, "%s: unknown kind of option", from);
}

void option_defaults(const struct option *table, void *fields)
{
    for (const struct option *o = table; o && o->name; o++) {
        void *field = (char *)fields + o->offset;

        if (o->type == OPT_DOUBLE)
            *(double *)field = NAN;
        if (o->preset)
            option_set(o, fields, o->preset, o->name, false, NULL);
    }
}
