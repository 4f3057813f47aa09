"""What was predicted, how right that was, and what encodes would take that nobody ran."""

from vocabulary import (
    CHOSEN, ENCODE_COLUMNS, GREEN, RED, RUN, UP_OR_DOWN, UP_STEPS, YELLOW, bargauge, board,
    by_encode, currency_variable, encoder_variable, from_usd, heading, line, money, now,
    override, run_variable, scenario_variable, stat, steps, table, timeseries, variable,
    with_basis)

ACTUAL = f"results_scenario_mean_power_watts{{{CHOSEN}}}"
PREDICTED = f"results_scenario_predicted_power_watts{{{CHOSEN}}}"
LOW = f"results_scenario_prediction_confidence_low{{{CHOSEN}}}"
HIGH = f"results_scenario_prediction_confidence_high{{{CHOSEN}}}"
ENERGY = f"results_scenario_total_energy_joules{{{CHOSEN}}}"
ENERGY_PREDICTED = f"results_scenario_predicted_energy_joules{{{CHOSEN}}}"
BAND = f'{RUN},scenario="$band",encoder=~"$encoder"'
CONFIGURATION = "config, bitrate, resolution, fps, encoder, preset"
CONFIGURATION_COLUMNS = ["config", "resolution", "fps", "encoder", "preset", "bitrate"]
ERROR_STEPS = steps((None, GREEN), (15, YELLOW), (30, RED))


def error(predicted, actual):
    """Percent of the actual figure; above 0: too much was predicted."""
    return f"100 * ({predicted} - {actual}) / ({actual} > 0)"


def of_band(family):
    return f"avg({family}{{{BAND}}})"


MODELS = [
    (stat("Models", "Up while there are models; down while there is too little data for "
          "any.", [now("min(ml_exporter_up)", "models")], background=True,
          thresholds=UP_STEPS, mappings=UP_OR_DOWN), 4, 5),
    (stat("Version", "Hash of data and settings: the same data, the same version.",
          [now("ml_model_version", "{{version}}")], text="name"), 5, 5),
    (stat("Last change of the models", "Time since the version changed.",
          [now("time() - max(ml_model_last_update_timestamp)", "ago")], unit="s"), 5, 5),
    (stat("Mean error, power",
          "Mean of the absolute errors of the chosen encodes, in percent of what was "
          "measured. Yellow from 15, red from 30 % on, the limit of the alert "
          "PredictionDeviation.",
          [now(f"avg(abs({error(PREDICTED, ACTUAL)}))", "error")], unit="percent",
          decimals=1, thresholds=ERROR_STEPS), 5, 5),
    (stat("Within the interval", "Part of the chosen encodes whose power lies within its "
          "95 % interval.",
          [now(f"avg(({ACTUAL} >= bool {LOW}) * ({ACTUAL} <= bool {HIGH}))", "within")],
          unit="percentunit", decimals=1,
          thresholds=steps((None, RED), (0.8, YELLOW), (0.9, GREEN))), 5, 5),
]

BAND_PANEL = timeseries(
    "Power: actual against predicted, $band",
    "Mean power of the encode chosen as Band, its prediction from all other encodes, and "
    "the 95 % interval as a band. Where several encodes bear the name, their means.",
    [line(of_band("results_scenario_mean_power_watts"), "actual"),
     line(of_band("results_scenario_predicted_power_watts"), "predicted"),
     line(of_band("results_scenario_prediction_confidence_low"), "95 % low"),
     line(of_band("results_scenario_prediction_confidence_high"), "95 % high")],
    unit="watt", low=0,
    overrides=[override("95 % high", custom__fillBelowTo="95 % low",
                        custom__fillOpacity=20, custom__lineWidth=0,
                        color={"mode": "fixed", "fixedColor": "blue"}),
               override("95 % low", custom__lineWidth=0, custom__fillOpacity=0,
                        color={"mode": "fixed", "fixedColor": "blue"}),
               override("predicted", color={"mode": "fixed", "fixedColor": "blue"},
                        custom__lineStyle={"fill": "dash", "dash": [8, 6]}),
               override("actual", color={"mode": "fixed", "fixedColor": "orange"},
                        custom__lineWidth=2)])

ERRORS = timeseries(
    "Error in percent",
    "Predicted minus actual, in percent of the actual mean power and energy. Above 0: too "
    "much was predicted. Lines at 30 %, the limit of the alert PredictionDeviation.",
    [line(error(PREDICTED, ACTUAL), "{{scenario}}, power"),
     line(error(ENERGY_PREDICTED, ENERGY), "{{scenario}}, energy")],
    unit="percent", decimals=1, limits=True,
    thresholds=steps((None, RED), (-30, GREEN), (30, RED)))

