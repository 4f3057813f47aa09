#include "core/lines.h"

void lines_init(struct lines *l, size_t limit)
{
    *l = (struct lines){ .held = { .limit = limit } };
}

/* Takes a part of a line, without its end. */
static void hold(struct lines *l, struct view part)
{
    const char *nul = part.n ? memrchr(part.p, '\0', part.n) : NULL;

    if (nul) {
        size_t gap = (size_t)(nul - part.p) + 1, text = 0;

        while (text < gap && part.p[text] == '\0')
            text++;
        l->cut = l->cut || l->over || l->held.n || text < gap;
        l->over = false;
        buf_release(&l->held);
        part = view_skip(part, gap);
    }
    if (!l->over)
        buf_view(&l->held, part);
    l->over = l->over || l->held.full;
}

/* The line that ended. */
static enum lines_what give(struct lines *l, struct view *line)
{
    enum lines_what what = l->over ? LINES_OVER : l->cut ? LINES_CUT : LINES_LINE;

    l->number++;
    l->given = true;
    l->over = false;
    l->cut = false;
    if (line->n && line->p[line->n - 1] == '\r')
        line->n--;
    return what;
}

enum lines_what lines_next(struct lines *l, struct view *bytes, struct view *line)
{
    const char *end = bytes->n ? memchr(bytes->p, '\n', bytes->n) : NULL;
    struct view part = { bytes->p, end ? (size_t)(end - bytes->p) : bytes->n };

    if (l->given)
        buf_release(&l->held);
    l->given = false;
    if (bytes->n)
        *bytes = view_skip(*bytes, part.n + (end != NULL));
    if (end && !l->over && !l->cut && !l->held.n && part.n <= l->held.limit &&
        (!part.n || !memchr(part.p, '\0', part.n))) {
        *line = part; /* as it stands: most lines arrive whole */
        return give(l, line);
    }
    if (part.n)
        hold(l, part);
    if (!end)
        return LINES_NONE;
    *line = l->held.n ? buf_as_view(&l->held) : VIEW("");
    return give(l, line);
}

void lines_restart(struct lines *l)
{
    buf_release(&l->held);
    l->number = 0;
    l->given = l->over = l->cut = false;
}

void lines_deinit(struct lines *l)
{
    buf_deinit(&l->held);
    *l = (struct lines){ 0 };
}
