#include "server/upstream/template.h"

#include <errno.h>

static const char *const names[TEMPLATE_ALL] = {
    "host", "pod", "namespace", "node", "window", "range",
};

const char *template_name(enum template_name n)
{
    return names[n];
}

/* Where the reading of a query stands. */
struct place {
    const char *p;
    char quote; /* what the text around p ends with; 0: none is open */
};

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_';
}

/* The name behind a '$' at p; TEMPLATE_ALL: none of ours. */
static enum template_name name_at(const char *p)
{
    size_t n = 0;
    int i = 0;

    while (in_word(p[1 + n]))
        n++;
    while (i < TEMPLATE_ALL && !view_eq(view_of(names[i]), (struct view){ p + 1, n }))
        i++;
    return (enum template_name)i;
}

/* Past one character, or a backslash with the one behind it. */
static void step(struct place *at)
{
    char c = *at->p++;

    if (c == '\\' && at->quote && at->quote != '`' && *at->p)
        at->p++;
    else if (at->quote ? c == at->quote : c == '"' || c == '\'' || c == '`')
        at->quote = at->quote ? 0 : c;
}

unsigned template_uses(const char *text)
{
    struct place at = { text, 0 };
    unsigned uses = 0;

    for (; *at.p; step(&at))
        if (*at.p == '$' && name_at(at.p) < TEMPLATE_ALL)
            uses |= 1U << name_at(at.p);
    return uses;
}

int template_check(const char *text, struct err *e)
{
    struct place at = { text, 0 };

    for (; *at.p; step(&at))
        if (*at.p == '$' && !at.quote && name_at(at.p) < TEMPLATE_NAMES)
            return err_set(e, -EINVAL, "$%s stands outside of quotes",
                           names[name_at(at.p)]);
    if (at.quote)
        return err_set(e, -EINVAL, "a text begins with %c and does not end", at.quote);
    return 0;
}

/* What has a meaning inside any of the three kinds of quotes, or for another filling, is
 * told by its code. */
static void add_escaped(struct buf *out, struct view value)
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];

        if (c < 0x20 || c == 0x7F || strchr("\"'`\\$", c))
            buf_fmt(out, "\\x%02x", c);
        else
            buf_char(out, (char)c);
    }
}

void template_fill(const char *text, const struct view values[TEMPLATE_ALL],
                   struct buf *out)
{
    struct place at = { text, 0 };

    while (*at.p) {
        enum template_name n = *at.p == '$' ? name_at(at.p) : TEMPLATE_ALL;
        const char *from = at.p;

        if (n < TEMPLATE_ALL) {
            if (n < TEMPLATE_NAMES)
                add_escaped(out, values[n]);
            else
                buf_view(out, values[n]);
            at.p += 1 + strlen(names[n]);
            continue;
        }
        step(&at);
        buf_add(out, from, (size_t)(at.p - from));
    }
}
