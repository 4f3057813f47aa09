#include "core/derive.h"

#include "tests/unit/test.h"

#define SAMPLES(...)                                                                   \
    ((struct samples){ (const double[]){ __VA_ARGS__ },                                \
                       sizeof((const double[]){ __VA_ARGS__ }) / sizeof(double) })

static struct facts facts_of(const struct derive_input *in)
{
    struct facts f;

    derive_facts(in, &f);
    return f;
}

/* ---- series --------------------------------------------------------------------- */

static void samples_at_instants_make_trapezoids(void **state)
{
    (void)state;
    double covered;

    /* (100 + 200) / 2 over 10 s */
    assert_near(series_total(SAMPLES(100, 200), 10, false, NAN, &covered), 1500, 0);
    assert_near(covered, 10, 0);
    /* 5 s · (45.2/2 + 46.1 + 45.8 + 47 + 46.5 + 45.9 + 46.3 + 46.7 + 45.5 + 46.2/2)
       = 5 · 415.5: the check value */
    assert_near(
        series_total(SAMPLES(45.2, 46.1, 45.8, 47, 46.5, 45.9, 46.3, 46.7, 45.5, 46.2),
                     5, false, 120.5, &covered),
        2077.5, 1e-12);
    assert_near(covered, 45, 0);
}

static void a_lone_sample_holds_for_one_step(void **state)
{
    (void)state;
    double covered;

    assert_near(series_total(SAMPLES(33), 5, false, 60, &covered), 165, 0);
    assert_near(covered, 5, 0);
    assert_near(series_total(SAMPLES(NAN, 33, NAN), 5, false, 60, NULL), 165, 0);
}

static void means_of_intervals_each_weigh_their_interval(void **state)
{
    (void)state;
    double covered;

    /* 2 s · (10 + 20 + 30), the duration is as long */
    assert_near(series_total(SAMPLES(10, 20, 30), 2, true, 6, &covered), 120, 0);
    assert_near(covered, 6, 0);
    /* of the last interval 1 s is left: 2·10 + 2·20 + 1·30 */
    assert_near(series_total(SAMPLES(10, 20, 30), 2, true, 5, &covered), 90, 0);
    assert_near(covered, 5, 0);
    /* a longer duration, or none, changes nothing */
    assert_near(series_total(SAMPLES(10, 20, 30), 2, true, 60, NULL), 120, 0);
    assert_near(series_total(SAMPLES(10, 20, 30), 2, true, NAN, NULL), 120, 0);
    /* an encode shorter than a step: 0.5 s · 10 */
    assert_near(series_total(SAMPLES(10), 2, true, 0.5, &covered), 5, 0);
    assert_near(covered, 0.5, 0);
    /* a last interval that begins at the end has no length: 2 · 10 */
    assert_near(series_total(SAMPLES(10, 20), 2, true, 2, NULL), 20, 0);
}

static void missing_samples_between_two_lie_on_a_line(void **state)
{
    (void)state;
    double covered;

    /* 10, (20), 30 by trapezoids of 10 s: 10·(5 + 20 + 15) */
    assert_near(series_total(SAMPLES(10, NAN, 30), 10, false, NAN, &covered), 400, 0);
    assert_near(covered, 20, 0);
    /* 10, (20), (30), 40, 40: 10·(5 + 20 + 30 + 40 + 20) */
    assert_near(series_total(SAMPLES(10, NAN, NAN, 40, 40), 10, false, NAN, NULL), 1150,
                1e-12);
    /* as means: 10·(10 + 20 + 30) */
    assert_near(series_total(SAMPLES(10, NAN, 30), 10, true, 30, &covered), 600, 0);
    assert_near(covered, 30, 0);
}

static void missing_samples_at_the_ends_are_cut_off(void **state)
{
    (void)state;
    double covered;

    /* 10, (20), 30: as above */
    assert_near(
        series_total(SAMPLES(NAN, 10, NAN, 30, NAN, NAN), 10, false, NAN, &covered),
        400, 0);
    assert_near(covered, 20, 0);
    /* means: 10·(10 + 20); the one that is cut short by the duration is missing */
    assert_near(series_total(SAMPLES(NAN, 10, 20, NAN), 10, true, 35, &covered), 300,
                0);
    assert_near(covered, 20, 0);
}

