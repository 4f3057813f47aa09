# ctest: timeout 180
"""The page at / in a browser: it loads on every port, with scripts and without, light and
dark, on a phone, by keyboard and by ear, and asks nobody but its own server."""

import json
import os
import shutil
import unittest
import urllib.parse

import harness
import pages

EXAMPLES = [os.path.join(harness.EXAMPLES, f"test_results_{name}.json")
            for name in ("0360p_sintel360", "1080p_bars1080p60", "20240115_103000")]
POOLING = os.path.join(harness.DATA, "formats", "pooling")
PROGRESS = os.path.join(harness.DATA, "formats", "progress")
CLIP = "photopan720_libx264_veryfast_150k"
ROWS = "document.querySelectorAll('#scenarios tr[data-key]').length > 0"
# Texts with less contrast than WCAG 2.1 AA wants (1.4.3), as [text, ratio].
CONTRAST = r"""(() => {
    const pen = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
    const rgba = text => {    // any color the browser knows, by drawing it
        pen.clearRect(0, 0, 1, 1);
        pen.fillStyle = text;
        pen.fillRect(0, 0, 1, 1);
        const d = pen.getImageData(0, 0, 1, 1).data;
        return [d[0], d[1], d[2], d[3] / 255];
    };
    const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
    const light = c => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
        const v = c[i] / 255;
        return sum + weight * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    }, 0);
    const canvas = matchMedia('(prefers-color-scheme: dark)').matches ? 18 : 255;
    const ground = e => {
        const layers = [];
        for (; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
        return layers.reduceRight((below, layer) => over(layer, below),
                                  [canvas, canvas, canvas, 1]);
    };
    const poor = [];
    for (const e of document.body.querySelectorAll('*')) {
        const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
        const style = getComputedStyle(e);
        if (!own || !e.checkVisibility({opacityProperty: true, visibilityProperty: true})
            || e.disabled || e.closest('option')) continue;
        const below = ground(e), text = over(rgba(style.color), below);
        const [a, b] = [light(text), light(below)].sort((x, y) => y - x);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < (large ? 3 : 4.5)) poor.push([e.textContent.trim().slice(0, 40),
                                                  Math.round(ratio * 100) / 100, e.className]);
    }
    return poor;
})()"""
# Where the focus is, and whether that can be seen.
FOCUS = r"""(() => {
    const e = document.activeElement;
    if (!e || e === document.body) return null;
    const visible = s => (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0)
        || s.boxShadow !== 'none';
    return {id: e.id, tag: e.tagName, sort: e.dataset.sort || '', seen:
            visible(getComputedStyle(e)) || visible(getComputedStyle(e.parentElement))};
})()"""


