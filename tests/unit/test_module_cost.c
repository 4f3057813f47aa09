#include "tests/unit/cost_host.h"

static void every_figure_has_its_family(void **state)
{
    (void)state;
    struct scenario s = one_kwh();
    struct host h;

    s.facts.content_s = 7200;
    s.facts.viewers = 5;
    OPEN(&h, { "region", "default" });
    host_scenario(&h, &s);
#define LABELS_OF(currency)                                                            \
    "{scenario=\"one\",region=\"default\"," currency                                   \
    "streams=\"1\",bitrate=\"2500k\",encoder=\"h264\",resolution=\"1280x720\",preset=" \
    "\"veryfast\",service=\"cost-analysis\""
    /* 3.6e6 J are 1 kWh at 0.12; 1 core-hour at 0.50; together 0.62 */
    assert_served(&h, "cost_energy_load_aware",
                  "cost_energy_load_aware" LABELS_OF("currency=\"USD\",") "} 0.12\n");
    assert_near(sample(&h, "cost_compute_load_aware", NULL), 0.5, 0);
    assert_near(sample(&h, "cost_total_load_aware", NULL), 0.62, 1e-15);
    assert_served(
        &h, "cost_basis_info",
        "cost_basis_info" LABELS_OF("") ",energy=\"samples\",compute=\"usage\"} "
                                        "1\n");
    /* 0.62 / 1000 pixels; 0.62 / (2 h · 5 viewers) */
    assert_near(sample(&h, "cost_per_pixel", NULL), 0.00062, 1e-15);
    assert_near(sample(&h, "cost_per_watch_hour", NULL), 0.062, 1e-15);
    /* 1 kW · 0.12 per hour, · 720 */
    assert_near(sample(&h, "cost_usd_per_hour", "currency=\"USD\""), 0.12, 1e-15);
    assert_near(sample(&h, "cost_monthly_projection", NULL), 86.4, 1e-13);
    assert_int_equal(sample_count(&h, "cost_monthly_savings"), 0);
    /* 1 kWh · 0.50 kg; 1 kW · 0.50 per hour, · 720 */
    assert_served(&h, "co2_emissions_kg", "co2_emissions_kg" LABELS_OF("") "} 0.5\n");
    assert_near(sample(&h, "co2_emissions_kg_per_hour", NULL), 0.5, 0);
    assert_near(sample(&h, "co2_monthly_projection", NULL), 360, 1e-13);
    assert_int_equal(sample_count(&h, "co2_monthly_avoided"), 0);
    assert_sound(&h);
    host_close(&h);
}

static void the_documented_check_values_hold(void **state)
{
    (void)state;
    struct scenario s = one_kwh();
    struct host h;

    OPEN(&h, { "region", "us-east-1" });
    /* 135 W for 3600 s are 0.135 kWh; · 0.13 = 0.01755 */
    s.facts.energy_j = 135 * 3600;
    host_scenario(&h, &s);
    assert_near(sample(&h, "cost_energy_load_aware", NULL), 0.01755, 1e-15);
    /* 10 kWh · 0.45 kg */
    s.facts.energy_j = 3.6e7;
    host_scenario(&h, &s);
    assert_near(sample(&h, "co2_emissions_kg", NULL), 4.5, 1e-15);
    host_close(&h);
}

