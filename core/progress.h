/*
 * progress.h - what ffmpeg's option -progress writes, block by block.
 *
 * A block is some lines "key=value" and the line "progress=continue" or "progress=end";
 * nothing stands between blocks. The reader takes the bytes as they arrive, cut anywhere,
 * and gives each block when its last line is complete. It allocates nothing for a block.
 *
 *     while ((block = progress_next(&reader, &bytes)))
 *         …
 *
 * Unknown keys are skipped. What is no "key=value", or whose value cannot be, is counted
 * and told, and the rest of the block counts. "N/A" is not known, and so is what stands for
 * it elsewhere: the times near the least 64-bit number of older releases, quantisers
 * below zero (-1.0 and -0.0: the encoder told none), "inf" and "nan" where a division by
 * zero left them.
 */
#ifndef CORE_PROGRESS_H
#define CORE_PROGRESS_H

#include "core/lines.h"

enum {
    PROGRESS_LINE_MAX = 512,   /* bytes of a line; ffmpeg's have less than 64 */
    PROGRESS_STREAMS_MAX = 32, /* of a block; further ones are skipped and told */
};

/* One video stream of an output. */
struct progress_stream {
    unsigned file, stream; /* the numbers of its keys: stream_<file>_<stream>_q */
    double q;              /* quantiser of the packet that came last */
    double psnr_y_db, psnr_u_db, psnr_v_db, psnr_all_db; /* +Inf: identical so far */
};

struct progress_block { /* NaN: not known */
    double frames;      /* of the first video stream; NaN where there is none */
    double fps;         /* mean since the start; 0 in the first second */
    double bitrate_bps; /* of the first output: total_bytes over out_time_s */
    double total_bytes; /* of the first output, as far as they are written */
    double out_time_s;  /* of what is encoded; may be negative */
    double dup_frames, drop_frames;
    double speed;  /* seconds of content in a second; exponents as ffmpeg prints them */
    bool end;      /* "progress=end", which a terminated ffmpeg writes as well */
    uint64_t run;  /* 0, 1 …: the runs that stand one after the other in this text */
    uint64_t line; /* of "progress=…"; 1 is the first line of the text */
    size_t stream_count;
    struct progress_stream streams[PROGRESS_STREAMS_MAX]; /* in the order of the text */
};

struct progress { /* to the caller: faults, and what the functions below give */
    struct lines lines;
    struct text_faults faults;
    struct progress_block block; /* given, or on its way */
    double out_time_text_s;      /* of the key out_time */
    double out_time_ms_s;        /* of the key out_time_ms, which is in microseconds */
    double last_frames, last_out_time_s; /* of the block before */
    uint64_t runs;                       /* that a block was seen of */
    bool given; /* block was given; the next line begins another */
    bool ended; /* the block before said "end" */
};

void progress_init(struct progress *p);

/*
 * The next block of *bytes, which follow those of the calls before; NULL: all of them are
 * taken. The block lives until the next call.
 *
 * Another run begins with the block after an "end", and where the frames fall back (without
 * frames: the time by more than a second), for who was killed wrote no "end".
 */
const struct progress_block *progress_next(struct progress *p, struct view *bytes);

/* The next byte is the first of another text. Faults stay counted; runs begin at 0. */
void progress_restart(struct progress *p);

void progress_deinit(struct progress *p);

#endif
