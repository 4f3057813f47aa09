# ctest: timeout 120
"""/frames: the scores by frame of one encode, against the logs as Python reads them."""

import json
import math
import os
import re
import shutil
import unittest
import urllib.parse

import harness

POOLING = os.path.join(harness.DATA, "formats", "pooling")
CLIPS = ("photopan720_libx264_veryfast_150k", "sintel360_libsvtav1_8_1000k")
SIX = 5.1e-6    # figures have six digits


def vmaf_of(clip):
    """[(frame, score)] of libvmaf's log."""
    with open(os.path.join(POOLING, clip + ".vmaf.json"), encoding="utf-8") as f:
        return [(x["frameNum"], x["metrics"]["vmaf"]) for x in json.load(f)["frames"]]


def psnr_of(clip):
    with open(os.path.join(POOLING, clip + ".psnr.log"), encoding="utf-8") as f:
        return [(int(n), float(v)) for n, v in re.findall(r"n:(\d+) .*psnr_avg:(\S+)", f.read())]


def ssim_of(clip):
    with open(os.path.join(POOLING, clip + ".ssim.log"), encoding="utf-8") as f:
        return [(int(n), float(v)) for n, v in re.findall(r"n:(\d+) .*All:(\S+)", f.read())]


LOGS = {"vmaf": vmaf_of, "psnr": psnr_of, "ssim": ssim_of}


