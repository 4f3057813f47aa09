/*
 * qoe.c - quality scores, and quality for the power and energy spent.
 *
 * Which scores are measurements at all (not those of a baseline, nor of an encode
 * without frames) is decided where the facts are made; what is NaN there is left out
 * here. Every ratio is left out where its denominator is 0 or unknown.
 */
#include "modules/qoe/qoe.h"

#include <math.h>

enum {
    UP,
    SCENARIOS,
    INFO,
    VMAF,
    PSNR,
    SSIM,
    QUALITY_PER_WATT,
    EFFICIENCY,
    DROP_RATE,
    COMPUTATION,
    FAMILY_COUNT,
};

static const struct family families[FAMILY_COUNT] = {
    [UP] = { "qoe_exporter_up",
             "1; 0 while the newest results file cannot be read or parsed", GAUGE },
    [SCENARIOS] = { "qoe_scenarios_total", "Number of scenarios served", GAUGE },
    [INFO] = { "qoe_exporter_info", "Version and language of the exporter; always 1",
               GAUGE },
    [VMAF] = { "qoe_vmaf_score",
               "VMAF of the encode; 0 is worst, newer models may pass 100", GAUGE },
    [PSNR] = { "qoe_psnr_score",
               "Peak signal-to-noise ratio of the encode in dB; +Inf where identical",
               GAUGE },
    [SSIM] = { "qoe_ssim_score", "Structural similarity of the encode, 0 to 1", GAUGE },
    [QUALITY_PER_WATT] = { "qoe_quality_per_watt",
                           "VMAF divided by mean power (CPU and GPU), in 1/W", GAUGE },
    [EFFICIENCY] = { "qoe_efficiency_score",
                     "Quality-weighted pixels per joule: pixels times VMAF/100, "
                     "divided by energy",
                     GAUGE },
    [DROP_RATE] = { "qoe_drop_rate", "Dropped frames divided by all frames, as a ratio",
                    GAUGE },
    [COMPUTATION] = { "qoe_computation_duration_seconds",
                      "Time that measuring the quality of the encode took, in seconds",
                      GAUGE },
};

struct qoe {
    bool with_run_id;
    const char *version;
};

static int configure(void *config, const struct module_context *ctx, struct err *e)
{
    struct qoe *q = config;

    (void)e;
    q->with_run_id = ctx->with_run_id;
    q->version = ctx->version;
    return 0;
}

static void per_scenario(const void *config, const struct place *at, struct series *out)
{
    const struct qoe *q = config;
    const struct scenario *s = at->s;
    const struct facts *f = &s->facts;
    struct labels l = labels_open(out);

    labels_add(out, &l, "scenario", s->name);
    labels_add(out, &l, "bitrate", s->bitrate);
    labels_add(out, &l, "encoder", s->encoder);
    labels_add(out, &l, "resolution", s->resolution);
    labels_add(out, &l, "preset", s->preset);
    if (q->with_run_id)
        labels_add(out, &l, "run_id", at->run->id);
    if (at->ordinal > 1)
        labels_add_u64(out, &l, "repeat", at->ordinal);

    series_add(out, VMAF, l, f->vmaf);
    series_add(out, PSNR, l, f->psnr_db);
    series_add(out, SSIM, l, f->ssim);
    if (f->mean_power_w > 0)
        series_add(out, QUALITY_PER_WATT, l, f->vmaf / f->mean_power_w);
    if (f->energy_j > 0)
        series_add(out, EFFICIENCY, l, f->pixels * (f->vmaf / 100) / f->energy_j);
    if (f->total_frames > 0)
        series_add(out, DROP_RATE, l, f->dropped_frames / f->total_frames);
    series_add(out, COMPUTATION, l, f->quality_s);
}

static void overall(const void *config, const void *memory, const struct served *all,
                    struct series *out)
{
    const struct qoe *q = config;
    struct labels none = labels_open(out), info;

    (void)memory;
    series_add(out, UP, none, all->newest_ok);
    series_add(out, SCENARIOS, none, (double)all->scenario_count);
    info = labels_open(out);
    labels_add(out, &info, "version", view_of(q->version));
    labels_add(out, &info, "language", VIEW("c"));
    series_add(out, INFO, info, 1);
}

const struct module module_qoe = {
    .abi = MODULE_ABI,
    .name = "qoe",
    .title = "Quality",
    .default_port = 9503,
    .families = families,
    .family_count = FAMILY_COUNT,
    .config_size = sizeof(struct qoe),
    .configure = configure,
    .per_scenario = per_scenario,
    .overall = overall,
};
