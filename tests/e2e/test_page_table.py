# ctest: timeout 180
"""The table of scenarios: figures, order, filters, keyboard, 10 000 of them, names that
mean no good."""

import json
import os
import time
import unittest

import harness
import pages

RUN = "test_results_20240115_103000"
EXAMPLE = os.path.join(harness.EXAMPLES, RUN + ".json")
MANY = 10000


def encodes():
    """Settings, scores and costs all differ in their order; one has no score."""
    def one(name, source, encoder, bitrate, vmaf, duration):
        scores = {} if vmaf is None else {"vmaf_score": vmaf, "psnr_score": 100 - vmaf / 2}
        return {"name": name, "source": source, "encoder": encoder, "preset": "medium",
                "bitrate": f"{bitrate}k", "actual_bitrate_kbps": bitrate + 0.5,
                "resolution": "1280x720" if bitrate < 3000 else "1920x1080", "fps": 25,
                "start_time": 1700000000, "end_time": 1700000000 + duration,
                "duration": duration, **scores}
    return {"scenarios": [
        one("delta", "meadow", "libx264", 900, 71.25, 40),
        one("alpha", "river", "libx265", 4000, 96.5, 10),
        one("charlie 10", "meadow", "libx265", 2000, None, 30),
        one("charlie 9", "river", "libx264", 10000, 88.125, 20)]}


def many():
    """A thousand scrambled by a factor without a common divisor."""
    return {"scenarios": [
        {"name": f"encode {i * 7919 % MANY:05}", "source": f"clip{i % 7}", "encoder": "libx264",
         "preset": ("fast", "medium", "slow")[i % 3], "bitrate": f"{500 + i}k",
         "resolution": "1280x720", "fps": 25, "duration": 10 + i % 50,
         "vmaf_score": 60 + i * 37 % 4000 / 100} for i in range(MANY)]}


