#include "core/measured.h"
#include "core/derive.h"
#include "core/hash.h"

#include "tests/unit/test.h"

#define SAMPLES(...)                                                                   \
    ((struct samples){ (const double[]){ __VA_ARGS__ },                                \
                       sizeof((const double[]){ __VA_ARGS__ }) / sizeof(double) })

static struct facts derived(const struct derive_input *in)
{
    struct facts f;

    derive_facts(in, &f);
    return f;
}

static struct facts measured(const struct derive_input *in, const struct measured *m)
{
    struct facts told = derived(in), f;

    facts_measured(&told, m, &f);
    return f;
}

/* 120 s at 50 W, 480 core-seconds. */
static struct measured two_minutes(void)
{
    struct measured m = measured_nothing();

    m.energy_j = 6000;
    m.energy_span_s = 120;
    m.energy_basis = ENERGY_UPSTREAM;
    m.core_seconds = 480;
    m.cores_span_s = 120;
    m.compute_basis = COMPUTE_UPSTREAM;
    return m;
}

/* ---- what is filled in ----------------------------------------------------------- */

static void a_file_without_power_gets_what_was_measured(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();
    struct measured m = two_minutes();
    struct facts f;

    in.duration_s = 121;
    in.docker_cpu_percent = 4;
    m.host_cores = 8;
    f = measured(&in, &m);
    assert_near(f.cpu_energy_j, 6000, 0);
    assert_near(f.energy_j, 6000, 0);
    assert_near(f.mean_cpu_power_w, 50, 0); /* over its span, not over 121 s */
    assert_near(f.mean_power_w, 50, 0);
    assert_int_equal(f.energy_basis, ENERGY_UPSTREAM);
    assert_near(f.core_seconds, 480, 0);
    assert_int_equal(f.compute_basis, COMPUTE_UPSTREAM);
    assert_near(f.cpu_percent, 400, 0); /* 480 / 120 cores */
    assert_near(f.host_cores, 8, 0);
    assert_near(f.docker_overhead_w, 0.25, 1e-15); /* 4 / 800 of 50 W */
    assert_near(f.duration_s, 121, 0);
    assert_near(f.content_s, 121, 0);
    assert_unknown(f.gpu_energy_j);
    assert_unknown(f.power_stdev_w);

    m.container_cpu_percent = 380; /* measured itself */
    m.energy_basis = ENERGY_SAMPLER_SHARED;
    f = measured(&in, &m);
    assert_near(f.cpu_percent, 380, 0);
    assert_int_equal(f.energy_basis, ENERGY_SAMPLER_SHARED);
}

static void what_the_file_tells_stays(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();
    struct measured m = two_minutes();
    struct facts f;

    m.duration_s = 77;
    m.host_cores = 4;
    m.container_cpu_percent = 1;
    in.duration_s = 100;
    in.power_w =
        SAMPLES(10, 10, 10); /* 100 J: a tenth of the time, and yet the file's */
    in.cpu_core_seconds = 9;
    in.container_cpu_percent = 5;
    in.host_cores = 16;
    f = measured(&in, &m);
    assert_near(f.duration_s, 100, 0);
    assert_near(f.energy_j, 100, 0);
    assert_near(f.mean_power_w, 10, 0);
    assert_int_equal(f.energy_basis, ENERGY_SAMPLES_PARTIAL);
    assert_near(f.core_seconds, 9, 0);
    assert_int_equal(f.compute_basis, COMPUTE_REPORTED);
    assert_near(f.cpu_percent, 5, 0);
    assert_near(f.host_cores, 16, 0);

    /* a whole that is stated leaves nothing open, also where the CPU's part is unknown */
    in = derive_input_unknown();
    in.duration_s = 100;
    in.energy_j = 3000;
    f = measured(&in, &m);
    assert_near(f.energy_j, 3000, 0);
    assert_near(f.mean_power_w, 30, 0);
    assert_unknown(f.cpu_energy_j);
    assert_unknown(f.mean_cpu_power_w);
    assert_int_equal(f.energy_basis, ENERGY_REPORTED);
    assert_near(f.core_seconds, 480, 0);
}

