# ctest: timeout 240
"""Encodes that are watched: files that change as files do, clients that behave as they like."""

import os
import random
import shutil
import time
import unittest

import harness
import web

POOLING = os.path.join(harness.DATA, "formats", "pooling")
PROGRESS = os.path.join(harness.DATA, "formats", "progress")
CLIP = "sintel360_libsvtav1_8_1000k"
OWN = "encode_exporter_progress_blocks_total"
TOLD = ("encode_frames_total", "encode_output_bytes_total", "encode_out_time_seconds",
        "encode_bitrate_bits_per_second")


def block(frames, end=False):
    return (f"frame={frames}\nfps=25.0\nout_time_us={frames * 40000}\ntotal_size={frames * 100}\n"
            f"speed=1x\nprogress={'end' if end else 'continue'}\n").encode()


def state(e, name):
    for s in e.metrics("results").samples("encode_state"):
        if s.labels["scenario"] == name and s.value == 1:
            return s.labels["state"]
    return None


def wait_state(e, name, want):
    harness.wait_until(lambda: state(e, name) == want, 20, f"{name} is {want}")


def frames(e, name):
    return e.metrics("results").value("encode_frames_total", scenario=name)


def wait_frames(e, name, want):
    harness.wait_until(lambda: frames(e, name) == want, 20, f"{name} has {want} frames")


def spent(e):
    return e.metrics("cost").value("cost_accrued_total", currency="USD")


def put(path, content, flags=os.O_CREAT | os.O_TRUNC):
    fd = os.open(path, os.O_WRONLY | flags, 0o644)
    os.write(fd, content)
    os.close(fd)


class Body:
    """A request of ffmpeg's kind; name as it stands in a URL."""

    def __init__(self, e, name):
        self.socket = e.connect("results")
        self.socket.sendall(f"POST /progress/{name} HTTP/1.1\r\nHost: localhost\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n".encode())

    def send(self, content):
        self.socket.sendall(b"%x\r\n%s\r\n" % (len(content), content))

    def end(self):
        self.socket.sendall(b"0\r\n\r\n")
        answer = self.socket.recv(4096)
        self.socket.close()
        return answer

    def is_closed(self):
        gone = self.socket.recv(100) == b""
        self.socket.close()
        return gone


