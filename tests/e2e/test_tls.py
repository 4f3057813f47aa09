# ctest: timeout 400
"""TLS of --web.config.file, as openssl, curl, Python and Prometheus see it."""

import http.client
import json
import os
import re
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import time
import unittest

import harness
import web

sys.path.insert(0, os.path.join(harness.ROOT, "tests", "bench"))
import generate    # noqa: E402  pylint: disable=wrong-import-position

FILES = harness.data_files("go-era")
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET /health HTTP/1.0\r\n\r\n"


def openssl(*args, stdin=b"", check=True):
    done = subprocess.run(["openssl", *args], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"openssl {args}: {done.stdout.decode()}")
    return done.stdout.decode("utf-8", "replace")


class Authority:
    """A CA of the test's own, and what it has signed, as files in one directory."""

    def __init__(self):
        self.directory = harness.temp_dir()
        self.make("ca", ca=True)
        self.make("other-ca", ca=True)
        self.make("server", by="ca", sans="DNS:localhost,IP:127.0.0.1")
        self.make("next", by="ca", sans="DNS:localhost,IP:127.0.0.1")
        self.make("rsa", by="ca", sans="DNS:localhost,IP:127.0.0.1", key="rsa:2048")
        self.make("client", by="ca",
                  sans="DNS:scraper.example,email:ops@example.org,IP:2001:db8::7,"
                       "URI:spiffe://example.org/scraper")
        self.make("foreign", by="other-ca", sans="DNS:scraper.example")

    def path(self, name):
        return os.path.join(self.directory, name)

    def make(self, name, by=None, sans=None, ca=False, key="ec"):
        args = ["req", "-x509", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                "-newkey", key, "-keyout", self.path(name + ".key"),
                "-out", self.path(name + ".crt"),
                "-addext", f"basicConstraints=critical,CA:{'TRUE' if ca else 'FALSE'}"]
        if key == "ec":
            args += ["-pkeyopt", "ec_paramgen_curve:P-256"]
        if by:
            args += ["-CA", self.path(by + ".crt"), "-CAkey", self.path(by + ".key")]
        if sans:
            args += ["-addext", f"subjectAltName={sans}"]
        openssl(*args)

    def context(self, client=None):
        """What a client of Python's needs: our CA, and maybe a certificate to show."""
        context = ssl.create_default_context(cafile=self.path("ca.crt"))
        if client:
            context.load_cert_chain(self.path(client + ".crt"), self.path(client + ".key"))
        return context

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)


def setUpModule():
    global PKI    # pylint: disable=global-statement
    PKI = Authority()


def tearDownModule():
    PKI.remove()


class TlsExporter(harness.Exporter):
    """An exporter whose ports speak TLS; settings: lines of tls_server_config."""

    def __init__(self, *flags, settings="", certificate="server", client=None, login=None,
                 **more):
        super().__init__(*flags, **more)
        self.login = web.basic(*login) if login else {}
        self.users = web.fast_users() if login else ""
        self.ssl = PKI.context(client)
        self.web_config = os.path.join(self.scratch, "web.yml")
        self.flags += ["--web.config.file", self.web_config]
        for end in ("crt", "key"):
            shutil.copy(PKI.path(f"{certificate}.{end}"),
                        os.path.join(self.scratch, f"server.{end}"))
        self.write_config(settings)

    def write_config(self, settings):
        with open(self.web_config, "w", encoding="utf-8") as f:
            f.write("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
                    + "".join(f"  {line}\n" for line in settings.splitlines())
                    + self.users)

    def get(self, endpoint, path="/metrics", headers=None, method="GET", body=None,
            timeout=30):
        client = http.client.HTTPSConnection(*self.address(endpoint), timeout=timeout,
                                             context=self.ssl)
        try:
            client.request(method, path, body=body,
                           headers={**self.login, **(headers or {})})
            answer = client.getresponse()
            return harness.Reply(answer.status, answer.headers, answer.read())
        finally:
            client.close()

    def wrapped(self, context=None, endpoint="results"):
        """A socket behind a handshake."""
        plain = self.connect(endpoint)
        try:
            return (context or self.ssl).wrap_socket(plain, server_hostname="localhost")
        except BaseException:
            plain.close()
            raise

    def s_client(self, *args, stdin=LAST, commands=False):
        """What openssl s_client prints of a request and its answer."""
        return openssl("s_client", "-connect", "%s:%d" % self.address("results"),
                       "-CAfile", PKI.path("ca.crt"), "-servername", "localhost",
                       *([] if commands else ["-ign_eof"]), *args, stdin=stdin,
                       check=False)

    def failures(self):
        samples = self.metrics("results").samples("encode_exporter_http_refused_total")
        return sum(s.value for s in samples if s.labels["reason"] == "tls")

    def wait_failures(self, want):
        """The process's own families are up to a second old."""
        harness.wait_until(lambda: self.failures() == want,
                           what=f"failures are {want}, not {self.failures()}")


