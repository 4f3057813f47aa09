"""What every fault is tried on: a short life of the exporter, step by step.

A life is led once undisturbed, and the figures after each step are kept. With a fault
the same life has to show the same figures after the same steps, at the latest once the
fault has gone away; or the start fails, with a reason and exit status 1. Nothing waits
without a limit, so a hang is a failure like any other.
"""

import atexit
import collections
import errno
import functools
import gzip
import itertools
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import faults
import harness
import powertree
import web

GRACE_S = 0.5      # a fault that lasts goes away after that much standstill
FIRST_WRITE_S = 1_700_000_000
LIMIT_S = 25       # for everything that has to happen in the end
ENDPOINTS = harness.ENDPOINTS
ADDRESSES = itertools.count(1)

# What a kernel may answer. Reads and writes may also be short. "s" is a socket, "p" a
# pipe, "f" a file, "d" a directory, "a" what has no inode (events, epoll, inotify).
# Permission that is refused does not come back without an event: other tests have that.
ERRORS = {
    "accept": "ECONNABORTED EINTR EAGAIN EMFILE ENFILE ENOMEM EPROTO EPERM",
    "socket": "EMFILE ENFILE ENOMEM EACCES", "bind": "EADDRINUSE EACCES ENOMEM",
    "listen": "EADDRINUSE ENOBUFS", "connect": "ECONNREFUSED EAGAIN",
    "shutdown": "ENOTCONN ENOBUFS", "setsockopt": "ENOBUFS EINVAL",
    "getsockname": "ENOBUFS", "fcntl": "EBADF",
    "poll": "EINTR ENOMEM", "access": "EIO ENOMEM EACCES",
    "open": "EIO EMFILE ENFILE ENOMEM EINTR",
    "openat2": "EIO EMFILE ENFILE ENOMEM EINTR EAGAIN ENOSYS EPERM",
    "unlink": "EIO EACCES", "readlink": "EIO EACCES", "statfs": "EIO EINTR",
    "stat": "EIO ENOMEM EACCES", "lstat": "EIO ENOMEM EACCES", "fstat": "EIO ENOMEM",
    "fstatat": "EIO ENOMEM",
    "opendir": "EMFILE ENFILE ENOMEM", "fdopendir": "ENOMEM", "readdir": "EIO",
    "inotify_init1": "EMFILE ENFILE ENOMEM ENOSYS",
    "inotify_add_watch": "ENOSPC ENOMEM EACCES", "inotify_rm_watch": "EINVAL",
    "epoll_create1": "EMFILE ENFILE ENOMEM", "eventfd": "EMFILE ENFILE ENOMEM",
    "pipe2": "EMFILE ENFILE", "epoll_wait": "EINTR", "close": "EIO EINTR",
    "read.s": "ECONNRESET ETIMEDOUT EINTR EAGAIN", "read.f": "EIO EINTR",
    "read.p": "EINTR", "read.a": "EINTR EAGAIN",
    "recv.s": "ECONNRESET EINTR EAGAIN", "pread.f": "EIO EINTR ENOMEM ESTALE",
    "write.s": "EPIPE ECONNRESET EINTR EAGAIN ENOBUFS",
    "writev.s": "EPIPE ECONNRESET EINTR EAGAIN ENOBUFS",
    "write.p": "EINTR", "write.a": "EINTR",
    "send.s": "EPIPE ECONNRESET EINTR", "sendto.s": "ECONNREFUSED EAGAIN ENOBUFS",
    "pthread_create": "EAGAIN",
}
SHORT = {"read.s", "read.f", "pread.f", "recv.s", "write.s", "writev.s", "send.s"}
# Where an error ends libuv by abort(); docs/reliability.md tells of it.
LIBUV_ABORTS = {"epoll_ctl", "pipe2", "pthread_create"}


