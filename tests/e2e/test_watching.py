# ctest: timeout 180
"""Encodes that are watched while they run: files that grow, requests, logs of frames."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import unittest

import harness
import web

POOLING = os.path.join(harness.DATA, "formats", "pooling")
PROGRESS = os.path.join(harness.DATA, "formats", "progress")
CLIP = "photopan720_libx264_veryfast_150k"


def ffmpeg(target, seconds=30, loud=False):
    """A real-time encode that tells its progress there; loud: and people, on stderr."""
    return subprocess.Popen(
        ["ffmpeg", "-hide_banner", "-loglevel", "info" if loud else "error", "-nostdin", "-re",
         "-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=30:duration={seconds}",
         "-c:v", "libx264", "-preset", "ultrafast", "-progress", target,
         "-f", *(("matroska", "-y", "/dev/null") if loud else ("null", "-"))],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE if loud else subprocess.DEVNULL)


def state(e, name):
    for s in e.metrics("results").samples("encode_state"):
        if s.labels["scenario"] == name and s.value == 1:
            return s.labels["state"]
    return None


def wait_state(e, name, want):
    harness.wait_until(lambda: state(e, name) == want, 20, f"{name} is {want}")


class Watching(unittest.TestCase):
    def started(self, target, seconds=30):
        encode = ffmpeg(target, seconds)
        self.addCleanup(lambda: (encode.kill(), encode.wait()))
        return encode

    def test_an_encode_is_seen_by_its_file_and_by_its_request(self):
        with harness.Exporter() as e:
            port = e.ports["results"]
            self.started(e.path("one.progress"), 3)
            self.started(f"http://127.0.0.1:{port}/progress/the%20other?duration=3", 3)
            for name in ("one", "the other"):
                wait_state(e, name, "running")
            for name in ("one", "the other"):
                wait_state(e, name, "ended")
            x = e.metrics("results")
            for name in ("one", "the other"):
                self.assertEqual(x.value("encode_frames_total", scenario=name), 90)
            self.assertEqual(x.value("encode_progress_ratio", scenario="the other"), 1)
            self.assertEqual(x.value("encode_eta_seconds", scenario="the other"), 0)
            harness.wait_until(lambda: e.metrics("results").value(
                "results_scenario_total_frames", scenario="one") == 90)
            x = e.metrics("cost")
            self.assertGreater(x.value("cost_total_load_aware", scenario="one"), 0)
            self.assertEqual(x.value("cost_so_far", scenario="one"),
                             x.value("cost_total_load_aware", scenario="one"))

    def test_energy_and_cost_so_far_grow(self):
        with harness.Exporter("--power=auto", "--power.model=100,10") as e:
            self.started(e.path("a.progress"))
            seen = lambda endpoint, family: [s.value for s in e.metrics(
                endpoint).samples(family)]
            harness.wait_until(lambda: seen("results", "encode_energy_joules_so_far"))
            joules = seen("results", "encode_energy_joules_so_far")[0]
            cost = seen("cost", "cost_so_far")[0]
            harness.wait_until(
                lambda: seen("results", "encode_energy_joules_so_far")[0] > joules + 50
                and seen("cost", "cost_so_far")[0] > cost)

    def test_how_it_was_killed_is_seen(self):
        with harness.Exporter("--stalled-after", "1s") as e:
            port = e.ports["results"]
            url = f"http://127.0.0.1:{port}/progress/"
            by_file, asked = self.started(e.path("file.progress")), self.started(url + "term")
            killed = self.started(url + "kill")
            for name in ("file", "term", "kill"):
                wait_state(e, name, "running")
            asked.terminate()
            killed.kill()
            by_file.kill()
            wait_state(e, "term", "ended")
            wait_state(e, "kill", "aborted")
            wait_state(e, "file", "stalled")

    def test_logs_of_frames_fill_the_scores(self):
        with harness.Exporter() as e:
            for suffix in ("psnr.log", "ssim.log", "vmaf.json"):
                shutil.copy(os.path.join(POOLING, f"{CLIP}.{suffix}"), e.directory)
            x = e.wait_metrics("qoe", lambda x: len(x.samples("qoe_frames")) >= 3
                               and x.samples("qoe_vmaf_score"))
            mean = x.value("qoe_frame_score", scenario=CLIP, metric="vmaf", stat="mean")
            self.assertEqual(x.value("qoe_vmaf_score", scenario=CLIP), mean)
            self.assertEqual(x.value("qoe_psnr_score", scenario=CLIP), x.value(
                "qoe_frame_score", scenario=CLIP, metric="psnr", stat="of_mean_mse"))
            below = x.value("qoe_frames_below", scenario=CLIP, metric="vmaf", threshold="85")
            self.assertLessEqual(below, x.value("qoe_frames", scenario=CLIP, metric="vmaf"))

    def test_a_name_of_the_newest_run_belongs_to_its_scenario(self):
        with harness.Exporter() as e:
            shutil.copy(os.path.join(PROGRESS, "x264_mp4.progress"), e.path("a_b.progress"))
            wait_state(e, "a_b", "ended")
            e.write("test_results_1.json",
                    '{"scenarios": [{"name": "a b", "duration": 5, "bitrate": "1M"}]}')
            wait_state(e, "a b", "ended")
            x = e.metrics("results")
            self.assertEqual(x.value("results_scenarios_total"), 1)
            self.assertGreater(x.value("encode_frames_total", scenario="a b"), 0)
            os.remove(e.path("test_results_1.json"))
            wait_state(e, "a_b", "ended")

    def test_a_command_that_failed_is_aborted(self):
        with harness.Exporter() as e:
            e.write("test_results_1.json", '{"scenarios": ['
                    '{"name": "bad", "duration": 5, "exit_status": 187},'
                    '{"name": "good", "duration": 5, "exit_status": 0}]}')
            wait_state(e, "bad", "aborted")
            self.assertIsNone(state(e, "good"))
            shutil.copy(os.path.join(PROGRESS, "sig_TERM.progress"), e.path("bad.progress"))
            harness.wait_until(lambda: e.metrics("results").samples("encode_frames_total"))
            harness.wait_until(lambda: e.metrics("results").value(
                "results_scenario_total_frames", scenario="bad") is not None)
            self.assertEqual(state(e, "bad"), "aborted")    # though it told its end

    def test_after_a_restart_all_is_as_it_was(self):
        directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, directory)
        shutil.copy(os.path.join(PROGRESS, "x264_mp4.progress"),
                    os.path.join(directory, "a.progress"))
        shown = []
        for _ in range(2):
            with harness.Exporter(directory=directory) as e:
                wait_state(e, "a", "ended")
                x = e.metrics("results")
                shown.append([x.value(f, scenario="a") for f in (
                    "encode_frames_total", "encode_out_time_seconds",
                    "encode_last_update_timestamp_seconds")])
        self.assertEqual(shown[0], shown[1])

    def test_a_restart_half_way_loses_nothing(self):
        """The end is that of ffmpeg's own last line, whoever heard the beginning."""
        directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, directory)
        encode = ffmpeg(os.path.join(directory, "a.progress"), 5, loud=True)
        self.addCleanup(lambda: (encode.kill(), encode.communicate()))
        with harness.Exporter(directory=directory) as e:
            e.wait_metrics("results", lambda x: x.samples("encode_frames_total")
                           and x.value("encode_frames_total", scenario="a") >= 30)
        self.assertIsNone(encode.poll())
        with harness.Exporter(directory=directory) as e:
            self.assertEqual(state(e, "a"), "running")
            wait_state(e, "a", "ended")
            self.ends_as_told(e, "a", encode)

    def test_a_request_ends_as_ffmpeg_says(self):
        with harness.Exporter() as e:
            encode = ffmpeg(f"http://127.0.0.1:{e.ports['results']}/progress/a", 3, loud=True)
            self.addCleanup(lambda: (encode.kill(), encode.communicate()))
            wait_state(e, "a", "ended")
            self.ends_as_told(e, "a", encode)

    def ends_as_told(self, e, name, encode):
        """By the last of the lines that ffmpeg shows people."""
        said = encode.communicate(timeout=20)[1].decode()
        frames, size, time, rate = re.findall(
            r"frame= *(\d+) fps=[^\r]* Lsize= *(\d+)kB time=(\S+) bitrate= *([\d.]+)kbits/s",
            said)[-1]
        hours, minutes, seconds = time.split(":")
        x = e.metrics("results")
        value = lambda family: x.value(family, scenario=name)
        self.assertEqual(value("encode_frames_total"), int(frames))
        self.assertAlmostEqual(value("encode_output_bytes_total") / 1024, int(size), delta=1)
        self.assertAlmostEqual(value("encode_out_time_seconds"), int(hours) * 3600
                               + int(minutes) * 60 + float(seconds), delta=0.0101)
        self.assertAlmostEqual(value("encode_bitrate_bits_per_second") / 1000, float(rate),
                               delta=0.051)

    def test_what_is_no_file_is_refused(self):
        with harness.Exporter() as e:
            os.mkfifo(e.path("pipe.progress"))
            e.wait_log(r"a file is not read.*pipe.progress")
            self.assertEqual(e.metrics("results").samples("encode_state"), [])

    def test_who_may_send(self):
        cases = (({}, 200), ({"Origin": "http://elsewhere"}, 403),
                 ({"Sec-Fetch-Site": "cross-site"}, 403), ({"Host": "elsewhere"}, 403))
        with harness.Exporter() as e:
            for headers, status in cases:
                reply = e.get("results", "/progress/a", headers, "POST",
                              b"frame=1\nprogress=end\n")
                self.assertEqual(reply.status, status, headers)
            for path in ("/progress/", "/progress/%ff", "/progress/" + "a" * 257):
                self.assertEqual(e.get("results", path, method="POST", body=b"x").status, 400)
            self.assertEqual(e.get("qoe", "/progress/a", method="POST", body=b"x").status, 404)
        with harness.Exporter("--ingest", "off") as e:
            self.assertEqual(e.get("results", "/progress/a", method="POST",
                                   body=b"x").status, 403)

    def test_ffmpeg_shows_a_password(self):
        name, (password, value) = "alice", web.FAST["alice"]
        with web.ConfigFile(web.users(**{name: value})) as file, harness.Exporter(
                "--web.config.file", file.path, "--ingest", "all") as e:
            at = f"127.0.0.1:{e.ports['results']}/progress"
            self.started(f"http://{name}:{password}@{at}/right", 2)
            wrong = self.started(f"http://{name}:wrong@{at}/wrong", 2)
            headers = web.basic(name, password)
            told = lambda: e.get("results", headers=headers).text
            harness.wait_until(lambda: 'encode_frames_total{scenario="right"} 60' in told(), 20,
                               "all frames")
            wrong.wait(20) # it looks at no second answer, and encodes all the same
            self.assertNotIn('scenario="wrong"', told())

    def test_expect_is_answered(self):
        with harness.Exporter() as e:
            with e.connect("results") as s:
                s.sendall(b"POST /progress/a HTTP/1.1\r\nHost: localhost\r\nExpect: "
                          b"100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
                self.assertTrue(s.recv(100).startswith(b"HTTP/1.1 100"))
                s.sendall(b"8\r\nframe=7\n\r\n")
                s.sendall(b"12\r\nprogress=continue\n\r\n")
                harness.wait_until(lambda: e.metrics("results").value(
                    "encode_frames_total", scenario="a") == 7)
                s.shutdown(socket.SHUT_WR)
                wait_state(e, "a", "aborted")

    def test_without_it_nothing_is_watched(self):
        with harness.Exporter("--live", "off") as e:
            shutil.copy(os.path.join(PROGRESS, "x264_mp4.progress"), e.path("a.progress"))
            self.assertEqual(e.get("results", "/progress/a", method="POST",
                                   body=b"x").status, 404)
            e.process.send_signal(signal.SIGHUP)
            e.wait_log("settings reloaded")
            self.assertNotIn("encode_exporter_watched_encodes", e.metrics("results"))


if __name__ == "__main__":
    if not shutil.which("ffmpeg"):
        print("skipped: ffmpeg is not installed")
        sys.exit(77)
    harness.main()
