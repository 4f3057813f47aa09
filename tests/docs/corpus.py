"""Runs of the exporter that between them show every family, and what they showed.

Labels stand in no table, so they are those of real answers; a family is said to be there
"with" the first of these runs that showed it."""

import datetime
import glob
import json
import os
import re
import shutil
import time

import expo
import harness
import web
from harness import Exporter
from powertree import Tree
from receiver import Receiver

MATRIX = json.dumps({"status": "success",
                     "data": {"resultType": "matrix", "result": []}}).encode()
PRICES = {"regions": {"somewhere": {"electricity_price": 0.3, "currency": "EUR",
                                    "co2_kg_per_kwh": 0.3, "as_of": "2026-11-01"}}}


class Corpus:
    def __init__(self, release):
        self.release = release
        self.order = []    # what each run had, in the order of the runs
        self.labels = {}   # (endpoint, family) → {label: where it was seen first}
        self.first = {}    # (endpoint, family) → what the first run had that showed it

    def note(self, what, endpoint, exposition):
        if what not in self.order:
            self.order.append(what)
        for family in exposition.families.values():
            key = endpoint, family.name
            self.first.setdefault(key, what)
            seen = self.labels.setdefault(key, {})
            for sample in family.samples:
                for label in sample.labels:
                    if not (family.type == "histogram" and label == "le"):
                        seen.setdefault(label, what)

    def run(self, what, *flags, files=(), until=None, during=None, ml=False, **more):
        """until(e): true when all is served that this run is to show."""
        if ml:
            flags += ("--ml.listen-address=127.0.0.1:0",)
        with Exporter(*flags, files=files, release=self.release, **more) as e:
            if ml:
                line = e.wait_log(r"listening endpoint=ml")
                e.ports["ml"] = int(re.search(r":(\d+)\b", line.split("address=")[1])[1])
            if during:
                during(e)
            if until:
                harness.wait_until(lambda: until(e), timeout=60, what=what or "all")
            for endpoint in e.ports:
                self.note(what, endpoint, e.metrics(endpoint))


def has(endpoint, *families):
    return lambda e: all(f in e.metrics(endpoint) for f in families)


def break_file(e):
    """A file that is served goes bad, and its older version stays."""
    e.write("test_results_1.json", '{"scenarios": [{"name": "a", "duration": 1}]}')
    e.wait_metrics("results", lambda x: x.value("results_scenarios_total") == 1)
    e.write("test_results_1.json", "{")
    e.wait_metrics("results", lambda x: "encode_exporter_run_stale" in x)


def start_encode(e):
    e.write("test_results_1.json", json.dumps({"scenarios": [
        {"name": "a", "bitrate": "1M", "resolution": "1280x720", "fps": 30,
         "start_time": time.time() - 5}]}))


def with_power(directory):
    """The example runs as if their power had been measured: 20 W and 8 W for each core."""
    made = []
    for path in sorted(glob.glob(os.path.join(harness.EXAMPLES, "*p_*.json"))):
        with open(path, encoding="utf-8") as f:
            run = json.load(f)
        for s in run["scenarios"]:
            cores = s.get("cpu_core_seconds", 0) / s["duration"] if (
                "cpu_core_seconds" in s) else sum(s["cpu_usage_cores"]) / len(s["cpu_usage_cores"])
            s["energy_joules"] = (20 + 8 * cores) * s["duration"]
        made.append(os.path.join(directory, os.path.basename(path)))
        with open(made[-1], "w", encoding="utf-8") as f:
            json.dump(run, f)
    return made


def compare_encodes(e):
    """Curves of one source, all with a parameter."""
    path = next(f for f in harness.data_files("encodes") if f.endswith("_114333.json"))
    with open(path, encoding="utf-8") as f:
        run = json.load(f)
    for s in run["scenarios"]:
        s["params"] = {"tune": "film"}
    e.write(os.path.basename(path), json.dumps(run))


def plain(c):
    for path in (harness.data_files("edge") + harness.data_files("go-era")
                 + harness.data_files("python-era")[:1] + harness.data_files("encodes")[:1]):
        c.run("", files=[path])
    c.run("a file that goes bad", during=break_file)
    c.run("an encode whose end is not known", during=start_encode,
          until=has("results", "encode_state"))
    c.run("encodes of one `source`", during=compare_encodes,
          until=has("qoe", "qoe_bd_rate_percent"))
    c.run("`--runs all`", "--runs=all", files=harness.data_files("edge"))


