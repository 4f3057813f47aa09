#include "tests/unit/test.h"

#include <errno.h>

#include "server/carbon/carbon.h"

#define NOW_S 1790000000.0 /* 2026-09-21T14:13:20Z */

#define ANSWER(zone, intensity, at)                                                    \
    "{\"zone\":" zone ",\"carbonIntensity\":" intensity ",\"datetime\":" at            \
    ",\"updatedAt\":\"2026-09-21T13:07:38.408Z\",\"emissionFactorType\":\"lifecycle\"" \
    ",\"isEstimated\":true}"

static void an_answer_is_read(void **state)
{
    struct view text =
        VIEW(ANSWER("\"SE-SE3\"", "31.5", "\"2026-09-21T13:00:00.000Z\""));
    struct carbon_now now;
    struct err e = { 0 };

    (void)state;
    assert_int_equal(carbon_read(text, "SE-SE3", NOW_S, &now, &e), 0);
    assert_true(now.known);
    assert_near(now.kg_per_kwh, 0.0315, 1e-15);     /* 31.5 g */
    assert_near(now.as_of_s, 1790000000 - 4400, 0); /* 73 min 20 s before */
    assert_string_equal(now.zone, "SE-SE3");
}

static void what_is_not_the_answer_is_refused(void **state)
{
#define GOOD_AT "\"2026-09-21T13:00:00Z\""
    static const struct {
        const char *text, *part;
    } all[] = {
        { "", "no JSON" },
        { "<html>", "no JSON" },
        { "{\"zone\":\"DE\",\"carbonInt", "no JSON" },
        { "[]", "not of zone DE" },
        { "{}", "not of zone DE" },
        { "{\"error\":\"no token\"}", "not of zone DE" },
        { ANSWER("\"FR\"", "1", GOOD_AT), "not of zone DE" },
        { ANSWER("7", "1", GOOD_AT), "not of zone DE" },
        { ANSWER("\"DE\"", "null", GOOD_AT), "no carbonIntensity" },
        { ANSWER("\"DE\"", "\"300\"", GOOD_AT), "no carbonIntensity" },
        { ANSWER("\"DE\"", "NaN", GOOD_AT), "no carbonIntensity" },
        { ANSWER("\"DE\"", "-1", GOOD_AT), "carbonIntensity -1 is not" },
        { ANSWER("\"DE\"", "300000", GOOD_AT), "carbonIntensity 300000 is not" },
        { ANSWER("\"DE\"", "1", "1790000000"), "no datetime" },
        { ANSWER("\"DE\"", "1", "\"yesterday\""), "no datetime" },
        { ANSWER("\"DE\"", "1", "\"2026-09-23T13:00:00Z\""), "not of today" },
        { ANSWER("\"DE\"", "1", "\"1970-01-01T00:00:00Z\""), "not of today" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct carbon_now now = { 0 };
        struct err e = { 0 };

        assert_int_equal(carbon_read(view_of(all[i].text), "DE", NOW_S, &now, &e),
                         -EBADMSG);
        if (!strstr(e.text, all[i].part))
            fail_msg("%s: \"%s\"", all[i].text, e.text);
        assert_false(now.known);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_read),
        cmocka_unit_test(what_is_not_the_answer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
