"""docs/metrics.md is what its generator writes, and holds every family there is."""
# ctest: timeout 240

import glob
import json
import os
import re
import subprocess
import sys
import unittest

import expo
import harness

PAGE = os.path.join(harness.ROOT, "docs", "metrics.md")
GENERATOR = os.path.join(harness.ROOT, "tests", "docs", "metrics.py")
QUERIES = os.path.join(harness.DATA, "queries", "predecessors.json")
NAME = r"(?:results|qoe|cost|co2|encode_exporter|ml|process)_[a-z0-9_]*[a-z0-9]"


def page():
    with open(PAGE, encoding="utf-8") as f:
        return f.read()


def listed():
    return set(re.findall(r"^\| `([a-z0-9_]+)` \| (?:gauge|counter|histogram) \|", page(), re.M))


class Page(unittest.TestCase):
    maxDiff = 4000

    def test_it_is_what_the_program_serves_from(self):
        program = os.environ.get("FAMILIES") or os.path.join(
            harness.ROOT, "build", "dev", "tests", "families")
        if not os.access(program, os.X_OK):
            raise unittest.SkipTest(f"no program at {program}")
        done = subprocess.run([sys.executable, "-B", GENERATOR, program],
                              env=dict(os.environ, ENCODE_EXPORTER=harness.binary()),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=200,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(page(), done.stdout.decode(), "./dev docs writes it anew")

    def test_every_golden_family_is_listed(self):
        goldens = glob.glob(os.path.join(harness.GOLDEN, "*.prom"))
        self.assertGreater(len(goldens), 10)
        for path in goldens:
            with open(path, encoding="utf-8") as f:
                names = set(re.findall(r"^# TYPE (\S+)", f.read(), re.M))
            self.assertEqual(names - listed(), set(), path)

    def test_what_is_served_now_is_listed(self):
        with harness.Exporter(files=harness.data_files("go-era")) as e:
            found = expo.parse(e.get("cost", "/metrics/all").body)
        self.assertEqual(set(found.families) - listed(), set())

    def test_every_family_of_the_predecessors_boards_is_listed(self):
        with open(QUERIES, encoding="utf-8") as f:
            boards = json.load(f)
        names = {name for board in boards.values() for panel in board["panels"]
                 for name in re.findall(NAME, panel["expr"])}
        self.assertGreater(len(names), 25)
        self.assertEqual(names - listed(), set())

    def test_tables_keep_their_columns(self):
        for line in page().splitlines():
            if line.startswith("| `") and re.search(r"\| (gauge|counter|histogram) \|", line):
                self.assertEqual(len(re.findall(r"(?<!\\)\|", line)), 6, line)


if __name__ == "__main__":
    harness.main()
