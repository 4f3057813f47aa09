"""The page at / in a browser: it loads on every port, with scripts and without, light and
dark, on a phone, and asks nobody but its own server."""

import unittest

import browser
import harness

PHONE = {"size": (390, 844), "phone": True, "scale": 2}


class Page(browser.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.exporter = harness.Exporter(files=harness.data_files("go-era"))
        cls.exporter.__enter__()
        cls.addClassCleanup(cls.exporter.__exit__, None, None, None)

    def url(self, endpoint="results"):
        return f"http://127.0.0.1:{self.exporter.ports[endpoint]}/"

    def test_it_loads_on_every_port(self):
        for endpoint in harness.ENDPOINTS:
            with self.subTest(endpoint), self.look(self.url(endpoint)) as p:
                self.assertEqual(p.count("h1"), 1)
                self.assertIn("encode_exporter", p.text("h1"))
                self.assertEqual([a.url for a in p.asked if p.statuses.get(a.url) != 200], [])

    def test_it_is_of_use_without_scripts(self):
        with self.look(self.url(), scripts=False) as p:
            self.assertIn("test_results", p.text("body"))
            self.assertGreater(p.count("table tr"), 1)
            self.assertGreaterEqual(p.js("innerWidth"), p.js("document.body.scrollWidth"))

    def test_it_is_dark_where_the_system_is(self):
        with self.look(self.url()) as p:
            shade = "getComputedStyle(document.documentElement).backgroundColor + " \
                    "getComputedStyle(document.body).backgroundColor"
            light, seen = p.js(shade), p.screenshot()
            p.prefer(dark=True)
            self.assertNotEqual(p.js(shade), light)
            self.assertNotEqual(p.screenshot(), seen)

    def test_a_phone_needs_no_scrolling_sideways(self):
        with self.look(self.url(), **PHONE) as p:
            self.assertEqual(p.js("[innerWidth, visualViewport.width]"), [390, 390])
            self.assertLessEqual(p.js("document.documentElement.scrollWidth"), 390)


if __name__ == "__main__":
    harness.main()
