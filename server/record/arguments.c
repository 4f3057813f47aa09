#include "server/record/arguments.h"

#include <math.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Programs that run another one in their place or as a child, with its descriptors. */
static const char *const wrappers[] = { "chrt",    "env",    "ionice",  "nice",
                                        "nocache", "nohup",  "numactl", "prlimit",
                                        "setarch", "setsid", "stdbuf",  "taskset",
                                        "time",    "timeout" };

/* Options without a value, of ffmpeg 2 to 8; each also with "no" before it. */
static const char *const switches[] = { "y",
                                        "n",
                                        "stats",
                                        "stdin",
                                        "hide_banner",
                                        "benchmark",
                                        "benchmark_all",
                                        "dump",
                                        "hex",
                                        "re",
                                        "copyts",
                                        "start_at_zero",
                                        "shortest",
                                        "bitexact",
                                        "vn",
                                        "an",
                                        "sn",
                                        "dn",
                                        "intra",
                                        "sameq",
                                        "same_quant",
                                        "psnr",
                                        "deinterlace",
                                        "ignore_unknown",
                                        "copy_unknown",
                                        "recast_media",
                                        "autorotate",
                                        "autoscale",
                                        "accurate_seek",
                                        "seek_timestamp",
                                        "find_stream_info",
                                        "fix_sub_duration",
                                        "fix_sub_duration_heartbeat",
                                        "qphist",
                                        "vstats",
                                        "xerror",
                                        "copyinkf",
                                        "force_fps",
                                        "debug_ts",
                                        "auto_conversion_filters",
                                        "report",
                                        "display_hflip",
                                        "display_vflip",
                                        "print_graphs" };

/* Options that are told as parameters, and how. Those that many ask for come first: a
 * scenario has room for 16. */
static const struct {
    const char *option, *param;
} params[] = {
    { "tune", "tune" },
    { "profile", "profile" },
    { "level", "level" },
    { "g", "gop" },
    { "pix_fmt", "pix_fmt" },
    { "bf", "bf" },
    { "refs", "refs" },
    { "qp", "qp" },
    { "cq", "cq" },
    { "global_quality", "global_quality" },
    { "q", "q" },
    { "qscale", "q" },
    { "maxrate", "maxrate" },
    { "minrate", "minrate" },
    { "bufsize", "bufsize" },
    { "pass", "pass" },
    { "threads", "threads" },
    { "x264-params", "x264-params" },
    { "x264opts", "x264-params" },
    { "x265-params", "x265-params" },
    { "svtav1-params", "svtav1-params" },
    { "aom-params", "aom-params" },
    { "cpu-used", "cpu-used" },
    { "deadline", "deadline" },
    { "quality", "quality" },
    { "usage", "usage" },
    { "speed", "speed" },
    { "rc", "rc" },
    { "rc-lookahead", "rc-lookahead" },
    { "keyint_min", "keyint_min" },
    { "sc_threshold", "sc_threshold" },
    { "aq-mode", "aq-mode" },
    { "row-mt", "row-mt" },
    { "tile-columns", "tile-columns" },
    { "tile-rows", "tile-rows" },
    { "ss", "ss" },
    { "t", "t" },
    { "to", "to" },
    { "frames", "frames" },
    { "vframes", "frames" },
};

struct option_word { /* -name:spec value */
    struct view name, spec;
    struct view value; /* p is NULL: it has none */
};

static bool listed(const char *const *list, size_t count, struct view name)
{
    for (size_t i = 0; i < count; i++)
        if (view_eq(name, view_of(list[i])))
            return true;
    return false;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

static bool is_switch(struct view name)
{
    return listed(switches, COUNT(switches), name) ||
           (view_starts(name, VIEW("no")) &&
            listed(switches, COUNT(switches), view_skip(name, 2)));
}

/* Reads the option at argv[i]; returns the index of the word behind it. */
static size_t read_option(char *const argv[], size_t i, struct option_word *o)
{
    o->spec = view_of(argv[i] + 1);
    view_split(&o->spec, ':', &o->name);
    o->value = (struct view){ NULL, 0 };
    if (is_switch(o->name) || !argv[i + 1])
        return i + 1;
    o->value = view_of(argv[i + 1]);
    return i + 2;
}

/* ---- the program ------------------------------------------------------------------ */

static struct view base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return view_of(slash ? slash + 1 : path);
}

