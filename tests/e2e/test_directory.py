# ctest: timeout 240
"""The results directory itself comes, goes, and turns out to be something else."""

import os
import re
import shutil
import subprocess
import unittest

import churn
import harness

GONE = "results directory cannot be read"
BACK = "results directory can be read again"


class Directory:
    def setUp(self):
        self.base = harness.temp_dir()
        self.addCleanup(shutil.rmtree, self.base, ignore_errors=True)
        self.dir = os.path.join(self.base, "data", "results")

    def start(self, *flags, **more):
        return self.exporter(*flags, directory=self.dir, **more)

    def make(self, *durations, where=None):
        """A directory with one run for each duration."""
        where = where or self.dir
        os.makedirs(where, exist_ok=True)
        for i, d in enumerate(durations):
            harness.write_atomically(os.path.join(where, churn.name(i)), churn.run(d))

    def test_one_that_is_missing_at_start_is_picked_up(self):
        with self.start("--runs", "all") as e:
            self.said_once(e, GONE + ".*(does not exist|No such file)")
            self.assertEqual(e.get("results", "/ready").status, 200)
            self.wait_durations(e)
            self.make(10, 20)
            self.wait_durations(e, 10, 20)
            e.write(churn.name(3), churn.run(30))
            self.wait_durations(e, 10, 20, 30)
            self.said_once(e, BACK)

    def test_many_files_made_again_while_their_loss_is_noted_are_all_served(self):
        # Far more names than are handled in one turn of the loop.
        count = 1100
        self.make(*range(1, count + 1))
        with self.start("--runs", "all", "--max-scenarios", "100000") as e:
            self.wait_total(e, count)
            for n in range(3):
                os.rename(self.dir, os.path.join(self.base, f"away{n}"))
                self.make(*range(1, count + 1))
                self.wait_total(e, count)

    def wait_total(self, e, count):
        def total():
            self.seen = re.search(r"^results_scenarios_total (\S+)$",
                                  e.get("results", "/metrics?name[]=results_scenarios_total")
                                  .text, re.M)[1]
            return self.seen == str(count)
        harness.wait_until(total, 60, what=f"{count} scenarios")

    def test_one_that_is_removed_and_made_again_is_picked_up(self):
        self.make(10, 20)
        with self.start("--runs", "all") as e:
            for n in range(5):
                self.wait_durations(e, 10, 20)
                shutil.rmtree(self.dir)
                harness.wait_until(lambda: e.log_count(GONE) == n + 1, what="one line")
                self.make(n + 1)
                self.wait_durations(e, n + 1)
                harness.wait_until(lambda: e.log_count(BACK) == n + 1, what="one line")
                self.make(10, 20)

    def test_one_that_is_renamed_away_is_still_served_until_another_comes(self):
        self.make(10, 20)
        with self.start("--runs", "all") as e:
            self.wait_durations(e, 10, 20)
            os.rename(self.dir, self.dir + ".aside")
            self.said_once(e, GONE + ".*served=.what was read before")
            self.assertEqual(self.durations(e), [10, 20])
            self.assertEqual(self.up(e), "1")
            harness.write_atomically(os.path.join(self.dir + ".aside", churn.name(5)),
                                     churn.run(50))
            self.make(30)
            self.wait_durations(e, 30)
            self.said_once(e, BACK)

    def test_one_that_is_renamed_away_and_back_is_read_again(self):
        self.make(10)
        with self.start() as e:
            self.wait_durations(e, 10)
            os.rename(self.dir, self.dir + ".aside")
            e.wait_log(GONE)
            os.unlink(os.path.join(self.dir + ".aside", churn.name(0)))
            self.make(11, where=self.dir + ".aside")
            os.rename(self.dir + ".aside", self.dir)
            self.wait_durations(e, 11)
            e.write(churn.name(0), churn.run(12))
            self.wait_durations(e, 12)

    def test_a_whole_path_that_appears_step_by_step_is_followed(self):
        with self.start() as e:
            e.wait_log(GONE)
            os.mkdir(os.path.join(self.base, "data"))
            os.mkdir(self.dir)
            e.write(churn.name(1), churn.run(10))
            self.wait_durations(e, 10)

    def test_a_parent_that_is_replaced_is_noticed(self):
        self.make(10)
        other = os.path.join(self.base, "other")
        self.make(20, where=os.path.join(other, "results"))
        with self.start() as e:
            self.wait_durations(e, 10)
            os.rename(os.path.join(self.base, "data"), os.path.join(self.base, "old"))
            os.rename(other, os.path.join(self.base, "data"))
            self.wait_durations(e, 20)
            e.write(churn.name(1), churn.run(30))
            self.wait_durations(e, 30)

    def test_a_swapped_link_is_followed(self):
        os.makedirs(os.path.join(self.base, "data"))
        targets = [os.path.join(self.base, "store", f"v{n}") for n in range(4)]
        for n, target in enumerate(targets):
            self.make(n + 1, where=target)
        os.symlink(targets[0], self.dir)
        with self.start() as e:
            for n, target in enumerate(targets):
                os.symlink(os.path.join("..", "store", f"v{n}"), self.dir + ".new")
                os.rename(self.dir + ".new", self.dir)
                self.wait_durations(e, n + 1)
                harness.write_atomically(os.path.join(target, churn.name(7)),
                                         churn.run(100 + n))
                self.wait_durations(e, 100 + n)
                os.unlink(os.path.join(target, churn.name(7)))
                self.wait_durations(e, n + 1)
            os.unlink(self.dir)
            e.wait_log(GONE)
            self.assertEqual(self.durations(e), [4])

    def test_a_link_in_the_middle_of_the_path_is_followed(self):
        self.make(10, where=os.path.join(self.base, "a", "results"))
        self.make(20, where=os.path.join(self.base, "b", "results"))
        os.symlink("a", os.path.join(self.base, "data"))
        with self.start() as e:
            self.wait_durations(e, 10)
            os.symlink(os.path.join(self.base, "b"), os.path.join(self.base, "new"))
            os.rename(os.path.join(self.base, "new"), os.path.join(self.base, "data"))
            self.wait_durations(e, 20)

    def test_links_in_a_circle_are_an_error_that_passes(self):
        os.makedirs(os.path.join(self.base, "data"))
        os.symlink("results", self.dir)
        with self.start() as e:
            self.said_once(e, GONE + ".*symbolic links")
            os.unlink(self.dir)
            self.make(10)
            self.wait_durations(e, 10)

    def test_a_file_in_its_place_is_an_error_that_passes(self):
        os.makedirs(os.path.join(self.base, "data"))
        with open(self.dir, "w", encoding="ascii") as f:
            f.write("x")
        with self.start() as e:
            self.said_once(e, GONE + ".*(not a directory|Not a directory)")
            self.assertEqual(e.get("results", "/ready").status, 200)
            os.unlink(self.dir)
            self.make(10)
            self.wait_durations(e, 10)
            self.said_once(e, BACK)

    def test_a_directory_that_a_file_replaces_is_still_served(self):
        self.make(10)
        with self.start() as e:
            self.wait_durations(e, 10)
            os.rename(self.dir, self.dir + ".aside")
            with open(self.dir, "w", encoding="ascii") as f:
                f.write("x")
            e.wait_log(GONE + ".*(not a directory|Not a directory)")
            self.assertEqual(self.durations(e), [10])
            os.unlink(self.dir)
            self.make(20)
            self.wait_durations(e, 20)

    def test_one_that_may_not_be_read_for_a_while_is_still_served(self):
        self.make(10)
        os.chown(self.dir, harness.NOBODY, harness.NOBODY)
        with self.start(user=harness.NOBODY) as e:
            self.wait_durations(e, 10)
            os.chmod(self.dir, 0)
            self.said_once(e, GONE + ".*ermission")
            self.assertEqual(self.durations(e), [10])
            harness.write_atomically(os.path.join(self.dir, churn.name(1)), churn.run(20))
            os.chmod(self.dir, 0o755)
            self.wait_durations(e, 20)
            self.said_once(e, BACK)
            e.write(churn.name(2), churn.run(30))
            self.wait_durations(e, 30)

    def test_parents_that_may_be_passed_but_not_read_do_no_harm(self):
        self.make(10)
        os.chmod(os.path.join(self.base, "data"), 0o711)
        with self.start(user=harness.NOBODY) as e:
            self.wait_durations(e, 10)
            os.rename(self.dir, self.dir + ".aside")
            e.wait_log(GONE)
            self.make(20)
            self.wait_durations(e, 20)

    def test_a_file_system_mounted_over_it_is_noticed(self):
        self.make(10)
        wrapper = ("unshare", "--mount", "--propagation", "private")
        if subprocess.run([*wrapper, "true"], check=False).returncode != 0:
            self.skipTest("no mount namespaces here")
        with self.start(wrapper=wrapper) as e:
            self.wait_durations(e, 10)
            inside = ["nsenter", "--mount", "--target", str(e.process.pid)]
            subprocess.run([*inside, "mount", "-t", "tmpfs", "none", self.dir], check=True)
            subprocess.run([*inside, "sh", "-c", f'cat >"{self.dir}/{churn.name(0)}"'],
                           input=churn.run(20).encode(), check=True)
            self.wait_durations(e, 20)
            subprocess.run([*inside, "umount", self.dir], check=True)
            self.wait_durations(e, 10)
            e.write(churn.name(0), churn.run(11))
            self.wait_durations(e, 11)


