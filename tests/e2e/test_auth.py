# ctest: timeout 300
"""Passwords of --web.config.file: who comes in, who does not, and what it costs."""

import os
import re
import selectors
import shutil
import subprocess
import threading
import time
import unittest

import harness
import peers
import web
from harness import Exporter, wait_until
from web import FAST, SECOND, SLOW, ConfigFile, basic

OPEN_PATHS = ("/health", "/ready", "/-/healthy", "/-/ready")
LOCKED_PATHS = ("/", "/metrics", "/metrics/all", "/metrics?name[]=up", "/nowhere",
                "/health/", "/-/healthy/x", "//health", "/metrics/../health")
EDGE = harness.data_files("edge")[:1]


def alice(password="sesame"):
    return basic("alice", password)


def check_count(exporter, headers):
    """How often bcrypt was asked, freshly rendered."""
    def probe():
        reply = exporter.get("results", headers=headers)
        found = re.search(r"^encode_exporter_password_checks_total (\d+)$", reply.text, re.M)
        return int(found[1]) if found else None
    # The process's own families are rendered at most once a second.
    first = probe()
    deadline = time.monotonic() + 1.2
    while time.monotonic() < deadline:
        latest = probe()
        if latest != first:
            return latest
        time.sleep(0.05)
    return first


