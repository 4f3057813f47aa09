#include "core/notation.h"
#include "core/decimal.h"

#include <math.h>

static const double largest = 1e18; /* of any figure in a results file */

bool notation_unknown(struct view v)
{
    v = view_trim(v);
    return v.n == 0 || view_eq_nocase(v, VIEW("n/a"));
}

double notation_bare_bitrate_bps(double v)
{
    if (!(v >= 0))
        return NAN;

    double bps = v <= 100 ? v * 1e6 : v < 100000 ? v * 1e3 : v;

    return bps <= largest ? bps : NAN;
}

double notation_bitrate_bps(struct view v)
{
    static const struct {
        struct view suffix; /* the longer ones first */
        double unit_bps;
    } units[] = {
        { { "kbps", 4 }, 1e3 }, { { "mbps", 4 }, 1e6 }, { { "gbps", 4 }, 1e9 },
        { { "bps", 3 }, 1 },    { { "k", 1 }, 1e3 },    { { "m", 1 }, 1e6 },
        { { "g", 1 }, 1e9 },
    };
    double number;

    v = view_trim(v);
    if (decimal_read(v, &number))
        return notation_bare_bitrate_bps(number);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t n = units[i].suffix.n;

        if (v.n <= n || !view_eq_nocase(view_skip(v, v.n - n), units[i].suffix))
            continue;
        if (!decimal_read(view_trim((struct view){ v.p, v.n - n }), &number))
            return NAN;
        number *= units[i].unit_bps;
        return number >= 0 && number <= largest ? number : NAN;
    }
    return NAN;
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits at the front of *v, at most 7; they leave it. */
static bool take_pixels(struct view *v, double *out)
{
    double pixels = 0;
    size_t n = 0;

    for (; n < v->n && digit(v->p[n]); n++)
        pixels = pixels * 10 + (v->p[n] - '0');
    if (n == 0 || n > 7)
        return false;
    *v = view_skip(*v, n);
    *out = pixels;
    return true;
}

bool notation_resolution(struct view v, double *width, double *height)
{
    double w, h;

    v = view_trim(v);
    if (!take_pixels(&v, &w) || v.n == 0 || (*v.p != 'x' && *v.p != 'X'))
        return false;
    v = view_skip(v, 1);
    if (!take_pixels(&v, &h) || v.n > 0)
        return false;
    *width = w;
    *height = h;
    return true;
}

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

double notation_streams(struct view name)
{
    for (size_t i = 0; i < name.n; i++) {
        double count = 0;

        if (!digit(name.p[i]))
            continue;
        for (; i < name.n && digit(name.p[i]); i++)
            count = count * 10 + (name.p[i] - '0');

        size_t at = i;

        while (at < name.n && (name.p[at] == ' ' || name.p[at] == '-'))
            at++;

        struct view rest = view_skip(name, at);

        if (rest.n < 6 || !view_eq_nocase((struct view){ rest.p, 6 }, VIEW("stream"))) {
            i--;
            continue;
        }
        rest = view_skip(rest, 6);
        if (rest.n > 0 && (*rest.p == 's' || *rest.p == 'S'))
            rest = view_skip(rest, 1);
        if (rest.n > 0 && letter(*rest.p)) {
            i--;
            continue; /* "3 streamers" */
        }
        return count <= largest ? count : 0;
    }
    return 0;
}

static bool says(struct view text, const struct view words[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (view_has_nocase(text, words[i]))
            return true;
    return false;
}

bool notation_gpu(struct view text)
{
    static const struct view words[] = { { "gpu", 3 }, { "nvenc", 5 },
                                         { "qsv", 3 }, { "vaapi", 5 },
                                         { "amf", 3 }, { "videotoolbox", 12 } };

    return says(text, words, sizeof words / sizeof *words);
}

bool notation_baseline(struct view name)
{
    static const struct view words[] = { { "baseline", 8 }, { "idle", 4 } };

    return says(name, words, sizeof words / sizeof *words);
}
