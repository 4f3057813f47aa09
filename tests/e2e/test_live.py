# ctest: timeout 240
"""Encodes that still run: figures so far, and what becomes of them."""

import json
import os
import time
import unittest

import churn
import harness

DURATION = "results_scenario_duration_seconds"
STATE = "encode_state"


def scenario(name, start, **fields):
    return {"name": name, "bitrate": "2500k", "resolution": "1280x720", "fps": 30,
            "start_time": start, **fields}


def results(*scenarios):
    return json.dumps({"scenarios": list(scenarios)})


class Live(unittest.TestCase):
    def duration(self, e, name="encode"):
        return e.metrics("results").value(DURATION, scenario=name)

    def state(self, e, name="encode"):
        """The one state that is 1; None: no state is served."""
        samples = e.metrics("results").samples(STATE, scenario=name)
        if not samples:
            return None
        self.assertEqual({s.labels["state"] for s in samples},
                         {"running", "stalled", "ended", "aborted"})
        on = [s.labels["state"] for s in samples if s.value == 1]
        self.assertEqual(len(on), 1, samples)
        self.assertTrue(all(s.value in (0, 1) for s in samples), samples)
        return on[0]

    def wait_state(self, e, state, name="encode"):
        harness.wait_until(lambda: self.state(e, name) == state, what=f"state {state}")

    def test_a_running_encode_grows_every_second(self):
        with harness.Exporter() as e:
            start = time.time() - 100
            e.write(churn.name(1), results(scenario("encode", start)))
            self.wait_state(e, "running")
            first = self.duration(e)
            self.assertGreaterEqual(first, 100)
            for _ in range(3):
                before = self.duration(e)
                harness.wait_until(lambda b=before: self.duration(e) > b, 5)
            now = time.time() - start
            self.assertLess(abs(self.duration(e) - now), 2.5)
            cost = e.metrics("cost")
            self.assertAlmostEqual(
                cost.value("cost_compute_load_aware", scenario="encode"),
                self.duration(e) / 3600 * 0.5, delta=0.5 * 3 / 3600)

    def test_its_end_in_the_file_ends_it(self):
        with harness.Exporter() as e:
            start = time.time() - 50
            e.write(churn.name(1), results(scenario("encode", start)))
            self.wait_state(e, "running")
            e.write(churn.name(1), results(scenario("encode", start, end_time=start + 60)))
            harness.wait_until(lambda: self.duration(e) == 60)
            self.assertIsNone(self.state(e))

    def test_the_next_start_ends_it_there(self):
        with harness.Exporter() as e:
            start = time.time() - 50
            e.write(churn.name(1), results(scenario("encode", start)))
            self.wait_state(e, "running")
            e.write(churn.name(1), results(scenario("encode", start),
                                           scenario("next", start + 45)))
            self.wait_state(e, "aborted")
            self.wait_state(e, "running", "next")
            self.assertAlmostEqual(self.duration(e), 45, delta=0.01)
            before = self.duration(e, "next")
            harness.wait_until(lambda: self.duration(e, "next") > before)
            self.assertAlmostEqual(self.duration(e), 45, delta=0.01)

    def test_without_a_sign_of_life_it_is_given_up_and_costs_no_more(self):
        with harness.Exporter("--live.max-idle", "3s") as e:
            e.write(churn.name(1), results(scenario("encode", time.time() - 10)))
            self.wait_state(e, "running")
            self.wait_state(e, "aborted")
            frozen, cost = self.duration(e), e.metrics("cost").value("cost_accrued_total",
                                                                     currency="USD")
            self.assertLess(abs(frozen - 13), 1.5)
            harness.time.sleep(2.5)    # twice the beat: nothing comes after
            self.assertEqual(self.duration(e), frozen)
            self.assertEqual(e.metrics("cost").value("cost_accrued_total", currency="USD"),
                             cost)

    def test_a_newer_run_ends_it(self):
        with harness.Exporter("--runs", "all") as e:
            e.write(churn.name(1), results(scenario("encode", time.time() - 10)))
            self.wait_state(e, "running")
            e.write(churn.name(2), results(scenario("other", time.time() - 5)))
            self.wait_state(e, "running", "other")
            self.wait_state(e, "aborted")

    def test_nobody_saw_it_run_so_it_is_as_the_file_tells(self):
        with harness.Exporter("--live.max-idle", "1s", ready=True,
                              directory=self.old()) as e:
            self.assertIsNone(self.state(e))
            self.assertEqual(e.metrics("results").samples(DURATION), [])

    def old(self):
        directory = harness.temp_dir()
        self.addCleanup(harness.shutil.rmtree, directory)
        path = os.path.join(directory, churn.name(1))
        with open(path, "w", encoding="utf-8") as f:
            f.write(results(scenario("encode", time.time() - 3600)))
        os.utime(path, (time.time() - 3000, time.time() - 3000))
        return directory

    def test_what_it_costs_is_counted_while_it_runs_and_once(self):
        with harness.Exporter("--cpu-cost", "3600") as e:    # a unit for each second
            start = time.time() - 1
            accrued = lambda: e.metrics("cost").value("cost_accrued_total", currency="USD")
            e.write(churn.name(1), results(scenario("encode", start)))
            self.wait_state(e, "running")
            before = accrued()
            harness.wait_until(lambda: accrued() > before + 2)
            e.write(churn.name(1), results(scenario("encode", start, end_time=start + 30)))
            harness.wait_until(lambda: self.duration(e) == 30)
            self.assertAlmostEqual(accrued(), 30, places=6)

    def test_it_stands_still_when_the_program_ends(self):
        with harness.Exporter("--shutdown.linger", "20s") as e:
            e.write(churn.name(1), results(scenario("encode", time.time() - 10)))
            self.wait_state(e, "running")
            for endpoint in harness.ENDPOINTS:
                e.metrics(endpoint)
            began = time.monotonic()
            e.process.send_signal(harness.signal.SIGTERM)
            harness.wait_until(lambda: self.scraped(e), 15, "the end")
            self.assertLess(time.monotonic() - began, 15)

    def scraped(self, e):
        if e.process.poll() is not None:
            return True
        for endpoint in harness.ENDPOINTS:
            try:
                e.get(endpoint)
            except OSError:
                pass
        return False

    def test_nothing_wakes_it_when_nothing_runs(self):
        case = churn.Case()
        with case.exporter_apart() as e:
            self.addCleanup(case.doCleanups)
            e.write(churn.name(1), results(scenario("encode", time.time() - 10)))
            self.wait_state(e, "running")
            e.write(churn.name(1), results(scenario("encode", time.time() - 10,
                                                    duration=10)))
            harness.wait_until(lambda: self.state(e) is None)
            case.wait_quiet(e)


if __name__ == "__main__":
    harness.main()
