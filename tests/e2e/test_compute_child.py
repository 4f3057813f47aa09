"""What --qoe.compute runs, how it ends, and VMAF: the test plays ffmpeg and ffprobe. Debian's
ffmpeg has no libvmaf, so what libvmaf says is what was recorded of it."""
# ctest: timeout 300

import fcntl
import json
import os
import signal

import harness
from stage import FORMATS, RUN, Stage, results, scenario


class Command(Stage):
    def test_what_it_is_given(self):
        """Nothing of this process but what it needs, and no rights."""
        left = [fcntl.fcntl(self.listener, fcntl.F_DUPFD, least)    # by who starts it
                for least in (5, 29, 77)]
        for fd in left:
            self.addCleanup(os.close, fd)
        with self.on_stage(env={"SECRET": "x", "LD_LIBRARY_PATH": "/nowhere"},
                           pass_fds=left) as e:
            self.say_filters()
            self.say_clips()
            played = self.next()
            told = played.told
            env = told["env"]
            env.pop("LC_CTYPE", None)    # Python's own
            self.assertEqual(sorted(env), ["LC_ALL", "LD_LIBRARY_PATH", "PATH"])
            self.assertEqual(env["LC_ALL"], "C")
            self.assertEqual(told["nice"], 19)
            self.assertEqual(told["group"], told["pid"])
            self.assertEqual(told["core"], [0, 0])
            self.assertEqual(told["size"], [0, 0])
            self.assertEqual(told["expendable"], 1000)
            self.assertRegex(told["status"], r"NoNewPrivs:\s*1\n")
            self.assertRegex(told["status"], r"SigBlk:\s*0+\n")
            fds = {int(fd): to for fd, to in told["fds"].items()}
            self.assertEqual(sorted(fds), [0, 1, 2, 3, 4, 5, 6])
            self.assertEqual((fds[0], fds[1]), ("/dev/null", "/dev/null"))
            self.assertEqual((fds[3], fds[4]), (self.path("out.mp4"), self.path("ref.mp4")))
            for fd in (2, 5, 6):
                self.assertRegex(fds[fd], "^pipe:")
            self.say_scores(played)
            self.wait_count(e, "done")

    def test_the_words_of_the_command(self):
        with self.on_stage(flags=("--qoe.compute-threads=3",)) as e:
            self.say_filters()
            self.say_clips({"width": 32}, {"r_frame_rate": "30000/1001",
                                           "avg_frame_rate": "30000/1001"})
            e.wait_log("frame rates differ: 30.000 in the output, 29.970 in the reference")
            e.rename_over(RUN, results(scenario("b")))
            self.say_clips({"width": 32})
            self.say_clips({})
            played = self.next()
            self.assertEqual(played.argv[1:5], ["-nostdin", "-hide_banner", "-v", "error"])
            at = [i for i, word in enumerate(played.argv) if word == "-i"]
            self.assertEqual([played.argv[i + 1] for i in at],
                             ["/proc/self/fd/3", "/proc/self/fd/4"])
            for i in at:
                before = played.argv[:i]
                self.assertEqual(before[-11:-8], ["-protocol_whitelist", "file,pipe",
                                                  "-format_whitelist"])
            self.assertEqual(played.argv.count("-threads"), 2)
            self.assertEqual(played.argv[played.argv.index("-threads") + 1], "3")
            self.assertEqual(
                played.filters,
                "[0:v:0]setpts=PTS-STARTPTS,settb=expr=1/30,scale=64:64:flags=bicubic,"
                "format=yuv420p,split=2[a1][a2];[1:v:0]setpts=PTS-STARTPTS,settb=expr=1/30,"
                "format=yuv420p,split=2[b1][b2];[a1][b1]psnr=stats_file=/proc/self/fd/5:"
                "shortest=1[psnr];[a2][b2]ssim=stats_file=/proc/self/fd/6:shortest=1[ssim]")
            self.say_scores(played)
            self.wait_count(e, "done")

    def test_one_at_a_time_and_the_newest_first(self):
        with self.on_stage(scenario("old", end_time=1763750011),
                           scenario("new", end_time=1763750020),
                           scenario("mid", end_time=1763750015)) as e:
            self.say_filters()
            for i, name in enumerate(("new", "mid", "old")):
                self.say_clips()
                played = self.next()
                harness.wait_until(lambda: e.metrics("results").value(
                    "encode_exporter_quality_computing") == 1)
                self.nobody_comes()
                self.say_scores(played)
                self.wait_scores(e, name)
                self.assertEqual(len(list(e.metrics("qoe").samples("qoe_psnr_score"))), i + 1)

    def test_another_ffmpeg_is_asked_anew(self):
        with self.on_stage() as e:
            self.say_filters()
            self.say_clips()
            self.say_scores(self.next())
            self.wait_count(e, "done")
            path = os.path.join(self.tools, "ffmpeg")
            with open(path, encoding="utf-8") as f:
                harness.write_atomically(path, f.read() + "# another\n")
            os.chmod(path, 0o755)
            e.rename_over(RUN, results(scenario("b")))
            self.say_filters(vmaf=True)
            self.say_clips()
            self.assertIn("libvmaf", self.next().filters)


