#include "tests/unit/module_host.h"

#include "modules/results/results.h"

static struct scenario full(void)
{
    struct scenario s = unknown_scenario("4 streams @ 2500k");
    struct facts *f = &s.facts;

    s.bitrate = VIEW("2500k");
    s.resolution = VIEW("1280x720");
    s.fps = VIEW("30");
    s.streams = VIEW("4");
    s.output_ladder = VIEW("1280x720@30");
    s.encoder = VIEW("libx264");
    f->duration_s = 120;
    f->content_s = 240;
    f->fps = 30;
    f->bitrate_bps = 2.5e6;
    f->streams = 4;
    f->mean_cpu_power_w = 50;
    f->mean_power_w = 60;
    f->power_stdev_w = 2.5;
    f->energy_j = 7200;
    f->cpu_percent = 180;
    f->docker_overhead_w = 1.5;
    f->pixels = 14400;
    f->avg_fps = 29.97;
    f->dropped_frames = 3;
    f->total_frames = 3600;
    f->vmaf = 92.5;
    f->psnr_db = INFINITY;
    f->ssim = 0.985;
    return s;
}

static void every_figure_has_its_family(void **state)
{
    (void)state;
    struct scenario s = full();
    struct host h;

    host_open(&h, &module_results, false, NULL, 0, NULL);
    host_scenario(&h, &s);
    assert_near(sample(&h, "results_scenario_duration_seconds", NULL), 120, 0);
    assert_near(sample(&h, "results_scenario_mean_power_watts", NULL), 60, 0);
    assert_near(sample(&h, "results_scenario_measured_power_watts", NULL), 50, 0);
    assert_near(sample(&h, "results_scenario_power_stdev", NULL), 2.5, 0);
    assert_near(sample(&h, "results_scenario_total_energy_joules", NULL), 7200, 0);
    /* 7200 J / 3600 = 2 Wh; over 120 s that is 2 · 60 / 120 = 1 Wh per minute */
    assert_near(sample(&h, "results_scenario_total_energy_wh", NULL), 2, 1e-15);
    assert_near(sample(&h, "results_scenario_energy_wh_per_min", NULL), 1, 1e-15);
    /* 2 Wh / 2.5 Mbit/s */
    assert_near(sample(&h, "results_scenario_energy_wh_per_mbps", NULL), 0.8, 1e-15);
    /* 7200 J · 1000 / 3600 frames = 2000 mJ */
    assert_near(sample(&h, "results_scenario_energy_mj_per_frame", NULL), 2000, 1e-12);
    assert_near(sample(&h, "results_scenario_container_cpu_percent", NULL), 180, 0);
    assert_near(sample(&h, "results_scenario_estimated_docker_overhead_watts", NULL),
                1.5, 0);
    /* 14400 pixels / 7200 J */
    assert_near(sample(&h, "results_scenario_efficiency_score", NULL), 2, 1e-15);
    /* 2.5 Mbit/s · 4 streams / 60 W = 10 / 60 */
    assert_near(sample(&h, "results_scenario_throughput_mbps_per_watt", NULL),
                0.16666666666666666, 1e-15);
    assert_near(sample(&h, "results_scenario_total_pixels", NULL), 14400, 0);
    assert_near(sample(&h, "results_scenario_avg_fps", NULL), 29.97, 0);
    assert_near(sample(&h, "results_scenario_dropped_frames", NULL), 3, 0);
    assert_near(sample(&h, "results_scenario_total_frames", NULL), 3600, 0);
    assert_near(sample(&h, "results_scenario_vmaf_score", NULL), 92.5, 0);
    assert_near(sample(&h, "results_scenario_ssim_score", NULL), 0.985, 0);
    assert_served(
        &h, "results_scenario_psnr_score",
        "results_scenario_psnr_score{run_id=\"run\",scenario=\"4 streams @ "
        "2500k\",bitrate=\"2500k\",resolution=\"1280x720\",fps=\"30\",streams="
        "\"4\",output_ladder=\"1280x720@30\",encoder=\"libx264\",encoder_type="
        "\"cpu\",preset=\"veryfast\"} +Inf\n");
    assert_sound(&h);
    host_close(&h);
}

