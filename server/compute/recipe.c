#include "server/compute/recipe.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    SIDE_4K = 3840,     /* pixels, of the longer side; */
    LINES_4K = 2160,    /* or of the shorter */
    VMAF_SIDE_MIN = 32, /* libvmaf scales down four times */
};

static const double rates_differ = 0.0005; /* 29.97 and 30 differ by twice as much */
static const double rates_vary = 0.02;
static const double ends_differ_s = 0.5, ends_differ = 0.01;

/* Containers that hold one encode, and no names of other files: no playlists, no scripts of
 * parts (concat), no series of pictures, no devices. */
static const char containers[] = "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mpegts,mpeg,"
                                 "avi,flv,ivf,obu,av1,h264,hevc,vvc,"
                                 "m4v,mpegvideo,yuv4mpegpipe,nut,ogg,mxf,asf,gxf";

/* ---- may they be compared? ----------------------------------------------------------- */

static bool nearly(double a, double b, double apart)
{
    return fabs(a - b) <= apart * fmax(a, b);
}

/* Frames a second of both, as the smallest step between two of the reference's. */
static int common_rate(const struct clip *output, const struct clip *reference,
                       struct clip_rate *rate, struct err *e)
{
    double of_output = clip_rate_of(output->mean);
    double of_reference = clip_rate_of(reference->mean);
    double base = clip_rate_of(reference->base);

    if (isnan(of_output) || isnan(of_reference))
        return err_set(e, -EINVAL, "the frame rate of %s is not known",
                       isnan(of_output) ? "the output" : "the reference");
    *rate = reference->mean;
    if (nearly(base, of_reference, rates_vary))
        *rate = reference->base; /* the mean of a short file is not exact */
    else if (!nearly(base, 2 * of_reference, rates_vary)) /* fields */
        return err_set(e, -EINVAL,
                       "the frame rate of the reference varies (%.3f of %.3f)",
                       of_reference, base);
    if (nearly(of_output, of_reference, rates_differ) ||
        (clip_rate_of(output->base) == base &&
         nearly(of_output, of_reference, rates_vary)))
        return 0;
    return err_set(e, -EINVAL,
                   "frame rates differ: %.3f in the output, %.3f in the reference",
                   of_output, of_reference);
}

static int check_sizes(const struct clip *output, const struct clip *reference,
                       struct err *e)
{
    const struct clip *both[] = { output, reference };

    for (size_t i = 0; i < 2; i++) {
        const char *which = i == 0 ? "output" : "reference";

        if (!both[i]->width || !both[i]->height)
            return err_set(e, -EINVAL, "the size of the %s is not known", which);
        if ((uint64_t)both[i]->width * both[i]->height > RECIPE_PIXELS_MAX)
            return err_set(e, -EINVAL, "the %s is larger than 8192 by 8192", which);
    }
    if (!reference->format)
        return err_set(e, -EINVAL,
                       "pixels of the reference are in no format known here");
    return 0;
}

static int check_lengths(const struct clip *output, const struct clip *reference,
                         struct err *e)
{
    double a = output->duration_s, b = reference->duration_s;

    if (fabs(a - b) >
        fmax(ends_differ_s, ends_differ * fmax(a, b))) /* false with NaN */
        return err_set(e, -EINVAL,
                       "lengths differ: %.3f s of output, %.3f s of reference", a, b);
    return 0;
}

/* ---- filters --------------------------------------------------------------------------- */

static bool is_4k(const struct clip *c)
{
    uint32_t longer = c->width > c->height ? c->width : c->height;
    uint32_t shorter = c->width > c->height ? c->height : c->width;

    return longer >= SIDE_4K || shorter >= LINES_4K;
}

static const char *model_for(const struct clip *output, const struct clip *reference,
                             bool can_vmaf)
{
    /* There is no model of scores for PQ and HLG. */
    if (!can_vmaf || output->wide_range || reference->wide_range ||
        reference->width < VMAF_SIDE_MIN || reference->height < VMAF_SIDE_MIN)
        return NULL;
    return is_4k(reference) ? "vmaf_4k_v0.6.1" : "vmaf_v0.6.1";
}

/*
 * Both inputs begin at 0 and count in frames: containers round times to their own clock
 * (Matroska to milliseconds), and a frame that seems to come a third of a millisecond before
 * its own would be compared with the one before it.
 */
