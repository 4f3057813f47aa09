/*
 * entry.h - a scenario of the results file, from what is known of the command.
 */
#ifndef SERVER_RECORD_ENTRY_H
#define SERVER_RECORD_ENTRY_H

#include "core/buf.h"
#include "server/record/arguments.h"
#include "server/record/load.h"
#include "server/record/record_config.h"

/* The member that tells who still writes a scenario. */
#define ENTRY_RECORDING "recording"

struct entry { /* NaN, empty: not known */
    const struct record_config *config;
    const struct arguments *arguments; /* NULL: the command is no ffmpeg */
    struct view name;
    struct view recorder; /* of ENTRY_RECORDING; empty: it has ended */
    struct view source, reference, output;
    double start_s, end_s, duration_s; /* Unix time twice */
    int exit_status;                   /* counts once it has ended */
    double now_s;                      /* counts while it runs */
    double cpu_core_s;
    const double *cores; /* means of equal steps */
    size_t core_count;
    double step_s;
    double media_s, frames, dropped_frames, bitrate_kbps;
};

/* Appends it as one JSON object on one line. */
void entry_write(const struct entry *t, struct buf *out);

#endif