static void what_is_unknown_is_absent(void **state)
{
    (void)state;
    struct scenario s = unknown_scenario("nothing");
    struct host h;

    host_open(&h, &module_results, false, NULL, 0, NULL);
    host_scenario(&h, &s);
    assert_int_equal(h.out.count, 1); /* but for the file, which is there */
    assert_near(sample(&h, "results_run_file_mtime_seconds", NULL), 1700000000.25, 0);
    host_close(&h);
}

static void a_ratio_over_zero_is_absent(void **state)
{
    (void)state;
    struct scenario s = full();
    struct host h;

    s.facts.duration_s = s.facts.bitrate_bps = s.facts.total_frames = 0;
    s.facts.mean_power_w = s.facts.energy_j = 0;
    host_open(&h, &module_results, false, NULL, 0, NULL);
    host_scenario(&h, &s);
    assert_unknown(sample(&h, "results_scenario_energy_wh_per_min", NULL));
    assert_unknown(sample(&h, "results_scenario_energy_wh_per_mbps", NULL));
    assert_unknown(sample(&h, "results_scenario_energy_mj_per_frame", NULL));
    assert_unknown(sample(&h, "results_scenario_efficiency_score", NULL));
    assert_unknown(sample(&h, "results_scenario_throughput_mbps_per_watt", NULL));
    /* but a 0 that was measured is served */
    assert_near(sample(&h, "results_scenario_total_energy_joules", NULL), 0, 0);
    assert_near(sample(&h, "results_scenario_mean_power_watts", NULL), 0, 0);
    host_close(&h);
}

static void frames_are_rate_times_content_where_not_given(void **state)
{
    (void)state;
    struct scenario s = full();
    struct host h;

    s.facts.total_frames = NAN;
    host_open(&h, &module_results, false, NULL, 0, NULL);
    host_scenario(&h, &s);
    /* 30/s · 240 s = 7200 frames; 7200 J over them is 1000 mJ each */
    assert_near(sample(&h, "results_scenario_energy_mj_per_frame", NULL), 1000, 1e-12);
    assert_unknown(sample(&h, "results_scenario_total_frames", NULL));
    host_close(&h);
}

static void differences_are_to_the_baseline(void **state)
{
    (void)state;
    struct scenario s[2] = { full(), full() };
    const struct run *run;
    struct host h;

    s[0].name = VIEW("baseline (idle)");
    s[0].is_baseline = true;
    s[0].facts.mean_power_w = 40;
    s[0].facts.energy_j = 3600;
    s[0].facts.cpu_percent = 5;
    run = make_run("r1", s, 2);
    host_open(&h, &module_results, false, NULL, 0, NULL);
    host_scenarios(&h, run);

    const char *it = "scenario=\"4", *base = "scenario=\"baseline";

    /* 60 W − 40 W; 2 Wh − 1 Wh; 180 % − 5 %; 20 W of 40 W */
    assert_near(sample(&h, "results_scenario_net_power_watts", it), 20, 0);
    assert_near(sample(&h, "results_scenario_delta_power_watts", it), 20, 0);
    assert_near(sample(&h, "results_scenario_net_energy_wh", it), 1, 1e-15);
    assert_near(sample(&h, "results_scenario_delta_energy_wh", it), 1, 1e-15);
    assert_near(sample(&h, "results_scenario_net_container_cpu_percent", it), 175, 0);
    assert_near(sample(&h, "results_scenario_power_pct_increase", it), 50, 1e-15);

    assert_near(sample(&h, "results_scenario_net_power_watts", base), 0, 0);
    assert_near(sample(&h, "results_scenario_net_energy_wh", base), 0, 0);
    assert_near(sample(&h, "results_scenario_net_container_cpu_percent", base), 0, 0);
    assert_near(sample(&h, "results_scenario_power_pct_increase", base), 0, 0);
    assert_sound(&h);
    host_close(&h);
    run_unref(run);
}

