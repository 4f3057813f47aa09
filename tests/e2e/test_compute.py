"""Quality that is measured here: --qoe.compute with the real ffmpeg, and with one that the
test plays itself where the real one cannot be had (libvmaf) or would do as it likes."""
# ctest: timeout 300

import fcntl
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import unittest

import harness
from harness import Exporter

RUN = "test_results_1.json"
COUNTER = "encode_exporter_quality_computations_total"
FORMATS = os.path.join(harness.DATA, "formats", "quality")

# Plays ffmpeg and ffprobe: connects to the test, tells what it was given, and does what the
# test answers.
PLAYER = """#!{python} -BS
import json, os, resource, socket, sys
to = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
to.connect({address!r})
with open("/proc/self/status") as f:
    status = f.read()
with open("/proc/self/oom_score_adj") as f:
    expendable = int(f.read())
fds = {{}}
for fd in os.listdir("/proc/self/fd"):
    try:
        fds[int(fd)] = os.readlink("/proc/self/fd/" + fd)
    except OSError:
        pass
fds.pop(to.fileno())
told = {{"argv": sys.argv, "env": dict(os.environ), "pid": os.getpid(), "group": os.getpgrp(),
        "nice": os.nice(0), "fds": fds, "status": status, "expendable": expendable,
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "size": resource.getrlimit(resource.RLIMIT_FSIZE)}}
pipe = to.makefile("rw")
pipe.write(json.dumps(told) + "\\n")
pipe.flush()
exec(json.loads(pipe.readline()))
"""

FILTERS = " ... psnr              VV->V      Calculate the PSNR.\n"
VMAF = " ... libvmaf           VV->V      Calculate the VMAF between two video streams.\n"


def ffmpeg(*arguments):
    """The real one; what it says."""
    if not shutil.which("ffmpeg"):
        raise unittest.SkipTest("no ffmpeg")
    done = subprocess.run(["ffmpeg", "-nostdin", "-hide_banner", "-y", *arguments],
                          stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stderr


def scenario(name="a", **more):
    return {"name": name, "bitrate": "1M", "resolution": "64x64", "fps": 30,
            "start_time": 1763750000, "end_time": 1763750010, "reference": "ref.mp4",
            "output": "out.mp4", **more}


def results(*scenarios):
    return json.dumps({"scenarios": scenarios})


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """Two seconds of picture, and an encode of it that is not good."""
        cls.clips = harness.temp_dir()
        cls.addClassCleanup(shutil.rmtree, cls.clips)
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=30:d=2", "-c:v", "libx264", "-qp",
               "0", cls.clip("ref.mp4"))
        ffmpeg("-i", cls.clip("ref.mp4"), "-c:v", "libx264", "-b:v", "40k",
               cls.clip("out.mp4"))

    @classmethod
    def clip(cls, name):
        return os.path.join(cls.clips, name)

    def setUp(self):
        self.directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, self.directory)
        for name in ("ref.mp4", "out.mp4"):
            shutil.copy(self.clip(name), self.directory)

    def path(self, name):
        return os.path.join(self.directory, name)

    def exporter(self, *scenarios, flags=(), **more):
        harness.write_atomically(self.path(RUN), results(*scenarios))
        return Exporter("--qoe.compute", *flags, directory=self.directory, **more)

    def count(self, e, outcome):
        return e.metrics("results").value(COUNTER, outcome=outcome)

    def wait_count(self, e, outcome, least=1):
        harness.wait_until(lambda: self.count(e, outcome) >= least, 60, outcome)

    def wait_scores(self, e, name="a"):
        return e.wait_metrics("qoe", lambda x: any(
            s.labels["scenario"] == name for s in x.samples("qoe_psnr_score")), 60,
            f"scores of {name}")


