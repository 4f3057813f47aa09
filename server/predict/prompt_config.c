#include "server/predict/prompt_config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "core/notation.h"

#define AT(field) offsetof(struct prompt_config, field)

const struct option prompt_options[] = {
    { "resolution", OPT_STRING, AT(resolution), NULL, NULL, "WxH",
      "size of the pictures: 1920x1080", "predict" },
    { "fps", OPT_DOUBLE, AT(fps), NULL, NULL, "F", "pictures per second", "predict",
      .min = 0.1, .max = 1000 },
    { "bitrate", OPT_STRING, AT(bitrate), NULL, NULL, "RATE",
      "to ask the encoder for: 4M, 2500k", "predict" },
    { "encoder", OPT_STRING, AT(encoder), NULL, NULL, "E",
      "as the results files name it; without it and --preset the pair that most "
      "encodes "
      "have",
      "predict" },
    { "preset", OPT_STRING, AT(preset), NULL, NULL, "P", "of the encoder", "predict" },
    { "target-vmaf", OPT_DOUBLE, AT(target_vmaf), NULL, NULL, "VMAF",
      "quality that the recommended bit rate is to reach; without it "
      "--predict.target-vmaf",
      "predict", .min = 1, .max = 100 },
    { "json", OPT_BOOL, AT(json), NULL, NULL, NULL, "print one JSON object",
      "predict" },
    { 0 },
};

static const struct option *find(struct view name)
{
    for (const struct option *o = prompt_options; o->name; o++)
        if (view_eq(view_of(o->name), name))
            return o;
    return NULL;
}

static int missing(const char *flag, struct err *e)
{
    return err_set(e, -EINVAL,
                   "predict: --%s is missing; needed are --resolution, --fps and "
                   "--bitrate, see --help predict",
                   flag);
}

static int complete(struct prompt_config *p, struct err *e)
{
    if (!p->resolution)
        return missing("resolution", e);
    if (isnan(p->fps))
        return missing("fps", e);
    if (!p->bitrate)
        return missing("bitrate", e);
    if (!notation_resolution(view_of(p->resolution), &p->width, &p->height) ||
        p->width < 1 || p->height < 1)
        return err_set(e, -EINVAL,
                       "--resolution: \"%s\" is no size; sizes look like 1920x1080",
                       p->resolution);
    p->bitrate_kbps = notation_bitrate_bps(view_of(p->bitrate)) / 1000;
    if (!(p->bitrate_kbps > 0))
        return err_set(e, -EINVAL,
                       "--bitrate: \"%s\" is no bit rate; bit rates look like 4M or "
                       "2500k",
                       p->bitrate);
    return 0;
}

/* text: what stands behind '='; NULL: nothing does. *i: of the flag in argv, and of its
 * last word afterwards. */
static int take(struct prompt_config *p, const struct option *o, const char *text,
                int argc, char **argv, int *i, struct err *e)
{
    char from[64];

    snprintf(from, sizeof from, "--%s", o->name);
    if (!text && o->type != OPT_BOOL) {
        if (*i + 1 >= argc)
            return err_set(e, -EINVAL, "%s: a value is missing: %s %s", from, from,
                           o->value);
        text = argv[++*i];
    }
    return option_set(o, p, text, from, false, e);
}

int prompt_config_take(struct prompt_config *p, int *argc, char **argv, bool *help,
                       struct err *e)
{
    int left = 1;

    *p = (struct prompt_config){ 0 };
    option_defaults(prompt_options, p);
    *help = false;
    for (int i = 1; i < *argc; i++)
        *help = *help || strcmp(argv[i], "--help") == 0;
    if (*help)
        return 0;
    for (int i = 1; i < *argc; i++) {
        struct view arg = view_of(argv[i]), name;
        const struct option *o = NULL;

        if (view_starts(arg, VIEW("--"))) {
            arg = view_skip(arg, 2);
            view_split(&arg, '=', &name);
            o = find(name);
        }
        if (!o)
            argv[left++] = argv[i];
        else if (take(p, o, arg.p, *argc, argv, &i, e) < 0)
            return -EINVAL;
    }
    *argc = left;
    argv[left] = NULL;
    return complete(p, e);
}
