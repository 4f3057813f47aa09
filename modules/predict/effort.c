/*
 * effort.c - names of presets → how hard the encoder tries, 0 (fastest) to 1 (slowest).
 *
 * The orders are those of the encoders' own documentation: presets of x264 and x265
 * (`x264 --fullhelp`), of SVT-AV1 (-preset 0 to 13), cpu-used of libvpx and libaom (0 to
 * 8), speed of rav1e (0 to 10), p1 to p7 of NVENC, the target usages of Quick Sync, the
 * quality presets of AMF. VideoToolbox and VA-API have none that would be an order.
 * Hardware is looked for first: "h264_nvenc" has "h264" in its name, too.
 */
#include "modules/predict/lesson.h"

#include <math.h>

enum order { BY_NAME, FASTEST_IS_HIGHEST, SLOWEST_IS_HIGHEST, NO_ORDER };

struct family {
    const char *part[3]; /* of the encoder's name, in lower case; any of them */
    enum order order;
    const char *const *names; /* BY_NAME: from the fastest, NULL at the end */
    int first, last;          /* numbers of the two ends otherwise, and … */
    char before;              /* … the letter that stands before; 0: anything may */
};

static const char *const x264[] = { "ultrafast", "superfast", "veryfast", "faster",
                                    "fast",      "medium",    "slow",     "slower",
                                    "veryslow",  "placebo",   NULL };
static const char *const quick_sync[] = { "veryfast", "faster", "fast",     "medium",
                                          "slow",     "slower", "veryslow", NULL };
static const char *const amf[] = { "speed", "balanced", "quality", NULL };
/* Those that NVENC had before p1 to p7, and that ffmpeg still takes. */
static const char *const nvenc_old[] = { "fast", "medium", "slow", NULL };

static const struct family families[] = {
    { { "nvenc" }, SLOWEST_IS_HIGHEST, nvenc_old, 1, 7, 'p' },
    { { "qsv" }, BY_NAME, quick_sync, 0, 0, 0 },
    { { "amf" }, BY_NAME, amf, 0, 0, 0 },
    { { "videotoolbox", "vaapi", "v4l2" }, NO_ORDER, NULL, 0, 0, 0 },
    { { "svtav1", "svt-av1", "svt_av1" }, FASTEST_IS_HIGHEST, NULL, 0, 13, 0 },
    { { "vp9" }, FASTEST_IS_HIGHEST, NULL, 0, 8, 0 },
    { { "libaom", "aomenc" }, FASTEST_IS_HIGHEST, NULL, 0, 8, 0 },
    { { "rav1e" }, FASTEST_IS_HIGHEST, NULL, 0, 10, 0 },
    { { "x264", "h264", "avc" }, BY_NAME, x264, 0, 0, 0 },
    { { "x265", "h265", "hevc" }, BY_NAME, x264, 0, 0, 0 },
};

static const struct family *family_of(struct view encoder)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        for (size_t k = 0; k < 3 && families[i].part[k]; k++)
            if (view_has_nocase(encoder, view_of(families[i].part[k])))
                return &families[i];
    return NULL;
}

static double by_name(const char *const *names, struct view preset)
{
    double at = NAN, last = 0;

    for (size_t i = 0; names[i]; i++) {
        if (view_eq_nocase(preset, view_of(names[i])))
            at = (double)i;
        last = (double)i;
    }
    return at / last;
}

/* The number that the text ends with: "realtime-6" → 6. NaN: it ends with none, or with
 * one of more than three digits, or another letter than `before` stands before it. */
static double number_at_end(struct view v, char before)
{
    size_t digits = 0;
    double n = 0;

    while (digits < v.n && v.p[v.n - 1 - digits] >= '0' && v.p[v.n - 1 - digits] <= '9')
        digits++;
    if (digits == 0 || digits > 3 ||
        (before && (v.n != digits + 1 || (v.p[0] | 0x20) != before)))
        return NAN;
    for (size_t i = v.n - digits; i < v.n; i++)
        n = n * 10 + (v.p[i] - '0');
    return n;
}

double preset_effort(struct view encoder, struct view preset)
{
    const struct family *f = family_of(encoder);
    double n, part;

    preset = view_trim(preset);
    if (!f || f->order == NO_ORDER || preset.n == 0)
        return NAN;
    if (f->order == BY_NAME)
        return by_name(f->names, preset);
    n = number_at_end(preset, f->before);
    if (isnan(n))
        return f->names ? by_name(f->names, preset) : NAN;
    if (n < f->first || n > f->last)
        return NAN;
    part = (n - f->first) / (f->last - f->first);
    return f->order == FASTEST_IS_HIGHEST ? 1 - part : part;
}
