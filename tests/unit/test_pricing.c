#include "tests/unit/module_host.h"

#include "core/date.h"
#include "modules/cost/pricing.h"

#include <errno.h>

static currency_id currency(struct pricing *p, const char *code)
{
    currency_id id = 0;

    assert_int_equal(pricing_add_currency(p, view_of(code), &id), 0);
    return id;
}

static const struct price_region *region(const struct pricing *p, const char *name)
{
    return pricing_region(p, view_of(name));
}

static void the_built_in_tables_are_as_documented(void **state)
{
    (void)state;
    static const struct {
        const char *name, *currency;
        double price, co2;
    } rows[] = {
        { "us-east-1", "USD", 0.13, 0.45 },
        { "us-east-2", "USD", 0.11, 0.45 },
        { "us-west-2", "USD", 0.10, 0.30 },
        { "us-west-1", "USD", 0.19, 0.22 },
        { "eu-west-1", "SEK", 1.85, 0.12 },
        { "eu-north-1", "SEK", 0.74, 0.12 },
        { "eu-central-1", "EUR", 0.18, 0.40 },
        { "eu-south-1", "EUR", 0.22, 0.35 },
        { "ap-northeast-1", "USD", 0.24, 0.48 },
        { "ap-southeast-1", "USD", 0.18, 0.52 },
        { "ap-southeast-2", "USD", 0.21, 0.65 },
        { "default", "USD", 0.12, 0.50 },
    };
    struct pricing p;

    pricing_init(&p);
    assert_int_equal(p.region_count, sizeof rows / sizeof *rows);
    for (size_t i = 0; i < p.region_count; i++) {
        const struct price_region *r = region(&p, rows[i].name);

        assert_view(r->name, rows[i].name);
        assert_int_equal(r->index, i);
        assert_near(r->per_kwh.amount, rows[i].price, 0);
        assert_string_equal(p.codes[r->per_kwh.currency], rows[i].currency);
        assert_near(r->co2_kg_per_kwh, rows[i].co2, 0);
        assert_int_equal(r->per_kwh.source, PRICE_BUILTIN);
        assert_int_equal(r->co2_source, PRICE_BUILTIN);
        assert_unknown(r->price_as_of_s);
    }
    assert_near(p.cpu_per_hour.amount, 0.5, 0);
    assert_string_equal(p.codes[p.cpu_per_hour.currency], "USD");
    assert_unknown(p.gpu_per_hour.amount);
    pricing_deinit(&p);
}

static void each_direction_of_a_rate_is_its_own(void **state)
{
    (void)state;
    struct pricing p;

    pricing_init(&p);

    currency_id usd = currency(&p, "USD"), eur = currency(&p, "EUR"),
                sek = currency(&p, "SEK"), gbp = currency(&p, "GBP");

    assert_near(pricing_rate(&p, usd, eur), 0.92, 0);
    assert_near(pricing_rate(&p, usd, sek), 10.50, 0);
    assert_near(pricing_rate(&p, eur, usd), 1.09, 0);
    assert_near(pricing_rate(&p, eur, sek), 11.40, 0);
    assert_near(pricing_rate(&p, sek, usd), 0.095, 0);
    assert_near(pricing_rate(&p, sek, eur), 0.088, 0);
    /* 100 SEK are 9.5 USD */
    assert_near(100 * pricing_rate(&p, sek, usd), 9.5, 1e-15);
    assert_near(pricing_rate(&p, gbp, gbp), 1, 0);
    assert_unknown(pricing_rate(&p, usd, gbp));
    assert_unknown(pricing_rate(&p, gbp, sek));
    pricing_deinit(&p);
}

static void unknown_regions_are_reckoned_as_default(void **state)
{
    (void)state;
    struct pricing p;

    pricing_init(&p);
    assert_near(region(&p, "mars-1")->per_kwh.amount, 0.12, 0);
    assert_near(region(&p, "")->co2_kg_per_kwh, 0.5, 0);
    pricing_deinit(&p);
}

