# ctest: timeout 240
"""Encodes held against each other: figures, when they change, and what has none."""

import json
import os
import random
import shutil
import signal
import subprocess
import unittest

import expo
import harness
from harness import Exporter

BD, FRONT = "qoe_bd_rate_percent", "qoe_pareto_optimal"
ANCHOR = "libx264 veryfast"
# All but the encodes in real time and those of several sizes, which the reference leaves out.
FILES = [f for f in harness.data_files("encodes")
         if not f.endswith(("_113052.json", "_113233.json", "_113413.json"))]
METRICS = ("vmaf", "psnr", "ssim")


def scenarios(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)["scenarios"]


def rates(exposition):
    return {(s.labels["source"], s.labels["encoder"], s.labels["preset"],
             s.labels["metric"]): s.value for s in exposition.samples(BD)}


def comparison(body):
    """The lines of both families."""
    return [line for line in body.decode().splitlines() if line.startswith((BD, FRONT))]


def reference():
    with open(os.path.join(harness.DATA, "reference", "bd_rate.json"),
              encoding="utf-8") as f:
        return {(e["clip"], e["test"]["encoder"], e["test"]["preset"], m): e["pchip"][m]
                for e in json.load(f)["entries"] for m in METRICS}


def with_rates_times(factor, scenario):
    return dict(scenario, actual_bitrate_kbps=scenario["actual_bitrate_kbps"] * factor)


def doubled(path):
    return json.dumps({"scenarios": [with_rates_times(2, s) for s in scenarios(path)]})


def of(encoder, clip):
    return next(f for f in FILES if scenarios(f)[0]["encoder"] == encoder and
                scenarios(f)[0]["source"] == clip)


class Figures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with Exporter("--runs", "all", "--qoe.bd-anchor", ANCHOR, files=FILES) as e:
            cls.qoe = e.metrics("qoe")
            cls.cost = e.metrics("cost")
            cls.body = e.get("qoe").body
            cls.everything = e.get("results", "/metrics/all").body
            cls.openmetrics = e.get("qoe", headers={
                "Accept": "application/openmetrics-text; version=1.0.0"}).body
            cls.zipped = e.get("qoe", headers={"Accept-Encoding": "gzip"})

    def test_rates_are_those_of_the_reference(self):
        found, wanted = rates(self.qoe), reference()
        # Both begin or end where the other does: 1, 20 and 39 % of the qualities are common.
        small = {("photopan720", "libsvtav1", "8", m) for m in METRICS}
        self.assertEqual(wanted.keys() - found.keys(), small)
        self.assertEqual(found.keys() - wanted.keys(), set())
        for key, value in found.items():
            self.assertAlmostEqual(value, wanted[key], delta=1e-4, msg=key)
        self.assertEqual({s.labels["anchor"] for s in self.qoe.samples(BD)}, {ANCHOR})

    def test_fronts_are_what_nothing_beats(self):
        total = {(s.labels["run_id"], s.labels["scenario"]): s.value
                 for s in self.cost.samples("cost_total_load_aware")}
        encodes = [(os.path.basename(f)[:-len(".json")], s) for f in FILES
                   for s in scenarios(f)]
        served = {(s.labels["against"], s.labels["run_id"], s.labels["scenario"]): s
                  for s in self.qoe.samples(FRONT)}
        self.assertEqual(len(served), 2 * len(encodes))
        for against in ("bitrate", "cost"):
            def point(run, s):
                return (s["actual_bitrate_kbps"] if against == "bitrate"
                        else total[run, s["name"]], s["vmaf_score"])
            for run, s in encodes:
                x, y = point(run, s)
                others = [point(r, o) for r, o in encodes if o["source"] == s["source"]]
                beaten = any(a <= x and b >= y and (a < x or b > y) for a, b in others)
                sample = served[against, run, s["name"]]
                self.assertEqual(sample.value, 0 if beaten else 1, (against, s["name"]))
                self.assertEqual(sample.labels["source"], s["source"])
                self.assertEqual(sample.labels["resolution"], s["resolution"])

    def test_every_answer_has_them(self):
        lines = comparison(self.body)
        self.assertGreater(len(lines), 300)
        self.assertEqual(comparison(self.everything), lines)
        self.assertEqual(comparison(self.openmetrics), lines)
        self.assertEqual(self.zipped.headers["Content-Encoding"], "gzip")

    def test_once_prints_the_same(self):
        directory = harness.temp_dir()
        self.addCleanup(lambda: shutil.rmtree(directory))
        for path in FILES:
            shutil.copy(path, directory)
        for what in ("qoe", "all"):
            done = harness.run("--results-dir", directory, "--once", what, "--runs=all",
                               "--qoe.bd-anchor", ANCHOR, "--predict=off")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(comparison(done.stdout_bytes), comparison(self.body))


