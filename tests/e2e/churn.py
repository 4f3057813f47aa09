"""What the tests of the results directory share: small runs, and what is served."""

import contextlib
import json
import os
import re
import unittest

import harness

POLL = ("--watch", "poll", "--poll-interval", "100ms")


def run(*durations, **fields):
    """The text of a results file with one scenario for each duration."""
    return json.dumps({"scenarios": [{"name": f"scenario {i}", "duration": d, **fields}
                                     for i, d in enumerate(durations)]})


def name(number):
    """The file name of run `number`; a higher one is newer."""
    return f"test_results_2026{number // 100 % 12 + 1:02d}01_{number % 100:06d}.json"


class Case(unittest.TestCase):
    """Tests that run in both modes: subclasses set `mode`."""

    mode = ()

    def exporter(self, *flags, **more):
        return harness.Exporter(*self.mode, *flags, **more)

    def exporter_apart(self, *flags):
        """One that knows its directory relative to its working directory, so that what
        others do in /tmp is no event."""
        base = harness.temp_dir()
        self.addCleanup(harness.shutil.rmtree, base)
        os.mkdir(os.path.join(base, "results"))
        return self.exporter("--results-dir", "results", *flags,
                             wrapper=("env", "--chdir=" + base),
                             directory=os.path.join(base, "results"))

    def wait_quiet(self, e):
        """A second without a wake-up has to come; the first few may see work end."""
        tasks = sorted(os.listdir(f"/proc/{e.process.pid}/task"), key=int)
        if "libtsan" in e.proc("maps"):
            del tasks[1]    # the sanitizer's own, started before any of ours

        def switches():
            total = 0
            for task in tasks:
                with open(f"/proc/{e.process.pid}/task/{task}/status",
                          encoding="ascii") as f:
                    total += sum(int(line.split()[1]) for line in f
                                 if "ctxt_switches" in line)
            return total

        def quiet():
            before = switches()
            harness.time.sleep(1.2)
            return switches() == before
        harness.wait_until(quiet, 15, "a second without a wake-up")

    def body(self, e):
        """What the results endpoint serves of the runs, without the process's own and
        the times of files."""
        return "".join(line + "\n" for line in e.get("results").text.splitlines()
                       if re.match(r"results_(?!run_file_mtime|last_run_)", line))

    def durations(self, e):
        """Durations served, in order."""
        return [float(v) for v in re.findall(
            r"^results_scenario_duration_seconds\{.*\} (\S+)$", e.get("results").text, re.M)]

    def wait_durations(self, e, *want, timeout=15):
        want = list(want)

        def served():
            self.seen = self.durations(e)
            return self.seen == want
        try:
            harness.wait_until(served, timeout)
        except AssertionError:
            raise AssertionError(f"served {self.seen}, not {want}\n{e.log}") from None

    def up(self, e):
        return re.search(r"^results_exporter_up (\S+)$", e.get("results").text, re.M)[1]

    def wait_up(self, e, want):
        harness.wait_until(lambda: self.up(e) == want, what=f"results_exporter_up {want}")

    def counter(self, e, family, **labels):
        return e.metrics("results").value(family, **labels)

    def errors(self, e, reason):
        return self.counter(e, "encode_exporter_file_errors_total", reason=reason)

    def wait_counter(self, e, family, want, **labels):
        """The process's own families are rendered at most once a second."""
        def equal():
            self.seen = self.counter(e, family, **labels)
            return self.seen == want
        try:
            harness.wait_until(equal)
        except AssertionError:
            raise AssertionError(f"{family}{labels} is {self.seen}, not {want}\n"
                                 + e.log) from None

    def wait_errors(self, e, reason, want):
        self.wait_counter(e, "encode_exporter_file_errors_total", want, reason=reason)

    def said(self, e, pattern, times):
        """What is served may be seen before the lines that were written ahead of it: they
        come through a pipe."""
        with contextlib.suppress(AssertionError):
            harness.wait_until(lambda: e.log_count(pattern) >= times)
        self.assertEqual(e.log_count(pattern), times, e.log)

    def said_once(self, e, pattern):
        self.said(e, pattern, 1)
