#include "core/render.h"
#include "core/mem.h"

#include <stdlib.h>

void render_head(const struct family *f, struct buf *out)
{
    static const char *const types[] = { "gauge", "counter", "histogram" };

    buf_str(out, "# HELP ");
    buf_str(out, f->name);
    buf_char(out, ' ');
    for (const char *p = f->help; *p; p++) {
        if (*p == '\\')
            buf_str(out, "\\\\");
        else if (*p == '\n')
            buf_str(out, "\\n");
        else
            buf_char(out, *p);
    }
    buf_str(out, "\n# TYPE ");
    buf_str(out, f->name);
    buf_char(out, ' ');
    buf_str(out, types[f->type]);
    buf_char(out, '\n');
}

void series_order(const struct series *s, size_t families, struct series_order *o)
{
    /* A counting sort: stable, and a segment has thousands of samples. */
    o->first = mem_resize(o->first, families + 1, sizeof *o->first);
    o->sample = mem_resize(o->sample, s->count, sizeof *o->sample);
    memset(o->first, 0, (families + 1) * sizeof *o->first);
    for (size_t i = 0; i < s->count; i++)
        o->first[s->samples[i].family + 1]++;
    for (size_t f = 0; f < families; f++)
        o->first[f + 1] += o->first[f];
    for (size_t i = 0; i < s->count; i++)
        o->sample[o->first[s->samples[i].family]++] = (uint32_t)i;
    for (size_t f = families; f > 0; f--)
        o->first[f] = o->first[f - 1];
    o->first[0] = 0;
}

void series_order_deinit(struct series_order *o)
{
    free(o->first);
    free(o->sample);
    *o = (struct series_order){ 0 };
}

void render_samples(const struct series *s, const struct series_order *order,
                    const struct family *families, size_t family, struct buf *out)
{
    static const struct view suffixes[] = {
        [SUFFIX_NONE] = { "", 0 },
        [SUFFIX_BUCKET] = { "_bucket", 7 },
        [SUFFIX_SUM] = { "_sum", 4 },
        [SUFFIX_COUNT] = { "_count", 6 },
    };
    struct view name = view_of(families[family].name);

    for (uint32_t i = order->first[family]; i < order->first[family + 1]; i++) {
        const struct sample *a = &s->samples[order->sample[i]];

        buf_view(out, name);
        buf_view(out, suffixes[a->suffix]);
        if (a->labels.n > 0) {
            buf_char(out, '{');
            buf_add(out, s->text.p + a->labels.at, a->labels.n);
            buf_char(out, '}');
        }
        buf_char(out, ' ');
        buf_double(out, a->value);
        buf_char(out, '\n');
    }
}
