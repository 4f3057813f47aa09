"""Hours in the life of an exporter, with all that may happen at once: ./dev soak MINUTES.

Files come, are rewritten and renamed, go, are bad for a while; a thousand connections
scrape, some are slow, some ask nonsense, some stop half-way; reads fail, writes are cut
short and the clock jumps. In the end the exporter has to serve just what a fresh one
reads from the same directory, and what oracle.py works out from it, in the memory and
with the descriptors that it had after the first tenth of the time. Ends with status 1
otherwise.
"""

import argparse
import errno
import glob
import os
import random
import re
import resource
import selectors
import socket
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "e2e"), os.path.join(HERE, "..", "bench"),
                os.path.join(HERE, "..", "faults")]

import expo        # noqa: E402  pylint: disable=wrong-import-position
import faults      # noqa: E402  pylint: disable=wrong-import-position
import generate    # noqa: E402  pylint: disable=wrong-import-position
import harness     # noqa: E402  pylint: disable=wrong-import-position
import oracle      # noqa: E402  pylint: disable=wrong-import-position

MIB = 1 << 20
RUNS = 60                 # files at a time, at most
SLOW = 16                 # MiB that slow readers may hold
CALM = 48 * MIB           # that memory may grow by: those, texts, what runs differ in
PER_SECOND = 1            # scrapes of each connection
NONSENSE = [
    b"nonsense\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\n\r\n",
    b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /-/reload HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: ",
    b"",
]


FILE_TIME = 1_750_000_000    # of all files in the end, as oracle.py has it
# What oracle.py does not work out from the files.
NOT_OF_FILES = re.compile(
    r"process_|encode_exporter_|results_run_stale|\w+_(info|accrued\w*|alive|created)\Z"
    r"|cost_(electricity|known)_|cost_exchange_rate|co2_(intensity|known)_")

# What predict.so says.
PREDICTED = re.compile(r"results_model_|results_scenario_predict|ml_|qoe_predicted_"
                       r"|cost_predicted_|prediction_confidence|recommended_bitrate_")

# What no client notices: (function, error, bytes, every so-manieth call).
WEATHER = [
    ("pread", errno.EIO, -1, 7), ("pread", errno.EINTR, -1, 3), ("pread", 0, 100, 2),
    ("openat2", errno.EMFILE, -1, 5), ("openat2", errno.EAGAIN, -1, 2),
    ("open", errno.ENFILE, -1, 9), ("fstat", errno.EIO, -1, 11),
    ("fstatat", errno.EIO, -1, 13), ("readdir", errno.EIO, -1, 50),
    ("accept", errno.ECONNABORTED, -1, 3), ("accept", errno.EINTR, -1, 2),
    ("read", errno.EINTR, -1, 5), ("read", 0, 50, 3), ("epoll_wait", errno.EINTR, -1, 4),
    ("epoll_wait", 0, 1, 2), ("write", errno.EINTR, -1, 5), ("write", 0, 100, 3),
    ("writev", errno.EAGAIN, -1, 5), ("writev", 0, 1000, 2), ("close", errno.EINTR, -1, 4),
]


class Weather(threading.Thread):
    """Calls that fail, of another kind every half second; and a clock that jumps."""

    def __init__(self, control, seed):
        super().__init__(daemon=True)
        self.control = control
        self.random = random.Random(seed)
        self.over = threading.Event()
        self.done = 0
        self.kinds = set()

    def run(self):
        plan = None
        while not self.over.wait(0.5):
            self.done += plan.done if plan else 0
            what = self.random.choice(WEATHER)
            function, error, size, every = what
            plan = self.control.plan(function=function, error=error, bytes=size, every=every)
            self.kinds.add(what)
            self.control.step_clock(self.random.choice((0, 0, 3600, -3600, 86400, -86400)))
        self.control.relent()
        self.control.step_clock(0)


class Churn(threading.Thread):
    """Changes the directory, some thirty times a second."""

    def __init__(self, directory, seed):
        super().__init__(daemon=True)
        self.directory = directory
        self.random = random.Random(seed)
        self.over = threading.Event()
        self.changes = 0
        self.problem = None

    def path(self, number):
        return os.path.join(self.directory, generate.name(number))

    def text(self):
        r = self.random
        count = r.choice((1, 10, 10, 10, 50, 400))
        return generate.file_text(
            [generate.scenario_text(s) for s in generate.scenarios(count, r.randrange(1 << 30))])

    def change(self):
        path = self.path(self.random.randrange(RUNS))
        what = self.random.randrange(10)
        if what < 4:
            harness.write_atomically(path, self.text())
        elif what < 7:
            with open(path, "w", encoding="utf-8") as f:
                f.write(self.text())
        elif what == 7:
            with open(path, "w", encoding="utf-8") as f:    # a writer that was killed
                f.write(self.text()[:self.random.randrange(400)])
        elif os.path.lexists(path):
            os.unlink(path)
        self.changes += 1

    def run(self):
        try:
            while not self.over.wait(0.03):
                self.change()
        except Exception as e:    # pylint: disable=broad-except
            self.problem = e

    def fill(self):
        for number in range(RUNS):
            harness.write_atomically(self.path(number), self.text())

    def calm(self):
        """Ends it, and leaves nothing half-written."""
        self.over.set()
        self.join()
        if self.problem:
            raise self.problem
        self.fill()


