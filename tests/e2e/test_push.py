# ctest: timeout 240
"""The last state is sent to VictoriaMetrics or a Pushgateway before the process ends."""

import base64
import json
import os
import shutil
import subprocess
import time
import unittest
import urllib.parse
import urllib.request

import expo
import harness
import peers
from harness import Exporter
from receiver import Receiver

FILES = harness.data_files("go-era")[:1]


def many(count):
    """A results file of so many scenarios."""
    return json.dumps({"scenarios": [
        {"name": f"scenario {i}", "bitrate": "5000k", "resolution": "1920x1080", "fps": 30,
         "duration": 10, "start_time": 1.7e9 + i, "end_time": 1.7e9 + i + 10,
         "power": {"mean_watts": 100 + i % 7}} for i in range(count)]})


def plain(exporter):
    """What a push has to hold: all endpoints, without the process's own families."""
    return "".join(exporter.get(e, "/metrics").text for e in ("results", "qoe", "cost"))


def without_own(text):
    """An exposition without families of the process and of what changes by itself."""
    return {name: family for name, family in expo.parse(text.encode()).families.items()
            if not name.startswith(("process_", "encode_exporter_"))}


class Case(unittest.TestCase):
    def assert_same_state(self, pushed, served):
        pushed, served = without_own(pushed), without_own(served)
        self.assertEqual(sorted(pushed), sorted(served))
        for name in served:
            self.assertEqual(pushed[name].help, served[name].help)
            self.assertEqual(pushed[name].type, served[name].type)
            self.assertEqual([(s.name, s.labels, s.text) for s in pushed[name].samples],
                             [(s.name, s.labels, s.text) for s in served[name].samples])


class VictoriaMetricsProtocol(Case):
    def test_the_last_state_is_sent_once_at_the_end(self):
        with Receiver() as r, Exporter("--push.url", r.url, files=FILES) as e:
            served = plain(e)
            self.assertEqual(r.asked, [])
            e.stop()
            self.assertEqual(len(r.asked), 1)
            asked = r.asked[0]
            self.assertEqual((asked.method, asked.path),
                             ("POST", "/api/v1/import/prometheus"))
            self.assertEqual(asked.headers["Content-Type"], "text/plain; version=0.0.4")
            self.assertEqual(asked.headers["User-Agent"], "encode_exporter")
            self.assert_same_state(asked.text, served)
            self.assertNotIn("process_", asked.text)
            self.assertNotIn("encode_exporter_", asked.text)
            self.assertEqual(e.log_count("the last values are pushed"), 1)

    def test_encodes_that_are_watched_are_in_it(self):
        with Receiver() as r, Exporter("--push.url", r.url) as e:
            e.get("results", "/progress/a", method="POST",
                  body=b"frame=7\nprogress=end\n")
            e.stop()
            self.assertIn('encode_frames_total{scenario="a"} 7', r.asked[-1].text)

    def test_a_file_written_just_before_the_end_is_in_it(self):
        with Receiver() as r, Exporter("--push.url", r.url, "--watch", "poll",
                                       "--poll-interval", "1h", files=FILES) as e:
            e.write("test_results_99991231_235959.json", many(3))
            e.stop()
            self.assertTrue('scenario="scenario 2"' in r.asked[-1].text)

    def test_large_states_are_sent_compressed(self):
        with Receiver() as r, Exporter("--push.url", r.url + "/") as e:
            e.rename_over("test_results_20240101_000000.json", many(2000))
            e.wait_metrics("results", lambda x: b"scenario 1999" in
                           e.get("results").body)
            served = plain(e)
            e.stop(timeout=60)
            asked = r.asked[0]
            self.assertEqual(asked.headers["Content-Encoding"], "gzip")
            self.assertLess(len(asked.raw) * 5, len(asked.body))
            self.assert_same_state(asked.text, served)

    def test_labels_become_extra_labels(self):
        with Receiver() as r, Exporter(
                "--push.url", r.url + "/insert/0/prometheus/api/v1/import/prometheus?x=1",
                "--push.label", "job=encode,pod=a b/c&d", files=FILES) as e:
            e.stop()
        path, query = r.asked[0].path.split("?")
        self.assertEqual(path, "/insert/0/prometheus/api/v1/import/prometheus")
        self.assertEqual(urllib.parse.parse_qsl(query),
                         [("extra_label", "job=encode"), ("extra_label", "pod=a b/c&d"),
                          ("x", "1")])

    def test_every_interval(self):
        with Receiver() as r, Exporter("--push.url", r.url, "--push.interval", "100ms",
                                       files=FILES) as e:
            r.wait(3)
            state = e.wait_metrics("results", lambda x: True)
            self.assertGreaterEqual(
                state.value("encode_exporter_push_requests_total", result="good"), 2)
            self.assertGreater(
                state.value("encode_exporter_push_last_success_timestamp_seconds"), 1.7e9)