class Changes(unittest.TestCase):
    def test_a_changed_file_changes_its_own_figures(self):
        path = of("libx265", "sintel360")
        with Exporter("--runs", "all", "--qoe.bd-anchor", ANCHOR, files=FILES) as e:
            before = rates(e.metrics("qoe"))
            e.write(os.path.basename(path), doubled(path))
            changed = ("sintel360", "libx265", "fast", "vmaf")
            after = rates(e.wait_metrics(
                "qoe", lambda x: rates(x).get(changed) != before[changed]))
            self.assertEqual(after.keys(), before.keys())
            for key, value in before.items():
                if key[:2] == ("sintel360", "libx265"):
                    value = 2 * (100 + value) - 100
                self.assertAlmostEqual(after[key], value, delta=1e-4, msg=key)

    def test_a_file_that_goes_takes_its_figures_along(self):
        path = of("libsvtav1", "traffic360")
        with Exporter("--runs", "all", "--qoe.bd-anchor", ANCHOR, files=FILES) as e:
            before = rates(e.metrics("qoe"))
            os.unlink(e.path(os.path.basename(path)))
            gone = {k for k in before if k[:2] == ("traffic360", "libsvtav1")}
            self.assertEqual(len(gone), 6)
            e.wait_metrics("qoe", lambda x: rates(x).keys() == before.keys() - gone)
            # Without its anchor a source has no rates; fronts stay.
            os.unlink(e.path(os.path.basename(of("libx264", "traffic360"))))
            left = e.wait_metrics("qoe", lambda x: not x.samples(BD, source="traffic360"))
            self.assertTrue(left.samples(FRONT, source="traffic360"))

    def test_the_newest_run_counts_however_files_come(self):
        path = of("libx265", "traffic360")
        newer = "test_results_20261121_000000.json"
        bodies = []
        for seed in range(2):
            files = list(FILES)
            random.Random(seed).shuffle(files)
            with Exporter("--runs", "all", "--qoe.bd-anchor", ANCHOR) as e:
                if seed:
                    e.write(newer, doubled(path))
                for file in files:
                    shutil.copy(file, e.directory)
                if not seed:
                    e.write(newer, doubled(path))
                e.wait_metrics("qoe", lambda x: len(rates(x)) == 78 and
                               x.samples(FRONT, run_id=newer[:-len(".json")]))
                key = ("traffic360", "libx265", "fast", "vmaf")
                wanted = 2 * (100 + reference()[key]) - 100
                e.wait_metrics("qoe",
                               lambda x: abs(rates(x).get(key, 0) - wanted) < 1e-4)
                bodies.append(comparison(e.get("qoe").body))
                old = os.path.basename(path)[:-len(".json")]
                self.assertFalse(e.metrics("qoe").samples(FRONT, run_id=old))
        self.assertEqual(bodies[0], bodies[1])

    def test_what_the_last_scan_finds_is_compared(self):
        path = of("libx265", "sintel360")
        key = ("sintel360", "libx265", "fast", "vmaf")
        wanted = 2 * (100 + reference()[key]) - 100
        with Exporter("--runs", "all", "--qoe.bd-anchor", ANCHOR, "--watch=poll",
                      "--poll-interval=1h", "--shutdown.linger=60s", files=FILES) as e:
            e.metrics("qoe")    # so that somebody is waited for
            e.write(os.path.basename(path), doubled(path))
            e.process.send_signal(signal.SIGTERM)
            e.wait_metrics("qoe", lambda x: abs(rates(x)[key] - wanted) < 1e-4)

    def test_new_prices_are_new_fronts(self):
        def best(exposition):
            return sum(s.value for s in exposition.samples(FRONT, against="cost"))
        scratch = harness.temp_dir()
        self.addCleanup(lambda: shutil.rmtree(scratch))
        prices = os.path.join(scratch, "prices.json")
        harness.write_atomically(prices, '{"cpu_cost_per_hour": 0.5}')
        with Exporter("--runs", "all", "--pricing-config", prices,
                      files=[of("libx264", "sintel360")]) as e:
            self.assertGreater(best(e.metrics("qoe")), 1)
            harness.write_atomically(prices, '{"cpu_cost_per_hour": 0}')
            e.wait_metrics("qoe", lambda x: best(x) == 1)    # all cost the same


