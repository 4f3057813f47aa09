# ctest: timeout 240
"""The scrape configurations in deploy/: the programs they are for take them, and with them
really scrape the exporter. Of their text nothing is changed but ports, intervals and paths."""

import json
import os
import re
import shutil
import sys
import unittest
import urllib.request

import yaml

import harness
import peers
from tools import tool

PROMETHEUS = os.path.join(harness.ROOT, "deploy", "prometheus")
VICTORIA = os.path.join(harness.ROOT, "deploy", "victoriametrics")
PORTS = {"results": "localhost:9502", "qoe": "localhost:9503", "cost": "localhost:9504"}
THREE = {"encode-results", "encode-qoe", "encode-cost"}


def content(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return f.read()


def adapted(text, ports):
    """The configuration with the ports that the kernel chose, and in a hurry."""
    for endpoint, address in PORTS.items():
        text = text.replace(address, f"127.0.0.1:{ports[endpoint]}")
    text = text.replace("localhost:9093", "127.0.0.1:1")    # nobody is there
    return re.sub(r"(scrape|evaluation)_interval: \d+s", r"\1_interval: 1s", text)


def api(peer, path):
    url = f"http://127.0.0.1:{peer.port}{path}"
    with urllib.request.urlopen(url, timeout=20) as reply:
        return json.load(reply)["data"]


class Checked(unittest.TestCase):
    """By each program's own check."""

    def check(self, *command):
        done = tool(*command)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_prometheus_takes_its_own(self):
        found = sorted(f for f in os.listdir(PROMETHEUS) if f.endswith(".yml"))
        self.assertEqual(len(found), 4)
        for name in found:
            with self.subTest(name):
                done = tool("promtool", "check", "config", os.path.join(PROMETHEUS, name))
                if "field kubernetes_sd_configs not found" in done.stdout:
                    continue    # Debian builds it without; Kubernetes below
                self.assertEqual(done.returncode, 0, done.stdout)
                self.assertIn("3 rule files found", done.stdout)

    @unittest.skipUnless(shutil.which("victoria-metrics"), "no victoria-metrics")
    def test_victoriametrics_takes_its_own_and_that_for_kubernetes(self):
        d = harness.temp_dir()
        self.addCleanup(shutil.rmtree, d)
        cluster = os.path.join(d, "kubernetes.yml")
        with open(cluster, "w", encoding="utf-8") as f:
            whole = yaml.safe_load(content(PROMETHEUS, "prometheus-kubernetes.yml"))
            yaml.safe_dump({"scrape_configs": whole["scrape_configs"]}, f)
        bad = os.path.join(d, "bad.yml")
        with open(bad, "w", encoding="utf-8") as f:
            f.write(content(cluster).replace("target_label", "target_labels"))
        strict = ("victoria-metrics", "-promscrape.config.strictParse", "-dryRun",
                  "-loggerLevel=ERROR")
        for path in (os.path.join(VICTORIA, "scrape.yml"),
                     os.path.join(VICTORIA, "scrape-all.yml"), cluster):
            self.check(*strict, f"-promscrape.config={path}")
        self.assertNotEqual(tool(*strict, f"-promscrape.config={bad}").returncode, 0)


class Scraped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.exporter = harness.Exporter("--runs=all", files=harness.data_files("edge"))
        cls.exporter.__enter__()
        cls.addClassCleanup(cls.exporter.__exit__, None, None, None)

    def peer(self, name):
        peer = peers.Peer.named(name)
        self.addCleanup(peer.stop)
        for part in ("rules", "targets"):
            shutil.copytree(os.path.join(PROMETHEUS, part),
                            os.path.join(peer.directory, part))
        return peer

    def scraped(self, name, path, jobs):
        peer = self.peer(name)
        peer.start_with(adapted(content(path), self.exporter.ports))
        peer.wait_for_data(len(jobs))
        self.assertEqual({row["metric"]["job"] for row in peer.query("up")}, jobs)
        # Everything is there, and once.
        for metric in ("process_start_time_seconds", "results_exporter_up",
                       "qoe_exporter_up", "cost_exporter_alive"):
            harness.wait_until(lambda m=metric: len(peer.query(m)) == 1, what=metric)
        return peer

    def test_prometheus_three_targets(self):
        peer = self.scraped("prometheus", os.path.join(PROMETHEUS, "prometheus.yml"), THREE)
        groups = api(peer, "/api/v1/rules")["groups"]
        self.assertGreater(sum(len(g["rules"]) for g in groups), 70)
        bad = [r for g in api(peer, "/api/v1/rules")["groups"] for r in g["rules"]
               if r.get("lastError")]
        self.assertEqual(bad, [])

    def test_prometheus_one_target(self):
        self.scraped("prometheus", os.path.join(PROMETHEUS, "prometheus-all.yml"), {"encode"})

    def test_victoriametrics_three_targets(self):
        text = content(VICTORIA, "scrape.yml")
        self.assertIn("scrape_interval: 1s", text)
        self.scraped("victoria-metrics", os.path.join(VICTORIA, "scrape.yml"), THREE)

    def test_victoriametrics_one_target(self):
        self.scraped("victoria-metrics", os.path.join(VICTORIA, "scrape-all.yml"), {"encode"})

    def test_files_of_targets_are_followed(self):
        peer = self.peer("prometheus")
        listed = os.path.join(peer.directory, "targets", "encode.yml")
        with open(listed, encoding="utf-8") as f:
            text = f.read()
        harness.write_atomically(listed, adapted(text, self.exporter.ports))
        peer.start_with(adapted(content(PROMETHEUS, "prometheus-file_sd.yml"),
                                self.exporter.ports))
        peer.wait_for_data(1)
        self.assertEqual(peer.query("cost_exporter_alive")[0]["metric"]["site"], "here")
        job = os.path.join(peer.directory, "targets", "jobs-1.yml")
        harness.write_atomically(
            job, f'- targets: ["127.0.0.1:{self.exporter.ports["cost"]}"]\n')
        harness.wait_until(lambda: peer.query('up{job="encode-jobs"} == 1'), timeout=30,
                           what="a target whose file came")
        os.remove(job)
        harness.wait_until(lambda: not peer.query('up{job="encode-jobs"}'), timeout=30,
                           what="a target whose file went")

    def test_victoriametrics_keeps_30_days(self):
        flags = re.findall(r"(?m)^(\w+)=(\S+)$", content(VICTORIA, "victoria-metrics.env"))
        self.assertIn(("retentionPeriod", "30d"), flags)
        peer = self.peer("victoria-metrics")
        peer.command = ["env", *(f"{k}={v}" for k, v in flags if k != "promscrape_config"),
                        "promscrape_config={config}", "victoria-metrics", "-envflag.enable",
                        "-storageDataPath={data}", "-httpListenAddr=127.0.0.1:0",
                        "-memory.allowedBytes=256MiB"]
        peer.start_with(adapted(content(VICTORIA, "scrape.yml"), self.exporter.ports))
        peer.wait_for_data(3)
        with urllib.request.urlopen(f"http://127.0.0.1:{peer.port}/metrics",
                                    timeout=20) as reply:
            served = reply.read().decode()
        for name, value in (("retentionPeriod", "30d"), ("search.latencyOffset", "2s")):
            self.assertRegex(served, rf'flag{{name="{name}", value="{value}"')


def pod(address, port, component="server", annotations=None, phase="Running"):
    """The target that Kubernetes' discovery makes of one port of a pod."""
    meta = {"pod_ip": "127.0.0.1", "pod_name": "p", "namespace": "media",
            "pod_node_name": "n1", "pod_phase": phase,
            "pod_container_port_name": port,
            "pod_label_app_kubernetes_io_component": component}
    for key, value in (annotations or {}).items():
        meta[f"pod_annotation_prometheus_io_{key}"] = value
    return {"targets": [address],
            "labels": {f"__meta_kubernetes_{k}": v for k, v in meta.items()}}


class Kubernetes(unittest.TestCase):
    """The relabelling for Kubernetes, of targets as a cluster tells of them."""

    PODS = {
        "three named ports": [pod(f"127.0.0.1:{n}", name) for n, name in
                              ((9502, "results"), (9503, "qoe"), (9504, "cost"), (80, "web"))],
        "annotated": [pod(f"127.0.0.1:{n}", name, annotations={
            "scrape": "true", "port": "9602", "path": "/metrics/all"}) for n, name in
            ((9602, "results"), (9603, "qoe"))],
        "a job": [pod(f"127.0.0.1:{n}", name, "job") for n, name in
                  ((9702, "results"), (9703, "qoe"), (9704, "cost"))],
        "an annotated job": [pod("127.0.0.1:9802", "results", "job", {
            "scrape": "true", "port": "9802", "path": "/metrics/all"})],
        "over": [pod("127.0.0.1:9902", "results", "job", phase="Succeeded")],
    }
    WANTED = {
        ("encode-results", "http://127.0.0.1:9502/metrics"),
        ("encode-qoe", "http://127.0.0.1:9503/metrics"),
        ("encode-cost", "http://127.0.0.1:9504/metrics"),
        ("encode", "http://127.0.0.1:9602/metrics/all"),
        ("encode-jobs", "http://127.0.0.1:9702/metrics/all"),
        ("encode-jobs", "http://127.0.0.1:9802/metrics/all"),
    }

    def test_each_pod_is_scraped_once_as_it_says(self):
        whole = yaml.safe_load(content(PROMETHEUS, "prometheus-kubernetes.yml"))
        for job in whole["scrape_configs"]:
            self.assertEqual(job.pop("kubernetes_sd_configs")[0]["role"], "pod")
            job["static_configs"] = [target for pods in self.PODS.values() for target in pods]
        text = yaml.safe_dump({"scrape_configs": whole["scrape_configs"]})
        for name in peers.PEERS:
            with self.subTest(name):
                peer = peers.Peer.named(name)
                self.addCleanup(peer.stop)
                peer.start_with(text)
                harness.wait_until(peer.answers, timeout=60, what=f"{name} answers")

                def targets(peer=peer):
                    return api(peer, "/api/v1/targets?state=active")["activeTargets"]
                harness.wait_until(lambda: len(targets()) >= len(self.WANTED), timeout=30,
                                   what="targets")
                found = [(t["labels"]["job"], t["scrapeUrl"]) for t in targets()]
                self.assertEqual(sorted(found), sorted(self.WANTED))
                for target in targets():
                    labels = target["labels"]
                    self.assertEqual((labels["namespace"], labels["pod"], labels["node"]),
                                     ("media", "p", "n1"))


if __name__ == "__main__":
    if not shutil.which("promtool") or not shutil.which("prometheus"):
        print("skipped: prometheus is not installed")
        sys.exit(77)
    harness.main()
