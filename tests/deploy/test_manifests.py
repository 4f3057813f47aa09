#!/usr/bin/env python3
# ctest: timeout 300
"""deploy/kubernetes: what kustomize makes of it is what Kubernetes takes, what the real
binary takes, and fits together."""

import copy
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import harness
import manifests
import npm

sys.path.append(os.path.join(harness.ROOT, "tests", "bench"))
import generate    # noqa: E402

WORKLOADS = {"Deployment", "DaemonSet", "Job"}
# What both kustomizations accept; "bases" because the old one takes no directory among
# "resources", with a warning of the new one.
FIELDS = {"apiVersion", "kind", "bases", "resources", "namePrefix", "images",
          "generatorOptions", "configMapGenerator", "patchesStrategicMerge",
          "patchesJson6902"}
# Volumes that the level "restricted" of Pod Security allows.
RESTRICTED = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral",
              "persistentVolumeClaim", "projected", "secret"}
# VMPodScrape has no schema among npm's packages: the fields that are used here, as the
# operator's CustomResourceDefinition types them.
RELABEL = {"targetLabel": str, "replacement": str, "sourceLabels": [str]}
VM_ENDPOINT = {"port": str, "path": str, "interval": str, "scrapeTimeout": str,
               "relabelConfigs": [RELABEL]}
VM_SPEC = {"selector": {"matchLabels": dict, "matchExpressions": [
    {"key": str, "operator": str, "values": [str]}]},
           "podMetricsEndpoints": [VM_ENDPOINT]}


def workloads():
    """(overlay, object, pod) of all overlays."""
    for name in manifests.directories():
        if name.startswith("overlays"):
            objects = manifests.rendered(name)
            for thing in objects.values():
                if thing["kind"] in WORKLOADS:
                    yield name, thing, manifests.template(thing)["spec"]


def monitors():
    """(directory, object, its endpoints as in a PodMonitor) of all monitors."""
    for name in manifests.directories():
        if name.startswith("monitoring"):
            for thing in manifests.rendered(name).values():
                yield name, thing, thing["spec"]["podMetricsEndpoints"]


def selects(selector, labels):
    """Whether a label selector chooses something with these labels."""
    if any(labels.get(k) != v for k, v in selector.get("matchLabels", {}).items()):
        return False
    for rule in selector.get("matchExpressions", []):
        inside = labels.get(rule["key"]) in rule["values"]
        if inside != {"In": True, "NotIn": False}[rule["operator"]]:
            return False
    return True


def default_ports():
    """{endpoint: port} that the binary listens on by itself."""
    text = harness.run("--help", "web").stdout
    return {name: int(port) for name, port in re.findall(
        r"--(results|qoe|cost)\.listen-address ADDR.*?\[:(\d+)\]", text, re.S)}


def ports(container):
    return {p["name"]: p["containerPort"] for p in container["ports"]}


