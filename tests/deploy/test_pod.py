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
# Of the scenario, as the manifest has it.
NAME = "testsrc2 720p"
FIELDS = {"metadata.namespace": "videos", "spec.nodeName": "node-1",
          "metadata.name": "encode"}


def into_namespaces():
    """Begins anew in namespaces of its own. What comes from elsewhere is fetched before,
    since there is no way out of them."""
    if image.reason() or os.environ.get(NAMESPACES):
        return
    try:
        archives = [image.base_image(), *image.build()]
        manifests.rendered(OVERLAY)
    except unittest.SkipTest:
        return    # the test itself says why
    os.environ[NAMESPACES] = ":".join(archives)
    os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, "-B", *sys.argv])


def loopback_up():
    siocsifflags, iff_up = 0x8914, 1
    with socket.socket() as s:
        fcntl.ioctl(s, siocsifflags, struct.pack("16sh14x", b"lo", iff_up))


def encode_of(seconds):
    """(old, new): what makes the encode of the manifest one of so many seconds."""
    return ((r"media_seconds=\d+", f"media_seconds={seconds}"),
            (r"duration=\d+", f"duration={seconds}"))


def plain(objects, *changes):
    """The Job's pod with plain containers, as podman takes it, and its ConfigMaps.
    changes: (old, new) in the encoder's arguments, expressions."""
    pod = copy.deepcopy(manifests.template(objects["Job/encode"]))
    spec = pod["spec"]
    sidecar, = spec.pop("initContainers")
    encoder, = spec["containers"]
    for key in ("restartPolicy", "startupProbe", "livenessProbe"):
        del sidecar[key]
    sidecar["image"], encoder["image"] = image.IMAGE, image.ENCODER
    for old, new in changes:
        encoder["args"] = [re.sub(old, new, a) for a in encoder["args"]]
    spec["containers"] = [sidecar, encoder]
    for container in spec["containers"]:
        container["imagePullPolicy"] = "Never"
        for variable in container["env"]:
            if "valueFrom" in variable:
                field = variable.pop("valueFrom")["fieldRef"]["fieldPath"]
                variable["value"] = FIELDS[field]
        # podman 4.3 does not.
        for words in ("command", "args"):
            container[words] = [manifests.expanded(container, w) for w in container[words]]
    pod["metadata"]["name"] = "encode"
    maps = [o for o in objects.values() if o["kind"] == "ConfigMap"]
    return maps + [dict(pod, apiVersion="v1", kind="Pod")]


