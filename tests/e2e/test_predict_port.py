"""The port of predictions alone: what the predecessor's fourth exporter served."""

import json
import re
import time
import unittest

import harness
import web
from harness import Exporter

FILES = harness.data_files("encodes")
FAMILIES = {"ml_exporter_up", "qoe_predicted_vmaf", "qoe_predicted_psnr",
            "cost_predicted_usd", "cost_predicted_co2_kg", "prediction_confidence",
            "recommended_bitrate_kbps", "ml_model_version",
            "ml_model_last_update_timestamp", "ml_exporter_info"}


def start(*flags, **more):
    e = Exporter("--ml.listen-address=127.0.0.1:0", *flags, **more)
    return e


def find_port(e):
    def found():
        for line in list(e.lines):
            m = re.search(r"\bmsg=listening endpoint=ml address=\S*:(\d+)", line)
            if m:
                e.ports["ml"] = int(m[1])
                return True
        return False
    harness.wait_until(found, what="the port of predictions")


def health(e):
    reply = e.get("ml", "/health")
    return reply.status, json.loads(reply.body), reply.headers["Content-Type"]


class Port(unittest.TestCase):
    def test_it_serves_the_families_of_the_predecessor_alone(self):
        with start(files=FILES) as e:
            find_port(e)
            harness.wait_until(lambda: health(e)[0] == 200, what="models")
            found = e.metrics("ml")
            # nothing was measured of power here, so no CO2 can be predicted
            self.assertEqual(set(found.families), FAMILIES - {"cost_predicted_co2_kg"})
            self.assertEqual(found.value("ml_exporter_up"), 1)
            age = time.time() - found.value("ml_model_last_update_timestamp")
            self.assertLess(abs(age), 60)

    def test_it_tells_its_health_as_the_predecessor_did(self):
        with start(files=FILES) as e:
            find_port(e)
            harness.wait_until(lambda: health(e)[0] == 200, what="models")
            status, said, kind = health(e)
            self.assertEqual(kind, "application/json")
            self.assertEqual(said["status"], "ok")
            self.assertIs(said["model_loaded"], True)
            self.assertLess(abs(time.time() - said["timestamp"]), 60)
            self.assertEqual(e.get("results", "/health").text, "OK\n")
            self.assertEqual(e.get("ml", "/-/healthy").text, "OK\n")
            self.assertEqual(e.get("ml", "/ready").status, 200)

    def test_without_data_no_model_is_loaded(self):
        with start() as e:
            find_port(e)
            harness.wait_until(lambda: e.get("ml").status == 200, what="the first fit")
            status, said, _ = health(e)
            self.assertEqual((status, said["status"], said["model_loaded"]),
                             (503, "error", False))
            self.assertEqual(e.metrics("ml").value("ml_exporter_up"), 0)

    def test_a_reload_fits_anew(self):
        with start(files=FILES) as e:
            find_port(e)
            harness.wait_until(lambda: health(e)[0] == 200, what="models")
            self.assertEqual(e.get("ml", "/reload").status, 405)
            before = e.metrics("results").value("encode_exporter_predict_fits_total")
            reply = e.get("ml", "/reload", method="POST")
            self.assertEqual(reply.status, 200)
            self.assertEqual(json.loads(reply.body), {
                "status": "ok", "message": "Model reloaded successfully"})
            e.wait_metrics("results", lambda x:
                           x.value("encode_exporter_predict_fits_total") > before)
            self.assertEqual(e.get("results", "/reload", method="POST").status, 404)
            codes = [e.get("ml", "/reload", method="POST").status for _ in range(30)]
            self.assertIn(429, codes)

    def test_browsers_of_other_sites_may_not_reload(self):
        with start(files=FILES[:2]) as e:
            find_port(e)
            reply = e.get("ml", "/reload", method="POST",
                          headers={"Origin": "http://evil.example"})
            self.assertEqual(reply.status, 403)
            reply = e.get("ml", "/reload", method="POST",
                          headers={"Host": "evil.example"})
            self.assertEqual(reply.status, 403)

    def test_passwords_count_here_as_well(self):
        with web.ConfigFile(web.fast_users()) as c, \
                start(f"--web.config.file={c.path}", files=FILES[:2]) as e:
            find_port(e)
            self.assertEqual(e.get("ml").status, 401)
            self.assertEqual(e.get("ml", "/reload", method="POST").status, 401)
            self.assertIn(e.get("ml", "/health").status, (200, 503))

    def test_the_page_names_it(self):
        with start(files=FILES[:2]) as e:
            find_port(e)
            for endpoint in ("ml", "results"):
                self.assertIn("Predictions", e.get(endpoint, "/").text)

    def test_it_can_be_the_only_one(self):
        with start(files=FILES, listen=(), ready=False) as e:
            find_port(e)
            harness.wait_until(lambda: health(e)[0] == 200, what="models")
            self.assertIn("results_scenario_duration_seconds",
                          e.metrics("ml", "/metrics/all").families)

    def test_the_variable_holds_its_port(self):
        done = harness.run("--check-config", env={"ML_EXPORTER_PORT": "70000"})
        self.assertEqual(done.returncode, 2)
        self.assertIn("ML_EXPORTER_PORT", done.stderr)
        done = harness.run("--check-config", "--predict=off",
                           env={"ML_EXPORTER_PORT": "9505"})
        self.assertEqual(done.returncode, 2)
        self.assertIn("--ml.listen-address", done.stderr)


if __name__ == "__main__":
    harness.main()
