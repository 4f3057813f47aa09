"""A tree of sysfs, procfs and cgroupfs for an exporter to read, which a test drives."""

import os
import threading
import time

RANGE = 262143328850


class Tree:
    def __init__(self, root):
        self.root = root
        for name in ("sys/class/powercap", "sys/class/hwmon", "proc", "cgroup"):
            os.makedirs(os.path.join(root, name))

    def path(self, name):
        return os.path.join(self.root, name)

    def put(self, name, content):
        """In place and whole, as a file of the kernel's changes."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        text = f"{content}\n".encode()
        fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(fd, text, 0)
            os.ftruncate(fd, len(text))
        finally:
            os.close(fd)

    def zone(self, entry, name, energy_uj=0, range_uj=RANGE):
        self.put(f"sys/class/powercap/{entry}/name", name)
        self.put(f"sys/class/powercap/{entry}/max_energy_range_uj", range_uj)
        self.energy(entry, energy_uj)

    def energy(self, entry, energy_uj):
        # A counter of one width: a reader between write and cut sees no other number.
        self.put(f"sys/class/powercap/{entry}/energy_uj", f"{energy_uj:020d}")

    def cores(self, user):
        self.put("proc/stat", f"cpu  {user:012d} 0 0 0 0 0 0 0 0 0\ncpu0 0\ncpu1 0")

    def process(self, pid, name, start, user):
        self.put(f"proc/{pid}/stat",
                 f"{pid} ({name}) S 1 1 1 0 -1 0 0 0 0 0 {user:012d} 0 0 0 20 0 1 0 "
                 f"{start:012d} 0 0 0")

    def cgroup(self, path, usage_usec):
        self.put(f"cgroup/{path}/cpu.stat", f"usage_usec {usage_usec:020d}\nuser_usec 0")

    def flags(self, *more):
        return (f"--power.sysfs={self.path('sys')}", f"--power.procfs={self.path('proc')}",
                f"--power.cgroupfs={self.path('cgroup')}", *more)


class Load:
    """Moves counters on at constant rates until it is left."""

    def __init__(self, step):
        """step(seconds): called often with the time since the beginning."""
        self.step = step
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        began = time.monotonic()
        while not self.over.wait(0.01):
            self.step(time.monotonic() - began)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
