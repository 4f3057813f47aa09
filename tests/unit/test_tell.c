#include "tests/unit/outlook_by_hand.h"

#include "modules/predict/tell.h"

/* 0.20 USD and 2 SEK per kWh, 0.5 kg; a core-hour 0.50 USD and 5 SEK; in "free" nothing
 * is known of the energy. */
static bool tariff_by_hand(void *ctx, struct view region, struct tariff *out)
{
    bool free_energy = view_eq(region, VIEW("free"));

    (void)ctx;
    *out = (struct tariff){
        .in = { { "SEK", free_energy ? NAN : 2, 5 }, { "USD", 0.2, 0.5 } },
        .count = 2,
        .usd = { "USD", 0.2, 0.5 },
        .co2_kg_per_kwh = 0.5,
    };
    return true;
}

static bool no_tariff(void *ctx, struct view region, struct tariff *out)
{
    (void)ctx;
    (void)region;
    (void)out;
    return false;
}

static const struct tell_context with_prices = { .tariff = tariff_by_hand,
                                                 .version = "1.2.3",
                                                 .model_update_s = 1700000000 };
static const struct tell_context without_prices = { .tariff = no_tariff,
                                                    .version = "1.2.3",
                                                    .model_update_s = NAN };

/* What is served on one endpoint, for the checks of module_host.h. */
struct told {
    struct host h;
    struct module m;
};

static void told_init(struct told *t, enum tell_on on)
{
    struct tell_families f = tell_families(on);

    *t = (struct told){ .m = { .families = f.all, .family_count = f.count } };
    t->h.m = &t->m;
}

static void told_overall(struct told *t, enum tell_on on, const struct outlook *o,
                         const struct tell_context *c)
{
    told_init(t, on);
    tell_overall(on, o, c, &t->h.out);
}

static void told_deinit(struct told *t)
{
    series_deinit(&t->h.out);
}

static const struct model_report two_models[] = {
    { .target = TARGET_VMAF,
      .scope = SCOPE_NEW,
      .group = VIEW("vmaf_model=\"4k\""),
      .model = "linear",
      .features = VIEW("log_bits_per_pixel*encoder"),
      .r2 = -0.25,
      .rmse = 4.5,
      .coverage = 0.95,
      .samples = 153,
      .sources = 5 },
    { .target = TARGET_POWER,
      .scope = SCOPE_KNOWN,
      .model = "mixed",
      .features = VIEW("streams"),
      .r2 = 0.875,
      .rmse = 3,
      .coverage = NAN,
      .samples = 12 },
};

static struct whatif_outlook one_whatif(void)
{
    static const struct whatif what = {
        VIEW("1080p30_4mbps"), 4000, 1920, 1080, 29.97, VIEW("h264"), VIEW("veryfast")
    };
    struct whatif_outlook w = unknown_whatif(&what);

    w.vmaf = (struct estimate){ 93.25, 88.5, 96 };
    w.psnr_db = (struct estimate){ 41.5, 38, 45 };
    w.core_seconds = (struct estimate){ 0.8, 0.4, 1.6 };
    w.energy_j = (struct estimate){ 20, 10, 40 };
    w.recommended_kbps = (struct estimate){ 3900, 2400, NAN };
    w.confidence[TARGET_VMAF] = 0.5;
    w.confidence[TARGET_ENERGY] = 0;
    return w;
}

static void models_are_told_with_what_sets_them_apart(void **state)
{
    (void)state;
    const struct outlook o = { .models = two_models, .model_count = 2 };
    struct told t;

    told_overall(&t, TELL_RESULTS, &o, &with_prices);
    assert_served(&t.h, "results_model_r2_score",
                  "results_model_r2_score{model=\"linear\",target=\"vmaf\",scope="
                  "\"new_source\",group=\"vmaf_model=\\\"4k\\\"\"} -0.25\n"
                  "results_model_r2_score{model=\"mixed\",target=\"power\",scope="
                  "\"known_source\"} 0.875\n");
    assert_near(sample(&t.h, "results_model_rmse", "target=\"vmaf\""), 4.5, 0);
    assert_near(sample(&t.h, "results_model_samples", "target=\"power\""), 12, 0);
    assert_near(sample(&t.h, "results_model_coverage", "target=\"vmaf\""), 0.95, 0);
    assert_int_equal(sample_count(&t.h, "results_model_coverage"), 1);
    assert_near(sample(&t.h, "results_model_info",
                       "model=\"mixed\" features=\"streams\" scope=\"known_source\""),
                1, 0);
    assert_sound(&t.h);
    told_deinit(&t);
}

