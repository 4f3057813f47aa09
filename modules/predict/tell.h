/*
 * tell.h - an outlook as metrics.
 *
 * The families stand on the endpoints of the modules that they belong to, after these
 * modules' own, and those that the predecessor's prediction exporter had on a port of their
 * own as well (TELL_ML).
 */
#ifndef MODULES_PREDICT_TELL_H
#define MODULES_PREDICT_TELL_H

#include "core/about.h"
#include "core/module.h"
#include "modules/predict/outlook.h"

enum tell_on { TELL_RESULTS, TELL_QOE, TELL_COST, TELL_ML, TELL_ON_COUNT };

struct tell_families { /* in the order in which they are served */
    const struct family *all;
    uint16_t count;
};
struct tell_families tell_families(enum tell_on on);

struct tell_context {
    /* The prices of a region (empty: the one that --region names); false: the cost module
       is off. */
    bool (*tariff)(void *ctx, struct view region, struct tariff *out);
    void *ctx;
    const char *version;       /* of the program */
    const char *model_version; /* the one to tell; NULL: that of the outlook */
    double
        model_update_s; /* when the version told last changed; Unix time, NaN: unknown */
};

/* Samples about everything: models, what-if configurations, the state of the service. o
 * may be NULL: there is none yet. */
void tell_overall(enum tell_on on, const struct outlook *o,
                  const struct tell_context *c, struct series *out);

/* Samples of one scenario, of families of TELL_RESULTS. index: its place in at->run. */
void tell_scenario(const struct outlook *o, const struct place *at, uint32_t index,
                   const struct tell_context *c, struct series *out);

/* For people, on the page: a row for each configuration, in a section of their own. */
void tell_about(const struct outlook *o, const struct tell_context *c,
                struct about *out);

/*
 * For people, at the prompt: what is expected of *what, with intervals, and a table of bit
 * rates around it, and the reason for each figure that the data cannot say; as text in
 * English, or as one JSON object (docs/predictions.md). False: the data can say nothing of
 * what was asked.
 */
bool tell_person(const struct outlook *o, const struct whatif *what, double target_vmaf,
                 const struct tell_context *c, bool json, struct buf *out);

#endif