class KustomizeTest(unittest.TestCase):
    def test_both_kustomizations_make_the_same_objects(self):
        kubectls = manifests.kubectls()
        self.assertIn(manifests.OLD, kubectls)
        for name in manifests.directories():
            with self.subTest(name):
                made = {}
                for version, kubectl in kubectls.items():
                    made[version], said = manifests.render(
                        kubectl, os.path.join(manifests.TREE, name))
                    for line in filter(None, said.splitlines()):
                        self.assertIn("deprecated", line)
                first = made[manifests.OLD]
                self.assertTrue(first)
                for version, objects in made.items():
                    self.assertEqual(objects, first, version)

    def test_no_field_is_used_that_one_of_them_lacks(self):
        for name in manifests.directories():
            with open(os.path.join(manifests.TREE, name, "kustomization.yaml"),
                      encoding="utf-8") as f:
                keys = set(manifests.yaml.safe_load(f))
            self.assertLessEqual(keys, FIELDS, name)

    def test_the_kustomizations_of_the_page_do_what_it_says(self):
        with open(os.path.join(harness.ROOT, "docs", "kubernetes.md"),
                  encoding="utf-8") as f:
            blocks = re.findall(r"```yaml\n(.*?)```", f.read(), re.S)
        settings, prices, clip = [self.example(b) for b in blocks
                                  if "kind: Kustomization" in b]
        pod = manifests.template(settings["Deployment/encode-exporter"])["spec"]
        container = manifests.exporter(pod)
        self.assertEqual(container["image"],
                         "registry.example.com/video/encode-exporter:0.1.0")
        self.assertIn({"name": "CURRENCY", "value": "EUR,USD"}, container["env"])
        self.assertIn("PodMonitor/encode-exporter", settings)
        self.assertIn("0.21", prices["ConfigMap/encode-prices"]["data"]["prices.json"])
        pod = manifests.template(clip["Job/clip-17-encode"])["spec"]
        self.assertIn({"name": "clip-17-encode-prices"},
                      [v.get("configMap") for v in pod["volumes"]])
        encoder, = pod["containers"]
        self.assertEqual(encoder["args"][:3], ["--name=clip 17, 1080p", "--", "ffmpeg"])
        self.assertIn("--results-dir=/results", encoder["command"])
        self.assertIn("NODE_NAME", [e["name"] for e in encoder["env"]])

    def example(self, text):
        """Its objects, which all kubectls have to agree on."""
        with tempfile.TemporaryDirectory(dir=manifests.PLACE) as own:
            # Beside the tree, as the page has it; files stand after "# NAME".
            text = text.replace("encode_exporter/deploy/kubernetes",
                                os.path.relpath(manifests.TREE, own))
            parts = re.split(r"^# (\S+\.(?:yaml|json))\n", text, flags=re.M)
            for name, content in zip(["kustomization.yaml"] + parts[1::2], parts[::2]):
                with open(os.path.join(own, name), "w", encoding="utf-8") as f:
                    f.write(content)
            made = [manifests.render(kubectl, own)[0]
                    for kubectl in manifests.kubectls().values()]
        self.assertEqual(made[0], made[1], text)
        self.assertFalse(faults(made[0].values()))
        return made[0]


def faults(objects):
    """What the schemas of Kubernetes and of the Prometheus operator find wrong."""
    known = [o for o in objects if o["kind"] != "VMPodScrape"]
    done = subprocess.run(
        ["node", os.path.join(os.path.dirname(__file__), "validate.js"), npm.modules()],
        input=json.dumps(known).encode(), stdout=subprocess.PIPE, check=True, timeout=120)
    return done.stdout.decode().splitlines()


def faults_of(value, wanted, where="spec"):
    """The same by a table of fields and types."""
    if isinstance(wanted, dict) and isinstance(value, dict):
        return [fault for key, part in value.items() for fault in (
            faults_of(part, wanted[key], f"{where}.{key}") if key in wanted
            else [f"{where}.{key}: unknown"])]
    if isinstance(wanted, list) and isinstance(value, list):
        return [fault for part in value for fault in faults_of(part, wanted[0], where)]
    if isinstance(wanted, type) and isinstance(value, wanted):
        return []
    return [f"{where}: {value!r}"]


