#include "core/notation.h"

#include "tests/unit/test.h"

static void suffixes_of_bit_rates_are_powers_of_1000(void **state)
{
    (void)state;
    assert_near(notation_bitrate_bps(VIEW("2500k")), 2.5e6, 0);
    assert_near(notation_bitrate_bps(VIEW("2500K")), 2.5e6, 0);
    assert_near(notation_bitrate_bps(VIEW("2500kbps")), 2.5e6, 0);
    assert_near(notation_bitrate_bps(VIEW("5M")), 5e6, 0);
    assert_near(notation_bitrate_bps(VIEW("1.5 Mbps")), 1.5e6, 1e-15);
    assert_near(notation_bitrate_bps(VIEW("1g")), 1e9, 0);
    assert_near(notation_bitrate_bps(VIEW("2Gbps")), 2e9, 0);
    assert_near(notation_bitrate_bps(VIEW("64000bps")), 64000, 0);
    assert_near(notation_bitrate_bps(VIEW("0k")), 0, 0);
}

static void bare_bit_rates_are_guessed_by_size(void **state)
{
    (void)state;
    /* up to 100: Mbit/s; below 100 000: kbit/s; else bit/s */
    assert_near(notation_bitrate_bps(VIEW("2.5")), 2.5e6, 0);
    assert_near(notation_bitrate_bps(VIEW("100")), 100e6, 0);
    assert_near(notation_bitrate_bps(VIEW("101")), 101e3, 0);
    assert_near(notation_bitrate_bps(VIEW("99999")), 99999e3, 0);
    assert_near(notation_bitrate_bps(VIEW("100000")), 100000, 0);
    assert_near(notation_bare_bitrate_bps(2500), 2.5e6, 0);
    assert_near(notation_bare_bitrate_bps(0), 0, 0);
}

static void other_text_is_no_bit_rate(void **state)
{
    (void)state;
    const struct view bad[] = { VIEW(""),      VIEW("k"),    VIEW("fast"), VIEW("-5k"),
                                VIEW("2500q"), VIEW("1e30"), VIEW("infk"), VIEW("5 5k"),
                                VIEW("0x10k"), VIEW("1e18k") };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_unknown(notation_bitrate_bps(bad[i]));
    assert_unknown(notation_bare_bitrate_bps(-1));
    assert_unknown(notation_bare_bitrate_bps(NAN));
}

static void resolutions_are_two_numbers_with_an_x(void **state)
{
    (void)state;
    double w = -1, h = -1;

    assert_true(notation_resolution(VIEW("1280x720"), &w, &h));
    assert_near(w, 1280, 0);
    assert_near(h, 720, 0);
    assert_true(notation_resolution(VIEW(" 1920X1080 "), &w, &h));
    assert_near(w, 1920, 0);
    assert_true(notation_resolution(VIEW("0x0"), &w, &h));
    assert_near(h, 0, 0);
}

static void other_text_is_no_resolution(void **state)
{
    (void)state;
    const struct view bad[] = { VIEW(""),
                                VIEW("1280"),
                                VIEW("1280x"),
                                VIEW("x720"),
                                VIEW("axb"),
                                VIEW("1920\xC3\x97"
                                     "1080"),
                                VIEW("1x2x3"),
                                VIEW("-1x2"),
                                VIEW("1280x720p"),
                                VIEW("1.5x2"),
                                VIEW("99999999x1"),
                                VIEW("1280 x 720") };
    double w = 7, h = 7;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(notation_resolution(bad[i], &w, &h));
    assert_near(w, 7, 0);
    assert_near(h, 7, 0);
}

static void names_tell_how_many_streams(void **state)
{
    (void)state;
    assert_near(notation_streams(VIEW("4 Streams @ 2500k")), 4, 0);
    assert_near(notation_streams(VIEW("2-stream test")), 2, 0);
    assert_near(notation_streams(VIEW("12streams")), 12, 0);
    assert_near(notation_streams(VIEW("run 2: 8 - STREAMS")), 8, 0);
    assert_near(notation_streams(VIEW("3 streams, 5 streams")), 3, 0);
    assert_near(notation_streams(VIEW("1 Stream2")), 1, 0);
    assert_near(notation_streams(VIEW("2 streamers, 6 streams")), 6, 0);
}

static void other_names_tell_no_streams(void **state)
{
    (void)state;
    const struct view none[] = { VIEW(""),
                                 VIEW("2500k"),
                                 VIEW("streams"),
                                 VIEW("2 streamers"),
                                 VIEW("2 x streams"),
                                 VIEW("0 streams"),
                                 VIEW("5 strea") };

    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_near(notation_streams(none[i]), 0, 0);
}

static void words_tell_graphics_units_and_baselines(void **state)
{
    (void)state;
    assert_true(notation_gpu(VIEW("h264_NVENC")));
    assert_true(notation_gpu(VIEW("hevc_qsv")));
    assert_true(notation_gpu(VIEW("GPU test")));
    assert_true(notation_gpu(VIEW("h264_videotoolbox")));
    assert_false(notation_gpu(VIEW("libx264")));
    assert_false(notation_gpu(VIEW("")));
    assert_true(notation_baseline(VIEW("Baseline (Idle)")));
    assert_true(notation_baseline(VIEW("IDLE")));
    assert_false(notation_baseline(VIEW("4 Streams")));
}

static void nothing_and_not_available_are_unknown(void **state)
{
    (void)state;
    assert_true(notation_unknown(VIEW("")));
    assert_true(notation_unknown(VIEW("  ")));
    assert_true(notation_unknown(VIEW("N/A")));
    assert_true(notation_unknown(VIEW("n/a ")));
    assert_false(notation_unknown(VIEW("0")));
    assert_false(notation_unknown(VIEW("NA")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suffixes_of_bit_rates_are_powers_of_1000),
        cmocka_unit_test(bare_bit_rates_are_guessed_by_size),
        cmocka_unit_test(other_text_is_no_bit_rate),
        cmocka_unit_test(resolutions_are_two_numbers_with_an_x),
        cmocka_unit_test(other_text_is_no_resolution),
        cmocka_unit_test(names_tell_how_many_streams),
        cmocka_unit_test(other_names_tell_no_streams),
        cmocka_unit_test(words_tell_graphics_units_and_baselines),
        cmocka_unit_test(nothing_and_not_available_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
