# ctest: serial
"""Out of inotify instances or watches the exporter polls, and says so."""

import os
import shutil
import subprocess
import sys

import churn
import harness

HOLDER = r"""
import ctypes, resource, sys
libc = ctypes.CDLL(None, use_errno=True)
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
n = 0
while libc.inotify_init1(0) >= 0:
    n += 1
print(n, flush=True)
sys.stdin.read()
"""


class Limits(churn.Case):
    uid = 54321    # limits are counted by user; nobody else has this one

    def take_all_instances(self):
        """A process of the same user that takes all inotify instances there are."""
        holder = subprocess.Popen(
            ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups",
             sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def release():
            holder.stdin.close()
            holder.wait()
            holder.stdout.close()
        self.addCleanup(release)
        self.assertGreater(int(holder.stdout.readline()), 0)

    def limited(self, what, limit):
        """A command before the exporter's: in a user namespace with limits of its own."""
        wrapper = ["unshare", "--user", "--map-root-user", "sh", "-c",
                   f'echo {limit} >/proc/sys/user/{what} && exec "$@"', "sh"]
        if subprocess.run([*wrapper, "true"], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("no user namespaces here")
        return wrapper

    def polls(self, e, remedy):
        self.said_once(e, "inotify is not available, polling instead.*" + remedy)
        self.assertEqual(self.counter(e, "encode_exporter_watch_info", mode="poll"), 1)
        for d in (10, 20):
            e.rename_over(churn.name(d), churn.run(d))
            self.wait_durations(e, d)
        self.assertEqual(e.log_count("level=(warn|error)"), 1, e.log)

    def test_without_instances_it_polls(self):
        self.take_all_instances()
        for mode in ("auto", "inotify"):
            with harness.Exporter("--watch", mode, "--poll-interval", "100ms",
                                  user=self.uid) as e:
                self.polls(e, "max_user_instances")

    def test_without_watches_it_polls(self):
        for limit in (0, 1, 2):    # none, and not enough for the whole path
            with harness.Exporter("--poll-interval", "100ms",
                                  wrapper=self.limited("max_inotify_watches", limit)) as e:
                self.polls(e, "max_user_watches")

    def test_watches_that_run_out_later_make_it_poll(self):
        base = harness.temp_dir()
        self.addCleanup(shutil.rmtree, base)
        results = os.path.join(base, "results")
        with harness.Exporter("--poll-interval", "100ms", directory=results,
                              wrapper=self.limited("max_inotify_watches", 100)) as e:
            e.wait_log("results directory cannot be read")
            os.mkdir(results)
            e.rename_over(churn.name(1), churn.run(1))
            self.wait_durations(e, 1)
            self.assertEqual(e.log_count("polling"), 0, e.log)
            subprocess.run(["nsenter", "--user", "--target", str(e.process.pid), "sh", "-c",
                            "echo 1 >/proc/sys/user/max_inotify_watches"], check=True)
            os.rename(results, results + ".old")
            os.mkdir(results)
            e.rename_over(churn.name(1), churn.run(2))
            self.wait_durations(e, 2)
            e.wait_log("polling instead.*max_user_watches")
            e.rename_over(churn.name(1), churn.run(3))
            self.wait_durations(e, 3)


if __name__ == "__main__":
    harness.main()