static void graphics_of_the_file_add_to_the_measured_cpu(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();
    struct measured m = two_minutes();
    struct facts f;

    in.duration_s = 120;
    in.gpu_power_mean_w = 75;
    f = measured(&in, &m);
    assert_near(f.gpu_energy_j, 9000, 0);
    assert_near(f.energy_j, 15000, 0);
    assert_near(f.mean_cpu_power_w, 50, 0);
    assert_near(f.mean_power_w, 125, 0);
    assert_int_equal(f.energy_basis, ENERGY_UPSTREAM);
}

static void figures_of_one_that_runs_grow_with_its_duration(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();
    struct measured m = measured_nothing();
    struct facts f;

    in.start_s = 1.7e9;
    in.width = 1920;
    in.height = 1080;
    in.fps = 30;
    in.gpu_power_mean_w = 10;
    m.state = SCENARIO_RUNNING;
    m.duration_s = 10;
    f = measured(&in, &m);
    assert_near(f.duration_s, 10, 0);
    assert_near(f.content_s, 10, 0);
    assert_near(f.pixels, 622080000, 0); /* 1920 · 1080 · 30 · 10 */
    assert_near(f.gpu_energy_j, 100, 0);
    assert_unknown(f.energy_j); /* of the CPU nothing is known */
    assert_int_equal(f.energy_basis, ENERGY_NONE);
    assert_int_equal(f.compute_basis, COMPUTE_WALL_CLOCK);

    /* a mean that the file states goes before what was measured */
    in.power_mean_w = 40;
    m.energy_j = 1;
    m.energy_span_s = 10;
    m.energy_basis = ENERGY_SAMPLER;
    f = measured(&in, &m);
    assert_near(f.cpu_energy_j, 400, 0);
    assert_near(f.energy_j, 500, 0);
    assert_near(f.mean_power_w, 50, 0);
    assert_int_equal(f.energy_basis, ENERGY_REPORTED);
}

static void samples_that_end_before_the_encode_are_a_part_of_it(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();
    struct measured m = measured_nothing();

    in.power_w = SAMPLES(50, 50, 50); /* 10 s */
    in.cpu_cores = SAMPLES(2, 2, 2);
    m.duration_s = 11;
    assert_int_equal(measured(&in, &m).energy_basis, ENERGY_SAMPLES);
    assert_int_equal(measured(&in, &m).compute_basis, COMPUTE_USAGE);
    m.duration_s = 12;
    assert_int_equal(measured(&in, &m).energy_basis, ENERGY_SAMPLES_PARTIAL);
    assert_int_equal(measured(&in, &m).compute_basis, COMPUTE_USAGE_PARTIAL);
    assert_near(measured(&in, &m).energy_j, 500, 0);
}

static void nothing_measured_changes_nothing(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();
    struct measured m = measured_nothing();
    struct facts f = measured(&in, &m);

    assert_unknown(f.energy_j);
    assert_unknown(f.mean_power_w);
    assert_unknown(f.core_seconds);
    assert_unknown(f.cpu_percent);
    assert_unknown(f.duration_s);
    assert_int_equal(f.energy_basis, ENERGY_NONE);
    assert_int_equal(f.compute_basis, COMPUTE_NONE);
}

static void an_energy_without_its_span_has_no_power_but_over_the_duration(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();
    struct measured m = two_minutes();

    m.energy_span_s = 0;
    m.cores_span_s = NAN;
    assert_unknown(measured(&in, &m).mean_power_w);
    assert_unknown(measured(&in, &m).cpu_percent);
    in.duration_s = 100;
    assert_near(measured(&in, &m).mean_power_w, 60, 0);
}

/* ---- the same as in a file ------------------------------------------------------- */

static bool is_told(unsigned bits, int bit)
{
    return bits >> bit & 1;
}

static double number_if(unsigned bits, int bit, double v)
{
    return is_told(bits, bit) ? v : NAN;
}

static struct samples series_if(unsigned bits, int bit, const double v[], size_t n)
{
    return is_told(bits, bit) ? (struct samples){ v, n } : (struct samples){ NULL, 0 };
}

/* Everything that may be told or not, by the bits of a number. */
enum { TOLD = 1 << 16 };

static struct derive_input told_by(unsigned bits)
{
    static const double power[] = { 40, 50, 45.5 }, gpu_power[] = { 80, NAN, 85.1 };
    static const double cores[] = { 1.5, 2.25 }, gpu_cores[] = { 0.1, 0.2, 0.3, 0.4 };
    struct derive_input in = derive_input_unknown();

