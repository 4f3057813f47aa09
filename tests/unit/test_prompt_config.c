#include "tests/unit/test.h"

#include "server/predict/prompt_config.h"

#include <string.h>

enum { ARGS_MAX = 24 };

struct line {
    char text[400];
    char *argv[ARGS_MAX + 1];
    int argc;
    struct prompt_config p;
    bool help;
    struct err e;
};

/* Words told apart by blanks, behind the name of the command. */
static int take(struct line *l, const char *words)
{
    size_t n = strlen(words);

    *l = (struct line){ 0 };
    assert_true(n < sizeof l->text);
    memcpy(l->text, words, n);
    l->argv[l->argc++] = l->text;
    for (size_t i = 0; i < n; i++)
        if (l->text[i] == ' ') {
            l->text[i] = '\0';
            assert_true(l->argc < ARGS_MAX);
            l->argv[l->argc++] = l->text + i + 1;
        }
    return prompt_config_take(&l->p, &l->argc, l->argv, &l->help, &l->e);
}

static void its_own_flags_are_taken_and_others_left(void **state)
{
    (void)state;
    struct line l;

    assert_int_equal(take(&l, "predict --region eu --resolution 1280x720 --fps=29.97 "
                              "--runs=all --bitrate 2500k --encoder h264 --json "
                              "--currency SEK --preset=fast --target-vmaf 90"),
                     0);
    assert_near(l.p.width, 1280, 0);
    assert_near(l.p.height, 720, 0);
    assert_near(l.p.fps, 29.97, 0);
    assert_near(l.p.bitrate_kbps, 2500, 0);
    assert_near(l.p.target_vmaf, 90, 0);
    assert_string_equal(l.p.encoder, "h264");
    assert_string_equal(l.p.preset, "fast");
    assert_true(l.p.json);
    assert_int_equal(l.argc, 6);
    assert_string_equal(l.argv[0], "predict");
    assert_string_equal(l.argv[1], "--region");
    assert_string_equal(l.argv[2], "eu");
    assert_string_equal(l.argv[3], "--runs=all");
    assert_string_equal(l.argv[4], "--currency");
    assert_string_equal(l.argv[5], "SEK");
    assert_null(l.argv[6]);
}

static void what_is_not_given_is_unknown(void **state)
{
    (void)state;
    struct line l;

    assert_int_equal(take(&l, "predict --bitrate 4M --fps 30 --resolution 1920x1080"),
                     0);
    /* 4 Mbit/s */
    assert_near(l.p.bitrate_kbps, 4000, 0);
    assert_null(l.p.encoder);
    assert_null(l.p.preset);
    assert_unknown(l.p.target_vmaf);
    assert_false(l.p.json);
    assert_int_equal(l.argc, 1);
}

static void refused(const char *words, const char *want)
{
    struct line l;

    assert_true(take(&l, words) < 0);
    if (!strstr(l.e.text, want))
        fail_msg("%s: \"%s\", not \"%s\"", words, l.e.text, want);
}

static void wrong_flags_are_named(void **state)
{
    (void)state;
    refused("predict", "--resolution is missing");
    refused("predict --resolution 1x1", "--fps is missing");
    refused("predict --resolution 1x1 --fps 30", "--bitrate is missing");
    refused("predict --resolution 0x10 --fps 30 --bitrate 4M",
            "--resolution: \"0x10\" is no size");
    refused("predict --resolution 720p --fps 30 --bitrate 4M",
            "--resolution: \"720p\" is no size");
    refused("predict --resolution 1x1 --fps 0 --bitrate 4M",
            "--fps: \"0\" is not a number from 0.1 to 1000");
    refused("predict --resolution 1x1 --fps 30 --bitrate 0",
            "--bitrate: \"0\" is no bit rate");
    refused("predict --resolution 1x1 --fps 30 --bitrate fast",
            "--bitrate: \"fast\" is no bit rate");
    refused("predict --resolution 1x1 --fps 30 --bitrate",
            "--bitrate: a value is missing: --bitrate RATE");
    refused("predict --resolution 1x1 --fps 30 --bitrate 4M --target-vmaf 101",
            "--target-vmaf: \"101\" is not a number from 1 to 100");
    refused("predict --resolution 1x1 --fps 30 --bitrate 4M --json=maybe",
            "--json: \"maybe\"");
}

static void help_needs_nothing_else_to_be_right(void **state)
{
    (void)state;
    struct line l;

    assert_int_equal(take(&l, "predict --fps x --help"), 0);
    assert_true(l.help);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_own_flags_are_taken_and_others_left),
        cmocka_unit_test(what_is_not_given_is_unknown),
        cmocka_unit_test(wrong_flags_are_named),
        cmocka_unit_test(help_needs_nothing_else_to_be_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