class Passwords(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.file = ConfigFile(web.fast_users() +
                              "http_server_config:\n  headers:\n    X-Frame-Options: deny\n")
        cls.exporter = Exporter("--web.config.file", cls.file.path, files=EDGE)
        cls.exporter.__enter__()

    @classmethod
    def tearDownClass(cls):
        try:
            cls.exporter.__exit__(None, None, None)
        finally:
            cls.file.__exit__(None, None, None)

    def status(self, headers=None, path="/metrics", method="GET"):
        return self.exporter.get("results", path, headers=headers, method=method).status

    def raw(self, head):
        """Sends bytes and returns the status of the answer."""
        with self.exporter.connect("results") as s:
            s.sendall(head)
            return int(s.recv(4096).split()[1])

    def test_the_right_password_opens_every_port(self):
        for endpoint in harness.ENDPOINTS:
            for name, (password, _) in FAST.items():
                reply = self.exporter.get(endpoint, headers=basic(name, password))
                self.assertEqual(reply.status, 200, (endpoint, name))
                self.assertIn(b"# HELP", reply.body)

    def test_everything_else_stays_outside(self):
        self.assertEqual(self.status(), 401)
        self.assertEqual(self.status(alice("Sesame")), 401)
        self.assertEqual(self.status(alice("")), 401)
        self.assertEqual(self.status(alice("sesame ")), 401)
        self.assertEqual(self.status(basic("bob", "sesame")), 401)
        self.assertEqual(self.status(basic("Alice", "sesame")), 401)
        self.assertEqual(self.status(basic("nobody", "sesame")), 401)
        self.assertEqual(self.status(basic("", "sesame")), 401)
        # the hash is no password
        self.assertEqual(self.status(alice(FAST["alice"][1])), 401)

    def test_nothing_of_the_answer_is_told_outside(self):
        reply = self.exporter.get("results")
        # without a realm ffmpeg does not see that it is asked for a password
        self.assertRegex(reply.headers["WWW-Authenticate"], r'^Basic realm="[^"]+"$')
        self.assertLess(len(reply.body), 100)
        self.assertIsNone(reply.headers["ETag"])
        for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS"):
            for path in LOCKED_PATHS:
                self.assertEqual(self.status(path=path, method=method), 401, (method, path))
        self.assertEqual(self.status(path="/-/reload", method="POST"), 401)
        self.assertEqual(self.status(alice(), "/-/reload", "POST"), 200)
        # a scrape that is as one before does not find the other's answer
        for _ in range(3):
            self.assertEqual(self.status(alice()), 200)
            self.assertEqual(self.status(), 401)

    def test_probes_need_no_password(self):
        for endpoint in harness.ENDPOINTS:
            for path in OPEN_PATHS:
                reply = self.exporter.get(endpoint, path)
                self.assertEqual(reply.status, 200, path)
                self.assertLess(len(reply.body), 100)
                reply = self.exporter.get(endpoint, path, headers=alice("wrong"))
                self.assertEqual(reply.status, 200, path)

    def test_what_cannot_be_read_is_no_password(self):
        for value in (b"", b"Basic", b"Basic ", b"Basic !!!!", b"Basic YWxpY2U6c2VzYW1",
                      b"Bearer YWxpY2U6c2VzYW1l", b"YWxpY2U6c2VzYW1l",
                      b"Basic YWxpY2U6c2VzYW1lAHg=",      # alice:sesame NUL x
                      b"Basic YWxpY2U6c2VzYW1l, x", b"Basic " + b"QUFB" * 2000,
                      b"Digest username=alice", b"Basic \xff\xfe"):
            with self.subTest(value[:40]):
                self.assertEqual(self.raw(b"GET /metrics HTTP/1.1\r\nHost: a\r\n"
                                          b"Authorization: " + value + b"\r\n\r\n"), 401)
        good = b"Authorization: Basic YWxpY2U6c2VzYW1l\r\n"
        bad = b"Authorization: Basic YWxpY2U6d3Jvbmc=\r\n"
        head = b"GET /metrics HTTP/1.1\r\nHost: a\r\n"
        self.assertEqual(self.raw(head + good + b"\r\n"), 200)
        # Two of them: whichever somebody in between looked at, it is not let in by the other.
        self.assertIn(self.raw(head + bad + good + b"\r\n"), (400, 401))
        self.assertIn(self.raw(head + good + bad + b"\r\n"), (400, 401))

    def test_configured_headers_are_on_every_answer(self):
        login = alice()
        tag = self.exporter.get("qoe", headers=login).headers["ETag"]
        cases = [
            (200, "GET", "/metrics", login), (200, "HEAD", "/metrics", login),
            (200, "GET", "/", login), (200, "GET", "/health", None),
            (304, "GET", "/metrics", {**login, "If-None-Match": tag}),
            (401, "GET", "/metrics", None), (404, "GET", "/nowhere", login),
            (405, "DELETE", "/metrics", login), (200, "POST", "/-/reload", login),
        ]
        for status, method, path, headers in cases:
            reply = self.exporter.get("qoe", path, headers=headers, method=method)
            self.assertEqual(reply.status, status, (method, path))
            self.assertEqual(reply.headers.get_all("X-Frame-Options"), ["deny"],
                             (method, path))
        with self.exporter.connect("results") as s:
            s.sendall(b"nonsense\r\n\r\n")
            self.assertIn(b"\r\nX-Frame-Options: deny\r\n", s.recv(4096))

    def test_curl_logs_in(self):
        url = "http://127.0.0.1:%d/metrics" % self.exporter.ports["cost"]
        for login, status in ((["-u", "alice:sesame"], "200"), (["-u", "bob:p:\u00e4:s"], "200"),
                              (["-u", "alice:no"], "401"), ([], "401"),
                              (["--anyauth", "-u", "alice:sesame"], "200")):
            done = subprocess.run(
                ["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", *login, url],
                stdout=subprocess.PIPE, timeout=30, check=True, text=True)
            self.assertEqual(done.stdout, status, login)

    def test_a_repeated_scrape_costs_no_check(self):
        login = basic("bob", FAST["bob"][0])
        self.assertEqual(self.status(login), 200)
        before = check_count(self.exporter, login)
        for _ in range(200):
            self.assertEqual(self.status(login), 200)
        self.assertEqual(check_count(self.exporter, login), before)

    def test_a_repeated_mistake_costs_one_check(self):
        login = alice()
        self.assertEqual(self.status(login), 200)
        before = check_count(self.exporter, login)
        began = time.monotonic()
        for _ in range(50):
            self.assertEqual(self.status(alice("the same mistake")), 401)
        if time.monotonic() - began < 9:    # remembered for 10 s
            self.assertEqual(check_count(self.exporter, login), before + 1)

    def test_requests_of_one_connection_are_judged_one_by_one(self):
        head = b"GET /metrics HTTP/1.1\r\nHost: a\r\n"
        good = b"Authorization: Basic YWxpY2U6c2VzYW1l\r\n"
        fresh = basic("alice", "pipelined")["Authorization"].encode()
        with self.exporter.connect("results") as s:
            s.sendall(head + b"Authorization: " + fresh + b"\r\n\r\n" +
                      head + good + b"\r\n" + head + b"\r\n" +
                      head + good + b"Connection: close\r\n\r\n")
            answer = b""
            while chunk := s.recv(65536):
                answer += chunk
        self.assertEqual(re.findall(rb"^HTTP/1\.1 (\d+)", answer, re.M),
                         [b"401", b"200", b"401", b"200"])


def wrong_request(number):
    login = basic("alice", f"wrong {number}")["Authorization"]
    return (f"GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: {login}\r\n\r\n").encode()


class Flood:
    """Clients that try one wrong password after the other, each another one."""

    def __init__(self, exporter, clients):
        self.exporter = exporter
        self.statuses = {}
        self.number = 0
        self.ending = False
        self.selector = selectors.DefaultSelector()
        self.sockets = [exporter.connect("results") for _ in range(clients)]
        for s in self.sockets:
            self.selector.register(s, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, value, trace):
        self.ending = True
        self.thread.join(30)
        for s in self.sockets:
            s.close()
        self.selector.close()

    def ask(self, s):
        self.number += 1
        s.sendall(wrong_request(self.number))

    def run(self):
        for s in self.sockets:
            self.ask(s)
        while not self.ending:
            for key, _ in self.selector.select(0.05):
                answer = key.fileobj.recv(4096)
                if not answer:
                    return
                for status in re.findall(rb"HTTP/1\.1 (\d+)", answer):
                    self.statuses[int(status)] = self.statuses.get(int(status), 0) + 1
                time.sleep(0.002)    # a flood, but not of this machine's own making
                self.ask(key.fileobj)


class UnderLoad(unittest.TestCase):
    def test_a_flood_of_wrong_passwords_does_not_stop_the_files(self):
        # Cost 13: half a second for a check. Were there more than one at a time, or no end
        # of those that wait, the pool would be theirs.
        with ConfigFile(web.users(alice=SLOW[1])) as file, Exporter(
                "--web.config.file", file.path) as e:
            login = basic("alice", SLOW[0])
            large = "test_results_20260101_000000.json"

            def scenarios():
                text = e.get("results", headers=login).text
                return int(re.search(r"^results_scenarios_total (\d+)$", text, re.M)[1])

            self.assertEqual(scenarios(), 0)
            with Flood(e, 64) as flood:
                wait_until(lambda: flood.statuses.get(429, 0) > 50, what="the flood")
                for count in (800, 801, 802, 803, 804):
                    # above 256 KiB: parsed on the pool
                    rows = ",".join('{"name": "s%d", "duration": 1, "pad": "%s"}'
                                    % (i, "x" * 400) for i in range(count))
                    e.rename_over(large, '{"scenarios": [' + rows + "]}")
                    began = time.monotonic()
                    wait_until(lambda wanted=count: scenarios() == wanted, timeout=3,
                               what=f"{count} scenarios served")
                    self.assertLess(time.monotonic() - began, 3)
                    self.assertEqual(e.get("results", "/ready").status, 200)
                wait_until(lambda: flood.statuses.get(401, 0) >= 3, what="checks")
            self.assertEqual(set(flood.statuses), {401, 429})
            self.assertGreater(flood.statuses[429], flood.statuses[401])

    def test_sixteen_wait_and_the_rest_come_again(self):
        # exporter-toolkit's hash of cost 12: a quarter of a second
        slow = "$2y$12$1DpfPeqF9HzHJt.EWswy1exHluGfbhnn3yXhR7Xes6m3WJqFg0Wby"
        with ConfigFile(web.users(alice=slow)) as file, Exporter(
                "--web.config.file", file.path) as e:
            sockets = [e.connect("results", 60) for _ in range(40)]
            for number, s in enumerate(sockets):
                s.sendall(wrong_request(number))
            answers = [s.recv(4096) for s in sockets]
            for s in sockets:
                s.close()
            statuses = [int(a.split()[1]) for a in answers]
            self.assertEqual(set(statuses), {401, 429})
            # One under way and 16 that wait; a slow machine may finish one meanwhile.
            self.assertGreaterEqual(statuses.count(401), 17)
            self.assertLessEqual(statuses.count(401), 20)
            for answer in answers:
                self.assertEqual(b"\r\nRetry-After: " in answer, b" 429 " in answer[:20])

    def test_the_same_password_of_many_is_checked_once(self):
        with ConfigFile(web.users(alice=SLOW[1])) as file, Exporter(
                "--web.config.file", file.path) as e:
            login = basic("alice", SLOW[0])
            head = f"GET /health-not HTTP/1.1\r\nHost: a\r\n" \
                   f"Authorization: {login['Authorization']}\r\n\r\n"
            sockets = [e.connect("results", 60) for _ in range(60)]
            for s in sockets:
                s.sendall(head.encode())
            statuses = {int(s.recv(4096).split()[1]) for s in sockets}
            for s in sockets:
                s.close()
            self.assertEqual(statuses, {404})
            self.assertEqual(check_count(e, login), 1)

    def test_it_stops_while_passwords_are_checked(self):
        with ConfigFile(web.users(alice=SLOW[1])) as file, Exporter(
                "--web.config.file", file.path) as e:
            sockets = [e.connect("results") for _ in range(30)]
            for number, s in enumerate(sockets):
                s.sendall(wrong_request(number))
            wait_until(lambda: b" 429 " in sockets[-1].recv(4096)[:20], what="a full queue")
            began = time.monotonic()
            e.stop()
            self.assertLess(time.monotonic() - began, 10)
            for s in sockets:
                s.close()


class Changes(unittest.TestCase):
    def test_a_changed_config_counts_at_once_and_empties_the_memory(self):
        with ConfigFile(web.fast_users()) as file, Exporter(
                "--web.config.file", file.path, files=EDGE) as e:
            bob = basic("bob", FAST["bob"][0])
            self.assertEqual(e.get("results", headers=alice()).status, 200)
            self.assertEqual(e.get("results", headers=alice("second")).status, 401)
            self.assertEqual(e.get("results", headers=bob).status, 200)
            before = check_count(e, bob)
            file.replace(web.users(alice=SECOND[1], bob=FAST["bob"][1]))
            wait_until(lambda: e.get("results", headers=alice("second")).status == 200,
                       what="the new password")
            self.assertEqual(e.get("results", headers=alice()).status, 401)
            # bob's password is the same, and was checked again
            self.assertEqual(e.get("results", headers=bob).status, 200)
            self.assertGreaterEqual(check_count(e, bob), before + 3)
            file.replace(web.users(alice=SECOND[1]))
            wait_until(lambda: e.get("results", headers=bob).status == 401, what="bob to go")

    def test_an_open_connection_is_judged_by_the_new_config(self):
        with ConfigFile(web.fast_users()) as file, Exporter(
                "--web.config.file", file.path) as e:
            head = b"GET /metrics HTTP/1.1\r\nHost: a\r\n" \
                   b"Authorization: Basic YWxpY2U6c2VzYW1l\r\n\r\n"
            with e.connect("qoe") as s:
                s.sendall(head)
                self.assertIn(b" 200 ", s.recv(65536)[:20])
                file.rewrite(web.users(alice=SECOND[1]))
                wait_until(lambda: e.get("qoe", headers=alice()).status == 401,
                           what="the new config")
                s.sendall(head)
                self.assertIn(b" 401 ", s.recv(65536)[:20])


JOB = """  - job_name: {name}
    basic_auth: {{username: {user}, password: {password}}}
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""


@unittest.skipUnless(shutil.which("prometheus"), "no prometheus")
class Prometheus(unittest.TestCase):
    def test_it_scrapes_with_its_password_and_not_without(self):
        with ConfigFile(web.fast_users()) as file, Exporter(
                "--web.config.file", file.path, files=EDGE) as e:
            peer = peers.Peer("prometheus", peers.PEERS["prometheus"])
            self.addCleanup(peer.stop)
            logins = {"right": ("alice", "sesame"), "colon": ("bob", "'p:\u00e4:s'"),
                      "wrong": ("alice", "open"), "nobody": ("eve", "sesame")}
            peer.start_with(peers.PROMETHEUS_CONFIG + "".join(
                JOB.format(name=name, user=user, password=password,
                           port=e.ports["results"])
                for name, (user, password) in logins.items()))
            peer.wait_for_data(2)

            def seen():
                return {row["metric"]["job"]: row["value"][1]
                        for row in peer.query("up")} == {
                            "right": "1", "colon": "1", "wrong": "0", "nobody": "0"}
            wait_until(seen, timeout=30, what="four targets")
            self.assertEqual(len(peer.query("results_scenarios_total")), 2)
            wait_until(lambda: float(peer.query(
                "count_over_time(up{job='right'}[1m])")[0]["value"][1]) >= 4,
                timeout=30, what="four scrapes")
            # Two passwords that are right, two that are wrong and remembered for a while:
            # five scrapes of four targets are no twenty checks.
            self.assertLess(check_count(e, alice()), 8)


class Rate(unittest.TestCase):
    def test_requests_beyond_the_burst_are_turned_away(self):
        text = "rate_limit:\n  interval: 1h\n  burst: 5\n" \
               "http_server_config:\n  headers:\n    X-Frame-Options: deny\n"
        with ConfigFile(text) as file, Exporter("--web.config.file", file.path) as e:
            # over all ports, and probes do not count
            statuses = [e.get(endpoint, path).status
                        for endpoint, path in (("results", "/metrics"), ("qoe", "/metrics"),
                                               ("cost", "/"), ("results", "/health"),
                                               ("results", "/nowhere"), ("qoe", "/metrics"),
                                               ("results", "/metrics"), ("cost", "/metrics"))]
            self.assertEqual(statuses, [200, 200, 200, 200, 404, 200, 429, 429])
            reply = e.get("results")
            self.assertEqual(reply.status, 429)
            self.assertEqual(reply.headers["X-Frame-Options"], "deny")
            self.assertIsNotNone(reply.headers["Retry-After"])
            for path in OPEN_PATHS:
                self.assertEqual(e.get("results", path).status, 200)

    def test_an_interval_later_one_more_is_let_in(self):
        with ConfigFile("rate_limit: {interval: 1s, burst: 1}\n") as file, Exporter(
                "--web.config.file", file.path) as e:
            self.assertEqual(e.get("results").status, 200)
            self.assertEqual(e.get("results").status, 429)
            began = time.monotonic()
            wait_until(lambda: e.get("results").status == 200, timeout=5, what="a token")
            self.assertGreater(time.monotonic() - began, 0.5)


if __name__ == "__main__":
    harness.main()
