"""The exporter needs to read one directory, and no right beyond that: it runs on a
read-only root as a user that owns nothing, and neither writes nor makes a file."""

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import time
import unittest
import unittest.mock

import churn
import everything
import harness

SANDBOX = (sys.executable, "-B", os.path.join(harness.HERE, "sandbox.py"))
# Calls that change a file system, whatever their arguments.
CHANGES = re.compile(
    r"^(creat|mknod|mkdir|rmdir|unlink|rename|link|symlink|chmod|fchmod|chown|fchown|"
    r"lchown|truncate|ftruncate|fallocate|utime|utimes|futimesat|utimensat|"
    r"(set|remove)xattr|[lf](set|remove)xattr|mount|umount2|pivot_root|chroot|swapon|"
    r"(mknod|mkdir|unlink|rename|link|symlink|fchmod|fchown)at2?|fchmodat2|fchownat|"
    r"name_to_handle_at|open_by_handle_at|quotactl|acct|memfd_create)$")
WRITING = re.compile(r"\bO_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)\b")
WRITES = re.compile(r"^(write|pwrite64|writev|pwritev2?|sendfile|splice|copy_file_range)$")


class Case(unittest.TestCase):
    def temp_dir(self):
        path = harness.temp_dir()
        self.addCleanup(shutil.rmtree, path)
        return path

    def pricing(self):
        path = os.path.join(self.temp_dir(), "pricing.json")
        harness.write_atomically(path, everything.prices(0.4))
        return path

    def sandbox(self, *flags):
        """The words before the exporter's; skips where that cannot be had."""
        words = [*SANDBOX, *flags, "--"]
        done = subprocess.run([*words, "true"], stderr=subprocess.PIPE, text=True,
                              timeout=60, check=False)
        if done.returncode == 77:
            self.skipTest(done.stderr.strip())
        self.assertEqual(done.returncode, 0, done.stderr)
        return words