class Lingering(Case):
    def test_the_last_state_is_sent_early_and_once(self):
        with Receiver() as r, Exporter("--push.url", r.url, "--shutdown.linger", "2s",
                                       files=FILES) as e:
            e.process.terminate()
            r.wait(1)
            self.assertEqual(e.get("cost").status, 200)    # serves while it lingers
            e.process.wait(20)    # one signal alone: another would end it at once
            e.stop()
            self.assertEqual(len(r.asked), 1)
            self.assertEqual(e.log_count("the last values are pushed"), 1)

    def test_what_comes_meanwhile_is_sent_as_well(self):
        with Receiver() as r, Exporter("--push.url", r.url, "--shutdown.linger", "3s",
                                       files=FILES) as e:
            e.process.terminate()
            r.wait(1)
            e.rename_over("test_results_99991231_235959.json", many(3))
            e.process.wait(20)
            e.stop()
            held = ['scenario="scenario 2"' in asked.text for asked in r.asked]
            self.assertEqual(held, [False, True])


class Failing(Case):
    def test_refused_states_are_told_and_the_exit_is_clean(self):
        with Receiver((400, b"cannot\nparse")) as r, Exporter(
                "--push.url", r.url, files=FILES) as e:
            e.stop()    # checks the exit status
            self.assertEqual(len(r.asked), 1)
            self.assertEqual(e.log_count("the last values are not pushed"), 1)
            self.assertIn("HTTP status 400: cannot\\nparse", e.log)

    def test_a_server_that_comes_back_gets_the_values(self):
        with Receiver((503, b""), (503, b""), (204, b"")) as r, Exporter(
                "--push.url", r.url, files=FILES) as e:
            served = plain(e)
            e.stop()
            self.assertEqual(len(r.asked), 3)
            self.assert_same_state(r.asked[2].text, served)
            self.assertEqual(e.log_count("the last values are pushed"), 1)

    def test_time_is_bounded_by_the_linger_time(self):
        with Receiver(None) as r, Exporter("--push.url", r.url, "--shutdown.linger", "2s",
                                           files=FILES) as e:
            began = time.monotonic()
            e.stop()
            spent = time.monotonic() - began
            self.assertGreater(spent, 1.5)
            self.assertLess(spent, 6)
            self.assertEqual(e.log_count("the last values are not pushed"), 1)

    def test_nobody_there_takes_no_more_than_eight_seconds(self):
        with Exporter("--push.url", "http://127.0.0.1:1", files=FILES) as e:
            began = time.monotonic()
            e.stop()
            self.assertLess(time.monotonic() - began, 10)
            self.assertEqual(e.log_count("the last values are not pushed"), 1)

    def test_a_second_signal_ends_it_at_once(self):
        with Receiver(None) as r, Exporter("--push.url", r.url, files=FILES) as e:
            e.process.terminate()
            r.wait(1)
            began = time.monotonic()
            e.stop()
            self.assertLess(time.monotonic() - began, 4)

    def test_interval_failures_are_counted_and_leave_serving_alone(self):
        with Receiver((500, b"")) as r, Exporter(
                "--push.url", r.url, "--push.interval", "50ms", files=FILES) as e:
            r.wait(3)
            e.wait_metrics("results", lambda x: x.value(
                "encode_exporter_push_requests_total", result="bad") >= 3)
            self.assertEqual(e.get("cost").status, 200)
            r.answers = [(204, b"")]


class Secrets(Case):
    def test_files_say_who_pushes_and_are_read_anew(self):
        directory = harness.temp_dir()
        password = os.path.join(directory, "password")
        harness.write_atomically(password, b"first secret\n")
        with Receiver() as r, Exporter(
                "--push.url", r.url, "--push.interval", "100ms", "--push.username", "me",
                "--push.password-file", password, files=FILES) as e:
            def sent(word):
                want = "Basic " + base64.b64encode(f"me:{word}".encode()).decode()
                return lambda: any(a.headers["Authorization"] == want
                                   for a in list(r.asked))
            harness.wait_until(sent("first secret"))
            harness.write_atomically(password, b"second secret\n")
            harness.wait_until(sent("second secret"))
            e.stop()
            self.assertNotIn("secret", e.log)
        shutil.rmtree(directory)

    def test_wrong_settings(self):
        url = ["--push.url", "http://h"]
        for flags, part, status in [
                (["--push.url", "ftp://me:geheim@h"], "--push.url", 2),
                (["--push.interval", "1s"], "there is no --push.url", 2),
                ([*url, "--push.label", "a"], "--push.label", 2),
                ([*url, "--push.label", "1a=b"], "--push.label", 2),
                ([*url, "--push.label", "__a=b"], "--push.label", 2),
                (["--push.url", "http://h/metrics/job/x", "--push.label", "job=y"],
                 "job of a Pushgateway", 2),
                ([*url, "--push.bearer-token-file", "/nonexistent"], "/nonexistent", 1),
                ([*url, "--push.ca-file", "/nonexistent"], "/nonexistent", 1)]:
            with self.subTest(flags=flags):
                done = harness.run(*flags, "--check-config")
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertIn(part, done.stderr)
                self.assertNotIn("geheim", done.stderr)
        self.assertEqual(harness.run(*url, "--push.label", "a=b=c", "--check-config")
                         .returncode, 0)

    def test_a_secret_in_plain_text_is_warned_of(self):
        with Exporter("--push.url", "http://me:geheim@push.invalid", "--shutdown.linger",
                      "1s", files=FILES) as e:
            e.stop()
            self.assertEqual(e.log_count("a secret is sent without encryption"), 1)
            self.assertNotIn("geheim", e.log)