def ask(sock, request=HEALTH):
    sock.sendall(request)
    got = sock.recv(65536)
    if not got.startswith(b"HTTP/1.1 200 ") or not got.endswith(b"OK\n"):
        raise AssertionError(f"got {got!r}")


class Handshakes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.exporter = TlsExporter(files=FILES)
        cls.exporter.__enter__()
        cls.addClassCleanup(cls.exporter.__exit__, None, None, None)

    def test_versions_1_2_and_1_3_with_http_1_1(self):
        for flag, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
            text = self.exporter.s_client(flag, "-alpn", "h2,http/1.1",
                                          "-verify_return_error")
            self.assertIn(f"New, {name}, Cipher is ", text)
            self.assertIn("ALPN protocol: http/1.1", text)
            self.assertIn("Verify return code: 0 (ok)", text)
            self.assertIn("Compression: NONE", text)
            self.assertIn("HTTP/1.1 200 OK", text)
            self.assertNotIn("unexpected eof", text)    # the end is said

    def test_who_offers_h2_alone_gets_no_protocol(self):
        text = self.exporter.s_client("-alpn", "h2")
        self.assertIn("No ALPN negotiated", text)
        self.assertIn("HTTP/1.1 200 OK", text)

    def test_a_foreign_protocol_is_refused(self):
        text = self.exporter.s_client("-alpn", "imap")
        self.assertIn("no application protocol", text)
        self.assertNotIn("HTTP/1.1", text)

    def test_tickets_resume(self):
        for flag, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
            kept = self.exporter.path("session-" + name)
            first = self.exporter.s_client(flag, "-sess_out", kept)
            self.assertIn(f"New, {name}, ", first)
            again = self.exporter.s_client(flag, "-sess_in", kept)
            self.assertIn(f"Reused, {name}, ", again)
            self.assertIn("HTTP/1.1 200 OK", again)

    def test_older_versions_are_refused_and_counted(self):
        before = self.exporter.failures()
        for flag in ("-tls1", "-tls1_1"):
            text = self.exporter.s_client(flag, "-cipher", "ALL:@SECLEVEL=0")
            self.assertIn("alert protocol version", text)
            self.assertNotIn("HTTP/1.1", text)
        self.exporter.wait_failures(before + 2)

    def test_renegotiation_is_refused(self):
        text = self.exporter.s_client("-tls1_2", stdin=b"R\n" + LAST, commands=True)
        self.assertIn("RENEGOTIATING", text)
        self.assertIn("no renegotiation", text)
        self.assertNotIn("HTTP/1.1", text)

    def test_curl_keeps_its_connection(self):
        urls = ["https://localhost:%d/%s" % (self.exporter.ports["cost"], path)
                for path in ("metrics", "health")]
        done = subprocess.run(
            ["curl", "-sSfv", "--noproxy", "*", "--http2", "--compressed", "--cacert",
             PKI.path("ca.crt"), "--resolve",
             f"localhost:{self.exporter.ports['cost']}:127.0.0.1",
             "-w", "<%{http_version} %{num_connects}>", *urls],
            check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        self.assertIn(b"<1.1 1>", done.stdout)
        self.assertTrue(done.stdout.endswith(b"OK\n<1.1 0>"), done.stdout[-100:])
        self.assertIn(b"ALPN: server accepted http/1.1", done.stderr)

    def test_the_certificate_is_the_one_of_the_file(self):
        with self.exporter.wrapped() as sock:
            self.assertEqual(sock.version(), "TLSv1.3")
            self.assertIsNone(sock.compression())
            shown = ssl.DER_cert_to_PEM_cert(sock.getpeercert(True))
            with open(PKI.path("server.crt"), encoding="ascii") as f:
                self.assertEqual(shown.strip(), f.read().strip())
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.exporter.wrapped(ssl.create_default_context())

    def test_the_answer_is_the_same_as_without(self):
        with harness.Exporter(files=FILES) as plain:
            for headers in ({}, {"Accept-Encoding": "gzip"},
                            {"Accept": "application/openmetrics-text"}):
                # Of the three, the one without figures of the moment.
                ours = self.exporter.get("qoe", headers=headers)
                theirs = plain.get("qoe", headers=headers)
                self.assertEqual(ours.status, 200)
                self.assertEqual(ours.body, theirs.body, headers)
                self.assertEqual(ours.headers["Content-Type"],
                                 theirs.headers["Content-Type"])

    def test_links_of_the_page_are_of_its_own_protocol(self):
        page = self.exporter.get("results", "/", {"Host": "box:1"}).text
        self.assertNotIn("http://box", page)
        self.assertIn(f'href="//box:{self.exporter.ports["cost"]}/metrics"', page)


class Settings(unittest.TestCase):
    def test_versions(self):
        cases = [("min_version: TLS13", "-tls1_2", None),
                 ("min_version: TLS13", "-tls1_3", "TLSv1.3"),
                 ("max_version: TLS12", "-tls1_2", "TLSv1.2"),
                 ("max_version: TLS12", "-tls1_3", None)]
        for settings, flag, wanted in cases:
            with TlsExporter(settings=settings) as e:
                text = e.s_client(flag)
                if wanted:
                    self.assertIn(f"New, {wanted}, ", text)
                else:
                    self.assertIn("alert protocol version", text)

    def agreed(self, exporter, *args):
        found = re.search(r"^New, TLSv1\.\d, Cipher is (\S+)$", exporter.s_client(*args),
                          re.M)
        return found[1] if found and found[1] != "(NONE)" else None

    def test_cipher_suites_by_gos_names(self):
        suites = ("cipher_suites:\n- TLS_RSA_WITH_AES_256_GCM_SHA384\n"
                  "- TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256\n"
                  "- TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA\n- TLS_AES_128_GCM_SHA256\n")
        both = "ECDHE-RSA-AES128-SHA:ECDHE-RSA-CHACHA20-POLY1305"
        with TlsExporter(settings=suites, certificate="rsa") as e:
            for name in ("AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305",
                         "ECDHE-RSA-AES128-SHA"):
                self.assertEqual(self.agreed(e, "-tls1_2", "-cipher", name), name)
            for name in ("ECDHE-RSA-AES128-GCM-SHA256", "AES128-SHA"):
                self.assertIsNone(self.agreed(e, "-tls1_2", "-cipher", name), name)
            # As in Go, the list is none for TLS 1.3.
            self.assertEqual(self.agreed(e, "-tls1_3", "-ciphersuites",
                                         "TLS_CHACHA20_POLY1305_SHA256"),
                             "TLS_CHACHA20_POLY1305_SHA256")
            self.assertEqual(self.agreed(e, "-tls1_2", "-cipher", both),
                             "ECDHE-RSA-CHACHA20-POLY1305")    # the server's order
        with TlsExporter(settings=suites + "prefer_server_cipher_suites: false\n",
                         certificate="rsa") as e:
            self.assertEqual(self.agreed(e, "-tls1_2", "-cipher", both),
                             "ECDHE-RSA-AES128-SHA")

    def test_curves(self):
        with TlsExporter(settings="curve_preferences: [CurveP384]\n") as e:
            text = e.s_client("-curves", "X25519:P-384")
            self.assertIn("Server Temp Key: ECDH, secp384r1, 384 bits", text)
            self.assertNotIn("HTTP/1.1", e.s_client("-curves", "X25519:P-256"))

    def check(self, settings, **more):
        """Exit status and last line of a start with these settings."""
        e = TlsExporter(settings=settings, **more)
        try:
            done = harness.run("--results-dir", e.scratch, "--results.listen-address",
                               "127.0.0.1:0", "--qoe.listen-address=",
                               "--cost.listen-address=", "--web.config.file",
                               e.web_config, timeout=30)
            again = harness.run("--web.config.file", e.web_config, "--check-config")
            self.assertNotEqual(again.returncode, 0)
            self.assertNotEqual(done.returncode, 0)
            return done.stderr + again.stderr
        finally:
            e.clean()

    def test_what_is_wrong_is_named_with_file_line_and_key(self):
        cases = [
            ("cipher_suites:\n- TLS_AES_128_GCM_SHA256\n- TLS_INVENTED",
             r"web\.yml:\d+: tls_server_config\.cipher_suites: "
             r"unknown cipher suite TLS_INVENTED"),
            ("cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]", "RC4_128_SHA is unsafe"),
            ("curve_preferences: [CurveP257]", r"curve_preferences.*CurveP257"),
            ("min_version: TLS11", r"web\.yml:4:.*min_version.*TLS11"),
            ("min_version: TLS13\nmax_version: TLS12", "min_version"),
            ("client_auth_type: Sometimes", r"web\.yml:4:.*client_auth_type"),
            ("client_auth_type: RequireAndVerifyClientCert",
             r"client_auth_type.*needs client_ca_file"),
            ("client_auth_type: RequireAndVerifyClientCert\nclient_ca_file: none.pem",
             r"client_ca_file.*none\.pem.*No such file"),
            ("client_auth_type: VerifyClientCertIfGiven\nclient_ca_file: server.key",
             r"client_ca_file.*server\.key.*no certificate"),
            ("client_ca_file: server.crt", r"client_ca_file.*client_auth_type"),
            ("client_auth_type: VerifyClientCertIfGiven\nclient_allowed_sans: [a]",
             r"client_allowed_sans.*RequireAndVerifyClientCert"),
        ]
        for settings, pattern in cases:
            with self.subTest(settings):
                self.assertRegex(self.check(settings), pattern)

    def test_a_key_of_another_certificate_is_named_with_both_files(self):
        e = TlsExporter()
        try:
            shutil.copy(PKI.path("next.key"), os.path.join(e.scratch, "server.key"))
            done = harness.run("--web.config.file", e.web_config, "--check-config")
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stderr, r"web\.yml:3: .*key_file: \S*server\.key: the key "
                             r"does not belong to the certificate \(cert_file: \S*server\.crt\)")
        finally:
            e.clean()


