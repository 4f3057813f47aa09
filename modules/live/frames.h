/*
 * frames.h - the scores by frame of an encode → JSON (docs/page.md).
 */
#ifndef MODULES_LIVE_FRAMES_H
#define MODULES_LIVE_FRAMES_H

#include "core/buf.h"
#include "modules/live/encode.h"

enum { FRAMES_POINTS_MAX = 4000 };

struct frames_query {
    struct view metric; /* as score_name() has it; empty: the first there is */
    uint32_t from, to;  /* numbers of frames, both included */
    uint32_t points;    /* at most so many, 1 to FRAMES_POINTS_MAX */
    uint32_t worst;     /* so many of the worst frames, up to FRAME_WORST_MAX */
};

enum frames_found { FRAMES_TOLD, FRAMES_NO_SCORES, FRAMES_NO_METRIC };

/*
 * Appends the whole answer; where there is none, nothing. now_s: Unix time. Figures of the
 * whole are those of encode_figures(), so those of a long log that grows may be some seconds
 * old; all else is as of now.
 */
enum frames_found frames_json(struct encode *e, const struct frames_query *q,
                              double now_s, struct buf *out);

/* Appends the names of all metrics, as a list for people in one line: "vmaf, psnr". */
void frames_metrics(const struct encode *e, struct buf *out);

#endif
