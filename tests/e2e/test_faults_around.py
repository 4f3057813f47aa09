# ctest: timeout 240
"""The world around fails: clocks, limits, disks, writers; alone and with 1 000 clients."""

import contextlib
import errno
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
import unittest

import churn
import harness

sys.path.insert(0, os.path.join(harness.ROOT, "tests", "faults"))

import faults      # noqa: E402  (found by the line above)

WRITER = r"""
import os, sys, time
path, cut = sys.argv[1], int(sys.argv[2])
text = sys.stdin.buffer.read()
fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
for at in range(0, cut, 100):
    os.write(fd, text[at:min(at + 100, cut)])
print("half", flush=True)
time.sleep(60)
"""


class Crowd:
    """Clients that stay connected, each by HTTP/1.1."""

    def __init__(self, e, count):
        self.e = e
        self.clients = []
        for i in range(count):
            self.clients.append(e.connect(harness.ENDPOINTS[i % 3], timeout=20))

    def close(self):
        for c in self.clients:
            c.close()

    @staticmethod
    def answer(client):
        """One answer of a client whose request is out."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = client.recv(1 << 16)
            if not more:
                raise AssertionError(f"closed after {data[:80]!r}")
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        while len(body) < length:
            more = client.recv(1 << 16)
            if not more:
                raise AssertionError("closed in the middle of an answer")
            body += more
        return int(head[9:12]), body

    def all_scrape(self):
        """Every client asks, then every answer is read: all 200 and whole."""
        request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for c in self.clients:
            c.sendall(request)
        for c in self.clients:
            status, _ = self.answer(c)
            if status != 200:
                raise AssertionError(f"status {status}")


def raise_own_limit():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096:
        raise unittest.SkipTest(f"no more than {hard} descriptors for the test itself")
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Around(churn.Case):
    """One exporter with the preloaded library and `clients` clients; `self.control`
    makes its calls fail."""

    clients = 0
    flags = ("--runs", "all", "--poll-interval", "100ms", "--web.max-connections", "1200")

    def setUp(self):
        if not faults.library():
            self.skipTest("the preloaded library was not built")
        if self.clients:
            raise_own_limit()
        binary = harness.binary(True)
        self.control = faults.Control(binary)
        self.addCleanup(self.control.close)
        self.e = harness.Exporter(*self.flags, release=True,
                                  env=self.control.environment())
        self.e.__enter__()
        self.addCleanup(self.leave)
        self.crowd = Crowd(self.e, self.clients)
        self.addCleanup(self.crowd.close)
        self.e.rename_over(churn.name(1), churn.run(10))
        self.wait_durations(self.e, 10)
        self.crowd.all_scrape()
        self.open = len(self.at_rest())

    def leave(self):
        self.control.relent()
        self.e.__exit__(*((None, None, None) if self._outcome.success
                          else (AssertionError, None, None)))

    def descriptors(self):
        """{number: what it is} of the exporter's."""
        base, found = f"/proc/{self.e.process.pid}/fd", {}
        for fd in os.listdir(base):
            with contextlib.suppress(OSError):
                found[int(fd)] = os.readlink(os.path.join(base, fd))
        return found

    def at_rest(self):
        """The descriptors when no connection is left but those of the crowd."""
        def quiet():
            found = self.descriptors()
            sockets = sum("socket" in what for what in found.values())
            return found if sockets <= len(harness.ENDPOINTS) + self.clients else None
        return harness.wait_until(quiet, what="connections to close")

    def unharmed(self):
        """What is over leaves nothing: clients are served, nothing stays open."""
        self.crowd.all_scrape()
        self.assertEqual(self.e.process.poll(), None)
        harness.wait_until(lambda: len(self.descriptors()) <= self.open,
                           what="descriptors to close")

    # ---- clocks
    def test_steps_of_the_clock_change_no_figure(self):
        e = self.e
        for n, seconds in enumerate((3600, -3600, 86400, -86400, 0), 2):
            self.control.step_clock(seconds)
            e.rename_over(churn.name(n), churn.run(10 * n))
            want = [10 * i for i in range(1, n + 1)]
            self.wait_durations(e, *want)
            e.write(churn.name(1), churn.run(10, 11))
            self.wait_durations(e, 10, 11, *want[1:])
            e.write(churn.name(1), churn.run(10))
            self.wait_durations(e, *want)
            harness.wait_until(lambda: abs(self.counter(
                e, "encode_exporter_last_change_timestamp_seconds") - time.time() - seconds)
                < 60, what="the time of the last change")
        self.unharmed()

    def test_a_clock_set_back_delays_no_second_try(self):
        e = self.e
        plan = self.control.plan(function="pread", error=errno.EIO, count=1)
        e.rename_over(churn.name(2), churn.run(20))
        harness.wait_until(lambda: plan.done, what="the failed read")
        self.control.step_clock(-86400)
        self.wait_durations(e, 10, 20)
        self.said_once(e, "cannot be read.*Input/output error")
        self.wait_errors(e, "unreadable", 1)
        self.unharmed()

    def test_a_step_of_the_clock_ends_no_connection(self):
        with self.e.connect("qoe") as client:
            for seconds in (86400, -86400):
                self.control.step_clock(seconds)
                client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertEqual(Crowd.answer(client)[0], 200)
        self.unharmed()

    # ---- disks
    def test_a_directory_that_cannot_be_listed_for_a_while_stays_as_it_was(self):
        e = self.e
        plan = self.control.plan(function="readdir", error=errno.EIO)
        os.mkdir(e.directory + ".new")
        harness.write_atomically(os.path.join(e.directory + ".new", churn.name(1)),
                                 churn.run(11))
        os.rename(e.directory, e.directory + ".old")
        os.rename(e.directory + ".new", e.directory)
        e.wait_log("results directory cannot be read.*Input/output error")
        self.assertTrue(plan.done)
        self.assertEqual(self.durations(e), [10])
        self.control.relent()
        e.wait_log("results directory can be read again")
        e.rename_over(churn.name(2), churn.run(20))
        self.wait_durations(e, 11, 20)
        self.unharmed()

    def test_a_file_that_cannot_be_read_for_a_while_keeps_its_figures(self):
        e = self.e
        self.control.plan(function="pread", error=errno.EIO)
        e.write(churn.name(1), churn.run(11))
        self.said_once(e, "cannot be read.*Input/output error.*last good content")
        self.assertEqual(self.durations(e), [10])
        self.control.relent()
        self.wait_durations(e, 11)
        self.said_once(e, "results file can be read again")
        self.unharmed()

    # ---- limits
    def test_watches_that_run_out_make_it_poll(self):
        e = self.e
        self.control.plan(function="inotify_add_watch", error=errno.ENOSPC)
        os.rename(e.directory, e.directory + ".old")
        os.mkdir(e.directory)
        e.rename_over(churn.name(1), churn.run(30))
        self.wait_durations(e, 30)
        self.said_once(e, "inotify is not available, polling instead.*max_user_watches")
        e.write(churn.name(1), churn.run(31))
        self.wait_durations(e, 31)
        self.unharmed()

    def test_descriptors_that_run_out_come_back(self):
        e, pid = self.e, self.e.process.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        taken = self.at_rest()
        free = next(n for n in range(hard) if n not in taken)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, hard))
        e.rename_over(churn.name(2), churn.run(20))
        e.wait_log("cannot be read.*[Tt]oo many open files")
        for _ in range(20):    # nobody is served, and nobody waits for ever
            with e.connect("results") as client:
                client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                try:
                    self.assertEqual(client.recv(100), b"")
                except ConnectionResetError:
                    pass
        self.crowd.all_scrape()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        harness.wait_until(lambda: self.comes_in(e), what="a connection that is served")
        self.wait_durations(e, 10, 20)
        self.unharmed()

    @staticmethod
    def comes_in(e):
        """A connection of the moment before may still be one too many."""
        try:
            return e.get("results").status == 200
        except ConnectionError:
            return False

    def test_accepts_that_fail_cost_those_clients_alone(self):
        e = self.e
        for error in (errno.ECONNABORTED, errno.EMFILE, errno.ENFILE, errno.EPROTO,
                      errno.EINTR, errno.ENOMEM):
            plan = self.control.plan(function="accept", error=error, count=3)
            for _ in range(4):
                with e.connect("qoe") as client:
                    try:
                        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                        Crowd.answer(client)
                    except (AssertionError, ConnectionError):
                        pass
            self.assertEqual(plan.done, 3)
            self.control.relent()
            self.assertEqual(e.get("qoe", "/health").status, 200)
        self.unharmed()

    # ---- writers
    def killed_writer(self, path, text, cut):
        """A process that writes `cut` bytes of the text and is killed."""
        writer = subprocess.Popen([sys.executable, "-c", WRITER, path, str(cut)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        writer.stdin.write(text.encode())
        writer.stdin.close()
        self.assertEqual(writer.stdout.readline(), b"half\n")
        writer.stdout.close()
        return writer

    def test_a_writer_that_is_killed_half_way_leaves_the_figures_as_they_were(self):
        e = self.e
        e.rename_over(churn.name(2), churn.run(20))
        self.wait_durations(e, 10, 20)
        text = churn.run(*range(100, 160))
        rng = random.Random(7)
        for n, cut in enumerate([0, 1, len(text) - 1, *rng.sample(range(len(text)), 3)], 1):
            writer = self.killed_writer(e.path(churn.name(2)), text, cut)
            self.assertEqual(self.durations(e), [10, 20])
            writer.kill()
            self.assertEqual(writer.wait(), -signal.SIGKILL)
            self.wait_errors(e, "invalid_json", n)
            self.assertEqual(self.durations(e), [10, 20])
            self.assertEqual(self.up(e), "0")
        e.write(churn.name(2), text)
        self.wait_durations(e, 10, *range(100, 160))
        self.assertEqual(self.up(e), "1")
        self.unharmed()

    def test_a_writer_that_is_killed_before_its_rename_changes_nothing(self):
        e = self.e
        text = churn.run(*range(100, 160))
        writer = self.killed_writer(e.path("." + churn.name(1) + ".new"), text, 1000)
        writer.kill()
        writer.wait()
        e.rename_over(churn.name(3), churn.run(30))
        self.wait_durations(e, 10, 30)
        self.wait_errors(e, "invalid_json", 0)
        self.assertEqual(e.log_count("level=(warn|error)"), 0, e.log)
        self.unharmed()


class AroundAThousand(Around):
    clients = 1000

    def test_a_queue_that_overflows_loses_no_change(self):
        e = self.e
        with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as f:
            events = int(f.read())
        if events > 200_000:
            self.skipTest("the kernel's queue is too long to be filled here")
        os.kill(e.process.pid, signal.SIGSTOP)
        try:
            for n in range(events + 10):
                with open(e.path(f"other-{n % 2}.txt"), "wb"):
                    pass
            e.rename_over(churn.name(2), churn.run(20))
            e.write(churn.name(1), churn.run(11))
        finally:
            os.kill(e.process.pid, signal.SIGCONT)
        self.wait_durations(e, 11, 20)
        self.wait_counter(e, "encode_exporter_events_total", 1, kind="overflow")
        self.unharmed()


class Start(unittest.TestCase):
    """What a start needs may be refused: one line and exit status 1, or it serves."""

    def start(self, *wrapper, user=None):
        """(exit status or None while it runs, log)."""
        scratch = harness.temp_dir()
        self.addCleanup(harness.shutil.rmtree, scratch)
        program = os.path.join(scratch, "encode_exporter")
        harness.shutil.copy(harness.binary(True), program)
        os.mkdir(os.path.join(scratch, "results"))
        command = [program, "--results-dir", os.path.join(scratch, "results")]
        for endpoint in harness.ENDPOINTS:
            command.append(f"--{endpoint}.listen-address=127.0.0.1:0")
        become = [] if user is None else ["setpriv", f"--reuid={user}", f"--regid={user}",
                                          "--clear-groups"]
        process = subprocess.Popen([*become, *wrapper, *command], stdin=subprocess.DEVNULL,
                                   env=harness.environment(), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        log = b""
        try:
            while b"msg=ready" not in log:
                line = process.stderr.readline()
                if not line:
                    return process.wait(20), log.decode()
                log += line
            return None, log.decode()
        finally:
            process.kill()
            process.wait()
            process.stderr.close()

    def judge(self, status, log):
        if status is not None:
            self.assertEqual(status, 1, log)
            self.assertEqual(len(re.findall("level=error", log)), 1, log)

    def test_with_any_number_of_descriptors(self):
        refused = 0
        for n in range(5, 40):
            with self.subTest(descriptors=n):
                status, log = self.start("prlimit", f"--nofile={n}:{n}")
                self.judge(status, log)
                refused += status is not None
        self.assertGreater(refused, 3)
        self.assertLess(refused, 30)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become somebody else")
    def test_with_any_number_of_threads(self):
        told = 0
        for n in range(1, 9):
            with self.subTest(tasks=n):
                status, log = self.start("prlimit", f"--nproc={n}:{n}", user=54398)
                self.judge(status, log)
                told += "fewer threads than wanted" in log or "no thread" in log
        self.assertGreater(told, 2)


if __name__ == "__main__":
    harness.main()
