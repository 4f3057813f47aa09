"""The whole stack: real exporters that serve real runs, Prometheus and VictoriaMetrics that
scrape them every second, the rules of deploy/ evaluated in both, and weeks of history.

What it takes to ask them what Grafana would ask is here as well: boards, variables, rules
and the selectors of an expression.
"""

import glob
import json
import math
import os
import re
import shutil
import subprocess
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import harness
import peers
import powertree
import receiver
import web

try:
    import yaml
except ImportError:
    yaml = None

BOARDS = os.path.join(harness.ROOT, "deploy", "grafana", "dashboards")
RULES = os.path.join(harness.ROOT, "deploy", "prometheus", "rules")
DAY = 86400
# Alerts that fire are told to nobody: the discard port.
NOBODY = "http://127.0.0.1:9"
HISTORY_DAYS = 17    # the linear forecast of a month begins after 15
# What the runs whose power nobody could measure are given here: idle watts, watts per core.
IDLE_W, CORE_W = 30, 12


# ---- what is scraped ----------------------------------------------------------------
def measured_encodes():
    """The encodes of tests/data with power that a plain model makes of their CPU use.

    Nothing on the machine that ran them could measure power, and predictions of energy
    and CO2 need some.
    """
    texts = {}
    for path in harness.data_files("encodes"):
        with open(path, encoding="utf-8") as f:
            run = json.load(f)
        for scenario in run["scenarios"]:
            use = scenario.get("cpu_usage_cores")
            if use:
                scenario["power_watts"] = [None if u is None else IDLE_W + CORE_W * u
                                           for u in use]
        texts[os.path.basename(path)] = json.dumps(run)
    return texts


def read_data(path):
    with open(path, "rb") as f:
        return f.read()


def answer(request):
    """What stands for an upstream without data, a Pushgateway and Electricity Maps."""
    if request.path.startswith("/api/v1/"):
        return 200, b'{"status":"success","data":{"resultType":"matrix","result":[]}}'
    if "carbon-intensity" in request.path:
        at = time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime())
        return 200, json.dumps({"zone": "SE-SE3", "carbonIntensity": 31,
                                "datetime": at}).encode()
    return 204, b""


