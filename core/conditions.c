#include "core/conditions.h"

#include "core/hash.h"

#include <math.h>
#include <stdlib.h>

enum {
    TEXT_MAX = 200, /* bytes; parameters may be kilobytes for each encode */
    TEXT_END = 17,  /* of these, what tells it from others that begin the same */
};

static void add_key(struct buf *text, struct view key)
{
    if (text->n)
        buf_char(text, ',');
    buf_view(text, key);
    buf_char(text, '=');
}

void conditions_add(struct buf *text, const char *key, struct view value)
{
    if (value.n == 0)
        return;
    add_key(text, view_of(key));
    buf_view(text, value);
}

void conditions_add_number(struct buf *text, const char *key, double value)
{
    if (isnan(value))
        return;
    add_key(text, view_of(key));
    buf_decimal(text, value);
}

void conditions_add_scores(struct buf *text, const struct scenario *s)
{
    conditions_add(text, "transfer", s->transfer);
    conditions_add(text, "vmaf_model", s->vmaf_model);
    conditions_add_number(text, "vmaf_width", s->facts.vmaf_width);
    conditions_add_number(text, "vmaf_height", s->facts.vmaf_height);
}

static int by_key(const void *a, const void *b)
{
    const struct param *x = a, *y = b;
    int keys = view_cmp(x->key, y->key);

    return keys ? keys : view_cmp(x->value, y->value);
}

/* Ceilings that go with a bit rate: they differ from point to point of one curve. */
static bool follows_rate(struct view key)
{
    return view_eq(key, VIEW("minrate")) || view_eq(key, VIEW("maxrate")) ||
           view_eq(key, VIEW("bufsize"));
}

static void add_params(struct buf *text, const struct scenario *s)
{
    struct param sorted[SCENARIO_PARAMS_MAX] = { 0 };
    uint32_t n =
        s->param_count < SCENARIO_PARAMS_MAX ? s->param_count : SCENARIO_PARAMS_MAX;

    for (uint32_t i = 0; i < n; i++)
        sorted[i] = s->params[i];
    if (n)
        qsort(sorted, n, sizeof *sorted, by_key);
    for (uint32_t i = 0; i < n; i++) {
        if (sorted[i].key.n == 0 || sorted[i].value.n == 0 ||
            follows_rate(sorted[i].key))
            continue;
        add_key(text, sorted[i].key);
        buf_view(text, sorted[i].value);
    }
}

static void cut(struct buf *text)
{
    struct hash h = hash_of(buf_as_view(text), 0);
    size_t n = TEXT_MAX - TEXT_END;

    if (text->n <= TEXT_MAX)
        return;
    while (n > 0 && ((unsigned char)text->p[n] & 0xC0) == 0x80) /* within a character */
        n--;
    text->n = n;
    buf_fmt(text, "~%016llx", (unsigned long long)h.part[0]);
}

void conditions_add_encode(struct buf *text, const struct scenario *s)
{
    conditions_add_number(text, "passes", s->facts.passes);
    add_params(text, s);
    if (conditions_by_quality(s))
        conditions_add(text, "rate_control", VIEW("crf"));
    if (text->n > TEXT_MAX)
        cut(text);
}

bool conditions_by_quality(const struct scenario *s)
{
    return !isnan(s->facts.crf) && !view_has_nocase(s->rate_control, VIEW("cbr")) &&
           !view_has_nocase(s->rate_control, VIEW("vbr")) &&
           !view_has_nocase(s->rate_control, VIEW("abr"));
}
