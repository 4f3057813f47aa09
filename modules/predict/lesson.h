/*
 * lesson.h - what there is to learn from one encode, as small as it can be kept.
 *
 * Runs that are not served are learned from, too: of these, lessons are all that stays. A
 * label that is a default is no feature. Baselines, encodes that are not over, and scores of
 * nothing (see core/scenario.h) teach nothing.
 */
#ifndef MODULES_PREDICT_LESSON_H
#define MODULES_PREDICT_LESSON_H

#include "core/run.h"

enum target {
    TARGET_CORE_SECONDS, /* per second of content */
    TARGET_ENERGY,       /* J per second of content */
    TARGET_POWER,        /* mean, W */
    TARGET_VMAF,
    TARGET_PSNR, /* dB */
    TARGET_SSIM,
    TARGET_COUNT,
};
const char *
target_name(enum target t); /* "core_seconds", "energy", "power", "vmaf" … */

struct
    lesson { /* NaN: not known; texts by their number in lessons.texts, 0: not said */
    uint32_t index; /* of the scenario in its run */
    uint16_t source, encoder, preset;
    uint16_t quality_group; /* what keeps its scores from being compared with others':
                               transfer, vmaf_model, scored size, passes, params, and how
                               its rate was controlled where that is a quality (crf) */
    uint16_t
        compute_group; /* the same for what it cost: cpu_model, passes, params, crf */
    bool by_quality;   /* crf, not bit rates, is what was asked for */
    bool real_time;    /* it took as long as its content is: within a tenth */
    float streams, outputs; /* at least 1 */
    double width, height, fps;
    double pixel_rate; /* pixels per second of content, of all outputs */
    double asked_bps;  /* bit rate asked for */
    double came_bps;   /* that came out, else the one asked for */
    double crf;
    double content_s;
    double y[TARGET_COUNT]; /* as measured, in the units above */
};

struct lessons { /* of one run; constant once made, shared by count. Any thread. */
    atomic_uint refs;
    uint32_t count;           /* lessons, at most one per scenario; those without any y
                                 can still be predicted */
    uint32_t scenario_count;  /* of the run */
    const struct view *texts; /* texts[0] is empty */
    uint32_t text_count;
    uint64_t hash[2]; /* of all that is in them: equal hashes are equal lessons */
    struct view id;   /* of the run */
    struct lesson *of;
};

/* One reference; NULL: there is nothing to learn from this run. */
const struct lessons *lessons_of(const struct run *run);
const struct lessons *lessons_ref(const struct lessons *l);
/* Of a run of which the first `limit` scenarios alone count. One reference; shares all but
 * the numbers with l, which must be there for longer. */
const struct lessons *lessons_first(const struct lessons *l, uint32_t limit);
void lessons_unref(const struct lessons *l); /* NULL is accepted */

/*
 * Where a preset stands between the fastest (0) and the slowest (1) of its encoder; NaN: no
 * order is known. Families: x264 and x265 (also libx264 …), SVT-AV1, VP9 and AV1 by cpu-used,
 * NVENC, QSV, AMF, VideoToolbox where they have one.
 */
double preset_effort(struct view encoder, struct view preset);

#endif
