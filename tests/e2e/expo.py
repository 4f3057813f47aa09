"""A strict parser of the text exposition format 0.0.4.

Readers in the field are lenient; this one is not: it accepts only what we promise.
Beyond the grammar that is: HELP, TYPE and all samples of a family in one piece, no
series twice, no NaN, no timestamp, no empty label value, numbers in their shortest
form, consistent histograms.
"""

import math
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?(e[-+][0-9]+)?\Z")
TYPES = ("gauge", "counter", "histogram")


class ExpositionError(Exception):
    """What is wrong, and in which line."""


class Sample:
    def __init__(self, name, labels, value, text):
        self.name = name
        self.labels = labels    # dict in the order of the line
        self.value = value
        self.text = text        # of the value

    @property
    def key(self):
        return (self.name, frozenset(self.labels.items()))

    def __repr__(self):
        inner = ",".join(f"{k}={v!r}" for k, v in self.labels.items())
        return f"{self.name}{{{inner}}} {self.text}"


class Family:
    def __init__(self, name, help_text, kind):
        self.name = name
        self.help = help_text
        self.type = kind
        self.samples = []


class Exposition:
    def __init__(self, families):
        self.families = families    # dict name → Family, in the order served

    def samples(self, name, **labels):
        """Samples of this name that carry at least these labels."""
        return [s for f in self.families.values() for s in f.samples
                if s.name == name and all(s.labels.get(k) == v for k, v in labels.items())]

    def value(self, name, **labels):
        """The value of the only such sample; None if there is none."""
        found = self.samples(name, **labels)
        if len(found) > 1:
            raise AssertionError(f"{name} {labels}: {len(found)} samples")
        return found[0].value if found else None

    def series(self):
        """{(name, frozenset of labels): value} of everything."""
        return {s.key: s.value for f in self.families.values() for s in f.samples}

    def __contains__(self, name):
        return name in self.families and bool(self.families[name].samples)


def unescape_help(text, fail):
    out, i = [], 0
    while i < len(text):
        if text[i] == "\\":
            nxt = text[i + 1:i + 2]
            if nxt not in ("\\", "n"):
                fail(f"escape \\{nxt} in a HELP line")
            out.append("\n" if nxt == "n" else "\\")
            i += 2
        else:
            out.append(text[i])
            i += 1
    return "".join(out)


def parse_labels(text, fail):
    """{a="b",c="d"} without the braces → dict."""
    labels, i = {}, 0
    while i < len(text):
        eq = text.find('="', i)
        if eq < 0:
            fail("a label without =\"")
        name = text[i:eq]
        if not LABEL.match(name) or name.startswith("__"):
            fail(f"label name {name!r}")
        if name in labels:
            fail(f"label {name} twice")
        i, out = eq + 2, []
        while True:
            if i >= len(text):
                fail(f"the value of label {name} has no end")
            c = text[i]
            if c == '"':
                break
            if c == "\\":
                nxt = text[i + 1:i + 2]
                if nxt not in ("\\", '"', "n"):
                    fail(f"escape \\{nxt} in label {name}")
                out.append({"\\": "\\", '"': '"', "n": "\n"}[nxt])
                i += 2
                continue
            out.append(c)
            i += 1
        i += 1
        if not out:
            fail(f"label {name} is empty")
        labels[name] = "".join(out)
        if i < len(text):
            if text[i] != "," or i + 1 == len(text):
                fail("labels are joined by single commas")
            i += 1
    return labels


def end_of_labels(line, start, fail):
    """Index of the brace that closes the label set which opens at start."""
    i, quoted = start + 1, False
    while i < len(line):
        if quoted and line[i] == "\\":
            i += 1
        elif line[i] == '"':
            quoted = not quoted
        elif line[i] == "}" and not quoted:
            return i
        i += 1
    return fail("a label set without end")


def significant(text):
    """Digits that count: "0.0120e+5" → "12"."""
    mantissa = text.lstrip("-").split("e")[0].replace(".", "")
    return mantissa.strip("0")


def parse_value(text, fail):
    if text in ("+Inf", "-Inf"):
        return math.inf if text[0] == "+" else -math.inf
    if not NUMBER.match(text):
        fail(f"value {text!r}")
    value = float(text)
    if significant(text) != significant(repr(value)):
        fail(f"{text} is not the shortest form of {value!r}")
    return value


