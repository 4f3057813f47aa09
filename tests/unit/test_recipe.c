#include "server/compute/recipe.h"

#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

/* ---- clips ------------------------------------------------------------------------------ */

static bool parse(const char *json, struct clip *c)
{
    return clip_parse(view_of(json), c);
}

static void what_ffprobe_tells_is_read(void **state)
{
    struct clip c;

    (void)state;
    assert_true(
        parse("{\"programs\":[],\"streams\":[{\"width\":1920,\"height\":1080,"
              "\"pix_fmt\":\"yuvj420p\",\"color_transfer\":\"bt709\",\"r_frame_rate\":"
              "\"30000/1001\",\"avg_frame_rate\":\"359/12\",\"duration\":\"12.5\"}],"
              "\"format\":{\"duration\":\"13.0\"}}",
              &c));
    assert_int_equal(c.width, 1920);
    assert_int_equal(c.height, 1080);
    assert_string_equal(c.format, "yuv420p");
    assert_false(c.wide_range);
    assert_near(clip_rate_of(c.base), 29.97002997, 1e-9);
    assert_near(clip_rate_of(c.mean), 359 / 12.0, 1e-12);
    assert_near(c.duration_s, 12.5, 0);
}

static void the_length_of_the_file_where_the_stream_has_none(void **state)
{
    struct clip c;

    (void)state;
    assert_true(parse("{\"streams\":[{\"duration\":\"N/A\"}],"
                      "\"format\":{\"duration\":\"13.0\"}}",
                      &c));
    assert_near(c.duration_s, 13, 0);
    assert_int_equal(c.width, 0);
    assert_null(c.format);
    assert_unknown(clip_rate_of(c.mean));
    assert_true(parse("{\"streams\":[{}]}", &c));
    assert_unknown(c.duration_s);
}

static void a_picture_on_its_side_is_as_it_is_shown(void **state)
{
    static const char text[] = "{\"streams\":[{\"width\":1920,\"height\":1080,"
                               "\"side_data_list\":[{},{\"rotation\":%d}]}]}";
    static const struct {
        int by;
        uint32_t width;
    } cases[] = {
        { -90, 1080 }, { 90, 1080 }, { 270, 1080 }, { 180, 1920 }, { 0, 1920 }
    };
    char json[256];
    struct clip c;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(json, sizeof json, text, cases[i].by);
        assert_true(parse(json, &c));
        assert_int_equal(c.width, cases[i].width);
        assert_int_equal(c.height, 3000 - cases[i].width);
    }
}

static void what_is_no_number_is_not_known(void **state)
{
    static const char *const rates[] = { "0/0",   "30",    "30/0",          "/",
                                         "-30/1", "30/1x", "99999999999/1", "" };
    char json[256];
    struct clip c;

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        snprintf(json, sizeof json,
                 "{\"streams\":[{\"avg_frame_rate\":\"%s\",\"width\":-1,"
                 "\"height\":1e9,\"pix_fmt\":\"x;[a]\",\"duration\":\"1x\"}]}",
                 rates[i]);
        assert_true(parse(json, &c));
        assert_int_equal(c.mean.num, 0);
        assert_int_equal(c.width, 0);
        assert_int_equal(c.height, 0);
        assert_null(c.format);
        assert_unknown(c.duration_s);
    }
}

static void no_video_is_no_clip(void **state)
{
    static const char *const texts[] = {
        "", "{}", "{", "[]", "{\"streams\":[]}", "{\"streams\":[1]}", "{\"streams\":{}}"
    };
    struct clip c;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(parse(texts[i], &c));
}

/* ---- recipes ------------------------------------------------------------------------------ */

static struct clip clip(void)
{
    return (struct clip){ 1280, 720, { 25, 1 }, { 25, 1 }, "yuv420p", false, 10 };
}

static const char *refusal(const struct clip *output, const struct clip *reference)
{
    static struct err e;
    struct recipe r;

    e = (struct err){ 0 };
    return recipe_make(output, reference, true, 1, &r, &e) < 0 ? e.text : "";
}