static void no_samples_have_no_total(void **state)
{
    (void)state;
    double covered = 1;

    assert_unknown(series_total((struct samples){ NULL, 0 }, 5, false, 10, &covered));
    assert_unknown(covered);
    assert_unknown(series_total(SAMPLES(NAN, NAN), 5, true, 10, NULL));
}

static void mean_and_deviation_are_over_samples_that_exist(void **state)
{
    (void)state;
    assert_near(series_mean(SAMPLES(1, NAN, 3)), 2, 0);
    assert_unknown(series_mean(SAMPLES(NAN)));
    /* 2, 4, 6: mean 4, squares 4 + 0 + 4, over n - 1 = 2: 4, its root 2 */
    assert_near(series_stdev(SAMPLES(2, 4, NAN, 6)), 2, 1e-15);
    assert_unknown(series_stdev(SAMPLES(2, NAN)));
}

static void ssim_above_1_is_decibels(void **state)
{
    (void)state;
    /* 10 dB: 1 - 10^-1; 20 dB: 1 - 10^-2 */
    assert_near(ssim_ratio(10), 0.9, 1e-15);
    assert_near(ssim_ratio(20), 0.99, 1e-15);
    assert_near(ssim_ratio(1), 1, 0);
    assert_near(ssim_ratio(0.985), 0.985, 0);
    assert_unknown(ssim_ratio(NAN));
}

/* ---- facts ---------------------------------------------------------------------- */

static void nothing_is_made_of_nothing(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();
    struct facts f = facts_of(&in);

    assert_unknown(f.duration_s);
    assert_unknown(f.content_s);
    assert_unknown(f.energy_j);
    assert_unknown(f.mean_power_w);
    assert_unknown(f.power_stdev_w);
    assert_unknown(f.core_seconds);
    assert_unknown(f.cpu_percent);
    assert_unknown(f.docker_overhead_w);
    assert_unknown(f.pixels);
    assert_unknown(f.vmaf);
    assert_near(f.streams, 1, 0);
    assert_near(f.viewers, 1, 0);
    assert_int_equal(f.energy_basis, ENERGY_NONE);
    assert_int_equal(f.compute_basis, COMPUTE_NONE);
}

static void duration_is_stated_or_between_start_and_end(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();

    in.start_s = 1000.5;
    in.end_s = 1060;
    assert_near(facts_of(&in).duration_s, 59.5, 0);
    in.duration_s = 23.43;
    assert_near(facts_of(&in).duration_s, 23.43, 0);
    in.duration_s = 0; /* not above 0: the next rule */
    assert_near(facts_of(&in).duration_s, 59.5, 0);
    in.end_s = 1000;
    assert_unknown(facts_of(&in).duration_s);
}

static void content_is_stated_or_counted_in_frames_or_the_duration(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();

    in.duration_s = 60;
    assert_near(facts_of(&in).content_s, 60, 0);
    in.total_frames = 300;
    assert_near(facts_of(&in).content_s, 60, 0); /* rate unknown */
    in.fps = 0;
    assert_near(facts_of(&in).content_s, 60, 0); /* 300 / 0 is no length */
    in.fps = 30;
    assert_near(facts_of(&in).content_s, 10, 0);
    in.media_seconds = 8;
    assert_near(facts_of(&in).content_s, 8, 0);
}

static void cpu_energy_prefers_the_total_then_the_series_then_the_mean(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();
    struct facts f;

    in.duration_s = 10;
    in.power_mean_w = 40;
    f = facts_of(&in);
    assert_near(f.cpu_energy_j, 400, 0);
    assert_near(f.energy_j, 400, 0);
    assert_near(f.mean_cpu_power_w, 40, 0);
    assert_int_equal(f.energy_basis, ENERGY_REPORTED);

    in.power_w = SAMPLES(50, 60, 70); /* 5 s apart by default: 5·(25 + 60 + 35) */
    f = facts_of(&in);
    assert_near(f.energy_j, 600, 0);
    assert_near(f.mean_cpu_power_w, 60, 0);
    assert_int_equal(f.energy_basis, ENERGY_SAMPLES);

    in.power_total_j = 1234;
    f = facts_of(&in);
    assert_near(f.energy_j, 1234, 0);
    assert_near(f.mean_cpu_power_w, 60, 0);
    assert_int_equal(f.energy_basis, ENERGY_REPORTED);

    in.power_w.n = 0;
    in.power_mean_w = NAN;
    assert_near(facts_of(&in).mean_cpu_power_w, 123.4, 1e-15);
}

