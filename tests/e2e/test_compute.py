"""Quality that is measured here, by the real ffmpeg: --qoe.compute."""
# ctest: timeout 300

import os
import re
import shutil
import socket

import harness
from stage import FORMATS, RUN, Case, ffmpeg, results, scenario


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


if __name__ == "__main__":
    harness.main()
