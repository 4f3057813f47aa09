"""Runs the real binary for a test and ends it again.

Every directory is a fresh one below the system's temporary directory, every port is
chosen by the kernel, and nothing waits for a time: only for a condition.
"""

import glob
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import expo

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DATA = os.path.join(ROOT, "tests", "data")
GOLDEN = os.path.join(ROOT, "tests", "golden")
EXAMPLES = os.path.join(ROOT, "deploy", "examples")
ENDPOINTS = ("results", "qoe", "cost")
NOBODY = 65534
SANITIZER = re.compile(r"(Address|Leak|Thread|UndefinedBehavior|Memory)Sanitizer|"
                       r"runtime error:|Assertion .* failed|\*\*\* .* \*\*\*:")


# GCC 12's search for leaks crashes now and then at an exit, in the storage of threads: that
# says nothing of the program, nor whether it leaks.
SEARCH_CRASHED = re.compile(r"^(Tracer caught signal|==\d+==LeakSanitizer has encountered a "
                            r"fatal error|==\d+==HINT: ).*$\n?", re.M)
EXIT_OF_SANITIZERS = 99


def binary(release=False):
    """Path of the binary under test; skips where there is none."""
    path = os.environ.get("ENCODE_EXPORTER_RELEASE" if release else "ENCODE_EXPORTER")
    if not path:
        path = os.path.join(ROOT, "build", "release" if release else "dev",
                            "encode_exporter")
    if not os.access(path, os.X_OK):
        raise unittest.SkipTest(f"no binary at {path}")
    return path


def environment(extra=None):
    """What the binary sees: nothing of the tester's own, but for the sanitizers'."""
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
        # 1 is a status of ours: a sanitizer's report must not pass for it.
        env[name] = ":".join(filter(None, [os.environ.get(name),
                                           f"exitcode={EXIT_OF_SANITIZERS}"]))
    env.update(extra or {})
    return env


def run(*flags, env=None, release=False, timeout=60, cwd=None, stdin=None):
    """One run to its end: CompletedProcess with text in stdout and stderr."""
    done = subprocess.run([binary(release), *flags], env=environment(env), cwd=cwd,
                          stdin=subprocess.DEVNULL if stdin is None else stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=timeout, check=False)
    done.stdout_bytes = done.stdout
    done.stdout = done.stdout.decode("utf-8", "replace")
    done.stderr = done.stderr.decode("utf-8", "replace")
    if SANITIZER.search(done.stderr):
        raise AssertionError("sanitizer report:\n" + done.stderr)
    return done


