/*
 * frame_table.h - the scores of a log: one row for each frame, one column for each name.
 *
 * Readers of logs fill it as lines come. It is bounded in rows and columns; what does not
 * fit is counted. Frames have rising numbers, which need not follow each other (libvmaf's
 * n_subsample leaves some out); where they are evenly spaced they take no memory.
 */
#ifndef CORE_FRAME_TABLE_H
#define CORE_FRAME_TABLE_H

#include "core/frame_metric.h"
#include "core/frame_scores.h"

enum {
    FRAME_ROWS_MAX = 8000000, /* 37 hours at 60 frames a second */
    FRAME_COLUMNS_MAX = 64,
    FRAME_NAME_MAX = 128, /* bytes of a column's name */
};

struct frame_column {
    struct view name;           /* in the log; its own copy */
    struct frame_metric metric; /* metric and model are no other column's */
    struct frame_scores scores; /* one for each row */
    double score, mse;          /* of the frame that is being read; NaN: none */
};

struct frame_limits { /* 0: the largest */
    size_t rows;      /* up to FRAME_ROWS_MAX */
    size_t columns;   /* up to FRAME_COLUMNS_MAX */
    bool scores_only; /* features are not kept */
};

struct frame_table {
    struct frame_limits limits;
    struct frame_metric (*naming)(struct view name);
    struct frame_column *columns;
    size_t column_count;
    char *model; /* see frame_table_name_model() */
    size_t rows;
    uint32_t first, step, last; /* numbers of frames, where they are evenly spaced */
    uint32_t *numbers;          /* else, by row */
    size_t numbers_cap;
    uint64_t rows_over;   /* frames that did not fit */
    uint64_t values_over; /* values whose column did not fit */
    uint64_t restarts;    /* how often all of it became another */
    double peak;          /* largest value of a sample; NaN: not known */
    size_t next_column;   /* the one that is expected: names come in the same order */
};

/* naming: what to make of a name: frame_metric_filter or frame_metric_libvmaf. */
void frame_table_init(struct frame_table *t, struct frame_limits limits,
                      struct frame_metric (*naming)(struct view name));

/*
 * The value that the frame being read has under this name. A name that is new becomes a
 * column, in which the frames before have no score. False: it is not kept, for there are
 * as many columns as may be, the name is too long or not UTF-8, or it is a feature that the
 * limits leave out.
 */
bool frame_table_set(struct frame_table *t, struct view name, double value);

/* The column of this name; NULL: there is none. */
struct frame_column *frame_table_find(const struct frame_table *t, struct view name);

/*
 * The frame is whole: its row is added. False: it is thrown away, for its number is not
 * above the last one's, it has no value, or there are as many rows as may be.
 */
bool frame_table_commit(struct frame_table *t, uint32_t number);

/* Throws away what the frame being read has. */
void frame_table_abandon(struct frame_table *t);

/* What the log says of the model of a column whose name does not tell it; copied.
 * Once for a table. */
void frame_table_name_model(struct frame_table *t, struct frame_column *c,
                            struct view model);

/* The number of the frame in a row. */
uint32_t frame_table_number(const struct frame_table *t, size_t row);

/* The column of a metric (and model, empty: any); NULL: there is none. */
const struct frame_column *frame_table_metric(const struct frame_table *t,
                                              struct view metric, struct view model);

/*
 * PSNR in dB of the mean squared error of all frames, which ffmpeg calls "average"; not the
 * mean of the frames' PSNR. NaN: the log tells no errors, or not how large samples are.
 */
double frame_table_psnr_of_mean_mse(const struct frame_table *t,
                                    const struct frame_column *c);

/* Empty again, with the same limits. */
void frame_table_restart(struct frame_table *t);

void frame_table_deinit(struct frame_table *t);

#endif
