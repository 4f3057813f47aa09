#!/usr/bin/env python3
"""Measures the release binary and prints each figure beside its budget.

Everything is seen from outside, by a client on loopback, so a figure includes what the
client needs to notice. Loads are bounded, come from one thread and stay on loopback.
"""

import argparse
import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import generate

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BINARY = os.path.join(ROOT, "build", "release", "encode_exporter")
MB = 1e6


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


class Exporter:
    """The binary on free ports; ready_s is the time from exec to a ready answer."""

    def __init__(self, directory, *flags):
        self.ports = dict(zip(("results", "qoe", "cost"), free_ports(3)))
        listen = [f"--{n}.listen-address=127.0.0.1:{p}" for n, p in self.ports.items()]
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            [BINARY, "--results-dir", directory, "--log.level=error", *listen, *flags],
            env={}, stdin=subprocess.DEVNULL)
        while not self.ready():
            if self.process.poll() is not None:
                sys.exit(f"quick.py: the exporter ended with {self.process.returncode}")
            if time.perf_counter() - begun > 120:
                sys.exit("quick.py: the exporter is not ready after 120 s")
        self.ready_s = time.perf_counter() - begun

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)

    def ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.ports["results"]), 5) as s:
                s.sendall(b"GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return s.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def client(self, endpoint):
        return http.client.HTTPConnection("127.0.0.1", self.ports[endpoint], timeout=60)

    def rss_mb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) * 1024 / MB


def ask(client, path, headers=None):
    client.request("GET", path, headers=headers or {})
    reply = client.getresponse()
    return reply, reply.read()


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, value, unit, budget=None):
        met = "" if budget is None else "yes" if value <= budget else "NO"
        self.rows.append((what, f"{value:.4g} {unit}",
                          "" if budget is None else f"≤ {budget:g} {unit}", met))
        print(f"  {what}: {value:.4g} {unit}", file=sys.stderr)

    def markdown(self):
        rows = [("what", "measured", "budget", "met"), ("---",) * 4, *self.rows]
        return "".join("| " + " | ".join(r) + " |\n" for r in rows)

    def missed(self):
        return [r[0] for r in self.rows if r[3] == "NO"]


def put(directory, name, text):
    temporary = os.path.join(directory, ".new")
    with open(temporary, "w", encoding="utf-8") as f:
        f.write(text)
    begun = time.perf_counter()
    os.rename(temporary, os.path.join(directory, name))
    return begun


def measure_adding(directory, changes):
    """Seconds from rename to the answer that counts one scenario more."""
    times = []
    versions = [generate.text(generate.run(n, 1)) for n in (10, 11)]
    name = generate.name(0)
    put(directory, name, versions[0])
    with Exporter(directory) as e:
        client = e.client("cost")
        path = "/metrics?name[]=cost_scenarios_total"
        for i in range(1, changes + 1):
            wanted = b"cost_scenarios_total %d\n" % (10 + i % 2)
            begun = put(directory, name, versions[i % 2])
            while not ask(client, path)[1].endswith(wanted):
                pass
            times.append(time.perf_counter() - begun)
    return times


def measure_changing(directory, scenarios, changes):
    """Seconds from rename to the answer that has one of many scenarios changed.

    That one alone has parameters, so the family that shows them is a short answer.
    """
    times = []
    whole = generate.run(scenarios, 1)
    changing = whole["scenarios"][scenarios // 2]
    name = generate.name(0)
    changing["params"] = {"round": "start"}
    put(directory, name, generate.text(whole))
    with Exporter(directory) as e:
        client = e.client("results")
        path = "/metrics?name[]=results_scenario_params_info"
        for i in range(changes):
            changing["params"]["round"] = f"r{i}"
            changing["vmaf_score"] = round(50 + i * 0.1, 2)
            text = generate.text(whole)
            wanted = b'round="r%d"' % i
            begun = put(directory, name, text)
            while wanted not in ask(client, path)[1]:
                pass
            times.append(time.perf_counter() - begun)
    return times


def measure_rss(directory):
    with Exporter(directory) as e:
        client = e.client("results")
        for _ in range(100):
            ask(client, "/metrics/all")
        return e.rss_mb()


def stripped_kb():
    with tempfile.NamedTemporaryFile() as copy:
        subprocess.run(["strip", "-o", copy.name, BINARY], check=True)
        return os.path.getsize(copy.name) / 1000


def directory_of(work, name, runs, scenarios):
    path = os.path.join(work, name)
    generate.write(path, runs, scenarios, seed=1)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--scenarios", type=int, default=10000, help="of the large run")
    parser.add_argument("--files", type=int, default=10000, help="in the full directory")
    args = parser.parse_args()
    if not os.access(BINARY, os.X_OK):
        sys.exit("quick.py: no release binary; ./dev build makes it")
    table = Table()
    work = tempfile.mkdtemp(prefix="encode_exporter-bench-")
    try:
        small = directory_of(work, "small", 1, 10)
        large = directory_of(work, "large", 1, args.scenarios)
        starts = []
        for _ in range(20):
            with Exporter(small) as e:
                starts.append(e.ready_s * 1e3)
        table.add("exec → ready, 10 scenarios, median of 20", percentile(starts, 0.5), "ms",
                  15)
        table.add("RSS after 100 scrapes, 10 scenarios", measure_rss(small), "MB", 6)
        table.add(f"RSS after 100 scrapes, {args.scenarios} scenarios", measure_rss(large),
                  "MB", 40)
        times = measure_adding(os.path.join(work, "small"), args.changes)
        table.add("event → served, one scenario added to 10, p50",
                  percentile(times, 0.5) * 1e3, "ms")
        table.add("event → served, one scenario added to 10, p99",
                  percentile(times, 0.99) * 1e3, "ms", 1)
        times = measure_changing(large, args.scenarios, args.changes)
        what = f"event → served, one of {args.scenarios} scenarios changed"
        table.add(what + ", p50", percentile(times, 0.5) * 1e3, "ms", 25)
        table.add(what + ", p99", percentile(times, 0.99) * 1e3, "ms", 50)
        many = directory_of(work, "many", args.files, 10)
        with Exporter(many) as e:
            table.add(f"exec → ready, {args.files} files of 10, --runs latest", e.ready_s,
                      "s", 1)
        with Exporter(many, "--runs=all", f"--max-scenarios={args.files * 10}") as e:
            table.add(f"exec → ready, {args.files} files of 10, --runs all", e.ready_s, "s",
                      10)
            table.add(f"RSS, {args.files * 10} scenarios in {args.files} runs", e.rss_mb(),
                      "MB")
        table.add("binary, stripped", stripped_kb(), "KB", 400)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(table.markdown(), end="")
    if table.missed():
        print("over budget: " + "; ".join(table.missed()))


if __name__ == "__main__":
    main()
