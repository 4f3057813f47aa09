"""Encodes to be measured, and a program in ffmpeg's place that the test plays."""

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
