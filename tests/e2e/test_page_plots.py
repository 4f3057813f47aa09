# ctest: timeout 180
"""The plots: every encode that can be drawn is, the fronts are those of the metrics, and the
scores of one encode by frame are those of its log, also while it grows."""

import json
import os
import re
import shutil
import unittest

import harness
import pages

POOLING = os.path.join(harness.DATA, "formats", "pooling")
CLIP = "photopan720_libx264_veryfast_150k"
BLACK = "sintel360_libsvtav1_8_1000k"    # some frames of it are equal to the source
EXAMPLES = [os.path.join(harness.EXAMPLES, f"test_results_{name}.json")
            for name in ("0360p_sintel360", "0720p_sintel720", "0720p_photopan720")]


def beaten(a, b, against, quality):
    """Whether b costs no more than a, is as good, and differs from it."""
    return (b[against] <= a[against] and b[quality] >= a[quality]
            and (b[against] < a[against] or b[quality] > a[quality]))


def front(records, against, quality):
    """Keys of those that none of their set beats."""
    known = [r for r in records if r.get("set") is not None and against in r
             and isinstance(r.get(quality), (int, float))]
    return {a["key"] for a in known if not any(
        a["set"] == b["set"] and beaten(a, b, against, quality) for b in known)}


def psnr_log(path):
    """(frame, score) of every line; infinite ones, too."""
    with open(path, encoding="ascii") as f:
        pairs = [dict(word.split(":") for word in line.split()) for line in f]
    return [(int(p["n"]), float(p["psnr_avg"])) for p in pairs]


def vmaf_log(path):
    with open(path, encoding="ascii") as f:
        return [(f["frameNum"], f["metrics"]["vmaf"]) for f in json.load(f)["frames"]]


def worst(scores, n=10):
    return sorted(scores, key=lambda s: (s[1], s[0]))[:n]


class Plots(pages.Case):
    def points(self, p, against):
        data = p.js(f"({{...document.querySelector('#plot-{against}').dataset}})")
        return {name: int(data[name]) for name in ("points", "front", "sets")}

    def rows(self, p, against):
        return p.js(f"[...document.querySelectorAll('#front-{against} tr[data-key]')]"
                    ".map(r => r.dataset.key)")

    def test_fronts_are_those_of_the_metrics(self):
        e = self.exporter("--runs", "all", files=EXAMPLES)
        x = e.wait_metrics("qoe", lambda x: x.samples("qoe_pareto_optimal"))
        with self.looking(e) as p:
            for against in ("bitrate", "cost"):
                samples = x.samples("qoe_pareto_optimal", against=against)
                self.assertGreater(len(samples), 30)
                best = sorted(f"{s.labels['run_id']}/{s.labels['scenario']}"
                              for s in samples if s.value == 1)
                p.wait(f"document.querySelector('#plot-{against}').dataset.points === "
                       f"'{len(samples)}'", what=f"{len(samples)} points against {against}")
                sets = len({(s.labels["source"], s.labels["resolution"]) for s in samples})
                self.assertEqual(self.points(p, against), {
                    "points": len(samples), "front": len(best), "sets": sets})
                self.assertEqual(sorted(self.rows(p, against)), best)
                self.assertTrue(0 < len(best) < len(samples))
                self.assertGreater(self.ink(p, against), 500)

    def test_they_are_drawn_in_the_dark(self):
        e = self.exporter("--runs", "all", files=EXAMPLES[:1])
        e.wait_metrics("qoe", lambda x: x.samples("qoe_pareto_optimal"))
        with self.looking(e, dark=True, size=(1280, 3000)) as p:
            for against in ("bitrate", "cost"):
                harness.wait_until(lambda a=against: self.ink(p, a) > 500,
                                   what=f"ink against {against}")

    def ink(self, p, against):
        """Pixels of a canvas that are not its ground."""
        return p.js(f"""(() => {{
            const c = document.querySelector('#plot-{against}');
            const pen = new OffscreenCanvas(c.width, c.height).getContext('2d',
                {{willReadFrequently: true}});
            pen.drawImage(c, 0, 0);
            const d = pen.getImageData(0, 0, c.width, c.height).data;
            let n = 0;
            for (let i = 3; i < d.length; i += 4) n += d[i] > 60;
            return n;
        }})()""")

    def test_other_qualities_and_filters(self):
        e = self.exporter("--runs", "all", files=EXAMPLES)
        e.wait_metrics("qoe", lambda x: x.samples("qoe_pareto_optimal"))
        records = [r for (kind, _), r in pages.whole(e).items() if kind == "scenario"]
        with self.looking(e) as p:
            for quality in ("ssim", "psnr", "vmaf"):
                p.choose("#quality", quality)
                member = {"psnr": "psnr_db"}.get(quality, quality)
                for against, other in (("bitrate", "bitrate_bps"), ("cost", "cost")):
                    want = front(records, other, member)
                    harness.wait_until(lambda a=against, w=want: set(self.rows(p, a)) == w,
                                       what=f"{quality} against {against}")
            # What the filter leaves is drawn; who is best does not change by it.
            p.choose("#filter-encoder", "libx264")
            left = [r for r in records if r["encoder"] == "libx264"]
            best = front(records, "bitrate_bps", "vmaf") & {r["key"] for r in left}
            harness.wait_until(lambda: set(self.rows(p, "bitrate")) == best)
            drawn = [r for r in left if "vmaf" in r and "bitrate_bps" in r]
            self.assertEqual(self.points(p, "bitrate")["points"], len(drawn))

    def test_nothing_that_is_told_stops_it(self):
        """A rate next to nothing makes an axis without end, a time may lie in no calendar, and a
        link may hold anything."""
        e = self.exporter()
        e.write("test_results_1.json", json.dumps({"scenarios": [
            {"name": f"a{i}", "source": "clip", "resolution": "64x64", "encoder": "__proto__",
             "bitrate": "1M", "actual_bitrate_kbps": rate, "vmaf_score": 90 + i,
             "start_time": 9e12, "end_time": 9e12 + 9}
            for i, rate in enumerate((1e-318, 100, 200, 9e14))]}))
        e.wait_metrics("qoe", lambda x: len(x.samples("qoe_vmaf_score")) == 4)
        choice = {"quality": "constructor", "chosen": "test_results_1/a1", "sort": "__proto__"}
        with self.looking(e, choice=choice) as p:
            p.wait("document.querySelector('#plot-bitrate').dataset.points === '3'")
            self.assertGreater(self.ink(p, "bitrate"), 500)
            self.assertEqual(p.js("document.querySelector('#quality').value"), "vmaf")
            self.assertEqual(p.text("#frames-title"), "a1")
            self.assertNotIn("Began", p.text("#frames dl"))