class Figures(Case):
    """Against what ffmpeg says of the same two files when it is run by hand."""

    def by_hand(self, output, reference="ref.mp4", scale=""):
        said = ffmpeg("-i", self.path(output), "-i", self.path(reference), "-filter_complex",
                      f"[0:v]{scale}split[a][c];[1:v]split[b][d];[a][b]psnr;[c][d]ssim",
                      "-f", "null", "-")
        return (float(re.search(r"PSNR .*average:(\S+)", said)[1]),
                float(re.search(r"SSIM .*All:(\S+)", said)[1]))

    def check(self, exposition, wanted, name="a"):
        found = [exposition.value(f, scenario=name)
                 for f in ("qoe_psnr_score", "qoe_ssim_score")]
        self.assertAlmostEqual(found[0], wanted[0], delta=0.002)    # logs have two digits
        self.assertAlmostEqual(found[1], wanted[1], delta=0.000002)

    def test_scores_are_those_of_ffmpeg(self):
        with self.exporter(scenario()) as e:
            x = self.wait_scores(e)
            self.check(x, self.by_hand("out.mp4"))
            self.assertEqual(x.value("qoe_frames", scenario="a", metric="psnr"), 60)
            took = x.value("qoe_computation_duration_seconds")
            logged = e.wait_log(r"quality of an encode was measured.* size=64x64 model=- "
                                r"frames=60")
            self.assertAlmostEqual(took, float(re.search(r"seconds=(\S+)", logged)[1]),
                                   places=2)
            self.assertGreater(took, 0.01)
            self.assertLess(took, 60)
            self.assertEqual(self.count(e, "done"), 1)
            e.wait_metrics("results", lambda x: x.value(
                "encode_exporter_quality_computing") == 0)

    def test_frames_are_matched_whatever_clock_the_container_has(self):
        """Matroska rounds times to milliseconds: frames would be compared with the ones
        before them."""
        ffmpeg("-r", "30", "-i", self.path("out.mp4"), "-c", "copy", self.path("out.mkv"))
        ffmpeg("-i", self.path("out.mp4"), "-c", "copy", "-muxdelay", "0",
               self.path("out.ts"))
        wanted = self.by_hand("out.mp4")
        self.assertNotAlmostEqual(self.by_hand("out.mkv")[0], wanted[0], places=1)
        with self.exporter(scenario("mkv", output="out.mkv"),
                           scenario("ts", output="out.ts")) as e:
            for name in ("mkv", "ts"):
                self.check(self.wait_scores(e, name), wanted, name)

    def test_rates_of_fractions(self):
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=24000/1001:d=2", "-c:v", "libx264",
               "-qp", "0", self.path("film.mp4"))
        ffmpeg("-i", self.path("film.mp4"), "-c:v", "libx264", "-b:v", "40k",
               self.path("film-out.mp4"))
        ffmpeg("-i", self.path("film-out.mp4"), "-c", "copy", self.path("film-out.mkv"))
        with self.exporter(scenario(reference="film.mp4", output="film-out.mkv")) as e:
            self.check(self.wait_scores(e), self.by_hand("film-out.mp4", "film.mp4"))

    def test_the_output_is_scaled_to_the_reference(self):
        ffmpeg("-i", self.path("ref.mp4"), "-vf", "scale=32:48", "-c:v", "libx264",
               self.path("small.mp4"))
        with self.exporter(scenario(output="small.mp4")) as e:
            self.check(self.wait_scores(e), self.by_hand(
                "small.mp4", scale="scale=64:64:flags=bicubic,"))
            e.wait_log("size=64x64")

    def test_pixels_get_the_format_of_the_reference(self):
        ffmpeg("-i", self.path("ref.mp4"), "-pix_fmt", "yuv444p10", "-c:v", "libx265",
               self.path("full.mp4"))
        with self.exporter(scenario(output="full.mp4")) as e:
            self.check(self.wait_scores(e), self.by_hand("full.mp4", scale="format=yuv420p,"))

    def test_identical_files(self):
        with self.exporter(scenario(output="ref.mp4")) as e:
            x = self.wait_scores(e)
            self.assertEqual(x.value("qoe_psnr_score"), float("inf"))
            self.assertEqual(x.value("qoe_ssim_score"), 1)

    def test_what_is_turned_is_compared_as_it_is_shown(self):
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=96x64:r=30:d=1", "-c:v", "libx264", "-qp",
               "0", self.path("wide.mp4"))
        ffmpeg("-i", self.path("wide.mp4"), "-c", "copy", "-metadata:s:v:0", "rotate=90",
               self.path("turned.mp4"))
        ffmpeg("-i", self.path("turned.mp4"), "-c:v", "libx264", "-b:v", "60k",
               self.path("turned-out.mp4"))
        with self.exporter(scenario(reference="turned.mp4",
                                    output="turned-out.mp4")) as e:
            self.wait_scores(e)
            e.wait_log("size=64x96")


