# ctest: timeout 300
"""The end: the last values are found, served, and seen by everybody before it is over."""

import ctypes
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import unittest

import churn
import harness
import peers

RUN = churn.name(1)
ALL_SCRAPED = 'msg="the last values are scraped"'
BLIND = ("--watch", "poll", "--poll-interval", "1h")    # only scans see anything


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, self.directory)
        self.write(10)

    def write(self, *durations):
        harness.write_atomically(os.path.join(self.directory, RUN), churn.run(*durations))

    def exporter(self, linger, *flags, **more):
        return harness.Exporter("--shutdown.linger", linger, *flags,
                                directory=self.directory, **more)

    def ask(self, e, endpoint="results", peer=1, path="/metrics", method="GET", **headers):
        """One request from 127.0.0.<peer>, on a connection of its own."""
        client = http.client.HTTPConnection(*e.address(endpoint), timeout=20,
                                            source_address=(f"127.0.0.{peer}", 0))
        try:
            client.request(method, path, headers=headers)
            answer = client.getresponse()
            return harness.Reply(answer.status, answer.headers, answer.read())
        finally:
            client.close()

    def scrape(self, e, endpoint="results", peer=1, path="/metrics"):
        """The durations that a scrape brings (of cost: how many figures)."""
        reply = self.ask(e, endpoint, peer, path)
        self.assertEqual(reply.status, 200)
        return [float(v) for v in re.findall(
            r"^results_scenario_duration_seconds\{.*\} (\S+)$", reply.text, re.M)]

    def etag(self, e):
        """Changes with what is served. HEAD is no scrape."""
        return self.ask(e, "cost", method="HEAD").headers["ETag"]

    def change(self, e, *durations):
        before = self.etag(e)
        self.write(*durations)
        harness.wait_until(lambda: self.etag(e) != before, what="the change is served")

    def term(self, e):
        e.process.send_signal(signal.SIGTERM)
        e.wait_log("msg=stopping")

    def still_serving(self, e):
        """So many answers later it would have ended, had it wanted to."""
        for _ in range(50):
            self.assertEqual(self.ask(e, path="/ready").status, 503)

    def refused(self, e, endpoint):
        try:
            self.ask(e, endpoint, path="/health")
        except OSError:
            return True
        return False

    def ended(self, e, timeout=20):
        try:
            self.assertEqual(e.process.wait(timeout), 0, e.log)
        except subprocess.TimeoutExpired:
            self.fail("still serving\n" + e.log)


class Waiting(Case):
    def test_it_serves_on_but_is_not_ready(self):
        with self.exporter("60s") as e:
            self.scrape(e)
            self.term(e)
            self.still_serving(e)
            self.assertEqual(self.ask(e, "qoe", path="/health").status, 200)
            self.assertEqual(self.scrape(e), [10])
            self.ended(e)
            self.assertEqual(e.log_count(ALL_SCRAPED), 1, e.log)

    def test_neither_of_a_pair_is_forgotten(self):
        with self.exporter("60s") as e:
            for peer in (1, 2):
                for endpoint in ("results", "cost"):
                    self.scrape(e, endpoint, peer)
            self.term(e)
            self.scrape(e, "results", 1)
            self.scrape(e, "cost", 1)
            self.still_serving(e)
            self.scrape(e, "results", 2)
            self.still_serving(e)
            self.scrape(e, "qoe", 2)    # an endpoint it never asked for before
            self.still_serving(e)
            self.scrape(e, "cost", 2)
            self.ended(e)
            self.assertTrue(all(self.refused(e, n) for n in harness.ENDPOINTS))

    def test_what_is_written_after_the_signal_is_waited_for(self):
        with self.exporter("60s") as e:
            for peer in (1, 2):
                self.scrape(e, peer=peer)
            self.term(e)
            self.scrape(e, peer=1)
            self.change(e, 10, 20)
            self.assertEqual(self.scrape(e, peer=2), [10, 20])
            self.still_serving(e)    # the first of them has not seen it
            self.change(e, 10, 20, 30)
            self.assertEqual(self.scrape(e, peer=1), [10, 20, 30])
            self.still_serving(e)
            self.assertEqual(self.scrape(e, peer=2), [10, 20, 30])
            self.ended(e)
            self.assertEqual(e.log_count(ALL_SCRAPED), 1, e.log)

    def test_what_no_event_told_of_is_found_by_the_last_scan(self):
        with self.exporter("60s", *BLIND) as e:
            self.assertEqual(self.scrape(e), [10])
            self.write(10, 20)
            self.assertEqual(self.scrape(e), [10])
            before = self.etag(e)
            self.term(e)
            harness.wait_until(lambda: self.etag(e) != before)
            self.assertEqual(self.scrape(e), [10, 20])
            self.ended(e)

    def test_what_comes_while_all_scrape_is_found_by_the_closing_scan(self):
        with self.exporter("60s", *BLIND) as e:
            self.scrape(e, peer=1)
            self.term(e)
            self.still_serving(e)
            before = self.etag(e)
            self.write(10, 20)
            self.assertEqual(self.scrape(e, peer=1), [10])    # all have scraped now
            harness.wait_until(lambda: self.etag(e) != before)
            self.assertEqual(self.scrape(e, peer=1), [10, 20])
            self.ended(e)

    def test_where_nobody_scraped_the_first_scrape_ends_it(self):
        with self.exporter("60s") as e:
            self.term(e)
            self.still_serving(e)
            self.change(e, 10, 20)
            self.still_serving(e)
            self.assertEqual(self.scrape(e), [10, 20])
            self.ended(e)

    def test_one_scrape_of_everything_counts_for_all_three(self):
        with self.exporter("60s") as e:
            for endpoint in harness.ENDPOINTS:
                self.scrape(e, endpoint)
            self.term(e)
            self.scrape(e, "qoe", path="/metrics")
            self.still_serving(e)
            self.scrape(e, "qoe", path="/metrics/all")
            self.ended(e)

    def test_a_scrape_of_everything_is_replaced_by_all_endpoints_that_listen(self):
        with self.exporter("60s", listen=("results", "cost")) as e:
            self.scrape(e, "results", path="/metrics/all")
            self.term(e)
            self.scrape(e, "results")
            self.still_serving(e)
            self.scrape(e, "cost")
            self.ended(e)

    def test_a_client_that_has_the_values_counts_and_a_glance_does_not(self):
        with self.exporter("60s") as e:
            tag = self.ask(e, "cost").headers["ETag"]
            self.term(e)
            self.assertEqual(self.ask(e, "cost", method="HEAD").status, 200)
            self.assertEqual(self.ask(e, "cost", path="/").status, 200)
            self.assertEqual(self.ask(e, "cost", path="/health").status, 200)
            self.assertEqual(self.ask(e, "cost", path="/nothing").status, 404)
            self.still_serving(e)
            reply = self.ask(e, "cost", **{"If-None-Match": tag})
            self.assertEqual(reply.status, 304)
            self.ended(e)

    def test_clients_of_a_unix_socket_are_one_peer(self):
        path = os.path.join(self.directory, "sock")
        e = self.exporter("60s", f"--cost.listen-address=unix:{path}",
                          listen=("results", "qoe"))

        def by_socket():
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(20)
                s.connect(path)
                s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                answer = b""
                while more := s.recv(65536):
                    answer += more
                self.assertTrue(answer.startswith(b"HTTP/1.1 200"), answer[:100])
        with e:
            by_socket()
            by_socket()
            self.scrape(e)
            self.term(e)
            self.scrape(e)
            self.still_serving(e)
            by_socket()
            self.ended(e)


