# ctest: timeout 240
"""Every kind of bad file: one line that names it and the reason, the counter, and all
else is served as before."""

import contextlib
import json
import os
import re
import socket

import churn
import harness

BAD = "results file cannot be read"
WELL = "results file can be read again"
REASONS = ("unreadable", "too_large", "invalid_json", "wrong_shape", "invalid_value")
CUT = '[{"name":"ü","duration":7}]'.encode()


class BadFiles:
    def setUp(self):
        self.good = churn.name(50)

    def bad(self, e, name, reason):
        """The file is complained of once, and the good run is still served."""
        self.said_once(e, f'msg="{BAD}" file="?{re.escape(name)}"? reason=.*{reason}.* '
                       'served=')
        self.assertEqual(e.log_count(f'{BAD}.*file="?{re.escape(name)}'), 1, e.log)
        self.assertIn(10.0, self.durations(e))

    @contextlib.contextmanager
    def started(self, *flags, user=None, **errors):
        """errors: what the counters say in the end, by reason; the others say 0."""
        with self.exporter("--runs", "all", *flags, user=user) as e:
            yield e
            for reason in REASONS:
                self.wait_errors(e, reason, errors.get(reason, 0))

    def with_good(self, e):
        e.rename_over(self.good, churn.run(10))
        self.wait_durations(e, 10)

    def test_an_empty_file(self):
        with self.started(invalid_json=1) as e:
            self.with_good(e)
            e.write(churn.name(99), "")
            self.bad(e, churn.name(99), "empty")
            self.assertEqual(self.up(e), "0")
            e.write(churn.name(99), churn.run(20))
            self.wait_durations(e, 10, 20)
            self.assertEqual(self.up(e), "1")
            self.said_once(e, WELL)

    def test_parts_that_are_wrong_are_left_out_and_told_once(self):
        with self.started(wrong_shape=6, invalid_value=1) as e:
            self.with_good(e)
            text = json.dumps({"scenarios": [
                {"name": "good", "duration": 20}, 5, {"duration": 1}, {"name": 7},
                {"name": "negative", "duration": -1, "fps": 30}]})
            e.write(churn.name(99), text)
            self.wait_durations(e, 10, 20)
            self.said_once(e, f"file={churn.name(99)} reason=")
            e.write(churn.name(99), text.replace("20", "21"))
            self.wait_durations(e, 10, 21)
            self.assertEqual(e.log_count(f"file={churn.name(99)} "), 1, e.log)

    def test_the_same_fault_again_is_counted_and_not_said_again(self):
        with self.started(invalid_json=3, wrong_shape=1) as e:
            self.with_good(e)
            for n in range(1, 4):
                e.write(churn.name(1), "{")
                self.wait_errors(e, "invalid_json", n)
            self.said_once(e, BAD)
            e.write(churn.name(1), "5")
            self.said(e, BAD, 2)

    def test_what_was_good_stays_served_when_the_file_goes_bad(self):
        with self.started(invalid_json=4) as e:
            self.with_good(e)
            before = self.body(e)
            for n, text in enumerate(("", "{", "[1", churn.run(30)[:-1])):
                e.write(self.good, text)
                self.wait_up(e, "0")
                self.assertEqual(self.body(e).replace("up 0", "up 1"), before)
                e.write(self.good, churn.run(10))
                self.wait_up(e, "1")
                self.assertEqual(self.body(e), before)
            self.said(e, "served=.last good content", 4)
            self.said(e, WELL, 4)

    def test_a_file_that_may_not_be_read(self):
        with self.started(user=harness.NOBODY, unreadable=1) as e:
            self.with_good(e)
            with open(e.path(".x"), "w", encoding="ascii") as f:
                f.write(churn.run(20))
            os.chmod(e.path(".x"), 0)
            os.rename(e.path(".x"), e.path(churn.name(1)))
            self.bad(e, churn.name(1), "permission denied")

    def test_a_fifo_is_not_opened(self):
        with self.started(unreadable=2) as e:
            self.with_good(e)
            os.mkfifo(e.path(churn.name(1)))
            self.bad(e, churn.name(1), "not a regular file.*FIFO")
            # A reader would let this open succeed.
            with self.assertRaises(OSError):
                os.open(e.path(churn.name(1)), os.O_WRONLY | os.O_NONBLOCK)
            os.symlink(churn.name(1), e.path(churn.name(2)))
            self.bad(e, churn.name(2), "not a regular file.*FIFO")
            e.rename_over(churn.name(1), churn.run(30))
            self.wait_durations(e, 30, 30, 10)

    def test_directories_sockets_and_devices_are_left_alone(self):
        with self.started(unreadable=3) as e:
            self.with_good(e)
            os.mkdir(e.path(churn.name(1)))
            self.bad(e, churn.name(1), "not a regular file.*directory")
            with socket.socket(socket.AF_UNIX) as s:
                s.bind(e.path(churn.name(2)))
            self.bad(e, churn.name(2), "not a regular file.*socket")
            os.mknod(e.path(churn.name(3)), 0o020644, os.makedev(1, 3))
            self.bad(e, churn.name(3), "not a regular file.*device")

    def test_a_run_that_a_directory_replaces_is_gone(self):
        with self.started(unreadable=1) as e:
            self.with_good(e)
            e.write(churn.name(1), churn.run(20))
            self.wait_durations(e, 20, 10)
            os.unlink(e.path(churn.name(1)))
            os.mkdir(e.path(churn.name(1)))
            self.wait_durations(e, 10)
            self.bad(e, churn.name(1), "directory")
            os.rmdir(e.path(churn.name(1)))
            e.write(churn.name(1), churn.run(30))
            self.wait_durations(e, 30, 10)

    def test_links_that_lead_out_are_refused(self):
        with self.started(unreadable=6) as e:
            self.with_good(e)
            secret = os.path.join(e.scratch, "secret.json")
            with open(secret, "w", encoding="ascii") as f:
                f.write(churn.run(666))
            sibling = e.directory + "-more"    # begins like the directory
            os.mkdir(sibling)
            with open(os.path.join(sibling, "x.json"), "w", encoding="ascii") as f:
                f.write(churn.run(667))
            os.symlink(e.scratch, e.path("up"))
            for n, target in enumerate((secret, "../secret.json", "up/secret.json",
                                        os.path.join(sibling, "x.json"),
                                        "/proc/self/environ", "/proc/self/cwd/x")):
                os.symlink(target, e.path(churn.name(n)))
                self.bad(e, churn.name(n), "leads")
            self.assertEqual(self.durations(e), [10])
            self.assertNotIn("66", "".join(re.findall(r"duration.* (\S+)$", e.log)))

    def test_links_that_lead_nowhere(self):
        with self.started(unreadable=2) as e:
            self.with_good(e)
            os.symlink("no-such-file", e.path(churn.name(1)))
            self.bad(e, churn.name(1), "leads to nothing")
            os.symlink(churn.name(2), e.path(churn.name(2)))
            self.bad(e, churn.name(2), "symbolic links")
            e.write("no-such-file", churn.run(20))
            self.wait_durations(e, 20, 10)

    def test_a_broken_newest_at_start_gives_way_to_the_next(self):
        directory = harness.temp_dir()
        self.addCleanup(harness.shutil.rmtree, directory)
        for n, text in enumerate((churn.run(10), churn.run(20), "{", "")):
            harness.write_atomically(os.path.join(directory, churn.name(n)), text)
        with self.exporter(directory=directory) as e:
            self.assertEqual(self.durations(e), [20])
            self.assertEqual(self.up(e), "0")
            self.wait_errors(e, "invalid_json", 2)
            self.said(e, BAD + ".*served=nothing", 2)


