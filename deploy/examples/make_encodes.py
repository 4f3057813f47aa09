#!/usr/bin/env python3
"""Encodes synthetic 1080p clips and writes what was measured of each as results files.

Needs ffmpeg and ffprobe (Debian's) and about 700 MB below --work, best in memory. VMAF is
measured where --vmaf-ffprobe names an ffprobe that has libvmaf, which Debian's has not;
without it the files tell no VMAF. Two encodes never run at once; other load on the machine
is in the wall times, and hardly in CPU seconds, sizes and scores.
"""

import argparse
import datetime
import json
import os
import re
import subprocess
import time

# Name, frames per second, frames, filter graph.
CLIPS = [
    ("pattern1080p30", 30, 90, "testsrc2=size=1920x1080:rate=30,"
     "noise=all_seed=1:alls=2:allf=t"),
    ("fractal1080p30", 30, 90, "mandelbrot=size=1920x1080:rate=30:start_scale=0.5:"
     "end_scale=0.3:end_pts=90:maxiter=300:inner=mincol,gblur=sigma=2"),
    ("life1080p30", 30, 90, "life=size=192x108:rate=6:mold=12:ratio=0.12:seed=7:"
     "life_color=#d0e0a0:death_color=#804020:mold_color=#102040,framerate=fps=30:scene=100,"
     "scale=1920x1080:flags=bicubic"),
    ("bars1080p60", 60, 120, "smptehdbars=size=1920x1080:rate=60,rotate=angle=t*0.2:"
     "bilinear=1,noise=all_seed=2:alls=2:allf=t"),
]
ENCODERS = [("libx264", "veryfast"), ("libx264", "medium"), ("libx265", "ultrafast"),
            ("libsvtav1", "10")]
KBPS = [1000, 2000, 4000, 8000]
QUIET = ["-hide_banner", "-nostdin", "-loglevel", "error"]


def output_of(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)


def make_clip(path, graph, frames):
    output_of("ffmpeg", *QUIET, "-y", "-f", "lavfi", "-i", graph, "-frames:v", str(frames),
              "-pix_fmt", "yuv420p", path)