class Refused(Case):
    def refused(self, reason, **more):
        """That scenario, with the reason in the log; another one is measured all the same."""
        with self.exporter(scenario("bad", **more), scenario("good")) as e:
            line = e.wait_log(r"quality of an encode is not measured")
            self.assertRegex(line, reason)
            self.wait_scores(e, "good")
            self.assertEqual(self.count(e, "done"), 1)
            self.assertEqual(self.count(e, "refused") + self.count(e, "failed"), 1)
            self.assertEqual(e.log_count("is not measured"), 1)
            self.assertNotIn('scenario="bad",metric', e.get("qoe").text)
            return line, self.count(e, "refused")

    def test_rates_that_differ(self):
        ffmpeg("-i", self.path("ref.mp4"), "-r", "25", "-c:v", "libx264",
               self.path("slow.mp4"))
        line, refused = self.refused("frame rates differ: 25.000 in the output, 30.000 in "
                                     "the reference", output="slow.mp4")
        self.assertEqual(refused, 1)

    def test_lengths_that_differ(self):
        ffmpeg("-i", self.path("ref.mp4"), "-t", "1", "-c:v", "libx264",
               self.path("part.mp4"))
        self.refused("lengths differ: 1.000 s of output, 2.000 s of reference",
                     output="part.mp4")

    def test_a_file_that_is_not_there(self):
        self.assertEqual(self.refused("the output cannot be opened: ", output="none.mp4")[1],
                         1)

    def test_a_link_that_leads_out(self):
        os.symlink(self.clip("ref.mp4"), self.path("link.mp4"))
        self.refused("the reference cannot be opened: .*leads out", reference="link.mp4")

    def test_a_path_that_leads_out(self):
        for path in (self.clip("ref.mp4"), "../" + os.path.basename(self.clips) + "/ref.mp4"):
            with self.subTest(path):
                self.refused("the reference cannot be opened", reference=path)

    def test_a_link_inside_is_followed(self):
        os.mkdir(self.path("in"))
        os.rename(self.path("out.mp4"), self.path("in/out.mp4"))
        os.symlink("in/out.mp4", self.path("out.mp4"))
        with self.exporter(scenario()) as e:
            self.wait_scores(e)

    def test_a_fifo_is_not_opened(self):
        os.mkfifo(self.path("pipe.mp4"))
        self.refused("the output cannot be opened", output="pipe.mp4")

    def test_a_directory_is_none(self):
        self.refused("the output cannot be opened", output=".")

    def test_a_name_with_a_nul(self):
        self.refused("no name of a file", output="out.mp4\0.mkv")

    def test_no_video(self):
        ffmpeg("-f", "lavfi", "-i", "sine=d=2", self.path("tone.mp4"))
        self.refused("the output has no video", output="tone.mp4")

    def test_no_video_file_at_all(self):
        harness.write_atomically(self.path("text.mp4"), "nothing of the kind " * 100)
        line, refused = self.refused("ffprobe ended with status 1", output="text.mp4")
        self.assertRegex(line, "ffmpeg=.*Invalid data")
        self.assertEqual(refused, 0)

    def test_several_scenarios_of_a_name(self):
        with self.exporter(scenario(), scenario(bitrate="2M")) as e:
            e.wait_log("several scenarios of its name")
            harness.wait_until(lambda: self.count(e, "refused") == 1)

    def test_what_is_not_meant(self):
        """Scores that are known, no end, no files."""
        with self.exporter(
                scenario("known", psnr_score=30, ssim_score=0.9), scenario("half", psnr_score=30),
                scenario("baseline"), scenario("open", end_time=None),
                {"name": "no files", "duration": 1}, scenario("good")) as e:
            self.wait_scores(e, "good")
            self.assertEqual(sum(self.count(e, o) for o in ("done", "refused", "failed")), 1)

    def test_flags(self):
        done = harness.run("--qoe.compute", "--live=off", "--results-dir", self.directory)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--qoe.compute", done.stderr)
        for flags in (["--check-config"], []):
            done = harness.run("--qoe.compute", "--ffmpeg=/nowhere/ffmpeg", *flags,
                               "--results-dir", self.directory,
                               *(f"--{e}.listen-address=127.0.0.1:0"
                                 for e in harness.ENDPOINTS))
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("/nowhere/ffmpeg is no program", done.stderr)


