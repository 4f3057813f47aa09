#!/usr/bin/env python3
# ctest: timeout 900
"""The images of deploy/docker/Dockerfile: built, looked into, and run by podman and runc."""

import contextlib
import json
import os
import re
import shutil
import stat
import subprocess
import threading
import unittest

import harness
import image
import web

MAX_BYTES = 120_000_000
# Debian's ffmpeg brings some hundred libraries.
ENCODER_MAX_BYTES = 600_000_000
HARDENED = ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges")
# That of the page, and those that flags open.
LIBRARIES = ("compare.so", "compute.so", "live.so", "page.so", "predict.so", "record.so",
             "transport_tls.so", "upstream.so", "web_toolbox.so")
# An ffmpeg of the user's own: Debian's in an image that has nothing of ours.
OWN_FFMPEG = """\
FROM {encoder}
USER 0:0
RUN rm -r /usr/bin/encode_exporter /usr/lib/*/encode_exporter \\
    && dpkg --purge libuv1 libsimdjson14
ENTRYPOINT []
"""
COMPILERS = re.compile(r"(.*-)?(gcc|g\+\+|cc|c\+\+|cpp|as|ld|clang|make|cmake|ninja|git|ffmpeg)"
                       r"(-[0-9.]+)?")
WASTE = re.compile(r"/var/(lib/apt/lists|cache/(apt|fontconfig)|log|tmp)/|/tmp/|aux-cache$"
                   r"|/src/|\.(a|h|o)$")


def setUpModule():
    image.require()


class Container:
    """One container of the image; its end takes it away."""

    def __init__(self, engine, *arguments, options=HARDENED, results, network="none"):
        self.engine = engine
        self.name = engine.podman(
            "run", "--detach", f"--network={network}", *options,
            "--volume", f"{results}:/results:ro", image.IMAGE, *arguments).strip()

    def state(self):
        return json.loads(self.engine.podman("inspect", self.name))[0]["State"]

    def log(self):
        return subprocess.run(["podman", "logs", self.name], env=self.engine.environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=60, check=True).stdout

    def wait_log(self, pattern):
        def seen():
            if self.state()["Status"] not in ("running", "stopping"):
                raise AssertionError("it ended:\n" + self.log())
            return re.search(pattern, self.log())
        return harness.wait_until(seen, timeout=30, what=pattern)

    def get(self, url, *options):
        """From the machine's side of the container's network."""
        return image.run(["nsenter", "--target", str(self.state()["Pid"]), "--net", "curl",
                          "--silent", "--show-error", "--fail", *options, url])

    def healthy(self):
        return subprocess.run(["podman", "healthcheck", "run", self.name],
                              env=self.engine.environment, capture_output=True, timeout=60,
                              check=False).returncode == 0

    def stop(self, seconds=20):
        """Exit status after SIGTERM; 137 would tell of SIGKILL."""
        self.engine.podman("stop", f"--time={seconds}", self.name)
        return self.state()["ExitCode"]


class ImageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        archives = image.build()
        cls.engine = image.Engine()
        cls.addClassCleanup(cls.engine.close)
        for archive in archives:
            cls.engine.load(archive)

    def results(self):
        directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        return directory

    def inspect(self, name=image.IMAGE):
        return json.loads(self.engine.podman("image", "inspect", name))[0]

    # ---- what it says of itself -----------------------------------------------------
    def test_its_settings_are_those_of_a_service_without_rights(self):
        about = self.inspect()
        config = about["Config"]
        self.assertEqual(config["User"], "65532:65532")
        self.assertEqual(config["Entrypoint"], ["encode_exporter"])
        self.assertEqual(sorted(config["ExposedPorts"]), ["9502/tcp", "9503/tcp", "9504/tcp"])
        self.assertEqual(config["StopSignal"], "SIGTERM")
        self.assertIn("RESULTS_DIR=/results", config["Env"])
        self.assertEqual(about["Healthcheck"]["Test"],
                         ["CMD", "encode_exporter", "--health-check"])
        for period in ("Interval", "Timeout", "StartPeriod", "Retries"):
            self.assertGreater(about["Healthcheck"][period], 0)

    def test_the_encoder_serves_nothing(self):
        about = self.inspect(image.ENCODER)
        config = about["Config"]
        self.assertEqual(config["User"], "65532:65532")
        self.assertEqual(config["Entrypoint"], ["encode_exporter", "record"])
        self.assertEqual(config["StopSignal"], "SIGTERM")
        self.assertIn("RESULTS_DIR=/results", config["Env"])
        self.assertNotIn("ExposedPorts", config)
        self.assertFalse(about.get("Healthcheck"))
        self.assertLessEqual(about["Size"], ENCODER_MAX_BYTES)

    def test_its_labels_tell_what_it_is(self):
        self.labels(self.inspect(image.ENCODER), "encode_exporter with ffmpeg")
        labels = self.labels(self.inspect(), "encode_exporter")
        told = self.engine.podman("run", "--rm", "--network=none", image.IMAGE, "--version")
        self.assertIn(f"encode_exporter {labels['version']} (revision {labels['revision']}, ",
                      told)

    def labels(self, about, title):
        labels = {key.removeprefix("org.opencontainers.image."): value
                  for key, value in about["Labels"].items()}
        self.assertEqual(labels["title"], title)
        self.assertEqual(labels["licenses"], "Apache-2.0")
        self.assertRegex(labels["version"], r"^\d+\.\d+\.\d+$")
        # Both are the time of the tree, not that of the build.
        self.assertEqual(labels["created"], about["Created"])
        return labels

    # ---- what is in it --------------------------------------------------------------
    def test_it_is_small_and_holds_no_compiler_and_no_waste(self):
        self.assertLessEqual(self.inspect()["Size"], MAX_BYTES)
        top = self.engine.podman("image", "mount", image.IMAGE).strip()
        try:
            short = self.files_without_setuid(top)
            self.assertEqual([n for n in short if re.search(r"/s?bin/[^/]*$", n)
                              and COMPILERS.fullmatch(os.path.basename(n))], [])
            self.assertEqual([n for n in short if WASTE.search(n)], [])
            libraries = [n for n in short if "/encode_exporter/" in n and n.endswith(".so")]
            self.assertLessEqual(set(LIBRARIES), set(map(os.path.basename, libraries)))
            self.lacks_nothing(libraries)
        finally:
            self.engine.podman("image", "unmount", image.IMAGE)

    def files_without_setuid(self, top):
        """Names of all files of an image that is mounted at top."""
        files = [os.path.join(directory, name)
                 for directory, _, names in os.walk(top) for name in names]
        self.assertGreater(len(files), 1000)
        for path in files:
            mode = os.lstat(path).st_mode
            self.assertFalse(stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID),
                             path)
        return [path[len(top):] for path in files]

    def test_the_encoder_holds_no_waste(self):
        top = self.engine.podman("image", "mount", image.ENCODER).strip()
        try:
            names = self.files_without_setuid(top)
            self.assertIn("/usr/bin/ffmpeg", names)
            self.assertEqual([n for n in names if WASTE.search(n)], [])
            self.assertEqual([n for n in names if re.search(r"/s?bin/(gcc|cc|cmake)$", n)],
                             [])
        finally:
            self.engine.podman("image", "unmount", image.ENCODER)

    def lacks_nothing(self, libraries):
        """Whatever the program and its libraries link is there."""
        told = self.engine.podman("run", "--rm", "--network=none", "--entrypoint=ldd",
                                  image.IMAGE, "/usr/bin/encode_exporter", *libraries)
        self.assertIn("libcurl.so.4 => /", told)
        self.assertNotIn("not found", told)

    def test_the_same_tree_makes_the_same_image(self):
        with image.Engine() as other:
            other.load(image.base_image())
            image.make(other, "exporter", "--no-cache")
            image.make(other, "encoder")
            for name in image.TARGETS.values():
                self.same(self.inspect(name),
                          json.loads(other.podman("image", "inspect", name))[0])

    def same(self, about, again):
        self.assertEqual(about["RootFS"]["Layers"], again["RootFS"]["Layers"])
        # Not the id: buildah puts the name of its own container into Docker's format.
        for what in ("Config", "Created", "Architecture", "Os"):
            self.assertEqual(about[what], again[what])
        self.assertEqual(about.get("Healthcheck"), again.get("Healthcheck"))

    # ---- it runs --------------------------------------------------------------------
    def test_it_serves_on_a_read_only_root_without_any_rights(self):
        examples = os.path.join(harness.ROOT, "deploy", "examples")
        box = Container(self.engine, "--newest=name", results=examples)
        box.wait_log("msg=ready")
        for port, family in ((9502, "results_scenario_duration_seconds"),
                             (9503, "qoe_vmaf_score"), (9504, "cost_total_load_aware")):
            self.assertRegex(box.get(f"http://127.0.0.1:{port}/metrics"),
                             rf"(?m)^{family}\{{.*\}} [0-9.e-]+$")
        with open(f"/proc/{box.state()['Pid']}/status", encoding="utf-8") as f:
            status = f.read()
        self.assertRegex(status, r"Uid:\s+65532\s")
        self.assertRegex(status, r"CapBnd:\s+0+\n")
        self.assertRegex(status, r"NoNewPrivs:\s+1\n")
        self.assertTrue(box.healthy())
        self.assertEqual(box.stop(), 0)

    def test_its_health_check_fails_where_nobody_listens(self):
        box = Container(self.engine, "--results.listen-address=:9999", results=self.results())
        box.wait_log("msg=ready")
        box.get("http://127.0.0.1:9999/health")
        self.assertFalse(box.healthy())
        self.assertEqual(box.stop(), 0)

    def test_all_that_is_opened_when_asked_for_finds_its_libraries(self):
        made = self.results()
        web.make_certificate(made, "server")
        with open(os.path.join(made, "web.yml"), "w", encoding="utf-8") as f:
            f.write("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n")
        for name in os.listdir(made):
            os.chmod(os.path.join(made, name), 0o644)
        examples = os.path.join(harness.ROOT, "deploy", "examples")
        box = Container(self.engine, "--newest=name", "--web.config.file=/web/web.yml",
                        "--prometheus-url=http://127.0.0.1:9090",
                        options=(*HARDENED, "--volume", f"{made}:/web:ro"), results=examples)
        box.wait_log("msg=ready")
        self.assertIn("cost_total_load_aware",
                      box.get("https://127.0.0.1:9504/metrics", "--insecure"))
        harness.wait_until(lambda: re.search(
            r"(?m)^qoe_predicted_vmaf\{", box.get("https://127.0.0.1:9504/metrics/all",
                                             "--insecure")),
            timeout=60, what="predictions")
        with open(f"/proc/{box.state()['Pid']}/maps", encoding="utf-8") as f:
            maps = f.read()
        # Recording is a command of its own, measuring needs the ffmpeg of the other image.
        wanted = set(LIBRARIES) - {"compute.so", "record.so"}
        opened = set(re.findall(r"/encode_exporter/(\w+\.so)$", maps, re.M))
        self.assertEqual(wanted - opened, set())
        self.assertNotRegex(box.log(), "cannot open shared object|level=error")
        self.assertEqual(box.stop(), 0)

    def test_what_is_written_last_is_scraped_before_it_ends(self):
        results = self.results()
        listen = [f"--{e}.listen-address=127.0.0.1:0" for e in harness.ENDPOINTS]
        box = Container(self.engine, *listen, "--shutdown.linger=60s", results=results,
                        network="host")
        box.wait_log("msg=ready")
        ports = dict(re.findall(r"msg=listening endpoint=(\w+) address=\S*:(\d+)", box.log()))

        def scrape(endpoint):
            return image.run(["curl", "--silent", "--show-error",
                              f"http://127.0.0.1:{ports[endpoint]}/metrics"])
        for endpoint in harness.ENDPOINTS:
            self.assertNotIn('"last one"', scrape(endpoint))
        with open(os.path.join(results, "test_results_20260101_000000.json"), "w",
                  encoding="utf-8") as f:
            json.dump({"scenarios": [{"name": "last one", "duration": 10, "step_seconds": 5,
                                      "power_watts": [90, 110, 100],
                                      "vmaf_score": 91.5}]}, f)
        codes = []
        stopping = threading.Thread(target=lambda: codes.append(box.stop(seconds=90)))
        stopping.start()
        box.wait_log("msg=stopping signal=SIGTERM")
        last = {endpoint: scrape(endpoint) for endpoint in harness.ENDPOINTS}
        while stopping.is_alive():
            # A scrape before the last scan is done is not the last one.
            with contextlib.suppress(AssertionError):
                last = {endpoint: scrape(endpoint) for endpoint in harness.ENDPOINTS}
            stopping.join(0.2)
        for endpoint in harness.ENDPOINTS:
            self.assertIn('scenario="last one"', last[endpoint])
        self.assertEqual(codes, [0])
        self.assertIn('msg="the last values are scraped"', box.log())

    # ---- it records -----------------------------------------------------------------
    def encode(self, *arguments, name=image.ENCODER, size="320x180"):
        """(exit status, the scenario) of an encode of two seconds in a container."""
        results = self.results()
        os.chown(results, 65532, 65532)
        done = subprocess.run(
            ["podman", "run", "--rm", "--network=none", *HARDENED,
             "--volume", f"{results}:/results", name, *arguments, "ffmpeg", "-nostdin",
             "-loglevel", "error", "-f", "lavfi", "-i", f"testsrc2=size={size}:duration=2",
             "-c:v", "libx264", "-y", "/results/out.mp4"],
            env=self.engine.environment, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=120, check=False)
        file, = [f for f in os.listdir(results) if f.endswith(".json")]
        with open(os.path.join(results, file), encoding="utf-8") as f:
            told, = json.load(f)["scenarios"]
        return done.returncode, told

    def test_the_encoder_records_what_it_runs(self):
        status, told = self.encode("--param=k=v", "--")
        self.assertEqual((status, told["exit_status"]), (0, 0))
        self.assertEqual((told["name"], told["encoder"], told["resolution"]),
                         ("out", "libx264", "320x180"))
        self.assertEqual((told["total_frames"], told["media_seconds"]), (50, 2))
        self.assertEqual(told["params"]["k"], "v")
        self.assertGreater(told["cpu_core_seconds"], 0)
        status, told = self.encode(size="0x0")
        self.assertEqual((status, told["exit_status"]), (1, 1))
        self.assertNotIn("total_frames", told)

    def test_as_the_first_process_of_a_container_it_passes_a_signal_on(self):
        def encodes():
            with contextlib.suppress(FileNotFoundError):
                with open(os.path.join(results, "long.progress"), encoding="ascii") as f:
                    return re.search("^frame=[1-9]", f.read(), re.M)

        results = self.results()
        os.chown(results, 65532, 65532)
        name = self.engine.podman(
            "run", "--detach", "--network=none", *HARDENED, "--volume",
            f"{results}:/results", image.ENCODER, "--run=stopped", "--", "ffmpeg",
            "-nostdin", "-f", "lavfi", "-i", "testsrc2=duration=36000", "-c:v", "libx264",
            "/results/long.mp4").strip()
        harness.wait_until(encodes, timeout=60, what="frames")
        self.engine.podman("stop", "--time=60", name)
        state = json.loads(self.engine.podman("inspect", name))[0]["State"]
        with open(os.path.join(results, "test_results_stopped.json"), encoding="utf-8") as f:
            told, = json.load(f)["scenarios"]
        # ffmpeg's own status of an end by SIGTERM.
        self.assertEqual((state["ExitCode"], told["exit_status"]), (255, 255))
        self.assertGreater(told["end_time"], told["start_time"])
        self.assertGreater(told["total_frames"], 0)

    def test_an_ffmpeg_of_ones_own_records_as_well(self):
        """By the recipe of docs/containers.md."""
        with open(os.path.join(harness.ROOT, "docs", "containers.md"), encoding="utf-8") as f:
            recipe, = re.findall(r"```\n(FROM your-ffmpeg\n.*?)```", f.read(), re.S)
        recipe = recipe.replace("your-ffmpeg", "localhost/your-ffmpeg:test").replace(
            "--from=encode-exporter", f"--from={image.IMAGE}")
        self.made("localhost/your-ffmpeg:test", OWN_FFMPEG.format(encoder=image.ENCODER))
        self.made("localhost/own:test", recipe)
        status, told = self.encode("encode_exporter", "record", "--",
                                   name="localhost/own:test")
        self.assertEqual((status, told["exit_status"], told["total_frames"]), (0, 0, 50))

    def made(self, name, recipe):
        directory = self.results()
        with open(os.path.join(directory, "Dockerfile"), "w", encoding="ascii") as f:
            f.write(recipe)
        self.engine.buildah("build", "--pull-never", "--tag", name, directory)


if __name__ == "__main__":
    harness.main()