static void the_flat_maps_are_in_usd_and_grams(void **state)
{
    (void)state;
    struct pricing p;

    pricing_init(&p);
    assert_int_equal(
        pricing_read(
            &p,
            VIEW("{\"electricity_prices\": {\"eu-north-1\": 0.10, \"default\": "
                 "0.2, \"us-east-1\": null}, \"co2_intensity\": {\"us-east-1\": "
                 "350, \"lunar\": 7}}"),
            "prices.json", NULL),
        0);

    const struct price_region *r = region(&p, "eu-north-1");

    assert_near(r->per_kwh.amount, 0.10, 0);
    assert_string_equal(p.codes[r->per_kwh.currency], "USD");
    assert_int_equal(r->per_kwh.source, PRICE_FILE);
    assert_int_equal(r->co2_source, PRICE_BUILTIN);

    r = region(&p, "us-east-1");
    assert_near(r->per_kwh.amount, 0.13, 0);
    assert_int_equal(r->per_kwh.source, PRICE_BUILTIN);
    assert_near(r->co2_kg_per_kwh, 0.350, 1e-15);
    assert_int_equal(r->co2_source, PRICE_FILE);

    /* new in the file, without a price of its own: that of "default" */
    r = region(&p, "lunar");
    assert_near(r->co2_kg_per_kwh, 0.007, 1e-15);
    assert_near(r->per_kwh.amount, 0.2, 0);
    assert_false(r->own_price);
    assert_true(r->own_co2);
    pricing_deinit(&p);
}

static void regions_win_over_the_flat_maps(void **state)
{
    (void)state;
    struct pricing p;

    pricing_init(&p);
    assert_int_equal(
        pricing_read(
            &p,
            VIEW("{\"regions\": {"
                 "\"eu-north-1\": {\"electricity_price\": 0.8, \"currency\": \"SEK\", "
                 "\"co2_kg_per_kwh\": 0.012, \"source\": \"Nord Pool\", \"as_of\": "
                 "\"2026-11-01\"},"
                 "\"moon\": {\"electricity_price\": 3, \"as_of\": "
                 "\"2026-11-01T02:30:00+02:00\"}},"
                 "\"electricity_prices\": {\"eu-north-1\": 9, \"moon\": 9},"
                 "\"co2_intensity\": {\"eu-north-1\": 9000}}"),
            "prices.json", NULL),
        0);

    const struct price_region *r = region(&p, "eu-north-1");

    assert_near(r->per_kwh.amount, 0.8, 0);
    assert_string_equal(p.codes[r->per_kwh.currency], "SEK");
    assert_near(r->co2_kg_per_kwh, 0.012, 0);
    assert_view(r->note, "Nord Pool");
    /* 2026-11-01 is day 20758 after 1970-01-01: 56 years · 365 + 14 leap days (1972 to
     * 2024) + 304 days of 2026 before November; · 86400 */
    assert_near(r->price_as_of_s, 20758 * 86400.0, 0);
    assert_near(r->co2_as_of_s, 20758 * 86400.0, 0);

    r = region(&p, "moon");
    assert_near(r->per_kwh.amount, 3, 0);
    assert_string_equal(p.codes[r->per_kwh.currency], "USD");
    /* half an hour after midnight, UTC */
    assert_near(r->price_as_of_s, 20758 * 86400.0 + 1800, 0);
    assert_unknown(r->co2_as_of_s);
    pricing_deinit(&p);
}

