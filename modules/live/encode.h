/*
 * encode.h - one encode that is watched: what its progress and the logs of its frames
 * tell, and how it stands.
 *
 * Sources (a growing file, a request) hand over blocks and scores as they come; nothing
 * here asks the time: now_s is Unix time, and of blocks that were written before this
 * process saw them the time their file was modified.
 */
#ifndef MODULES_LIVE_ENCODE_H
#define MODULES_LIVE_ENCODE_H

#include "core/frame_table.h"
#include "core/progress.h"
#include "core/scenario.h"
#include "core/watched.h"

enum {
    ENCODE_STREAMS_MAX = PROGRESS_STREAMS_MAX,
};

struct encode_quantizer {
    unsigned file, stream; /* label stream: "0_1", as in the key */
    double q;
};

/* A log of scores by frame. */
enum encode_log { ENCODE_LOG_PSNR, ENCODE_LOG_SSIM, ENCODE_LOG_VMAF, ENCODE_LOGS };

/* Figures of one column of a log, as of `count` rows. */
struct encode_figures {
    size_t count;
    uint64_t restarts; /* of the table, then */
    double at_s;       /* Unix time at which they were made */
    struct frame_stats stats;
    size_t below_count; /* as of so many rows */
    uint64_t *below;    /* per threshold */
};

struct encode_scores {
    const struct frame_table *table; /* borrowed */
    struct encode_figures figures[FRAME_COLUMNS_MAX];
};

struct encode {
    char *name; /* NUL-terminated, UTF-8, 1 to 256 bytes */
    size_t name_n;
    enum scenario_state state; /* never SCENARIO_TOLD once it was heard of */
    double start_s;            /* Unix time: when it was first heard of */
    double last_s;             /* of the last block; NaN: none yet */
    double end_s;              /* of its end; NaN: it runs */

    /* As the last block tells; NaN: not known. */
    double frames, out_time_s, output_bytes, dropped_frames, duplicated_frames;
    double bitrate_bps;      /* of the first output, since its start */
    double fps, speed_ratio; /* now: over the last seconds, by the times of arrival; as
                                the block tells where only one is known */
    struct encode_quantizer quantizers[ENCODE_STREAMS_MAX];
    size_t quantizer_count;

    double length_s; /* of the whole content, as its sender tells; NaN: not known */
    double told_length_s; /* as the results file tells */

    struct encode_scores *logs[ENCODE_LOGS]; /* NULL: there is none */
    double quality_s;                   /* time that measuring took; NaN: not known */
    double scored_width, scored_height; /* of VMAF, where it was measured here; NaN
                                           else. Set after the log */
    uint64_t version;                   /* grows with every change of anything above */
    uint64_t told; /* grows with a change of what a scenario shows at once: state,
                          scores, and the first block; not with each block */

    struct encode_pace *pace; /* of encode.c: recent blocks */
};

struct encode *encode_new(struct view name, double now_s);
void encode_free(struct encode *e); /* NULL is accepted */

/*
 * One more block. A run that begins anew (block->run grew, or encode_restart()) forgets
 * what the last one told.
 */
void encode_hear(struct encode *e, const struct progress_block *block, double now_s);
void encode_restart(struct encode *e, double now_s);

/* All that was told so far was written before anybody here heard it: the encode began as
 * long before its last block as that tells. */
void encode_found(struct encode *e);

/* A source is there that has said nothing yet: it runs, since now_s. */
void encode_begin(struct encode *e, double now_s);

/*
 * No block for stalled_s: SCENARIO_STALLED. None for given_up_s (+Inf: never): it ended with
 * its last one, as SCENARIO_ABORTED. When to ask again, Unix time; +Inf: never.
 */
double encode_look(struct encode *e, double now_s, double stalled_s, double given_up_s);

/* Its source broke off before an end (a cut connection): SCENARIO_ABORTED. Nothing
 * happens to one that ended. */
void encode_cut(struct encode *e, double now_s);

/*
 * A log of scores: its table is borrowed until it is taken back (NULL). grown: scores were
 * added to it, or all of it is new.
 */
void encode_set_log(struct encode *e, enum encode_log which,
                    const struct frame_table *table);
void encode_log_grown(struct encode *e, enum encode_log which);

/* Scores below these are counted. */
struct live_threshold {
    const char *metric;
    double score;
};

/*
 * The figures of a column, made anew where scores came since and the last making is so long
 * ago that it costs little (a thousandth of the time, at three nanoseconds a score): what is
 * told of a log that grows may be some seconds old. thresholds: those of all metrics, always
 * the same; NULL: below is not asked for.
 */
const struct encode_figures *encode_figures(struct encode *e, enum encode_log which,
                                            size_t column, double now_s,
                                            const struct live_threshold *thresholds,
                                            size_t threshold_count);

/* Whether this column is told: a score, and the first that is called so. */
bool encode_tells(const struct encode *e, enum encode_log which, size_t column);

/* Of out_time_s in length_s, 0 to 1; NaN: not known. */
double encode_progress_ratio(const struct encode *e);

/* Seconds until its end at the present speed; NaN: not known; 0: it has ended. */
double encode_eta_s(const struct encode *e);

/* What a scenario takes of it: what scores and progress come to. */
void encode_watched(struct encode *e, double now_s, struct watched *out);

#endif
