#include "core/view.h"

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

int view_cmp(struct view a, struct view b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;

    return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool view_starts(struct view v, struct view prefix)
{
    return v.n >= prefix.n && memcmp(v.p, prefix.p, prefix.n) == 0;
}

bool view_ends(struct view v, struct view suffix)
{
    return v.n >= suffix.n && memcmp(v.p + v.n - suffix.n, suffix.p, suffix.n) == 0;
}

bool view_eq_nocase(struct view a, struct view low)
{
    if (a.n != low.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != (unsigned char)low.p[i])
            return false;
    return true;
}

bool view_has_nocase(struct view v, struct view needle)
{
    for (size_t i = 0; i + needle.n <= v.n; i++)
        if (view_eq_nocase((struct view){ v.p + i, needle.n }, needle))
            return true;
    return false;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct view view_trim(struct view v)
{
    while (v.n > 0 && blank(v.p[0]))
        v = view_skip(v, 1);
    while (v.n > 0 && blank(v.p[v.n - 1]))
        v.n--;
    return v;
}

bool view_split(struct view *rest, char sep, struct view *part)
{
    if (!rest->p)
        return false;

    const char *end = rest->n ? memchr(rest->p, sep, rest->n) : NULL;

    if (end) {
        size_t n = (size_t)(end - rest->p);
        *part = (struct view){ rest->p, n };
        *rest = view_skip(*rest, n + 1);
    } else {
        *part = *rest;
        *rest = (struct view){ NULL, 0 };
    }
    return true;
}
