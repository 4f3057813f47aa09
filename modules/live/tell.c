#include "modules/live/tell.h"

#include <math.h>
#include <stdio.h>

#include "core/decimal.h"

enum on_results {
    FRAMES,
    FPS,
    SPEED,
    BITRATE,
    OUTPUT_BYTES,
    OUT_TIME,
    DROPPED,
    DUPLICATED,
    QUANTIZER,
    PROGRESS,
    ETA,
    LAST_UPDATE,
    RESULTS_FAMILIES,
};

const struct family live_results_families[RESULTS_FAMILIES] = {
    [FRAMES] = { "encode_frames_total", "Frames encoded so far", COUNTER },
    [FPS] = { "encode_fps",
              "Frames encoded per second over the last seconds; in the first second as "
              "the encoder tells",
              GAUGE },
    [SPEED] = { "encode_speed_ratio",
                "Seconds of content encoded per second over the last seconds", GAUGE },
    [BITRATE] = { "encode_bitrate_bits_per_second",
                  "Mean bit rate of the first output since the start, of what is "
                  "written",
                  GAUGE },
    [OUTPUT_BYTES] = { "encode_output_bytes_total",
                       "Bytes of the first output that are written", COUNTER },
    [OUT_TIME] = { "encode_out_time_seconds", "Length of content encoded so far",
                   GAUGE },
    [DROPPED] = { "encode_dropped_frames_total", "Frames dropped so far", COUNTER },
    [DUPLICATED] = { "encode_duplicated_frames_total", "Frames duplicated so far",
                     COUNTER },
    [QUANTIZER] = { "encode_quantizer",
                    "Quantizer of the last packet, by number of output and stream",
                    GAUGE },
    [PROGRESS] = { "encode_progress_ratio",
                   "Part of the content that is encoded, 0 to 1, where its length is "
                   "known",
                   GAUGE },
    [ETA] = { "encode_eta_seconds",
              "Time until all is encoded at the present speed, where its length is "
              "known",
              GAUGE },
    [LAST_UPDATE] = { "encode_last_update_timestamp_seconds",
                      "Unix time of the last block of progress", GAUGE },
};
const uint16_t live_results_family_count = RESULTS_FAMILIES;

enum on_qoe { SCORE, FRAMES_SCORED, FRAMES_INFINITE, FRAMES_BELOW, QOE_FAMILIES };

const struct family live_qoe_families[QOE_FAMILIES] = {
    [SCORE] = { "qoe_frame_score",
                "Scores of single frames, by metric: mean, harmonic_mean "
                "(n/sum(1/(x+1)) - 1), min, max, stddev over frames with a finite "
                "score, p1 to p50 over all (linear interpolation); of_mean_mse: the "
                "PSNR of the mean squared error of all frames",
                GAUGE },
    [FRAMES_SCORED] = { "qoe_frames", "Frames that have a score, by metric", GAUGE },
    [FRAMES_INFINITE] = { "qoe_frames_infinite",
                          "Frames that are identical to their reference, so their "
                          "score is infinite",
                          GAUGE },
    [FRAMES_BELOW] = { "qoe_frames_below",
                       "Frames with a score below a threshold "
                       "(--qoe.frame-thresholds)",
                       GAUGE },
};
const uint16_t live_qoe_family_count = QOE_FAMILIES;

static struct labels labels_of(const struct live_row *row, struct series *out)
{
    struct labels l = labels_open(out);

    labels_add(out, &l, "scenario", row->scenario);
    return l;
}

static void tell_quantizers(const struct live_row *row, struct series *out)
{
    const struct encode *e = row->encode;

    for (size_t i = 0; i < e->quantizer_count; i++) {
        const struct encode_quantizer *q = &e->quantizers[i];
        struct labels l = labels_of(row, out);
        char stream[32];

        snprintf(stream, sizeof stream, "%u_%u", q->file, q->stream);
        labels_add(out, &l, "stream", view_of(stream));
        series_add(out, QUANTIZER, l, q->q);
    }
}

