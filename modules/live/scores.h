/*
 * scores.h - the scores by frame that the logs of an encode tell.
 */
#ifndef MODULES_LIVE_SCORES_H
#define MODULES_LIVE_SCORES_H

#include "core/buf.h"
#include "modules/live/encode.h"

struct score_column { /* zero-initialised: before the first */
    unsigned pass;    /* metrics of which place are looked for */
    enum encode_log log;
    size_t at; /* of the log's columns, + 1 */
    const struct frame_table *table;
    const struct frame_column *column;
};

/* The next column that is told and in which any frame has a score; false: there is no more.
 * VMAF, PSNR and SSIM come first, in this order, then planes and all others. */
bool score_next(const struct encode *e, struct score_column *c);

/*
 * Appends what it is called among those of the encode: its metric; where several models tell
 * the same, that is the one without a name, else the first, and all others are METRIC/MODEL.
 */
void score_name(const struct encode *e, const struct score_column *c, struct buf *out);

#endif
