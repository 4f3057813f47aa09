#!/usr/bin/env python3
"""What the predictions are worth, on real encodes that they were not shown.

Two splits: one source left out, and one encode left out. Ours comes from the C code
(predict_eval), fitted anew for every split; beside it stand scikit-learn's models with the
same features on the same splits. docs/predictions.md tells what the figures mean.
"""

import argparse
import csv
import glob
import io
import json
import math
import multiprocessing
import os
import subprocess
import sys

import report

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PAGE = os.path.join(ROOT, "docs", "predictions.md")
ENCODES = os.path.join(ROOT, "tests", "data", "encodes")
TARGETS = {"vmaf": "VMAF", "psnr": "PSNR, dB", "core_seconds": "core-seconds per second"}
SCOPES = {"source": "new_source", "encode": "known_source"}
LEARNERS = ("linear", "degree 2", "random forest", "gradient boosting")
FEATURES = ("all", "short")
SPACES = ("raw", "transformed")
COVERAGE = (0.90, 0.99)
R2_LEAST = {("encode", "vmaf"): 0.85, ("source", "core_seconds"): 0.85}
TEXTS = ("split", "target", "run", "source", "encoder")
TREES = 100


# ---- ours -----------------------------------------------------------------------------
def ours(binary, files, every=1):
    """Rows of predict_eval: a dict each, NaN where nothing was predicted."""
    said = subprocess.run([binary, "--every", str(every), *files], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    rows = list(csv.DictReader(io.StringIO(said), delimiter="\t", quoting=csv.QUOTE_NONE))
    return [{k: v if k in TEXTS else float(v) for k, v in row.items()} for row in rows]


def of(rows, split, target):
    return [r for r in rows if r["split"] == split and r["target"] == target]


def predicted(rows):
    return [r for r in rows if not math.isnan(r["value"])]


# ---- figures --------------------------------------------------------------------------
def score(measured, values):
    """(MAE, R²); R² as scikit-learn's r2_score: against the mean of what was measured."""
    mean = sum(measured) / len(measured)
    errors = [m - v for m, v in zip(measured, values, strict=True)]
    return (sum(map(abs, errors)) / len(errors),
            1 - sum(e * e for e in errors) / sum((m - mean) ** 2 for m in measured))


def covered(rows):
    return sum(r["low"] <= r["measured"] <= r["high"] for r in rows) / len(rows)


def ours_scored(rows):
    answered = predicted(rows)
    if not answered:
        return {"predicted": 0, "of": len(rows)}
    mae, r2 = score([r["measured"] for r in answered], [r["value"] for r in answered])
    sources = {s: covered([r for r in answered if r["source"] == s])
               for s in sorted({r["source"] for r in answered})}
    return {"predicted": len(answered), "of": len(rows), "mae": mae, "r2": r2,
            "coverage": covered(answered), "coverage_by_source": sources,
            "width": sorted(r["high"] - r["low"] for r in answered)[len(answered) // 2]}


# ---- theirs ---------------------------------------------------------------------------
def matrix(rows, target, features, with_source):
    """Features of the rows. "all": all that is told of an encode; "short": what is known
    to matter. Quality looks at the bit rate that came out, cost at the one asked for."""
    import numpy as np
    encoders = sorted({r["encoder"] for r in rows})
    sources = sorted({r["source"] for r in rows})
    out = []
    for r in rows:
        rate = r["asked_bps"] if target == "core_seconds" else r["came_bps"]
        bits = math.log(rate / (r["width"] * r["height"] * r["fps"]))
        if features == "short":
            x = [bits, r["effort"], *(r["encoder"] == e for e in encoders[1:])]
            if target == "core_seconds":
                x.append(math.log(r["pixel_rate"]))
        else:
            x = [r["streams"], math.log(rate), r["width"], r["height"], r["fps"], bits,
                 r["effort"], *(r["encoder"] == e for e in encoders)]
            if target == "core_seconds":
                x += [math.log(r["pixel_rate"]), r["outputs"], r["real_time"]]
        if with_source:
            x += [r["source"] == s for s in sources]
        out.append(x)
    return np.array(out, float)


def space_of(target, space):
    """(there, back): the scale that a target is learned on."""
    import numpy as np
    if space == "raw" or target == "psnr":
        return (lambda y: y), (lambda z: z)
    if target == "core_seconds":
        # Nobody waits for e^12 s: a line that runs away is let off lightly.
        return np.log, lambda z: np.exp(np.clip(z, -12, 12))

    def logit(y):
        p = np.clip(y / 100, 0.001, 0.999)
        return np.log(p / (1 - p))
    return logit, lambda z: 100 / (1 + np.exp(-np.clip(z, -50, 50)))


def learner(name):
    from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler
    if name == "linear":
        return make_pipeline(StandardScaler(), LinearRegression())
    if name == "degree 2":
        return make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False),
                             LinearRegression())
    if name == "random forest":
        return RandomForestRegressor(n_estimators=TREES, random_state=0)
    return GradientBoostingRegressor(random_state=0)


def theirs(job):
    """One of their models over all folds of one split: its MAE and R²."""
    import numpy as np
    rows, split, target, name, features, space = job
    x = matrix(rows, target, features, split == "encode")
    y = np.array([r["measured"] for r in rows])
    there, back = space_of(target, space)
    fold = np.array([r["source"] for r in rows]) if split == "source" else np.arange(len(y))
    values = np.zeros(len(y))
    for left in np.unique(fold):
        out = fold == left
        model = learner(name).fit(x[~out], there(y[~out]))
        values[out] = back(model.predict(x[out]))
    judged = [i for i, r in enumerate(rows) if not math.isnan(r["value"])]
    mae, r2 = score([y[i] for i in judged], [float(values[i]) for i in judged])
    return {"split": split, "target": target, "learner": name, "features": features,
            "space": space, "mae": mae, "r2": r2}


def jobs(rows):
    for split in SCOPES:
        for target in TARGETS:
            for name in LEARNERS:
                for features in FEATURES:
                    for space in SPACES[:1] if target == "psnr" else SPACES:
                        yield of(rows, split, target), split, target, name, features, space


# ---- verdicts -------------------------------------------------------------------------
def judged(mine, others, split, target):
    """What was promised of one target in one scope, each with whether it holds."""
    best_mae, best_r2 = min(o["mae"] for o in others), max(o["r2"] for o in others)
    checks = [("MAE at least as good as the best of theirs", mine["mae"] <= best_mae),
              ("R² at least as good as the best of theirs", mine["r2"] >= best_r2),
              ("coverage 90–99 %", COVERAGE[0] <= mine["coverage"] <= COVERAGE[1])]
    least = R2_LEAST.get((split, target))
    if least:
        checks.append((f"R² ≥ {least}", mine["r2"] >= least))
    return [{"what": what, "met": bool(met)} for what, met in checks]


def measure(args):
    try:
        import sklearn
    except ImportError:
        print("predict.py: python3-sklearn is not there", file=sys.stderr)
        sys.exit(77)
    rows = ours(args.binary, sorted(glob.glob(os.path.join(args.encodes, "*.json"))))
    with multiprocessing.Pool(2) as pool:
        others = pool.map(theirs, list(jobs(rows)), chunksize=1)
    found = []
    for split in SCOPES:
        for target in TARGETS:
            mine = ours_scored(of(rows, split, target))
            beside = [o for o in others if (o["split"], o["target"]) == (split, target)]
            found.append({"scope": SCOPES[split], "target": target, "ours": mine,
                          "theirs": beside, "checks": judged(mine, beside, split, target)})
    asked = {t: ours_scored(of(rows, "asked", t)) for t in TARGETS}
    return {"encodes": len(of(rows, "encode", "vmaf")), "sklearn": sklearn.__version__,
            "sources": sorted({r["source"] for r in rows}), "found": found, "asked": asked}


# ---- tables ---------------------------------------------------------------------------
def figures(mae, r2):
    if mae > 1000:
        return "runs away", ""
    return f"{mae:.3f}" if mae < 1 else f"{mae:.2f}", f"{r2:.3f}"


def best(others, name):
    """The best of a learner's variants by R², and which it is."""
    return max((o for o in others if o["learner"] == name), key=lambda o: o["r2"])


def main_table(found):
    rows = []
    for f in found["found"]:
        mae, r2 = figures(f["ours"]["mae"], f["ours"]["r2"])
        cells = [f"{best(f['theirs'], n)['mae']:.3g} / {best(f['theirs'], n)['r2']:.3f}"
                 for n in LEARNERS]
        rows.append((TARGETS[f["target"]], f["scope"], f"**{mae} / {r2}**", *cells,
                     f"{f['ours']['coverage'] * 100:.1f} %"))
    return report.table(("target", "scope", "ours", *LEARNERS, "coverage"), rows)


def coverage_table(found):
    rows = [(TARGETS[f["target"]], f["scope"],
             *(f"{f['ours']['coverage_by_source'].get(s, math.nan) * 100:.0f} %"
               for s in found["sources"]),
             f"{f['ours']['width']:.3g}", f"{f['ours']['predicted']} of {f['ours']['of']}")
            for f in found["found"]]
    return report.table(("target", "scope", *found["sources"], "width of the interval, median",
                         "predicted"), rows)


def verdict_table(found):
    rows = [(TARGETS[f["target"]], f["scope"], c["what"], "yes" if c["met"] else "**no**")
            for f in found["found"] for c in f["checks"]]
    return report.table(("target", "scope", "promised", ""), rows)


def asked_table(found):
    rows = [(TARGETS[t], *figures(a["mae"], a["r2"]), f"{a['coverage'] * 100:.1f} %",
             f"{a['predicted']} of {a['of']}") for t, a in found["asked"].items()
            if a["predicted"]]
    return report.table(("target", "MAE", "R²", "coverage", "predicted"), rows)


def theirs_table(found):
    rows = [(TARGETS[f["target"]], f["scope"], o["learner"], o["features"], o["space"],
             *figures(o["mae"], o["r2"])) for f in found["found"] for o in f["theirs"]]
    return report.table(("target", "scope", "model", "features", "target learned", "MAE",
                         "R²"), rows)


def markdown(found):
    return (f"{found['encodes']} encodes of {len(found['sources'])} sources; MAE / R² of encodes "
            f"that were left out; of scikit-learn {found['sklearn']} the best by R² of each "
            "model's variants.\n\n" + main_table(found)
            + "\nCoverage of the 95 % intervals by source:\n\n" + coverage_table(found)
            + "\n" + verdict_table(found)
            + "\nnew_source once more, asked as people ask, by the bit rate to ask for (encodes "
            "with one output, not at their natural speed):\n\n" + asked_table(found)
            + "\n<details><summary>All variants of scikit-learn's models</summary>\n\n"
            + theirs_table(found) + "\n</details>\n")


def main():
    parser = argparse.ArgumentParser(prog="./dev bench predict", description=__doc__)
    parser.add_argument("--binary", metavar="PREDICT_EVAL",
                        default=os.path.join(ROOT, "build", "release", "predict_eval"))
    parser.add_argument("--encodes", metavar="DIR", default=ENCODES)
    parser.add_argument("--out", metavar="DIR", default=os.path.join(ROOT, "build", "bench"),
                        help="where predict.json and predict.md go")
    parser.add_argument("--from", dest="old", metavar="FILE",
                        help="measure nothing, show this predict.json again")
    parser.add_argument("--write-docs", action="store_true",
                        help="write the tables of docs/predictions.md, too")
    args = parser.parse_args()
    if args.old:
        with open(args.old, encoding="utf-8") as f:
            found = json.load(f)
    else:
        found = measure(args)
    os.makedirs(args.out, exist_ok=True)
    report.write(os.path.join(args.out, "predict.json"),
                 json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    report.write(os.path.join(args.out, "predict.md"), markdown(found))
    if args.write_docs:
        report.write_between(PAGE, markdown(found), "./dev bench predict")
    print(markdown(found))
    missed = [f"{f['target']} {f['scope']}: {c['what']}" for f in found["found"]
              for c in f["checks"] if not c["met"]]
    print(f"{sum(len(f['checks']) for f in found['found']) - len(missed)} promises kept, "
          f"{len(missed)} not" + (": " + "; ".join(missed) if missed else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
