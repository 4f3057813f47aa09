/*
 * results.c - the figures of an encode, and how they compare with its run's baseline.
 *
 * The derived quantities themselves are made once per scenario with its facts; here
 * they only get their names and, where a family is a ratio or a difference, are put
 * together. A ratio whose denominator is 0 or unknown is left out. The baseline's own
 * differences are 0.
 */
#include "modules/results/results.h"
#include "modules/results/params.h"

#include "core/scenario_labels.h"

#include <math.h>

#define JOULES_PER_WH   3600.0 /* exact: 1 W for 3600 s */
#define SECONDS_PER_MIN 60.0
#define BPS_PER_MBPS    1e6
#define MILLI_PER_UNIT  1e3
#define NS_PER_S        1000000000

enum result {
    UP,
    SCENARIOS,
    INFO,
    LAST_RUN,
    RUN_FILE_MTIME,
    DURATION,
    MEAN_POWER,
    MEASURED_POWER,
    POWER_STDEV,
    ENERGY_JOULES,
    ENERGY_WH,
    WH_PER_MIN,
    WH_PER_MBPS,
    MJ_PER_FRAME,
    CPU_PERCENT,
    DOCKER_OVERHEAD,
    NET_POWER,
    NET_ENERGY,
    NET_CPU_PERCENT,
    DELTA_POWER,
    DELTA_ENERGY,
    POWER_INCREASE,
    EFFICIENCY,
    MBPS_PER_WATT,
    ENERGY_SOURCE,
    STATE,
    ENERGY_SO_FAR,
    PARAMS,
    PIXELS,
    AVG_FPS,
    DROPPED_FRAMES,
    TOTAL_FRAMES,
    VMAF,
    PSNR,
    SSIM,
    FAMILY_COUNT,
};

