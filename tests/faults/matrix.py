"""Many lives, each with a fault of its own, side by side."""

import collections
import concurrent.futures
import os
import random
import re
import subprocess
import threading
import time
import traceback

import faults
import scenario

# Calls that the program makes and that are not made to fail, each with its reason.
NOT_TRIED = {
    "abort", "exit", "_exit", "__assert_fail", "__stack_chk_fail",    # no way back
    "getrlimit", "setrlimit", "getrusage", "getpid", "sysconf", "getenv", "setenv",
    "unsetenv", "signal", "mallopt", "free", "qsort", "getsockopt",    # of the process
    "clock_gettime", "gettimeofday", "gmtime_r",    # time is stepped instead
    "closedir",    # nobody could do anything about it
    "fwrite", "fflush", "fprintf", "snprintf", "vsnprintf",    # --once to a full device
    "inet_ntop", "inet_pton", "strtoul", "strerror", "strerrordesc_np", "strtol",
}
NO_CALL = re.compile(
    r"_ITM_|__gmon|__cxa|__libc_start|_Z|__asan|__ubsan|__sanitizer|__tsan|__errno_location"
    r"|uv_|str|mem|bcmp|crc32|deflate|inflate|floor|sqrt|pow|log|exp|ceil|round|trunc|in6addr"
    r"|fmax|fmin"
    r"|stdout|stderr|environ|__environ|f?mod|ld?exp|is|to|dl")


def undefined(path):
    """Functions of other objects that this one calls."""
    out = subprocess.run(["nm", "-D", "--undefined-only", path], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines()}


def unknown_calls(binary):
    """Calls of the program that neither the library makes fail nor a list leaves out."""
    out = subprocess.run(["nm", "-D", "--defined-only", faults.library()], check=True,
                         text=True, stdout=subprocess.PIPE).stdout
    known = {line.split()[-1].split("@")[0] for line in out.splitlines()} | NOT_TRIED
    plain = {re.sub(r"\A__(\w+)_chk\Z", r"\1", name) for name in undefined(binary)}
    return sorted(name for name in plain - known if not NO_CALL.match(name))


def call_sites(binary):
    """{return address: function} of all calls that the library could make fail, but for
    memory (which core/mem.c asks for in one place) and close()."""
    out = subprocess.run(["nm", "-D", "--defined-only", faults.library()], check=True,
                         text=True, stdout=subprocess.PIPE).stdout
    known = {line.split()[-1].split("@")[0] for line in out.splitlines()}
    known -= {*faults.MEMORY, "clock_gettime", "gettimeofday", "time", "close"}
    lines = subprocess.run(["objdump", "-d", "--no-show-raw-insn", binary], check=True,
                           text=True, stdout=subprocess.PIPE).stdout.splitlines()
    found = {}
    for line, after in zip(lines, lines[1:]):
        call = re.search(r"\bcall\s.*<(\w+)@", line)
        behind = re.match(r"\s*([0-9a-f]+):", after)
        if call and behind and call[1] in known:
            found[int(behind[1], 16)] = call[1]
    return found


def never_reached(binary, references):
    """Call sites that no life got to, as "function place" """
    reached = {f for r in references for s in r.sites for f in s.frames}
    missing = {a: name for a, name in call_sites(binary).items() if a not in reached}
    places = []
    for address, name in sorted(missing.items()):
        out = subprocess.run(["addr2line", "-f", "-e", binary, f"{address - 1:#x}"],
                             check=True, text=True, stdout=subprocess.PIPE).stdout.split()
        places.append(f"{name} in {out[0]} {os.path.basename(out[1])}")
    return places


def sites_first(all_faults, seed):
    """In an order that has one fault of every site before the second of any."""
    rng = random.Random(seed)
    by_site = collections.defaultdict(list)
    for fault in all_faults:
        by_site[fault.site.key].append(fault)
    for found in by_site.values():
        rng.shuffle(found)
    rounds = []
    while by_site:
        this = [found.pop() for found in by_site.values()]
        rng.shuffle(this)
        rounds += this
        by_site = {key: found for key, found in by_site.items() if found}
    return rounds


class Summary:
    def __init__(self):
        self.verdicts = collections.Counter()
        self.failures = []
        self.left = 0    # not tried for lack of time
        self.sites = set()

    def __str__(self):
        told = ", ".join(f"{n} {verdict}" for verdict, n in self.verdicts.most_common())
        left = f", {self.left} left for ./dev soak" if self.left else ""
        return f"{len(self.sites)} call sites: {told}{left}"


def lead(reference, binary, all_faults, workers, seconds=float("inf")):
    """Leads a life with each of the faults, as far as the time allows."""
    summary = Summary()
    deadline = time.monotonic() + seconds
    lock = threading.Lock()

    def one(fault):
        if time.monotonic() > deadline:
            with lock:
                summary.left += 1
            return
        try:
            verdict, failure = scenario.Life(reference, binary, fault).verdict, None
        except scenario.Failed as e:
            verdict, failure = "FAILED", str(e)
        except Exception:    # of the test itself: it must not pass for a good life
            verdict, failure = "FAILED", f"{fault}\n{traceback.format_exc()}"
        with lock:
            summary.sites.add(fault.site.key)
            summary.verdicts[verdict] += 1
            if failure:
                summary.failures.append(f"[{reference.variant.name}] {failure}")
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, all_faults))
    return summary
