# ctest: timeout 300
"""What was spent, as increase() of a real Prometheus and a real VictoriaMetrics tells it.

The counters live as long as the process, results files longer, jobs often shorter than
either. Prices are such that 1 kWh is 1 USD and nothing else costs anything.
"""

import json
import os
import shutil
import signal
import time
import unittest

import churn
import harness
import peers

ENERGY = "cost_energy_load_aware"


def results(*kwh):
    """A file of scenarios that have one name and these energies."""
    return json.dumps({"scenarios": [
        {"name": "the same", "duration": 60, "energy_joules": v * 3.6e6} for v in kwh]})


class Engine:
    """Every test is a target of its own. Subclasses name the engine and tell how far its
    increase() may be above what was spent."""

    engine = None

    @classmethod
    def setUpClass(cls):
        cls.peer = peers.Peer.named(cls.engine)
        cls.addClassCleanup(cls.peer.stop)
        cls.targets = {}
        for name in unittest.defaultTestLoader.getTestCaseNames(cls):
            directory = harness.temp_dir()
            cls.addClassCleanup(shutil.rmtree, directory)
            with open(os.path.join(directory, churn.name(0)), "w", encoding="utf-8") as f:
                f.write(results(100))    # there at the start: the zero
            e = cls.exporter(directory, 0, "--shutdown.linger=60s")
            e.__enter__()
            cls.addClassCleanup(e.clean)
            cls.addClassCleanup(e.kill)
            cls.targets[name] = e
        cls.peer.start_with(
            peers.PROMETHEUS_CONFIG.replace("1s", "250ms")
            + "".join(peers.JOB.format(name=name, port=e.ports["cost"])
                      for name, e in cls.targets.items()))
        cls.peer.wait_for_data(len(cls.targets))

    @classmethod
    def exporter(cls, directory, port, *flags):
        return harness.Exporter(
            "--runs=all", "--energy-cost=1", "--cpu-cost=0",
            f"--cost.listen-address=127.0.0.1:{port}", *flags,
            directory=directory, listen=("cost",))

    def setUp(self):
        self.e = self.targets[self._testMethodName]
        self.directory = self.e.directory
        self.counter = (f'cost_accrued_total{{job="{self._testMethodName}",'
                        'region="default",currency="USD"}')
        self.wait_scraped(0)

    def write(self, number, *kwh):
        harness.write_atomically(os.path.join(self.directory, churn.name(number)),
                                 results(*kwh))

    def start_again(self):
        """Behind the same target; what was there is the zero again."""
        self.e.kill()    # which has ended
        self.e = self.exporter(self.directory, self.e.ports["cost"],
                               "--shutdown.linger=60s")
        self.addCleanup(self.e.clean)
        self.addCleanup(self.e.kill)
        self.e.start()
        self.wait_scraped(0)

    def end(self):
        """When the engine has scraped the last values, and not before."""
        self.assertEqual(self.e.process.wait(30), 0, self.e.log)

    def values(self, expr, at=None):
        return [float(s["value"][1]) for s in self.peer.query(expr, at)]

    def wait_scraped(self, value):
        harness.wait_until(lambda: self.values(self.counter) == [value], timeout=30,
                           what=f"{self.counter} {value} is scraped")

    def wait_stored(self, value):
        """The same where the exporter is gone meanwhile."""
        harness.wait_until(
            lambda: self.values(f"last_over_time({self.counter}[5m])") == [value],
            timeout=30, what=f"{self.counter} {value} is stored")

    def check_spent(self, want):
        at = time.time()
        [got] = self.values(f"increase({self.counter}[10m])", at)
        most = want * (1 + self.over(at))
        self.assertGreaterEqual(got, want * (1 - 1e-9))
        self.assertLessEqual(got, most * (1 + 1e-9))

    def test_a_restart_neither_loses_nor_repeats(self):
        self.write(1, 5)
        self.wait_scraped(5)
        self.write(1, 6)
        self.wait_scraped(6)
        self.e.process.send_signal(signal.SIGKILL)
        self.e.process.wait()
        self.start_again()
        self.write(1, 8)
        self.wait_scraped(2)
        self.write(2, 1)
        self.wait_scraped(3)
        self.check_spent(6 + 3)

    def test_what_was_too_much_is_taken_off_what_comes_next(self):
        self.write(1, 10)
        self.wait_scraped(10)
        self.write(1, 7)    # corrected: 3 too many
        self.e.wait_metrics("cost", lambda m: 7 in [s.value for s in m.samples(ENERGY)])
        self.write(2, 4)
        self.wait_scraped(11)
        self.write(1, 9)
        self.wait_scraped(13)
        self.check_spent(9 + 4)

    def test_jobs_of_one_encode_each(self):
        for number, kwh in enumerate((2, 5, 3), 1):
            if number > 1:
                self.start_again()
            self.write(number, kwh)
            self.e.process.send_signal(signal.SIGTERM)    # the job is over
            self.end()
            self.wait_stored(kwh)
        self.check_spent(2 + 5 + 3)

    def test_23_scenarios_of_one_name(self):
        kwh = [float(i * i) for i in range(1, 24)]
        self.write(1, *kwh[:5])
        self.wait_scraped(sum(kwh[:5]))
        self.write(1, *kwh[:22])
        self.wait_scraped(sum(kwh[:22]))
        self.write(1, *kwh[::-1])    # one more, and all in other places
        self.wait_scraped(sum(kwh))
        served = self.e.metrics("cost").samples(ENERGY)
        self.assertEqual(sum(s.labels.get("repeat") == "23" for s in served), 1)
        self.check_spent(sum(kwh))


class Prometheus(Engine, unittest.TestCase):
    engine = "prometheus"

    def over(self, at):
        """It extrapolates to the end of the window, by 1.1 mean intervals at most; not to
        its beginning, as the counter was 0 at its first sample."""
        samples = self.peer.query(f"{self.counter}[10m]", at)[0]["values"]
        self.assertEqual(float(samples[0][1]), 0)
        return 1.1 / (len(samples) - 1)


class VictoriaMetrics(Engine, unittest.TestCase):
    engine = "victoria-metrics"

    def over(self, _):
        """It does not extrapolate."""
        return 0


class Opening(unittest.TestCase):
    def encode(self, start, **more):
        return json.dumps({"scenarios": [{"name": "encode", "start_time": start, **more}]})

    def test_one_that_runs_at_the_start_is_charged_from_then_on(self):
        directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, directory)
        path = os.path.join(directory, churn.name(1))
        started = time.time()
        start = started - 1000
        harness.write_atomically(path, self.encode(start))
        # One core for a second is a unit.
        with harness.Exporter("--cpu-cost=3600", directory=directory) as e:
            def spent(m):
                return m.value("cost_accrued_total", currency="USD")
            served = e.wait_metrics("cost", lambda m: spent(m) > 2)
            self.assertLess(spent(served), time.time() - started)
            first = time.time()
            harness.write_atomically(path, self.encode(start, end_time=start + 1100))
            served = e.wait_metrics("cost", lambda m: spent(m) > 50)
            self.assertLessEqual(spent(served), 100)
            self.assertGreater(spent(served), 100 - (first - started))


if __name__ == "__main__":
    harness.main()