static const struct family families[FAMILY_COUNT] = {
    [UP] = { "results_exporter_up",
             "1; 0 while the newest results file cannot be read or parsed", GAUGE },
    [SCENARIOS] = { "results_scenarios_total", "Number of scenarios served", GAUGE },
    [INFO] = { "results_exporter_info",
               "Version and language of the exporter; always 1", GAUGE },
    [LAST_RUN] = { "results_last_run_timestamp_seconds",
                   "When the newest run served ended, as its file says, else when that "
                   "file was last modified; Unix time in seconds",
                   GAUGE },
    [RUN_FILE_MTIME] = { "results_run_file_mtime_seconds",
                         "When the file of a run was last modified, in the "
                         "version that is served; Unix time in seconds",
                         GAUGE },
    [DURATION] = { "results_scenario_duration_seconds",
                   "Wall time of the encode in seconds", GAUGE },
    [MEAN_POWER] = { "results_scenario_mean_power_watts",
                     "Mean power of CPU and GPU during the encode, in watts", GAUGE },
    [MEASURED_POWER] = { "results_scenario_measured_power_watts",
                         "Mean power of the CPU during the encode, in watts", GAUGE },
    [POWER_STDEV] = { "results_scenario_power_stdev",
                      "Sample standard deviation of the CPU power, in watts", GAUGE },
    [ENERGY_JOULES] = { "results_scenario_total_energy_joules",
                        "Energy the encode used, CPU and GPU, in joules", GAUGE },
    [ENERGY_WH] = { "results_scenario_total_energy_wh",
                    "Energy the encode used, CPU and GPU, in watt-hours", GAUGE },
    [WH_PER_MIN] = { "results_scenario_energy_wh_per_min",
                     "Watt-hours used per minute of the encode", GAUGE },
    [WH_PER_MBPS] = { "results_scenario_energy_wh_per_mbps",
                      "Watt-hours used per Mbit/s of the bit rate asked for", GAUGE },
    [MJ_PER_FRAME] = { "results_scenario_energy_mj_per_frame",
                       "Energy per frame in millijoules", GAUGE },
    [CPU_PERCENT] = { "results_scenario_container_cpu_percent",
                      "Mean CPU use in percent of one core", GAUGE },
    [DOCKER_OVERHEAD] = { "results_scenario_estimated_docker_overhead_watts",
                          "Estimated power of the container engine: its share of the "
                          "host's cores times mean CPU power, in watts",
                          GAUGE },
    [NET_POWER] = { "results_scenario_net_power_watts",
                    "Mean power minus that of the run's baseline, in watts", GAUGE },
    [NET_ENERGY] = { "results_scenario_net_energy_wh",
                     "Energy minus that of the run's baseline, in watt-hours", GAUGE },
    [NET_CPU_PERCENT] = { "results_scenario_net_container_cpu_percent",
                          "Mean CPU use minus that of the run's baseline, in percent "
                          "of "
                          "one core",
                          GAUGE },
    [DELTA_POWER] = { "results_scenario_delta_power_watts",
                      "Difference of mean power to the run's baseline, in watts",
                      GAUGE },
    [DELTA_ENERGY] = { "results_scenario_delta_energy_wh",
                       "Difference of energy to the run's baseline, in watt-hours",
                       GAUGE },
    [POWER_INCREASE] = { "results_scenario_power_pct_increase",
                         "Difference of mean power to the run's baseline, in percent "
                         "of "
                         "the baseline's",
                         GAUGE },
    [EFFICIENCY] = { "results_scenario_efficiency_score", "Pixels encoded per joule",
                     GAUGE },
    [MBPS_PER_WATT] = { "results_scenario_throughput_mbps_per_watt",
                        "Mbit/s asked for, times streams, per watt of mean power",
                        GAUGE },
    [ENERGY_SOURCE] = { "results_scenario_energy_source_info",
                        "What the energy of the encode rests on; always 1", GAUGE },
    [STATE] = { "encode_state",
                "1 for the state of an encode that is watched, or whose file does not "
                "tell its end, 0 for the others",
                GAUGE },
    [ENERGY_SO_FAR] = { "encode_energy_joules_so_far",
                        "Energy in joules that an encode used so far, or in all once "
                        "it "
                        "ended, where its state is known",
                        GAUGE },
    [PARAMS] = { "results_scenario_params_info",
                 "Parameters of the encode, one label each; always 1", GAUGE },
    [PIXELS] = { "results_scenario_total_pixels", "Pixels encoded, over all outputs",
                 GAUGE },
    [AVG_FPS] = { "results_scenario_avg_fps",
                  "Mean frames encoded per second, as reported", GAUGE },
    [DROPPED_FRAMES] = { "results_scenario_dropped_frames",
                         "Number of frames dropped, as reported", GAUGE },
    [TOTAL_FRAMES] = { "results_scenario_total_frames",
                       "Number of frames encoded, as reported", GAUGE },
    [VMAF] = { "results_scenario_vmaf_score",
               "VMAF of the encode; 0 is worst, newer models may pass 100", GAUGE },
    [PSNR] = { "results_scenario_psnr_score",
               "Peak signal-to-noise ratio of the encode in dB; +Inf where identical",
               GAUGE },
    [SSIM] = { "results_scenario_ssim_score",
               "Structural similarity of the encode, 0 to 1", GAUGE },
};

struct results {
    const char *version;
};

static int configure(void *config, const struct module_context *ctx, struct err *e)
{
    struct results *r = config;

    (void)e;
    r->version = ctx->version;
    return 0;
}

static void add_with(const struct place *at, enum result family, const char *label,
                     const char *text, double value, struct series *out)
{
    struct labels l = scenario_labels(at, out);

    labels_add(out, &l, label, view_of(text));
    series_add(out, family, l, value);
}

/* a / b; unknown where b is 0, unknown or (by a fault elsewhere) negative. */
static double per(double a, double b)
{
    return b > 0 ? a / b : NAN;
}

static void add_against_baseline(const struct facts *f, const struct facts *base,
                                 struct labels l, struct series *out)
{
    double power_w = f->mean_power_w - base->mean_power_w;
    double energy_wh = (f->energy_j - base->energy_j) / JOULES_PER_WH;

    series_add(out, NET_POWER, l, power_w);
    series_add(out, NET_ENERGY, l, energy_wh);
    series_add(out, NET_CPU_PERCENT, l, f->cpu_percent - base->cpu_percent);
    series_add(out, DELTA_POWER, l, power_w);
    series_add(out, DELTA_ENERGY, l, energy_wh);
    series_add(out, POWER_INCREASE, l, per(100 * power_w, base->mean_power_w));
}

/* In two parts: as one number the nanoseconds of today are more than a double holds. */
static double seconds(int64_t ns)
{
    int64_t whole = ns / NS_PER_S;

    return (double)whole + (double)(ns - whole * NS_PER_S) / NS_PER_S;
}

static void per_run(const void *config, const struct run *run, int64_t mtime_ns,
                    struct series *out)
{
    struct labels l = labels_open(out);

