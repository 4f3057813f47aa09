# ctest: timeout 400
"""A real encode in a cgroup of its own: the cores in use that the exporter tells, added up
over its life, are the time that the kernel charged it, within 3 %."""

import contextlib
import os
import shutil
import subprocess
import time
import unittest

import harness

CPU_SECONDS = 20
CORES = "encode_exporter_cpu_cores_used"
CORE_SECONDS = "encode_exporter_cpu_core_seconds_total"
# A name of its own: other encodes may run at the same time.
PROCESS = f"encode-{os.getpid()}"
ENCODE = ("-hide_banner", "-loglevel", "error", "-nostdin",
          "-filter_threads", "1", "-f", "lavfi", "-i", "testsrc=size=640x360:rate=30",
          "-threads", "1", "-c:v", "libx264", "-preset", "medium", "-f", "null", "-")


class Group:
    """A cgroup, made below one of the hierarchies that may be here."""

    def __init__(self, hierarchy, counter):
        self.hierarchy, self.counter = hierarchy, counter
        self.name = f"encode_exporter-test-{os.getpid()}"
        self.path = os.path.join("/sys/fs/cgroup", hierarchy, self.name)
        os.mkdir(self.path)

    def remove(self):
        harness.wait_until(self.try_remove, what="an empty cgroup")

    def try_remove(self):
        with contextlib.suppress(OSError):
            os.rmdir(self.path)
        return not os.path.exists(self.path)

    def join(self):
        with open(os.path.join(self.path, "cgroup.procs"), "w", encoding="ascii") as f:
            f.write("0")

    def seconds(self):
        with open(os.path.join(self.path, self.counter), encoding="ascii") as f:
            text = f.read()
        if self.counter == "cpuacct.usage":
            return int(text) / 1e9
        return int(dict(line.split() for line in text.splitlines())["usage_usec"]) / 1e6


def make_groups():
    """One of each version that is here."""
    made, reasons = [], []
    for hierarchy, counter in (("cpuacct", "cpuacct.usage"), ("cpu,cpuacct", "cpuacct.usage"),
                               ("unified", "cpu.stat"), ("", "cpu.stat")):
        top = os.path.join("/sys/fs/cgroup", hierarchy)
        if not os.path.exists(os.path.join(top, "cgroup.procs")) or \
                any(g.counter == counter for g in made):
            continue
        try:
            group = Group(hierarchy, counter)
        except OSError as e:
            reasons.append(f"{top}: {e.strerror}")
            continue
        made.append(group)
    return made, reasons


class Watch:
    """Adds up a gauge that changes once a second: a look each second in its middle, a little
    later each time, so that the body is never the one of the look before."""

    def __init__(self, exporter, scope):
        self.exporter, self.scope = exporter, scope
        self.seconds, self.seen, self.total = 0.0, None, None

    def look(self):
        second = int(time.time())
        now = self.exporter.metrics("results")
        value = now.value(CORES, scope=self.scope)
        self.total = now.value(CORE_SECONDS, scope=self.scope)
        if self.seen is not None and value is not None:
            self.seconds += value * (second - self.seen)
        self.seen = second
        return value


class Encode(unittest.TestCase):
    def setUp(self):
        if not shutil.which("ffmpeg"):
            self.skipTest("no ffmpeg (package ffmpeg)")
        self.directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, self.directory)
        os.symlink(shutil.which("ffmpeg"), os.path.join(self.directory, PROCESS))
        self.groups, reasons = make_groups()
        for group in self.groups:
            self.addCleanup(group.remove)
        if not self.groups:
            self.skipTest("no cgroup can be made here: " + ("; ".join(reasons) or "none"))

    def join_all(self):
        for group in self.groups:
            group.join()

    def start(self):
        encode = subprocess.Popen((os.path.join(self.directory, PROCESS), *ENCODE),
                                  stdin=subprocess.DEVNULL, preexec_fn=self.join_all)    # pylint: disable=W1509
        self.addCleanup(encode.wait)
        self.addCleanup(encode.kill)
        return encode

    def exporters(self, stack):
        for group in self.groups:
            yield stack.enter_context(harness.Exporter(
                "--power=auto", "--power.cgroup", os.path.join(group.hierarchy, group.name),
                listen=("results",))), "cgroup"
        yield stack.enter_context(harness.Exporter(
            "--power=auto", f"--power.process={PROCESS}", listen=("results",))), "process"

    def test_cores_in_use_add_up_to_what_the_kernel_charged(self):
        with contextlib.ExitStack() as stack:
            watches = [Watch(*pair) for pair in self.exporters(stack)]
            # In the middle of a second: readings are taken at its beginning.
            due = int(time.time()) + 1.25
            encode, ended, charged = None, 0, None
            while ended < 3:
                time.sleep(max(0.0, due - time.time()))
                due += 1.015
                values = [w.look() for w in watches]
                if encode is None and all(v == 0 for v in values[:-1]):
                    encode = self.start()
                if charged is None and self.groups[0].seconds() >= CPU_SECONDS:
                    # As long as it can be read: nobody has waited for it yet.
                    encode.terminate()
                    self.assertEqual(os.waitid(os.P_PID, encode.pid,
                                               os.WEXITED | os.WNOWAIT).si_pid, encode.pid)
                    charged = [g.seconds() for g in self.groups]
                if charged:
                    ended += 1
        self.assertGreaterEqual(charged[0], CPU_SECONDS)
        charged.append(charged[0])
        for watch, seconds in zip(watches, charged):
            print(f"{watch.scope}: charged {seconds:.3f} s, counted {watch.total:.3f}, by "
                  f"the gauge {watch.seconds:.3f}", flush=True)
            self.assertLess(abs(watch.total / seconds - 1), 0.03)
            self.assertLess(abs(watch.seconds / seconds - 1), 0.03)


if __name__ == "__main__":
    harness.main()
