# ctest: timeout 300
"""Every query of every board and every rule is asked of Prometheus and VictoriaMetrics that
scrape the real exporters, and finds data in both; what does not is listed here.
"""

import math
import re
import time
import unittest

import expo
import harness
import stack

# Queries of boards that return nothing, (uid, title, letter) → reason.
EMPTY = {}
# Selectors of rules that find nothing, each with the reason. A rule's comparison may well
# be false; what it compares has to be there.
EMPTY_SELECTORS = {}

CURRENCIES = ("USD", "EUR", "SEK")
RUN = "test_results_20240115_103000"
SCENARIOS = ["2 streams @ 2500k", "4 streams @ 5000k"]
# Rates, times, and what both evaluate at moments of their own; strings left out.
MOVING = re.compile(r"\[|time\(\)|:")
# All there is has to have come so long after the start; later on only laggards are waited
# for.
FIRST_WAIT, WAIT = 90, 20


def key(row):
    return frozenset((k, v) for k, v in row["metric"].items() if k != "__name__")


def values(rows):
    return {key(row): float(row["value"][1]) for row in rows}


def close(a, b):
    return a == b or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


started = time.monotonic()


def wait_for(condition, what):
    left = max(WAIT, started + FIRST_WAIT - time.monotonic())
    return harness.wait_until(condition, timeout=left, what=what)


