"""The test's side of tests/faults/interpose.c: plans, sites, and what they are called.

    with Control() as control, harness.Exporter(env=control.environment()) as e:
        control.plan(function="accept", error=errno.EMFILE, count=3)

The file is mapped by both, so a plan counts from the moment it is made.
"""

import ctypes
import errno
import functools
import mmap
import os
import re
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PLANS, SKIPS, SITES, FRAMES = 8, 256, 8192, 6
ALL = (1 << 64) - 1
# As interpose.c has them.
OWN_OBJECTS = ("program", "web_toolbox.so", "transport_tls.so", "upstream.so")
NUMBER_SHIFT = 56

# Functions that only pass on what others ask for: the site is their caller's.
PASS_ON = re.compile(r"(checked|mem_\w+|arena_\w+|buf_\w+)(\.\w+)*\Z")
PASS_ON_FILES = ("core/mem.c", "core/arena.c", "core/buf.c")
MEMORY = ("malloc", "calloc", "realloc", "memalign")


class Plan(ctypes.Structure):
    _fields_ = [("on", ctypes.c_uint32), ("error", ctypes.c_int32),
                ("bytes", ctypes.c_int64), ("key", ctypes.c_uint64),
                ("begin", ctypes.c_uint64), ("count", ctypes.c_uint64),
                ("every", ctypes.c_uint64), ("met", ctypes.c_uint64),
                ("done", ctypes.c_uint64), ("function", ctypes.c_char * 24)]


class RawSite(ctypes.Structure):
    _fields_ = [("key", ctypes.c_uint64), ("hits", ctypes.c_uint64),
                ("complete", ctypes.c_uint32), ("by_library", ctypes.c_uint16),
                ("kind", ctypes.c_uint16),
                ("frames", ctypes.c_uint64 * FRAMES), ("caller", ctypes.c_uint64),
                ("object", ctypes.c_char * 32), ("function", ctypes.c_char * 24)]


class Layout(ctypes.Structure):
    _fields_ = [("record", ctypes.c_uint32), ("attached", ctypes.c_uint32),
                ("clock_ns", ctypes.c_int64), ("lost", ctypes.c_uint64),
                ("skip_count", ctypes.c_uint32), ("unused", ctypes.c_uint32),
                ("skips", (ctypes.c_uint64 * 2) * SKIPS), ("plans", Plan * PLANS),
                ("sites", RawSite * SITES)]


class Site:
    """A call site that was reached; the same key in every process of one binary."""

    def __init__(self, raw):
        self.key = raw.key
        self.hits = raw.hits
        self.by_library = bool(raw.by_library)
        self.function = raw.function.decode()
        self.kind = chr(raw.kind) if raw.kind else ""
        self.object = raw.object.decode()
        self.caller = raw.caller
        self.frames = [f for f in raw.frames if f]
        self.places = []    # "function file:line" of our own, innermost first

    @property
    def memory(self):
        return self.function in MEMORY

    @property
    def ours(self):
        return not self.by_library

    def __str__(self):
        where = " < ".join(self.places[:3]) or "no function of ours"
        if self.by_library:
            return f"{self.function} by {self.object}+{self.caller:#x} for {where}"
        return f"{self.function} at {where}"


def library():
    """Path of the preloaded library; None where it was not built."""
    path = os.environ.get("FAULTS_LIBRARY") or os.path.join(
        ROOT, "build", "dev", "tests", "libfaults.so")
    return path if os.path.exists(path) else None


def objects(binary):
    """[(number, path)] of the program and what it loads of its own, as far as built."""
    beside = [os.path.join(os.path.dirname(binary), name) for name in OWN_OBJECTS[1:]]
    return [(n, path) for n, path in enumerate([binary, *beside]) if os.path.exists(path)]


