# ctest: timeout 120
"""Encodes as /events tells of them: where they belong, how they stand, what they score."""

import json
import os
import unittest

import harness
from listener import Listener

POOLING = os.path.join(harness.DATA, "formats", "pooling")
CLIP = "photopan720_libx264_veryfast_150k"
RUNS = ("test_results_20300101_000000", "test_results_20300102_000000")


def block(frames, end=False):
    return (f"frame={frames}\nfps=25.0\nstream_0_0_q=23.5\nbitrate=2500.0kbits/s\n"
            f"total_size={frames * 100}\nout_time_us={frames * 40000}\ndup_frames=2\n"
            f"drop_frames=1\nspeed=1x\nprogress={'end' if end else 'continue'}\n").encode()


def results(name):
    return json.dumps({"scenarios": [{"name": name, "bitrate": "2500k", "fps": 25}]})


class Records(unittest.TestCase):
    def listen(self, e):
        listener = Listener(e.address("results"))
        self.addCleanup(listener.sock.close)
        return listener

    def wait(self, told, name, **members):
        """Until the record of this encode has these members; None: it has none such."""
        def there():
            record = told.records.get(("encode", name))
            return record and all(record.get(k) == v for k, v in members.items())
        told.until(there)
        return told.records["encode", name]

    def test_where_it_belongs_follows_the_runs(self):
        with harness.Exporter() as e:
            told = self.listen(e)
            e.write("a_b.progress", block(1))
            self.wait(told, "a_b", run="live", scenario="a_b", state="running")
            e.write(RUNS[0] + ".json", results("a b"))
            self.wait(told, "a_b", run=RUNS[0], scenario="a b")
            # the same name in a newer run: nothing else of it changes
            e.write(RUNS[1] + ".json", results("a b"))
            self.wait(told, "a_b", run=RUNS[1], scenario="a b")
            os.unlink(e.path(RUNS[1] + ".json"))
            self.wait(told, "a_b", run=RUNS[0], scenario="a b")
            os.unlink(e.path(RUNS[0] + ".json"))
            self.wait(told, "a_b", run="live", scenario="a_b")
            os.unlink(e.path("a_b.progress"))
            told.until(lambda: ("encode", "a_b") not in told.records)
            e.write("a_b.progress", block(1))
            self.wait(told, "a_b", run="live", frames=1)

    def test_how_it_stands_follows_blocks_and_time(self):
        with harness.Exporter("--stalled-after", "1s", "--live.max-idle", "4s") as e:
            told = self.listen(e)
            with open(e.path('x "y" \u00e9.progress'), "wb", buffering=0) as f:
                f.write(block(100))
                got = self.wait(told, 'x "y" \u00e9', state="running", frames=100)
                for key, value in (("out_time_s", 4), ("output_bytes", 10000),
                                   ("bitrate_bps", 2500000), ("dropped_frames", 1),
                                   ("duplicated_frames", 2), ("quantizer", 23.5)):
                    self.assertEqual(got[key], value, key)
                for key in ("progress", "eta_s", "end", "metrics"):
                    self.assertNotIn(key, got)
                self.assertGreaterEqual(got["last"], got["start"])
                self.wait(told, 'x "y" \u00e9', state="stalled")    # nobody told anything
                f.write(block(101))
                self.wait(told, 'x "y" \u00e9', state="running", frames=101)
                got = self.wait(told, 'x "y" \u00e9', state="aborted")
                self.assertEqual(got["end"], got["last"])
                f.write(block(102, True))
                self.wait(told, 'x "y" \u00e9', state="ended", frames=102)

    def test_scores_follow_their_logs(self):
        with open(os.path.join(POOLING, CLIP + ".psnr.log"), "rb") as f:
            lines = f.read().splitlines(keepends=True)
        with open(os.path.join(POOLING, "pooling.json"), encoding="utf-8") as f:
            want = next(x for x in json.load(f)["entries"]
                        if x["psnr_log"].startswith(CLIP))["psnr"]
        with harness.Exporter() as e:
            told = self.listen(e)
            with open(e.path("a.psnr.log"), "wb", buffering=0) as log:
                for n in (1, 20, len(lines)):
                    have = told.records.get(("encode", "a"), {}).get(
                        "metrics", {}).get("psnr", {}).get("frames", 0)
                    log.write(b"".join(lines[have:n]))
                    told.until(lambda n=n: told.records.get(("encode", "a"), {}).get(
                        "metrics", {}).get("psnr", {}).get("frames") == n)
            got = told.records["encode", "a"]["metrics"]["psnr"]
            self.assertAlmostEqual(got["mean"], want["mean_of_finite_frame_psnr"], delta=1e-4)
            self.assertAlmostEqual(got["min"], want["min"], delta=1e-4)
            self.assertNotIn("state", told.records["encode", "a"]) # no progress was told


if __name__ == "__main__":
    harness.main()
