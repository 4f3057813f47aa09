"""What the boards are said in: variables, queries that convert money, kinds of panels.

A board is a list of rows, a row a list of panels, each with its width and height. Places,
numbers, letters of the queries and the data source are filled in here, so that the boards
themselves hold only what differs from panel to panel.
"""

# Grafana 11; newer ones migrate a board when they load it.
SCHEMA_VERSION = 39
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
TAG = "encode-exporter"
GREEN, YELLOW, RED, BLUE, TEXT = "green", "yellow", "red", "blue", "text"

# A run's label is on results families always, on the others with --runs all or a number
# only. The empty alternative keeps those that have none.
RUN = 'run_id=~"$run|"'
CHOSEN = RUN + ',scenario=~"$scenario",encoder=~"$encoder"'
CHOSEN_COST = CHOSEN + ',region=~"$region"'

# Labels by which tables tell encodes apart.
ENCODE = "run_id, scenario, bitrate, resolution, encoder, preset, repeat"
ENCODE_COLUMNS = ["scenario", "encoder", "preset", "resolution", "bitrate", "region",
                  "run_id", "repeat"]
COLUMN_NAMES = {"scenario": "Scenario", "encoder": "Encoder", "preset": "Preset",
                "resolution": "Resolution", "bitrate": "Bit rate", "region": "Region",
                "run_id": "Run", "repeat": "Repeat", "currency": "Currency",
                "energy": "Energy from", "compute": "Compute from",
                "source": "Energy from", "config": "Configuration", "fps": "Frames/s"}


# ---- queries ------------------------------------------------------------------------
# Units of the chosen currency for one of each other currency.
RATES = ('max by (currency) (label_replace(cost_exchange_rate{to="$currency"}, '
         '"currency", "$1", "from", "(.+)"))')
SAME = 'label_replace(vector(1), "currency", "$currency", "", "")'


def in_currency(expr):
    """Labels every result with the currency that it is in by now."""
    return f'label_replace({expr}, "currency", "$currency", "", "")'


def money(metric, chosen="", over="{}"):
    """The chosen currency's series where it is served, else another one's, converted.

    Where several lead there, the largest counts: their rates differ by rounding alone.
    over: what is made of the selector, like rate({}[5m]).
    """
    comma = "," if chosen else ""
    served = over.format(f'{metric}{{{chosen}{comma}currency="$currency"}}')
    other = over.format(f'{metric}{{{chosen}{comma}currency!="$currency"}}')
    return in_currency(f"({served} or ignoring (currency) max without (currency) "
                       f"({other} * on (currency) group_left () {RATES}))")


def from_usd(expr):
    """Dollars that carry no currency, in the chosen one."""
    dollars = f'label_replace({expr}, "currency", "USD", "", "")'
    return in_currency(f"({dollars} * on (currency) group_left () "
                       f"({RATES} or {SAME}))")


def with_basis(expr, chosen=CHOSEN_COST):
    """Adds to a cost figure what its energy and its compute rest on."""
    return (f"{expr} * ignoring (currency, energy, compute) "
            f"group_left (energy, compute) cost_basis_info{{{chosen}}}")


def by_encode(expr, more=""):
    """One row for each encode; its first appearance is number 1."""
    labels = ENCODE + (", " + more if more else "")
    return f'sum by ({labels}) (label_replace({expr}, "repeat", "1", "repeat", ""))'


def line(expr, legend):
    return {"expr": expr, "legendFormat": legend, "range": True}


def now(expr, legend="__auto"):
    return {"expr": expr, "legendFormat": legend, "instant": True}


def column(expr):
    return {"expr": expr, "format": "table", "instant": True, "legendFormat": "__auto"}


# ---- fields -------------------------------------------------------------------------
def steps(*pairs):
    """steps((None, RED), (70, YELLOW), …): from which value on which colour."""
    return {"mode": "absolute", "steps": [{"value": v, "color": c} for v, c in pairs]}


VMAF_STEPS = steps((None, RED), (70, YELLOW), (85, GREEN))
PSNR_STEPS = steps((None, RED), (30, YELLOW), (40, GREEN))
PLAIN = steps((None, BLUE))
UP_STEPS = steps((None, RED), (1, GREEN))
UP_OR_DOWN = [{"type": "value", "options": {
    "0": {"text": "down", "color": RED, "index": 0},
    "1": {"text": "up", "color": GREEN, "index": 1}}}]


def override(name, **properties):
    """Properties of the one field of that name; dots in them are written __."""
    return {"matcher": {"id": "byName", "options": name},
            "properties": [{"id": key.replace("__", "."), "value": value}
                           for key, value in properties.items()]}


