#include "tests/unit/cost_host.h"

#include <errno.h>

static void the_region_of_the_scenario_comes_before_the_flag(void **state)
{
    (void)state;
    struct scenario s = one_kwh();
    struct host h;

    OPEN(&h, { "region", "us-west-2" });
    host_scenario(&h, &s);
    assert_near(sample(&h, "cost_energy_load_aware", "region=\"us-west-2\""), 0.10, 0);
    s.region = VIEW("us-west-1");
    host_scenario(&h, &s);
    assert_near(sample(&h, "cost_energy_load_aware", "region=\"us-west-1\""), 0.19, 0);
    s.region = VIEW("nowhere"); /* as "default" */
    host_scenario(&h, &s);
    assert_near(sample(&h, "cost_energy_load_aware", "region=\"nowhere\""), 0.12, 0);
    host_close(&h);
}

static void the_energy_price_flag_wins_everywhere_but_in_comparisons(void **state)
{
    (void)state;
    struct scenario s = one_kwh();
    struct host h;

    s.region = VIEW("eu-north-1");
    OPEN(&h, { "energy-cost", "0.30" }, { "currency", "EUR,USD" },
         { "compare-regions", "us-east-1, eu-north-1" });
    host_scenario(&h, &s);
    /* 0.30 EUR, the first currency; · 1.09 USD */
    assert_near(sample(&h, "cost_energy_load_aware", "currency=\"EUR\""), 0.30, 0);
    assert_near(sample(&h, "cost_energy_load_aware", "currency=\"USD\""), 0.327, 1e-15);
    /* 0.13 USD · 0.92 + 0.5 · 0.92; 0.13 + 0.5 */
    assert_near(sample(&h, "cost_in_region", "region=\"us-east-1\" currency=\"EUR\""),
                0.5796, 1e-15);
    assert_near(sample(&h, "cost_in_region", "region=\"us-east-1\" currency=\"USD\""),
                0.63, 1e-15);
    /* 0.74 SEK · 0.095 + 0.5 */
    assert_near(sample(&h, "cost_in_region", "region=\"eu-north-1\" currency=\"USD\""),
                0.5703, 1e-15);
    assert_near(sample(&h, "co2_in_region_kg", "region=\"us-east-1\""), 0.45, 0);
    assert_near(sample(&h, "co2_in_region_kg", "region=\"eu-north-1\""), 0.12, 0);
    assert_near(sample(&h, "co2_emissions_kg", NULL), 0.12, 0);

    host_overall(&h, NULL, 0, true);
    assert_served(&h, "cost_electricity_price_per_kwh",
                  "cost_electricity_price_per_kwh{region=\"default\",currency=\"EUR\"} "
                  "0.3\n"
                  "cost_electricity_price_per_kwh{region=\"default\",currency=\"USD\"} "
                  "0.327\n");
    assert_served(&h, "cost_price_info",
                  "cost_price_info{region=\"default\",source=\"flag\"} 1\n");
    assert_served(&h, "co2_intensity_info",
                  "co2_intensity_info{region=\"default\",source=\"builtin\"} 1\n");
    assert_near(
        sample(&h, "cost_known_region_price_per_kwh", "\"us-east-1\" currency=\"USD\""),
        0.13, 0);
    host_close(&h);
}

static void energy_may_be_free(void **state)
{
    (void)state;
    struct scenario s = one_kwh();
    struct host h;

    OPEN(&h, { "energy-cost", "0" });
    host_scenario(&h, &s);
    assert_near(sample(&h, "cost_energy_load_aware", NULL), 0, 0);
    assert_near(sample(&h, "cost_total_load_aware", NULL), 0.5, 0);
    host_close(&h);
}

static void the_environment_variable_0_means_unset(void **state)
{
    (void)state;
    const struct option *o = module_cost.options;

    while (strcmp(o->name, "energy-cost") != 0)
        o++;
    assert_true(o->env_zero_unset);
    assert_string_equal(o->env, "ENERGY_COST|ENERGY_COST_PER_KWH");
    for (o = module_cost.options; o->name; o++)
        if (strcmp(o->name, "energy-cost") != 0)
            assert_false(o->env_zero_unset);
}

