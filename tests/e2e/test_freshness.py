# ctest: timeout 240
"""How old what is served is: times of runs and files, runs that end, files that went bad."""

import json
import os
import shutil
import time
import unittest

import churn
import harness

MTIME = "results_run_file_mtime_seconds"
LAST = "results_last_run_timestamp_seconds"
STALE = "encode_exporter_run_stale"


def run_id(number):
    return churn.name(number)[:-len(".json")]


class Case(churn.Case):
    def age(self, e, number, seconds):
        """The file was last modified so long ago."""
        then = time.time() - seconds
        os.utime(e.path(churn.name(number)), (then, then))

    def scenarios(self, e):
        """Served scenarios, by endpoint."""
        return [e.metrics(n).value(f"{n}_scenarios_total") for n in harness.ENDPOINTS]

    def accrued(self, e):
        return e.metrics("cost").value("cost_accrued_total", region="default",
                                       currency="USD")


class Times(Case):
    def mtime(self, e, number):
        return e.metrics("results").value(MTIME, run_id=run_id(number))

    def test_each_run_tells_when_its_file_was_modified(self):
        with self.exporter("--runs", "all") as e:
            for n in (1, 2):
                e.rename_over(churn.name(n), churn.run(10, 20))
                os.utime(e.path(churn.name(n)), ns=(n, 1_600_000_000_250_000_000 + n))
            harness.wait_until(lambda: self.mtime(e, 2) == 1600000000.25)
            self.assertEqual(self.mtime(e, 1), 1600000000.25)
            os.utime(e.path(churn.name(1)), (1, 1500000000.5))    # and nothing else
            harness.wait_until(lambda: self.mtime(e, 1) == 1500000000.5)
            e.rename_over(churn.name(1), churn.run(10, 30))
            self.wait_durations(e, 10, 30, 10, 20)
            self.assertEqual(self.mtime(e, 1), os.stat(e.path(churn.name(1))).st_mtime)
            self.assertEqual(self.mtime(e, 2), 1600000000.25)

    def test_the_newest_alone_has_its_run_id_too(self):
        with self.exporter() as e:
            e.rename_over(churn.name(1), churn.run(10))
            e.rename_over(churn.name(2), churn.run(20))
            self.wait_durations(e, 20)
            self.assertEqual([s.labels for s in e.metrics("results").samples(MTIME)],
                             [{"run_id": run_id(2)}])

    def test_a_large_run_tells_it_once(self):
        with self.exporter() as e:
            e.rename_over(churn.name(1), churn.run(*range(1, 400)))
            self.wait_durations(e, *range(1, 400))
            self.assertEqual(len(e.metrics("results").samples(MTIME)), 1)

    def test_the_last_run_ended_when_it_says_so(self):
        with self.exporter("--runs", "all") as e:
            self.assertNotIn(LAST, e.metrics("results"))
            e.rename_over(churn.name(1), json.dumps([
                {"name": "a", "end_time": 1700000100.5},
                {"name": "b", "start_time": 1700000200, "duration": 50},
                {"name": "c", "end_time": 1700000000}]))
            e.wait_metrics("results", lambda m: m.value(LAST) == 1700000250)
            e.rename_over(churn.name(2), churn.run(10))    # says nothing of its end
            os.utime(e.path(churn.name(2)), (1600000000, 1600000000))
            e.wait_metrics("results", lambda m: m.value(LAST) == 1600000000)
            os.unlink(e.path(churn.name(2)))
            e.wait_metrics("results", lambda m: m.value(LAST) == 1700000250)


