# ctest: timeout 240
"""--web.config.file: at start, when it changes, and as other exporters publish it.

The texts of PUBLISHED are the values of prometheus/exporter-toolkit, web/testdata/ and
docs/web-config.yml (Apache License 2.0), with what that project's tests expect of them.
"""

import http.client
import os
import re
import signal
import ssl
import subprocess
import unittest

import harness
import web
from harness import Exporter, wait_until
from web import SECOND, ConfigFile, basic

TLS = """tls_server_config:
  cert_file: "server.crt"
  key_file: "server.key"
"""
ASKING = TLS + '  client_auth_type: "VerifyClientCertIfGiven"\n'
CIPHERS = """  cipher_suites:
  - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
  - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
"""
USERS_10 = """  carol: $2y$10$qRTBuFoULoYNA7AQ/F3ck.trZBPyjV64.oA4ZsSBCIWvXuvQlQTuu
  dave: $2y$10$2UXri9cIDdgeKjBo4Rlpx.U3ZLDV8X1IxKmsfOvhcM5oXQt/mLmXq
"""
ALICE = "  alice: $2y$12$1DpfPeqF9HzHJt.EWswy1exHluGfbhnn3yXhR7Xes6m3WJqFg0Wby\n"
USERS_NO_TLS = ("basic_auth_users:\n" + ALICE +
                "  bob: $2y$14$y7HJ017Lo/wKPDdzdHahNevjaqE.WRk3iKVLLt1yKO7RtIrNbvy6.\n" +
                USERS_10)
HEADERS = """http_server_config:
  headers:
    X-Frame-Options: deny
    Strict-Transport-Security: max-age=31536000; includeSubDomains
    X-Content-Type-Options: nosniff
    X-XSS-Protection: 1
    Content-Security-Policy: "default-src 'self' *.test.example.net"
"""

