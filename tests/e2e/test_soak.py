"""A few seconds of ./dev soak with few connections, so that it cannot rot."""

# ctest: timeout 300

import os
import sys
import unittest

import harness

sys.path.insert(0, os.path.join(harness.ROOT, "tests", "soak"))
import soak    # noqa: E402  pylint: disable=wrong-import-position


class Smoke(unittest.TestCase):
    def test_a_short_life_under_load(self):
        harness.binary(True)    # skips where there is none
        short = soak.Soak(0.15, 50, 1, True)
        short.run()
        self.assertTrue(short.told())


if __name__ == "__main__":
    harness.main()
