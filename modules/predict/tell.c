/*
 * tell.c - which endpoint gets what of an outlook.
 *
 * HELP texts carry the formulas: who reads a figure of a model on a board has nothing
 * else at hand to judge it by.
 */
#include "modules/predict/tell.h"

#include "modules/predict/tell_inner.h"

#define INTERVAL  "of the 95 % prediction interval"
#define PER_HOUR  "per hour of content, of a configuration that nobody has to have run"
#define OF_CONFIG "of a configuration that nobody has to have run"
#define COST_FORMULA                                                                   \
    "energy at the price of --region plus core-hours at the CPU price, the sum of "    \
    "the "                                                                             \
    "two that are known"

#define HELP_UP                                                                        \
    "1 while models are there to predict with; 0 while there is too little data for "  \
    "any"
#define HELP_VERSION                                                                   \
    "Version of the models: a hash of what they were learned from and of the "         \
    "settings, that changes at most once a minute; always 1"
#define HELP_UPDATE "When the version of the models last changed; Unix time in seconds"
#define HELP_INFO   "Version, language and regression code of the exporter; always 1"
#define HELP_VMAF   "Predicted VMAF " OF_CONFIG ", for content that is new to the models"
#define HELP_PSNR                                                                      \
    "Predicted peak signal-to-noise ratio in dB " OF_CONFIG                            \
    ", for content that is new to the models"
#define HELP_CONFIDENCE                                                                \
    "How far a prediction of this target can be relied on, 0 to 1: max(0, R2) / "      \
    "sqrt(1 + h), with R2 from left-out sources (scope new_source; below three "       \
    "sources from left-out encodes) and h the leverage of the configuration, its "     \
    "distance from the data"
#define HELP_BITRATE                                                                   \
    "Lowest bit rate to ask for, in kbit/s, whose predicted VMAF reaches target_vmaf"
#define HELP_USD "Predicted cost in USD " PER_HOUR ": " COST_FORMULA
#define HELP_CO2                                                                       \
    "Predicted CO2 emissions in kg " PER_HOUR ": energy times the intensity of "       \
    "--region"

static const struct family results[RESULTS_FAMILIES] = {
    [RESULTS_POWER] = { "results_scenario_predicted_power_watts",
                        "Mean power of the encode in watts, predicted from other "
                        "encodes: its own measurement is left out",
                        GAUGE },
    [RESULTS_ENERGY] = { "results_scenario_predicted_energy_joules",
                         "Energy of the whole encode in joules, predicted from other "
                         "encodes: its own measurement is left out",
                         GAUGE },
    [RESULTS_EFFICIENCY] = { "results_scenario_predicted_efficiency_score",
                             "Pixels encoded per joule of the predicted energy",
                             GAUGE },
    [RESULTS_COST] = { "results_scenario_predicted_cost",
                       "Cost of the whole encode in the currency of the label: "
                       "predicted energy / 3.6e6 times the price per kWh plus "
                       "predicted "
                       "core-seconds / 3600 times the CPU price, the sum of the two "
                       "that "
                       "are known, without GPU",
                       GAUGE },
    [RESULTS_LOW] = { "results_scenario_prediction_confidence_low",
                      "Lower end " INTERVAL " of the mean power, in watts", GAUGE },
    [RESULTS_HIGH] = { "results_scenario_prediction_confidence_high",
                       "Upper end " INTERVAL " of the mean power, in watts", GAUGE },
    [RESULTS_R2] = { "results_model_r2_score",
                     "Cross-validated R2 of a model: 1 - sum of squared errors of "
                     "left-out encodes (known_source) or sources (new_source) / that "
                     "of "
                     "their mean; below 0 the mean predicts better",
                     GAUGE },
    [RESULTS_RMSE] = { "results_model_rmse",
                       "Root mean squared error of left-out encodes or sources, in the "
                       "unit of the target: core-seconds and joules per second of "
                       "content, watts, VMAF, dB, SSIM",
                       GAUGE },
    [RESULTS_SAMPLES] = { "results_model_samples",
                          "Number of encodes that a model was learned from", GAUGE },
    [RESULTS_COVERAGE] = { "results_model_coverage",
                           "Part of left-out encodes that lie within their 95 % "
                           "prediction intervals, 0 to 1",
                           GAUGE },
    [RESULTS_MODEL] = { "results_model_info",
                        "Form of a model and the features that it uses; always 1",
                        GAUGE },
    [RESULTS_ML_UP] = { "ml_exporter_up", HELP_UP, GAUGE },
    [RESULTS_ML_VERSION] = { "ml_model_version", HELP_VERSION, GAUGE },
    [RESULTS_ML_UPDATE] = { "ml_model_last_update_timestamp", HELP_UPDATE, GAUGE },
    [RESULTS_ML_INFO] = { "ml_exporter_info", HELP_INFO, GAUGE },
};

