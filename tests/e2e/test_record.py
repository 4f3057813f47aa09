# ctest: timeout 240
"""encode_exporter record: a command runs as without it, and a results file tells what it took."""

import glob
import json
import os
import pty
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
import unittest

import harness

CLIP = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=4")
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-b:v", "300k")
# Two processes that use a core each for a while, one of them a child of a child.
BURN = """
import os, time
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
pid = os.fork()
if pid == 0:
    burn(0.7)
    os._exit(0)
burn(0.4)
os.waitpid(pid, 0)
"""


def start(directory, *command, flags=(), **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stderr", subprocess.PIPE)
    return subprocess.Popen(
        [harness.binary(), "record", "--results-dir", directory, *flags, "--", *command],
        env=harness.environment(), **options)


def state_of(pid):
    """R, S, T …; None: there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return f.read().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return None


class Recording(unittest.TestCase):
    def setUp(self):
        self.scratch = harness.temp_dir()
        self.addCleanup(lambda: shutil.rmtree(self.scratch, ignore_errors=True))
        self.directory = os.path.join(self.scratch, "results")

    def record(self, *command, flags=(), **options):
        return harness.run("record", "--results-dir", self.directory, *flags, "--",
                           *command, **options)

    def files(self):
        return sorted(glob.glob(os.path.join(self.directory, "test_results_*.json")))

    def scenarios(self):
        found = []
        for path in self.files():
            with open(path, encoding="utf-8") as f:
                found += json.load(f)["scenarios"]
        # Nothing of the way a file is written stays.
        self.assertEqual(glob.glob(os.path.join(self.directory, ".*")), [])
        return found

    def only(self):
        found = self.scenarios()
        self.assertEqual(len(found), 1, found)
        return found[0]

    def begun(self):
        """The scenario that stands in the file while the command runs."""
        return harness.wait_until(lambda: self.files() and self.only(), what="a start")

    def end(self, process, timeout=20):
        with process:
            errors = process.communicate(timeout=timeout)[1].decode()
        self.assertIsNone(harness.SANITIZER.search(errors), errors)
        return process.returncode, errors


class Commands(Recording):
    def test_output_and_status_are_the_commands(self):
        done = self.record("sh", "-c", "echo out; echo err >&2; exit 7")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("out\n", "err\n", 7))
        made = self.only()
        self.assertEqual((made["name"], made["exit_status"]), ("sh", 7))
        self.assertAlmostEqual(made["end_time"] - made["start_time"], made["duration"],
                               delta=0.05)
        self.assertLess(abs(time.time() - made["end_time"]), 30)
        self.assertNotIn("encoder", made)
        self.assertNotIn("recording", made)
        self.assertEqual(glob.glob(self.directory + "/*.progress"), [])

    def test_stdin_is_the_commands(self):
        with open(__file__, "rb") as f:
            done = self.record("cat", stdin=f)
        with open(__file__, "rb") as f:
            self.assertEqual(done.stdout_bytes, f.read())

    def test_its_descriptors_and_mask_of_signals_are_left_alone(self):
        """What the command sees of the kernel is what it sees without us."""
        look = (sys.executable, "-c",
                "import os\nprint(os.listdir('/proc/self/fd'))\n"
                "print([line for line in open('/proc/self/status')\n"
                "       if line[:6] in ('SigBlk', 'SigIgn', 'SigCgt')])")
        alone = subprocess.run(look, stdout=subprocess.PIPE, check=True, text=True,
                               stdin=subprocess.DEVNULL, env=harness.environment()).stdout
        self.assertEqual(self.record(*look).stdout, alone)

    def test_what_cannot_be_run_has_the_status_that_a_shell_gives(self):
        done = self.record("no-such-command")
        self.assertEqual(done.returncode, 127)
        self.assertIn("no-such-command: No such file", done.stderr)
        done = self.record(self.scratch)
        self.assertEqual(done.returncode, 126)
        self.assertEqual(self.files(), [])

    def test_wrong_flags_run_nothing(self):
        for flags in (["--nmae", "x"], ["--param", "x"], ["--set", "sources=x"],
                      ["--set", "fps=fast"], ["--run", "a/b"], ["--run", ""]):
            done = self.record("sh", "-c", "echo ran", flags=flags)
            self.assertEqual((done.returncode, done.stdout), (125, ""), flags)
            self.assertIn(flags[0], done.stderr)
        done = harness.run("record", "--name")
        self.assertEqual(done.returncode, 125)

    def test_a_signal_that_ends_the_command_ends_us(self):
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV):
            shutil.rmtree(self.directory, ignore_errors=True)
            done = self.record("sh", "-c", f"kill -{int(number)} $$")
            self.assertEqual(done.returncode, -number)
            self.assertEqual(self.only()["exit_status"], 128 + number)

    def test_signals_are_passed_on(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            shutil.rmtree(self.directory, ignore_errors=True)
            process = start(self.directory, sys.executable, "-c",
                            "import signal, sys\n"
                            f"signal.signal({int(number)}, lambda *_: sys.exit(9))\n"
                            "print('ready', flush=True)\nsignal.pause()\n",
                            stdout=subprocess.PIPE)
            self.assertEqual(process.stdout.readline(), b"ready\n")
            process.send_signal(number)
            self.assertEqual(self.end(process)[0], 9)
            self.assertEqual(self.only()["exit_status"], 9)

    def test_a_key_of_the_terminal_reaches_the_command_once(self):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(harness.binary(),
                      ["encode_exporter", "record", "--results-dir", self.directory, "--",
                       sys.executable, "-c",
                       "import signal\nkeys = {signal.SIGINT}\n"
                       "signal.pthread_sigmask(signal.SIG_BLOCK, keys)\n"
                       "print('ready', flush=True)\nsignal.sigwaitinfo(keys)\n"
                       "print('got it', flush=True)\n"
                       "more = signal.sigtimedwait(keys, 1)\n"
                       "raise SystemExit(42 if more else 41)\n"],
                      harness.environment())
        self.read_until(terminal, b"ready")
        # Two signals that wait are one: the command takes its own before we go on.
        os.kill(pid, signal.SIGSTOP)
        harness.wait_until(lambda: state_of(pid) == "T", what="a stop")
        os.write(terminal, b"\x03")
        self.read_until(terminal, b"got it")
        os.kill(pid, signal.SIGCONT)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(terminal)
        self.assertEqual(status, 41)

    def read_until(self, terminal, text):
        said = b""
        while text not in said:
            self.assertTrue(select.select([terminal], [], [], 15)[0], said)
            said += os.read(terminal, 1000)

    def test_it_stops_and_goes_on_with_the_command(self):
        # In a group of its own, or the kernel drops the signal where nobody could continue it.
        process = start(self.directory, "sh", "-c", "echo $$; exec cat",
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)
        child = int(process.stdout.readline())
        process.send_signal(signal.SIGTSTP)
        for pid in (child, process.pid):
            harness.wait_until(lambda p=pid: state_of(p) == "T", what="a stop")
        process.send_signal(signal.SIGCONT)
        process.stdin.close()    # that is its end, however long all this took
        process.stdin = None     # for whoever waits for it
        self.assertEqual(self.end(process)[0], 0)

    def test_use_of_cores_is_that_of_all_its_processes(self):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = self.record(sys.executable, "-c", BURN)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertEqual(done.returncode, 0, done.stderr)
        took = sum(getattr(after, f) - getattr(before, f) for f in ("ru_utime", "ru_stime"))
        made = self.only()
        self.assertGreaterEqual(made["cpu_core_seconds"], 1.1)
        # The rest of what was used is our own: the sanitizers' start.
        self.assertLess(made["cpu_core_seconds"], took)
        self.assertLess(took - made["cpu_core_seconds"], 0.5)
        cores = made["cpu_usage_cores"]
        self.assertEqual(made["series_kind"], "mean")
        self.assertAlmostEqual(sum(cores) * made["step_seconds"], made["cpu_core_seconds"],
                               delta=0.002 * len(cores))
        self.assertAlmostEqual(len(cores) * made["step_seconds"], made["duration"],
                               delta=1e-4)

    def test_samples_follow_what_is_used_when(self):
        done = self.record(sys.executable, "-c",
                           "import time\ntime.sleep(1.5)\nend = time.process_time() + 1\n"
                           "while time.process_time() < end: pass\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        made = self.only()
        cores, step = made["cpu_usage_cores"], made["step_seconds"]
        early = sum(cores[:int(1.5 / step)]) * step
        self.assertLess(early, 0.35 * made["cpu_core_seconds"], cores)

    def test_a_process_that_is_left_behind_counts_and_is_waited_for(self):
        """Its parent is gone: it comes to us, and leaves no zombie."""
        pid = os.path.join(self.scratch, "pid")
        process = start(self.directory, "sh", "-c",
                        f"({sys.executable} -c \"$0\" & echo $! >{pid}); read p <{pid}\n"
                        "while kill -0 $p 2>/dev/null; do sleep 0.05; done", BURN)
        self.assertEqual(self.end(process, 60), (0, ""))
        self.assertGreaterEqual(self.only()["cpu_core_seconds"], 1.1)

    def test_as_the_first_process_of_a_container(self):
        def contained(script):
            return subprocess.run(
                ["unshare", "--pid", "--fork", "--mount-proc", harness.binary(), "record",
                 "--results-dir", self.directory, "--", "sh", "-c", script],
                env=harness.environment({"ASAN_OPTIONS": "detect_leaks=0"}),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                check=False, timeout=60)
        probe = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "true"],
                               stderr=subprocess.PIPE, check=False)
        if probe.returncode:
            self.skipTest(f"no namespaces here: {probe.stderr.decode().strip()}")
        self.assertEqual(contained("(sleep 0.1 &); exit 5").returncode, 5)
        self.assertEqual(contained("kill -9 $$").returncode, 137)


class Files(Recording):
    def test_each_has_a_file_of_its_own(self):
        running = [start(self.directory, "true") for _ in range(6)]
        for process in running:
            self.assertEqual(self.end(process), (0, ""))
        self.assertEqual(len(self.files()), 6)
        for path in self.files():
            self.assertRegex(os.path.basename(path),
                             r"^test_results_\d{8}_\d{6}(_\d)?\.json$")

    def test_many_at_once_add_to_one_run(self):
        running = [start(self.directory, "sh", "-c", f"exit {i}",
                         flags=("--run", "matrix", "--name", f"encode {i}"))
                   for i in range(12)]
        for i, process in enumerate(running):
            self.assertEqual(self.end(process), (i, ""))
        self.assertEqual([os.path.basename(p) for p in self.files()],
                         ["test_results_matrix.json"])
        self.assertEqual({(s["name"], s["exit_status"]) for s in self.scenarios()},
                         {(f"encode {i}", i) for i in range(12)})

    def test_what_a_file_holds_stays_as_it_stands(self):
        os.mkdir(self.directory)
        path = os.path.join(self.directory, "test_results_all.json")
        before = ('{ "note" : [1,\n 2.50, "\\u00e9"],\n  "scenarios": [\n'
                  '    {"name":"a",   "x": 1e3}\n  ],\n  "z": null }\n')
        harness.write_atomically(path, before)
        os.chmod(path, 0o664)
        for run in ("all", "test_results_all", "test_results_all.json"):
            self.assertEqual(self.record("true", flags=("--run", run)).stderr, "")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        head, tail = before.split("\n  ],")
        self.assertTrue(text.startswith(head + ",\n{"), text)
        self.assertTrue(text.endswith("\n  ]," + tail), text)
        self.assertEqual([s["name"] for s in self.scenarios()], ["a", "true", "true", "true"])
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o664)

    def test_a_file_that_is_broken_is_not_touched(self):
        os.mkdir(self.directory)
        path = os.path.join(self.directory, "test_results_all.json")
        harness.write_atomically(path, '{"scenarios": [{"name": ')
        done = self.record("sh", "-c", "exit 3", flags=("--run", "all"))
        self.assertEqual(done.returncode, 3)
        self.assertIn("left as it is", done.stderr)
        with open(path, encoding="utf-8") as f:
            self.assertEqual(f.read(), '{"scenarios": [{"name": ')
        other = [p for p in self.files() if p != path]
        self.assertEqual(len(other), 1)
        with open(other[0], encoding="utf-8") as f:
            self.assertEqual(json.load(f)["scenarios"][0]["exit_status"], 3)

    def test_a_directory_that_cannot_be_written_ends_no_encode(self):
        self.directory = "/dev/null/results"
        done = self.record("sh", "-c", "echo ran; exit 4")
        self.assertEqual((done.stdout, done.returncode), ("ran\n", 4))
        self.assertIn("not recorded: /dev/null/results: Not a directory", done.stderr)
        done = self.record("sh", "-c", "echo ran", flags=("--strict",))
        self.assertEqual((done.stdout, done.returncode), ("", 125))
        self.assertIn("not run: /dev/null/results", done.stderr)

    def test_strict_tries_before_it_runs(self):
        self.assertEqual(self.record("true", flags=("--strict",)).returncode, 0)
        self.assertEqual(self.only()["exit_status"], 0)
        path = os.path.join(self.directory, "test_results_all.json")
        harness.write_atomically(path, "[")
        done = self.record("echo", "ran", flags=("--strict", "--run", "all"))
        self.assertEqual((done.stdout, done.returncode), ("", 125))

    def test_of_a_killed_one_the_start_stays(self):
        process = start(self.directory, "sleep", "60", flags=("--name", "encode"))
        made = self.begun()
        self.assertEqual(made["name"], "encode")
        self.assertNotIn("end_time", made)
        self.assertNotIn("duration", made)
        with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="utf-8") as f:
            child = int(f.read())
        process.kill()
        self.assertEqual(self.end_killed(process), -signal.SIGKILL)
        os.kill(child, signal.SIGKILL)
        self.assertEqual(self.only(), made)

    def end_killed(self, process):
        with process:
            process.stderr.close()
            return process.wait(20)

    def test_fields_and_params_are_the_users_before_all(self):
        self.record("true", flags=("--name", 'a "b"\n\u00e9', "--param", "tune=film",
                                   "--param=tune=grain", "--set", "source=clip",
                                   "--set=streams=4", "--set", "bitrate=2500k"))
        made = self.only()
        self.assertEqual((made["name"], made["params"]), ('a "b"\n\u00e9', {"tune": "grain"}))
        self.assertEqual((made["source"], made["streams"], made["bitrate"]),
                         ("clip", 4, "2500k"))

    def test_without_its_library_the_command_runs(self):
        alone = os.path.join(self.scratch, "encode_exporter")
        shutil.copy(harness.binary(), alone)
        done = subprocess.run([alone, "record", "--", "sh", "-c", "exit 6"], check=False,
                              env=harness.environment(), stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 6)
        self.assertIn("nothing is recorded", done.stderr)
        done = subprocess.run([alone, "record", "--strict", "--", "true"], check=False,
                              env=harness.environment(), stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 125)


class Encodes(Recording):
    def setUp(self):
        super().setUp()
        if not shutil.which("ffmpeg"):
            self.skipTest("no ffmpeg (package ffmpeg)")

    def output(self, name="clip 300k.mp4"):
        return os.path.join(self.scratch, name)

    def test_figures_are_ffmpegs_own(self):
        done = self.record("ffmpeg", "-nostdin", *CLIP, *X264, self.output(),
                           flags=("--param", "team=a", "--no-probe"))
        self.assertEqual(done.returncode, 0, done.stderr)
        made = self.only()
        last = re.search(r"frame= *(\d+) [^\r]* Lsize=[^\r]* time=(\S+) bitrate= *([\d.]+)",
                         done.stderr)
        hours, minutes, seconds = last[2].split(":")
        self.assertEqual(made["total_frames"], int(last[1]))
        self.assertEqual(made["total_frames"], 100)
        self.assertAlmostEqual(made["media_seconds"], int(hours) * 3600 + int(minutes) * 60
                               + float(seconds), delta=0.011)
        self.assertAlmostEqual(made["actual_bitrate_kbps"], float(last[3]), delta=0.06)
        self.assertAlmostEqual(
            made["actual_bitrate_kbps"] * made["media_seconds"] / 8 * 1000,
            os.path.getsize(self.output()), delta=2)
        self.assertEqual(made["dropped_frames"], 0)
        self.assertEqual(
            {k: made[k] for k in ("name", "encoder", "codec", "preset", "bitrate", "source",
                                  "rate_control", "params", "exit_status")},
            {"name": "clip 300k", "encoder": "libx264", "codec": "h264",
             "preset": "veryfast", "bitrate": "300k", "rate_control": "abr",
             "source": "testsrc2=size=320x180:rate=25:duration=4",
             "params": {"team": "a"}, "exit_status": 0})
        self.assertGreater(made["cpu_core_seconds"], 0.01)

    def test_what_the_command_leaves_open_is_told_by_the_file(self):
        """The source has 4 s of 25 frames; ffmpeg's last time is some frames short."""
        done = self.record("ffmpeg", "-v", "error", *CLIP, "-preset", "veryfast",
                           self.output())
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        made = self.only()
        self.assertEqual([made[k] for k in ("resolution", "fps", "media_seconds", "codec")],
                         ["320x180", 25, 4, "h264"])
        self.assertNotIn("encoder", made)
        self.assertAlmostEqual(made["actual_bitrate_kbps"],
                               os.path.getsize(self.output()) * 8 / 4 / 1000, delta=0.001)

    def test_an_ffprobe_that_hangs_or_lies_ends_nothing(self):
        tools = os.path.join(self.scratch, "tools")
        os.mkdir(tools)
        os.symlink(shutil.which("ffmpeg"), os.path.join(tools, "ffmpeg"))
        for script in ("exec sleep 60", "exit 3", "echo '{\"streams\": [{\"width\": -1}]}'",
                       "yes", "kill -9 $$"):
            shutil.rmtree(self.directory, ignore_errors=True)
            with open(os.path.join(tools, "ffprobe"), "w", encoding="ascii") as f:
                f.write(f"#!/bin/sh\n{script}\n")
            os.chmod(f.name, 0o755)
            done = self.record(os.path.join(tools, "ffmpeg"), "-v", "error", "-y", *CLIP,
                               *X264, self.output())
            self.assertEqual((done.returncode, done.stderr), (0, ""), script)
            made = self.only()
            self.assertNotIn("resolution", made)
            self.assertEqual(made["total_frames"], 100)
            self.assertAlmostEqual(made["media_seconds"], 4, delta=0.13)

    def test_progress_is_kept_for_the_exporter(self):
        self.record("ffmpeg", "-v", "error", *CLIP, *X264, self.output())
        with open(os.path.join(self.directory, "clip_300k.progress"), encoding="utf-8") as f:
            text = f.read()
        self.assertTrue(text.endswith("progress=end\n"))
        self.assertIn("\nframe=100\n", text)

    def test_two_of_one_name_do_not_mix_their_progress(self):
        running = [start(self.directory, "ffmpeg", "-v", "error", "-re", *CLIP, "-frames:v",
                         str(frames), *X264, self.output(f"{frames}.mp4"),
                         flags=("--run", "r", "--name", "same")) for frames in (40, 80)]
        for process in running:
            self.assertEqual(self.end(process, 60), (0, ""))
        self.assertEqual(sorted(s["total_frames"] for s in self.scenarios()), [40, 80])
        with open(os.path.join(self.directory, "same.progress"), encoding="utf-8") as f:
            self.assertEqual(f.read().count("progress=end\n"), 1)

    def test_options_are_left_alone_where_that_is_asked(self):
        own = os.path.join(self.scratch, "own.progress")
        for command, flags in (((), ("--no-progress", "--no-probe")),
                               (("-progress", own), ("--no-probe",))):
            shutil.rmtree(self.directory, ignore_errors=True)
            done = self.record("ffmpeg", "-v", "error", "-y", *command, *CLIP, *X264,
                               self.output(), flags=flags)
            self.assertEqual(done.returncode, 0, done.stderr)
            made = self.only()
            self.assertNotIn("total_frames", made)
            self.assertEqual(made["encoder"], "libx264")
            self.assertEqual(glob.glob(self.directory + "/*.progress"), [])
        self.assertTrue(os.path.getsize(own))

    def test_several_outputs_are_a_ladder(self):
        done = self.record("ffmpeg", "-v", "error", *CLIP, "-s", "320x180", "-r", "25",
                           *X264, self.output("hi.mp4"), "-vf", "scale=160:90", "-r", "25",
                           "-c:v", "libx264", "-b:v", "80k", self.output("lo.mp4"))
        self.assertEqual(done.returncode, 0, done.stderr)
        made = self.only()
        self.assertEqual(made["outputs"],
                         [{"resolution": "320x180", "fps": 25, "bitrate": "300k"},
                          {"resolution": "160x90", "fps": 25, "bitrate": "80k"}])
        self.assertEqual((made["name"], made["encoder"]), ("hi", "libx264"))
        self.assertNotIn("actual_bitrate_kbps", made)
        self.assertNotIn("preset", made)

    def test_an_encode_that_fails_is_told(self):
        done = self.record("ffmpeg", "-v", "error", "-i", self.output("none.mp4"), "-c:v",
                           "libx264", self.output())
        self.assertEqual(done.returncode, 1)
        self.assertIn("No such file", done.stderr)
        made = self.only()
        self.assertEqual(made["exit_status"], 1)
        self.assertNotIn("total_frames", made)

    def test_an_encode_that_is_ended_early_has_its_figures(self):
        """ffmpeg ends its file in good order at a SIGTERM, with status 255."""
        process = start(self.directory, "ffmpeg", "-v", "error", "-nostdin", "-re", "-f",
                        "lavfi", "-i", "testsrc2=size=320x180:rate=25", *X264, self.output())
        progress = os.path.join(self.directory, "clip_300k.progress")
        harness.wait_until(lambda: os.path.exists(progress) and os.path.getsize(progress) > 600,
                           what="progress")
        process.terminate()
        self.assertEqual(self.end(process)[0], 255)
        made = self.only()
        self.assertEqual(made["exit_status"], 255)
        self.assertGreater(made["total_frames"], 0)
        self.assertAlmostEqual(made["actual_bitrate_kbps"] * made["media_seconds"] / 8 * 1000,
                               os.path.getsize(self.output()), delta=2)

    def test_ffmpeg_behind_nice_is_known(self):
        self.record("nice", "-n", "5", "ffmpeg", "-v", "error", *CLIP, *X264, self.output())
        self.assertEqual(self.only()["total_frames"], 100)

    def test_files_in_the_directory_are_named_for_others(self):
        os.mkdir(self.directory)
        inside = os.path.join(self.directory, "in.mkv")
        subprocess.run(["ffmpeg", "-v", "error", *CLIP, "-c:v", "ffv1", inside], check=True,
                       stdin=subprocess.DEVNULL)
        out = os.path.join(self.directory, "out.mp4")
        self.record("ffmpeg", "-v", "error", "-i", inside, *X264, out)
        made = self.only()
        self.assertEqual((made["source"], made["reference"], made["output"]),
                         ("in.mkv", "in.mkv", "out.mp4"))

    def test_the_exporter_follows_it_and_serves_it(self):
        os.mkdir(self.directory)
        with harness.Exporter(directory=self.directory) as e:
            process = start(self.directory, "ffmpeg", "-v", "error", "-nostdin", "-re", *CLIP,
                            *X264, self.output(), flags=("--set", "region=SE"))
            name = "clip 300k"
            e.wait_metrics("results", lambda m: m.value(
                "encode_state", scenario=name, state="running") == 1, what="a running encode")
            first = e.metrics("results").value("results_scenario_duration_seconds",
                                               scenario=name)
            e.wait_metrics("results", lambda m: m.value(
                "results_scenario_duration_seconds", scenario=name) > first, what="growth")
            self.assertEqual(self.end(process, 60), (0, ""))
            made = self.only()
            m = e.wait_metrics("results", lambda m: abs(m.value(
                "results_scenario_duration_seconds", scenario=name) - made["duration"])
                < 1e-6, what="its figures")
            # The progress that ffmpeg wrote belongs to it, and tells its end as well.
            m = e.wait_metrics("results", lambda m: m.value(
                "encode_state", scenario=name, state="ended") == 1, what="its end")
            self.assertEqual(m.value("encode_frames_total", scenario=name), 100)
            self.assertEqual(len(m.samples("results_scenario_duration_seconds")), 1)
            cost = e.metrics("cost")
            self.assertAlmostEqual(
                cost.value("cost_compute_load_aware", scenario=name, region="SE"),
                made["cpu_core_seconds"] / 3600 * 0.5, delta=1e-9)
            self.assertEqual(e.log_count("level=(warn|error)"), 0, e.log)


if __name__ == "__main__":
    harness.main()
