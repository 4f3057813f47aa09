"""From exec to the first ready answer."""

from figures import Row, Check

HOW = "from before fork and exec to the first 200 of /ready, asked for without a pause"


def starts(bench, directory, count, *flags):
    seconds = []
    for _ in range(count):
        with bench.exporter(directory, *flags, tied=False) as e:
            seconds.append(e.ready_s)
    return seconds


def run(bench):
    files = bench.size.files
    if bench.wants("start.small"):
        ms = [s * 1e3 for s in starts(bench, bench.data(1, 10), bench.size.starts)]
        row = Row("start.small", "exec → ready, 10 scenarios", HOW, "ms", ms)
        row.checks.append(Check("", row.spread.median, 15))
        yield row
    for runs, budget in (("latest", 1), ("all", 10)):
        id = f"start.{runs}"
        if not bench.wants(id):
            continue
        flags = bench.all_runs(files, 10) if runs == "all" else ("--runs=latest",)
        row = Row(id, f"exec → ready, {files} files of 10, --runs {runs}", HOW, "s",
                  starts(bench, bench.data(files, 10), bench.size.long_starts, *flags))
        row.checks.append(Check("", row.spread.median, budget))
        yield row