static void what_the_building_takes_is_paid_for_with_the_energy(void **state)
{
    (void)state;
    struct scenario s[2] = { one_kwh(), one_kwh() };
    const struct run *run;
    const char *unit;
    struct host h;

    s[0].name = VIEW("idle");
    s[0].is_baseline = true;
    s[0].facts.mean_power_w = 1500;
    run = make_run("r", s, 2);
    OPEN(&h, { "pue", "1.5" }, { "compare-regions", "us-east-1" });
    host_scenarios(&h, run);

    const char *it = "scenario=\"one\"";

    /* 1 kWh · 1.5 · 0.12, and a core-hour at 0.50 as ever */
    assert_near(sample(&h, "cost_energy_load_aware", it), 0.18, 1e-15);
    assert_near(sample(&h, "cost_compute_load_aware", it), 0.5, 0);
    assert_near(sample(&h, "cost_total_load_aware", it), 0.68, 1e-15);
    assert_near(sample(&h, "cost_in_region", it), 0.695, 1e-15); /* · 0.13 */
    /* 1 kW · 1.5 · 0.12, · 720; 500 W less than the baseline */
    assert_near(sample(&h, "cost_usd_per_hour", it), 0.18, 1e-15);
    assert_near(sample(&h, "cost_monthly_projection", it), 129.6, 1e-12);
    assert_near(sample(&h, "cost_monthly_savings", it), 64.8, 1e-12);
    /* 0.50 kg per kWh; in us-east-1 0.45 */
    assert_near(sample(&h, "co2_emissions_kg", it), 0.75, 1e-15);
    assert_near(sample(&h, "co2_emissions_kg_per_hour", it), 0.75, 1e-15);
    assert_near(sample(&h, "co2_monthly_projection", it), 540, 1e-12);
    assert_near(sample(&h, "co2_monthly_avoided", it), 270, 1e-12);
    assert_near(sample(&h, "co2_in_region_kg", it), 0.675, 1e-15);

    const struct place at = { .run = run, .s = run->scenarios[1], .ordinal = 1 };

    assert_near(module_cost.headline(h.config, &at, &unit), 0.68, 1e-15);
    host_overall(&h, &run, 1, true);
    assert_served(&h, "cost_power_usage_effectiveness",
                  "cost_power_usage_effectiveness 1.5\n");
    host_close(&h);
    run_unref(run);
}

static void figures_are_served_once_per_currency(void **state)
{
    (void)state;
    struct scenario s = one_kwh();
    struct host h;

    s.region = VIEW("eu-north-1");
    OPEN(&h, { "currency", " usd, EUR,SEK " });
    host_scenario(&h, &s);
    /* 0.74 SEK per kWh: as it is, · 0.095 and · 0.088, straight from SEK */
    assert_near(sample(&h, "cost_energy_load_aware", "currency=\"SEK\""), 0.74, 0);
    assert_near(sample(&h, "cost_energy_load_aware", "currency=\"USD\""), 0.0703,
                1e-15);
    assert_near(sample(&h, "cost_energy_load_aware", "currency=\"EUR\""), 0.06512,
                1e-15);
    /* by way of USD it would be 0.74 · 0.095 · 0.92 = 0.064676 */

    /* 0.50 USD per core-hour: · 0.92 and · 10.50 */
    assert_near(sample(&h, "cost_compute_load_aware", "currency=\"USD\""), 0.5, 0);
    assert_near(sample(&h, "cost_compute_load_aware", "currency=\"EUR\""), 0.46, 1e-15);
    assert_near(sample(&h, "cost_compute_load_aware", "currency=\"SEK\""), 5.25, 1e-15);
    assert_near(sample(&h, "cost_total_load_aware", "currency=\"SEK\""), 5.99, 1e-15);
    assert_near(sample(&h, "cost_monthly_projection", "currency=\"SEK\""), 532.8,
                1e-13);

    /* these two have no currency to choose */
    assert_int_equal(sample_count(&h, "cost_usd_per_hour"), 1);
    assert_int_equal(sample_count(&h, "co2_emissions_kg"), 1);
    assert_int_equal(sample_count(&h, "cost_basis_info"), 1);
    assert_sound(&h);
    host_close(&h);
}

static void the_hourly_figure_is_in_usd_whatever_is_served(void **state)
{
    (void)state;
    struct scenario s = one_kwh();
    struct host h;

    s.region = VIEW("eu-north-1");
    OPEN(&h, { "currency", "SEK" });
    host_scenario(&h, &s);
    /* 1 kW · 0.74 SEK · 0.095 */
    assert_near(sample(&h, "cost_usd_per_hour", "currency=\"USD\""), 0.0703, 1e-15);
    assert_int_equal(sample_count(&h, "cost_total_load_aware"), 1);
    assert_near(sample(&h, "cost_total_load_aware", "currency=\"SEK\""), 5.99, 1e-15);
    host_close(&h);
}