static void the_service_is_up_while_there_are_models(void **state)
{
    (void)state;
    const struct outlook with = { .models = two_models, .model_count = 1 },
                         without = { 0 };
    struct tell_context told_version = with_prices;
    struct told t;

    told_overall(&t, TELL_ML, &with, &with_prices);
    assert_near(sample(&t.h, "ml_exporter_up", NULL), 1, 0);
    assert_served(&t.h, "ml_model_version",
                  "ml_model_version{version=\"00112233aabbccdd\"} 1\n");
    assert_near(sample(&t.h, "ml_model_last_update_timestamp", NULL), 1700000000, 0);
    assert_served(&t.h, "ml_exporter_info",
                  "ml_exporter_info{version=\"1.2.3\",language=\"c\",ml_backend=\"c\"} "
                  "1\n");
    told_deinit(&t);

    told_overall(&t, TELL_RESULTS, &without, &with_prices);
    assert_near(sample(&t.h, "ml_exporter_up", NULL), 0, 0);
    assert_int_equal(sample_count(&t.h, "ml_model_version"), 0);
    assert_int_equal(sample_count(&t.h, "ml_model_last_update_timestamp"), 0);
    assert_int_equal(sample_count(&t.h, "ml_exporter_info"), 1);
    told_deinit(&t);

    told_overall(&t, TELL_ML, NULL, &with_prices);
    assert_near(sample(&t.h, "ml_exporter_up", NULL), 0, 0);
    assert_int_equal(t.h.out.count, 2);
    told_deinit(&t);

    told_version.model_version = "older";
    told_overall(&t, TELL_RESULTS, &with, &told_version);
    assert_near(sample(&t.h, "ml_model_version", "version=\"older\""), 1, 0);
    told_deinit(&t);
}

#define LABELS                                                                         \
    "{config=\"1080p30_4mbps\",bitrate=\"4000kbps\",resolution=\"1920x1080\",fps="     \
    "\"29.97\",encoder=\"h264\",preset=\"veryfast\""

static void quality_of_configurations_is_told_with_intervals(void **state)
{
    (void)state;
    const struct whatif_outlook w = one_whatif();
    const struct outlook o = { .whatifs = &w, .whatif_count = 1 };
    struct told t;

    told_overall(&t, TELL_QOE, &o, &with_prices);
    assert_served(&t.h, "qoe_predicted_vmaf", "qoe_predicted_vmaf" LABELS "} 93.25\n");
    assert_near(sample(&t.h, "qoe_predicted_vmaf_low", NULL), 88.5, 0);
    assert_near(sample(&t.h, "qoe_predicted_vmaf_high", NULL), 96, 0);
    assert_near(sample(&t.h, "qoe_predicted_psnr", NULL), 41.5, 0);
    assert_near(sample(&t.h, "qoe_predicted_psnr_low", NULL), 38, 0);
    assert_near(sample(&t.h, "qoe_predicted_psnr_high", NULL), 45, 0);
    assert_served(&t.h, "prediction_confidence",
                  "prediction_confidence" LABELS ",target=\"energy\"} 0\n"
                  "prediction_confidence" LABELS ",target=\"vmaf\"} 0.5\n");
    assert_served(&t.h, "recommended_bitrate_kbps",
                  "recommended_bitrate_kbps" LABELS ",target_vmaf=\"93\"} 3900\n");
    assert_near(sample(&t.h, "recommended_bitrate_kbps_low", NULL), 2400, 0);
    assert_int_equal(sample_count(&t.h, "recommended_bitrate_kbps_high"), 0);
    assert_sound(&t.h);
    told_deinit(&t);
}

