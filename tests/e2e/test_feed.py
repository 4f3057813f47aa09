# ctest: timeout 300
"""/events as clients without a browser see it: the bytes, the limits and the end."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
import unittest
import zlib

import harness
import web

FILES = harness.data_files("go-era")
GET = b"GET /events HTTP/1.1\r\nHost: localhost\r\n"
NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


class Listener:
    """One client: its head, and the events behind it as they come."""

    def __init__(self, connection, request=GET + b"\r\n"):
        self.connection = connection
        self.connection.settimeout(20)
        self.raw = b""
        self.connection.sendall(request)
        while b"\r\n\r\n" not in self.raw:
            self.more()
        head, self.raw = self.raw.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        self.fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        self.chunked = self.fields.get("transfer-encoding") == "chunked"
        self.unpack = (zlib.decompressobj(wbits=31).decompress
                       if self.fields.get("content-encoding") == "gzip" else bytes)
        self.text = b""

    def more(self):
        got = self.connection.recv(65536)
        if not got:
            raise ConnectionResetError("cut off")
        self.raw += got

    def content(self):
        """The next bytes of the content; b"": it has ended as it should."""
        if not self.chunked:
            while not self.raw:
                self.more()
            piece, self.raw = self.raw, b""
            return piece
        while b"\r\n" not in self.raw:
            self.more()
        size, rest = self.raw.split(b"\r\n", 1)
        size = int(size, 16)
        self.raw = rest
        while len(self.raw) < size + 2:
            self.more()
        piece, end, self.raw = self.raw[:size], self.raw[size:size + 2], self.raw[size + 2:]
        if end != b"\r\n":
            raise AssertionError(f"a chunk ends with {end!r}")
        return piece

    def event(self):
        """(type, id, data) of the next event that has data."""
        while True:
            while b"\n\n" not in self.text:
                piece = self.content()
                if not piece:
                    raise EOFError
                self.text += self.unpack(piece)
            block, self.text = self.text.split(b"\n\n", 1)
            fields = dict(line.split(": ", 1) for line in block.decode().split("\n"))
            if "data" in fields:
                return fields["event"], fields.get("id"), json.loads(fields["data"])

    def whole(self):
        """Records by kind and key, and the last id, once nothing is missing."""
        records, last = {}, None
        while True:
            name, event_id, data = self.event()
            if name != "change":
                continue
            last = event_id
            if data.get("reset"):
                records.clear()
            for r in data["set"]:
                records[r["kind"], r["key"]] = r
            if data.get("whole"):
                return records, last

    def close(self):
        self.connection.close()


def scenarios(records):
    return sum(kind == "scenario" for kind, _ in records)


class Bytes(unittest.TestCase):
    """Whoever asks, and however, gets the same records."""

    @classmethod
    def setUpClass(cls):
        cls.exporter = harness.Exporter(files=FILES)
        cls.exporter.start()
        listener = Listener(cls.exporter.connect("results"))
        cls.all, cls.last = listener.whole()
        listener.close()

    @classmethod
    def tearDownClass(cls):
        cls.exporter.stop()
        cls.exporter.clean()

    def listens(self, request, endpoint="results", connection=None):
        listener = Listener(connection or self.exporter.connect(endpoint), request)
        self.assertEqual(listener.status, 200)
        self.assertEqual(listener.fields["content-type"], "text/event-stream")
        self.assertEqual(listener.fields["cache-control"], "no-store")
        self.assertNotIn("content-length", listener.fields)
        records, _ = listener.whole()
        listener.close()
        self.assertEqual(set(records), set(self.all))
        return listener

    def test_all_ports_and_codings(self):
        self.assertGreater(scenarios(self.all), 2)
        for endpoint in ("results", "qoe", "cost"):
            plain = self.listens(GET + b"\r\n", endpoint)
            self.assertTrue(plain.chunked)
            packed = self.listens(GET + b"Accept-Encoding: gzip\r\n\r\n", endpoint)
            self.assertEqual(packed.fields["content-encoding"], "gzip")

    def test_http_1_0_ends_with_the_connection(self):
        listener = self.listens(b"GET /events HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        self.assertFalse(listener.chunked)
        self.assertEqual(listener.fields["connection"], "close")

    def test_head(self):
        with self.exporter.connect("results") as s:
            s.sendall(b"HEAD /events HTTP/1.1\r\nHost: localhost\r\n\r\n"
                      b"GET /health HTTP/1.0\r\n\r\n")
            got = b"".join(iter(lambda: s.recv(65536), b""))
        head, health = got.split(b"\r\n\r\n", 1)
        self.assertIn(b"\r\nTransfer-Encoding: chunked", head)
        self.assertTrue(health.startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertTrue(health.endswith(b"\r\n\r\nOK\n"))

    def test_what_was_seen_is_not_told_again(self):
        for request in (GET + f"Last-Event-ID: {self.last}\r\n\r\n".encode(),
                        f"GET /events?since={self.last} HTTP/1.1\r\nHost: localhost"
                        "\r\n\r\n".encode()):
            listener = Listener(self.exporter.connect("results"), request)
            records, _ = listener.whole()
            self.assertEqual(scenarios(records), 0)
            listener.close()

    def test_other_sites_get_nothing(self):
        refusals = (({"Sec-Fetch-Site": "cross-site"}, "another site"),
                    ({"Sec-Fetch-Site": "same-site"}, "another site"),
                    ({"Origin": "http://evil.example"}, "another site"),
                    ({"Host": "evil.example:9502"}, "--web.allowed-host"))
        for path in ("/events", "/frames?encode=x"):
            for headers, reason in refusals:
                reply = self.exporter.get("results", path, headers)
                self.assertEqual(reply.status, 403, (path, headers))
                self.assertIn(reason, reply.text)
        for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}):
            fields = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
            self.listens(GET + fields.encode() + b"\r\n")

    @unittest.skipUnless(NGINX, "no nginx")
    def test_behind_nginx_as_it_comes(self):
        """It asks by HTTP/1.0, and would gather what comes if it were not told."""
        scratch = harness.temp_dir()
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
        conf = os.path.join(scratch, "nginx.conf")
        with open(conf, "w", encoding="utf-8") as f:
            f.write(f"""daemon off; master_process off; worker_processes 1;
