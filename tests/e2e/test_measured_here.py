# ctest: timeout 300
"""What this machine measures, in the figures of the encodes that ran on it."""

import contextlib
import json
import math
import os
import shutil
import time
import unittest

import churn
import harness
import powertree
import test_power_encode

WATTS = 50
ENERGY = "results_scenario_total_energy_joules"
CPU_SECONDS = 20
ENCODE = test_power_encode.ENCODE


def results(*scenarios):
    return json.dumps({"scenarios": list(scenarios)})


class Case(unittest.TestCase):
    def setUp(self):
        self.tree = powertree.Tree(harness.temp_dir())
        self.addCleanup(shutil.rmtree, self.tree.root)
        self.tree.zone("intel-rapl:0", "package-0")
        self.tree.cores(0)

    @contextlib.contextmanager
    def machine(self, *flags, **more):
        """Uses 50 W, and has been measured for some seconds."""
        def step(seconds):
            self.tree.energy("intel-rapl:0", int(WATTS * seconds * 1e6) % powertree.RANGE)
            self.tree.cores(int(seconds * 100 * 1.5))    # one and a half cores
        with powertree.Load(step), harness.Exporter(*self.tree.flags(*flags), **more) as e:
            e.wait_metrics("results", lambda m: m.value(
                "encode_exporter_power_watts", zone="package-0") is not None
                or m.samples("encode_exporter_cpu_cores_used"))
            self.measured_since = time.time()
            harness.wait_until(lambda: time.time() - self.measured_since > 1.5)
            yield e

    def energy(self, e, name):
        return e.metrics("results").value(ENERGY, scenario=name)

    def basis(self, e, name):
        found = e.metrics("cost").samples("cost_basis_info", scenario=name)
        return found[0].labels["energy"] if found else None

    def wait_basis(self, e, name, basis):
        harness.wait_until(lambda: self.basis(e, name) == basis,
                           what=f"{name} rests on {basis}")


class Finished(Case):
    def test_an_encode_is_charged_what_the_machine_used_meanwhile(self):
        with self.machine() as e:
            start = time.time() - 1
            harness.wait_until(lambda: time.time() > start + 4)
            e.write(churn.name(1), results(
                {"name": "one", "start_time": start, "end_time": start + 4}))
            self.wait_basis(e, "one", "sampler")
            harness.wait_until(lambda: math.isclose(self.energy(e, "one"), WATTS * 4,
                                                    rel_tol=0.01))
            self.assertAlmostEqual(e.metrics("results").value(
                "results_scenario_mean_power_watts", scenario="one"), WATTS, delta=0.5)
            self.assertAlmostEqual(e.metrics("cost").value(
                "cost_accrued_total", currency="USD"),
                self.energy(e, "one") / 3.6e6 * 0.12 + 4 / 3600 * 0.5, delta=1e-6)

    def test_those_that_ran_together_share_it(self):
        with self.machine() as e:
            start = time.time() - 1
            harness.wait_until(lambda: time.time() > start + 5)
            spans = {"a": (0, 3), "b": (1, 4), "c": (1.5, 2.5), "d": (4.2, 5)}
            e.write(churn.name(1), results(*(
                {"name": n, "start_time": start + a, "end_time": start + b}
                for n, (a, b) in spans.items())))
            self.wait_basis(e, "a", "sampler_shared")
            self.wait_basis(e, "d", "sampler")
            harness.wait_until(lambda: math.isclose(
                sum(self.energy(e, n) for n in spans), WATTS * 4.8, rel_tol=0.01))
            self.assertAlmostEqual(self.energy(e, "c"), WATTS / 3, delta=0.5)

    def test_the_use_of_cores_decides_where_it_is_known(self):
        with self.machine() as e:
            start = time.time() - 1
            harness.wait_until(lambda: time.time() > start + 4)
            e.write(churn.name(1), results(*(
                {"name": n, "start_time": start, "end_time": start + 4,
                 "cpu_core_seconds": 4 * c} for n, c in (("three", 3), ("one", 1)))))
            self.wait_basis(e, "three", "sampler_shared")
            harness.wait_until(lambda: math.isclose(self.energy(e, "three"), WATTS * 3,
                                                    rel_tol=0.01))
            self.assertTrue(math.isclose(self.energy(e, "one"), WATTS, rel_tol=0.01))

    def test_one_that_began_before_the_samples_has_none(self):
        with self.machine() as e:
            now = time.time()
            e.write(churn.name(1), results(
                {"name": "old", "start_time": now - 600, "end_time": now - 0.5},
                {"name": "other machine", "start_time": now - 1.5, "end_time": now - 0.5,
                 "host": "elsewhere"},
                {"name": "here", "start_time": now - 1.5, "end_time": now - 0.5}))
            self.wait_basis(e, "here", "sampler_shared")
            self.assertIsNone(self.energy(e, "old"))
            self.assertIsNone(self.energy(e, "other machine"))
            self.assertEqual(self.basis(e, "old"), "none")

    def test_estimates_say_that_they_are(self):
        shutil.rmtree(self.tree.path("sys/class/powercap"))
        with self.machine("--power.model", "20,10") as e:    # 20 W + 10 W × 1.5 cores
            start = time.time() - 1
            harness.wait_until(lambda: time.time() > start + 4)
            e.write(churn.name(1), results(
                {"name": "one", "start_time": start, "end_time": start + 4}))
            self.wait_basis(e, "one", "estimated")
            harness.wait_until(lambda: math.isclose(self.energy(e, "one"), 35 * 4,
                                                    rel_tol=0.03))


