"""What encoding will cost if it goes on: by recording rules, and from the counters."""

from vocabulary import (
    board, currency_variable, heading, line, money, now, region_variable,
    stat, table, timeseries)

WHERE = 'region=~"$region"'
PERIODS = (("1d", "day"), ("7d", "week"), ("30d", "month"))
RULES = "Needs the recording rules of deploy/prometheus/rules/forecast.yml."


# The rules are evaluated every two minutes, and Prometheus forgets a sample after five: an
# evaluation that takes long, or a restart, is no gap in the lines.
RECORDED = "last_over_time({}[20m])"


def cost(operation):
    return ("sum by (region, currency) ("
            + money(f"region_currency:cost_accrued:{operation}", WHERE, RECORDED) + ")")


def carbon(operation):
    recorded = RECORDED.format(f"region:co2_accrued_kg:{operation}{{{WHERE}}}")
    return f"sum by (region) ({recorded})"


def total(expr, labels="currency"):
    return f"sum by ({labels}) ({expr})" if labels else f"sum({expr})"


def cost_stat(period, name):
    return stat(
        f"Cost of a {name} ($currency)",
        f"Spent in the last {name}; the next one if it goes on as in the last 7 days "
        "(smoothed) or along the straight line through the last days (linear). The linear "
        f"one begins after 8 days of data (month: 15), the smoothed one after one. {RULES}",
        [now(total(cost(f"spent{period}")), "spent ({{currency}})"),
         now(total(cost(f"forecast{period}_smoothed")), "smoothed ({{currency}})"),
         now(total(cost(f"forecast{period}_linear")), "linear ({{currency}})")],
        text="value_and_name", decimals=2)


def carbon_stat(period, name):
    return stat(
        f"CO₂ of a {name}",
        f"Emitted in the last {name}, and the next one, smoothed and linear as cost is. "
        f"{RULES}",
        [now(total(carbon(f"spent{period}"), ""), "emitted"),
         now(total(carbon(f"forecast{period}_smoothed"), ""), "smoothed"),
         now(total(carbon(f"forecast{period}_linear"), ""), "linear")],
        unit="masskg", text="value_and_name")


def cost_lines(period, name):
    return timeseries(
        f"Cost of a {name} over time ($currency)",
        f"At each moment: the {name} before it, and what the {name} after it was forecast to "
        f"cost. {RULES}",
        [line(total(cost(f"spent{period}")), "spent ({{currency}})"),
         line(total(cost(f"forecast{period}_smoothed")), "smoothed ({{currency}})"),
         line(total(cost(f"forecast{period}_linear")), "linear ({{currency}})")], low=0)


BY_REGION = table(
    "By region",
    "Spent and forecast by region, cost in the chosen currency. An exporter that is younger "
    f"than a day has no forecast yet. {RULES}",
    [column for period, name in PERIODS for column in (
        (f"Spent, {name}", cost(f"spent{period}")),
        (f"Smoothed, {name}", cost(f"forecast{period}_smoothed")),
        (f"Linear, {name}", cost(f"forecast{period}_linear")),
        (f"CO₂, {name}", carbon(f"spent{period}")),
        (f"CO₂ to come, {name}", carbon(f"forecast{period}_smoothed")))],
    ["region", "currency"], sort="Region", decimals=3,
    units={f"{text}, {name}": "masskg" for _, name in PERIODS
           for text in ("CO₂", "CO₂ to come")})


def ahead(seconds):
    """What the counters will have grown, if the line through the time shown goes on."""
    return ("sum by (currency) (clamp_min("
            + money("cost_accrued_total", WHERE,
                    f"(predict_linear({{0}}[$__range], {seconds}) - {{0}})") + ", 0))")


LIVE = [
    (timeseries("Next day, week and month from the time shown ($currency)",
                "predict_linear over the counters: what they will have grown if the straight "
                "line through the time shown goes on. Needs no rules and no days of data, "
                "and knows nothing of nights and weekends. Services only: a job's counter "
                "ends with it.",
                [line(ahead(86400), "day ({{currency}})"),
                 line(ahead(7 * 86400), "week ({{currency}})"),
                 line(ahead(30 * 86400), "month ({{currency}})")], low=0), 12, 9),
    (timeseries("Cost per hour, smoothed ($currency)",
                "How fast the counters rise, and its mean over the hour before each moment. "
                "Needs no rules.",
                [line("sum by (currency) (" + money(
                    "cost_accrued_total", WHERE, "(3600 * rate({}[$__rate_interval]))") + ")",
                    "now ({{currency}})"),
                 line("sum by (currency) (" + money(
                     "cost_accrued_total", WHERE,
                     "avg_over_time((3600 * rate({}[2m]))[1h:10s])") + ")",
                     "mean of the hour ({{currency}})")], low=0), 12, 9),
]

BOARD = board(
    "encode-forecast", "Encode: forecast",
    "What encoding cost by day, week and month, and what it will cost if it goes on; what "
    "forecasts are worth: docs/forecasts.md.",
    [currency_variable(), region_variable("Regions that money was spent in",
                                          "cost_accrued_total")],
    [heading("Cost"), [(cost_stat(*p), 8, 6) for p in PERIODS],
     [(cost_lines(*p), 8, 9) for p in PERIODS], heading("CO₂"),
     [(carbon_stat(*p), 8, 6) for p in PERIODS], heading("Regions"), [(BY_REGION, 24, 8)],
     heading("From the counters, without rules"), LIVE], since="now-7d")