static void a_baseline_without_power_gives_no_percent(void **state)
{
    (void)state;
    const double powers[] = { 0, NAN };

    for (size_t i = 0; i < 2; i++) {
        struct scenario s[2] = { full(), full() };
        const struct run *run;
        struct host h;

        s[0].name = VIEW("idle");
        s[0].is_baseline = true;
        s[0].facts.mean_power_w = powers[i];
        run = make_run("r1", s, 2);
        host_open(&h, &module_results, false, NULL, 0, NULL);
        host_scenarios(&h, run);
        assert_int_equal(sample_count(&h, "results_scenario_power_pct_increase"), 0);
        /* 60 W − 0 W, and nothing where the baseline's is unknown */
        assert_near(sample(&h, "results_scenario_net_power_watts", "scenario=\"4"),
                    i == 0 ? 60 : NAN, 0);
        host_close(&h);
        run_unref(run);
    }
}

static void without_a_baseline_there_are_no_differences(void **state)
{
    (void)state;
    struct scenario s = full();
    struct host h;

    host_open(&h, &module_results, false, NULL, 0, NULL);
    host_scenario(&h, &s);
    assert_int_equal(sample_count(&h, "results_scenario_net_power_watts"), 0);
    assert_int_equal(sample_count(&h, "results_scenario_delta_energy_wh"), 0);
    host_close(&h);
}

static void repeats_are_numbered_from_the_second_on(void **state)
{
    (void)state;
    struct scenario s[3];
    const struct run *run;
    struct host h;

    for (int i = 0; i < 3; i++) {
        s[i] = unknown_scenario("same");
        s[i].facts.duration_s = 10 + i;
        s[i].facts.crf = 23;
    }
    run = make_run("r1", s, 3);
    host_open(&h, &module_results, false, NULL, 0, NULL);
    host_scenarios(&h, run);
#define SAME                                                                           \
    "run_id=\"r1\",scenario=\"same\",streams=\"1\",output_ladder=\"unknown\","         \
    "encoder=\"h264\",encoder_type=\"cpu\",preset=\"veryfast\""
    assert_served(&h, "results_scenario_duration_seconds",
                  "results_scenario_duration_seconds{" SAME "} 10\n"
                  "results_scenario_duration_seconds{" SAME ",repeat=\"2\"} 11\n"
                  "results_scenario_duration_seconds{" SAME ",repeat=\"3\"} 12\n");
    assert_served(&h, "results_scenario_params_info",
                  "results_scenario_params_info{" SAME ",crf=\"23\"} 1\n"
                  "results_scenario_params_info{" SAME ",crf=\"23\",repeat=\"2\"} 1\n"
                  "results_scenario_params_info{" SAME ",crf=\"23\",repeat=\"3\"} 1\n");
    assert_sound(&h);
    host_close(&h);
    run_unref(run);
}

static void what_the_energy_rests_on_is_told_where_it_is_known(void **state)
{
    (void)state;
    struct scenario s[3] = { unknown_scenario("same"), unknown_scenario("same"),
                             unknown_scenario("same") };
    const struct run *run;
    struct host h;

    s[0].facts.energy_j = 0; /* measured, and nothing */
    s[0].facts.energy_basis = ENERGY_SAMPLES_PARTIAL;
    s[1].facts.energy_j = 5;
    s[1].facts.energy_basis = ENERGY_UPSTREAM_SHARED;
    s[2].facts.energy_basis = ENERGY_NONE;
    run = make_run("r1", s, 3);
    host_open(&h, &module_results, false, NULL, 0, NULL);
    host_scenarios(&h, run);
    assert_served(&h, "results_scenario_energy_source_info",
                  "results_scenario_energy_source_info{" SAME
                  ",source=\"samples_partial\"} 1\n"
                  "results_scenario_energy_source_info{" SAME
                  ",repeat=\"2\",source=\"upstream_shared\"} 1\n");
    assert_sound(&h);
    host_close(&h);
    run_unref(run);
}

