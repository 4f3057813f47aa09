"""How costs grow with the number of scenarios, as SVG."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 350, 300    # of one panel
LEFT, RIGHT, TOP, BOTTOM = 76, 26, 40, 62
COLOURS = {"exporter": "#b3261e", "nginx": "#1565c0", "bare": "#5f6368", "p50": "#b3261e",
           "p99": "#e08a00"}
LABELS = {"exporter": "encode_exporter", "nginx": "nginx", "bare": "bare server"}


def panels(rows):
    """[(title, unit, {line: [(scenarios, value, low, high)]})] of what was measured."""
    found = []
    for coding in ("gzip", "identity"):
        lines = {}
        for r in rows:
            d = r["detail"]
            if r["id"].startswith(f"scrape.results.{coding}.") and not r["skipped"]:
                for server in ("exporter", "nginx", "bare"):
                    s = d[server]["cpu_us"]
                    lines.setdefault(server, []).append(
                        (d["scenarios"], s["median"], s["low"], s["high"]))
        if lines:
            found.append((f"CPU of a scrape, results, {coding}", "µs", lines))
    lines = {}
    for r in rows:
        if r["id"].startswith("event.change.") and not r["skipped"]:
            for c in r["checks"]:
                lines.setdefault(c["name"], []).append(
                    (r["detail"]["scenarios"], c["value"], c["value"], c["value"]))
    if lines:
        found.append(("one scenario changed → served", "ms", lines))
    return found


def ticked(value):
    return f"{value:,.0f}".replace(",", " ") if value >= 1 else f"{value:g}"


class Axis:
    """Logarithmic, from a power of ten to a power of ten."""

    def __init__(self, values, start, end):
        self.low = math.floor(math.log10(min(values)))
        self.high = max(self.low + 1, math.ceil(math.log10(max(values)) - 1e-9))
        self.start, self.end = start, end

    def at(self, value):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self):
        return [10.0 ** n for n in range(self.low, self.high + 1)]


def text(x, y, words, anchor="middle", size=11, extra=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{extra}>'
            f'{escape(words)}</text>')


def line(x1, y1, x2, y2, colour="#d0d4d9", width=1):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" stroke-width="{width}"/>')


def panel(title, unit, lines, left):
    points = [p for series in lines.values() for p in series]
    x = Axis([p[0] for p in points], left + LEFT, left + WIDTH - RIGHT)
    y = Axis([v for p in points for v in p[1:] if v > 0], HEIGHT - BOTTOM, TOP)
    out = [text(left + (LEFT + WIDTH) / 2, 22, title, size=13, extra=' font-weight="bold"')]
    for tick in x.ticks():
        out += [line(x.at(tick), y.start, x.at(tick), y.end),
                text(x.at(tick), y.start + 16, ticked(tick))]
    for tick in y.ticks():
        out += [line(x.start, y.at(tick), x.end, y.at(tick)),
                text(x.start - 6, y.at(tick) + 4, f"{ticked(tick)} {unit}", "end")]
    out.append(text((x.start + x.end) / 2, y.start + 32, "scenarios"))
    key = x.start
    for name, series in lines.items():
        colour = COLOURS[name]
        series = sorted(series)
        path = " ".join(f"{x.at(n):.1f},{y.at(v):.1f}" for n, v, _, _ in series)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                   'stroke-width="2"/>')
        for n, v, low, high in series:
            out += [line(x.at(n), y.at(max(low, 1e-9)), x.at(n), y.at(high), colour, 1.5),
                    f'<circle cx="{x.at(n):.1f}" cy="{y.at(v):.1f}" r="3" fill="{colour}"/>']
        label = LABELS.get(name, name)
        out += [f'<rect x="{key:.1f}" y="{HEIGHT - 18}" width="10" height="10" '
                f'fill="{colour}"/>', text(key + 14, HEIGHT - 9, label, "start")]
        key += 26 + 6.2 * len(label)
    return out


def svg(rows):
    """The whole picture; None when nothing that it shows was measured."""
    shown = panels(rows)
    if not shown:
        return None
    width = WIDTH * len(shown)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" '
             f'viewBox="0 0 {width} {HEIGHT}" font-family="sans-serif" fill="#202124">',
             "<title>Cost by number of scenarios</title>",
             f'<rect width="{width}" height="{HEIGHT}" fill="#ffffff"/>']
    for i, (title, unit, lines) in enumerate(shown):
        parts += panel(title, unit, lines, i * WIDTH)
    return "\n".join([*parts, "</svg>"]) + "\n"