class Vmaf(Stage):
    """The filter libvmaf is played: its answers are recorded ones."""

    def run_vmaf(self, *clips, then=None, **more):
        with self.on_stage(scenario(**more)) as e:
            self.say_filters(vmaf=True)
            self.say_clips(*clips)
            return then(e, self.next())

    def test_scores_and_model(self):
        def then(e, played):
            self.assertIn("[a3][b3]libvmaf=log_fmt=json:log_path=/proc/self/fd/7:n_threads=1:"
                          "model=version=vmaf_v0.6.1:shortest=1[vmaf]", played.filters)
            self.assertIn("split=3[a1][a2][a3]", played.filters)
            self.assertEqual(played.argv[-5:], ["-map", "[vmaf]", "-f", "null", "-"])
            self.assertEqual(sorted(int(fd) for fd in played.told["fds"]), list(range(8)))
            self.say_scores(played, "vmaf.json")
            x = e.wait_metrics("qoe", lambda x: "qoe_vmaf_score" in x)
            with open(os.path.join(FORMATS, "vmaf.json"), encoding="utf-8") as f:
                log = json.load(f)
            self.assertAlmostEqual(x.value("qoe_vmaf_score"),
                                   log["pooled_metrics"]["vmaf"]["mean"], places=5)
            self.assertAlmostEqual(
                x.value("qoe_frame_score", metric="vmaf", stat="harmonic_mean"),
                log["pooled_metrics"]["vmaf"]["harmonic_mean"], places=5)
            models = {s.labels.get("model") for s in x.samples("qoe_frame_score")
                      if s.labels["metric"] == "vmaf"}
            self.assertEqual(models, {"vmaf_v0.6.1"})
            e.wait_log("measured.*model=vmaf_v0.6.1")
            self.assertIn("qoe_psnr_score", x)
            self.assertIn("qoe_ssim_score", x)
        self.run_vmaf(then=then)

    def test_the_4k_model_from_2160_lines_on(self):
        sizes = {(3840, 2160): "vmaf_4k_v0.6.1", (4096, 1716): "vmaf_4k_v0.6.1",
                 (2560, 1440): "vmaf_v0.6.1", (2160, 3840): "vmaf_4k_v0.6.1"}
        for (width, height), model in sizes.items():
            with self.subTest(f"{width}x{height}"):
                self.run_vmaf({}, {"width": width, "height": height}, then=lambda e, played: (
                    self.assertIn(f"model=version={model}:", played.filters),
                    self.assertIn(f"scale={width}:{height}:flags=bicubic", played.filters)))

    def test_wide_dynamic_range_has_no_vmaf(self):
        for transfer in ("smpte2084", "arib-std-b67"):
            for clips in (({"color_transfer": transfer}, {}), ({}, {"color_transfer": transfer})):
                with self.subTest(clips):
                    def then(e, played):
                        self.assertNotIn("libvmaf", played.filters)
                        self.say_scores(played)
                        self.assertNotIn("qoe_vmaf_score", self.wait_scores(e))
                    self.run_vmaf(*clips, then=then)

    def test_it_is_refused_where_nothing_else_is_lacking(self):
        with self.on_stage(scenario(psnr_score=30, ssim_score=0.9)) as e:
            self.say_filters(vmaf=True)
            self.say_clips({"color_transfer": "smpte2084"}, {})
            e.wait_log("PSNR and SSIM are known")
            harness.wait_until(lambda: self.count(e, "refused") == 1)

    def test_a_log_that_is_cut_off_is_none(self):
        def then(e, played):
            played.do("open('/proc/self/fd/7', 'w').write(open("
                      f"{os.path.join(FORMATS, 'vmaf.json')!r}).read()[:5000])")
            e.wait_log("ffmpeg gave no scores, or part of them")
            self.wait_count(e, "failed")
            self.assertNotIn("qoe_vmaf_score", e.metrics("qoe"))
        self.run_vmaf(then=then)


