"""What tests need of npm: package.json here names it, package-lock.json which bytes."""

import fcntl
import os
import shutil
import subprocess
import unittest

import harness

HERE = os.path.dirname(os.path.abspath(__file__))
PLACE = os.path.join(harness.ROOT, "build", "deploy", "npm")
FILES = ("package.json", "package-lock.json")


def contents(directory):
    """What FILES say there, or None."""
    try:
        texts = []
        for name in FILES:
            with open(os.path.join(directory, name), "rb") as f:
                texts.append(f.read())
        return texts
    except OSError:
        return None


def install():
    for name in FILES:
        shutil.copy(os.path.join(HERE, name), PLACE)
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
                          cwd=PLACE, check=False, timeout=300, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise AssertionError("npm ci: " + done.stdout.decode("utf-8", "replace"))


def modules():
    """Path of node_modules below build/, installed once; one process at a time."""
    for tool in ("npm", "node"):
        if not shutil.which(tool):
            raise unittest.SkipTest(f"no {tool}")
    os.makedirs(PLACE, exist_ok=True)
    done = os.path.join(PLACE, "done")
    with open(os.path.join(PLACE, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(done) or contents(PLACE) != contents(HERE):
            if os.path.exists(done):
                os.remove(done)
            install()
            with open(done, "w", encoding="ascii"):
                pass
    return os.path.join(PLACE, "node_modules")
