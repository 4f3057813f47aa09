/*
 * scenario_labels.h - the labels that tell one scenario from all others: those of the
 * results families ("results labels" of the metric contract).
 *
 * Whoever serves figures of a scenario beside those of the results module has them from
 * here, so that both can be joined in a query.
 */
#ifndef CORE_SCENARIO_LABELS_H
#define CORE_SCENARIO_LABELS_H

#include "core/module.h"

/* The whole set: run_id, scenario, bitrate, resolution, fps, streams, output_ladder,
 * encoder, encoder_type, preset, and repeat from the second of an identity on. */
struct labels scenario_labels(const struct place *at, struct series *out);

/* In two parts, for labels that stand before repeat; the set is open in between. */
struct labels scenario_labels_begin(const struct place *at, struct series *out);
void scenario_labels_end(const struct place *at, struct series *out, struct labels *l);

#endif
