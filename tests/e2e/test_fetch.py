"""What asks others: its library, its proxies, and that it is quiet while nothing is to be done."""

import os
import re
import shutil
import socket
import subprocess
import time
import unittest

import harness
from harness import Exporter
from receiver import Receiver

FILES = harness.data_files("go-era")[:1]


class Library(unittest.TestCase):
    def setUp(self):
        self.directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, self.directory)
        built = harness.binary()
        self.program = shutil.copy(built, self.directory)
        self.library = os.path.join(os.path.dirname(built), "upstream.so")

    def run_it(self, *flags):
        return subprocess.run([self.program, *flags], capture_output=True, text=True,
                              timeout=30, env=harness.environment(), check=False)

    def fails(self, *parts):
        done = self.run_it("--results-dir", self.directory, "--push.url", "http://h",
                           "--only", "cost", "--cost.listen-address", "127.0.0.1:0")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("cannot start", done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)

    def test_a_library_that_is_missing_is_named(self):
        self.fails("upstream.so", "is missing", self.directory)

    def test_a_library_that_cannot_be_loaded_says_what_it_needs(self):
        with open(os.path.join(self.directory, "upstream.so"), "wb") as f:
            f.write(b"none")
        self.fails("upstream.so", "package libcurl4")

    def test_a_library_of_another_kind_is_refused(self):
        shutil.copy(os.path.join(os.path.dirname(self.library), "web_toolbox.so"),
                    os.path.join(self.directory, "upstream.so"))
        self.fails("upstream.so is not of encode_exporter")

    def test_version_names_libcurl_where_it_is_there(self):
        self.assertNotIn("libcurl", self.run_it("--version").stdout)
        shutil.copy(self.library, self.directory)
        self.assertRegex(self.run_it("--version").stdout, r"libcurl \d+\.\d+")

    def test_without_urls_it_is_not_opened(self):
        with Exporter(files=FILES) as e:
            self.assertNotIn("upstream.so", e.proc("maps"))


class Asking(unittest.TestCase):
    def test_proxies_of_the_environment(self):
        with Receiver() as r, Exporter("--push.url", "http://far.invalid:81", files=FILES,
                                       env={"http_proxy": r.url}) as e:
            e.stop()
            self.assertEqual(r.asked[0].path,
                             "http://far.invalid:81/api/v1/import/prometheus")
        with Receiver() as r, Exporter("--push.url", "http://far.invalid:81",
                                       "--shutdown.linger", "1s", files=FILES,
                                       env={"http_proxy": r.url, "no_proxy": "*"}) as e:
            e.stop()
            self.assertEqual(r.asked, [])
            self.assertIn("Could not resolve host: far.invalid", e.log)

    def test_a_name_server_that_hangs_holds_nothing_up(self):
        directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, directory)
        config = os.path.join(directory, "resolv.conf")
        harness.write_atomically(config, b"nameserver 127.9.9.9\noptions timeout:30\n")
        wrapper = ["unshare", "--mount", "sh", "-c",
                   'mount --bind "$0" /etc/resolv.conf && exec "$@"', config]
        try:
            silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.addCleanup(silent.close)
            silent.bind(("127.9.9.9", 53))
            subprocess.run([*wrapper, "true"], check=True, capture_output=True, timeout=30)
        except (OSError, subprocess.CalledProcessError) as e:
            self.skipTest(f"no name server of our own: {e}")
        silent.settimeout(20)
        with Exporter("--push.url", "http://somewhere.test", "--push.interval", "100ms",
                      files=FILES, wrapper=wrapper) as e:
            silent.recv(1000)    # the name is asked for
            for _ in range(100):
                self.assertEqual(e.get("cost", timeout=5).status, 200)
            began = time.monotonic()
            e.process.terminate()
            e.wait_log("stopping")
            e.stop()    # the second signal: at once, whoever still waits for a name
            self.assertLess(time.monotonic() - began, 4)

    def test_it_sleeps_between_two_questions(self):
        # Events of /tmp, where the directory lies, would wake it.
        with Receiver() as r, Exporter("--push.url", r.url, "--push.interval", "2s",
                                       "--power", "off", "--watch", "poll",
                                       "--poll-interval", "1h", files=FILES) as e:
            r.wait(1)

            def wakings():
                return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)",
                                     e.proc("status"), re.M)[1])
            # Work after the push ends; then nothing until the next one.
            def rests():
                before, asked = wakings(), len(r.asked)
                time.sleep(0.7)
                return len(r.asked) == asked and wakings() == before
            harness.wait_until(rests, timeout=30, what="no waking in 0.7 s")


if __name__ == "__main__":
    harness.main()