class ClientCertificates(unittest.TestCase):
    def let_in(self, exporter, name):
        """Whether a client that shows this certificate gets an answer, in both versions."""
        answers = set()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = PKI.context(name)
            context.minimum_version = context.maximum_version = version
            try:
                with exporter.wrapped(context) as sock:
                    ask(sock)
                answers.add(True)
            except (ssl.SSLError, ConnectionError, AssertionError):
                # In TLS 1.3 the refusal comes after what the client takes for the end
                # of the handshake; it must have been one.
                answers.add(False)
        self.assertEqual(len(answers), 1, f"{name}: versions differ")
        return answers.pop()

    def test_each_type_asks_for_what_its_name_says(self):
        cases = [    # none, ours, another CA's
            ("NoClientCert", True, True, True),
            ("RequestClientCert", True, True, True),
            ("RequireAnyClientCert", False, True, True),
            ("RequireClientCert", False, True, True),    # its old name
            ("VerifyClientCertIfGiven", True, True, False),
            ("RequireAndVerifyClientCert", False, True, False),
        ]
        for kind, *wanted in cases:
            settings = f"client_auth_type: {kind}\n"
            if kind != "NoClientCert":
                settings += f"client_ca_file: {PKI.path('ca.crt')}\n"
            with TlsExporter(settings=settings, client="client") as e:
                got = [self.let_in(e, name) for name in (None, "client", "foreign")]
                self.assertEqual(got, wanted, kind)
                e.wait_failures(2 * wanted.count(False))    # one of each version

    def test_allowed_names(self):
        cases = [("scraper.example", True), ("ops@example.org", True),
                 ('"2001:db8:0::7"', True), ("spiffe://example.org/scraper", True),
                 ("client", False), ("example", False), ("spiffe://example.org", False)]
        for name, wanted in cases:
            settings = ("client_auth_type: RequireAndVerifyClientCert\n"
                        f"client_ca_file: {PKI.path('ca.crt')}\n"
                        f"client_allowed_sans:\n- nobody.example\n- {name}\n")
            with TlsExporter(settings=settings, ready=False) as e:
                self.assertEqual(self.let_in(e, "client"), wanted, name)
                self.assertFalse(self.let_in(e, "foreign"), name)    # has such a name
                if not wanted:
                    e.wait_log("TLS connection failed.*no subject alternative name")

    def test_a_ticket_is_no_way_around_a_changed_client_ca(self):
        settings = "client_auth_type: RequireAndVerifyClientCert\nclient_ca_file: ca.crt\n"
        e = TlsExporter(settings=settings, client="client")
        shutil.copy(PKI.path("ca.crt"), e.scratch)
        with e:
            kept = e.path("session")
            show = ["-cert", PKI.path("client.crt"), "-key", PKI.path("client.key")]
            self.assertIn("New, ", e.s_client(*show, "-sess_out", kept))
            self.assertIn("Reused, ", e.s_client(*show, "-sess_in", kept))
            shutil.copy(PKI.path("other-ca.crt"), os.path.join(e.scratch, "ca.crt"))
            e.ssl = PKI.context("foreign")

            def changed():
                try:
                    return e.get("results", "/health").status == 200
                except (ssl.SSLError, ConnectionError):
                    return False
            harness.wait_until(changed, what="the other CA counts")
            text = e.s_client(*show, "-sess_in", kept)
            self.assertNotIn("Reused, ", text)
            self.assertNotIn("HTTP/1.1", text)