COMPARED = table(
    "Actual against predicted",
    "One row for each chosen encode that something was predicted of. Each is predicted from "
    "the others, its own measurement left out. Cost in the chosen currency; what the actual "
    "one rests on stands beside it.",
    [("Power, predicted", by_encode(PREDICTED)), ("Power, actual", by_encode(ACTUAL)),
     ("95 % low", by_encode(LOW)), ("95 % high", by_encode(HIGH)),
     ("Error, power", by_encode(error(PREDICTED, ACTUAL))),
     ("Energy, predicted", by_encode(ENERGY_PREDICTED)),
     ("Energy, actual", by_encode(ENERGY)),
     ("Error, energy", by_encode(error(ENERGY_PREDICTED, ENERGY))),
     ("Cost, predicted", by_encode(money("results_scenario_predicted_cost", CHOSEN),
                                   "currency")),
     ("Cost, actual", by_encode(with_basis(money("cost_total_load_aware", CHOSEN), CHOSEN),
                                "currency, energy, compute"))],
    [c for c in ENCODE_COLUMNS if c != "region"] + ["currency", "energy", "compute"],
    units={"Power, predicted": "watt", "Power, actual": "watt", "95 % low": "watt",
           "95 % high": "watt", "Error, power": "percent", "Energy, predicted": "joule",
           "Energy, actual": "joule", "Error, energy": "percent"})

SCORED = "model, target, scope, group"
SCORES = table(
    "Model scores",
    "Cross-validated: what each model says of encodes that it has not seen. known_source: "
    "others of the same content were learned from; new_source: none. Coverage is the part "
    "of them within their 95 % intervals.",
    [("R²", f"max by ({SCORED}) (results_model_r2_score)"),
     ("RMSE", f"max by ({SCORED}) (results_model_rmse)"),
     ("Encodes", f"max by ({SCORED}) (results_model_samples)"),
     ("Coverage", f"max by ({SCORED}) (results_model_coverage)")],
    ["target", "scope", "model", "group"], sort="target", units={"Coverage": "percentunit"},
    overrides=[override("R²", decimals=3, color={"mode": "thresholds"},
                        thresholds=steps((None, RED), (0.5, YELLOW), (0.8, GREEN)),
                        custom__cellOptions={"type": "color-text"})])

SCORES_OVER_TIME = timeseries(
    "R² of the models", "1 is perfect, 0 as good as the mean of all. The alert "
    "LowModelAccuracy looks at known_source below 0.8.",
    [line(f"max by ({SCORED}) (results_model_r2_score)", "{{target}} {{scope}} {{group}}")],
    high=1, decimals=2)

RECOMMENDED = bargauge(
    "Recommended bit rate",
    "Lowest bit rate to ask for whose predicted VMAF reaches --predict.target-vmaf, for "
    "each configuration of --predict.configs that the data can tell of.",
    [now(f"max by ({CONFIGURATION}, target_vmaf) (recommended_bitrate_kbps)",
         "{{config}}, VMAF {{target_vmaf}}")], unit="Kbits", low=0)

CONFIDENCE = bargauge(
    "Confidence", "0 to 1: how much of what sets unseen sources apart the model tells, less "
    "where few encodes are like the configuration.",
    [now("max by (config, target) (prediction_confidence)", "{{config}}, {{target}}")],
    low=0, high=1, decimals=2,
    thresholds=steps((None, RED), (0.3, YELLOW), (0.7, GREEN)))


def of_configuration(expr, more=""):
    return f"max by ({CONFIGURATION}{more}) ({expr})"


WHAT_IF = table(
    "What if",
    "What each configuration would give: expected value and 95 % interval. Cost (in the "
    "chosen currency) and CO₂ are for an hour of content, at the prices of --region. "
    "An empty cell cannot be told from the data.",
    [("VMAF", of_configuration("qoe_predicted_vmaf")),
     ("VMAF low", of_configuration("qoe_predicted_vmaf_low")),
     ("VMAF high", of_configuration("qoe_predicted_vmaf_high")),
     ("PSNR", of_configuration("qoe_predicted_psnr")),
     ("PSNR low", of_configuration("qoe_predicted_psnr_low")),
     ("PSNR high", of_configuration("qoe_predicted_psnr_high")),
     ("Recommended", of_configuration("recommended_bitrate_kbps")),
     ("Cost/h", of_configuration(from_usd("cost_predicted_usd"), ", currency")),
     ("Cost/h low", of_configuration(from_usd("cost_predicted_usd_low"), ", currency")),
     ("Cost/h high", of_configuration(from_usd("cost_predicted_usd_high"), ", currency")),
     ("CO₂/h", of_configuration("cost_predicted_co2_kg")),
     ("Confidence", of_configuration('prediction_confidence{target="vmaf"}'))],
    CONFIGURATION_COLUMNS + ["currency"], sort="Configuration", decimals=2,
    units={"PSNR": "dB", "PSNR low": "dB", "PSNR high": "dB", "Recommended": "Kbits",
           "CO₂/h": "masskg"})

BOARD = board(
    "encode-predictions", "Encode: predictions",
    "Predictions beside what was measured, the models' scores, and configurations that "
    "nobody has run.",
    [run_variable(), scenario_variable(), encoder_variable(), currency_variable(),
     variable("band", "Band", "The encode whose prediction is shown with its interval",
              "label_values(results_scenario_prediction_confidence_high{" + CHOSEN + "}, "
              "scenario)", several=False)],
    [heading("Models"), MODELS, heading("Actual against predicted"),
     [(BAND_PANEL, 12, 9), (ERRORS, 12, 9)], [(COMPARED, 24, 9)],
     heading("How good the models are"), [(SCORES, 12, 8), (SCORES_OVER_TIME, 12, 8)],
     heading("What nobody has run yet"), [(RECOMMENDED, 12, 8), (CONFIDENCE, 12, 8)],
     [(WHAT_IF, 24, 8)]])
