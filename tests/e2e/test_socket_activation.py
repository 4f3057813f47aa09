"""Sockets that somebody else opened: who gets which, what is refused, and that clients
who come while nobody runs are served later."""

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import unittest

import harness

FILES = harness.data_files("python-era")[-1:]
FAMILY = {"results": "results_exporter_up", "qoe": "qoe_exporter_up",
          "cost": "cost_exporter_alive"}


def wrapper(sockets, names=None, pid=None, count=None, before=()):
    """The words before the exporter's that hand it these sockets."""
    command = [*before, sys.executable, "-B", os.path.join(harness.HERE, "activate.py")]
    for flag, value in (("--names", names), ("--pid", pid), ("--count", count)):
        if value is not None:
            command.append(f"{flag}={value}")
    return command + [str(s.fileno()) for s in sockets] + ["--"]


class Case(unittest.TestCase):
    def tcp(self, address="127.0.0.1", family=socket.AF_INET, backlog=16):
        s = socket.socket(family)
        self.addCleanup(s.close)
        s.bind((address, 0))
        s.listen(backlog)
        return s

    def unix(self, path):
        s = socket.socket(socket.AF_UNIX)
        self.addCleanup(s.close)
        s.bind(path)
        s.listen(16)
        return s

    def temp_dir(self):
        path = harness.temp_dir()
        self.addCleanup(shutil.rmtree, path)
        return path

    def exporter(self, sockets, *flags, **more):
        names, pid, before = (more.pop(k, d) for k, d in
                              (("names", None), ("pid", None), ("before", ())))
        return harness.Exporter(*flags, files=FILES,
                                wrapper=wrapper(sockets, names, pid, before=before),
                                pass_fds=[s.fileno() for s in sockets], **more)

    def serves(self, endpoint, address, family=socket.AF_INET):
        """What answers there is that endpoint."""
        with socket.socket(family) as s:
            s.settimeout(15)
            s.connect(address)
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
                      b"Connection: close\r\n\r\n")
            answer = b"".join(iter(lambda: s.recv(65536), b"")).decode()
        self.assertRegex(answer, r"^HTTP/1\.1 200 ")
        self.assertRegex(answer, f"(?m)^{FAMILY[endpoint]} 1$")


class Given(Case):
    def test_names_say_whose_a_socket_is(self):
        sockets = [self.tcp() for _ in range(3)]
        order = ("cost", "results", "qoe")
        with self.exporter(sockets, names=":".join(order)) as e:
            for endpoint, s in zip(order, sockets):
                self.assertEqual(e.ports[endpoint], s.getsockname()[1])
                self.serves(endpoint, s.getsockname())
            self.assertEqual(e.log_count("msg=listening"), 3, e.log)

    def test_without_names_the_order_counts(self):
        sockets = [self.tcp() for _ in range(3)]
        for names in (None, "", ":".join(["encode_exporter.socket"] * 3)):
            with self.exporter(sockets, names=names or None) as e:
                for endpoint, s in zip(harness.ENDPOINTS, sockets):
                    self.assertEqual(e.ports[endpoint], s.getsockname()[1])

    def test_an_endpoint_that_is_off_is_passed_over(self):
        sockets = [self.tcp() for _ in range(2)]
        with self.exporter(sockets, listen=("qoe", "cost")) as e:
            self.serves("qoe", sockets[0].getsockname())
            self.serves("cost", sockets[1].getsockname())
            self.assertEqual(e.log_count("msg=listening"), 2, e.log)

    def test_who_is_given_nothing_listens_as_configured(self):
        given = self.tcp()
        with self.exporter([given], names="qoe") as e:
            self.assertEqual(e.ports["qoe"], given.getsockname()[1])
            for endpoint in harness.ENDPOINTS:
                self.serves(endpoint, ("127.0.0.1", e.ports[endpoint]))

    def test_the_address_of_a_given_endpoint_is_not_touched(self):
        taken = self.tcp()    # whoever binds this one fails
        given = self.tcp()
        with self.exporter([given], f"--qoe.listen-address=127.0.0.1:"
                           f"{taken.getsockname()[1]}", names="qoe") as e:
            self.assertEqual(e.ports["qoe"], given.getsockname()[1])

    def test_one_endpoint_on_several_sockets(self):
        path = os.path.join(self.temp_dir(), "results.sock")
        four, local, abstract = self.tcp(), self.unix(path), self.unix(
            f"\0encode_exporter-test-{os.getpid()}")
        with self.exporter([four, local, abstract], names="results:results:results") as e:
            self.serves("results", four.getsockname())
            self.serves("results", path, socket.AF_UNIX)
            self.serves("results", abstract.getsockname(), socket.AF_UNIX)
            self.assertEqual(e.log_count(f"address=unix:{re.escape(path)}$"), 1)
            self.assertEqual(e.log_count("address=unix:@encode_exporter-test-"), 1)
        # Not ours to remove: its maker goes on listening there.
        self.assertTrue(os.path.exists(path))

    def test_ipv6(self):
        try:
            given = self.tcp("::1", socket.AF_INET6)
        except OSError as error:
            self.skipTest(f"no IPv6: {error}")
        with self.exporter([given], names="cost", listen=("results", "cost"),
                           ready=False) as e:
            self.serves("cost", given.getsockname(), socket.AF_INET6)
            self.assertIn(f"address=[::1]:{given.getsockname()[1]}", e.log)

    def test_they_are_closed_on_exec(self):
        given = self.tcp()
        with self.exporter([given], names="qoe") as e:
            flags = re.search(r"^flags:\s+(\d+)", e.proc("fdinfo/3"), re.M)[1]
            self.assertTrue(int(flags, 8) & os.O_CLOEXEC)

    def test_what_is_meant_for_another_process_is_left(self):
        given = self.tcp()
        with self.exporter([given], pid="1") as e:
            self.assertNotIn(given.getsockname()[1], e.ports.values())

    def test_without_a_network_the_given_sockets_are_enough(self):
        alone = ("unshare", "--net", "--map-root-user")
        if subprocess.run([*alone, "true"], stderr=subprocess.DEVNULL,
                          check=False).returncode:
            self.skipTest("no namespaces here: unshare --net fails")
        sockets = [self.tcp() for _ in range(3)]
        with self.exporter(sockets, before=alone) as e:
            self.assertNotIn("eth", e.proc("net/dev"))
            for endpoint, s in zip(harness.ENDPOINTS, sockets):
                self.serves(endpoint, s.getsockname())


