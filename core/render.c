/*
 * render.c - samples → bytes of both formats.
 *
 * Sample lines are the same in both, so that they can be shared; heads tell different
 * families of them. OpenMetrics takes _total for a suffix of the sample, not for a part
 * of the family's name, and has a type for gauges that end in _info. A counter whose
 * name lacks _total could only be a counter there under another name: it is `unknown`.
 * A gauge that ends in _total keeps name and type: nothing forbids it as long as there
 * is no counter without the suffix beside it.
 */
#include "core/render.h"
#include "core/mem.h"

#include <stdlib.h>

static void add_help(const char *help, bool quotes, struct buf *out)
{
    for (const char *p = help; *p; p++) {
        if (*p == '\\')
            buf_str(out, "\\\\");
        else if (*p == '\n')
            buf_str(out, "\\n");
        else if (*p == '"' && quotes)
            buf_str(out, "\\\"");
        else
            buf_char(out, *p);
    }
    buf_char(out, '\n');
}

void render_head(const struct family *f, struct buf *out)
{
    static const char *const types[] = {
        [GAUGE] = "gauge", [COUNTER] = "counter", [HISTOGRAM] = "histogram"
    };

    buf_str(out, "# HELP ");
    buf_str(out, f->name);
    buf_char(out, ' ');
    add_help(f->help, false, out);
    buf_str(out, "# TYPE ");
    buf_str(out, f->name);
    buf_char(out, ' ');
    buf_str(out, types[f->type]);
    buf_char(out, '\n');
}

/* A family as OpenMetrics sees it. */
struct open_family {
    struct view name; /* without the suffix that its samples have */
    const char *type;
    bool has_unit; /* this type may have one */
};

static bool cut_suffix(struct view *name, struct view suffix)
{
    if (name->n <= suffix.n || !view_ends(*name, suffix))
        return false;
    name->n -= suffix.n;
    return true;
}

static struct open_family open_family(const struct family *f)
{
    struct open_family o = { view_of(f->name), "gauge", true };

    if (f->type == HISTOGRAM) {
        o.type = "histogram";
    } else if (f->type == COUNTER) {
        o.type = cut_suffix(&o.name, VIEW("_total")) ? "counter" : "unknown";
    } else if (cut_suffix(&o.name, VIEW("_info"))) {
        o.type = "info";
        o.has_unit = false;
    }
    return o;
}

/* The unit at the end of a name; empty: none that we know. */
static struct view unit_of(struct view name)
{
    static const struct view units[] = {
        VIEW("seconds"), VIEW("bytes"),   VIEW("ratio"),   VIEW("joules"),
        VIEW("watts"),   VIEW("volts"),   VIEW("amperes"), VIEW("celsius"),
        VIEW("hertz"),   VIEW("percent"), VIEW("wh"),      VIEW("kg"),
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (name.n > units[i].n + 1 && view_ends(name, units[i]) &&
            name.p[name.n - units[i].n - 1] == '_')
            return units[i];
    return (struct view){ NULL, 0 };
}

static void add_descriptor(const char *what, struct view name, struct buf *out)
{
    buf_str(out, what);
    buf_view(out, name);
    buf_char(out, ' ');
}

void render_head_openmetrics(const struct family *f, struct buf *out)
{
    struct open_family o = open_family(f);
    struct view unit = o.has_unit ? unit_of(o.name) : (struct view){ NULL, 0 };

    add_descriptor("# TYPE ", o.name, out);
    buf_str(out, o.type);
    buf_char(out, '\n');
    if (unit.n > 0) {
        add_descriptor("# UNIT ", o.name, out);
        buf_view(out, unit);
        buf_char(out, '\n');
    }
    add_descriptor("# HELP ", o.name, out);
    add_help(f->help, true, out);
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

static void add_samples(const struct series *s, const struct series_order *order,
                        const struct family *families, size_t family, bool openmetrics,
                        struct buf *out)
{
    static const struct view suffixes[] = {
        [SUFFIX_NONE] = { "", 0 },
        [SUFFIX_BUCKET] = { "_bucket", 7 },
        [SUFFIX_SUM] = { "_sum", 4 },
        [SUFFIX_COUNT] = { "_count", 6 },
        [SUFFIX_CREATED] = { "_created", 8 },
    };
    const struct family *f = &families[family];
    struct view name = view_of(f->name), base = open_family(f).name;
    bool created = openmetrics && render_samples_differ(f);

    for (uint32_t i = order->first[family]; i < order->first[family + 1]; i++) {
        const struct sample *a = &s->samples[order->sample[i]];

        if (a->suffix == SUFFIX_CREATED && !created)
            continue;
        buf_view(out, a->suffix == SUFFIX_CREATED ? base : name);
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

void render_samples(const struct series *s, const struct series_order *order,
                    const struct family *families, size_t family, struct buf *out)
{
    add_samples(s, order, families, family, false, out);
}

void render_samples_openmetrics(const struct series *s,
                                const struct series_order *order,
                                const struct family *families, size_t family,
                                struct buf *out)
{
    add_samples(s, order, families, family, true, out);
}

bool render_samples_differ(const struct family *f)
{
    return f->type == HISTOGRAM ||
           (f->type == COUNTER && view_ends(view_of(f->name), VIEW("_total")));
}
