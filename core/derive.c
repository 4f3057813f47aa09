/*
 * derive.c - the rules by which shared figures follow from what a file says.
 *
 * Unknown is NaN, and NaN passes through every formula, so a figure is known exactly
 * when all that it needs is known. Zero is a value like others, except as a
 * denominator, where it makes the ratio unknown.
 */
#include "core/derive.h"

#include <assert.h>
#include <math.h>

static const double default_step_s = 5; /* of a file that does not tell its step */

/* A series that covers less of the duration is "partial". */
static const double full_cover = 0.9;

/* ---- series --------------------------------------------------------------------- */

/* First and last sample that exist; false: none does. */
static bool ends(struct samples s, size_t *first, size_t *last)
{
    size_t i = 0, n = s.n;

    while (i < n && isnan(s.v[i]))
        i++;
    while (n > i && isnan(s.v[n - 1]))
        n--;
    if (i == n)
        return false;
    *first = i;
    *last = n - 1;
    return true;
}

double series_total(struct samples s, double step_s, bool of_means, double duration_s,
                    double *covered_s)
{
    size_t first, last;
    double sum = 0, covered = 0; /* in steps until the end */
    double last_weight = 1;

    if (covered_s)
        *covered_s = NAN;
    if (!ends(s, &first, &last))
        return NAN;
    if (of_means) {
        double left = duration_s / step_s - (double)last;

        if (left < 1) /* NaN is not */
            last_weight = left > 0 ? left : 0;
    }
    for (size_t i = first; i <= last;) {
        size_t next = i + 1;
        double weight = i == last ? last_weight : 1;

        if (!of_means && first != last)
            weight = i == first || i == last ? 0.5 : 1;
        sum += s.v[i] * weight;
        covered += weight;
        while (next <= last && isnan(s.v[next]))
            next++;

        /* The missing ones lie on a line: their mean is that of its two ends. */
        double missing = (double)(next - i - 1);

        if (next <= last && missing > 0) {
            sum += missing * (s.v[i] + s.v[next]) / 2;
            covered += missing;
        }
        i = next;
    }
    if (covered_s)
        *covered_s = covered * step_s;
    return sum * step_s;
}

double series_mean(struct samples s)
{
    double sum = 0;
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (!isnan(s.v[i])) {
            sum += s.v[i];
            n++;
        }
    }
    return n ? sum / (double)n : NAN;
}

double series_stdev(struct samples s)
{
    double mean = series_mean(s), squares = 0;
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (!isnan(s.v[i])) {
            squares += (s.v[i] - mean) * (s.v[i] - mean);
            n++;
        }
    }
    return n >= 2 ? sqrt(squares / (double)(n - 1)) : NAN;
}

double ssim_ratio(double ssim)
{
    return ssim > 1 ? 1 - pow(10, -ssim / 10) : ssim;
}

/* ---- one scenario --------------------------------------------------------------- */

static double first_known(double a, double b)
{
    return isnan(a) ? b : a;
}

static double ratio(double a, double b)
{
    return b == 0 ? NAN : a / b;
}

/* Unknown counts as 1, too. */
static double at_least_1(double v)
{
    return v > 1 ? v : 1;
}

/* a + b, of which b may be unknown. */
static double with(double a, double b)
{
    return isnan(b) ? a : a + b;
}

static double duration_s(const struct derive_input *in)
{
    if (in->duration_s > 0)
        return in->duration_s;
    if (in->end_s - in->start_s > 0)
        return in->end_s - in->start_s;
    return NAN;
}

/* The sum of a series and the time that it covers; both NaN: there is none. */
struct total {
    double value, covered_s;
};

static struct total total_of(const struct derive_input *in, struct samples s,
                             double duration)
{
    double step = in->step_s > 0 ? in->step_s : default_step_s;
    struct total t;

    t.value = series_total(s, step, in->series_of_means, duration, &t.covered_s);
    return t;
}

