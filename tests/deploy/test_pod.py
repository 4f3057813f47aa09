#!/usr/bin/env python3
# ctest: timeout 720
"""The Job of deploy/kubernetes as a pod of podman: a real encode beside the real image.

podman 4.3 knows neither Jobs nor native sidecars nor probes, so the pod has two plain
containers, and this test does what the kubelet does: it makes the shared directories
writable, starts the encoder when /ready answers 200, and ends the exporter after the
encoder. All else is as the manifests say.

All of it runs in network and mount namespaces of its own: the pod has an address on a
bridge that the machine does not see, and /var/lib is a directory of the test.
"""

import contextlib
import copy
import fcntl
import http.client
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

import expo
import harness
import image
import manifests

OVERLAY = "overlays/sidecar-job"
# Is set in these namespaces, to the images' archives.
NAMESPACES = "ENCODE_TEST_NAMESPACES"
# Keeps the pod's namespaces, as the pause container does.
INFRA = "localhost/encode-exporter-pause:test"
INFRA_RECIPE = """\
FROM {base}
CMD ["/bin/sh", "-c", "trap exit TERM; sleep infinity & wait"]
"""
EXPORTER = "encode-encode-exporter"
ENCODER = "encode-encoder"
FIELDS = {"metadata.namespace": "videos", "spec.nodeName": "node-1",
          "metadata.name": "encode"}


def into_namespaces():
    """Begins anew in namespaces of its own. What comes from elsewhere is fetched before,
    since there is no way out of them."""
    if image.reason() or os.environ.get(NAMESPACES):
        return
    try:
        archives = [image.base_image(), image.build(), image.ffmpeg_image()]
        manifests.rendered(OVERLAY)
    except unittest.SkipTest:
        return    # the test itself says why
    os.environ[NAMESPACES] = ":".join(archives)
    os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, "-B", *sys.argv])


def loopback_up():
    siocsifflags, iff_up = 0x8914, 1
    with socket.socket() as s:
        fcntl.ioctl(s, siocsifflags, struct.pack("16sh14x", b"lo", iff_up))


def plain(objects, duration):
    """The Job's pod with plain containers, as podman takes it, and its ConfigMaps.
    duration: seconds of pictures to encode, in place of the example's."""
    pod = copy.deepcopy(manifests.template(objects["Job/encode"]))
    spec = pod["spec"]
    sidecar, = spec.pop("initContainers")
    encoder, = spec["containers"]
    for key in ("restartPolicy", "startupProbe", "livenessProbe"):
        del sidecar[key]
    sidecar["image"], encoder["image"] = image.IMAGE, image.FFMPEG
    encoder["args"] = [re.sub(r"duration=\d+", f"duration={duration}", a)
                       for a in encoder["args"]]
    spec["containers"] = [sidecar, encoder]
    for container in spec["containers"]:
        container["imagePullPolicy"] = "Never"
        for variable in container["env"]:
            if "valueFrom" in variable:
                field = variable.pop("valueFrom")["fieldRef"]["fieldPath"]
                variable["value"] = FIELDS[field]
    pod["metadata"]["name"] = "encode"
    maps = [o for o in objects.values() if o["kind"] == "ConfigMap"]
    return maps + [dict(pod, apiVersion="v1", kind="Pod")]


