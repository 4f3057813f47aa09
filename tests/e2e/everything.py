"""What an exporter does in its life, in a few seconds, for tests that look at how it
does it: which system calls, which files, with which rights."""

import json
import os
import signal

import churn
import harness

FLAGS = ("--runs", "all", "--max-file-size", "4MiB")


def prices(value):
    return json.dumps({"electricity_prices": {"default": value}})


def live(e, pricing=None):
    """Files of all kinds come, change and go, and clients of all kinds ask. e was started
    with FLAGS; pricing: the path that --pricing-config named."""
    def served(*durations):
        def equal():
            samples = e.metrics("results").samples("results_scenario_duration_seconds")
            return sorted(s.value for s in samples) == sorted(durations)
        harness.wait_until(equal, timeout=30, what=f"{durations} served")

    e.write(churn.name(1), churn.run(10))
    served(10)
    e.rename_over(churn.name(1), churn.run(11))
    served(11)
    large = [float(i) for i in range(1, 4001)]    # read and rendered on the pool
    e.write(churn.name(2), churn.run(*large, ignored="x" * 200))
    served(11, *large)
    os.mkdir(e.path("..1"))
    e.write("..1/run.json", churn.run(12))
    os.symlink("..1", e.path("..data"))
    os.symlink("..data/run.json", e.path(churn.name(3)))
    served(11, 12, *large)
    os.mkfifo(e.path(churn.name(4)))
    os.symlink("../outside", e.path(churn.name(5)))
    e.write(churn.name(6), "{")
    e.write(churn.name(7), " " * (5 << 20))
    for n in (4, 5, 6, 7):
        e.wait_log(f"cannot be read.*{churn.name(n)}")
    os.unlink(e.path(churn.name(2)))
    served(11, 12)
    for n in range(20, 60):    # many at once
        e.write(churn.name(n), churn.run(n))
    served(11, 12, *range(20, 60))

    for endpoint in e.ports:
        for path in ("/metrics", "/metrics/all", "/", "/health", "/ready", "/nothing"):
            for headers in ({}, {"Accept-Encoding": "gzip"},
                            {"Accept": "application/openmetrics-text"}):
                reply = e.get(endpoint, path, headers)
                assert reply.status == (404 if path == "/nothing" else 200), (path, reply)
    assert e.get("results", "/-/reload", method="POST", body=b"").status == 200
    with e.connect("results") as s:    # comes, and says nothing
        s.sendall(b"GET ")
    with e.connect("results") as s:
        s.sendall(b"\0\r\n\r\n")
        assert s.recv(100).startswith(b"HTTP/1.1 400 ")
    if pricing:
        harness.write_atomically(pricing, prices(0.5))
        e.wait_log("settings reloaded")
    seen = len(e.lines)
    e.process.send_signal(signal.SIGHUP)
    e.wait_log("settings reloaded", after=seen)
