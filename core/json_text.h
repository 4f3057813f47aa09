/*
 * json_text.h - JSON as it is written: texts and numbers.
 */
#ifndef CORE_JSON_TEXT_H
#define CORE_JSON_TEXT_H

#include "core/buf.h"

/* UTF-8 as a string, with its quotes. */
void json_text_string(struct buf *out, struct view v);

/* A figure, rounded to six digits. JSON has no infinity: "inf" and "-inf" are strings, and
 * NaN is null. */
void json_text_number(struct buf *out, double v);

/* A count, or seconds: a whole number as it is, any other to three digits behind the point;
 * below 2^53, and the rest as json_text_number() has it. */
void json_text_exact(struct buf *out, double v);

#endif
