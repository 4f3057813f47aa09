# ctest: serial
# ctest: timeout 300
"""The benchmark itself works: tiny sizes, one round. No time it measures is judged."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
import unittest
import xml.dom.minidom

import harness

BENCH = os.path.join(harness.ROOT, "tests", "bench", "bench.py")
NGINX_PLACES = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
ROWS = {
    *(f"scrape.{endpoint}.{coding}.{count}" for endpoint in harness.ENDPOINTS
      for coding in ("gzip", "identity") for count in (1, 10)),
    "updated.50", "updated.60", "event.append.rename", "event.append.rewrite",
    "event.change.10", "event.change.50", "event.file", "loop.change", "loop.identity",
    "refit", "refit.loop",
    "start.small", "start.latest", "start.all", "rss.10", "rss.50", "rss.60", "rss.stalled",
    "idle", "size", "crowd", "live.growing", "live.cpu",
}
# Without a figure only where the binary lacks the capability.
MAY_BE_SKIPPED = re.compile(r"scrape\.\w+\.gzip\.|updated\.")


def missing():
    """What this test cannot do without; None when all is there."""
    for program in ("nginx", "wrk", "strip"):
        if not shutil.which(program, path=NGINX_PLACES):
            return f"{program} is not installed"
    try:
        harness.binary(release=True)
    except unittest.SkipTest as e:
        return str(e)
    return None


def content(path):
    with open(path, "rb") as f:
        return f.read()


class BenchSmoke(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.out = harness.temp_dir()
        cls.addClassCleanup(shutil.rmtree, cls.out, True)
        cls.done = cls.bench("--smoke", "--binary", harness.binary(release=True))
        if cls.done.returncode != 0:
            raise AssertionError(f"exit status {cls.done.returncode}:\n{cls.done.stdout}")
        with open(os.path.join(cls.out, "result.json"), encoding="utf-8") as f:
            cls.result = json.load(f)
        cls.rows = {row["id"]: row for row in cls.result["rows"]}

    @classmethod
    def bench(cls, *flags):
        return subprocess.run([sys.executable, "-B", BENCH, "--out", cls.out, *flags],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=240, check=False)

    def test_every_row_is_there_once(self):
        self.assertEqual(len(self.rows), len(self.result["rows"]))
        self.assertEqual(set(self.rows), ROWS)

    def test_every_row_has_a_finite_figure_or_says_why_not(self):
        for id, row in self.rows.items():
            with self.subTest(row=id):
                self.assertTrue(row["what"] and row["how"])
                if row["skipped"]:
                    self.assertRegex(id, MAY_BE_SKIPPED)
                    self.assertIsNone(row["figure"])
                    self.assertIsNone(row["met"])
                    continue
                figure = row["figure"]
                self.assertLessEqual(figure["low"], figure["median"])
                self.assertLessEqual(figure["median"], figure["high"])
                for value in (figure["low"], figure["high"],
                              *(check["value"] for check in row["checks"])):
                    self.assertTrue(math.isfinite(value))

    def test_verdicts_follow_from_values_and_budgets(self):
        judged = 0
        for id, row in self.rows.items():
            with self.subTest(row=id):
                met = [c["value"] <= c["budget"] for c in row["checks"]
                       if c["budget"] is not None]
                self.assertEqual(row["met"], all(met) if met else None)
                judged += bool(met)
        self.assertEqual(self.result["met"] + self.result["missed"], judged)
        self.assertGreater(judged, 15)

    def test_scrapes_are_compared_with_both_peers(self):
        for id, row in self.rows.items():
            if id.startswith("scrape.") and not row["skipped"]:
                with self.subTest(row=id):
                    self.assertEqual([c["name"] for c in row["checks"]],
                                     ["× nginx", "× bare"])
                    for server in ("exporter", "nginx", "bare"):
                        self.assertGreater(row["detail"][server]["cpu_us"]["median"], 0)
                        self.assertGreater(row["detail"][server]["per_second"]["median"], 0)

    def test_the_table_names_every_row(self):
        with open(os.path.join(self.out, "result.md"), encoding="utf-8") as f:
            text = f.read()
        for row in self.rows.values():
            self.assertIn(f"| {row['what']} |", text)
        self.assertIn(text, self.done.stdout)

    def test_the_picture_is_well_formed(self):
        picture = xml.dom.minidom.parse(os.path.join(self.out, "performance.svg"))
        self.assertEqual(picture.documentElement.tagName, "svg")
        self.assertTrue(picture.getElementsByTagName("polyline"))

    def test_old_figures_are_shown_again_unchanged(self):
        names = [os.path.join(self.out, n) for n in ("result.json", "result.md")]
        before = [content(n) for n in names]
        done = self.bench("--from", names[0])
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual([content(n) for n in names], before)

    def test_tiny_figures_never_reach_the_documentation(self):
        done = self.bench("--smoke", "--write-docs")
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("--write-docs needs", done.stdout)


if __name__ == "__main__":
    reason = missing()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    harness.main()
