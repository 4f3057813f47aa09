"""A bare Debian 12 in a directory, for tests that install packages.

debootstrap makes it once, into build/deploy/debian_root.tar; each test gets a copy of its
own. Nothing of the machine is mounted in it but /proc, in a namespace that ends with the
command: whatever becomes of a test, only a directory is left to remove.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import unittest

import harness

CACHE = os.path.join(harness.ROOT, "build", "deploy")
MIRROR = "http://deb.debian.org/debian"
TOOLS = ("debootstrap", "chroot", "unshare", "tar")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
               "HOME": "/nonexistent", "DEBIAN_FRONTEND": "noninteractive"}


def require():
    """Skips the test where a root cannot be made."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("only root can make a root file system")
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        raise unittest.SkipTest("no " + ", ".join(missing))
    tried = subprocess.run(["unshare", "--mount", "--propagation", "private", "true"],
                           stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    if tried.returncode:
        raise unittest.SkipTest("no namespace for mounts: " + tried.stderr.strip())


def run(command, timeout=600, **more):
    """What it writes; an end other than 0 is an error that shows it."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace",
                          timeout=timeout, check=False, **more)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n"
                             + done.stdout[-6000:])
    return done.stdout


@contextlib.contextmanager
def locked():
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "debian_root.lock"), "w", encoding="utf-8") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def archive():
    """Path of the bare root, packed; the first caller makes it."""
    path = os.path.join(CACHE, "debian_root.tar")
    with locked():
        if not os.path.exists(path):
            scratch = harness.temp_dir()
            try:
                root = os.path.join(scratch, "root")
                run(["debootstrap", "--variant=minbase", "bookworm", root, MIRROR])
                run(["tar", "--numeric-owner", "-C", root, "-cf", path + ".new", "."])
                os.rename(path + ".new", path)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    return path


class Root:
    """with Root() as root: root.run("dpkg", "-i", "/tmp/x.deb") …"""

    def __init__(self):
        self.scratch = harness.temp_dir()
        self.path = os.path.join(self.scratch, "root")

    def __enter__(self):
        try:
            os.mkdir(self.path)
            run(["tar", "--numeric-owner", "-C", self.path, "-xpf", archive()])
            shutil.copy("/etc/resolv.conf", self.at("/etc/resolv.conf"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.scratch)

    def at(self, path):
        """Where a path of this root lies outside of it."""
        return self.path + path

    def command(self, *words, user=None):
        """words, as the machine has to be told to run them in here."""
        to_be = [f"--userspec={user}"] if user else []
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                'mount -t proc proc "$0" && exec "$@"', self.at("/proc"),
                "chroot", *to_be, self.path, *words]

    def run(self, *words, user=None, timeout=600):
        return run(self.command(*words, user=user), timeout, env=ENVIRONMENT)

    def shell(self, script, **more):
        return self.run("bash", "-ec", script, **more)

    def read(self, path):
        with open(self.at(path), encoding="utf-8") as f:
            return f.read()

    def write(self, path, text, mode=0o644):
        with open(self.at(path), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.at(path), mode)