static void rates_and_hourly_costs_are_read(void **state)
{
    (void)state;
    struct pricing p;

    pricing_init(&p);
    assert_int_equal(
        pricing_read(&p,
                     VIEW("{\"exchange_rates\": {\"USD\": {\"EUR\": 0.9, "
                          "\"GBP\": 0.75, \"USD\": 1}, \"GBP\": {\"USD\": "
                          "1.3}, \"NOK\": null}, \"cpu_cost_per_hour\": 0.04, "
                          "\"gpu_cost_per_hour\": 2.1, \"comment\": [1]}"),
                     "prices.json", NULL),
        0);

    currency_id usd = currency(&p, "USD"), eur = currency(&p, "EUR"),
                gbp = currency(&p, "GBP");

    assert_near(pricing_rate(&p, usd, eur), 0.9, 0);
    assert_near(pricing_rate(&p, eur, usd), 1.09, 0); /* not touched, not inverted */
    assert_near(pricing_rate(&p, usd, gbp), 0.75, 0);
    assert_near(pricing_rate(&p, gbp, usd), 1.3, 0);
    assert_near(p.cpu_per_hour.amount, 0.04, 0);
    assert_int_equal(p.cpu_per_hour.source, PRICE_FILE);
    assert_near(p.gpu_per_hour.amount, 2.1, 0);
    pricing_deinit(&p);
}

static void what_is_wrong_is_told_with_file_key_and_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "", "prices.json: byte " },
        { "{\"regions\": ", "prices.json: byte " },
        { "[]", "prices.json: an array where an object is due" },
        { "{\"regions\": {\"eu-north-1\": {\"electricity_price\": -1}}}",
          "prices.json: regions.eu-north-1.electricity_price: negative (-1)" },
        { "{\"regions\": {\"a\": {\"electricity_price\": \"0.1\"}}}",
          "prices.json: regions.a.electricity_price: text where a number is due" },
        { "{\"regions\": {\"a\": {\"electricity_price\": 1, \"currency\": \"sek\"}}}",
          "prices.json: regions.a.currency: \"sek\" is no currency code" },
        { "{\"regions\": {\"a\": {\"electricity_price\": 1, \"currency\": 5}}}",
          "prices.json: regions.a.currency: a number where text is due" },
        { "{\"regions\": {\"a\": {\"currency\": \"SEK\"}}}",
          "prices.json: regions.a.currency: given without an electricity_price" },
        { "{\"regions\": {\"a\": {\"co2_kg_per_kwh\": 1e19}}}",
          "prices.json: regions.a.co2_kg_per_kwh: beyond 1e18 (1e+19)" },
        { "{\"regions\": {\"a\": {\"co2_kg_per_kwh\": NaN}}}",
          "prices.json: regions.a.co2_kg_per_kwh: no number where a number is due" },
        { "{\"regions\": {\"a\": {\"as_of\": \"2026-02-30\"}}}",
          "prices.json: regions.a.as_of: \"2026-02-30\" is neither YYYY-MM-DD nor "
          "RFC" },
        { "{\"regions\": {\"a\": {\"as_of\": 1793491200}}}",
          "prices.json: regions.a.as_of: a number where a date is due" },
        { "{\"regions\": {\"a\": {\"source\": []}}}",
          "prices.json: regions.a.source: an array where text is due" },
        { "{\"regions\": {\"a\": 5}}",
          "prices.json: regions.a: a number where an object is due" },
        { "{\"regions\": {\"\": {}}}",
          "prices.json: regions: a region without a name" },
        { "{\"regions\": []}",
          "prices.json: regions: an array where an object is due" },
        { "{\"regions\": {\"a\": {}, \"a\": {}}}",
          "prices.json: regions: \"a\" appears twice" },
        { "{\"regions\": {\"a\\nb\": 1}}", "prices.json: regions.a?b: a number where" },
        { "{\"regions\": {\"a\": {\"co2_intensity\": 5}}}",
          "prices.json: regions.a.co2_intensity: has no effect here; it belongs at the "
          "top of the file" },
        { "{\"electricity_price\": 5}", "prices.json: electricity_price: has no effect "
                                        "here; it belongs to a region" },
        { "{\"electricity_prices\": {\"us-east-1\": -0.5}}",
          "prices.json: electricity_prices.us-east-1: negative (-0.5)" },
        { "{\"electricity_prices\": 1}",
          "prices.json: electricity_prices: a number where an object is due" },
        { "{\"co2_intensity\": {\"us-east-1\": true}}",
          "prices.json: co2_intensity.us-east-1: a boolean where a number is due" },
        { "{\"exchange_rates\": {\"USD\": {\"EUR\": 0}}}",
          "prices.json: exchange_rates.USD.EUR: 0 is no rate" },
        { "{\"exchange_rates\": {\"USD\": {\"EURO\": 1}}}",
          "prices.json: exchange_rates.USD.EURO: \"EURO\" is no currency code" },
        { "{\"exchange_rates\": {\"USD\": {\"USD\": 2}}}",
          "prices.json: exchange_rates.USD.USD: 2 for the same currency" },
        { "{\"exchange_rates\": {\"usd\": {}}}",
          "prices.json: exchange_rates.usd: \"usd\" is no currency code" },
        { "{\"exchange_rates\": {\"USD\": 1}}",
          "prices.json: exchange_rates.USD: a number where an object is due" },
        { "{\"cpu_cost_per_hour\": -2}",
          "prices.json: cpu_cost_per_hour: negative (-2)" },
        { "{\"gpu_cost_per_hour\": {}}",
          "prices.json: gpu_cost_per_hour: an object where a number is due" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = { 0 };
        struct pricing p;

        pricing_init(&p);
        if (pricing_read(&p, view_of(cases[i].text), "prices.json", &e) != -EINVAL ||
            !view_starts(view_of(e.text), view_of(cases[i].want)))
            fail_msg("%s\n gave \"%s\"\n want \"%s\"", cases[i].text, e.text,
                     cases[i].want);
        pricing_deinit(&p);
    }
}

