# ctest: timeout 300
"""Energy that files do not hold: from databases filled with its history, whatever happens to
them meanwhile."""

import glob
import http.server
import json
import math
import os
import random
import shutil
import socketserver
import threading
import time
import unittest
import urllib.parse

import churn
import harness
import peers

ENERGY = "results_scenario_total_energy_joules"
ZONES = ("package_0", "package_1")
STEP = 5

PYTHON_ERA = sorted(glob.glob(os.path.join(harness.DATA, "python-era", "*.json")))


def power(zone, t):
    """Watts of a zone: slow waves, of another length for each."""
    period = {"package_0": 311, "package_1": 97, "package_0_core": 50}[zone]
    base = {"package_0": 60, "package_1": 35, "package_0_core": 20}[zone]
    return base + 12 * math.sin(2 * math.pi * t / period)


def integral(start, end):
    """Joules of both packages, of straight lines between samples."""
    total, t = 0.0, start
    while t < end:
        cell = math.floor(t / STEP) * STEP
        upto = min(cell + STEP, end)

        def at(x, c=cell):
            part = (x - c) / STEP
            return sum(power(z, c) * (1 - part) + power(z, c + STEP) * part
                       for z in ZONES)
        total += (at(t) + at(upto)) / 2 * (upto - t)
        t = upto
    return total


def scenarios():
    """(run, scenario) of all the files of the Python era."""
    for path in PYTHON_ERA:
        with open(path, encoding="utf-8") as f:
            for s in json.load(f)["scenarios"]:
                yield os.path.basename(path)[:-len(".json")], s


def spans():
    """What their files cover, in hours: begin and end of each."""
    for path in PYTHON_ERA:
        with open(path, encoding="utf-8") as f:
            all_of_it = json.load(f)["scenarios"]
        yield (min(s["start_time"] for s in all_of_it) - 60,
               max(s["end_time"] for s in all_of_it) + 60)


