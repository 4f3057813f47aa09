#!/bin/sh
# text.sh - no file that belongs to the tree names a place of one machine, or leaves work
# for later in a comment.
set -u
cd "$(dirname "$0")/../.." || exit 2
bad=0

# All files that are or would be committed; without git all but what a build makes.
files() {
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files --cached --others --exclude-standard
    else
        find . -name .git -prune -o -name build -prune -o -name __pycache__ -prune -o -type f -print | sed 's|^\./||'
    fi | grep -vE '^(LICENSE|tests/lint/text\.sh)$|^tests/fuzz/corpus/' | sort
}

# The patterns are in pieces, so that a search of the tree does not find this file.
later="TO""DO|FIX""ME|X""XX|not impl""emented"
places="/wor""k/|/ro""ot/|/far""m/|/home/[a-z]+/|/tmp/b""/"

files | tr '\n' '\0' | xargs -0 grep -nIE "(^|[^A-Za-z_])($later)([^A-Za-z_]|\$)" /dev/null && bad=1
files | tr '\n' '\0' | xargs -0 grep -nIE "$places" /dev/null && bad=1

# No blanks at the ends of lines, no tabs in what we format ourselves.
tab=$(printf '\t')
files | grep -E '\.(c|h|cc|py|sh|yml)$|^dev$|CMakeLists\.txt$' | tr '\n' '\0' |
    xargs -0 grep -nIE "[[:space:]]+\$|$tab" /dev/null && bad=1

[ "$bad" = 0 ] || echo 'text.sh: the lines above: places of one machine, work left for later, or stray blanks'
exit "$bad"