# ---- files ------------------------------------------------------------------------------
def content(seed, count=3, bulk=0):
    """A run whose figures are those of its seed; bulk: bytes that only take room."""
    return json.dumps({"ignored": "x" * bulk, "scenarios": [{
        "name": f"scenario {i}", "bitrate": f"{1000 + i}k", "resolution": "1280x720",
        "fps": 30, "duration": 100 + seed, "encoder": "libx264",
        "power_watts": [40 + i + seed % 7 + k for k in range(20)],
        "cpu_usage_cores": [1.5 + seed % 5] * 20, "vmaf_score": 90 + i % 5,
        "total_frames": 3000 + seed} for i in range(count)]})


def pricing(price):
    return json.dumps({"electricity_prices": {"default": price}})


def run_name(n):
    return f"test_results_202601{n:02d}_000000.json"


def duration(seed):
    return f"}} {100 + seed}\n"


class Step:
    """act(victim) changes something; seen(text) tells in an undisturbed life when the
    change is served. healthy: no fault is left by then."""

    def __init__(self, act, seen, healthy=False):
        self.act = act
        self.seen = seen
        self.healthy = healthy


def has(*seeds, without=()):
    return lambda text: all(duration(s) in text for s in seeds) and not any(
        duration(s) in text for s in without)


def has_run(n, *gone):
    return lambda text: run_name(n)[:-5] in text and not any(
        run_name(g)[:-5] in text for g in gone)


STEPS = (
    Step(lambda v: None, has(1, 2, 3)),
    Step(lambda v: v.write(run_name(1), content(11)), has(11, 2, 3, without=[1])),
    Step(lambda v: v.rename_over(run_name(2), content(12)), has(11, 12, 3, without=[2])),
    Step(lambda v: os.unlink(v.path(run_name(3))), has(11, 12, without=[3])),
    Step(lambda v: v.write(run_name(4), content(14, 40, 400_000)), has(11, 12, 14)),
    Step(lambda v: v.rename_over(run_name(5), "{"), lambda text: re.search(
        r"^results_exporter_up 0$", text, re.M)),
    Step(lambda v: v.rename_over(run_name(5), content(15)), has(11, 12, 14, 15)),
    Step(lambda v: os.rename(v.path(run_name(5)), v.path(run_name(6))), has_run(6, 5)),
    Step(lambda v: os.rename(v.path(run_name(4)), v.path("aside")),
         has(11, 12, 15, without=[14])),
    Step(lambda v: v.price(0.5), lambda text: re.search(
        r'^cost_electricity_price_per_kwh\{.*\} 0\.5$', text, re.M)),
    Step(lambda v: v.reload(0.25), lambda text: re.search(
        r'^cost_electricity_price_per_kwh\{.*\} 0\.25$', text, re.M)),
    Step(lambda v: v.rename_over(run_name(1), content(21)), has(21, 12, 15, without=[11]),
         healthy=True),
    Step(lambda v: v.write(run_name(1), content(11)), has(11, 12, 15, without=[21]),
         healthy=True),
)


def link(v, target, name):
    """Makes or replaces a symbolic link in one step."""
    os.symlink(target, v.path(".link"))
    os.rename(v.path(".link"), v.path(name))


def project(v, version, seed):
    """A version of a projected volume, and the swap to it."""
    folder = f"..{version}"
    os.mkdir(v.path(folder))
    v.write(os.path.join(folder, run_name(8)), content(seed))
    link(v, folder, "..data")
    if not os.path.lexists(v.path(run_name(8))):
        link(v, os.path.join("..data", run_name(8)), run_name(8))


def replace_directory(v):
    os.rename(v.directory, v.directory + ".old")
    os.mkdir(v.directory + ".new")
    for n, seed in ((1, 11), (2, 12)):
        v.write(os.path.join(v.directory + ".new", run_name(n)), content(seed))
    os.rename(v.directory + ".new", v.directory)


def add_links(v):
    v.write("target.json", content(17))
    link(v, "target.json", run_name(7))
    link(v, v.path("target.json"), run_name(6))


