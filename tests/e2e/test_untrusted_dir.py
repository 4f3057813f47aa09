# ctest: timeout 240
"""Somebody who may write to the results directory, and nothing else, tries to make the
exporter read, tell or do what it must not."""

import ctypes
import fcntl
import json
import os
import re
import signal
import socket
import sys
import threading
import unittest

import churn
import harness
import seccomp

SECRET = "a-secret-of-somebody-else"
SWAPS = 1500
RENAME_EXCHANGE = 2
AT_FDCWD = -100
libc = ctypes.CDLL(None, use_errno=True)
REFUSED = "results file cannot be read"


def exchange(a, b):
    """Two names swap what they are, at one stroke."""
    if libc.renameat2(AT_FDCWD, os.fsencode(a), AT_FDCWD, os.fsencode(b),
                      RENAME_EXCHANGE) < 0:
        raise OSError(ctypes.get_errno(), "renameat2", a)


class Untrusted:
    """Everything here holds in all ways in which a file may be opened."""

    flags = ()
    wrapper = ()

    def setUp(self):
        self.home = harness.temp_dir()
        self.addCleanup(harness.shutil.rmtree, self.home)
        self.results = os.path.join(self.home, "results")
        self.outside = os.path.join(self.home, "outside")
        os.mkdir(self.results)
        os.mkdir(self.outside)
        # One that would be served if it were read, and one whose bytes might be quoted.
        for name, text in (("run.json", churn.run(666, encoder=SECRET)),
                           ("text", SECRET + "\n")):
            with open(os.path.join(self.outside, name), "w", encoding="ascii") as f:
                f.write(text)
        self.secret = os.path.join(self.outside, "run.json")

    def started(self, *more, **kw):
        return self.exporter("--runs", "all", *self.flags, *more, directory=self.results,
                             wrapper=self.wrapper, **kw)

    def says_nothing(self, e):
        """Neither metrics of any kind nor the page nor the log hold the secret."""
        for path in ("/metrics/all", "/"):
            self.assertFalse(SECRET in e.get("results", path).text, f"told by {path}")
        self.assertFalse(SECRET in e.log, "told by the log")

    def swapped(self, e, swap, good):
        """Swaps while scraping; afterwards the good content can be read."""
        failed, over = [], threading.Event()

        def attack():
            try:
                for _ in range(SWAPS):
                    if over.is_set():
                        break
                    swap()
            except OSError as error:
                failed.append(error)
        thread = threading.Thread(target=attack)
        thread.start()
        scrapes = 0
        try:
            while thread.is_alive() or scrapes < 10:
                self.says_nothing(e)
                scrapes += 1
        finally:
            over.set()
            thread.join()
        self.assertEqual(failed, [])
        good()
        self.says_nothing(e)
        self.assertIn("encode_exporter_file_errors_total", e.get("results").text)

    def test_a_file_that_is_swapped_for_a_link_out(self):
        with self.started() as e:
            e.rename_over(churn.name(1), churn.run(10))
            for n, target in ((2, self.secret), (3, os.path.join(self.outside, "text"))):
                os.symlink(target, e.path(churn.name(n)))
            self.wait_durations(e, 10)

            def swap():
                exchange(e.path(churn.name(1)), e.path(churn.name(2)))
                exchange(e.path(churn.name(1)), e.path(churn.name(3)))

            def good():
                for n in (1, 2, 3):
                    os.unlink(e.path(churn.name(n)))
                e.rename_over(churn.name(1), churn.run(11))
                self.wait_durations(e, 11)
            self.swapped(e, swap, good)

    def test_a_directory_on_the_way_that_is_swapped_for_a_link_out(self):
        with self.started() as e:
            for folder in ("..1", "..2"):
                os.mkdir(e.path(folder))
                e.write(os.path.join(folder, "run.json"), churn.run(10))
            os.symlink("..1", e.path("..data"))
            os.symlink(self.outside, e.path("..out"))
            os.symlink("..data/run.json", e.path(churn.name(1)))
            os.symlink("..1/../..2/run.json", e.path(churn.name(2)))
            self.wait_durations(e, 10, 10)

            def swap():
                exchange(e.path("..data"), e.path("..out"))
                exchange(e.path("..2"), e.path("..out"))
                e.rename_over(churn.name(3), churn.run(10))

            def good():
                for name in ("..data", "..out"):
                    os.unlink(e.path(name)) if os.path.islink(e.path(name)) else None
                for folder in ("..1", "..2"):
                    if os.path.islink(e.path(folder)):
                        os.unlink(e.path(folder))
                    os.makedirs(e.path(folder), exist_ok=True)
                    e.rename_over(os.path.join(folder, "run.json"), churn.run(12))
                os.symlink("..1", e.path("..new"))
                os.rename(e.path("..new"), e.path("..data"))
                self.wait_durations(e, 12, 12, 10)
            self.swapped(e, swap, good)

    def test_a_projected_volume_is_swapped_as_one(self):
        with self.started() as e:
            for version in (1, 2, 3):
                folder = f"..2026_{version}"
                os.mkdir(e.path(folder))
                e.write(os.path.join(folder, "run.json"), churn.run(version))
                os.symlink(folder, e.path("..data_tmp"))
                os.rename(e.path("..data_tmp"), e.path("..data"))
                if version == 1:
                    os.symlink("..data/run.json", e.path(churn.name(1)))
                self.wait_durations(e, version)
            self.assertEqual(e.log_count("level=(warn|error)"), 0, e.log)

    def test_a_link_out_is_told_once_counted_once_and_seen(self):
        with self.started() as e:
            e.rename_over(churn.name(1), churn.run(10))
            self.wait_durations(e, 10)
            os.symlink(self.secret, e.path(churn.name(99)))
            self.said_once(e, f'msg="{REFUSED}" file={churn.name(99)} reason="the link '
                           f'leads out of the directory, to {self.secret}" '
                           "served=nothing")
            self.wait_errors(e, "unreadable", 1)
            self.wait_counter(e, "encode_exporter_files", 1, state="failed")
            self.assertEqual(self.up(e), "0")
            self.assertIn("the link leads out of the directory",
                          e.get("results", "/").text)
            self.assertEqual(self.durations(e), [10])
            e.write(churn.name(1), churn.run(11))
            self.wait_durations(e, 11)
            self.said_once(e, REFUSED)
            self.wait_errors(e, "unreadable", 1)
            os.unlink(e.path(churn.name(99)))
            self.wait_up(e, "1")
            self.wait_counter(e, "encode_exporter_files", 0, state="failed")

    def test_what_is_no_file_is_there_from_the_start(self):
        os.mkfifo(os.path.join(self.results, churn.name(1)))
        os.mkdir(os.path.join(self.results, churn.name(2)))
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(os.path.join(self.results, churn.name(3)))
        os.symlink(churn.name(1), os.path.join(self.results, churn.name(4)))
        harness.write_atomically(os.path.join(self.results, churn.name(5)), churn.run(10))
        with self.started() as e:
            self.wait_durations(e, 10)
            for n, kind in ((1, "FIFO"), (2, "directory"), (3, "socket"), (4, "FIFO")):
                self.said_once(e, f"file={churn.name(n)} reason=.not a regular file: it "
                               f"is a {kind}")
            self.said(e, REFUSED, 4)
            self.wait_errors(e, "unreadable", 4)
            self.wait_counter(e, "encode_exporter_files", 4, state="ignored")
            # A reader would let this open succeed.
            with self.assertRaises(OSError):
                os.open(e.path(churn.name(1)), os.O_WRONLY | os.O_NONBLOCK)

    def test_a_lease_holds_up_nobody(self):
        held = os.path.join(self.results, churn.name(2))
        for n, duration in ((1, 10), (2, 20)):
            harness.write_atomically(os.path.join(self.results, churn.name(n)),
                                     churn.run(duration))
        old = signal.signal(signal.SIGIO, signal.SIG_IGN)    # somebody wants to open it
        self.addCleanup(signal.signal, signal.SIGIO, old)
        lease = os.open(held, os.O_RDWR)
        try:
            try:
                fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            except OSError as error:
                self.skipTest(f"no leases here: {error}")
            with self.started() as e:
                self.wait_durations(e, 10)
                self.said_once(e, f"file={churn.name(2)} reason=.*holds a lease")
                fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_UNLCK)
                self.wait_durations(e, 10, 20)
        finally:
            os.close(lease)

    def test_the_directory_itself_may_be_a_link(self):
        link = os.path.join(self.home, "link")
        os.symlink("results", link)
        pricing = os.path.join(self.home, "pricing.json")
        with open(os.path.join(self.outside, "pricing.json"), "w", encoding="ascii") as f:
            json.dump({"electricity_prices": {"default": 0.5}}, f)
        os.symlink("outside/pricing.json", pricing)
        self.results = link
        with self.started("--pricing-config", pricing) as e:
            e.rename_over(churn.name(1), churn.run(10, energy_joules=3.6e6))
            self.wait_durations(e, 10)
            os.symlink("../outside/run.json", e.path(churn.name(2)))
            self.said_once(e, f"file={churn.name(2)} .*leads out")
            cost = e.metrics("cost").samples("cost_energy_load_aware")
            self.assertEqual([s.value for s in cost], [0.5])
            self.says_nothing(e)