class UnderWay(Case):
    MANY = 1500
    LONG = "x" * 6000    # 9 MB of results: more than sockets hold

    def write_many(self, last):
        harness.write_atomically(os.path.join(self.directory, RUN), json.dumps([
            {"name": f"{i} {self.LONG}", "duration": i if i < self.MANY else last}
            for i in range(1, self.MANY + 1)]))

    def slow(self, e, peer):
        """A scrape whose client takes its time: the socket, with the answer begun."""
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(30)
        s.bind((f"127.0.0.{peer}", 0))
        s.connect(e.address("results"))
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertTrue(s.recv(64).startswith(b"HTTP/1.1 200"))
        return s

    def rest_of(self, s):
        """The rest of the answer: the process's own families come last."""
        text = b""
        while b"encode_exporter_http_request_seconds_count" not in text[-1 << 17:]:
            more = s.recv(1 << 16)
            self.assertTrue(more, "the answer is cut off")
            text += more
        self.assertGreater(len(text), 8 << 20)
        return text

    def test_an_answer_that_began_before_a_change_does_not_count(self):
        self.write_many(50000)
        with self.exporter("60s") as e:
            self.scrape(e)
            with self.slow(e, 1) as s:
                self.term(e)
                before = self.etag(e)
                self.write_many(60000)
                harness.wait_until(lambda: self.etag(e) != before)
                old = self.rest_of(s)
            self.assertIn(b" 50000\n", old)    # it came whole, as it was begun
            self.assertNotIn(b" 60000\n", old)
            self.still_serving(e)
            self.assertEqual(self.scrape(e)[-1], 60000)
            self.ended(e)

    def test_an_answer_under_way_is_finished(self):
        self.write_many(50000)
        with self.exporter("0s") as e:
            with self.slow(e, 1) as s:
                self.term(e)
                harness.wait_until(lambda: self.refused(e, "cost"))
                self.assertIn(b" 50000\n", self.rest_of(s))
            self.ended(e)