class Hostile(Case):
    """No name, and nothing that stands in a file, does more than be measured."""

    def test_names(self):
        names = ["out'[];:,.mp4", "-y", "-f", "%d.mp4", "a\nb.mp4", "concat:out.mp4",
                 "$(id).mp4", "http:", "\\'=x.mp4", "ünïcode €.mp4"]
        for name in names:
            shutil.copy(self.clip("out.mp4"), self.path(name))
        with self.exporter(*(scenario(f"s{i}", output=name)
                             for i, name in enumerate(names))) as e:
            for i in range(len(names)):
                self.wait_scores(e, f"s{i}")
            self.assertEqual(self.count(e, "done"), len(names))

    def test_files_that_name_others(self):
        """Playlists and scripts of parts: nobody is connected to, nothing is opened."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/x.ts"
        texts = {
            "list.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{url}\n#EXT-X-ENDLIST\n",
            "concat.mp4": f"ffconcat version 1.0\nfile {self.path('ref.mp4')}\n",
            "dash.mp4": f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" '
                        f'type="static"><Period><AdaptationSet><Representation id="1">'
                        f'<BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period>'
                        f'</MPD>',
            "sdp.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
                       f"m=video {listener.getsockname()[1]} RTP/AVP 96\n"
                       "a=rtpmap:96 H264/90000\n",
        }
        for name, text in texts.items():
            harness.write_atomically(self.path(name), text)
        with self.exporter(*(scenario(name, output=name) for name in texts),
                           scenario("good")) as e:
            self.wait_scores(e, "good")
            self.wait_count(e, "failed", len(texts))
            self.assertEqual(self.count(e, "done"), 1)
        listener.setblocking(False)
        self.assertRaises(BlockingIOError, listener.accept)


class Changes(Case):
    def test_a_file_that_comes_later(self):
        os.rename(self.path("out.mp4"), self.path("later"))
        with self.exporter(scenario()) as e:
            e.wait_log("cannot be opened")
            os.rename(self.path("later"), self.path("out.mp4"))
            e.rename_over(RUN, results(scenario(crf=23)))
            self.wait_scores(e)

    def test_each_pair_is_measured_once(self):
        with self.exporter(scenario(), scenario("b", output="none.mp4")) as e:
            self.wait_scores(e)
            self.wait_count(e, "refused")
            for crf in (1, 2):
                e.rename_over(RUN, results(scenario(crf=crf),
                                           scenario("b", output="none.mp4", crf=crf),
                                           scenario(f"c{crf}")))
                self.wait_scores(e, f"c{crf}")
            self.assertEqual(self.count(e, "done"), 3)
            self.assertEqual(self.count(e, "refused"), 1)
            self.assertIn('qoe_psnr_score{scenario="a"', e.get("qoe").text)

    def test_another_encode_in_the_same_file(self):
        with self.exporter(scenario()) as e:
            before = self.wait_scores(e).value("qoe_psnr_score")
            ffmpeg("-i", self.path("ref.mp4"), "-c:v", "libx264", "-crf", "10",
                   self.path("better.mp4"))
            os.rename(self.path("better.mp4"), self.path("out.mp4"))
            e.rename_over(RUN, results(scenario(crf=10)))
            e.wait_metrics("qoe", lambda x: "qoe_psnr_score" in x and x.value(
                "qoe_psnr_score") > before + 5)
            self.assertEqual(self.count(e, "done"), 2)

    def test_scores_of_another_run_are_not_those_of_this(self):
        """The same name in a newer run, with a file of its own that is not there."""
        with self.exporter(scenario()) as e:
            self.wait_scores(e)
            e.write("test_results_2.json", results(scenario(output="none.mp4")))
            e.wait_log("cannot be opened")
            x = e.wait_metrics("qoe", lambda x: "qoe_psnr_score" not in x)
            self.assertNotIn("qoe_frame_score", x)
            self.assertNotIn("qoe_computation_duration_seconds", x)
            os.remove(self.path("test_results_2.json"))
            self.wait_scores(e)
            self.assertEqual(self.count(e, "done"), 2)

    def test_no_run_is_left(self):
        with self.exporter(scenario()) as e:
            self.wait_scores(e)
            os.remove(self.path(RUN))
            x = e.wait_metrics("qoe", lambda x: "qoe_psnr_score" not in x)
            self.assertNotIn("qoe_frame_score", x)
            self.assertEqual(x.value("qoe_scenarios_total"), 0)

    def test_a_log_goes_before_what_was_measured(self):
        with self.exporter(scenario()) as e:
            measured = self.wait_scores(e).value("qoe_psnr_score")
            shutil.copy(os.path.join(FORMATS, "psnr_v1.log"), self.path("a.psnr.log"))
            e.wait_metrics("qoe", lambda x: abs(x.value("qoe_psnr_score") - measured) > 0.01)
            os.remove(self.path("a.psnr.log"))
            e.rename_over(RUN, results(scenario(crf=23)))
            e.wait_metrics("qoe", lambda x: "qoe_psnr_score" in x and x.value(
                "qoe_psnr_score") == measured)

    def test_a_restart_measures_again(self):
        for _ in range(2):
            with self.exporter(scenario()) as e:
                self.wait_scores(e)
                self.assertEqual(self.count(e, "done"), 1)
        self.assertEqual(sorted(os.listdir(self.directory)),
                         sorted([RUN, "out.mp4", "ref.mp4"]))


class Played:
    """One run of a program that the test plays."""

    def __init__(self, connection):
        self.connection = connection
        self.pipe = connection.makefile("rw")
        self.told = json.loads(self.pipe.readline())

    @property
    def argv(self):
        return self.told["argv"]

    @property
    def filters(self):
        return self.argv[self.argv.index("-filter_complex") + 1]

    def do(self, code):
        self.pipe.write(json.dumps(code) + "\n")
        self.pipe.flush()

    def wait_gone(self):
        """Until no process has its end of the connection."""
        self.connection.settimeout(20)
        try:
            if self.connection.recv(1):
                raise AssertionError("it still talks")
        except ConnectionResetError:
            pass


class Stage(Case):
    """The test is ffmpeg and ffprobe."""

    def setUp(self):
        super().setUp()
        self.tools = harness.temp_dir()
        self.addCleanup(shutil.rmtree, self.tools)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(self.listener.close)
        address = os.path.join(self.tools, "stage")
        self.listener.bind(address)
        self.listener.listen(16)
        self.listener.settimeout(30)
        for name in ("ffmpeg", "ffprobe"):
            path = os.path.join(self.tools, name)
            harness.write_atomically(path, PLAYER.format(python=sys.executable,
                                                         address=address))
            os.chmod(path, 0o755)
        self.flag = f"--ffmpeg={os.path.join(self.tools, 'ffmpeg')}"

    def on_stage(self, *scenarios, flags=(), **more):
        return self.exporter(*(scenarios or [scenario()]), flags=(self.flag, *flags), **more)

    def next(self):
        connection, _ = self.listener.accept()
        self.addCleanup(connection.close)
        played = Played(connection)
        self.addCleanup(played.pipe.close)
        return played

    def nobody_comes(self):
        self.listener.setblocking(False)
        try:
            self.assertRaises(BlockingIOError, self.listener.accept)
        finally:
            self.listener.settimeout(30)

    def say_filters(self, vmaf=False):
        asked = self.next()
        self.assertIn("-filters", asked.argv)
        asked.do(f"print({FILTERS + VMAF if vmaf else FILTERS!r})")

    def say_clips(self, *clips):
        """What ffprobe tells of the output, then of the reference."""
        for clip in clips or ({}, {}):
            probed = self.next()
            self.assertEqual(os.path.basename(probed.argv[0]), "ffprobe")
            stream = {"width": 64, "height": 64, "pix_fmt": "yuv420p",
                      "r_frame_rate": "30/1", "avg_frame_rate": "30/1",
                      "duration": "2.000000", **clip}
            probed.do(f"print({json.dumps({'streams': [stream]})!r})")

    def say_scores(self, played, vmaf=None):
        """Logs as they were recorded, at the pipes that the filters are told."""
        logs = {"psnr": "psnr_v1.log", "ssim": "ssim.log"}
        if vmaf:
            logs["vmaf"] = vmaf
        code = []
        for name, log in logs.items():
            option = "log_path" if name == "vmaf" else "stats_file"
            fd = re.search(rf"{name}=[^\[]*?{option}=/proc/self/fd/(\d+)", played.filters)[1]
            code.append(f"open('/proc/self/fd/{fd}', 'w').write(open("
                        f"{os.path.join(FORMATS, log)!r}).read())")
        played.do("\n".join(code))


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
    unittest.main()
