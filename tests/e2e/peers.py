"""Prometheus and VictoriaMetrics, each on loopback in a directory of its own."""

import json
import os
import shutil
import subprocess
import time
import unittest
import urllib.parse
import urllib.request

import harness

PROMETHEUS_CONFIG = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
"""
JOB = """  - job_name: {name}
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""


def listening_ports(pid):
    """TCP ports on which a process listens."""
    inodes = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    ports = []
    for table in ("tcp", "tcp6"):
        try:
            with open(f"/proc/{pid}/net/{table}", encoding="ascii") as f:
                rows = [line.split() for line in f.readlines()[1:]]
        except OSError:
            continue
        ports += [int(r[1].split(":")[1], 16) for r in rows
                  if r[3] == "0A" and r[9] in inodes]
    return ports


class Peer:
    """One database on loopback, in a directory of its own."""

    def __init__(self, name, command):
        self.name = name
        self.directory = harness.temp_dir()
        self.command = command
        self.process = None
        self.port = None

    @classmethod
    def named(cls, name):
        """Not started yet. Skips the test where it is not installed."""
        if not shutil.which(PEERS[name][0]):
            raise unittest.SkipTest(f"no {PEERS[name][0]}")
        return cls(name, PEERS[name])

    def start(self, targets):
        self.start_with(PROMETHEUS_CONFIG + "".join(
            JOB.format(name=name, port=port) for name, port in targets.items()))

    def start_with(self, text):
        config = os.path.join(self.directory, "scrape.yml")
        with open(config, "w", encoding="utf-8") as f:
            f.write(text)
        with open(os.path.join(self.directory, "log"), "wb") as log:
            self.process = subprocess.Popen(
                [part.format(config=config, data=os.path.join(self.directory, "data"))
                 for part in self.command],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.directory)

    def wait_for_data(self, targets):
        def up():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended:\n{self.log()}")
            ports = listening_ports(self.process.pid)
            if not ports:
                return False
            self.port = ports[0]
            try:
                self.flush()
                return len(self.query("up == 1")) == targets
            except OSError:
                return False
        harness.wait_until(up, timeout=60, what=f"{self.name} has scraped")

    def log(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8",
                  errors="replace") as f:
            return f.read()

    def start_with_history(self, lines):
        """Filled before anybody asks: lines of the text format with Unix time in ms."""
        if self.name == "prometheus":
            self.make_blocks(lines)
        self.start_with("scrape_configs: []\n")
        harness.wait_until(self.answers, timeout=60, what=f"{self.name} answers")
        if self.name == "victoria-metrics":
            self.import_text(lines)

    def make_blocks(self, lines):
        """By promtool, from OpenMetrics: times in seconds, an end, and series in order."""
        path = os.path.join(self.directory, "history")
        with open(path, "w", encoding="utf-8") as f:
            for line in sorted(lines, key=lambda l: l.rsplit(" ", 2)[0]):
                head, ms = line.rsplit(" ", 1)
                f.write(f"{head} {int(ms) / 1000:.3f}\n")
            f.write("# EOF\n")
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", path,
                        os.path.join(self.directory, "data")], check=True, timeout=120,
                       stdout=subprocess.DEVNULL)

    def import_text(self, lines):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/import/prometheus",
            data="".join(line + "\n" for line in lines).encode())
        urllib.request.urlopen(request, timeout=60).close()
        self.flush()

    def flush(self):
        """What VictoriaMetrics has taken is found at once, and not some seconds later."""
        if self.name == "victoria-metrics":
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/internal/force_flush",
                                   timeout=60).close()

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended:\n{self.log()}")
        for port in listening_ports(self.process.pid):
            self.port = port
            try:
                self.query("1")
                return True
            except OSError:
                pass
        return False

    def query(self, expr, at=None):
        url = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode(
            {"query": expr, "time": f"{at or time.time():.3f}"})
        with urllib.request.urlopen(url, timeout=20) as reply:
            answer = json.load(reply)
        if answer["status"] != "success":
            raise AssertionError(f"{self.name}: {expr}: {answer}")
        return answer["data"]["result"]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


PEERS = {
    "prometheus": ["prometheus", "--config.file={config}", "--storage.tsdb.path={data}",
                   "--web.listen-address=127.0.0.1:0", "--log.level=warn",
                   "--storage.tsdb.retention.time=20y"],
    "victoria-metrics": ["victoria-metrics", "-promscrape.config={config}",
                         "-storageDataPath={data}", "-httpListenAddr=127.0.0.1:0",
                         "-search.latencyOffset=0s", "-loggerLevel=WARN",
                         "-retentionPeriod=20y", "-memory.allowedBytes=256MiB"],
}