# name: (text, None where it is good, else what the one line says behind the file's name)
PUBLISHED = {
    "web_config_empty.yml": ("", None),
    "web_config_noAuth.good.yml": (ASKING, None),
    "web_config_noAuth_allCiphers.good.yml": (ASKING + """  cipher_suites:
  - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
  - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
  - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
  - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
  - TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
  - TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
  - TLS_AES_128_GCM_SHA256
  - TLS_AES_256_GCM_SHA384
  - TLS_CHACHA20_POLY1305_SHA256
""", None),
    "web_config_noAuth_someCiphers.good.yml":
        (ASKING + CIPHERS + "  min_version: TLS12\n  max_version: TLS12\n", None),
    "web_config_noAuth_someCiphers_noOrder.good.yml":
        ((ASKING + CIPHERS).replace("config:", "config :") +
         "  prefer_server_cipher_suites: false\n"
         "  min_version: TLS12\n  max_version: TLS12\n", None),
    "web_config_noAuth_allCurves.good.yml":
        (ASKING + "  curve_preferences:\n    - CurveP256\n    - CurveP384\n"
                  "    - CurveP521\n    - X25519\n", None),
    "web_config_noAuth_someCurves.good.yml":
        (ASKING + "  min_version: TLS13\n  curve_preferences:\n  - CurveP521\n", None),
    "web_config_noAuth_noHTTP2.good.yml":
        (ASKING + "  cipher_suites:\n    - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\n"
                  "  max_version: TLS12\nhttp_server_config:\n  http2: false\n", None),
    "tls_config_noAuth.requireanyclientcert.good.yml":
        (TLS + '  client_auth_type: "RequireAnyClientCert"\n'
               '  client_ca_file: "tls-ca-chain.pem"\n', None),
    "tls_config_noAuth.requireandverifyclientcert.good.yml":
        (TLS + '  client_auth_type: "RequireAndVerifyClientCert"\n'
               '  client_ca_file: "tls-ca-chain.pem"\n', None),
    "web_config_auth_client_san.good.yaml":
        (TLS + '  client_auth_type: "RequireAndVerifyClientCert"\n'
               '  client_ca_file: "tls-ca-chain.pem"\n  client_allowed_sans:\n'
               '    - "bad"\n', None),
    "web_config_headers.good.yml": (HEADERS, None),
    "web_config_users.good.yml":
        (TLS + "basic_auth_users:\n" + ALICE +
         "  bob: $2y$18$4VeFDzXIoPHKnKTU3O3GH.N.vZu06CVqczYZ8WvfzrddFU6tGqjR.\n" +
         USERS_10, None),
    "web_config_users_noTLS.good.yml": (USERS_NO_TLS, None),
    "web_config_rate_limiter_one_second.yaml":
        ('rate_limit:\n  interval: "1s"\n  burst: 0\n', None),
    "web_config_rate_limiter_nonblocking.yaml":
        ("rate_limit:\n  interval: 0\n  burst: 0\n", None),
    "docs/web-config.yml":
        ("# TLS and basic authentication configuration example.\n#\n"
         "# Additionally, a certificate and a key file are needed.\n"
         "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n\n"
         "# Usernames and passwords required to connect.\nbasic_auth_users:\n"
         "  alice: $2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze\n"
         "  bob: $2y$10$hLqFl9jSjoAAy95Z/zw8Ye8wkdMBM8c5Bn1ptYqP/AXyV0.oy0S8m\n", None),

    "web_config_junk.yml": ("hgkgkhkhghk\n", ":1: a text where a map is due"),
    "web_config_junk_key.yml":
        ('tls_server_config:\n  cert_filse: "server.crt"\n',
         ":2: tls_server_config.cert_filse: unknown key"),
    "web_config_noAuth_certPath_empty.bad.yml":
        ('tls_server_config:\n  cert_file: ""\n  key_file: "server.key"\n',
         ":1: tls_server_config: missing one of cert or cert_file"),
    "web_config_noAuth_cert_empty.bad.yml":
        ('tls_server_config:\n  cert: ""\n  key_file: "server.key"\n',
         ":1: tls_server_config: missing one of cert or cert_file"),
    "web_config_noAuth_keyPath_empty.bad.yml":
        ('tls_server_config:\n  cert_file: "server.crt"\n  key_file: ""\n',
         ":1: tls_server_config: missing one of key or key_file"),
    "web_config_noAuth_certPath_keyPath_invalid.bad.yml":
        ('tls_server_config:\n  cert_file: "somefile"\n  key_file: "somefile"\n',
         ":2: tls_server_config.cert_file: "),
    "web_config_noAuth_keyPath_invalid.bad.yml":
        ('tls_server_config:\n  cert_file: "server.crt"\n  key_file: "somefile"\n',
         ":3: tls_server_config.key_file: "),
    "web_config_noAuth.bad.yml":
        (TLS + '  client_ca_file: "/dev/null"\n',
         ":4: tls_server_config.client_ca_file: has no effect without client_auth_type"),
    "web_config_auth_clientCAs_nocerts.bad.yml":
        (TLS + '  client_auth_type: "RequireAndVerifyClientCert"\n'
               '  client_ca_file: "tls-ca-chain-invalid.pem"\n',
         ":5: tls_server_config.client_ca_file: "),
    "web_config_auth_client_san_no_client_auth.bad.yaml":
        (TLS + '  client_allowed_sans:\n    - "one"\n',
         ":4: tls_server_config.client_allowed_sans: needs client_auth_type"),
    "web_config_auth_user_list_invalid.bad.yml":
        (TLS + "basic_auth_users:\n  john: doe\n",
         ":5: basic_auth_users.john: no bcrypt hash"),
    "web_config_noAuth_inventedCiphers.bad.yml":
        (ASKING + "  cipher_suites:\n  - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA2048\n",
         ":5: tls_server_config.cipher_suites: unknown cipher suite"),
    "web_config_noAuth_inventedCurves.bad.yml":
        (ASKING + "  curve_preferences:\n    - CurveP257\n",
         ":5: tls_server_config.curve_preferences: "),
    "web_config_noAuth_wrongTLSVersion.bad.yml":
        (ASKING + "  min_version: TLS111\n",
         ":5: tls_server_config.min_version: unknown TLS version"),
    "web_config_headers_content_type_options.bad.yml":
        ("http_server_config:\n  headers:\n    X-Content-Type-Options: foo\n",
         ":3: http_server_config.headers.X-Content-Type-Options: invalid value"),
    "web_config_headers_frame_options.bad.yml":
        ("http_server_config:\n  headers:\n    X-Frame-Options: foo\n",
         ":3: http_server_config.headers.X-Frame-Options: invalid value"),
    "web_config_headers_extra_header.bad.yml":
        ("http_server_config:\n  headers:\n    Content-Type: foo\n",
         ":3: http_server_config.headers.Content-Type: this header cannot be set"),
}


