"""What was measured, for people and for programs.

All of it is made from the dict that result.json holds, so that an old one can be shown
again.
"""

import datetime
import json
import math
import os
import platform
import re
import subprocess

BEGIN = "<!-- figures: written by {} --write-docs -->"
END = "<!-- end of figures -->"
UNITLESS = ("errors", "unanswered")


def first_line(*command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
        return done.stdout.splitlines()[0].strip()
    except (OSError, IndexError):
        return "?"


def machine(binary, nginx):
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = re.search(r"^model name\s*: (.*)$", f.read(), re.M)
    with open("/proc/meminfo", encoding="utf-8") as f:
        kb = int(re.search(r"^MemTotal:\s+(\d+)", f.read(), re.M)[1])
    return {"cpu": model[1] if model else platform.machine(), "cores": os.cpu_count(),
            "memory_gib": round(kb / 1048576, 1), "kernel": platform.release(),
            "exporter": first_line(binary, "--version"),
            "nginx": first_line(nginx, "-v").removeprefix("nginx version: "),
            "wrk": first_line("wrk", "-v").split(" [")[0]}


def result(size, about, rows):
    judged = [r for r in rows if r.met is not None]
    return {"size": size.name, "rounds": size.rounds, "scenarios": list(size.scenarios),
            "finished": datetime.datetime.now(datetime.timezone.utc).isoformat("T", "seconds"),
            "machine": about, "rows": [r.as_dict() for r in rows],
            "met": sum(r.met for r in judged), "missed": sum(not r.met for r in judged)}


# ---- numbers --------------------------------------------------------------------------
def number(value):
    """Three significant figures, without an exponent; whole numbers as they are."""
    if value == 0 or isinstance(value, int):
        return f"{value:,}".replace(",", " ")
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}".replace(",", " ")


def between(spread):
    if spread["count"] < 2:
        return ""
    return f" ({number(spread['low'])}–{number(spread['high'])})"


def measured(row):
    if row["skipped"]:
        return row["skipped"]
    figure = row["figure"]
    shown = f"{number(figure['median'])} {row['unit']}".rstrip()
    return shown + between(figure)


def check(c, unit):
    """What a check found, beyond the row's own figure."""
    if not c["name"]:
        return ""
    if c["name"].startswith("×"):
        return f"{number(c['value'])} {c['name']}" + between(c["spread"])
    return f"{c['name']} {number(c['value'])} {'' if c['name'] in UNITLESS else unit}".rstrip()


def budget(c, unit):
    if c["budget"] is None:
        return ""
    if c["name"].startswith("×"):
        return f"≤ {c['budget']:g} {c['name']}"
    shown = f"≤ {c['budget']:.4g} {'' if c['name'] in UNITLESS else unit}".rstrip()
    return f"{c['name']} {shown}".lstrip()


def verdict(row):
    if row["met"] is None:
        return "–"
    return "met" if row["met"] else "**missed**"


# ---- tables ---------------------------------------------------------------------------
def table(heads, rows):
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def joined(parts):
    return "; ".join(p for p in parts if p)


def budgets(rows):
    return table(("what", "measured", "compared", "budget", ""), [
        (r["what"], measured(r), joined([*(check(c, r["unit"]) for c in r["checks"]), r["note"]]),
         joined(budget(c, r["unit"]) for c in r["checks"]), verdict(r)) for r in rows])


def throughput(rows):
    cells = []
    for r in rows:
        if not r["id"].startswith("scrape.") or r["skipped"]:
            continue
        d = r["detail"]
        size = d["bytes"] / 1000
        cells.append((d["endpoint"], d["coding"], str(d["scenarios"]), f"{number(size)} KB",
                      *(f"{number(d[s]['cpu_us']['median'])} / "
                        f"{number(d[s]['per_second']['median'])}"
                        for s in ("exporter", "nginx", "bare"))))
    if not cells:
        return ""
    return table(("endpoint", "coding", "scenarios", "answer",
                  "exporter, µs / requests a second", "nginx", "bare"), cells)


def markdown(found):
    m = found["machine"]
    text = (f"{m['cores']} cores of {m['cpu']}, {m['memory_gib']} GiB, Linux {m['kernel']}; "
            f"{m['nginx']}, {m['wrk']}; {m['exporter']}; {found['finished'][:10]}, "
            f"{found['size']} run. Medians; in brackets what they lie between.\n\n")
    text += budgets(found["rows"])
    more = throughput(found["rows"])
    if more:
        text += ("\nServer CPU per request and requests a second, where the one client thread "
                 "is often the limit:\n\n" + more)
    return text


def say_row(row):
    """One line while it runs."""
    row = row.as_dict()
    parts = [measured(row), *(check(c, row["unit"]) for c in row["checks"]), row["note"]]
    print(f"{verdict(row).strip('*'):7} {row['what']}: {joined(parts)}", flush=True)


# ---- files ----------------------------------------------------------------------------
def write(path, text):
    """The whole file or none of it: --from may name the file that is written."""
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(path + ".new", path)


def write_files(found, directory):
    os.makedirs(directory, exist_ok=True)
    write(os.path.join(directory, "result.json"),
          json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    write(os.path.join(directory, "result.md"), markdown(found))


def write_between(page, tables, command):
    """The tables of a page, between the two markers of the command that makes them."""
    mark = BEGIN.format(command)
    with open(page, encoding="utf-8") as f:
        text = f.read()
    before, begin, rest = text.partition(mark)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page}: the markers are missing")
    write(page, f"{before}{mark}\n\n{tables}\n{END}{after}")


def write_docs(found, page):
    write_between(page, markdown(found), "./dev bench")
