"""What /events tells: all there is, what changes, and what was missed."""

# ctest: timeout 240

import json
import os
import re
import shutil
import time
import unittest
import unittest.mock

import everything
import harness
from listener import Gone, Listener

FILES = harness.data_files("go-era")
RUN = "test_results_20300101_000000"


def scenario(name, **members):
    return {"name": name, "bitrate": "5000k", "resolution": "1920x1080",
            "duration": 60, **members}


def results(*scenarios):
    return json.dumps({"scenarios": list(scenarios)})


def many(count, **members):
    return [scenario(f"encode {i}", source=f"clip {i % 50}", encoder="libx264",
                     preset=f"p{i % 9}", vmaf_score=60 + i % 40, **members)
            for i in range(count)]


class Events(unittest.TestCase):
    def setUp(self):
        self.exporter = None

    def start(self, *flags, files=FILES, **how):
        self.exporter = harness.Exporter(*flags, files=files, **how)
        self.exporter.__enter__()
        self.addCleanup(self.exporter.__exit__, None, None, None)
        return self.exporter

    def listen(self, path="/events", endpoint="results", **how):
        listener = Listener(self.exporter.address(endpoint), path, **how)
        self.addCleanup(listener.sock.close)
        return listener

    def test_all_there_is_then_changes(self):
        e = self.start(files=[])
        e.write(RUN + ".json", results(scenario("a", vmaf_score=91.25), scenario("b"),
                                       scenario("a", crf=20)))
        harness.wait_until(lambda: "scenario=\"b\"" in e.get("results").text)
        for endpoint, gzip in (("qoe", False), ("cost", True)):
            with self.subTest(endpoint=endpoint, gzip=gzip):
                told = self.listen(endpoint=endpoint, gzip=gzip)
                self.assertEqual(told.status, 200)
                self.assertEqual(told.headers["content-type"], "text/event-stream")
                self.assertEqual(told.headers["cache-control"], "no-store")
                self.assertEqual("content-encoding" in told.headers, gzip)
                told.until(lambda t=told: t.whole)
                self.assertEqual(sorted(told.of("scenario")),
                                 [RUN + "/a", RUN + "/a#2", RUN + "/b"])
                self.assertEqual(told.resets, 1)
                self.assertEqual(told.retry, "1000")
        a = told.of("scenario")[RUN + "/a"]
        self.assertEqual((a["run"], a["name"], a["vmaf"], a["bitrate_bps"],
                          a["duration_s"]), (RUN, "a", 91.25, 5000000, 60))
        self.assertNotIn("encoder", a)    # a default is no fact
        self.assertNotIn("set", a)        # no source
        status = told.status_record()
        self.assertEqual((status["ready"], status["files_served"], status["newest"],
                          status["scenarios"], status["shown"], status["currency"]),
                         (True, 1, RUN, 3, 3, "USD"))
        self.assertEqual(status["results_dir"], e.directory)

        begin = time.monotonic()
        e.rename_over(RUN + ".json", results(scenario("a", vmaf_score=92),
                                             scenario("c")))
        told.until(lambda: RUN + "/c" in told.of("scenario") and
                   RUN + "/b" not in told.of("scenario"))
        self.assertLess(time.monotonic() - begin, 5)
        told.until(lambda: told.status_record()["scenarios"] == 2)
        self.assertEqual(sorted(told.of("scenario")), [RUN + "/a", RUN + "/c"])
        self.assertEqual(told.of("scenario")[RUN + "/a"]["vmaf"], 92)
        self.assertEqual(told.resets, 1)
        e.write(RUN + ".json", "{ no")
        told.until(lambda: told.status_record()["newest_ok"] is False)
        self.assertIn("newest_error", told.status_record())
        os.remove(e.path(RUN + ".json"))
        told.until(lambda: not told.of("scenario"))
        e.stop()
        with self.assertRaises(Gone):
            told.until(lambda: False)

    def test_what_was_missed(self):
        e = self.start(files=[])
        e.write(RUN + ".json", results(scenario("a"), scenario("b")))
        first = self.listen()
        first.until(lambda: first.whole and len(first.of("scenario")) == 2)
        first.sock.close()
        e.rename_over(RUN + ".json", results(scenario("a"), scenario("c")))
        harness.wait_until(lambda: "scenario=\"c\"" in e.get("results").text)
        for how in ({"headers": [f"Last-Event-ID: {first.id}"]},
                    {"path": f"/events?since={first.id}", "gzip": True},
                    {"path": "/events?since=1-1",
                     "headers": [f"Last-Event-ID: {first.id}"]}):
            again = self.listen(**how)
            again.records = dict(first.records)
            again.until(lambda a=again: a.whole)
            self.assertEqual(again.resets, 0, how)
            self.assertEqual(sorted(again.of("scenario")), [RUN + "/a", RUN + "/c"])
            self.assertNotIn("\"/a\"", again.text.decode())
        for wrong in ("ffffffff-1", first.id + "999999", "nonsense"):
            anew = self.listen(headers=[f"Last-Event-ID: {wrong}"])
            anew.until(lambda a=anew: a.whole)
            self.assertEqual((anew.resets, len(anew.of("scenario"))), (1, 2), wrong)

    def test_another_process_begins_anew(self):
        e = self.start(files=FILES)
        first = self.listen()
        first.until(lambda: first.whole)
        e.stop()
        self.start(files=FILES)
        again = self.listen(headers=[f"Last-Event-ID: {first.id}"])
        again.records[("scenario", "of old")] = {}
        again.until(lambda: again.whole)
        self.assertEqual(again.resets, 1)
        self.assertEqual(set(again.of("scenario")), set(first.of("scenario")))

    def test_encodes_as_they_run(self):
        e = self.start(files=[])
        told = self.listen(gzip=True)
        told.until(lambda: told.whole)
        block = ("frame={0}\nfps=25.0\nbitrate=1000.0kbits/s\ntotal_size=1000\n"
                 "out_time_us={0}0000\nspeed=1.0x\nprogress=continue\n")
        with open(e.path("clip.progress"), "w", encoding="ascii") as f:
            for i in (10, 20, 30):
                f.write(block.format(i))
                f.flush()
                begin = time.monotonic()
                told.until(lambda n=i: told.of("encode").get("clip", {}).get("frames")
                           == n)
                self.assertLess(time.monotonic() - begin, 5)
        encode = told.of("encode")["clip"]
        self.assertEqual((encode["state"], encode["run"], encode["scenario"],
                          encode["row"], encode["fps"]),
                         ("running", "live", "clip", "live/clip", 25))
        told.until(lambda: "live/clip" in told.of("scenario"))
        self.assertEqual(told.of("scenario")["live/clip"]["state"], "running")

    def test_encodes_that_make_room_are_gone(self):
        e = self.start("--live.max-encodes=2", files=[])
        told = self.listen()
        told.until(lambda: told.whole)
        for i in range(4):
            e.write(f"clip{i}.progress", "frame=1\nprogress=end\n")
            told.until(lambda n=i: f"clip{n}" in told.of("encode"))
        self.assertEqual(sorted(told.of("encode")), ["clip2", "clip3"])
        self.assertEqual(told.resets, 1)

    def test_other_prices_are_other_costs(self):
        pricing = os.path.join(harness.temp_dir(), "pricing.json")
        self.addCleanup(shutil.rmtree, os.path.dirname(pricing))
        harness.write_atomically(pricing, everything.prices(0.1))
        e = self.start("--pricing-config", pricing, files=FILES)
        told = self.listen()
        told.until(lambda: told.whole)
        before = {k: r["cost"] for k, r in told.of("scenario").items()
                  if r.get("cost") and "energy_j" in r}
        self.assertTrue(before)
        harness.write_atomically(pricing, everything.prices(0.9))
        told.until(lambda: all(told.of("scenario")[k]["cost"] > cost
                               for k, cost in before.items()))
        self.assertEqual(told.resets, 1)
        self.assertEqual(e.log_count("settings reloaded"), 1)

    def test_a_beat_tells_that_it_is_alive(self):
        self.start(files=FILES)
        told = self.listen(gzip=True)
        told.until(lambda: told.whole)
        changes = told.events.count("change")
        told.until(lambda: told.beats, timeout=20)
        self.assertLess(abs(told.beats[0] - time.time()), 5)
        self.assertEqual(told.events.count("change"), changes)    # nothing was news

    def test_pages_of_other_sites_are_not_told(self):
        e = self.start(files=FILES)
        for headers in ({"Origin": "http://evil.example"},
                        {"Sec-Fetch-Site": "cross-site"},
                        {"Host": "rebound.example"}):
            for path in ("/events", "/frames?encode=a"):
                self.assertEqual(e.get("results", path, headers).status, 403, headers)

    def test_many_listen_but_not_too_many(self):
        e = self.start("--web.max-connections=200", "--web.max-connections-per-peer=200",
                       files=FILES)
        told = [self.listen(gzip=i % 2 == 0) for i in range(64)]
        for t in told:
            t.until(lambda t=t: t.whole)
        self.assertEqual(e.get("results", "/events").status, 503)
        self.assertEqual({json.dumps(sorted(t.records.items())) for t in told},
                         {json.dumps(sorted(told[0].records.items()))})
        told[7].sock.close()
        again = harness.wait_until(
            lambda: (lambda t: t if t.status == 200 else None)(self.listen()),
            what="room again")
        again.until(lambda: again.whole)

    def test_ten_thousand_scenarios_and_nobody_waits(self):
        e = self.start(files=[])
        e.write(RUN + ".json", results(*many(10000)))
        harness.wait_until(lambda: "scenario=\"encode 9999\"" in e.get("results").text,
                           timeout=60)
        told = self.listen(gzip=True)
        begin = time.monotonic()
        told.until(lambda: told.whole, timeout=60)
        took = time.monotonic() - begin
        self.assertEqual(len(told.of("scenario")), 10000)
        self.assertEqual(told.status_record()["shown"], 10000)
        print(f"10 000 scenarios: {took:.3f} s, {told.bytes} bytes of {told.text_bytes}")
        # what has one name in one run is one of a set
        sets = {}
        for r in told.of("scenario").values():
            sets.setdefault(r["set"], set()).add(r["source"])
        self.assertEqual(len(sets), 50)
        self.assertTrue(all(len(s) == 1 for s in sets.values()))
        # one that changes is one that is told
        before = told.text_bytes
        e.rename_over(RUN + ".json", results(*many(9999), scenario("another")))
        told.until(lambda: RUN + "/another" in told.of("scenario") and
                   RUN + "/encode 9999" not in told.of("scenario"), timeout=60)
        self.assertLess(told.text_bytes - before, 5000)
        # readers that take nothing cost no memory to speak of
        rss = e.rss_bytes()
        slow = [self.listen(rcvbuf=4096) for _ in range(16)]
        fresh = self.listen()
        fresh.until(lambda: fresh.whole, timeout=60)
        self.assertEqual(len(slow), 16)
        self.assertLess(e.rss_bytes() - rss, 16 << 20)

    def test_who_takes_nothing_is_sent_away_and_may_come_again(self):
        e = self.start("--web.write-timeout=1s", files=[])
        e.write(RUN + ".json", results(*many(10000)))
        harness.wait_until(lambda: "scenario=\"encode 9999\"" in e.get("results").text,
                           timeout=60)
        told = self.listen(rcvbuf=4096)
        told.until(lambda: told.of("scenario"))    # and no more of it
        harness.wait_until(
            lambda: re.search(r'http_refused_total\{reason="write_timeout"\} [1-9]',
                              e.get("results").text), what="it is sent away")
        known = set(told.of("scenario"))
        with self.assertRaises((Gone, ConnectionError)):
            told.until(lambda: told.whole, timeout=60)
        again = self.listen(path=f"/events?since={told.id}", gzip=True)
        again.records = told.records
        again.until(lambda: again.whole, timeout=60)
        self.assertEqual((again.resets, len(again.of("scenario"))), (0, 10000))
        self.assertLess(len(known), 10000)

    def test_the_front_is_that_of_the_metrics(self):
        e = self.start(files=harness.data_files("encodes"), listen=harness.ENDPOINTS)
        told = self.listen()
        told.until(lambda: told.whole)
        metrics = harness.wait_until(
            lambda: re.findall(r'^qoe_pareto_optimal\{(.*)\} ([01])$',
                               e.get("qoe").text, re.M), what="fronts")
        want = {}
        for labels, value in metrics:
            parts = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            key = (parts["scenario"], parts["source"], parts["resolution"],
                   parts["against"])
            want.setdefault(key, []).append(int(value))
        got = {}
        for member, price in (("bitrate_bps", "bitrate"), ("cost", "cost")):
            points = {}
            for r in told.of("scenario").values():
                if "set" in r and member in r and "vmaf" in r:
                    points.setdefault(r["set"], []).append(r)
            for those in points.values():
                if len(those) < 2:
                    continue
                for r in those:
                    better = any(o[member] <= r[member] and o["vmaf"] >= r["vmaf"] and
                                 (o[member] < r[member] or o["vmaf"] > r["vmaf"])
                                 for o in those)
                    key = (r["name"], r["source"], r["resolution"], price)
                    got.setdefault(key, []).append(int(not better))
        self.assertEqual({k: sorted(v) for k, v in got.items()},
                         {k: sorted(v) for k, v in want.items()})


class Missing(unittest.TestCase):
    """page.so lies beside the program; a copy of the program alone has none."""

    def test_all_but_the_page_is_served_without_it(self):
        directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, directory)
        program = shutil.copy(harness.binary(), directory)
        with unittest.mock.patch.dict(os.environ, ENCODE_EXPORTER=program), \
                harness.Exporter(files=FILES) as e:
            self.assertIn("results_scenario_duration_seconds", e.get("results").text)
            self.assertEqual(e.log_count("there is no page.*page.so"), 1)
            for path in ("/", "/page.js", "/events", "/frames?encode=a"):
                got = e.get("results", path)
                self.assertEqual(got.status, 404)
                self.assertIn("page.so", got.text)
            e.stop()


if __name__ == "__main__":
    harness.main()
