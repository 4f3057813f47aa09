# ctest: timeout 180
"""The page outlives its connection: a server that is away and comes back, files that are
rewritten and removed, TLS and passwords."""

import json
import os
import shutil
import signal
import time
import unittest

import browser
import harness
import pages
import web

PROGRESS = os.path.join(harness.DATA, "formats", "progress", "x264_mp4.progress")


def results(*scenarios):
    return json.dumps({"scenarios": [
        {"name": name, "bitrate": "1000k", "resolution": "1280x720", "fps": 25,
         "duration": 10, "vmaf_score": vmaf, **more} for name, vmaf, more in scenarios]})


def key(name, run=1):
    return f"test_results_{run}/{name}"


class Lost(pages.Case):
    def vmaf(self, p, name):
        return p.js(f"(document.querySelector({json.dumps(pages.row(key(name), 'vmaf'))})"
                    " || {}).innerText")

    def wait_vmaf(self, p, name, text):
        harness.wait_until(lambda: self.vmaf(p, name) == text, 30, f"{name} has {text}")

    def state(self, p):
        return p.js("document.getElementById('connection').dataset.state")

    def wait_connection(self, p, state):
        harness.wait_until(lambda: self.state(p) == state, 40, f"connection {state}")

    def again(self, e):
        """Another exporter of the same directory, at the same ports."""
        return harness.Exporter(
            *(f"--{name}.listen-address=127.0.0.1:{port}" for name, port in e.ports.items()),
            directory=e.directory, listen=None)

    def restarted(self, end):
        with harness.Exporter() as e:
            e.write("test_results_1.json", results(("stays", 90, {}), ("goes", 80, {})))
            shutil.copy(PROGRESS, e.path("watched.progress"))
            e.wait_metrics("results", lambda x: x.samples("encode_state"))
            with self.look(self.url(e), tolerated=("network: Failed to load",)) as p:
                self.drawn(p)
                p.js("window.marked = true")
                p.fill("#filter", "s")
                self.wait_vmaf(p, "stays", "90.00")
                self.assertFalse(self.banner_seen(p))
                end(e)
                self.wait_connection(p, "lost")
                self.assertTrue(self.banner_seen(p))
                # What was known stays to be read.
                self.assertEqual(self.vmaf(p, "stays"), "90.00")
                e.write("test_results_1.json",
                        results(("stays", 91, {}), ("comes too s", 70, {})))
                os.remove(e.path("watched.progress"))
                with self.again(e):
                    self.wait_connection(p, "live")
                    harness.wait_until(lambda: not self.banner_seen(p))
                    self.wait_vmaf(p, "stays", "91.00")
                    self.wait_vmaf(p, "comes too s", "70.00")
                    harness.wait_until(lambda: self.shown(p) == [2, 2])
                    self.assertIsNone(self.vmaf(p, "goes"))
                    self.assertEqual(p.count("#encodes [data-name]"), 0)
                    # As it was left: not loaded anew, the filter stands.
                    self.assertTrue(p.js("window.marked"))
                    self.assertEqual(p.js("document.querySelector('#filter').value"), "s")

    def banner_seen(self, p):
        return p.js("""(() => {
            const r = document.getElementById('connection').getBoundingClientRect();
            return r.width > 20 && r.height > 8;
        })()""")

    def test_a_server_that_was_restarted(self):
        def stop(e):
            began = time.monotonic()
            e.stop()
            self.assertLess(time.monotonic() - began, 5)
        self.restarted(stop)

    def test_a_server_that_was_killed(self):
        def kill(e):
            e.process.send_signal(signal.SIGKILL)
            e.process.wait(10)
            e.stop = lambda: None    # there is no orderly end to be checked
        self.restarted(kill)

    def test_one_that_answers_nothing_is_told(self):
        """No end of the connection, and no heart-beat either."""
        e = self.exporter()
        with self.look(self.url(e), tolerated=("network: Failed to load",)) as p:
            self.drawn(p)
            e.process.send_signal(signal.SIGSTOP)
            self.addCleanup(e.process.send_signal, signal.SIGCONT)
            self.wait_connection(p, "lost")
            e.process.send_signal(signal.SIGCONT)
            self.wait_connection(p, "live")

    def test_files_that_change_and_go(self):
        with harness.Exporter("--runs", "all") as e:
            e.write("test_results_1.json", results(("a", 90, {}), ("b", 80, {})))
            e.write("test_results_2.json", results(("c", 70, {})))
            e.wait_metrics("results", lambda x: x.value("results_scenarios_total") == 3)
            with self.looking(e) as p:
                self.wait_vmaf(p, "b", "80.00")
                p.js(f"window.kept = document.querySelector({json.dumps(pages.row(key('a')))})")
                asked = len(p.asked)
                began = time.monotonic()
                e.rename_over("test_results_1.json", results(("a", 90, {}), ("b", 85, {})))
                self.wait_vmaf(p, "b", "85.00")
                print(f"a rewritten file is shown after {time.monotonic() - began:.2f} s")
                self.assertTrue(p.js("window.kept.isConnected"))    # what is as it was stays
                # What the document says of files and of the newest run may be read again.
                self.assertEqual({a.url for a in p.asked[asked:]} - {self.url(e)}, set())
                os.remove(e.path("test_results_2.json"))
                harness.wait_until(lambda: self.shown(p) == [2, 2])
                e.rename_over("test_results_3.json", results(("n", 60, {})))
                harness.wait_until(lambda: self.shown(p) == [3, 3])
                p.wait("document.getElementById('about').textContent.includes('test_results_3')",
                       what="the newest run in what the document says")
                os.remove(e.path("test_results_1.json"))
                os.remove(e.path("test_results_3.json"))
                harness.wait_until(lambda: self.shown(p) == [0, 0])
                e.rename_over("test_results_1.json", results(("a", 95, {})))
                self.wait_vmaf(p, "a", "95.00")

    def test_two_pages_at_two_ports_see_the_same(self):
        with harness.Exporter() as e:
            with self.looking(e) as p, self.looking(e, "cost") as q:
                e.write("test_results_1.json", results(("a", 90, {})))
                self.wait_vmaf(p, "a", "90.00")
                self.wait_vmaf(q, "a", "90.00")


class Locked(pages.Case):
    def test_tls_and_a_password(self):
        directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, directory)
        web.make_certificate(directory, "server")
        text = (f"tls_server_config:\n  cert_file: {directory}/server.crt\n"
                f"  key_file: {directory}/server.key\n" + web.fast_users())
        with web.ConfigFile(text) as config, harness.Exporter(
                "--web.config.file", config.path, ready=False) as e:
            e.write("test_results_1.json", results(("a", 90, {})))
            url = f"https://localhost:{e.ports['results']}/"
            with self.browser.page(trusting=True) as p:
                p.open(url)
                self.assertEqual(p.statuses[url], 401)
                self.assertNotIn("results", p.text("body").lower())
            with self.look(url, trusting=True, login=("alice", "sesame")) as p:
                self.drawn(p)
                harness.wait_until(lambda: p.js(
                    f"!!document.querySelector({json.dumps(pages.row(key('a')))})"))
                shutil.copy(PROGRESS, e.path("watched.progress"))
                self.wait_state(p, "watched", "ended")
                self.assertEqual(p.refused, 0)
                self.assertEqual({p.statuses[url + name] for name in ("", "page.js", "page.css",
                                                                      "events")}, {200})
            with self.assertRaises(browser.Failed), self.browser.page(
                    login=("alice", "sesame")) as p:
                p.open(url)    # nobody vouches for the certificate



if __name__ == "__main__":
    harness.main()
