#!/bin/sh
# headers.sh - each header compiles alone.
set -u
cd "$(dirname "$0")/../.." || exit 2
compiler=${CC:-cc}
bad=0

for header in $(find core modules server tests/unit -name '*.h' | sort); do
    "$compiler" -std=c17 -D_GNU_SOURCE -I. -I/usr/share/include/llhttp -Wall -Wextra -Werror \
        -Wno-pragma-once-outside-header -fsyntax-only -x c "$header" || bad=1
done
exit "$bad"
