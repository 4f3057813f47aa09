"""The boards are what their source writes, whole, and hold together by themselves.

What their queries find is asked by test_stack_queries.py, their form is checked against
Grafana's own types by tests/deploy/test_board_schema.py.
"""

import glob
import os
import re
import subprocess
import sys
import unittest

import harness
import stack

GRAFANA = os.path.join(harness.ROOT, "deploy", "grafana")
UIDS = {"cost-energy-monitoring", "qoe-monitoring", "encode-predictions", "encode-regions",
        "encode-forecast", "encode-live"}
# Of Grafana's units those used here; other spellings would be shown as they stand.
UNITS = {"none", "bps", "dateTimeFromNow", "masskg", "watt", "watth", "kwatth", "joule", "s", "dB", "percent",
         "percentunit", "Kbits", "suffix:/W", "si:px/J", "suffix: kg/kWh"}
CORE_PANELS = {"timeseries", "stat", "gauge", "bargauge", "piechart", "table",
               "state-timeline", "row"}
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Functions and modifiers that one of the two databases alone has.
ONE_SIDED = re.compile(r"\b(holt_winters|double_exponential_smoothing|keep_metric_names|"
                       r"median|default|topk_\w+|bottomk_\w+|label_set|label_map|rollup\w*|"
                       r"histogram_\w+|with|union|sort_by_label\w*|limitk|info)\b *\(|"
                       r"@ *(start|end)")
MONEY = re.compile(r"\b(cost_[a-z_]*|results_scenario_predicted_cost|"
                   r"region_currency:[a-z0-9_:]*)\b")
# Cost families that are no amount of money.
NO_MONEY = {"cost_basis_info", "cost_exchange_rate", "cost_price_info"}


def panels():
    return [(uid, panel) for uid, board in stack.boards().items()
            for panel in board["panels"]]


def queries():
    return [(uid, panel, target) for uid, panel in panels()
            for target in panel.get("targets", [])]


def fields(panel):
    """Every unit, threshold and so on of a panel, of its fields in turn."""
    yield panel["fieldConfig"]["defaults"]
    for override in panel["fieldConfig"]["overrides"]:
        yield {p["id"]: p["value"] for p in override["properties"]}


def titled(uid, title):
    found = [p for u, p in panels() if u == uid and p["title"].startswith(title)]
    if len(found) != 1:
        raise AssertionError(f"{uid}: {len(found)} panels named {title}…")
    return found[0]


