/*
 * tell_inner.h - what the parts of tell share. For nobody else.
 *
 *   tell.c             which endpoint gets what
 *   tell_results.c     scenarios and models
 *   tell_whatif.c      configurations that nobody has run
 *   tell_state.c       the service itself
 *   tell_price.c       quantities → money and CO2
 *   tell_about.c       the configurations, on the page
 *   tell_person.c      the answer at the prompt: what there is to say, and why not
 *   tell_text.c        the same as text
 *   tell_json.c        the same as JSON
 */
#ifndef MODULES_PREDICT_TELL_INNER_H
#define MODULES_PREDICT_TELL_INNER_H

#include "modules/predict/tell.h"

/* The families of each endpoint, in the order in which they are served. */
enum tell_of_results {
    RESULTS_POWER,
    RESULTS_ENERGY,
    RESULTS_EFFICIENCY,
    RESULTS_COST,
    RESULTS_LOW,
    RESULTS_HIGH,
    RESULTS_R2,
    RESULTS_RMSE,
    RESULTS_SAMPLES,
    RESULTS_COVERAGE,
    RESULTS_MODEL,
    RESULTS_ML_UP,
    RESULTS_ML_VERSION,
    RESULTS_ML_UPDATE,
    RESULTS_ML_INFO,
    RESULTS_FAMILIES,
};

enum tell_of_qoe {
    QOE_VMAF,
    QOE_VMAF_LOW,
    QOE_VMAF_HIGH,
    QOE_PSNR,
    QOE_PSNR_LOW,
    QOE_PSNR_HIGH,
    QOE_CONFIDENCE,
    QOE_BITRATE,
    QOE_BITRATE_LOW,
    QOE_BITRATE_HIGH,
    QOE_FAMILIES,
};

enum tell_of_cost {
    COST_USD,
    COST_USD_LOW,
    COST_USD_HIGH,
    COST_CO2,
    COST_CO2_LOW,
    COST_CO2_HIGH,
    COST_FAMILIES,
};

enum tell_of_ml {
    ML_UP,
    ML_VMAF,
    ML_PSNR,
    ML_USD,
    ML_CO2,
    ML_CONFIDENCE,
    ML_BITRATE,
    ML_VERSION,
    ML_UPDATE,
    ML_INFO,
    ML_FAMILIES,
};

/* Where the state of the service goes: families of TELL_RESULTS or of TELL_ML. */
struct tell_state_at {
    uint16_t up, version, update, info;
};
void tell_state(const struct tell_state_at *at, const struct outlook *o,
                const struct tell_context *c, struct series *out);

void tell_models(const struct outlook *o, struct series *out);

/* The configurations, on an endpoint that shows them. */
void tell_whatifs(enum tell_on on, const struct outlook *o,
                  const struct tell_context *c, struct series *out);

/* The prices of a region (empty: that of --region); false: none. */
bool tell_tariff(const struct tell_context *c, struct view region, struct tariff *out);

/*
 * Money for energy in joules and core-seconds: the sum of the two that are known (of
 * a quantity or of a price), as cost_total_load_aware has it, to four significant digits;
 * NaN: neither is.
 */
double tell_cost(double energy_j, double core_seconds, const struct tariff_prices *in);

/*
 * The same per hour of content, from figures per second of content. The ends of the sum
 * are the sums of the ends: the interval is never narrower than one of 95 %, as errors of
 * the two parts can at most go together.
 */
struct estimate tell_hourly_cost(const struct whatif_outlook *w,
                                 const struct tariff_prices *in);
struct estimate tell_hourly_co2_kg(const struct whatif_outlook *w,
                                   const struct tariff *t);

/* ---- at the prompt ---- */

enum {
    ANSWER_ROWS = 8, /* of the table of bit rates */
    WHY_MAX = 200,
};

/* A figure of the answer: its name for programs, for people, and where it stands. */
struct answer_figure {
    const char *key, *title;
    enum target target;
    size_t offset; /* in struct whatif_outlook */
};
extern const struct answer_figure answer_figures[TARGET_COUNT];

const struct estimate *answer_estimate(const struct answer_figure *f,
                                       const struct whatif_outlook *w);

struct answer {
    const struct outlook *o;
    struct whatif_outlook asked;
    struct whatif_outlook row[ANSWER_ROWS]; /* those of which something is known */
    size_t rows;
    uint32_t samples[TARGET_COUNT]; /* of the models of new sources; most of a group */
    uint32_t sources[TARGET_COUNT];
    char why[TARGET_COUNT][WHY_MAX]; /* why a figure cannot be said; "": it is said */
    char why_bitrate[WHY_MAX];       /* the same of the recommended bit rate */
    bool priced;                     /* t is known */
    struct tariff t;
    bool anything; /* is known of what was asked */
};

/* Whether intervals hold for content that is new: only where there are sources enough to
 * tell how much content differs. */
bool answer_holds_for_new(const struct answer *a, uint32_t *sources);

/* "high" … "very low" */
const char *confidence_word(double confidence);

/* What a cost is the sum of, where there is one: "energy and compute", or the one of them
 * that is known. */
const char *cost_parts(const struct whatif_outlook *w);

void answer_as_text(const struct answer *a, struct buf *out);
void answer_as_json(const struct answer *a, struct buf *out);

#endif
