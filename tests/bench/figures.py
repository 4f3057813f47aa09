"""Statistics of the benchmark and the rows they end up in."""

import statistics

MANY = 20    # up to so many values the spread is min to max, beyond it p5 to p95


def percentile(values, share):
    """The smallest value that at least this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


class Spread:
    """A median and how far the values lie around it."""

    def __init__(self, values):
        values = list(values)
        few = len(values) <= MANY
        self.count = len(values)
        self.median = statistics.median(values)
        self.low = min(values) if few else percentile(values, 0.05)
        self.high = max(values) if few else percentile(values, 0.95)

    def as_dict(self):
        return vars(self)


def ratios(ours, theirs):
    """Spread of what was taken in pairs: the n-th of one by the n-th of the other."""
    return Spread(a / b for a, b in zip(ours, theirs, strict=True) if b > 0)


class Check:
    """One number of a row beside its budget; budget None: told, not judged.

    name is "" for the row's own figure, "p99" and the like for another statistic, "×
    nginx" for a ratio, which has no unit.
    """

    def __init__(self, name, value, budget=None, spread=None):
        self.name = name
        self.value = value
        self.budget = budget
        self.spread = spread

    @classmethod
    def ratio(cls, to, ours, theirs, budget=None):
        spread = ratios(ours, theirs)
        return cls("× " + to, spread.median, budget, spread)

    @property
    def is_ratio(self):
        return self.name.startswith("×")

    @property
    def met(self):
        return None if self.budget is None else self.value <= self.budget

    def as_dict(self):
        return {"name": self.name, "value": self.value, "budget": self.budget,
                "spread": self.spread and self.spread.as_dict(), "met": self.met}


class Row:
    """One line of the table. id stays the same from run to run; detail is for JSON."""

    def __init__(self, id, what, how, unit, values=(), checks=(), note="", skipped="",
                 detail=None):
        self.id = id
        self.what = what
        self.how = how
        self.unit = unit
        self.spread = Spread(values) if values else None
        self.checks = list(checks)
        self.note = note
        self.skipped = skipped
        self.detail = detail or {}

    @property
    def met(self):
        judged = [c.met for c in self.checks if c.met is not None]
        return all(judged) if judged and not self.skipped else None

    def as_dict(self):
        return {"id": self.id, "what": self.what, "how": self.how, "unit": self.unit,
                "figure": self.spread and self.spread.as_dict(),
                "checks": [c.as_dict() for c in self.checks], "met": self.met,
                "note": self.note, "skipped": self.skipped, "detail": self.detail}
