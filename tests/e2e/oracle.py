"""Every figure of every family, worked out a second time.

Reads results files with Python's json and computes what the three endpoints have to
serve, from the metric contract alone and in another way than the program: plain lists,
no shared code, no rounding. Tests compare whole series sets, so a series too many or
too few shows as well as a wrong figure.
"""

import json
import math
import os
import re

PRICES = {    # per kWh; regions as built in
    "us-east-1": (0.13, "USD", 0.45), "us-east-2": (0.11, "USD", 0.45),
    "us-west-2": (0.10, "USD", 0.30), "us-west-1": (0.19, "USD", 0.22),
    "eu-west-1": (1.85, "SEK", 0.12), "ap-northeast-1": (0.24, "USD", 0.48),
    "eu-north-1": (0.74, "SEK", 0.12), "ap-southeast-1": (0.18, "USD", 0.52),
    "eu-central-1": (0.18, "EUR", 0.40), "ap-southeast-2": (0.21, "USD", 0.65),
    "eu-south-1": (0.22, "EUR", 0.35), "default": (0.12, "USD", 0.50),
}
RATES = {("USD", "EUR"): 0.92, ("USD", "SEK"): 10.50, ("EUR", "USD"): 1.09,
         ("EUR", "SEK"): 11.40, ("SEK", "USD"): 0.095, ("SEK", "EUR"): 0.088}


class Options:
    def __init__(self, runs="latest", currency="USD", region="default", energy_cost=None,
                 cpu_cost=0.50, gpu_cost=None, wall_clock_cores=1, load_aware=True,
                 compare_regions=(), prices=None, rates=None, pue=1.0):
        self.with_run_id = runs != "latest"
        self.currencies = currency.split(",")
        self.region = region
        self.energy_cost = energy_cost
        self.cpu_cost = cpu_cost
        self.gpu_cost = gpu_cost
        self.wall_clock_cores = wall_clock_cores
        self.load_aware = load_aware
        self.compare_regions = compare_regions
        self.pue = pue
        self.prices = prices or PRICES
        self.rates = rates or RATES


