# ctest: timeout 240
"""What is served for real inputs: every figure, every byte, every series.

`python3 test_exposition.py --regenerate` writes tests/golden anew from the binary; the
figures in there are held by the comparison with oracle.py, which stays independent.
"""

import os
import re
import shutil
import subprocess
import sys
import unittest

import expo
import harness
import oracle

# (name, set, file name or None for the newest of the set)
INPUTS = [
    ("go-era", "go-era", None),
    ("python-era", "python-era", None),
    ("python-era-matrix", "python-era", "test_results_20251228_203216.json"),
    ("encodes-live", "encodes", "test_results_20261120_113052.json"),
    ("encodes-ladder", "encodes", "test_results_20261120_113413.json"),
    ("edge", "edge", None),
]

FILE_TIME = 1790000000.5    # when every input was last modified, Unix time

# Families about the module or the program; each has a test of its own below.
TABLES = re.compile(r"cost_known_region|co2_known_region|cost_price_|co2_intensity_|"
                    r"cost_exchange_rate|cost_accrued_total|co2_accrued_kg_total|"
                    r"(results|qoe|cost)_exporter_info|process_|encode_exporter_|"
                    r"cost_electricity_price_per_kwh|"
                    r"qoe_bd_rate_percent|qoe_pareto_optimal")  # test_comparison.py

# Naming lint of promtool that we accept, each name with its reason.
KEPT = {
    # Dashboards of the exporters this one replaces ask for these names.
    "results_scenarios_total": "gauge of the predecessors that ends in _total",
    "qoe_scenarios_total": "gauge of the predecessors that ends in _total",
    "cost_scenarios_total": "gauge of the predecessors that ends in _total",
}


def path_of(directory, name):
    files = harness.data_files(directory)
    return files[-1] if name is None else next(f for f in files if f.endswith(name))


def once(endpoint, directory, *flags):
    """The exposition that --once prints, as bytes, without predictions: what models say has
    tests of its own."""
    done = harness.run("--results-dir", directory, "--once", endpoint, "--predict=off",
                       *flags)
    if done.returncode != 0:
        raise AssertionError(f"--once {endpoint}: {done.returncode} {done.stderr}")
    return done.stdout_bytes


def without_process(body):
    """The module's own families; the version stands for itself."""
    lines, keep = [], True
    for line in body.decode().splitlines(keepends=True):
        if line.startswith("# HELP "):
            keep = not line.startswith(("# HELP process_", "# HELP encode_exporter_"))
        if keep:
            lines.append(re.sub(r'version="[^"]*"', 'version="VERSION"', line))
    return "".join(lines)


class Input:
    """One results file in a directory of its own."""

    def __init__(self, *paths):
        self.directory = harness.temp_dir()
        for path in paths:
            copy = shutil.copy(path, self.directory)
            os.utime(copy, (FILE_TIME, FILE_TIME))

    def __enter__(self):
        return self.directory

    def __exit__(self, *_):
        shutil.rmtree(self.directory)


def golden_files():
    for name, directory, file in INPUTS:
        with Input(path_of(directory, file)) as results:
            for endpoint in harness.ENDPOINTS:
                yield (os.path.join(harness.GOLDEN, f"{name}.{endpoint}.prom"),
                       without_process(once(endpoint, results)))


class Golden(unittest.TestCase):
    def test_the_bytes_are_those_of_the_golden_files(self):
        self.maxDiff = 4000
        for path, text in golden_files():
            with self.subTest(os.path.basename(path)):
                with open(path, encoding="utf-8", newline="") as f:
                    self.assertEqual(f.read(), text)

    def test_every_golden_file_is_compared(self):
        expected = {f"{name}.{endpoint}.prom" for name, _, _ in INPUTS
                    for endpoint in harness.ENDPOINTS}
        self.assertEqual(set(os.listdir(harness.GOLDEN)), expected)