class Targets:
    """Five exporters: as ./dev run has it, one of many runs in euros, a job, one that
    has everything to watch over: passwords, an upstream, pushes, power, a polled directory;
    and one that watches encodes."""

    COUNT = 9

    def __init__(self, case):
        self.case = case
        self.all = []
        self.examples = self.start(
            "--newest=name", "--currency=USD,EUR,SEK",
            "--compare-regions=us-east-1,eu-north-1,eu-central-1",
            files=sorted(glob.glob(os.path.join(harness.EXAMPLES, "*.json"))))
        self.studio = self.start(
            "--runs=all", "--currency=EUR", "--region=eu-north-1",
            files=harness.data_files("python-era") + harness.data_files("edge"),
            texts=measured_encodes())
        self.job = self.start("--currency=USD,EUR,SEK")
        self.watched = self.start_watched()
        self.live = self.start_live()

    def start(self, *flags, files=(), texts=None, **more):
        exporter = harness.Exporter(*flags, "--predict=on", files=files, release=True, **more)
        os.mkdir(exporter.directory)
        for name, text in (texts or {}).items():
            exporter.write(name, text)
        exporter.__enter__()
        self.case.addClassCleanup(exporter.__exit__, None, None, None)
        self.all.append(exporter)
        return exporter

    def start_watched(self):
        """Its machine is a tree of files, its peers are one server of ours."""
        directory = harness.temp_dir()
        self.case.addClassCleanup(shutil.rmtree, directory)
        tree = powertree.Tree(os.path.join(directory, "machine"))
        tree.zone("intel-rapl:0", "package-0")
        tree.cores(0)
        token = os.path.join(directory, "token")
        with open(token, "w", encoding="utf-8") as f:
            f.write("a-token\n")
        config = web.ConfigFile(web.fast_users())
        self.case.addClassCleanup(config.__exit__, None, None, None)
        peer = receiver.Receiver(answer)
        peer.__enter__()
        self.case.addClassCleanup(peer.__exit__, None, None, None)
        exporter = self.start(
            *tree.flags("--power=auto"), "--watch=poll", "--web.config.file", config.path,
            "--prometheus-url", peer.url, "--push.url", peer.url + "/metrics/job/encode",
            "--push.interval=2s", "--electricity-maps-url", peer.url,
            "--electricity-maps-token-file", token, "--electricity-maps-zone=SE-SE3",
            "--region=eu-north-1", "--currency=SEK", listen=("results",), ready=False,
            files=harness.data_files("encodes")[:2])
        self.login = web.basic("alice", web.FAST["alice"][0])
        harness.wait_until(lambda: exporter.get(
            "results", "/ready", headers=self.login).status == 200, timeout=30, what="ready")
        return exporter

    def start_live(self):
        """One encode that came by a request, with logs of its frames, and one by a file."""
        name = "photopan720_libx264_veryfast_150k"
        formats = os.path.join(harness.DATA, "formats")
        killed, blocks = (read_data(os.path.join(formats, "progress", f"sig_{how}.progress"))
                          for how in ("KILL", "TERM"))
        first = blocks.index(b"progress=continue\n") + len(b"progress=continue\n")
        exporter = self.start("--power=auto", f"--power.model={IDLE_W},{CORE_W}",
                              "--currency=EUR")
        for suffix in ("psnr.log", "vmaf.json"):
            shutil.copy(os.path.join(formats, "pooling", f"{name}.{suffix}"),
                        exporter.directory)
        got = exporter.get("results", f"/progress/{name}?duration=20", method="POST",
                           body=killed)
        if got.status != 200:
            raise AssertionError(got.text)
        # Energy is measured while it runs, and stays as it is when it has ended.
        with open(exporter.path("by file.progress"), "wb", buffering=0) as f:
            f.write(blocks[:first])
            harness.wait_until(lambda: exporter.metrics("results").samples(
                "encode_energy_joules_so_far", scenario="by file"), what="energy so far")
            f.write(blocks[first:])
        harness.wait_until(lambda: exporter.metrics("results").value(
            "encode_state", scenario="by file", state="ended") == 1, what="its end")
        return exporter

    def encode_something(self):
        """A run that comes while the counters are watched."""
        with open(harness.data_files("go-era")[0], encoding="utf-8") as f:
            run = json.load(f)
        run["scenarios"] = run["scenarios"][:4]
        for exporter in (self.studio, self.job):
            exporter.write("test_results_20261121_120000.json", json.dumps(run))

    def scrape_config(self):
        jobs = []
        for endpoint in harness.ENDPOINTS:
            jobs.append((f"encode-{endpoint}", "/metrics",
                         [e.ports[endpoint] for e in (self.examples, self.studio)]))
        jobs += [("encode-jobs", "/metrics/all", [self.job.ports["cost"]]),
                 ("encode", "/metrics/all", [self.watched.ports["results"],
                                             self.live.ports["results"]])]
        text = "scrape_configs:\n"
        for name, path, ports in jobs:
            addresses = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
            text += (f"  - job_name: {name}\n    metrics_path: {path}\n"
                     f"    static_configs:\n      - targets: [{addresses}]\n")
        return text + ("    basic_auth:\n      username: alice\n"
                       f"      password: {web.FAST['alice'][0]}\n")


# ---- rules --------------------------------------------------------------------------
def rule_files():
    return sorted(glob.glob(os.path.join(RULES, "*.yml")))


def groups():
    """All groups of all rule files."""
    if yaml is None:
        raise unittest.SkipTest("no python3-yaml")
    found = []
    for path in rule_files():
        with open(path, encoding="utf-8") as f:
            found += yaml.safe_load(f)["groups"]
    return found


def rules():
    return [rule for group in groups() for rule in group["rules"]]


def levels_with_history():
    """Recording rules whose past others look at, and what these are made of, in order."""
    recorded = {rule["record"]: rule for rule in rules() if "record" in rule}
    wanted = {name for name in recorded for rule in rules() if re.search(
        re.escape(name) + r"(\{[^}]*\})? *(\[|offset\b)", rule["expr"])}
    while True:
        more = {name for w in wanted for name in names_in(recorded[w]["expr"])
                if name in recorded} - wanted
        if not more:
            break
        wanted |= more
    levels, done = [], set()
    while wanted - done:
        level = sorted(name for name in wanted - done
                       if not (names_in(recorded[name]["expr"]) & wanted) - done)
        levels.append([recorded[name] for name in level])
        done |= set(level)
    return levels


def copy_rules(directory):
    """The rule files as they are, but evaluated every second."""
    copies = []
    for path in rule_files():
        with open(path, encoding="utf-8") as f:
            text = re.sub(r"(?m)^( +)interval: \S+$", r"\1interval: 1s", f.read())
        copies.append(os.path.join(directory, "rules-" + os.path.basename(path)))
        with open(copies[-1], "w", encoding="utf-8") as f:
            f.write(text)
    return copies


# ---- expressions --------------------------------------------------------------------
TOKEN = re.compile(r'\s+|#[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|\[[^\]]*\]|'
                   r'[a-zA-Z_:][a-zA-Z0-9_:]*|[0-9][0-9a-zA-Z.]*|.', re.S)
CLAUSES = {"by", "without", "on", "ignoring", "group_left", "group_right"}
WORDS = {"and", "or", "unless", "bool", "offset", "atan2", "inf", "nan"}


