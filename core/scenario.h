/*
 * scenario.h - one encode, as its results file tells it, with its shared figures.
 *
 * A scenario never changes once it is made. It is one block of memory with a count of
 * holders, so that a rewritten file takes over the scenarios whose bytes stayed the
 * same instead of parsing and computing them again: equal pointers are equal scenarios.
 *
 * Numbers that are not known are NaN, texts that are not known are empty.
 */
#ifndef CORE_SCENARIO_H
#define CORE_SCENARIO_H

#include "core/view.h"

#include <stdatomic.h>
#include <stdint.h>

/* What an energy figure rests on: values of the label `energy` of cost_basis_info. */
enum energy_basis {
    ENERGY_NONE,
    ENERGY_SAMPLES,         /* a power series that covers the duration */
    ENERGY_SAMPLES_PARTIAL, /* one that covers less than 90 % of it */
    ENERGY_REPORTED,        /* a total or a mean that the file states */
    ENERGY_UPSTREAM,        /* the machine's, asked from a time series database */
    ENERGY_UPSTREAM_SHARED, /* its part of that: others ran at the same time */
    ENERGY_SAMPLER,         /* the machine's, measured by this process */
    ENERGY_SAMPLER_SHARED,
    ENERGY_ESTIMATED, /* from the use of cores, by the user's own figures */
};
const char *energy_basis_name(enum energy_basis b); /* "samples" … */

/* The same for compute: the label `compute`. */
enum compute_basis {
    COMPUTE_NONE,
    COMPUTE_USAGE,
    COMPUTE_USAGE_PARTIAL,
    COMPUTE_REPORTED,
    COMPUTE_UPSTREAM,
    COMPUTE_SAMPLER,
    COMPUTE_WALL_CLOCK, /* the duration is known, the use of cores is not */
};
const char *compute_basis_name(enum compute_basis b);

/* How a scenario stands that has no end in its file. */
enum scenario_state {
    SCENARIO_TOLD,    /* the file tells all there is */
    SCENARIO_RUNNING, /* duration and all that grows with it are so far */
    SCENARIO_STALLED, /* runs, and has told nothing new for some time */
    SCENARIO_ENDED,   /* its encoder said that it ends, which is no success yet */
    SCENARIO_ABORTED, /* was running, and gave no sign of life any more, or was cut off */
};

/* As it is told to others; NULL: SCENARIO_TOLD. */
static inline const char *scenario_state_name(enum scenario_state s)
{
    return s == SCENARIO_RUNNING   ? "running"
           : s == SCENARIO_STALLED ? "stalled"
           : s == SCENARIO_ENDED   ? "ended"
           : s == SCENARIO_ABORTED ? "aborted"
                                   : NULL;
}

/* True if its duration still grows. */
static inline bool scenario_runs(enum scenario_state s)
{
    return s == SCENARIO_RUNNING || s == SCENARIO_STALLED;
}

/* The shared figures: computed by derive.c when the scenario is parsed, and by measured.c
 * again when something is measured of it. */
struct facts {
    double duration_s;    /* wall time of the encode */
    double content_s;     /* length of what was encoded */
    double width, height; /* of the single resolution, pixels */
    double fps;
    double bitrate_bps;        /* asked for */
    double actual_bitrate_bps; /* came out */
    double streams, viewers;   /* never NaN, at least 1 */

    double cpu_energy_j, gpu_energy_j, energy_j;
    double mean_cpu_power_w;
    double mean_power_w; /* CPU and GPU */
    double gpu_mean_power_w;
    double power_stdev_w;
    double core_seconds, gpu_core_seconds;
    double cpu_percent; /* mean CPU use, % of one core */
    double docker_cpu_percent, docker_overhead_w;
    double pixels, pixels_per_s; /* of content; for one whose content is not over */

    /* The least time that one of the series covers which energy and core-seconds rest
       on; NaN: they rest on none. */
    double power_covered_s, cores_covered_s;

    double avg_fps, dropped_frames, total_frames; /* as given */
    double vmaf, psnr_db, ssim;                   /* PSNR may be +Inf */
    double quality_s; /* time that measuring the quality took */
    double vmaf_harmonic_mean, vmaf_min, vmaf_p1, vmaf_p5, psnr_min_db;
    double crf, passes, vmaf_width, vmaf_height;
    double host_cores; /* cores of the machine it ran on */

    enum energy_basis energy_basis;
    enum compute_basis compute_basis;
    bool whole_stated; /* energy_j stands in the file and is no sum */
};

struct param {
    struct view key, value;
};

struct scenario {
    atomic_uint refs;
    uint64_t hash[2];     /* of its bytes in the file and of what they inherit */
    uint64_t identity[2]; /* filled by scenario_new(); see scenario_identity() */

    struct view name; /* never empty */

    /* Label values. Those with a default in the contract are never empty. */
    struct view bitrate, resolution, fps;
    struct view streams;       /* default "1" */
    struct view output_ladder; /* default resolution@fps, then "unknown" */
    struct view encoder;       /* default "h264" */
    struct view encoder_type;  /* default "cpu" or "gpu" */
    struct view preset;        /* default "veryfast" */
    struct view region;        /* of the scenario, else of its file, else empty */
    bool encoder_given, preset_given; /* a default is a label, never a fact */
    bool is_baseline;                 /* the name holds "baseline" or "idle" */

    struct view codec, source, host, cpu_model, gpu_model;
    struct view rate_control, vmaf_model, transfer;
    struct view reference, output; /* paths, relative to the results directory */
    const struct param *params;    /* in the order of the file */
    uint32_t param_count;          /* at most SCENARIO_PARAMS_MAX */

    double start_s, end_s; /* Unix time */
    struct facts facts;
    enum scenario_state state;
    /* How its encode stands by its progress, whatever the file tells; aborted where the file
       tells that its command failed; SCENARIO_TOLD: neither is known. */
    enum scenario_state watched;
    const struct scenario *as_told; /* as parsed, where a measurement is in its facts
                                       (core/measured.h); one reference. NULL: is it */
};

/* How its encode stands: by its progress, else by its file; SCENARIO_TOLD: the file tells all
 * there is, and nobody watches it. */
static inline enum scenario_state scenario_stands(const struct scenario *s)
{
    return s->watched != SCENARIO_TOLD ? s->watched : s->state;
}

enum { SCENARIO_PARAMS_MAX = 16 };

/*
 * A copy of *from, which the caller builds wherever it likes, in one block of its own
 * with all its texts and params; takes the reference in as_told, if any. One reference,
 * for the caller.
 */
struct scenario *scenario_new(const struct scenario *from);

/* Any thread. The const is cast away for the count alone. */
const struct scenario *scenario_ref(const struct scenario *s);
void scenario_unref(const struct scenario *s); /* NULL is accepted */

/* The scenario as its file tells it: s, or the one that it was measured from. Borrowed. */
const struct scenario *scenario_told(const struct scenario *s);

/* The same number, if it can be a Unix time; else NaN. Some writers count seconds from
 * the start of the test or milliseconds: what lies before 2001-09-09 or after the year
 * 5138 is none. */
double scenario_unix_time(double s);

#endif
