/*
 * web_fields.c - a map of a web config → fields of a struct, by a table of its keys.
 *
 * As exporter-toolkit reads it: unknown keys are errors, null and "" are the same as
 * leaving a key out, and a number or a word where a text is due is that text.
 */
#include "server/web/web_config_inner.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/buf.h"

enum { FILE_SHOWN = 160 };

/* The end of a long path, so that what is wrong has room. */
static const char *shown(const char *file)
{
    size_t n = strlen(file);

    return n > FILE_SHOWN ? file + n - FILE_SHOWN : file;
}

int web_refuse(struct reader *r, struct place at, const char *fmt, ...)
{
    struct yaml_shown key;
    char why[320], line[16] = "";
    va_list args;

    va_start(args, fmt);
    vsnprintf(why, sizeof why, fmt, args);
    va_end(args);
    if (at.line)
        snprintf(line, sizeof line, "%u:", at.line);
    yaml_show(at.key, &key);
    return err_set(r->e, -EINVAL, "%s:%s %s%s%s%s%s", shown(r->to->file), line,
                   at.section ? at.section : "", at.section && at.key.n ? "." : "",
                   key.text, at.section || at.key.n ? ": " : "", why);
}

int web_expect(struct reader *r, struct place at, const struct yaml_node *v,
               enum yaml_kind kind)
{
    if (v->kind == kind)
        return 0;
    return web_refuse(r, at, "%s where %s is due", yaml_kind_name(v->kind),
                      yaml_kind_name(kind));
}

static int unknown(struct reader *r, struct place at, const struct field *fields,
                   size_t count)
{
    struct buf names = { .limit = 120 };
    int rc;

    for (size_t i = 0; i < count && count <= 6; i++)
        buf_fmt(&names, "%s%s", i ? ", " : "; known are ", fields[i].name);
    rc = web_refuse(r, at, "unknown key%.*s", VIEW_ARG(buf_as_view(&names)));
    buf_deinit(&names);
    return rc;
}

int web_read_fields(struct reader *r, struct place at, const struct yaml_node *map,
                    const struct field *fields, size_t count, void *to, unsigned *lines)
{
    int rc = web_expect(r, at, map, YAML_MAP);

    for (const struct yaml_entry *x = map->first; x && rc == 0; x = x->next) {
        struct place here = { at.section, x->key->text, x->key->line };
        size_t i = 0;

        while (i < count && !view_eq(x->key->text, view_of(fields[i].name)))
            i++;
        if (i == count)
            return unknown(r, here, fields, count);
        if (!here.section) { /* the first level */
            here.section = fields[i].name;
            here.key.n = 0;
        }
        if (lines)
            lines[i] = here.line;
        if (yaml_given(x->value))
            rc = fields[i].read(r, here, x->value, (char *)to + fields[i].offset);
    }
    return rc;
}

/* ---- kinds of values ------------------------------------------------------------------ */

static const char *keep(struct reader *r, struct view before, struct view v)
{
    char *text = arena_alloc(&r->to->mem, before.n + v.n + 1, 1);

    if (before.n)
        memcpy(text, before.p, before.n);
    memcpy(text + before.n, v.p, v.n);
    return text;
}

int web_read_text(struct reader *r, struct place at, const struct yaml_node *v,
                  void *to)
{
    int rc = web_expect(r, at, v, YAML_TEXT);

    if (rc == 0 && v->text.n)
        *(const char **)to = keep(r, (struct view){ "", 0 }, v->text);
    return rc;
}

/* A relative path begins where the config lies. */
int web_read_path(struct reader *r, struct place at, const struct yaml_node *v,
                  void *to)
{
    const char *slash = strrchr(r->to->file, '/');
    struct view directory = { r->to->file,
                              slash ? (size_t)(slash + 1 - r->to->file) : 0 };
    int rc = web_expect(r, at, v, YAML_TEXT);

    if (rc == 0 && v->text.n) {
        if (v->text.p[0] == '/')
            directory.n = 0;
        *(const char **)to = keep(r, directory, v->text);
    }
    return rc;
}

/* The words of YAML 1.1, which other exporters take. */
int web_read_bool(struct reader *r, struct place at, const struct yaml_node *v,
                  void *to)
{
    static const char *const words[] = { "n", "no",  "false", "off",
                                         "y", "yes", "true",  "on" };
    const size_t count = sizeof words / sizeof *words;
    int rc = web_expect(r, at, v, YAML_TEXT);

    if (rc < 0)
        return rc;
    for (size_t i = 0; v->plain && i < count; i++) {
        if (view_eq_nocase(v->text, view_of(words[i]))) {
            *(bool *)to = i >= count / 2;
            return 0;
        }
    }
    return web_refuse(r, at, "neither true nor false");
}

int web_read_list(struct reader *r, struct place at, const struct yaml_node *v,
                  void *to)
{
    struct tls_list *list = to;
    int rc = web_expect(r, at, v, YAML_LIST);
    const char **items;

    if (rc < 0)
        return rc;
    items = arena_new(&r->to->mem, const char *, v->count);
    for (const struct yaml_entry *x = v->first; x; x = x->next) {
        at.line = x->value->line;
        rc = web_read_text(r, at, x->value, &items[list->count]);
        if (rc == 0 && !items[list->count])
            rc = web_refuse(r, at, "an empty entry");
        if (rc < 0)
            return rc;
        list->count++;
    }
    list->items = items;
    return 0;
}
