"""deploy/compare.sh, on what the predecessors would serve and on what they would not, and
the relabelling that docs/migration.md gives, in a real Prometheus and VictoriaMetrics."""
# ctest: timeout 240

import os
import re
import resource
import shutil
import subprocess
import unittest

import harness
import peers
import predecessors

COMPARE = os.path.join(harness.ROOT, "deploy", "compare.sh")
GUIDE = os.path.join(harness.ROOT, "docs", "migration.md")
FLAGS = ("--predict=off", "--power=off", "--energy-cost=0.12")


def compare(*arguments, env=None):
    return subprocess.run(["sh", COMPARE, *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=120, check=False,
                          env=env)


class Scratch(unittest.TestCase):
    def setUp(self):
        self.directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, self.directory)

    def file(self, name, content):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(content)
        return path

    def compared(self, old, new, *flags):
        return compare(*flags, self.file("old", old), self.file("new", new))


class Predecessors(Scratch):
    def served(self, results, module, currency):
        directory = os.path.join(self.directory, "results")
        shutil.rmtree(directory, ignore_errors=True)
        os.mkdir(directory)
        shutil.copy(results, directory)
        done = harness.run("--results-dir", directory, "--once", module,
                           f"--currency={currency}", *FLAGS, release=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_all_that_differs_is_intended(self):
        files = (harness.data_files("python-era") + harness.data_files("go-era")
                 + harness.data_files("encodes")[:4])
        for path in files:
            for (era, module), write in predecessors.ALL.items():
                with self.subTest(f"{era} {module} {os.path.basename(path)}"):
                    new = self.served(path, module, "USD,EUR,SEK" if era == "go" else "USD")
                    done = self.compared(write(path), new)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                    self.assertNotIn("NOT INTENDED", done.stdout)

    def test_series_are_found_again_and_figures_compared(self):
        path = harness.data_files("go-era")[0]
        new = self.served(path, "qoe", "USD")
        done = self.compared(predecessors.go_qoe(path), new)
        # 3 of the process, 4 scores and rates of each of 3 encodes, 3 with power; the
        # baseline has none. 3 efficiencies differ, as the table says.
        self.assertRegex(done.stdout, r"21 series in OLD, 21 in NEW: 18 have the same value")
        self.assertRegex(done.stdout, "3 x different  qoe_efficiency_score: energy by the")
        wrong = self.compared(predecessors.go_qoe(path).replace(" 92.50\n", " 92.40\n"), new)
        self.assertEqual(wrong.returncode, 1)
        self.assertRegex(wrong.stdout, r"NOT INTENDED  different  qoe_vmaf_score\{.*: was "
                                       r"92.40, is 92.5\n")

    def test_a_currency_that_is_not_served_is_missed(self):
        path = harness.data_files("go-era")[0]
        done = self.compared(predecessors.go_cost(path), self.served(path, "cost", "USD"))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"NOT INTENDED  missing  cost_total_load_aware\{.*"
                                      r"\[--currency LIST, with EUR in it")

    def test_text_of_labels_is_told(self):
        path = harness.data_files("python-era")[0]
        done = self.compared(predecessors.python_cost(path), self.served(path, "cost", "USD"),
                             "-v")
        self.assertRegex(done.stdout, r'scenario="Baseline_\(Idle\)" is "Baseline \(Idle\)"')
        self.assertRegex(done.stdout, r'encoder="unknown" is "h264"')


OLD = """# HELP f_up x
# TYPE f_up gauge
f_up 1
# TYPE cost_total_load_aware gauge
cost_total_load_aware{scenario="a \\"b\\", c={}",bitrate="1M"} 0.12345678 1700000000000
cost_total_load_aware{scenario="d",bitrate="2M"} 4
"""


