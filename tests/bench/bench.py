#!/usr/bin/env python3
"""Measures the release binary against every budget; docs/performance.md tells how.

Everything is seen from outside, by clients on loopback. Loads are bounded, and whatever
is started here is ended here.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile

import cases
import context
import peers
import plot
import report

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
RELEASE = os.path.join(ROOT, "build", "release")
PAGE = os.path.join(ROOT, "docs", "performance.md")
PICTURE = os.path.join(ROOT, "docs", "performance.svg")
MISSING = 77    # exit status when a program that is measured with is not there


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="fewer rounds: a first look")
    sizes.add_argument("--smoke", action="store_true",
                       help="tiny sizes, one round: does the benchmark itself work?")
    sizes.add_argument("--from", dest="old", metavar="FILE",
                       help="measure nothing, show this result.json again")
    parser.add_argument("--rounds", type=int, help="of each scrape")
    parser.add_argument("--changes", type=int, help="events of each kind")
    parser.add_argument("--only", metavar="REGEX", help="rows whose id matches, such as "
                        "scrape.results.gzip, event, updated, loop, refit, start, rss, idle, "
                        "crowd, live")
    parser.add_argument("--binary", default=os.path.join(RELEASE, "encode_exporter"))
    parser.add_argument("--out", default=os.path.join(ROOT, "build", "bench"),
                        metavar="DIR", help="where result.json and result.md go")
    parser.add_argument("--write-docs", action="store_true",
                        help="write the tables of docs/performance.md and its picture, too")
    args = parser.parse_args()
    for count in (args.rounds, args.changes):
        if count is not None and count < 1:
            parser.error("--rounds and --changes are at least 1")
    if args.write_docs and (args.smoke or args.only):
        parser.error("--write-docs needs figures of all rows: no --smoke, no --only")
    return args


def size_of(args):
    size = context.SMOKE if args.smoke else context.QUICK if args.quick else context.FULL
    given = {"rounds": args.rounds, "changes": args.changes}
    return size.but(**{k: v for k, v in given.items() if v is not None})


def measure(args):
    nginx = peers.nginx_program()
    for what, found in (("the release binary", shutil.which(args.binary)), ("nginx", nginx),
                        ("wrk", shutil.which("wrk")), ("strip", shutil.which("strip"))):
        if not found:
            print(f"bench.py: {what} is not there", file=sys.stderr)
            sys.exit(MISSING)
    size = size_of(args)
    # Not below /tmp: the exporter watches the directories above its own, too, and what
    # others do there would wake it.
    build = os.path.join(ROOT, "build")
    os.makedirs(build, exist_ok=True)
    work = tempfile.mkdtemp(prefix="bench-work-", dir=build)
    try:
        bare = peers.bare_program(os.path.join(RELEASE, "bare_server"), work)
        bench = context.Context(size, args.binary, bare, work, args.only)
        rows = []
        for case in cases.ALL:
            for row in case.run(bench):
                report.say_row(row)
                rows.append(row)
        return report.result(size, report.machine(args.binary, nginx), rows)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def main():
    args = arguments()
    # An orderly end, so that everything started ends, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if args.old:
        with open(args.old, encoding="utf-8") as f:
            found = json.load(f)
    else:
        found = measure(args)
    report.write_files(found, args.out)
    picture = plot.svg(found["rows"])
    if picture:
        report.write(os.path.join(args.out, "performance.svg"), picture)
    if args.write_docs:
        report.write_docs(found, PAGE)
        report.write(PICTURE, picture)
    print("\n" + report.markdown(found))
    missed = [r["what"] for r in found["rows"] if r["met"] is False]
    print(f"{found['met']} budgets met, {found['missed']} missed"
          + (": " + "; ".join(missed) if missed else ""))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
