/*
 * frame_metric.h - how logs call a score of frames → how we call it.
 *
 * The label metric, and where the log names the model, the label model:
 *
 *   log                   name in the log              metric
 *   psnr filter           psnr_avg                     psnr       all planes, by samples
 *                         psnr_y, _u, _v, _r, _g …     the same
 *   ssim filter           All                          ssim       all planes, by samples
 *                         Y, U, V, R, G, B             ssim_y, ssim_u …
 *   libvmaf               vmaf                         vmaf       model: what the log says
 *                         vmaf_neg, vmaf_4k …          vmaf       model: this name
 *                         psnr_y, float_psnr, psnr     psnr_y     luma; 60 dB at most, 8 bit
 *                         psnr_cb, psnr_cr             psnr_u, psnr_v
 *                         float_ssim, ssim             ssim       luma, another algorithm
 *                         float_ms_ssim, ms_ssim       ms_ssim
 *                         ciede2000, cambi             the same
 *                         psnr_hvs, psnr_hvs_y …       the same
 *
 * libvmaf's names without "float_" are those of release 1. The name of a VMAF score is the
 * model's in libvmaf, "vmaf" being a default: where no name begins with "vmaf", the last
 * one that is no feature is the score. What follows a name of a bootstrapped model
 * (_bagging, _stddev, _ci_p95_lo, _ci_p95_hi) makes it no score. Everything else (adm,
 * motion, vif …) is a feature, called as in the log.
 *
 * ffmpeg's filters and libvmaf may both tell psnr_y or ssim of one encode: the filter's log
 * comes first, for it has all planes and no cap.
 */
#ifndef CORE_FRAME_METRIC_H
#define CORE_FRAME_METRIC_H

#include "core/view.h"

enum frame_kind {
    FRAME_SCORE,   /* how good a frame is */
    FRAME_FEATURE, /* what a score is computed from, or how sure it is */
    FRAME_OTHER,   /* not known: perhaps a model that was given a name */
};

struct frame_metric {
    struct view metric; /* constant text, or the name in the log */
    struct view model;  /* empty: the name tells none */
    enum frame_kind kind;
    bool unbounded; /* identical frames have +Inf: in dB */
};

struct frame_metric frame_metric_filter(struct view name); /* psnr, ssim */
struct frame_metric frame_metric_libvmaf(struct view name);

#endif