def panel(kind, title, description, targets, options, *, unit="none", thresholds=PLAIN,
          decimals=None, low=None, high=None, custom=None, overrides=(), mappings=(),
          transformations=(), by_threshold=False):
    defaults = {"unit": unit, "thresholds": thresholds, "mappings": list(mappings),
                "color": {"mode": "thresholds" if by_threshold else "palette-classic"}}
    for key, value in (("decimals", decimals), ("min", low), ("max", high),
                       ("custom", custom)):
        if value is not None:
            defaults[key] = value
    return {"type": kind, "title": title, "description": description,
            "targets": targets, "options": options,
            "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
            "transformations": list(transformations)}


# ---- kinds of panels ----------------------------------------------------------------
REDUCE = {"calcs": ["lastNotNull"], "fields": "", "values": False}


def timeseries(title, description, targets, *, stacked=False, limits=False, **field):
    custom = {"drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1,
              "fillOpacity": 30 if stacked else 5, "showPoints": "auto",
              # An exporter that is gone leaves a gap, not a line to its next start.
              "spanNulls": False,
              "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
              "thresholdsStyle": {"mode": "dashed" if limits else "off"}}
    options = {"legend": {"showLegend": True, "displayMode": "table",
                          "placement": "right", "calcs": ["lastNotNull"],
                          "sortBy": "Last *", "sortDesc": True, "width": 320},
               "tooltip": {"mode": "multi", "sort": "desc"}}
    return panel("timeseries", title, description, targets, options, custom=custom, **field)


def stat(title, description, targets, *, text="auto", graph="none", background=False,
         **field):
    options = {"reduceOptions": REDUCE, "orientation": "auto", "textMode": text,
               "colorMode": "background" if background else "value",
               "graphMode": graph, "justifyMode": "auto", "wideLayout": True,
               "showPercentChange": False}
    return panel("stat", title, description, targets, options, by_threshold=True, **field)


def gauge(title, description, targets, **field):
    options = {"reduceOptions": REDUCE, "orientation": "auto", "sizing": "auto",
               "minVizWidth": 75, "minVizHeight": 75, "showThresholdLabels": False,
               "showThresholdMarkers": True}
    return panel("gauge", title, description, targets, options, by_threshold=True, **field)


def bargauge(title, description, targets, **field):
    options = {"reduceOptions": REDUCE, "orientation": "horizontal",
               "displayMode": "basic", "valueMode": "color", "namePlacement": "left",
               "showUnfilled": True, "sizing": "auto", "minVizWidth": 8,
               "minVizHeight": 16, "maxVizHeight": 300}
    return panel("bargauge", title, description, targets, options, by_threshold=True,
                 **field)


def piechart(title, description, targets, **field):
    options = {"reduceOptions": REDUCE, "pieType": "donut", "displayLabels": ["percent"],
               "legend": {"showLegend": True, "displayMode": "table",
                          "placement": "right", "calcs": [],
                          "values": ["value", "percent"]},
               "tooltip": {"mode": "single", "sort": "none"}}
    return panel("piechart", title, description, targets, options, **field)


def state_timeline(title, description, targets, **field):
    options = {"mergeValues": True, "showValue": "auto", "alignValue": "left",
               "rowHeight": 0.8,
               "legend": {"showLegend": False, "displayMode": "list",
                          "placement": "bottom", "calcs": []},
               "tooltip": {"mode": "single", "sort": "none"}}
    return panel("state-timeline", title, description, targets, options,
                 by_threshold=True, custom={"fillOpacity": 70, "lineWidth": 0}, **field)


def table(title, description, columns, labels, *, sort=None, units=None, hidden=(),
          overrides=(), **field):
    """columns: (name, query) each; labels: those of the series, in their order.

    units: of columns that have another one than the panel. hidden: columns that a query
    brings along for the sake of its labels. sort: the column to begin with, "-Name" for
    the largest first.
    """
    targets = [column(query) for _, query in columns]
    # Grafana calls the only query's column Value, several ones' by their letters.
    values = {"Value" if len(columns) == 1 else f"Value #{letter(i)}": name
              for i, (name, _) in enumerate(columns)}
    names = {**{label: COLUMN_NAMES.get(label, label) for label in labels}, **values}
    order = {name: i for i, name in enumerate(names)}
    dropped = {raw for raw, name in values.items() if name in hidden}
    organize = {"excludeByName": {"Time": True, **{raw: True for raw in sorted(dropped)}},
                "includeByName": {}, "indexByName": {"Time": len(order), **order},
                "renameByName": names}
    options = {"showHeader": True, "cellHeight": "sm",
               "footer": {"show": False, "reducer": ["sum"],
                          "countRows": False},
               "sortBy": [{"displayName": sort.lstrip("-"),
                           "desc": sort.startswith("-")}] if sort else []}
    steps_to_rows = [{"id": "merge", "options": {}}] if len(columns) > 1 else []
    return panel("table", title, description, targets, options,
                 custom={"align": "auto", "cellOptions": {"type": "auto"},
                         "filterable": True, "inspect": False},
                 overrides=[override(name, unit=unit)
                            for name, unit in (units or {}).items()] + list(overrides),
                 transformations=steps_to_rows + [{"id": "organize", "options": organize}],
                 **field)


