# ctest: timeout 240
"""Prometheus and VictoriaMetrics scrape the three ports and answer from what they got."""

import json
import os
import re
import shutil
import unittest

import harness
import peers

LATER = "what these runs hold is too little, or too mixed, to predict it"

# Expressions of the predecessors' boards that return nothing, each with the reason.
EMPTY = {
    "qoe_predicted_vmaf": LATER,
    "qoe_predicted_psnr": LATER,
    "cost_predicted_usd": LATER,
    "cost_predicted_co2_kg": LATER,
    "prediction_confidence": LATER,
    "recommended_bitrate_kbps": LATER,
    'qoe_predicted_vmaf{config="1080p30_4mbps"}': LATER,
    "abs(qoe_predicted_vmaf - qoe_vmaf_score) / 100":
        LATER + "; even then the two sides have different labels",
}
EMPTY_IN = {
    "victoria-metrics": EMPTY,    # takes a side without labels for a scalar
    "prometheus": {
        **EMPTY,
        "max(cost_total_load_aware) - cost_total_load_aware":
            "never could: max() has no labels, so nothing on the right side matches it",
    },
}

def expressions():
    """Every expression of the predecessors' boards, variables filled in."""
    with open(os.path.join(harness.DATA, "queries", "predecessors.json"),
              encoding="utf-8") as f:
        boards = json.load(f)
    found = []
    for board in boards.values():
        for panel in board["panels"]:
            expr = panel["expr"].replace("$currency", "USD")
            if expr not in found:
                found.append(expr)
    return found


class Peers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        files = (harness.data_files("go-era") + harness.data_files("edge")
                 + harness.data_files("encodes")[:3])
        cls.exporter = harness.Exporter("--runs=all", "--predict=on",
                                        "--compare-regions=us-east-1",
                                        files=files)
        cls.exporter.__enter__()
        cls.addClassCleanup(cls.exporter.__exit__, None, None, None)
        cls.peers = []
        for name, command in peers.PEERS.items():
            if not shutil.which(command[0]):
                raise unittest.SkipTest(f"no {command[0]}")
            peer = peers.Peer(name, command)
            cls.addClassCleanup(peer.stop)
            cls.peers.append(peer)
            peer.start(cls.exporter.ports)
        for peer in cls.peers:
            peer.wait_for_data(len(harness.ENDPOINTS))

    def served(self):
        """Sample name → number of series over the three endpoints."""
        counts = {}
        for endpoint in harness.ENDPOINTS:
            for name, _ in self.exporter.metrics(endpoint).series():
                counts[name] = counts.get(name, 0) + 1
        return counts

    def test_every_family_is_there_with_all_its_series(self):
        counts = self.served()
        self.assertGreater(len(counts), 80)
        for peer in self.peers:
            for name in sorted(counts):
                with self.subTest(f"{peer.name} {name}"):
                    def stored():
                        result = peer.query(f'count({{__name__="{name}"}})')
                        got = int(result[0]["value"][1]) if result else 0
                        # Series of requests of the test itself may have come since.
                        return got == counts[name] or (
                            name.startswith("encode_exporter_http")
                            and got <= self.served()[name] and got > 0)
                    harness.wait_until(stored, timeout=20,
                                       what=f"{counts[name]} series of {name}")

    def test_figures_arrive_as_they_were_served(self):
        wanted = [s for name in ("results_scenario_total_energy_joules",
                                 "cost_total_load_aware", "qoe_psnr_score")
                  for endpoint in harness.ENDPOINTS
                  for s in self.exporter.metrics(endpoint).samples(name)]
        self.assertGreater(len(wanted), 100)
        for peer in self.peers:
            got = {}
            for name in {s.name for s in wanted}:
                for row in peer.query(name):
                    labels = {k: v for k, v in row["metric"].items()
                              if k not in ("__name__", "instance", "job")}
                    got[(name, frozenset(labels.items()))] = float(row["value"][1])
            # VictoriaMetrics keeps about 12 digits, Prometheus every bit.
            tolerance = {"prometheus": 0, "victoria-metrics": 1e-11}[peer.name]
            for sample in wanted:
                value = got[sample.key]
                self.assertTrue(value == sample.value or
                                abs(value - sample.value) <= tolerance * abs(sample.value),
                                f"{peer.name}: {sample!r} became {value!r}")

    def test_the_predecessors_boards_show_data(self):
        for peer in self.peers:
            for expr in expressions():
                with self.subTest(f"{peer.name}: {expr}"):
                    if expr in EMPTY_IN[peer.name]:
                        self.assertEqual(peer.query(expr), [], "no longer empty: "
                                         "take it from the list")
                    else:
                        harness.wait_until(lambda e=expr: peer.query(e), timeout=20,
                                           what=expr)

    def test_every_listed_exception_is_on_a_board(self):
        for listed in EMPTY_IN.values():
            self.assertEqual(set(listed) - set(expressions()), set())

    def test_names_in_the_migration_guide_exist(self):
        """Every family that docs/migration.md names is served."""
        with open(os.path.join(harness.ROOT, "docs", "migration.md"),
                  encoding="utf-8") as f:
            named = set(re.findall(r"`((?:results|qoe|cost|co2)_[a-z0-9_]+)`", f.read()))
        named -= {"co2_intensity"}    # a key of the pricing file
        self.assertTrue(named)
        known = set()
        for endpoint in harness.ENDPOINTS:
            known |= set(self.exporter.metrics(endpoint).families)
        self.assertEqual(named - known, set())


if __name__ == "__main__":
    harness.main()