class Table(pages.Case):
    def of(self, *names):
        return [f"test_results_1/{name}" for name in names]

    def small(self, *flags):
        e = self.exporter(*flags)
        e.write("test_results_1.json", json.dumps(encodes()))
        e.wait_metrics("results", lambda x: x.value("results_scenarios_total") == 4)
        return e

    def test_figures_are_those_of_the_metrics(self):
        e = self.exporter(files=[EXAMPLE])
        told = {key: r for (kind, key), r in pages.whole(e).items() if kind == "scenario"}
        with self.looking(e) as p:
            self.assertEqual(sorted(self.keys(p)), sorted(told))
            families = (("vmaf", "qoe", "qoe_vmaf_score", 1), ("cost", "cost",
                        "cost_total_load_aware", 1), ("psnr", "qoe", "qoe_psnr_score", 1),
                        ("duration", "results", "results_scenario_duration_seconds", 1))
            for column, endpoint, family, unit in families:
                x = e.metrics(endpoint)
                compared = 0
                for key, record in told.items():
                    shown = p.js(f"(document.querySelector({json.dumps(pages.row(key, column))})"
                                 " || {}).innerText")
                    samples = x.samples(family, scenario=record["name"])
                    if not samples:
                        continue
                    with self.subTest(key=key, column=column, shown=shown):
                        want = samples[0].value * unit
                        self.assertAlmostEqual(pages.number(shown), want,
                                               delta=abs(want) * 0.006)
                        compared += 1
                if column in ("vmaf", "duration"):
                    self.assertGreater(compared, 0, family)

    def test_a_click_sorts_both_ways_and_back(self):
        orders = {
            "name": ("alpha", "charlie 9", "charlie 10", "delta"),
            "bitrate": ("delta", "charlie 10", "alpha", "charlie 9"),
            "duration": ("alpha", "charlie 9", "charlie 10", "delta")}
        with self.looking(self.small()) as p:
            first = self.keys(p)
            self.assertEqual(sorted(first), sorted(self.of(*orders["name"])))
            for column, names in orders.items():
                header = f"#scenarios th:has(button[data-sort={column}])"
                sorted_by = lambda h=header: p.js(
                    f"document.querySelector({json.dumps(h)}).getAttribute('aria-sort')")
                self.sort(p, column)
                self.wait_keys(p, self.of(*names))
                self.assertEqual(sorted_by(), "ascending")
                self.sort(p, column)
                self.wait_keys(p, self.of(*reversed(names)))
                self.assertEqual(sorted_by(), "descending")
                self.sort(p, column)
                self.wait_keys(p, first)
                self.assertNotIn(sorted_by(), ("ascending", "descending"))

    def test_what_is_unknown_comes_last_both_ways(self):
        with self.looking(self.small()) as p:
            self.sort(p, "vmaf")
            self.wait_keys(p, self.of("delta", "charlie 9", "alpha", "charlie 10"))
            self.sort(p, "vmaf")
            self.wait_keys(p, self.of("alpha", "charlie 9", "delta", "charlie 10"))

    def test_filters_leave_what_was_asked_for(self):
        with self.looking(self.small()) as p:
            self.sort(p, "name")
            self.wait_shown(p, 4)
            p.fill("#filter", "CHARLIE")
            self.wait_keys(p, self.of("charlie 9", "charlie 10"))
            self.assertEqual(self.shown(p), [2, 4])
            self.assertRegex(p.text("#count"), r"^2 of 4")
            p.choose("#filter-source", "meadow")
            self.wait_keys(p, self.of("charlie 10"))
            p.click("#filter-clear")
            self.wait_keys(p, self.of("alpha", "charlie 9", "charlie 10", "delta"))
            p.choose("#filter-encoder", "libx264")
            self.wait_keys(p, self.of("charlie 9", "delta"))
            p.choose("#filter-resolution", "1280x720")
            self.wait_keys(p, self.of("delta"))
            self.assertEqual(p.js("new URLSearchParams(location.hash.slice(1)).get('encoder')"),
                             "libx264")
            p.fill("#filter", "nothing like it")
            self.wait_keys(p, [])
            self.assertEqual(self.shown(p), [0, 4])

    def test_a_link_brings_the_same_view(self):
        e = self.small()
        key = self.of("alpha")[0]
        with self.looking(e, choice={"source": "river", "sort": "-vmaf", "chosen": key}) as p:
            self.wait_keys(p, self.of("alpha", "charlie 9"))
            self.assertEqual(p.js("document.querySelector('#filter-source').value"), "river")
            self.assertEqual(p.js("[...document.querySelectorAll('#scenarios [aria-selected="
                                  "true]')].map(r => r.dataset.key)"), [key])

    def test_back_and_forth(self):
        with self.looking(self.small()) as p:
            self.sort(p, "name")
            p.js("location.hash = '#sort=-name&encoder=libx265'")
            self.wait_keys(p, self.of("charlie 10", "alpha"))
            p.js("history.back()")
            self.wait_keys(p, self.of("alpha", "charlie 9", "charlie 10", "delta"))

    def test_keys_sort_and_choose(self):
        with self.looking(self.small()) as p:
            p.js("document.querySelector('#scenarios button[data-sort=name]').focus()")
            p.key("Enter")
            self.wait_keys(p, self.of("alpha", "charlie 9", "charlie 10", "delta"))
            p.key(" ")
            self.wait_keys(p, self.of("delta", "charlie 10", "charlie 9", "alpha"))
            p.js("document.querySelector('#scenarios').focus()")
            active = lambda: p.js("(document.getElementById(document.querySelector('#scenarios')"
                                  ".getAttribute('aria-activedescendant')) || {dataset: {}})"
                                  ".dataset.key")
            p.key("Home")
            self.assertEqual(active(), self.of("delta")[0])
            p.key("ArrowDown")
            self.assertEqual(active(), self.of("charlie 10")[0])
            p.key("End")
            self.assertEqual(active(), self.of("alpha")[0])
            p.key("ArrowUp")
            self.assertEqual(active(), self.of("charlie 9")[0])
            p.key("Enter")
            p.wait("new URLSearchParams(location.hash.slice(1)).get('chosen') === "
                   + json.dumps(self.of("charlie 9")[0]))
            self.assertEqual(p.js("document.querySelector('#scenarios [aria-selected=true]')"
                                  ".dataset.key"), self.of("charlie 9")[0])

    def test_the_order_holds_when_figures_change(self):
        e = self.small()
        with self.looking(e) as p:
            self.sort(p, "vmaf")
            self.wait_keys(p, self.of("delta", "charlie 9", "alpha", "charlie 10"))
            now = encodes()
            now["scenarios"][0]["vmaf_score"] = 99
            del now["scenarios"][3]
            e.rename_over("test_results_1.json", json.dumps(now))
            self.wait_keys(p, self.of("alpha", "delta", "charlie 10"))
            self.assertEqual(self.shown(p), [3, 3])