def many_scenarios(count):
    """A results file of so many, in a directory that goes with the module's."""
    directory = os.path.join(PKI.directory, str(count))
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, generate.name(0))
    if not os.path.exists(path):
        with open(path, "w", encoding="utf-8") as f:
            f.write(generate.text(count, 1))
    return path


def shown(exporter):
    with exporter.wrapped() as sock:
        return dict(sock.getpeercert()["subject"][0])["commonName"]


class Rotation(unittest.TestCase):
    """Certificates change while connections stay."""

    def rotate(self, exporter, replace):
        with exporter.wrapped() as kept:
            ask(kept)
            self.assertEqual(shown(exporter), "server")
            replace()
            harness.wait_until(lambda: shown(exporter) == "next", what="the next one")
            for _ in range(3):
                ask(kept)
            self.assertEqual(dict(kept.getpeercert()["subject"][0])["commonName"], "server")

    def test_files_written_in_place(self):
        with TlsExporter() as e:
            def replace():
                for end in ("crt", "key"):
                    shutil.copyfile(PKI.path(f"next.{end}"),
                                    os.path.join(e.scratch, f"server.{end}"))
            self.rotate(e, replace)

    def test_files_renamed_over(self):
        with TlsExporter() as e:
            def replace():
                for end in ("key", "crt"):
                    with open(PKI.path(f"next.{end}"), "rb") as f:
                        harness.write_atomically(os.path.join(e.scratch, f"server.{end}"),
                                                 f.read())
            self.rotate(e, replace)

    def test_a_link_swapped_as_kubernetes_does(self):
        e = TlsExporter()
        for name in ("server", "next"):
            os.mkdir(os.path.join(e.scratch, "..v-" + name))
            for end in ("crt", "key"):
                shutil.copy(PKI.path(f"{name}.{end}"),
                            os.path.join(e.scratch, "..v-" + name, f"tls.{end}"))
        os.symlink("..v-server", os.path.join(e.scratch, "..data"))
        for end in ("crt", "key"):
            path = os.path.join(e.scratch, f"server.{end}")
            os.remove(path)
            os.symlink(f"..data/tls.{end}", path)
        with e:
            def replace():
                os.symlink("..v-next", os.path.join(e.scratch, "..new"))
                os.rename(os.path.join(e.scratch, "..new"),
                          os.path.join(e.scratch, "..data"))
            self.rotate(e, replace)

    def test_half_of_a_change_keeps_what_was_good(self):
        with TlsExporter() as e:
            shutil.copyfile(PKI.path("next.crt"), os.path.join(e.scratch, "server.crt"))
            e.wait_log("web config not reloaded.*does not belong to the certificate")
            self.assertEqual(shown(e), "server")
            self.assertEqual(e.metrics("results").samples("up"), [])    # it still answers
            shutil.copyfile(PKI.path("next.key"), os.path.join(e.scratch, "server.key"))
            harness.wait_until(lambda: shown(e) == "next", what="the next one")

    def test_an_answer_under_way_is_finished(self):
        with TlsExporter(files=[many_scenarios(4000)]) as e:
            want = e.get("cost").body
            self.assertGreater(len(want), 8 * 1000 * 1000)    # no buffer holds that
            with e.wrapped(endpoint="cost") as sock:
                sock.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                got = bytearray(sock.recv(1000))
                for end in ("crt", "key"):
                    shutil.copyfile(PKI.path(f"next.{end}"),
                                    os.path.join(e.scratch, f"server.{end}"))
                harness.wait_until(lambda: shown(e) == "next", what="the next one")
                while part := sock.recv(65536):
                    got += part
            self.assertEqual(len(got.split(b"\r\n\r\n", 1)[1]), len(want))
            self.assertTrue(got.endswith(want))


