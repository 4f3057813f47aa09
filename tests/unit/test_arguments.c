#include "tests/unit/test.h"

#include "server/record/arguments.h"

#include <string.h>

enum { WORDS_MAX = 80 };

struct line {
    char text[1200];
    char *argv[WORDS_MAX + 1];
    struct arguments a;
};

/* Words told apart by blanks; "~" in them stands for a blank. */
static bool take(struct line *l, const char *words)
{
    size_t n = strlen(words), count = 0;
    char *p = l->text;

    *l = (struct line){ 0 };
    assert_true(n < sizeof l->text);
    memcpy(p, words, n + 1);
    for (char *word; (word = strsep(&p, " "));) {
        assert_true(count < WORDS_MAX);
        l->argv[count++] = word;
        for (; *word; word++)
            if (*word == '~')
                *word = ' ';
    }
    return arguments_read(l->argv, &l->a);
}

static const struct argument_output *only(struct line *l, const char *words)
{
    assert_true(take(l, words));
    assert_int_equal(l->a.output_count, 1);
    return &l->a.outputs[0];
}

static const char *param(const struct argument_output *o, const char *name)
{
    static char value[200];

    for (size_t i = 0; i < o->param_count; i++)
        if (strcmp(o->params[i].name, name) == 0) {
            snprintf(value, sizeof value, "%.*s", VIEW_ARG(o->params[i].value));
            return value;
        }
    return "";
}

/* ---- what ffmpeg's documentation and people's scripts hold ---------------------------- */

static void a_usual_line_tells_its_settings(void **state)
{
    (void)state;
    struct line l;
    const struct argument_output *o = only(
        &l,
        "ffmpeg -hide_banner -y -i in.mp4 -c:v libx264 -preset slow -b:v 2500k "
        "-maxrate 2500k -bufsize 5M -g 60 -pix_fmt yuv420p -vf scale=1280:720 -r 30 "
        "-c:a aac -b:a 128k out/clip.mp4");

    assert_view(o->url, "out/clip.mp4");
    assert_view(o->encoder, "libx264");
    assert_string_equal(o->codec, "h264");
    assert_view(o->preset, "slow");
    assert_string_equal(o->bitrate, "2500k");
    assert_string_equal(o->resolution, "1280x720");
    assert_near(o->fps, 30, 0);
    assert_true(o->rate_forced);
    assert_unknown(o->crf);
    assert_string_equal(o->rate_control, "abr");
    assert_string_equal(param(o, "gop"), "60");
    assert_string_equal(param(o, "pix_fmt"), "yuv420p");
    assert_string_equal(param(o, "maxrate"), "2500k");
    assert_view(l.a.input, "in.mp4");
    assert_false(l.a.progress);
}

static void nothing_is_told_that_is_a_default(void **state)
{
    (void)state;
    struct line l;
    const struct argument_output *o = only(&l, "/usr/bin/ffmpeg -i in.mkv out.mp4");

    assert_view(o->encoder, "");
    assert_string_equal(o->codec, "");
    assert_view(o->preset, "");
    assert_string_equal(o->bitrate, "");
    assert_string_equal(o->resolution, "");
    assert_unknown(o->fps);
    assert_string_equal(o->rate_control, "");
    assert_int_equal(o->param_count, 0);
}

static void all_spellings_of_the_encoder_are_read(void **state)
{
    (void)state;
    static const char *const spellings[] = {
        "-c:v libx265",   "-vcodec libx265",      "-codec:v libx265",
        "-codec libx265", "-c libx265",           "-c:v:0 libx265",
        "-c:V libx265",   "-c copy -c:v libx265", "-c:a aac -c:v libx265 -c:s mov_text"
    };
    char words[200];
    struct line l;

    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        snprintf(words, sizeof words, "ffmpeg -i a.mp4 %s b.mp4", spellings[i]);
        assert_view(only(&l, words)->encoder, "libx265");
    }
    assert_view(only(&l, "ffmpeg -i a.mp4 -acodec aac b.mp4")->encoder, "");
    assert_view(only(&l, "ffmpeg -c:v h264_cuvid -i a.mp4 b.mp4")->encoder, "");
}

static void quality_and_passes_are_told(void **state)
{
    (void)state;
    struct line l;
    const struct argument_output *o = only(
        &l,
        "ffmpeg -i a.y4m -c:v libsvtav1 -preset 8 -crf 35 -svtav1-params tune=0 a.mkv");

    assert_near(o->crf, 35, 0);
    assert_string_equal(o->rate_control, "crf");
    assert_string_equal(o->codec, "av1");
    assert_view(o->preset, "8");
    assert_string_equal(param(o, "svtav1-params"), "tune=0");

    o = only(&l, "ffmpeg -i a -c:v libx264 -qp 23 a.mp4");
    assert_string_equal(o->rate_control, "qp");
    o = only(&l, "ffmpeg -i a -c:v libvpx-vp9 -crf 30 -b:v 2M a.webm");
    assert_string_equal(o->rate_control, ""); /* vp9: constrained quality */
    o = only(&l, "ffmpeg -i a -b:v 4M -minrate 4000k -maxrate 4M -bufsize 2M a.ts");
    assert_string_equal(o->rate_control, "cbr");
    o = only(&l,
             "ffmpeg -y -i a -c:v libx264 -b:v 2M -pass 2 -passlogfile /tmp/x a.mp4");
    assert_true(o->two_passes);
    o = only(&l, "ffmpeg -y -i a -c:v libx264 -b:v 2M -pass 1 -an -f null /dev/null");
    assert_false(o->two_passes);
    assert_string_equal(param(o, "pass"), "1");
}