static void prices_of_the_file_are_served_with_source_and_date(void **state)
{
    (void)state;
    static const char file[] =
        "{\"regions\": {\"moon\": {\"electricity_price\": 2, \"currency\": \"EUR\", "
        "\"co2_kg_per_kwh\": 0.01, \"as_of\": \"1970-01-02\"}, \"sun\": "
        "{\"co2_kg_per_kwh\": 0}}, \"exchange_rates\": {\"USD\": {\"GBP\": 0.8}, "
        "\"EUR\": "
        "{\"GBP\": 0.9}, \"SEK\": {\"GBP\": 0.07}}, \"cpu_cost_per_hour\": 1}";
    const struct given given[] = { { "currency", "GBP" },
                                   { "pricing-config", "p.json" } };
    struct scenario s[3] = { one_kwh(), one_kwh(), one_kwh() };
    const struct run *run, *runs[1];
    struct host h;

    s[0].region = VIEW("moon");
    s[2].region = VIEW("sun");
    runs[0] = run = make_run("r", s, 3);
    host_open(&h, &module_cost, false, given, 2, file);
    host_scenarios(&h, run);
    /* 2 EUR · 0.9; 1 USD per core-hour · 0.8 */
    assert_near(sample(&h, "cost_energy_load_aware", "moon"), 1.8, 1e-15);
    assert_near(sample(&h, "cost_compute_load_aware", "moon"), 0.8, 1e-15);
    /* USD that is not served: 1 kW · 2 EUR · 1.09 */
    assert_near(sample(&h, "cost_usd_per_hour", "moon"), 2.18, 1e-15);

    host_overall(&h, runs, 1, true);
    /* default: 0.12 USD · 0.8; the sun has no price of its own and takes default's */
    assert_served(
        &h, "cost_electricity_price_per_kwh",
        "cost_electricity_price_per_kwh{region=\"default\",currency=\"GBP\"} 0.096\n"
        "cost_electricity_price_per_kwh{region=\"moon\",currency=\"GBP\"} 1.8\n"
        "cost_electricity_price_per_kwh{region=\"sun\",currency=\"GBP\"} 0.096\n");
    assert_served(&h, "co2_intensity_kg_per_kwh",
                  "co2_intensity_kg_per_kwh{region=\"default\"} 0.5\n"
                  "co2_intensity_kg_per_kwh{region=\"moon\"} 0.01\n"
                  "co2_intensity_kg_per_kwh{region=\"sun\"} 0\n");
    assert_served(&h, "cost_price_info",
                  "cost_price_info{region=\"default\",source=\"builtin\"} 1\n"
                  "cost_price_info{region=\"moon\",source=\"file\"} 1\n"
                  "cost_price_info{region=\"sun\",source=\"builtin\"} 1\n");
    assert_served(&h, "co2_intensity_info",
                  "co2_intensity_info{region=\"default\",source=\"builtin\"} 1\n"
                  "co2_intensity_info{region=\"moon\",source=\"file\"} 1\n"
                  "co2_intensity_info{region=\"sun\",source=\"file\"} 1\n");
    assert_served(&h, "cost_price_as_of_timestamp_seconds",
                  "cost_price_as_of_timestamp_seconds{region=\"moon\"} 86400\n");
    assert_served(&h, "co2_intensity_as_of_timestamp_seconds",
                  "co2_intensity_as_of_timestamp_seconds{region=\"moon\"} 86400\n");
    assert_near(sample(&h, "cost_exchange_rate", "from=\"SEK\" to=\"GBP\""), 0.07, 0);
    /* 12 built-in prices and the moon's; 12 intensities, the moon's and the sun's */
    assert_int_equal(sample_count(&h, "cost_known_region_price_per_kwh"), 13);
    assert_int_equal(sample_count(&h, "co2_known_region_intensity_kg_per_kwh"), 14);
    /* 0.74 SEK · 0.07 */
    assert_near(sample(&h, "cost_known_region_price_per_kwh", "\"eu-north-1\""), 0.0518,
                1e-15);
    assert_sound(&h);
    host_close(&h);
    run_unref(run);
}