static void totals_are_the_sum_of_what_is_known(void **state)
{
    (void)state;
    struct scenario s = one_kwh();
    struct host h;

    OPEN(&h, { "compare-regions", "us-east-1" });
    s.facts.energy_j = s.facts.mean_power_w = NAN;
    s.facts.energy_basis = ENERGY_NONE;
    host_scenario(&h, &s);
    assert_unknown(sample(&h, "cost_energy_load_aware", NULL));
    assert_near(sample(&h, "cost_total_load_aware", NULL), 0.5, 0);
    assert_near(sample(&h, "cost_in_region", NULL), 0.5, 0);
    assert_unknown(sample(&h, "cost_usd_per_hour", NULL));
    assert_unknown(sample(&h, "cost_monthly_projection", NULL));
    assert_unknown(sample(&h, "co2_emissions_kg", NULL));
    assert_unknown(sample(&h, "co2_in_region_kg", NULL));
    assert_near(sample(&h, "cost_basis_info", "energy=\"none\" compute=\"usage\""), 1,
                0);

    s = one_kwh();
    s.facts.core_seconds = s.facts.duration_s = NAN;
    host_scenario(&h, &s);
    assert_unknown(sample(&h, "cost_compute_load_aware", NULL));
    assert_near(sample(&h, "cost_total_load_aware", NULL), 0.12, 0);
    /* 1 kWh at us-east-1's 0.13, and no compute */
    assert_near(sample(&h, "cost_in_region", NULL), 0.13, 0);
    assert_near(sample(&h, "cost_basis_info", "compute=\"none\""), 1, 0);

    struct scenario nothing = unknown_scenario("nothing");

    host_scenario(&h, &nothing);
    assert_int_equal(h.out.count, 1);
    assert_near(sample(&h, "cost_basis_info", "energy=\"none\" compute=\"none\""), 1,
                0);
    host_close(&h);
}

static void ratios_over_zero_are_absent(void **state)
{
    (void)state;
    struct scenario s = one_kwh();
    struct host h;

    s.facts.pixels = s.facts.content_s = 0;
    OPEN(&h, { "region", "default" });
    host_scenario(&h, &s);
    assert_unknown(sample(&h, "cost_per_pixel", NULL));
    assert_unknown(sample(&h, "cost_per_watch_hour", NULL));
    host_close(&h);
}

static void without_usage_the_clock_bills(void **state)
{
    (void)state;
    struct scenario s = one_kwh();
    struct host h;

    s.facts.core_seconds = NAN;
    s.facts.compute_basis = COMPUTE_WALL_CLOCK;
    s.facts.duration_s = 1800;
    OPEN(&h, { "wall-clock-cores", "4" }, { "cpu-cost", "0.10" });
    host_scenario(&h, &s);
    /* half an hour · 4 cores · 0.10 */
    assert_near(sample(&h, "cost_compute_load_aware", NULL), 0.2, 1e-15);
    assert_near(sample(&h, "cost_basis_info", "compute=\"wall_clock\""), 1, 0);
    host_close(&h);
}

static void disable_load_aware_bills_by_the_clock_whatever_is_known(void **state)
{
    (void)state;
    struct scenario s = one_kwh();
    struct host h;

    s.facts.core_seconds = 36000;
    s.facts.gpu_core_seconds = 36000;
    OPEN(&h, { "disable-load-aware", "true" });
    host_scenario(&h, &s);
    /* 1 h · 1 core · 0.50, not 10 core-hours */
    assert_near(sample(&h, "cost_compute_load_aware", NULL), 0.5, 0);
    assert_near(sample(&h, "cost_basis_info", "compute=\"wall_clock\""), 1, 0);
    assert_near(sample(&h, "cost_energy_load_aware", NULL), 0.12, 0);
    host_close(&h);
}

static void a_gpu_is_billed_by_usage_at_its_price_or_the_cores(void **state)
{
    (void)state;
    struct scenario s = one_kwh();
    struct host h;

    s.encoder_type = VIEW("gpu");
    s.facts.gpu_core_seconds = 1800;
    OPEN(&h, { "gpu-cost", "2" });
    host_scenario(&h, &s);
    /* 1 h · 0.50 + 0.5 h · 2 */
    assert_near(sample(&h, "cost_compute_load_aware", NULL), 1.5, 1e-15);
    host_close(&h);

    OPEN(&h, { "region", "default" });
    host_scenario(&h, &s);
    /* no price of its own: 1 h · 0.50 + 0.5 h · 0.50 */
    assert_near(sample(&h, "cost_compute_load_aware", NULL), 0.75, 1e-15);
    host_close(&h);
}