static void cost_is_that_of_an_hour_of_content(void **state)
{
    (void)state;
    const struct whatif_outlook w = one_whatif();
    const struct outlook o = { .whatifs = &w, .whatif_count = 1 };
    struct told t;

    told_overall(&t, TELL_COST, &o, &with_prices);
    /* 20 J/s · 3600 s = 0.02 kWh · 0.20; 0.8 core-hours · 0.50: 0.004 + 0.4 */
    assert_near(sample(&t.h, "cost_predicted_usd", NULL), 0.404, 1e-15);
    /* 0.01 kWh and 0.4 core-hours; 0.04 kWh and 1.6 core-hours */
    assert_near(sample(&t.h, "cost_predicted_usd_low", NULL), 0.202, 1e-15);
    assert_near(sample(&t.h, "cost_predicted_usd_high", NULL), 0.808, 1e-15);
    /* 0.02 kWh · 0.5 kg */
    assert_near(sample(&t.h, "cost_predicted_co2_kg", NULL), 0.01, 1e-15);
    assert_near(sample(&t.h, "cost_predicted_co2_kg_low", NULL), 0.005, 1e-15);
    assert_near(sample(&t.h, "cost_predicted_co2_kg_high", NULL), 0.02, 1e-15);
    assert_sound(&t.h);
    told_deinit(&t);
}

static void costs_have_four_digits_as_the_rest(void **state)
{
    (void)state;
    struct whatif_outlook w = one_whatif();
    const struct outlook o = { .whatifs = &w, .whatif_count = 1 };
    struct told t;

    w.energy_j = (struct estimate){ 23.45, 12.34, 34.56 };
    w.core_seconds = (struct estimate){ 1.831, 0.5977, 2.345 };
    told_overall(&t, TELL_COST, &o, &with_prices);
    /* 0.02345 kWh · 0.20 + 1.831 h · 0.50 = 0.92019 */
    assert_near(sample(&t.h, "cost_predicted_usd", NULL), 0.9202, 0);
    /* 0.01234 · 0.20 + 0.5977 · 0.50 = 0.301318 */
    assert_near(sample(&t.h, "cost_predicted_usd_low", NULL), 0.3013, 0);
    /* 0.03456 kWh · 0.5 kg */
    assert_near(sample(&t.h, "cost_predicted_co2_kg_high", NULL), 0.01728, 0);
    told_deinit(&t);
}

static void a_part_of_the_cost_that_is_not_known_does_not_count(void **state)
{
    (void)state;
    struct whatif_outlook w = one_whatif();
    const struct outlook o = { .whatifs = &w, .whatif_count = 1 };
    struct told t;

    w.energy_j = UNKNOWN_ESTIMATE;
    told_overall(&t, TELL_COST, &o, &with_prices);
    assert_near(sample(&t.h, "cost_predicted_usd", NULL), 0.4, 1e-15);
    assert_near(sample(&t.h, "cost_predicted_usd_high", NULL), 0.8, 1e-15);
    assert_int_equal(sample_count(&t.h, "cost_predicted_co2_kg"), 0);
    told_deinit(&t);

    /* The end of a part is not the end of the sum. */
    w.energy_j = (struct estimate){ 20, 10, NAN };
    told_overall(&t, TELL_COST, &o, &with_prices);
    assert_near(sample(&t.h, "cost_predicted_usd", NULL), 0.404, 1e-15);
    assert_near(sample(&t.h, "cost_predicted_usd_low", NULL), 0.202, 1e-15);
    assert_int_equal(sample_count(&t.h, "cost_predicted_usd_high"), 0);
    told_deinit(&t);

    told_overall(&t, TELL_COST, &o, &without_prices);
    assert_int_equal(t.h.out.count, 0);
    told_deinit(&t);
}

static void what_no_double_holds_is_no_cost(void **state)
{
    (void)state;
    struct whatif_outlook w = one_whatif();
    const struct outlook o = { .whatifs = &w, .whatif_count = 1 };
    struct tell_context c = with_prices;
    struct told t;

    w.energy_j = (struct estimate){ 20, 10, 1.7e308 };
    told_overall(&t, TELL_COST, &o, &c);
    assert_int_equal(sample_count(&t.h, "cost_predicted_usd"), 1);
    assert_int_equal(sample_count(&t.h, "cost_predicted_usd_high"), 0);
    told_deinit(&t);
}