/* With an intensity that a grid operator told. */
static void open_now(struct host *h, const struct given given[], size_t count,
                     const char *file)
{
    char zone[] = "SE-SE3";
    const struct module_context ctx = {
        .carbon = { .known = true, .kg_per_kwh = 0.02, .as_of_s = 86400, .zone = zone }
    };
    struct err e = { 0 };

    if (host_try_with(h, &module_cost, &ctx, given, count, file, &e) < 0)
        fail_msg("configure: %s", e.text);
    zone[0] = '?'; /* borrowed for that long */
}

static void the_intensity_of_now_is_that_of_the_region_flag_alone(void **state)
{
    (void)state;
    static const struct given given[] = { { "region", "moon" },
                                          { "compare-regions", "moon,default" },
                                          { "pricing-config", "p.json" } };
    struct scenario s[3] = { one_kwh(), one_kwh(), one_kwh() };
    const struct run *run;
    struct host h;

    s[1].region = VIEW("moon");
    s[2].region = VIEW("sun");
    s[2].name = VIEW("two");
    run = make_run("r", s, 3);
    open_now(&h, given, 3,
             "{\"regions\": {\"moon\": {\"electricity_price\": 2, "
             "\"co2_kg_per_kwh\": 0.9, \"as_of\": \"1970-01-03\"}}}");
    host_scenarios(&h, run);
    assert_near(sample(&h, "co2_emissions_kg", "moon repeat=\"2\""), 0.02, 0);
    assert_near(sample(&h, "co2_emissions_kg", "sun"), 0.5, 0);
    assert_near(sample(&h, "co2_in_region_kg", "two moon"), 0.02, 0);
    assert_near(sample(&h, "co2_in_region_kg", "two default"), 0.5, 0);
    assert_near(sample(&h, "cost_energy_load_aware", "moon repeat=\"2\""), 2, 0);

    host_overall(&h, &run, 1, true);
    assert_served(&h, "co2_intensity_kg_per_kwh",
                  "co2_intensity_kg_per_kwh{region=\"moon\"} 0.02\n"
                  "co2_intensity_kg_per_kwh{region=\"sun\"} 0.5\n");
    assert_served(&h, "co2_intensity_info",
                  "co2_intensity_info{region=\"moon\",source=\"electricitymaps\"} 1\n"
                  "co2_intensity_info{region=\"sun\",source=\"builtin\"} 1\n");
    assert_served(&h, "co2_intensity_as_of_timestamp_seconds",
                  "co2_intensity_as_of_timestamp_seconds{region=\"moon\"} 86400\n");
    /* the price is still the file's */
    assert_served(&h, "cost_price_info",
                  "cost_price_info{region=\"moon\",source=\"file\"} 1\n"
                  "cost_price_info{region=\"sun\",source=\"builtin\"} 1\n");
    assert_served(&h, "cost_price_as_of_timestamp_seconds",
                  "cost_price_as_of_timestamp_seconds{region=\"moon\"} 172800\n");
    /* and the table says what it says */
    assert_near(sample(&h, "co2_known_region_intensity_kg_per_kwh", "moon"), 0.9, 0);
    assert_sound(&h);
    host_close(&h);
    run_unref(run);
}

static void the_intensity_of_now_is_not_that_of_all_unknown_regions(void **state)
{
    (void)state;
    struct scenario s[2] = { one_kwh(), one_kwh() };
    const struct run *run;
    struct host h;

    s[1].region = VIEW("sun"); /* of which the table says what it says of default */
    run = make_run("r", s, 2);
    open_now(&h, NULL, 0, NULL);
    host_scenarios(&h, run);
    assert_near(sample(&h, "co2_emissions_kg", "\"default\""), 0.02, 0);
    assert_near(sample(&h, "co2_emissions_kg", "sun"), 0.5, 0);
    host_close(&h);
    run_unref(run);
}

