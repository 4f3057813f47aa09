"""The grid's CO2 intensity comes from Electricity Maps and is kept while it is not to be had."""

import datetime
import json
import os
import shutil
import time
import unittest

import harness
from harness import Exporter
from receiver import Receiver

FILES = harness.data_files("go-era")[:1]
TOKEN = "geheim-0815"


def answer(grams, zone="DE", age_s=600):
    at = datetime.datetime.fromtimestamp(time.time() - age_s, datetime.timezone.utc)
    return 200, json.dumps({
        "zone": zone, "carbonIntensity": grams, "datetime": at.isoformat(timespec="seconds"),
        "updatedAt": at.isoformat(), "isEstimated": False}).encode()


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, self.directory)
        self.token = os.path.join(self.directory, "token")
        harness.write_atomically(self.token, TOKEN.encode() + b"\n")

    def flags(self, url, *more):
        return ["--electricity-maps-url", url, "--electricity-maps-zone", "DE",
                "--electricity-maps-token-file", self.token, "--region", "somewhere", *more]

    def intensity(self, exposition):
        return exposition.value("co2_intensity_kg_per_kwh", region="somewhere")


class Values(Case):
    def test_the_intensity_is_in_force_with_its_source_and_age(self):
        with Receiver(answer(123)) as r, Exporter(*self.flags(r.url), files=FILES) as e:
            asked = r.wait(1)
            self.assertEqual((asked.method, asked.path),
                             ("GET", "/v3/carbon-intensity/latest?zone=DE"))
            self.assertEqual(asked.headers["auth-token"], TOKEN)
            self.assertNotIn("Authorization", asked.headers)
            got = e.wait_metrics("cost", lambda x: "co2_intensity_as_of_timestamp_seconds"
                                 in x)
            self.assertAlmostEqual(self.intensity(got), 0.123, places=12)
            as_of = got.samples("co2_intensity_as_of_timestamp_seconds")
            self.assertEqual(len(as_of), 1)
            self.assertAlmostEqual(as_of[0].value, time.time() - 600, delta=30)
            own = e.metrics("results")
            self.assertEqual(own.value("encode_exporter_carbon_requests_total",
                                       result="good"), 1)
            self.assertGreater(own.value(
                "encode_exporter_carbon_last_success_timestamp_seconds"), 1.7e9)
            # Asked for once an hour, whatever is scraped.
            self.assertEqual(len(r.asked), 1)
            self.assertNotIn(TOKEN, e.log)
            for endpoint in harness.ENDPOINTS:
                self.assertNotIn(TOKEN, e.get(endpoint, "/metrics/all").text)
                self.assertNotIn(TOKEN, e.get(endpoint, "/").text)

    def test_a_reload_keeps_the_value(self):
        with Receiver(answer(77)) as r, Exporter(*self.flags(r.url), files=FILES) as e:
            e.wait_metrics("cost", lambda x: "co2_intensity_as_of_timestamp_seconds" in x)
            e.process.send_signal(1)
            e.wait_log("settings reloaded")
            self.assertAlmostEqual(self.intensity(e.metrics("cost")), 0.077, places=12)
            self.assertEqual(len(r.asked), 1)


class Failing(Case):
    def fails_with(self, reply, part, *flags):
        with Receiver(reply) as r, Exporter(*self.flags(r.url, *flags), files=FILES) as e:
            r.wait(1)
            line = e.wait_log("a request failed")
            self.assertIn(part, line)
            self.assertIn('peer="Electricity Maps"', line)
            own = e.metrics("results")
            self.assertEqual(own.value("encode_exporter_carbon_requests_total",
                                       result="bad"), 1)
            self.assertNotIn("co2_intensity_as_of_timestamp_seconds", e.metrics("cost"))
            self.assertNotIn(TOKEN, e.log)

    def test_wrong_answers_are_told_and_change_nothing(self):
        self.fails_with((401, b'{"message":"invalid auth-token"}'), "HTTP status 401")
        self.fails_with((200, b"<html>"), "no JSON")
        self.fails_with(answer(100, zone="FR"), "not of zone DE")
        self.fails_with(answer(-5), "carbonIntensity -5")

    def test_an_answer_that_does_not_come_holds_nothing_up(self):
        with Receiver(None) as r, Exporter(*self.flags(r.url), files=FILES) as e:
            r.wait(1)
            for _ in range(20):
                self.assertEqual(e.get("cost", timeout=5).status, 200)
            e.stop(timeout=10)


class Settings(Case):
    def test_wrong_settings(self):
        token = ["--electricity-maps-token-file", self.token]
        zone = ["--electricity-maps-zone", "DE"]
        for flags, part, status in [
                (token, "one is missing", 2), (zone, "one is missing", 2),
                ([*token, "--electricity-maps-zone", "D&E"], "is no zone", 2),
                ([*token, *zone, "--electricity-maps-url", "x"], "maps-url", 2),
                ([*zone, "--electricity-maps-token-file", "/nonexistent"], "/nonexistent", 1)]:
            with self.subTest(flags=flags):
                done = harness.run(*flags, "--check-config")
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertIn(part, done.stderr)
        self.assertEqual(harness.run(*token, *zone, "--check-config").returncode, 0)

    def test_a_token_over_plain_http_is_warned_of(self):
        with Exporter(*self.flags("http://maps.invalid"), files=FILES) as e:
            self.assertEqual(e.log_count("a secret is sent without encryption"), 1)
        with Receiver(answer(1)) as r, Exporter(*self.flags(r.url), files=FILES) as e:
            r.wait(1)
            self.assertEqual(e.log_count("a secret is sent without encryption"), 0)


if __name__ == "__main__":
    harness.main()
