# ctest: timeout 700
"""The Debian package on a bare Debian 12: it installs with what it depends on, its service
starts as the unit says and is scraped, an upgrade keeps what the user changed, and a purge
leaves nothing but the user's results.

systemd does not run in a directory: the test reads User=, Environment=, EnvironmentFile= and
ExecStart= from the installed unit and does what they say. A systemctl that writes down how
it is called stands for systemd where the package's scripts look for it.
"""

import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import unittest

import debian_root
import harness
import web

NAME = "encode-exporter"
HOME = "/var/lib/encode_exporter"
DEFAULT = "/etc/default/encode_exporter"
DOC = "/usr/share/doc/encode-exporter"
CALLS = "/tmp/systemctl.calls"
EXAMPLE = "test_results_0360p_synth360.json"
LIBRARIES = {name + ".so" for name in (
    "compare", "compute", "live", "page", "predict", "record", "transport_tls", "upstream",
    "web_toolbox")}
FLAGS = " ".join(f"--{e}.listen-address=127.0.0.1:0" for e in harness.ENDPOINTS)


def make_package(directory, *settings):
    """Path of the package that cpack makes of the release build."""
    build = os.path.dirname(harness.binary(release=True))
    config = os.path.join(build, "CPackConfig.cmake")
    if not os.path.exists(config):
        raise unittest.SkipTest(f"no {config}: the build is of no preset")
    words = [word for setting in settings for word in ("-D", setting)]
    debian_root.run(["cpack", "--config", config, "-B", directory, *words])
    found = glob.glob(os.path.join(directory, "*.deb"))
    assert len(found) == 1, found
    return found[0]