    (void)config;
    labels_add(out, &l, "run_id", run->id);
    series_add(out, RUN_FILE_MTIME, l, seconds(mtime_ns));
}

static void add_state(const struct place *at, struct series *out)
{
    enum scenario_state state = scenario_stands(at->s);

    if (state == SCENARIO_TOLD)
        return;
    for (int i = SCENARIO_RUNNING; i <= SCENARIO_ABORTED; i++)
        add_with(at, STATE, "state", scenario_state_name((enum scenario_state)i),
                 (int)state == i, out);
}

static void per_scenario(const void *config, const struct place *at, struct series *out)
{
    const struct facts *f = &at->s->facts;
    struct labels l = scenario_labels(at, out);
    double energy_wh = f->energy_j / JOULES_PER_WH;
    double mbps = f->bitrate_bps / BPS_PER_MBPS;
    double frames = isnan(f->total_frames) ? f->fps * f->content_s : f->total_frames;

    (void)config;
    series_add(out, DURATION, l, f->duration_s);
    series_add(out, MEAN_POWER, l, f->mean_power_w);
    series_add(out, MEASURED_POWER, l, f->mean_cpu_power_w);
    series_add(out, POWER_STDEV, l, f->power_stdev_w);
    series_add(out, ENERGY_JOULES, l, f->energy_j);
    series_add(out, ENERGY_WH, l, energy_wh);
    series_add(out, WH_PER_MIN, l, per(energy_wh * SECONDS_PER_MIN, f->duration_s));
    series_add(out, WH_PER_MBPS, l, per(energy_wh, mbps));
    series_add(out, MJ_PER_FRAME, l, per(f->energy_j * MILLI_PER_UNIT, frames));
    series_add(out, CPU_PERCENT, l, f->cpu_percent);
    series_add(out, DOCKER_OVERHEAD, l, f->docker_overhead_w);
    if (at->baseline)
        add_against_baseline(f, &at->baseline->facts, l, out);
    series_add(out, EFFICIENCY, l, per(f->pixels, f->energy_j));
    series_add(out, MBPS_PER_WATT, l, per(mbps * f->streams, f->mean_power_w));
    series_add(out, PIXELS, l, f->pixels);
    series_add(out, AVG_FPS, l, f->avg_fps);
    series_add(out, DROPPED_FRAMES, l, f->dropped_frames);
    series_add(out, TOTAL_FRAMES, l, f->total_frames);
    series_add(out, VMAF, l, f->vmaf);
    series_add(out, PSNR, l, f->psnr_db);
    series_add(out, SSIM, l, f->ssim);

    if (!isnan(f->energy_j))
        add_with(at, ENERGY_SOURCE, "source", energy_basis_name(f->energy_basis), 1,
                 out);
    add_state(at, out);
    if (scenario_stands(at->s) != SCENARIO_TOLD)
        series_add(out, ENERGY_SO_FAR, l, f->energy_j);
    if (params_given(at->s)) {
        l = scenario_labels_begin(at, out);
        params_add(at->s, out, &l);
        scenario_labels_end(at, out, &l);
        series_add(out, PARAMS, l, 1);
    }
}

static double last_run_s(const struct served *all)
{
    size_t newest = all->run_count - 1;

    if (all->run_count == 0)
        return NAN;
    if (!isnan(all->runs[newest]->end_s))
        return all->runs[newest]->end_s;
    return seconds(all->mtimes_ns[newest]);
}

static void overall(const void *config, const void *memory, const struct served *all,
                    struct series *out)
{
    const struct results *r = config;
    struct labels none = labels_open(out), info;

    (void)memory;
    series_add(out, UP, none, all->newest_ok);
    series_add(out, SCENARIOS, none, (double)all->scenario_count);
    info = labels_open(out);
    labels_add(out, &info, "version", view_of(r->version));
    labels_add(out, &info, "language", VIEW("c"));
    series_add(out, INFO, info, 1);
    series_add(out, LAST_RUN, none, last_run_s(all));
}

const struct module module_results = {
    .abi = MODULE_ABI,
    .name = "results",
    .title = "Results",
    .default_port = 9502,
    .families = families,
    .family_count = FAMILY_COUNT,
    .config_size = sizeof(struct results),
    .configure = configure,
    .per_scenario = per_scenario,
    .per_run = per_run,
    .overall = overall,
};
