# ctest: timeout 180
"""Encodes that are watched where events are lost, or not to be had."""

import errno
import os
import re
import signal
import subprocess
import sys
import time
import unittest

import harness

sys.path.insert(0, os.path.join(harness.ROOT, "tests", "faults"))

import faults      # noqa: E402  (found by the line above)

BLIND = "growing files are looked at ten times a second"


def block(frames):
    return f"frame={frames}\nfps=25.0\nprogress=continue\n".encode()


def frames(e, name):
    return e.metrics("results").value("encode_frames_total", scenario=name)


def wait_frames(e, name, want):
    harness.wait_until(lambda: frames(e, name) == want, 20, f"{name} has {want} frames")


def watches(e):
    """How many inodes the exporter has watches on."""
    n, base = 0, f"/proc/{e.process.pid}/fdinfo"
    for fd in os.listdir(base):
        with open(os.path.join(base, fd), encoding="ascii") as f:
            n += f.read().count("inotify wd:")
    return n


class Limits(unittest.TestCase):
    def growing(self, e, name):
        """A file that stays open, as ffmpeg has it: no event of the directory tells of it."""
        fd = os.open(e.path(name + ".progress"), os.O_WRONLY | os.O_CREAT, 0o644)
        self.addCleanup(os.close, fd)
        os.write(fd, block(1))
        return fd

    def test_a_queue_that_overflows_loses_no_block(self):
        with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as f:
            events = int(f.read())
        if events > 200_000:
            self.skipTest("the kernel's queue is too long to be filled here")
        with harness.Exporter() as e:
            a, b, late, changed = (self.growing(e, n) for n in ("a", "b", "late", "changed"))
            for name in ("a", "b", "late", "changed"):
                wait_frames(e, name, 1)
            # what was just read is not looked at again at once
            harness.wait_until(lambda: self.idle(e))
            os.kill(e.process.pid, signal.SIGSTOP)
            try:
                for _ in range(events // 2 + 10): # two files in turn, for equal events merge
                    os.write(a, b"x=1\n")
                    os.write(b, b"x=1\n")
                os.write(late, block(2)) # the queue is full: nobody is told
                os.pwrite(changed, block(7), 0) # as long as before
            finally:
                os.kill(e.process.pid, signal.SIGCONT)
            wait_frames(e, "late", 2)
            wait_frames(e, "changed", 7)
            os.write(a, block(3))
            wait_frames(e, "a", 3)

    def idle(self, e):
        """It waits for events, and for nothing else that is due soon."""
        with open(f"/proc/{e.process.pid}/stat", encoding="ascii") as f:
            before = f.read().split()[13:15]
        time.sleep(0.3)
        with open(f"/proc/{e.process.pid}/stat", encoding="ascii") as f:
            return f.read().split()[13:15] == before

    def set_limit(self, e, what, limit):
        subprocess.run(["nsenter", "--user", "--target", str(e.process.pid), "sh", "-c",
                        f"echo {limit} >/proc/sys/user/{what}"], check=True)

    def limited(self, what, limit):
        """A command before the exporter's: in a user namespace with limits of its own."""
        wrapper = ["unshare", "--user", "--map-root-user", "sh", "-c",
                   f'echo {limit} >/proc/sys/user/{what} && exec "$@"', "sh"]
        if subprocess.run([*wrapper, "true"], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("no user namespaces here")
        return wrapper

    def test_files_without_a_watch_are_polled(self):
        with harness.Exporter(wrapper=self.limited("max_inotify_watches", 100)) as e:
            first = self.growing(e, "first")
            wait_frames(e, "first", 1)
            had = watches(e)
            self.set_limit(e, "max_inotify_watches", 1)
            files = {name: self.growing(e, name) for name in ("b", "c")}
            for name, fd in files.items():
                wait_frames(e, name, 1)
                for n in (2, 3, 4):
                    os.write(fd, block(n))
                    wait_frames(e, name, n)
            self.assertEqual(watches(e), had)
            os.write(first, block(2)) # which has one
            wait_frames(e, "first", 2)
            self.assertEqual(e.log_count(BLIND + ".*max_user_watches"), 1, e.log)
            self.assertEqual(e.log_count("level=(warn|error)"), 1, e.log)
            self.assertGreater(self.wakes(e), 6)
            # after ten quiet seconds they are looked at once a second
            harness.wait_until(lambda: self.wakes(e) <= 5, 25, "the pace of quiet files")
            os.write(files["b"], block(5))
            wait_frames(e, "b", 5)
            # and have watches as soon as there are some
            self.set_limit(e, "max_inotify_watches", 100)
            for n in (6, 7):
                os.write(files["b"], block(n))
                os.write(files["c"], block(n))
                wait_frames(e, "b", n)
                wait_frames(e, "c", n)
            harness.wait_until(lambda: watches(e) == had + 2, 5, "their watches")

    def wakes(self, e):
        """How often the exporter woke up in a second."""
        def count():
            with open(f"/proc/{e.process.pid}/status", encoding="ascii") as f:
                return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", f.read(), re.M)[1])
        before = count()
        time.sleep(1)
        return count() - before

    def test_without_an_instance_they_are_polled(self):
        control = faults.Control(harness.binary(True))
        self.addCleanup(control.close)
        # the first instance is for growing files, the next for the directory
        control.plan(function="inotify_init1", error=errno.EMFILE, count=1)
        with harness.Exporter(env=control.environment(), release=True) as e:
            fd = self.growing(e, "a")
            wait_frames(e, "a", 1)
            for n in range(2, 6):
                os.write(fd, block(n))
                wait_frames(e, "a", n)
            self.assertEqual(e.log_count(BLIND + ".*max_user_instances"), 1, e.log)
            self.assertEqual(e.log_count("level=(warn|error)"), 1, e.log)
            self.assertEqual(e.metrics("results").value("encode_exporter_watch_info",
                                                        mode="inotify"), 1)


if __name__ == "__main__":
    harness.main()
