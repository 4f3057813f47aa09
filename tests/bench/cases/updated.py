"""The first scrape after a change, beside one with nothing changed."""

import os

import client
import events
import generate
from figures import Check, Row

HOW = ("server CPU of one whole gzip scrape of the cost endpoint, the first after a change "
       "is served (told by a filtered scrape of another endpoint) and the process is at "
       "rest, in pairs with the second, when nothing has changed")
REST_S = 0.005    # the kernel accounts for a thread when it leaves its core


def scrape_us(exporter, connection):
    exporter.settle(REST_S)
    before = exporter.cpu_ns()
    size = connection.drain()
    exporter.settle(REST_S)
    return (exporter.cpu_ns() - before) / 1e3, size


def one(bench, id, runs, count, budget):
    total = runs * count
    what = f"scrape right after a change, {total} scenarios in {runs} file" + "s" * (runs > 1)
    if not bench.gzip:
        return Row(id, what, HOW, "µs", skipped="gzip is not served")
    directory = bench.copy(runs, count, "updated")
    name = generate.name(runs - 1)
    run = events.Changing(count, runs)    # the seed that the last file was made with
    flags = bench.all_runs(runs, count) if runs > 1 else ()
    after, unchanged = [], []
    with bench.exporter(directory, *flags) as e, \
            e.connect("results", events.MARK) as mark, \
            e.connect("cost", headers=client.GZIP) as whole:
        whole.drain()
        for i in range(bench.size.updates):
            text = run.text(i)
            begun = events.put(directory, name, text)
            events.until(mark, begun, events.marked(f"r{i}"))
            us, size = scrape_us(e, whole)
            after.append(us)
            unchanged.append(scrape_us(e, whole)[0])
    os.unlink(os.path.join(directory, name))
    return Row(id, what, HOW, "µs", after, [Check.ratio("unchanged", after, unchanged, budget)],
               detail={"bytes": size, "scenarios": total})


def run(bench):
    large, (runs, count) = bench.size.large, bench.size.many
    for files, each, budget in ((1, large, None), (runs, count, 2)):
        id = f"updated.{files * each}"
        if bench.wants(id):
            yield one(bench, id, files, each, budget)
