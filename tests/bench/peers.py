"""What the exporter is compared with: nginx and a bare server, both with its bytes."""

import os
import shutil
import socket
import subprocess
import time

import client
import proc
from exporter import die_with_parent, end, free_ports

LLHTTP = "/usr/share/llhttp"
NGINX_CONF = """\
daemon off;
{user}
worker_processes 1;
pid {scratch}/nginx.pid;
error_log {scratch}/nginx.log warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    types {{ }}
    default_type "text/plain; version=0.0.4; charset=utf-8";
    sendfile on;
    tcp_nodelay on;
    gzip off;
    gzip_static on;
    open_file_cache max=100 inactive=1h;
    open_file_cache_valid 1h;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_body_temp_path {scratch}/body;
    proxy_temp_path {scratch}/proxy;
    fastcgi_temp_path {scratch}/fastcgi;
    uwsgi_temp_path {scratch}/uwsgi;
    scgi_temp_path {scratch}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {root};
    }}
}}
"""


def nginx_program():
    return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


class Nginx:
    """One worker that serves the files of a directory; cpu_ns is that worker's."""

    def __init__(self, scratch, root):
        (self.port,) = free_ports(1)
        conf = os.path.join(scratch, "nginx.conf")
        with open(conf, "w", encoding="utf-8") as f:
            user = "user root;" if os.geteuid() == 0 else ""    # may look into scratch
            f.write(NGINX_CONF.format(scratch=scratch, root=root, port=self.port, user=user))
        self.process = subprocess.Popen(
            [nginx_program(), "-p", scratch, "-e", os.path.join(scratch, "nginx.log"),
             "-c", conf], stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        self.pid = self.wait_for_worker()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)

    def wait_for_worker(self):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 5).close()
                workers = proc.children(self.process.pid)
                if workers:
                    return workers[0]
            except OSError:
                pass
            time.sleep(0.01)
        end(self.process)
        raise RuntimeError("nginx does not start")

    def cpu_ns(self):
        return proc.cpu_ns(self.pid)

    def connect(self, path, headers=""):
        return client.Client(self.port, path, headers)


class Bare:
    """A process of its own for each answer, since it knows but one."""

    def __init__(self, program, answer_file):
        self.process = subprocess.Popen([program, answer_file], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, preexec_fn=die_with_parent)
        self.pid = self.process.pid
        line = self.process.stdout.readline()
        if not line:
            end(self.process)
            raise RuntimeError("bare_server does not start")
        self.port = int(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)
        self.process.stdout.close()

    def cpu_ns(self):
        return proc.cpu_ns(self.pid)

    def connect(self, path, headers=""):
        return client.Client(self.port, path, headers)


def bare_program(built, scratch):
    """The one of the release build; a build without it is made up for here."""
    if os.access(built, os.X_OK):
        return built
    program = os.path.join(scratch, "bare_server")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bare_server.c")
    libuv = subprocess.run(["pkg-config", "--cflags", "--libs", "libuv"], check=True,
                           stdout=subprocess.PIPE, text=True).stdout.split()
    subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-DLLHTTP_STRICT_MODE=1", "-O2", "-w",
                    "-isystem", "/usr/share/include/llhttp", source,
                    *(os.path.join(LLHTTP, n) for n in ("llhttp.c", "api.c", "http.c")),
                    "-o", program, *libuv], check=True)
    return program