def encode(clip, path, fps, encoder, preset, kbps):
    """(start, wall seconds, CPU seconds user and system, largest RSS in KiB)."""
    buffer = [] if encoder == "libsvtav1" else ["-maxrate", f"{kbps * 3 // 2}k",
                                                "-bufsize", f"{kbps * 2}k"]
    command = ["ffmpeg", *QUIET, "-y", "-i", clip, "-an", "-c:v", encoder, "-preset", preset,
               "-threads", "2", "-b:v", f"{kbps}k", *buffer, "-g", str(2 * fps)]
    if encoder == "libx265":
        command += ["-x265-params", "log-level=error:pools=2"]
    start = time.time()
    begun = time.monotonic()
    process = subprocess.Popen([*command, path], stdin=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return start, wall, used.ru_utime, used.ru_stime, used.ru_maxrss


def frame_sizes(path):
    """Bytes of each packet of the video: without what the container adds."""
    said = output_of("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
                     "packet=size", "-of", "csv=p=0", path).stdout
    return [int(n) for n in re.findall(r"\d+", said)]


def paired(fps):
    """Both clips by the number of the frame: containers round times."""
    same = f"settb=1/{fps},setpts=N"
    return f"{same}[d];[1:v]{same}[r];[d][r]"


def psnr_ssim(path, clip, fps):
    found = []
    for name, pattern in (("psnr", r"average:([\d.]+)"), ("ssim", r"All:([\d.]+)")):
        said = output_of("ffmpeg", "-hide_banner", "-nostdin", "-i", path, "-i", clip,
                         "-lavfi", f"[0:v]{paired(fps)}{name}", "-f", "null", "-").stderr
        found.append(float(re.findall(pattern, said)[-1]))
    return found


def vmaf(ffprobe, path, clip, fps, log):
    """Mean of the frames' VMAF, by the built-in model vmaf_v0.6.1."""
    same = f"settb=1/{fps},setpts=N"
    graph = (f"movie={path},{same}[d];movie={clip},{same}[r];"
             f"[d][r]libvmaf=n_threads=2:log_fmt=json:log_path={log}")
    output_of(ffprobe, "-v", "error", "-f", "lavfi", "-i", graph, "-show_entries",
              "frame=pts", "-of", "csv=p=0")
    with open(log, encoding="utf-8") as f:
        found = json.load(f)
    return found["pooled_metrics"]["vmaf"]["mean"], len(found["frames"])


def scenario(args, name, fps, frames, encoder, preset, kbps):
    clip = os.path.join(args.work, name + ".y4m")
    path = os.path.join(args.work, f"encode-{os.getpid()}.mkv")
    start, wall, user, system, rss = encode(clip, path, fps, encoder, preset, kbps)
    sizes = frame_sizes(path)
    if len(sizes) != frames:
        raise RuntimeError(f"{name}: {len(sizes)} of {frames} frames came out")
    psnr, ssim = psnr_ssim(path, clip, fps)
    said = {
        "name": f"{name} {encoder} {preset} {kbps}k", "source": name, "bitrate": f"{kbps}k",
        "resolution": "1920x1080", "fps": fps, "duration": round(wall, 3),
        "encoder": encoder, "preset": preset, "encoder_type": "cpu",
        "start_time": round(start, 3), "end_time": round(start + wall, 3),
        "cpu_core_seconds": round(user + system, 3), "psnr_score": psnr, "ssim_score": ssim,
        "avg_fps": round(frames / wall, 2), "total_frames": frames,
        "pixels_processed": 1920 * 1080 * frames, "media_seconds": frames / fps,
        "actual_bitrate_kbps": round(sum(sizes) * 8 / (frames / fps) / 1000, 3),
        "measured": {"cpu_seconds_user": round(user, 3), "cpu_seconds_sys": round(system, 3),
                     "max_rss_kib": rss, "stream_bytes": sum(sizes)}}
    if args.vmaf_ffprobe:
        score, compared = vmaf(args.vmaf_ffprobe, path, clip, fps,
                               os.path.join(args.work, "vmaf.json"))
        if compared != frames:
            raise RuntimeError(f"{name}: {compared} of {frames} frames were compared")
        said["vmaf_score"] = round(score, 6)
    print(f"{said['name']}: {said['actual_bitrate_kbps']:.0f} kbit/s, {user + system:.1f} s, "
          f"{psnr:.2f} dB, VMAF {said.get('vmaf_score', '?')}", flush=True)
    return said


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default=os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--work", default="/dev/shm", help="for clips and encodes")
    parser.add_argument("--vmaf-ffprobe", metavar="PATH", help="an ffprobe with libvmaf")
    parser.add_argument("--clip", action="append", choices=[c[0] for c in CLIPS],
                        help="these alone")
    args = parser.parse_args()
    os.nice(19)
    for name, fps, frames, graph in CLIPS:
        if args.clip and name not in args.clip:
            continue
        clip = os.path.join(args.work, name + ".y4m")
        make_clip(clip, graph, frames)
        try:
            scenarios = [scenario(args, name, fps, frames, encoder, preset, kbps)
                         for encoder, preset in ENCODERS for kbps in KBPS]
        finally:
            for left in (clip, os.path.join(args.work, f"encode-{os.getpid()}.mkv")):
                if os.path.exists(left):
                    os.unlink(left)
        begun = datetime.datetime.fromtimestamp(scenarios[0]["start_time"],
                                                datetime.timezone.utc)
        path = os.path.join(args.out, f"test_results_1080p_{name}.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"test_date": begun.replace(tzinfo=None).isoformat(),
                       "scenarios": scenarios}, f, indent=1)
            f.write("\n")


if __name__ == "__main__":
    main()