LINKED_STEPS = (
    Step(lambda v: None, has(1, 2, 3, 17)),
    Step(lambda v: v.write("target.json", content(18)), has(18, without=[17])),
    Step(lambda v: project(v, "one", 19), has(19)),
    Step(lambda v: project(v, "two", 20), has(20, without=[19])),
    Step(lambda v: link(v, "nothing", run_name(9)), lambda text: re.search(
        r"^results_exporter_up 0$", text, re.M)),
    Step(lambda v: os.unlink(v.path(run_name(9))), lambda text: re.search(
        r"^results_exporter_up 1$", text, re.M)),
    Step(replace_directory, has(11, 12, without=[1, 2, 3, 18, 20])),
    Step(lambda v: v.rename_over(run_name(1), content(21)), has(21, 12, without=[11]),
         healthy=True),
    Step(lambda v: v.write(run_name(1), content(11)), has(11, 12, without=[21]),
         healthy=True),
)


def asks_again(v):
    """A wrong password, and a client that hangs up in the middle of the handshake."""
    for attempt in (lambda: v.ask("qoe", headers="Authorization: Basic YTpi\r\n"),
                    lambda: v.connect("qoe", 0.5).close()):
        try:
            attempt()
        except (OSError, Broken):
            pass


LOCKED_STEPS = (
    Step(lambda v: None, has(1, 2, 3)),
    Step(lambda v: v.lock(password=1), has(1, 2, 3)),
    Step(lambda v: v.lock(certificate=1), has(1, 2, 3)),
    Step(asks_again, has(1, 2, 3)),
    Step(lambda v: v.reload(0.25), lambda text: re.search(
        r'^cost_electricity_price_per_kwh\{.*\} 0\.25$', text, re.M)),
    Step(lambda v: v.lock(password=0, certificate=0), has(1, 2, 3), healthy=True),
    Step(lambda v: v.write(run_name(1), content(11)), has(11, 2, 3), healthy=True),
)


def add_machine(v):
    """A machine whose counters of energy and of time do not move."""
    tree = powertree.Tree(os.path.join(v.scratch, "machine"))
    for n in (0, 1):
        tree.zone(f"intel-rapl:{n}", f"package-{n}", 10**9)
        tree.zone(f"intel-rapl:{n}:0", "core", 10**9)
    tree.put("sys/class/hwmon/hwmon0/name", "amdgpu")
    tree.put("sys/class/hwmon/hwmon0/power1_average", 20_000_000)
    os.symlink("../../../0000:03:00.0", tree.path("sys/class/hwmon/hwmon0/device"))
    tree.put("sys/devices/system/cpu/online", "0-7")
    tree.cores(1000)
    tree.process(1, "init", 1, 1)
    tree.process(77, "ffmpeg", 2, 2)


MACHINE = [f"--power.{name}=%(scratch)s/machine/{place}" for name, place in
           (("sysfs", "sys"), ("procfs", "proc"), ("cgroupfs", "cgroup"))]
MEASURED_STEPS = (
    Step(lambda v: None, has(1, 2, 3)),
    Step(lambda v: time.sleep(1.6), has(1, 2, 3)),    # as long as a reading takes to come
    Step(lambda v: v.write(run_name(1), content(11)), has(11, 2, 3, without=[1]),
         healthy=True),
)


def learned(count):
    """So many encodes are known of all runs, served or not; they predict as many."""
    return lambda text: re.search(
        rf'^results_model_samples{{[^}}]*target="vmaf"[^}}]*}} {count}$', text, re.M)


# One run is served, and learned from are all.
LEARNING_STEPS = (
    Step(lambda v: None, learned(9)),
    Step(lambda v: v.write(run_name(4), content(14, 40)), learned(49)),
    Step(lambda v: os.unlink(v.path(run_name(2))), learned(46)),
    Step(lambda v: v.write(run_name(5), content(15)), learned(49), healthy=True),
)


class Variant:
    """flags and steps of a life. once: a run that prints and ends. prepare(victim): what
    there is before it. without: functions that this kernel does not have. locked: behind
    TLS and passwords."""

    def __init__(self, name, flags, steps=(), once=False, prepare=None, without=(),
                 locked=False):
        self.name = name
        self.flags = flags
        self.steps = steps
        self.once = once
        self.prepare = prepare
        self.without = without
        self.locked = locked