# ---- small parts ------------------------------------------------------------------------
def number(value):
    """A number, also in a string; None for everything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        if not re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", value):
            return None
        value = float(value)
    if not isinstance(value, (int, float)) or abs(value) > 1e18 or math.isnan(value):
        return None
    return float(value)


def positive(value):
    """At least 0, for quantities that cannot be negative."""
    v = number(value)
    return v if v is not None and v >= 0 else None


def text(value):
    if isinstance(value, str) and value not in ("", "N/A"):
        return value
    return None


def decimal(v):
    """Shortest decimal without exponent."""
    r = repr(float(v))
    if "e" in r:
        r = f"{float(v):.20f}".rstrip("0")
    return r[:-2] if r.endswith(".0") else r.rstrip(".")


def label_text(value):
    v = number(value) if not isinstance(value, str) else None
    return decimal(v) if v is not None else text(value)


def size(resolution):
    found = re.fullmatch(r"([0-9]+)x([0-9]+)", resolution or "")
    return (float(found[1]), float(found[2])) if found else None


def div(a, b):
    return None if a is None or b is None or b == 0 else a / b


def minus(a, b):
    return None if a is None or b is None else a - b


def bits_per_second(value):
    if value is None:
        return None
    if not isinstance(value, str):
        v = positive(value)
        scale = None
    else:
        found = re.fullmatch(r"([0-9.]+) *(k|kbps|m|mbps|g|gbps|bps)?", value.lower())
        if not found:
            return None
        v = float(found[1])
        unit = (found[2] or "")
        scale = {"k": 1e3, "m": 1e6, "g": 1e9, "b": 1.0}[unit[0]] if unit else None
    if v is None:
        return None
    if scale is None:
        scale = 1e6 if v <= 100 else 1e3 if v < 100000 else 1.0
    return v * scale


def samples(value):
    """List with None for what is no number; None where there is no series."""
    if not isinstance(value, list):
        return None
    out = [positive(v) for v in value]
    return out if any(v is not None for v in out) else None


def mean(series):
    known = [v for v in series or [] if v is not None]
    return math.fsum(known) / len(known) if known else None


def total(series, step, kind, duration):
    """Integral of a series; gaps inside are straight lines, at the ends cut off."""
    if not series:
        return None
    known = [i for i, v in enumerate(series) if v is not None]
    first, last = known[0], known[-1]
    full = []
    for i in range(first, last + 1):
        if series[i] is not None:
            full.append(series[i])
            continue
        a = max(k for k in known if k < i)
        b = min(k for k in known if k > i)
        full.append(series[a] + (series[b] - series[a]) * (i - a) / (b - a))
    if kind == "mean":
        weights = [step] * len(full)
        if duration is not None:
            rest = duration - last * step
            if 0 <= rest < step:
                weights[-1] = rest
        return math.fsum(v * w for v, w in zip(full, weights))
    if len(full) == 1:
        return full[0] * step
    return step * (full[0] / 2 + math.fsum(full[1:-1]) + full[-1] / 2)


def partial(series, step, kind, duration):
    """True when the time that total() integrates over is less than 90 % of the duration."""
    known = [i for i, v in enumerate(series) if v is not None]
    intervals = known[-1] - known[0]
    if kind == "mean" or intervals == 0:
        intervals += 1
    return duration is not None and intervals * step < 0.9 * duration


# ---- one scenario -----------------------------------------------------------------------
class Scenario:
    def __init__(self, raw, file_region):
        self.raw = raw
        self.name = raw["name"]
        self.is_baseline = bool(re.search("baseline|idle", self.name, re.I))
        self.labels_of(raw, file_region)
        self.facts_of(raw)

    def labels_of(self, raw, file_region):
        self.bitrate = label_text(raw.get("bitrate"))
        self.resolution = text(raw.get("resolution"))
        fps = positive(raw.get("fps"))
        self.fps = decimal(fps) if fps is not None else None
        streams = positive(raw.get("streams"))
        if streams is None:
            found = re.search(r"([0-9]+)[ -]*streams?(?![a-z])", self.name.lower())
            streams = float(found[1]) if found else 1.0
        self.streams = max(1.0, streams)
        rungs = []
        for i, o in enumerate(raw.get("outputs") or []):
            wh, f = size(text(o.get("resolution"))), positive(o.get("fps"))
            if wh and f is not None:
                rungs.append((-wh[0], -wh[1], i, f"{o['resolution']}@{decimal(f)}"))
        if rungs:
            self.ladder = ",".join(r[3] for r in sorted(rungs))
        elif self.resolution and self.fps:
            self.ladder = f"{self.resolution}@{self.fps}"
        else:
            self.ladder = "unknown"
        kind = text(raw.get("encoder_type"))
        self.encoder = text(raw.get("encoder")) or kind or "h264"
        hints = "gpu|nvenc|qsv|vaapi|amf|videotoolbox"
        self.encoder_type = kind or (
            "gpu" if re.search(hints, f"{self.name} {text(raw.get('encoder')) or ''}", re.I)
            else "cpu")
        self.preset = text(raw.get("preset")) or "veryfast"
        self.region = text(raw.get("region")) or file_region

    def facts_of(self, raw):
        start, end = positive(raw.get("start_time")), positive(raw.get("end_time"))
        self.duration = positive(raw.get("duration")) or None
        if self.duration is None and start is not None and end is not None and end > start:
            self.duration = end - start
        frames = positive(raw.get("total_frames"))
        fps = positive(raw.get("fps"))
        self.content = positive(raw.get("media_seconds"))
        if self.content is None:
            self.content = div(frames, fps)
        if self.content is None:
            self.content = self.duration
        step = positive(raw.get("step_seconds")) or 5.0
        kind = "mean" if raw.get("series_kind") == "mean" else "instant"

        def integral(field):
            return total(samples(raw.get(field)), step, kind, self.duration)

        def times_duration(power):
            return None if power is None or self.duration is None else power * self.duration

        power = raw.get("power") or {}
        gpu_power = positive((raw.get("gpu_power") or {}).get("mean_watts"))
        cpu_j = positive(power.get("total_energy_joules"))
        basis = "reported" if cpu_j is not None else "none"
        if cpu_j is None:
            cpu_j = integral("power_watts")
            if cpu_j is not None:
                basis = "samples_partial" if partial(samples(raw["power_watts"]), step, kind,
                                                     self.duration) else "samples"
        if cpu_j is None:
            cpu_j = times_duration(positive(power.get("mean_watts")))
            basis = "reported" if cpu_j is not None else "none"
        gpu_j = integral("gpu_power_watts")
        if gpu_j is None:
            gpu_j = times_duration(gpu_power)
        self.energy = positive(raw.get("energy_joules"))
        self.energy_basis = basis
        if self.energy is not None:
            self.energy_basis = "reported"
        elif cpu_j is not None:
            self.energy = cpu_j + (gpu_j or 0)
        watts = samples(raw.get("power_watts"))
        self.cpu_power = mean(watts)
        if self.cpu_power is None:
            self.cpu_power = positive(power.get("mean_watts"))
        if self.cpu_power is None:
            self.cpu_power = div(cpu_j, self.duration)
        gpu_mean = mean(samples(raw.get("gpu_power_watts")))
        if gpu_mean is None:
            gpu_mean = gpu_power
        if self.cpu_power is not None:
            self.power = self.cpu_power + (gpu_mean or 0)
        else:
            self.power = div(positive(raw.get("energy_joules")), self.duration)
        known = [v for v in watts or [] if v is not None]
        self.stdev = None
        if len(known) >= 2:
            m = math.fsum(known) / len(known)
            self.stdev = math.sqrt(math.fsum((v - m) ** 2 for v in known) / (len(known) - 1))

        self.core_seconds = positive(raw.get("cpu_core_seconds"))
        self.compute_basis = "reported" if self.core_seconds is not None else "none"
        cores = samples(raw.get("cpu_usage_cores"))
        if self.core_seconds is None:
            self.core_seconds = integral("cpu_usage_cores")
            if self.core_seconds is not None:
                self.compute_basis = "usage_partial" if partial(
                    cores, step, kind, self.duration) else "usage"
        if self.core_seconds is None and self.duration is not None:
            self.compute_basis = "wall_clock"
        self.gpu_core_seconds = integral("gpu_usage_cores")
        self.cpu_percent = mean(cores)
        if self.cpu_percent is not None:
            self.cpu_percent *= 100
        else:
            self.cpu_percent = positive((raw.get("container_usage") or {}).get("cpu_percent"))
        docker = positive((raw.get("docker_overhead") or {}).get("cpu_percent"))
        host_cores = positive((raw.get("hardware") or {}).get("cpu_cores"))
        share = div(docker, 100 * host_cores if host_cores else None)
        self.docker_w = None if share is None or self.cpu_power is None \
            else share * self.cpu_power

        self.total_frames = frames
        self.frames = frames
        if self.frames is None and fps is not None and self.content is not None:
            self.frames = fps * self.content
        self.pixels = positive(raw.get("pixels_processed")) or None
        if self.pixels is None and self.content is not None:
            rungs = [(size(text(o.get("resolution"))), positive(o.get("fps")))
                     for o in raw.get("outputs") or []]
            if rungs and all(wh and f is not None for wh, f in rungs):
                self.pixels = math.fsum(wh[0] * wh[1] * f * self.content for wh, f in rungs)
            elif size(self.resolution) and fps is not None:
                wh = size(self.resolution)
                self.pixels = wh[0] * wh[1] * fps * self.content
        viewers = positive(raw.get("viewers"))
        self.viewers = self.streams if viewers is None else max(1.0, viewers)
        self.bps = bits_per_second(raw.get("bitrate"))
        self.avg_fps = positive(raw.get("avg_fps"))
        self.dropped = positive(raw.get("dropped_frames"))
        self.quality_s = positive(raw.get("quality_seconds"))

        wh = size(self.resolution)
        unmeasured = (self.is_baseline or frames == 0 or self.bps == 0
                      or (wh and 0 in wh))
        vmaf, ssim = positive(raw.get("vmaf_score")), positive(raw.get("ssim_score"))
        psnr = raw.get("psnr_score")
        if isinstance(psnr, str) and psnr.lower() in ("inf", "infinity"):
            psnr = math.inf
        else:
            psnr = positive(psnr)
        if vmaf is not None and vmaf > 120:
            vmaf = None
        if ssim is not None and ssim > 1:
            ssim = 1 - 10 ** (-ssim / 10)
        self.vmaf, self.psnr, self.ssim = (None,) * 3 if unmeasured else (vmaf, psnr, ssim)

    @property
    def identity(self):
        return (self.name, self.bitrate, self.resolution, self.encoder, self.preset)


class Run:
    def __init__(self, path):
        self.id = os.path.basename(path)[:-len(".json")]
        with open(path, encoding="utf-8") as f:
            raw = json.load(f)
        if isinstance(raw, list):
            raw = {"scenarios": raw}
        region = text(raw.get("region"))
        self.scenarios = [Scenario(s, region) for s in raw["scenarios"]]
        self.baseline = next((s for s in self.scenarios if s.is_baseline), None)
        seen = {}
        for s in self.scenarios:
            seen[s.identity] = seen.get(s.identity, 0) + 1
            s.repeat = str(seen[s.identity]) if seen[s.identity] > 1 else None


# ---- endpoints --------------------------------------------------------------------------
class Series:
    """{(name, labels): value}; what is unknown is not in it."""

    def __init__(self):
        self.all = {}

    def add(self, name, labels, value):
        if value is None:
            return
        key = (name, frozenset((k, v) for k, v in labels.items() if v))
        if key in self.all:
            raise AssertionError(f"twice: {key}")
        self.all[key] = value


def last_end(run):
    """Unix time at which the last scenario ended; None where no time is one."""
    ends = []
    for s in run.scenarios:
        start, end = (t if t is not None and 1e9 <= t < 1e11 else None
                      for t in (number(s.raw.get("start_time")),
                                number(s.raw.get("end_time"))))
        if end is None and start is not None and s.duration is not None:
            end = start + s.duration
        ends += [end] if end is not None else []
    return max(ends, default=None)


def results(runs, file_time=None):
    """file_time: Unix time at which all the files were modified."""
    out = Series()
    for run in runs:
        if run.scenarios:
            out.add("results_run_file_mtime_seconds", {"run_id": run.id}, file_time)
        for s in run.scenarios:
            labels = {
                "run_id": run.id, "scenario": s.name, "bitrate": s.bitrate,
                "resolution": s.resolution, "fps": s.fps, "streams": decimal(s.streams),
                "output_ladder": s.ladder, "encoder": s.encoder,
                "encoder_type": s.encoder_type, "preset": s.preset, "repeat": s.repeat,
            }
            for name, value in scenario_results(s, run.baseline).items():
                out.add("results_scenario_" + name, labels, value)
            if s.energy is not None:
                out.add("results_scenario_energy_source_info",
                        {**labels, "source": s.energy_basis}, 1)
            out.add("results_scenario_params_info", *params(s.raw, labels))
    out.add("results_exporter_up", {}, 1)
    if runs:
        end = last_end(max(runs, key=lambda r: r.id))
        out.add("results_last_run_timestamp_seconds", {},
                file_time if end is None else end)
    out.add("results_scenarios_total", {}, sum(len(r.scenarios) for r in runs))
    return out.all


def params(raw, labels):
    extra = {}
    for key, value in (raw.get("params") or {}).items():
        extra[re.sub(r"[^a-zA-Z0-9_]", "_", key)] = label_text(value)
    for key in ("crf", "passes"):
        value = number(raw.get(key))
        extra[key] = decimal(value) if value is not None else None
    for key in ("rate_control", "vmaf_model", "transfer"):
        extra[key] = text(raw.get(key))
    extra = {k: v for k, v in extra.items() if v}
    return {**labels, **extra}, 1 if extra else None


def scenario_results(s, base):
    wh = None if s.energy is None else s.energy / 3600
    mbps = None if s.bps is None else s.bps / 1e6
    energy_per_frame = div(s.energy, s.frames)
    out = {
        "duration_seconds": s.duration,
        "mean_power_watts": s.power,
        "measured_power_watts": s.cpu_power,
        "power_stdev": s.stdev,
        "total_energy_joules": s.energy,
        "total_energy_wh": wh,
        "energy_wh_per_min": div(None if wh is None else wh * 60, s.duration),
        "energy_wh_per_mbps": div(wh, mbps),
        "energy_mj_per_frame": None if energy_per_frame is None else energy_per_frame * 1000,
        "container_cpu_percent": s.cpu_percent,
        "estimated_docker_overhead_watts": s.docker_w,
        "efficiency_score": div(s.pixels, s.energy),
        "throughput_mbps_per_watt": div(None if mbps is None else mbps * s.streams, s.power),
        "total_pixels": s.pixels,
        "avg_fps": s.avg_fps,
        "dropped_frames": s.dropped,
        "total_frames": s.total_frames,
        "vmaf_score": s.vmaf, "psnr_score": s.psnr, "ssim_score": s.ssim,
    }
    if base:
        base_wh = None if base.energy is None else base.energy / 3600
        out["net_power_watts"] = out["delta_power_watts"] = minus(s.power, base.power)
        out["net_energy_wh"] = out["delta_energy_wh"] = minus(wh, base_wh)
        out["net_container_cpu_percent"] = minus(s.cpu_percent, base.cpu_percent)
        increase = div(minus(s.power, base.power), base.power)
        out["power_pct_increase"] = None if increase is None else increase * 100
    return out


def qoe(runs, options):
    out = Series()
    for run in runs:
        for s in run.scenarios:
            labels = {"scenario": s.name, "bitrate": s.bitrate, "encoder": s.encoder,
                      "resolution": s.resolution, "preset": s.preset, "repeat": s.repeat,
                      "run_id": run.id if options.with_run_id else None}
            weighted = None if s.pixels is None or s.vmaf is None \
                else s.pixels * s.vmaf / 100
            out.add("qoe_vmaf_score", labels, s.vmaf)
            out.add("qoe_psnr_score", labels, s.psnr)
            out.add("qoe_ssim_score", labels, s.ssim)
            out.add("qoe_quality_per_watt", labels, div(s.vmaf, s.power))
            out.add("qoe_efficiency_score", labels, div(weighted, s.energy))
            out.add("qoe_drop_rate", labels, div(s.dropped, s.total_frames))
            out.add("qoe_computation_duration_seconds", labels, s.quality_s)
    out.add("qoe_exporter_up", {}, 1)
    out.add("qoe_scenarios_total", {}, sum(len(r.scenarios) for r in runs))
    return out.all


class Prices:
    def __init__(self, options):
        self.o = options

    def convert(self, value, source, to):
        if value is None or source == to:
            return value
        return value * self.o.rates[(source, to)]

    def energy(self, region, kwh, to):
        """Price of kwh in region."""
        if kwh is None:
            return None
        if self.o.energy_cost is not None:
            return self.convert(kwh * self.o.energy_cost, self.o.currencies[0], to)
        return self.regional(region, kwh, to)

    def regional(self, region, kwh, to):
        price, currency, _ = self.o.prices.get(region, self.o.prices["default"])
        return self.convert(kwh * price, currency, to)

    def intensity(self, region):
        return self.o.prices.get(region, self.o.prices["default"])[2]

    def compute(self, s, to):
        o = self.o
        # Without a flag the CPU price is the built-in one, which is in USD.
        source = "USD" if o.cpu_cost == 0.50 else o.currencies[0]
        cpu = self.convert(o.cpu_cost, source, to)
        gpu = None if o.gpu_cost is None else self.convert(o.gpu_cost, o.currencies[0], to)
        if o.load_aware and s.core_seconds is not None:
            cost = s.core_seconds / 3600 * cpu
            if s.gpu_core_seconds is not None:
                cost += s.gpu_core_seconds / 3600 * (cpu if gpu is None else gpu)
            return cost
        if s.duration is None:
            return None
        cost = s.duration / 3600 * cpu * o.wall_clock_cores
        if s.encoder_type == "gpu" and gpu is not None:
            cost += s.duration / 3600 * gpu
        return cost


def cost(runs, options):
    """Cost and CO2 families of scenarios; tables of prices: see price_tables()."""
    out, prices = Series(), Prices(options)
    for run in runs:
        for s in run.scenarios:
            region = s.region or options.region
            bare = {"scenario": s.name, "region": region, "streams": decimal(s.streams),
                    "bitrate": s.bitrate, "encoder": s.encoder,
                    "resolution": s.resolution, "preset": s.preset,
                    "service": "cost-analysis", "repeat": s.repeat,
                    "run_id": run.id if options.with_run_id else None}
            scenario_cost(out, s, run.baseline, bare, prices, options)
    out.add("cost_exporter_alive", {}, 1)
    out.add("cost_power_usage_effectiveness", {}, options.pue)
    out.add("cost_scenarios_total", {}, sum(len(r.scenarios) for r in runs))
    return out.all


def scenario_cost(out, s, base, bare, prices, options):
    region = bare["region"]
    saved = minus(base.power, s.power) if base else None
    kwh, hourly_kwh, saved_kwh = (
        None if measured is None else measured / unit * options.pue
        for measured, unit in ((s.energy, 3.6e6), (s.power, 1000), (saved, 1000)))
    for currency in options.currencies:
        labels = {**bare, "currency": currency}
        energy, compute = prices.energy(region, kwh, currency), prices.compute(s, currency)
        both = [v for v in (energy, compute) if v is not None]
        whole = math.fsum(both) if both else None
        out.add("cost_energy_load_aware", labels, energy)
        out.add("cost_compute_load_aware", labels, compute)
        out.add("cost_total_load_aware", labels, whole)
        out.add("cost_per_pixel", labels, div(whole, s.pixels))
        watched = None if s.content is None else s.content / 3600 * s.viewers
        out.add("cost_per_watch_hour", labels, div(whole, watched))
        for name, hourly in (("cost_monthly_projection", hourly_kwh),
                             ("cost_monthly_savings", saved_kwh)):
            month = None if hourly is None else hourly * 720
            out.add(name, labels, prices.energy(region, month, currency))
        for other in options.compare_regions:
            away = None if kwh is None else prices.regional(other, kwh, currency)
            known = [v for v in (away, compute) if v is not None]
            out.add("cost_in_region", {**labels, "region": other},
                    math.fsum(known) if known else None)
    out.add("cost_usd_per_hour", {**bare, "currency": "USD"},
            prices.energy(region, hourly_kwh, "USD"))
    out.add("cost_basis_info", {**bare, "energy": s.energy_basis,
                                "compute": s.compute_basis if options.load_aware
                                else "none" if s.duration is None else "wall_clock"}, 1)
    grid = prices.intensity(region)
    for name, amount, factor in (("co2_emissions_kg", kwh, 1),
                                 ("co2_emissions_kg_per_hour", hourly_kwh, 1),
                                 ("co2_monthly_projection", hourly_kwh, 720),
                                 ("co2_monthly_avoided", saved_kwh, 720)):
        out.add(name, bare, None if amount is None else amount * grid * factor)
    for other in options.compare_regions:
        out.add("co2_in_region_kg", {**bare, "region": other},
                None if kwh is None else kwh * prices.intensity(other))


def price_tables(runs, options):
    """What regions and rates there are, and which are in use."""
    out = Series()
    used = {options.region} | {s.region or options.region
                               for r in runs for s in r.scenarios}
    prices = Prices(options)
    for currency in options.currencies:
        for region in used:
            out.add("cost_electricity_price_per_kwh",
                    {"region": region, "currency": currency},
                    prices.energy(region, 1, currency))
    for region in used:
        out.add("co2_intensity_kg_per_kwh", {"region": region}, prices.intensity(region))
    return out.all


def differences(got, want, tolerance=1e-12):
    """Lines for a person; empty when got and want are the same series and figures."""
    def show(key):
        return f"{key[0]}{{{', '.join(f'{k}={v!r}' for k, v in sorted(key[1]))}}}"

    lines = [f"missing: {show(k)} = {want[k]!r}" for k in want if k not in got]
    lines += [f"too many: {show(k)} = {got[k]!r}" for k in got if k not in want]
    for key, value in want.items():
        if key not in got:
            continue
        a, b = got[key], float(value)
        if a != b and not abs(a - b) <= tolerance * max(abs(a), abs(b)):
            lines.append(f"wrong: {show(key)}: got {a!r}, want {b!r}")
    return sorted(lines)
