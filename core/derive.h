/*
 * derive.h - what a results file says → the figures that all modules share.
 *
 * Numbers that the file does not say are NaN. Every rule names its order: the first
 * that applies counts.
 */
#ifndef CORE_DERIVE_H
#define CORE_DERIVE_H

#include "core/scenario.h"

/* Values at equal distances in time; a missing one is NaN. */
struct samples {
    const double *v;
    size_t n;
};

struct derive_output { /* one entry of an output ladder */
    double width, height, fps;
};

struct derive_input {
    double duration_s, start_s, end_s, media_seconds;
    double fps, width, height;
    double bitrate_bps, actual_bitrate_bps;
    double streams, viewers; /* whole, as given */
    double streams_named;    /* as the name tells; 0: it does not */
    const struct derive_output *outputs;
    size_t output_count;

    double step_s;
    bool series_of_means; /* each sample is the mean of its interval */
    struct samples power_w, gpu_power_w, cpu_cores, gpu_cores;

    double energy_j, cpu_core_seconds, pixels_processed;
    double power_mean_w, power_stdev_w, power_total_j, gpu_power_mean_w;
    double power_median_w; /* read and checked; no figure rests on it */
    double container_cpu_percent, docker_cpu_percent;
    double host_cores;

    double vmaf, psnr_db, ssim, quality_s;
    double vmaf_harmonic_mean, vmaf_min, vmaf_p1, vmaf_p5, psnr_min_db;
    double avg_fps, dropped_frames, total_frames;
    double crf, passes, vmaf_width, vmaf_height;
    double exit_status; /* of the command that encoded; no figure rests on it */
    bool is_baseline;
};

/* Everything unknown. */
struct derive_input derive_input_unknown(void);

/* All of *out. */
void derive_facts(const struct derive_input *in, struct facts *out);

/*
 * What follows from figures that are known, where it is not known itself: content of the
 * duration, pixels of the content, energies of mean powers, their sum, mean powers of
 * energies, what figures rest on, the share of the container engine. The last step of
 * derive_facts(), and of whatever puts a measurement in the place of what was unknown.
 */
void facts_complete(struct facts *f);

/* ---- the pieces, for tests and for sources that measure --------------------------- */

/*
 * Σ x·dt of a series, in x's unit times seconds: watts → joules, cores → core-seconds.
 *
 * Missing samples between two others count as the straight line between them; at either
 * end they are cut off. Values at instants: trapezoid rule, n samples bound n - 1
 * intervals; a lone sample bounds none and is taken to hold for one step. Means of
 * intervals: each times its step, where the last one of the series lasts for what is
 * left of the duration if that is less (duration_s NaN: a whole step).
 *
 * No sample: NaN. *covered_s: the time the sum is over; NULL is accepted.
 */
double series_total(struct samples s, double step_s, bool of_means, double duration_s,
                    double *covered_s);

/* Arithmetic mean of the samples that exist; NaN: there are none. */
double series_mean(struct samples s);

/* Sample standard deviation (n - 1) of those that exist; NaN below two. */
double series_stdev(struct samples s);

/*
 * SSIM as a ratio. Values above 1 are decibels, as ffmpeg's ssim filter prints beside
 * the ratio: dB = -10·log10(1 - ratio), so ratio = 1 - 10^(-dB / 10).
 */
double ssim_ratio(double ssim);

#endif
