"""Encodes that are watched: many progress files that grow at the same time.

The writer is a process of its own, which writes each file two blocks a second, evenly over
the files, as so many ffmpegs would. One more encode is the mark whose blocks are timed.
"""

import json
import os
import subprocess
import sys
import time

import growth
import proc
from exporter import die_with_parent
from figures import Check, Row, percentile

MARK = "/metrics?name[]=encode_frames_total"
def writer(directory, count, seconds):
    return subprocess.Popen([sys.executable, "-B", growth.__file__, directory, str(count),
                             str(seconds)], stdout=subprocess.PIPE, text=True,
                            preexec_fn=die_with_parent)


def cpu_share(pid, seconds):
    before, begun = proc.cpu_ns(pid), time.monotonic()
    time.sleep(seconds)
    return (proc.cpu_ns(pid) - before) / 1e9 / (time.monotonic() - begun)


def timed_blocks(client, path, marks):
    """Milliseconds from each block of the mark's to the answer that tells it."""
    times = []
    with open(path, "wb", buffering=0) as f:
        for i in range(1, marks + 1):
            wanted = f'{{scenario="mark"}} {1000000 + i}\n'.encode()
            begun = time.perf_counter()
            f.write(growth.block(1000000 + i))
            while wanted not in client.ask()[1]:
                if time.perf_counter() - begun > 30:
                    raise RuntimeError("a block is not served within 30 s")
            times.append((time.perf_counter() - begun) * 1e3)
            time.sleep(0.15)    # more than the pause between two reads of a file
    return times


def run(bench):
    if not bench.wants("live.growing"):
        return
    count, seconds = bench.size.growing, bench.size.growing_s
    directory = bench.scratch("growing")
    with bench.exporter(directory, "--live.max-encodes", str(count + 1), "--power=off",
                        "--predict=off") as e, e.connect("results", MARK) as client:
        writes = writer(directory, count, 3 * seconds + 2)
        try:
            while client.ask()[1].count(b"\nencode_frames_total{") < count:
                time.sleep(0.05)
            share = cpu_share(e.pid, seconds)
            with e.connect("results", "/metrics/all") as all_metrics:
                begun, before = time.monotonic(), proc.cpu_ns(e.pid)
                while time.monotonic() - begun < seconds:
                    all_metrics.ask()
                    time.sleep(1)
                scraped = (proc.cpu_ns(e.pid) - before) / 1e9 / (time.monotonic() - begun)
            times = timed_blocks(client, os.path.join(directory, "mark.progress"),
                                 max(4, int(seconds * 4)))
            told = json.loads(writes.communicate(timeout=4 * seconds + 60)[0])
        finally:
            writes.kill()
            writes.wait()
    yield Row("live.growing", f"{count} growing progress files, two blocks a second each: "
              "block → served",
              "one more file's block, from its write to the answer that tells it, asked for "
              "without pause", "ms", times, [Check("p99", percentile(times, 0.99), 20)],
              f"the writer was late by {told['late_s']:.2f} s at most", detail=told)
    yield Row("live.cpu", "the same: CPU of the exporter",
              "over wall time while only the files grow; scraped: with /metrics/all once a "
              "second", "% of a core", [share * 100],
              [Check("", share * 100, 10), Check("scraped", scraped * 100)])
