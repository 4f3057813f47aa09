"""One keep-alive connection that asks one thing over and over."""

import re
import socket

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
GZIP = "Accept-Encoding: gzip\r\n"


def request(path, headers="", method="GET"):
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode()


class Client:
    def __init__(self, port, path="/metrics", headers=""):
        self.request = request(path, headers)
        self.room = memoryview(bytearray(1 << 20))
        self.socket = socket.create_connection(("127.0.0.1", port), 120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self):
        """(head, body) of one answer."""
        head, body, left = self.begin()
        while left > 0:
            part = self.receive()
            body += part
            left -= len(part)
        return head, bytes(body)

    def drain(self):
        """Bytes of the body of one answer, which is read and not kept."""
        _, body, left = self.begin()
        size = len(body) + left
        while left > 0:
            left -= len(self.receive())
        return size

    def begin(self):
        """Asks: head, the part of the body that came with it, bytes still to come."""
        self.socket.sendall(self.request)
        got = bytearray()
        end = -1
        while end < 0:
            got += self.receive()
            end = got.find(b"\r\n\r\n")
        head = bytes(got[:end + 4])
        length = LENGTH.search(head)
        if not head.startswith(b"HTTP/1.1 200") or not length:
            raise OSError(f"not an answer with a length: {head[:200]!r}")
        body = got[end + 4:]
        return head, body, int(length[1]) - len(body)

    def receive(self):
        n = self.socket.recv_into(self.room)
        if n == 0:
            raise OSError("the server closed the connection")
        return self.room[:n]
