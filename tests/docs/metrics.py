#!/usr/bin/env python3
"""Writes docs/metrics.md: metrics.py FAMILIES [--write].

Names, types and texts are of the tables that the program serves from, printed by FAMILIES
(families.c); labels and conditions are what real runs showed (corpus.py). A family that no
run shows is an error, unless UNSHOWN tells why. metrics.md.in holds the rest of the page.
"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
sys.path.insert(1, HERE)

import corpus  # noqa: E402

PAGE = os.path.join(ROOT, "docs", "metrics.md")
TEMPLATE = os.path.join(HERE, "metrics.md.in")

# Families that no run of the corpus can show, and why.
UNSHOWN = {}

# Sets of labels that have a name on the page, larger ones first.
SETS = {
    "results": ("run_id", "scenario", "bitrate", "resolution", "fps", "streams",
                "output_ladder", "encoder", "encoder_type", "preset"),
    "cost": ("scenario", "region", "currency", "streams", "bitrate", "encoder", "resolution",
             "preset", "service"),
    "CO₂": ("scenario", "region", "streams", "bitrate", "encoder", "resolution", "preset",
            "service"),
    "configuration": ("config", "bitrate", "resolution", "fps", "encoder", "preset"),
    "QoE": ("scenario", "bitrate", "encoder", "resolution", "preset"),
}
# The page says of all scenarios when these come.
SOMETIMES = ("repeat",)
# Its labels are those that a results file makes up.
FREE = {"results_scenario_params_info": "one for each parameter of the encode"}

# Chapters of the template, and the parts of the program that fill them, with the endpoint
# that serves each.
CHAPTERS = {
    "results": (("results", "results"), ("results live", "results"),
                ("results predictions", "results")),
    "qoe": (("qoe", "qoe"), ("qoe comparison", "qoe"), ("qoe live", "qoe"),
            ("qoe predictions", "qoe")),
    "cost": (("cost", "cost"), ("cost predictions", "cost")),
    "ml": (("ml", "ml"),),
    "process": tuple((part, "results") for part in
                     ("process", "power", "upstream", "predict", "push", "carbon", "live",
                      "compute")),
}


def tables(program):
    """part → [(name, type, help)], as the program has them."""
    done = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    found = {}
    for line in done.stdout.splitlines():
        part, name, kind, text = line.split("\t")
        found.setdefault(part, []).append((name, kind, text))
    return found


def label_text(name, labels):
    left = [label for label in labels if label not in SOMETIMES]
    words = []
    for title, members in SETS.items():
        if set(members) <= set(left):
            words.append(f"*{title}*")
            left = [label for label in left if label not in members]
            break
    if name in FREE:
        return ", ".join(words + [FREE[name]])
    if words and "run_id" in left:
        left.remove("run_id")    # as the page says of --runs
    return ", ".join(words + [f"`{label}`" for label in left]) or "–"


def escaped(text):
    return text.replace("|", "\\|").replace("<", "&lt;")


def row(seen, endpoint, name, kind, text):
    key = endpoint, name
    if key not in seen.first:
        if name not in UNSHOWN:
            raise SystemExit(f"metrics.py: no run of corpus.py shows {name} on {endpoint}")
        return f"| `{name}` | {kind} | | {escaped(text)} | {UNSHOWN[name]} |"
    when = seen.first[key] + " " if seen.first[key] else ""
    return (f"| `{name}` | {kind} | {label_text(name, seen.labels[key])} | {escaped(text)} | "
            f"{when}|")


def page(program):
    found, seen = tables(program), corpus.collect()
    known = {name for rows in found.values() for name, _, _ in rows}
    extra = sorted({name for _, name in seen.first} - known)
    if extra or set(found) != {p for parts in CHAPTERS.values() for p, _ in parts}:
        raise SystemExit(f"metrics.py: families.c lacks {extra or 'a part, or CHAPTERS does'}")
    with open(TEMPLATE, encoding="utf-8") as f:
        text = f.read()
    for chapter, parts in CHAPTERS.items():
        rows = [row(seen, endpoint, *family) for part, endpoint in parts
                for family in found[part]]
        head = ["| family | type | labels | what it says | there with |",
                "| --- | --- | --- | --- | --- |"]
        mark = f"@{chapter}@\n"
        if text.count(mark) != 1:
            raise SystemExit(f"metrics.py: {mark.strip()} is not once in metrics.md.in")
        text = text.replace(mark, "\n".join(head + rows) + "\n")
    return text


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    text = page(sys.argv[1])
    if "--write" in sys.argv[2:]:
        with open(PAGE, "w", encoding="utf-8") as f:
            f.write(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
