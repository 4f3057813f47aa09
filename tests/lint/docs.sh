#!/bin/sh
# Every file that the documentation names within the tree is there, and every link leads
# somewhere: a table of tests is worth nothing if one of them went away.
# shellcheck disable=SC2016 # the backticks are those of Markdown
set -eu

bad=0

report() {
    echo "$1: $2 is not there" >&2
    bad=1
}

for page in README.md SECURITY.md CHANGELOG.md docs/*.md deploy/*.md deploy/*/*.md tests/*/README.md; do
    [ -f "$page" ] || continue
    here=$(dirname "$page")
    # `tests/…`, `docs/…`, `server/…`, `core/…`, `modules/…`, `deploy/…` without a pattern
    for path in $(grep -oE '`(tests|docs|server|core|modules|deploy)/[A-Za-z0-9_./-]+`' "$page" |
        tr -d '`' | sort -u); do
        case $path in
        *foo* | *NAME* | modules/x/) ;; # an example
        *) [ -e "$path" ] || [ -e "$path.h" ] || report "$page" "$path" ;;
        esac
    done
    # `test_x.c` and `test_x.py` behind a comma, as tables list them
    for name in $(grep -oE '`test_[a-z0-9_]+\.(c|py)`' "$page" | tr -d '`' | sort -u); do
        [ -e "tests/unit/$name" ] || [ -e "tests/e2e/$name" ] || report "$page" "$name"
    done
    # shellcheck disable=SC2013 # links have no blanks
    for link in $(grep -oE '\]\([^)#: ]+(#[^) ]*)?\)' "$page" | sed 's/^](//; s/[)#].*//' | sort -u); do
        [ -e "$here/$link" ] || report "$page" "link $link"
    done
done
exit $bad
