/*
 * tell.h - watched encodes → series.
 *
 *   on the results endpoint  encode_frames_total, encode_fps, encode_speed_ratio,
 *                            encode_bitrate_bits_per_second, encode_output_bytes_total,
 *                            encode_out_time_seconds, encode_dropped_frames_total,
 *                            encode_duplicated_frames_total, encode_quantizer{stream},
 *                            encode_progress_ratio, encode_eta_seconds,
 *                            encode_last_update_timestamp_seconds
 *   on the QoE endpoint      qoe_frame_score{metric,stat[,model]}, qoe_frames{metric},
 *                            qoe_frames_infinite{metric},
 *                            qoe_frames_below{metric,threshold}
 *
 * All with the label scenario: the name of the scenario that an encode belongs to, or its
 * own.
 */
#ifndef MODULES_LIVE_TELL_H
#define MODULES_LIVE_TELL_H

#include "core/series.h"
#include "modules/live/encode.h"

struct live_row {          /* an encode under the name it is told with */
    struct encode *encode; /* its figures may be made anew */
    struct view scenario;
    double now_s; /* Unix time */
};

extern const struct family live_results_families[], live_qoe_families[];
extern const uint16_t live_results_family_count, live_qoe_family_count;

/* Samples of one row, of families of that table. */
void live_tell_results(const struct live_row *row, struct series *out);
void live_tell_qoe(const struct live_row *row, const struct live_threshold *thresholds,
                   size_t threshold_count, struct series *out);

#endif
