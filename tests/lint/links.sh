#!/bin/sh
# links.sh - anchors and pictures of the documentation are there, and README leads to every
# page. That linked files are there is seen to by docs.sh.
set -eu
cd "$(dirname "$0")/../.."

# Not what is built or comes from elsewhere.
pages() {
    find . \( -name build -o -name .git -o -name node_modules -o -name keep \) -prune -o \
        -name '*.md' -print | sed 's|^\./||' | sort
}

bad=$(mktemp)
trap 'rm -f "$bad"' EXIT

# anchors PAGE: those of its headings, as GitHub and most others make them.
anchors() {
    awk '
        /^```/ { code = !code }
        !code && /^#+ / {
            text = $0
            sub(/^#+ +/, "", text)
            while (match(text, /\]\([^)]*\)/)) # of a link its text counts
                text = substr(text, 1, RSTART - 1) substr(text, RSTART + RLENGTH)
            text = tolower(text)
            gsub(/[^a-z0-9_ \200-\377-]/, "", text)
            gsub(/ /, "-", text)
            print seen[text]++ ? text "-" seen[text] - 1 : text
        }
    ' "$1"
}

# links PAGE: what its links lead to, one a line; code is left out.
links() {
    awk '
        /^ *```/ { code = !code; next }
        !code { gsub(/`[^`]*`/, ""); print }
    ' "$1" | grep -oE '\]\([^) ]+\)|(src|srcset|href)="[^"]+"' |
        sed -E 's/^\]\((.*)\)$/\1/; s/^[a-z]+="(.*)"$/\1/' | grep -vE '^[a-z]+:' || true
}

for page in $(pages); do
    for link in $(links "$page"); do
        path=${link%%#*}
        target=$page
        [ -z "$path" ] || target=$(dirname "$page")/$path
        if [ ! -e "$target" ]; then
            echo "$page: $link is not there" >>"$bad"
            continue
        fi
        case $link in
        *.md'#'* | '#'*)
            anchors "$target" | grep -qxF -- "${link#*#}" ||
                echo "$page: $link leads to no heading" >>"$bad"
            ;;
        esac
    done
done

for page in docs/*.md deploy/*/*.md; do
    [ -f "$page" ] || continue
    grep -qF "]($page" README.md || grep -qF "](../$page" docs/*.md ||
        echo "README.md does not lead to $page" >>"$bad"
done

cat "$bad" >&2
[ ! -s "$bad" ]
