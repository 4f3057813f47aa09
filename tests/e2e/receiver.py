"""A little HTTP server that a test scripts: what it was asked, and what it answers."""

import gzip
import http.server
import threading


class Asked:
    def __init__(self, handler, body):
        self.method = handler.command
        self.path = handler.path
        self.headers = handler.headers
        self.raw = body
        self.body = (gzip.decompress(body)
                     if handler.headers.get("Content-Encoding") == "gzip" else body)

    @property
    def text(self):
        return self.body.decode("utf-8")


class Receiver:
    """with Receiver() as r: r.answers = […] (status, body) in turn, the last for good; a
    callable gets the request and returns such a pair. None: no answer at all."""

    def __init__(self, *answers):
        self.answers = list(answers) or [(204, b"")]
        self.asked = []
        self.news = threading.Condition()
        self.over = threading.Event()

    def __enter__(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                reply = receiver.note(Asked(self, body))
                if reply is None:
                    receiver.over.wait(60)
                    self.close_connection = True
                    return
                self.send_response(reply[0])
                self.send_header("Content-Length", str(len(reply[1])))
                self.end_headers()
                self.wfile.write(reply[1])

            do_GET = do_POST = do_PUT = answer

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)

    def note(self, asked):
        with self.news:
            self.asked.append(asked)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            self.news.notify_all()
        return answer(asked) if callable(answer) else answer

    def wait(self, count, timeout=20):
        with self.news:
            if not self.news.wait_for(lambda: len(self.asked) >= count, timeout):
                raise AssertionError(f"asked {len(self.asked)} times, not {count}")
        return self.asked[count - 1]