def alice(password="sesame"):
    return basic("alice", password)


class TlsClient:
    """Speaks HTTPS with an exporter, whose certificate is looked at, not judged."""

    def __init__(self, exporter, endpoint="results"):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket = context.wrap_socket(exporter.connect(endpoint))
        self.client = http.client.HTTPConnection("localhost")
        self.client.sock = self.socket

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.client.close()

    def get(self, path="/metrics", headers=None):
        self.client.request("GET", path, headers=headers or {})
        answer = self.client.getresponse()
        body = answer.read()
        return harness.Reply(answer.status, answer.headers, body)

    @property
    def certificate(self):
        return self.socket.getpeercert(binary_form=True)


def served_certificate(exporter):
    with TlsClient(exporter) as c:
        return c.certificate


class Published(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.file = ConfigFile("")
        cls.addClassCleanup(cls.file.__exit__, None, None, None)
        web.make_certificate(cls.file.directory, "server")
        web.make_certificate(cls.file.directory, "ca")
        os.rename(os.path.join(cls.file.directory, "ca.crt"),
                  os.path.join(cls.file.directory, "tls-ca-chain.pem"))
        with open(os.path.join(cls.file.directory, "tls-ca-chain-invalid.pem"), "w",
                  encoding="ascii") as f:
            f.write("no certificate\n")

    def test_configurations_are_judged_as_published(self):
        for name, (text, fault) in PUBLISHED.items():
            with self.subTest(name):
                self.file.rewrite(text)
                done = harness.run("--check-config", "--web.config.file", self.file.path)
                lines = done.stderr.splitlines()
                if fault is None:
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertEqual(lines[-1], "encode_exporter: configuration is valid")
                else:
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertEqual(len(lines), 1, done.stderr)
                    self.assertIn(f"encode_exporter: {self.file.path}{fault}", lines[0])

    def test_a_config_that_is_bad_at_start_is_one_line_and_status_1(self):
        for name in ("web_config_junk.yml", "web_config_noAuth_inventedCiphers.bad.yml",
                     "web_config_noAuth_certPath_keyPath_invalid.bad.yml"):
            self.file.rewrite(PUBLISHED[name][0])
            done = harness.run("--results-dir", self.file.directory,
                               "--web.config.file", self.file.path)
            self.assertEqual(done.returncode, 1)
            lines = done.stderr.splitlines()
            self.assertEqual(len(lines), 1, done.stderr)
            self.assertIn(PUBLISHED[name][1].split(": ")[0], lines[0])
        done = harness.run("--results-dir", self.file.directory,
                           "--web.config.file", self.file.path + ".none")
        self.assertEqual(done.returncode, 1)
        self.assertIn("web.yml.none: No such file or directory", done.stderr)

    def test_no_file_is_as_no_flag(self):
        with Exporter("--web.config.file", "") as e:
            self.assertEqual(e.get("results").status, 200)
            self.assertNotIn("encode_exporter_logins_total", e.get("results").text)
            with open(f"/proc/{e.process.pid}/maps", encoding="ascii") as f:
                maps = f.read()
            for library in ("web_toolbox", "libyaml", "transport_tls", "libssl"):
                self.assertNotIn(library, maps)

    def test_published_users_log_in(self):
        self.file.rewrite(USERS_NO_TLS)
        with Exporter("--web.config.file", self.file.path) as e:
            self.assertEqual(e.get("results").status, 401)
            for name in ("alice", "bob", "carol", "dave"):
                self.assertEqual(e.get("results", headers=basic(name, name + "123")).status,
                                 200, name)
            self.assertEqual(e.get("results", headers=basic("alice", "alice1234")).status,
                             401)
            self.assertEqual(e.get("results", headers=basic("dave", "bad")).status, 401)
            self.assertEqual(
                e.get("results", headers=basic("nonexistent", "nonexistent")).status, 401)
            # its decoy hash is that of "fakepassword"; cold, and remembered
            for _ in range(2):
                self.assertEqual(
                    e.get("results", headers=basic("fakeuser", "fakepassword")).status, 401)
            # CVE-2022-46146: what is remembered of one must not fit another
            hashed = ALICE.split()[1]
            self.assertEqual(
                e.get("results", headers=basic("alice" + hashed, "fakepassword")).status,
                401)
            decoy = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"
            self.assertEqual(
                e.get("results", headers=basic("alice", decoy + "fakepassword")).status, 401)

    def test_published_headers_are_sent(self):
        self.file.rewrite(HEADERS)
        with Exporter("--web.config.file", self.file.path) as e:
            for _ in range(2):
                headers = e.get("results").headers
                self.assertEqual(headers["X-Frame-Options"], "deny")
                self.assertEqual(headers["Strict-Transport-Security"],
                                 "max-age=31536000; includeSubDomains")
                self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
                self.assertEqual(headers["X-XSS-Protection"], "1")
                self.assertEqual(headers["Content-Security-Policy"],
                                 "default-src 'self' *.test.example.net")

    def test_published_rates_block_or_do_not(self):
        self.file.rewrite(PUBLISHED["web_config_rate_limiter_nonblocking.yaml"][0])
        with Exporter("--web.config.file", self.file.path) as e:
            self.assertEqual({e.get("results").status for _ in range(10)}, {200})
        self.file.rewrite(PUBLISHED["web_config_rate_limiter_one_second.yaml"][0])
        with Exporter("--web.config.file", self.file.path) as e:
            self.assertEqual({e.get("results").status for _ in range(10)}, {429})
            self.assertEqual(e.log_count("every request is refused"), 1)

    def test_published_users_log_in_through_tls(self):
        self.file.rewrite(PUBLISHED["web_config_users.good.yml"][0])
        with Exporter("--web.config.file", self.file.path, ready=False) as e:
            with TlsClient(e) as c:
                self.assertEqual(c.get().status, 401)
                self.assertEqual(c.get(headers=basic("dave", "dave123")).status, 200)
                self.assertEqual(c.get(headers=basic("carol", "carol123")).status, 200)
                self.assertEqual(c.get(headers=basic("dave", "bad")).status, 401)
                self.assertEqual(c.get("/-/healthy").status, 200)
            with e.connect("results") as s:    # no plain HTTP here
                s.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertNotIn(b"200 OK", s.recv(4096))
            done = harness.run("--health-check", "--web.config.file", self.file.path,
                               "--results.listen-address",
                               "127.0.0.1:%d" % e.ports["results"])
            self.assertEqual(done.returncode, 0, done.stderr)


class Reloading(unittest.TestCase):
    def changed(self, e):
        """The second password is the right one."""
        wait_until(lambda: e.get("results", headers=alice("second")).status == 200,
                   what="the new config")
        self.assertEqual(e.get("results", headers=alice()).status, 401)

    def kept(self, e):
        self.assertEqual(e.get("results", headers=alice()).status, 200)
        self.assertEqual(e.get("results").status, 401)

    def test_it_follows_rewriting_renaming_and_links(self):
        with ConfigFile(web.fast_users()) as file:
            data = os.path.join(file.directory, "..data")
            for number, text in enumerate((web.fast_users(), web.users(alice=SECOND[1]))):
                os.mkdir(os.path.join(file.directory, f"v{number}"))
                with open(os.path.join(file.directory, f"v{number}", "linked.yml"), "w",
                          encoding="utf-8") as f:
                    f.write(text)
            os.symlink("v0", data)
            linked = os.path.join(file.directory, "linked.yml")
            os.symlink("..data/linked.yml", linked)

            def swap():
                os.symlink("v1", data + ".new")
                os.rename(data + ".new", data)
            second = web.users(alice=SECOND[1])
            for path, change in ((file.path, lambda: file.rewrite(second)),
                                 (file.path, lambda: file.replace(second)),
                                 (linked, swap)):
                file.rewrite(web.fast_users())
                with Exporter("--web.config.file", path) as e:
                    self.kept(e)
                    change()
                    self.changed(e)
                    wait_until(lambda now=e: now.log_count("web config in force") == 2,
                               what="the line that tells of it")

    def test_it_follows_where_files_are_polled(self):
        with ConfigFile(web.fast_users()) as file, Exporter(
                "--web.config.file", file.path, "--watch", "poll", "--poll-interval",
                "50ms") as e:
            self.kept(e)
            file.rewrite(web.users(alice=SECOND[1]))
            self.changed(e)

    def test_a_bad_file_changes_nothing_and_is_told_once(self):
        with ConfigFile(web.fast_users()) as file, Exporter(
                "--web.config.file", file.path) as e:
            def good():
                text = e.get("results", headers=alice()).text
                return int(re.search(r"_last_reload_successful (\d)$", text, re.M)[1])
            self.assertEqual(good(), 1)
            for text, reason in (("basic_auth_users:\n  alice: plain\n", "web.yml:2: basic"),
                                 ("a: [", "web.yml:"), ("", "says nothing"),
                                 ("# only a comment\n", "says nothing"),
                                 (TLS, "TLS begins and ends with a restart")):
                seen = len(e.lines)
                file.rewrite(text)
                e.wait_log("web config not reloaded.*" + re.escape(reason), after=seen)
                self.kept(e)
            wait_until(lambda: good() == 0, what="the metric")
            file.rewrite(web.fast_users() + "# good again\n")
            wait_until(lambda: good() == 1, what="the metric")
            self.assertEqual(e.log_count("web config not reloaded"), 5)

    def test_a_file_that_goes_changes_nothing(self):
        with ConfigFile(web.fast_users()) as file, Exporter(
                "--web.config.file", file.path) as e:
            os.unlink(file.path)
            e.wait_log("watched file is gone")
            self.kept(e)
            reply = e.get("results", "/-/reload", method="POST", headers=alice())
            self.assertEqual(reply.status, 500)
            self.assertIn("web.yml: No such file or directory", reply.text)
            self.kept(e)
            file.rewrite(web.users(alice=SECOND[1]))
            self.changed(e)

    def test_a_file_that_stops_anywhere_opens_nothing(self):
        """However far a writer got, and whoever asks for a reload just then."""
        text = web.fast_users()
        with ConfigFile(text) as file, Exporter(
                "--web.config.file", file.path, "--watch", "poll", "--poll-interval",
                "1h") as e:
            done = 0
            for n in range(len(text)):
                file.rewrite(text[:n])
                e.process.send_signal(signal.SIGHUP)
                done += 1
                wait_until(lambda want=done: e.log_count("settings (not )?reloaded") == want,
                           what="the reload")
                self.assertEqual(e.get("results").status, 401, text[:n])
            file.rewrite("basic_auth_users: {}\n")
            e.process.send_signal(signal.SIGHUP)
            wait_until(lambda: e.get("results").status == 200, what="open doors")

    def test_a_change_counts_when_it_stays(self):
        """Written in two steps: what lies between them is never in force."""
        first, rest = web.fast_users().split("  bob")
        with ConfigFile(web.users(alice=SECOND[1])) as file, Exporter(
                "--web.config.file", file.path) as e:
            for _ in range(20):
                file.rewrite(first)
                file.rewrite(first + "  bob" + rest)
                file.rewrite(first)
            file.rewrite(first + "  bob" + rest)
            wait_until(lambda: e.get("results", headers=alice()).status == 200,
                       what="the new config")
            # On a machine that is busy a state between may last; most of the forty do not.
            self.assertLess(e.log_count("web config in force"), 15)

    def test_health_is_asked_of_the_exporter_as_it_runs(self):
        """Its file may be broken, gone, or ask for what takes a restart."""
        with ConfigFile(web.fast_users()) as file, Exporter(
                "--web.config.file", file.path) as e:
            flags = ["--web.config.file", file.path, "--health-check",
                     "--results.listen-address", f"127.0.0.1:{e.ports['results']}"]

            def healthy():
                return harness.run(*flags).returncode == 0
            self.assertTrue(healthy())
            file.rewrite("basic_auth_users: [")
            self.assertTrue(healthy())
            file.rewrite(TLS)
            web.make_certificate(file.directory, "server")
            self.assertTrue(healthy())
            os.unlink(file.path)
            self.assertTrue(healthy())
            e.stop()
            self.assertFalse(healthy())

    def test_everybody_is_let_in_only_if_that_is_meant(self):
        with ConfigFile(web.fast_users()) as file, Exporter(
                "--web.config.file", file.path) as e:
            file.rewrite("{}\n")
            wait_until(lambda: e.get("results").status == 200, what="open doors")
            file.rewrite(web.fast_users())
            wait_until(lambda: e.get("results").status == 401, what="locked doors")

    def test_hangup_and_post_reload_it_and_tell_what_is_wrong(self):
        # Polled once an hour: only what is asked for happens.
        with ConfigFile(web.fast_users()) as file, Exporter(
                "--web.config.file", file.path, "--watch", "poll", "--poll-interval",
                "1h") as e:
            self.kept(e)
            file.rewrite(web.users(alice=SECOND[1]))
            e.process.send_signal(signal.SIGHUP)
            self.changed(e)
            file.rewrite("basic_auth_users: {alice: x}\n")
            reply = e.get("results", "/-/reload", method="POST", headers=alice("second"))
            self.assertEqual(reply.status, 500)
            self.assertIn("web.yml:1: basic_auth_users.alice: no bcrypt hash", reply.text)
            self.assertEqual(e.get("results", headers=alice("second")).status, 200)
            file.rewrite(web.fast_users())
            reply = e.get("results", "/-/reload", method="POST", headers=alice("second"))
            self.assertEqual(reply.status, 200)
            self.kept(e)

    def test_a_reload_is_all_or_nothing(self):
        with ConfigFile(web.fast_users()) as file:
            prices = os.path.join(file.directory, "prices.json")

            def price(value):
                with open(prices, "w", encoding="utf-8") as f:
                    f.write('{"regions": {"here": {"electricity_price": %s}}}' % value)
            price(1)
            with Exporter("--web.config.file", file.path, "--pricing-config", prices,
                          "--region", "here", "--watch", "poll", "--poll-interval", "1h",
                          files=harness.data_files("edge")[:1]) as e:
                def shown():
                    text = e.get("cost", headers=alice()).text
                    found = re.search(
                        r'^cost_electricity_price_per_kwh\{region="here".*\} (\S+)$', text,
                        re.M)
                    return float(found[1]) if found else None
                self.assertEqual(shown(), 1)
                price(2)
                file.rewrite("nonsense")
                reply = e.get("cost", "/-/reload", method="POST", headers=alice())
                self.assertEqual(reply.status, 500)
                self.assertEqual(shown(), 1)
                file.rewrite(web.fast_users())
                reply = e.get("cost", "/-/reload", method="POST", headers=alice())
                self.assertEqual(reply.status, 200)
                wait_until(lambda: shown() == 2, what="the new price")

    def test_headers_change_with_the_config(self):
        with ConfigFile(HEADERS) as file, Exporter("--web.config.file", file.path) as e:
            for _ in range(3):    # so that the answer is kept ready
                self.assertEqual(e.get("qoe").headers["X-Frame-Options"], "deny")
            file.rewrite("http_server_config: {headers: {X-Frame-Options: sameorigin}}\n")
            wait_until(lambda: e.get("qoe").headers["X-Frame-Options"] == "sameorigin",
                       what="the new header")
            self.assertIsNone(e.get("qoe").headers["X-XSS-Protection"])


class Certificates(unittest.TestCase):
    def test_new_certificates_are_shown_to_new_connections(self):
        with ConfigFile(TLS) as file:
            for name in ("server", "next", "third"):
                web.make_certificate(file.directory, name)

            def move(name, extension):
                os.rename(os.path.join(file.directory, name + extension),
                          os.path.join(file.directory, "server" + extension))
            with Exporter("--web.config.file", file.path, ready=False) as e:
                first = served_certificate(e)
                with TlsClient(e) as before:
                    self.assertEqual(before.get("/health").status, 200)
                    # certificate, then key: what does not belong together is not taken
                    seen = len(e.lines)
                    move("next", ".crt")
                    e.wait_log(r"web config not reloaded.*web\.yml:\d: tls_server_config\.",
                               after=seen)
                    self.assertEqual(served_certificate(e), first)
                    move("next", ".key")
                    wait_until(lambda: served_certificate(e) != first,
                               what="the next certificate")
                    # who was connected goes on
                    self.assertEqual(before.get("/health").status, 200)
                    self.assertEqual(before.certificate, first)
                # the same on request
                second = served_certificate(e)
                move("third", ".crt")
                move("third", ".key")
                wait_until(lambda: served_certificate(e) != second,
                           what="the third certificate")

    def test_files_named_by_a_new_config_are_watched(self):
        with ConfigFile(TLS) as file:
            for name in ("server", "other", "next"):
                web.make_certificate(file.directory, name)
            with Exporter("--web.config.file", file.path, ready=False) as e:
                first = served_certificate(e)
                file.replace(TLS.replace("server.", "other."))
                wait_until(lambda: served_certificate(e) != first, what="the other one")
                second = served_certificate(e)
                for extension in (".key", ".crt"):
                    os.rename(os.path.join(file.directory, "next" + extension),
                              os.path.join(file.directory, "other" + extension))
                wait_until(lambda: served_certificate(e) not in (first, second),
                           what="the next one")

    def test_a_file_that_stops_anywhere_asks_for_no_fewer_certificates(self):
        with ConfigFile("") as file:
            web.make_certificate(file.directory, "server")
            text = TLS + "  client_ca_file: server.crt\n" \
                "  client_auth_type: RequireAndVerifyClientCert\n"
            file.rewrite(text)
            with Exporter("--web.config.file", file.path, "--watch", "poll",
                          "--poll-interval", "1h", ready=False) as e:
                done = 0
                for n in range(len(TLS) - 1, len(text)):
                    file.rewrite(text[:n])
                    e.process.send_signal(signal.SIGHUP)
                    done += 1
                    wait_until(lambda want=done:
                               e.log_count("settings (not )?reloaded") == want,
                               what="the reload")
                    with self.assertRaises((OSError, http.client.HTTPException)):
                        with TlsClient(e) as client:
                            client.get("/health")
                file.rewrite(TLS + "  client_auth_type: NoClientCert\n")
                e.process.send_signal(signal.SIGHUP)

                def welcome():
                    try:
                        with TlsClient(e) as client:
                            return client.get("/health").status == 200
                    except (OSError, http.client.HTTPException):
                        return False
                wait_until(welcome, what="what was written out")

    def test_tls_does_not_end_by_a_change_of_the_file(self):
        with ConfigFile(TLS) as file:
            web.make_certificate(file.directory, "server")
            with Exporter("--web.config.file", file.path, ready=False) as e:
                first = served_certificate(e)
                for text in ("", "{}\n", web.fast_users()):
                    seen = len(e.lines)
                    file.rewrite(text)
                    e.wait_log("web config not reloaded", after=seen)
                    self.assertEqual(served_certificate(e), first)
                    with e.connect("results") as s:
                        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
                        self.assertNotIn(b"200 OK", s.recv(4096))


class Installed(unittest.TestCase):
    def test_a_missing_library_is_named(self):
        with ConfigFile(web.fast_users()) as file:
            program = os.path.join(file.directory, "encode_exporter")
            subprocess.run(["cp", harness.binary(), program], check=True)
            done = subprocess.run(
                [program, "--check-config", "--web.config.file", file.path],
                env=harness.environment(), stderr=subprocess.PIPE, timeout=60, check=False,
                text=True)
            self.assertEqual(done.returncode, 1)
            self.assertIn("web_toolbox.so, which belongs to encode_exporter, is missing",
                          done.stderr)
            # without a web config it is not looked for
            done = subprocess.run([program, "--check-config"], env=harness.environment(),
                                  stderr=subprocess.PIPE, timeout=60, check=False)
            self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    harness.main()
