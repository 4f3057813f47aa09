"""--once: scan, print, exit."""

import os
import shutil
import subprocess
import unittest

import expo
import harness


class Once(unittest.TestCase):
    def setUp(self):
        self.directory = harness.temp_dir()
        self.addCleanup(lambda: shutil.rmtree(self.directory))

    def put(self, name, text):
        with open(os.path.join(self.directory, name), "w", encoding="utf-8") as f:
            f.write(text)

    def once(self, module, *flags):
        return harness.run("--results-dir", self.directory, "--once", module, *flags)

    def test_each_module_prints_its_own_families(self):
        shutil.copy(harness.data_files("go-era")[0], self.directory)
        for module, family, other in (
                ("results", "results_scenario_vmaf_score", "cost_exporter_alive"),
                ("qoe", "qoe_vmaf_score", "results_exporter_up"),
                ("cost", "cost_total_load_aware", "qoe_vmaf_score")):
            done = self.once(module)
            self.assertEqual(done.returncode, 0, done.stderr)
            exposition = expo.parse(done.stdout_bytes)
            self.assertIn(family, exposition)
            self.assertNotIn(other, exposition)

    def test_all_prints_everything_once(self):
        shutil.copy(harness.data_files("go-era")[0], self.directory)
        done = self.once("all")
        exposition = expo.parse(done.stdout_bytes)
        for family in ("results_scenario_vmaf_score", "qoe_vmaf_score",
                       "cost_total_load_aware"):
            self.assertIn(family, exposition)

    def test_an_empty_directory_is_no_error(self):
        done = self.once("results")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(expo.parse(done.stdout_bytes).value("results_scenarios_total"), 0)

    def test_a_directory_that_is_not_there_yet_is_no_error(self):
        done = harness.run("--results-dir", os.path.join(self.directory, "later"),
                           "--once=cost")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(expo.parse(done.stdout_bytes).value("cost_scenarios_total"), 0)

    def test_a_newest_run_that_cannot_be_parsed_is_status_1(self):
        self.put("test_results_20260101_000000.json",
                 '{"scenarios": [{"name": "old", "duration": 3}]}')
        self.put("test_results_20260102_000000.json", '{"scenarios": [{"na')
        done = self.once("results")
        self.assertEqual(done.returncode, 1, done.stderr)
        exposition = expo.parse(done.stdout_bytes)
        self.assertEqual(exposition.value("results_exporter_up"), 0)
        # The newest that can be read is served.
        self.assertEqual(
            exposition.value("results_scenario_duration_seconds", scenario="old"), 3)
        self.assertRegex(done.stderr, "test_results_20260102_000000.json")

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become somebody else")
    def test_a_newest_run_that_cannot_be_read_is_status_1(self):
        self.put("test_results_20260102_000000.json", '{"scenarios": []}')
        os.chmod(os.path.join(self.directory, "test_results_20260102_000000.json"), 0)
        program = os.path.join(self.directory, "program")
        shutil.copy(harness.binary(), program)
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program,
             "--results-dir", self.directory, "--once=results"],
            env=harness.environment(), capture_output=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(b"test_results_20260102_000000.json", done.stderr)
        self.assertRegex(done.stderr.decode(), "(?i)permission")

    def test_output_that_nobody_takes_is_status_1(self):
        shutil.copy(harness.data_files("go-era")[0], self.directory)
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [harness.binary(), "--results-dir", self.directory, "--once=all"],
                env=harness.environment(), stdout=full, stderr=subprocess.PIPE,
                check=False, timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr.decode(), "(?i)no space")

    def test_it_opens_no_port_and_honours_other_flags(self):
        shutil.copy(harness.data_files("python-era")[-1], self.directory)
        done = self.once("cost", "--runs=all", "--currency=EUR", "--region=eu-central-1")
        exposition = expo.parse(done.stdout_bytes)
        samples = exposition.samples("cost_total_load_aware")
        self.assertTrue(samples)
        for sample in samples:
            self.assertEqual(sample.labels["currency"], "EUR")
            self.assertEqual(sample.labels["region"], "eu-central-1")
            self.assertTrue(sample.labels["run_id"].startswith("test_results_"))


if __name__ == "__main__":
    harness.main()
