#include "modules/predict/lesson.h"
#include "core/hash.h"
#include "core/utf8.h"

#include "tests/unit/module_host.h"

/* 10 s of 640x360 at 25 fps: 5 760 000 pixels a second, made in 4 s. */
static struct scenario encode(const char *name)
{
    struct scenario s = unknown_scenario(name);
    struct facts *f = &s.facts;

    s.source = VIEW("clip");
    s.encoder = VIEW("libx264");
    s.preset = VIEW("fast");
    s.encoder_given = s.preset_given = true;
    s.output_ladder = VIEW("640x360@25");
    f->duration_s = 4;
    f->content_s = 10;
    f->width = 640;
    f->height = 360;
    f->fps = 25;
    f->pixels = 57600000;
    f->bitrate_bps = 500000;
    f->actual_bitrate_bps = 480000;
    f->core_seconds = 7;
    f->compute_basis = COMPUTE_USAGE;
    f->energy_j = 300;
    f->mean_power_w = 75;
    f->energy_basis = ENERGY_SAMPLES;
    f->vmaf = 90;
    f->psnr_db = 40;
    f->ssim = 0.98;
    return s;
}

static const struct lessons *learn(const struct scenario from[], uint32_t count)
{
    const struct run *run = make_run("run", from, count);
    const struct lessons *l = lessons_of(run);

    run_unref(run);
    return l;
}

static void a_lesson_is_per_second_of_content(void **state)
{
    (void)state;
    struct scenario s = encode("a");
    const struct lessons *l = learn(&s, 1);
    const struct lesson *a = &l->of[0];

    assert_int_equal(l->count, 1);
    assert_int_equal(l->scenario_count, 1);
    assert_view(l->id, "run");
    assert_view(l->texts[a->source], "clip");
    assert_view(l->texts[a->encoder], "libx264");
    assert_view(l->texts[a->preset], "fast");
    assert_view(l->texts[a->quality_group], "");
    assert_near(a->y[TARGET_CORE_SECONDS], 0.7, 1e-12); /* 7 / 10 s */
    assert_near(a->y[TARGET_ENERGY], 30, 1e-12);        /* 300 J / 10 s */
    assert_near(a->y[TARGET_POWER], 75, 0);
    assert_near(a->y[TARGET_VMAF], 90, 0);
    assert_near(a->y[TARGET_PSNR], 40, 0);
    assert_near(a->y[TARGET_SSIM], 0.98, 0);
    assert_near(a->pixel_rate, 5760000, 1e-12);
    assert_near(a->asked_bps, 500000, 0);
    assert_near(a->came_bps, 480000, 0);
    assert_false(a->real_time);
    assert_false(a->by_quality);
    lessons_unref(l);
}

static void what_is_not_over_or_no_encode_teaches_nothing(void **state)
{
    (void)state;
    struct scenario s[5];

    for (size_t i = 0; i < 5; i++)
        s[i] = encode("a");
    s[0].is_baseline = true;
    s[1].state = SCENARIO_RUNNING;
    s[2].state = SCENARIO_ABORTED;
    s[3].start_s = 1.7e9; /* neither end nor duration */
    s[3].facts.duration_s = NAN;
    const struct lessons *l = learn(s, 5);

    assert_int_equal(l->count, 1);
    assert_int_equal(l->of[0].index, 4);
    assert_int_equal(l->scenario_count, 5);
    lessons_unref(l);
    assert_null(learn(s, 4));
}

static void defaults_partial_sums_and_estimates_are_not_known(void **state)
{
    (void)state;
    struct scenario s[2] = { encode("a"), encode("b") };

    s[0].encoder_given = s[0].preset_given = false;
    s[0].facts.compute_basis = COMPUTE_USAGE_PARTIAL;
    s[0].facts.energy_basis = ENERGY_SAMPLES_PARTIAL;
    s[0].facts.psnr_db = INFINITY;
    s[1].facts.energy_basis = ENERGY_ESTIMATED;
    s[1].facts.actual_bitrate_bps = NAN;
    s[1].facts.duration_s = 10.5;
    const struct lessons *l = learn(s, 2);

    assert_int_equal(l->of[0].encoder, 0);
    assert_int_equal(l->of[0].preset, 0);
    assert_unknown(l->of[0].y[TARGET_CORE_SECONDS]);
    assert_unknown(l->of[0].y[TARGET_ENERGY]);
    assert_unknown(l->of[0].y[TARGET_PSNR]);
    assert_near(l->of[0].y[TARGET_POWER], 75, 0);
    assert_unknown(l->of[1].y[TARGET_ENERGY]);
    assert_unknown(l->of[1].y[TARGET_POWER]);
    assert_near(l->of[1].came_bps, 500000, 0); /* the one asked for */
    assert_true(l->of[1].real_time);           /* 10.5 s of 10 s */
    lessons_unref(l);
}

