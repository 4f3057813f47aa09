# ctest: timeout 240
"""The power and the use of cores of a machine, from trees that the test drives; and what
is said where a machine tells none."""

import os
import shutil
import subprocess
import sys
import unittest
import unittest.mock

import churn
import harness
from powertree import Load, Tree

WATTS, JOULES = "encode_exporter_power_watts", "encode_exporter_energy_joules_total"
CORES, ERRORS = "encode_exporter_cpu_cores_used", "encode_exporter_power_read_errors_total"
SANDBOX = (sys.executable, "-B", os.path.join(harness.HERE, "sandbox.py"))


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, self.directory)
        self.tree = Tree(os.path.join(self.directory, "machine"))

    def exporter(self, *flags, **more):
        return harness.Exporter(*self.tree.flags("--power=auto", *flags),
                                listen=("results",), **more)

    def value(self, e, name, **labels):
        return e.metrics("results").value(name, **labels)

    def wait_value(self, e, want, name, **labels):
        """The very figure, but for the last bits of sums of doubles."""
        def is_it():
            got = self.value(e, name, **labels)
            return got is not None and abs(got - want) <= 1e-9 * abs(want)
        harness.wait_until(is_it, what=f"{name} {labels} {want}")

    def wait_near(self, e, want, name, part=0.1, **labels):
        def is_near():
            got = self.value(e, name, **labels)
            return got is not None and abs(got - want) <= part * want
        harness.wait_until(is_near, what=f"{name} {labels} near {want}")


class Energy(Case):
    def test_what_counts_is_counted_to_the_microjoule(self):
        self.tree.zone("intel-rapl:0", "package-0", 262143000000)
        self.tree.zone("intel-rapl:0:0", "core", 1000)
        self.tree.zone("intel-rapl:0:1", "dram", 1000, 65712999613)
        self.tree.zone("intel-rapl:1", "package-1", 65532000000, 65532610987)
        self.tree.zone("intel-rapl-mmio:0", "package-0", 262143000000)
        self.tree.zone("intel-rapl:2", "psys", 1000)
        with self.exporter("--power.zones=package,dram") as e:
            self.wait_value(e, 0, JOULES, zone="package_0")
            # each around its own range: 328850 + 79671150 and 610987 + 4389013 µJ
            self.tree.energy("intel-rapl:0", 79671150)
            self.tree.energy("intel-rapl:1", 4389013)
            self.tree.energy("intel-rapl:0:1", 3000007)
            self.tree.energy("intel-rapl-mmio:0", 79671150)
            self.tree.energy("intel-rapl:0:0", 70000000)
            self.wait_value(e, 80, JOULES, zone="package_0")
            self.wait_value(e, 5, JOULES, zone="package_1")
            self.wait_value(e, 2.999007, JOULES, zone="package_0_dram")
            for i in range(1, 4):
                self.tree.energy("intel-rapl:0", 79671150 + i * 1000001)
                self.wait_value(e, 80 + i * 1.000001, JOULES, zone="package_0")
            zones = {s.labels["zone"] for s in e.metrics("results").samples(JOULES)}
            self.assertEqual(zones, {"package_0", "package_1", "package_0_dram"})
            self.assertEqual(e.metrics("results").samples("rapl_power_watts"), [])

    def test_power_is_what_goes_by_in_a_second(self):
        self.tree.zone("intel-rapl:0", "package-0")
        self.tree.zone("intel-rapl:0:0", "core")
        self.tree.cores(0)
        self.tree.cgroup("encodes", 0)

        def step(seconds):
            self.tree.energy("intel-rapl:0", int(seconds * 50e6))
            self.tree.energy("intel-rapl:0:0", int(seconds * 20e6))
            self.tree.cores(int(seconds * 300))
            self.tree.cgroup("encodes", int(seconds * 1.5e6))
        with Load(step), self.exporter("--power.cgroup=encodes", "--power.rapl-names") as e:
            self.wait_near(e, 50, WATTS, zone="package_0")
            self.wait_near(e, 3, CORES, scope="host")
            self.wait_near(e, 1.5, CORES, scope="cgroup")
            self.wait_near(e, 50, "rapl_power_watts", zone="package_0")
            self.wait_near(e, 20, "rapl_power_watts", zone="package_0_core")
            self.assertEqual(len(e.metrics("results").samples(WATTS)), 1)
            self.assertEqual(self.value(e, ERRORS, source="package_0"), 0)

    def test_a_failed_reading_has_no_figure_and_is_counted(self):
        self.tree.zone("intel-rapl:0", "package-0")
        with Load(lambda s: self.tree.energy("intel-rapl:0", int(s * 30e6))), \
                self.exporter() as e:
            self.wait_near(e, 30, WATTS, zone="package_0")
        self.tree.energy("intel-rapl:0", 1)
        with self.exporter() as e:
            self.tree.put("sys/class/powercap/intel-rapl:0/energy_uj", "what?")
            e.wait_log("level=warn .*counter of energy is not read.* zone=package_0 .*"
                       "intel-rapl:0/energy_uj reason=.Invalid argument")
            harness.wait_until(lambda: self.value(e, ERRORS, source="package_0"))
            self.assertIsNone(self.value(e, WATTS, zone="package_0"))
            with Load(lambda s: self.tree.energy("intel-rapl:0", int(s * 40e6))):
                e.wait_log("counter of energy is read again")
                self.wait_near(e, 40, WATTS, zone="package_0")
            self.assertEqual(e.log_count("counter of energy is not read"), 1)

    def test_a_zone_that_goes_is_left_out(self):
        self.tree.zone("intel-rapl:0", "package-0")
        self.tree.zone("intel-rapl:1", "package-1")
        gone = []

        def step(seconds):
            self.tree.energy("intel-rapl:0", int(seconds * 30e6))
            if not gone:
                self.tree.energy("intel-rapl:1", int(seconds * 20e6))
        with Load(step), self.exporter() as e:
            self.wait_near(e, 20, WATTS, zone="package_1")
            gone.append(True)
            self.tree.put("sys/class/powercap/intel-rapl:1/energy_uj", "")
            shutil.rmtree(self.tree.path("sys/class/powercap/intel-rapl:1"))
            e.wait_log("counter of energy is gone. zone=package_1", timeout=30)
            harness.wait_until(lambda: self.value(e, JOULES, zone="package_1") is None)
            self.wait_near(e, 30, WATTS, zone="package_0")

    def test_processes_of_a_name_are_added_up(self):
        self.tree.process(1, "init", 1, 5)
        with self.exporter("--power.process=ffmpeg") as e:
            self.assertIsNone(self.value(e, CORES, scope="process"))
            self.tree.process(41, "ffmpeg", 100, 0)
            harness.wait_until(lambda: self.value(e, CORES, scope="process") == 0)

            def step(seconds):
                self.tree.process(41, "ffmpeg", 100, int(seconds * 200))
                self.tree.process(42, "ffmpeg", 200, int(seconds * 50))
                self.tree.process(43, "ffprobe", 200, int(seconds * 80))
            with Load(step):
                self.wait_near(e, 2.5, CORES, scope="process")

    def test_a_model_stands_in_for_a_counter(self):
        self.tree.cores(0)
        with Load(lambda s: self.tree.cores(int(s * 200))), \
                self.exporter("--power.model=40,6.5") as e:
            line = e.wait_log("power of this machine is not measured")
            self.assertIn("--power.model estimates it", line)
            self.assertNotIn("give --power.model", line)
            self.wait_near(e, 53, WATTS, zone="model")


