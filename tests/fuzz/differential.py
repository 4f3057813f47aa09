#!/usr/bin/env python3
"""Our JSON readers against Python's.

Texts are made from a grammar that knows where readers differ (numbers between two
doubles, escapes, keys that come twice, brackets at the limit of depth, blanks of every
kind), from the seeds of the fuzz targets, and from both by changing bytes. What Python's
json makes of a text says what ours has to make of it, value by value and bit by bit:

  accepted by Python, UTF-8, at most 64 brackets open: accepted, with the same value
  refused by Python: refused, and not taken for a fault of its encoding
  numbers that no double holds, NaN, Infinity: accepted, and marked as no number
  half surrogate pairs, bytes that are not UTF-8: json_parse() refuses them as such; the
  results parser reads U+FFFD in their place, just where Python's decoder puts it

  differential.py DUMPER [--count N | --seconds S] [--seed N] [--save DIR] [FILE ...]

With FILEs only these are compared. Exit status 1: they differ; the text is made small
first, and written to DIR.
"""

import argparse
import json
import os
import random
import struct
import subprocess
import sys
import time
from fractions import Fraction

HERE = os.path.dirname(os.path.abspath(__file__))
DEPTH_MAX = 64
BOM = b"\xef\xbb\xbf"

# ---- what Python says ----------------------------------------------------------------


class Bad:
    """A number that is none."""


BAD = Bad()


def number(text):
    value = float(text)
    return BAD if value in (float("inf"), float("-inf")) else value


def repaired(text):
    """Half surrogate pairs become U+FFFD."""
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)


def members(pairs):
    return {repaired(key): value for key, value in pairs}


READER = json.JSONDecoder(parse_int=number, parse_float=number, object_pairs_hook=members,
                          parse_constant=lambda word: BAD)


def read(text):
    """The value of a text, or ValueError. RecursionError cannot be: depth is looked at."""
    return READER.decode(text[1:] if text.startswith("\ufeff") else text)


def dumped(value):
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if value is BAD:
        return "bad"
    if isinstance(value, str):
        return "s" + repaired(value).encode().hex()
    if isinstance(value, float):
        return "n" + struct.pack(">d", value).hex()
    if isinstance(value, list):
        return "[" + ",".join(map(dumped, value)) + "]"
    rows = sorted((key.encode(), v) for key, v in value.items())
    return "{" + ",".join(f"s{key.hex()}:{dumped(v)}" for key, v in rows) + "}"


def depth_of(text):
    """The most brackets open at one place outside strings; of JSON."""
    depth = most = 0
    inside = escaped = False
    for c in text:
        if inside:
            if escaped:
                escaped = False
            elif c == "\\":
                escaped = True
            elif c == '"':
                inside = False
        elif c == '"':
            inside = True
        elif c in "[{":
            depth += 1
            most = max(most, depth)
        elif c in "]}":
            depth -= 1
    return most


def has_halves(value):
    if isinstance(value, str):
        return any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, list):
        return any(map(has_halves, value))
    if isinstance(value, tuple):
        return any(map(has_halves, value))
    return False


# Every key and value, those of keys that come twice included.
ALL = json.JSONDecoder(parse_int=number, parse_float=number,
                       object_pairs_hook=lambda pairs: [list(p) for p in pairs],
                       parse_constant=lambda word: BAD)


def expected(data):
    """The three lines of json_dump; the refusals as their first two words."""
    text = data.decode("utf-8", "replace")
    try:
        value = read(text)
    except (ValueError, RecursionError):
        return ["refused json", "refused json", "json"]
    if depth_of(text) > DEPTH_MAX:
        return ["refused json", "refused json", "json"]
    whole = dumped(value)
    lists = value if isinstance(value, list) else \
        value.get("scenarios") if isinstance(value, dict) else None
    verdict = "ok" if isinstance(lists, list) else "shape"
    body = text[1:] if text.startswith("\ufeff") else text
    try:
        data.decode("utf-8")
        broken = has_halves(ALL.decode(body))
    except UnicodeDecodeError:
        broken = True
    return ["refused text" if broken else whole, whole, verdict]


# ---- what ours says ------------------------------------------------------------------