class Waiting(Case):
    def test_clients_that_come_between_two_runs_are_served(self):
        given = self.tcp()
        with self.exporter([given], "--only", "results", listen=("results",)):
            self.serves("results", given.getsockname())
        # Nobody accepts now, but the kernel takes the connection.
        client = http.client.HTTPConnection(*given.getsockname(), timeout=15)
        with contextlib.closing(client):
            client.request("GET", "/metrics")
            with self.exporter([given], "--only", "results", listen=("results",)):
                answer = client.getresponse()
                self.assertEqual(answer.status, 200)
                self.assertIn(b"results_exporter_up 1", answer.read())

    def test_systemd_starts_it_for_the_first_client(self):
        program = shutil.which("systemd-socket-activate")
        if not program:
            self.skipTest("no systemd-socket-activate (package systemd)")
        directory = self.temp_dir()
        for path in FILES:
            shutil.copy(path, directory)
        ports = []
        for _ in range(2):    # free ones: it takes no port 0
            s = self.tcp()
            ports.append(s.getsockname()[1])
            s.close()
        process = subprocess.Popen(
            [program, f"--listen=127.0.0.1:{ports[0]}", f"--listen=127.0.0.1:{ports[1]}",
             "--fdname=cost:qoe", harness.binary(), "--results-dir", directory,
             "--results.listen-address="],
            env=harness.environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            harness.wait_until(lambda: self.accepts(ports[0]), what="listening")
            with open(f"/proc/{process.pid}/comm", encoding="ascii") as f:
                self.assertNotIn("encode", f.read())
            self.serves("cost", ("127.0.0.1", ports[0]))
            self.serves("qoe", ("127.0.0.1", ports[1]))
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(20), 0)
        finally:
            if process.poll() is None:
                process.kill()
            log = process.communicate()[1].decode()
        self.assertNotRegex(log, harness.SANITIZER)
        self.assertIn(f"endpoint=cost address=127.0.0.1:{ports[0]}", log)

    def accepts(self, port):
        """Whether somebody listens; seen from outside, since a client would start it."""
        with open("/proc/net/tcp", encoding="ascii") as f:
            return f" 0100007F:{port:04X} 00000000:0000 0A " in f.read()


class Refused(Case):
    """One line that says what is wrong with which socket, and exit status 1: a socket that
    nobody accepts from would let its clients hang."""

    def refused(self, sockets, reason, *flags, names=None, count=None):
        done = subprocess.run(
            wrapper(sockets, names, count=count) +
            [harness.binary(), "--results-dir", self.temp_dir(),
             *(f"--{name}.listen-address=127.0.0.1:0" for name in harness.ENDPOINTS),
             *flags], env=harness.environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60,
            pass_fds=[s.fileno() for s in sockets], check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr,
                         f'level=error msg="cannot start" reason="{reason}')
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_sockets_that_cannot_be_served_on(self):
        unbound, datagram = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
        self.addCleanup(unbound.close)
        self.addCleanup(datagram.close)
        self.refused([self.tcp(), unbound], "LISTEN_FDS: descriptor 4 does not listen")
        self.refused([datagram], "LISTEN_FDS: descriptor 3 is no stream socket")
        with open(os.devnull, "rb") as file:
            self.refused([file], "LISTEN_FDS: descriptor 3 is no socket")
        self.refused([self.tcp()], "LISTEN_FDS: descriptor 4 is not open", count="2")
        self.refused([], r"LISTEN_FDS: .*\\\"many\\\" is no number", count="many")

    def test_a_connection_is_no_listening_socket(self):
        server = self.tcp()
        client = socket.create_connection(server.getsockname())
        accepted = server.accept()[0]
        self.addCleanup(client.close)
        self.addCleanup(accepted.close)
        self.refused([accepted], "LISTEN_FDS: descriptor 3 does not listen",
                     names="connection")

    def test_names_and_numbers_that_do_not_fit(self):
        one, two, three, four = (self.tcp() for _ in range(4))
        self.refused([one], r"LISTEN_FDNAMES: .*\\\"qeo\\\"", names="qeo")
        self.refused([one], "LISTEN_FDNAMES: .* qoe, but that endpoint is off",
                     "--only", "results", names="qoe")
        self.refused([one, two], "LISTEN_FDNAMES: fewer names", names="qoe")
        self.refused([one, two, three, four], "LISTEN_FDS: 4 sockets are more")


if __name__ == "__main__":
    harness.main()
