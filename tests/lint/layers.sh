#!/bin/sh
# layers.sh - includes point one way, and calls that are not used here stay out.
#
#   core/        includes core/ and the C library; simdjson, <charconv>, expat and
#                xxhash each behind the file that hides it. No libuv, sockets, files, clock or log.
#   modules/x/   includes core/ and modules/x/, under the same rules.
#   server/      includes core/ and server/; only registry.c names modules, predict/,
#                compare/ and live/ their own, and page/ what is compared with what.
set -u
cd "$(dirname "$0")/../.." || exit 2
found=$(mktemp) || exit 2
trap 'rm -f "$found"' EXIT

# report TITLE: lines on stdin are offences. Ends pipelines, so it notes them in a file.
report() {
    offences=$(cat)
    [ -z "$offences" ] || printf '%s:\n%s\n' "$1" "$offences" >>"$found"
}

# sources DIR …: our files below DIR.
sources() {
    find "$@" \( -name '*.c' -o -name '*.h' -o -name '*.cc' \) 2>/dev/null | sort
}

# includes DIR …: "file:line: name" of every include, name with its quotes or brackets.
includes() {
    # shellcheck disable=SC2046
    grep -nE '^[[:space:]]*#[[:space:]]*include' $(sources "$@") /dev/null |
        sed -E 's/^([^:]*:[0-9]+):[[:space:]]*#[[:space:]]*include[[:space:]]*/\1: /; s/([">])[^">]*$/\1/'
}

# A part of the C library without files, sockets, clock, signals or threads.
libc='assert|ctype|errno|float|inttypes|limits|locale|math|stdalign|stdarg|stdatomic|stdbool'
libc="$libc|stddef|stdint|stdio|stdlib|string|strings"

{
    includes core | grep -vE ': "core/[a-z0-9_]+\.h"$' |
        grep -vE ": <($libc)\.h>\$" |
        grep -vE '^core/json\.cc:[0-9]+: <(simdjson\.h|c[a-z]+|new|string_view|limits|memory|utility)>$' |
        grep -vE '^core/decimal\.cc:[0-9]+: <(charconv|c[a-z]+|system_error|limits)>$' |
        grep -vE '^core/vmaf_xml\.c:[0-9]+: <expat\.h>$' |
        grep -vE '^core/[a-z_]+\.c:[0-9]+: <xxhash\.h>$' |
        # The one line that says that memory ran out goes straight to descriptor 2.
        grep -vE '^core/mem\.c:[0-9]+: <unistd\.h>$'
} | report 'core/ includes what it must not know'