static void a_stated_whole_energy_goes_before_all(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();
    struct facts f;

    in.duration_s = 20;
    in.energy_j = 1800;
    f = facts_of(&in);
    assert_near(f.energy_j, 1800, 0);
    assert_near(f.mean_power_w, 90, 0); /* 1800 J / 20 s */
    assert_unknown(f.mean_cpu_power_w);
    assert_unknown(f.cpu_energy_j);
    assert_int_equal(f.energy_basis, ENERGY_REPORTED);

    in.power_w = SAMPLES(50, 60, 70, 60, 50);
    f = facts_of(&in);
    assert_near(f.energy_j, 1800, 0);
    assert_near(f.mean_power_w, 58, 0); /* 290 / 5 */
    assert_int_equal(f.energy_basis, ENERGY_REPORTED);
}

static void graphics_power_adds_to_that_of_the_cpu_and_never_replaces_it(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();
    struct facts f;

    in.duration_s = 10;
    in.gpu_power_mean_w = 100;
    f = facts_of(&in);
    assert_near(f.gpu_energy_j, 1000, 0);
    assert_unknown(f.energy_j);
    assert_unknown(f.mean_power_w);
    assert_int_equal(f.energy_basis, ENERGY_NONE);

    in.power_w = SAMPLES(50, 50, 50); /* 500 J */
    f = facts_of(&in);
    assert_near(f.energy_j, 1500, 0);
    assert_near(f.mean_power_w, 150, 0);
    assert_near(f.mean_cpu_power_w, 50, 0);

    in.gpu_power_w = SAMPLES(80, 80, 110); /* 5·(40 + 80 + 55) = 875 J, mean 90 W */
    f = facts_of(&in);
    assert_near(f.gpu_energy_j, 875, 0);
    assert_near(f.energy_j, 1375, 0);
    assert_near(f.mean_power_w, 140, 0);
    assert_int_equal(f.energy_basis, ENERGY_SAMPLES);
}

static void series_below_nine_tenths_of_the_duration_are_partial(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();

    in.step_s = 9;
    in.power_w = SAMPLES(10, 10); /* covers 9 s */
    in.cpu_cores = SAMPLES(1, 1);
    in.duration_s = 10;
    assert_int_equal(facts_of(&in).energy_basis, ENERGY_SAMPLES);
    assert_int_equal(facts_of(&in).compute_basis, COMPUTE_USAGE);
    in.duration_s = 10.1;
    assert_int_equal(facts_of(&in).energy_basis, ENERGY_SAMPLES_PARTIAL);
    assert_int_equal(facts_of(&in).compute_basis, COMPUTE_USAGE_PARTIAL);
    assert_near(facts_of(&in).energy_j, 90, 0); /* it counts all the same */
    in.duration_s = NAN;
    assert_int_equal(facts_of(&in).energy_basis, ENERGY_SAMPLES);

    /* One partial series of two makes the sum partial. */
    in.duration_s = 10;
    in.gpu_power_w = SAMPLES(10, NAN);
    in.step_s = 8.9;
    in.power_w = SAMPLES(10, 10, 10);
    assert_int_equal(facts_of(&in).energy_basis, ENERGY_SAMPLES_PARTIAL);
}

static void deviation_is_that_of_the_series(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();

    in.power_stdev_w = 1.5; /* what a file states is no figure of the series */
    assert_unknown(facts_of(&in).power_stdev_w);
    in.power_w = SAMPLES(7);
    assert_unknown(facts_of(&in).power_stdev_w);
    in.power_w = SAMPLES(2, 4, 6);
    assert_near(facts_of(&in).power_stdev_w, 2, 1e-15);
}

