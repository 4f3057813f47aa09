# ctest: timeout 240
"""Flags, environment and exit statuses of the real binary."""

import http.client
import json
import os
import re
import shutil
import socket
import unittest

import expo
import harness

# flags → what the one line must say beside the name of the flag: what is allowed
WRONG = [
    (["--no-such-flag"], "--no-such-flag", "--help"),
    (["--no-such-flag=1"], "--no-such-flag", "--help"),
    (["results"], "results", "--help"),
    (["-p", "1"], "-p", "--help"),
    (["--prometheus-url", "localhost:9090"], "--prometheus-url", "http://.*https://"),
    (["--upstream.power-query", "p{h=$host}"], "--upstream.power-query", "quotes"),
    (["--web.config.file"], "--web.config.file", "FILE"),
    (["--results-dir"], "--results-dir", "DIR"),
    (["--results-dir="], "--results-dir", "empty"),
    (["--results.listen-address", "nonsense"], "--results.listen-address", "[:]"),
    (["--qoe.listen-address", ":65536"], "--qoe.listen-address", "65535"),
    (["--cost.listen-address", "127.0.0.1:http"], "--cost.listen-address", "65535|port"),
    (["--results.listen-address=", "--qoe.listen-address=", "--cost.listen-address="],
     "listen", "nothing to serve"),
    (["--port", "9502"], "--port", "--only"),
    (["--port", "9502"], "--port", "--results.listen-address"),
    (["--only", "results", "--port", "70000"], "--port", "65535"),
    (["--only", "everything"], "--only", "results.*qoe.*cost"),
    (["--energy-cost", "cheap"], "--energy-cost", "number"),
    (["--energy-cost", "-1"], "--energy-cost", "0"),
    (["--energy-cost", "nan"], "--energy-cost", "number"),
    (["--cpu-cost", "0.5x"], "--cpu-cost", "number"),
    (["--cpu-cost="], "--cpu-cost", "number"),
    (["--gpu-cost", "1e999"], "--gpu-cost", "number"),
    (["--wall-clock-cores", "-2"], "--wall-clock-cores", "number"),
    (["--pue", "0.9"], "--pue", "1"),
    (["--pue", "10.1"], "--pue", "10"),
    (["--currency", "dollars"], "--currency", "[A-Z]{3}|three|ISO"),
    (["--currency", "USD,,EUR"], "--currency", "[A-Z]{3}|three|ISO"),
    (["--currency", "GBP"], "--currency|GBP", "rate"),
    (["--newest", "old"], "--newest", "auto.*name.*mtime"),
    (["--runs", "0"], "--runs", "latest.*all"),
    (["--runs", "-1"], "--runs", "latest.*all"),
    (["--runs", "some"], "--runs", "latest.*all"),
    (["--watch", "closely"], "--watch", "auto.*inotify.*poll"),
    (["--poll-interval", "0"], "--poll-interval", "500ms"),
    (["--poll-interval", "5"], "--poll-interval", "500ms"),
    (["--poll-interval", "soon"], "--poll-interval", "500ms"),
    (["--max-file-size", "10XB"], "--max-file-size", "MiB"),
    (["--max-file-size", "0"], "--max-file-size", "1"),
    (["--max-scenarios", "0"], "--max-scenarios", "1"),
    (["--max-scenarios", "1.5"], "--max-scenarios", "whole number"),
    (["--web.max-connections", "0"], "--web.max-connections", "1"),
    (["--web.read-timeout", "never"], "--web.read-timeout", "500ms"),
    (["--log.level", "loud"], "--log.level", "debug.*info.*warn.*error"),
    (["--log.format", "xml"], "--log.format", "logfmt.*json"),
    (["--once", "nothing"], "--once", "results.*qoe.*cost.*all"),
    (["--once", "qoe", "--only", "cost"], "--once", "--only"),
    (["--check-config=perhaps"], "--check-config", "true|value"),
]

WRONG_VARIABLES = [
    ({"RESULTS_EXPORTER_PORT": "http"}, "RESULTS_EXPORTER_PORT", "65535"),
    ({"QOE_EXPORTER_PORT": "-1"}, "QOE_EXPORTER_PORT", "65535"),
    ({"COST_EXPORTER_PORT": "99999"}, "COST_EXPORTER_PORT", "65535"),
    ({"ENERGY_COST": "cheap"}, "ENERGY_COST", "number"),
    ({"CPU_COST_PER_HOUR": "x"}, "CPU_COST_PER_HOUR", "number"),
    ({"GPU_COST": "x"}, "GPU_COST", "number"),
    ({"CURRENCY": "dollars"}, "CURRENCY", "[A-Z]{3}|three|ISO"),
]


