# ctest: timeout 120
"""An alert goes all the way: the exporter's end, Prometheus, its rules, Alertmanager, and
whoever is told. Of the files in deploy/ just ports and times are changed."""

import json
import os
import re
import shutil
import subprocess
import sys
import unittest

import harness
import peers
from receiver import Receiver
from tools import tool

DEPLOY = os.path.join(harness.ROOT, "deploy")
CONFIG = os.path.join(DEPLOY, "alertmanager", "alertmanager.yml")
PROGRAM = "prometheus-alertmanager"


def content(*path):
    with open(os.path.join(DEPLOY, *path), encoding="utf-8") as f:
        return f.read()


def with_examples():
    """The configuration with what its receivers show as comments."""
    head, receivers = content("alertmanager", "alertmanager.yml").split("receivers:\n")
    return head + "receivers:\n" + re.sub(r"(?m)^    # ", "    ", receivers)


class Alertmanager:
    def __init__(self, text):
        self.directory = harness.temp_dir()
        config = os.path.join(self.directory, "alertmanager.yml")
        harness.write_atomically(config, text)
        with open(os.path.join(self.directory, "log"), "wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, f"--config.file={config}", "--cluster.listen-address=",
                 f"--storage.path={self.directory}/data",
                 "--web.listen-address=127.0.0.1:0"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.directory)

    def port(self):
        if self.process.poll() is not None:
            with open(os.path.join(self.directory, "log"), encoding="utf-8") as f:
                raise AssertionError(f.read())
        return (peers.listening_ports(self.process.pid) or [None])[0]

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


class Told(unittest.TestCase):
    def test_amtool_takes_the_configuration_and_its_examples(self):
        done = tool("amtool", "check-config", CONFIG)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("3 receivers", done.stdout)
        d = harness.temp_dir()
        self.addCleanup(shutil.rmtree, d)
        for name, text, good in (("examples", with_examples(), True),
                                 ("wrong", with_examples().replace("  - to:", "  - too:"),
                                  False)):
            path = os.path.join(d, name)
            harness.write_atomically(path, text)
            done = tool("amtool", "check-config", path)
            self.assertEqual(done.returncode == 0, good, done.stdout)

    def test_alerts_go_where_their_severity_leads(self):
        config = os.path.join(DEPLOY, "alertmanager", "alertmanager.yml")
        for wanted, labels in (
                ("critical", ("alertname=CostExporterDown", "severity=critical")),
                ("critical", ("alertname=DailyBudgetExceeded", "severity=critical")),
                ("warning", ("alertname=LowVMAFScore", "severity=warning")),
                ("shown", ("alertname=LowEfficiencyScore", "severity=info")),
                ("shown", ("alertname=SomebodyElses",))):
            done = tool("amtool", "config", "routes", "test", f"--config.file={config}",
                        f"--verify.receivers={wanted}", *labels)
            self.assertEqual(done.returncode, 0, f"{labels}: {done.stdout}")

    def prometheus(self, results, others, alertmanager):
        """Started, with rules that wait for nothing."""
        peer = peers.Peer.named("prometheus")
        self.addCleanup(peer.stop)
        rules = os.path.join(peer.directory, "rules")
        os.mkdir(rules)
        text = content("prometheus", "rules", "alerts.yml")
        harness.write_atomically(os.path.join(rules, "alerts.yml"),
                                 re.sub(r"for: \d+[mh]\b", "for: 1s", text))
        text = content("prometheus", "prometheus.yml")
        for old, port in (("9502", results), ("9503", others["qoe"]),
                          ("9504", others["cost"]), ("9093", alertmanager)):
            text = text.replace(f"localhost:{old}", f"127.0.0.1:{port}")
        peer.start_with(re.sub(r"_interval: \d+s", "_interval: 1s", text))
        peer.wait_for_data(2)

    @staticmethod
    def told_of_instance(receiver):
        """Until the first scrape there is no target at all: that is told without instance."""
        for asked in list(receiver.asked):
            told = json.loads(asked.text)
            told["alerts"] = [a for a in told["alerts"] if "instance" in a["labels"]]
            if told["alerts"]:
                return told
        return None

    def test_an_endpoint_that_is_off_is_told_of(self):
        with Receiver((200, b"")) as receiver:
            text = re.sub(r"group_(wait|interval): \d+[sm]", r"group_\1: 1s",
                          content("alertmanager", "alertmanager.yml"))
            text = text.replace(
                "    # webhook_configs:\n    #   - url: http://localhost:8080/alerts",
                f"    webhook_configs:\n      - url: {receiver.url}/alerts")
            self.assertIn(receiver.url, text)
            manager = Alertmanager(text)
            self.addCleanup(manager.stop)
            port = harness.wait_until(manager.port, timeout=30, what="Alertmanager listens")
            with harness.Exporter(listen=("qoe", "cost"),
                                  files=harness.data_files("edge")) as e:
                self.prometheus(1, e.ports, port)    # nobody listens at port 1
                told = harness.wait_until(lambda: self.told_of_instance(receiver),
                                          timeout=60, what="somebody is told")
        self.assertEqual(told["receiver"], "critical")
        self.assertEqual([a["labels"]["alertname"] for a in told["alerts"]],
                         ["ResultsExporterDown"])
        alert = told["alerts"][0]
        self.assertEqual(alert["status"], "firing")
        self.assertEqual(alert["labels"]["instance"], "127.0.0.1:1")
        self.assertEqual(alert["annotations"]["description"],
                         "127.0.0.1:1 does not answer scrapes of results.")
        self.assertEqual(alert["annotations"]["runbook_url"],
                         "docs/runbooks.md#resultsexporterdown")


if __name__ == "__main__":
    for program in ("prometheus", PROGRAM, "amtool"):
        if not shutil.which(program):
            print(f"skipped: {program} is not installed")
            sys.exit(77)
    harness.main()
