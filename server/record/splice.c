#include "server/record/splice.h"

#include <errno.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/json.h"

enum { TEXT_MAX = 1 << 30 };

struct splice {
    struct json_parser *parser;
    struct buf padded; /* the text, with room behind it */
    struct view text;
    const struct json_parts *parts;
};

static bool holds(struct view text, struct view mark)
{
    return text.n && mark.n && memmem(text.p, text.n, mark.p, mark.n);
}

/* The scenario that holds the mark; NULL: none. */
static const struct view *find(const struct json_parts *parts, struct view mark)
{
    for (size_t i = 0; i < parts->item_count; i++)
        if (holds(parts->items[i], mark))
            return &parts->items[i];
    return NULL;
}

/* The byte behind the '[' of an array without items. */
static size_t inside(const struct splice *s)
{
    struct view list = s->text;

    if (s->parts->type == JSON_OBJECT)
        for (size_t i = 0; i < s->parts->member_count; i++)
            if (view_eq(s->parts->members[i].key, VIEW("scenarios")))
                list = s->parts->members[i].text; /* the last one counts */
    return (size_t)((const char *)memchr(list.p, '[', list.n) - s->text.p) + 1;
}

static bool has_member(const struct json_parts *parts, struct view key)
{
    for (size_t i = 0; i < parts->member_count; i++)
        if (view_eq(parts->members[i].key, key))
            return true;
    return false;
}

/* Splits one object; *padded lives as long as the parts are used. */
static const struct json_parts *members(struct json_parser *p, struct view object,
                                        struct buf *padded)
{
    static const char nothing[JSON_PADDING];
    const struct json_parts *parts;
    struct err e;

    buf_view(padded, object);
    buf_add(padded, nothing, sizeof nothing);
    if (json_split(p, (struct view){ padded->p, object.n }, VIEW(""), 0, &parts, &e) <
            0 ||
        parts->type != JSON_OBJECT)
        return NULL;
    return parts;
}

/* entry, and what old has besides; both are objects. A key is copied with the bytes that it
 * has in front of its value, so it needs no writing of its own. */
static void add_merged(struct view entry, struct view old, struct view drop,
                       struct buf *out)
{
    struct json_parser *p = json_parser_new(), *q = json_parser_new();
    struct buf a = { 0 }, b = { 0 };
    const struct json_parts *mine = members(p, entry, &a), *other = members(q, old, &b);

    buf_add(out, entry.p, entry.n - 1);
    for (size_t i = 0; mine && other && i < other->member_count; i++) {
        const struct json_piece *m = &other->members[i];
        const char *from =
            i ? other->members[i - 1].text.p + other->members[i - 1].text.n : b.p + 1;
        const char *key = memchr(from, '"', (size_t)(m->text.p - from));

        if (key && !view_eq(m->key, drop) && !has_member(mine, m->key))
            buf_fmt(out, ", %.*s", (int)(m->text.p + m->text.n - key), key);
    }
    buf_char(out, '}');
    buf_deinit(&a);
    buf_deinit(&b);
    json_parser_free(p);
    json_parser_free(q);
}

static void add_spliced(const struct splice *s, struct view entry, struct view mark,
                        struct view drop, struct buf *out)
{
    const struct view *old = find(s->parts, mark);
    size_t count = s->parts->item_count, at, rest;

    if (old) {
        at = (size_t)(old->p - s->text.p);
        rest = at + old->n;
    } else if (count) {
        at = rest = (size_t)(s->parts->items[count - 1].p - s->text.p) +
                    s->parts->items[count - 1].n;
    } else {
        at = rest = inside(s);
    }
    buf_add(out, s->text.p, at);
    if (old) {
        add_merged(entry, *old, drop, out);
    } else {
        buf_str(out, count ? ",\n" : "\n");
        buf_view(out, entry);
    }
    if (!old && !count)
        buf_char(out, '\n');
    buf_add(out, s->text.p + rest, s->text.n - rest);
}

/* All of it is checked: what is broken is not made to look whole by more text. */
static int open_text(struct splice *s, struct view text, struct err *e)
{
    static const char nothing[JSON_PADDING];
    struct arena mem = { 0 };
    const struct json_value *whole;
    int rc;

    if (text.n > TEXT_MAX)
        return err_set(e, -EFBIG, "the file is larger than 1 GiB");
    rc = json_parse(s->parser, text, &mem, &whole, e);
    arena_deinit(&mem);
    if (rc < 0)
        return -EINVAL;
    buf_view(&s->padded, text);
    buf_add(&s->padded, nothing, sizeof nothing);
    s->text = (struct view){ s->padded.p, text.n };
    if (json_split(s->parser, s->text, VIEW("scenarios"), 0, &s->parts, e) < 0)
        return -EINVAL;
    if (s->parts->type == JSON_ARRAY ||
        (s->parts->type == JSON_OBJECT && s->parts->list_found &&
         s->parts->list_is_array))
        return 0;
    return err_set(e, -EPROTO, "the file has no array \"scenarios\"");
}

int splice_entry(struct view text, struct view entry, struct view mark,
                 struct view drop, struct buf *out, struct err *e)
{
    struct splice s = { 0 };
    int rc;

    if (text.n == 0)
        text = VIEW("{\"scenarios\": []}\n");
    s.parser = json_parser_new();
    rc = open_text(&s, text, e);
    if (rc == 0 && s.parts)
        add_spliced(&s, entry, mark, drop, out);
    buf_deinit(&s.padded);
    json_parser_free(s.parser);
    return rc;
}