class StackQueries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        global started
        cls.stack = stack.Stack(cls)
        started = time.monotonic()
        cls.boards = stack.boards()

    def queries(self):
        for uid, board in self.boards.items():
            for title, target in stack.targets(board):
                yield (uid, title, target["refId"]), board, target

    def ask(self, peer, target, expr):
        """As the panel does: a moment, or the last seconds."""
        if target.get("range"):
            return stack.over_time(peer, expr)
        return stack.instant(peer, expr)

    # ---- boards -----------------------------------------------------------------------
    def test_every_query_of_every_board_finds_data(self):
        for name, board, target in self.queries():
            if name in EMPTY:
                continue
            for currency in CURRENCIES if "$currency" in target["expr"] else ("USD",):
                expr = stack.interpolate(target["expr"], board, {
                    "currency": currency, "band": SCENARIOS[0]})
                for peer in self.stack.peers:
                    with self.subTest(f"{peer.name} {name} {currency}"):
                        wait_for(lambda p=peer, e=expr, t=target: self.ask(p, t, e), expr)

    def test_every_exception_is_one(self):
        names = {name for name, _, _ in self.queries()}
        self.assertEqual(set(EMPTY) - names, set())
        for name, board, target in self.queries():
            if name in EMPTY:
                expr = stack.interpolate(target["expr"], board, {
                    "currency": "USD", "band": SCENARIOS[0]})
                for peer in self.stack.peers:
                    self.assertEqual(self.ask(peer, target, expr), [], f"{name}: not empty "
                                     "any longer: take it from the list")

    def test_choosing_a_run_scenarios_and_an_encoder_leaves_just_these(self):
        chosen = {"currency": "USD", "band": SCENARIOS[0], "run": [RUN],
                  "scenario": SCENARIOS, "encoder": ["libx264"], "region": ["default"]}
        for name, board, target in self.queries():
            if name in EMPTY or "$scenario" not in target["expr"]:
                continue
            expr = stack.interpolate(target["expr"], board, chosen)
            for peer in self.stack.peers:
                with self.subTest(f"{peer.name} {name}"):
                    rows = wait_for(lambda p=peer, e=expr, t=target: self.ask(p, t, e), expr)
                    found = {row["metric"].get("scenario") for row in rows} - {None}
                    self.assertLessEqual(found, set(SCENARIOS))
                    self.assertLessEqual({row["metric"].get("run_id", RUN) for row in rows},
                                         {RUN})

    def test_both_databases_say_the_same(self):
        compared = 0
        for name, board, target in self.queries():
            expr = stack.interpolate(target["expr"], board, {
                "currency": "SEK", "band": SCENARIOS[0]})
            if "ALERTS" in expr:
                continue    # each evaluates its own
            still = not MOVING.search(re.sub(r'"[^"]*"', "", expr))
            compared += still

            def same(e=expr, still=still):
                ours, theirs = (values(stack.instant(p, e)) for p in self.stack.peers)
                return set(ours) == set(theirs) and (not still or all(
                    close(v, theirs[k]) for k, v in ours.items()))
            with self.subTest(str(name)):
                wait_for(same, expr)
        self.assertGreater(compared, 60)

    def test_variables_have_values(self):
        for uid, board in self.boards.items():
            for variable in board["templating"]["list"]:
                if variable["type"] != "query":
                    continue
                query = stack.interpolate(variable["query"]["query"], board, {})
                found = []
                for peer in self.stack.peers:
                    with self.subTest(f"{peer.name} {uid} {variable['name']}"):
                        found.append(wait_for(
                            lambda p=peer, q=query: stack.label_values(p, q), query))
                self.assertEqual(*map(set, found), f"{uid} {variable['name']}")

    # ---- what the boards say is right -------------------------------------------------
    def board_query(self, uid, title, index=0, **chosen):
        board = self.boards[uid]
        found = [t for name, t in stack.targets(board) if name.startswith(title)]
        return stack.interpolate(found[index]["expr"], board,
                                 {"currency": "USD", **chosen})

    def exporters(self):
        targets = self.stack.targets
        return ((targets.examples, "/metrics", "USD", 1.0),
                (targets.studio, "/metrics", "EUR", 1.09),
                (targets.job, "/metrics", "USD", 1.0),
                (targets.watched, "/metrics/all", "SEK", 0.095),
                (targets.live, "/metrics", "EUR", 1.09))

    def exposition(self, exporter, path):
        """What the cost endpoint serves, or the only endpoint there is."""
        endpoint = "cost" if "cost" in exporter.ports else "results"
        return expo.parse(exporter.get(
            endpoint, path, headers=self.stack.targets.login).body)

    def test_total_cost_is_the_sum_of_what_is_served_converted_once(self):
        expr = self.board_query("cost-energy-monitoring", "Total cost ($currency)")

        def right(peer):
            wanted = sum(sample.value * rate
                         for exporter, path, currency, rate in self.exporters()
                         for sample in self.exposition(exporter, path).samples(
                             "cost_total_load_aware", currency=currency))
            rows = stack.instant(peer, expr)
            return (len(rows) == 1 and rows[0]["metric"] == {"currency": "USD"}
                    and math.isclose(float(rows[0]["value"][1]), wanted, rel_tol=1e-9))
        for peer in self.stack.peers:
            wait_for(lambda p=peer: right(p), f"{peer.name}: {expr}")

    def test_regions_cost_what_compare_regions_says(self):
        """Against cost_in_region and co2_in_region_kg of the exporter that serves them."""
        served = self.stack.targets.examples
        for title, family, labels in (
                ("Cost in every region ($", "cost_in_region", {"currency": "SEK"}),
                ("CO₂ in every region", "co2_in_region_kg", {})):
            # Of the examples' newest run alone, as the other two say nothing of regions.
            wanted = {}
            exposition = served.metrics("cost")
            known = {s.labels["scenario"] for s in exposition.samples("co2_emissions_kg")}
            for sample in exposition.samples(family, **labels):
                if sample.labels["scenario"] in known:
                    region = sample.labels["region"]
                    wanted[region] = wanted.get(region, 0) + sample.value
            self.assertGreater(len(wanted), 2)
            expr = self.board_query("encode-regions", title, currency="SEK")
            port = served.ports["cost"]
            for metric in ("co2_emissions_kg", "cost_compute_load_aware"):
                expr = expr.replace(metric + "{", f'{metric}{{instance="127.0.0.1:{port}",')
            for peer in self.stack.peers:
                got = {row["metric"]["region"]: float(row["value"][1])
                       for row in wait_for(lambda p=peer, e=expr: stack.instant(p, e), expr)}
                for region, value in wanted.items():
                    self.assertTrue(math.isclose(got[region], value, rel_tol=1e-9),
                                    f"{peer.name} {family} {region}: {got[region]}, {value}")

    def test_infinite_psnr_does_not_spoil_the_mean(self):
        for peer in self.stack.peers:
            infinite = stack.instant(peer, "count(qoe_psnr_score == Inf)")
            self.assertTrue(infinite, f"{peer.name}: no infinite PSNR to be clamped")
            mean = stack.instant(peer, self.board_query("qoe-monitoring", "Average PSNR"))
            self.assertLess(float(mean[0]["value"][1]), 100)

    # ---- rules --------------------------------------------------------------------------
    def test_rules_are_evaluated_by_both(self):
        """No error in any group, as each of them tells."""
        prometheus = self.stack.prometheus
        groups = stack.ask(prometheus, "rules")["groups"]
        self.assertEqual(sum(len(g["rules"]) for g in groups), len(stack.rules()))

        def evaluated():
            groups = stack.ask(prometheus, "rules")["groups"]
            return all(r["health"] == "ok" for g in groups for r in g["rules"])
        wait_for(evaluated, "all rules of Prometheus evaluated")

        def evaluated_there():
            groups = self.stack.vmalert_groups()
            return (sum(len(g["rules"]) for g in groups) == len(stack.rules())
                    and all(r["health"] == "ok" and r["lastEvaluation"][:4] > "2000"
                            for g in groups for r in g["rules"]))
        wait_for(evaluated_there, "all rules of vmalert evaluated")

    def test_recording_rules_record(self):
        for rule in stack.rules():
            if "record" not in rule:
                continue
            for peer in self.stack.peers:
                with self.subTest(f"{peer.name} {rule['record']}"):
                    wait_for(lambda p=peer, r=rule: stack.instant(p, r["record"]),
                             rule["record"])
                    self.assertTrue(stack.instant(peer, rule["expr"]))

    def test_alerts_look_at_something(self):
        """Each expression is understood by both, and each of its selectors finds data."""
        looked_at = set()
        for rule in stack.rules():
            if "alert" not in rule:
                continue
            for peer in self.stack.peers:
                stack.instant(peer, rule["expr"])
                found = stack.selectors(rule["expr"])
                self.assertTrue(found, rule["alert"])
                for selector in found:
                    looked_at.add(selector)
                    with self.subTest(f"{peer.name} {rule['alert']} {selector}"):
                        if selector in EMPTY_SELECTORS:
                            self.assertEqual(stack.instant(peer, selector), [], "not empty "
                                             "any longer: take it from the list")
                        else:
                            wait_for(lambda p=peer, s=selector: stack.instant(p, s),
                                     selector)
        self.assertEqual(set(EMPTY_SELECTORS) - looked_at, set())


if __name__ == "__main__":
    harness.main()
