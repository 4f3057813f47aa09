"""encode_exporter predict: one question to the models of a directory."""

import json
import os
import random
import shutil
import unittest

import expo
import harness

ASKED = ("--resolution", "1280x720", "--fps", "24", "--encoder", "libx264",
         "--preset", "medium", "--bitrate", "2M")


def predict(directory, *flags, env=None, asked=ASKED):
    return harness.run("predict", "--results-dir", directory, *asked, *flags, env=env)


def power_run(start, source, watts_per_mbps):
    """A run whose encodes take energy that grows with the bit rate."""
    scenarios = []
    for i in range(8):
        mbps = 1 + i
        scenarios.append({
            "name": f"{source} {mbps}M", "source": source, "bitrate": f"{mbps}M",
            "resolution": "1280x720", "fps": 25, "encoder": "libx264", "preset": "fast",
            "media_seconds": 100, "duration": 100, "total_frames": 2500,
            "cpu_core_seconds": 50 + 10 * mbps,
            "power": {"mean_watts": 40 + watts_per_mbps * mbps},
            "vmaf_score": 99 - 30 / (mbps + 1) - start / 4})
    return {"scenarios": scenarios}


class PredictPrompt(unittest.TestCase):
    def setUp(self):
        self.directory = harness.temp_dir()
        self.addCleanup(lambda: shutil.rmtree(self.directory))

    def copy(self, *parts):
        for path in harness.data_files(*parts):
            shutil.copy(path, self.directory)

    def ask(self, *flags, env=None, status=0, asked=ASKED):
        done = predict(self.directory, "--json", *flags, env=env, asked=asked)
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(done.stdout)

    def put_power(self):
        for i, source in enumerate(("crowd", "park", "sea", "studio")):
            path = os.path.join(self.directory, f"test_results_2026010{i + 1}_000000.json")
            with open(path, "w", encoding="utf-8") as f:
                json.dump(power_run(i, source, 2), f)

    def test_real_encodes_answer_with_intervals(self):
        self.copy("encodes")
        answer = self.ask()
        self.assertEqual(answer["asked"]["bitrate_kbps"], 2000)
        self.assertEqual(answer["models"]["scope"], "new_source")
        self.assertGreater(answer["models"]["encodes"], 100)
        for what in ("vmaf", "psnr_db", "ssim", "core_seconds_per_second"):
            with self.subTest(what):
                figure = answer["predicted"][what]
                self.assertLess(figure["low"], figure["value"])
                self.assertLess(figure["value"], figure["high"])
                self.assertTrue(0 <= figure["confidence"] <= 1)
        self.assertTrue(60 < answer["predicted"]["vmaf"]["value"] <= 100)
        self.assertEqual({row["what"] for row in answer["unsaid"]},
                         {"joules_per_second", "power_watts"})

    def test_quality_and_cost_grow_with_the_bit_rate(self):
        self.copy("encodes")
        rows = self.ask()["bitrates"]
        self.assertGreaterEqual(len(rows), 6)
        self.assertIn(2000, [row["bitrate_kbps"] for row in rows])
        for a, b in zip(rows, rows[1:]):
            self.assertLess(a["bitrate_kbps"], b["bitrate_kbps"])
            self.assertLess(a["vmaf"]["value"], b["vmaf"]["value"])
            self.assertLess(a["cost_per_hour"][0]["value"], b["cost_per_hour"][0]["value"])

    def test_the_recommended_bit_rate_reaches_its_target(self):
        self.copy("encodes")
        kbps = self.ask("--target-vmaf", "90")["recommended_bitrate_kbps"]["value"]
        asked = list(ASKED)
        asked[-1] = f"{kbps * 1000:.0f}bps"
        answer = self.ask(asked=asked)
        self.assertAlmostEqual(answer["predicted"]["vmaf"]["value"], 90, delta=0.3)

    def test_the_text_says_the_same_as_the_json(self):
        self.copy("encodes")
        answer = self.ask()
        done = predict(self.directory)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        vmaf = answer["predicted"]["vmaf"]
        self.assertIn(f"{vmaf['value']:.1f}   {vmaf['low']:.1f} to {vmaf['high']:.1f}",
                      done.stdout)
        self.assertIn(answer["models"]["version"], done.stdout)
        self.assertIn("Not said:\n  joules per second, mean power (W): ", done.stdout)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)

    def test_the_order_of_files_does_not_matter(self):
        self.copy("encodes")
        first = predict(self.directory).stdout
        other = harness.temp_dir()
        self.addCleanup(lambda: shutil.rmtree(other))
        names = os.listdir(self.directory)
        random.Random(7).shuffle(names)
        for name in names:
            shutil.copyfile(os.path.join(self.directory, name), os.path.join(other, name))
        self.assertEqual(predict(other).stdout, first)

    def test_prices_are_those_of_flags_and_variables(self):
        self.put_power()
        asked = ("--resolution", "1280x720", "--fps", "25", "--bitrate", "4M")
        answer = self.ask("--cpu-cost", "2", "--currency", "USD,EUR",
                          env={"ENERGY_COST": ""}, asked=asked)
        predicted = answer["predicted"]
        usd, eur = predicted["cost_per_hour"]
        # an hour of content: so many joules per second are Wh, core-seconds core-hours
        # costs are told to four digits
        energy = predicted["joules_per_second"]["value"] / 1000 * 0.12
        compute = predicted["core_seconds_per_second"]["value"] * 2
        self.assertEqual((usd["currency"], eur["currency"]), ("USD", "EUR"))
        self.assertEqual(usd["parts"], "energy and compute")
        self.assertAlmostEqual(usd["value"], energy + compute, delta=5e-4)
        self.assertAlmostEqual(eur["value"], (energy + compute) * 0.92, delta=5e-4)
        # 40 W + 2 W per Mbit/s at 4 Mbit/s, as long as the content is
        self.assertAlmostEqual(predicted["joules_per_second"]["value"], 48, delta=4)
        self.assertAlmostEqual(predicted["co2_kg_per_hour"]["value"],
                               predicted["joules_per_second"]["value"] / 1000 * 0.5,
                               delta=6e-6)
        other = self.ask("--region", "us-east-1", asked=asked)["predicted"]
        self.assertAlmostEqual(other["co2_kg_per_hour"]["value"],
                               predicted["joules_per_second"]["value"] / 1000 * 0.45,
                               delta=6e-6)

    def test_the_models_are_those_that_the_exporter_serves(self):
        self.copy("encodes")
        done = harness.run("--results-dir", self.directory, "--once", "all")
        served = expo.parse(done.stdout_bytes)
        answer = self.ask("--target-vmaf", "90",
                          asked=("--resolution", "1280x720", "--fps", "30",
                                 "--bitrate", "2M"))
        self.assertEqual(served.value("ml_model_version",
                                      version=answer["models"]["version"]), 1)
        for family, end in (("qoe_predicted_vmaf", "value"),
                            ("qoe_predicted_vmaf_low", "low"),
                            ("qoe_predicted_vmaf_high", "high")):
            self.assertEqual(served.value(family, config="720p30_2mbps"),
                             answer["predicted"]["vmaf"][end])
        cost = served.value("cost_predicted_usd", config="720p30_2mbps")
        self.assertEqual(cost, answer["predicted"]["cost_per_hour"][0]["value"])

    def test_nothing_to_say_is_status_1_with_the_reason(self):
        done = predict(self.directory)
        self.assertEqual(done.returncode, 1)
        self.assertIn("there are no encodes to learn from", done.stdout)
        self.copy("encodes")
        asked = list(ASKED)
        asked[1] = "7680x4320"
        done = predict(self.directory, asked=asked)
        self.assertEqual(done.returncode, 1)
        self.assertIn("7680x4320 at 24 fps is too far from the encodes",
                      " ".join(done.stdout.split()))
        asked = list(ASKED)
        asked[5] = "libnobody"
        answer = self.ask(status=1, asked=asked)
        self.assertEqual(answer["predicted"], {})
        self.assertIn("libnobody", answer["unsaid"][0]["reason"])

    def test_a_file_that_cannot_be_read_is_named_and_left_out(self):
        self.copy("encodes")
        want = predict(self.directory).stdout
        with open(os.path.join(self.directory, "test_results_20300101_000000.json"), "w",
                  encoding="utf-8") as f:
            f.write('{"scenarios": [{"na')
        done = predict(self.directory)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("test_results_20300101_000000.json", done.stderr)
        self.assertEqual(done.stdout, want)

    def test_the_newest_scenarios_alone_are_learned_from(self):
        self.put_power()
        asked = ("--resolution", "1280x720", "--fps", "25", "--bitrate", "4M")
        for limit, learned in ((1000, 32), (24, 24), (20, 20)):
            answer = self.ask("--predict.scenarios", str(limit), asked=asked)
            self.assertEqual(answer["models"]["encodes"], learned)
        newest = self.ask("--predict.scenarios", "24", asked=asked)
        os.remove(os.path.join(self.directory, "test_results_20260101_000000.json"))
        self.assertEqual(self.ask(asked=asked), newest)

    def test_wrong_flags_are_status_2(self):
        for flags in (("--bitrate", "fast"), ("--no-such-flag",), ("--once", "all"),
                      ("--currency", "XX")):
            with self.subTest(flags):
                done = predict(self.directory, *flags)
                self.assertEqual(done.returncode, 2)
                self.assertEqual(done.stdout, "")
                self.assertIn(flags[0], done.stderr)
        done = harness.run("predict", "--results-dir", self.directory)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--resolution is missing", done.stderr)

    def test_a_wrong_file_of_configurations_is_status_2(self):
        path = os.path.join(self.directory, "configs.json")
        with open(path, "w", encoding="utf-8") as f:
            f.write('{"configs": 1}')
        done = predict(self.directory, "--predict.configs", path)
        self.assertEqual(done.returncode, 2)
        self.assertIn(path, done.stderr)

    def test_a_directory_that_is_not_there_is_status_1(self):
        done = predict(os.path.join(self.directory, "nowhere"))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "")
        self.assertIn("nowhere", done.stderr)

    def test_help_tells_its_flags(self):
        for line in (("predict", "--help"), ("--help", "predict")):
            done = harness.run(*line)
            self.assertEqual(done.returncode, 0)
            for flag in ("--resolution WxH", "--bitrate RATE", "--target-vmaf VMAF"):
                self.assertIn(flag, done.stdout)
        self.assertIn("encode_exporter predict", harness.run("--help").stdout)


if __name__ == "__main__":
    unittest.main()
