# ctest: timeout 240
"""The rules in deploy/: Prometheus and vmalert take them, by Prometheus' own test runner
they say what they promise, and every alert is complete, from its threshold to its runbook."""

import concurrent.futures
import glob
import os
import re
import shutil
import sys
import tempfile
import unittest

import yaml

import harness
from tools import tool

RULES = os.path.join(harness.ROOT, "deploy", "prometheus", "rules")
FILES = sorted(glob.glob(os.path.join(RULES, "*.yml")))
TESTS = sorted(glob.glob(os.path.join(RULES, "tests", "*_test.yml")))
RUNBOOKS = os.path.join(harness.ROOT, "docs", "runbooks.md")
# Others route and silence by these names.
PROMISED = {
    "HighHourlyCost", "DailyBudgetExceeded", "CostSpike", "HighCO2Emissions",
    "HighCarbonIntensity", "LowVMAFScore", "LowPSNRScore", "LowQualityEfficiency",
    "CostExporterDown", "QoEExporterDown", "ResultsExporterDown", "LowEnergyEfficiency",
    "LowEfficiencyScore", "PredictionDeviation", "LowModelAccuracy"}
# level:metric:operation; Prometheus, Recording rules, "Naming and aggregation".
NAME = re.compile(r"^[a-z_]+:[a-z0-9_]+:[a-z0-9_]+$")
SEVERITIES = {"critical", "warning", "info"}
# Compared with what; strings are taken out first.
COMPARISON = re.compile(r"(==|!=|<=|>=|<|>)\s*(-?[0-9.]+)")
# Names of metrics, functions and labels look alike: ours begin so.
METRIC = re.compile(r"\b(?:encode_exporter|results|qoe|cost|co2|ml|process)_[a-z0-9_]+\b(?!:)")
# What alerts look at and the binary serves only where something else is set up.
ELSEWHERE = {
    "results_scenario_predicted_power_watts": "--power or an upstream",
    "encode_exporter_upstream_breaker_state": "--prometheus-url",
    "encode_exporter_upstream_problems_total": "--prometheus-url",
    "encode_exporter_push_requests_total": "--push.url",
    "encode_exporter_carbon_requests_total": "--electricity-maps-zone",
    "encode_exporter_power_read_errors_total": "--power",
    "encode_exporter_logins_total": "passwords in --web.config.file",
    "encode_exporter_web_config_last_reload_successful": "--web.config.file",
}


def content(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def rules():
    """Every rule of every file."""
    return [rule for path in FILES for group in yaml.safe_load(content(path))["groups"]
            for rule in group["rules"]]


def alerts():
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def checks():
    """(alert, whether it fires there) of every alert that a test looks at."""
    for path in TESTS:
        for test in yaml.safe_load(content(path))["tests"]:
            for check in test.get("alert_rule_test", ()):
                yield check["alertname"], bool(check.get("exp_alerts"))


def thresholds():
    """Name → (comparisons, for) of the block at the top of alerts.yml."""
    rows = {}
    for line in content(os.path.join(RULES, "alerts.yml")).split("groups:")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("# ").strip("|").split("|")]
        if line.startswith("# | ") and cells[0] != "alert":
            name, compared, held, why = cells
            assert why and name not in rows, line
            rows[name] = (sorted(compared.split(", ")), held)
    return rows


def compared(expr):
    plain = re.sub(r'"[^"]*"', '""', expr)
    return sorted({f"{op} {number}" for op, number in COMPARISON.findall(plain)})


