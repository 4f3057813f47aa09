# ctest: timeout 300
"""Results files come, change and go, and what is served follows, in both modes."""

import os
import threading

import churn
import harness


class Churn:
    def test_a_rewrite_in_place_is_served(self):
        with self.exporter() as e:
            e.write(churn.name(1), churn.run(10))
            self.wait_durations(e, 10)
            for d in (20, 30, 40):
                e.write(churn.name(1), churn.run(d))
                self.wait_durations(e, d)

    def test_a_rename_over_the_file_is_served(self):
        with self.exporter() as e:
            e.rename_over(churn.name(1), churn.run(10))
            self.wait_durations(e, 10)
            for d in (20, 30, 40):
                e.rename_over(churn.name(1), churn.run(d))
                self.wait_durations(e, d)

    def test_a_scenario_that_is_appended_is_served(self):
        with self.exporter() as e:
            for n in range(1, 12):
                e.write(churn.name(1), churn.run(*range(1, n + 1)))
                self.wait_durations(e, *range(1, n + 1))

    def test_a_file_of_the_same_size_written_at_once_again_is_served(self):
        # Too fast for the file's times to differ: only the events tell.
        with self.exporter() as e:
            for round in range(20):
                for d in range(10, 30):
                    e.write(churn.name(1), churn.run(d))
                self.wait_durations(e, 29)
                e.write(churn.name(1), churn.run(99))
                self.wait_durations(e, 99)

    def test_what_is_deleted_is_not_served_and_an_older_run_takes_its_place(self):
        with self.exporter() as e:
            e.write(churn.name(1), churn.run(10))
            self.wait_durations(e, 10)
            e.write(churn.name(2), churn.run(20))
            self.wait_durations(e, 20)
            os.unlink(e.path(churn.name(2)))
            self.wait_durations(e, 10)
            os.unlink(e.path(churn.name(1)))
            self.wait_durations(e)
            self.wait_counter(e, "encode_exporter_events_total", 2, kind="removed")
            self.assertEqual(self.up(e), "1")

    def test_a_file_moved_out_goes_and_one_moved_in_comes(self):
        with self.exporter() as e:
            e.write(churn.name(1), churn.run(10))
            self.wait_durations(e, 10)
            os.rename(e.path(churn.name(1)), os.path.join(e.scratch, "aside"))
            self.wait_durations(e)
            os.rename(os.path.join(e.scratch, "aside"), e.path(churn.name(3)))
            self.wait_durations(e, 10)

    def test_all_runs_follow_one_by_one(self):
        with self.exporter("--runs", "all") as e:
            for n in range(1, 9):
                e.write(churn.name(n), churn.run(n))
                self.wait_durations(e, *range(1, n + 1))
            e.write(churn.name(4), churn.run(44))
            self.wait_durations(e, 1, 2, 3, 44, 5, 6, 7, 8)
            os.unlink(e.path(churn.name(5)))
            self.wait_durations(e, 1, 2, 3, 44, 6, 7, 8)

    def test_a_file_cut_off_in_between_is_not_read_before_its_close(self):
        with self.exporter() as e:
            e.write(churn.name(1), churn.run(10))
            self.wait_durations(e, 10)
            before = self.body(e)
            text = churn.run(20, 30).encode()
            with open(e.path(churn.name(1)), "r+b", buffering=0) as f:
                f.truncate(0)
                self.neighbour(e, 1)
                self.assertEqual(self.body(e), before)
                f.write(text[:len(text) // 2])
                self.neighbour(e, 2)
                self.assertEqual(self.body(e), before)
                f.write(text[len(text) // 2:])
            self.wait_durations(e, 20, 30)
            self.wait_errors(e, "invalid_json", 0)

    def neighbour(self, e, number):
        """Another file is written and seen: what came before it has been seen, too."""
        e.write(f"other-{number}.txt", "x")
        self.wait_counter(e, "encode_exporter_files", number, state="ignored")

    def test_temporary_names_are_not_even_counted(self):
        with self.exporter() as e:
            for other in (".test_results_1.json", "test_results_1.json.tmp",
                          "test_results_1.json.part", "test_results_1.json~"):
                e.write(other, churn.run(1))
            e.write("a.txt", "")
            e.write("test_results.json", "")
            e.write("xtest_results_1.json", "")
            e.write(churn.name(1), churn.run(10))
            self.wait_durations(e, 10)
            self.wait_counter(e, "encode_exporter_files", 3, state="ignored")
            os.unlink(e.path("a.txt"))
            self.wait_counter(e, "encode_exporter_files", 2, state="ignored")
            self.assertEqual(e.log_count("level=(warn|error)"), 0, e.log)

    def test_a_hard_link_is_a_run(self):
        with self.exporter() as e:
            outside = os.path.join(e.scratch, "made-elsewhere")
            with open(outside, "w", encoding="utf-8") as f:
                f.write(churn.run(10))
            os.link(outside, e.path(churn.name(1)))
            self.wait_durations(e, 10)

    def test_a_link_to_a_file_of_the_directory_is_a_run_and_follows_it(self):
        with self.exporter() as e:
            e.write("current.json", churn.run(10))
            os.symlink("current.json", e.path(churn.name(1)))
            self.wait_durations(e, 10)
            e.write("current.json", churn.run(20))
            self.wait_durations(e, 20)
            e.rename_over("current.json", churn.run(30))
            self.wait_durations(e, 30)
            e.write("next.json", churn.run(40))
            os.symlink("next.json", e.path(".link"))
            os.rename(e.path(".link"), e.path(churn.name(1)))
            self.wait_durations(e, 40)
            os.unlink(e.path(churn.name(1)))
            self.wait_durations(e)

    def test_an_absolute_link_back_into_the_directory_is_followed(self):
        with self.exporter() as e:
            e.write("target.json", churn.run(10))
            os.symlink(e.path("target.json"), e.path(churn.name(1)))
            self.wait_durations(e, 10)

    def test_a_projected_volume_is_swapped_as_one(self):
        with self.exporter("--runs", "all") as e:
            def swap(version, runs):
                folder = f"..2026_{version}"
                os.mkdir(e.path(folder))
                for number, text in runs.items():
                    e.write(os.path.join(folder, churn.name(number)), text)
                os.symlink(folder, e.path("..data_tmp"))
                os.rename(e.path("..data_tmp"), e.path("..data"))
                for number in runs:
                    link = e.path(churn.name(number))
                    if not os.path.lexists(link):
                        os.symlink(os.path.join("..data", churn.name(number)), link)

            swap(1, {1: churn.run(10), 2: churn.run(20)})
            self.wait_durations(e, 10, 20)
            swap(2, {1: churn.run(11), 2: churn.run(22)})
            self.wait_durations(e, 11, 22)
            swap(3, {1: churn.run(12), 2: churn.run(22), 3: churn.run(33)})
            self.wait_durations(e, 12, 22, 33)
            self.assertEqual(e.log_count("level=(warn|error)"), 0, e.log)

    def test_a_thousand_files_at_start_are_all_served(self):
        directory = harness.temp_dir()
        self.addCleanup(harness.shutil.rmtree, directory)
        for n in range(1000):
            with open(os.path.join(directory, churn.name(n)), "w", encoding="utf-8") as f:
                f.write(churn.run(n + 1))
        with self.exporter("--runs", "all", directory=directory) as e:
            self.wait_durations(e, *range(1, 1001))

    def test_large_files_are_served_and_their_last_version_wins(self):
        filler = "x" * 100
        with self.exporter() as e:
            for last in (1, 2):
                for version in range(4):
                    runs = [version + 1] * 2999 + [1000 * last + version]
                    e.write(churn.name(1), churn.run(*runs, ignored=filler))
                harness.wait_until(lambda: self.durations(e)[-1:] == [1000 * last + 3],
                                   timeout=60, what="the last version")


class ByInotify(Churn, churn.Case):
    mode = ("--watch", "inotify")

    def test_a_file_made_without_a_name_is_served_when_it_gets_one(self):
        with self.exporter() as e:
            fd = os.open(e.directory, os.O_TMPFILE | os.O_WRONLY, 0o644)
            try:
                os.write(fd, churn.run(10).encode())
                root = os.open("/", os.O_PATH)    # without it Python calls link(2)
                os.link(f"/proc/self/fd/{fd}", e.path(churn.name(1)), src_dir_fd=root,
                        follow_symlinks=True)
                os.close(root)
            finally:
                os.close(fd)
            self.wait_durations(e, 10)

    def test_a_file_that_becomes_readable_is_served(self):
        with self.exporter(user=harness.NOBODY) as e:
            e.write(".hidden", churn.run(10))
            os.chmod(e.path(".hidden"), 0)
            os.rename(e.path(".hidden"), e.path(churn.name(1)))
            self.said_once(e, "cannot be read.*permission denied")
            os.chmod(e.path(churn.name(1)), 0o644)
            self.wait_durations(e, 10)
            self.wait_errors(e, "unreadable", 1)

    def test_a_storm_of_files_ends_with_the_newest_served(self):
        # More events than the kernel's queue holds, while the exporter is stopped.
        with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as f:
            events = int(f.read())
        count = max(50_000, events + 1000)
        with self.exporter() as e:
            text = churn.run(10)
            os.kill(e.process.pid, harness.signal.SIGSTOP)
            try:
                for n in range(count):
                    with open(e.path(f"test_results_storm_{n:06d}.json"), "w",
                              encoding="ascii") as f:
                        f.write(text)
                e.write("test_results_20990101_000000.json", churn.run(77))
            finally:
                os.kill(e.process.pid, harness.signal.SIGCONT)
            self.wait_durations(e, 77, timeout=60)
            self.wait_counter(e, "encode_exporter_events_total", 1, kind="overflow")
            self.wait_counter(e, "encode_exporter_files", count, state="other")
            e.write("test_results_20990101_000001.json", churn.run(78))
            self.wait_durations(e, 78)

    def test_a_storm_at_full_speed_loses_nothing(self):
        with self.exporter("--runs", "all", "--max-scenarios", "100000") as e:
            def write(part):
                for n in range(part, 4000, 2):
                    e.rename_over(f"test_results_{n:06d}.json", churn.run(n + 1))
            writers = [threading.Thread(target=write, args=(part,)) for part in (0, 1)]
            for w in writers:
                w.start()
            for w in writers:
                w.join()
            harness.wait_until(lambda: sorted(self.durations(e)) ==
                               list(map(float, range(1, 4001))), 60, "all runs")

    def test_an_idle_exporter_is_never_woken(self):
        with self.exporter_apart() as e:
            e.write(churn.name(1), churn.run(10))
            self.wait_durations(e, 10)
            self.wait_quiet(e)


class ByPolling(Churn, churn.Case):
    mode = churn.POLL

    def test_a_file_cut_off_in_between_is_not_read_before_its_close(self):
        # Polling cannot know of the close: a file that stays bad for two polls is bad,
        # and what was served of it before still is.
        with self.exporter() as e:
            e.write(churn.name(1), churn.run(10))
            self.wait_durations(e, 10)
            text = churn.run(20, 30).encode()
            with open(e.path(churn.name(1)), "r+b", buffering=0) as f:
                f.truncate(0)
                self.wait_up(e, "0")
                self.assertEqual(self.durations(e), [10])
                f.write(text[:len(text) // 2])
                self.neighbour(e, 1)
                self.assertEqual(self.durations(e), [10])
                f.write(text[len(text) // 2:])
            self.wait_durations(e, 20, 30)
            self.wait_up(e, "1")

    def test_the_mode_is_told(self):
        with self.exporter() as e:
            self.assertEqual(
                self.counter(e, "encode_exporter_watch_info", mode="poll"), 1)


if __name__ == "__main__":
    harness.main()
