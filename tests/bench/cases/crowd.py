"""Many keep-alive connections, each scraping once a second."""

import client
import load
from figures import Check, Row, percentile


def run(bench):
    if not bench.wants("crowd"):
        return
    count, seconds = bench.size.crowd, bench.size.crowd_s
    headers = client.GZIP if bench.gzip else ""
    with bench.exporter(bench.data(1, 10)) as e:
        times, errors = load.crowd(e.ports["results"], "/metrics", headers, count, seconds)
    ms = [t * 1e3 for t in times]
    yield Row("crowd", f"{count} keep-alive connections, each scraping every second",
              f"answers of {seconds} s, from the moment each request was due to its last "
              "byte, in one client thread whose own delays count", "ms", ms,
              [Check("p99", percentile(ms, 0.99), 50), Check("errors", errors, 0)],
              detail={"answers": len(ms)})
