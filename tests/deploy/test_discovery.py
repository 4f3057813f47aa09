#!/usr/bin/env python3
# ctest: timeout 120
"""A real VictoriaMetrics finds the pods of deploy/kubernetes by
deploy/prometheus/prometheus-kubernetes.yml: native sidecars too, none twice. Debian's
Prometheus is built without the discovery of Kubernetes.

What it asks stands in for the API server: it lists the pods that the manifests make.
"""

import http.server
import json
import os
import threading
import unittest
import urllib.request

import harness
import manifests
import peers

CONFIG = os.path.join(harness.ROOT, "deploy", "prometheus", "prometheus-kubernetes.yml")
NODE = "node-1"


def pods():
    """{overlay: pod as an API server has it, running at an address of its own}."""
    found = {}
    for number, name in enumerate(n for n in manifests.directories() if "overlays" in n):
        for thing in manifests.rendered(name).values():
            template = manifests.template(thing)
            if template:
                address = f"127.0.1.{number + 1}"
                pod = json.loads(json.dumps(template))
                pod["metadata"].update(name=os.path.basename(name), namespace="videos",
                                       uid=str(number))
                pod["spec"]["nodeName"] = NODE
                pod["status"] = {"phase": "Running", "podIP": address, "hostIP": "10.0.0.1",
                                 "podIPs": [{"ip": address}]}
                found[os.path.basename(name)] = pod
    return found


class Api(http.server.BaseHTTPRequestHandler):
    """GET /api/v1/pods: the list, or a watch in which nothing ever changes."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):    # noqa: N802
        self.server.asked.append(self.path)
        if "watch=" in self.path:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Connection", "close")
            self.end_headers()
            self.server.over.wait(100)
            return
        items = list(self.server.pods.values()) if "/pods" in self.path else []
        body = json.dumps({"kind": "PodList", "apiVersion": "v1", "items": items,
                           "metadata": {"resourceVersion": "1"}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class DiscoveryTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pods = pods()
        cls.api = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
        cls.api.daemon_threads = True
        cls.api.pods, cls.api.asked, cls.api.over = cls.pods, [], threading.Event()
        threading.Thread(target=cls.api.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.api.server_close)
        cls.addClassCleanup(cls.api.shutdown)
        cls.addClassCleanup(cls.api.over.set)
        cls.database = peers.Peer.named("victoria-metrics")
        cls.addClassCleanup(cls.database.stop)
        cls.database.start_with(cls.config())
        harness.wait_until(cls.database.answers, timeout=60, what="VictoriaMetrics answers")
        cls.targets = harness.wait_until(cls.found, timeout=60, what="targets")

    @classmethod
    def config(cls):
        """The file as it is, but for where the API server is, and what is not scraping."""
        with open(CONFIG, encoding="utf-8") as f:
            text = manifests.yaml.safe_load(f)
        for key in ("rule_files", "alerting"):
            text.pop(key, None)
        text["global"].pop("evaluation_interval", None)
        for job in text["scrape_configs"]:
            for discovery in job["kubernetes_sd_configs"]:
                discovery["api_server"] = "http://127.0.0.1:%d" % cls.api.server_port
        return manifests.yaml.safe_dump(text)

    @classmethod
    def found(cls):
        """{pod: [(job, URL, node)]} once every pod is among what was discovered."""
        url = f"http://127.0.0.1:{cls.database.port}/api/v1/targets"
        with urllib.request.urlopen(url, timeout=20) as reply:
            data = json.load(reply)["data"]
        seen = {t["discoveredLabels"]["__meta_kubernetes_pod_name"]
                for t in data["activeTargets"] + data["droppedTargets"]}
        if seen != set(cls.pods):
            return None
        targets = {}
        for target in data["activeTargets"]:
            labels = target["labels"]
            targets.setdefault(labels["pod"], []).append(
                (labels["job"], target["scrapeUrl"], labels["node"]))
        return {pod: sorted(found) for pod, found in targets.items()}

    def test_every_pod_is_found_once(self):
        for name, pod in self.pods.items():
            address = pod["status"]["podIP"]
            job = pod["metadata"]["labels"]["app.kubernetes.io/component"] == "job"
            if job:
                wanted = [("encode-jobs", f"http://{address}:9502/metrics/all", NODE)]
            elif name.endswith("-annotations"):
                wanted = [("encode", f"http://{address}:9502/metrics/all", NODE)]
            else:
                wanted = [(f"encode-{endpoint}", f"http://{address}:{port}/metrics", NODE)
                          for endpoint, port in (("cost", 9504), ("qoe", 9503),
                                                 ("results", 9502))]
            self.assertEqual(self.targets.get(name), wanted, name)

    def test_the_sidecar_is_an_init_container(self):
        """Whatever drops these would drop it."""
        spec = self.pods["sidecar-job"]["spec"]
        self.assertEqual([c["name"] for c in spec["initContainers"]], ["encode-exporter"])
        self.assertIn("sidecar-job", self.targets)


if __name__ == "__main__":
    harness.main()