class Wrong(unittest.TestCase):
    def refused(self, done, name, allowed):
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertRegex(lines[0], name)
        self.assertRegex(lines[0], allowed)

    def test_a_wrong_flag_is_one_line_and_status_2(self):
        for flags, name, allowed in WRONG:
            with self.subTest(" ".join(flags)):
                self.refused(harness.run(*flags), name, allowed)

    def test_a_wrong_variable_is_named(self):
        for variables, name, allowed in WRONG_VARIABLES:
            with self.subTest(str(variables)):
                self.refused(harness.run("--check-config", env=variables), name, allowed)

    def test_the_last_of_two_equal_flags_counts(self):
        with harness.Exporter("--runs", "latest", "--runs", "all",
                              files=harness.data_files("python-era")) as e:
            runs = {s.labels["run_id"] for s in
                    e.metrics("results").samples("results_scenario_duration_seconds")}
        self.assertEqual(len(runs), len(harness.data_files("python-era")))


class Information(unittest.TestCase):
    def test_version_names_what_it_is_made_of(self):
        done = harness.run("--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for what in ("encode_exporter", r"\d+\.\d+\.\d+", "gcc|clang", "libuv",
                     "llhttp", "simdjson"):
            self.assertRegex(done.stdout, what)

    def test_help_fits_a_screen(self):
        done = harness.run("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        self.assertLessEqual(len(lines), 24)
        self.assertLessEqual(max(map(len, lines)), 88)

    def test_each_topic_fits_a_screen_and_all_are_shown(self):
        overview = harness.run("--help").stdout
        topics = re.findall(r"^  (\w+) {2,}\S", overview, re.M)
        self.assertGreaterEqual(len(topics), 4)
        shown = set()
        for topic in topics:
            done = harness.run("--help", topic)
            self.assertEqual(done.returncode, 0)
            self.assertLessEqual(len(done.stdout.splitlines()), 48, topic)
            shown |= set(re.findall(r"^  (--[a-z.-]+)", done.stdout, re.M))
        every = set(re.findall(r"^  (--[a-z.-]+)", harness.run("--help", "all").stdout,
                               re.M))
        self.assertEqual(shown, every)
        self.assertIn("--results-dir", every)
        self.assertIn("--energy-cost", every)

    def test_an_unknown_topic_is_a_wrong_value(self):
        done = harness.run("--help", "nonsense")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertIn("nonsense", done.stderr)

    def test_help_and_version_need_nothing_else_to_be_right(self):
        for flag in ("--help", "--version"):
            done = harness.run("--runs", "some", flag, env={"ENERGY_COST": "cheap"})
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_readme_shows_these_flags(self):
        with open(os.path.join(harness.ROOT, "README.md"), encoding="utf-8") as f:
            readme = f.read()
        found = re.search(r"<!-- flags: [^\n]* -->\n(.*?)<!-- end of flags -->\n", readme,
                          re.S)
        self.assertIsNotNone(found)
        self.assertEqual(found[1], harness.run("--help", "markdown").stdout,
                         "./dev docs writes the table anew")


class CheckConfig(unittest.TestCase):
    def setUp(self):
        self.directory = harness.temp_dir()
        self.addCleanup(lambda: shutil.rmtree(self.directory))

    def pricing(self, text):
        path = os.path.join(self.directory, "pricing.json")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def test_a_good_configuration(self):
        path = self.pricing('{"electricity_prices": {"default": 0.2}}')
        done = harness.run("--check-config", "--pricing-config", path)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_bad_pricing_file_names_file_key_and_reason(self):
        for text, key in [('{"electricity_prices": {"default": -1}}', "default"),
                          ('{"regions": {"a": {"electricity_price": 1, "currency": "XX"}}}',
                           "currency"),
                          ('{"cpu_cost_per_hour": "much"}', "cpu_cost_per_hour"),
                          ('{"electricity_prices": 3}', "electricity_prices"),
                          ("{", "")]:
            with self.subTest(text):
                path = self.pricing(text)
                done = harness.run("--check-config", "--pricing-config", path)
                self.assertIn(done.returncode, (1, 2), done.stderr)
                self.assertIn("pricing.json", done.stderr)
                self.assertIn(key, done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_a_missing_pricing_file(self):
        path = os.path.join(self.directory, "missing.json")
        done = harness.run("--check-config", "--pricing-config", path)
        self.assertIn(done.returncode, (1, 2), done.stderr)
        self.assertIn(path, done.stderr)
        done = harness.run("--check-config", env={"PRICING_CONFIG": path})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(path, done.stderr)

    def test_it_opens_no_port(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            done = harness.run("--check-config", "--results.listen-address", address)
            self.assertEqual(done.returncode, 0, done.stderr)


class Environment(unittest.TestCase):
    FILES = harness.data_files("go-era")

    def price(self, env, *flags):
        with harness.Exporter(*flags, env=env, files=self.FILES, listen=("cost",)) as e:
            return e.metrics("cost").samples("cost_electricity_price_per_kwh")[0]

    def test_variables_set_what_flags_set(self):
        sample = self.price({"ENERGY_COST": "0.25", "CURRENCY": "EUR",
                             "REGION": "us-west-2"})
        self.assertEqual((sample.value, sample.labels),
                         (0.25, {"region": "us-west-2", "currency": "EUR"}))

    def test_the_other_names_of_a_variable(self):
        self.assertEqual(self.price({"ENERGY_COST_PER_KWH": "0.33"}).value, 0.33)

    def test_a_flag_wins(self):
        sample = self.price({"ENERGY_COST": "0.25", "REGION": "us-west-2"},
                            "--energy-cost=0.5", "--region", "us-east-1")
        self.assertEqual((sample.value, sample.labels["region"]), (0.5, "us-east-1"))

    def test_the_variable_energy_cost_0_means_unset_and_the_flag_means_free(self):
        self.assertEqual(self.price({"ENERGY_COST": "0"}).value, 0.12)
        self.assertEqual(self.price({}, "--energy-cost", "0").value, 0)

    def test_ports_come_from_variables(self):
        env = {f"{name.upper()}_EXPORTER_PORT": "0" for name in harness.ENDPOINTS}
        with harness.Exporter(env=env, files=self.FILES, listen=None) as e:
            for endpoint in harness.ENDPOINTS:
                self.assertNotIn(e.ports[endpoint], (9502, 9503, 9504))
                self.assertEqual(e.get(endpoint, "/health").body, b"OK\n")

    def test_the_directory_comes_from_a_variable(self):
        directory = os.path.dirname(self.FILES[0])
        done = harness.run("--once=qoe", env={"RESULTS_DIR": directory})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("qoe_vmaf_score", expo.parse(done.stdout_bytes))

    def test_ignored_variables_and_flags_are_told_once(self):
        env = {"RESULTS_EXPORTER_CACHE_SECONDS": "60", "MODEL_PATH": "/models"}
        with harness.Exporter("--model-path", "/models", env=env,
                              files=self.FILES) as e:
            for name in ("RESULTS_EXPORTER_CACHE_SECONDS", "MODEL_PATH", "--model-path"):
                self.assertEqual(e.log_count(re.escape(name)), 1, name)
            self.assertEqual(e.log_count(r"level=warn.*model-path"), 1)


class Addresses(unittest.TestCase):
    FILES = harness.data_files("go-era")

    def test_an_empty_address_turns_an_endpoint_off(self):
        with harness.Exporter(files=self.FILES, listen=("qoe",)) as e:
            self.assertEqual(set(e.ports), {"qoe"})
            self.assertIn("qoe_vmaf_score", e.metrics("qoe"))
            # The first endpoint that is on tells of the process.
            self.assertIn("process_start_time_seconds", e.metrics("qoe"))

    def test_only_one_module_on_one_port(self):
        with harness.Exporter("--only", "cost", "--port", "0", files=self.FILES,
                              listen=(), ready=False) as e:
            line = e.wait_log("msg=listening endpoint=cost")
            e.ports["cost"] = int(re.search(r"address=\S*:(\d+)", line)[1])
            harness.wait_until(lambda: e.get("cost", "/ready").status == 200)
            everything = e.metrics("cost", "/metrics/all")
            self.assertIn("cost_total_load_aware", everything)
            self.assertNotIn("results_scenario_duration_seconds", everything)
            self.assertEqual(e.log_count("msg=listening"), 1)

    def test_no_host_means_both_families(self):
        with harness.Exporter("--cost.listen-address=:0", files=self.FILES,
                              listen=("results", "qoe"), ready=False) as e:
            line = e.wait_log("msg=listening endpoint=cost")
            port = int(re.search(r"address=\S*:(\d+)", line)[1])
            hosts = ["127.0.0.1"]
            try:
                with socket.create_server(("::1", 0), family=socket.AF_INET6):
                    hosts.append("::1")
            except OSError:
                pass
            for host in hosts:
                client = http.client.HTTPConnection(host, port, timeout=10)
                client.request("GET", "/health")
                self.assertEqual(client.getresponse().read(), b"OK\n")
                client.close()

    def test_a_unix_socket(self):
        directory = harness.temp_dir()
        self.addCleanup(lambda: shutil.rmtree(directory))
        path = os.path.join(directory, "cost.sock")
        with harness.Exporter(f"--cost.listen-address=unix:{path}", files=self.FILES,
                              listen=("results",)) as e:
            self.assertIn(path, e.wait_log("msg=listening endpoint=cost"))
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(10)
                s.connect(path)
                s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                answer = b""
                while chunk := s.recv(65536):
                    answer += chunk
            head, _, body = answer.partition(b"\r\n\r\n")
            self.assertTrue(head.startswith(b"HTTP/1.1 200 "), head)
            self.assertIn("cost_total_load_aware", expo.parse(body))

    def test_descriptors_are_kept_for_files(self):
        # 200 descriptors, 128 of them for other things than clients.
        with harness.Exporter(files=harness.data_files("go-era"),
                              wrapper=("prlimit", "--nofile=200:200")) as e:
            self.assertRegex(e.wait_log("fewer connections than --web.max-connections"),
                             r"connections=72\b")
            self.assertEqual(e.get("cost").status, 200)

    def test_a_port_that_is_taken_is_one_line_and_status_1(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            directory = harness.temp_dir()
            self.addCleanup(lambda: shutil.rmtree(directory))
            done = harness.run(
                "--results-dir", directory, "--results.listen-address", "127.0.0.1:0",
                "--qoe.listen-address", address, "--cost.listen-address", "127.0.0.1:0")
            self.assertEqual(done.returncode, 1, done.stderr)
            lines = [line for line in done.stderr.splitlines() if address in line]
            self.assertEqual(len(lines), 1, done.stderr)
            self.assertRegex(lines[0], "in use")
            self.assertNotIn("msg=listening", done.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become somebody else")
    def test_a_directory_without_permission_is_one_line_and_status_1(self):
        e = harness.Exporter(user=harness.NOBODY, files=self.FILES, ready=False)
        os.mkdir(e.directory)
        os.chmod(e.directory, 0o700)
        self.addCleanup(e.clean)
        self.addCleanup(e.kill)
        try:
            e.start()
        except AssertionError:
            pass    # it may end before it listens
        self.assertEqual(e.process.wait(20), 1)
        e.reader.join(5)
        lines = [line for line in e.lines if e.directory in line]
        self.assertEqual(len(lines), 1, e.log)
        self.assertRegex(lines[0], "(?i)permission")


class HealthCheck(unittest.TestCase):
    def test_it_asks_the_exporter_with_the_same_flags(self):
        with harness.Exporter(files=harness.data_files("go-era")) as e:
            for endpoint in harness.ENDPOINTS:
                flags = [f"--{other}.listen-address=" for other in harness.ENDPOINTS
                         if other != endpoint]
                done = harness.run(
                    f"--{endpoint}.listen-address=127.0.0.1:{e.ports[endpoint]}", *flags,
                    "--health-check")
                self.assertEqual(done.returncode, 0, done.stderr)
            # A port on all addresses is asked on loopback.
            done = harness.run("--only=results", f"--port={e.ports['results']}",
                               "--health-check")
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_nobody_there_is_status_1(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))    # bound but not listening: refused
            address = "127.0.0.1:%d" % s.getsockname()[1]
            done = harness.run("--results.listen-address", address, "--health-check",
                               "--qoe.listen-address=", "--cost.listen-address=")
            self.assertEqual(done.returncode, 1)
            self.assertIn(address, done.stderr)

    def test_somebody_who_never_answers_is_status_1(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            address = "127.0.0.1:%d" % s.getsockname()[1]
            done = harness.run("--results.listen-address", address, "--health-check",
                               "--qoe.listen-address=", "--cost.listen-address=",
                               timeout=60)
            self.assertEqual(done.returncode, 1, done.stderr)


class Log(unittest.TestCase):
    def test_json_lines_are_json(self):
        e = harness.Exporter("--log.format", "json", "--only=results", "--port=0",
                             files=harness.data_files("go-era"), listen=(), ready=False)
        with e:
            e.wait_log('"listening"')
        lines = [json.loads(line) for line in e.lines]
        self.assertTrue(all(isinstance(x["msg"], str) and x["level"] for x in lines))

    def test_errors_alone(self):
        e = harness.Exporter("--log.level=error", "--only=results", "--port=0",
                             files=harness.data_files("go-era"), listen=(), ready=False)
        with e:
            harness.wait_until(lambda: "socket:" in os.popen(
                f"ls -l /proc/{e.process.pid}/fd").read())
        self.assertEqual(e.lines, [])


if __name__ == "__main__":
    harness.main()
