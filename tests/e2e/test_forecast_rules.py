# ctest: timeout 180
"""The recording rules in deploy/ say what they promise, by Prometheus' own test runner."""

import glob
import os
import re
import shutil
import subprocess
import sys
import unittest

import harness

RULES = os.path.join(harness.ROOT, "deploy", "prometheus", "rules")
TESTS = sorted(glob.glob(os.path.join(RULES, "tests", "*_test.yml")))
# level:metric:operation; Prometheus, Recording rules, "Naming and aggregation".
NAME = re.compile(r"^[a-z_]+:[a-z0-9_]+:[a-z0-9_]+$")


def content(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def rule_files():
    return sorted(glob.glob(os.path.join(RULES, "*.yml")))


def promtool(*args):
    return subprocess.run(["promtool", *args], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=150, check=False)


class Rules(unittest.TestCase):
    def test_they_are_rules(self):
        self.assertTrue(rule_files())
        for path in rule_files():
            done = promtool("check", "rules", path)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_they_say_what_their_tests_say(self):
        self.assertEqual(len(TESTS), len(rule_files()))
        for path in TESTS:
            done = promtool("test", "rules", path)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_names_are_level_metric_operation_and_stand_once(self):
        names = re.findall(r"record: (\S+)", "".join(map(content, rule_files())))
        self.assertEqual(len(set(names)), len(names))
        for name in names:
            self.assertRegex(name, NAME)

    def test_what_they_start_from_is_served(self):
        wanted = set(re.findall(r"\b[a-z0-9_]+_total\b", "".join(map(content, rule_files()))))
        self.assertEqual(wanted, {"cost_accrued_total", "co2_accrued_kg_total"})
        done = harness.run("--once=cost", "--results-dir", harness.EXAMPLES)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in wanted:
            self.assertIn(f"\n{name}{{", done.stdout)


if __name__ == "__main__":
    if not shutil.which("promtool"):
        print("skipped: promtool is not installed")
        sys.exit(77)
    harness.main()
