"""Container images for tests, really built, and an engine of the test's own to run them.

base_image() and build() give archives below build/deploy. The first test of a run makes
them, the others take what is there, one process at a time. An Engine loads archives into
a directory of its own and runs them by podman and runc: neither the images nor the
containers of the machine are seen or touched.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import harness

CACHE = os.path.join(harness.ROOT, "build", "deploy")
MIRROR = "http://deb.debian.org/debian"
SUITE = "bookworm"
TOOLS = ("buildah", "podman", "runc", "conmon", "debootstrap", "tar")
BASE = "localhost/encode-exporter-base:12-slim"
IMAGE = "localhost/encode-exporter:test"
ENCODER = "localhost/encode-ffmpeg:test"
# Of the Dockerfile.
TARGETS = {"exporter": IMAGE, "encoder": ENCODER}

SOURCES = f"""\
deb {MIRROR} {SUITE} main
deb {MIRROR} {SUITE}-updates main
deb {MIRROR}-security {SUITE}-security main
"""
# What slim images leave out, of packages that are installed later as well.
SLIM = """\
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/groff/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/lintian/*
"""
# Limits are named because those that podman asks for may exceed what is granted here;
# locks are files because others' podman uses the ones in shared memory.
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=1024:1024"]
log_driver = "k8s-file"
[network]
network_config_dir = "{scratch}/net"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "runc"
static_dir = "{scratch}/static"
tmp_dir = "{scratch}/tmp"
volume_path = "{scratch}/volumes"
infra_image = "{base}"
infra_command = "/bin/sleep infinity"
"""
STORAGE_CONF = """\
[storage]
driver = "{driver}"
graphroot = "{scratch}/root"
runroot = "{scratch}/run"
"""


def reason():
    """Why no image can be made or run here; None if one can."""
    if os.geteuid() != 0:
        return "images are built as root here"
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        return "no " + ", ".join(missing)
    tried = subprocess.run(["unshare", "--mount", "--pid", "--net", "--fork", "true"],
                           capture_output=True, text=True, timeout=60)
    if tried.returncode:
        return "namespaces cannot be made here: " + tried.stderr.strip()
    return None


def require():
    """Skips the test where images cannot be built and run."""
    why = reason()
    if why:
        raise unittest.SkipTest(why)


def run(command, timeout=900, **more):
    """Its output; an end other than 0 is an error that shows what was said."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=timeout, **more)
    if done.returncode:
        said = (done.stdout + done.stderr)[-6000:]
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{said}")
    return done.stdout


class Engine:
    """buildah and podman with storage, settings and locks of their own."""

    def __init__(self):
        self.scratch = tempfile.mkdtemp(prefix="encode_images_")
        texts = {"containers.conf": CONTAINERS_CONF, "storage.conf": STORAGE_CONF}
        for name, text in texts.items():
            with open(os.path.join(self.scratch, name), "w", encoding="utf-8") as f:
                f.write(text.format(scratch=self.scratch, driver=storage_driver(),
                                    base=BASE))
        self.environment = dict(
            os.environ, CONTAINERS_CONF=os.path.join(self.scratch, "containers.conf"),
            CONTAINERS_STORAGE_CONF=os.path.join(self.scratch, "storage.conf"),
            BUILDAH_ISOLATION="chroot", TMPDIR=self.scratch)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def buildah(self, *arguments, **more):
        return run(["buildah", *arguments], env=self.environment, **more)

    def podman(self, *arguments, **more):
        return run(["podman", *arguments], env=self.environment, **more)

    def popen(self, *arguments, **more):
        """podman, still running."""
        return subprocess.Popen(["podman", *arguments], env=self.environment,
                                stdin=subprocess.DEVNULL, text=True, **more)

    def load(self, archive):
        self.podman("load", "--quiet", "--input", archive)

    def save(self, name, archive):
        """The image as an archive, which is there wholly or not at all."""
        self.buildah("push", "--quiet", name, f"docker-archive:{archive}.new:{name}")
        os.rename(archive + ".new", archive)

    def close(self):
        """Ends all containers and gives back mounts; nothing is left but what hangs."""
        for command in (["pod", "rm", "--all", "--force", "--time", "2"],
                        ["rm", "--all", "--force", "--time", "2"],
                        ["umount", "--all", "--force"]):
            with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
                self.podman(*command, timeout=60)
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            self.buildah("rm", "--all", timeout=60)
        # What podman starts behind a container's end would make its files anew.
        with contextlib.suppress(AssertionError):
            harness.wait_until(lambda: not names_it(self.scratch), timeout=20)
        unmount_below(self.scratch)
        shutil.rmtree(self.scratch, ignore_errors=True)


def storage_driver():
    """overlay, unless this directory lies on one: overlays do not carry each other."""
    kind = run(["stat", "--file-system", "--format", "%T", tempfile.gettempdir()]).strip()
    return "vfs" if kind in ("overlayfs", "fuseblk") else "overlay"


def names_it(directory):
    """Whether a process has this directory among its arguments."""
    for process in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            with open(f"/proc/{process}/cmdline", "rb") as f:
                if directory.encode() in f.read():
                    return True
    return False


def unmount_below(directory):
    """A tree is removed only when nothing else shows through it."""
    with open("/proc/self/mounts", encoding="utf-8") as f:
        mounts = [line.split()[1] for line in f]
    for mount in sorted((m for m in mounts if m.startswith(directory + "/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False, timeout=60)


@contextlib.contextmanager
def locked():
    """One process at a time makes images."""
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "images.lock"), "w", encoding="ascii") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def archive_of(name, *contents):
    """Where the image made of these texts and files is kept; older ones of its name go."""
    total = hashlib.sha256()
    for content in contents:
        total.update(content if isinstance(content, bytes) else content.encode())
        total.update(b"\0")
    path = os.path.join(CACHE, f"{name}-{total.hexdigest()[:16]}.tar")
    for other in os.listdir(CACHE):
        if re.fullmatch(name + r"-[0-9a-f]{16}\.tar(\.new)?", other):
            if os.path.join(CACHE, other) != path:
                os.unlink(os.path.join(CACHE, other))
    return path


# ---- the base -----------------------------------------------------------------------
def base_image():
    """An archive of Debian 12 as slim images are: what the Dockerfile begins with."""
    require()
    with locked():
        return base_archive()


def base_archive():
    archive = archive_of("base", SOURCES, SLIM)
    if os.path.exists(archive):
        return archive
    with Engine() as engine:
        tree = os.path.join(engine.scratch, "base")
        run(["debootstrap", "--variant=minbase", SUITE, tree, MIRROR])
        slim(tree)
        packed = os.path.join(engine.scratch, "base.tar")
        run(["tar", "--create", "--file", packed, "--numeric-owner", "--one-file-system",
             "--sort=name", "--exclude=./proc/*", "--exclude=./sys/*", "--exclude=./dev/*",
             "--directory", tree, "."])
        engine.podman("import", "--quiet", "--change", 'CMD ["/bin/bash"]', packed, BASE)
        engine.save(BASE, archive)
    return archive


def slim(tree):
    """Takes out of a tree what Debian's slim images do without."""
    def place(*parts):
        return os.path.join(tree, *parts)

    for path, text in ((("etc", "apt", "sources.list"), SOURCES),
                       (("etc", "dpkg", "dpkg.cfg.d", "docker"), SLIM),
                       (("usr", "sbin", "policy-rc.d"), "#!/bin/sh\nexit 101\n")):
        with open(place(*path), "w", encoding="ascii") as f:
            f.write(text)
    os.chmod(place("usr", "sbin", "policy-rc.d"), 0o755)
    for name in ("man", "info", "groff", "locale", "lintian"):
        shutil.rmtree(place("usr", "share", name), ignore_errors=True)
    for directory, _, names in os.walk(place("usr", "share", "doc")):
        for name in names:
            if name != "copyright":
                os.unlink(os.path.join(directory, name))
    for path in (("var", "lib", "apt", "lists"), ("var", "cache", "apt"), ("var", "log")):
        for entry in os.scandir(place(*path)):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)


# ---- ours ---------------------------------------------------------------------------
def context():
    """Contents of the files that the image is made of, in a fixed order."""
    with open(os.path.join(harness.ROOT, ".dockerignore"), encoding="utf-8") as f:
        lines = f.read().split("\n")
    wanted = [line[1:] for line in lines if line.startswith("!")]
    unwanted = {os.path.join(harness.ROOT, line) for line in lines if "/" in line}
    paths = []
    for name in wanted:
        top = os.path.join(harness.ROOT, name)
        if os.path.isfile(top):
            paths.append(top)
        for directory, below, names in os.walk(top):
            below[:] = [b for b in below if os.path.join(directory, b) not in unwanted
                        and b != "__pycache__"]
            paths += [os.path.join(directory, n) for n in names]
    paths += [os.path.join(harness.ROOT, "deploy", "docker", n)
              for n in ("Dockerfile", "build.sh")]
    for path in sorted(paths):
        yield os.path.relpath(path, harness.ROOT)
        with open(path, "rb") as f:
            yield f.read()


def revision():
    """Of the tree: the image tells it, and its files have its time."""
    done = subprocess.run(["git", "-C", harness.ROOT, "rev-parse", "HEAD"], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout


def build():
    """Archives of the images that deploy/docker/build.sh makes of this tree: the exporter
    and the encoder."""
    require()
    with locked():
        base = base_archive()
        contents = [os.path.basename(base), revision(), *context()]
        archives = {target: archive_of(target, *contents) for target in TARGETS}
        if not all(map(os.path.exists, archives.values())):
            with Engine() as engine:
                engine.load(base)
                for target, archive in archives.items():
                    make(engine, target)
                    engine.save(TARGETS[target], archive)
        return list(archives.values())


def make(engine, target, *options):
    """Builds one in an engine that has the base. What was compiled for one serves the
    other: stages are kept."""
    return run([os.path.join(harness.ROOT, "deploy", "docker", "build.sh"), "buildah",
                "--build-arg", f"BASE={BASE}", "--pull-never", "--layers", *options],
               env=dict(engine.environment, IMAGE=TARGETS[target], TARGET=target))
