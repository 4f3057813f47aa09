"""The binary that is measured."""

import ctypes
import signal
import socket
import subprocess
import time

import client
import proc

ENDPOINTS = ("results", "qoe", "cost")
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def die_with_parent():
    """Between fork and exec: whatever ends the benchmark ends what it started."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def end(process, patience=20):
    """Ends a child in an orderly way, or by force when that takes too long."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Exporter:
    """It serves when the constructor returns; ready_s is the time from exec to ready.

    tied=False leaves out the step between fork and exec, which would count as start.
    """

    def __init__(self, binary, directory, *flags, tied=True):
        self.ports = dict(zip(ENDPOINTS, free_ports(len(ENDPOINTS))))
        command = [binary, "--results-dir", directory, "--log.level=error",
                   *(f"--{n}.listen-address=127.0.0.1:{p}" for n, p in self.ports.items()),
                   *flags]
        begun = time.perf_counter()
        self.process = subprocess.Popen(command, env={}, stdin=subprocess.DEVNULL,
                                        preexec_fn=die_with_parent if tied else None)
        self.pid = self.process.pid
        try:
            while not self.ready():
                if self.process.poll() is not None:
                    raise RuntimeError(f"{binary} ended with {self.process.returncode}")
                if time.perf_counter() - begun > 300:
                    raise RuntimeError(f"{binary} is not ready after 300 s")
        except BaseException:
            end(self.process)
            raise
        self.ready_s = time.perf_counter() - begun

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)

    def ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.ports["results"]), 60) as s:
                s.sendall(client.request("/ready", "Connection: close\r\n"))
                return s.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def connect(self, endpoint, path="/metrics", headers=""):
        return client.Client(self.ports[endpoint], path, headers)

    def ask(self, endpoint, path="/metrics", headers=""):
        with self.connect(endpoint, path, headers) as c:
            return c.ask()

    def drain(self, endpoint, path="/metrics", headers=""):
        with self.connect(endpoint, path, headers) as c:
            return c.drain()

    def cpu_ns(self):
        return proc.cpu_ns(self.pid)

    def settle(self, quiet_s=0.3, patience_s=30):
        """Waits until it has used no CPU for a while: nothing is under way."""
        deadline = time.monotonic() + patience_s
        before = self.cpu_ns()
        while time.monotonic() < deadline:
            time.sleep(quiet_s)
            now = self.cpu_ns()
            if now == before:
                return
            before = now
