/*
 * frame_scores.h - one score of every frame, and its figures.
 *
 * Scores are appended as they come. While each is a decimal number of at most six digits
 * behind the point and below 2147, as ffmpeg and libvmaf up to release 2 print them, one
 * takes four bytes: millionths in an integer, which give back the very double that the
 * text stands for. With the first score that is none of these (libvmaf 3 may print 16
 * digits) all become doubles. So every figure is exact either way; ten hours at 60 frames
 * a second take 8.6 or 17.3 MB, and half a megabyte for the figures of their parts.
 *
 * A score may be +Inf: the frame is identical to its reference. Appending keeps the sums;
 * percentiles and counts below a threshold read all scores when they are asked for, without
 * a copy of them.
 */
#ifndef CORE_FRAME_SCORES_H
#define CORE_FRAME_SCORES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAME_PERCENTILES_MAX = 16, /* asked for at once */
    FRAME_WORST_MAX = 256,
    FRAME_BLOCK = 128, /* scores, whose figures are kept */
};

struct frame_span { /* figures of scores that follow each other, see frame_span.h */
    uint32_t finite, infinite; /* frames with such a score */
    double min, max, sum;      /* of the finite; +Inf, -Inf, 0: there is none */
};

struct frame_scores {    /* zero-initialised: empty */
    int32_t *millionths; /* one of both is NULL */
    double *wide;
    size_t count, cap;
    struct frame_span *blocks; /* the first FRAME_BLOCK scores, the next … */
    size_t block_cap;
    uint64_t finite, infinite; /* frames with such a score */
    double mean, squares;      /* of the finite: mean, sum of squared distances to it */
    double min, max;           /* of the finite */
    double inverses;           /* sum of 1/(score+1) */
    double mse_sum;            /* see frame_scores_add_mse() */
    uint64_t mse_count;
    bool harmonic_undefined; /* a score of -1 or less was there */
};

/* NaN where no frame tells it. */
struct frame_stats {
    uint64_t frames;      /* that have a score, identical ones included */
    uint64_t infinite;    /* identical frames: their score is +Inf */
    double mean;          /* of the finite scores */
    double stddev;        /* of the finite scores, of the population (over n) */
    double harmonic_mean; /* n/sum(1/(x+1)) - 1, as libvmaf's; an infinite one adds 0 */
    double min, max;      /* +Inf where identical frames are the least, the largest */
    double max_finite;
    double p1, p5, p10, p50; /* of all scores, +Inf being the largest */
};

/* The score of the next frame. NaN (and -Inf, which is none): it has none. */
void frame_scores_add(struct frame_scores *s, double score);

/* Of a PSNR: the mean squared error that a frame's score was computed from. NaN adds
 * nothing. */
void frame_scores_add_mse(struct frame_scores *s, double mse);

/* The score of the frame with this index below s->count; NaN: it has none. */
double frame_scores_at(const struct frame_scores *s, size_t index);

void frame_scores_stats(const struct frame_scores *s, struct frame_stats *out);

/*
 * Percentiles with linear interpolation (type 7 of Hyndman and Fan 1996, the default of
 * NumPy and R): position p/100·(n-1) in the sorted scores, counted from 0. percents: n of
 * them, at most FRAME_PERCENTILES_MAX, from 0 to 100.
 */
void frame_scores_percentiles(const struct frame_scores *s, const double percents[],
                              size_t n, double out[]);

/* How many frames score less than each of n thresholds. */
void frame_scores_below(const struct frame_scores *s, const double thresholds[],
                        size_t n, uint64_t out[]);

/* Mean of the squared errors; NaN: none was told. */
double frame_scores_mean_mse(const struct frame_scores *s);

/*
 * PSNR in dB of a mean squared error, 10·log10(peak²/mse), where peak is the largest value
 * of a sample (255 with 8 bits). Of the mean of all frames' errors it is what ffmpeg calls
 * "average"; the mean of the frames' PSNR is another figure. 0 gives +Inf.
 */
double frame_psnr_db(double mse, double peak);

/* The largest value of a sample by one frame's error and PSNR, which are rounded; NaN: they
 * do not tell. 8 to 16 bits. */
double frame_peak(double mse, double psnr_db);

void frame_scores_deinit(struct frame_scores *s);

#endif
