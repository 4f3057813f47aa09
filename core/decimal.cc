#include "core/decimal.h"

#include <charconv>
#include <cmath>
#include <cstring>

static size_t special(char *to, double v)
{
    const char *s = std::isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf";

    std::memcpy(to, s, std::strlen(s));
    return std::strlen(s);
}

size_t decimal_shortest(char to[DECIMAL_MAX], double v)
{
    if (!std::isfinite(v))
        return special(to, v);
    return static_cast<size_t>(std::to_chars(to, to + DECIMAL_MAX, v).ptr - to);
}

size_t decimal_canonical(char to[DECIMAL_MAX], double v)
{
    double size = std::fabs(v);

    if (!std::isfinite(v))
        return special(to, v);

    bool point = v == 0 || (size >= 1e-4 && size < 1e6);
    char *end =
        std::to_chars(to, to + DECIMAL_MAX, v,
                      point ? std::chars_format::fixed : std::chars_format::scientific)
            .ptr;

    if (point && !std::memchr(to, '.', static_cast<size_t>(end - to))) {
        *end++ = '.';
        *end++ = '0';
    }
    return static_cast<size_t>(end - to);
}

size_t decimal_plain(char to[DECIMAL_MAX], double v)
{
    double size = std::fabs(v);

    if (!std::isfinite(v) || (v != 0 && (size < 1e-9 || size >= 1e18)))
        return decimal_shortest(to, v);
    return static_cast<size_t>(
        std::to_chars(to, to + DECIMAL_MAX, v, std::chars_format::fixed).ptr - to);
}

bool decimal_read(struct view v, double *out)
{
    const char *from = v.p, *end = v.p + v.n;
    double value;

    if (v.n == 0)
        return false;
    if (*from == '+' && v.n > 1 && from[1] != '-') /* people write it */
        from++;
    if (*from != '-' && *from != '.' && (*from < '0' || *from > '9'))
        return false; /* "inf", "nan" */

    auto r = std::from_chars(from, end, value);

    if (r.ec != std::errc() || r.ptr != end || !std::isfinite(value))
        return false;
    *out = value;
    return true;
}
