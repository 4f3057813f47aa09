"""From a file's event to the answer that has it."""

import os

import events
import generate
from figures import Check, Row, percentile

HOW = ("from just before rename() or close() to the end of the first answer with the new "
       "value, seen by a client that asks for that one family over and over on one "
       "connection; what the client adds is at most the poll under way and the next")


def adds(times):
    return f"one poll takes {percentile(times, 0.5) * 1e3:.2f} ms"


def row(id, what, times, polls, p50=None, p99=None):
    ms = [t * 1e3 for t in times]
    checks = [Check("p50", percentile(ms, 0.5), p50), Check("p99", percentile(ms, 0.99), p99)]
    return Row(id, what, HOW, "ms", ms, checks, adds(polls),
               detail={"poll_p50_ms": percentile(polls, 0.5) * 1e3})


def appended(bench, id, what, change):
    directory = bench.scratch("appended")
    name = generate.name(0)
    run = [generate.scenario_text(s) for s in generate.scenarios(11, 1)]
    shorter, longer = (generate.file_text(run[:n]) for n in (10, 11))
    events.put(directory, name, shorter)
    times = []
    with bench.exporter(directory) as e, e.connect("cost", events.TOTAL) as c:
        polls = events.poll_times(c)
        for _ in range(bench.size.changes):
            begun = change(directory, name, longer)
            times.append(events.until(c, begun, lambda b: b.endswith(b"_total 11\n")))
            begun = change(directory, name, shorter)
            events.until(c, begun, lambda b: b.endswith(b"_total 10\n"))
    return row(id, what, times, polls, p99=1)


def changed(bench, id, count):
    directory = bench.scratch("changed")
    name = generate.name(0)
    run = events.Changing(count)
    events.put(directory, name, run.text(0))
    times = []
    with bench.exporter(directory) as e, e.connect("results", events.MARK) as c:
        polls = events.poll_times(c)
        for i in range(1, bench.size.changes + 1):
            begun = events.put(directory, name, run.text(i))
            times.append(events.until(c, begun, events.marked(f"r{i}")))
    budgets = (25, 50) if count == bench.size.large else (None, None)
    found = row(id, f"event → served: one scenario changed in a file of {count}", times,
                polls, *budgets)
    found.detail["scenarios"] = count
    return found


def appearing(directory, client, number):
    """Seconds until a new newest file is served; gone again afterwards."""
    name = generate.name(300_000)    # later than all that are there
    begun = events.put(directory, name, events.marked_run(10, f"r{number}", number))
    seconds = events.until(client, begun, events.marked(f"r{number}"))
    os.unlink(os.path.join(directory, name))
    events.until(client, begun, lambda body: b"round=" not in body)
    return seconds


def among_many(bench, id):
    files = bench.size.files
    full = bench.copy(files, 10, "among")
    empty = bench.scratch("alone")
    pairs = ([], [])
    with bench.exporter(full) as a, bench.exporter(empty) as b, \
            a.connect("results", events.MARK) as of_full, \
            b.connect("results", events.MARK) as of_empty:
        polls = events.poll_times(of_full)
        for i in range(bench.size.changes):
            pairs[0].append(appearing(full, of_full, i))
            pairs[1].append(appearing(empty, of_empty, i))
    found = row(id, f"event → served: a new file of 10 among {files} files", pairs[0], polls)
    found.checks.append(Check.ratio("empty directory", *pairs, 1.3))
    return found


def run(bench):
    for way, change in (("rename", events.put), ("rewrite", events.rewrite)):
        id = f"event.append.{way}"
        if bench.wants(id):
            shown = "rename" if way == "rename" else "rewriting in place"
            yield appended(bench, id, "event → served: one scenario added to a file of 10, "
                           f"by {shown}", change)
    for count in bench.size.changed_in:
        id = f"event.change.{count}"
        if bench.wants(id):
            yield changed(bench, id, count)
    if bench.wants("event.file"):
        yield among_many(bench, "event.file")