class SchemaTest(unittest.TestCase):
    def test_every_object_is_one_of_kubernetes(self):
        for name in manifests.directories():
            with self.subTest(name):
                self.assertFalse(faults(manifests.rendered(name).values()))

    def test_what_is_wrong_is_found(self):
        job = manifests.rendered("overlays/sidecar-job")["Job/encode"]
        monitor = manifests.rendered("monitoring/podmonitor")["PodMonitor/encode-exporter"]
        policy = manifests.rendered("base")["NetworkPolicy/encode-exporter"]
        pod = ["spec", "template", "spec"]
        for thing, path, value in (
                (job, pod + ["terminationGracePeriodSecond"], 70),
                (job, pod + ["initContainers", 0, "restartPolicies"], "Always"),
                (job, pod + ["initContainers", 0, "startupProbe", "httpGet", "prot"], 1),
                (job, pod + ["volumes", 0, "emptydir"], {}),
                (job, ["spec", "backoffLimit"], "0"),
                (job, ["metadata", "label"], {"a": "b"}),
                (job, ["specs"], {}),
                (policy, ["spec", "ingress", 0, "ports", 0, "protocols"], "TCP"),
                (monitor, ["spec", "podMetricsEndpoints", 0, "relabelConfigs"], []),
                (monitor, ["spec", "podMetricsEndpoints", 0, "interval"], 30)):
            wrong = copy.deepcopy(thing)
            place = wrong
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = value
            found = faults([wrong])
            self.assertEqual(len(found), 1, found)
            self.assertIn("/".join(map(str, path)), found[0])

    def test_every_vmpodscrape_is_one_of_the_operator(self):
        found = [(d, thing) for d, thing, _ in monitors() if thing["kind"] == "VMPodScrape"]
        self.assertEqual(len(found), 3)
        for directory, thing in found:
            self.assertEqual(thing["apiVersion"], "operator.victoriametrics.com/v1beta1")
            self.assertEqual(set(thing), {"apiVersion", "kind", "metadata", "spec"})
            self.assertFalse(faults_of(thing["spec"], VM_SPEC), directory)

    def test_both_operators_are_told_the_same(self):
        told = {}
        for directory, thing, endpoints in monitors():
            renamed = [{("relabelings" if k == "relabelConfigs" else k): v
                        for k, v in e.items()} for e in endpoints]
            key = directory.rsplit("/", 1)[1].replace("vmpodscrape", "podmonitor")
            told.setdefault(key, []).append((thing["spec"]["selector"], renamed))
        for key, both in told.items():
            self.assertEqual(len(both), 2, key)
            self.assertEqual(both[0], both[1], key)


