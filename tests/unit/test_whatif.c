#include "modules/predict/outlook.h"

#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>

static void without_a_file_there_are_the_four_of_old(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double kbps, width, height, fps;
    } want[] = { { "720p30_2mbps", 2000, 1280, 720, 30 },
                 { "1080p30_4mbps", 4000, 1920, 1080, 30 },
                 { "1080p60_6mbps", 6000, 1920, 1080, 60 },
                 { "4k30_15mbps", 15000, 3840, 2160, 30 } };
    struct whatif_list l;
    struct err e = { 0 };

    assert_int_equal(whatif_read((struct view){ NULL, 0 }, "", 93, &l, &e), 0);
    assert_int_equal(l.count, 4);
    assert_near(l.target_vmaf, 93, 0);
    for (size_t i = 0; i < 4; i++) {
        assert_view(l.all[i].name, want[i].name);
        assert_near(l.all[i].bitrate_kbps, want[i].kbps, 0);
        assert_near(l.all[i].width, want[i].width, 0);
        assert_near(l.all[i].height, want[i].height, 0);
        assert_near(l.all[i].fps, want[i].fps, 0);
        assert_int_equal(l.all[i].encoder.n, 0);
        assert_int_equal(l.all[i].preset.n, 0);
    }
    whatif_deinit(&l);
    assert_null(l.all);
}

static void a_file_is_copied(void **state)
{
    (void)state;
    char text[] = "{\"configs\": [{\"name\": \"a\", \"bitrate\": \"4M\","
                  "\"resolution\": \"1920x1080\", \"fps\": 29.97,"
                  "\"encoder\": \"libx264\", \"preset\": \"slow\"},"
                  "{\"name\": \"b\", \"bitrate\": 900, \"resolution\": \"640x360\","
                  "\"fps\": 25, \"encoder\": null}]}";
    struct whatif_list l;
    struct err e = { 0 };

    assert_int_equal(whatif_read(view_of(text), "f", 90, &l, &e), 0);
    memset(text, '#', sizeof text);
    assert_int_equal(l.count, 2);
    assert_view(l.all[0].name, "a");
    assert_view(l.all[0].encoder, "libx264");
    assert_view(l.all[0].preset, "slow");
    assert_near(l.all[0].bitrate_kbps, 4000, 0);
    assert_near(l.all[0].fps, 29.97, 0);
    assert_view(l.all[1].name, "b");
    assert_near(l.all[1].bitrate_kbps, 900, 0); /* a bare 900 is kbit/s */
    assert_near(l.all[1].height, 360, 0);
    assert_view(l.all[1].encoder, "");
    whatif_deinit(&l);
}

static void an_empty_list_predicts_nothing(void **state)
{
    (void)state;
    struct whatif_list l;
    struct err e = { 0 };

    assert_int_equal(whatif_read(VIEW("{\"configs\": []}"), "f", 93, &l, &e), 0);
    assert_int_equal(l.count, 0);
    whatif_deinit(&l);
}

#define ONE(more)                                                                      \
    "{\"configs\":[{\"name\":\"a\",\"bitrate\":\"1M\",\"resolution\":\"2x2\","         \
    "\"fps\":1" more "}]}"

static void mistakes_name_file_key_and_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        { "[]", "f: holds no array \"configs\"" },
        { "{\"configs\": 1}", "f: holds no array \"configs\"" },
        { "{\"configs\": [1]}", "f: configs[0]: is no object" },
        { "{\"configs\": [{}]}", "f: configs[0].name: is missing" },
        { "{\"configs\": [{\"name\": 1}]}", "f: configs[0].name: is no text" },
        { "{\"configs\": [{\"name\": \"a\"}]}", "f: configs[0].bitrate: is missing" },
        { ONE(",\"bitrate\":1"), "f: configs[0].bitrate: appears twice" },
        { ONE(",\"crf\":23"), "f: configs[0]: a key is none of name, bitrate, "
                              "resolution, fps, encoder, preset" },
        { ONE(",\"preset\":5"), "f: configs[0].preset: is no text" },
        { "{\"configs\":[{\"name\":\"a\",\"bitrate\":\"0k\"}]}",
          "f: configs[0].bitrate: is no bit rate above 0, as \"4M\"" },
        { "{\"configs\":[{\"name\":\"a\",\"bitrate\":\"1k\",\"resolution\":\"0x2\"}]}",
          "f: configs[0].resolution: is no size above 0, as \"1920x1080\"" },
        { "{\"configs\":[{\"name\":\"a\",\"bitrate\":\"1k\",\"resolution\":\"2x2\","
          "\"fps\":0}]}",
          "f: configs[0].fps: is no number above 0 and up to 1000" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct whatif_list l = { 0 };
        struct err e = { 0 };

        assert_int_equal(whatif_read(view_of(cases[i].text), "f", 93, &l, &e), -EINVAL);
        assert_string_equal(e.text, cases[i].why);
        assert_null(l.all);
    }
}

static void names_are_not_repeated_and_json_is_json(void **state)
{
    (void)state;
    struct whatif_list l = { 0 };
    struct err e = { 0 };
    const char *twice =
        "{\"configs\":["
        "{\"name\":\"a\",\"bitrate\":1,\"resolution\":\"2x2\",\"fps\":1},"
        "{\"name\":\"a\",\"bitrate\":1,\"resolution\":\"2x2\",\"fps\":1}]}";

    assert_int_equal(whatif_read(view_of(twice), "f", 93, &l, &e), -EINVAL);
    assert_string_equal(e.text, "f: configs[1].name: appears twice");
    assert_int_equal(whatif_read(VIEW("{"), "f", 93, &l, &e), -EINVAL);
    assert_true(view_starts(view_of(e.text), VIEW("f: byte ")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_there_are_the_four_of_old),
        cmocka_unit_test(a_file_is_copied),
        cmocka_unit_test(an_empty_list_predicts_nothing),
        cmocka_unit_test(mistakes_name_file_key_and_reason),
        cmocka_unit_test(names_are_not_repeated_and_json_is_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
