/*
 * clip.h - what ffprobe tells of a file: as much as two of them have to have in common for
 * their frames to be compared.
 *
 * Nothing of a file's own text goes further than this: what is not a number is one of our own
 * words.
 */
#ifndef SERVER_COMPUTE_CLIP_H
#define SERVER_COMPUTE_CLIP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/view.h"

struct clip_rate { /* frames a second; num 0: not known */
    uint32_t num, den;
};

struct clip {               /* of the first video stream */
    uint32_t width, height; /* pixels, as it is shown: turned where the file says so;
                                  0: not known */
    struct clip_rate mean, base; /* avg_frame_rate, r_frame_rate */
    const char *format; /* of pixels, in which it is compared; NULL: none is known */
    bool wide_range;    /* PQ or HLG */
    double duration_s;  /* of the stream, else of the file; NaN: not known */
};

/* What ffprobe is asked for (-show_entries). */
extern const char clip_entries[];

/* From what it writes with -of json. False: that is none, or there is no video stream. */
bool clip_parse(struct view json, struct clip *out);

/* NaN: not known. */
double clip_rate_of(struct clip_rate r);

#endif
