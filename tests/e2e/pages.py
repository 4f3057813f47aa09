"""What the tests of the page have in common: where things stand in it (its elements say so
by id and data- attributes), and what it was told."""

import contextlib
import http.client
import json
import re
import urllib.parse

import browser
import harness

PHONE = {"size": (390, 844), "phone": True, "scale": 2}
LIVE = "document.getElementById('connection').dataset.state === 'live'"
# Figures of events have six digits.
DIGITS = 1e-5
# A board of encodes is redrawn by the frame; then what is seen is noted with its time.
RECORDER = """
window.seen = [];
const note = () => requestAnimationFrame(() => {
    for (const e of document.querySelectorAll('#encodes [data-name]')) {
        const now = [e.dataset.name, e.dataset.state,
                     e.dataset.frames ? Number(e.dataset.frames) : null];
        const last = window.seen.findLast(s => s[1] === now[0]);
        if (!last || last[2] !== now[1] || last[3] !== now[2])
            window.seen.push([Date.now() / 1000, ...now]);
    }
});
new MutationObserver(note).observe(document.getElementById('encodes'),
    {subtree: true, childList: true, attributes: true, characterData: true});
note();
"""


def quoted(text):
    """As the value of an attribute in a selector."""
    return '"' + re.sub(r'["\\\n\r\f]', lambda m: f"\\{ord(m[0]):x} ", text) + '"'


def encode(name, figure=None):
    """Selector of an encode, or of one of its figures."""
    return f"#encodes [data-name={quoted(name)}]" + (
        f" [data-figure={figure}]" if figure else "")


def row(key, column=None):
    return f"#scenarios tr[data-key={quoted(key)}]" + (
        f" [data-column={column}]" if column else "")


def number(text):
    """The number that a text begins with, as people write it; None: there is none."""
    found = re.match(r"\s*(-?[\d,]*\.?\d+(?:e[-+]?\d+)?)\s*([kMGT]?)", text)
    if not found:
        return None
    return float(found[1].replace(",", "")) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9,
                                               "T": 1e12}[found[2]]


def whole(e, endpoint="results", headers=None):
    """All records that /events tells at first, by kind and key."""
    client = http.client.HTTPConnection(*e.address(endpoint), timeout=30)
    records = {}
    try:
        client.request("GET", "/events", headers=headers or {})
        answer = client.getresponse()
        if answer.status != 200:
            raise AssertionError(f"/events: {answer.status}")
        for line in answer:
            if not line.startswith(b"data: "):
                continue
            event = json.loads(line[6:])
            for record in event.get("set", []):
                records[record["kind"], record["key"]] = record
            if event.get("whole"):
                return records
        raise AssertionError("/events ended before all was told")
    finally:
        client.close()


class Case(browser.Case):
    """Tests that look at the page of an exporter."""

    def exporter(self, *flags, **how):
        """One that runs until the test is over."""
        e = harness.Exporter(*flags, **how)
        e.__enter__()
        self.addCleanup(e.__exit__, None, None, None)
        return e

    def url(self, e, endpoint="results", **choice):
        """choice: what the part behind # holds: q, sort, chosen …"""
        return f"http://127.0.0.1:{e.ports[endpoint]}/" + (
            "#" + urllib.parse.urlencode(choice) if choice else "")

    @contextlib.contextmanager
    def looking(self, e, endpoint="results", choice=None, **how):
        """The page, once it shows all there is."""
        with self.look(self.url(e, endpoint, **(choice or {})), **how) as p:
            self.drawn(p)
            yield p

    def drawn(self, p):
        p.wait("document.body.hasAttribute('data-whole')", what="all that there is")
        p.wait(LIVE)

    # ---- scenarios ----------------------------------------------------------------
    def keys(self, p):
        """Of the rows that are in the document, from above."""
        return p.js("[...document.querySelectorAll('#scenarios tr[data-key]')]"
                    ".sort((a, b) => a.ariaRowIndex - b.ariaRowIndex).map(r => r.dataset.key)")

    def wait_keys(self, p, keys):
        try:
            harness.wait_until(lambda: self.keys(p) == keys)
        except AssertionError:
            self.assertEqual(self.keys(p), keys)

    def shown(self, p):
        """How many rows the filter leaves, and how many there are."""
        return [int(n) for n in p.js("(({shown, total}) => [shown, total])"
                                     "(document.getElementById('count').dataset)")]

    def wait_shown(self, p, shown):
        p.wait(f"document.getElementById('count').dataset.shown === '{shown}'")

    def sort(self, p, column):
        p.click(f"#scenarios button[data-sort={column}]")

    # ---- encodes ------------------------------------------------------------------
    def value(self, p, name, figure):
        """The figure of an encode, unrounded; None: it is not shown."""
        text = p.js(f"(document.querySelector({json.dumps(encode(name))}) || "
                    f"{{dataset: {{}}}}).dataset.{figure}")
        return None if text in (None, "") else float(text)

    def wait_state(self, p, name, state, limit=20):
        p.wait(f"(document.querySelector({json.dumps(encode(name))}) || {{dataset: {{}}}})"
               f".dataset.state === {json.dumps(state)}", limit, f"{name} is {state}")
