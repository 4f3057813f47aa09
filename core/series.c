#include "core/series.h"
#include "core/mem.h"
#include "core/utf8.h"

#include <math.h>
#include <stdlib.h>

static void add_escaped(struct buf *b, struct view v)
{
    size_t from = 0;

    for (size_t i = 0; i < v.n; i++) {
        char c = v.p[i];

        if (c != '\\' && c != '"' && c != '\n')
            continue;
        buf_add(b, v.p + from, i - from);
        buf_str(b, c == '\n' ? "\\n" : c == '"' ? "\\\"" : "\\\\");
        from = i + 1;
    }
    buf_add(b, v.p + from, v.n - from);
}

static void add_value(struct buf *b, struct view v)
{
    if (utf8_valid(v)) {
        add_escaped(b, v);
        return;
    }

    struct buf good = { 0 };

    utf8_repair(v, &good);
    add_escaped(b, buf_as_view(&good));
    buf_deinit(&good);
}

struct labels labels_open(struct series *s)
{
    return (struct labels){ (uint32_t)s->text.n, 0 };
}

static void begin(struct series *s, struct labels *l)
{
    /* Label sets are built one at a time: an open one ends where the text ends. */
    if (l->n > 0)
        buf_char(&s->text, ',');
}

static void end(struct series *s, struct labels *l)
{
    l->n = (uint32_t)(s->text.n - l->at);
}

void labels_add(struct series *s, struct labels *l, const char *name, struct view value)
{
    if (value.n == 0)
        return;
    begin(s, l);
    buf_str(&s->text, name);
    buf_add(&s->text, "=\"", 2);
    add_value(&s->text, value);
    buf_char(&s->text, '"');
    end(s, l);
}

void labels_add_u64(struct series *s, struct labels *l, const char *name,
                    uint64_t value)
{
    begin(s, l);
    buf_str(&s->text, name);
    buf_add(&s->text, "=\"", 2);
    buf_u64(&s->text, value);
    buf_char(&s->text, '"');
    end(s, l);
}

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

void labels_add_named(struct series *s, struct labels *l, struct view name,
                      struct view value)
{
    if (value.n == 0 || name.n == 0)
        return;
    begin(s, l);
    if (!letter(name.p[0]))
        buf_char(&s->text, '_');
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        buf_char(&s->text, letter(c) || (c >= '0' && c <= '9') ? c : '_');
    }
    buf_add(&s->text, "=\"", 2);
    add_value(&s->text, value);
    buf_char(&s->text, '"');
    end(s, l);
}

void series_add_suffix(struct series *s, uint16_t family, enum suffix suffix,
                       struct labels l, double value)
{
    if (isnan(value))
        return;
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 64;
        s->samples = mem_resize(s->samples, s->cap, sizeof *s->samples);
    }
    s->samples[s->count++] = (struct sample){
        .value = value, .labels = l, .family = family, .suffix = (uint8_t)suffix
    };
}

void series_add(struct series *s, uint16_t family, struct labels l, double value)
{
    series_add_suffix(s, family, SUFFIX_NONE, l, value);
}

void series_release(struct series *s)
{
    buf_release(&s->text);
    s->count = 0;
}

void series_deinit(struct series *s)
{
    buf_deinit(&s->text);
    free(s->samples);
    *s = (struct series){ 0 };
}