class Crowd(threading.Thread):
    """So many connections, each asking once a second; every answer has to be whole."""

    REQUEST = (b"GET /metrics?name[]=cost_scenarios_total HTTP/1.1\r\nHost: x\r\n"
               b"Accept-Encoding: identity\r\n\r\n")

    def __init__(self, exporter, count):
        super().__init__(daemon=True)
        self.address = exporter.address("cost")
        self.count = count
        self.over = threading.Event()
        self.answers = self.errors = 0
        self.slowest = 0.0
        self.problem = None

    def run(self):
        selector = selectors.EpollSelector()
        members = []
        try:
            for i in range(self.count):
                sock = socket.create_connection(self.address, 10)
                sock.setblocking(False)
                member = {"sock": sock, "due": time.monotonic() + i / self.count,
                          "asked": None, "got": b""}
                selector.register(sock, selectors.EVENT_READ, member)
                members.append(member)
            while not self.over.is_set():
                self.turn(selector, members)
        except Exception as e:    # pylint: disable=broad-except
            self.problem = e
        finally:
            for member in members:
                member["sock"].close()
            selector.close()

    def turn(self, selector, members):
        now = time.monotonic()
        for m in members:
            if m["asked"] is None and m["due"] <= now:
                m["asked"], m["due"] = now, m["due"] + 1 / PER_SECOND
                m["sock"].send(self.REQUEST)
        for key, _ in selector.select(0.01):
            self.hear(key.data)

    def hear(self, m):
        part = m["sock"].recv(1 << 16)
        if not part:
            self.errors += 1
            raise RuntimeError("a well-behaved connection was closed")
        m["got"] += part
        head, end, body = m["got"].partition(b"\r\n\r\n")
        if not end:
            return
        if not head.startswith(b"HTTP/1.1 200 "):
            self.errors += 1
            raise RuntimeError(f"a well-behaved client got {head[:80]!r}")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        if len(body) < length:
            return
        self.answers += 1
        self.slowest = max(self.slowest, time.monotonic() - m["asked"])
        m["asked"], m["got"] = None, b""


class Abuse(threading.Thread):
    """Clients that behave badly, a few at a time."""

    def __init__(self, exporter, seed):
        super().__init__(daemon=True)
        self.exporter = exporter
        self.random = random.Random(seed)
        self.over = threading.Event()
        self.tries = 0

    def run(self):
        stalled = []
        while not self.over.wait(0.05):
            self.tries += 1
            try:
                if self.tries % 5:
                    with self.exporter.connect("qoe") as sock:
                        sock.sendall(self.random.choice(NONSENSE))
                        sock.settimeout(0.02)
                        sock.recv(4096)
                else:    # asks for much, and takes nothing of it
                    sock = self.exporter.connect("results")
                    sock.sendall(b"GET /metrics/all HTTP/1.1\r\nHost: x\r\n\r\n" * 4)
                    stalled.append(sock)
                    if len(stalled) > 20:
                        stalled.pop(0).close()
                if self.tries % 40 == 0:
                    self.exporter.get("cost", "/-/reload", method="POST")
            except OSError:
                pass    # whatever it is told is fine
        for sock in stalled:
            sock.close()


def figures(text):
    """Sample lines without those that tell of the process or of time passed, nor what is
    predicted: that follows a change when its turn comes."""
    return sorted(line for line in text.splitlines()
                  if line and not line.startswith(("#", "process_", "encode_exporter_"))
                  and "_accrued_" not in line and not PREDICTED.match(line))


def descriptors(exporter):
    return len(os.listdir(f"/proc/{exporter.process.pid}/fd"))