class Many(pages.Case):
    def test_it_does_not_grow_with_time(self):
        """A file that is rewritten 120 times, an encode that goes on and on."""
        e = self.exporter()
        e.write("test_results_1.json", json.dumps(encodes()))
        with self.looking(e) as p:
            p.call("Performance.enable")
            sizes = []
            for turn in range(4):
                for i in range(30):
                    now = encodes()
                    now["scenarios"][0]["vmaf_score"] = 10 + (turn * 30 + i) % 80
                    e.rename_over("test_results_1.json", json.dumps(now))
                    with open(e.path("a.progress"), "a", encoding="ascii") as f:
                        f.write(f"frame={turn * 30 + i}\nfps=25.00\nprogress=continue\n")
                    p.wait("document.querySelector('#encodes [data-name=a]').dataset.frames "
                           f"=== '{turn * 30 + i}'")
                held = p.memory()
                metrics = {m["name"]: m["value"]
                           for m in p.call("Performance.getMetrics")["metrics"]}
                sizes.append((held, metrics["Nodes"], metrics["JSEventListeners"]))
        # The first turn makes what stays.
        first, last = sizes[0], sizes[-1]
        self.assertLess(last[0], first[0] + (2 << 20), sizes)
        self.assertLess(last[1], first[1] * 1.2 + 50, sizes)
        self.assertLess(last[2], first[2] * 1.2 + 20, sizes)

    def blocks(self, e, p, count):
        """Seconds from blocks that are appended to when the page shows them."""
        delays = []
        with open(e.path("runs.progress"), "w", encoding="ascii") as f:
            for i in range(count):
                f.write(f"frame={i}\nfps=25.00\nprogress=continue\n")
                f.flush()
                began = time.monotonic()
                p.wait(f"(document.querySelector('{pages.encode('runs')}') || "
                       f"{{dataset: {{}}}}).dataset.frames === '{i}'")
                delays.append(time.monotonic() - began)
        return sorted(delays)

    def first_after(self, p, column, key):
        """Milliseconds from a click on a header to that row being the first."""
        return p.js("""new Promise(done => {
            const first = () => (document.querySelector(
                '#scenarios tr[aria-rowindex="2"]') || {dataset: {}}).dataset.key;
            const began = performance.now();
            document.querySelector('#scenarios button[data-sort=%s]').click();
            const look = () => first() === %s ? done(performance.now() - began)
                : performance.now() - began > 20000 ? done(Infinity)
                : requestAnimationFrame(look);
            look();
        })""" % (column, json.dumps(key)))

    def test_ten_thousand(self):
        e = self.exporter(release=True)
        e.write("test_results_1.json", json.dumps(many()))
        e.wait_metrics("results", lambda x: x.value("results_scenarios_total") == MANY, 60)
        key = "test_results_1/encode {:05}".format
        with self.looking(e) as p:
            loaded = p.js("performance.now()")
            self.wait_shown(p, MANY)
            up = self.first_after(p, "name", key(0))
            down = self.first_after(p, "name", key(MANY - 1))
            figures = self.first_after(p, "bitrate", key(0))
            self.assertLess(max(up or 1e9, down or 1e9, figures or 1e9), 1000)
            self.assertLess(p.count("#scenarios tr"), 200)
            self.assertEqual(p.js("document.querySelector('#scenarios').ariaRowCount"),
                             str(MANY + 1))
            self.scrolls_to_the_end(p, key)
            began = p.js("performance.now()")
            p.fill("#filter", "slow clip3")
            self.wait_shown(p, sum(i % 3 == 2 and i % 7 == 3 for i in range(MANY)))
            filtered = p.js("performance.now()") - began
            held = p.memory()
            self.assertLess(held, 96 << 20)
            delays = self.blocks(e, p, 20)
            self.assertLess(delays[-2], 1)
            print(f"{MANY} scenarios: there after {loaded / 1000:.2f} s, sorted in {up:.0f}, "
                  f"{down:.0f} and {figures:.0f} ms, filtered in {filtered:.0f} ms, a block shown "
                  f"after {delays[len(delays) // 2]:.2f} s (longest {delays[-1]:.2f} s), "
                  f"{held / 2**20:.0f} MiB of script objects")

    def scrolls_to_the_end(self, p, key):
        p.js("document.querySelector('#scenarios').focus()")
        p.key("End")
        last = {i * 7919 % MANY: i for i in range(MANY)}
        want = key(next(n for n, i in last.items() if i == MANY - 1))
        p.wait(f"document.querySelector({json.dumps(pages.row(want))})", what=want)
        self.assertEqual(p.js(f"document.querySelector({json.dumps(pages.row(want))})"
                              ".ariaRowIndex"), str(MANY + 1))
        harness.wait_until(lambda: self.in_sight(p, pages.row(want)), what="in sight")
        self.assertLess(p.count("#scenarios tr"), 200)
        # With the wheel back to somewhere: rows are there where one looks.
        p.wheel(pages.row(want), -30000)
        p.wait(f"!document.querySelector({json.dumps(pages.row(want))})")
        p.wait("""(() => {
            const box = document.querySelector('#scenarios').getBoundingClientRect();
            const at = document.elementFromPoint(box.x + box.width / 2,
                Math.min(innerHeight, box.bottom) - 40);
            return at && at.closest('tr[data-key]');
        })() !== null""", what="rows where one looks")

    def in_sight(self, p, selector):
        return p.js(f"""(() => {{
            const e = document.querySelector({json.dumps(selector)}), r = e.getBoundingClientRect();
            const at = document.elementFromPoint(r.x + Math.min(r.width, innerWidth) / 2,
                                                 r.y + r.height / 2);
            return !!at && (e.contains(at) || at.contains(e));
        }})()""")


if __name__ == "__main__":
    harness.main()