class Files(unittest.TestCase):
    def test_pieces_make_the_same_as_a_whole_file(self):
        pick = random.Random(8)
        with open(os.path.join(PROGRESS, "multi_psnr.progress"), "rb") as f:
            content = f.read()
        with harness.Exporter() as e:
            put(e.path("whole.progress"), content)
            wait_state(e, "whole", "ended")
            before = e.metrics("results").value(OWN, source="file")
            done = 0
            while done < len(content):
                n = pick.randint(1, len(content) // 6)
                put(e.path("pieces.progress"), content[done:done + n],
                    os.O_CREAT | os.O_APPEND)
                done += n
                blocks = content[:done].count(b"\nprogress=continue\n") + content[
                    :done].count(b"\nprogress=end\n")
                harness.wait_until(lambda: e.metrics("results").value(
                    OWN, source="file") == before + blocks, what=f"{blocks} blocks")
            x = e.metrics("results")
            for family in TOLD:
                self.assertEqual(x.value(family, scenario="pieces"),
                                 x.value(family, scenario="whole"), family)

    def test_logs_that_grow_tell_what_whole_ones_do(self):
        with harness.Exporter() as e:
            for kind in ("psnr", "ssim"):
                with open(os.path.join(POOLING, f"{CLIP}.{kind}.log"), "rb") as f:
                    content = f.read()
                put(e.path(f"whole.{kind}.log"), content)
                for at in range(0, len(content), 4096): # as stdio writes them
                    put(e.path(f"grows.{kind}.log"), content[at:at + 4096],
                        os.O_CREAT | os.O_APPEND)
            with open(os.path.join(POOLING, f"{CLIP}.vmaf.json"), "rb") as f:
                content = f.read()
            put(e.path("whole.vmaf.json"), content)
            fd = os.open(e.path("grows.vmaf.json"), os.O_WRONLY | os.O_CREAT, 0o644)
            for at in range(0, len(content), 4096):
                os.write(fd, content[at:at + 4096])
            os.close(fd)

            def shown(x, name):
                return sorted((s.labels["metric"], s.labels["stat"], s.value)
                              for s in x.samples("qoe_frame_score")
                              if s.labels["scenario"] == name)
            e.wait_metrics("qoe", lambda x: shown(x, "whole") and len(
                {s[0] for s in shown(x, "whole")}) >= 3
                and shown(x, "whole") == shown(x, "grows"))

    def test_every_way_to_begin_anew_is_noticed(self):
        with harness.Exporter() as e:
            path = e.path("a.progress")
            put(path, block(10) + block(20))
            wait_frames(e, "a", 20)
            put(path, block(5)) # truncated
            wait_frames(e, "a", 5)
            put(path + "x", block(70)) # another file takes the name
            os.rename(path + "x", path)
            wait_frames(e, "a", 70)
            put(path, block(80), 0) # as long as what was there
            wait_frames(e, "a", 80)
            os.remove(path)
            harness.wait_until(lambda: not e.metrics("results").samples("encode_frames_total"))
            put(path, block(90))
            wait_frames(e, "a", 90)
            os.rename(path, e.path("b.progress"))
            wait_frames(e, "b", 90)
            self.assertEqual(len(e.metrics("results").samples("encode_frames_total")), 1)
            os.link(e.path("b.progress"), e.path("c.progress"))
            wait_frames(e, "c", 90)
            put(e.path("c.progress"), block(91), os.O_APPEND)
            for name in "bc":
                wait_frames(e, name, 91)
            put(e.path("empty.progress"), b"")
            wait_state(e, "empty", "running")

    def test_without_events_growth_is_seen_all_the_same(self):
        with harness.Exporter("--watch", "poll", "--poll-interval", "300ms") as e:
            path = e.path("a.progress")
            for n in range(1, 6):
                put(path, block(n), os.O_CREAT | os.O_APPEND)
                wait_frames(e, "a", n)

    def test_names_are_told_as_they_are(self):
        names = ['say "hi"', "back\\slash", "new\nline", "größe 5\u2009€"]
        with harness.Exporter() as e:
            for i, name in enumerate(names):
                put(e.path(name + ".progress"), block(i + 1, True))
            for i, name in enumerate(names):
                wait_state(e, name, "ended")
                wait_frames(e, name, i + 1)

    def test_one_that_was_killed_is_given_up(self):
        with harness.Exporter("--stalled-after", "300ms", "--live.max-idle", "2s") as e:
            put(e.path("a.progress"), block(1))
            wait_state(e, "a", "stalled")
            wait_state(e, "a", "aborted")
            harness.wait_until(lambda: e.metrics("results").value(
                "results_scenario_duration_seconds", scenario="a") < 2)
            put(e.path("a.progress"), block(2), os.O_APPEND) # it was only asleep
            wait_frames(e, "a", 2)
            wait_state(e, "a", "stalled")

    def test_the_newest_of_many_are_watched(self):
        directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, directory)
        now = time.time()
        for i in range(60): # killed, most of them
            path = os.path.join(directory, f"{i:02}.progress")
            put(path, block(i + 1, i % 3 == 0))
            os.utime(path, (now - 5000 + i, now - 5000 + i))
        with harness.Exporter("--live.max-encodes", "10", directory=directory) as e:
            names = {s.labels["scenario"]
                     for s in e.metrics("results").samples("encode_frames_total")}
            self.assertEqual(names, {str(i) for i in range(50, 60)})
            put(os.path.join(directory, "new.progress"), block(1))
            wait_frames(e, "new", 1)
            wait_state(e, "50", None)

    def test_old_ones_are_over(self):
        directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, directory)
        put(os.path.join(directory, "old.progress"), block(1, True))
        os.utime(os.path.join(directory, "old.progress"), (1e9, 1e9))
        put(os.path.join(directory, "new.progress"), block(1, True))
        with harness.Exporter("--series.ttl", "1h", "--watch", "poll", "--poll-interval",
                              "200ms", directory=directory) as e:
            wait_state(e, "new", "ended")
            put(os.path.join(directory, "newer.progress"), block(1, True)) # a scan later
            wait_state(e, "newer", "ended")
            self.assertEqual(len(e.metrics("results").samples("encode_frames_total")), 2)