static const struct family qoe[QOE_FAMILIES] = {
    [QOE_VMAF] = { "qoe_predicted_vmaf", HELP_VMAF, GAUGE },
    [QOE_VMAF_LOW] = { "qoe_predicted_vmaf_low",
                       "Lower end " INTERVAL " of qoe_predicted_vmaf", GAUGE },
    [QOE_VMAF_HIGH] = { "qoe_predicted_vmaf_high",
                        "Upper end " INTERVAL " of qoe_predicted_vmaf", GAUGE },
    [QOE_PSNR] = { "qoe_predicted_psnr", HELP_PSNR, GAUGE },
    [QOE_PSNR_LOW] = { "qoe_predicted_psnr_low",
                       "Lower end " INTERVAL " of qoe_predicted_psnr, in dB", GAUGE },
    [QOE_PSNR_HIGH] = { "qoe_predicted_psnr_high",
                        "Upper end " INTERVAL " of qoe_predicted_psnr, in dB", GAUGE },
    [QOE_CONFIDENCE] = { "prediction_confidence", HELP_CONFIDENCE, GAUGE },
    [QOE_BITRATE] = { "recommended_bitrate_kbps", HELP_BITRATE, GAUGE },
    [QOE_BITRATE_LOW] = { "recommended_bitrate_kbps_low",
                          "Bit rate in kbit/s at which the upper end " INTERVAL
                          " of VMAF reaches target_vmaf: below it is hardly enough",
                          GAUGE },
    [QOE_BITRATE_HIGH] = { "recommended_bitrate_kbps_high",
                           "Bit rate in kbit/s at which the lower end " INTERVAL
                           " of VMAF reaches target_vmaf: from there on it is enough "
                           "for nearly all content",
                           GAUGE },
};

static const struct family cost[COST_FAMILIES] = {
    [COST_USD] = { "cost_predicted_usd", HELP_USD, GAUGE },
    [COST_USD_LOW] = { "cost_predicted_usd_low",
                       "Lower end of cost_predicted_usd: the same sum of the lower "
                       "ends "
                       "of the 95 % prediction intervals",
                       GAUGE },
    [COST_USD_HIGH] = { "cost_predicted_usd_high",
                        "Upper end of cost_predicted_usd: the same sum of the upper "
                        "ends of the 95 % prediction intervals",
                        GAUGE },
    [COST_CO2] = { "cost_predicted_co2_kg", HELP_CO2, GAUGE },
    [COST_CO2_LOW] = { "cost_predicted_co2_kg_low",
                       "Lower end " INTERVAL " of cost_predicted_co2_kg", GAUGE },
    [COST_CO2_HIGH] = { "cost_predicted_co2_kg_high",
                        "Upper end " INTERVAL " of cost_predicted_co2_kg", GAUGE },
};

static const struct family ml[ML_FAMILIES] = {
    [ML_UP] = { "ml_exporter_up", HELP_UP, GAUGE },
    [ML_VMAF] = { "qoe_predicted_vmaf", HELP_VMAF, GAUGE },
    [ML_PSNR] = { "qoe_predicted_psnr", HELP_PSNR, GAUGE },
    [ML_USD] = { "cost_predicted_usd", HELP_USD, GAUGE },
    [ML_CO2] = { "cost_predicted_co2_kg", HELP_CO2, GAUGE },
    [ML_CONFIDENCE] = { "prediction_confidence", HELP_CONFIDENCE, GAUGE },
    [ML_BITRATE] = { "recommended_bitrate_kbps", HELP_BITRATE, GAUGE },
    [ML_VERSION] = { "ml_model_version", HELP_VERSION, GAUGE },
    [ML_UPDATE] = { "ml_model_last_update_timestamp", HELP_UPDATE, GAUGE },
    [ML_INFO] = { "ml_exporter_info", HELP_INFO, GAUGE },
};

struct tell_families tell_families(enum tell_on on)
{
    static const struct tell_families of[TELL_ON_COUNT] = {
        [TELL_RESULTS] = { results, RESULTS_FAMILIES },
        [TELL_QOE] = { qoe, QOE_FAMILIES },
        [TELL_COST] = { cost, COST_FAMILIES },
        [TELL_ML] = { ml, ML_FAMILIES },
    };

    return of[on];
}

void tell_overall(enum tell_on on, const struct outlook *o,
                  const struct tell_context *c, struct series *out)
{
    static const struct tell_state_at on_results = { RESULTS_ML_UP, RESULTS_ML_VERSION,
                                                     RESULTS_ML_UPDATE,
                                                     RESULTS_ML_INFO };
    static const struct tell_state_at on_ml = { ML_UP, ML_VERSION, ML_UPDATE, ML_INFO };

    if (on == TELL_RESULTS) {
        if (o)
            tell_models(o, out);
        tell_state(&on_results, o, c, out);
        return;
    }
    if (o)
        tell_whatifs(on, o, c, out);
    if (on == TELL_ML)
        tell_state(&on_ml, o, c, out);
}