class Dumper:
    def __init__(self, path):
        self.path = path
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.path], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def lines(self, data):
        """Its three lines; what it died of instead of those that are missing."""
        pipe = self.process
        try:
            pipe.stdin.write(b"%d\n" % len(data) + data)
            pipe.stdin.flush()
        except BrokenPipeError:
            pass
        got = [pipe.stdout.readline().decode().rstrip("\n") for _ in range(3)]
        if not got[2]:
            got = [f"ended with status {pipe.wait()}"] * 3
            self.start()
        return [" ".join(line.split(" ")[:2]) if line.startswith("refused") else line
                for line in got]

    def close(self):
        self.process.stdin.close()
        status = self.process.wait()
        self.process.stdout.close()
        return status


# ---- making texts --------------------------------------------------------------------

NUMBERS = """0 -0 -0.0 0e5 0E-5 0e99999999999999999999 -0e-99999999999999999999 1 -1 10 30 29.97
5e-324 4.9e-324 2.4703282292062327e-324 2.4703282292062328e-324 2.2250738585072011e-308
2.2250738585072014e-308 1.7976931348623157e308 1.7976931348623158e308
1.797693134862315807e308 1.797693134862315808e308 1.7976931348623159e308 1e308 1e309 -1e309
9007199254740991 9007199254740992 9007199254740993 9007199254740994 9007199254740995
18446744073709551615 18446744073709551616 123456789012345678901234567890 1e22 1e23 1e-22
1e-23 999999999999999 9999999999999999 0.1 0.2 0.3 1.1e1 1E+2 1e+0 1e-0 1e00000000000001
100000000000000000000000 0.000001 123.456e-7 8.5 1e-400 -1e-400 1e400 1e18 1.0000000000000002
1.00000000000000011102230246251565404236316680908203125
1.00000000000000011102230246251565404236316680908203124
1.00000000000000011102230246251565404236316680908203126""".split()
WORDS = ["null", "true", "false", "NaN", "Infinity", "-Infinity"]
WRONG = ["01", "+1", "1.", ".5", "1e", "1e+", "-", "--1", "0x10", "1_000", "nul", "True",
         "None", "nan", "inf", "-NaN", "+Infinity", "'a'", "\u0661", "undefined", "//", "/**/"]
KEYS = ['"scenarios"', '"name"', '"a"', '"b"', '""', '"\\u0061"', '"\\u0073cenarios"',
        '"region"', '"duration"', '"schema_version"', '"\\ud800"', '"\\udfff"', '"\\u0000"',
        '"\ufffd"', '"\U0001f600"', '"\\ud83d\\ude00"', '"power_watts"']
CHARS = ["a", "Z", "0", " ", "\x7f", "\u00e9", "\u20ac", "\u2028", "\ud7ff", "\ue000", "\uffff",
         "\U00010000", "\U0001f600", "\U0010ffff", "\ufffd", "\ufeff", "\u0080", "/", "'", "{",
         "]", ",", ":"]
ESCAPES = ['\\"', "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0000", "\\u001f", "\\u0041",
           "\\u00e9", "\\u20AC", "\\uFFFF", "\\ud83d\\ude00", "\\uD83D\\uDE00", "\\uD800\\uDC00",
           "\\udbff\\udfff", "\\u0022", "\\u005c"]
HALVES = ["\\ud800", "\\udc00", "\\uDFFF", "\\ud83d\\ud83d\\ude00", "\\ude00\\ud83d", "\\ud800\\u0041",
          "\\ud800\\n", "\\ud800\\ue000"]
FAULTS = ["\x00", "\x01", "\n", "\t", "\x1f", "\\x", "\\u12", "\\u12g4", "\\U0041", "\\", "\\'", "\\a",
          "\\u+123", "\\u 123", "\\ud800\\u12"]