/* ffmpeg, ffmpeg-6.1, ffmpeg_static, ffmpeg7 */
static bool is_ffmpeg(const char *word)
{
    struct view name = base_name(word);

    if (!view_starts(name, VIEW("ffmpeg")))
        return false;
    name = view_skip(name, 6);
    return name.n == 0 || strchr("-_.0123456789", name.p[0]);
}

static bool find_program(char *const argv[], size_t *index)
{
    *index = 0;
    if (!argv[0])
        return false;
    if (is_ffmpeg(argv[0]))
        return true;
    if (!listed(wrappers, COUNT(wrappers), base_name(argv[0])))
        return false;
    for (size_t i = 1; argv[i]; i++)
        if (is_ffmpeg(argv[i])) {
            *index = i;
            return true;
        }
    return false;
}

/* ---- one output ------------------------------------------------------------------ */

struct reading { /* an output while its options are read */
    struct argument_output *out;
    struct view filters, size, rate, maxrate, minrate;
    bool many; /* settings of single streams: those of the output are not known */
    bool qp;
};

/* The option is about the first video stream: "", "v", "V", "v:0"; *other: about another
 * one of them. */
static bool about_video(struct view spec, bool *other)
{
    if (spec.n == 0)
        return true;
    if (spec.p[0] != 'v' && spec.p[0] != 'V')
        return false;
    if (spec.n == 1 || view_eq(view_skip(spec, 1), VIEW(":0")))
        return true;
    *other = true;
    return false;
}

static void add_param(struct argument_output *out, const char *name, struct view value)
{
    for (size_t i = 0; i < out->param_count; i++)
        if (strcmp(out->params[i].name, name) == 0) {
            out->params[i].value = value;
            return;
        }
    if (value.n && out->param_count < ARGUMENTS_PARAMS_MAX)
        out->params[out->param_count++] = (struct argument_param){ name, value };
}

static double number(struct view text)
{
    char *end;
    double value =
        text.n ? strtod(text.p, &end) : NAN; /* a word of argv: NUL ends it */

    return text.n && end == text.p + text.n && isfinite(value) ? value : NAN;
}

/* Options that fields of a scenario are for. */
static bool take_field(struct reading *r, struct view name, struct view value)
{
    struct argument_output *out = r->out;

    if (view_eq(name, VIEW("c")) || view_eq(name, VIEW("codec")) ||
        view_eq(name, VIEW("vcodec")))
        out->encoder = value;
    else if (view_eq(name, VIEW("preset")))
        out->preset = value;
    else if (view_eq(name, VIEW("b")) || view_eq(name, VIEW("vb")))
        picture_bitrate(value, out->bitrate);
    else if (view_eq(name, VIEW("crf")))
        out->crf = number(value);
    else if (view_eq(name, VIEW("r")))
        r->rate = value;
    else if (view_eq(name, VIEW("s")))
        r->size = value;
    else if (view_eq(name, VIEW("vf")) || view_eq(name, VIEW("filter")))
        r->filters = value;
    else
        return false;
    return true;
}

static void take_param(struct reading *r, struct view name, struct view value)
{
    for (size_t i = 0; i < COUNT(params); i++)
        if (view_eq(name, view_of(params[i].option)))
            add_param(r->out, params[i].param, value);
    if (view_eq(name, VIEW("qp")))
        r->qp = true;
    else if (view_eq(name, VIEW("maxrate")))
        r->maxrate = value;
    else if (view_eq(name, VIEW("minrate")))
        r->minrate = value;
    else if (view_eq(name, VIEW("pass")))
        r->out->two_passes = view_eq(value, VIEW("2"));
}

static void take_option(struct reading *r, const struct option_word *o)
{
    if (!o->value.p)
        return;
    if (about_video(o->spec, &r->many)) {
        if (!take_field(r, o->name, o->value))
            take_param(r, o->name, o->value);
    }
}

/* What governs the rate, where only one thing does. */
static const char *rate_control(const struct reading *r)
{
    const struct argument_output *out = r->out;
    char low[ARGUMENTS_TEXT_MAX], high[ARGUMENTS_TEXT_MAX];

    if (!isnan(out->crf) && !out->bitrate[0] && !r->qp)
        return "crf";
    if (r->qp && isnan(out->crf) && !out->bitrate[0])
        return "qp";
    if (!out->bitrate[0] || !isnan(out->crf) || r->qp)
        return "";
    picture_bitrate(r->minrate, low);
    picture_bitrate(r->maxrate, high);
    return strcmp(low, out->bitrate) == 0 && strcmp(high, out->bitrate) == 0 ? "cbr"
                                                                             : "abr";
}

