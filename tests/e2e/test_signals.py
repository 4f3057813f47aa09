"""Signals, the service manager's socket, and reloading of prices."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import unittest
import urllib.error
import urllib.request

import expo
import harness

FILES = harness.data_files("go-era")


class Ending(unittest.TestCase):
    def test_term_and_int_end_it_with_status_0(self):
        for signum in (signal.SIGTERM, signal.SIGINT):
            with harness.Exporter(files=FILES) as e:
                e.stop(signum)
                for endpoint in harness.ENDPOINTS:
                    with self.assertRaises(OSError):
                        e.connect(endpoint, timeout=2).close()

    def test_a_keep_alive_connection_does_not_delay_the_end(self):
        with harness.Exporter(files=FILES) as e:
            with e.connect("results") as idle:
                idle.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertTrue(idle.recv(4096).startswith(b"HTTP/1.1 200"))
                e.stop(timeout=4)    # less than the 5 s for answers under way

    def test_a_reader_that_takes_nothing_delays_it_by_five_seconds_at_most(self):
        with harness.Exporter("--runs=all", files=harness.data_files("encodes")) as e:
            with e.connect("cost") as slow:
                slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                slow.sendall(b"GET /metrics/all HTTP/1.1\r\nHost: x\r\n\r\n" * 64)
                slow.recv(1)
                e.stop(timeout=10)

    def test_the_port_is_free_again_at_once(self):
        with harness.Exporter(files=FILES) as e:
            port = e.ports["results"]
            with e.connect("results") as client:
                client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
                client.recv(1)
                e.stop()
        with harness.Exporter(f"--results.listen-address=127.0.0.1:{port}",
                              files=FILES) as again:
            self.assertEqual(again.ports["results"], port)

    def test_hup_and_pipe_do_not_end_it(self):
        with harness.Exporter(files=FILES) as e:
            for signum in (signal.SIGPIPE, signal.SIGHUP, signal.SIGPIPE):
                e.process.send_signal(signum)
            for _ in range(20):
                with e.connect("cost") as gone:
                    gone.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(e.get("cost", "/health").body, b"OK\n")

    def test_a_log_that_nobody_reads_any_more_does_not_end_it(self):
        directory = harness.temp_dir()
        self.addCleanup(lambda: shutil.rmtree(directory))
        process = subprocess.Popen(
            [harness.binary(), "--results-dir", directory, "--only=results", "--port=0"],
            env=harness.environment(), stderr=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        port = None
        while not port:
            line = process.stderr.readline().decode()
            self.assertTrue(line, "ended before it listened")
            port = re.search(r"msg=listening .*:(\d+)", line)
        process.stderr.close()
        broken = os.path.join(directory, "test_results_20300101_000000.json")
        harness.write_atomically(broken, "not JSON")

        def counted():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port[1]}/metrics") as reply:
                    errors = expo.parse(reply.read()).value(
                        "encode_exporter_file_errors_total", reason="invalid_json")
            except urllib.error.HTTPError as answer:
                self.assertEqual(answer.code, 503)    # the first scan is not over
                return False
            return errors == 1
        harness.wait_until(counted)
        process.terminate()
        self.assertEqual(process.wait(20), 0)


class Notify(unittest.TestCase):
    def receive(self, server, wanted):
        """Datagrams until one holds wanted."""
        seen = b""
        while wanted not in seen:
            seen += server.recv(4096) + b"\n"
        return seen

    def test_the_service_manager_hears_of_every_step(self):
        directory = harness.temp_dir()
        self.addCleanup(lambda: shutil.rmtree(directory))
        path = os.path.join(directory, "notify.sock")
        for address, variable in ((path, path),
                                  ("\0encode_exporter-test-%d" % os.getpid(),
                                   "@encode_exporter-test-%d" % os.getpid())):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
                server.bind(address)
                server.settimeout(15)
                with harness.Exporter(env={"NOTIFY_SOCKET": variable},
                                      files=FILES) as e:
                    self.receive(server, b"READY=1")
                    e.process.send_signal(signal.SIGHUP)
                    seen = self.receive(server, b"RELOADING=1")
                    # systemd tells an old reload from a new one by this time.
                    self.assertIn(b"MONOTONIC_USEC=", seen)
                    if b"READY=1" not in seen.split(b"RELOADING=1")[1]:
                        self.receive(server, b"READY=1")
                    e.stop()
                    self.receive(server, b"STOPPING=1")


class Reload(unittest.TestCase):
    def setUp(self):
        self.directory = harness.temp_dir()
        self.addCleanup(lambda: shutil.rmtree(self.directory))
        self.pricing = os.path.join(self.directory, "pricing.json")

    def set_price(self, price, in_place=False):
        text = json.dumps({"electricity_prices": {"default": price}})
        if in_place:
            with open(self.pricing, "w", encoding="utf-8") as f:
                f.write(text)
        else:
            harness.write_atomically(self.pricing, text)

    def exporter(self, *flags):
        return harness.Exporter("--pricing-config", self.pricing, *flags, files=FILES)

    def price(self, e):
        return e.metrics("cost").value("cost_electricity_price_per_kwh", region="default")

    def energy_cost(self, e):
        return e.metrics("cost").value("cost_energy_load_aware",
                                       scenario="2 streams @ 2500k")

    def test_a_changed_file_is_read_at_once(self):
        self.set_price(0.2)
        with self.exporter() as e:
            self.assertEqual(self.price(e), 0.2)
            # 2077.5 J at 0.2 per kWh
            self.assertAlmostEqual(self.energy_cost(e), 2077.5 / 3.6e6 * 0.2, 15)
            for i, in_place in enumerate((False, True, False)):
                self.set_price(0.3 + i / 10, in_place)
                harness.wait_until(lambda: self.price(e) == 0.3 + i / 10)
            self.assertAlmostEqual(self.energy_cost(e), 2077.5 / 3.6e6 * 0.5, 15)

    def test_all_figures_change_together(self):
        self.set_price(0.2)
        with self.exporter() as e:
            for step in range(1, 30):
                price = 0.2 + step / 100
                self.set_price(price)
                harness.wait_until(lambda: self.price(e) == price)
                exposition = e.metrics("cost")
                self.assertAlmostEqual(
                    exposition.value("cost_energy_load_aware",
                                     scenario="2 streams @ 2500k"),
                    2077.5 / 3.6e6 * price, 14)

    def test_hup_and_post_read_it_again(self):
        self.set_price(0.2)
        with self.exporter() as e:
            self.set_price(0.25)
            e.process.send_signal(signal.SIGHUP)
            harness.wait_until(lambda: self.price(e) == 0.25)
            self.set_price(0.35)
            reply = e.get("qoe", "/-/reload", method="POST")
            self.assertEqual(reply.status, 200, reply.text)
            self.assertEqual(self.price(e), 0.35)    # when the answer is there it is done

    def test_a_get_does_not_reload(self):
        self.set_price(0.2)
        with self.exporter() as e:
            reply = e.get("cost", "/-/reload")
            self.assertEqual(reply.status, 405)
            self.assertEqual(reply.headers["Allow"], "POST")

    def test_a_broken_file_keeps_the_old_prices_and_says_why(self):
        self.set_price(0.2)
        with self.exporter() as e:
            before = e.get("cost").body
            for text, key in (('{"electricity_prices": {"default": -3}}', "default"),
                              ("{ not json", "")):
                with open(self.pricing, "w", encoding="utf-8") as f:
                    f.write(text)
                reply = e.get("results", "/-/reload", method="POST")
                self.assertEqual(reply.status, 500)
                self.assertIn("pricing.json", reply.text)
                self.assertIn(key, reply.text)
                self.assertEqual(e.get("cost").body, before)
                self.assertRegex(e.wait_log(r"level=(warn|error).*pricing\.json"),
                                 "level=(warn|error)")
            os.remove(self.pricing)
            self.assertEqual(e.get("cost", "/-/reload", method="POST").status, 500)
            self.assertEqual(e.get("cost").body, before)
            self.set_price(0.4)
            harness.wait_until(lambda: self.price(e) == 0.4)

    def test_a_flag_stays_above_the_file(self):
        self.set_price(0.2)
        with self.exporter("--energy-cost=0.9") as e:
            self.set_price(0.4)
            self.assertEqual(e.get("cost", "/-/reload", method="POST").status, 200)
            self.assertEqual(self.price(e), 0.9)

    def test_a_file_swapped_by_a_symlink_directory(self):
        """As projected volumes change: ..data points to another directory."""
        for version, price in (("..1", 0.2), ("..2", 0.6)):
            os.mkdir(os.path.join(self.directory, version))
            with open(os.path.join(self.directory, version, "pricing.json"), "w",
                      encoding="utf-8") as f:
                json.dump({"electricity_prices": {"default": price}}, f)
        os.symlink("..1", os.path.join(self.directory, "..data"))
        os.symlink("..data/pricing.json", self.pricing)
        with self.exporter() as e:
            self.assertEqual(self.price(e), 0.2)
            os.symlink("..2", os.path.join(self.directory, "..new"))
            os.rename(os.path.join(self.directory, "..new"),
                      os.path.join(self.directory, "..data"))
            harness.wait_until(lambda: self.price(e) == 0.6)


if __name__ == "__main__":
    harness.main()