static void the_port_of_the_predecessor_has_its_families(void **state)
{
    (void)state;
    static const char *const names[] = { "ml_exporter_up",
                                         "qoe_predicted_vmaf",
                                         "qoe_predicted_psnr",
                                         "cost_predicted_usd",
                                         "cost_predicted_co2_kg",
                                         "prediction_confidence",
                                         "recommended_bitrate_kbps",
                                         "ml_model_version",
                                         "ml_model_last_update_timestamp",
                                         "ml_exporter_info" };
    const struct whatif_outlook w = one_whatif();
    const struct outlook o = {
        .models = two_models, .model_count = 2, .whatifs = &w, .whatif_count = 1
    };
    struct told t;

    told_overall(&t, TELL_ML, &o, &with_prices);
    assert_int_equal(t.m.family_count, sizeof names / sizeof *names);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_string_equal(t.m.families[i].name, names[i]);
        assert_true(sample_count(&t.h, names[i]) > 0);
    }
    assert_served(&t.h, "qoe_predicted_vmaf", "qoe_predicted_vmaf" LABELS "} 93.25\n");
    assert_near(sample(&t.h, "qoe_predicted_psnr", NULL), 41.5, 0);
    assert_near(sample(&t.h, "cost_predicted_usd", NULL), 0.404, 1e-15);
    assert_near(sample(&t.h, "cost_predicted_co2_kg", NULL), 0.01, 1e-15);
    assert_near(sample(&t.h, "recommended_bitrate_kbps", NULL), 3900, 0);
    assert_sound(&t.h);
    told_deinit(&t);
}

static void what_is_not_known_is_absent(void **state)
{
    (void)state;
    const struct whatif nothing = { VIEW("x"), 1, 2, 3, 4, { NULL, 0 }, { NULL, 0 } };
    const struct whatif_outlook w = unknown_whatif(&nothing);
    const struct outlook o = { .whatifs = &w, .whatif_count = 1 };
    struct told t;

    told_overall(&t, TELL_QOE, &o, &with_prices);
    assert_int_equal(t.h.out.count, 0);
    told_deinit(&t);
    told_overall(&t, TELL_COST, &o, &with_prices);
    assert_int_equal(t.h.out.count, 0);
    told_deinit(&t);
}

static void people_read_what_is_expected_or_that_nothing_is(void **state)
{
    (void)state;
    const struct whatif nothing = { VIEW("x"), 1, 2, 3, 4, { NULL, 0 }, { NULL, 0 } };
    const struct whatif_outlook all[] = { one_whatif(), unknown_whatif(&nothing) };
    const struct outlook o = { .whatifs = all, .whatif_count = 2 };
    struct about a = { 0 };

    tell_about(&o, &with_prices, &a);
    assert_int_equal(a.count, 2);
    assert_true(view_has_nocase(a.rows[0].value, VIEW("vmaf 93.25 (")));
    assert_true(
        view_has_nocase(a.rows[0].value, VIEW("0.404 usd per hour of content")));
    assert_true(view_has_nocase(a.rows[0].value, VIEW("ask for 3900 kbit/s")));
    assert_true(view_has_nocase(a.rows[0].source, VIEW("confidence")));
    assert_true(view_eq(a.rows[1].what, VIEW("x: 2x3, 4 fps, 1 kbit/s")));
    assert_true(view_eq(a.rows[1].value, VIEW("the data cannot say")));
    assert_int_equal(a.rows[1].source.n, 0);
    about_deinit(&a);
}

/* ---- scenarios ------------------------------------------------------------------------ */

static void told_scenario(struct told *t, const struct outlook *o,
                          const struct run *run, uint32_t index)
{
    const struct place at = { .run = run,
                              .s = run->scenarios[index],
                              .baseline = NULL,
                              .ordinal = run->ordinals[index] };

    told_init(t, TELL_RESULTS);
    tell_scenario(o, &at, index, &with_prices, &t->h.out);
}