class ReadOnly(Case):
    def test_the_sandbox_is_one(self):
        words = self.sandbox("--read-only", "--user", str(harness.NOBODY))
        directory = self.temp_dir()
        os.chmod(directory, 0o777)
        done = subprocess.run([*words, "touch", os.path.join(directory, "x")],
                              stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertIn("Read-only file system", done.stderr)

    def setUp(self):
        # The build may lie where others must not look.
        program = os.path.join(self.temp_dir(), "encode_exporter")
        shutil.copy(harness.binary(), program)
        shutil.copy(os.path.join(os.path.dirname(harness.binary()), "page.so"),
                    os.path.dirname(program))
        patch = unittest.mock.patch.dict(os.environ, ENCODE_EXPORTER=program)
        patch.start()
        self.addCleanup(patch.stop)

    def lives(self, *flags):
        words = self.sandbox("--read-only", "--user", str(harness.NOBODY), *flags)
        pricing = self.pricing()
        name = f"unix:@encode_exporter-test-{os.getpid()}"
        with harness.Exporter(*everything.FLAGS, "--pricing-config", pricing,
                              f"--cost.listen-address={name}", wrapper=words,
                              listen=("results", "qoe")) as e:
            status = e.proc("status")
            if os.geteuid() == 0:
                self.assertRegex(status, rf"Uid:\s+{harness.NOBODY}\s+{harness.NOBODY}")
            for kind in ("Eff", "Prm", "Bnd"):
                self.assertRegex(status, f"Cap{kind}:\\s+0000000000000000\n")
            self.assertRegex(status, r"NoNewPrivs:\s+1")
            everything.live(e, pricing)
            with socket.socket(socket.AF_UNIX) as s:
                s.connect("\0" + name[len("unix:@"):])
                s.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertTrue(s.recv(100).startswith(b"HTTP/1.1 200 "))
            return e.metrics("results")

    def test_a_whole_life_as_nobody(self):
        self.lives()

    def test_a_whole_life_with_little_of_proc(self):
        """As ProtectProc=invisible and ProcSubset=pid leave it: all that the process tells
        of itself is there."""
        served = self.lives("--proc-subset")
        for family in ("cpu_seconds_total", "resident_memory_bytes", "open_fds",
                       "virtual_memory_bytes", "max_fds"):
            self.assertGreater(served.value(f"process_{family}"), 0)
        self.assertAlmostEqual(served.value("process_start_time_seconds"), time.time(),
                               delta=120)

    def test_once_and_the_checks(self):
        words = self.sandbox("--read-only", "--user", str(harness.NOBODY))
        directory = self.temp_dir()
        harness.write_atomically(os.path.join(directory, churn.name(1)), churn.run(10))
        for flag, want in ((("--once", "results"), "scenario_duration_seconds{"),
                           (("--check-config",), "configuration is valid")):
            done = subprocess.run(
                [*words, harness.binary(), "--results-dir", directory, *flag], text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                env=harness.environment(), check=False)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn(want, done.stdout)


class Traced(Case):
    """Every system call of a life is looked at."""

    def setUp(self):
        if not shutil.which("strace"):
            self.skipTest("no strace")
        self.trace = os.path.join(self.temp_dir(), "trace")
        self.words = ["strace", "-D", "-f", "-y", "-q", "-s", "4096", "-o", self.trace,
                      "-e", "trace=%file,%desc,%network"]
        if subprocess.run(["strace", "-D", "-o", "/dev/null", "true"], timeout=60,
                          stderr=subprocess.DEVNULL, check=False).returncode:
            self.skipTest("no process may be traced here")

    def calls(self):
        """(name, arguments) of each; the tracer ends after the program."""
        def whole():
            with open(self.trace, encoding="utf-8", errors="replace") as f:
                lines = f.read().splitlines()
            return lines if lines and lines[-1].endswith(" +++") else None
        found = []
        for line in harness.wait_until(whole, what="end of the trace"):
            call = re.match(r"\d+ +(\w+)\((.*)", line)
            if call:
                found.append(call.groups())
        return found

    def offences(self, calls, allowed=()):
        """Calls that write to a file system. allowed: paths of our own sockets."""
        bad = []
        for name, arguments in calls:
            path = re.search(r'"((?:[^"\\]|\\.)*)"', arguments)
            if CHANGES.match(name):
                wrong = not (name == "unlink" and path and path[1] in allowed)
            elif name.startswith("open"):
                wrong = bool(WRITING.search(re.sub(r'"(?:[^"\\]|\\.)*"', '""', arguments)))
            elif WRITES.match(name):
                target = re.match(r"(\d+)<(/[^>]*)>", arguments)
                wrong = bool(target) and int(target[1]) > 2
            else:
                wrong = False
            if wrong:
                bad.append(f"{name}({arguments}")
        return bad

    def test_the_test_sees_what_it_looks_for(self):
        directory = self.temp_dir()
        subprocess.run([*self.words, "sh", "-c",
                        f"echo x >{directory}/a; mv {directory}/a {directory}/b; "
                        f"chmod 600 {directory}/b; exec rm {directory}/b"],
                       timeout=60, check=True)
        bad = "\n".join(self.offences(self.calls()))
        for word in (r"^openat\(.*O_CREAT", r"^rename", r"^f?chmod", r"^unlink"):
            self.assertRegex(bad, re.compile(word, re.M))

    def test_no_file_is_written_made_or_removed_in_a_whole_life(self):
        pricing = self.pricing()
        path = os.path.join(self.temp_dir(), "cost.sock")
        # LeakSanitizer traces the process itself: only one can.
        with harness.Exporter(*everything.FLAGS, "--pricing-config", pricing,
                              f"--cost.listen-address=unix:{path}", release=True,
                              wrapper=self.words, listen=("results", "qoe")) as e:
            everything.live(e, pricing)
        calls = self.calls()
        self.assertEqual(self.offences(calls, allowed=(path,)), [])
        # It was a life: there is much to see.
        self.assertLessEqual({"openat", "openat2", "pread64", "write", "bind", "unlink"},
                             {name for name, _ in calls})
        self.assertGreater(len(calls), 1000)
        self.assertFalse(os.path.exists(path))
        # What is no regular file was looked at with O_PATH at most.
        for name, arguments in calls:
            if name.startswith("open") and churn.name(4) in arguments:
                self.assertIn("O_PATH", arguments)

    def test_once_and_the_checks_write_nowhere(self):
        directory = self.temp_dir()
        harness.write_atomically(os.path.join(directory, churn.name(1)), churn.run(10))
        for flags in (("--once", "all"), ("--check-config",), ("--version",),
                      ("--help", "all"), ("--health-check",)):
            subprocess.run([*self.words, harness.binary(release=True), "--results-dir",
                            directory, "--only", "results", "--port", "1", *flags],
                           env=harness.environment(), stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=60, check=False)
            calls = self.calls()
            self.assertEqual(self.offences(calls), [])
            self.assertGreater(len(calls), 5)


class Sockets(Case):
    def test_a_socket_file_has_the_permissions_that_the_umask_leaves(self):
        for umask, mode in (("0177", 0o600), ("0117", 0o660), ("0111", 0o666)):
            path = os.path.join(self.temp_dir(), "results.sock")
            with harness.Exporter(
                    f"--results.listen-address=unix:{path}", listen=("qoe",),
                    wrapper=("sh", "-c", f'umask {umask}; exec "$@"', "sh")):
                got = os.stat(path).st_mode
                self.assertTrue(stat.S_ISSOCK(got))
                self.assertEqual(stat.S_IMODE(got), mode)
            self.assertFalse(os.path.exists(path))


if __name__ == "__main__":
    harness.main()
