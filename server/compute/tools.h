/*
 * tools.h - where ffmpeg and ffprobe are, and what this ffmpeg can do.
 */
#ifndef SERVER_COMPUTE_TOOLS_H
#define SERVER_COMPUTE_TOOLS_H

#include <limits.h>

#include "core/err.h"
#include "server/sources/opener.h"

struct tools { /* zero-initialised: not looked for */
    char ffmpeg[PATH_MAX], ffprobe[PATH_MAX];
    struct stamp stamp; /* of ffmpeg, as it lies there */
    bool asked;         /* this very ffmpeg was: */
    bool vmaf;          /* it has libvmaf */
};

/*
 * Looks where they are: what was asked of another ffmpeg is forgotten. name: with a '/' that
 * file, else by the variable PATH. A negative errno and e: there is none, or it cannot be run.
 */
int tools_find(struct tools *t, const char *name, struct err *e);

#endif