class Absent(unittest.TestCase):
    def served(self, content, *flags):
        with Exporter(*flags) as e:
            e.write("test_results_20261121_000000.json", json.dumps(content))
            return e.wait_metrics("qoe", lambda x: x.value("qoe_scenarios_total") ==
                                  len(content["scenarios"]) and
                                  (x.samples(FRONT) or not flags))

    def test_one_run_alone_is_compared_and_has_no_run_id(self):
        with Exporter(files=[of("libx264", "sintel360")]) as e:
            found = e.metrics("qoe")
        # Each preset has six encodes: the first by name is the anchor.
        self.assertEqual({s.labels["anchor"] for s in found.samples(BD)},
                         {"libx264 medium"})
        self.assertEqual({s.labels["preset"] for s in found.samples(BD)},
                         {"ultrafast", "veryfast"})
        self.assertTrue(all("run_id" not in s.labels for s in found.samples(FRONT)))

    def test_what_names_no_source_is_not_compared(self):
        all_of_it = scenarios(of("libx264", "sintel360"))
        for s in all_of_it[6:]:
            del s["source"]
        found = self.served({"scenarios": all_of_it}, "--qoe.bd-anchor", ANCHOR)
        self.assertEqual(len(found.samples(FRONT)), 12)
        self.assertFalse(found.samples(BD))

    def test_other_parameters_are_other_sets(self):
        all_of_it = scenarios(of("libx264", "sintel360"))
        for s in all_of_it[6:]:
            s["params"] = {"tune": "film", "maxrate": s["bitrate"]}
        found = self.served({"scenarios": all_of_it}, "--qoe.bd-anchor",
                            "libx264 medium")
        self.assertEqual({s.labels.get("conditions") for s in found.samples(BD)},
                         {"tune=film"})
        self.assertEqual({s.labels.get("conditions") for s in found.samples(FRONT)},
                         {None, "tune=film"})

    def test_the_cost_axis_needs_the_cost_module(self):
        path = of("libx264", "sintel360")
        with Exporter("--only", "qoe", files=[path], listen=("qoe",)) as e:
            found = e.metrics("qoe")
        self.assertEqual({s.labels["against"] for s in found.samples(FRONT)}, {"bitrate"})
        with Exporter("--only", "cost", files=[path], listen=("cost",)) as e:
            self.assertEqual(comparison(e.get("cost", "/metrics/all").body), [])

    def test_an_anchor_is_an_encoder_and_a_preset(self):
        for wrong in ("libx264", "libx264 ", " veryfast"):
            done = harness.run("--qoe.bd-anchor", wrong, "--check-config")
            self.assertEqual(done.returncode, 2)
            self.assertIn("--qoe.bd-anchor", done.stderr)


class Library(unittest.TestCase):
    """compare.so lies beside the program; a copy of the program alone has none."""

    def setUp(self):
        self.scratch = harness.temp_dir()
        self.addCleanup(lambda: shutil.rmtree(self.scratch))
        self.program = os.path.join(self.scratch, "encode_exporter")
        shutil.copy(harness.binary(), self.program)
        shutil.copy(of("libx264", "sintel360"), self.scratch)

    def once(self, *flags):
        return subprocess.run(
            [self.program, "--results-dir", self.scratch, "--once", "qoe",
             "--predict=off", *flags], stdin=subprocess.DEVNULL,
            env=harness.environment(None), capture_output=True, text=True, timeout=60)

    def test_a_missing_one_is_a_warning(self):
        done = self.once()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count("compare.so"), 1)
        self.assertIn("encodes are not compared", done.stderr)
        self.assertNotIn(FRONT, expo.parse(done.stdout.encode()))

    def test_who_names_an_anchor_gets_an_error(self):
        done = self.once("--qoe.bd-anchor", ANCHOR)
        self.assertEqual(done.returncode, 1)
        self.assertIn("compare.so", done.stderr)


if __name__ == "__main__":
    harness.main()
