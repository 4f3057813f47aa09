"""Load, always bounded and always on loopback: wrk, and many connections in step."""

import json
import math
import os
import selectors
import signal
import socket
import subprocess
import time

import client
from exporter import die_with_parent, end

HERE = os.path.dirname(os.path.abspath(__file__))
LARGE = 1_000_000    # bytes of an answer from which two connections are plenty


class Wrk:
    """wrk with one thread for so long; with one connection it is a mere reader.

    It counts in whole seconds; a shorter run ends by SIGINT, which makes it report.
    """

    def __init__(self, port, path, headers, seconds, connections):
        fields = [a for h in headers.split("\r\n") if h for a in ("-H", h)]
        self.interrupt_after = None if seconds == int(seconds) else seconds
        self.process = subprocess.Popen(
            ["wrk", "-t1", f"-c{connections}", f"-d{math.ceil(seconds)}s", "--timeout=30s",
             "-s", os.path.join(HERE, "wrk.lua"), *fields,
             f"http://127.0.0.1:{port}{path}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, preexec_fn=die_with_parent)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)
        self.process.stdout.close()

    def counted(self):
        """Its numbers, after its end: requests, bytes, seconds, p50_us, p99_us, errors."""
        if self.interrupt_after is not None:
            time.sleep(self.interrupt_after)
            self.process.send_signal(signal.SIGINT)
        said = self.process.stdout.read()
        if self.process.wait() != 0 or not said.rstrip().endswith("}"):
            raise RuntimeError(f"wrk ended with {self.process.returncode}:\n{said}")
        return json.loads(said.rstrip().rsplit("\n", 1)[-1])


def connections_for(answer_bytes):
    return 2 if answer_bytes >= LARGE else 10


class Member:
    """One connection of the crowd."""

    def __init__(self, port, due):
        self.due = due
        self.asked_at = None
        self.want = None
        self.got = bytearray()
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setblocking(False)

    def ask(self, request, now):
        self.asked_at = now
        self.want = None
        self.got.clear()
        if self.socket.send(request) != len(request):
            raise OSError("a request does not fit the socket's buffer")

    def receive(self):
        """True when the answer is whole and good."""
        part = self.socket.recv(1 << 16)
        if not part:
            raise OSError("closed")
        self.got += part
        if self.want is None:
            end_of_head = self.got.find(b"\r\n\r\n")
            if end_of_head < 0:
                return False
            length = client.LENGTH.search(self.got, 0, end_of_head)
            if not self.got.startswith(b"HTTP/1.1 200") or not length:
                raise OSError("not an answer with a length")
            self.want = end_of_head + 4 + int(length[1])
        return len(self.got) >= self.want


def crowd(port, path, headers, count, seconds):
    """count connections, each asking once a second, spread evenly over it.

    Returns (latencies in seconds from the moment each request was due, errors).
    """
    request = client.request(path, headers)
    selector = selectors.EpollSelector()
    members = []
    latencies = []
    errors = 0
    try:
        for _ in range(count):
            members.append(Member(port, 0.0))
        begin = time.perf_counter() + 0.1
        for i, m in enumerate(members):
            m.due = begin + i / count
            selector.register(m.socket, selectors.EVENT_READ, m)
        queue = list(members)    # always in the order of what is due: all have one period
        head = 0
        last = begin + seconds
        waiting = 0
        while head < len(queue) or waiting:
            now = time.perf_counter()
            if now > last + 10:
                errors += waiting
                break
            while head < len(queue) and queue[head].due <= now:
                m = queue[head]
                head += 1
                if m.asked_at is not None:    # the answer before is still not there
                    errors += 1
                    continue
                try:
                    m.ask(request, m.due)
                    waiting += 1
                except OSError:
                    errors += 1
                if m.due + 1 < last:
                    m.due += 1
                    queue.append(m)
            pause = queue[head].due - time.perf_counter() if head < len(queue) else 0.5
            for key, _ in selector.select(max(0.0, pause)):
                m = key.data
                try:
                    if m.receive():
                        latencies.append(time.perf_counter() - m.asked_at)
                        m.asked_at = None
                        waiting -= 1
                except OSError:
                    errors += 1
                    waiting -= m.asked_at is not None
                    selector.unregister(m.socket)
    finally:
        for m in members:
            m.socket.close()
        selector.close()
    return latencies, errors
