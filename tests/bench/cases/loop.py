"""How long the loop keeps others waiting: a prober of /health, one probe a millisecond."""

import os
import time

import events
import generate
import load
import proc
from figures import Check, Row, percentile

HOW = ("longest answer of /health to a client that asks every millisecond, seen by that "
       "client; idle: the longest when nothing happens. loop: the longest without what the "
       "kernel says the loop's thread or the client, whichever is more, waited for a core")


class Prober:
    def __init__(self, exporter):
        self.pid = exporter.pid
        self.client = exporter.connect("results", "/health")
        self.me = os.getpid()
        self.reset()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.__exit__()

    def reset(self):
        self.worst_ms = 0.0    # of the answers
        self.loop_ms = 0.0     # of what the loop itself takes of an answer

    def waits(self):
        return proc.wait_ns(self.pid, self.pid), proc.wait_ns(self.me, self.me)

    def probe(self):
        before = self.waits()
        begun = time.perf_counter()
        self.client.ask()
        ms = (time.perf_counter() - begun) * 1e3
        if ms > self.worst_ms:
            self.worst_ms = ms
        if ms > self.loop_ms:
            waited = max(b - a for a, b in zip(before, self.waits())) / 1e6
            self.loop_ms = max(self.loop_ms, ms - waited)
        time.sleep(0.001)

    def watch(self, seconds):
        """The longest answer of so many seconds, in milliseconds."""
        self.reset()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.probe()
        return self.worst_ms


def to_row(id, what, worst, idle, loops):
    return Row(id, what, HOW, "ms", worst,
               [Check("max", max(worst)), Check("loop", max(loops), 5)],
               f"idle {percentile(idle, 0.5):.2f} ms (longest {max(idle):.2f} ms)",
               detail={"idle_ms": idle, "worst_ms": worst, "loop_ms": loops})


def during_change(bench, id):
    count = bench.size.large
    directory = bench.scratch("loop")
    name = generate.name(0)
    run = events.Changing(count)
    events.put(directory, name, run.text(0))
    worst, idle, loops = [], [], []
    with bench.exporter(directory) as e, Prober(e) as prober, \
            e.connect("results", events.MARK) as mark:
        for i in range(1, max(2, bench.size.changes // 4) + 1):
            text = run.text(i)
            idle.append(prober.watch(0.1))
            prober.reset()
            begun = events.put(directory, name, text)
            while time.perf_counter() - begun < 0.2:
                prober.probe()
            worst.append(prober.worst_ms)
            loops.append(prober.loop_ms)
            events.until(mark, begun, events.marked(f"r{i}"))
    return to_row(id, f"loop kept busy by a change in a file of {count}", worst, idle, loops)


def during_identity(bench, id):
    count = bench.size.large
    worst, idle, loops = [], [], []
    with bench.exporter(bench.data(1, count)) as e, Prober(e) as prober:
        for _ in range(bench.size.rounds):
            idle.append(prober.watch(0.3))
            with load.Wrk(e.ports["results"], "/metrics", "", 1, 1) as reader:
                worst.append(prober.watch(0.9))
                loops.append(prober.loop_ms)
                reader.counted()
    return to_row(id, f"loop kept busy by identity answers of {count} scenarios", worst, idle,
                  loops)


def run(bench):
    if bench.wants("loop.change"):
        yield during_change(bench, "loop.change")
    if bench.wants("loop.identity"):
        yield during_identity(bench, "loop.identity")