class Names(churn.Case):
    """What names and links say is shown, and never understood."""

    mode = ("--watch", "inotify", "--runs", "all")

    def test_names_that_would_mean_something_elsewhere(self):
        names = ["test_results_%n%s%x%1$n.json", "test_results_$(touch pwned).json",
                 "test_results_`touch pwned`.json", "test_results_;touch pwned;.json",
                 "test_results_..\\..\\x.json", "test_results_%2e%2e%2fx.json",
                 "test_results_*?[a]{b,c}.json", "test_results_<script>x<script>.json",
                 "test_results_-rf .json", "test_results_\u202e\u2066nosj.json",
                 "test_results_unix:@.json", "test_results_\x1b]0;owned\x07.json",
                 "test_results_\u009b2J.json"]
        with self.exporter() as e:
            for n, name in enumerate(names):
                e.write(name, churn.run(10 + n))
            harness.wait_until(lambda: len(self.durations(e)) == len(names),
                               what="all served")
            served = e.metrics("results").samples("results_scenario_duration_seconds")
            self.assertEqual(sorted(s.labels["run_id"] for s in served),
                             sorted(name[:-len(".json")] for name in names))
            for name in names:
                e.write(name, "{")
            self.said(e, REFUSED, len(names))
            self.assertEqual(sorted(os.listdir(e.directory)), sorted(names))
            # Nothing for a terminal, and nothing that turns the text behind it.
            self.assertNotRegex(e.log, "[\x1b\x9b\u202a-\u202e\u2066-\u2069]")
            self.assertNotIn("<script>", e.get("results", "/").text)
            for line in list(e.lines):
                self.assertRegex(line, r"^ts=\S+ level=\w+ msg=")

    def test_links_that_say_anything(self):
        targets = [b"/\xff\xfe\x80", b"/<script>alert(1)</script>", b"/a\nlevel=error b",
                   b"/\x1b[2J\xc2\x9b2J", b'/"quoted" \\', b"/" + b"x" * 254 + b"/\xc3\xa4" * 600,
                   b"../" * 1300 + b"etc"]
        for form in ("logfmt", "json"):
            with self.exporter("--log.format", form, "--only", "results", "--port", "0",
                               listen=(), ready=False) as e:
                line = e.wait_log("listening")
                e.ports["results"] = int(re.search(r":(\d+)\W*$", line)[1])
                for n, target in enumerate(targets):
                    os.symlink(target, os.path.join(e.directory, churn.name(n)).encode())
                    self.said(e, REFUSED, n + 1)
                    page = e.get("results", "/").body.decode("utf-8")    # it is UTF-8
                    self.assertIn("leads out", page)
                    self.assertNotIn("<script>", page)
                    self.assertNotRegex(e.log, "[\x1b\x9b]")
                self.assertEqual(len([line for line in list(e.lines)
                                      if not re.match(r"ts=|\{\"ts\":", line)]), 0, e.log)
                if form == "json":
                    for line in list(e.lines):
                        json.loads(line)


class ByOpenat2(Untrusted, churn.Case):
    mode = ("--watch", "inotify")


class ByPolling(Untrusted, churn.Case):
    mode = churn.POLL


class Denied(Untrusted):
    def setUp(self):
        super().setUp()
        if not seccomp.available():
            self.skipTest("no seccomp here")
        self.wrapper = (sys.executable, "-B", os.path.join(harness.HERE, "seccomp.py"),
                        "deny", f"openat2={self.code}", "--")


class WithoutOpenat2(Denied, churn.Case):
    mode = ("--watch", "inotify")
    code = "ENOSYS"


class WithOpenat2Forbidden(Denied, churn.Case):
    mode = churn.POLL
    code = "EPERM"


if __name__ == "__main__":
    harness.main()
