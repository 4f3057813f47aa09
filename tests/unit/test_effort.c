#include "modules/predict/lesson.h"

#include "tests/unit/test.h"

static double effort(const char *encoder, const char *preset)
{
    return preset_effort(view_of(encoder), view_of(preset));
}

static void presets_of_x264_and_x265_stand_in_their_order(void **state)
{
    (void)state;

    /* Ten presets: nine steps from ultrafast to placebo. */
    assert_near(effort("libx264", "ultrafast"), 0, 0);
    assert_near(effort("h264", "veryfast"), 2 / 9.0, 1e-15);
    assert_near(effort("libx265", "medium"), 5 / 9.0, 1e-15);
    assert_near(effort("HEVC", " Placebo "), 1, 0);
    assert_unknown(effort("libx264", "fastest"));
    assert_unknown(effort("libx264", ""));
}

static void numbers_of_software_encoders_are_speeds(void **state)
{
    (void)state;

    assert_near(effort("libsvtav1", "0"), 1, 0);
    assert_near(effort("SVT-AV1", "10"), 3 / 13.0, 1e-15);
    assert_near(effort("libsvtav1", "13"), 0, 0);
    assert_unknown(effort("libsvtav1", "14"));
    assert_near(effort("libvpx-vp9", "realtime-6"), 0.25, 1e-15);
    assert_near(effort("vp9", "cpu-used 0"), 1, 0);
    assert_unknown(effort("libvpx-vp9", "good"));
    assert_near(effort("libaom-av1", "8"), 0, 0);
    assert_near(effort("librav1e", "5"), 0.5, 1e-15);
    assert_unknown(effort("libsvtav1", "2147483648"));
}

static void hardware_is_told_by_its_own_names(void **state)
{
    (void)state;

    assert_near(effort("h264_nvenc", "p1"), 0, 0);
    assert_near(effort("hevc_nvenc", "P4"), 0.5, 1e-15);
    assert_near(effort("av1_nvenc", "p7"), 1, 0);
    assert_near(effort("h264_nvenc", "slow"), 1, 0);
    assert_unknown(effort("h264_nvenc", "4"));
    assert_unknown(effort("h264_nvenc", "p8"));
    assert_unknown(effort("h264_nvenc", "veryfast"));
    assert_near(effort("h264_qsv", "veryfast"), 0, 0);
    assert_near(effort("hevc_qsv", "veryslow"), 1, 0);
    assert_near(effort("h264_amf", "balanced"), 0.5, 1e-15);
    assert_unknown(effort("h264_videotoolbox", "medium"));
    assert_unknown(effort("h264_vaapi", "medium"));
}

static void nothing_is_known_of_other_encoders(void **state)
{
    (void)state;

    assert_unknown(effort("prores_ks", "medium"));
    assert_unknown(effort("", "medium"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_of_x264_and_x265_stand_in_their_order),
        cmocka_unit_test(numbers_of_software_encoders_are_speeds),
        cmocka_unit_test(hardware_is_told_by_its_own_names),
        cmocka_unit_test(nothing_is_known_of_other_encoders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
