/*
 * web_config_headers.c - headers of http_server_config → lines of every answer.
 *
 * The same five as other exporters allow, so that one file serves them all. Blank is
 * unset.
 */
#include "server/web/web_config_inner.h"

#include <errno.h>

#include "core/buf.h"

static const struct header {
    const char *name;
    const char *choices; /* with '|' in between; NULL: any value */
} known[] = {
    { "Content-Security-Policy", NULL },
    { "Strict-Transport-Security", NULL },
    { "X-Content-Type-Options", "nosniff" },
    { "X-Frame-Options", "deny|sameorigin" },
    { "X-XSS-Protection", NULL },
};

static const struct header *find(struct view name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (view_eq(name, view_of(known[i].name)))
            return &known[i];
    return NULL;
}

static bool among(const char *choices, struct view v)
{
    struct view rest = view_of(choices), choice;

    while (view_split(&rest, '|', &choice))
        if (view_eq(choice, v))
            return true;
    return false;
}

/* Anything else could end the line, or be taken for blanks at its ends. */
static bool fit(struct view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (((unsigned char)v.p[i] < ' ' && v.p[i] != '\t') || v.p[i] == 0x7f)
            return false;
    return view_eq(view_trim(v), v);
}

static int add(struct reader *r, struct place at, const struct yaml_node *v,
               struct buf *lines)
{
    const struct header *h = find(at.key);
    int rc;

    if (!h)
        return web_refuse(r, at,
                          "this header cannot be set; Content-Security-Policy, "
                          "Strict-Transport-Security, X-Content-Type-Options, "
                          "X-Frame-Options and X-XSS-Protection can");
    if (!yaml_given(v))
        return 0;
    rc = web_expect(r, at, v, YAML_TEXT);
    if (rc < 0 || v->text.n == 0)
        return rc;
    if (h->choices && !among(h->choices, v->text))
        return web_refuse(r, at, "invalid value; allowed: %s", h->choices);
    if (!fit(v->text))
        return web_refuse(r, at, "a line break, or a blank at one end");
    buf_fmt(lines, "%s: %.*s\r\n", h->name, VIEW_ARG(v->text));
    if (lines->full)
        return web_refuse(r, at, "all headers together are longer than %d bytes",
                          WEB_HEADER_BYTES_MAX);
    return 0;
}

int web_read_headers(struct reader *r, struct place at, const struct yaml_node *v,
                     void *to)
{
    struct buf lines = { .limit = WEB_HEADER_BYTES_MAX };
    int rc = web_expect(r, at, v, YAML_MAP);

    at.section = "http_server_config.headers";
    for (const struct yaml_entry *x = v->first; x && rc == 0; x = x->next) {
        at.key = x->key->text;
        at.line = x->key->line;
        rc = add(r, at, x->value, &lines);
    }
    if (rc == 0) {
        buf_char(&lines, '\0'); /* there is room: full was looked at */
        *(const char **)to = arena_copy(&r->to->mem, buf_as_view(&lines)).p;
    }
    buf_deinit(&lines);
    return rc;
}