class BinaryTest(unittest.TestCase):
    """The real binary takes what the manifests give it."""

    def setUp(self):
        self.scratch = harness.temp_dir()
        self.addCleanup(subprocess.run, ["rm", "-rf", self.scratch], check=False)

    def arguments(self, container, prices):
        """Its args with paths of this machine."""
        path = os.path.join(self.scratch, "prices.json")
        with open(path, "w", encoding="utf-8") as f:
            f.write(prices)
        places = {"/results": self.scratch, "/etc/encode_exporter": self.scratch,
                  "/host/sys": "/sys"}
        for arg in container["args"]:
            for there, here in places.items():
                arg = re.sub(f"={there}(?=/|$)", f"={here}", arg)
            yield arg

    def prepared(self, name, thing, pod):
        """(flags, variables) of an overlay's exporter."""
        container = manifests.exporter(pod)
        self.assertEqual(container["command"], ["/usr/bin/encode_exporter"])
        prices = manifests.rendered(name)["ConfigMap/encode-prices"]["data"]["prices.json"]
        env = {e["name"]: e.get("value", "told-by-kubernetes") for e in container["env"]}
        self.assertEqual(env["CURRENCY"], "USD,EUR,SEK", thing["metadata"]["name"])
        return list(self.arguments(container, prices)), env

    def test_flags_variables_and_prices_are_accepted(self):
        count = 0
        for name, thing, pod in workloads():
            flags, env = self.prepared(name, thing, pod)
            done = harness.run("--check-config", *flags, env=env)
            self.assertEqual(done.returncode, 0, (name, done.stderr))
            wrong = harness.run("--check-config", *flags, "--lingers=1s", env=env)
            self.assertEqual(wrong.returncode, 2, name)
            count += 1
        self.assertEqual(count, 7)

    def test_the_encoder_records_where_it_runs(self):
        for name in ("overlays/sidecar-job", "overlays/sidecar-job-annotations"):
            pod = manifests.template(manifests.rendered(name)["Job/encode"])["spec"]
            encoder, = pod["containers"]
            words = list(map(functools.partial(manifests.expanded, encoder),
                             encoder["command"] + encoder["args"]))
            self.assertEqual(words[:3], ["/usr/bin/encode_exporter", "record",
                                         "--results-dir=/results"])
            end = words.index("--")
            self.assertEqual(words[end + 1:end + 3], ["ffmpeg", "-nostdin"])
            done = harness.run("record", f"--results-dir={self.scratch}", *words[3:end],
                               "--run=job", "--", "true")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            with open(os.path.join(self.scratch, "test_results_job.json"),
                      encoding="utf-8") as f:
                told = json.load(f)["scenarios"][-1]
            self.assertEqual(told["params"], {
                "pod": "metadata.name", "namespace": "metadata.namespace",
                "node": "spec.nodeName"})
            self.assertEqual(told["name"], "testsrc2 720p")
            self.assertIn(f"duration={told['media_seconds']}", " ".join(words))

    def test_the_prices_are_the_built_in_ones_until_they_are_edited(self):
        def exposition(*flags):
            done = harness.run("--results-dir", harness.EXAMPLES, "--once", "all",
                               "--newest=name", "--power=off", "--predict=off",
                               "--currency=USD,EUR,SEK", *flags)
            self.assertEqual(done.returncode, 0, done.stderr)
            # Where a figure comes from is told apart.
            return [line for line in done.stdout.splitlines()
                    if re.match(r"(cost|co2)_", line) and "_info{" not in line
                    and "_timestamp" not in line]
        file = os.path.join(manifests.TREE, "base", "prices.json")
        self.assertTrue(exposition())
        self.assertEqual(exposition("--pricing-config", file), exposition())

    def test_a_service_of_an_unlucky_name_does_not_stop_the_exporter(self):
        """Kubernetes sets NAME_PORT for each Service, unless it is told not to."""
        told = harness.run("--check-config",
                           env={"COST_EXPORTER_PORT": "tcp://10.0.0.1:9504"})
        self.assertEqual(told.returncode, 2)
        for name, _, pod in workloads():
            self.assertIs(pod["enableServiceLinks"], False, name)

    def test_probes_and_scrapes_ask_for_what_is_there(self):
        paths = {(e["port"], e["path"]) for _, _, endpoints in monitors()
                 for e in endpoints}
        for name, thing, pod in workloads():
            container = manifests.exporter(pod)
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if probe in container:
                    get = container[probe]["httpGet"]
                    paths.add((get["port"], get["path"]))
            notes = manifests.template(thing)["metadata"].get("annotations", {})
            self.assertEqual(bool(notes), name.endswith("-annotations"), name)
            if notes:
                named = {str(v): k for k, v in ports(container).items()}
                self.assertEqual(notes["prometheus.io/scrape"], "true")
                paths.add((named[notes["prometheus.io/port"]],
                           notes["prometheus.io/path"]))
        self.assertIn(("results", "/ready"), paths)
        self.assertIn(("results", "/health"), paths)
        self.assertIn(("results", "/metrics/all"), paths)
        with harness.Exporter(files=harness.data_files("go-era")[:1]) as e:
            for endpoint, path in paths:
                self.assertEqual(e.get(endpoint, path).status, 200, (endpoint, path))

    def test_the_container_listens_where_the_manifests_say(self):
        wanted = default_ports()
        self.assertEqual(set(wanted), {"results", "qoe", "cost"})
        for name, _, pod in workloads():
            container = manifests.exporter(pod)
            self.assertEqual(ports(container), wanted, name)
            self.assertFalse([a for a in container["args"] if "listen" in a], name)