class ByInotify(Directory, churn.Case):
    mode = ("--watch", "inotify")

    def test_a_directory_that_somebody_stands_in_is_let_go(self):
        # Its own IN_DELETE_SELF comes only when the last user is gone.
        self.make(10)
        with self.start() as e:
            self.wait_durations(e, 10)
            fd = os.open(self.dir, os.O_RDONLY)
            try:
                shutil.rmtree(self.dir)
                self.make(20)
                self.wait_durations(e, 20)
                e.write(churn.name(0), churn.run(30))
                self.wait_durations(e, 30)
            finally:
                os.close(fd)


class ByPolling(Directory, churn.Case):
    mode = churn.POLL


class AtStart(unittest.TestCase):
    def test_a_directory_that_may_not_be_read_ends_the_start(self):
        base = harness.temp_dir()
        self.addCleanup(shutil.rmtree, base)
        results = os.path.join(base, "results")
        os.mkdir(results, 0o700)
        program = shutil.copy(harness.binary(), base)
        done = subprocess.run(
            ["setpriv", f"--reuid={harness.NOBODY}", f"--regid={harness.NOBODY}",
             "--clear-groups", program, "--results-dir", results],
            env=harness.environment(), stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(), f"{results}.*(?i:permission denied)")


if __name__ == "__main__":
    harness.main()