static void flags_win_over_the_file(void **state)
{
    (void)state;
    const struct given given[] = { { "cpu-cost", "2" },
                                   { "gpu-cost", "3" },
                                   { "pricing-config", "p.json" } };
    struct scenario s = one_kwh();
    struct host h;

    s.facts.gpu_core_seconds = 3600;
    host_open(&h, &module_cost, false, given, 3,
              "{\"cpu_cost_per_hour\": 7, \"gpu_cost_per_hour\": 8}");
    host_scenario(&h, &s);
    /* 1 h · 2 + 1 h · 3 */
    assert_near(sample(&h, "cost_compute_load_aware", NULL), 5, 0);
    host_close(&h);
}

static void the_price_of_a_flag_is_of_no_date(void **state)
{
    (void)state;
    const struct given given[] = { { "energy-cost", "1" },
                                   { "pricing-config", "p.json" } };
    struct host h;

    host_open(&h, &module_cost, false, given, 2,
              "{\"regions\": {\"default\": {\"electricity_price\": 2, "
              "\"co2_kg_per_kwh\": 3, \"as_of\": \"1970-01-02\"}}}");
    host_overall(&h, NULL, 0, true);
    assert_unknown(sample(&h, "cost_price_as_of_timestamp_seconds", NULL));
    assert_near(sample(&h, "co2_intensity_as_of_timestamp_seconds", NULL), 86400, 0);
    assert_near(sample(&h, "cost_electricity_price_per_kwh", NULL), 1, 0);
    host_close(&h);
}

static void assert_refused(const struct given given[], size_t count, const char *file,
                           const char *want)
{
    struct err e = { 0 };
    struct host h;

    /* A rate is missing for what flag and file say together; else one is to blame. */
    bool of_file = file && !strstr(want, "exchange rate");

    assert_int_equal(host_try(&h, &module_cost, false, given, count, file, &e),
                     of_file ? -EBADMSG : -EINVAL);
    if (strcmp(e.text, want) != 0)
        fail_msg("got  %s\nwant %s", e.text, want);
}

static void a_missing_rate_is_an_error_with_a_remedy(void **state)
{
    (void)state;
    const struct given pounds[] = { { "currency", "GBP" } };
    const struct given file[] = { { "pricing-config", "p.json" } };
    const struct given flag[] = { { "currency", "GBP" },
                                  { "energy-cost", "0.2" },
                                  { "pricing-config", "p.json" } };

    assert_refused(
        pounds, 1, NULL,
        "--currency GBP: no exchange rate from USD to GBP, SEK to GBP, EUR to "
        "GBP; add exchange_rates.USD.GBP and the others to the file of "
        "--pricing-config");
    assert_refused(file, 1,
                   "{\"regions\": {\"x\": {\"electricity_price\": 1, \"currency\": "
                   "\"NOK\"}}}",
                   "p.json: regions.x.currency: no exchange rate from NOK to USD; add "
                   "exchange_rates.NOK.USD to the file of --pricing-config");
    /* the way back is needed for the counters, which are always kept in USD too */
    assert_refused(flag, 3,
                   "{\"exchange_rates\": {\"USD\": {\"GBP\": 0.8}, \"EUR\": {\"GBP\": "
                   "0.9}, \"SEK\": {\"GBP\": 0.07}}}",
                   "--energy-cost: no exchange rate from GBP to USD; add "
                   "exchange_rates.GBP.USD to the file of --pricing-config");
}