class Bounds(Case):
    def test_when_the_time_is_over_it_ends_and_says_who_is_missing(self):
        with self.exporter("1500ms") as e:
            self.scrape(e, "cost", 2)
            began = time.monotonic()
            self.term(e)
            self.scrape(e, "results", 1)
            self.ended(e)
            self.assertGreater(time.monotonic() - began, 1.4)
            self.assertLess(time.monotonic() - began, 15)
            line = e.wait_log("the last values were not scraped by all")
            self.assertIn("endpoint=cost", line)
            self.assertIn("peer=127.0.0.2", line)

    def test_when_nobody_comes_it_says_so(self):
        with self.exporter("200ms") as e:
            self.term(e)
            self.ended(e)
            e.wait_log("nobody has scraped the last values")

    def test_a_second_signal_ends_it_at_once(self):
        for first, second in ((signal.SIGTERM, signal.SIGTERM),
                              (signal.SIGINT, signal.SIGTERM)):
            with self.exporter("60s") as e:
                self.scrape(e)
                e.process.send_signal(first)
                e.wait_log("msg=stopping")
                self.still_serving(e)
                e.process.send_signal(second)
                self.ended(e, timeout=3)

    def test_without_time_to_linger_nobody_is_waited_for(self):
        with self.exporter("0s") as e:
            self.scrape(e)
            self.term(e)
            self.ended(e, timeout=8)
            self.assertEqual(e.log_count("scraped"), 0, e.log)

    def test_a_signal_before_the_first_scan_is_over_is_obeyed(self):
        e = self.exporter("60s", ready=False)
        with e:
            e.process.send_signal(signal.SIGTERM)
            e.wait_log("msg=stopping")
            harness.wait_until(lambda: self.ask(e, "cost").status == 200)
            self.ended(e)

    def test_the_service_manager_is_asked_for_the_time(self):
        path = os.path.join(self.directory, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
            server.bind(path)
            server.settimeout(15)
            with self.exporter("60s", env={"NOTIFY_SOCKET": path}) as e:
                self.term(e)
                seen = b""
                while b"STOPPING=1" not in seen:
                    seen = server.recv(4096)
                found = re.search(rb"^EXTEND_TIMEOUT_USEC=(\d+)$", seen, re.M)
                # 60 s, and what a scan, answers under way and the pool may take
                self.assertEqual(int(found[1]), 69_000_000)
                self.scrape(e)
                self.ended(e)


class Hanging(Case):
    """A directory whose file system does not answer: opening it blocks for ever."""

    OPEN_PERM, ON_DIRECTORY = 0x00010000, 0x40000000
    CLASS_CONTENT, CLOEXEC, ADD, AT_FDCWD = 4, 1, 1, -100

    def hang(self):
        """From now on: who opens the directory waits for an answer that nobody gives."""
        libc = ctypes.CDLL(None, use_errno=True)
        libc.fanotify_mark.argtypes = [ctypes.c_int, ctypes.c_uint, ctypes.c_uint64,
                                       ctypes.c_int, ctypes.c_char_p]
        fd = libc.fanotify_init(self.CLASS_CONTENT | self.CLOEXEC, os.O_RDONLY)
        if fd < 0:
            self.skipTest(f"fanotify: {os.strerror(ctypes.get_errno())}")
        self.addCleanup(os.close, fd)
        if libc.fanotify_mark(fd, self.ADD, self.OPEN_PERM | self.ON_DIRECTORY,
                              self.AT_FDCWD, self.directory.encode()) < 0:
            self.skipTest(f"fanotify: {os.strerror(ctypes.get_errno())}")
        return fd

    def test_a_scan_that_hangs_is_given_up(self):
        with self.exporter("0s") as e:
            self.scrape(e)
            self.hang()
            began = time.monotonic()
            self.term(e)
            e.wait_log("the last scan of the results directory is not over")
            self.ended(e, timeout=9)
            self.assertGreater(time.monotonic() - began, 2.9)
            e.wait_log("ended while work is still under way")

    def test_a_scan_that_hangs_keeps_nobody_from_the_values_there_are(self):
        with self.exporter("5s") as e:
            self.scrape(e)
            self.hang()
            self.term(e)
            self.still_serving(e)
            self.assertEqual(self.scrape(e), [10])
            self.ended(e, timeout=12)
            e.wait_log("the last scan of the results directory is not over")

    def test_a_second_signal_does_not_wait_for_it(self):
        with self.exporter("60s") as e:
            self.hang()
            self.term(e)
            e.process.send_signal(signal.SIGTERM)
            self.ended(e, timeout=4)


class Prometheus(Case):
    @unittest.skipUnless(shutil.which("prometheus"), "prometheus is not installed")
    def test_the_last_value_of_a_short_job_is_seen(self):
        peer = peers.Peer("prometheus", peers.PEERS["prometheus"])
        self.addCleanup(peer.stop)
        with self.exporter("60s") as e:
            peer.start(e.ports)
            peer.wait_for_data(3)
            self.term(e)    # and only then the job writes what it found
            self.write(10, 4242)
            self.ended(e, timeout=30)
            self.assertEqual(e.log_count(ALL_SCRAPED), 1, e.log)
        # 4242 s of one core at 0.50 per hour
        for family, value in (("results_scenario_duration_seconds", 4242),
                              ("cost_compute_load_aware", 4242 / 3600 * 0.5)):
            found = peer.query(f'last_over_time({family}{{scenario="scenario 1"}}[5m])')
            self.assertEqual(len(found), 1, family)
            self.assertAlmostEqual(float(found[0]["value"][1]), value, 12)


if __name__ == "__main__":
    harness.main()