    in.duration_s = number_if(bits, 0, 100);
    in.power_w = series_if(bits, 1, power, 3);
    in.power_total_j = number_if(bits, 2, 4321.25);
    in.power_mean_w = number_if(bits, 3, 47.3);
    in.energy_j = number_if(bits, 4, 5555);
    in.gpu_power_w = series_if(bits, 5, gpu_power, 3);
    in.gpu_power_mean_w = number_if(bits, 6, 71.7);
    in.cpu_cores = series_if(bits, 7, cores, 2);
    in.cpu_core_seconds = number_if(bits, 8, 333.3);
    in.gpu_cores = series_if(bits, 9, gpu_cores, 4);
    in.container_cpu_percent = number_if(bits, 10, 123.4);
    in.docker_cpu_percent = number_if(bits, 11, 3.5);
    in.host_cores = number_if(bits, 12, 8);
    in.pixels_processed = number_if(bits, 13, 1e9);
    in.media_seconds = number_if(bits, 14, 61);
    in.total_frames = number_if(bits, 15, 1234);
    in.width = 1280;
    in.height = 720;
    in.fps = 29.97;
    return in;
}

/* What a file would hold that states as figures what was measured. */
static struct derive_input stated(const struct derive_input *in,
                                  const struct measured *m)
{
    struct facts told = derived(in);
    struct derive_input all = *in;

    if (isnan(told.duration_s))
        all.duration_s = m->duration_s;
    if (isnan(told.energy_j) && isnan(told.mean_cpu_power_w))
        all.power_total_j = m->energy_j;
    if (isnan(told.core_seconds))
        all.cpu_core_seconds = m->core_seconds;
    if (isnan(told.cpu_percent))
        all.container_cpu_percent = m->container_cpu_percent;
    if (isnan(told.host_cores))
        all.host_cores = m->host_cores;
    return all;
}

static void assert_same_numbers(const struct facts *got, const struct facts *want,
                                unsigned bits)
{
    enum { NUMBERS = offsetof(struct facts, energy_basis) / sizeof(double) };
    double a[NUMBERS], b[NUMBERS];

    memcpy(a, got, sizeof a);
    memcpy(b, want, sizeof b);
    for (size_t i = 0; i < NUMBERS; i++)
        if (a[i] != b[i] && !(isnan(a[i]) && isnan(b[i])))
            fail_msg("%#x: number %zu of the facts is %.17g, stated it is %.17g", bits,
                     i, a[i], b[i]);
}

static void measured_figures_are_those_of_a_file_that_states_them(void **state)
{
    (void)state;
    struct measured m = two_minutes();

    m.container_cpu_percent = 411;
    m.host_cores = 16;
    for (unsigned bits = 0; bits < TOLD; bits++) {
        struct derive_input in = told_by(bits);
        struct facts told = derived(&in), want, got;
        struct derive_input all;

        /* over the whole duration, which is where the rules for mean power meet */
        m.duration_s = isnan(told.duration_s) ? 120 : NAN;
        m.energy_span_s = isnan(told.duration_s) ? 120 : told.duration_s;
        all = stated(&in, &m);
        want = derived(&all);
        facts_measured(&told, &m, &got);

        /* What a series of a GPU covers counts beside what is stated, not measured. */
        if (isnan(told.energy_j) && isnan(told.mean_cpu_power_w))
            assert_int_equal(got.energy_basis, ENERGY_UPSTREAM);
        else
            assert_int_equal(got.energy_basis, want.energy_basis);
        if (isnan(told.core_seconds))
            assert_int_equal(got.compute_basis, COMPUTE_UPSTREAM);
        else
            assert_int_equal(got.compute_basis, want.compute_basis);
        assert_same_numbers(&got, &want, bits);
    }
}

static void completing_twice_is_completing_once(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < TOLD; bits++) {
        struct derive_input in = told_by(bits);
        struct facts once = derived(&in), twice = once;

        facts_complete(&twice);
        assert_same_numbers(&twice, &once, bits);
        assert_int_equal(twice.energy_basis, once.energy_basis);
        assert_int_equal(twice.compute_basis, once.compute_basis);
    }
}

/* ---- scenarios ------------------------------------------------------------------- */