def row(title):
    """A heading across the board."""
    return {"type": "row", "title": title, "collapsed": False, "panels": []}


# ---- variables ----------------------------------------------------------------------
def datasource_variable():
    return {"name": "datasource", "label": "Data source", "type": "datasource",
            "description": "Prometheus, or VictoriaMetrics as a source of type Prometheus",
            "query": "prometheus", "regex": "", "refresh": 1, "hide": 0, "multi": False,
            "includeAll": False, "options": []}


def variable(name, label, description, query, *, several=True, current=None,
             everything_is=".*"):
    """Its values are asked for when the board opens and when its time changes."""
    if several:
        current = {"selected": True, "text": ["All"], "value": ["$__all"]}
    return {"name": name, "label": label, "description": description, "type": "query",
            "datasource": DATASOURCE,
            "query": {"query": query, "refId": f"variable-{name}", "qryType": 1},
            "refresh": 2, "regex": "", "sort": 1, "hide": 0, "options": [],
            "multi": several, "includeAll": several,
            **({"allValue": everything_is} if several else {}),
            **({"current": current} if current else {})}


def run_variable():
    return variable(
        "run", "Run", "Runs served. QoE and cost figures tell their run with --runs all "
        "or a number; with --runs latest they are the newest run's and always shown",
        "label_values(results_run_file_mtime_seconds, run_id)")


def scenario_variable():
    # A name may hold a line's end, which a dot does not match in Prometheus 2.
    return variable("scenario", "Scenario", "Encodes of these names",
                    f"label_values(results_scenario_duration_seconds{{{RUN}}}, scenario)",
                    everything_is="(?s:.*)")


def encoder_variable():
    return variable("encoder", "Encoder", "Encodes by these encoders",
                    f"label_values(results_scenario_duration_seconds{{{RUN}}}, encoder)")


def currency_variable():
    return variable("currency", "Currency", "What is served in another currency is "
                    "converted by cost_exchange_rate",
                    "label_values(cost_exchange_rate, to)", several=False,
                    current={"selected": True, "text": "USD", "value": "USD"})


def region_variable(description="Regions that the encodes ran in",
                    metric="cost_electricity_price_per_kwh"):
    return variable("region", "Region", description,
                    f"label_values({metric}, region)")


# ---- boards -------------------------------------------------------------------------
def letter(index):
    return chr(ord("A") + index)


def place(panels, rows):
    """Gives each panel its number and its place on a grid of 24 columns."""
    y = 0
    for entry in rows:
        x = tallest = 0
        for content, width, height in entry:
            content = dict(content, id=len(panels) + 1,
                           gridPos={"x": x, "y": y, "w": width, "h": height})
            if content["type"] != "row":
                content["datasource"] = DATASOURCE
                content["targets"] = [dict(target, refId=letter(i), datasource=DATASOURCE)
                                      for i, target in enumerate(content["targets"])]
            panels.append(content)
            x += width
            tallest = max(tallest, height)
        y += tallest
    return panels


def heading(title):
    return [(row(title), 24, 1)]


def board(uid, title, description, variables, rows, *, since="now-1h"):
    return {
        "uid": uid, "title": title, "description": description,
        "tags": [TAG], "schemaVersion": SCHEMA_VERSION, "version": 1, "editable": True,
        "graphTooltip": 1, "timezone": "browser", "weekStart": "",
        "time": {"from": since, "to": "now"}, "refresh": "10s", "fiscalYearStartMonth": 0,
        "timepicker": {"refresh_intervals": ["1s", "5s", "10s", "30s", "1m", "5m", "15m"]},
        "annotations": {"list": [{
            "builtIn": 1, "datasource": {"type": "grafana", "uid": "-- Grafana --"},
            "enable": True, "hide": True, "iconColor": "rgba(0, 211, 255, 1)",
            "name": "Annotations & Alerts", "type": "dashboard"}]},
        "links": [{"type": "dashboards", "title": "Encode boards", "tags": [TAG],
                   "asDropdown": True, "includeVars": True, "keepTime": True,
                   "targetBlank": False, "icon": "external link", "tooltip": "",
                   "url": ""}],
        "templating": {"list": [datasource_variable(), *variables]},
        "panels": place([], rows),
    }