RUNS = ("--runs", "all", "--poll-interval", "200ms")
VARIANTS = {v.name: v for v in (
    Variant("events", [*RUNS, "--web.text-cache", "64KiB"], STEPS),
    Variant("polling", [*RUNS, "--watch", "poll", "--poll-interval", "50ms", "--newest",
                        "mtime"], STEPS),
    Variant("links", [*RUNS], LINKED_STEPS, prepare=add_links),
    Variant("old kernel", [*RUNS], LINKED_STEPS, prepare=add_links, without=["openat2"]),
    Variant("locked", [*RUNS], LOCKED_STEPS, locked=True),
    Variant("measured", [*RUNS, *MACHINE, "--power.process=ffmpeg", "--power.rapl-names",
                         "--power.zones=package,gpu"], MEASURED_STEPS,
            prepare=add_machine),
    Variant("learning", ["--runs", "1", "--poll-interval", "200ms", "--predict=on"],
            LEARNING_STEPS),
    Variant("once", [*RUNS, "--once", "all"], once=True),
    Variant("health", ["--health-check"], once=True),
)}


# ---- what is served ---------------------------------------------------------------------
def figures(text):
    """What does not depend on the process: all but its own families, and when it took
    which version of its models for its own."""
    return "".join(line for line in text.splitlines(keepends=True) if not re.match(
        r"(# \w+ )?(encode_exporter_|process_|rapl_|ml_model_)|[^{ ]*_created[{ ]", line))


class Answer:
    def __init__(self, status, head, body):
        self.status = status
        self.head = head
        self.body = body

    @property
    def text(self):
        body = gzip.decompress(self.body) if "content-encoding: gzip" in self.head \
            else self.body
        return body.decode()


def parse_answer(data):
    """The first whole answer in data and the bytes behind it; None: it is not whole."""
    head, found, rest = data.partition(b"\r\n\r\n")
    if not found:
        return None
    head = head.decode("latin-1").lower()
    if not head.startswith("http/1.1 "):
        raise AssertionError(f"no answer: {data[:80]!r}")
    length = re.search(r"content-length: (\d+)", head)
    length = int(length[1]) if length else 0
    if len(rest) < length:
        return None
    return Answer(int(head[9:12]), head, rest[:length]), rest[length:]


class Broken(Exception):
    """A request that got no whole answer."""


@functools.cache
def certificates():
    """A directory with 0.crt, 0.key, 1.crt, 1.key that goes when we do."""
    directory = harness.temp_dir()
    atexit.register(shutil.rmtree, directory)
    for name in ("0", "1"):
        web.make_certificate(directory, name)
    return directory


def open_text(path):
    with open(path, encoding="ascii") as f:
        return f.read()


def client_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


CLIENT = client_context()


@functools.cache
def healthy_one():
    """Flags that name an undisturbed exporter, which lives as long as we do."""
    e = harness.Exporter(listen=["results"])
    e.__enter__()
    atexit.register(e.__exit__, None, None, None)
    return ("--results.listen-address", f":{e.ports['results']}")