class ByInotify(BadFiles, churn.Case):
    mode = ("--watch", "inotify")

    def test_not_json(self):
        with self.started(invalid_json=4) as e:
            self.with_good(e)
            for n, text in enumerate(("hello", "\0\0\0\0", '{"scenarios": [}', "<html>")):
                e.write(churn.name(n), text)
                self.bad(e, churn.name(n), "byte")

    def test_json_of_another_shape(self):
        with self.started(wrong_shape=4) as e:
            self.with_good(e)
            for n, text in enumerate(("12", '"text"', '{"scenarios": 5}', "{}")):
                e.write(churn.name(n), text)
                self.bad(e, churn.name(n), ".")

    def test_65_levels(self):
        with self.started(invalid_json=1) as e:
            self.with_good(e)
            deep = '{"scenarios":[{"name":"x","duration":5,"y":%s1%s}]}'
            e.write(churn.name(1), deep % ("[" * 61, "]" * 61))
            self.wait_durations(e, 5, 10)
            e.write(churn.name(2), deep % ("[" * 62, "]" * 62))
            self.bad(e, churn.name(2), "nested too deeply")

    def test_a_file_above_the_limit(self):
        with self.started("--max-file-size", "4KiB", too_large=1) as e:
            self.with_good(e)
            text = churn.run(20).encode()
            e.write(churn.name(1), text + b" " * (4096 - len(text)))
            self.wait_durations(e, 20, 10)
            e.write(churn.name(2), text + b" " * (4097 - len(text)))
            self.bad(e, churn.name(2), "4097 bytes.*4096")

    def test_a_file_of_64_mib_and_one_byte(self):
        with self.started(too_large=1) as e:
            self.with_good(e)
            with open(e.path(churn.name(1)), "wb") as f:
                f.truncate((64 << 20) + 1)
            self.bad(e, churn.name(1), "67108865 bytes")

    def test_a_run_of_too_many_scenarios(self):
        with self.started("--max-scenarios", "3", too_large=1) as e:
            self.with_good(e)
            e.write(churn.name(1), churn.run(1, 2, 3, 4))
            self.bad(e, churn.name(1), "3")

    def test_names_with_anything_in_them(self):
        names = [b"test_results_a\nlevel=error msg=forged.json",
                 b'test_results_"quoted" \\ and \t.json', "test_results_ä🙂.json".encode(),
                 b"test_results_" + b"x" * (255 - 18) + b".json"]
        with self.started(invalid_json=4, unreadable=1) as e:
            self.with_good(e)
            for n, name in enumerate(names):
                path = os.path.join(e.directory.encode(), name)
                with open(path, "wb") as f:
                    f.write(b"{")
                harness.wait_until(lambda: e.log_count(BAD) == n + 1, what="one line each")
                with open(path, "wb") as f:
                    f.write(churn.run(20 + n).encode())
                harness.wait_until(lambda: 20.0 + n in self.durations(e), what="served")
            # Two names that are not UTF-8 may be one label.
            with open(os.path.join(e.directory.encode(), b"test_results_\xff\xfe.json"),
                      "wb") as f:
                f.write(churn.run(30).encode())
            e.wait_log("its name is not UTF-8")
            self.assertEqual(e.log_count("^level=error"), 0)
            for line in list(e.lines):
                self.assertRegex(line, "^ts=")
            served = e.metrics("results")
            self.assertEqual(len(served.samples("results_scenario_duration_seconds")), 5)

    def test_a_file_cut_off_at_every_byte(self):
        with self.started(invalid_json=len(CUT)) as e:
            self.with_good(e)
            e.write(churn.name(99), churn.run(20))
            self.wait_durations(e, 10, 20)
            before = self.body(e)
            for cut in range(len(CUT)):
                e.write(churn.name(99), CUT[:cut])
                self.wait_up(e, "0")
                self.assertEqual(self.body(e).replace("up 0", "up 1"), before)
                e.write(churn.name(99), churn.run(20))
                self.wait_up(e, "1")
            self.assertEqual(self.body(e), before)
            self.said(e, BAD, len(CUT))
            self.said(e, WELL, len(CUT))
            e.write(churn.name(99), CUT)
            self.wait_durations(e, 10, 7)


class ByPolling(BadFiles, churn.Case):
    mode = churn.POLL


if __name__ == "__main__":
    harness.main()
