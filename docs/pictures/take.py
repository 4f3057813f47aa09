#!/usr/bin/env python3
"""Takes the pictures of make.sh: take.py PROGRAM DIRECTORY writes them there as PNG.

The page shows deploy/examples, two encodes that run meanwhile, and the scores by frame of
one that libvmaf has looked at (tests/data/formats). The three ports must be free: they are
in the pictures.
"""

import contextlib
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
import browser    # noqa: E402  pylint: disable=wrong-import-position

PAGE = "http://127.0.0.1:9502/"
WATCHED = "sintel360_libsvtav1_8_1000k"
SIZE = (1240, 4000)    # all of the page, nothing has to be scrolled
ENCODES = (
    # Name, length in seconds, what is seen, how it is encoded.
    ("pattern 720p libx264", 90, "testsrc2=size=1280x720:rate=30", ("libx264", "veryfast")),
    ("zoom 480p libx264", 60, "mandelbrot=size=854x480:rate=30", ("libx264", "medium")))


@contextlib.contextmanager
def running(*command):
    """A command, until the block ends."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def wait_for(condition, what, limit=60):
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"take.py: {what}: not within {limit} s")
        time.sleep(0.1)


def served(port, text):
    """Whether /metrics of a port holds this."""
    with contextlib.suppress(OSError), urllib.request.urlopen(
            f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return text in answer.read().decode()
    return False


def results(directory):
    for path in glob.glob(os.path.join(ROOT, "deploy", "examples", "test_results_*.json")):
        shutil.copy(path, directory)
    for path in glob.glob(os.path.join(ROOT, "tests", "data", "formats", "pooling",
                                       WATCHED + ".*")):
        shutil.copy(path, directory)


def exporter(program, directory):
    return running(program, "--results-dir", directory, "--runs", "all", "--newest", "name",
                   "--power", "auto", "--power.model", "100,10", *(
                       f"--{name}.listen-address=127.0.0.1:{port}" for name, port in
                       (("results", 9502), ("qoe", 9503), ("cost", 9504))))


def encode(name, seconds, source, how):
    """A real one at the speed of its video, which tells its progress to the exporter."""
    return running(
        "ffmpeg", "-loglevel", "error", "-nostdin", "-re", "-f", "lavfi", "-i", source,
        "-t", str(seconds), "-c:v", how[0], "-preset", how[1], "-b:v", "1500k", "-progress",
        f"{PAGE}progress/{urllib.request.quote(name)}?duration={seconds}",
        "-f", "mpegts", "-y", os.devnull)


def box(page, first, last):
    """From the top of one element to the bottom of another, over the whole width."""
    return page.js(f"""(() => {{
        const top = {first}.getBoundingClientRect().top + scrollY;
        const bottom = {last}.getBoundingClientRect().bottom + scrollY;
        return [0, Math.max(0, top - 16), innerWidth, bottom - top + 32];
    }})()""")


def take(page, directory, name, clip):
    page.screenshot(os.path.join(directory, name + ".png"), clip=clip)


def at(selector):
    return f"document.querySelector({json.dumps(selector)})"


def heading(text):
    """The section whose title begins so."""
    return f"[...document.querySelectorAll('section')].find(s => s.querySelector('h2')" \
           f"?.textContent.startsWith({json.dumps(text)}))"


def ready(page):
    page.open(PAGE)
    page.wait("document.body.hasAttribute('data-whole')")
    page.wait(f"Number({at('#encodes')}.dataset.running) === {len(ENCODES)}")
    page.wait(f"{at('#plot-bitrate')}.dataset.points > 0")
    page.click(f"#encodes [data-name='{WATCHED}'] button[data-frames]")
    page.wait(f"{at('#frames')}.dataset.state === 'ready'")
    page.js("document.querySelector('#scenarios').parentElement.style.maxHeight = '26rem'")
    page.js("scrollTo(0, 0); document.activeElement.blur()")
    time.sleep(2)    # what moves has come to rest


def take_all(b, directory):
    for dark, suffix in ((False, ""), (True, "-dark")):
        with b.page(size=SIZE, dark=dark) as page:
            ready(page)
            take(page, directory, "overview" + suffix, box(page, at("header"), at("#plots")))
            take(page, directory, "frames" + suffix, box(page, at("#frames"), at("#frames")))
            section = heading("Predictions")
            take(page, directory, "predictions" + suffix, box(page, section, section))
    with b.page(size=(390, 1300), phone=True, scale=2) as page:
        ready(page)
        take(page, directory, "phone", [0, 0, 390, 1300])


def main(program, target):
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        results(directory)
        stack.enter_context(exporter(program, directory))
        wait_for(lambda: served(9503, f'qoe_frames{{scenario="{WATCHED}"'), "the exporter")
        # Predictions come last.
        wait_for(lambda: served(9503, "qoe_predicted_vmaf{"), "predictions")
        for one in ENCODES:
            stack.enter_context(encode(*one))
        with browser.Browser() as b:
            time.sleep(20)    # so that they have got somewhere
            take_all(b, target)


if __name__ == "__main__":
    main(*sys.argv[1:])