pid {scratch}/pid; error_log {scratch}/log warn;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {scratch}/body; proxy_temp_path {scratch}/proxy;
  fastcgi_temp_path {scratch}/fastcgi; uwsgi_temp_path {scratch}/uwsgi;
  scgi_temp_path {scratch}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{self.exporter.ports["results"]}; }}
  }}
}}
""")
        nginx = subprocess.Popen([NGINX, "-p", scratch, "-c", conf],
                                 stderr=subprocess.DEVNULL)
        try:
            def connection():
                try:
                    return socket.create_connection(("127.0.0.1", port), 5)
                except OSError:
                    return None
            self.listens(GET + b"\r\n",
                         connection=harness.wait_until(connection, what="nginx"))
        finally:
            nginx.terminate()
            nginx.wait(10)
            shutil.rmtree(scratch, ignore_errors=True)


class Ways(unittest.TestCase):
    def test_a_unix_socket(self):
        scratch = harness.temp_dir()
        path = os.path.join(scratch, "s")
        try:
            with harness.Exporter(f"--results.listen-address=unix:{path}", files=FILES,
                                  listen=("qoe", "cost")):
                s = socket.socket(socket.AF_UNIX)
                s.connect(path)
                listener = Listener(s)
                self.assertGreater(scenarios(listener.whole()[0]), 2)
                listener.close()
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def test_a_password_and_tls(self):
        scratch = harness.temp_dir()
        try:
            web.make_certificate(scratch, "server")
            text = ("tls_server_config:\n"
                    f"  cert_file: {scratch}/server.crt\n  key_file: {scratch}/server.key\n"
                    + web.fast_users())
            with web.ConfigFile(text) as config, harness.Exporter(
                    "--web.config.file", config.path, files=FILES, ready=False) as e:
                e.wait_log("msg=ready")
                context = ssl.create_default_context(cafile=f"{scratch}/server.crt")

                def call(fields=b""):
                    return Listener(context.wrap_socket(e.connect("results"),
                                                        server_hostname="localhost",
                                                        suppress_ragged_eofs=False),
                                    GET + fields + b"\r\n")

                nobody = call()
                self.assertEqual(nobody.status, 401)
                nobody.close()
                login = web.basic("alice", web.FAST["alice"][0])["Authorization"]
                listener = call(f"Authorization: {login}\r\n".encode())
                self.assertEqual(listener.status, 200)
                self.assertGreater(scenarios(listener.whole()[0]), 2)
                # The end of the process is said, and not only there.
                e.process.send_signal(signal.SIGTERM)
                with self.assertRaises(EOFError):
                    while True:
                        listener.event()
                self.assertEqual(listener.connection.recv(1), b"")
                listener.close()
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


class End(unittest.TestCase):
    def test_the_process_ends_at_once_and_says_so(self):
        with harness.Exporter(files=FILES) as e:
            listeners = [Listener(e.connect(name)) for name in ("results", "qoe", "cost")]
            for listener in listeners:
                listener.whole()
            began = time.monotonic()
            e.stop()
            self.assertLess(time.monotonic() - began, 5)
            for listener in listeners:
                with self.assertRaises(EOFError):
                    while True:
                        listener.event()
                listener.close()

    def test_they_leave_connections_to_scrapes(self):
        with harness.Exporter("--web.max-connections=8", files=FILES) as e:
            listeners = [Listener(e.connect("results")) for _ in range(7)]
            self.assertEqual([x.status for x in listeners], [200] * 6 + [503])
            self.assertEqual(listeners[6].fields["retry-after"], "10")
            listeners.pop().close()
            refused = e.metrics("results").value(
                "encode_exporter_http_refused_total", reason="connections")
            self.assertGreaterEqual(refused, 1)
            for listener in listeners:
                listener.close()

            def again():
                listener = Listener(e.connect("results"))
                listener.close()
                return listener.status == 200
            harness.wait_until(again, what="room after the others went")

    def test_a_listener_is_no_slow_request(self):
        """It is counted once, when it begins, and has no duration."""
        name, qoe = "encode_exporter_http_requests_total", {"endpoint": "qoe", "code": "200"}
        with harness.Exporter(files=FILES) as e:
            listener = Listener(e.connect("qoe"))
            listener.whole()
            told = e.wait_metrics("results", lambda x: x.value(name, **qoe) == 1,
                                  what="the request that goes on")
            listener.close()
            self.assertEqual(
                sum(s.value for s in told.samples(name))
                - told.value("encode_exporter_http_request_seconds_count"), 1)


if __name__ == "__main__":
    harness.main()
