"""What every case needs: sizes, input data, the binaries, what the binary can do."""

import os
import re
import shutil

import client
import generate
from exporter import Exporter


class Size:
    """How much is measured; the figures of the documentation are those of FULL."""

    def __init__(self, **values):
        self.__dict__.update(values)

    def but(self, **values):
        return Size(**{**self.__dict__, **values})


FULL = Size(
    name="full",
    rounds=5,              # of scrapes
    seconds=1,             # of each load
    scenarios=(1, 10, 1000, 10000),
    changes=200,           # events of each kind
    changed_in=(10, 1000, 10000),
    large=10000,           # scenarios of one large file
    many=(100, 1000),      # files and scenarios of each: 100 000 scenarios
    files=10000,           # of 10 scenarios
    updates=20,            # scrapes after a change
    starts=20,
    long_starts=3,
    scrapes=100,           # before memory is looked at
    idle_s=60,
    stalled=8,             # clients that read nothing
    crowd=1000,
    crowd_s=10,
    growing=1000,          # progress files
    growing_s=10,
)
QUICK = FULL.but(name="quick", rounds=2, changes=30, updates=6, starts=8, long_starts=1,
                 idle_s=10, crowd_s=5, growing_s=5)
SMOKE = FULL.but(name="smoke", rounds=1, seconds=0.3, scenarios=(1, 10), changes=3,
                 changed_in=(10, 50), large=50, many=(3, 20), files=30, updates=2, starts=2,
                 long_starts=1, scrapes=4, idle_s=1, stalled=2, crowd=20, crowd_s=1, growing=10, growing_s=1)


class Context:
    def __init__(self, size, binary, bare, work, only=None):
        self.size = size
        self.binary = binary
        self.bare = bare
        self.work = work
        self.only = re.compile(only) if only else None
        self.gzip = self.serves_gzip()

    def wants(self, id):
        return not self.only or bool(self.only.search(id))

    def exporter(self, directory, *flags, **options):
        return Exporter(self.binary, directory, *flags, **options)

    def scratch(self, name):
        """A new empty directory."""
        path = os.path.join(self.work, name)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path

    def data(self, runs, count):
        """A directory of generated files, made once; who changes it works on a copy()."""
        path = os.path.join(self.work, f"data-{runs}x{count}")
        if not os.path.isdir(path):
            generate.write(path, runs, count, seed=1)
        return path

    def copy(self, runs, count, name):
        path = os.path.join(self.work, name)
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(self.data(runs, count), path)
        return path

    def all_runs(self, runs, count):
        """Flags under which that many files are all served."""
        return "--runs=all", f"--max-scenarios={runs * count + count}"

    def serves_gzip(self):
        with self.exporter(self.data(1, 1)) as e:
            head, _ = e.ask("results", headers=client.GZIP)
        return b"\r\ncontent-encoding: gzip\r\n" in head.lower()