static void switches_take_no_value(void **state)
{
    (void)state;
    struct line l;

    assert_view(
        only(&l, "ffmpeg -nostdin -nostats -i a.mp4 -an -sn -shortest b.mp4")->url,
        "b.mp4");
    assert_view(only(&l, "ffmpeg -re -i a.mp4 -copyts -noautorotate -vn b.mp4")->url,
                "b.mp4");
    assert_view(only(&l, "ffmpeg -i a.mp4 -metadata title=x -- -b.mp4")->url, "-b.mp4");
    assert_view(only(&l, "ffmpeg -i a.mp4 -f mpegts -")->url, "-");
    assert_view(only(&l, "ffmpeg -ss -3 -i a.mp4 b.mp4")->url, "b.mp4");
}

static void a_line_without_output_is_no_encode(void **state)
{
    (void)state;
    struct line l;

    assert_false(take(&l, "ffmpeg -version"));
    assert_false(take(&l, "ffmpeg -i in.mp4"));
    assert_false(take(&l, "ffprobe -i in.mp4 out"));
    assert_false(take(&l, "sh -c ffmpeg~-i~a~b.mp4"));
    assert_false(take(&l, "echo ffmpeg -i a b.mp4"));
    assert_false(take(&l, "myffmpeg -i a b.mp4"));
    l.argv[0] = NULL;
    assert_false(arguments_read(l.argv, &l.a));
}

static void programs_before_ffmpeg_are_passed(void **state)
{
    (void)state;
    struct line l;

    assert_true(take(&l, "nice -n 10 taskset -c 0,1 /opt/ffmpeg-7.1 -i a.mp4 b.mp4"));
    assert_int_equal(l.a.program, 6);
    assert_true(take(&l, "env LC_ALL=C ffmpeg -i a.mp4 b.mp4"));
    assert_int_equal(l.a.program, 2);
    assert_true(take(&l, "timeout 60 ffmpeg -progress p.txt -i a.mp4 b.mp4"));
    assert_true(l.a.progress);
}

static void several_outputs_have_their_own_settings(void **state)
{
    (void)state;
    struct line l;

    assert_true(
        take(&l, "ffmpeg -i a.mp4 -s 1920x1080 -b:v 5M hi.mp4 -vf scale=w=640:h=360 "
                 "-b:v 800k -r 15 lo.mp4"));
    assert_int_equal(l.a.output_count, 2);
    assert_string_equal(l.a.outputs[0].resolution, "1920x1080");
    assert_string_equal(l.a.outputs[0].bitrate, "5000k");
    assert_unknown(l.a.outputs[0].fps);
    assert_string_equal(l.a.outputs[1].resolution, "640x360");
    assert_near(l.a.outputs[1].fps, 15, 0);
}

static void settings_of_single_streams_are_not_those_of_the_output(void **state)
{
    (void)state;
    struct line l;
    const struct argument_output *o = only(
        &l, "ffmpeg -i a -map 0:v -map 0:v -c:v libx264 -b:v:0 5M -b:v:1 1M -s:v:1 "
            "640x360 -f hls -var_stream_map v:0~v:1 out_%v.m3u8");

    assert_string_equal(o->bitrate, "");
    assert_string_equal(o->resolution, "");
    assert_view(o->encoder, "");
}

static void options_of_inputs_are_not_those_of_outputs(void **state)
{
    (void)state;
    struct line l;
    const struct argument_output *o = only(
        &l, "ffmpeg -f rawvideo -s 352x288 -r 30 -pix_fmt yuv420p -ss 5 -t 10 -i a.yuv "
            "-c:v libx264 b.mp4");

    assert_string_equal(o->resolution, "");
    assert_unknown(o->fps);
    assert_string_equal(param(o, "pix_fmt"), "");
    assert_string_equal(param(o, "ss"), "5"); /* but this much of it is encoded */
    assert_string_equal(param(o, "t"), "10");

    only(&l, "ffmpeg -ss 5 -i a.mp4 -i logo.png -filter_complex overlay b.mp4");
    assert_int_equal(l.a.input_count, 2);
    assert_view(l.a.input, "");
}

/* ---- sizes, rates, filters ------------------------------------------------------------ */

static void filters(const char *chain, const char *size, double rate)
{
    char got[ARGUMENTS_TEXT_MAX] = "";
    double got_rate = NAN;

    picture_filters(view_of(chain), got, &got_rate);
    assert_string_equal(got, size);
    assert_near(got_rate, rate, 1e-12);
}

