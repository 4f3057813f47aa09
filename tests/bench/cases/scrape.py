"""Scrapes with nothing changed, in turn with nginx and a bare server."""

import os
import time

import client
import load
import proc
from exporter import ENDPOINTS
from figures import Check, Row, Spread
from peers import Bare, Nginx

TEXT_CACHE = 16 << 20    # default of --web.text-cache: identity has a budget within it
HOW = ("server CPU of a load divided by its requests: wrk, one thread, ten keep-alive "
       "connections (two where an answer is over 1 MB), server and client each on a core "
       "of its own; rounds in turn with nginx and the bare server, both with the very "
       "bytes; ratios round by round")


def row_id(endpoint, coding, count):
    return f"scrape.{endpoint}.{coding}.{count}"


def shown(endpoint, coding, count):
    return f"scrape of {endpoint}, {coding}, {count} scenario" + "s" * (count != 1)


def nginx_budget(count):
    return 0.67 if count == 10 else 1.0


def measured(server, case, seconds):
    """One load: its numbers and the server's CPU per request in microseconds.

    Requests are counted in answers' bytes, so that those cut off by the end count too.
    """
    before = server.cpu_ns()
    with load.Wrk(case["port"], case["path"], case["headers"], seconds,
                  load.connections_for(case["bytes"])) as w:
        proc.pin(w.process.pid, 1)
        counted = w.counted()
    time.sleep(0.01)    # the kernel accounts for a thread when it leaves its core
    requests = max(1.0, counted["bytes"] / case["bytes"])
    if counted["errors"]:
        raise RuntimeError(f"{counted['errors']} errors in {case}")
    counted["cpu_us"] = (server.cpu_ns() - before) / 1e3 / requests
    counted["per_second"] = requests / counted["seconds"]
    return counted


def rounds(bench, servers):
    """{name: [numbers of each round]}; the order within a round stays the same."""
    found = {name: [] for name, _, _ in servers}
    for name, server, case in servers:    # caches fill outside the rounds
        with client.Client(case["port"], case["path"], case["headers"]) as c:
            for _ in range(3):
                c.ask()
        proc.pin(server.pid, 0)
    for _ in range(bench.size.rounds):
        for name, server, case in servers:
            found[name].append(measured(server, case, bench.size.seconds))
    return found


def to_row(endpoint, coding, count, found, answer_bytes, judged):
    cpu = {name: [r["cpu_us"] for r in numbers] for name, numbers in found.items()}
    ours = cpu["exporter"]
    budgets = (nginx_budget(count), 1.1) if judged else (None, None)
    detail = {name: {"cpu_us": Spread(cpu[name]).as_dict(),
                     "per_second": Spread(r["per_second"] for r in numbers).as_dict(),
                     "p50_us": Spread(r["p50_us"] for r in numbers).as_dict(),
                     "p99_us": Spread(r["p99_us"] for r in numbers).as_dict()}
              for name, numbers in found.items()}
    detail["bytes"] = answer_bytes
    detail.update(endpoint=endpoint, coding=coding, scenarios=count)
    return Row(row_id(endpoint, coding, count),
               shown(endpoint, coding, count), HOW, "µs", ours,
               [Check.ratio("nginx", ours, cpu["nginx"], budgets[0]),
                Check.ratio("bare", ours, cpu["bare"], budgets[1])],
               "" if judged else "identity beyond the text cache: no ratio asked",
               detail=detail)


def one(bench, ours, nginx, root, endpoint, coding, count, judged):
    headers = client.GZIP if coding == "gzip" else ""
    head, body = ours.ask(endpoint, headers=headers)
    # nginx gets the bodies, the bare server the head, too.
    name = f"{endpoint}-{count}"
    if coding == "gzip":
        # gzip_static opens the plain name's neighbour.
        with open(os.path.join(root, name + ".gz"), "wb") as f:
            f.write(body)
    else:
        with open(os.path.join(root, name), "wb") as f:
            f.write(body)
    answer = os.path.join(root, name + ".answer")
    with open(answer, "wb") as f:
        f.write(head + body)
    with nginx.connect("/" + name, headers) as c:
        nginx_head, nginx_body = c.ask()
        if nginx_body != body:
            raise RuntimeError(f"nginx does not serve our bytes:\n{nginx_head.decode()}")
    with Bare(bench.bare, answer) as bare:
        case = {"port": ours.ports[endpoint], "path": "/metrics", "headers": headers,
                "bytes": len(head) + len(body)}
        of_nginx = {**case, "port": nginx.port, "path": "/" + name,
                    "bytes": len(nginx_head) + len(body)}
        found = rounds(bench, [("exporter", ours, case), ("nginx", nginx, of_nginx),
                               ("bare", bare, {**case, "port": bare.port})])
    return to_row(endpoint, coding, count, found, len(body), judged)


def run(bench):
    for count in bench.size.scenarios:
        ids = [row_id(e, c, count) for c in ("gzip", "identity") for e in ENDPOINTS]
        if not any(bench.wants(i) for i in ids):
            continue
        scratch = bench.scratch("peers")
        root = bench.scratch("peers/root")
        with bench.exporter(bench.data(1, count)) as ours, Nginx(scratch, root) as nginx:
            text = sum(len(ours.ask(e)[1]) for e in ENDPOINTS)
            for coding in ("gzip", "identity"):
                for endpoint in ENDPOINTS:
                    id = row_id(endpoint, coding, count)
                    if not bench.wants(id):
                        continue
                    if coding == "gzip" and not bench.gzip:
                        yield Row(id, shown(endpoint, coding, count), HOW, "µs",
                                  skipped="gzip is not served")
                        continue
                    yield one(bench, ours, nginx, root, endpoint, coding, count,
                              coding == "gzip" or text <= TEXT_CACHE)