class Figures(unittest.TestCase):
    """Whole series sets against figures worked out a second time."""

    def compare(self, paths, flags=(), **options):
        o = oracle.Options(**options)
        runs = [oracle.Run(p) for p in paths]
        want = {**oracle.results(runs, FILE_TIME), **oracle.qoe(runs, o), **oracle.cost(runs, o)}
        count = 0
        with Input(*paths) as directory:
            got = expo.parse(once("all", directory, *flags)).series()
        got = {k: v for k, v in got.items() if not TABLES.match(k[0])}
        wrong = oracle.differences(got, want)
        count = len(want)
        self.assertEqual(wrong, [], f"{len(wrong)} of {count} series differ")
        self.assertGreater(count, 20)

    def test_every_figure_of_every_input(self):
        for name, directory, file in INPUTS:
            with self.subTest(name):
                self.compare([path_of(directory, file)])

    def test_every_encode_file(self):
        for path in harness.data_files("encodes"):
            with self.subTest(os.path.basename(path)):
                self.compare([path])

    def test_all_runs_carry_their_run_id(self):
        self.compare(harness.data_files("python-era"), ["--runs", "all"], runs="all")

    def test_currencies(self):
        for name in ("edge", "go-era"):
            with self.subTest(name):
                self.compare([path_of(name, None)], ["--currency", "USD,EUR,SEK"],
                             currency="USD,EUR,SEK")

    def test_a_region_with_prices_in_another_currency(self):
        self.compare([path_of("go-era", None)],
                     ["--region", "eu-north-1", "--currency=EUR,USD"],
                     region="eu-north-1", currency="EUR,USD")

    def test_prices_given_as_flags(self):
        self.compare([path_of("edge", None)],
                     ["--energy-cost=0.3", "--cpu-cost=0.04", "--gpu-cost=2.5",
                      "--wall-clock-cores=4", "--currency", "EUR,USD"],
                     energy_cost=0.3, cpu_cost=0.04, gpu_cost=2.5, wall_clock_cores=4,
                     currency="EUR,USD")

    def test_energy_for_free(self):
        self.compare([path_of("edge", None)], ["--energy-cost", "0"], energy_cost=0.0)

    def test_what_the_building_takes_is_paid_for_and_not_measured(self):
        for name in ("edge", "go-era"):
            with self.subTest(name):
                self.compare([path_of(name, None)],
                             ["--pue=1.4", "--currency", "SEK,USD",
                              "--compare-regions=us-east-1"],
                             pue=1.4, currency="SEK,USD", compare_regions=("us-east-1",))

    def test_billed_by_wall_clock_alone(self):
        self.compare([path_of("edge", None)],
                     ["--disable-load-aware", "--gpu-cost=2"], load_aware=False,
                     gpu_cost=2.0)

    def test_other_regions_beside(self):
        self.compare([path_of("edge", None)],
                     ["--compare-regions", "us-east-1,eu-north-1,eu-central-1"],
                     compare_regions=("us-east-1", "eu-north-1", "eu-central-1"))


class Tables(unittest.TestCase):
    """Prices, intensities and rates, which do not depend on scenarios."""

    def exposition(self, *flags, file="edge"):
        with Input(path_of(file, None)) as directory:
            return expo.parse(once("cost", directory, *flags))

    def test_prices_and_intensities_of_regions_in_use(self):
        options = oracle.Options(currency="USD,EUR,SEK")
        runs = [oracle.Run(path_of("edge", None))]
        got = self.exposition("--currency=USD,EUR,SEK").series()
        got = {k: v for k, v in got.items()
               if k[0] in ("cost_electricity_price_per_kwh", "co2_intensity_kg_per_kwh")}
        self.assertEqual(oracle.differences(got, oracle.price_tables(runs, options)), [])

    def test_the_whole_table_of_regions(self):
        e = self.exposition()
        for region, (price, currency, grid) in oracle.PRICES.items():
            rate = 1 if currency == "USD" else oracle.RATES[(currency, "USD")]
            with self.subTest(region):
                self.assertAlmostEqual(
                    e.value("cost_known_region_price_per_kwh", region=region,
                            currency="USD"), price * rate, 14)
                self.assertEqual(
                    e.value("co2_known_region_intensity_kg_per_kwh", region=region), grid)

    def test_built_in_prices_say_so(self):
        e = self.exposition()
        sources = {s.labels["source"] for s in e.samples("cost_price_info")}
        self.assertEqual(sources, {"builtin"})

    def test_each_direction_is_a_rate_of_its_own(self):
        e = self.exposition("--currency=USD,EUR,SEK")
        got = {(s.labels["from"], s.labels["to"]): s.value
               for s in e.samples("cost_exchange_rate")}
        for pair, rate in oracle.RATES.items():
            if pair in got:
                self.assertEqual(got[pair], rate, pair)
        self.assertTrue(got)

    def test_accrued_figures_exist_as_zero_from_the_start(self):
        e = self.exposition("--region=us-east-1", "--currency=EUR", file="go-era")
        self.assertEqual(e.value("cost_accrued_total", region="us-east-1", currency="EUR"), 0)
        self.assertEqual(e.value("cost_accrued_total", region="us-east-1", currency="USD"), 0)
        self.assertEqual(e.value("co2_accrued_kg_total", region="us-east-1"), 0)


