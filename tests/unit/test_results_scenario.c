#include "core/results_scenario.h"
#include "core/mem.h"

#include "tests/unit/test.h"

#include <stdlib.h>

/* One scenario from JSON, with what was noted about it. */
struct read {
    struct json_parser *p;
    struct arena json, mem;
    struct results_notes notes;
    struct scenario *s;
    const char *why;
};

static int set_up(void **state)
{
    struct read *r = mem_zalloc(sizeof *r);

    r->p = json_parser_new();
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    struct read *r = *state;

    scenario_unref(r->s);
    json_parser_free(r->p);
    arena_deinit(&r->json);
    arena_deinit(&r->mem);
    free(r);
    return 0;
}

static const struct scenario *scenario_of(struct read *r, struct view text)
{
    const struct json_value *v;
    struct err e;

    if (json_parse(r->p, text, &r->json, &v, &e) < 0)
        fail_msg("%s", e.text);
    scenario_unref(r->s);
    r->notes = (struct results_notes){ 0 };
    r->s = results_scenario(v, VIEW("of-file"), &r->mem, &r->notes, &r->why);
    arena_release(&r->mem); /* nothing of it may be needed any more */
    return r->s;
}

/* A scenario with one more member. */
static const struct scenario *with(struct read *r, const char *member)
{
    struct buf b = { 0 };
    const struct scenario *s;

    buf_fmt(&b, "{\"name\":\"n\",%s}", member);
    s = scenario_of(r, buf_as_view(&b));
    buf_deinit(&b);
    assert_non_null(s);
    return s;
}

static const struct facts *facts_with(struct read *r, const char *member)
{
    return &with(r, member)->facts;
}

static void assert_noted(const struct read *r, uint64_t count, const char *first)
{
    assert_int_equal(r->notes.invalid_values, count);
    assert_int_equal(r->notes.wrong_shapes, 0);
    assert_string_equal(r->notes.first, first);
}