def wait_until(condition, timeout=15, what="condition"):
    """Polls until condition() is true (and returns that) or time is up."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout} s")
        time.sleep(0.005)


def temp_dir():
    """A new directory that others may read, too; the caller removes it."""
    path = tempfile.mkdtemp(prefix="encode_exporter-test-")
    os.chmod(path, 0o755)
    return path


def write_atomically(path, content):
    """Temporary file and rename, as careful writers do."""
    if isinstance(content, str):
        content = content.encode()
    temporary = os.path.join(os.path.dirname(path), "." + os.path.basename(path) + ".new")
    with open(temporary, "wb") as f:
        f.write(content)
    os.rename(temporary, path)


def data_files(*parts):
    """Paths of a set below tests/data, sorted."""
    found = sorted(glob.glob(os.path.join(DATA, *parts, "test_results_*.json")))
    if not found:
        raise AssertionError(f"no results files in tests/data/{'/'.join(parts)}")
    return found


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers    # http.client.HTTPMessage: case does not matter
        self.body = body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")


class Exporter:
    """with Exporter("--runs", "all", files=[…]) as e: e.metrics("cost") …

    files: paths that are copied into the results directory before the start.
    directory: use this one instead of a new one (it is not removed).
    listen: endpoints on free ports of loopback, the others are off; None: no flags, the
    caller says by others or by variables where all three listen.
    user: run as this uid and gid, without groups.
    Without a flag --power… nothing of the tester's own machine is measured; without one
    about predictions, which come when they are ready, there are none.
    """

    def __init__(self, *flags, files=(), directory=None, env=None, release=False,
                 user=None, ready=True, listen=ENDPOINTS, wrapper=(), pass_fds=()):
        self.flags = list(flags)
        self.files = files
        self.env = env
        self.release = release
        self.user = user
        self.wait_for_ready = ready
        self.listen = listen
        self.wrapper = list(wrapper)
        self.pass_fds = pass_fds
        self.scratch = temp_dir()
        self.directory = directory or os.path.join(self.scratch, "results")
        self.ports = {}
        self.process = None
        self.lines = []
        self.news = threading.Condition()
        self.reader = None

    # ---- life ---------------------------------------------------------------------
    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.kill()
            self.clean()
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.stop()
            else:
                self.kill()
                if not issubclass(kind, unittest.SkipTest):
                    sys.stderr.write("---- stderr of the exporter\n" + self.log + "----\n")
        finally:
            self.kill()
            self.clean()

    def start(self):
        if not os.path.lexists(self.directory) and os.path.dirname(
                self.directory) == self.scratch:
            os.mkdir(self.directory)
        for path in self.files:
            shutil.copy(path, self.directory)
        program = binary(self.release)
        command = self.wrapper[:]
        if self.user is not None:
            # The build may lie where that user must not look.
            copy = os.path.join(self.scratch, "encode_exporter")
            for path in (program, *glob.glob(os.path.join(os.path.dirname(program), "*.so"))):
                shutil.copy(path, self.scratch)
            program = copy
            command += ["setpriv", f"--reuid={self.user}", f"--regid={self.user}",
                        "--clear-groups"]
        command += [program, "--results-dir", self.directory]
        for endpoint in ENDPOINTS if self.listen is not None else ():
            address = "127.0.0.1:0" if endpoint in self.listen else ""
            command.append(f"--{endpoint}.listen-address={address}")
        if not any(flag.startswith("--power") for flag in self.flags):
            command.append("--power=off")
        if not any(flag.startswith(("--predict", "--ml.")) for flag in self.flags):
            command.append("--predict=off")
        command += self.flags
        self.process = subprocess.Popen(
            command, env=environment(self.env), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=self.pass_fds,
            start_new_session=True)
        self.reader = threading.Thread(target=self.read_log, daemon=True)
        self.reader.start()
        wait_until(self.all_listening, what="listening on all endpoints")
        if self.wait_for_ready:
            endpoint = next(iter(self.ports))
            wait_until(lambda: self.get(endpoint, "/ready").status == 200,
                       timeout=30, what="ready")

    def all_listening(self):
        if self.process.poll() is not None:
            self.reader.join(5)
            raise AssertionError(f"ended with {self.process.returncode}:\n{self.log}")
        for line in list(self.lines):
            found = re.search(r"\bmsg=listening endpoint=(\w+) address=\S*:(\d+)", line)
            if found:
                self.ports[found[1]] = int(found[2])
        wanted = ENDPOINTS if self.listen is None else self.listen
        return all(e in self.ports for e in wanted)

    def stop(self, signum=signal.SIGTERM, timeout=20):
        """An orderly end, checked: exit status 0, nothing from a sanitizer."""
        if self.process.poll() is None:
            self.process.send_signal(signum)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running {timeout} s after signal {signum}:\n"
                                 + self.log) from None
        self.reader.join(5)
        log = self.log
        if "Tracer caught signal" in log and code == EXIT_OF_SANITIZERS:
            log, code = SEARCH_CRASHED.sub("", log), 0
        if SANITIZER.search(log):
            raise AssertionError("sanitizer report:\n" + self.log)
        if code != 0:
            raise AssertionError(f"exit status {code}:\n{self.log}")

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.reader:
            self.reader.join(5)
        if self.process and self.process.stderr:
            self.process.stderr.close()

    def clean(self):
        shutil.rmtree(self.scratch, ignore_errors=True)

    # ---- log ----------------------------------------------------------------------
    def read_log(self):
        for line in iter(self.process.stderr.readline, b""):
            with self.news:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self.news.notify_all()

    @property
    def log(self):
        return "".join(line + "\n" for line in list(self.lines))

    def log_count(self, pattern):
        return sum(1 for line in list(self.lines) if re.search(pattern, line))

    def wait_log(self, pattern, timeout=15, after=0):
        """The first line from index `after` on that matches."""
        deadline = time.monotonic() + timeout
        with self.news:
            while True:
                for line in self.lines[after:]:
                    if re.search(pattern, line):
                        return line
                left = deadline - time.monotonic()
                if left <= 0 or not self.news.wait(left):
                    raise AssertionError(f"no log line like {pattern!r} in:\n"
                                         + "\n".join(self.lines[after:]))

    # ---- requests -----------------------------------------------------------------
    def address(self, endpoint):
        return ("127.0.0.1", self.ports[endpoint])

    def connect(self, endpoint, timeout=15):
        return socket.create_connection(self.address(endpoint), timeout)

    def get(self, endpoint, path="/metrics", headers=None, method="GET", body=None,
            timeout=30):
        client = http.client.HTTPConnection(*self.address(endpoint), timeout=timeout)
        try:
            client.request(method, path, body=body, headers=headers or {})
            answer = client.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            client.close()

    def metrics(self, endpoint, path="/metrics"):
        """The exposition of an endpoint, strictly parsed."""
        reply = self.get(endpoint, path)
        if reply.status != 200:
            raise AssertionError(f"{endpoint}{path}: {reply.status} {reply.text}")
        if reply.headers["Content-Type"] != "text/plain; version=0.0.4; charset=utf-8":
            raise AssertionError(f"Content-Type {reply.headers['Content-Type']!r}")
        return expo.parse(reply.body)

    def wait_metrics(self, endpoint, condition, timeout=15, what="metrics"):
        """Scrapes until condition(exposition) is true; the exposition."""
        def probe():
            exposition = self.metrics(endpoint)
            return exposition if condition(exposition) else None
        return wait_until(probe, timeout, what)

    # ---- files --------------------------------------------------------------------
    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, content):
        """Rewrites a file in place: truncate, write, close."""
        if isinstance(content, str):
            content = content.encode()
        with open(self.path(name), "wb") as f:
            f.write(content)

    def rename_over(self, name, content):
        write_atomically(self.path(name), content)

    # ---- process ------------------------------------------------------------------
    def proc(self, name):
        with open(f"/proc/{self.process.pid}/{name}", encoding="utf-8") as f:
            return f.read()

    def rss_bytes(self):
        return int(re.search(r"^VmRSS:\s+(\d+) kB", self.proc("status"), re.M)[1]) * 1024


def main():
    """Runs the tests of the calling module; 77 if all of them were skipped."""
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    # A class that is skipped as a whole has run no test.
    skipped = [test for test, _ in result.skipped if isinstance(test, unittest.TestCase)]
    if result.skipped and len(skipped) == result.testsRun:
        for test, reason in result.skipped:
            print(f"skipped {test}: {reason}")
        sys.exit(77)
    sys.exit(0 if result.testsRun else 1)
