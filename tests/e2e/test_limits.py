"""What a client may cost: each limit met, its status, its count, and the others unharmed."""

# ctest: timeout 180

import os
import socket
import sys
import time
import unittest

import harness

sys.path.insert(0, os.path.join(harness.ROOT, "tests", "bench"))
import generate    # noqa: E402  pylint: disable=wrong-import-position

FILES = harness.data_files("go-era")
HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


def hear_out(sock):
    """All until the other side ends the connection, by whichever way."""
    got = b""
    try:
        while part := sock.recv(65536):
            got += part
    except ConnectionResetError:
        pass
    return got


class Witness:
    """A well-behaved client that is there all the time."""

    def __init__(self, exporter):
        self.sock = exporter.connect("cost")

    def __enter__(self):
        self.ask()
        return self

    def __exit__(self, *_):
        self.sock.close()

    def ask(self):
        self.sock.sendall(HEALTH)
        got = self.sock.recv(4096)
        if not got.startswith(b"HTTP/1.1 200 ") or not got.endswith(b"OK\n"):
            raise AssertionError(f"the well-behaved client got {got!r}")


class Limits(unittest.TestCase):
    def refused(self, exporter):
        """{reason: count}, those above 0."""
        samples = exporter.metrics("results").samples("encode_exporter_http_refused_total")
        return {s.labels["reason"]: s.value for s in samples if s.value}

    def counts(self, exporter, want):
        """The process's own families are up to a second old."""
        harness.wait_until(lambda: self.refused(exporter) == want,
                           what=f"refused are {want}, not {self.refused(exporter)}")

    def ends(self, exporter, request, status):
        with exporter.connect("results") as sock:
            sock.sendall(request)
            got = hear_out(sock)
        self.assertEqual(got.split(b" ", 2)[1:2], [str(status).encode()], got[:200])
        self.assertIn(b"\r\nConnection: close\r\n", got)

    def test_each_wrong_request_hears_its_status_and_is_counted(self):
        with harness.Exporter(files=FILES) as e, Witness(e) as witness:
            cases = [
                (b"GET /metrics HTTP/1.1\r\n\r\n", 400, "malformed"),
                (b"GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "malformed"),
                (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "malformed"),
                (b"POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
                 b"Transfer-Encoding: chunked\r\n\r\n", 400, "malformed"),
                (b"GET /metrics HTTP/2.0\r\nHost: a\r\n\r\n", 505, "malformed"),
                (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n", 417, "malformed"),
                (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 413,
                 "body_bytes"),
                (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414,
                 "request_line"),
                (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20000 + b"\r\n\r\n", 431,
                 "header_bytes"),
                (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 4000 + b"\r\n", 431,
                 "header_bytes"),
            ]
            want = {}
            for request, status, reason in cases:
                with self.subTest(request=request[:60]):
                    self.ends(e, request, status)
                    want[reason] = want.get(reason, 0) + 1
                    witness.ask()
            self.counts(e, want)

    def test_a_wrong_method_keeps_the_connection(self):
        with harness.Exporter(files=FILES) as e, e.connect("results") as sock:
            sock.sendall(b"DELETE /metrics HTTP/1.1\r\nHost: a\r\n\r\n" + HEALTH)
            got = b""
            while not got.endswith(b"OK\n"):
                got += sock.recv(4096)
            self.assertTrue(got.startswith(b"HTTP/1.1 405 "))
            self.assertIn(b"\r\nAllow: GET, HEAD\r\n", got)

    def test_time_for_a_request_is_limited_however_it_trickles(self):
        with harness.Exporter("--web.read-timeout=300ms", files=FILES) as e, \
                e.connect("results") as silent, e.connect("results") as slow:
            begin = time.monotonic()
            slow.settimeout(0.02)
            got = b""
            slow.sendall(b"GET /metrics HTTP/1.1\r\n")
            while not got and time.monotonic() - begin < 10:
                try:
                    slow.sendall(b"X: a\r\n")
                    got = slow.recv(4096)
                except TimeoutError:
                    pass
                except (BrokenPipeError, ConnectionResetError):
                    break
            self.assertTrue(got.startswith(b"HTTP/1.1 408 "), got)
            self.assertEqual(hear_out(silent), b"")
            self.assertGreater(time.monotonic() - begin, 0.25)
            self.counts(e, {"read_timeout": 1, "first_byte": 1})

    def test_time_between_requests_is_limited(self):
        with harness.Exporter("--web.idle-timeout=200ms", files=FILES) as e, \
                e.connect("results") as sock:
            sock.sendall(HEALTH)
            begin = time.monotonic()
            self.assertTrue(hear_out(sock).endswith(b"OK\n"))
            self.assertGreater(time.monotonic() - begin, 0.15)
            self.assertGreaterEqual(
                harness.wait_until(lambda: self.refused(e).get("idle"), what="counted"), 1)

    def test_one_peer_is_limited_and_another_is_not(self):
        with harness.Exporter("--web.max-connections-per-peer=3", files=FILES) as e:
            host, port = e.address("results")
            held = []
            try:
                for _ in range(3):
                    sock = socket.create_connection((host, port), 10, ("127.0.0.2", 0))
                    sock.sendall(HEALTH)
                    self.assertTrue(sock.recv(4096).endswith(b"OK\n"))
                    held.append(sock)
                with socket.create_connection((host, port), 10, ("127.0.0.2", 0)) as sock:
                    got = hear_out(sock)
                self.assertTrue(got.startswith(b"HTTP/1.1 429 "), got)
                self.assertIn(b"\r\nRetry-After: 1\r\n", got)
                with socket.create_connection((host, port), 10, ("127.0.0.3", 0)) as sock:
                    sock.sendall(HEALTH)
                    self.assertTrue(sock.recv(4096).endswith(b"OK\n"))
                held.pop().close()
                harness.wait_until(lambda: self.welcome((host, port)), what="room again")
                self.assertGreaterEqual(
                    harness.wait_until(lambda: self.refused(e).get("peer_connections"),
                                       what="counted"), 1)
            finally:
                for sock in held:
                    sock.close()

    @staticmethod
    def welcome(address):
        with socket.create_connection(address, 10, ("127.0.0.2", 0)) as sock:
            sock.sendall(HEALTH)
            try:
                return sock.recv(4096).startswith(b"HTTP/1.1 200 ")
            except ConnectionResetError:
                return False

    def test_pipelined_requests_take_turns_with_others(self):
        with harness.Exporter(files=FILES) as e, Witness(e) as witness, \
                e.connect("results") as greedy:
            many = 3000
            greedy.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
            greedy.setblocking(False)
            flood = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * many
            sent, worst = 0, 0.0
            deadline = time.monotonic() + 20
            while sent < len(flood) and time.monotonic() < deadline:
                try:
                    sent += greedy.send(flood[sent:])
                except BlockingIOError:
                    pass
                begin = time.monotonic()
                witness.ask()
                worst = max(worst, time.monotonic() - begin)
                try:
                    while greedy.recv(1 << 20):
                        pass
                except BlockingIOError:
                    pass
            self.assertEqual(sent, len(flood))
            self.assertLess(worst, 1.0)

    def test_slow_readers_hold_so_much_and_no_more(self):
        """Each reader holds a generation of its own that is served no more."""
        def content(generation):
            run = generate.scenarios(1500, generation)
            return generate.file_text([generate.scenario_text(s) for s in run], generation)

        with harness.Exporter("--web.slow-memory=24MiB", "--web.text-cache=64MiB") as e, \
                Witness(e) as witness:
            readers = []
            try:
                for generation in range(1, 13):
                    e.write("test_results_20260101_000000.json", content(generation))
                    served = f"{generate.scenarios(1500, generation)[7]['total_frames']}"
                    harness.wait_until(lambda w=served: f"}} {w}\n" in e.get(
                        "results", "/metrics?name[]=results_scenario_total_frames").text)
                    sock = e.connect("results")
                    sock.sendall(b"GET /metrics/all HTTP/1.1\r\nHost: x\r\n\r\n")
                    self.assertTrue(sock.recv(1, socket.MSG_PEEK))
                    readers.append(sock)
                    witness.ask()
                closed = harness.wait_until(lambda: self.refused(e).get("slow_memory"),
                                            what="the slowest are closed")
                self.assertLess(closed, len(readers))
                # the newest reader keeps its answer, and gets all of it
                got = b""
                while b"\r\n\r\n" not in got:
                    got += readers[-1].recv(65536)
                head, _, body = got.partition(b"\r\n\r\n")
                want = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                n = len(body)
                while n < want:
                    part = readers[-1].recv(1 << 20)
                    self.assertTrue(part, "cut off")
                    n += len(part)
            finally:
                for sock in readers:
                    sock.close()


if __name__ == "__main__":
    harness.main()