class Requests(unittest.TestCase):
    def body(self, e, name):
        b = Body(e, name)
        self.addCleanup(b.socket.close)
        return b

    def test_the_last_request_of_a_name_is_heard(self):
        with harness.Exporter() as e:
            first = self.body(e, "a")
            first.send(block(1))
            wait_frames(e, "a", 1)
            second = self.body(e, "a")
            second.send(block(2))
            wait_frames(e, "a", 2)
            self.assertTrue(first.is_closed())
            put(e.path("a.progress"), block(7, True)) # its file is another encode
            harness.wait_until(lambda: e.metrics("results").value(OWN, source="file") == 1)
            self.assertEqual(frames(e, "a"), 2)
            second.send(block(3, True))
            self.assertIn(b" 200 ", second.end())
            wait_state(e, "a", "ended")

    def test_all_that_waited_comes_at_once(self):
        with harness.Exporter() as e:
            body = self.body(e, "a")
            for n in range(1, 2001):
                body.send(block(n))
            wait_frames(e, "a", 2000)
            self.assertEqual(state(e, "a"), "running")
            for n in range(4001): # and this is no encoder
                try:
                    body.send(block(n))
                except OSError:
                    break
            wait_state(e, "a", "aborted")

    def test_a_body_that_is_no_progress_ends(self):
        with harness.Exporter() as e:
            body = self.body(e, "a")
            try:
                for _ in range(40):
                    body.send(b"x" * 4096)
            except OSError:
                pass
            wait_state(e, "a", "aborted")

    def test_bodies_leave_connections_for_scrapes(self):
        with harness.Exporter("--web.max-connections", "8") as e:
            bodies = [self.body(e, f"a{i}") for i in range(6)]
            for b in bodies:
                b.send(block(1))
            harness.wait_until(lambda: len(e.metrics("results").samples(
                "encode_frames_total")) == 6)
            more = self.body(e, "one-more")
            self.assertIn(b" 503 ", more.socket.recv(4096))
            more.socket.close()
            self.assertEqual(bodies.pop().end()[9:12], b"200")
            again = self.body(e, "again")
            again.send(block(1))
            wait_frames(e, "again", 1)

    def test_other_kinds_of_bodies(self):
        with harness.Exporter() as e:
            text = block(3, True)
            with e.connect("results") as s: # two requests at once, chunks with extensions
                s.sendall(b"POST /progress/ext HTTP/1.1\r\nHost: localhost\r\n"
                          b"Transfer-Encoding: chunked\r\n\r\n%x;a=b\r\n%s\r\n0\r\n\r\n"
                          b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
                          % (len(text), text))
                got = b""
                while got.count(b"HTTP/1.1 200") < 2:
                    piece = s.recv(4096)
                    self.assertTrue(piece, got)
                    got += piece
            with e.connect("results") as s:
                s.sendall(b"POST /progress/old HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s"
                          % (len(text), text))
                self.assertIn(b" 200 ", s.recv(4096))
            for name in ("ext", "old"):
                wait_frames(e, name, 3)

    def test_who_tells_nothing_is_an_encode_that_was_aborted(self):
        with harness.Exporter() as e:
            for name, head in (("none", ""), ("zero", "Content-Length: 0\r\n"),
                               ("chunked", "Transfer-Encoding: chunked\r\n")):
                with e.connect("results") as s:
                    s.sendall(f"POST /progress/{name} HTTP/1.1\r\nHost: localhost\r\n"
                              f"{head}\r\n".encode())
                    if name == "chunked":
                        s.sendall(b"0\r\n\r\n")
                    self.assertIn(b" 200 OK\r\n", s.recv(4096), name)
                    # the connection is as good as before
                    s.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    self.assertIn(b" 200 OK\r\n", s.recv(4096), name)
                wait_state(e, name, "aborted")
            body = self.body(e, "none") # and begins when it tells something
            body.send(block(1))
            wait_state(e, "none", "running")
            empty = e.get("results", "/progress/none", {"Origin": "http://elsewhere"}, "POST")
            self.assertEqual(empty.status, 403)
            self.assertEqual(state(e, "none"), "running")

    def test_progress_is_sent_and_nothing_else(self):
        with harness.Exporter() as e:
            for method in ("GET", "HEAD", "PUT", "DELETE"):
                reply = e.get("results", "/progress/a", method=method)
                self.assertEqual((reply.status, reply.headers["Allow"]), (405, "POST"))
            for endpoint in ("qoe", "cost"):
                self.assertEqual(e.get(endpoint, "/progress/a").status, 404)
                self.assertEqual(e.get(endpoint, "/progress/a", method="POST").status, 404)
            self.assertEqual(e.get("results", "/progressive").status, 404)
            self.assertIsNone(state(e, "a"))
        with harness.Exporter("--live", "off") as e:
            self.assertEqual(e.get("results", "/progress/a", method="POST").status, 404)

    def test_odd_values_are_no_values(self):
        with harness.Exporter() as e:
            body = self.body(e, "a")
            body.send(b"frame=nan\nfps=inf\nout_time_us=-9223372036854775808\n"
                      b"total_size=N/A\nspeed=-inf\nprogress=continue\n")
            wait_state(e, "a", "running")
            text = e.get("results").text
            for word in ("NaN", "Inf", "e+18"):
                self.assertFalse([line for line in text.splitlines()
                                  if line.startswith("encode_") and word in line.split("}")[-1]
                                  and not line.startswith("encode_exporter")])