class Nothing(Case):
    def exporter_apart(self, *flags):
        """One that what others do in /tmp does not wake."""
        base = os.path.join(self.directory, "apart")
        os.makedirs(os.path.join(base, "results"))
        return harness.Exporter("--results-dir", "results", *self.tree.flags(*flags),
                                listen=("results",), wrapper=("env", "--chdir=" + base),
                                directory=os.path.join(base, "results"))

    def wakes(self, e):
        """Changes of the running thread in 2.2 s, of all threads."""
        def switches():
            total = 0
            for task in os.listdir(f"/proc/{e.process.pid}/task"):
                with open(f"/proc/{e.process.pid}/task/{task}/status",
                          encoding="ascii") as f:
                    total += sum(int(line.split()[1]) for line in f
                                 if "voluntary_ctxt_switches" in line)
            return total
        before = switches()
        harness.time.sleep(2.2)
        return switches() - before

    def test_a_machine_without_counters_is_said_once_and_never_waked(self):
        self.tree.cores(100)
        with self.exporter_apart("--power=auto") as e:
            line = e.wait_log("power of this machine is not measured")
            self.assertIn("level=info", line)
            self.assertIn("--power.model or --prometheus-url", line)
            churn.Case.wait_quiet(None, e)
            self.assertEqual(self.wakes(e), 0)
            for name in (WATTS, JOULES, CORES, ERRORS):
                self.assertEqual(e.metrics("results").samples(name), [])

    def test_off_reads_nothing(self):
        self.tree.zone("intel-rapl:0", "package-0")
        with self.exporter_apart("--power=off") as e:
            churn.Case.wait_quiet(None, e)
            self.assertEqual(self.wakes(e), 0)
            self.assertEqual(e.metrics("results").samples(JOULES), [])
            self.assertEqual(e.log_count("power"), 0)

    def test_where_there_is_a_counter_it_wakes_once_a_second(self):
        """Whether the two above can fail."""
        self.tree.zone("intel-rapl:0", "package-0")
        with self.exporter_apart("--power=auto") as e:
            harness.wait_until(lambda: 2 <= self.wakes(e) <= 6)

    def test_hidden_zones_are_told_apart_from_none(self):
        os.symlink("../../devices/virtual/powercap/intel-rapl/intel-rapl:0",
                   self.tree.path("sys/class/powercap/intel-rapl:0"))
        with self.exporter() as e:
            line = e.wait_log("power of this machine is not measured")
            self.assertIn("level=warn", line)
            self.assertIn("zones are hidden", line)
            self.assertIn("--power.sysfs", line)

    def ends(self, *flags):
        done = harness.run("--results-dir", self.directory, "--results.listen-address=:0",
                           "--qoe.listen-address=", "--cost.listen-address=",
                           *self.tree.flags(*flags), timeout=20)
        return done.returncode, done.stderr

    def test_what_is_asked_for_and_missing_ends_the_start(self):
        for flags, status, words in (
                (("--power=rapl",), 1, "no counter of energy"),
                (("--power.cgroup=gone",), 1, "no cgroup gone with cpu.stat"),
                (("--power.model=40,6",), 1, "--power.model: .*/proc/stat: No such file"),
                (("--power.zones=psys,package",), 2, "it stands alone"),
                (("--power.cgroup=a", "--power.process=b"), 2, "give one of them"),
                (("--power.rapl-names", "--prometheus-url=http://127.0.0.1:9"), 2,
                 "--power.rapl-names: .*twice")):
            with self.subTest(flags):
                code, log = self.ends(*flags)
                self.assertEqual(code, status, log)
                self.assertRegex(log, words)