static void every_field_arrives(void **state)
{
    struct read *r = *state;
    const struct scenario *s = scenario_of(
        r,
        VIEW(
            "{\"name\":\"n\",\"bitrate\":\"2500k\",\"resolution\":\"1280x720\",\"fps\":"
            "25,"
            "\"duration\":40,\"start_time\":1000.5,\"end_time\":1041,\"encoder\":"
            "\"libx264\","
            "\"preset\":\"slow\",\"encoder_type\":\"cpu\",\"region\":\"eu\",\"codec\":"
            "\"avc\","
            "\"source\":\"clip\",\"actual_bitrate_kbps\":2400,\"streams\":2,"
            "\"viewers\":7,"
            "\"media_seconds\":80,\"energy_joules\":1500,\"cpu_core_seconds\":70,"
            "\"pixels_processed\":1000,\"vmaf_score\":95,\"psnr_score\":41.5,"
            "\"ssim_score\":0.98,\"quality_seconds\":3.5,\"vmaf_harmonic_mean\":94,"
            "\"vmaf_min\":70,\"vmaf_p1\":75,\"vmaf_p5\":80,\"psnr_min\":30,\"avg_fps\":"
            "50,"
            "\"dropped_frames\":3,\"total_frames\":2000,\"reference\":\"a.mkv\","
            "\"output\":\"b.mkv\",\"hardware\":{\"cpu_model\":\"EPYC\",\"cpu_cores\":8,"
            "\"gpu_model\":\"T4\"},\"host\":\"box\",\"crf\":23,\"rate_control\":"
            "\"crf\","
            "\"passes\":2,\"vmaf_model\":\"v0.6.1\",\"vmaf_width\":1920,\"vmaf_"
            "height\":1080,"
            "\"transfer\":\"pq\",\"params\":{\"tune\":\"film\",\"gop\":60},"
            "\"power\":{\"mean_watts\":40,\"median_watts\":39,\"stdev_watts\":1.5,"
            "\"total_energy_joules\":1400},\"gpu_power\":{\"mean_watts\":10},"
            "\"container_usage\":{\"cpu_percent\":150},"
            "\"docker_overhead\":{\"cpu_percent\":8},\"unheard_of\":{\"x\":[1]}}"));
    const struct facts *f = &s->facts;

    assert_noted(r, 0, "");
    assert_view(s->name, "n");
    assert_view(s->bitrate, "2500k");
    assert_view(s->resolution, "1280x720");
    assert_view(s->fps, "25");
    assert_view(s->streams, "2");
    assert_view(s->output_ladder, "1280x720@25");
    assert_view(s->encoder, "libx264");
    assert_view(s->encoder_type, "cpu");
    assert_view(s->preset, "slow");
    assert_true(s->encoder_given && s->preset_given && !s->is_baseline);
    assert_view(s->region, "eu");
    assert_view(s->codec, "avc");
    assert_view(s->source, "clip");
    assert_view(s->host, "box");
    assert_view(s->cpu_model, "EPYC");
    assert_view(s->gpu_model, "T4");
    assert_view(s->rate_control, "crf");
    assert_view(s->vmaf_model, "v0.6.1");
    assert_view(s->transfer, "pq");
    assert_view(s->reference, "a.mkv");
    assert_view(s->output, "b.mkv");
    assert_int_equal(s->param_count, 2);
    assert_view(s->params[1].key, "gop");
    assert_view(s->params[1].value, "60");
    assert_near(s->start_s, 1000.5, 0);
    assert_near(s->end_s, 1041, 0);
    assert_near(f->duration_s, 40, 0);
    assert_near(f->content_s, 80, 0);
    assert_near(f->width, 1280, 0);
    assert_near(f->height, 720, 0);
    assert_near(f->fps, 25, 0);
    assert_near(f->bitrate_bps, 2.5e6, 0);
    assert_near(f->actual_bitrate_bps, 2.4e6, 0);
    assert_near(f->streams, 2, 0);
    assert_near(f->viewers, 7, 0);
    assert_near(f->cpu_energy_j, 1400, 0);
    assert_near(f->gpu_energy_j, 400, 0); /* 10 W · 40 s */
    assert_near(f->energy_j, 1500, 0);
    assert_near(f->mean_cpu_power_w, 40, 0);
    assert_near(f->mean_power_w, 50, 0);
    assert_unknown(f->power_stdev_w);
    assert_near(f->core_seconds, 70, 0);
    assert_near(f->cpu_percent, 150, 0);
    assert_near(f->docker_overhead_w, 0.4, 1e-15); /* 8 / 800 of 40 W */
    assert_near(f->pixels, 1000, 0);
    assert_near(f->avg_fps, 50, 0);
    assert_near(f->dropped_frames, 3, 0);
    assert_near(f->total_frames, 2000, 0);
    assert_near(f->vmaf, 95, 0);
    assert_near(f->psnr_db, 41.5, 0);
    assert_near(f->ssim, 0.98, 0);
    assert_near(f->quality_s, 3.5, 0);
    assert_near(f->vmaf_harmonic_mean, 94, 0);
    assert_near(f->vmaf_min, 70, 0);
    assert_near(f->vmaf_p1, 75, 0);
    assert_near(f->vmaf_p5, 80, 0);
    assert_near(f->psnr_min_db, 30, 0);
    assert_near(f->crf, 23, 0);
    assert_near(f->passes, 2, 0);
    assert_near(f->vmaf_width, 1920, 0);
    assert_near(f->vmaf_height, 1080, 0);
    assert_near(f->host_cores, 8, 0);
}

static void labels_have_their_defaults(void **state)
{
    struct read *r = *state;
    const struct scenario *s = scenario_of(r, VIEW("{\"name\":\"x\"}"));

    assert_view(s->bitrate, "");
    assert_view(s->resolution, "");
    assert_view(s->fps, "");
    assert_view(s->streams, "1");
    assert_view(s->output_ladder, "unknown");
    assert_view(s->encoder, "h264");
    assert_view(s->encoder_type, "cpu");
    assert_view(s->preset, "veryfast");
    assert_view(s->region, "of-file");
    assert_false(s->encoder_given || s->preset_given);
    assert_unknown(s->start_s);
    assert_int_equal(s->param_count, 0);
}

static void null_and_not_available_are_unknown_without_a_note(void **state)
{
    struct read *r = *state;
    const struct scenario *s = scenario_of(
        r,
        VIEW("{\"name\":\"x\",\"fps\":\"N/A\",\"resolution\":\"N/A\",\"bitrate\":null,"
             "\"duration\":\"\",\"preset\":\"\",\"encoder\":null,\"outputs\":null,"
             "\"params\":null,\"power\":null,\"hardware\":\"N/A\",\"power_watts\":\"\","
             "\"cpu_usage_cores\":[],\"series_kind\":null,\"streams\":null}"));

    assert_noted(r, 0, "");
    assert_view(s->resolution, "");
    assert_view(s->preset, "veryfast");
    assert_unknown(s->facts.duration_s);
    assert_int_equal(s->facts.energy_basis, ENERGY_NONE);
}