# ---- the exporter under test ------------------------------------------------------------
class Victim:
    """One exporter with the faults of `control`, on addresses of its own."""

    def __init__(self, variant, control, binary):
        self.variant = variant
        self.control = control
        self.scratch = harness.temp_dir()
        self.directory = os.path.join(self.scratch, "results")
        self.way = os.path.join(self.scratch, "way")    # a link to it
        self.prices = os.path.join(self.scratch, "prices.json")
        self.socket = os.path.join(self.scratch, "cost.socket")
        n = next(ADDRESSES)
        self.host = f"127.{64 + os.getpid() % 128}.{n // 250 % 250}.{1 + n % 250}"
        self.binary = binary
        self.process = None
        self.signals = 0
        self.output = b""
        self.log_bytes = b""
        os.mkdir(self.directory)
        self.writes = 0
        for i in (1, 2, 3):
            self.write(run_name(i), content(i))
        os.symlink("results", self.way)
        self.price(0.125)
        self.web = os.path.join(self.scratch, "web.yml")
        self.login = ""
        if variant.prepare:
            variant.prepare(self)
        if variant.locked:
            self.lock(0, 0)
        # A socket file that a killed process left.
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(self.socket)
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(os.path.join(self.scratch, "notify"))

    def relent(self):
        """The fault goes away."""
        self.control.raw.plans[0].on = 0

    # ---- doors
    def lock(self, password=None, certificate=None):
        """Puts a password and a certificate in force, which the next requests ask for."""
        if certificate is not None:    # both in one file, so that they change as one
            pem, key = (open_text(os.path.join(certificates(), f"{certificate}.{kind}"))
                        for kind in ("crt", "key"))
            self.certificate = ssl.PEM_cert_to_DER_cert(pem)
            harness.write_atomically(os.path.join(self.scratch, "server.pem"), pem + key)
        if password is not None:
            word, value = (web.FAST["alice"], web.SECOND)[password]
            self.login = "Authorization: " + web.basic("alice", word)["Authorization"] + "\r\n"
            harness.write_atomically(
                self.web, "tls_server_config:\n  cert_file: server.pem\n"
                "  key_file: server.pem\n" + web.users(alice=value))

    # ---- files
    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        """In place. Times of files are served: they have to be those of every life."""
        with open(self.path(name), "w", encoding="ascii") as f:
            f.write(text)
            f.flush()
            self.writes += 1
            os.utime(f.fileno(), (FIRST_WRITE_S + self.writes,) * 2)

    def rename_over(self, name, text):
        self.write("." + name, text)
        os.rename(self.path("." + name), self.path(name))

    def price(self, price):
        harness.write_atomically(self.prices, pricing(price))

    def reload(self, price):
        """By signal and by request, too; the file alone would be enough."""
        self.price(price)
        self.process.send_signal(signal.SIGHUP)
        try:
            self.ask("qoe", "/-/reload", method="POST")
        except (OSError, Broken):
            pass

    # ---- life
    def start(self):
        for slot, function in enumerate(self.variant.without, 1):
            self.control.plan(function=function, error=errno.ENOSYS, slot=slot)
        flags = ["--results-dir", self.way, "--pricing-config", self.prices,
                 *(flag.replace("%(scratch)s", self.scratch)
                   for flag in self.variant.flags)]
        if self.variant.name == "health":
            flags += healthy_one()
        elif not self.variant.once:
            flags += ["--results.listen-address", f"{self.host}:9502",
                      "--qoe.listen-address", f"{self.host}:9503",
                      "--cost.listen-address", f"unix:{self.socket}"]
        if self.variant.locked:
            flags += ["--web.config.file", self.web]
        if not any(flag.startswith("--predict") for flag in flags):
            flags.append("--predict=off")
        env = harness.environment(self.control.environment(
            {"NOTIFY_SOCKET": os.path.join(self.scratch, "notify")}))
        self.process = subprocess.Popen(
            [self.binary, *flags], env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        self.readers = [threading.Thread(target=self.read_output, daemon=True),
                        threading.Thread(target=self.read_log, daemon=True)]
        for r in self.readers:
            r.start()

    def read_output(self):
        self.output = self.process.stdout.read()

    def read_log(self):
        for line in iter(self.process.stderr.readline, b""):
            self.log_bytes += line

    @property
    def log(self):
        return self.log_bytes.decode("utf-8", "replace")

    @property
    def ended(self):
        return self.process.poll() is not None

    def stop(self):
        """SIGTERM, once more should it be lost; the exit status, None: it hangs."""
        for patience in (1, LIMIT_S / 2, LIMIT_S / 2):
            if not self.ended:
                self.process.send_signal(signal.SIGTERM)
                self.signals += 1
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.relent()
                continue
            for r in self.readers:
                r.join(5)
            return self.process.returncode
        return None

    def close(self):
        if self.process:
            if not self.ended:
                self.process.kill()
                self.process.wait()
            for r in self.readers:
                r.join(5)
            self.process.stdout.close()
            self.process.stderr.close()
        self.manager.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def descriptors(self):
        """How many of each kind are open."""
        kinds = collections.Counter()
        base = f"/proc/{self.process.pid}/fd"
        for fd in os.listdir(base):
            try:
                target = os.readlink(os.path.join(base, fd))
            except OSError:
                continue
            if target == "/":    # libuv's reserve, which was used and filled again
                target = "/dev/null"
            target = target.replace(self.scratch, "")
            kinds[re.sub(r":?\[\d+\]|(?<=/proc/)\d+", "", target)] += 1
        return kinds

    # ---- requests
    def connect(self, endpoint, timeout):
        if endpoint == "cost":
            s = socket.socket(socket.AF_UNIX)
        else:
            s = socket.socket(socket.AF_INET)
        s.settimeout(timeout)
        try:
            s.connect(self.socket if endpoint == "cost"
                      else (self.host, 9502 + ENDPOINTS.index(endpoint)))
            return s if endpoint == "cost" or not self.variant.locked else self.shake(s)
        except OSError:
            s.close()
            raise

    def shake(self, s):
        """The same connection behind TLS, with the certificate that is due."""
        s = CLIENT.wrap_socket(s)
        if s.getpeercert(binary_form=True) != self.certificate:
            s.close()
            raise ConnectionError("another certificate")
        return s

    def ask(self, endpoint, path="/metrics", headers="", method="GET", timeout=0.5, times=1):
        """The last of `times` answers on one connection."""
        if "Authorization" not in headers:
            headers += self.login
        request = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode()
        with self.connect(endpoint, timeout) as s:
            data, answer = b"", None
            for _ in range(times):
                s.sendall(request)
                while not (whole := parse_answer(data)):
                    more = s.recv(1 << 20)
                    if not more:
                        raise Broken(f"{endpoint}{path}: cut off after {len(data)} bytes")
                    data += more
                answer, data = whole
            return answer

    def families(self):
        """Names of all that is served, the process's own included."""
        text = self.ask("results", "/metrics/all", timeout=LIMIT_S).text
        return set(re.findall(r"^# TYPE (\S+)", text, re.M))

    def figures(self, timeout=0.5):
        """What all endpoints serve together; None: no whole answer came."""
        try:
            answer = self.ask("results", "/metrics/all", timeout=timeout)
        except (OSError, Broken):
            return None
        return figures(answer.text) if answer.status == 200 else None


OPENMETRICS = "Accept: application/openmetrics-text;version=1.0.0\r\n"
GZIP = "Accept-Encoding: gzip\r\n"


def scrape_everything(v, patient):
    """All forms of answers; {what: text}. Impatient: what fails is left out."""
    out = {}
    asked = [(e, "/metrics", h, t) for e in ENDPOINTS
             for h, t in (("", 2), (GZIP, 1), (OPENMETRICS, 1), (OPENMETRICS + GZIP, 2))]
    asked += [("qoe", "/", "", 1), ("qoe", "/ready", "", 2), ("qoe", "/nothing", "", 1),
              ("cost", "/metrics/all", GZIP, 1), ("qoe", "/metrics?name[]=up", "", 1)]
    for endpoint, path, headers, times in asked:
        try:
            answer = v.ask(endpoint, path, headers, times=times,
                           timeout=LIMIT_S if patient else 0.3)
        except (OSError, Broken) as e:
            if patient:
                raise AssertionError(f"{endpoint}{path} {headers!r}: {e}") from None
            continue
        if answer.status == 200 and path.startswith("/metrics"):
            out[endpoint, path, headers] = figures(answer.text)
    return out


# ---- one life ---------------------------------------------------------------------------
class Reference:
    """An undisturbed life: figures after each step, sites that were reached."""

    def __init__(self, variant, binary):
        self.variant = variant
        self.texts = []
        with faults.Control(binary, record=True) as control:
            v = Victim(variant, control, binary)
            try:
                v.start()
                if variant.once:
                    status = v.process.wait(LIMIT_S)
                    v.close()
                    if status:
                        raise AssertionError(f"exit status {status}:\n{v.log}")
                    self.output = v.output
                else:
                    self.live(v)
                self.log = v.log
                if control.attached != 1:
                    raise AssertionError("the exporter did not load the library")
                self.sites = control.sites()
            finally:
                v.close()
        texts = [self.output.decode()] if variant.once else self.texts
        self.lines = {line for t in texts for line in t.splitlines()
                      if 'scenario="' in line}

    def live(self, v):
        for i, step in enumerate(self.variant.steps):
            step.act(v)

            def served(seen=step.seen):
                text = v.figures()
                return text if text is not None and seen(text) else None
            self.texts.append(harness.wait_until(served, what=f"step {i}"))
        self.scrapes = scrape_everything(v, True)
        self.families = v.families()
        self.open = harness.wait_until(lambda: at_rest(v), what="connections to close")
        status = v.stop()
        if status != 0 or re.search("level=error", v.log):
            raise AssertionError(f"exit status {status}:\n{v.log}")


def at_rest(v):
    """Descriptors once no client is connected any more; None: there still is one."""
    kinds = v.descriptors()
    return kinds if kinds["socket"] <= len(ENDPOINTS) else None


class Fault:
    def __init__(self, site, error=0, bytes=-1, skip=0, count=1):
        self.site, self.error, self.bytes = site, error, bytes
        self.skip, self.count = skip, count

    @property
    def kind(self):
        return faults.error_name(self.error) if self.error else f"{self.bytes} byte"

    def __str__(self):
        times = "always" if self.count == faults.ALL else f"{self.count}x"
        return f"{self.kind} {times} after {self.skip}: {self.site}"


class Failed(Exception):
    """What a life with a fault must not show."""


class Life:
    """One life with one fault. .verdict: what came of it, in a word."""

    def __init__(self, reference, binary, fault):
        self.reference, self.fault = reference, fault
        self.memory = fault.site.memory
        self.verdict = None
        with faults.Control(binary) as control:
            self.control = control
            self.v = Victim(reference.variant, control, binary)
            self.plan = control.plan(fault.site, error=fault.error, bytes=fault.bytes,
                                     skip=fault.skip, count=fault.count)
            try:
                self.v.start()
                if reference.variant.once:
                    self.once()
                else:
                    self.live()
                self.done = self.plan.done
            except Failed as e:
                raise Failed(f"{fault}\n{e}\n{self.v.log}") from None
            finally:
                self.v.close()
                self.plan = None
        if self.verdict is None:
            self.verdict = "lived" if self.done else "not met"

    # ---- the end
    def ended(self, started):
        """Looks at an exit that was not asked for."""
        status = self.v.process.wait()
        for r in self.v.readers:
            r.join(5)
        log = self.v.log
        if harness.SANITIZER.search(log):
            raise Failed("sanitizer report")
        if status != 1 and not (status == 2 and "settings are wrong" in log):
            raise Failed(f"ended with status {status}")
        if not self.plan.done:
            raise Failed("ended although nothing failed")
        if self.memory:
            if "out of memory" not in log and not re.search("level=error|encode_exp", log):
                raise Failed("no line says that memory ran out")
        elif started:
            raise Failed("ended after its start")
        elif not re.search("level=error|^encode_exporter: |cannot be read", log, re.M) and \
                self.fault.site.function != "write":
            raise Failed("no line says why")
        self.verdict = "refused to start" if not self.memory else "said so and ended"

    def once(self):
        for patience in (GRACE_S, LIMIT_S):
            try:
                status = self.v.process.wait(patience)
                break
            except subprocess.TimeoutExpired:
                self.v.relent()
        else:
            raise Failed("hangs")
        for r in self.v.readers:
            r.join(5)
        self.check_log()
        if self.v.output == self.reference.output:
            if status and not self.memory:
                self.ended(False)
            return
        # A run that could not be read is left out, and a line names it.
        if status == 0:
            if not re.search(r"level=warn .*file=test_results_\S+ .*served=nothing",
                             self.v.log):
                raise Failed("other figures than without the fault, and exit status 0")
            self.check_lines(self.v.output.decode())
            self.verdict = "left a run out"
            return
        self.ended(False)

    # ---- steps
    def live(self):
        for i, step in enumerate(self.reference.variant.steps):
            if step.healthy and self.plan.on:
                for text in scrape_everything(self.v, False).values():
                    self.check_lines(text)
                self.v.relent()
            step.act(self.v)
            if not self.settle(i):
                return
        self.compare_scrapes()
        self.compare_families()
        self.compare_descriptors()
        if not self.plan.done:    # its site is on the way out
            self.plan.on = 1
        status = self.v.stop()
        if status is None:
            raise Failed("does not stop")
        if status and self.memory:
            self.ended(True)
            return
        # libuv gives the second signal its own effect back a moment before the end.
        if status != 0 and not (status == -signal.SIGTERM and self.v.signals > 1):
            raise Failed(f"stopped with status {status}")
        self.check_log()

    def check_log(self):
        if harness.SANITIZER.search(self.v.log):
            raise Failed("sanitizer report")

    def check_lines(self, text):
        """While a fault lasts figures may be missing, but none may be wrong. What is
        predicted from the runs that could be read is no less right than the rest."""
        for line in text.splitlines():
            if line.startswith("results_scenario_predict"):
                continue
            if 'scenario="' in line and line not in self.reference.lines:
                raise Failed(f"wrong figure: {line}")

    def settle(self, i):
        """Waits for the figures of step i. False: the process has ended as it may."""
        want = self.reference.texts[i]
        began = time.monotonic()
        while True:
            if self.v.ended:
                self.ended(i > 0)
                return False
            text = self.v.figures()
            if text == want:
                return True
            if text is not None:
                self.check_lines(text)
            late = time.monotonic() - began
            if late > LIMIT_S:
                raise Failed(f"step {i}: hangs" if text is None else
                             f"step {i}: {difference(text, want)}")
            if late > GRACE_S:
                self.v.relent()
            time.sleep(0.005)

    def compare_scrapes(self):
        got = scrape_everything(self.v, True)
        for key, want in self.reference.scrapes.items():
            if got.get(key) != want:
                raise Failed(f"{key}: {difference(got.get(key, ''), want)}")

    def compare_families(self):
        deadline = time.monotonic() + 10    # of the process: by the second; zones: after 2 s
        while gone := self.reference.families - self.v.families():
            if time.monotonic() > deadline:
                raise Failed(f"families gone for good: {sorted(gone)}")
            if time.monotonic() > deadline - 10 + GRACE_S:
                self.v.relent()
            time.sleep(0.05)

    def compare_descriptors(self):
        def extra():
            return self.v.descriptors() - self.reference.open
        deadline = time.monotonic() + 5
        while more := extra():
            if time.monotonic() > deadline:
                raise Failed(f"descriptors left open: {dict(more)}")
            time.sleep(0.02)


def difference(got, want):
    got, want = got.splitlines(), want.splitlines()
    new = [line for line in got if line not in want][:5]
    gone = [line for line in want if line not in got][:5]
    return "served wrongly:\n  " + "\n  ".join(new) + "\nmissing:\n  " + "\n  ".join(gone)


# ---- which faults there are -------------------------------------------------------------
def errors_of(site):
    kind = f"{site.function}.{site.kind}" if site.kind else site.function
    names = ERRORS.get(kind) or ERRORS.get(site.function) or ""
    if site.ours and kind == "write.p":    # the log, wherever that goes to
        names += " EAGAIN EIO ENOSPC EPIPE"
    return [getattr(errno, name) for name in names.split()]


def io_faults(reference):
    """Every error at every site, met once and for a while; short reads and writes."""
    for site in reference.sites:
        if site.memory or (site.by_library and site.function in LIBUV_ABORTS):
            continue
        for n, error in enumerate(errors_of(site)):
            yield Fault(site, error, count=faults.ALL)
            # Sites that are met a few times: each of them; others at the start, half-way.
            few = site.hits <= 8 and n == 0
            for skip in range(site.hits) if few else sorted({0, site.hits // 2}):
                yield Fault(site, error, skip=skip)
        if f"{site.function}.{site.kind}" in SHORT:
            yield Fault(site, bytes=1)
            yield Fault(site, bytes=7, count=faults.ALL)


def memory_faults(reference, ours):
    for site in reference.sites:
        if site.memory and site.ours == ours:
            yield Fault(site, errno.ENOMEM)
            if site.hits > 1:
                yield Fault(site, errno.ENOMEM, skip=site.hits // 2)