def hear_out(sock):
    got = b""
    try:
        while part := sock.recv(65536):
            got += part
    except ConnectionResetError:
        pass
    return got


class Abuse(unittest.TestCase):
    def test_plain_http_is_told_to_use_tls(self):
        with TlsExporter() as e:
            with e.connect("results") as sock:
                sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
                got = hear_out(sock)
            head, content = got.split(b"\r\n\r\n", 1)
            self.assertTrue(head.startswith(b"HTTP/1.0 400 Bad Request\r\n"), got)
            self.assertEqual(content, b"Client sent an HTTP request to an HTTPS server.\n")
            done = subprocess.run(["curl", "-sS", "--noproxy", "*", "-o", "-", "-w",
                                   "%{http_code}", "http://127.0.0.1:%d/" % e.ports["cost"]],
                                  check=True, stdout=subprocess.PIPE, timeout=30)
            self.assertTrue(done.stdout.endswith(b"400"), done.stdout)
            e.wait_failures(2)

    def test_slow_cut_and_senseless_handshakes(self):
        with TlsExporter("--web.read-timeout=3s") as e, e.wrapped() as witness:
            # One byte at a time, through memory: every step is ours.
            come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
            slow = e.ssl.wrap_bio(come, go, server_hostname="localhost")
            with e.connect("results") as sock:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

                def step(call):
                    while True:
                        try:
                            result = call()
                        except ssl.SSLWantReadError:
                            result = None
                        for byte in go.read():
                            sock.sendall(bytes([byte]))
                        if result is not None:
                            return result
                        come.write(sock.recv(1))
                step(lambda: slow.do_handshake() or True)
                step(lambda: slow.write(LAST))
                self.assertTrue(step(lambda: slow.read(20)).startswith(b"HTTP/1.1 200"))
                hello_of = PKI.context().wrap_bio(ssl.MemoryBIO(), go,
                                                  server_hostname="localhost")
            self.assertRaises(ssl.SSLWantReadError, hello_of.do_handshake)
            hello = go.read()
            for cut in (1, 4, 5, 6, 100, len(hello) - 1):
                with e.connect("results") as sock:
                    sock.sendall(hello[:cut])
                ask(witness)
            noise = [os.urandom(300), b"SSH-2.0-x\r\n", bytes(300), b"\x16\x03\x01\xff\xff" * 9,
                     hello[:60] + bytes([hello[60] ^ 1]) + b"\xff" * 300]
            for bad in noise:
                with e.connect("results") as sock:
                    sock.sendall(bad)
                    hear_out(sock)
                ask(witness)
            ask(witness)
            e.wait_failures(6 + len(noise))
            with e.connect("results") as half:    # waits with half of it
                half.sendall(hello[:50])
                began = time.monotonic()
                hear_out(half)
                self.assertLess(time.monotonic() - began, 15)
            e.wait_failures(6 + len(noise) + 1)
            self.assertEqual(e.log_count("TLS connection failed"), 1)    # one a minute

    def test_readers_that_stall_cost_little(self):
        clients = 60
        with TlsExporter(release=True, files=[many_scenarios(4000)]) as e:
            size = len(e.get("results").body)
            self.assertGreater(size, 8 * 1000 * 1000)
            before = e.rss_bytes()
            stalled = []
            for _ in range(clients):
                sock = e.wrapped()
                self.addCleanup(sock.close)
                sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
                stalled.append(sock)
            for sock in stalled:
                sock.recv(1000)    # it is on its way
            grown = e.rss_bytes() - before
            # 64 KiB that wait, and what a session needs.
            self.assertLess(grown, clients * 200 * 1000, f"{size} bytes each")
            with e.wrapped() as quick:
                began = time.monotonic()
                ask(quick)
                self.assertLess(time.monotonic() - began, 5)
            self.assertGreater(len(stalled[0].recv(100)), 0)

    def test_idle_connections_cost_little(self):
        with TlsExporter(release=True, files=FILES) as e:
            first = e.wrapped()
            self.addCleanup(first.close)
            ask(first)
            before = e.rss_bytes()
            socks = [first]
            for _ in range(200):
                sock = e.wrapped()
                self.addCleanup(sock.close)
                ask(sock)
                socks.append(sock)
            each = (e.rss_bytes() - before) / 200
            self.assertLess(each, 40 * 1000)
            for sock in socks:
                ask(sock)