class Frames(pages.Case):
    def data(self, p, name):
        return p.js(f"document.querySelector('#frames').dataset[{json.dumps(name)}]")

    def wait_data(self, p, name, value):
        p.wait(f"document.querySelector('#frames').dataset[{json.dumps(name)}] === "
               f"{json.dumps(str(value))}", what=f"frames: {name} = {value}")

    def worst(self, p):
        return [(int(frame), float(score)) for frame, score in p.js(
            "[...document.querySelectorAll('#worst li[data-frame]')]"
            ".map(li => [li.dataset.frame, li.dataset.score])")]

    def wait_worst(self, p, want):
        def alike(shown):
            return len(shown) == len(want) and all(
                a[0] == b[0] and (a[1] == b[1] or abs(a[1] - b[1]) <= b[1] * pages.DIGITS)
                for a, b in zip(shown, want))
        try:
            harness.wait_until(lambda: alike(self.worst(p)))
        except AssertionError:
            self.assertEqual(self.worst(p), want)

    def stat(self, p, name):
        return p.text(f"#frames [data-stat={name}] dd")

    def open_frames(self, p, name):
        p.wait(f"document.querySelector({json.dumps(pages.encode(name))})")
        p.click(f"{pages.encode(name)} button[data-frames]")
        self.wait_data(p, "encode", name)
        self.wait_data(p, "state", "ready")

    def test_the_frames_of_a_log(self):
        e = self.exporter()
        for suffix in ("psnr.log", "vmaf.json"):
            shutil.copy(os.path.join(POOLING, f"{BLACK}.{suffix}"), e.directory)
        vmaf = vmaf_log(e.path(BLACK + ".vmaf.json"))
        psnr = psnr_log(e.path(BLACK + ".psnr.log"))
        self.assertTrue(any(score == float("inf") for _, score in psnr))
        x = e.wait_metrics("qoe", lambda x: all(
            x.samples("qoe_frames", metric=m) for m in ("vmaf", "psnr")))
        with self.looking(e) as p:
            self.open_frames(p, BLACK)
            for metric, scores in (("vmaf", vmaf), ("psnr", psnr)):
                p.choose("#frames-metric", metric)
                self.wait_data(p, "metric", metric)
                self.wait_data(p, "frames", len(scores))
                self.wait_worst(p, worst(scores))
                for stat in ("mean", "min", "p5", "p50"):
                    want = x.value("qoe_frame_score", scenario=BLACK, metric=metric, stat=stat)
                    self.assertAlmostEqual(pages.number(self.stat(p, stat)), want,
                                           delta=0.006, msg=f"{metric} {stat}")
            self.assertEqual(self.data(p, "points"), str(len(psnr)))
            self.zoom(p, psnr)

    def test_scores_that_no_axis_holds(self):
        """The browser would look for the marks of such an axis for ever."""
        line = ("n:{0} mse_avg:1 mse_y:1 mse_u:1 mse_v:1 psnr_avg:{1} psnr_y:{1} psnr_u:{1} "
                "psnr_v:{1} \n")
        e = self.exporter()
        for name, scores in (("large", ("1.7e308", "1.7e308", "-1.7e308")),
                             ("small", ("5e-324", "1e-320", "0"))):
            e.write(f"{name}.psnr.log", "".join(
                line.format(i, score) for i, score in enumerate(scores, 1)))
        e.wait_metrics("qoe", lambda x: len(x.samples("qoe_frames", metric="psnr")) == 2)
        for name in ("large", "small"):
            with self.looking(e, choice={"chosen": f"live/{name}"}) as p:
                self.wait_data(p, "state", "ready")
                self.wait_data(p, "points", 3)
                # It answers after it was drawn, too.
                p.js("new Promise((done) => requestAnimationFrame("
                     "() => requestAnimationFrame(done))).then(() => 1)")
                self.assertEqual(p.text("#frames [data-stat=frames] dd"), "3")

    def zoom(self, p, scores):
        """Some of the frames only, and all of them again."""
        p.fill("#frames-from", "20")
        p.fill("#frames-to", "49")
        p.click("#frames-apply")
        self.wait_data(p, "points", 30)
        self.assertEqual([self.data(p, "from"), self.data(p, "to")], ["20", "49"])
        p.click("#frames-reset")
        self.wait_data(p, "points", len(scores))

    def test_a_log_that_grows(self):
        with open(os.path.join(POOLING, CLIP + ".psnr.log"), encoding="ascii") as f:
            lines = f.readlines()
        # The worst ones last.
        lines = [re.sub(r"^n:\d+", f"n:{n}", line)
                 for n, line in enumerate(reversed(lines), 1)]
        e = self.exporter()
        log = e.path("grows.psnr.log")
        with open(log, "w", encoding="ascii") as f:
            f.writelines(lines[:20])
            f.flush()
            with self.looking(e) as p:
                self.open_frames(p, "grows")
                self.wait_data(p, "frames", 20)
                self.wait_worst(p, worst(psnr_log(log)))
                for count in (90, len(lines)):
                    start = int(self.data(p, "frames"))
                    f.writelines(lines[start:count])
                    f.flush()
                    self.wait_data(p, "frames", count)
                    self.wait_worst(p, worst(psnr_log(log)))
                self.assertNotEqual(worst(psnr_log(log)), worst(psnr_log(log)[:20]))
                os.remove(log)
                p.wait(f"!document.querySelector({json.dumps(pages.encode('grows'))})")

    def test_a_long_one_is_drawn_by_fewer_points(self):
        e = self.exporter()
        with open(e.path("long.psnr.log"), "w", encoding="ascii") as f:
            for n in range(1, 50001):
                score = 30 + n * 7919 % 1000 / 100
                f.write(f"n:{n} mse_avg:1.00 psnr_avg:{score:.2f} \n")
        scores = psnr_log(e.path("long.psnr.log"))
        with self.looking(e) as p:
            self.open_frames(p, "long")
            self.wait_data(p, "frames", 50000)
            self.assertTrue(100 <= int(self.data(p, "points")) <= 4000)
            self.wait_worst(p, worst(scores))

    def test_a_scenario_with_a_log_opens_its_frames(self):
        e = self.exporter()
        shutil.copy(os.path.join(POOLING, CLIP + ".vmaf.json"), e.path("a_b.vmaf.json"))
        e.write("test_results_1.json",
                '{"scenarios": [{"name": "a b", "duration": 5, "bitrate": "1M"},'
                '{"name": "c", "duration": 5, "bitrate": "1M"}]}')
        e.wait_metrics("qoe", lambda x: x.samples("qoe_frames", scenario="a b"))
        with self.looking(e) as p:
            p.wait(f"document.querySelector({json.dumps(pages.row('test_results_1/a b'))})")
            p.click(pages.row("test_results_1/a b"))
            self.wait_data(p, "state", "ready")
            self.assertEqual(self.data(p, "key"), "test_results_1/a b")
            self.wait_worst(p, worst(vmaf_log(e.path("a_b.vmaf.json"))))
            p.click(pages.row("test_results_1/c"))
            self.wait_data(p, "state", "none")


if __name__ == "__main__":
    harness.main()