static const struct scenario *scenario_of(const struct derive_input *in)
{
    const struct param params[] = { { VIEW("tune"), VIEW("film") } };
    struct scenario s = { .hash = { 7, 8 },
                          .name = VIEW("a"),
                          .host = VIEW("enc-1"),
                          .encoder = VIEW("h264"),
                          .preset = VIEW("veryfast"),
                          .params = params,
                          .param_count = 1,
                          .start_s = 1.7e9,
                          .end_s = NAN,
                          .facts = derived(in) };

    return scenario_new(&s);
}

static unsigned holders(const struct scenario *s)
{
    return atomic_load(&((struct scenario *)(uintptr_t)s)->refs);
}

static void what_was_watched_fills_what_the_file_leaves_open(void **state)
{
    struct derive_input in = derive_input_unknown();
    struct measured m = measured_nothing();
    struct facts f;

    (void)state;
    in.duration_s = 10;
    in.media_seconds = 20;
    in.vmaf = 90;
    m.watched.content_s = 21;
    m.watched.frames = 600;
    m.watched.actual_bitrate_bps = 1e6;
    m.watched.vmaf = 91;
    m.watched.vmaf_width = 1280;
    m.watched.psnr_db = INFINITY;
    m.watched.ssim = 0.5;
    f = measured(&in, &m);
    assert_near(f.content_s, 20, 0);
    assert_near(f.vmaf, 90, 0);
    assert_near(f.total_frames, 600, 0);
    assert_near(f.actual_bitrate_bps, 1e6, 0);
    assert_true(isinf(f.psnr_db));
    assert_near(f.ssim, 0.5, 0);
    assert_true(isnan(f.vmaf_p5));
    assert_near(f.vmaf_width, 1280, 0);
    assert_true(isnan(f.vmaf_height));
}

static void a_scenario_tells_how_its_encode_was_watched(void **state)
{
    struct scenario from = { .name = VIEW("a"), .start_s = 2e9, .end_s = 2e9 + 10 };
    struct derive_input in = derive_input_unknown();
    struct measured m = measured_nothing();

    (void)state;
    in.duration_s = 10;
    from.facts = derived(&in);

    const struct scenario *told = scenario_new(&from), *s, *again;

    m.watched_state = SCENARIO_ENDED;
    s = scenario_measured(told, &m);
    assert_ptr_not_equal(s, told);
    assert_int_equal(s->watched, SCENARIO_ENDED);
    assert_int_equal(s->state, SCENARIO_TOLD);
    again = scenario_measured(s, &m);
    assert_ptr_equal(again, s);
    scenario_unref(again);
    m.watched_state = SCENARIO_TOLD;
    again = scenario_measured(s, &m);
    assert_ptr_equal(again, told);
    scenario_unref(again);
    scenario_unref(s);
    scenario_unref(told);
}

static void a_measured_scenario_is_the_same_but_for_its_figures(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();
    const struct scenario *told = scenario_of(&in), *s;
    struct measured m = two_minutes();

    m.state = SCENARIO_RUNNING;
    m.duration_s = 120;
    s = scenario_measured(told, &m);
    assert_ptr_not_equal(s, told);
    assert_ptr_equal(s->as_told, told);
    assert_ptr_equal(scenario_told(s), told);
    assert_ptr_equal(scenario_told(told), told);
    assert_true(hash_eq(s->hash, told->hash));
    assert_true(hash_eq(s->identity, told->identity));
    assert_int_equal(s->state, SCENARIO_RUNNING);
    assert_near(s->facts.energy_j, 6000, 0);
    assert_view(s->name, "a");
    assert_view(s->host, "enc-1");
    assert_view(s->params[0].value, "film");
    assert_ptr_equal(s->params, told->params); /* texts are there once */
    assert_unknown(told->facts.energy_j);
    scenario_unref(told); /* is held by s */
    assert_view(s->as_told->name, "a");
    assert_int_equal(holders(s->as_told), 1);
    scenario_unref(s);
}

