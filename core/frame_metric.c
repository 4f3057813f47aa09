#include "core/frame_metric.h"

struct known {
    struct view name, metric;
    bool unbounded;
};

static bool find(const struct known *known, size_t n, struct view name,
                 struct frame_metric *out)
{
    for (size_t i = 0; i < n; i++) {
        if (!view_eq(known[i].name, name))
            continue;
        *out = (struct frame_metric){
            known[i].metric, { NULL, 0 }, FRAME_SCORE, known[i].unbounded
        };
        return true;
    }
    return false;
}

struct frame_metric frame_metric_filter(struct view name)
{
    static const struct known known[] = {
        { { "psnr_avg", 8 }, { "psnr", 4 }, true },
        { { "psnr_y", 6 }, { "psnr_y", 6 }, true },
        { { "psnr_u", 6 }, { "psnr_u", 6 }, true },
        { { "psnr_v", 6 }, { "psnr_v", 6 }, true },
        { { "psnr_r", 6 }, { "psnr_r", 6 }, true },
        { { "psnr_g", 6 }, { "psnr_g", 6 }, true },
        { { "psnr_b", 6 }, { "psnr_b", 6 }, true },
        { { "psnr_a", 6 }, { "psnr_a", 6 }, true },
        { { "All", 3 }, { "ssim", 4 }, false },
        { { "Y", 1 }, { "ssim_y", 6 }, false },
        { { "U", 1 }, { "ssim_u", 6 }, false },
        { { "V", 1 }, { "ssim_v", 6 }, false },
        { { "R", 1 }, { "ssim_r", 6 }, false },
        { { "G", 1 }, { "ssim_g", 6 }, false },
        { { "B", 1 }, { "ssim_b", 6 }, false },
        { { "A", 1 }, { "ssim_a", 6 }, false },
    };
    struct frame_metric m = { name, { NULL, 0 }, FRAME_OTHER, false };

    find(known, sizeof known / sizeof *known, name, &m);
    return m;
}

static bool ends_as_bootstrap(struct view name)
{
    return view_ends(name, VIEW("_bagging")) || view_ends(name, VIEW("_stddev")) ||
           view_ends(name, VIEW("_ci_p95_lo")) || view_ends(name, VIEW("_ci_p95_hi"));
}

/* What scores are computed from; options of a feature follow its name. */
static bool is_feature(struct view name)
{
    static const struct view names[] = {
        { "integer_", 8 }, { "float_", 6 },  { "VMAF_", 5 },  { "adm", 3 },
        { "aim", 3 },      { "ansnr", 5 },   { "anpsnr", 6 }, { "motion", 6 },
        { "vif", 3 },      { "psnr", 4 },    { "apsnr", 5 },  { "mse_", 4 },
        { "ssim", 4 },     { "ms_ssim", 7 }, { "cambi", 5 },  { "ciede", 5 },
        { "speed_", 6 },   { "lpips", 5 },   { "niqe", 4 },   { "bagging", 7 },
        { "stddev", 6 },   { "ci95_", 5 },   { "moment", 6 },
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (view_starts(name, names[i]))
            return true;
    return false;
}

struct frame_metric frame_metric_libvmaf(struct view name)
{
    static const struct known known[] = {
        { { "vmaf", 4 }, { "vmaf", 4 }, false },
        { { "psnr_y", 6 }, { "psnr_y", 6 }, true },
        { { "psnr_cb", 7 }, { "psnr_u", 6 }, true },
        { { "psnr_cr", 7 }, { "psnr_v", 6 }, true },
        { { "float_psnr", 10 }, { "psnr_y", 6 }, true },
        { { "psnr", 4 }, { "psnr_y", 6 }, true },
        { { "float_ssim", 10 }, { "ssim", 4 }, false },
        { { "ssim", 4 }, { "ssim", 4 }, false },
        { { "float_ms_ssim", 13 }, { "ms_ssim", 7 }, false },
        { { "ms_ssim", 7 }, { "ms_ssim", 7 }, false },
        { { "ciede2000", 9 }, { "ciede2000", 9 }, true },
        { { "cambi", 5 }, { "cambi", 5 }, false },
        { { "psnr_hvs", 8 }, { "psnr_hvs", 8 }, true },
        { { "psnr_hvs_y", 10 }, { "psnr_hvs_y", 10 }, true },
        { { "psnr_hvs_cb", 11 }, { "psnr_hvs_cb", 11 }, true },
        { { "psnr_hvs_cr", 11 }, { "psnr_hvs_cr", 11 }, true },
    };
    struct frame_metric m = { name, { NULL, 0 }, FRAME_OTHER, false };

    if (find(known, sizeof known / sizeof *known, name, &m))
        return m;
    if (is_feature(name) || ends_as_bootstrap(name))
        m.kind = FRAME_FEATURE;
    else if (view_starts(name, VIEW("vmaf")))
        m = (struct frame_metric){ VIEW("vmaf"), name, FRAME_SCORE, false };
    return m;
}