class Ending:
    """--series.ttl, in both modes."""

    def test_a_run_that_no_longer_changes_is_dropped_from_all_endpoints(self):
        with self.exporter("--runs", "all", "--series.ttl", "1h") as e:
            for n in (1, 2):
                e.rename_over(churn.name(n), churn.run(10 * n))
            self.wait_durations(e, 10, 20)
            self.age(e, 1, 3601)
            self.wait_durations(e, 20)
            self.assertEqual(self.scenarios(e), [1, 1, 1])
            self.wait_counter(e, "encode_exporter_files", 1, state="other")
            self.assertEqual(e.get("results", "/ready").status, 200)

            e.rename_over(churn.name(1), churn.run(11))    # it changes again
            self.wait_durations(e, 11, 20)
            for n in (1, 2):
                self.age(e, n, 7200)
            self.wait_durations(e)
            self.assertEqual(self.scenarios(e), [0, 0, 0])
            self.assertEqual(self.up(e), "1")

    def test_it_goes_when_its_time_is_over_without_being_asked(self):
        with self.exporter_apart("--series.ttl", "3s") as e:
            e.rename_over(churn.name(1), churn.run(10))
            self.wait_durations(e, 10)
            written = os.stat(e.path(churn.name(1))).st_mtime
            changed = "encode_exporter_last_change_timestamp_seconds"
            self.wait_durations(e)
            dropped = e.wait_metrics("results", lambda m: m.value(changed) > written + 2)
            self.assertGreater(dropped.value(changed), written + 2.9)
            self.assertLess(dropped.value(changed), written + 8)

    def test_the_counters_stay_and_nothing_is_charged_twice(self):
        # 7200 s of one core at 0.50 per hour are 1 USD
        with self.exporter("--runs", "all", "--series.ttl", "1h") as e:
            e.rename_over(churn.name(1), churn.run(7200))
            self.wait_durations(e, 7200)
            self.assertEqual(self.accrued(e), 1)
            self.age(e, 1, 3601)
            self.wait_durations(e)
            self.assertEqual(self.accrued(e), 1)
            os.utime(e.path(churn.name(1)))    # the same run is back
            self.wait_durations(e, 7200)
            self.assertEqual(self.accrued(e), 1)
            self.age(e, 1, 3601)
            self.wait_durations(e)
            e.rename_over(churn.name(1), churn.run(7200, 3600))
            self.wait_durations(e, 7200, 3600)
            self.assertEqual(self.accrued(e), 1.5)

    def test_the_next_newest_takes_its_place(self):
        with self.exporter("--series.ttl", "1h") as e:
            for n in (1, 2, 3):
                e.rename_over(churn.name(n), churn.run(10 * n))
            self.wait_durations(e, 30)
            self.age(e, 3, 3601)
            self.wait_durations(e, 20)
            self.age(e, 1, 3601)
            self.age(e, 2, 3601)
            self.wait_durations(e)
            os.utime(e.path(churn.name(1)))
            self.wait_durations(e, 10)

    def test_a_bad_file_keeps_its_run_no_longer_than_a_good_one(self):
        with self.exporter("--series.ttl", "1h") as e:
            e.rename_over(churn.name(1), churn.run(10))
            self.wait_durations(e, 10)
            e.rename_over(churn.name(1), "{")
            self.wait_up(e, "0")
            self.assertEqual(self.durations(e), [10])
            self.age(e, 1, 3601)
            self.wait_durations(e)
            self.wait_up(e, "1")


class EndingByInotify(Ending, Case):
    mode = ()


class EndingByPolling(Ending, Case):
    mode = churn.POLL


class EndingAtStart(Case):
    def test_old_files_are_left_out_from_the_start(self):
        directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, directory)
        for n, age in ((1, 100000), (2, 10), (3, 3700)):
            path = os.path.join(directory, churn.name(n))
            harness.write_atomically(path, churn.run(10 * n))
            os.utime(path, (time.time() - age,) * 2)
        with self.exporter("--series.ttl", "1h", "--runs", "all",
                           directory=directory) as e:
            self.assertEqual(self.durations(e), [20])
            os.utime(e.path(churn.name(3)))
            self.wait_durations(e, 20, 30)
            # What was there at the start is the zero of the counters.
            self.assertEqual(self.accrued(e), 0)

    def test_once_leaves_them_out_too(self):
        directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, directory)
        path = os.path.join(directory, churn.name(1))
        harness.write_atomically(path, churn.run(10))
        os.utime(path, (time.time() - 3700,) * 2)
        for ttl, count in (("1h", 0), ("2h", 1), ("0s", 1)):
            done = harness.run("--results-dir", directory, "--once", "results",
                               "--series.ttl", ttl)
            self.assertEqual(done.returncode, 0)
            self.assertIn(f"\nresults_scenarios_total {count}\n", done.stdout)

    def test_an_idle_process_sleeps_until_then(self):
        """There is one timer, for the run that ends next, however many runs there are."""
        with self.exporter_apart("--runs", "all", "--series.ttl", "1h") as e:
            for n in range(1, 20):
                e.rename_over(churn.name(n), churn.run(10))
            self.wait_durations(e, *[10] * 19)
            self.wait_quiet(e)


