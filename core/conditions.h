/*
 * conditions.h - what keeps figures of two encodes from being held against each other.
 *
 * Models of one kind, scores by one model at one size, encodes with the same parameters: only
 * those are compared and learned from together. Conditions are told as text, "key=value"
 * separated by commas: equal texts are equal conditions, and nothing given is an empty text.
 */
#ifndef CORE_CONDITIONS_H
#define CORE_CONDITIONS_H

#include "core/buf.h"
#include "core/scenario.h"

/* Appends "key=value", with a comma before it unless the text is empty; nothing where the
 * value is not known. */
void conditions_add(struct buf *text, const char *key, struct view value);
void conditions_add_number(struct buf *text, const char *key, double value);

/* How its scores were made: transfer, vmaf_model, vmaf_width, vmaf_height. */
void conditions_add_scores(struct buf *text, const struct scenario *s);

/* How it was encoded: passes, params in the order of their keys (but for minrate, maxrate and
 * bufsize, which go with the bit rate), and rate_control=crf where a quality was asked for.
 * Then cuts the text to 200 bytes, with a hash of the whole at its end. */
void conditions_add_encode(struct buf *text, const struct scenario *s);

/* True where a quality (crf), not a bit rate, is what was asked for: a crf beside a bit
 * rate is a quality with a ceiling, unless rate_control says that the rate counted. */
bool conditions_by_quality(const struct scenario *s);

#endif
