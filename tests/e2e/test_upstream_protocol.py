# ctest: timeout 300
"""What the program asks of a time series database, when, and as whom: against a server of
ours that writes everything down."""

import base64
import http.server
import json
import math
import os
import re
import signal
import socketserver
import threading
import time
import unittest
import urllib.parse

import harness

BASE = 1767010400    # 2025-12-29 12:13:20 UTC, on the grid of 5 s
SECRET = "pa55-w0rd"
ENERGY = "results_scenario_total_energy_joules"
CORES = re.escape("sum(rate(container_cpu_usage_seconds_total"
                  '{name!~".*POD.*",name!=""}[30s]))')


class Asked:
    def __init__(self, method, path, arguments, authorization):
        self.method = method
        self.path = path
        self.arguments = arguments
        self.authorization = authorization
        self.query = arguments.get("query", "")
        self.at = time.time()

    def number(self, name):
        return float(self.arguments[name])


class Database(socketserver.ThreadingTCPServer):
    """Answers by answer(asked) → (status, body), or None for no answer at all."""
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, answer=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer or well
        self.lock = threading.Lock()
        self.all = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.serve_forever,
                                       kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_):
        """Clients that went are no news."""

    def url(self, who=""):
        return f"http://{who}127.0.0.1:{self.server_address[1]}"

    def asked(self, part=""):
        with self.lock:
            return [a for a in self.all if part in a.query]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def take(self, arguments):
        path = urllib.parse.urlsplit(self.path)
        asked = Asked(self.command, path.path,
                      dict(urllib.parse.parse_qsl(arguments or path.query,
                                                  keep_blank_values=True)),
                      self.headers.get("Authorization"))
        with self.server.lock:
            self.server.all.append(asked)
        answer = self.server.answer(asked)
        if answer is None:
            self.server.over.wait(60)
            self.close_connection = True
            return
        status, body = answer
        body = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.take("")

    def do_POST(self):
        self.take(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def log_message(self, *_):
        pass


# ---- answers ---------------------------------------------------------------------------

def success(kind, result, **more):
    return 200, json.dumps({"status": "success",
                            "data": {"resultType": kind, "result": result}, **more})


def matrix(asked, value):
    """value(t) at every step that was asked for; None: no sample."""
    points = []
    t = asked.number("start")
    while t <= asked.number("end"):
        v = value(t)
        if v is not None:
            points.append([t, repr(v)])
        t += asked.number("step")
    return success("matrix", [{"metric": {}, "values": points}] if points else [])


def watts(t):
    return 100.0 + t % 100


def well(asked):
    """100 to 200 W, 2 cores, and no energy counter."""
    if asked.path.endswith("/query"):
        return success("vector", [])
    if "rapl_power_watts" in asked.query:
        return matrix(asked, watts)
    if "container_cpu" in asked.query:
        return matrix(asked, lambda t: 2.0)
    return success("matrix", [])


def joules(start, end):
    """∫ of straight lines between watts() at the steps of the grid."""
    total, t = 0.0, start
    while t < end:
        cell = math.floor(t / 5) * 5
        upto = min(cell + 5, end)
        slope = (watts(cell + 5) - watts(cell)) / 5
        total += (upto - t) * (watts(cell) + slope * ((t + upto) / 2 - cell))
        t = upto
    return total


def run_of(*scenarios):
    return json.dumps({"scenarios": list(scenarios)})


def encode(name, start, end=None, **more):
    s = {"name": name, "start_time": start, "bitrate": "1000k",
         "resolution": "1280x720", "fps": 30, **more}
    if end is not None:
        s.update(end_time=end, duration=end - start)
    return s


class Case(unittest.TestCase):
    def exporter(self, db, *flags, url=None, files=None, env=None):
        e = harness.Exporter("--prometheus-url", url or db.url(), *flags, env=env)
        os.mkdir(e.directory)
        for name, text in (files or {"test_results_20251229_121300.json": run_of(
                encode("one", BASE, BASE + 60))}).items():
            with open(os.path.join(e.directory, name), "w", encoding="utf-8") as f:
                f.write(text)
        return e

    def energy(self, e):
        return {s.labels["scenario"]: s.value
                for s in e.metrics("results").samples(ENERGY)}

    def wait_energy(self, e, *names):
        def there():
            found = self.energy(e)
            return found if set(names) <= set(found) else None
        return harness.wait_until(there, what=f"energy of {names}")

    def counter(self, e, name, **labels):
        found = e.metrics("results").samples("encode_exporter_upstream_" + name, **labels)
        return found[0].value if found else None

    def settles_at(self, e, value, name, **labels):
        """What the process tells of itself is made once a second."""
        harness.wait_until(lambda: self.counter(e, name, **labels) == value,
                           what=f"{name} {labels} = {value}")

    def wait_counter(self, e, value, name, **labels):
        harness.wait_until(lambda: (self.counter(e, name, **labels) or 0) >= value,
                           what=f"{name} {labels}")


class Questions(Case):
    def test_what_lies_close_is_asked_once_and_never_again(self):
        files = {"test_results_20251229_121300.json": run_of(
                     encode("one", BASE + 2, BASE + 62),
                     encode("two", BASE + 200, BASE + 320),
                     encode("far", BASE + 7200, BASE + 7260))}
        with Database() as db, self.exporter(db, files=files) as e:
            found = self.wait_energy(e, "one", "two", "far")
            self.assertAlmostEqual(found["one"], joules(BASE + 2, BASE + 62), delta=1e-6)
            self.assertAlmostEqual(found["two"], joules(BASE + 200, BASE + 320),
                                   delta=1e-6)
            harness.wait_until(lambda: len(db.asked("docker_containers")) == 2)
            power = db.asked("rapl_power_watts")
            self.assertEqual(sorted((a.number("start"), a.number("end")) for a in power),
                             [(BASE - 5, BASE + 325), (BASE + 7195, BASE + 7265)])
            for a in power:
                self.assertEqual(a.method, "GET")
                self.assertEqual(a.path, "/api/v1/query_range")
                self.assertEqual(a.arguments["step"], "5")
                self.assertEqual(a.arguments["nocache"], "1")
                self.assertEqual(a.arguments["timeout"], "10s")
                self.assertEqual(
                    a.query, 'sum(rapl_power_watts{zone=~"package[-_]?[0-9]+"})')
            self.assertRegex(db.asked("container_cpu")[0].query, CORES)
            # Written again, and with one more that lies within what is known.
            e.write("test_results_20251229_121300.json", run_of(
                encode("one", BASE + 2, BASE + 62), encode("two", BASE + 200, BASE + 320),
                encode("far", BASE + 7200, BASE + 7260),
                encode("more", BASE + 210, BASE + 230)))
            self.wait_energy(e, "more")
            self.assertEqual(len(db.asked("rapl_power_watts")), 2)
            self.settles_at(e, 1, "up")

    def test_a_rate_that_is_empty_is_asked_over_two_minutes(self):
        def slow(asked):
            return success("matrix", []) if "[30s]" in asked.query else well(asked)
        with Database(slow) as db, self.exporter(db) as e:
            self.wait_energy(e, "one")
            harness.wait_until(lambda: db.asked("[2m]"))
            e.wait_metrics("cost", lambda m: m.samples("cost_basis_info",
                                                       compute="upstream"),
                           what="cores")

    def test_a_counter_is_asked_for_at_the_end_where_nothing_tells_the_power(self):
        def with_counter(asked):
            if "rapl_power_watts" in asked.query:
                return success("matrix", [])
            if asked.path.endswith("/query"):
                return success("vector", [{"metric": {}, "value": [1, "8989"]}])
            return well(asked)
        files = {"test_results_20251229_121300.json": run_of(
            encode("one", BASE + 0.5, BASE + 60.75))}
        with Database(with_counter) as db, self.exporter(db, files=files) as e:
            harness.wait_until(lambda: self.energy(e).get("one") == 8989,
                               what="the counter's energy")
            asked = db.asked("rapl_energy")
            self.assertEqual(len(asked), 1)
            self.assertEqual(asked[0].query, "sum(increase(rapl_energy_joules_total"
                                             '{zone=~"package[-_]?[0-9]+"}[60250ms]))')
            self.assertEqual(asked[0].number("time"), BASE + 60.75)

    def test_names_are_filled_in_from_file_and_environment(self):
        files = {"test_results_20251229_121300.json": run_of(
            encode("one", BASE, BASE + 60, host='enc"1'),
            encode("two", BASE + 100, BASE + 160))}
        with Database() as db, self.exporter(
                db, "--upstream.preset", "kubernetes", "--upstream.cpu-query",
                'sum(cores{host="$host"})', files=files,
                env={"NODE_NAME": "worker-3", "HOSTNAME": "pod-7"}) as e:
            self.wait_energy(e, "one", "two")
            harness.wait_until(lambda: len(db.asked("cores{")) == 2)
            self.assertEqual({a.query for a in db.asked("cores{")},
                             {'sum(cores{host="enc\\x221"})', 'sum(cores{host="pod-7"})'})
            self.assertEqual({a.query for a in db.asked("rapl_power")},
                             {'sum(rapl_power_watts{node="worker-3",'
                              'zone=~"package[-_]?[0-9]+"})'})

    def test_a_name_that_nobody_gives_is_told_once(self):
        with Database() as db, self.exporter(
                db, "--upstream.container-query", 'c{pod="$pod"}') as e:
            self.wait_energy(e, "one")
            self.assertEqual(db.asked("c{pod"), [])
            self.assertEqual(e.log_count(r"is not asked.*query=container.*\$pod"), 1)
            self.settles_at(e, 1, "problems_total", kind="names")

    def test_a_long_query_is_posted(self):
        query = 'sum(rapl_power_watts{h=~"' + "|".join(map(str, range(900))) + '"})'
        with Database() as db, self.exporter(db, "--upstream.power-query", query) as e:
            self.wait_energy(e, "one")
            (asked,) = db.asked("rapl_power_watts")
            self.assertEqual((asked.method, asked.query), ("POST", query))

    def test_an_empty_query_and_the_flag_of_old_switch_off(self):
        with Database() as db, self.exporter(
                db, "--upstream.container-query", "", "--upstream.energy-query=") as e:
            self.wait_energy(e, "one")
            self.assertEqual(db.asked("docker"), [])
            self.assertEqual(db.asked("rapl_energy"), [])
        with Database() as db, self.exporter(db, "--disable-load-aware") as e:
            self.assertEqual(self.energy(e), {})
            self.assertIsNone(self.counter(e, "requests_total", result="good"))
            self.assertEqual(db.asked(), [])


class Running(Case):
    def test_one_that_runs_is_asked_every_few_seconds_and_late_samples_count(self):
        """The last 12 s show what was before, as between two scrapes."""
        start = math.floor(time.time()) - 40

        def late(asked):
            if "rapl_power_watts" not in asked.query:
                return well(asked)
            known = asked.at - 12
            return matrix(asked, lambda t: watts(t) if t <= known
                          else watts(math.floor(known / 5) * 5))
        name = time.strftime("test_results_%Y%m%d_%H%M%S.json", time.localtime(start))
        with Database(late) as db, self.exporter(
                db, files={name: run_of(encode("live", start))}) as e:
            self.wait_energy(e, "live")
            harness.wait_until(lambda: len(db.asked("rapl_power_watts")) >= 4, timeout=90)
            asked = db.asked("rapl_power_watts")
            for before, after in zip(asked, asked[1:]):
                self.assertGreater(after.at - before.at, 1)
                self.assertLess(after.at - before.at, 30)
            for a in asked:
                self.assertLessEqual(a.number("end"), a.at)
            end = math.floor(time.time())
            e.write(name, run_of(encode("live", start, end)))
            # What was answered at its end is not the last word.
            harness.wait_until(
                lambda: abs(self.energy(e).get("live", 0) - joules(start, end)) < 1e-3,
                timeout=60, what="the energy with the samples that were late")


class Faults(Case):
    def told_once(self, answer, kind, pattern, part="rapl_power_watts"):
        """One query is answered badly; others go on."""
        def bad(asked):
            return answer(asked) if part in asked.query else well(asked)
        with Database(bad) as db, self.exporter(db) as e:
            self.wait_counter(e, 1, "problems_total", kind=kind)
            line = e.wait_log(pattern)
            self.assertEqual(e.log_count(pattern), 1)
            self.assertEqual(self.energy(e), {})
            return db, line

    def test_a_refused_query_is_left_alone_until_a_reload(self):
        state = {"good": False}

        def answer(asked):
            if "rapl_power_watts" not in asked.query or state["good"]:
                return well(asked)
            return 400, json.dumps({"status": "error", "errorType": "bad_data",
                                    "error": 'parse error: unexpected "}"'})
        with Database(answer) as db, self.exporter(db) as e:
            e.wait_log(r"power query.*parse error: unexpected")
            harness.wait_until(lambda: db.asked("docker_containers"))
            self.assertEqual(len(db.asked("rapl_power_watts")), 1)
            self.settles_at(e, 1, "requests_total", result="refused")
            self.settles_at(e, 1, "breaker_state", state="closed")
            self.settles_at(e, 1, "up")
            state["good"] = True
            e.process.send_signal(signal.SIGHUP)
            self.wait_energy(e, "one")

    def test_several_series_are_not_added_up(self):
        self.told_once(lambda a: success("matrix", [
            {"metric": {"i": str(i)}, "values": [[BASE, "1"]]} for i in range(3)]),
            "series", r"power query.*3 series")

    def test_another_kind_of_result(self):
        self.told_once(lambda a: success("vector", []), "type", r"power query.*matrix")

    def test_holes(self):
        """After its first 20 s there are no numbers any more."""
        self.told_once(lambda a: matrix(a, lambda t: float("nan")
                                        if t > BASE + 20 else 1.0),
                       "value", r"holes.*query=power.*no number")

    def test_pages_cut_answers_and_strangers(self):
        for answer, kind, pattern in (
                ((200, "<html><title>Log in</title>"), "html", "a page, and no JSON"),
                ((200, '{"status":"success","data":{"res'), "json", "cut off"),
                ((200, '{"swagger":"2.0"}'), "shape", "no answer to a query"),
                ((502, "bad gateway"), "status", "HTTP status 502"),
                ((401, "who"), "status", "HTTP status 401"),
                ((503, '{"status":"error","errorType":"timeout","error":"too slow"}'),
                 "error", "too slow"),
                ((200, '{"status":"success","isPartial":true,"data":'
                       '{"resultType":"matrix","result":[]}}'), "partial", "partial")):
            with self.subTest(kind=kind, status=answer[0]):
                state = {"good": False}

                def script(asked, answer=answer, state=state):
                    return well(asked) if state["good"] else answer
                with Database(script) as db, self.exporter(db) as e:
                    self.wait_counter(e, 3, "problems_total", kind=kind)
                    e.wait_log(pattern)
                    self.wait_counter(e, 1, "breaker_opened_total")
                    self.assertEqual(self.energy(e), {})
                    self.settles_at(e, 0, "up")
                    state["good"] = True
                    found = self.wait_energy(e, "one")
                    self.assertAlmostEqual(found["one"], joules(BASE, BASE + 60),
                                           delta=1e-6)
                    self.wait_counter(e, 1, "breaker_state", state="closed")
                    self.settles_at(e, 1, "up")


class Identity(Case):
    def served_to(self, expected, *flags, url=None):
        def door(asked):
            return well(asked) if asked.authorization == expected else (401, "who")
        with Database(door) as db, self.exporter(db, *flags, url=url and db.url(url)) as e:
            self.wait_energy(e, "one")
            for asked in db.asked():
                self.assertEqual(asked.authorization, expected)
            page = e.get("results", "/").text + e.get("results").text
            self.assertNotIn(SECRET, e.log + page)

    def test_user_and_password_in_the_url(self):
        basic = base64.b64encode(f"me:{SECRET}".encode()).decode()
        self.served_to("Basic " + basic, url=f"me:{SECRET}@")

    def test_files(self):
        directory = harness.temp_dir()
        self.addCleanup(harness.shutil.rmtree, directory)
        path = os.path.join(directory, "secret")
        with open(path, "w", encoding="utf-8") as f:
            f.write(SECRET + "\n")
        self.served_to("Bearer " + SECRET, "--upstream.bearer-token-file", path)
        basic = base64.b64encode(f"me:{SECRET}".encode()).decode()
        self.served_to("Basic " + basic, "--upstream.username", "me",
                       "--upstream.password-file", path)

    def test_check_config_reads_files_and_asks_nobody(self):
        with Database() as db:
            good = harness.run("--check-config", "--prometheus-url", db.url())
            self.assertEqual(good.returncode, 0, good.stderr)
            gone = harness.run("--check-config", "--prometheus-url", db.url(),
                               "--upstream.bearer-token-file", "/nonexistent/token")
            self.assertEqual(gone.returncode, 1)
            self.assertIn("/nonexistent/token", gone.stderr)
            self.assertEqual(db.asked(), [])


if __name__ == "__main__":
    harness.main()