class Dashboards(unittest.TestCase):
    def test_they_are_what_their_source_writes(self):
        done = subprocess.run(
            [sys.executable, os.path.join(GRAFANA, "boards", "generate.py"), "--check"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + "run ./dev docs")

    def test_uids_are_the_promised_ones(self):
        self.assertEqual(set(stack.boards()), UIDS)
        self.assertEqual({os.path.basename(p) for p in glob.glob(stack.BOARDS + "/*")},
                         {uid + ".json" for uid in UIDS})
        for uid, board in stack.boards().items():
            self.assertNotIn("id", board, uid)
            self.assertIn("encode-exporter", board["tags"])

    def test_every_second_can_be_chosen(self):
        for board in stack.boards().values():
            self.assertIn("1s", board["timepicker"]["refresh_intervals"])
            self.assertIn(board["refresh"], board["timepicker"]["refresh_intervals"])

    def test_panels_tell_what_they_show(self):
        for uid, panel in panels():
            with self.subTest(f"{uid}: {panel['title']}"):
                self.assertIn(panel["type"], CORE_PANELS)
                if panel["type"] == "row":
                    continue
                self.assertGreater(len(panel["description"]), 20)
                self.assertTrue(panel["targets"])
                self.assertIn("unit", panel["fieldConfig"]["defaults"])
                for field in fields(panel):
                    self.assertIn(field.get("unit", "none"), UNITS)
                    steps = field.get("thresholds", {}).get("steps", [])
                    values = [s["value"] for s in steps[1:]]
                    self.assertEqual(values, sorted(values))
                    self.assertIsNone((steps or [{"value": None}])[0]["value"])

    def test_titles_and_numbers_stand_once_in_a_board(self):
        for uid, board in stack.boards().items():
            for key in ("title", "id"):
                found = [panel[key] for panel in board["panels"] if panel["type"] != "row"]
                self.assertEqual(len(found), len(set(found)), f"{uid}: {key}")

    def test_panels_do_not_overlap_and_leave_no_hole(self):
        for uid, board in stack.boards().items():
            taken = {}
            for panel in board["panels"]:
                at = panel["gridPos"]
                self.assertLessEqual(at["x"] + at["w"], 24, panel["title"])
                for x in range(at["x"], at["x"] + at["w"]):
                    for y in range(at["y"], at["y"] + at["h"]):
                        self.assertNotIn((x, y), taken,
                                         f"{uid}: {panel['title']} lies on "
                                         f"{taken.get((x, y))}")
                        taken[x, y] = panel["title"]
            rows = max(y for _, y in taken) + 1
            self.assertEqual(len(taken), 24 * rows, f"{uid}: a hole in the grid")

    def test_the_data_source_is_chosen_everywhere(self):
        for uid, panel in panels():
            if panel["type"] != "row":
                self.assertEqual(panel["datasource"], DATASOURCE, f"{uid} {panel['title']}")
        for uid, panel, target in queries():
            self.assertEqual(target["datasource"], DATASOURCE, f"{uid} {panel['title']}")
        for uid, board in stack.boards().items():
            for variable in board["templating"]["list"]:
                if variable["type"] == "query":
                    self.assertEqual(variable["datasource"], DATASOURCE, uid)

    def test_variables_are_those_that_queries_name(self):
        everything = set()
        for uid, board in stack.boards().items():
            names = [v["name"] for v in board["templating"]["list"]]
            self.assertEqual(names[0], "datasource", uid)
            self.assertEqual(len(names), len(set(names)), uid)
            used = {"datasource"}
            texts = [t["expr"] for p in board["panels"] for t in p.get("targets", [])]
            texts += [v["query"]["query"] for v in board["templating"]["list"][1:]]
            for text in texts:
                used |= set(re.findall(r"\$([a-z]\w*)", text))
            self.assertEqual(used, set(names), f"{uid}: named and defined variables")
            everything |= set(names)
        self.assertLessEqual({"datasource", "run", "scenario", "encoder", "currency",
                              "region"}, everything)

    def test_money_names_its_currency(self):
        """In the title, or in a column or legend of its own."""
        for uid, panel, target in queries():
            amounts = set(MONEY.findall(target["expr"])) - NO_MONEY
            amounts = {a for a in amounts if not a.startswith("cost_scenarios")}
            if not amounts or "co2" in panel["title"].lower():
                continue
            with self.subTest(f"{uid}: {panel['title']}: {target['refId']}"):
                self.assertIn("$currency", target["expr"])
                if panel["type"] == "table":
                    texts = [t["expr"] for t in panel["targets"]]
                    self.assertTrue(any("currency" in t.split("(label_replace")[0]
                                        for t in texts))
                    names = panel["transformations"][-1]["options"]["renameByName"]
                    self.assertEqual(names.get("currency"), "Currency")
                else:
                    self.assertIn("$currency", panel["title"])

    def test_amounts_are_of_one_currency_or_converted(self):
        for uid, panel, target in queries():
            for found in re.finditer(r"(cost_(?:total|energy|compute)_load_aware|"
                                     r"cost_accrued_total|cost_per_watch_hour|"
                                     r"cost_known_region_price_per_kwh|"
                                     r"region_currency:\w+:\w+|"
                                     r"results_scenario_predicted_cost)(\{[^}]*\})?",
                                     target["expr"]):
                self.assertRegex(found[2] or "", r'currency!?="\$currency"',
                                 f"{uid}: {panel['title']}")
            if 'currency!="$currency"' in target["expr"]:
                self.assertIn("cost_exchange_rate", target["expr"])

    def test_the_basis_stands_beside_the_figures(self):
        for uid in ("cost-energy-monitoring", "encode-regions", "encode-predictions"):
            summaries = [p for u, p in panels() if u == uid and p["type"] == "table" and any(
                "cost_basis_info" in t["expr"] for t in p["targets"])]
            self.assertTrue(summaries, uid)
            names = summaries[-1]["transformations"][-1]["options"]["renameByName"]
            self.assertEqual(names["energy"], "Energy from")
        self.assertIn("results_scenario_energy_source_info",
                      str(titled("qoe-monitoring", "Summary")))

    def test_infinite_psnr_counts_as_100(self):
        for uid, panel, target in queries():
            for found in re.finditer(r"qoe_psnr_score|results_scenario_psnr_score",
                                     target["expr"]):
                before = target["expr"][:found.start()]
                self.assertTrue(before.endswith("clamp_max("), f"{uid} {panel['title']}")

    def test_thresholds_of_quality(self):
        def values(title):
            defaults = titled("qoe-monitoring", title)["fieldConfig"]["defaults"]
            return [s["value"] for s in defaults["thresholds"]["steps"]]
        for title in ("Average VMAF", "VMAF"):
            self.assertEqual([None, 70, 85], values(title))
        for title in ("Average PSNR", "PSNR"):
            self.assertEqual([None, 30, 40], values(title))

    def test_both_databases_know_every_function(self):
        for uid, panel, target in queries():
            self.assertNotRegex(target["expr"], ONE_SIDED, f"{uid}: {panel['title']}")

    def test_recorded_series_outlast_the_interval_of_their_rules(self):
        """Prometheus forgets a sample after 5 minutes; rules may pause for longer."""
        found = 0
        for uid, panel, target in queries():
            for match in re.finditer(r"(\S{0,15})\b(?:region|region_currency):\w+:\w+\{"
                                     r"[^}]*\}(\[\d+m\])?", target["expr"]):
                found += 1
                self.assertIn("last_over_time(", match[1], f"{uid}: {panel['title']}")
                self.assertGreater(int(match[2][1:-2]), 15)
        self.assertGreater(found, 20)

    def test_columns_of_tables_have_names(self):
        for uid, panel in panels():
            if panel["type"] != "table":
                continue
            with self.subTest(f"{uid}: {panel['title']}"):
                kinds = [t["id"] for t in panel["transformations"]]
                self.assertEqual(kinds, ["merge", "organize"][-len(kinds):])
                names = panel["transformations"][-1]["options"]["renameByName"]
                letters = [t["refId"] for t in panel["targets"]]
                raw = ["Value"] if len(letters) == 1 else [f"Value #{i}" for i in letters]
                for column in raw:
                    self.assertIn(column, names)
                for override in panel["fieldConfig"]["overrides"]:
                    self.assertIn(override["matcher"]["options"], names.values())
                for target in panel["targets"]:
                    self.assertEqual((target["format"], target["instant"]), ("table", True))

    def test_bands_lie_between_lines_that_are_there(self):
        found = 0
        for uid, panel in panels():
            legends = [t["legendFormat"] for t in panel.get("targets", [])]
            for override in panel.get("fieldConfig", {}).get("overrides", []):
                for entry in override["properties"]:
                    if entry["id"] == "custom.fillBelowTo":
                        found += 1
                        self.assertIn(entry["value"], legends, uid)
                        self.assertIn(override["matcher"]["options"], legends, uid)
        self.assertEqual(found, 1)


class Provisioning(unittest.TestCase):
    def test_boards_and_data_source_are_found(self):
        if stack.yaml is None:
            raise unittest.SkipTest("no python3-yaml")
        where = os.path.join(GRAFANA, "provisioning")
        with open(os.path.join(where, "datasources", "encode.yaml"), encoding="utf-8") as f:
            source = stack.yaml.safe_load(f)["datasources"][0]
        self.assertEqual(source["type"], "prometheus")
        self.assertEqual(source["url"], "$ENCODE_DATASOURCE_URL")
        with open(os.path.join(where, "dashboards", "encode.yaml"), encoding="utf-8") as f:
            provider = stack.yaml.safe_load(f)["providers"][0]
        self.assertEqual(provider["options"]["path"], "$ENCODE_DASHBOARDS")
        self.assertFalse(provider["allowUiUpdates"])


if __name__ == "__main__":
    harness.main()