class Checks(unittest.TestCase):
    """The check values of the metric contract, on the real binary."""

    def served(self, scenario, *flags):
        with Input() as directory:
            path = os.path.join(directory, "test_results_20260101_000000.json")
            with open(path, "w", encoding="utf-8") as f:
                f.write('{"scenarios": [' + scenario + "]}")
            return expo.parse(once("all", directory, *flags))

    def test_one_kwh_and_one_core_hour_cost_0_62(self):
        # 3.6e6 J = 1 kWh at 0.12, 3600 core·s = 1 core·h at 0.50
        e = self.served('{"name": "a", "energy_joules": 3.6e6, "cpu_core_seconds": 3600}')
        self.assertAlmostEqual(e.value("cost_total_load_aware", scenario="a"), 0.62, 15)

    def test_ten_kwh_in_us_east_1_are_4_5_kg(self):
        e = self.served('{"name": "a", "energy_joules": 3.6e7, "region": "us-east-1"}')
        self.assertAlmostEqual(e.value("co2_emissions_kg", scenario="a"), 4.5, 14)

    def test_135_watts_for_an_hour_at_0_13(self):
        e = self.served('{"name": "a", "duration": 3600, "power": {"mean_watts": 135}}',
                        "--region=us-east-1")
        self.assertAlmostEqual(e.value("cost_energy_load_aware", scenario="a"), 0.01755, 15)
        self.assertAlmostEqual(e.value("cost_usd_per_hour", scenario="a"), 0.01755, 15)

    def test_100_sek_are_9_5_usd(self):
        # 1000 kWh at a price of 0.1 SEK
        e = self.served('{"name": "a", "energy_joules": 3.6e9}',
                        "--energy-cost=0.1", "--currency=SEK,USD")
        self.assertAlmostEqual(
            e.value("cost_energy_load_aware", scenario="a", currency="SEK"), 100, 12)
        self.assertAlmostEqual(
            e.value("cost_energy_load_aware", scenario="a", currency="USD"), 9.5, 13)

    def test_ten_samples_five_seconds_apart(self):
        # 5·(45.2/2 + 46.1 + 45.8 + 47 + 46.5 + 45.9 + 46.3 + 46.7 + 45.5 + 46.2/2)
        e = self.served('{"name": "a", "power_watts": '
                        "[45.2,46.1,45.8,47,46.5,45.9,46.3,46.7,45.5,46.2]}")
        self.assertAlmostEqual(
            e.value("results_scenario_total_energy_joules", scenario="a"), 2077.5, 9)


class Form(unittest.TestCase):
    def test_the_same_input_gives_the_same_bytes(self):
        with Input(path_of("go-era", None)) as directory:
            first = [without_process(once(e, directory)) for e in harness.ENDPOINTS]
            again = [without_process(once(e, directory)) for e in harness.ENDPOINTS]
        self.assertEqual(first, again)

    def test_samples_stand_in_the_order_of_their_file(self):
        path = path_of("encodes", "test_results_20261120_113052.json")
        names = [s.name for s in oracle.Run(path).scenarios]
        with Input(path) as directory:
            e = expo.parse(once("results", directory))
        self.assertEqual([s.labels["scenario"] for s in
                          e.samples("results_scenario_vmaf_score")], names)

    def test_a_running_exporter_serves_what_once_prints(self):
        path = path_of("go-era", None)
        with Input(path) as directory:
            printed = [without_process(once(e, directory)) for e in harness.ENDPOINTS]
            with harness.Exporter(directory=directory) as e:
                served = [without_process(e.get(n).body) for n in harness.ENDPOINTS]
        self.assertEqual(printed, served)

    def test_all_is_the_three_endpoints_one_after_the_other(self):
        with harness.Exporter(files=[path_of("edge", None)]) as e:
            parts = "".join(without_process(e.get(n).body) for n in harness.ENDPOINTS)
            for endpoint in harness.ENDPOINTS:
                e.metrics(endpoint, "/metrics/all")
                self.assertEqual(
                    without_process(e.get(endpoint, "/metrics/all").body), parts)

    def test_the_process_tells_of_itself_once(self):
        with harness.Exporter(files=[path_of("edge", None)]) as e:
            self.assertIn("process_resident_memory_bytes", e.metrics("results"))
            self.assertNotIn("process_resident_memory_bytes", e.metrics("qoe"))
            self.assertNotIn("process_resident_memory_bytes", e.metrics("cost"))
            self.assertIn("process_resident_memory_bytes",
                          e.metrics("cost", "/metrics/all"))


class Promtool(unittest.TestCase):
    """`promtool check metrics` complains of nothing but the names that are kept."""

    def check(self, body, what):
        done = subprocess.run(["promtool", "check", "metrics"], input=body,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
        for line in done.stdout.decode().splitlines():
            name = line.split(" ")[0]
            self.assertIn(name, KEPT, f"{what}: {line}")
        # 3: lint; anything else is a syntax error, whatever it printed.
        self.assertIn(done.returncode, (0, 3), done.stdout)

    @unittest.skipUnless(shutil.which("promtool"), "no promtool")
    def test_every_exposition(self):
        for name, directory, file in INPUTS:
            with harness.Exporter("--currency=USD,EUR", "--compare-regions=us-east-1",
                                  files=[path_of(directory, file)]) as e:
                for endpoint in harness.ENDPOINTS:
                    self.check(e.get(endpoint).body, f"{name} {endpoint}")
                self.check(e.get("results", "/metrics/all").body, f"{name} all")


def regenerate():
    os.makedirs(harness.GOLDEN, exist_ok=True)
    for path, text in golden_files():
        with open(path, "w", encoding="utf-8", newline="") as f:
            f.write(text)
        print(path)


if __name__ == "__main__":
    if sys.argv[1:] == ["--regenerate"]:
        regenerate()
    else:
        harness.main()
