# ctest: timeout 300
"""The models keep what is promised of them on real encodes that they were not shown.

Our side of `./dev bench predict` alone, which compares it with scikit-learn's models.
"""

import math
import os
import sys
import unittest

import harness

sys.path.insert(0, os.path.join(harness.ROOT, "tests", "bench"))
import predict  # noqa: E402

EVERY = 24    # encodes that are left out one by one; the bench takes all


class PredictEval(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        binary = os.path.join(os.path.dirname(harness.binary()), "predict_eval")
        cls.rows = predict.ours(binary, harness.data_files("encodes"), EVERY)
        cls.scores = {(split, t): predict.ours_scored(predict.of(cls.rows, split, t))
                      for split in ("source", "asked", "encode", "closed")
                      for t in predict.TARGETS}

    def test_all_encodes_are_asked_for(self):
        for target in predict.TARGETS:
            with self.subTest(target):
                self.assertEqual(self.scores["source", target]["of"], 193)
                self.assertGreaterEqual(self.scores["source", target]["predicted"], 180)
                self.assertEqual(self.scores["closed", target]["predicted"], 193)
                self.assertEqual(self.scores["encode", target]["of"], -(-193 // EVERY))
                self.assertGreater(self.scores["asked", target]["predicted"], 150)

    def test_figures_are_finite_and_lie_within_their_intervals(self):
        for row in predict.predicted(self.rows):
            for key in ("value", "low", "high", "measured"):
                self.assertTrue(math.isfinite(row[key]), row)
            self.assertLessEqual(row["low"], row["value"])
            self.assertLessEqual(row["value"], row["high"])

    def test_quality_of_a_known_source(self):
        self.assertGreaterEqual(self.scores["closed", "vmaf"]["r2"], 0.85)
        self.assertGreaterEqual(self.scores["closed", "psnr"]["r2"], 0.85)

    def test_core_seconds_of_a_source_never_seen(self):
        self.assertGreaterEqual(self.scores["source", "core_seconds"]["r2"], 0.85)

    def test_intervals_hold_what_they_say(self):
        for split, target in (("closed", "vmaf"), ("closed", "psnr"),
                              ("closed", "core_seconds"), ("source", "vmaf"),
                              ("source", "core_seconds")):
            with self.subTest(split=split, target=target):
                covered = self.scores[split, target]["coverage"]
                self.assertGreaterEqual(covered, 0.90)
                self.assertLessEqual(covered, 0.99)

    def test_what_is_told_in_closed_form_is_what_a_fit_without_it_says(self):
        """Not to the digit: without it another penalty may be chosen."""
        closed = {(r["target"], r["run"], r["index"]): r
                  for r in self.rows if r["split"] == "closed"}
        for row in self.rows:
            if row["split"] == "encode":
                beside = closed[row["target"], row["run"], row["index"]]
                width = beside["high"] - beside["low"]
                with self.subTest(row=row):
                    self.assertLess(abs(row["value"] - beside["value"]), 0.5 * width)

    def test_a_known_source_is_told_better_than_a_new_one(self):
        for target in predict.TARGETS:
            with self.subTest(target):
                self.assertLess(self.scores["closed", target]["mae"],
                                self.scores["source", target]["mae"] / 2)


if __name__ == "__main__":
    harness.main()
