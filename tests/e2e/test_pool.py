"""Large changes are rendered on the pool while the loop goes on answering from the bytes
that are being compared with: what is served stays whole, in every format and coding."""

import gzip
import json
import os
import random
import socket
import unittest

import expo
import harness

SCENARIOS = 1500    # far more than are rendered on the loop
CHANGES = 12
SCRAPES = 40    # of a large answer, which is put together in memory after fewer
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


def slow_reader(e, endpoint):
    """A connection whose gzip answer waits in small buffers to be read."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(20)
    s.connect(("127.0.0.1", e.ports[endpoint]))
    s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n"
              b"Connection: close\r\n\r\n")
    return s


def body_of(begun, s):
    parts = [begun]
    while part := s.recv(1 << 16):
        parts.append(part)
    return b"".join(parts).split(b"\r\n\r\n", 1)[1]


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

    def test_what_is_scraped_again_and_again_stays_the_same(self):
        """Its blocks move in memory meanwhile, also under an answer that is being read."""
        headers = {"Accept-Encoding": "gzip", "Connection": "keep-alive"}
        rng = random.Random(2)
        with harness.Exporter("--web.text-cache", "0") as e:
            path = os.path.join(e.directory, "test_results_20260101_000000.json")
            for change in range(3):
                harness.write_atomically(path, content(rng, change))
                duration = f"}} {60 + change}\n"
                harness.wait_until(lambda: self.text(e, "results", HEADERS[1]).count(
                    duration) >= SCENARIOS, what="the change")
                text = {n: self.text(e, n, HEADERS[0]) for n in ("qoe", "cost")}
                first = {n: e.get(n, "/metrics", headers=headers).body for n in text}
                with slow_reader(e, "cost") as slow:
                    begun = slow.recv(1000)
                    for _ in range(SCRAPES):
                        for n, body in first.items():
                            self.assertEqual(e.get(n, "/metrics", headers=headers).body, body)
                    self.assertEqual(body_of(begun, slow), first["cost"])
                for n in text:
                    self.assertEqual(gzip.decompress(first[n]).decode(), text[n])
                    self.assertEqual(self.text(e, n, HEADERS[0]), text[n])


if __name__ == "__main__":
    unittest.main()