static void an_encode_whose_end_is_not_told_has_one_state_of_four(void **state)
{
    (void)state;
    static const char *const states[] = { "running", "stalled", "ended", "aborted" };
    struct scenario s = unknown_scenario("same");
    struct host h;

    host_open(&h, &module_results, false, NULL, 0, NULL);
    host_scenario(&h, &s);
    assert_int_equal(sample_count(&h, "encode_state"), 0);
    for (int aborted = 0; aborted < 2; aborted++) {
        s.state = aborted ? SCENARIO_ABORTED : SCENARIO_RUNNING;
        host_scenario(&h, &s);
        assert_int_equal(sample_count(&h, "encode_state"), 4);
        for (size_t i = 0; i < 4; i++) {
            char label[32];

            snprintf(label, sizeof label, "state=\"%s\"", states[i]);
            assert_near(sample(&h, "encode_state", label), i == (aborted ? 3 : 0), 0);
        }
        assert_sound(&h);
    }
    host_close(&h);
}

static void parameters_are_labels_that_never_clash(void **state)
{
    (void)state;
    const struct param params[] = {
        { VIEW("tune"), VIEW("film") },       { VIEW("pix-fmt"), VIEW("yuv420p") },
        { VIEW("pix_fmt"), VIEW("yuv422p") }, /* taken by pix-fmt */
        { VIEW("pix fmt"), VIEW("yuv444p") }, /* and param_pix_fmt is, too */
        { VIEW("preset"), VIEW("slow") },     /* a label of every series */
        { VIEW("2pass"), VIEW("1") },         /* no name begins with a digit */
        { VIEW("__name__"), VIEW("evil") },   { VIEW("crf"), VIEW("99") },
        { VIEW("empty"), VIEW("") },
    };
    struct scenario s = unknown_scenario("p");
    struct host h;

    s.params = params;
    s.param_count = sizeof params / sizeof *params;
    s.facts.crf = 23.5;
    s.facts.passes = 2;
    s.rate_control = VIEW("crf");
    s.vmaf_model = VIEW("vmaf_v0.6.1");
    s.transfer = VIEW("sdr");
    host_open(&h, &module_results, false, NULL, 0, NULL);
    host_scenario(&h, &s);
    assert_served(
        &h, "results_scenario_params_info",
        "results_scenario_params_info{run_id=\"run\",scenario=\"p\",streams="
        "\"1\",output_ladder=\"unknown\",encoder=\"h264\",encoder_type=\"cpu\","
        "preset=\"veryfast\",tune=\"film\",pix_fmt=\"yuv420p\",param_pix_fmt="
        "\"yuv422p\",param_pix_fmt_2=\"yuv444p\",param_preset=\"slow\",_2pass="
        "\"1\",param___name__=\"evil\",param_crf=\"99\",crf=\"23.5\",rate_control="
        "\"crf\",passes=\"2\",vmaf_model=\"vmaf_v0.6.1\",transfer=\"sdr\"} 1\n");
    host_close(&h);
}

static void long_keys_that_differ_late_stay_apart(void **state)
{
    (void)state;
    char a[300], b[300];
    struct param params[] = { { { a, sizeof a }, VIEW("1") },
                              { { b, sizeof b }, VIEW("2") } };
    struct scenario s = unknown_scenario("p");
    struct host h;

    memset(a, 'k', sizeof a);
    memset(b, 'k', sizeof b);
    b[sizeof b - 1] = 'x';
    s.params = params;
    s.param_count = 2;
    host_open(&h, &module_results, false, NULL, 0, NULL);
    host_scenario(&h, &s);
    /* both are cut to the same 100 letters, so the second gets the prefix */
    assert_near(sample(&h, "results_scenario_params_info", ",kkk param_kkk"), 1, 0);
    host_close(&h);
}

