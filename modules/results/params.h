/*
 * params.h - the free parameters of an encode as labels.
 */
#ifndef MODULES_RESULTS_PARAMS_H
#define MODULES_RESULTS_PARAMS_H

#include "core/scenario.h"
#include "core/series.h"

/* Whether params_add() has anything to add. */
bool params_given(const struct scenario *s);

/*
 * Extends l by one label per entry of s->params and by crf, rate_control, passes,
 * vmaf_model and transfer where they are given.
 */
void params_add(const struct scenario *s, struct series *out, struct labels *l);

#endif