def check_histogram(family, fail):
    groups = {}
    for s in family.samples:
        rest = frozenset((k, v) for k, v in s.labels.items() if k != "le")
        groups.setdefault(rest, []).append(s)
    for group in groups.values():
        buckets = [s for s in group if s.name == family.name + "_bucket"]
        sums = [s for s in group if s.name == family.name + "_sum"]
        counts = [s for s in group if s.name == family.name + "_count"]
        if len(sums) != 1 or len(counts) != 1 or not buckets:
            fail(f"{family.name}: needs buckets, one sum and one count")
        if any("le" not in s.labels for s in buckets):
            fail(f"{family.name}: a bucket without le")
        les = [parse_value(s.labels["le"], fail) for s in buckets]
        if les != sorted(set(les)) or les[-1] != math.inf:
            fail(f"{family.name}: le is not ascending up to +Inf")
        values = [s.value for s in buckets]
        if values != sorted(values) or values[-1] != counts[0].value:
            fail(f"{family.name}: buckets are not cumulative up to the count")
        if any(v < 0 or v != int(v) for v in values):
            fail(f"{family.name}: a bucket is no whole number")


def parse(body):
    """bytes → Exposition; ExpositionError names the line."""
    number = 0

    def fail(reason):
        raise ExpositionError(f"line {number}: {reason}")

    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as e:
        raise ExpositionError(f"not UTF-8: {e}") from None
    if text and not text.endswith("\n"):
        raise ExpositionError("no newline at the end")

    families, seen, current, pending = {}, set(), None, None
    for number, line in enumerate(text.split("\n")[:-1], 1):
        if "\r" in line:
            fail("a carriage return")
        if line.startswith("# HELP "):
            if pending:
                fail("HELP without TYPE")
            name, _, help_text = line[7:].partition(" ")
            if not NAME.match(name):
                fail(f"family name {name!r}")
            if name in families:
                fail(f"family {name} appears twice")
            if not help_text:
                fail(f"{name} has no help")
            pending = (name, unescape_help(help_text, fail))
            continue
        if line.startswith("# TYPE "):
            words = line[7:].split(" ")
            if len(words) != 2 or not pending or words[0] != pending[0]:
                fail("TYPE does not follow the HELP of its family")
            if words[1] not in TYPES:
                fail(f"type {words[1]!r}")
            current = Family(pending[0], pending[1], words[1])
            families[current.name] = current
            pending = None
            continue
        if pending:
            fail("HELP is not followed by TYPE")
        if not line or line.startswith("#"):
            fail("an empty line or a comment")
        start = line.split(" ", 1)[0].find("{")    # none: a blank comes first
        if start >= 0:
            end = end_of_labels(line, start, fail)
            name, labels = line[:start], parse_labels(line[start + 1:end], fail)
            if not labels:
                fail("an empty pair of braces")
            rest = line[end + 1:]
        else:
            name, _, rest = line.partition(" ")
            labels, rest = {}, " " + rest
        if not NAME.match(name):
            fail(f"sample name {name!r}")
        if not rest.startswith(" ") or " " in rest[1:]:
            fail("one blank, the value and nothing else follow the labels")
        sample = Sample(name, labels, parse_value(rest[1:], fail), rest[1:])
        if current is None:
            fail("a sample before its family")
        suffix = name[len(current.name):] if name.startswith(current.name) else None
        if suffix not in (("_bucket", "_sum", "_count")
                          if current.type == "histogram" else ("",)):
            fail(f"{name} stands in family {current.name}")
        if current.type != "histogram" and "le" in labels:
            fail("le outside a histogram")
        if current.type == "counter" and not 0 <= sample.value < math.inf:
            fail(f"counter {name} is {sample.value}")
        if sample.key in seen:
            fail(f"series {sample!r} appears twice")
        seen.add(sample.key)
        current.samples.append(sample)
    if pending:
        fail("HELP without TYPE")
    for family in families.values():
        if not family.samples:
            fail(f"family {family.name} has no sample")
        if family.type == "histogram":
            check_histogram(family, fail)
    return Exposition(families)