@functools.cache
def passing_on(binary):
    """Places of the functions that PASS_ON names: (from, to)."""
    ranges = []
    for number, path in objects(binary):
        out = subprocess.run(["nm", "-S", "--defined-only", path], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
        for line in out.splitlines():
            parts = line.split()
            if len(parts) == 4 and parts[2] in "tT" and PASS_ON.match(parts[3]):
                start = number << NUMBER_SHIFT | int(parts[0], 16)
                ranges.append((start, start + int(parts[1], 16)))
    if not ranges:
        raise AssertionError(f"{binary} has no symbols")
    return ranges


@functools.cache
def sanitizer(binary):
    """The run-time library of the sanitizer, which has to be loaded before ours."""
    out = subprocess.run(["ldd", binary], check=True, stdout=subprocess.PIPE,
                         text=True).stdout
    found = re.search(r"libasan\S* => (\S+)", out)
    return found[1] if found else None


def name_addresses(path, addresses):
    """{address: [function and place of what is inlined there, innermost first]}"""
    # A return address belongs to the line behind the call.
    text = "".join(f"{a - 1:#x}\n" for a in addresses)
    out = subprocess.run(["addr2line", "-a", "-f", "-i", "-e", path], input=text,
                         check=True, stdout=subprocess.PIPE, text=True).stdout
    names, lines, here = {}, iter(out.splitlines()), None
    for line in lines:
        if line.startswith("0x"):
            here = names.setdefault(int(line, 16) + 1, [])
            continue
        place = next(lines).split(" ")[0]
        place = re.sub(r"^.*/(?=(core|modules|server)/)", "", place)
        if place.rpartition(":")[0] not in PASS_ON_FILES and "/include/" not in place:
            here.append(f"{line} {place}")
    return names


def name_places(binary, sites):
    """Fills places of the sites: what addr2line says, without those that pass on."""
    names = {}
    for number, path in objects(binary):
        low = number << NUMBER_SHIFT
        addresses = sorted({f - low for s in sites for f in s.frames
                            if f >> NUMBER_SHIFT == number})
        if addresses:
            found = name_addresses(path, addresses)
            names.update({low | a: places for a, places in found.items()})
    for s in sites:
        s.places = [p for f in s.frames for p in names.get(f, ())]


class Control:
    """The file that the exporter under test maps."""

    def __init__(self, binary, record=False):
        self.binary = binary
        handle, self.path = tempfile.mkstemp(prefix="encode_exporter-faults-")
        os.ftruncate(handle, ctypes.sizeof(Layout))
        self.map = mmap.mmap(handle, ctypes.sizeof(Layout))
        os.close(handle)
        self.raw = Layout.from_buffer(self.map)
        ranges = passing_on(binary)
        for i, (start, end) in enumerate(ranges[:SKIPS]):
            self.raw.skips[i][0], self.raw.skips[i][1] = start, end
        self.raw.skip_count = min(len(ranges), SKIPS)
        self.raw.record = record

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.path:
            os.unlink(self.path)
            self.path = None

    def environment(self, extra=None):
        preload = [p for p in (sanitizer(self.binary), library()) if p]
        return {"LD_PRELOAD": ":".join(preload), "FAULTS_CONTROL": self.path,
                **(extra or {})}

    def plan(self, site=None, function=None, error=0, bytes=-1, skip=0, count=ALL, every=1,
             slot=0):
        """Calls of this site, or all of a function, fail: after `skip` of them `count`,
        or move `bytes` bytes at most. The plan, whose .met and .done count."""
        p = self.raw.plans[slot]
        p.on = 0
        p.error, p.bytes, p.begin, p.count, p.every = error, bytes, skip, count, every
        p.key = site.key if site else 0
        p.function = (function or "").encode()
        p.met = p.done = 0
        p.on = 1
        return p

    def relent(self):
        """No plan counts any more."""
        for p in self.raw.plans:
            p.on = 0

    def step_clock(self, seconds):
        """The real-time clock of the exporter is that far off the true one."""
        self.raw.clock_ns = int(seconds * 1_000_000_000)

    @property
    def attached(self):
        return self.raw.attached

    def sites(self):
        if self.raw.lost:
            raise AssertionError(f"{self.raw.lost} calls found no room in the table")
        found = [Site(s) for s in self.raw.sites if s.key and s.complete]
        name_places(self.binary, found)
        return sorted(found, key=lambda s: (s.function, s.places, s.object, s.caller, s.key))


def error_name(number):
    return errno.errorcode.get(number, str(number))
