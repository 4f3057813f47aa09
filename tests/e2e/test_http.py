"""What the ports answer: paths, methods, limits, and clients that misbehave."""

import gzip
import os
import re
import socket
import time
import unittest

import expo
import harness

FILES = harness.data_files("go-era")
PATHS = ("/", "/metrics", "/metrics/all", "/health", "/ready", "/-/healthy", "/-/ready",
         "/page.css", "/page.js", "/chart.js")
ASSETS = os.path.join(harness.ROOT, "server", "page", "assets")


def hear_out(sock):
    """All until the exporter closes."""
    got = b""
    while True:
        piece = sock.recv(65536)
        if not piece:
            return got
        got += piece


class Http(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.exporter = harness.Exporter("--web.read-timeout=1s", files=FILES)
        cls.exporter.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.exporter.__exit__(None, None, None)

    def raw(self, request, endpoint="results"):
        """Status and whole text of the answer to these bytes on a new connection."""
        with self.exporter.connect(endpoint) as sock:
            sock.sendall(request)
            got = hear_out(sock).decode("utf-8", "replace")
        found = re.match(r"HTTP/1\.1 (\d{3}) ", got)
        self.assertTrue(found, got[:200])
        return int(found[1]), got

    def test_every_port_answers_every_path(self):
        for endpoint in harness.ENDPOINTS:
            for path in PATHS:
                with self.subTest(endpoint=endpoint, path=path):
                    got = self.exporter.get(endpoint, path)
                    self.assertEqual(got.status, 200)
                    self.assertEqual(len(got.body), int(got.headers["Content-Length"]))
                    self.assertTrue(got.body)

    def test_head_has_the_headers_of_get_and_no_content(self):
        for path in ("/metrics", "/health", "/", "/nowhere"):
            with self.subTest(path=path):
                get = self.exporter.get("cost", path)
                head = self.exporter.get("cost", path, method="HEAD")
                self.assertEqual(head.status, get.status)
                self.assertEqual(head.body, b"")
                self.assertEqual(head.headers["Content-Type"],
                                 get.headers["Content-Type"])
                self.assertEqual(head.headers["Content-Length"],
                                 get.headers["Content-Length"])

    def test_other_spellings_are_not_found(self):
        for path in ("/metrics/", "//metrics", "/health/", "/Metrics", "/x",
                     "/metrics/all/", "/../metrics", "/-/", "/x.js", "/assets/page.js",
                     "/page.css/", "/../server/page/assets/page.js"):
            with self.subTest(path=path):
                self.assertEqual(self.exporter.get("qoe", path).status, 404)

    def test_other_methods_are_told_what_is_allowed(self):
        for path in PATHS:
            got = self.exporter.get("results", path, method="DELETE")
            self.assertEqual((got.status, got.headers["Allow"]), (405, "GET, HEAD"), path)
        got = self.exporter.get("results", "/-/reload")
        self.assertEqual((got.status, got.headers["Allow"]), (405, "POST"))

    def test_names_select_families(self):
        got = self.exporter.metrics(
            "results", "/metrics?name[]=results_exporter_up&name%5B%5D=process_open_fds"
                       "&name[]=no_such_family")
        whole = self.exporter.metrics("results")
        self.assertEqual(list(got.families), ["results_exporter_up", "process_open_fds"])
        self.assertIn("results_scenario_duration_seconds", whole.families)
        empty = self.exporter.get("results", "/metrics?name[]=no_such_family")
        self.assertEqual((empty.status, empty.body), (200, b""))

    def test_all_is_every_endpoint_once(self):
        families = list(self.exporter.metrics("qoe", "/metrics/all").families)
        for name in ("results_exporter_up", "qoe_exporter_up", "cost_exporter_alive",
                     "encode_exporter_build_info"):
            self.assertEqual(families.count(name), 1, name)

    def test_the_process_tells_of_itself_on_the_first_endpoint_only(self):
        self.assertIn("process_open_fds", self.exporter.metrics("results").families)
        for endpoint in ("qoe", "cost"):
            families = self.exporter.metrics(endpoint).families
            self.assertFalse([f for f in families
                              if f.startswith(("process_", "encode_exporter_"))])

    def test_answers_are_counted(self):
        self.exporter.get("cost", "/certainly-not-there")

        def counted():
            text = self.exporter.get("results").text
            return re.search(r'encode_exporter_http_requests_total\{endpoint="cost",'
                             r'code="404"\} [1-9]', text)
        harness.wait_until(counted, what="the 404 is counted")

    def test_pipelined_requests_are_answered_in_order(self):
        paths = ["/health", "/metrics", "/nowhere", "/ready"] * 25
        request = "".join(f"GET {p} HTTP/1.1\r\nHost: x\r\n\r\n" for p in paths)
        request += "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        _, got = self.raw(request.encode(), "cost")
        statuses = re.findall(r"^HTTP/1\.1 (\d+) ", got, re.M)
        self.assertEqual(statuses, ["200", "200", "404", "200"] * 25 + ["200"])

    def test_requests_may_arrive_byte_by_byte(self):
        with self.exporter.connect("results") as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in b"GET /health HTTP/1.0\r\nX: y\r\n\r\n":
                sock.sendall(bytes([byte]))
            self.assertTrue(hear_out(sock).endswith(b"\r\n\r\nOK\n"))

    def test_targets_as_proxies_send_them_work(self):
        status, got = self.raw(b"GET http://box:9502/health HTTP/1.0\r\n\r\n")
        self.assertEqual(status, 200)
        self.assertTrue(got.endswith("OK\n"))

    def test_bad_requests_have_their_status(self):
        host = b"Host: x\r\n"
        for request, status in (
                (b"nonsense\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\n" + host + host + b"\r\n", 400),
                (b"GET / HTTP/1.1\nHost: x\n\n", 400),
                (b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 1\r\n"
                 b"Transfer-Encoding: chunked\r\n\r\n", 400),
                (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64), 400),
                (b"GET / HTTP/2.0\r\n" + host + b"\r\n", 505),
                (b"GET / HTTP/1.1\r\n" + host + b"Expect: magic\r\n\r\n", 417),
                (b"GET /" + b"a" * 17000 + b" HTTP/1.1\r\n" + host + b"\r\n", 414),
                (b"GET / HTTP/1.1\r\n" + host + b"X: " + b"a" * 200000 + b"\r\n\r\n",
                 431),
                (b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 65537\r\n\r\n", 413)):
            with self.subTest(request=request[:60]):
                got, text = self.raw(request)
                self.assertEqual(got, status)
                self.assertIn("\r\nConnection: close\r\n", text)

    def test_bodies_are_thrown_away(self):
        got = self.exporter.get("results", "/metrics", body=b"x" * 65536)
        self.assertEqual(got.status, 200)

    def test_slow_requests_time_out(self):
        begin = time.monotonic()
        with self.exporter.connect("results") as sock:
            sock.sendall(b"GET / HT")
            self.assertTrue(hear_out(sock).startswith(b"HTTP/1.1 408 "))
        with self.exporter.connect("results") as sock:
            self.assertEqual(hear_out(sock), b"")
        self.assertLess(time.monotonic() - begin, 15)

    def test_reload_refuses_pages_of_other_sites(self):
        def reload(**headers):
            names = {k.replace("_", "-"): v for k, v in headers.items()}
            return self.exporter.get("cost", "/-/reload", names, "POST").status
        self.assertEqual(reload(), 200)
        self.assertEqual(reload(Origin="http://evil.example"), 403)
        self.assertEqual(reload(Origin="null"), 403)
        self.assertEqual(reload(Sec_Fetch_Site="cross-site"), 403)
        port = self.exporter.ports["cost"]
        self.assertEqual(reload(Origin=f"http://127.0.0.1:{port}",
                                Sec_Fetch_Site="same-origin"), 200)
        # a name of the attacker's that was pointed at this machine: all else looks right
        self.assertEqual(reload(Host=f"rebound.example:{port}",
                                Origin=f"http://rebound.example:{port}",
                                Sec_Fetch_Site="same-origin"), 403)
        self.assertEqual(reload(Host=f"localhost:{port}"), 200)
        with harness.Exporter("--web.allowed-host=encoder.lan,exporter.example",
                              files=FILES) as e:
            for host, status in (("exporter.example:9504", 200), ("ENCODER.lan", 200),
                                 ("other.example", 403)):
                got = e.get("cost", "/-/reload", {"Host": host}, "POST")
                self.assertEqual(got.status, status, host)
            self.assertIn("--web.allowed-host", got.text)

    def test_reloads_that_clients_ask_for_are_few(self):
        with harness.Exporter(files=FILES) as e:
            got = [e.get("cost", "/-/reload", method="POST").status for _ in range(60)]
            self.assertEqual(got[:10], [200] * 10)
            self.assertGreater(got.count(429), 30)
            refused = e.get("cost", "/-/reload", method="POST")
            self.assertEqual(refused.headers["Retry-After"], "1")
            harness.wait_until(
                lambda: e.get("cost", "/-/reload", method="POST").status == 200,
                what="one a second")

    def test_the_page_is_for_people_and_runs_what_this_server_holds(self):
        got = self.exporter.get("cost", "/")
        self.assertEqual(got.headers["Content-Type"], "text/html; charset=utf-8")
        policy = got.headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertEqual(got.headers["X-Content-Type-Options"], "nosniff")
        self.assertNotRegex(got.text, r"<script>|<style|style=|javascript:|\bon\w+=")
        self.assertNotRegex(got.text, r"(src|href)=\"(https?:)?//(?!127\.0\.0\.1)")
        for found in re.findall(r'<(?:script src|link rel="stylesheet" href)="([^"]+)"',
                                got.text):
            self.assertIn(found, PATHS)
        for text in ('href="/metrics"', 'href="/metrics/all"', 'href="/health"',
                     'href="/ready"', self.exporter.directory):
            self.assertIn(text, got.text)

    def test_what_the_page_loads_is_compressed_and_known_by_its_content(self):
        sizes = 0
        for name in os.listdir(ASSETS) + ["chart.js"]:
            path = "/" + name
            with self.subTest(path=path):
                plain = self.exporter.get("cost", path)
                packed = self.exporter.get("qoe", path, {"Accept-Encoding": "gzip"})
                self.assertEqual(packed.headers["Content-Encoding"], "gzip")
                self.assertNotIn("Content-Encoding", plain.headers)
                self.assertEqual(gzip.decompress(packed.body), plain.body)
                self.assertIn("Accept-Encoding", plain.headers["Vary"])
                self.assertEqual(plain.headers["X-Content-Type-Options"], "nosniff")
                self.assertEqual(plain.headers["Cache-Control"], "no-cache")
                self.assertNotEqual(plain.headers["ETag"], packed.headers["ETag"])
                again = self.exporter.get("results", path,
                                          {"Accept-Encoding": "gzip",
                                           "If-None-Match": packed.headers["ETag"]})
                self.assertEqual((again.status, again.body), (304, b""))
                sizes += len(packed.body)
                kind = "css" if name.endswith("css") else "javascript"
                self.assertEqual(plain.headers["Content-Type"],
                                 f"text/{kind}; charset=utf-8")
        self.assertLessEqual(sizes, 150000)
        chart = self.exporter.get("cost", "/chart.js").text
        self.assertIn("Permission is hereby granted, free of charge", chart)
        self.assertEqual(self.exporter.get("cost", "/style.css").status, 404)

    def test_many_connections_at_once(self):
        socks = [self.exporter.connect("results") for _ in range(300)]
        try:
            for sock in socks:
                sock.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n"
                             b"Connection: close\r\n\r\n")
            for sock in socks:
                self.assertTrue(hear_out(sock).endswith(b"OK\n"))
        finally:
            for sock in socks:
                sock.close()


class Limits(unittest.TestCase):
    def test_connections_beyond_the_limit_are_told_to_come_back(self):
        with harness.Exporter("--web.max-connections=4", files=FILES) as e:
            # those that asked for readiness may still be on their way out
            harness.wait_until(
                lambda: re.search(r"^encode_exporter_http_connections 1$",
                                  e.get("results").text, re.M), what="no connection")
            held = [e.connect("results") for _ in range(4)]
            for sock in held:
                sock.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertTrue(sock.recv(4096).startswith(b"HTTP/1.1 200 "))
            with e.connect("cost") as sock:
                sock.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                got = hear_out(sock)
            self.assertTrue(got.startswith(b"HTTP/1.1 503 "), got)
            self.assertIn(b"\r\nRetry-After: 1\r\n", got)
            for sock in held:
                sock.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertTrue(sock.recv(4096).startswith(b"HTTP/1.1 200 "))
                sock.close()
            harness.wait_until(lambda: e.get("results", "/health").status == 200,
                               what="room again")

    def test_a_reader_that_takes_nothing_delays_nobody(self):
        with harness.Exporter(files=FILES) as e:
            with e.connect("results") as stalled:
                stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                request = b"GET /metrics/all HTTP/1.1\r\nHost: x\r\n\r\n"
                stalled.setblocking(False)
                try:
                    for _ in range(100000):
                        stalled.send(request)
                except BlockingIOError:
                    pass    # now it is not read any more either
                before = e.rss_bytes()
                begin = time.monotonic()
                for _ in range(20):
                    self.assertEqual(e.get("results").status, 200)
                self.assertLess(time.monotonic() - begin, 10)
                self.assertLess(e.rss_bytes() - before, 8 * 1024 * 1024)

    def test_unix_sockets_are_served_and_cleaned_up(self):
        directory = harness.temp_dir()
        path = directory + "/x.sock"
        try:
            with harness.Exporter(f"--results.listen-address=unix:{path}", files=FILES,
                                  listen=("cost",)) as e:
                with socket.socket(socket.AF_UNIX) as sock:
                    sock.connect(path)
                    sock.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                    got = hear_out(sock)
                head, _, body = got.partition(b"\r\n\r\n")
                self.assertTrue(head.startswith(b"HTTP/1.1 200 "))
                self.assertIn("results_exporter_up", expo.parse(body).families)
                e.stop()
            with self.assertRaises(FileNotFoundError), \
                    socket.socket(socket.AF_UNIX) as sock:
                sock.connect(path)
        finally:
            harness.shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    harness.main()