static void scenarios_have_the_labels_of_their_results(void **state)
{
    (void)state;
    struct scenario s[2] = { unknown_scenario("two \"at\" once"),
                             unknown_scenario("two \"at\" once") };
    const struct scenario_outlook said[2] = {
        { { NAN, NAN, NAN }, NAN, NAN, NAN },
        { { 80, 70, 90 }, 7.2e6, 3600, 12.5 },
    };
    const struct outlook o = { .run_id = "r", .scenarios = said, .scenario_count = 2 };
    const struct run *run;
    struct told t;

    s[0].bitrate = s[1].bitrate = VIEW("2500k");
    run = make_run("r", s, 2);
    told_scenario(&t, &o, run, 1);
#define RESULT_LABELS                                                                  \
    "{run_id=\"r\",scenario=\"two \\\"at\\\" once\",bitrate=\"2500k\",streams=\"1\","  \
    "output_ladder=\"unknown\",encoder=\"h264\",encoder_type=\"cpu\",preset="          \
    "\"veryfast\",repeat=\"2\""
    assert_served(&t.h, "results_scenario_predicted_power_watts",
                  "results_scenario_predicted_power_watts" RESULT_LABELS "} 80\n");
    assert_near(sample(&t.h, "results_scenario_predicted_energy_joules", NULL), 7.2e6,
                0);
    assert_near(sample(&t.h, "results_scenario_predicted_efficiency_score", NULL), 12.5,
                0);
    assert_near(sample(&t.h, "results_scenario_prediction_confidence_low", NULL), 70,
                0);
    assert_near(sample(&t.h, "results_scenario_prediction_confidence_high", NULL), 90,
                0);
    /* 2 kWh and a core-hour: 2 · 2 + 5 SEK, 2 · 0.2 + 0.5 USD */
    assert_served(
        &t.h, "results_scenario_predicted_cost",
        "results_scenario_predicted_cost" RESULT_LABELS ",currency=\"SEK\"} 9\n"
        "results_scenario_predicted_cost" RESULT_LABELS ",currency=\"USD\"} 0.9\n");
    assert_sound(&t.h);
    told_deinit(&t);

    told_scenario(&t, &o, run, 0);
    assert_int_equal(t.h.out.count, 0);
    told_deinit(&t);
    run_unref(run);
}

static void a_scenario_costs_what_its_region_asks(void **state)
{
    (void)state;
    struct scenario s = unknown_scenario("one");
    const struct scenario_outlook said = { { 80, 70, 90 }, 7.2e6, 3600, 12.5 };
    const struct outlook o = { .run_id = "r", .scenarios = &said, .scenario_count = 1 };
    const struct run *run;
    struct told t;

    s.region = VIEW("free");
    run = make_run("r", &s, 1);
    told_scenario(&t, &o, run, 0);
    /* No price of energy is known in SEK there: the core-hour alone. */
    assert_near(sample(&t.h, "results_scenario_predicted_cost", "currency=\"SEK\""), 5,
                0);
    told_deinit(&t);
    run_unref(run);
}

static void a_run_that_nobody_has_learned_of_is_not_told(void **state)
{
    (void)state;
    const struct scenario s = unknown_scenario("one");
    const struct outlook o = { .run_id = "other" };
    const struct run *run = make_run("r", &s, 1);
    struct told t;

    told_scenario(&t, &o, run, 0);
    assert_int_equal(t.h.out.count, 0);
    told_deinit(&t);
    run_unref(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_are_told_with_what_sets_them_apart),
        cmocka_unit_test(the_service_is_up_while_there_are_models),
        cmocka_unit_test(quality_of_configurations_is_told_with_intervals),
        cmocka_unit_test(cost_is_that_of_an_hour_of_content),
        cmocka_unit_test(costs_have_four_digits_as_the_rest),
        cmocka_unit_test(a_part_of_the_cost_that_is_not_known_does_not_count),
        cmocka_unit_test(what_no_double_holds_is_no_cost),
        cmocka_unit_test(the_port_of_the_predecessor_has_its_families),
        cmocka_unit_test(what_is_not_known_is_absent),
        cmocka_unit_test(people_read_what_is_expected_or_that_nothing_is),
        cmocka_unit_test(scenarios_have_the_labels_of_their_results),
        cmocka_unit_test(a_scenario_costs_what_its_region_asks),
        cmocka_unit_test(a_run_that_nobody_has_learned_of_is_not_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
