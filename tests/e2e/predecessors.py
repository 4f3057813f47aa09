"""What the exporters that this one replaces would serve of a results file.

Written anew after the published sources of the Python and Go exporters (the project
psantana5/ffmpeg-rtmp): their names, labels, label texts, digits, order, zeros and double
lines. Of the Python exporters without a database to ask, as the files here were measured
without one.
"""

import json
import re

PRICE_KWH, PRICE_CORE_HOUR = 0.12, 0.5
GO_RATES = {"USD": 1.0, "EUR": 0.92, "SEK": 10.35}


def scenarios(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)["scenarios"]


def heads(*names, kinds=None):
    return [line for name in names
            for line in (f"# HELP {name} of the predecessor",
                         f"# TYPE {name} {(kinds or {}).get(name, 'gauge')}")]


def text(lines):
    return "\n".join(lines) + "\n"


def trapezoid(values, step):
    return sum((a + b) / 2 * step for a, b in zip(values, values[1:]))


def size(resolution):
    match = re.fullmatch(r"(\d+)x(\d+)", str(resolution).lower())
    return (int(match[1]), int(match[2])) if match else (0, 0)


def streams(name):
    match = re.search(r"(\d+)\s+streams?", name.lower())
    return int(match[1]) if match else 1


def pixels(s, duration):
    parts = s.get("outputs") or [s]
    return sum(w * h * (part.get("fps") or 0) * duration for part in parts
               for w, h in [size(part.get("resolution", ""))])


# ---- Python -------------------------------------------------------------------------------
def plain(name):
    return name.replace(" ", "_").replace('"', "")


def python_qoe(path):
    out = heads("qoe_vmaf_score", "qoe_psnr_score", "qoe_quality_per_watt",
                "qoe_efficiency_score", "qoe_computation_duration_seconds")
    for s in scenarios(path):
        labels = f'scenario="{plain(s["name"])}"'
        for name, field in (("qoe_vmaf_score", "vmaf_score"), ("qoe_psnr_score", "psnr_score")):
            if s.get(field) is not None:
                out.append(f"{name}{{{labels}}} {s[field]:.2f}")
        out.append(f"qoe_computation_duration_seconds{{{labels}}} {0.0:.3f}")
    return text(out)


COST = ("cost_total_load_aware", "cost_energy_load_aware", "cost_compute_load_aware",
        "cost_per_pixel", "cost_per_watch_hour")
MONTHLY = ("cost_usd_per_hour", "cost_monthly_projection", "cost_monthly_savings",
           "co2_emissions_kg_per_hour", "co2_monthly_projection", "co2_monthly_avoided")


def mean(values):
    return sum(values) / len(values)


def python_monthly(s, base_w):
    power_w = mean(s["power_watts"])
    hourly, co2 = power_w / 1000 * PRICE_KWH, power_w / 1000 * 0.5
    found = [f"{hourly:.8f}", f"{hourly * 720:.2f}", None, f"{co2:.6f}", f"{co2 * 720:.2f}", None]
    if base_w:
        found[2] = f"{(base_w / 1000 * PRICE_KWH - hourly) * 720:.2f}"
        found[5] = f"{(base_w / 1000 * 0.5 - co2) * 720:.2f}"
    return [(name, value) for name, value in zip(MONTHLY, found) if value]


def python_costs(s, base_w):
    if not s.get("power_watts") or not s.get("cpu_usage_cores"):
        return [(name, "0") for name in COST]
    step = s.get("step_seconds", 5)
    energy = trapezoid(s["power_watts"], step) / 3.6e6 * PRICE_KWH
    compute = trapezoid(s["cpu_usage_cores"], step) / 3600 * PRICE_CORE_HOUR
    found = [(name, f"{v:.8f}") for name, v in zip(COST, (energy + compute, energy, compute))]
    if pixels(s, s["duration"]):
        found.append((COST[3], f"{(energy + compute) / pixels(s, s['duration']):.12f}"))
    found.append((COST[4], f"{(energy + compute) / (s['duration'] / 3600):.8f}"))
    return found + python_monthly(s, base_w)


def python_cost(path):
    out = heads("cost_exporter_alive") + ["cost_exporter_alive 1"] + heads(*COST, *MONTHLY)
    found = scenarios(path)
    base_w = next((mean(s["power_watts"]) for s in found if s.get("power_watts")
                   and re.search("baseline|idle", s["name"].lower())), None)
    for s in found:
        if not s.get("bitrate"):
            continue
        labels = (f'scenario="{plain(s["name"])}",currency="USD",streams="{streams(s["name"])}",'
                  f'bitrate="{s["bitrate"]}",encoder="{s.get("encoder_type", "unknown")}",'
                  'service="cost-analysis"')
        out += [f"{name}{{{labels}}} {value}" for name, value in python_costs(s, base_w)]
    return text(out)


ZEROS = ("mean_power_watts", "measured_power_watts", "estimated_docker_overhead_watts",
         "total_energy_joules", "total_energy_wh", "container_cpu_percent")
NO_BASELINE = ("delta_power_watts", "delta_energy_wh", "power_pct_increase", "net_power_watts",
               "net_energy_wh", "net_container_cpu_percent")
BOUNDS = ("power_stdev", "prediction_confidence_high", "prediction_confidence_low")


def ladder(s):
    parts = [(size(o["resolution"]), o["fps"], o["resolution"]) for o in s.get("outputs") or []]
    if parts:
        return ",".join(f"{r}@{fps}" for _, fps, r in sorted(parts, key=lambda p: p[0],
                                                             reverse=True))
    if "resolution" in s and "fps" in s:
        return f"{s['resolution']}@{s['fps']}"
    return "unknown"