static void an_empty_object_changes_nothing(void **state)
{
    (void)state;
    struct pricing p;

    pricing_init(&p);
    assert_int_equal(pricing_read(&p,
                                  VIEW("{\"regions\": {\"us-east-1\": {\"note\": 1}}, "
                                       "\"electricity_prices\": null, "
                                       "\"cpu_cost_per_hour\": null}"),
                                  "prices.json", NULL),
                     0);
    assert_near(region(&p, "us-east-1")->per_kwh.amount, 0.13, 0);
    assert_near(p.cpu_per_hour.amount, 0.5, 0);
    assert_int_equal(p.cpu_per_hour.source, PRICE_BUILTIN);
    pricing_deinit(&p);
}

static void a_file_may_know_many_regions_and_currencies_but_not_any_number(void **state)
{
    (void)state;
    struct buf text = { 0 };
    struct err e = { 0 };
    struct pricing p;

    buf_str(&text, "{\"electricity_prices\": {");
    for (int i = 0; i < 2000; i++)
        buf_fmt(&text, "%s\"r%d\": %d", i ? "," : "", i, i);
    buf_str(&text, "}, \"exchange_rates\": {\"USD\": {");
    for (int i = 0; i < 200; i++)
        buf_fmt(&text, "%s\"X%c%c\": %d", i ? "," : "", 'A' + i / 26, 'A' + i % 26,
                i + 1);
    buf_str(&text, "}}}");
    pricing_init(&p);
    assert_int_equal(pricing_read(&p, buf_as_view(&text), "f", &e), 0);
    assert_near(region(&p, "r1999")->per_kwh.amount, 1999, 0);
    /* the 200th code is X, 199 / 26 = 7 → H, 199 % 26 = 17 → R */
    assert_near(pricing_rate(&p, currency(&p, "USD"), currency(&p, "XHR")), 200, 0);
    assert_near(pricing_rate(&p, currency(&p, "SEK"), currency(&p, "EUR")), 0.088, 0);
    pricing_deinit(&p);

    buf_release(&text);
    buf_str(&text, "{\"exchange_rates\": {\"USD\": {");
    for (int i = 0; i < 400; i++)
        buf_fmt(&text, "%s\"X%c%c\": 1", i ? "," : "", 'A' + i / 26, 'A' + i % 26);
    buf_str(&text, "}}}");
    pricing_init(&p);
    assert_int_equal(pricing_read(&p, buf_as_view(&text), "f", &e), -EINVAL);
    assert_non_null(strstr(e.text, "more than 300 currencies"));
    pricing_deinit(&p);
    buf_deinit(&text);
}

