#include "tests/unit/cost_host.h"

static void quote(const struct host *h, const char *region, struct tariff *out)
{
    memset(out, 0, sizeof *out);
    module_cost.tariff(h->config, view_of(region), out);
}

static void prices_are_told_in_every_served_currency_and_in_usd(void **state)
{
    (void)state;
    struct tariff t;
    struct host h;

    OPEN(&h, { "currency", "EUR,SEK" }, { "cpu-cost", "0.2" });
    quote(&h, "us-east-1", &t);
    assert_int_equal(t.count, 2);
    assert_string_equal(t.in[0].currency, "EUR");
    assert_string_equal(t.in[1].currency, "SEK");
    /* 0.13 USD: · 0.92 EUR, · 10.5 SEK, each directly */
    assert_near(t.in[0].per_kwh, 0.1196, 1e-15);
    assert_near(t.in[1].per_kwh, 1.365, 1e-15);
    /* 0.2 EUR as given: · 11.4 SEK, · 1.09 USD */
    assert_near(t.in[0].per_core_hour, 0.2, 0);
    assert_near(t.in[1].per_core_hour, 2.28, 1e-15);
    assert_string_equal(t.usd.currency, "USD");
    assert_near(t.usd.per_kwh, 0.13, 0);
    assert_near(t.usd.per_core_hour, 0.218, 1e-15);
    assert_near(t.co2_kg_per_kwh, 0.45, 0);
    host_close(&h);
}

static void usd_that_is_served_is_told_twice(void **state)
{
    (void)state;
    struct tariff t;
    struct host h;

    OPEN(&h, { "currency", "EUR,USD" }, { "region", "us-west-2" });
    quote(&h, "eu-central-1", &t);
    assert_int_equal(t.count, 2);
    assert_string_equal(t.in[1].currency, "USD");
    /* 0.18 EUR · 1.09 */
    assert_near(t.in[1].per_kwh, 0.1962, 1e-15);
    assert_near(t.usd.per_kwh, 0.1962, 1e-15);
    host_close(&h);
}

static void energy_is_told_with_what_the_building_takes(void **state)
{
    (void)state;
    struct tariff t;
    struct host h;

    OPEN(&h, { "pue", "1.5" });
    quote(&h, "us-east-1", &t);
    /* 0.13 · 1.5, 0.45 · 1.5; a core-hour is 0.50 as ever */
    assert_near(t.usd.per_kwh, 0.195, 1e-15);
    assert_near(t.co2_kg_per_kwh, 0.675, 1e-15);
    assert_near(t.usd.per_core_hour, 0.5, 0);
    host_close(&h);
}

static void no_region_is_that_of_the_option(void **state)
{
    (void)state;
    struct tariff t;
    struct host h;

    OPEN(&h, { "region", "us-west-2" });
    quote(&h, "", &t);
    assert_near(t.usd.per_kwh, 0.10, 0);
    assert_near(t.co2_kg_per_kwh, 0.30, 0);
    quote(&h, "nowhere", &t);
    assert_near(t.usd.per_kwh, 0.12, 0);
    host_close(&h);
}

static void a_price_of_ones_own_counts_in_all_regions(void **state)
{
    (void)state;
    struct tariff t;
    struct host h;

    OPEN(&h, { "energy-cost", "0.4" });
    quote(&h, "us-east-1", &t);
    assert_near(t.in[0].per_kwh, 0.4, 0);
    quote(&h, "", &t);
    assert_near(t.in[0].per_kwh, 0.4, 0);
    host_close(&h);
}

/* What is quoted is what is charged. */
static void prices_times_quantities_are_the_costs_served(void **state)
{
    (void)state;
    struct scenario s = one_kwh();
    struct tariff t;
    struct host h;

    s.region = VIEW("eu-north-1");
    OPEN(&h, { "pue", "1.2" }, { "currency", "SEK" });
    quote(&h, "eu-north-1", &t);
    host_scenario(&h, &s);
    assert_near(sample(&h, "cost_total_load_aware", NULL),
                t.in[0].per_kwh + t.in[0].per_core_hour, 1e-15);
    assert_near(sample(&h, "co2_emissions_kg", NULL), t.co2_kg_per_kwh, 1e-15);
    host_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prices_are_told_in_every_served_currency_and_in_usd),
        cmocka_unit_test(usd_that_is_served_is_told_twice),
        cmocka_unit_test(energy_is_told_with_what_the_building_takes),
        cmocka_unit_test(no_region_is_that_of_the_option),
        cmocka_unit_test(a_price_of_ones_own_counts_in_all_regions),
        cmocka_unit_test(prices_times_quantities_are_the_costs_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