static void a_gpu_is_billed_by_the_clock_only_at_a_price_of_its_own(void **state)
{
    (void)state;
    struct scenario s = one_kwh();
    struct host h;

    s.facts.core_seconds = NAN;
    s.facts.compute_basis = COMPUTE_WALL_CLOCK;
    s.encoder_type = VIEW("gpu");
    OPEN(&h, { "gpu-cost", "2" }, { "currency", "EUR" });
    host_scenario(&h, &s);
    /* 1 h · 0.50 USD · 0.92 + 1 h · 2 EUR: the flag is in the first currency */
    assert_near(sample(&h, "cost_compute_load_aware", NULL), 2.46, 1e-15);
    s.encoder_type = VIEW("cpu");
    host_scenario(&h, &s);
    assert_near(sample(&h, "cost_compute_load_aware", NULL), 0.46, 1e-15);
    host_close(&h);

    OPEN(&h, { "region", "default" });
    s.encoder_type = VIEW("gpu");
    host_scenario(&h, &s);
    assert_near(sample(&h, "cost_compute_load_aware", NULL), 0.5, 0);
    host_close(&h);
}

static void the_clock_bills_no_gpu_where_cores_are_known(void **state)
{
    (void)state;
    struct scenario s = one_kwh();
    struct host h;

    s.encoder_type = VIEW("gpu");
    OPEN(&h, { "gpu-cost", "2" });
    host_scenario(&h, &s);
    /* 1 core-hour · 0.50; there is usage data, and it knows of no GPU */
    assert_near(sample(&h, "cost_compute_load_aware", NULL), 0.5, 0);

    /* cores by the clock: the GPU as well, whatever is known of its use */
    s.facts.core_seconds = NAN;
    s.facts.gpu_core_seconds = 1800;
    host_scenario(&h, &s);
    assert_near(sample(&h, "cost_compute_load_aware", NULL), 2.5, 0);
    host_close(&h);
}

static void savings_are_at_the_own_price_of_a_scenario(void **state)
{
    (void)state;
    struct scenario s[2] = { one_kwh(), one_kwh() };
    const struct run *run;
    struct host h;

    s[0].name = VIEW("baseline");
    s[0].is_baseline = true;
    s[0].region = VIEW("us-west-1");
    s[0].facts.mean_power_w = 1500;
    s[1].region = VIEW("us-west-2");
    run = make_run("r", s, 2);
    OPEN(&h, { "currency", "USD" });
    host_scenarios(&h, run);
    /* (1.5 − 1.0) kW · 0.10 per kWh · 720 h; · 0.30 kg */
    assert_near(sample(&h, "cost_monthly_savings", "scenario=\"one\""), 36, 1e-13);
    assert_near(sample(&h, "co2_monthly_avoided", "scenario=\"one\""), 108, 1e-13);
    assert_near(sample(&h, "cost_monthly_savings", "scenario=\"baseline\""), 0, 0);
    assert_near(sample(&h, "co2_monthly_avoided", "scenario=\"baseline\""), 0, 0);
    host_close(&h);
    run_unref(run);
}

static void run_id_and_repeat_come_last(void **state)
{
    (void)state;
    struct scenario s[2] = { unknown_scenario("n"), unknown_scenario("n") };
    const struct run *run = make_run("test_results_1", s, 2);
    struct host h;

    host_open(&h, &module_cost, true, NULL, 0, NULL);
    host_scenarios(&h, run);
#define BARE                                                                           \
    "cost_basis_info{scenario=\"n\",region=\"default\",streams=\"1\",encoder="         \
    "\"h264\","                                                                        \
    "preset=\"veryfast\",service=\"cost-analysis\",energy=\"none\",compute=\"none\","  \
    "run_id=\"test_results_1\""
    assert_served(&h, "cost_basis_info", BARE "} 1\n" BARE ",repeat=\"2\"} 1\n");
    assert_sound(&h);
    host_close(&h);
    run_unref(run);
}

static void the_exporter_tells_of_itself(void **state)
{
    (void)state;
    struct host h;

    OPEN(&h, { "region", "eu-west-1" });
    host_overall(&h, NULL, 0, false);
    assert_served(&h, "cost_exporter_alive", "cost_exporter_alive 1\n");
    assert_served(&h, "cost_scenarios_total", "cost_scenarios_total 0\n");
    assert_served(&h, "cost_exporter_info",
                  "cost_exporter_info{version=\"1.2.3\",language=\"c\",region=\"eu-"
                  "west-1\"} 1\n");
    assert_int_equal(sample_count(&h, "cost_exchange_rate"), 6);
    assert_near(sample(&h, "cost_exchange_rate", "from=\"USD\" to=\"SEK\""), 10.5, 0);
    assert_sound(&h);
    host_close(&h);
}

