"""The tests' browser itself: that it sees what it is there to find, and leaves nothing."""

import http.server
import os
import threading
import unittest

import browser
import harness
import web

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:"
BAD_SCRIPT = """
console.error('as', 'it', 'is');
fetch('http://127.0.0.1:1/elsewhere').catch(() => {});
new Image().src = 'http://elsewhere.example/picture.png';
setTimeout(() => { throw new Error('thrown'); }, 0);
"""
PAGES = {
    "/good": "<!doctype html><html lang=en><title>t</title><link rel=icon href=data:,>"
             "<link rel=stylesheet href=/style.css><h1>Good</h1><button>b</button><input><p id=out></p>"
             "<select><option value=1>1<option value=2>2</select><script src=/good.js></script>",
    "/style.css": ":root { color-scheme: light dark } h1 { height: 60px }"
                  "@media (prefers-color-scheme: dark) { html { background: #000 } }",
    "/good.js": "const out = document.getElementById('out');"
                "document.querySelector('button').onclick = () => { out.textContent += 'c'; };"
                "document.querySelector('select').onchange = e => {"
                " out.textContent += e.target.value; };"
                "addEventListener('keydown', e => { out.textContent += '[' + e.key + ']'; });",
    "/script": "<!doctype html><title>t</title><script src=/bad.js></script>",
    "/bad.js": BAD_SCRIPT,
    "/inline": "<!doctype html><title>t</title><p style='color: red'>p</p>"
               "<script>document.title = 'ran';</script>",
    "/missing": "<!doctype html><title>t</title><img src=/nothing.png>",
    "/locked": "<!doctype html><title>in</title>",
}
KINDS = {".css": "text/css", ".js": "text/javascript"}


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = PAGES.get(self.path, "").encode()
        locked = self.path == "/locked" and self.headers["Authorization"] != web.basic(
            "alice", "sesame")["Authorization"]
        self.send_response(401 if locked else 200 if body else 404)
        if locked:
            self.send_header("WWW-Authenticate", 'Basic realm="r"')
        self.send_header("Content-Type",
                         KINDS.get(os.path.splitext(self.path)[1], "text/html"))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


class Driver(browser.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cls.url = f"http://127.0.0.1:{server.server_port}"

    def wait_said(self, p, text):
        harness.wait_until(lambda: any(text in said for said in p.problems), what=text)

    def test_a_good_page_has_no_problem(self):
        with self.look(self.url + "/good") as p:
            self.assertEqual(p.text("h1"), "Good")
            self.assertEqual([a.url for a in p.asked if not a.url.startswith("data:")],
                             [self.url + path for path in ("/good", "/style.css", "/good.js")])
            self.assertEqual(p.statuses[self.url + "/style.css"], 200)

    def test_errors_and_requests_to_others_are_seen(self):
        with self.browser.page() as p:
            p.open(self.url + "/script")
            for text in ("console: as it is", "exception: Error: thrown", "policy: "):
                self.wait_said(p, text)
        with self.browser.page() as p:
            p.call("Page.setBypassCSP", enabled=True)
            p.open(self.url + "/script")
            harness.wait_until(lambda: sorted(p.strangers(self.url)) == [
                "http://127.0.0.1:1/elsewhere", "http://elsewhere.example/picture.png"])

    def test_breaches_of_the_policy_are_seen(self):
        with self.browser.page() as p:
            p.open(self.url + "/inline")
            self.wait_said(p, "style-src")
            self.wait_said(p, "script-src")
            self.assertEqual(p.js("document.title"), "t")

    def test_what_is_missing_is_seen(self):
        with self.browser.page() as p:
            p.open(self.url + "/missing")
            self.wait_said(p, "404")

    def test_a_test_fails_on_them(self):
        for path in ("/script", "/inline", "/missing"):
            with self.subTest(path), self.assertRaises(AssertionError):
                with self.look(self.url + path) as p:
                    harness.wait_until(lambda p=p: p.problems)

    def test_mouse_and_keys_arrive(self):
        with self.look(self.url + "/good") as p:
            p.click("button")
            self.assertEqual(p.text("#out"), "c")
            p.choose("select", "2")
            p.fill("input", "a\u00e4")
            self.assertEqual(p.js("document.querySelector('input').value"), "a\u00e4")
            p.fill("input", "b")
            self.assertEqual(p.js("document.querySelector('input').value"), "b")
            p.key("Tab")
            p.key("ArrowDown")
            p.key("k")
            self.assertIn("[Tab][ArrowDown][k]", p.text("#out"))
            self.assertEqual(p.js("document.activeElement.tagName"), "SELECT")

    def test_dark_phone_and_no_scripts(self):
        with self.look(self.url + "/good") as p:
            light = p.screenshot()
            self.assertEqual(light, p.screenshot())
            p.prefer(dark=True)
            self.assertNotEqual(light, p.screenshot())
        with self.look(self.url + "/good", size=(390, 844), phone=True, scale=2) as p:
            self.assertEqual(p.js("[screen.width, devicePixelRatio, 'ontouchstart' in window]"),
                             [390, 2, True])
        with self.look(self.url + "/good", scripts=False) as p:
            p.click("button")
            self.assertEqual(p.text("#out"), "")

    def test_a_login_is_asked_for_once(self):
        with self.look(self.url + "/locked", login=("alice", "sesame")) as p:
            self.assertEqual(p.js("document.title"), "in")
        with self.browser.page(login=("alice", "wrong")) as p:
            p.open(self.url + "/locked")
            self.assertEqual((p.statuses[self.url + "/locked"], p.refused), (401, 1))

    def test_a_mistake_in_a_test_is_told(self):
        with self.look(self.url + "/good") as p:
            self.assertRaises(browser.Failed, p.js, "nothing.there")
            self.assertRaises(AssertionError, p.click, "#nowhere")
            self.assertRaises(AssertionError, p.wait, "false", 0.1)

    def test_nothing_is_left_of_it(self):
        with browser.Browser() as b:
            home, group = b.home, b.pid
            with b.page() as p:
                p.open(self.url + "/good")
            self.assertIn(group, browser.alive(group))
        self.assertFalse(os.path.exists(home))
        self.assertEqual(browser.alive(group), [])

    def test_one_that_does_not_run_skips(self):
        os.environ["BROWSER_UNDER_TEST"] = "false"
        self.addCleanup(os.environ.pop, "BROWSER_UNDER_TEST")
        with self.assertRaises(unittest.SkipTest):
            browser.Browser().__enter__()
        os.environ["BROWSER_UNDER_TEST"] = "no-such-browser"
        with self.assertRaises(unittest.SkipTest):
            browser.Browser().__enter__()


if __name__ == "__main__":
    harness.main()