def closing(tokens, start):
    depth = 0
    for i in range(start, len(tokens)):
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(tokens[i], 0)
        if depth == 0:
            return i
    raise AssertionError("a bracket without end: " + " ".join(tokens))


def selectors(expr):
    """Every instant selector in an expression: what it looks at, without its ranges."""
    tokens = [t for t in TOKEN.findall(expr) if not t.isspace() and t[0] != "#"]
    found, i = [], 0
    while i < len(tokens):
        token = tokens[i]
        after = tokens[i + 1] if i + 1 < len(tokens) else ""
        name = re.match(r"[a-zA-Z_:]", token)
        if token.lower() in CLAUSES:
            i = closing(tokens, i + 1) if after == "(" else i
        elif token == "{" or (name and after == "{"):
            opening = i if token == "{" else i + 1
            end = closing(tokens, opening)
            found.append("".join(tokens[i:end + 1]))
            i = end
        elif (name and after != "(" and after.lower() not in {"by", "without"}
              and token.lower() not in WORDS):
            found.append(token)
        i += 1
    return found


def names_in(expr):
    return {re.match(r"[a-zA-Z0-9_:]*", s)[0] for s in selectors(expr)}


# ---- boards -------------------------------------------------------------------------
def boards():
    """uid → board, as committed."""
    found = {}
    for path in sorted(glob.glob(os.path.join(BOARDS, "*.json"))):
        with open(path, encoding="utf-8") as f:
            board = json.load(f)
        found[board["uid"]] = board
    return found


def targets(board):
    """(panel's title, target) of every query of a board."""
    return [(panel["title"], target) for panel in board["panels"]
            for target in panel.get("targets", [])]


def seconds_shown(board):
    number, unit = re.match(r"now-(\d+)([hd])$", board["time"]["from"]).groups()
    return int(number) * {"h": 3600, "d": DAY}[unit]


def escaped(value):
    """As Grafana's Prometheus data source escapes a value among several."""
    return re.sub(r"[$^*{}\[\]'+?.()|]", lambda m: "\\\\" + m[0],
                  value.replace("\\", "\\\\\\\\"))


def interpolate(expr, board, values):
    """Variables filled in as Grafana fills them in. A list: several values."""
    seconds = seconds_shown(board)
    filled = {"__range": f"{seconds}s", "__range_s": str(seconds), "__interval": "1s",
              # Four scrapes.
              "__rate_interval": "4s"}
    for variable in board["templating"]["list"]:
        name = variable["name"]
        if name == "datasource":
            continue
        value = values.get(name, variable.get("allValue"))
        if isinstance(value, list):
            value = "(" + "|".join(map(escaped, value)) + ")"
        filled[name] = value

    def put(match):
        name = match[1] or match[2]
        # A name that is no variable stays, like the $1 of label_replace.
        return filled[name] if filled.get(name) is not None else match[0]
    return re.sub(r"\$(?:(\w+)|\{(\w+)\})", put, expr)


# ---- databases ----------------------------------------------------------------------
# Prometheus forgets a sample after 5 minutes, so what rules look back to is at most so far
# apart.
STEP = 240


def history(now):
    """Lines of counters that grew for weeks, as an exporter that is gone served them."""
    start = int(now) // STEP * STEP - HISTORY_DAYS * DAY
    of = 'instance="history:9504",job="encode-cost",region="default"'
    lines = []
    for second in range(start, int(now) - STEP, STEP):
        hours = (second - start) / 3600
        # A little more each day, most of it by day.
        by_day = 0.05 * (1 - math.cos(2 * math.pi * hours / 24))
        usd = 0.02 * hours + 0.00001 * hours ** 2 + by_day
        for currency, rate in (("USD", 1), ("EUR", 0.92)):
            lines.append(f'cost_accrued_total{{{of},currency="{currency}"}} '
                         f"{usd * rate:.9f} {second * 1000}")
        lines.append(f"co2_accrued_kg_total{{{of}}} {usd * 0.8:.9f} {second * 1000}")
    return lines