static void write_filters(struct recipe *p, struct clip_rate rate, const char *format,
                          uint32_t threads)
{
    int ways = p->model ? 3 : 2, n;
    char vmaf[256] = "";

    if (p->model)
        snprintf(
            vmaf, sizeof vmaf,
            ";[a3][b3]libvmaf=log_fmt=json:log_path=/proc/self/fd/%d:n_threads=%" PRIu32
            ":model=version=%s:shortest=1[vmaf]",
            RECIPE_VMAF_FD, threads, p->model);
    n = snprintf(p->filters, sizeof p->filters,
                 "[0:v:0]setpts=PTS-STARTPTS,settb=expr=%" PRIu32 "/%" PRIu32
                 ",scale=%" PRIu32 ":%" PRIu32
                 ":flags=bicubic,format=%s,split=%d[a1][a2]%s;"
                 "[1:v:0]setpts=PTS-STARTPTS,settb=expr=%" PRIu32 "/%" PRIu32
                 ",format=%s,split=%d[b1][b2]%s;"
                 "[a1][b1]psnr=stats_file=/proc/self/fd/%d:shortest=1[psnr];"
                 "[a2][b2]ssim=stats_file=/proc/self/fd/%d:shortest=1[ssim]%s",
                 rate.den, rate.num, p->width, p->height, format, ways,
                 p->model ? "[a3]" : "", rate.den, rate.num, format, ways,
                 p->model ? "[b3]" : "", RECIPE_PSNR_FD, RECIPE_SSIM_FD, vmaf);
    (void)n; /* numbers and our own words: they fit */
}

static double peak_of(const char *format)
{
    return strstr(format, "10le") ? 1023 : strstr(format, "12le") ? 4095 : 255;
}

int recipe_make(const struct clip *output, const struct clip *reference, bool can_vmaf,
                uint32_t threads, struct recipe *out, struct err *e)
{
    struct clip_rate rate = { 0, 0 };
    int rc = check_sizes(output, reference, e);

    if (rc == 0)
        rc = common_rate(output, reference, &rate, e);
    if (rc == 0)
        rc = check_lengths(output, reference, e);
    if (rc < 0)
        return rc;
    *out = (struct recipe){
        .model = model_for(output, reference, can_vmaf),
        .width = reference->width,
        .height = reference->height,
        .peak = peak_of(reference->format),
        .frames = fmax(output->duration_s, reference->duration_s) *
                  fmax(clip_rate_of(rate), clip_rate_of(output->mean)),
    };
    write_filters(out, rate, reference->format, threads);
    return 0;
}

/* ---- commands --------------------------------------------------------------------------- */

static void add(struct recipe_command *c, const char *word)
{
    c->argv[c->count++] = word;
}

static void add_all(struct recipe_command *c, const char *const words[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        add(c, words[i]);
}

#define ADD(c, ...)                                                                    \
    add_all(c, (const char *const[]){ __VA_ARGS__ },                                   \
            sizeof(const char *const[]){ __VA_ARGS__ } / sizeof(const char *))

static void begin(struct recipe_command *c, const char *program, uint32_t threads)
{
    *c = (struct recipe_command){ .count = 0 };
    snprintf(c->threads, sizeof c->threads, "%" PRIu32, threads);
    snprintf(c->pixels, sizeof c->pixels, "%d", RECIPE_PIXELS_MAX);
    add(c, program);
}

static void add_input(struct recipe_command *c, const char *file)
{
    ADD(c, "-protocol_whitelist", "file,pipe", "-format_whitelist", containers,
        "-max_pixels", c->pixels, "-threads", c->threads, "-an", "-sn", "-dn", "-i",
        file);
}

void recipe_compare(const struct recipe *p, const char *program, uint32_t threads,
                    struct recipe_command *out)
{
    begin(out, program, threads);
    ADD(out, "-nostdin", "-hide_banner", "-v", "error");
    add_input(out, "/proc/self/fd/3");
    add_input(out, "/proc/self/fd/4");
    ADD(out, "-filter_complex_threads", out->threads, "-filter_complex", p->filters);
    ADD(out, "-map", "[psnr]", "-f", "null", "-", "-map", "[ssim]", "-f", "null", "-");
    if (p->model)
        ADD(out, "-map", "[vmaf]", "-f", "null", "-");
    add(out, NULL);
}

void recipe_probe(const char *program, struct recipe_command *out)
{
    begin(out, program, 1);
    ADD(out, "-hide_banner", "-v", "error", "-protocol_whitelist", "file,pipe",
        "-format_whitelist", containers, "-select_streams", "v:0", "-show_entries",
        clip_entries, "-of", "json", "/proc/self/fd/3", NULL);
}

void recipe_list_filters(const char *program, struct recipe_command *out)
{
    begin(out, program, 1);
    ADD(out, "-nostdin", "-hide_banner", "-v", "error", "-filters", NULL);
}

bool recipe_lists_vmaf(struct view answer)
{
    struct view line, word;

    while (view_split(&answer, '\n', &line)) {
        line = view_trim(line); /* " .. libvmaf           VV->V      Calculate …" */
        view_split(&line, ' ', &word);
        line = view_trim(line);
        if (line.p && view_split(&line, ' ', &word) && view_eq(word, VIEW("libvmaf")))
            return true;
    }
    return false;
}