static void numbers_may_stand_in_texts(void **state)
{
    struct read *r = *state;

    assert_near(facts_with(r, "\"duration\":\"30\"")->duration_s, 30, 0);
    assert_near(facts_with(r, "\"fps\":\" 29.97 \"")->fps, 29.97, 0);
    assert_view(r->s->fps, "29.97");
    assert_near(facts_with(r, "\"streams\":\"3\"")->streams, 3, 0);
    assert_noted(r, 0, "");
}

static void invalid_numbers_are_noted_and_absent(void **state)
{
    struct read *r = *state;
    const struct {
        const char *member, *note;
    } all[] = {
        { "\"duration\":-5", "scenario \"n\": duration: negative (-5)" },
        { "\"duration\":NaN",
          "scenario \"n\": duration: not a finite number (\"NaN\")" },
        { "\"duration\":1e999",
          "scenario \"n\": duration: not a finite number (\"1e999\")" },
        { "\"duration\":2e18", "scenario \"n\": duration: beyond 1e18 (2e+18)" },
        { "\"duration\":\"soon\"",
          "scenario \"n\": duration: not a number (\"soon\")" },
        { "\"duration\":\"NaN\"", "scenario \"n\": duration: not a number (\"NaN\")" },
        { "\"duration\":\"inf\"", "scenario \"n\": duration: not a number (\"inf\")" },
        { "\"duration\":true",
          "scenario \"n\": duration: a boolean where a number is due" },
        { "\"duration\":[30]",
          "scenario \"n\": duration: an array where a number is due" },
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_unknown(facts_with(r, all[i].member)->duration_s);
        assert_noted(r, 1, all[i].note);
    }
    assert_near(facts_with(r, "\"duration\":1e18")->duration_s, 1e18, 0);
    assert_near(facts_with(r, "\"start_time\":-1,\"end_time\":1")->duration_s, 2, 0);
    assert_noted(r, 0, "");
}

static void other_fields_of_the_same_scenario_stay(void **state)
{
    struct read *r = *state;
    const struct facts *f =
        facts_with(r, "\"duration\":-1,\"vmaf_score\":\"x\",\"energy_joules\":7");

    assert_near(f->energy_j, 7, 0);
    assert_noted(r, 2, "scenario \"n\": duration: negative (-1)");
}

static void scores_keep_to_their_ranges(void **state)
{
    struct read *r = *state;

    assert_near(facts_with(r, "\"vmaf_score\":110.5")->vmaf, 110.5, 0);
    assert_near(facts_with(r, "\"vmaf_score\":0")->vmaf, 0, 0);
    assert_unknown(facts_with(r, "\"vmaf_score\":120.5")->vmaf);
    assert_noted(r, 1, "scenario \"n\": vmaf_score: above 120 (120.5)");
    assert_unknown(facts_with(r, "\"vmaf_score\":-0.1")->vmaf);
    assert_noted(r, 1, "scenario \"n\": vmaf_score: negative (-0.1)");
    assert_near(facts_with(r, "\"ssim_score\":20")->ssim, 0.99, 1e-15);
    assert_unknown(facts_with(r, "\"ssim_score\":Infinity")->ssim);
    assert_unknown(facts_with(r, "\"psnr_score\":-1")->psnr_db);
    assert_noted(r, 1, "scenario \"n\": psnr_score: negative (-1)");
}

static void psnr_alone_may_be_infinite(void **state)
{
    struct read *r = *state;

    assert_true(facts_with(r, "\"psnr_score\":Infinity")->psnr_db == INFINITY);
    assert_true(facts_with(r, "\"psnr_score\":\"inf\"")->psnr_db == INFINITY);
    assert_true(facts_with(r, "\"psnr_min\":\"Infinity\"")->psnr_min_db == INFINITY);
    assert_noted(r, 0, "");
    assert_unknown(facts_with(r, "\"psnr_score\":-Infinity")->psnr_db);
    assert_noted(r, 1,
                 "scenario \"n\": psnr_score: not a finite number (\"-Infinity\")");
    assert_unknown(facts_with(r, "\"psnr_score\":1e999")->psnr_db);
    assert_noted(r, 1, "scenario \"n\": psnr_score: not a finite number (\"1e999\")");
    assert_unknown(facts_with(r, "\"vmaf_score\":\"inf\"")->vmaf);
    assert_noted(r, 1, "scenario \"n\": vmaf_score: not a number (\"inf\")");
}