class Stack:
    """Both databases, their rules and the exporters; cleaned up with the test class."""

    def __init__(self, case):
        if not shutil.which("vmalert"):
            raise unittest.SkipTest("no vmalert")
        groups()    # skips where nothing can read them
        self.case = case
        self.alerting = None
        self.prometheus = self.peer("prometheus")
        self.victoria = self.peer("victoria-metrics")
        self.targets = Targets(case)
        now = time.time()
        self.start_victoria(now)
        self.start_prometheus(self.recorded())
        self.vmalert(copy_rules(self.victoria.directory), "-evaluationInterval=1s",
                     "-httpListenAddr=127.0.0.1:0")
        self.peers = (self.prometheus, self.victoria)
        for peer in self.peers:
            peer.wait_for_data(Targets.COUNT)
        self.targets.encode_something()

    def peer(self, name):
        peer = peers.Peer.named(name)
        self.case.addClassCleanup(peer.stop)
        return peer

    def start_victoria(self, now):
        self.victoria.start_with("global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n"
                                 + self.targets.scrape_config())
        harness.wait_until(self.victoria.answers, timeout=60, what="VictoriaMetrics answers")
        self.victoria.import_text(history(now))
        for number, level in enumerate(levels_with_history()):
            path = os.path.join(self.victoria.directory, f"level{number}.yml")
            with open(path, "w", encoding="utf-8") as f:
                yaml.safe_dump({"groups": [{"name": "history", "interval": f"{STEP}s",
                                            "rules": level}]}, f)
            self.replay(path, now)
            self.get("/internal/force_flush")

    def replay(self, path, now):
        """What the rules would have recorded, had they been there."""
        def stamp(second):
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))
        done = subprocess.run(
            self.vmalert_command([path]) + [
                f"-replay.timeFrom={stamp(now - HISTORY_DAYS * DAY + DAY)}",
                f"-replay.timeTo={stamp(now - STEP)}", "-replay.rulesDelay=0s",
                "-replay.maxDatapointsPerQuery=100000", "-replay.disableProgressBar"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise AssertionError("vmalert -replay: " + done.stdout)

    def recorded(self):
        """All that VictoriaMetrics has of the past, as lines with times."""
        lines = []
        match = urllib.parse.quote('{__name__=~".+:.+|.+_accrued_.*total"}')
        for row in self.get(f"/api/v1/export?match[]={match}").splitlines():
            series = json.loads(row)
            metric = dict(series["metric"])
            name = metric.pop("__name__")
            if ":" not in name and metric["instance"] != "history:9504":
                continue
            labels = ",".join(f'{k}="{v}"' for k, v in sorted(metric.items()))
            lines += [f"{name}{{{labels}}} {value!r} {ms}"
                      for value, ms in zip(series["values"], series["timestamps"])]
        return lines

    def start_prometheus(self, lines):
        self.prometheus.make_blocks(lines)
        copies = copy_rules(self.prometheus.directory)
        self.prometheus.start_with(
            "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n"
            "  evaluation_interval: 1s\n"
            f"rule_files: {json.dumps(copies)}\n" + self.targets.scrape_config())
        harness.wait_until(self.prometheus.answers, timeout=60, what="Prometheus answers")

    def vmalert_command(self, paths):
        url = f"http://127.0.0.1:{self.victoria.port}"
        return ["vmalert", f"-datasource.url={url}", f"-remoteWrite.url={url}",
                "-remoteWrite.flushInterval=500ms", "-loggerLevel=WARN",
                *(f"-rule={path}" for path in paths)]

    def vmalert(self, paths, *flags):
        url = f"http://127.0.0.1:{self.victoria.port}"
        command = self.vmalert_command(paths) + [
            f"-remoteRead.url={url}", f"-notifier.url={NOBODY}", *flags]
        self.alerting = peers.Peer("vmalert", command)
        self.case.addClassCleanup(self.alerting.stop)
        self.alerting.start_with("")
        harness.wait_until(self.alerting_listens, timeout=30, what="vmalert listens")

    def alerting_listens(self):
        if self.alerting.process.poll() is not None:
            raise AssertionError("vmalert ended:\n" + self.alerting.log())
        self.alerting.port = next(iter(peers.listening_ports(self.alerting.process.pid)),
                                  None)
        return self.alerting.port

    def vmalert_groups(self):
        return ask(self.alerting, "rules")["groups"]

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.victoria.port}{path}",
                                    timeout=60) as reply:
            return reply.read().decode()


# ---- asking -------------------------------------------------------------------------
def ask(peer, path, **parameters):
    """data of an answer of the query API; AssertionError with the database's reason."""
    url = f"http://127.0.0.1:{peer.port}/api/v1/{path}?" + urllib.parse.urlencode(parameters)
    try:
        with urllib.request.urlopen(url, timeout=30) as reply:
            return json.load(reply)["data"]
    except urllib.error.HTTPError as e:
        raise AssertionError(f"{peer.name}: {parameters}: {e.read().decode()}") from None


def instant(peer, expr, at=None):
    return ask(peer, "query", query=expr, time=f"{at or time.time():.3f}")["result"]


def over_time(peer, expr, seconds=5):
    now = math.floor(time.time())
    return ask(peer, "query_range", query=expr, start=now - seconds, end=now,
               step=1)["result"]


def label_values(peer, query):
    """What Grafana's label_values(selector, label) gives."""
    selector, label = re.match(r"label_values\((.+), *(\w+)\)$", query).groups()
    return ask(peer, f"label/{label}/values", **{"match[]": selector})