class Soak:
    def __init__(self, minutes, connections, seed, release):
        self.seconds = minutes * 60
        self.connections = connections
        self.seed = seed
        self.release = release
        self.rows = []

    def check(self, what, measured, good):
        self.rows.append((what, measured, good))

    def scrape_all(self, e, seconds):
        """Ordinary scrapers, meanwhile; their answers have to be whole."""
        deadline = time.monotonic() + seconds
        count = 0
        while time.monotonic() < deadline:
            for endpoint in harness.ENDPOINTS:
                for headers in ({}, {"Accept-Encoding": "gzip"},
                                {"Accept": "application/openmetrics-text; version=1.0.0"}):
                    reply = e.get(endpoint, headers=headers)
                    if reply.status != 200:
                        raise RuntimeError(f"{endpoint}: {reply.status}")
                    count += 1
            time.sleep(0.5)
        return count

    def live(self, e, churn, crowd):
        scrapes = self.scrape_all(e, self.seconds * 0.1)
        rss, fds = e.rss_bytes(), descriptors(e)
        scrapes += self.scrape_all(e, self.seconds * 0.9)
        late_rss = e.rss_bytes()
        self.check("changes of files", churn.changes, churn.changes > self.seconds * 5)
        self.check("scrapes of three endpoints, all whole", scrapes, scrapes > 0)
        self.check(f"answers to {self.connections} connections, once a second",
                   crowd.answers, crowd.answers > self.connections * self.seconds * 0.5)
        self.check("errors of well-behaved clients", crowd.errors,
                   crowd.errors == 0 and crowd.problem is None)
        self.check("slowest of those answers", f"{crowd.slowest * 1e3:.0f} ms",
                   crowd.slowest < 5)
        self.check("memory, after a tenth of the time and at the end",
                   f"{rss / MIB:.1f} and {late_rss / MIB:.1f} MiB", late_rss < rss + CALM)
        return fds

    def same_figures(self, e):
        fresh = harness.run("--runs", "all", "--results-dir", e.directory, "--once", "all",
                            "--predict=off", release=self.release)
        want = figures(fresh.stdout)

        def same():
            return figures(e.get("results", "/metrics/all").text) == want
        try:
            harness.wait_until(same, 30)
            good = True
        except AssertionError:
            good = False
        self.check("figures at the end, beside those of a fresh process",
                   f"{len(want)} samples", good and len(want) > 100)

    def same_as_oracle(self, e):
        """The figures, worked out a second time in another way."""
        paths = sorted(glob.glob(os.path.join(e.directory, "test_results_*.json")))
        for path in paths:
            os.utime(path, (FILE_TIME, FILE_TIME))
        runs, options = [oracle.Run(path) for path in paths], oracle.Options(runs="all")
        want = {**oracle.results(runs, FILE_TIME), **oracle.qoe(runs, options),
                **oracle.cost(runs, options)}

        def wrong():
            got = expo.parse(e.get("results", "/metrics/all").body).series()
            self.wrong = oracle.differences(
                {k: v for k, v in got.items()
                 if not NOT_OF_FILES.match(k[0]) and not PREDICTED.match(k[0])},
                {k: v for k, v in want.items() if not NOT_OF_FILES.match(k[0])})
            return self.wrong
        try:
            harness.wait_until(lambda: not wrong(), 30)
        except AssertionError:
            print(*self.wrong[:10], sep="\n")
        self.check("figures at the end, beside those of oracle.py",
                   f"{len(want)} samples", not self.wrong and len(want) > 100)

    def run(self):
        with faults.Control(harness.binary(self.release)) as control:
            self.control = control
            self.lead_a_life()

    def lead_a_life(self):
        flags = ["--runs", "all", "--max-scenarios", "100000", "--predict=on",
                 "--web.max-connections", str(self.connections + 200),
                 "--web.slow-memory", f"{SLOW}MiB"]
        with harness.Exporter(*flags, release=self.release,
                              env=self.control.environment()) as e:
            churn = Churn(e.directory, self.seed)
            crowd = Crowd(e, self.connections)
            abuse = Abuse(e, self.seed)
            weather = Weather(self.control, self.seed)
            threads = (churn, crowd, abuse, weather)
            churn.fill()
            for t in threads:
                t.start()
            fds = self.live(e, churn, crowd)
            for t in (crowd, abuse, weather):
                t.over.set()
                t.join()
            churn.calm()
            self.same_figures(e)
            self.same_as_oracle(e)
            self.check("calls made to fail", f"{weather.done}, of {len(weather.kinds)} kinds",
                       weather.done > self.seconds)
            self.check("bad requests and stalled readers", abuse.tries, abuse.tries > 0)
            self.quiet_descriptors(e, fds)
            begin = time.monotonic()
            e.stop()    # raises if it is not an orderly one
            self.check("end by SIGTERM", f"{time.monotonic() - begin:.1f} s", True)

    def quiet_descriptors(self, e, busy):
        """Without clients there are but a few: no file, no connection is left open."""
        def few():
            return descriptors(e) < 40
        try:
            harness.wait_until(few, 30)
        except AssertionError:
            pass
        now = descriptors(e)
        self.check("descriptors under load and after it", f"{busy} and {now}", now < 40)

    def told(self):
        width = max(len(what) for what, _, _ in self.rows)
        for what, measured, good in self.rows:
            print(f"{'good' if good else 'BAD ':4}  {what:{width}}  {measured}")
        return all(good for _, _, good in self.rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("minutes", type=float)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--sanitized", action="store_true",
                        help="the build with sanitizers, where memory is not judged")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))    # for the connections
    soak = Soak(options.minutes, options.connections, options.seed, not options.sanitized)
    print(f"seed {options.seed}, {options.minutes:g} minutes, "
          f"{options.connections} connections", flush=True)
    soak.run()
    return 0 if soak.told() else 1


if __name__ == "__main__":
    sys.exit(main())
