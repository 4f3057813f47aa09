/*
 * markup.c - libyaml's events as ours.
 *
 * The parser of events, not the loader of documents: whoever listens decides how deep and
 * how much, and ends it before memory is spent. What libyaml copied of the text is wiped
 * where it can be reached, because a text may hold a private key.
 */
#include "server/toolbox/markup.h"

#include <errno.h>

#include <yaml.h>

static struct view text_of(const yaml_char_t *s)
{
    return view_of((const char *)s);
}

static void fill(struct markup *m, const yaml_event_t *event)
{
    m->line = (unsigned)event->start_mark.line + 1;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        m->kind = MARKUP_TEXT;
        m->text = (struct view){ (const char *)event->data.scalar.value,
                                 event->data.scalar.length };
        m->anchor = text_of(event->data.scalar.anchor);
        m->tag = text_of(event->data.scalar.tag);
        m->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        break;
    case YAML_MAPPING_START_EVENT:
        m->kind = MARKUP_MAP;
        m->anchor = text_of(event->data.mapping_start.anchor);
        m->tag = text_of(event->data.mapping_start.tag);
        break;
    case YAML_SEQUENCE_START_EVENT:
        m->kind = MARKUP_LIST;
        m->anchor = text_of(event->data.sequence_start.anchor);
        m->tag = text_of(event->data.sequence_start.tag);
        break;
    case YAML_ALIAS_EVENT:
        m->kind = MARKUP_ALIAS;
        m->text = text_of(event->data.alias.anchor);
        break;
    case YAML_DOCUMENT_START_EVENT:
        m->kind = MARKUP_DOCUMENT;
        break;
    default:
        m->kind = MARKUP_END;
        break;
    }
}

static bool told(yaml_event_type_t type)
{
    return type != YAML_NO_EVENT && type != YAML_STREAM_START_EVENT &&
           type != YAML_STREAM_END_EVENT && type != YAML_DOCUMENT_END_EVENT;
}

static void drop(yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT && event->data.scalar.value)
        explicit_bzero(event->data.scalar.value, event->data.scalar.length);
    yaml_event_delete(event);
}

static int explain(const yaml_parser_t *p, unsigned *line, struct err *e)
{
    if (p->error == YAML_MEMORY_ERROR)
        return err_set(e, -ENOMEM, "out of memory");
    if (p->error == YAML_READER_ERROR) {
        *line = 0;
        return err_set(e, -EINVAL, "byte %zu: %s", p->problem_offset, p->problem);
    }
    *line = (unsigned)p->problem_mark.line + 1;
    return err_set(e, -EINVAL, "%s%s%s", p->problem, p->context ? " " : "",
                   p->context ? p->context : "");
}

int markup_read(struct view text, markup_fn *f, void *ctx, unsigned *line,
                struct err *e)
{
    yaml_parser_t parser;
    bool more = true;
    int rc = 0;

    *line = 0;
    if (!yaml_parser_initialize(&parser))
        return err_set(e, -ENOMEM, "out of memory");
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
    while (more && rc == 0) {
        struct markup m = { 0 };
        yaml_event_t event;

        if (!yaml_parser_parse(&parser, &event)) {
            rc = explain(&parser, line, e);
            break;
        }
        fill(&m, &event);
        if (told(event.type))
            rc = f(ctx, &m);
        more = event.type != YAML_STREAM_END_EVENT;
        drop(&event);
    }
    yaml_parser_delete(&parser);
    return rc;
}
