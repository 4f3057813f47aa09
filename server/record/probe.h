/*
 * probe.h - what a finished file holds, asked of the ffprobe beside the ffmpeg that wrote it.
 *
 * ffmpeg's own reports tell no size and no rate, and a time that is some frames short where
 * pictures are reordered.
 */
#ifndef SERVER_RECORD_PROBE_H
#define SERVER_RECORD_PROBE_H

#include "core/view.h"

#include <signal.h>

struct probe { /* of the first video stream; NaN, empty: not known */
    double width, height;
    double fps;     /* mean over the file */
    double media_s; /* of the stream, else of the file */
    char codec[32]; /* h264, hevc, av1 … */
};

/*
 * Asks about a file. ffmpeg: as the command names it; with a directory ffprobe is in the
 * same one, else where PATH tells. mask: signals that ffprobe is to block. False: there is
 * none, it failed, or it took longer than some seconds (then it is killed).
 */
bool probe_file(const char *ffmpeg, const char *file, const sigset_t *mask,
                struct probe *out);

/* The same from what ffprobe writes with -of json. */
bool probe_parse(struct view json, struct probe *out);

#endif