static void counts_are_whole_and_at_least_one(void **state)
{
    struct read *r = *state;

    assert_near(facts_with(r, "\"streams\":0")->streams, 1, 0);
    assert_noted(r, 0, "");
    assert_near(facts_with(r, "\"streams\":-1")->streams, 1, 0);
    assert_noted(r, 1, "scenario \"n\": streams: negative (-1)");
    assert_near(facts_with(r, "\"viewers\":2.5")->viewers, 1, 0);
    assert_noted(r, 1, "scenario \"n\": viewers: not a whole number (2.5)");
}

static void bit_rates_are_labels_as_written(void **state)
{
    struct read *r = *state;

    assert_near(facts_with(r, "\"bitrate\":2500")->bitrate_bps, 2.5e6, 0);
    assert_view(r->s->bitrate, "2500");
    assert_near(facts_with(r, "\"bitrate\":5000000.0")->bitrate_bps, 5e6, 0);
    assert_view(r->s->bitrate, "5000000");
    assert_near(facts_with(r, "\"bitrate\":\"0k\"")->bitrate_bps, 0, 0);
    assert_noted(r, 0, "");
    assert_unknown(facts_with(r, "\"bitrate\":\"fast\"")->bitrate_bps);
    assert_view(r->s->bitrate, "fast");
    assert_noted(r, 1, "scenario \"n\": bitrate: not a bit rate");
    assert_unknown(facts_with(r, "\"bitrate\":-5")->bitrate_bps);
    assert_view(r->s->bitrate, "");
    assert_noted(r, 1, "scenario \"n\": bitrate: negative (-5)");
}

static void odd_resolutions_are_labels_without_figures(void **state)
{
    struct read *r = *state;
    const char *odd[] = { "1920\xC3\x97"
                          "1080",
                          "axb" };

    for (int i = 0; i < 2; i++) {
        char member[64];

        snprintf(member, sizeof member, "\"resolution\":\"%s\",\"fps\":30", odd[i]);
        assert_unknown(facts_with(r, member)->width);
        assert_view(r->s->resolution, odd[i]);
        assert_noted(r, 1,
                     "scenario \"n\": resolution: not a resolution like 1280x720");
    }
    assert_near(facts_with(r, "\"resolution\":\"0x0\"")->width, 0, 0);
    assert_noted(r, 0, "");
}

static void ladders_are_sorted_widest_first(void **state)
{
    struct read *r = *state;
    const struct scenario *s =
        with(r, "\"resolution\":\"1x1\",\"fps\":9,\"media_seconds\":2,\"outputs\":["
                "{\"resolution\":\"640x360\",\"fps\":30},{\"resolution\":\"1280x720\"},"
                "{\"resolution\":\"1920x800\",\"fps\":\"29.97\"},"
                "{\"resolution\":\"1920x1080\",\"fps\":25,\"bitrate\":\"6M\"},"
                "{\"resolution\":\"640x360\",\"fps\":15},{\"fps\":1},null]");

    assert_view(s->output_ladder, "1920x1080@25,1920x800@29.97,640x360@30,640x360@15");
    /* two have no rate, so the sum is not known; the single resolution: 1 · 1 · 9 · 2 */
    assert_near(s->facts.pixels, 18, 0);
    assert_noted(r, 0, "");
    s = with(r, "\"media_seconds\":2,\"outputs\":["
                "{\"resolution\":\"640x360\",\"fps\":30},"
                "{\"resolution\":\"1920x800\",\"fps\":\"29.97\"}]");
    /* (640·360·30 + 1920·800·29.97) · 2 */
    assert_near(s->facts.pixels, 2 * (6912000 + 46033920.), 1e-12);
    assert_view(
        with(r, "\"resolution\":\"2x2\",\"fps\":5,\"outputs\":[]")->output_ladder,
        "2x2@5");
}

static void odd_outputs_are_noted_with_their_index(void **state)
{
    struct read *r = *state;

    with(r,
         "\"outputs\":[{\"resolution\":\"axb\"},7,{\"fps\":-1},{\"bitrate\":\"x\"}]");
    assert_noted(r, 4,
                 "scenario \"n\": outputs[0].resolution: not a resolution like "
                 "1280x720");
    with(r, "\"outputs\":[{},7]");
    assert_noted(r, 1, "scenario \"n\": outputs[1]: a number where an object is due");
    with(r, "\"outputs\":5");
    assert_noted(r, 1, "scenario \"n\": outputs: a number where an array is due");
}

