#!/bin/sh
# encode.sh FFMPEG-ARGUMENTS … - one encode, told to the exporter beside it.
#
# $SCENARIO holds what is encoded, as members of a JSON object (docs/inputs.md); when it ran
# and where is added here. The file is there from the start, so the exporter follows the
# encode, and again at the end, also when that comes by a signal. A file of results appears
# whole: written under another name, then renamed.
set -eu

# Unix time, with a fraction where date can tell it.
now() {
    time=$(date +%s.%N)
    case $time in
    *. | *[!0-9.]*) date +%s ;;
    *) echo "$time" ;;
    esac
}

run=test_results_$(date -u +%Y%m%d_%H%M%S)
where="\"pod\": \"$POD_NAME\", \"namespace\": \"$POD_NAMESPACE\", \"node\": \"$NODE_NAME\""
start=$(now)

tell() {
    printf '{"scenarios": [{%s, "start_time": %s, %s"params": {%s}}]}\n' \
        "$SCENARIO" "$start" "$1" "$where" >"$RESULTS_DIR/.$run.new"
    mv "$RESULTS_DIR/.$run.new" "$RESULTS_DIR/$run.json"
}

tell ''
ffmpeg -nostdin -hide_banner -loglevel warning "$@" &
encoder=$!
# ffmpeg ends its file in good order then.
trap 'kill -TERM "$encoder" 2>/dev/null || :' TERM INT
status=0
wait "$encoder" || status=$?
# A signal ends the wait, not the encoder.
while kill -0 "$encoder" 2>/dev/null; do
    status=0
    wait "$encoder" || status=$?
done
tell "\"end_time\": $(now), "
exit "$status"