class Pod:
    """with Pod(engine, objects) as pod: it is made, and nothing of it started."""

    def __init__(self, engine, objects):
        self.engine = engine
        self.file = os.path.join(engine.scratch, "pod.yaml")
        with open(self.file, "w", encoding="utf-8") as f:
            manifests.yaml.safe_dump_all(objects, f)
        spec = objects[-1]["spec"]
        self.grace = spec["terminationGracePeriodSeconds"]
        self.emptied = [v["name"] for v in spec["volumes"] if "emptyDir" in v]
        self.address = None

    def __enter__(self):
        self.engine.podman("kube", "play", "--network=podman", "--start=false", self.file)
        # The kubelet makes emptyDirs writable. podman gives a volume to the user of the
        # container that mounts it first, and what the image has at that place.
        mounts = [f"--volume={name}:/emptied/{name}" for name in self.emptied]
        self.engine.podman("run", "--rm", "--network=none", "--user=65532:65532", *mounts,
                           image.BASE, "/bin/true")
        return self

    def __exit__(self, kind, *_):
        if kind:
            for container in (EXPORTER, ENCODER):
                sys.stderr.write(f"---- {container}\n{self.log(container)}")
        self.engine.podman("kube", "down", self.file)

    def inspect(self, container, form):
        return self.engine.podman("inspect", "--format", form, container).strip()

    def start(self, container):
        self.engine.podman("start", container)
        if not self.address:
            infra = self.engine.podman("pod", "inspect", "--format",
                                       "{{.InfraContainerID}}", "encode").strip()
            self.address = self.inspect(infra, "{{.NetworkSettings.IPAddress}}")

    def get(self, path, port=9502):
        with urllib.request.urlopen(f"http://{self.address}:{port}{path}",
                                    timeout=10) as reply:
            return reply.read()

    def ready(self):
        """Status of /ready, None where nobody listens."""
        try:
            self.get("/ready")
            return 200
        except urllib.error.HTTPError as e:
            return e.code
        except OSError:
            return None

    def scrape(self):
        return expo.parse(self.get("/metrics/all"))

    def stop(self, container):
        """As the kubelet stops one: SIGTERM, and SIGKILL when the grace is over."""
        return self.engine.popen("stop", "--time", str(self.grace), container,
                                 stdout=subprocess.DEVNULL)

    def running(self, container):
        return self.inspect(container, "{{.State.Running}}") == "true"

    def status(self, container):
        """Its exit status, once it has ended."""
        harness.wait_until(lambda: not self.running(container), timeout=120,
                           what=f"the end of {container}")
        return int(self.inspect(container, "{{.State.ExitCode}}"))

    def log(self, container):
        logs = self.engine.popen("logs", container, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT)
        return logs.communicate(timeout=60)[0]

    def files(self, volume):
        path = self.engine.podman("volume", "inspect", "--format", "{{.Mountpoint}}",
                                  volume).strip()
        return [os.path.join(path, name) for name in sorted(os.listdir(path))]

    def told(self):
        """The scenario that the encoder has told, as it stands in the file."""
        path, = [f for f in self.files("results") if f.endswith(".json")]
        with open(path, encoding="utf-8") as f:
            scenario, = json.load(f)["scenarios"]
        return scenario


class PodTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        image.require()
        cls.objects = manifests.rendered(OVERLAY)
        cls.engine = image.Engine()
        cls.addClassCleanup(cls.engine.close)
        loopback_up()
        own = os.path.join(cls.engine.scratch, "var-lib")
        os.mkdir(own)
        subprocess.run(["mount", "--bind", own, "/var/lib"], check=True, timeout=60)
        cls.addClassCleanup(subprocess.run, ["umount", "--lazy", "/var/lib"], check=False)
        for archive in os.environ[NAMESPACES].split(":"):
            cls.engine.load(archive)
        cls.infra()
        try:
            cls.engine.podman("run", "--rm", "--pod", "new:probe", image.BASE, "/bin/true")
            cls.engine.podman("pod", "rm", "--force", "--time", "0", "probe")
        except AssertionError as e:
            raise unittest.SkipTest(f"containers cannot be run here: {e}") from None

    @classmethod
    def infra(cls):
        recipe = os.path.join(cls.engine.scratch, "infra")
        os.mkdir(recipe)
        with open(os.path.join(recipe, "Dockerfile"), "w", encoding="ascii") as f:
            f.write(INFRA_RECIPE.format(base=image.BASE))
        cls.engine.buildah("build", "--pull-never", "--tag", INFRA, recipe)
        conf = os.path.join(cls.engine.scratch, "containers.conf")
        with open(conf, encoding="utf-8") as f:
            text = re.sub(r'(?m)^infra_(image|command) = .*\n', "", f.read())
        with open(conf, "w", encoding="utf-8") as f:
            f.write(text.replace("[engine]\n", f'[engine]\ninfra_image = "{INFRA}"\n'))

    def started(self, pod):
        """The exporter runs; the encoder starts when it is ready, not before."""
        pod.start(EXPORTER)
        harness.wait_until(lambda: pod.ready() == 200, timeout=60, what="ready")
        pod.start(ENCODER)

    def ended(self, pod):
        """The kubelet ends the exporter, and somebody goes on scraping, as a database does:
        what that one got last."""
        stopping = pod.stop(EXPORTER)
        harness.wait_until(lambda: pod.ready() == 503, what="the signal seen")
        last = pod.scrape()
        while stopping.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                last = pod.scrape()
            with contextlib.suppress(subprocess.TimeoutExpired):
                stopping.wait(0.2)
        self.assertEqual(stopping.returncode, 0)
        self.assertEqual(pod.status(EXPORTER), 0, pod.log(EXPORTER))
        self.assertIn('msg="the last values are scraped"', pod.log(EXPORTER))
        return last

    def whole(self, pod, last):
        """What was scraped last is all that the encoder told, charged in full. For
        currencies and prices: base/prices.json."""
        told = pod.told()
        self.assertEqual(told["params"], {"pod": "encode", "namespace": "videos",
                                          "node": "node-1"})
        self.assertIsNone(last.value("encode_state", state="running"))
        self.assertAlmostEqual(last.value(
            "results_scenario_duration_seconds", scenario=told["name"],
            encoder="libx264"), told["end_time"] - told["start_time"], delta=1e-3)
        # What was charged before ffmpeg was seen for the first time is by the clock, and
        # charged it stays: it may be more than what was measured, by less than one core.
        clock = last.value("results_scenario_duration_seconds",
                           scenario=told["name"], encoder="libx264") * 0.5 / 3600
        for currency, rate in (("USD", 1), ("EUR", 0.92), ("SEK", 10.5)):
            cost = last.value("cost_total_load_aware", scenario=told["name"],
                              currency=currency)
            accrued = last.value("cost_accrued_total", currency=currency)
            self.assertGreater(cost, 0)
            self.assertGreaterEqual(accrued, cost * (1 - 1e-6))
            self.assertLessEqual(accrued, cost + clock * rate)

    def test_an_encode_is_followed_and_scraped_to_its_end(self):
        def followed():
            now = pod.scrape()
            return now.value("encode_state", state="running") == 1 and now.value(
                "encode_exporter_cpu_cores_used", scope="process")

        with Pod(self.engine, plain(self.objects, 30)) as pod:
            self.started(pod)
            self.rights(pod)
            harness.wait_until(followed, timeout=60, what="the encode is followed")
            self.assertEqual(pod.status(ENCODER), 0, pod.log(ENCODER))
            last = self.ended(pod)
            self.whole(pod, last)
            # By the cores that ffmpeg used, not by the clock.
            basis, = last.samples("cost_basis_info")
            self.assertRegex(basis.labels["compute"], "^sampler")
            encoded, = pod.files("media")
            self.assertGreater(os.path.getsize(encoded), 100_000)

    def test_a_pod_that_is_deleted_before_anybody_scraped_it_loses_nothing(self):
        with Pod(self.engine, plain(self.objects, 3600)) as pod:
            self.started(pod)
            harness.wait_until(lambda: pod.files("media") and os.path.getsize(
                pod.files("media")[0]), timeout=60, what="pictures are encoded")
            self.assertNotIn("end_time", pod.told())
            # Two readings of the cores in use.
            harness.wait_until(lambda: time.time() > pod.told()["start_time"] + 3)
            self.assertEqual(pod.stop(ENCODER).wait(pod.grace), 0)
            # ffmpeg's own, of an end by a signal.
            self.assertEqual(pod.status(ENCODER), 255, pod.log(ENCODER))
            self.whole(pod, self.ended(pod))

    def rights(self, pod):
        """What the kernel says of the exporter's process."""
        with open(f"/proc/{pod.inspect(EXPORTER, '{{.State.Pid}}')}/status",
                  encoding="ascii") as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f)
        self.assertEqual(set(status["Uid"].split()), {"65532"})
        self.assertEqual({status["CapBnd"], status["CapEff"]}, {"0" * 16})
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        self.assertEqual(pod.inspect(EXPORTER, "{{.HostConfig.ReadonlyRootfs}}"), "true")


if __name__ == "__main__":
    into_namespaces()
    harness.main()
