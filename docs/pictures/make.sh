#!/bin/sh
# make.sh - the pictures of README.md: the page at /, as it shows deploy/examples, light and
# dark. By hand, when the page changes: docs/pictures/make.sh, after ./dev build. Needs
# chromium, pngquant and optipng, and the three ports.
set -eu
cd "$(dirname "$0")/../.."

program=${ENCODE_EXPORTER_RELEASE:-build/release/encode_exporter}
for needed in chromium pngquant optipng "$program"; do
    command -v "$needed" >/dev/null || {
        echo "make.sh: $needed is not there" >&2
        exit 1
    }
done

work=$(mktemp -d)
exporter=
trap '[ -z "$exporter" ] || kill "$exporter" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

"$program" --results-dir deploy/examples --newest name --power off \
    --results.listen-address 127.0.0.1:9502 --qoe.listen-address 127.0.0.1:9503 \
    --cost.listen-address 127.0.0.1:9504 2>"$work/log" &
exporter=$!

# Predictions come last.
tries=0
until curl -fs http://127.0.0.1:9503/metrics 2>/dev/null | grep -q '^qoe_predicted_vmaf{'; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ] || ! kill -0 "$exporter" 2>/dev/null; then
        cat "$work/log" >&2
        exit 1
    fi
    sleep 0.1
done
curl -fs http://127.0.0.1:9502/ | sed 's|"/page.css"|"style.css"|; s|<script[^>]*></script>||' >"$work/page.html"
curl -fs http://127.0.0.1:9502/page.css >"$work/style.css"

# part FILE HEADING: the page without the sections that do not begin with that.
part() {
    awk -v wanted="$2" '
        /^<h2>/ { left_out = $0 !~ wanted }
        /^<\/main>/ { left_out = 0 }
        !left_out
    ' "$work/page.html" >"$work/$1.html"
}

# shot PART NAME SIZE [FLAG …]
shot() {
    url=file://$work/$1.html
    name=$2
    size=$3
    shift 3
    chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync \
        --hide-scrollbars --user-data-dir="$work/profile-$name" --window-size="$size" \
        --screenshot="$work/$name.png" "$@" "$url" >"$work/chromium.log" 2>&1 || {
        cat "$work/chromium.log" >&2
        exit 1
    }
    pngquant --force --output "$work/$name.small.png" 128 "$work/$name.png"
    optipng -quiet -o5 "$work/$name.small.png"
    cp "$work/$name.small.png" "docs/pictures/$name.png"
}

dark=--blink-settings=preferredColorScheme=0
part overview 'What is served|Newest run|Scenarios'
part predictions 'Predictions'
shot overview overview 1000,820
shot overview overview-dark 1000,820 "$dark"
shot predictions predictions 1000,625
shot predictions predictions-dark 1000,625 "$dark"
ls -l docs/pictures/*.png