for dir in modules/*/; do
    name=$(basename "$dir")
    includes "modules/$name" | grep -vE ": \"(core|modules/$name)/[a-z0-9_]+\\.h\"\$" |
        grep -vE ": <($libc)\.h>\$"
done | report 'modules/ include what they must not know'

includes server tests/fuzz | grep -E ': "modules/' | grep -v '^server/registry\.c:' |
    grep -vE '^server/(predict|compare|live)/[a-z_]+\.[ch]:[0-9]+: "modules/\1/' |
    grep -vE '^server/page/[a-z_]+\.c:[0-9]+: "modules/compare/compare_set\.h"$' |
    grep -v '^tests/fuzz/' | report 'only server/registry.c names modules'
includes server | grep -E ': "server/predict/' |
    grep -vE '^server/predict/|: "server/predict/(forecast|predict_config|prompt|prompt_config)\.h"$' |
    report 'server/predict/ is a library of its own, with forecast.h and prompt.h for the program'
includes server | grep -E ': "server/compare/' |
    grep -vE '^server/compare/|: "server/compare/(comparison|compare_config)\.h"$' |
    report 'server/compare/ is a library of its own, with comparison.h for the program'

includes server | grep -E ': "server/live/' |
    grep -vE '^server/live/|: "server/live/(live|live_config)\.h"$' |
    report 'server/live/ is a library of its own, with live.h for the program'

includes server | grep -E ': "server/page/' |
    grep -vE '^server/page/|: "server/page/page\.h"$' |
    report 'server/page/ is a library of its own, with page.h for the program'

includes server | grep -E ': "server/compute/' |
    grep -vE '^server/compute/|: "server/compute/(computation|compute_config)\.h"$' |
    report 'server/compute/ is a library of its own, with computation.h for the program'

includes core server | grep -E ': <llhttp\.h>$' | grep -vE '^server/(http/|main\.c)' |
    report 'llhttp is known in server/http/ alone'
includes core server | grep -E ': <openssl/' | grep -v '^server/tls/' |
    report 'OpenSSL is known in server/tls/ alone'
includes core server | grep -E ': <(yaml|crypt)\.h>$' | grep -v '^server/toolbox/' |
    report 'libyaml and libcrypt are known in server/toolbox/ alone'
includes server/toolbox | grep -E ': "' | grep -vE ': "(core/(err|view)|server/toolbox/[a-z]+|server/web/toolbox)\.h"$' |
    report 'server/toolbox/ knows libyaml and libcrypt, and of the rest no more than what is asked of it'
includes core server | grep -E ': <curl/' | grep -v '^server/curl/' |
    report 'libcurl is known in server/curl/ alone'
includes server/curl | grep -E ': "' | grep -vE ': "(core/(err|mem|view)|server/curl/[a-z]+|server/fetch/fetch_client)\.h"$' |
    report 'server/curl/ knows libcurl, and of the rest no more than what is asked of it'
includes server/tls | grep -E ': "' | grep -vE ': "(core/(err|mem|view)|server/tls/[a-z]+|server/web/(transport|tls_settings))\.h"$' |
    report 'server/tls/ is a library of its own and includes no more of the program than it links'
includes core server | grep -E ': <(inotifytools|sys)/inotify\.h>$' |
    grep -vE '^server/(sources|live)/' |
    report 'inotify is known in server/sources/ and server/live/ alone'

# Every .c file includes its own header first: so each header is known to stand alone.
for file in $(sources core modules server | grep -E '\.c$'); do
    header=$(printf '%s' "$file" | sed -E 's/\.c$/.h/')
    [ -f "$header" ] || continue
    first=$(grep -m 1 -E '^#include' "$file")
    [ "$first" = "#include \"$header\"" ] || printf '%s: begins with %s\n' "$file" "$first"
done | report 'the own header is not the first include'

# calls PATTERN FILE …: lines that call one of these, outside comments and strings.
calls() {
    pattern="(^|[^A-Za-z0-9_.>])($1)[[:space:]]*\\("
    shift
    grep -nE "$pattern" "$@" /dev/null |
        sed -E 's/"([^"\\]|\\.)*"/""/g; s,/\*[^*]*\*/,,g; s,/\*.*,,; s,//.*,,; s,:[[:space:]]*\*.*,,' |
        grep -E ":.*$pattern"
}

# shellcheck disable=SC2046
calls 'fopen|freopen|fdopen|open|openat|creat|read|pread|socket|time|clock|clock_gettime|gettimeofday|getenv|setenv|printf|puts|putchar|perror|syslog|signal|sigaction|sleep|usleep|nanosleep|pthread_[a-z_]+|uv_[a-z_]+|log_line' \
    $(sources core modules) |
    report 'core/ and modules/ do no I/O, ask no clock and log nothing'

# shellcheck disable=SC2046
calls 'fprintf|fputs|fwrite|write' $(sources core modules) | grep -v '^core/mem\.c:' |
    report 'core/ and modules/ write nowhere'

# shellcheck disable=SC2046
calls 'strcpy|stpcpy|strcat|strncpy|strncat|sprintf|vsprintf|strtok|strtok_r|atoi|atol|atoll|atof|sscanf|localtime|localtime_r|gmtime|ctime|asctime|gets|alloca|setjmp|tmpnam|mktemp|system|popen|rand|srand' \
    $(sources core modules server tests/fuzz) | report 'calls that are not used here'

# Heap memory comes from core/mem.h, where it cannot fail.
# shellcheck disable=SC2046
calls 'malloc|calloc|realloc|reallocarray|strdup|strndup|asprintf|vasprintf' \
    $(sources core modules server) | grep -v '^core/mem\.c:' |
    report 'memory that does not come from core/mem.h'

# shellcheck disable=SC2046
grep -nE '^[[:space:]]*typedef[[:space:]]+struct' $(sources core modules server) /dev/null |
    report 'structs have no typedef here'

for file in $(sources core modules server); do
    lines=$(wc -l <"$file")
    [ "$lines" -le 600 ] || printf '%s: %s lines\n' "$file" "$lines"
done | report 'files with more than 600 lines hold a second noun'

cat "$found"
[ ! -s "$found" ]
