#!/usr/bin/env python3
"""Results files as the Go-era writer made them, from a seed.

The same seed gives the same bytes. A scenario has the keys and the sizes of real ones:
power and CPU series every 5 s, scores, frame counts; about 1.2 KB of JSON. Sizes of use:
1 to 100 000 scenarios in one file (--scenarios), or many files of some (--runs).
"""

import argparse
import json
import os
import random

LADDER = [("640x360", 800), ("854x480", 1500), ("1280x720", 2500), ("1920x1080", 5000),
          ("2560x1440", 9000), ("3840x2160", 16000)]
ENCODERS = ["libx264", "libx265", "libsvtav1", "h264_nvenc"]
START = 1767225600    # 2026-01-01 00:00:00 UTC


def scenario(rng, number):
    """One scenario; number makes its name unique."""
    if number == 0:
        name, resolution, kbps, encoder = "baseline idle", "0x0", 0, "none"
        watts, cores, duration = 25.0, 0.1, 60.0
    else:
        resolution, kbps = LADDER[rng.randrange(len(LADDER))]
        encoder = rng.choice(ENCODERS)
        streams = rng.choice([1, 1, 2, 4, 8])
        name = f"{streams} streams @ {kbps}k job {number}"
        watts = 30 + kbps / 200 * streams ** 0.5
        cores = 0.5 + kbps / 1500 * streams ** 0.8
        duration = round(rng.uniform(60, 180), 1)
    count = int(duration / 5)
    start = START + number * 200
    frames = int(duration * 30) if kbps else 0
    width, height = map(int, resolution.split("x"))

    def series(mean, spread):
        return [round(max(0.0, rng.gauss(mean, spread)), 1) for _ in range(count)]

    return {
        "avg_fps": 29.97 if kbps else 0,
        "bitrate": f"{kbps}k",
        "cpu_usage_cores": series(cores, 0.2),
        "dropped_frames": rng.randrange(12) if kbps else 0,
        "duration": duration,
        "encoder_type": encoder,
        "end_time": start + duration,
        "name": name,
        "pixels_processed": width * height * frames,
        "power_watts": series(watts, 1.0),
        "psnr_score": round(rng.uniform(34, 46), 2) if kbps else 0,
        "resolution": resolution,
        "ssim_score": round(rng.uniform(0.94, 0.995), 4) if kbps else 0,
        "start_time": start,
        "step_seconds": 5,
        "total_frames": frames,
        "vmaf_score": round(rng.uniform(70, 99), 2) if kbps else 0,
    }


def scenarios(count, seed):
    """count scenarios, the first one the baseline; a lone one is a real encode."""
    rng = random.Random(seed)
    return [scenario(rng, i + (count == 1)) for i in range(count)]


def scenario_text(value):
    """One scenario as the real writer indents it: json.dumps(…, indent=2), but fast."""
    lines = []
    for key, field in value.items():
        if isinstance(field, list):
            items = ",\n        ".join(map(repr, field))
            shown = f"[\n        {items}\n      ]" if field else "[]"
        else:
            shown = json.dumps(field)
        lines.append(f"      {json.dumps(key)}: {shown}")
    return "    {\n" + ",\n".join(lines) + "\n    }"


def file_text(texts, seed=1):
    """A whole file of what scenario_text() made."""
    inner = "[\n" + ",\n".join(texts) + "\n  ]" if texts else "[]"
    return (f'{{\n  "scenarios": {inner},\n'
            '  "test_date": "2026-01-01T00:00:00+00:00",\n'
            '  "test_metadata": {\n    "generator": "generate.py",\n'
            f'    "seed": {seed}\n  }}\n}}')


def text(count, seed):
    return file_text([scenario_text(s) for s in scenarios(count, seed)], seed)


def name(number):
    """File name of run number: one a minute."""
    day, minute = divmod(number, 1440)
    return (f"test_results_2026{1 + day // 28:02d}{1 + day % 28:02d}_"
            f"{minute // 60:02d}{minute % 60:02d}00.json")


def write(directory, runs, count, seed):
    """Files of count scenarios each, every one from a seed of its own."""
    os.makedirs(directory, exist_ok=True)
    for i in range(runs):
        with open(os.path.join(directory, name(i)), "w", encoding="utf-8") as f:
            f.write(text(count, seed + i))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--scenarios", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    write(args.directory, args.runs, args.scenarios, args.seed)


if __name__ == "__main__":
    main()