class RealVictoriaMetrics(Case):
    def test_values_arrive_with_their_labels(self):
        peer = peers.Peer.named("victoria-metrics")
        self.addCleanup(peer.stop)
        peer.start_with("scrape_configs: []\n")
        harness.wait_until(peer.answers, timeout=60, what="VictoriaMetrics answers")
        with Exporter("--push.url", f"http://127.0.0.1:{peer.port}",
                      "--push.label", "job=one-encode,instance=pod/1") as e:
            e.rename_over("test_results_20240101_000000.json", many(500))
            e.wait_metrics("results", lambda x: b"scenario 499" in e.get("results").body)
            e.stop(timeout=60)
        urllib.request.urlopen(f"http://127.0.0.1:{peer.port}/internal/force_flush",
                               timeout=60).close()

        def arrived():
            found = peer.query('count(results_scenario_duration_seconds'
                               '{job="one-encode",instance="pod/1"})')
            return found and found[0]["value"][1] == "500"
        harness.wait_until(arrived, timeout=60, what="values in VictoriaMetrics")
        # 100 W, and what the number of a scenario leaves when divided by 7
        most = harness.wait_until(    # each part of what was sent is seen in its own time
            lambda: peer.query('max(results_scenario_mean_power_watts{job="one-encode"})'),
            timeout=60, what="power in VictoriaMetrics")
        self.assertEqual(float(most[0]["value"][1]), 106)


class Pushgateway:
    """The real one, on a port of its own choice."""

    def __init__(self):
        if not shutil.which("prometheus-pushgateway"):
            raise unittest.SkipTest("no prometheus-pushgateway")
        self.process = subprocess.Popen(
            ["prometheus-pushgateway", "--web.listen-address=127.0.0.1:0",
             "--persistence.file=", "--log.level=warn"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        def ready():
            for port in peers.listening_ports(self.process.pid):
                self.url = f"http://127.0.0.1:{port}"
                return True
        harness.wait_until(ready, timeout=60, what="the Pushgateway listens")
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait(20)

    def exposition(self):
        with urllib.request.urlopen(self.url + "/metrics", timeout=20) as reply:
            return reply.read().decode()


class RealPushgateway(Case):
    def test_it_takes_everything(self):
        with Pushgateway() as g:
            with Exporter("--push.url", g.url + "/metrics/job/encode", "--push.label",
                          "instance=a,path=/data/x", files=FILES) as e:
                families = without_own(plain(e))
                e.stop()
                self.assertEqual(e.log_count("the last values are pushed"), 1, e.log)
            text = g.exposition()
        for name in families:
            self.assertIn(f"\n# TYPE {name} ", text)
        lines = [l for l in text.splitlines()
                 if l.startswith("results_scenario_duration_seconds{")]
        self.assertTrue(lines)
        for line in lines:
            for label in ('instance="a"', 'job="encode"', 'path="/data/x"'):
                self.assertIn(label, line)

    def test_large_states_without_gzip(self):
        with Pushgateway() as g:
            # Nothing is kept as text, so that it is inflated on its way.
            with Exporter("--push.url", g.url + "/metrics/job/encode/",
                          "--web.text-cache", "1") as e:
                e.rename_over("test_results_20240101_000000.json", many(1500))
                e.wait_metrics("results",
                               lambda x: b"scenario 1499" in e.get("results").body)
                e.stop(timeout=60)
                self.assertEqual(e.log_count("the last values are pushed"), 1, e.log)
            text = g.exposition()
        self.assertEqual(text.count("\nresults_scenario_duration_seconds{"), 1500)


if __name__ == "__main__":
    harness.main()
