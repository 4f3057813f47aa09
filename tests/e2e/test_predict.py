# ctest: timeout 240
"""Predictions: learned from all runs of the directory, served beside what they belong to."""

import json
import os
import random
import shutil
import signal
import subprocess
import threading
import unittest

import expo
import harness
from harness import Exporter

FILES = harness.data_files("encodes")
ON = "--predict=on"
ENDS_ALONE = ("ml_model_last_update_timestamp",)    # a time of this process
PER_SCENARIO = ("results_scenario_predicted_power_watts",
                "results_scenario_predicted_energy_joules",
                "results_scenario_predicted_efficiency_score",
                "results_scenario_predicted_cost",
                "results_scenario_prediction_confidence_low",
                "results_scenario_prediction_confidence_high")


def is_prediction(name):
    return ("predict" in name or name.startswith(("results_model_", "ml_", "recommended_"))
            ) and not name.startswith("encode_exporter_")


def predictions(exposition):
    """{family: [lines]} of what is predicted, in order."""
    return {name: [(s.labels, s.text) for s in family.samples]
            for name, family in exposition.families.items()
            if is_prediction(name) and name not in ENDS_ALONE}


def learned(exporter, count, endpoint="results"):
    """Waits until a fit knows so many encodes, and nothing is left to be read."""
    def is_known(x):
        return (x.value("encode_exporter_predict_lessons") == count and
                x.value("encode_exporter_predict_files_unread") == 0 and
                max((s.value for s in x.samples("results_model_samples")), default=0) > 0)
    return exporter.wait_metrics(endpoint, is_known, what=f"{count} lessons")


def encodes(paths):
    count = 0
    for path in paths:
        with open(path, encoding="utf-8") as f:
            count += len(json.load(f)["scenarios"])
    return count


def settled(exporter, count):
    """All that is predicted from so many encodes: what two scrapes in a row say."""
    before = None
    while True:
        learned(exporter, count)
        now = predictions(exporter.metrics("results", "/metrics/all"))
        if now == before:
            return now
        before = now


