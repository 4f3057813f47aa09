# ctest: timeout 240
"""The same figures as text and as OpenMetrics, plain and compressed, to every reader."""

import gzip
import http.client
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request
import zlib

import expo
import harness
import peers

try:
    from prometheus_client.openmetrics import parser
except ImportError:
    # Another interpreter than the one the package was installed for; it is pure Python.
    sys.path.append("/usr/lib/python3/dist-packages")
    try:
        from prometheus_client.openmetrics import parser
    except ImportError:
        parser = None

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
ASK_OPEN = {"Accept": "application/openmetrics-text;version=1.0.0"}
ASK_GZIP = {"Accept-Encoding": "gzip"}
PATHS = [(e, "/metrics") for e in harness.ENDPOINTS] + [("qoe", "/metrics/all")]
# Values of these are another moment's in another answer.
OF_THE_PROCESS = re.compile(r"(process|encode_exporter)_")
NEW_RUN = json.dumps({"scenarios": [
    {"name": "later \"one\" \\ two", "duration": 10, "power_watts": [100, 100],
     "bitrate": "2500k", "fps": 25, "resolution": "1280x720"}]})


def without_created(family):
    return [s for s in family.samples if not s.name.endswith("_created")]


class Formats(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        files = harness.data_files("go-era") + harness.data_files("edge")
        cls.exporter = harness.Exporter("--runs=all", "--compare-regions=us-east-1",
                                        files=files)
        cls.exporter.__enter__()
        # Growth after the first scan: counters with something in them.
        cls.exporter.write("test_results_later.json", NEW_RUN)
        cls.exporter.wait_metrics(
            "results", lambda e: e.samples("results_scenario_duration_seconds",
                                           run_id="test_results_later"))

    @classmethod
    def tearDownClass(cls):
        cls.exporter.__exit__(None, None, None)

    def open(self, endpoint, path, headers=None):
        """The OpenMetrics answer and its families as the strict parser sees them."""
        if not parser:
            self.skipTest("no python3-prometheus-client")
        reply = self.exporter.get(endpoint, path, {**ASK_OPEN, **(headers or {})})
        self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, OPEN))
        return reply, list(parser.text_string_to_metric_families(reply.body.decode()))

    # ---- OpenMetrics ----------------------------------------------------------------
    def test_a_strict_parser_reads_every_endpoint(self):
        for endpoint, path in PATHS:
            with self.subTest(endpoint=endpoint, path=path):
                reply, families = self.open(endpoint, path)
                self.assertGreater(len(families), 9)
                self.assertTrue(reply.body.endswith(b"\n# EOF\n"))
                self.assertEqual(reply.body.count(b"# EOF"), 1)

    def test_samples_are_those_of_the_text(self):
        for endpoint, path in PATHS:
            with self.subTest(endpoint=endpoint, path=path):
                text = self.exporter.metrics(endpoint, path)
                _, families = self.open(endpoint, path)
                got = {}
                for family in families:
                    for s in without_created(family):
                        key = (s.name, frozenset(s.labels.items()))
                        self.assertNotIn(key, got)
                        got[key] = s.value
                want = text.series()
                self.assertEqual(set(got), set(want))
                self.assertGreater(len(want), 30)
                for key, value in want.items():
                    if not OF_THE_PROCESS.match(key[0]):
                        self.assertEqual(got[key], value, key)

    def test_families_have_their_order_type_help_and_unit(self):
        for endpoint, path in PATHS:
            with self.subTest(endpoint=endpoint, path=path):
                text = self.exporter.metrics(endpoint, path).families
                _, families = self.open(endpoint, path)
                self.assertEqual(len(families), len(text))
                for family, (name, other) in zip(families, text.items()):
                    kind, base = other.type, name
                    if kind == "counter":
                        self.assertTrue(name.endswith("_total"))
                        base = name[:-len("_total")]
                    elif kind == "gauge" and name.endswith("_info"):
                        kind, base = "info", name[:-len("_info")]
                    self.assertEqual((family.name, family.type), (base, kind))
                    self.assertEqual(family.documentation, other.help)
                    unit = base.rsplit("_", 1)[1]
                    self.assertIn(family.unit, ("", unit))
                    if kind != "info" and unit in ("seconds", "bytes", "joules", "watts"):
                        self.assertEqual(family.unit, unit)

    def test_counters_of_cost_tell_when_they_began(self):
        start_s = os.stat(f"/proc/{self.exporter.process.pid}").st_mtime
        _, families = self.open("cost", "/metrics")
        for name in ("cost_accrued", "co2_accrued_kg"):
            family = next(f for f in families if f.name == name)
            totals = [s for s in family.samples if s.name == name + "_total"]
            created = [s for s in family.samples if s.name == name + "_created"]
            self.assertEqual([s.labels for s in created], [s.labels for s in totals])
            self.assertTrue(any(s.value > 0 for s in totals))
            for s in created:
                self.assertLess(abs(s.value - start_s), 120)
        text = self.exporter.get("cost").text
        self.assertNotIn("_created", text)

    def test_selections_are_whole_expositions(self):
        reply, families = self.open(
            "cost", "/metrics?name[]=cost_accrued_total&name[]=cost_price_info")
        self.assertEqual([f.name for f in families], ["cost_accrued", "cost_price"])
        reply, families = self.open("cost", "/metrics?name[]=nobody")
        self.assertEqual((reply.body, families), (b"# EOF\n", []))

    def test_bounds_of_histograms_are_canonical_in_both_formats(self):
        for headers in ({}, ASK_OPEN):
            body = self.exporter.get("results", headers=headers).text
            bounds = set(re.findall(r'\ble="([^"]*)"', body))
            self.assertLessEqual({"5e-05", "0.0001", "0.5", "1.0", "10.0", "+Inf"}, bounds)
            self.assertFalse([b for b in bounds if re.fullmatch(r"[0-9]+", b)])

    # ---- negotiation ----------------------------------------------------------------
    def test_the_type_says_what_was_chosen(self):
        for accept, want in (
                (None, TEXT), ("*/*", TEXT), ("text/plain;version=0.0.4", TEXT),
                ("application/json", TEXT),
                ("application/openmetrics-text;version=0.0.1,*/*;q=0.1", TEXT),
                ("application/openmetrics-text", OPEN),
                ("application/openmetrics-text;escaping=underscores",
                 OPEN + "; escaping=underscores"),
                ("text/plain;escaping=allow-utf-8", TEXT + "; escaping=allow-utf-8")):
            with self.subTest(accept=accept):
                reply = self.exporter.get("cost", headers={"Accept": accept} if accept
                                          else None)
                self.assertEqual(reply.headers["Content-Type"], want)
                self.assertEqual(reply.headers["Vary"], "Accept, Accept-Encoding")
                self.assertEqual(reply.body.endswith(b"# EOF\n"), want.startswith(OPEN))

    def test_text_has_the_same_bytes_again_and_again(self):
        first = self.exporter.get("cost").body
        for headers in (None, ASK_OPEN, ASK_GZIP, {"Accept": "*/*"}, None):
            reply = self.exporter.get("cost", headers=headers)
            if "Accept" not in (headers or {}) or headers["Accept"] == "*/*":
                body = reply.body
                if reply.headers["Content-Encoding"] == "gzip":
                    body = gzip.decompress(body)
                self.assertEqual(body, first)

    def test_who_has_it_gets_no_content_over_one_connection(self):
        variants = [{}, ASK_GZIP, ASK_OPEN, {**ASK_OPEN, **ASK_GZIP}]
        tags = set()
        client = http.client.HTTPConnection(*self.exporter.address("cost"), timeout=15)
        self.addCleanup(client.close)
        client.connect()
        sock = client.sock

        def ask(method, headers):
            client.request(method, "/metrics", headers={"Accept-Encoding": "identity",
                                                        **headers})
            answer = client.getresponse()
            body = answer.read()
            self.assertIs(client.sock, sock, "the connection was closed")
            self.assertEqual(answer.headers["Vary"], "Accept, Accept-Encoding")
            return answer, body

        for variant in variants:
            with self.subTest(variant=variant):
                got, body = ask("GET", variant)
                self.assertEqual(got.status, 200)
                tag = got.headers["ETag"]
                self.assertRegex(tag, r'^"[!#-~]+"$')
                tags.add(tag)
                self.assertEqual(int(got.headers["Content-Length"]), len(body))
                self.assertEqual(got.headers["Content-Encoding"],
                                 "gzip" if "Accept-Encoding" in variant else None)

                head, nothing = ask("HEAD", variant)
                self.assertEqual((head.status, nothing), (200, b""))
                self.assertEqual(sorted(head.headers.items()),
                                 sorted(got.headers.items()))

                for method in ("GET", "HEAD"):
                    for known in (tag, f'"x", W/{tag}', "*"):
                        same, nothing = ask(method, {**variant, "If-None-Match": known})
                        self.assertEqual((same.status, nothing), (304, b""))
                        self.assertEqual(same.headers["ETag"], tag)
                        for name in ("Content-Type", "Content-Length",
                                     "Content-Encoding"):
                            self.assertIsNone(same.headers[name], name)

                other, body_again = ask("GET", {**variant, "If-None-Match": '"x"'})
                self.assertEqual((other.status, body_again), (200, body))
        self.assertEqual(len(tags), len(variants))
        for variant in variants:
            for tag in tags:
                got, _ = ask("GET", {**variant, "If-None-Match": tag})
                self.assertEqual(got.status, 304 if got.headers["ETag"] == tag else 200)

    def test_a_change_gives_another_tag(self):
        before = self.exporter.get("cost").headers["ETag"]
        path = "test_results_changing.json"
        self.exporter.rename_over(path, NEW_RUN.replace("later", "changing"))

        def changed():
            reply = self.exporter.get("cost", headers={"If-None-Match": before})
            return reply if reply.status == 200 else None
        reply = harness.wait_until(changed, what="another tag")
        self.assertNotEqual(reply.headers["ETag"], before)
        self.assertIn("changing", reply.text)

    # ---- readers of gzip ------------------------------------------------------------
    def test_gzip_is_one_ordinary_member_for_every_reader(self):
        for endpoint, path in PATHS:
            for headers in ({}, ASK_OPEN):
                with self.subTest(endpoint=endpoint, path=path, headers=headers):
                    reply = self.exporter.get(endpoint, path, {**headers, **ASK_GZIP})
                    self.assertEqual(reply.headers["Content-Encoding"], "gzip")
                    self.assertEqual(len(reply.body),
                                     int(reply.headers["Content-Length"]))
                    text = gzip.decompress(reply.body)
                    self.assertLess(len(reply.body), len(text))
                    if headers:
                        self.assertTrue(text.endswith(b"\n# EOF\n"))
                    else:
                        expo.parse(text)
                    # as it comes in, byte by byte; nothing may follow its end
                    stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
                    pieces = [stream.decompress(reply.body[i:i + 1])
                              for i in range(len(reply.body))]
                    self.assertEqual(b"".join(pieces) + stream.flush(), text)
                    self.assertTrue(stream.eof)
                    self.assertEqual(stream.unused_data, b"")
                    done = subprocess.run(["gzip", "-dc"], input=reply.body, check=True,
                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                    self.assertEqual((done.stdout, done.stderr), (text, b""))
                    if endpoint == "cost":    # has no figures of the moment
                        plain = self.exporter.get(endpoint, path, headers)
                        self.assertIsNone(plain.headers["Content-Encoding"])
                        self.assertEqual(plain.body, text)

    def test_selections_are_compressed_too(self):
        for query in ("?name[]=cost_accrued_total", "?name[]=nobody"):
            plain = self.exporter.get("cost", "/metrics" + query)
            packed = self.exporter.get("cost", "/metrics" + query, ASK_GZIP)
            self.assertEqual(gzip.decompress(packed.body), plain.body)

    def test_curl_reads_it(self):
        if not shutil.which("curl"):
            self.skipTest("no curl")
        url = "http://%s:%d/metrics" % self.exporter.address("cost")
        with tempfile.NamedTemporaryFile() as headers:
            done = subprocess.run(
                ["curl", "-sSf", "--noproxy", "*", "--compressed", "-D", headers.name,
                 "-H", "Accept: application/openmetrics-text", url],
                check=True, stdout=subprocess.PIPE, timeout=30)
            self.assertRegex(headers.read().decode(), r"(?im)^content-encoding: gzip")
        self.assertEqual(done.stdout,
                         self.exporter.get("cost", headers=ASK_OPEN).body)


class Recorder:
    """Stands between a database and one port, and notes what the two say."""

    def __init__(self, address):
        self.seen = []    # (headers of the request, status and headers of the answer)
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                client = http.client.HTTPConnection(*address, timeout=15)
                try:
                    client.putrequest("GET", self.path, skip_host=True,
                                      skip_accept_encoding=True)
                    for name, value in self.headers.items():
                        client.putheader(name, value)
                    client.endheaders()
                    answer = client.getresponse()
                    body = answer.read()
                finally:
                    client.close()
                recorder.seen.append((self.headers, answer.status, answer.headers))
                self.send_response_only(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Databases(unittest.TestCase):
    """What real scrapers ask for, get, and store."""

    # name → type of the answers, and whether _created arrives with them
    WANTED = {"prometheus": (OPEN, True), "victoria-metrics": (TEXT, False)}

    @classmethod
    def setUpClass(cls):
        cls.exporter = harness.Exporter("--runs=all", files=harness.data_files("go-era"))
        cls.exporter.__enter__()
        cls.addClassCleanup(cls.exporter.__exit__, None, None, None)
        cls.exporter.write("test_results_later.json", NEW_RUN)
        cls.exporter.wait_metrics(
            "results", lambda e: e.samples("results_scenario_duration_seconds",
                                           run_id="test_results_later"))
        cls.peers = []
        for name, command in peers.PEERS.items():
            if not shutil.which(command[0]):
                raise unittest.SkipTest(f"no {command[0]}")
            recorders = {e: Recorder(cls.exporter.address(e)) for e in harness.ENDPOINTS}
            for recorder in recorders.values():
                cls.addClassCleanup(recorder.stop)
            peer = peers.Peer(name, command)
            cls.addClassCleanup(peer.stop)
            peer.start({e: r.port for e, r in recorders.items()})
            cls.peers.append((peer, recorders))
        for peer, _ in cls.peers:
            peer.wait_for_data(len(harness.ENDPOINTS))

    def test_they_get_the_best_format_compressed(self):
        for peer, recorders in self.peers:
            for endpoint, recorder in recorders.items():
                with self.subTest(peer=peer.name, endpoint=endpoint):
                    request, status, answer = recorder.seen[0]
                    self.assertEqual(status, 200)
                    self.assertIn("gzip", request["Accept-Encoding"])
                    self.assertEqual(answer["Content-Encoding"], "gzip")
                    self.assertEqual(answer["Content-Type"],
                                     self.WANTED[peer.name][0])

    def test_they_store_the_same_figures(self):
        names = ("results_scenario_total_energy_joules", "cost_total_load_aware",
                 "cost_accrued_total", "results_scenarios_total", "cost_price_info",
                 "encode_exporter_build_info", "results_scenario_params_info")
        for peer, _ in self.peers:
            for name in names:
                with self.subTest(peer=peer.name, name=name):
                    want = {frozenset(s.labels.items()): s.value
                            for endpoint in harness.ENDPOINTS
                            for s in self.exporter.metrics(endpoint).samples(name)}
                    got = {}
                    for row in peer.query(name):
                        labels = {k: v for k, v in row["metric"].items()
                                  if k not in ("__name__", "job", "instance")}
                        got[frozenset(labels.items())] = float(row["value"][1])
                    self.assertEqual(set(got), set(want))
                    for key, value in want.items():
                        self.assertLessEqual(abs(got[key] - value), 1e-9 * abs(value))

    def test_created_arrives_where_openmetrics_does(self):
        for peer, _ in self.peers:
            with self.subTest(peer=peer.name):
                rows = peer.query("cost_accrued_created")
                self.assertEqual(bool(rows), self.WANTED[peer.name][1])

    def test_prometheus_knows_types_and_units(self):
        peer = next(p for p, _ in self.peers if p.name == "prometheus")
        url = f"http://127.0.0.1:{peer.port}/api/v1/metadata"
        with urllib.request.urlopen(url, timeout=20) as reply:
            known = json.load(reply)["data"]
        for name, kind, unit in (
                ("results_scenario_total_energy_joules", "gauge", "joules"),
                ("results_scenarios_total", "gauge", ""),
                ("cost_accrued", "counter", ""),
                ("cost_price", "info", ""),
                ("encode_exporter_event_visible_seconds", "histogram", "seconds")):
            with self.subTest(name=name):
                self.assertEqual([(m["type"], m["unit"]) for m in known[name]],
                                 [(kind, unit)])


if __name__ == "__main__":
    harness.main()
