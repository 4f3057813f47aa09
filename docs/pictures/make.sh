#!/bin/sh
# make.sh - the pictures of README.md and docs/page.md: the page at /, light and dark, as
# take.py says. By hand, when the page changes: docs/pictures/make.sh, after ./dev build.
# Needs a Chromium, ffmpeg, pngquant and optipng, and the three ports.
set -eu
cd "$(dirname "$0")/../.."

program=${ENCODE_EXPORTER_RELEASE:-build/release/encode_exporter}
for needed in ffmpeg pngquant optipng "$program"; do
    command -v "$needed" >/dev/null || {
        echo "make.sh: $needed is not there" >&2
        exit 1
    }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

python3 -B docs/pictures/take.py "$program" "$work"
for picture in "$work"/*.png; do
    pngquant --force --output "$work/small" 128 "$picture"
    optipng -quiet -o5 "$work/small"
    cp "$work/small" "docs/pictures/$(basename "$picture")"
done
ls -l docs/pictures/*.png