class Memory(unittest.TestCase):
    def test_where_it_runs_out_one_line_ends_the_process(self):
        e = TlsExporter(release=True)
        kept = []
        try:
            e.start()
            size = int(re.search(r"^VmData:\s+(\d+) kB", e.proc("status"), re.M)[1])
            limit = (size + 1024) * 1024
            resource.prlimit(e.process.pid, resource.RLIMIT_DATA, (limit, limit))
            try:
                for _ in range(900):
                    kept.append(e.wrapped())
                    ask(kept[-1])
            except (OSError, AssertionError):
                pass
            self.assertEqual(e.process.wait(20), 1)
            e.reader.join(5)
            self.assertRegex(e.lines[-1], "^encode_exporter: out of memory")
        finally:
            for sock in kept:
                sock.close()
            e.kill()
            e.clean()


class Program(unittest.TestCase):
    """How the library comes into the process, and what is said where it does not."""

    def test_openssl_is_loaded_where_it_is_asked_for(self):
        for release in (False, True):
            try:
                program = harness.binary(release)
            except unittest.SkipTest:
                continue
            listed = subprocess.run(["ldd", program], check=True, stdout=subprocess.PIPE,
                                    env=harness.environment()).stdout.decode()
            self.assertIn("libuv", listed)
            self.assertNotRegex(listed, "libssl|libcrypto")
        with harness.Exporter() as e:
            self.assertNotRegex(e.proc("maps"), r"libssl|libcrypto|transport_tls")
        with TlsExporter() as e:
            self.assertRegex(e.proc("maps"), r"libssl")
            self.assertRegex(e.proc("maps"), r"transport_tls\.so")

    def moved(self, **libraries):
        """Starts a copy of the program beside these files, and returns what it says."""
        beside = os.path.dirname(harness.binary())
        e = TlsExporter()
        try:
            shutil.copy(harness.binary(), e.scratch)
            for library in ("web_toolbox.so",):
                shutil.copy(os.path.join(beside, library), e.scratch)
            for name, source in libraries.items():
                shutil.copy(source, os.path.join(e.scratch, name + ".so"))
            done = subprocess.run(
                [os.path.join(e.scratch, "encode_exporter"), "--results-dir", e.scratch,
                 "--results.listen-address=127.0.0.1:0", "--qoe.listen-address=",
                 "--cost.listen-address=", "--web.config.file", e.web_config],
                env=harness.environment({"LD_LIBRARY_PATH": beside}), cwd=beside,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                timeout=30, check=False)
            self.assertEqual(done.returncode, 1, done.stderr.decode())
            return done.stderr.decode()
        finally:
            e.clean()

    def test_a_missing_library_is_named(self):
        # Neither the working directory nor a search path has a say.
        said = self.moved()
        self.assertRegex(said, r"transport_tls\.so.*is missing")

    def test_a_library_of_another_version_is_refused(self):
        other = os.path.join(os.path.dirname(harness.binary()), "tests",
                             "transport_other.so")
        if not os.path.exists(other):
            self.skipTest("no other library was built")
        said = self.moved(transport_tls=other)
        self.assertRegex(said, r"transport_tls\.so belongs to another version")

    def test_a_library_that_is_none_is_refused(self):
        said = self.moved(transport_tls=PKI.path("ca.crt"))
        self.assertRegex(said, r"cannot load \S*transport_tls\.so .*libssl3")