static void parameters_are_absent_where_none_is_given(void **state)
{
    (void)state;
    struct scenario s = full();
    struct host h;

    host_open(&h, &module_results, false, NULL, 0, NULL);
    host_scenario(&h, &s);
    assert_int_equal(sample_count(&h, "results_scenario_params_info"), 0);
    host_close(&h);
}

static void the_exporter_tells_of_itself(void **state)
{
    (void)state;
    struct scenario s[2] = { full(), full() };
    const struct run *run = make_run("r1", s, 2);
    const struct run *const runs[] = { run };
    struct host h;

    host_open(&h, &module_results, false, NULL, 0, NULL);
    host_overall(&h, runs, 1, true);
    assert_served(&h, "results_exporter_up", "results_exporter_up 1\n");
    assert_served(&h, "results_scenarios_total", "results_scenarios_total 2\n");
    assert_served(&h, "results_exporter_info",
                  "results_exporter_info{version=\"1.2.3\",language=\"c\"} 1\n");
    host_overall(&h, NULL, 0, false);
    assert_served(&h, "results_exporter_up", "results_exporter_up 0\n");
    assert_served(&h, "results_scenarios_total", "results_scenarios_total 0\n");
    host_close(&h);
    run_unref(run);
}

static void what_is_said_of_a_file_is_said_once(void **state)
{
    (void)state;
    struct scenario s[3] = { full(), full(), full() };
    const struct run *run = make_run("r1", s, 3);
    struct host h;

    host_open(&h, &module_results, false, NULL, 0, NULL); /* --runs latest */
    host_scenarios(&h, run);
    assert_served(&h, "results_run_file_mtime_seconds",
                  "results_run_file_mtime_seconds{run_id=\"r1\"} 1700000000.25\n");
    host_close(&h);
    run_unref(run);
}

static void the_last_run_is_dated_by_its_end_else_by_its_file(void **state)
{
    (void)state;
    struct scenario ended = full(), silent = full();
    const struct run *runs[2];
    struct host h;

    silent.start_s = silent.end_s = NAN;
    ended.end_s = 1650000000.25;
    runs[0] = make_run("old", &ended, 1);
    runs[1] = make_run("new", &silent, 1);
    host_open(&h, &module_results, false, NULL, 0, NULL);
    host_overall(&h, runs, 1, true);
    assert_near(sample(&h, "results_last_run_timestamp_seconds", NULL), 1650000000.25,
                0);
    host_overall(&h, runs, 2, true); /* the newest stands last */
    assert_near(sample(&h, "results_last_run_timestamp_seconds", NULL), 1700000000.25,
                0);
    host_overall(&h, NULL, 0, true);
    assert_unknown(sample(&h, "results_last_run_timestamp_seconds", NULL));
    host_close(&h);
    run_unref(runs[0]);
    run_unref(runs[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_figure_has_its_family),
        cmocka_unit_test(what_is_unknown_is_absent),
        cmocka_unit_test(a_ratio_over_zero_is_absent),
        cmocka_unit_test(frames_are_rate_times_content_where_not_given),
        cmocka_unit_test(differences_are_to_the_baseline),
        cmocka_unit_test(a_baseline_without_power_gives_no_percent),
        cmocka_unit_test(without_a_baseline_there_are_no_differences),
        cmocka_unit_test(repeats_are_numbered_from_the_second_on),
        cmocka_unit_test(what_the_energy_rests_on_is_told_where_it_is_known),
        cmocka_unit_test(an_encode_whose_end_is_not_told_has_one_state_of_four),
        cmocka_unit_test(parameters_are_labels_that_never_clash),
        cmocka_unit_test(long_keys_that_differ_late_stay_apart),
        cmocka_unit_test(parameters_are_absent_where_none_is_given),
        cmocka_unit_test(the_exporter_tells_of_itself),
        cmocka_unit_test(what_is_said_of_a_file_is_said_once),
        cmocka_unit_test(the_last_run_is_dated_by_its_end_else_by_its_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