static void encoders_fall_back_on_their_type_and_types_on_words(void **state)
{
    struct read *r = *state;
    const struct scenario *s = with(r, "\"encoder\":\"h264_nvenc\"");

    assert_view(s->encoder, "h264_nvenc");
    assert_view(s->encoder_type, "gpu");
    s = with(r, "\"encoder_type\":\"libx264\"");
    assert_view(s->encoder, "libx264");
    assert_view(s->encoder_type, "libx264");
    assert_true(s->encoder_given);
    s = scenario_of(r, VIEW("{\"name\":\"GPU test\"}"));
    assert_view(s->encoder, "h264");
    assert_view(s->encoder_type, "gpu");
}

static void presets_may_be_numbers_and_other_texts_may_not(void **state)
{
    struct read *r = *state;

    assert_view(with(r, "\"preset\":8")->preset, "8");
    assert_noted(r, 0, "");
    assert_view(with(r, "\"encoder\":8")->encoder, "h264");
    assert_noted(r, 1, "scenario \"n\": encoder: a number where text is due");
}

static void series_make_energy_and_core_seconds(void **state)
{
    struct read *r = *state;
    const struct facts *f = facts_with(
        r,
        "\"duration\":45,\"power_watts\":[45.2,46.1,45.8,47,46.5,45.9,46.3,46.7,45.5,"
        "46.2],\"step_seconds\":5,\"cpu_usage_cores\":[1,1,1,1,1,1,1,1,1,1]");

    assert_near(f->energy_j, 2077.5, 1e-12);
    assert_near(f->mean_power_w, 46.12, 1e-12); /* 461.2 / 10 */
    assert_near(f->core_seconds, 45, 1e-12);
    assert_int_equal(f->energy_basis, ENERGY_SAMPLES);

    /* means: 2·(10 + 20) + 1·30 */
    f = facts_with(r, "\"duration\":5,\"step_seconds\":2,\"series_kind\":\"mean\","
                      "\"power_watts\":[10,20,30]");
    assert_near(f->energy_j, 90, 0);
    assert_noted(r, 0, "");
}

static void missing_and_odd_samples_are_counted(void **state)
{
    struct read *r = *state;

    /* 10, (20), 30, (40), 50 by trapezoids of 5 s: 5·(5 + 20 + 30 + 40 + 25) */
    assert_near(facts_with(r, "\"power_watts\":[10,null,30,\"x\",50,-1]")->energy_j,
                600, 0);
    assert_noted(r, 3, "scenario \"n\": power_watts[1]: a sample is missing");
    assert_near(facts_with(r, "\"power_watts\":[\"10\",1e999,30]")->energy_j, 200, 0);
    assert_noted(r, 1,
                 "scenario \"n\": power_watts[1]: not a finite number (\"1e999\")");
    assert_unknown(facts_with(r, "\"power_watts\":10")->energy_j);
    assert_noted(r, 1, "scenario \"n\": power_watts: a number where an array is due");
}

static void kinds_of_series_are_two(void **state)
{
    struct read *r = *state;

    with(r, "\"series_kind\":\"instant\"");
    assert_noted(r, 0, "");
    with(r, "\"series_kind\":\"average\"");
    assert_noted(r, 1, "scenario \"n\": series_kind: neither \"instant\" nor \"mean\"");
}

static void inner_objects_name_themselves_in_notes(void **state)
{
    struct read *r = *state;

    with(r, "\"power\":{\"mean_watts\":-3}");
    assert_noted(r, 1, "scenario \"n\": power.mean_watts: negative (-3)");
    with(r, "\"hardware\":[]");
    assert_noted(r, 1, "scenario \"n\": hardware: an array where an object is due");
}

static void of_a_repeated_key_only_the_last_is_looked_at(void **state)
{
    struct read *r = *state;

    assert_near(facts_with(r, "\"duration\":-5,\"duration\":7")->duration_s, 7, 0);
    assert_noted(r, 0, "");
}