static void read_energy(const struct derive_input *in, struct facts *f)
{
    struct total cpu = total_of(in, in->power_w, f->duration_s);
    struct total gpu = total_of(in, in->gpu_power_w, f->duration_s);
    bool sampled = isnan(in->power_total_j) && !isnan(cpu.value);

    /* The total that the file states; its series. */
    f->cpu_energy_j = first_known(in->power_total_j, cpu.value);
    f->gpu_energy_j = gpu.value;
    f->energy_j = in->energy_j; /* the whole, GPU included */
    f->whole_stated = !isnan(in->energy_j);
    f->energy_basis = sampled ? ENERGY_SAMPLES : ENERGY_REPORTED;
    f->power_covered_s = fmin(sampled ? cpu.covered_s : NAN, gpu.covered_s);
    if (f->whole_stated) {
        f->energy_basis = ENERGY_REPORTED;
        f->power_covered_s = NAN;
    }

    /* Mean of the series; the mean that the file states. */
    f->mean_cpu_power_w = first_known(series_mean(in->power_w), in->power_mean_w);
    f->gpu_mean_power_w =
        first_known(series_mean(in->gpu_power_w), in->gpu_power_mean_w);
    f->power_stdev_w = series_stdev(in->power_w);
}

static void read_compute(const struct derive_input *in, struct facts *f)
{
    struct total cpu = total_of(in, in->cpu_cores, f->duration_s);
    struct total gpu = total_of(in, in->gpu_cores, f->duration_s);
    bool sampled = isnan(in->cpu_core_seconds);

    f->gpu_core_seconds = gpu.value;
    f->core_seconds = first_known(in->cpu_core_seconds, cpu.value);
    f->compute_basis = sampled ? COMPUTE_USAGE : COMPUTE_REPORTED;
    f->cores_covered_s = fmin(sampled ? cpu.covered_s : NAN, gpu.covered_s);

    /* Percent of one core. */
    f->cpu_percent =
        first_known(100 * series_mean(in->cpu_cores), in->container_cpu_percent);
}

/* Sums of decimal steps may miss the limit by some units in the last place. */
static bool partial(double covered_s, double duration_s)
{
    return covered_s < full_cover * duration_s * (1 - 1e-9);
}

static void name_bases(struct facts *f)
{
    if (isnan(f->energy_j))
        f->energy_basis = ENERGY_NONE;
    else if (f->energy_basis == ENERGY_NONE)
        f->energy_basis = ENERGY_REPORTED; /* of means that the file states */
    if ((f->energy_basis == ENERGY_SAMPLES || f->energy_basis == ENERGY_REPORTED) &&
        partial(f->power_covered_s, f->duration_s))
        f->energy_basis = ENERGY_SAMPLES_PARTIAL;

    if (isnan(f->core_seconds))
        f->compute_basis = isnan(f->duration_s) ? COMPUTE_NONE : COMPUTE_WALL_CLOCK;
    if ((f->compute_basis == COMPUTE_USAGE || f->compute_basis == COMPUTE_REPORTED) &&
        partial(f->cores_covered_s, f->duration_s))
        f->compute_basis = COMPUTE_USAGE_PARTIAL;
}

void facts_complete(struct facts *f)
{
    /* A real-time encode; pixels at the rate of its sizes. */
    f->content_s = first_known(f->content_s, f->duration_s);
    f->pixels = first_known(f->pixels, f->pixels_per_s * f->content_s);

    /* Means over the duration; the whole is the sum. */
    f->cpu_energy_j = first_known(f->cpu_energy_j, f->mean_cpu_power_w * f->duration_s);
    f->gpu_energy_j = first_known(f->gpu_energy_j, f->gpu_mean_power_w * f->duration_s);
    if (!f->whole_stated)
        f->energy_j = with(f->cpu_energy_j, f->gpu_energy_j);

    /* Energy over time. */
    f->mean_cpu_power_w =
        first_known(f->mean_cpu_power_w, ratio(f->cpu_energy_j, f->duration_s));
    f->mean_power_w = isnan(f->mean_cpu_power_w)
                          ? ratio(f->energy_j, f->duration_s)
                          : with(f->mean_cpu_power_w, f->gpu_mean_power_w);
    name_bases(f);

    /* The container engine's share of the machine's capacity, of the CPU's power. */
    f->docker_overhead_w =
        ratio(f->docker_cpu_percent, 100 * f->host_cores) * f->mean_cpu_power_w;
}

/* Pixels per second of content: Σ width·height·fps over the outputs, if all of them tell
 * size and rate; the same of the single resolution. */