BLANKS = [" ", "\n", "\r", "\t", "\r\n", "  "]
NO_BLANKS = ["\x0b", "\x0c", "\u00a0", "\u2028", "\ufeff", "\x00", "\x85"]
BYTES = [b"\xff", b"\x80", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xf0\x9f\x98",
         b"\xc3", b"\xef\xbb\xbf", b"\xef\xbb", b"\x00", b"\xf8\x88\x80\x80\x80", b"\xe0\x80\xaf"]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.seeds = self.read_seeds()
        self.last = [b"[]"]

    @staticmethod
    def read_seeds():
        seeds = []
        for name in ("results", "pricing"):
            directory = os.path.join(HERE, "corpus", name)
            for file in sorted(os.listdir(directory)):
                with open(os.path.join(directory, file), "rb") as f:
                    seeds.append(f.read(8192))
        return seeds

    def chance(self, p):
        return self.random.random() < p

    def blank(self):
        r = self.random
        if self.chance(0.8):
            return ""
        return r.choice(BLANKS if self.chance(0.99) else NO_BLANKS)

    def between_doubles(self):
        """The decimal of a point half-way between two doubles, or next to it."""
        r = self.random
        bits = r.getrandbits(63) if self.chance(0.5) else r.getrandbits(53)
        low, high = (struct.unpack(">d", struct.pack(">Q", bits + i))[0] for i in (0, 1))
        if not (low == low and high == high and high != float("inf")):
            return "1.5"
        half = (Fraction(low) + Fraction(high)) / 2
        # Exact, because the denominator is a power of two: n / 2^k = n * 5^k / 10^k.
        k = half.denominator.bit_length() - 1
        digits = half.numerator * 5 ** k + r.choice((0, 0, -1, 1))
        text = str(digits)
        if self.chance(0.5) and 0 < k < 400 and len(text) <= k:
            return "0." + text.rjust(k, "0")
        return f"{text}e-{k}" if k else text

    def number(self):
        r = self.random
        kind = r.randrange(6)
        if kind == 0:
            return r.choice(NUMBERS)
        if kind == 1:
            return self.between_doubles()
        if kind == 2:
            return repr(struct.unpack(">d", struct.pack(">Q", r.getrandbits(63)))[0]) \
                .replace("nan", "0").replace("inf", "1e999")
        sign = r.choice(("", "-"))
        whole = str(r.randrange(10 ** r.choice((1, 3, 15, 16, 17, 20, 40, 320))))
        if kind == 3:
            return sign + whole
        decimals = "".join(r.choice("0123456789") for _ in range(r.choice((1, 2, 14, 16, 30, 350))))
        text = f"{sign}{whole}.{decimals}"
        if kind == 5:
            text += r.choice("eE") + r.choice(("", "+", "-")) + str(r.randrange(10 ** r.randrange(1, 5)))
        return text

    def text(self):
        r = self.random
        parts = []
        for _ in range(r.choice((0, 1, 1, 2, 3, 8))):
            kind = r.random()
            if kind < 0.45:
                parts.append(r.choice(CHARS) * r.choice((1, 1, 1, 7, 70)))
            elif kind < 0.9:
                parts.append(r.choice(ESCAPES))
            elif kind < 0.985:
                parts.append(r.choice(HALVES))
            else:
                parts.append(r.choice(FAULTS))
        if self.chance(0.003):
            parts.append(r.choice(("x", "\\n", "\u20ac")) * r.randrange(1000, 70000))
        return '"' + "".join(parts) + '"'

    def value(self, depth):
        r = self.random
        kind = r.random()
        if depth <= 0 or kind < 0.6:
            if kind < 0.3:
                return self.number()
            if kind < 0.5:
                return self.text()
            return r.choice(WORDS if self.chance(0.99) else WRONG)
        n = r.choice((0, 1, 1, 2, 3, 5))
        if kind < 0.8:
            return self.array([self.value(depth - 1) for _ in range(n)])
        return self.object([(r.choice(KEYS), self.value(depth - 1)) for _ in range(n)])

    def array(self, items):
        b = self.blank
        return "[" + b() + ",".join(b() + item + b() for item in items) + "]"

    def object(self, pairs):
        b = self.blank
        return "{" + b() + ",".join(f"{b()}{key}{b()}:{b()}{value}{b()}" for key, value in pairs) + "}"

    def deep(self):
        """Brackets around the limit; some close in wrong order."""
        r = self.random
        front, back = "", ""
        for _ in range(r.choice((61, 62, 63, 64, 65, 66, 100))):
            if self.chance(0.5):
                front, back = front + "[", "]" + back
            else:
                front, back = front + '{"a":', "}" + back
        if self.chance(0.1):
            back = back[::-1]
        return front + r.choice(("", "1", '"]"')) + back

    def results(self):
        """Formed like a results file, with one list or several."""
        r = self.random
        pairs = []
        for _ in range(r.choice((1, 1, 1, 2))):
            items = [self.value(3) if self.chance(0.3) else
                     self.object([('"name"', self.text())] +
                                 [(r.choice(KEYS), self.value(2)) for _ in range(r.randrange(4))])
                     for _ in range(r.randrange(5))]
            pairs.append((r.choice(KEYS[:1] * 6 + KEYS), self.array(items)))
        for _ in range(r.randrange(3)):
            pairs.append((r.choice(KEYS), self.deep() if self.chance(0.1) else self.value(2)))
        r.shuffle(pairs)
        return self.object(pairs)

    def fresh(self):
        r = self.random
        kind = r.random()
        if kind < 0.06:
            return r.choice(self.seeds)
        if kind < 0.45:
            text = self.results()
        elif kind < 0.55:
            text = self.deep()
        else:
            text = self.value(5)
        data = (self.blank() + text + self.blank()).encode("utf-8", "surrogatepass")
        if self.chance(0.03):
            data = r.choice((BOM, BOM, BOM + BOM, b" " + BOM)) + data
        return data

    def changed(self, data):
        r = self.random
        data = bytearray(data)
        for _ in range(r.choice((1, 1, 1, 2, 4))):
            at = r.randrange(len(data) + 1)
            to = min(len(data), at + r.choice((1, 1, 2, 5, 30)))
            kind = r.randrange(8)
            if kind == 0:
                del data[at:to]
            elif kind == 1:
                data[at:at] = data[at:to]
            elif kind == 2:
                data[at:at] = r.choice(BYTES)
            elif kind == 3 and at < len(data):
                data[at] = r.randrange(256)
            elif kind == 4:
                data[at:at] = r.choice(NUMBERS + WORDS + WRONG + KEYS + ESCAPES + HALVES +
                                       FAULTS).encode()
            elif kind == 5:
                data[at:at] = r.choice((b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\", b" "))
            elif kind == 6:
                other = r.choice(self.last)
                cut = r.randrange(len(other) + 1)
                data[at:] = other[cut:]
            else:
                del data[at:]
        return bytes(data[:100000])

    def next(self):
        r = self.random
        if self.chance(0.5):
            data = self.fresh()
        else:
            data = self.changed(r.choice(self.last) if self.chance(0.5) else self.fresh())
        if len(self.last) < 200:
            self.last.append(data)
        else:
            self.last[r.randrange(200)] = data
        return data


# ---- comparing -----------------------------------------------------------------------


def differs(dumper, data):
    """Names of the readers that differ, with what is expected and what came."""
    want, got = expected(data), dumper.lines(data)
    return [(name, w, g) for name, w, g in
            zip(("json_parse()", "json_split() and pieces", "results_parse()"), want, got)
            if w != g]


def smaller(dumper, data):
    """A part of data that still differs."""
    before = None
    while before != data:
        before = data
        data = less_of(dumper, data)
    return data


def less_of(dumper, data):
    step = max(1, len(data) // 2)
    while step:
        at = 0
        while at < len(data):
            less = data[:at] + data[at + step:]
            if differs(dumper, less):
                data = less
            else:
                at += step
        step //= 2
    return data


def tell(dumper, data, save):
    print(f"they differ: {data[:200]!r}{'...' if len(data) > 200 else ''}")
    for name, want, got in differs(dumper, data):
        print(f"  {name}\n    due:  {want[:300]}\n    came: {got[:300]}")
    if save:
        os.makedirs(save, exist_ok=True)
        path = os.path.join(save, f"differential-{abs(hash(data)):x}")
        with open(path, "wb") as f:
            f.write(data)
        print(f"  written to {path}")


# ---- what is fixed -------------------------------------------------------------------

# What stands in docs/inputs.md under "JSON, exactly": text, whether Python takes these
# bytes as they are (json.loads(), without any switch), and our three answers, where a
# value that stands for itself is not repeated.
FIXED = [
    ("one byte order mark", BOM + b"[]", True, ["[]", "[]", "ok"]),
    ("two byte order marks", BOM + BOM + b"[]", False, ["refused json"] * 2 + ["json"]),
    ("a byte order mark behind a blank", b" " + BOM + b"[]", False,
     ["refused json"] * 2 + ["json"]),
    ("bytes that are not UTF-8", b'["\xff"]', False, ["refused text", "[sefbfbd]", "ok"]),
    ("a surrogate in UTF-8", b'["\xed\xa0\x80"]', True,
     ["refused text", "[sefbfbdefbfbdefbfbd]", "ok"]),
    ("bytes that are not UTF-8, outside texts", b"[\xff]", False,
     ["refused json"] * 2 + ["json"]),
    ("half a surrogate pair", b'["\\ud800"]', True, ["refused text", "[sefbfbd]", "ok"]),
    ("an integer of 5000 digits", b"[" + b"1" * 5000 + b"]", False, ["[bad]", "[bad]", "ok"]),
    ("NaN and Infinity", b"[NaN,Infinity,-Infinity,1e999]", True,
     ["[bad,bad,bad,bad]"] * 2 + ["ok"]),
    ("64 brackets", b"[" * 64 + b"]" * 64, True, ["[" * 64 + "]" * 64] * 2 + ["ok"]),
    ("65 brackets", b"[" * 65 + b"]" * 65, True, ["refused json"] * 2 + ["json"]),
    ("UTF-16", "[]".encode("utf-16"), True, ["refused json"] * 2 + ["json"]),
    ("a key that comes twice", b'{"a":1,"b":null,"a":[]}', True,
     ["{s61:[],s62:null}"] * 2 + ["shape"]),
    ("a list that comes twice", b'{"scenarios":[1],"scenarios":{}}', True,
     ["{s7363656e6172696f73:{}}"] * 2 + ["shape"]),
    ("minus nothing", b"[-0,-0.0,0e9,-1e-999]", True,
     ["[n8000000000000000,n8000000000000000,n0000000000000000,n8000000000000000]"] * 2 + ["ok"]),
    ("a control character in a text", b'["\t"]', False, ["refused json"] * 2 + ["json"]),
    ("DEL in a text", b'["\x7f"]', True, ["[s7f]"] * 2 + ["ok"]),
    ("a form feed between values", b"[1,\x0c2]", False, ["refused json"] * 2 + ["json"]),
    ("a comma at the end", b"[1,]", False, ["refused json"] * 2 + ["json"]),
    ("nothing", b"", False, ["refused json"] * 2 + ["json"]),
]


def check_fixed(dumper):
    good = True
    for what, data, python_takes_it, due in FIXED:
        try:
            json.loads(data)
            takes = True
        except (ValueError, RecursionError):
            takes = False
        came = dumper.lines(data)
        if takes != python_takes_it or came != due:
            print(f"{what}: Python {'takes' if takes else 'refuses'} it; due {due}, came {came}")
            good = False
    return good


def main():
    parser = argparse.ArgumentParser(description="our JSON readers against Python's")
    parser.add_argument("dumper")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save")
    args = parser.parse_args()
    dumper = Dumper(args.dumper)
    found = not check_fixed(dumper)
    taken = count = 0

    for path in args.files:
        with open(path, "rb") as f:
            data = f.read()
        if differs(dumper, data):
            tell(dumper, data, None)
            found = True
    maker = Maker(args.seed)
    end = time.monotonic() + args.seconds if args.seconds else None
    while not found and not args.files:
        if count >= args.count if end is None else time.monotonic() > end:
            break
        data = maker.next()
        count += 1
        want = expected(data)
        taken += not want[1].startswith("refused")
        if want != dumper.lines(data):
            tell(dumper, smaller(dumper, data), args.save)
            found = True
    status = dumper.close()
    print(f"seed {args.seed}: {count} texts, {taken} of them JSON")
    if not args.files and not found and taken < count / 4:
        sys.exit("most texts are no JSON: nothing much was compared")
    sys.exit(1 if found or status != 0 else 0)


if __name__ == "__main__":
    main()
