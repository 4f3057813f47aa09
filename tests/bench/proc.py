"""What /proc tells of a process."""

import glob
import os
import re

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def threads(pid):
    return sorted(int(os.path.basename(p)) for p in glob.glob(f"/proc/{pid}/task/[0-9]*"))


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def thread_ns(pid, thread):
    """CPU nanoseconds of one thread, user and system."""
    return int(read(f"/proc/{pid}/task/{thread}/schedstat").split()[0])


def wait_ns(pid, thread):
    """Nanoseconds that a thread was ready to run and had no core."""
    return int(read(f"/proc/{pid}/task/{thread}/schedstat").split()[1])


def cpu_ns(pid):
    """CPU nanoseconds of a process, user and system: the scheduler's own account.

    utime + stime of /proc/PID/stat are the same sum in steps of 10 ms; they take over
    where the kernel keeps no schedstat.
    """
    try:
        return sum(thread_ns(pid, t) for t in threads(pid))
    except FileNotFoundError:
        fields = read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * TICK_NS


def pin(pid, place):
    """To one of the cores that are ours: equal places meet, unequal ones do not.

    Only the thread pid and those it starts later.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(pid, {cores[place]})


def children(pid):
    return [int(c) for t in threads(pid)
            for c in read(f"/proc/{pid}/task/{t}/children").split()]


def memory_bytes(pid):
    """{"Rss", "Pss", "Anonymous", …: bytes}."""
    found = re.findall(r"^(\w+):\s+(\d+) kB$", read(f"/proc/{pid}/smaps_rollup"), re.M)
    return {name: int(kb) * 1024 for name, kb in found}


def switches(pid):
    """Times that any thread was taken off or gave up its core."""
    return sum(int(n) for t in threads(pid) for n in re.findall(
        r"^(?:non)?voluntary_ctxt_switches:\s+(\d+)$", read(f"/proc/{pid}/task/{t}/status"),
        re.M))
