#include "server/compute/clip.h"

#include <math.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/json.h"

enum { SIDE_MAX = 1000000, RATE_MAX = 2000000000, DIGITS_MAX = 10 };

const char clip_entries[] =
    "stream=width,height,pix_fmt,color_transfer,avg_frame_rate,r_frame_rate,duration:"
    "stream_side_data=rotation:format=duration";

/* Formats of pixels, and the one in which frames are compared: planes of brightness and
 * colour, as all filters know them, with the depth and the colours of the file. */
static const struct {
    const char *name, *compared;
} formats[] = {
    { "yuv420p", "yuv420p" },
    { "yuvj420p", "yuv420p" },
    { "yuva420p", "yuv420p" },
    { "nv12", "yuv420p" },
    { "nv21", "yuv420p" },
    { "yuv411p", "yuv420p" },
    { "yuv410p", "yuv420p" },
    { "gray", "yuv420p" },
    { "yuv422p", "yuv422p" },
    { "yuvj422p", "yuv422p" },
    { "yuva422p", "yuv422p" },
    { "yuyv422", "yuv422p" },
    { "uyvy422", "yuv422p" },
    { "yuv440p", "yuv444p" },
    { "yuvj440p", "yuv444p" },
    { "yuv444p", "yuv444p" },
    { "yuvj444p", "yuv444p" },
    { "yuva444p", "yuv444p" },
    { "gbrp", "yuv444p" },
    { "gbrap", "yuv444p" },
    { "rgb24", "yuv444p" },
    { "bgr24", "yuv444p" },
    { "rgba", "yuv444p" },
    { "bgra", "yuv444p" },
    { "rgb0", "yuv444p" },
    { "bgr0", "yuv444p" },
    { "yuv420p10le", "yuv420p10le" },
    { "p010le", "yuv420p10le" },
    { "gray10le", "yuv420p10le" },
    { "yuv422p10le", "yuv422p10le" },
    { "yuva422p10le", "yuv422p10le" },
    { "p210le", "yuv422p10le" },
    { "yuv444p10le", "yuv444p10le" },
    { "yuva444p10le", "yuv444p10le" },
    { "gbrp10le", "yuv444p10le" },
    { "x2rgb10le", "yuv444p10le" },
    { "yuv420p12le", "yuv420p12le" },
    { "p012le", "yuv420p12le" },
    { "gray12le", "yuv420p12le" },
    { "yuv422p12le", "yuv422p12le" },
    { "yuv444p12le", "yuv444p12le" },
    { "yuva444p12le", "yuv444p12le" },
    { "gbrp12le", "yuv444p12le" },
};

static struct view text_of(const struct json_value *object, struct view key)
{
    const struct json_value *v = object ? json_member(object, key) : NULL;

    return v && v->type == JSON_STRING ? json_text(v) : (struct view){ "", 0 };
}

static uint32_t side_of(const struct json_value *object, struct view key)
{
    const struct json_value *v = json_member(object, key);

    return v && v->type == JSON_NUMBER && v->number >= 1 && v->number <= SIDE_MAX
               ? (uint32_t)v->number
               : 0;
}

/* Digits alone; 0: it is none, or too large. */
static uint32_t whole(struct view text)
{
    uint64_t n = 0;

    if (text.n > DIGITS_MAX)
        return 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return 0;
        n = n * 10 + (uint64_t)(text.p[i] - '0');
    }
    return n <= RATE_MAX ? (uint32_t)n : 0;
}

/* "30000/1001"; "0/0": not known. */
static struct clip_rate rate_of(struct view text)
{
    struct view above;
    struct clip_rate r = { 0, 0 };

    if (!view_split(&text, '/', &above))
        return r;
    r = (struct clip_rate){ whole(above), whole(text) };
    return r.num && r.den ? r : (struct clip_rate){ 0, 0 };
}

double clip_rate_of(struct clip_rate r)
{
    return r.num ? (double)r.num / r.den : NAN;
}

/* "10.000000"; "N/A". */
static double seconds_of(const struct json_value *object)
{
    struct view text = text_of(object, VIEW("duration"));
    char copy[40], *end;

    if (text.n == 0 || text.n >= sizeof copy)
        return NAN;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';

    double value = strtod(copy, &end);

    return *end == '\0' && value > 0 && value < 1e9 ? value : NAN;
}

static const char *format_of(struct view name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (view_eq(name, view_of(formats[i].name)))
            return formats[i].compared;
    return NULL;
}

/* By a quarter, in either direction: what is shown is as high as the picture is wide. */
static bool is_turned(const struct json_value *video)
{
    const struct json_value *list = json_member(video, VIEW("side_data_list")), *v;

    for (uint32_t i = 0; list && list->type == JSON_ARRAY && i < list->n; i++) {
        v = json_member(&list->items[i], VIEW("rotation"));
        if (v && v->type == JSON_NUMBER)
            return fabs(fmod(v->number, 180)) == 90;
    }
    return false;
}

static bool take(const struct json_value *root, struct clip *out)
{
    const struct json_value *streams = json_member(root, VIEW("streams")), *video;
    struct view transfer;

    if (!streams || streams->type != JSON_ARRAY || streams->n == 0 ||
        streams->items[0].type != JSON_OBJECT)
        return false;
    video = &streams->items[0];
    transfer = text_of(video, VIEW("color_transfer"));
    *out = (struct clip){
        .width = side_of(video, VIEW("width")),
        .height = side_of(video, VIEW("height")),
        .mean = rate_of(text_of(video, VIEW("avg_frame_rate"))),
        .base = rate_of(text_of(video, VIEW("r_frame_rate"))),
        .format = format_of(text_of(video, VIEW("pix_fmt"))),
        .wide_range = view_eq(transfer, VIEW("smpte2084")) ||
                      view_eq(transfer, VIEW("arib-std-b67")),
        .duration_s = seconds_of(video),
    };
    if (isnan(out->duration_s))
        out->duration_s = seconds_of(json_member(root, VIEW("format")));
    if (is_turned(video)) {
        uint32_t width = out->width;

        out->width = out->height;
        out->height = width;
    }
    return true;
}

bool clip_parse(struct view json, struct clip *out)
{
    struct json_parser *parser = json_parser_new();
    const struct json_value *root;
    struct arena mem = { 0 };
    struct err e;
    bool good = json_parse(parser, json, &mem, &root, &e) == 0 && take(root, out);

    arena_deinit(&mem);
    json_parser_free(parser);
    return good;
}