static void rates_have_to_be_the_same(void **state)
{
    struct clip a = clip(), b = clip();

    (void)state;
    assert_string_equal(refusal(&a, &b), "");
    a.mean = a.base = (struct clip_rate){ 30000, 1001 };
    b.mean = b.base = (struct clip_rate){ 30, 1 };
    assert_non_null(
        strstr(refusal(&a, &b), "frame rates differ: 29.970 in the output"));
    b.mean = b.base = (struct clip_rate){ 2997, 100 };
    assert_string_equal(refusal(&a, &b), "");
    /* A transport stream: the mean of some seconds is not exact. */
    a.mean = (struct clip_rate){ 359, 12 };
    b.mean = b.base = a.base;
    assert_string_equal(refusal(&a, &b), "");
    a.mean = (struct clip_rate){ 359, 13 };
    assert_non_null(strstr(refusal(&a, &b), "frame rates differ"));
    a.mean = (struct clip_rate){ 0, 0 };
    assert_string_equal(refusal(&a, &b), "the frame rate of the output is not known");
    assert_string_equal(refusal(&b, &a),
                        "the frame rate of the reference is not known");
}

static void a_rate_that_varies_is_none(void **state)
{
    struct clip a = clip(), b = clip();

    (void)state;
    a.base = b.base = (struct clip_rate){ 90000, 1 };
    assert_non_null(strstr(refusal(&a, &b), "varies (25.000 of 90000.000)"));
    a.base = b.base = (struct clip_rate){ 0, 0 };
    assert_non_null(strstr(refusal(&a, &b), "varies"));
    a.base = b.base = (struct clip_rate){ 50, 1 }; /* fields */
    assert_string_equal(refusal(&a, &b), "");
}

static void lengths_have_to_be_about_the_same(void **state)
{
    struct clip a = clip(), b = clip();

    (void)state;
    a.duration_s = 9.6;
    assert_string_equal(refusal(&a, &b), "");
    a.duration_s = 9.4;
    assert_string_equal(refusal(&a, &b),
                        "lengths differ: 9.400 s of output, 10.000 s of reference");
    a.duration_s = 991;
    b.duration_s = 1000;
    assert_string_equal(refusal(&a, &b), "");
    a.duration_s = 989;
    assert_string_not_equal(refusal(&a, &b), "");
    a.duration_s = NAN;
    assert_string_equal(refusal(&a, &b), "");
}

static void sizes_and_pixels_have_to_be_known(void **state)
{
    struct clip a = clip(), b = clip();

    (void)state;
    a.format = NULL; /* it is converted, whatever it is */
    assert_string_equal(refusal(&a, &b), "");
    b.format = NULL;
    assert_non_null(strstr(refusal(&a, &b), "in no format known"));
    a.width = 0;
    assert_string_equal(refusal(&a, &b), "the size of the output is not known");
    a.width = 8193;
    a.height = 8192;
    assert_string_equal(refusal(&a, &b), "the output is larger than 8192 by 8192");
    a.width = UINT32_MAX;
    a.height = UINT32_MAX;
    assert_string_equal(refusal(&a, &b), "the output is larger than 8192 by 8192");
}

static void the_model_follows_the_reference(void **state)
{
    static const struct {
        uint32_t width, height;
        const char *model;
    } cases[] = { { 1920, 1080, "vmaf_v0.6.1" },    { 3838, 2158, "vmaf_v0.6.1" },
                  { 3840, 2160, "vmaf_4k_v0.6.1" }, { 3840, 1600, "vmaf_4k_v0.6.1" },
                  { 2880, 2160, "vmaf_4k_v0.6.1" }, { 2160, 3840, "vmaf_4k_v0.6.1" },
                  { 1080, 2340, "vmaf_v0.6.1" },    { 31, 64, NULL } };
    struct clip a = clip(), b = clip();
    struct recipe r;
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        b.width = cases[i].width;
        b.height = cases[i].height;
        assert_int_equal(recipe_make(&a, &b, true, 1, &r, &e), 0);
        assert_int_equal(r.width, cases[i].width);
        if (cases[i].model)
            assert_string_equal(r.model, cases[i].model);
        else
            assert_null(r.model);
        assert_int_equal(recipe_make(&a, &b, false, 1, &r, &e), 0);
        assert_null(r.model);
    }
    a.wide_range = true;
    assert_int_equal(recipe_make(&a, &a, true, 1, &r, &e), 0);
    assert_null(r.model);
}