static void the_same_measurement_gives_the_same_scenario(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();
    struct measured m = two_minutes();
    const struct scenario *told, *one, *two;

    in.duration_s = 120;
    told = scenario_of(&in);
    one = scenario_measured(told, &m);
    two = scenario_measured(one, &m);
    assert_ptr_equal(two, one);
    assert_int_equal(holders(one), 2);
    scenario_unref(two);

    /* a figure, a basis or a state alone makes another one, all of them of the same told */
    m.energy_basis = ENERGY_UPSTREAM_SHARED;
    two = scenario_measured(one, &m);
    assert_ptr_not_equal(two, one);
    assert_ptr_equal(two->as_told, told);
    scenario_unref(one);
    m.state = SCENARIO_ABORTED;
    one = scenario_measured(two, &m);
    assert_ptr_not_equal(two, one);
    assert_int_equal(one->state, SCENARIO_ABORTED);
    scenario_unref(two);
    m.compute_basis = COMPUTE_SAMPLER;
    two = scenario_measured(one, &m);
    assert_ptr_not_equal(two, one);
    scenario_unref(one);
    m.host_cores = 3;
    one = scenario_measured(two, &m);
    assert_ptr_not_equal(two, one);
    scenario_unref(two);

    /* nothing measured any more leads back */
    m = measured_nothing();
    two = scenario_measured(one, &m);
    assert_ptr_equal(two, told);
    scenario_unref(one);
    one = scenario_measured(told, &m);
    assert_ptr_equal(one, told);
    assert_int_equal(holders(told), 3);
    scenario_unref(one);
    scenario_unref(two);
    scenario_unref(told);
}

static void a_scenario_that_tells_all_is_never_another_one(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();
    struct measured m = two_minutes();
    const struct scenario *told, *s;

    in.duration_s = 120;
    in.energy_j = 1;
    in.cpu_core_seconds = 1;
    in.container_cpu_percent = 1;
    in.host_cores = 1;
    told = scenario_of(&in);
    m.host_cores = 9;
    s = scenario_measured(told, &m);
    assert_ptr_equal(s, told);
    scenario_unref(s);
    scenario_unref(told);
}

static void what_a_file_lacks_it_lacks_also_when_it_was_measured(void **state)
{
    (void)state;
    struct derive_input in = derive_input_unknown();
    struct measured m = two_minutes();
    const struct scenario *told, *s;

    in.cpu_core_seconds = 8;
    told = scenario_of(&in);
    assert_true(measured_lacks_energy(told));
    assert_false(measured_lacks_cores(told));
    s = scenario_measured(told, &m);
    assert_near(s->facts.energy_j, 6000, 0);
    assert_true(measured_lacks_energy(s));
    assert_false(measured_lacks_cores(s));
    scenario_unref(s);
    scenario_unref(told);

    in = derive_input_unknown();
    in.energy_j = 0; /* a statement */
    told = scenario_of(&in);
    assert_false(measured_lacks_energy(told));
    assert_true(measured_lacks_cores(told));
    scenario_unref(told);
}

static void a_unix_time_lies_within_reason(void **state)
{
    (void)state;
    assert_near(scenario_unix_time(1e9), 1e9, 0);
    assert_near(scenario_unix_time(99999999999.5), 99999999999.5, 0);
    assert_unknown(scenario_unix_time(999999999));
    assert_unknown(scenario_unix_time(1e11));
    assert_unknown(scenario_unix_time(-1.7e9));
    assert_unknown(scenario_unix_time(NAN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_without_power_gets_what_was_measured),
        cmocka_unit_test(what_the_file_tells_stays),
        cmocka_unit_test(graphics_of_the_file_add_to_the_measured_cpu),
        cmocka_unit_test(figures_of_one_that_runs_grow_with_its_duration),
        cmocka_unit_test(samples_that_end_before_the_encode_are_a_part_of_it),
        cmocka_unit_test(nothing_measured_changes_nothing),
        cmocka_unit_test(an_energy_without_its_span_has_no_power_but_over_the_duration),
        cmocka_unit_test(measured_figures_are_those_of_a_file_that_states_them),
        cmocka_unit_test(completing_twice_is_completing_once),
        cmocka_unit_test(what_was_watched_fills_what_the_file_leaves_open),
        cmocka_unit_test(a_scenario_tells_how_its_encode_was_watched),
        cmocka_unit_test(a_measured_scenario_is_the_same_but_for_its_figures),
        cmocka_unit_test(the_same_measurement_gives_the_same_scenario),
        cmocka_unit_test(a_scenario_that_tells_all_is_never_another_one),
        cmocka_unit_test(what_a_file_lacks_it_lacks_also_when_it_was_measured),
        cmocka_unit_test(a_unix_time_lies_within_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
