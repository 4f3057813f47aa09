# ctest: timeout 180
"""Alerts mean the same in Prometheus and in VictoriaMetrics: the series of promtool's tests,
stored in both, one test some days after the other, bring up the same alerts."""

import glob
import os
import re
import time
import unittest

import yaml

import harness
import peers

RULES = os.path.join(harness.ROOT, "deploy", "prometheus", "rules")
APART_S = 4 * 86400    # no expression looks back further
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
RUN = re.compile(r"^(_|-?(?:Inf|[0-9.]+))(?:([+-][0-9.]+)?x(\d+))?$")


def load(path):
    with open(path, encoding="utf-8") as f:
        return yaml.safe_load(f)


def seconds(text):
    return sum(int(n) * SECONDS[unit] for n, unit in re.findall(r"(\d+)([smhd])", text))


def samples(values):
    """promtool's notation as (step, value): 1x2 is 1 1 1, 1+2x2 is 1 3 5, _x2 are two gaps."""
    step = 0
    for part in str(values).split():
        first, slope, times = RUN.match(part).groups()
        gap = first == "_"
        for i in range(int(times or gap) + (not gap)):
            if not gap:
                yield step, float(first) + i * float(slope or 0)
            step += 1


class Alike(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        alerts = load(os.path.join(RULES, "alerts.yml"))
        cls.exprs = {rule["alert"]: rule["expr"] for group in alerts["groups"]
                     for rule in group["rules"]}
        tests = [test for path in sorted(glob.glob(f"{RULES}/tests/alerts_*_test.yml"))
                 for test in load(path)["tests"]]
        start = int(time.time()) // 86400 * 86400 - (len(tests) + 1) * APART_S
        cls.checks, lines = [], []
        for i, test in enumerate(tests):
            begin = start + i * APART_S
            for check in test["alert_rule_test"]:
                cls.checks.append((test["name"], check["alertname"],
                                   begin + seconds(check["eval_time"]),
                                   bool(check.get("exp_alerts"))))
            for one in test["input_series"]:
                series = one["series"].replace('", ', '",')    # as OpenMetrics is written
                lines += [f"{series} {str(value).replace('inf', '+Inf')} "
                          f"{(begin + step * seconds(test['interval'])) * 1000}"
                          for step, value in samples(one["values"])]
        cls.peers = []
        for name in peers.PEERS:
            peer = peers.Peer.named(name)
            cls.addClassCleanup(peer.stop)
            cls.peers.append(peer)
            peer.start_with_history(lines)

    def test_both_bring_up_the_same_alerts(self):
        self.assertEqual({alert for _, alert, _, fires in self.checks if fires},
                         set(self.exprs))
        for name, alert, at, fires in self.checks:
            with self.subTest(f"{alert}: {name}"):
                found = []
                for peer in self.peers:
                    rows = [row["metric"] for row in peer.query(self.exprs[alert], at)]
                    for row in rows:
                        row.pop("__name__", None)
                    found.append(sorted(map(sorted, (row.items() for row in rows))))
                self.assertEqual(*found)
                if fires:
                    self.assertTrue(found[0])


if __name__ == "__main__":
    harness.main()