def drawn(rows, points):
    """Parts of equally many rows: first frame, least, mean, largest."""
    each, out = -(-len(rows) // points), []
    for i in range(0, len(rows), each):
        scores = [s for _, s in rows[i:i + each]]
        finite = [s for s in scores if math.isfinite(s)]
        out.append([rows[i][0], min(scores),
                    math.fsum(finite) / len(finite) if finite else math.inf, max(scores)])
    return out


def number(v):
    return math.inf if v == "inf" else v


class Frames(unittest.TestCase):
    def near(self, got, want):
        self.assertTrue(number(got) == want or
                        abs(number(got) - want) <= SIX * max(abs(want), 1e-3), (got, want))

    def near_all(self, got, want):
        self.assertEqual([p[0] for p in got], [p[0] for p in want])
        for a, b in zip(got, want):
            self.assertEqual(len(a), len(b))
            for x, y in zip(a[1:], b[1:]):
                self.near(x, y)

    def query(self, e, name, endpoint="results", **more):
        return e.get(endpoint, "/frames?" + urllib.parse.urlencode({"encode": name, **more}))

    def ask(self, e, name, endpoint="results", **more):
        reply = self.query(e, name, endpoint, **more)
        self.assertEqual(reply.status, 200, reply.text)
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        self.assertEqual(reply.headers["Cache-Control"], "no-store")
        self.assertEqual(reply.headers["X-Content-Type-Options"], "nosniff")
        return json.loads(reply.text)

    def watched(self, *flags):
        files = [os.path.join(POOLING, f) for f in os.listdir(POOLING)
                 if f.endswith((".log", ".vmaf.json"))]
        return harness.Exporter(*flags, files=files)

    def wait_for(self, e, clip):
        harness.wait_until(lambda: self.query(e, clip, metric="vmaf").status == 200
                           and self.query(e, clip, metric="psnr").status == 200
                           and self.query(e, clip, metric="ssim").status == 200, what=clip)

    def test_scores_are_those_of_the_logs(self):
        with self.watched() as e:
            for clip in CLIPS:
                self.wait_for(e, clip)
                for metric, read in LOGS.items():
                    self.check(e, clip, metric, read(clip))
                self.assertEqual(self.ask(e, clip)["metric"], "vmaf")

    def check(self, e, clip, metric, rows):
        told = self.ask(e, clip, metric=metric)
        self.assertEqual((told["encode"], told["metric"]), (clip, metric))
        self.assertEqual(told["metrics"][:3], ["vmaf", "psnr", "ssim"])
        self.assertEqual(told["frames"], len(rows))
        self.assertEqual(told["infinite"], sum(math.isinf(s) for _, s in rows))
        self.assertEqual((told["from"], told["to"]), (rows[0][0], rows[-1][0]))
        finite = [s for _, s in rows if math.isfinite(s)]
        self.near(told["stats"]["mean"], math.fsum(finite) / len(finite))
        self.near(told["stats"]["min"], min(s for _, s in rows))
        self.near(told["stats"]["max"], max(s for _, s in rows))
        self.near_all(told["points"], drawn(rows, 1000))
        worst = sorted(rows, key=lambda r: (r[1], r[0]))
        self.near_all(told["worst"], [list(r) for r in worst[:10]])
        for points in (1, 3, 7, 50, 199, 4000):
            self.near_all(self.ask(e, clip, metric=metric, points=points)["points"],
                          drawn(rows, points))
        part = rows[20:61]
        told = self.ask(e, clip, metric=metric, points=10, worst=256,
                        **{"from": part[0][0], "to": part[-1][0]})
        self.near_all(told["points"], drawn(part, 10))
        self.near_all(told["worst"],
                      [list(r) for r in sorted(part, key=lambda r: (r[1], r[0]))])
        self.assertEqual(told["frames"], len(rows)) # figures are of the whole

    def test_figures_are_those_that_others_found(self):
        with open(os.path.join(POOLING, "pooling.json"), encoding="utf-8") as f:
            entries = {x["vmaf_log"].removesuffix(".vmaf.json"): x
                       for x in json.load(f)["entries"]}
        with self.watched() as e:
            for clip in CLIPS:
                self.wait_for(e, clip)
                want, told = entries[clip], self.ask(e, clip)["stats"]
                for ours, theirs in (("mean", "mean"), ("min", "min"), ("max", "max"),
                                     ("harmonic_mean", "harmonic_mean_offset1"),
                                     ("stddev", "stdev_population")):
                    self.near(told[ours], want["vmaf"][theirs])
                for p in (1, 5, 10, 50):
                    self.near(told[f"p{p}"], want["vmaf"]["percentile_linear"][str(p)])
                told = self.ask(e, clip, metric="psnr")
                self.assertEqual(told["infinite"], want["psnr"]["frames_inf"])
                self.near(told["stats"]["mean"], want["psnr"]["mean_of_finite_frame_psnr"])
                self.near(told["stats"]["of_mean_mse"], want["psnr"]["psnr_of_mean_mse"])
                told = self.ask(e, clip, metric="ssim")["stats"]
                self.near(told["mean"], want["ssim"]["mean"])
                self.near(told["min"], want["ssim"]["min"])

    def test_a_log_that_grows_is_followed(self):
        rows = psnr_of(CLIPS[1])
        with open(os.path.join(POOLING, CLIPS[1] + ".psnr.log"), "rb") as f:
            lines = f.read().splitlines(keepends=True)
        with harness.Exporter() as e:
            self.assertEqual(self.query(e, "a b").status, 404)
            with open(e.path("a b.psnr.log"), "wb", buffering=0) as log:
                for n in (1, 5, 50, len(lines)):
                    have = self.ask(e, "a b")["frames"] if n > 1 else 0
                    log.write(b"".join(lines[have:n]))
                    harness.wait_until(lambda n=n: self.query(e, "a b").status == 200 and
                                       self.ask(e, "a b")["frames"] == n, what=f"{n} frames")
                    told = self.ask(e, "a b")
                    self.near_all(told["points"], drawn(rows[:n], 1000))
            shutil.copy(os.path.join(POOLING, CLIPS[0] + ".psnr.log"), e.path("a b.psnr.log"))
            rows = psnr_of(CLIPS[0])
            harness.wait_until(lambda: self.ask(e, "a b")["frames"] == len(rows))
            harness.wait_until(lambda: self.ask(e, "a b")["worst"][0][0] == min(
                rows, key=lambda r: (r[1], r[0]))[0])
            os.unlink(e.path("a b.psnr.log"))
            harness.wait_until(lambda: self.query(e, "a b").status == 404)

    def test_who_asks_wrongly_is_told_why(self):
        with self.watched() as e:
            clip = CLIPS[0]
            self.wait_for(e, clip)
            for endpoint in harness.ENDPOINTS:
                self.ask(e, clip, endpoint)
            e.write("only.progress", b"frame=1\nprogress=continue\n")
            harness.wait_until(lambda: e.metrics("results").value(
                "encode_frames_total", scenario="only") == 1)
            for more, status, line in (
                    ({"encode": ""}, 400, "encode: the name of an encode that is watched"),
                    ({"encode": "nobody"}, 404, "no encode of this name is watched"),
                    ({"encode": "only"}, 404, "no scores of frames are known of this encode"),
                    ({"metric": "cambi"}, 404, r"metric: this encode has vmaf, psnr, ssim"),
                    ({"points": "0"}, 400, "points: a whole number from 1 to 4000"),
                    ({"worst": "257"}, 400, "worst: a whole number from 0 to 256"),
                    ({"from": "x"}, 400, "from: a whole number"),
                    ({"from": "9", "to": "8"}, 400, "from: no more than to")):
                reply = self.query(e, more.pop("encode", clip), **more)
                self.assertEqual(reply.status, status, reply.text)
                self.assertRegex(reply.text, "^" + line)
                self.assertTrue(reply.headers["Content-Type"].startswith("text/plain"))
            path = "/frames?encode=" + clip
            head = e.get("results", path, method="HEAD")
            self.assertEqual((head.status, head.body), (200, b""))
            self.assertGreater(int(head.headers["Content-Length"]), 1000)
            self.assertEqual(e.get("results", path, method="POST").status, 405)
            for headers in ({"Origin": "http://elsewhere"}, {"Host": "elsewhere"},
                            {"Sec-Fetch-Site": "cross-site"}):
                self.assertEqual(e.get("results", path, headers).status, 403, headers)
        with harness.Exporter("--live", "off") as e:
            self.assertEqual(self.query(e, "a").status, 404)

    def test_names_that_people_give_are_told_as_they_are(self):
        name = 'a "b" <c> \u00e9&d=1'
        with harness.Exporter() as e:
            shutil.copy(os.path.join(POOLING, CLIPS[0] + ".psnr.log"),
                        e.path(name + ".psnr.log"))
            harness.wait_until(lambda: self.query(e, name).status == 200)
            self.assertEqual(self.ask(e, name)["encode"], name)


if __name__ == "__main__":
    harness.main()
