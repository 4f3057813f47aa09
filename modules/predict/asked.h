/*
 * asked.h - bit rate asked for → bit rate that comes out.
 */
#ifndef MODULES_PREDICT_ASKED_H
#define MODULES_PREDICT_ASKED_H

#include "modules/predict/predictor.h"

struct asked {
    struct predictor ratio; /* the log of what came over what was asked */
};

/* From the lessons that know both. */
void asked_make(struct asked *a, const struct data *d);
void asked_deinit(struct asked *a);

/* What comes out in bit/s; what was asked for where nothing is known. */
double asked_comes(const struct asked *a, const struct whatif *w, uint32_t encoder,
                   uint32_t preset);

#endif
