/*
 * measurement.h - the scores of one encode: both files are looked at, then compared frame by
 * frame, each by a child of its own. Loop thread only.
 */
#ifndef SERVER_COMPUTE_MEASUREMENT_H
#define SERVER_COMPUTE_MEASUREMENT_H

#include <uv.h>

#include "core/err.h"
#include "core/frame_table.h"
#include "server/compute/recipe.h"

enum measurement_outcome {
    MEASUREMENT_DONE,
    MEASUREMENT_FAILED,  /* ffmpeg said no, or said too much */
    MEASUREMENT_TIMEOUT, /* it took too long */
    MEASUREMENT_REFUSED, /* frames of these files cannot be compared */
    MEASUREMENT_OUTCOMES,
    MEASUREMENT_STOPPED = MEASUREMENT_OUTCOMES, /* by us */
};

struct measurement_order { /* looked at by measurement_start() only */
    uv_loop_t *loop;
    const char *ffmpeg, *ffprobe; /* paths; borrowed until the end */
    int output, reference;        /* descriptors; borrowed until the end */
    bool can_vmaf;
    bool vmaf_only; /* the rest is known: nothing is compared without VMAF */
    uint32_t threads;
    uint64_t limit_ms;
};

struct measurement_result {
    enum measurement_outcome outcome;
    struct err e;     /* why it is not done */
    const char *said; /* the last line of the child; empty: none */
    double took_s;    /* of comparing */
    uint32_t width, height;
    const char *model; /* of VMAF; NULL: without */
    /* NULL unless it is done; taken by who sets them to NULL. */
    struct frame_table *psnr, *ssim, *vmaf;
};

struct measurement;

/* done is called once, not from within; then the measurement is gone. NULL and e: nothing could
 * be started. */
struct measurement *measurement_start(const struct measurement_order *o,
                                      void (*done)(void *ctx,
                                                   struct measurement_result *r),
                                      void *ctx, struct err *e);

/* done is called all the same, soon. */
void measurement_stop(struct measurement *m);

#endif
