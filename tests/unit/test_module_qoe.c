#include "tests/unit/module_host.h"

#include "modules/qoe/qoe.h"

static struct scenario full(void)
{
    struct scenario s = unknown_scenario("2 streams");

    s.bitrate = VIEW("2500k");
    s.resolution = VIEW("1920x1080");
    s.encoder = VIEW("libx264");
    s.facts.vmaf = 90;
    s.facts.psnr_db = 42.5;
    s.facts.ssim = 0.985;
    s.facts.mean_power_w = 45;
    s.facts.energy_j = 1800;
    s.facts.pixels = 4000;
    s.facts.dropped_frames = 5;
    s.facts.total_frames = 2000;
    s.facts.quality_s = 12.5;
    return s;
}

static void every_figure_has_its_family(void **state)
{
    (void)state;
    struct scenario s = full();
    struct host h;

    host_open(&h, &module_qoe, false, NULL, 0, NULL);
    host_scenario(&h, &s);
    assert_served(&h, "qoe_vmaf_score",
                  "qoe_vmaf_score{scenario=\"2 streams\",bitrate=\"2500k\",encoder="
                  "\"libx264\",resolution=\"1920x1080\",preset=\"veryfast\"} 90\n");
    assert_near(sample(&h, "qoe_psnr_score", NULL), 42.5, 0);
    assert_near(sample(&h, "qoe_ssim_score", NULL), 0.985, 0);
    /* 90 / 45 W */
    assert_near(sample(&h, "qoe_quality_per_watt", NULL), 2, 1e-15);
    /* 4000 pixels · 0.9 / 1800 J */
    assert_near(sample(&h, "qoe_efficiency_score", NULL), 2, 1e-15);
    /* 5 / 2000 */
    assert_near(sample(&h, "qoe_drop_rate", NULL), 0.0025, 1e-15);
    assert_near(sample(&h, "qoe_computation_duration_seconds", NULL), 12.5, 0);
    assert_sound(&h);
    host_close(&h);
}

static void identical_frames_have_infinite_psnr(void **state)
{
    (void)state;
    struct scenario s = full();
    struct host h;

    s.facts.psnr_db = INFINITY;
    host_open(&h, &module_qoe, false, NULL, 0, NULL);
    host_scenario(&h, &s);
    assert_near(sample(&h, "qoe_psnr_score", NULL), INFINITY, 0);
    host_close(&h);
}

static void what_is_unknown_is_absent(void **state)
{
    (void)state;
    struct scenario s = unknown_scenario("nothing");
    struct host h;

    host_open(&h, &module_qoe, false, NULL, 0, NULL);
    host_scenario(&h, &s);
    assert_int_equal(h.out.count, 0);
    host_close(&h);
}

static void a_ratio_needs_both_sides(void **state)
{
    (void)state;
    struct scenario s = full();
    struct host h;

    host_open(&h, &module_qoe, false, NULL, 0, NULL);
    s.facts.mean_power_w = s.facts.energy_j = s.facts.total_frames = 0;
    host_scenario(&h, &s);
    assert_unknown(sample(&h, "qoe_quality_per_watt", NULL));
    assert_unknown(sample(&h, "qoe_efficiency_score", NULL));
    assert_unknown(sample(&h, "qoe_drop_rate", NULL));

    s = full();
    s.facts.vmaf = s.facts.dropped_frames = NAN;
    host_scenario(&h, &s);
    assert_unknown(sample(&h, "qoe_vmaf_score", NULL));
    assert_unknown(sample(&h, "qoe_quality_per_watt", NULL));
    assert_unknown(sample(&h, "qoe_efficiency_score", NULL));
    assert_unknown(sample(&h, "qoe_drop_rate", NULL));
    assert_near(sample(&h, "qoe_psnr_score", NULL), 42.5, 0);

    /* no frame dropped, VMAF of 0: measurements, both */
    s = full();
    s.facts.vmaf = s.facts.dropped_frames = 0;
    host_scenario(&h, &s);
    assert_near(sample(&h, "qoe_vmaf_score", NULL), 0, 0);
    assert_near(sample(&h, "qoe_quality_per_watt", NULL), 0, 0);
    assert_near(sample(&h, "qoe_drop_rate", NULL), 0, 0);
    host_close(&h);
}

static void run_id_and_repeat_come_last(void **state)
{
    (void)state;
    struct scenario s[2] = { full(), full() };
    const struct run *run;
    struct host h;

    s[0].resolution = s[1].resolution = VIEW("");
    run = make_run("test_results_1", s, 2);
    host_open(&h, &module_qoe, true, NULL, 0, NULL);
    host_scenarios(&h, run);
#define SAME                                                                           \
    "scenario=\"2 "                                                                    \
    "streams\",bitrate=\"2500k\",encoder=\"libx264\",preset=\"veryfast\","             \
    "run_id=\"test_results_1\""
    assert_served(&h, "qoe_ssim_score",
                  "qoe_ssim_score{" SAME "} 0.985\n"
                  "qoe_ssim_score{" SAME ",repeat=\"2\"} 0.985\n");
    assert_sound(&h);
    host_close(&h);
    run_unref(run);
}

static void the_exporter_tells_of_itself(void **state)
{
    (void)state;
    struct scenario s = full();
    const struct run *run = make_run("r1", &s, 1);
    const struct run *const runs[] = { run };
    struct host h;

    host_open(&h, &module_qoe, false, NULL, 0, NULL);
    host_overall(&h, runs, 1, true);
    assert_served(&h, "qoe_exporter_up", "qoe_exporter_up 1\n");
    assert_served(&h, "qoe_scenarios_total", "qoe_scenarios_total 1\n");
    assert_served(&h, "qoe_exporter_info",
                  "qoe_exporter_info{version=\"1.2.3\",language=\"c\"} 1\n");
    host_overall(&h, runs, 1, false);
    assert_served(&h, "qoe_exporter_up", "qoe_exporter_up 0\n");
    host_close(&h);
    run_unref(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_figure_has_its_family),
        cmocka_unit_test(identical_frames_have_infinite_psnr),
        cmocka_unit_test(what_is_unknown_is_absent),
        cmocka_unit_test(a_ratio_needs_both_sides),
        cmocka_unit_test(run_id_and_repeat_come_last),
        cmocka_unit_test(the_exporter_tells_of_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
