/*
 * frame_log.h - what ffmpeg's filters psnr and ssim write of each frame, as it grows.
 *
 * Read are the lines of stats_file, which tell themselves what they are:
 *
 *     n:7 mse_avg:28.71 mse_y:31.33 … psnr_avg:33.55 psnr_y:33.17 …       psnr, version 1
 *     psnr_log_version:2 fields:n,mse_avg,…    and lines as before         psnr, version 2
 *     n:6 Y:0.948426 U:0.960678 V:0.975391 All:0.954962 (13.464246)       ssim
 *
 * and those of the filter "metadata=print" behind either ("frame:0 pts:0 …", then
 * "lavfi.psnr.psnr_avg=33.55"). Planes are whatever is there: y u v, r g b, a, or y alone.
 *
 * Numbers of frames are as in the log: from 1 in a stats_file, from 0 in metadata. Where
 * they do not rise another run began in the same file, and only the newest counts.
 */
#ifndef CORE_FRAME_LOG_H
#define CORE_FRAME_LOG_H

#include "core/frame_table.h"
#include "core/lines.h"

enum { FRAME_LOG_LINE_MAX = 2048 }; /* bytes; ffmpeg's have less than 400 */

struct frame_log { /* to the caller: table and faults */
    struct frame_table table;
    struct text_faults faults;
    struct lines lines;
    uint64_t runs;   /* that began in this text */
    bool open;       /* metadata: the frame's values are still coming */
    uint32_t number; /* of that frame */
    char last[16];   /* metadata: the value that came last in the frame before */
    size_t last_n;   /* 0: not known yet */
    char now[16];    /* … so far in this one */
    size_t now_n;
};

void frame_log_init(struct frame_log *l, struct frame_limits limits);

/* The bytes that follow those of the calls before, cut anywhere. */
void frame_log_add(struct frame_log *l, struct view bytes);

/*
 * Nothing will follow, the writer has closed the file: the last frame of metadata is whole.
 * Without it a frame is when it has the value that was the last of the frame before, or when
 * the next one begins.
 * A line without its end stays out, for it was cut off.
 */
void frame_log_end(struct frame_log *l);

/* The next byte is the first of another text. Faults stay counted. */
void frame_log_restart(struct frame_log *l);

void frame_log_deinit(struct frame_log *l);

#endif
