#!/bin/sh
# compare.sh - what another exporter serves and this one does not, series by series.
#
# Made for the days on which encode_exporter runs beside the exporters that it replaces.
# Needs sh, awk and, for URLs, curl.
set -eu
export LC_ALL=C # bytes are compared; some awks are slow at characters

usage() {
    cat <<'END'
compare.sh [-v] [--tolerance R] OLD NEW

Compares two expositions in the text format series by series, and tells of each
difference whether it is intended. OLD and NEW are files or URLs (http://HOST:PORT is
taken for its /metrics; passwords come from ~/.netrc).

  compare.sh http://localhost:9504 http://localhost:9514

  --tolerance R  values that differ by no more than R of the larger are equal: 1e-6; what
                 OLD rounded away is never a difference
  -v, --verbose  every intended difference, too, not only how many there are of a kind

A series of NEW is that of OLD if it has the same name and the same labels: in any order,
without those that OLD's exporter did not know, with blanks for the _ it wrote for them.

exit status: 0 all differences are intended, 1 some are not, 2 wrong use or nothing read
END
}

die() {
    printf 'compare.sh: %s\n' "$*" >&2
    exit 2
}

tolerance=1e-6
verbose=0
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help)
        usage
        exit 0
        ;;
    -v | --verbose) verbose=1 ;;
    --tolerance)
        [ $# -gt 1 ] || die "--tolerance needs a number"
        tolerance=$2
        shift
        ;;
    --tolerance=*) tolerance=${1#*=} ;;
    --)
        shift
        break
        ;;
    -*) die "unknown option $1; compare.sh --help tells more" ;;
    *) break ;;
    esac
    shift