class Rules(unittest.TestCase):
    def test_prometheus_takes_them(self):
        self.assertEqual(len(FILES), 3)
        for path in FILES:
            done = tool("promtool", "check", "rules", path)
            self.assertEqual(done.returncode, 0, done.stdout)

    @unittest.skipUnless(shutil.which("vmalert"), "no vmalert")
    def test_vmalert_takes_them(self):
        done = tool("vmalert", "-dryRun", f"-rule={RULES}/*.yml")
        self.assertEqual(done.returncode, 0, done.stdout)
        with tempfile.TemporaryDirectory() as d:    # it does refuse
            with open(os.path.join(d, "bad.yml"), "w", encoding="utf-8") as f:
                f.write(content(FILES[0]).replace("qoe_vmaf_score < 75", "qoe_vmaf_score <"))
            self.assertNotEqual(tool("vmalert", "-dryRun", f"-rule={d}/*.yml").returncode, 0)

    def test_they_say_what_their_tests_say(self):
        self.assertGreaterEqual(len(TESTS), len(FILES))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for done in pool.map(lambda p: tool("promtool", "test", "rules", p), TESTS):
                self.assertEqual(done.returncode, 0, done.stdout)

    def test_names_of_records_are_level_metric_operation_and_stand_once(self):
        names = [rule["record"] for rule in rules() if "record" in rule]
        self.assertEqual(len(set(names)), len(names))
        for name in names:
            self.assertRegex(name, NAME)

    def test_records_outlive_the_time_until_the_next(self):
        """Who looks between two evaluations looks back 5 minutes, and no further."""
        for path in FILES:
            for group in yaml.safe_load(content(path))["groups"]:
                self.assertRegex(group.get("interval", "1m"), "^[12]m$")

    def test_records_that_rules_look_at_are_made(self):
        names = {rule["record"] for rule in rules() if "record" in rule}
        for rule in rules():
            for name in re.findall(r"\b[a-z_]+:[a-z0-9_]+:[a-z0-9_]+", rule["expr"]):
                self.assertIn(name, names)

    def test_what_they_start_from_is_served(self):
        wanted = {m for rule in rules() for m in METRIC.findall(
            re.sub(r'"[^"]*"|\{[^}]*\}|[a-z_]+:[a-z0-9_]+:[a-z0-9_]+', "", rule["expr"]))}
        with harness.Exporter("--predict=on", "--runs=all", release=True,
                              files=harness.data_files("edge") + harness.data_files("go-era")
                              + harness.data_files("encodes")) as e:
            harness.wait_until(lambda: e.metrics("results").value("ml_exporter_up") == 1,
                               what="models")
            served = {name for endpoint in harness.ENDPOINTS
                      for name, _ in e.metrics(endpoint).series()}
        self.assertGreater(len(wanted), 30)
        self.assertEqual(wanted - served - set(ELSEWHERE), set())


class Alerts(unittest.TestCase):
    def test_names_stand_once(self):
        self.assertEqual(len(alerts()), sum("alert" in rule for rule in rules()))
        self.assertEqual(PROMISED - set(alerts()), set())

    def test_each_says_how_bad_it_is_what_it_is_and_what_to_do(self):
        headings = set(re.findall(r"^#+ (\w+)$", content(RUNBOOKS), re.M))
        for name, rule in alerts().items():
            with self.subTest(name):
                self.assertIn(rule["labels"]["severity"], SEVERITIES)
                notes = rule["annotations"]
                for part in ("summary", "description"):
                    self.assertTrue(notes[part].strip())
                self.assertIn("{{", notes["description"])
                self.assertEqual(notes["runbook_url"], f"docs/runbooks.md#{name.lower()}")
                self.assertIn(name, headings)

    def test_runbooks_are_of_alerts_that_are_there(self):
        headings = re.findall(r"^### (\w+)$", content(RUNBOOKS), re.M)
        self.assertEqual(sorted(headings), sorted(alerts()))

    def test_each_is_seen_to_fire_and_to_be_silent(self):
        seen = set(checks())
        for name in alerts():
            self.assertIn((name, True), seen, "no test fires it")
            self.assertIn((name, False), seen, "no test silences it")

    def test_the_block_of_thresholds_is_what_the_rules_do(self):
        rows = thresholds()
        self.assertEqual(set(rows), set(alerts()))
        for name, rule in alerts().items():
            self.assertEqual(rows[name], (compared(rule["expr"]), rule.get("for", "0m")),
                             name)


if __name__ == "__main__":
    if not shutil.which("promtool"):
        print("skipped: promtool is not installed")
        sys.exit(77)
    harness.main()
