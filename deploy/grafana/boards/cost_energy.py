"""What the served encodes cost in money, energy and CO2."""

from vocabulary import (
    CHOSEN, CHOSEN_COST, ENCODE_COLUMNS, GREEN, RED, UP_OR_DOWN, UP_STEPS, YELLOW, board,
    by_encode, currency_variable, encoder_variable, gauge, heading, line, money, now,
    piechart, region_variable, run_variable, scenario_variable, stat, state_timeline,
    steps, table, timeseries, with_basis)

TOTAL = money("cost_total_load_aware", CHOSEN_COST)
ENERGY = money("cost_energy_load_aware", CHOSEN_COST)
COMPUTE = money("cost_compute_load_aware", CHOSEN_COST)
CO2 = f"co2_emissions_kg{{{CHOSEN_COST}}}"
JOBS = 'job=~"encode.*"'
ALERTS = ('count by (alertname) (ALERTS{alertstate="firing"}) '
          'or on () label_replace(vector(0), "alertname", "none", "", "")')

GLANCE = [
    (gauge("Total cost ($currency)",
           "Energy and compute of the chosen encodes, as far as they are known, in the "
           "chosen currency. The scale ends at 20, the limit of the alert "
           "DailyBudgetExceeded (which is in USD). What it rests on: table beside it.",
           [now(f"sum by (currency) ({TOTAL})", "{{currency}}")], low=0, high=20,
           thresholds=steps((None, GREEN), (10, YELLOW), (20, RED))), 5, 7),
    (gauge("Total CO₂",
           "CO₂ of the chosen encodes whose energy is known: energy × intensity of their "
           "region. The scale ends at 10 kg, the limit of the alert HighCO2Emissions.",
           [now(f"sum({CO2})", "CO₂")], unit="masskg", low=0, high=10,
           thresholds=steps((None, GREEN), (5, YELLOW), (10, RED))), 5, 7),
    (table("What the totals rest on",
           "How many of the chosen encodes rest on which source. Energy: samples of the "
           "file, reported, asked upstream, sampled here, estimated, none. Compute: usage, "
           "reported, wall_clock (billed by duration), none. docs/energy.md",
           [("Encodes", f"count by (energy, compute) (cost_basis_info{{{CHOSEN_COST}}})")],
           ["energy", "compute"], sort="-Encodes"), 6, 7),
    (piechart("Cost distribution ($currency)",
              "Share of each encode in the total cost, in the chosen currency.",
              [now(f"sum by (scenario, currency) ({TOTAL})", "{{scenario}} ({{currency}})")]
              ), 8, 7),
]

STATUS = [
    (stat("Exporter",
          "Whether the endpoints can be scraped: one tile for each job of the scrape "
          "configuration whose name begins with encode.",
          [now(f"min by (job) (up{{{JOBS}}})", "{{job}}")], text="value_and_name",
          background=True, thresholds=UP_STEPS, mappings=UP_OR_DOWN), 8, 4),
    (stat("Newest file",
          "1 while the newest results file can be read; 0 while it cannot, and the last "
          "good figures stay served.",
          [now("min(results_exporter_up)", "readable")], thresholds=UP_STEPS,
          mappings=[{"type": "value", "options": {
              "0": {"text": "unreadable", "color": RED, "index": 0},
              "1": {"text": "readable", "color": GREEN, "index": 1}}}]), 4, 4),
    (stat("Last change", "Time since anything that is served last changed.",
          [now("time() - max(encode_exporter_last_change_timestamp_seconds)", "ago")],
          unit="s"), 4, 4),
    (stat("Encodes served", "Scenarios of all runs that are served, chosen or not.",
          [now("sum(results_scenarios_total)", "encodes")]), 4, 4),
    (stat("Alerts firing",
          "Alerts of this data source that fire: of deploy/prometheus/rules and of whatever "
          "else is evaluated there. Needs Prometheus with rules, or vmalert.",
          [now(ALERTS, "{{alertname}}")], text="value_and_name",
          thresholds=steps((None, GREEN), (1, RED))), 4, 4),
    (state_timeline("Exporter status",
                    "When each endpoint could be scraped. An instance that ended is no gap "
                    "of the others.",
                    [line(f"max by (job, instance) (up{{{JOBS}}})", "{{job}} {{instance}}")],
                    thresholds=UP_STEPS, mappings=UP_OR_DOWN), 24, 5),
]

