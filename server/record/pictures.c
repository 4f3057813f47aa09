/*
 * pictures.c - sizes, rates and filters as ffmpeg's options write them.
 */
#include "server/record/arguments.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/decimal.h"

struct named {
    const char *name, *value;
};

static const struct named
    sizes[] = { /* libavutil/parseutils.c */
                { "ntsc", "720x480" },     { "pal", "720x576" },
                { "sqcif", "128x96" },     { "qcif", "176x144" },
                { "cif", "352x288" },      { "4cif", "704x576" },
                { "qqvga", "160x120" },    { "qvga", "320x240" },
                { "vga", "640x480" },      { "svga", "800x600" },
                { "xga", "1024x768" },     { "wvga", "852x480" },
                { "nhd", "640x360" },      { "qhd", "960x540" },
                { "hd480", "852x480" },    { "hd720", "1280x720" },
                { "hd1080", "1920x1080" }, { "2k", "2048x1080" },
                { "4k", "4096x2160" },     { "uhd2160", "3840x2160" }
    };

static const struct named codecs[] = {
    { "libx264", "h264" },     { "libx264rgb", "h264" }, { "libopenh264", "h264" },
    { "libx265", "hevc" },     { "libkvazaar", "hevc" }, { "libsvtav1", "av1" },
    { "libaom-av1", "av1" },   { "librav1e", "av1" },    { "libvpx", "vp8" },
    { "libvpx-vp9", "vp9" },   { "libsvt_vp9", "vp9" },  { "libsvt_hevc", "hevc" },
    { "libtheora", "theora" }, { "libxvid", "mpeg4" },   { "libvvenc", "vvc" }
};

static const char *const native[] = { "h264", "hevc",  "av1",   "vp8",
                                      "vp9",  "mpeg2", "mjpeg", "vvc" };

/* Filters that keep size and rate. */
static const char *const harmless[] = {
    "ass",        "atadenoise", "bilateral", "colorspace", "copy",
    "cropdetect", "deband",     "drawbox",   "drawtext",   "eq",
    "fade",       "format",     "gblur",     "hqdn3d",     "hue",
    "lut3d",      "nlmeans",    "null",      "psnr",       "setdar",
    "setsar",     "ssim",       "subtitles", "tonemap",    "unsharp"
};

/* … keep the size, and may change the rate. */
static const char *const other_rate[] = { "bwdif",        "estdif", "framestep",
                                          "minterpolate", "select", "setpts",
                                          "settb",        "trim",   "yadif" };

#define COUNT(a) (sizeof(a) / sizeof *(a))

static bool listed(const char *const *list, size_t count, struct view name)
{
    for (size_t i = 0; i < count; i++)
        if (view_eq(name, view_of(list[i])))
            return true;
    return false;
}

static const char *value_of(const struct named *list, size_t count, struct view name)
{
    for (size_t i = 0; i < count; i++)
        if (view_eq(name, view_of(list[i].name)))
            return list[i].value;
    return "";
}

static bool is_whole(struct view text, unsigned long *n)
{
    unsigned long value = 0;

    if (text.n == 0 || text.n > 6)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        value = value * 10 + (unsigned long)(text.p[i] - '0');
    }
    *n = value;
    return value > 0;
}

static void write_size(struct view width, struct view height,
                       char to[ARGUMENTS_TEXT_MAX])
{
    unsigned long w, h;

    to[0] = '\0';
    if (is_whole(width, &w) && is_whole(height, &h))
        snprintf(to, ARGUMENTS_TEXT_MAX, "%lux%lu", w, h);
}

void picture_size(struct view text, char to[ARGUMENTS_TEXT_MAX])
{
    const char *known = value_of(sizes, COUNT(sizes), text);
    struct view height = *known ? view_of(known) : text, width = { NULL, 0 };

    view_split(&height, 'x', &width);
    write_size(width, height, to);
}

/* The whole of text as a number; NaN: it is none. */
static double number(struct view text)
{
    char copy[64], *end;

    if (text.n == 0 || text.n >= sizeof copy || text.p[0] < '.' || text.p[0] > '9')
        return NAN;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';

    double value = strtod(copy, &end);

    return *end == '\0' && isfinite(value) ? value : NAN;
}

double picture_rate(struct view text)
{
    static const struct named names[] = { { "ntsc", "30000/1001" },
                                          { "pal", "25" },
                                          { "film", "24" },
                                          { "ntsc-film", "24000/1001" } };
    const char *known = value_of(names, COUNT(names), text);
    struct view over = *known ? view_of(known) : text, above = { NULL, 0 };

    view_split(&over, '/', &above);

    double rate = over.p ? number(above) / number(over) : number(above);

    return rate > 0 && rate < 1e6 ? rate : NAN;
}

