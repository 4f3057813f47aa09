"""Writes the progress of many encodes, two blocks a second each: DIRECTORY COUNT SECONDS."""

import json
import os
import sys
import time

BLOCK = ("frame={n}\nfps=25.00\nstream_0_0_q=21.0\nbitrate= 812.4kbits/s\n"
         "total_size={size}\nout_time_us={us}\nout_time_ms={us}\nout_time=00:00:{s:09.6f}\n"
         "dup_frames=0\ndrop_frames=0\nspeed=   1x\nprogress=continue\n")
BEAT_S = 0.5


def block(n):
    us = n * 40000
    return BLOCK.format(n=n, size=n * 4000, us=us, s=us / 1e6 % 60).encode()


def write_blocks(directory, count, seconds):
    """What the writer does; what it could not keep up with is told on stdout."""
    files = [os.open(os.path.join(directory, f"encode_{i:04d}.progress"),
                     os.O_WRONLY | os.O_CREAT | os.O_TRUNC) for i in range(count)]
    begun, written = time.monotonic(), 0
    total = int(seconds / BEAT_S) * count
    late = 0.0
    while written < total:
        due = begun + written / count * BEAT_S
        now = time.monotonic()
        if now < due:
            time.sleep(due - now)
        late = max(late, now - due)
        os.write(files[written % count], block(12 * (written // count + 1)))
        written += 1
    print(json.dumps({"blocks": written, "late_s": late}), flush=True)


if __name__ == "__main__":
    write_blocks(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