static void finish_output(struct reading *r)
{
    struct argument_output *out = r->out;

    if (r->filters.n)
        picture_filters(r->filters, out->resolution, &out->fps);
    if (r->size.n)
        picture_size(r->size, out->resolution); /* comes behind all filters */
    if (r->rate.n)
        out->fps = picture_rate(r->rate);
    out->rate_forced = r->rate.n > 0;
    if (r->many) {
        out->encoder = out->preset = (struct view){ NULL, 0 };
        out->bitrate[0] = out->resolution[0] = '\0';
        out->crf = out->fps = NAN;
        out->param_count = 0;
    }
    out->codec = picture_codec(out->encoder);
    out->rate_control = r->many ? "" : rate_control(r);
}

/* The options argv[from … to-1] are those of the output at argv[to]. */
static void read_output(char *const argv[], size_t from, size_t to,
                        struct argument_output *out)
{
    struct reading r = { .out = out };
    struct option_word o;

    *out = (struct argument_output){ .url = view_of(argv[to]), .crf = NAN, .fps = NAN };
    for (size_t i = from; i < to;)
        if (is_option(argv[i]) && strcmp(argv[i], "--") != 0) {
            i = read_option(argv, i, &o);
            take_option(&r, &o);
        } else {
            i++;
        }
    finish_output(&r);
}

static void add_cut(struct arguments *out, const struct option_word *o)
{
    static const char *const cuts[] = { "ss", "t", "to" };
    size_t count = out->output_count < ARGUMENTS_OUTPUTS_MAX ? out->output_count
                                                             : ARGUMENTS_OUTPUTS_MAX;

    for (size_t k = 0; k < COUNT(cuts); k++)
        if (o->value.n && view_eq(o->name, view_of(cuts[k])))
            for (size_t n = 0; n < count; n++)
                add_param(&out->outputs[n], cuts[k], o->value);
}

/* What is cut out of the only input is part of how it was encoded. */
static void add_input_cut(char *const argv[], size_t from, size_t to,
                          struct arguments *out)
{
    struct option_word o;

    for (size_t i = from; i < to;)
        if (is_option(argv[i])) {
            i = read_option(argv, i, &o);
            add_cut(out, &o);
        } else {
            i++;
        }
}

/* Walks the words behind the program; *from, *to: the options of the first input. */
static void read_words(char *const argv[], struct arguments *out, size_t *from,
                       size_t *to)
{
    size_t first = out->program + 1; /* of the options that belong together */
    struct option_word o;

    for (size_t i = first; argv[i];) {
        bool named = strcmp(argv[i], "--") == 0 && argv[i + 1]; /* an output follows */

        if (!is_option(argv[i]) || named) {
            i += named;
            if (out->output_count < ARGUMENTS_OUTPUTS_MAX)
                read_output(argv, first, i, &out->outputs[out->output_count]);
            out->output_count++;
            first = ++i;
            continue;
        }

        size_t next = read_option(argv, i, &o);

        out->progress = out->progress || view_eq(o.name, VIEW("progress"));
        if (view_eq(o.name, VIEW("i")) && o.value.p) {
            out->input = out->input_count++ ? (struct view){ NULL, 0 } : o.value;
            *from = first;
            *to = i;
            first = next;
        }
        i = next;
    }
}

bool arguments_read(char *const argv[], struct arguments *out)
{
    size_t from = 0, to = 0;

    *out = (struct arguments){ 0 };
    if (!find_program(argv, &out->program))
        return false;
    read_words(argv, out, &from, &to);
    if (out->input_count == 1)
        add_input_cut(argv, from, to, out);
    if (out->output_count)
        return true;
    *out = (struct arguments){ 0 };
    return false;
}

struct view arguments_file(struct view url)
{
    size_t scheme = 0;

    if (view_starts(url, VIEW("file:")))
        return view_skip(url, 5);
    while (scheme < url.n && ((url.p[scheme] >= 'a' && url.p[scheme] <= 'z') ||
                              (url.p[scheme] >= 'A' && url.p[scheme] <= 'Z') ||
                              (url.p[scheme] >= '0' && url.p[scheme] <= '9') ||
                              strchr("+-.,", url.p[scheme])))
        scheme++;
    if (view_eq(url, VIEW("-")) || (scheme < url.n && url.p[scheme] == ':'))
        return (struct view){ NULL, 0 };
    return url;
}
