"""Encodes while they run, and their quality frame by frame."""

from vocabulary import (
    COLUMN_NAMES, GREEN, RED, VMAF_STEPS, YELLOW, board, currency_variable, gauge, heading,
    line, money, now, override, stat, steps, table, timeseries, variable)

CHOSEN = 'scenario=~"$encode"'
COLUMN_NAMES.update({"instance": "Exporter", "state": "State"})
WORST = steps((None, RED), (60, YELLOW), (80, GREEN))


def metric(name, more=""):
    return f"{name}{{{CHOSEN}{more}}}"


def by_name(expr, more=""):
    return f"max by (instance, scenario{more}) ({expr})"


def frames(what, stat_name):
    return metric("qoe_frame_score", f',metric="{what}",stat="{stat_name}"')


STATE = metric("encode_state")
COST = money("cost_so_far", CHOSEN)

GLANCE = [
    (stat(f"Encodes {state}", f"How many of the chosen encodes {meaning}.",
          [now(f'sum(encode_state{{{CHOSEN},state="{state}"}})', state)], decimals=0,
          thresholds=steps((None, colour))), 4, 5)
    for state, meaning, colour in (
        ("running", "tell of their progress", GREEN),
        ("stalled", "have told nothing for a while (--stalled-after)", YELLOW),
        ("ended", "said that they end; one that was interrupted says so as well", GREEN),
        ("aborted", "broke off, or ended with an error", RED))
] + [
    (stat("Energy so far", "Of the chosen encodes, by the samples of power there are.",
          [now(f'sum({metric("encode_energy_joules_so_far")})', "energy")], unit="joule"),
     4, 5),
    (stat("Cost so far, $currency", "Of the chosen encodes: energy and compute.",
          [now(f"sum({COST})", "cost")], decimals=4), 4, 5),
]

ENCODES = table(
    "Encodes",
    "One row for each encode that is watched. An empty cell is not known: without a length "
    "there is no time left, without samples of power no energy.",
    [("state", by_name(f"{STATE} == 1", ", state")),
     ("Progress", by_name(metric("encode_progress_ratio"))),
     ("Time left", by_name(metric("encode_eta_seconds"))),
     ("Frames", by_name(metric("encode_frames_total"))),
     ("Frames/s", by_name(metric("encode_fps"))),
     ("Speed", by_name(metric("encode_speed_ratio"))),
     ("Bit rate", by_name(metric("encode_bitrate_bits_per_second"))),
     ("Dropped", by_name(metric("encode_dropped_frames_total"))),
     ("Energy", by_name(metric("encode_energy_joules_so_far"))),
     ("VMAF", by_name(frames("vmaf", "mean"))),
     ("Last news", by_name(metric("encode_last_update_timestamp_seconds") + " * 1000"))],
    ["scenario", "state", "instance"], sort="-Last news", hidden=("state",),
    units={"Progress": "percentunit", "Time left": "s", "Bit rate": "bps",
           "Energy": "joule", "Last news": "dateTimeFromNow"},
    overrides=[override("VMAF", decimals=1, thresholds=VMAF_STEPS)])

OVER_TIME = [
    [(timeseries("Progress", "How much of the content is encoded, where its length is known.",
                 [line(metric("encode_progress_ratio"), "{{scenario}}")],
                 unit="percentunit", low=0, high=1), 12, 8),
     (timeseries("Frames per second", "Encoded in a second, over the last seconds.",
                 [line(metric("encode_fps"), "{{scenario}}")], low=0), 12, 8)],
    [(timeseries("Speed", "Seconds of content for a second: below 1 a live encode falls "
                 "behind.", [line(metric("encode_speed_ratio"), "{{scenario}}")], low=0,
                 thresholds=steps((None, RED), (1, GREEN)), limits=True), 12, 8),
     (timeseries("Bit rate of the output", "Of the first output, since its start.",
                 [line(metric("encode_bitrate_bits_per_second"), "{{scenario}}")],
                 unit="bps", low=0), 12, 8)],
    [(timeseries("Quantizer", "Of each stream: the larger, the coarser.",
                 [line(metric("encode_quantizer"), "{{scenario}} {{stream}}")]), 12, 8),
     (timeseries("Cost of each encode so far, $currency",
                 "Energy and compute, in the chosen currency.",
                 [line(COST, "{{scenario}}")], low=0), 12, 8)],
]

QUALITY = [
    [(gauge("Mean VMAF of frames", "Mean over the chosen encodes of their frames' means.",
            [now(f'avg({frames("vmaf", "mean")})', "VMAF")], low=0, high=100, decimals=1,
            thresholds=VMAF_STEPS), 6, 8),
     (stat("Worst frame", "The least VMAF of any frame.",
           [now(f'bottomk(1, {frames("vmaf", "min")})', "{{scenario}}")],
           text="value_and_name", decimals=1, thresholds=WORST), 6, 8),
     (timeseries("VMAF of frames", "Mean and first percentile: a hundredth of all frames "
                 "score less than that.",
                 [line(frames("vmaf", "mean"), "{{scenario}} mean"),
                  line(frames("vmaf", "p1"), "{{scenario}} p1")], low=0, decimals=1,
                 thresholds=VMAF_STEPS, limits=True), 12, 8)],
    [(timeseries("PSNR of frames", "Mean and least, of the frames that are not identical.",
                 [line(frames("psnr", "mean"), "{{scenario}} mean"),
                  line(f'clamp_max({frames("psnr", "min")}, 100)', "{{scenario}} min")],
                 unit="dB", low=0, decimals=1), 12, 8),
     (timeseries("Frames below a threshold", "As a part of all frames with a score.",
                 [line(f'{metric("qoe_frames_below")} / ignoring (threshold) group_left () '
                       f'{metric("qoe_frames")}',
                       "{{scenario}} {{metric}} < {{threshold}}")],
                 unit="percentunit", low=0, high=1), 12, 8)],
]

BOARD = board(
    "encode-live", "Encode: running",
    "Encodes that run now: progress, speed, energy and cost so far, quality by frame.",
    [variable("encode", "Encode", "Encodes that are watched",
              "label_values(encode_state, scenario)", everything_is="(?s:.*)"),
     currency_variable()],
    [heading("At a glance"), GLANCE, heading("Now"), [(ENCODES, 24, 9)],
     heading("Over time"), *OVER_TIME, heading("Quality by frame"), *QUALITY],
    since="now-1h")