static double unix_time(const char *text)
{
    double t = NAN;

    return date_read(view_of(text), &t) ? t : NAN;
}

static void dates_are_read_without_a_time_zone_table(void **state)
{
    (void)state;
    /* well-known values: the epoch, the day before it, the "billennium", leap days */
    assert_near(unix_time("1970-01-01"), 0, 0);
    assert_near(unix_time("1969-12-31"), -86400, 0);
    assert_near(unix_time("2001-09-09T01:46:40Z"), 1e9, 0);
    assert_near(unix_time("2000-03-01") - unix_time("2000-02-28"), 2 * 86400, 0);
    assert_near(unix_time("1900-03-01") - unix_time("1900-02-28"), 86400, 0);
    /* 01:30 two hours east is 23:30 of the day before */
    assert_near(unix_time("1970-01-01T01:30:00+02:00"), -1800, 0);
    assert_near(unix_time("1970-01-01t00:00:00.25-00:30"), 1800.25, 0);
    assert_near(unix_time("1972-06-30T23:59:60Z"), unix_time("1972-07-01"), 0);

    static const char *const wrong[] = {
        "",
        "2026",
        "2026-13-01",
        "2026-00-01",
        "2026-04-31",
        "2026-02-29",
        "2026-2-1",
        "2026-02-01x",
        "2026-02-01T",
        "2026-02-01T1:00:00Z",
        "2026-02-01T10:00Z",
        "2026-02-01T10:00:00",
        "2026-02-01T24:00:00Z",
        "2026-02-01T10:60:00Z",
        "2026-02-01T10:00:61Z",
        "2026-02-01T10:00:00.Z",
        "2026-02-01T10:00:00+2",
        "2026-02-01T10:00:00+02:00x",
        "-026-02-01",
        "2026-02-01T10:00:00+24:00",
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (!isnan(unix_time(wrong[i])))
            fail_msg("\"%s\" was read as a date", wrong[i]);
}

static void days_are_written_as_they_were_read(void **state)
{
    (void)state;
    char day[DATE_TEXT_MAX];

    /* every 97th day of some 700 years meets every month, leap days and centuries */
    for (int i = -400 * 365; i < 300 * 365; i += 97) {
        double t = i * 86400.0;

        date_write(t, day);
        assert_near(unix_time(day), t, 0);
        date_write(t + 86399, day);
        assert_near(unix_time(day), t, 0);
    }
    date_write(951782400, day);
    assert_string_equal(day, "2000-02-29");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_in_tables_are_as_documented),
        cmocka_unit_test(each_direction_of_a_rate_is_its_own),
        cmocka_unit_test(unknown_regions_are_reckoned_as_default),
        cmocka_unit_test(the_flat_maps_are_in_usd_and_grams),
        cmocka_unit_test(regions_win_over_the_flat_maps),
        cmocka_unit_test(rates_and_hourly_costs_are_read),
        cmocka_unit_test(what_is_wrong_is_told_with_file_key_and_reason),
        cmocka_unit_test(an_empty_object_changes_nothing),
        cmocka_unit_test(
            a_file_may_know_many_regions_and_currencies_but_not_any_number),
        cmocka_unit_test(dates_are_read_without_a_time_zone_table),
        cmocka_unit_test(days_are_written_as_they_were_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