class FitTest(unittest.TestCase):
    def test_every_encode_is_waited_for(self):
        intervals = {manifests.seconds(e["interval"]) for _, _, endpoints in monitors()
                     for e in endpoints}
        self.assertEqual(len(intervals), 1)
        for name, _, pod in workloads():
            linger = manifests.seconds(
                manifests.flag(manifests.exporter(pod), "shutdown.linger"))
            self.assertEqual(linger, 2 * max(intervals), name)
            self.assertEqual(pod["terminationGracePeriodSeconds"], linger + 10, name)

    def test_selectors_and_ports_meet(self):
        for name in manifests.directories():
            objects = manifests.rendered(name).values()
            pods = [manifests.template(o) for o in objects if o["kind"] in WORKLOADS]
            for thing in objects:
                for pod in pods:
                    labels = pod["metadata"]["labels"]
                    here = ports(manifests.exporter(pod["spec"]))
                    if thing["kind"] in ("Deployment", "DaemonSet"):
                        self.assertTrue(selects(thing["spec"]["selector"], labels), name)
                    elif thing["kind"] == "Service":
                        chosen = {"matchLabels": thing["spec"]["selector"]}
                        self.assertTrue(selects(chosen, labels), name)
                        for port in thing["spec"]["ports"]:
                            self.assertEqual(here[port["targetPort"]], port["port"])
                    elif thing["kind"] == "NetworkPolicy":
                        self.policy(thing, labels, here)

    def policy(self, thing, labels, here):
        chosen = selects(thing["spec"]["podSelector"], labels)
        if thing["spec"]["policyTypes"] == ["Ingress"]:
            self.assertTrue(chosen)
            opened = {p["port"] for p in thing["spec"]["ingress"][0]["ports"]}
            self.assertEqual(opened, set(here.values()))
        else:
            # The encoder may fetch what it encodes.
            self.assertEqual(chosen, labels["app.kubernetes.io/component"] != "job")

    def test_one_monitor_finds_each_pod(self):
        jobs = {"": ["encode-results", "encode-qoe", "encode-cost"], "-all": ["encode"],
                "-jobs": ["encode-jobs"]}
        for directory, thing, endpoints in monitors():
            suffix = re.sub(r".*/(podmonitor|vmpodscrape)", "", directory)
            rules = [e.get("relabelings") or e["relabelConfigs"] for e in endpoints]
            self.assertEqual([r[0]["replacement"] for r in rules], jobs[suffix])
            for rule in rules:
                self.assertEqual(rule[0]["targetLabel"], "job")
                self.assertEqual(rule[1]["sourceLabels"],
                                 ["__meta_kubernetes_pod_node_name"])
            for name, workload, pod in workloads():
                labels = manifests.template(workload)["metadata"]["labels"]
                found = selects(thing["spec"]["selector"], labels)
                self.assertEqual(found, (workload["kind"] == "Job") == (suffix == "-jobs"),
                                 (directory, name))
                for endpoint in endpoints if found else ():
                    self.assertIn(endpoint["port"], ports(manifests.exporter(pod)))

    def test_volumes_are_there_and_only_the_encoder_writes(self):
        for name, _, pod in workloads():
            volumes = {v["name"] for v in pod["volumes"]}
            for container in pod.get("initContainers", []) + pod["containers"]:
                mounts = {m["name"]: m for m in container["volumeMounts"]}
                self.assertLessEqual(set(mounts), volumes, name)
                if container["name"] == "encode-exporter":
                    self.assertTrue(all(m["readOnly"] for m in mounts.values()), name)
                    # Files that are mounted one by one are never renewed.
                    self.assertFalse([m for m in mounts.values() if "subPath" in m])

    def test_the_images_are_the_users_own(self):
        for name, _, pod in workloads():
            for container in pod.get("initContainers", []) + pod["containers"]:
                self.assertTrue(container["image"].startswith("registry.example.com/"),
                                (name, container["image"]))