static void core_seconds_are_stated_or_summed_or_billed_by_the_clock(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();
    struct facts f;

    in.duration_s = 10;
    f = facts_of(&in);
    assert_unknown(f.core_seconds);
    assert_int_equal(f.compute_basis, COMPUTE_WALL_CLOCK);

    in.cpu_cores = SAMPLES(1, 2, 3); /* 5·(0.5 + 2 + 1.5) = 20 core-seconds */
    in.gpu_cores = SAMPLES(0.5, 0.5, 0.5);
    f = facts_of(&in);
    assert_near(f.core_seconds, 20, 0);
    assert_near(f.gpu_core_seconds, 5, 0);
    assert_near(f.cpu_percent, 200, 0);
    assert_int_equal(f.compute_basis, COMPUTE_USAGE);

    in.cpu_core_seconds = 12.5;
    f = facts_of(&in);
    assert_near(f.core_seconds, 12.5, 0);
    assert_int_equal(f.compute_basis, COMPUTE_REPORTED);
}

static void cpu_percent_falls_back_on_the_container(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();

    in.container_cpu_percent = 180;
    assert_near(facts_of(&in).cpu_percent, 180, 0);
    in.cpu_cores = SAMPLES(0.5);
    assert_near(facts_of(&in).cpu_percent, 50, 0);
}

static void docker_overhead_is_its_share_of_the_machine(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();

    in.power_w = SAMPLES(80, 80);
    in.docker_cpu_percent = 4;
    assert_unknown(facts_of(&in).docker_overhead_w);
    in.host_cores = 8; /* 4 / 800 of 80 W */
    assert_near(facts_of(&in).docker_overhead_w, 0.4, 1e-15);
    in.host_cores = 0;
    assert_unknown(facts_of(&in).docker_overhead_w);
}

static void pixels_are_stated_or_follow_from_sizes(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();
    struct derive_output outputs[] = { { 640, 360, 30 },
                                       { 1280, 720, NAN },
                                       { 320, 180, 10 } };

    in.width = 1280;
    in.height = 720;
    in.fps = 30;
    in.duration_s = 10;
    assert_near(facts_of(&in).pixels, 276480000, 0); /* 921 600 · 30 · 10 */
    in.outputs = outputs;
    in.output_count = 3;
    /* one has no rate: the sum is unknown, the single resolution is not */
    assert_near(facts_of(&in).pixels, 276480000, 0);
    outputs[1].fps = 20;
    /* (230 400 · 30 + 921 600 · 20 + 57 600 · 10) · 10 */
    assert_near(facts_of(&in).pixels, 259200000, 0);
    in.media_seconds = 1;
    assert_near(facts_of(&in).pixels, 25920000, 0);
    in.pixels_processed = 5;
    assert_near(facts_of(&in).pixels, 5, 0);
    in.pixels_processed = 0;
    assert_near(facts_of(&in).pixels, 25920000, 0);

    in = derive_input_unknown();
    in.width = in.height = 0;
    in.fps = 30;
    in.duration_s = 10;
    assert_near(facts_of(&in).pixels, 0, 0);
}

static void streams_and_viewers_are_at_least_one(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();

    in.streams_named = 4;
    assert_near(facts_of(&in).streams, 4, 0);
    assert_near(facts_of(&in).viewers, 4, 0);
    in.streams = 2;
    assert_near(facts_of(&in).streams, 2, 0);
    in.viewers = 100;
    assert_near(facts_of(&in).viewers, 100, 0);
    assert_near(facts_of(&in).streams, 2, 0);
}

static void scores_of_what_encoded_nothing_are_unknown(void **state)
{
    (void)state;
    struct derive_input good = derive_input_unknown(), in;
    struct facts f;

    good.vmaf = 90;
    good.psnr_db = INFINITY;
    good.ssim = 10;
    good.vmaf_min = 80;
    good.total_frames = 10;
    good.bitrate_bps = 1;
    good.width = good.height = 2;
    f = facts_of(&good);
    assert_near(f.vmaf, 90, 0);
    assert_true(isinf(f.psnr_db));
    assert_near(f.ssim, 0.9, 1e-15);
    assert_near(f.vmaf_min, 80, 0);

    for (int i = 0; i < 5; i++) {
        in = good;
        if (i == 0)
            in.is_baseline = true;
        else
            *(i == 1   ? &in.total_frames
              : i == 2 ? &in.bitrate_bps
              : i == 3 ? &in.width
                       : &in.height) = 0;
        f = facts_of(&in);
        assert_unknown(f.vmaf);
        assert_unknown(f.psnr_db);
        assert_unknown(f.ssim);
        assert_unknown(f.vmaf_min);
    }
}

