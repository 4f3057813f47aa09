"""Writes the boards as Grafana reads them: python3 generate.py [--check]

../dashboards/*.json come from the modules beside this file and are never edited. With
--check nothing is written; it fails where a file is not what would be written.
"""

import importlib
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.path.join(os.path.dirname(HERE), "dashboards")
BOARDS = ("cost_energy", "qoe", "predictions", "regions", "forecast", "live")

sys.dont_write_bytecode = True
sys.path.insert(0, HERE)


def texts():
    """File name → content of every board."""
    found = {}
    for name in BOARDS:
        board = importlib.import_module(name).BOARD
        text = json.dumps(board, indent=2, ensure_ascii=False, sort_keys=True)
        found[board["uid"] + ".json"] = text + "\n"
    return found


def current(name):
    try:
        with open(os.path.join(TARGET, name), encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return None


def main():
    wanted = texts()
    strangers = sorted(set(os.listdir(TARGET)) - set(wanted))
    stale = [name for name, text in wanted.items() if current(name) != text]
    if "--check" in sys.argv[1:]:
        for name in stale + strangers:
            print(f"deploy/grafana/dashboards/{name} is not what ./dev docs writes",
                  file=sys.stderr)
        return 1 if stale or strangers else 0
    for name in strangers:
        os.remove(os.path.join(TARGET, name))
    for name in stale:
        with open(os.path.join(TARGET, name), "w", encoding="utf-8") as f:
            f.write(wanted[name])
    return 0


if __name__ == "__main__":
    sys.exit(main())