class Page(pages.Case):
    """One exporter with scenarios, encodes that were watched, and scores by frame."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.e = harness.Exporter("--runs", "all", files=EXAMPLES)
        cls.e.__enter__()
        cls.addClassCleanup(cls.e.__exit__, None, None, None)
        for name in ("x264_mp4", "sig_KILL", "audio_only"):
            shutil.copy(os.path.join(PROGRESS, name + ".progress"), cls.e.directory)
        for suffix in ("psnr.log", "vmaf.json"):
            shutil.copy(os.path.join(POOLING, f"{CLIP}.{suffix}"), cls.e.directory)
        cls.e.wait_metrics("qoe", lambda x: all(
            x.samples("qoe_frames", metric=m) for m in ("vmaf", "psnr")))
        cls.e.wait_metrics("results", lambda x: len(x.samples("encode_frames_total")) >= 2)

    def full(self, p):
        """Waits for rows, plots and the scores of an encode to be drawn."""
        p.wait(ROWS)
        p.click(f"{pages.encode(CLIP)} button[data-frames]")
        p.wait("document.querySelector('#frames').dataset.state === 'ready'")
        p.wait("Number(document.querySelector('#plot-bitrate').dataset.points) > 0")

    def test_it_loads_on_every_port(self):
        for endpoint in harness.ENDPOINTS:
            with self.subTest(endpoint), self.looking(self.e, endpoint) as p:
                self.full(p)
                self.assertEqual(p.count("h1"), 1)
                self.assertIn("encode_exporter", p.text("h1"))
                self.assertEqual([a.url for a in p.asked if p.statuses.get(a.url) != 200
                                  and not a.url.startswith("data:")], [])
                self.assertEqual(p.failed, [])
                self.assertEqual({a.method for a in p.asked}, {"GET"})

    def test_it_is_small_and_has_a_policy(self):
        with self.looking(self.e) as p:
            paths = sorted({a.url for a in p.asked if a.kind in ("Document", "Script",
                                                                 "Stylesheet")})
        self.assertGreater(len(paths), 3)
        size = 0
        for url in paths:
            reply = self.e.get("results", urllib.parse.urlsplit(url).path,
                               headers={"Accept-Encoding": "gzip"})
            if url.endswith("/"):    # the document, which is made anew for everybody
                policy = reply.headers["Content-Security-Policy"]
                self.assertIn("default-src 'none'", policy)
                self.assertNotIn("unsafe", policy)
            else:
                self.assertEqual(reply.headers["Content-Encoding"], "gzip", url)
            size += len(reply.body)
        print(f"{len(paths)} answers, {size / 1024:.0f} KiB")
        self.assertLess(size, 150 * 1024)

    def test_it_says_how_an_encode_is_watched_here(self):
        """And does not where nothing would come of it."""
        request, file = "/progress/NAME", ".progress"
        for flags, told in (((), {request, file}), (("--ingest=off",), {file}),
                            (("--only=qoe",), {file}), (("--live=off",), set())):
            listen = ("qoe",) if "--only=qoe" in flags else harness.ENDPOINTS
            with self.subTest(flags), harness.Exporter(*flags, listen=listen) as e, \
                    self.looking(e, "qoe") as p:
                text = p.text("#empty")
                self.assertEqual({word for word in (request, file) if word in text}, told)
                if request in told:
                    self.assertIn(f"http://127.0.0.1:{e.ports['results']}{request}", text)
                if not told:
                    self.assertIn("--live is off", text)

    def test_it_is_of_use_without_scripts(self):
        with self.look(self.url(self.e), scripts=False) as p:
            for name in ("2 streams @ 2500k", "4 streams @ 5000k", "95.20"):
                self.assertIn(name, p.text("main table"))
            self.assertLessEqual(p.js("document.documentElement.scrollWidth"), p.size[0])
            self.assertEqual(p.js(CONTRAST), [])

    def test_with_scripts_the_plain_table_makes_way(self):
        with self.looking(self.e) as p:
            p.wait(ROWS)
            self.assertEqual([t for t in p.texts("main table") if "2 streams @ 2500k" in t
                              and "libx265" not in t], [])

    def test_it_is_dark_where_the_system_is(self):
        with self.looking(self.e, size=(1280, 2400)) as p:
            self.full(p)
            plot = "document.querySelector('#plot-bitrate').toDataURL()"
            light, drawn = p.screenshot(), p.js(plot)
            self.assertEqual(p.js(CONTRAST), [])
            p.prefer(dark=True)
            p.wait(f"{plot} !== {json.dumps(drawn)}", what="a plot in other colors")
            self.assertNotEqual(p.screenshot(), light)
            self.assertEqual(p.js(CONTRAST), [])
            brightness = p.js("getComputedStyle(document.body).backgroundColor + "
                              "getComputedStyle(document.documentElement).backgroundColor")
            self.assertNotIn("255, 255, 255", brightness)

    def test_a_phone_needs_no_scrolling_sideways(self):
        for width in (390, 320):
            with self.subTest(width), self.looking(
                    self.e, size=(width, 800), phone=True, scale=2) as p:
                self.full(p)
                self.assertEqual(p.js("[innerWidth, visualViewport.width]"), [width, width])
                self.assertLessEqual(p.js("document.documentElement.scrollWidth"), width)
                # What is wider than the window scrolls in a box of its own.
                self.assertEqual(p.js(f"""[...document.querySelectorAll('body *')].filter(e => {{
                    const r = e.getBoundingClientRect();
                    if (!e.checkVisibility() || r.right <= {width} + 1) return false;
                    for (let b = e; b; b = b.parentElement)
                        if (getComputedStyle(b).overflowX !== 'visible') return false;
                    return true;
                }}).map(e => e.outerHTML.slice(0, 80))"""), [])
                # A finger needs some room.
                self.assertEqual(p.js("""[...document.querySelectorAll('button, select, input')]
                    .filter(e => e.checkVisibility()).map(e => [e.id || e.outerHTML.slice(0, 60),
                        e.getBoundingClientRect().height]).filter(([, h]) => h < 24)"""), [])

    def test_the_tab_key_reaches_everything(self):
        with self.looking(self.e) as p:
            self.full(p)
            p.js("scrollTo(0, 0)")
            p.click_at(2, 2)    # keys go on from there
            reached, unseen = [], []
            for _ in range(120):
                p.key("Tab")
                at = p.js(FOCUS)
                if at is None or (reached and at == reached[0] and at["id"]):
                    break
                reached.append(at)
                if not at["seen"]:
                    unseen.append(at)
            ids = [at["id"] for at in reached]
            for wanted in ("filter", "filter-source", "filter-encoder", "scenarios", "quality",
                           "frames-metric", "frames-from", "frames-to", "frames-apply"):
                self.assertIn(wanted, ids)
            self.assertIn("vmaf", [at["sort"] for at in reached])
            self.assertEqual(unseen, [])

    def nodes(self, p):
        """What a screen reader is told: (role, name) of all that is not ignored."""
        p.call("Accessibility.enable")
        tree = p.call("Accessibility.getFullAXTree")["nodes"]
        return [(n["role"]["value"], n.get("name", {}).get("value", ""), n)
                for n in tree if not n.get("ignored") and "role" in n]

    def test_it_can_be_heard(self):
        with self.looking(self.e) as p:
            self.full(p)
            self.assertTrue(p.js("document.documentElement.lang"))
            self.assertEqual(p.js("document.querySelector('#connection').role"), "status")
            nodes = self.nodes(p)
            for role in ("textbox", "searchbox", "combobox", "button", "grid", "progressbar",
                         "link", "spinbutton", "image", "img", "Canvas", "meter"):
                self.assertEqual([n for r, name, n in nodes if r == role and not name.strip()],
                                 [], f"{role} without a name")
            roles = [role for role, _, _ in nodes]
            for role, least in (("grid", 1), ("columnheader", 10), ("gridcell", 20),
                                ("status", 1), ("heading", 4), ("main", 1)):
                self.assertGreaterEqual(roles.count(role), least, role)
            levels = [prop["value"]["value"] for role, _, n in nodes if role == "heading"
                      for prop in n["properties"] if prop["name"] == "level"]
            self.assertEqual(levels[0], 1)
            for above, below in zip(levels, levels[1:]):
                self.assertLessEqual(below, above + 1, levels)
            ids = p.js("[...document.querySelectorAll('[id]')].map(e => e.id)")
            self.assertEqual(sorted(ids), sorted(set(ids)))

    def test_a_window_that_changes_its_size(self):
        with self.looking(self.e) as p:
            self.full(p)
            for width in (1280, 700, 1600):
                p.resize(width, 900)
                p.wait("(r => r.width > 200 && r.right <= innerWidth)"
                       "(document.querySelector('#plot-bitrate').getBoundingClientRect())")
                p.wait(f"document.documentElement.scrollWidth <= {width}")


HIT = "document.documentElement.dataset.hit = 1"
HOSTILE = (f'<img src=x onerror="{HIT}">', f"<script>{HIT}</script>", "\"><b x='", "{{7*7}}${7*7}",
           "\u202egnp.exe", "__proto__", "constructor", "a\nb\tc", "&lt;b&gt; &amp;",
           "\u0645\u0631\u062d\u0628\u0627 \U0001f3ac", "javascript:alert(1)", "'; DROP--",
           "\u00e9" * 128, "x" * 256, "a/b#2", "%3Cb%3E", "  two  blanks ")


class Hostile(pages.Case):
    def results(self):
        return json.dumps({"scenarios": [
            {"name": name, "source": name, "encoder": name, "preset": name, "codec": name,
             "resolution": name, "bitrate": "1000k", "fps": 25, "duration": 10 + i,
             "vmaf_score": 80} for i, name in enumerate(HOSTILE)]})

    def test_names_are_text(self):
        e = self.exporter()
        e.write("test_results_1.json", self.results())
        e.wait_metrics("results", lambda x: x.value("results_scenarios_total") == len(HOSTILE))
        names = [key[1] for key in pages.whole(e) if key[0] == "scenario"]
        self.assertEqual(len(names), len(HOSTILE))
        with self.looking(e, size=(1280, 1400)) as p:
            self.wait_shown(p, len(HOSTILE))
            for column in ("name", "source", "encoder"):
                shown = p.js(f"[...document.querySelectorAll('#scenarios tr [data-column={column}]"
                             "')].map(e => e.textContent)")
                for name in HOSTILE:
                    self.assertIn(name, shown)
            for name in HOSTILE[:8]:
                p.choose("#filter-source", name)
                self.wait_shown(p, 1)
                row = p.js("document.querySelector('#scenarios tr[data-key]').dataset.key")
                p.click("#scenarios tr[data-key]")
                p.wait("new URLSearchParams(location.hash.slice(1)).get('chosen') === "
                       + json.dumps(row))
            self.unharmed(p)
            # The same by a link.
            link = p.js("location.href")
            p.open("about:blank#")
            p.open(link)
            self.drawn(p)
            self.unharmed(p)

    def unharmed(self, p):
        self.assertEqual(p.js("[...document.querySelectorAll('#app img, #app b, #app script, "
                              "[onerror]')].map(e => e.outerHTML)"), [])
        self.assertIsNone(p.js("document.documentElement.dataset.hit || null"))
        self.assertLessEqual(p.js("document.documentElement.scrollWidth"), p.size[0])

    def test_names_of_encodes_are_text(self):
        e = self.exporter()
        shutil.copy(os.path.join(PROGRESS, "x264_mp4.progress"),
                    e.path("<img src=x onerror=hit()>.progress"))
        with open(os.path.join(PROGRESS, "x264_mp4.progress"), "rb") as f:
            block = f.read()
        told = []
        for name in HOSTILE:
            reply = e.get("results", "/progress/" + urllib.parse.quote(name, safe=""),
                          method="POST", body=block)
            if reply.status < 300:
                told.append(name)
        self.assertGreater(len(told), 10)
        told.append("<img src=x onerror=hit()>")
        for how in ({"size": (1280, 1400)}, pages.PHONE):
            with self.looking(e, **how) as p:
                harness.wait_until(lambda p=p: set(told) <= set(p.js(
                    "[...document.querySelectorAll('#encodes [data-name]')]"
                    ".map(e => e.dataset.name)")))
                for name in told:
                    self.assertTrue(p.js(
                        f"document.querySelector({json.dumps(pages.encode(name))}).textContent"
                        f".includes({json.dumps(name)})"), name)
                self.unharmed(p)
        with self.look(self.url(e), scripts=False) as p:
            self.assertEqual(p.count("main img, b[x]"), 0)
            self.assertIsNone(p.js("document.documentElement.dataset.hit || null"))


if __name__ == "__main__":
    harness.main()