static void scores_of_zero_are_measurements(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();

    in.vmaf = in.psnr_db = in.ssim = 0;
    assert_near(facts_of(&in).vmaf, 0, 0);
    assert_near(facts_of(&in).psnr_db, 0, 0);
    assert_near(facts_of(&in).ssim, 0, 0);
}

static void what_figures_rest_on_is_kept_for_those_that_come_later(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();
    struct facts f = facts_of(&in);

    assert_unknown(f.docker_cpu_percent);
    assert_unknown(f.gpu_mean_power_w);
    assert_unknown(f.pixels_per_s);
    assert_unknown(f.power_covered_s);
    assert_unknown(f.cores_covered_s);
    assert_false(f.whole_stated);

    in.docker_cpu_percent = 3;
    in.gpu_power_mean_w = 70;
    in.width = 640;
    in.height = 360;
    in.fps = 25;                     /* 640 · 360 · 25 */
    in.cpu_cores = SAMPLES(1, 1, 1); /* 10 s */
    in.gpu_cores = SAMPLES(1, 1);    /* 5 s: the least counts */
    in.power_w = SAMPLES(1, 1);
    f = facts_of(&in);
    assert_near(f.docker_cpu_percent, 3, 0);
    assert_near(f.gpu_mean_power_w, 70, 0);
    assert_near(f.pixels_per_s, 5760000, 0);
    assert_unknown(f.pixels); /* for how long? */
    assert_near(f.cores_covered_s, 5, 0);
    assert_near(f.power_covered_s, 5, 0);

    /* a series goes before a mean, outputs before one size, a statement before all */
    in.gpu_power_w = SAMPLES(80, 90, 85);
    in.outputs = (const struct derive_output[]){ { 640, 360, 25 }, { 320, 180, 25 } };
    in.output_count = 2;
    in.energy_j = 7;
    in.pixels_processed = 9;
    f = facts_of(&in);
    assert_near(f.gpu_mean_power_w, 85, 0);
    assert_near(f.pixels_per_s, 5760000 + 1440000, 0);
    assert_near(f.pixels, 9, 0);
    assert_true(f.whole_stated);
    assert_unknown(f.power_covered_s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_at_instants_make_trapezoids),
        cmocka_unit_test(a_lone_sample_holds_for_one_step),
        cmocka_unit_test(means_of_intervals_each_weigh_their_interval),
        cmocka_unit_test(missing_samples_between_two_lie_on_a_line),
        cmocka_unit_test(missing_samples_at_the_ends_are_cut_off),
        cmocka_unit_test(no_samples_have_no_total),
        cmocka_unit_test(mean_and_deviation_are_over_samples_that_exist),
        cmocka_unit_test(ssim_above_1_is_decibels),
        cmocka_unit_test(nothing_is_made_of_nothing),
        cmocka_unit_test(duration_is_stated_or_between_start_and_end),
        cmocka_unit_test(content_is_stated_or_counted_in_frames_or_the_duration),
        cmocka_unit_test(cpu_energy_prefers_the_total_then_the_series_then_the_mean),
        cmocka_unit_test(a_stated_whole_energy_goes_before_all),
        cmocka_unit_test(graphics_power_adds_to_that_of_the_cpu_and_never_replaces_it),
        cmocka_unit_test(series_below_nine_tenths_of_the_duration_are_partial),
        cmocka_unit_test(deviation_is_that_of_the_series),
        cmocka_unit_test(core_seconds_are_stated_or_summed_or_billed_by_the_clock),
        cmocka_unit_test(cpu_percent_falls_back_on_the_container),
        cmocka_unit_test(docker_overhead_is_its_share_of_the_machine),
        cmocka_unit_test(pixels_are_stated_or_follow_from_sizes),
        cmocka_unit_test(streams_and_viewers_are_at_least_one),
        cmocka_unit_test(scores_of_what_encoded_nothing_are_unknown),
        cmocka_unit_test(scores_of_zero_are_measurements),
        cmocka_unit_test(what_figures_rest_on_is_kept_for_those_that_come_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