static double pixels_per_s(const struct derive_input *in)
{
    double rate = 0;

    for (size_t i = 0; i < in->output_count; i++)
        rate += in->outputs[i].width * in->outputs[i].height * in->outputs[i].fps;
    if (in->output_count == 0 || isnan(rate))
        rate = in->width * in->height * in->fps;
    return rate;
}

/* Scores of what encoded nothing are no measurement. */
static bool scores_mean_nothing(const struct derive_input *in)
{
    return in->is_baseline || in->total_frames == 0 || in->bitrate_bps == 0 ||
           in->width == 0 || in->height == 0;
}

static void derive_quality(const struct derive_input *in, struct facts *f)
{
    f->quality_s = in->quality_s;
    if (scores_mean_nothing(in)) {
        f->vmaf = f->psnr_db = f->ssim = NAN;
        f->vmaf_harmonic_mean = f->vmaf_min = f->vmaf_p1 = f->vmaf_p5 = NAN;
        f->psnr_min_db = NAN;
        return;
    }
    f->vmaf = in->vmaf;
    f->psnr_db = in->psnr_db;
    f->ssim = ssim_ratio(in->ssim);
    f->vmaf_harmonic_mean = in->vmaf_harmonic_mean;
    f->vmaf_min = in->vmaf_min;
    f->vmaf_p1 = in->vmaf_p1;
    f->vmaf_p5 = in->vmaf_p5;
    f->psnr_min_db = in->psnr_min_db;
}

void derive_facts(const struct derive_input *in, struct facts *out)
{
    struct facts f = {
        .duration_s = duration_s(in),
        .width = in->width,
        .height = in->height,
        .fps = in->fps,
        .bitrate_bps = in->bitrate_bps,
        .actual_bitrate_bps = in->actual_bitrate_bps,
        .avg_fps = in->avg_fps,
        .dropped_frames = in->dropped_frames,
        .total_frames = in->total_frames,
        .crf = in->crf,
        .passes = in->passes,
        .vmaf_width = in->vmaf_width,
        .vmaf_height = in->vmaf_height,
        .docker_cpu_percent = in->docker_cpu_percent,
        .host_cores = in->host_cores,
    };

    /* What was encoded: its stated length; frames over rate. */
    f.content_s = first_known(in->media_seconds, ratio(in->total_frames, in->fps));
    f.streams = at_least_1(first_known(in->streams, in->streams_named));
    f.viewers = at_least_1(first_known(in->viewers, f.streams));
    f.pixels = in->pixels_processed > 0 ? in->pixels_processed : NAN;
    f.pixels_per_s = pixels_per_s(in);
    read_energy(in, &f);
    read_compute(in, &f);
    derive_quality(in, &f);
    facts_complete(&f);
    assert(f.streams >= 1 && f.viewers >= 1);
    *out = f;
}

struct derive_input derive_input_unknown(void)
{
    return (struct derive_input){
        .duration_s = NAN,
        .start_s = NAN,
        .end_s = NAN,
        .media_seconds = NAN,
        .fps = NAN,
        .width = NAN,
        .height = NAN,
        .bitrate_bps = NAN,
        .actual_bitrate_bps = NAN,
        .streams = NAN,
        .viewers = NAN,
        .step_s = NAN,
        .energy_j = NAN,
        .cpu_core_seconds = NAN,
        .pixels_processed = NAN,
        .power_mean_w = NAN,
        .power_stdev_w = NAN,
        .power_median_w = NAN,
        .power_total_j = NAN,
        .gpu_power_mean_w = NAN,
        .container_cpu_percent = NAN,
        .docker_cpu_percent = NAN,
        .host_cores = NAN,
        .vmaf = NAN,
        .psnr_db = NAN,
        .ssim = NAN,
        .quality_s = NAN,
        .vmaf_harmonic_mean = NAN,
        .vmaf_min = NAN,
        .vmaf_p1 = NAN,
        .vmaf_p5 = NAN,
        .psnr_min_db = NAN,
        .avg_fps = NAN,
        .dropped_frames = NAN,
        .exit_status = NAN,
        .total_frames = NAN,
        .crf = NAN,
        .passes = NAN,
        .vmaf_width = NAN,
        .vmaf_height = NAN,
    };
}