class Ends(Stage):
    def start_measuring(self, e):
        self.say_filters()
        self.say_clips()
        return self.next()

    def test_time_is_limited(self):
        with self.on_stage(flags=("--qoe.compute-timeout=2s",)) as e:
            played = self.start_measuring(e)
            played.do("import time; sys.stderr.write('still busy\\n'); sys.stderr.flush(); "
                      "time.sleep(1000)")
            e.wait_log("ffmpeg was ended after 2 s.*ffmpeg=\"still busy\"")
            played.wait_gone()
            self.assertEqual(self.count(e, "timeout"), 1)
            self.assertRaises(ProcessLookupError, os.kill, played.told["pid"], 0)

    def test_it_dies_with_the_exporter(self):
        e = self.on_stage()
        with e:
            played = self.start_measuring(e)
            played.do("import time; time.sleep(1000)")
            e.process.kill()
            e.process.wait()
            played.wait_gone()
            harness.wait_until(lambda: not alive(played.told["pid"]))
            e.process.returncode = 0    # it is not to be ended again

    def test_it_ends_when_the_exporter_is_told_to(self):
        """Also where it would rather not, and what it started with it."""
        with self.on_stage() as e:
            played = self.start_measuring(e)
            played.do("import signal, subprocess, time\n"
                      "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                      "os.set_inheritable(to.fileno(), True)\n"
                      "subprocess.Popen(['sleep', '1000'], close_fds=False)\n"
                      "time.sleep(1000)")
            harness.wait_until(lambda: children(played.told["pid"]))
            e.stop(timeout=10)
            played.wait_gone()
            self.assertRaises(ProcessLookupError, os.kill, played.told["pid"], 0)

    def test_nothing_follows_that_nobody_wants(self):
        """Also where the one before had ended, and only its pipes were held by another."""
        clip = {"width": 64, "height": 64, "pix_fmt": "yuv420p", "r_frame_rate": "30/1",
                "avg_frame_rate": "30/1", "duration": "2.000000"}
        with self.on_stage() as e:
            self.say_filters()
            probed = self.next()
            probed.do("import subprocess\n"
                      "left = subprocess.Popen(['sleep', '20'], start_new_session=True)\n"
                      "pipe.write(f'{left.pid}\\n')\npipe.flush()\n"
                      f"print({json.dumps({'streams': [clip]})!r})")
            left = int(probed.pipe.readline())
            self.addCleanup(os.kill, left, signal.SIGKILL)
            harness.wait_until(lambda: not os.path.exists(f"/proc/{probed.told['pid']}"))
            e.rename_over(RUN, results())
            e.wait_metrics("results", lambda x: x.value(
                "encode_exporter_quality_computing") == 0)
            self.nobody_comes()

    def test_output_is_bounded(self):
        with self.on_stage() as e:
            played = self.start_measuring(e)
            played.do("f = open('/proc/self/fd/5', 'w')\nwhile True: f.write('x' * 65536)")
            e.wait_log("ffmpeg wrote more than such files give", timeout=60)
            played.wait_gone()
            self.assertEqual(self.count(e, "failed"), 1)

    def test_errors_are_bounded(self):
        with self.on_stage() as e:
            played = self.start_measuring(e)
            played.do("while True: os.write(2, b'x' * 65536)")
            e.wait_log("ffmpeg wrote more than such files give", timeout=60)
            played.wait_gone()

    def test_the_last_line_is_told_and_bounded(self):
        with self.on_stage() as e:
            played = self.start_measuring(e)
            played.do("sys.stderr.write('first\\n\\x1b[31mlast ' + 'x' * 100000 + '\\n')\n"
                      "sys.exit(3)")
            line = e.wait_log("ffmpeg ended with status 3")
            self.assertNotIn("\x1b", line)
            self.assertNotIn("first", line)
            self.assertRegex(line, r"ffmpeg=\".*last x{100,240}\"$")

    def test_one_that_crashes(self):
        with self.on_stage() as e:
            self.start_measuring(e).do("os.kill(os.getpid(), 11)")
            e.wait_log("ffmpeg was ended by signal 11")

    def test_no_scores(self):
        with self.on_stage() as e:
            self.start_measuring(e).do("pass")
            e.wait_log("ffmpeg gave no scores")
            self.wait_count(e, "failed")

    def test_what_is_not_wanted_any_more_ends(self):
        with self.on_stage() as e:
            played = self.start_measuring(e)
            played.do("import time; time.sleep(1000)")
            e.write("test_results_2.json", results(scenario("b")))
            played.wait_gone()
            self.say_clips()
            self.say_scores(self.next())
            self.wait_scores(e, "b")
            self.assertEqual(self.count(e, "done"), 1)
            self.assertEqual(self.count(e, "failed"), 0)

    def test_a_file_that_changes_meanwhile(self):
        with self.on_stage() as e:
            played = self.start_measuring(e)
            with open(self.path("out.mp4"), "ab") as f:
                f.write(b"more")
            self.say_scores(played)
            e.wait_log("a file changed while it was measured")

    def test_scrapes_do_not_wait(self):
        with self.on_stage() as e:
            played = self.start_measuring(e)
            played.do("import time; time.sleep(1000)")
            for _ in range(20):
                self.assertEqual(e.get("qoe", timeout=2).status, 200)

    def test_filters_that_are_not_told(self):
        with self.on_stage() as e:
            self.next().do("sys.stderr.write('no such library\\n'); sys.exit(127)")
            e.wait_log("no quality is measured.*which filters.*ffmpeg=\"no such library\"")


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as f:
        return f.read().split()


if __name__ == "__main__":
    harness.main()