def older_command():
    """The encoder's command on clusters before 1.29, as docs/kubernetes.md has it."""
    with open(os.path.join(harness.ROOT, "docs", "kubernetes.md"), encoding="utf-8") as f:
        text, = re.findall(r"```yaml\n(command:.*?)```", f.read(), re.S)
    return manifests.yaml.safe_load(text)["command"]


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
        return self.inspect(container, "{{.State.Status}}") in ("running", "stopping")

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

    def state(self, now=None):
        """Which of the four the exporter gives the encode."""
        states = [s.labels["state"] for s in (now or self.scrape()).samples("encode_state")
                  if s.value == 1]
        return states[0] if len(states) == 1 else states


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
        last = self.lasts(pod, pod.scrape())
        self.assertEqual(stopping.wait(60), 0)
        return last

    def lasts(self, pod, last):
        """The same for an exporter that is ending."""
        while pod.running(EXPORTER):
            with contextlib.suppress(OSError, http.client.HTTPException):
                last = pod.scrape()
            time.sleep(0.1)
        self.assertEqual(pod.status(EXPORTER), 0, pod.log(EXPORTER))
        self.assertIn('msg="the last values are scraped"', pod.log(EXPORTER))
        return last

    def whole(self, pod, last):
        """What was scraped last is all that the encoder told, charged in full. For
        currencies and prices: base/prices.json."""
        told = pod.told()
        self.assertEqual(told["name"], NAME)
        self.assertLessEqual({"pod": "encode", "namespace": "videos", "node": "node-1"}.items(),
                             told["params"].items())
        self.assertEqual((told["encoder"], told["preset"], told["bitrate"]),
                         ("libx264", "veryfast", "2500k"))
        self.assertNotIn("recording", told)
        self.assertAlmostEqual(told["duration"], told["end_time"] - told["start_time"],
                               delta=0.1)
        self.assertAlmostEqual(
            sum(told["cpu_usage_cores"]) * told["step_seconds"], told["cpu_core_seconds"],
            delta=0.1 + 0.02 * told["cpu_core_seconds"])
        self.assertIn(pod.state(last), ("ended", "aborted"))
        self.assertAlmostEqual(last.value(
            "results_scenario_duration_seconds", scenario=NAME, encoder="libx264"),
            told["duration"], delta=1e-3)
        # By what the kernel counted, not by the clock.
        basis, = last.samples("cost_basis_info")
        self.assertEqual(basis.labels["compute"], "reported")
        for currency in ("USD", "EUR", "SEK"):
            cost = last.value("cost_total_load_aware", scenario=NAME, currency=currency)
            accrued = last.value("cost_accrued_total", currency=currency)
            self.assertGreater(cost, 0)
            self.assertGreaterEqual(accrued, cost * (1 - 1e-6))
        return told

    def frames_of(self, pod, now=None):
        return (now or pod.scrape()).value("encode_frames_total", scenario=NAME) or 0

    def followed(self, pod):
        """Waits until the encode is seen to move, block by block, and returns a scrape."""
        def moves():
            now = pod.scrape()
            grown = self.frames_of(pod, now) > first
            return now if grown and all(
                now.value(family, **labels) for family, labels in wanted) else None

        wanted = (("encode_speed_ratio", {"scenario": NAME}),
                  ("encode_eta_seconds", {"scenario": NAME}),
                  ("encode_exporter_cpu_cores_used", {"scope": "process"}))
        harness.wait_until(lambda: self.frames_of(pod), timeout=60, what="progress is seen")
        first = self.frames_of(pod)
        return harness.wait_until(moves, timeout=60, what="progress goes on")

    def test_an_encode_is_followed_and_scraped_to_its_end(self):
        with Pod(self.engine, plain(self.objects, *encode_of(30))) as pod:
            self.started(pod)
            for container in (EXPORTER, ENCODER):
                self.rights(pod, container)
            now = self.followed(pod)
            self.assertEqual(pod.state(now), "running")
            self.assertTrue(0 < now.value("encode_progress_ratio", scenario=NAME) < 1)
            self.assertGreater(now.value("cost_so_far", scenario=NAME, currency="EUR"), 0)
            self.assertLess(pod.told()["start_time"], time.time())
            self.assertNotIn("end_time", pod.told())
            self.assertEqual(pod.status(ENCODER), 0, pod.log(ENCODER))
            last = self.ended(pod)
            told = self.whole(pod, last)
            self.assertEqual((told["exit_status"], told["total_frames"],
                              told["media_seconds"]), (0, 30 * 30, 30))
            self.assertEqual((told["resolution"], told["fps"]), ("1280x720", 30))
            self.assertGreater(told["cpu_core_seconds"], 1)
            self.assertEqual(pod.state(last), "ended")
            self.assertEqual(self.frames_of(pod, last), 30 * 30)
            encoded, = pod.files("media")
            self.assertGreater(os.path.getsize(encoded), 100_000)

    def test_an_encode_that_fails_is_told_with_its_exit_status(self):
        with Pod(self.engine, plain(self.objects, ("/media/encode.mp4", "/media/no/x.mp4"))
                 ) as pod:
            self.started(pod)
            self.assertEqual(pod.status(ENCODER), 1, pod.log(ENCODER))
            self.assertIn("/media/no/x.mp4: No such file or directory", pod.log(ENCODER))
            last = self.ended(pod)
            self.assertEqual(self.whole(pod, last)["exit_status"], 1)
            self.assertEqual(pod.state(last), "aborted")

    def test_a_pod_that_is_deleted_before_anybody_scraped_it_loses_nothing(self):
        with Pod(self.engine, plain(self.objects, *encode_of(3600))) as pod:
            self.started(pod)
            harness.wait_until(lambda: pod.files("media") and os.path.getsize(
                pod.files("media")[0]), timeout=60, what="pictures are encoded")
            self.assertNotIn("end_time", pod.told())
            self.assertEqual(pod.stop(ENCODER).wait(pod.grace), 0)
            # ffmpeg's own, of an end by a signal: it was passed on, and waited for.
            self.assertEqual(pod.status(ENCODER), 255, pod.log(ENCODER))
            last = self.ended(pod)
            told = self.whole(pod, last)
            self.assertEqual(told["exit_status"], 255)
            self.assertGreater(told["total_frames"], 0)
            self.assertEqual(told["total_frames"], self.frames_of(pod, last))
            self.assertEqual(pod.state(last), "aborted")
            # The file was closed in good order: it has an index.
            encoded, = pod.files("media")
            with open(encoded, "rb") as f:
                self.assertIn(b"moov", f.read())

    def test_on_older_clusters_the_encoder_waits_for_the_exporter_and_ends_it(self):
        objects = plain(self.objects, *encode_of(30))
        encoder = objects[-1]["spec"]["containers"][1]
        encoder["command"] = [manifests.expanded(encoder, w) for w in older_command()]
        with Pod(self.engine, objects) as pod:
            pod.start(ENCODER)
            harness.wait_until(lambda: "refused" in pod.log(ENCODER), timeout=60,
                               what="the encoder waits")
            self.assertEqual(pod.files("media"), [])
            pod.start(EXPORTER)
            harness.wait_until(lambda: pod.ready() == 200, timeout=60, what="/ready")
            self.followed(pod)
            last = harness.wait_until(lambda: pod.ready() == 503 and pod.scrape(),
                                      timeout=60, what="the encoder ends the exporter")
            self.assertEqual(pod.status(ENCODER), 0, pod.log(ENCODER))
            self.assertEqual(self.whole(pod, self.lasts(pod, last))["exit_status"], 0)

    def rights(self, pod, container):
        """What the kernel says of the container's process."""
        with open(f"/proc/{pod.inspect(container, '{{.State.Pid}}')}/status",
                  encoding="ascii") as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f)
        self.assertEqual(set(status["Uid"].split()), {"65532"})
        self.assertEqual({status["CapBnd"], status["CapEff"]}, {"0" * 16})
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        self.assertEqual(pod.inspect(container, "{{.HostConfig.ReadonlyRootfs}}"), "true")


if __name__ == "__main__":
    into_namespaces()
    harness.main()