static void groups_tell_what_is_not_to_be_compared(void **state)
{
    (void)state;
    static const struct param params[] = { { VIEW("tune"), VIEW("film") },
                                           { VIEW("aq"), VIEW("2") } };
    struct scenario s[4] = { encode("a"), encode("b"), encode("c"), encode("d") };

    s[0].transfer = VIEW("pq");
    s[0].vmaf_model = VIEW("vmaf_4k");
    s[0].facts.vmaf_width = 3840;
    s[0].facts.vmaf_height = 2160;
    s[0].cpu_model = VIEW("EPYC");
    s[1].params = params;
    s[1].param_count = 2;
    s[1].facts.passes = 2;
    s[2].facts.crf = 23;
    s[2].gpu_model = VIEW("T4"); /* idle: the encode ran on cores */
    s[3].facts.crf = 23;
    s[3].rate_control = VIEW("CBR");
    s[3].encoder_type = VIEW("gpu");
    s[3].gpu_model = VIEW("T4");
    const struct lessons *l = learn(s, 4);
    const struct lesson *x = l->of;

    assert_view(l->texts[x[0].quality_group],
                "transfer=pq,vmaf_model=vmaf_4k,vmaf_width=3840,vmaf_height=2160");
    assert_view(l->texts[x[0].compute_group], "cpu_model=EPYC");
    assert_view(l->texts[x[1].quality_group], "passes=2,aq=2,tune=film");
    assert_int_equal(x[1].compute_group, x[1].quality_group);
    assert_view(l->texts[x[2].quality_group], "rate_control=crf");
    assert_view(l->texts[x[2].compute_group], "rate_control=crf");
    assert_true(x[2].by_quality);
    assert_false(x[3].by_quality);
    assert_view(l->texts[x[3].compute_group], "gpu_model=T4");
    lessons_unref(l);
}

static void long_texts_of_groups_are_cut_and_stay_apart(void **state)
{
    (void)state;
    char text[3][256];
    struct param params[3][16];
    struct scenario s[3] = { encode("a"), encode("b"), encode("c") };

    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 252; k += 3)
            memcpy(text[i] + k, "\xE2\x82\xAC", 3); /* one character */
        text[i][252] = i == 1 ? 'b' : 'a';
        for (size_t k = 0; k < 16; k++)
            params[i][k] =
                (struct param){ { "klmnopqrstuvwxyz" + k, 1 }, { text[i], 253 } };
        s[i].params = params[i];
        s[i].param_count = 16;
    }
    const struct lessons *l = learn(s, 3);
    struct view a = l->texts[l->of[0].quality_group];

    assert_true(a.n <= 200);
    assert_true(utf8_valid(a));
    assert_memory_equal(a.p, "k=\xE2\x82\xAC", 5);
    assert_int_not_equal(l->of[0].quality_group, l->of[1].quality_group);
    assert_int_not_equal(l->of[0].compute_group, l->of[1].compute_group);
    assert_int_equal(l->of[0].quality_group, l->of[2].quality_group);
    lessons_unref(l);
}

static void a_ladder_has_as_many_outputs_as_sizes(void **state)
{
    (void)state;
    struct scenario s = encode("a");

    s.output_ladder = VIEW("1280x720@25,640x360@25");
    s.facts.streams = 4;
    const struct lessons *l = learn(&s, 1);

    assert_near(l->of[0].outputs, 2, 0);
    assert_near(l->of[0].streams, 4, 0);
    lessons_unref(l);
}

static void the_first_scenarios_of_a_run_are_lessons_of_their_own(void **state)
{
    (void)state;
    struct scenario s[3] = { encode("a"), encode("b"), encode("c") };
    const struct lessons *all, *some;

    s[0].is_baseline = true;
    all = learn(s, 3);
    some = lessons_first(all, 2);
    assert_int_equal(all->count, 2);
    assert_int_equal(some->count, 1);
    assert_int_equal(some->scenario_count, 2);
    assert_int_equal(some->of[0].index, 1);
    assert_view(some->id, "run");
    assert_false(hash_eq(some->hash, all->hash));
    lessons_unref(some);
    assert_int_equal(all->of[1].index, 2);
    lessons_unref(all);
}

static void equal_hashes_are_equal_lessons(void **state)
{
    (void)state;
    struct scenario s[2] = { encode("a"), encode("b") };
    const struct lessons *x = learn(s, 2), *y, *z;

    s[0].name = VIEW("renamed"); /* what it is called teaches nothing */
    s[0].facts.fps = -NAN;
    s[1].facts.fps = 25;
    y = learn(s, 2);
    s[0].facts.fps = 25;
    z = learn(s, 2);
    assert_true(hash_eq(x->hash, z->hash));
    assert_false(hash_eq(x->hash, y->hash));
    s[0].facts.fps = NAN;
    lessons_unref(z);
    z = learn(s, 2);
    assert_true(hash_eq(y->hash, z->hash));
    s[0].source = VIEW("clap");
    lessons_unref(z);
    z = learn(s, 2);
    assert_false(hash_eq(y->hash, z->hash));
    assert_ptr_equal(lessons_ref(z), z);
    lessons_unref(z);
    lessons_unref(z);
    lessons_unref(x);
    lessons_unref(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lesson_is_per_second_of_content),
        cmocka_unit_test(what_is_not_over_or_no_encode_teaches_nothing),
        cmocka_unit_test(defaults_partial_sums_and_estimates_are_not_known),
        cmocka_unit_test(groups_tell_what_is_not_to_be_compared),
        cmocka_unit_test(long_texts_of_groups_are_cut_and_stay_apart),
        cmocka_unit_test(a_ladder_has_as_many_outputs_as_sizes),
        cmocka_unit_test(the_first_scenarios_of_a_run_are_lessons_of_their_own),
        cmocka_unit_test(equal_hashes_are_equal_lessons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
