/*
 * series.h - families and their samples, on the way from a module to a renderer.
 *
 * A label set is rendered once, when it is made, and shared by all samples of one
 * subject; a sample is a family, a label set and a number.
 */
#ifndef CORE_SERIES_H
#define CORE_SERIES_H

#include "core/buf.h"

enum family_type { GAUGE, COUNTER, HISTOGRAM };

/* A gauge whose name ends in _info is always 1: OpenMetrics has a type for these. */
struct family {
    const char *name; /* as in the text format: counters with _total */
    const char *help; /* one line, units named */
    enum family_type type;
};

struct labels { /* a label set of one struct series */
    uint32_t at, n;
};

struct sample {
    double value;
    struct labels labels;
    uint16_t family; /* index in the module's table */
    uint8_t suffix;  /* enum suffix */
};

enum suffix {
    SUFFIX_NONE,
    SUFFIX_BUCKET,
    SUFFIX_SUM,
    SUFFIX_COUNT,
    SUFFIX_CREATED, /* Unix time in seconds at which a counter (named _total) or a
                            histogram was 0. Follows the sample of the same labels; not
                            in the text format, which would make a family of it */
};

struct series {      /* zero-initialised: empty */
    struct buf text; /* label sets, one after the other: a="1",b="2" */
    struct sample *samples;
    size_t count, cap;
};

/*
 * Builds a label set: open, any number of adds, close. Values are escaped (\\, \", \n)
 * and bytes that are not UTF-8 become U+FFFD; an empty value adds nothing. Names are
 * used as they are.
 */
struct labels labels_open(struct series *s);
void labels_add(struct series *s, struct labels *l, const char *name,
                struct view value);
void labels_add_u64(struct series *s, struct labels *l, const char *name,
                    uint64_t value);

/* Label name from free text: [a-zA-Z_][a-zA-Z0-9_]*, other bytes become '_'. */
void labels_add_named(struct series *s, struct labels *l, struct view name,
                      struct view value);

/* Adds a sample. NaN means unknown and adds nothing. */
void series_add(struct series *s, uint16_t family, struct labels l, double value);
void series_add_suffix(struct series *s, uint16_t family, enum suffix suffix,
                       struct labels l, double value);

void series_release(struct series *s); /* empty again, memory kept */
void series_deinit(struct series *s);

#endif