static void the_graph_says_it_all(void **state)
{
    struct clip a = clip(), b = clip();
    struct recipe r;
    struct err e;

    (void)state;
    b.width = 1920;
    b.height = 1080;
    b.format = "yuv420p10le";
    b.mean = b.base = a.mean = a.base = (struct clip_rate){ 24000, 1001 };
    assert_int_equal(recipe_make(&a, &b, true, 2, &r, &e), 0);
    assert_string_equal(
        r.filters,
        "[0:v:0]setpts=PTS-STARTPTS,settb=expr=1001/"
        "24000,scale=1920:1080:flags=bicubic,"
        "format=yuv420p10le,split=3[a1][a2][a3];"
        "[1:v:0]setpts=PTS-STARTPTS,settb=expr=1001/24000,format=yuv420p10le,"
        "split=3[b1][b2][b3];"
        "[a1][b1]psnr=stats_file=/proc/self/fd/5:shortest=1[psnr];"
        "[a2][b2]ssim=stats_file=/proc/self/fd/6:shortest=1[ssim];"
        "[a3][b3]libvmaf=log_fmt=json:log_path=/proc/self/fd/7:n_threads=2:"
        "model=version=vmaf_v0.6.1:shortest=1[vmaf]");
    assert_near(r.peak, 1023, 0);
    assert_near(r.frames, 240000 / 1001.0, 1e-9);
    b.format = "yuv420p12le";
    assert_int_equal(recipe_make(&a, &b, true, 2, &r, &e), 0);
    assert_near(r.peak, 4095, 0);
}

/* The longest numbers there are fit, and every command has an end. */
static void the_longest_fits(void **state)
{
    struct clip c = { 65536,
                      1024,
                      { 2000000000, 1999999999 },
                      { 2000000000, 1999999999 },
                      "yuv422p10le",
                      false,
                      1e9 };
    struct recipe_command command;
    struct recipe r;
    struct err e;

    (void)state;
    assert_int_equal(recipe_make(&c, &c, true, UINT32_MAX, &r, &e), 0);
    assert_non_null(strstr(r.filters, "shortest=1[vmaf]"));
    recipe_compare(&r, "ffmpeg", UINT32_MAX, &command);
    assert_true(command.count <= RECIPE_ARGUMENTS_MAX);
    assert_null(command.argv[command.count - 1]);
    recipe_probe("ffprobe", &command);
    assert_null(command.argv[command.count - 1]);
    recipe_list_filters("ffmpeg", &command);
    assert_null(command.argv[command.count - 1]);
}

static void the_list_of_filters_tells(void **state)
{
    (void)state;
    assert_true(recipe_lists_vmaf(
        VIEW("Filters:\n  T.. = Timeline\n TS. psnr VV->V  Calculate libvmaf\n"
             " .. libvmaf           VV->V      Calculate the VMAF\n")));
    assert_true(recipe_lists_vmaf(VIEW(" ... libvmaf")));
    assert_false(recipe_lists_vmaf(VIEW(" ... libvmaf_cuda VV->V\n")));
    assert_false(recipe_lists_vmaf(VIEW(" ... vmafmotion V->V as libvmaf\n")));
    assert_false(recipe_lists_vmaf(VIEW("")));
    assert_false(recipe_lists_vmaf(VIEW("\n\nlibvmaf\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ffprobe_tells_is_read),
        cmocka_unit_test(the_length_of_the_file_where_the_stream_has_none),
        cmocka_unit_test(a_picture_on_its_side_is_as_it_is_shown),
        cmocka_unit_test(what_is_no_number_is_not_known),
        cmocka_unit_test(no_video_is_no_clip),
        cmocka_unit_test(rates_have_to_be_the_same),
        cmocka_unit_test(a_rate_that_varies_is_none),
        cmocka_unit_test(lengths_have_to_be_about_the_same),
        cmocka_unit_test(sizes_and_pixels_have_to_be_known),
        cmocka_unit_test(the_model_follows_the_reference),
        cmocka_unit_test(the_graph_says_it_all),
        cmocka_unit_test(the_longest_fits),
        cmocka_unit_test(the_list_of_filters_tells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