def own_name():
    """That of the process that runs this test, which a hidden list does not show."""
    with open("/proc/self/comm", encoding="utf-8") as f:
        return f.read().strip()


class Rights(Case):
    def test_a_counter_of_root_alone_is_said_with_the_fix(self):
        if os.geteuid() != 0:
            self.skipTest("another user can be taken by root alone")
        self.tree.zone("intel-rapl:0", "package-0")
        counter = self.tree.path("sys/class/powercap/intel-rapl:0/energy_uj")
        os.chmod(counter, 0o400)
        flags = self.tree.flags("--power=rapl")
        with self.exporter(user=harness.NOBODY) as e:
            line = e.wait_log("power of this machine is not measured")
            self.assertIn("level=warn", line)
            self.assertIn("intel-rapl:0/energy_uj: Permission denied", line)
            for word in ("chmod", "udev", "CAP_DAC_READ_SEARCH", "mount", "docs/power.md"):
                self.assertIn(word, line)
            self.assertEqual(e.log_count("power of this machine"), 1)
            self.assertEqual(e.metrics("results").samples(JOULES), [])
        with self.assertRaisesRegex(AssertionError, "(?s)ended with 1.*Permission denied"):
            with harness.Exporter(*flags, listen=("results",), user=harness.NOBODY):
                pass
        os.chmod(counter, 0o444)
        with self.exporter(user=harness.NOBODY) as e:
            self.wait_value(e, 0, JOULES, zone="package_0")

    def test_it_measures_with_all_that_the_service_takes_away(self):
        """Read-only, no other processes, no /proc/stat, a user that owns nothing."""
        words = [*SANDBOX, "--read-only", "--proc-subset", "--user", str(harness.NOBODY),
                 "--"]
        done = subprocess.run([*words, "true"], stderr=subprocess.PIPE, text=True,
                              timeout=60, check=False)
        if done.returncode == 77:
            self.skipTest(done.stderr.strip())
        program = os.path.join(self.directory, "encode_exporter")
        shutil.copy(harness.binary(), program)
        self.tree.zone("intel-rapl:0", "package-0")
        self.tree.cgroup("encodes", 0)
        with unittest.mock.patch.dict(os.environ, ENCODE_EXPORTER=program), \
                harness.Exporter("--power=rapl", f"--power.sysfs={self.tree.path('sys')}",
                                 f"--power.cgroupfs={self.tree.path('cgroup')}",
                                 "--power.cgroup=encodes", listen=("results",),
                                 wrapper=words) as e:
            self.wait_value(e, 0, JOULES, zone="package_0")
            self.tree.energy("intel-rapl:0", 7000000)
            self.wait_value(e, 7, JOULES, zone="package_0")
            harness.wait_until(lambda: self.value(e, CORES, scope="cgroup") == 0)
            self.assertIsNone(self.value(e, CORES, scope="host"))

    def test_processes_of_others_that_are_hidden_are_not_known_to_use_nothing(self):
        words = [*SANDBOX, "--proc-subset", "--user", str(harness.NOBODY), "--"]
        done = subprocess.run([*words, "true"], stderr=subprocess.PIPE, text=True,
                              timeout=60, check=False)
        if done.returncode == 77:
            self.skipTest(done.stderr.strip())
        program = os.path.join(self.directory, "encode_exporter")
        shutil.copy(harness.binary(), program)
        with unittest.mock.patch.dict(os.environ, ENCODE_EXPORTER=program), \
                harness.Exporter("--power=auto", f"--power.process={own_name()}",
                                 listen=("results",), wrapper=words) as e:
            harness.wait_until(
                lambda: self.value(e, ERRORS, source="process") is not None)
            harness.time.sleep(2.2)    # two readings
            self.assertIsNone(self.value(e, CORES, scope="process"))


if __name__ == "__main__":
    harness.main()