def python_results(path):
    run = re.sub(r".*/|\.json$", "", path)
    out = heads("results_exporter_up") + ["results_exporter_up 1"]
    out += heads(*("results_scenario_" + name for name in
                   ("duration_seconds", "total_pixels") + ZEROS + NO_BASELINE + BOUNDS))
    for s in scenarios(path):
        if not s.get("start_time") or not s.get("end_time"):
            continue
        name = s["name"].replace('"', '\\"')
        kind = s.get("encoder_type", "gpu" if re.search("gpu|nvenc|qsv|vaapi", name.lower())
                     else "cpu")
        labels = (f'run_id="{run}",scenario="{name}",bitrate="{s.get("bitrate", "")}",'
                  f'resolution="{s.get("resolution", "")}",fps="{s.get("fps", "")}",'
                  f'streams="{streams(name)}",output_ladder="{ladder(s)}",encoder_type="{kind}"')
        took = s["end_time"] - s["start_time"]
        values = [("duration_seconds", f"{took:.3f}")] + [(n, "0.0000") for n in ZEROS]
        if pixels(s, took):
            values.append(("total_pixels", f"{pixels(s, took):.0f}"))
        values += [(n, "0.0000") for n in BOUNDS] * 2 + [(n, "0") for n in NO_BASELINE]
        out += [f"results_scenario_{n}{{{labels}}} {v}" for n, v in values]
    return text(out)


# ---- Go -----------------------------------------------------------------------------------
def go_info(module, more=""):
    name = f"{module}_exporter_info"
    return heads(name) + [f'{name}{{version="1.0.0",language="go"{more}}} 1']


def go_start(module, alive, found):
    return (heads(alive) + [f"{alive} 1"] + heads(f"{module}_scenarios_total")
            + [f"{module}_scenarios_total {len(found)}"])


def go_family(out, found, name, value, digits, kind="gauge"):
    """value: of a scenario, None where there is no sample."""
    out += heads(name, kinds={name: kind})
    for s in found:
        v = value(s)
        if v is not None:
            out.append(f'{name}{{scenario="{s["name"]}",bitrate="{s.get("bitrate", "")}",'
                       f'encoder="{s.get("encoder_type", "")}"}} {v:.{digits}f}')


def above_0(field):
    return lambda s: s.get(field) if (s.get(field) or 0) > 0 else None


def of_frames(function):
    return lambda s: function(s) if (s.get("total_frames") or 0) > 0 else None


def go_results(path):
    found = scenarios(path)
    out = go_start("results", "results_exporter_up", found)
    pre = "results_scenario_"
    go_family(out, found, pre + "duration_seconds", lambda s: s["duration"], 2)
    go_family(out, found, pre + "avg_fps", above_0("avg_fps"), 2)
    go_family(out, found, pre + "dropped_frames",
              of_frames(lambda s: s.get("dropped_frames", 0)), 0, "counter")
    go_family(out, found, pre + "total_frames", above_0("total_frames"), 0, "counter")
    go_family(out, found, pre + "vmaf_score", above_0("vmaf_score"), 2)
    go_family(out, found, pre + "psnr_score", above_0("psnr_score"), 2)
    return text(out + go_info("results"))


def go_efficiency(s):
    if not (s.get("power_watts") and s.get("vmaf_score") and s.get("pixels_processed")):
        return None
    return s["vmaf_score"] / 100 * s["pixels_processed"] / (sum(s["power_watts"]) * 5)


def go_qoe(path):
    found = scenarios(path)
    out = go_start("qoe", "qoe_exporter_up", found)
    go_family(out, found, "qoe_vmaf_score", above_0("vmaf_score"), 2)
    go_family(out, found, "qoe_psnr_score", above_0("psnr_score"), 2)
    go_family(out, found, "qoe_ssim_score", above_0("ssim_score"), 4)
    go_family(out, found, "qoe_quality_per_watt", lambda s: s["vmaf_score"] /
              mean(s["power_watts"]) if s.get("power_watts") and s.get("vmaf_score") else None, 4)
    go_family(out, found, "qoe_efficiency_score", go_efficiency, 2)
    go_family(out, found, "qoe_drop_rate",
              of_frames(lambda s: s.get("dropped_frames", 0) / s["total_frames"]), 6)
    return text(out + go_info("qoe"))


def go_cost(path):
    found = scenarios(path)
    out = go_start("cost", "cost_exporter_alive", found) + heads(*COST)
    for s in found:
        if not s.get("bitrate"):
            continue
        energy = compute = 0.0
        if s.get("power_watts") and s.get("cpu_usage_cores"):
            step = s.get("step_seconds") or 5.0
            energy = trapezoid(s["power_watts"], step) / 3600000 * PRICE_KWH
            compute = trapezoid(s["cpu_usage_cores"], step) / 3600 * PRICE_CORE_HOUR
        count = streams(s["name"])
        for currency, rate in GO_RATES.items():
            labels = (f'scenario="{s["name"]}",currency="{currency}",streams="{count}",'
                      f'bitrate="{s["bitrate"]}",encoder="{s.get("encoder_type", "")}",'
                      'service="cost-analysis"')
            total = (energy + compute) * rate
            by_pixel = f"{total / s['pixels_processed']:.12f}" if (
                total and s.get("pixels_processed")) else "0"
            by_hour = f"{total / (s['duration'] / 3600 * count):.8f}" if (
                total and s["duration"]) else "0"
            for name, value in zip(COST, (f"{total:.8f}", f"{energy * rate:.8f}",
                                          f"{compute * rate:.8f}", by_pixel, by_hour)):
                out.append(f"{name}{{{labels}}} {value}")
    return text(out + go_info("cost", ',region="us-east-1"'))


ALL = {(era, module): globals()[f"{era}_{module}"]
       for era in ("python", "go") for module in ("results", "qoe", "cost")}