OVER_TIME = [
    [(timeseries("Total cost by scenario ($currency)",
                 "Price of energy and compute together of each chosen encode.",
                 [line(TOTAL, "{{scenario}} ({{currency}})")], low=0), 12, 9),
     (timeseries("Energy against compute ($currency)",
                 "Sums over the chosen encodes: energy at the price of its region, and "
                 "core-hours at theirs. Encodes whose energy is unknown are in compute alone.",
                 [line(f"sum by (currency) ({ENERGY})", "energy ({{currency}})"),
                  line(f"sum by (currency) ({COMPUTE})", "compute ({{currency}})")],
                 stacked=True, low=0), 12, 9)],
    [(timeseries("CO₂ by scenario",
                 "Energy of each chosen encode × CO₂ intensity of its region.",
                 [line(CO2, "{{scenario}}")], unit="masskg", low=0), 12, 9),
     (timeseries("Mean power by scenario",
                 "Mean power (CPU and GPU) of each chosen encode whose power is known.",
                 [line(f"results_scenario_mean_power_watts{{{CHOSEN}}}", "{{scenario}}")],
                 unit="watt", low=0), 12, 9)],
    [(timeseries("Spending per hour ($currency)",
                 "How fast the counter of what appeared or grew since the exporter's start "
                 "rises, by region. Files that were there at the start are its zero.",
                 [line(f"3600 * {spent}", "{{region}} ({{currency}})")
                  for spent in ["sum by (region, currency) (" + money(
                      "cost_accrued_total", 'region=~"$region"',
                      "rate({}[$__rate_interval])") + ")"]], low=0), 12, 8),
     (stat("Spent in the time shown ($currency)",
           "What appeared or grew in the time that this board shows, in the chosen currency.",
           [now("sum by (currency) (" + money("cost_accrued_total", 'region=~"$region"',
                                              "increase({}[$__range])") + ")",
                "{{currency}}")], text="value_and_name"), 6, 8),
     (stat("CO₂ in the time shown",
           "CO₂ of what appeared or grew in the time that this board shows.",
           [now('sum(increase(co2_accrued_kg_total{region=~"$region"}[$__range]))', "CO₂")],
           unit="masskg"), 6, 8)],
]

SUMMARY = table(
    "Summary",
    "One row for each chosen encode: cost in the chosen currency, and what its energy and "
    "compute rest on. An empty cell is not known. Repeat numbers encodes that differ in "
    "nothing.",
    [("Total", by_encode(with_basis(TOTAL), "region, currency, energy, compute")),
     ("Energy cost", by_encode(ENERGY, "region")),
     ("Compute cost", by_encode(COMPUTE, "region")),
     ("Per watch hour", by_encode(money("cost_per_watch_hour", CHOSEN_COST), "region")),
     ("CO₂", by_encode(CO2, "region")),
     ("Energy", by_encode(f"results_scenario_total_energy_wh{{{CHOSEN}}}")),
     ("Mean power", by_encode(f"results_scenario_mean_power_watts{{{CHOSEN}}}")),
     ("Duration", by_encode(f"results_scenario_duration_seconds{{{CHOSEN}}}"))],
    ENCODE_COLUMNS + ["currency", "energy", "compute"], sort="-Total",
    units={"CO₂": "masskg", "Energy": "watth", "Mean power": "watt", "Duration": "s"})

BOARD = board(
    "cost-energy-monitoring", "Encode: cost and energy",
    "What the served encodes cost in money, energy and CO₂, and what each figure rests on.",
    [run_variable(), scenario_variable(), encoder_variable(), currency_variable(),
     region_variable()],
    [heading("At a glance"), GLANCE, STATUS[:5], heading("Over time"), *OVER_TIME,
     heading("Encodes"), [(SUMMARY, 24, 12)], heading("Exporter"), STATUS[5:]])
