#include "modules/cost/families.h"

#define MONTH     "energy only, as if it ran all month; never sum over scenarios"
#define CORRECTED "; what was counted too much is taken off what comes next"

const struct family cost_families[COST_FAMILY_COUNT] = {
    [COST_ALIVE] = { "cost_exporter_alive", "1 while the exporter runs", GAUGE },
    [COST_SCENARIOS] = { "cost_scenarios_total", "Number of scenarios served", GAUGE },
    [COST_INFO] = { "cost_exporter_info",
                    "Version and language of the exporter and the region of scenarios "
                    "that name none; always 1",
                    GAUGE },
    [COST_ENERGY] = { "cost_energy_load_aware",
                      "Price of the energy the encode used, in the currency of its "
                      "label",
                      GAUGE },
    [COST_COMPUTE] = { "cost_compute_load_aware",
                       "Price of the core-hours and GPU-hours the encode used, in the "
                       "currency of its label; by wall clock where no usage is known",
                       GAUGE },
    [COST_TOTAL] = { "cost_total_load_aware",
                     "Price of energy and compute together, as far as they are known, "
                     "in "
                     "the currency of its label",
                     GAUGE },
    [COST_SO_FAR] = { "cost_so_far",
                      "The same of an encode whose state is known: so far while it "
                      "runs, "
                      "in all once it ended; in the currency of its label",
                      GAUGE },
    [COST_BASIS] = { "cost_basis_info",
                     "What the figures for energy and compute rest on; always 1",
                     GAUGE },
    [COST_PER_PIXEL] = { "cost_per_pixel",
                         "Total cost per pixel encoded, in the currency of its label",
                         GAUGE },
    [COST_PER_WATCH_HOUR] = { "cost_per_watch_hour",
                              "Total cost per viewer and hour of content, in the "
                              "currency "
                              "of its label",
                              GAUGE },
    [COST_USD_PER_HOUR] = { "cost_usd_per_hour",
                            "Price of an hour at the mean power of the encode, in USD",
                            GAUGE },
    [COST_MONTHLY] = { "cost_monthly_projection",
                       "Cost of 720 hours at the mean power of the encode, in the "
                       "currency of its label: " MONTH,
                       GAUGE },
    [COST_SAVINGS] = { "cost_monthly_savings",
                       "Projection of the run's baseline minus this one's, at this "
                       "one's "
                       "price, in the currency of its label: " MONTH,
                       GAUGE },
    [CO2_EMISSIONS] = { "co2_emissions_kg",
                        "CO2 emitted for the energy the encode used, in kg", GAUGE },
    [CO2_PER_HOUR] = { "co2_emissions_kg_per_hour",
                       "CO2 emitted in an hour at the mean power of the encode, in kg",
                       GAUGE },
    [CO2_MONTHLY] = { "co2_monthly_projection",
                      "CO2 of 720 hours at the mean power of the encode, in kg: " MONTH,
                      GAUGE },
    [CO2_AVOIDED] = { "co2_monthly_avoided",
                      "CO2 projection of the run's baseline minus this one's, at this "
                      "one's intensity, in kg: " MONTH,
                      GAUGE },
    [COST_ACCRUED] = { "cost_accrued_total",
                       "Cost of all that was encoded or measured since the exporter's "
                       "first scan, in the currency of its label" CORRECTED,
                       COUNTER },
    [CO2_ACCRUED] = { "co2_accrued_kg_total",
                      "CO2 emitted for all that was encoded or measured since the "
                      "exporter's first scan, in kg" CORRECTED,
                      COUNTER },
    [COST_IN_REGION] = { "cost_in_region",
                         "Total cost had the encode run in the region of its label, in "
                         "the currency of its label",
                         GAUGE },
    [CO2_IN_REGION] = { "co2_in_region_kg",
                        "CO2 emitted had the encode run in the region of its label, in "
                        "kg",
                        GAUGE },
    [COST_PRICE] = { "cost_electricity_price_per_kwh",
                     "Price of 1 kWh reckoned with in a region in use, in the currency "
                     "of "
                     "its label",
                     GAUGE },
    [CO2_INTENSITY] = { "co2_intensity_kg_per_kwh",
                        "CO2 per kWh reckoned with in a region in use, in kg", GAUGE },
    [COST_KNOWN_PRICE] = { "cost_known_region_price_per_kwh",
                           "Price of 1 kWh in every region of the table, in the "
                           "currency "
                           "of its label",
                           GAUGE },
    [CO2_KNOWN_INTENSITY] = { "co2_known_region_intensity_kg_per_kwh",
                              "CO2 per kWh in every region of the table, in kg",
                              GAUGE },
    [COST_PRICE_INFO] = { "cost_price_info",
                          "Where the price of 1 kWh in a region in use comes from; "
                          "always 1",
                          GAUGE },
    [COST_PRICE_AS_OF] = { "cost_price_as_of_timestamp_seconds",
                           "Unix time in seconds that the price of 1 kWh is of, where "
                           "the "
                           "pricing file says so",
                           GAUGE },
    [CO2_INTENSITY_INFO] = { "co2_intensity_info",
                             "Where the CO2 per kWh of a region in use comes from; "
                             "always 1",
                             GAUGE },
    [CO2_INTENSITY_AS_OF] = { "co2_intensity_as_of_timestamp_seconds",
                              "Unix time in seconds that the CO2 per kWh is of, where "
                              "its "
                              "source says so",
                              GAUGE },
    [COST_RATE] = { "cost_exchange_rate",
                    "Units of the currency `to` for one of the currency `from`",
                    GAUGE },
    [COST_PUE] = { "cost_power_usage_effectiveness",
                   "Energy paid for per energy measured, of all that is served here; "
                   "--pue",
                   GAUGE },
};
