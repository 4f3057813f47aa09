# ctest: timeout 300
"""Grafana's own types of boards and panels, checked by TypeScript's compiler.

Grafana is not among Debian's packages, so it does not run here. What it publishes is the
shape of what it reads: @grafana/schema. Each board is written down as a literal of these
types, each panel with the options and fields of its kind, so that a misspelt, misplaced or
unknown key, or a word that is none of the allowed ones, does not compile.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import harness
import npm
import stack

RAW = "@grafana/schema/dist/esm/raw"
# Kind of panel → its module, and whether fields of this kind have options of their own.
KINDS = {
    "timeseries": ("timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen", True),
    "stat": ("stat/panelcfg/x/StatPanelCfg_types.gen", False),
    "gauge": ("gauge/panelcfg/x/GaugePanelCfg_types.gen", False),
    "bargauge": ("bargauge/panelcfg/x/BarGaugePanelCfg_types.gen", False),
    "piechart": ("piechart/panelcfg/x/PieChartPanelCfg_types.gen", True),
    "state-timeline": ("statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen", True),
    "table": ("table/panelcfg/x/TablePanelCfg_types.gen", True),
}
PRELUDE = """\
import type * as board from "%s/dashboard/x/dashboard_types.gen";
%s
// JSON has the words of an enumeration, not its members.
type Plain<T> = T extends string ? `${T}` : T extends number | boolean ? T
    : T extends (infer U)[] ? Plain<U>[]
    : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
type Fields<Custom> = Omit<Plain<board.FieldConfig>, "custom"> & { custom?: Partial<Custom> };
type Panel<Kind, Options, Custom> =
    Omit<Plain<board.Panel>, "type" | "options" | "fieldConfig"> & {
        type: Kind; title: string; options: Partial<Options>;
        fieldConfig: { defaults: Fields<Custom>;
            overrides: { matcher: board.MatcherConfig;
                properties: { id: string; value?: unknown }[] }[] } };
interface Target { refId: string; expr: string; datasource: board.DataSourceRef;
    legendFormat: string; format?: "table" | "time_series" | "heatmap";
    instant?: boolean; range?: boolean }
"""


def prelude():
    imports = "\n".join(f'import type * as {alias(kind)} from "{RAW}/composable/{path}";'
                        for kind, (path, _) in KINDS.items())
    return PRELUDE % (RAW, imports)


def alias(kind):
    return kind.replace("-", "_")


def custom_type(kind):
    return f"Plain<{alias(kind)}.FieldConfig>" if KINDS[kind][1] else "Record<string, never>"


def literal(name, kind, value):
    return f"export const {name}: {kind} = {json.dumps(value, indent=1)};\n"


def panel_source(name, panel):
    """One panel, its queries, and the value of each property that an override sets."""
    if panel["type"] == "row":
        return literal(name, "Plain<board.RowPanel>", panel)
    kind = panel["type"]
    custom = custom_type(kind)
    text = literal(name, f'Panel<"{kind}", Plain<{alias(kind)}.Options>, {custom}>', panel)
    text += literal(name + "_targets", "Target[]", panel["targets"])
    number = 0
    for override in panel["fieldConfig"]["overrides"]:
        for entry in override["properties"]:
            path = entry["id"].split(".")
            of = custom if path[0] == "custom" else "Plain<board.FieldConfig>"
            text += literal(f"{name}_property{number}", f'Required<{of}>["{path[-1]}"]',
                            entry["value"])
            number += 1
    return text


def source(board):
    whole = dict(board, panels=[])
    return prelude() + literal("whole", "Plain<board.Dashboard>", whole) + "".join(
        panel_source(f"panel{i}", panel) for i, panel in enumerate(board["panels"]))


class BoardSchema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.modules = npm.modules()
        os.makedirs(os.path.join(harness.ROOT, "build", "deploy"), exist_ok=True)
        # The compiler looks for modules upwards of the sources.
        cls.place = tempfile.mkdtemp(dir=os.path.dirname(cls.modules), prefix="boards-")
        cls.addClassCleanup(shutil.rmtree, cls.place)

    def compile(self, sources):
        """What the compiler says of {name: text}, empty if all is well."""
        for name in os.listdir(self.place):
            os.remove(os.path.join(self.place, name))
        for name, text in sources.items():
            with open(os.path.join(self.place, name + ".ts"), "w", encoding="utf-8") as f:
                f.write(text)
        schema = os.path.join(self.modules, "@grafana", "schema", "dist", "esm")
        config = {"compilerOptions": {
            "strict": True, "noEmit": True, "skipLibCheck": True, "target": "es2022",
            "module": "esnext", "moduleResolution": "node", "types": [],
            "paths": {"@grafana/schema": [os.path.join(schema, "index.d.ts")]}},
            "include": ["*.ts"]}
        with open(os.path.join(self.place, "tsconfig.json"), "w", encoding="utf-8") as f:
            json.dump(config, f)
        done = subprocess.run(
            ["node", os.path.join(self.modules, "typescript", "bin", "tsc"), "-p", "."],
            cwd=self.place, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=200, check=False)
        if done.returncode and "error TS" not in done.stdout:
            raise AssertionError("tsc did not run: " + done.stdout)
        return done.stdout

    def test_boards_are_of_grafanas_types(self):
        boards = stack.boards()
        self.assertEqual(len(boards), 6)
        used = {p["type"] for b in boards.values() for p in b["panels"]} - {"row"}
        self.assertEqual(used, set(KINDS))
        said = self.compile({re.sub(r"\W", "_", uid): source(board)
                             for uid, board in boards.items()})
        if said:
            self.fail("Grafana's types and the boards differ:\n" + said)

    def test_what_is_wrong_is_found(self):
        """Each of these faults alone keeps a board from compiling."""
        def fault(change):
            board = json.loads(json.dumps(stack.boards()["encode-predictions"]))
            change(board, next(p for p in board["panels"] if p["type"] == "timeseries"),
                   next(p for p in board["panels"] if p["type"] == "stat"))
            return source(board)
        faults = {
            "key_of_board": lambda b, t, s: b.update(titel="x"),
            "variable": lambda b, t, s: b["templating"]["list"][0].update(type="qurey"),
            "place": lambda b, t, s: t["gridPos"].update(w="12"),
            "word": lambda b, t, s: s["options"].update(colorMode="loud"),
            "option": lambda b, t, s: s["options"].update(colourMode="value"),
            "field": lambda b, t, s: t["fieldConfig"]["defaults"]["custom"].update(fill=1),
            "line": lambda b, t, s: t["fieldConfig"]["defaults"]["custom"].update(
                drawStyle="lines"),
            "query": lambda b, t, s: t["targets"][0].update(exp="up"),
            "override": lambda b, t, s: t["fieldConfig"]["overrides"][0]["properties"].append(
                {"id": "custom.fillBelow", "value": "low"}),
            "threshold": lambda b, t, s: s["fieldConfig"]["defaults"]["thresholds"].update(
                mode="relative"),
        }
        said = self.compile({name: fault(change) for name, change in faults.items()})
        found = set(re.findall(r"^(\w+)\.ts\(", said, re.M))
        self.assertEqual(found, set(faults), said)


if __name__ == "__main__":
    harness.main()
