#include "server/record/record_config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const texts[] = { "bitrate",      "codec",        "encoder",
                                     "encoder_type", "host",         "output",
                                     "preset",       "rate_control", "reference",
                                     "region",       "resolution",   "source",
                                     "transfer",     "vmaf_model" };

static const char *const numbers[] = { "actual_bitrate_kbps",
                                       "avg_fps",
                                       "crf",
                                       "dropped_frames",
                                       "energy_joules",
                                       "fps",
                                       "media_seconds",
                                       "passes",
                                       "pixels_processed",
                                       "psnr_min",
                                       "psnr_score",
                                       "quality_seconds",
                                       "ssim_score",
                                       "streams",
                                       "total_frames",
                                       "viewers",
                                       "vmaf_harmonic_mean",
                                       "vmaf_height",
                                       "vmaf_min",
                                       "vmaf_p1",
                                       "vmaf_p5",
                                       "vmaf_score",
                                       "vmaf_width" };

static bool listed(const char *const *list, size_t count, struct view key)
{
    for (size_t i = 0; i < count; i++)
        if (view_eq(key, view_of(list[i])))
            return true;
    return false;
}

enum record_field record_field_kind(struct view key)
{
    if (listed(texts, sizeof texts / sizeof *texts, key))
        return RECORD_TEXT;
    return listed(numbers, sizeof numbers / sizeof *numbers, key) ? RECORD_NUMBER
                                                                  : RECORD_UNKNOWN;
}

static const struct option *find(struct view name)
{
    for (const struct option *o = record_options; o->name; o++)
        if (view_eq(view_of(o->name), name))
            return o;
    return NULL;
}

/* value is a word of argv, so NUL ends it. */
static int check_field(const struct record_pair *p, struct err *e)
{
    enum record_field kind = record_field_kind(p->key);
    char *end;

    if (kind == RECORD_UNKNOWN)
        return err_set(e, -EINVAL,
                       "--set: \"%.*s\" is no field that can be set; see "
                       "docs/recording.md, and --param for all else",
                       VIEW_ARG(p->key));
    if (kind == RECORD_TEXT)
        return 0;
    if (p->value.n && isfinite(strtod(p->value.p, &end)) && *end == '\0')
        return 0;
    return err_set(e, -EINVAL, "--set: %.*s is a number; \"%.*s\" is none",
                   VIEW_ARG(p->key), VIEW_ARG(p->value));
}

static int add_pair(struct record_config *c, bool field, struct err *e)
{
    struct record_pair *pairs = field ? c->fields : c->params;
    size_t *count = field ? &c->field_count : &c->param_count;
    struct record_pair p = { .value = view_of(c->pair) };
    const char *flag = field ? "--set" : "--param";

    if (!view_split(&p.value, '=', &p.key) || !p.value.p || p.key.n == 0)
        return err_set(e, -EINVAL, "%s: \"%s\" is no NAME=VALUE", flag, c->pair);
    if (*count == RECORD_PAIRS_MAX)
        return err_set(e, -EINVAL, "%s: more than %d of them", flag, RECORD_PAIRS_MAX);
    if (field && check_field(&p, e) < 0)
        return -EINVAL;
    for (size_t i = 0; i < *count; i++)
        if (view_eq(pairs[i].key, p.key)) {
            pairs[i].value = p.value; /* the last one counts */
            return 0;
        }
    pairs[(*count)++] = p;
    return 0;
}

/* *i: of the flag in argv, and of its last word afterwards. */
static int take(struct record_config *c, int argc, char **argv, int *i, struct err *e)
{
    struct view text = view_of(argv[*i] + 2), name;
    const struct option *o;
    char from[64];

    view_split(&text, '=', &name);
    o = find(name);
    if (!o)
        return err_set(
            e, -EINVAL,
            "record: --%.*s is no flag of it; see encode_exporter record --help",
            VIEW_ARG(name));
    snprintf(from, sizeof from, "--%s", o->name);
    if (!text.p && o->type != OPT_BOOL) {
        if (*i + 1 >= argc)
            return err_set(e, -EINVAL, "%s: a value is missing: %s %s", from, from,
                           o->value);
        text = view_of(argv[++*i]);
    }
    if (option_set(o, c, text.p, from, false, e) < 0)
        return -EINVAL;
    return o->offset == offsetof(struct record_config, pair)
               ? add_pair(c, o->name[0] == 's', e)
               : 0;
}

/* A part of a file name, and no more. */
static int check_run(const struct record_config *c, struct err *e)
{
    enum { BYTES_MAX = 180 };

    if (!c->run || (*c->run && !strchr(c->run, '/') && strlen(c->run) <= BYTES_MAX))
        return 0;
    return err_set(
        e, -EINVAL,
        "--run: \"%s\" is no part of a file name: 1 to %d bytes without \"/\"", c->run,
        BYTES_MAX);
}

int record_config_read(struct record_config *c, int argc, char **argv,
                       const char *(*variable)(const char *name), struct err *e)
{
    const char *dir;
    int i = 1;

    *c = (struct record_config){ 0 };
    option_defaults(record_options, c);
    dir = variable("RESULTS_DIR");
    if (dir && *dir)
        c->results_dir = dir;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0 && argv[i][2]; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            c->help = true;
            return 0;
        }
        if (take(c, argc, argv, &i, e) < 0)
            return -EINVAL;
    }
    if (i < argc && strcmp(argv[i], "--") == 0)
        i++;
    if (i == argc)
        return err_set(e, -EINVAL,
                       "record: there is no command: encode_exporter record [--flag "
                       "value]… -- COMMAND …");
    c->command = argv + i;
    return check_run(c, e);
}
