"""Many lives, each with a fault of its own, side by side."""

import collections
import concurrent.futures
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
    "mmap", "munmap",    # memory of server/slab.c; it ends as core/mem.c's does
    "execvp",    # of the command that is recorded: its status tells, as a shell's would
    "closedir",    # nobody could do anything about it
    "fwrite", "fflush", "fprintf", "snprintf", "vsnprintf",    # --once to a full device
    "inet_ntop", "inet_pton", "strtoul", "strerror", "strerrordesc_np", "strtol",
}
NO_CALL = re.compile(r"str|mem|bcmp|bzero|explicit_bzero|stdout|stderr|__?environ|is\w+\Z"
                     r"|to(upper|lower)|__cxa|__libc_start|__errno_location|__ctype")


def symbols(path, which):
    out = subprocess.run(["nm", "-D", which, path], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines()}


def unknown_calls(binary):
    """Functions of the C library that we call, and that the preloaded library neither
    makes fail nor a list leaves out."""
    loaded = subprocess.run(["ldd", binary], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    c_library = symbols(re.search(r"libc\.so\S* => (\S+)", loaded)[1], "--defined-only")
    known = symbols(faults.library(), "--defined-only") | NOT_TRIED
    called = {name for _, path in faults.objects(binary)
              for name in symbols(path, "--undefined-only") & c_library}
    plain = {re.sub(r"\A__(\w+)_chk\Z", r"\1", name) for name in called}
    return sorted(name for name in plain - known if not NO_CALL.match(name))


def call_sites(binary):
    """{place: function} of all calls that the library could make fail, but for memory
    (which core/mem.c asks for in one place) and close()."""
    known = symbols(faults.library(), "--defined-only")
    known -= {*faults.MEMORY, "clock_gettime", "gettimeofday", "time", "close"}
    found = {}
    for number, path in faults.objects(binary):
        lines = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], check=True,
                               text=True, stdout=subprocess.PIPE).stdout.splitlines()
        for line, after in zip(lines, lines[1:]):
            call = re.search(r"\bcall\s.*<(\w+)@", line)
            behind = re.match(r"\s*([0-9a-f]+):", after)
            if call and behind and call[1] in known:
                found[number << faults.NUMBER_SHIFT | int(behind[1], 16)] = call[1]
    return found


def never_reached(binary, references):
    """(all call sites, "function in place" of those that no life got to)"""
    reached = {f for r in references for s in r.sites for f in s.frames}
    sites = call_sites(binary)
    places = []
    for number, path in faults.objects(binary):
        low = number << faults.NUMBER_SHIFT
        missing = [a - low for a in sites
                   if a not in reached and a >> faults.NUMBER_SHIFT == number]
        for address, names in faults.name_addresses(path, sorted(missing)).items():
            places.append(f"{sites[low | address]} in {names[0] if names else '?'}")
    return len(sites), sorted(places)


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