class GoneBad(Case):
    def stale(self, e):
        return {s.labels["run_id"]: s.labels["reason"]
                for s in e.metrics("results").samples(STALE)}

    def wait_stale(self, e, want):
        harness.wait_until(lambda: self.stale(e) == want, what=f"stale runs {want}")

    def test_a_run_older_than_its_file_is_named_until_it_is_good_or_gone(self):
        with self.exporter("--runs", "all", "--max-file-size", "2KiB") as e:
            for n in (1, 2, 3):
                e.rename_over(churn.name(n), churn.run(10 * n))
            self.wait_durations(e, 10, 20, 30)
            self.assertNotIn(STALE, e.metrics("results"))
            modified = e.metrics("results").value(MTIME, run_id=run_id(1))
            e.rename_over(churn.name(1), "{")
            self.wait_stale(e, {run_id(1): "invalid_json"})
            e.rename_over(churn.name(3), "5")
            self.wait_stale(e, {run_id(1): "invalid_json", run_id(3): "wrong_shape"})
            e.rename_over(churn.name(2), " " * 3000)
            self.wait_stale(e, {run_id(1): "invalid_json", run_id(2): "too_large",
                                run_id(3): "wrong_shape"})
            self.assertEqual(self.durations(e), [10, 20, 30])
            # The time is that of the version served.
            self.assertEqual(e.metrics("results").value(MTIME, run_id=run_id(1)),
                             modified)
            self.assertIn(STALE, e.metrics("cost", "/metrics/all"))
            self.assertEqual(e.get("results", "/ready").status, 200)

            e.rename_over(churn.name(1), churn.run(11))
            self.wait_stale(e, {run_id(2): "too_large", run_id(3): "wrong_shape"})
            os.unlink(e.path(churn.name(3)))
            self.wait_stale(e, {run_id(2): "too_large"})
            e.rename_over(churn.name(2), churn.run(22))
            self.wait_stale(e, {})
            self.assertEqual(self.durations(e), [11, 22])

    def test_a_file_that_was_never_good_serves_nothing_old(self):
        with self.exporter() as e:
            e.rename_over(churn.name(1), churn.run(10))
            self.wait_durations(e, 10)
            e.rename_over(churn.name(2), "{")
            self.wait_up(e, "0")
            self.wait_counter(e, "encode_exporter_files", 1, state="failed")
            self.assertEqual(self.stale(e), {})

    def test_a_file_that_may_not_be_read_any_more(self):
        with self.exporter(user=harness.NOBODY) as e:
            e.rename_over(churn.name(1), churn.run(10))
            self.wait_durations(e, 10)
            os.chmod(e.path(churn.name(1)), 0)
            os.utime(e.path(churn.name(1)))
            harness.write_atomically(e.path(".hidden"), churn.run(20))
            os.chmod(e.path(".hidden"), 0)
            os.rename(e.path(".hidden"), e.path(churn.name(1)))
            self.wait_stale(e, {run_id(1): "unreadable"})
            os.chmod(e.path(churn.name(1)), 0o644)
            self.wait_stale(e, {})
            self.assertEqual(self.durations(e), [20])

    def test_their_number_is_bounded(self):
        with self.exporter("--runs", "all") as e:
            for n in range(1, 91):
                e.rename_over(churn.name(n), churn.run(10))
            self.wait_durations(e, *[10] * 90)
            for n in range(1, 91):
                e.rename_over(churn.name(n), "{")
            self.wait_counter(e, "encode_exporter_files", 90, state="failed")
            names = sorted(run_id(n) for n in range(1, 91))
            self.assertEqual(set(self.stale(e)), set(names[-64:]))


if __name__ == "__main__":
    harness.main()
