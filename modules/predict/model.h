/*
 * model.h - all that is learned of one target from one group of lessons.
 */
#ifndef MODULES_PREDICT_MODEL_H
#define MODULES_PREDICT_MODEL_H

#include "modules/predict/predictor.h"

struct range {
    double low, high;
};

/* Efforts of the presets that an encoder was seen with. */
struct effort_range {
    uint32_t encoder;
    struct range e;
};

struct model {
    enum target target;
    enum kind kind;
    uint32_t group;  /* number of its text */
    bool by_quality; /* its lessons were asked for by crf */
    size_t learned;  /* lessons with a value; 0: there is no model */

    /* Of what was learned from; nothing is predicted beyond what follows from these. */
    struct range bits_per_pixel, pixel_rate, streams;
    double height_max;
    struct effort_range *efforts; /* one per encoder */
    size_t effort_count;

    struct predictor line; /* of encodes that nobody has made */
    double r2;             /* of the scope that the line is of */
    struct model_report reports[SCOPE_COUNT];
    size_t report_count;
};

/*
 * rows: numbers of lessons in d, by source and then as in d; those that say too little are
 * passed over. said: of each lesson in d, what others of its source say; filled for those
 * of rows that something is said of. keep_line: m->line is wanted. group_text lives as
 * long as m.
 */
void model_make(struct model *m, const struct data *d, enum target t, enum kind k,
                const uint32_t rows[], size_t n, struct view group_text, bool keep_line,
                struct estimate said[]);
void model_deinit(struct model *m);

/* What it says of an encode that nobody has made; all NaN: nothing. *confidence: 0 to 1,
 * or NaN. */
struct estimate model_at(const struct model *m, const struct point *at,
                         double *confidence);

#endif
