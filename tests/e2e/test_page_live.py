# ctest: serial
# ctest: timeout 180
"""The page follows real encodes: within a second of what ffmpeg tells, by file and by
request, with the figures of /metrics, to the end."""

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

import harness
import pages

WITHIN = 1.0    # seconds from a block to the page
FRAME = re.compile(rb"^frame=\s*(\d+)$", re.M)


def ffmpeg(target, seconds):
    """A real-time encode that tells its progress there."""
    return subprocess.Popen(
        ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-re", "-f", "lavfi",
         "-i", f"testsrc2=size=320x180:rate=30:duration={seconds}", "-c:v", "libx264",
         "-preset", "ultrafast", "-progress", target, "-f", "null", "-"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Blocks:
    """When each block was told, as (time, frames)."""

    def __init__(self):
        self.text = b""
        self.times = []
        self.over = threading.Event()

    def take(self, data):
        self.text += data
        *blocks, self.text = re.split(rb"(?<=^progress=)\w+\n", self.text, flags=re.M)
        for block in blocks:
            found = FRAME.search(block)
            if found:
                self.times.append((time.time(), int(found[1])))


class Relay(Blocks):
    """Stands between ffmpeg and the exporter and looks at the clock."""

    def __init__(self, port):
        super().__init__()
        self.target = ("127.0.0.1", port)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with self.server, self.server.accept()[0] as encode, \
                socket.create_connection(self.target) as exporter:
            encode.settimeout(60)
            while True:
                data = encode.recv(65536)
                if not data:
                    break
                self.take(data)
                exporter.sendall(data)
            exporter.shutdown(socket.SHUT_WR)
            exporter.settimeout(10)
            exporter.recv(65536)
        self.over.set()


class Tail(Blocks):
    """Looks at a growing file all the time."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        harness.wait_until(lambda: os.path.exists(self.path), 30)
        with open(self.path, "rb") as f:
            while not self.over.wait(0.002):
                self.take(f.read())


class Live(pages.Case):
    def encode(self, target, seconds):
        process = ffmpeg(target, seconds)
        self.addCleanup(lambda: (process.kill(), process.wait()))
        return process

    def seen(self, p, name):
        """(time, state, frames) as the page came to show them."""
        return [tuple(s[:1] + s[2:]) for s in p.js("window.seen") if s[1] == name]

    def late(self, blocks, seen):
        """Seconds from each block to when the page showed it or a later one."""
        delays = []
        for told, frames in blocks:
            shown = [at for at, _, n in seen if n is not None and n >= frames]
            delays.append(min(shown) - told if shown else float("inf"))
        return delays

    def test_within_a_second_of_a_block(self):
        e = self.exporter()
        relay, tail = Relay(e.ports["results"]), Tail(e.path("by file.progress"))
        with self.looking(e) as p:
            self.assertTrue(p.js("!!document.getElementById('empty').offsetParent"))
            p.js(pages.RECORDER)
            by_request = self.encode(
                f"http://127.0.0.1:{relay.port}/progress/by%20request?duration=6", 6)
            self.encode(e.path("by file.progress"), 6)
            for name in ("by request", "by file"):
                self.wait_state(p, name, "running")
            self.assertFalse(p.js("!!document.getElementById('empty').offsetParent"))
            self.assertEqual(p.js("document.getElementById('encodes').dataset.running"), "2")
            for name in ("by request", "by file"):
                self.wait_state(p, name, "ended")
            self.assertEqual(by_request.wait(10), 0)
            tail.over.set()
            for name, blocks in (("by request", relay), ("by file", tail)):
                with self.subTest(name):
                    self.follows(p, name, blocks.times)
            self.assertGreater(p.js("document.querySelector("
                                    "'#encodes [data-name=\"by request\"] progress').value"), 0)
            self.as_metrics(e, p, "by request")
            self.as_metrics(e, p, "by file")

    def follows(self, p, name, blocks):
        seen = self.seen(p, name)
        delays = sorted(self.late(blocks, seen))
        print(f"{name}: {len(blocks)} blocks, shown after {delays[len(delays) // 2]:.3f} s "
              f"(median), {delays[-1]:.3f} s (longest)")
        self.assertGreaterEqual(len(blocks), 10)
        # One may meet a machine that does something else just then.
        self.assertLess(delays[-2], WITHIN, (blocks, seen))
        states = [state for i, (_, state, _) in enumerate(seen)
                  if not i or seen[i - 1][1] != state]
        self.assertEqual(states, ["running", "ended"])
        frames = [n for _, _, n in seen if n is not None]
        self.assertEqual(frames, sorted(frames))
        self.assertEqual(frames[-1], 180)
        self.assertGreaterEqual(len(set(frames)), 8)

    def as_metrics(self, e, p, name):
        """Every figure that both tell is the same."""
        x = e.metrics("results")
        for figure, family in (("frames", "encode_frames_total"), ("fps", "encode_fps"),
                               ("speed", "encode_speed_ratio"),
                               ("bitrate", "encode_bitrate_bits_per_second"),
                               ("dropped", "encode_dropped_frames_total"),
                               ("duplicated", "encode_duplicated_frames_total")):
            samples = x.samples(family, scenario=name)
            shown = self.value(p, name, figure)
            if shown is None and (not samples or not samples[0].value):
                continue    # one that is 0 or unknown need not be shown
            with self.subTest(figure=figure):
                self.assertAlmostEqual(shown, samples[0].value,
                                       delta=abs(shown) * pages.DIGITS)
                text = pages.number(p.text(pages.encode(name, figure) + " dd"))
                self.assertAlmostEqual(text, shown, delta=abs(shown) * 0.02 + 0.05)

    def test_one_that_stands_still_is_seen_to(self):
        e = self.exporter("--stalled-after", "1s")
        with self.looking(e) as p:
            encode = self.encode(e.path("a.progress"), 30)
            killed = self.encode(
                f"http://127.0.0.1:{e.ports['results']}/progress/killed", 30)
            self.wait_state(p, "a", "running")
            self.wait_state(p, "killed", "running")
            encode.send_signal(signal.SIGSTOP)
            self.wait_state(p, "a", "stalled")
            encode.send_signal(signal.SIGCONT)
            self.wait_state(p, "a", "running")
            killed.kill()
            self.wait_state(p, "killed", "aborted")
            # Those that run come first.
            self.assertEqual(p.js("[...document.querySelectorAll('#encodes [data-name]')]"
                                  ".map(e => e.dataset.name)"), ["a", "killed"])
            encode.terminate()
            self.wait_state(p, "a", "ended")
            self.assertEqual(p.js("document.getElementById('encodes').dataset.running"), "0")
            os.remove(e.path("a.progress"))
            p.wait(f"!document.querySelector('{pages.encode('a')}')", 20, "a is gone")

    def test_watts_and_cost_grow(self):
        e = self.exporter("--power=auto", "--power.model=100,10")
        with self.looking(e) as p:
            self.encode(e.path("a.progress"), 30)
            harness.wait_until(lambda: self.value(p, "a", "cost")
                               and self.value(p, "a", "energy"), 20, "cost and energy")
            first = self.value(p, "a", "cost"), self.value(p, "a", "energy")
            harness.wait_until(lambda: self.value(p, "a", "cost") > first[0]
                               and self.value(p, "a", "energy") > first[1] + 50)
            self.assertGreaterEqual(self.value(p, "a", "power"), 50)
            told = e.metrics("cost").value("cost_so_far", scenario="a")
            self.assertAlmostEqual(self.value(p, "a", "cost") / told, 1, delta=0.7)

    def test_many_at_once(self):
        e = self.exporter()
        with open(os.path.join(harness.DATA, "formats", "progress", "x264_mp4.progress"),
                  encoding="ascii") as f:
            text = f.read()
        for i in range(200):
            e.write(f"many{i:03}.progress", text)
        with self.looking(e) as p:
            p.wait("document.getElementById('encodes').dataset.count === '200'")
            self.assertLess(p.count("#encodes [data-name]"), 120)
            for i in range(200):
                os.remove(e.path(f"many{i:03}.progress"))
            p.wait("document.getElementById('encodes').dataset.count === '0'", 30)


if __name__ == "__main__":
    if not shutil.which("ffmpeg"):
        print("skipped: ffmpeg is not installed")
        raise SystemExit(77)
    harness.main()