static void filters_tell_what_is_sure(void **state)
{
    (void)state;
    filters("scale=1280:720", "1280x720", NAN);
    filters("scale=w=1280:h=720:flags=bicubic,format=yuv420p", "1280x720", NAN);
    filters("scale=1920x1080,fps=30000/1001", "1920x1080", 30000.0 / 1001);
    filters("scale=s=hd720,fps=fps=25", "1280x720", 25);
    filters("scale=hd1080", "1920x1080", NAN);
    filters("scale=640:360,scale=320:180", "320x180", NAN);
    filters("fps=24,scale=-2:720", "", 24);
    filters("scale=1280:-1", "", NAN);
    filters("scale=iw/2:ih/2", "", NAN);
    filters("scale=1280:720:force_original_aspect_ratio=decrease", "", NAN);
    filters("scale=1280:720,crop=640:360", "", NAN);
    filters("scale=1280:720,transpose=1", "", NAN);
    filters("fps=30,setpts=0.5*PTS,scale=1280:720", "1280x720", NAN);
    filters("[0:v]scale=1280:720[a]", "", NAN);
    filters("drawtext=text='a,b',scale=1280:720", "", NAN);
    filters("scale", "", NAN);
    filters("scale=", "", NAN);
    filters("fps", "", 25);
    filters("", "", NAN);
}

static void rates_are_numbers_fractions_and_names(void **state)
{
    (void)state;
    assert_near(picture_rate(VIEW("23.976")), 23.976, 0);
    assert_near(picture_rate(VIEW("24000/1001")), 24000.0 / 1001, 0);
    assert_near(picture_rate(VIEW("ntsc")), 30000.0 / 1001, 0);
    assert_near(picture_rate(VIEW("film")), 24, 0);
    assert_unknown(picture_rate(VIEW("0")));
    assert_unknown(picture_rate(VIEW("30/0")));
    assert_unknown(picture_rate(VIEW("30fps")));
    assert_unknown(picture_rate(VIEW("nan")));
    assert_unknown(picture_rate(VIEW("")));
    assert_unknown(picture_rate((struct view){ NULL, 0 }));
}

static void bitrate(const char *text, const char *want)
{
    char got[ARGUMENTS_TEXT_MAX];

    picture_bitrate(view_of(text), got);
    assert_string_equal(got, want);
}

static void bit_rates_mean_what_ffmpeg_takes_them_for(void **state)
{
    (void)state;
    bitrate("2500k", "2500k");
    bitrate("2500K", "2500k");
    bitrate("2.5M", "2500k");
    bitrate("2500000", "2500k");
    bitrate("5000", "5k"); /* bits, where a results file would mean kbit/s */
    bitrate("50", "50bps");
    bitrate("1Mi", "1048576bps");
    bitrate("100kB", "800k");
    bitrate("1G", "1000000k");
    bitrate("0", "");
    bitrate("abc", "");
    bitrate("5x", "");
    bitrate("", "");
}

static void codecs_of_encoders_are_known(void **state)
{
    (void)state;
    assert_string_equal(picture_codec(VIEW("libx264")), "h264");
    assert_string_equal(picture_codec(VIEW("hevc_nvenc")), "hevc");
    assert_string_equal(picture_codec(VIEW("libaom-av1")), "av1");
    assert_string_equal(picture_codec(VIEW("copy")), "");
    assert_string_equal(picture_codec(VIEW("own_thing")), "");
}

static void urls_of_files_are_told_from_others(void **state)
{
    (void)state;
    assert_view(arguments_file(VIEW("a/b.mp4")), "a/b.mp4");
    assert_view(arguments_file(VIEW("file:a:b.mp4")), "a:b.mp4");
    assert_view(arguments_file(VIEW("./a:b.mp4")), "./a:b.mp4");
    assert_view(arguments_file(VIEW("rtmp://user:secret@host/app")), "");
    assert_view(arguments_file(VIEW("pipe:1")), "");
    assert_view(arguments_file(VIEW("-")), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_usual_line_tells_its_settings),
        cmocka_unit_test(nothing_is_told_that_is_a_default),
        cmocka_unit_test(all_spellings_of_the_encoder_are_read),
        cmocka_unit_test(quality_and_passes_are_told),
        cmocka_unit_test(switches_take_no_value),
        cmocka_unit_test(a_line_without_output_is_no_encode),
        cmocka_unit_test(programs_before_ffmpeg_are_passed),
        cmocka_unit_test(several_outputs_have_their_own_settings),
        cmocka_unit_test(settings_of_single_streams_are_not_those_of_the_output),
        cmocka_unit_test(options_of_inputs_are_not_those_of_outputs),
        cmocka_unit_test(filters_tell_what_is_sure),
        cmocka_unit_test(rates_are_numbers_fractions_and_names),
        cmocka_unit_test(bit_rates_mean_what_ffmpeg_takes_them_for),
        cmocka_unit_test(codecs_of_encoders_are_known),
        cmocka_unit_test(urls_of_files_are_told_from_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
