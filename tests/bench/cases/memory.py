"""Memory, idle wake-ups and the binary's own size."""

import os
import subprocess
import time

import client
import proc
from exporter import ENDPOINTS
from figures import Check, Row

HOW = ("RSS after scrapes of /metrics/all, gzip (where served) and identity in turn; PSS "
       "shares out what other processes map, too")
MANY = 10    # scrapes of 100 000 scenarios: an identity answer is about 1 GB
MB = 1e6


def scraped(bench, directory, scrapes, *flags):
    """(smaps_rollup, bytes of all answers as text and as gzip) after the scrapes."""
    with bench.exporter(directory, *flags) as e:
        for i in range(scrapes):
            e.drain("results", "/metrics/all", client.GZIP if i % 2 else "")
        served = [sum(e.drain(n, headers=h) for n in ENDPOINTS) for h in ("", client.GZIP)]
        e.settle(0.1)
        return proc.memory_bytes(e.pid), served


def consists_of(bench, memory, served, floor, count):
    """What a scenario takes, in words: memory of our own beyond that of 10 scenarios."""
    own = (memory["Anonymous"] - floor["Anonymous"]) / (count - 10)
    text, gzip = (n / count for n in served)
    parts = [f"{own:.0f} bytes a scenario"]
    if bench.gzip:
        parts.append(f"{gzip:.0f} of them its ready-made gzip answers")
    parts.append(f"its text answers are {text:.0f}")
    return ", ".join(parts), {"bytes_per_scenario": own, "gzip_per_scenario": gzip,
                              "text_per_scenario": text}


def resident(bench):
    large, (runs, each) = bench.size.large, bench.size.many
    floor, served = scraped(bench, bench.data(1, 10), bench.size.scrapes)
    for runs_of, count, flags, budget in (
            (1, 10, (), 6), (1, large, (), 40),
            (runs, runs * each, bench.all_runs(runs, each), None)):
        id = f"rss.{count}"
        if not bench.wants(id):
            continue
        scrapes = bench.size.scrapes if runs_of == 1 else MANY
        memory, detail = floor, {}
        note = f"PSS {floor['Pss'] / MB:.1f} MB, {floor['Anonymous'] / MB:.1f} MB of it anonymous"
        if count != 10:
            memory, served = scraped(bench, bench.data(runs_of, count // runs_of), scrapes,
                                     *flags)
            words, detail = consists_of(bench, memory, served, floor, count)
            note = f"PSS {memory['Pss'] / MB:.1f} MB; {words}"
        rss = memory["Rss"] / MB
        what = f"RSS after {scrapes} scrapes, {count} scenarios"
        yield Row(id, what, HOW, "MB", [rss], [Check("", rss, budget)], note,
                  detail={**memory, **detail})


def stalled(bench, id):
    """Memory of clients that ask for a large identity answer and read nothing of it."""
    count, clients = bench.size.large, bench.size.stalled
    with bench.exporter(bench.data(1, count)) as e:
        e.drain("results")
        e.settle(0.1)
        before = proc.memory_bytes(e.pid)["Rss"]
        open_ones = [e.connect("results") for _ in range(clients)]
        try:
            for c in open_ones:
                c.socket.sendall(c.request)
            e.settle(0.3)
            each = (proc.memory_bytes(e.pid)["Rss"] - before) / clients / MB
        finally:
            for c in open_ones:
                c.socket.close()
    return Row(id, f"memory of a client that reads nothing, identity, {count} scenarios",
               "RSS gained by such clients of the results endpoint, divided by their number; "
               "the kernel's socket buffers are not the process's", "MB", [each],
               [Check("", each, 1.048576)])


def wake_ups(bench, id):
    seconds = bench.size.idle_s
    with bench.exporter(bench.data(1, 10)) as e:
        e.settle(0.5)
        before = proc.switches(e.pid)
        time.sleep(seconds)
        count = proc.switches(e.pid) - before
    return Row(id, f"wake-ups in {seconds} s, no connection",
               "context switches of all threads, voluntary or not; whatever changes in a directory "
               "above the watched one is a wake-up, too", "", [count],
               [Check("", count, 0)])


def stripped(bench, id):
    copy = os.path.join(bench.work, "stripped")
    subprocess.run(["strip", "-o", copy, bench.binary], check=True)
    kb = os.path.getsize(copy) / 1000
    return Row(id, "binary, stripped", "size of what strip leaves", "KB", [kb],
               [Check("", kb, 400)])


def run(bench):
    if any(bench.wants(f"rss.{n}") for n in (10, bench.size.large,
                                             bench.size.many[0] * bench.size.many[1])):
        yield from resident(bench)
    for id, case in (("rss.stalled", stalled), ("idle", wake_ups), ("size", stripped)):
        if bench.wants(id):
            yield case(bench, id)