def history():
    lines = []
    for first, last in spans():
        for t in range(int(first // STEP) * STEP, int(last), STEP):
            for zone in (*ZONES, "package_0_core"):
                lines.append(f'rapl_power_watts{{zone="{zone}"}} {power(zone, t)!r} '
                             f"{t * 1000}")
            lines.append('container_cpu_usage_seconds_total{name="encoder"} '
                         f"{(t - 1766900000) * 2.5!r} {t * 1000}")
            lines.append('container_cpu_usage_seconds_total{name="k8s_POD_x"} '
                         f"{(t - 1766900000) * 9!r} {t * 1000}")
            lines.append(f"docker_containers_total_cpu_percent 260 {t * 1000}")
    return lines


class Door(socketserver.ThreadingTCPServer):
    """Stands before a database and can do to its answers what networks and proxies do."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port):
        super().__init__(("127.0.0.1", 0), Handler)
        self.port = port
        self.mode = "pass"
        self.asked = 0
        self.release = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """Clients that went are no news."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def close(self):
        self.release.set()
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def say(self, status, body, kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def forward(self, body):
        client = harness.http.client.HTTPConnection("127.0.0.1", self.server.port,
                                                    timeout=30)
        try:
            client.request(self.command, self.path, body,
                           {k: v for k, v in self.headers.items()
                            if k.lower() in ("content-type", "accept-encoding")})
            answer = client.getresponse()
            data = answer.read()
        finally:
            client.close()
        self.send_response(answer.status)
        for name in ("Content-Type", "Content-Encoding"):
            if answer.headers[name]:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        server = self.server
        server.asked += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        mode = server.mode
        if mode == "hang":
            server.release.wait(60)
            self.close_connection = True
        elif mode == "html":
            self.say(200, b"<html><body>Please sign in</body></html>", "text/html")
        elif mode == "cut":
            self.say(200, b'{"status":"success","data":{"resultType":"matrix","result":[')
        elif mode == "error":
            self.say(503, b'{"status":"error","errorType":"unavailable","error":"busy"}')
        elif mode == "nan":
            now = time.time()
            self.say(200, json.dumps({"status": "success", "data": {
                "resultType": "matrix", "result": [{"metric": {}, "values": [
                    [now, "NaN"]]}]}}).encode())
        else:
            if mode == "slow":
                time.sleep(0.5)
            self.forward(body)

    do_POST = do_GET


class Case(unittest.TestCase):
    @classmethod
    def filled(cls, name):
        peer = peers.Peer.named(name)
        cls.addClassCleanup(peer.stop)
        peer.start_with_history(history())
        return peer

    def energies(self, e):
        """{(run, scenario name): joules} as served."""
        return {(s.labels["run_id"], s.labels["scenario"]): s.value
                for s in e.metrics("results").samples(ENERGY)}

    def wait_all(self, e, timeout=60):
        want = {(run, s["name"]) for run, s in scenarios()}
        harness.wait_until(lambda: set(self.energies(e)) == want, timeout,
                           "energy of every scenario")
        return self.energies(e)

    def assert_right(self, energies):
        wanted = {(run, s["name"]): integral(s["start_time"], s["end_time"])
                  for run, s in scenarios()}
        for key, joules in energies.items():
            self.assertLess(abs(joules / wanted[key] - 1), 0.001, key)

    def basis(self, e, **labels):
        return {(s.labels["energy"], s.labels["compute"])
                for s in e.metrics("cost").samples("cost_basis_info", **labels)}


class Databases(Case):
    def check(self, name):
        peer = self.filled(name)
        with harness.Exporter("--runs", "all", "--prometheus-url",
                              f"http://127.0.0.1:{peer.port}", files=PYTHON_ERA) as e:
            energies = self.wait_all(e)
            self.assertEqual(len(energies), len(list(scenarios())))
            self.assert_right(energies)
            self.assertEqual(self.basis(e), {("upstream", "upstream")})
            sources = e.metrics("results").samples("results_scenario_energy_source_info")
            self.assertEqual({s.labels["source"] for s in sources}, {"upstream"})
            for s in e.metrics("results").samples("results_scenario_container_cpu_percent"):
                self.assertAlmostEqual(s.value, 260, places=6)
            cost = e.metrics("cost")
            for run, s in scenarios():
                seconds = s["end_time"] - s["start_time"]
                self.assertAlmostEqual(
                    cost.value("cost_compute_load_aware", scenario=s["name"], run_id=run),
                    2.5 * seconds / 3600 * 0.5, delta=2.5 * seconds / 3600 * 0.5 * 0.01)
            # What was there at the start is the zero, however late it is known.
            self.assertEqual(cost.value("cost_accrued_total", currency="USD"), 0)
            self.assertEqual(cost.value("co2_accrued_kg_total"), 0)

    def test_one_look_prints_it_and_waits_no_longer_than_for_the_answers(self):
        peer = self.filled("victoria-metrics")
        directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, directory)
        for path in PYTHON_ERA:
            shutil.copy(path, directory)
        began = time.monotonic()
        done = harness.run("--results-dir", directory, "--runs", "all", "--once", "results",
                           "--upstream.timeout", "60s", "--prometheus-url",
                           f"http://127.0.0.1:{peer.port}")
        self.assertEqual(done.returncode, 0, done.stderr)
        found = harness.expo.parse(done.stdout.encode()).samples(ENERGY)
        self.assert_right({(s.labels["run_id"], s.labels["scenario"]): s.value
                           for s in found})
        self.assertEqual(len(found), len(list(scenarios())))
        self.assertLess(time.monotonic() - began, 30)

    def test_victoria_metrics(self):
        self.check("victoria-metrics")

    def test_prometheus(self):
        self.check("prometheus")


class Trouble(Case):
    @classmethod
    def setUpClass(cls):
        cls.peer = cls.filled("victoria-metrics")

    def setUp(self):
        self.door = Door(self.peer.port)
        self.addCleanup(self.door.close)

    def exporter(self, *flags):
        return harness.Exporter("--runs", "all", "--prometheus-url", self.door.url, *flags,
                                files=PYTHON_ERA)

    def recovers(self, mode, *flags, log=None):
        """No figure is served while the answers are bad, and all are when they are good."""
        self.door.mode = mode
        with self.exporter(*flags) as e:
            harness.wait_until(lambda: self.door.asked >= 3, 30, "questions")
            self.assertEqual(self.energies(e), {})
            self.assertEqual({b[0] for b in self.basis(e)}, {"none"})
            if log:
                e.wait_log(log)
            self.door.mode = "pass"
            self.assert_right(self.wait_all(e))
            self.assertLessEqual(e.log_count("level=(warn|error)"), 6, e.log)
            e.wait_log("answers again")

    def test_pages_in_place_of_answers(self):
        self.recovers("html", log="(?i)upstream.*html|html.*upstream")

    def test_answers_that_are_cut(self):
        self.recovers("cut", log="upstream")

    def test_errors(self):
        self.recovers("error", log="upstream")

    def test_answers_that_never_come_cost_no_scrape(self):
        self.door.mode = "hang"
        with self.exporter("--upstream.timeout", "60s") as e:
            harness.wait_until(lambda: self.door.asked >= 1, 30, "a question")
            for _ in range(100):
                began = time.monotonic()
                self.assertEqual(e.get("cost").status, 200)
                self.assertLess(time.monotonic() - began, 5)
            self.assertEqual(self.energies(e), {})

    def test_slow_ones_are_waited_for(self):
        self.door.mode = "slow"
        with self.exporter() as e:
            self.assert_right(self.wait_all(e))

    def test_what_was_answered_stays_while_nobody_answers(self):
        with self.exporter() as e:
            before = self.wait_all(e)
            self.door.mode = "error"
            e.write(churn.name(99), json.dumps({"scenarios": [
                {"name": "new", "start_time": 1766948030, "end_time": 1766948150}]}))
            harness.wait_until(lambda: e.metrics("results").value(
                "results_scenario_duration_seconds", scenario="new") == 120)
            now = self.energies(e)
            self.assertEqual({k: now[k] for k in before if k in now and
                              k[1] != "1 Streams @ 1000k"},
                             {k: v for k, v in before.items() if k[1] != "1 Streams @ 1000k"})

    def test_nobody_is_there_at_first(self):
        self.door.close()
        with harness.Exporter("--runs", "all", "--prometheus-url", self.door.url,
                              files=PYTHON_ERA) as e:
            e.wait_log("upstream")
            self.assertEqual(self.energies(e), {})
            port = self.door.server_address[1]
            later = Door.__new__(Door)
            socketserver.ThreadingTCPServer.__init__(later, ("127.0.0.1", port), Handler)
            later.port, later.mode, later.asked = self.peer.port, "pass", 0
            later.release = threading.Event()
            threading.Thread(target=later.serve_forever, daemon=True).start()
            self.addCleanup(later.close)
            self.assert_right(self.wait_all(e))


class Shared(Case):
    """Encodes that ran at the same time on one machine."""

    @classmethod
    def setUpClass(cls):
        cls.peer = cls.filled("victoria-metrics")

    def run_of(self, spans_of, **fields):
        return json.dumps({"scenarios": [
            {"name": f"encode {i}", "start_time": a, "end_time": b, **fields}
            for i, (a, b) in enumerate(spans_of)]})

    def sum_of(self, e, count):
        harness.wait_until(lambda: len(self.energies(e)) == count, 30, "energy of all")
        return sum(self.energies(e).values())

    def union(self, spans_of):
        total, reached = 0.0, 0
        for a, b in sorted(spans_of):
            a = max(a, reached)
            if b > a:
                total += integral(a, b)
                reached = b
        return total

    def spans_within(self, count):
        first = min(s["start_time"] for _, s in scenarios())
        rng = random.Random(7)
        starts = [first + rng.uniform(0, 600) for _ in range(count)]
        return [(a, a + rng.uniform(30, 400)) for a in starts]

    def test_their_energy_adds_up_to_the_machines(self):
        overlapping = self.spans_within(12)
        with harness.Exporter("--prometheus-url", f"http://127.0.0.1:{self.peer.port}") as e:
            e.write(churn.name(1), self.run_of(overlapping))
            total = self.sum_of(e, len(overlapping))
            self.assertLess(abs(total / self.union(overlapping) - 1), 0.001)
            self.assertIn("upstream_shared", {b[0] for b in self.basis(e)})

    def test_over_two_runs_too(self):
        overlapping = self.spans_within(10)
        with harness.Exporter("--runs", "all", "--prometheus-url",
                              f"http://127.0.0.1:{self.peer.port}") as e:
            e.write(churn.name(1), self.run_of(overlapping[:5]))
            self.sum_of(e, 5)
            e.write(churn.name(2), self.run_of(overlapping[5:]))
            harness.wait_until(
                lambda: len(self.energies(e)) == 10 and
                abs(sum(self.energies(e).values()) / self.union(overlapping) - 1) < 0.001,
                30, "shares over both runs")
            os.unlink(e.path(churn.name(2)))
            harness.wait_until(
                lambda: len(self.energies(e)) == 5 and
                abs(sum(self.energies(e).values()) / self.union(overlapping[:5]) - 1)
                < 0.001, 30, "shares of the run that is left")

    def test_in_full_where_that_is_wanted(self):
        overlapping = self.spans_within(6)
        with harness.Exporter("--power.share", "off", "--prometheus-url",
                              f"http://127.0.0.1:{self.peer.port}") as e:
            e.write(churn.name(1), self.run_of(overlapping))
            total = self.sum_of(e, len(overlapping))
            self.assertLess(abs(total / sum(integral(*s) for s in overlapping) - 1), 0.001)
            self.assertEqual({b[0] for b in self.basis(e)}, {"upstream"})


if __name__ == "__main__":
    harness.main()
