/*
 * forms.h - the forms that a model may have, the usual or the simplest one first.
 */
#ifndef MODULES_PREDICT_FORMS_H
#define MODULES_PREDICT_FORMS_H

#include "modules/predict/features.h"

struct forms {
    const struct form *all;
    size_t count;
    const double *penalties; /* the usual one first */
    size_t penalty_count;
};

/* For other encodes of the same content: common terms, and others of each source. The
 * simplest first. streams: distinct counts in the data (power alone asks). */
struct forms forms_known(enum kind k, size_t streams);

/* For content never seen: common terms alone. The usual first; another is taken only when
 * it errs clearly less. */
struct forms forms_new(enum kind k);

#endif
