#!/usr/bin/env python3
# ctest: timeout 180
"""deploy/docker/compose.yaml: complete, careful, and started.

No registry is asked, so what comes up are Debian's programs in place of the images, with
the commands, files and variables of the compose file. Grafana is not among them; its
variables are compared with the provisioning files that read them.
"""

import glob
import json
import os
import re
import shutil
import socket
import subprocess
import unittest
import urllib.request

import yaml

import harness

HERE = os.path.join(harness.ROOT, "deploy", "docker")
PROGRAMS = {"victoria-metrics": "victoria-metrics", "vmalert": "vmalert",
            "alertmanager": "prometheus-alertmanager", "prometheus": "prometheus"}
PORTS = {"victoria-metrics": 8428, "vmalert": 8880, "alertmanager": 9093,
         "prometheus": 9090}
LISTEN = {"victoria-metrics": "-httpListenAddr=", "vmalert": "-httpListenAddr=",
          "alertmanager": "--web.listen-address=", "prometheus": "--web.listen-address="}
VARIABLE = re.compile(r"\$\{(\w+)(?:(:-|:\?)([^}]*))?\}")


def read(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        return f.read()


def example():
    """Variables of .env.example, as they are there."""
    return dict(line.split("=", 1) for line in read(".env.example").splitlines()
                if line and not line.startswith("#"))


def interpolate(text, variables):
    """As compose does: ${NAME}, ${NAME:-default}, ${NAME:?what is missing}."""
    def value(found):
        name, kind, rest = found.groups()
        if variables.get(name):
            return variables[name]
        if kind == ":?":
            raise KeyError(f"{name}: {rest}")
        return rest or ""
    return VARIABLE.sub(value, text)


def compose(name="compose.yaml", **variables):
    text = "".join(line for line in read(name).splitlines(keepends=True)
                   if not line.lstrip().startswith("#"))
    return yaml.safe_load(interpolate(text, {**example(), **variables}))


def services(**variables):
    return compose(GRAFANA_PASSWORD="made for this test", **variables)["services"]


def mounts(service):
    """(what, where, how) of the files and directories that are mounted."""
    for entry in service.get("volumes", []):
        source, target, *mode = entry.split(":")
        yield source, target, mode


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class DockerfileTest(unittest.TestCase):
    def test_it_installs_what_a_build_needs(self):
        with open(os.path.join(harness.ROOT, "dev"), encoding="utf-8") as f:
            wanted = re.search(r"packages_build='([^']*)'", f.read())[1].split()
        stage = read("Dockerfile").split("WORKDIR")[0]
        installed = stage.split("--no-install-recommends")[1].replace("\\", " ").split()
        self.assertEqual(sorted(installed), sorted(wanted))


class ComposeFileTest(unittest.TestCase):
    def test_every_variable_is_in_the_example_with_the_same_default(self):
        variables = example()
        found = VARIABLE.findall(read("compose.yaml") + read("compose.power.yaml"))
        self.assertEqual({f[0] for f in found} - set(variables), set())
        # Compose itself reads this one.
        self.assertEqual(set(variables) - {f[0] for f in found}, {"COMPOSE_PROFILES"})
        for name, kind, default in found:
            if kind == ":-" and name != "NEWEST":    # the example runs need another
                self.assertEqual(variables[name], default, name)

    def test_without_a_password_nothing_starts(self):
        self.assertEqual(example()["GRAFANA_PASSWORD"], "")
        with self.assertRaisesRegex(KeyError, "GRAFANA_PASSWORD"):
            compose()

    def test_all_that_is_mounted_is_there(self):
        volumes = compose(GRAFANA_PASSWORD="x")["volumes"]
        for name, service in services().items():
            for source, _, mode in mounts(service):
                if source.startswith((".", "/")):
                    self.assertTrue(os.path.exists(os.path.join(HERE, source)), source)
                    self.assertEqual(mode, ["ro"], f"{name}: {source}")
                else:
                    self.assertIn(source, volumes)

    def test_services_have_few_rights_and_answer_this_machine_alone(self):
        for name, service in services().items():
            self.assertEqual(service["cap_drop"], ["ALL"], name)
            self.assertIn("no-new-privileges:true", service["security_opt"])
            self.assertIn("mem_limit", service)
            self.assertRegex(service["image"], r":[a-z0-9.]+$")
            self.assertNotIn("privileged", service)
            for port in service["ports"]:
                self.assertTrue(port.startswith("127.0.0.1:"), port)
            if name not in ("exporter", "grafana"):
                self.assertTrue(service["healthcheck"]["test"])
            if name != "grafana":
                self.assertTrue(service["read_only"], name)
        self.assertEqual(services()["exporter"]["user"], "65532:65532")
        for port in services(BIND="192.0.2.1")["exporter"]["ports"]:
            self.assertTrue(port.startswith("192.0.2.1:"), port)

    def test_provisioning_finds_all_variables_that_it_reads(self):
        grafana = services()["grafana"]
        known = set(grafana["environment"])
        top = os.path.join(harness.ROOT, "deploy", "grafana", "provisioning")
        wanted = set()
        for directory, _, names in os.walk(top):
            for name in names:
                with open(os.path.join(directory, name), encoding="utf-8") as f:
                    text = re.sub(r"(?m)^\s*#.*", "", f.read())
                wanted |= set(re.findall(r"\$\{?(ENCODE_\w+)", text))
        self.assertTrue(wanted)
        self.assertLessEqual(wanted, known)
        targets = [target for _, target, _ in mounts(grafana)]
        self.assertIn(grafana["environment"]["ENCODE_DASHBOARDS"], targets)

    def test_power_is_read_with_no_more_than_it_takes(self):
        base = services()["exporter"]
        more = compose("compose.power.yaml")["services"]["exporter"]
        self.assertEqual(more["volumes"], ["/sys:/host/sys:ro"])
        self.assertEqual(more["command"][:len(base["command"])], base["command"])
        self.assertEqual(set(more), {"user", "command", "volumes"})

    def test_the_exporter_takes_its_flags(self):
        for name in ("compose.yaml", "compose.power.yaml"):
            service = compose(name, GRAFANA_PASSWORD="x")["services"]["exporter"]
            done = harness.run("--check-config", "--results-dir", harness.DATA,
                               *service["command"],
                               env=services()["exporter"]["environment"])
            self.assertEqual(done.returncode, 0, done.stderr)


class Stack:
    """The services of compose.yaml as processes of this machine."""

    def __init__(self, test, profile):
        self.test = test
        self.scratch = harness.temp_dir()
        test.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        self.services = {name: service for name, service in services().items()
                         if name in PROGRAMS and profile in service.get("profiles", [profile])}
        self.ports = {name: free_port() for name in self.services}
        exporter = services()["exporter"]
        self.exporter = harness.Exporter(
            *exporter["command"], directory=os.path.join(HERE, example()["ENCODE_RESULTS"]),
            env=exporter["environment"])
        test.enterContext(self.exporter)

    def here(self, text):
        """Addresses of the stack's network become ours."""
        for endpoint, port in (("results", 9502), ("qoe", 9503), ("cost", 9504)):
            text = text.replace(f"exporter:{port}", f"127.0.0.1:{self.exporter.ports[endpoint]}")
        for name, port in self.ports.items():
            text = text.replace(f"{name}:{PORTS[name]}", f"127.0.0.1:{port}")
        return text

    def place(self, name, source):
        """Where that lies here which the container sees; files with addresses in a copy."""
        path = os.path.join(HERE, source)
        if not source.startswith("."):
            return os.path.join(self.scratch, name)
        if os.path.isfile(path):
            copy = os.path.join(self.scratch, f"{name}.{os.path.basename(source)}")
            with open(path, encoding="utf-8") as f, open(copy, "w", encoding="utf-8") as to:
                to.write(self.paths(name, self.here(f.read())))
            return copy
        return path

    def paths(self, name, text):
        """Places in the container become those that are mounted there."""
        sources = {target: source for source, target, _ in mounts(self.services[name])}
        any_of = "|".join(map(re.escape, sources))
        return re.sub(rf"(?<![\w/.])({any_of})(?![\w.-])",
                      lambda found: self.place(name, sources[found[1]]), text)

    def start(self, name):
        command = [PROGRAMS[name]]
        command += [self.paths(name, self.here(flag)) for flag in self.services[name]["command"]]
        command.append(LISTEN[name] + f"127.0.0.1:{self.ports[name]}")
        log = os.path.join(self.scratch, name + ".log")
        with open(log, "wb") as f:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=f, stderr=f,
                                       cwd=self.scratch, env=harness.environment())
        self.test.addCleanup(self.end, process)

        def healthy():
            if process.poll() is not None:
                with open(log, encoding="utf-8", errors="replace") as f:
                    raise AssertionError(f"{command} ended:\n{f.read()[-3000:]}")
            return self.health(name)
        harness.wait_until(healthy, timeout=60, what=f"{name} is healthy")

    def health(self, name):
        """By the address that the health check of the compose file asks."""
        path = self.services[name]["healthcheck"]["test"][-1].split("/", 3)[3]
        try:
            self.get(name, "/" + path)
            return True
        except OSError:
            return False

    def get(self, name, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name]}{path}",
                                    timeout=20) as reply:
            return reply.read().decode()

    @staticmethod
    def end(process):
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class StackTest(unittest.TestCase):
    def setUp(self):
        missing = [p for p in PROGRAMS.values() if not shutil.which(p)]
        if missing:
            self.skipTest("no " + ", ".join(missing))

    def up(self, profile, *names):
        stack = Stack(self, profile)
        self.assertEqual(set(stack.services), set(names))
        for name in names:
            stack.start(name)
        return stack

    def query(self, stack, name, expression):
        answer = json.loads(stack.get(name, "/api/v1/query?query=" + expression))
        return answer["data"]["result"]

    def wait_for_rules(self, stack, name):
        """All of the files are loaded; the frequent ones are evaluated without an error."""
        def groups():
            return json.loads(stack.get(name, "/api/v1/rules"))["data"]["groups"]

        def evaluated():
            rules = [rule for group in groups() for rule in group["rules"]
                     if group["interval"] <= 15]
            done = rules and not any(r["lastEvaluation"].startswith("0001") for r in rules)
            return rules if done else None
        wanted = set()
        for path in glob.glob(os.path.join(HERE, "..", "prometheus", "rules", "*.yml")):
            with open(path, encoding="utf-8") as f:
                wanted |= {group["name"] for group in yaml.safe_load(f)["groups"]}
        self.assertEqual({group["name"] for group in groups()}, wanted)
        rules = harness.wait_until(evaluated, timeout=60, what="rules are evaluated")
        self.assertEqual([r["name"] for r in rules if r.get("lastError")], [])

    def scraped(self, stack, name):
        harness.wait_until(lambda: len(self.query(stack, name, "up==1")) == 3, timeout=60,
                           what="all endpoints scraped")
        currencies = self.query(stack, name, "count(cost_total_load_aware)by(currency)")
        self.assertEqual({row["metric"]["currency"] for row in currencies},
                         set(example()["CURRENCY"].split(",")))

    def test_victoriametrics_scrapes_and_vmalert_evaluates(self):
        stack = self.up("victoriametrics", "victoria-metrics", "alertmanager", "vmalert")
        self.scraped(stack, "victoria-metrics")
        self.wait_for_rules(stack, "vmalert")
        # What vmalert tells by way of the database, as Grafana asks it.
        self.assertIn('"groups"', stack.get("victoria-metrics", "/api/v1/rules"))

    def test_prometheus_in_their_place(self):
        stack = self.up("prometheus", "prometheus", "alertmanager")
        self.scraped(stack, "prometheus")
        self.wait_for_rules(stack, "prometheus")
        harness.wait_until(lambda: json.loads(stack.get(
            "prometheus", "/api/v1/alertmanagers"))["data"]["activeAlertmanagers"],
            timeout=30, what="Prometheus knows Alertmanager")


if __name__ == "__main__":
    harness.main()