static void wrong_lists_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct given given;
        const char *want;
    } cases[] = {
        { { "currency", "USD,usd" }, "--currency: USD is given twice" },
        { { "currency", "USD,,EUR" },
          "--currency: \"\" is no currency code (three letters, like USD; several with "
          "commas: USD,EUR)" },
        { { "currency", "EURO" },
          "--currency: \"EURO\" is no currency code (three letters, like USD; several "
          "with commas: USD,EUR)" },
        { { "currency", "U5D" },
          "--currency: \"U5D\" is no currency code (three letters, like USD; several "
          "with "
          "commas: USD,EUR)" },
        { { "compare-regions", "a,b,a" }, "--compare-regions: a is given twice" },
        { { "compare-regions", "a,,b" },
          "--compare-regions: an empty name in the list" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(&cases[i].given, 1, NULL, cases[i].want);
}

static void a_broken_file_is_refused(void **state)
{
    (void)state;
    const struct given given[] = { { "pricing-config", "dir/p.json" } };

    assert_refused(given, 1, "{\"cpu_cost_per_hour\": -1}",
                   "dir/p.json: cpu_cost_per_hour: negative (-1)");
}

static void rows_of(const struct host *h, struct buf *text)
{
    struct about page = { 0 };

    module_cost.about(h->config, &page);
    for (size_t i = 0; i < page.count; i++)
        buf_fmt(text, "%.*s | %.*s | %.*s\n", VIEW_ARG(page.rows[i].what),
                VIEW_ARG(page.rows[i].value), VIEW_ARG(page.rows[i].source));
    buf_char(text, '\0');
    about_deinit(&page);
}

static void the_page_tells_the_intensity_of_now_and_the_building(void **state)
{
    (void)state;
    static const struct given given[] = { { "pue", "1.25" } };
    struct buf text = { 0 };
    struct host h;

    open_now(&h, given, 1, NULL);
    rows_of(&h, &text);
    assert_non_null(strstr(text.p, "region default (where none is named) | 0.12 USD "
                                   "per kWh, 0.02 kg CO2 per kWh | builtin, CO2 "
                                   "electricitymaps SE-SE3 of 1970-01-02\n"));
    assert_non_null(
        strstr(text.p, "energy paid for per energy measured | 1.25 | flag\n"));
    buf_deinit(&text);
    host_close(&h);
}

static void the_page_tells_the_prices_in_force(void **state)
{
    (void)state;
    const struct given given[] = { { "currency", "USD,SEK" },
                                   { "region", "eu-north-1" },
                                   { "pricing-config", "p.json" } };
    struct buf text = { 0 };
    struct host h;

    host_open(
        &h, &module_cost, false, given, 3,
        "{\"regions\": {\"eu-north-1\": {\"electricity_price\": 0.8, \"currency\": "
        "\"SEK\", \"source\": \"Nord Pool\", \"as_of\": \"2026-11-01\"}}, "
        "\"gpu_cost_per_hour\": 2.5}");
    rows_of(&h, &text);

    static const char *const rows[] = {
        "currencies | USD, SEK | \n",
        "CPU | 0.5 USD per core-hour | builtin\n",
        "GPU | 2.5 USD per GPU-hour | file\n",
        ("region eu-north-1 (where none is named) | 0.8 SEK per kWh, "
         "0.12 kg CO2 per kWh | file of 2026-11-01, CO2 builtin: Nord Pool\n"),
        "region us-east-1 | 0.13 USD per kWh, 0.45 kg CO2 per kWh | builtin\n",
        "1 USD is | 10.5 SEK, 0.92 EUR | \n",
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strstr(text.p, rows[i]))
            fail_msg("missing: %sin\n%s", rows[i], text.p);
    buf_deinit(&text);
    host_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_region_of_the_scenario_comes_before_the_flag),
        cmocka_unit_test(the_energy_price_flag_wins_everywhere_but_in_comparisons),
        cmocka_unit_test(energy_may_be_free),
        cmocka_unit_test(the_environment_variable_0_means_unset),
        cmocka_unit_test(prices_of_the_file_are_served_with_source_and_date),
        cmocka_unit_test(the_intensity_of_now_is_that_of_the_region_flag_alone),
        cmocka_unit_test(the_intensity_of_now_is_not_that_of_all_unknown_regions),
        cmocka_unit_test(flags_win_over_the_file),
        cmocka_unit_test(the_price_of_a_flag_is_of_no_date),
        cmocka_unit_test(a_missing_rate_is_an_error_with_a_remedy),
        cmocka_unit_test(wrong_lists_are_refused),
        cmocka_unit_test(a_broken_file_is_refused),
        cmocka_unit_test(the_page_tells_the_intensity_of_now_and_the_building),
        cmocka_unit_test(the_page_tells_the_prices_in_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
