# ctest: timeout 180
"""Progress over TLS: ffmpeg's own client, curl that checks the certificate, odd ends."""

import http.client
import os
import shutil
import signal
import ssl
import subprocess
import unittest

import expo
import harness
import web

USER, (PASSWORD, HASH) = "alice", web.FAST["alice"]


def block(frames, end=False):
    return (f"frame={frames}\nfps=25.0\nout_time_us={frames * 40000}\n"
            f"progress={'end' if end else 'continue'}\n").encode()


class TlsExporter(harness.Exporter):
    """All ports speak TLS, and ask for a password where there are users."""

    def __init__(self, *flags, users=""):
        super().__init__(*flags)
        web.make_certificate(self.scratch, "server")
        self.certificate = os.path.join(self.scratch, "server.crt")
        self.headers = web.basic(USER, PASSWORD) if users else {}
        config = os.path.join(self.scratch, "web.yml")
        with open(config, "w", encoding="utf-8") as f:
            f.write("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
                    + users)
        self.flags += ["--web.config.file", config]

    def context(self):
        return ssl.create_default_context(cafile=self.certificate)

    def get(self, endpoint, path="/metrics", headers=None, method="GET", body=None,
            timeout=30):
        client = http.client.HTTPSConnection(*self.address(endpoint), timeout=timeout,
                                             context=self.context())
        try:
            client.request(method, path, body=body, headers={**self.headers, **(headers or {})})
            answer = client.getresponse()
            return harness.Reply(answer.status, answer.headers, answer.read())
        finally:
            client.close()

    def url(self, name, login=""):
        return f"https://{login}127.0.0.1:{self.ports['results']}/progress/{name}"


class Tls(unittest.TestCase):
    def exporter(self, *flags, users=""):
        e = TlsExporter(*flags, users=users)
        e.__enter__()
        self.addCleanup(self.leave, e)
        return e

    def leave(self, e):
        e.__exit__(*((None, None, None) if self._outcome.success
                     else (AssertionError, None, None)))

    def state(self, e, name):
        for s in expo.parse(e.get("results").body).samples("encode_state"):
            if s.labels["scenario"] == name and s.value == 1:
                return s.labels["state"]
        return None

    def wait_state(self, e, name, want):
        harness.wait_until(lambda: self.state(e, name) == want, 20, f"{name} is {want}")

    def frames(self, e, name):
        return expo.parse(e.get("results").body).value("encode_frames_total", scenario=name)

    def wait_frames(self, e, name, want):
        harness.wait_until(lambda: self.frames(e, name) == want, 20, f"{want} frames")

    def ffmpeg(self, url, seconds):
        encode = subprocess.Popen(
            ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-re", "-f", "lavfi",
             "-i", f"testsrc2=size=320x180:rate=30:duration={seconds}", "-c:v", "libx264",
             "-preset", "ultrafast", "-progress", url, "-f", "null", "-"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (encode.kill(), encode.wait()))
        return encode

    def curl(self, e, name, *args, **more):
        """Sends its standard input in chunks as it comes."""
        if not shutil.which("curl"):
            self.skipTest("there is no curl here")
        sender = subprocess.Popen(
            ["curl", "-sS", "--no-buffer", "--http1.1", "--cacert", e.certificate, "-X", "POST",
             "-T", "-", "-o", os.devnull, "-w", "%{http_code}", *args, e.url(name)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
        self.addCleanup(lambda: (sender.kill(), sender.wait(), sender.stdin.close(),
                                 sender.stdout.close()))
        return sender

    def test_ffmpeg_speaks_it(self):
        e = self.exporter()
        self.ffmpeg(e.url("short?duration=3"), 3)
        killed = self.ffmpeg(e.url("long"), 60)
        stopped = self.ffmpeg(e.url("stopped"), 60)
        for name in ("short", "long", "stopped"):
            self.wait_state(e, name, "running")
        killed.kill()
        stopped.send_signal(signal.SIGTERM)
        self.wait_state(e, "long", "aborted")
        self.wait_state(e, "stopped", "ended")
        self.wait_state(e, "short", "ended")
        self.assertEqual(self.frames(e, "short"), 90)

    def test_ffmpeg_shows_a_password(self):
        e = self.exporter("--ingest", "all", users=web.users(**{USER: HASH}))
        self.ffmpeg(e.url("right", f"{USER}:{PASSWORD}@"), 3)
        self.wait_state(e, "right", "ended")
        self.assertEqual(self.frames(e, "right"), 90)

    def test_curl_checks_the_certificate_and_sends_as_it_reads(self):
        e = self.exporter("--ingest", "all", users=web.users(**{USER: HASH}))
        sender = self.curl(e, "a", "--user", f"{USER}:{PASSWORD}")
        for n in range(1, 4):
            sender.stdin.write(block(n))
            sender.stdin.flush()
            self.wait_frames(e, "a", n)
        self.assertEqual(self.state(e, "a"), "running")
        text = block(4, True)
        for i in range(0, len(text), 7): # pieces that are no blocks
            sender.stdin.write(text[i:i + 7])
            sender.stdin.flush()
        sender.stdin.close()
        self.assertEqual(sender.wait(20), 0)
        self.assertEqual(sender.stdout.read(), b"200")
        self.wait_frames(e, "a", 4)
        self.wait_state(e, "a", "ended")
        wrong = self.curl(e, "b", "--user", f"{USER}:wrong")
        wrong.stdin.close()
        wrong.wait(20)
        self.assertIn(b"401", wrong.stdout.read())
        self.assertIsNone(self.state(e, "b"))

    def test_who_breaks_off_was_killed(self):
        e = self.exporter()
        for name, farewell in (("polite", True), ("rude", False)):
            client = e.connect("results")
            tls = e.context().wrap_socket(client, server_hostname="localhost")
            tls.sendall(f"POST /progress/{name} HTTP/1.1\r\nHost: localhost\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n".encode())
            text = block(1)
            for byte in b"%x\r\n%s\r\n" % (len(text), text): # a record for each byte
                tls.sendall(bytes([byte]))
            self.wait_frames(e, name, 1)
            if farewell: # "close notify", but no last chunk
                tls.settimeout(5)
                try:
                    tls.unwrap().close()
                except OSError: # it is closed without one
                    tls.close()
            else:
                tls.close()
            self.wait_state(e, name, "aborted")


if __name__ == "__main__":
    harness.main()