class HealthCheck(unittest.TestCase):
    def ask(self, exporter, address):
        return harness.run("--web.config.file", exporter.web_config,
                           "--results.listen-address", address, "--health-check")

    def test_over_tls(self):
        with TlsExporter() as e:
            done = self.ask(e, "%s:%d" % e.address("results"))
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(e.failures(), 0)
            address = ":%d" % e.ports["cost"]
            self.assertEqual(self.ask(e, address).returncode, 0)
        done = self.ask(e, "127.0.0.1:1")
        self.assertEqual(done.returncode, 1)

    def test_where_certificates_are_required_a_unix_socket_answers(self):
        e = TlsExporter(settings="client_auth_type: RequireAndVerifyClientCert\n"
                        f"client_ca_file: {PKI.path('ca.crt')}\n", client="client",
                        listen=("results",))
        path = os.path.join(e.scratch, "health.sock")
        e.flags += [f"--cost.listen-address=unix:{path}"]
        with e:
            done = self.ask(e, "%s:%d" % e.address("results"))
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, "TLS: .*certificate required")
            done = self.ask(e, "unix:" + path)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_without_the_web_config_it_cannot_know_of_tls(self):
        with TlsExporter() as e:
            done = harness.run("--results.listen-address",
                               "%s:%d" % e.address("results"), "--health-check")
            self.assertEqual(done.returncode, 1)
            self.assertIn("400 Bad Request", done.stderr)

    def test_the_exporter_may_still_serve_with_an_older_config(self):
        with TlsExporter() as e:
            os.remove(e.web_config)
            self.assertEqual(self.ask(e, "%s:%d" % e.address("results")).returncode, 0)
        with harness.Exporter() as plain:
            e = TlsExporter()
            self.assertEqual(self.ask(e, "%s:%d" % plain.address("results")).returncode, 0)
            e.clean()