def configured(c, directory):
    prices = os.path.join(directory, "prices.json")
    harness.write_atomically(prices, json.dumps(PRICES))
    c.run("`--pricing-config`, with `as_of`", f"--pricing-config={prices}",
          "--region=somewhere", files=harness.data_files("edge"))
    c.run("`--compare-regions`", "--compare-regions=us-east-1",
          files=harness.data_files("edge"))
    with web.ConfigFile(web.fast_users()) as config, Exporter(
            f"--web.config.file={config.path}", release=c.release) as e:
        headers = web.basic("alice", web.FAST["alice"][0])
        c.note("`--web.config.file`", "results",
               expo.parse(e.get("results", "/metrics", headers).body))


def predicted(c, directory):
    files = with_power(directory)
    there = has("results", "results_scenario_predicted_power_watts",
                "results_scenario_predicted_cost", "encode_exporter_predict_fit_seconds")
    c.run("`--predict on`, the default", "--predict=on", files=files,
          until=lambda e: there(e) and has("cost", "cost_predicted_co2_kg")(e)
          and has("qoe", "recommended_bitrate_kbps")(e))
    c.run("`--ml.listen-address`", "--predict=on", files=files, ml=True,
          until=lambda e: e.get("ml", "/health").status == 200
          and has("ml", "cost_predicted_co2_kg", "recommended_bitrate_kbps")(e))


def measured(c, directory):
    tree = Tree(os.path.join(directory, "machine"))
    tree.zone("intel-rapl:0", "package-0", 1000000)
    tree.cores(100)
    tree.process(10, "ffmpeg", 5, 50)
    flags = tree.flags("--power=rapl", "--power.process=ffmpeg")

    def move(e):
        def moved():
            tree.energy("intel-rapl:0", int(time.monotonic() * 1e6))
            return has("results", "encode_exporter_power_watts")(e)
        harness.wait_until(moved, what="watts")
    for what, more in (("`--power` that finds any, the default", ()),
                       ("`--power.rapl-names`", ("--power.rapl-names",))):
        c.run(what, *flags, *more, during=move)


def asked(c, directory):
    token = os.path.join(directory, "token")
    harness.write_atomically(token, "token\n")
    past = harness.data_files("python-era")[:1]
    with Receiver((200, MATRIX)) as r:
        c.run("`--prometheus-url`", f"--prometheus-url={r.url}", files=past,
              until=has("results", "encode_exporter_upstream_last_success_timestamp_seconds"))
    with Receiver((204, b"")) as r:
        c.run("`--push.url`", f"--push.url={r.url}", "--push.interval=1s",
              until=has("results", "encode_exporter_push_last_success_timestamp_seconds"))
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    reply = json.dumps({"zone": "DE", "carbonIntensity": 100, "datetime": now}).encode()
    with Receiver((200, reply)) as r:
        c.run("`--electricity-maps-token-file`", "--electricity-maps-zone=DE",
              f"--electricity-maps-token-file={token}", f"--electricity-maps-url={r.url}",
              until=has("results", "encode_exporter_carbon_last_success_timestamp_seconds"))


def watched(c, directory):
    """An encode whose progress came by a request, and the logs of its frames as files."""
    formats = os.path.join(harness.DATA, "formats")
    name = "photopan720_libx264_veryfast_150k"
    with open(os.path.join(formats, "progress", "sig_KILL.progress"), "rb") as f:
        blocks = f.read()

    def watch(e):
        reply = e.get("results", f"/progress/{name}?duration=20", method="POST", body=blocks)
        assert reply.status == 200, reply.text
        for suffix in ("psnr.log", "vmaf.json"):
            shutil.copy(os.path.join(formats, "pooling", f"{name}.{suffix}"), e.directory)

    def begin(e):
        with open(e.path("running.progress"), "wb") as f:
            f.write(blocks)
    c.run("an encode whose end is not known", "--power.model=10,5", "--power=auto",
          during=begin, until=has("results", "encode_energy_joules_so_far"))
    c.run("an encode that is watched", during=watch,
          until=lambda e: has("results", "encode_eta_seconds", "encode_state")(e)
          and has("qoe", "qoe_frame_score", "qoe_vmaf_score")(e)
          and len(e.metrics("qoe").samples("qoe_frames")) >= 2)
    for program in ("ffmpeg", "ffprobe"):    # they have nothing to do
        shutil.copy(shutil.which("true"), os.path.join(directory, program))
    c.run("`--qoe.compute`", "--qoe.compute", f"--ffmpeg={directory}/ffmpeg",
          until=has("results", "encode_exporter_quality_computing"))


def collect(release=False):
    c = Corpus(release)
    directory = harness.temp_dir()
    try:
        plain(c)
        configured(c, directory)
        predicted(c, directory)
        measured(c, directory)
        asked(c, directory)
        watched(c, directory)
    finally:
        shutil.rmtree(directory)
    return c