/* ---- filters ----------------------------------------------------------------------- */

/* The next argument of a filter, and its name ("" without one). */
static bool next_argument(struct view *args, struct view *name, struct view *value)
{
    if (!view_split(args, ':', value))
        return false;
    *name = (struct view){ "", 0 };
    if (value->n && memchr(value->p, '=', value->n))
        view_split(value, '=', name);
    return true;
}

static bool either(struct view name, const char *a, const char *b)
{
    return view_eq(name, view_of(a)) || view_eq(name, view_of(b));
}

/* scale=1280:720, scale=w=1280:h=720, scale=hd720; -2 and formulas give no size. */
static void read_scale(struct view args, char size[ARGUMENTS_TEXT_MAX])
{
    struct view name, value, width = { NULL, 0 }, height = { NULL, 0 };
    bool sure = true;

    for (int place = 0; next_argument(&args, &name, &value); place++) {
        if (either(name, "w", "width") || either(name, "s", "size") ||
            (name.n == 0 && place == 0))
            width = value; /* or both sides */
        else if (either(name, "h", "height") || (name.n == 0 && place == 1))
            height = value;
        else if (view_starts(name, VIEW("force_")))
            sure = false; /* the size that is asked for is an upper or lower bound */
    }
    size[0] = '\0';
    if (!sure)
        return;
    if (height.p)
        write_size(width, height, size);
    else
        picture_size(width, size);
}

static double read_fps(struct view args)
{
    struct view name, value;

    for (int place = 0; next_argument(&args, &name, &value); place++)
        if (view_eq(name, VIEW("fps")) || (name.n == 0 && place == 0))
            return picture_rate(value);
    return 25; /* the filter's own default */
}

void picture_filters(struct view chain, char size[ARGUMENTS_TEXT_MAX], double *rate)
{
    struct view filter, name;

    /* A graph, or commas that are part of a text: not looked into. */
    if (chain.n && strcspn(chain.p, "[];'\\") < chain.n) {
        size[0] = '\0';
        *rate = NAN;
        return;
    }
    while (view_split(&chain, ',', &filter)) {
        filter = view_trim(filter);
        view_split(&filter, '=', &name);
        if (view_eq(name, VIEW("scale"))) {
            read_scale(filter, size);
        } else if (view_eq(name, VIEW("fps"))) {
            *rate = read_fps(filter);
        } else if (listed(other_rate, COUNT(other_rate), name)) {
            *rate = NAN;
        } else if (!listed(harmless, COUNT(harmless), name)) {
            size[0] = '\0';
            *rate = NAN;
        }
    }
}

/* ---- bit rates and codecs -------------------------------------------------------- */

/* ffmpeg's suffixes: k, M, G by 1000, with an i by 1024, with a B of bytes. */
static double scale_of(struct view suffix)
{
    double unit = 1000, scale = 1;

    if (suffix.n && suffix.p[suffix.n - 1] == 'B') {
        scale = 8;
        suffix.n--;
    }
    if (suffix.n == 2 && suffix.p[1] == 'i') {
        unit = 1024;
        suffix.n--;
    }
    if (suffix.n == 0)
        return unit == 1000 ? scale : NAN;
    if (suffix.n > 1)
        return NAN;
    switch (suffix.p[0]) {
    case 'k':
    case 'K':
        return scale * unit;
    case 'M':
        return scale * unit * unit;
    case 'G':
        return scale * unit * unit * unit;
    default:
        return NAN;
    }
}

void picture_bitrate(struct view text, char to[ARGUMENTS_TEXT_MAX])
{
    size_t digits = text.n;

    to[0] = '\0';
    if (text.n == 0)
        return;
    while (digits && !(text.p[digits - 1] >= '0' && text.p[digits - 1] <= '9'))
        digits--;

    double bps =
        number((struct view){ text.p, digits }) * scale_of(view_skip(text, digits));

    if (!(bps > 0 && bps < 1e12))
        return;
    /* In thousands where that is exact: people write them so. */
    if (fmod(bps, 1000) == 0)
        snprintf(to, ARGUMENTS_TEXT_MAX, "%.0fk", bps / 1000);
    else
        snprintf(to, ARGUMENTS_TEXT_MAX, "%.0fbps", bps);
}

const char *picture_codec(struct view encoder)
{
    const char *known = value_of(codecs, COUNT(codecs), encoder);
    struct view name;

    if (*known)
        return known;
    /* hevc_nvenc, av1_qsv, h264_vaapi … */
    view_split(&encoder, '_', &name);
    for (size_t i = 0; encoder.p && i < COUNT(native); i++)
        if (view_eq(name, view_of(native[i])))
            return native[i];
    return "";
}
