# ctest: serial
# ctest: timeout 300
"""The release binary does not grow: neither by rewrites nor by scrapes."""

import json
import os
import unittest

import harness

NAME = "test_results_20260101_000000.json"
MIB = 1 << 20


def content(generation, count=10):
    """A run whose figures all differ from those of the generation before."""
    return json.dumps({"scenarios": [{
        "name": f"scenario {i}", "bitrate": f"{1000 + i}k", "resolution": "1280x720",
        "fps": 30, "duration": 100 + generation % 97, "encoder": "libx264",
        "power_watts": [40 + i + generation % 7 + k for k in range(20)],
        "cpu_usage_cores": [1.5 + generation % 5] * 20, "vmaf_score": 90 + i % 5,
        "total_frames": 3000 + generation} for i in range(count)]})


class Memory(unittest.TestCase):
    def served(self, e, generation):
        """True when what is served is of this generation."""
        got = e.metrics("results").value("results_scenario_total_frames",
                                         scenario="scenario 0")
        return got == 3000 + generation

    def rewrite(self, e, first, last):
        for generation in range(first, last):
            text = content(generation)
            if generation % 2:
                e.write(NAME, text)
            else:
                e.rename_over(NAME, text)
            # In step with the reader every now and then, so that most of the changes
            # are really read and served and do not merge into one.
            if generation % 25 == 0:
                harness.wait_until(lambda: self.served(e, generation))
        harness.wait_until(lambda: self.served(e, last - 1))

    def test_ten_thousand_rewrites_cost_no_memory(self):
        with harness.Exporter(release=True) as e:
            self.rewrite(e, 0, 1000)
            early = e.rss_bytes()
            self.rewrite(e, 1000, 10000)
            late = e.rss_bytes()
            changes = e.metrics("results").value("encode_exporter_events_total",
                                                 kind="changed")
        print(f"RSS after 1 000 rewrites {early / MIB:.2f} MiB, after 10 000 "
              f"{late / MIB:.2f} MiB; {changes:.0f} events")
        self.assertGreater(changes, 2000)
        self.assertLessEqual(late, early + MIB)

    def test_scrapes_cost_no_memory(self):
        with harness.Exporter(release=True) as e:
            e.write(NAME, content(1, 200))
            harness.wait_until(lambda: self.served(e, 1))
            for _ in range(200):
                e.get("results")
            early = e.rss_bytes()
            for _ in range(2000):
                e.get("cost", "/metrics/all")
            late = e.rss_bytes()
        self.assertLessEqual(late, early + MIB)

    def test_runs_that_come_and_go_cost_no_memory(self):
        with harness.Exporter("--runs=all", release=True) as e:
            def cycle(first, last):
                for n in range(first, last):
                    e.rename_over(f"test_results_2026{n:04d}_000000.json", content(n))
                    if n >= 20:
                        os.remove(e.path(f"test_results_2026{n - 20:04d}_000000.json"))
                    if n % 20 == 0:
                        harness.wait_until(lambda: any(
                            s.value == 3000 + n for s in e.metrics("results").samples(
                                "results_scenario_total_frames")))
            cycle(0, 500)
            early = e.rss_bytes()
            cycle(500, 3000)
            late = e.rss_bytes()
        self.assertLessEqual(late, early + MIB)


if __name__ == "__main__":
    harness.main()
