"""A client of /events: connects, reads what comes, and keeps what it was told."""

import json
import socket
import time
import zlib


class Gone(Exception):
    """The server ended the answer."""


class Listener:
    """with Listener(address, …) as l: l.until(lambda: l.whole)

    records: what is true as far as it was told, by (kind, key). headers: of the request.
    """

    def __init__(self, address, path="/events", gzip=False, headers=(), rcvbuf=None,
                 timeout=15):
        self.records = {}
        self.id = None
        self.whole = False
        self.resets = 0
        self.events = []     # names, in order
        self.beats = []
        self.bytes = 0       # of the body, as it came
        self.text_bytes = 0
        self.retry = None
        self.raw = b""
        self.text = b""
        self.inflater = zlib.decompressobj(31) if gzip else None
        self.sock = socket.socket()
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(timeout)
        self.sock.connect(address)
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", *headers]
        if gzip:
            lines.append("Accept-Encoding: gzip")
        self.sock.sendall("\r\n".join(lines + ["", ""]).encode())
        self.read_head()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def receive(self, timeout):
        self.sock.settimeout(timeout)
        try:
            piece = self.sock.recv(1 << 18)
        except (TimeoutError, socket.timeout):
            return False
        if not piece:
            raise Gone(self.raw[:200])
        self.raw += piece
        return True

    def read_head(self):
        while b"\r\n\r\n" not in self.raw:
            if not self.receive(15):
                raise AssertionError("no answer")
        head, self.raw = self.raw.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {k.lower(): v for k, v in (x.split(": ", 1) for x in lines[1:])}

    # ---- what comes --------------------------------------------------------------------
    def take_chunks(self):
        while b"\r\n" in self.raw:
            size, rest = self.raw.split(b"\r\n", 1)
            n = int(size, 16)
            if n == 0:
                raise Gone("the last chunk")
            if len(rest) < n + 2:
                return
            assert rest[n:n + 2] == b"\r\n", rest[n:n + 10]
            self.bytes += n
            text = rest[:n]
            self.raw = rest[n + 2:]
            if self.inflater:
                text = self.inflater.decompress(text)
            self.text_bytes += len(text)
            self.text += text
            # Each chunk ends where an event ends, and can be read at once.
            assert self.text.endswith(b"\n\n"), self.text[-50:]
        while b"\n\n" in self.text:
            event, self.text = self.text.split(b"\n\n", 1)
            self.take(event.decode())

    def take(self, event):
        fields = dict(line.split(": ", 1) for line in event.split("\n"))
        self.retry = fields.get("retry", self.retry)
        if "data" not in fields:
            return
        self.events.append(fields["event"])
        data = json.loads(fields["data"])
        if fields["event"] == "beat":
            self.beats.append(data["now"])
            return
        assert fields["event"] == "change", fields["event"]
        self.id = fields["id"]
        if data.get("reset"):
            self.records.clear()
            self.resets += 1
        for record in data["set"]:
            self.records[record["kind"], record["key"]] = record
        for record in data["gone"]:
            self.records.pop((record["kind"], record["key"]), None)
        self.whole = self.whole or data.get("whole", False)

    # ---- waiting -----------------------------------------------------------------------
    def until(self, condition, timeout=15, what="what it was to be told"):
        """Listens until condition() is true; that."""
        deadline = time.monotonic() + timeout
        while True:
            self.take_chunks()
            value = condition()
            if value:
                return value
            left = deadline - time.monotonic()
            if left <= 0 or not self.receive(left):
                raise AssertionError(f"not told in {timeout} s: {what}; "
                                     f"{len(self.records)} records")

    def of(self, kind):
        return {key: r for (k, key), r in self.records.items() if k == kind}

    def status_record(self):
        return self.records.get(("status", ""))
