/* Flags of what is watched: --live…, --ingest, --qoe.frame-thresholds. */
#include "server/live/live_config.h"

#include <errno.h>

#include "tests/unit/module_host.h"

static int complete(struct live_config *c, const char *name, const char *text,
                    bool web_config, struct err *e)
{
    const struct given given = { name, text };

    *c = (struct live_config){ 0 };
    *e = (struct err){ 0 };
    options_fill(live_options, c, &given, name ? 1 : 0, NULL);
    return live_config_complete(c, web_config, e);
}

static void defaults_watch_and_take_from_here_alone(void **state)
{
    (void)state;
    struct live_config c;
    struct err e;

    assert_int_equal(complete(&c, NULL, NULL, false, &e), 0);
    assert_true(c.on);
    assert_int_equal(c.ingest, INGEST_LOOPBACK);
    assert_int_equal(c.stalled_after_ms, 10000);
    assert_int_equal(c.max_encodes, 1000);
    assert_int_equal(c.threshold_count, 4);
    assert_string_equal(c.thresholds[0].metric, "vmaf");
    assert_near(c.thresholds[0].score, 70, 0);
    assert_string_equal(c.thresholds[3].metric, "psnr");
    assert_near(c.thresholds[3].score, 40, 0);
}

static void words_become_what_they_say(void **state)
{
    (void)state;
    struct live_config c;
    struct err e;

    assert_int_equal(complete(&c, "live", "off", false, &e), 0);
    assert_false(c.on);
    assert_int_equal(complete(&c, "ingest", "off", false, &e), 0);
    assert_int_equal(c.ingest, INGEST_OFF);
    assert_int_equal(complete(&c, "ingest", "all", true, &e), 0);
    assert_int_equal(c.ingest, INGEST_ALL);
    assert_int_equal(complete(&c, "ingest", "loopback", true, &e), 0);
    assert_int_equal(c.ingest, INGEST_LOOPBACK);
}

static void others_need_a_password(void **state)
{
    (void)state;
    struct live_config c;
    struct err e;

    assert_int_equal(complete(&c, "ingest", "all", false, &e), -EINVAL);
    assert_non_null(strstr(e.text, "--ingest all"));
    assert_non_null(strstr(e.text, "--web.config.file"));
}

static void options_have_limits(void **state)
{
    (void)state;
    static const struct given wrong[] = {
        { "live", "yes" },
        { "ingest", "everybody" },
        { "ingest", "" },
        { "live.max-encodes", "0" },
        { "live.max-encodes", "1e9" },
        { "stalled-after", "99ms" },
        { "stalled-after", "25h" },
        { "stalled-after", "soon" },
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct live_config c = { 0 };
        const struct option *o = live_options;
        struct err e = { 0 };

        while (strcmp(o->name, wrong[i].name) != 0)
            o++;
        assert_true(option_set(o, &c, wrong[i].text, o->name, false, &e) < 0);
    }
}

static void thresholds_are_a_list(void **state)
{
    (void)state;
    struct live_config c;
    struct err e;

    assert_int_equal(complete(&c, "qoe.frame-thresholds", "", false, &e), 0);
    assert_int_equal(c.threshold_count, 0);
    assert_int_equal(
        complete(&c, "qoe.frame-thresholds", "cambi=5.5,vmaf=-1e1,vmaf=0", false, &e),
        0);
    assert_int_equal(c.threshold_count, 3);
    assert_string_equal(c.thresholds[0].metric, "cambi");
    assert_near(c.thresholds[0].score, 5.5, 0);
    assert_string_equal(c.thresholds[1].metric, "vmaf");
    assert_near(c.thresholds[1].score, -10, 0);
}

static void bad_thresholds_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } wrong[] = {
        { "vmaf", "no name" },
        { "=70", "no name" },
        { ",", "no name" },
        { "vmaf=70,,psnr=30", "no name" },
        { "a-name-of-thirty-two-characters-=1", "or a long one" },
        { "vmaf=", "no number" },
        { "vmaf=high", "no number" },
        { "vmaf=inf", "no number" },
        { "vmaf=nan", "no number" },
        { "vmaf=70=80", "no number" },
        { "vmaf= 70", "no number" },
        { "vmaf=1e999", "no number" },
        { "vmaf=70,psnr=70,vmaf=70.0", "twice" },
        { "vmaf=0,vmaf=-0", "twice" },
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct live_config c;
        struct err e;

        assert_int_equal(complete(&c, "qoe.frame-thresholds", wrong[i].text, false, &e),
                         -EINVAL);
        assert_non_null(strstr(e.text, "--qoe.frame-thresholds: "));
        if (!strstr(e.text, wrong[i].why))
            print_error("%s: %s\n", wrong[i].text, e.text);
        assert_non_null(strstr(e.text, wrong[i].why));
    }
}

static void there_are_thirty_two_at_most(void **state)
{
    (void)state;
    struct buf list = { 0 };
    struct live_config c;
    struct err e;

    for (int i = 0; i < LIVE_THRESHOLDS_MAX; i++)
        buf_fmt(&list, "%svmaf=%d", i ? "," : "", i);
    buf_char(&list, '\0');
    assert_int_equal(complete(&c, "qoe.frame-thresholds", list.p, false, &e), 0);
    assert_int_equal(c.threshold_count, LIVE_THRESHOLDS_MAX);
    list.n--;
    buf_str(&list, ",vmaf=99");
    buf_char(&list, '\0');
    assert_int_equal(complete(&c, "qoe.frame-thresholds", list.p, false, &e), -EINVAL);
    assert_non_null(strstr(e.text, "more than 32"));
    buf_deinit(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_watch_and_take_from_here_alone),
        cmocka_unit_test(words_become_what_they_say),
        cmocka_unit_test(others_need_a_password),
        cmocka_unit_test(options_have_limits),
        cmocka_unit_test(thresholds_are_a_list),
        cmocka_unit_test(bad_thresholds_are_told),
        cmocka_unit_test(there_are_thirty_two_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
