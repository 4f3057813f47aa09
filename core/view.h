/*
 * view.h - borrowed bytes.
 *
 * A view points into memory that somebody else owns and never frees it; it is not
 * NUL-terminated. An empty view (n == 0) is "nothing" wherever a text may be unknown.
 */
#ifndef CORE_VIEW_H
#define CORE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct view {
    const char *p;
    size_t n;
};

/* A view of a string literal (and of nothing else: the "" makes others fail). */
#define VIEW(lit) ((struct view){ "" lit, sizeof(lit) - 1 })

/* For printf: printf("%.*s", VIEW_ARG(v)). */
#define VIEW_ARG(v) (int)(v).n, (v).p

/* A view of a NUL-terminated string; NULL gives the empty view. */
static inline struct view view_of(const char *s)
{
    return (struct view){ s, s ? strlen(s) : 0 };
}

static inline bool view_eq(struct view a, struct view b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* <0, 0, >0: bytes compared as unsigned, a prefix comes first. */
int view_cmp(struct view a, struct view b);

bool view_starts(struct view v, struct view prefix);
bool view_ends(struct view v, struct view suffix);

/* ASCII case is ignored; needle is given in lower case. */
bool view_has_nocase(struct view v, struct view needle);
bool view_eq_nocase(struct view a, struct view lower);

/* v without its first n bytes (n <= v.n). */
static inline struct view view_skip(struct view v, size_t n)
{
    return (struct view){ v.p + n, v.n - n };
}

/* Without blanks, tabs, CR and LF at both ends. */
struct view view_trim(struct view v);

/*
 * The part of *rest before the first sep (all of it if there is none); *rest is what
 * follows sep. False when *rest was used up: for (; view_split(&rest, ',', &part);).
 * An exhausted rest has p == NULL, so "a," yields "a" and "".
 */
bool view_split(struct view *rest, char sep, struct view *part);

#endif
