"""The shared objects beside the program: what they call of it, it shows, and nothing besides."""

import functools
import glob
import os
import re
import subprocess
import unittest

import harness

EXPORTS = os.path.join(harness.ROOT, "server", "exports.txt")


def names(path, which):
    """Names in the dynamic table of symbols, without their versions and weak ones."""
    out = subprocess.run(["nm", "-D", which, path], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    rows = [line.split()[-2:] for line in out.splitlines()]
    return {name.split("@")[0] for kind, name in rows if kind not in "wv"}


@functools.cache
def given_by_others(path):
    """Names that the libraries give which a file is linked with."""
    out = subprocess.run(["ldd", path], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    found = set()
    for library in re.findall(r"=> (/\S+)|^\s*(/\S+)", out, re.M):
        found |= names(library[0] or library[1], "--defined-only")
    return found


class Libraries(unittest.TestCase):
    def setUp(self):
        self.program = harness.binary()
        self.libraries = glob.glob(os.path.join(os.path.dirname(self.program), "*.so"))
        with open(EXPORTS, encoding="utf-8") as f:
            self.exports = set(re.findall(r"^ *(\w+);", f.read(), re.M))
        self.called = {os.path.basename(path): names(path, "--undefined-only") -
                       given_by_others(path) for path in self.libraries}

    def test_all_that_they_call_is_shown(self):
        self.assertIn("upstream.so", self.called)
        for library, called in self.called.items():
            self.assertEqual(called - self.exports, set(),
                             f"{library}: add it to server/exports.txt")

    def test_the_program_shows_what_is_listed(self):
        self.assertEqual(self.exports - names(self.program, "--defined-only"), set())

    def test_nothing_is_shown_that_nobody_calls(self):
        self.assertEqual(self.exports - set().union(*self.called.values()), set(),
                         "out of server/exports.txt with it")

    def test_each_library_shows_one_symbol(self):
        for path in self.libraries:
            with self.subTest(path):
                shown = {n for n in names(path, "--defined-only")
                         if not n.startswith("__")}
                self.assertEqual(len(shown), 1, shown)


if __name__ == "__main__":
    unittest.main()
