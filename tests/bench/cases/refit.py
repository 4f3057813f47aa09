"""How long models of many encodes take, and what is noticed of it meanwhile."""

import re
import time

import events
import generate
from cases.loop import Prober
from figures import Check, Row

HOW = ("seconds that the server says its last fit of all models took, over the number of "
       "targets: from its start with such a file, and after a change to it. unanswered: "
       "scrapes from that change to the second fit that did not show what the first one said")
HOW_LOOP = ("as in the other rows of the loop, from ready to the first fit, and from when a "
            "change is served to the second")
SOURCES = 200
PRESETS = ("ultrafast", "veryfast", "medium", "slow")
FITS = re.compile(rb"^encode_exporter_predict_fits_total (\d+)", re.M)
SECONDS = re.compile(rb"^encode_exporter_predict_fit_seconds (\S+)", re.M)
SAMPLES = re.compile(rb"^results_model_samples\{.*$", re.M)
TARGET = re.compile(rb'target="([^"]*)"')
PATIENCE_S = 120    # a second fit waits 19 times what the first one took
PATH = ("/metrics?name[]=encode_exporter_predict_fits_total"
        "&name[]=encode_exporter_predict_fit_seconds&name[]=results_model_samples")


class Encodes(events.Changing):
    """Encodes that say all that models look at, of many sources."""

    def __init__(self, count):
        super().__init__(count)
        run = generate.scenarios(count, 1)
        for i, s in enumerate(run):
            if not s["total_frames"]:
                continue
            s["source"] = f"clip{i % SOURCES}"
            s["encoder"] = s["encoder_type"]
            s["preset"] = PRESETS[i // SOURCES % len(PRESETS)]
            s["fps"] = 30
            s["actual_bitrate_kbps"] = int(s["bitrate"][:-1]) * (0.9 + i % 21 / 100)
        self.texts = [generate.scenario_text(s) for s in run]
        self.scenario = run[self.place]


def fits(body):
    found = FITS.search(body)
    return int(found[1]) if found else None


def during_fit(exporter, prober, count):
    """Until so many fits were made: (the body that says so, those before it, how many ms
    each took)."""
    before, took_ms = [], []
    with exporter.connect("results", PATH) as client:
        begun = last = time.perf_counter()
        body = client.ask()[1]
        while fits(body) is not None and fits(body) < count:
            prober.probe()
            if time.perf_counter() - last > 0.02:
                last = time.perf_counter()
                before.append(body)
                body = client.ask()[1]
                took_ms.append((time.perf_counter() - last) * 1e3)
            if last - begun > PATIENCE_S:
                raise RuntimeError(f"no fit within {PATIENCE_S} s")
    return body, before, took_ms


def measure(bench, count):
    """(seconds of all fits, loop ms, targets, ms of scrapes meanwhile, those of them that
    did not show the fit before)."""
    directory = bench.scratch("refit")
    name = generate.name(0)
    encodes = Encodes(count)
    events.put(directory, name, encodes.text(0))
    seconds, loops, scrapes, unanswered = [], [], [], 0
    for i in range(bench.size.long_starts):
        with bench.exporter(directory) as e, Prober(e) as prober, \
                e.connect("results", events.MARK) as mark:
            first, _, _ = during_fit(e, prober, 1)
            if fits(first) is None:
                return None
            said = SAMPLES.findall(first)
            loops.append(prober.loop_ms)
            text = encodes.text(1 + i)
            events.until(mark, events.put(directory, name, text), events.marked(f"r{1 + i}"))
            prober.reset()
            second, before, took_ms = during_fit(e, prober, 2)
            loops.append(prober.loop_ms)
            seconds += [float(SECONDS.search(b)[1]) for b in (first, second)]
            scrapes += took_ms
            unanswered += sum(SAMPLES.findall(b) != said for b in before)
    targets = len({t for line in said for t in TARGET.findall(line)})
    return seconds, loops, targets, scrapes, unanswered


def run(bench):
    if not bench.wants("refit"):
        return
    count = bench.size.large
    what = f"one target refitted, {count} encodes of {SOURCES} sources"
    what_loop = f"loop kept busy while models are fitted, {count} encodes"
    found = measure(bench, count)
    if not found:
        yield Row("refit", what, HOW, "s", skipped="nothing is predicted")
        yield Row("refit.loop", what_loop, HOW_LOOP, "ms", skipped="nothing is predicted")
        return
    seconds, loops, targets, scrapes, unanswered = found
    each = [s / targets for s in seconds]
    yield Row("refit", what, HOW, "s", each,
              [Check("max", max(each), 1), Check("unanswered", unanswered, 0)],
              f"all {targets} targets {max(seconds):.2f} s at most; {len(scrapes)} scrapes "
              f"meanwhile, longest {max(scrapes):.1f} ms",
              detail={"fit_s": seconds, "targets": targets, "scrape_ms": scrapes})
    yield Row("refit.loop", what_loop, HOW_LOOP, "ms", loops, [Check("loop", max(loops), 5)])