static void params_are_sixteen_short_texts_or_numbers(void **state)
{
    struct read *r = *state;
    struct buf b = { 0 };

    buf_str(&b, "\"params\":{\"a\":\"1\",\"a\":2,\"none\":null,\"empty\":\"\"");
    for (int i = 0; i < 17; i++)
        buf_fmt(&b, ",\"p%d\":%d.5", i, i);
    buf_str(&b, "}");
    buf_char(&b, '\0');

    const struct scenario *s = with(r, b.p);

    assert_int_equal(s->param_count, SCENARIO_PARAMS_MAX);
    assert_view(s->params[0].key, "a");
    assert_view(s->params[0].value, "2");
    assert_view(s->params[15].key, "p14");
    assert_view(s->params[15].value, "14.5");
    assert_noted(r, 1, "scenario \"n\": params: 2 entries more than 16");

    b.n = 0;
    buf_str(&b, "\"params\":{\"long\":\"");
    for (int i = 0; i < 257; i++)
        buf_char(&b, 'x');
    buf_str(&b, "\",\"flag\":true,\"\":1,\"ok\":1}");
    buf_char(&b, '\0');
    s = with(r, b.p);
    assert_int_equal(s->param_count, 1);
    assert_view(s->params[0].key, "ok");
    assert_noted(r, 3, "scenario \"n\": params.long: longer than 256 bytes");
    buf_deinit(&b);
}

static void without_a_name_it_is_no_scenario(void **state)
{
    struct read *r = *state;
    const struct {
        struct view text;
        const char *why;
    } all[] = {
        { VIEW("5"), "not an object" },
        { VIEW("[]"), "not an object" },
        { VIEW("{}"), "no name" },
        { VIEW("{\"name\":null}"), "no name" },
        { VIEW("{\"name\":\"\"}"), "no name" },
        { VIEW("{\"name\":7}"), "the name is not text" },
        { VIEW("{\"name\":[\"x\"]}"), "the name is not text" },
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_null(scenario_of(r, all[i].text));
        assert_string_equal(r->why, all[i].why);
    }
}

static void names_may_hold_anything(void **state)
{
    struct read *r = *state;
    struct buf b = { 0 };
    const struct scenario *s =
        scenario_of(r, VIEW("{\"name\":\"q\\\" b\\\\ n\\n t\\t \\u0000\",\"fps\":-1}"));

    assert_true(view_eq(s->name, VIEW("q\" b\\ n\n t\t \0")));
    assert_noted(r, 1,
                 "scenario \"q\\\" b\\\\ n\\x0a t\\x09 \\x00\": fps: negative (-1)");

    buf_str(&b, "{\"fps\":-1,\"name\":\"");
    for (int i = 0; i < 5000; i++)
        buf_str(&b, "\xC3\xBC");
    buf_str(&b, "\"}");
    s = scenario_of(r, buf_as_view(&b));
    assert_int_equal(s->name.n, 10000);
    /* 60 bytes of it are told: 30 characters. 10 + 60 + 4 + 20 bytes in all. */
    assert_non_null(
        strstr(r->notes.first, "\xC3\xBC\xE2\x80\xA6\": fps: negative (-1)"));
    assert_int_equal(strlen(r->notes.first), 10 + 60 + 4 + 20);
    buf_deinit(&b);
}

static void names_tell_streams_and_baselines(void **state)
{
    struct read *r = *state;
    const struct scenario *s = scenario_of(r, VIEW("{\"name\":\"4 Streams @ 2500k\"}"));

    assert_view(s->streams, "4");
    assert_false(s->is_baseline);
    s = scenario_of(r, VIEW("{\"name\":\"Baseline (Idle)\",\"vmaf_score\":9}"));
    assert_true(s->is_baseline);
    assert_unknown(s->facts.vmaf);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_field_arrives),
        TEST(labels_have_their_defaults),
        TEST(null_and_not_available_are_unknown_without_a_note),
        TEST(numbers_may_stand_in_texts),
        TEST(invalid_numbers_are_noted_and_absent),
        TEST(other_fields_of_the_same_scenario_stay),
        TEST(scores_keep_to_their_ranges),
        TEST(psnr_alone_may_be_infinite),
        TEST(counts_are_whole_and_at_least_one),
        TEST(bit_rates_are_labels_as_written),
        TEST(odd_resolutions_are_labels_without_figures),
        TEST(ladders_are_sorted_widest_first),
        TEST(odd_outputs_are_noted_with_their_index),
        TEST(encoders_fall_back_on_their_type_and_types_on_words),
        TEST(presets_may_be_numbers_and_other_texts_may_not),
        TEST(series_make_energy_and_core_seconds),
        TEST(missing_and_odd_samples_are_counted),
        TEST(kinds_of_series_are_two),
        TEST(inner_objects_name_themselves_in_notes),
        TEST(of_a_repeated_key_only_the_last_is_looked_at),
        TEST(params_are_sixteen_short_texts_or_numbers),
        TEST(without_a_name_it_is_no_scenario),
        TEST(names_may_hold_anything),
        TEST(names_tell_streams_and_baselines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