class Differences(Scratch):
    def test_the_same(self):
        done = self.compared(OLD, OLD)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, "3 series in OLD, 3 in NEW: 3 have the same value; "
                                      "differences that are not intended: 0\n")

    def test_order_of_labels_times_and_rounding_are_no_difference(self):
        new = OLD.replace('{scenario="a \\"b\\", c={}",bitrate="1M"} 0.12345678 1700000000000',
                          '{bitrate="1M",scenario="a \\"b\\", c={}",} 0.123456784')
        self.assertNotEqual(new, OLD)
        done = self.compared(OLD, new)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("3 have the same value", done.stdout)

    def test_what_is_not_intended(self):
        for what, new, told in (
                ("value", OLD.replace("} 4", "} 4.1"), r"different  .*: was 4, is 4.1"),
                ("gone", OLD.replace('cost_total_load_aware{scenario="d",bitrate="2M"} 4\n', ""),
                 r'missing  .*scenario="d"'),
                ("label", OLD.replace('bitrate="2M"', 'bitrate="2M",colour="red"'),
                 r'label  .*: colour="" is "red"'),
                ("type", OLD.replace("f_up gauge", "f_up counter"),
                 "type  f_up was a gauge, is a counter"),
                ("more", OLD + 'cost_total_load_aware{scenario="d",bitrate="3M"} 4\n',
                 r'new  .*bitrate="3M"')):
            with self.subTest(what):
                done = self.compared(OLD, new)
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertRegex(done.stdout, "(?m)^NOT INTENDED  " + told)
                self.assertIn("not intended: 1\n", done.stdout)

    def test_tolerance(self):
        new = OLD.replace("} 4", "} 4.1")
        self.assertEqual(self.compared(OLD, new, "--tolerance", "0.02").returncode, 1)
        self.assertEqual(self.compared(OLD, new, "--tolerance=0.03").returncode, 0)

    def test_infinity_and_no_number(self):
        for was, now, same in (("+Inf", "+Inf", True), ("NaN", "NaN", True),
                               ("+Inf", "-Inf", False), ("NaN", "0", False), ("7", "+Inf", False)):
            with self.subTest(f"{was} {now}"):
                done = self.compared(f"f_up {was}\n", f"f_up {now}\n")
                self.assertEqual(done.returncode, 0 if same else 1, done.stdout)

    def test_large_ones_take_seconds(self):
        line = ('cost_total_load_aware{{scenario="s{0}{1}",currency="USD",bitrate="2500k",'
                'streams="2",encoder="libx264"{2}}} 0.{1}\n')
        old = "".join(line.format("_", i, "") for i in range(20000))
        new = "".join(line.format(" ", i, ',region="default",preset="fast"')
                      for i in range(20000))
        def used():
            return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        before = used()
        done = self.compared(old, new)
        # 2 s, of CPU since others run beside it; four times as much if it were quadratic.
        self.assertLess(used() - before, 8)
        self.assertEqual(done.returncode, 0, done.stdout[:2000])
        self.assertIn("20000 have the same value", done.stdout)


class Use(Scratch):
    def test_help(self):
        done = compare("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("compare.sh [-v] [--tolerance R] OLD NEW", done.stdout)

    def test_wrong_use_and_nothing_to_read(self):
        good, empty = self.file("good", OLD), self.file("empty", "# nothing\n")
        for arguments in ((), (good,), (good, good, good), ("--colour", good, good),
                          ("--tolerance", "much", good, good), (good, empty), (empty, good),
                          (good, os.path.join(self.directory, "none")),
                          (good, "http://127.0.0.1:1/metrics")):
            with self.subTest(" ".join(arguments)):
                done = compare(*arguments)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertRegex(done.stderr, "(?m)^compare.sh: ")

    def test_two_exporters_by_their_urls(self):
        with harness.Exporter(files=harness.data_files("go-era")) as e:
            url = f"http://127.0.0.1:{e.ports['cost']}"
            done = compare(url, url + "/metrics")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"^(\d+) series in OLD, \1 in NEW: \1 have the same")


def blocks(kind):
    """The pieces of the guide's YAML that hold a word."""
    with open(GUIDE, encoding="utf-8") as f:
        found = re.findall(r"```yaml\n(.*?)```", f.read(), re.S)
    return [text for text in found if kind in text]


class Relabelling(Scratch):
    """What the guide gives makes the Python exporters' label texts of ours."""

    WANT = ("2_streams_@_2500k", "Baseline_(Idle)", "one_5_quote")

    def stored(self, name, rules):
        peer = peers.Peer.named(name)
        self.addCleanup(peer.stop)
        with harness.Exporter(*FLAGS[2:]) as e:
            e.write("test_results_1.json", '{"scenarios": [%s]}' % ", ".join(
                '{"name": "%s", "bitrate": "1M", "duration": 9, "vmaf_score": 90}' % n
                for n in ("2 streams @ 2500k", "Baseline (Idle)", 'one 5\\" quote')))
            e.wait_metrics("cost", lambda m: "cost_total_load_aware" in m)
            e.wait_metrics("qoe", lambda m: "qoe_vmaf_score" in m)
            config = peers.PROMETHEUS_CONFIG + "".join(
                peers.JOB.format(name=job, port=e.ports[job])
                + "".join("    " + line + "\n" for line in rules.splitlines())
                for job in harness.ENDPOINTS)
            peer.start_with(config)
            peer.wait_for_data(len(harness.ENDPOINTS))

            def names(family):
                return {r["metric"]["scenario"] for r in peer.query(family)}
            harness.wait_until(lambda: names("cost_total_load_aware"), what="cost is stored")
            harness.wait_until(lambda: names("qoe_vmaf_score"), what="qoe is stored")
            harness.wait_until(lambda: names("results_scenario_duration_seconds"),
                               what="results are stored")
            self.assertEqual(names("cost_total_load_aware"), set(self.WANT))
            self.assertEqual(names("qoe_vmaf_score"), {self.WANT[0], self.WANT[2]})
            # The Python exporter of results kept the blanks.
            self.assertEqual(names("results_scenario_duration_seconds"),
                             {"2 streams @ 2500k", "Baseline (Idle)", 'one 5" quote'})

    def test_in_prometheus(self):
        rules = [text for text in blocks("target_label: scenario")
                 if "replace_all" not in text]
        self.assertEqual(len(rules), 1)
        self.stored("prometheus", rules[0])

    def test_in_victoria_metrics(self):
        rules = blocks("replace_all")
        self.assertEqual(len(rules), 1)
        self.stored("victoria-metrics", rules[0])


if __name__ == "__main__":
    harness.main()
