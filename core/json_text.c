#include "core/json_text.h"

#include <math.h>

static bool is_plain(char c)
{
    return (unsigned char)c >= ' ' && c != '"' && c != '\\' && c != 0x7f;
}

void json_text_string(struct buf *out, struct view v)
{
    size_t from = 0;

    buf_char(out, '"');
    for (size_t i = 0; i < v.n; i++) {
        if (is_plain(v.p[i]))
            continue;
        buf_add(out, v.p + from, i - from);
        from = i + 1;
        if (v.p[i] == '"' || v.p[i] == '\\')
            buf_fmt(out, "\\%c", v.p[i]);
        else
            buf_fmt(out, "\\u%04x", (unsigned)v.p[i]);
    }
    if (v.n > from)
        buf_add(out, v.p + from, v.n - from);
    buf_char(out, '"');
}

/* To six digits. */
static double rounded(double v)
{
    double above = v == 0 ? 0 : floor(log10(fabs(v))) - 5; /* of the last digit */
    double scale = pow(10, fabs(above));

    if (!isfinite(scale))
        return v;
    return above < 0 ? nearbyint(v * scale) / scale : nearbyint(v / scale) * scale;
}

void json_text_number(struct buf *out, double v)
{
    if (isnan(v))
        buf_str(out, "null");
    else if (isinf(v))
        buf_str(out, v < 0 ? "\"-inf\"" : "\"inf\"");
    else
        buf_double(out, rounded(v));
}

void json_text_exact(struct buf *out, double v)
{
    static const double most = 9007199254740992; /* 2^53 */

    if (!(fabs(v) < most)) {
        json_text_number(out, v);
        return;
    }
    v = nearbyint(v * 1e3) / 1e3;
    if (v < 0 || v != floor(v)) {
        buf_double(out, v);
        return;
    }
    buf_u64(out, (uint64_t)v);
}