def cpu_s(pid):
    """CPU time that a process has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def strip_version(found):
    """Without the version, which may be told a minute later."""
    return {k: v for k, v in found.items() if k != "ml_model_version"}


class Served(unittest.TestCase):
    def test_runs_that_are_not_served_are_learned_from(self):
        with Exporter(ON, files=FILES) as e:
            total = encodes(FILES)
            found = learned(e, total)
            served = {s.labels["run_id"] for s in
                      found.samples("results_scenario_duration_seconds")}
            self.assertEqual(len(served), 1)
            samples = max(s.value for s in found.samples("results_model_samples"))
            self.assertGreater(samples, total / 2)
            self.assertTrue(e.metrics("qoe").samples("qoe_predicted_vmaf"))
            self.assertTrue(e.metrics("cost").samples("cost_predicted_usd"))
            predicted = found.samples("results_scenario_predicted_cost")
            self.assertEqual({s.labels["run_id"] for s in predicted}, served)

    def test_the_page_shows_it_to_people(self):
        with Exporter(ON, files=FILES) as e:
            learned(e, encodes(FILES))
            page = e.get("results", "/").text
            self.assertIn("Predictions for content not seen yet", page)
            self.assertRegex(page, r"720p30_2mbps: 1280x720, 30 fps, 2000 kbit/s, "
                                   r"libx264 veryfast</th><td>VMAF [0-9.]+ \(")
            self.assertRegex(page, "4k30_15mbps.*</th><td>the data cannot say")

    def test_all_in_one_holds_every_family_once(self):
        with Exporter(ON, files=FILES) as e:
            learned(e, encodes(FILES))
            whole = e.metrics("results", "/metrics/all")    # expo refuses a second one
            parts = [e.metrics(x) for x in harness.ENDPOINTS]
            for part in parts:
                for name in part.families:
                    self.assertIn(name, whole.families)
            self.assertIn("ml_exporter_up", whole.families)

    def test_off_has_none(self):
        with Exporter("--predict=off", files=FILES) as e:
            for endpoint in harness.ENDPOINTS:
                found = e.metrics(endpoint)
                self.assertEqual([n for n in found.families
                                  if is_prediction(n) or "_predict_" in n], [])

    def test_answers_have_other_tags_when_predictions_change(self):
        with Exporter(ON, files=FILES[:-1]) as e:
            learned(e, encodes(FILES[:-1]))
            first = e.get("qoe")
            again = e.get("qoe", headers={"If-None-Match": first.headers["ETag"]})
            self.assertEqual(again.status, 304)
            shutil.copy(FILES[-1], e.directory)
            learned(e, encodes(FILES))
            harness.wait_until(lambda: e.get("qoe", headers={
                "If-None-Match": first.headers["ETag"]}).status == 200)

    def test_openmetrics_has_the_same(self):
        with Exporter(ON, files=FILES) as e:
            plain = learned(e, encodes(FILES))
            text = e.get("results", headers={
                "Accept": "application/openmetrics-text; version=1.0.0"}).text
            for family in plain.families.values():
                for s in family.samples:
                    if is_prediction(s.name):
                        self.assertRegex(text, rf"(?m)^{s.name}[{{ ]")
            self.assertTrue(text.endswith("# EOF\n"))

    def test_what_is_served_no_more_is_predicted_no_more(self):
        with Exporter(ON, files=FILES[:-1]) as e:
            found = learned(e, encodes(FILES[:-1]))
            old = found.samples("results_scenario_predicted_cost")[0].labels["run_id"]
            shutil.copy(FILES[-1], e.directory)

            def is_new(x):
                ids = {s.labels["run_id"]
                       for s in x.samples("results_scenario_predicted_cost")}
                return ids and old not in ids
            e.wait_metrics("results", is_new, what="predictions of the new run alone")
            learned(e, encodes(FILES))

    def test_a_removed_file_teaches_nothing_any_more(self):
        with Exporter(ON, files=FILES) as e:
            learned(e, encodes(FILES))
            os.remove(e.path(os.path.basename(FILES[3])))
            learned(e, encodes(FILES) - encodes(FILES[3:4]))


class SameBytes(unittest.TestCase):
    def setUp(self):
        self.total = encodes(FILES)
        with Exporter(ON, files=FILES) as e:
            self.expected = settled(e, self.total)
        self.assertIn("qoe_predicted_vmaf", self.expected)

    def test_after_a_restart(self):
        with Exporter(ON, files=FILES) as e:
            self.assertEqual(settled(e, self.total), self.expected)

    def test_in_whatever_order_files_come(self):
        order = FILES[:]
        random.Random(7).shuffle(order)
        with Exporter(ON) as e:
            for path in order:
                shutil.copy(path, e.directory)
            self.assert_becomes(e)

    def test_after_rewrites(self):
        with Exporter(ON, files=FILES) as e:
            learned(e, self.total)
            for path in FILES[:3] + FILES[-1:]:
                with open(path, "rb") as f:
                    content = f.read()
                e.write(os.path.basename(path), b"{\"scenarios\": []}")
                e.rename_over(os.path.basename(path), content)
            self.assert_becomes(e)

    def test_once(self):
        directory = harness.temp_dir()
        try:
            for path in FILES:
                shutil.copy(path, directory)
            done = harness.run("--results-dir", directory, "--once", "all", "--power=off",
                               ON)
        finally:
            shutil.rmtree(directory)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = predictions(expo.parse(done.stdout_bytes))
        self.assertEqual(found, self.expected)

    def assert_becomes(self, e):
        expected = strip_version(self.expected)

        def is_there():
            return strip_version(predictions(
                e.metrics("results", "/metrics/all"))) == expected
        harness.wait_until(is_there, timeout=30, what="the same predictions")


class Files(unittest.TestCase):
    def test_a_new_file_changes_predictions_soon(self):
        with Exporter(ON, files=FILES[:-1]) as e:
            learned(e, encodes(FILES[:-1]))
            before = predictions(e.metrics("qoe"))
            shutil.copy(FILES[-1], e.directory)
            harness.wait_until(lambda: predictions(e.metrics("qoe")) != before, timeout=10,
                               what="other predictions")

    def test_a_bad_file_that_is_not_served_is_told_and_passed_over(self):
        with Exporter(ON, files=FILES) as e:
            name = os.path.basename(FILES[0])
            learned(e, encodes(FILES))
            e.write(name, "{")
            e.wait_log(rf"results file cannot be read.*{name}")
            found = e.wait_metrics("results", lambda x: x.value(
                "encode_exporter_file_errors_total", reason="invalid_json") == 1)
            self.assertEqual(found.value("encode_exporter_files", state="failed"), 0)
            learned(e, encodes(FILES))    # what it taught before
            self.assertEqual(e.log_count("results file cannot be read"), 1)

    def test_only_the_newest_scenarios_are_learned_from(self):
        with Exporter(ON, "--predict.scenarios=12", files=FILES) as e:
            found = e.wait_metrics("results", lambda x: x.samples("ml_exporter_up"))
            # FILES[-3:] hold 5 each: of the third newest, 2 are left
            self.assertLessEqual(
                max((s.value for s in found.samples("results_model_samples")), default=0), 12)
            self.assertLess(found.value("encode_exporter_predict_lessons"), 40)

    def test_scrapes_go_on_while_fits_run(self):
        with Exporter(ON, files=FILES) as e:
            learned(e, encodes(FILES))
            stop = threading.Event()

            def churn():
                for n in range(1000):
                    if stop.is_set():
                        return
                    shutil.copy(FILES[n % len(FILES)], e.directory)
            worker = threading.Thread(target=churn)
            worker.start()
            try:
                for _ in range(100):
                    self.assertEqual(e.get("results", "/metrics/all").status, 200)
            finally:
                stop.set()
                worker.join()


class Ending(unittest.TestCase):
    def many_encodes(self):
        """Whose fit takes this build some seconds."""
        rng = random.Random(1)
        return {"scenarios": [{
            "name": f"job {i}", "source": f"clip{i % 100}", "resolution": "1280x720", "fps": 30,
            "encoder": rng.choice(("libx264", "libx265", "libsvtav1")),
            "preset": rng.choice(("fast", "medium", "slow")),
            "bitrate": f"{rng.randrange(500, 5000)}k",
            "actual_bitrate_kbps": rng.randrange(500, 5000), "streams": rng.choice((1, 2, 4)),
            "start_time": 1767225600 + i * 20, "end_time": 1767225610 + i * 20, "duration": 10,
            "vmaf_score": rng.uniform(60, 99), "psnr_score": rng.uniform(30, 45),
            "power_watts": [rng.uniform(40, 200)] * 2, "cpu_usage_cores": [rng.uniform(1, 8)] * 2,
            "step_seconds": 5, "total_frames": 300} for i in range(10000)]}

    def test_a_fit_under_way_keeps_nobody_from_ending(self):
        directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, directory)
        with open(os.path.join(directory, "test_results_20260101_000000.json"), "w",
                  encoding="utf-8") as f:
            json.dump(self.many_encodes(), f)
        with Exporter(ON, directory=directory) as e:
            served = cpu_s(e.process.pid)    # all that comes now is of predictions
            harness.wait_until(lambda: cpu_s(e.process.pid) > served + 0.2,
                               what="a fit is under way")
            e.process.send_signal(signal.SIGTERM)
            self.assertEqual(e.process.wait(20), 0, e.log)
        self.assertNotIn("still under way", e.log)


class Configs(unittest.TestCase):
    def setUp(self):
        self.scratch = harness.temp_dir()
        self.addCleanup(shutil.rmtree, self.scratch)
        self.file = os.path.join(self.scratch, "configs.json")

    def say(self, *names):
        harness.write_atomically(self.file, json.dumps({"configs": [
            {"name": n, "bitrate": "1500k", "resolution": "1280x720", "fps": 25}
            for n in names]}))

    def names(self, exporter):
        return {s.labels["config"] for s in
                exporter.metrics("qoe").samples("qoe_predicted_vmaf")}

    def test_the_file_is_read_and_watched(self):
        self.say("mine")
        with Exporter(ON, f"--predict.configs={self.file}", files=FILES) as e:
            harness.wait_until(lambda: self.names(e) == {"mine"})
            self.say("mine", "yours")
            harness.wait_until(lambda: self.names(e) == {"mine", "yours"})
            with open(self.file, "w", encoding="utf-8") as f:
                f.write("{\"configs\": 7}")
            line = e.wait_log("settings not reloaded")
            self.assertIn(self.file, line)
            self.assertEqual(self.names(e), {"mine", "yours"})
            self.say("last")
            harness.wait_until(lambda: self.names(e) == {"last"})

    def test_a_wrong_file_ends_the_start(self):
        with open(self.file, "w", encoding="utf-8") as f:
            f.write("[]")
        done = harness.run("--results-dir", self.scratch, f"--predict.configs={self.file}",
                           *(f"--{x}.listen-address=127.0.0.1:0"
                             for x in harness.ENDPOINTS))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(self.file, done.stderr)
        check = harness.run("--check-config", f"--predict.configs={self.file}")
        self.assertNotEqual(check.returncode, 0)
        self.assertIn(self.file, check.stderr)
        missing = harness.run("--check-config", "--predict.configs=/nowhere.json")
        self.assertNotEqual(missing.returncode, 0)
        self.assertIn("/nowhere.json", missing.stderr)


class Library(unittest.TestCase):
    """predict.so lies beside the program; a copy of the program alone has none."""

    def setUp(self):
        self.scratch = harness.temp_dir()
        self.addCleanup(shutil.rmtree, self.scratch)
        self.program = shutil.copy(harness.binary(), self.scratch)
        shutil.copy(FILES[0], self.scratch)

    def once(self, *flags):
        return subprocess.run(
            [self.program, "--results-dir", self.scratch, "--once", "results",
             "--power=off", *flags], env=harness.environment(), capture_output=True,
            text=True, timeout=60, check=False)

    def test_by_default_a_missing_one_is_a_warning(self):
        done = self.once()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count("predict.so"), 1)
        self.assertIn("level=warn", done.stderr)
        self.assertIn("results_scenario_duration_seconds{", done.stdout)

    def test_who_asks_for_predictions_gets_an_error(self):
        done = self.once(ON)
        self.assertEqual(done.returncode, 1)
        self.assertIn("predict.so", done.stderr)

    def test_off_needs_none(self):
        done = self.once("--predict=off")
        self.assertEqual(done.returncode, 0)
        self.assertNotIn("predict.so", done.stderr)


if __name__ == "__main__":
    harness.main()
