/*
 * arguments.h - what the command line of an ffmpeg says of the encode.
 *
 * ffmpeg takes a word that begins with '-' for an option, and what follows it for its value
 * unless the option is a switch; any other word is an output. Options stand before the
 * input or output that they are for. Only what stands there is told: never a default, and
 * nothing where several streams or outputs have different settings.
 */
#ifndef SERVER_RECORD_ARGUMENTS_H
#define SERVER_RECORD_ARGUMENTS_H

#include "core/view.h"

enum {
    ARGUMENTS_OUTPUTS_MAX = 16, /* further ones are counted */
    ARGUMENTS_PARAMS_MAX = 16,  /* as many as a scenario may have */
    ARGUMENTS_TEXT_MAX = 32,
};

struct argument_param {
    const char *name; /* as in docs/recording.md */
    struct view value;
};

struct argument_output { /* empty texts, NaN: not said */
    struct view url;
    struct view encoder, preset;
    const char *codec;                /* of an encoder that has one; "": not known */
    char bitrate[ARGUMENTS_TEXT_MAX]; /* "2500k", in the notation of results files */
    double crf, fps;                  /* fps: NaN also where a filter may change it */
    char resolution[ARGUMENTS_TEXT_MAX]; /* "1280x720" */
    const char *rate_control;            /* "crf", "qp", "cbr", "abr"; "": not known */
    bool two_passes;                     /* this is the second */
    bool rate_forced; /* -r: frames are dropped and doubled on purpose */
    struct argument_param params[ARGUMENTS_PARAMS_MAX];
    size_t param_count;
};

struct arguments {
    size_t program;    /* index of ffmpeg in argv: 0, or behind nice and its like */
    bool progress;     /* -progress is there already */
    struct view input; /* the only one; empty: none or several */
    size_t input_count;
    size_t output_count; /* of all, those included that outputs does not hold */
    struct argument_output outputs[ARGUMENTS_OUTPUTS_MAX];
};

/*
 * Reads argv, which NULL ends; texts are borrowed from it. False: that is no ffmpeg which
 * encodes: another program, or without an output. *out is empty then.
 */
bool arguments_read(char *const argv[], struct arguments *out);

/* The file that a URL of ffmpeg names; empty: it names none ("pipe:1", "rtmp://…", "-"). */
struct view arguments_file(struct view url);

/* ---- pictures.c: texts about size and rate --------------------------------------- */

/* "1280x720", "hd720" → "1280x720" in to; else to is empty. */
void picture_size(struct view text, char to[ARGUMENTS_TEXT_MAX]);

/* "30", "30000/1001", "ntsc" → frames per second; NaN: no such rate. */
double picture_rate(struct view text);

/*
 * What a chain of filters surely makes of its input: the size of its last scale and the rate
 * of its last fps, unless a filter follows that may change them. size and *rate stay as they
 * are where the chain leaves them alone; empty and NaN: not known.
 */
void picture_filters(struct view chain, char size[ARGUMENTS_TEXT_MAX], double *rate);

/* "2500k", "2.5M", "2500000" → the same bit rate in the notation of results files; else
 * to is empty. */
void picture_bitrate(struct view text, char to[ARGUMENTS_TEXT_MAX]);

/* h264 of libx264, av1 of libsvtav1 …; "": not known. */
const char *picture_codec(struct view encoder);

#endif