class PodTest(unittest.TestCase):
    def test_the_sidecar_is_native_and_there_before_the_encoder(self):
        job = manifests.rendered("overlays/sidecar-job")["Job/encode"]
        pod = manifests.template(job)["spec"]
        sidecar, = pod["initContainers"]
        encoder, = pod["containers"]
        self.assertEqual(sidecar["restartPolicy"], "Always")
        self.assertEqual(sidecar["startupProbe"]["httpGet"]["path"], "/ready")
        self.assertIs(pod["shareProcessNamespace"], True)
        self.assertEqual(manifests.flag(sidecar, "power.process"), "ffmpeg")
        self.assertEqual(pod["restartPolicy"], "Never")
        emptied = {v["name"] for v in pod["volumes"] if "emptyDir" in v}
        shared = {m["name"] for m in sidecar["volumeMounts"]} & {
            m["name"] for m in encoder["volumeMounts"]} & emptied
        self.assertEqual(shared, {"results"})
        fields = {e["name"]: e["valueFrom"]["fieldRef"]["fieldPath"]
                  for e in sidecar["env"] if "valueFrom" in e}
        self.assertEqual(fields, {"POD_NAME": "metadata.name", "NODE_NAME": "spec.nodeName",
                                  "POD_NAMESPACE": "metadata.namespace"})

    def test_the_rights_are_few(self):
        """The level "restricted" of Pod Security, and beyond it no write and no token."""
        for name, thing, pod in workloads():
            self.assertIs(pod["automountServiceAccountToken"], False, name)
            self.assertEqual(pod["securityContext"]["seccompProfile"]["type"],
                             "RuntimeDefault", name)
            for key in ("hostNetwork", "hostPID", "hostIPC"):
                self.assertNotIn(key, pod, name)
            for container in pod.get("initContainers", []) + pod["containers"]:
                context = container["securityContext"]
                self.assertIs(context["allowPrivilegeEscalation"], False, name)
                self.assertIs(context["readOnlyRootFilesystem"], True, name)
                self.assertEqual(context["capabilities"], {"drop": ["ALL"]}, name)
                self.assertNotIn("privileged", context, name)
                self.assertIn("memory", container["resources"]["limits"], name)
                self.assertEqual(set(container["resources"]["requests"]),
                                 {"cpu", "memory"}, name)
            if thing["kind"] == "DaemonSet":
                self.root_of_a_node(pod)
            else:
                self.assertIs(pod["securityContext"]["runAsNonRoot"], True, name)
                self.assertEqual(pod["securityContext"]["runAsUser"], 65532, name)
                kinds = {kind for v in pod["volumes"] for kind in set(v) - {"name"}}
                # "baseline" takes NFS.
                self.assertEqual(kinds - RESTRICTED,
                                 {"nfs"} if name.endswith("-nfs") else set(), name)

    def root_of_a_node(self, pod):
        self.assertEqual(pod["securityContext"]["runAsUser"], 0)
        container = manifests.exporter(pod)
        mount, = [m for m in container["volumeMounts"] if m["name"] == "sys"]
        volume, = [v for v in pod["volumes"] if v["name"] == "sys"]
        self.assertEqual(volume["hostPath"]["path"], "/sys")
        self.assertEqual((mount["mountPath"], mount["readOnly"]), ("/host/sys", True))
        self.assertEqual(manifests.flag(container, "power.sysfs"), "/host/sys")


class ResourcesTest(unittest.TestCase):
    """Requests hold what is used, limits more than twice of that."""

    def used(self, container, scenarios, **env):
        """Bytes at most, by the release binary with the overlay's flags."""
        flags = [a for a in container["args"]
                 if not a.startswith(("--results-dir", "--pricing-config", "--power.sysfs",
                                      "--power.cgroupfs", "--shutdown"))]
        env["CURRENCY"] = "USD,EUR,SEK"
        with harness.Exporter(*flags, env=env, release=True) as e:
            harness.write_atomically(
                os.path.join(e.directory, "test_results_20260101_000000.json"),
                generate.text(scenarios, 1))
            harness.wait_until(lambda: "job 1" in e.get("cost").text, timeout=60,
                               what="served")
            for coding in ("identity", "gzip"):
                for _ in range(3):
                    e.get("results", "/metrics/all", headers={"Accept-Encoding": coding})
            with open(f"/proc/{e.process.pid}/status", encoding="ascii") as f:
                return 1024 * int(re.search(r"VmHWM:\s*(\d+) kB", f.read())[1])

    def test_memory_fits(self):
        nobody = "http://127.0.0.1:9"
        for overlay, key, scenarios, env in (
                ("sidecar-job", "Job/encode", 10, {"PROMETHEUS_URL": nobody}),
                ("deployment", "Deployment/encode-exporter", 20000, {}),
                ("daemonset", "DaemonSet/encode-exporter-node", 10000, {})):
            pod = manifests.template(manifests.rendered(f"overlays/{overlay}")[key])["spec"]
            container = manifests.exporter(pod)
            used = self.used(container, scenarios, **env)
            asked = manifests.amount(container["resources"]["requests"]["memory"])
            limit = manifests.amount(container["resources"]["limits"]["memory"])
            print(f"{overlay}: {used / 2**20:.1f} MiB for {scenarios} scenarios")
            self.assertLessEqual(used, asked, overlay)
            self.assertGreater(used, asked / 8, overlay)
            self.assertLess(2 * used, limit, overlay)


if __name__ == "__main__":
    harness.main()
