/*
 * params.c - free parameters become labels without ever making a set that has a name
 * twice.
 *
 * Bytes that a label name cannot hold become '_'. A name that the set has or may have
 * anyway ("encoder", "repeat"), that means something to Prometheus ("le", names that
 * begin with "__") or that an earlier parameter took ("pix-fmt" after "pix_fmt") gets
 * "param_" in front; if that is taken too, "_2", "_3" … behind. A parameter of the same
 * name as one of the scenario's own fields (crf …) counts as a clash even where the
 * field is absent: a label must mean the same on every series.
 */
#include "modules/results/params.h"
#include "core/decimal.h"

#include <math.h>
#include <stdio.h>

/* Longer keys are cut: they tell nothing more, and a clash is resolved as any other. */
enum { KEY_MAX = 100, NAME_MAX_BYTES = KEY_MAX + 24 };

struct names {
    char text[SCENARIO_PARAMS_MAX][NAME_MAX_BYTES];
    size_t count;
};

static bool reserved(const char *name)
{
    static const char *const taken[] = {
        "run_id",     "scenario",      "bitrate",  "resolution",   "fps",
        "streams",    "preset",        "encoder",  "encoder_type", "repeat",
        "le",         "output_ladder", "crf",      "passes",       "rate_control",
        "vmaf_model", "transfer",      "quantile", "job",          "instance",
    };

    if (name[0] == '_' && name[1] == '_')
        return true;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(name, taken[i]) == 0)
            return true;
    return false;
}

static bool taken(const struct names *n, const char *name)
{
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(name, n->text[i]) == 0)
            return true;
    return reserved(name);
}

static bool name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_';
}

/* The label name for a key, which counts as taken from now on. */
static const char *choose(struct names *n, struct view key)
{
    char *name = n->text[n->count];
    char plain[KEY_MAX + 2] = "";
    size_t at = 0;

    if (key.p[0] >= '0' && key.p[0] <= '9')
        plain[at++] = '_';
    for (size_t i = 0; i < key.n && i < KEY_MAX; i++)
        plain[at++] = name_byte(key.p[i]) ? key.p[i] : '_';
    plain[at] = '\0';

    snprintf(name, NAME_MAX_BYTES, "%s", plain);
    if (taken(n, name))
        snprintf(name, NAME_MAX_BYTES, "param_%s", plain);
    for (unsigned i = 2; taken(n, name); i++)
        snprintf(name, NAME_MAX_BYTES, "param_%s_%u", plain, i);
    n->count++;
    return name;
}

static void add_number(struct series *out, struct labels *l, const char *name, double v)
{
    char text[DECIMAL_MAX];

    if (!isnan(v))
        labels_add(out, l, name, (struct view){ text, decimal_plain(text, v) });
}

static bool usable(const struct param *p)
{
    return p->key.n > 0 && p->value.n > 0;
}

bool params_given(const struct scenario *s)
{
    for (uint32_t i = 0; i < s->param_count; i++)
        if (usable(&s->params[i]))
            return true;
    return !isnan(s->facts.crf) || s->rate_control.n > 0 || !isnan(s->facts.passes) ||
           s->vmaf_model.n > 0 || s->transfer.n > 0;
}

void params_add(const struct scenario *s, struct series *out, struct labels *l)
{
    struct names names;

    names.count = 0;
    for (uint32_t i = 0; i < s->param_count && i < SCENARIO_PARAMS_MAX; i++)
        if (usable(&s->params[i]))
            labels_add(out, l, choose(&names, s->params[i].key), s->params[i].value);
    add_number(out, l, "crf", s->facts.crf);
    labels_add(out, l, "rate_control", s->rate_control);
    add_number(out, l, "passes", s->facts.passes);
    labels_add(out, l, "vmaf_model", s->vmaf_model);
    labels_add(out, l, "transfer", s->transfer);
}