class Passwords(unittest.TestCase):
    HEAD = ("POST /progress/a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
            "Transfer-Encoding: chunked\r\n%s\r\n")

    def test_who_shows_it_is_told_to_go_on(self):
        login = "Authorization: " + web.basic("eve", web.SLOW[0])["Authorization"] + "\r\n"
        text = block(4, True)
        with web.ConfigFile(web.users(eve=web.SLOW[1])) as file, harness.Exporter(
                "--web.config.file", file.path, "--ingest", "all") as e:
            with e.connect("results") as s:
                s.sendall((self.HEAD % "").encode())
                self.assertIn(b" 401 ", s.recv(4096))
            # the body is there before the password is checked
            with e.connect("results") as s:
                s.sendall((self.HEAD % login).encode() + b"%x\r\n%s\r\n0\r\n\r\n"
                          % (len(text), text))
                got = b""
                while b" 200 " not in got:
                    piece = s.recv(4096)
                    self.assertTrue(piece, got)
                    got += piece
                self.assertTrue(got.startswith(b"HTTP/1.1 100"), got)
            headers = web.basic("eve", web.SLOW[0])
            self.assertIn('encode_frames_total{scenario="a"} 4',
                          e.get("results", headers=headers).text)


class Belonging(unittest.TestCase):
    def test_nothing_is_charged_twice(self):
        with harness.Exporter("--cpu-cost", "3600", "--energy-cost", "0") as e:
            body = Body(e, "a%20b")
            body.send(block(1))
            harness.wait_until(lambda: spent(e) > 0)
            body.send(block(2, True))
            body.end()
            wait_state(e, "a b", "ended")
            e.write("test_results_1.json", '{"scenarios": [{"name": "a b", "duration": 100,'
                    ' "media_seconds": 0.16, "bitrate": "1M"}]}')
            harness.wait_until(lambda: e.metrics("results").value(
                "results_scenario_duration_seconds", scenario="a b") == 100)
            self.assertEqual(e.metrics("results").value("encode_progress_ratio",
                                                        scenario="a b"), 0.5)
            harness.wait_until(lambda: spent(e) > 99)
            self.assertAlmostEqual(spent(e), e.metrics("cost").value(
                "cost_total_load_aware", scenario="a b"), 3)
            e.write("test_results_2.json", '{"scenarios": [{"name": "other", "duration": 1}]}')
            wait_state(e, "a b", "ended") # its progress alone tells of it again
            self.assertLess(spent(e), 102)

    @staticmethod
    def running(e):
        return [s.labels["run_id"] for s in e.metrics("results").samples("encode_state")
                if s.labels["state"] == "running" and s.value == 1]

    def test_runs_before_the_newest_are_left_alone(self):
        old = '{"scenarios": [{"name": "a", "start_time": 1000000000, "bitrate": "1M"}]}'
        with harness.Exporter("--runs", "all") as e:
            e.write("test_results_1.json", old)
            e.write("test_results_2.json", old)
            harness.wait_until(lambda: e.metrics("results").value(
                "results_scenarios_total") == 2)
            put(e.path("a.progress"), block(5))
            wait_frames(e, "a", 5)
            harness.wait_until(lambda: self.running(e) == ["test_results_2"])
            put(e.path("a.progress"), block(6), os.O_APPEND)
            wait_frames(e, "a", 6)
            self.assertEqual(self.running(e), ["test_results_2"])


if __name__ == "__main__":
    harness.main()
