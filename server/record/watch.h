/*
 * watch.h - the figures that ffmpeg writes of its progress, by a file that it inherits.
 *
 * NAME.progress in the results directory, so that the exporter can follow it, too; where that
 * cannot be had, or another recording of the name runs, a file in memory. A file and not a
 * pipe: whatever becomes of us, ffmpeg never waits for a reader.
 */
#ifndef SERVER_RECORD_WATCH_H
#define SERVER_RECORD_WATCH_H

#include "core/progress.h"

#include <sys/types.h>

struct watch {
    int fd; /* ffmpeg's and ours; -1: nothing is watched */
    bool in_memory;
    off_t at; /* read up to here */
    struct progress reader;
    bool seen;                                           /* a block was read: */
    double frames, out_time_s, total_bytes, drop_frames; /* NaN: not known */
};

/* Nothing is watched, and nothing known. */
void watch_nothing(struct watch *w);

/* dir: of the results, or -1. */
void watch_open(struct watch *w, int dir, struct view name);

/* Reads what was written since. */
void watch_read(struct watch *w);

void watch_close(struct watch *w);

#endif
