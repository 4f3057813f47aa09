"""Large changes are rendered on the pool while the loop goes on answering from the bytes
that are being compared with: what is served stays whole, in every format and coding."""

import gzip
import json
import os
import random
import unittest

import expo
import harness

SCENARIOS = 1500    # far more than are rendered on the loop
CHANGES = 12
HEADERS = ({}, {"Accept-Encoding": "gzip"},
           {"Accept": "application/openmetrics-text;version=1.0.0",
            "Accept-Encoding": "gzip"})


def content(rng, change):
    scenarios = [{"name": f"scenario {i}", "bitrate": "2500k", "resolution": "1280x720",
                  "fps": 30, "duration": 60 + change, "vmaf_score": 50 + i % 50,
                  "power_watts": [40 + i % 7, 42, 44 + change],
                  "cpu_usage_cores": [1, 2, 1.5]} for i in range(SCENARIOS)]
    rng.shuffle(scenarios)
    return json.dumps({"scenarios": scenarios})


class Pool(unittest.TestCase):
    def text(self, e, endpoint, headers):
        reply = e.get(endpoint, "/metrics", headers=headers)
        self.assertEqual(reply.status, 200)
        packed = reply.headers.get("Content-Encoding") == "gzip"
        self.assertEqual(packed, "Accept-Encoding" in headers)
        return (gzip.decompress(reply.body) if packed else reply.body).decode()

    def test_answers_are_whole_while_everything_changes(self):
        rng = random.Random(1)
        with harness.Exporter("--web.text-cache", "1MiB") as e:
            path = os.path.join(e.directory, "test_results_20260101_000000.json")
            harness.write_atomically(path, content(rng, 0))
            harness.wait_until(lambda: self.text(e, "qoe", HEADERS[0]).count(
                "\nqoe_vmaf_score{") == SCENARIOS, what="the first content")
            for change in range(1, CHANGES):
                harness.write_atomically(path, content(rng, change))
                for endpoint, family in (("results", "results_scenario_duration_seconds"),
                                         ("qoe", "qoe_vmaf_score"),
                                         ("cost", "cost_total_load_aware")):
                    for headers in HEADERS:
                        text = self.text(e, endpoint, headers)
                        self.assertEqual(text.count(f"\n{family}{{"), SCENARIOS)
            duration = f"}} {60 + CHANGES - 1}\n"
            harness.wait_until(
                lambda: self.text(e, "results", HEADERS[1]).count(duration) >= SCENARIOS,
                what="the last change")
            expo.parse(self.text(e, "results", HEADERS[1]).encode())
            self.assertEqual(self.text(e, "cost", HEADERS[0]), self.text(e, "cost", HEADERS[1]))


if __name__ == "__main__":
    unittest.main()
