/*
 * field.h - one JSON value of a results file → number, text or samples.
 *
 * A value that cannot be what its field is due to be leaves the field unknown and is
 * noted: counted, and the first of a file told. null, "" and "N/A" are unknown and not
 * noted.
 */
#ifndef CORE_FIELD_H
#define CORE_FIELD_H

#include "core/derive.h"
#include "core/json.h"
#include "core/results.h"

/* Figures beyond this are no measurement. */
#define FIELD_LARGEST 1e18

/* Where a value stands; parts that are not needed are NULL or -1. */
struct field_at {
    const char *outer; /* "power", "outputs" */
    long index;        /* in an array */
    struct view name;
};

#define FIELD(lit) ((struct field_at){ NULL, -1, VIEW(lit) })

struct field_reader {
    struct results_notes *notes;
    struct arena *mem;    /* texts and samples live as long as this */
    struct view scenario; /* name; empty: the file itself */
};

struct field_range {
    double min, max;
    bool whole;
    bool infinite; /* "inf" and Infinity are values */
};

/* What is wrong and counts as one value; fmt makes the reason. */
void field_note(struct field_reader *r, struct field_at at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* NaN: unknown. v == NULL: absent. */
double field_number(struct field_reader *r, struct field_at at,
                    const struct json_value *v, const struct field_range *range);

enum { FIELD_TEXT_MAX = 1024 }; /* bytes; a longer text is an error of its field */

/* Empty: unknown. numbers: a number is taken as its shortest decimal. */
struct view field_text(struct field_reader *r, struct field_at at,
                       const struct json_value *v, bool numbers);

/* Values of at least 0; NaN for each that is missing or noted. */
struct samples field_samples(struct field_reader *r, struct field_at at,
                             const struct json_value *v);

/* v if it is of this type; else NULL, noted unless it is unknown. */
const struct json_value *field_container(struct field_reader *r, struct field_at at,
                                         const struct json_value *v,
                                         enum json_type type);

#endif