void live_tell_results(const struct live_row *row, struct series *out)
{
    const struct encode *e = row->encode;
    struct labels l = labels_of(row, out);

    series_add(out, FRAMES, l, e->frames);
    series_add(out, FPS, l, e->fps);
    series_add(out, SPEED, l, e->speed_ratio);
    series_add(out, BITRATE, l, e->bitrate_bps);
    series_add(out, OUTPUT_BYTES, l, e->output_bytes);
    series_add(out, OUT_TIME, l, e->out_time_s);
    series_add(out, DROPPED, l, e->dropped_frames);
    series_add(out, DUPLICATED, l, e->duplicated_frames);
    series_add(out, PROGRESS, l, encode_progress_ratio(e));
    series_add(out, ETA, l, encode_eta_s(e));
    series_add(out, LAST_UPDATE, l, e->last_s);
    tell_quantizers(row, out);
}

/* ---- scores of frames --------------------------------------------------------------------- */

struct telling {
    const struct live_row *row;
    const struct encode_scores *scores;
    const struct frame_column *column;
    struct series *out;
};

static struct labels labels_of_column(const struct telling *t)
{
    struct labels l = labels_of(t->row, t->out);

    labels_add(t->out, &l, "metric", t->column->metric.metric);
    labels_add(t->out, &l, "model", t->column->metric.model);
    return l;
}

static void tell_stat(const struct telling *t, const char *stat, double value)
{
    struct labels l = labels_of_column(t);

    labels_add(t->out, &l, "stat", view_of(stat));
    series_add(t->out, SCORE, l, value);
}

static void tell_stats(const struct telling *t, const struct frame_stats *s)
{
    tell_stat(t, "mean", s->mean);
    tell_stat(t, "harmonic_mean", s->harmonic_mean);
    tell_stat(t, "min", s->min);
    tell_stat(t, "max", s->max);
    tell_stat(t, "p1", s->p1);
    tell_stat(t, "p5", s->p5);
    tell_stat(t, "p10", s->p10);
    tell_stat(t, "p50", s->p50);
    tell_stat(t, "stddev", s->stddev);
    tell_stat(t, "of_mean_mse",
              frame_table_psnr_of_mean_mse(t->scores->table, t->column));
}

static void tell_below(const struct telling *t, const struct encode_figures *f,
                       const struct live_threshold *thresholds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct labels l;
        char score[DECIMAL_MAX];

        if (!view_eq(t->column->metric.metric, view_of(thresholds[i].metric)))
            continue;
        l = labels_of_column(t);
        labels_add(t->out, &l, "threshold",
                   (struct view){ score, decimal_plain(score, thresholds[i].score) });
        series_add(t->out, FRAMES_BELOW, l, (double)f->below[i]);
    }
}

void live_tell_qoe(const struct live_row *row, const struct live_threshold *thresholds,
                   size_t threshold_count, struct series *out)
{
    struct encode *e = row->encode;

    for (int log = 0; log < ENCODE_LOGS; log++) {
        const struct encode_scores *s = e->logs[log];

        for (size_t i = 0; s && i < s->table->column_count; i++) {
            struct telling t = { row, s, &s->table->columns[i], out };
            const struct encode_figures *f;

            if (!encode_tells(e, (enum encode_log)log, i))
                continue;
            f = encode_figures(e, (enum encode_log)log, i, row->now_s, thresholds,
                               threshold_count);
            if (f->stats.frames == 0)
                continue;
            tell_stats(&t, &f->stats);
            series_add(out, FRAMES_SCORED, labels_of_column(&t),
                       (double)f->stats.frames);
            series_add(out, FRAMES_INFINITE, labels_of_column(&t),
                       (double)f->stats.infinite);
            tell_below(&t, f, thresholds, threshold_count);
        }
    }
}