class Running(Case):
    def test_its_energy_follows_the_samples(self):
        with self.machine() as e:
            start = time.time()
            e.write(churn.name(1), results({"name": "one", "start_time": start}))
            self.wait_basis(e, "one", "sampler")

            def close():
                text = e.metrics("results")
                joules = text.value(ENERGY, scenario="one")
                now = time.time() - start
                return now > 4 and joules and WATTS * (now - 3) < joules < WATTS * (now + 1)
            harness.wait_until(close, 20)
            before = self.energy(e, "one")
            harness.wait_until(lambda: self.energy(e, "one") > before)
            end = time.time()
            e.write(churn.name(1), results(
                {"name": "one", "start_time": start, "end_time": end}))
            harness.wait_until(lambda: math.isclose(self.energy(e, "one"),
                                                    WATTS * (end - start), rel_tol=0.01))
            joules, accrued = self.energy(e, "one"), e.metrics("cost").value(
                "cost_accrued_total", currency="USD")
            self.assertAlmostEqual(accrued, joules / 3.6e6 * 0.12
                                   + (end - start) / 3600 * 0.5, delta=2e-6)
            self.assertEqual(e.metrics("cost").value(
                "cost_accrued_total", currency="USD"), accrued)

    def test_what_was_measured_survives_rewrites_of_the_file(self):
        with self.machine() as e:
            start = time.time() - 1
            harness.wait_until(lambda: time.time() > start + 2)
            first = {"name": "one", "start_time": start, "end_time": start + 2}
            e.write(churn.name(1), results(first))
            self.wait_basis(e, "one", "sampler")
            harness.wait_until(lambda: math.isclose(self.energy(e, "one"), WATTS * 2,
                                                    rel_tol=0.01))
            e.write(churn.name(1), results(first, {"name": "two", "duration": 5}))
            harness.wait_until(lambda: e.metrics("results").value(
                "results_scenarios_total") == 2)
            self.assertTrue(math.isclose(self.energy(e, "one"), WATTS * 2, rel_tol=0.01))


class Encode(test_power_encode.Encode):
    """A real one, beside the exporter, in a cgroup."""

    test_cores_in_use_add_up_to_what_the_kernel_charged = None

    def test_its_core_seconds_are_those_of_the_kernel(self):
        group = self.groups[0]
        with harness.Exporter("--power.cgroup",
                              os.path.join(group.hierarchy, group.name)) as e:
            e.wait_metrics("results", lambda m: m.samples("encode_exporter_cpu_cores_used"),
                           what="a first reading")
            start = time.time()
            encode = self.start()
            harness.wait_until(lambda: group.seconds() >= CPU_SECONDS, 120)
            encode.terminate()
            os.waitid(os.P_PID, encode.pid, os.WEXITED | os.WNOWAIT)
            end, charged = time.time(), group.seconds()
            e.write(churn.name(1), results(
                {"name": "encode", "start_time": start, "end_time": end}))

            def counted():
                compute = e.metrics("cost").value("cost_compute_load_aware",
                                                  scenario="encode")
                basis = e.metrics("cost").samples("cost_basis_info", scenario="encode")
                if not basis or basis[0].labels["compute"] != "sampler":
                    return None
                return compute / 0.5 * 3600
            harness.wait_until(
                lambda: counted() and abs(counted() / charged - 1) < 0.03, 10,
                f"core-seconds within 3 % of {charged}")
            print(f"charged {charged:.3f} s, counted {counted():.3f} s", flush=True)


if __name__ == "__main__":
    harness.main()