static void counters_exist_as_0_before_anything_is_known(void **state)
{
    (void)state;
    struct host h;

    OPEN(&h, { "currency", "EUR" }, { "region", "eu-central-1" });
    host_overall(&h, NULL, 0, true);
    assert_served(&h, "cost_accrued_total",
                  "cost_accrued_total{region=\"eu-central-1\",currency=\"EUR\"} 0\n"
                  "cost_accrued_total{region=\"eu-central-1\",currency=\"USD\"} 0\n");
    assert_served(&h, "co2_accrued_kg_total",
                  "co2_accrued_kg_total{region=\"eu-central-1\"} 0\n");
    host_close(&h);
}

static void counters_grow_with_what_is_remembered(void **state)
{
    (void)state;
    struct scenario s = one_kwh();
    const struct run *run = make_run("r", &s, 1);
    const uint32_t changed[] = { 0 };
    const struct diff d = {
        .id = run->id, .after = run, .changed = changed, .changed_count = 1
    };
    struct host h;

    OPEN(&h, { "currency", "USD" });
    module_cost.remember(h.memory, h.config, &d, 1000);
    host_overall(&h, &run, 1, true);
    assert_near(sample(&h, "cost_accrued_total", NULL), 0.62, 1e-15);
    assert_near(sample(&h, "co2_accrued_kg_total", NULL), 0.5, 1e-15);
    assert_served(&h, "co2_accrued_kg_total",
                  "co2_accrued_kg_total{region=\"default\"} 0.5\n");
    assert_sound(&h);
    host_close(&h);
    run_unref(run);
}

static void counters_tell_openmetrics_when_they_were_created(void **state)
{
    (void)state;
    struct scenario s = one_kwh();
    const struct run *run = make_run("r", &s, 1);
    const uint32_t changed[] = { 0 };
    const struct diff d = {
        .id = run->id, .after = run, .changed = changed, .changed_count = 1
    };
    struct host h;

    OPEN(&h, { "currency", "USD" }, { "energy-cost", "1" }, { "cpu-cost", "2" });
    host_overall(&h, NULL, 0, true);
    /* the 0 before the first scan is of no known time */
    assert_served_openmetrics(
        &h, "cost_accrued_total",
        "cost_accrued_total{region=\"default\",currency=\"USD\"} 0\n");
    module_cost.remember(h.memory, h.config, &d, 1700000000.5);
    host_overall(&h, &run, 1, true);
    /* 1 kWh · 1 + 1 h · 2, and 1 kWh · 0.5 kg */
    assert_served_openmetrics(
        &h, "cost_accrued_total",
        "cost_accrued_total{region=\"default\",currency=\"USD\"} 3\n"
        "cost_accrued_created{region=\"default\",currency=\"USD\"} 1700000000.5\n");
    assert_served_openmetrics(
        &h, "co2_accrued_kg_total",
        "co2_accrued_kg_total{region=\"default\"} 0.5\n"
        "co2_accrued_kg_created{region=\"default\"} 1700000000.5\n");
    host_close(&h);
    run_unref(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_figure_has_its_family),
        cmocka_unit_test(the_documented_check_values_hold),
        cmocka_unit_test(what_the_building_takes_is_paid_for_with_the_energy),
        cmocka_unit_test(figures_are_served_once_per_currency),
        cmocka_unit_test(the_hourly_figure_is_in_usd_whatever_is_served),
        cmocka_unit_test(totals_are_the_sum_of_what_is_known),
        cmocka_unit_test(ratios_over_zero_are_absent),
        cmocka_unit_test(without_usage_the_clock_bills),
        cmocka_unit_test(disable_load_aware_bills_by_the_clock_whatever_is_known),
        cmocka_unit_test(a_gpu_is_billed_by_usage_at_its_price_or_the_cores),
        cmocka_unit_test(a_gpu_is_billed_by_the_clock_only_at_a_price_of_its_own),
        cmocka_unit_test(the_clock_bills_no_gpu_where_cores_are_known),
        cmocka_unit_test(savings_are_at_the_own_price_of_a_scenario),
        cmocka_unit_test(run_id_and_repeat_come_last),
        cmocka_unit_test(the_exporter_tells_of_itself),
        cmocka_unit_test(counters_exist_as_0_before_anything_is_known),
        cmocka_unit_test(counters_grow_with_what_is_remembered),
        cmocka_unit_test(counters_tell_openmetrics_when_they_were_created),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