PROMETHEUS = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: encodes
    scheme: https
    tls_config:
      ca_file: {ca}
      cert_file: {cert}
      key_file: {key}
      server_name: localhost
    basic_auth: {{username: alice, password: sesame}}
    static_configs:
      - targets: [{targets}]
"""


class Prometheus(unittest.TestCase):
    def test_it_scrapes_with_a_client_certificate_and_a_password(self):
        if not shutil.which("prometheus"):
            self.skipTest("no prometheus")
        settings = ("client_auth_type: RequireAndVerifyClientCert\n"
                    f"client_ca_file: {PKI.path('ca.crt')}\n"
                    "client_allowed_sans: [scraper.example]\n")
        with TlsExporter(settings=settings, client="client", login=("alice", "sesame"),
                         files=FILES) as e:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            config = os.path.join(e.scratch, "prometheus.yml")
            with open(config, "w", encoding="utf-8") as f:
                f.write(PROMETHEUS.format(
                    ca=PKI.path("ca.crt"), cert=PKI.path("client.crt"),
                    key=PKI.path("client.key"),
                    targets=", ".join(f'"127.0.0.1:{p}"' for p in e.ports.values())))
            log = open(os.path.join(e.scratch, "prometheus.log"), "wb")
            server = subprocess.Popen(
                ["prometheus", f"--config.file={config}", "--log.level=warn",
                 f"--storage.tsdb.path={e.scratch}/data",
                 f"--web.listen-address=127.0.0.1:{port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=e.scratch)
            try:
                self.assert_up(port, 3)
                self.assertEqual(e.failures(), 0)
            finally:
                server.terminate()
                server.wait(20)
                log.close()

    def assert_up(self, port, count):
        def up():
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                client.request("GET", "/api/v1/query?query=up%3D%3D1")
                result = json.load(client.getresponse())["data"]["result"]
            except (OSError, KeyError, ValueError):
                return False
            finally:
                client.close()
            return len(result) == count
        harness.wait_until(up, timeout=60, what=f"{count} targets are up")


if __name__ == "__main__":
    harness.main()
