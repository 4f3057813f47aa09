#!/bin/sh
# build.sh [docker|podman|buildah [OPTION …]] - builds the image of this tree.
#
# TARGET=encoder makes the one with ffmpeg that records. They are named
# encode-exporter:latest and encode-ffmpeg:latest, or as IMAGE says. Version, revision and
# time are those of the tree, so that the same tree makes the same image; SOURCE_DATE_EPOCH
# wins. Options go to the tool's build command: --build-arg BASE=… for another base image.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
tool=${1:-docker}
[ $# -eq 0 ] || shift

target=${TARGET:-exporter}
case $target in
exporter) name=encode-exporter ;;
encoder) name=encode-ffmpeg ;;
*)
    echo "build.sh: TARGET is exporter or encoder, not $target" >&2
    exit 2
    ;;
esac

version=$(sed -n 's/^project(encode_exporter VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
revision=$(git -C "$root" rev-parse --short=12 HEAD 2>/dev/null) || revision=unknown
# A tree without git is as old as its build file.
epoch=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null ||
    stat -c %Y "$root/CMakeLists.txt")}
created=$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)

case $tool in
# HEALTHCHECK is no part of the OCI format, which these two have as their default.
podman | buildah) set -- build --format docker --identity-label=false --timestamp "$epoch" "$@" ;;
docker) set -- build --build-arg "SOURCE_DATE_EPOCH=$epoch" "$@" ;;
*)
    echo "build.sh: docker, podman or buildah, not $tool" >&2
    exit 2
    ;;
esac
exec "$tool" "$@" --build-arg "VERSION=$version" --build-arg "REVISION=$revision" \
    --build-arg "CREATED=$created" --target "$target" --tag "${IMAGE:-$name:latest}" \
    --file "$root/deploy/docker/Dockerfile" "$root"
