"""The same encodes in every region, from the table of known prices.

Energy of an encode is what its CO2 and the intensity of its region say, both of one
scrape: so it holds what --pue adds, carries the labels of the cost families, and no other
endpoint is needed. Compute costs the same everywhere. It is what --compare-regions serves
as cost_in_region and co2_in_region_kg, without these series.
"""

from vocabulary import (
    CHOSEN, ENCODE_COLUMNS, GREEN, bargauge, board, by_encode, currency_variable,
    encoder_variable, heading, line, money, now, override, region_variable,
    run_variable, scenario_variable, stat, steps, table, timeseries, with_basis)

CO2 = f"co2_emissions_kg{{{CHOSEN}}}"
KWH = (f"({CO2} / on (job, instance, region) group_left () "
       "(co2_intensity_kg_per_kwh > 0))")
# Encodes whose energy is not known cannot be compared, so their compute is left out.
COMPARABLE = f"and ignoring (currency) {CO2}"
COMPUTE = f"({money('cost_compute_load_aware', CHOSEN)} {COMPARABLE})"
AS_IT_RAN = f"({money('cost_total_load_aware', CHOSEN)} {COMPARABLE})"

SHOWN = 'region=~"$region"'
# Of several exporters one that serves the chosen currency is believed before others.
PRICE = money("cost_known_region_price_per_kwh", SHOWN, "max by (region, currency) ({})")
INTENSITY = f"max by (region) (co2_known_region_intensity_kg_per_kwh{{{SHOWN}}})"
COST = f"({PRICE} * scalar(sum({KWH})) + scalar(sum({COMPUTE}) or vector(0)))"
CARBON = f"({INTENSITY} * scalar(sum({KWH})))"
CHEAPEST = (f"({KWH} * scalar(min({PRICE})) + ignoring (currency) "
            f"({COMPUTE} or ignoring (currency) {KWH} * 0))")
CLEANEST = f"({KWH} * scalar(min({INTENSITY})))"
ONE_GREEN = steps((None, GREEN))

GLANCE = [
    (stat("Cheapest ($currency)", "The region in which the chosen encodes would cost "
          "least, all of them together, in the chosen currency.",
          [now(f"bottomk(1, {COST})", "{{region}} ({{currency}})")],
          text="value_and_name", thresholds=ONE_GREEN), 5, 6),
    (stat("Cleanest", "The region in which they would emit the least CO₂.",
          [now(f"bottomk(1, {CARBON})", "{{region}}")], text="value_and_name",
          unit="masskg", thresholds=ONE_GREEN), 5, 6),
    (stat("As they ran ($currency)", "What they cost where they ran, at the prices in "
          "force there (--energy-cost applies). Encodes whose energy is unknown are left "
          "out on the whole board.",
          [now(f"sum by (currency) ({AS_IT_RAN})", "{{currency}}")]), 4, 6),
    (stat("Savings ($currency)", "As they ran, minus the cheapest region. Below 0 where a "
          "price given by --energy-cost is lower than that of every region shown.",
          [now(f"sum by (currency) ({AS_IT_RAN}) - scalar(min({COST}))", "{{currency}}"),
           now(f"100 * (1 - scalar(min({COST})) / sum by (currency) ({AS_IT_RAN}))",
               "part of it")],
          text="value_and_name", thresholds=ONE_GREEN,
          overrides=[override("part of it", unit="percent", decimals=1)]), 5, 6),
    (stat("CO₂ avoided", "CO₂ where they ran, minus that in the cleanest region.",
          [now(f"sum({CO2}) - scalar(min({CARBON}))", "CO₂"),
           now(f"100 * (1 - scalar(min({CARBON})) / sum({CO2}))", "part of it")],
          unit="masskg", text="value_and_name", thresholds=ONE_GREEN,
          overrides=[override("part of it", unit="percent", decimals=1)]), 5, 6),
]

BARS = [
    (bargauge("Cost in every region ($currency)",
              "The chosen encodes in each region: their energy at its price, plus the same "
              "compute cost. Cheapest first.",
              [now(f"sort({COST})", "{{region}} ({{currency}})")], low=0), 12, 11),
    (bargauge("CO₂ in every region",
              "Energy of the chosen encodes × intensity of each region. Cleanest first.",
              [now(f"sort({CARBON})", "{{region}}")], unit="masskg", low=0), 12, 11),
]

BY_REGION = table(
    "Regions",
    "The chosen encodes together, in each region. More than as they ran is above 0. Where "
    "price and intensity of the regions in use come from: the table beside.",
    [("Cost", COST), ("Price of 1 kWh", PRICE), ("CO₂", CARBON),
     ("Intensity", INTENSITY),
     ("Cost, change", f"{COST} - scalar(sum({AS_IT_RAN}))"),
     ("Cost, percent", f"100 * ({COST} / scalar(sum({AS_IT_RAN})) - 1)"),
     ("CO₂, change", f"{CARBON} - scalar(sum({CO2}))"),
     ("CO₂, percent", f"100 * ({CARBON} / scalar(sum({CO2})) - 1)")],
    ["region", "currency"], sort="Cost",
    units={"CO₂": "masskg", "CO₂, change": "masskg", "CO₂, percent": "percent",
           "Cost, percent": "percent", "Intensity": "suffix: kg/kWh"},
    overrides=[override(name, decimals=1) for name in ("Cost, percent", "CO₂, percent")])

ORIGIN = table(
    "Where prices and intensities come from",
    "Of the regions in use: builtin, file (--pricing-config), flag (--energy-cost) or "
    "electricitymaps. Other regions are as the pricing file or the built-in table says.",
    [("price", 'label_replace(count by (region, source) (cost_price_info), "figure", '
      '"price", "", "") or label_replace(count by (region, source) (co2_intensity_info), '
      '"figure", "intensity", "", "")')],
    ["region", "figure", "source"], hidden=("price",), sort="Region")

BY_ENCODE = table(
    "Encodes",
    "Each chosen encode where it ran and in the best of the regions shown; its energy rests "
    "on what the column says.",
    [("As it ran", by_encode(with_basis(AS_IT_RAN, CHOSEN),
                             "region, currency, energy, compute")),
     ("Cheapest", by_encode(CHEAPEST, "region")),
     ("CO₂", by_encode(CO2, "region")),
     ("Cleanest", by_encode(CLEANEST, "region")),
     ("Energy", by_encode(KWH, "region"))],
    ENCODE_COLUMNS + ["currency", "energy", "compute"], sort="-As it ran",
    units={"CO₂": "masskg", "Cleanest": "masskg", "Energy": "kwatth"})

OVER_TIME = [
    (timeseries("Cost in every region over time ($currency)",
                "As above, at the prices of each moment.",
                [line(COST, "{{region}} ({{currency}})")], low=0), 12, 9),
    (timeseries("CO₂ in every region over time", "As above, at the intensities of each "
                "moment.", [line(CARBON, "{{region}}")], unit="masskg", low=0), 12, 9),
]

BOARD = board(
    "encode-regions", "Encode: regions",
    "What the same encodes would cost and emit in every region of the table of prices.",
    [run_variable(), scenario_variable(), encoder_variable(), currency_variable(),
     region_variable("Regions to compare", "cost_known_region_price_per_kwh")],
    [heading("At a glance"), GLANCE, heading("Regions"), BARS,
     [(BY_REGION, 16, 10), (ORIGIN, 8, 10)], OVER_TIME, heading("Encodes"),
     [(BY_ENCODE, 24, 10)]])
