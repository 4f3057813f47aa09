# ctest: timeout 300
"""Calls that fail, one place after the other: the figures are those of a life without.

What fits into the time runs here, every call site at least once where the machine is not
too busy; ./dev soak runs all of it.
"""

import os
import sys
import time
import unittest

import harness

sys.path.insert(0, os.path.join(harness.ROOT, "tests", "faults"))

import faults      # noqa: E402  (found by the line above)
import matrix      # noqa: E402
import scenario    # noqa: E402

SEED = int(os.environ.get("FAULTS_SEED", "1"))
ALL = "FAULTS_ALL" in os.environ    # however long it takes
WORKERS = 8
SECONDS = {"events": 12, "polling": 7, "links": 7, "old kernel": 4, "locked": 8,
           "measured": 12, "learning": 12, "once": 3, "health": 2}


def seconds(usual):
    return float("inf") if ALL else usual


class Faults(unittest.TestCase):
    def setUp(self):
        if not faults.library():
            self.skipTest("the preloaded library was not built")

    def lead(self, reference, binary, all_faults, limit):
        all_faults = list(all_faults)
        self.assertTrue(all_faults)
        began = time.monotonic()
        summary = matrix.lead(reference, binary, matrix.sites_first(all_faults, SEED),
                              WORKERS, seconds(limit))
        print(f"{reference.variant.name}: {summary} (seed {SEED}, "
              f"{time.monotonic() - began:.0f} s)", flush=True)
        self.assertFalse(summary.failures, "\n\n".join(summary.failures))
        # Some sites are reached in races alone; but a library that no longer tells one
        # site from another would meet none.
        tried = sum(summary.verdicts.values())
        self.assertLess(summary.verdicts["not met"], tried / 2)

    def test_the_library_knows_every_call(self):
        self.assertEqual(matrix.unknown_calls(harness.binary(True)), [],
                         "wrap it in tests/faults/interpose.c and give its errors in "
                         "scenario.ERRORS, or say in matrix.NOT_TRIED why not")

    def test_reads_writes_and_the_like_that_fail(self):
        binary = harness.binary()
        references = []
        for name, variant in scenario.VARIANTS.items():
            with self.subTest(name):
                reference = scenario.Reference(variant, binary)
                references.append(reference)
                self.lead(reference, binary, scenario.io_faults(reference), SECONDS[name])
        if ALL:
            count, missing = matrix.never_reached(binary, references)
            print(f"{count - len(missing)} of {count} call sites were reached; not these:",
                  *missing, sep="\n  ", flush=True)

    def test_memory_that_runs_out_ends_it_with_one_line(self):
        binary = harness.binary(True)
        for name in ("once", "events", "polling", "locked", "measured"):
            with self.subTest(name):
                reference = scenario.Reference(scenario.VARIANTS[name], binary)
                self.lead(reference, binary, scenario.memory_faults(reference, True), 5)

    def test_memory_that_runs_out_in_libraries_is_no_worse(self):
        binary = harness.binary(True)
        for name in ("once", "events", "locked"):
            with self.subTest(name):
                reference = scenario.Reference(scenario.VARIANTS[name], binary)
                self.lead(reference, binary, scenario.memory_faults(reference, False), 5)


if __name__ == "__main__":
    harness.main()