class Service(harness.Exporter):
    """The program as the installed unit starts it."""

    def __init__(self, root):
        super().__init__(directory=root.at(HOME + "/results"))
        self.root = root

    def unit(self, key):
        text = self.root.read("/lib/systemd/system/encode_exporter.service")
        return re.findall(rf"^{key}=(.*)$", text, re.M)

    def variables(self):
        lines = self.unit("Environment")
        path = self.unit("EnvironmentFile")[0].lstrip("-")
        lines += [line for line in self.root.read(path).splitlines()
                  if line and not line.startswith("#")]
        return dict(line.split("=", 1) for line in lines)

    def start(self):
        environment = self.variables()
        words = []
        for word in self.unit("ExecStart")[0].split():
            words += environment[word[1:]].split() if word.startswith("$") else [word]
        self.process = subprocess.Popen(
            self.root.command(*words, user=self.unit("User")[0]),
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            start_new_session=True)
        self.reader = harness.threading.Thread(target=self.read_log, daemon=True)
        self.reader.start()
        harness.wait_until(self.all_listening, what="listening on all endpoints")
        harness.wait_until(lambda: self.get("cost", "/ready").status == 200, what="ready")


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        debian_root.require()
        if not shutil.which("dpkg-shlibdeps"):
            raise unittest.SkipTest("no dpkg-shlibdeps (package dpkg-dev)")
        cls.scratch = harness.temp_dir()
        cls.addClassCleanup(shutil.rmtree, cls.scratch)
        cls.first = make_package(os.path.join(cls.scratch, "first"))
        cls.root = debian_root.Root()
        cls.root.__enter__()
        cls.addClassCleanup(cls.root.__exit__)

    # ---- words for what is done in the root ---------------------------------------
    def install(self, package, *options):
        shutil.copy(package, self.root.at("/tmp/package.deb"))
        return self.root.run("apt-get", "install", "-qq", "-y", "--no-install-recommends",
                             *options, "/tmp/package.deb")

    def known(self, database):
        """The line of the package's user (passwd) or group, or nothing."""
        return self.root.shell(f"getent {database} encode_exporter || true").strip()

    def left(self):
        """All paths that are named like the package or the program."""
        return self.root.shell("find / -xdev -path /proc -prune -o -path /tmp -prune -o "
                               "-iname '*encode?exporter*' -print").split()

    def version(self):
        return self.root.run("dpkg-query", "-W", "-f=${Version} ${Status}", NAME)

    def pretend_systemd(self, active):
        """A systemctl that notes its calls; the service is enabled, and may run."""
        self.root.write("/usr/bin/systemctl", "#!/bin/sh\n"
                        f'echo "$*" >>{CALLS}\n'
                        f'case " $* " in *" is-active "*) exit {0 if active else 3} ;;\n'
                        '*" is-enabled "*) echo enabled ;; esac\n',
                        0o755)

    # ---- the tests: two lives in one root, and the package by itself ----------------
    def test_the_same_source_makes_the_same_package(self):
        hashes = []
        for package in (self.first, make_package(os.path.join(self.scratch, "again"))):
            with open(package, "rb") as f:
                hashes.append(hashlib.sha256(f.read()).hexdigest())
        self.assertEqual(hashes[0], hashes[1])

    def test_it_says_what_it_is(self):
        fields = debian_root.run(["dpkg-deb", "--field", self.first])
        for line in (r"Package: encode-exporter", r"Version: [\d.]+-1", r"Section: net",
                     r"Depends: .*\badduser\b", r"Depends: .*\blibcurl4\b",
                     r"Depends: .*\blibssl3\b", r"Depends: .*\blibyaml-0-2\b",
                     r"Depends: .*\blibuv1\b", r"Description: [A-Z].{20}"):
            self.assertRegex(fields, rf"(?m)^{line}")
        files = debian_root.run(["dpkg-deb", "--contents", self.first])
        self.assertEqual(re.findall(r"^(?!\S+ root/root ).*", files, re.M)[:-1], [])
        self.assertLess(os.path.getsize(self.first), 1 << 20)

    def test_a_life_from_installation_to_purge(self):
        self.is_installed()
        self.is_whole()
        self.page_and_completion_work()
        self.configuration_is_taken()
        self.results_are_served()
        self.upgrade_keeps_what_is_the_users()
        self.scripts_ask_whether_services_may_start()
        self.removal_keeps_settings_and_results()
        self.purge_keeps_results_alone()
        self.purge_of_an_unused_one_leaves_nothing()

    # ---- parts of a life ----------------------------------------------------------
    def is_installed(self):
        self.root.run("apt-get", "update", "-qq")
        self.root.run("apt-get", "install", "-qq", "-y", "--no-install-recommends",
                      "groff-base", "bash-completion")
        self.install(self.first)
        self.assertRegex(self.version(), r"^[\d.]+-1 install ok installed$")
        self.assertRegex(self.known("passwd"),
                         rf"^encode_exporter:x:\d+:\d+:[^:]*:{HOME}:/usr/sbin/nologin$")
        about = self.root.run("stat", "-c", "%A %U %G", HOME, HOME + "/results")
        self.assertEqual(about.splitlines(), ["drwxr-xr-x root root",
                                              "drwxrwsr-x root encode_exporter"])
        wants = "/etc/systemd/system/multi-user.target.wants/encode_exporter.service"
        self.assertTrue(os.path.islink(self.root.at(wants)))
        self.assertFalse(glob.glob(self.root.at("/etc/systemd/system/sockets.target.wants/*")))

    def is_whole(self):
        self.assertEqual(self.root.run("dpkg", "--verify", NAME), "")
        libraries = glob.glob(self.root.at("/usr/lib/encode_exporter/*.so"))
        self.assertEqual({os.path.basename(n) for n in libraries}, LIBRARIES)
        for library in libraries:
            needed = self.root.run("ldd", library[len(self.root.path):])
            self.assertNotIn("not found", needed)
        self.assertIn("libcurl", self.root.run("encode_exporter", "--version"))
        for path in ("copyright", "changelog.gz", "changelog.Debian.gz", "systemd.md",
                     "examples/results/" + EXAMPLE):
            self.assertTrue(os.path.exists(self.root.at(f"{DOC}/{path}")), path)
        for path in ("prometheus/prometheus.yml", "prometheus/rules/forecast.yml",
                     "grafana/dashboards/qoe-monitoring.json"):
            shared = self.root.at(f"/usr/share/encode_exporter/{path}")
            self.assertTrue(os.path.exists(shared), path)

    def page_and_completion_work(self):
        text = self.root.shell("zcat /usr/share/man/man1/encode_exporter.1.gz | "
                               "GROFF_NO_SGR=1 groff -man -Tascii -ww")
        self.assertNotIn("warning", text)
        self.assertIn("--results-dir", re.sub(".\b", "", text))
        words = self.root.shell(
            ". /usr/share/bash-completion/bash_completion\n"
            "_completion_loader encode_exporter || [ $? = 124 ]\n"
            "complete -p encode_exporter >&2\n"
            "COMP_WORDS=(encode_exporter --newest '') COMP_CWORD=2\n"
            '_encode_exporter; echo "${COMPREPLY[@]}"')
        self.assertTrue(words.endswith("\nauto name mtime\n"), words)

    def configuration_is_taken(self):
        """The example of the web config, as it is and with all of it put in force."""
        example = f"{DOC}/examples/web-config.yml"
        check = ("encode_exporter", "--check-config", "--web.config.file")
        self.assertIn("valid", self.root.run(*check, example))
        os.mkdir(self.root.at("/etc/encode_exporter"))
        web.make_certificate(self.root.at("/etc/encode_exporter"), "server")
        text = re.sub(r"(?m)^#((?:  )?[a-z_]+:(?: \S+)?)$", r"\1", self.root.read(example))
        text = text.replace("HASH", re.search(r"\$2\S+?(?=[\s\"']|$)", web.fast_users())[0])
        self.assertIn("\nbasic_auth_users:\n  prometheus: $2", text)
        self.root.write("/etc/encode_exporter/all.yml", text, 0o600)
        self.assertIn("valid", self.root.run(*check, "/etc/encode_exporter/all.yml"))

        self.root.run("install", "-m", "0640", "-g", "encode_exporter", example,
                      "/etc/encode_exporter/web.yml")
        default = self.root.read(DEFAULT)
        flags = f"{FLAGS} --web.config.file /etc/encode_exporter/web.yml"
        changed = default.replace("\nENCODE_EXPORTER_FLAGS=\n",
                                  f"\nENCODE_EXPORTER_FLAGS={flags}\n")
        self.assertNotEqual(changed, default)
        self.root.write(DEFAULT, changed)
        self.root.shell("useradd --groups encode_exporter encoder")

    def results_are_served(self):
        with Service(self.root) as service:
            status = service.proc("status")
            uid = self.known("passwd").split(":")[2]
            self.assertEqual(re.search(r"^Uid:\s+(.*)$", status, re.M)[1].split(), [uid] * 4)
            # Written by one who lets nobody but the group read it.
            self.root.shell(f"umask 027; cp {DOC}/examples/results/{EXAMPLE} {HOME}/results/",
                            user="encoder")
            found = service.wait_metrics("cost", lambda e: "cost_total_load_aware" in e,
                                         what="costs of what was written")
            currencies = {s.labels["currency"]
                          for s in found.samples("cost_total_load_aware")}
            self.assertEqual(currencies, {"USD", "EUR", "SEK"})
            service.wait_metrics("results", lambda e: "results_scenario_duration_seconds" in e)
            service.wait_metrics("qoe", lambda e: "qoe_vmaf_score" in e)
            self.assertEqual(service.get("qoe").headers["X-Frame-Options"], "deny")
        said = self.root.run("encode_exporter", "predict", "--results-dir",
                             f"{DOC}/examples/results", "--resolution", "1920x1080",
                             "--fps", "30", "--bitrate", "4M")
        self.assertIn("VMAF", said)

    def upgrade_keeps_what_is_the_users(self):
        script = os.path.join(self.scratch, "change.cmake")
        with open(script, "w", encoding="utf-8") as f:
            f.write(f'file(APPEND ${{CPACK_TEMPORARY_INSTALL_DIRECTORY}}{DEFAULT} "#new\\n")\n')
        self.second = make_package(os.path.join(self.scratch, "second"),
                                   "CPACK_DEBIAN_PACKAGE_RELEASE=2",
                                   f"CPACK_PRE_BUILD_SCRIPTS={script}")
        before, user = self.root.read(DEFAULT), self.known("passwd")
        mode = "0750"    # the user's own choice
        self.root.run("chmod", mode, HOME + "/results")
        self.install(self.second, "-o", "Dpkg::Options::=--force-confold")
        self.assertRegex(self.version(), r"^[\d.]+-2 install ok installed$")
        self.assertEqual(self.root.read(DEFAULT), before)
        self.assertTrue(self.root.read(DEFAULT + ".dpkg-dist").endswith("#new\n"))
        self.assertEqual(self.known("passwd"), user)
        self.assertEqual(self.root.run("stat", "-c", "0%a", HOME + "/results").strip()[-3:],
                         mode[-3:])
        self.assertTrue(os.path.exists(self.root.at(f"{HOME}/results/{EXAMPLE}")))
        self.assertRegex(self.root.shell(f"dpkg --verify {NAME} || true"),
                         rf"^\S*5\S* +c +{DEFAULT}\n$")
        with Service(self.root) as service:
            service.wait_metrics("cost", lambda e: "cost_total_load_aware" in e)

    def scripts_ask_whether_services_may_start(self):
        os.makedirs(self.root.at("/run/systemd/system"))
        self.pretend_systemd(active=True)
        self.root.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
        self.root.run("dpkg", "--install", "--force-confold", "/tmp/package.deb")
        calls = self.root.read(CALLS)
        self.assertIn("daemon-reload", calls)
        self.assertNotRegex(calls, r"\b(re)?start\b")
        os.unlink(self.root.at("/usr/sbin/policy-rc.d"))
        self.root.run("dpkg", "--install", "--force-confold", "/tmp/package.deb")
        self.assertRegex(self.root.read(CALLS), r"\brestart encode_exporter\.service\b")

    def removal_keeps_settings_and_results(self):
        self.root.write(CALLS, "")
        self.root.run("dpkg", "--remove", NAME)
        self.assertRegex(self.root.read(CALLS), r"\bstop .*encode_exporter\.service\b")
        self.assertFalse(os.path.exists(self.root.at("/usr/bin/encode_exporter")))
        self.assertTrue(os.path.exists(self.root.at(DEFAULT)))
        self.assertTrue(os.path.exists(self.root.at(f"{HOME}/results/{EXAMPLE}")))
        self.assertTrue(self.known("passwd"))

    def purge_keeps_results_alone(self):
        said = self.root.run("dpkg", "--purge", NAME)
        self.assertIn(f"{HOME} holds results", said)
        shutil.rmtree(self.root.at("/etc/encode_exporter"))    # the user's, too
        self.assertEqual(self.left(), [HOME])
        self.assertEqual(os.listdir(self.root.at(HOME + "/results")), [EXAMPLE])
        self.assertTrue(self.known("group"))

    def purge_of_an_unused_one_leaves_nothing(self):
        os.unlink(self.root.at(f"{HOME}/results/{EXAMPLE}"))
        self.pretend_systemd(active=False)
        self.root.write(CALLS, "")
        self.install(self.first)
        self.assertRegex(self.root.read(CALLS), r"\bstart encode_exporter\.service\b")
        self.root.run("dpkg", "--purge", NAME)
        self.assertEqual(self.left(), [])
        self.assertEqual((self.known("passwd"), self.known("group")), ("", ""))


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    harness.main()
