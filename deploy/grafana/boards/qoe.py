"""Quality, and what it takes."""

from vocabulary import (
    CHOSEN, ENCODE_COLUMNS, PSNR_STEPS, VMAF_STEPS, board, by_encode, encoder_variable,
    gauge, heading, line, now, override, run_variable, scenario_variable, stat, steps,
    table, timeseries, GREEN, RED, YELLOW)

VMAF = f"qoe_vmaf_score{{{CHOSEN}}}"
# Identical frames have a PSNR of +Inf, which no mean and no axis can hold.
PSNR = f"clamp_max(qoe_psnr_score{{{CHOSEN}}}, 100)"
SSIM = f"qoe_ssim_score{{{CHOSEN}}}"
PER_WATT = f"qoe_quality_per_watt{{{CHOSEN}}}"
EFFICIENCY = f"qoe_efficiency_score{{{CHOSEN}}}"
DROPS = f"qoe_drop_rate{{{CHOSEN}}}"
SOURCE = f"results_scenario_energy_source_info{{{CHOSEN}}}"
COLOURED = {"type": "color-background", "mode": "basic"}

GLANCE = [
    (gauge("Average VMAF", "Mean of the chosen encodes. Red below 70, green from 85 on.",
           [now(f"avg({VMAF})", "VMAF")], low=0, high=100, decimals=1,
           thresholds=VMAF_STEPS), 6, 7),
    (gauge("Average PSNR",
           "Mean of the chosen encodes; identical frames, whose PSNR is infinite, count as "
           "100 dB. Red below 30, green from 40 dB on.",
           [now(f"avg({PSNR})", "PSNR")], unit="dB", low=0, high=100, decimals=1,
           thresholds=PSNR_STEPS), 6, 7),
    (stat("Lowest VMAF", "The chosen encode with the lowest VMAF.",
          [now(f"bottomk(1, {VMAF})", "{{scenario}}")], text="value_and_name", decimals=1,
          thresholds=VMAF_STEPS), 6, 7),
    (stat("Best quality per watt",
          "The chosen encode with the most VMAF for a watt of its mean power.",
          [now(f"topk(1, {PER_WATT})", "{{scenario}}")], text="value_and_name",
          unit="suffix:/W"), 6, 7),
]

OVER_TIME = [
    [(timeseries("VMAF", "VMAF of each chosen encode. Lines at 70 and 85. Newer models for "
                 "4K go beyond 100.", [line(VMAF, "{{scenario}}")], low=0, decimals=1,
                 thresholds=VMAF_STEPS, limits=True), 12, 9),
     (timeseries("PSNR", "PSNR of each chosen encode, infinite ones at 100 dB. Lines at 30 "
                 "and 40 dB.", [line(PSNR, "{{scenario}}")], unit="dB", low=0, decimals=1,
                 thresholds=PSNR_STEPS, limits=True), 12, 9)],
    [(timeseries("Quality per watt", "VMAF divided by the mean power (CPU and GPU) of the "
                 "encode. What the power rests on: Energy from in the summary.",
                 [line(PER_WATT, "{{scenario}}")], unit="suffix:/W", low=0), 12, 9),
     (timeseries("QoE efficiency", "Pixels × VMAF/100 for a joule: quality-weighted pixels "
                 "per joule.", [line(EFFICIENCY, "{{scenario}}")], unit="si:px/J", low=0),
      12, 9)],
    [(timeseries("SSIM", "SSIM of each chosen encode, 1 is identical.",
                 [line(SSIM, "{{scenario}}")], high=1, decimals=4), 12, 8),
     (timeseries("Frames dropped", "Dropped frames as a part of all.",
                 [line(DROPS, "{{scenario}}")], unit="percentunit", low=0,
                 thresholds=steps((None, GREEN), (0.001, YELLOW), (0.01, RED))), 12, 8)],
]

SUMMARY = table(
    "Summary",
    "One row for each chosen encode. An empty cell is not known: idle baselines have no "
    "quality, and encodes without power no efficiency.",
    [("VMAF", by_encode(VMAF)), ("PSNR", by_encode(PSNR)), ("SSIM", by_encode(SSIM)),
     ("Quality per watt", by_encode(PER_WATT)), ("QoE efficiency", by_encode(EFFICIENCY)),
     ("Frames dropped", by_encode(DROPS)),
     ("Mean power", by_encode(f"results_scenario_mean_power_watts{{{CHOSEN}}}")),
     ("source", by_encode(SOURCE, "source"))],
    [c for c in ENCODE_COLUMNS if c != "region"] + ["source"], sort="-VMAF",
    units={"Quality per watt": "suffix:/W", "QoE efficiency": "si:px/J",
           "Frames dropped": "percentunit", "Mean power": "watt"},
    hidden=("source",),
    overrides=[override("VMAF", decimals=1, thresholds=VMAF_STEPS,
                        custom__cellOptions=COLOURED, color={"mode": "thresholds"}),
               override("PSNR", unit="dB", decimals=1, thresholds=PSNR_STEPS,
                        custom__cellOptions=COLOURED, color={"mode": "thresholds"})])

BOARD = board(
    "qoe-monitoring", "Encode: quality",
    "VMAF, PSNR and SSIM of the served encodes, and how much power they take for it.",
    [run_variable(), scenario_variable(), encoder_variable()],
    [heading("At a glance"), GLANCE, heading("Over time"), *OVER_TIME,
     heading("Encodes"), [(SUMMARY, 24, 12)]])