done
[ $# -eq 2 ] || die "two expositions are compared: compare.sh [-v] [--tolerance R] OLD NEW"
printf '%s\n' "$tolerance" | grep -Eq '^[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?$' ||
    die "--tolerance $tolerance is not a number"

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM

# take FROM TO: an exposition, with samples in it.
take() {
    case $1 in
    http://* | https://*)
        url=$1
        case ${url#*://} in
        */*) ;;
        *) url=$url/metrics ;;
        esac
        curl -fsSL --netrc-optional --max-time 60 -H 'Accept: text/plain' -o "$2" "$url" ||
            die "$1 cannot be read"
        ;;
    *) cat -- "$1" >"$2" || die "$1 cannot be read" ;;
    esac
    grep -q '^[a-zA-Z_:]' "$2" || die "$1 holds no series"
}
take "$1" "$work/old"
take "$2" "$work/new"

cat >"$work/compare.awk" <<'AWK'
# Label sets are kept sorted: name EQ value SEP name EQ value …

# ---- what is intended: the first rule that fits tells why -----------------------------
function rules() {
    scenario = "^(cost|co2|qoe|results_scenario)_"

    rule("different", "^(process|encode_exporter|go|python|promhttp)_", "",
         "tells of the process itself")
    rule("different", "_timestamp(_seconds)?$|_mtime_seconds$", "", "is a time")
    rule("different", "^(cost_|co2_|results_scenario_(.*power|.*energy|container_cpu|net_|delta_|estimated_|prediction_))",
         "zero", "0 stood for what was not known, or for a price that was not set")
    rule("different", "^cost_", "sek", "10.50 SEK for a dollar, was 10.35 (exchange_rates in the pricing file)")
    rule("different", "^results_scenario_duration_seconds$", "python",
         "the file's duration, where it has one, goes before end - start")
    rule("different", "^results_scenario_(total_pixels|efficiency_score)$", "python",
         "pixels as the file counts them, else of its length of content")
    rule("different", "^results_scenario_((mean|measured)_power|power_stdev|total_energy|energy_|container_cpu|net_|delta_|power_pct)",
         "python", "the file's own samples go first; a database is asked for whole packages, without the zones inside them")
    rule("different", "^results_scenario_estimated_docker_overhead_watts$", "",
         "percent of all cores of the host, was of one")
    rule("different", "^results_scenario_predict", "",
         "of a model with 95 % prediction intervals; the bounds were the measurement's mean and two deviations")
    rule("different", "predict|^recommended_bitrate", "", "of another model")
    rule("different", "^qoe_efficiency_score$", "",
         "energy by the trapezoid rule and at the file's own step, was 5 s for each sample")
    rule("different", "^qoe_ssim_score$", "above1", "an SSIM above 1 is in dB and becomes 0 to 1")
    rule("different", "^cost_per_pixel$", "python", "pixels as the file counts them")
    rule("different", "^cost_per_watch_hour$", "", "of content and viewers, was of the time that the encode took")

    rule("missing", "^results_scenario_prediction_confidence_|predict|^recommended_bitrate", "",
         "only where the runs teach enough to predict it")
    rule("missing", scenario, "twice", "OLD wrote the same line twice")
    rule("missing", scenario, "zero", "0 stood for what is not known, which is absent")
    rule("missing", "_(vmaf|psnr|ssim)_score$", "baseline", "a baseline has no quality")
    rule("missing", "^results_scenario_efficiency_score$", "python",
         "without pixels: results_scenario_throughput_mbps_per_watt")

    rule("new", "", "family", "a family that OLD did not have")
    rule("new", "", "repeat", "one more scenario of the same labels; OLD left it out or wrote a series twice")
    rule("new", "", "currency", "in one more currency")
    rule("new", scenario, "unknown", "of a scenario for which OLD had no such series")

    rule("type", "^results_scenario_(dropped|total)_frames$", "",
         "a figure of one encode, no counter")

    label("scenario", "blanks and quotation marks as in the file; OLD wrote _ and nothing")
    label("encoder", "the encoder; OLD wrote its type")
    label("encoder_type", "gpu also where the encoder says so")
    label("streams", "the streams of the file go before those in the name")
    label("fps", "30, not 30.0")
    label("version", "another program")
    label("language", "another program")
    label("region", "of this exporter, or of the scenario")
    known = " scenario bitrate resolution fps streams output_ladder encoder encoder_type preset region run_id repeat currency service version language "
}

function rule(kind, families, test, reason) {
    rules_of[kind]++
    rule_families[kind, rules_of[kind]] = families
    rule_test[kind, rules_of[kind]] = test
    rule_reason[kind, rules_of[kind]] = reason
}

function label(name, reason) { label_reason[name] = reason }

# o, n: indices of the old and the new series, 0 for none.
function holds(test, o, n,    was, is) {
    was = value["o", o] + 0
    is = value["n", n] + 0
    if (test == "")
        return 1
    if (test == "zero")
        return o && was == 0
    if (test == "above1")
        return was > 1
    if (test == "python")
        return dialect == "python"
    if (test == "sek")
        return get(labels["n", n], "currency") == "SEK" && equal(value["o", o], is * 10.35 / 10.5)
    if (test == "twice")
        return seen[name["o", o], labels["o", o], value["o", o]] > 1
    if (test == "baseline")
        return tolower(get(labels["o", o], "scenario")) ~ /baseline|idle/
    if (test == "family")
        return !(name["n", n] in old_labels)
    if (test == "repeat")
        return get(labels["n", n], "repeat") != ""
    if (test == "currency")
        return get(labels["n", n], "currency") != "" &&
               !((name["n", n], get(labels["n", n], "currency")) in old_currency)
    if (test == "unknown")
        return !((name["n", n], plain("scenario", get(labels["n", n], "scenario"))) in old_scenario)
    return 0
}

function why(kind, family, o, n,    i) {
    for (i = 1; i <= rules_of[kind]; i++)
        if (family ~ rule_families[kind, i] && holds(rule_test[kind, i], o, n))
            return rule_reason[kind, i]
    return ""
}

# What somebody may try who did not expect it.
function hint(kind, family, o,    currency) {
    currency = get(labels["o", o], "currency")
    if (kind == "missing" && currency != "" && !((family, currency) in new_currency))
        return "  [--currency LIST, with " currency " in it, serves it]"
    if (kind == "missing")
        return "  [do both read the same file? --results-dir, --newest]"
    if (kind == "different" && family ~ /^(cost|co2)_/)
        return "  [the same prices? --energy-cost, --cpu-cost, --region, --pricing-config]"
    return ""
}

# ---- reading --------------------------------------------------------------------------
function get(set, wanted,    at, rest) {
    at = index(SEP set, SEP wanted EQ)
    if (!at)
        return ""
    rest = substr(set, at + length(wanted) + 1)
    at = index(rest, SEP)
    return at ? substr(rest, 1, at - 1) : rest
}

# The value at the beginning of text ends before an unescaped quotation mark.
function end_of_value(text,    at, rest) {
    at = 1
    while (match(rest = substr(text, at), /["\\]/)) {
        if (substr(rest, RSTART, 1) == "\"")
            return at + RSTART - 1
        at += RSTART + 1
    }
    return 0
}

# Reads name="value",… to the closing brace; leaves what follows it in after.
function read_labels(text,    count, i, key, end, pair, pairs, set) {
    count = 0
    after = text
    while (match(after, /^[ ,]*[a-zA-Z_][a-zA-Z0-9_]*="/)) {
        key = substr(after, 1, RLENGTH - 2)
        sub(/^[ ,]+/, "", key)
        after = substr(after, RLENGTH + 1)
        if (!(end = end_of_value(after)))
            break
        pair = key EQ substr(after, 1, end - 1)
        after = substr(after, end + 1)
        if (substr(pair, length(pair)) == EQ)
            continue # empty is absent
        for (i = count++; i > 0 && pairs[i] > pair; i--)
            pairs[i + 1] = pairs[i]
        pairs[i + 1] = pair
    }
    sub(/^[ ,]*[}]/, "", after)
    set = count ? pairs[1] : ""
    for (i = 2; i <= count; i++)
        set = set SEP pairs[i]
    return set
}

# The text of a label as far as both sides agree on it.
function plain(key, text) {
    if (key == "scenario") {
        gsub(/\\"/, "", text)
        gsub(/ /, "_", text)
    } else if (key == "fps" && text ~ /^[0-9]+\.0+$/)
        sub(/\.0+$/, "", text)
    if (text == "N/A" || text == "None")
        return ""
    return text
}

function note_family(i, set,    count, j, at, pairs, key, text) {
    old_labels[name["o", i]] = old_labels[name["o", i]] "" # without labels, too
    count = split(set, pairs, SEP)
    for (j = 1; j <= count; j++) {
        at = index(pairs[j], EQ)
        key = substr(pairs[j], 1, at - 1)
        text = substr(pairs[j], at + 1)
        if (index(old_labels[name["o", i]], " " key " ") == 0)
            old_labels[name["o", i]] = old_labels[name["o", i]] " " key " "
        if (key == "scenario")
            old_scenario[name["o", i], plain(key, text)] = 1
        else if (key == "currency")
            old_currency[name["o", i], text] = 1
        else if (key == "language" && dialect == "")
            dialect = text
    }
    seen[name["o", i], set, value["o", i]]++
}

function read_sample(side, line,    i, at, words) {
    i = ++total[side]
    if (!match(line, /^[a-zA-Z_:][a-zA-Z0-9_:]*/)) {
        total[side]--
        return
    }
    name[side, i] = substr(line, 1, RLENGTH)
    after = substr(line, RLENGTH + 1)
    labels[side, i] = after ~ /^[ ]*[{]/ ? read_labels(substr(after, index(after, "{") + 1)) : ""
    split(after, words, " ")
    value[side, i] = words[1]
    if (side == "o")
        note_family(i, labels[side, i])
    else if ((at = get(labels[side, i], "currency")) != "")
        new_currency[name[side, i], at] = 1
}

# ---- pairs ----------------------------------------------------------------------------
# 0: all labels. 1: those that OLD has in this family, as plain texts. 2: without what the
# two tell apart by other rules.
function key_of(side, i, step,    count, j, at, pairs, key, text, out) {
    if (step == 0)
        return name[side, i] SEP labels[side, i]
    out = name[side, i]
    count = split(labels[side, i], pairs, SEP)
    for (j = 1; j <= count; j++) {
        at = index(pairs[j], EQ)
        key = substr(pairs[j], 1, at - 1)
        if (index(old_labels[name[side, i]], " " key " ") == 0)
            continue
        if (step == 2 && key ~ /^(encoder|encoder_type|streams)$/)
            continue
        if (name[side, i] ~ /_exporter_info$/ || (key == "currency" && name[side, i] ~ /^co2_/))
            continue
        text = plain(key, substr(pairs[j], at + 1))
        if (text != "")
            out = out SEP key EQ text
    }
    return out
}

function pair_up(step,    i, key, first, last, next_of) {
    for (i = 1; i <= total["n"]; i++) {
        if (partner["n", i] || !(name["n", i] in old_labels))
            continue
        key = key_of("n", i, step)
        if (key in first)
            next_of[last[key]] = i
        else
            first[key] = i
        last[key] = i
    }
    for (i = 1; i <= total["o"]; i++) {
        if (partner["o", i])
            continue
        key = key_of("o", i, step)
        if (!(key in first) || !first[key])
            continue
        partner["o", i] = first[key]
        partner["n", first[key]] = i
        first[key] = next_of[first[key]]
    }
}

# ---- differences ----------------------------------------------------------------------
function near(a, b, ratio,    d, larger) {
    d = a - b
    if (d < 0)
        d = -d
    if (a < 0)
        a = -a
    if (b < 0)
        b = -b
    larger = a > b ? a : b
    return d <= ratio * larger
}

# Half a unit of the last digit that was written behind a point. No ^: not every awk has it.
function rounding(text,    e, half) {
    e = 0
    if (match(text, /[eE][-+]?[0-9]+$/)) {
        e = substr(text, RSTART + 1) + 0
        text = substr(text, 1, RSTART - 1)
    }
    if (!index(text, "."))
        return 0
    e -= length(text) - index(text, ".")
    for (half = 0.5000001; e < 0; e++)
        half /= 10
    for (; e > 0; e--)
        half *= 10
    return half
}

function equal(was, is,    d) {
    if (was == is)
        return 1
    if (was ~ /[a-dA-DnNiI]/ || is ~ /[nNiI]/)
        return 0 # NaN and Inf have one spelling each
    d = was - is
    if (d < 0)
        d = -d
    return d <= rounding(was) || near(was + 0, is + 0, tolerance)
}

function shown(side, i,    set) {
    set = labels[side, i]
    if (set == "")
        return name[side, i]
    gsub(EQ, "=\"", set)
    gsub(SEP, "\",", set)
    return name[side, i] "{" set "\"}"
}

# Tells one, or keeps it for the summary of its kind. o, n: the series, 0 for none; key: of
# the label that differs.
function tell(kind, family, reason, o, n, key,    group) {
    if (reason == "") {
        wrong++
        print "NOT INTENDED  " kind "  " told(kind, o, n, key) hint(kind, family, o)
        return
    }
    group = kind "  " family ": " reason
    if (!(group in count_of)) {
        order[++groups] = group
        example[group] = told(kind, o, n, key)
    }
    count_of[group]++
    if (verbose)
        print "intended  " kind "  " told(kind, o, n, key) ": " reason
}

function told(kind, o, n, key) {
    if (kind == "type")
        return name["o", o] " was a " type["o", name["o", o]] ", is a " type["n", name["o", o]]
    if (kind == "missing")
        return shown("o", o) " " value["o", o]
    if (kind == "new")
        return shown("n", n) " " value["n", n]
    if (kind == "different")
        return shown("n", n) ": was " value["o", o] ", is " value["n", n]
    return shown("o", o) ": " key "=\"" get(labels["o", o], key) "\" is \"" \
           get(labels["n", n], key) "\""
}

# texts[name] = value of every label of a set.
function take_apart(set, texts,    count, i, at, pairs) {
    split("", texts)
    count = split(set, pairs, SEP)
    for (i = 1; i <= count; i++) {
        at = index(pairs[i], EQ)
        texts[substr(pairs[i], 1, at - 1)] = substr(pairs[i], at + 1)
    }
}

function why_gone(family, key, text) {
    if (key == "currency" && family ~ /^co2_/)
        return "CO2 has no currency"
    return plain(key, text) == "" ? "unknown is left out" : ""
}

function compare_labels(o, n,    key, was, is) {
    take_apart(labels["o", o], was)
    take_apart(labels["n", n], is)
    for (key in is)
        if (!(key in was))
            tell("label", key, index(known, " " key " ") ? "is new" : "", o, n, key)
        else if (was[key] != is[key])
            tell("label", key, label_reason[key], o, n, key)
    for (key in was)
        if (!(key in is))
            tell("label", key, why_gone(name["o", o], key, was[key]), o, n, key)
}

function compare_values(o, n,    family) {
    family = name["n", n]
    if (equal(value["o", o], value["n", n]))
        same++
    else
        tell("different", family, why("different", family, o, n), o, n)
}

BEGIN {
    SEP = "\034"
    EQ = "\035"
    rules()
}
{ side = FILENAME == old ? "o" : "n" }
/^# TYPE / { type[side, $3] = $4; next }
/^#/ || /^[ \t\r]*$/ { next }
{
    sub(/\r$/, "")
    read_sample(side, $0)
}
END {
    if (dialect == "")
        dialect = "python"
    for (step = 0; step < 3; step++)
        pair_up(step)
    for (i = 1; i <= total["o"]; i++) {
        family = name["o", i]
        n = partner["o", i]
        if (!told_type[family]++ && (("o", family) in type) && (("n", family) in type) &&
            type["o", family] != type["n", family])
            tell("type", family, why("type", family, i, 0), i, 0)
        if (!n) {
            tell("missing", family, why("missing", family, i, 0), i, 0)
            continue
        }
        if (labels["o", i] != labels["n", n])
            compare_labels(i, n)
        compare_values(i, n)
    }
    for (i = 1; i <= total["n"]; i++)
        if (!partner["n", i])
            tell("new", name["n", i], why("new", name["n", i], 0, i), 0, i)
    if (groups)
        print "Intended differences (how many, of which kind and family, why; one of them):"
    for (i = 1; i <= groups; i++) {
        print "  " count_of[order[i]] " x " order[i]
        if (order[i] !~ /: a family that OLD did not have$/)
            print "      " example[order[i]]
    }
    print total["o"] " series in OLD, " total["n"] " in NEW: " same + 0 \
          " have the same value; differences that are not intended: " wrong + 0
    exit (wrong ? 1 : 0)
}
AWK

awk -v old="$work/old" -v tolerance="$tolerance" -v verbose="$verbose" \
    -f "$work/compare.awk" "$work/old" "$work/new" || {
    result=$?
    [ "$result" -eq 1 ] || die "awk failed"
    exit 1
}
