"""The units in deploy/systemd say what is true: systemd takes them, finds them hardened,
and the exporter lives with what they leave."""

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import unittest
import unittest.mock

import everything
import harness
import stage
import web
from receiver import Receiver

UNITS = os.path.join(harness.ROOT, "deploy", "systemd")
SERVICE = os.path.join(UNITS, "encode_exporter.service")
# Exposure of 10; what is left is the network, which the service is there for.
EXPOSURE, EXPOSURE_WITHOUT_NETWORK = 1.1, 0.4
WITHOUT_NETWORK = ("PrivateNetwork=yes\nRestrictAddressFamilies=\n"
                   "RestrictAddressFamilies=AF_UNIX\n")


def settings(name):
    """All values of a key of the service, in order."""
    with open(SERVICE, encoding="utf-8") as f:
        return re.findall(rf"^{name}=(.*)$", f.read(), re.M)


def systemd_analyze(*words):
    return subprocess.run(["systemd-analyze", "--no-pager", *words], timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)


class Case(unittest.TestCase):
    def setUp(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("no systemd-analyze (package systemd)")

    def temp_dir(self):
        path = harness.temp_dir()
        self.addCleanup(shutil.rmtree, path)
        return path

    def units(self, more=""):
        """Copies whose program is the one under test; more: lines for [Service]."""
        directory = self.temp_dir()
        for name in os.listdir(UNITS):
            with open(os.path.join(UNITS, name), encoding="utf-8") as f:
                text = f.read()
            text = text.replace("ExecStart=encode_exporter ",
                                f"ExecStart={harness.binary()} ")
            text = text.replace("[Service]\n", "[Service]\n" + more)
            with open(os.path.join(directory, name), "w", encoding="utf-8") as f:
                f.write(text)
        return [os.path.join(directory, name) for name in sorted(os.listdir(directory))]


class Units(Case):
    def test_systemd_finds_nothing_wrong(self):
        units = self.units()
        self.assertEqual(len(units), 2)
        done = systemd_analyze("verify", "--man=no", *units)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_a_wrong_line_would_be_found(self):
        for line, word in (("NoSuchSetting=1\n", "NoSuchSetting"),
                           ("SystemCallFilter=no_such_call\n", "no_such_call"),
                           ("ExecStartPre=/no/such/program\n", "/no/such/program")):
            done = systemd_analyze("verify", "--man=no", *self.units(line))
            self.assertIn(word, done.stdout)

    def exposure(self, more=""):
        service = [u for u in self.units() if u.endswith(".service")][0]
        with open(service, "a", encoding="utf-8") as f:    # [Install] takes no harm
            f.write("\n[Service]\n" + more)
        done = systemd_analyze("security", "--offline=true", service)
        found = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", done.stdout)
        if not found:
            self.skipTest(f"no offline review here: {done.stdout}")
        print(f"exposure {found[1]}", flush=True)
        return float(found[1])

    def test_the_exposure_is_small(self):
        self.assertLessEqual(self.exposure(), EXPOSURE)
        self.assertLessEqual(self.exposure(WITHOUT_NETWORK), EXPOSURE_WITHOUT_NETWORK)

    def test_the_socket_unit_has_the_ports_in_order(self):
        with open(os.path.join(UNITS, "encode_exporter.socket"), encoding="utf-8") as f:
            self.assertEqual(re.findall(r"^ListenStream=(\d+)$", f.read(), re.M),
                             ["9502", "9503", "9504"])


class Manager(unittest.TestCase):
    def test_that_it_cannot_be_told_is_told_in_the_log(self):
        with harness.Exporter(env={"NOTIFY_SOCKET": "/no/such/socket"}) as e:
            e.wait_log("level=warn msg=.service manager cannot be told. state=.READY=1. "
                       "socket=/no/such/socket reason=.No such file or directory")


def groups():
    """What systemd's names of groups of system calls stand for."""
    found, members = {}, None
    for line in systemd_analyze("syscall-filter").stdout.splitlines():
        if re.fullmatch(r"@[\w-]+", line):
            members = found.setdefault(line, [])
        elif re.fullmatch(r" +@?[\w-]+", line) and members is not None:
            members.append(line.strip())
    return found


def expand(word, known):
    if not word.startswith("@"):
        return {word}
    return set().union(*(expand(member, known) for member in known[word]))


def allowed():
    """The system calls that the service may make, by the rules of systemd.exec(5)."""
    known = groups()
    calls = set()
    for value in settings("SystemCallFilter"):
        words = set().union(*(expand(word, known) for word in value.lstrip("~").split()))
        if value.startswith("~"):
            calls -= words
        else:
            calls |= words | expand("@default", known)
    return calls


class SystemCalls(Case):
    def setUp(self):
        super().setUp()
        self.allowed = allowed()
        self.assertIn("read", self.allowed)
        # The build may lie where others must not look. Sanitizers need calls of their own.
        program = os.path.join(self.temp_dir(), "encode_exporter")
        built = harness.binary(release=True)
        self.built = os.path.dirname(built)
        shutil.copy(built, program)
        for library in ("transport_tls.so", "web_toolbox.so", "upstream.so", "page.so"):
            shutil.copy(os.path.join(os.path.dirname(built), library),
                        os.path.dirname(program))
        patch = unittest.mock.patch.dict(os.environ, ENCODE_EXPORTER=program,
                                         ENCODE_EXPORTER_RELEASE=program)
        patch.start()
        self.addCleanup(patch.stop)
        self.pricing = os.path.join(self.temp_dir(), "pricing.json")
        harness.write_atomically(self.pricing, everything.prices(0.4))

    def lives(self, wrapper):
        """A life as the service has it, with sockets that were given and a manager that is
        told."""
        with contextlib.ExitStack() as stack:
            manager = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM,
                                                        family=socket.AF_UNIX))
            path = os.path.join(self.temp_dir(), "notify")
            manager.bind(path)
            os.chmod(path, 0o666)
            manager.settimeout(15)
            given = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            activate = [sys.executable, "-B", os.path.join(harness.HERE, "activate.py"),
                        "--names=cost", str(given.fileno()), "--"]
            with harness.Exporter(*everything.FLAGS, "--pricing-config", self.pricing,
                                  wrapper=activate + wrapper, pass_fds=[given.fileno()],
                                  env={"NOTIFY_SOCKET": path}) as e:
                self.assertEqual(manager.recv(100), b"READY=1")
                self.assertEqual(e.ports["cost"], given.getsockname()[1])
                everything.live(e, self.pricing)
                self.assertIn(b"RELOADING=1", manager.recv(100))
            harness.wait_until(lambda: manager.recv(100) == b"STOPPING=1")

    def lives_behind_tls(self, wrapper):
        """The libraries for TLS and passwords are loaded and used, and a new certificate."""
        directory = self.temp_dir()
        web.make_certificate(directory, "server")
        os.chmod(os.path.join(directory, "server.key"), 0o644)    # its user is nobody
        config = os.path.join(directory, "web.yml")
        with open(config, "w", encoding="utf-8") as f:
            f.write("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
                    + web.fast_users())
        context = ssl.create_default_context(cafile=os.path.join(directory, "server.crt"))
        with harness.Exporter("--web.config.file", config, wrapper=wrapper, ready=False,
                              listen=("results",), release=True) as e:
            def status(headers):
                client = http.client.HTTPSConnection(*e.address("results"), timeout=15,
                                                     context=context)
                try:
                    client.request("GET", "/metrics", headers=headers)
                    return client.getresponse().status
                finally:
                    client.close()
            harness.wait_until(lambda: status(web.basic("alice", "sesame")) == 200)
            self.assertEqual(status({}), 401)
            self.assertEqual(status(web.basic("alice", "wrong")), 401)
            seen = len(e.lines)
            e.process.send_signal(signal.SIGHUP)
            e.wait_log("settings reloaded", after=seen)
            self.assertEqual(status(web.basic("alice", "sesame")), 200)

    def lives_asking(self, wrapper):
        """The library for requests is loaded, names are resolved, TLS is refused."""
        token = os.path.join(self.temp_dir(), "token")
        harness.write_atomically(token, b"token")
        os.chmod(token, 0o644)    # its user is nobody
        with Receiver() as r, harness.Exporter(
                "--push.url", r.url.replace("127.0.0.1", "localhost"),
                "--electricity-maps-zone", "DE", "--electricity-maps-token-file", token,
                "--electricity-maps-url", r.url.replace("http:", "https:"),
                wrapper=wrapper, release=True) as e:
            self.assertIn("SSL", e.wait_log("a request failed"))
            e.stop()
            self.assertEqual(e.log_count("the last values are pushed"), 1)
            self.assertEqual(len(r.asked), 1)

    def test_every_call_of_a_whole_life_is_allowed(self):
        if subprocess.run(["strace", "-D", "-o", "/dev/null", "true"], timeout=60,
                          stderr=subprocess.DEVNULL, check=False).returncode:
            self.skipTest("no process may be traced here")
        trace = os.path.join(self.temp_dir(), "trace")
        self.lives(["strace", "-D", "-f", "-q", "-o", trace])

        def whole():
            with open(trace, encoding="utf-8", errors="replace") as f:
                text = f.read()
            return text if text.endswith(" +++\n") else None
        text = harness.wait_until(whole)
        calls = set(re.findall(r"^\d+ +(\w+)\(", text, re.M))
        print(f"{len(calls)} calls made: {' '.join(sorted(calls))}", flush=True)
        self.assertGreater(len(calls), 30)
        self.assertEqual(calls - self.allowed, set())
        families = set(re.findall(r"^\d+ +socket\((\w+),", text, re.M))
        self.assertIn("AF_INET", families)
        self.assertLessEqual(families, set(settings("RestrictAddressFamilies")[0].split()))

    def test_what_a_hardened_process_must_not_do_is_not_allowed(self):
        for call in ("ptrace", "mount", "bpf", "setuid", "chown", "init_module", "reboot",
                     "keyctl", "unshare", "clock_settime", "swapon", "shmget"):
            with self.subTest(call):
                if call == "unshare":    # RestrictNamespaces= forbids it by its arguments
                    self.assertEqual(settings("RestrictNamespaces"), ["yes"])
                else:
                    self.assertNotIn(call, self.allowed)

    def test_a_whole_life_with_all_that_the_service_takes_away(self):
        words = [sys.executable, "-B", os.path.join(harness.HERE, "sandbox.py"),
                 "--read-only", "--proc-subset", "--user", str(harness.NOBODY),
                 "--no-write-execute", f"--syscalls={','.join(sorted(self.allowed))}",
                 "--"]
        done = subprocess.run([*words, "true"], stderr=subprocess.PIPE, text=True,
                              timeout=60, check=False)
        if done.returncode == 77:
            self.skipTest(done.stderr.strip())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.lives(words)
        self.lives_behind_tls(words)
        self.lives_asking(words)

    def test_quality_is_measured_with_what_is_left(self):
        """--qoe.compute: ffmpeg lives by the same rules, but for its priority."""
        words = [sys.executable, "-B", os.path.join(harness.HERE, "sandbox.py"),
                 "--read-only", "--proc-subset", "--user", str(harness.NOBODY),
                 "--no-write-execute", "--refuse"]
        done = subprocess.run([*words, "--", "true"], stderr=subprocess.PIPE, text=True,
                              timeout=60, check=False)
        if done.returncode == 77:
            self.skipTest(done.stderr.strip())
        for library in ("live.so", "compute.so"):
            shutil.copy(os.path.join(self.built, library),
                        os.path.dirname(harness.binary(release=True)))
        directory = self.temp_dir()
        stage.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=30:d=2", "-c:v", "libx264",
                     os.path.join(directory, "ref.mp4"))
        stage.ffmpeg("-i", os.path.join(directory, "ref.mp4"), "-c:v", "libx264", "-b:v",
                     "40k", os.path.join(directory, "out.mp4"))
        harness.write_atomically(os.path.join(directory, stage.RUN),
                                 stage.results(stage.scenario()))
        for calls, niced in ((self.allowed, False), (self.allowed | {"setpriority"}, True)):
            with self.subTest(niced=niced), harness.Exporter(
                    "--qoe.compute", directory=directory, release=True,
                    wrapper=[*words, f"--syscalls={','.join(sorted(calls))}", "--"]) as e:
                e.wait_metrics("qoe", lambda x: "qoe_psnr_score" in x, 60)
                self.assertEqual(e.log_count("priority of this process"), 0 if niced else 1)

    def test_a_call_that_is_missing_would_be_seen(self):
        few = self.allowed - {"inotify_init1"}
        words = [sys.executable, "-B", os.path.join(harness.HERE, "seccomp.py"), "allow",
                 *sorted(few), "--"]
        done = subprocess.run([*words, "true"], timeout=60, check=False)
        if done.returncode == 77:
            self.skipTest("no seccomp here")
        self.assertEqual(done.returncode, 0)
        with self.assertRaisesRegex(AssertionError, "ended with -31"):    # SIGSYS
            self.lives(words)


if __name__ == "__main__":
    harness.main()
